"""The links of a signal: where each leads, how long it takes to clear, and which others it meets.

Everything is read from the network itself, so no signal needs a hand-written configuration.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from networks.network import NONE, Connections, EdgeKind, RoadNetwork

BoolMatrix = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Link:
    """One bit of a signal's state: the connections that see it.

    ``crossing_m`` is the distance inside the junction, ``approach_mps`` the speed limit before the stop line. A bit
    that no connection sees has empty tuples; ``is_pedestrian`` marks one that lets people walk onto a crossing.
    """

    from_lanes: tuple[int, ...]
    to_lanes: tuple[int, ...]
    approach_mps: float
    crossing_m: float
    is_pedestrian: bool

    @property
    def is_used(self) -> bool:
        """Whether any connection sees this bit."""
        return bool(self.from_lanes)


def signal_links(network: RoadNetwork, signal: int) -> tuple[Link, ...]:
    """The links of a signal, one for each bit of its state."""
    onward = _onward_lane(network)
    return tuple(_link(network, connections, onward) for connections in network.signals[signal].links)


def _link(network: RoadNetwork, connections: tuple[int, ...], onward: dict[int, int]) -> Link:
    table = network.connections
    from_lanes = tuple(int(table.from_lane[row]) for row in connections)
    to_lanes = tuple(int(table.to_lane[row]) for row in connections)
    return Link(
        from_lanes=from_lanes,
        to_lanes=to_lanes,
        approach_mps=max((float(network.lanes.speed_mps[lane]) for lane in from_lanes), default=0.0),
        crossing_m=max((_crossing_m(network, table, row, onward) for row in connections), default=0.0),
        is_pedestrian=any(_is_crossing(network, lane) for lane in to_lanes),
    )


def _is_crossing(network: RoadNetwork, lane: int) -> bool:
    return bool(network.edges.kind[network.lanes.edge[lane]] == EdgeKind.CROSSING)


def _crossing_m(network: RoadNetwork, table: Connections, connection: int, onward: dict[int, int]) -> float:
    """Length of the way through the junction: the internal lanes in turn, or the crossing itself (m)."""
    to_lane = int(table.to_lane[connection])
    if _is_crossing(network, to_lane):
        return float(network.lanes.length_m[to_lane])
    return float(sum(network.lanes.length_m[lane] for lane in _inside(int(table.via_lane[connection]), onward)))


def _inside(via_lane: int, onward: dict[int, int]) -> list[int]:
    """The internal lanes that a connection runs over, in order; two where it waits inside the junction."""
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
    """Which links of a signal cross or merge, shape (links, links), symmetric, from the network's request matrix."""
    return _request_matrix(network, signal, 1)


def response_matrix(network: RoadNetwork, signal: int) -> BoolMatrix:
    """Entry ``[a, b]``: link ``a`` must let ``b`` go first where both are free to drive, shape (links, links)."""
    return _request_matrix(network, signal, 0)


def _request_matrix(network: RoadNetwork, signal: int, part: int) -> BoolMatrix:
    links = network.signals[signal].links
    matrix = np.zeros((len(links), len(links)), dtype=np.bool_)
    bits_at: dict[int, dict[int, int]] = {}
    for bit, connections in enumerate(links):
        for connection in connections:
            junction, request = _request_of(network, connection)
            bits_at.setdefault(junction, {})[request] = bit
    for junction, bits in bits_at.items():
        requests = network.junctions.requests[junction]
        for request, bit in bits.items():
            text = requests[request][part] if request < len(requests) else ""
            for other, other_bit in bits.items():
                if other < len(text) and text[-1 - other] == "1":
                    matrix[bit, other_bit] = True
    if part == 1:
        matrix |= matrix.T
        np.fill_diagonal(matrix, val=False)
    return matrix


def _request_of(network: RoadNetwork, connection: int) -> tuple[int, int]:
    """Junction and request row of a connection: where its last internal lane, or its crossing, is listed."""
    table = network.connections
    inside = _inside(int(table.via_lane[connection]), _onward_lane(network))
    last = inside[-1] if inside else int(table.to_lane[connection])
    return _request_rows(network).get(last, (NONE, 0))


@lru_cache(maxsize=4)
def _request_rows(network: RoadNetwork) -> dict[int, tuple[int, int]]:
    """Internal lane to (junction, request row)."""
    return {
        lane: (junction, row)
        for junction, lanes in enumerate(network.junctions.internal_lanes)
        for row, lane in enumerate(lanes)
    }
