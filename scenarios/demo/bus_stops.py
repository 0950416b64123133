"""Where the buses of a made-up line stop, and how long they take along its way."""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from networks.network import NONE, FloatArray, IntArray, RoadNetwork
from scenarios.demo.bus_lines import bus_lane

LEAST_APART_M, WISHED_APART_M, GREATEST_APART_M = 350.0, 400.0, 450.0
"""Between two stops of a line, along its way."""

END_M = 150.0
"""So near to the ends of a way its first and last stop are."""

MARGIN_M = 15.0
"""Between a stop and the begin or end of its edge."""

GRID_M = 10.0
BESIDE_STOP_M = 60.0
"""Another stop so near on one edge is a nuisance: lines should share theirs."""

SHARED_PENALTY, BESIDE_PENALTY = -(50.0**2), 100.0**2
"""Squared metres away from the wished distance that such a place is worth, or as bad as."""

BESIDE_LANE_M = 4.0
"""From the middle of the lane to the pole, on the right."""

RUNNING_SHARE = 0.7
"""Of the speed limit that a bus keeps between stops, others on the road."""

LIGHT_S = 20.0
"""Mean wait at a traffic light with a cycle of 90 s; with much less nobody can keep the timetable."""

Site = tuple[int, float]
"""An edge and how far along its lane."""


@dataclass(frozen=True, eq=False)
class Way:
    """A way through a network along the lanes of its buses.

    Attributes
    ----------
    edges
        Network rows in driving order, shape (edges,).
    points_m
        The lanes one after another, junctions crossed straight, shape (points, 2).
    edge_start
        First point of each edge, and the count of all, shape (edges + 1,).
    seconds
        Running time at the begin and at the end of each edge, lights included, stops not, shape (2 edges,).
    """

    edges: IntArray
    points_m: FloatArray
    edge_start: IntArray
    seconds: FloatArray

    @cached_property
    def along_m(self) -> FloatArray:
        """Distance of each point from the first, shape (points,)."""
        return np.concatenate(([0.0], np.cumsum(np.hypot(*np.diff(self.points_m, axis=0).T))))

    @property
    def begin_m(self) -> FloatArray:
        """Where each edge begins along the way, shape (edges,)."""
        return self.along_m[self.edge_start[:-1]]

    @property
    def end_m(self) -> FloatArray:
        """Where each edge ends along the way, shape (edges,)."""
        return self.along_m[self.edge_start[1:] - 1]

    def running_s(self, at_m: FloatArray) -> FloatArray:
        """Running time from the begin of the way to places along it, stops not included."""
        found: FloatArray = np.interp(at_m, np.column_stack((self.begin_m, self.end_m)).reshape(-1), self.seconds)
        return found

    def beside_m(self, at_m: float) -> FloatArray:
        """Place of a pole at the right of the lane, shape (2,)."""
        after = int(np.clip(np.searchsorted(self.along_m, at_m, side="right"), 1, len(self.along_m) - 1))
        (x_1, y_1), (x_2, y_2) = self.points_m[after - 1 : after + 1].tolist()
        length_m = self.along_m[after] - self.along_m[after - 1]
        share = (at_m - self.along_m[after - 1]) / length_m
        right = np.array([y_2 - y_1, x_1 - x_2]) / length_m
        place_m: FloatArray = np.array([x_1 + share * (x_2 - x_1), y_1 + share * (y_2 - y_1)]) + BESIDE_LANE_M * right
        return place_m


def bus_way(network: RoadNetwork, edges: IntArray) -> Way:
    """Lay a way along the rightmost lanes that admit buses."""
    lanes = [bus_lane(network, edge) for edge in edges.tolist()]
    shapes = [network.lane_shape_m(lane) for lane in lanes]
    points_m = np.concatenate(shapes)
    is_new = np.append([True], (np.diff(points_m, axis=0) != 0).any(axis=1))
    owner = np.repeat(np.arange(len(lanes)), [len(shape) for shape in shapes])[is_new]
    drive_s = network.lanes.length_m[lanes] / (RUNNING_SHARE * network.lanes.speed_mps[lanes])
    begins_s = np.concatenate(([0.0], np.cumsum(drive_s[:-1] + LIGHT_S * _lights(network, edges))))
    return Way(
        edges=edges,
        points_m=points_m[is_new],
        edge_start=np.searchsorted(owner, np.arange(len(lanes) + 1)).astype(np.int32),
        seconds=np.column_stack((begins_s, begins_s + drive_s)).reshape(-1),
    )


def _lights(network: RoadNetwork, edges: IntArray) -> FloatArray:
    """Whether a light that is not the one before stands between each edge and the next, shape (edges - 1,)."""
    signals = [_signal(network, *pair) for pair in pairwise(edges.tolist())]
    before = [NONE, *signals[:-1]]
    return np.array([now not in {NONE, last} for now, last in zip(signals, before, strict=True)], dtype=np.float64)


def _signal(network: RoadNetwork, begin: int, end: int) -> int:
    rows = network.connection_order[network.connections_from(begin)]
    leading = rows[network.connection_to_edge[rows] == end]
    return int(network.connections.signal[leading].max())


def stop_sites(network: RoadNetwork, way: Way, known: set[Site]) -> list[tuple[float, Site]]:
    """Stops along a way, each with its distance, as evenly as the streets allow; known ones are shared.

    Raises
    ------
    ValueError
        Where the streets leave no room for stops at such distances.
    """
    at_m, sites = _candidates(way)
    penalty = np.array([_penalty(site, known) for site in sites])
    cost, before = np.where(at_m <= END_M, penalty, np.inf), np.full(len(sites), NONE)
    for here in np.flatnonzero(at_m > END_M).tolist():
        gap_m = at_m[here] - at_m[:here]
        steps = np.flatnonzero((gap_m >= LEAST_APART_M) & (gap_m <= GREATEST_APART_M))
        if len(steps):
            through = cost[steps] + (gap_m[steps] - WISHED_APART_M) ** 2
            cost[here], before[here] = penalty[here] + through.min(), steps[through.argmin()]
    cost[at_m < way.along_m[-1] - END_M] = np.inf
    last = int(cost.argmin())
    if np.isinf(cost[last]):
        names = {network.edges.names[edge] for edge in way.edges[[0, -1]].tolist()}
        raise ValueError(f"no room for stops between {' and '.join(sorted(names))}")
    chosen = [last]
    while before[chosen[-1]] != NONE:
        chosen.append(int(before[chosen[-1]]))
    return [(float(at_m[row]), sites[row]) for row in reversed(chosen)]


def _candidates(way: Way) -> tuple[FloatArray, list[Site]]:
    """Places every ten metres on the edges that are long enough: distances along the way, and the places."""
    spans = zip(way.edges.tolist(), way.begin_m.tolist(), way.end_m.tolist(), strict=True)
    found = [
        (begin_m + on_m, (edge, on_m))
        for edge, begin_m, end_m in spans
        for on_m in np.arange(MARGIN_M, end_m - begin_m - MARGIN_M, GRID_M).tolist()
    ]
    return np.array([at_m for at_m, _ in found]), [site for _, site in found]


def _penalty(site: Site, known: set[Site]) -> float:
    if site in known:
        return SHARED_PENALTY
    edge, on_m = site
    is_beside = any(edge == other and abs(on_m - other_m) <= BESIDE_STOP_M for other, other_m in known)
    return BESIDE_PENALTY if is_beside else 0.0
