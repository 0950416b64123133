"""When a trace covers the service."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

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
        begin, end = (np.where(is_known, moment, 0.0) // MINUTE_S - self.first for moment in moments)
        inside = (begin >= 0) & (end < last)
        rows = [np.clip(minute, 0, last).astype(np.int64) for minute in (begin, end + 1)]
        found: Flags = is_known & inside & (self.covered[rows[1]] - self.covered[rows[0]] == rows[1] - rows[0])
        return found


def coverage(heard: Iterable[int]) -> Coverage:
    """When the trace covers the service, from the minutes since the epoch in which some vehicle was heard of."""
    minutes = np.array(sorted(heard), dtype=np.int64)
    if not len(minutes):
        return Coverage(0, np.zeros(1, dtype=np.int64))
    first = int(minutes[0]) - NEAR_MINUTES
    change = np.zeros(int(minutes[-1]) - first + NEAR_MINUTES + 2, dtype=np.int64)
    np.add.at(change, minutes - NEAR_MINUTES - first, 1)
    np.add.at(change, minutes + NEAR_MINUTES + 1 - first, -1)
    return Coverage(first, np.concatenate(([0], np.cumsum(np.cumsum(change) > 0))))
