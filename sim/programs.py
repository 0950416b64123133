"""Programs that SUMO runs by itself where no controller acts: in place of the shipped ones, and what they violate."""

from collections.abc import Mapping, Sequence

from networks.network import Program, RoadNetwork
from signals.controller import ControllerKind
from signals.flows import SignalFlows
from signals.intergreen import Clearance
from signals.plan import SignalPlan, protected_foes
from signals.static import conformed_program


def fixed_programs(
    network: RoadNetwork, plans: Sequence[SignalPlan], kind: ControllerKind, flows: SignalFlows | None
) -> dict[str, Program]:
    """Programs to load, by signal; none where a controller acts.

    Where the kind has no plans of its own, or a signal has no choice: the shipped ones, made safe by formula, or only
    corrected where foes had protected green.
    """
    if kind.make is not None:
        return {}
    shipped = {
        plan.signal_id: conformed_program(plan, program)
        for plan in plans
        if (program := _shipped(network, plan)) and (plan.clearance is Clearance.ITE or plan.corrected_states)
    }
    return shipped | (kind.programs(plans, flows) if kind.programs and flows else {})


def _shipped(network: RoadNetwork, plan: SignalPlan) -> Program | None:
    programs = network.signals[network.signal_index[plan.signal_id]].programs
    return programs[-1] if programs else None


def program_violations(network: RoadNetwork, plans: Sequence[SignalPlan], programs: Mapping[str, Program]) -> int:
    """What the conflict monitor finds in the programs that SUMO runs: protected greens of foes, a state at a time."""
    running = running_programs(network, plans, programs)
    pairs = ((plan, running[plan.signal_id]) for plan in plans if plan.signal_id in running)
    return sum(len(protected_foes(phase.state, plan.foes)) for plan, program in pairs for phase in program.phases)


def running_programs(
    network: RoadNetwork, plans: Sequence[SignalPlan], programs: Mapping[str, Program]
) -> dict[str, Program]:
    """The program that each signal runs: the one that is loaded, else the shipped one."""
    found = ((plan.signal_id, programs.get(plan.signal_id) or _shipped(network, plan)) for plan in plans)
    return {name: program for name, program in found if program is not None}
