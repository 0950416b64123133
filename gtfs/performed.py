"""The departures that a service day really has: its own trips, repeated ones, and the night's of the day before."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from gtfs.blank_times import BoolArray
from gtfs.clock import Seconds, time_text
from gtfs.columns import Rows, take
from gtfs.frequencies import Repetitions, repetitions
from gtfs.trip_calls import TripCalls, rows_of
from networks.faults import Notice

Dates = npt.NDArray[np.datetime64]


@dataclass(frozen=True, slots=True, eq=False)
class Departures:
    """One row a departure, shape (n,) each.

    ``trip`` is the row among the trips that have calls. ``departure_s`` is on the clock of ``service_date``;
    ``shift_s`` leads from the times of the trip's calls to the clock of the timetable. ``headway_s`` is 0 where the
    trip is not repeated.
    """

    trip: Rows
    service_date: Dates
    departure_s: Seconds
    shift_s: Seconds
    headway_s: Seconds
    exact_times: BoolArray


def departures(
    calls: TripCalls,
    frequencies: pd.DataFrame | None,
    trip_ids: pd.Series,
    days: Mapping[date, tuple[int, BoolArray]],
    path: Path,
) -> tuple[Departures, tuple[Notice, ...]]:
    """Departures of some service days that still run after moment 0 of the timetable's clock.

    Parameters
    ----------
    calls
        Of every trip that runs on one of the days.
    frequencies, trip_ids
        The feed's table, and its trips.
    days
        For each service day the seconds from the timetable's moment 0 to the day's own, and a flag for each trip of
        the feed that runs on it.
    path
        Of the feed, for messages.
    """
    starts, notices = _starts(calls, frequencies, trip_ids, path)
    first_s, last_s = calls.departure_s[calls.is_first], calls.arrival_s[calls.is_last]
    feed_row = calls.trip[calls.is_first][starts.trip]
    per_day = [np.flatnonzero(runs[feed_row]) for _, runs in days.values()]
    counts = [len(rows) for rows in per_day]
    chosen = take(starts, np.concatenate(per_day))
    day_shift_s = np.repeat(np.array([shift_s for shift_s, _ in days.values()], dtype=np.int64), counts)
    every = Departures(
        trip=chosen.trip,
        service_date=np.repeat(np.array(list(days), dtype="datetime64[D]"), counts),
        departure_s=chosen.departure_s,
        shift_s=day_shift_s + chosen.departure_s - first_s[chosen.trip],
        headway_s=chosen.headway_s,
        exact_times=chosen.exact_times,
    )
    return take(every, np.flatnonzero(last_s[every.trip] + every.shift_s > 0)), notices


def _starts(
    calls: TripCalls, frequencies: pd.DataFrame | None, trip_ids: pd.Series, path: Path
) -> tuple[Repetitions, tuple[Notice, ...]]:
    """When trips start: as written, or again and again; a trip that is repeated does not run as written."""
    first_s = calls.departure_s[calls.is_first]
    written = Repetitions(
        trip=np.arange(len(first_s), dtype=np.int32),
        departure_s=first_s,
        headway_s=np.zeros(len(first_s), dtype=np.int64),
        exact_times=np.zeros(len(first_s), dtype=np.bool_),
    )
    if frequencies is None:
        return written, ()
    trip = rows_of(frequencies["trip_id"], trip_ids.iloc[calls.trip[calls.is_first]])
    once = take(written, np.setdiff1d(written.trip, trip))
    repeated, notices = repetitions(frequencies, trip, path)
    return Repetitions(
        trip=np.concatenate((once.trip, repeated.trip)),
        departure_s=np.concatenate((once.departure_s, repeated.departure_s)),
        headway_s=np.concatenate((once.headway_s, repeated.headway_s)),
        exact_times=np.concatenate((once.exact_times, repeated.exact_times)),
    ), notices


def performed_ids(departures: Departures, trip_ids: tuple[str, ...], service_date: date) -> tuple[str, ...]:
    """An id for each departure that no other has.

    Parameters
    ----------
    trip_ids
        The feed's id of each departure.
    service_date
        The timetable's day, which ids do not mention.
    """
    today = np.datetime64(service_date)
    ids: dict[str, None] = {}
    for trip_id, start_s, headway_s, day in zip(
        trip_ids,
        departures.departure_s.tolist(),
        departures.headway_s.tolist(),
        departures.service_date,
        strict=True,
    ):
        name = trip_id + (f"@{time_text(start_s)}" if headway_s else "") + (f"@{day}" if day != today else "")
        while name in ids:  # a feed may use such names itself
            name += "'"
        ids[name] = None
    return tuple(ids)
