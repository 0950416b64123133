"""The kernel that gives trips to vehicles which name none against its plain twin, whole and in pieces."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gtfs.guess_kernels import NONE, Patience
from gtfs.line_index import line_index
from gtfs.search_kernels import Named, Odds, Roll, Said, World, go_over
from gtfs.trace_kernels import Calendar
from gtfs.trace_settings import TraceSettings
from gtfs.trace_state import blank_progress, blank_search
from tests import search_oracles as twins
from tests.search_oracles import NOTHING, Row, Town
from tests.test_trace_kernels import NAN, Ping, lines_of, pieces, plan_of, samples_of

RULES = TraceSettings()
DAY = 20_515
VEHICLES = 3
CORNERS = [
    [(0, 0), (1500, 0), (3000, 0)],
    [(0, 0), (1500, 0), (1500, 1500)],  # the same street at first
    [(3000, 0), (1500, 0), (0, 0)],
]
FRAME = (10.0, 50.0, 111_195.0 * math.cos(math.radians(50.0)), 111_195.0)
"""Metres are metres here, as the way along a line is held against the way from ping to ping."""
LINES = lines_of(CORNERS)[0]._replace(frame=np.array([FRAME] * len(CORNERS)))
PLAIN_LINES = [(np.array(corners, dtype=float), FRAME) for corners in CORNERS]
LENGTH_M = 3000.0
PACE_MPS = 8.0


def town_of(rng):
    """Trips on the three lines at 8 m/s with stops each 500 m, some minutes apart; two routes, some blocks."""
    starts_s = 28_800 + 60 * np.sort(rng.integers(0, 150, 9))
    trips = []
    for start_s in starts_s.tolist():
        pattern = int(rng.integers(0, 3))
        trips.append((pattern, [(m, start_s + m / PACE_MPS, start_s + m / PACE_MPS) for m in range(0, 3001, 500)]))
    return Town(
        lines=PLAIN_LINES,
        trips=trips,
        routes=[0 if pattern == 0 else 1 for pattern, _ in trips],
        blocks=[None if block == 2 else int(block) for block in rng.integers(0, 3, 9)],
        days=[{DAY - 1, DAY} if rng.random() < 0.8 else {DAY + 1} for _ in trips],
        origin_s={day: 86_400.0 * day for day in range(DAY - 2, DAY + 3)},
    )


def world_of(town):
    """The town as the kernel takes it."""
    span_s = np.array([(calls[0][2], calls[-1][1]) for _, calls in town.trips])
    by_start, days = np.argsort(span_s[:, 0], kind="stable"), list(town.origin_s)
    plan = plan_of(town.trips, [(0.0, 0.0) for _, calls in town.trips for _ in calls])
    return World(
        lines=LINES,
        plan=plan,
        nearby=line_index(LINES),
        calendar=Calendar(
            days[0],
            np.array(list(town.origin_s.values())),
            np.array([[day in runs for day in days] for runs in town.days]),
            np.arange(len(town.trips)),
            span_s,
        ),
        roll=Roll(
            by_start,
            span_s[by_start, 0],
            float(np.diff(span_s).max()),
            np.array(town.routes),
            np.array([NONE if block is None else block for block in town.blocks]),
        ),
        limits=RULES.limits,
        patience=Patience(**{name: float(getattr(RULES, name)) for name in Patience._fields}),
        odds=Odds(**{name: float(getattr(RULES, name)) for name in Odds._fields}),
        only_day=NONE,
    )


def by_kernel(rows, cuts, town):
    """Trip, day and evidence of each ping, from pieces; those that are not final wait for the next piece."""
    world, search, progress = world_of(town), blank_search(VEHICLES), blank_progress(VEHICLES)
    named, waiting, found = namings(rows, len(town.trips)), [], [NOTHING] * len(rows)
    for begin, end in cuts:
        part = sorted([*waiting, *range(begin, end)], key=lambda k: rows[k].vehicle)
        said = said_of([rows[k] for k in part], np.array([k >= begin for k in part], np.bool_))
        samples = samples_of([rows[k].ping._replace(performed=rows[k].vehicle) for k in part])
        go_over(said, samples, world, search, progress, named)
        told = list(zip(said.trip.tolist(), said.day.tolist(), said.evidence.tolist(), strict=True))
        for k, one, is_final in zip(part, told, said.is_final, strict=True):
            found[k] = one if is_final else NOTHING
        waiting = [k for k, is_final in zip(part, said.is_final, strict=True) if not is_final]
    return found


def namings(rows, trips):
    """When vehicles first named trips."""
    first = {}
    for row in rows:
        if row.serves is not None:
            first.setdefault((row.serves[1] * trips + row.serves[0], row.vehicle), row.ping.time_s)
    keys = sorted(first)
    vehicle = np.array([who for _, who in keys], np.int32)
    return Named(np.array([key for key, _ in keys], np.int64), vehicle, np.array([first[key] for key in keys]))


def said_of(rows, is_new):
    """What pings say, as the kernel takes it."""
    serves = [row.serves or (NONE, NONE) for row in rows]
    columns = (
        [row.vehicle for row in rows],
        [row.claim for row in rows],
        [NONE if row.route is None else row.route for row in rows],
        [NONE if row.named_day is None else row.named_day for row in rows],
    )
    vehicle, claim, route, named = (np.array(column, np.int32) for column in columns)
    trip, day = np.array(serves, np.int32).reshape(-1, 2).T.copy()
    return Said(
        vehicle,
        claim,
        route,
        named,
        is_new,
        trip,
        day,
        np.full(len(rows), NONE, np.int8),
        np.empty(len(rows), np.bool_),
    )


def place_of(pattern, way_m):
    """Metres east and north of the frame's corner."""
    corners = np.array(CORNERS[pattern], dtype=float)
    ways_m = [0.0, *np.cumsum(np.hypot(*np.diff(corners, axis=0).T))]
    return np.array([np.interp(way_m, ways_m, column) for column in corners.T])


def row_of(vehicle, place_m, time_s, **said):
    """A ping that says what is given."""
    lon, lat = FRAME[0] + place_m[0] / FRAME[2], FRAME[1] + place_m[1] / FRAME[3]
    words = {"claim": 0, "route": None, "named_day": None, "serves": None} | said
    return Row(vehicle, Ping(0, -1, float(time_s), NAN, lon, lat, NAN, NAN), **words)


def words_of(rng, trip):
    """What a vehicle on a trip says: mostly nothing; its trip, its route or another one, or the day."""
    kind = rng.choice(["nothing", "trip", "route", "day"], p=[0.55, 0.2, 0.15, 0.1])
    if kind == "trip":
        return {"claim": 10 + trip, "serves": (trip, DAY)}
    if kind == "route":
        route = int(rng.integers(0, 2))
        return {"claim": 1 + route, "route": route}
    return {"named_day": int(rng.integers(DAY - 1, DAY + 2))} if kind == "day" else {}


def fleet(rng, town, legs):
    """Vehicles that drive trips about their times; off the line, silent, standing or nowhere now and then."""
    rows = []
    for vehicle in range(VEHICLES):
        now_s = 0.0
        for trip in np.sort(rng.integers(0, len(town.trips), legs)).tolist():
            pattern, calls = town.trips[trip]
            now_s = max(now_s, calls[0][2] + 86_400.0 * DAY + rng.normal(60, 200))
            said, way_m = words_of(rng, trip), 0.0
            while way_m < LENGTH_M:
                aside_m = rng.normal(0, rng.choice([4, 200], p=[0.97, 0.03]), 2)
                place_m = np.full(2, NAN) if rng.random() < 0.003 else place_of(pattern, way_m) + aside_m
                rows.append(row_of(vehicle, place_m, now_s, **said))
                wait_s = float(rng.choice([10, 20, 30, 200, 400, 2000], p=[0.2, 0.4, 0.384, 0.01, 0.004, 0.002]))
                now_s += wait_s
                way_m += rng.normal(PACE_MPS, 1) * wait_s if rng.random() < 0.9 else 0.0
                said = words_of(rng, trip) if rng.random() < 0.03 else said
    return sorted(rows, key=lambda row: row.ping.time_s)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**32 - 1), st.integers(0, 4))
def test_it_is_its_twin_whole_and_in_pieces(seed, legs):
    rng = np.random.default_rng(seed)
    town = town_of(rng)
    rows = fleet(rng, town, legs)
    expected = twins.go_over(rows, town, RULES)
    assert by_kernel(rows, [(0, len(rows))], town) == expected
    assert by_kernel(rows, pieces(rng, len(rows)), town) == expected
    if len(rows) < 150:
        assert by_kernel(rows, list(pairwise(range(len(rows) + 1))), town) == expected


def test_the_twin_is_tried_where_it_gives_trips_by_line_and_by_block_and_where_it_does_not():
    found = []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        town = town_of(rng)
        rows = fleet(rng, town, 4)
        found += [one for row, one in zip(rows, twins.go_over(rows, town, RULES), strict=True) if row.serves is None]
    for evidence in (twins.BY_GEOMETRY, twins.BY_BLOCK):
        assert sum(one[2] == evidence for one in found) > 20
    assert sum(one[0] >= 0 and one[2] < 0 for one in found) > 50  # on from there
    assert found.count(NOTHING) > 100


@pytest.mark.parametrize(("x_m", "time_s"), [(0.0, 0.0), (1500.0, 0.0), (NAN, 0.0), (NAN, 20.0), (0.0, 20.0)])
def test_constant_and_broken_input_gives_nothing(x_m, time_s):
    town = town_of(np.random.default_rng(0))
    rows = [row_of(0, (x_m, 0.0), 86_400.0 * DAY + 30_000 + time_s * k) for k in range(60)]
    assert by_kernel(rows, [(0, 60)], town) == twins.go_over(rows, town, RULES) == [NOTHING] * 60


def test_nothing_comes_of_nothing():
    assert by_kernel([], [(0, 0)], town_of(np.random.default_rng(0))) == []
