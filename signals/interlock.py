"""The interlock: a pure state machine that turns what a controller wishes into a legal sequence of states.

It alone decides what is shown. A controller names the stage it wants; whether and when that stage comes is settled here
by minimum green, the intergreen of exactly this pair of stages, and maximum red. Every function takes and returns
values, so that each rule can be tested without a simulation.
"""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from signals.intergreen import GREEN_LETTERS, GREEN_RANK
from signals.plan import SignalPlan

DEFAULT_MAX_RED_S = 120.0


@dataclass(frozen=True, slots=True)
class Transition:
    """What is shown between two stages: states with their start, and when the new stage begins (s after the order)."""

    steps: tuple[tuple[float, str], ...]
    total_s: float


@dataclass(frozen=True, slots=True)
class SignalState:
    """Where a signal is: the stage shown or last shown, the one ordered, and since when (s).

    ``red_since_s`` holds for each link when it lost its green, infinity while it has it.
    """

    stage: int
    target: int
    since_s: float
    red_since_s: tuple[float, ...]

    @property
    def is_steady(self) -> bool:
        """Whether a stage is shown, not a transition."""
        return self.stage == self.target


@dataclass(frozen=True, slots=True)
class Refusal:
    """A wish that was not granted, and why."""

    wish: int
    reason: str


def begin(plan: SignalPlan, stage: int, now_s: float) -> SignalState:
    """Start with a stage; every link without green counts as red from now."""
    greens = plan.stages[stage].greens
    red = tuple(np.inf if bit in greens else now_s for bit in range(len(plan.links)))
    return SignalState(stage, stage, now_s, red)


def shown(plan: SignalPlan, state: SignalState, now_s: float) -> str:
    """The letters that the signal shows now."""
    if state.is_steady:
        return plan.stages[state.stage].state
    elapsed_s = now_s - state.since_s
    steps = _course(plan, state).steps
    return next(letters for start_s, letters in reversed(steps) if start_s <= elapsed_s)


def advance(plan: SignalPlan, state: SignalState, now_s: float) -> SignalState:
    """Let time pass: a transition that is over becomes its stage."""
    if state.is_steady or now_s - state.since_s < _course(plan, state).total_s:
        return state
    greens = plan.stages[state.target].greens
    red = tuple(np.inf if bit in greens else since for bit, since in enumerate(state.red_since_s))
    return SignalState(state.target, state.target, now_s, red)


def change_due_s(plan: SignalPlan, state: SignalState, now_s: float) -> float:
    """When something else is to be shown than now (s); infinity in a stage."""
    if state.is_steady:
        return np.inf
    course = _course(plan, state)
    times = (*(start for start, _ in course.steps), course.total_s)
    elapsed_s = now_s - state.since_s
    return state.since_s + next((time for time in times if time > elapsed_s), course.total_s)


def may_switch(plan: SignalPlan, state: SignalState, now_s: float) -> bool:
    """Whether the stage shown has had its minimum green."""
    return state.is_steady and now_s - state.since_s >= plan.stages[state.stage].min_green_s


def order(
    plan: SignalPlan,
    state: SignalState,
    wish: int,
    now_s: float,
    demand: npt.NDArray[np.bool_],
    max_red_s: float = DEFAULT_MAX_RED_S,
) -> tuple[SignalState, Refusal | None]:
    """Take a wish and answer with the state that follows, and the refusal where it is not what was wished.

    Parameters
    ----------
    demand
        Links at which somebody waits, shape (links,).
    """
    if not 0 <= wish < len(plan.stages):
        return state, Refusal(wish, f"there is no stage {wish}")
    if not may_switch(plan, state, now_s):
        return (
            (state, None) if wish == state.target else (state, Refusal(wish, "minimum green or intergreen is running"))
        )
    overdue = overdue_stage(plan, state, now_s, demand, max_red_s)
    granted = wish if overdue is None else overdue
    refusal = (
        None if granted == wish else Refusal(wish, f"a link has been red for {max_red_s:g} s: stage {granted} first")
    )
    return (state if granted == state.stage else _leave(plan, state, granted, now_s)), refusal


def _leave(plan: SignalPlan, state: SignalState, target: int, now_s: float) -> SignalState:
    ending = plan.stages[state.stage].greens - plan.stages[target].greens
    red = tuple(now_s if bit in ending else since for bit, since in enumerate(state.red_since_s))
    return replace(state, target=target, since_s=now_s, red_since_s=red)


def overdue_stage(
    plan: SignalPlan, state: SignalState, now_s: float, demand: npt.NDArray[np.bool_], max_red_s: float
) -> int | None:
    """The stage that serves the link with demand that has been red longest, once serving it cannot wait any more."""
    shown_now = plan.stages[state.stage].state
    needs_s = [transition(plan, shown_now, stage.state).total_s for stage in plan.stages]
    waits = [(now_s - since, bit) for bit, since in enumerate(state.red_since_s) if demand[bit] and since < np.inf]
    for wait_s, bit in sorted(waits, key=lambda item: (-item[0], item[1])):
        stages = [number for number, stage in enumerate(plan.stages) if bit in stage.greens]
        if not stages:
            continue
        nearest = min(stages, key=lambda number: (needs_s[number], number))
        if wait_s + needs_s[nearest] >= max_red_s:
            return nearest
    return None


def _course(plan: SignalPlan, state: SignalState) -> Transition:
    return transition(plan, plan.stages[state.stage].state, plan.stages[state.target].state)


@lru_cache(maxsize=65536)
def transition(plan: SignalPlan, before: str, after: str) -> Transition:
    """The way from one state to another: who ends, how, and when the new state may begin.

    Links green in both keep their green. A link that ends shows its yellow, then red for its clearance if a foe of it
    starts. People finish crossing first; vehicles that end keep their green until only their own clearance is left.
    """
    ending = [bit for bit in range(len(before)) if before[bit] in GREEN_LETTERS and after[bit] not in GREEN_LETTERS]
    starting = [bit for bit in range(len(before)) if GREEN_RANK.get(after[bit], 0) > GREEN_RANK.get(before[bit], 0)]
    needs_s = {bit: _needed_s(plan, bit, starting) for bit in ending}
    vehicles_s = max((need for bit, need in needs_s.items() if not plan.links[bit].is_pedestrian), default=0.0)
    total_s = max(needs_s.values(), default=0.0)
    hold_s = total_s - vehicles_s
    times = {0.0, hold_s} | {hold_s + plan.clearances[bit].yellow_s for bit in ending}
    steps = tuple(
        (time, "".join(_letter(plan, bit, before[bit], bit in needs_s, time - hold_s) for bit in range(len(before))))
        for time in sorted(times)
        if time < total_s
    )
    return Transition(steps, total_s)


def _needed_s(plan: SignalPlan, bit: int, starting: list[int]) -> float:
    """Time from the end of a link's green until the next stage may begin, for this link's part (s)."""
    clearance = plan.clearances[bit]
    meets_foe = bool(plan.foes[bit, starting].any()) if starting else False
    return clearance.total_s if meets_foe else clearance.yellow_s


def _letter(plan: SignalPlan, bit: int, before: str, ends: bool, since_hold_s: float) -> str:  # noqa: FBT001
    if not ends:
        return before
    if plan.links[bit].is_pedestrian:
        return "r"
    if since_hold_s < 0:
        return before
    return "y" if since_hold_s < plan.clearances[bit].yellow_s else "r"
