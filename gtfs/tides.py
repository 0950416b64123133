"""Stop visits and trips performed as tables with the columns of TIDES 1.0, and columns of ours behind them.

Both are built column by column, so that millions of visits take seconds. What is not known is null: a missing time is
never filled with the plan's.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from gtfs.arrow_columns import Integers, labels, moments, reals, wholes
from gtfs.due_calls import DueCalls, of_visits
from gtfs.on_time import Punctuality
from gtfs.replay_result import ReplayResult
from gtfs.stop_visits import BoolArray, Quality
from gtfs.trace_plan import day_date
from gtfs.trip_claims import Evidence
from networks.network import NONE, FloatArray, IntArray

PUNCTUALITY = {
    Punctuality.EARLY: "early",
    Punctuality.ON_TIME: "on time",
    Punctuality.LATE: "late",
    Punctuality.MISSING: "missing",
    Punctuality.UNKNOWN: "unknown",
}
QUALITY = {Quality.UNKNOWN: "unknown", Quality.INTERPOLATED: "interpolated", Quality.OBSERVED: "observed"}
EVIDENCE = {
    Evidence.NOTHING: "nothing",
    Evidence.TRIP_ID: "trip id",
    Evidence.ID_PREFIX: "begin of the trip id",
    Evidence.ROUTE_AND_START: "route and start time",
    Evidence.BLOCK: "block and time",
    Evidence.GEOMETRY: "way driven",
}
SCHEDULED, SKIPPED, ADDED, MISSING = RELATIONSHIPS = ("Scheduled", "Skipped", "Added", "Missing")
IN_SERVICE = "In service"


def stop_visits_table(result: ReplayResult, due: DueCalls) -> pa.Table:
    """A row for each call that was due, by service day, trip and place in the trip.

    ``trip_stop_sequence`` counts from 1, ``scheduled_stop_sequence`` is the feed's; ``dwell`` (s) and ``distance`` (m),
    the way since the trip's first call, have the names of TIDES. Deviations are actual minus scheduled; ``deviation_s``
    is the one that judges. A gap is the time between the pings around an arrival or departure.
    ``schedule_relationship`` is Missing where nobody drove the trip, Skipped where the vehicle left the stop out, Added
    where the trip ran on a day that is not its own.
    """
    plan, trips = result.plan, due.trips
    table, zone = plan.timetable, plan.timetable.timezone
    owner, call, trip = due.owner, due.call, trips.trip[due.owner]
    pattern = table.trips.pattern[trip]
    first = plan.calls.start[trip]
    visits = result.visits
    gaps = (of_visits(column, due.visit, np.nan) for column in (visits.arrival_gap_s, visits.departure_gap_s))
    arrival_gap_s, departure_gap_s = gaps
    return pa.table(
        {
            "service_date": _dates(trips.day, owner),
            "trip_id_performed": labels(trips.ids, owner),
            "trip_stop_sequence": wholes(call - first + 1),
            "scheduled_stop_sequence": wholes(table.calls.stop_sequence[call]),
            "pattern_id": labels(table.patterns.ids, pattern),
            "route_id": labels(table.routes.ids, table.patterns.route[pattern]),
            "direction_id": wholes(table.patterns.direction[pattern]),
            "vehicle_id": labels(result.vehicles, _vehicle(result, trips.performed)[owner]),
            "stop_id": labels(table.stops.ids, table.call_stop[call]),
            "timepoint": pa.array(table.calls.timepoint[call]),
            "schedule_arrival_time": moments(due.scheduled_arrival_s, zone),
            "schedule_departure_time": moments(due.scheduled_departure_s, zone),
            "actual_arrival_time": moments(due.arrival_s, zone),
            "actual_departure_time": moments(due.departure_s, zone),
            "dwell": reals(due.departure_s - due.arrival_s),
            "distance": reals(plan.calls.distance_m[call] - plan.calls.distance_m[first]),
            "arrival_deviation_s": reals(due.arrival_s - due.scheduled_arrival_s),
            "departure_deviation_s": reals(due.departure_s - due.scheduled_departure_s),
            "deviation_s": reals(due.deviation_s),
            "punctuality": _words(PUNCTUALITY, due.punctuality),
            "quality": _words(QUALITY, due.quality),
            "schedule_relationship": labels(RELATIONSHIPS, _relationship(result, due)),
            "arrival_gap_s": reals(arrival_gap_s),
            "departure_gap_s": reals(departure_gap_s),
        }
    )


def trips_performed_table(result: ReplayResult) -> pa.Table:
    """A row for each trip that was performed, by service day, trip and vehicle.

    A trip starts with the departure from its first call and ends with the arrival at its last one. ``evidence`` says by
    what the vehicle's trip was found. ``calls_known`` are those with a time; deviations are over the calls that have
    one.
    """
    plan = result.plan
    table, visits, zone = plan.timetable, result.visits, plan.timetable.timezone
    trip, vehicle, day, evidence = _performed(result)
    pattern = table.trips.pattern[trip]
    first, last = visits.start[:-1], visits.start[1:] - 1
    count = len(trip)
    is_matched = np.isfinite(result.matched.way_m)
    mean_s, max_s = _deviations(visits.start, visits.deviation_s)
    relationship = np.where(is_added(result, trip, day), RELATIONSHIPS.index(ADDED), RELATIONSHIPS.index(SCHEDULED))
    return pa.table(
        {
            "service_date": _dates(day, np.arange(count)),
            "trip_id_performed": labels(result.trip_ids, np.arange(count)),
            "vehicle_id": labels(result.vehicles, vehicle),
            "trip_id_scheduled": labels(table.trips.trip_ids, trip),
            "route_id": labels(table.routes.ids, table.patterns.route[pattern]),
            "direction_id": wholes(table.patterns.direction[pattern]),
            "pattern_id": labels(table.patterns.ids, pattern),
            "block_id": labels(table.trips.block_ids, trip),
            "trip_start_stop_id": labels(table.stops.ids, table.call_stop[visits.call[first]]),
            "trip_end_stop_id": labels(table.stops.ids, table.call_stop[visits.call[last]]),
            "schedule_trip_start": moments(visits.scheduled_departure_s[first], zone),
            "schedule_trip_end": moments(visits.scheduled_arrival_s[last], zone),
            "actual_trip_start": moments(visits.departure_s[first], zone),
            "actual_trip_end": moments(visits.arrival_s[last], zone),
            "trip_type": labels([IN_SERVICE], np.zeros(count, dtype=np.int32)),
            "schedule_relationship": labels(RELATIONSHIPS, relationship),
            "evidence": _words(EVIDENCE, evidence),
            "pings": wholes(_count(result.matched.performed, count)),
            "pings_matched": wholes(_count(result.matched.performed[is_matched], count)),
            "calls": wholes(np.diff(visits.start)),
            "calls_known": wholes(_count(visits.performed[visits.quality != Quality.UNKNOWN], count)),
            "mean_deviation_s": reals(mean_s),
            "max_deviation_s": reals(max_s),
        }
    )


def is_added(result: ReplayResult, trip: IntArray, day: IntArray) -> BoolArray:
    """Whether each trip ran on a day on which the feed has no such trip, shape (trips,)."""
    added = np.zeros(len(trip), dtype=np.bool_)
    for one in np.unique(day).tolist():
        rows = np.flatnonzero(day == one)
        added[rows] = ~result.plan.services_running(one)[result.plan.trip_service[trip[rows]]]
    return added


def _relationship(result: ReplayResult, due: DueCalls) -> Integers:
    trips = due.trips
    is_skipped = of_visits(result.visits.is_skipped, due.visit, 0)
    of_trip = np.where(
        trips.performed < 0,
        RELATIONSHIPS.index(MISSING),
        np.where(is_added(result, trips.trip, trips.day), RELATIONSHIPS.index(ADDED), RELATIONSHIPS.index(SCHEDULED)),
    )
    return np.where(is_skipped, RELATIONSHIPS.index(SKIPPED), of_trip[due.owner])


def _performed(result: ReplayResult) -> tuple[IntArray, IntArray, IntArray, IntArray]:
    """Trip, vehicle, day and evidence of the performed trips, shape (performed,) each."""
    performed = result.performed
    return performed.trip, performed.vehicle, performed.day, performed.evidence.astype(np.int32)


def _vehicle(result: ReplayResult, performed: IntArray) -> IntArray:
    """Vehicle of each due trip, NONE where it is missing."""
    vehicle: IntArray = np.append(result.performed.vehicle, np.int32(NONE))[performed]
    return vehicle


def _dates(day: IntArray, owner: Integers) -> pa.Array:
    distinct, place = np.unique(day, return_inverse=True)
    return labels([day_date(one).isoformat() for one in distinct.tolist()], place.reshape(-1)[owner])


def _words(words: Mapping[Any, str], values: Integers) -> pa.Array:
    """Words of the values of an enumeration from 0."""
    return labels([words[value] for value in sorted(words)], values)


def _count(rows: Integers, length: int) -> Integers:
    return np.bincount(rows[rows >= 0], minlength=length)


def _deviations(start: IntArray, deviation_s: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean and greatest of the known deviations of each trip, NaN where none is known, shape (performed,) each."""
    if not len(deviation_s):
        return np.full(len(start) - 1, np.nan), np.full(len(start) - 1, np.nan)
    known = np.isfinite(deviation_s)
    totals = np.add.reduceat(np.where(known, deviation_s, 0.0), start[:-1])
    counts = np.add.reduceat(known, start[:-1], dtype=np.int64)
    mean_s = np.divide(totals, counts, out=np.full(len(totals), np.nan), where=counts > 0)
    return mean_s, np.fmax.reduceat(deviation_s, start[:-1])
