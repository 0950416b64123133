"""Slow, plain twins of what the engine computes: one loop, one rule a line, nothing shared with the code under test."""

import math
from itertools import product

import networkx as nx
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


def schedule_deviation(trip, distance_m, time_s, call_start, call_distance_m, call_time_s, tolerance_m):
    """Twin of ``gtfs.kernels.schedule_deviation``: one sample after another, its trip's calls merged by place first."""
    found = []
    for row, at_m, now_s in zip(trip, distance_m, time_s, strict=True):
        if not 0 <= row < len(call_start) - 1 or not math.isfinite(at_m) or not math.isfinite(now_s):
            found.append(math.nan)
            continue
        places = _places(range(call_start[row], call_start[row + 1]), call_distance_m, call_time_s)
        found.append(_deviation(places, at_m, now_s, tolerance_m) if places else math.nan)
    return found


def _places(calls, call_distance_m, call_time_s):
    """Distance, first arrival, last arrival, last departure of each place that a trip calls at."""
    places = []
    for at_m in sorted({float(call_distance_m[call]) for call in calls}):
        here = [call for call in calls if call_distance_m[call] == at_m]
        times = [float(call_time_s[call][column]) for call, column in ((here[0], 0), (here[-1], 0), (here[-1], 1))]
        places.append((at_m, *times))
    return places


def _deviation(places, at_m, now_s, tolerance_m):
    away = [abs(at_m - place[0]) for place in places]
    nearest = max(k for k in range(len(places)) if away[k] == min(away))
    if at_m <= places[0][0] or (nearest == 0 and away[0] <= tolerance_m) or len(places) == 1:
        return max(0.0, now_s - places[0][3])
    if at_m >= places[-1][0] or (nearest == len(places) - 1 and away[-1] <= tolerance_m):
        begin_s, until_s = places[-1][1], places[-1][2]
    elif away[nearest] <= tolerance_m:
        begin_s, until_s = places[nearest][1], places[nearest][3]
    else:
        behind = max(k for k in range(len(places)) if places[k][0] < at_m)
        (from_m, _, _, left_s), (to_m, reached_s, _, _) = places[behind : behind + 2]
        begin_s = until_s = left_s + (reached_s - left_s) * ((at_m - from_m) / (to_m - from_m))
    return now_s - until_s if now_s > until_s else min(0.0, now_s - begin_s)


def next_call(trip, distance_m, call_start, call_distance_m, tolerance_m):
    """Twin of ``gtfs.kernels.next_call``: the first call that is not behind, by looking at all of them."""
    found = []
    for row, at_m in zip(trip, distance_m, strict=True):
        known = 0 <= row < len(call_start) - 1
        calls = range(call_start[row], call_start[row + 1]) if known else ()
        found.append(next((call for call in calls if call_distance_m[call] >= at_m - tolerance_m), -1))
    return found


def headways(place, departure_s):
    """Twin of ``gtfs.kernels.headways`` from the first departure on: each looks back for the one before it."""
    found = []
    for k in range(len(place)):
        before = [departure_s[j] for j in range(k) if place[j] == place[k] and not math.isnan(departure_s[j])]
        found.append(departure_s[k] - before[-1] if before and place[k] >= 0 else math.nan)
    return found


def nearby_edges(points_m, segment_m, segment_edge, radius_m):
    """Twin of ``networks.kernels.segment_cells`` and ``nearby_edges``: every segment is held against every point.

    For each point the distance and place of every edge within the radius, nearest first.
    """
    found = []
    for x, y in points_m:
        near = {}
        for (x_1, y_1, x_2, y_2, begin_m), edge in zip(segment_m, segment_edge, strict=True):
            share, off_m = _nearest_place((x, y), (x_1, y_1), (x_2, y_2))
            if off_m <= radius_m and off_m < near.get(edge, (math.inf,))[0]:
                near[edge] = (off_m, begin_m + share * math.dist((x_1, y_1), (x_2, y_2)))
        found.append(sorted((off_m, place_m, int(edge)) for edge, (off_m, place_m) in near.items()))
    return found


def _nearest_place(point, begin, end):
    """Nearest place on a segment, as a share of it, and its distance; NaN from what is not finite."""
    if not np.isfinite([*point, *begin, *end]).all():
        return math.nan, math.nan
    along, away = np.subtract(end, begin), np.subtract(point, begin)
    length2 = float(along @ along)
    share = min(1.0, max(0.0, float(along @ away) / length2)) if length2 > 0 else 0.0
    return share, float(np.hypot(*(away - share * along)))


def turn_ways(graph):
    """Shortest way from each node's end to each node's begin, by networkx; infinite where there is none."""
    roads = nx.DiGraph()
    for node, length_m in enumerate(graph.length_m.tolist()):
        roads.add_edge(("begin", node), ("end", node), weight=length_m)
        for turn in range(graph.turn_start[node], graph.turn_start[node + 1]):
            roads.add_edge(("end", node), ("begin", int(graph.turn_to[turn])), weight=float(graph.turn_m[turn]))
    nodes = range(len(graph.length_m))
    found = {node: nx.single_source_dijkstra_path_length(roads, ("end", node)) for node in nodes}
    return [[found[a].get(("begin", b), math.inf) for b in nodes] for a in nodes]


def best_places(candidates, line_m, ways, graph, law):
    """Twin of ``networks.kernels.match_points`` where no points are left out: every sequence of places is tried.

    ``candidates``: for each point its (node, place, cost). The cost and the choice of the best one.
    """
    best = (math.inf, None)
    for choice in product(*(range(len(places)) for places in candidates)):
        places = [places[k] for places, k in zip(candidates, choice, strict=True)]
        cost = places[0][2]
        for k in range(1, len(places)):
            (here, from_m, _), (there, to_m, point_cost) = places[k - 1], places[k]
            straight_m = line_m[k] - line_m[k - 1]
            way_m = graph.length_m[here] - from_m + ways[here][there] + to_m
            if here == there and to_m >= from_m - law.slip_m:
                way_m = max(0.0, to_m - from_m)
            allowed = way_m <= law.stretch * straight_m + law.slack_m
            cost += abs(way_m - straight_m) / law.beta_m + point_cost if allowed else math.inf
        best = min(best, (cost, choice), key=lambda found: found[0])
    return best


def places_in_order(points_m, corner_m, way_m, radius_m, left_m):
    """Twin of ``networks.kernels.places_in_order``: every ascending choice of segments is tried; a point may have none.

    All best choices, each as the way up to every point's place and its distance (NaN without).
    """
    tried = []
    for rows in product([None, *range(len(corner_m) - 1)], repeat=len(points_m)):
        taken = [row for row in rows if row is not None]
        if taken == sorted(taken):
            pairs = zip(points_m, rows, strict=True)
            tried.append((sum(_place_cost(point, row, corner_m, radius_m, left_m) for point, row in pairs), rows))
    least = min(cost for cost, _ in tried)
    best = [rows for cost, rows in tried if cost <= least + 1e-9]
    return [[_placed(*pair, corner_m, way_m) for pair in zip(points_m, rows, strict=True)] for rows in best]


def _placed(point, row, corner_m, way_m):
    if row is None:
        return math.nan, math.nan
    share, off_m = _nearest_place(point, corner_m[row], corner_m[row + 1])
    return way_m[row] + share * (way_m[row + 1] - way_m[row]), off_m


def _place_cost(point, row, corner_m, radius_m, left_m):
    if row is None:
        return radius_m**2
    begin, end = corner_m[row], corner_m[row + 1]
    off_m = _nearest_place(point, begin, end)[1]
    if not off_m <= radius_m:
        return math.inf
    (dx, dy), (px, py) = np.subtract(end, begin), np.subtract(point, begin)
    return off_m**2 + (left_m**2 if dx * py - dy * px > 0 else 0.0)


class PassedCalls:
    """Twin of ``sim.kernels.passed_calls``: keeps for each vehicle the set of calls that it has not left yet."""

    def __init__(self, call_start):
        self.call_start = call_start
        self.legs = {}
        self.passed = []

    def take(self, seen):
        """Samples (vehicle, leg, next call); the calls left since, as [sample, call] in order."""
        found = []
        for sample, (who, leg, ahead) in enumerate(seen):
            entered = self.legs.setdefault(who, [])
            if leg >= 0 and leg not in entered:
                entered.append(leg)
            for each in entered:
                calls = range(self.call_start[each], self.call_start[each + 1])
                under_way = each == leg and ahead >= 0
                found += [
                    [sample, call] for call in calls if (not under_way or call < ahead) and call not in self.passed
                ]
                self.passed += [call for call in calls if (not under_way or call < ahead) and call not in self.passed]
        return found


def rows_of_routes(routes, samples):
    """Twin of ``sim.kernels.rows_of_routes``: routes as lists of (edge, junction behind it)."""
    at = [0] * len(routes)
    last_m = [-math.inf] * len(routes)
    found = []
    for who, place, is_inside, lane_m in samples:
        found.append(-1)
        if who < 0 or place < 0:
            continue
        route = [pair[is_inside] for pair in routes[who]]
        came_round = not is_inside and route[at[who]] == place and lane_m < last_m[who]
        ahead = [k for k in range(at[who] + came_round, len(route)) if route[k] == place]
        if ahead:
            at[who] = ahead[0]
            last_m[who] = math.inf if is_inside else lane_m
            found[-1] = sum(map(len, routes[:who])) + ahead[0]
    return found
