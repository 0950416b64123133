"""Streets for the made-up bus lines of a city: from one end of a long street to that of another, there and back.

A line takes the fastest way by way of one more main street, so that it is long enough in a small city, and never comes
back to where it has been. Of all such lines those are taken that bring most new metres of main street.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations

import numpy as np
import numpy.typing as npt

from networks.graph import Router, router
from networks.network import CLASS_BIT, NONE, FloatArray, IntArray, RoadNetwork
from sim.road_classes import road_class_figures

LEAST_LENGTH_M, GREATEST_LENGTH_M = 2500.0, 4000.0
LEAST_APART_M = 900.0
"""Between the two ends of a line, as the crow flies."""

LONGEST_STREETS = 15
"""So many streets, by the length of their edges, have ends at which a line may end."""

LEAST_TERMINAL_M = 60.0
"""Length of an edge at which a line may end."""

MAIN_STREET_FACTOR, SIDE_STREET_FACTOR = 1.1, 1.25
"""Greatest cost factors of a tertiary road, and of one that a line may end on or go by way of."""

ACROSS_M = 40.0
"""How far across the street the edge in the other direction may be."""

GREATEST_TURN_M = 1000.0
"""From the end of a way to the begin of the other one."""

OPPOSITE_COSINE = -0.9

SEEN_AGAIN_M, ALONG_BETWEEN_M, SAMPLE_M = 60.0, 250.0, 20.0
"""A line doubles back where it is nearer than the first to where it was more than the second ago."""


@dataclass(frozen=True, slots=True, eq=False)
class BusLine:
    """Edges of a line in driving order, there and back; both begin across the street from where the other one ends."""

    out: IntArray
    back: IntArray


def bus_lane(network: RoadNetwork, edge: int) -> int:
    """Rightmost lane of an edge that admits buses."""
    return next(lane for lane in network.lanes_of(edge) if network.lanes.permissions[lane] & CLASS_BIT["bus"])


def bus_lines(network: RoadNetwork, count: int) -> tuple[BusLine, ...]:
    """Choose lines for a network, the one with most main street first.

    Raises
    ------
    ValueError
        Where the network has no room for so many.
    """
    search = _Search.over(network)
    candidates = list(search.lines())
    through = np.where(search.factor <= MAIN_STREET_FACTOR, network.edge_length_m, 0.0)
    chosen: list[BusLine] = []
    while len(chosen) < count and candidates:
        best = max(candidates, key=lambda line: float(through[np.union1d(line.out, line.back)].sum()))
        chosen.append(best)
        through[np.concatenate((best.out, best.back))] = 0.0
        candidates = [line for line in candidates if not search.shares_an_end(line, best)]
    if len(chosen) < count:
        raise ValueError(f"the network has room for {len(chosen)} bus lines, not {count}")
    return tuple(chosen)


@dataclass(frozen=True, slots=True, eq=False)
class _Search:
    """Fastest paths between the edges that a line may end on or go by way of.

    Attributes
    ----------
    factor
        Cost factor of each network edge, shape (edges,).
    places
        Network rows of those edges, ascending, shape (places,).
    across
        Place across the street from each, shape (places,).
    is_end
        Whether a line may end there, shape (places,).
    paths
        Fastest path between each pair of places, row by row; empty where there is none.
    length_m
        Length of each path, infinite where there is none, shape (places, places).
    """

    network: RoadNetwork
    factor: FloatArray
    places: IntArray
    across: IntArray
    is_end: npt.NDArray[np.bool_]
    paths: list[IntArray]
    length_m: FloatArray

    @classmethod
    def over(cls, network: RoadNetwork) -> "_Search":
        *_, factor = road_class_figures(network)
        roads = router(network, "bus")
        names = np.array(network.edges.names, dtype=object)[roads.edges]
        is_fit = (factor[roads.edges] <= SIDE_STREET_FACTOR) & (names != "")
        fit = roads.edges[is_fit & (network.edge_length_m[roads.edges] >= LEAST_TERMINAL_M)]
        opposite = _opposite(network, fit)
        places, across = fit[opposite != NONE], opposite[opposite != NONE]
        ends = _street_ends(network, places)
        paths = _paths(roads, places, factor)
        lengths = [float(network.edge_length_m[path].sum()) if len(path) else np.inf for path in paths]
        return cls(
            network=network,
            factor=factor,
            places=places,
            across=np.searchsorted(places, across).astype(np.int32),
            is_end=np.isin(places, ends) | np.isin(across, ends),
            paths=paths,
            length_m=np.array(lengths).reshape(len(places), len(places)),
        )

    def lines(self) -> Iterator[BusLine]:
        """Every pair of ends between which there is a way out and a way back."""
        middles = _middles_m(self.network, self.places)
        turn_m = self.length_m[np.arange(len(self.places)), self.across]
        can_end = self.is_end & (turn_m <= GREATEST_TURN_M) & (turn_m[self.across] <= GREATEST_TURN_M)
        for begin, end in permutations(np.flatnonzero(can_end).tolist(), 2):
            if np.hypot(*(middles[begin] - middles[end])) < LEAST_APART_M:
                continue
            out = self._way(begin, end)
            back = self._way(int(self.across[end]), int(self.across[begin])) if len(out) else out
            if len(back):
                yield BusLine(out, back)

    def _way(self, begin: int, end: int) -> IntArray:
        """Shortest way that is long enough and does not double back; empty where there is none."""
        length_m = self.length_m[begin] + self.length_m[:, end] - self.network.edge_length_m[self.places]
        fit = np.flatnonzero((length_m >= LEAST_LENGTH_M) & (length_m <= GREATEST_LENGTH_M))
        for via in fit[np.argsort(length_m[fit], kind="stable")].tolist():
            size = len(self.places)
            way = np.concatenate((self.paths[begin * size + via], self.paths[via * size + end][1:]))
            junctions = self.network.edges.to_junction[way]
            if len(np.unique(junctions)) == len(way) and not _doubles_back(self.network, way):
                return way
        return self.places[:0]

    def shares_an_end(self, line: BusLine, other: BusLine) -> bool:
        """Whether two lines end on the same street."""
        streets, others = ({self.network.edges.names[each.out[k]] for k in (0, -1)} for each in (line, other))
        return bool(streets & others)


def _paths(roads: Router, places: IntArray, factor: FloatArray) -> list[IntArray]:
    """Cheapest path between each pair of places, dislike of small streets squared: buses keep to the large ones."""
    if not len(places):
        return []
    rows = np.repeat(np.arange(len(places), dtype=np.int32), len(places))
    trees = roads.trees(places, roads.travel_time_s * factor[roads.edges] ** 2)
    return trees.paths(rows, np.tile(places, len(places)))


def _middles_m(network: RoadNetwork, edges: IntArray) -> FloatArray:
    return np.array([network.edge_shape_m(edge)[[0, -1]].mean(axis=0) for edge in edges.tolist()]).reshape(-1, 2)


def _opposite(network: RoadNetwork, edges: IntArray) -> IntArray:
    """Nearest of the edges that leads the other way along the same street, NONE without one, shape (edges,)."""
    if not len(edges):
        return edges
    ends = np.array([network.edge_shape_m(edge)[[0, -1]] for edge in edges.tolist()]).reshape(-1, 2, 2)
    heading = ends[:, 1] - ends[:, 0]
    heading /= np.hypot(*heading.T)[:, None]
    away_m = _apart_m(ends.mean(axis=1))
    names = np.array([network.edges.names[edge] for edge in edges.tolist()], dtype=object)
    away_m[(heading @ heading.T > OPPOSITE_COSINE) | (names[:, None] != names)] = np.inf
    nearest = away_m.argmin(axis=1)
    return np.where(away_m.min(axis=1) <= ACROSS_M, edges[nearest], NONE).astype(np.int32)


def _apart_m(points_m: FloatArray) -> FloatArray:
    """Distance between each two of some points, shape (n, n)."""
    apart_m: FloatArray = np.hypot(*(points_m[:, None] - points_m).transpose(2, 0, 1))
    return apart_m


def _street_ends(network: RoadNetwork, places: IntArray) -> list[int]:
    """The two places of each of the longest streets that are farthest from each other."""
    streets: dict[str, list[int]] = {}
    for place in places.tolist():
        streets.setdefault(network.edges.names[place], []).append(place)
    longest = sorted(streets, key=lambda name: (-float(network.edge_length_m[streets[name]].sum()), name))
    ends: list[int] = []
    for name in longest[:LONGEST_STREETS]:
        edges = np.array(streets[name], dtype=np.int32)
        apart_m = _apart_m(_middles_m(network, edges))
        ends += edges[list(np.unravel_index(apart_m.argmax(), apart_m.shape))].tolist()
    return ends


def _doubles_back(network: RoadNetwork, way: IntArray) -> bool:
    points_m = np.concatenate([network.edge_shape_m(edge) for edge in way.tolist()])
    along_m = np.concatenate(([0.0], np.cumsum(np.hypot(*np.diff(points_m, axis=0).T))))
    at_m = np.arange(0.0, along_m[-1], SAMPLE_M)
    sampled = np.column_stack([np.interp(at_m, along_m, axis_m) for axis_m in points_m.T])
    is_apart = np.abs(at_m[:, None] - at_m) > ALONG_BETWEEN_M
    return bool((_apart_m(sampled)[is_apart] < SEEN_AGAIN_M).any())
