"""Junction sites: what people call one crossing, however many nodes the network needs for it.

A crossing of two dual carriageways is four nodes in the network and one place in a crash record. Nodes near each other
become one site, and its legs are counted by streets that leave it, not by carriageways.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely
from scipy.spatial import KDTree

from networks.network import NONE, RoadNetwork
from networks.spatial import edge_lines

MERGE_DISTANCE_M = 40.0
"""Junctions no farther apart than this are one site."""

SAME_STREETS, SAME_STREETS_M = 2, 80.0
"""So are junctions of the same two streets, no farther apart than this: an avenue with a canal or tracks in it."""

EXTENT = 2**0.5
"""A site may be this much longer than two of its junctions are apart: the diagonal of a square crossing.

It keeps a row of close side streets from growing into one long site.
"""

MIN_LEGS = 3
LEG_PROBE_M = 30.0
"""How far along a leg its direction is taken."""

SAME_LEG_DEG = 30.0
"""Carriageways of one street that leave within this angle are one leg."""

VEHICLE_CLASS = "passenger"


@dataclass(frozen=True, slots=True)
class Site:
    """A crossing: its junctions and signals (rows of the network), legs, names of its streets, and its middle.

    ``street_names`` stand by importance. ``site_id`` is the id of its most important junction: signalised before not,
    then by lanes that enter, then by id.
    """

    site_id: str
    junctions: tuple[int, ...]
    signals: tuple[int, ...]
    legs: int
    street_names: tuple[str, ...]
    x_m: float
    y_m: float


End = tuple[int, int]
"""One end of a street: its row among the streets, and which end (0 its begin, 1 its end)."""


@dataclass(frozen=True, slots=True)
class _Streets:
    """Edges that cars use, as they concern sites.

    ``ends`` holds the junctions at begin and end, ``bearing`` the directions (radians) in which the edge leaves them,
    both of shape (streets, 2).
    """

    network: RoadNetwork
    edges: npt.NDArray[np.intp]
    ends: npt.NDArray[np.int32]
    bearing: npt.NDArray[np.float64]
    at_junction: dict[int, list[End]]
    signals_at_junction: dict[int, set[int]]

    def name(self, end: End) -> str:
        """Name of the street, empty if it has none."""
        return self.network.edges.names[int(self.edges[end[0]])]

    def neighbour(self, end: End) -> int:
        """Junction at the other end."""
        return int(self.ends[end[0], 1 - end[1]])


def find_sites(network: RoadNetwork) -> tuple[Site, ...]:
    """Every crossing with at least three legs that cars use, ordered by its first junction's row."""
    streets = _streets(network)
    crossings = [
        junction
        for junction, ends in sorted(streets.at_junction.items())
        if len({streets.neighbour(end) for end in ends}) >= MIN_LEGS
    ]
    sites = (_site(streets, members) for members in _merge(streets, crossings))
    return tuple(site for site in sites if site.legs >= MIN_LEGS)


def _streets(network: RoadNetwork) -> _Streets:
    edges = np.flatnonzero(network.edges_for(VEHICLE_CLASS))
    ends = np.column_stack((network.edges.from_junction[edges], network.edges.to_junction[edges]))
    at_junction: dict[int, list[End]] = {}
    for row, pair in enumerate(ends.tolist()):
        for side, junction in enumerate(pair):
            if junction != NONE:
                at_junction.setdefault(junction, []).append((row, side))
    signals: dict[int, set[int]] = {}
    for signal in range(len(network.signals)):
        for junction in network.junctions_of_signal(signal):
            signals.setdefault(junction, set()).add(signal)
    return _Streets(network, edges, ends, _bearings(edge_lines(network, edges)), at_junction, signals)


def _bearings(lines: npt.NDArray[np.object_]) -> npt.NDArray[np.float64]:
    """Directions (radians) in which lines leave their begin and their end, shape (lines, 2)."""
    sides = []
    for first, probe in ((0, LEG_PROBE_M), (-1, -LEG_PROBE_M)):
        begin = shapely.get_coordinates(shapely.get_point(lines, first))
        ahead = shapely.get_coordinates(shapely.line_interpolate_point(lines, probe))
        sides.append(np.arctan2(*(ahead - begin).T[::-1]))
    return np.column_stack(sides)


def _merge(streets: _Streets, crossings: list[int]) -> list[list[int]]:
    """Groups of junctions, nearest pairs first, as long as no group outgrows its extent."""
    places = streets.network.junctions
    points = np.column_stack((places.x_m, places.y_m))[crossings]
    group_of = list(range(len(crossings)))
    groups = [[number] for number in group_of]
    for first, second, reach_m in _pairs(streets, crossings, points):
        one, other = sorted((group_of[first], group_of[second]))
        if one != other and _extent_m(points[groups[one] + groups[other]]) <= EXTENT * reach_m:
            for number in groups[other]:
                group_of[number] = one
            groups[one] += groups[other]
            groups[other] = []
    return [sorted(crossings[number] for number in group) for group in groups if group]


def _pairs(
    streets: _Streets, crossings: list[int], points: npt.NDArray[np.float64]
) -> Iterator[tuple[int, int, float]]:
    """Junctions (by position) that may be one site, the nearest first, and the distance that is allowed to them."""
    pairs = KDTree(points).query_pairs(SAME_STREETS_M, output_type="ndarray")
    apart_m = np.hypot(*(points[pairs[:, 0]] - points[pairs[:, 1]]).T)
    names = [{streets.name(end) for end in streets.at_junction[junction]} - {""} for junction in crossings]
    for row in np.lexsort((pairs[:, 1], pairs[:, 0], apart_m)).tolist():
        first, second = pairs[row].tolist()
        if len(names[first] & names[second]) >= SAME_STREETS:
            yield first, second, SAME_STREETS_M
        elif apart_m[row] <= MERGE_DISTANCE_M:
            yield first, second, MERGE_DISTANCE_M


def _extent_m(points: npt.NDArray[np.float64]) -> float:
    return float(np.hypot(*(points[:, None] - points[None]).T).max())


def _site(streets: _Streets, members: list[int]) -> Site:
    touching = [end for junction in members for end in streets.at_junction[junction]]
    leaving = [end for end in touching if streets.neighbour(end) not in members]
    signals = {signal for junction in members for signal in streets.signals_at_junction.get(junction, ())}
    places = streets.network.junctions
    return Site(
        site_id=places.ids[min(members, key=lambda junction: _importance(streets, junction))],
        junctions=tuple(members),
        signals=tuple(sorted(signals)),
        legs=_count_legs(streets, leaving),
        street_names=_names(streets, touching),
        x_m=round(float(places.x_m[members].mean()), 2),
        y_m=round(float(places.y_m[members].mean()), 2),
    )


def _importance(streets: _Streets, junction: int) -> tuple[bool, int, str]:
    """Sorts the most important junction first."""
    entering = [int(streets.edges[row]) for row, side in streets.at_junction[junction] if side == 1]
    lanes = sum(len(streets.network.lanes_of(edge)) for edge in entering)
    return junction not in streets.signals_at_junction, -lanes, streets.network.junctions.ids[junction]


def _names(streets: _Streets, touching: list[End]) -> tuple[str, ...]:
    """Names of the streets, those of the highest priority first, then by alphabet."""
    priority: dict[str, int] = {}
    for end in touching:
        name, its_priority = streets.name(end), int(streets.network.edges.priority[streets.edges[end[0]]])
        priority[name] = max(its_priority, priority.get(name, its_priority))
    return tuple(sorted(priority.keys() - {""}, key=lambda name: (-priority[name], name)))


def _count_legs(streets: _Streets, leaving: list[End]) -> int:
    """Streets that leave a site: carriageways of one name (or none) in one direction count once."""
    legs: list[tuple[float, str]] = []
    for end in leaving:
        leg = float(streets.bearing[end]), streets.name(end)
        if not any(_is_same_leg(leg, other) for other in legs):
            legs.append(leg)
    return len(legs)


def _is_same_leg(leg: tuple[float, str], other: tuple[float, str]) -> bool:
    turn = abs((leg[0] - other[0] + np.pi) % (2 * np.pi) - np.pi)
    return bool(turn <= np.radians(SAME_LEG_DEG)) and (leg[1] == other[1] or "" in {leg[1], other[1]})
