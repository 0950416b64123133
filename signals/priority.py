"""Priority by rules, between controller and interlock: a pure state machine.

Vehicles ask for green (:class:`Request`); the machine may hold a green that the controller would end (extension), or
end one that it would keep (early green), each within bounds. What it answers goes to the interlock as any wish does, so
clearances, minimum green and maximum red hold whatever is granted. The rules are those of the field: Transit Signal
Priority Handbook (ITS America 2005), chapter 5, NTCIP 1211 (a request ends with the vehicle's check-out, a lock-out
before the next service), and for holds that are given up when the prediction slips Cesme, Altun & Furth, *Transit
Signal Priority with Predicted Dwell Times* (Transportation Research Record 2533, 2015).

- At most one grant in ``cycles`` cycles, a cycle being from one begin of the granted link's green to the next; none
  within ``lockout_s`` of the end of one.
- Nobody is skipped. Where the controller has an order of stages, that order is kept; else links that somebody wants and
  that have been red for longer than the vehicle's are green first.
- A green is cut by no more than ``early_green_s`` below what it usually has, all greens cut in one grant together.
- A controller whose clock runs on (:mod:`signals.fixed_time`) recovers by the stages that follow; others by what they
  see.
- A vehicle that pre-empts is served next, past the order and without bounds, and held for until it is through.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from signals.intergreen import GREEN_RANK
from signals.interlock import SAME_TIME_S, SignalState, transition
from signals.observation import BoolArray
from signals.plan import SignalPlan

LATE_BUSES, ALL_BUSES, EMERGENCY = "late-buses", "all-buses", "emergency"
RULES, WEIGHT = "rules", "weight"
EXTENSION, EARLY_GREEN, PREEMPTION = "extension", "early green", "pre-emption"
GRANTED, REFUSED, NOT_NEEDED, WEIGHTED = "granted", "refused", "not needed", "weighted"

LONGEST_PREEMPTION_S = 60.0
"""So long a green is held for a vehicle that pre-empts: one that stands is not going to be helped."""

USUAL_SHARE = 0.5
"""What the last green counts for in what a stage usually has."""


@dataclass(frozen=True, slots=True)
class Priority:
    """What may be set.

    Attributes
    ----------
    vehicles
        Who has priority: ``late-buses``, ``all-buses``, ``emergency``. Emergency vehicles pre-empt.
    late_s
        From how late on a bus counts as late (s).
    kind
        ``rules``, or ``weight``: it counts for more in what the controller weighs.
    weight
        For how many vehicles it counts.
    extension_s, early_green_s
        Longest hold of a green, and most that is taken from others in one grant (s).
    cycles, lockout_s
        One grant in so many cycles; none for so long after one (s).
    dwell_s
        Time at a stop that is predicted (s).
    """

    vehicles: tuple[str, ...] = (LATE_BUSES,)
    late_s: float = 60.0
    kind: str = RULES
    weight: float = 10.0
    extension_s: float = 10.0
    early_green_s: float = 10.0
    cycles: int = 1
    lockout_s: float = 30.0
    dwell_s: float = 15.0

    @property
    def words(self) -> str:
        """Who has it and how, for a report."""
        late = f"buses more than {self.late_s:g} s late"
        names = {LATE_BUSES: late, ALL_BUSES: "all buses", EMERGENCY: "emergency vehicles (pre-emption)"}
        who = " and ".join(names[name] for name in self.vehicles)
        if self.kind == WEIGHT:
            return f"{who}, a bus counts as {self.weight:g}"
        return (
            f"{who}, extension {self.extension_s:g} s, early green {self.early_green_s:g} s, "
            f"one grant in {self.cycles:g} cycle(s), lock-out {self.lockout_s:g} s"
        )


class Request(NamedTuple):
    """A vehicle that asks for green.

    ``arrival_s`` is when it would be at the stop line of ``link`` if nobody held it up, its stops before it included;
    ``queue_s`` how long the vehicles before it take to leave. ``late_s`` is how late it is (NaN where not known).
    """

    vehicle: str
    link: int
    arrival_s: float
    queue_s: float
    late_s: float
    preempts: bool = False


@dataclass(frozen=True, slots=True)
class PriorityRow:
    """What became of a request, as a row of ``priority.csv``.

    ``time_s`` is when it was first made, ``until_s`` when it ended: with the check-out, or with the run. ``given_s`` is
    the green held and the green taken from others for it.
    """

    time_s: float
    until_s: float
    junction: str
    vehicle: str
    late_s: float
    kind: str
    outcome: str
    reason: str
    given_s: float


@dataclass(frozen=True, slots=True)
class Grant:
    """The grant that is open: for whom, what was done first, green cut so far, since when a green is held (s).

    ``before_s`` is what an earlier grant gave the vehicle here.
    """

    vehicle: str
    kind: str
    before_s: float = 0.0
    cut_s: float = 0.0
    held_since_s: float | None = None
    held_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Pending:
    """A request that has not ended: when it was first made, and what there is to tell of it so far."""

    time_s: float
    link: int
    late_s: float
    kind: str = ""
    outcome: str = NOT_NEEDED
    reason: str = ""
    given_s: float = 0.0


@dataclass(frozen=True, slots=True)
class PriorityState:
    """Where the machine is at a signal.

    ``usual_s`` is the green that each stage usually has, ``stage`` the one of the last decision. ``locked_link`` is the
    link of the last grant, whose green must begin ``begins_left`` times before another one, and not before
    ``free_from_s``.
    """

    usual_s: tuple[float, ...]
    stage: int
    pending: Mapping[str, Pending] = field(default_factory=lambda: MappingProxyType({}))
    grant: Grant | None = None
    locked_link: int = -1
    begins_left: int = 0
    free_from_s: float = -np.inf


class Moment(NamedTuple):
    """What is known where a signal may decide.

    ``signal`` is where it is, ``wish`` what the controller wishes, ``demand`` which links somebody wants, shape
    (links,). ``following`` tells the stage that the controller's order has next, None where it has no order.
    """

    now_s: float
    signal: SignalState
    wish: int
    demand: BoolArray
    following: Callable[[], int] | None = None


class _Step(NamedTuple):
    """What would be done for a request: which stage, what it is called, why not (empty where nothing is in the way).

    ``is_over`` tells that a grant has nothing more to give.
    """

    stage: int
    kind: str = ""
    reason: str = ""
    is_over: bool = False


def begin_priority(plan: SignalPlan, stage: int) -> PriorityState:
    """Nobody has asked yet; a stage usually has what the shipped program gave it."""
    return PriorityState(tuple(max(each.shipped_s, each.min_green_s) for each in plan.stages), stage)


def decide(
    plan: SignalPlan, law: Priority, state: PriorityState, at: Moment, requests: Sequence[Request]
) -> tuple[PriorityState, int, tuple[PriorityRow, ...]]:
    """Answer with the stage to wish for in place of the controller's wish, at a signal that may decide.

    Returns
    -------
    The state that follows, the stage, and the requests that have ended.
    """
    state = _begun(plan, state, at.signal.stage)
    state, rows = check_out(plan, state, {each.vehicle for each in requests}, law.lockout_s, at.now_s)
    state = _noted(state, requests, at.now_s)
    answer = at.wish
    for request in sorted(requests, key=lambda each: _rank(state, each)):
        step = _step(plan, law, state, at, request)
        state, acts = _taken(law, state, at, request, step)
        if acts:
            answer = step.stage
            break
    if answer != at.signal.stage and state.grant is None:
        state = _usual(state, at)
    return state, answer, rows


def check_out(
    plan: SignalPlan, state: PriorityState, present: set[str], lockout_s: float, now_s: float
) -> tuple[PriorityState, tuple[PriorityRow, ...]]:
    """End the requests of vehicles that are not present any more, and the grant where it was one of theirs."""
    gone = [name for name in state.pending if name not in present]
    if not gone:
        return state, ()
    rows = tuple(_row(plan.signal_id, name, state.pending[name], now_s) for name in gone)
    left = MappingProxyType({name: each for name, each in state.pending.items() if name in present})
    state = replace(state, pending=left)
    return (_closed(state, lockout_s, now_s) if state.grant and state.grant.vehicle in gone else state), rows


def _row(junction: str, vehicle: str, told: Pending, now_s: float) -> PriorityRow:
    return PriorityRow(
        told.time_s, now_s, junction, vehicle, told.late_s, told.kind, told.outcome, told.reason, told.given_s
    )


def _begun(plan: SignalPlan, state: PriorityState, stage: int) -> PriorityState:
    """Count the begin of green of the link that is locked."""
    link, before, now = state.locked_link, plan.stages[state.stage].greens, plan.stages[stage].greens
    begins = stage != state.stage and link in now and link not in before
    left = max(state.begins_left - 1, 0) if begins else state.begins_left
    return replace(state, stage=stage, begins_left=left)


def _noted(state: PriorityState, requests: Sequence[Request], now_s: float) -> PriorityState:
    new = {each.vehicle: Pending(now_s, each.link, each.late_s) for each in requests}
    return replace(state, pending=MappingProxyType({**new, **state.pending}))


def _rank(state: PriorityState, request: Request) -> tuple[bool, bool, float, str]:
    """Who pre-empts comes first, then who has the grant, then who is latest."""
    has_it = state.grant is not None and state.grant.vehicle == request.vehicle
    return not request.preempts, not has_it, -np.nan_to_num(request.late_s), request.vehicle


def _step(plan: SignalPlan, law: Priority, state: PriorityState, at: Moment, request: Request) -> _Step:
    """What would be done for a request now, were it free to be granted."""
    is_green = request.link in plan.stages[at.signal.stage].greens
    if request.preempts:
        return _preempted(plan, state, at, request)
    return _extended(plan, law, state, at, request) if is_green else _brought(plan, law, state, at, request)


def _preempted(plan: SignalPlan, state: PriorityState, at: Moment, request: Request) -> _Step:
    """Green as soon as clearances allow, and until it is through."""
    if request.link in plan.stages[at.signal.stage].greens:
        if request.link in plan.stages[at.wish].greens:
            return _Step(at.wish)
        if _held_s(state, request, at.now_s) >= LONGEST_PREEMPTION_S:
            return _Step(at.wish, reason="it has not come through", is_over=True)
        return _Step(at.signal.stage, PREEMPTION)
    serving = _serving(plan, at.signal, request.link, at.demand)
    return _Step(at.wish) if serving is None or serving == at.wish else _Step(serving, PREEMPTION)


def _extended(plan: SignalPlan, law: Priority, state: PriorityState, at: Moment, request: Request) -> _Step:
    """Hold the green that the controller would end, if the vehicle comes within the bound."""
    if request.link in plan.stages[at.wish].greens:
        return _Step(at.wish)
    held_s = _held_s(state, request, at.now_s)
    comes_s = max(request.arrival_s - at.now_s, request.queue_s, 0.0)
    if held_s >= law.extension_s or held_s + comes_s > law.extension_s:
        return _Step(at.wish, reason="too far away for an extension", is_over=True)
    return _Step(at.signal.stage, EXTENSION)


def _held_s(state: PriorityState, request: Request, now_s: float) -> float:
    """For how long a green has been held for this request (s)."""
    grant = state.grant
    if grant is None or grant.vehicle != request.vehicle or grant.held_since_s is None:
        return 0.0
    return now_s - grant.held_since_s


def _brought(plan: SignalPlan, law: Priority, state: PriorityState, at: Moment, request: Request) -> _Step:
    """End the green that is shown, once the vehicle would else have to wait and the bound allows it."""
    path = path_to(plan, at, request.link)
    if not path:
        return _Step(at.wish, reason="no stage serves it")
    if at.now_s + lead_s(plan, at.signal.stage, path) < request.arrival_s - request.queue_s:
        return _Step(at.wish)
    if path[0] == at.wish or (at.wish != at.signal.stage and at.following is not None):
        return _Step(at.wish)
    if at.wish == at.signal.stage and _cut_s(state, at) > law.early_green_s - _cut_so_far_s(state, request):
        return _Step(at.wish, reason="others would lose more green than the bound allows")
    return _Step(path[0], EARLY_GREEN)


def _cut_s(state: PriorityState, at: Moment) -> float:
    """What the present green has less than it usually has (s)."""
    return max(state.usual_s[at.signal.stage] - (at.now_s - at.signal.since_s), 0.0)


def _cut_so_far_s(state: PriorityState, request: Request) -> float:
    return state.grant.cut_s if state.grant is not None and state.grant.vehicle == request.vehicle else 0.0


def path_to(plan: SignalPlan, at: Moment, link: int) -> tuple[int, ...]:
    """Stages from the next one to the first in which a link is green; empty where there is none.

    By the controller's order, or past those who have waited longer than the link.
    """
    if at.following is not None:
        return _in_order(plan, at, link, at.following())
    serving = _serving(plan, at.signal, link, at.demand)
    if serving is None:
        return ()
    red_since = at.signal.red_since_s
    longer = [bit for bit, since in enumerate(red_since) if at.demand[bit] and since < red_since[link] - SAME_TIME_S]
    if not longer or all(bit in plan.stages[serving].greens for bit in longer):
        return (serving,)
    first = _serving(plan, at.signal, min(longer, key=red_since.__getitem__), at.demand, also=link)
    if first is None or first == serving:
        return (serving,)
    return (first,) if link in plan.stages[first].greens else (first, serving)


def _in_order(plan: SignalPlan, at: Moment, link: int, first: int) -> tuple[int, ...]:
    """The stage that comes first and those after it in the plan's order, up to one in which a link is green."""
    if first == at.signal.stage:
        return ()
    count = len(plan.stages)
    around = [first, *((first + step) % count for step in range(1, count))]
    up_to = next((place for place, stage in enumerate(around) if link in plan.stages[stage].greens), None)
    return () if up_to is None else tuple(stage for stage in around[: up_to + 1] if stage != at.signal.stage)


def _serving(plan: SignalPlan, signal: SignalState, link: int, demand: BoolArray, also: int = -1) -> int | None:
    """The stage to serve a link by: best for it, with ``also`` where there is one, for most who wait, soonest."""

    def worth(number: int) -> tuple[int, bool, int, float, int]:
        stage = plan.stages[number]
        waiting = sum(bool(demand[bit]) and signal.red_since_s[bit] < np.inf for bit in stage.greens)
        change_s = transition(plan, plan.stages[signal.stage].state, stage.state).total_s
        return GREEN_RANK.get(stage.state[link], 0), also in stage.greens, waiting, -change_s, -number

    found = [number for number, stage in enumerate(plan.stages) if link in stage.greens and number != signal.stage]
    return max(found, key=worth, default=None)


def lead_s(plan: SignalPlan, stage: int, path: Sequence[int]) -> float:
    """Time from now until the last stage of a path could begin: changes, and the least green of those between (s)."""
    steps = zip((stage, *path), path, strict=False)
    changes_s = sum(transition(plan, plan.stages[a].state, plan.stages[b].state).total_s for a, b in steps)
    return changes_s + sum(plan.stages[number].min_green_s for number in path[:-1])


def _taken(
    law: Priority, state: PriorityState, at: Moment, request: Request, step: _Step
) -> tuple[PriorityState, bool]:
    """Bring the state up to date with what would be done, and tell whether it is done."""
    has_it = state.grant is not None and state.grant.vehicle == request.vehicle
    if not step.kind:
        if has_it and step.is_over:
            told = replace(state.pending[request.vehicle], reason=f"given up: {step.reason}")
            state = _closed(_told(state, request, told), law.lockout_s, at.now_s)
        elif step.reason:
            state = _turned_down(state, request, step.reason)
        return state, False
    if not has_it:
        told = state.pending[request.vehicle]
        against = _had(told) if request.preempts else _locked(state, at.now_s)
        if against:
            return _turned_down(state, request, against), False
        if state.grant is not None:
            state = _closed(state, law.lockout_s, at.now_s)
        begins = 0 if request.preempts else law.cycles
        grant = Grant(request.vehicle, step.kind, told.given_s)
        state = replace(state, grant=grant, locked_link=request.link, begins_left=begins)
    return _given(state, at, request, step), True


def _had(told: Pending) -> str:
    """Why a vehicle that pre-empts gets nothing; empty where it does: once, for as long as that may last."""
    return "it has not come through" if told.outcome == GRANTED else ""


def _locked(state: PriorityState, now_s: float) -> str:
    """Why nothing may be granted now; empty where it may."""
    if state.grant is not None:
        return "another vehicle has the grant"
    if state.begins_left > 0:
        return "one grant in these cycles has been given"
    return "lock-out after a grant" if now_s < state.free_from_s - SAME_TIME_S else ""


def _given(state: PriorityState, at: Moment, request: Request, step: _Step) -> PriorityState:
    """Enter into the grant what this decision gives."""
    grant = state.grant
    if grant is None:
        return state
    if step.stage == at.signal.stage:
        since_s = at.now_s if grant.held_since_s is None else grant.held_since_s
        grant = replace(grant, held_since_s=since_s, held_s=at.now_s - since_s)
    elif at.wish == at.signal.stage:
        grant = replace(grant, cut_s=grant.cut_s + _cut_s(state, at))
    given_s = grant.before_s + grant.held_s + grant.cut_s
    state = replace(state, grant=grant)
    told = replace(state.pending[request.vehicle], kind=grant.kind, outcome=GRANTED, reason="", given_s=given_s)
    return _told(state, request, told)


def _turned_down(state: PriorityState, request: Request, reason: str) -> PriorityState:
    told = state.pending[request.vehicle]
    if told.outcome == GRANTED:
        return state
    return _told(state, request, replace(told, outcome=REFUSED, reason=reason))


def _told(state: PriorityState, request: Request, told: Pending) -> PriorityState:
    return replace(state, pending=MappingProxyType({**state.pending, request.vehicle: told}))


def _closed(state: PriorityState, lockout_s: float, now_s: float) -> PriorityState:
    """The grant is over."""
    return replace(state, grant=None, free_from_s=now_s + lockout_s)


def _usual(state: PriorityState, at: Moment) -> PriorityState:
    """A green that nobody interfered with ends: it counts in what its stage usually has."""
    green_s, stage = at.now_s - at.signal.since_s, at.signal.stage
    usual = list(state.usual_s)
    usual[stage] = (1 - USUAL_SHARE) * usual[stage] + USUAL_SHARE * green_s
    return replace(state, usual_s=tuple(usual))
