"""Sensors as models: who is believed to be there, against cases counted by hand and what may hold at most."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from networks.faults import InputError
from signals.movement import Link
from signals.sensing import BOUNDS, KINDS, Camera, Connected, Loops, parameters_of, sensing_from
from signals.sensors import (
    GAP_S,
    SPACE_M,
    CameraSensor,
    ConnectedSensor,
    LoopSensor,
    Traffic,
    chances,
    lane_groups,
    sensor_of,
)

MPS = 10.0
SURE_CAMERA = Camera(miss=0.0, double=0.0)
SURE_LOOPS = Loops(miss=0.0, double=0.0)


def links(*lanes):
    return tuple(Link(tuple(own), (9,), MPS, 10.0, 0.0) for own in lanes)


def groups(*lanes, reach_m=200.0):
    return lane_groups(links(*lanes), [reach_m] * len(lanes))


def traffic(*rows, known=()):
    """Vehicles as (id, link, way to the stop line, speed)."""
    ids, row, distance_m, speed_mps = zip(*rows, strict=True) if rows else ((), (), (), ())
    return Traffic(
        ids,
        np.array(row, dtype=np.int64),
        np.array(distance_m, dtype=np.float64),
        np.array(speed_mps, dtype=np.float64),
        np.array([name in known for name in ids], dtype=np.bool_),
    )


def rows(believed):
    """Who is believed, sorted by link and place."""
    return sorted(zip(believed.row.tolist(), believed.distance_m.tolist(), believed.speed_mps.tolist(), strict=True))


one_lane = groups([0])
WAITING = traffic(("a", 0, 1.0, 0.0), ("b", 0, 8.5, 0.0), ("c", 0, 60.0, 9.0), ("d", 0, 120.0, 10.0))


def test_links_that_share_a_lane_are_one_group_also_by_way_of_others():
    found = groups([0], [0, 1], [1], [2])
    assert found.group.tolist() == [0, 0, 0, 1]
    assert found.links == ((0, 1, 2), (3,))
    assert found.lanes == (2, 1)


def test_chance_belongs_to_a_vehicle_and_a_seed():
    assert chances(1, 0, "a") == chances(1, 0, "a")
    assert len({chances(seed, place, name) for seed in (1, 2) for place in (0, 1) for name in "ab"}) == 8
    shares = np.array([chances(1, 0, f"v{number}") for number in range(4000)])
    assert shares.mean(axis=0) == pytest.approx([0.5] * 3, abs=0.02)


def test_all_connected_is_the_truth_itself():
    believed = ConnectedSensor(Connected(1.0), one_lane, 1).believe(0.0, WAITING)
    assert believed.row is WAITING.row
    assert believed.distance_m is WAITING.distance_m
    assert believed.speed_mps is WAITING.speed_mps
    assert believed.source.tolist() == [0, 1, 2, 3]


def test_none_connected_see_nobody_but_who_is_known():
    sensor = ConnectedSensor(Connected(0.0), one_lane, 1)
    assert rows(sensor.believe(0.0, WAITING)) == []
    bus = traffic(("a", 0, 1.0, 0.0), ("bus", 0, 80.0, 7.0), known={"bus"})
    assert rows(sensor.believe(1.0, bus)) == [(0, 80.0, 7.0)]


def told(count, share, seed=1):
    """Ids of vehicles that are connected, and of some that are not."""
    ids = [f"v{number}" for number in range(200)]
    yes = [name for name in ids if chances(seed, -1, name)[0] < share]
    return yes[:count], [name for name in ids if name not in yes][:count]


def test_a_standing_vehicle_tells_of_the_queue_ahead_of_it():
    (own, other), (mute, *_) = told(2, 0.5)
    # from front to front 7.5 m: a queue up to 23.5 m has places at 1, 8.5 and 16 m before it
    sensor = ConnectedSensor(Connected(0.5), one_lane, 1)
    assert rows(sensor.believe(0.0, traffic((mute, 0, 1.0, 0.0), (own, 0, 23.5, 0.0)))) == [
        (0, 1.0, 0.0), (0, 8.5, 0.0), (0, 16.0, 0.0), (0, 23.5, 0.0),
    ]  # fmt: skip
    # one seen in a place fills it, moving or not; a moving one tells of nobody
    assert rows(sensor.believe(1.0, traffic((other, 0, 9.0, 3.0), (own, 0, 16.0, 0.0)))) == [
        (0, 1.0, 0.0), (0, 9.0, 3.0), (0, 16.0, 0.0),
    ]  # fmt: skip
    assert rows(sensor.believe(2.0, traffic((own, 0, 50.0, 5.0)))) == [(0, 50.0, 5.0)]


def test_the_share_of_connected_vehicles_is_what_was_asked_for_and_they_are_the_same_at_any_place():
    true = traffic(*((f"v{number}", number % 2, 10.0 * number, 5.0) for number in range(2000)))
    sources = [
        ConnectedSensor(Connected(share), lanes, 7).believe(0.0, true).source.tolist()
        for share, lanes in ((0.3, groups([0], [1])), (0.3, groups([1], [0])), (0.5, groups([0], [1])))
    ]
    assert sources[0] == sources[1]
    assert len(sources[0]) == pytest.approx(600, abs=60)
    assert set(sources[0]) < set(sources[2])


def test_a_camera_sees_to_its_range():
    believed = CameraSensor(SURE_CAMERA, one_lane, 1).believe(0.0, WAITING)
    assert rows(believed) == [(0, 1.0, 0.0), (0, 8.5, 0.0), (0, 60.0, 9.0)]
    assert believed.source.tolist() == [0, 1, 2]


def test_a_camera_misses_and_doubles_its_shares():
    true = traffic(*((f"v{number}", 0, 30.0, 5.0) for number in range(4000)))
    missing = CameraSensor(Camera(miss=0.1, double=0.0), groups([0, 1]), 3).believe(0.0, true)
    assert len(missing.row) == pytest.approx(3600, abs=80)
    doubled = CameraSensor(Camera(miss=0.0, double=0.1), groups([0, 1]), 3).believe(0.0, true)
    assert len(doubled.row) == pytest.approx(4400, abs=80)
    assert (doubled.source == -1).sum() == len(doubled.row) - 4000


def test_who_stands_close_behind_far_away_is_hidden_from_a_low_camera():
    # gap 2.5 m behind a car 1.5 m high: hidden where less than 0.3 m of it shows, 2.5 (h - 1.5) / D < 0.3
    queue = traffic(*((f"q{number}", 0, 1.0 + SPACE_M * number, 0.0) for number in range(20)))
    for mast_m in (6.0, 12.0):
        from_m = 2.5 * (mast_m - 1.5) / 0.3
        hidden = CameraSensor(Camera(mast_m=mast_m), one_lane, 1).hidden(queue)
        assert hidden.tolist() == [False, *(1.0 + SPACE_M * number + 5.0 > from_m for number in range(19))]
    # on the road, cars are far enough apart; beside each other, in two lanes, nobody is behind anybody
    moving = traffic(*((f"q{number}", 0, 20.0 * number, 9.0) for number in range(10)))
    assert not CameraSensor(Camera(mast_m=6.0), one_lane, 1).hidden(moving).any()
    assert not CameraSensor(Camera(mast_m=6.0), groups([0, 1]), 1).hidden(queue).any()


def test_turns_from_a_shared_lane_are_guessed_by_who_has_left():
    shared = groups([0], [0])
    sensor = CameraSensor(SURE_CAMERA, shared, 1)
    for number in range(99):
        sensor.believe(2.0 * number, traffic((f"gone{number}", 1, 2.0, 9.0)))
        sensor.believe(2.0 * number + 1.0, traffic())
    seen = [sensor.believe(300.0 + number, traffic(("a", 0, 1.0, 0.0))).row[0] for number in range(2000)]
    # one each to begin with, then 99 by the second link: its share is 100 of 101
    assert np.mean(seen) == pytest.approx(100 / 101, abs=0.01)


def passage(sensor, name="a", begin_m=70.0, now_s=0.0):
    """Drive a vehicle down to 40 m at the speed that may be driven; give the times and what was believed."""
    return [
        (now_s + number, sensor.believe(now_s + number, traffic((name, 0, begin_m - MPS * number, MPS))))
        for number in range(4)
    ]


def test_an_advance_loop_counts_and_the_way_to_the_stop_line_is_reckoned():
    sensor = LoopSensor(SURE_LOOPS, one_lane, 1)
    seen = [rows(believed) for _, believed in passage(sensor)]
    # counted when it is 50 m away; then 10 m a second
    assert seen == [[], [], [(0, 50.0, MPS)], [(0, 40.0, MPS)]]
    # it brakes, which no loop tells: after 5 s it is believed to stand at the line
    assert rows(sensor.believe(4.0, traffic(("a", 0, 35.0, 4.0)))) == [(0, 30.0, MPS)]
    assert rows(sensor.believe(7.0, traffic(("a", 0, 20.0, 4.0)))) == [(0, 1.0, 0.0)]


def test_a_queue_builds_up_and_is_counted_out():
    sensor = LoopSensor(SURE_LOOPS, one_lane, 1)
    passage(sensor)
    sensor.believe(8.0, traffic(("a", 0, 1.0, 0.0), ("b", 0, 55.0, MPS)))
    sensor.believe(9.0, traffic(("a", 0, 1.0, 0.0), ("b", 0, 45.0, MPS)))
    standing = sensor.believe(20.0, traffic(("a", 0, 1.0, 0.0), ("b", 0, 8.5, 0.0)))
    assert rows(standing) == [(0, 1.0, 0.0), (0, 8.5, 0.0)]
    gone = sensor.believe(21.0, traffic(("b", 0, 7.5, 2.0)))
    assert rows(gone) == [(0, 1.0, 0.0)]
    sensor.believe(22.0, traffic(("b", 0, 4.0, 4.0)))
    assert rows(sensor.believe(23.0, traffic())) == []


def test_who_was_not_counted_is_there_once_it_is_felt_at_the_stop_line():
    sensor = LoopSensor(SURE_LOOPS, one_lane, 1)
    assert rows(sensor.believe(0.0, traffic(("a", 0, 20.0, 5.0)))) == []
    assert rows(sensor.believe(4.0, traffic(("a", 0, 1.0, 0.0)))) == [(0, 1.0, 0.0)]
    assert rows(sensor.believe(5.0, traffic(("a", 0, 1.0, 0.0)))) == [(0, 1.0, 0.0)]


def test_who_was_counted_and_turned_off_is_forgotten_when_nobody_is_at_the_stop_line():
    sensor = LoopSensor(SURE_LOOPS, one_lane, 1)
    passage(sensor)
    # counted at 2 s, gone after 3 s, due at 7 s, given up four seconds later
    sensor.believe(4.0, traffic())
    assert len(sensor.believe(2.0 + 5.0 + GAP_S - 1.0, traffic()).row) == 1
    assert len(sensor.believe(2.0 + 5.0 + GAP_S, traffic()).row) == 0


def test_loops_lie_no_farther_upstream_than_their_approach():
    assert LoopSensor(SURE_LOOPS, groups([0], reach_m=30.0), 1).advance_m.tolist() == [25.0]
    short = LoopSensor(SURE_LOOPS, groups([0], reach_m=8.0), 1)
    assert short.advance_m.tolist() == [0.0]
    assert rows(short.believe(0.0, traffic(("a", 0, 1.0, 0.0)))) == [(0, 1.0, 0.0)]


def test_who_appears_at_the_begin_of_a_short_approach_is_counted():
    sensor = LoopSensor(SURE_LOOPS, groups([0], reach_m=40.0), 1)
    sensor.believe(0.0, traffic())
    assert len(sensor.believe(1.0, traffic(("a", 0, 30.0, MPS))).row) == 1


def test_a_stuck_loop_always_tells_of_somebody():
    sensor = LoopSensor(Loops(stuck=1.0), one_lane, 1)
    assert [rows(sensor.believe(float(now_s), traffic())) for now_s in range(3)] == [[(0, 1.0, 0.0)]] * 3


def test_loops_miss_and_double_their_shares():
    counted = {}
    for sensing in (Loops(miss=0.1, double=0.0), Loops(miss=0.0, double=0.1)):
        sensor = LoopSensor(sensing, groups(*([number] for number in range(1000))), 5)
        rows_of = range(1000)
        sensor.believe(0.0, traffic(*((f"v{row}", row, 55.0, MPS) for row in rows_of)))
        counted[sensing] = len(sensor.believe(1.0, traffic(*((f"v{row}", row, 45.0, MPS) for row in rows_of))).row)
    assert list(counted.values()) == [pytest.approx(900, abs=40), pytest.approx(1100, abs=40)]


@pytest.mark.parametrize("sensing", [Connected(0.0), Camera(range_m=10.0, miss=1.0), Loops(miss=1.0)])
def test_a_bus_that_reports_its_position_is_believed_there_once(sensing):
    sensor = sensor_of(sensing, one_lane, 1)
    for now_s, way_m in enumerate((60.0, 50.0, 40.0, 1.0, 1.0)):
        speed_mps = MPS if way_m > 1 else 0.0
        bus = traffic(("bus", 0, way_m, speed_mps), known={"bus"})
        believed = sensor.believe(float(now_s), bus)
        assert rows(believed) == [(0, way_m, speed_mps)]
        assert believed.source.tolist() == [0]
    assert rows(sensor.believe(6.0, traffic())) == []


SENSINGS = st.one_of(
    st.builds(Connected, st.floats(0, 1)),
    st.builds(Camera, st.floats(10, 200), st.floats(0, 1), st.floats(0, 1), st.floats(4, 30)),
    st.builds(Loops, st.floats(10, 200), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1)),
)
VEHICLES = st.lists(
    st.tuples(st.integers(0, 30), st.integers(0, 3), st.floats(0, 200), st.sampled_from([0.0, 0.05, 4.0, 14.0])),
    max_size=20,
    unique_by=lambda vehicle: vehicle[0],
)


@settings(max_examples=60, deadline=None)
@given(sensing=SENSINGS, looks=st.lists(VEHICLES, min_size=1, max_size=6), seed=st.integers(0, 3))
def test_whatever_comes_no_more_are_believed_than_there_can_be_and_twice_the_same(sensing, looks, seed):
    lanes = groups([0], [0, 1], [2], [3], reach_m=150.0)
    one, other = sensor_of(sensing, lanes, seed), sensor_of(sensing, lanes, seed)
    for number, look in enumerate(looks):
        true = traffic(*((f"v{name}", row, way_m, mps) for name, row, way_m, mps in look))
        believed, again = one.believe(1.5 * number, true), other.believe(1.5 * number, true)
        assert all(np.array_equal(mine, its) for mine, its in zip(believed, again, strict=True))
        assert len({len(part) for part in believed}) == 1
        assert ((believed.row >= 0) & (believed.row < 4)).all()
        assert ((believed.distance_m >= 0) & (believed.distance_m <= 200)).all()
        assert ((believed.source >= -1) & (believed.source < len(look))).all()
        sources = believed.source[believed.source >= 0].tolist()
        assert len(set(sources)) == len(sources)
        if isinstance(sensing, Connected):
            by_group = [true.distance_m[lanes.group[true.row] == group].max(initial=0.0) for group in range(3)]
            assert (believed.source == -1).sum() <= sum(math.ceil(way_m / SPACE_M) for way_m in by_group)
        elif isinstance(sensing, Camera):
            assert len(believed.row) <= 2 * int((true.distance_m <= sensing.range_m).sum())
        else:
            per_group = np.bincount(lanes.group[believed.row], minlength=3)
            assert (per_group <= [one.most(group) for group in range(3)]).all()


@pytest.mark.parametrize(
    ("sensing", "words"),
    [
        (Connected(), "connected vehicles, 100 %"),
        (Connected(0.3), "connected vehicles, 30 %"),
        (Camera(), "cameras 12 m up, 80 m of each approach, 5 % missed, 3 % counted twice"),
        (Loops(), "loops at the stop line and 50 m before it, 2 % missed, 1 % counted twice"),
        (Loops(stuck=0.1), "loops at the stop line and 50 m before it, 2 % missed, 1 % counted twice, 10 % stuck"),
    ],
)
def test_a_report_names_the_sensing_with_its_errors(sensing, words):
    assert sensing.words == words


def test_only_sensing_that_sees_all_who_wait_can_tell_that_nobody_does():
    sure = [Connected(), SURE_CAMERA, SURE_LOOPS]
    assert [each.is_sure for each in sure] == [True] * 3
    assert [each.is_sure for each in (Connected(0.99), Camera(), Loops())] == [False] * 3


def test_sensing_is_read_from_a_table():
    assert sensing_from({"kind": "connected"}) == Connected()
    assert sensing_from({"kind": "connected", "penetration": 0}) == Connected(0.0)
    assert sensing_from({"kind": "camera", "range_m": 150, "miss": 0.1}) == Camera(150.0, 0.1)
    assert sensing_from({"kind": "loops", "stuck": 0.05}) == Loops(stuck=0.05)
    assert {name for kind in KINDS.values() for name in parameters_of(kind)} == BOUNDS.keys()


@pytest.mark.parametrize(
    ("given_", "code", "field", "told_"),
    [
        ("loops", "CONFIG_VALUE", "", "must be a table"),
        ({}, "CONFIG_VALUE", "kind", "connected, camera, loops"),
        ({"kind": "camra"}, "CONFIG_VALUE", "kind", "Did you mean 'camera'"),
        ({"kind": "camera", "range": 80}, "CONFIG_KEY", "range", "Did you mean 'range_m'"),
        ({"kind": "loops", "penetration": 0.5}, "CONFIG_KEY", "penetration", "advance_m, miss, double, stuck"),
        ({"kind": "connected", "penetration": 50}, "CONFIG_VALUE", "penetration", "from 0 to 1"),
        ({"kind": "connected", "penetration": True}, "CONFIG_VALUE", "penetration", "from 0 to 1"),
        ({"kind": "connected", "penetration": math.nan}, "CONFIG_VALUE", "penetration", "from 0 to 1"),
        ({"kind": "camera", "range_m": "80"}, "CONFIG_VALUE", "range_m", "from 10 to 200"),
    ],
)
def test_faults_of_a_table_say_what_would_do(given_, code, field, told_):
    with pytest.raises(InputError) as fault:
        sensing_from(given_)
    assert (fault.value.code, fault.value.field) == (code, field)
    assert told_ in str(fault.value)


def test_links_of_a_lane_share_it_by_who_has_left():
    sensor = CameraSensor(SURE_CAMERA, groups([0], [0], [1]), 1)
    assert sensor.turn_share.tolist() == [0.5, 0.5, 1.0]
    sensor.believe(0.0, traffic(("gone", 1, 2.0, 9.0)))
    sensor.believe(1.0, traffic())
    assert sensor.turn_share.tolist() == pytest.approx([1 / 3, 2 / 3, 1.0])


def test_the_turn_of_who_tells_it_is_not_guessed():
    true = traffic(("a", 0, 1.0, 0.0), ("bus", 1, 9.0, 0.0), known={"bus"})
    for sensing in (SURE_CAMERA, SURE_LOOPS):
        believed = sensor_of(sensing, groups([0], [0]), 1).believe(0.0, true)
        assert {bool(one) for one in believed.guessed[believed.source == 1]} == {False}
        assert believed.row[believed.source == 1].tolist() == [1]
        assert believed.guessed.sum() == 1
    assert not ConnectedSensor(Connected(1.0), groups([0], [0]), 1).believe(0.0, true).guessed.any()
