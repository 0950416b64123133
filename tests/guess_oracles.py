"""Slow, plain twins of the kernels that find trips of vehicles which name none; nothing shared with the code."""

import math
from itertools import pairwise

import numpy as np

from tests.trace_oracles import DEGREE_M, MATCHED, NAN, apart_m, lateness_s

STAYS, ENDED, LOST = 0, 1, 2


def courses(lonlat, still_m):
    """Twin of ``courses``: unit directions from the last place that counts, none before the vehicle moved."""
    found, course = [], (0.0, 0.0)
    since = lonlat[0] if lonlat else None
    for place in lonlat:
        east_m = (place[0] - since[0]) * DEGREE_M * math.cos(math.radians(place[1]))
        north_m = (place[1] - since[1]) * DEGREE_M
        way_m = math.hypot(east_m, north_m)
        if way_m > still_m:
            since, course = place, (east_m / way_m, north_m / way_m)
        found.append(course)
    return found


def first_near_m(place, course, line, most_m):
    """Twin of ``lines_near`` for one ping (degrees) and line (corners in metres, frame)."""
    corners, frame = line
    at = np.array([(place[0] - frame[0]) * frame[2], (place[1] - frame[1]) * frame[3]])
    ways_m, begin_m = [math.inf], 0.0
    for begin, end in pairwise(corners):
        length_m = math.dist(begin, end)
        unit = np.subtract(end, begin) / length_m if length_m else np.zeros(2)
        along_m = min(max(float((at - begin) @ unit), 0.0), length_m)
        if float(unit @ course) >= -0.5 and math.dist(at, begin + along_m * unit) <= most_m:
            ways_m.append(begin_m + along_m)
        begin_m += length_m
    return min(ways_m)


def fit(new_matcher, calls, pings, near_m, limits):
    """Twin of ``fit_trips`` for one trip: counts and measures of the last stretch that is on its line."""
    begin = 0
    while begin < len(pings):
        matcher, ways_m, misses = new_matcher(), {}, 0
        for row in range(begin, len(pings)):
            may_be = math.isfinite(near_m[row])
            if may_be and not ways_m:
                may_be = lateness_s(calls, near_m[row], pings[row].clock_s) >= -2 * limits.early_s
            found, way_m, _ = matcher.match_only(pings[row]) if may_be else (None, NAN, NAN)
            if found == MATCHED:
                ways_m[row], misses = way_m, 0
            else:
                misses += 1
            if not ways_m or misses == 2:
                begin = row + 1  # nothing on the line here, or no more: anew from the next ping on
                break
        else:
            return _measured(ways_m, calls, pings, begin)
    return [0] * 4, [NAN] * 4


def _measured(ways_m, calls, pings, begin):
    late_s = [lateness_s(calls, way_m, pings[row].clock_s) for row, way_m in ways_m.items()]
    since, steps_m = pings[begin], []
    for ping in pings[begin + 1 :]:
        step_m = apart_m((since.lon, since.lat), (ping.lon, ping.lat))
        if step_m > 25:
            steps_m.append(step_m)
            since = ping
    ways = list(ways_m.values())
    counts = [begin, len(pings) - begin, len(ways), len(steps_m)]
    return counts, [ways[-1] - ways[0], sum(steps_m), float(np.median(late_s)), ways[0] - calls[0][0]]


class Course:
    """Where one vehicle came to a stand, and what it has come since candidates were looked at."""

    def __init__(self):
        self.anchor, self.since_s, self.last_s, self.run_m = None, None, None, 0.0

    def note(self, ping, still_m):
        """Whether the vehicle lies off the place where it came to a stand."""
        place, self.last_s = (ping.lon, ping.lat), ping.time_s
        step_m = 0.0 if self.anchor is None else apart_m(self.anchor, place)
        if self.anchor is not None and step_m <= still_m:
            return False
        self.anchor, self.since_s, self.run_m = place, ping.time_s, self.run_m + step_m
        return True


def waits(pings, patience):
    """Twin of ``wait`` over a whole history: the first ping that waits after each, and whether to look then."""
    course, front, found = Course(), 0, []
    for row, ping in enumerate(pings):
        if course.last_s is None or ping.time_s - course.last_s > patience.lost_s:
            course, front = Course(), row
        moves = course.note(ping, patience.still_m)
        if not moves and pings[front].time_s >= course.since_s:
            front = row
        front = next(k for k in range(front, row + 1) if ping.time_s - pings[k].time_s <= patience.search_s)
        looks = moves and course.run_m >= patience.look_m
        course.run_m = 0.0 if looks else course.run_m
        found.append((front, looks))
    return found


def follow(matcher, calls, pings, limits, patience):
    """Twin of ``follow`` from a vehicle's first ping on: pings of the trip, and what it comes to."""
    course, on_s, way_m = Course(), pings[0].time_s if pings else None, NAN
    for row, ping in enumerate(pings):
        gap_s = 0.0 if course.last_s is None else ping.time_s - course.last_s
        found, place_m, _ = matcher.match_only(ping)
        if found == MATCHED:
            on_s, way_m = ping.time_s, place_m
        course.note(ping, patience.still_m)
        stood_s = ping.time_s - course.since_s
        if ping.time_s - on_s > patience.lost_s or gap_s > patience.bridge_s or stood_s > patience.search_s:
            return row, LOST
        left_m = calls[-1][0] - way_m
        lays_over = found != MATCHED or stood_s >= patience.layover_s
        if left_m <= limits.zone_m or (left_m <= patience.end_m and lays_over):
            return row + (found == MATCHED), ENDED
    return len(pings), STAYS
