"""The calls of a feed's trips in order, as the checks along a trip want them: as written, nothing filled in."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from gtfs.clock import BLANK_S, Seconds, parse_times
from gtfs.feed import Feed
from gtfs.tables import Flags, Table

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class CallOrder:
    """One place a call, trip after trip by ``stop_sequence``; shape (calls,) each.

    ``row`` is the record in ``stop_times``, ``trip`` the first one of that id in ``trips``. Trips with a call that has
    no legible number in the sequence are left out, and of calls with the same number all but the first.
    """

    row: Rows
    trip: Rows
    arrival_s: Seconds
    departure_s: Seconds

    @property
    def follows(self) -> Flags:
        """Whether a call and the one after it belong to one trip, shape (calls - 1,)."""
        follows: Flags = self.trip[1:] == self.trip[:-1]
        return follows


def call_order(feed: Feed) -> CallOrder:
    """Put the calls of trips that are known in order."""
    table = feed.read["stop_times"]
    trip = first_rows(table.frame["trip_id"], feed.read["trips"].frame["trip_id"])
    sequence = table.numbers("stop_sequence")
    usable = (trip >= 0) & ~np.isin(trip, trip[~(sequence >= 0)])
    row = np.flatnonzero(usable)
    row = row[np.lexsort((sequence[row], trip[row]))]
    again = (np.diff(trip[row], prepend=-1) == 0) & (np.diff(sequence[row], prepend=-1) == 0)
    row = row[~again]
    return CallOrder(row, trip[row], times_s(table, "arrival_time")[row], times_s(table, "departure_time")[row])


def times_s(table: Table, field: str) -> Seconds:
    """A field of times, see :func:`gtfs.clock.parse_times`; all blank where there is no such field."""
    if field not in table.frame:
        return np.full(len(table.frame), BLANK_S, dtype=np.int64)
    return parse_times(table.frame[field])


def first_rows(values: pd.Series, keys: pd.Series) -> Rows:
    """For each value the first row in which it stands among the keys, -1 where it does not."""
    once = keys.drop_duplicates().dropna()
    places = pd.Index(once).get_indexer(pd.Index(values))
    rows: Rows = np.append(once.index.to_numpy(), -1)[places]
    return rows
