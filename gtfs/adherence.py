"""How late vehicles are against their timetable: actual minus scheduled, late is positive, as in TIDES."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gtfs.kernels import ARRIVAL, DEPARTURE, next_call, schedule_deviation
from networks.network import NONE, FloatArray, IntArray

AT_CALL_M = 1.0
"""So near to a call a vehicle is at it, unless a caller knows its positions to be worse.

The call's own waiting time counts within it, so that a wider one hides no lateness where calls have one moment alone.
"""

Integers = npt.NDArray[np.integer]


@dataclass(frozen=True, slots=True, eq=False)
class ScheduledCalls:
    """The calls of all trips by distance along their patterns. Build one with :func:`scheduled_calls`.

    Attributes
    ----------
    start
        Calls of trip ``t`` are rows ``start[t]:start[t + 1]``, shape (trips + 1,).
    distance_m
        Along the pattern, not falling along a trip, shape (calls,).
    time_s
        Scheduled arrival and departure, shape (calls, 2).
    """

    start: IntArray
    distance_m: FloatArray
    time_s: FloatArray

    @property
    def arrival_s(self) -> FloatArray:
        """Scheduled arrivals, shape (calls,)."""
        return self.time_s[:, ARRIVAL]

    @property
    def departure_s(self) -> FloatArray:
        """Scheduled departures, shape (calls,)."""
        return self.time_s[:, DEPARTURE]

    @property
    def trips(self) -> int:
        """Count of trips."""
        return len(self.start) - 1


def scheduled_calls(
    call_start: npt.ArrayLike, distance_m: npt.ArrayLike, arrival_s: npt.ArrayLike, departure_s: npt.ArrayLike
) -> ScheduledCalls:
    """Put calls into the form that the kernels take, and check them once.

    Blank times are interpolated before, or their calls left out.

    Parameters
    ----------
    call_start
        First call of each trip, and the end of the last one's, shape (trips + 1,).
    distance_m, arrival_s, departure_s
        By trip and distance, shape (calls,).

    Raises
    ------
    ValueError
        Where the shapes do not fit, a value is not finite, or distances fall along a trip.
    """
    start = np.asarray(call_start, dtype=np.int32)
    columns = [np.asarray(column, dtype=np.float64) for column in (distance_m, arrival_s, departure_s)]
    shape = columns[0].shape
    if any(column.shape != shape for column in columns) or len(shape) != 1:
        raise ValueError("distances, arrivals and departures must be columns of one length")
    if start.ndim != 1 or start[:1].tolist() != [0] or start[-1] != shape[0] or (np.diff(start) < 0).any():
        raise ValueError("the rows of trips must begin at 0, end with the calls and never step back")
    if not all(np.isfinite(column).all() for column in columns):
        raise ValueError("every call needs a distance, an arrival and a departure")
    falls = np.flatnonzero(np.diff(columns[0]) < 0) + 1
    if not np.isin(falls, start).all():
        raise ValueError("distances must not fall along a trip")
    return ScheduledCalls(start, np.ascontiguousarray(columns[0]), np.column_stack(columns[1:]))


def deviations_s(
    calls: ScheduledCalls,
    trip: Integers,
    distance_m: FloatArray,
    time_s: FloatArray,
    tolerance_m: float = AT_CALL_M,
    out: FloatArray | None = None,
) -> FloatArray:
    """Actual minus scheduled in seconds of each sample, shape (samples,); NaN where nothing can be said.

    Parameters
    ----------
    trip
        Row of each sample's trip, shape (samples,); negative where it is unknown.
    distance_m, time_s
        Where along the pattern, and when, shape (samples,).
    tolerance_m
        So near to a call a vehicle is at it, see :func:`gtfs.kernels.schedule_deviation`.
    out
        Takes the answer and is returned, so that a loop need not allocate.

    Raises
    ------
    ValueError
        Where the columns are not of one length.
    """
    out = np.empty(len(trip), dtype=np.float64) if out is None else out
    _require_alike(trip, distance_m, time_s, out)
    schedule_deviation(trip, distance_m, time_s, calls.start, calls.distance_m, calls.time_s, tolerance_m, out)
    return out


def next_calls(
    calls: ScheduledCalls,
    trip: Integers,
    distance_m: FloatArray,
    tolerance_m: float = AT_CALL_M,
    out: IntArray | None = None,
) -> IntArray:
    """Row of the call that each vehicle is at or comes to next, shape (samples,); NONE past the last or if unknown.

    Raises
    ------
    ValueError
        Where the columns are not of one length.
    """
    out = np.full(len(trip), NONE, dtype=np.int32) if out is None else out
    _require_alike(trip, distance_m, out)
    next_call(trip, distance_m, calls.start, calls.distance_m, tolerance_m, out)
    return out


def _require_alike(*columns: npt.NDArray[np.generic]) -> None:
    if len({column.shape for column in columns}) > 1 or columns[0].ndim != 1:
        raise ValueError("samples must be columns of one length")
