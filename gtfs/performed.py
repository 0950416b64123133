"""The departures that a service day really has: its own trips, repeated ones, and the night's of the day before."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from gtfs.blank_times import BoolArray
from gtfs.call_order import first_rows
from gtfs.clock import Seconds, time_text
from gtfs.columns import Rows, take
from gtfs.feed import Feed
from gtfs.findings import Fault, found
from gtfs.frequencies import Repetitions, repetitions
from gtfs.trip_calls import TripCalls
from networks.faults import InputError, Notice

MOST_CALLS = 20_000_000
"""More in one day are taken for a mistake: a large country's public transport makes some three million."""

NO_WINDOW = Fault(
    "GTFS_FREQUENCY",
    "frequencies",
    "end_time",
    "The record is left out: let the window end after it begins, and give a headway above zero",
    "warning",
)

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
    feed: Feed, calls: TripCalls, days: Mapping[date, tuple[int, BoolArray]]
) -> tuple[Departures, tuple[Notice, ...]]:
    """Departures of some service days that still run after moment 0 of the timetable's clock.

    Parameters
    ----------
    calls
        Of every trip that runs on one of the days.
    days
        For each service day the seconds from the timetable's moment 0 to the day's own, and a flag for each trip of
        the feed that runs on it.

    Raises
    ------
    InputError
        GTFS_FREQUENCY where they are too many to be meant.
    """
    starts, notices = _starts(feed, calls)
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
    every = take(every, np.flatnonzero(last_s[every.trip] + every.shift_s > 0))
    _require_few(np.diff(calls.call_start)[every.trip], feed)
    return every, notices


def _require_few(calls: Rows, feed: Feed) -> None:
    if (count := int(calls.sum(dtype=np.int64))) > MOST_CALLS:
        raise InputError(
            "GTFS_FREQUENCY",
            f"its headways make {count:,} calls",
            file=feed.path / "frequencies.txt",
            field="headway_secs",
            remedy="Give headways in seconds",
        )


def _starts(feed: Feed, calls: TripCalls) -> tuple[Repetitions, tuple[Notice, ...]]:
    """When trips start: as written, or again and again; a trip that is repeated does not run as written."""
    first_s = calls.departure_s[calls.is_first]
    written = Repetitions(
        trip=np.arange(len(first_s), dtype=np.int32),
        departure_s=first_s,
        headway_s=np.zeros(len(first_s), dtype=np.int64),
        exact_times=np.zeros(len(first_s), dtype=np.bool_),
    )
    frequencies = feed.gtfs.frequencies
    if frequencies is None:
        return written, ()
    trip = _places(calls.trip[calls.is_first], first_rows(frequencies["trip_id"], feed.gtfs.trips["trip_id"]))
    once = take(written, np.setdiff1d(written.trip, trip))
    repeated, unusable = repetitions(frequencies, trip, feed.path)
    return Repetitions(
        trip=np.concatenate((once.trip, repeated.trip)),
        departure_s=np.concatenate((once.departure_s, repeated.departure_s)),
        headway_s=np.concatenate((once.headway_s, repeated.headway_s)),
        exact_times=np.concatenate((once.exact_times, repeated.exact_times)),
    ), tuple(found(feed, NO_WINDOW, unusable))


def _places(rows: Rows, wanted: npt.NDArray[np.integer]) -> Rows:
    """Where each wanted row stands among ``rows``, which ascend; -1 where it does not."""
    if not len(rows):
        return np.full(len(wanted), -1, dtype=np.int32)
    places = np.minimum(np.searchsorted(rows, wanted), len(rows) - 1)
    return np.where(rows[places] == wanted, places, -1).astype(np.int32)


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
