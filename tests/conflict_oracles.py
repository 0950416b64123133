"""Plain twins of the conflict kernels: a dictionary a vehicle, one rule a line."""

import math
from itertools import pairwise

import numpy as np


def _by_vehicle(samples):
    found = {}
    for who, time_s, lane, at_m, speed in zip(*samples, strict=True):
        found.setdefault(int(who), []).append((float(time_s), int(lane), float(at_m), float(speed)))
    return found


BEGIN_M = {0: 0.0, 1: 100.0, 2: 120.0, 3: 0.0, 4: 100.0, 5: 120.0}


def places(samples):
    """Time, place on the street of ``tests.conflict_scene`` and speed of each vehicle."""
    return {
        who: [(time_s, BEGIN_M[lane] + at_m, speed) for time_s, lane, at_m, speed in rows]
        for who, rows in _by_vehicle(samples).items()
    }


def reached(track, mark_m):
    """When a track came to a mark, on straight lines; None where it never did."""
    for (t0, x0, _), (t1, x1, _) in pairwise(track):
        if x0 <= mark_m <= x1 and x1 > x0:
            return t0 + (mark_m - x0) / (x1 - x0) * (t1 - t0)
    return None


def pet(first, second, begin_m, end_m, length_m):
    """Post-encroachment time of two tracks with the same area on either way, moving all the time; None without one."""
    enters = {number: reached(track, begin_m) for number, track in enumerate((first, second))}
    if None in enters.values():
        return None
    early = 0 if enters[0] <= enters[1] else 1
    left = reached((first, second)[early], end_m + length_m)
    return None if left is None else enters[1 - early] - left


def course(one, other):
    """Least time to collision of two (enter_m, leave_m, speed): stepping in time until the later one is inside."""
    windows = []
    for enter_m, leave_m, speed in (one, other):
        if speed < 0.1:
            windows.append((0.0, math.inf) if enter_m < -1.0 else (math.inf, math.inf))
        else:
            windows.append((max(enter_m, 0.0) / speed, leave_m / speed))
    if one[0] <= 0 and other[0] <= 0:
        return math.inf
    begin, end = max(windows[0][0], windows[1][0]), min(windows[0][1], windows[1][1])
    return begin if begin < end else math.inf


def least_following(samples, length_m, ttc_s):
    """Least TTC of each (follower, leader) that follow in one street of ``tests.conflict_scene``, all lanes of it."""
    least = {}
    tracks = places(samples)
    lanes = {who: rows[0][1] // 3 for who, rows in _by_vehicle(samples).items()}
    for who, track in tracks.items():
        for time_s, here_m, speed in track:
            ahead = [
                (there_m, other, there_speed)
                for other, others in tracks.items()
                if other != who and lanes[other] == lanes[who]
                for at_s, there_m, there_speed in others
                if at_s == time_s and there_m > here_m
            ]
            if not ahead or speed < 0.1:
                continue
            there_m, other, there_speed = min(ahead)
            gap_m, closing = there_m - length_m - here_m, speed - there_speed
            if gap_m > 0 and closing > 0 and gap_m / closing <= ttc_s:
                least[who, other] = min(least.get((who, other), math.inf), gap_m / closing)
    return least


def point_on_lane(network, lane, at_m):
    """Network coordinates of a position on a lane."""
    line = network.lane_shape_m(lane)
    drawn = np.concatenate(([0.0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))))
    along = at_m * drawn[-1] / max(float(network.lanes.length_m[lane]), 1e-9)
    return float(np.interp(along, drawn, line[:, 0])), float(np.interp(along, drawn, line[:, 1]))
