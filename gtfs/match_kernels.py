"""Kernels that find where on its trip's line each vehicle is; arrays alone, compiled by numba."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gtfs.trace_kernels import (
    FINISHED,
    MATCHED,
    NO_TRIP,
    NOT_STARTED,
    OFF_ROUTE,
    Limits,
    Lines,
    Plan,
    Progress,
    Samples,
    uncounted,
)

Integers = npt.NDArray[np.integer]
Floats = npt.NDArray[np.float64]

AGAINST_HEADING = 4.0
"""Cost of a place where the line runs against the vehicle's heading."""
LATENESS_S = 120.0
"""Scale of the deviation from the timetable where a trip is first looked for."""


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
            stays = match_ping(ping, samples, lines, plan, limits, progress, way_m, off_m)
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
    is_on = match_ping(ping, samples, lines, plan, limits, progress, way_m, off_m)
    if not is_on and not begins and not _has_begun(ping, samples, plan, limits, progress):
        progress.way_m[row], begins = np.nan, True
        is_on = match_ping(ping, samples, lines, plan, limits, progress, way_m, off_m)
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
def match_ping(
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
            cost += abs(lateness_s(trip, begin_m + along_m, samples.clock_s[ping], plan)) / LATENESS_S
        if cost < least:
            least, best_m, best_m2, best_segment = cost, begin_m + along_m, away_m2, corner
    return best_m, np.sqrt(best_m2), best_segment


@uncounted
def lateness_s(trip: int, way_m: float, clock_s: float, plan: Plan) -> float:
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
