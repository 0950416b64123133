"""The links of a signal: where each leads, how long it takes to clear, and which others it meets.

Everything is read from the network itself, so no signal needs a hand-written configuration.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from networks.network import NONE, EdgeKind, RoadNetwork

BoolMatrix = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Link:
    """One bit of a signal's state: the connections that see it.

    ``crossing_m`` is the way of its vehicles through the junction and ``approach_mps`` the limit before their stop line
    (both zero without vehicles); ``walk_m`` is the length of the crossing that it lets people walk onto (zero
    without one). Real signals show one bit to vehicles and people alike. A bit that no connection sees has empty
    tuples.
    """

    from_lanes: tuple[int, ...]
    to_lanes: tuple[int, ...]
    approach_mps: float
    crossing_m: float
    walk_m: float

    @property
    def is_used(self) -> bool:
        """Whether any connection sees this bit."""
        return bool(self.from_lanes)

    @property
    def is_pedestrian(self) -> bool:
        """Whether people see it and no vehicles do."""
        return self.has_people and not self.has_vehicles

    @property
    def has_people(self) -> bool:
        """Whether people walk when it is green."""
        return self.walk_m > 0

    @property
    def has_vehicles(self) -> bool:
        """Whether vehicles drive when it is green."""
        return self.approach_mps > 0


def signal_links(network: RoadNetwork, signal: int) -> tuple[Link, ...]:
    """The links of a signal, one for each bit of its state."""
    return tuple(_link(network, connections) for connections in network.signals[signal].links)


def _link(network: RoadNetwork, connections: tuple[int, ...]) -> Link:
    table = network.connections
    driven = [row for row in connections if _crossing_lane(network, row) is None]
    walked = [lane for row in connections if (lane := _crossing_lane(network, row)) is not None]
    return Link(
        from_lanes=tuple(int(table.from_lane[row]) for row in connections),
        to_lanes=tuple(int(table.to_lane[row]) for row in connections),
        approach_mps=max((float(network.lanes.speed_mps[table.from_lane[row]]) for row in driven), default=0.0),
        crossing_m=max((_crossing_m(network, row) for row in driven), default=0.0),
        walk_m=max((float(network.lanes.length_m[lane]) for lane in walked), default=0.0),
    )


def _crossing_lane(network: RoadNetwork, connection: int) -> int | None:
    """The crossing that people walk by a connection, whichever way; None where vehicles drive."""
    table = network.connections
    for lane in (int(table.to_lane[connection]), int(table.from_lane[connection])):
        if network.edges.kind[network.lanes.edge[lane]] == EdgeKind.CROSSING:
            return lane
    return None


def _crossing_m(network: RoadNetwork, connection: int) -> float:
    """Length of the way through the junction: the internal lanes in turn (m)."""
    return float(sum(network.lanes.length_m[lane] for lane in inner_lanes(network, connection)))


def inner_lanes(network: RoadNetwork, connection: int) -> list[int]:
    """The internal lanes that a connection runs over, in order; two where it waits inside the junction."""
    return _inside(int(network.connections.via_lane[connection]), _onward_lane(network))


def _inside(via_lane: int, onward: dict[int, int]) -> list[int]:
    lanes: list[int] = []
    while via_lane != NONE and via_lane not in lanes:
        lanes.append(via_lane)
        via_lane = onward.get(via_lane, NONE)
    return lanes


@lru_cache(maxsize=4)
def _onward_lane(network: RoadNetwork) -> dict[int, int]:
    """Internal lane to the internal lane that continues it behind an inner waiting point."""
    table = network.connections
    rows = np.flatnonzero(table.via_lane != NONE)
    inner = rows[network.edges.kind[network.connection_from_edge[rows]] == EdgeKind.INTERNAL]
    return dict(zip(table.from_lane[inner].tolist(), table.via_lane[inner].tolist(), strict=True))


def foe_matrix(network: RoadNetwork, signal: int) -> BoolMatrix:
    """Which links of a signal cross or merge, shape (links, links), symmetric, from the network's request matrix.

    Lanes that run side by side from one street into the same other street are one movement and no foes, though the
    request matrix has them where both may choose a lane: real monitors do not tell them apart either, and no program
    can give them green in turn.
    """
    matrix = _request_matrix(network, signal, 1)
    matrix |= matrix.T
    np.fill_diagonal(matrix, val=False)
    return matrix


def response_matrix(network: RoadNetwork, signal: int) -> BoolMatrix:
    """Entry ``[a, b]``: link ``a`` must let ``b`` go first where both are free to drive, shape (links, links)."""
    return _request_matrix(network, signal, 0)


def _request_matrix(network: RoadNetwork, signal: int, part: int) -> BoolMatrix:
    links = network.signals[signal].links
    listed = [
        (bit, connection, request)
        for bit, connections in enumerate(links)
        for connection in connections
        if (request := _request_of(network, connection)) is not None
    ]
    matrix = np.zeros((len(links), len(links)), dtype=np.bool_)
    for a, one, (junction, row) in listed:
        met = network.junctions.requests[junction][row][part][::-1]
        for b, other, (place, column) in listed:
            if place == junction and met[column : column + 1] == "1" and not _same_movement(network, one, other):
                matrix[a, b] = True
    return matrix


def _same_movement(network: RoadNetwork, one: int, other: int) -> bool:
    """Whether two connections lead from one edge into the same other edge."""
    leaves, enters = network.connection_from_edge, network.connection_to_edge
    return bool(leaves[one] == leaves[other] and enters[one] == enters[other])


def conflicts_known(network: RoadNetwork, signal: int) -> bool:
    """Whether every connection of a signal stands in a request matrix; without lanes inside junctions none does."""
    return all(_request_of(network, connection) for link in network.signals[signal].links for connection in link)


def _request_of(network: RoadNetwork, connection: int) -> tuple[int, int] | None:
    """Junction and request row of a connection: where its last internal lane, or its crossing, is listed."""
    inside = inner_lanes(network, connection)
    last = inside[-1] if inside else _crossing_lane(network, connection)
    return None if last is None else _request_rows(network).get(last)


@lru_cache(maxsize=4)
def _request_rows(network: RoadNetwork) -> dict[int, tuple[int, int]]:
    """Internal lane to (junction, request row).

    Waiting points inside a junction are junctions too and list lanes of others: they have no requests.
    """
    return {
        lane: (junction, row)
        for junction, lanes in enumerate(network.junctions.internal_lanes)
        for row, lane in enumerate(lanes)
        if row < len(network.junctions.requests[junction])
    }
