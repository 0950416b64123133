"""Time in a feed: seconds since noon minus twelve hours of the service day. The only module that knows time zones.

Not since midnight: on the two days a year when clocks change, midnight lies an hour off.
"""

import re
from collections.abc import Callable
from datetime import date, datetime, time
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import numpy.typing as npt
import pandas as pd

from networks.faults import InputError

Seconds = npt.NDArray[np.int64]
Texts = npt.NDArray[np.bytes_]

BLANK_S, ILLEGIBLE_S = -1, -2
"""What stands for a time that was left blank, and for a text that is no time; no time of a feed is negative."""

TIME = re.compile(r"([0-9]{1,3}):([0-5][0-9]):([0-5][0-9])")
NOON = time(12)
NOON_S = 12 * 3600
HOUR_S, DAY_S = 3600, 86_400
TEXT_BYTES = 25
"""Of a moment such as ``2026-05-13T07:00:00+02:00``."""


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


def local_texts(epoch_s: npt.NDArray[np.float64], timezone: str) -> Texts:
    """Moments to the nearest second as :func:`local_text` writes them, in ASCII; nothing for NaN, shape (moments,).

    Columns of millions take seconds: what differs from day to day and from hour to hour is looked up once.

    Raises
    ------
    InputError
        GTFS_TIMEZONE where no such zone is known.
    """
    is_known = np.isfinite(epoch_s)
    whole_s: Seconds = np.floor(np.where(is_known, epoch_s, 0.0) + 0.5).astype(np.int64)
    ahead_s = _ahead_s(whole_s, _zone(timezone))
    day, clock_s = np.divmod(whole_s + ahead_s, DAY_S)
    letters = np.empty((len(whole_s), TEXT_BYTES), dtype=np.uint8)
    letters[:, :11] = _looked_up(day, 11, lambda value: f"{np.datetime64(value, 'D')}T")
    letters[:, 11:19] = _clock_letters(clock_s)
    letters[:, 19:] = _looked_up(ahead_s, 6, _offset_text)
    letters[~is_known] = 0
    return letters.reshape(-1).view(f"S{TEXT_BYTES}")


def _clock_letters(clock_s: Seconds) -> npt.NDArray[np.uint8]:
    """Letters of ``HH:MM:SS``, shape (moments, 8)."""
    letters = np.full((len(clock_s), 8), ord(":"), dtype=np.uint8)
    for place, number in ((0, clock_s // HOUR_S), (3, clock_s // 60 % 60), (6, clock_s % 60)):
        tens = (number // 10).astype(np.uint8)
        letters[:, place], letters[:, place + 1] = tens + ord("0"), number.astype(np.uint8) - 10 * tens + ord("0")
    return letters


def _ahead_s(epoch_s: Seconds, zone: ZoneInfo) -> Seconds:
    """Seconds that the zone's clock is ahead of UTC: one look for each hour, for each second where the hour has two."""
    place, hour = pd.factorize(epoch_s // HOUR_S)
    begin_s, end_s = (
        np.array([_offset_s(moment, zone) for moment in (hour + more) * HOUR_S], dtype=np.int64) for more in (0, 1)
    )
    ahead_s: Seconds = begin_s[place]
    for row in np.flatnonzero((begin_s != end_s)[place]).tolist():
        ahead_s[row] = _offset_s(epoch_s[row], zone)
    return ahead_s


def _offset_s(epoch_s: int, zone: ZoneInfo) -> int:
    return int(datetime.fromtimestamp(int(epoch_s), zone).utcoffset().total_seconds())  # type: ignore[union-attr]  # a zone has one


def _offset_text(ahead_s: int) -> str:
    hours, minutes = divmod(abs(ahead_s) // 60, 60)
    return f"{'-' if ahead_s < 0 else '+'}{hours:02d}:{minutes:02d}"


def _looked_up(values: Seconds, length: int, text: Callable[[int], str]) -> npt.NDArray[np.uint8]:
    """Letters of each value's text, shape (values, length)."""
    place, distinct = pd.factorize(values)
    joined = "".join(text(int(value)) for value in distinct)
    letters: npt.NDArray[np.uint8] = np.frombuffer(joined.encode("ascii"), dtype=np.uint8).reshape(-1, length)[place]
    return letters


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
