"""Event kernels: what happens to a vehicle on its trip, ping by ping; arrays alone, compiled by numba.

What a kernel must know of earlier pings stands in :class:`Watch`, so that a trace may come in pieces of any size.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from gtfs.trace_kernels import FINISHED, MATCHED, OFF_ROUTE, uncounted

Integers = npt.NDArray[np.integer]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

NOTHING, LEFT_ROUTE, BACK_ON_ROUTE, STUCK, LAID_OVER, SILENT = 0, 1, 2, 3, 4, 5
"""What a ping brings to light."""
PINGS_BACK = 2
"""So many in a row near its route bring a vehicle back to it."""
DEGREE_M = 111_195.0


class Rules(NamedTuple):
    """Parameters; see :class:`gtfs.trace_settings.TraceSettings`."""

    back_m: float
    still_m: float
    layover_s: float
    stuck_s: float
    stuck_m: float
    silent_s: float


class Watch(NamedTuple):
    """What is remembered of each performed trip, shape (performed,) or (performed, 3).

    Attributes
    ----------
    last_s
        Its last ping, NaN before the first; ``is_on_way`` whether it was between its first and its last call then.
    away
        First ping off the route in a row: time, longitude, latitude; NaN where the last ping was on it.
    worst_m
        Greatest distance from the line since.
    is_away, back
        Whether it is known to have left its route, and how many pings in a row were near it again.
    still
        Where and since when it stands: time, longitude, latitude.
    stood_at_end
        Whether that is at one of its terminals.
    slow
        Where and since when it makes no progress; ``is_stuck`` whether that was told.
    verdict
        Last judgement of its punctuality, that of being on time before the first.
    """

    last_s: Floats
    is_on_way: Flags
    away: Floats
    worst_m: Floats
    is_away: Flags
    back: Integers
    still: Floats
    stood_at_end: Flags
    slow: Floats
    is_stuck: Flags
    verdict: Integers


class Sightings(NamedTuple):
    """Pings, shape (pings,).

    ``at_end`` tells whether the vehicle is at one of its terminals, ``before_s`` when it was last heard of before, on
    whichever trip or none; NaN where it was not.
    """

    performed: Integers
    time_s: Floats
    lon: Floats
    lat: Floats
    off_m: Floats
    found: Integers
    at_end: Flags
    before_s: Floats


class Findings(NamedTuple):
    """What pings brought to light, shape (findings,): row of the ping, kind, since when, and how much."""

    ping: Integers
    kind: Integers
    since_s: Floats
    value: Floats


@njit(cache=True, nogil=True)
def watch_pings(sightings: Sightings, rules: Rules, watch: Watch) -> Findings:
    """Find detours, standstills, layovers and silences.

    A vehicle has left its route with the second ping in a row off it, if it moved between; it is back with the second
    in a row within ``back_m``. It makes no progress when it stays within ``stuck_m`` for ``stuck_s``, told once. A
    layover is told when it ends, a silence when the vehicle is heard of again on the same trip, and on none between.
    """
    room = 4 * len(sightings.time_s)
    out = Findings(np.empty(room, np.int64), np.empty(room, np.int8), np.empty(room), np.empty(room))
    count = _watch_all(sightings, rules, watch, out)
    return Findings(out.ping[:count], out.kind[:count], out.since_s[:count], out.value[:count])


@uncounted
def _watch_all(sightings: Sightings, rules: Rules, watch: Watch, out: Findings) -> int:
    """Count of findings."""
    count = 0
    for ping in range(len(sightings.time_s)):
        row = sightings.performed[ping]
        if row < 0:
            continue
        now_s, on_way = sightings.time_s[ping], sightings.found[ping] in (MATCHED, OFF_ROUTE)
        was_last = watch.is_on_way[row] and sightings.before_s[ping] == watch.last_s[row]
        if was_last and now_s - watch.last_s[row] > rules.silent_s:
            count = _find(out, count, ping, SILENT, watch.last_s[row], now_s - watch.last_s[row])
        count = _watch_route(ping, sightings, rules, watch, out, count)
        count = _watch_stand(ping, sightings, rules, watch, out, count)
        if on_way and not sightings.at_end[ping]:
            count = _watch_progress(ping, sightings, rules, watch, out, count)
        else:
            watch.slow[row, 0] = np.nan
        watch.last_s[row], watch.is_on_way[row] = now_s, on_way and not sightings.at_end[ping]
    return count


@uncounted
def _watch_route(ping: int, sightings: Sightings, rules: Rules, watch: Watch, out: Findings, count: int) -> int:
    row, found = sightings.performed[ping], sightings.found[ping]
    away = watch.away[row]
    if found == OFF_ROUTE:
        watch.back[row] = 0
        if np.isnan(away[0]):
            _mark(away, ping, sightings)
            watch.worst_m[row] = 0.0
        watch.worst_m[row] = max(watch.worst_m[row], sightings.off_m[ping])
        if not watch.is_away[row] and _moved_m(away, ping, sightings) > rules.still_m:
            watch.is_away[row] = True
            return _find(out, count, ping, LEFT_ROUTE, away[0], watch.worst_m[row])
    elif watch.is_away[row]:
        is_near = (found == MATCHED and sightings.off_m[ping] <= rules.back_m) or found == FINISHED
        watch.back[row] = watch.back[row] + 1 if is_near else 0
        if watch.back[row] == PINGS_BACK:
            watch.is_away[row] = False
            count = _find(out, count, ping, BACK_ON_ROUTE, away[0], watch.worst_m[row])
            away[0] = np.nan
    else:
        away[0] = np.nan
    return count


@uncounted
def _watch_stand(ping: int, sightings: Sightings, rules: Rules, watch: Watch, out: Findings, count: int) -> int:
    row = sightings.performed[ping]
    still = watch.still[row]
    if not np.isnan(still[0]) and _moved_m(still, ping, sightings) <= rules.still_m:
        return count
    if not np.isnan(still[0]) and watch.stood_at_end[row]:
        stood_s = watch.last_s[row] - still[0]
        if stood_s >= rules.layover_s:
            count = _find(out, count, ping, LAID_OVER, still[0], stood_s)
    _mark(still, ping, sightings)
    watch.stood_at_end[row] = sightings.at_end[ping]
    return count


@uncounted
def _watch_progress(ping: int, sightings: Sightings, rules: Rules, watch: Watch, out: Findings, count: int) -> int:
    row = sightings.performed[ping]
    slow = watch.slow[row]
    if np.isnan(slow[0]) or _moved_m(slow, ping, sightings) >= rules.stuck_m:
        _mark(slow, ping, sightings)
        watch.is_stuck[row] = False
    elif not watch.is_stuck[row] and sightings.time_s[ping] - slow[0] >= rules.stuck_s:
        watch.is_stuck[row] = True
        return _find(out, count, ping, STUCK, slow[0], _moved_m(slow, ping, sightings))
    return count


@uncounted
def _mark(place: Floats, ping: int, sightings: Sightings) -> None:
    place[0], place[1], place[2] = sightings.time_s[ping], sightings.lon[ping], sightings.lat[ping]


@uncounted
def _moved_m(place: Floats, ping: int, sightings: Sightings) -> float:
    north_m = (sightings.lat[ping] - place[2]) * DEGREE_M
    east_m = (sightings.lon[ping] - place[1]) * DEGREE_M * np.cos(np.radians(place[2]))
    moved_m: float = np.hypot(north_m, east_m)
    return moved_m


@uncounted
def _find(out: Findings, count: int, ping: int, kind: int, since_s: float, value: float) -> int:
    out.ping[count], out.kind[count], out.since_s[count], out.value[count] = ping, kind, since_s, value
    return count + 1


@njit(cache=True, nogil=True)
def verdict_changes(performed: Integers, verdict: Integers, watch: Watch, out: Flags) -> Flags:
    """Flag judgements that differ from the one before of the same trip; before the first it was on time.

    Parameters
    ----------
    performed, verdict
        In order of time within a trip, shape (judgements,); negative judgements are passed over.
    out
        Takes the answer, shape (judgements,).
    """
    for row in range(len(performed)):
        trip = performed[row]
        out[row] = verdict[row] >= 0 and verdict[row] != watch.verdict[trip]
        if verdict[row] >= 0:
            watch.verdict[trip] = verdict[row]
    return out
