"""When a trace covers the service."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

MINUTE_S = 60
NEAR_MINUTES = 5
"""A moment is covered when some vehicle was heard of so shortly before or after."""

Minutes = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Coverage:
    """When some vehicle was heard of: how many minutes from ``first`` on are covered up to each, as a running sum."""

    first: int
    covered: Minutes

    def whole(self, begin_s: npt.ArrayLike, end_s: npt.ArrayLike) -> Flags:
        """Whether the trace covers all of the time between moments in epoch seconds; not where one is NaN."""
        last = len(self.covered) - 1
        moments = np.broadcast_arrays(np.asarray(begin_s, dtype=np.float64), np.asarray(end_s, dtype=np.float64))
        is_known = np.isfinite(moments[0]) & np.isfinite(moments[1])
        # whole seconds are divided: for floats that costs many times as much
        seconds = (np.floor(np.where(is_known, moment, 0.0)).astype(np.int64) for moment in moments)
        begin, end = (second // MINUTE_S - self.first for second in seconds)
        inside = (begin >= 0) & (end < last)
        rows = [np.clip(minute, 0, last) for minute in (begin, end + 1)]
        found: Flags = is_known & inside & (self.covered[rows[1]] - self.covered[rows[0]] == rows[1] - rows[0])
        return found


def no_spans() -> Minutes:
    """Nobody was heard of."""
    return np.empty((0, 2), dtype=np.int64)


def with_moments(heard: Minutes, time_s: npt.NDArray[np.float64]) -> Minutes:
    """Spans of time in which vehicles were heard of, those of more moments added.

    Parameters
    ----------
    heard
        First and last minute since the epoch of each span, in order; minutes so near each other that all between them
        is covered are of one span, shape (spans, 2).
    """
    minutes = np.sort(pd.unique(time_s.astype(np.int64) // MINUTE_S))
    first, last = np.concatenate((heard, np.column_stack((minutes, minutes)))).T
    order = np.argsort(first, kind="stable")
    first, last = first[order], np.maximum.accumulate(last[order])
    begins = np.append(True, first[1:] > last[:-1] + 2 * NEAR_MINUTES + 1)[: len(first)]
    ends = np.append(begins[1:], True)[: len(first)]
    return np.column_stack((first[begins], last[ends]))


def coverage(heard: Minutes) -> Coverage:
    """When the trace covers the service, from the spans of :func:`with_moments`."""
    if not len(heard):
        return Coverage(0, np.zeros(1, dtype=np.int64))
    first = int(heard[0, 0]) - NEAR_MINUTES
    change = np.zeros(int(heard[-1, 1]) - first + NEAR_MINUTES + 2, dtype=np.int64)
    np.add.at(change, heard[:, 0] - NEAR_MINUTES - first, 1)
    np.add.at(change, heard[:, 1] + NEAR_MINUTES + 1 - first, -1)
    return Coverage(first, np.concatenate(([0], np.cumsum(np.cumsum(change) > 0))))
