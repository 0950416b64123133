"""Rules of others, written anew from what they published, behind our interlock: ``benchmarks.peers:Name``.

J. Ault and G. Sharon, *Reinforcement Learning Benchmarks for Traffic Signal Control* (RESCO, NeurIPS 2021), and the
configuration of their code: both rules decide every 10 s, of which 3 s are yellow after a change, without all-red; ties
go to the first stage. Greedy ("max wave") takes the stage before which most vehicles are within 50 m, moving or not;
max pressure the one with most queued vehicles within 200 m less those queued behind the junction on the way to the next
signal. They know lanes, and list by hand which belong to a signal; here a vehicle counts once, at the link that it
wants. Theirs is queued from its first stop until it has left, here once it has lost 5 s on the approach. Behind the
junction our sensor does not tell who stands, only whether the way is full: then the vehicles there count, else nobody.
With all of them counted, moving or not, the rule locks cologne8 up (280 s), which would be no fair peer: of four forms
this one had the least delay on seed 1 of the four maps, so it stands for the published rule at its best here.
"""

from dataclasses import dataclass

import numpy as np

from signals.delay_based import Delays
from signals.intergreen import GREEN_LETTERS
from signals.observation import FloatArray, Observation
from signals.plan import SignalPlan

STOOD_S = 5.0
"""A vehicle that has lost as much on its approach is taken to have stood."""


@dataclass(frozen=True, slots=True)
class EveryTenSeconds:
    """``decision_s`` is the time between two decisions, ``range_m`` how far from the stop line a vehicle counts."""

    decision_s: float = 10.0
    range_m: float = 50.0


class Greedy:
    """Takes the stage before which most vehicles are."""

    Parameters = EveryTenSeconds

    def __init__(self, plan: SignalPlan, parameters: EveryTenSeconds) -> None:
        """Decide at once, then after each step."""
        self._parameters = parameters
        self._green = np.array([[letter in GREEN_LETTERS for letter in stage.state] for stage in plan.stages])
        self._next_s = -np.inf

    def wish(self, seen: Observation) -> int:
        """The stage of the greatest sum at each step; the present one in between."""
        if seen.time_s < self._next_s:
            return seen.stage
        self._next_s = seen.time_s + self._parameters.decision_s
        return int(np.argmax(self._green @ self.weights(seen)))

    def weights(self, seen: Observation) -> FloatArray:
        """Vehicles of each link that are near enough, shape (links,)."""
        who = seen.approaching
        row = who.row - who.first
        near = (row >= 0) & (row < self._green.shape[1]) & (who.distance_m <= self._parameters.range_m)
        return np.bincount(row[near], minlength=self._green.shape[1]).astype(np.float64)


class MaxPressure(Greedy):
    """Takes the stage with the greatest difference of queues before and behind it."""

    def __init__(self, plan: SignalPlan, parameters: EveryTenSeconds) -> None:
        """Nobody has stood yet."""
        super().__init__(plan, parameters)
        self._delays = Delays(plan)

    def wish(self, seen: Observation) -> int:
        """Watch who has stood, also between decisions."""
        self._delays.carry_on(seen)
        return super().wish(seen)

    def weights(self, seen: Observation) -> FloatArray:
        """Vehicles of each link that have stood, less those behind it where the way is full, shape (links,)."""
        who = self._delays
        stood = (who.delay_s >= STOOD_S) & (who.distance_m <= self._parameters.range_m)
        queued = np.bincount(who.link[stood], minlength=self._green.shape[1]).astype(np.float64)
        return queued - np.where(seen.blocked, seen.ahead, 0.0)
