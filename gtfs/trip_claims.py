"""What vehicles say they serve, and the trips of the feed that this can mean.

Ids drift between a timetable and the system that tracks vehicles. What is said is tried in turn: the trip's id, then
its id up to a separator, then route and start time, then the block; each way is counted.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from enum import IntEnum
from typing import Any

import numpy as np

from gtfs.clock import parse_time_s
from gtfs.trace_kernels import NONE
from gtfs.trace_plan import TracePlan, day_number
from networks.network import IntArray

SEPARATORS = ":_-|."
"""Characters at which trip ids are put together from parts."""


class Evidence(IntEnum):
    """By what a vehicle's trip was found."""

    NOTHING = 0
    TRIP_ID = 1
    ID_PREFIX = 2
    ROUTE_AND_START = 3
    BLOCK = 4
    GEOMETRY = 5


@dataclass(frozen=True, slots=True)
class Claim:
    """What a vehicle says it serves but for the day; texts are empty where it does not say."""

    trip: str
    route: str
    block: str
    start_time: str


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a claim can mean: rows of the timetable's trips, and how they were found."""

    trips: tuple[int, ...]
    evidence: Evidence


@dataclass(slots=True)
class ClaimBook:
    """Looks claims up in a feed, each once."""

    plan: TracePlan
    by_id: dict[str, list[int]] = field(init=False)
    by_prefix: dict[str, list[int]] = field(init=False)
    by_start: dict[tuple[str, int], list[int]] = field(init=False)
    by_block: dict[str, list[int]] = field(init=False)

    def __post_init__(self) -> None:
        """Index the trips of the feed."""
        table = self.plan.timetable
        trips, routes = table.trips, table.routes.ids
        starts = zip((routes[route] for route in table.trip_route), table.first_departure_s.tolist(), strict=True)
        self.by_id = _rows(trips.trip_ids)
        self.by_prefix = _rows_of_many((prefixes(trip_id), row) for row, trip_id in enumerate(trips.trip_ids))
        self.by_start = _rows(starts)
        self.by_block = _rows(trips.block_ids)

    def look_up(self, claim: Claim) -> Meaning:
        """The trips that a claim can mean, nothing where there is no telling."""
        for trips, evidence in (
            (self.by_id.get(claim.trip, []), Evidence.TRIP_ID),
            (self._by_prefix(claim), Evidence.ID_PREFIX),
            (self.by_start.get((claim.route, parse_time_s(claim.start_time)), []), Evidence.ROUTE_AND_START),
            (self.by_block.get(claim.block, []) if claim.block else [], Evidence.BLOCK),
        ):
            if trips:
                return Meaning(self._of_start(trips, claim), evidence)
        return Meaning((), Evidence.NOTHING)

    def _by_prefix(self, claim: Claim) -> list[int]:
        """Trips that share the longest part of the id which only one trip's id begins with."""
        for prefix in prefixes(claim.trip):
            trips = self.by_prefix.get(prefix, [])
            if trips:
                return trips if len({self.plan.timetable.trips.trip_ids[trip] for trip in trips}) == 1 else []
        return []

    def _of_start(self, trips: list[int], claim: Claim) -> tuple[int, ...]:
        """Of repeated trips the one that starts when the claim says, else all."""
        start_s = parse_time_s(claim.start_time)
        exact = [trip for trip in trips if self.plan.trip_span_s[trip, 0] == start_s]
        return tuple(exact or trips)


def prefixes(trip_id: str) -> list[str]:
    """Parts of an id from its begin to before a separator, the longest first, the id itself among them."""
    cuts = [place for place, letter in enumerate(trip_id) if letter in SEPARATORS and place]
    return [trip_id, *(trip_id[:cut] for cut in reversed(cuts))] if trip_id else []


def _rows(keys: Iterable[Any]) -> dict[Any, list[int]]:
    return _rows_of_many(([key], row) for row, key in enumerate(keys))


def _rows_of_many(pairs: Iterable[tuple[list[Any], int]]) -> dict[Any, list[int]]:
    found: dict[Any, list[int]] = {}
    for keys, row in pairs:
        for key in keys:
            found.setdefault(key, []).append(row)
    return found


def named_day(text: str) -> int:
    """The service day that a text names, NONE where it names none."""
    try:
        return day_number(date.fromisoformat(text)) if text else NONE
    except ValueError:
        return NONE


def candidate_rows(meanings: Iterable[Meaning]) -> tuple[IntArray, IntArray]:
    """Trips of meanings as compressed rows: where those of each begin (and the end), and the trips."""
    trips = [meaning.trips for meaning in meanings]
    start = np.concatenate(([0], np.cumsum([len(part) for part in trips]))).astype(np.int32)
    return start, np.array([trip for part in trips for trip in part], dtype=np.int32)
