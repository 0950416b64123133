"""Kernels of conflicts where ways cross or merge: PET, TTC and DRAC of each encounter."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from sim.kernels import STANDING_MPS
from sim.track_kernels import Passes, Samples

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

WAITING_M = 1.0
"""SUMO's vehicles wait for others with their noses up to 0.65 m in an area: who stands so near its begin is not in."""

PART_S = 0.1
"""TTC is looked at so often, on straight lines between samples."""


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
    way, done_s, pet_s = passes.way, passes.done_s, limits.pet_s
    who, begin_s, end_s = _seen(samples, passes)
    by_way, start = _by_way(way, len(areas.way_start) - 1)
    foe, way_start, way_area = areas.way[:, 1].copy(), areas.way_start, areas.way_area
    found = np.empty((64, 9))
    told = 0
    for one in range(len(way)):
        if done_s[one] > limits.last_s:
            continue
        for area in way_area[way_start[way[one]] : way_start[way[one] + 1]]:
            for other in by_way[start[foe[area]] : start[foe[area] + 1]]:
                if begin_s[one] > end_s[other] + pet_s or begin_s[other] > end_s[one] + pet_s:
                    continue
                if who[one] == who[other] or not limits.since_s < max(done_s[one], done_s[other]) <= limits.last_s:
                    continue
                if told == len(found):
                    found = np.concatenate((found, np.empty_like(found)))
                if _encounter(samples, along_m, passes, areas, sizes, (one, other, area), found[told]) and (
                    found[told, 4] <= pet_s or found[told, 5] <= limits.ttc_s
                ):
                    told += 1
    return found[:told].copy()


@njit(cache=True, nogil=True)
def _seen(samples: Samples, passes: Passes) -> tuple[IntArray, FloatArray, FloatArray]:
    """Whose each pass is, and the times of its first and last row."""
    return samples.vehicle[passes.low], samples.time_s[passes.low], samples.time_s[passes.high - 1]


@njit(cache=True, nogil=True)
def _by_way(way: IntArray, ways: int) -> tuple[IntArray, IntArray]:
    """Passes by way, those of way ``w`` from ``start[w]`` to ``start[w + 1]``."""
    start = np.zeros(ways + 1, np.int64)
    for number in way:
        start[number + 1] += 1
    return np.argsort(way, kind="mergesort"), np.cumsum(start)


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
    time_s, speed_mps = samples.time_s, samples.speed_mps
    row, column = passes.low[one], passes.low[other]
    first, beside, end, last = row, column, passes.high[one], passes.high[other]
    while row < end and column < last:
        is_early, is_late = time_s[row] < time_s[column], time_s[row] > time_s[column]
        if is_early or is_late:
            row, column = row + is_early, column + is_late
            continue
        parts, before, abreast, passed_s = 1, row, column, 0.0
        if row > first and column > beside and time_s[row - 1] == time_s[column - 1]:
            before, abreast, passed_s = row - 1, column - 1, time_s[row] - time_s[row - 1]
            parts = max(1, int(np.ceil(passed_s / PART_S - 1e-6)))
        for part in range(1, parts + 1):
            back = 1 - part / parts
            here_m = along_m[row] - back * (along_m[row] - along_m[before])
            there_m = along_m[column] - back * (along_m[column] - along_m[abreast])
            if here_m > bounds[1] or there_m > bounds[3]:
                return ttc_s, drac, when_s
            here_mps = speed_mps[row] - back * (speed_mps[row] - speed_mps[before])
            there_mps = speed_mps[column] - back * (speed_mps[column] - speed_mps[abreast])
            now_ttc_s, now_drac = collision_course(
                bounds[0] - here_m, bounds[1] - here_m, here_mps, bounds[2] - there_m, bounds[3] - there_m, there_mps
            )
            if now_ttc_s < ttc_s:
                ttc_s, when_s = now_ttc_s, time_s[row] - back * passed_s
            drac = max(drac, now_drac)
        row += 1
        column += 1
    return ttc_s, drac, when_s


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
