"""The interlock keeps its promises whatever is wished; every sequence is judged by an oracle that knows no stages."""

import random
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from networks.netxml import read_network
from signals.intergreen import Clearance, LinkClearance, starting_links
from signals.interlock import advance, begin, change_due_s, may_switch, order, shown, transition
from signals.plan import SignalPlan, Stage
from tests.made_plans import CAR, PEOPLE, plans, real_plans
from tests.oracles import green_spans, red_spans, signal_faults

seeds = st.integers(0, 2**32)
RESCO = ("cologne1", "cologne8", "ingolstadt1", "ingolstadt7")


def play(plan, wishes, demand, step_s, steps, max_red_s=120.0):
    """Times and states shown; ``wishes`` and ``demand`` are asked whenever the signal may switch."""
    state = begin(plan, 0, 0.0)
    times, states, refusals = [], [], []
    for number in range(steps):
        now_s = round(number * step_s, 6)
        state = advance(plan, state, now_s)
        if may_switch(plan, state, now_s):
            state, refusal = order(plan, state, wishes(), now_s, demand(), max_red_s)
            refusals += [refusal] if refusal else []
        times.append(now_s)
        states.append(shown(plan, state, now_s))
    return times, states, refusals


def half_of(chance, count):
    return chance.random(count) < 0.5


def longest_change_s(plan):
    """The longest time from an order to the end of the next stage's minimum green (s), clearing of others included."""
    change_s = max(transition(plan, a.state, b.state).total_s for a in plan.stages for b in plan.stages)
    clearing_s = max(clearance.total_s for clearance in plan.clearances)
    return change_s + clearing_s + 1 + max(stage.min_green_s for stage in plan.stages)


def paper_plan(foes, stages, clearances, links=None, min_green_s=5.0):
    count = len(stages[0])
    matrix = np.zeros((count, count), dtype=bool)
    for a, b in foes:
        matrix[a, b] = matrix[b, a] = True
    return SignalPlan(
        "paper",
        links or (CAR,) * count,
        tuple(Stage(state, min_green_s, 50.0, 20.0) for state in stages),
        tuple(LinkClearance(*times) for times in clearances),
        matrix,
        np.zeros_like(matrix),
        0,
    )


@settings(max_examples=120, deadline=None)
@given(plans(), st.sampled_from([0.1, 0.5, 1.0]), seeds)
def test_no_wishes_make_it_unsafe(plan, step_s, seed):
    chance = random.Random(seed)
    times, states, _ = play(
        plan,
        lambda: chance.randint(-1, len(plan.stages)),
        lambda: np.array([chance.random() < 0.5 for _ in plan.links]),
        step_s,
        steps=int(200 / step_s) if step_s > 0.1 else 1000,
    )
    assert signal_faults(times, states, plan) == []


@settings(max_examples=60, deadline=None)
@given(plans(), seeds)
def test_every_green_lasts_as_long_as_its_stage_must(plan, seed):
    chance = random.Random(seed)
    times, states, _ = play(
        plan, lambda: chance.randrange(len(plan.stages)), lambda: np.zeros(len(plan.links), bool), 0.5, 600
    )
    for bit in range(len(plan.links)):
        least_s = min([stage.min_green_s for stage in plan.stages if bit in stage.greens], default=0.0)
        assert all(end_s - begin_s >= least_s - 1e-3 for begin_s, end_s in green_spans(times, states, bit))


@settings(max_examples=60, deadline=None)
@given(plans(), st.sampled_from(["stay", "random", "nonsense"]), seeds)
def test_a_link_that_somebody_wants_is_served_in_time(plan, habit, seed):
    chance = random.Random(seed)
    wishes = {"stay": lambda: 0, "random": lambda: chance.randrange(len(plan.stages)), "nonsense": lambda: 99}
    max_red_s = 60.0
    times, states, _ = play(plan, wishes[habit], lambda: np.ones(len(plan.links), bool), 1.0, 900, max_red_s)
    # one change may have begun just before, and each stage may have to come first once; a second a change to see it
    bound_s = max_red_s + len(plan.stages) * (longest_change_s(plan) + 2)
    for bit in range(len(plan.links)):
        if any(bit in stage.greens for stage in plan.stages):
            spans = red_spans(times, states, bit)
            assert all(min(end_s, times[-1]) - begin_s <= bound_s for begin_s, end_s in spans)


@settings(max_examples=60, deadline=None)
@given(plans(), st.data())
def test_the_way_between_two_stages_is_that_of_this_pair(plan, data):
    before = data.draw(st.sampled_from(plan.stages)).state
    after = data.draw(st.sampled_from(plan.stages)).state
    way = transition(plan, before, after)
    starting = starting_links(before, after)
    for bit in range(len(plan.links)):
        if before[bit] in "gG" and after[bit] == before[bit]:
            assert all(letters[bit] == before[bit] for _, letters in way.steps)
        if bit in starting:
            assert all(letters[bit] == before[bit] for _, letters in way.steps)
    ending = [bit for bit in range(len(plan.links)) if before[bit] in "gG" and after[bit] not in "gG"]
    if not ending and not any(before[bit] == "G" and after[bit] == "g" for bit in range(len(plan.links))):
        assert way.total_s == 0


@pytest.mark.parametrize("clearance", list(Clearance))
@pytest.mark.parametrize("name", [*RESCO, "adlershof"])
def test_real_plans_stay_safe_under_random_wishes(name, clearance, request):
    if name == "adlershof":
        path = request.getfixturevalue("adlershof")
    else:
        path = request.getfixturevalue("data_dir") / "resco" / name / f"{name}.net.xml.gz"
    chance = np.random.default_rng(1)
    for plan in real_plans(read_network(path), clearance):
        wishes = partial(chance.integers, len(plan.stages))
        times, states, _ = play(plan, wishes, partial(half_of, chance, len(plan.links)), 1.0, 600)
        assert signal_faults(times, states, plan) == []
        assert len(set(states)) > len(plan.stages)


def test_a_change_at_a_plain_crossing():
    plan = paper_plan([(0, 1)], ["Gr", "rG"], [(3.3, 2.24), (3.0, 1.0)])
    state, refusal = order(plan, begin(plan, 0, 0.0), 1, 5.0, np.ones(2, bool))
    assert refusal is None
    sequence = [(now_s, shown(plan, advance(plan, state, now_s), now_s)) for now_s in (5.0, 8.2, 8.3, 10.5, 10.54)]
    assert sequence == [(5.0, "yr"), (8.2, "yr"), (8.3, "rr"), (10.5, "rr"), (10.54, "rG")]
    assert [change_due_s(plan, state, now_s) for now_s in (5.0, 8.3)] == pytest.approx([8.3, 10.54])


def test_people_finish_while_vehicles_keep_their_green():
    plan = paper_plan([(0, 2), (1, 2)], ["GGr", "rrG"], [(3.0, 2.0), (0.0, 11.5), (3.0, 2.0)], (CAR, PEOPLE, CAR))
    way = transition(plan, "GGr", "rrG")
    # 11.5 s to cross, 5 s to clear: a hold of 6.5 s, of 7 s so that yellow begins on a whole second
    assert way.steps == ((0.0, "Grr"), (7.0, "yrr"), (10.0, "rrr"))
    assert way.total_s == 12.0


def test_links_green_in_both_keep_green_and_a_foe_of_nobody_waits_for_yellow_only():
    plan = paper_plan([(0, 2)], ["GGr", "rGG", "Grr"], [(3.0, 2.0)] * 3)
    assert transition(plan, "GGr", "rGG").steps == ((0.0, "yGr"), (3.0, "rGr"))
    assert transition(plan, "GGr", "Grr").total_s == 3.0
    assert transition(plan, "Grr", "GGr").total_s == 0.0


def test_protected_green_ends_by_yellow_before_it_becomes_permitted():
    plan = paper_plan([(0, 1)], ["Gr", "gG"], [(3.0, 2.0)] * 2)
    way = transition(plan, "Gr", "gG")
    assert way.steps == ((0.0, "yr"), (3.0, "rr"))
    assert way.total_s == 5.0


def test_people_still_crossing_after_a_short_stage_are_waited_for():
    # people end with the first change, when no foe of theirs starts; the second change brings their foe
    plan = paper_plan([(0, 2)], ["Grr", "rGr", "rrG"], [(0.0, 20.0), (3.0, 0.0), (3.0, 0.0)], (PEOPLE, CAR, CAR))
    state, _ = order(plan, begin(plan, 0, 0.0), 1, 5.0, np.zeros(3, bool))
    assert (state.stage, state.is_steady) == (1, True)
    state, _ = order(plan, state, 2, 10.0, np.zeros(3, bool))
    assert state.course is not None
    assert 10.0 + state.course.total_s >= 5.0 + 20.0
    assert shown(plan, state, 21.0) == "rGr"


def test_a_wish_for_no_stage_is_refused_and_starves_nobody():
    plan = paper_plan([(0, 1)], ["Gr", "rG"], [(3.0, 2.0)] * 2)
    state = begin(plan, 0, 0.0)
    stays, refusal = order(plan, state, 7, 20.0, np.ones(2, bool))
    assert (stays, refusal.reason) == (state, "there is no stage 7")
    moved, refusal = order(plan, state, 7, 115.0, np.ones(2, bool))
    assert moved.target == 1
    assert refusal.reason == "link 1 would be red for more than 120 s: stage 1 first"


def test_maximum_red_counts_only_where_somebody_waits():
    plan = paper_plan([(0, 1)], ["Gr", "rG"], [(3.0, 2.0)] * 2)
    state = begin(plan, 0, 0.0)
    assert order(plan, state, 0, 1000.0, np.array([True, False])) == (state, None)


def test_a_wish_is_refused_while_minimum_green_runs():
    plan = paper_plan([(0, 1)], ["Gr", "rG"], [(3.0, 2.0)] * 2)
    state = begin(plan, 0, 0.0)
    after, refusal = order(plan, state, 1, 4.9, np.ones(2, bool))
    assert (after, refusal.reason) == (state, "minimum green or intergreen is running")
    assert order(plan, state, 0, 4.9, np.ones(2, bool)) == (state, None)
