"""Legs: what a pattern's vehicle drives without a break, and the trips that drive it in a span of time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from gtfs.timetable import Timetable
from networks.network import IntArray, RoadNetwork
from networks.paths import Path
from sim.bus_lanes import BusLanes
from sim.bus_stops import PathCall, Repairs, stop_calls
from sim.modes import MODES
from sim.transit_paths import PatternPath

LEAST_CALLS = 2
"""With fewer calls on a path there is nothing to drive."""


@dataclass(frozen=True, slots=True, eq=False)
class Leg:
    """A pattern's calls on one of its paths, two or more, in order; ``number`` is the row of that path."""

    pattern: int
    number: int
    vehicle_class: str
    path: Path
    calls: tuple[PathCall, ...]

    def edges(self, first: int, last: int) -> IntArray:
        """Edges from one of its calls to another, both by their place in ``calls``, network rows."""
        return self.path.edges[self.calls[first].position : self.calls[last].position + 1]


@dataclass(frozen=True, slots=True, eq=False)
class TripLeg:
    """A trip on a leg: from the first to the last of the leg's calls that lie in the time simulated."""

    trip: int
    leg: Leg
    first: int
    last: int

    def call_rows(self, timetable: Timetable) -> IntArray:
        """Rows of its calls in the timetable."""
        calls = np.array([call.call for call in self.leg.calls[self.first : self.last + 1]], dtype=np.int32)
        return calls + int(timetable.trips.call_start[self.trip])


def legs_of(
    network: RoadNetwork, lanes: dict[str, BusLanes], patterns: Sequence[PatternPath], repairs: Repairs
) -> list[tuple[Leg, ...]]:
    """The legs of each pattern; what a rehearsal found is kept."""
    return [tuple(_legs(network, lanes, row, pattern, repairs)) for row, pattern in enumerate(patterns)]


def _legs(
    network: RoadNetwork, lanes: dict[str, BusLanes], row: int, pattern: PatternPath, repairs: Repairs
) -> Iterator[Leg]:
    vehicle_class = pattern.vehicle_class
    if vehicle_class not in lanes:
        lanes[vehicle_class] = BusLanes(network, vehicle_class)
    vehicle_m = vehicle_length_m(vehicle_class)
    leading = {call for owner, call in repairs.leading_lane if owner == row}
    for path_row, path in enumerate(pattern.paths):
        ways_m = {
            int(call): float(pattern.places.way_m[call])
            for call in np.flatnonzero(pattern.places.path == path_row)
            if (row, int(call)) not in repairs.left_out
        }
        if len(ways_m) >= LEAST_CALLS:
            calls = stop_calls(lanes[vehicle_class], path, ways_m, vehicle_m, leading)
            if len(calls) >= LEAST_CALLS:
                yield Leg(row, path_row, vehicle_class, path, tuple(calls))


def vehicle_length_m(vehicle_class: str) -> float:
    """Length of the vehicles of a class (m)."""
    return next(mode.length_m for mode in MODES if mode.vehicle_class == vehicle_class)


def trip_legs(
    timetable: Timetable, legs: Sequence[tuple[Leg, ...]], begin_s: float, end_s: float
) -> list[list[TripLeg]]:
    """For each trip its legs in a span of time: calls from ``begin_s`` on, of legs that begin before ``end_s``.

    A trip that is under way at the begin enters at its first call after it.
    """
    return [
        [
            part
            for leg in legs[int(timetable.trips.pattern[trip])]
            if (part := _in_time(timetable, trip, leg, begin_s, end_s)) is not None
        ]
        for trip in range(len(timetable.trips))
    ]


def _in_time(timetable: Timetable, trip: int, leg: Leg, begin_s: float, end_s: float) -> TripLeg | None:
    first_call = int(timetable.trips.call_start[trip])
    departures_s = timetable.calls.departure_s[[first_call + call.call for call in leg.calls]]
    first = int(np.searchsorted(departures_s, begin_s))
    last = len(leg.calls) - 1
    if last - first + 1 < LEAST_CALLS or departures_s[first] >= end_s:
        return None
    return TripLeg(trip, leg, first, last)
