"""One replay from its first pings to its result: the state machine, the events, and what they found."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from gtfs.avl_batch import Batch
from gtfs.avl_source import ReadSoFar
from gtfs.coverage import MINUTE_S, NEAR_MINUTES, coverage
from gtfs.event_watch import EventWatch, event_order
from gtfs.missing_trips import Unnamed, absent_trips
from gtfs.on_time import OnTimeRule
from gtfs.regularity_events import LiveRegularity, regularity_events
from gtfs.replay import DAY_S, Matched, PerformedTrip, Replay, Step
from gtfs.replay_result import ReplayResult, in_order, performed_ids, visit_headways
from gtfs.service_events import Event, Kind
from gtfs.stop_visits import Integers, StopVisits, stop_visits
from gtfs.trace_kernels import NO_TRIP, NONE, Crossings, order_by_vehicle
from gtfs.trace_plan import TracePlan
from gtfs.trace_settings import TraceSettings
from gtfs.trip_updates import UnderWay
from networks.faults import Notice
from networks.network import IntArray
from scenarios.replay_store import Store

PINGS = tuple(part.name for part in fields(Matched))
MOST_VISITS = 500_000
"""So many stop visits are held in memory at a time."""


@dataclass(slots=True, eq=False)
class Session:
    """Takes batches of pings with :meth:`take`; what they say about the service is told by :func:`results`.

    ``live`` tells bunching as it happens, where somebody watches.
    """

    plan: TracePlan
    rule: OnTimeRule
    folder: Path
    settings: TraceSettings = field(default_factory=TraceSettings)
    live: LiveRegularity | None = None
    replay: Replay = field(init=False)
    watch: EventWatch = field(init=False)
    pings: Store = field(init=False)
    crossings: Store = field(init=False)
    events: list[Event] = field(default_factory=list)
    notices: dict[tuple[str, str, str, str], Notice] = field(default_factory=dict)
    heard: set[int] = field(default_factory=set)
    so_far: ReadSoFar = field(default_factory=ReadSoFar)

    def __post_init__(self) -> None:
        """Begin with nothing."""
        self.replay = Replay(self.plan, self.settings)
        self.watch = EventWatch(self.plan, self.settings, self.rule)
        self.pings, self.crossings = Store(self.folder, "pings"), Store(self.folder, "crossings")

    def remove_parts(self) -> None:
        """Remove what was put on disk."""
        self.pings.remove()
        self.crossings.remove()

    def take(self, batch: Batch) -> list[Event]:
        """Take pings as they arrived; the events that they bring to light."""
        for notice in batch.notices:
            key = notice_key(notice)
            known = self.notices.get(key)
            self.notices[key] = notice if known is None else replace(known, count=known.count + notice.count)
        if len(batch.pings):
            self.heard.update(np.unique(batch.pings.time_s // MINUTE_S).astype(np.int64).tolist())
        return self._keep(self.replay.feed(batch.pings))

    def close(self) -> list[Event]:
        """Take what was still held back; the events that it brings to light."""
        told = self._keep(self.replay.close())
        last = self.watch.close(self.replay.performed, self.replay.newest_s)
        self.events += last
        return [*told, *last]

    def _keep(self, step: Step) -> list[Event]:
        matched, crossings = step.matched, step.crossings
        self.pings.add([(name, getattr(matched, name)) for name in PINGS], (matched.time_s // DAY_S).astype(np.int32))
        if len(crossings.call):
            columns = [(name, getattr(crossings, name)) for name in Crossings._fields]
            self.crossings.add(columns, self._days_of(crossings.performed))
        told = self.watch.see(step, self.replay.performed)
        self.events += told
        # bunching as it is known so far is told, and found anew when all is known
        now = self.live.see(crossings, self.replay.performed) if self.live else []
        return sorted([*told, *now], key=event_order)

    def _days_of(self, performed: Integers) -> IntArray:
        """Service days of performed trips; only those are looked at that occur."""
        rows, place = np.unique(performed, return_inverse=True)
        days: IntArray = np.array([self.replay.performed[row].day for row in rows.tolist()], dtype=np.int32)[place]
        return days

    def under_way(self) -> UnderWay:
        """Vehicles that were on their way when the newest ping came, each where it was seen last."""
        progress, watch = self.replay.progress, self.watch.watch
        last = {
            one.vehicle: row for row, one in sorted(enumerate(self.replay.performed), key=lambda p: watch.last_s[p[0]])
        }
        rows = np.array(sorted(last.values()), dtype=np.int32)
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
    visits: Counter[int] = Counter()
    calls = np.diff(session.plan.calls.start)
    for one in session.replay.performed:
        visits[one.day] += int(calls[one.trip])
    runs: list[set[int]] = []
    room = 0
    for day, count in sorted(visits.items()):
        if not runs or count > room:
            runs.append(set())
            room = most_visits
        runs[-1].add(day)
        room -= count
    return runs


def results(session: Session, runs: Iterable[set[int]]) -> Iterator[ReplayResult]:
    """What the trace says of each run of service days; notices and counts are those of the whole trace."""
    replay, plan = session.replay, session.plan
    performed, row = in_order(replay.performed, replay.vehicles, plan)
    ids = performed_ids(performed, replay.vehicles, plan)
    covered = coverage(session.heard)
    absent = absent_trips(plan, performed, covered, partial(_unnamed, session))
    events = _of_vehicles(session)
    owner = row[np.array([event.performed for event in events], dtype=np.int64)]
    rank = np.argsort(np.argsort(np.array(replay.vehicles)))
    for days in runs:
        chosen = np.array([number for number, one in enumerate(performed) if one.day in days], dtype=np.int64)
        place = np.full(len(performed), NONE, dtype=np.int32)
        place[chosen] = np.arange(len(chosen))
        some = [performed[number] for number in chosen.tolist()]
        lost = [one for one in absent.missing if one[1] in days]
        visits = _visits(session, some, place[row], days)
        unjudged = [one for one in absent.unjudged if one[1] in days]
        headways, ahead = visit_headways(plan, some, visits, lost, covered, unjudged)
        shown = np.flatnonzero(place[owner] >= 0).tolist()
        told = [_of_trip(events[number], int(place[owner[number]])) for number in shown]
        yield ReplayResult(
            plan=plan,
            rule=session.rule,
            vehicles=replay.vehicles,
            performed=some,
            trip_ids=[ids[number] for number in chosen.tolist()],
            visits=visits,
            headways=headways,
            ahead=ahead,
            missing=lost,
            unjudged=unjudged,
            pings=cache(partial(_matched, session, place[row], rank, days)),
            events=sorted([*told, *regularity_events(visits, headways, ahead)], key=event_order),
            counts=session.counts,
            notices=tuple(session.notices.values()),
        )


def _unnamed(session: Session, day: int) -> Unnamed:
    """Pings without a trip in the hours of a service day."""
    parts = [session.pings.of_day(one) for one in (day, day + 1, day + 2) if one in session.pings.days]
    rows = [part["found"] == NO_TRIP for part in parts]
    return Unnamed(
        *(_joined([part[name][row] for part, row in zip(parts, rows, strict=True)]) for name in Unnamed._fields)
    )


def _of_vehicles(session: Session) -> list[Event]:
    """Events without silences of the whole source: those say nothing about a vehicle."""
    heard = session.heard
    return [
        event
        for event in session.events
        if event.kind != Kind.STALE
        or any(int(event.time_s // MINUTE_S) + near in heard for near in range(-NEAR_MINUTES, NEAR_MINUTES + 1))
    ]


def _of_trip(event: Event, performed: int) -> Event:
    """An event with another row of its trip; there are many, and ``dataclasses.replace`` is slow."""
    return Event(
        event.kind,
        event.time_s,
        performed,
        event.call,
        event.value,
        event.threshold,
        event.unit,
        event.rule,
        event.pings_s,
        event.other,
    )


def _visits(session: Session, performed: list[PerformedTrip], row: IntArray, days: Iterable[int]) -> StopVisits:
    """Stop visits of performed trips, all of them on the given service days."""
    parts = [session.crossings.of_day(day) for day in sorted(days) if day in session.crossings.days]
    found = Crossings(*(_joined([part[name] for part in parts]) for name in Crossings._fields))
    crossings = found._replace(performed=row[found.performed])
    return stop_visits(session.plan, performed, crossings, session.settings.known_s)


def _joined(columns: list[Any]) -> Any:
    return np.concatenate(columns) if columns else np.empty(0, np.int32)


def _matched(session: Session, row: IntArray, rank: Integers, days: Iterable[int]) -> Matched:
    """Final pings of the trips of some service days, and those without a trip in these days' hours."""
    wanted = sorted({day + shift for day in days for shift in (-1, 0, 1, 2)} & session.pings.days)
    parts = [_sorted_pings(session, day, row, rank, set(days)) for day in wanted]
    return Matched(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in PINGS})


def _sorted_pings(session: Session, day: int, row: IntArray, rank: Integers, days: set[int]) -> Matched:
    """Pings of a day (UTC) by vehicle and time: those of trips that have a new row, and those without a trip.

    ``rank`` is the place of each vehicle among their ids.
    """
    columns = session.pings.of_day(day)
    known = columns["performed"] >= 0
    columns["performed"] = np.where(known, row[columns["performed"]], NONE) if len(row) else columns["performed"]
    order = order_by_vehicle(
        rank[columns["vehicle"]], columns["time_s"], columns["lat"], columns["lon"], columns["performed"]
    )
    belongs = (columns["performed"][order] >= 0) | (~known[order] & (day in days))
    return Matched(**{name: columns[name][order[belongs]] for name in PINGS})
