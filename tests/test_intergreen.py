"""Yellow, all-red and minimum green against printed figures and hand-worked cases."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from networks.network import Phase, Program
from signals.intergreen import (
    LinkClearance,
    all_red_s,
    ite_clearance,
    minimum_green_s,
    pedestrian_clearance_s,
    shipped_clearance,
    yellow_s,
)
from signals.movement import Link

MPH = 0.44704
FEET = 0.3048
KMH = 1 / 3.6
CAR = Link((0,), (1,), 50 * KMH, 25.0, 0.0)
PEOPLE = Link((0,), (1,), 0.0, 0.0, 10.7)


def program(*phases):
    return Program("0", "static", 0.0, tuple(Phase(duration_s, state) for duration_s, state in phases))


@pytest.mark.parametrize(("mph", "printed_s"), [(25, 3.0), (30, 3.2), (35, 3.6), (40, 3.9), (45, 4.3), (50, 4.7)])
def test_yellow_is_that_of_the_signal_timing_manual(mph, printed_s):
    # FHWA Signal Timing Manual (2008), chapter 5, duration of change period intervals: 1 s, 10 ft/s2, level
    assert yellow_s(mph * MPH) == pytest.approx(printed_s, abs=0.06)


@pytest.mark.parametrize(
    ("mph", "feet", "printed_s"), [(25, 70, 2.5), (35, 70, 1.8), (35, 110, 2.5), (45, 50, 1.1), (55, 90, 1.4)]
)
def test_red_clearance_is_that_of_the_signal_timing_manual(mph, feet, printed_s):
    # the same table: by width of the junction, vehicle of 20 ft
    assert all_red_s(feet * FEET, mph * MPH) == pytest.approx(printed_s, abs=0.06)


def test_fifty_kilometres_an_hour_and_twenty_five_metres():
    # by hand: 13.89 m/s over 6.1 m/s2 and 1 s more; 31.1 m at 13.89 m/s
    assert yellow_s(50 * KMH) == pytest.approx(3.277, abs=1e-3)
    assert all_red_s(25.0, 50 * KMH) == pytest.approx(2.239, abs=1e-3)
    assert ite_clearance(CAR).total_s == pytest.approx(5.516, abs=1e-3)


def test_uphill_needs_less_yellow_than_downhill():
    # 1 + 20 / (2 (3.05 + 9.81 x 0.05)) and the same with -0.05
    assert yellow_s(20.0, 0.05) == pytest.approx(3.824, abs=1e-3)
    assert yellow_s(20.0, -0.05) == pytest.approx(4.907, abs=1e-3)


@given(st.floats(0.1, 60), st.floats(-0.15, 0.15), st.floats(0, 500))
def test_bounds_hold_at_any_speed(speed_mps, grade, crossing_m):
    assert 3.0 <= yellow_s(speed_mps, grade) <= 6.0
    assert 0.0 < all_red_s(crossing_m, speed_mps) <= 6.0


def test_people_need_walk_and_crossing_time():
    assert pedestrian_clearance_s(10.7) == pytest.approx(10.0)
    assert minimum_green_s((CAR, PEOPLE)) == pytest.approx(17.0)
    assert ite_clearance(PEOPLE) == LinkClearance(0.0, pytest.approx(10.0))


def test_a_light_that_vehicles_and_people_share_shows_yellow_and_waits_for_people():
    clearance = ite_clearance(Link((0, 2), (1, 3), 50 * KMH, 25.0, 10.7))
    assert clearance.yellow_s == pytest.approx(3.277, abs=1e-3)
    assert clearance.total_s == pytest.approx(10.0)


@pytest.mark.parametrize(("kmh", "least_s"), [(30, 5), (40, 5), (50, 7), (70, 10), (100, 15)])
def test_minimum_green_grows_with_the_class_of_the_road(kmh, least_s):
    assert minimum_green_s((Link((0,), (1,), kmh * KMH, 10.0, 0.0),)) == least_s


def test_a_bit_that_nobody_sees_asks_for_nothing_of_its_own():
    nobody = Link((), (), 0.0, 0.0, 0.0)
    assert minimum_green_s((nobody,)) == 5.0
    assert ite_clearance(nobody) == LinkClearance(3.0, 0.0)


def test_shipped_times_are_read_off_the_cycle():
    cycle = program((20, "GGr"), (3, "yGr"), (4, "yyr"), (1, "rrr"), (1, "rru"), (20, "rrG"), (3, "rrY"), (2, "rrr"))
    assert shipped_clearance(cycle, 0, CAR) == LinkClearance(7.0, 2.0)
    assert shipped_clearance(cycle, 1, CAR) == LinkClearance(4.0, 2.0)
    assert shipped_clearance(cycle, 2, CAR) == LinkClearance(3.0, 2.0)


def test_red_before_the_first_phase_counts_from_the_end_of_the_cycle():
    cycle = program((2, "rr"), (20, "Gr"), (3, "yr"), (20, "rG"), (4, "ry"))
    assert shipped_clearance(cycle, 1, CAR) == LinkClearance(4.0, 2.0)
    assert shipped_clearance(cycle, 0, CAR) == LinkClearance(3.0, 0.0)


def test_a_green_that_ends_early_has_no_clearance_of_half_a_minute():
    cycle = program((20, "GGr"), (3, "yGr"), (30, "rGr"), (3, "ryr"), (2, "rrr"), (20, "rrG"), (3, "rry"))
    assert shipped_clearance(cycle, 0, CAR) == LinkClearance(3.0, 6.0)
    assert shipped_clearance(cycle, 0, PEOPLE).all_red_s == pytest.approx(10.0)


def test_a_link_that_never_ends_or_ends_without_yellow_has_none():
    assert shipped_clearance(program((20, "GG"), (20, "Gr")), 0, CAR) == LinkClearance(0.0, 0.0)
    assert shipped_clearance(program((20, "Gr"), (20, "rG")), 0, CAR) == LinkClearance(0.0, 0.0)
