"""Kernels that let pings in, put them in order, leave out what cannot be, and choose the trips that are meant.

Arrays alone, compiled by numba.
"""

import numpy as np
import numpy.typing as npt
from numba import njit

from gtfs.trace_kernels import DAY_S, DUPLICATE, JUMP, KEPT, MOST_AWAY_S, NONE, Calendar, Fixes, Limits, Tails

Integers = npt.NDArray[np.integer]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

NO_SERVICE_S = 6 * 3600.0
"""So much farther than others is a service day on which a trip does not run."""


@njit(cache=True, nogil=True)
def admit(
    vehicle: Integers, time_s: Floats, hold_s: float, ahead_s: float, newest_s: Floats, doubted_s: Floats, out: Flags
) -> Flags:
    """Let in pings that come no later than the hold after a newer one of their vehicle.

    A ping more than ``ahead_s`` ahead of all before it may be a mistake of the vehicle's clock: the others are held
    against it only once a second one is near it.

    Parameters
    ----------
    vehicle, time_s
        In order of arrival, shape (pings,).
    newest_s, doubted_s
        Newest time of each vehicle so far, -inf before the first, and one far ahead of that, NaN where there is none;
        brought up to date, shape (vehicles,).
    out
        Takes the answer, shape (pings,).
    """
    for ping in range(len(vehicle)):
        row, now_s = vehicle[ping], time_s[ping]
        out[ping] = now_s >= newest_s[row] - hold_s
        if now_s <= newest_s[row] + ahead_s:
            newest_s[row] = max(newest_s[row], now_s)
        elif abs(now_s - doubted_s[row]) <= ahead_s:
            newest_s[row], doubted_s[row] = max(now_s, doubted_s[row]), np.nan
        else:
            doubted_s[row] = now_s
    return out


@njit(cache=True, nogil=True)
def trail(
    vehicle: Integers, performed: Integers, time_s: Floats, tail_s: float, tails: Tails, out: Integers
) -> Integers:
    """Tell which trip a vehicle was on before, for some time after it named another or none.

    Parameters
    ----------
    vehicle, performed, time_s
        By vehicle and there by time, shape (pings,).
    out
        Takes the performed trip before, NONE where there is none or it is too long ago, shape (pings,).
    """
    for ping in range(len(vehicle)):
        row = vehicle[ping]
        if performed[ping] != tails.now[row]:
            if tails.now[row] >= 0:
                tails.before[row], tails.left_s[row] = tails.now[row], tails.last_s[row]
            tails.now[row] = performed[ping]
        tails.last_s[row] = time_s[ping]
        is_after = tails.before[row] != performed[ping] and time_s[ping] - tails.left_s[row] <= tail_s
        out[ping] = tails.before[row] if is_after else NONE
    return out


@njit(cache=True, nogil=True)
def order_by_vehicle(vehicle: Integers, time_s: Floats, lat: Floats, lon: Floats, rank: Integers) -> Integers:
    """Order of pings by vehicle and there by time, then place, then rank, shape (pings,); stable.

    A count of vehicles, then insertion: pings of a vehicle come almost in order.
    """
    pings = len(vehicle)
    start = np.zeros((vehicle.max() if pings else 0) + 2, np.int64)
    for ping in range(pings):
        start[vehicle[ping] + 1] += 1
    start = np.cumsum(start)
    fill = start.copy()
    order = np.empty(pings, np.int64)
    for ping in range(pings):
        row = vehicle[ping]
        place = fill[row]
        fill[row] += 1
        while place > start[row] and _before(ping, order[place - 1], time_s, lat, lon, rank):
            order[place] = order[place - 1]
            place -= 1
        order[place] = ping
    return order


@njit(cache=True, nogil=True)
def _before(one: int, other: int, time_s: Floats, lat: Floats, lon: Floats, rank: Integers) -> bool:
    if time_s[one] != time_s[other]:
        return bool(time_s[one] < time_s[other])
    if lat[one] != lat[other]:
        return bool(lat[one] < lat[other])
    if lon[one] != lon[other]:
        return bool(lon[one] < lon[other])
    return bool(rank[one] < rank[other])


@njit(cache=True, nogil=True)
def screen(
    vehicle: Integers, time_s: Floats, lon: Floats, lat: Floats, fixes: Fixes, limits: Limits, out: Integers
) -> Integers:
    """Find repeated pings and impossible jumps.

    A ping that follows the last kept one within ``duplicate_s`` is a duplicate. One that could be reached only faster
    than ``speed_mps`` is a jump; but where the next one confirms it, the place before was the mistake, and the vehicle
    goes on from there. A jump that is repeated within ``duplicate_s`` confirms nothing.

    Returns
    -------
    ``out``: KEPT, DUPLICATE or JUMP, shape (pings,).
    """
    for ping in range(len(vehicle)):
        row = vehicle[ping]
        kept, refused = fixes.kept[row], fixes.refused[row]
        out[ping] = KEPT
        if time_s[ping] - kept[0] < limits.duplicate_s:
            out[ping] = DUPLICATE
            continue
        if _too_fast(kept, time_s[ping], lon[ping], lat[ping], limits.speed_mps):
            if time_s[ping] - refused[0] < limits.duplicate_s:
                out[ping] = DUPLICATE
                continue
            confirms = not np.isnan(refused[0]) and not _too_fast(
                refused, time_s[ping], lon[ping], lat[ping], limits.speed_mps
            )
            if not confirms:
                out[ping] = JUMP
                refused[0], refused[1], refused[2] = time_s[ping], lon[ping], lat[ping]
                continue
        kept[0], kept[1], kept[2] = time_s[ping], lon[ping], lat[ping]
        refused[0] = np.nan
    return out


@njit(cache=True, nogil=True)
def _too_fast(fix: Floats, time_s: float, lon: float, lat: float, speed_mps: float) -> bool:
    return bool(apart_m(fix[1], fix[2], lon, lat) > speed_mps * (time_s - fix[0]))


@njit(cache=True, nogil=True)
def apart_m(lon_a: float, lat_a: float, lon_b: float, lat_b: float) -> float:
    """Distance of two near places on a sphere; NaN where one is unknown."""
    degree_m = 111_195.0
    north = (lat_b - lat_a) * degree_m
    east = (lon_b - lon_a) * degree_m * np.cos(np.radians(0.5 * (lat_a + lat_b)))
    apart_m: float = np.hypot(north, east)
    return apart_m


@njit(cache=True, nogil=True)
def choose_trips(
    meaning: Integers,
    day: Integers,
    time_s: Floats,
    candidate_start: Integers,
    candidate: Integers,
    calendar: Calendar,
    out: Integers,
) -> Integers:
    """Choose trip and service day of pings by time.

    Of the trips that are meant, on the day that is named or else on any, the one is chosen whose span from departure to
    arrival is nearest in time; days without service count as :data:`NO_SERVICE_S` farther. Of several under way the
    last to have left is taken. A day can be meant while its clock shows no less than -24 h and less than 48 h, and a
    trip no more than :data:`MOST_AWAY_S` away from its span, whatever is named.

    Parameters
    ----------
    meaning
        Row of the candidates, shape (pings,); negative for none.
    day
        Day that is named, shape (pings,); negative for none.
    candidate_start, candidate
        Trips of each meaning as compressed rows.
    out
        Takes trip and day, NONE where there is none, shape (pings, 2).
    """
    days = len(calendar.origin_s)
    for ping in range(len(meaning)):
        out[ping, 0] = out[ping, 1] = NONE
        if meaning[ping] < 0:
            continue
        today = int((time_s[ping] - calendar.origin_s[0]) // DAY_S)  # or a day off, where clocks change
        first, end = today - 2, today + 3
        if day[ping] >= 0:
            first, end = day[ping] - calendar.first_day, day[ping] - calendar.first_day + 1
        least, left_s = np.inf, -np.inf
        for place in range(candidate_start[meaning[ping]], candidate_start[meaning[ping] + 1]):
            trip = candidate[place]
            for number in range(max(first, 0), min(end, days)):
                clock_s = time_s[ping] - calendar.origin_s[number]
                if not -DAY_S <= clock_s < 2 * DAY_S:
                    continue
                away_s = max(calendar.trip_span_s[trip, 0] - clock_s, clock_s - calendar.trip_span_s[trip, 1], 0.0)
                if away_s > MOST_AWAY_S:
                    continue
                if day[ping] < 0 and not calendar.runs[calendar.trip_service[trip], number]:
                    away_s += NO_SERVICE_S
                starts_s = calendar.trip_span_s[trip, 0] + calendar.origin_s[number]
                if away_s < least or (away_s == least and starts_s > left_s):
                    least, left_s = away_s, starts_s
                    out[ping, 0], out[ping, 1] = trip, number + calendar.first_day
    return out
