"""Times and dates of positions, in whatever way a file writes them, as epoch seconds and service days."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gtfs.avl_columns import EPOCH, ISO
from gtfs.avl_values import is_text, numbers, texts_of
from gtfs.clock import local_text, origin_epoch_s
from gtfs.pings import Labels
from networks.faults import InputError
from networks.network import FloatArray

DAY_S = 86_400
QUARTER_S = 900
"""Clocks change at full quarters of an hour."""
LATEST_S = 4_102_444_800
"""1 January 2100: no later wall time is looked up in a zone."""
DATE_CHARACTERS = 10
"""A text as short as a date says no time."""

START_TIME = re.compile(r"([0-9]{1,3}):([0-5][0-9]):([0-5][0-9])")


def times(column: pa.Array, written: str | None, timezone: str | None) -> FloatArray:
    """Epoch seconds, NaN where there is no time.

    Parameters
    ----------
    column
        Numbers, timestamps or texts, shape (rows,).
    written
        How they are written, see :class:`gtfs.avl_columns.ColumnMap`.
    timezone
        Zone of times without one.

    Raises
    ------
    InputError
        AVL_TIMEZONE where a time has no zone and none is told.
    """
    if pa.types.is_timestamp(column.type):
        return _stamps(column, timezone)
    if not is_text(column.type):
        return numbers(column)[0]
    column = texts_of(column)
    if written not in (None, EPOCH, ISO):
        return _each(column, _by_format(written, timezone))
    found = numbers(column)[0] if written != ISO else np.full(len(column), np.nan)
    if written == EPOCH or not np.isnan(found).any():
        return found
    return _iso(column, found, timezone)


def _stamps(column: pa.Array, timezone: str | None) -> FloatArray:
    """Epoch seconds of timestamps; those without a zone are wall time."""
    micros = pc.cast(pc.cast(column, pa.timestamp("us", column.type.tz), safe=False), pa.int64())
    seconds: FloatArray = pc.cast(micros, pa.float64(), safe=False).to_numpy(zero_copy_only=False) / 1e6
    return seconds if column.type.tz else from_wall(seconds, timezone)


def _iso(column: pa.Array, found: FloatArray, timezone: str | None) -> FloatArray:
    """Times in ISO 8601 where ``found`` has none yet: all at once where all are alike, else one by one."""
    left = np.isnan(found)
    column = pc.if_else(pa.array(left), column, pa.scalar("", pa.string()))
    blank = pc.equal(column, "")
    column = pc.if_else(blank, pa.scalar(None, pa.string()), column)
    shortest = pc.min(pc.utf8_length(column)).as_py()
    if shortest is None:
        return found
    if shortest > DATE_CHARACTERS:
        for zone in ("UTC", None):
            try:
                seconds = _stamps(pc.cast(column, pa.timestamp("us", zone)), timezone)
            except pa.ArrowInvalid:
                continue
            return np.where(left, seconds, found)
    return np.where(left, _each(column, _iso_reader(timezone)), found)


def _iso_reader(timezone: str | None) -> Callable[[str], float]:
    def read(text: str) -> float:
        if len(text.strip()) <= DATE_CHARACTERS:
            raise ValueError
        return _seconds(datetime.fromisoformat(text.strip()), timezone)

    return read


def _by_format(written: str, timezone: str | None) -> Callable[[str], float]:
    return lambda text: _seconds(_strptime(text.strip(), written), timezone)


def _strptime(text: str, written: str) -> datetime:
    return datetime.strptime(text, written)  # noqa: DTZ007 - a zone is put to it by the caller


def _seconds(moment: datetime, timezone: str | None) -> float:
    if moment.tzinfo is not None:
        return moment.timestamp()
    wall = moment.replace(tzinfo=UTC).timestamp()
    return float(from_wall(np.array([wall]), timezone)[0])


def _each(column: pa.Array, read: Callable[[str], float]) -> FloatArray:
    """Each distinct text read once; NaN for those that cannot be."""
    encoded = column.dictionary_encode()
    values = np.array([*map(_or_nan(read), encoded.dictionary.to_pylist()), np.nan])
    places = pc.fill_null(encoded.indices, len(values) - 1).to_numpy(zero_copy_only=False)
    found: FloatArray = values[places]
    return found


def _or_nan(read: Callable[[str], float]) -> Callable[[str], float]:
    def attempt(text: str) -> float:
        try:
            return read(text)
        except (OverflowError, OSError):
            return np.nan
        except ValueError as fault:
            if isinstance(fault, InputError):
                raise
            return np.nan

    return attempt


def from_wall(wall_s: FloatArray, timezone: str | None) -> FloatArray:
    """Epoch seconds of wall times, which count as if they were UTC; NaN before 1970 and after 2099.

    A time that the autumn's change of clocks makes twice is taken for the earlier one.

    Raises
    ------
    InputError
        AVL_TIMEZONE without a zone.
    """
    sound = (wall_s >= DAY_S) & (wall_s < LATEST_S)
    if not sound.any():
        return np.full(len(wall_s), np.nan)
    if timezone is None:
        what, remedy = "times are written without a time zone", "Give `timezone` under [time] in a column map"
        raise InputError("AVL_TIMEZONE", what, field="timezone", remedy=remedy)
    quarters = np.where(sound, wall_s, DAY_S) // QUARTER_S
    distinct, places = np.unique(quarters, return_inverse=True)
    offsets = np.array([_offset_s(int(quarter) * QUARTER_S, timezone) for quarter in distinct])
    return np.where(sound, wall_s - offsets[places], np.nan)


def _offset_s(wall_s: int, timezone: str) -> int:
    """What a zone is ahead of UTC at a wall time: as on the noon before or on the noon of that day."""
    day = datetime.fromtimestamp(wall_s, UTC).date()
    before, after = (_noon_offset_s(noon, timezone) for noon in (day - timedelta(days=1), day))
    if before == after or _is_offset(wall_s, before, timezone) or not _is_offset(wall_s, after, timezone):
        return before
    return after


def _noon_offset_s(day: date, timezone: str) -> int:
    return (day - date(1970, 1, 1)).days * DAY_S - origin_epoch_s(day, timezone)


def _is_offset(wall_s: int, offset_s: int, timezone: str) -> bool:
    offset = datetime.fromisoformat(local_text(wall_s - offset_s, timezone)).utcoffset()
    return offset == timedelta(seconds=offset_s)


def service_dates(days: Labels, written: str | None) -> tuple[Labels, npt.NDArray[np.bool_]]:
    """Service days as ``YYYYMMDD``, and which rows say one that is no date."""
    return _rewritten(days, lambda text: _service_date(text, written))


def _service_date(text: str, written: str | None) -> str:
    if written is None:
        return f"{datetime.fromisoformat(text):%Y%m%d}"
    return f"{_strptime(text, written):%Y%m%d}"


def start_times(starts: Labels) -> tuple[Labels, npt.NDArray[np.bool_]]:
    """Starts of trips as ``HH:MM:SS``, and which rows say one that is no time."""
    return _rewritten(starts, _start_time)


def _start_time(text: str) -> str:
    parts = START_TIME.fullmatch(text)
    if parts is None:
        raise ValueError
    hours, minutes, seconds = map(int, parts.groups())
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}"


def _rewritten(labels: Labels, rewrite: Callable[[str], str]) -> tuple[Labels, npt.NDArray[np.bool_]]:
    """Labels with each text rewritten; those that cannot be say nothing."""
    places: dict[str, int] = {}
    codes = []
    for text in labels.texts:
        try:
            codes.append(places.setdefault(rewrite(text), len(places)))
        except (ValueError, OverflowError):
            codes.append(-1)
    new = np.array([*codes, -1], dtype=np.int32)[labels.codes]
    return Labels(new, tuple(places)), (new < 0) & (labels.codes >= 0)


def service_times(days: Labels, seconds: FloatArray, timezone: str) -> FloatArray:
    """Epoch seconds of seconds of service days (``YYYYMMDD``), NaN where a day or a second is missing."""
    origins = [origin_epoch_s(date.fromisoformat(day), timezone) for day in days.texts]
    found: FloatArray = np.array([*origins, np.nan])[days.codes] + seconds
    return found
