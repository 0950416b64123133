"""The trips and the pairs of vehicles that a dispatcher looks at first."""

from dataclasses import dataclass, replace

import numpy as np

from gtfs.headways import bunched, gaps
from gtfs.replay_result import ReplayResult
from gtfs.stop_visits import BoolArray

MAX_TRIPS, MAX_PAIRS = 15, 15
"""Rows that the report lists."""

KNOWN_CALLS, KNOWN_SHARE = 3, 0.25
"""With fewer calls whose time is known, or a smaller share of its calls, a trip is not compared with others."""


@dataclass(frozen=True, slots=True)
class TripLateness:
    """A trip and how far it was off its timetable (s), over the ``known`` of its calls."""

    mean_off_s: float
    day: int
    trip_id: str
    vehicle_id: str
    route: int
    start_s: float
    mean_s: float
    least_s: float
    greatest_s: float
    known: int
    calls: int


@dataclass(frozen=True, slots=True)
class Spacing:
    """A vehicle too near behind another or too far, at the stop where that was worst, and at how many it was so."""

    time_s: float
    trip_id: str
    ahead_id: str
    vehicle_id: str
    ahead_vehicle_id: str
    route: int
    stop: int
    headway_s: float
    scheduled_s: float
    stops: int

    @property
    def share(self) -> float:
        """Headway over the scheduled one."""
        return self.headway_s / self.scheduled_s if self.scheduled_s > 0 else np.nan

    @property
    def excess_s(self) -> float:
        """Headway above the scheduled one."""
        return self.headway_s - self.scheduled_s


@dataclass(frozen=True, slots=True)
class Pairs:
    """How many pairs of trips there are, and those most worth a look."""

    count: int
    rows: list[Spacing]


def worst_trips(result: ReplayResult) -> list[TripLateness]:
    """Trips that were farthest off their timetable, early or late, by the mean of their known calls."""
    start, deviation_s = result.visits.start, result.visits.deviation_s
    if not len(deviation_s):
        return []
    known = np.isfinite(deviation_s)
    counts = np.add.reduceat(known, start[:-1], dtype=np.int64)
    off_s = np.add.reduceat(np.where(known, np.abs(deviation_s), 0.0), start[:-1]) / np.maximum(counts, 1)
    off_s = np.where(counts >= np.maximum(KNOWN_CALLS, KNOWN_SHARE * np.diff(start)), off_s, -1.0)
    rows = np.argsort(-off_s, kind="stable")[:MAX_TRIPS]
    return [_lateness(result, row, float(off_s[row])) for row in rows.tolist() if off_s[row] >= 0]


def _lateness(result: ReplayResult, row: int, mean_off_s: float) -> TripLateness:
    one, visits = result.performed[row], result.visits
    calls = slice(int(visits.start[row]), int(visits.start[row + 1]))
    deviation_s = visits.deviation_s[calls]
    known_s = deviation_s[np.isfinite(deviation_s)]
    return TripLateness(
        mean_off_s=mean_off_s,
        day=one.day,
        trip_id=result.trip_ids[row],
        vehicle_id=result.vehicles[one.vehicle],
        route=int(result.plan.timetable.trip_route[one.trip]),
        start_s=float(visits.scheduled_departure_s[calls.start]),
        mean_s=float(known_s.mean()),
        least_s=float(known_s.min()),
        greatest_s=float(known_s.max()),
        known=len(known_s),
        calls=len(deviation_s),
    )


def bunched_pairs(result: ReplayResult) -> Pairs:
    """Vehicles that ran too close behind the one ahead, those that did at most stops first."""
    pairs = _pairs(result, bunched(result.headways))
    return replace(pairs, rows=sorted(pairs.rows, key=bunched_order)[:MAX_PAIRS])


def wide_pairs(result: ReplayResult) -> Pairs:
    """Vehicles that came too long after the one ahead, the longest gap first."""
    pairs = _pairs(result, gaps(result.headways))
    return replace(pairs, rows=sorted(pairs.rows, key=gap_order)[:MAX_PAIRS])


def bunched_order(row: Spacing) -> tuple[float, ...]:
    """Pairs at most stops first, then the nearest."""
    return -row.stops, row.share, row.time_s


def gap_order(row: Spacing) -> tuple[float, ...]:
    """The longest gap above the scheduled headway first."""
    return -row.excess_s, row.time_s


def _pairs(result: ReplayResult, flags: BoolArray) -> Pairs:
    """Pairs of trips that follow each other at flagged visits, each where its headway was farthest from the plan."""
    visits, found = result.visits, result.headways
    rows = np.flatnonzero(flags & (result.ahead >= 0))
    if not len(rows):
        return Pairs(0, [])
    trips = np.column_stack((visits.performed[rows], visits.performed[result.ahead[rows]]))
    _, pair, stops = np.unique(trips, axis=0, return_inverse=True, return_counts=True)
    away_s = np.abs(found.actual_s[rows] - found.scheduled_s[rows])
    order = np.lexsort((-away_s, pair.reshape(-1)))
    worst = rows[order[np.searchsorted(pair.reshape(-1)[order], np.arange(len(stops)))]]
    return Pairs(len(stops), [_spacing(result, *both) for both in zip(worst.tolist(), stops.tolist(), strict=True)])


def _spacing(result: ReplayResult, row: int, stops: int) -> Spacing:
    visits, table = result.visits, result.plan.timetable
    behind, ahead = int(visits.performed[row]), int(visits.performed[result.ahead[row]])
    one, other = result.performed[behind], result.performed[ahead]
    return Spacing(
        time_s=float(visits.departure_s[row]),
        trip_id=result.trip_ids[behind],
        ahead_id=result.trip_ids[ahead],
        vehicle_id=result.vehicles[one.vehicle],
        ahead_vehicle_id=result.vehicles[other.vehicle],
        route=int(table.trip_route[one.trip]),
        stop=int(table.call_stop[visits.call[row]]),
        headway_s=float(result.headways.actual_s[row]),
        scheduled_s=float(result.headways.scheduled_s[row]),
        stops=stops,
    )
