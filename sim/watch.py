"""From the running simulation to what controllers see.

A vehicle counts at the link that it reaches next, wherever on the approach it is; SUMO itself tells which. Whom of
these the run's sensors see is settled in one place (:mod:`signals.sensors`); controllers know no others. Timetabled
vehicles report their position to the signals, whatever the sensors are. Whether there is room behind a junction is
taken from detectors there, which do not err.
"""

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from networks.network import RoadNetwork
from signals.approaching import DEFAULT_RANGE_M, Approaching
from signals.movement import Link
from signals.observation import FloatArray, Look, approach_edges
from signals.plan import SignalPlan
from signals.sensing import ALL_CONNECTED, Sensing
from signals.sensors import Believed, Traffic, lane_groups, sensor_of
from sim.detectors import Detectors
from sim.kernels import demand_by_link
from sim.next_links import NextLinks
from sim.rooms import Rooms

if TYPE_CHECKING:
    from sim.requests import Requests

STANDING, CLOSENESS = 1, 3
"""Rows of what :func:`sim.kernels.demand_by_link` gives."""
LOOK_EVERY_S = 1.0
"""Sensors that count look so often."""


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
        *,
        looks_behind: bool = True,
    ) -> None:
        """Trace what lies behind the signals once. What the sensors leave to chance follows from ``seed``.

        Where not ``looks_behind``, vehicles behind the junctions are not counted.
        """
        self._range_m = range_m
        self._detectors = detectors
        begins = np.cumsum([0, *(len(plan.links) for plan in plans)]).tolist()
        self._links = begins[-1]
        first = {plan.signal_id: begin for plan, begin in zip(plans, begins[:-1], strict=True)}
        limit_mps = float(network.lanes.speed_mps.max(initial=1.0))
        self._next = NextLinks(api, first, range_m, limit_mps, detectors.row_of if detectors else ())
        self.rows = {plan.signal_id: slice(*pair) for plan, pair in zip(plans, pairwise(begins), strict=True)}
        self._rooms = Rooms(api, network, plans, range_m)
        self._people = np.array([float(link.has_people) for plan in plans for link in plan.links])
        links = [link for plan in plans for link in plan.links]
        reach_m = [_reach_m(network, link, range_m) for link in links]
        self._groups = lane_groups(links, reach_m)
        self._sensor = sensor_of(sensing, self._groups, seed)
        self.recall = np.array([link.has_vehicles and not sensing.is_sure for link in links], dtype=np.bool_)
        self.due_s = -math.inf if self._sensor.must_look else math.inf
        self.requests: Requests | None = None
        self._unknown = np.full(self._links, np.nan)
        self._looks_behind = looks_behind

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
        return Look(
            time_s=now_s,
            who=Approaching(row, distance_m, speed_mps, weight, 0, self._range_m),
            vehicles=vehicles + self._people,
            halted=halted,
            nearest_m=nearest_m,
            closeness=closeness,
            ahead=self._rooms.ahead() if self._looks_behind else self._unknown,
            blocked=self._rooms.blocked(now_s),
            bus_lateness_s=self._lateness_s(true),
        )

    def sense(self, now_s: float, true: Traffic | None = None) -> Believed:
        """Whom the sensors see; they are told who is truly there."""
        if self._sensor.must_look:
            self.due_s = now_s + LOOK_EVERY_S
        return self._sensor.believe(now_s, self._true(now_s) if true is None else true)

    def _demand(self, believed: Believed) -> FloatArray:
        """Sums of those who want each link, as the kernel gives them, shape (4, links).

        Where turns are guessed, whole vehicles are those drawn. What controllers weigh is what is to be expected, as a
        weight that leapt with each draw would have them change for nothing: of who stands and of closeness each link of
        a lane group has its share.
        """
        row, distance_m, speed_mps, _, guessed = believed
        sums = demand_by_link(row, distance_m, speed_mps, self._range_m, self._links)
        if self._sensor.guesses and guessed.any():
            told, group, range_m = ~guessed, self._groups.group, self._range_m
            own = demand_by_link(row[told], distance_m[told], speed_mps[told], range_m, self._links)
            shared = demand_by_link(group[row[guessed]], distance_m[guessed], speed_mps[guessed], range_m, self._links)
            for part in (STANDING, CLOSENESS):
                sums[part] = own[part] + shared[part, group] * self._sensor.turn_share
        return sums

    def _true(self, now_s: float) -> Traffic:
        names, rows, distances_m, speeds_mps = self._next.look(now_s)
        known = np.zeros(len(names), dtype=np.bool_)
        if self._detectors is not None:
            known[:] = [name in self._detectors.row_of for name in names]
        return Traffic(names, np.array(rows, dtype=np.int64), np.array(distances_m), np.array(speeds_mps), known)

    def _lateness_s(self, true: Traffic) -> FloatArray:
        """How late the latest timetabled vehicle is that wants a link, shape (links,); NaN without one."""
        if self._detectors is None:
            return self._unknown
        row_of, late_s = self._detectors.row_of, self._detectors.deviation_s
        latest_s = self._unknown.copy()
        for each in np.flatnonzero(true.known).tolist():
            link = true.row[each]
            latest_s[link] = np.fmax(latest_s[link], late_s[row_of[true.ids[each]]])
        return latest_s


def _reach_m(network: RoadNetwork, link: Link, range_m: float) -> float:
    """How far upstream the approach of a link begins (m), at most the range."""
    edges = frozenset(int(network.lanes.edge[lane]) for lane in link.from_lanes) if link.has_vehicles else frozenset()
    traced = approach_edges(network, edges, range_m)
    begins_m = (way_m + float(network.edge_length_m[edge]) for edge, way_m in traced.items())
    return min(max(begins_m, default=0.0), range_m)
