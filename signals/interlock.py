"""The interlock: a pure state machine that turns what a controller wishes into a legal sequence of states.

It alone decides what is shown. A controller names the stage it wants; whether and when that stage comes is settled here
by minimum green, the intergreen of exactly this pair of stages, and maximum red. What is promised, whatever is wished:

- no two foes have protected green at once;
- a green that ends is followed by its yellow, and no foe starts before yellow and all-red are over, however many stages
  lie between;
- every stage shown lasts its minimum green;
- a link with standing demand is green again ``max_red_s`` after its end, or as many stages later as others with demand
  have waited longer: at most ``max_red_s`` + stages x (longest transition + longest minimum green).

Every function takes and returns
values, so that each rule can be tested without a simulation.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from signals.intergreen import GREEN_LETTERS, GREEN_RANK, starting_links
from signals.plan import SignalPlan

DEFAULT_MAX_RED_S = 120.0
SAME_TIME_S = 5e-4
"""Times closer than this are one: SUMO counts milliseconds."""


@dataclass(frozen=True, slots=True)
class Transition:
    """What is shown between two stages: states with their start, and when the new stage begins (s after the order).

    Vehicles whose green ends keep it for ``hold_s``.
    """

    steps: tuple[tuple[float, str], ...]
    hold_s: float
    total_s: float


@dataclass(frozen=True, slots=True)
class SignalState:
    """Where a signal is: the stage shown or last shown, the one ordered, since when (s), and the way between the two.

    ``red_since_s`` holds for each link when its green ends or ended, infinity while it has it.
    """

    stage: int
    target: int
    since_s: float
    red_since_s: tuple[float, ...]
    course: Transition | None = None

    @property
    def is_steady(self) -> bool:
        """Whether a stage is shown, not a transition."""
        return self.course is None


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
    if state.course is None:
        return plan.stages[state.stage].state
    steps = state.course.steps
    return next(letters for start_s, letters in reversed(steps) if _reached(state, start_s, now_s))


def advance(plan: SignalPlan, state: SignalState, now_s: float) -> SignalState:
    """Let time pass: a transition that is over becomes its stage."""
    if state.course is None or not _reached(state, state.course.total_s, now_s):
        return state
    greens = plan.stages[state.target].greens
    red = tuple(np.inf if bit in greens else since for bit, since in enumerate(state.red_since_s))
    return SignalState(state.target, state.target, now_s, red)


def change_due_s(plan: SignalPlan, state: SignalState, now_s: float) -> float:
    """When this signal next needs attention after now (s): the next state of a transition, or the end of minimum green.

    The past where a stage has had its minimum green.
    """
    if state.course is None:
        return state.since_s + plan.stages[state.stage].min_green_s
    times = (*(start for start, _ in state.course.steps), state.course.total_s)
    return state.since_s + next((time for time in times if not _reached(state, time, now_s)), state.course.total_s)


def may_switch(plan: SignalPlan, state: SignalState, now_s: float) -> bool:
    """Whether the stage shown has had its minimum green."""
    return state.course is None and _reached(state, plan.stages[state.stage].min_green_s, now_s)


def _reached(state: SignalState, time_s: float, now_s: float) -> bool:
    return now_s - state.since_s >= time_s - SAME_TIME_S


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
    if not may_switch(plan, state, now_s):
        busy = Refusal(wish, "minimum green or intergreen is running")
        return state, None if wish == state.target else busy
    known = 0 <= wish < len(plan.stages)
    refusal = None if known else Refusal(wish, f"there is no stage {wish}")
    granted = wish if known else state.stage
    overdue = overdue_link(plan, state, now_s, demand, max_red_s)
    if overdue is not None and overdue[0] not in plan.stages[granted].greens:
        link, granted = overdue
        refusal = Refusal(wish, f"link {link} would be red for more than {max_red_s:g} s: stage {granted} first")
    return (state if granted == state.stage else _leave(plan, state, granted, now_s)), refusal


def _leave(plan: SignalPlan, state: SignalState, target: int, now_s: float) -> SignalState:
    before, after = plan.stages[state.stage].state, plan.stages[target].state
    course = transition(plan, before, after, clearing_s(plan, before, after, state.red_since_s, now_s))
    red = red_after(plan, before, after, course, state.red_since_s, now_s)
    return advance(plan, SignalState(state.stage, target, now_s, red, course), now_s)


def overdue_link(
    plan: SignalPlan, state: SignalState, now_s: float, demand: npt.NDArray[np.bool_], max_red_s: float
) -> tuple[int, int] | None:
    """The link with demand that has been red longest, once serving it cannot wait any more, and the stage to serve it.

    Of the stages in which it is green, the one that the shortest transition leads to.
    """
    ways_s = [_way_s(plan, state, number) for number in range(len(plan.stages))]
    waits = [(now_s - since, bit) for bit, since in enumerate(state.red_since_s) if demand[bit] and since < np.inf]
    for wait_s, bit in sorted(waits, key=lambda item: (-item[0], item[1])):
        stages = [number for number, stage in enumerate(plan.stages) if bit in stage.greens]
        nearest = min(stages, key=ways_s.__getitem__, default=None)
        if nearest is not None and wait_s + ways_s[nearest] >= max_red_s:
            return bit, nearest
    return None


def links_due(
    plan: SignalPlan, state: SignalState, max_red_s: float = DEFAULT_MAX_RED_S
) -> tuple[tuple[float, int], ...]:
    """From when links that are red may have to be served (s), if somebody wants them: times and links in order."""
    longest_s = _longest_way_s(plan)
    return tuple(sorted((since + max_red_s - longest_s, bit) for bit, since in enumerate(state.red_since_s)))


def is_calm(due: tuple[tuple[float, int], ...], now_s: float, demand: npt.NDArray[np.bool_]) -> bool:
    """Whether no link with demand, shape (links,), is due: then a stage may go on without more ado."""
    for due_s, bit in due:
        if due_s > now_s:
            break
        if demand[bit]:
            return False
    return True


@lru_cache(maxsize=4096)
def _longest_way_s(plan: SignalPlan) -> float:
    """The longest transition of a plan (s)."""
    return max(transition(plan, a.state, b.state).total_s for a in plan.stages for b in plan.stages)


def _way_s(plan: SignalPlan, state: SignalState, target: int) -> float:
    return transition(plan, plan.stages[state.stage].state, plan.stages[target].state).total_s


def ending_links(plan: SignalPlan, before: str, after: str) -> list[int]:
    """Links whose green ends between two states.

    Protected green that becomes permitted ends too where a foe starts: it goes by yellow, as the Manual on Uniform
    Traffic Control Devices (2009, 4D.20) has it for left turns, since who entered protected must be out by then.
    """
    starting = starting_links(before, after)
    lesser = starting_links(after, before)
    return [bit for bit in lesser if after[bit] not in GREEN_LETTERS or plan.foes[bit, starting].any()]


def _closed(state: str, ending: list[int]) -> str:
    """A state after some greens have ended, so that what is green later starts anew."""
    return "".join("r" if bit in ending else letter for bit, letter in enumerate(state))


def transition(plan: SignalPlan, before: str, after: str, least_s: float = 0.0) -> Transition:
    """The way from one state to another: who ends, how, and when the new state may begin.

    Links green in both keep their green. A link that ends shows its yellow, then red for its clearance if a foe of it
    starts. People finish crossing first; vehicles that end keep their green until only their own clearance is left.
    That hold is of whole seconds, so that yellow begins with a step of the simulation.

    Parameters
    ----------
    least_s
        Time that links need which ended earlier (s), from :func:`clearing_s`.
    """
    _, vehicles_s, longest_s = _needs(plan, before, after)
    hold_s = float(max(math.ceil(max(least_s, longest_s) - vehicles_s - SAME_TIME_S), 0))
    return _course(plan, before, after, hold_s)


@lru_cache(maxsize=65536)
def _needs(plan: SignalPlan, before: str, after: str) -> tuple[frozenset[int], float, float]:
    """Links whose green ends on the way, the time that vehicles among them need, and that any of them does (s)."""
    ending = ending_links(plan, before, after)
    starting = starting_links(_closed(before, ending), after)
    needs_s = {bit: _needed_s(plan, bit, starting) for bit in ending}
    vehicles_s = max((need for bit, need in needs_s.items() if not plan.links[bit].is_pedestrian), default=0.0)
    return frozenset(ending), vehicles_s, max([0.0, *needs_s.values()])


@lru_cache(maxsize=65536)
def _course(plan: SignalPlan, before: str, after: str, hold_s: float) -> Transition:
    """The way from one state to another on which vehicles that end keep their green for a time.

    Apart from :func:`transition`, as links that ended earlier seldom need longer than those that end now: few courses
    are shown, again and again.
    """
    ending, vehicles_s, _ = _needs(plan, before, after)
    total_s = hold_s + vehicles_s
    times = {0.0, hold_s} | {hold_s + plan.clearances[bit].yellow_s for bit in ending}
    steps = tuple(
        (
            time,
            "".join(_letter(plan, bit, before[bit], time - hold_s, ends=bit in ending) for bit in range(len(before))),
        )
        for time in sorted(times)
        if time < total_s
    )
    return Transition(steps, hold_s, total_s)


def clearing_s(plan: SignalPlan, before: str, after: str, red_since_s: tuple[float, ...], now_s: float) -> float:
    """Time from now in which links that ended before this stage still clear the way of links that start next (s)."""
    ended = _red_foes(plan, before, after)
    left_s = (red_since_s[bit] + plan.clearances[bit].total_s - now_s for bit in ended if red_since_s[bit] < np.inf)
    return max(0.0, 0.0, *left_s)


@lru_cache(maxsize=65536)
def _red_foes(plan: SignalPlan, before: str, after: str) -> tuple[int, ...]:
    """Links without green in a state that are foes of those which start on the way to another."""
    starting = starting_links(_closed(before, ending_links(plan, before, after)), after)
    foes = np.flatnonzero(plan.foes[starting].any(axis=0)).tolist()
    return tuple(bit for bit in foes if before[bit] not in GREEN_LETTERS)


def red_after(
    plan: SignalPlan, before: str, after: str, course: Transition, red_since_s: tuple[float, ...], now_s: float
) -> tuple[float, ...]:
    """When the green of each link ends, once a transition is ordered (s): people at once, vehicles after the hold."""
    ends = [GREEN_RANK.get(a, 0) > 0 and b not in GREEN_LETTERS for a, b in zip(before, after, strict=True)]
    return tuple(
        now_s + (0.0 if plan.links[bit].is_pedestrian else course.hold_s) if ends[bit] else since
        for bit, since in enumerate(red_since_s)
    )


def _needed_s(plan: SignalPlan, bit: int, starting: list[int]) -> float:
    """Time from the end of a link's green until the next stage may begin, for this link's part (s)."""
    clearance = plan.clearances[bit]
    meets_foe = bool(plan.foes[bit, starting].any()) if starting else False
    return clearance.total_s if meets_foe else clearance.yellow_s


def _letter(plan: SignalPlan, bit: int, before: str, since_hold_s: float, *, ends: bool) -> str:
    if not ends:
        return before
    if plan.links[bit].is_pedestrian:
        return "r"
    if since_hold_s < 0:
        return before
    return "y" if since_hold_s < plan.clearances[bit].yellow_s - SAME_TIME_S else "r"
