"""Times of day as SUMO writes them, into seconds, stricter than SUMO: it takes 25:61:61 and calculates on."""

import math
import re

_SECONDS = re.compile(r"\d+(?:\.\d*)?(?:[eE][+-]?\d+)?", re.ASCII)
_CLOCK = re.compile(
    r"(?:(?P<days>\d{1,6}):)?(?P<hours>\d{1,6}):(?P<minutes>\d{1,2}):(?P<seconds>\d{1,2}(?:\.\d*)?)", re.ASCII
)

MINUTE_S = 60.0
HOUR_S = 3600.0
DAY_S = 86400.0
MINUTES_PER_HOUR = 60
HOURS_PER_DAY = 24


def parse_time_s(text: str) -> float:
    """Seconds from ``"25200"``, ``"25200.5"``, ``"07:00:00"`` or, with days first, ``"1:07:00:00"``.

    Hours above 23 stand for the next day's, as in timetables, unless days are given.

    Raises
    ------
    ValueError
        Where the text is no such time, or one that a clock does not show (minutes or seconds of 60 and more).
    """
    if _SECONDS.fullmatch(text) and float(text) < math.inf:
        return float(text)
    found = _CLOCK.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no time: seconds or HH:MM:SS are")
    days, hours = int(found["days"] or 0), int(found["hours"])
    minutes, seconds = int(found["minutes"]), float(found["seconds"])
    if minutes >= MINUTES_PER_HOUR or seconds >= MINUTE_S or (days and hours >= HOURS_PER_DAY):
        raise ValueError(f"{text!r} is not on any clock")
    return days * DAY_S + hours * HOUR_S + minutes * MINUTE_S + seconds


def clock_text(time_s: float) -> str:
    """``"07:00:00"`` from seconds, decimals cut."""
    minutes, seconds = divmod(int(time_s), 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}"
