"""Delay as it accumulates, for the rewards of agents: what vehicles lose on the road, and their wait for entry."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from sim.areas import JunctionArea
from sim.outputs import FloatArray


class DelayMeter:
    """Adds up the delay of all vehicles, and whose junctions it was lost at.

    It counts as :class:`sim.measures.RunMeasures` does, with two differences: what a vehicle loses between the last
    question and its arrival is not seen, and timetabled vehicles count like any other. What is lost on the approaches
    of a junction and inside is its own. What is lost elsewhere, the wait for entry included, is shared equally, so that
    the shares add up to the delay of the network.
    """

    def __init__(self, api: Any, areas: Sequence[JunctionArea], begin_s: float) -> None:
        """``areas`` are those of the agents' junctions."""
        self._api = api
        self._count = len(areas)
        self._owner: dict[str, int] = {}
        for number, area in enumerate(areas):
            self._owner |= dict.fromkeys((*area.approach_edges, *area.inner_edges), number)
        self._time_s = begin_s
        self._lost_s: dict[str, float] = {}

    def lost_s(self, now_s: float) -> FloatArray:
        """Delay since the last call by junction, shape (junctions,), in vehicle seconds."""
        loss_of, road_of = self._api.vehicle.getTimeLoss, self._api.vehicle.getRoadID
        elsewhere = self._count
        lost_s = [0.0] * (self._count + 1)
        known_s, self._lost_s = self._lost_s, {}
        for vehicle in self._api.vehicle.getIDList():
            self._lost_s[vehicle] = loss_s = loss_of(vehicle)
            more_s = loss_s - known_s.get(vehicle, 0.0)
            if more_s:
                lost_s[self._owner.get(road_of(vehicle), elsewhere)] += more_s
        waiting = len(self._api.simulation.getPendingVehicles())
        lost_s[elsewhere] += waiting * (now_s - self._time_s)
        self._time_s = now_s
        return np.array(lost_s[:elsewhere]) + lost_s[elsewhere] / self._count
