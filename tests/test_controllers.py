"""Controllers asked in situations whose answer is known, and how they are looked up."""

import numpy as np
import pytest

from networks.faults import InputError
from signals.actuated import Actuated, ActuatedParameters
from signals.controller import CONTROLLERS, controller_kind, controller_parameters
from signals.cyclic_max_pressure import CyclicMaxPressure
from signals.max_pressure import MaxPressure, MaxPressureParameters
from signals.observation import Observation
from tests.test_interlock import paper_plan

THREE = paper_plan([(0, 1), (0, 2), (1, 2)], ["Grr", "rGr", "rrG"], [(3.0, 2.0)] * 3)
INFINITE = float("inf")


def seen(stage=0, green_s=20.0, vehicles=(0, 0, 0), **other):
    """What is seen: unless told otherwise vehicles count as half a vehicle near by, nothing is behind the junction."""
    wanted = np.array(vehicles, dtype=float)
    given = {
        "halted": wanted,
        "nearest_m": np.where(wanted > 0, 30.0, INFINITE),
        "closeness": wanted / 2,
        "ahead": np.zeros(len(wanted)),
        "blocked": np.zeros(len(wanted), dtype=bool),
        "bus_lateness_s": np.full(len(wanted), np.nan),
    }
    changed = {name: np.array(value, dtype=given[name].dtype) for name, value in other.items()}
    return Observation(time_s=100.0, stage=stage, green_s=green_s, vehicles=wanted, **(given | changed))


def max_pressure(plan=THREE, **parameters):
    return MaxPressure(plan, MaxPressureParameters(**parameters))


def test_max_pressure_serves_where_most_wait():
    assert max_pressure().wish(seen(vehicles=(1, 2, 9))) == 2
    assert max_pressure().wish(seen(vehicles=(9, 2, 1))) == 0


def test_max_pressure_stays_on_a_tie_and_where_nobody_is():
    assert max_pressure().wish(seen(stage=1, vehicles=(4, 4, 4))) == 1
    assert max_pressure().wish(seen(stage=2)) == 2


def test_max_pressure_waits_for_its_next_decision():
    assert max_pressure(decision_s=15.0).wish(seen(green_s=14.0, vehicles=(0, 9, 0))) == 0
    assert max_pressure(decision_s=15.0).wish(seen(green_s=15.0, vehicles=(0, 9, 0))) == 1


def test_a_change_has_to_pay_for_the_time_that_it_loses():
    # 5 of 15 s are lost: two thirds of what the other stage could discharge
    law = max_pressure(horizon_s=15.0)
    assert law.wish(seen(vehicles=(4, 5, 0))) == 0
    assert law.wish(seen(vehicles=(4, 7, 0))) == 1


def test_a_change_waits_until_green_has_lasted_half_as_long_again_as_it_loses():
    assert max_pressure(horizon_s=1e9).wish(seen(green_s=7.0, vehicles=(0, 9, 0))) == 0
    assert max_pressure(horizon_s=1e9).wish(seen(green_s=7.5, vehicles=(0, 9, 0))) == 1


def test_max_pressure_weighs_what_is_behind_the_junction():
    # a vehicle behind weighs half: 9 / 2 - 8 / 2 against 6 / 2
    assert max_pressure().wish(seen(vehicles=(0, 9, 6), ahead=(0, 8, 0))) == 2
    assert max_pressure().wish(seen(vehicles=(0, 9, 6), ahead=(0, 2, 0))) == 1


def test_max_pressure_does_not_serve_a_full_street():
    assert max_pressure().wish(seen(vehicles=(1, 9, 3), blocked=(False, True, False))) == 2


def test_who_is_nearer_counts_more():
    assert max_pressure().wish(seen(vehicles=(0, 5, 5), closeness=(0, 1, 4))) == 2


def test_protected_green_counts_more_than_permitted():
    plan = paper_plan([(0, 1)], ["Gr", "rg", "rG"], [(3.0, 2.0)] * 2)
    assert max_pressure(plan).wish(seen(vehicles=(0, 5))) == 2
    # 5 vehicles at 1.9 s against 7 at 3.0 s
    plan = paper_plan([(0, 1), (0, 2), (1, 2)], ["rrG", "Grr", "rgr"], [(3.0, 2.0)] * 3)
    assert max_pressure(plan).wish(seen(vehicles=(5, 7, 0))) == 1


def test_blocked_or_not_the_answer_is_a_stage():
    chance = np.random.default_rng(3)
    for _ in range(200):
        what = seen(
            stage=int(chance.integers(3)),
            vehicles=chance.integers(0, 9, 3),
            ahead=chance.integers(0, 9, 3),
            blocked=chance.random(3) < 0.5,
        )
        for law in (max_pressure(), actuated()):
            assert law.wish(what) in range(3)


def cyclic(**parameters):
    return CyclicMaxPressure(THREE, MaxPressureParameters(**parameters))


def test_cyclic_max_pressure_keeps_the_order_and_skips_only_whom_nobody_wants():
    # all of 20 s of green are enough for any change; the horizon makes it cost nothing
    law = cyclic(horizon_s=1e9)
    assert law.wish(seen(stage=0, vehicles=(0, 2, 9))) == 1
    assert law.wish(seen(stage=1, vehicles=(9, 0, 2))) == 2
    assert law.wish(seen(stage=0, vehicles=(0, 0, 9))) == 2
    assert law.wish(seen(stage=2, vehicles=(3, 9, 0))) == 0
    assert law.wish(seen(stage=1)) == 1


def test_cyclic_max_pressure_stays_as_long_as_its_own_pressure_is_greater():
    assert cyclic(horizon_s=1e9).wish(seen(vehicles=(5, 4, 9))) == 0
    assert cyclic(horizon_s=1e9).wish(seen(vehicles=(3, 4, 0))) == 1
    # 5 of 15 s are lost by the change: 4 at two thirds are less than 3
    assert cyclic(horizon_s=15.0).wish(seen(vehicles=(3, 4, 0))) == 0
    assert cyclic(horizon_s=1e9).wish(seen(green_s=7.0, vehicles=(0, 9, 0))) == 0
    assert cyclic(horizon_s=1e9).wish(seen(vehicles=(1, 9, 2), blocked=(False, True, False))) == 2


def actuated(gap_s=3.0):
    return Actuated(THREE, ActuatedParameters(gap_s))


def test_actuated_extends_while_the_gap_is_short():
    # at 13.9 m/s who is within 41.7 m comes within 3 s
    assert actuated().wish(seen(vehicles=(1, 1, 0), nearest_m=(41.0, 5.0, INFINITE))) == 0
    assert actuated().wish(seen(vehicles=(1, 1, 0), nearest_m=(42.5, 5.0, INFINITE))) == 1


def test_actuated_ends_at_the_maximum_green():
    assert actuated().wish(seen(green_s=50.0, vehicles=(9, 1, 0))) == 1


def test_actuated_rests_where_nobody_else_waits():
    assert actuated().wish(seen(green_s=500.0, vehicles=(0, 0, 0))) == 0
    assert actuated().wish(seen(green_s=500.0, vehicles=(7, 0, 0))) == 0


def test_actuated_skips_a_stage_that_nobody_wants_and_goes_round():
    assert actuated().wish(seen(vehicles=(0, 0, 3))) == 2
    assert actuated().wish(seen(stage=2, vehicles=(3, 0, 0))) == 0


def test_actuated_does_not_hold_green_for_a_full_street():
    assert actuated().wish(seen(vehicles=(5, 1, 0), nearest_m=(0.0, 9.0, INFINITE), blocked=(True, False, False))) == 1


def test_controllers_are_found_by_name():
    assert list(CONTROLLERS) == [
        "static",
        "webster",
        "actuated",
        "max-pressure",
        "cyclic-max-pressure",
        "sotl",
        "delay-based",
        "self-control",
        "rolling-horizon",
    ]
    assert controller_kind("static").make is None
    assert controller_kind("webster").make is None
    with pytest.raises(InputError, match="unknown controller 'max-presure'") as caught:
        controller_kind("max-presure")
    assert "Did you mean 'max-pressure'?" in str(caught.value)


def test_parameters_are_checked():
    assert controller_parameters("max-pressure", {"decision_s": 5}).decision_s == 5
    assert controller_parameters("actuated", {}) == ActuatedParameters()
    with pytest.raises(InputError, match="actuated has no parameter 'gap'") as caught:
        controller_parameters("actuated", {"gap": 3})
    assert "Did you mean 'gap_s'?" in str(caught.value)
    for value in (0, -1, True, "3", float("nan")):
        with pytest.raises(InputError, match="gap_s must be a number above zero"):
            controller_parameters("actuated", {"gap_s": value})
