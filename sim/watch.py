"""From the running simulation to what controllers see.

A vehicle counts at the link that it reaches next, wherever on the approach it is; SUMO itself tells which. Sensor
model: connected vehicles, all of them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from networks.network import CLASS_BIT, EdgeKind, RoadNetwork
from signals.interlock import SignalState
from signals.observation import (
    DEFAULT_RANGE_M,
    Approaching,
    Observation,
    approach_edges,
    departure_edges,
    edges_between,
    stop_edges,
)
from signals.plan import SignalPlan
from sim.detectors import Detectors
from sim.kernels import demand_by_link

SENSOR = "connected vehicles, 100 %"
VEHICLE_SPACE_M = 7.5
"""Length and gap of a standing car; what a lane holds is its length over this."""
FULL_SHARE = 0.9
ROOM_RANGE_M = 50.0


@dataclass(frozen=True, slots=True)
class _Room:
    """A way behind a link: edges to count vehicles on, its lanes, how many vehicles stand near by when it is full.

    Vehicles are counted where the way leads to a signal, which may hold them up; elsewhere they just drive off.
    """

    edges: tuple[str, ...]
    lanes: int
    near_edges: tuple[str, ...]
    near_capacity: float


@dataclass(frozen=True, slots=True, eq=False)
class _Behind:
    """The ways behind the links of a signal, each once, and what each counts for a link, shape (links, ways).

    A link that leads into several has their mean; ``leads_on`` tells which have any, shape (links,).
    """

    rooms: tuple[_Room, ...]
    share: np.ndarray[Any, np.dtype[np.float64]]
    leads_on: np.ndarray[Any, np.dtype[np.bool_]]


class Watch:
    """Looks at the approaches of some signals on behalf of their controllers."""

    def __init__(
        self,
        api: Any,
        network: RoadNetwork,
        plans: tuple[SignalPlan, ...],
        range_m: float = DEFAULT_RANGE_M,
        detectors: Detectors | None = None,
    ) -> None:
        """Trace every approach and departure once."""
        self._api = api
        self._range_m = range_m
        self._detectors = detectors
        self._plans = {plan.signal_id: plan for plan in plans}
        self._first: dict[str, int] = {}
        self._approach: dict[str, tuple[str, ...]] = {}
        self._behinds: dict[str, _Behind] = {}
        self._people: dict[str, np.ndarray[Any, np.dtype[np.float64]]] = {}
        links = 0
        for plan in plans:
            signal = network.signal_index[plan.signal_id]
            edges = approach_edges(network, stop_edges(network, signal), range_m)
            self._first[plan.signal_id] = links
            seen = sorted(edges.keys() | edges_between(network, signal, edges))
            self._approach[plan.signal_id] = tuple(network.edges.ids[edge] for edge in seen)
            self._behinds[plan.signal_id] = _ways_behind(network, plan, range_m)
            self._people[plan.signal_id] = np.array([float(link.has_people) for link in plan.links])
            links += len(plan.links)
        self._links = links

    def look(self, states: dict[str, SignalState], now_s: float) -> dict[str, Observation]:
        """Observations of the given signals, all from one look at their approaches."""
        edges = dict.fromkeys(edge for signal_id in states for edge in self._approach[signal_id])
        counted, found = self._demand(edges)
        return {
            signal_id: self._observation(signal_id, state, counted, found, now_s) for signal_id, state in states.items()
        }

    def _demand(self, edges: Iterable[str]) -> tuple[np.ndarray[Any, np.dtype[np.float64]], Approaching]:
        """Vehicles, standing vehicles and nearest distance and lateness by link row, shape (5, links); who they are."""
        on_edge = self._api.edge.getLastStepVehicleIDs
        next_signals, speed_of = self._api.vehicle.getNextTLS, self._api.vehicle.getSpeed
        first = self._first
        rows: list[int] = []
        distances: list[float] = []
        speeds: list[float] = []
        names: list[str] = []
        for edge in edges:
            for vehicle in on_edge(edge):
                ahead = next_signals(vehicle)
                if ahead and ahead[0][0] in first:
                    signal_id, link, distance_m, _ = ahead[0]
                    rows.append(first[signal_id] + link)
                    distances.append(distance_m)
                    speeds.append(speed_of(vehicle))
                    names.append(vehicle)
        found = Approaching(np.array(rows, dtype=np.int64), np.array(distances), np.array(speeds), 0, self._range_m)
        counted = demand_by_link(found.row, found.distance_m, found.speed_mps, self._range_m, self._links)
        return np.vstack((counted, self._lateness_s(names, rows, distances))), found

    def _lateness_s(
        self, vehicles: list[str], links: list[int], distances_m: list[float]
    ) -> np.ndarray[Any, np.dtype[np.float64]]:
        """How late the latest timetabled vehicle is that wants a link, shape (links,); NaN without one."""
        latest_s = np.full(self._links, np.nan)
        if self._detectors is not None:
            row_of, late_s = self._detectors.row_of, self._detectors.deviation_s
            for vehicle, link, distance_m in zip(vehicles, links, distances_m, strict=True):
                if vehicle in row_of and distance_m <= self._range_m:
                    latest_s[link] = np.fmax(latest_s[link], late_s[row_of[vehicle]])
        return latest_s

    def _observation(
        self,
        signal_id: str,
        state: SignalState,
        counted: np.ndarray[Any, np.dtype[np.float64]],
        found: Approaching,
        now_s: float,
    ) -> Observation:
        plan = self._plans[signal_id]
        begin = self._first[signal_id]
        part = counted[:, begin : begin + len(plan.links)]
        ahead, blocked = self._behind(signal_id)
        return Observation(
            time_s=now_s,
            stage=state.stage,
            green_s=now_s - state.since_s,
            vehicles=part[0] + self._people[signal_id],
            halted=part[1],
            nearest_m=part[2],
            closeness=part[3],
            ahead=ahead,
            blocked=blocked,
            bus_lateness_s=part[4],
            approaching=Approaching(found.row, found.distance_m, found.speed_mps, begin, self._range_m),
        )

    def _behind(
        self, signal_id: str
    ) -> tuple[np.ndarray[Any, np.dtype[np.float64]], np.ndarray[Any, np.dtype[np.bool_]]]:
        """Vehicles a lane behind each link, and whether a link has no room to enter; shape (links,) each.

        A link that leads into several edges has no room where none of them has any.
        """
        behind = self._behinds[signal_id]
        ahead = np.array([self._vehicles_a_lane(way) for way in behind.rooms])
        has_room = np.array([not self._is_full(way) for way in behind.rooms], dtype=np.float64)
        return behind.share @ ahead, behind.leads_on & (behind.share @ has_room == 0)

    def _vehicles_a_lane(self, way: _Room) -> float:
        number = self._api.edge.getLastStepVehicleNumber
        return float(sum(number(edge) for edge in way.edges)) / way.lanes

    def _is_full(self, way: _Room) -> bool:
        standing = self._api.edge.getLastStepHaltingNumber
        return bool(sum(standing(edge) for edge in way.near_edges) >= FULL_SHARE * way.near_capacity)


def _ways_behind(network: RoadNetwork, plan: SignalPlan, range_m: float) -> _Behind:
    """The ways behind links; none behind one that leads onto a crossing only, or that is unused."""
    into = [{int(network.lanes.edge[lane]) for lane in link.to_lanes} for link in plan.links]
    edges = [edge for edge in sorted(set().union(*into)) if network.edges.kind[edge] == EdgeKind.NORMAL]
    leads = np.array([[edge in each for edge in edges] for each in into], dtype=np.float64)
    leads = leads.reshape(len(into), len(edges))
    ways = leads.sum(axis=1)
    share = leads / np.maximum(ways, 1)[:, None]
    return _Behind(tuple(_room(network, edge, range_m) for edge in edges), share, ways > 0)


def _room(network: RoadNetwork, edge: int, range_m: float) -> _Room:
    far, near = departure_edges(network, edge, range_m), departure_edges(network, edge, ROOM_RANGE_M)
    lane_m = sum(float(network.edge_length_m[each]) * _driving_lanes(network, each) for each in near)
    return _Room(
        edges=tuple(network.edges.ids[each] for each in far) if _leads_to_signal(network, far[-1]) else (),
        lanes=_driving_lanes(network, edge),
        near_edges=tuple(network.edges.ids[each] for each in near),
        near_capacity=max(lane_m / VEHICLE_SPACE_M, 1.0),
    )


def _leads_to_signal(network: RoadNetwork, edge: int) -> bool:
    rows = network.connection_order[list(network.connections_from(edge))]
    return bool((network.connections.signal[rows] >= 0).any())


def _driving_lanes(network: RoadNetwork, edge: int) -> int:
    """Lanes of an edge that are no pavement or cycle track; all of them where there is nothing else."""
    lanes = network.lanes_of(edge)
    driving = network.lanes.permissions[lanes.start : lanes.stop] & ~(CLASS_BIT["pedestrian"] | CLASS_BIT["bicycle"])
    return int(np.count_nonzero(driving)) or len(lanes)
