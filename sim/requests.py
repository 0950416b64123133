"""Which vehicles ask signals for priority, when they will be at the stop line, and for how many they count.

A bus knows its place, its timetable's deviation (:mod:`sim.detectors`) and the stops that it has yet to serve; the time
that it will stand there is predicted, not known.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from signals.approaching import FloatArray
from signals.kernels import ACCELERATION_MPS2
from signals.plan import SignalPlan
from signals.priority import ALL_BUSES, EMERGENCY, LATE_BUSES, WEIGHT, Priority, Request
from signals.saturation import PROTECTED_HEADWAY_S
from sim.detectors import Detectors
from sim.stop_output import DOORS

BUS_CLASSES = frozenset({"bus", "coach", "tram"})
EMERGENCY_CLASS = "emergency"

NEXT_STOPS = 3
"""So many stops ahead are asked for: nobody makes more within sight of a signal."""

LEFT_S = 2.0
"""Who stands longer than predicted is expected to leave in this time, each second anew."""

ABOUT_TO_LEAVE_S = 5.0
"""A vehicle that stays longer at a stop before the stop line counts as any other until then."""

SLOWEST_MPS = 1.0


class Requests:
    """Asks SUMO about the vehicles that may have priority, look by look.

    Attributes
    ----------
    by_signal
        Requests of the last look, by signal.
    """

    def __init__(
        self,
        api: Any,
        law: Priority,
        plans: Iterable[SignalPlan],
        rows: Mapping[str, slice],
        detectors: Detectors | None,
    ) -> None:
        """``rows`` are the links of each signal among those of a look."""
        self.by_signal: dict[str, list[Request]] = {}
        self._api = api
        self._law = law
        self._detectors = detectors
        self._link: dict[int, tuple[str, int, int]] = {}
        for plan in plans:
            for bit, link in enumerate(plan.links):
                lanes = max(len(set(link.from_lanes)), 1)
                self._link[rows[plan.signal_id].start + bit] = (plan.signal_id, bit, lanes)
        self._class: dict[str, str] = {}
        self._asking: set[tuple[str, str]] = set()

    def take(self, now_s: float, names: Sequence[str], rows: Sequence[int], distances_m: Sequence[float]) -> FloatArray:
        """Keep who asks; how many vehicles each of those in sight counts for, shape (vehicles,).

        Parameters
        ----------
        names, rows, distances_m
            Vehicles in sight of a signal, the link that each wants, its way to the stop line.
        """
        self.by_signal = {}
        weight = np.ones(len(names))
        asking: set[tuple[str, str]] = set()
        for place, (name, row, way_m) in enumerate(zip(names, rows, distances_m, strict=True)):
            signal_id, link, lanes = self._link[row]
            preempts = self._preempts(name)
            if not preempts and not self._asks(name, signal_id):
                continue
            asking.add((name, signal_id))
            stays_until_s, arrival_s = self._predicted(name, way_m, now_s)
            ahead = sum(other == row and at_m < way_m for other, at_m in zip(rows, distances_m, strict=True))
            late_s = self._late_s(name)
            queue_s = ahead * PROTECTED_HEADWAY_S / lanes
            request = Request(name, link, arrival_s, queue_s, late_s, preempts)
            self.by_signal.setdefault(signal_id, []).append(request)
            if self._law.kind == WEIGHT and stays_until_s <= now_s + ABOUT_TO_LEAVE_S:
                weight[place] = self._law.weight
        self._asking = asking
        return weight

    def _class_of(self, name: str) -> str:
        if name not in self._class:
            self._class[name] = self._api.vehicle.getVehicleClass(name)
        return self._class[name]

    def _preempts(self, name: str) -> bool:
        return EMERGENCY in self._law.vehicles and self._class_of(name) == EMERGENCY_CLASS

    def _asks(self, name: str, signal_id: str) -> bool:
        """Whether a bus has priority; who asks once goes on until it is through."""
        timetabled = self._detectors is not None and name in self._detectors.row_of
        if ALL_BUSES in self._law.vehicles:
            return timetabled or self._class_of(name) in BUS_CLASSES
        if LATE_BUSES not in self._law.vehicles or not timetabled:
            return False
        return (name, signal_id) in self._asking or self._late_s(name) > self._law.late_s

    def _late_s(self, name: str) -> float:
        if self._detectors is None or name not in self._detectors.row_of:
            return math.nan
        return float(self._detectors.deviation_s[self._detectors.row_of[name]])

    def _predicted(self, name: str, way_m: float, now_s: float) -> tuple[float, float]:
        """Until when a vehicle stays at the last of its stops before a stop line, and when it is there (s)."""
        vehicle = self._api.vehicle
        free_mps = max(vehicle.getAllowedSpeed(name), SLOWEST_MPS)
        speed_mps, at_m, at_s = vehicle.getSpeed(name), 0.0, now_s
        stays_until_s = -math.inf
        for stop in vehicle.getStops(name, NEXT_STOPS):
            stop_m = 0.0
            if stop.arrival < 0:
                stop_m = vehicle.getDrivingDistance(name, stop.lane.rpartition("_")[0], stop.endPos)
                if not 0 <= stop_m < way_m:
                    break
                at_s += drive_s(stop_m - at_m, speed_mps, free_mps)
            at_s = stays_until_s = self._leaves_s(stop, at_s, now_s)
            speed_mps, at_m = 0.0, stop_m
        return stays_until_s, at_s + drive_s(way_m - at_m, speed_mps, free_mps)

    def _leaves_s(self, stop: Any, comes_s: float, now_s: float) -> float:
        """When a vehicle leaves a stop at which it stands or comes to (s): after its dwell, not before it may.

        Doors belong to the dwell of the stop that follows them.
        """
        dwell_s = self._law.dwell_s if stop.stoppingPlaceID and stop.tripId != DOORS else 0.0
        leaves_s = comes_s + dwell_s if stop.arrival < 0 else max(stop.arrival + dwell_s, now_s + LEFT_S)
        return max(leaves_s, float(stop.until))


def drive_s(way_m: float, speed_mps: float, free_mps: float) -> float:
    """Time for a way from a speed on (s), speeding up steadily to the one that may be driven."""
    way_m, top_mps = max(way_m, 0.0), max(free_mps, speed_mps)
    speeding_m = (top_mps**2 - speed_mps**2) / (2 * ACCELERATION_MPS2)
    if way_m <= speeding_m:
        return (math.sqrt(speed_mps**2 + 2 * ACCELERATION_MPS2 * way_m) - speed_mps) / ACCELERATION_MPS2
    return (top_mps - speed_mps) / ACCELERATION_MPS2 + (way_m - speeding_m) / top_mps
