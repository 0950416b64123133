"""Findings in signal programs, against times worked out by hand from the formulas' sources."""

import math
from dataclasses import replace

import pytest

from networks.network import Phase, Program
from networks.netxml import read_network
from signals.checks import check_network, check_signal
from signals.intergreen import pedestrian_clearance_s
from signals.movement import signal_links
from tests.crossing import write_crossing
from tests.signal_streets import write_cross

YELLOW_S = 1.0 + 13.89 / 6.1
"""Of a street with 50 km/h: reaction time and v / 2 a."""


def shipped(network, *phases, kind="static"):
    """The network with another program at its only signal."""
    program = Program("day", kind, 0.0, tuple(Phase(*phase) for phase in phases))
    return replace(network, signals=(replace(network.signals[0], programs=(program,)),))


@pytest.fixture(scope="module")
def crossing(tmp_path_factory):
    return read_network(write_crossing(tmp_path_factory.mktemp("crossing")))


def found(network):
    return {(notice.code, notice.link): notice for notice in check_network(network, "city.net.xml")}


def all_red_s(network, link):
    return (signal_links(network, 0)[link].crossing_m + 6.1) / 13.89


def test_a_sound_program_has_no_findings(crossing):
    sound = shipped(crossing, (20, "Gr"), (4, "yr"), (3, "rr"), (20, "rG"), (4, "ry"), (3, "rr"))
    assert found(sound) == {}


def test_each_time_too_short_is_told_with_its_place_and_what_it_must_be(crossing):
    notices = found(shipped(crossing, (5, "Gr"), (3, "yr"), (1, "rr"), (20, "rG"), (4, "ry"), (3, "rr")))
    assert set(notices) == {("SIGNAL_MIN_GREEN", 0), ("SIGNAL_YELLOW", 0), ("SIGNAL_ALL_RED", 0)}
    yellow = notices["SIGNAL_YELLOW", 0]
    assert (yellow.signal_id, yellow.program, yellow.phase, yellow.severity) == ("c", "day", 1, "warning")
    assert (yellow.shown_s, yellow.needed_s) == (3.0, pytest.approx(YELLOW_S, abs=1e-3))
    assert (yellow.file, yellow.field, yellow.value) == ("city.net.xml", "link 0, phase 1", "yellow 3 s")
    assert yellow.remedy == "at least 3.3 s"
    assert (notices["SIGNAL_MIN_GREEN", 0].shown_s, notices["SIGNAL_MIN_GREEN", 0].needed_s) == (5.0, 7.0)
    red = notices["SIGNAL_ALL_RED", 0]
    assert (red.shown_s, red.needed_s) == (1.0, pytest.approx(all_red_s(crossing, 0), abs=1e-3))


def test_a_green_without_yellow_and_a_foe_at_once(crossing):
    notices = found(shipped(crossing, (20, "Gr"), (20, "rG"), (4, "ry"), (3, "rr")))
    assert notices["SIGNAL_YELLOW", 0].shown_s == notices["SIGNAL_ALL_RED", 0].shown_s == 0.0


def test_foes_with_protected_green_are_an_error_told_once(crossing):
    both = shipped(crossing, (20, "Gr"), (5, "GG"), (4, "yG"), (20, "rG"), (6, "GG"), (4, "Gy"), (3, "Gr"))
    (notice,) = [each for each in check_network(both, "n") if each.code == "SIGNAL_GREEN_CONFLICT"]
    assert (notice.severity, notice.field, notice.count) == ("error", "links 0 and 1, phase 1", 2)


def test_the_shortest_of_several_is_told_and_all_are_counted(crossing):
    phases = [(20, "Gr"), (3, "yr"), (3, "rr"), (20, "Gr"), (2, "yr"), (3, "rr"), (20, "rG"), (4, "ry"), (3, "rr")]
    notice = found(shipped(crossing, *phases))["SIGNAL_YELLOW", 0]
    assert (notice.count, notice.shown_s, notice.phase) == (2, 2.0, 4)


def test_a_program_that_times_itself_is_judged_by_its_least_greens(crossing):
    phases = [(20, "Gr", 5, 40), (4, "yr"), (3, "rr"), (20, "rG", 8, 40), (4, "ry"), (3, "rr")]
    assert {code for code, _ in found(shipped(crossing, *phases, kind="actuated"))} == {"SIGNAL_MIN_GREEN"}
    assert found(shipped(crossing, *phases)) == {}


def test_a_green_over_several_phases_and_over_the_end_of_the_cycle_is_one(crossing):
    split = shipped(crossing, (3, "Gr"), (4, "yr"), (3, "rr"), (20, "rG"), (4, "ry"), (3, "rr"), (2, "Gr"), (2, "Gr"))
    assert found(split) == {}


def test_people_need_a_walk_and_time_to_finish(tmp_path):
    network = read_network(write_cross(tmp_path, "--sidewalks.guess", "true", "--crossings.guess", "true"))
    links = signal_links(network, 0)
    walks = [bit for bit, link in enumerate(links) if link.is_pedestrian]
    state = network.signals[0].programs[-1].phases[0].state
    walking = "".join("G" if bit in walks else "r" for bit in range(len(state)))
    driving = "".join("r" if bit in walks else "G" for bit in range(len(state)))
    notices = found(
        shipped(
            network, (6, walking), (2, "r" * len(state)), (20, driving), (4, "y" * len(state)), (30, "r" * len(state))
        )
    )
    needed_s = pedestrian_clearance_s(links[walks[0]].walk_m)
    assert links[walks[0]].walk_m / 1.07 == needed_s > 2
    walk, clearance = notices["SIGNAL_WALK", walks[0]], notices["SIGNAL_WALK_CLEARANCE", walks[0]]
    assert (walk.shown_s, walk.needed_s) == (6.0, 7.0)
    assert (clearance.shown_s, clearance.needed_s) == (2.0, pytest.approx(needed_s, abs=1e-3))
    enough = (math.ceil(needed_s), "r" * len(state))
    assert not any(bit in walks for _, bit in found(shipped(network, (7, walking), enough, (20, driving))))


def test_a_network_that_tells_no_foes_says_so(tmp_path):
    network = read_network(write_cross(tmp_path, "--no-internal-links", "true"))
    assert "SIGNAL_CONFLICTS" in {notice.code for notice in check_signal(network, 0, "n")}


@pytest.mark.parametrize("name", ["cologne1", "cologne8", "ingolstadt1", "ingolstadt7"])
def test_the_maps_of_research_show_no_all_red(name, data_dir):
    network = read_network(data_dir / "resco" / name / f"{name}.net.xml.gz")
    notices = check_network(network, name)
    reds = [notice for notice in notices if notice.code == "SIGNAL_ALL_RED"]
    assert {notice.signal_id for notice in reds} == {signal.signal_id for signal in network.signals}
    assert {notice.shown_s for notice in reds} == {0.0}
    assert not [notice for notice in notices if notice.severity == "error"]
