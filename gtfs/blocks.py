"""Blocks of a service day: trips that one vehicle serves after another, and whether a battery is enough for them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from gtfs.pattern_lines import pattern_lines
from gtfs.timetable import Timetable

EARTH_M = 6_371_008.8
DETOUR = 1.3
"""Way without passengers from one stop to another, over the distance as the crow flies: assumed."""


@dataclass(frozen=True, slots=True)
class BlockTrip:
    """A trip in its block: its way, that from the trip before, and how long the vehicle stands before it begins.

    ``trip`` is a row of the timetable. The vehicle waits where the trip begins, at ``stands_at``, as it
    does in the simulation.
    """

    trip: int
    trip_id: str
    way_m: float
    empty_m: float
    stands_s: float
    stands_at: str


@dataclass(frozen=True, slots=True)
class Block:
    """Trips of one vehicle in order of time; one trip alone where the feed tells no block."""

    block_id: str
    service_date: str
    trips: tuple[BlockTrip, ...]

    @property
    def way_m(self) -> float:
        """Whole way, that without passengers included."""
        return sum(trip.way_m + trip.empty_m for trip in self.trips)


@dataclass(frozen=True, slots=True)
class Use:
    """What a block needs and gets: energy by kilometre, the battery (charges are shares of ``capacity_kwh``), chargers.

    ``power_kw`` is what gets into the battery at a stop, by its id, once ``connect_s`` have passed.
    """

    kwh_per_km: float
    capacity_kwh: float
    initial_charge: float
    reserve: float
    power_kw: Mapping[str, float]
    connect_s: float


@dataclass(frozen=True, slots=True)
class BlockCharge:
    """Whether a block can be driven: energy, least charge, and the first trip that falls below the reserve.

    ``served`` is how many trips come before it; ``failing`` is empty where all can be served.
    """

    energy_kwh: float
    charged_kwh: float
    charge_least: float
    served: int
    failing: str


def block_name(timetable: Timetable, trip: int) -> str:
    """Id of the block of a trip; where the feed tells none, the trip is one by itself."""
    return timetable.trips.block_ids[trip] or timetable.trips.ids[trip]


def blocks(timetable: Timetable) -> tuple[Block, ...]:
    """Blocks of a service day, in order of their first departure."""
    groups: dict[tuple[str, str], list[int]] = {}
    for trip in np.argsort(timetable.first_departure_s, kind="stable").tolist():
        groups.setdefault((block_name(timetable, trip), str(timetable.trips.service_dates[trip])), []).append(trip)
    ways_m = _ways_m(timetable)
    return tuple(Block(*key, tuple(_trips(timetable, rows, ways_m))) for key, rows in groups.items())


def _ways_m(timetable: Timetable) -> list[float]:
    """Way of each pattern from its first to its last call."""
    lines, start = pattern_lines(timetable), timetable.patterns.call_start
    return [float(lines.call_way_m[last - 1] - lines.call_way_m[first]) for first, last in pairwise(start.tolist())]


def _trips(timetable: Timetable, rows: Sequence[int], ways_m: Sequence[float]) -> list[BlockTrip]:
    found = []
    for number, trip in enumerate(rows):
        before = rows[number - 1] if number else trip
        last, first = _ends(timetable, before)[1], _ends(timetable, trip)[0]
        stands_s = float(timetable.first_departure_s[trip] - timetable.last_arrival_s[before]) if number else 0.0
        found.append(
            BlockTrip(
                trip=trip,
                trip_id=timetable.trips.ids[trip],
                way_m=ways_m[int(timetable.trips.pattern[trip])],
                empty_m=DETOUR * _apart_m(timetable, last, first) if number else 0.0,
                stands_s=max(stands_s, 0.0),
                stands_at=timetable.stops.ids[first] if number else "",
            )
        )
    return found


def _ends(timetable: Timetable, trip: int) -> tuple[int, int]:
    """Stops at which a trip begins and ends."""
    start = timetable.patterns.call_start
    pattern = int(timetable.trips.pattern[trip])
    return tuple(int(timetable.patterns.call_stop[row]) for row in (start[pattern], start[pattern + 1] - 1))  # type: ignore[return-value]


def _apart_m(timetable: Timetable, here: int, there: int) -> float:
    lat, lon = np.radians(timetable.stops.lat[[here, there]]), np.radians(timetable.stops.lon[[here, there]])
    if not (np.isfinite(lat).all() and np.isfinite(lon).all()):
        return 0.0
    return float(EARTH_M * np.hypot(lat[1] - lat[0], np.cos(lat.mean()) * (lon[1] - lon[0])))


def block_charge(block: Block, use: Use) -> BlockCharge:
    """Drive a block by energy for each kilometre: no simulation, no traffic, no queue before a charger.

    Between trips the battery is charged where the next one begins, if there is a charger there; never above full.
    """
    charge_kwh = least_kwh = use.initial_charge * use.capacity_kwh
    energy_kwh, charged_kwh, served, failing = 0.0, 0.0, 0, ""
    for trip in block.trips:
        hours = max(trip.stands_s - use.connect_s, 0.0) / 3600
        given_kwh = max(min(use.power_kw.get(trip.stands_at, 0.0) * hours, use.capacity_kwh - charge_kwh), 0.0)
        used_kwh = use.kwh_per_km * (trip.way_m + trip.empty_m) / 1000
        charge_kwh += given_kwh - used_kwh
        charged_kwh, energy_kwh = charged_kwh + given_kwh, energy_kwh + used_kwh
        least_kwh = min(least_kwh, charge_kwh)
        if charge_kwh < use.reserve * use.capacity_kwh and not failing:
            failing = trip.trip_id
        served += not failing
    return BlockCharge(energy_kwh, charged_kwh, least_kwh / use.capacity_kwh, served, failing)
