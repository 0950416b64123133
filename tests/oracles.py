"""Slow, plain twins of what the engine computes: one loop, one rule a line, nothing shared with the code under test."""

import math

import numpy as np

from signals.plan import SignalPlan

RANK = {"g": 1, "o": 1, "G": 2, "O": 2}


def demand_by_link(link, distance_m, speed_mps, range_m, links):
    """Twin of ``sim.kernels.demand_by_link``: for each link its vehicles, one after another."""
    result = np.empty((4, links))
    for row in range(links):
        mine = [k for k in range(len(link)) if link[k] == row and distance_m[k] <= range_m]
        result[0, row] = len(mine)
        result[1, row] = len([k for k in mine if speed_mps[k] < 0.1])
        result[2, row] = min([distance_m[k] for k in mine], default=math.inf)
        result[3, row] = sum([(range_m - distance_m[k]) / range_m for k in mine])
    return result


def signal_faults(times: list[float], states: list[str], plan: SignalPlan) -> list[str]:
    """What is wrong with a sequence of states that a signal showed, each from its time to the next.

    Protected foes; yellow too short or missing; a foe that starts before yellow and all-red are over; protected green
    that turns permitted in the moment in which a foe starts.
    """
    faults = []
    seen = [state for number, state in enumerate(states) if number == 0 or state != states[number - 1]]
    since = [time for number, time in enumerate(times) if number == 0 or states[number] != states[number - 1]]
    rank = np.array([[RANK.get(letter, 0) for letter in state] for state in seen])
    for now, state in zip(since, seen, strict=True):
        both = [(a, b) for a in range(len(state)) for b in range(a) if plan.foes[a, b] and state[a] == state[b] == "G"]
        faults += [f"{now}: {pair} both protected" for pair in both]
    for at in range(1, len(seen)):
        for a in range(len(plan.links)):
            if rank[at - 1, a] and not rank[at, a]:
                faults += _ending_faults(since, seen, rank, at, a, plan)
            meets = (plan.foes[a] & (rank[at] > rank[at - 1])).any() and plan.clearances[a].total_s > 0
            if rank[at - 1, a] == 2 and rank[at, a] == 1 and meets:
                faults.append(f"{since[at]}: {a} turns permitted while a foe starts")
    return faults


def _ending_faults(since, seen, rank, at, a, plan) -> list[str]:
    faults = []
    clearance = plan.clearances[a]
    yellow_s, whole_s = clearance.yellow_s, clearance.yellow_s + clearance.all_red_s
    over = next((k for k in range(at, len(seen)) if seen[k][a] != "y"), None)
    if not plan.links[a].is_pedestrian and over is not None and since[over] - since[at] < yellow_s - 1e-3:
        faults.append(f"{since[at]}: {a} has {since[over] - since[at]:.2f} s of yellow, not {yellow_s:.2f}")
    again = next((k for k in range(at, len(seen)) if rank[k, a]), len(seen) - 1)
    for b in np.flatnonzero(plan.foes[a]):
        start = next((k for k in range(at, again + 1) if rank[k, b] > rank[k - 1, b]), None)
        if start is not None and since[start] - since[at] < whole_s - 1e-3:
            faults.append(
                f"{since[at]}: {a} ended, {b} starts {since[start] - since[at]:.2f} s later, not {whole_s:.2f}"
            )
    return faults


def green_spans(times: list[float], states: list[str], bit: int) -> list[tuple[float, float]]:
    """From when to when a link was green; the last one may still be."""
    return _spans(times, [RANK.get(state[bit], 0) > 0 for state in states])


def red_spans(times: list[float], states: list[str], bit: int) -> list[tuple[float, float]]:
    """From when to when a link was not green; the last one may still be."""
    return _spans(times, [RANK.get(state[bit], 0) == 0 for state in states])


def _spans(times: list[float], is_on: list[bool]) -> list[tuple[float, float]]:
    spans, begin = [], None
    for time, on in zip(times, is_on, strict=True):
        if on and begin is None:
            begin = time
        if not on and begin is not None:
            spans.append((begin, time))
            begin = None
    return [*spans, (begin, math.inf)] if begin is not None else spans
