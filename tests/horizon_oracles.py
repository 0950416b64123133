"""Plain twins of the kernels of delay-based and of rolling-horizon control: lists and dictionaries, one rule a line."""

import itertools
import math


def carried_delays(link, distance_m, before_link, before_m, before_delay_s, free_mps, elapsed_s):
    """Twin of ``signals.delay_kernels.carried_delays``."""
    delay_s = [0.0] * len(link)
    for row, mps in enumerate(free_mps):
        now = [k for k in range(len(link)) if link[k] == row]
        old = [k for k in range(len(before_link)) if before_link[k] == row]
        if now and old:
            reach_m = mps * elapsed_s + 2
            faults = [
                _faults(gone, [distance_m[k] for k in now], [before_m[k] for k in old], reach_m)
                for gone in range(len(old) + 1)
            ]
            for mine, its in zip(now, old[faults.index(min(faults)) :], strict=False):
                moved_m = max(before_m[its] - distance_m[mine], 0)
                lost_s = elapsed_s - (moved_m / mps if mps > 0 else 0)
                delay_s[mine] = before_delay_s[its] + max(lost_s, 0)
    return delay_s


def _faults(gone, now_m, before_m, reach_m):
    """What is unlikely if that many have passed: driven backwards or too fast, passed from too far, vanished behind."""
    rest = before_m[gone:]
    odd = sum(not -2 <= before - now <= reach_m for before, now in zip(rest, now_m, strict=False))
    return odd + sum(way_m > reach_m for way_m in before_m[:gone]) + max(len(rest) - len(now_m), 0)


def clusters(link, arrival_s, lane, flow, headway_s, worth, gap_s, most):
    """Twin of ``signals.horizon_kernels.clusters``: a list of (weight, begin, end, least) for each flow."""
    ready_s = []
    for k in range(len(link)):
        before = [j for j in range(k) if lane[link[j]] == lane[link[k]]]
        free_s = ready_s[before[-1]] + headway_s[link[before[-1]]] if before else 0.0
        ready_s.append(max(arrival_s[k], free_s))
    while True:
        found = [
            _grouped([k for k in range(len(link)) if flow[link[k]] == number], ready_s, gap_s)
            for number in range(max(max(flow, default=-1) + 1, 0))
        ]
        if math.prod(len(groups) + 1 for groups in found) <= most or gap_s > 1e6:
            break
        gap_s *= 2
    return [
        [
            (
                sum(worth[k] for k in group),
                min(ready_s[k] for k in group),
                max(ready_s[k] + headway_s[link[k]] for k in group),
                max(sum(headway_s[link[j]] for j in group if lane[link[j]] == lane[link[k]]) for k in group),
            )
            for group in groups
        ]
        for groups in found
    ]


def _grouped(vehicles, ready_s, gap_s):
    groups = []
    for k in sorted(vehicles, key=lambda k: ready_s[k]):
        if groups and ready_s[k] - ready_s[groups[-1][-1]] <= gap_s:
            groups[-1].append(k)
        else:
            groups.append([k])
    return groups


def schedule(flows, pace, change_s, least_s, now):
    """Twin of ``signals.horizon_kernels.schedule``: the least delay of each state, those with less served first."""
    best = {(tuple(0 for _ in flows), now): (0.0, 0.0)}
    whole = tuple(len(jobs) for jobs in flows)
    for backwards in itertools.product(*(range(count + 1) for count in reversed(whole))):
        done = backwards[::-1]
        for before in range(len(pace)):
            cost_s, time_s = best.get((done, before), (math.inf, 0.0))
            for stage, paces in enumerate(pace):
                begin_s = time_s + change_s[before][stage]
                floor_s = begin_s + (least_s[stage] if stage != before else 0.0)
                for number, jobs in enumerate(flows):
                    if paces[number] == 0 or done[number] == len(jobs):
                        continue
                    end_s = max(_through_s(jobs[done[number]], begin_s, paces[number]), floor_s)
                    then, added_s = _serve(done, flows, paces, begin_s, end_s)
                    if cost_s + added_s < best.get((then, stage), (math.inf, 0.0))[0]:
                        best[then, stage] = (cost_s + added_s, end_s)
    return min(cost_s for (done, _), (cost_s, _) in best.items() if done == whole) if whole else 0.0


def _through_s(job, begin_s, pace):
    _, first_s, last_s, least_s = job
    wait_s = max(begin_s - first_s, 0)
    return first_s + wait_s + max(least_s * pace, last_s - first_s - wait_s)


def _serve(done, flows, paces, begin_s, end_s):
    then, delay_s = list(done), 0.0
    for number, jobs in enumerate(flows):
        free_s = begin_s
        while paces[number] and then[number] < len(jobs):
            weight, first_s, last_s, _ = jobs[then[number]]
            through_s = _through_s(jobs[then[number]], free_s, paces[number])
            if through_s > end_s:
                break
            wait_s = max(free_s - first_s, 0)
            delay_s += weight * (wait_s - (wait_s - (through_s - last_s)) / 2)
            free_s = through_s
            then[number] += 1
    return tuple(then), delay_s
