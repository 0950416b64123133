"""Trips of vehicles that name none: told by block, route and geometry where the evidence is clear, else left open.

Pings of such a vehicle wait until one trip of the feed fits them and no other does. A vehicle then keeps its trip to
the trip's end, unless it leaves the line for good. All is decided vehicle by vehicle and ping by ping in order of time,
so that it does not matter in what pieces a trace comes.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from gtfs.guess_kernels import (
    BEGIN,
    COUNT,
    FROM_M,
    GAINED_M,
    LATE_S,
    LOOK,
    MOVES,
    NONE,
    ON,
    STAYS,
    TRAVELLED_M,
    Patience,
    Search,
    follow,
    hear,
    travelled,
    wait,
)
from gtfs.held_pings import HeldPings, join, nothing_held, take
from gtfs.trace_kernels import Progress, Samples
from gtfs.trace_plan import TracePlan
from gtfs.trace_settings import TraceSettings
from gtfs.trace_state import blank_progress, blank_search, with_room
from gtfs.trip_candidates import Bools, Candidates, CandidateTrips, Fits, Integers, as_samples
from gtfs.trip_claims import Claim, Evidence, Meaning

DETOUR = 0.25
"""The way along a line may differ from the way that the vehicle has come by this share of the longer one."""
RIVAL_SHARE = 0.8
"""A rival fits as many pings, but for the rest."""


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """Pings with what they serve, shape (pings,) each; NONE where that is not known.

    ``evidence`` is a value of :class:`gtfs.trip_claims.Evidence`, NONE where the trip is what the vehicle itself names.
    """

    held: HeldPings
    trip: Integers
    day: Integers
    evidence: npt.NDArray[np.int8]


@dataclass(frozen=True, slots=True, eq=False)
class Guess:
    """A trip on a day, the first ping that belongs to it, how it was found, and where on it the vehicle is.

    The last is row ``row`` of ``progress``.
    """

    trip: int
    day: int
    begin: int
    evidence: Evidence
    progress: Progress
    row: int


@dataclass(slots=True, eq=False)
class TripGuesser:
    """Gives trips to vehicles that name none.

    Attributes
    ----------
    waiting
        Pings that wait for a trip, by vehicle and there by time.
    search, progress
        What is known of each vehicle, and how far it is along the trip that it was given.
    named_s
        When each vehicle first named a trip, by trip and day.
    """

    plan: TracePlan
    settings: TraceSettings
    waiting: HeldPings = field(default_factory=nothing_held)
    search: Search = field(default_factory=lambda: blank_search(0))
    progress: Progress = field(default_factory=lambda: blank_progress(0))
    named_s: dict[tuple[int, int], dict[int, float]] = field(default_factory=dict)
    _trips: CandidateTrips = field(init=False)
    _block: Integers = field(init=False)
    _patience: Patience = field(init=False)

    def __post_init__(self) -> None:
        """Index the feed."""
        self._trips = CandidateTrips(self.plan, self.settings)
        blocks = self.plan.timetable.trips.block_ids
        rows = {text: row for row, text in enumerate(dict.fromkeys(filter(None, blocks)))}
        self._block = np.array([rows.get(text, NONE) for text in blocks], dtype=np.int32)
        self._patience = Patience(**{name: float(getattr(self.settings, name)) for name in Patience._fields})

    def hear(self, arrived: HeldPings) -> None:
        """Note which trips vehicles name, as their pings arrive and before any of them is final."""
        vehicles = int(arrived.vehicle.max(initial=NONE)) + 1
        self.search = with_room(self.search, vehicles, blank_search)
        self.progress = with_room(self.progress, vehicles, blank_progress)
        parts = arrived.vehicle, arrived.trip, arrived.day, arrived.time_s
        is_new = hear(*parts, self.search, np.empty(len(arrived.time_s), np.bool_))
        for vehicle, trip, day, time_s in zip(*(part[is_new].tolist() for part in parts), strict=True):
            named_s = self.named_s.setdefault((trip, day), {})
            named_s[vehicle] = min(time_s, named_s.get(vehicle, time_s))

    def tell(self, held: HeldPings, claims: Sequence[Claim], meanings: Sequence[Meaning]) -> Told:
        """Take pings by vehicle and time; give those that are final with their trips.

        Parameters
        ----------
        claims, meanings
            What pings say, and what it can mean, by row.
        """
        trip, day = held.trip.copy(), held.day.copy()
        given, is_searched = _told(held, trip, day), self._searched(held, trip)
        if not is_searched.any():
            self._note_named(held.vehicle, trip, day)
            return given
        named = _take_told(given, ~is_searched)
        self._note_named(named.held.vehicle, named.trip, named.day)
        told = _joined(untold(self.waiting), _take_told(given, is_searched))
        is_new = np.arange(len(told.trip)) >= len(self.waiting.time_s)
        order = np.argsort(told.held.vehicle, kind="stable")
        told = _take_told(told, order)
        is_final = self._go_over(told, is_new[order], claims, meanings)
        self.waiting = take(told.held, ~is_final)
        return merged(named, _take_told(told, is_final))

    def close(self) -> Told:
        """Give the pings that still wait; nobody knows their trips."""
        held, self.waiting = self.waiting, nothing_held()
        return untold(held)

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

    def _go_over(self, told: Told, is_new: Bools, claims: Sequence[Claim], meanings: Sequence[Meaning]) -> Bools:
        """Go over pings by vehicle and time, and write down their trips; which are final then, shape (pings,)."""
        held, samples = told.held, as_samples(told.held)
        is_final = np.ones(len(is_new), dtype=np.bool_)
        front, waits = 0, (NONE, NONE)
        for begin, end in _stretches(held.vehicle, held.claim, told.trip, told.day, is_new):
            said = int(held.vehicle[begin]), int(held.claim[begin])
            if not is_new[begin]:
                front, waits, is_final[begin:end] = begin, said, False
                continue
            if said[0] == waits[0]:
                is_final[front:begin] = True
                self._fill_gap(told, front, begin)
            front = front if said == waits else begin
            if told.trip[begin] >= 0:
                self._note_named(held.vehicle[begin:end], told.trip[begin:end], told.day[begin:end])
                waits = NONE, NONE
                continue
            day = meanings[said[1]].day if self.plan.only_day is None else self.plan.only_day
            front, waits = self._search(front, (begin, end), told, samples, (claims[said[1]], day)), said
            is_final[front:end] = False
        return is_final

    def _fill_gap(self, told: Told, front: int, begin: int) -> None:
        """Pings that wait between two others by which a vehicle names the same trip are of that trip."""
        vehicle, search = int(told.held.vehicle[begin]), self.search
        trip, day = int(told.trip[begin]), int(told.day[begin])
        past = int(search.past_trip[vehicle]), int(search.past_day[vehicle])
        if trip != NONE and search.is_named[vehicle] and past == (trip, day):
            _put(told, front, begin, trip, day)

    def _search(self, front: int, rows: tuple[int, int], told: Told, samples: Samples, said: tuple[Claim, int]) -> int:
        """Go over pings of a vehicle that say the same and name no trip; the first that waits then."""
        row, end = rows
        vehicle, search = int(told.held.vehicle[row]), self.search
        if search.trip[vehicle] >= 0 and self._trips.of_other_route(int(search.trip[vehicle]), said[0]):
            self._leave(vehicle)
        while row < end:
            if search.trip[vehicle] >= 0:
                row = front = self._follow(vehicle, row, end, told, samples)
                continue
            row, front, come_to = wait(front, (row, end), samples, vehicle, search, self._patience)
            if come_to == LOOK and self._may_tell(_part(samples, front, row)):
                found = self.guess(take(told.held, np.arange(front, row)), *said)
                if found is not None:
                    told.evidence[front + found.begin : row] = found.evidence
                    _put(told, front + found.begin, row, found.trip, found.day)
                    self._give(vehicle, found, float(told.held.time_s[row - 1]))
                    front = row
        return front

    def _may_tell(self, samples: Samples) -> bool:
        """Whether pings are enough, and far enough apart, to be evidence of any trip."""
        way_m, steps = travelled(samples, 0)
        return bool(steps >= self.settings.guess_pings - 1 and way_m >= (1 - DETOUR) * self.settings.guess_m)

    def _give(self, vehicle: int, guess: Guess, time_s: float) -> None:
        """A vehicle is given a trip, which may be over by now."""
        search, plan = self.search, self.plan.kernel_plan
        search.trip[vehicle], search.day[vehicle], search.on_s[vehicle] = guess.trip, guess.day, time_s
        for column, found in zip(self.progress, guess.progress, strict=True):
            column[vehicle] = found[guess.row]
        end_m = plan.call_way_m[plan.call_start[guess.trip + 1] - 1]
        if self.progress.way_m[vehicle] >= end_m - self.settings.zone_m:
            self._leave(vehicle)

    def _leave(self, vehicle: int) -> None:
        """A vehicle serves its trip no more."""
        search = self.search
        search.past_trip[vehicle], search.past_day[vehicle] = search.trip[vehicle], search.day[vehicle]
        search.trip[vehicle] = search.day[vehicle] = NONE
        search.is_done[vehicle], search.is_named[vehicle], search.run_m[vehicle] = True, False, 0.0

    def _follow(self, vehicle: int, row: int, end: int, told: Told, samples: Samples) -> int:
        """Go along the trip that a vehicle was given; the first ping that belongs to it no more."""
        trip, day = int(self.search.trip[vehicle]), int(self.search.day[vehicle])
        part = _part(samples, row, end)
        part.trip[:], part.clock_s[:] = trip, part.time_s - self.plan.origin_s(day)
        lines, plan, limits = self.plan.kernel_lines, self.plan.kernel_plan, self.settings.limits
        count, come_to = follow(part, vehicle, lines, plan, limits, self._patience, self.search, self.progress)
        _put(told, row, row + count, trip, day)
        if come_to != STAYS:
            self._leave(vehicle)
        return row + count

    def guess(self, window: HeldPings, claim: Claim, day: int) -> Guess | None:
        """The trip that a vehicle's pings are clear evidence of; None where there is none, or no telling.

        Parameters
        ----------
        window
            Pings of one vehicle by time.
        claim, day
            What it says, and the service day that this names or NONE.
        """
        about = self._trips.under_way(float(window.time_s[-1]), claim, day)
        candidates, fits = self._trips.fits(about, window)
        if not len(candidates):
            return None
        vehicle = int(window.vehicle[-1])
        is_of_block = self._is_of_block(vehicle, candidates)
        best = self._clear(candidates, fits, is_of_block, is_named=bool(self.search.is_named[vehicle]))
        if best is None or self._is_taken(candidates, best, vehicle, float(window.time_s[-1])):
            return None
        return Guess(
            trip=int(candidates.trip[best]),
            day=int(candidates.day[best]),
            begin=int(fits.count[best, BEGIN]),
            evidence=Evidence.BLOCK if is_of_block[best] else Evidence.GEOMETRY,
            progress=fits.progress,
            row=best,
        )

    def _is_taken(self, candidates: Candidates, row: int, vehicle: int, now_s: float) -> bool:
        """Whether another vehicle has named a candidate by now: then this one runs beside it, or ahead of its own."""
        named_s = self.named_s.get((int(candidates.trip[row]), int(candidates.day[row])), {})
        return any(one != vehicle and since_s <= now_s for one, since_s in named_s.items())

    def _is_of_block(self, vehicle: int, candidates: Candidates) -> Bools:
        """Which candidates the vehicle's duty has next: the trip that it named last, and later ones of its block."""
        past, day = int(self.search.past_trip[vehicle]), int(self.search.past_day[vehicle])
        if past == NONE:
            return np.zeros(len(candidates), dtype=np.bool_)
        trip, starts_s = candidates.trip, self.plan.trip_span_s[:, 0]
        is_later = (self._block[trip] == self._block[past]) & (starts_s[trip] > starts_s[past])
        is_same = (trip == past) & (not self.search.is_done[vehicle])
        found: Bools = (candidates.day == day) & ((is_later & bool(self._block[past] != NONE)) | is_same)
        return found

    def _clear(self, candidates: Candidates, fits: Fits, is_of_block: Bools, *, is_named: bool) -> int | None:
        """Row of the one candidate that fits where no other does as well; None where there is no such.

        Parameters
        ----------
        is_named
            Whether the vehicle itself named the trip whose block it serves.
        """
        one, late_s = self.settings, fits.measure[:, LATE_S]
        cost = np.where(late_s > 0, late_s / one.late_scale_s, -late_s / one.early_scale_s)
        cost = cost - is_of_block * one.block_odds * (1.0 if is_named else 0.5)
        sound = np.flatnonzero(self._is_sound(fits, is_of_block))
        if not len(sound):
            return None
        best = int(sound[np.argmin(cost[sound])])
        is_rival = self._is_rival(fits, best)
        is_rival[sound] = True
        is_rival[best] = False
        if (cost[is_rival] < cost[best] + one.rival_odds).any():
            return None
        pattern = self.plan.timetable.trips.pattern[candidates.trip]
        may_branch = is_rival & (pattern != pattern[best]) & (np.abs(late_s) <= one.block_late_s)
        return None if may_branch.any() and not (is_named and is_of_block[best]) else best

    def _is_sound(self, fits: Fits, is_of_block: Bools) -> Bools:
        """Which candidates fit well enough to be given."""
        one = self.settings
        gained_m, travelled_m, late_s = (fits.measure[:, column] for column in (GAINED_M, TRAVELLED_M, LATE_S))
        sound: Bools = (
            (fits.count[:, MOVES] >= one.guess_pings - 1)
            & (fits.count[:, ON] >= one.guess_share * fits.count[:, COUNT])
            & (gained_m >= one.guess_m)
            & (np.abs(gained_m - travelled_m) <= DETOUR * np.maximum(gained_m, travelled_m))
            & (late_s <= np.where(is_of_block, one.block_late_s, one.guess_late_s))
            & (late_s >= -one.guess_early_s)
        )
        return sound

    def _is_rival(self, fits: Fits, best: int) -> Bools:
        """Which candidates explain as much of the way as the best, or begin here."""
        one, gained_m, on = self.settings, fits.measure[:, GAINED_M], fits.count[:, ON]
        explains = (gained_m >= gained_m[best] - one.branch_m) & (on >= RIVAL_SHARE * on[best])
        begins = (fits.measure[:, FROM_M] <= one.slack_m) & (gained_m >= one.begun_m)
        found: Bools = explains | begins
        return found


def _put(told: Told, begin: int, end: int, trip: int, day: int) -> None:
    told.trip[begin:end], told.day[begin:end] = trip, day


def _part(samples: Samples, begin: int, end: int) -> Samples:
    """Views of some pings."""
    return Samples(
        performed=samples.performed[begin:end],
        trip=samples.trip[begin:end],
        time_s=samples.time_s[begin:end],
        clock_s=samples.clock_s[begin:end],
        lon=samples.lon[begin:end],
        lat=samples.lat[begin:end],
        heading_deg=samples.heading_deg[begin:end],
        speed_mps=samples.speed_mps[begin:end],
    )


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


def _stretches(*keys: npt.NDArray[np.generic]) -> list[tuple[int, int]]:
    """Rows from where a key changes to before where one changes next."""
    changes = np.flatnonzero(np.any([key[1:] != key[:-1] for key in keys], axis=0)) + 1
    return list(itertools.pairwise([0, *changes.tolist(), len(keys[0])]))
