"""On which days a feed's trips run, from its two calendars."""

from collections import Counter
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import gtfs_kit
import numpy as np
import numpy.typing as npt
import pandas as pd

from networks.faults import InputError

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
ADDED, REMOVED = 1, 2
"""What an ``exception_type`` means."""

Days = npt.NDArray[np.datetime64]
NO_DAYS: Days = np.array([], dtype="datetime64[D]")


def trips_by_day(gtfs: gtfs_kit.Feed, path: Path) -> dict[date, int]:
    """Trips by day in order of time, days without any left out; repeated trips (``frequencies.txt``) count once.

    Raises
    ------
    InputError
        GTFS_DATE with the record of a calendar whose date is none; ``path`` is the feed's, for that.
    """
    regular = _regular(gtfs.calendar, path)
    added, removed = (_exceptions(gtfs.calendar_dates, kind, path) for kind in (ADDED, REMOVED))
    trips: Counter[date] = Counter()
    for service, count in gtfs.trips["service_id"].value_counts().items():
        days = np.union1d(regular.get(service, NO_DAYS), added.get(service, NO_DAYS))
        kept = np.setdiff1d(days, removed.get(service, NO_DAYS))
        trips.update(dict.fromkeys(kept.tolist(), int(count)))
    return dict(sorted(trips.items()))


def _regular(calendar: pd.DataFrame | None, path: Path) -> Mapping[str, Days]:
    """Days of each service by its weekdays, exceptions not considered."""
    if calendar is None:
        return {}
    begins, ends = (_dates(calendar, name, path / "calendar.txt") for name in ("start_date", "end_date"))
    masks = (calendar[list(WEEKDAYS)] == 1).fillna(value=False).to_numpy(dtype=np.bool_)
    days: dict[str, Days] = {}
    for service, begin, end, mask in zip(calendar["service_id"], begins, ends, masks, strict=True):
        span = np.arange(begin, end + 1)
        days[service] = span[np.is_busday(span, weekmask=mask)] if mask.any() else NO_DAYS
    return days


def _exceptions(calendar_dates: pd.DataFrame | None, kind: int, path: Path) -> Mapping[str, Days]:
    if calendar_dates is None:
        return {}
    days = _dates(calendar_dates, "date", path / "calendar_dates.txt")
    wanted = (calendar_dates["exception_type"] == kind).fillna(value=False).to_numpy(dtype=np.bool_)
    rows = calendar_dates["service_id"][wanted].groupby(calendar_dates["service_id"][wanted]).indices
    return {service: days[wanted][places] for service, places in rows.items()}


def _dates(table: pd.DataFrame, field: str, file: Path) -> Days:
    texts = table[field]
    dates = pd.to_datetime(texts, format="%Y%m%d", errors="coerce")
    wrong = np.flatnonzero(dates.isna())
    if len(wrong):
        raise InputError(
            "GTFS_DATE",
            f"{texts.iloc[wrong[0]]!r} is no date",
            file=file,
            row=int(wrong[0]) + 2,
            field=field,
            remedy="Write it as YYYYMMDD",
        )
    days: Days = dates.to_numpy(dtype="datetime64[D]")
    return days
