"""How many passengers board at each stop, where somebody counted them."""

import csv
import io
import math
from collections.abc import Mapping
from pathlib import Path

from networks.faults import InputError
from networks.intake import open_bytes

Ridership = Mapping[tuple[str, str], float]
"""Passengers that board a vehicle, by ``route_id`` (empty: any route) and ``stop_id``."""

COLUMNS = "stop_id and boardings, and route_id where routes differ"


def read_ridership(path: str | Path) -> Ridership:
    """Read a CSV file with the columns ``stop_id``, ``boardings`` (passengers for each vehicle) and maybe ``route_id``.

    Raises
    ------
    InputError
        FILE_MISSING; CSV_ENCODING; RIDERSHIP_COLUMNS without the columns; RIDERSHIP_VALUE with the line of a count that
        is none.
    """
    with open_bytes(path) as stream:
        try:
            rows = csv.DictReader(io.StringIO(stream.read().decode("utf-8-sig"), newline=""))
            fields = [name.strip() for name in rows.fieldnames or ()]
        except (UnicodeDecodeError, csv.Error) as fault:
            raise InputError("CSV_ENCODING", f"not readable as CSV ({fault})", file=path) from fault
    if not {"stop_id", "boardings"} <= set(fields):
        raise InputError("RIDERSHIP_COLUMNS", f"it must have {COLUMNS}", file=path, row=1)
    rows.fieldnames = fields
    return {
        ((row.get("route_id") or "").strip(), (row["stop_id"] or "").strip()): _count(row, rows, path) for row in rows
    }


def _count(row: Mapping[str, str | None], rows: "csv.DictReader[str]", path: str | Path) -> float:
    text = row["boardings"] or ""
    try:
        count = float(text)
    except ValueError:
        count = math.nan
    if not 0 <= count < math.inf:
        raise InputError(
            "RIDERSHIP_VALUE",
            f"{text!r} is no count",
            file=path,
            row=rows.line_num,
            field="boardings",
            remedy="Correct it",
        )
    return count


def boardings_at(ridership: Ridership, route_id: str, stop_id: str) -> float | None:
    """Passengers that board a vehicle of a route at a stop, None where nobody counted."""
    return ridership.get((route_id, stop_id), ridership.get(("", stop_id)))
