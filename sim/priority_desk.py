"""Priority in the loop: wishes of controllers pass the rules of each signal before they go to the interlock."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from signals.interlock import SignalState
from signals.observation import Look, observe
from signals.plan import SignalPlan
from signals.priority import (
    RULES,
    WEIGHT,
    WEIGHTED,
    Moment,
    Priority,
    PriorityRow,
    Request,
    begin_priority,
    check_out,
    decide,
)
from signals.team import Controller
from sim.requests import Requests


class PriorityDesk:
    """Requests of all signals, and what becomes of them.

    Attributes
    ----------
    requests
        Who asks; shown every look.
    rows
        Requests that have ended.
    """

    def __init__(
        self,
        requests: Requests,
        law: Priority,
        controlled: Sequence[tuple[SignalPlan, Controller]],
        rows: Mapping[str, slice],
    ) -> None:
        """Start with nobody; ``rows`` are the links of each signal among those of a look."""
        self.requests = requests
        self.rows: list[PriorityRow] = []
        self._law = law
        self._links = rows
        self._plans = {plan.signal_id: plan for plan, _ in controlled}
        self._following: dict[str, Any] = {plan.signal_id: getattr(law, "following", None) for plan, law in controlled}
        self._states = {name: begin_priority(plan, 0) for name, plan in self._plans.items()}
        self._weighted: dict[tuple[str, str], PriorityRow] = {}

    def answers(self, wishes: Mapping[str, int], states: Mapping[str, SignalState], look: Look) -> dict[str, int]:
        """What signals that may decide are to wish for, by the wishes of their controllers."""
        if self._law.kind == WEIGHT:
            self._keep_weighted(look.time_s)
        return {name: self._answer(name, wish, states[name], look) for name, wish in wishes.items()}

    def _answer(self, name: str, wish: int, signal: SignalState, look: Look) -> int:
        asks = [each for each in self.requests.by_signal.get(name, ()) if each.preempts or self._law.kind == RULES]
        plan, state = self._plans[name], self._states[name]
        if not 0 <= wish < len(plan.stages):
            return wish
        demand = look.vehicles[self._links[name]] > 0
        moment = Moment(look.time_s, signal, wish, demand, self._order(name, signal, look))
        self._states[name], answer, ended = decide(plan, self._law, state, moment, asks)
        self.rows += ended
        return answer

    def _order(self, name: str, signal: SignalState, look: Look) -> Callable[[], int] | None:
        """What tells the controller's next stage, where it has an order."""
        following = self._following[name]
        if following is None:
            return None
        green_s = look.time_s - signal.since_s
        return lambda: int(following(observe(look, self._links[name], signal.stage, green_s)))

    def _keep_weighted(self, now_s: float) -> None:
        """Note who counts for more, and who has gone."""
        found = self.requests.by_signal.items()
        here = {(name, each.vehicle): each for name, asks in found for each in asks if not each.preempts}
        for key in [key for key in self._weighted if key not in here]:
            self.rows.append(self._weighted.pop(key))
        for key, each in here.items():
            self._weighted[key] = _weighted_row(self._weighted.get(key), key[0], each, now_s)

    def finish(self, now_s: float) -> tuple[PriorityRow, ...]:
        """All rows, those of requests that have not ended by the end of the run included, in order of time."""
        for name, state in self._states.items():
            self.rows += check_out(self._plans[name], state, set(), 0.0, now_s)[1]
        self.rows += self._weighted.values()
        self._weighted = {}
        return tuple(sorted(self.rows, key=lambda row: (row.time_s, row.junction, row.vehicle)))


def _weighted_row(before: PriorityRow | None, junction: str, request: Request, now_s: float) -> PriorityRow:
    """A row for a vehicle that counts for more, up to now."""
    time_s, late_s = (before.time_s, before.late_s) if before else (now_s, request.late_s)
    return PriorityRow(time_s, now_s, junction, request.vehicle, late_s, WEIGHT, WEIGHTED, "", math.nan)
