"""Vehicles that left their route, and stops that they left out, ready to be drawn."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gtfs.replay_result import ReplayResult
from gtfs.service_events import Event, Kind
from gtfs.trace_kernels import MATCHED, OFF_ROUTE
from networks.network import FloatArray

MAX_DETOURS = 6

_KINDS = frozenset({Kind.OFF_ROUTE, Kind.SKIPPED_STOP})


@dataclass(frozen=True, slots=True, eq=False)
class Detour:
    """A trip that left its route. Places are metres east and north of the route's own origin, shape (n, 2).

    Attributes
    ----------
    trip_id, vehicle_id, route
        Whose.
    begin_s, end_s
        The longest time off the route, or the events of skipped stops, in epoch seconds.
    line_m, stops_m
        The route, and its stops.
    skipped
        Names of the stops left out.
    is_skipped
        Which stops those are, shape (stops,).
    pings_m, is_off
        The vehicle's way, and whether each ping was taken as off the route, shape (pings,).
    longest
        The most pings in a row that were off the route.
    off_m
        Greatest distance from the line.
    """

    trip_id: str
    vehicle_id: str
    route: int
    begin_s: float
    end_s: float
    line_m: FloatArray
    stops_m: FloatArray
    skipped: tuple[str, ...]
    is_skipped: npt.NDArray[np.bool_]
    pings_m: FloatArray
    is_off: npt.NDArray[np.bool_]
    longest: slice
    off_m: float


def detours(result: ReplayResult) -> list[Detour]:
    """The detours that are most worth a look."""
    told: dict[int, list[Event]] = {}
    for event in result.events:
        if event.kind in _KINDS:
            told.setdefault(event.performed, []).append(event)
    chosen = sorted(told, key=lambda row: (-_skips(told[row]), -_farthest_m(told[row]), row))[: 4 * MAX_DETOURS]
    return [_detour(result, row, told[row]) for row in chosen]


def detour_order(detour: Detour) -> tuple[float, ...]:
    """Most stops left out first, then farthest off; a terminal that lies beside the line comes last."""
    return -len(detour.skipped), -detour.off_m, detour.begin_s


def _skips(events: list[Event]) -> int:
    return sum(event.kind == Kind.SKIPPED_STOP for event in events)


def _farthest_m(events: list[Event]) -> float:
    return max((event.value for event in events if event.kind == Kind.OFF_ROUTE), default=0.0)


def _detour(result: ReplayResult, performed: int, events: list[Event]) -> Detour:
    plan, table, one = result.plan, result.plan.timetable, result.performed[performed]
    pattern = int(table.trips.pattern[one.trip])
    lon, lat, east_m, north_m = plan.lines.frame[pattern].tolist()
    stop = table.call_stop[table.trips.calls(one.trip)]
    calls = slice(int(result.visits.start[performed]), int(result.visits.start[performed + 1]))
    is_skipped = result.visits.is_skipped[calls]
    matched = result.matched
    pings = np.flatnonzero((matched.performed == performed) & np.isin(matched.found, (MATCHED, OFF_ROUTE)))
    is_off = matched.found[pings] == OFF_ROUTE
    longest = _longest(is_off)
    times_s = matched.time_s[pings[longest]].tolist() or [event.time_s for event in events]

    def metres(lons: FloatArray, lats: FloatArray) -> FloatArray:
        return np.column_stack(((lons - lon) * east_m, (lats - lat) * north_m))

    return Detour(
        trip_id=result.trip_ids[performed],
        vehicle_id=result.vehicles[one.vehicle],
        route=int(table.trip_route[one.trip]),
        begin_s=min(times_s),
        end_s=max(times_s),
        line_m=plan.lines.corner_m[plan.lines.start[pattern] : plan.lines.start[pattern + 1]],
        stops_m=metres(table.stops.lon[stop], table.stops.lat[stop]),
        skipped=tuple(table.stops.names[row] for row in stop[is_skipped].tolist()),
        is_skipped=is_skipped,
        pings_m=metres(matched.lon[pings], matched.lat[pings]),
        is_off=is_off,
        longest=longest,
        off_m=float(matched.off_m[pings[is_off]].max(initial=0.0)),
    )


def _longest(is_off: npt.NDArray[np.bool_]) -> slice:
    """The longest run of pings that are off, the first of several; empty where none is."""
    edges = np.flatnonzero(np.diff(is_off.astype(np.int8), prepend=0, append=0))
    runs = [slice(begin, end) for begin, end in edges.reshape(-1, 2).tolist()]
    return max(runs, key=lambda run: run.stop - run.start, default=slice(0, 0))
