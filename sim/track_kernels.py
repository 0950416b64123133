"""Kernels over trajectories: which ways through junctions vehicles take, and what tells of each passage.

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

BACK_M = 1.0
"""A vehicle that is farther back on its lane than this has been set anew."""

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
    vehicle, time_s, lane, at_m = samples.vehicle, samples.time_s, samples.lane, samples.at_m
    lane_walk, rows = ways.lane_walk, len(samples.vehicle)
    along_m, fresh = np.zeros(rows), np.ones(rows, np.bool_)
    pass_way, pass_row, pass_m = np.empty(256, np.int64), np.empty(256, np.int64), np.empty(256)
    entered, entered_m = np.empty(HOPS, np.int64), np.empty(HOPS)
    count = 0
    for row in range(rows):
        is_next = row > 0 and vehicle[row] == vehicle[row - 1] and time_s[row] - time_s[row - 1] <= gap_s
        if is_next and lane[row] == lane[row - 1] and at_m[row] >= at_m[row - 1] - BACK_M and not lane_walk[lane[row]]:
            fresh[row], along_m[row] = False, along_m[row - 1] + at_m[row] - at_m[row - 1]  # most rows by far
            continue
        step_m, hops = _step(samples, ways, row, entered, entered_m) if is_next else (-1.0, 0)
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
def _step(samples: Samples, ways: WayTables, row: int, entered: IntArray, entered_m: FloatArray) -> tuple[float, int]:
    """How far a vehicle has come since its row before, and how many ways it entered; -1 where that is not known."""
    before, lane = samples.lane[row - 1], samples.lane[row]
    if not (ways.lane_walk[lane] or ways.lane_walk[before]):
        return _advance(ways, before, samples.at_m[row - 1], lane, samples.at_m[row], entered, entered_m)
    step_m = samples.speed_mps[row] * (samples.time_s[row] - samples.time_s[row - 1])
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
        return (at_now_m - at_m if at_now_m >= at_m - BACK_M else -1.0), 0
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
