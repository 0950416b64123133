"""Controllers in the loop, before a stand-in for SUMO on whose streets nobody drives: what is shown, and when."""

import math
import random
from itertools import pairwise
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from networks.netxml import read_network
from signals.intergreen import Clearance
from signals.plan import build_plan
from sim.control import SignalControl
from sim.regime import Regime
from tests.oracles import signal_faults
from tests.signal_streets import write_cross, write_streets


class Lights:
    """Records what each signal shows, as SUMO would see it."""

    def __init__(self):
        self.showing = {}
        edge = SimpleNamespace(getLastStepVehicleNumber=lambda _: 0, getLastStepHaltingNumber=lambda _: 0)
        vehicle = SimpleNamespace(getIDList=lambda: (), getLaneID=None, getLanePosition=None, getSpeed=None)
        self.api = SimpleNamespace(edge=edge, vehicle=vehicle)
        self.api.trafficlight = SimpleNamespace(setRedYellowGreenState=self.showing.__setitem__)


class Script:
    """Wishes one thing after another, then the last one for ever."""

    def __init__(self, *wishes):
        self.wishes = list(wishes)

    def wish(self, _):
        """The next wish."""
        return self.wishes.pop(0) if len(self.wishes) > 1 else self.wishes[0]


def drive(control, lights, step_s, until_s, begin_s=0.0):
    """Go on step by step, as SUMO does: to the first step that is not before the due time, in milliseconds."""
    times, states, ticks = [], [], 0
    while (now_s := begin_s + round(ticks * step_s * 1000) / 1000) <= until_s:
        if control.due_s <= now_s:
            control.act(now_s)
            assert round(control.due_s * 1000) > round(now_s * 1000)
        times.append(now_s)
        states.append(dict(lights.showing))
        ticks += 1
    return times, states


@pytest.fixture(scope="module")
def cross(tmp_path_factory):
    return read_network(write_cross(tmp_path_factory.mktemp("cross")))


def controlled(network, law, begin_s=0.0, signal_id="light"):
    lights = Lights()
    plan = build_plan(network, signal_id, Clearance.ITE)
    return SignalControl(lights.api, network, Regime([(plan, law)], "scripted"), begin_s), lights, plan


def test_the_first_stage_shows_in_the_first_step(cross):
    control, lights, plan = controlled(cross, Script(0), begin_s=25200.0)
    assert control.due_s == 25200.0
    control.act(25200.0)
    assert lights.showing == {"light": plan.stages[0].state}
    assert control.due_s == 25207.0


def test_a_change_takes_yellow_and_red_and_counts_once(cross):
    control, lights, plan = controlled(cross, Script(1))
    times, states = drive(control, lights, 1.0, 30.0)
    changes = [(now_s, after["light"]) for now_s, (before, after) in zip(times[1:], pairwise(states), strict=True)
               if before != after]  # fmt: skip
    # minimum green of 7 s, then 3.28 s of yellow and 1.48 s of red for ways of 14.4 m, as whole seconds see it
    assert changes == [(7.0, "yyyrrryyyrrr"), (11.0, "rrrrrrrrrrrr"), (12.0, plan.stages[1].state)]
    assert (control.switches, control.refused, control.violations) == (1, [], 0)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(step_s=st.sampled_from([0.1, 0.25, 0.5, 1.0]), seed=st.integers(0, 2**32))
def test_at_any_step_length_nothing_is_skipped(cross, step_s, seed):
    chance = random.Random(seed)
    law = SimpleNamespace(wish=lambda _: chance.randrange(2))
    control, lights, plan = controlled(cross, law)
    times, states = drive(control, lights, step_s, 100.0)
    letters = [state["light"] for state in states]
    assert signal_faults(times, letters, plan) == []
    begun = [after for before, after in pairwise(letters) if before != after and "G" in after and "y" not in after]
    assert abs(control.switches - len(begun)) <= 1


def test_a_refused_wish_is_written_down_with_its_reason(cross):
    control, lights, _ = controlled(cross, Script(0, 5, 0))
    drive(control, lights, 1.0, 12.0)
    (row,) = control.refused
    assert (row.time_s, row.junction, row.controller, row.wish) == (8.0, "light", "scripted", 5)
    assert row.reason == "there is no stage 5"


def test_two_signals_keep_their_own_time(tmp_path):
    places = {"w": (-200, 0), "a": (0, 0), "b": (300, 0), "e": (500, 0), "s": (0, -200), "t": (300, -200)}
    streets = {"wa": ("w", "a"), "ab": ("a", "b"), "be": ("b", "e"), "sa": ("s", "a"), "tb": ("t", "b")}
    network = read_network(write_streets(tmp_path, places, streets, {"a": "one", "b": "two"}))
    lights = Lights()
    plans = [build_plan(network, name, Clearance.ITE) for name in ("one", "two")]
    laws = [(plans[0], Script(1)), (plans[1], Script(0, 0, 1))]
    control = SignalControl(lights.api, network, Regime(laws, "scripted"), 0.0)
    times, states = drive(control, lights, 1.0, 60.0)
    for plan in plans:
        shown = [state[plan.signal_id] for state in states]
        assert signal_faults(times, shown, plan) == []
        assert shown[-1] == plan.stages[1].state
    first = [
        next(now_s for now_s, state in zip(times, states, strict=True) if "y" in state[name]) for name in ("one", "two")
    ]
    assert first == [7.0, 9.0]


def test_without_signals_nobody_is_ever_due(cross):
    control = SignalControl(Lights().api, cross, Regime([], "scripted"), 0.0)
    control.act(0.0)
    assert control.due_s == math.inf
