"""How far off arrivals are when a bus is seen every 5 to 120 seconds, beside its own record of passing each stop.

Where a bus drove through, its record is good to the five seconds between two positions; where it stood, arrival and
departure follow from how it braked and sped up beside the recorder's silence. So few seconds are as good as it gets.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from benchmarks.portland import (
    BREADCRUMBS,
    BoolArray,
    Passages,
    Recorded,
    crossing_s,
    passages,
    read_recorded,
    thinned,
)
from benchmarks.results import Measurement
from benchmarks.setup import Setup
from networks.network import FloatArray, IntArray

EVERY_S = (5, 15, 30, 60, 120)

Estimate = Callable[[Recorded, Passages, IntArray], tuple[FloatArray, FloatArray]]
"""Arrival and departure at each passage (NaN where unknown) from the positions that are left, by their rows."""


@dataclass(frozen=True, slots=True)
class Errors:
    """Errors of one quantity at one interval over all phases: how many were estimated of how many, and by how much."""

    asked: int
    known: int
    mean_absolute_s: float
    mean_s: float
    ninetieth_s: float


def straight(zone_m: float) -> Estimate:
    """Estimate straight between positions: arrival so far before the stop, departure so far behind it."""

    def estimate(recorded: Recorded, found: Passages, rows: IntArray) -> tuple[FloatArray, FloatArray]:
        arrival_s = _crossings_s(recorded, found, rows, -zone_m)
        return arrival_s, _crossings_s(recorded, found, rows, zone_m)

    return estimate


def _crossings_s(recorded: Recorded, found: Passages, rows: IntArray, beyond_m: float) -> FloatArray:
    times_s = np.full(len(found), np.nan)
    trip_of_row = np.searchsorted(recorded.start, rows, side="right") - 1
    for trip in np.unique(found.trip).tolist():
        mine, kept = found.trip == trip, rows[trip_of_row == trip]
        if len(kept):
            place_m = found.at_m[mine] + beyond_m
            times_s[mine] = crossing_s(recorded.time_s[kept], recorded.way_m[kept], place_m)
    return times_s


def errors(recorded: Recorded, found: Passages, every_s: int, estimate: Estimate) -> dict[str, Errors]:
    """Errors at an interval, all phases together: where buses drove through, and arrivals and departures of stands.

    ``arrivals`` has both kinds in it.
    """
    placed, served = found.is_placed, found.is_served
    parts: dict[str, tuple[BoolArray, list[FloatArray]]] = {
        "passed": (placed & ~served, []),
        "served, arrival": (placed & served, []),
        "served, departure": (placed & served, []),
        "arrivals": (placed, []),
    }
    for _, rows in thinned(recorded, every_s):
        arrival_s, departure_s = estimate(recorded, found, rows)
        for name, (which, off_s) in parts.items():
            told_s, true_s = (
                (departure_s, found.departure_s) if name.endswith("departure") else (arrival_s, found.arrival_s)
            )
            off_s.append((told_s - true_s)[which])
    return {name: _errors(np.concatenate(off_s)) for name, (_, off_s) in parts.items()}


def _errors(off_s: FloatArray) -> Errors:
    known_s = off_s[np.isfinite(off_s)]
    return Errors(
        asked=len(off_s),
        known=len(known_s),
        mean_absolute_s=float(np.abs(known_s).mean()),
        mean_s=float(known_s.mean()),
        ninetieth_s=float(np.percentile(np.abs(known_s), 90)),
    )


def portland_curve(setup: Setup, estimates: dict[str, Estimate]) -> Iterator[Measurement]:
    """The curve of each way to estimate, by its name."""
    path = setup.real(BREADCRUMBS, "portland")
    if path is None:
        return
    recorded = read_recorded(path)
    found = passages(recorded)
    setup.tell(f"{len(recorded)} trips, {len(found)} passages, {int(found.is_placed.sum())} at places others tell")
    for name, estimate in estimates.items():
        for every_s in EVERY_S:
            told = errors(recorded, found, every_s, estimate)
            for what, each in told.items():
                yield Measurement(f"{name}/{every_s} s/{what}/mean absolute error", each.mean_absolute_s, "s")
                yield Measurement(f"{name}/{every_s} s/{what}/mean error", each.mean_s, "s")
                yield Measurement(f"{name}/{every_s} s/{what}/90th percentile", each.ninetieth_s, "s")
                yield Measurement(f"{name}/{every_s} s/{what}/known share", each.known / each.asked, "1")
            cells = ", ".join(f"{what} {each.mean_absolute_s:.1f} s" for what, each in told.items())
            setup.tell(f"{name}, every {every_s} s: {cells}")
