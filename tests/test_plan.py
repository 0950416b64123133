"""Plans from shipped programs: what is a stage, what becomes of protected green for foes, whose times."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from networks.faults import InputError
from networks.network import Phase, Program
from networks.netxml import read_network
from signals.intergreen import Clearance
from signals.plan import build_plan, dominates, is_stage, protected_foes, without_protected_foes
from tests.signal_streets import write_cross

RESCO = ("cologne1", "cologne8", "ingolstadt1", "ingolstadt7")


def ship(network, *phases, kind="static"):
    """Give the only signal of a network another program, as if the network had come with it."""
    program = Program("1", kind, 0.0, tuple(Phase(*phase) for phase in phases))
    signal = network.signals[0]
    object.__setattr__(signal, "programs", (*signal.programs, program))
    return network


@pytest.mark.parametrize("state", ["Gr", "gr", "GG", "Gs", "Go", "oo", "OO"])
def test_what_lets_vehicles_go_is_a_stage(state):
    assert is_stage(state)


@pytest.mark.parametrize("state", ["rr", "yr", "Gy", "GY", "Gu", "ru", "sr"])
def test_what_is_about_to_end_or_to_start_is_none(state):
    assert not is_stage(state)


@st.composite
def states_with_foes(draw):
    count = draw(st.integers(1, 8))
    foes = np.zeros((count, count), dtype=bool)
    responses = np.zeros((count, count), dtype=bool)
    for a in range(count):
        for b in range(a):
            foes[a, b] = foes[b, a] = draw(st.booleans())
            responses[a, b], responses[b, a] = draw(st.booleans()), draw(st.booleans())
    return draw(st.text("GgryYsouO", min_size=count, max_size=count)), foes, responses


@given(states_with_foes())
def test_a_corrected_state_never_has_protected_foes(case):
    state, foes, responses = case
    corrected = without_protected_foes(state, foes, responses)
    assert protected_foes(corrected, foes) == []
    changed = [(old, new) for old, new in zip(state, corrected, strict=True) if old != new]
    assert all(old in "GO" and new == "g" for old, new in changed)
    assert (corrected == state) == (protected_foes(state, foes) == [])


def test_who_must_yield_becomes_permitted():
    foes = np.array([[0, 1, 0], [1, 0, 0], [0, 0, 0]], dtype=bool)
    first_yields = np.array([[0, 1, 0], [0, 0, 0], [0, 0, 0]], dtype=bool)
    assert without_protected_foes("GGG", foes, first_yields) == "gGG"
    assert without_protected_foes("GGG", foes, first_yields.T) == "GgG"
    assert without_protected_foes("GGG", foes, np.zeros((3, 3), dtype=bool)) == "GgG"
    assert protected_foes("GGG", foes) == [(0, 1)]
    assert protected_foes("GgG", foes) == []


def test_stages_are_the_shipped_ones_without_those_that_serve_nothing_more(tmp_path):
    network = read_network(write_cross(tmp_path))
    straight, cross = "GGgrrrGGgrrr", "rrrGGgrrrGGg"
    green = [(20, cross), (5, "rrrGGrrrrGGr"), (2, "uuuyyyuuuyyy"), (30, straight), (1, straight)]
    plan = build_plan(ship(network, (3, "yyyrrryyyrrr"), *green), "light", Clearance.ITE)
    assert [stage.state for stage in plan.stages] == [cross, straight]
    assert [stage.min_green_s for stage in plan.stages] == [7.0, 7.0]
    assert (plan.is_controllable, plan.corrected_states) == (True, 0)


def test_minimum_green_is_the_programs_own_where_its_times_hold_and_it_tells(tmp_path):
    network = ship(read_network(write_cross(tmp_path)), (30, "GGgrrrGGgrrr", 4.0), (30, "rrrGGgrrrGGg"))
    least_s = {each: [stage.min_green_s for stage in build_plan(network, "light", each).stages] for each in Clearance}
    assert least_s == {Clearance.ITE: [7.0, 7.0], Clearance.AS_SHIPPED: [4.0, 7.0]}


def test_shipped_protected_foes_are_counted_and_corrected(tmp_path):
    network = read_network(write_cross(tmp_path))
    plan = build_plan(ship(network, (30, "GGGrrrGGGrrr"), (30, "rrrGGgrrrGGg")), "light", Clearance.ITE)
    assert plan.corrected_states == 1
    # the left turns meet each other and who comes towards them: both become permitted
    assert plan.stages[0].state == "GGgrrrGGgrrr"


def test_the_longer_of_shipped_and_worked_out_times_holds(tmp_path):
    network = read_network(write_cross(tmp_path))
    main = [(30, "GGgrrrGGgrrr"), (5, "yyyrrryyyrrr"), (1, "r" * 12)]
    side = [(30, "rrrGGgrrrGGg"), (2, "rrryyyrrryyy"), (4, "r" * 12)]
    plan = build_plan(ship(network, *main, *side), "light", Clearance.ITE)
    # straight on: 3.28 s of yellow and (14.4 + 6.1) / 13.89 = 1.48 s of red by formula
    assert (plan.clearances[1].yellow_s, plan.clearances[1].all_red_s) == pytest.approx((5.0, 1.476), abs=1e-3)
    assert (plan.clearances[4].yellow_s, plan.clearances[4].all_red_s) == pytest.approx((3.277, 4.0), abs=1e-3)
    shipped = build_plan(network, "light", Clearance.AS_SHIPPED)
    assert (shipped.clearances[1].yellow_s, shipped.clearances[1].all_red_s) == (5.0, 1.0)
    assert (shipped.clearances[4].yellow_s, shipped.clearances[4].all_red_s) == (2.0, 4.0)


@pytest.mark.parametrize("phases", [(), ((90, "GGgrrrGGgrrr"),), ((90, "r" * 12),), ((90, "o" * 12),)])
def test_without_a_choice_there_is_nothing_to_control(tmp_path, phases):
    network = ship(read_network(write_cross(tmp_path)), *phases)
    assert not build_plan(network, "light", Clearance.ITE).is_controllable


def test_a_signal_without_programs_is_not_controllable(tmp_path):
    network = read_network(write_cross(tmp_path))
    object.__setattr__(network.signals[0], "programs", ())
    plan = build_plan(network, "light", Clearance.ITE)
    assert (plan.stages, plan.is_controllable) == ((), False)


def test_an_unknown_signal_is_refused(tmp_path):
    with pytest.raises(InputError, match="the network has no signal 'lihgt'"):
        build_plan(read_network(write_cross(tmp_path)), "lihgt", Clearance.ITE)


@given(st.text("Ggrs", min_size=4, max_size=4), st.text("Ggrs", min_size=4, max_size=4))
def test_a_state_dominates_what_it_serves_at_least_as_well(a, b):
    rank = {"G": 2, "g": 1, "r": 0, "s": 0}
    assert dominates(a, b) == all(rank[x] >= rank[y] for x, y in zip(a, b, strict=True))


@pytest.mark.parametrize("name", RESCO)
def test_every_shipped_green_of_real_signals_is_in_a_stage(name, data_dir):
    network = read_network(data_dir / "resco" / name / f"{name}.net.xml.gz")
    for signal in network.signals:
        plan = build_plan(network, signal.signal_id, Clearance.ITE)
        assert plan.is_controllable
        states = [phase.state for phase in signal.programs[-1].phases]
        shown = {bit for state in states for bit, letter in enumerate(state) if letter in "Gg"}
        assert shown == {bit for stage in plan.stages for bit in stage.greens}
        assert all(protected_foes(stage.state, plan.foes) == [] for stage in plan.stages)
