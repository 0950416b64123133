"""Calls of trips as their feed gives them, in order, blank times filled; trips that cannot be used left out."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import gtfs_kit
import numpy as np
import pandas as pd

from gtfs.blank_times import BoolArray, FloatArray, fill_halves, interpolate
from gtfs.call_order import first_rows
from gtfs.clock import BLANK_S, ILLEGIBLE_S, Seconds, parse_times
from gtfs.columns import Rows, starts, take
from gtfs.feed import Feed
from gtfs.findings import Fault, found, found_at
from networks.faults import Notice

NO_SEQUENCE = -1


def _fault(code: str, field: str, remedy: str) -> Fault:
    return Fault(code, "stop_times", field, f"The trip is left out: {remedy}", "warning")


UNKNOWN_STOP = _fault("GTFS_REFERENCE", "stop_id", "add the stop to stops.txt")
NO_NUMBER = _fault("GTFS_VALUE", "stop_sequence", "number its calls")
NUMBER_AGAIN = _fault("GTFS_DUPLICATE", "stop_sequence", "number each of its calls differently")
NO_ARRIVAL = _fault("GTFS_TIME", "arrival_time", "write times as HH:MM:SS")
NO_DEPARTURE = _fault("GTFS_TIME", "departure_time", "write times as HH:MM:SS")
BLANK_END = _fault("GTFS_TIME", "arrival_time", "give its first and its last call a time")
BACK_IN_TIME = _fault("GTFS_TIME_ORDER", "arrival_time", "let its times grow")
TOO_FEW_CALLS = Fault(
    "GTFS_TRIP_CALLS", "trips", "trip_id", "The trip is left out: give it two calls in stop_times.txt", "warning"
)


@dataclass(frozen=True, slots=True, eq=False)
class TripCalls:
    """One row a call, trip after trip, each in order of ``stop_sequence``.

    ``trip`` and ``stop`` are rows of the feed's tables, ``record`` is the row in ``stop_times``. ``distance`` is
    ``shape_dist_traveled``, NaN where not given.
    """

    record: Rows
    trip: Rows
    stop: Rows
    stop_sequence: Rows
    arrival_s: Seconds
    departure_s: Seconds
    is_interpolated: BoolArray
    timepoint: BoolArray
    pickup_type: Rows
    drop_off_type: Rows
    distance: FloatArray

    @property
    def is_first(self) -> BoolArray:
        """Whether a call is the first of its trip."""
        first: BoolArray = np.diff(self.trip, prepend=-1) != 0
        return first

    @property
    def is_last(self) -> BoolArray:
        """Whether a call is the last of its trip."""
        last: BoolArray = np.diff(self.trip, append=-1) != 0
        return last

    @property
    def call_start(self) -> Rows:
        """Where the calls of each trip begin, and where the last ones end, shape (trips + 1,)."""
        return starts(np.diff(np.flatnonzero(self.is_first), append=len(self.trip)))


def numbers(table: pd.DataFrame, field: str, blank: int) -> Rows:
    """An integer field, ``blank`` where it or all of it is missing."""
    if field not in table:
        return np.full(len(table), blank, dtype=np.int32)
    column: Rows = table[field].fillna(blank).to_numpy(dtype=np.int32)
    return column


def reals(table: pd.DataFrame, field: str) -> FloatArray:
    """A field of real numbers, NaN where it or all of it is missing."""
    if field not in table:
        return np.full(len(table), np.nan)
    column: FloatArray = table[field].to_numpy(dtype=np.float64, na_value=np.nan)
    return column


def texts(table: pd.DataFrame, field: str) -> tuple[str, ...]:
    """A field of texts, empty where it or all of it is missing."""
    return tuple(table[field].fillna("").astype(str).tolist()) if field in table else ("",) * len(table)


def trip_calls(feed: Feed, wanted: BoolArray) -> tuple[TripCalls, tuple[Notice, ...]]:
    """Calls of the wanted trips, and what kept some of them out.

    Parameters
    ----------
    wanted
        A flag for each record of the feed's ``trips``.
    """
    written = _written(feed.gtfs, wanted)
    calls, faulty = _without(written, _faults(written), feed)
    calls = _filled(calls, feed.gtfs.stops)
    calls, unordered = _without(calls, [(BACK_IN_TIME, _goes_back(calls))], feed)
    few = wanted & (np.bincount(written.trip, minlength=len(wanted)) < 2)  # noqa: PLR2004 - a journey has two ends
    return calls, (*faulty, *unordered, *found(feed, TOO_FEW_CALLS, few))


def _written(gtfs: gtfs_kit.Feed, wanted: BoolArray) -> TripCalls:
    """Calls of the wanted trips as written, blank times still blank."""
    table = gtfs.stop_times
    trip = first_rows(table["trip_id"], gtfs.trips["trip_id"])
    records = np.flatnonzero((trip >= 0) & wanted[trip])
    table, trip = table.iloc[records], trip[records]
    sequence = numbers(table, "stop_sequence", NO_SEQUENCE)
    arrival_s, departure_s = fill_halves(_times(table, "arrival_time"), _times(table, "departure_time"))
    untimed = (arrival_s == BLANK_S) & (departure_s == BLANK_S)
    calls = TripCalls(
        record=records.astype(np.int32),
        trip=trip.astype(np.int32),
        stop=first_rows(table["stop_id"], gtfs.stops["stop_id"]).astype(np.int32),
        stop_sequence=sequence,
        arrival_s=arrival_s,
        departure_s=departure_s,
        is_interpolated=untimed,
        timepoint=~untimed & (numbers(table, "timepoint", 1) == 1),
        pickup_type=numbers(table, "pickup_type", 0),
        drop_off_type=numbers(table, "drop_off_type", 0),
        distance=reals(table, "shape_dist_traveled"),
    )
    return take(calls, np.lexsort((sequence, trip)))


def _times(table: pd.DataFrame, field: str) -> Seconds:
    return parse_times(table[field]) if field in table else np.full(len(table), BLANK_S, dtype=np.int64)


def _faults(calls: TripCalls) -> list[tuple[Fault, BoolArray]]:
    """Kinds of faults, each with a flag for the calls that have it."""
    again = ~calls.is_first & (np.diff(calls.stop_sequence, prepend=NO_SEQUENCE) == 0)
    return [
        (UNKNOWN_STOP, calls.stop < 0),
        (NO_NUMBER, calls.stop_sequence < 0),
        (NUMBER_AGAIN, again),
        (NO_ARRIVAL, calls.arrival_s == ILLEGIBLE_S),
        (NO_DEPARTURE, calls.departure_s == ILLEGIBLE_S),
        (BLANK_END, (calls.is_first | calls.is_last) & calls.is_interpolated),
    ]


def _without(
    calls: TripCalls, faults: Iterable[tuple[Fault, BoolArray]], feed: Feed
) -> tuple[TripCalls, tuple[Notice, ...]]:
    """Calls of the trips that have two and no fault, and a notice for each kind of fault found."""
    kept = ~(calls.is_first & calls.is_last)
    notices: list[Notice] = []
    for fault, mask in faults:
        trips = np.unique(calls.trip[mask])
        kept &= ~np.isin(calls.trip, trips)
        if len(trips):
            record = int(calls.record[mask].min())
            value = feed.read[fault.table].text(fault.field, record)
            notices.append(found_at(feed, fault, record, len(trips), value))
    return take(calls, np.flatnonzero(kept)), tuple(notices)


def _filled(calls: TripCalls, stops: pd.DataFrame) -> TripCalls:
    lat, lon = (reals(stops, field)[calls.stop] for field in ("stop_lat", "stop_lon"))
    arrival_s, departure_s = interpolate(calls.arrival_s, calls.departure_s, calls.distance, lat, lon)
    return replace(calls, arrival_s=arrival_s, departure_s=departure_s)


def _goes_back(calls: TripCalls) -> BoolArray:
    """Calls that are left before they are reached, or reached before the call before is left."""
    before_s = np.concatenate(([0], calls.departure_s))[:-1]
    back: BoolArray = (calls.departure_s < calls.arrival_s) | (~calls.is_first & (calls.arrival_s < before_s))
    return back
