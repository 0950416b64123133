"""The timetable kernels against their plain twins, over random, empty, constant and broken input, and by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gtfs.kernels import headways, next_call, schedule_deviation
from tests import oracles

NAN, INF = float("nan"), float("inf")
metres = st.one_of(st.integers(-30, 330).map(float), st.floats(-30, 330), st.sampled_from([NAN, INF, -INF]))
seconds = st.one_of(st.integers(-50, 400).map(float), st.floats(-50, 400), st.sampled_from([NAN, INF, -INF]))
samples = st.lists(st.tuples(st.integers(-2, 4), metres, seconds), max_size=30)
# a call: how far it is from the one before, how long the way and the stop take
calls = st.lists(st.tuples(st.sampled_from([0, 0, 5, 60, 100]), st.integers(0, 90), st.integers(0, 40)), max_size=5)
timetables = st.lists(calls, min_size=1, max_size=4)


def table_of(trips):
    """Rows of trips, distances, arrivals and departures."""
    start, distance_m, time_s = [0], [], []
    for trip in trips:
        at_m, now_s = 0.0, 0.0
        for way_m, ride_s, dwell_s in trip:
            at_m, arrival_s = at_m + way_m, now_s + ride_s
            now_s = arrival_s + dwell_s
            distance_m.append(at_m)
            time_s.append((arrival_s, now_s))
        start.append(len(distance_m))
    return np.array(start), np.array(distance_m, dtype=float), np.array(time_s, dtype=float).reshape(-1, 2)


def columns_of(rows):
    trip, distance_m, time_s = list(zip(*rows, strict=True)) or [(), (), ()]
    return np.array(trip, dtype=np.int64), np.array(distance_m, dtype=float), np.array(time_s, dtype=float)


def deviation(rows, trips, tolerance_m):
    columns = columns_of(rows)
    return schedule_deviation(*columns, *table_of(trips), tolerance_m, np.full(len(rows), 12345.0))


@settings(deadline=None)
@given(samples, timetables, st.sampled_from([0.0, 1.0, 3.0, 40.0]))
def test_deviation_is_what_the_plain_twin_says(rows, trips, tolerance_m):
    twin = oracles.schedule_deviation(*columns_of(rows), *table_of(trips), tolerance_m)
    np.testing.assert_allclose(deviation(rows, trips, tolerance_m), twin, rtol=0, atol=1e-9)


@settings(deadline=None)
@given(samples, timetables, st.sampled_from([0.0, 1.0, 40.0]))
def test_samples_one_by_one_give_the_same_bits_as_all_at_once(rows, trips, tolerance_m):
    alone = [deviation([row], trips, tolerance_m)[0] for row in rows]
    assert np.array(alone).tobytes() == deviation(rows, trips, tolerance_m).tobytes()


@settings(deadline=None)
@given(samples, timetables, st.integers(-100_000, 100_000))
def test_moving_every_time_by_as_much_changes_nothing(rows, trips, shift_s):
    start, distance_m, time_s = table_of(trips)
    trip, at_m, now_s = columns_of(rows)
    moved = schedule_deviation(
        trip, at_m, now_s + shift_s, start, distance_m, time_s + shift_s, 1.0, np.empty(len(rows))
    )
    np.testing.assert_allclose(moved, deviation(rows, trips, 1.0), rtol=0, atol=1e-6)


# 300 m in 100 s with 20 s at 100 m; the way from 100 m to 300 m takes 60 s
TRIP = [(0, 0, 10), (100, 30, 20), (200, 60, 0)]  # departs 10, calls at 40 to 60, ends at 120


@pytest.mark.parametrize(
    ("at_m", "now_s", "expected_s"),
    [
        (-50, 5, 0),  # on its way to the start, nothing due yet
        (0, 10, 0),  # at the start, to the second
        (0, 0, 0),  # waits there
        (0.9, 3, 0),  # still there, within the tolerance
        (0, 25, 15),  # should have left
        (50, 25, 0),  # half way: 10 + 30 * 0.5
        (50, 20, -5),
        (50, 100, 75),
        (100, 40, 0),
        (100, 50, 0),  # anywhere within its stop
        (100, 60, 0),
        (100, 35, -5),  # came early: not yet due to arrive
        (100.5, 35, -5),
        (99.5, 70, 10),  # and left late
        (101.5, 60.45, 0),  # past the tolerance: 60 + 60 * 1.5 / 200
        (200, 90, 0),
        (300, 110, -10),
        (300, 130, 10),
        (350, 130, 10),  # beyond: since its arrival
    ],
)
def test_a_trip_of_three_calls_by_hand(at_m, now_s, expected_s):
    assert deviation([(0, at_m, now_s)], [TRIP], 1.0)[0] == pytest.approx(expected_s, abs=1e-9)


def test_calls_at_one_place_are_one_call():
    # arrives at 30, leaves at 40, is called again from 70 to 80, without a metre between
    trip = [(0, 0, 0), (100, 30, 10), (0, 30, 10), (100, 20, 0)]
    rows = [(0, 100.0, now_s) for now_s in (25.0, 30.0, 55.0, 80.0, 85.0)]
    assert deviation(rows, [trip], 1.0).tolist() == [-5, 0, 0, 0, 5]
    assert deviation([(0, 150.0, 90.0)], [trip], 1.0).tolist() == [0]


def test_stops_nearer_to_each_other_than_the_tolerance_go_by_the_nearer_one():
    trip = [(0, 0, 0), (100, 50, 0), (30, 20, 0), (100, 50, 0)]
    assert deviation([(0, 110.0, 50.0), (0, 120.0, 70.0)], [trip], 25.0).tolist() == [0, 0]


def test_what_the_departure_from_the_last_call_says_is_nobodys_delay():
    trip = [(0, 0, 0), (100, 50, 600)]
    assert deviation([(0, 100.0, 60.0), (0, 120.0, 60.0)], [trip], 1.0).tolist() == [10, 10]


def test_deviation_has_no_steps_along_a_way_between_calls():
    at_m = np.linspace(1.0001, 98.9999, 5001)
    found = deviation([(0, metre, 40.0) for metre in at_m.tolist()], [TRIP], 1.0)
    assert np.abs(np.diff(found)).max() < 30 / 5000  # 30 s of timetable in 5,000 steps
    assert (np.diff(found) < 0).all()  # farther along at one moment is less late


def test_unknown_trips_and_broken_numbers_have_no_deviation():
    rows = [(-1, 50.0, 50.0), (2, 50.0, 50.0), (1, 50.0, 50.0), (0, NAN, 50.0), (0, 50.0, NAN), (0, INF, 50.0)]
    assert np.isnan(deviation(rows, [TRIP, []], 1.0)).all()


def test_a_call_without_a_time_makes_nothing_up():
    start, distance_m, time_s = table_of([TRIP])
    time_s[1] = NAN
    rows = columns_of([(0, 50.0, 25.0), (0, 100.0, 25.0), (0, 200.0, 25.0), (0, 0.0, 25.0), (0, 300.0, 130.0)])
    found = schedule_deviation(*rows, start, distance_m, time_s, 1.0, np.empty(5))
    np.testing.assert_array_equal(found, [NAN, NAN, NAN, 15, 10])


def test_no_samples_and_no_trips_are_no_trouble():
    assert deviation([], [TRIP], 1.0).tolist() == []
    assert np.isnan(deviation([(0, 1.0, 1.0)], [], 1.0)).all()
    assert np.isnan(deviation([(0, 1.0, 1.0)], [[]], 1.0)).all()


def test_samples_all_alike_have_one_deviation():
    assert deviation([(0, 50.0, 30.0)] * 5, [TRIP], 1.0).tolist() == [5] * 5


@settings(deadline=None)
@given(samples, timetables, st.sampled_from([0.0, 1.0, 40.0]))
def test_next_call_is_what_the_plain_twin_finds(rows, trips, tolerance_m):
    trip, at_m, _ = columns_of(rows)
    start, distance_m, _ = table_of(trips)
    found = next_call(trip, at_m, start, distance_m, tolerance_m, np.full(len(rows), 99, dtype=np.int32))
    assert found.tolist() == oracles.next_call(trip, at_m, start, distance_m, tolerance_m)


def test_progress_along_two_trips_by_hand():
    start, distance_m, _ = table_of([TRIP, TRIP])
    at_m = np.array([-10.0, 0.0, 50.0, 101.0, 101.1, 300.0, 301.5, NAN])
    assert next_call(np.ones(8, dtype=int), at_m, start, distance_m, 1.0, np.empty(8, dtype=int)).tolist() == [
        *(3, 3, 4, 4, 5, 5),
        *(-1, -1),
    ]


departures = st.lists(st.tuples(st.integers(-1, 3), st.one_of(st.integers(0, 99), st.just(NAN))), max_size=30)


def in_order(rows):
    rows = sorted(rows, key=lambda row: row[1] if row[1] == row[1] else 1e9)
    return np.array([row[0] for row in rows], dtype=int), np.array([row[1] for row in rows], dtype=float)


@settings(deadline=None)
@given(departures)
def test_headways_are_what_the_plain_twin_measures(rows):
    place, departure_s = in_order(rows)
    found = headways(place, departure_s, np.full(4, NAN), np.empty(len(rows)))
    np.testing.assert_array_equal(found, oracles.headways(place, departure_s))


@settings(deadline=None)
@given(departures, st.integers(0, 30))
def test_departures_in_two_pieces_give_the_headways_of_one(rows, cut):
    place, departure_s = in_order(rows)
    whole = headways(place, departure_s, np.full(4, NAN), np.empty(len(rows)))
    last_s = np.full(4, NAN)
    pieces = [
        headways(place[part], departure_s[part], last_s, np.empty(len(place[part])))
        for part in (slice(cut), slice(cut, None))
    ]
    assert np.concatenate(pieces).tobytes() == whole.tobytes()


def test_headways_of_unknown_places_leave_no_trace():
    last_s = np.full(1, NAN)
    found = headways(np.array([0, -1, 1, 0]), np.array([10.0, 20.0, 30.0, 40.0]), last_s, np.empty(4))
    np.testing.assert_array_equal(found, [NAN, NAN, NAN, 30])
    assert last_s.tolist() == [40]
    assert headways(np.array([], dtype=int), np.array([]), last_s, np.array([])).tolist() == []
