"""One table of a feed: which are read, what they must have, and how gtfs-kit gets them.

gtfs-kit gives up on a text where it wants a number, holds headways in 16 bits, and takes a stop called NA for none. So
it gets only what it can hold, and what is right beyond that is put back.
"""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import gtfs_kit
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from gtfs_kit.constants import DTYPES
from pyarrow.csv import write_csv

from gtfs.calendars import WEEKDAYS
from gtfs.records import Lines, Records, read_records
from networks.faults import InputError, Notice

FIELDS = {
    "agency": ("agency_timezone",),
    "stops": ("stop_id",),
    "routes": ("route_id", "route_type"),
    "trips": ("route_id", "service_id", "trip_id"),
    "stop_times": ("trip_id", "stop_id", "stop_sequence", "arrival_time"),
    "calendar": ("service_id", *WEEKDAYS, "start_date", "end_date"),
    "calendar_dates": ("service_id", "date", "exception_type"),
    "shapes": ("shape_id", "shape_pt_lat", "shape_pt_lon", "shape_pt_sequence"),
    "frequencies": ("trip_id", "start_time", "end_time", "headway_secs"),
    "transfers": (),
    "feed_info": (),
}
"""The tables that are read, each with the fields that must be there. Fares have no use here and are left alone."""

COORDINATES = ("stop_lat", "stop_lon", "shape_pt_lat", "shape_pt_lon")
NEEDED = frozenset({field for fields in FIELDS.values() for field in fields} | set(COORDINATES))
"""A record with no number where one of these belongs cannot be used; elsewhere the number counts as left blank."""

NUMBER = r"^[+-]?([0-9]{1,40}\.?[0-9]{0,40}|\.[0-9]{1,40})([eE][+-]?[0-9]{1,2})?$"
INT16_MAX, INT32_MAX = 2**15 - 1, 2**31 - 1

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A table as gtfs-kit has it, what stood there before, and what could not be taken for the number it should be.

    ``texts`` and ``lines`` go by the rows of ``frame``: see :class:`gtfs.records.Records`.
    """

    frame: pd.DataFrame
    texts: pa.Table
    lines: Lines
    notices: tuple[Notice, ...]

    def text(self, field: str, row: int) -> str:
        """What was written, empty where there is no such field."""
        return str(self.texts.column(field)[row].as_py()) if field in self.texts.column_names else ""

    def blank(self, field: str) -> Flags:
        """Which records leave a field blank; all, where there is no such field."""
        if field not in self.texts.column_names:
            return np.ones(len(self.frame), dtype=np.bool_)
        return _is_blank(self.texts.column(field))

    def numbers(self, field: str) -> Floats:
        """A field of numbers, NaN where it is blank or no number."""
        if field not in self.frame:
            return np.full(len(self.frame), np.nan)
        numbers: Floats = self.frame[field].to_numpy(dtype=np.float64, na_value=np.nan)
        return numbers


def read_table(name: str, stream: IO[bytes], file: Path) -> Table | None:
    """Read one table; None where it has no records.

    Parameters
    ----------
    stream
        The table's bytes, taken to be safe.
    file
        What the table is called in messages.

    Raises
    ------
    InputError
        CSV_ROW, CSV_ENCODING; GTFS_FIELD_MISSING with the fields of :data:`FIELDS` that are not there.
    """
    records = read_records(stream, file)
    if records is None:
        return None
    _require_fields(FIELDS[name], records.texts, file)
    columns = {field: _numbers(records.texts, field, DTYPES[name][field]) for field in _number_fields(name, records)}
    values = {field: value for field, (value, _) in columns.items()}
    notices = tuple(_no_number(name, field, wrong, records) for field, (_, wrong) in columns.items() if wrong.any())
    frame = _typed(name, records.texts, values)
    return None if frame is None else Table(frame, records.texts, records.lines, notices)


def _require_fields(fields: tuple[str, ...], texts: pa.Table, file: Path) -> None:
    missing = [name for name in fields if name not in texts.column_names]
    if missing:
        what, remedy = f"it has no field {', '.join(missing)}", "Give a complete GTFS feed"
        raise InputError("GTFS_FIELD_MISSING", what, file=file, row=1, remedy=remedy)


def _number_fields(name: str, records: Records) -> list[str]:
    return [field for field in records.texts.column_names if DTYPES[name].get(field, "string") != "string"]


def _numbers(texts: pa.Table, field: str, kind: str) -> tuple[Floats, Flags]:
    """Values of a field, NaN where there are none, and which texts should have been one."""
    column = pc.utf8_trim_whitespace(texts.column(field))
    legible = pc.match_substring_regex(column, NUMBER)
    plain = pc.utf8_ltrim(pc.if_else(legible, column, pa.scalar(None, pa.string())), "+")
    values = pc.cast(plain, pa.float64()).to_numpy()
    wrong = ~legible.to_numpy() & pc.not_equal(column, "").to_numpy()
    if kind != "float":
        wrong |= (values != np.rint(values)) & ~np.isnan(values)
        wrong |= np.abs(values) > INT32_MAX
    return np.where(wrong, np.nan, values), wrong


def _no_number(name: str, field: str, wrong: Flags, records: Records) -> Notice:
    place = int(np.flatnonzero(wrong)[0])
    return Notice(
        code="GTFS_COORDINATE" if field in COORDINATES else "GTFS_VALUE",
        severity="error" if field in NEEDED else "warning",
        file=f"{name}.txt",
        row=int(records.lines[place]),
        field=field,
        value=records.texts.column(field)[place].as_py(),
        remedy="Write a number" if field in NEEDED else "Write a number; it is taken as left blank",
        count=int(wrong.sum()),
    )


def _typed(name: str, texts: pa.Table, values: Mapping[str, Floats]) -> pd.DataFrame | None:
    """The table through gtfs-kit; None where it knows none of its fields."""
    known = texts.select([field for field in texts.column_names if field in DTYPES[name]])
    if not known.num_columns:
        return None
    for field, numbers in values.items():
        column = pa.array(numbers, mask=np.isnan(numbers) | _too_large(name, field, numbers))
        known = known.set_column(known.column_names.index(field), field, column)
    with tempfile.TemporaryDirectory(prefix="bagdar-") as folder:
        write_csv(known, Path(folder, f"{name}.txt"))
        frame = getattr(gtfs_kit.read_feed(folder, dist_units="km"), name)
    if frame is None or len(frame) < len(texts):  # of one field, blank: a blank line is no record
        return None
    return _put_back(frame, name, texts, values)


def _too_large(name: str, field: str, numbers: Floats) -> Flags:
    """Which numbers gtfs-kit cannot hold."""
    large: Flags = (DTYPES[name][field] == "Int16") & (np.abs(numbers) > INT16_MAX)
    return large


def _put_back(frame: pd.DataFrame, name: str, texts: pa.Table, values: Mapping[str, Floats]) -> pd.DataFrame:
    for field, numbers in values.items():
        if DTYPES[name][field] == "Int16":
            frame[field] = pd.array(numbers, dtype="Int32")
    for field in texts.column_names:
        if field not in DTYPES[name]:
            frame[field] = _as_text(texts, field)
        elif field not in values:
            lost = frame[field].isna().to_numpy() & ~_is_blank(texts.column(field))
            if lost.any():
                frame.loc[lost, field] = _as_text(texts, field)[lost]
    return frame


def _is_blank(column: pa.ChunkedArray) -> Flags:
    blank: Flags = pc.equal(pc.utf8_trim_whitespace(column), "").to_numpy()
    return blank


def _as_text(texts: pa.Table, field: str) -> pd.Series:
    """A text column as gtfs-kit would have it, blank as missing."""
    column = texts.column(field).to_pandas().astype("string")
    return column.mask(column == "")
