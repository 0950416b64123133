"""Controllers in the loop: asked when they may decide, their wishes passed through the interlock, its answer shown."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from networks.network import RoadNetwork
from signals.interlock import (
    SAME_TIME_S,
    SignalState,
    advance,
    begin,
    change_due_s,
    is_calm,
    links_due,
    may_switch,
    order,
    shown,
)
from signals.observation import BoolArray, Look
from signals.plan import SignalPlan, conflicts_shown
from signals.priority import PriorityRow
from sim.detectors import Detectors
from sim.priority_desk import PriorityDesk
from sim.regime import Regime
from sim.requests import Requests
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
    """One controlled signal while it runs.

    ``due`` are its links that are red, see :func:`links_due`. ``showing`` are the letters that SUMO was given, of a
    stage that is ``settled`` since; it may end from ``opens_s`` on.
    """

    number: int
    plan: SignalPlan
    state: SignalState
    due_s: float
    due: tuple[tuple[float, int], ...]
    showing: str = ""
    settled: SignalState | None = None
    opens_s: float = math.inf


def _head(number: int, plan: SignalPlan, begin_s: float) -> _Head:
    state = begin(plan, 0, begin_s)
    return _Head(number, plan, state, begin_s, links_due(plan, state))


class SignalControl:
    """All controlled signals of a run."""

    def __init__(
        self,
        api: Any,
        network: RoadNetwork,
        regime: Regime,
        begin_s: float,
        seed: int = 0,
        detectors: Detectors | None = None,
    ) -> None:
        """Start every signal in the first stage of its plan; what sensors leave to chance follows from ``seed``."""
        self.refused: list[RefusedWish] = []
        self.switches = 0
        self.violations = 0
        self.due_s = begin_s
        self._api = api
        self._name = regime.controller
        plans, priority = regime.plans, regime.priority
        self._watch = Watch(
            api,
            network,
            plans,
            detectors=detectors,
            sensing=regime.sensing,
            seed=seed,
            looks_behind=regime.looks_behind,
        )
        self._team = regime.team_of([law for _, law in regime.laws], list(self._watch.rows.values()))
        self._desk = None
        if priority is not None:
            requests = Requests(api, priority, plans, self._watch.rows, detectors)
            self._watch.requests = requests
            self._desk = PriorityDesk(requests, priority, regime.laws, self._watch.rows)
        self._heads = {plan.signal_id: _head(number, plan, begin_s) for number, plan in enumerate(plans)}

    def act(self, now_s: float) -> None:
        """Let transitions proceed, ask controllers that may decide, show the outcome."""
        asked = self.proceed(now_s)
        if asked:
            look = self.look(now_s)
            states = [self.state(name) for name in asked]
            wishes = self._team.wishes([self._heads[name].number for name in asked], states, look)
            self.answer(dict(zip(asked, wishes, strict=True)), look)
        elif self._watch.due_s <= now_s:
            self._watch.sense(now_s)
        self.show(now_s)

    def proceed(self, now_s: float) -> list[str]:
        """Let transitions proceed; the signals that may decide now."""
        due = {name: head for name, head in self._heads.items() if head.due_s <= now_s}
        for head in due.values():
            head.state = advance(head.plan, head.state, now_s)
        return [name for name, head in due.items() if may_switch(head.plan, head.state, now_s)]

    def look(self, now_s: float) -> Look:
        """What is seen of all signals."""
        return self._watch.look(now_s)

    def wanted(self, look: Look) -> BoolArray:
        """Links at which somebody waits, or may wait unseen: those that maximum red holds for, shape (links,)."""
        return (look.vehicles > 0) | self._watch.recall

    def rows(self, name: str) -> slice:
        """Which of the links of a look are those of a signal."""
        return self._watch.rows[name]

    def state(self, name: str) -> SignalState:
        """Where a signal is."""
        return self._heads[name].state

    def show(self, now_s: float) -> None:
        """Show what signals that are due have come to."""
        ask_s = _tick_s(now_s + ASK_EVERY_S)
        for name, head in self._heads.items():
            if head.due_s <= now_s:
                if head.state is not head.settled:
                    self._show(name, head, now_s)
                head.due_s = ask_s if head.opens_s <= now_s + SAME_TIME_S else _due_s(head, now_s)
        if self._heads:
            self.due_s = min(self._watch.due_s, *[head.due_s for head in self._heads.values()])
        else:
            self.due_s = math.inf

    def is_settled(self, wishes: Mapping[str, int], now_s: float) -> bool:
        """Whether these wishes change nothing whoever comes, so that nobody need look."""
        if self._desk is not None or self._watch.due_s <= now_s:
            return False
        heads = [self._heads[name] for name in wishes]
        is_due = any(due_s <= now_s for head in heads for due_s, _ in head.due)
        return not is_due and all(head.state.stage == wishes[head.plan.signal_id] for head in heads)

    def answer(self, wishes: Mapping[str, int], look: Look) -> None:
        """Pass wishes of signals that may decide through the interlock, at the time of the look."""
        rows, now_s = self._watch.rows, look.time_s
        if self._desk is not None:
            wishes = self._desk.answers(wishes, {name: self.state(name) for name in wishes}, look)
        wanted = self.wanted(look)
        for name, wish in wishes.items():
            head = self._heads[name]
            demand = wanted[rows[name]]
            if wish == head.state.stage and (head.due[0][0] > now_s or is_calm(head.due, now_s, demand)):
                continue
            before = head.state.target
            head.state, refusal = order(head.plan, head.state, wish, now_s, demand)
            head.due = links_due(head.plan, head.state)
            self.switches += head.state.target != before
            if refusal is not None:
                self.refused.append(RefusedWish(now_s, name, self._name, refusal.wish, refusal.reason))

    def requests(self, now_s: float) -> tuple[PriorityRow, ...]:
        """What became of all requests for priority, at the end of the run."""
        return () if self._desk is None else self._desk.finish(now_s)

    def _show(self, name: str, head: _Head, now_s: float) -> None:
        letters = shown(head.plan, head.state, now_s)
        if letters != head.showing:
            self.violations += conflicts_shown(head.plan, letters)
            self._api.trafficlight.setRedYellowGreenState(name, letters)
            head.showing = letters
        head.settled, head.opens_s = None, math.inf
        if head.state.is_steady:
            head.settled, head.opens_s = head.state, change_due_s(head.plan, head.state, now_s)


def _due_s(head: _Head, now_s: float) -> float:
    """When a signal that may not decide yet next needs attention (s): later than now."""
    return _tick_s(max(change_due_s(head.plan, head.state, now_s), now_s + 1 / TICKS_PER_S))


def _tick_s(time_s: float) -> float:
    """The first whole millisecond that is not before a time (s)."""
    return math.ceil(time_s * TICKS_PER_S - ROUNDING) / TICKS_PER_S
