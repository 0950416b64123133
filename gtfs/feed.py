"""A GTFS feed, read with gtfs-kit behind the door for hostile files.

gtfs-kit never opens the archive itself: what passed the door is unpacked for it, table by table.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO
from zipfile import ZipFile, ZipInfo

import gtfs_kit
import numpy as np

from gtfs.calendars import legible_dates, service_days, sum_by_day
from gtfs.tables import FIELDS, Table, read_table
from networks.faults import InputError, Notice
from networks.intake import MAX_UNPACKED_BYTES, open_bytes, open_zip

REQUIRED = ("agency", "stops", "routes", "trips", "stop_times")
CALENDARS = ("calendar", "calendar_dates")
"""Either will do; where both are there, one may be empty."""
DATES = (("calendar", "start_date"), ("calendar", "end_date"), ("calendar_dates", "date"))
"""Fields that a service's days rest on."""

RESOURCE_FORKS = "__MACOSX"
"""macOS keeps resource forks here; the loose ones (``._stops.txt``, ``.DS_Store``) have no table's name anyway."""

Sources = Mapping[str, Callable[[], IO[bytes]]]
"""How to open each table, by its name."""


@dataclass(frozen=True, slots=True, eq=False)
class Feed:
    """A feed whose required tables are there, each with the fields of :data:`FIELDS`; :mod:`gtfs.checks` looks further.

    ``gtfs`` is gtfs-kit's own feed: a DataFrame by table name, None for one that is missing or empty. Where a text
    stands for a number it has none, and ``notices`` tell so. ``read`` has the tables that are not empty as they were
    written.
    """

    path: Path
    gtfs: gtfs_kit.Feed
    notices: tuple[Notice, ...]
    read: Mapping[str, Table]

    def tables(self) -> dict[str, int]:
        """Count of records by table; tables that are missing or empty are left out."""
        return {name: len(table.frame) for name, table in self.read.items()}

    def line(self, table: str, row: int) -> int:
        """The line of its file on which a record begins, the header in line 1; ``row`` is the DataFrame's."""
        return int(self.read[table].lines[row])

    def service_days(self) -> dict[date, int]:
        """Trips by day in order of time, days without any left out; repeated trips (``frequencies.txt``) count once.

        Raises
        ------
        InputError
            GTFS_DATE with the record of a calendar whose date is none.
        """
        for table, field in DATES:
            self._require_dates(table, field)
        return sum_by_day(service_days(self.gtfs), self.gtfs.trips["service_id"].value_counts())

    def _require_dates(self, table: str, field: str) -> None:
        if table not in self.read:
            return
        for row in np.flatnonzero(np.isnat(legible_dates(self.read[table].frame[field])))[:1].tolist():
            raise InputError(
                "GTFS_DATE",
                f"{self.read[table].text(field, row)!r} is no date",
                file=self.path / f"{table}.txt",
                row=self.line(table, row),
                field=field,
                remedy="Write it as YYYYMMDD",
            )


def read_feed(path: str | Path, *, limit_bytes: int = MAX_UNPACKED_BYTES) -> Feed:
    """Read a GTFS feed from a zip archive or a folder.

    Raises
    ------
    InputError
        FILE_MISSING, ZIP_*; ZIP_SUBFOLDER where tables lie in several folders (in one of them is a notice);
        GTFS_TABLE_MISSING, GTFS_TABLE_EMPTY, GTFS_FIELD_MISSING for what cannot be done without; CSV_ROW or
        CSV_ENCODING where a table cannot be read at all.
    """
    found = Path(path)
    with _sources(path, limit_bytes) as (sources, notices):
        _require(sources, found)
        tables = {name: _read(name, sources[name], found) for name in FIELDS if name in sources}
    _require_rows(tables, found)
    read = {name: table for name, table in tables.items() if table is not None}
    gtfs = gtfs_kit.Feed(dist_units="km", **{name: table.frame for name, table in read.items()})
    return Feed(found, gtfs, notices + tuple(notice for table in read.values() for notice in table.notices), read)


def _read(name: str, source: Callable[[], IO[bytes]], path: Path) -> Table | None:
    with source() as stream:
        return read_table(name, stream, path / f"{name}.txt")


@contextmanager
def _sources(path: str | Path, limit_bytes: int) -> Iterator[tuple[Sources, tuple[Notice, ...]]]:
    """How to open each table that is there, and what is odd about where they lie."""
    folder = Path(path)
    if folder.is_dir():
        files = {name: folder / f"{name}.txt" for name in FIELDS}
        yield {name: partial(open_bytes, file, limit_bytes) for name, file in files.items() if file.is_file()}, ()
        return
    with open_zip(path, limit_bytes) as archive:
        members = _members(archive)
        notices = _placed(folder, {place.parent.as_posix() for place, _ in members})
        yield {place.stem: partial(archive.open, member) for place, member in members}, notices


def _members(archive: ZipFile) -> list[tuple[PurePosixPath, ZipInfo]]:
    """Members that are tables by their names, with their places; some archives separate folders by backslashes."""
    members = [(PurePosixPath(member.filename.replace("\\", "/")), member) for member in archive.infolist()]
    names = {f"{name}.txt" for name in FIELDS}
    tables = [(place, member) for place, member in members if place.name in names and RESOURCE_FORKS not in place.parts]
    if len({place for place, _ in tables}) < len(tables):
        raise InputError("ZIP_UNSAFE", "a table stands twice, its folder written in two ways", file=archive.filename)
    return tables


def _placed(path: Path, folders: set[str]) -> tuple[Notice, ...]:
    """Accept tables at the top, or all in one folder with a notice."""
    if len(folders) > 1:
        places = ", ".join(sorted(folders))
        remedy = "Leave one feed in the archive, its tables at the top"
        raise InputError("ZIP_SUBFOLDER", f"tables lie in several folders ({places})", file=path, remedy=remedy)
    return tuple(
        Notice("ZIP_SUBFOLDER", "warning", str(path), None, "", folder, "Move the tables to the top of the archive")
        for folder in folders
        if folder != "."
    )


def _require(sources: Sources, path: Path) -> None:
    missing = [f"{name}.txt" for name in REQUIRED if name not in sources]
    if not any(name in sources for name in CALENDARS):
        missing.append("calendar.txt or calendar_dates.txt")
    if missing:
        what, remedy = f"{', '.join(missing)} missing", "Give a complete GTFS feed"
        raise InputError("GTFS_TABLE_MISSING", what, file=path, remedy=remedy)


def _require_rows(tables: Mapping[str, Table | None], path: Path) -> None:
    empty = [f"{name}.txt" for name in REQUIRED if tables[name] is None]
    if all(tables.get(name) is None for name in CALENDARS):
        empty += [f"{name}.txt" for name in CALENDARS if name in tables]
    if empty:
        raise InputError(
            "GTFS_TABLE_EMPTY", f"no records in {', '.join(empty)}", file=path, remedy="Give a complete GTFS feed"
        )
