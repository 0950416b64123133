"""Timetable kernels: arrays in, arrays out, compiled by numba.

Times are seconds on one clock, whichever the caller uses; distances are metres along a trip's pattern. The calls of all
trips stand in one table, those of trip ``t`` in its rows ``call_start[t]:call_start[t + 1]``, by distance.
"""

import numpy as np
import numpy.typing as npt
from numba import njit

Integers = npt.NDArray[np.integer]
Floats = npt.NDArray[np.float64]

ARRIVAL, DEPARTURE = 0, 1
"""Columns of the times of calls."""


@njit(cache=True, nogil=True)
def schedule_deviation(
    trip: Integers,
    distance_m: Floats,
    time_s: Floats,
    call_start: Integers,
    call_distance_m: Floats,
    call_time_s: Floats,
    tolerance_m: float,
    out: Floats,
) -> Floats:
    """Tell how late vehicles are, at their calls and between them.

    Parameters
    ----------
    trip
        Trip that each sample belongs to, shape (samples,).
    distance_m, time_s
        Where along its pattern the vehicle is, and when, shape (samples,).
    call_start
        First call of each trip, and the end of the last one's, shape (trips + 1,).
    call_distance_m
        Where the calls are, not falling along a trip, shape (calls,).
    call_time_s
        Scheduled arrival and departure, shape (calls, 2).
    tolerance_m
        So near to a call a vehicle is at it; where it is near to two, at the nearer, and midway at the one ahead.
    out
        Takes the answer, shape (samples,).

    Returns
    -------
    ``out``: actual minus scheduled in seconds, late is positive; NaN where the trip is unknown (negative, too high or
    without calls) or where distance or time is not finite.

    Notes
    -----
    Between calls: now - (departure behind + (arrival ahead - departure behind) d / D), with d since the call behind and
    D between the two. At a call: none from its arrival to its departure, else to the nearer of them; calls at the
    same distance are one, from the first arrival to the last departure. Up to the first call: none until its departure,
    since a vehicle may wait there, then since that. At the last call and beyond: since its arrival, since nobody waits
    for its departure. A trip that calls at one place alone has a first call and no last one.
    """
    for sample in range(len(trip)):
        row, at_m, now_s = trip[sample], distance_m[sample], time_s[sample]
        out[sample] = np.nan
        if row < 0 or row >= len(call_start) - 1 or not (np.isfinite(at_m) and np.isfinite(now_s)):
            continue
        first, end = call_start[row], call_start[row + 1]
        if first == end:
            continue
        begin_s, until_s = _window(first, end, at_m, call_distance_m, call_time_s, tolerance_m)
        # a scheduled time that is not a number fails every comparison
        if now_s > until_s:
            out[sample] = now_s - until_s
        elif now_s < begin_s:
            out[sample] = now_s - begin_s
        elif begin_s <= now_s <= until_s:
            out[sample] = 0.0
    return out


@njit(cache=True, nogil=True)
def _window(
    first: int, end: int, at_m: float, call_distance_m: Floats, call_time_s: Floats, tolerance_m: float
) -> tuple[float, float]:
    """From when to when a trip is scheduled to be at a place: one moment wherever it does not wait."""
    ahead = _not_before(first, end, at_m, call_distance_m)
    behind = ahead - 1
    ahead_m = call_distance_m[ahead] - at_m if ahead < end else np.inf
    behind_m = at_m - call_distance_m[behind] if behind >= first else np.inf
    if first < ahead < end and min(ahead_m, behind_m) > tolerance_m:
        left_s, reached_s = call_time_s[behind, DEPARTURE], call_time_s[ahead, ARRIVAL]
        passing_s = left_s + (reached_s - left_s) * (behind_m / (call_distance_m[ahead] - call_distance_m[behind]))
        return passing_s, passing_s
    earliest = latest = ahead if ahead_m <= behind_m else behind
    while earliest > first and call_distance_m[earliest - 1] == call_distance_m[earliest]:
        earliest -= 1
    while latest < end - 1 and call_distance_m[latest + 1] == call_distance_m[latest]:
        latest += 1
    begin_s = -np.inf if earliest == first else call_time_s[earliest, ARRIVAL]
    is_last = latest == end - 1 and earliest > first
    return begin_s, call_time_s[latest, ARRIVAL if is_last else DEPARTURE]


@njit(cache=True, nogil=True)
def _not_before(first: int, end: int, at_m: float, call_distance_m: Floats) -> int:
    """Row of a trip's first call that is not before a place; ``end`` where all are."""
    low, high = first, end
    while low < high:
        middle = (low + high) // 2
        if call_distance_m[middle] < at_m:
            low = middle + 1
        else:
            high = middle
    return low


@njit(cache=True, nogil=True)
def next_call(
    trip: Integers,
    distance_m: Floats,
    call_start: Integers,
    call_distance_m: Floats,
    tolerance_m: float,
    out: Integers,
) -> Integers:
    """Find the call that each vehicle is at or comes to next: its progress along the route.

    Parameters are as in :func:`schedule_deviation`; a call is behind once the vehicle is more than the tolerance past
    it.

    Returns
    -------
    ``out``: rows of calls, shape (samples,); -1 past the last call, where the trip is unknown, or where the distance is
    not a number.
    """
    for sample in range(len(trip)):
        row, at_m = trip[sample], distance_m[sample]
        out[sample] = -1
        if row < 0 or row >= len(call_start) - 1 or np.isnan(at_m):
            continue
        end = call_start[row + 1]
        ahead = _not_before(call_start[row], end, at_m - tolerance_m, call_distance_m)
        if ahead < end:
            out[sample] = ahead
    return out


@njit(cache=True, nogil=True)
def headways(place: Integers, departure_s: Floats, last_departure_s: Floats, out: Floats) -> Floats:
    """Measure the time since the departure before at the same place, over departures in order of time.

    Parameters
    ----------
    place
        Where each departure was, shape (departures,): a row of ``last_departure_s``.
    departure_s
        When, not falling, shape (departures,).
    last_departure_s
        Last departure at each place so far, NaN before the first, shape (places,). Brought up to date, so that a
        stream may come in pieces.
    out
        Takes the answer, shape (departures,).

    Returns
    -------
    ``out``: headways in seconds; NaN for the first departure at a place, for an unknown place (negative or too high)
    and for a departure whose time is not a number, which leaves no trace either.
    """
    for departure in range(len(place)):
        row, now_s = place[departure], departure_s[departure]
        out[departure] = np.nan
        if row < 0 or row >= len(last_departure_s) or np.isnan(now_s):
            continue
        out[departure] = now_s - last_departure_s[row]
        last_departure_s[row] = now_s
    return out
