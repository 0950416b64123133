"""Scheduled trips that nobody was seen on: which are missing, and of which the trace cannot tell."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.spatial import KDTree

from gtfs.columns import spans
from gtfs.coverage import MINUTE_S, Coverage
from gtfs.performed_trips import PerformedTrips
from gtfs.trace_plan import TracePlan
from networks.network import FloatArray

SEEN_SHARE = 0.5
"""More of a route's trips must have been seen on a day: else the trace may hold a part of the fleet alone."""
PASSED_SHARE = 1 / 3
"""Vehicles without a trip that were at as many of a trip's stops may have driven it."""
AT_STOP_M = 100.0
EARLY_S, LATE_S = 600, 1200
"""A vehicle without a trip at a stop so long before or after the scheduled time may have served it."""
STOPS_NEAR = 3
"""So many stops near a place are looked at."""
DEGREE_M = 111_000.0
MINUTES = 10_000
"""More than any service day has."""

Flags = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.integer]


class Unnamed(NamedTuple):
    """Pings of vehicles without a trip: epoch seconds and places in degrees, shape (pings,) each."""

    time_s: FloatArray
    lon: FloatArray
    lat: FloatArray


class Absent(NamedTuple):
    """Trips that nobody was seen on, each with its service day: those that did not run, and those not to be judged."""

    missing: list[tuple[int, int]]
    unjudged: list[tuple[int, int]]


def absent_trips(
    plan: TracePlan, performed: PerformedTrips, covered: Coverage, unnamed: Callable[[int], Unnamed]
) -> Absent:
    """Scheduled trips that nobody was seen on though the trace covers all of their time.

    Only routes that the trace shows on that day are looked at: a trace of one line says nothing about the others. A
    trip is missing where more than half of its route's trips of that day were seen, so that the trace holds the fleet,
    and no vehicle without a trip was at a third of its stops around their time. Else it cannot be judged.

    Parameters
    ----------
    unnamed
        Gives the pings without a trip of a service day.
    """
    found = Absent([], [])
    for day in np.unique(performed.day).tolist():
        is_seen = np.zeros(len(plan.trip_service), dtype=np.bool_)
        is_seen[performed.trip[performed.day == day]] = True
        due = _due(plan, day, covered) & _on_routes_seen(plan, is_seen)
        absent = np.flatnonzero(due & ~is_seen)
        if len(absent):
            told = _on_routes_shown(plan, due, is_seen)[absent]
            told[told] = ~_maybe_driven(plan, absent[told], day, unnamed(day))
            found.missing.extend((trip, day) for trip in absent[told].tolist())
            found.unjudged.extend((trip, day) for trip in absent[~told].tolist())
    return found


def _due(plan: TracePlan, day: int, covered: Coverage) -> Flags:
    """Trips that run on a day and whose time is covered whole, shape (trips,)."""
    span_s = plan.origin_s(day) + plan.trip_span_s
    runs: Flags = plan.services_running(day)[plan.trip_service]
    return covered.whole(span_s[:, 0], span_s[:, 1]) & runs


def _on_routes_seen(plan: TracePlan, is_seen: Flags) -> Flags:
    route = plan.timetable.trip_route
    seen: Flags = np.bincount(route[is_seen], minlength=len(plan.timetable.routes)) > 0
    return seen[route]


def _on_routes_shown(plan: TracePlan, due: Flags, is_seen: Flags) -> Flags:
    """Trips of routes of which enough was seen, shape (trips,)."""
    route = plan.timetable.trip_route
    routes = len(plan.timetable.routes)
    count = np.bincount(route[due], minlength=routes)
    shown: Flags = np.bincount(route[due & is_seen], minlength=routes) > SEEN_SHARE * count
    return shown[route]


def _maybe_driven(plan: TracePlan, trips: Integers, day: int, unnamed: Unnamed) -> Flags:
    """Whether vehicles without a trip were at enough of each trip's stops around their time, shape (trips,)."""
    if not len(trips) or not len(unnamed.time_s):
        return np.zeros(len(trips), dtype=np.bool_)
    call = spans(plan.calls.start, trips)
    count = np.diff(plan.calls.start)[trips]
    stops, stop = np.unique(plan.timetable.call_stop[call], return_inverse=True)
    seen = _minutes_at(plan, stops, unnamed, plan.origin_s(day))
    due_s = plan.calls.departure_s[call]
    first = np.searchsorted(seen, _key(stop, due_s - EARLY_S), side="left")
    last = np.searchsorted(seen, _key(stop, due_s + LATE_S), side="right")
    passed = np.add.reduceat((last > first).astype(np.int64), np.cumsum(count) - count)
    driven: Flags = passed >= PASSED_SHARE * count
    return driven


def _minutes_at(plan: TracePlan, stops: Integers, unnamed: Unnamed, origin_s: int) -> Integers:
    """Keys of the minutes of a service day in which a vehicle without a trip was at a stop, in order."""
    table = plan.timetable.stops
    wide = np.cos(np.radians(np.nanmean(table.lat[stops])))
    known = np.flatnonzero(np.isfinite(table.lat[stops]) & np.isfinite(table.lon[stops]))
    if not len(known):
        return np.empty(0, dtype=np.int64)
    places = np.column_stack((table.lon[stops[known]] * wide, table.lat[stops[known]])) * DEGREE_M
    pings = np.column_stack((unnamed.lon * wide, unnamed.lat)) * DEGREE_M
    _, near = KDTree(places).query(pings, k=np.arange(1, STOPS_NEAR + 1), distance_upper_bound=AT_STOP_M)
    ping, rank = np.nonzero(near < len(known))  # what is farther is given as one beyond the last
    keys: Integers = np.unique(_key(known[near[ping, rank]], unnamed.time_s[ping] - origin_s))
    return keys


def _key(stop: Integers, clock_s: FloatArray) -> Integers:
    """Stops and minutes of a service day as numbers in their order."""
    minute = np.clip(clock_s // MINUTE_S, 0, MINUTES - 1).astype(np.int64)
    keys: Integers = stop.astype(np.int64) * MINUTES + minute
    return keys
