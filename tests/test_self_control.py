"""Self-control: its kernels against plain twins, decisions known on paper, and a small crossing driven with it."""

import math
from dataclasses import replace
from multiprocessing import get_context

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from networks.netxml import read_network
from signals.approaching import Approaching
from signals.intergreen import Clearance
from signals.interlock import SignalState, advance, begin, may_switch, order, shown
from signals.kernels import StageLaw, arrivals, service_rate
from signals.movement import Link
from signals.observation import Look, Observation, observe
from signals.plan import build_plan
from signals.self_control import SelfControl, SelfControlParameters, SelfControlTeam
from signals.team import OneByOne
from sim.engine import Engine
from sim.options import SumoOptions
from sim.run import RunSpec, simulate
from sim.watch import Watch
from tests import signal_oracles
from tests.crossing import write_cars, write_crossing
from tests.oracles import red_spans
from tests.signal_streets import link_of, write_streets
from tests.test_interlock import paper_plan
from tests.test_watch import write_routes

INFINITE = float("inf")
SPEED_MPS = 13.9
links = st.integers(0, 3)
seconds = st.floats(0, 60)
ways = st.one_of(st.floats(-5, 400), st.just(float("nan")), st.just(INFINITE))
speeds = st.one_of(st.floats(-1, 40), st.just(float("nan")))


def approaches(count):
    """Links of that many approaches, each with a lane of its own."""
    return tuple(Link((bit,), (count + bit,), SPEED_MPS, 20.0, 0.0) for bit in range(count))


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(-2, 6), ways, speeds), max_size=25), st.integers(0, 2))
def test_arrivals_are_what_the_plain_twin_predicts(rows, first):
    row, distance_m, speed_mps = (np.array([line[k] for line in rows], dtype=float) for k in range(3))
    free_mps = np.array([13.9, 8.3, 0.0, 27.8])
    weight = np.arange(len(row), dtype=float)
    who = Approaching(row.astype(np.int64), distance_m, speed_mps, weight, first, 200.0)
    link, time_s, counts = arrivals(who, free_mps)
    twin = signal_oracles.arrivals(row, distance_m, speed_mps, first, 200.0, free_mps)
    assert link.tolist() == [bit for bit, _ in twin]
    np.testing.assert_allclose(time_s, [come_s for _, come_s in twin], atol=1e-5)
    assert row[counts.astype(int)].tolist() == [bit + first for bit in link.tolist()]


def test_arrivals_by_hand():
    # at the limit: 139 m in 10 s; from a stand at 2.6 m/s2: 5.2 m in 2 s; at the line and beyond it: now
    row, distance_m, speed_mps = (
        np.array([0, 0, 0, 1]),
        np.array([139.0, 5.2, -1.0, 1.0]),
        np.array([13.9, 0, 3.0, 9.0]),
    )
    link, time_s, _ = arrivals(Approaching(row, distance_m, speed_mps, np.ones(4), 0, 200.0), np.array([13.9]))
    assert link.tolist() == [0, 0, 0]
    assert time_s.tolist() == pytest.approx([0.0, 2.0, 10.0])


@st.composite
def situations(draw):
    """Vehicles, lanes, headways, starts, who yields, ends, worth: four links, one to three stages."""
    vehicles = sorted(draw(st.lists(st.tuples(seconds, links), max_size=25)))
    stages = draw(st.integers(1, 3))
    headway_s = draw(st.lists(st.sampled_from([1.9, 1.9, 3.0, INFINITE]), min_size=4 * stages, max_size=4 * stages))
    start_s = draw(st.lists(st.floats(0, 9), min_size=4 * stages, max_size=4 * stages))
    least_s = draw(st.lists(st.floats(1, 20), min_size=stages, max_size=stages))
    return (
        np.array([link for _, link in vehicles], dtype=np.int64),
        np.array([come_s for come_s, _ in vehicles]),
        np.array(draw(st.lists(links, min_size=4, max_size=4))),
        np.array(headway_s).reshape(stages, 4),
        np.array(start_s).reshape(stages, 4),
        np.array(draw(st.lists(st.booleans(), min_size=16, max_size=16))).reshape(4, 4),
        np.array([least_s, [draw(st.floats(0, 3))] * stages]),
        np.array(draw(st.lists(st.floats(1, 4), min_size=4, max_size=4))),
    )


@settings(deadline=None, max_examples=300)
@given(situations())
def test_rates_are_what_the_plain_twin_finds(what):
    np.testing.assert_allclose(rates(*what), signal_oracles.service_rates(*what), rtol=1e-9, atol=1e-9)


def rates(link, come_s, lane, headway_s, start_s, yields, ends_s, worth):
    """Rate and end of each stage by the kernel, which takes one at a time and who yields as pairs."""
    nothing = np.empty((0, 0))
    law = StageLaw(lane, worth, headway_s, nothing[None], nothing, np.zeros(1, dtype=np.int64), np.argwhere(yields))
    stages = range(len(headway_s))
    return [
        service_rate(
            link, come_s, law, headway_s[k], start_s[k], law.yielding, (ends_s[0, k], ends_s[1, k]), worth[link]
        )
        for k in stages
    ]


def rate(come_s, headway_s=1.9, start_s=0.0, least_s=1.0, penalty_s=0.0):
    """Of one stage with one link."""
    come_s = np.array(come_s, dtype=float)
    one = np.zeros(1, dtype=np.int64)
    table = rates(
        np.zeros(len(come_s), dtype=np.int64), come_s, one, np.array([[headway_s]]), np.array([[start_s]]),
        np.zeros((1, 1), dtype=bool), np.array([[least_s], [penalty_s]]), np.ones(1),
    )  # fmt: skip
    return table[0]


def test_a_platoon_is_served_when_it_has_come():
    # five vehicles 2 s apart from the tenth second on: all of them by 18 s
    assert rate([10, 12, 14, 16, 18]) == (pytest.approx(5 / 18), 18.0)
    # a queue of three leaves at 6, 7.9 and 9.8 s; a change that is over at 12 s at the earliest serves them by then
    assert rate([0, 0, 0], start_s=6.0, least_s=12.0, penalty_s=1.0) == (pytest.approx(3 / 13), 12.0)


def test_nobody_is_served_on_an_empty_approach_or_at_red():
    assert rate([]) == (0.0, 1.0)
    assert rate([0, 0], headway_s=INFINITE) == (0.0, 1.0)
    assert rate([41.0]) == (0.0, 1.0)


def test_who_must_yield_waits_for_the_gap():
    # four oncoming vehicles leave at 0, 1.9, 3.8, 5.7 s, the next comes at 20 s; who turns starts behind the fourth
    link, come_s = np.array([0, 0, 0, 0, 1, 0]), np.array([0.0, 0, 0, 0, 0, 20])
    yields = np.array([[False, False], [True, False]])
    what = [link, come_s, np.array([0, 1]), np.array([[1.9, 3.0]]), np.zeros((1, 2))]
    worth = np.array([0.0, 1.0])
    ends = np.array([[1.0], [0.0]])
    assert rates(*what, yields, ends, worth)[0] == pytest.approx((1 / 5.7, 5.7))
    assert rates(*what, np.zeros((2, 2), dtype=bool), ends, worth)[0] == (1.0, 1.0)


TWO = paper_plan([(0, 1)], ["Gr", "rG"], [(3.0, 2.0)] * 2, links=approaches(2))


def seen(cars, stage=0, time_s=100.0, blocked=(False, False), count=2):
    """``cars``: link, distance and speed of each."""
    row, distance_m, speed_mps = (np.array([car[k] for car in cars], dtype=float) for k in range(3))
    halted = np.array([float(np.sum((row == bit) & (speed_mps < 0.1))) for bit in range(count)])
    wanted = np.array([float(np.sum(row == bit)) for bit in range(count)])
    return Observation(
        time_s=time_s, stage=stage, green_s=20.0, vehicles=wanted, halted=halted, nearest_m=wanted, closeness=wanted,
        ahead=np.zeros(count), blocked=np.array(blocked), bus_lateness_s=np.full(count, np.nan),
        approaching=Approaching(row.astype(np.int64), distance_m, speed_mps, np.ones(len(row)), 0, 200.0),
    )  # fmt: skip


def queue(link, cars):
    return [(link, 1 + 7.5 * number, 0.0) for number in range(cars)]


def law(plan=TWO, **parameters):
    return SelfControl(plan, SelfControlParameters(**parameters))


def test_it_stays_where_nobody_comes():
    assert law().wish(seen([])) == 0
    assert law().wish(seen([], stage=1)) == 1


def test_it_serves_who_waits_where_nobody_else_comes():
    assert law().wish(seen(queue(1, 1))) == 1


def test_a_queue_that_discharges_is_not_interrupted():
    # 10 vehicles in 6 + 9 x 1.9 s and a second of penalty: 0.41 a second, against one vehicle now
    assert law().wish(seen([*queue(0, 5), *queue(1, 10)])) == 0
    assert law().wish(seen([(0, 150.0, SPEED_MPS), *queue(1, 10)])) == 1


def test_a_platoon_under_way_is_waited_for_only_when_that_pays():
    # four vehicles 2 s apart that reach the line in 3 s and on, against one that waits
    platoon = [(0, SPEED_MPS * (3 + 2 * number), SPEED_MPS) for number in range(4)]
    assert law().wish(seen([*platoon, *queue(1, 1)])) == 0
    assert law().wish(seen([*platoon[3:], *queue(1, 3)])) == 1


def test_a_full_street_is_not_served():
    assert law().wish(seen([*queue(0, 1), *queue(1, 9)], blocked=(False, True))) == 0
    assert law().wish(seen([*queue(0, 9), *queue(1, 1)], blocked=(True, False))) == 1


def test_who_has_waited_too_long_comes_first():
    control = law(longest_wait_s=60.0, ageing_s=1e9)
    busy = [*queue(0, 20), *queue(1, 1)]
    assert [control.wish(seen(busy, time_s=100.0 + waited_s)) for waited_s in (0, 59, 60)] == [0, 0, 1]
    # once its link has been green the wait begins anew
    assert control.wish(seen(queue(0, 20), stage=1, time_s=170.0)) == 0
    assert control.wish(seen(busy, time_s=180.0)) == 0


def test_a_queue_counts_more_as_it_ages():
    control = law(longest_wait_s=1e9, ageing_s=20.0)
    some = [(0, 2.0 * SPEED_MPS, SPEED_MPS), *queue(1, 2)]
    wishes = [control.wish(seen(some, time_s=100.0 + waited_s)) for waited_s in range(0, 121, 20)]
    assert wishes == sorted(wishes)
    assert (wishes[0], wishes[-1]) == (0, 1)


def test_whatever_is_seen_the_answer_is_a_stage_and_the_same_again():
    chance = np.random.default_rng(4)
    looks = []
    for second in range(200):
        cars = [(chance.integers(2), chance.uniform(0, 250), chance.uniform(0, 20)) for _ in range(chance.integers(9))]
        looks.append(seen(cars, int(chance.integers(2)), float(second), chance.random(2) < 0.3))
    first, second = ([control.wish(look) for look in looks] for control in (law(), law()))
    assert first == second
    assert set(first) <= {0, 1}


THREE = paper_plan(
    [(0, 1), (1, 2)], ["GrG", "rGr", "Grg"], [(3.0, 2.0), (4.0, 1.0), (3.0, 1.0)], links=approaches(3), min_green_s=7.0
)


def test_a_team_wishes_what_each_of_it_would_wish_alone():
    chance = np.random.default_rng(8)
    plans, rows = [TWO, THREE, TWO], [slice(0, 2), slice(2, 5), slice(5, 7)]
    together = SelfControlTeam([law(plan) for plan in plans], rows)
    alone = OneByOne([law(plan) for plan in plans], rows)
    told = []
    for second in range(300):
        count = chance.integers(20)
        row, distance_m = chance.integers(0, 7, count), chance.uniform(0, 250, count)
        speed_mps = chance.choice([0.0, 5.0, 13.0], count)
        halted = np.bincount(row, speed_mps == 0, 7)
        nothing = np.zeros(7)
        who = Approaching(row, distance_m, speed_mps, chance.choice([1.0, 5.0], count), 0, 200.0)
        blocked = chance.random(7) < 0.2
        look = Look(float(second), who, nothing, halted, nothing, nothing, nothing, blocked, nothing)
        asked = sorted(chance.choice(3, chance.integers(1, 4), replace=False).tolist())
        states = [SignalState(int(chance.integers(2)), 0, 0.0, ()) for _ in asked]
        wishes = together.wishes(asked, states, look)
        assert list(wishes) == alone.wishes(asked, states, look)
        told += [wish != state.stage for wish, state in zip(wishes, states, strict=True)]
    assert 0.1 < np.mean(told) < 0.9


def test_a_vehicle_with_priority_counts_for_many():
    # three wait at the one side, one at the other, which changes nothing unless it counts for twenty
    cars = [*queue(0, 3), *queue(1, 1)]
    plain = seen(cars)
    who = plain.approaching
    heavy = replace(plain, approaching=who._replace(weight=np.where(who.row == 1, 20.0, 1.0)))
    assert (law().wish(plain), law().wish(heavy)) == (0, 1)


def test_the_interlocks_maximum_red_stays_binding():
    control = law(longest_wait_s=1e9, ageing_s=1e9)
    busy, state, letters = [*queue(0, 20), (1, 90.0, 0.0)], begin(TWO, 0, 0.0), []
    times = [float(second) for second in range(400)]
    for now_s in times:
        state = advance(TWO, state, now_s)
        if may_switch(TWO, state, now_s):
            wish = control.wish(seen(busy, state.stage, now_s))
            assert wish == 0
            state, _ = order(TWO, state, wish, now_s, np.array([True, True]))
        letters.append(shown(TWO, state, now_s))
    # by itself it would stay with the queue for ever
    reds_s = [end_s - begin_s for begin_s, end_s in red_spans(times, letters, 1) if end_s < INFINITE]
    assert reds_s == [120.0, 120.0, 120.0]


@pytest.fixture
def streets(tmp_path):
    """Two signals on a street from west to east, each with a side street from the south."""
    places = {"w": (-200, 0), "a": (0, 0), "b": (120, 0), "e": (320, 0), "s": (0, -200), "t": (120, -200)}
    ways = {name: (name[0], name[1]) for name in ("wa", "ab", "be", "sa", "tb")}
    return write_streets(tmp_path, places, ways, {"a": "one", "b": "two"})


def test_it_sees_each_vehicle_at_the_signal_and_link_that_it_comes_to_next(streets, tmp_path):
    cars = [("wa ab be", 150, 150), ("wa ab be", 100, 100), ("sa ab be", 160, 160), ("ab be", 50, 50), ("tb be", 9, 9)]
    with get_context("spawn").Pool(1) as pool:
        looks = pool.apply(_looks, (streets, write_routes(tmp_path, *cars)))
    network = read_network(streets)
    for signal, ways in {"one": {"wa": 2, "sa": 1}, "two": {"ab": 1, "tb": 1}}.items():
        link, distance_m, nearest_m = looks[signal]
        bits = {begin: link_of(network, signal, begin, {"one": "ab", "two": "be"}[signal]) for begin in ways}
        assert {begin: link.count(bit) for begin, bit in bits.items()} == ways
        assert len(link) == sum(ways.values())
        for bit in set(link):
            assert nearest_m[bit] == min(way_m for k, way_m in zip(link, distance_m, strict=True) if k == bit)


def _looks(path, routes):
    """Links and distances of the vehicles that each signal sees, and the nearest of each link."""
    network = read_network(path)
    plans = tuple(build_plan(network, name, Clearance.ITE) for name in ("one", "two"))
    with Engine(SumoOptions(path, (routes,), 0.0, 5.0, seed=1)) as engine:
        engine.run_to(5.0)
        watch = Watch(engine.api, network, plans)
        look = watch.look(5.0)
    found = {}
    for plan in plans:
        seen_one = observe(look, watch.rows[plan.signal_id], 0, 5.0)
        who = seen_one.approaching
        mine = (who.row >= who.first) & (who.row < who.first + len(plan.links)) & (who.distance_m <= who.range_m)
        found[plan.signal_id] = (
            (who.row[mine] - who.first).tolist(),
            who.distance_m[mine].tolist(),
            seen_one.nearest_m,
        )
    return found


def drive(specs):
    """Measures of runs, in a process of their own: SUMO runs once in each at a time."""
    with get_context("spawn").Pool(1) as pool:
        return pool.map(_drive, specs)


def _drive(spec):
    return simulate(spec).measures


def test_on_a_small_crossing_it_beats_fixed_times_and_repeats_itself(tmp_path):
    network, routes = write_crossing(tmp_path), write_cars(tmp_path / "cars.rou.xml", 60, 20)
    specs = [
        RunSpec(name, name, 1, network, (routes,), 0.0, 300.0, ("c",), ("c",), clearance=Clearance.ITE)
        for name in ("static", "self-control", "self-control")
    ]
    static, ours, again = drive(specs)
    assert ours.delay_per_scheduled_s < 0.6 * static.delay_per_scheduled_s
    assert (ours.monitor_violations, ours.gridlocked, ours.never_inserted) == (0, False, 0)
    assert math.isclose(ours.delay_per_scheduled_s, again.delay_per_scheduled_s, abs_tol=0.0)
    assert ours.signal_switches == again.signal_switches
