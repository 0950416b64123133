"""Kernels that tell when vehicles came to calls and left them; arrays alone, compiled by numba."""

import numpy as np
import numpy.typing as npt
from numba import njit

from gtfs.trace_kernels import (
    AHEAD,
    ARRIVAL,
    DEPARTURE,
    MATCHED,
    OFF_ROUTE,
    SKIPPED,
    Crossings,
    Limits,
    Lines,
    Passage,
    Plan,
    Progress,
    Samples,
    uncounted,
)

Integers = npt.NDArray[np.integer]
Floats = npt.NDArray[np.float64]


@njit(cache=True, nogil=True)
def cross_calls(
    samples: Samples,
    way_m: Floats,
    found: Integers,
    lines: Lines,
    plan: Plan,
    limits: Limits,
    passage: Passage,
    progress: Progress,
) -> Crossings:
    """Tell when vehicles came to calls and left them: when their distance-time curve crosses the edge of a call's zone.

    Between two pings a vehicle runs at one speed, but stands ``dwell_s`` at each call whose zone lies wholly between
    them and that was not skipped, or as long as there is time when it runs at ``run_mps``. What lies between pings more
    than ``bridge_s`` apart is left out. A call that was passed off the line, never nearer than ``skip_m``, with no two
    pings more than ``known_s`` apart, was skipped.

    Parameters
    ----------
    way_m, found, progress
        Answers of :func:`match_pings`, shape (pings,), and what it knows now.
    """
    out = _new_crossings(max(16, len(way_m)))
    ping = count = 0
    while True:
        ping, count = _cross_pings(ping, count, samples, (way_m, found), lines, plan, limits, (passage, progress, out))
        if ping == len(way_m):
            break
        out = _grown(out, 2 * _room_needed(ping, count, samples, plan))
    return Crossings(
        out.performed[:count],
        out.call[:count],
        out.kind[:count],
        out.time_s[:count],
        out.until_s[:count],
        out.gap_s[:count],
        out.near_m[:count],
    )


@uncounted
def _cross_pings(
    ping: int,
    count: int,
    samples: Samples,
    places: tuple[Floats, Integers],
    lines: Lines,
    plan: Plan,
    limits: Limits,
    state: tuple[Passage, Progress, Crossings],
) -> tuple[int, int]:
    """Note what happened at calls from a ping on, while there is room; the ping that came too far, and the count."""
    (way_m, found), (passage, progress, out) = places, state
    while ping < len(way_m):
        row = samples.performed[ping]
        if row < 0 or found[ping] not in (MATCHED, OFF_ROUTE):
            ping += 1
            continue
        if count + _room_needed(ping, 0, samples, plan) > len(out.call):
            break
        if not np.isnan(passage.time_s[row]) and (passage.is_off[row] or found[ping] == OFF_ROUTE):
            _note_off(ping, samples, lines, plan, passage)
        if found[ping] == MATCHED:
            begun_s = progress.begun_s[row]
            if begun_s < samples.time_s[ping] and not begun_s <= passage.time_s[row]:
                # where it stood before it was known to be on its way
                passage.way_m[row], passage.time_s[row], passage.is_off[row] = progress.begun_m[row], begun_s, False
            if not np.isnan(passage.time_s[row]) and samples.time_s[ping] - passage.time_s[row] <= limits.bridge_s:
                count = _cross_between(ping, way_m[ping], samples, plan, limits, passage, out, count)
            passage.way_m[row], passage.time_s[row], passage.is_off[row] = way_m[ping], samples.time_s[ping], False
        last = passage.last[row]
        last[0], last[1], last[2] = samples.time_s[ping], samples.lon[ping], samples.lat[ping]
        ping += 1
    return ping, count


@uncounted
def _room_needed(ping: int, count: int, samples: Samples, plan: Plan) -> int:
    """Room for what there is and what a ping can bring to light."""
    trip = samples.trip[ping]
    return int(count + 2 * (plan.call_start[trip + 1] - plan.call_start[trip]))


@njit(cache=True, nogil=True)
def _new_crossings(room: int) -> Crossings:
    return Crossings(
        np.empty(room, np.int32),
        np.empty(room, np.int32),
        np.empty(room, np.int8),
        np.empty(room, np.float64),
        np.empty(room, np.float64),
        np.empty(room, np.float64),
        np.full(room, np.nan),
    )


@njit(cache=True, nogil=True)
def _grown(crossings: Crossings, room: int) -> Crossings:
    grown = _new_crossings(room)
    size = len(crossings.call)
    grown.performed[:size] = crossings.performed
    grown.call[:size] = crossings.call
    grown.kind[:size] = crossings.kind
    grown.time_s[:size] = crossings.time_s
    grown.until_s[:size] = crossings.until_s
    grown.gap_s[:size] = crossings.gap_s
    grown.near_m[:size] = crossings.near_m
    return grown


@uncounted
def _first_ahead(trip: int, way_m: float, plan: Plan) -> int:
    """First call of a trip that lies beyond a place; the end of its calls where none does."""
    low: int
    high: int
    low, high = plan.call_start[trip], plan.call_start[trip + 1]
    while low < high:
        middle = (low + high) // 2
        if plan.call_way_m[middle] <= way_m:
            low = middle + 1
        else:
            high = middle
    return low


@uncounted
def _note_off(ping: int, samples: Samples, lines: Lines, plan: Plan, passage: Passage) -> None:
    """Note how near a vehicle off its line came to the calls ahead, and how long nobody saw it."""
    trip, row = samples.trip[ping], samples.performed[ping]
    last, near_m = passage.last[row], passage.near_m[row]
    if not passage.is_off[row]:
        passage.is_off[row], passage.gap_s[row] = True, 0.0
        near_m[:] = np.inf
    passage.gap_s[row] = max(passage.gap_s[row], samples.time_s[ping] - last[0])
    frame = lines.frame[plan.pattern[trip]]
    ahead, end = _first_ahead(trip, passage.way_m[row], plan), plan.call_start[trip + 1]
    dx, dy = (samples.lon[ping] - last[1]) * frame[2], (samples.lat[ping] - last[2]) * frame[3]
    length2 = dx * dx + dy * dy
    for place in range(min(AHEAD, end - ahead)):
        px = (plan.call_lonlat[ahead + place, 0] - last[1]) * frame[2]
        py = (plan.call_lonlat[ahead + place, 1] - last[2]) * frame[3]
        share = min(1.0, max(0.0, (px * dx + py * dy) / length2)) if length2 > 0 else 0.0
        away_m = np.hypot(px - share * dx, py - share * dy)
        near_m[place] = min(near_m[place], away_m)


@uncounted
def _cross_between(
    ping: int, to_m: float, samples: Samples, plan: Plan, limits: Limits, passage: Passage, out: Crossings, count: int
) -> int:
    """Note what happened at calls between the last ping on the line and this one; the count of crossings then."""
    trip, row = samples.trip[ping], samples.performed[ping]
    from_m, until_s = passage.way_m[row], samples.time_s[ping]
    gap_s = until_s - passage.time_s[row]
    if to_m <= from_m:
        return count
    end = plan.call_start[trip + 1]
    first = _first_ahead(trip, from_m - limits.zone_m, plan)
    ahead = _first_ahead(trip, from_m, plan)
    inside = _served_between(ping, to_m, samples, plan, limits, passage)
    spare_s = max(0.0, gap_s - (to_m - from_m) / limits.run_mps)
    stand_s = min(limits.dwell_s, spare_s / inside) if inside else 0.0
    run_s, stood_s = (gap_s - inside * stand_s) / (to_m - from_m), 0.0
    for call in range(first, end):
        enter_m, leave_m = plan.call_way_m[call] - limits.zone_m, plan.call_way_m[call] + limits.zone_m
        if enter_m > to_m:
            break
        if plan.call_way_m[call] < to_m and _was_skipped(call - ahead, row, limits, passage):
            out.near_m[count] = passage.near_m[row, call - ahead]
            count = _note(out, count, row, call, SKIPPED, until_s, until_s, gap_s)
            continue
        if enter_m > from_m:
            time_s = passage.time_s[row] + (enter_m - from_m) * run_s + stood_s
            count = _note(out, count, row, call, ARRIVAL, time_s, until_s, gap_s)
        if from_m < enter_m and leave_m < to_m:
            stood_s += stand_s
        if from_m < leave_m <= to_m:
            time_s = passage.time_s[row] + (leave_m - from_m) * run_s + stood_s
            count = _note(out, count, row, call, DEPARTURE, time_s, until_s, gap_s)
    return count


@uncounted
def _served_between(ping: int, to_m: float, samples: Samples, plan: Plan, limits: Limits, passage: Passage) -> int:
    """Count of the calls whose zones lie wholly between the last ping on the line and this one, skipped ones less."""
    trip, row = samples.trip[ping], samples.performed[ping]
    from_m = passage.way_m[row]
    ahead, count = _first_ahead(trip, from_m, plan), 0
    for call in range(ahead, plan.call_start[trip + 1]):
        if plan.call_way_m[call] + limits.zone_m >= to_m:
            break
        if plan.call_way_m[call] - limits.zone_m > from_m and not _was_skipped(call - ahead, row, limits, passage):
            count += 1
    return count


@uncounted
def _was_skipped(place: int, row: int, limits: Limits, passage: Passage) -> bool:
    if not (passage.is_off[row] and 0 <= place < AHEAD):
        return False
    return bool(passage.gap_s[row] <= limits.known_s and passage.near_m[row, place] > limits.skip_m)


@uncounted
def _note(
    out: Crossings, count: int, row: int, call: int, kind: int, time_s: float, until_s: float, gap_s: float
) -> int:
    out.performed[count], out.call[count], out.kind[count] = row, call, kind
    out.time_s[count], out.until_s[count], out.gap_s[count] = time_s, until_s, gap_s
    return count + 1
