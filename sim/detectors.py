"""Detectors beside the simulation: they look only at the edges of measured junctions, and only when there is something.

Looking is what costs in co-simulation. A count of standing vehicles per edge is cheap; the vehicles themselves are
asked only where somebody stands.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sim.areas import JunctionArea
from sim.kernels import queue_statistics

SAMPLE_S = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Queues:
    """Queues and stops by junction, shape (junctions,): mean and greatest queue (veh), halts begun."""

    mean_veh: npt.NDArray[np.float64]
    max_veh: npt.NDArray[np.float64]
    halts: npt.NDArray[np.int64]


class QueueDetector:
    """Samples the approaches of junctions every ``period_s``: how many stand, and how many came to a stand since.

    A halt is counted once, at the first sample at which the vehicle stands; one that begins and ends between two
    samples is missed.
    """

    def __init__(self, areas: tuple[JunctionArea, ...], begin_s: float, end_s: float, period_s: float) -> None:
        """Set up columns for every sample from begin to end."""
        self.edges = tuple(dict.fromkeys(edge for area in areas for edge in area.approach_edges))
        row = {edge: number for number, edge in enumerate(self.edges)}
        self._rows = np.array([row[edge] for area in areas for edge in area.approach_edges], dtype=np.int32)
        self._first = np.cumsum([0, *(len(area.approach_edges) for area in areas)]).astype(np.int32)
        self._halting = np.zeros((int((end_s - begin_s) / period_s) + 2, len(self.edges)), dtype=np.int32)
        self._halts = np.zeros(len(self.edges), dtype=np.int64)
        self._period_s = period_s
        self._samples = 0
        self.due_s = begin_s + period_s

    def sample(self, api: Any, now_s: float) -> None:
        """Look at every approach edge once."""
        count = api.edge.getLastStepHaltingNumber
        standing = [count(edge) for edge in self.edges]
        self._halting[self._samples] = standing
        self._samples += 1
        self.due_s = now_s + self._period_s
        for row, number in enumerate(standing):
            if number:
                self._halts[row] += self._begun(api, self.edges[row])

    def _begun(self, api: Any, edge: str) -> int:
        """Vehicles on an edge that have stood for no longer than one period."""
        waited = api.vehicle.getWaitingTime
        limit_s = self._period_s
        return sum(1 for vehicle in api.edge.getLastStepVehicleIDs(edge) if 0 < waited(vehicle) <= limit_s)

    def result(self) -> Queues:
        """Statistics over all samples so far."""
        statistics = queue_statistics(self._halting[: self._samples], self._first, self._rows)
        halts = [self._halts[rows].sum() for rows in np.split(self._rows, self._first[1:-1])]
        return Queues(statistics[:, 0], statistics[:, 1], np.array(halts, dtype=np.int64))
