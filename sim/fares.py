"""How passengers pay, how long each of them takes to board for it, and how many there are.

A vehicle stands for as long as its doors take and its passengers, one after another. What each takes is a table
(``fare_data/service_times.toml``). Who pays electronically is decided by a number from 0 to 1 that every passenger has
for good: it lies below the share. So a larger share has the same passengers, and only moves some from the one way of
paying to the other.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from networks.csv_rows import read_csv_rows
from networks.faults import InputError, Notice

TABLE = Path(__file__).parent / "fare_data" / "service_times.toml"
CASH, ELECTRONIC = "exact-change", "smart-card"
EVERY_STOP = ""


@dataclass(frozen=True, slots=True)
class ServiceTime:
    """A row of the table: what a passenger, or the doors, take (s), with the range that was observed."""

    name: str
    words: str
    default_s: float
    low_s: float
    high_s: float


@dataclass(frozen=True, slots=True)
class ServiceTimes:
    """The table and where it is from."""

    source: str
    doors: ServiceTime
    payments: Mapping[str, ServiceTime]


@cache
def service_times() -> ServiceTimes:
    """Read the table that comes along."""
    plain = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    payments = {name: ServiceTime(name=name, **row) for name, row in plain["payment"].items()}
    return ServiceTimes(plain["source"], ServiceTime(name="doors", **plain["doors"]), payments)


@dataclass(frozen=True, slots=True)
class BoardingRate:
    """Passengers an hour who come to board at a stop, for one route or (empty) for whatever calls there.

    ``stop_id`` is :data:`EVERY_STOP` for a rate that holds at each stop.
    """

    stop_id: str
    per_h: float
    route_id: str = ""


@dataclass(frozen=True, slots=True)
class Fares:
    """Who comes to board, and how they pay: by ``electronic``, a share of them, the others by ``cash``.

    Both are names of the table.
    """

    rates: tuple[BoardingRate, ...]
    electronic_share: float
    cash: str = CASH
    electronic: str = ELECTRONIC

    @property
    def doors_s(self) -> float:
        """Doors opening and closing."""
        return service_times().doors.default_s

    @property
    def cash_s(self) -> float:
        """What a passenger takes who does not pay electronically."""
        return service_times().payments[self.cash].default_s

    @property
    def electronic_s(self) -> float:
        """What a passenger takes who pays electronically."""
        return service_times().payments[self.electronic].default_s

    @property
    def mean_service_s(self) -> float:
        """What passengers are expected to take in the mean."""
        return self.electronic_share * self.electronic_s + (1 - self.electronic_share) * self.cash_s

    def dwell_s(self, boardings: float) -> float:
        """Expected dwell where so many board."""
        return self.doors_s + boardings * self.mean_service_s


@dataclass(frozen=True, slots=True)
class BoardingTable:
    """Rates of a file and what was wrong with it; ``lines`` is where each rate stands."""

    file: str
    rates: tuple[BoardingRate, ...]
    lines: tuple[int, ...]

    def strangers(self, stop_ids: frozenset[str]) -> tuple[Notice, ...]:
        """A notice on rates at stops that nobody serves."""
        lost = [(line, rate) for line, rate in zip(self.lines, self.rates, strict=True) if rate.stop_id not in stop_ids]
        if not lost:
            return ()
        line, rate = lost[0]
        remedy = "Use the stop_id of a stop at which the simulated vehicles call; nobody boards there"
        return (Notice("BOARDINGS_STOP", "warning", self.file, line, "stop_id", rate.stop_id, remedy, len(lost)),)


def read_boardings(path: str | Path) -> BoardingTable:
    """Read passengers who board (CSV, UTF-8): ``stop_id``, ``boardings_per_h`` and maybe ``route_id``.

    Raises
    ------
    InputError
        FILE_MISSING, ZIP_*, CSV_ENCODING, CSV_ROW; BOARDINGS_COLUMNS; BOARDINGS_VALUE with the line of what is no
        number of passengers, names no stop, or stands twice.
    """
    header, rows = read_csv_rows(path)
    if not {"stop_id", "boardings_per_h"} <= set(header):
        remedy = "Give the columns stop_id and boardings_per_h, and route_id where routes differ"
        raise InputError("BOARDINGS_COLUMNS", f"found {', '.join(header) or 'none'}", file=path, row=1, remedy=remedy)
    rates: dict[tuple[str, str], BoardingRate] = {}
    for line, row in rows:
        rate = BoardingRate(row["stop_id"], _per_h(row["boardings_per_h"], path, line), row.get("route_id", ""))
        if not rate.stop_id or (rate.stop_id, rate.route_id) in rates:
            what = "the row names no stop" if not rate.stop_id else f"stop {rate.stop_id!r} stands twice"
            raise InputError("BOARDINGS_VALUE", what, file=path, row=line, field="stop_id", remedy="Correct it")
        rates[rate.stop_id, rate.route_id] = rate
    return BoardingTable(str(path), tuple(rates.values()), tuple(line for line, _ in rows))


def _per_h(text: str, path: str | Path, line: int) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        what = f"{text!r} is no number of passengers"
        raise InputError("BOARDINGS_VALUE", what, file=path, row=line, field="boardings_per_h", remedy="Correct it")
    return value
