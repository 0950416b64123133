"""Trace kernels: pings in, places on their trips' lines out; arrays alone, compiled by numba.

Pings come sorted by vehicle and there by time. What a kernel must know of earlier pings stands in arrays that the
caller keeps, so that a trace may come in pieces of any size and gives the same as at once.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt
from numba import njit

Kernel = TypeVar("Kernel", bound=Callable[..., Any])

Integers = npt.NDArray[np.integer]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

NONE = -1
KEPT, DUPLICATE, JUMP = 0, 1, 2
"""What screening finds a ping to be."""
MATCHED, OFF_ROUTE, NOT_STARTED, FINISHED, NO_TRIP = 0, 1, 2, 3, 4
"""What matching finds a ping to be."""
ARRIVAL, DEPARTURE, SKIPPED = 0, 1, 2
"""What happened at a call."""
DAY_S = 86_400
MOST_AWAY_S = 12 * 3600.0
"""A trip is not meant so long before its departure or after its arrival: that is another day's."""
NO_SERVICE_S = 6 * 3600.0
"""So much farther than others is a service day on which a trip does not run."""
AGAINST_HEADING = 4.0
"""Cost of a place where the line runs against the vehicle's heading."""
LATENESS_S = 120.0
"""Scale of the deviation from the timetable where a trip is first looked for."""
AHEAD = 16
"""So many calls ahead are watched while a vehicle is off its route."""


def uncounted(function: Kernel) -> Kernel:
    """Compile what allocates nothing, without references being counted: that costs several times the work itself."""
    compiled: Kernel = njit(cache=True, nogil=True, forceinline=True, _nrt=False)(function)  # type: ignore[call-overload]
    return compiled


class Limits(NamedTuple):
    """Parameters of the kernels; see :class:`gtfs.trace_settings.TraceSettings`."""

    duplicate_s: float
    speed_mps: float
    moving_mps: float
    noise_m: float
    detour_m: float
    slack_m: float
    off_route_m: float
    early_s: float
    bridge_s: float
    zone_m: float
    dwell_s: float
    run_mps: float
    skip_m: float
    known_s: float


class Lines(NamedTuple):
    """Patterns as lines, see :class:`gtfs.pattern_lines.PatternLines`.

    ``unit`` is the direction from each corner to the next, nothing where they are one place, shape (corners, 2).
    """

    start: Integers
    corner_m: Floats
    unit: Floats
    way_m: Floats
    frame: Floats


class Plan(NamedTuple):
    """Trips and their calls: pattern of each trip, first call of each (and the end), place, times and stop of calls.

    ``call_lonlat`` has the stops' degrees, shape (calls, 2).
    """

    pattern: Integers
    call_start: Integers
    call_way_m: Floats
    call_time_s: Floats
    call_lonlat: Floats


class Samples(NamedTuple):
    """Pings, shape (pings,) each.

    ``performed`` is the row of the performed trip that they belong to and ``trip`` that of the timetable's, both NONE
    where unknown; ``time_s`` is in epoch seconds, ``clock_s`` on the clock of the service day.
    """

    performed: Integers
    trip: Integers
    time_s: Floats
    clock_s: Floats
    lon: Floats
    lat: Floats
    heading_deg: Floats
    speed_mps: Floats


class Fixes(NamedTuple):
    """The pings of each vehicle so far: the newest time, the last one kept, and the one refused after it.

    ``kept`` and ``refused`` are time, longitude and latitude, NaN where there is none, shape (vehicles, 3).
    """

    newest_s: Floats
    doubted_s: Floats
    kept: Floats
    refused: Floats


class Tails(NamedTuple):
    """The performed trip that each vehicle is on and the one before, NONE where there is none.

    ``left_s`` is its last ping on the one before, ``last_s`` its last of all, shape (vehicles,) each.
    """

    now: Integers
    before: Integers
    left_s: Floats
    last_s: Floats


class Progress(NamedTuple):
    """How far each performed trip has come, NaN before it was found on its line.

    ``way_m`` along the line, at ``time_s``; ``lonlat`` was the vehicle's place then. ``segment`` is the corner before.
    ``begun_m`` is where it was found first, ``begun_s`` when it was last seen standing there, NaN if never.
    """

    way_m: Floats
    time_s: Floats
    lonlat: Floats
    segment: Integers
    begun_m: Floats
    begun_s: Floats


class Passage(NamedTuple):
    """Where each performed trip was last seen on its line, and what it did off it since.

    ``way_m``, ``time_s`` of the last ping on the line, NaN before the first. ``last`` is the time, longitude and
    latitude of the last ping of any kind, shape (performed, 3). ``is_off`` since a ping off the line; then ``gap_s`` is
    the longest time between pings, and ``near_m``, shape (performed, AHEAD), how near it came to each of the calls from
    the one ahead on.
    """

    way_m: Floats
    time_s: Floats
    last: Floats
    is_off: Flags
    gap_s: Floats
    near_m: Floats


class Crossings(NamedTuple):
    """What happened at calls, shape (crossings,).

    The performed trip, the call (row of the plan), the kind and when; the time of the ping after it, and between that
    and the ping before; how near a stop that was skipped was passed.
    """

    performed: Integers
    call: Integers
    kind: Integers
    time_s: Floats
    until_s: Floats
    gap_s: Floats
    near_m: Floats


@njit(cache=True, nogil=True)
def admit(
    vehicle: Integers, time_s: Floats, hold_s: float, ahead_s: float, newest_s: Floats, doubted_s: Floats, out: Flags
) -> Flags:
    """Let in pings that come no later than the hold after a newer one of their vehicle.

    A ping more than ``ahead_s`` ahead of all before it may be a mistake of the vehicle's clock: the others are held
    against it only once a second one is near it.

    Parameters
    ----------
    vehicle, time_s
        In order of arrival, shape (pings,).
    newest_s, doubted_s
        Newest time of each vehicle so far, -inf before the first, and one far ahead of that, NaN where there is none;
        brought up to date, shape (vehicles,).
    out
        Takes the answer, shape (pings,).
    """
    for ping in range(len(vehicle)):
        row, now_s = vehicle[ping], time_s[ping]
        out[ping] = now_s >= newest_s[row] - hold_s
        if now_s <= newest_s[row] + ahead_s:
            newest_s[row] = max(newest_s[row], now_s)
        elif abs(now_s - doubted_s[row]) <= ahead_s:
            newest_s[row], doubted_s[row] = max(now_s, doubted_s[row]), np.nan
        else:
            doubted_s[row] = now_s
    return out


@njit(cache=True, nogil=True)
def trail(
    vehicle: Integers, performed: Integers, time_s: Floats, tail_s: float, tails: Tails, out: Integers
) -> Integers:
    """Tell which trip a vehicle was on before, for some time after it named another or none.

    Parameters
    ----------
    vehicle, performed, time_s
        By vehicle and there by time, shape (pings,).
    out
        Takes the performed trip before, NONE where there is none or it is too long ago, shape (pings,).
    """
    for ping in range(len(vehicle)):
        row = vehicle[ping]
        if performed[ping] != tails.now[row]:
            if tails.now[row] >= 0:
                tails.before[row], tails.left_s[row] = tails.now[row], tails.last_s[row]
            tails.now[row] = performed[ping]
        tails.last_s[row] = time_s[ping]
        is_after = tails.before[row] != performed[ping] and time_s[ping] - tails.left_s[row] <= tail_s
        out[ping] = tails.before[row] if is_after else NONE
    return out


@njit(cache=True, nogil=True)
def order_by_vehicle(vehicle: Integers, time_s: Floats, lat: Floats, lon: Floats, rank: Integers) -> Integers:
    """Order of pings by vehicle and there by time, then place, then rank, shape (pings,); stable.

    A count of vehicles, then insertion: pings of a vehicle come almost in order.
    """
    pings = len(vehicle)
    start = np.zeros((vehicle.max() if pings else 0) + 2, np.int64)
    for ping in range(pings):
        start[vehicle[ping] + 1] += 1
    start = np.cumsum(start)
    fill = start.copy()
    order = np.empty(pings, np.int64)
    for ping in range(pings):
        row = vehicle[ping]
        place = fill[row]
        fill[row] += 1
        while place > start[row] and _before(ping, order[place - 1], time_s, lat, lon, rank):
            order[place] = order[place - 1]
            place -= 1
        order[place] = ping
    return order


@njit(cache=True, nogil=True)
def _before(one: int, other: int, time_s: Floats, lat: Floats, lon: Floats, rank: Integers) -> bool:
    if time_s[one] != time_s[other]:
        return bool(time_s[one] < time_s[other])
    if lat[one] != lat[other]:
        return bool(lat[one] < lat[other])
    if lon[one] != lon[other]:
        return bool(lon[one] < lon[other])
    return bool(rank[one] < rank[other])


@njit(cache=True, nogil=True)
def screen(
    vehicle: Integers, time_s: Floats, lon: Floats, lat: Floats, fixes: Fixes, limits: Limits, out: Integers
) -> Integers:
    """Find repeated pings and impossible jumps.

    A ping that follows the last kept one within ``duplicate_s`` is a duplicate. One that could be reached only faster
    than ``speed_mps`` is a jump; but where the next one confirms it, the place before was the mistake, and the vehicle
    goes on from there. A jump that is repeated within ``duplicate_s`` confirms nothing.

    Returns
    -------
    ``out``: KEPT, DUPLICATE or JUMP, shape (pings,).
    """
    for ping in range(len(vehicle)):
        row = vehicle[ping]
        kept, refused = fixes.kept[row], fixes.refused[row]
        out[ping] = KEPT
        if time_s[ping] - kept[0] < limits.duplicate_s:
            out[ping] = DUPLICATE
            continue
        if _too_fast(kept, time_s[ping], lon[ping], lat[ping], limits.speed_mps):
            if time_s[ping] - refused[0] < limits.duplicate_s:
                out[ping] = DUPLICATE
                continue
            confirms = not np.isnan(refused[0]) and not _too_fast(
                refused, time_s[ping], lon[ping], lat[ping], limits.speed_mps
            )
            if not confirms:
                out[ping] = JUMP
                refused[0], refused[1], refused[2] = time_s[ping], lon[ping], lat[ping]
                continue
        kept[0], kept[1], kept[2] = time_s[ping], lon[ping], lat[ping]
        refused[0] = np.nan
    return out


@njit(cache=True, nogil=True)
def _too_fast(fix: Floats, time_s: float, lon: float, lat: float, speed_mps: float) -> bool:
    return bool(_apart_m(fix[1], fix[2], lon, lat) > speed_mps * (time_s - fix[0]))


@njit(cache=True, nogil=True)
def _apart_m(lon_a: float, lat_a: float, lon_b: float, lat_b: float) -> float:
    """Distance of two near places on a sphere; NaN where one is unknown."""
    degree_m = 111_195.0
    north = (lat_b - lat_a) * degree_m
    east = (lon_b - lon_a) * degree_m * np.cos(np.radians(0.5 * (lat_a + lat_b)))
    apart_m: float = np.hypot(north, east)
    return apart_m


class Calendar(NamedTuple):
    """Service days from ``first_day`` on.

    The epoch second from which each counts, shape (days,), and whether a service runs, shape (services, days); the
    service of each trip, and its first departure and last arrival, shape (trips,) and (trips, 2).
    """

    first_day: int
    origin_s: Floats
    runs: Flags
    trip_service: Integers
    trip_span_s: Floats


@njit(cache=True, nogil=True)
def choose_trips(
    meaning: Integers,
    day: Integers,
    time_s: Floats,
    candidate_start: Integers,
    candidate: Integers,
    calendar: Calendar,
    out: Integers,
) -> Integers:
    """Choose trip and service day of pings by time.

    Of the trips that are meant, on the day that is named or else on any, the one is chosen whose span from departure to
    arrival is nearest in time; days without service count as :data:`NO_SERVICE_S` farther. Of several under way the
    last to have left is taken. A day can be meant while its clock shows no less than -24 h and less than 48 h, and a
    trip no more than :data:`MOST_AWAY_S` away from its span, whatever is named.

    Parameters
    ----------
    meaning
        Row of the candidates, shape (pings,); negative for none.
    day
        Day that is named, shape (pings,); negative for none.
    candidate_start, candidate
        Trips of each meaning as compressed rows.
    out
        Takes trip and day, NONE where there is none, shape (pings, 2).
    """
    days = len(calendar.origin_s)
    for ping in range(len(meaning)):
        out[ping, 0] = out[ping, 1] = NONE
        if meaning[ping] < 0:
            continue
        today = int((time_s[ping] - calendar.origin_s[0]) // DAY_S)  # or a day off, where clocks change
        first, end = today - 2, today + 3
        if day[ping] >= 0:
            first, end = day[ping] - calendar.first_day, day[ping] - calendar.first_day + 1
        least, left_s = np.inf, -np.inf
        for place in range(candidate_start[meaning[ping]], candidate_start[meaning[ping] + 1]):
            trip = candidate[place]
            for number in range(max(first, 0), min(end, days)):
                clock_s = time_s[ping] - calendar.origin_s[number]
                if not -DAY_S <= clock_s < 2 * DAY_S:
                    continue
                away_s = max(calendar.trip_span_s[trip, 0] - clock_s, clock_s - calendar.trip_span_s[trip, 1], 0.0)
                if away_s > MOST_AWAY_S:
                    continue
                if day[ping] < 0 and not calendar.runs[calendar.trip_service[trip], number]:
                    away_s += NO_SERVICE_S
                starts_s = calendar.trip_span_s[trip, 0] + calendar.origin_s[number]
                if away_s < least or (away_s == least and starts_s > left_s):
                    least, left_s = away_s, starts_s
                    out[ping, 0], out[ping, 1] = trip, number + calendar.first_day
    return out


@uncounted
def match_pings(
    samples: Samples,
    lines: Lines,
    plan: Plan,
    limits: Limits,
    progress: Progress,
    way_m: Floats,
    off_m: Floats,
    found: Integers,
) -> None:
    """Find where on its trip's line each vehicle is: forward from where it was, as far as it can have come.

    The place is chosen that costs least: ``off ** 2 / (2 noise ** 2)`` for the distance from the line, and what its way
    along the line differs from the way as the crow flies, in units of ``detour_m`` (the terms of Newson & Krumm 2009,
    with one step of memory), and a fixed cost where the vehicle heads the other way. For a trip that was not found yet
    the deviation from the timetable stands in for the way.

    A trip is begun at its first call, or where a vehicle that is due moves along the line; until then it may stand
    where its line passes, and begin elsewhere.

    Parameters
    ----------
    way_m, off_m, found
        Take the answers, shape (pings,): place along the line, NaN unless MATCHED; distance from the line, NaN where
        nothing was looked for; MATCHED, OFF_ROUTE, NOT_STARTED, FINISHED or NO_TRIP.
    """
    for ping in range(len(samples.trip)):
        way_m[ping] = off_m[ping] = np.nan
        trip, row = samples.trip[ping], samples.performed[ping]
        if trip < 0 or row < 0 or plan.call_start[trip] == plan.call_start[trip + 1]:
            found[ping] = NO_TRIP
            continue
        last_call_m = plan.call_way_m[plan.call_start[trip + 1] - 1]
        is_over = progress.way_m[row] >= last_call_m - limits.zone_m
        if is_over and _has_begun(ping, samples, plan, limits, progress):
            stays = _match_ping(ping, samples, lines, plan, limits, progress, way_m, off_m)
            found[ping] = MATCHED if stays else FINISHED
            continue
        found[ping] = _follow_trip(ping, samples, lines, plan, limits, progress, way_m, off_m)


@uncounted
def _follow_trip(
    ping: int,
    samples: Samples,
    lines: Lines,
    plan: Plan,
    limits: Limits,
    progress: Progress,
    way_m: Floats,
    off_m: Floats,
) -> int:
    """Find a ping on its trip, if that is begun; what it is found to be."""
    row, first = samples.performed[ping], plan.call_start[samples.trip[ping]]
    if samples.clock_s[ping] < plan.call_time_s[first, 1] - limits.early_s:
        progress.way_m[row] = np.nan  # nothing can have begun yet
    begins = np.isnan(progress.way_m[row])
    is_on = _match_ping(ping, samples, lines, plan, limits, progress, way_m, off_m)
    if not is_on and not begins and not _has_begun(ping, samples, plan, limits, progress):
        progress.way_m[row], begins = np.nan, True
        is_on = _match_ping(ping, samples, lines, plan, limits, progress, way_m, off_m)
    if not is_on:
        return NOT_STARTED if begins else OFF_ROUTE
    if begins:
        progress.begun_m[row] = way_m[ping]
    if _has_begun(ping, samples, plan, limits, progress):
        return MATCHED
    if begins or way_m[ping] <= progress.begun_m[row] + limits.noise_m:
        progress.begun_s[row] = samples.time_s[ping]
    way_m[ping] = np.nan
    return NOT_STARTED


@uncounted
def _has_begun(ping: int, samples: Samples, plan: Plan, limits: Limits, progress: Progress) -> bool:
    """Whether a vehicle that was found on its line is on its way there: nobody waits elsewhere long after departure."""
    row, first = samples.performed[ping], plan.call_start[samples.trip[ping]]
    if samples.clock_s[ping] >= plan.call_time_s[first, 1] + limits.bridge_s:
        return True
    begun_m = progress.begun_m[row]
    is_at_first = begun_m <= plan.call_way_m[first] + limits.zone_m
    return bool(is_at_first or progress.way_m[row] >= begun_m + limits.zone_m)


class _Search(NamedTuple):
    """Where to look for a ping.

    From which corner and way on, and up to which; how far it is as the crow flies from the place before, NaN where
    there is none; where it is in the line's frame, and which way it heads, nothing where that is not known.
    """

    segment: int
    from_m: float
    until_m: float
    straight_m: float
    x_m: float
    y_m: float
    head_x: float
    head_y: float


@uncounted
def _match_ping(
    ping: int,
    samples: Samples,
    lines: Lines,
    plan: Plan,
    limits: Limits,
    progress: Progress,
    way_m: Floats,
    off_m: Floats,
) -> bool:
    """Place of one ping, noted where it is near enough to its line."""
    row = samples.performed[ping]
    search = _search(ping, samples, lines, plan, limits, progress)
    best_m, off_m[ping], segment = _nearest_place(ping, search, samples, lines, plan, limits)
    if not off_m[ping] <= limits.off_route_m:
        return False
    way_m[ping] = best_m
    progress.way_m[row], progress.time_s[row] = best_m, samples.time_s[ping]
    progress.lonlat[row, 0], progress.lonlat[row, 1] = samples.lon[ping], samples.lat[ping]
    progress.segment[row] = segment
    return True


@uncounted
def _search(ping: int, samples: Samples, lines: Lines, plan: Plan, limits: Limits, progress: Progress) -> _Search:
    trip, row = samples.trip[ping], samples.performed[ping]
    frame = lines.frame[plan.pattern[trip]]
    segment, from_m, until_m, straight_m = lines.start[plan.pattern[trip]], -np.inf, np.inf, np.nan
    if not np.isnan(progress.way_m[row]):
        segment, from_m = progress.segment[row], progress.way_m[row]
        wait_s = samples.time_s[ping] - progress.time_s[row]
        if wait_s <= limits.bridge_s:
            until_m = from_m + limits.speed_mps * wait_s + limits.slack_m
            east_m = (samples.lon[ping] - progress.lonlat[row, 0]) * frame[2]
            straight_m = np.hypot(east_m, (samples.lat[ping] - progress.lonlat[row, 1]) * frame[3])
    else:
        since_s = samples.clock_s[ping] - plan.call_time_s[plan.call_start[trip], 1] + limits.early_s
        until_m = plan.call_way_m[plan.call_start[trip]] + limits.run_mps * max(0.0, since_s)
        if since_s < 0 or not np.isnan(progress.begun_m[row]):
            from_m = plan.call_way_m[plan.call_start[trip]]  # it waited there, and comes no more from before it
    head_x, head_y = 0.0, 0.0
    if samples.speed_mps[ping] >= limits.moving_mps and not np.isnan(samples.heading_deg[ping]):
        head_x, head_y = np.sin(np.radians(samples.heading_deg[ping])), np.cos(np.radians(samples.heading_deg[ping]))
    x_m, y_m = (samples.lon[ping] - frame[0]) * frame[2], (samples.lat[ping] - frame[1]) * frame[3]
    return _Search(segment, from_m, until_m, straight_m, x_m, y_m, head_x, head_y)


@uncounted
def _nearest_place(
    ping: int, search: _Search, samples: Samples, lines: Lines, plan: Plan, limits: Limits
) -> tuple[float, float, int]:
    """The place that costs least: its way along the line, its distance from the ping, the corner before it."""
    trip = samples.trip[ping]
    follows = not np.isnan(search.straight_m)
    per_m2, per_m = 0.5 / limits.noise_m**2, 1 / limits.detour_m
    least, best_m, best_m2, best_segment = np.inf, np.nan, np.nan, search.segment
    for corner in range(search.segment, lines.start[plan.pattern[trip] + 1] - 1):
        begin_m = lines.way_m[corner]
        if begin_m > search.until_m or (begin_m - search.from_m - search.straight_m) * per_m > least:
            break
        length_m = lines.way_m[corner + 1] - begin_m
        if begin_m + length_m < search.from_m:
            continue
        px, py = search.x_m - lines.corner_m[corner, 0], search.y_m - lines.corner_m[corner, 1]
        ux, uy = lines.unit[corner, 0], lines.unit[corner, 1]
        along_m = min(max(px * ux + py * uy, 0.0, search.from_m - begin_m), length_m, search.until_m - begin_m)
        away_m2 = (px - along_m * ux) ** 2 + (py - along_m * uy) ** 2
        cost = away_m2 * per_m2
        if follows:
            cost += abs(begin_m + along_m - search.from_m - search.straight_m) * per_m
        if search.head_x * ux + search.head_y * uy < 0:
            cost += AGAINST_HEADING
        if cost < least and not follows:
            cost += abs(_lateness_s(trip, begin_m + along_m, samples.clock_s[ping], plan)) / LATENESS_S
        if cost < least:
            least, best_m, best_m2, best_segment = cost, begin_m + along_m, away_m2, corner
    return best_m, np.sqrt(best_m2), best_segment


@uncounted
def _lateness_s(trip: int, way_m: float, clock_s: float, plan: Plan) -> float:
    """Roughly how late a vehicle would be at a place, between the departure behind and the arrival ahead."""
    low, high = plan.call_start[trip], plan.call_start[trip + 1] - 1
    if way_m <= plan.call_way_m[low]:
        return max(0.0, clock_s - float(plan.call_time_s[low, 1]))
    if way_m >= plan.call_way_m[high]:
        return clock_s - float(plan.call_time_s[high, 0])
    while high - low > 1:
        middle = (low + high) // 2
        if plan.call_way_m[middle] <= way_m:
            low = middle
        else:
            high = middle
    between_m = plan.call_way_m[high] - plan.call_way_m[low]
    share = (way_m - plan.call_way_m[low]) / between_m if between_m > 0 else 0.0
    left_s, reached_s = float(plan.call_time_s[low, 1]), float(plan.call_time_s[high, 0])
    return clock_s - (left_s + share * (reached_s - left_s))


@njit(cache=True, nogil=True)
def cross_calls(
    samples: Samples,
    way_m: Floats,
    found: Integers,
    lines: Lines,
    plan: Plan,
    limits: Limits,
    passage: Passage,
    progress: Progress,
) -> Crossings:
    """Tell when vehicles came to calls and left them: when their distance-time curve crosses the edge of a call's zone.

    Between two pings a vehicle runs at one speed, but stands ``dwell_s`` at each call whose zone lies wholly between
    them and that was not skipped, or as long as there is time when it runs at ``run_mps``. What lies between pings more
    than ``bridge_s`` apart is left out. A call that was passed off the line, never nearer than ``skip_m``, with no two
    pings more than ``known_s`` apart, was skipped.

    Parameters
    ----------
    way_m, found, progress
        Answers of :func:`match_pings`, shape (pings,), and what it knows now.
    """
    out = _new_crossings(max(16, len(way_m)))
    ping = count = 0
    while True:
        ping, count = _cross_pings(ping, count, samples, (way_m, found), lines, plan, limits, (passage, progress, out))
        if ping == len(way_m):
            break
        out = _grown(out, 2 * _room_needed(ping, count, samples, plan))
    return Crossings(
        out.performed[:count],
        out.call[:count],
        out.kind[:count],
        out.time_s[:count],
        out.until_s[:count],
        out.gap_s[:count],
        out.near_m[:count],
    )


@uncounted
def _cross_pings(
    ping: int,
    count: int,
    samples: Samples,
    places: tuple[Floats, Integers],
    lines: Lines,
    plan: Plan,
    limits: Limits,
    state: tuple[Passage, Progress, Crossings],
) -> tuple[int, int]:
    """Note what happened at calls from a ping on, while there is room; the ping that came too far, and the count."""
    (way_m, found), (passage, progress, out) = places, state
    while ping < len(way_m):
        row = samples.performed[ping]
        if row < 0 or found[ping] not in (MATCHED, OFF_ROUTE):
            ping += 1
            continue
        if count + _room_needed(ping, 0, samples, plan) > len(out.call):
            break
        if not np.isnan(passage.time_s[row]) and (passage.is_off[row] or found[ping] == OFF_ROUTE):
            _note_off(ping, samples, lines, plan, passage)
        if found[ping] == MATCHED:
            begun_s = progress.begun_s[row]
            if begun_s < samples.time_s[ping] and not begun_s <= passage.time_s[row]:
                # where it stood before it was known to be on its way
                passage.way_m[row], passage.time_s[row], passage.is_off[row] = progress.begun_m[row], begun_s, False
            if not np.isnan(passage.time_s[row]) and samples.time_s[ping] - passage.time_s[row] <= limits.bridge_s:
                count = _cross_between(ping, way_m[ping], samples, plan, limits, passage, out, count)
            passage.way_m[row], passage.time_s[row], passage.is_off[row] = way_m[ping], samples.time_s[ping], False
        last = passage.last[row]
        last[0], last[1], last[2] = samples.time_s[ping], samples.lon[ping], samples.lat[ping]
        ping += 1
    return ping, count


@uncounted
def _room_needed(ping: int, count: int, samples: Samples, plan: Plan) -> int:
    """Room for what there is and what a ping can bring to light."""
    trip = samples.trip[ping]
    return int(count + 2 * (plan.call_start[trip + 1] - plan.call_start[trip]))


@njit(cache=True, nogil=True)
def _new_crossings(room: int) -> Crossings:
    return Crossings(
        np.empty(room, np.int32),
        np.empty(room, np.int32),
        np.empty(room, np.int8),
        np.empty(room, np.float64),
        np.empty(room, np.float64),
        np.empty(room, np.float64),
        np.full(room, np.nan),
    )


@njit(cache=True, nogil=True)
def _grown(crossings: Crossings, room: int) -> Crossings:
    grown = _new_crossings(room)
    size = len(crossings.call)
    grown.performed[:size] = crossings.performed
    grown.call[:size] = crossings.call
    grown.kind[:size] = crossings.kind
    grown.time_s[:size] = crossings.time_s
    grown.until_s[:size] = crossings.until_s
    grown.gap_s[:size] = crossings.gap_s
    grown.near_m[:size] = crossings.near_m
    return grown


@uncounted
def _first_ahead(trip: int, way_m: float, plan: Plan) -> int:
    """First call of a trip that lies beyond a place; the end of its calls where none does."""
    low: int
    high: int
    low, high = plan.call_start[trip], plan.call_start[trip + 1]
    while low < high:
        middle = (low + high) // 2
        if plan.call_way_m[middle] <= way_m:
            low = middle + 1
        else:
            high = middle
    return low


@uncounted
def _note_off(ping: int, samples: Samples, lines: Lines, plan: Plan, passage: Passage) -> None:
    """Note how near a vehicle off its line came to the calls ahead, and how long nobody saw it."""
    trip, row = samples.trip[ping], samples.performed[ping]
    last, near_m = passage.last[row], passage.near_m[row]
    if not passage.is_off[row]:
        passage.is_off[row], passage.gap_s[row] = True, 0.0
        near_m[:] = np.inf
    passage.gap_s[row] = max(passage.gap_s[row], samples.time_s[ping] - last[0])
    frame = lines.frame[plan.pattern[trip]]
    ahead, end = _first_ahead(trip, passage.way_m[row], plan), plan.call_start[trip + 1]
    dx, dy = (samples.lon[ping] - last[1]) * frame[2], (samples.lat[ping] - last[2]) * frame[3]
    length2 = dx * dx + dy * dy
    for place in range(min(AHEAD, end - ahead)):
        px = (plan.call_lonlat[ahead + place, 0] - last[1]) * frame[2]
        py = (plan.call_lonlat[ahead + place, 1] - last[2]) * frame[3]
        share = min(1.0, max(0.0, (px * dx + py * dy) / length2)) if length2 > 0 else 0.0
        away_m = np.hypot(px - share * dx, py - share * dy)
        near_m[place] = min(near_m[place], away_m)


@uncounted
def _cross_between(
    ping: int, to_m: float, samples: Samples, plan: Plan, limits: Limits, passage: Passage, out: Crossings, count: int
) -> int:
    """Note what happened at calls between the last ping on the line and this one; the count of crossings then."""
    trip, row = samples.trip[ping], samples.performed[ping]
    from_m, until_s = passage.way_m[row], samples.time_s[ping]
    gap_s = until_s - passage.time_s[row]
    if to_m <= from_m:
        return count
    end = plan.call_start[trip + 1]
    first = _first_ahead(trip, from_m - limits.zone_m, plan)
    ahead = _first_ahead(trip, from_m, plan)
    inside = _served_between(ping, to_m, samples, plan, limits, passage)
    spare_s = max(0.0, gap_s - (to_m - from_m) / limits.run_mps)
    stand_s = min(limits.dwell_s, spare_s / inside) if inside else 0.0
    run_s, stood_s = (gap_s - inside * stand_s) / (to_m - from_m), 0.0
    for call in range(first, end):
        enter_m, leave_m = plan.call_way_m[call] - limits.zone_m, plan.call_way_m[call] + limits.zone_m
        if enter_m > to_m:
            break
        if plan.call_way_m[call] < to_m and _was_skipped(call - ahead, row, limits, passage):
            out.near_m[count] = passage.near_m[row, call - ahead]
            count = _note(out, count, row, call, SKIPPED, until_s, until_s, gap_s)
            continue
        if enter_m > from_m:
            time_s = passage.time_s[row] + (enter_m - from_m) * run_s + stood_s
            count = _note(out, count, row, call, ARRIVAL, time_s, until_s, gap_s)
        if from_m < enter_m and leave_m < to_m:
            stood_s += stand_s
        if from_m < leave_m <= to_m:
            time_s = passage.time_s[row] + (leave_m - from_m) * run_s + stood_s
            count = _note(out, count, row, call, DEPARTURE, time_s, until_s, gap_s)
    return count


@uncounted
def _served_between(ping: int, to_m: float, samples: Samples, plan: Plan, limits: Limits, passage: Passage) -> int:
    """Count of the calls whose zones lie wholly between the last ping on the line and this one, skipped ones less."""
    trip, row = samples.trip[ping], samples.performed[ping]
    from_m = passage.way_m[row]
    ahead, count = _first_ahead(trip, from_m, plan), 0
    for call in range(ahead, plan.call_start[trip + 1]):
        if plan.call_way_m[call] + limits.zone_m >= to_m:
            break
        if plan.call_way_m[call] - limits.zone_m > from_m and not _was_skipped(call - ahead, row, limits, passage):
            count += 1
    return count


@uncounted
def _was_skipped(place: int, row: int, limits: Limits, passage: Passage) -> bool:
    if not (passage.is_off[row] and 0 <= place < AHEAD):
        return False
    return bool(passage.gap_s[row] <= limits.known_s and passage.near_m[row, place] > limits.skip_m)


@uncounted
def _note(
    out: Crossings, count: int, row: int, call: int, kind: int, time_s: float, until_s: float, gap_s: float
) -> int:
    out.performed[count], out.call[count], out.kind[count] = row, call, kind
    out.time_s[count], out.until_s[count], out.gap_s[count] = time_s, until_s, gap_s
    return count + 1
