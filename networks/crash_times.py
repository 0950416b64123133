"""Times of crash records, in whatever way they are written, as local wall time."""

from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from networks.crash_columns import ColumnMap
from networks.crash_files import CrashTable
from networks.faults import InputError, Notice

FORMATS = (
    "%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%d/%m/%Y", "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%d.%m.%Y",
    "%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M", "%m/%d/%Y", "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M",
    "%Y/%m/%d",
)  # fmt: skip
"""Ways of writing a time beside ISO 8601. Day before month comes first; the way that reads the most records wins."""


def read_times(table: CrashTable, columns: ColumnMap) -> tuple[npt.NDArray[np.datetime64], tuple[Notice, ...]]:
    """Time of each record, shape (records,), to the second; NaT where it is missing or cannot be read.

    Raises
    ------
    InputError
        CONFIG_VALUE where the column map's ``time_format`` is no format.
    """
    if columns.time is None:
        return np.full(len(table.rows), "NaT", dtype="datetime64[s]"), ()
    texts = table.columns[columns.time]
    times = _parse(texts, _parser(texts, columns))
    faults = [number for number, text in enumerate(texts) if text and np.isnat(times[number])]
    if not faults:
        return times, ()
    first = faults[0]
    remedy = "Write it as 2024-12-31T23:59, or give `time_format` in the column map; it counts without a time"
    notice = Notice(
        "CRASH_TIME", "warning", table.file, table.rows[first], columns.time, texts[first], remedy, len(faults)
    )
    return times, (notice,)


def _parser(texts: list[str], columns: ColumnMap) -> Callable[[str], datetime]:
    """What reads the most of the times: the given format; else ISO 8601 or the first of the usual ways."""
    if columns.time_format is not None:
        _check_format(columns.time_format)
        return _by_format(columns.time_format)
    sample = texts[:: max(1, len(texts) // 500)]
    candidates = [datetime.fromisoformat, *map(_by_format, FORMATS)]
    return max(candidates, key=lambda parse: int((~np.isnat(_parse(sample, parse))).sum()))


def _check_format(text: str) -> None:
    try:
        _by_format(text)(datetime(2024, 12, 31, 23, 59, tzinfo=UTC).strftime(text))
    except ValueError as fault:
        remedy = "Use the directives of Python's strptime, such as %Y%m%d %H:%M"
        raise InputError(
            "CONFIG_VALUE", f"{text!r} is no format ({fault})", field="time_format", remedy=remedy
        ) from fault


def _by_format(text: str) -> Callable[[str], datetime]:
    return lambda written: datetime.strptime(written, text).replace(tzinfo=UTC)


def _parse(texts: list[str], parse: Callable[[str], datetime]) -> npt.NDArray[np.datetime64]:
    known: dict[str, np.datetime64] = {}
    for text in texts:
        if text not in known:
            known[text] = _one(text, parse)
    return np.array([known[text] for text in texts], dtype="datetime64[s]")


def _one(text: str, parse: Callable[[str], datetime]) -> np.datetime64:
    """A time without its zone: the clock that the police officer saw."""
    try:
        return np.datetime64(parse(text).replace(tzinfo=None), "s")
    except ValueError:
        return np.datetime64("NaT", "s")
