"""Arrivals of a replay on Kingston's trace, beside those that the agency's own system published.

Of an arrival that the agency published something can be said where a vehicle was seen on that trip before and after,
and where the two pings around the estimate are no more than two minutes apart: the trace has silences of eight to ten
minutes, when nobody recorded it. Zone and dwell were set by reason; what tuning them would have
given on trips that had no say in it stands beside.
"""

import csv
import gzip
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise, product
from pathlib import Path

import numpy as np
import numpy.typing as npt
import shapely

from benchmarks.results import Measurement
from benchmarks.setup import Setup
from benchmarks.trace_copies import AGENCIES, Agency
from gtfs.avl import read_pings
from gtfs.feed import read_feed
from gtfs.on_time import ON_TIME_RULES, Position, punctuality
from gtfs.performed_trips import PerformedTrips, joined_trips
from gtfs.pings import Pings
from gtfs.replay import Matched, Replay, Step
from gtfs.service_day import parse_day
from gtfs.stop_visits import stop_visits
from gtfs.trace_kernels import Crossings
from gtfs.trace_plan import TracePlan, day_number, trace_plan
from gtfs.trace_settings import TraceSettings
from networks.network import NONE, FloatArray, IntArray

AGENCY: Agency = next(one for one in AGENCIES if one.name == "kingston")
ARRIVALS = "kingston/agency_arrivals.csv.gz"
NEAR_M = 30.0
"""A ping so near a stop is at it, where nothing better is known."""

GAPS_S = (0.0, 25.0, 45.0, 120.0)
ZONES_M = tuple(float(zone_m) for zone_m in range(0, 61, 5))
DWELLS_S = tuple(float(dwell_s) for dwell_s in range(0, 31, 5))
FOLDS, SEED = 5, 1

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Published:
    """Arrivals that an agency published, of trips of the plan, shape (arrivals,) each; all on one service day.

    Attributes
    ----------
    trip, call
        Rows of the plan's timetable.
    arrival_s, scheduled_s
        Epoch seconds.
    """

    day: int
    trip: IntArray
    call: IntArray
    arrival_s: FloatArray
    scheduled_s: FloatArray

    def __len__(self) -> int:
        """Count of arrivals."""
        return len(self.call)


@dataclass(frozen=True, slots=True, eq=False)
class Read:
    """A trace after its replay."""

    plan: TracePlan
    settings: TraceSettings
    performed: PerformedTrips
    matched: Matched
    crossings: Crossings


@dataclass(frozen=True, slots=True, eq=False)
class Estimate:
    """Arrivals at published ones (epoch seconds, NaN where unknown) and the time between the pings around them (s)."""

    arrival_s: FloatArray
    gap_s: FloatArray


@dataclass(frozen=True, slots=True)
class Errors:
    """How far off estimates are: how many there are; and the share of those that fall in the agency's class."""

    count: int
    mean_absolute_s: float
    median_s: float
    ninetieth_s: float
    mean_s: float
    agreement: float


def kingston(setup: Setup) -> Iterator[Measurement]:
    """Errors by method and by gap, and of settings chosen on other trips."""
    if setup.real(ARRIVALS, "kingston") is None:
        return
    plan = trace_plan(read_feed(setup.data / AGENCY.feed))
    published = read_published(setup.data / ARRIVALS, plan)
    batches = read_pings([setup.data / AGENCY.trace], AGENCY.columns, plan.timetable.timezone)
    pings = [batch.pings for batch in batches]
    read = replay(plan, pings, TraceSettings())
    owner, silence_s = seen_around(read, published)
    inside = owner >= 0
    watched = silence_s <= read.settings.known_s
    yield Measurement("published", len(published), "1")
    yield Measurement("seen on the trip before and after", int(inside.sum()), "1")
    yield Measurement("seen on the trip no more than 120 s apart", int(watched.sum()), "1")
    at_stop, moving = replace(read.settings, zone_m=0.0, dwell_s=0.0), replace(read.settings, dwell_s=0.0)
    estimates = {
        "first ping within 30 m": first_near(read, published, owner),
        "global projection, at the stop": globally(read, published, owner),
        "windowed, at the stop": crossed(replay(plan, pings, at_stop), published, owner),
        "windowed, 30 m before, no dwell": crossed(replay(plan, pings, moving), published, owner),
        "replay": crossed(read, published, owner),
    }
    common = inside & np.all([np.isfinite(one.arrival_s) for one in estimates.values()], axis=0)
    for name, estimate in estimates.items():
        yield from _told(name, published, estimate, inside, setup)
        yield from _told(f"{name}, known to all", published, estimate, common, setup)
    own = estimates["replay"]
    yield from _told("replay, seen no more than 120 s apart", published, own, watched, setup)
    for least_s, most_s in pairwise(GAPS_S):
        some = inside & (own.gap_s > least_s) & (own.gap_s <= most_s)
        yield from _told(f"replay, gap {least_s:g} to {most_s:g} s", published, own, some, setup)
    tried = {
        (zone_m, dwell_s): crossed(replay(plan, pings, TraceSettings(zone_m=zone_m, dwell_s=dwell_s)), published, owner)
        for zone_m, dwell_s in product(ZONES_M, DWELLS_S)
    }
    yield from _tuned(tried, published, inside, setup)


def _told(name: str, published: Published, estimate: Estimate, among: BoolArray, setup: Setup) -> Iterator[Measurement]:
    found, asked = known_errors(published, estimate, among), int(among.sum())
    setup.tell(
        f"{name}: {found.count} of {asked}, mean absolute {found.mean_absolute_s:.2f} s, "
        f"median {found.median_s:.1f} s, 90th percentile {found.ninetieth_s:.1f} s, "
        f"same class {100 * found.agreement:.2f} %"
    )
    yield Measurement(f"{name}/known", found.count, "1")
    yield Measurement(f"{name}/known share", found.count / asked if asked else 0.0, "1")
    if found.count:
        yield Measurement(f"{name}/mean absolute error", found.mean_absolute_s, "s")
        yield Measurement(f"{name}/median absolute error", found.median_s, "s")
        yield Measurement(f"{name}/90th percentile", found.ninetieth_s, "s")
        yield Measurement(f"{name}/mean error", found.mean_s, "s")
        yield Measurement(f"{name}/same on-time class", found.agreement, "1")


def read_published(path: Path, plan: TracePlan) -> Published:
    """Read what the agency published; a trip id that drifted from the feed keeps its first part.

    Raises
    ------
    ValueError
        Where an arrival is at no call of the feed, or not all are of one day.
    """
    with gzip.open(path, "rt", encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    (day,) = {day_number(parse_day(row["date"])) for row in rows}
    table = plan.timetable
    trips = {trip_id.split(":")[0]: row for row, trip_id in enumerate(table.trips.trip_ids)}
    trip = np.array([trips[row["trip_id"].split(":")[0]] for row in rows], dtype=np.int32)
    call = np.empty(len(rows), dtype=np.int32)
    for place, (row, number) in enumerate(zip(rows, trip.tolist(), strict=True)):
        calls = table.trips.calls(number)
        (found,) = np.flatnonzero(table.calls.stop_sequence[calls] == int(row["seq"]))
        call[place] = calls.start + found
    arrival_s = np.array([float(row["arr"]) for row in rows])
    return Published(day, trip, call, arrival_s, plan.origin_s(day) + plan.calls.arrival_s[call])


def replay(plan: TracePlan, pings: Sequence[Pings], settings: TraceSettings) -> Read:
    """Replay a whole trace, as users do."""
    run = Replay(plan, settings)
    steps, trips = [], []
    takes: list[Callable[[], Step]] = [*(partial(run.feed, part) for part in pings), run.close]
    for take in takes:
        steps.append(take())
        trips.append(run.trips.at(steps[-1].begun))
    crossings = Crossings(*(np.concatenate(parts) for parts in zip(*(step.crossings for step in steps), strict=True)))
    names = Matched.__dataclass_fields__
    matched = Matched(**{name: np.concatenate([getattr(step.matched, name) for step in steps]) for name in names})
    order = np.lexsort((matched.time_s, matched.performed))
    matched = Matched(**{name: getattr(matched, name)[order] for name in names})
    return Read(plan, settings, joined_trips(trips), matched, crossings)


def crossed(read: Read, published: Published, owner: IntArray) -> Estimate:
    """Arrivals as the replay gives them."""
    visits = stop_visits(read.plan, read.performed, read.crossings, read.settings.known_s)
    known = np.flatnonzero(owner >= 0)
    first = read.plan.calls.start[published.trip[known]]
    row = visits.start[owner[known]] + published.call[known] - first
    found = np.full((2, len(published)), np.nan)
    found[:, known] = visits.arrival_s[row], visits.arrival_gap_s[row]
    return Estimate(*found)


def first_near(read: Read, published: Published, owner: IntArray) -> Estimate:
    """Arrivals as the first ping of the trip within :data:`NEAR_M` of the stop, as the crow flies."""

    def arrival(place: int, rows: slice) -> tuple[float, float]:
        frame = read.plan.lines.frame[read.plan.timetable.trips.pattern[published.trip[place]]]
        lonlat = read.plan.kernel_plan.call_lonlat[published.call[place]]
        east_m = (read.matched.lon[rows] - lonlat[0]) * frame[2]
        near = np.flatnonzero(np.hypot(east_m, (read.matched.lat[rows] - lonlat[1]) * frame[3]) <= NEAR_M)
        return (float(read.matched.time_s[rows][near[0]]), 0.0) if len(near) else (np.nan, np.nan)

    return _by_trip(read, published, owner, arrival)


def globally(read: Read, published: Published, owner: IntArray) -> Estimate:
    """Arrivals where the nearest places on the whole line first pass the stop, straight between two pings."""

    def arrival(place: int, rows: slice) -> tuple[float, float]:
        way_m = nearest_m(read.plan, int(published.trip[place]), read.matched.lon[rows], read.matched.lat[rows])
        time_s, gap_s = first_passed(
            read.matched.time_s[rows], way_m, read.plan.calls.distance_m[published.call[place]]
        )
        return (time_s, gap_s) if gap_s <= read.settings.known_s else (np.nan, gap_s)

    return _by_trip(read, published, owner, arrival)


def nearest_m(plan: TracePlan, trip: int, lon: FloatArray, lat: FloatArray) -> FloatArray:
    """How far along a trip's line its nearest place to each position is, wherever the positions before were."""
    pattern = plan.timetable.trips.pattern[trip]
    frame, corners = plan.lines.frame[pattern], slice(*plan.lines.start[pattern : pattern + 2].tolist())
    points = shapely.points((lon - frame[0]) * frame[2], (lat - frame[1]) * frame[3])
    way_m: FloatArray = shapely.line_locate_point(shapely.LineString(plan.lines.corner_m[corners]), points)
    return way_m


def first_passed(time_s: FloatArray, way_m: FloatArray, at_m: float) -> tuple[float, float]:
    """When a place was first passed, straight between two pings, and the time between these; NaN where it was not."""
    after = np.flatnonzero((way_m[:-1] < at_m) & (way_m[1:] >= at_m))
    if not len(after):
        return np.nan, np.nan
    row = int(after[0])
    gap_s = float(time_s[row + 1] - time_s[row])
    return float(time_s[row]) + gap_s * float((at_m - way_m[row]) / (way_m[row + 1] - way_m[row])), gap_s


def _by_trip(
    read: Read, published: Published, owner: IntArray, arrival: Callable[[int, slice], tuple[float, float]]
) -> Estimate:
    found = np.full((2, len(published)), np.nan)
    for place in np.flatnonzero(owner >= 0).tolist():
        found[:, place] = arrival(place, _rows_of(read, int(owner[place])))
    return Estimate(*found)


def _rows_of(read: Read, performed: int) -> slice:
    """Pings of a performed trip."""
    return slice(*np.searchsorted(read.matched.performed, [performed, performed + 1]).tolist())


def seen_around(read: Read, published: Published) -> tuple[IntArray, FloatArray]:
    """The performed trip on which a vehicle was seen before and after each published arrival, NONE where none was.

    Of several vehicles on a trip that with the least time between the two pings; that time is told as well (s), NaN
    where nobody bridges it.
    """
    rows: dict[tuple[int, int], list[int]] = {}
    for row, one in enumerate(read.performed):
        rows.setdefault((one.trip, one.day), []).append(row)
    owner, silence_s = np.full(len(published), NONE, dtype=np.int32), np.full(len(published), np.nan)
    for place, (trip, arrival_s) in enumerate(zip(published.trip.tolist(), published.arrival_s.tolist(), strict=True)):
        gaps_s = {row: _gap_s(read, row, arrival_s) for row in rows.get((trip, published.day), ())}
        best = min(gaps_s, key=gaps_s.__getitem__, default=NONE)
        if best != NONE and gaps_s[best] <= read.settings.bridge_s:
            owner[place], silence_s[place] = best, gaps_s[best]
    return owner, silence_s


def _gap_s(read: Read, performed: int, moment_s: float) -> float:
    """Time between the pings of a trip before and after a moment, infinite without either."""
    time_s = read.matched.time_s[_rows_of(read, performed)]
    after = int(np.searchsorted(time_s, moment_s))
    return float(time_s[after] - time_s[after - 1]) if 0 < after < len(time_s) else np.inf


def known_errors(published: Published, estimate: Estimate, among: BoolArray) -> Errors:
    """Errors of the known estimates among some arrivals."""
    rows = np.flatnonzero(among & np.isfinite(estimate.arrival_s))
    if not len(rows):
        return Errors(0, *(np.nan,) * 5)
    off_s = estimate.arrival_s[rows] - published.arrival_s[rows]
    classes = [
        _classes(times_s[rows] - published.scheduled_s[rows]) for times_s in (estimate.arrival_s, published.arrival_s)
    ]
    return Errors(
        count=len(rows),
        mean_absolute_s=float(np.abs(off_s).mean()),
        median_s=float(np.median(np.abs(off_s))),
        ninetieth_s=float(np.percentile(np.abs(off_s), 90)),
        mean_s=float(off_s.mean()),
        agreement=float((classes[0] == classes[1]).mean()),
    )


def _classes(deviation_s: FloatArray) -> npt.NDArray[np.integer]:
    """Early, on time or late by the default rule, which is the same at every stop."""
    middle = np.full(len(deviation_s), int(Position.MIDDLE))
    return punctuality(ON_TIME_RULES["default"], middle, deviation_s, np.zeros(len(deviation_s), dtype=np.bool_))


def _tuned(
    tried: Mapping[tuple[float, float], Estimate], published: Published, inside: BoolArray, setup: Setup
) -> Iterator[Measurement]:
    """Errors of zone and dwell that were chosen on four fifths of the trips, on the others; and on the same."""
    chosen, estimate = cross_validated(tried, published, inside, folds_of(published.trip, FOLDS, SEED))
    for fold, (zone_m, dwell_s) in enumerate(chosen, start=1):
        yield Measurement(f"tuned on the other trips, fold {fold}/zone", zone_m, "m")
        yield Measurement(f"tuned on the other trips, fold {fold}/dwell", dwell_s, "s")
    setup.tell(f"zone and dwell by fold: {', '.join(f'{zone_m:g} m {dwell_s:g} s' for zone_m, dwell_s in chosen)}")
    yield from _told("tuned on the other trips", published, estimate, inside, setup)
    best = min(tried, key=lambda key: known_errors(published, tried[key], inside).mean_absolute_s)
    yield from _told(f"tuned on the same trips, {best[0]:g} m, {best[1]:g} s", published, tried[best], inside, setup)


def folds_of(trip: IntArray, folds: int, seed: int) -> IntArray:
    """A fold for each arrival, the same for all of a trip."""
    distinct, place = np.unique(trip, return_inverse=True)
    fold = np.random.default_rng(seed).permutation(len(distinct)) % folds
    found: IntArray = fold[place].astype(np.int32)
    return found


def cross_validated(
    tried: Mapping[tuple[float, float], Estimate], published: Published, among: BoolArray, fold: IntArray
) -> tuple[list[tuple[float, float]], Estimate]:
    """For each fold the settings with the least error on the others, and what these say of it."""
    chosen, found = [], Estimate(*np.full((2, len(published)), np.nan))
    for number in range(int(fold.max()) + 1):
        others, own = among & (fold != number), fold == number
        best = min(tried, key=lambda key: known_errors(published, tried[key], others).mean_absolute_s)
        chosen.append(best)
        found.arrival_s[own], found.gap_s[own] = tried[best].arrival_s[own], tried[best].gap_s[own]
    return chosen, found
