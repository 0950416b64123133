"""What summary and report need of a replay, summed over its parts: no larger for a month than for a day."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from gtfs.avl_batch import rows_left_out
from gtfs.due_calls import DueCalls, counted_once
from gtfs.on_time import OnTimeCounts, Punctuality
from gtfs.replay_result import ReplayResult
from gtfs.service_events import KINDS
from gtfs.stop_visits import Quality
from gtfs.tides import is_added
from gtfs.trace_kernels import FINISHED, MATCHED, NO_TRIP, NOT_STARTED, OFF_ROUTE
from networks.network import FloatArray
from scenarios.drawing import Drawing
from scenarios.replay_detours import MAX_DETOURS, Detour, detour_order, detours
from scenarios.replay_regularity import HeadwaySums, headway_sums, no_sums
from scenarios.replay_worst import (
    MAX_PAIRS,
    MAX_TRIPS,
    Spacing,
    TripLateness,
    bunched_order,
    bunched_pairs,
    gap_order,
    wide_pairs,
    worst_trips,
)

Counts = npt.NDArray[np.integer]

HOURS = 48
"""Hours of a service day that are told apart; later ones count with the last."""

LIMIT_S = 3600
"""Deviations beyond are put to the end of the scale where percentiles are taken."""

FOUND = {
    MATCHED: "matched",
    OFF_ROUTE: "off_route",
    NOT_STARTED: "not_started",
    FINISHED: "finished",
    NO_TRIP: "no_trip",
}
"""What matching finds a ping to be."""

_STATES, _BINS = len(Punctuality), 2 * LIMIT_S + 1


@dataclass(slots=True, eq=False)
class Tally:
    """Sums of the parts of a replay, in their order; begin with :func:`tally`, go on with :meth:`add`.

    Attributes
    ----------
    latest
        The part added last: plan, rule, vehicles, counts of pings and notices are those of the whole replay.
    main
        The part with most visits, from which single trips are drawn.
    fate
        Calls that were due, shape (routes, hours, 2, states): by route, hour of the service day, whether they are
        timepoints, and punctuality.
    spread
        Calls with a deviation, shape (routes, 2, bins): by route, whether they are timepoints, and whole seconds from
        -LIMIT_S on.
    deviation_s
        Sum of deviations by whether they are timepoints, shape (2,).
    headways
        By route.
    vehicles
        Ids of those that were seen on a trip.
    known_trips
        Due trips by route that have a call whose fate is known.
    drawings
        What was drawn of it.
    """

    latest: ReplayResult
    main: ReplayResult
    fate: Counts
    spread: Counts
    deviation_s: FloatArray
    headways: HeadwaySums
    days: set[int] = field(default_factory=set)
    evidence: Counter[int] = field(default_factory=Counter)
    quality: Counter[int] = field(default_factory=Counter)
    events: Counter[str] = field(default_factory=Counter)
    vehicles: set[str] = field(default_factory=set)
    due_trips: int = 0
    performed: int = 0
    missing: int = 0
    unjudged: int = 0
    shapeless: int = 0
    known_trips: Counter[int] = field(default_factory=Counter)
    added: int = 0
    skipped: int = 0
    bunched_pairs: int = 0
    gap_pairs: int = 0
    found: Counter[int] = field(default_factory=Counter)
    worst: list[TripLateness] = field(default_factory=list)
    bunched: list[Spacing] = field(default_factory=list)
    gaps: list[Spacing] = field(default_factory=list)
    detours: list[Detour] = field(default_factory=list)
    drawings: list[Drawing] = field(default_factory=list)

    def add(self, result: ReplayResult, due: DueCalls) -> None:
        """Count a part."""
        self.latest = result
        self.main = result if len(result.visits) > len(self.main.visits) else self.main
        self.days.update(np.unique(due.trips.day).tolist())
        self.vehicles.update(result.vehicles[row] for row in np.unique(result.performed.vehicle).tolist())
        once = counted_once(due)
        self.fate += _fate(result, due, once)
        spread, deviation_s = _spread(result, due, once)
        self.spread += spread
        self.deviation_s = self.deviation_s + deviation_s
        self.headways = HeadwaySums(self.headways.values + headway_sums(result).values)
        self._add_trips(result, due)
        self.quality.update(dict(enumerate(np.bincount(result.visits.quality, minlength=len(Quality)).tolist())))
        self.skipped += int(result.visits.is_skipped.sum())
        self.events.update(KINDS[number] for number in result.events.kind.tolist())
        self.worst = _best(self.worst, worst_trips(result), MAX_TRIPS, lambda row: (-row.mean_off_s, row.trip_id))
        near, far = bunched_pairs(result), wide_pairs(result)
        self.bunched_pairs += near.count
        self.gap_pairs += far.count
        self.bunched = _best(self.bunched, near.rows, MAX_PAIRS, bunched_order)
        self.gaps = _best(self.gaps, far.rows, MAX_PAIRS, gap_order)
        self.found.update(dict(enumerate(np.bincount(result.matched.found, minlength=len(FOUND)).tolist())))
        self.detours = _best(self.detours, detours(result), MAX_DETOURS, detour_order)

    def _add_trips(self, result: ReplayResult, due: DueCalls) -> None:
        self.due_trips += len(set(zip(due.trips.day.tolist(), due.trips.trip.tolist(), strict=True)))
        self.performed += len(result.performed)
        self.missing += len(result.missing)
        self.unjudged += len(result.unjudged)
        patterns, pattern = result.plan.timetable.patterns, result.plan.timetable.trips.pattern
        self.shapeless += int((patterns.shape[pattern[result.performed.trip]] < 0).sum())
        self.added += int(is_added(result, result.performed.trip, result.performed.day).sum())
        self.evidence.update(result.performed.evidence.tolist())
        judged = np.bincount(due.owner[due.punctuality != Punctuality.UNKNOWN], minlength=len(due.trips)) > 0
        self.known_trips.update(result.plan.timetable.trip_route[due.trips.trip[judged]].tolist())

    def pings(self) -> dict[str, int]:
        """Positions by what became of them: those read, and what adds up to them.

        Left out by readers; dropped before they were matched; by what matching found; the rest, on other days.
        """
        left_out = rows_left_out(self.latest.notices)
        taken, dropped = self.latest.counts["read"], {k: v for k, v in self.latest.counts.items() if k != "read"}
        found = {name: self.found[kind] for kind, name in FOUND.items()}
        rest = taken - sum(dropped.values()) - sum(found.values())
        return {"read": taken + left_out, "left_out": left_out, **dropped, **found, "other_days": rest}

    def by_route(self) -> Counts:
        """Calls by route and punctuality, shape (routes, states)."""
        counts: Counts = self.fate.sum(axis=(1, 2))
        return counts

    def by_hour(self) -> Counts:
        """Calls by hour of the service day and punctuality, shape (hours, states)."""
        counts: Counts = self.fate.sum(axis=(0, 2))
        return counts

    def all_stops(self) -> OnTimeCounts:
        """Calls by punctuality."""
        return counts_of(self.fate.sum(axis=(0, 1, 2)))

    def timepoints(self) -> OnTimeCounts:
        """Calls at timepoints by punctuality."""
        return counts_of(self.fate[:, :, 1].sum(axis=(0, 1)))


def tally(first: ReplayResult) -> Tally:
    """Sums of no part yet, ready for the first."""
    routes = len(first.plan.timetable.routes)
    return Tally(
        latest=first,
        main=first,
        fate=np.zeros((routes, HOURS, 2, _STATES), dtype=np.int64),
        spread=np.zeros((routes, 2, _BINS), dtype=np.int32),
        deviation_s=np.zeros(2),
        headways=no_sums(routes),
    )


def counts_of(states: Counts) -> OnTimeCounts:
    """Counts by punctuality, shape (states,), with their names."""
    return OnTimeCounts(**{state.name.lower(): int(states[state]) for state in Punctuality})


def percentiles_s(spread: Counts, shares: Iterable[float]) -> list[float]:
    """Deviations (s) that a share of the calls stays at or below, to the whole second; NaN where there are none.

    Parameters
    ----------
    spread
        Calls by whole seconds from -:data:`LIMIT_S` on, shape (bins,).
    """
    below = np.cumsum(spread)
    if not below[-1]:
        return [np.nan for _ in shares]
    return [float(np.searchsorted(below, share * below[-1]) - LIMIT_S) for share in shares]


def _fate(result: ReplayResult, due: DueCalls, once: npt.NDArray[np.bool_]) -> Counts:
    table = result.plan.timetable
    route = table.trip_route[due.trips.trip][due.owner].astype(np.int64)
    hour = np.clip(result.plan.calls.departure_s[due.call] // 3600, 0, HOURS - 1).astype(np.int64)
    is_timepoint = table.calls.timepoint[due.call].astype(np.int64)
    shape = len(table.routes), HOURS, 2, _STATES
    place = ((route * HOURS + hour) * 2 + is_timepoint) * _STATES + due.punctuality
    return np.bincount(place[once], minlength=int(np.prod(shape))).reshape(shape)


def _spread(result: ReplayResult, due: DueCalls, once: npt.NDArray[np.bool_]) -> tuple[Counts, FloatArray]:
    table = result.plan.timetable
    known = np.flatnonzero(np.isfinite(due.deviation_s) & once)
    deviation_s = due.deviation_s[known]
    is_timepoint = table.calls.timepoint[due.call[known]].astype(np.int64)
    route = table.trip_route[due.trips.trip][due.owner[known]].astype(np.int64)
    second = np.clip(np.rint(deviation_s), -LIMIT_S, LIMIT_S).astype(np.int64) + LIMIT_S
    shape = len(table.routes), 2, _BINS
    found = np.bincount((route * 2 + is_timepoint) * _BINS + second, minlength=int(np.prod(shape)))
    total_s: FloatArray = np.bincount(is_timepoint, deviation_s, minlength=2).astype(np.float64)
    return found.reshape(shape).astype(np.int32), total_s


def _best(known: list[Any], more: Iterable[Any], most: int, order: Callable[[Any], Any]) -> list[Any]:
    return sorted([*known, *more], key=order)[:most]
