"""The movements of measured signals: from which street into which, by name, bound and turn."""

import math
from collections import defaultdict
from dataclasses import dataclass, replace

from networks.network import EdgeKind, RoadNetwork
from signals.approaching import DEFAULT_RANGE_M
from signals.movement import signal_links
from signals.observation import approach_edges, stop_edges

TURNS = {
    "l": "left",
    "L": "half left",
    "s": "through",
    "R": "half right",
    "r": "right",
    "t": "U-turn",
    "T": "U-turn",
}
BOUNDS = ("EB", "NB", "WB", "SB")
"""Where traffic is bound for, as signal engineers have it: east, north, west, south."""

_ORDER = {turn: rank for rank, turn in enumerate(dict.fromkeys(["U-turn", *TURNS.values()]))}
_HEADING_M = 40.0


@dataclass(frozen=True, slots=True)
class Movement:
    """The way from one street into another under a signal; any of ``links`` lets its vehicles drive.

    ``from_edge`` and ``to_edge`` are rows of the network's edges, ``stop_lanes`` rows of its lanes. ``approach`` is the
    street's name, or its edge's id where it has none; inner ones lie between two stop lines of the same signal.
    """

    signal_id: str
    number: int
    from_edge: int
    to_edge: int
    links: tuple[int, ...]
    stop_lanes: tuple[int, ...]
    approach: str
    bound: str
    turn: str
    into: str

    @property
    def name(self) -> str:
        """Its name for people."""
        return f"{self.approach} {self.bound} {self.turn}"


def signal_movements(network: RoadNetwork, signal_id: str) -> tuple[Movement, ...]:
    """Movements of vehicles under a signal: approaches clockwise from the east-bound one, left turns first."""
    signal = network.signal_index[signal_id]
    rows: dict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
    for bit, connections in enumerate(network.signals[signal].links):
        for row in connections:
            way = int(network.connection_from_edge[row]), int(network.connection_to_edge[row])
            if all(network.edges.kind[edge] == EdgeKind.NORMAL for edge in way):
                rows[way].append((bit, row))
    made = [_movement(network, signal_id, way, found) for way, found in rows.items()]
    made.sort(key=lambda move: (_clockwise(network, move.from_edge), move.from_edge, _ORDER[move.turn], move.to_edge))
    return tuple(_numbered(made))


def foot_links(network: RoadNetwork, signal_id: str) -> tuple[int, ...]:
    """Links of a signal that people alone see."""
    links = signal_links(network, network.signal_index[signal_id])
    return tuple(bit for bit, link in enumerate(links) if link.is_pedestrian)


def _movement(network: RoadNetwork, signal_id: str, way: tuple[int, int], found: list[tuple[int, int]]) -> Movement:
    names = [network.edges.names[edge] or network.edges.ids[edge] for edge in way]
    inner = network.edges.from_junction[way[0]] in network.junctions_of_signal(network.signal_index[signal_id])
    return Movement(
        signal_id=signal_id,
        number=0,
        from_edge=way[0],
        to_edge=way[1],
        links=tuple(sorted({bit for bit, _ in found})),
        stop_lanes=tuple(sorted({int(network.connections.from_lane[row]) for _, row in found})),
        approach=f"{names[0]} (inner)" if inner else names[0],
        bound=BOUNDS[round(heading_deg(network, way[0]) / 90) % 4],
        turn=TURNS.get(network.connections.direction[found[0][1]], "through"),
        into=names[1],
    )


def _numbered(made: list[Movement]) -> list[Movement]:
    """Number the movements from 1; where two would bear the same name, each tells into which street it turns."""
    names = [move.name for move in made]
    return [
        replace(move, number=number, turn=f"{move.turn} into {move.into}" if names.count(move.name) > 1 else move.turn)
        for number, move in enumerate(made, start=1)
    ]


def heading_deg(network: RoadNetwork, edge: int) -> float:
    """Direction of an edge's last metres, counter-clockwise from east (degrees, 0 to 360)."""
    points = network.edge_shape_m(edge)
    end = points[-1]
    begin = next((point for point in points[-2::-1] if math.dist(point, end) >= _HEADING_M), points[0])
    return math.degrees(math.atan2(end[1] - begin[1], end[0] - begin[0])) % 360


def _clockwise(network: RoadNetwork, edge: int) -> int:
    """Rank of an edge by its direction, clockwise from the east-bound ones."""
    return -round(heading_deg(network, edge) / 90) % 4


def movement_approaches(
    network: RoadNetwork, signal_id: str, range_m: float = DEFAULT_RANGE_M
) -> tuple[frozenset[int], frozenset[int]]:
    """Edges that lead to a signal's stop lines within the range, and those that end at one of them."""
    stops = stop_edges(network, network.signal_index[signal_id])
    return frozenset(approach_edges(network, stops, range_m)), stops
