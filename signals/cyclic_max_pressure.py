"""Cyclic max pressure: stages in the shipped order, each as long as its pressure lasts.

M. W. Levin, J. Hu and M. Odell, *Max-pressure signal control with cyclical phase structure*, Transportation Research
Part C 120 (2020): drivers expect an order, and a stage that is never skipped starves nobody; the length of each stage
is what pressure decides. Weights are those of :mod:`signals.max_pressure`. A stage ends when the next one in the order
that serves somebody who is red now would discharge more pressure, what the change loses taken off.
"""

import numpy as np

from signals.max_pressure import MEAN_WEIGHT_AHEAD, MaxPressureParameters, Pressure
from signals.observation import Observation
from signals.plan import SignalPlan


class CyclicMaxPressure:
    """One signal under cyclic max-pressure control."""

    def __init__(self, plan: SignalPlan, parameters: MaxPressureParameters) -> None:
        """Prepare the comparison of stages."""
        self._pressure = Pressure(plan, parameters)

    def wish(self, seen: Observation) -> int:
        """The next stage in demand once it discharges more than the present one; the present one till then."""
        waiting = np.where(seen.blocked, 0.0, np.maximum(seen.closeness - MEAN_WEIGHT_AHEAD * seen.ahead, 0.0))
        following = self.following(seen)
        gain = self._pressure.gains(waiting, seen)
        return following if gain[following] > gain[seen.stage] else seen.stage

    def following(self, seen: Observation) -> int:
        """The next stage in the order that serves somebody who is red now; the present one where nobody is."""
        wanted = (seen.vehicles > 0) & ~seen.blocked & (self._pressure.flow[seen.stage] == 0)
        count = len(self._pressure.flow)
        order = ((seen.stage + step) % count for step in range(1, count))
        return next((each for each in order if (self._pressure.flow[each][wanted] > 0).any()), seen.stage)
