"""What the kernels that read a trace share: how they are compiled, the arrays that they take, what they find.

Pings come sorted by vehicle and there by time. What a kernel must know of earlier pings stands in arrays that the
caller keeps, so that a trace may come in pieces of any size and gives the same as at once.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt
from numba import njit

Kernel = TypeVar("Kernel", bound=Callable[..., Any])

Integers = npt.NDArray[np.integer]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

NONE = -1
KEPT, DUPLICATE, JUMP = 0, 1, 2
"""What screening finds a ping to be."""
MATCHED, OFF_ROUTE, NOT_STARTED, FINISHED, NO_TRIP = 0, 1, 2, 3, 4
"""What matching finds a ping to be."""
ARRIVAL, DEPARTURE, SKIPPED = 0, 1, 2
"""What happened at a call."""
DAY_S = 86_400
MOST_AWAY_S = 12 * 3600.0
"""A trip is not meant so long before its departure or after its arrival: that is another day's."""
AHEAD = 16
"""So many calls ahead are watched while a vehicle is off its route."""


def uncounted(function: Kernel) -> Kernel:
    """Compile what allocates nothing, without references being counted: that costs several times the work itself."""
    compiled: Kernel = njit(cache=True, nogil=True, forceinline=True, _nrt=False)(function)  # type: ignore[call-overload]  # private
    return compiled


class Limits(NamedTuple):
    """Parameters of the kernels; see :class:`gtfs.trace_settings.TraceSettings`."""

    duplicate_s: float
    speed_mps: float
    moving_mps: float
    noise_m: float
    detour_m: float
    slack_m: float
    off_route_m: float
    early_s: float
    bridge_s: float
    zone_m: float
    dwell_s: float
    run_mps: float
    skip_m: float
    known_s: float


class Lines(NamedTuple):
    """Patterns as lines, see :class:`gtfs.pattern_lines.PatternLines`.

    ``unit`` is the direction from each corner to the next, nothing where they are one place, shape (corners, 2).
    """

    start: Integers
    corner_m: Floats
    unit: Floats
    way_m: Floats
    frame: Floats


class Plan(NamedTuple):
    """Trips and their calls: pattern of each trip, first call of each (and the end), place, times and stop of calls.

    ``call_lonlat`` has the stops' degrees, shape (calls, 2).
    """

    pattern: Integers
    call_start: Integers
    call_way_m: Floats
    call_time_s: Floats
    call_lonlat: Floats


class Samples(NamedTuple):
    """Pings, shape (pings,) each.

    ``performed`` is the row of the performed trip that they belong to and ``trip`` that of the timetable's, both NONE
    where unknown; ``time_s`` is in epoch seconds, ``clock_s`` on the clock of the service day.
    """

    performed: Integers
    trip: Integers
    time_s: Floats
    clock_s: Floats
    lon: Floats
    lat: Floats
    heading_deg: Floats
    speed_mps: Floats


class Fixes(NamedTuple):
    """The pings of each vehicle so far: the newest time, the last one kept, and the one refused after it.

    ``kept`` and ``refused`` are time, longitude and latitude, NaN where there is none, shape (vehicles, 3).
    """

    newest_s: Floats
    doubted_s: Floats
    kept: Floats
    refused: Floats


class Tails(NamedTuple):
    """The performed trip that each vehicle is on and the one before, NONE where there is none.

    ``left_s`` is its last ping on the one before, ``last_s`` its last of all, shape (vehicles,) each.
    """

    now: Integers
    before: Integers
    left_s: Floats
    last_s: Floats


class Progress(NamedTuple):
    """How far each performed trip has come, NaN before it was found on its line.

    ``way_m`` along the line, at ``time_s``; ``lonlat`` was the vehicle's place then. ``segment`` is the corner before.
    ``begun_m`` is where it was found first, ``begun_s`` when it was last seen standing there, NaN if never.
    """

    way_m: Floats
    time_s: Floats
    lonlat: Floats
    segment: Integers
    begun_m: Floats
    begun_s: Floats


class Passage(NamedTuple):
    """Where each performed trip was last seen on its line, and what it did off it since.

    ``way_m``, ``time_s`` of the last ping on the line, NaN before the first. ``last`` is the time, longitude and
    latitude of the last ping of any kind, shape (performed, 3). ``is_off`` since a ping off the line; then ``gap_s`` is
    the longest time between pings, and ``near_m``, shape (performed, AHEAD), how near it came to each of the calls from
    the one ahead on.
    """

    way_m: Floats
    time_s: Floats
    last: Floats
    is_off: Flags
    gap_s: Floats
    near_m: Floats


class Crossings(NamedTuple):
    """What happened at calls, shape (crossings,).

    The performed trip, the call (row of the plan), the kind and when; the time of the ping after it, and between that
    and the ping before; how near a stop that was skipped was passed.
    """

    performed: Integers
    call: Integers
    kind: Integers
    time_s: Floats
    until_s: Floats
    gap_s: Floats
    near_m: Floats


class Calendar(NamedTuple):
    """Service days from ``first_day`` on.

    The epoch second from which each counts, shape (days,), and whether a service runs, shape (services, days); the
    service of each trip, and its first departure and last arrival, shape (trips,) and (trips, 2).
    """

    first_day: int
    origin_s: Floats
    runs: Flags
    trip_service: Integers
    trip_span_s: Floats
