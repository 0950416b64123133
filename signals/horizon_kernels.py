"""Kernels of rolling-horizon control: clusters of vehicles, and the order in which stages serve them best."""

import numpy as np
import numpy.typing as npt
from numba import njit

WEIGHT, BEGIN, END, LEAST = 0, 1, 2, 3
"""Columns of a table of clusters: what its vehicles count for, when the first and the last are at the stop line with
nothing in their way but each other (s from now; the end is a headway later), and how long a queue of them takes (s)."""

MAX_STATES = 512
"""Clusters are joined until the schedule has no more states than that."""

MAX_FLOWS = 9
"""With one cluster each there are no more states than that."""

WHOLE_S = 1e6
"""With such a gap every flow is one cluster."""


@njit(cache=True, nogil=True)
def clusters(
    link: npt.NDArray[np.int64],
    arrival_s: npt.NDArray[np.float64],
    lane: npt.NDArray[np.int64],
    flow: npt.NDArray[np.int64],
    headway_s: npt.NDArray[np.float64],
    worth: npt.NDArray[np.float64],
    gap_s: float,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Join vehicles of a flow that come closer together than a gap; vehicles of a lane come a headway apart at least.

    The gap is doubled until there are no more than :data:`MAX_STATES` ways to have served some of each flow.

    Parameters
    ----------
    link, arrival_s
        Link that each vehicle wants, and when it would reach the stop line (s), shape (vehicles,), the nearest first.
    lane, flow
        Lane and flow of each link, shape (links,); a flow below zero is left out. No more than :data:`MAX_FLOWS`
        flows should have vehicles: a schedule of more is slow.
    headway_s
        Between two vehicles of each link (s), shape (links,).
    worth
        For what each vehicle counts, shape (vehicles,).
    gap_s
        Vehicles farther apart belong to different clusters (s), above zero.

    Returns
    -------
    Where the clusters of each flow begin, shape (flows + 1,), and the table of clusters, shape (clusters, 4).
    """
    ready_s = _one_by_one(link, arrival_s, lane, headway_s)
    order = np.argsort(ready_s, kind="mergesort")
    flows = 0
    for number in flow:
        flows = max(flows, number + 1)
    start = np.zeros(flows + 1, dtype=np.int64)
    while True:
        table = np.zeros((len(link), 4))
        total, states = 0, 1
        for number in range(flows):
            start[number] = total
            own = order[flow[link[order]] == number]
            total = _joined(link[own], ready_s[own], lane, headway_s, worth[own], gap_s, table, total)
            states *= total - start[number] + 1
        if states <= MAX_STATES or gap_s > WHOLE_S:
            start[flows] = total
            return start, table[:total]
        gap_s *= 2.0


@njit(cache=True, nogil=True)
def _one_by_one(
    link: npt.NDArray[np.int64],
    arrival_s: npt.NDArray[np.float64],
    lane: npt.NDArray[np.int64],
    headway_s: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]:
    """When each would pass a stop line that is always green (s)."""
    free_s = np.zeros(len(lane))
    ready_s = np.empty(len(link))
    for vehicle in range(len(link)):
        own = lane[link[vehicle]]
        ready_s[vehicle] = max(arrival_s[vehicle], free_s[own])
        free_s[own] = ready_s[vehicle] + headway_s[link[vehicle]]
    return ready_s


@njit(cache=True, nogil=True)
def _joined(
    link: npt.NDArray[np.int64],
    ready_s: npt.NDArray[np.float64],
    lane: npt.NDArray[np.int64],
    headway_s: npt.NDArray[np.float64],
    worth: npt.NDArray[np.float64],
    gap_s: float,
    table: npt.NDArray[np.float64],
    total: int,
) -> int:
    """Append the clusters of a flow's vehicles, given in the order of their times, to the table; how many there are."""
    queue_s = np.zeros(len(lane))
    last_s = -np.inf
    for vehicle in range(len(link)):
        row = link[vehicle]
        if ready_s[vehicle] - last_s > gap_s:
            queue_s[:] = 0.0
            table[total, BEGIN] = ready_s[vehicle]
            total += 1
        last_s = ready_s[vehicle]
        queue_s[lane[row]] += headway_s[row]
        table[total - 1, WEIGHT] += worth[vehicle]
        table[total - 1, END] = max(table[total - 1, END], last_s + headway_s[row])
        table[total - 1, LEAST] = max(table[total - 1, LEAST], queue_s[lane[row]])
    return total


@njit(cache=True, nogil=True)
def schedule(
    start: npt.NDArray[np.int64],
    table: npt.NDArray[np.float64],
    pace: npt.NDArray[np.float64],
    change_s: npt.NDArray[np.float64],
    least_s: npt.NDArray[np.float64],
    now: int,
) -> tuple[int, float, float]:
    """Find the order of stages that serves all clusters with the least delay.

    A dynamic programme over how many clusters of each flow are served and which stage served last. A step chooses a
    stage and a cluster that is next in its flow; other flows of that stage are served meanwhile as far as they are
    through by then. A cluster that waits for w starts that much later; its vehicles close up meanwhile, so that on the
    average they wait w less half of what it has become shorter.

    Parameters
    ----------
    start, table
        Clusters, from :func:`clusters`.
    pace
        How many times the headway two vehicles of a flow are apart in a stage, shape (stages, flows); 0 at red.
    change_s
        Time lost by a change of stage, shape (stages, stages).
    least_s
        Minimum green of each stage (s), shape (stages,).
    now
        The stage shown.

    Returns
    -------
    The first stage of the best order, the spare time before its first cluster can use it (s), and the delay of all
    (s). The present stage, 0 and 0 where there is nothing to serve.
    """
    stages, flows = pace.shape
    stride = np.ones(flows + 1, dtype=np.int64)
    for flow in range(flows):
        stride[flow + 1] = stride[flow] * (start[flow + 1] - start[flow] + 1)
    last = stride[flows] - 1
    cost_s = np.full((last + 1, stages), np.inf)
    time_s = np.zeros((last + 1, stages))
    first = np.full((last + 1, stages), now)
    spare_s = np.zeros((last + 1, stages))
    cost_s[0, now] = 0.0
    for state in range(last):
        for before in range(stages):
            if cost_s[state, before] == np.inf:
                continue
            for stage in range(stages):
                begin_s = time_s[state, before] + change_s[before, stage]
                floor_s = begin_s + least_s[stage] if stage != before else begin_s
                for flow in range(flows):
                    cluster = start[flow] + state // stride[flow] % (start[flow + 1] - start[flow] + 1)
                    if pace[stage, flow] == 0.0 or cluster == start[flow + 1]:
                        continue
                    end_s = max(_end_s(table[cluster], begin_s, pace[stage, flow]), floor_s)
                    then, added_s = _served(state, start, table, pace[stage], stride, begin_s, end_s)
                    total_s = cost_s[state, before] + added_s
                    if total_s < cost_s[then, stage]:
                        cost_s[then, stage], time_s[then, stage] = total_s, end_s
                        is_first = state == 0
                        first[then, stage] = stage if is_first else first[state, before]
                        spare = max(table[cluster, BEGIN] - begin_s, 0.0)
                        spare_s[then, stage] = spare if is_first else spare_s[state, before]
    best = int(np.argmin(cost_s[last]))
    return first[last, best], spare_s[last, best], cost_s[last, best]


@njit(cache=True, nogil=True)
def _end_s(cluster: npt.NDArray[np.float64], begin_s: float, pace: float) -> float:
    """When a cluster is through whose stage discharges from a time on (s)."""
    wait_s = max(begin_s - cluster[BEGIN], 0.0)
    lasts_s = cluster[END] - cluster[BEGIN]
    return float(cluster[BEGIN] + wait_s + max(cluster[LEAST] * pace, lasts_s - wait_s))


@njit(cache=True, nogil=True)
def _served(
    state: int,
    start: npt.NDArray[np.int64],
    table: npt.NDArray[np.float64],
    pace: npt.NDArray[np.float64],
    stride: npt.NDArray[np.int64],
    begin_s: float,
    end_s: float,
) -> tuple[int, float]:
    """State after a stage from its first departure to its end, and the delay of those that it served (s)."""
    then, delay_s = state, 0.0
    for flow in range(len(pace)):
        if pace[flow] == 0.0:
            continue
        cluster = start[flow] + state // stride[flow] % (start[flow + 1] - start[flow] + 1)
        free_s = begin_s
        while cluster < start[flow + 1]:
            through_s = _end_s(table[cluster], free_s, pace[flow])
            if through_s > end_s:
                break
            wait_s = max(free_s - table[cluster, BEGIN], 0.0)
            shorter_s = wait_s - (through_s - table[cluster, END])
            delay_s += table[cluster, WEIGHT] * (wait_s - shorter_s / 2)
            free_s = through_s
            then += stride[flow]
            cluster += 1
    return then, delay_s
