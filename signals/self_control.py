"""Self-control: serve where most vehicles get through in the time that it takes.

S. Laemmer and D. Helbing, *Self-control of traffic lights and vehicle flows in urban road networks*, Journal of
Statistical Mechanics (2008), P04019: a flow has the priority n / (tau_pen + tau + g), with n vehicles that can be
served in a green of g after the time tau that is lost until it begins. Here a stage has that priority, for the duration
that makes it greatest, and it is worked out anew every second. When vehicles reach the stop line is predicted from
where they are and how fast; they leave in the order of their lanes, see :mod:`signals.kernels`. A vehicle counts for
more the longer a queue has stood on its link, and a stabilising rule goes before: who has waited too long is next.
"""

from dataclasses import dataclass

import numpy as np

from signals.intergreen import GREEN_LETTERS, PROTECTED_LETTERS
from signals.interlock import transition
from signals.observation import FloatArray, IntArray, Observation
from signals.plan import SignalPlan

PROTECTED_HEADWAY_S = 1.9
PERMITTED_HEADWAY_S = 3.0
GOES_ON_S = 1.0
"""The present stage is compared over no less: the next decision comes then."""


@dataclass(frozen=True, slots=True)
class SelfControlParameters:
    """What may be set.

    ``start_up_s`` is what a queue loses when its green begins; ``penalty_s`` what a change of stage costs besides the
    time that it loses. A vehicle counts twice when its link has had a queue for ``ageing_s``, three times after twice
    that. A link with a queue that has been red for ``longest_wait_s`` is served next.
    """

    start_up_s: float = 1.0
    penalty_s: float = 1.0
    ageing_s: float = 60.0
    longest_wait_s: float = 110.0


class SelfControl:
    """One signal under self-control."""

    def __init__(self, plan: SignalPlan, parameters: SelfControlParameters) -> None:
        """Work out once what depends on no traffic."""
        stages = plan.stages
        self._parameters = parameters
        self._green = np.array([[letter in GREEN_LETTERS for letter in stage.state] for stage in stages])
        self._headway_s = np.array([_headways_s(plan, stage.state) for stage in stages])
        self._lost_s = np.array([[transition(plan, a.state, b.state).total_s for b in stages] for a in stages])
        self._ways = [self._way(plan, stage) for stage in range(len(stages))]
        self._lane = _lanes(plan)
        self._free_mps = np.array([link.approach_mps for link in plan.links])
        self._yields = plan.responses
        self._queued_since_s = np.full(len(plan.links), np.inf)
        self._waits_since_s = np.full(len(plan.links), np.inf)

    def wish(self, seen: Observation) -> int:
        """The stage of the highest priority; the present one on a tie, and where nobody comes."""
        queued = seen.halted > 0
        waits = queued & ~self._green[seen.stage] & ~seen.blocked
        self._queued_since_s = _since_s(self._queued_since_s, queued, seen.time_s)
        self._waits_since_s = _since_s(self._waits_since_s, waits, seen.time_s)
        priority = self._priorities(seen)
        longest = int(np.argmin(self._waits_since_s))
        if seen.time_s - self._waits_since_s[longest] >= self._parameters.longest_wait_s:
            priority = np.where(self._green[:, longest], priority, -1.0)
        best = int(np.argmax(priority))
        return best if priority[best] > priority[seen.stage] else seen.stage

    def _priorities(self, seen: Observation) -> FloatArray:
        """Vehicles a second that each stage serves at best, by what they count, shape (stages,)."""
        from signals.kernels import arrivals, service_rates  # noqa: PLC0415 - compiled, and only wanted here

        who = seen.approaching
        link, come_s = arrivals(who.row, who.distance_m, who.speed_mps, who.first, who.range_m, self._free_mps)
        headway_s = np.where(seen.blocked, np.inf, self._headway_s) if seen.blocked.any() else self._headway_s
        start_s, ends_s = self._ways[seen.stage]
        worth = 1 + np.maximum(seen.time_s - self._queued_since_s, 0.0) / self._parameters.ageing_s
        return service_rates(link, come_s, self._lane, headway_s, start_s, self._yields, ends_s, worth)[:, 0]

    def _way(self, plan: SignalPlan, before: int) -> tuple[FloatArray, FloatArray]:
        """From a stage to each: when links start, shape (stages, links); earliest end and penalty, shape (2, stages).

        Links that are green before and after go on meanwhile.
        """
        lost_s = self._lost_s[before]
        goes_on = self._green[before] & self._green
        start_s = np.where(goes_on, 0.0, lost_s[:, None] + self._parameters.start_up_s)
        least_s = lost_s + [stage.min_green_s for stage in plan.stages]
        penalty_s = np.full(len(lost_s), self._parameters.penalty_s)
        least_s[before], penalty_s[before] = GOES_ON_S, 0.0
        return start_s, np.array([least_s, penalty_s])


def _since_s(since_s: FloatArray, holds: np.ndarray[tuple[int, ...], np.dtype[np.bool_]], now_s: float) -> FloatArray:
    """Since when something holds (s), infinity where it does not, shape (links,)."""
    return np.where(holds, np.minimum(since_s, now_s), np.inf)


def _headways_s(plan: SignalPlan, state: str) -> list[float]:
    """Time between two vehicles of each link (s), infinity at red. A link of several lanes has that much less."""
    by_letter = dict.fromkeys(GREEN_LETTERS, PERMITTED_HEADWAY_S)
    by_letter |= dict.fromkeys(PROTECTED_LETTERS, PROTECTED_HEADWAY_S)
    pairs = zip(state, plan.links, strict=True)
    return [by_letter.get(letter, np.inf) / max(len(set(link.from_lanes)), 1) for letter, link in pairs]


def _lanes(plan: SignalPlan) -> IntArray:
    """A number for the lanes of each link, shape (links,): links of the same lanes share it."""
    numbers: dict[tuple[int, ...], int] = {}
    return np.array([numbers.setdefault(link.from_lanes, len(numbers)) for link in plan.links], dtype=np.int64)
