"""Kernels of conflicts within a lane: who closes in on whom, TTC and DRAC of each encounter."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from sim.conflict_kernels import Limits, Sizes
from sim.kernels import STANDING_MPS
from sim.track_kernels import NONE, Samples, Tracks, WayTables

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

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
