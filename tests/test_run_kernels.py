"""The kernel that keeps vehicles on a run of a repeated trip against its plain twin, whole and in pieces."""

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gtfs.guess_kernels import NONE
from gtfs.run_kernels import Asked, Choices, Ground, keep_runs
from gtfs.trace_kernels import Calendar
from gtfs.trace_state import blank_progress, blank_runs
from tests import search_oracles as twins
from tests.search_oracles import Row, Town
from tests.test_trace_kernels import LIMITS, NAN, Ping, lines_of, pieces, plan_of, samples_of

DAY, BEGIN_S, VEHICLES = 20_515, 28_800, 3
CORNERS = [
    [(0, 0), (1000, 0), (2000, 0)],
    [(0, 0), (800, 0), (800, 800), (0, 800), (0, 0)],  # a loop
]
FRAME = (10.0, 50.0, 111_195.0 * math.cos(math.radians(50.0)), 111_195.0)
LINES = lines_of(CORNERS)[0]._replace(frame=np.array([FRAME] * len(CORNERS)))
LENGTHS_M = (2000, 3200)
RUNS_OF = {0: list(range(12)), 1: list(range(12, 24))}
"""Claims 0 and 1 are of a repeated trip on either line, 2 is of the first run alone."""


def town_of(headway_s):
    """Twelve runs on each line, 8 m/s by timetable."""
    trips = []
    for pattern, length_m in enumerate(LENGTHS_M):
        starts_s, ways_m = range(BEGIN_S, BEGIN_S + 12 * headway_s, headway_s), range(0, length_m + 1, 400)
        trips += [(pattern, [(m, start_s + m / 8, start_s + m / 8) for m in ways_m]) for start_s in starts_s]
    return Town(
        lines=[(np.array(corners, dtype=float), FRAME) for corners in CORNERS],
        trips=trips,
        routes=[0] * 24,
        blocks=[None] * 24,
        days=[{DAY - 1, DAY}] * 24,
        origin_s={day: 86_400.0 * day for day in range(DAY - 2, DAY + 3)},
    )


def place_of(pattern, way_m):
    """Metres east and north of the frame's corner."""
    corners = np.array(CORNERS[pattern], dtype=float)
    ways_m = [0.0, *np.cumsum(np.hypot(*np.diff(corners, axis=0).T))]
    return np.array([np.interp(way_m, ways_m, column) for column in corners.T])


def lonlat(place_m):
    return FRAME[0] + place_m[0] / FRAME[2], FRAME[1] + place_m[1] / FRAME[3]


def by_time(claim, named_day, time_s):
    """What the choice by time alone may give: some run, or none."""
    trip = int(time_s) % 12 + 12 * claim if claim < 2 else 0
    return None if int(time_s) % 7 == 0 and claim < 2 else (trip, DAY if named_day is None else named_day)


def fleet(rng, laps):
    """Vehicles that go along a line, some back the same way, some beside it; they say something else now and then."""
    rows = []
    for vehicle in range(VEHICLES):
        pattern, now_s = int(rng.integers(0, 2)), 86_400.0 * DAY + BEGIN_S + float(rng.integers(-600, 2000))
        for lap in range(laps):
            goes_back = lap % 2 and rng.random() < 0.6
            claim, named_day = pattern, None if rng.random() < 0.8 else int(rng.integers(DAY - 1, DAY + 1))
            way_m, begins_m = 0.0, rng.choice([0.0, 700.0])
            while way_m <= LENGTHS_M[pattern] - begins_m:
                at_m = LENGTHS_M[pattern] - way_m if goes_back else begins_m + way_m
                aside_m = rng.normal(0, rng.choice([4, 300], p=[0.95, 0.05]), 2)
                place_m = np.full(2, NAN) if rng.random() < 0.01 else place_of(pattern, at_m) + aside_m
                says = 2 if rng.random() < 0.02 else claim
                ping = Ping(0, -1, now_s, NAN, *lonlat(place_m), NAN, NAN)
                rows.append(Row(vehicle, ping, says, None, named_day, by_time(says, named_day, now_s)))
                wait_s = float(rng.choice([10, 30, 60, 300, 2400], p=[0.3, 0.47, 0.2, 0.02, 0.01]))
                now_s, way_m = now_s + wait_s, way_m + (8 * wait_s if rng.random() < 0.9 else 0.0)
            now_s += float(rng.choice([30, 400]))
    return sorted(rows, key=lambda row: row.ping.time_s)


def by_kernel(rows, cuts, town):
    """Trip and day of each ping, from pieces."""
    days, span_s = list(town.origin_s), np.array([(calls[0][2], calls[-1][1]) for _, calls in town.trips])
    runs = np.array([[day in runs for day in days] for runs in town.days])
    calendar = Calendar(days[0], np.array(list(town.origin_s.values())), runs, np.arange(24), span_s)
    places = [lonlat(place_of(pattern, call[0])) for pattern, calls in town.trips for call in calls]
    ground = Ground(LINES, plan_of(town.trips, places), calendar, LIMITS)
    choices = Choices(np.array([0, 12, 24, 25]), np.array([*range(24), 0]), np.array([True, True, False]))
    known, progress, found = blank_runs(VEHICLES), blank_progress(VEHICLES), [None] * len(rows)
    for begin, end in cuts:
        part = sorted(range(begin, end), key=lambda k: rows[k].vehicle)
        columns = [
            (r.claim, NONE if r.named_day is None else r.named_day, *(r.serves or (NONE, NONE)))
            for r in map(rows.__getitem__, part)
        ]
        asked = Asked(*np.array(columns, np.int32).reshape(-1, 4).T.copy())
        samples = samples_of([rows[k].ping._replace(performed=rows[k].vehicle) for k in part])
        keep_runs(asked, samples, choices, ground, known, progress)
        for k, trip, day in zip(part, asked.trip.tolist(), asked.day.tolist(), strict=True):
            found[k] = (trip, day) if trip >= 0 else None
    return found


def by_twin(rows, town):
    firsts = [lonlat(place_of(pattern, 0.0)) for pattern in range(2)]
    return twins.keep_runs(rows, town, RUNS_OF, firsts, LIMITS)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**32 - 1), st.integers(0, 4), st.sampled_from([120, 300, 900]))
def test_it_is_its_twin_whole_and_in_pieces(seed, laps, headway_s):
    rng, town = np.random.default_rng(seed), town_of(headway_s)
    rows = fleet(rng, laps)
    expected = by_twin(rows, town)
    assert by_kernel(rows, [(0, len(rows))], town) == expected
    assert by_kernel(rows, pieces(rng, len(rows)), town) == expected
    assert by_kernel(rows, [(k, k + 1) for k in range(len(rows))], town) == expected


def test_where_nothing_moves_and_where_no_place_is_told_one_run_is_kept():
    town = town_of(300)
    for place_m, run in (((0.0, 0.0), 2), ((NAN, NAN), 5)):  # 08:11 is nearest to 08:10; else what time told at first
        pings = [
            Ping(0, -1, 86_400.0 * DAY + BEGIN_S + 660 + 20 * k, NAN, *lonlat(place_m), NAN, NAN) for k in range(60)
        ]
        rows = [Row(0, ping, 0, None, None, (5 + k % 3, DAY)) for k, ping in enumerate(pings)]
        assert by_kernel(rows, [(0, 60)], town) == by_twin(rows, town) == [(run, DAY)] * 60


def test_nothing_comes_of_nothing():
    assert by_kernel([], [(0, 0)], town_of(300)) == []
