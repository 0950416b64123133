"""Trips of vehicles that name none: told by block, route and geometry where the evidence is clear, else left open.

Pings of such a vehicle wait until one trip of the feed fits them and no other does. A vehicle then keeps its trip to
the trip's end, unless it leaves the line for good. All is decided vehicle by vehicle and ping by ping in order of time,
so that it does not matter in what pieces a trace comes.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gtfs.guess_kernels import (
    BEGIN,
    COUNT,
    FROM_M,
    GAINED_M,
    LATE_S,
    LOOK,
    MISSES,
    MOVES,
    NONE,
    ON,
    STAYS,
    TRAVELLED_M,
    Patience,
    Index,
    Search,
    Tried,
    courses,
    fit_trips,
    follow,
    lines_near,
    wait,
)
from gtfs.held_pings import HeldPings, join, nothing_held, take
from gtfs.line_index import line_index
from gtfs.trace_kernels import Progress, Samples
from gtfs.trace_plan import TracePlan
from gtfs.trace_settings import TraceSettings
from gtfs.trace_state import blank_progress, with_room
from gtfs.trip_claims import Claim, Evidence, Meaning
from networks.network import FloatArray, IntArray

DAY_S = 86_400
DETOUR = 0.25
"""The way along a line may differ from the way that the vehicle has come by this share of it."""

Integers = npt.NDArray[np.integer]
Bools = npt.NDArray[np.bool_]


class Told(NamedTuple):
    """Pings that are final, with what they serve, shape (pings,) each; NONE where that is not known.

    ``evidence`` is NONE where the trip is what the vehicle itself names.
    """

    held: HeldPings
    trip: IntArray
    day: IntArray
    evidence: npt.NDArray[np.int8]


class Candidates(NamedTuple):
    """Trips on service days, and the moment from which each day counts, shape (candidates,) each."""

    trip: IntArray
    day: IntArray
    origin_s: FloatArray


class Fits(NamedTuple):
    """How candidates fit a vehicle's pings, see :func:`gtfs.guess_kernels.fit_trips`, shape (candidates, 3) each."""

    count: IntArray
    measure: FloatArray


class _Guess(NamedTuple):
    """A trip on a day, the first ping that belongs to it, the evidence; and its row of the progress."""

    trip: int
    day: int
    begin: int
    evidence: Evidence
    row: int
    progress: Progress


def blank_search(vehicles: int) -> Search:
    """Vehicles of which nothing is known."""
    whole = [np.full(vehicles, NONE, dtype=np.int32) for _ in range(4)]
    real = [np.full(vehicles, np.nan) for _ in range(3)]
    return Search(
        trip=whole[0],
        day=whole[1],
        past_trip=whole[2],
        past_day=whole[3],
        is_done=np.zeros(vehicles, dtype=np.bool_),
        is_named=np.zeros(vehicles, dtype=np.bool_),
        anchor=np.full((vehicles, 2), np.nan),
        anchor_s=real[0],
        last_s=real[1],
        on_s=real[2],
        run_m=np.zeros(vehicles),
    )


@dataclass(slots=True, eq=False)
class TripGuesser:
    """Gives trips to vehicles that name none.

    Attributes
    ----------
    waiting
        Pings that wait for a trip, by vehicle and there by time.
    search, progress
        What is known of each vehicle, and how far it is along the trip that it was given.
    """

    plan: TracePlan
    settings: TraceSettings
    waiting: HeldPings = field(default_factory=nothing_held)
    search: Search = field(default_factory=lambda: blank_search(0))
    progress: Progress = field(default_factory=lambda: blank_progress(0))
    wait_for_branch: bool = True
    _day_trips: dict[int, Candidates] = field(default_factory=dict)
    _block_row: IntArray = field(init=False)
    _lines_by_place: Index | None = None
    _route_row: dict[str, int] = field(init=False)
    _patience: Patience = field(init=False)

    def __post_init__(self) -> None:
        """Index the feed's routes."""
        self._route_row = {text: row for row, text in enumerate(self.plan.timetable.routes.ids)}
        rows = {text: row for row, text in enumerate(dict.fromkeys(filter(None, self.plan.timetable.trips.block_ids)))}
        blocks = [rows.get(text, NONE) for text in self.plan.timetable.trips.block_ids]
        self._block_row = np.array(blocks, dtype=np.int32)
        one = self.settings
        self._patience = Patience(one.still_m, one.look_m, one.end_m, one.layover_s, one.search_s, one.bridge_s, one.lost_s)

    def tell(
        self, held: HeldPings, trip: IntArray, day: IntArray, claims: Sequence[Claim], meanings: Sequence[Meaning]
    ) -> Told:
        """Take pings by vehicle and time with the trips that they name, and give those that are final with theirs."""
        vehicles = int(held.vehicle.max(initial=NONE)) + 1
        self.search = with_room(self.search, vehicles, blank_search)
        self.progress = with_room(self.progress, vehicles, blank_progress)
        given = _told(held, trip, day)
        is_searched = np.zeros(len(self.search.trip), dtype=np.bool_)
        is_searched[held.vehicle[trip < 0]] = True
        is_searched[self.waiting.vehicle] = True
        is_searched |= self.search.trip >= 0
        apart = is_searched[held.vehicle]
        named = _take_told(given, ~apart) if apart.any() else given
        self._note_named(named.held.vehicle, named.trip, named.day)
        if not apart.any():
            return named
        told = _joined(_told(self.waiting), _take_told(given, apart))
        is_new = np.arange(len(told.trip)) >= len(self.waiting.time_s)
        order = np.argsort(told.held.vehicle, kind="stable")
        told = _take_told(told, order)
        is_final = _Search(self, told, claims, meanings).run(is_new[order])
        self.waiting = take(told.held, ~is_final)
        return merged(named, _take_told(told, is_final))

    def close(self) -> Told:
        """Give the pings that still wait; nobody knows their trips."""
        held, self.waiting = self.waiting, nothing_held()
        return _told(held)

    def _note_named(self, vehicle: Integers, trip: Integers, day: Integers) -> None:
        """Note the latest trips that vehicles name themselves; nothing is searched then."""
        last = np.flatnonzero(np.diff(vehicle, append=NONE))
        rows, search = vehicle[last], self.search
        search.trip[rows] = search.day[rows] = NONE
        search.past_trip[rows], search.past_day[rows] = trip[last], day[last]
        search.is_done[rows], search.is_named[rows], search.run_m[rows] = False, True, 0.0
        search.anchor_s[rows] = search.last_s[rows] = np.nan

    def _leave(self, vehicle: int) -> None:
        """A vehicle serves its trip no more."""
        search = self.search
        search.past_trip[vehicle], search.past_day[vehicle] = search.trip[vehicle], search.day[vehicle]
        search.trip[vehicle] = search.day[vehicle] = NONE
        search.is_done[vehicle], search.is_named[vehicle], search.run_m[vehicle] = True, False, 0.0

    def _follow(self, vehicle: int, guess: _Guess, time_s: float) -> None:
        """A vehicle is given a trip."""
        search = self.search
        search.trip[vehicle], search.day[vehicle], search.on_s[vehicle] = guess.trip, guess.day, time_s
        for column, found in zip(self.progress, guess.progress, strict=True):
            column[vehicle] = found[guess.row]
        end_m = self.plan.kernel_plan.call_way_m[self.plan.kernel_plan.call_start[guess.trip + 1] - 1]
        if self.progress.way_m[vehicle] >= end_m - self.settings.zone_m:
            self._leave(vehicle)

    def _candidates(self, window: HeldPings, claim: Claim, day: int) -> Candidates:
        """Trips under way now, of the route and day that are named, if any."""
        time_s = float(window.time_s[-1])
        today = int(time_s // DAY_S)
        days = range(today - 1, today + 2) if day == NONE else (day,)
        about = _stacked([self._under_way(number, time_s) for number in days])
        route = self._route_row.get(claim.route, NONE)
        if route == NONE:
            return about
        return _take_candidates(about, self.plan.timetable.trip_route[about.trip] == route)

    def _under_way(self, day: int, time_s: float) -> Candidates:
        running = self._running(day)
        span_s = self.plan.trip_span_s[running.trip] + running.origin_s[:, None]
        slack_s = self.settings.rival_s
        return _take_candidates(running, (span_s[:, 0] - slack_s <= time_s) & (time_s <= span_s[:, 1] + slack_s))

    def _running(self, day: int) -> Candidates:
        """Trips of a service day; those of the latest days are kept at hand."""
        found = self._day_trips.get(day)
        if found is None:
            trip = np.flatnonzero(self.plan.services_running(day)[self.plan.trip_service]).astype(np.int32)
            found = Candidates(trip, np.full(len(trip), day, np.int32), np.full(len(trip), float(self.plan.origin_s(day))))
            self._day_trips = dict([*self._day_trips.items(), (day, found)][-8:])
        return found

    def guess(self, window: HeldPings, claim: Claim, day: int) -> _Guess | None:
        """The trip that a vehicle's pings are clear evidence of, None where there is none or no telling.

        Parameters
        ----------
        window
            Pings of one vehicle by time.
        day
            The service day that it names, or NONE.
        """
        samples = _samples(window)
        candidates, tried = self._near(self._candidates(window, claim, day), samples)
        if not len(candidates.trip):
            return None
        vehicle, (fits, progress) = int(window.vehicle[-1]), self._fits(samples, tried)
        is_of_block = self._is_of_block(vehicle, candidates)
        best = self._clear(vehicle, candidates, fits, is_of_block)
        if best is None:
            return None
        evidence = Evidence.BLOCK if is_of_block[best] else Evidence.GEOMETRY
        trip, begin = int(candidates.trip[best]), int(fits.count[best, BEGIN])
        return _Guess(trip, int(candidates.day[best]), begin, evidence, best, progress)

    def _near(self, candidates: Candidates, samples: Samples) -> tuple[Candidates, Tried]:
        """Candidates whose lines pass here, or did a ping ago."""
        pattern = self.plan.timetable.trips.pattern[candidates.trip]
        distinct, line = np.unique(pattern, return_inverse=True)
        row = np.full(len(self.plan.lines.start) - 1, NONE, dtype=np.int32)
        row[distinct] = np.arange(len(distinct))
        near = lines_near(
            samples,
            courses(samples, self.settings.still_m),
            self._index(),
            row,
            self.plan.kernel_lines,
            self.settings.off_route_m,
            np.empty((len(distinct), len(samples.time_s)), np.bool_),
        )
        is_here = near[:, -MISSES:].any(axis=1)[line]
        found = _take_candidates(candidates, is_here)
        return found, Tried(found.trip, found.origin_s, line[is_here].astype(np.int32), near)

    def _index(self) -> Index:
        """Lines by place, made where it is first needed."""
        if self._lines_by_place is None:
            self._lines_by_place = line_index(self.plan.kernel_lines)
        return self._lines_by_place

    def _fits(self, samples: Samples, tried: Tried) -> tuple[Fits, Progress]:
        size = len(tried.trip)
        fits, progress = Fits(np.empty((size, 4), np.int32), np.empty((size, 6))), blank_progress(size)
        lines, plan = self.plan.kernel_lines, self.plan.kernel_plan
        fit_trips(samples, tried, lines, plan, self.settings.limits, progress, *fits)
        return fits, progress

    def _is_of_block(self, vehicle: int, candidates: Candidates) -> Bools:
        """Which candidates the vehicle's duty has next: the trip that it named last, and later ones of its block."""
        past, day = int(self.search.past_trip[vehicle]), int(self.search.past_day[vehicle])
        if past == NONE:
            return np.zeros(len(candidates.trip), dtype=np.bool_)
        starts_s, block = self.plan.trip_span_s[:, 0], self._block_row
        is_later = (block[candidates.trip] == block[past]) & (starts_s[candidates.trip] > starts_s[past])
        is_same = (candidates.trip == past) & (not self.search.is_done[vehicle])
        found: Bools = (candidates.day == day) & ((is_later & (block[past] != NONE)) | is_same)
        return found

    def _clear(self, vehicle: int, candidates: Candidates, fits: Fits, is_of_block: Bools) -> int | None:
        """Row of the one candidate that fits where no other does as well, None where there is no such."""
        one = self.settings
        late_s, gained_m = fits.measure[:, LATE_S], fits.measure[:, GAINED_M]
        cost = np.where(late_s > 0, late_s / one.late_scale_s, -late_s / one.early_scale_s)
        cost = np.where(np.isnan(cost), np.inf, cost) - one.block_odds * is_of_block * (1.0 if self.search.is_named[vehicle] else 0.5)
        most_s = np.where(is_of_block, one.block_late_s, one.guess_late_s)
        is_sound = self._is_sound(fits) & (late_s <= most_s) & (late_s >= -one.guess_early_s)
        best = int(np.argmin(np.where(is_sound, cost, np.inf)))
        if not is_sound[best]:
            return None
        explains = (gained_m >= gained_m[best] - one.branch_m) & (fits.count[:, ON] >= 0.8 * fits.count[best, ON])
        begins = (fits.measure[:, FROM_M] <= one.slack_m) & (gained_m >= one.begun_m)
        is_rival = explains | is_sound | begins
        is_rival[best] = False
        if (cost[is_rival] < cost[best] + one.rival_odds).any():
            return None
        if self.wait_for_branch and not (is_of_block[best] and self.search.is_named[vehicle]):
            pattern = self.plan.timetable.trips.pattern[candidates.trip]
            if (is_rival & (pattern != pattern[best]) & (np.abs(late_s) <= one.block_late_s)).any():
                return None
        return best

    def _is_sound(self, fits: Fits) -> Bools:
        """Which candidates fit well enough to be given."""
        one = self.settings
        gained_m, travelled_m = fits.measure.T[:2]
        sound: Bools = (
            (fits.count[:, MOVES] + 1 >= one.guess_pings)
            & (fits.count[:, ON] >= one.guess_share * fits.count[:, COUNT])
            & (gained_m >= one.guess_m)
            & (np.abs(gained_m - travelled_m) <= DETOUR * np.maximum(gained_m, travelled_m))
        )
        return sound


class _Search:
    """One go over pings, some of which waited before."""

    def __init__(
        self, guesser: TripGuesser, told: Told, claims: Sequence[Claim], meanings: Sequence[Meaning]
    ) -> None:
        self.guesser, self.told, self.claims, self.meanings = guesser, told, claims, meanings
        self.samples = _samples(told.held)

    def run(self, is_new: Bools) -> Bools:
        """Go over all pings; which are final then, shape (pings,)."""
        held, told = self.told.held, self.told
        is_final = np.ones(len(is_new), dtype=np.bool_)
        front, waits_for = 0, (NONE, NONE)
        for begin, end in _stretches(held.vehicle, held.claim, told.trip, told.day, is_new):
            key = int(held.vehicle[begin]), int(held.claim[begin])
            if not is_new[begin]:
                front, waits_for = begin, key
                is_final[begin:end] = False
                continue
            if key[0] == waits_for[0]:
                is_final[front:begin] = True
            front = front if key == waits_for else begin
            if told.trip[begin] >= 0:
                self.guesser._note_named(*(column[begin:end] for column in (held.vehicle, told.trip, told.day)))
                waits_for = NONE, NONE
                continue
            front, waits_for = self._search(front, begin, end), key
            is_final[front:end] = False
        return is_final

    def _search(self, front: int, begin: int, end: int) -> int:
        """Go over pings of a vehicle that say the same and name no trip; the first that waits then."""
        guesser, held = self.guesser, self.told.held
        vehicle, claim = int(held.vehicle[begin]), int(held.claim[begin])
        self._heed_route(vehicle, self.claims[claim])
        row = begin
        while row < end:
            if guesser.search.trip[vehicle] >= 0:
                row = front = self._follow(vehicle, row, end)
                continue
            row, front, come_to = wait(front, (row, end), self.samples, vehicle, guesser.search, guesser._patience)
            if come_to == LOOK and row - front >= guesser.settings.guess_pings:
                window = take(held, np.arange(front, row))
                day = self.meanings[claim].day if guesser.plan.only_day is None else guesser.plan.only_day
                found = guesser.guess(window, self.claims[claim], day)
                if found is not None:
                    self._put(front + found.begin, row, found.trip, found.day, found.evidence)
                    guesser._follow(vehicle, found, float(held.time_s[row - 1]))
                    front = row
        return front

    def _heed_route(self, vehicle: int, claim: Claim) -> None:
        """A vehicle that names another route has left its trip."""
        guesser = self.guesser
        trip, route = int(guesser.search.trip[vehicle]), guesser._route_row.get(claim.route, NONE)
        if trip >= 0 and route not in (NONE, int(guesser.plan.timetable.trip_route[trip])):
            guesser._leave(vehicle)

    def _follow(self, vehicle: int, row: int, end: int) -> int:
        """Go along a vehicle's trip; the first ping that belongs to it no more."""
        guesser, plan = self.guesser, self.guesser.plan
        trip, day = int(guesser.search.trip[vehicle]), int(guesser.search.day[vehicle])
        part = Samples(*(column[row:end] for column in self.samples))
        part.trip[:], part.clock_s[:] = trip, part.time_s - plan.origin_s(day)
        memory = guesser.search, guesser.progress
        lines, limits = plan.kernel_lines, guesser.settings.limits
        count, come_to = follow(
            (0, end - row), part, vehicle, plan.kernel_plan, lines, limits, guesser._patience, memory
        )
        self._put(row, row + count, trip, day, None)
        if come_to != STAYS:
            guesser._leave(vehicle)
        return row + count

    def _put(self, begin: int, end: int, trip: int, day: int, evidence: Evidence | None) -> None:
        self.told.trip[begin:end], self.told.day[begin:end] = trip, day
        if evidence is not None:
            self.told.evidence[begin:end] = evidence


def _samples(held: HeldPings) -> Samples:
    """Pings of vehicles as kernels take them, each vehicle in place of what it performs; trip and clock are blank."""
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


def _told(held: HeldPings, trip: Integers | None = None, day: Integers | None = None) -> Told:
    """Pings with the trips that they name, none where they are left out."""
    nothing = np.full(len(held.time_s), NONE, dtype=np.int32)
    return Told(
        held, nothing if trip is None else trip, nothing.copy() if day is None else day, nothing.astype(np.int8)
    )


def _take_told(told: Told, rows: npt.NDArray[np.generic]) -> Told:
    return Told(take(told.held, rows), told.trip[rows], told.day[rows], told.evidence[rows])


def _joined(one: Told, other: Told) -> Told:
    held, *rest = zip(one, other, strict=True)
    return Told(join(*held), *(np.concatenate(part) for part in rest))


def merged(one: Told, other: Told) -> Told:
    """Pings of both by vehicle; of one that is in both, those of the first go first."""
    both = _joined(one, other)
    return _take_told(both, np.argsort(both.held.vehicle, kind="stable"))


def _stacked(parts: list[Candidates]) -> Candidates:
    return Candidates(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def _take_candidates(candidates: Candidates, rows: Bools) -> Candidates:
    return Candidates(*(column[rows] for column in candidates))


def _stretches(*keys: npt.NDArray[np.generic]) -> list[tuple[int, int]]:
    """Rows from where a key changes to before where one changes next."""
    changes = np.flatnonzero(np.any([key[1:] != key[:-1] for key in keys], axis=0)) + 1
    return list(itertools.pairwise([0, *changes.tolist(), len(keys[0])]))
