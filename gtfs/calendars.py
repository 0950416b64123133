"""On which days a feed's services and trips run, from its two calendars."""

from collections.abc import Mapping
from datetime import date

import gtfs_kit
import numpy as np
import numpy.typing as npt
import pandas as pd

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
ADDED, REMOVED = 1, 2
"""What an ``exception_type`` means."""

Days = npt.NDArray[np.datetime64]
NO_DAYS: Days = np.array([], dtype="datetime64[D]")

DATE = "[0-9]{8}"


def legible_dates(texts: pd.Series) -> Days:
    """Days of texts such as ``20260301``, not a time where there are none."""
    written = texts.where(texts.str.fullmatch(DATE).fillna(value=False))
    days: Days = pd.to_datetime(written, format="%Y%m%d", errors="coerce").to_numpy(dtype="datetime64[D]")
    return days


def service_days(gtfs: gtfs_kit.Feed) -> dict[str, Days]:
    """Days of each service that a calendar names, in order of time; records whose dates are none do not count."""
    regular = _regular(gtfs.calendar)
    added, removed = (_exceptions(gtfs.calendar_dates, kind) for kind in (ADDED, REMOVED))
    days = {}
    for service in regular.keys() | added.keys() | removed.keys():
        every = np.union1d(regular.get(service, NO_DAYS), added.get(service, NO_DAYS))
        days[service] = np.setdiff1d(every, removed.get(service, NO_DAYS))
    return days


def sum_by_day(days: Mapping[str, Days], amounts: Mapping[str, int]) -> dict[date, int]:
    """Sum by day of what each service brings on its days, in order of time; days that get nothing are left out."""
    brought = [(days[service], amount) for service, amount in amounts.items() if len(days.get(service, NO_DAYS))]
    if not brought:
        return {}
    first = min(dates[0] for dates, _ in brought)
    sums = np.zeros(int((max(dates[-1] for dates, _ in brought) - first).astype(int)) + 1, dtype=np.int64)
    for dates, amount in brought:
        sums[(dates - first).astype(np.int64)] += amount
    (places,) = np.nonzero(sums)
    return dict(zip((first + places).tolist(), sums[places].tolist(), strict=True))


def _regular(calendar: pd.DataFrame | None) -> Mapping[str, Days]:
    """Days of each service by its weekdays, exceptions not considered."""
    if calendar is None:
        return {}
    begins, ends = (legible_dates(calendar[name]) for name in ("start_date", "end_date"))
    masks = (calendar[list(WEEKDAYS)] == 1).fillna(value=False).to_numpy(dtype=np.bool_)
    days: dict[str, Days] = {}
    for service, begin, end, mask in zip(calendar["service_id"], begins, ends, masks, strict=True):
        known = not (np.isnat(begin) or np.isnat(end))
        span = np.arange(begin, end + 1) if known and mask.any() else NO_DAYS
        days[service] = span[np.is_busday(span, weekmask=mask)] if len(span) else NO_DAYS
    return days


def _exceptions(calendar_dates: pd.DataFrame | None, kind: int) -> Mapping[str, Days]:
    if calendar_dates is None:
        return {}
    days = legible_dates(calendar_dates["date"])
    wanted = (calendar_dates["exception_type"] == kind).fillna(value=False).to_numpy(dtype=np.bool_) & ~np.isnat(days)
    rows = calendar_dates["service_id"][wanted].groupby(calendar_dates["service_id"][wanted]).indices
    return {service: days[wanted][places] for service, places in rows.items()}
