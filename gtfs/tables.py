"""One table of a feed through gtfs-kit: which tables are read, what they must have, and what is wrong where it fails.

gtfs-kit reads folders and does not say which file it stumbled over, so that it is given one table at a time.
"""

import re
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

import gtfs_kit
import pandas as pd
from pandas.errors import EmptyDataError, ParserError

from gtfs.calendars import WEEKDAYS
from networks.faults import InputError

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

CSV_REMEDY = "Quote fields that hold commas, close every quote, and give each record as many fields as the header"


def read_table(name: str, source: Callable[[], IO[bytes]], file: Path) -> pd.DataFrame | None:
    """Read one table; None where it has no records.

    Parameters
    ----------
    source
        Opens the table's bytes, which are taken to be safe.
    file
        What the table is called in messages.

    Raises
    ------
    InputError
        CSV_ROW (an open quote, more fields than the header), CSV_ENCODING, GTFS_VALUE (no number where one belongs).
    """
    with tempfile.TemporaryDirectory(prefix="bagdar-") as folder:
        copy = Path(folder, f"{name}.txt")
        _copy(source, copy)
        try:
            table = getattr(gtfs_kit.read_feed(folder, dist_units="km"), name)
        except EmptyDataError:
            return None
        except (ValueError, TypeError, OverflowError) as fault:
            raise _unreadable(fault, copy, file) from fault
    if table is not None and not isinstance(table.index, pd.RangeIndex):
        # pandas takes what is too much for row names and shifts the rest
        raise InputError("CSV_ROW", "its records have more fields than its header", file=file, row=2, remedy=CSV_REMEDY)
    return table


def _copy(source: Callable[[], IO[bytes]], to: Path) -> None:
    """Unpack a table; names of fields lose their spaces first, or gtfs-kit would take their ids for numbers."""
    with source() as stream, to.open("wb") as out:
        out.write(re.sub(rb"[ \t]*(,|\r?\n)[ \t]*", rb"\1", stream.readline()).lstrip(b" \t"))
        shutil.copyfileobj(stream, out)


def _unreadable(fault: Exception, copy: Path, file: Path) -> InputError:
    """What is wrong with a table that pandas gave up on, with its line where that is known."""
    words = " ".join(str(fault).split())
    if isinstance(fault, UnicodeDecodeError):
        row = _undecodable(copy)
        return InputError(
            "CSV_ENCODING", f"no UTF-8 text ({fault.reason})", file=file, row=row, remedy="Save it as UTF-8"
        )
    if isinstance(fault, ParserError):
        line = re.search(r"in line (\d+)", words)
        return InputError("CSV_ROW", words, file=file, row=int(line[1]) if line else None, remedy=CSV_REMEDY)
    return InputError("GTFS_VALUE", f"a number is wanted ({words})", file=file, remedy="Correct the value")


def _undecodable(copy: Path) -> int | None:
    """The first line that is not UTF-8."""
    with copy.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError:
                return number
    return None
