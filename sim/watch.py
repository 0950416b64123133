"""From the running simulation to what controllers see.

A vehicle counts at the link that it reaches next, wherever on the approach it is; SUMO itself tells which. Sensor
model: connected vehicles, all of them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from networks.network import EdgeKind, RoadNetwork
from signals.interlock import SignalState
from signals.observation import DEFAULT_RANGE_M, Observation, approach_edges, departure_edges, stop_edges
from signals.plan import SignalPlan
from sim.kernels import demand_by_link

SENSOR = "connected vehicles, 100 %"
VEHICLE_SPACE_M = 7.5
"""Length and gap of a standing car; what a lane holds is its length over this."""
FULL_SHARE = 0.9
ROOM_RANGE_M = 50.0


@dataclass(frozen=True, slots=True)
class _Room:
    """The way behind a link: edges to count vehicles on, its lanes, how many vehicles stand on it when full."""

    edges: tuple[str, ...]
    lanes: int
    near_edges: tuple[str, ...]
    near_capacity: float


class Watch:
    """Looks at the approaches of some signals on behalf of their controllers."""

    def __init__(
        self, api: Any, network: RoadNetwork, plans: tuple[SignalPlan, ...], range_m: float = DEFAULT_RANGE_M
    ) -> None:
        """Trace every approach and departure once."""
        self._api = api
        self._range_m = range_m
        self._plans = {plan.signal_id: plan for plan in plans}
        self._first: dict[str, int] = {}
        self._approach: dict[str, tuple[str, ...]] = {}
        self._rooms: dict[str, tuple[_Room | None, ...]] = {}
        links = 0
        for plan in plans:
            signal = network.signal_index[plan.signal_id]
            edges = approach_edges(network, stop_edges(network, signal), range_m)
            self._first[plan.signal_id] = links
            self._approach[plan.signal_id] = tuple(network.edges.ids[edge] for edge in sorted(edges))
            self._rooms[plan.signal_id] = tuple(_room(network, link.to_lanes, range_m) for link in plan.links)
            links += len(plan.links)
        self._links = links

    def look(self, states: dict[str, SignalState], now_s: float) -> dict[str, Observation]:
        """Observations of the given signals, all from one look at their approaches."""
        edges = dict.fromkeys(edge for signal_id in states for edge in self._approach[signal_id])
        counted = self._demand(edges)
        return {signal_id: self._observation(signal_id, state, counted, now_s) for signal_id, state in states.items()}

    def _demand(self, edges: Iterable[str]) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Vehicles, standing vehicles and nearest distance by link row, shape (3, links)."""
        on_edge = self._api.edge.getLastStepVehicleIDs
        next_signals, speed_of = self._api.vehicle.getNextTLS, self._api.vehicle.getSpeed
        first = self._first
        rows: list[int] = []
        distances: list[float] = []
        speeds: list[float] = []
        for edge in edges:
            for vehicle in on_edge(edge):
                ahead = next_signals(vehicle)
                if ahead and ahead[0][0] in first:
                    signal_id, link, distance_m, _ = ahead[0]
                    rows.append(first[signal_id] + link)
                    distances.append(distance_m)
                    speeds.append(speed_of(vehicle))
        return demand_by_link(
            np.array(rows, dtype=np.int64), np.array(distances), np.array(speeds), self._range_m, self._links
        )

    def _observation(
        self, signal_id: str, state: SignalState, counted: np.ndarray[Any, np.dtype[np.float64]], now_s: float
    ) -> Observation:
        plan = self._plans[signal_id]
        begin = self._first[signal_id]
        part = counted[:, begin : begin + len(plan.links)]
        vehicles = part[0].copy()
        vehicles[[bit for bit, link in enumerate(plan.links) if link.is_pedestrian]] = 1.0
        ahead, blocked = self._behind(signal_id)
        return Observation(
            time_s=now_s,
            stage=state.stage,
            green_s=now_s - state.since_s,
            vehicles=vehicles,
            halted=part[1],
            nearest_m=part[2],
            ahead=ahead,
            blocked=blocked,
        )

    def _behind(
        self, signal_id: str
    ) -> tuple[np.ndarray[Any, np.dtype[np.float64]], np.ndarray[Any, np.dtype[np.bool_]]]:
        """Vehicles a lane behind each link, and whether a link has no room to enter; shape (links,) each."""
        rooms = self._rooms[signal_id]
        ahead, blocked = np.zeros(len(rooms)), np.zeros(len(rooms), dtype=np.bool_)
        number, standing = self._api.edge.getLastStepVehicleNumber, self._api.edge.getLastStepHaltingNumber
        for bit, room in enumerate(rooms):
            if room is not None:
                ahead[bit] = sum(number(edge) for edge in room.edges) / room.lanes
                blocked[bit] = sum(standing(edge) for edge in room.near_edges) >= FULL_SHARE * room.near_capacity
        return ahead, blocked


def _room(network: RoadNetwork, to_lanes: tuple[int, ...], range_m: float) -> _Room | None:
    """The way behind a link; None where it leads onto a crossing, or the bit is unused."""
    edges = [int(network.lanes.edge[lane]) for lane in to_lanes]
    if not edges or network.edges.kind[edges[0]] != EdgeKind.NORMAL:
        return None
    far, near = departure_edges(network, edges[0], range_m), departure_edges(network, edges[0], ROOM_RANGE_M)
    capacity = sum(float(network.edge_length_m[edge]) * len(network.lanes_of(edge)) for edge in near) / VEHICLE_SPACE_M
    return _Room(
        edges=tuple(network.edges.ids[edge] for edge in far),
        lanes=len(network.lanes_of(edges[0])),
        near_edges=tuple(network.edges.ids[edge] for edge in near),
        near_capacity=max(capacity, 1.0),
    )
