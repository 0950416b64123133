"""Chargers of a city: where they stand, how strong they are, whom they are for."""

import math
from dataclasses import dataclass
from pathlib import Path

from networks.csv_rows import Row, read_csv_rows
from networks.faults import InputError, Notice

BUS, DEPOT, PUBLIC, UNTOLD = "bus", "depot", "public", ""
KINDS = (BUS, DEPOT, PUBLIC, UNTOLD)
"""For buses on their way; for buses in the depot; for cars of anybody; not told."""

MOST_KW = 10_000.0
COLUMNS = "Give the columns power_kw, and lat and lon or stop_id; charger_id and kind may be told too"


@dataclass(frozen=True, slots=True)
class Charger:
    """A charger: at a place (degrees, NaN where only the stop is told) or at a stop (empty where only the place is).

    ``power_kw`` is what it gives, NaN where the table does not tell. ``line`` is where it stands in the file.
    """

    charger_id: str
    lat: float
    lon: float
    stop_id: str
    power_kw: float
    kind: str
    line: int

    @property
    def has_place(self) -> bool:
        """Whether the table tells where on earth it stands."""
        return math.isfinite(self.lat)


@dataclass(frozen=True, slots=True)
class ChargerTable:
    """Chargers of a file, in its order, and what was wrong with it."""

    file: str
    chargers: tuple[Charger, ...]
    notices: tuple[Notice, ...]


def read_chargers(path: str | Path) -> ChargerTable:
    """Read chargers (CSV, UTF-8): ``charger_id``, ``lat`` and ``lon`` or ``stop_id``, ``power_kw``, ``kind``.

    ``kind`` is ``bus``, ``depot``, ``public`` or empty. A row that tells no place, or that stands twice, is left out
    with a notice; a power that is none is unknown, with a notice.

    Raises
    ------
    InputError
        FILE_MISSING, ZIP_*, CSV_ENCODING, CSV_ROW; CHARGER_COLUMNS without a column of places.
    """
    header, rows = read_csv_rows(path)
    if not {"lat", "lon"} <= set(header) and "stop_id" not in header:
        raise InputError("CHARGER_COLUMNS", f"found {', '.join(header) or 'none'}", file=path, row=1, remedy=COLUMNS)
    notices: list[Notice] = []
    found: dict[str, Charger] = {}
    for line, row in rows:
        charger = _charger(row, line, str(path), notices)
        if charger is None:
            continue
        if charger.charger_id in found:
            notices.append(
                _notice(path, line, "CHARGER_TWICE", "charger_id", charger.charger_id, "The first row counts")
            )
            continue
        found[charger.charger_id] = charger
    return ChargerTable(str(path), tuple(found.values()), tuple(notices))


def _charger(row: Row, line: int, file: str, notices: list[Notice]) -> Charger | None:
    lat, lon = _number(row.get("lat", ""), -90.0, 90.0), _number(row.get("lon", ""), -180.0, 180.0)
    stop_id = row.get("stop_id", "")
    if not (math.isfinite(lat) and math.isfinite(lon)):
        lat = lon = math.nan
        told = row.get("lat") or row.get("lon") or ""
        if told or not stop_id:
            remedy = "Give lat from -90 to 90 and lon from -180 to 180, or a stop_id"
            remedy += "; the stop counts" if stop_id else "; the row is left out"
            notices.append(_notice(file, line, "CHARGER_PLACE", "lat", told, remedy))
        if not stop_id:
            return None
    power_kw = _number(row.get("power_kw", ""), 0.0, MOST_KW)
    if row.get("power_kw") and not power_kw > 0:
        remedy = f"Give kilowatts above 0, at most {MOST_KW:g}; it is taken as unknown"
        notices.append(_notice(file, line, "CHARGER_POWER", "power_kw", row["power_kw"], remedy))
    kind = row.get("kind", "").lower()
    if kind not in KINDS:
        remedy = f"Write {BUS}, {DEPOT}, {PUBLIC} or nothing; it is taken as not told"
        notices.append(_notice(file, line, "CHARGER_KIND", "kind", row["kind"], remedy))
        kind = UNTOLD
    name = row.get("charger_id") or f"line {line}"
    return Charger(name, lat, lon, stop_id, power_kw if power_kw > 0 else math.nan, kind, line)


def _number(text: str, least: float, most: float) -> float:
    """A number within bounds, NaN for all else."""
    try:
        value = float(text)
    except ValueError:
        return math.nan
    return value if least <= value <= most else math.nan


def _notice(file: str | Path, line: int, code: str, field: str, value: str, remedy: str) -> Notice:
    return Notice(code, "warning", str(file), line, field, value, remedy)
