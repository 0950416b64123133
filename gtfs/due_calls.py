"""Every call that was due: those of trips that were performed, and those of trips that never came."""

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from gtfs.columns import spans, starts
from gtfs.on_time import Position, Punctuality
from gtfs.replay_result import ReplayResult
from gtfs.stop_visits import Quality
from networks.network import NONE, FloatArray, IntArray

Integers = npt.NDArray[np.integer]
Scalar = TypeVar("Scalar", bound=np.generic)


@dataclass(frozen=True, slots=True, eq=False)
class DueTrips:
    """Trips performed and missing, by service day and id.

    ``performed`` is the row of the performed trip, NONE where it is missing, ``trip`` that of the timetable's trip;
    shape (trips,) each.
    """

    ids: tuple[str, ...]
    performed: IntArray
    trip: IntArray
    day: IntArray

    def __len__(self) -> int:
        """Count of trips."""
        return len(self.ids)


@dataclass(frozen=True, slots=True, eq=False)
class DueCalls:
    """Calls of due trips, trip after trip, shape (calls,) each.

    Attributes
    ----------
    trips
        Whose calls they are.
    start
        Calls of due trip ``t`` are rows ``start[t]:start[t + 1]``, shape (trips + 1,).
    owner
        Row of the due trip.
    call
        Row among the calls of the plan's timetable.
    visit
        Row among the visits of the result, NONE where the trip is missing.
    position
        Values of :class:`gtfs.on_time.Position`.
    scheduled_arrival_s, scheduled_departure_s, arrival_s, departure_s
        Epoch seconds; what nobody saw is NaN.
    deviation_s
        Actual minus scheduled of the time that judges, NaN where unknown.
    punctuality
        Values of :class:`gtfs.on_time.Punctuality`; calls that were skipped, and those of missing trips, are missing.
    quality
        Values of :class:`gtfs.stop_visits.Quality`.
    """

    trips: DueTrips
    start: IntArray
    owner: IntArray
    call: IntArray
    visit: IntArray
    position: Integers
    scheduled_arrival_s: FloatArray
    scheduled_departure_s: FloatArray
    arrival_s: FloatArray
    departure_s: FloatArray
    deviation_s: FloatArray
    punctuality: Integers
    quality: Integers

    def __len__(self) -> int:
        """Count of calls."""
        return len(self.call)


def due_calls(result: ReplayResult) -> DueCalls:
    """Join the visits of a result with the calls of its missing trips."""
    plan, visits, trips = result.plan, result.visits, _due_trips(result)
    counts = np.diff(plan.calls.start)[trips.trip]
    start, call = starts(counts), spans(plan.calls.start, trips.trip)
    owner = np.repeat(np.arange(len(trips), dtype=np.int32), counts)
    origin_s = plan.origins_s(trips.day)[owner]
    performed = trips.performed[owner]
    place = np.arange(len(call), dtype=np.int32) - start[owner]
    visit = np.where(performed < 0, NONE, visits.start[performed] + place).astype(np.int32)
    return DueCalls(
        trips=trips,
        start=start,
        owner=owner,
        call=call,
        visit=visit,
        position=np.select([place == counts[owner] - 1, place == 0], [Position.END, Position.ORIGIN], Position.MIDDLE),
        scheduled_arrival_s=origin_s + plan.calls.arrival_s[call],
        scheduled_departure_s=origin_s + plan.calls.departure_s[call],
        arrival_s=of_visits(visits.arrival_s, visit, np.nan),
        departure_s=of_visits(visits.departure_s, visit, np.nan),
        deviation_s=of_visits(visits.deviation_s, visit, np.nan),
        punctuality=of_visits(visits.judged(result.rule), visit, Punctuality.MISSING),
        quality=of_visits(visits.quality, visit, Quality.UNKNOWN),
    )


def counted_once(due: DueCalls) -> npt.NDArray[np.bool_]:
    """Which rows stand for a call that was due, shape (calls,): one each, also where two vehicles drove the trip.

    That is the row of which most is known: a time, else that the call was left out; of several the first.
    """
    left_out, unknown = due.punctuality == Punctuality.MISSING, due.punctuality == Punctuality.UNKNOWN
    trip, day = due.trips.trip[due.owner], due.trips.day[due.owner]
    order = np.lexsort((due.owner, left_out + 2 * unknown, due.call, trip, day))
    keys = np.stack((day, trip, due.call))[:, order]
    once = np.zeros(len(due), dtype=np.bool_)
    once[order] = np.append(True, (np.diff(keys) != 0).any(axis=0))[: len(due)]
    return once


def of_visits(column: npt.NDArray[Scalar], visit: IntArray, blank: float) -> npt.NDArray[Scalar]:
    """A column of visits by due call, ``blank`` where the trip is missing, shape (calls,)."""
    # NONE is -1, and so finds the blank at the end.
    return np.concatenate((column, np.array([blank], dtype=column.dtype)))[visit]


def _due_trips(result: ReplayResult) -> DueTrips:
    ids = result.plan.timetable.trips.ids
    days, trips = result.performed.day.tolist(), result.performed.trip.tolist()
    performed = list(zip(days, result.trip_ids, range(len(days)), trips, strict=True))
    missing = [(day, ids[trip], NONE, trip) for trip, day in result.missing]
    rows = sorted(performed + missing)
    day, row, trip = (np.array([part[place] for part in rows], dtype=np.int32) for place in (0, 2, 3))
    return DueTrips(tuple(part[1] for part in rows), row, trip, day)
