"""The shipped program under the interlock's intergreen times, as a program that SUMO runs by itself.

The programs are the network's own, as SUMO's manual describes them (Simulation, Traffic Lights). What the shipped one
shows between its stages is replaced by the transition that safety asks for. The stages give back what that takes, so
that the cycle, and with it coordination along a street, stays as it was; only where a stage would fall below its
minimum green does the cycle grow.
"""

import math
from dataclasses import dataclass, replace
from itertools import accumulate

from networks.network import Phase, Program
from signals.intergreen import GREEN_LETTERS, Clearance, minimum_green_s
from signals.interlock import SAME_TIME_S, Transition, clearing_s, red_after, transition
from signals.plan import DEFAULT_MAX_GREEN_S, SignalPlan, dominates, is_stage

PROGRAM_ID = "bagdar"
"""Under which the program is loaded beside the shipped ones; the last one loaded runs."""

SELF_TIMED = frozenset({"actuated", "delay_based"})
"""Kinds of SUMO programs that lengthen phases within bounds; every other kind runs as fixed time."""


@dataclass(frozen=True, slots=True)
class StaticParameters:
    """The shipped program has nothing to set."""


@dataclass(frozen=True, slots=True)
class _Shown:
    """A stage of the shipped cycle: when it begins in the cycle (s), and its phase."""

    begin_s: float
    phase: Phase


def conformed_program(plan: SignalPlan, shipped: Program) -> Program:
    """The shipped program with its stages in their order and safe transitions between them.

    Phases of an actuated program keep their bounds, raised to the minimum green. The program begins with its first
    stage, and the offset makes up for what stood before that. A program of one stage keeps its times, and so does every
    program where the shipped clearance is to hold.
    """
    stages = _stages(shipped)
    states = [plan.corrected(stage.phase.state) for stage in stages]
    if len(states) < 2 or plan.clearance is Clearance.AS_SHIPPED:  # noqa: PLR2004 - nothing alternates
        return corrected_program(plan, shipped)
    least_s = [_least_s(plan, stage, state) for stage, state in zip(stages, states, strict=True)]
    ways = cycle_transitions(plan, states, least_s)
    cycle_s = sum(phase.duration_s for phase in shipped.phases)
    available_s = cycle_s - sum(whole_s(way.total_s) for way in ways)
    greens_s = shared_green_s([stage.phase.duration_s for stage in stages], least_s, available_s)
    self_timed = shipped.kind in SELF_TIMED
    phases: list[Phase] = []
    for stage, state, green_s, floor_s, way in zip(stages, states, greens_s, least_s, ways, strict=True):
        most_s = max(stage.phase.max_s or DEFAULT_MAX_GREEN_S, green_s)
        phases.append(Phase(green_s, state, floor_s, most_s) if self_timed else Phase(green_s, state))
        phases.extend(transition_phases(way))
    kind = shipped.kind if self_timed else "static"
    return Program(PROGRAM_ID, kind, shipped.offset_s + stages[0].begin_s, tuple(phases))


def corrected_program(plan: SignalPlan, shipped: Program) -> Program:
    """The shipped program with its own times, and no protected green for two foes at once."""
    phases = tuple(replace(phase, state=plan.corrected(phase.state)) for phase in shipped.phases)
    return replace(shipped, program_id=PROGRAM_ID, phases=phases)


def _least_s(plan: SignalPlan, stage: _Shown, state: str) -> float:
    greens = tuple(plan.links[bit] for bit, letter in enumerate(state) if letter in GREEN_LETTERS)
    return whole_s(max(minimum_green_s(greens), stage.phase.min_s or 0.0))


def cycle_transitions(plan: SignalPlan, states: list[str], least_s: list[float]) -> list[Transition]:
    """The transition after each stage, long enough even where every green is at its least.

    The second lap knows which links ended in the stages before.
    """
    red_since_s = (math.inf,) * len(plan.links)
    now_s = 0.0
    ways: list[Transition] = []
    for _ in range(2):
        ways.clear()
        for before, after, green_s in zip(states, [*states[1:], states[0]], least_s, strict=True):
            now_s += green_s
            way = transition(plan, before, after, clearing_s(plan, before, after, red_since_s, now_s))
            red_since_s = red_after(plan, before, after, way, red_since_s, now_s)
            now_s += whole_s(way.total_s)
            ways.append(way)
    return ways


def _stages(shipped: Program) -> list[_Shown]:
    """The stages of a cycle, each joined to a neighbour that serves all it serves, across the cycle's end too.

    These are the clearing phases between a walk and a yellow.
    """
    begins_s = accumulate((phase.duration_s for phase in shipped.phases), initial=0.0)
    merged: list[_Shown] = []
    for begin_s, phase in zip(begins_s, shipped.phases, strict=False):
        if is_stage(phase.state):
            shown = _Shown(begin_s, phase)
            joint = _joint(merged[-1], shown) if merged else None
            merged = [*merged[:-1], joint] if joint else [*merged, shown]
    while len(merged) > 1 and (joint := _joint(merged[-1], merged[0])):
        merged = [joint, *merged[1:-1]]
    return merged


def _joint(first: _Shown, then: _Shown) -> _Shown | None:
    """Two stages in a row as one where one of them serves all that the other serves."""
    a, b = first.phase, then.phase
    if not dominates(a.state, b.state) and not dominates(b.state, a.state):
        return None
    fuller = a if dominates(a.state, b.state) else b
    return _Shown(first.begin_s, replace(fuller, duration_s=a.duration_s + b.duration_s))


def shared_green_s(wanted_s: list[float], least_s: list[float], available_s: float) -> list[float]:
    """Share green time in proportion to what each stage had, none below its least, in whole seconds.

    The sum is ``available_s`` wherever the least times (whole seconds) allow it; the first stage takes the fraction.
    """
    fixed: set[int] = set()
    while True:
        free = [number for number in range(len(wanted_s)) if number not in fixed]
        left_s = available_s - sum(least_s[number] for number in fixed)
        total_s = sum(wanted_s[number] for number in free)
        shares = {number: left_s * wanted_s[number] / total_s for number in free} if total_s > 0 else {}
        short = [number for number in free if shares.get(number, 0.0) < least_s[number]]
        if not short:
            break
        fixed.update(short)
    shares_s = [shares.get(number, least_s[number]) for number in range(len(wanted_s))]
    return _rounded(shares_s, max(available_s, sum(least_s)))


def _rounded(shares_s: list[float], sum_s: float) -> list[float]:
    """Whole seconds by largest remainder, so that none falls below its whole part; the first takes what is left."""
    rounded = [float(math.floor(share_s + SAME_TIME_S)) for share_s in shares_s]
    spare = math.floor(sum_s - sum(rounded) + SAME_TIME_S)
    for number in sorted(range(len(shares_s)), key=lambda number: rounded[number] - shares_s[number])[:spare]:
        rounded[number] += 1.0
    rounded[0] += sum_s - sum(rounded)
    return rounded


def transition_phases(way: Transition) -> list[Phase]:
    """A transition as phases, each beginning on a whole second no earlier than it may."""
    starts = [whole_s(start_s) for start_s, _ in way.steps]
    ends = [*starts[1:], whole_s(way.total_s)] if starts else []
    spans = zip(starts, ends, way.steps, strict=True)
    return [Phase(end_s - start_s, letters) for start_s, end_s, (_, letters) in spans if end_s > start_s]


def whole_s(seconds: float) -> float:
    """Seconds rounded up; a step of the simulation sees a change at the next whole one."""
    return float(math.ceil(seconds - SAME_TIME_S))
