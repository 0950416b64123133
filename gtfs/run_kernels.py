"""Kernels that keep a vehicle on one run of a trip which the feed repeats by headway; arrays alone, compiled by numba.

Who names such a trip without its start means one of its departures. By time alone it would be another at each headway.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from gtfs.match_kernels import lateness_s, match_ping
from gtfs.screen_kernels import apart_m
from gtfs.trace_kernels import DAY_S, MOST_AWAY_S, NONE, Calendar, Limits, Lines, Plan, Progress, Samples

Integers = npt.NDArray[np.integer]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

WAITS, ON, OVER = 0, 1, 2
"""Stages of a run: not seen on its line yet, under way, its last call passed."""


class Runs(NamedTuple):
    """The run that each vehicle is on, shape (vehicles,) each.

    ``claim`` and ``named`` are what the vehicle says, ``trip`` and ``day`` the run, NONE where it says nothing such.
    ``last_s`` is the time of its last ping. ``from_m`` is where along the line it was seen last since its run was over.
    """

    claim: Integers
    named: Integers
    trip: Integers
    day: Integers
    stage: Integers
    last_s: Floats
    from_m: Floats


class Choices(NamedTuple):
    """Trips that each claim can mean as compressed rows, and whether they are the runs of one, shape (claims,)."""

    start: Integers
    trip: Integers
    is_repeated: Flags


class Asked(NamedTuple):
    """What pings say, shape (pings,) each.

    Row of the claim; the day that is named, NONE where none is; trip and day that both mean, overwritten where the
    claim is of a repeated trip.
    """

    claim: Integers
    named: Integers
    trip: Integers
    day: Integers


class Ground(NamedTuple):
    """What is the same for all vehicles: lines, trips, service days and parameters."""

    lines: Lines
    plan: Plan
    calendar: Calendar
    limits: Limits


@njit(cache=True, nogil=True)
def keep_runs(asked: Asked, samples: Samples, choices: Choices, ground: Ground, runs: Runs, progress: Progress) -> None:
    """Choose the run of a repeated trip when a vehicle begins it, and keep it there until it must end.

    A run begins where the vehicle is first seen on the line: it is the one that is due there nearest in time. It is
    kept until its last call is passed. The next one begins when the vehicle is back at the first call, or goes along
    the line again. A vehicle that says something else, is silent for ``bridge_s``, or cannot mean the run any more
    begins anew.

    Parameters
    ----------
    asked, samples
        Pings by vehicle and there by time; ``performed`` is the vehicle, ``trip`` and ``clock_s`` are overwritten.
    runs, progress
        What is known of vehicles, brought up to date.
    """
    place_m = np.full((2, len(asked.claim)), np.nan)
    for ping in range(len(asked.claim)):
        vehicle, claim = samples.performed[ping], asked.claim[ping]
        if not choices.is_repeated[claim]:
            if asked.trip[ping] >= 0:
                runs.trip[vehicle] = NONE
            continue
        if _must_begin(ping, vehicle, asked, samples, ground, runs):
            runs.claim[vehicle], runs.named[vehicle], runs.stage[vehicle] = claim, asked.named[ping], WAITS
            runs.trip[vehicle], runs.day[vehicle] = asked.trip[ping], asked.day[ping]
        if runs.stage[vehicle] == ON:
            _go_on(ping, vehicle, samples, ground, runs, progress, place_m)
        else:
            _begin(ping, vehicle, samples, choices, ground, runs, progress, place_m)
        runs.last_s[vehicle] = samples.time_s[ping]
        asked.trip[ping], asked.day[ping] = runs.trip[vehicle], runs.day[vehicle]


@njit(cache=True, nogil=True)
def _must_begin(ping: int, vehicle: int, asked: Asked, samples: Samples, ground: Ground, runs: Runs) -> bool:
    """Whether a vehicle cannot be on the run any more that it was on."""
    trip, calendar = runs.trip[vehicle], ground.calendar
    if trip < 0 or runs.claim[vehicle] != asked.claim[ping] or runs.named[vehicle] != asked.named[ping]:
        return True
    number = runs.day[vehicle] - calendar.first_day
    if not 0 <= number < len(calendar.origin_s):
        return True
    since_s = samples.time_s[ping] - calendar.origin_s[number] - calendar.trip_span_s[trip, 1]
    return bool(since_s > MOST_AWAY_S or samples.time_s[ping] - runs.last_s[vehicle] > ground.limits.bridge_s)


@njit(cache=True, nogil=True)
def _end_m(trip: int, plan: Plan) -> float:
    return float(plan.call_way_m[plan.call_start[trip + 1] - 1])


@njit(cache=True, nogil=True)
def _go_on(
    ping: int, vehicle: int, samples: Samples, ground: Ground, runs: Runs, progress: Progress, place_m: Floats
) -> None:
    """Go along a run, until its last call is passed."""
    trip, plan, limits = runs.trip[vehicle], ground.plan, ground.limits
    number = runs.day[vehicle] - ground.calendar.first_day
    samples.trip[ping] = trip
    samples.clock_s[ping] = samples.time_s[ping] - ground.calendar.origin_s[number]
    match_ping(ping, samples, ground.lines, plan, limits, progress, place_m[0], place_m[1])
    if progress.way_m[vehicle] >= _end_m(trip, plan) - limits.zone_m:
        first = plan.call_start[trip]
        away_m = apart_m(plan.call_lonlat[first, 0], plan.call_lonlat[first, 1], samples.lon[ping], samples.lat[ping])
        runs.stage[vehicle] = OVER
        runs.from_m[vehicle] = plan.call_way_m[first] if away_m <= limits.zone_m else np.nan  # a loop begins again here


@njit(cache=True, nogil=True)
def _begin(
    ping: int,
    vehicle: int,
    samples: Samples,
    choices: Choices,
    ground: Ground,
    runs: Runs,
    progress: Progress,
    place_m: Floats,
) -> None:
    """Begin the run that is due nearest in time where the vehicle is, if it is on the line and may begin one there."""
    calendar, named, claim = ground.calendar, runs.named[vehicle], runs.claim[vehicle]
    today = int((samples.time_s[ping] - calendar.origin_s[0]) // DAY_S)  # or a day off, where clocks change
    best, best_number, least_s, best_m = NONE, NONE, np.inf, np.nan
    for place in range(choices.start[claim], choices.start[claim + 1]):
        trip = choices.trip[place]
        for number in range(max(today - 2, 0), min(today + 3, len(calendar.origin_s))):
            day = number + calendar.first_day
            is_day = calendar.runs[calendar.trip_service[trip], number] if named < 0 else day == named
            if not is_day or (trip == runs.trip[vehicle] and day == runs.day[vehicle] and runs.stage[vehicle] == OVER):
                continue
            away_s = _away_s(ping, trip, number, samples, ground, progress, place_m)
            if away_s < least_s:
                best, best_number, least_s, best_m = trip, number, away_s, place_m[0, ping]
    if best == NONE:
        return
    is_new, from_m = runs.stage[vehicle] == WAITS, runs.from_m[vehicle]
    runs.from_m[vehicle] = best_m
    is_first = best_m <= ground.plan.call_way_m[ground.plan.call_start[best]] + ground.limits.zone_m
    if is_new or is_first or best_m > from_m + ground.limits.zone_m:
        _away_s(ping, best, best_number, samples, ground, progress, place_m)  # once more, for progress to be its own
        runs.trip[vehicle], runs.day[vehicle] = best, best_number + calendar.first_day
        runs.stage[vehicle] = ON


@njit(cache=True, nogil=True)
def _away_s(
    ping: int, trip: int, number: int, samples: Samples, ground: Ground, progress: Progress, place_m: Floats
) -> float:
    """How far in time a run is from being due where the vehicle is; infinity where it cannot begin there."""
    vehicle, plan, limits, calendar = samples.performed[ping], ground.plan, ground.limits, ground.calendar
    clock_s, first = samples.time_s[ping] - calendar.origin_s[number], plan.call_start[trip]
    span_s = calendar.trip_span_s[trip]
    if not span_s[0] - limits.bridge_s <= clock_s <= span_s[1] + limits.bridge_s:
        return np.inf
    samples.trip[ping], samples.clock_s[ping] = trip, clock_s
    progress.way_m[vehicle] = np.nan
    if not match_ping(ping, samples, ground.lines, plan, limits, progress, place_m[0], place_m[1]):
        return np.inf
    way_m = place_m[0, ping]
    if way_m >= _end_m(trip, plan) - limits.zone_m:
        return np.inf
    if way_m <= plan.call_way_m[first] + limits.zone_m:
        return float(abs(clock_s - plan.call_time_s[first, 1]))
    return float(abs(lateness_s(trip, way_m, clock_s, plan)))
