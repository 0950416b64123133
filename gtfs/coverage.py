"""When a trace covers the service, and which trips nobody was seen on meanwhile."""

from collections.abc import Collection, Iterable

import numpy as np
import numpy.typing as npt

from gtfs.replay import PerformedTrip
from gtfs.trace_plan import TracePlan

MINUTE_S = 60
NEAR_MINUTES = 5
"""A moment is covered when some vehicle was heard of so shortly before or after."""

Minutes = npt.NDArray[np.int64]


def missing_trips(plan: TracePlan, performed: Collection[PerformedTrip], heard: Iterable[int]) -> list[tuple[int, int]]:
    """Scheduled trips that nobody was seen on though the trace covers all of their time: trip and service day.

    Only routes that the trace shows on that day are looked at: a trace of one line says nothing about the others.

    Parameters
    ----------
    heard
        Minutes since the epoch in which some vehicle was heard of.
    """
    covered = _covered(np.array(sorted(heard), dtype=np.int64))
    seen = {(one.trip, one.day) for one in performed}
    found = []
    for day in sorted({one.day for one in performed}):
        due = _due(plan, day, covered) & _on_routes_seen(plan, performed, day)
        found += [(trip, day) for trip in np.flatnonzero(due).tolist() if (trip, day) not in seen]
    return found


def _covered(heard: Minutes) -> tuple[int, npt.NDArray[np.int64]]:
    """First minute, and how many minutes up to each are covered, as a running sum."""
    if not len(heard):
        return 0, np.zeros(1, dtype=np.int64)
    first = int(heard[0]) - NEAR_MINUTES
    change = np.zeros(int(heard[-1]) - first + NEAR_MINUTES + 2, dtype=np.int64)
    np.add.at(change, heard - NEAR_MINUTES - first, 1)
    np.add.at(change, heard + NEAR_MINUTES + 1 - first, -1)
    return first, np.concatenate(([0], np.cumsum(np.cumsum(change) > 0)))


def _due(plan: TracePlan, day: int, covered: tuple[int, npt.NDArray[np.int64]]) -> npt.NDArray[np.bool_]:
    """Trips that run on a day and whose time is covered whole, shape (trips,)."""
    first, minutes = covered
    span = ((plan.origin_s(day) + plan.trip_span_s) // MINUTE_S).astype(np.int64) - first
    inside = (span[:, 0] >= 0) & (span[:, 1] + 1 < len(minutes))
    begin, end = (np.clip(span[:, 0], 0, len(minutes) - 1), np.clip(span[:, 1] + 1, 0, len(minutes) - 1))
    whole = minutes[end] - minutes[begin] == end - begin
    runs = plan.services_running(day)[plan.trip_service]
    return np.asarray(inside & whole & runs)


def _on_routes_seen(plan: TracePlan, performed: Iterable[PerformedTrip], day: int) -> npt.NDArray[np.bool_]:
    routes = {int(plan.timetable.trip_route[one.trip]) for one in performed if one.day == day}
    return np.isin(plan.timetable.trip_route, list(routes))
