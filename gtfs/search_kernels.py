"""Kernels that go over the pings of vehicles which name no trip, and give them trips where the evidence is clear.

All is decided vehicle by vehicle and ping by ping; see :mod:`gtfs.trip_guess` for the rules.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from gtfs.guess_kernels import (
    BEGIN,
    COUNT,
    FROM_M,
    GAINED_M,
    LATE_S,
    LOOK,
    MISSES,
    MOVES,
    NONE,
    ON,
    STAYS,
    TRAVELLED_M,
    Index,
    Patience,
    Search,
    Tried,
    courses,
    fit_trips,
    follow,
    lines_near,
    travelled,
    wait,
)
from gtfs.trace_kernels import Calendar, Limits, Lines, Plan, Progress, Samples

Integers = npt.NDArray[np.integer]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

DAY_S = 86_400
MOST_DAYS = 3
"""Trips of so many service days can be under way at a time."""
DETOUR = 0.25
"""The way along a line may differ from the way that the vehicle has come by this share of the longer one."""
RIVAL_SHARE = 0.8
"""A rival fits as many pings, but for the rest."""
BY_BLOCK, BY_GEOMETRY = 4, 5
"""Values of :class:`gtfs.trip_claims.Evidence`."""


class Odds(NamedTuple):
    """What is clear evidence; see :class:`gtfs.trace_settings.TraceSettings`."""

    guess_pings: float
    guess_m: float
    guess_share: float
    guess_late_s: float
    guess_early_s: float
    block_late_s: float
    rival_s: float
    late_scale_s: float
    early_scale_s: float
    rival_odds: float
    block_odds: float
    branch_m: float
    begun_m: float
    still_m: float


class Roll(NamedTuple):
    """Trips of the timetable, shape (trips,) each.

    ``by_start`` are their rows in order of their first departures ``start_s``; ``longest_s`` is the longest from first
    departure to last arrival. ``route`` and ``block`` are rows, NONE where there is none.
    """

    by_start: Integers
    start_s: Floats
    longest_s: float
    route: Integers
    block: Integers


class Named(NamedTuple):
    """When vehicles first named trips themselves, by trip and vehicle, shape (namings,) each.

    ``key`` is the day times the count of trips, plus the trip; it never falls.
    """

    key: Integers
    vehicle: Integers
    since_s: Floats


class Said(NamedTuple):
    """Pings by vehicle and there by time, shape (pings,) each.

    What they say: row of the claim and of the route that it names, and the day, NONE where there is none. ``is_new``
    tells those that do not wait already. ``trip``, ``day`` and ``evidence`` are what they serve, ``is_final`` whether
    that is decided: written down for those that name no trip.
    """

    vehicle: Integers
    claim: Integers
    route: Integers
    named: Integers
    is_new: Flags
    trip: Integers
    day: Integers
    evidence: Integers
    is_final: Flags


class World(NamedTuple):
    """What is the same for all vehicles.

    Lines, trips and which lines pass a place; which services run on a day; the timetable's trips; parameters.
    ``only_day`` is the one service day that everything belongs to, NONE where each ping tells.
    """

    lines: Lines
    plan: Plan
    nearby: Index
    calendar: Calendar
    roll: Roll
    limits: Limits
    patience: Patience
    odds: Odds
    only_day: int


class Scratch(NamedTuple):
    """Room for candidates: trip, day and the moment from which it counts; and for the row of each pattern's line."""

    trip: Integers
    day: Integers
    origin_s: Floats
    line: Integers


class Known(NamedTuple):
    """What is known of vehicles, brought up to date, and of trips that were named; and room for what is tried."""

    search: Search
    progress: Progress
    named: Named
    scratch: Scratch


class Best(NamedTuple):
    """Candidates: what was tried, how each fits, and where each would be."""

    tried: Tried
    fits: Progress
    counts: Integers
    measure: Floats


@njit(cache=True, nogil=True)
def go_over(said: Said, samples: Samples, world: World, search: Search, progress: Progress, named: Named) -> None:
    """Go over pings and write down the trips of those that name none, and which of them are final.

    Parameters
    ----------
    samples
        The pings; ``performed`` is the vehicle, ``trip`` and ``clock_s`` are overwritten.
    search, progress
        What is known of vehicles, brought up to date.
    """
    pings, room = len(said.vehicle), MOST_DAYS * len(world.roll.by_start)
    scratch = Scratch(
        np.empty(room, np.int32),
        np.empty(room, np.int32),
        np.empty(room),
        np.full(len(world.lines.start) - 1, NONE, np.int32),
    )
    known = Known(search, progress, named, scratch)
    said.is_final[:] = True
    front, waits, begin = 0, NONE, 0
    while begin < pings:
        end = begin + 1
        while end < pings and _says_the_same(begin, end, said):
            end += 1
        vehicle = said.vehicle[begin]
        if not said.is_new[begin]:
            front, waits = begin, begin
            said.is_final[begin:end] = False
            begin = end
            continue
        is_same = False
        if waits != NONE and said.vehicle[waits] == vehicle:
            said.is_final[front:begin] = True
            _fill_gap(front, begin, said, search)
            is_same = said.claim[waits] == said.claim[begin] and said.named[waits] == said.named[begin]
        front = front if is_same else begin
        if said.trip[begin] >= 0:
            _note_named(vehicle, said.trip[begin], said.day[begin], search)
            waits = NONE
        else:
            front = _search(front, begin, end, said, samples, world, known)
            waits = begin
            said.is_final[front:end] = False
        begin = end


@njit(cache=True, nogil=True)
def _says_the_same(one: int, other: int, said: Said) -> bool:
    return bool(
        said.vehicle[one] == said.vehicle[other]
        and said.claim[one] == said.claim[other]
        and said.named[one] == said.named[other]
        and said.trip[one] == said.trip[other]
        and said.day[one] == said.day[other]
        and said.is_new[one] == said.is_new[other]
    )


@njit(cache=True, nogil=True)
def _fill_gap(front: int, begin: int, said: Said, search: Search) -> None:
    """Pings that wait between two others by which a vehicle names the same trip are of that trip."""
    vehicle, trip, day = said.vehicle[begin], said.trip[begin], said.day[begin]
    is_past = search.past_trip[vehicle] == trip and search.past_day[vehicle] == day
    if trip != NONE and search.is_named[vehicle] and is_past:
        said.trip[front:begin], said.day[front:begin] = trip, day


@njit(cache=True, nogil=True)
def _note_named(vehicle: int, trip: int, day: int, search: Search) -> None:
    """Note the trip that a vehicle names itself; nothing is searched then."""
    search.trip[vehicle] = search.day[vehicle] = NONE
    search.past_trip[vehicle], search.past_day[vehicle] = trip, day
    search.is_done[vehicle], search.is_named[vehicle], search.run_m[vehicle] = False, True, 0.0
    search.anchor_s[vehicle] = search.last_s[vehicle] = np.nan


@njit(cache=True, nogil=True)
def _leave(vehicle: int, search: Search) -> None:
    """A vehicle serves its trip no more."""
    search.past_trip[vehicle], search.past_day[vehicle] = search.trip[vehicle], search.day[vehicle]
    search.trip[vehicle] = search.day[vehicle] = NONE
    search.is_done[vehicle], search.is_named[vehicle], search.run_m[vehicle] = True, False, 0.0


@njit(cache=True, nogil=True)
def _search(front: int, row: int, end: int, said: Said, samples: Samples, world: World, known: Known) -> int:
    """Go over pings of a vehicle that say the same and name no trip; the first that waits then."""
    vehicle, route, search = said.vehicle[row], said.route[row], known.search
    if search.trip[vehicle] >= 0 and route != NONE and route != world.roll.route[search.trip[vehicle]]:
        _leave(vehicle, search)
    while row < end:
        if search.trip[vehicle] >= 0:
            row = _follow(row, end, said, samples, world, known)
            front = row
            continue
        row, front, come_to = wait(front, (row, end), samples, vehicle, search, world.patience)
        if come_to == LOOK and _look(front, row, said, samples, world, known):
            front = row
    return front


@njit(cache=True, nogil=True)
def _look(front: int, end: int, said: Said, samples: Samples, world: World, known: Known) -> bool:
    """Look whether the pings that wait are clear evidence of a trip, and give it to them."""
    window, scratch = _window(samples, front, end), known.scratch
    vehicle, now_s = said.vehicle[front], samples.time_s[end - 1]
    if not _may_tell(window, world.odds):
        return False
    about = _under_way(now_s, said.named[end - 1], said.route[end - 1], world, scratch)
    found = _fits(window, about, scratch, world)
    best, is_of_block = _clear(vehicle, found, scratch, world, known.search)
    if best == NONE:
        return False
    trip, day = scratch.trip[best], scratch.day[best]
    if _is_taken(np.int64(day) * len(world.roll.by_start) + trip, vehicle, now_s, known.named):
        return False
    begin = front + found.counts[best, BEGIN]
    said.trip[begin:end], said.day[begin:end] = trip, day
    said.evidence[begin:end] = BY_BLOCK if is_of_block else BY_GEOMETRY
    known.search.trip[vehicle], known.search.day[vehicle], known.search.on_s[vehicle] = trip, day, now_s
    _give(vehicle, best, found.fits, known.progress)
    end_m = world.plan.call_way_m[world.plan.call_start[trip + 1] - 1]
    if known.progress.way_m[vehicle] >= end_m - world.limits.zone_m:
        _leave(vehicle, known.search)  # it is over by now
    return True


@njit(cache=True, nogil=True)
def _window(samples: Samples, begin: int, end: int) -> Samples:
    """Some pings, with room of their own for what kernels overwrite."""
    return Samples(
        samples.performed[begin:end].copy(),
        samples.trip[begin:end].copy(),
        samples.time_s[begin:end],
        samples.clock_s[begin:end].copy(),
        samples.lon[begin:end],
        samples.lat[begin:end],
        samples.heading_deg[begin:end],
        samples.speed_mps[begin:end],
    )


@njit(cache=True, nogil=True)
def _may_tell(window: Samples, odds: Odds) -> bool:
    """Whether pings are enough, and far enough apart, to be evidence of any trip."""
    way_m, steps = travelled(window, 0)
    return bool(steps >= odds.guess_pings - 1 and way_m >= (1 - DETOUR) * odds.guess_m)


@njit(cache=True, nogil=True)
def _follow(row: int, end: int, said: Said, samples: Samples, world: World, known: Known) -> int:
    """Go along the trip that a vehicle was given; the first ping that belongs to it no more."""
    vehicle, search, calendar = said.vehicle[row], known.search, world.calendar
    trip, day = search.trip[vehicle], search.day[vehicle]
    number = min(max(day - calendar.first_day, 0), len(calendar.origin_s) - 1)
    part = _window(samples, row, end)
    part.trip[:] = trip
    part.clock_s[:] = part.time_s - calendar.origin_s[number]
    lines, plan, limits = world.lines, world.plan, world.limits
    count, come_to = follow(part, vehicle, lines, plan, limits, world.patience, search, known.progress)
    said.trip[row : row + count], said.day[row : row + count] = trip, day
    if come_to != STAYS:
        _leave(vehicle, search)
    return int(row + count)


@njit(cache=True, nogil=True)
def _under_way(time_s: float, day: int, route: int, world: World, scratch: Scratch) -> int:
    """Count of the trips that run about a time, of the route and on the day that are named, if any."""
    calendar, roll, slack_s = world.calendar, world.roll, world.odds.rival_s
    day = day if world.only_day == NONE else world.only_day
    today = int(time_s // DAY_S)
    first, last = (today - 1, today + 1) if day == NONE else (day, day)
    count = 0
    for number in range(max(first - calendar.first_day, 0), min(last - calendar.first_day + 1, len(calendar.origin_s))):
        clock_s = time_s - calendar.origin_s[number]
        for place in range(np.searchsorted(roll.start_s, clock_s - slack_s - roll.longest_s), len(roll.start_s)):
            trip = roll.by_start[place]
            if roll.start_s[place] - slack_s > clock_s:
                break
            is_wanted = route == NONE or roll.route[trip] == route
            if not is_wanted or clock_s > calendar.trip_span_s[trip, 1] + slack_s:
                continue
            if calendar.runs[calendar.trip_service[trip], number]:
                scratch.trip[count], scratch.day[count] = trip, number + calendar.first_day
                scratch.origin_s[count] = calendar.origin_s[number]
                count += 1
    return count


@njit(cache=True, nogil=True)
def _fits(window: Samples, about: int, scratch: Scratch, world: World) -> Best:
    """Candidates whose lines a vehicle's last pings lie by, moved to the front, and how each fits all its pings."""
    lines = 0
    for row in range(about):
        pattern = world.plan.pattern[scratch.trip[row]]
        if scratch.line[pattern] == NONE:
            scratch.line[pattern] = lines
            lines += 1
    near_m = np.empty((lines, len(window.time_s)))
    course = courses(window, world.odds.still_m)
    lines_near(window, course, world.nearby, scratch.line, world.lines, world.limits.off_route_m, near_m)
    line, here = np.empty(about, np.int64), 0
    for row in range(about):
        number = scratch.line[world.plan.pattern[scratch.trip[row]]]
        if np.isfinite(near_m[number, -MISSES:]).any():
            scratch.trip[here], scratch.day[here] = scratch.trip[row], scratch.day[row]
            scratch.origin_s[here], line[here] = scratch.origin_s[row], number
            here += 1
    scratch.line[:] = NONE
    tried = Tried(scratch.trip[:here], scratch.origin_s[:here], line[:here], near_m)
    fits = Progress(
        np.full(here, np.nan),
        np.full(here, np.nan),
        np.full((here, 2), np.nan),
        np.zeros(here, np.int32),
        np.full(here, np.nan),
        np.full(here, np.nan),
    )
    count, measure = np.empty((here, 4), np.int32), np.empty((here, 4))
    fit_trips(window, tried, world.lines, world.plan, world.limits, fits, count, measure)
    return Best(tried, fits, count, measure)


@njit(cache=True, nogil=True)
def _is_of_block(vehicle: int, trip: int, day: int, starts_s: Floats, roll: Roll, search: Search) -> bool:
    """Whether the vehicle's duty has a trip next: it is the one that it named last, or a later one of its block."""
    past = search.past_trip[vehicle]
    if past == NONE or day != search.past_day[vehicle]:
        return False
    if trip == past:
        return not search.is_done[vehicle]
    return bool(roll.block[past] != NONE and roll.block[trip] == roll.block[past] and starts_s[trip] > starts_s[past])


@njit(cache=True, nogil=True)
def _clear(vehicle: int, found: Best, scratch: Scratch, world: World, search: Search) -> tuple[int, bool]:
    """Row of the one candidate that fits where no other does as well, and whether it is of the vehicle's block.

    NONE where there is no such. What the vehicle itself named tells more of its block than what it was given.
    """
    odds, count, measure = world.odds, found.counts, found.measure
    rows, starts_s, is_named = len(count), world.calendar.trip_span_s[:, 0], search.is_named[vehicle]
    block_odds = odds.block_odds * (1.0 if is_named else 0.5)
    cost, is_sound, of_block = np.empty(rows), np.zeros(rows, np.bool_), np.zeros(rows, np.bool_)
    best = NONE
    for row in range(rows):
        late_s = measure[row, LATE_S]
        of_block[row] = _is_of_block(vehicle, scratch.trip[row], scratch.day[row], starts_s, world.roll, search)
        cost[row] = late_s / odds.late_scale_s if late_s > 0 else -late_s / odds.early_scale_s
        cost[row] -= block_odds if of_block[row] else 0.0
        most_late_s = odds.block_late_s if of_block[row] else odds.guess_late_s
        is_sound[row] = _is_sound(count[row], measure[row], most_late_s, odds)
        if is_sound[row] and (best == NONE or cost[row] < cost[best]):
            best = row
    if best == NONE:
        return NONE, False
    for row in range(rows):
        if row == best or not (is_sound[row] or _is_rival(count, measure, row, best, odds, world.limits)):
            continue
        if cost[row] < cost[best] + odds.rival_odds:
            return NONE, False
        branches = world.plan.pattern[scratch.trip[row]] != world.plan.pattern[scratch.trip[best]]
        if branches and abs(measure[row, LATE_S]) <= odds.block_late_s and not (is_named and of_block[best]):
            return NONE, False
    return best, of_block[best]


@njit(cache=True, nogil=True)
def _is_sound(count: Integers, measure: Floats, most_late_s: float, odds: Odds) -> bool:
    """Whether a candidate fits well enough to be given."""
    gained_m, travelled_m, late_s = measure[GAINED_M], measure[TRAVELLED_M], measure[LATE_S]
    if count[MOVES] < odds.guess_pings - 1 or count[ON] < odds.guess_share * count[COUNT]:
        return False
    if not (gained_m >= odds.guess_m and abs(gained_m - travelled_m) <= DETOUR * max(gained_m, travelled_m)):
        return False
    return bool(-odds.guess_early_s <= late_s <= most_late_s)


@njit(cache=True, nogil=True)
def _is_rival(count: Integers, measure: Floats, row: int, best: int, odds: Odds, limits: Limits) -> bool:
    """Whether a candidate explains as much of the way as the best, or begins here."""
    gained_m = measure[row, GAINED_M]
    as_far = gained_m >= measure[best, GAINED_M] - odds.branch_m
    explains = as_far and count[row, ON] >= RIVAL_SHARE * count[best, ON]
    return bool(explains or (measure[row, FROM_M] <= limits.slack_m and gained_m >= odds.begun_m))


@njit(cache=True, nogil=True)
def _is_taken(key: int, vehicle: int, now_s: float, named: Named) -> bool:
    """Whether another vehicle has named a trip by now: then this one runs beside it, or ahead of its own."""
    row = np.searchsorted(named.key, key)
    while row < len(named.key) and named.key[row] == key:
        if named.vehicle[row] != vehicle and named.since_s[row] <= now_s:
            return True
        row += 1
    return False


@njit(cache=True, nogil=True)
def _give(vehicle: int, best: int, fits: Progress, progress: Progress) -> None:
    """Note where on its trip a vehicle is."""
    progress.way_m[vehicle], progress.time_s[vehicle] = fits.way_m[best], fits.time_s[best]
    progress.lonlat[vehicle], progress.segment[vehicle] = fits.lonlat[best], fits.segment[best]
    progress.begun_m[vehicle], progress.begun_s[vehicle] = fits.begun_m[best], fits.begun_s[best]
