"""Watches what becomes final in a trace, and tells the events that it shows, at once and ping by ping alike."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from gtfs.event_kernels import (
    BACK_ON_ROUTE,
    LAID_OVER,
    LEFT_ROUTE,
    SILENT,
    STUCK,
    Rules,
    Sightings,
    Watch,
    verdict_changes,
    watch_pings,
)
from gtfs.live_trips import LiveTrips
from gtfs.on_time import ON_TIME_RULES, OnTimeRule, Position, Punctuality, punctuality
from gtfs.replay import Matched, Step
from gtfs.service_events import Events, Kind, events_of, joined_events
from gtfs.stop_visits import Integers
from gtfs.trace_kernels import ARRIVAL, DEPARTURE, FINISHED, NONE, SKIPPED
from gtfs.trace_plan import TracePlan
from gtfs.trace_settings import TraceSettings
from gtfs.trace_state import blank_watch, forget, with_room
from networks.network import FloatArray

Flags = npt.NDArray[np.bool_]

VERDICTS = {
    Punctuality.EARLY: Kind.EARLY,
    Punctuality.ON_TIME: Kind.BACK_ON_TIME,
    Punctuality.LATE: Kind.LATE,
}


def event_rules(settings: TraceSettings, rule: OnTimeRule) -> dict[Kind, str]:
    """The rule of each kind that is watched for, in words."""
    one = settings
    near = f"two pings in a row within {one.back_m:g} m of the line; the value is the greatest distance"
    return dict.fromkeys(VERDICTS.values(), f"on time by rule {rule.name}") | {
        Kind.OFF_ROUTE: f"two pings in a row more than {one.off_route_m:g} m from the line, moving",
        Kind.BACK_ON_ROUTE: near,
        Kind.SKIPPED_STOP: f"passed off the route, never nearer than {one.skip_m:g} m",
        Kind.NO_PROGRESS: f"less than {one.stuck_m:g} m in {one.stuck_s:g} s, away from the terminals",
        Kind.LAYOVER: f"stood at a terminal for {one.layover_s:g} s or more",
        Kind.STALE: f"not heard of for more than {one.silent_s:g} s on its way",
    }


@dataclass(slots=True, eq=False)
class EventWatch:
    """Watches the steps of a replay. Feed it with :meth:`see`, then :meth:`close` it.

    Events name performed trips by their numbers.

    Attributes
    ----------
    rules
        The rule of each kind in words.
    watch
        What is remembered of the trips in the replay's rows.
    heard_s
        When each vehicle was last heard of, on whichever trip or none, NaN before the first.
    """

    plan: TracePlan
    settings: TraceSettings = field(default_factory=TraceSettings)
    rule: OnTimeRule = ON_TIME_RULES["default"]
    rules: dict[Kind, str] = field(init=False)
    watch: Watch = field(default_factory=lambda: blank_watch(0))
    heard_s: FloatArray = field(default_factory=lambda: np.empty(0))

    def __post_init__(self) -> None:
        """Put the rules into words."""
        self.rules = event_rules(self.settings, self.rule)

    def see(self, step: Step, trips: LiveTrips) -> Events:
        """Events that a step shows, in order of time.

        Parameters
        ----------
        trips
            Those of the replay, as they are with this step.
        """
        self.watch = with_room(self.watch, trips.rows, blank_watch)
        forget(self.watch, step.begun, blank_watch)
        parts = [*self._on_the_road(step), *self._at_calls(step, trips), self._skipped(step)]
        parts.append(self._still_laid_over(step.over, trips))
        return joined_events(parts).in_order()

    def close(self, trips: LiveTrips, newest_s: float) -> Events:
        """What the end of the trace brings to light, in order of time.

        Vehicles that fell silent on their way and were not heard of again; layovers that nothing ended, since the trace
        was over, or the vehicle had gone on to its next trip.
        """
        rows = trips.live()
        return joined_events([self._still_silent(rows, trips, newest_s), self._still_laid_over(rows, trips)]).in_order()

    def _still_silent(self, rows: Integers, trips: LiveTrips, newest_s: float) -> Events:
        last_s = self.watch.last_s[rows]
        is_last = last_s == self.heard_s[trips.roster.vehicle[rows]]
        told = self.watch.is_on_way[rows] & is_last & (newest_s - last_s > self.settings.silent_s)
        return self._silence(trips.roster.number[rows[told]], last_s[told], newest_s - last_s[told], np.nan)

    def _still_laid_over(self, rows: Integers, trips: LiveTrips) -> Events:
        since_s = self.watch.still[rows, 0]
        stood_s = np.where(self.watch.stood_at_end[rows], self.watch.last_s[rows] - since_s, 0.0)
        told = stood_s >= self.settings.layover_s
        return self._laid_over(trips.roster.number[rows[told]], since_s[told], stood_s[told])

    def _on_the_road(self, step: Step) -> Iterator[Events]:
        matched, one = step.matched, self.settings
        rules = Rules(**{name: float(getattr(one, name)) for name in Rules._fields})
        sightings = Sightings(
            performed=step.row,
            time_s=matched.time_s,
            lon=matched.lon,
            lat=matched.lat,
            off_m=matched.off_m,
            found=matched.found,
            at_end=self._at_end(matched),
            before_s=self._heard_before_s(matched),
        )
        found = watch_pings(sightings, rules, self.watch)
        # straight from stop to stop is not where streets lead
        is_drawn = self.plan.timetable.patterns.shape[self.plan.timetable.trips.pattern[matched.trip[found.ping]]] >= 0

        def of(kind: int) -> tuple[Any, ...]:
            rows = np.flatnonzero((found.kind == kind) & (is_drawn | (kind not in {LEFT_ROUTE, BACK_ON_ROUTE})))
            ping = found.ping[rows]
            return matched.performed[ping], found.since_s[rows], matched.time_s[ping], found.value[rows]

        number, since_s, now_s, worst_m = of(LEFT_ROUTE)
        yield self._seen(Kind.OFF_ROUTE, number, since_s, worst_m, one.off_route_m, since_s, now_s)
        number, since_s, now_s, worst_m = of(BACK_ON_ROUTE)
        yield self._seen(Kind.BACK_ON_ROUTE, number, now_s, worst_m, one.back_m, since_s, now_s)
        number, since_s, now_s, moved_m = of(STUCK)
        yield self._seen(Kind.NO_PROGRESS, number, now_s, moved_m, one.stuck_m, since_s, now_s)
        number, since_s, _, stood_s = of(LAID_OVER)
        yield self._laid_over(number, since_s, stood_s)
        number, since_s, now_s, silent_s = of(SILENT)
        yield self._silence(number, since_s, silent_s, now_s)

    def _at_end(self, matched: Matched) -> Flags:
        """Whether each vehicle is at a terminal of its trip."""
        call_m, start = self.plan.calls.distance_m, self.plan.calls.start
        zone_m = self.settings.zone_m
        at_end: Flags = matched.found == FINISHED
        known = np.flatnonzero(matched.trip >= 0)
        trip, way_m = matched.trip[known], matched.way_m[known]
        at_end[known] |= (way_m <= call_m[start[trip]] + zone_m) | (way_m >= call_m[start[trip + 1] - 1] - zone_m)
        return at_end

    def _heard_before_s(self, matched: Matched) -> FloatArray:
        """When the vehicle of each ping was heard of before."""
        vehicle, before_s = matched.vehicle, np.empty(len(matched))
        more = int(vehicle.max(initial=NONE)) + 1 - len(self.heard_s)
        self.heard_s = np.append(self.heard_s, np.full(max(more, 0), np.nan))
        first = np.flatnonzero(np.diff(vehicle, prepend=NONE))
        last = np.append(first, len(vehicle))[1:] - 1
        before_s[1:] = matched.time_s[:-1]
        before_s[first] = self.heard_s[vehicle[first]]
        self.heard_s[vehicle[last]] = matched.time_s[last]
        return before_s

    def _laid_over(self, number: Integers, since_s: FloatArray, stood_s: FloatArray) -> Events:
        limit_s = self.settings.layover_s
        return self._seen(Kind.LAYOVER, number, since_s, stood_s, limit_s, since_s, since_s + stood_s)

    def _silence(
        self, number: Integers, since_s: FloatArray, silent_s: FloatArray, again_s: FloatArray | float
    ) -> Events:
        limit_s = self.settings.silent_s
        return self._seen(Kind.STALE, number, since_s + limit_s, silent_s, limit_s, since_s, again_s)

    def _seen(
        self,
        kind: Kind,
        number: Integers,
        time_s: FloatArray,
        value: FloatArray,
        threshold: float,
        since_s: FloatArray,
        until_s: FloatArray | float,
    ) -> Events:
        """Events of one kind that happened on the road."""
        return events_of(
            kind,
            self.rules[kind],
            time_s=time_s,
            performed=number,
            value=value,
            threshold=threshold,
            since_s=since_s,
            until_s=until_s,
        )

    def _at_calls(self, step: Step, trips: LiveTrips) -> Iterator[Events]:
        """Trips that become late or early, or keep their time again."""
        crossings, (judged, position) = step.crossings, self._judged(step, trips)
        row, call = step.crossing_row[judged], crossings.call[judged]
        lateness_s = crossings.time_s[judged] - self._scheduled_s(row, call, position, trips)
        found = punctuality(self.rule, position, lateness_s, np.zeros(len(row), dtype=np.bool_))
        changed = verdict_changes(row, found, self.watch, np.empty(len(row), np.bool_))
        for verdict, kind in VERDICTS.items():
            some = np.flatnonzero(changed & (found == verdict))
            at, side = judged[some], 0 if verdict == Punctuality.EARLY else 1
            yield events_of(
                kind,
                self.rules[kind],
                time_s=crossings.time_s[at],
                performed=crossings.performed[at],
                call=crossings.call[at],
                value=lateness_s[some],
                threshold=self.rule.bounds_s[position[some], side],
                since_s=crossings.until_s[at] - crossings.gap_s[at],
                until_s=crossings.until_s[at],
            )

    def _judged(self, step: Step, trips: LiveTrips) -> tuple[Integers, Integers]:
        """Crossings that judge their visits, and the position of each: arrivals at the end, else departures."""
        crossings, start = step.crossings, self.plan.calls.start
        trip = trips.roster.trip[step.crossing_row]
        position = np.full(len(trip), int(Position.MIDDLE))
        position[crossings.call == start[trip]] = Position.ORIGIN
        position[crossings.call == start[trip + 1] - 1] = Position.END
        wanted = np.where(position == Position.END, ARRIVAL, DEPARTURE)
        judged = np.flatnonzero((crossings.kind == wanted) & (crossings.gap_s <= self.settings.known_s))
        return judged, position[judged]

    def _scheduled_s(self, row: Integers, call: Integers, position: Integers, trips: LiveTrips) -> FloatArray:
        calls = self.plan.calls
        clock_s = np.where(position == Position.END, calls.arrival_s[call], calls.departure_s[call])
        scheduled_s: FloatArray = trips.roster.origin_s[row] + clock_s
        return scheduled_s

    def _skipped(self, step: Step) -> Events:
        crossings = step.crossings
        rows = np.flatnonzero(crossings.kind == SKIPPED)
        until_s = crossings.until_s[rows]
        return events_of(
            Kind.SKIPPED_STOP,
            self.rules[Kind.SKIPPED_STOP],
            time_s=until_s,
            performed=crossings.performed[rows],
            call=crossings.call[rows],
            value=crossings.near_m[rows],
            threshold=self.settings.skip_m,
            since_s=until_s - crossings.gap_s[rows],
            until_s=until_s,
        )
