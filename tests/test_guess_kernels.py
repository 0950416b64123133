"""The kernels that find trips of vehicles which name none against their plain twins, whole and in pieces."""

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gtfs import guess_kernels as kernels
from gtfs.guess_kernels import NONE, Patience, Tried
from gtfs.line_index import REACH_M, line_index
from gtfs.trace_settings import TraceSettings
from gtfs.trace_state import blank_progress, blank_search
from tests import guess_oracles as twins
from tests.test_trace_kernels import LIMITS, NAN, World, lines_of, pieces, samples_of
from tests.trace_oracles import Matcher

RULES = TraceSettings()
PATIENCE = Patience(**{name: float(getattr(RULES, name)) for name in Patience._fields})
seeds = st.integers(0, 2**32 - 1)
quick = settings(deadline=None, max_examples=40)


def vehicle_pings(rng, world, count):
    """Pings of one vehicle in order of time, on trips or off them."""
    rows = [ping._replace(performed=0) for ping in world.pings(rng, count) if world.trips[ping.trip][1]]
    if rng.random() < 0.3:  # one that stands a lot
        rows = [rows[k] for k in np.sort(rng.integers(0, len(rows), len(rows)))] if rows else rows
    clocks = np.cumsum(rng.choice([5, 20, 40, 70, 320, 2000], len(rows), p=[0.3, 0.3, 0.2, 0.17, 0.02, 0.01]))
    begin_s = world.trips[0][1][0][2] - 300
    return [p._replace(time_s=t + begin_s + 5000.0, clock_s=t + begin_s) for p, t in zip(rows, clocks, strict=True)]


def lonlat(pings):
    return [(ping.lon, ping.lat) for ping in pings]


def near_by_twin(pings, world):
    course = twins.courses(lonlat(pings), 25.0)
    return [
        [twins.first_near_m(p, c, line, 60.0) for p, c in zip(lonlat(pings), course, strict=True)]
        for line in world.plain_lines
    ]


def near_by_kernel(pings, lines):
    samples, row = samples_of(pings), np.arange(len(lines.start) - 1)
    near = np.empty((len(row), len(pings)))
    return kernels.lines_near(samples, kernels.courses(samples, 25.0), line_index(lines), row, lines, 60.0, near)


@quick
@given(seeds, st.integers(0, 60))
def test_courses_and_lines_near_are_their_twins(seed, count):
    rng = np.random.default_rng(seed)
    world = World(rng)
    pings = world.pings(rng, count)
    expected = np.reshape(twins.courses(lonlat(pings), 25.0), (-1, 2))
    np.testing.assert_allclose(kernels.courses(samples_of(pings), 25.0), expected, rtol=0, atol=1e-9)
    expected = np.reshape(near_by_twin(pings, world), (len(world.plain_lines), -1))
    np.testing.assert_allclose(near_by_kernel(pings, world.lines), expected, rtol=0, atol=1e-6)


def test_lines_near_leaves_out_what_is_not_asked_for_and_what_is_no_place():
    rng = np.random.default_rng(0)
    world = World(rng)
    pings = [ping._replace(lon=NAN) for ping in world.pings(rng, 8)]
    assert np.isinf(near_by_kernel(pings, world.lines)).all()
    good = samples_of(world.pings(rng, 8))
    course, nothing = kernels.courses(good, 25.0), np.full(4, NONE)
    out = np.empty((0, 8))
    assert kernels.lines_near(good, course, line_index(world.lines), nothing, world.lines, 60.0, out).shape == (0, 8)


def test_a_line_reaches_as_far_as_it_says():
    lines, _ = lines_of([np.array([[0.0, 0.0], [700.0, 430.0], [700.0, 430.0], [1400.0, 0.0]])])
    index = line_index(lines)
    rng = np.random.default_rng(1)
    for _ in range(300):
        share, aside_m = rng.random(), rng.uniform(-REACH_M, REACH_M)
        unit = np.array([700.0, 430.0]) / math.hypot(700, 430)
        x_m, y_m = share * np.array([700.0, 430.0]) + aside_m * np.array([-unit[1], unit[0]])
        lon, lat = lines.frame[0, 0] + x_m / lines.frame[0, 2], lines.frame[0, 1] + y_m / lines.frame[0, 3]
        cell = math.floor(lat * index.per_degree[1]) * kernels.STRIDE + math.floor(lon * index.per_degree[0])
        place = np.searchsorted(index.cell, cell)
        assert index.cell[place] == cell
        assert 0 in index.corner[index.start[place] : index.start[place + 1]]
    assert len(line_index(lines_of([])[0]).cell) == 0


@quick
@given(seeds, st.integers(0, 60))
def test_fits_are_their_twins(seed, count):
    rng = np.random.default_rng(seed)
    world = World(rng)
    pings = vehicle_pings(rng, world, count)
    trips = [row for row, (_, calls) in enumerate(world.trips) if calls]
    near = near_by_kernel(pings, world.lines)
    tried = Tried(np.array(trips), np.full(len(trips), 5000.0), world.plan.pattern[trips], near)
    counts, measures = np.empty((len(trips), 4), np.int32), np.empty((len(trips), 4))
    progress = blank_progress(len(trips))
    kernels.fit_trips(samples_of(pings), tried, world.lines, world.plan, LIMITS, progress, counts, measures)
    for row, trip in enumerate(trips):
        pattern, calls = world.trips[trip]
        served = [ping._replace(trip=trip) for ping in pings]
        expected = twins.fit(
            lambda: Matcher(world.plain_lines, world.trips, LIMITS), calls, served, near[pattern], LIMITS
        )
        assert counts[row].tolist() == expected[0]
        np.testing.assert_allclose(measures[row], expected[1], rtol=0, atol=1e-6)


def waited(pings, cuts):
    """First ping that waits and whether to look, after each ping."""
    samples, search = samples_of(pings), blank_search(1)
    front, found = 0, []
    for begin, end in cuts:
        row = begin
        while row < end:
            row, front, come_to = kernels.wait(front, (row, end), samples, 0, search, PATIENCE)
            found.append((row, front, come_to == kernels.LOOK))
    return found


@quick
@given(seeds, st.integers(0, 120))
def test_waiting_is_its_twin(seed, count):
    rng = np.random.default_rng(seed)
    pings = vehicle_pings(rng, World(rng), count)
    expected = [(row + 1, front, looks) for row, (front, looks) in enumerate(twins.waits(pings, PATIENCE))]
    assert waited(pings, [(k, k + 1) for k in range(len(pings))]) == expected
    looks = [one for one in expected if one[2]]
    assert [one for one in waited(pings, [(0, len(pings))]) if one[2]] == looks
    assert [one for one in waited(pings, pieces(rng, len(pings))) if one[2]] == looks


def test_one_that_stands_keeps_its_last_ping_alone():
    rng = np.random.default_rng(3)
    ping = World(rng).pings(rng, 4)[0]
    parked = [ping._replace(time_s=20.0 * k, performed=0) for k in range(50)]
    assert waited(parked, [(0, 50)]) == [(50, 49, False)]


@quick
@given(seeds, st.integers(0, 120))
def test_following_is_its_twin(seed, count):
    rng = np.random.default_rng(seed)
    world = World(rng)
    trip = int(rng.integers(0, 5))
    pings = [ping._replace(trip=trip) for ping in vehicle_pings(rng, world, count)]
    expected = twins.follow(
        Matcher(world.plain_lines, world.trips, LIMITS), world.trips[trip][1], pings, LIMITS, PATIENCE
    )
    for cuts in ([(0, len(pings))], [(k, k + 1) for k in range(len(pings))]):
        search, progress, total, come_to = blank_search(1), blank_progress(1), 0, kernels.STAYS
        search.on_s[0] = pings[0].time_s if pings else NAN
        for begin, end in cuts:
            part = samples_of(pings[begin:end])
            taken, come_to = kernels.follow(part, 0, world.lines, world.plan, LIMITS, PATIENCE, search, progress)
            total += taken
            if come_to != kernels.STAYS:
                break
        assert (total, come_to) == expected
