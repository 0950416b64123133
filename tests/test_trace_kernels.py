"""The trace kernels against their plain twins, over random, empty, constant and broken input, whole and in pieces."""

from itertools import chain, pairwise
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gtfs import crossing_kernels, match_kernels
from gtfs import screen_kernels as screens
from gtfs import trace_kernels as kernels
from gtfs.trace_kernels import Calendar, Crossings, Lines, Plan, Samples
from gtfs.trace_settings import TraceSettings
from gtfs.trace_state import blank_fixes, blank_passage, blank_progress, blank_tails
from tests import trace_oracles as twins

LIMITS = TraceSettings().limits
NAN, INF = float("nan"), float("inf")
seeds = st.integers(0, 2**32 - 1)
quick = settings(deadline=None, max_examples=60)


class Ping(NamedTuple):
    """A row of :class:`gtfs.trace_kernels.Samples`."""

    performed: int
    trip: int
    time_s: float
    clock_s: float
    lon: float
    lat: float
    heading_deg: float
    speed_mps: float


def pieces(rng, count):
    """Random cuts of so many pings, empty pieces among them."""
    cuts = sorted(rng.integers(0, count + 1, rng.integers(0, 6)).tolist())
    return list(pairwise([0, *cuts, count]))


# admit, order_by_vehicle


def admitted(vehicle, time_s, hold_s, cuts, ahead_s=1800.0):
    newest_s, doubted_s = np.full(8, -np.inf), np.full(8, NAN)
    parts = [
        screens.admit(vehicle[a:b], time_s[a:b], hold_s, ahead_s, newest_s, doubted_s, np.empty(b - a, np.bool_))
        for a, b in cuts
    ]
    return list(chain(*(part.tolist() for part in parts)))


@quick
@given(seeds, st.integers(0, 60), st.sampled_from([0.0, 10.0, 60.0]), st.sampled_from([20.0, 80.0, 1800.0]))
def test_admit_is_its_twin(seed, count, hold_s, ahead_s):
    rng = np.random.default_rng(seed)
    vehicle, time_s = rng.integers(0, 4, count), rng.integers(0, 200, count).astype(float)
    found = admitted(vehicle, time_s, hold_s, pieces(rng, count), ahead_s)
    assert found == twins.admit(vehicle, time_s, hold_s, ahead_s)


def test_admit_by_hand():
    # 100 s is the newest; 40 s comes exactly the hold after it, 39 s too late; the other vehicle has its own clock
    vehicle, time_s = np.array([0, 0, 0, 1, 0, 0]), np.array([100.0, 40.0, 39.0, 1.0, 101.0, 40.5])
    assert admitted(vehicle, time_s, 60.0, [(0, 6)]) == [True, True, False, True, True, False]
    assert admitted(vehicle[:3] * 0, np.full(3, 7.0), 0.0, [(0, 3)]) == [True] * 3
    assert admitted(np.zeros(1, int), np.array([NAN]), 60.0, [(0, 1)]) == [False]


def test_a_clock_that_jumps_ahead_once_makes_nobody_late():
    # the third ping says a day too much; a real silence of a day is believed with the second ping after it
    time_s = np.array([0.0, 30.0, 86_430.0, 60.0, 90.0])
    assert admitted(np.zeros(5, int), time_s, 60.0, [(0, 5)]) == [True] * 5
    time_s = np.array([0.0, 30.0, 86_430.0, 86_460.0, 90.0])
    assert admitted(np.zeros(5, int), time_s, 60.0, [(0, 5)]) == [True] * 4 + [False]


@quick
@given(seeds, st.integers(0, 50))
def test_trail_is_its_twin(seed, count):
    rng = np.random.default_rng(seed)
    vehicle, performed = np.sort(rng.integers(0, 3, count)), rng.integers(-1, 3, count)
    time_s = rng.integers(0, 60, count).cumsum().astype(float)
    tails = blank_tails(3)
    parts = [
        screens.trail(vehicle[a:b], performed[a:b], time_s[a:b], 100.0, tails, np.empty(b - a, np.int32)).tolist()
        for a, b in pieces(rng, count)
    ]
    assert list(chain(*parts)) == twins.trail(vehicle, performed, time_s, 100.0)


@quick
@given(seeds, st.integers(0, 60))
def test_order_by_vehicle_is_a_stable_sort(seed, count):
    rng = np.random.default_rng(seed)
    vehicle, rank = rng.integers(0, 4, count), rng.integers(0, 2, count)
    time_s, lat, lon = rng.integers(0, [[5], [2], [2]], (3, count)).astype(float)
    order = screens.order_by_vehicle(vehicle, time_s, lat, lon, rank)
    assert order.tolist() == twins.order_by_vehicle(vehicle, time_s, lat, lon, rank)


def test_order_by_vehicle_of_nothing_of_one_place_and_of_no_numbers():
    none = np.empty(0)
    assert screens.order_by_vehicle(np.empty(0, int), none, none, none, np.empty(0, int)).tolist() == []
    same = np.zeros(5)
    assert screens.order_by_vehicle(np.zeros(5, int), same, same, same, np.zeros(5, int)).tolist() == [
        0,
        1,
        2,
        3,
        4,
    ]
    broken = np.array([2.0, NAN, 1.0, NAN])
    order = screens.order_by_vehicle(np.zeros(4, int), broken, same[:4], same[:4], np.zeros(4, int))
    assert sorted(order.tolist()) == [0, 1, 2, 3]


# screen


def screened(vehicle, time_s, lon, lat, cuts):
    fixes = blank_fixes(4)
    parts = [
        screens.screen(vehicle[a:b], time_s[a:b], lon[a:b], lat[a:b], fixes, LIMITS, np.empty(b - a, np.int8)).tolist()
        for a, b in cuts
    ]
    return list(chain(*parts))


@quick
@given(seeds, st.integers(0, 60))
def test_screen_is_its_twin(seed, count):
    rng = np.random.default_rng(seed)
    vehicle = np.sort(rng.integers(0, 4, count))
    time_s = np.cumsum(rng.choice([0.0, 1.0, 4.0, 5.0, 30.0], count))
    lon, lat = rng.choice([0.0, 0.001, 0.02, 0.0205], (2, count)) + rng.uniform(0, 1e-4, (2, count)) + 45
    found = screened(vehicle, time_s, lon, lat, pieces(rng, count))
    assert found == twins.screen(vehicle, time_s, lon, lat, LIMITS)


K, D, J = kernels.KEPT, kernels.DUPLICATE, kernels.JUMP


@pytest.mark.parametrize(
    ("pings", "expected"),
    [
        # time and thousandths of a degree (111.195 m) to the north; 31.3 m/s allow 939 m in 30 s
        ([(0, 0), (30, 8.4), (60, 16.8)], [K, K, K]),
        ([(0, 0), (30, 8.5), (60, 0)], [K, J, K]),  # one outlier
        ([(0, 0), (30, 100), (60, 100.1), (90, 100.2)], [K, J, K, K]),  # it really is there: the next one says so
        ([(0, 0), (30, 100), (60, 1), (90, 100)], [K, J, K, J]),  # an outlier twice is not confirmed by being so
        ([(0, 0), (30, 100), (60, 50), (90, 50)], [K, J, J, K]),
        ([(0, 0), (4.9, 0), (5, 0), (5, 0)], [K, D, K, D]),
        ([(0, 0), (30, 100), (30, 100), (60, 1)], [K, J, D, K]),  # a message sent twice is no second witness
        ([(0, 0), (30, 100), (34, 100), (36, 100)], [K, J, D, K]),
        ([(0, 0), (0, 0), (0, 0)], [K, D, D]),
    ],
)
def test_screen_by_hand(pings, expected):
    time_s, north = np.array(pings, dtype=float).T
    vehicle = np.zeros(len(pings), int)
    assert screened(vehicle, time_s, np.zeros(len(pings)), north / 1000, [(0, len(pings))]) == expected


def test_what_screen_cannot_measure_is_kept():
    broken = np.array([NAN, 0.0, NAN])
    assert screened(np.zeros(3, int), np.array([0.0, 30.0, 60.0]), broken, np.zeros(3), [(0, 3)]) == [K, K, K]


# choose_trips

SPANS_S = np.array([[8, 9], [8.5, 9.5], [23, 25], [0, 1], [8, 9]]) * 3600.0
SERVICE = np.array([0, 0, 0, 0, 1])
CANDIDATES = [[0], [0, 1], [2], [3, 2], [4, 0], [1, 4, 0], []]


def origins_s(first, count):
    """Days in New York around 8 March 2026, day 20520 since 1970, when the clock loses an hour: 5 h, then 4 h."""
    return {day: day * 86_400.0 + (5 if day < 20_520 else 4) * 3600 for day in range(first, first + count)}


def chosen(meaning, day, time_s, first, count):
    origin_of_day = origins_s(first, count)
    runs = np.array([[True] * count, [number % 7 == 0 for number in origin_of_day]])
    start = np.cumsum([0, *map(len, CANDIDATES)])
    calendar = Calendar(first, np.array(list(origin_of_day.values())), runs, SERVICE, SPANS_S)
    flat = np.array(list(chain(*CANDIDATES)))
    return screens.choose_trips(meaning, day, time_s, start, flat, calendar, np.empty((len(meaning), 2), np.int32))


@quick
@given(seeds, st.integers(0, 40), st.integers(20_513, 20_516), st.integers(0, 5))
def test_choose_trips_is_its_twin_whichever_days_the_calendar_begins_with(seed, count, first, more):
    rng = np.random.default_rng(seed)
    meaning = rng.integers(-1, len(CANDIDATES), count)
    day = np.where(rng.random(count) < 0.4, rng.integers(20_512, 20_526, count), -1)
    time_s = rng.integers(20_519 * 96, 20_522 * 96, count) * 900.0
    found = chosen(meaning, day, time_s, first, 10 + more).tolist()
    expected = twins.choose_trips(
        meaning,
        day,
        time_s,
        CANDIDATES,
        origins_s(20_510, 20),
        lambda trip, number: SERVICE[trip] == 0 or number % 7 == 0,
        SPANS_S.tolist(),
        6 * 3600.0,
    )
    assert found == [list(pair) for pair in expected]


@pytest.mark.parametrize(
    ("meaning", "day", "clock_h", "expected"),
    [
        (0, -1, 8.5, (0, 20_515)),
        (1, -1, 8.75, (1, 20_515)),  # both are under way: the last to have left
        (1, -1, 8.25, (0, 20_515)),
        (1, -1, 12.0, (1, 20_515)),
        (2, -1, 0.5, (2, 20_514)),  # 24:30 of the day before
        (3, -1, 0.5, (3, 20_515)),  # both fit, 00:30 left later than 23:00
        (3, 20_514, 0.5, (2, 20_514)),
        (3, 20_513, 0.5, (-1, -1)),  # a clock of 48:30
        (0, 20_518, 8.5, (-1, -1)),  # three days ahead
        (0, 20_515, 21.0, (0, 20_515)),  # twelve hours after its arrival
        (0, 20_515, 21.1, (-1, -1)),
        (0, 20_516, 20.0, (0, 20_516)),  # twelve hours before its departure
        (0, 20_516, 19.9, (-1, -1)),
        (4, -1, 8.5, (0, 20_515)),  # the first of the two does not run on that day
        (-1, -1, 8.5, (-1, -1)),
        (6, -1, 8.5, (-1, -1)),
    ],
)
def test_choose_trips_by_hand(meaning, day, clock_h, expected):
    time_s = np.array([origins_s(20_515, 1)[20_515] + clock_h * 3600])
    found = chosen(np.array([meaning]), np.array([day]), time_s, 20_512, 10)
    assert tuple(found[0].tolist()) == expected


def test_choose_trips_of_nothing():
    none = np.empty(0, int)
    assert chosen(none, none, np.empty(0), 20_512, 5).shape == (0, 2)


# match_pings, cross_calls

FRAME = (10.0, 50.0, 1000.0, 2000.0)


def lines_of(parts):
    """Lines of patterns, corners in metres from the frame's origin, and the plain form."""
    corners = [np.array(part, dtype=float).reshape(-1, 2) for part in parts]
    step = [np.diff(part, axis=0, append=part[-1:]) for part in corners]
    length = [np.hypot(*part.T)[:, None] for part in step]
    unit = [np.divide(s, m, out=np.zeros_like(s), where=m > 0) for s, m in zip(step, length, strict=True)]
    way_m = [np.concatenate(([0.0], np.cumsum(m[:-1, 0])))[: len(m)] for m in length]
    return Lines(
        start=np.cumsum([0, *map(len, corners)]),
        corner_m=np.concatenate([np.empty((0, 2)), *corners]),
        unit=np.concatenate([np.empty((0, 2)), *unit]),
        way_m=np.concatenate([np.empty(0), *way_m]),
        frame=np.array([FRAME] * len(parts)).reshape(-1, 4),
    ), [(part, FRAME) for part in corners]


def plan_of(trips, call_lonlat):
    """Trips (pattern, [(way, arrival, departure)])."""
    calls = [call for _, part in trips for call in part]
    return Plan(
        pattern=np.array([pattern for pattern, _ in trips]),
        call_start=np.cumsum([0, *(len(part) for _, part in trips)]),
        call_way_m=np.array([call[0] for call in calls], dtype=float),
        call_time_s=np.array([call[1:] for call in calls], dtype=float).reshape(-1, 2),
        call_lonlat=np.array(call_lonlat, dtype=float).reshape(-1, 2),
    )


class World:
    """Random lines with corners that double back, trips along them, and vehicles that mostly keep to them."""

    def __init__(self, rng):
        walks = [np.cumsum(rng.normal(0, 400, (rng.integers(2, 9), 2)), axis=0) for _ in range(3)]
        walks.append(np.concatenate((walks[0], walks[0][-2::-1])))  # out and back the same street
        self.lines, self.plain_lines = lines_of(walks)
        length_m = [self.lines.way_m[end - 1] for end in self.lines.start[1:]]
        self.trips, lonlat = [], []
        for trip in range(6):
            pattern = trip % len(walks)
            ways_m = np.sort(rng.uniform(0, length_m[pattern], 0 if trip == 5 else rng.integers(1, 25)))
            times_s = np.cumsum(rng.integers(0, 90, 2 * len(ways_m)))
            self.trips.append((pattern, list(zip(ways_m, times_s[::2], times_s[1::2], strict=True))))
            lonlat += [self.lonlat(pattern, way_m, rng.normal(0, 20, 2)) for way_m in ways_m]
        self.plan = plan_of(self.trips, lonlat)
        self.call_lonlat = lonlat

    def _place_m(self, pattern, way_m):
        rows = slice(*self.lines.start[pattern : pattern + 2])
        return [np.interp(way_m, self.lines.way_m[rows], column) for column in self.lines.corner_m[rows].T]

    def lonlat(self, pattern, way_m, aside_m):
        """Degrees of a place along a line, moved aside."""
        x_m, y_m = np.add(self._place_m(pattern, way_m), aside_m)
        return FRAME[0] + x_m / FRAME[2], FRAME[1] + y_m / FRAME[3]

    def pings(self, rng, count):
        """Vehicles one after another, each on a trip; some pings far off, after long silences, or of no trip."""
        rows = []
        for performed in range(4):
            trip = int(rng.integers(0, 6))
            pattern, calls = self.trips[trip]
            now_s = (calls[0][2] if calls else 0.0) + rng.integers(-900, 300)
            way_m = 0.0
            for _ in range(count // 4):
                wait_s = float(rng.choice([5, 15, 30, 60, 119, 125, 1900], p=[0.2, 0.2, 0.3, 0.1, 0.1, 0.08, 0.02]))
                now_s += wait_s
                way_m += rng.uniform(-2, 12) * wait_s
                aside_m = rng.normal(0, rng.choice([3, 15, 150], p=[0.5, 0.3, 0.2]), 2)
                lon, lat = self.lonlat(pattern, way_m, aside_m)
                nobody = rng.random() < 0.05
                heading = rng.choice([NAN, rng.uniform(0, 360)])
                rows.append(
                    Ping(
                        -1 if nobody else performed,
                        -1 if nobody else trip,
                        now_s + 5000.0,
                        now_s,
                        lon,
                        lat,
                        heading,
                        rng.choice([NAN, 0.0, 1.5, 9.0]),
                    )
                )
        return rows


def samples_of(pings):
    columns = list(zip(*pings, strict=True)) or [()] * len(Samples._fields)
    whole, real = columns[:2], columns[2:]
    return Samples(*(np.array(c, dtype=np.int32) for c in whole), *(np.array(c, dtype=float) for c in real))


def read_trace(pings, lines, plan, cuts, limits=LIMITS):
    """Way, distance and verdict of each ping, and the crossings, from pieces."""
    progress, passage = blank_progress(8), blank_passage(8)
    columns, crossings = [], []
    for a, b in cuts:
        samples = samples_of(pings[a:b])
        way_m, off_m, found = np.empty(b - a), np.empty(b - a), np.empty(b - a, np.int8)
        match_kernels.match_pings(samples, lines, plan, limits, progress, way_m, off_m, found)
        crossings.append(crossing_kernels.cross_calls(samples, way_m, found, lines, plan, limits, passage, progress))
        columns.append((way_m, off_m, found))
    joined = [np.concatenate(part) for part in zip(*columns, strict=True)]
    return *joined, Crossings(*(np.concatenate(part) for part in zip(*crossings, strict=True)))


@settings(deadline=None, max_examples=40)
@given(seeds, st.sampled_from([0, 4, 100]))
def test_matching_and_crossing_are_their_twins(seed, count):
    rng = np.random.default_rng(seed)
    world = World(rng)
    pings = world.pings(rng, count)
    way_m, off_m, found, crossings = read_trace(pings, world.lines, world.plan, pieces(rng, len(pings)))
    twin = twins.Matcher(world.plain_lines, world.trips, LIMITS)
    expected = [twin.match(ping) for ping in pings]
    assert found.tolist() == [kind for kind, _, _ in expected]
    np.testing.assert_allclose(way_m, [way for _, way, _ in expected], rtol=0, atol=1e-6)
    np.testing.assert_allclose(off_m, [off for _, _, off in expected], rtol=0, atol=1e-6)
    starts = world.plan.call_start.tolist()
    stood = {row: (twin.stood_s[row], twin.begun_m[row]) for row in twin.stood_s}
    lines, lonlat = world.plain_lines, world.call_lonlat
    rows = twins.cross_calls(pings, found, way_m, lines, world.trips, LIMITS, starts, lonlat, stood)
    columns = np.array(rows, dtype=float).reshape(-1, 7).T
    for name, column, values in zip(Crossings._fields, crossings, columns, strict=True):
        np.testing.assert_allclose(column, values, rtol=0, atol=1e-6, err_msg=name)


@quick
@given(seeds)
def test_pieces_of_any_size_give_the_same_bits(seed):
    rng = np.random.default_rng(seed)
    world = World(rng)
    pings = world.pings(rng, 80)
    whole = read_trace(pings, world.lines, world.plan, [(0, len(pings))])
    alone = read_trace(pings, world.lines, world.plan, [(k, k + 1) for k in range(len(pings))])
    for one, other in zip((*whole[:3], *whole[3]), (*alone[:3], *alone[3]), strict=True):
        assert one.tobytes() == other.tobytes()


@quick
@given(seeds)
def test_ways_never_fall_and_calls_come_in_order(seed):
    rng = np.random.default_rng(seed)
    world = World(rng)
    pings = world.pings(rng, 120)
    way_m, _, found, crossings = read_trace(pings, world.lines, world.plan, [(0, len(pings))])
    performed = np.array([ping.performed for ping in pings])
    for row in range(4):
        on_line = (performed == row) & (found == kernels.MATCHED)
        assert (np.diff(way_m[on_line]) >= 0).all()
        for kind in (kernels.ARRIVAL, kernels.DEPARTURE):
            mine = (crossings.performed == row) & (crossings.kind == kind)
            assert (np.diff(crossings.call[mine]) > 0).all()
            assert (np.diff(crossings.time_s[mine]) >= -1e-9).all()
    assert (crossings.time_s <= crossings.until_s + 1e-6).all()
    assert (crossings.time_s >= crossings.until_s - crossings.gap_s - 1e-6).all()


STRAIGHT, PLAIN_STRAIGHT = lines_of([[(0, 0), (1000, 0), (3000, 0)]])
STOPS_M = [0.0, 1000.0, 2000.0, 3000.0]
TIMES_S = [0.0, 100.0, 200.0, 300.0]


def straight_plan(stops_m=STOPS_M, times_s=TIMES_S):
    lonlat = [(FRAME[0] + way_m / FRAME[2], FRAME[1]) for way_m in stops_m]
    return plan_of([(0, [(way_m, time, time) for way_m, time in zip(stops_m, times_s, strict=True)])], lonlat)


def ride(*places, heading=NAN, speed=NAN):
    """Pings of (time, metres along the straight street, metres beside it)."""
    return [
        Ping(0, 0, time_s, time_s, FRAME[0] + x_m / FRAME[2], FRAME[1] + y_m / FRAME[3], heading, speed)
        for time_s, x_m, y_m in places
    ]


def on_straight(pings, limits=LIMITS, plan=None):
    return read_trace(pings, STRAIGHT, plan or straight_plan(), [(0, len(pings))], limits)


def test_matching_of_nothing_of_one_place_and_of_no_numbers():
    way_m, off_m, found, crossings = on_straight([])
    assert (len(way_m), len(off_m), len(found), len(crossings.call)) == (0, 0, 0, 0)
    way_m, off_m, found, crossings = on_straight(ride(*[(30.0 * k, 500, 3) for k in range(4)]))
    assert found.tolist() == [kernels.NOT_STARTED] * 4  # it may stand there before it begins
    np.testing.assert_allclose(off_m, 3)
    assert len(crossings.call) == 0
    way_m, off_m, found, crossings = on_straight(
        ride((0, 0, 0), (30, NAN, 0), (60, 500, NAN), (NAN, 500, 0), (90, 900, 0))
    )
    assert found.tolist() == [0, 1, 1, 1, 0]
    assert np.isnan(way_m).tolist() == [False, True, True, True, False]


def test_lines_of_one_corner_or_none_have_no_places():
    lines, _ = lines_of([[(0, 0)], []])
    plan = plan_of([(0, [(0, 0, 0)]), (1, [(0, 0, 0)]), (0, [])], [(10, 50)] * 2)
    pings = [ride((0, 0, 0))[0]._replace(trip=trip, performed=trip) for trip in range(3)]
    way_m, off_m, found, _ = read_trace(pings, lines, plan, [(0, 3)])
    assert found.tolist() == [kernels.NOT_STARTED, kernels.NOT_STARTED, kernels.NO_TRIP]
    assert np.isnan(way_m).all()
    assert np.isnan(off_m).all()


def test_crossings_by_hand():
    # 10 m/s from ping to ping, 20 s at the stop at 1000 m: into its zone at 970 m, out of it at 1030 m
    pings = ride((0, 0, 0), (50, 500, 0), (100, 1000, 0), (120, 1000, 0), (170, 1500, 0), (190, 1700, 0))
    *_, crossings = on_straight(pings)
    rows = list(zip(crossings.call, crossings.kind, crossings.time_s, crossings.until_s, crossings.gap_s, strict=True))
    expected = [
        (0, kernels.DEPARTURE, 3, 50, 50),
        (1, kernels.ARRIVAL, 97, 100, 50),
        (1, kernels.DEPARTURE, 123, 170, 50),
    ]
    np.testing.assert_allclose(rows, expected)


@pytest.mark.parametrize(
    ("gap_s", "stand_s", "run_s"),
    [
        (95, 15, 80),  # at 12.5 m/s it would run the 1000 m in 80 s: time enough to stand
        (110, 15, 95),
        (88, 8, 80),  # time for 8 s
        (60, 0, 60),  # no time at all
        (1800, 15, 1785),
    ],
)
def test_a_stop_between_two_pings_takes_its_time(gap_s, stand_s, run_s):
    *_, crossings = on_straight(ride((0, 500, 0), (gap_s, 1500, 0)))
    assert crossings.call.tolist() == [1, 1]
    np.testing.assert_allclose(crossings.time_s, [0.47 * run_s, 0.53 * run_s + stand_s])
    np.testing.assert_allclose(crossings.gap_s, gap_s)


def test_nothing_is_said_of_more_than_half_an_hour():
    *_, crossings = on_straight(ride((0, 500, 0), (1800.5, 1500, 0)))
    assert len(crossings.call) == 0


def test_a_stop_that_is_left_out_takes_no_time():
    # from 900 m to 2500 m by a street 200 m aside, past the stop at 1000 m; the stop at 2000 m was served
    pings = ride((-60, 300, 0), (0, 900, 0), (20, 900, 200), (60, 1500, 200), (90, 1500, 61), (200, 2500, 0))
    way_m, _, found, crossings = on_straight(pings)
    assert found.tolist() == [kernels.NOT_STARTED, 0, 1, 1, 1, 0]
    rows = list(zip(crossings.call.tolist(), crossings.kind.tolist(), strict=True))
    assert rows == [(1, kernels.SKIPPED), (2, kernels.ARRIVAL), (2, kernels.DEPARTURE)]
    assert crossings.near_m[0] == pytest.approx(100.0)  # on the way from (900, 0) to (900, 200)
    # 1600 m in 200 s, of which 15 s standing at the one stop
    np.testing.assert_allclose(crossings.time_s[1:], [1070 / 1600 * 185, 1130 / 1600 * 185 + 15])
    assert way_m[[1, -1]] == pytest.approx([900, 2500])


def test_more_calls_in_one_gap_than_there_was_room_for():
    stops_m = np.arange(0, 3000, 100.0)
    plan = straight_plan(stops_m, stops_m / 10)
    *_, crossings = on_straight(ride((0, 50, 0), (290, 2950, 0)), plan=plan)
    assert crossings.call.tolist() == sorted([*range(1, 30)] * 2)[: len(crossings.call)]
    assert len(crossings.call) == 2 * 28 + 1 + 1  # 100 m to 2900 m, the last one left at 2930 m
