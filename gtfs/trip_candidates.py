"""Trips that a vehicle might be on: those under way now on the days that run, and how well each fits its pings."""

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from gtfs.guess_kernels import MISSES, NONE, Index, Tried, courses, fit_trips, lines_near
from gtfs.held_pings import HeldPings
from gtfs.line_index import line_index
from gtfs.trace_kernels import Progress, Samples
from gtfs.trace_plan import TracePlan
from gtfs.trace_settings import TraceSettings
from gtfs.trace_state import blank_progress
from gtfs.trip_claims import Claim
from networks.network import FloatArray

DAY_S = 86_400
DAYS_AT_HAND = 8

Integers = npt.NDArray[np.integer]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Trips on service days, and the moment from which each day counts, shape (candidates,) each."""

    trip: Integers
    day: Integers
    origin_s: FloatArray

    def __len__(self) -> int:
        """Count of candidates."""
        return len(self.trip)


@dataclass(frozen=True, slots=True, eq=False)
class Fits:
    """How candidates fit a vehicle's pings, see :func:`gtfs.guess_kernels.fit_trips`.

    ``count`` and ``measure`` have a row a candidate, as has ``progress``: where each would be.
    """

    count: Integers
    measure: FloatArray
    progress: Progress


@dataclass(slots=True, eq=False)
class CandidateTrips:
    """Looks up trips of a plan by time, route and place."""

    plan: TracePlan
    settings: TraceSettings
    _route_row: dict[str, int] = field(init=False)
    _on_day: dict[int, Candidates] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Index the feed's routes."""
        self._route_row = {text: row for row, text in enumerate(self.plan.timetable.routes.ids)}

    def of_other_route(self, trip: int, claim: Claim) -> bool:
        """Whether a claim names a route of the feed that is not the trip's."""
        route = self._route_row.get(claim.route, NONE)
        return route not in (NONE, int(self.plan.timetable.trip_route[trip]))

    def under_way(self, time_s: float, claim: Claim, day: int) -> Candidates:
        """Trips that run about a time, of the route and on the day (or NONE) that are named, if any."""
        today = int(time_s // DAY_S)
        days = range(today - 1, today + 2) if day == NONE else (day,)
        parts = [self._under_way(number, time_s) for number in days]
        about = Candidates(
            trip=np.concatenate([part.trip for part in parts]),
            day=np.concatenate([part.day for part in parts]),
            origin_s=np.concatenate([part.origin_s for part in parts]),
        )
        route = self._route_row.get(claim.route, NONE)
        return about if route == NONE else _take(about, self.plan.timetable.trip_route[about.trip] == route)

    def _under_way(self, day: int, time_s: float) -> Candidates:
        running = self._running(day)
        span_s = self.plan.trip_span_s[running.trip] + running.origin_s[:, None]
        slack_s = self.settings.rival_s
        return _take(running, (span_s[:, 0] - slack_s <= time_s) & (time_s <= span_s[:, 1] + slack_s))

    def _running(self, day: int) -> Candidates:
        """Trips of a service day."""
        found = self._on_day.get(day)
        if found is None:
            trip = np.flatnonzero(self.plan.services_running(day)[self.plan.trip_service]).astype(np.int32)
            origin_s = np.full(len(trip), float(self.plan.origin_s(day)))
            found = Candidates(trip, np.full(len(trip), day, np.int32), origin_s)
            self._on_day = dict([*self._on_day.items(), (day, found)][-DAYS_AT_HAND:])
        return found

    def fits(self, candidates: Candidates, window: HeldPings) -> tuple[Candidates, Fits]:
        """Candidates whose lines a vehicle's last pings lie by, and how well each fits all its pings."""
        samples = as_samples(window)
        pattern = self.plan.timetable.trips.pattern[candidates.trip]
        distinct, line = np.unique(pattern, return_inverse=True)
        near_m = self._near(distinct, samples)
        passes_here: Bools = np.asarray(np.isfinite(near_m[:, -MISSES:]).any(axis=1))
        is_here = passes_here[line]
        found = _take(candidates, is_here)
        tried = Tried(found.trip, found.origin_s, line[is_here], near_m)
        fits = Fits(np.empty((len(found), 4), np.int32), np.empty((len(found), 4)), blank_progress(len(found)))
        lines, plan, limits = self.plan.kernel_lines, self.plan.kernel_plan, self.settings.limits
        fit_trips(samples, tried, lines, plan, limits, fits.progress, fits.count, fits.measure)
        return found, fits

    def _near(self, patterns: Integers, samples: Samples) -> FloatArray:
        """Where along the lines of patterns pings first lie near, infinity where they do not, (patterns, pings)."""
        row = np.full(len(self.plan.lines.start) - 1, NONE, dtype=np.int32)
        row[patterns] = np.arange(len(patterns))
        lines, most_m = self.plan.kernel_lines, self.settings.off_route_m
        near_m = np.empty((len(patterns), len(samples.time_s)))
        lines_near(
            samples, courses(samples, self.settings.still_m), _lines_by_place(self.plan), row, lines, most_m, near_m
        )
        return near_m


@lru_cache(maxsize=8)
def _lines_by_place(plan: TracePlan) -> Index:
    return line_index(plan.kernel_lines)


def as_samples(held: HeldPings) -> Samples:
    """Pings as kernels take them, each vehicle standing for what it performs; trip and clock are left open."""
    count = len(held.time_s)
    return Samples(
        performed=held.vehicle.copy(),
        trip=np.empty(count, np.int32),
        time_s=held.time_s,
        clock_s=np.empty(count),
        lon=held.lon,
        lat=held.lat,
        heading_deg=held.heading_deg,
        speed_mps=held.speed_mps,
    )


def _take(candidates: Candidates, rows: Bools) -> Candidates:
    return Candidates(candidates.trip[rows], candidates.day[rows], candidates.origin_s[rows])
