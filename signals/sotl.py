"""Self-organising lights: who waits at red adds up, until the sum asks for green; platoons are not cut.

S.-B. Cools, C. Gershenson and B. D'Hooghe, *Self-organizing traffic lights: A realistic simulation*, in Advances in
Applied Self-organizing Systems (Springer, 2008): at red kappa grows with every vehicle and second; once it is above
theta and the minimum green is over, the light changes, unless more than none and no more than mu vehicles are within
omega of the stop line at green, which are the end of a platoon. There a light has two directions; here kappa is summed
for each link, and of the stages above theta the one with the greatest sum is next. Under a full street nothing adds up.
"""

from dataclasses import dataclass

import numpy as np

from signals.intergreen import GREEN_LETTERS
from signals.observation import Observation
from signals.plan import SignalPlan


@dataclass(frozen=True, slots=True)
class SotlParameters:
    """What may be set.

    ``theta_veh_s`` is the sum of vehicles times seconds at red that asks for a change. ``platoon_m`` is how near to the
    stop line the end of a platoon keeps its green. ``platoon_veh`` is how many vehicles are such an end at most.
    """

    theta_veh_s: float = 50.0
    platoon_m: float = 25.0
    platoon_veh: float = 3.0


class Sotl:
    """One signal that organises itself."""

    def __init__(self, plan: SignalPlan, parameters: SotlParameters) -> None:
        """Start with nobody counted."""
        self._parameters = parameters
        self._green = np.array([[letter in GREEN_LETTERS for letter in stage.state] for stage in plan.stages])
        self._kappa = np.zeros(len(plan.links))
        self._looked_s = np.inf

    def wish(self, seen: Observation) -> int:
        """The stage with the greatest sum once that is above the threshold and no end of a platoon is crossing."""
        green = self._green[seen.stage]
        elapsed_s = max(seen.time_s - self._looked_s, 0.0)
        self._looked_s = seen.time_s
        self._kappa = np.where(green, 0.0, self._kappa + np.where(seen.blocked, 0.0, seen.vehicles) * elapsed_s)
        kappa = self._green @ self._kappa
        best = int(np.argmax(kappa))
        if kappa[best] <= self._parameters.theta_veh_s or self._platoon_ends(seen):
            return seen.stage
        return best

    def _platoon_ends(self, seen: Observation) -> bool:
        who = seen.approaching
        link = who.row - who.first
        near = (link >= 0) & (link < len(self._kappa)) & (who.distance_m <= self._parameters.platoon_m)
        goes = self._green[seen.stage] & ~seen.blocked
        crossing = int(np.count_nonzero(goes[link[near]]))
        return 0 < crossing <= self._parameters.platoon_veh
