"""Delay-based control: green as long as delayed vehicles come, then for those who have lost most together.

As in SUMO's own ``delay_based`` lights (its manual, Simulation/Traffic Lights, after R. Oertel and P. Wagner,
*Delay-time actuated traffic signal control for an isolated intersection*, TRB Annual Meeting, 2011) a green is extended
while a vehicle within range of the stop line has lost a second or more, up to the maximum green. What SUMO's do not
have: the next stage is not the next in order but the one with most delay, weighed by saturation flow, as in H. Liu and
V. V. Gayah, *A novel max pressure algorithm based on traffic delay*, Transportation Research Part C 143 (2022). The
delay of who waits grows, so that nobody is left for ever, however few they are. What each vehicle has lost is carried
on from look to look, see :mod:`signals.delay_kernels`.
"""

from dataclasses import dataclass

import numpy as np

from signals.max_pressure import saturation_flows
from signals.observation import FloatArray, IntArray, Observation
from signals.plan import SignalPlan


@dataclass(frozen=True, slots=True)
class DelayBasedParameters:
    """What may be set.

    ``least_delay_s`` is what a vehicle must have lost to count. ``range_m`` is how near to the stop line it extends the
    green.
    """

    least_delay_s: float = 1.0
    range_m: float = 60.0


class DelayBased:
    """One signal under delay-based control."""

    def __init__(self, plan: SignalPlan, parameters: DelayBasedParameters) -> None:
        """Start with nobody delayed."""
        self._parameters = parameters
        self._flow = saturation_flows(plan)
        self._max_green_s = [stage.max_green_s for stage in plan.stages]
        self._people = np.array([link.has_people for link in plan.links])
        self._delays = Delays(plan)
        self._walk_s = np.zeros(len(plan.links))

    def wish(self, seen: Observation) -> int:
        """Stay while delayed vehicles come, up to the maximum green; else the stage with most delay."""
        elapsed_s = self._delays.carry_on(seen)
        goes = self._flow[seen.stage] > 0
        self._walk_s = np.where(self._people & ~goes, self._walk_s + elapsed_s, 0.0)
        who, open_ways = self._delays, ~seen.blocked
        counts = who.delay_s >= self._parameters.least_delay_s
        near = who.distance_m <= self._parameters.range_m
        if (counts & near & (goes & open_ways)[who.link]).any() and seen.green_s < self._max_green_s[seen.stage]:
            return seen.stage
        lost = np.where(counts, who.weight * who.delay_s, 0.0)
        lost_s = np.bincount(who.link, weights=lost, minlength=len(goes)) + self._walk_s
        gain = self._flow @ np.where(open_ways, lost_s, 0.0)
        best = int(np.argmax(gain))
        return best if gain[best] > gain[seen.stage] else seen.stage


class Delays:
    """What the vehicles on a signal's approaches have lost there so far.

    Arrays of shape (vehicles,), the nearest to its stop line first: ``link``, ``distance_m``, ``delay_s``, ``weight``.
    """

    def __init__(self, plan: SignalPlan) -> None:
        """Start with nobody."""
        self.link: IntArray = np.empty(0, dtype=np.int64)
        self.distance_m: FloatArray = np.empty(0)
        self.delay_s: FloatArray = np.empty(0)
        self.weight: FloatArray = np.empty(0)
        self._free_mps = np.array([link.approach_mps for link in plan.links])
        self._looked_s = np.inf

    def carry_on(self, seen: Observation) -> float:
        """Add what has been lost since the last look; the time since then (s), 0 at the first."""
        from signals.delay_kernels import carried_delays

        who = seen.approaching
        mine = (who.row >= who.first) & (who.row < who.first + len(self._free_mps)) & (who.distance_m <= who.range_m)
        order = np.argsort(who.distance_m[mine], kind="stable")
        link, distance_m = who.row[mine][order] - who.first, who.distance_m[mine][order]
        elapsed_s = max(seen.time_s - self._looked_s, 0.0)
        self.delay_s = carried_delays(
            link, distance_m, self.link, self.distance_m, self.delay_s, self._free_mps, elapsed_s
        )
        self.link, self.distance_m, self.weight = link, distance_m, who.weight[mine][order]
        self._looked_s = seen.time_s
        return elapsed_s
