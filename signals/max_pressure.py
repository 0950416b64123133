"""Max pressure: serve where most vehicles wait before the junction and fewest drive behind it.

P. Varaiya, *Max pressure control of a network of signalized intersections*, Transportation Research Part C 36 (2013):
with x_ij vehicles that want to go from i to j and turning shares r_jk, a movement weighs w_ij = x_ij - sum_k r_jk x_jk,
and the stage with the greatest sum of c_ij w_ij is served, c_ij being its saturation flow. Here x_ij counts every
vehicle whose own next link it is within the observation range, not those on the lane at the stop line, and by its
position: L. Li and S. E. Jabari, *Position weighted backpressure intersection control for urban networks*,
Transportation Research Part B 128 (2019). A change of stage has to pay for the time that it loses.
"""

from dataclasses import dataclass

import numpy as np

from signals.interlock import transition
from signals.observation import FloatArray, Observation
from signals.plan import SignalPlan
from signals.saturation import PERMITTED_HEADWAY_S, PROTECTED_HEADWAY_S

MEAN_WEIGHT_AHEAD = 0.5
"""Of a vehicle somewhere behind the junction: Li & Jabari let it fall from 1 at the entry to 0 at the end."""


@dataclass(frozen=True, slots=True)
class MaxPressureParameters:
    """``decision_s`` is the least green before a change is thought of, where minimum green is less.

    ``green_per_loss`` is the green that must have been shown, in times of what the change loses by yellow and all-red:
    1.5 means that at most 40 % of all time is lost. ``horizon_s`` is the time for which stages are compared: the
    present one discharges all of it, another one only what is left of it after yellow and all-red.
    """

    decision_s: float = 5.0
    green_per_loss: float = 1.5
    horizon_s: float = 15.0


class MaxPressure:
    """One signal under max-pressure control."""

    def __init__(self, plan: SignalPlan, parameters: MaxPressureParameters) -> None:
        """Prepare the comparison of stages."""
        self._pressure = Pressure(plan, parameters)

    def wish(self, seen: Observation) -> int:
        """The stage that discharges most pressure; the present one on a tie, or while it is too early for a change."""
        waiting = np.where(seen.blocked, 0.0, np.maximum(seen.closeness - MEAN_WEIGHT_AHEAD * seen.ahead, 0.0))
        gain = self._pressure.gains(waiting, seen)
        best = int(np.argmax(gain))
        return best if gain[best] > gain[seen.stage] else seen.stage


class Pressure:
    """What stages discharge, and whether a change to one pays for the time that it loses."""

    def __init__(self, plan: SignalPlan, parameters: MaxPressureParameters) -> None:
        """Work out once what depends on no traffic.

        That is the green before a change (s) and the share of the horizon in which the other stage then discharges,
        shape (stages, stages) each.
        """
        self.flow = saturation_flows(plan)
        lost_s = np.array([[transition(plan, a.state, b.state).total_s for b in plan.stages] for a in plan.stages])
        self._least_green_s = np.maximum(parameters.green_per_loss * lost_s, parameters.decision_s)
        self._share = np.maximum(1 - lost_s / parameters.horizon_s, 0.0)

    def gains(self, waiting: FloatArray, seen: Observation) -> FloatArray:
        """Pressure that each stage discharges over the horizon, shape (stages,); 0 while it is too early for a change.

        Parameters
        ----------
        waiting
            What each link weighs, shape (links,).
        """
        pressure = self.flow @ waiting
        gain = np.where(seen.green_s >= self._least_green_s[seen.stage], self._share[seen.stage] * pressure, 0.0)
        gain[seen.stage] = pressure[seen.stage]
        return np.asarray(gain)


def saturation_flows(plan: SignalPlan) -> FloatArray:
    """Saturation flow of every link in every stage (veh/s), shape (stages, links); zero at red."""
    flow = {"G": 1 / PROTECTED_HEADWAY_S, "g": 1 / PERMITTED_HEADWAY_S}
    return np.array([[flow.get(letter, 0.0) for letter in stage.state] for stage in plan.stages])
