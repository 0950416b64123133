"""Rolling horizon and delay-based control, SOTL: kernels against plain twins, decisions known on paper, a crossing."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signals.approaching import Approaching
from signals.controller import CONTROLLERS
from signals.delay_based import DelayBased, DelayBasedParameters
from signals.delay_kernels import carried_delays
from signals.horizon_kernels import MAX_STATES, clusters, schedule
from signals.intergreen import Clearance
from signals.interlock import advance, begin, may_switch, order
from signals.observation import Observation
from signals.rolling_horizon import RollingHorizon, RollingHorizonParameters
from signals.sotl import Sotl, SotlParameters
from sim.run import RunSpec
from tests import horizon_oracles
from tests.crossing import write_cars, write_crossing
from tests.test_interlock import paper_plan
from tests.test_self_control import SPEED_MPS, approaches, drive, queue

TWO = paper_plan([(0, 1)], ["Gr", "rG"], [(3.0, 2.0)] * 2, links=approaches(2))
THREE = paper_plan([(0, 1), (0, 2), (1, 2)], ["Grr", "rGr", "rrG"], [(3.0, 2.0)] * 3, links=approaches(3))
ways_m = st.lists(st.tuples(st.integers(0, 3), st.floats(-1, 220)), max_size=20)


def sorted_cars(rows):
    rows = sorted(rows, key=lambda row: row[1])
    return np.array([link for link, _ in rows], dtype=np.int64), np.array(
        [way_m for _, way_m in rows], dtype=np.float64
    )


@settings(deadline=None)
@given(ways_m, ways_m, st.floats(0, 15), st.integers(0, 9))
def test_delays_are_carried_as_the_plain_twin_carries_them(now, before, elapsed_s, seed):
    link, distance_m = sorted_cars(now)
    before_link, before_m = sorted_cars(before)
    delay_s = np.random.default_rng(seed).uniform(0, 99, len(before_m))
    what = (link, distance_m, before_link, before_m, delay_s, np.array([13.9, 8.3, 0.0, 27.8]), elapsed_s)
    np.testing.assert_allclose(carried_delays(*what), horizon_oracles.carried_delays(*what), atol=1e-9)


def carried(now_m, before_m, delay_s, elapsed_s=1.0):
    rows = (np.zeros(len(now_m), dtype=np.int64), np.array(now_m), np.zeros(len(before_m), dtype=np.int64))
    made = carried_delays(*rows, np.array(before_m), np.array(delay_s), np.array([10.0]), elapsed_s)
    return made.tolist()


def test_delays_by_hand():
    # a queue stands for a second; the last one drives 5 m of the 10 m that it could
    assert carried([1.0, 8.0, 30.0], [1.0, 8.0, 35.0], [4.0, 2.0, 0.0]) == [5.0, 3.0, 0.5]
    # the first has passed the line, the others moved up, and one has come
    assert carried([2.0, 10.0, 195.0], [1.0, 10.0, 18.0], [9.0, 5.0, 3.0]) == pytest.approx([5.2, 3.2, 0.0])
    assert carried([], [1.0], [9.0]) == []
    assert carried([190.0], [], []) == [0.0]


@st.composite
def approaching(draw):
    """Vehicles by arrival, lanes and flows of four links, headways, worth, gap."""
    rows = draw(st.lists(st.tuples(st.floats(0, 40), st.integers(0, 3), st.floats(1, 4)), max_size=30))
    rows.sort(key=lambda row: row[0])
    return (
        np.array([link for _, link, _ in rows], dtype=np.int64),
        np.array([come_s for come_s, _, _ in rows], dtype=np.float64),
        np.array(draw(st.lists(st.integers(0, 3), min_size=4, max_size=4))),
        np.array(draw(st.lists(st.integers(-1, 3), min_size=4, max_size=4))),
        np.array(draw(st.lists(st.sampled_from([1.9, 0.95]), min_size=4, max_size=4))),
        np.array([worth for _, _, worth in rows], dtype=np.float64),
        draw(st.sampled_from([0.5, 3.0, 8.0])),
    )


@settings(deadline=None, max_examples=150)
@given(approaching())
def test_clusters_are_those_of_the_plain_twin(what):
    start, table = clusters(*what)
    twin = horizon_oracles.clusters(
        *(part.tolist() if isinstance(part, np.ndarray) else part for part in what), MAX_STATES
    )
    found = [table[a:b].tolist() for a, b in itertools.pairwise(start)]
    assert [len(jobs) for jobs in found] == [len(jobs) for jobs in twin]
    for ours, theirs in zip(found, twin, strict=True):
        np.testing.assert_allclose(np.array(ours).reshape(-1, 4), np.array(theirs).reshape(-1, 4), rtol=1e-9)


def test_clusters_by_hand():
    one = np.zeros(1, dtype=np.int64)
    come_s = np.array([0.0, 0.0, 0.0, 20.0])
    start, table = clusters(np.zeros(4, dtype=np.int64), come_s, one, one, np.array([2.0]), np.ones(4), 3.0)
    # three that stand leave at 0, 2 and 4 s and are through at 6; the fourth comes alone
    assert start.tolist() == [0, 2]
    assert table.tolist() == [[3.0, 0.0, 6.0, 6.0], [1.0, 20.0, 22.0, 2.0]]


def test_more_flows_than_a_schedule_can_hold_are_one_cluster_each():
    twelve = np.arange(12)
    link = np.repeat(twelve, 3)
    come_s = np.tile([0.0, 20.0, 40.0], 12)
    start, table = clusters(link, come_s, twelve, twelve, np.full(12, 1.9), np.ones(36), 3.0)
    assert start.tolist() == list(range(13))
    assert table[:, 0].tolist() == [3.0] * 12


def test_a_junction_of_many_flows_is_served_where_most_are():
    states = ["".join("G" if bit == stage else "r" for bit in range(12)) for stage in range(12)]
    pairs = [(a, b) for a in range(12) for b in range(a)]
    plan = paper_plan(pairs, states, [(3.0, 2.0)] * 12, links=approaches(12))
    law = RollingHorizon(plan, RollingHorizonParameters())
    cars = [car for bit in range(12) for car in queue(bit, 9 if bit == 7 else 1)]
    assert law.wish(seen([*cars[1:]], count=12)) == 7


@st.composite
def jobs(draw):
    """Up to three flows with up to three clusters each, one to three stages that serve every flow."""
    flows = []
    for _ in range(draw(st.integers(1, 3))):
        clock, own = 0.0, []
        for _ in range(draw(st.integers(0, 3))):
            clock += draw(st.floats(0, 15))
            weight, least_s = draw(st.floats(1, 9)), draw(st.floats(1, 12))
            own.append((weight, clock, clock + least_s + draw(st.floats(0, 5)), least_s))
            clock = own[-1][2]
        flows.append(own)
    stages = draw(st.integers(1, 3))
    pace = [[draw(st.sampled_from([0.0, 1.0, 1.6])) for _ in flows] for _ in range(stages)]
    pace[0] = [1.0 if not any(row[number] for row in pace) else pace[0][number] for number in range(len(flows))]
    change_s = [[0.0 if a == b else draw(st.floats(3, 9)) for b in range(stages)] for a in range(stages)]
    return flows, pace, change_s, [draw(st.floats(4, 12)) for _ in range(stages)], draw(st.integers(0, stages - 1))


def scheduled(flows, pace, change_s, least_s, now):
    start = np.cumsum([0, *(len(own) for own in flows)])
    table = np.array([job for own in flows for job in own]).reshape(-1, 4)
    return schedule(start, table, np.array(pace, dtype=float), np.array(change_s), np.array(least_s, dtype=float), now)


@settings(deadline=None, max_examples=200)
@given(jobs())
def test_a_schedule_costs_what_the_plain_twin_finds(what):
    stage, spare_s, delay_s = scheduled(*what)
    assert stage in range(len(what[1]))
    assert spare_s >= 0
    assert delay_s == pytest.approx(horizon_oracles.schedule(*what), rel=1e-9, abs=1e-9)


APART = ([[1.0, 0.0], [0.0, 1.0]], [[0.0, 6.0], [6.0, 0.0]], [5.0, 5.0], 0)


def test_schedules_by_hand():
    # one vehicle each, waiting: who is green goes first (2 s), the other starts after 2 + 6 s
    assert scheduled([[(1.0, 0.0, 2.0, 2.0)], [(1.0, 0.0, 2.0, 2.0)]], *APART) == (0, 0.0, 8.0)
    # nobody at the green stage for 30 s: the other is served at once and waits 6 s, and the change back costs nobody
    assert scheduled([[(1.0, 30.0, 32.0, 2.0)], [(1.0, 0.0, 2.0, 2.0)]], *APART) == (1, 0.0, 6.0)
    # a cluster of four, 8 s long, takes 4 s once it has queued: it waits 6 s less half of the 4 s that it is shorter
    assert scheduled([[], [(4.0, 0.0, 8.0, 4.0)]], *APART) == (1, 0.0, 4 * (6 - 4 / 2))
    assert scheduled([[], []], *APART) == (0, 0.0, 0.0)
    # whoever comes in 20 s needs no change of stage before 14 s have passed
    assert scheduled([[], [(1.0, 20.0, 22.0, 2.0)]], *APART) == (1, 14.0, 0.0)


def seen(cars, stage=0, time_s=100.0, blocked=None, green_s=20.0, count=2, weight=1.0):
    """``cars``: link, distance and speed of each."""
    row, distance_m, speed_mps = (np.array([car[k] for car in cars], dtype=float) for k in range(3))
    wanted = np.bincount(row.astype(int), minlength=count).astype(float)
    halted = np.bincount(row[speed_mps < 0.1].astype(int), minlength=count).astype(float)
    return Observation(
        time_s=time_s, stage=stage, green_s=green_s, vehicles=wanted, halted=halted, nearest_m=wanted,
        closeness=wanted, ahead=np.zeros(count), blocked=np.array(blocked or [False] * count),
        bus_lateness_s=np.full(count, np.nan),
        approaching=Approaching(
            row.astype(np.int64), distance_m, speed_mps, np.full(len(row), weight), first=0, range_m=200.0
        ),
    )  # fmt: skip


def rolling(**parameters):
    return RollingHorizon(TWO, RollingHorizonParameters(**parameters))


def test_rolling_horizon_serves_who_is_there_and_stays_where_nobody_comes():
    assert rolling().wish(seen([])) == 0
    assert rolling().wish(seen([], stage=1)) == 1
    assert rolling().wish(seen(queue(1, 1))) == 1
    assert rolling().wish(seen([*queue(0, 1), *queue(1, 9)], blocked=[False, True])) == 0


def test_rolling_horizon_lets_a_queue_discharge_and_waits_for_a_platoon_that_pays():
    assert rolling().wish(seen([*queue(0, 6), *queue(1, 1)])) == 0
    assert rolling().wish(seen([(0, 190.0, SPEED_MPS), *queue(1, 6)])) == 1
    platoon = [(0, SPEED_MPS * (2 + 2 * number), SPEED_MPS) for number in range(6)]
    assert rolling().wish(seen([*platoon, *queue(1, 1)])) == 0


def test_rolling_horizon_lets_a_lonely_queue_age():
    control = rolling(ageing_s=20.0)
    stream = [(0, SPEED_MPS * (1 + 3 * number), SPEED_MPS) for number in range(4)]
    wishes = [control.wish(seen([*stream, *queue(1, 1)], time_s=100.0 + waited_s)) for waited_s in range(0, 200, 10)]
    assert wishes == sorted(wishes)
    assert wishes[-1] == 1


def delay_based(**parameters):
    return DelayBased(TWO, DelayBasedParameters(**parameters))


def test_delay_based_control_serves_who_has_lost_most_not_who_are_most():
    law = delay_based()
    for waited_s in range(40):
        law.wish(seen(queue(1, 1), time_s=100.0 + waited_s, green_s=0.0))
    newcomers = [(0, 20.0 + 7.5 * number, 0.5) for number in range(5)]
    assert law.wish(seen([*newcomers, *queue(1, 1)], time_s=140.0)) == 1
    assert delay_based().wish(seen([*newcomers, *queue(1, 1)])) == 0


def test_under_delay_based_control_nobody_starves():
    # a stream 20 m apart at half of the limit, so that each has lost up to 14 s, and one that waits: it outgrows them
    law, times = delay_based(), []
    for second in range(300):
        stream = [(0, 20.0 * number + 20 - SPEED_MPS / 2 * second % 20, SPEED_MPS / 2) for number in range(9)]
        times.append(law.wish(seen([*stream, *queue(1, 1)], time_s=100.0 + second, green_s=float(second))))
    assert times[5:50] == [0] * 45
    assert 50 < times.index(1, 5) < 120


def test_delay_based_control_holds_green_for_delayed_vehicles_up_to_the_maximum():
    for way_m, green_s, wish in ((30.0, 20.0, 0), (30.0, 50.0, 1), (100.0, 20.0, 1)):
        law = delay_based()
        for second in range(5):
            cars = [(0, way_m + 4.0 - second, 1.0), *queue(1, 3)]
            last = law.wish(seen(cars, time_s=100.0 + second, green_s=green_s))
        assert last == wish, (way_m, green_s)


def sotl(plan=TWO, **parameters):
    return Sotl(plan, SotlParameters(**parameters))


def test_sotl_changes_when_those_who_wait_add_up():
    # two at red, a look each second: 2 x 26 is the first sum above 50
    law = sotl(theta_veh_s=50.0)
    wishes = [law.wish(seen(queue(1, 2), time_s=float(second))) for second in range(30)]
    assert wishes.index(1) == 26
    assert law.wish(seen(queue(1, 2), stage=1, time_s=31.0)) == 1


def test_sotl_lets_the_end_of_a_platoon_through_and_cuts_a_long_one():
    for cars, wish in ((0, 1), (1, 0), (3, 0), (4, 1)):
        law = sotl()
        crossing = [(0, 2.0 + 7.0 * number, SPEED_MPS) for number in range(cars)]
        looks = [law.wish(seen([*crossing, *queue(1, 3)], time_s=float(second))) for second in range(30)]
        assert looks[-1] == wish, cars


def test_sotl_goes_to_the_greatest_sum_and_counts_nobody_before_a_full_street():
    law = Sotl(THREE, SotlParameters())
    cars = [*queue(1, 2), *queue(2, 5)]
    assert [law.wish(seen(cars, time_s=second, count=3)) for second in (0.0, 30.0)] == [0, 2]
    law = Sotl(THREE, SotlParameters())
    full = [False, False, True]
    assert [law.wish(seen(cars, time_s=second, count=3, blocked=full)) for second in (0.0, 30.0)] == [0, 1]


@pytest.mark.parametrize("name", ["sotl", "delay-based", "rolling-horizon"])
def test_no_link_with_somebody_on_it_is_red_for_longer_than_the_interlock_allows(name):
    kind = CONTROLLERS[name]
    law, state, green_s = kind.make(THREE, kind.parameters()), begin(THREE, 0, 0.0), [0.0] * 3
    busy = [*queue(0, 20), *queue(1, 1), (2, 150.0, 0.0)]
    for second in range(600):
        state = advance(THREE, state, float(second))
        green_s = [
            float(second) if state.is_steady and bit == state.stage else at_s for bit, at_s in enumerate(green_s)
        ]
        assert second - min(green_s) <= 120 + 2 * 15
        if may_switch(THREE, state, float(second)):
            wish = law.wish(seen(busy, state.stage, float(second), count=3, green_s=second - state.since_s))
            state, _ = order(THREE, state, wish, float(second), np.array([True] * 3))


def test_on_a_small_crossing_each_beats_fixed_times(tmp_path):
    network, routes = write_crossing(tmp_path), write_cars(tmp_path / "cars.rou.xml", 60, 20)
    names = ("static", "sotl", "delay-based", "rolling-horizon")
    specs = [
        RunSpec(name, name, 1, network, (routes,), 0.0, 300.0, ("c",), ("c",), clearance=Clearance.ITE)
        for name in names
    ]
    static, *ours = drive(specs)
    for row in ours:
        assert row.delay_per_scheduled_s < static.delay_per_scheduled_s, row.variant
        assert (row.monitor_violations, row.gridlocked, row.never_inserted) == (0, False, 0)
