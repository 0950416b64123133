"""Where vehicles stop: a lane and a place for each call, such that the vehicle reaches its next turn from there.

A stop stands on the edge that the path uses, where the stop is projected onto it, on the rightmost lane from which the
vehicle can get to where it must turn. Calls at one stop share a place wherever edge and lane agree.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from networks.paths import Path
from sim.bus_lanes import CHANGE_M, BusLanes, changes

GAP_M = 1.0
"""Room before and behind a vehicle at a stop, and to the end of the lane."""

MOVE_M = 60.0
"""How far a stop may move along the path, off an edge that is shorter than the vehicle."""

APART_M = 30.0
"""Stops that follow each other closer than this stand on one lane."""


@dataclass(frozen=True, slots=True)
class StopPlace:
    """A place on a lane: network row of the edge, number of the lane from the right, where the stop ends (m)."""

    edge: int
    lane: int
    end_m: float


@dataclass(frozen=True, slots=True)
class PathCall:
    """A call on a path: position of its edge in the path, and the place of the stop there."""

    call: int
    position: int
    place: StopPlace
    way_m: float


@dataclass(frozen=True, slots=True)
class Repairs:
    """What rehearsals found, by pattern and number of the call.

    Calls in ``leading_lane`` must stand on a lane from which the next turn is made, those in ``left_out`` cannot be
    served.
    """

    leading_lane: frozenset[tuple[int, int]] = frozenset()
    left_out: frozenset[tuple[int, int]] = frozenset()


def stop_calls(
    lanes: BusLanes,
    path: Path,
    ways_m: Mapping[int, float],
    vehicle_m: float,
    leading_lane: Iterable[int] = (),
) -> list[PathCall]:
    """Give each call on a path its place.

    Parameters
    ----------
    ways_m
        Way along the path of each call, by its number, in order.
    vehicle_m
        Length of the vehicle.
    leading_lane
        Calls that must stand on a lane from which the next turn is made, whatever lies to the right of it.

    Returns
    -------
    Calls in order, none before the one that precedes it.
    """
    ahead, entered = lanes.leading_on(path.edges), lanes.entered(path.edges)
    forced = set(leading_lane)
    calls: list[PathCall] = []
    for call, way_m in ways_m.items():
        position, at_m = _with_room(path, *path.place(way_m), vehicle_m)
        end_m = _end_m(at_m, float(path.length_m[position]), vehicle_m)
        before = calls[-1] if calls else None
        if before is not None and (position, end_m) <= (before.position, before.place.end_m):
            # two stops at one place: the vehicle stands still and serves both
            calls.append(PathCall(call, before.position, before.place, before.way_m))
            continue
        edge, left_m = int(path.edges[position]), float(path.length_m[position]) - end_m
        wanted = ahead[position] & lanes.usable(edge) or lanes.usable(edge)
        choice = wanted if call in forced else lanes.usable(edge)
        lane = _lane(choice, wanted, entered[position], end_m, left_m)
        if before is not None and before.position == position and end_m - before.place.end_m < APART_M:
            lane = _shared_lane(calls, before, lane, wanted)
        place = StopPlace(edge, lane, round(end_m, 2))
        calls.append(PathCall(call, position, place, float(path.begin_m[position]) + place.end_m))
    return calls


def _with_room(path: Path, position: int, at_m: float, vehicle_m: float) -> tuple[int, float]:
    """Move a place off an edge that is too short for the vehicle to the nearest that is not, if one is near."""
    least_m = vehicle_m + 2 * GAP_M
    if path.length_m[position] >= least_m:
        return position, at_m
    way_m = float(path.begin_m[position]) + at_m
    near = np.flatnonzero(
        (path.length_m >= least_m)
        & (path.begin_m + path.length_m >= way_m - MOVE_M)
        & (path.begin_m + least_m <= way_m + MOVE_M)
    )
    if not len(near):
        return position, at_m
    off_m = np.maximum(path.begin_m[near] - way_m, way_m - path.begin_m[near] - path.length_m[near])
    best = int(near[int(np.argmin(off_m))])
    return best, float(np.clip(way_m - path.begin_m[best], 0.0, path.length_m[best]))


def _end_m(at_m: float, length_m: float, vehicle_m: float) -> float:
    """Where a stop ends whose pole stands at a place: the whole vehicle on the edge where the edge is long enough."""
    return max(min(max(at_m, vehicle_m + GAP_M), length_m - GAP_M), min(length_m - 0.1, vehicle_m))


def _lane(usable: frozenset[int], wanted: frozenset[int], entered: frozenset[int], end_m: float, left_m: float) -> int:
    """The rightmost lane that can be reached before the stop and left for the turn behind it, else the least bad."""

    def missing_m(lane: int) -> float:
        ahead_m = changes(lane, wanted) * CHANGE_M - left_m if changes(lane, wanted) else 0.0
        behind_m = changes(lane, entered) * CHANGE_M - end_m if changes(lane, entered) else 0.0
        return max(ahead_m, 0.0) + max(behind_m, 0.0)

    return min(usable, key=lambda lane: (missing_m(lane), lane))


def _shared_lane(calls: list[PathCall], before: PathCall, lane: int, wanted: frozenset[int]) -> int:
    """One lane for two calls close together: the one that leads on."""
    if before.place.lane == lane:
        return lane
    if before.place.lane in wanted:
        return before.place.lane
    calls[-1] = PathCall(
        before.call, before.position, StopPlace(before.place.edge, lane, before.place.end_m), before.way_m
    )
    return lane


def stop_ids(ids: Iterable[str]) -> list[str]:
    """Ids of bus stops: a stop's own for its first place, numbered from the second on."""
    taken: set[str] = set()
    names = []
    for stop_id in ids:
        base, number = simulation_id(stop_id), 1
        name = base
        while name in taken:
            number += 1
            name = f"{base}#{number}"
        taken.add(name)
        names.append(name)
    return names


def simulation_id(text: str) -> str:
    """An id as SUMO takes it: letters, digits and a few marks; a begin that SUMO keeps for itself is changed too."""
    kept = "".join(letter if letter.isalnum() or letter in "_-.+~#@:=()[]" else "_" for letter in text)
    return f"_{kept}" if not kept or kept[0] in ":!" else kept
