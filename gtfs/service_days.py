"""Which services run on one day, from a feed's two calendars."""

from datetime import date

import gtfs_kit

from gtfs.calendars import ADDED, REMOVED, WEEKDAYS


def active_services(gtfs: gtfs_kit.Feed, day: date) -> frozenset[str]:
    """Ids of the services that run on a day: by their weekdays, then with the exceptions of that day."""
    text = f"{day:%Y%m%d}"
    regular = _regular(gtfs, text, WEEKDAYS[day.weekday()])
    return (regular | _exceptions(gtfs, text, ADDED)) - _exceptions(gtfs, text, REMOVED)


def _regular(gtfs: gtfs_kit.Feed, text: str, weekday: str) -> frozenset[str]:
    calendar = gtfs.calendar
    if calendar is None:
        return frozenset()
    runs = (calendar[weekday] == 1) & (calendar["start_date"] <= text) & (calendar["end_date"] >= text)
    return frozenset(calendar["service_id"][runs.fillna(value=False)])


def _exceptions(gtfs: gtfs_kit.Feed, text: str, kind: int) -> frozenset[str]:
    dates = gtfs.calendar_dates
    if dates is None:
        return frozenset()
    that_day = (dates["date"] == text) & (dates["exception_type"] == kind)
    return frozenset(dates["service_id"][that_day.fillna(value=False)])
