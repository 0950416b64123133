"""What the kernels remember between pieces of a trace, in arrays that grow with vehicles and trips."""

from collections.abc import Callable
from typing import TypeVar

import numpy as np

from gtfs.trace_kernels import AHEAD, Fixes, Passage, Progress

Memory = TypeVar("Memory", Fixes, Progress, Passage)

ROOM = 64
"""Rows at first; arrays double, so that growing costs little."""


def blank_fixes(vehicles: int) -> Fixes:
    """Vehicles that were not seen yet."""
    return Fixes(
        newest_s=np.full(vehicles, -np.inf),
        kept=np.full((vehicles, 3), np.nan),
        refused=np.full((vehicles, 3), np.nan),
    )


def blank_progress(performed: int) -> Progress:
    """Trips that were not found on their lines yet."""
    return Progress(
        way_m=np.full(performed, np.nan),
        time_s=np.full(performed, np.nan),
        lonlat=np.full((performed, 2), np.nan),
        segment=np.zeros(performed, dtype=np.int32),
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


def with_room(memory: Memory, rows: int, blank: Callable[[int], Memory]) -> Memory:
    """The memory itself where it has so many rows, else a larger one with what it holds."""
    size = len(memory[0])
    if rows <= size:
        return memory
    larger = blank(max(rows, 2 * size, ROOM))
    for column, kept in zip(larger, memory, strict=True):
        column[:size] = kept
    return larger
