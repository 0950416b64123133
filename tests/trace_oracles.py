"""Slow, plain twins of the kernels that read a trace: whole histories, one rule a line, nothing shared with the code.

Pings are rows of named columns; what a kernel keeps between pieces a twin looks up in the pings before.
"""

import math
from collections import defaultdict
from itertools import pairwise

import numpy as np

KEPT, DUPLICATE, JUMP = 0, 1, 2
MATCHED, OFF_ROUTE, NOT_STARTED, FINISHED, NO_TRIP = 0, 1, 2, 3, 4
ARRIVAL, DEPARTURE, SKIPPED = 0, 1, 2
LEFT_ROUTE, BACK_ON_ROUTE, STUCK, LAID_OVER, SILENT = 1, 2, 3, 4, 5
DEGREE_M = 111_195.0
NAN = math.nan


def admit(vehicle, time_s, hold_s, ahead_s):
    """Twin of ``admit``: each ping is held against the newest believed one of its vehicle before it."""
    found, believed, doubted = [], {}, {}
    for row, now_s in zip(vehicle, time_s, strict=True):
        newest_s = believed.get(row, -math.inf)
        found.append(now_s >= newest_s - hold_s)
        if now_s - newest_s <= ahead_s:
            believed[row] = max(newest_s, now_s)
        elif row in doubted and abs(now_s - doubted[row]) <= ahead_s:
            believed[row] = max(now_s, doubted.pop(row))
        else:
            doubted[row] = now_s
    return found


def trail(vehicle, performed, time_s, tail_s):
    """Twin of ``trail``: looks back along the vehicle's pings for the trip before the one it is on now."""
    found = []
    for k, row in enumerate(vehicle):
        own = [j for j in range(k + 1) if vehicle[j] == row]
        changes = [j for i, j in pairwise(own) if performed[i] >= 0 and performed[j] != performed[i]]
        lefts = [i for i, j in pairwise(own) if j in changes]
        left = lefts[-1] if lefts else None
        late = left is not None and performed[left] != performed[k] and time_s[k] - time_s[left] <= tail_s
        found.append(performed[left] if late else -1)
    return found


def order_by_vehicle(vehicle, time_s, lat, lon, rank):
    """Twin of ``order_by_vehicle``: a stable sort by everything that counts."""
    return sorted(range(len(vehicle)), key=lambda k: (vehicle[k], time_s[k], lat[k], lon[k], rank[k]))


def apart_m(one, other):
    """Metres between two places (lon, lat) on a sphere of 111,195 m a degree."""
    north_m = (other[1] - one[1]) * DEGREE_M
    east_m = (other[0] - one[0]) * DEGREE_M * math.cos(math.radians((one[1] + other[1]) / 2))
    return math.hypot(north_m, east_m)


def screen(vehicle, time_s, lon, lat, limits):
    """Twin of ``screen``: of each vehicle the last ping kept and the one refused since are (time, lon, lat)."""
    kept, refused, found = {}, {}, []
    for row, *ping in zip(vehicle, time_s, lon, lat, strict=True):
        before, doubt = kept.get(row), refused.get(row)
        if before is not None and ping[0] - before[0] < limits.duplicate_s:
            found.append(DUPLICATE)
        elif before is None or not _too_fast(before, ping, limits.speed_mps):
            found.append(KEPT)
        elif doubt is not None and ping[0] - doubt[0] < limits.duplicate_s:
            found.append(DUPLICATE)  # a mistake that is repeated at once confirms nothing
        elif doubt is not None and not _too_fast(doubt, ping, limits.speed_mps):
            found.append(KEPT)
        else:
            found.append(JUMP)
        if found[-1] == KEPT:
            kept[row] = ping
            refused.pop(row, None)
        if found[-1] == JUMP:
            refused[row] = ping
    return found


def _too_fast(before, after, speed_mps):
    return apart_m(before[1:], after[1:]) > speed_mps * (after[0] - before[0])


def choose_trips(meaning, day, time_s, candidates, origin_of_day, runs, span_s, no_service_s):
    """Twin of ``choose_trips``: all trips on all days, those that cannot be left out; the best of a list.

    ``candidates`` of each meaning; ``origin_of_day`` in epoch seconds; ``runs(trip, day)``; ``span_s`` of each trip.
    """
    found = []
    for what, named, now_s in zip(meaning, day, time_s, strict=True):
        options = []
        for number, trip in enumerate(candidates[what] if what >= 0 else []):
            for one, origin_s in origin_of_day.items():
                clock_s = now_s - origin_s
                near = -86_400 <= clock_s < 2 * 86_400
                if not near or (named >= 0 and one != named):
                    continue
                begin_s, end_s = span_s[trip]
                away_s = begin_s - clock_s if clock_s < begin_s else clock_s - end_s if clock_s > end_s else 0.0
                if away_s > 12 * 3600:
                    continue
                if named < 0 and not runs(trip, one):
                    away_s += no_service_s
                options.append((away_s, -(begin_s + origin_s), number, one, trip))
        best = min(options, default=None)
        found.append((-1, -1) if best is None else (best[4], best[3]))
    return found


def lateness_s(calls, way_m, clock_s):
    """Roughly how late at a place; ``calls`` are (way, arrival, departure) of a trip."""
    if way_m <= calls[0][0]:
        return max(0.0, clock_s - calls[0][2])
    if way_m >= calls[-1][0]:
        return clock_s - calls[-1][1]
    behind = max(k for k in range(len(calls)) if calls[k][0] <= way_m)
    (from_m, _, left_s), (to_m, reached_s, _) = calls[behind : behind + 2]
    return clock_s - (left_s + (way_m - from_m) / (to_m - from_m) * (reached_s - left_s))


class Matcher:
    """Twin of ``match_pings``: every piece of the line is tried for each ping.

    ``lines`` are for each pattern (corners in metres, frame); ``trips`` are for each trip (pattern, calls).
    """

    def __init__(self, lines, trips, limits):
        self.lines, self.trips, self.limits = lines, trips, limits
        self.been, self.begun_m, self.stood_s = {}, {}, {}

    def match(self, ping):
        """Found, way, distance of one ping (performed, trip, time, clock, lon, lat, heading, speed)."""
        row, limits = ping.performed, self.limits
        if ping.trip < 0 or row < 0 or not self.trips[ping.trip][1]:
            return NO_TRIP, NAN, NAN
        calls = self.trips[ping.trip][1]
        been = self.been.get(row)
        if been is not None and been.way_m >= calls[-1][0] - limits.zone_m and self._has_begun(ping, calls):
            return self.match_only(ping)
        if ping.clock_s < calls[0][2] - limits.early_s:
            self.been.pop(row, None)
        begins = row not in self.been
        found, way_m, off_m = self.match_only(ping)
        if found != MATCHED and not begins and not self._has_begun(ping, calls):
            del self.been[row]
            begins = True
            found, way_m, off_m = self.match_only(ping)
        if found != MATCHED:
            return (NOT_STARTED if begins else OFF_ROUTE), NAN, off_m
        if begins:
            self.begun_m[row] = way_m
        if self._has_begun(ping, calls):
            return MATCHED, way_m, off_m
        if begins or way_m <= self.begun_m[row] + limits.noise_m:
            self.stood_s[row] = ping.time_s
        return NOT_STARTED, NAN, off_m

    def _has_begun(self, ping, calls):
        if ping.clock_s >= calls[0][2] + self.limits.bridge_s:
            return True
        row = ping.performed
        begun_m, zone_m = self.begun_m[row], self.limits.zone_m
        return begun_m <= calls[0][0] + zone_m or self.been[row].way_m >= begun_m + zone_m

    def match_only(self, ping):
        """The same without a thought of whether the trip has begun."""
        if ping.trip < 0 or ping.performed < 0 or not self.trips[ping.trip][1]:
            return NO_TRIP, NAN, NAN
        calls = self.trips[ping.trip][1]
        been = self.been.get(ping.performed)
        is_over = been is not None and been.way_m >= calls[-1][0] - self.limits.zone_m
        place = min(self._places(ping, been), key=lambda one: one[0], default=None)
        off_m = NAN if place is None else place[2]
        if not (place is not None and off_m <= self.limits.off_route_m):
            return (FINISHED if is_over else NOT_STARTED if been is None else OFF_ROUTE), NAN, off_m
        self.been[ping.performed] = _Been(ping, place[1], place[3])
        return MATCHED, place[1], off_m

    def _places(self, ping, been):
        """Cost, way, distance and piece of the nearest place on each piece that the vehicle can have come to."""
        pattern, calls = self.trips[ping.trip]
        corners, frame = self.lines[pattern]
        at = np.array([(ping.lon - frame[0]) * frame[2], (ping.lat - frame[1]) * frame[3]])
        from_m, until_m, straight_m, first = -math.inf, math.inf, None, 0
        if been is not None:
            from_m, first = been.way_m, been.piece
            if ping.time_s - been.ping.time_s <= self.limits.bridge_s:
                until_m = from_m + self.limits.speed_mps * (ping.time_s - been.ping.time_s) + self.limits.slack_m
                straight_m = math.hypot((ping.lon - been.ping.lon) * frame[2], (ping.lat - been.ping.lat) * frame[3])
        else:
            since_s = ping.clock_s - (calls[0][2] - self.limits.early_s)
            until_m = calls[0][0] + self.limits.run_mps * max(0.0, since_s)
            if since_s < 0 or ping.performed in self.begun_m:
                from_m = calls[0][0]
        begin_m = 0.0
        for piece, (begin, end) in enumerate(pairwise(corners)):
            length_m = math.dist(begin, end)
            low_m, high_m = max(from_m, begin_m), min(until_m, begin_m + length_m)
            if piece >= first and low_m <= high_m:
                unit = np.subtract(end, begin) / length_m if length_m > 0 else np.zeros(2)
                way_m = min(max(begin_m + float((at - begin) @ unit), low_m), high_m)
                off_m = float(np.hypot(*(at - begin - (way_m - begin_m) * unit)))
                yield self._cost(ping, calls, way_m, off_m, straight_m, from_m, unit), way_m, off_m, piece
            begin_m += length_m

    def _cost(self, ping, calls, way_m, off_m, straight_m, from_m, unit):
        cost = off_m**2 / (2 * self.limits.noise_m**2)
        if straight_m is not None:
            cost += abs(way_m - from_m - straight_m) / self.limits.detour_m
        else:
            cost += abs(lateness_s(calls, way_m, ping.clock_s)) / 120.0
        if ping.speed_mps >= self.limits.moving_mps:
            heading = math.radians(ping.heading_deg)
            cost += 4.0 if math.sin(heading) * unit[0] + math.cos(heading) * unit[1] < 0 else 0.0
        return cost


class _Been:
    def __init__(self, ping, way_m, piece):
        self.ping, self.way_m, self.piece = ping, way_m, piece


def cross_calls(pings, found, way_m, lines, trips, limits, call_start, call_lonlat, stood):
    """Twin of ``cross_calls``: each ping on the line looks back for the one before, and at what was between.

    ``stood`` tells of performed trips when they were last seen standing where they began, and where that was. Rows of
    (performed, call, kind, time, until, gap, near).
    """
    history, events = defaultdict(list), []
    for ping, kind, at_m in zip(pings, found, way_m, strict=True):
        if ping.performed < 0 or kind not in {MATCHED, OFF_ROUTE}:
            continue
        past = history[ping.performed]
        stood_s, stood_m = stood.get(ping.performed, (NAN, NAN))
        before = [seen.time_s for seen, verdict, _ in past if verdict == MATCHED]
        if kind == MATCHED and stood_s < ping.time_s and not (before and stood_s <= before[-1]):
            past.append((ping._replace(time_s=stood_s), MATCHED, stood_m))
        past.append((ping, kind, at_m))
        on_line = [k for k, (_, seen, _) in enumerate(past) if seen == MATCHED]
        if kind == MATCHED and len(on_line) > 1:
            stretch = past[on_line[-2] :]
            pattern, calls = trips[ping.trip]
            stops = call_lonlat[call_start[ping.trip] : call_start[ping.trip] + len(calls)]
            events += [
                (ping.performed, call_start[ping.trip] + call, *rest)
                for call, *rest in _crossed(stretch, calls, stops, lines[pattern][1], limits)
            ]
    return events


def _crossed(stretch, calls, stops, frame, limits):
    """Call, kind, time, until, gap, near of what happened between two pings on the line, others off it between."""
    (first, _, from_m), (last, _, to_m) = stretch[0], stretch[-1]
    gap_s = last.time_s - first.time_s
    if gap_s > limits.bridge_s or not to_m > from_m:
        return
    skipped = _left_out(stretch, calls, stops, frame, limits)
    enter = [way_m - limits.zone_m for way_m, _, _ in calls]
    leave = [way_m + limits.zone_m for way_m, _, _ in calls]
    served = [k for k in range(len(calls)) if from_m < enter[k] and leave[k] < to_m and k not in skipped]
    spare_s = max(0.0, gap_s - (to_m - from_m) / limits.run_mps)
    stand_s = min(limits.dwell_s, spare_s / len(served)) if served else 0.0
    pace = (gap_s - stand_s * len(served)) / (to_m - from_m)
    for k in range(len(calls)):
        if k in skipped:
            yield k, SKIPPED, last.time_s, last.time_s, gap_s, skipped[k]
            continue
        stood_s = stand_s * len([j for j in served if j < k])
        if from_m < enter[k] <= to_m:
            yield k, ARRIVAL, first.time_s + pace * (enter[k] - from_m) + stood_s, last.time_s, gap_s, NAN
        if from_m < leave[k] <= to_m:
            stood_s += stand_s * (k in served)
            yield k, DEPARTURE, first.time_s + pace * (leave[k] - from_m) + stood_s, last.time_s, gap_s, NAN


def _left_out(stretch, calls, stops, frame, limits):
    """Calls that were passed off the line, and how near."""
    (_, _, from_m), (_, _, to_m) = stretch[0], stretch[-1]
    if len(stretch) == 2:  # nothing off the line between
        return {}
    pauses_s = [b.time_s - a.time_s for (a, _, _), (b, _, _) in pairwise(stretch)]
    if max(pauses_s) > limits.known_s:
        return {}
    ahead = [k for k in range(len(calls)) if calls[k][0] > from_m][:16]
    metres = [((p.lon - frame[0]) * frame[2], (p.lat - frame[1]) * frame[3]) for p, _, _ in stretch]
    near = {}
    for k in ahead:
        stop = ((stops[k][0] - frame[0]) * frame[2], (stops[k][1] - frame[1]) * frame[3])
        near_m = min(_from_leg_m(stop, a, b) for a, b in pairwise(metres))
        if calls[k][0] < to_m and near_m > limits.skip_m:
            near[k] = near_m
    return near


def _from_leg_m(point, begin, end):
    """Distance of a point from a straight leg."""
    if not all(map(math.isfinite, (*point, *begin, *end))):
        return -math.inf
    begin, end, point = map(np.array, (begin, end, point))
    length2 = float((end - begin) @ (end - begin))
    share = 0.0 if length2 == 0 else min(1.0, max(0.0, float((point - begin) @ (end - begin)) / length2))
    return float(np.hypot(*(point - begin - share * (end - begin))))


def watch_pings(sightings, rules):
    """Twin of ``watch_pings``: the pings of each trip by themselves; findings (ping, kind, since, value) by ping."""
    trips = defaultdict(list)
    for number, seen in enumerate(sightings):
        if seen.performed >= 0:
            trips[seen.performed].append((number, seen))
    parts = (silences, route_changes, layovers, standstills)
    found = [one for pings in trips.values() for part in parts for one in part(pings, rules)]
    order = {SILENT: 0, LEFT_ROUTE: 1, BACK_ON_ROUTE: 1, LAID_OVER: 2, STUCK: 3}
    return sorted(found, key=lambda one: (one[0], order[one[1]]))


def silences(pings, rules):
    for (_, before), (number, now) in pairwise(pings):
        on_way = before.found in {MATCHED, OFF_ROUTE} and not before.at_end
        elsewhere = now.before_s != before.time_s  # it was heard of on another trip
        if on_way and not elsewhere and now.time_s - before.time_s > rules.silent_s:
            yield number, SILENT, before.time_s, now.time_s - before.time_s


def route_changes(pings, rules):
    """Away from the first ping off the route, if a later one in the row has moved, until two in a row are near it."""
    first, worst_m, is_away, near = None, 0.0, False, 0
    for number, now in pings:
        if now.found == OFF_ROUTE:
            first, worst_m = (now, now.off_m) if first is None else (first, max(worst_m, now.off_m))
            near = 0
            if not is_away and _moved_m(first, now) > rules.still_m:
                is_away = True
                yield number, LEFT_ROUTE, first.time_s, worst_m
            continue
        is_near = now.found == FINISHED or (now.found == MATCHED and now.off_m <= rules.back_m)
        near = near + 1 if is_near else 0
        if is_away and near == 2:
            yield number, BACK_ON_ROUTE, first.time_s, worst_m
        if not is_away or near == 2:
            first, is_away = None, False


def layovers(pings, rules):
    """Stands from a ping to the last one within ``still_m`` of it; told by the ping that ends it."""
    stand = []
    for number, now in pings:
        if stand and not _moved_m(stand[0], now) <= rules.still_m:
            stood_s = stand[-1].time_s - stand[0].time_s
            if stand[0].at_end and stood_s >= rules.layover_s:
                yield number, LAID_OVER, stand[0].time_s, stood_s
            stand = []
        stand.append(now)


def standstills(pings, rules):
    slow, is_told = None, False
    for number, now in pings:
        if now.found not in {MATCHED, OFF_ROUTE} or now.at_end:
            slow = None
        elif slow is None or _moved_m(slow, now) >= rules.stuck_m:
            slow, is_told = now, False
        elif not is_told and now.time_s - slow.time_s >= rules.stuck_s:
            is_told = True
            yield number, STUCK, slow.time_s, _moved_m(slow, now)


def _moved_m(begin, now):
    east_m = (now.lon - begin.lon) * DEGREE_M * math.cos(math.radians(begin.lat))
    return math.hypot((now.lat - begin.lat) * DEGREE_M, east_m)


def verdict_changes(performed, verdict, on_time):
    """Twin of ``verdict_changes``: each judgement is held against the last one of its trip before it."""
    found = []
    for k in range(len(performed)):
        before = [verdict[j] for j in range(k) if performed[j] == performed[k] and verdict[j] >= 0]
        found.append(verdict[k] >= 0 and verdict[k] != [on_time, *before][-1])
    return found
