"""Kernels that hold a vehicle's pings against trips it might be on; arrays alone, compiled by numba."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from gtfs.match_kernels import lateness_s, match_ping
from gtfs.screen_kernels import apart_m
from gtfs.trace_kernels import Limits, Lines, Plan, Progress, Samples

Integers = npt.NDArray[np.integer]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

NONE = -1
BEGIN, COUNT, ON, MOVES = 0, 1, 2, 3
"""Columns of a fit's counts.

The row of its first ping, pings from there on, those of them on the line, and those that moved from the one before.
"""
GAINED_M, TRAVELLED_M, LATE_S, FROM_M = 0, 1, 2, 3
"""Columns of a fit's measures.

The way along the line, the way as the crow flies from ping to ping, the lateness, and how far beyond the trip's first
call it begins.
"""
WAITS, LOOK = 0, 1
"""What a search comes to: all pings are taken in, or it is time to look at the candidates."""
STAYS, ENDED, LOST = 0, 1, 2
"""What following a trip comes to: it goes on, it came to its last call, or the vehicle left it."""


STRIDE = 1 << 32
"""Rows of a grid's cells are so far apart."""
AGAINST = -0.5
"""Cosine between a vehicle's course and a line from which on it runs the other way."""
NOISE_M = 25.0
"""Shorter steps are not counted as way."""
MISSES = 2
"""So many pings in a row off a trip's line end its fit."""


class Index(NamedTuple):
    """The corners of lines by cells of a grid; :func:`gtfs.line_index.line_index` builds one.

    Attributes
    ----------
    per_degree
        Cells in a degree of longitude and latitude.
    cell, start
        Cells that have any, in ascending order, shape (cells,), and where those of each begin, shape (cells + 1,).
    corner, pattern
        Corners from which a line goes through the cell or by it, and their patterns.
    """

    per_degree: tuple[float, float]
    cell: Integers
    start: Integers
    corner: Integers
    pattern: Integers


class Tried(NamedTuple):
    """Candidates: trip, the moment from which its day counts, and the row of its line, shape (candidates,) each.

    ``near_m`` is the first place along each line that a ping is near to, see :func:`lines_near`, shape (lines, pings).
    """

    trip: Integers
    origin_s: Floats
    line: Integers
    near_m: Floats


class Patience(NamedTuple):
    """How long to wait for what; see :class:`gtfs.trace_settings.TraceSettings`."""

    still_m: float
    look_m: float
    end_m: float
    layover_s: float
    search_s: float
    bridge_s: float
    lost_s: float


class Search(NamedTuple):
    """What is known of each vehicle, shape (vehicles,) or (vehicles, 2).

    ``trip`` and ``day`` are followed, NONE while the vehicle has none or names one itself. ``past_trip`` and
    ``past_day`` are its latest; ``is_done`` where it serves that one no more, ``is_named`` where it named it itself.
    ``anchor`` is the longitude and latitude where it came to a stand, at ``anchor_s``, NaN
    before the first ping; ``last_s`` is the time of its last ping; ``on_s`` is when it was last on the line that it
    follows. ``run_m`` is what it has come since candidates were last looked at. ``heard`` are the trip and day that it
    named last as pings arrive, ``heard_s`` when.
    """

    trip: Integers
    day: Integers
    past_trip: Integers
    past_day: Integers
    is_done: Flags
    is_named: Flags
    anchor: Floats
    anchor_s: Floats
    last_s: Floats
    on_s: Floats
    run_m: Floats
    heard: Integers
    heard_s: Floats


@njit(cache=True, nogil=True)
def hear(vehicle: Integers, trip: Integers, day: Integers, time_s: Floats, search: Search, out: Flags) -> Flags:
    """Tell which pings name a trip that their vehicle did not name just before, or name it for an earlier time.

    The first ping by time of each vehicle and trip is always among them, in whatever order pings arrive.

    Parameters
    ----------
    vehicle, trip, day, time_s
        In order of arrival, shape (pings,).
    out
        Takes the answer, shape (pings,).
    """
    for ping in range(len(vehicle)):
        heard, row = search.heard[vehicle[ping]], vehicle[ping]
        out[ping] = False
        if trip[ping] < 0:
            continue
        if heard[0] != trip[ping] or heard[1] != day[ping] or time_s[ping] < search.heard_s[row]:
            heard[0], heard[1], search.heard_s[row], out[ping] = trip[ping], day[ping], time_s[ping], True
    return out


@njit(cache=True, nogil=True)
def wait(
    front: int, rows: tuple[int, int], samples: Samples, vehicle: int, search: Search, patience: Patience
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

    Returns
    -------
    The row to go on from, the first row that waits, and WAITS or LOOK.
    """
    for ping in range(rows[0], rows[1]):
        gap_s = samples.time_s[ping] - search.last_s[vehicle]
        if not gap_s <= patience.lost_s:
            front, search.run_m[vehicle], search.anchor_s[vehicle] = ping, 0.0, np.nan
        has_moved = _moves(ping, samples, vehicle, search, patience.still_m)
        if not has_moved and samples.time_s[front] >= search.anchor_s[vehicle]:
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
    step_m = 0.0 if is_first else apart_m(anchor[0], anchor[1], lon, lat)
    if step_m <= still_m and not is_first:
        return False
    search.run_m[vehicle] += step_m
    anchor[0], anchor[1], search.anchor_s[vehicle] = lon, lat, samples.time_s[ping]
    return True


@njit(cache=True, nogil=True)
def follow(
    samples: Samples,
    vehicle: int,
    lines: Lines,
    plan: Plan,
    limits: Limits,
    patience: Patience,
    search: Search,
    progress: Progress,
) -> tuple[int, int]:
    """Follow a vehicle along the trip that it was given.

    It ends at its last call, and where the vehicle leaves the line or lays over within ``end_m`` before. The vehicle
    has left it after ``lost_s`` off the line, a gap of ``bridge_s``, or when it stood for ``search_s``.

    Parameters
    ----------
    samples
        Its pings, with the trip, and the vehicle as what they perform, shape (pings,).
    progress
        A row a vehicle.

    Returns
    -------
    Count of the pings that belong to the trip, and STAYS, ENDED or LOST.
    """
    pings = len(samples.trip)
    place_m, off_m = np.empty(pings), np.empty(pings)
    for ping in range(pings):
        now_s = samples.time_s[ping]
        gap_s = now_s - search.last_s[vehicle]
        is_on = match_ping(ping, samples, lines, plan, limits, progress, place_m, off_m)
        if is_on:
            search.on_s[vehicle] = now_s
        _moves(ping, samples, vehicle, search, patience.still_m)
        stood_s, off_s = now_s - search.anchor_s[vehicle], now_s - search.on_s[vehicle]
        if off_s > patience.lost_s or gap_s > patience.bridge_s or stood_s > patience.search_s:
            return ping, LOST
        left_m = plan.call_way_m[plan.call_start[samples.trip[ping] + 1] - 1] - progress.way_m[vehicle]
        if left_m <= limits.zone_m or (left_m <= patience.end_m and (not is_on or stood_s >= patience.layover_s)):
            return ping + (1 if is_on else 0), ENDED
    return pings, STAYS


@njit(cache=True, nogil=True)
def lines_near(
    samples: Samples, course: Floats, index: Index, row: Integers, lines: Lines, near_m: float, out: Floats
) -> Floats:
    """Tell by which lines pings lie, and where, unless the vehicle runs the other way.

    Parameters
    ----------
    course
        Directions of :func:`courses`, shape (pings, 2).
    row
        Row of ``out`` of each pattern, NONE for those that are not asked for, shape (patterns,).
    near_m
        At most :data:`gtfs.line_index.REACH_M`.
    out
        Takes the first place along each line that is so near, infinity where none is, shape (rows, pings).
    """
    out[:] = np.inf
    for ping in range(len(course)):
        north = np.floor(samples.lat[ping] * index.per_degree[1])
        cell = np.int64(north) * STRIDE + np.int64(np.floor(samples.lon[ping] * index.per_degree[0]))
        place = np.searchsorted(index.cell, cell)
        if place == len(index.cell) or index.cell[place] != cell:
            continue
        for entry in range(index.start[place], index.start[place + 1]):
            number, corner = row[index.pattern[entry]], index.corner[entry]
            if number < 0 or lines.way_m[corner] >= out[number, ping]:
                continue
            ux, uy = lines.unit[corner, 0], lines.unit[corner, 1]
            if course[ping, 0] * ux + course[ping, 1] * uy < AGAINST:
                continue
            frame = lines.frame[index.pattern[entry]]
            px = (samples.lon[ping] - frame[0]) * frame[2] - lines.corner_m[corner, 0]
            py = (samples.lat[ping] - frame[1]) * frame[3] - lines.corner_m[corner, 1]
            along_m = min(max(px * ux + py * uy, 0.0), lines.way_m[corner + 1] - lines.way_m[corner])
            if (px - along_m * ux) ** 2 + (py - along_m * uy) ** 2 <= near_m**2:
                out[number, ping] = min(out[number, ping], lines.way_m[corner] + along_m)
    return out


@njit(cache=True, nogil=True)
def courses(samples: Samples, still_m: float) -> Floats:
    """Directions in which a vehicle came to its pings, 0 before it moved, shape (pings, 2); noise turns nothing."""
    course = np.zeros((len(samples.time_s), 2))
    since, x, y = 0, 0.0, 0.0
    for ping in range(len(course)):
        north = samples.lat[ping] - samples.lat[since]
        east = (samples.lon[ping] - samples.lon[since]) * np.cos(np.radians(samples.lat[ping]))
        way_m = 111_195.0 * np.hypot(east, north)
        if way_m > still_m:
            since, x, y = ping, 111_195.0 * east / way_m, 111_195.0 * north / way_m
        course[ping, 0], course[ping, 1] = x, y
    return course


@njit(cache=True, nogil=True)
def fit_trips(
    samples: Samples,
    tried: Tried,
    lines: Lines,
    plan: Plan,
    limits: Limits,
    progress: Progress,
    count: Integers,
    measure: Floats,
) -> None:
    """Hold a vehicle's pings against trips, each from where the vehicle may have begun it.

    A trip's fit begins with the first ping on its line, no earlier than a trip may, and anew after two pings in a row
    that are not on it.

    Parameters
    ----------
    samples
        The vehicle's pings by time; ``performed``, ``trip`` and ``clock_s`` are overwritten, shape (pings,).
    progress
        Blank, takes where each candidate would be, a row a candidate.
    count, measure
        Take the answers, shape (candidates, 4) each; the count is 0 where the trip does not fit.
    """
    pings = len(samples.time_s)
    way_m, off_m, late_s = np.empty(pings), np.empty(pings), np.empty(pings)
    for row in range(len(tried.trip)):
        trip = tried.trip[row]
        count[row], measure[row] = 0, np.nan
        samples.trip[:], samples.performed[:] = trip, row
        samples.clock_s[:] = samples.time_s - tried.origin_s[row]
        begin, ons, misses = NONE, 0, 0
        for ping in range(pings):
            near_m = tried.near_m[tried.line[row], ping]
            may_be = near_m < np.inf and (
                begin != NONE or lateness_s(trip, near_m, samples.clock_s[ping], plan) >= -2 * limits.early_s
            )
            if may_be and match_ping(ping, samples, lines, plan, limits, progress, way_m, off_m):
                if begin == NONE:
                    begin, ons = ping, 0
                late_s[ons] = lateness_s(trip, way_m[ping], samples.clock_s[ping], plan)
                ons, misses = ons + 1, 0
                continue
            misses += 1
            if misses >= MISSES:
                begin, progress.way_m[row] = NONE, np.nan
        if begin == NONE:
            continue
        count[row, BEGIN], count[row, COUNT], count[row, ON] = begin, pings - begin, ons
        measure[row, GAINED_M] = progress.way_m[row] - way_m[begin]
        measure[row, TRAVELLED_M], count[row, MOVES] = travelled(samples, begin)
        measure[row, LATE_S] = np.median(late_s[:ons])
        measure[row, FROM_M] = way_m[begin] - plan.call_way_m[plan.call_start[trip]]


@njit(cache=True, nogil=True)
def travelled(samples: Samples, begin: int) -> tuple[float, int]:
    """The way from ping to ping as the crow flies from one on, steps by noise left out, and the count of steps."""
    way_m, since, steps = 0.0, begin, 0
    for ping in range(begin + 1, len(samples.time_s)):
        step_m = apart_m(samples.lon[since], samples.lat[since], samples.lon[ping], samples.lat[ping])
        if step_m > NOISE_M:
            way_m, since, steps = way_m + step_m, ping, steps + 1
    return way_m, steps
