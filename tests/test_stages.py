"""Free stages: known on paper, safe on generated junctions, and every largest set against a search through all sets."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from networks.netxml import read_network
from signals.intergreen import GREEN_LETTERS, Clearance
from signals.movement import Link
from signals.plan import build_plan, dominates, protected_foes
from signals.stages import with_free_stages
from tests.test_interlock import paper_plan


def link(lane, number):
    return Link((lane,), (100 + number,), 13.9, 20.0, 0.0)


def states(plan):
    return [stage.state for stage in plan.stages]


def test_both_movements_of_an_approach_may_run_alone():
    # north through and left, south through and left, each with a lane: lefts are foes of the other's through
    plan = paper_plan(
        [(0, 3), (1, 2)], ["GrGr", "rGrG"], [(3.0, 2.0)] * 4, links=tuple(link(bit, bit) for bit in range(4))
    )
    assert states(with_free_stages(plan)) == ["GrGr", "rGrG", "GGrr", "rrGG"]


def test_a_right_turn_from_the_same_lane_runs_whenever_it_can_and_makes_no_stage_of_its_own():
    # 0 through and 1 right from one lane; 2 crosses the through, 3 nobody
    links = (link(0, 0), link(0, 1), link(1, 2), link(2, 3))
    plan = paper_plan([(0, 2)], ["GGrr", "rrGr", "rrrG"], [(3.0, 2.0)] * 4, links=links)
    assert states(with_free_stages(plan)) == ["GGrG", "rGGG"]


def test_foes_run_together_only_where_the_designer_lets_them():
    links = tuple(link(bit, bit) for bit in range(3))
    apart = paper_plan([(0, 1)], ["Grr", "rGr", "rrG"], [(3.0, 2.0)] * 3, links=links)
    assert states(with_free_stages(apart)) == ["GrG", "rGG"]
    together = paper_plan([(0, 1)], ["Ggr", "rrG"], [(3.0, 2.0)] * 3, links=links)
    assert states(with_free_stages(together)) == ["rGG", "GgG"]


def test_what_no_program_serves_stays_red_and_one_stage_stays_one():
    links = tuple(link(bit, bit) for bit in range(3))
    unserved = paper_plan([(0, 1)], ["Grr", "rGr"], [(3.0, 2.0)] * 3, links=links)
    assert states(with_free_stages(unserved)) == ["Grr", "rGr"]
    alone = paper_plan([(0, 1)], ["GrG"], [(3.0, 2.0)] * 3, links=links)
    assert with_free_stages(alone) is alone


def test_a_junction_with_too_many_sets_keeps_its_stages():
    # seven pairs of foes: two to the power of seven largest sets
    pairs = [(2 * number, 2 * number + 1) for number in range(7)]
    links = tuple(link(bit, bit) for bit in range(14))
    plan = paper_plan(pairs, ["Gr" * 7, "rG" * 7], [(3.0, 2.0)] * 14, links=links)
    assert with_free_stages(plan) is plan


@st.composite
def junctions(draw):
    """Six links with lanes of their own, foes by chance, two or three stages without protected foes."""
    pairs = draw(st.sets(st.sampled_from(list(combinations(range(6), 2)))))
    stages = []
    for order in draw(st.lists(st.permutations(range(6)), min_size=2, max_size=3)):
        green: list[int] = []
        for bit in order[: draw(st.integers(1, 6))]:
            if all((min(bit, other), max(bit, other)) not in pairs for other in green):
                green.append(bit)
        stages.append("".join("G" if bit in green else "r" for bit in range(6)))
    return paper_plan(sorted(pairs), stages, [(3.0, 2.0)] * 6, links=tuple(link(bit, bit) for bit in range(6)))


@settings(deadline=None, max_examples=200)
@given(junctions())
def test_every_largest_set_of_served_links_is_a_stage_and_none_shows_foes(plan):
    free = with_free_stages(plan)
    served = sorted({bit for stage in plan.stages for bit in stage.greens})
    safe = [
        set(chosen)
        for count in range(1, len(served) + 1)
        for chosen in combinations(served, count)
        if not plan.foes[np.ix_(chosen, chosen)].any()
    ]
    largest = {
        "".join("G" if b in one else "r" for b in range(6)) for one in safe if not any(one < two for two in safe)
    }
    assert set(states(free)) == largest
    assert not any(protected_foes(state, plan.foes) for state in states(free))


def test_free_stages_keep_the_minimum_green_of_a_program_whose_times_hold(data_dir):
    network = read_network(data_dir / "resco" / "cologne1" / "cologne1.net.xml.gz")
    least_s = {
        each: {
            stage.min_green_s
            for stage in with_free_stages(build_plan(network, network.signals[0].signal_id, each)).stages
        }
        for each in Clearance
    }
    assert least_s == {Clearance.ITE: {7.0, 10.0}, Clearance.AS_SHIPPED: {5.0}}


@pytest.mark.parametrize("name", ["cologne1", "cologne8", "ingolstadt7"])
def test_on_real_junctions_shipped_service_is_kept_and_every_stage_is_safe(data_dir, name):
    network = read_network(data_dir / "resco" / name / f"{name}.net.xml.gz")
    for signal in network.signals:
        plan = build_plan(network, signal.signal_id, Clearance.ITE)
        free = with_free_stages(plan)
        for stage in plan.stages:
            assert any(dominates(state, stage.state) for state in states(free))
        for stage in free.stages:
            assert not protected_foes(stage.state, plan.foes)
            assert stage.min_green_s >= 5.0
            # a permitted link yields to each foe that is green with it, or is yielded to
            green = [bit for bit, letter in enumerate(stage.state) if letter in GREEN_LETTERS]
            for a, b in combinations(green, 2):
                if plan.foes[a, b]:
                    assert "g" in {stage.state[a], stage.state[b]}
