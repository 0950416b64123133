"""Webster's fixed-time plans: a cycle and greens from traffic, offsets from platoons.

F. V. Webster, *Traffic signal settings*, Road Research Technical Paper 39 (London, 1958): C = (1.5 L + 5) / (1 - Y) and
g_i = (y_i / Y)(C - L). The ratios y_i are the least shares of the cycle in which every movement gets through, found by
a linear programme, so that lanes shared by movements and movements green in several stages count as they drive (after
R. E. Allsop, *Estimating the traffic capacity of a signalized road junction*, Transportation Research 6, 1972). Lost
time is what the interlock's transitions take: start-up loss and the yellow that is driven in cancel out, 2 s each
(Highway Capacity Manual, 6th ed., chapter 19). Permitted turns find fewer gaps the more traffic they must let go first
(same chapter: critical headway 4.5 s).

Where a minimum green is more than a stage's share, the formula's cycle would overload the other stages. Then the cycle
is the least one in which the busiest movement fills half of its green, or as much as it would by the formula alone:
Y C / (C - L).
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from networks.network import Phase, Program
from signals.flows import MovementFlow, SignalFlows
from signals.intergreen import GREEN_RANK
from signals.interlock import Transition
from signals.plan import SignalPlan
from signals.saturation import PERMITTED_HEADWAY_S, PROTECTED_HEADWAY_S
from signals.static import PROGRAM_ID, cycle_transitions, shared_green_s, transition_phases, whole_s

CYCLE_BOUNDS_S = (30.0, 150.0)
GREATEST_RATIO_SUM = 0.9
"""Y above this would have the cycle grow without end."""

CRITICAL_HEADWAY_S = 4.5
"""The least gap between vehicles with right of way that a permitted one uses."""

LONGEST_HEADWAY_S = 60.0
"""However much traffic goes first, who waits inside the junction turns at the end of a green: one a minute or more."""

HEADWAY_ROUNDS = 3
SAME_DEGREE = 1e-6
AT_EASE = 0.5
"""A lane whose green is filled to this degree needs no longer cycle."""
HOUR_S = 3600.0

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class WebsterParameters:
    """The plan follows from the demand; there is nothing to set."""


@dataclass(frozen=True, slots=True)
class Use:
    """One way to serve a movement: a stage, a link that is green in it, a lane on which the link's vehicles queue."""

    movement: int
    lane: int
    link: int
    stage: int


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """A signal and its traffic, before times are chosen.

    ``ways`` are the transitions after each stage, and ``lost_s`` what they take in a cycle; ``least_s`` are minimum
    greens. ``unserved`` movements get green in no stage. ``headways_s`` is the time that a vehicle from a queue takes
    of its lane, shape (stages, links), infinity at red; ``uses`` are the ways to serve each movement.
    """

    plan: SignalPlan
    flows: tuple[MovementFlow, ...]
    unserved: tuple[MovementFlow, ...]
    ways: tuple[Transition, ...]
    lost_s: float
    least_s: tuple[float, ...]
    headways_s: FloatArray
    uses: tuple[Use, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Shares:
    """How a signal's stages share the traffic.

    ``ratios`` are the shares of all time that each stage's vehicles take (y), ``degree`` the greatest part of a green
    that they fill; ``served`` are vehicles (1/s) by stage and link, shape (stages, links).
    """

    ratios: tuple[float, ...]
    degree: float
    served: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Timing:
    """A signal's fixed-time plan (s).

    ``webster_s`` is the cycle by formula, within its bounds, ``cycle_s`` the one chosen. It begins with the first stage
    ``offset_s`` after midnight, and after every whole cycle. ``ratio_sum`` is Webster's Y, unbounded by minimum greens.
    """

    case: Case
    ratio_sum: float
    webster_s: float
    shares: Shares
    cycle_s: float
    greens_s: tuple[float, ...]
    offset_s: float = 0.0

    @property
    def signal_id(self) -> str:
        """Whose plan it is."""
        return self.case.plan.signal_id

    @property
    def program(self) -> Program:
        """The plan as SUMO runs it."""
        phases: list[Phase] = []
        for stage, green_s, way in zip(self.case.plan.stages, self.greens_s, self.case.ways, strict=True):
            phases += [Phase(green_s, stage.state), *transition_phases(way)]
        return Program(PROGRAM_ID, "static", self.offset_s, tuple(phases))


def webster_cycle_s(lost_s: float, ratio_sum: float) -> float:
    """Webster's cycle (1.5 L + 5) / (1 - Y) in whole seconds, Y at most 0.9, between 30 and 150 s.

    Parameters
    ----------
    lost_s
        L, the time of a cycle in which nobody drives (s).
    ratio_sum
        Y, the sum of the stages' ratios of flow to saturation flow.
    """
    cycle_s = (1.5 * lost_s + 5.0) / (1.0 - min(ratio_sum, GREATEST_RATIO_SUM))
    return float(round(min(max(cycle_s, CYCLE_BOUNDS_S[0]), CYCLE_BOUNDS_S[1])))


def timing(
    plan: SignalPlan, flows: Iterable[MovementFlow], queue_lanes: Mapping[int, int] = MappingProxyType({})
) -> Timing:
    """A signal's own plan, for arrivals that know nothing of other signals.

    Every stage is shown in its order and has its minimum green; where these do not fit, the cycle is longer.

    Parameters
    ----------
    queue_lanes
        As in :attr:`signals.flows.SignalFlows.queue_lanes`.
    """
    case = _with_gaps(_case(plan, flows, queue_lanes))
    ratio_sum = sum(least_shares(case).ratios)
    webster_s = webster_cycle_s(case.lost_s, ratio_sum)
    formula_degree = ratio_sum / max(1 - case.lost_s / webster_s, 1 - GREATEST_RATIO_SUM)
    cycle_s = _lengthened_s(case, webster_s, max(formula_degree, AT_EASE))
    return _timed(case, ratio_sum, webster_s, cycle_s)


def with_cycle(made: Timing, cycle_s: float) -> Timing:
    """The same signal with another cycle; a longer one where minimum greens do not fit in."""
    return _timed(made.case, made.ratio_sum, made.webster_s, cycle_s)


def _timed(case: Case, ratio_sum: float, webster_s: float, cycle_s: float) -> Timing:
    cycle_s = max(cycle_s, case.lost_s + sum(case.least_s))
    shares = shares_in(case, cycle_s)
    wanted = list(shares.ratios) if shares.degree > 0 else [1.0] * len(shares.ratios)
    greens_s = tuple(shared_green_s(wanted, list(case.least_s), cycle_s - case.lost_s))
    return Timing(case, ratio_sum, webster_s, shares, cycle_s, greens_s)


def _lengthened_s(case: Case, cycle_s: float, degree: float) -> float:
    """The least whole second from the given one on at which no lane is fuller than ``degree``, or the longest cycle."""
    begin_s = max(cycle_s, case.lost_s + sum(case.least_s))
    choices = np.arange(begin_s, max(CYCLE_BOUNDS_S[1], begin_s) + 1)
    low, high = 0, len(choices) - 1
    while low < high:
        middle = (low + high) // 2
        fits = shares_in(case, float(choices[middle])).degree <= degree + SAME_DEGREE
        low, high = (low, middle) if fits else (middle + 1, high)
    return float(choices[low])


def _case(plan: SignalPlan, flows: Iterable[MovementFlow], queue_lanes: Mapping[int, int]) -> Case:
    least_s = tuple(whole_s(stage.min_green_s) for stage in plan.stages)
    ways = tuple(cycle_transitions(plan, [stage.state for stage in plan.stages], list(least_s)))
    letters = [[_HEADWAY_S[GREEN_RANK.get(letter, 0)] for letter in stage.state] for stage in plan.stages]
    headways_s = np.array(letters)
    wanted = [flow for flow in flows if flow.vehicles_per_hour > 0]
    unserved = tuple(flow for flow in wanted if not np.isfinite(headways_s[:, list(flow.links)]).any())
    served = tuple(flow for flow in wanted if flow not in unserved)
    lanes = [tuple(sorted({queue_lanes.get(lane, lane) for lane in link.from_lanes})) for link in plan.links]
    uses = _uses(lanes, served, np.isfinite(headways_s))
    return Case(plan, served, unserved, ways, sum(whole_s(way.total_s) for way in ways), least_s, headways_s, uses)


_HEADWAY_S = (math.inf, PERMITTED_HEADWAY_S, PROTECTED_HEADWAY_S)
"""By rank of green."""


def _with_gaps(case: Case) -> Case:
    """The case with the headways of permitted links as the traffic that goes first lets them."""
    opposed = case
    for _ in range(HEADWAY_ROUNDS):
        ratio_sum = sum(least_shares(opposed).ratios)
        made = _timed(opposed, ratio_sum, 0.0, webster_cycle_s(case.lost_s, ratio_sum))
        opposed = replace(case, headways_s=_opposed_headways_s(case, made))
    return opposed


def _opposed_headways_s(case: Case, made: Timing) -> FloatArray:
    """Headways with each permitted link's opposing traffic, which passes in its own green, shape (stages, links)."""
    headways_s = case.headways_s.copy()
    for number, stage in enumerate(case.plan.stages):
        shown = made.greens_s[number] / made.cycle_s
        for link, letter in enumerate(stage.state):
            if GREEN_RANK.get(letter, 0) == 1:
                first = case.plan.responses[link] & (np.array([GREEN_RANK.get(a, 0) for a in stage.state]) > 0)
                headways_s[number, link] = permitted_headway_s(float(made.shares.served[number, first].sum()) / shown)
    return headways_s


def permitted_headway_s(opposing: float) -> float:
    """Mean time that a permitted vehicle from a queue needs (s): 3 s where nothing opposes it, at most 60 s.

    1 / s with s = v exp(-4.5 v) / (1 - exp(-3 v)): Highway Capacity Manual, 6th ed., chapter 19.

    Parameters
    ----------
    opposing
        v, vehicles with right of way a second.
    """
    if opposing <= 0:
        return PERMITTED_HEADWAY_S
    opposing = min(opposing, 1.0)  # beyond it the longest holds anyway
    within = -math.expm1(-opposing * PERMITTED_HEADWAY_S) / opposing
    return min(within * math.exp(opposing * CRITICAL_HEADWAY_S), LONGEST_HEADWAY_S)


def least_shares(case: Case) -> Shares:
    """The least shares of time in which all movements get through: Webster's y, minimum greens aside."""
    return _solved(case, 1.0, (0.0,) * len(case.least_s), lost_s=0.0)


def shares_in(case: Case, cycle_s: float) -> Shares:
    """The shares that fill the greens of a cycle least, minimum greens kept."""
    return _solved(case, cycle_s, case.least_s, case.lost_s)


def _solved(case: Case, cycle_s: float, least_s: Sequence[float], lost_s: float) -> Shares:
    """The linear programme: the least degree of saturation X over greens, and over lanes and stages for each vehicle.

    With y = X g / C for each stage: vehicles times headway on a lane in a stage take at most y, every movement is
    served, the sum of y is X (1 - L / C), and y is at least X times the share of the minimum green. Where no minimum
    green binds, that is Webster's: X = Y / (1 - L / C) and g in proportion to y.
    """
    from scipy.optimize import linprog

    stages, links = case.headways_s.shape
    uses, served = case.uses, np.zeros((stages, links))
    if not uses:
        return Shares((0.0,) * stages, 0.0, served)
    groups = {group: row for row, group in enumerate(sorted({(use.lane, use.stage) for use in uses}))}
    limits = np.zeros((len(groups) + stages, stages + 1 + len(uses)))
    equal = np.zeros((len(case.flows) + 1, limits.shape[1]))
    for (_, stage), row in groups.items():
        limits[row, stage] = -1.0
    for stage, green_s in enumerate(least_s):
        limits[len(groups) + stage, [stage, stages]] = -1.0, green_s / cycle_s
    equal[-1, : stages + 1] = [*[1.0] * stages, lost_s / cycle_s - 1.0]
    for column, use in enumerate(uses, start=stages + 1):
        limits[groups[use.lane, use.stage], column] = case.headways_s[use.stage, use.link]
        equal[use.movement, column] = 1.0
    wanted = [*(flow.vehicles_per_hour / HOUR_S for flow in case.flows), 0.0]
    cost = np.zeros(limits.shape[1])
    cost[stages] = 1.0
    found = linprog(cost, A_ub=limits, b_ub=np.zeros(len(limits)), A_eq=equal, b_eq=wanted, method="highs").x
    for use, vehicles in zip(uses, found[stages + 1 :], strict=True):
        served[use.stage, use.link] += vehicles
    return Shares(tuple(max(float(share), 0.0) for share in found[:stages]), float(found[stages]), served)


def _uses(
    lanes: Sequence[tuple[int, ...]], flows: Sequence[MovementFlow], green: npt.NDArray[np.bool_]
) -> tuple[Use, ...]:
    """The ways to serve each movement, those left out in which vehicles block each other on a lane.

    Where one movement of a lane has a stage without the other, the other stays off that lane if it has one more (a
    turning lane in effect); if it has not, that stage does not count for the lane, as long as there are others.

    Parameters
    ----------
    lanes
        For each link those on which its vehicles queue.
    green
        Shape (stages, links).
    """
    uses = [
        Use(number, lane, link, stage)
        for number, flow in enumerate(flows)
        for link in flow.links
        for lane in lanes[link]
        for stage in np.flatnonzero(green[:, link]).tolist()
    ]
    for use in list(uses):
        for blocker in _blockers(use, uses):
            elsewhere = any(other.movement == blocker and other.lane != use.lane for other in uses)
            if elsewhere:
                uses = [other for other in uses if (other.movement, other.lane) != (blocker, use.lane)]
            elif any(other.movement == use.movement and not _blockers(other, uses) for other in uses):
                uses = [other for other in uses if other != use]
    return tuple(uses)


def _blockers(use: Use, uses: Sequence[Use]) -> set[int]:
    """Movements that stand on the lane of a use and are red in its stage."""
    on_lane = {other.movement for other in uses if other.lane == use.lane}
    moving = {other.movement for other in uses if (other.lane, other.stage) == (use.lane, use.stage)}
    return on_lane - moving if use in uses else set()


def webster_timings(plans: Sequence[SignalPlan], flows: SignalFlows) -> tuple[Timing, ...]:
    """Plans of all signals with a choice, in the order given, coordinated where platoons reach from one to another.

    Offsets come from :mod:`signals.offsets`.
    """
    from signals.offsets import coordinated

    of_signal: dict[str, list[MovementFlow]] = defaultdict(list)
    for flow in flows.movements:
        of_signal[flow.signal_id].append(flow)
    return coordinated(
        [timing(plan, of_signal[plan.signal_id], flows.queue_lanes) for plan in plans if plan.is_controllable], flows
    )


def webster_programs(plans: Sequence[SignalPlan], flows: SignalFlows) -> dict[str, Program]:
    """The programs of :func:`webster_timings` by signal."""
    return {made.signal_id: made.program for made in webster_timings(plans, flows)}
