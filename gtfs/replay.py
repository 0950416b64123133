"""The state machine that reads a trace, whether it comes at once or ping by ping, and gives the same for both.

Pings go in as they arrive. Each vehicle's are held back a little, so that late ones can be put in order; what comes out
is final: where each vehicle was on which trip, and when it came to stops and left them.
"""

from collections import Counter
from dataclasses import dataclass, field, fields
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pandas as pd

from gtfs.adherence import deviations_s
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
    admit,
    choose_trips,
    cross_calls,
    match_pings,
    order_by_vehicle,
    screen,
)
from gtfs.trace_plan import TracePlan
from gtfs.trace_settings import TraceSettings
from gtfs.trace_state import blank_fixes, blank_passage, blank_progress, with_room
from gtfs.trip_claims import Claim, ClaimBook, Evidence, Meaning, candidate_rows
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


@dataclass(slots=True, eq=False)
class _Held:
    """Pings that may still be overtaken by earlier ones, in order of arrival."""

    vehicle: IntArray
    claim: IntArray
    time_s: FloatArray
    lat: FloatArray
    lon: FloatArray
    heading_deg: FloatArray
    speed_mps: FloatArray


def _join(one: _Held, other: _Held) -> _Held:
    return _Held(*(np.concatenate((getattr(one, name), getattr(other, name))) for name in _HELD))


def _take(held: _Held, rows: npt.NDArray[np.generic]) -> _Held:
    return _Held(*(getattr(held, name)[rows] for name in _HELD))


_HELD = tuple(part.name for part in fields(_Held))


def _nothing_held() -> _Held:
    whole, real = np.empty(0, np.int32), np.empty(0)
    return _Held(whole, whole, real, real, real, real, real)


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
    _held: _Held = field(default_factory=_nothing_held)
    _fixes: Fixes = field(default_factory=lambda: blank_fixes(0))
    _progress: Progress = field(default_factory=lambda: blank_progress(0))
    _passage: Passage = field(default_factory=lambda: blank_passage(0))
    _book: ClaimBook = field(init=False)

    def __post_init__(self) -> None:
        """Index the feed."""
        self._book = ClaimBook(self.plan)

    def feed(self, pings: Pings) -> Step:
        """Take pings in order of arrival, and give what became final by them."""
        arrived = _Held(
            vehicle=self._vehicle_rows(pings.vehicle),
            claim=self._claim_rows(pings),
            time_s=pings.time_s,
            lat=pings.lat,
            lon=pings.lon,
            heading_deg=pings.heading_deg,
            speed_mps=pings.speed_mps,
        )
        self.pings += len(pings)
        newest_s = self._fixes.newest_s
        kept = admit(arrived.vehicle, arrived.time_s, self.settings.reorder_s, newest_s, np.empty(len(pings), np.bool_))
        self._drop("late", ~kept)
        held = _join(self._held, arrived if kept.all() else _take(arrived, kept))
        is_final = held.time_s < newest_s[held.vehicle] - self.settings.reorder_s
        self._held = _take(held, ~is_final)
        return self._commit(_take(held, is_final))

    def close(self) -> Step:
        """Give what was still held back."""
        held, self._held = self._held, _nothing_held()
        return self._commit(held)

    def _vehicle_rows(self, labels: Labels) -> IntArray:
        rows = np.array([self._vehicle(text) for text in labels.texts], dtype=np.int32)
        found: IntArray = rows[labels.codes]
        return found

    def _vehicle(self, text: str) -> int:
        row = self._vehicle_row.setdefault(text, len(self.vehicles))
        if row == len(self.vehicles):
            self.vehicles.append(text)
            self._fixes = with_room(self._fixes, row + 1, blank_fixes)
        return row

    def _claim_rows(self, pings: Pings) -> IntArray:
        """Rows of what vehicles say they serve."""
        said = (pings.trip, pings.route, pings.block, pings.start_date, pings.start_time)
        key = np.zeros(len(pings), dtype=np.int64)
        for labels in said:
            key = key * (len(labels.texts) + 1) + labels.codes + 1
        code, distinct = pd.factorize(key)
        rows = np.array([self._claim(_said(said, int(value))) for value in distinct], dtype=np.int32)
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

    def _commit(self, held: _Held) -> Step:
        """Screen, assign, match: pings in their order, nothing earlier to come."""
        rank = self._claim_rank()[held.claim] if len(held.time_s) else held.claim
        held = _take(held, order_by_vehicle(held.vehicle, held.time_s, held.lat, held.lon, rank))
        limits = self.settings.limits
        verdict = np.empty(len(held.time_s), np.int8)
        screen(held.vehicle, held.time_s, held.lon, held.lat, self._fixes, limits, verdict)
        self._drop("duplicate", verdict == DUPLICATE)
        self._drop("jump", verdict == JUMP)
        held = held if (verdict == KEPT).all() else _take(held, verdict == KEPT)
        samples = self._assigned(held)
        count = len(held.time_s)
        way_m, off_m, found = np.empty(count), np.empty(count), np.empty(count, np.int8)
        lines, plan = self.plan.kernel_lines, self.plan.kernel_plan
        match_pings(samples, lines, plan, limits, self._progress, way_m, off_m, found)
        crossings = cross_calls(samples, way_m, found, lines, plan, limits, self._passage)
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

    def _claim_rank(self) -> IntArray:
        """Place of each claim among all in order of their texts, so that ties do not hang on who came first."""
        texts = [(c.trip, c.route, c.block, c.start_date, c.start_time) for c in self.claims]
        rank = np.empty(len(texts), dtype=np.int32)
        rank[sorted(range(len(texts)), key=texts.__getitem__)] = np.arange(len(texts))
        return rank

    def _assigned(self, held: _Held) -> Samples:
        """Pings with their trips and the clocks of their service days."""
        if not len(held.time_s):
            nobody = np.empty(0, np.int32)
            return Samples(nobody, nobody, *(np.empty(0) for _ in range(6)))
        first = int(held.time_s.min() // DAY_S) - 2
        calendar = self._calendar(first, int(held.time_s.max() // DAY_S) + 2)
        start, candidate = candidate_rows(self.meanings)
        named = np.array([self._named_day(meaning) for meaning in self.meanings], dtype=np.int32)
        chosen = choose_trips(
            held.claim,
            named[held.claim],
            held.time_s,
            start,
            candidate,
            calendar,
            np.empty((len(held.time_s), 2), np.int32),
        )
        trip, day = chosen[:, 0].copy(), chosen[:, 1]
        origin_s = np.where(trip < 0, np.nan, calendar.origin_s[np.clip(day - first, 0, None)])
        return Samples(
            performed=self._performed_rows(held, trip, day),
            trip=trip,
            time_s=held.time_s,
            clock_s=held.time_s - origin_s,
            lon=held.lon,
            lat=held.lat,
            heading_deg=held.heading_deg,
            speed_mps=held.speed_mps,
        )

    def _named_day(self, meaning: Meaning) -> int:
        return meaning.day if self.plan.only_day is None else self.plan.only_day

    def _calendar(self, first: int, last: int) -> Calendar:
        days = range(first, last + 1)
        known = [_service_day(self.plan, day) for day in days]
        return Calendar(
            first_day=first,
            origin_s=np.array([origin_s for origin_s, _ in known], dtype=np.float64),
            runs=np.ascontiguousarray(np.array([runs for _, runs in known]).T),
            trip_service=self.plan.trip_service,
            trip_span_s=self.plan.trip_span_s,
        )

    def _performed_rows(self, held: _Held, trip: Integers, day: Integers) -> IntArray:
        """Rows of performed trips: looked up where one begins, and kept while nothing changes."""
        keys = (held.vehicle, trip, day)
        changes = np.flatnonzero(np.any([np.diff(key, prepend=key[0] - 1) != 0 for key in keys], axis=0))
        parts = zip(*(key[changes].tolist() for key in keys), held.claim[changes].tolist(), strict=True)
        rows = [NONE if part[1] < 0 else self._performed_trip(*part) for part in parts]
        return np.repeat(np.array(rows, dtype=np.int32), np.diff(changes, append=len(trip)))

    def _performed_trip(self, vehicle: int, trip: int, day: int, claim: int) -> int:
        row = self._performed_row.setdefault((vehicle, trip, day), len(self.performed))
        if row == len(self.performed):
            self.performed.append(PerformedTrip(vehicle, trip, day, self.meanings[claim].evidence))
            self._progress = with_room(self._progress, row + 1, blank_progress)
            self._passage = with_room(self._passage, row + 1, blank_passage)
        return row


@lru_cache(maxsize=1024)
def _service_day(plan: TracePlan, day: int) -> tuple[int, Bools]:
    return plan.origin_s(day), plan.services_running(day)


def _said(said: tuple[Labels, ...], key: int) -> Claim:
    """The texts that a key stands for."""
    texts = []
    for labels in reversed(said):
        key, code = divmod(key, len(labels.texts) + 1)
        texts.append(labels.texts[code - 1] if code else "")
    return Claim(*reversed(texts))
