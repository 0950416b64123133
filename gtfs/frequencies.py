"""Departures of trips that a feed repeats by headway (``frequencies.txt``)."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from gtfs.blank_times import BoolArray
from gtfs.clock import Seconds, parse_times
from gtfs.columns import Rows, owners, starts, take
from networks.faults import InputError

MOST_DEPARTURES = 2_000_000
"""More in one feed are taken for a mistake: New York's buses make some 60,000 a day."""


@dataclass(frozen=True, slots=True, eq=False)
class Repetitions:
    """Departures of repeated trips, in the order of trips, then of time; a column of shape (n,) each.

    ``trip`` is the row of the trip that is repeated.
    """

    trip: Rows
    departure_s: Seconds
    headway_s: Seconds
    exact_times: BoolArray


def repetitions(table: pd.DataFrame, trip: Rows, path: Path) -> tuple[Repetitions, BoolArray]:
    """Departures from ``start_time`` on, a headway apart, all before ``end_time``.

    With ``exact_times`` 1 every one that is before ``end_time`` runs: the standard puts it less than a headway after
    the last. Otherwise a window is promised a headway and no times: it has as many departures as it holds whole
    headways, and one at least. Windows that follow each other thus never crowd two departures where they meet.

    Parameters
    ----------
    table
        The feed's frequencies.
    trip
        For each of its records the row of the trip, -1 where it is not wanted.
    path
        Of the feed, for messages.

    Returns
    -------
    repetitions, unusable
        The departures, and a flag for each wanted record that makes none, for want of a window or a headway.

    Raises
    ------
    InputError
        GTFS_FREQUENCY where they are too many to be meant.
    """
    start_s, end_s = parse_times(table["start_time"]), parse_times(table["end_time"])
    headway_s = table["headway_secs"].fillna(0).to_numpy(dtype=np.int64)
    exact = _exact(table)
    sound = (start_s >= 0) & (end_s > start_s) & (headway_s > 0)
    wanted = np.flatnonzero(sound & (trip >= 0))
    windows = Repetitions(trip[wanted], start_s[wanted], headway_s[wanted], exact[wanted])
    return _expanded(windows, end_s[wanted], path), ~sound & (trip >= 0)


def _exact(table: pd.DataFrame) -> BoolArray:
    if "exact_times" not in table:
        return np.zeros(len(table), dtype=np.bool_)
    exact: BoolArray = (table["exact_times"] == 1).fillna(value=False).to_numpy(dtype=np.bool_)
    return exact


def _expanded(windows: Repetitions, end_s: Seconds, path: Path) -> Repetitions:
    length_s = end_s - windows.departure_s
    whole = np.maximum(length_s // windows.headway_s, 1)
    counts = np.where(windows.exact_times, -(-length_s // windows.headway_s), whole)
    if counts.sum() > MOST_DEPARTURES:
        raise InputError(
            "GTFS_FREQUENCY",
            f"its headways make {counts.sum():,} departures",
            file=path / "frequencies.txt",
            field="headway_secs",
            remedy="Give headways in seconds",
        )
    start = starts(counts)
    window = owners(start)
    number = np.arange(len(window)) - start[window]
    departure_s = windows.departure_s[window] + number * windows.headway_s[window]
    return _once(Repetitions(windows.trip[window], departure_s, windows.headway_s[window], windows.exact_times[window]))


def _once(every: Repetitions) -> Repetitions:
    """Sorted, and one departure of a trip at a time: windows may overlap, then the first record counts."""
    order = np.lexsort((every.departure_s, every.trip))
    trip, departure_s = every.trip[order], every.departure_s[order]
    again = (np.diff(trip, prepend=-1) == 0) & (np.diff(departure_s, prepend=-1) == 0)
    return take(every, order[~again])
