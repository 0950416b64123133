"""Max pressure: serve where most vehicles wait before the junction and fewest stand behind it.

P. Varaiya, *Max pressure control of a network of signalized intersections*, Transportation Research Part C 36 (2013):
with x_ij vehicles that want to go from i to j and turning shares r_jk, a movement weighs w_ij = x_ij - sum_k r_jk x_jk,
and the stage with the greatest sum of c_ij w_ij is served, c_ij being its saturation flow. Here x_ij counts every
vehicle whose own next link it is within the observation range, not those on the lane at the stop line.
"""

from dataclasses import dataclass

import numpy as np

from signals.observation import Observation
from signals.plan import SignalPlan

PROTECTED_HEADWAY_S = 1.9
PERMITTED_HEADWAY_S = 3.0


@dataclass(frozen=True, slots=True)
class MaxPressureParameters:
    """``decision_s`` is the least time between two decisions to change, on top of minimum green."""

    decision_s: float = 10.0


class MaxPressure:
    """One signal under max-pressure control."""

    def __init__(self, plan: SignalPlan, parameters: MaxPressureParameters) -> None:
        """Work out once the saturation flow of every link in every stage, shape (stages, links), in veh/s."""
        self._decision_s = parameters.decision_s
        flow = {"G": 1 / PROTECTED_HEADWAY_S, "g": 1 / PERMITTED_HEADWAY_S}
        self._flow = np.array([[flow.get(letter, 0.0) for letter in stage.state] for stage in plan.stages])

    def wish(self, seen: Observation) -> int:
        """The stage of greatest pressure; the present one on a tie, or before the next decision is due."""
        if seen.green_s < self._decision_s:
            return seen.stage
        weight = np.where(seen.blocked, 0.0, np.maximum(seen.vehicles - seen.ahead, 0.0))
        pressure = self._flow @ weight
        best = int(np.argmax(pressure))
        return best if pressure[best] > pressure[seen.stage] else seen.stage
