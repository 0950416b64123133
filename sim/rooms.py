"""Whether there is room behind the links of signals, by detectors on the ways there, which do not err.

A link leads into one or several *ways*: an edge and what continues it, until a choice or a signal.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from networks.network import CLASS_BIT, EdgeKind, RoadNetwork
from signals.observation import BoolArray, FloatArray, IntArray, departure_edges
from signals.plan import SignalPlan
from sim.kernels import WayLayout, vehicles_behind, without_room

VEHICLE_SPACE_M = 7.5
"""Length and gap of a standing car; what a lane holds is its length over this."""
FULL_SHARE = 0.9
ROOM_RANGE_M = 50.0
ENTERS_EVERY_S = 1.0
"""Nobody enters a lane sooner after another (at 50 km/h a car and its gap take 1.5 s): a way that is not full is not
looked at again before it may be."""


@dataclass(frozen=True, slots=True)
class _Way:
    """A way behind a link: edges to count vehicles on, its lanes, how many vehicles stand near by when it is full.

    Vehicles are counted where the way leads to a signal, which may hold them up; elsewhere they just drive off. So many
    may come to the near edges in a second as all these have lanes.
    """

    edges: tuple[str, ...]
    lanes: int
    near_edges: tuple[str, ...]
    near_lanes: int
    full_at: float


class Rooms:
    """The ways behind all links of the signals that are watched."""

    def __init__(self, api: Any, network: RoadNetwork, plans: Iterable[SignalPlan], range_m: float) -> None:
        """Trace every way once."""
        leads = [edges for plan in plans for edges in _edges_behind(network, plan)]
        edges = sorted(set().union(*leads))
        row = {edge: number for number, edge in enumerate(edges)}
        self._number, self._standing = api.edge.getLastStepVehicleNumber, api.edge.getLastStepHaltingNumber
        self._ways = [_way(network, edge, range_m) for edge in edges]
        self._due_s = [-np.inf] * len(edges)
        self._full = np.zeros(len(edges), dtype=np.bool_)
        self._free = np.zeros(len(leads), dtype=np.bool_)
        self._counted = tuple(dict.fromkeys(edge for way in self._ways for edge in way.edges))
        self._layout = WayLayout(
            *_ragged([[row[edge] for edge in each] for each in leads]),
            *_ragged([[self._counted.index(edge) for edge in way.edges] for way in self._ways]),
            np.array([way.lanes for way in self._ways], dtype=np.float64),
        )

    def ahead(self) -> FloatArray:
        """Vehicles a lane behind each link, shape (links,)."""
        number = self._number
        return vehicles_behind(np.array([number(edge) for edge in self._counted], dtype=np.float64), self._layout)

    def blocked(self, now_s: float) -> BoolArray:
        """Which links have no room to enter, shape (links,)."""
        is_any = False
        for row in [row for row, due_s in enumerate(self._due_s) if due_s <= now_s]:
            self._full[row], self._due_s[row] = self._look(self._ways[row], now_s)
            is_any |= bool(self._full[row])
        # a way that is full is looked at each time
        return without_room(self._full, self._layout) if is_any else self._free

    def _look(self, way: _Way, now_s: float) -> tuple[bool, float]:
        """Whether a way is full, and when it may be next (s)."""
        room = way.full_at - sum(map(self._number, way.near_edges))
        if room > 0:
            return False, now_s + room * ENTERS_EVERY_S / way.near_lanes
        return sum(map(self._standing, way.near_edges)) >= way.full_at, now_s


def _ragged(rows: Sequence[Sequence[int]]) -> tuple[IntArray, IntArray]:
    """Rows of different lengths: where each begins, shape (rows + 1,), and their values one after another."""
    start = np.cumsum([0, *(len(row) for row in rows)], dtype=np.int64)
    return start, np.array([value for row in rows for value in row], dtype=np.int64)


def _edges_behind(network: RoadNetwork, plan: SignalPlan) -> list[list[int]]:
    """Edges that each link leads into; none behind one that leads onto a crossing only, or that is unused."""
    into = [sorted({int(network.lanes.edge[lane]) for lane in link.to_lanes}) for link in plan.links]
    return [[edge for edge in edges if network.edges.kind[edge] == EdgeKind.NORMAL] for edges in into]


def _way(network: RoadNetwork, edge: int, range_m: float) -> _Way:
    far, near = departure_edges(network, edge, range_m), departure_edges(network, edge, ROOM_RANGE_M)
    lane_m = sum(float(network.edge_length_m[each]) * _driving_lanes(network, each) for each in near)
    return _Way(
        edges=tuple(network.edges.ids[each] for each in far) if _leads_to_signal(network, far[-1]) else (),
        lanes=_driving_lanes(network, edge),
        near_edges=tuple(network.edges.ids[each] for each in near),
        near_lanes=sum(len(network.lanes_of(each)) for each in near),
        full_at=FULL_SHARE * max(lane_m / VEHICLE_SPACE_M, 1.0),
    )


def _leads_to_signal(network: RoadNetwork, edge: int) -> bool:
    rows = network.connection_order[list(network.connections_from(edge))]
    return bool((network.connections.signal[rows] >= 0).any())


def _driving_lanes(network: RoadNetwork, edge: int) -> int:
    """Lanes of an edge that are no pavement or cycle track; all of them where there is nothing else."""
    lanes = network.lanes_of(edge)
    driving = network.lanes.permissions[lanes.start : lanes.stop] & ~(CLASS_BIT["pedestrian"] | CLASS_BIT["bicycle"])
    return int(np.count_nonzero(driving)) or len(lanes)
