"""Junction sites: what people call one crossing, however many nodes the network needs for it.

A crossing of two dual carriageways is four nodes in the network and one place in a crash record. Nodes near each other
become one site, and its legs are counted by streets that leave it, not by carriageways.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely
from scipy.spatial import KDTree

from networks.network import NONE, RoadNetwork
from networks.spatial import edge_lines

MERGE_DISTANCE_M = 40.0
"""Junctions no farther apart than this are one site."""

MAX_EXTENT_M = MERGE_DISTANCE_M * 2**0.5
"""No two junctions of a site lie farther apart: the diagonal of a square crossing of dual carriageways.

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

    ``site_id`` is the id of its most important junction: signalised before not, then by lanes that enter, then by id.
    """

    site_id: str
    junctions: tuple[int, ...]
    signals: tuple[int, ...]
    legs: int
    street_names: tuple[str, ...]
    x_m: float
    y_m: float


@dataclass(frozen=True, slots=True)
class _Streets:
    """Edges that cars use, as they concern sites: their ends, and the direction (radians) in which each end leaves."""

    edges: npt.NDArray[np.intp]
    ends: npt.NDArray[np.int32]
    bearing: npt.NDArray[np.float64]
    at_junction: dict[int, list[tuple[int, int]]]


def find_sites(network: RoadNetwork) -> tuple[Site, ...]:
    """Every crossing with at least three legs that cars use, ordered by its first junction's row."""
    streets = _streets(network)
    crossings = sorted(
        junction
        for junction, touching in streets.at_junction.items()
        if len(_neighbours(streets, touching)) >= MIN_LEGS
    )
    signals = _signals_by_junction(network)
    sites = (_site(network, streets, signals, members) for members in _merge(network, crossings))
    return tuple(site for site in sites if site.legs >= MIN_LEGS)


def _streets(network: RoadNetwork) -> _Streets:
    edges = np.flatnonzero(network.edges_for(VEHICLE_CLASS))
    ends = np.column_stack((network.edges.from_junction[edges], network.edges.to_junction[edges]))
    at_junction: dict[int, list[tuple[int, int]]] = {}
    for row, pair in enumerate(ends.tolist()):
        for side, junction in enumerate(pair):
            if junction != NONE:
                at_junction.setdefault(junction, []).append((row, side))
    return _Streets(edges, ends, _bearings(edge_lines(network, edges)), at_junction)


def _bearings(lines: npt.NDArray[np.object_]) -> npt.NDArray[np.float64]:
    """Directions (radians) in which lines leave their begin and their end, shape (lines, 2)."""
    sides = []
    for first, probe in ((0, LEG_PROBE_M), (-1, -LEG_PROBE_M)):
        begin = shapely.get_coordinates(shapely.get_point(lines, first))
        ahead = shapely.get_coordinates(shapely.line_interpolate_point(lines, probe))
        sides.append(np.arctan2(*(ahead - begin).T[::-1]))
    return np.column_stack(sides)


def _neighbours(streets: _Streets, touching: list[tuple[int, int]]) -> set[int]:
    return {int(streets.ends[row, 1 - side]) for row, side in touching}


def _signals_by_junction(network: RoadNetwork) -> dict[int, set[int]]:
    found: dict[int, set[int]] = {}
    for signal in range(len(network.signals)):
        for junction in network.junctions_of_signal(signal):
            found.setdefault(junction, set()).add(signal)
    return found


def _merge(network: RoadNetwork, crossings: list[int]) -> list[list[int]]:
    """Groups of junctions, nearest pairs first, as long as no group outgrows the extent."""
    points = np.column_stack((network.junctions.x_m, network.junctions.y_m))[crossings]
    pairs = KDTree(points).query_pairs(MERGE_DISTANCE_M, output_type="ndarray")
    apart_m = np.hypot(*(points[pairs[:, 0]] - points[pairs[:, 1]]).T)
    group_of = list(range(len(crossings)))
    groups = [[number] for number in group_of]
    for first, second in pairs[np.lexsort((pairs[:, 1], pairs[:, 0], apart_m))].tolist():
        one, other = sorted((group_of[first], group_of[second]))
        if one != other and _extent_m(points[groups[one] + groups[other]]) <= MAX_EXTENT_M:
            for number in groups[other]:
                group_of[number] = one
            groups[one] += groups[other]
            groups[other] = []
    return [sorted(crossings[number] for number in group) for group in groups if group]


def _extent_m(points: npt.NDArray[np.float64]) -> float:
    return float(np.hypot(*(points[:, None] - points[None]).T).max())


def _site(network: RoadNetwork, streets: _Streets, signals: dict[int, set[int]], members: list[int]) -> Site:
    inside = set(members)
    leaving = [
        end
        for junction in members
        for end in streets.at_junction[junction]
        if not _neighbours(streets, [end]) <= inside
    ]
    names = {
        network.edges.names[streets.edges[row]] for junction in members for row, _ in streets.at_junction[junction]
    }
    places = network.junctions
    return Site(
        site_id=_main_id(network, streets, signals, members),
        junctions=tuple(members),
        signals=tuple(sorted(set().union(*(signals.get(junction, ()) for junction in members)))),
        legs=_count_legs(network, streets, leaving),
        street_names=tuple(sorted(names - {""})),
        x_m=round(float(places.x_m[members].mean()), 2),
        y_m=round(float(places.y_m[members].mean()), 2),
    )


def _main_id(network: RoadNetwork, streets: _Streets, signals: dict[int, set[int]], members: list[int]) -> str:
    def rank(junction: int) -> tuple[bool, int, str]:
        entering = [streets.edges[row] for row, side in streets.at_junction[junction] if side == 1]
        lanes = sum(len(network.lanes_of(int(edge))) for edge in entering)
        return junction not in signals, -lanes, network.junctions.ids[junction]

    return network.junctions.ids[min(members, key=rank)]


def _count_legs(network: RoadNetwork, streets: _Streets, leaving: list[tuple[int, int]]) -> int:
    """Streets that leave a site: carriageways of one name (or none) in one direction count once."""
    legs: list[tuple[float, str]] = []
    for row, side in leaving:
        bearing, name = float(streets.bearing[row, side]), network.edges.names[streets.edges[row]]
        if not any(_is_same_leg(bearing, name, *leg) for leg in legs):
            legs.append((bearing, name))
    return len(legs)


def _is_same_leg(bearing: float, name: str, other_bearing: float, other_name: str) -> bool:
    turn = abs((bearing - other_bearing + np.pi) % (2 * np.pi) - np.pi)
    return bool(turn <= np.radians(SAME_LEG_DEG)) and (name == other_name or "" in {name, other_name})
