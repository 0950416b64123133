"""Actuated control: stages in their shipped order, each extended while vehicles keep arriving.

Gap-out, max-out and skipping as in the Signal Timing Manual (Federal Highway Administration, 2nd ed.), chapter 6.
"""

from dataclasses import dataclass

from signals.observation import Observation
from signals.plan import SignalPlan


@dataclass(frozen=True, slots=True)
class ActuatedParameters:
    """``gap_s`` is the passage time: a vehicle that would reach the stop line within it extends the green."""

    gap_s: float = 3.0


class Actuated:
    """One signal under actuated control."""

    def __init__(self, plan: SignalPlan, parameters: ActuatedParameters) -> None:
        """Work out once how far before each stop line a vehicle still extends its green."""
        self._plan = plan
        self._reach_m = [link.approach_mps * parameters.gap_s for link in plan.links]

    def wish(self, seen: Observation) -> int:
        """Stay while a green link is about to be reached, up to the maximum green; else the next stage in demand."""
        following = self.following(seen)
        if following == seen.stage:
            return seen.stage
        stage = self._plan.stages[seen.stage]
        extends = any(seen.nearest_m[bit] <= self._reach_m[bit] and not seen.blocked[bit] for bit in stage.greens)
        return seen.stage if extends and seen.green_s < stage.max_green_s else following

    def following(self, seen: Observation) -> int:
        """The next stage in the order that serves somebody who is red now; the present one where nobody is."""
        stages = self._plan.stages
        served = stages[seen.stage].greens
        for step in range(1, len(stages)):
            number = (seen.stage + step) % len(stages)
            if any(seen.vehicles[bit] > 0 for bit in stages[number].greens - served):
                return number
        return seen.stage
