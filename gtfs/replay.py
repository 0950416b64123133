"""The state machine that reads a trace, whether it comes at once or ping by ping, and gives the same for both.

Pings go in as they arrive. Each vehicle's are held back a little, so that late ones can be put in order; what comes out
is final: where each vehicle was on which trip, and when it came to stops and left them.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from gtfs.adherence import deviations_s
from gtfs.crossing_kernels import cross_calls
from gtfs.guess_kernels import Search
from gtfs.held_pings import HeldPings, join, nothing_held, take
from gtfs.live_kernels import Roster, Served
from gtfs.live_trips import Found, LiveTrips
from gtfs.match_kernels import match_pings
from gtfs.pings import Labels, Pings
from gtfs.repeated_runs import RunKeeper, is_repeated
from gtfs.run_kernels import Choices, Runs
from gtfs.screen_kernels import admit, choose_trips, order_by_vehicle, screen, trail
from gtfs.search_kernels import Named
from gtfs.trace_kernels import (
    DUPLICATE,
    JUMP,
    KEPT,
    MOST_AWAY_S,
    NONE,
    Crossings,
    Fixes,
    Passage,
    Progress,
    Samples,
    Tails,
)
from gtfs.trace_plan import TracePlan
from gtfs.trace_settings import TraceSettings
from gtfs.trace_state import blank_fixes, blank_passage, blank_progress, blank_tails, forget, with_room
from gtfs.trip_claims import Claim, ClaimBook, Meaning, candidate_rows, named_day
from gtfs.trip_guess import Told, TripGuesser, merged
from networks.network import FloatArray, IntArray

DAY_S = 86_400
MOST_CODES = 1 << 62
"""So many combinations of texts can be told apart by one number."""
Bools = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.integer]


@dataclass(frozen=True, slots=True, eq=False)
class Matched:
    """Pings that are final, by vehicle and there by time, shape (pings,) each.

    ``vehicle`` is a row of :class:`Replay`'s list, ``performed`` the number of the performed trip, NONE where none is
    known.
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
    """What became final.

    Attributes
    ----------
    matched, crossings
        Pings, and what happened at calls; both name performed trips by their numbers.
    row, crossing_row
        Rows of those trips, NONE where none is known; they hold until the next step.
    begun, over
        Rows of the trips that appear for the first time, in the order of their numbers, and of those that are over.
    """

    matched: Matched
    crossings: Crossings
    row: Integers
    crossing_row: Integers
    begun: Integers
    over: Integers


@dataclass(frozen=True, slots=True, eq=False)
class ReplayMemory:
    """What a :class:`Replay` knows, in plain values: what was heard of, what is held back, and the kernels' memory.

    ``roster``, ``latest`` and ``counts`` are those of its :class:`gtfs.live_trips.LiveTrips`, ``waiting``, ``search``,
    ``searched`` and ``named`` those of its :class:`gtfs.trip_guess.TripGuesser`, ``runs`` and ``run_progress`` those of
    its :class:`gtfs.repeated_runs.RunKeeper`.
    """

    vehicles: list[str]
    claims: list[Claim]
    dropped: dict[str, int]
    pings: int
    held: HeldPings
    fixes: Fixes
    tails: Tails
    progress: Progress
    passage: Passage
    roster: Roster
    latest: IntArray
    counts: IntArray
    waiting: HeldPings
    search: Search
    searched: Progress
    named: Named
    runs: Runs
    run_progress: Progress


@dataclass(frozen=True, slots=True, eq=False)
class _Claims:
    """Claims as columns.

    The trips that each can mean, as compressed rows; how they were found; its place among all in order of their texts,
    so that ties do not hang on who came first. Whether it means several runs of one trip.
    """

    start: IntArray
    trip: IntArray
    evidence: npt.NDArray[np.int8]
    rank: IntArray
    is_repeated: Bools


def _no_claims() -> _Claims:
    nothing = np.empty(0, dtype=np.int32)
    return _Claims(np.zeros(1, dtype=np.int32), nothing, nothing.astype(np.int8), nothing, nothing.astype(np.bool_))


@dataclass(slots=True, eq=False)
class Replay:
    """Reads a trace against a plan. Feed it with :meth:`feed`, then :meth:`close` it.

    Attributes
    ----------
    vehicles, claims, meanings
        Ids of vehicles, what they said they serve and what it can mean, in order of appearance.
    trips
        Trips that vehicles were found on, as far as they may still go on.
    dropped
        Pings left out: ``late``, ``duplicate``, ``jump``.
    progress
        How far each of these trips has come.
    guesser
        Finds the trips of vehicles that name none.
    keeper
        Keeps vehicles on one run of a trip that is repeated.
    """

    plan: TracePlan
    settings: TraceSettings = field(default_factory=TraceSettings)
    vehicles: list[str] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)
    meanings: list[Meaning] = field(default_factory=list)
    trips: LiveTrips = field(init=False)
    dropped: Counter[str] = field(default_factory=Counter)
    pings: int = 0
    _vehicle_row: dict[str, int] = field(default_factory=dict)
    _claim_row: dict[Claim, int] = field(default_factory=dict)
    _held: HeldPings = field(default_factory=nothing_held)
    _fixes: Fixes = field(default_factory=lambda: blank_fixes(0))
    _tails: Tails = field(default_factory=lambda: blank_tails(0))
    progress: Progress = field(default_factory=lambda: blank_progress(0))
    _passage: Passage = field(default_factory=lambda: blank_passage(0))
    _columns: _Claims = field(default_factory=_no_claims)
    _book: ClaimBook = field(init=False)
    guesser: TripGuesser = field(init=False)
    keeper: RunKeeper = field(init=False)

    def __post_init__(self) -> None:
        """Index the feed."""
        self._book = ClaimBook(self.plan)
        self.trips = LiveTrips(self.plan.trip_span_s[:, 1] + MOST_AWAY_S + self.settings.tail_s)
        self.guesser = TripGuesser(self.plan, self.settings)
        self.keeper = RunKeeper(self.plan, self.settings)

    def feed(self, pings: Pings) -> Step:
        """Take pings in order of arrival, and give what became final by them."""
        claim, named = self._claim_rows(pings), _days_named(pings.start_date)
        chosen = self._chosen(claim, named, pings.time_s)
        arrived = HeldPings(
            vehicle=self._vehicle_rows(pings.vehicle),
            claim=claim,
            named=named,
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
        told = self.guesser.tell(self._screened(held, np.flatnonzero(is_final)), self.claims)
        return self._match(told)

    def close(self) -> Step:
        """Give what was still held back."""
        held, self._held = self._held, nothing_held()
        told = self.guesser.tell(self._screened(held, np.arange(len(held.time_s))), self.claims)
        return self._match(merged(told, self.guesser.close()))

    @property
    def newest_s(self) -> float:
        """The newest time that is believed, or else that was told, -inf before the first."""
        believed_s = float(self._fixes.newest_s.max(initial=-np.inf))
        told_s = self._fixes.doubted_s[np.isfinite(self._fixes.doubted_s)]
        return believed_s if np.isfinite(believed_s) else float(told_s.max(initial=-np.inf))

    def memory(self) -> ReplayMemory:
        """What it knows, to go on from with :meth:`recall`, as soon as nobody asks for the latest step any more."""
        guesser, trips = self.guesser, self.trips
        trips.free()
        return ReplayMemory(
            vehicles=self.vehicles,
            claims=self.claims,
            dropped=dict(self.dropped),
            pings=self.pings,
            held=self._held,
            fixes=self._fixes,
            tails=self._tails,
            progress=self.progress,
            passage=self._passage,
            roster=trips.roster,
            latest=trips.latest,
            counts=trips.counts,
            waiting=guesser.waiting,
            search=guesser.search,
            searched=guesser.progress,
            named=guesser.named,
            runs=self.keeper.runs,
            run_progress=self.keeper.progress,
        )

    def recall(self, memory: ReplayMemory) -> None:
        """Go on from what was known, against the same plan and settings."""
        self.vehicles, self.claims = memory.vehicles, memory.claims
        self.meanings = [self._book.look_up(claim) for claim in memory.claims]
        self._vehicle_row = {text: row for row, text in enumerate(memory.vehicles)}
        self._claim_row = {claim: row for row, claim in enumerate(memory.claims)}
        self.trips.roster, self.trips.latest, self.trips.counts = memory.roster, memory.latest, memory.counts
        self.dropped, self.pings, self._held = Counter(memory.dropped), memory.pings, memory.held
        self._fixes, self._tails = memory.fixes, memory.tails
        self.progress, self._passage = memory.progress, memory.passage
        guesser = self.guesser
        guesser.waiting, guesser.search, guesser.progress = memory.waiting, memory.search, memory.searched
        guesser.named = memory.named
        self.keeper.runs, self.keeper.progress = memory.runs, memory.run_progress

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
        known = self._vehicle_row
        rows = np.array([known[text] if text in known else self._vehicle(text) for text in labels.texts], np.int32)
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
        said = (pings.trip, pings.route, pings.block, pings.start_time)
        code, most = np.zeros(len(pings), dtype=np.int64), 1
        for labels in (column for column in said if column.texts):
            if most * (len(labels.texts) + 1) > MOST_CODES:
                code, distinct = pd.factorize(code)
                most = len(distinct)
            code = code * (len(labels.texts) + 1) + labels.codes
            most *= len(labels.texts) + 1
        code, _ = pd.factorize(code)
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

    def _screened(self, held: HeldPings, rows: Integers) -> HeldPings:
        """Some pings in their order, nothing earlier to come, without repeated and impossible ones."""
        rank = self._claims_as_columns().rank[held.claim[rows]].astype(np.int64)
        rank = rank * (int(held.named.max(initial=0)) + 2) + held.named[rows] + 1
        parts: list[Any] = [column[rows] for column in (held.vehicle, held.time_s, held.lat, held.lon)]
        order = order_by_vehicle(parts[0], parts[1], parts[2], parts[3], rank)
        vehicle, time_s, lat, lon = (part[order] for part in parts)
        verdict = np.empty(len(rows), np.int8)
        screen(vehicle, time_s, lon, lat, self._fixes, self.settings.limits, verdict)
        self._drop("duplicate", verdict == DUPLICATE)
        self._drop("jump", verdict == JUMP)
        return self._on_runs(take(held, rows[order[verdict == KEPT]]))

    def _on_runs(self, held: HeldPings) -> HeldPings:
        """Pings with the runs that they are of, where what is said is a repeated trip."""
        columns = self._claims_as_columns()
        if not columns.is_repeated.any():
            return held
        return self.keeper.keep(held, Choices(columns.start, columns.trip, columns.is_repeated))

    def _match(self, told: Told) -> Step:
        """Find where pings are on their trips, and what happened at calls."""
        held, (samples, trips) = told.held, self._samples(told)
        self._make_room(trips)
        way_m, off_m, found, crossings = self._placed(held.vehicle, samples)
        lateness_s = deviations_s(self.plan.calls, samples.trip, way_m, samples.clock_s, self.settings.zone_m)
        matched = Matched(
            vehicle=held.vehicle,
            performed=self._numbers(samples.performed),
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
        row = crossings.performed
        numbered = crossings._replace(performed=self._numbers(row))
        return Step(matched, numbered, samples.performed, row, trips.begun, trips.over)

    def _make_room(self, trips: Found) -> None:
        """Let the kernels remember the trips that appear."""
        self.progress = with_room(self.progress, self.trips.rows, blank_progress)
        self._passage = with_room(self._passage, self.trips.rows, blank_passage)
        forget(self.progress, trips.begun, blank_progress)
        forget(self._passage, trips.begun, blank_passage)

    def _numbers(self, row: Integers) -> Integers:
        """Numbers of the trips of rows, NONE where there is none."""
        number = np.append(self.trips.roster.number, np.int32(NONE))  # a row of -1 finds the number at the end
        found: Integers = number[row]
        return found

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
        own_late: Any = (column[late] for column in samples)
        before = tail[late]
        tails = Samples(*own_late)._replace(
            performed=before,
            trip=self.trips.roster.trip[before],
            clock_s=samples.time_s[late] - self.trips.roster.origin_s[before],
        )
        place = np.concatenate((late, np.arange(len(vehicle))))
        order = np.argsort(place, kind="stable")
        joined: Any = (np.concatenate(pair)[order] for pair in zip(tails, samples, strict=True))
        whole = Samples(*joined)
        own: Integers = np.flatnonzero(order >= len(late))
        return whole, own

    def _chosen(self, claim: Integers, named: Integers, time_s: FloatArray) -> Integers:
        """Trip and day of pings by what they say, NONE where nothing is meant, shape (pings, 2)."""
        chosen: Integers = np.full((len(claim), 2), NONE, np.int32)
        if not len(claim):
            return chosen
        book, only = self._claims_as_columns(), self.plan.only_day
        day = named if only is None else np.full(len(claim), only, np.int32)
        return choose_trips(claim, day, time_s, book.start, book.trip, self.plan.calendar(time_s), chosen)

    def _samples(self, told: Told) -> tuple[Samples, Found]:
        """Pings with the clocks of their service days, and the rows of their trips."""
        held, evidence = told.held, self._claims_as_columns().evidence
        origin_s = np.where(told.trip < 0, np.nan, self.plan.origins_s(told.day))
        served = Served(
            vehicle=held.vehicle,
            trip=told.trip,
            day=told.day,
            evidence=np.where(told.evidence == NONE, evidence[held.claim], told.evidence),
            time_s=held.time_s,
            origin_s=origin_s,
        )
        trips = self.trips.find(served, len(self.vehicles))
        samples = Samples(
            performed=trips.row,
            trip=told.trip,
            time_s=held.time_s,
            clock_s=held.time_s - origin_s,
            lon=held.lon,
            lat=held.lat,
            heading_deg=held.heading_deg,
            speed_mps=held.speed_mps,
        )
        return samples, trips

    def _claims_as_columns(self) -> _Claims:
        """All claims as the kernels take them, made anew only where some were added."""
        if len(self._columns.rank) != len(self.claims):
            start, trip = candidate_rows(self.meanings)
            texts = [(one.trip, one.route, one.block, one.start_time) for one in self.claims]
            rank = np.empty(len(texts), dtype=np.int32)
            rank[sorted(range(len(texts)), key=texts.__getitem__)] = np.arange(len(texts))
            evidence = np.array([meaning.evidence for meaning in self.meanings], dtype=np.int8)
            self._columns = _Claims(start, trip, evidence, rank, is_repeated(self.plan, self.meanings))
        return self._columns


def _days_named(start_date: Labels) -> IntArray:
    """Service days that pings name, NONE where they name none."""
    days = np.array([*(named_day(text) for text in start_date.texts), NONE], dtype=np.int32)
    found: IntArray = days[start_date.codes]  # a code of -1 finds the day at the end
    return found


def _said(said: tuple[Labels, ...], ping: int) -> Claim:
    """What a ping says."""
    codes = [int(labels.codes[ping]) for labels in said]
    return Claim(*("" if code < 0 else labels.texts[code] for labels, code in zip(said, codes, strict=True)))
