"""What a learning agent is shown of a signal: an observation as a flat array, and the stages that it may choose.

The same functions serve environments and, once an agent is trained, its controller: what was learned from is what is
decided by.
"""

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from signals.interlock import DEFAULT_MAX_RED_S, SignalState, may_switch, overdue_link
from signals.observation import BoolArray, FloatArray, Observation
from signals.plan import SignalPlan

LINK_FEATURES = ("vehicles", "halted", "closeness", "nearness", "ahead", "blocked", "bus_lateness")
"""What is told of each link, see :func:`encoded`."""

SPACE_M = 7.5
"""Length and gap of a standing car: a lane holds its length over this."""
GREEN_S = 120.0
LATENESS_S = 600.0


def encoded_size(plan: SignalPlan) -> int:
    """Length of the array that an observation of a signal becomes."""
    return len(plan.links) * len(LINK_FEATURES) + len(plan.stages) + 1


def encoded_names(plan: SignalPlan) -> tuple[str, ...]:
    """What each number of the array is: ``vehicles[0]`` for link 0, ``stage[1]``, ``green``."""
    links = [f"{feature}[{link}]" for feature in LINK_FEATURES for link in range(len(plan.links))]
    return (*links, *(f"stage[{stage}]" for stage in range(len(plan.stages))), "green")


def encoded(plan: SignalPlan, seen: Observation) -> npt.NDArray[np.float32]:
    """An observation as numbers from 0 to 1, shape (:func:`encoded_size`,), never NaN.

    Each of these in turn, for all links one after another: ``vehicles``, ``halted`` and ``closeness`` in shares of what
    the link's lanes hold within the range (7.5 m a vehicle); ``nearness``, 1 where the first vehicle is at the stop
    line, 0 where it is at the end of the range or nobody comes; ``ahead``, in shares of what a lane as long as the
    range holds; ``blocked``, 0 or 1; ``bus_lateness`` of the latest one, 1 from ten minutes, 0 where it is early or
    there is none. Then 1 for the stage shown and 0 for each other, and for how long it has been green, 1 from two
    minutes. What is greater is cut to 1.
    """
    range_m = seen.approaching.range_m
    lane_veh = range_m / SPACE_M
    room_veh = lane_veh * _lanes(plan)
    late_s = np.where(seen.bus_lateness_s > 0, seen.bus_lateness_s, 0.0)
    stages = np.zeros(len(plan.stages))
    stages[seen.stage] = 1.0
    parts = (
        seen.vehicles / room_veh,
        seen.halted / room_veh,
        seen.closeness / room_veh,
        1.0 - np.minimum(seen.nearest_m, range_m) / range_m,
        seen.ahead / lane_veh,
        seen.blocked,
        late_s / LATENESS_S,
        stages,
        [seen.green_s / GREEN_S],
    )
    return np.clip(np.concatenate(parts), 0.0, 1.0).astype(np.float32)


@lru_cache(maxsize=4096)
def _lanes(plan: SignalPlan) -> FloatArray:
    """Lanes that lead to each link, at least one, shape (links,)."""
    return np.array([max(len(link.from_lanes), 1) for link in plan.links], dtype=np.float64)


def granted_stages(
    plan: SignalPlan,
    state: SignalState,
    now_s: float,
    demand: BoolArray,
    max_red_s: float = DEFAULT_MAX_RED_S,
) -> BoolArray:
    """Stages that the interlock would grant if they were wished now, shape (stages,).

    While minimum green or a transition runs, the one shown or on its way alone; where a link would be red for more than
    maximum red, those that serve it.

    Parameters
    ----------
    demand
        Links at which somebody waits, shape (links,).
    """
    if not may_switch(plan, state, now_s):
        return np.array([stage == state.target for stage in range(len(plan.stages))])
    overdue = overdue_link(plan, state, now_s, demand, max_red_s)
    return np.array([overdue is None or overdue[0] in stage.greens for stage in plan.stages])
