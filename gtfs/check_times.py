"""Times of a feed: texts that are none, trips without a begin or an end, trips that run backwards, headways."""

from collections.abc import Iterator

import numpy as np

from gtfs.call_order import CallOrder, first_rows, times_s
from gtfs.clock import BLANK_S, ILLEGIBLE_S, Seconds, time_text
from gtfs.feed import Feed
from gtfs.findings import Fault, found, found_at
from gtfs.frequencies import MOST_DEPARTURES
from gtfs.tables import Flags
from networks.faults import Notice

CALL_FIELDS = ("arrival_time", "departure_time")
WINDOW_FIELDS = ("start_time", "end_time")
ON_DEMAND = ("start_pickup_drop_off_window", "end_pickup_drop_off_window")
"""Service on demand has a window in place of times."""

FORM = "Write it as HH:MM:SS; hours may pass 24"


def check_times(feed: Feed, calls: CallOrder) -> Iterator[Notice]:
    """GTFS_TIME: texts that are no time, and trips whose first or last call has none."""
    for table, fields in (("stop_times", CALL_FIELDS), ("frequencies", WINDOW_FIELDS)):
        for field in fields if table in feed.read else ():
            times = times_s(feed.read[table], field)
            wrong = (times == ILLEGIBLE_S) | ((times == BLANK_S) & (table == "frequencies"))
            yield from found(feed, Fault("GTFS_TIME", table, field, FORM), wrong)
    fault = Fault("GTFS_TIME", "stop_times", "arrival_time", "Give the first and the last call of a trip a time")
    yield from found(feed, fault, _timeless_ends(feed, calls))


def _timeless_ends(feed: Feed, calls: CallOrder) -> Flags:
    end = np.append(~calls.follows, True) | np.insert(~calls.follows, 0, True)
    blank = (calls.arrival_s == BLANK_S) & (calls.departure_s == BLANK_S)
    timeless = np.zeros(len(feed.read["stop_times"].frame), dtype=np.bool_)
    timeless[calls.row[end[: len(blank)] & blank]] = True
    timeless &= np.all([feed.read["stop_times"].blank(field) for field in ON_DEMAND], axis=0)
    return timeless


def check_time_order(feed: Feed, calls: CallOrder) -> Iterator[Notice]:
    """GTFS_TIME_ORDER: a time before the one before it along the trip, blank ones passed over."""
    times = np.column_stack((calls.arrival_s, calls.departure_s)).ravel()
    places = np.flatnonzero(times >= 0)
    times, call = times[places], places // 2
    back = np.flatnonzero((np.diff(times) < 0) & (np.diff(calls.trip[call]) == 0)) + 1
    for number, field in enumerate(CALL_FIELDS):
        here = back[places[back] % 2 == number]
        if len(here):
            first = here[np.argmin(calls.row[call[here]])]
            value = f"{time_text(int(times[first]))} after {time_text(int(times[first - 1]))}"
            fault = Fault("GTFS_TIME_ORDER", "stop_times", field, "Let times grow along a trip; 24:00 follows 23:59")
            yield found_at(feed, fault, int(calls.row[call[first]]), len(here), value)


def check_frequencies(feed: Feed) -> Iterator[Notice]:
    """GTFS_FREQUENCY: windows that end before they begin, that overlap, or that hold too many departures."""
    if "frequencies" not in feed.read:
        return
    table = feed.read["frequencies"]
    start_s, end_s = (times_s(table, field) for field in WINDOW_FIELDS)
    legible = (start_s >= 0) & (end_s >= 0)
    fault = Fault("GTFS_FREQUENCY", "frequencies", "end_time", "Let the window end after it begins")
    yield from found(feed, fault, legible & (end_s <= start_s), ("end_time", "start_time"))
    fault = Fault("GTFS_FREQUENCY", "frequencies", "start_time", "Let a trip's windows follow each other")
    yield from found(feed, fault, _overlaps(feed, start_s, end_s, legible & (end_s > start_s)))
    yield from _too_many_departures(feed, np.where(legible, end_s - start_s, 0))


def _overlaps(feed: Feed, start_s: Seconds, end_s: Seconds, sound: Flags) -> Flags:
    """Windows that begin before the one before of their trip has ended; equal begins are duplicates."""
    trip = first_rows(feed.read["frequencies"].frame["trip_id"], feed.read["trips"].frame["trip_id"])
    rows = np.flatnonzero(sound & (trip >= 0))
    rows = rows[np.lexsort((start_s[rows], trip[rows]))]
    before, after = rows[:-1], rows[1:]
    overlaps = np.zeros(len(start_s), dtype=np.bool_)
    later = (trip[before] == trip[after]) & (start_s[before] < start_s[after])
    overlaps[after] = later & (start_s[after] < end_s[before])
    return overlaps


def _too_many_departures(feed: Feed, length_s: Seconds) -> Iterator[Notice]:
    headway_s = feed.read["frequencies"].numbers("headway_secs")
    departures = np.where(headway_s > 0, length_s / np.where(headway_s > 0, headway_s, 1), 0)
    if departures.sum() > MOST_DEPARTURES:
        fault = Fault("GTFS_FREQUENCY", "frequencies", "headway_secs", "Give headways in seconds")
        yield from found(feed, fault, np.arange(len(departures)) == np.argmax(departures))
