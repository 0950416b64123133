"""Kernels of controllers: when vehicles reach the stop line, and how many a stage serves in what time."""

import math

import numpy as np
import numpy.typing as npt
from numba import njit

HORIZON_S = 40.0
"""Departures later than this count for nothing: nobody is seen that long before."""

GAP_S = 4.0
"""The gap in a stream that who must yield waits for: about the critical headway of a left turn against oncoming traffic
(Highway Capacity Manual, 6th edition, chapter 19: 4.5 s)."""

ACCELERATION_MPS2 = 2.6
"""Of a passenger car (SUMO's default)."""

LEAST_FREE_MPS = 1.0
"""Nobody drives slower for ever."""


@njit(cache=True, nogil=True)
def arrivals(
    row: npt.NDArray[np.int64],
    distance_m: npt.NDArray[np.float64],
    speed_mps: npt.NDArray[np.float64],
    first: int,
    range_m: float,
    free_mps: npt.NDArray[np.float64],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Predict when the vehicles of a signal would reach the stop line if nothing held them up.

    They accelerate steadily to the speed at which the street may be driven, and keep to it.

    Parameters
    ----------
    row
        Row of the link that each vehicle wants, shape (vehicles,), those of other signals too.
    distance_m, speed_mps
        Way to the stop line and speed, shape (vehicles,).
    first
        Row of the first link of this signal.
    range_m
        Farther vehicles do not count.
    free_mps
        Speed that may be driven before each link of this signal, shape (links,); who drives faster keeps the own one.

    Returns
    -------
    Link of this signal and time from now (s), shape (own vehicles,), the nearest to its stop line first.
    """
    mine = np.empty(len(row), dtype=np.int64)
    count = 0
    for vehicle in range(len(row)):
        if first <= row[vehicle] < first + len(free_mps) and distance_m[vehicle] <= range_m:
            mine[count] = vehicle
            count += 1
    mine = mine[:count][np.argsort(distance_m[mine[:count]], kind="mergesort")]
    times_s = np.empty(count)
    for number in range(count):
        vehicle = mine[number]
        times_s[number] = _time_s(distance_m[vehicle], speed_mps[vehicle], free_mps[row[vehicle] - first])
    return row[mine] - first, times_s


@njit(cache=True, nogil=True)
def _time_s(distance_m: float, speed_mps: float, free_mps: float) -> float:
    way_m = max(distance_m, 0.0)
    now_mps = speed_mps if speed_mps > 0 else 0.0
    top_mps = max(free_mps, now_mps, LEAST_FREE_MPS)
    speeding_m = (top_mps**2 - now_mps**2) / (2 * ACCELERATION_MPS2)
    if way_m <= speeding_m:
        return (math.sqrt(now_mps**2 + 2 * ACCELERATION_MPS2 * way_m) - now_mps) / ACCELERATION_MPS2
    return (top_mps - now_mps) / ACCELERATION_MPS2 + (way_m - speeding_m) / top_mps


@njit(cache=True, nogil=True)
def service_rates(
    link: npt.NDArray[np.int64],
    arrival_s: npt.NDArray[np.float64],
    lane: npt.NDArray[np.int64],
    headway_s: npt.NDArray[np.float64],
    start_s: npt.NDArray[np.float64],
    yields: npt.NDArray[np.bool_],
    ends_s: npt.NDArray[np.float64],
    worth: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]:
    """For each stage the greatest rate at which it serves vehicles, over the durations that it might have.

    A stage that ends some time from now has served those who departed by then; its rate is what they are worth over
    that time and the penalty. Vehicles of a lane depart in their order: no sooner than they arrive, than their link
    starts, than a headway after the one before. One whose link is red holds up those behind it. A link that yields
    starts with the first gap in what it yields to.

    Parameters
    ----------
    link, arrival_s
        Link that each vehicle wants, and when it would reach the stop line (s), shape (vehicles,), the nearest first.
    lane
        Lane of each link, shape (links,); numbers below the count of links.
    headway_s
        Between two vehicles of a link in a stage (s), shape (stages, links); infinity at red.
    start_s
        When a link starts to discharge in a stage (s from now), shape (stages, links).
    yields
        Entry ``[a, b]``: link ``a`` must let ``b`` go first, shape (links, links). It does where its headway is longer.
    ends_s
        When each stage could end at the earliest (s from now), and its penalty (s), shape (2, stages).
    worth
        For what a vehicle of each link counts, shape (links,).

    Returns
    -------
    Shape (stages, 2): rate (1/s), and the end of the stage that gives it (s from now), of several the earliest.
    """
    stages = headway_s.shape[0]
    result = np.zeros((stages, 2))
    ready_s = np.empty(len(lane))
    for stage in range(stages):
        ready_s[:] = start_s[stage]
        departs_s = _departures(link, arrival_s, lane, headway_s[stage], ready_s)
        if _wait_for_gaps(link, departs_s, yields, headway_s[stage], ready_s):
            departs_s = _departures(link, arrival_s, lane, headway_s[stage], ready_s)
        result[stage, 1] = ends_s[0, stage]
        total = 0.0
        for vehicle in np.argsort(departs_s, kind="mergesort"):
            if departs_s[vehicle] > HORIZON_S:
                break
            total += worth[link[vehicle]]
            end_s = max(departs_s[vehicle], ends_s[0, stage])
            rate = total / (end_s + ends_s[1, stage])
            if rate > result[stage, 0]:
                result[stage, 0], result[stage, 1] = rate, end_s
    return result


@njit(cache=True, nogil=True)
def _departures(
    link: npt.NDArray[np.int64],
    arrival_s: npt.NDArray[np.float64],
    lane: npt.NDArray[np.int64],
    headway_s: npt.NDArray[np.float64],
    ready_s: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]:
    """When vehicles pass the stop line (s from now), infinity for those that do not, shape (vehicles,)."""
    departs_s = np.full(len(link), np.inf)
    free_s = np.full(len(lane), -np.inf)
    for vehicle in range(len(link)):
        row = link[vehicle]
        own = lane[row]
        if headway_s[row] < np.inf:
            departs_s[vehicle] = max(arrival_s[vehicle], ready_s[row], free_s[own])
            free_s[own] = departs_s[vehicle] + headway_s[row]
        else:
            free_s[own] = np.inf
    return departs_s


@njit(cache=True, nogil=True)
def _wait_for_gaps(
    link: npt.NDArray[np.int64],
    departs_s: npt.NDArray[np.float64],
    yields: npt.NDArray[np.bool_],
    headway_s: npt.NDArray[np.float64],
    ready_s: npt.NDArray[np.float64],
) -> bool:
    """Put off the start of links that yield until the first gap in what they yield to; whether any has to wait."""
    through_s = ready_s.copy()
    for vehicle in range(len(link)):
        row = link[vehicle]
        if departs_s[vehicle] <= through_s[row] + GAP_S:
            through_s[row] = max(through_s[row], departs_s[vehicle])
    waits = False
    for row in range(len(ready_s)):
        if headway_s[row] < np.inf:
            for other in range(len(ready_s)):
                if yields[row, other] and headway_s[other] < headway_s[row] and through_s[other] > ready_s[row]:
                    ready_s[row] = through_s[other]
                    waits = True
    return waits
