"""One replay from its first pings to its result: the state machine, the events, and what they found."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from gtfs.avl_batch import Batch
from gtfs.avl_source import ReadSoFar
from gtfs.coverage import Coverage, Minutes, coverage, no_spans, with_moments
from gtfs.event_watch import EventWatch
from gtfs.missing_trips import Unnamed, absent_trips
from gtfs.on_time import OnTimeRule
from gtfs.performed_trips import PerformedTrips, joined_trips
from gtfs.regularity_events import regularity_events
from gtfs.replay import DAY_S, Matched, Replay, Step
from gtfs.replay_result import ReplayResult, performed_ids, visit_headways
from gtfs.screen_kernels import order_by_vehicle
from gtfs.service_events import COLUMNS, NUMBER, Events, Kind, joined_events, no_events
from gtfs.stop_visits import Integers, StopVisits, stop_visits
from gtfs.trace_kernels import NO_TRIP, NONE, Crossings
from gtfs.trace_plan import TracePlan
from gtfs.trace_settings import TraceSettings
from gtfs.trip_updates import UnderWay
from networks.faults import Notice
from networks.network import IntArray
from scenarios.replay_store import Store

TOLD_BY_TRIP = {"trip", "clock_s"}
"""What of pings follows from their performed trip and is not kept."""
PINGS = tuple(part.name for part in fields(Matched) if part.name not in TOLD_BY_TRIP)
MOST_VISITS = 200_000
"""So many stop visits are held in memory at a time."""
RECENT_S = 1800.0
"""Events within so long before the newest ping are kept at hand."""


@dataclass(slots=True, eq=False)
class Session:
    """Takes batches of pings with :meth:`take`; what they say about the service is told by :func:`results`.

    Memory hangs on the fleet: what is final goes to stores on disk.

    Attributes
    ----------
    pings, crossings, trips, events
        What was found: pings by day (UTC), the rest by service day. All name performed trips by their numbers.
    calls
        Calls of the trips performed, by service day.
    recent
        Events told within :data:`RECENT_S` before the newest ping, and the trips whose rows these name.
    notices
        Faults in the data.
    heard
        When any vehicle was heard of, see :func:`gtfs.coverage.with_moments`.
    so_far
        How far the source was read.
    """

    plan: TracePlan
    rule: OnTimeRule
    folder: Path
    settings: TraceSettings = field(default_factory=TraceSettings)
    replay: Replay = field(init=False)
    watch: EventWatch = field(init=False)
    pings: Store = field(init=False)
    crossings: Store = field(init=False)
    trips: Store = field(init=False)
    events: Store = field(init=False)
    calls: Counter[int] = field(default_factory=Counter)
    recent: tuple[PerformedTrips, Events] = field(default_factory=lambda: (joined_trips(()), no_events()))
    notices: dict[tuple[str, str, str, str], Notice] = field(default_factory=dict)
    heard: Minutes = field(default_factory=no_spans)
    so_far: ReadSoFar = field(default_factory=ReadSoFar)

    def __post_init__(self) -> None:
        """Begin with nothing."""
        self.replay = Replay(self.plan, self.settings)
        self.watch = EventWatch(self.plan, self.settings, self.rule)
        self.pings, self.crossings = Store(self.folder, "pings"), Store(self.folder, "crossings")
        self.trips, self.events = Store(self.folder, "trips"), Store(self.folder, "events")

    @property
    def stores(self) -> tuple[Store, ...]:
        """All stores."""
        return self.pings, self.crossings, self.trips, self.events

    def remove_parts(self) -> None:
        """Remove what was put on disk."""
        for store in self.stores:
            store.remove()

    def take(self, batch: Batch) -> tuple[Step, Events]:
        """Take pings as they arrived; what became final by them, and the events that this brings to light."""
        for notice in batch.notices:
            key = notice_key(notice)
            known = self.notices.get(key)
            self.notices[key] = notice if known is None else replace(known, count=known.count + notice.count)
        if len(batch.pings):
            self.heard = with_moments(self.heard, batch.pings.time_s)
        return self._keep(self.replay.feed(batch.pings))

    def close(self) -> tuple[Step, Events]:
        """Take what was still held back; what became final by it, and the events that the end brings to light."""
        step, told = self._keep(self.replay.close())
        last = self.watch.close(self.replay.trips, self.replay.newest_s)
        self._keep_events(last)
        return step, joined_events([told, last])

    def _keep(self, step: Step) -> tuple[Step, Events]:
        matched, crossings, roster = step.matched, step.crossings, self.replay.trips.roster
        utc_day = (np.floor(matched.time_s).astype(np.int64) // DAY_S).astype(np.int32)
        self.pings.add({name: getattr(matched, name) for name in PINGS}, utc_day)
        self.crossings.add(crossings._asdict(), roster.day[step.crossing_row])
        begun, number = self.replay.trips.at(step.begun), roster.number[step.begun]
        columns = {"number": number, "vehicle": begun.vehicle, "trip": begun.trip, "evidence": begun.evidence}
        self.trips.add(columns, begun.day)
        for day in np.unique(begun.day).tolist():
            self.calls[day] += int(np.diff(self.plan.calls.start)[begun.trip[begun.day == day]].sum())
        told = self.watch.see(step, self.replay.trips)
        self._keep_events(told)
        return step, told

    def _keep_events(self, told: Events) -> None:
        trips = self.replay.trips.at(self.replay.trips.rows_of(told.performed))
        self.events.add({name: getattr(told, name) for name in COLUMNS}, trips.day)
        known, before = self.recent
        events = joined_events([before, replace(told, performed=len(known) + np.arange(len(told)))])
        rows = np.flatnonzero(events.time_s >= self.replay.newest_s - RECENT_S)
        self.recent = (
            joined_trips([known, trips]).take(rows),
            replace(events.take(rows), performed=np.arange(len(rows))),
        )

    def under_way(self) -> UnderWay:
        """Vehicles that were on their way when the newest ping came, each where it was seen last."""
        progress, watch, trips = self.replay.progress, self.watch.watch, self.replay.trips
        rows = trips.live()
        vehicle = trips.roster.vehicle[rows]
        order = np.lexsort((trips.roster.number[rows], watch.last_s[rows], vehicle))
        is_last = np.append(np.diff(vehicle[order]) != 0, True)[: len(order)]
        rows = np.sort(rows[order[is_last]])
        is_on_way = watch.is_on_way[rows] & (self.replay.newest_s - watch.last_s[rows] <= self.settings.silent_s)
        rows = rows[is_on_way & np.isfinite(progress.way_m[rows])]
        return UnderWay(rows, progress.way_m[rows], progress.time_s[rows])

    @property
    def counts(self) -> dict[str, int]:
        """Pings by what became of them before they were matched."""
        return {"read": self.replay.pings, **dict(sorted(self.replay.dropped.items()))}


def notice_key(notice: Notice) -> tuple[str, str, str, str]:
    """What notices have in common that are counted together."""
    return notice.code, notice.file, notice.field, notice.remedy


def runs_of_days(session: Session, most_visits: int = MOST_VISITS) -> list[set[int]]:
    """Service days in order, together as long as memory is given for their visits."""
    runs: list[set[int]] = []
    room = 0
    for day, count in sorted(session.calls.items()):
        if not runs or count > room:
            runs.append(set())
            room = most_visits
        runs[-1].add(day)
        room -= count
    return runs


@dataclass(frozen=True, slots=True, eq=False)
class _Order:
    """What is the same for all runs of days: when the trace covers the service, and places in the order of ids."""

    covered: Coverage
    trip: Integers
    vehicle: Integers


@dataclass(frozen=True, slots=True, eq=False)
class _Run:
    """Performed trips of some service days in their order; ``row`` has the row of each by its number from ``first``."""

    days: set[int]
    performed: PerformedTrips
    first: int
    row: IntArray

    def rows_of(self, number: Integers) -> IntArray:
        """Rows of trips by their numbers, NONE for those of other days and where there is none."""
        place = number.astype(np.int64) - self.first
        place = np.where((place < 0) | (place >= len(self.row)), len(self.row), place)
        found: IntArray = np.append(self.row, np.int32(NONE))[place]
        return found


def results(session: Session, runs: Iterable[set[int]]) -> Iterator[ReplayResult]:
    """What the trace says of each run of service days; notices and counts are those of the whole trace."""
    ids, vehicles = np.array(session.plan.timetable.trips.ids), np.array(session.replay.vehicles)
    order = _Order(
        coverage(session.heard), *(np.argsort(np.argsort(texts, kind="stable")) for texts in (ids, vehicles))
    )
    for days in runs:
        yield _result(session, _run(session, days, order), order)


def _run(session: Session, days: set[int], order: _Order) -> _Run:
    """Performed trips of some service days, in order of day, trip and vehicle."""
    parts = [(day, session.trips.of_day(day)) for day in sorted(days)]
    number = _joined([part["number"] for _, part in parts])
    trips = PerformedTrips(
        vehicle=_joined([part["vehicle"] for _, part in parts]),
        trip=_joined([part["trip"] for _, part in parts]),
        day=_joined([np.full(len(part["trip"]), day, np.int32) for day, part in parts]),
        evidence=_joined([part["evidence"] for _, part in parts]),
    )
    rows = np.lexsort((order.vehicle[trips.vehicle], order.trip[trips.trip], trips.day))
    first = int(number.min())
    row = np.full(int(number.max()) - first + 1, NONE, dtype=np.int32)
    row[number[rows] - first] = np.arange(len(rows))
    return _Run(days, trips.take(rows), first, row)


def _result(session: Session, run: _Run, order: _Order) -> ReplayResult:
    replay, plan, performed = session.replay, session.plan, run.performed
    absent = absent_trips(plan, performed, order.covered, partial(_unnamed, session))
    visits = _visits(session, run)
    headways, ahead = visit_headways(plan, performed, visits, absent.missing, order.covered, absent.unjudged)
    told = joined_events([_events(session, run, order.covered), regularity_events(visits, headways, ahead)])
    return ReplayResult(
        plan=plan,
        rule=session.rule,
        vehicles=replay.vehicles,
        performed=performed,
        trip_ids=performed_ids(performed, replay.vehicles, plan),
        visits=visits,
        headways=headways,
        ahead=ahead,
        missing=absent.missing,
        unjudged=absent.unjudged,
        pings=cache(partial(_matched, session, run, order.vehicle)),
        events=told.in_order(),
        counts=session.counts,
        notices=tuple(session.notices.values()),
    )


def _unnamed(session: Session, day: int) -> Unnamed:
    """Pings without a trip in the hours of a service day."""
    names = ("found", *Unnamed._fields)
    parts = [session.pings.of_day(one, names) for one in (day, day + 1, day + 2) if one in session.pings.days]
    rows = [part["found"] == NO_TRIP for part in parts]
    return Unnamed(
        *(_joined([part[name][row] for part, row in zip(parts, rows, strict=True)]) for name in Unnamed._fields)
    )


def _events(session: Session, run: _Run, covered: Coverage) -> Events:
    """Events of trips without silences of the whole source: those say nothing about a vehicle."""
    parts = [session.events.of_day(day) for day in sorted(run.days & session.events.days)]
    columns = {name: _joined([part[name] for part in parts]) for name in COLUMNS}
    events = Events(**columns | {"performed": run.rows_of(columns["performed"])}, rules=session.watch.rules)
    return events.take((events.kind != NUMBER[Kind.STALE]) | covered.whole(events.time_s, events.time_s))


def _visits(session: Session, run: _Run) -> StopVisits:
    """Stop visits of performed trips."""
    parts = [session.crossings.of_day(day) for day in sorted(run.days & session.crossings.days)]
    found = Crossings(*(_joined([part[name] for part in parts]) for name in Crossings._fields))
    crossings = found._replace(performed=run.rows_of(found.performed))
    return stop_visits(session.plan, run.performed, crossings, session.settings.known_s)


def _joined(columns: list[Any]) -> Any:
    return np.concatenate(columns) if columns else np.empty(0, np.int32)


def _matched(session: Session, run: _Run, rank: Integers) -> Matched:
    """Final pings of the trips of some service days, and those without a trip in these days' hours."""
    wanted = sorted({day + shift for day in run.days for shift in (-1, 0, 1, 2)} & session.pings.days)
    parts = [_sorted_pings(session.pings.of_day(day), run, rank, keeps_unnamed=day in run.days) for day in wanted]
    columns = {name: np.concatenate([part[name] for part in parts]) for name in PINGS}
    trip = np.append(run.performed.trip, np.int32(NONE))[columns["performed"]]
    origin_s = np.append(session.plan.origins_s(run.performed.day), np.nan)[columns["performed"]]
    return Matched(**columns, trip=trip, clock_s=columns["time_s"] - origin_s)


def _sorted_pings(columns: Mapping[str, Any], run: _Run, rank: Integers, *, keeps_unnamed: bool) -> dict[str, Any]:
    """Pings of a day (UTC) by vehicle and time: those of the trips of a run, and those without a trip if wanted.

    ``rank`` is the place of each vehicle among their ids.
    """
    row = run.rows_of(columns["performed"])
    rows = np.flatnonzero((row >= 0) | ((columns["performed"] < 0) & keeps_unnamed))
    some: dict[str, Any] = {name: columns[name][rows] for name in PINGS} | {"performed": row[rows]}
    order = order_by_vehicle(rank[some["vehicle"]], some["time_s"], some["lat"], some["lon"], some["performed"])
    return {name: column[order] for name, column in some.items()}
