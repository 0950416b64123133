"""The shipped program under the interlock's intergreen times, as a program that SUMO runs by itself.

What the shipped program shows between its stages is replaced by the transition that safety asks for. The stages give
back what that takes, so that the cycle, and with it coordination along a street, stays as it was; only where a stage
would fall below its minimum green does the cycle grow.
"""

from dataclasses import replace

from networks.network import Phase, Program
from signals.intergreen import GREEN_LETTERS, minimum_green_s
from signals.interlock import transition
from signals.plan import DEFAULT_MAX_GREEN_S, SignalPlan, dominates, is_stage


def conformed_program(plan: SignalPlan, shipped: Program) -> Program:
    """The shipped program with its stages in their order and safe transitions between them.

    Phases of an actuated program keep their bounds, raised to the minimum green. A program of one stage stays as it is.
    """
    stages = _merged([phase for phase in shipped.phases if is_stage(phase.state)])
    states = [plan.corrected(phase.state) for phase in stages]
    if len(states) < 2:  # noqa: PLR2004 - nothing alternates
        return shipped
    ways = [transition(plan, state, states[(number + 1) % len(states)]) for number, state in enumerate(states)]
    least_s = [_least_s(plan, state) for state in states]
    cycle_s = sum(phase.duration_s for phase in shipped.phases)
    available_s = cycle_s - sum(_whole(way.total_s) for way in ways)
    greens_s = shared_green_s([phase.duration_s for phase in stages], least_s, available_s)
    phases: list[Phase] = []
    for stage, state, green_s, floor_s, way in zip(stages, states, greens_s, least_s, ways, strict=True):
        most_s = max(stage.max_s or DEFAULT_MAX_GREEN_S, green_s)
        bounds = (None, None) if shipped.kind == "static" else (floor_s, most_s)
        phases.append(Phase(green_s, state, *bounds))
        phases.extend(_steps(way.steps, way.total_s))
    return Program("bagdar", shipped.kind, shipped.offset_s, tuple(phases))


def _least_s(plan: SignalPlan, state: str) -> float:
    return _whole(
        minimum_green_s(tuple(plan.links[bit] for bit, letter in enumerate(state) if letter in GREEN_LETTERS))
    )


def _merged(stages: list[Phase]) -> list[Phase]:
    """Join a stage to the neighbour that serves all it serves: the clearing phases between a walk and a yellow."""
    merged: list[Phase] = []
    for phase in stages:
        if merged and dominates(merged[-1].state, phase.state):
            merged[-1] = _lengthened(merged[-1], phase.duration_s)
        elif merged and dominates(phase.state, merged[-1].state):
            merged[-1] = _lengthened(phase, merged[-1].duration_s)
        else:
            merged.append(phase)
    return merged


def _lengthened(phase: Phase, more_s: float) -> Phase:
    return replace(phase, duration_s=phase.duration_s + more_s)


def shared_green_s(wanted_s: list[float], least_s: list[float], available_s: float) -> list[float]:
    """Share green time in proportion to what each stage had, none below its least; whole seconds.

    The sum is ``available_s`` wherever the least times allow it.
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
    return _rounded([shares.get(number, least_s[number]) for number in range(len(wanted_s))], least_s)


def _rounded(shares_s: list[float], least_s: list[float]) -> list[float]:
    """Whole seconds with the sum kept: the running remainder is carried from stage to stage."""
    rounded, carry = [], 0.0
    for share_s, floor_s in zip(shares_s, least_s, strict=True):
        value = max(float(round(share_s + carry)), _whole(floor_s))
        carry += share_s - value
        rounded.append(value)
    return rounded


def _steps(steps: tuple[tuple[float, str], ...], total_s: float) -> list[Phase]:
    """A transition as phases, each beginning on a whole second no earlier than it may."""
    starts = [_whole(start_s) for start_s, _ in steps]
    ends = [*starts[1:], _whole(total_s)] if starts else []
    spans = zip(starts, ends, steps, strict=True)
    return [Phase(end_s - start_s, letters) for start_s, end_s, (_, letters) in spans if end_s > start_s]


def _whole(seconds: float) -> float:
    """Seconds rounded up; a step of the simulation sees a change at the next whole one."""
    return float(-(-seconds // 1))
