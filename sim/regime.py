"""What holds at the controlled signals of a run: who decides at each, by what is seen, and who has priority."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from networks.network import Program
from signals.controller import ControllerKind
from signals.fixed_time import FixedTime
from signals.plan import SignalPlan
from signals.priority import Priority
from signals.sensing import ALL_CONNECTED, Sensing
from signals.stages import with_free_stages
from signals.team import Controller, OneByOne, TeamOf

Laws = Sequence[tuple[SignalPlan, Controller]]


@dataclass(frozen=True, slots=True)
class Regime:
    """What holds at the controlled signals.

    ``laws`` are the controllers, each with the plan that it chooses from; ``controller`` is what they are called, and
    ``team_of`` puts them together. Where not ``looks_behind``, nobody counts vehicles behind the junctions for them.
    ``sensing`` is what they see; ``priority`` who has it and how, None without.
    """

    laws: Laws
    controller: str
    team_of: TeamOf = OneByOne
    looks_behind: bool = True
    sensing: Sensing = ALL_CONNECTED
    priority: Priority | None = None

    @property
    def plans(self) -> tuple[SignalPlan, ...]:
        """The plans of the controlled signals."""
        return tuple(plan for plan, _ in self.laws)


def laws_of(kind: ControllerKind, plans: Iterable[SignalPlan], parameters: Any) -> Laws:
    """A controller for each signal that has a choice, and the stages that it chooses from."""
    if kind.make is None:
        return []
    chosen = [with_free_stages(plan) if kind.free_stages else plan for plan in plans if plan.is_controllable]
    return [(plan, kind.make(plan, parameters)) for plan in chosen]


def programmed(plans: Iterable[SignalPlan], programs: Mapping[str, Program]) -> Laws:
    """What follows the program of each signal that has a choice, where SUMO does not run it by itself."""
    return [(plan, FixedTime(plan, programs[plan.signal_id])) for plan in plans if plan.is_controllable]
