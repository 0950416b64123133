"""Detectors on a vehicle whose plan fits on paper: leg, way and lateness, at calls, between them, between legs."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.detectors import Detectors
from sim.kernels import passed_calls, ways_along_legs
from sim.transit_plan import PlannedCalls, PlannedLegs, PlannedWays, TransitPlan
from tests import oracles

NAN = np.nan


def out_and_back() -> TransitPlan:
    """One bus, five edges of 100 m, junctions of 10 m.

    Out: from 50 m on edge 0 to 60 m on edge 2, at 0 s and 100 s. Back: from 80 m on edge 2 to 50 m on edge 4, at 300 s
    and 400 s, but there is no leg on edge 3.
    """
    return TransitPlan(
        service_date=date(2026, 5, 13),
        timezone="Europe/Berlin",
        vehicle_ids=("bus",),
        legs=PlannedLegs(
            vehicle=np.zeros(2, dtype=np.int32),
            trip_ids=("out", "back"),
            scheduled_trip_ids=("out", "back"),
            service_dates=("2026-05-13",) * 2,
            route_ids=("12",) * 2,
            route_names=("12",) * 2,
            direction=np.array([0, 1], dtype=np.int32),
            way=np.array([0, 1], dtype=np.int32),
            pattern_ids=("o", "b"),
            number=np.zeros(2, dtype=np.int32),
            call_start=np.array([0, 2, 4], dtype=np.int32),
        ),
        calls=PlannedCalls(
            stop_ids=("A", "B", "B", "A"),
            stop_names=("A", "B", "B", "A"),
            bus_stops=("A", "B", "B", "A"),
            stop_sequence=np.array([1, 2, 1, 2], dtype=np.int32),
            way_m=np.array([0.0, 230.0, 0.0, 190.0]),
            arrival_s=np.array([0.0, 100.0, 300.0, 400.0]),
            departure_s=np.array([0.0, 100.0, 300.0, 400.0]),
            timepoint=np.ones(4, dtype=bool),
            is_interpolated=np.zeros(4, dtype=bool),
            is_origin=np.array([True, False, True, False]),
            is_end=np.array([False, True, False, True]),
        ),
        ways=PlannedWays(
            start=np.array([0, 5], dtype=np.int32),
            edges=np.arange(5, dtype=np.int32),
            leg=np.array([0, 0, 0, -1, 1], dtype=np.int32),
            way_m=np.array([-50.0, 60.0, 170.0, NAN, 140.0]),
            next_leg=np.array([-1, -1, 1, -1, -1], dtype=np.int32),
            next_way_m=np.array([NAN, NAN, -80.0, NAN, NAN]),
            length_m=np.full(5, 100.0),
        ),
    )


@pytest.mark.parametrize(
    ("time_s", "edge", "at_m", "inside", "leg", "way_m", "late_s"),
    [
        (0.0, 0, 50.0, False, 0, 0.0, 0.0),  # at the first call
        (30.0, 0, 50.0, False, 0, 0.0, 30.0),  # still there
        (50.0, 1, 55.0, False, 0, 115.0, 0.0),  # half way at half time
        (60.0, 0, 4.0, True, 0, 54.0, 60 - 54 / 2.3),  # inside the junction behind edge 0
        (60.0, 0, 25.0, True, 0, 60.0, 60 - 60 / 2.3),  # no farther than the next edge's begin
        (120.0, 2, 58.9, False, 0, 228.9, 120 - 228.9 / 2.3),
        (120.0, 2, 59.1, False, 1, -20.9, 0.0),  # at the last call: on the next leg, and there before its time
        (310.0, 2, 80.0, False, 1, 0.0, 10.0),
        (405.0, 4, 50.0, False, 1, 190.0, 5.0),
    ],
)
def test_a_place_is_leg_way_and_lateness(time_s, edge, at_m, inside, leg, way_m, late_s):
    detectors = Detectors(out_and_back())
    detectors.take(time_s, [0], [edge], [at_m], [inside])
    assert [column.tolist() for column in detectors.samples()] == [
        [leg], [time_s], [pytest.approx(way_m)], [pytest.approx(late_s)],
    ]  # fmt: skip
    assert detectors.deviation_s.tolist() == [pytest.approx(late_s)]


def test_between_two_legs_nothing_is_known():
    detectors = Detectors(out_and_back())
    detectors.take(30.0, [0], [0], [50.0], [False])
    detectors.take(200.0, [0], [3], [10.0], [False])
    assert np.isnan(detectors.deviation_s).all()
    assert detectors.samples()[1].tolist() == [30.0]


def test_beyond_its_last_call_a_vehicle_is_late_for_nothing():
    plan = out_and_back()
    detectors = Detectors(plan)
    detectors.take(410.0, [0], [4], [50.9], [False])
    assert detectors.deviation_s.tolist() == [10.0]
    detectors.take(420.0, [0], [4], [51.1], [False])
    assert np.isnan(detectors.deviation_s).all()


def test_nobody_on_the_road_is_no_sample():
    detectors = Detectors(out_and_back())
    detectors.take(30.0, [], [], [], [])
    assert all(len(column) == 0 for column in detectors.samples())


def test_samples_come_by_leg_and_time_however_many():
    plan = out_and_back()
    plan = replace(plan, vehicle_ids=("a", "b"), ways=replace(plan.ways, start=np.array([0, 3, 5], dtype=np.int32)))
    detectors = Detectors(plan)
    for second in range(5000):
        detectors.take(float(second), [1, 0], [1, 1], [10.0, 10.0], [False, False])
    leg, time_s, way_m, _ = detectors.samples()
    assert leg.tolist() == [0] * 5000 + [1] * 5000
    assert time_s.tolist() == [*range(5000), *range(5000)]
    assert set(way_m.tolist()) == {70.0, 150.0}


number = st.one_of(st.floats(-500, 500), st.just(NAN))
edges = st.lists(
    st.tuples(st.integers(-1, 2), st.integers(-1, 2), number, number, st.floats(0, 200), st.floats(0, 30)),
    min_size=1,
    max_size=8,
)
places = st.lists(st.tuples(st.integers(0, 7), number, st.booleans()), max_size=30)


@settings(deadline=None)
@given(edges, places, st.lists(number, min_size=3, max_size=3))
def test_the_kernel_is_what_the_plain_twin_finds(edges, places, end_m):
    places = [(edge % len(edges), at_m, inside) for edge, at_m, inside in places]
    legs = np.array([row[:2] for row in edges], dtype=np.int32)
    ways_m = np.array([row[2:] for row in edges], dtype=np.float64)
    edge, at_m, inside = zip(*places, strict=True) if places else ((), (), ())
    leg, way_m = np.empty(len(places), np.int32), np.empty(len(places))
    columns = np.array(edge, np.int32), np.array(at_m, np.float64), np.array(inside, np.bool_)
    ways_along_legs(*columns, legs, ways_m, np.array(end_m), leg, way_m)
    twin = [_twin(edges[row], position_m, is_inside, end_m) for row, position_m, is_inside in places]
    assert leg.tolist() == [found for found, _ in twin]
    np.testing.assert_allclose(way_m, np.array([found for _, found in twin], dtype=np.float64), atol=1e-9)


def _twin(edge, at_m, is_inside, end_m):
    leg, following, way_m, following_m, length_m, junction_m = edge
    if is_inside:
        at_m = length_m + (min(at_m, junction_m))
    if leg < 0:
        return -1, NAN
    if following >= 0 and way_m + at_m >= end_m[leg] - 1:
        return following, following_m + at_m
    if way_m + at_m > end_m[leg] + 1:
        return -1, NAN
    return leg, way_m + at_m


def one_line(*begin_s: float) -> TransitPlan:
    """A bus for each time, on one edge of 400 m, with calls at its begin, at 200 m and at 400 m, 100 s apart."""
    count = len(begin_s)
    times_s = np.array([[at_s, at_s + 100, at_s + 200] for at_s in begin_s]).ravel()
    rows = np.arange(count, dtype=np.int32)
    plan = out_and_back()
    return replace(
        plan,
        vehicle_ids=tuple(f"bus-{row}" for row in rows),
        legs=PlannedLegs(
            vehicle=rows,
            trip_ids=tuple(f"t{row}" for row in rows),
            scheduled_trip_ids=tuple(f"t{row}" for row in rows),
            service_dates=("2026-05-13",) * count,
            route_ids=("12",) * count,
            route_names=("12",) * count,
            direction=np.zeros(count, dtype=np.int32),
            way=np.zeros(count, dtype=np.int32),
            pattern_ids=("p",) * count,
            number=np.zeros(count, dtype=np.int32),
            call_start=np.arange(count + 1, dtype=np.int32) * 3,
        ),
        calls=PlannedCalls(
            stop_ids=("A", "B", "C") * count,
            stop_names=("A", "B", "C") * count,
            bus_stops=("A", "B", "C") * count,
            stop_sequence=np.array([1, 2, 3] * count, dtype=np.int32),
            way_m=np.array([0.0, 200.0, 400.0] * count),
            arrival_s=times_s,
            departure_s=times_s,
            timepoint=np.ones(3 * count, dtype=bool),
            is_interpolated=np.zeros(3 * count, dtype=bool),
            is_origin=np.array([True, False, False] * count),
            is_end=np.array([False, False, True] * count),
        ),
        ways=PlannedWays(
            start=np.arange(count + 1, dtype=np.int32),
            edges=np.zeros(count, dtype=np.int32),
            leg=rows,
            way_m=np.zeros(count),
            next_leg=np.full(count, -1, dtype=np.int32),
            next_way_m=np.full(count, NAN),
            length_m=np.full(count, 400.0),
        ),
    )


def test_headway_is_since_the_vehicle_ahead_left_the_same_call():
    detectors = Detectors(one_line(0, 100))
    detectors.take(10.0, [0], [0], [50.0], [False])
    assert np.isnan(detectors.headway_s).all()
    assert detectors.next_call.tolist() == [1, -1]
    detectors.take(30.0, [1, 0], [0, 0], [20.0, 150.0], [False, False])
    assert detectors.headway_s.tolist() == [pytest.approx(NAN, nan_ok=True), 20.0]
    assert detectors.is_bunched.tolist() == [False, True]  # 20 s where the timetable has 100
    detectors.take(60.0, [1, 0], [0, 0], [160.0, 210.0], [False, False])
    assert detectors.next_call.tolist() == [2, 4]
    detectors.take(90.0, [1, 0], [0, 0], [230.0, 399.5], [False, False])
    assert detectors.headway_s[1] == 30.0
    assert not detectors.is_bunched[1]


def test_the_order_in_which_vehicles_are_told_does_not_matter():
    seen = [(10.0, [0, 1], [20.0, 30.0]), (20.0, [0, 1], [220.0, 230.0])]
    one, other = Detectors(one_line(0, 100)), Detectors(one_line(0, 100))
    for time_s, who, at_m in seen:
        one.take(time_s, who, [0, 0], at_m, [False, False])
        other.take(time_s, who[::-1], [0, 0], at_m[::-1], [False, False])
    np.testing.assert_array_equal(one.headway_s, other.headway_s)
    for ours, theirs in zip(one.samples(), other.samples(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_all_calls_that_a_vehicle_left_since_it_was_seen_count():
    """Ten seconds are enough for two stops; the end of a trip counts for nobody, as nobody waits there."""
    detectors = Detectors(one_line(0, 100))
    detectors.take(10.0, [0], [0], [350.0], [False])
    detectors.take(50.0, [0, 1], [0, 0], [400.0, 100.0], [False, False])
    assert detectors.headway_s[1] == 40.0
    detectors.take(70.0, [1], [0], [350.0], [False])
    assert detectors.headway_s[1] == 60.0


@st.composite
def passages(draw):
    """Calls of up to four legs, two vehicles with two each, and samples of them that go forward only."""
    counts = draw(st.lists(st.integers(1, 4), min_size=4, max_size=4))
    start = np.concatenate(([0], np.cumsum(counts))).astype(np.int32)
    at = {0: (-1, -1), 1: (-1, -1)}
    rounds = []
    for _ in range(draw(st.integers(0, 8))):
        seen = []
        for who in sorted(draw(st.sets(st.integers(0, 1)))):
            leg = draw(st.sampled_from([-1, *range(max(at[who][0], 2 * who), 2 * who + 2)]))
            low = at[who][1] if leg == at[who][0] else int(start[leg])
            ahead = -1 if leg < 0 else draw(st.sampled_from([-1, *range(max(low, 0), int(start[leg + 1]))]))
            if leg >= 0:
                at[who] = leg, int(start[leg + 1]) if ahead < 0 else ahead
                if at[who][1] == start[leg + 1]:
                    ahead = -1
            seen.append((who, leg, ahead))
        rounds.append(seen)
    return start, rounds


@settings(deadline=None)
@given(passages())
def test_passed_calls_are_what_the_plain_twin_finds(made):
    start, rounds = made
    last_leg, last_next = np.full((2, 2), -1, dtype=np.int32)
    out = np.empty((2, int(start[-1])), dtype=np.int32)
    twin = oracles.PassedCalls(start.tolist())
    for seen in rounds:
        columns = np.array(seen, dtype=np.int32).reshape(-1, 3).T.copy()
        count = passed_calls(*columns, start, last_leg, last_next, *out)
        assert out[:, :count].T.tolist() == twin.take(seen)
    assert len(set(twin.passed)) == len(twin.passed)
