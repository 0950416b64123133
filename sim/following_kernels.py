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


class Lists(NamedTuple):
    """Rows of one moment by lane: ``front`` and ``tail`` begin a list each, shape (lanes,); ``next_`` leads on.

    In a lane's first list is who has the front there, in its second one who has no more than the tail there.
    """

    front: IntArray
    tail: IntArray
    next_front: IntArray
    next_tail: IntArray


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
    samples, order, time_s, speed_mps = scene.samples, scene.order, scene.samples.time_s, scene.samples.speed_mps
    backs = _lanes_of_tails(scene, lanes, sizes)
    lists = Lists(*_nobody(len(lanes.lane_m)), *_nobody(len(order)))
    leader, gap_m = np.empty(len(order), np.int64), np.empty(len(order))
    found = np.empty((64, 9))
    told, begin = 0, 0
    while begin < len(order):
        now_s, end = time_s[order[begin]], begin
        while end < len(order) and time_s[order[end]] == now_s:
            end += 1
        if limits.since_s < now_s <= limits.last_s:
            rows = order[begin:end]
            _list_up(samples.lane, backs, rows, lists)
            _find_leaders(scene, lanes, sizes, lists, rows, limits.ttc_s, (leader, gap_m))
            _clear(samples.lane, backs, rows, lists)
            for row in rows:
                if leader[row] < 0 or not 0 < gap_m[row] <= (speed_mps[row] - speed_mps[leader[row]]) * limits.ttc_s:
                    continue
                if told == len(found):
                    found = np.concatenate((found, np.empty_like(found)))
                told += _note(samples, pairs, row, leader[row], gap_m[row], limits, found[told])
        begin = end
    return found[:told].copy()


@njit(cache=True, nogil=True)
def _nobody(count: int) -> tuple[IntArray, IntArray]:
    return np.full(count, NONE, np.int64), np.full(count, NONE, np.int64)


@njit(cache=True, nogil=True)
def _list_up(lane: IntArray, backs: IntArray, rows: IntArray, lists: Lists) -> None:
    for row in rows:
        lists.next_front[row], lists.front[lane[row]] = lists.front[lane[row]], row
        if backs[row] >= 0:
            lists.next_tail[row], lists.tail[backs[row]] = lists.tail[backs[row]], row


@njit(cache=True, nogil=True)
def _clear(lane: IntArray, backs: IntArray, rows: IntArray, lists: Lists) -> None:
    for row in rows:
        lists.front[lane[row]] = NONE
        if backs[row] >= 0:
            lists.tail[backs[row]] = NONE


@njit(cache=True, nogil=True)
def _is_beside(lanes: WayTables, lane: int, other: int) -> bool:
    """Whether two lanes lie side by side in one street."""
    return bool(lanes.lane_edge[lane] == lanes.lane_edge[other] and lanes.lane_way[lane] < 0)


@njit(cache=True, nogil=True)
def _lanes_of_tails(scene: Scene, lanes: WayTables, sizes: Sizes) -> IntArray:
    """For each row the lane on which the vehicle still has its tail, -1 where that is the one that it is on."""
    samples, astern, at_m, lane = scene.samples, scene.astern, scene.samples.at_m, scene.samples.lane
    vehicle, length_m, lane_walk = samples.vehicle, sizes.length_m, lanes.lane_walk
    found = np.full(len(astern), NONE, np.int64)
    for row in range(len(astern)):
        if astern[row] >= 0 and at_m[row] < length_m[vehicle[row]]:
            back = lane[astern[row]]
            if not lane_walk[back] and not _is_beside(lanes, back, lane[row]):
                found[row] = back
    return found


@njit(cache=True, nogil=True)
def _find_leaders(
    scene: Scene,
    lanes: WayTables,
    sizes: Sizes,
    lists: Lists,
    rows: IntArray,
    ttc_s: float,
    out: tuple[IntArray, FloatArray],
) -> None:
    """For each row that of who is next ahead, and the gap to it (m); -1 where nobody is within reach of a TTC."""
    samples, along_m, astern, ahead = scene.samples, scene.along_m, scene.astern, scene.ahead
    lane, at_m, speed_mps, vehicle = samples.lane, samples.at_m, samples.speed_mps, samples.vehicle
    length_m, front, tail, lane_walk = sizes.length_m, lists.front, lists.tail, lanes.lane_walk
    next_front, next_tail = lists.next_front, lists.next_tail
    for row in rows:
        best, best_m, here, begin_m = NONE, np.inf, lane[row], at_m[row]
        if not speed_mps[row] >= STANDING_MPS or lane_walk[here]:
            out[0][row] = NONE
            continue
        other = front[here]
        while other >= 0:
            if at_m[other] >= begin_m and other != row:
                gap_m = at_m[other] - length_m[vehicle[other]] - begin_m
                if gap_m < best_m:
                    best, best_m = other, gap_m
            other = next_front[other]
        other = tail[here]
        while other >= 0:
            back = astern[other]
            front_m = at_m[back] + along_m[other] - along_m[back]
            gap_m = front_m - length_m[vehicle[other]] - begin_m
            if other != row and front_m > begin_m and gap_m < best_m:
                best, best_m = other, gap_m
            other = next_tail[other]
        far, reach_m = ahead[row], speed_mps[row] * ttc_s
        if best < 0 and far >= 0 and along_m[far] - at_m[far] - along_m[row] <= reach_m:
            best, best_m = _farther_on(scene, lanes, length_m, front, next_front, row, reach_m)
        out[0][row], out[1][row] = best, best_m


@njit(cache=True, nogil=True)
def _farther_on(
    scene: Scene,
    lanes: WayTables,
    length_m: FloatArray,
    front: IntArray,
    next_front: IntArray,
    row: int,
    reach_m: float,
) -> tuple[int, float]:
    """Row of who is next ahead in the lanes that a vehicle is going to take, and the gap to it (m); -1 without."""
    samples = scene.samples
    best, best_m, ahead = NONE, np.inf, scene.ahead[row]
    while best < 0 and ahead >= 0:
        start_m = scene.along_m[ahead] - samples.at_m[ahead] - scene.along_m[row]
        if start_m > reach_m or _is_beside(lanes, samples.lane[ahead], samples.lane[row]):
            break
        other = front[samples.lane[ahead]]
        while other >= 0:
            gap_m = start_m + samples.at_m[other] - length_m[samples.vehicle[other]]
            if other != row and gap_m < best_m:
                best, best_m = other, gap_m
            other = next_front[other]
        ahead = scene.ahead[ahead]
    return best, best_m


@njit(cache=True, nogil=True)
def _note(
    samples: Samples, pairs: OpenPairs, row: int, leader: int, gap_m: float, limits: Limits, out: FloatArray
) -> bool:
    """Keep the worst of a pair; tell of the pair before where this one is another encounter."""
    closing_mps = samples.speed_mps[row] - samples.speed_mps[leader]
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
