"""Kernels of controllers: when vehicles reach the stop line, and how many a stage serves in what time."""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from signals.approaching import Approaching

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
    who: Approaching, free_mps: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Predict when the vehicles of a signal would reach the stop line if nothing held them up.

    They accelerate steadily to the speed at which the street may be driven, and keep to it.

    Parameters
    ----------
    who
        Vehicles, those of other signals too.
    free_mps
        Speed that may be driven before each link of this signal, shape (links,); who drives faster keeps the own one.

    Returns
    -------
    Link of this signal, time from now (s) and weight, shape (own vehicles,), the nearest to its stop line first.
    """
    mine = np.empty(len(who.row), dtype=np.int64)
    count = 0
    for vehicle in range(len(who.row)):
        if who.first <= who.row[vehicle] < who.first + len(free_mps) and who.distance_m[vehicle] <= who.range_m:
            mine[count] = vehicle
            count += 1
    mine = mine[:count]
    mine = mine[_by_size(who.distance_m[mine])]
    link = who.row[mine] - who.first
    times_s = np.empty(count)
    for number in range(count):
        vehicle = mine[number]
        times_s[number] = _time_s(who.distance_m[vehicle], who.speed_mps[vehicle], free_mps[link[number]])
    return link, times_s, who.weight[mine]


@njit(cache=True, nogil=True)
def _time_s(distance_m: float, speed_mps: float, free_mps: float) -> float:
    way_m = max(distance_m, 0.0)
    now_mps = speed_mps if speed_mps > 0 else 0.0
    top_mps = max(free_mps, now_mps, LEAST_FREE_MPS)
    speeding_m = (top_mps**2 - now_mps**2) / (2 * ACCELERATION_MPS2)
    if way_m <= speeding_m:
        return (math.sqrt(now_mps**2 + 2 * ACCELERATION_MPS2 * way_m) - now_mps) / ACCELERATION_MPS2
    return (top_mps - now_mps) / ACCELERATION_MPS2 + (way_m - speeding_m) / top_mps


class StageLaw(NamedTuple):
    """What the stages of a signal do for its links.

    Attributes
    ----------
    lane
        Lane of each link, shape (links,); numbers below the count of links.
    free_mps
        Speed that may be driven before each link, shape (links,).
    headway_s
        Between two vehicles of a link in a stage (s), shape (stages, links); infinity at red.
    start_s
        When a link starts to discharge in a stage if one is shown now (s from now), shape (stages now, stages, links).
    least_s
        When a stage could end at the earliest if one is shown now (s from now), shape (stages now, stages).
    yielding_start, yielding
        In each stage, pairs of a link that must let another go first and that other: where those of a stage begin,
        shape (stages + 1,), and the pairs, shape (pairs, 2).
    """

    lane: npt.NDArray[np.int64]
    free_mps: npt.NDArray[np.float64]
    headway_s: npt.NDArray[np.float64]
    start_s: npt.NDArray[np.float64]
    least_s: npt.NDArray[np.float64]
    yielding_start: npt.NDArray[np.int64]
    yielding: npt.NDArray[np.int64]


class Waiting(NamedTuple):
    """Since when links have had a queue, and since when one that is red (s), infinity without, shape (links,) each."""

    queued_since_s: npt.NDArray[np.float64]
    waits_since_s: npt.NDArray[np.float64]


@njit(cache=True, nogil=True)
def best_stage(
    now_s: float,
    stage: int,
    who: Approaching,
    halted: npt.NDArray[np.float64],
    blocked: npt.NDArray[np.bool_],
    law: StageLaw,
    waiting: Waiting,
    limits: tuple[float, float, float],
) -> int:
    """Choose the stage that serves most, the present one on a tie; a link that has waited too long comes first.

    Parameters
    ----------
    now_s, stage
        The time, and the stage shown.
    who
        Vehicles one by one.
    halted, blocked
        Standing vehicles of each link, and whether there is no room behind it, shape (links,).
    law
        What the stages do.
    waiting
        Brought up to date.
    limits
        A vehicle counts once more for each time that its link has had a queue for the first (s); what a change of stage
        costs besides the time that it loses (s); a link red with a queue for the third (s) is served next.
    """
    ageing_s, penalty_s, longest_wait_s = limits
    links = len(halted)
    longest, first_s = -1, np.inf
    worth = np.ones(links)
    for link in range(links):
        is_red = math.isinf(law.headway_s[stage, link])
        _keep_since(waiting.queued_since_s, link, halted[link] > 0, now_s)
        _keep_since(waiting.waits_since_s, link, halted[link] > 0 and is_red and not blocked[link], now_s)
        if halted[link] > 0:
            worth[link] += (now_s - waiting.queued_since_s[link]) / ageing_s
        if waiting.waits_since_s[link] < first_s:
            longest, first_s = link, waiting.waits_since_s[link]
    must = longest if now_s - first_s >= longest_wait_s else -1
    link_of, arrival_s, value = arrivals(who, law.free_mps)
    value = value * worth[link_of]
    best, best_rate = stage, 0.0
    for number in range(len(law.headway_s)):
        # the present stage goes first, so that it stays on a tie
        tried = stage if number == 0 else (number - 1 if number <= stage else number)
        if must >= 0 and math.isinf(law.headway_s[tried, must]):
            continue
        at_best = 0.0
        for vehicle in range(len(link_of)):
            if not math.isinf(law.headway_s[tried, link_of[vehicle]]):
                at_best += value[vehicle]
        if at_best <= best_rate * law.least_s[stage, tried]:
            continue  # not even if all had left when it could end
        rate, _ = service_rate(
            link_of,
            arrival_s,
            law,
            np.where(blocked, np.inf, law.headway_s[tried]),
            law.start_s[stage, tried],
            law.yielding[law.yielding_start[tried] : law.yielding_start[tried + 1]],
            (law.least_s[stage, tried], 0.0 if tried == stage else penalty_s),
            value,
        )
        if rate > best_rate:
            best, best_rate = tried, rate
    return best


class Laws(NamedTuple):
    """The :class:`StageLaw` of many signals, each of its arrays flat and one signal after another.

    ``links``, ``stages`` and ``pairs`` tell where those of a signal begin, shape (signals + 1,) each; ``by_link``,
    ``by_pair`` and ``by_both`` where its tables of (stages, links), (stages, stages) and (stages, stages, links) do.
    """

    links: npt.NDArray[np.int64]
    stages: npt.NDArray[np.int64]
    pairs: npt.NDArray[np.int64]
    by_link: npt.NDArray[np.int64]
    by_pair: npt.NDArray[np.int64]
    by_both: npt.NDArray[np.int64]
    law: StageLaw


@njit(cache=True, nogil=True)
def law_of(laws: Laws, signal: int) -> StageLaw:
    """What the stages of one of many signals do."""
    flat = laws.law
    begin, end = laws.links[signal], laws.links[signal + 1]
    links, first = end - begin, laws.stages[signal]
    stages = laws.stages[signal + 1] - first
    return StageLaw(
        flat.lane[begin:end],
        flat.free_mps[begin:end],
        flat.headway_s[laws.by_link[signal] : laws.by_link[signal + 1]].reshape(stages, links),
        flat.start_s[laws.by_both[signal] : laws.by_both[signal + 1]].reshape(stages, stages, links),
        flat.least_s[laws.by_pair[signal] : laws.by_pair[signal + 1]].reshape(stages, stages),
        # of each signal there is one more than it has stages
        flat.yielding_start[first + signal : first + signal + stages + 1],
        flat.yielding[laws.pairs[signal] : laws.pairs[signal + 1]],
    )


@njit(cache=True, nogil=True)
def best_stages(
    asked: npt.NDArray[np.int64],
    now_s: float,
    who: Approaching,
    halted: npt.NDArray[np.float64],
    blocked: npt.NDArray[np.bool_],
    laws: Laws,
    waiting: Waiting,
    limits: tuple[float, float, float],
) -> npt.NDArray[np.int64]:
    """Choose stages as :func:`best_stage` does, for many signals.

    Parameters
    ----------
    asked
        Number of each signal, the stage that it shows, its first link in the look, shape (asked, 3).
    now_s, who, limits
        As there, for all signals.
    halted, blocked
        As there, for the links of the look.
    laws, waiting
        As there, for the links of these signals.

    Returns
    -------
    The stage of each that was asked, shape (asked,).
    """
    chosen = np.empty(len(asked), dtype=np.int64)
    for place in range(len(asked)):
        signal, stage, first = asked[place]
        begin, end = laws.links[signal], laws.links[signal + 1]
        seen = slice(first, first + end - begin)
        own = Approaching(who.row, who.distance_m, who.speed_mps, who.weight, first, who.range_m)
        since = Waiting(waiting.queued_since_s[begin:end], waiting.waits_since_s[begin:end])
        law = law_of(laws, signal)
        chosen[place] = best_stage(now_s, stage, own, halted[seen], blocked[seen], law, since, limits)
    return chosen


@njit(cache=True, nogil=True)
def _keep_since(since_s: npt.NDArray[np.float64], link: int, holds: bool, now_s: float) -> None:  # noqa: FBT001 - compiled
    since_s[link] = min(since_s[link], now_s) if holds else np.inf


@njit(cache=True, nogil=True)
def service_rate(
    link: npt.NDArray[np.int64],
    arrival_s: npt.NDArray[np.float64],
    law: StageLaw,
    headway_s: npt.NDArray[np.float64],
    start_s: npt.NDArray[np.float64],
    yielding: npt.NDArray[np.int64],
    end_s: tuple[float, float],
    value: npt.NDArray[np.float64],
) -> tuple[float, float]:
    """Find the greatest rate at which a stage serves vehicles, over the durations that it might have.

    A stage that ends some time from now has served those who departed by then; its rate is what they count over
    that time and the penalty. Vehicles of a lane depart in their order: no sooner than they arrive, than their link
    starts, than a headway after the one before. One whose link is red holds up those behind it. A link that yields
    starts with the first gap in what it yields to.

    Parameters
    ----------
    link, arrival_s
        Link that each vehicle wants, and when it would reach the stop line (s), shape (vehicles,), the nearest first.
    law
        Gives the lanes.
    headway_s
        Between two vehicles of a link (s), shape (links,); infinity at red.
    start_s
        When a link starts to discharge (s from now), shape (links,).
    yielding
        Pairs of a link that must let another go first and that other, shape (pairs, 2). It does where its headway is
        longer.
    end_s
        When the stage could end at the earliest (s from now), and its penalty (s).
    value
        For what each vehicle counts, shape (vehicles,).

    Returns
    -------
    Rate (1/s), and the end of the stage that gives it (s from now), of several the earliest.
    """
    departs_s = _departures(link, arrival_s, law.lane, headway_s, start_s)
    if len(yielding):
        ready_s, waits = _wait_for_gaps(link, departs_s, yielding, headway_s, start_s)
        if waits:
            departs_s = _departures(link, arrival_s, law.lane, headway_s, ready_s)
    best_rate, best_end_s = 0.0, end_s[0]
    total = 0.0
    for vehicle in _by_size(departs_s):
        if departs_s[vehicle] > HORIZON_S:
            break
        total += value[vehicle]
        ends_s = max(departs_s[vehicle], end_s[0])
        rate = total / (ends_s + end_s[1])
        if rate > best_rate:
            best_rate, best_end_s = rate, ends_s
    return best_rate, best_end_s


@njit(cache=True, nogil=True)
def _by_size(values: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """The order of values, ties as they stand: by insertion, which is quickest for the few vehicles of a signal."""
    order = np.arange(len(values))
    for place in range(1, len(order)):
        moved = order[place]
        while place > 0 and values[order[place - 1]] > values[moved]:
            order[place] = order[place - 1]
            place -= 1  # noqa: PLW2901 - walks back from here
        order[place] = moved
    return order


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
    yielding: npt.NDArray[np.int64],
    headway_s: npt.NDArray[np.float64],
    start_s: npt.NDArray[np.float64],
) -> tuple[npt.NDArray[np.float64], bool]:
    """When links can start that must wait for the first gap in what they yield to (s); whether any has to wait."""
    through_s = start_s.copy()
    for vehicle in range(len(link)):
        row = link[vehicle]
        if departs_s[vehicle] <= through_s[row] + GAP_S:
            through_s[row] = max(through_s[row], departs_s[vehicle])
    ready_s = start_s.copy()
    waits = False
    for pair in range(len(yielding)):
        row, other = yielding[pair]
        if headway_s[row] < np.inf and headway_s[other] < headway_s[row] and through_s[other] > ready_s[row]:
            ready_s[row] = through_s[other]
            waits = True
    return ready_s, waits
