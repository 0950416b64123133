"""Slow, plain twins of the kernels of controllers: one rule a line, nothing shared with the code under test."""

import math


def arrivals(row, distance_m, speed_mps, first, range_m, free_mps):
    """Twin of ``signals.kernels.arrivals``: (link, time) of each vehicle, the nearest first, by bisection in time."""
    mine = [k for k in range(len(row)) if 0 <= row[k] - first < len(free_mps) and distance_m[k] <= range_m]
    mine.sort(key=lambda k: distance_m[k])
    return [(row[k] - first, _reaches_s(distance_m[k], speed_mps[k], free_mps[int(row[k] - first)])) for k in mine]


def _reaches_s(distance_m, speed_mps, free_mps):
    begins_mps = max(0.0, speed_mps) if speed_mps == speed_mps else 0.0  # noqa: PLR0124 - not a number
    early_s, late_s = 0.0, 1e3
    while late_s - early_s > 1e-7:
        middle_s = (early_s + late_s) / 2
        if _driven_m(middle_s, begins_mps, max(begins_mps, free_mps, 1.0)) < distance_m:
            early_s = middle_s
        else:
            late_s = middle_s
    return early_s


def _driven_m(time_s, begins_mps, top_mps):
    speeds_up_s = min(time_s, (top_mps - begins_mps) / 2.6)
    return begins_mps * speeds_up_s + 1.3 * speeds_up_s**2 + top_mps * (time_s - speeds_up_s)


def service_rates(link, arrival_s, lane, headway_s, start_s, yields, ends_s, worth):
    """Twin of ``signals.kernels.service_rate``: every departure is tried as the end of the stage."""
    best = []
    for stage in range(len(headway_s)):
        leaves_s = departures_s(link, arrival_s, lane, headway_s[stage], start_s[stage])
        through_s = [_platoon_over_s(link, leaves_s, row, start_s[stage][row]) for row in range(len(lane))]
        waits = [
            [through_s[b] for b in range(len(lane)) if yields[a][b] and headway_s[stage][b] < headway_s[stage][a]]
            for a in range(len(lane))
        ]
        begins_s = [max([start_s[stage][row], *waits[row]]) for row in range(len(lane))]
        leaves_s = departures_s(link, arrival_s, lane, headway_s[stage], begins_s)
        least_s, penalty_s = ends_s[0][stage], ends_s[1][stage]
        tried = {max(time_s, least_s) for time_s in leaves_s if time_s <= 40}
        rates = {
            end_s: sum(worth[link[k]] for k in range(len(link)) if leaves_s[k] <= min(end_s, 40)) / (end_s + penalty_s)
            for end_s in tried
        }
        top = max([*rates.values(), 0.0])
        ends = [end_s for end_s in rates if math.isclose(rates[end_s], top, rel_tol=1e-12)]
        best.append([top, min(ends, default=least_s)])
    return best


def departures_s(link, arrival_s, lane, headway_s, begins_s):
    """When each vehicle leaves its lane; infinity for those behind one at red, and for that one."""
    leaves_s = []
    for k in range(len(link)):
        before = [j for j in range(k) if lane[link[j]] == lane[link[k]]]
        free_s = leaves_s[before[-1]] + headway_s[link[before[-1]]] if before else 0.0
        is_red = headway_s[link[k]] == math.inf
        leaves_s.append(math.inf if is_red else max(arrival_s[k], begins_s[link[k]], free_s))
    return leaves_s


def _platoon_over_s(link, leaves_s, row, begins_s):
    """When the last vehicle of the first platoon of a link has left: the next one comes 4 s later or more."""
    over_s = begins_s
    for k in range(len(link)):
        if link[k] == row and leaves_s[k] <= over_s + 4:
            over_s = max(over_s, leaves_s[k])
    return over_s
