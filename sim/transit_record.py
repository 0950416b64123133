"""Timetabled vehicles of one run, from what SUMO wrote of them or detectors saw."""

from pathlib import Path

import numpy as np

from networks.network import RoadNetwork
from sim.detectors import Detectors
from sim.fcd import read_positions
from sim.outputs import RawOutputs
from sim.stop_output import read_stop_visits, stop_times_s
from sim.transit_plan import TransitPlan, read_plan
from sim.transit_run import TransitRun


class TransitRecord:
    """What is recorded of the vehicles of a plan while a run goes on."""

    def __init__(self, folder: Path, network: RoadNetwork) -> None:
        """Read the plan; see :func:`sim.transit_plan.read_plan` for what is refused."""
        self.folder = folder
        self.plan = read_plan(folder)
        self._network = network
        self.vehicles = frozenset(self.plan.vehicle_ids)
        self.detectors = Detectors(self.plan)

    def read(self, raw: RawOutputs, end_s: float) -> TransitRun:
        """What the vehicles did, from SUMO's files; positions from its record where it wrote one."""
        plan, calls = self.plan, self.plan.calls
        if raw.positions.exists():
            read_positions(raw.positions, plan, self._network, self.detectors)
        visits = read_stop_visits(raw.stop_visits)
        times_s = stop_times_s(visits, plan.vehicle_ids, _first_calls(plan), calls.bus_stops)
        arrival_s, ended_s = times_s.T
        leg, time_s, way_m, deviation_s = self.detectors.samples()
        return TransitRun(
            end_s=end_s,
            arrival_s=arrival_s,
            # who still stands there at the end has left at -1, as SUMO writes it
            departure_s=np.where(ended_s >= arrival_s, ended_s, np.nan),
            due=np.where(calls.is_end, calls.arrival_s, calls.departure_s) < end_s,
            sample_leg=leg,
            sample_time_s=time_s,
            sample_way_m=way_m,
            sample_deviation_s=deviation_s,
        )


def _first_calls(plan: TransitPlan) -> list[int]:
    """First call of each vehicle, and the end of the last one's."""
    first_legs = np.searchsorted(plan.legs.vehicle, np.arange(len(plan.vehicle_ids) + 1))
    first: list[int] = plan.legs.call_start[first_legs].tolist()
    return first
