"""From the running simulation to what controllers see.

A vehicle counts at the link that it reaches next, wherever on the approach it is; SUMO itself tells which. Whom of
these the run's sensors see is settled in one place (:mod:`signals.sensors`); controllers know no others. Timetabled
vehicles report their position to the signals, whatever the sensors are. Whether there is room behind a junction is
taken from detectors there, which do not err.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from networks.network import CLASS_BIT, EdgeKind, RoadNetwork
from signals.approaching import DEFAULT_RANGE_M, Approaching
from signals.movement import Link
from signals.observation import IntArray, Look, approach_edges, departure_edges
from signals.plan import SignalPlan
from signals.sensing import ALL_CONNECTED, Sensing
from signals.sensors import Believed, Traffic, lane_groups, sensor_of
from sim.detectors import Detectors
from sim.kernels import RoomLayout, demand_by_link, room_behind

if TYPE_CHECKING:
    from sim.requests import Requests

STANDING, CLOSENESS = 1, 3
"""Rows of what :func:`sim.kernels.demand_by_link` gives."""
LOOK_EVERY_S = 1.0
"""Sensors that count look so often."""
VEHICLE_SPACE_M = 7.5
"""Length and gap of a standing car; what a lane holds is its length over this."""
FULL_SHARE = 0.9
ROOM_RANGE_M = 50.0
FASTER_THAN_LIMIT = 1.5
"""Nobody drives faster than this times the highest limit of the network: who is far from a signal is not asked again
before that brings it near."""
LOOK_AGAIN_S = 30.0
"""Who comes to no signal of ours is asked again after this: routes may change."""


@dataclass(frozen=True, slots=True)
class _Room:
    """A way behind a link: edges to count vehicles on, its lanes, how many vehicles stand near by when it is full.

    Vehicles are counted where the way leads to a signal, which may hold them up; elsewhere they just drive off.
    """

    edges: tuple[str, ...]
    lanes: int
    near_edges: tuple[str, ...]
    near_capacity: float


class _Rooms:
    """The ways behind all links of the signals that are watched, laid out for the kernel."""

    def __init__(self, api: Any, network: RoadNetwork, plans: Iterable[SignalPlan], range_m: float) -> None:
        """Trace every way once."""
        leads = [edges for plan in plans for edges in _edges_behind(network, plan)]
        edges = sorted(set().union(*leads))
        rooms = [_room(network, edge, range_m) for edge in edges]
        row = {edge: number for number, edge in enumerate(edges)}
        self._api = api
        self._counted = tuple(dict.fromkeys(edge for room in rooms for edge in room.edges))
        self._near = tuple(dict.fromkeys(edge for room in rooms for edge in room.near_edges))
        self._layout = RoomLayout(
            *_ragged([[row[edge] for edge in each] for each in leads]),
            *_ragged([[self._counted.index(edge) for edge in room.edges] for room in rooms]),
            *_ragged([[self._near.index(edge) for edge in room.near_edges] for room in rooms]),
            np.array([room.lanes for room in rooms], dtype=np.float64),
            np.array([FULL_SHARE * room.near_capacity for room in rooms], dtype=np.float64),
        )

    def look(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Vehicles a lane behind each link, and whether it has no room to enter, shape (2, links)."""
        number, standing = self._api.edge.getLastStepVehicleNumber, self._api.edge.getLastStepHaltingNumber
        vehicles = np.array([number(edge) for edge in self._counted], dtype=np.float64)
        halted = np.array([standing(edge) for edge in self._near], dtype=np.float64)
        return room_behind(vehicles, halted, self._layout)


class Watch:
    """Looks at the approaches of some signals on behalf of their controllers.

    Attributes
    ----------
    rows
        Which of the links of a look are those of each signal.
    recall
        Links at which somebody may wait unseen, shape (links,): maximum red holds there whoever is seen.
    due_s
        When sensors that count must be asked next (s), whether anybody wants a look or not; infinity without any.
    requests
        Who may have priority, shown at every look; None where nobody may.
    """

    def __init__(
        self,
        api: Any,
        network: RoadNetwork,
        plans: tuple[SignalPlan, ...],
        range_m: float = DEFAULT_RANGE_M,
        detectors: Detectors | None = None,
        sensing: Sensing = ALL_CONNECTED,
        seed: int = 0,
    ) -> None:
        """Trace what lies behind the signals once. What the sensors leave to chance follows from ``seed``."""
        self._api = api
        self._range_m = range_m
        self._detectors = detectors
        begins = np.cumsum([0, *(len(plan.links) for plan in plans)]).tolist()
        self._links = begins[-1]
        self._first = {plan.signal_id: begin for plan, begin in zip(plans, begins[:-1], strict=True)}
        self.rows = {plan.signal_id: slice(*pair) for plan, pair in zip(plans, pairwise(begins), strict=True)}
        self._rooms = _Rooms(api, network, plans, range_m)
        self._people = np.array([float(link.has_people) for plan in plans for link in plan.links])
        links = [link for plan in plans for link in plan.links]
        reach_m = [_reach_m(network, link, range_m) for link in links]
        self._groups = lane_groups(links, reach_m)
        self._sensor = sensor_of(sensing, self._groups, seed)
        self.recall = np.array([link.has_vehicles and not sensing.is_sure for link in links], dtype=np.bool_)
        self.due_s = -math.inf if self._sensor.must_look else math.inf
        self._asleep: dict[str, float] = {}
        self.requests: Requests | None = None
        self._fastest_mps = FASTER_THAN_LIMIT * float(network.lanes.speed_mps.max(initial=1.0))

    def look(self, now_s: float) -> Look:
        """All signals seen at once."""
        true = self._true(now_s)
        believed = self.sense(now_s, true)
        row, distance_m, speed_mps, source, _ = believed
        vehicles, halted, nearest_m, closeness = self._demand(believed)
        weight = np.ones(len(row))
        if self.requests is not None:
            own = self.requests.take(now_s, true.ids, true.row.tolist(), true.distance_m.tolist())
            weight[source >= 0] = own[source[source >= 0]]
            np.add.at(closeness, row, (weight - 1) * np.maximum(1 - distance_m / self._range_m, 0.0))
        ahead, is_full = self._rooms.look()
        return Look(
            time_s=now_s,
            who=Approaching(row, distance_m, speed_mps, weight, 0, self._range_m),
            vehicles=vehicles + self._people,
            halted=halted,
            nearest_m=nearest_m,
            closeness=closeness,
            ahead=ahead,
            blocked=is_full > 0,
            bus_lateness_s=self._lateness_s(true.ids, true.row.tolist()),
        )

    def sense(self, now_s: float, true: Traffic | None = None) -> Believed:
        """Whom the sensors see; they are told who is truly there."""
        if self._sensor.must_look:
            self.due_s = now_s + LOOK_EVERY_S
        return self._sensor.believe(now_s, self._true(now_s) if true is None else true)

    def _demand(self, believed: Believed) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Sums of those who want each link, as the kernel gives them, shape (4, links).

        Where turns are guessed, whole vehicles are those drawn. What controllers weigh is what is to be expected, as a
        weight that leapt with each draw would have them change for nothing: of who stands and of closeness each link of
        a lane group has its share.
        """
        row, distance_m, speed_mps, _, guessed = believed
        sums = demand_by_link(row, distance_m, speed_mps, self._range_m, self._links)
        if guessed.any():
            told, group, range_m = ~guessed, self._groups.group, self._range_m
            own = demand_by_link(row[told], distance_m[told], speed_mps[told], range_m, self._links)
            shared = demand_by_link(group[row[guessed]], distance_m[guessed], speed_mps[guessed], range_m, self._links)
            for part in (STANDING, CLOSENESS):
                sums[part] = own[part] + shared[part, group] * self._sensor.turn_share
        return sums

    def _true(self, now_s: float) -> Traffic:
        names, rows, distances, speeds = self._vehicles(now_s)
        tells = self._detectors.row_of if self._detectors is not None else {}
        known = np.array([name in tells for name in names], dtype=np.bool_)
        return Traffic(names, np.array(rows, dtype=np.int64), np.array(distances), np.array(speeds), known)

    def _vehicles(self, now_s: float) -> tuple[list[str], list[int], list[float], list[float]]:
        """Who comes to a signal of ours next and is within range: id, row of the link, way to its stop line, speed."""
        next_signals, speed_of = self._api.vehicle.getNextTLS, self._api.vehicle.getSpeed
        first, asleep, range_m = self._first, self._asleep, self._range_m
        names: list[str] = []
        rows: list[int] = []
        distances: list[float] = []
        speeds: list[float] = []
        rests = asleep.get
        running = self._api.vehicle.getIDList()
        for vehicle in running:
            if rests(vehicle, 0.0) > now_s:
                continue
            ahead = next_signals(vehicle)
            if ahead and ahead[0][0] in first and ahead[0][2] <= range_m:
                signal_id, link, distance_m, _ = ahead[0]
                names.append(vehicle)
                rows.append(first[signal_id] + link)
                distances.append(distance_m)
                speeds.append(speed_of(vehicle))
            else:
                asleep[vehicle] = now_s + self._rest_s(ahead)
        if len(asleep) > 2 * len(running) + 1000:
            self._asleep = {vehicle: asleep[vehicle] for vehicle in running if vehicle in asleep}
        return names, rows, distances, speeds

    def _rest_s(self, ahead: Sequence[tuple[str, int, float, str]]) -> float:
        """How long a vehicle cannot come within range of a signal of ours (s), by the signals on its way."""
        for signal_id, _, distance_m, _ in ahead:
            if signal_id in self._first:
                return min(max((distance_m - self._range_m) / self._fastest_mps, 0.0), LOOK_AGAIN_S)
        return LOOK_AGAIN_S

    def _lateness_s(self, vehicles: Sequence[str], links: Sequence[int]) -> np.ndarray[Any, np.dtype[np.float64]]:
        """How late the latest timetabled vehicle is that wants a link, shape (links,); NaN without one."""
        latest_s = np.full(self._links, np.nan)
        if self._detectors is not None:
            row_of, late_s = self._detectors.row_of, self._detectors.deviation_s
            for vehicle, link in zip(vehicles, links, strict=True):
                if vehicle in row_of:
                    latest_s[link] = np.fmax(latest_s[link], late_s[row_of[vehicle]])
        return latest_s


def _ragged(rows: Sequence[Sequence[int]]) -> tuple[IntArray, IntArray]:
    """Rows of different lengths: where each begins, shape (rows + 1,), and their values one after another."""
    start = np.cumsum([0, *(len(row) for row in rows)], dtype=np.int64)
    return start, np.array([value for row in rows for value in row], dtype=np.int64)


def _reach_m(network: RoadNetwork, link: Link, range_m: float) -> float:
    """How far upstream the approach of a link begins (m), at most the range."""
    edges = frozenset(int(network.lanes.edge[lane]) for lane in link.from_lanes) if link.has_vehicles else frozenset()
    traced = approach_edges(network, edges, range_m)
    begins_m = (way_m + float(network.edge_length_m[edge]) for edge, way_m in traced.items())
    return min(max(begins_m, default=0.0), range_m)


def _edges_behind(network: RoadNetwork, plan: SignalPlan) -> list[list[int]]:
    """Edges that each link leads into; none behind one that leads onto a crossing only, or that is unused."""
    into = [sorted({int(network.lanes.edge[lane]) for lane in link.to_lanes}) for link in plan.links]
    return [[edge for edge in edges if network.edges.kind[edge] == EdgeKind.NORMAL] for edges in into]


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
