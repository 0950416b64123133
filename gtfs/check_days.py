"""Days of a feed: dates that are none, calendars that end before they begin, trips without a day."""

from collections.abc import Iterator

import numpy as np

from gtfs.calendars import legible_dates, service_days
from gtfs.feed import DATES, Feed
from gtfs.findings import Fault, found
from networks.faults import Notice


def check_days(feed: Feed) -> Iterator[Notice]:
    """GTFS_DATE; where there is none of it GTFS_NO_DAY: trips whose service is in a calendar and yet runs on no day."""
    faults = tuple(_faulty_dates(feed))
    yield from faults or _idle_trips(feed)


def _faulty_dates(feed: Feed) -> Iterator[Notice]:
    legible = {}
    for table, field in DATES:
        if table in feed.read:
            legible[field] = legible_dates(feed.read[table].frame[field])
            fault = Fault("GTFS_DATE", table, field, "Write it as YYYYMMDD")
            yield from found(feed, fault, np.isnat(legible[field]))
    if "start_date" in legible:
        fault = Fault("GTFS_DATE", "calendar", "end_date", "Let the calendar end on its start_date or after")
        yield from found(feed, fault, legible["end_date"] < legible["start_date"], ("end_date", "start_date"))


def _idle_trips(feed: Feed) -> Iterator[Notice]:
    days = service_days(feed.gtfs)
    idle = [service for service, dates in days.items() if not len(dates)]
    fault = Fault("GTFS_NO_DAY", "trips", "service_id", "Give the service a day, or leave its trips out", "info")
    yield from found(feed, fault, feed.read["trips"].frame["service_id"].isin(idle).to_numpy(dtype=np.bool_))
