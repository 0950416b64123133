"""Kernels that hold a vehicle's pings against trips it might be on; arrays alone, compiled by numba."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from gtfs.trace_kernels import Limits, Lines, Plan, Progress, Samples, _apart_m, _lateness_s, _match_ping

Integers = npt.NDArray[np.integer]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

NONE = -1
BEGIN, COUNT, ON, MOVES = 0, 1, 2, 3
"""Columns of a fit's counts.

The row of its first ping, pings from there on, those of them on the line, and those that moved from the one before.
"""
GAINED_M, TRAVELLED_M, LATE_S, FROM_M, DRIFT_S, LASTS_S = 0, 1, 2, 3, 4, 5
"""Columns of a fit's measures.

The way along the line, the way as the crow flies from ping to ping, the lateness, how far beyond the trip's first call
it begins, how much later it is at last than at first, and how long it lasts.
"""
WAITS, LOOK = 0, 1
"""What a search comes to: all pings are taken in, or it is time to look at the candidates."""
STAYS, ENDED, LOST = 0, 1, 2
"""What following a trip comes to: it goes on, it came to its last call, or the vehicle left it."""


class Patience(NamedTuple):
    """How long to wait for what; see :class:`gtfs.trace_settings.TraceSettings`."""

    still_m: float
    look_m: float
    rest_m: float
    search_s: float
    bridge_s: float
    lost_s: float


class Search(NamedTuple):
    """What is known of each vehicle, shape (vehicles,) or (vehicles, 2).

    ``trip`` and ``day`` are followed, NONE while the vehicle has none or names one itself. ``past_trip`` and
    ``past_day`` are its latest; ``is_done`` where it was followed to that one's end, and ``rest_m`` is what it has come
    since, NaN where it was not. ``anchor`` is the longitude and latitude where it came to a stand, at ``anchor_s``, NaN
    before the first ping; ``last_s`` is the time of its last ping; ``on_s`` is when it was last on the line that it
    follows. ``run_m`` is what it has come since candidates were last looked at.
    """

    trip: Integers
    day: Integers
    past_trip: Integers
    past_day: Integers
    is_done: Flags
    is_named: Flags
    rest_m: Floats
    anchor: Floats
    anchor_s: Floats
    last_s: Floats
    on_s: Floats
    run_m: Floats


@njit(cache=True, nogil=True)
def wait(
    front: int, rows: tuple[int, int], samples: Samples, vehicle: int, search: Search, patience: Patience, out: Flags
) -> tuple[int, int, int]:
    """Take in pings of a vehicle without a trip, until it is time to look at candidates.

    A vehicle that stands keeps its last ping alone; pings older than ``search_s``, and those before a gap of
    ``lost_s``, are given up.

    Parameters
    ----------
    front
        First row of those that wait already.
    rows
        From which row to which.
    out
        Set for rows given up while the vehicle rested at its trip's end, shape (pings,).

    Returns
    -------
    The row to go on from, the first row that waits, and WAITS or LOOK.
    """
    for ping in range(rows[0], rows[1]):
        gap_s = samples.time_s[ping] - search.last_s[vehicle]
        if not gap_s <= patience.lost_s:
            front, search.run_m[vehicle], search.rest_m[vehicle] = ping, 0.0, np.nan
            search.anchor_s[vehicle] = np.nan
        has_moved = _moves(ping, samples, vehicle, search, patience.still_m)
        rests = search.rest_m[vehicle] <= patience.rest_m
        if rests or (not has_moved and samples.time_s[front] >= search.anchor_s[vehicle]):
            out[front:ping] = rests
            front = ping
        while samples.time_s[ping] - samples.time_s[front] > patience.search_s:
            front += 1
        if has_moved and search.run_m[vehicle] >= patience.look_m:
            search.run_m[vehicle] = 0.0
            return ping + 1, front, LOOK
    return rows[1], front, WAITS


@njit(cache=True, nogil=True)
def _moves(ping: int, samples: Samples, vehicle: int, search: Search, still_m: float) -> bool:
    """Note a vehicle's place; whether it lies off the place where it came to a stand, which is then here."""
    lon, lat, anchor = samples.lon[ping], samples.lat[ping], search.anchor[vehicle]
    search.last_s[vehicle] = samples.time_s[ping]
    is_first = np.isnan(search.anchor_s[vehicle])
    step_m = 0.0 if is_first else _apart_m(anchor[0], anchor[1], lon, lat)
    if step_m <= still_m and not is_first:
        return False
    search.run_m[vehicle] += step_m
    search.rest_m[vehicle] += step_m
    anchor[0], anchor[1], search.anchor_s[vehicle] = lon, lat, samples.time_s[ping]
    return True


@njit(cache=True, nogil=True)
def follow(
    rows: tuple[int, int],
    samples: Samples,
    vehicle: int,
    plan: Plan,
    lines: Lines,
    limits: Limits,
    patience: Patience,
    memory: tuple[Search, Progress],
) -> tuple[int, int]:
    """Follow a vehicle along its trip; ``samples`` have it as their trip, and the vehicle as what they perform.

    Returns
    -------
    The first row that belongs to the trip no more, and STAYS, ENDED or LOST.
    """
    search, progress = memory
    place_m, off_m = np.empty(len(samples.trip)), np.empty(len(samples.trip))
    for ping in range(rows[0], rows[1]):
        trip = samples.trip[ping]
        gap_s = samples.time_s[ping] - search.last_s[vehicle]
        is_on = _match_ping(ping, samples, lines, plan, limits, progress, place_m, off_m)
        if is_on:
            search.on_s[vehicle] = samples.time_s[ping]
        stood_s = samples.time_s[ping] - search.anchor_s[vehicle]
        moves = _moves(ping, samples, vehicle, search, patience.still_m)
        off_s = samples.time_s[ping] - search.on_s[vehicle]
        if off_s > patience.lost_s or gap_s > patience.bridge_s or (stood_s > patience.search_s and not moves):
            return ping, LOST
        if is_on and place_m[ping] >= plan.call_way_m[plan.call_start[trip + 1] - 1] - limits.zone_m:
            return ping + 1, ENDED
    return rows[1], STAYS


@njit(cache=True, nogil=True)
def patterns_near(lon: float, lat: float, pattern: Integers, lines: Lines, near_m: float, out: Flags) -> Flags:
    """Which of some patterns have a line within a distance of a place, shape (patterns,)."""
    for row in range(len(pattern)):
        frame = lines.frame[pattern[row]]
        x_m, y_m = (lon - frame[0]) * frame[2], (lat - frame[1]) * frame[3]
        out[row] = False
        for corner in range(lines.start[pattern[row]], lines.start[pattern[row] + 1] - 1):
            px, py = x_m - lines.corner_m[corner, 0], y_m - lines.corner_m[corner, 1]
            ux, uy = lines.unit[corner, 0], lines.unit[corner, 1]
            length_m = lines.way_m[corner + 1] - lines.way_m[corner]
            along_m = min(max(px * ux + py * uy, 0.0), length_m)
            if (px - along_m * ux) ** 2 + (py - along_m * uy) ** 2 <= near_m**2:
                out[row] = True
                break
    return out


@njit(cache=True, nogil=True)
def fit_trips(
    samples: Samples,
    trip: Integers,
    origin_s: Floats,
    lines: Lines,
    plan: Plan,
    limits: Limits,
    progress: Progress,
    out: tuple[Integers, Floats],
) -> None:
    """Hold a vehicle's pings against trips, each from where the vehicle may have begun it.

    A trip's fit begins with the first ping on its line, and anew after two pings in a row that are not. A ping that
    heads against the line counts as off it.

    Parameters
    ----------
    samples
        The vehicle's pings by time; ``performed``, ``trip`` and ``clock_s`` are overwritten, shape (pings,).
    trip, origin_s
        Candidates, and the moments from which their days count, shape (candidates,).
    progress
        Blank, takes where each candidate would be, a row a candidate.
    out
        Takes counts and measures, shape (candidates, 4) and (candidates, 6); the count is 0 where the trip does not fit.
    """
    count, measure = out
    pings = len(samples.time_s)
    way_m, off_m, late_s = np.empty(pings), np.empty(pings), np.empty(pings)
    for row in range(len(trip)):
        count[row], measure[row] = 0, np.nan
        samples.trip[:], samples.performed[:] = trip[row], row
        samples.clock_s[:] = samples.time_s - origin_s[row]
        begin, first_on, misses = 0, -1, 2
        ons = 0
        for ping in range(pings):
            is_on = _match_ping(ping, samples, lines, plan, limits, progress, way_m, off_m)
            if is_on and not _heads_against(ping, samples, lines, progress.segment[row]):
                if first_on < 0:
                    begin, first_on, ons = ping, ping, 0
                late_s[ons] = _lateness_s(trip[row], way_m[ping], samples.clock_s[ping], plan)
                ons, misses = ons + 1, 0
                continue
            misses += 1
            if misses >= 2:
                first_on, progress.way_m[row] = -1, np.nan
        if first_on < 0:
            continue
        count[row, 0], count[row, 1], count[row, 2] = begin, pings - begin, ons
        measure[row, 0] = progress.way_m[row] - way_m[begin]
        measure[row, 1], count[row, 3] = _travelled(samples, begin)
        measure[row, 4], measure[row, 5] = late_s[ons - 1] - late_s[0], samples.time_s[-1] - samples.time_s[begin]
        measure[row, 3] = way_m[begin] - plan.call_way_m[plan.call_start[trip[row]]]
        measure[row, 2] = np.median(late_s[:ons])


@njit(cache=True, nogil=True)
def _heads_against(ping: int, samples: Samples, lines: Lines, segment: int) -> bool:
    """Whether a vehicle that moves heads against its line; limits of speed are those of trustworthy headings."""
    if not samples.speed_mps[ping] >= 3.0 or np.isnan(samples.heading_deg[ping]):
        return False
    head = np.radians(samples.heading_deg[ping])
    return bool(np.sin(head) * lines.unit[segment, 0] + np.cos(head) * lines.unit[segment, 1] < -0.5)


@njit(cache=True, nogil=True)
def _travelled(samples: Samples, begin: int) -> tuple[float, int]:
    """The way from ping to ping as the crow flies, small steps by noise left out, and the count of steps."""
    way_m, since, steps = 0.0, begin, 0
    for ping in range(begin + 1, len(samples.time_s)):
        step_m = _apart_m(samples.lon[since], samples.lat[since], samples.lon[ping], samples.lat[ping])
        if step_m > 25.0:
            way_m, since, steps = way_m + step_m, ping, steps + 1
    return way_m, steps
