"""Conflict kernels: arrays in, arrays out, compiled by numba.

Rows are samples of vehicles: those of one vehicle stand together, in order of time. A *way* leads from lane to lane
through a junction. *Along* is a vehicle's way since it was first seen, by which it passes through lanes of any number.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

NONE = -1
UPSTREAM_M = 60.0
"""So far before a way a vehicle's approach to it is looked at; none drives farther in three seconds in a town."""

STANDING_MPS = 0.1
WAITING_M = 1.0
"""SUMO's vehicles wait for others with their noses up to 0.65 m in an area: who stands so near its begin is not in."""

PART_S = 0.1
"""TTC is looked at so often, on straight lines between samples."""

HOPS = 4
"""Ways that a vehicle can have entered between two samples."""


class WayTables(NamedTuple):
    """Lanes and the ways through junctions.

    ``lane_edge``, ``lane_m`` (length), ``lane_way`` (way that a lane inside a junction is part of, else -1),
    ``lane_at_m`` (where on the way it begins) and ``lane_walk`` (people walk there) have shape (lanes,), ``edge_m``
    shape (edges,).
    ``way_from``, ``way_to`` (edges), ``way_lanes`` (from, to) and ``way_m`` belong to ways; ways that leave edge ``e``
    are ``edge_way[edge_start[e]:edge_start[e + 1]]``. The way behind a crossing's own is the same one walked backwards.
    """

    lane_edge: IntArray
    lane_m: FloatArray
    lane_way: IntArray
    lane_at_m: FloatArray
    lane_walk: npt.NDArray[np.bool_]
    edge_m: FloatArray
    way_from: IntArray
    way_to: IntArray
    way_lanes: IntArray
    way_m: FloatArray
    edge_start: IntArray
    edge_way: IntArray


class Samples(NamedTuple):
    """Samples of vehicles, shape (rows,) each; see the head of this module for their order."""

    vehicle: IntArray
    time_s: FloatArray
    lane: IntArray
    at_m: FloatArray
    speed_mps: FloatArray


class Tracks(NamedTuple):
    """What :func:`follow_tracks` gives.

    ``along_m`` and ``fresh`` (what came before is not known) belong to rows. A pass is a vehicle that enters a way:
    which, the first row of it that lies behind the way's begin, and where along the way begins.
    """

    along_m: FloatArray
    fresh: npt.NDArray[np.bool_]
    pass_way: IntArray
    pass_row: IntArray
    pass_m: FloatArray


@njit(cache=True, nogil=True)
def follow_tracks(samples: Samples, ways: WayTables, gap_s: float) -> Tracks:
    """Add up how far each vehicle has come, and list the ways that it enters.

    Parameters
    ----------
    gap_s
        A vehicle that is not seen for longer begins anew.
    """
    rows = len(samples.vehicle)
    along_m, fresh = np.zeros(rows), np.ones(rows, np.bool_)
    pass_way, pass_row, pass_m = np.empty(256, np.int64), np.empty(256, np.int64), np.empty(256)
    entered, entered_m = np.empty(HOPS, np.int64), np.empty(HOPS)
    count = 0
    for row in range(rows):
        step_m, hops = _step(samples, ways, row, gap_s, entered, entered_m)
        base_m = 0.0
        if step_m >= 0:
            fresh[row], base_m = False, along_m[row - 1]
            along_m[row] = base_m + step_m
        else:
            hops = _begin(samples, ways, row, entered, entered_m)
        if count + HOPS > len(pass_way):
            pass_way, pass_row = _longer(pass_way), _longer(pass_row)
            pass_m = np.append(pass_m, np.empty(len(pass_m)))
        for hop in range(hops):
            pass_way[count], pass_row[count] = entered[hop], row
            pass_m[count] = base_m + entered_m[hop]
            count += 1
    return Tracks(along_m, fresh, pass_way[:count], pass_row[:count], pass_m[:count])


@njit(cache=True, nogil=True)
def _step(
    samples: Samples, ways: WayTables, row: int, gap_s: float, entered: IntArray, entered_m: FloatArray
) -> tuple[float, int]:
    """How far a vehicle has come since the row before, and how many ways it entered; -1 where that is not known."""
    if row == 0 or samples.vehicle[row] != samples.vehicle[row - 1]:
        return -1.0, 0
    passed_s = samples.time_s[row] - samples.time_s[row - 1]
    if not passed_s <= gap_s:
        return -1.0, 0
    before, lane = samples.lane[row - 1], samples.lane[row]
    if not (ways.lane_walk[lane] or ways.lane_walk[before]):
        return _advance(ways, before, samples.at_m[row - 1], lane, samples.at_m[row], entered, entered_m)
    step_m = samples.speed_mps[row] * passed_s
    if lane == before or ways.lane_way[lane] < 0:
        return step_m, 0
    return step_m, _walk_on(ways, lane, samples.at_m[row], step_m, entered, entered_m)


@njit(cache=True, nogil=True)
def _begin(samples: Samples, ways: WayTables, row: int, entered: IntArray, entered_m: FloatArray) -> int:
    """Tell the way that a vehicle is on that was not seen before."""
    lane = samples.lane[row]
    if ways.lane_way[lane] < 0:
        return 0
    if ways.lane_walk[lane]:
        return _walk_on(ways, lane, samples.at_m[row], 0.0, entered, entered_m)
    entered[0], entered_m[0] = ways.lane_way[lane], -(ways.lane_at_m[lane] + samples.at_m[row])
    return 1


@njit(cache=True, nogil=True)
def _longer(values: IntArray) -> IntArray:
    return np.append(values, np.empty(len(values), np.int64))


@njit(cache=True, nogil=True)
def _walk_on(ways: WayTables, lane: int, at_m: float, step_m: float, entered: IntArray, entered_m: FloatArray) -> int:
    """Step onto a crossing from whichever end is nearer."""
    is_backwards = at_m > ways.lane_m[lane] / 2
    entered[0] = ways.lane_way[lane] + is_backwards
    entered_m[0] = step_m - (ways.lane_m[lane] - at_m if is_backwards else at_m)
    return 1


@njit(cache=True, nogil=True)
def _advance(  # noqa: PLR0911 - a case each
    ways: WayTables,
    lane: int,
    at_m: float,
    lane_now: int,
    at_now_m: float,
    entered: IntArray,
    entered_m: FloatArray,
) -> tuple[float, int]:
    """Way from a place to the next one where a vehicle was seen (m), and how many ways it entered; -1 without a way.

    ``entered`` takes these, ``entered_m`` how far behind the first place they begin.
    """
    if lane == lane_now:
        return (at_now_m - at_m if at_now_m >= at_m - 1.0 else -1.0), 0
    way, way_now = ways.lane_way[lane], ways.lane_way[lane_now]
    edge, edge_now = ways.lane_edge[lane], ways.lane_edge[lane_now]
    if way >= 0 and way == way_now:
        return ways.lane_at_m[lane_now] + at_now_m - ways.lane_at_m[lane] - at_m, 0
    if way < 0 and edge == edge_now:
        return max(at_now_m - at_m, 0.0), 0
    if way >= 0:
        done_m = ways.way_m[way] - ways.lane_at_m[lane] - at_m
        edge, leaves = ways.way_to[way], ways.way_lanes[way, 1]
        if way_now < 0 and edge == edge_now:
            return done_m + at_now_m, 0
        done_m += ways.edge_m[edge]
    else:
        done_m, leaves = ways.lane_m[lane] - at_m, lane
    for hop in range(HOPS):
        chosen = _next_way(ways, edge, leaves, lane_now)
        if chosen < 0:
            return -1.0, 0
        entered[hop], entered_m[hop] = chosen, done_m
        if chosen == way_now:
            return done_m + ways.lane_at_m[lane_now] + at_now_m, hop + 1
        done_m += ways.way_m[chosen]
        edge, leaves = ways.way_to[chosen], ways.way_lanes[chosen, 1]
        if way_now < 0 and edge == edge_now:
            return done_m + at_now_m, hop + 1
        done_m += ways.edge_m[edge]
    return -1.0, 0


@njit(cache=True, nogil=True)
def _next_way(ways: WayTables, edge: int, leaves: int, lane_now: int) -> int:
    """Way by which one leaves an edge for a lane: the very one, else to its edge, else by one edge in between."""
    way_now, edge_now = ways.lane_way[lane_now], ways.lane_edge[lane_now]
    if way_now >= 0 and ways.way_from[way_now] == edge:
        return int(way_now)
    best, best_rank = NONE, 0
    for way in ways.edge_way[ways.edge_start[edge] : ways.edge_start[edge + 1]]:
        follower = ways.way_to[way]
        rank = 0
        if way_now < 0 and follower == edge_now:
            rank = 4 + 2 * (ways.way_lanes[way, 0] == leaves) + (ways.way_lanes[way, 1] == lane_now)
        elif way_now >= 0:
            rank = 2 * (follower == ways.way_from[way_now])
        else:
            for other in ways.edge_way[ways.edge_start[follower] : ways.edge_start[follower + 1]]:
                if ways.way_to[other] == edge_now:
                    rank = 2
        if rank == 2:  # noqa: PLR2004 - one edge in between
            rank += ways.way_lanes[way, 0] == leaves
        if rank > best_rank:
            best, best_rank = way, rank
    return best


class Passes(NamedTuple):
    """Ways that vehicles pass, shape (passes,) each: ``way``, begin of it along (m), rows that tell of it.

    Rows are ``low:high``; ``done_s`` is when the vehicle was clear of it, infinite while it is not.
    """

    way: IntArray
    begin_m: FloatArray
    low: IntArray
    high: IntArray
    done_s: FloatArray


@njit(cache=True, nogil=True)
def passes_of(
    samples: Samples, tracks: Tracks, way_m: FloatArray, length_m: FloatArray, gap_s: float, last_s: float
) -> Passes:
    """Find the rows that tell of each pass, from the approach until the vehicle is clear of the way.

    Parameters
    ----------
    way_m, length_m
        Length of each way and of each vehicle.
    last_s
        Until when samples are known. A vehicle not seen for ``gap_s`` before has ended.
    """
    count, rows = len(tracks.pass_way), len(samples.vehicle)
    low, high = np.empty(count, np.int64), np.empty(count, np.int64)
    done_s = np.full(count, np.inf)
    for item in range(count):
        row, begin_m = tracks.pass_row[item], tracks.pass_m[item]
        who = samples.vehicle[row]
        first = row
        while first > 0 and not tracks.fresh[first] and tracks.along_m[first] > begin_m - UPSTREAM_M:
            first -= 1
        clear_m = begin_m + way_m[tracks.pass_way[item]] + length_m[who]
        end = row
        while end < rows and samples.vehicle[end] == who and (end == row or not tracks.fresh[end]):
            end += 1
            if tracks.along_m[end - 1] > clear_m:
                break
        low[item], high[item] = first, end
        if tracks.along_m[end - 1] > clear_m:
            done_s[item] = samples.time_s[end - 1]
        elif (end < rows and samples.vehicle[end] == who) or samples.time_s[end - 1] + gap_s <= last_s:
            done_s[item] = samples.time_s[end - 1] + gap_s
    return Passes(tracks.pass_way, tracks.pass_m, low, high, done_s)


class Areas(NamedTuple):
    """Conflict areas of pairs of ways, and for each way the areas of which it is the first side.

    ``way`` holds both ways, shape (areas, 2). ``span_m`` holds where an area begins and ends on the first and on the
    second, for each half sum of two widths in ``reach_m``, shape (areas, reaches, 4); not a number where the sides do
    not touch. ``merges`` tells merging from crossing; ``cosine`` is that of the angle between both. Areas of way
    ``w`` are ``way_area[way_start[w]:way_start[w + 1]]``.
    """

    way: IntArray
    span_m: FloatArray
    reach_m: FloatArray
    merges: npt.NDArray[np.bool_]
    cosine: FloatArray
    way_start: IntArray
    way_area: IntArray


class Limits(NamedTuple):
    """Encounters are told up to these, and where somebody has been since ``since_s``: see :func:`encounters`."""

    pet_s: float
    ttc_s: float
    since_s: float
    last_s: float


class Sizes(NamedTuple):
    """Length and width of each vehicle (m), shape (vehicles,)."""

    length_m: FloatArray
    width_m: FloatArray


ENCOUNTER_COLUMNS = ("first", "second", "area", "time_s", "pet_s", "ttc_s", "drac_mps2", "first_mps", "second_mps")


@njit(cache=True, nogil=True)
def encounters(
    samples: Samples, along_m: FloatArray, passes: Passes, areas: Areas, sizes: Sizes, limits: Limits
) -> FloatArray:
    """Hold passes that share a conflict area against each other.

    PET is the time from the first one's tail leaving the area to the second one's front entering it, negative where
    both were in it; where ways merge the area is its begin. TTC is the time until the later one enters, where both
    would be inside at once if they kept their speeds. DRAC is the least even deceleration by which the later one enters
    only once the other has left. Times are those of straight lines between samples.

    Returns
    -------
    Shape (encounters, 9), columns as in ``ENCOUNTER_COLUMNS``: who was first and second (by pass), where, when the
    second entered (else when TTC was least), the measures (infinite, or zero for DRAC, where there are none), speeds
    then. Only pairs of which the later pass was done after ``since_s`` and until ``last_s``.
    """
    count = len(passes.way)
    by_way = np.argsort(passes.way, kind="mergesort")
    ways = len(areas.way_start) - 1
    start = np.zeros(ways + 1, np.int64)
    for item in range(count):
        start[passes.way[item] + 1] += 1
    start = np.cumsum(start)
    found = np.empty((64, 9))
    told = 0
    for one in range(count):
        if passes.done_s[one] > limits.last_s:
            continue
        way = passes.way[one]
        for area in areas.way_area[areas.way_start[way] : areas.way_start[way + 1]]:
            foe = areas.way[area, 1]
            for other in by_way[start[foe] : start[foe + 1]]:
                done_s = max(passes.done_s[one], passes.done_s[other])
                if not limits.since_s < done_s <= limits.last_s or not _meet(samples, passes, one, other, limits.pet_s):
                    continue
                if told == len(found):
                    found = np.concatenate((found, np.empty_like(found)))
                if _encounter(samples, along_m, passes, areas, sizes, (one, other, area), found[told]) and (
                    found[told, 4] <= limits.pet_s or found[told, 5] <= limits.ttc_s
                ):
                    told += 1
    return found[:told].copy()


@njit(cache=True, nogil=True)
def _meet(samples: Samples, passes: Passes, one: int, other: int, pet_s: float) -> bool:
    """Whether two vehicles' rows come so near in time that they can have met."""
    time_s = samples.time_s
    return bool(
        samples.vehicle[passes.low[one]] != samples.vehicle[passes.low[other]]
        and time_s[passes.low[one]] <= time_s[passes.high[other] - 1] + pet_s
        and time_s[passes.low[other]] <= time_s[passes.high[one] - 1] + pet_s
    )


@njit(cache=True, nogil=True)
def _encounter(
    samples: Samples,
    along_m: FloatArray,
    passes: Passes,
    areas: Areas,
    sizes: Sizes,
    which: tuple[int, int, int],
    out: FloatArray,
) -> bool:
    one, other, area = which
    who, whom = samples.vehicle[passes.low[one]], samples.vehicle[passes.low[other]]
    span = _span(areas, area, (sizes.width_m[who] + sizes.width_m[whom]) / 2)
    if np.isnan(span[0]):
        return False
    bounds = np.empty(4)
    for side in range(2):
        item = one if side == 0 else other
        begin_m = passes.begin_m[item] + span[2 * side]
        end_m = begin_m if areas.merges[area] else passes.begin_m[item] + span[2 * side + 1]
        bounds[2 * side] = begin_m
        bounds[2 * side + 1] = end_m + sizes.length_m[who if side == 0 else whom]
    enter_s = _entered(samples, along_m, passes, one, bounds[0])
    meets_s = _entered(samples, along_m, passes, other, bounds[2])
    if np.isnan(enter_s) or np.isnan(meets_s):
        return False
    ttc_s, drac, least_s = _approach(samples, along_m, passes, one, other, bounds)
    is_first = enter_s < meets_s or (enter_s == meets_s and one < other)
    first, second = (one, other) if is_first else (other, one)
    leave_m = bounds[1] if is_first else bounds[3]
    leave_s = _reached(samples.time_s, along_m, passes.low[first], passes.high[first], leave_m)
    later_s = max(enter_s, meets_s)
    out[4] = later_s - leave_s if np.isfinite(later_s) and np.isfinite(leave_s) else np.inf
    when_s = later_s if np.isfinite(later_s) else least_s
    out[0], out[1], out[2], out[3], out[5], out[6] = first, second, area, when_s, ttc_s, drac
    out[7] = _speed(samples, passes, first, when_s)
    out[8] = _speed(samples, passes, second, when_s)
    return True


@njit(cache=True, nogil=True)
def _span(areas: Areas, area: int, reach_m: float) -> FloatArray:
    """Where an area begins and ends on both ways, for a half sum of widths between those that are tabled."""
    table = areas.reach_m
    level = min(int(np.searchsorted(table, reach_m)), len(table) - 1)
    high: FloatArray = areas.span_m[area, level]
    if level == 0 or reach_m >= table[level]:
        return high
    low: FloatArray = areas.span_m[area, level - 1]
    share = (reach_m - table[level - 1]) / (table[level] - table[level - 1])
    if np.isnan(low[0]):
        return high if share > 0.5 else low  # noqa: PLR2004 - the nearer one
    span: FloatArray = low + share * (high - low)
    return span


@njit(cache=True, nogil=True)
def _reached(time_s: FloatArray, along_m: FloatArray, low: int, high: int, mark_m: float) -> float:
    """Time at which a mark was reached: not a number where that was before the rows, infinite where after them."""
    if along_m[low] > mark_m:
        return np.nan
    for row in range(low + 1, high):
        if along_m[row] >= mark_m:
            moved_m = along_m[row] - along_m[row - 1]
            share = (mark_m - along_m[row - 1]) / moved_m if moved_m > 0 else 1.0
            return float(time_s[row - 1] + share * (time_s[row] - time_s[row - 1]))
    return np.inf


@njit(cache=True, nogil=True)
def _entered(samples: Samples, along_m: FloatArray, passes: Passes, item: int, begin_m: float) -> float:
    """Time at which a front entered an area for good: after the last stand at its begin."""
    low, high = passes.low[item], passes.high[item]
    enter_s = _reached(samples.time_s, along_m, low, high, begin_m)
    if not np.isfinite(enter_s):
        return enter_s
    for row in range(low, high):
        if along_m[row] > begin_m + WAITING_M:
            break
        if along_m[row] > begin_m and samples.speed_mps[row] < STANDING_MPS:
            enter_s = samples.time_s[row]
    return enter_s


@njit(cache=True, nogil=True)
def _speed(samples: Samples, passes: Passes, item: int, when_s: float) -> float:
    """Speed of a vehicle at a time, that of its last row where it was no longer seen."""
    row = passes.low[item]
    while row < passes.high[item] - 1 and samples.time_s[row] < when_s:
        row += 1
    return float(samples.speed_mps[row])


@njit(cache=True, nogil=True)
def _approach(
    samples: Samples, along_m: FloatArray, passes: Passes, one: int, other: int, bounds: FloatArray
) -> tuple[float, float, float]:
    """Least TTC, greatest DRAC, and when TTC was least, over the samples that two passes share."""
    ttc_s, drac, when_s = np.inf, 0.0, np.nan
    row, column = passes.low[one], passes.low[other]
    while row < passes.high[one] and column < passes.high[other]:
        apart_s = samples.time_s[row] - samples.time_s[column]
        if apart_s < 0:
            row += 1
            continue
        if apart_s > 0:
            column += 1
            continue
        parts = 1
        if row > passes.low[one] and column > passes.low[other]:
            passed_s = samples.time_s[row] - samples.time_s[row - 1]
            if samples.time_s[column] - samples.time_s[column - 1] == passed_s:
                parts = max(1, int(np.ceil(passed_s / PART_S - 1e-6)))
        for part in range(1, parts + 1):
            back = 1 - part / parts
            here_m, here_mps = _before(along_m, row, back), _before(samples.speed_mps, row, back)
            there_m, there_mps = _before(along_m, column, back), _before(samples.speed_mps, column, back)
            if here_m > bounds[1] or there_m > bounds[3]:
                return ttc_s, drac, when_s
            now_ttc_s, now_drac = collision_course(
                bounds[0] - here_m, bounds[1] - here_m, here_mps, bounds[2] - there_m, bounds[3] - there_m, there_mps
            )
            if now_ttc_s < ttc_s:
                ttc_s, when_s = now_ttc_s, samples.time_s[row] - back * (samples.time_s[row] - samples.time_s[row - 1])
            drac = max(drac, now_drac)
        row += 1
        column += 1
    return ttc_s, drac, when_s


@njit(cache=True, nogil=True)
def _before(values: FloatArray, row: int, back: float) -> float:
    """Value a share of a step before a row, on the straight line from the row before."""
    return float(values[row] if back == 0 else values[row] - back * (values[row] - values[row - 1]))


@njit(cache=True, nogil=True)
def collision_course(
    enter_m: float, leave_m: float, speed_mps: float, other_enter_m: float, other_leave_m: float, other_mps: float
) -> tuple[float, float]:
    """TTC (s) and DRAC (m/s2) of two vehicles on their way into one area; infinite and zero where they miss each other.

    Parameters
    ----------
    enter_m, leave_m, speed_mps
        Way of one until its front enters (negative once inside) and until its tail has left; its speed.
    other_enter_m, other_leave_m, other_mps
        The same of the other.
    """
    if enter_m <= 0 and other_enter_m <= 0:
        return np.inf, 0.0
    enter_s, leave_s = _window(enter_m, leave_m, speed_mps)
    other_enter_s, other_leave_s = _window(other_enter_m, other_leave_m, other_mps)
    if not max(enter_s, other_enter_s) < min(leave_s, other_leave_s):
        return np.inf, 0.0
    if enter_s >= other_enter_s:
        return enter_s, _braking(enter_m, speed_mps, other_leave_s)
    return other_enter_s, _braking(other_enter_m, other_mps, leave_s)


@njit(cache=True, nogil=True)
def _window(enter_m: float, leave_m: float, speed_mps: float) -> tuple[float, float]:
    """When one that keeps its speed is inside; one that stands before it never is, one that stands in it always."""
    if speed_mps < STANDING_MPS:
        return (0.0, np.inf) if enter_m < -WAITING_M else (np.inf, np.inf)
    return max(enter_m, 0.0) / speed_mps, leave_m / speed_mps


@njit(cache=True, nogil=True)
def _braking(way_m: float, speed_mps: float, until_s: float) -> float:
    """Even deceleration by which a vehicle has come no farther than a way when a time is over."""
    if way_m <= 0:
        return 0.0
    if 2 * way_m <= speed_mps * until_s:
        return speed_mps * speed_mps / (2 * way_m)
    return 2 * (speed_mps - way_m / until_s) / until_s


FOLLOWING_COLUMNS = (
    *("follower", "leader", "time_s", "ttc_s", "drac_mps2"),
    *("follower_mps", "leader_mps", "lane", "at_m"),
)


class OpenPairs(NamedTuple):
    """Pairs under way, by follower: ``leader`` (-1 without), time last seen, columns of ``FOLLOWING_COLUMNS``."""

    leader: IntArray
    seen_s: FloatArray
    told: FloatArray


class Scene(NamedTuple):
    """Samples with what :func:`neighbours_in_time` knows of them, for :func:`following`."""

    samples: Samples
    along_m: FloatArray
    ahead: IntArray
    astern: IntArray
    order: IntArray


@njit(cache=True, nogil=True)
def neighbours_in_time(samples: Samples, tracks: Tracks) -> tuple[IntArray, IntArray]:
    """For each row the first later and the last earlier row of the same vehicle on another lane, -1 without."""
    rows = len(samples.vehicle)
    ahead, astern = np.full(rows, NONE, np.int64), np.full(rows, NONE, np.int64)
    for row in range(1, rows):
        if not tracks.fresh[row]:
            astern[row] = astern[row - 1] if samples.lane[row] == samples.lane[row - 1] else row - 1
    for row in range(rows - 2, -1, -1):
        if not tracks.fresh[row + 1]:
            ahead[row] = ahead[row + 1] if samples.lane[row] == samples.lane[row + 1] else row + 1
    return ahead, astern


@njit(cache=True, nogil=True)
def following(scene: Scene, lanes: WayTables, sizes: Sizes, pairs: OpenPairs, limits: Limits) -> FloatArray:
    """Find who closes in on whom in one lane or on the way into the next lanes.

    TTC is the gap over the closing speed, DRAC the closing speed squared over twice the gap. A pair that closes in
    again within ``limits.pet_s`` is one encounter.

    Parameters
    ----------
    scene
        Its ``order`` lists rows by time; those after ``limits.since_s`` and until ``limits.last_s`` are looked at.
    pairs
        Brought up to date; what is left in it at the end of all is told by nobody else.

    Returns
    -------
    Shape (encounters, 9), columns as in ``FOLLOWING_COLUMNS``, each at the time of its least TTC.
    """
    samples, order = scene.samples, scene.order
    fronts, tails = np.full(len(lanes.lane_m), NONE, np.int64), np.full(len(lanes.lane_m), NONE, np.int64)
    lists = np.full((len(order), 2), NONE, np.int64)
    found = np.empty((64, 9))
    told, begin = 0, 0
    while begin < len(order):
        now_s, end = samples.time_s[order[begin]], begin
        while end < len(order) and samples.time_s[order[end]] == now_s:
            end += 1
        if limits.since_s < now_s <= limits.last_s:
            _list_up(scene, lanes, sizes, order[begin:end], fronts, tails, lists)
            for row in order[begin:end]:
                if samples.speed_mps[row] >= STANDING_MPS and not lanes.lane_walk[samples.lane[row]]:
                    leader, gap_m = _leader(scene, lanes, sizes, fronts, tails, lists, row, limits.ttc_s)
                    if leader >= 0 and gap_m > 0:
                        if told == len(found):
                            found = np.concatenate((found, np.empty_like(found)))
                        told += _note(samples, pairs, row, leader, gap_m, limits, found[told])
            _clear(scene, order[begin:end], fronts, tails)
        begin = end
    return found[:told].copy()


@njit(cache=True, nogil=True)
def _list_up(
    scene: Scene,
    lanes: WayTables,
    sizes: Sizes,
    rows: IntArray,
    fronts: IntArray,
    tails: IntArray,
    lists: IntArray,
) -> None:
    """List by lane, each row pointing to the next one, who has the front there and who no more than the tail."""
    for row in rows:
        lane = scene.samples.lane[row]
        lists[row, 0], fronts[lane] = fronts[lane], row
        back = _lane_of_tail(scene, lanes, sizes, row)
        if back >= 0:
            lists[row, 1], tails[back] = tails[back], row


@njit(cache=True, nogil=True)
def _clear(scene: Scene, rows: IntArray, fronts: IntArray, tails: IntArray) -> None:
    for row in rows:
        fronts[scene.samples.lane[row]] = NONE
        if scene.astern[row] >= 0:
            tails[scene.samples.lane[scene.astern[row]]] = NONE


@njit(cache=True, nogil=True)
def _is_beside(lanes: WayTables, lane: int, other: int) -> bool:
    """Whether two lanes lie side by side in one street."""
    return bool(lanes.lane_edge[lane] == lanes.lane_edge[other] and lanes.lane_way[lane] < 0)


@njit(cache=True, nogil=True)
def _lane_of_tail(scene: Scene, lanes: WayTables, sizes: Sizes, row: int) -> int:
    """Lane on which a vehicle still has its tail, -1 where that is the one that it is on."""
    samples, back = scene.samples, scene.astern[row]
    if back < 0 or samples.at_m[row] >= sizes.length_m[samples.vehicle[row]]:
        return NONE
    lane = samples.lane[back]
    return NONE if _is_beside(lanes, lane, samples.lane[row]) or lanes.lane_walk[lane] else lane


@njit(cache=True, nogil=True)
def _leader(
    scene: Scene,
    lanes: WayTables,
    sizes: Sizes,
    fronts: IntArray,
    tails: IntArray,
    lists: IntArray,
    row: int,
    ttc_s: float,
) -> tuple[int, float]:
    """Row of who is next ahead, and the gap to it (m); -1 where nobody is within reach of a TTC."""
    samples = scene.samples
    lane, at_m = samples.lane[row], samples.at_m[row]
    best, best_m = NONE, np.inf
    other = fronts[lane]
    while other >= 0:
        gap_m = samples.at_m[other] - sizes.length_m[samples.vehicle[other]] - at_m
        if other != row and samples.at_m[other] >= at_m and gap_m < best_m:
            best, best_m = other, gap_m
        other = lists[other, 0]
    other = tails[lane]
    while other >= 0:
        back = scene.astern[other]
        moved_m = scene.along_m[other] - scene.along_m[back]
        gap_m = samples.at_m[back] + moved_m - sizes.length_m[samples.vehicle[other]] - at_m
        if other != row and samples.at_m[back] + moved_m > at_m and gap_m < best_m:
            best, best_m = other, gap_m
        other = lists[other, 1]
    ahead = scene.ahead[row]
    while best < 0 and ahead >= 0:
        start_m = scene.along_m[ahead] - samples.at_m[ahead] - scene.along_m[row]
        if _is_beside(lanes, samples.lane[ahead], lane) or start_m > samples.speed_mps[row] * ttc_s:
            break
        other = fronts[samples.lane[ahead]]
        while other >= 0:
            gap_m = start_m + samples.at_m[other] - sizes.length_m[samples.vehicle[other]]
            if other != row and gap_m < best_m:
                best, best_m = other, gap_m
            other = lists[other, 0]
        ahead = scene.ahead[ahead]
    return best, best_m


@njit(cache=True, nogil=True)
def _note(
    samples: Samples, pairs: OpenPairs, row: int, leader: int, gap_m: float, limits: Limits, out: FloatArray
) -> bool:
    """Keep the worst of a pair; tell of the pair before where this one is another encounter."""
    closing_mps = samples.speed_mps[row] - samples.speed_mps[leader]
    if closing_mps <= 0 or gap_m > closing_mps * limits.ttc_s:
        return False
    who, whom, now_s = samples.vehicle[row], samples.vehicle[leader], samples.time_s[row]
    told = pairs.told[who]
    is_other = pairs.leader[who] != whom or now_s - pairs.seen_s[who] > limits.pet_s
    tells = is_other and pairs.leader[who] >= 0
    if tells:
        out[:] = told
    if is_other:
        pairs.leader[who] = whom
        told[3], told[4] = np.inf, 0.0
    pairs.seen_s[who] = now_s
    ttc_s = gap_m / closing_mps
    told[4] = max(told[4], closing_mps * closing_mps / (2 * gap_m))
    if ttc_s < told[3]:
        told[0], told[1], told[2], told[3] = who, whom, now_s, ttc_s
        told[5], told[6] = samples.speed_mps[row], samples.speed_mps[leader]
        told[7], told[8] = samples.lane[row], samples.at_m[row]
    return bool(tells)
