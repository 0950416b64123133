"""A recording played as if it were live, at any speed: pings come when they are due, in the order of the recording."""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

import numpy as np

from gtfs.avl_batch import Batch
from gtfs.pings import take_pings
from networks.faults import InputError, Notice
from networks.network import FloatArray

TICK_S = 1.0
"""What comes due in so long is handed on together, else a large fleet would come ping by ping."""
LEAST_SLEEP_S = 0.001
"""Shorter ones may not move a clock in epoch seconds at all."""


def play(
    batches: Iterable[Batch], speed: float, now_s: Callable[[], float], sleep: Callable[[float], None]
) -> Iterator[Batch]:
    """Hand pings on when they are due: when they were published, or were made where nothing says so.

    The first is due at once. One that is out of order is due with the one before it.

    Parameters
    ----------
    speed
        Seconds of the recording a second; infinite: never wait.
    now_s, sleep
        The clock, in seconds, and what waits for seconds.

    Raises
    ------
    InputError
        CONFIG_VALUE for a speed that is not positive.
    """
    if not speed > 0:
        remedy = "Give a number above 0; 1 is real time"
        raise InputError("CONFIG_VALUE", f"{speed} is no speed", field="speed", remedy=remedy)
    return iter(batches) if math.isinf(speed) else _play(batches, _Pacer(speed, now_s, sleep))


class _Pacer:
    """Which moment of the recording it is now."""

    def __init__(self, speed: float, now_s: Callable[[], float], sleep: Callable[[float], None]) -> None:
        self._speed, self._now_s, self._sleep = speed, now_s, sleep
        self._ahead_s = math.nan
        self._handed_s = -math.inf

    def wait_until(self, due_s: float) -> float:
        """Wait until a moment of the recording, at least a tick since the last time; what moment it is then."""
        if math.isnan(self._ahead_s):
            self._ahead_s = due_s - self._now_s() * self._speed
        moment_s = max((due_s - self._ahead_s) / self._speed, self._handed_s + TICK_S)
        while (now_s := self._now_s()) < moment_s:
            self._sleep(max(moment_s - now_s, LEAST_SLEEP_S))
        self._handed_s = now_s
        return max(now_s * self._speed + self._ahead_s, due_s)


def _play(batches: Iterable[Batch], pacer: _Pacer) -> Iterator[Batch]:
    latest_s = -math.inf
    for batch in batches:
        due_s = np.maximum.accumulate(np.maximum(_due_s(batch), latest_s))
        row = 0
        while row < len(due_s):
            end = int(np.searchsorted(due_s, pacer.wait_until(float(due_s[row])), side="right"))
            yield _piece(batch, row, end, batch.notices if end == len(due_s) else ())
            row = end
        if len(due_s):
            latest_s = float(due_s[-1])
        elif batch.notices:
            yield batch


def _due_s(batch: Batch) -> FloatArray:
    return np.where(np.isnan(batch.told_s), batch.pings.time_s, batch.told_s)


def _piece(batch: Batch, begin: int, end: int, notices: tuple[Notice, ...]) -> Batch:
    rows = np.arange(begin, end)
    return replace(batch, pings=take_pings(batch.pings, rows), told_s=batch.told_s[rows], notices=notices)
