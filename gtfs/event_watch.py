"""Watches what becomes final in a trace, and tells the events that it shows, at once and ping by ping alike."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain

import numpy as np

from gtfs.event_kernels import (
    BACK_ON_ROUTE,
    LAID_OVER,
    LEFT_ROUTE,
    SILENT,
    STUCK,
    Findings,
    Rules,
    Sightings,
    Watch,
    verdict_changes,
    watch_pings,
)
from gtfs.on_time import ON_TIME_RULES, OnTimeRule, Position, Punctuality, punctuality
from gtfs.replay import Matched, PerformedTrip, Step
from gtfs.service_events import Event, Kind
from gtfs.stop_visits import Integers
from gtfs.trace_kernels import ARRIVAL, DEPARTURE, FINISHED, NONE, SKIPPED, Crossings
from gtfs.trace_plan import TracePlan
from gtfs.trace_settings import TraceSettings
from gtfs.trace_state import blank_watch, with_room
from networks.network import FloatArray

VERDICTS = {
    Punctuality.EARLY: Kind.EARLY,
    Punctuality.ON_TIME: Kind.BACK_ON_TIME,
    Punctuality.LATE: Kind.LATE,
}


@dataclass(slots=True, eq=False)
class EventWatch:
    """Watches the steps of a replay. Feed it with :meth:`see`, then :meth:`close` it.

    ``heard_s`` is when each vehicle was last heard of, on whichever trip or none, NaN before the first.
    """

    plan: TracePlan
    settings: TraceSettings = field(default_factory=TraceSettings)
    rule: OnTimeRule = ON_TIME_RULES["default"]
    watch: Watch = field(default_factory=lambda: blank_watch(0))
    heard_s: FloatArray = field(default_factory=lambda: np.empty(0))

    def see(self, step: Step, performed: Sequence[PerformedTrip]) -> list[Event]:
        """Events that a step shows, in order of time.

        Parameters
        ----------
        performed
            All performed trips of the replay so far.
        """
        self.watch = with_room(self.watch, len(performed), blank_watch)
        told = chain(
            self._on_the_road(step.matched), self._at_calls(step.crossings, performed), self._skipped(step.crossings)
        )
        return sorted(told, key=event_order)

    def close(self, performed: Sequence[PerformedTrip], newest_s: float) -> list[Event]:
        """What the end of the trace brings to light, in order of time.

        Vehicles that fell silent on their way and were not heard of again; layovers that nothing ended, since the trace
        was over, or the vehicle had gone on to its next trip.
        """
        silences, layovers = self._still_silent(performed, newest_s), self._still_laid_over(len(performed))
        return sorted(chain(silences, layovers), key=event_order)

    def _still_silent(self, performed: Sequence[PerformedTrip], newest_s: float) -> Iterator[Event]:
        for row, one in enumerate(performed):
            last_s = float(self.watch.last_s[row])
            is_last = last_s == self.heard_s[one.vehicle]
            if self.watch.is_on_way[row] and is_last and newest_s - last_s > self.settings.silent_s:
                yield self._silence(row, last_s, newest_s - last_s, ())

    def _still_laid_over(self, rows: int) -> Iterator[Event]:
        since_s = self.watch.still[:rows, 0]
        stood_s = np.where(self.watch.stood_at_end[:rows], self.watch.last_s[:rows] - since_s, 0.0)
        for row in np.flatnonzero(stood_s >= self.settings.layover_s).tolist():
            yield self._laid_over(row, float(since_s[row]), 0.0, float(stood_s[row]))

    def _on_the_road(self, matched: Matched) -> Iterator[Event]:
        rules = Rules(**{name: float(getattr(self.settings, name)) for name in Rules._fields})
        sightings = Sightings(
            performed=matched.performed,
            time_s=matched.time_s,
            lon=matched.lon,
            lat=matched.lat,
            off_m=matched.off_m,
            found=matched.found,
            at_end=self._at_end(matched),
            before_s=self._heard_before_s(matched),
        )
        found = watch_pings(sightings, rules, self.watch)
        tell: dict[int, Callable[[int, float, float, float], Event]] = {
            LEFT_ROUTE: self._left_route,
            BACK_ON_ROUTE: self._back_on_route,
            STUCK: self._stuck,
            LAID_OVER: self._laid_over,
            SILENT: self._heard_again,
        }
        patterns, pattern = self.plan.timetable.patterns, self.plan.timetable.trips.pattern
        for ping, kind, since_s, value in _rows(found):
            if kind in {LEFT_ROUTE, BACK_ON_ROUTE} and patterns.shape[pattern[matched.trip[ping]]] < 0:
                continue  # straight from stop to stop is not where streets lead
            row, now_s = int(matched.performed[ping]), float(matched.time_s[ping])
            yield tell[kind](row, since_s, now_s, value)

    def _at_end(self, matched: Matched) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Whether each vehicle is at a terminal of its trip."""
        call_m, start = self.plan.calls.distance_m, self.plan.calls.start
        zone_m = self.settings.zone_m
        at_end: np.ndarray[tuple[int], np.dtype[np.bool_]] = matched.found == FINISHED
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

    def _left_route(self, row: int, since_s: float, now_s: float, worst_m: float) -> Event:
        limit_m = self.settings.off_route_m
        rule = f"two pings in a row more than {limit_m:g} m from the line, moving"
        return Event(Kind.OFF_ROUTE, since_s, row, None, worst_m, limit_m, "m", rule, (since_s, now_s))

    def _back_on_route(self, row: int, since_s: float, now_s: float, worst_m: float) -> Event:
        limit_m = self.settings.back_m
        rule = f"two pings in a row within {limit_m:g} m of the line; the value is the greatest distance"
        return Event(Kind.BACK_ON_ROUTE, now_s, row, None, worst_m, limit_m, "m", rule, (since_s, now_s))

    def _stuck(self, row: int, since_s: float, now_s: float, moved_m: float) -> Event:
        settings = self.settings
        rule = f"less than {settings.stuck_m:g} m in {settings.stuck_s:g} s, away from the terminals"
        return Event(Kind.NO_PROGRESS, now_s, row, None, moved_m, settings.stuck_m, "m", rule, (since_s, now_s))

    def _laid_over(self, row: int, since_s: float, _: float, stood_s: float) -> Event:
        limit_s = self.settings.layover_s
        rule = f"stood at a terminal for {limit_s:g} s or more"
        return Event(Kind.LAYOVER, since_s, row, None, stood_s, limit_s, "s", rule, (since_s, since_s + stood_s))

    def _heard_again(self, row: int, since_s: float, now_s: float, silent_s: float) -> Event:
        return self._silence(row, since_s, silent_s, (now_s,))

    def _silence(self, row: int, since_s: float, silent_s: float, again_s: tuple[float, ...]) -> Event:
        limit_s = self.settings.silent_s
        rule = f"not heard of for more than {limit_s:g} s on its way"
        time_s = since_s + limit_s
        return Event(Kind.STALE, time_s, row, None, silent_s, limit_s, "s", rule, (since_s, *again_s))

    def _at_calls(self, crossings: Crossings, performed: Sequence[PerformedTrip]) -> Iterator[Event]:
        """Trips that become late or early, or keep their time again."""
        judged, position = self._judged(crossings, performed)
        row, call = crossings.performed[judged], crossings.call[judged]
        lateness_s = crossings.time_s[judged] - self._scheduled_s(row, call, position, performed)
        found = punctuality(self.rule, position, lateness_s, np.zeros(len(row), dtype=np.bool_))
        changed = verdict_changes(row, found, self.watch, np.empty(len(row), np.bool_))
        bounds_s = self.rule.bounds_s
        for place in np.flatnonzero(changed).tolist():
            verdict = Punctuality(int(found[place]))
            bound_s = bounds_s[position[place], 0 if verdict == Punctuality.EARLY else 1]
            until_s, gap_s = crossings.until_s[judged[place]], crossings.gap_s[judged[place]]
            yield Event(
                kind=VERDICTS[verdict],
                time_s=float(crossings.time_s[judged[place]]),
                performed=int(row[place]),
                call=int(call[place]),
                value=float(lateness_s[place]),
                threshold=float(bound_s),
                unit="s",
                rule=f"on time by rule {self.rule.name}",
                pings_s=(float(until_s - gap_s), float(until_s)),
            )

    def _judged(self, crossings: Crossings, performed: Sequence[PerformedTrip]) -> tuple[Integers, Integers]:
        """Crossings that judge their visits, and the position of each: arrivals at the end, else departures."""
        rows, place = np.unique(crossings.performed, return_inverse=True)
        trip = np.array([performed[row].trip for row in rows.tolist()], dtype=np.int32)[place]
        start = self.plan.calls.start
        position = np.full(len(trip), int(Position.MIDDLE))
        position[crossings.call == start[trip]] = Position.ORIGIN
        position[crossings.call == start[trip + 1] - 1] = Position.END
        wanted = np.where(position == Position.END, ARRIVAL, DEPARTURE)
        judged = np.flatnonzero((crossings.kind == wanted) & (crossings.gap_s <= self.settings.known_s))
        return judged, position[judged]

    def _scheduled_s(
        self, row: Integers, call: Integers, position: Integers, performed: Sequence[PerformedTrip]
    ) -> FloatArray:
        rows, place = np.unique(row, return_inverse=True)
        origin_s = [self.plan.origin_s(performed[one].day) for one in rows.tolist()]
        calls = self.plan.calls
        return np.array(origin_s, dtype=np.float64)[place] + np.where(
            position == Position.END, calls.arrival_s[call], calls.departure_s[call]
        )

    def _skipped(self, crossings: Crossings) -> Iterator[Event]:
        limit_m = self.settings.skip_m
        for place in np.flatnonzero(crossings.kind == SKIPPED).tolist():
            until_s, gap_s = float(crossings.until_s[place]), float(crossings.gap_s[place])
            yield Event(
                kind=Kind.SKIPPED_STOP,
                time_s=until_s,
                performed=int(crossings.performed[place]),
                call=int(crossings.call[place]),
                value=float(crossings.near_m[place]),
                threshold=limit_m,
                unit="m",
                rule=f"passed off the route, never nearer than {limit_m:g} m",
                pings_s=(until_s - gap_s, until_s),
            )


def event_order(event: Event) -> tuple[float, str, int, int]:
    """By time, then so that nothing hangs on the order in which events were found."""
    return event.time_s, event.kind, event.performed, -1 if event.call is None else event.call


def _rows(found: Findings) -> Iterator[tuple[int, int, float, float]]:
    return zip(found.ping.tolist(), found.kind.tolist(), found.since_s.tolist(), found.value.tolist(), strict=True)
