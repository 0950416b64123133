"""What the kernels remember between pieces of a trace, in arrays that grow with vehicles and trips."""

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from gtfs.event_kernels import Watch
from gtfs.guess_kernels import NONE, Search
from gtfs.live_kernels import Roster
from gtfs.on_time import Punctuality
from gtfs.run_kernels import WAITS, Runs
from gtfs.trace_kernels import AHEAD, Fixes, Passage, Progress, Tails

Memory = TypeVar("Memory", Fixes, Progress, Passage, Watch, Search, Tails, Roster, Runs)

ROOM = 64
"""Rows at first; arrays double, so that growing costs little."""


def blank_fixes(vehicles: int) -> Fixes:
    """Vehicles that were not seen yet."""
    return Fixes(
        newest_s=np.full(vehicles, -np.inf),
        doubted_s=np.full(vehicles, np.nan),
        kept=np.full((vehicles, 3), np.nan),
        refused=np.full((vehicles, 3), np.nan),
    )


def blank_tails(vehicles: int) -> Tails:
    """Vehicles that were on no trip yet."""
    return Tails(
        now=np.full(vehicles, NONE, dtype=np.int32),
        before=np.full(vehicles, NONE, dtype=np.int32),
        left_s=np.full(vehicles, np.nan),
        last_s=np.full(vehicles, np.nan),
    )


def blank_progress(performed: int) -> Progress:
    """Trips that were not found on their lines yet."""
    return Progress(
        way_m=np.full(performed, np.nan),
        time_s=np.full(performed, np.nan),
        lonlat=np.full((performed, 2), np.nan),
        segment=np.zeros(performed, dtype=np.int32),
        begun_m=np.full(performed, np.nan),
        begun_s=np.full(performed, np.nan),
    )


def blank_passage(performed: int) -> Passage:
    """Trips that passed nothing yet."""
    return Passage(
        way_m=np.full(performed, np.nan),
        time_s=np.full(performed, np.nan),
        last=np.full((performed, 3), np.nan),
        is_off=np.zeros(performed, dtype=np.bool_),
        gap_s=np.zeros(performed),
        near_m=np.full((performed, AHEAD), np.inf),
    )


def blank_watch(performed: int) -> Watch:
    """Trips of which nothing happened yet."""
    places = [np.full((performed, 3), np.nan) for _ in range(3)]
    flags = [np.zeros(performed, dtype=np.bool_) for _ in range(4)]
    return Watch(
        last_s=np.full(performed, np.nan),
        is_on_way=flags[0],
        away=places[0],
        worst_m=np.zeros(performed),
        is_away=flags[1],
        back=np.zeros(performed, dtype=np.int32),
        still=places[1],
        stood_at_end=flags[2],
        slow=places[2],
        is_stuck=flags[3],
        verdict=np.full(performed, Punctuality.ON_TIME, dtype=np.int8),
    )


def blank_search(vehicles: int) -> Search:
    """Vehicles of which nothing is known."""
    whole = [np.full(vehicles, NONE, dtype=np.int32) for _ in range(4)]
    moments = [np.full(vehicles, np.nan) for _ in range(3)]
    return Search(
        trip=whole[0],
        day=whole[1],
        past_trip=whole[2],
        past_day=whole[3],
        is_done=np.zeros(vehicles, dtype=np.bool_),
        is_named=np.zeros(vehicles, dtype=np.bool_),
        anchor=np.full((vehicles, 2), np.nan),
        anchor_s=moments[0],
        last_s=moments[1],
        on_s=moments[2],
        run_m=np.zeros(vehicles),
        heard=np.full((vehicles, 2), NONE, dtype=np.int32),
        heard_s=np.full(vehicles, np.nan),
    )


def blank_roster(rows: int) -> Roster:
    """Rows that no trip uses yet."""
    return Roster(
        number=np.full(rows, NONE, dtype=np.int32),
        vehicle=np.full(rows, NONE, dtype=np.int32),
        trip=np.full(rows, NONE, dtype=np.int32),
        day=np.full(rows, NONE, dtype=np.int32),
        evidence=np.zeros(rows, dtype=np.int8),
        origin_s=np.full(rows, np.nan),
        over_s=np.full(rows, np.nan),
        before=np.full(rows, NONE, dtype=np.int32),
        free=np.full(rows, NONE, dtype=np.int32),
    )


def blank_runs(vehicles: int) -> Runs:
    """Vehicles that named no repeated trip yet."""
    whole = [np.full(vehicles, NONE, dtype=np.int32) for _ in range(4)]
    return Runs(
        claim=whole[0],
        named=whole[1],
        trip=whole[2],
        day=whole[3],
        stage=np.full(vehicles, WAITS, dtype=np.int8),
        last_s=np.full(vehicles, np.nan),
        from_m=np.full(vehicles, np.nan),
    )


def forget(memory: Memory, rows: npt.NDArray[np.integer], blank: Callable[[int], Memory]) -> None:
    """Make rows blank, for others to use."""
    if len(rows):
        pairs: Any = zip(memory, blank(1), strict=True)
        for column, nothing in pairs:
            column[rows] = nothing[0]


def with_room(memory: Memory, rows: int, blank: Callable[[int], Memory]) -> Memory:
    """The memory itself where it has so many rows, else a larger one with what it holds."""
    size = len(memory[0])
    if rows <= size:
        return memory
    larger = blank(max(rows, 2 * size, ROOM))
    pairs: Any = zip(larger, memory, strict=True)
    for column, kept in pairs:
        column[:size] = kept
    return larger
