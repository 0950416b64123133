"""Curves out of a replay: each vehicle's way along its trip over time, as its pings have it."""

from collections import Counter

import numpy as np

from gtfs.columns import starts
from gtfs.curves import Curves
from gtfs.replay_result import ReplayResult
from gtfs.trace_kernels import MATCHED


def curves_of_day(result: ReplayResult, day: int, bridge_s: float) -> Curves:
    """Curves of the trips of a service day; one ends where nobody knows for longer than ``bridge_s`` what came next."""
    pings = result.matched
    rows = np.flatnonzero((pings.found == MATCHED) & (pings.performed >= 0))
    rows = rows[result.performed.day[pings.performed[rows]] == day]
    rows = rows[np.lexsort((pings.time_s[rows], pings.performed[rows]))]
    performed, time_s = pings.performed[rows], pings.time_s[rows]
    begins = np.flatnonzero((np.diff(performed, prepend=-1) != 0) | (np.diff(time_s, prepend=-np.inf) > bridge_s))
    owner = result.performed.take(performed[begins])
    return Curves(
        trip=owner.trip,
        vehicle_ids=tuple(result.vehicles[row] for row in owner.vehicle.tolist()),
        start=starts(np.diff(begins, append=len(rows))),
        time_s=time_s,
        distance_m=pings.way_m[rows],
    )


def busiest_day(result: ReplayResult) -> int:
    """The service day on which most trips were performed, the first of several."""
    days: Counter[int] = Counter(result.performed.day.tolist())
    return days.most_common(1)[0][0]
