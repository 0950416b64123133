"""A detour over other streets of the city: found on the network, driven by one bus of a trace."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import shapely

from networks.graph import router
from networks.network import FloatArray, IntArray, RoadNetwork
from scenarios.demo.trace_motion import BoolArray, Motion, Track, delayed, track_over
from sim.transit_plan import TransitPlan

LEAST_LONGER_M, LEAST_AWAY_M = 100.0, 450.0
"""A detour is so much longer than what it replaces, and so much of it is far from the route."""

FAR_M, FAR_FROM_STOPS_M = 80.0, 100.0
"""How far from the route counts as far, and how far from the stops that are skipped a detour stays."""

SAMPLE_M = 10.0
SKIPPED = (1, 2)
CLOSED_M = 1e6
"""Cost of an edge of the route, so that no path takes more than the one it ends on."""


@dataclass(frozen=True, slots=True, eq=False)
class Detour:
    """A way around part of a route.

    Attributes
    ----------
    leaves, returns
        Positions on the vehicle's route of the last edge before, and of the first edge after it.
    edges
        Network rows in between, shape (edges,).
    calls
        Positions among the motion's calls that are skipped, shape (skipped,).
    """

    leaves: int
    returns: int
    edges: IntArray
    calls: IntArray


@dataclass(frozen=True, slots=True)
class DetourTruth:
    """When a bus left its route and came back, how long the other way is, and the calls (rows of the plan) skipped."""

    left_s: float
    back_s: float
    length_m: float
    skipped: tuple[int, ...]


def find_detour(network: RoadNetwork, plan: TransitPlan, motion: Motion, leg: int) -> Detour | None:
    """The detour that costs one trip least way among those that are long and far enough to be told; None without one.

    It skips neither the first nor the last call, and passes no junction twice.
    """
    mine = slice(*plan.ways.start[motion.vehicle : motion.vehicle + 2])
    route = np.flatnonzero(plan.ways.leg[mine] == leg).astype(np.int32)
    line = shapely.LineString(_part(motion.track, int(route[0]), int(route[-1])))
    for detour in _candidates(network, plan, motion, leg, route):
        way = track_over(network, detour.edges)
        if _is_far(line, way, motion.track.points_at(motion.call_m[detour.calls])):
            return detour
    return None


def _part(track: Track, first: int, last: int) -> FloatArray:
    is_part: BoolArray = (track.along_m >= track.begin_m[first]) & (track.along_m <= track.end_m[last])
    part_m: FloatArray = track.points_m[is_part]
    return part_m


def _candidates(network: RoadNetwork, plan: TransitPlan, motion: Motion, leg: int, route: IntArray) -> Iterator[Detour]:
    """Shortest ways around parts of a route with calls on them, that which lengthens it least first."""
    track, roads = motion.track, router(network, "bus")
    edges = track.edges[route]
    cost_m = network.edge_length_m[roads.edges]
    cost_m[roads.node_of_edge[edges]] = CLOSED_M
    trees = roads.trees(edges, cost_m)
    way_m = trees.cost_s[:, roads.node_of_edge[edges]] - CLOSED_M
    longer_m = way_m - (track.begin_m[route] - track.end_m[route][:, np.newaxis])
    calls = _inner_calls(plan, motion, leg)
    behind = np.searchsorted(motion.call_m[calls], track.end_m[route])
    before = np.searchsorted(motion.call_m[calls], track.begin_m[route])
    fit = np.isin(before - behind[:, np.newaxis], SKIPPED) & (way_m < CLOSED_M) & (longer_m >= LEAST_LONGER_M)
    leaves, returns = np.nonzero(np.triu(fit, k=1))
    for row in np.argsort(longer_m[leaves, returns], kind="stable").tolist():
        begin, end = int(leaves[row]), int(returns[row])
        path = trees.paths(np.array([begin], dtype=np.int32), edges[end : end + 1])[0]
        if len(np.unique(network.edges.to_junction[path])) == len(path):
            skipped = calls[behind[begin] : before[end]]
            yield Detour(int(route[begin]), int(route[end]), path[1:-1], skipped)


def _inner_calls(plan: TransitPlan, motion: Motion, leg: int) -> IntArray:
    """Positions among a motion's calls of all of a leg but the first and the last."""
    first, behind = plan.legs.call_start[leg : leg + 2]
    return np.flatnonzero((motion.call > first) & (motion.call < behind - 1)).astype(np.int32)


def _is_far(line: shapely.LineString, way: Track, stops_m: FloatArray) -> bool:
    points_m = way.points_at(np.arange(0.0, way.along_m[-1], SAMPLE_M))
    away: BoolArray = shapely.distance(shapely.points(points_m), line) > FAR_M
    stops = shapely.distance(shapely.points(stops_m), shapely.LineString(way.points_m))
    return bool(SAMPLE_M * away.sum() >= LEAST_AWAY_M and stops.min() >= FAR_FROM_STOPS_M)


def take_detour(network: RoadNetwork, motion: Motion, detour: Detour) -> tuple[Motion, DetourTruth]:
    """The motion with a detour in it, at the mean speed of the drive that it replaces without its stays."""
    old = motion.track
    before, behind = old.edges[: detour.leaves + 1], old.edges[detour.returns :]
    track = track_over(network, np.concatenate((before, detour.edges, behind)))
    left_m, back_m = float(old.end_m[detour.leaves]), float(old.begin_m[detour.returns])
    returns_m = float(track.begin_m[detour.leaves + 1 + len(detour.edges)])
    left_s, was_back_s = motion.passed_s(left_m), motion.passed_s(back_m)
    stood_s = float((motion.departure_s - motion.arrival_s)[detour.calls].sum())
    speed_mps = (back_m - left_m) / (was_back_s - left_s - stood_s)
    # whole seconds keep the truth on whole seconds; no bus drives a detour into the past
    late_s = max(0.0, float(np.ceil(left_s + (returns_m - left_m) / speed_mps - was_back_s)))
    late = delayed(motion, was_back_s, late_s)
    driven_s = np.linspace(left_s, was_back_s + late_s, 2 + len(detour.edges))
    is_replaced = (motion.seen_m >= left_m) & (motion.seen_m <= back_m)
    kept = np.delete(np.arange(len(motion.call)), detour.calls)

    def moved_m(at_m: FloatArray) -> FloatArray:
        return np.where(at_m > left_m, at_m + (returns_m - back_m), at_m)

    changed = replace(
        late,
        track=track,
        seen_s=np.concatenate((late.seen_s[~is_replaced], driven_s)),
        seen_m=np.concatenate(
            (moved_m(late.seen_m[~is_replaced]), np.linspace(left_m, returns_m, len(driven_s))),
        ),
        call=late.call[kept],
        call_m=moved_m(late.call_m[kept]),
        arrival_s=late.arrival_s[kept],
        departure_s=late.departure_s[kept],
    )
    skipped = tuple(motion.call[detour.calls].tolist())
    return changed, DetourTruth(left_s, was_back_s + late_s, returns_m - left_m, skipped)
