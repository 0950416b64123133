"""The trips and the pairs of vehicles that a dispatcher looks at first."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from gtfs.replay_result import ReplayResult
from gtfs.service_events import Event, Kind

MAX_TRIPS, MAX_PAIRS = 15, 15
"""Rows that the report lists."""

KNOWN_CALLS = 3
"""With fewer calls whose time is known, a trip is not compared with others."""


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


def worst_trips(result: ReplayResult) -> list[TripLateness]:
    """Trips that were farthest off their timetable, early or late, by the mean of their known calls."""
    start, deviation_s = result.visits.start, result.visits.deviation_s
    if not len(deviation_s):
        return []
    known = np.isfinite(deviation_s)
    counts = np.add.reduceat(known, start[:-1], dtype=np.int64)
    off_s = np.add.reduceat(np.where(known, np.abs(deviation_s), 0.0), start[:-1]) / np.maximum(counts, 1)
    off_s = np.where(counts >= KNOWN_CALLS, off_s, -1.0)
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


def spacings(result: ReplayResult) -> tuple[list[Spacing], list[Spacing]]:
    """Bunched pairs and gaps, one of each for two trips that follow each other."""
    groups: dict[tuple[Kind, int, int], list[Event]] = {}
    for event in result.events:
        if event.kind in {Kind.BUNCHED, Kind.GAP} and event.other is not None and event.call is not None:
            groups.setdefault((event.kind, event.performed, event.other), []).append(event)
    near = [_spacing(result, events) for (kind, _, _), events in groups.items() if kind == Kind.BUNCHED]
    far = [_spacing(result, events) for (kind, _, _), events in groups.items() if kind == Kind.GAP]
    return near, far


def _spacing(result: ReplayResult, events: list[Event]) -> Spacing:
    headways = [_headway(result, event) for event in events]
    worst = _farthest(events, headways)
    event, (headway_s, scheduled_s) = events[worst], headways[worst]
    one, ahead = result.performed[event.performed], result.performed[event.other or 0]
    table = result.plan.timetable
    return Spacing(
        time_s=event.time_s,
        trip_id=result.trip_ids[event.performed],
        ahead_id=result.trip_ids[event.other or 0],
        vehicle_id=result.vehicles[one.vehicle],
        ahead_vehicle_id=result.vehicles[ahead.vehicle],
        route=int(table.trip_route[one.trip]),
        stop=int(table.call_stop[event.call or 0]),
        headway_s=headway_s,
        scheduled_s=scheduled_s,
        stops=len(events),
    )


def _headway(result: ReplayResult, event: Event) -> tuple[float, float]:
    """Headway and scheduled headway (s) of the visit that an event is about."""
    visits, trip = result.visits, result.performed[event.performed].trip
    row = int(visits.start[event.performed]) + (event.call or 0) - int(result.plan.calls.start[trip])
    return event.value, float(result.headways.scheduled_s[row])


def _farthest(events: list[Event], headways: Iterable[tuple[float, float]]) -> int:
    """The event whose headway is farthest from the scheduled one."""
    away = [abs(headway_s - scheduled_s) for headway_s, scheduled_s in headways]
    return max(range(len(events)), key=lambda row: (away[row], -row))
