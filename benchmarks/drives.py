"""Random routes driven in SUMO: where each vehicle was, and over which edges it truly came.

A route goes from one random edge to the next by the fastest path, so that it turns and meets itself more often than a
bus line does. Vehicles drive alone on the road but for each other, and stop at signals as SUMO has them stop.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from xml.sax.saxutils import quoteattr

import numpy as np
import shapely
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from benchmarks.processes import cost
from networks.graph import Router, router
from networks.intake import Attributes, parse_xml
from networks.network import FloatArray, IntArray, RoadNetwork
from networks.outfile import write_text
from networks.spatial import edge_lines
from sim.engine import sumo_home
from sim.options import SumoOptions

PERIOD_S = 5
"""Time between two positions."""

APART_S = 10
"""Time between two departures."""

LENGTH_M = 4000.0
"""A route is at least so long."""

TELEPORT_S = 300.0
"""SUMO's own: a vehicle that stands longer for no reason of its own would block those behind it for ever."""

HOP_M = (500.0, 1500.0)
"""How far off, in a straight line, the next edge of a winding route lies."""


class Kind(StrEnum):
    """How a route goes: to edges anywhere, never back where it came from; or to near ones, turning round at will."""

    THROUGH = "through"
    WINDING = "winding"


@dataclass(frozen=True, slots=True, eq=False)
class Drive:
    """A vehicle's way and its positions, one every five seconds.

    Attributes
    ----------
    edges
        Edges that it drove, network rows in order, shape (edges,).
    position, place_m
        Where it was: position in ``edges`` and place from that edge's begin; within a junction the end of the edge
        behind. Shape (points,).
    points_m
        The same on the map, x and y, shape (points, 2).
    """

    edges: IntArray
    position: IntArray
    place_m: FloatArray
    points_m: FloatArray

    def every(self, period_s: int) -> "Drive":
        """The same drive with fewer positions."""
        step = period_s // PERIOD_S
        return Drive(self.edges, self.position[::step], self.place_m[::step], self.points_m[::step])


def drives(network: RoadNetwork, path: Path, kind: Kind, count: int, seed: int) -> list[Drive]:
    """Drive some random routes through the network that lies at a path.

    Raises
    ------
    RunError
        BENCHMARK_FAILED with SUMO's last words.
    """
    routes = random_routes(network, kind, count, seed)
    with tempfile.TemporaryDirectory(prefix="bagdar-") as name:
        demand, positions = Path(name) / "drives.rou.xml", Path(name) / "positions.xml"
        write_text(demand, _vehicles(network, routes))
        options = SumoOptions(path, (demand,), 0.0, np.inf, seed, teleport_s=TELEPORT_S)
        program = [str(sumo_home() / "bin" / "sumo"), *options.arguments()]
        record = ["--fcd-output", str(positions), "--fcd-output.attributes", "x,y,pos,lane"]
        cost([*program, *record, "--device.fcd.period", str(PERIOD_S)])
        seen = _positions(positions, count)
    return [_drive(network, route, rows) for route, rows in zip(routes, seen, strict=True)]


def random_routes(network: RoadNetwork, kind: Kind, count: int, seed: int) -> list[IntArray]:
    """Routes that a bus may drive: fastest paths over random edges."""
    streets, chance = router(network, "bus"), np.random.default_rng(seed)
    least_m, most_m = HOP_M
    if kind is Kind.THROUGH:
        streets, least_m, most_m = _without_turning_round(network, streets), 0.0, np.inf
    usable = _strong_part(streets)
    middle_m = shapely.get_coordinates(shapely.centroid(edge_lines(network, usable)))
    routes = []
    for _ in range(count):
        route = chance.choice(usable, 1)
        while network.edge_length_m[route].sum() < LENGTH_M:
            away_m = np.hypot(*(middle_m - middle_m[np.searchsorted(usable, route[-1])]).T)
            goal = chance.choice(usable[(away_m >= least_m) & (away_m <= most_m)], 1)
            route = np.concatenate((route, streets.paths(route[-1:], goal)[0][1:]))
        routes.append(route)
    return routes


def _without_turning_round(network: RoadNetwork, streets: Router) -> Router:
    begins, ends = streets.edges[streets.turn_from], streets.edges[streets.turn_to]
    goes_on = network.edges.from_junction[begins] != network.edges.to_junction[ends]
    counts = np.bincount(streets.turn_from[goes_on], minlength=len(streets.edges))
    start = np.concatenate(([0], np.cumsum(counts))).astype(np.int32)
    return replace(streets, turn_start=start, turn_to=streets.turn_to[goes_on])


def _strong_part(streets: Router) -> IntArray:
    """Largest set of edges in which a way leads from each to each, network rows."""
    size = len(streets.edges)
    graph = csr_array((np.ones(len(streets.turn_to)), streets.turn_to, streets.turn_start), shape=(size, size))
    _, part = connected_components(graph, connection="strong")
    return np.asarray(streets.edges[part == np.bincount(part).argmax()])


def _vehicles(network: RoadNetwork, routes: Sequence[IntArray]) -> str:
    """A route file of buses that do not wait for ever before a junction too short for them."""
    lines = ['<routes><vType id="bus" vClass="bus" jmIgnoreKeepClearTime="30"/>']
    for number, route in enumerate(routes):
        edges = quoteattr(" ".join(network.edges.ids[row] for row in route.tolist()))
        lines += [
            f'<vehicle id="{number}" type="bus" depart="{number * APART_S}" departLane="best">',
            f"<route edges={edges}/></vehicle>",
        ]
    return "\n".join([*lines, "</routes>", ""])


_Seen = list[tuple[str, float, float, float]]
"""Lane, place on it, x and y of a vehicle, one after another."""


def _positions(path: Path, count: int) -> list[_Seen]:
    seen: list[_Seen] = [[] for _ in range(count)]

    def keep(tag: str, row: Attributes) -> None:
        if tag == "vehicle":
            seen[int(row["id"])].append((row["lane"], float(row["pos"]), float(row["x"]), float(row["y"])))

    parse_xml(path, keep, code="SUMO_OUTPUT")
    return seen


def _drive(network: RoadNetwork, route: IntArray, seen: _Seen) -> Drive:
    """Follow a vehicle along its route, which may pass an edge more than once."""
    arrives_at = network.edges.to_junction[route]
    position, place_m, here = [], [], 0
    for lane, at_m, _, _ in seen:
        inside = lane.startswith(":")
        if inside:
            junction = network.junction_index[lane[1:].rsplit("_", 2)[0]]
            here += int(np.flatnonzero(arrives_at[here:] == junction)[0])
        else:
            here += int(np.flatnonzero(route[here:] == network.lanes.edge[network.lane_index[lane]])[0])
        position.append(here)
        place_m.append(float(network.edge_length_m[route[here]]) if inside else at_m)
    points_m = np.array([(x_m, y_m) for _, _, x_m, y_m in seen])
    return Drive(route, np.array(position, dtype=np.int32), np.array(place_m), points_m)
