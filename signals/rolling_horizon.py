"""Rolling-horizon control: a schedule for all who are in sight, made anew every second; its first step is shown.

X.-F. Xie, S. F. Smith, L. Lu and G. J. Barlow, *Schedule-driven intersection control*, Transportation Research Part C
24 (2012), known as SURTRAC: vehicles that come together are jobs, a stage is a machine that changes at a price, and the
order of jobs with the least delay is found by a dynamic programme over how many of each are done and which stage did
the last. Here a flow is all lanes that are green in the same stages, see :mod:`signals.horizon_kernels`. As under
:mod:`signals.self_control` a vehicle counts for more the longer a queue has stood on its link. Neighbours tell each
other nothing: who comes is seen 200 m upstream.
"""

from dataclasses import dataclass

import numpy as np

from signals.intergreen import GREEN_LETTERS, PROTECTED_LETTERS
from signals.interlock import transition
from signals.observation import FloatArray, IntArray, Observation
from signals.plan import SignalPlan
from signals.saturation import PERMITTED_HEADWAY_S, PROTECTED_HEADWAY_S

NEXT_LOOK_S = 1.0
"""A stage that nobody could use before the next decision is not begun yet."""


@dataclass(frozen=True, slots=True)
class RollingHorizonParameters:
    """What may be set.

    ``gap_s`` parts clusters: vehicles that pass the stop line closer together are served as one. ``start_up_s`` is what
    a queue loses when its green begins. A vehicle counts twice when its link has had a queue for ``ageing_s``.
    """

    gap_s: float = 3.0
    start_up_s: float = 1.0
    ageing_s: float = 60.0


class RollingHorizon:
    """One signal under rolling-horizon control."""

    def __init__(self, plan: SignalPlan, parameters: RollingHorizonParameters) -> None:
        """Work out once what depends on no traffic."""
        stages = plan.stages
        self._parameters = parameters
        lost_s = np.array([[transition(plan, a.state, b.state).total_s for b in stages] for a in stages])
        self._change_s = lost_s + parameters.start_up_s * (1 - np.eye(len(stages)))
        self._least_s = np.array([stage.min_green_s for stage in stages])
        self._lane, self._flow, self._pace = _flows(plan)
        lanes = np.array([max(len(set(link.from_lanes)), 1) for link in plan.links])
        self._headway_s = PROTECTED_HEADWAY_S / lanes
        self._free_mps = np.array([link.approach_mps for link in plan.links])
        self._queued_since_s = np.full(len(plan.links), np.inf)

    def wish(self, seen: Observation) -> int:
        """The first stage of the best schedule, once somebody can use it; the present one where nobody comes."""
        from signals.horizon_kernels import clusters, schedule
        from signals.kernels import arrivals

        self._queued_since_s = np.where(seen.halted > 0, np.minimum(self._queued_since_s, seen.time_s), np.inf)
        age = np.maximum(seen.time_s - self._queued_since_s, 0.0) / self._parameters.ageing_s
        link, come_s, weight = arrivals(seen.approaching, self._free_mps)
        worth = weight * (1 + age[link])
        flow = _heaviest(np.where(seen.blocked, -1, self._flow), link, worth)
        start, table = clusters(link, come_s, self._lane, flow, self._headway_s, worth, self._parameters.gap_s)
        pace = np.ascontiguousarray(self._pace[:, : len(start) - 1])
        stage, spare_s, _ = schedule(start, table, pace, self._change_s, self._least_s, seen.stage)
        return seen.stage if spare_s >= NEXT_LOOK_S else int(stage)


def _heaviest(flow: IntArray, link: IntArray, worth: FloatArray) -> IntArray:
    """Flow of each link, those left out in which the fewest wait where there are more than a schedule can hold."""
    from signals.horizon_kernels import MAX_FLOWS

    seen = flow[link]
    weight = np.bincount(seen[seen >= 0], weights=worth[seen >= 0])
    if np.count_nonzero(weight) <= MAX_FLOWS:
        return flow
    left_out = np.argsort(-weight, kind="stable")[MAX_FLOWS:]
    return np.where(np.isin(flow, left_out), -1, flow)


def _flows(plan: SignalPlan) -> tuple[IntArray, IntArray, FloatArray]:
    """Lane and flow of each link, shape (links,), and the pace of flows in stages, shape (stages, flows).

    A lane that links share is green where all of them are, or, where they never are at once, where any is.
    """
    lanes: dict[tuple[int, ...], list[int]] = {}
    for bit, link in enumerate(plan.links):
        if link.has_vehicles:
            lanes.setdefault(link.from_lanes, []).append(bit)
    lane, flow = np.arange(len(plan.links)), np.full(len(plan.links), -1)
    paces: dict[tuple[float, ...], int] = {}
    for bits in lanes.values():
        by_link = np.array([[_pace(stage.state[bit]) for stage in plan.stages] for bit in bits])
        together = np.where((by_link > 0).all(axis=0), by_link.max(axis=0), 0.0)
        pace = together if together.any() else by_link.max(axis=0)
        lane[bits] = bits[0]
        if pace.any():
            flow[bits] = paces.setdefault(tuple(pace.tolist()), len(paces))
    return lane, flow, np.array(list(paces)).reshape(len(paces), len(plan.stages)).T.copy()


def _pace(letter: str) -> float:
    if letter in PROTECTED_LETTERS:
        return 1.0
    return PERMITTED_HEADWAY_S / PROTECTED_HEADWAY_S if letter in GREEN_LETTERS else 0.0
