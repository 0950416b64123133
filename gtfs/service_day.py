"""The day for which a timetable is wanted: read from text, refused where no service runs."""

import re
from bisect import bisect
from datetime import date

from gtfs.feed import Feed
from networks.faults import InputError

DAY = re.compile(r"\d{4}(-\d{2}-\d{2}|\d{4})", re.ASCII)


def parse_day(text: str) -> date:
    """The day that ``YYYY-MM-DD`` or ``YYYYMMDD`` means.

    Raises
    ------
    InputError
        GTFS_DATE where it means none.
    """
    if DAY.fullmatch(text.strip()):
        try:
            return date.fromisoformat(text.strip())
        except ValueError:
            pass
    raise InputError("GTFS_DATE", f"{text!r} is no date", remedy="Write it as YYYY-MM-DD")


def require_service(feed: Feed, day: date) -> int:
    """Count of the trips that run on a day, repeated ones (``frequencies.txt``) counted once.

    Raises
    ------
    InputError
        GTFS_DATE where there are none, with the nearest days that have some; or with the record of a calendar whose
        date is none.
    """
    trips = feed.service_days()
    if day in trips:
        return trips[day]
    days = list(trips)
    place = bisect(days, day)
    near = [f"before it {before}" for before in days[:place][-1:]] + [f"after it {after}" for after in days[place:][:1]]
    raise InputError(
        "GTFS_DATE",
        f"no service on {day}",
        file=feed.path,
        remedy=f"The nearest days with service: {', '.join(near)}" if near else "No trip of the feed has a day at all",
    )
