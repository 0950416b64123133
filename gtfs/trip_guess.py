"""Trips of vehicles that name none: told by block, route and geometry where the evidence is clear, else left open.

Pings of such a vehicle wait until one trip of the feed fits them and no other does. A vehicle then keeps its trip to
the trip's end, unless it leaves the line for good. All is decided vehicle by vehicle and ping by ping in order of time,
so that it does not matter in what pieces a trace comes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from gtfs.guess_kernels import NONE, Index, Patience, Search, hear
from gtfs.held_pings import HeldPings, join, nothing_held, take
from gtfs.line_index import line_index
from gtfs.search_kernels import Named, Odds, Roll, Said, World, go_over
from gtfs.trace_kernels import Progress, Samples
from gtfs.trace_plan import TracePlan
from gtfs.trace_settings import TraceSettings
from gtfs.trace_state import blank_progress, blank_search, with_room
from gtfs.trip_claims import Claim

Integers = npt.NDArray[np.integer]
Bools = npt.NDArray[np.bool_]

REMEMBERED_S = 86_400.0
"""That a vehicle named a trip is forgotten when it names another so much later."""


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """Pings with what they serve, shape (pings,) each; NONE where that is not known.

    ``evidence`` is a value of :class:`gtfs.trip_claims.Evidence`, NONE where the trip is what the vehicle itself names.
    """

    held: HeldPings
    trip: Integers
    day: Integers
    evidence: npt.NDArray[np.int8]


@dataclass(slots=True, eq=False)
class TripGuesser:
    """Gives trips to vehicles that name none.

    Attributes
    ----------
    waiting
        Pings that wait for a trip, by vehicle and there by time.
    search, progress
        What is known of each vehicle, and how far it is along the trip that it was given.
    named
        When each vehicle first named a trip.
    """

    plan: TracePlan
    settings: TraceSettings
    waiting: HeldPings = field(default_factory=nothing_held)
    search: Search = field(default_factory=lambda: blank_search(0))
    progress: Progress = field(default_factory=lambda: blank_progress(0))
    named: Named = field(default_factory=lambda: Named(np.empty(0, np.int64), np.empty(0, np.int32), np.empty(0)))
    _world: World | None = None
    _route_row: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        """Index the feed's routes."""
        self._route_row = {text: row for row, text in enumerate(self.plan.timetable.routes.ids)}

    def hear(self, arrived: HeldPings) -> None:
        """Note which trips vehicles name, as their pings arrive and before any of them is final."""
        vehicles = int(arrived.vehicle.max(initial=NONE)) + 1
        self.search = with_room(self.search, vehicles, blank_search)
        self.progress = with_room(self.progress, vehicles, blank_progress)
        parts = arrived.vehicle, arrived.trip, arrived.day, arrived.time_s
        is_new = hear(*parts, self.search, np.empty(len(arrived.time_s), np.bool_))
        if is_new.any():
            vehicle, trip, day, time_s = (part[is_new] for part in parts)
            key = day.astype(np.int64) * len(self.plan.trip_service) + trip
            columns: Any = (np.append(*pair) for pair in zip(self.named, (key, vehicle, time_s), strict=True))
            self.named = _first(Named(*columns))

    def tell(self, held: HeldPings, claims: Sequence[Claim]) -> Told:
        """Take pings by vehicle and time; give those that are final with their trips.

        Parameters
        ----------
        claims
            What pings say, by row.
        """
        trip, day = held.trip.copy(), held.day.copy()
        given, is_searched = _told(held, trip, day), self._searched(held, trip)
        if not is_searched.any():
            self._note_named(held.vehicle, trip, day)
            return self._remembering(given)
        named = _take_told(given, ~is_searched)
        self._note_named(named.held.vehicle, named.trip, named.day)
        told = _joined(untold(self.waiting), _take_told(given, is_searched))
        is_new = np.arange(len(told.trip)) >= len(self.waiting.time_s)
        order = np.argsort(told.held.vehicle, kind="stable")
        told = _take_told(told, order)
        is_final = self._go_over(told, is_new[order], claims)
        self.waiting = take(told.held, ~is_final)
        return self._remembering(merged(named, _take_told(told, is_final)))

    def close(self) -> Told:
        """Give the pings that still wait; nobody knows their trips."""
        held, self.waiting = self.waiting, nothing_held()
        return untold(held)

    def _remembering(self, told: Told) -> Told:
        """What was told, now that namings of long ago are forgotten."""
        named = self.named
        is_recent = named.since_s >= self.search.heard_s[named.vehicle] - REMEMBERED_S
        if not is_recent.all():
            self.named = _take_named(named, is_recent)
        return told

    def _searched(self, held: HeldPings, trip: Integers) -> Bools:
        """Which pings are of vehicles that have no trip, or one by guess, shape (pings,)."""
        vehicle: Bools = self.search.trip >= 0
        vehicle[held.vehicle[trip < 0]] = True
        vehicle[self.waiting.vehicle] = True
        return vehicle[held.vehicle]

    def _note_named(self, vehicle: Integers, trip: Integers, day: Integers) -> None:
        """Note the latest trips that vehicles name themselves; nothing is searched then."""
        last = np.flatnonzero(np.diff(vehicle, append=NONE))
        rows, search = vehicle[last], self.search
        search.trip[rows] = search.day[rows] = NONE
        search.past_trip[rows], search.past_day[rows] = trip[last], day[last]
        search.is_done[rows], search.is_named[rows], search.run_m[rows] = False, True, 0.0
        search.anchor_s[rows] = search.last_s[rows] = np.nan

    def _go_over(self, told: Told, is_new: Bools, claims: Sequence[Claim]) -> Bools:
        """Go over pings by vehicle and time, and write down their trips; which are final then, shape (pings,)."""
        held, is_final = told.held, np.empty(len(is_new), np.bool_)
        route = np.array([self._route_row.get(claim.route, NONE) for claim in claims], dtype=np.int32)
        said = Said(
            vehicle=held.vehicle,
            claim=held.claim,
            route=route[held.claim],
            named=held.named,
            is_new=is_new,
            trip=told.trip,
            day=told.day,
            evidence=told.evidence,
            is_final=is_final,
        )
        world = self._world_about(held)
        go_over(said, as_samples(held), world, self.search, self.progress, self.named)
        return is_final

    def _world_about(self, held: HeldPings) -> World:
        """What is the same for all vehicles, with the service days of some pings."""
        if self._world is None:
            self._world = world_of(self.plan, self.settings, held.time_s)
        return self._world._replace(calendar=self.plan.calendar(held.time_s))


def world_of(plan: TracePlan, settings: TraceSettings, time_s: npt.NDArray[np.float64]) -> World:
    """What is the same for all vehicles, about some moments."""
    table, span_s = plan.timetable, plan.trip_span_s
    blocks = {text: row for row, text in enumerate(dict.fromkeys(filter(None, table.trips.block_ids)))}
    by_start = np.argsort(span_s[:, 0], kind="stable").astype(np.int32)
    roll = Roll(
        by_start=by_start,
        start_s=span_s[by_start, 0],
        longest_s=float(np.max(span_s[:, 1] - span_s[:, 0], initial=0.0)),
        route=table.trip_route,
        block=np.array([blocks.get(text, NONE) for text in table.trips.block_ids], dtype=np.int32),
    )
    return World(
        lines=plan.kernel_lines,
        plan=plan.kernel_plan,
        nearby=lines_by_place(plan),
        calendar=plan.calendar(time_s),
        roll=roll,
        limits=settings.limits,
        patience=Patience(**{name: float(getattr(settings, name)) for name in Patience._fields}),
        odds=Odds(**{name: float(getattr(settings, name)) for name in Odds._fields}),
        only_day=NONE if plan.only_day is None else plan.only_day,
    )


@lru_cache(maxsize=8)
def lines_by_place(plan: TracePlan) -> Index:
    """Which lines of a plan pass a place."""
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


def _first(named: Named) -> Named:
    """The first time of each vehicle and trip, in the order of their keys."""
    order = np.lexsort((named.since_s, named.vehicle, named.key))
    key, vehicle = named.key[order], named.vehicle[order]
    is_first = np.append(True, (key[1:] != key[:-1]) | (vehicle[1:] != vehicle[:-1]))
    return _take_named(named, order[is_first])


def _take_named(named: Named, rows: npt.NDArray[np.generic]) -> Named:
    return Named(named.key[rows], named.vehicle[rows], named.since_s[rows])


def _told(held: HeldPings, trip: Integers, day: Integers) -> Told:
    return Told(held, trip, day, np.full(len(trip), NONE, dtype=np.int8))


def untold(held: HeldPings) -> Told:
    """Pings that serve nothing known."""
    return _told(held, *(np.full(len(held.time_s), NONE, dtype=np.int32) for _ in range(2)))


def _take_told(told: Told, rows: npt.NDArray[np.generic]) -> Told:
    return Told(take(told.held, rows), told.trip[rows], told.day[rows], told.evidence[rows])


def _joined(one: Told, other: Told) -> Told:
    return Told(
        held=join(one.held, other.held),
        trip=np.concatenate((one.trip, other.trip)),
        day=np.concatenate((one.day, other.day)),
        evidence=np.concatenate((one.evidence, other.evidence)),
    )


def merged(one: Told, other: Told) -> Told:
    """Pings of both by vehicle; where both have pings of one, those of the first go first."""
    both = _joined(one, other)
    return _take_told(both, np.argsort(both.held.vehicle, kind="stable"))
