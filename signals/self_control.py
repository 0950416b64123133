"""Self-control: serve where most vehicles get through in the time that it takes.

S. Laemmer and D. Helbing, *Self-control of traffic lights and vehicle flows in urban road networks*, Journal of
Statistical Mechanics (2008), P04019: a flow has the priority n / (tau_pen + tau + g), with n vehicles that can be
served in a green of g after the time tau that is lost until it begins. Here a stage has that priority, for the duration
that makes it greatest, and it is worked out anew every second. When vehicles reach the stop line is predicted from
where they are and how fast; they leave in the order of their lanes, see :mod:`signals.kernels`. A vehicle counts for
more the longer a queue has stood on its link, and a stabilising rule goes before: who has waited too long is next.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from signals.intergreen import GREEN_LETTERS, PROTECTED_LETTERS
from signals.interlock import SignalState, transition
from signals.observation import IntArray, Look, Observation
from signals.plan import SignalPlan
from signals.saturation import PERMITTED_HEADWAY_S, PROTECTED_HEADWAY_S

if TYPE_CHECKING:
    from signals.kernels import Laws, StageLaw

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
        from signals.kernels import Waiting, best_stage

        self._choose = best_stage
        self.law = _stage_law(plan, parameters.start_up_s)
        nobody_s = np.full(len(plan.links), np.inf)
        self.waiting = Waiting(nobody_s, nobody_s.copy())
        self.limits = (parameters.ageing_s, parameters.penalty_s, parameters.longest_wait_s)

    def wish(self, seen: Observation) -> int:
        """The stage of the highest priority; the present one on a tie, and where nobody comes."""
        return self._choose(
            seen.time_s,
            seen.stage,
            seen.approaching,
            seen.halted,
            seen.blocked,
            self.law,
            self.waiting,
            self.limits,
        )


class SelfControlTeam:
    """Many signals under self-control, asked in one call."""

    def __init__(self, controllers: Sequence[SelfControl], rows: Sequence[slice]) -> None:
        """Lay their laws out for the kernel; ``rows`` are the links of each among those of a look."""
        from signals.kernels import Waiting, best_stages

        self._choose = best_stages
        self._first = [own.start for own in rows]
        self._laws = _laid_out([one.law for one in controllers])
        nobody_s = np.full(sum(len(one.law.lane) for one in controllers), np.inf)
        self._waiting = Waiting(nobody_s, nobody_s.copy())
        self._limits = controllers[0].limits

    def wishes(self, asked: Sequence[int], states: Sequence[SignalState], look: Look) -> Sequence[int]:
        """The stage that each wishes."""
        pairs = zip(asked, states, strict=True)
        whom = np.array([(number, state.stage, self._first[number]) for number, state in pairs], dtype=np.int64)
        laws, waiting, limits = self._laws, self._waiting, self._limits
        stages = self._choose(whom, look.time_s, look.who, look.halted, look.blocked, laws, waiting, limits)
        return [int(stage) for stage in stages]


def _laid_out(laws: Sequence["StageLaw"]) -> "Laws":
    """Laws one after another."""
    from signals.kernels import Laws, StageLaw

    def begins(sizes: Iterable[int]) -> IntArray:
        return np.cumsum([0, *sizes], dtype=np.int64)

    flat = StageLaw(*(np.concatenate([np.ravel(part) for part in column]) for column in zip(*laws, strict=True)))
    return Laws(
        links=begins(len(law.lane) for law in laws),
        stages=begins(len(law.headway_s) for law in laws),
        pairs=begins(len(law.yielding) for law in laws),
        by_link=begins(law.headway_s.size for law in laws),
        by_pair=begins(law.least_s.size for law in laws),
        by_both=begins(law.start_s.size for law in laws),
        law=flat._replace(yielding=flat.yielding.reshape(-1, 2)),
    )


def _stage_law(plan: SignalPlan, start_up_s: float) -> "StageLaw":
    """What the stages do for the links. Links that are green before and after go on meanwhile."""
    from signals.kernels import StageLaw

    stages = plan.stages
    green = np.array([[letter in GREEN_LETTERS for letter in stage.state] for stage in stages])
    headway_s = np.array([_headways_s(plan, stage.state) for stage in stages])
    lost_s = np.array([[transition(plan, a.state, b.state).total_s for b in stages] for a in stages])
    goes_on = green[:, None] & green[None, :]
    least_s = lost_s + [stage.min_green_s for stage in stages]
    np.fill_diagonal(least_s, GOES_ON_S)
    yielding = [np.argwhere(plan.responses & (each[None, :] < each[:, None])) for each in headway_s]
    return StageLaw(
        lane=_lanes(plan),
        free_mps=np.array([link.approach_mps for link in plan.links]),
        headway_s=headway_s,
        start_s=np.where(goes_on, 0.0, lost_s[:, :, None] + start_up_s),
        least_s=least_s,
        yielding_start=np.cumsum([0, *(len(pairs) for pairs in yielding)]),
        yielding=np.ascontiguousarray(np.concatenate(yielding)),
    )


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
