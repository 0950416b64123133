"""The shipped program with safe intergreens, played second by second before an oracle that knows no stages."""

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from networks.network import Phase, Program
from networks.netxml import read_network
from signals.intergreen import Clearance
from signals.plan import build_plan
from signals.static import conformed_program, shared_green_s
from tests.made_plans import PEOPLE, plans
from tests.oracles import green_spans, signal_faults
from tests.test_interlock import CAR, paper_plan

RESCO = ("cologne1", "cologne8", "ingolstadt1", "ingolstadt7")
PLAIN = ([(0, 1)], ["Gr", "rG"], [(3.3, 2.24), (3.0, 1.0)])


def program(*phases, kind="static", offset_s=0.0):
    return Program("0", kind, offset_s, tuple(Phase(*phase) for phase in phases))


def played(made, laps=3):
    """Times and states of a program, second by second, through some laps."""
    states = [phase.state for phase in made.phases for _ in range(round(phase.duration_s))] * laps
    return [float(second) for second in range(len(states))], states


def cycle_s(made):
    return sum(phase.duration_s for phase in made.phases)


def rows(made):
    return [(phase.duration_s, phase.state) for phase in made.phases]


def test_a_plain_program_gives_back_what_safety_takes():
    shipped = program((27.0, "Gr"), (3.0, "yr"), (27.0, "rG"), (3.0, "ry"))
    made = conformed_program(paper_plan(*PLAIN), shipped)
    # 3.3 + 2.24 s want 4 and 2 whole seconds, 3 + 1 s want 3 and 1: 10 of 60 s; the rest is shared evenly
    assert rows(made) == [(25.0, "Gr"), (4.0, "yr"), (2.0, "rr"), (25.0, "rG"), (3.0, "ry"), (1.0, "rr")]
    assert (made.kind, made.offset_s) == ("static", 0.0)


def test_a_program_that_begins_with_yellow_begins_with_a_stage_and_its_offset_tells():
    shipped = program((3.0, "yr"), (27.0, "rG"), (3.0, "ry"), (27.0, "Gr"), offset_s=10.0)
    made = conformed_program(paper_plan(*PLAIN), shipped)
    assert made.phases[0].state == "rG"
    assert made.offset_s == 13.0
    assert cycle_s(made) == 60.0


def test_a_stage_cut_by_the_ends_of_the_cycle_is_one():
    shipped = program((10.0, "Gr"), (3.0, "yr"), (27.0, "rG"), (3.0, "ry"), (17.0, "Gr"))
    made = conformed_program(paper_plan(*PLAIN), shipped)
    assert [phase.state for phase in made.phases] == ["Gr", "yr", "rr", "rG", "ry", "rr"]
    # that stage begins 17 s before the cycle does
    assert made.offset_s == 43.0
    assert cycle_s(made) == 60.0


def test_a_cycle_too_short_for_its_greens_grows():
    shipped = program((5.0, "Gr"), (3.0, "yr"), (5.0, "rG"), (3.0, "ry"))
    made = conformed_program(paper_plan(*PLAIN, min_green_s=7.0), shipped)
    assert [phase.duration_s for phase in made.phases if "G" in phase.state] == [7.0, 7.0]
    assert cycle_s(made) == 24.0


def test_a_fraction_of_a_second_stays_in_the_cycle():
    shipped = program((27.5, "Gr"), (3.0, "yr"), (27.0, "rG"), (3.0, "ry"))
    assert cycle_s(conformed_program(paper_plan(*PLAIN), shipped)) == 60.5


def test_an_actuated_program_keeps_its_bounds_above_minimum_green():
    shipped = program((27.0, "Gr", 5.0, 40.0), (3.0, "yr"), (27.0, "rG", 12.0, 40.0), (3.0, "ry"), kind="actuated")
    made = conformed_program(paper_plan(*PLAIN), shipped)
    bounds = [(phase.min_s, phase.max_s) for phase in made.phases]
    assert bounds == [(7.0, 40.0), (None, None), (None, None), (12.0, 40.0), (None, None), (None, None)]
    assert made.kind == "actuated"


def test_a_kind_that_needs_more_than_phases_runs_as_fixed_time():
    shipped = program((27.0, "Gr"), (3.0, "yr"), (27.0, "rG"), (3.0, "ry"), kind="NEMA")
    assert conformed_program(paper_plan(*PLAIN), shipped).kind == "static"


def test_a_program_of_one_stage_keeps_its_times_but_no_protected_foes():
    plan = paper_plan([(0, 1)], ["Gr"], [(3.0, 2.0)] * 2)
    made = conformed_program(plan, program((30.0, "GG"), (3.0, "yy"), (7.0, "rr")))
    assert rows(made) == [(30.0, "Gg"), (3.0, "yy"), (7.0, "rr")]


def test_people_still_crossing_are_waited_for_across_a_short_stage():
    foes, clearances = [(0, 2)], [(0.0, 20.0), (3.0, 0.0), (3.0, 0.0)]
    plan = paper_plan(foes, ["Grr", "rGr", "rrG"], clearances, (PEOPLE, CAR, CAR))
    made = conformed_program(plan, program((20.0, "Grr"), (5.0, "rGr"), (3.0, "ryr"), (20.0, "rrG"), (3.0, "rry")))
    assert signal_faults(*played(made), plan) == []


@settings(max_examples=150, deadline=None)
@given(plans(), st.data())
def test_a_conformed_program_is_safe_whatever_was_shipped(plan, data):
    states = [stage.state for stage in plan.stages]
    durations = st.floats(1, 40).map(lambda value: round(value, 1))
    shipped = program(*((data.draw(durations), data.draw(st.sampled_from(states))) for _ in range(6)))
    made = conformed_program(plan, shipped)
    # where one stage serves all that the others serve, nothing alternates and the program stays as it is
    assume(len(made.phases) != len(shipped.phases) or rows(made)[0][0] != shipped.phases[0].duration_s)
    assert signal_faults(*played(made), plan) == []


@pytest.mark.parametrize("name", [*RESCO, "adlershof"])
def test_real_programs_become_safe_and_keep_their_cycle_where_greens_allow(name, request):
    if name == "adlershof":
        path = request.getfixturevalue("adlershof")
    else:
        path = request.getfixturevalue("data_dir") / "resco" / name / f"{name}.net.xml.gz"
    network = read_network(path)
    for signal in network.signals:
        plan = build_plan(network, signal.signal_id, Clearance.ITE)
        made = conformed_program(plan, signal.programs[-1])
        times, states = played(made)
        assert signal_faults(times, states, plan) == []
        assert cycle_s(made) >= cycle_s(signal.programs[-1])
        assert cycle_s(made) == cycle_s(signal.programs[-1]) or name == "adlershof"
        least_s = {stage.state: stage.min_green_s for stage in plan.stages}
        spans = [span for bit in range(len(plan.links)) for span in green_spans(times, states, bit)]
        assert all(end_s - begin_s >= min(least_s.values()) for begin_s, end_s in spans)


@pytest.mark.parametrize("name", RESCO)
def test_as_shipped_stays_as_shipped_but_for_protected_foes(name, data_dir):
    network = read_network(data_dir / "resco" / name / f"{name}.net.xml.gz")
    for signal in network.signals:
        plan = build_plan(network, signal.signal_id, Clearance.AS_SHIPPED)
        made = conformed_program(plan, signal.programs[-1])
        assert [phase.duration_s for phase in made.phases] == [phase.duration_s for phase in signal.programs[-1].phases]
        assert [phase.state.upper() for phase in made.phases] == [
            phase.state.upper() for phase in signal.programs[-1].phases
        ]


@given(
    st.lists(st.tuples(st.floats(0, 90), st.integers(5, 30)), min_size=2, max_size=8),
    st.floats(0, 300).map(lambda value: round(value, 1)),
)
def test_shared_green_sums_up_and_keeps_every_least(cases, available_s):
    wanted_s, least_s = [case[0] for case in cases], [float(case[1]) for case in cases]
    shares_s = shared_green_s(wanted_s, least_s, available_s)
    assert all(share_s >= floor_s for share_s, floor_s in zip(shares_s, least_s, strict=True))
    assert sum(shares_s) == pytest.approx(max(available_s, sum(least_s)))
    assert all(share_s == round(share_s) for share_s in shares_s[1:])


def test_shared_green_is_in_proportion():
    assert shared_green_s([20.0, 40.0], [5.0, 5.0], 30.0) == [10.0, 20.0]
    assert shared_green_s([10.0, 50.0], [15.0, 5.0], 45.0) == [15.0, 30.0]
