"""Controllers in the loop: asked when they may decide, their wishes passed through the interlock, its answer shown."""

import math
from dataclasses import dataclass
from typing import Any

from networks.network import RoadNetwork
from signals.interlock import (
    SAME_TIME_S,
    SignalState,
    advance,
    begin,
    calm_until_s,
    change_due_s,
    may_switch,
    order,
    shown,
)
from signals.plan import SignalPlan, conflicts_shown
from signals.team import Controller, OneByOne, TeamOf
from sim.detectors import Detectors
from sim.watch import Watch

ASK_EVERY_S = 1.0
TICKS_PER_S = 1000
"""SUMO counts time in milliseconds: asked to run to a fraction of one, it may not move at all."""
ROUNDING = 1e-3


@dataclass(frozen=True, slots=True)
class RefusedWish:
    """A wish that the interlock refused, as a row of ``refusals.csv``."""

    time_s: float
    junction: str
    controller: str
    wish: int
    reason: str


@dataclass(slots=True)
class _Head:
    """One controlled signal while it runs; until ``calm_until_s`` no link can have been red for too long."""

    number: int
    plan: SignalPlan
    state: SignalState
    due_s: float
    calm_until_s: float = -math.inf
    showing: str = ""


class SignalControl:
    """All controlled signals of a run."""

    def __init__(
        self,
        api: Any,
        network: RoadNetwork,
        controlled: list[tuple[SignalPlan, Controller]],
        name: str,
        begin_s: float,
        detectors: Detectors | None = None,
        team_of: TeamOf = OneByOne,
    ) -> None:
        """Start every signal in the first stage of its plan."""
        self.refused: list[RefusedWish] = []
        self.switches = 0
        self.violations = 0
        self.due_s = begin_s
        self._api = api
        self._name = name
        self._watch = Watch(api, network, tuple(plan for plan, _ in controlled), detectors=detectors)
        self._team = team_of([law for _, law in controlled], list(self._watch.rows.values()))
        self._heads = {
            plan.signal_id: _Head(number, plan, begin(plan, 0, begin_s), begin_s)
            for number, (plan, _) in enumerate(controlled)
        }

    def act(self, now_s: float) -> None:
        """Let transitions proceed, ask controllers that may decide, show the outcome."""
        due = {name: head for name, head in self._heads.items() if head.due_s <= now_s}
        for head in due.values():
            head.state = advance(head.plan, head.state, now_s)
        asked = {name: head for name, head in due.items() if may_switch(head.plan, head.state, now_s)}
        if asked:
            self._ask(asked, now_s)
        for name, head in due.items():
            self._show(name, head, now_s)
            head.due_s = _due_s(head, now_s)
        self.due_s = min((head.due_s for head in self._heads.values()), default=math.inf)

    def _ask(self, asked: dict[str, _Head], now_s: float) -> None:
        look = self._watch.look(now_s)
        rows = self._watch.rows
        heads = asked.values()
        wishes = self._team.wishes([head.number for head in heads], [head.state for head in heads], look)
        for (name, head), wish in zip(asked.items(), wishes, strict=True):
            if wish == head.state.stage and now_s < head.calm_until_s:
                continue
            before = head.state.target
            demand = look.vehicles[rows[name]] > 0
            head.state, refusal = order(head.plan, head.state, wish, now_s, demand)
            head.calm_until_s = calm_until_s(head.plan, head.state)
            self.switches += head.state.target != before
            if refusal is not None:
                self.refused.append(RefusedWish(now_s, name, self._name, refusal.wish, refusal.reason))

    def _show(self, name: str, head: _Head, now_s: float) -> None:
        letters = shown(head.plan, head.state, now_s)
        if letters != head.showing:
            self.violations += conflicts_shown(head.plan, letters)
            self._api.trafficlight.setRedYellowGreenState(name, letters)
            head.showing = letters


def _due_s(head: _Head, now_s: float) -> float:
    """When this signal next needs attention (s): a whole millisecond later than now."""
    change_s = change_due_s(head.plan, head.state, now_s)
    may_decide = head.state.is_steady and change_s <= now_s + SAME_TIME_S
    due_s = now_s + ASK_EVERY_S if may_decide else max(change_s, now_s + 1 / TICKS_PER_S)
    return math.ceil(due_s * TICKS_PER_S - ROUNDING) / TICKS_PER_S
