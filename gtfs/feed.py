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
import pandas as pd

from gtfs.calendars import trips_by_day
from gtfs.tables import FIELDS, read_table
from networks.faults import InputError, Notice
from networks.intake import MAX_UNPACKED_BYTES, open_bytes, open_zip

REQUIRED = ("agency", "stops", "routes", "trips", "stop_times")
CALENDARS = ("calendar", "calendar_dates")
"""Either will do; where both are there, one may be empty."""

RESOURCE_FORKS = "__MACOSX"
"""macOS keeps resource forks here; the loose ones (``._stops.txt``, ``.DS_Store``) have no table's name anyway."""

Sources = Mapping[str, Callable[[], IO[bytes]]]
"""How to open each table, by its name."""


@dataclass(frozen=True, slots=True, eq=False)
class Feed:
    """A feed whose required tables are there, each with the fields of :data:`FIELDS`; values are not checked.

    ``gtfs`` is gtfs-kit's own feed: a DataFrame by table name, None for one that is missing or empty.
    """

    path: Path
    gtfs: gtfs_kit.Feed
    notices: tuple[Notice, ...]

    def tables(self) -> dict[str, int]:
        """Count of records by table; tables that are missing or empty are left out."""
        frames = {name: getattr(self.gtfs, name) for name in FIELDS}
        return {name: len(frame) for name, frame in frames.items() if frame is not None}

    def service_days(self) -> dict[date, int]:
        """Trips by day in order of time, days without any left out; repeated trips (``frequencies.txt``) count once.

        Raises
        ------
        InputError
            GTFS_DATE with the record of a calendar whose date is none.
        """
        return trips_by_day(self.gtfs, self.path)


def read_feed(path: str | Path, *, limit_bytes: int = MAX_UNPACKED_BYTES) -> Feed:
    """Read a GTFS feed from a zip archive or a folder.

    Raises
    ------
    InputError
        FILE_MISSING, ZIP_*; ZIP_SUBFOLDER where tables lie in several folders (in one of them is a notice);
        GTFS_TABLE_MISSING, GTFS_TABLE_EMPTY, GTFS_FIELD_MISSING for what cannot be done without; CSV_ROW, CSV_ENCODING
        or GTFS_VALUE where a table cannot be read at all.
    """
    found = Path(path)
    with _sources(path, limit_bytes) as (sources, notices):
        _require(sources, found)
        tables = {name: read_table(name, source, found / f"{name}.txt") for name, source in sources.items()}
    _require_rows(tables, found)
    for name, table in tables.items():
        _require_fields(table, FIELDS[name], found / f"{name}.txt")
    return Feed(found, gtfs_kit.Feed(dist_units="km", **tables), notices)


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


def _require_rows(tables: Mapping[str, pd.DataFrame | None], path: Path) -> None:
    empty = [f"{name}.txt" for name in REQUIRED if tables[name] is None]
    if all(tables.get(name) is None for name in CALENDARS):
        empty += [f"{name}.txt" for name in CALENDARS if name in tables]
    if empty:
        raise InputError(
            "GTFS_TABLE_EMPTY", f"no records in {', '.join(empty)}", file=path, remedy="Give a complete GTFS feed"
        )


def _require_fields(table: pd.DataFrame | None, fields: tuple[str, ...], file: Path) -> None:
    missing = [name for name in fields if table is not None and name not in table.columns]
    if missing:
        what, remedy = f"it has no field {', '.join(missing)}", "Give a complete GTFS feed"
        raise InputError("GTFS_FIELD_MISSING", what, file=file, row=1, remedy=remedy)
