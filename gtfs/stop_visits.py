"""Stop visits: every call of the trips that were performed, with what is known of when it was served."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from gtfs.columns import spans, starts
from gtfs.on_time import OnTimeRule, Position, judged_deviation_s, punctuality
from gtfs.performed_trips import PerformedTrips
from gtfs.trace_kernels import ARRIVAL, DEPARTURE, SKIPPED, Crossings
from gtfs.trace_plan import TracePlan
from networks.network import FloatArray, IntArray

BoolArray = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.integer]


class Quality(IntEnum):
    """How well a visit is known.

    OBSERVED: a ping lay in the stop's zone. INTERPOLATED: pings before and after it were near enough in time. UNKNOWN:
    nobody can tell, and its times are blank.
    """

    UNKNOWN = 0
    INTERPOLATED = 1
    OBSERVED = 2


@dataclass(frozen=True, slots=True, eq=False)
class StopVisits:
    """Calls of performed trips, trip after trip in the order of ``performed``, shape (visits,) each.

    Attributes
    ----------
    performed
        Row of the performed trip that each visit belongs to.
    start
        Visits of performed trip ``p`` are rows ``start[p]:start[p + 1]``, shape (performed + 1,).
    call
        Row among the calls of the plan's timetable.
    scheduled_arrival_s, scheduled_departure_s
        Epoch seconds.
    arrival_s, departure_s
        When the vehicle came into the stop's zone and left it, in epoch seconds; NaN where that is not known.
    arrival_until_s, departure_until_s
        The ping after either, in epoch seconds, NaN where there is none.
    arrival_gap_s, departure_gap_s
        Time between that and the ping before.
    is_skipped
        Whether the vehicle went another way and left the stop out.
    quality
        Values of :class:`Quality`.
    """

    performed: IntArray
    start: IntArray
    call: IntArray
    scheduled_arrival_s: FloatArray
    scheduled_departure_s: FloatArray
    arrival_s: FloatArray
    departure_s: FloatArray
    arrival_until_s: FloatArray
    departure_until_s: FloatArray
    arrival_gap_s: FloatArray
    departure_gap_s: FloatArray
    is_skipped: BoolArray
    quality: npt.NDArray[np.int8]

    def __len__(self) -> int:
        """Count of visits."""
        return len(self.call)

    @property
    def position(self) -> Integers:
        """Values of :class:`gtfs.on_time.Position`."""
        place: Integers = np.full(len(self), Position.MIDDLE, dtype=np.int8)
        filled = np.flatnonzero(np.diff(self.start))
        place[self.start[filled]] = Position.ORIGIN
        place[self.start[filled + 1] - 1] = Position.END
        return place

    @property
    def deviation_s(self) -> FloatArray:
        """Actual minus scheduled of the time that judges a visit: arrival at the trip's end, else departure."""
        return judged_deviation_s(
            self.position, self.scheduled_arrival_s, self.scheduled_departure_s, self.arrival_s, self.departure_s
        )

    def judged(self, rule: OnTimeRule) -> Integers:
        """Values of :class:`gtfs.on_time.Punctuality`; a stop that was skipped is missing."""
        return punctuality(rule, self.position, self.deviation_s, self.is_skipped)


def stop_visits(plan: TracePlan, performed: PerformedTrips, crossings: Crossings, known_s: float) -> StopVisits:
    """Every call of the performed trips.

    Parameters
    ----------
    crossings
        What happened at calls, in any order.
    known_s
        A time between pings farther apart is not given; the gap is.
    """
    trip = performed.trip
    counts = np.diff(plan.calls.start)[trip]
    start, call = starts(counts), spans(plan.calls.start, trip)
    owner = np.repeat(np.arange(len(performed), dtype=np.int32), counts)
    origin_s = np.repeat(plan.origins_s(performed.day), counts)
    row = start[crossings.performed] + crossings.call - plan.calls.start[trip[crossings.performed]]
    arrival, departure = (_noted(len(call), row, crossings, kind, known_s) for kind in (ARRIVAL, DEPARTURE))
    is_skipped = np.zeros(len(call), dtype=np.bool_)
    is_skipped[row[crossings.kind == SKIPPED]] = True
    is_known = np.isfinite(arrival.time_s) | np.isfinite(departure.time_s)
    between = is_known & ~(arrival.until_s == departure.until_s)
    return StopVisits(
        performed=owner,
        start=start,
        call=call,
        scheduled_arrival_s=origin_s + plan.calls.arrival_s[call],
        scheduled_departure_s=origin_s + plan.calls.departure_s[call],
        arrival_s=arrival.time_s,
        departure_s=departure.time_s,
        arrival_until_s=arrival.until_s,
        departure_until_s=departure.until_s,
        arrival_gap_s=arrival.gap_s,
        departure_gap_s=departure.gap_s,
        is_skipped=is_skipped,
        quality=np.select([between, is_known], [Quality.OBSERVED, Quality.INTERPOLATED], Quality.UNKNOWN).astype(
            np.int8
        ),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Noted:
    time_s: FloatArray
    until_s: FloatArray
    gap_s: FloatArray


def _noted(visits: int, row: Integers, crossings: Crossings, kind: int, known_s: float) -> _Noted:
    """Crossings of one kind by visit; the time is left blank where the gap is too long."""
    of_kind = np.flatnonzero(crossings.kind == kind)
    place = row[of_kind]
    columns = np.full((3, visits), np.nan)
    for column, values in zip(columns, (crossings.time_s, crossings.until_s, crossings.gap_s), strict=True):
        column[place] = values[of_kind]
    time_s, until_s, gap_s = columns
    return _Noted(np.where(gap_s <= known_s, time_s, np.nan), until_s, gap_s)
