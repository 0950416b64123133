"""Delay-based control: serve where most delay has come together.

H. Liu and V. V. Gayah, *A novel max pressure algorithm based on traffic delay*, Transportation Research Part C 143
(2022): max pressure with the delay of vehicles in place of their number. The delay of who waits grows, so that nobody
is left for ever, however few they are. As in SUMO's own ``delay_based`` lights a vehicle counts once it has lost a
second or more on its approach. What each has lost is carried on from look to look, see
:mod:`signals.delay_kernels`. A change has to pay for the time that it loses, as under :mod:`signals.max_pressure`.
"""

from dataclasses import dataclass

import numpy as np

from signals.max_pressure import Exchange
from signals.observation import FloatArray, IntArray, Observation
from signals.plan import SignalPlan


@dataclass(frozen=True, slots=True)
class DelayBasedParameters:
    """What may be set.

    ``least_delay_s`` is what a vehicle must have lost to count. ``decision_s`` is the least green before a change is
    thought of, ``green_per_loss`` the green that must have been shown in times of the yellow and all-red that a change
    costs, ``horizon_s`` the time over which stages are compared.
    """

    least_delay_s: float = 1.0
    decision_s: float = 5.0
    green_per_loss: float = 1.5
    horizon_s: float = 15.0


class DelayBased:
    """One signal under delay-based control."""

    def __init__(self, plan: SignalPlan, parameters: DelayBasedParameters) -> None:
        """Start with nobody delayed."""
        self._least_s = parameters.least_delay_s
        self._exchange = Exchange(plan, parameters.decision_s, parameters.green_per_loss, parameters.horizon_s)
        self._free_mps = np.array([link.approach_mps for link in plan.links])
        self._people = np.array([link.has_people for link in plan.links])
        self._link: IntArray = np.empty(0, dtype=np.int64)
        self._distance_m: FloatArray = np.empty(0)
        self._weight: FloatArray = np.empty(0)
        self._delay_s: FloatArray = np.empty(0)
        self._walk_s = np.zeros(len(plan.links))
        self._looked_s = 0.0

    def wish(self, seen: Observation) -> int:
        """The stage that serves most delay; the present one on a tie, or while it is too early for a change."""
        self._carry_on(seen)
        counted_s = np.where(self._delay_s >= self._least_s, self._weight * self._delay_s, 0.0)
        delay_s = np.bincount(self._link, weights=counted_s, minlength=len(self._free_mps))
        return self._exchange.choose(np.where(seen.blocked, 0.0, delay_s + self._walk_s), seen)

    def _carry_on(self, seen: Observation) -> None:
        """Add what has been lost since the last look; people who walk wait as long as they are red."""
        from signals.delay_kernels import carried_delays  # noqa: PLC0415 - compiled, and only wanted here

        who = seen.approaching
        mine = (who.row >= who.first) & (who.row < who.first + len(self._free_mps)) & (who.distance_m <= who.range_m)
        order = np.argsort(who.distance_m[mine], kind="stable")
        link, distance_m = who.row[mine][order] - who.first, who.distance_m[mine][order]
        elapsed_s = max(seen.time_s - self._looked_s, 0.0)
        self._delay_s = carried_delays(
            link, distance_m, self._link, self._distance_m, self._delay_s, self._free_mps, elapsed_s
        )
        self._link, self._distance_m, self._looked_s = link, distance_m, seen.time_s
        self._weight = who.weight[mine][order]
        red = ~self._exchange.green[seen.stage]
        self._walk_s = np.where(self._people & red, self._walk_s + elapsed_s, 0.0)
