"""Controllers in the loop: asked when they may decide, their wishes passed through the interlock, its answer shown."""

import math
from dataclasses import dataclass
from typing import Any

from networks.network import RoadNetwork
from signals.controller import Controller
from signals.interlock import SAME_TIME_S, SignalState, advance, begin, change_due_s, may_switch, order, shown
from signals.plan import SignalPlan, protected_foes
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
    """One controlled signal while it runs."""

    plan: SignalPlan
    controller: Controller
    state: SignalState
    due_s: float
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
    ) -> None:
        """Start every signal in the first stage of its plan."""
        self.refused: list[RefusedWish] = []
        self.switches = 0
        self.violations = 0
        self.due_s = begin_s
        self._api = api
        self._name = name
        self._watch = Watch(api, network, tuple(plan for plan, _ in controlled), detectors=detectors)
        self._heads = {plan.signal_id: _Head(plan, law, begin(plan, 0, begin_s), begin_s) for plan, law in controlled}

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
        seen = self._watch.look({name: head.state for name, head in asked.items()}, now_s)
        for name, head in asked.items():
            wish = head.controller.wish(seen[name])
            before = head.state.target
            head.state, refusal = order(head.plan, head.state, wish, now_s, seen[name].demand)
            self.switches += head.state.target != before
            if refusal is not None:
                self.refused.append(RefusedWish(now_s, name, self._name, refusal.wish, refusal.reason))

    def _show(self, name: str, head: _Head, now_s: float) -> None:
        letters = shown(head.plan, head.state, now_s)
        if letters != head.showing:
            self.violations += len(protected_foes(letters, head.plan.foes))
            self._api.trafficlight.setRedYellowGreenState(name, letters)
            head.showing = letters


def _due_s(head: _Head, now_s: float) -> float:
    """When this signal next needs attention (s): a whole millisecond later than now."""
    change_s = change_due_s(head.plan, head.state, now_s)
    may_decide = head.state.is_steady and change_s <= now_s + SAME_TIME_S
    due_s = now_s + ASK_EVERY_S if may_decide else max(change_s, now_s + 1 / TICKS_PER_S)
    return math.ceil(due_s * TICKS_PER_S - ROUNDING) / TICKS_PER_S
