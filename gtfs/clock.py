"""Time in a feed: seconds since noon minus twelve hours of the service day. The only module that knows time zones.

Not since midnight: on the two days a year when clocks change, midnight lies an hour off.
"""

import re
from datetime import date, datetime, time
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import numpy.typing as npt
import pandas as pd

from networks.faults import InputError

Seconds = npt.NDArray[np.int64]

BLANK_S, ILLEGIBLE_S = -1, -2
"""What stands for a time that was left blank, and for a text that is no time; no time of a feed is negative."""

TIME = re.compile(r"([0-9]{1,3}):([0-5][0-9]):([0-5][0-9])")
NOON = time(12)
NOON_S = 12 * 3600


def parse_times(texts: pd.Series) -> Seconds:
    """Seconds of texts such as ``25:10:00``; :data:`BLANK_S` and :data:`ILLEGIBLE_S` where there are none."""
    places, distinct = pd.factorize(texts)
    seconds = [BLANK_S if pd.isna(text) else _parse(str(text).strip()) for text in distinct]
    column: Seconds = np.array([*seconds, BLANK_S], dtype=np.int64)[places]
    return column


def parse_time_s(text: str) -> int:
    """Seconds of a text such as ``25:10:00``; :data:`BLANK_S` or :data:`ILLEGIBLE_S` where there are none."""
    return _parse(text.strip())


def _parse(text: str) -> int:
    if not text:
        return BLANK_S
    parts = TIME.fullmatch(text)
    if parts is None:
        return ILLEGIBLE_S
    hours, minutes, seconds = map(int, parts.groups())
    return hours * 3600 + minutes * 60 + seconds


def time_text(seconds: int) -> str:
    """``25:10:00`` of seconds; what lies before the origin has a minus."""
    minutes, second = divmod(abs(seconds), 60)
    return f"{'-' if seconds < 0 else ''}{minutes // 60:02d}:{minutes % 60:02d}:{second:02d}"


def origin_epoch_s(service_date: date, timezone: str) -> int:
    """Epoch seconds of the moment from which the times of a service day count.

    Raises
    ------
    InputError
        GTFS_TIMEZONE where no such zone is known.
    """
    noon = datetime.combine(service_date, NOON, _zone(timezone))
    return int(noon.timestamp()) - NOON_S


def origins_apart_s(earlier: date, later: date, timezone: str) -> int:
    """Seconds from the origin of one service day to that of another: 86,400 a day, unless clocks change between.

    Raises
    ------
    InputError
        GTFS_TIMEZONE where no such zone is known.
    """
    return origin_epoch_s(later, timezone) - origin_epoch_s(earlier, timezone)


def local_text(epoch_s: float, timezone: str) -> str:
    """A moment as ISO 8601 with the zone's offset, such as ``2026-05-13T07:00:00+02:00``.

    Raises
    ------
    InputError
        GTFS_TIMEZONE where no such zone is known.
    """
    return datetime.fromtimestamp(epoch_s, _zone(timezone)).isoformat()


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as fault:
        raise InputError(
            "GTFS_TIMEZONE",
            f"{name!r} is no time zone",
            field="agency_timezone",
            remedy="Write it as in the IANA database, such as Asia/Almaty",
        ) from fault
