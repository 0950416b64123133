"""Networks whose signals have other programs, for peers that SUMO runs itself or that keep short clearances."""

import gzip
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from networks.faults import RunError
from networks.network import Phase, Program
from networks.netxml import read_network
from signals.intergreen import GREEN_LETTERS, Clearance
from signals.plan import DEFAULT_MAX_GREEN_S, SignalPlan, build_plan, is_stage
from signals.static import conformed_program
from sim.outputs import program_xml

SHORT_YELLOW_S = 3.0
"""Yellow of the RESCO environments, which have no all-red."""
SHORT_GREEN_S = 5.0
"""Least green under it: less than the time between decisions of any rule that was published with that yellow."""

_PROGRAM = re.compile(r'    <tlLogic id="([^"]*)".*?</tlLogic>\n', re.DOTALL)

Remake = Callable[[SignalPlan, Program], Program]


def write_network(source: Path, out: Path, clearance: Clearance, remake: Remake) -> Path:
    """Write a network anew in which each signal has one program: what ``remake`` makes of its plan and its own."""
    network = read_network(source)
    plans = [build_plan(network, signal.signal_id, clearance) for signal in network.signals]
    programs = {
        plan.signal_id: remake(plan, network.signals[network.signal_index[plan.signal_id]].programs[-1])
        for plan in plans
    }
    with gzip.open(source, "rt", encoding="utf-8") as stream:
        text, count = _PROGRAM.subn(lambda found: program_xml(found[1], programs[found[1]]) + "\n", stream.read())
    if count != len(programs):
        raise RunError("BENCHMARK_FAILED", f"{source.name}: {count} programs of {len(programs)} signals were found")
    out.write_bytes(gzip.compress(text.encode("utf-8"), mtime=0))
    return out


def actuated(plan: SignalPlan, shipped: Program) -> Program:
    """SUMO's own gap-based lights, with the clearances of the plan."""
    return _self_timed(plan, shipped, "actuated")


def delay_based(plan: SignalPlan, shipped: Program) -> Program:
    """SUMO's own delay-based lights, with the clearances of the plan."""
    return _self_timed(plan, shipped, "delay_based")


def _self_timed(plan: SignalPlan, shipped: Program, kind: str) -> Program:
    """Stages run from their minimum green to 50 s, what is between them as long as it is."""
    if plan.clearance is Clearance.ITE:
        return conformed_program(plan, replace(shipped, kind=kind))
    least_s = {stage.state: stage.min_green_s for stage in plan.stages}
    phases = tuple(_bounded(plan, phase, least_s) if is_stage(phase.state) else phase for phase in shipped.phases)
    return Program(shipped.program_id, kind, shipped.offset_s, phases)


def _bounded(plan: SignalPlan, phase: Phase, least_s: dict[str, float]) -> Phase:
    state = plan.corrected(phase.state)
    floor_s = least_s.get(state, min(least_s.values()))
    most_s = max(phase.max_s or DEFAULT_MAX_GREEN_S, floor_s)
    return Phase(max(phase.duration_s, floor_s), state, floor_s, most_s)


def short_yellow(_plan: SignalPlan, shipped: Program) -> Program:
    """The stages with 3 s of yellow between them, no all-red, 5 s of least green; ``as-shipped`` keeps these."""
    states = [phase.state for phase in shipped.phases if is_stage(phase.state)]
    phases: list[Phase] = []
    for state, after in zip(states, [*states[1:], *states[:1]], strict=True):
        pairs = zip(state, after, strict=True)
        ends = "".join("y" if a in GREEN_LETTERS and b not in GREEN_LETTERS else a for a, b in pairs)
        phases += [Phase(30.0, state, SHORT_GREEN_S), *([Phase(SHORT_YELLOW_S, ends)] if ends != state else [])]
    return Program(shipped.program_id, "static", shipped.offset_s, tuple(phases))
