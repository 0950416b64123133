"""Kernels that keep the trips which may still go on in rows, and use the rows of others again; compiled by numba."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

Rows = npt.NDArray[np.int32]
Integers = npt.NDArray[np.integer]
Floats = npt.NDArray[np.float64]

NONE = -1
TOLD, USED, FREE = 0, 1, 2
"""Counts: of trips so far, of rows that were ever used, and of those of them that are free."""
LAST, NOW = 0, 1
"""Columns of the latest trips of vehicles: the one that appeared last, and the one of the last ping."""


class Roster(NamedTuple):
    """Trips that may still go on, shape (rows,) each; a row that is free has the number NONE.

    ``number`` counts the performed trips in order of appearance. ``evidence`` is a value of
    :class:`gtfs.trip_claims.Evidence`, ``origin_s`` the moment from which the trip's day counts. No ping after
    ``over_s`` can be of the trip, unless the vehicle is on it until then. ``before`` is the row of the vehicle's trip
    that appeared before, ``free`` has the rows that are free.
    """

    number: Rows
    vehicle: Rows
    trip: Rows
    day: Rows
    evidence: npt.NDArray[np.int8]
    origin_s: Floats
    over_s: Floats
    before: Rows
    free: Rows


class Served(NamedTuple):
    """What pings serve, by vehicle and there by time, shape (pings,): NONE for the trip where it is not known."""

    vehicle: Integers
    trip: Integers
    day: Integers
    evidence: Integers
    time_s: Floats
    origin_s: Floats


@njit(cache=True, nogil=True)
def find_rows(
    served: Served,
    end_s: Floats,
    roster: Roster,
    latest: Integers,
    counts: Integers,
    out: Integers,
    begun: Integers,
    over: Integers,
) -> tuple[int, int]:
    """Find the rows of the trips that pings are of; a trip that is not there yet takes a free one.

    Where a vehicle goes to another trip, those of its trips that are over give up their rows: they are told, and free
    only when the caller says so, as pings before may be of them.

    Parameters
    ----------
    end_s
        Until when each trip of the timetable can be meant, on the clock of its day, shape (trips,).
    roster
        Has room for as many more trips as pings begin.
    latest
        Rows of each vehicle's trip that appeared last, and of that of its last ping, shape (vehicles, 2).
    counts
        See :data:`TOLD`, shape (3,).
    out
        Takes the rows, NONE where no trip is known, shape (pings,).
    begun, over
        Take the rows of trips that began and of those that are over.

    Returns
    -------
    Counts of trips that began, and of those that are over.
    """
    begins = ends = 0
    for ping in range(len(out)):
        vehicle, trip, day = served.vehicle[ping], served.trip[ping], served.day[ping]
        if trip < 0:
            out[ping] = latest[vehicle, NOW] = NONE
            continue
        row = latest[vehicle, NOW]
        if row >= 0 and roster.trip[row] == trip and roster.day[row] == day:
            out[ping] = row
            continue
        found, after, row = NONE, NONE, latest[vehicle, LAST]
        while row != NONE:
            following = roster.before[row]
            if roster.trip[row] == trip and roster.day[row] == day:
                found, after = row, row
            elif roster.over_s[row] < served.time_s[ping]:
                over[ends], ends = row, ends + 1
                if after == NONE:
                    latest[vehicle, LAST] = following
                else:
                    roster.before[after] = following
            else:
                after = row
            row = following
        if found == NONE:
            found = _begin(ping, served, end_s, roster, latest, counts)
            begun[begins], begins = found, begins + 1
        out[ping] = latest[vehicle, NOW] = found
    return begins, ends


@njit(cache=True, nogil=True)
def _begin(ping: int, served: Served, end_s: Floats, roster: Roster, latest: Integers, counts: Integers) -> int:
    """Take a row for the trip of a ping."""
    if counts[FREE]:
        counts[FREE] -= 1
        row = roster.free[counts[FREE]]
    else:
        row = counts[USED]
        counts[USED] += 1
    vehicle = served.vehicle[ping]
    roster.number[row], roster.vehicle[row] = counts[TOLD], vehicle
    roster.trip[row], roster.day[row] = served.trip[ping], served.day[ping]
    roster.evidence[row], roster.origin_s[row] = served.evidence[ping], served.origin_s[ping]
    roster.over_s[row] = served.origin_s[ping] + end_s[served.trip[ping]]
    roster.before[row] = latest[vehicle, LAST]
    latest[vehicle, LAST] = row
    counts[TOLD] += 1
    return int(row)
