"""The state machine that reads a trace, whether it comes at once or ping by ping, and gives the same for both.

Pings go in as they arrive. Each vehicle's are held back a little, so that late ones can be put in order; what comes out
is final: where each vehicle was on which trip, and when it came to stops and left them.
"""

from collections import Counter
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from gtfs.adherence import deviations_s
from gtfs.guess_kernels import Search
from gtfs.held_pings import HeldPings, join, nothing_held, take
from gtfs.pings import Labels, Pings
from gtfs.trace_kernels import (
    DUPLICATE,
    JUMP,
    KEPT,
    NONE,
    Calendar,
    Crossings,
    Fixes,
    Passage,
    Progress,
    Samples,
    Tails,
    admit,
    choose_trips,
    cross_calls,
    match_pings,
    order_by_vehicle,
    screen,
    trail,
)
from gtfs.trace_plan import TracePlan
from gtfs.trace_settings import TraceSettings
from gtfs.trace_state import blank_fixes, blank_passage, blank_progress, blank_tails, with_room
from gtfs.trip_claims import Claim, ClaimBook, Evidence, Meaning, candidate_rows
from gtfs.trip_guess import Told, TripGuesser, merged
from networks.network import FloatArray, IntArray

DAY_S = 86_400
Bools = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.integer]


@dataclass(frozen=True, slots=True)
class PerformedTrip:
    """A vehicle on a trip of a service day: row of the timetable's trip, day since 1970-01-01, how it was found."""

    vehicle: int
    trip: int
    day: int
    evidence: Evidence


@dataclass(frozen=True, slots=True, eq=False)
class Matched:
    """Pings that are final, by vehicle and there by time, shape (pings,) each.

    ``vehicle`` and ``performed`` are rows of :class:`Replay`'s lists, ``performed`` NONE where no trip is known.
    ``way_m`` is the place along the trip's line and ``deviation_s`` actual minus scheduled there, both NaN unless
    ``found`` is :data:`gtfs.trace_kernels.MATCHED`; ``off_m`` is the distance from the line.
    """

    vehicle: IntArray
    performed: Integers
    trip: Integers
    time_s: FloatArray
    clock_s: FloatArray
    lon: FloatArray
    lat: FloatArray
    speed_mps: FloatArray
    way_m: FloatArray
    off_m: FloatArray
    deviation_s: FloatArray
    found: npt.NDArray[np.int8]

    def __len__(self) -> int:
        """Count of pings."""
        return len(self.time_s)


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """What became final."""

    matched: Matched
    crossings: Crossings


@dataclass(frozen=True, slots=True, eq=False)
class ReplayMemory:
    """What a :class:`Replay` knows, in plain values: what was heard of, what is held back, and the kernels' memory.

    ``waiting``, ``search``, ``searched`` and ``named_s`` are those of its :class:`gtfs.trip_guess.TripGuesser`.
    """

    vehicles: list[str]
    claims: list[Claim]
    performed: list[PerformedTrip]
    dropped: dict[str, int]
    pings: int
    held: HeldPings
    fixes: Fixes
    tails: Tails
    progress: Progress
    passage: Passage
    waiting: HeldPings
    search: Search
    searched: Progress
    named_s: dict[tuple[int, int], dict[int, float]]


@dataclass(frozen=True, slots=True, eq=False)
class _Claims:
    """Claims as columns.

    The trips that each can mean, as compressed rows; the day that it names; its place among all in order of their
    texts, so that ties do not hang on who came first.
    """

    start: IntArray
    trip: IntArray
    day: IntArray
    rank: IntArray


def _no_claims() -> _Claims:
    nothing = np.empty(0, dtype=np.int32)
    return _Claims(np.zeros(1, dtype=np.int32), nothing, nothing, nothing)


@dataclass(slots=True, eq=False)
class Replay:
    """Reads a trace against a plan. Feed it with :meth:`feed`, then :meth:`close` it.

    Attributes
    ----------
    vehicles, claims, meanings
        Ids of vehicles, what they said they serve and what it can mean, in order of appearance.
    performed
        Trips that vehicles were found on, in order of appearance.
    dropped
        Pings left out: ``late``, ``duplicate``, ``jump``.
    progress
        How far each performed trip has come.
    guesser
        Finds the trips of vehicles that name none.
    """

    plan: TracePlan
    settings: TraceSettings = field(default_factory=TraceSettings)
    vehicles: list[str] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)
    meanings: list[Meaning] = field(default_factory=list)
    performed: list[PerformedTrip] = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)
    pings: int = 0
    _vehicle_row: dict[str, int] = field(default_factory=dict)
    _claim_row: dict[Claim, int] = field(default_factory=dict)
    _performed_row: dict[tuple[int, int, int], int] = field(default_factory=dict)
    _held: HeldPings = field(default_factory=nothing_held)
    _fixes: Fixes = field(default_factory=lambda: blank_fixes(0))
    _tails: Tails = field(default_factory=lambda: blank_tails(0))
    progress: Progress = field(default_factory=lambda: blank_progress(0))
    _passage: Passage = field(default_factory=lambda: blank_passage(0))
    _columns: _Claims = field(default_factory=_no_claims)
    _book: ClaimBook = field(init=False)
    guesser: TripGuesser = field(init=False)

    def __post_init__(self) -> None:
        """Index the feed."""
        self._book = ClaimBook(self.plan)
        self.guesser = TripGuesser(self.plan, self.settings)

    def feed(self, pings: Pings) -> Step:
        """Take pings in order of arrival, and give what became final by them."""
        claim = self._claim_rows(pings)
        chosen = self._chosen(claim, pings.time_s)
        arrived = HeldPings(
            vehicle=self._vehicle_rows(pings.vehicle),
            claim=claim,
            trip=chosen[:, 0].copy(),
            day=chosen[:, 1].copy(),
            time_s=pings.time_s,
            lat=pings.lat,
            lon=pings.lon,
            heading_deg=pings.heading_deg,
            speed_mps=pings.speed_mps,
        )
        self.pings += len(pings)
        kept = self._admitted(arrived)
        self._drop("late", ~kept)
        arrived = arrived if kept.all() else take(arrived, kept)
        self.guesser.hear(arrived)
        held = join(self._held, arrived)
        is_final = held.time_s < self._fixes.newest_s[held.vehicle] - self.settings.reorder_s
        self._held = take(held, ~is_final)
        told = self.guesser.tell(self._screened(take(held, is_final)), self.claims, self.meanings)
        return self._match(told)

    def close(self) -> Step:
        """Give what was still held back."""
        held, self._held = self._held, nothing_held()
        told = self.guesser.tell(self._screened(held), self.claims, self.meanings)
        return self._match(merged(told, self.guesser.close()))

    @property
    def newest_s(self) -> float:
        """The newest time that is believed, or else that was told, -inf before the first."""
        believed_s = float(self._fixes.newest_s.max(initial=-np.inf))
        told_s = self._fixes.doubted_s[np.isfinite(self._fixes.doubted_s)]
        return believed_s if np.isfinite(believed_s) else float(told_s.max(initial=-np.inf))

    def memory(self) -> ReplayMemory:
        """What it knows, to go on from with :meth:`recall`."""
        guesser = self.guesser
        return ReplayMemory(
            vehicles=self.vehicles,
            claims=self.claims,
            performed=self.performed,
            dropped=dict(self.dropped),
            pings=self.pings,
            held=self._held,
            fixes=self._fixes,
            tails=self._tails,
            progress=self.progress,
            passage=self._passage,
            waiting=guesser.waiting,
            search=guesser.search,
            searched=guesser.progress,
            named_s=guesser.named_s,
        )

    def recall(self, memory: ReplayMemory) -> None:
        """Go on from what was known, against the same plan and settings."""
        self.vehicles, self.claims, self.performed = memory.vehicles, memory.claims, memory.performed
        self.meanings = [self._book.look_up(claim) for claim in memory.claims]
        self._vehicle_row = {text: row for row, text in enumerate(memory.vehicles)}
        self._claim_row = {claim: row for row, claim in enumerate(memory.claims)}
        self._performed_row = {(one.vehicle, one.trip, one.day): row for row, one in enumerate(memory.performed)}
        self.dropped, self.pings, self._held = Counter(memory.dropped), memory.pings, memory.held
        self._fixes, self._tails = memory.fixes, memory.tails
        self.progress, self._passage = memory.progress, memory.passage
        guesser = self.guesser
        guesser.waiting, guesser.search, guesser.progress = memory.waiting, memory.search, memory.searched
        guesser.named_s = memory.named_s

    def _admitted(self, arrived: HeldPings) -> Bools:
        """Which pings come in time."""
        settings, fixes = self.settings, self._fixes
        out = np.empty(len(arrived.time_s), np.bool_)
        admit(
            arrived.vehicle,
            arrived.time_s,
            settings.reorder_s,
            settings.bridge_s,
            fixes.newest_s,
            fixes.doubted_s,
            out,
        )
        return out

    def _vehicle_rows(self, labels: Labels) -> IntArray:
        rows = np.array([self._vehicle(text) for text in labels.texts], dtype=np.int32)
        found: IntArray = rows[labels.codes]
        return found

    def _vehicle(self, text: str) -> int:
        row = self._vehicle_row.setdefault(text, len(self.vehicles))
        if row == len(self.vehicles):
            self.vehicles.append(text)
            self._fixes = with_room(self._fixes, row + 1, blank_fixes)
            self._tails = with_room(self._tails, row + 1, blank_tails)
        return row

    def _claim_rows(self, pings: Pings) -> IntArray:
        """Rows of what vehicles say they serve."""
        said = (pings.trip, pings.route, pings.block, pings.start_date, pings.start_time)
        code = np.zeros(len(pings), dtype=np.int64)
        for labels in said:
            # numbered anew each time, so that no product of counts grows too large
            code, _ = pd.factorize(code * (len(labels.texts) + 1) + labels.codes)
        first = np.empty(int(code.max(initial=NONE)) + 1, dtype=np.int64)
        first[code[::-1]] = np.arange(len(code))[::-1]
        rows = np.array([self._claim(_said(said, ping)) for ping in first.tolist()], dtype=np.int32)
        found: IntArray = rows[code]
        return found

    def _claim(self, claim: Claim) -> int:
        row = self._claim_row.setdefault(claim, len(self.claims))
        if row == len(self.claims):
            self.claims.append(claim)
            self.meanings.append(self._book.look_up(claim))
        return row

    def _drop(self, why: str, which: Bools) -> None:
        if count := int(which.sum()):
            self.dropped[why] += count

    def _screened(self, held: HeldPings) -> HeldPings:
        """Pings in their order, nothing earlier to come, without repeated and impossible ones."""
        rank = self._claims_as_columns().rank[held.claim]
        held = take(held, order_by_vehicle(held.vehicle, held.time_s, held.lat, held.lon, rank))
        verdict = np.empty(len(held.time_s), np.int8)
        screen(held.vehicle, held.time_s, held.lon, held.lat, self._fixes, self.settings.limits, verdict)
        self._drop("duplicate", verdict == DUPLICATE)
        self._drop("jump", verdict == JUMP)
        return held if (verdict == KEPT).all() else take(held, verdict == KEPT)

    def _match(self, told: Told) -> Step:
        """Find where pings are on their trips, and what happened at calls."""
        held, samples = told.held, self._samples(told)
        way_m, off_m, found, crossings = self._placed(held.vehicle, samples)
        lateness_s = deviations_s(self.plan.calls, samples.trip, way_m, samples.clock_s, self.settings.zone_m)
        matched = Matched(
            vehicle=held.vehicle,
            performed=samples.performed,
            trip=samples.trip,
            time_s=held.time_s,
            clock_s=samples.clock_s,
            lon=held.lon,
            lat=held.lat,
            speed_mps=held.speed_mps,
            way_m=way_m,
            off_m=off_m,
            deviation_s=lateness_s,
            found=found,
        )
        return Step(matched, crossings)

    def _placed(
        self, vehicle: Integers, samples: Samples
    ) -> tuple[FloatArray, FloatArray, npt.NDArray[np.int8], Crossings]:
        """Places of pings on their trips' lines, and what happened at calls, those of the trips before among them."""
        whole, own = self._with_tails(vehicle, samples)
        count = len(whole.time_s)
        way_m, off_m, found = np.empty(count), np.empty(count), np.empty(count, np.int8)
        lines, plan, limits = self.plan.kernel_lines, self.plan.kernel_plan, self.settings.limits
        match_pings(whole, lines, plan, limits, self.progress, way_m, off_m, found)
        crossings = cross_calls(whole, way_m, found, lines, plan, limits, self._passage, self.progress)
        return way_m[own], off_m[own], found[own], crossings

    def _with_tails(self, vehicle: Integers, samples: Samples) -> tuple[Samples, Integers | slice]:
        """Pings, each of those that may still belong to the trip before twice; and where the pings themselves are.

        Systems name the next trip before the last stop is reached.
        """
        tail = np.empty(len(vehicle), np.int32)
        trail(vehicle, samples.performed, samples.time_s, self.settings.tail_s, self._tails, tail)
        late = np.flatnonzero(tail >= 0)
        if not len(late):
            return samples, slice(None)
        before = [self.performed[row] for row in tail[late].tolist()]
        origin_s = np.array([_service_day(self.plan, one.day)[0] for one in before], dtype=np.float64)
        own_late: Any = (column[late] for column in samples)
        tails = Samples(*own_late)._replace(
            performed=tail[late],
            trip=np.array([one.trip for one in before], dtype=np.int32),
            clock_s=samples.time_s[late] - origin_s,
        )
        place = np.concatenate((late, np.arange(len(vehicle))))
        order = np.argsort(place, kind="stable")
        joined: Any = (np.concatenate(pair)[order] for pair in zip(tails, samples, strict=True))
        whole = Samples(*joined)
        own: Integers = np.flatnonzero(order >= len(late))
        return whole, own

    def _chosen(self, claim: Integers, time_s: FloatArray) -> Integers:
        """Trip and day of pings by what they say, NONE where nothing is meant, shape (pings, 2)."""
        chosen: Integers = np.full((len(claim), 2), NONE, np.int32)
        if not len(claim):
            return chosen
        book = self._claims_as_columns()
        calendar = self._calendar(time_s)
        return choose_trips(claim, book.day[claim], time_s, book.start, book.trip, calendar, chosen)

    def _samples(self, told: Told) -> Samples:
        """Pings with the clocks of their service days."""
        held = told.held
        if not len(held.time_s):
            nobody = np.empty(0, np.int32)
            return Samples(nobody, nobody, *(np.empty(0) for _ in range(6)))
        day, place = np.unique(told.day, return_inverse=True)
        origin_s = np.array([_service_day(self.plan, int(number))[0] for number in day], dtype=np.float64)
        origin_s = np.where(told.trip < 0, np.nan, origin_s[place])
        return Samples(
            performed=self._performed_rows(told),
            trip=told.trip,
            time_s=held.time_s,
            clock_s=held.time_s - origin_s,
            lon=held.lon,
            lat=held.lat,
            heading_deg=held.heading_deg,
            speed_mps=held.speed_mps,
        )

    def _claims_as_columns(self) -> _Claims:
        """All claims as the kernels take them, made anew only where some were added."""
        if len(self._columns.rank) != len(self.claims):
            start, trip = candidate_rows(self.meanings)
            texts = [(one.trip, one.route, one.block, one.start_date, one.start_time) for one in self.claims]
            rank = np.empty(len(texts), dtype=np.int32)
            rank[sorted(range(len(texts)), key=texts.__getitem__)] = np.arange(len(texts))
            day = np.array([self._named_day(meaning) for meaning in self.meanings], dtype=np.int32)
            self._columns = _Claims(start, trip, day, rank)
        return self._columns

    def _named_day(self, meaning: Meaning) -> int:
        return meaning.day if self.plan.only_day is None else self.plan.only_day

    def _calendar(self, time_s: FloatArray) -> Calendar:
        first = int(time_s.min() // DAY_S) - 2
        days = range(first, int(time_s.max() // DAY_S) + 3)
        known = [_service_day(self.plan, day) for day in days]
        return Calendar(
            first_day=first,
            origin_s=np.array([origin_s for origin_s, _ in known], dtype=np.float64),
            runs=np.ascontiguousarray(np.array([runs for _, runs in known]).T),
            trip_service=self.plan.trip_service,
            trip_span_s=self.plan.trip_span_s,
        )

    def _performed_rows(self, told: Told) -> IntArray:
        """Rows of performed trips: looked up where one begins, and kept while nothing changes."""
        keys = (told.held.vehicle, told.trip, told.day)
        changes = np.flatnonzero(np.any([np.diff(key, prepend=key[0] - 1) != 0 for key in keys], axis=0))
        more = (told.held.claim, told.evidence)
        parts = zip(*(key[changes].tolist() for key in (*keys, *more)), strict=True)
        rows = [NONE if part[1] < 0 else self._performed_trip(*part) for part in parts]
        return np.repeat(np.array(rows, dtype=np.int32), np.diff(changes, append=len(told.trip)))

    def _performed_trip(self, vehicle: int, trip: int, day: int, claim: int, evidence: int) -> int:
        row = self._performed_row.setdefault((vehicle, trip, day), len(self.performed))
        if row == len(self.performed):
            found = self.meanings[claim].evidence if evidence == NONE else Evidence(evidence)
            self.performed.append(PerformedTrip(vehicle, trip, day, found))
            self.progress = with_room(self.progress, row + 1, blank_progress)
            self._passage = with_room(self._passage, row + 1, blank_passage)
        return row


@lru_cache(maxsize=1024)
def _service_day(plan: TracePlan, day: int) -> tuple[int, Bools]:
    return plan.origin_s(day), plan.services_running(day)


def _said(said: tuple[Labels, ...], ping: int) -> Claim:
    """What a ping says."""
    codes = [int(labels.codes[ping]) for labels in said]
    return Claim(*("" if code < 0 else labels.texts[code] for labels, code in zip(said, codes, strict=True)))
