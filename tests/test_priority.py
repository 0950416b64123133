"""Priority by rules on a crossing of three streets, second by second: what is given, to whom, and what never is."""

# ruff: noqa: D102, D105 - what stand-ins and state machines do is in their names

import math
import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from networks.faults import InputError
from signals.intergreen import LinkClearance
from signals.interlock import advance, begin, may_switch, order, shown
from signals.plan import SignalPlan, Stage
from signals.priority import (
    EARLY_GREEN,
    EXTENSION,
    GRANTED,
    NOT_NEEDED,
    PREEMPTION,
    REFUSED,
    Moment,
    Priority,
    Request,
    begin_priority,
    check_out,
    decide,
)
from signals.priority_options import NUMBERS, priority_from
from tests.made_plans import CAR
from tests.oracles import red_spans, signal_faults

GREEN_S, MIN_S, CHANGE_S = 20.0, 5.0, 4.0
STREETS = 3


def three_streets() -> SignalPlan:
    """One link a stage, all foes; 5 s of minimum green, 3 s of yellow, 1 s of all-red."""
    foes = ~np.eye(STREETS, dtype=bool)
    stages = tuple(
        Stage("".join("G" if a == b else "r" for a in range(STREETS)), MIN_S, 50.0, GREEN_S) for b in range(3)
    )
    clearances = (LinkClearance(3.0, 1.0),) * STREETS
    return SignalPlan("light", (CAR,) * STREETS, stages, clearances, foes, np.zeros_like(foes), 0)


@dataclass
class Light:
    """The signal with a controller that gives each street 20 s in turn; it has an order of them where ``ordered``."""

    law: Priority = field(default_factory=Priority)
    ordered: bool = True
    plan: SignalPlan = field(default_factory=three_streets)
    demand: np.ndarray = field(default_factory=lambda: np.ones(STREETS, dtype=bool))
    now_s: float = 0.0

    def __post_init__(self):
        self.signal, self.machine = begin(self.plan, 0, 0.0), begin_priority(self.plan, 0)
        self.requests, self.rows, self.times, self.states = {}, [], [], []
        self.wished_away_s = self.granted_to = None
        self.greens, self.grants, self.refusals, self.begins = [], [], [], [0] + [0] * (STREETS - 1)

    @property
    def stage(self):
        return self.signal.stage

    def following(self):
        return (self.stage + 1) % STREETS

    def second(self):
        """Pass one second."""
        before = self.signal.stage
        self.signal = advance(self.plan, self.signal, self.now_s)
        if self.signal.stage != before:
            self.begins[self.signal.stage] += 1
            self.wished_away_s = None
        if may_switch(self.plan, self.signal, self.now_s):
            self._decide()
        self.times.append(self.now_s)
        self.states.append(shown(self.plan, self.signal, self.now_s))
        self.now_s += 1.0

    def _decide(self):
        green_s = self.now_s - self.signal.since_s
        wish = self.stage if green_s < GREEN_S else self.following()
        if wish != self.stage and self.wished_away_s is None:
            self.wished_away_s = self.now_s
        moment = Moment(self.now_s, self.signal, wish, self.demand, self.following if self.ordered else None)
        self.machine, answer, rows = decide(self.plan, self.law, self.machine, moment, list(self.requests.values()))
        self.rows += rows
        holder = self.machine.grant.vehicle if self.machine.grant else None
        if holder is not None and holder != self.granted_to:
            self.grants.append((self.now_s, self.machine.locked_link, tuple(self.begins)))
        self.granted_to = holder
        if answer != self.stage:
            held_s = 0.0 if self.wished_away_s is None else self.now_s - self.wished_away_s
            self.greens.append((self.stage, green_s, held_s, answer))
        self.signal, refusal = order(self.plan, self.signal, answer, self.now_s, self.demand)
        self.refusals += [refusal] if refusal else []

    def run(self, seconds):
        for _ in range(seconds):
            self.second()

    def asks(self, vehicle, link, in_s, late_s=90.0, queue_s=0.0, *, preempts=False):
        self.requests[vehicle] = Request(vehicle, link, self.now_s + in_s, queue_s, late_s, preempts)

    def through(self, *vehicles):
        for vehicle in vehicles:
            del self.requests[vehicle]


def test_nobody_asks_and_nothing_changes():
    light = Light()
    light.run(72)
    assert light.greens == [(0, 20, 0, 1), (1, 20, 0, 2), (2, 20, 0, 0)]


def test_a_green_is_held_for_who_comes_within_the_extension():
    """Green would end at 20 s; the bus comes at 26 s and is through at 27 s: 6 s held, decided second by second."""
    light = Light()
    light.run(10)
    light.asks("bus", 0, in_s=16)
    light.run(17)
    light.through("bus")
    light.run(3)
    assert light.greens == [(0, 27, 7, 1)]
    (row,) = light.rows
    assert (row.time_s, row.until_s, row.vehicle, row.kind, row.outcome) == (10, 27, "bus", EXTENSION, GRANTED)
    assert row.given_s == 6


def test_who_comes_later_than_the_extension_is_refused_with_the_reason():
    light = Light()
    light.run(10)
    light.asks("bus", 0, in_s=25)
    light.run(12)
    assert light.greens == [(0, 20, 0, 1)]
    light.through("bus")
    light.run(10)
    assert [(row.outcome, row.reason, row.given_s) for row in light.rows] == [
        (REFUSED, "too far away for an extension", 0)
    ]


def test_a_hold_is_given_up_when_the_prediction_slips():
    """Held for 8 s to come; at 24 s it stands at a stop for another 30 s: the green ends at once."""
    light = Light()
    light.run(15)
    light.asks("bus", 0, in_s=13)
    light.run(9)
    light.asks("bus", 0, in_s=30)
    light.run(2)
    assert light.greens == [(0, 24, 4, 1)]


def test_a_hold_never_lasts_longer_than_the_extension():
    light = Light()
    light.asks("bus", 0, in_s=0)
    for _ in range(45):
        light.asks("bus", 0, in_s=1)
        light.second()
    assert light.greens[0] == (0, 30, 10, 1)


def test_an_early_green_cuts_the_stages_between_by_no_more_than_the_bound_in_all():
    """Street 2 asks as street 0 has its green: both greens before it lose 10 s together, and both are shown."""
    light = Light()
    light.asks("bus", 2, in_s=5)
    light.run(45)
    (first, first_s, _, second), (then, then_s, _, last) = light.greens[:2]
    assert (first, second, then, last) == (0, 1, 1, 2)
    assert (GREEN_S - first_s) + (GREEN_S - then_s) == 10


def test_green_that_comes_in_time_anyway_is_not_cut():
    light = Light()
    light.asks("bus", 1, in_s=24)
    light.run(24)
    light.through("bus")
    light.run(20)
    assert light.greens == [(0, 20, 0, 1)]
    assert [row.outcome for row in light.rows] == [NOT_NEEDED]


def test_a_queue_before_the_bus_needs_its_green_earlier():
    light = Light()
    light.asks("bus", 1, in_s=24, queue_s=6)
    light.run(24)
    assert light.greens == [(0, 14, 0, 1)]


def test_one_grant_in_two_cycles_and_none_within_the_lock_out():
    """A bus asks in every green of street 0, a second before it would end."""
    light = Light(Priority(cycles=2, lockout_s=0.0))
    for number in range(400):
        if light.stage == 0 and light.signal.is_steady and light.now_s - light.signal.since_s == 15:
            light.asks(f"bus {number}", 0, in_s=10)
        if light.stage == 1:
            light.requests.clear()
        light.second()
    extended = [green_s > GREEN_S for stage, green_s, *_ in light.greens if stage == 0]
    assert extended == [True, False, True, False, True, False][: len(extended)]
    assert {row.reason for row in light.rows if row.outcome == REFUSED} == {"one grant in these cycles has been given"}


def test_a_request_is_withdrawn_at_check_out_and_then_the_lock_out_runs():
    light = Light(Priority(lockout_s=1000.0))
    light.run(15)
    light.asks("bus", 0, in_s=8)
    light.run(8)
    assert light.machine.grant is not None
    light.through("bus")
    light.run(100)
    assert light.machine.grant is None
    light.asks("next", 0, in_s=0)
    light.run(60)
    light.requests.clear()
    light.run(20)
    assert [(row.vehicle, row.outcome) for row in light.rows] == [("bus", GRANTED), ("next", REFUSED)]
    assert light.rows[1].reason == "lock-out after a grant"


def test_without_an_order_nobody_who_has_waited_longer_is_passed_over():
    """Street 0 is green, 1 has been red since before 2: it goes first. Where nobody wants it, 2 is next."""
    for wanted, expected in ((True, [1, 2]), (False, [2])):
        light = Light(ordered=False)
        light.run(30)
        assert light.stage == 1
        light.demand = np.array([wanted, True, True])
        light.asks("bus", 2, in_s=0)
        light.signal = begin(light.plan, 0, light.now_s)
        light.machine = begin_priority(light.plan, 0)
        red = (math.inf, light.now_s - 40, light.now_s - 20)
        light.signal = type(light.signal)(0, 0, light.now_s, red)
        light.demand = np.array([True, wanted, True])
        light.greens.clear()
        light.run(60)
        assert [answer for *_, answer in light.greens[: len(expected)]] == expected


def test_who_pre_empts_is_next_past_the_order_and_without_bounds():
    light = Light()
    light.run(6)
    light.asks("fire engine", 2, in_s=8, late_s=math.nan, preempts=True)
    light.run(40)
    assert light.greens == [(0, 6, 0, 2)]
    light.through("fire engine")
    light.run(3)
    assert [(row.kind, row.outcome) for row in light.rows] == [(PREEMPTION, GRANTED)]
    assert signal_faults(light.times, light.states, light.plan) == []


def test_who_pre_empts_and_stands_loses_the_green_in_the_end():
    light = Light()
    light.asks("fire engine", 0, in_s=8, late_s=math.nan, preempts=True)
    light.run(85)
    assert light.greens == [(0, 80, 60, 1)]


def test_the_latest_bus_goes_first():
    light = Light()
    light.run(15)
    light.asks("a", 0, in_s=8, late_s=70)
    light.asks("b", 0, in_s=8, late_s=170)
    light.run(6)
    assert light.machine.grant.vehicle == "b"


def test_requests_that_have_not_ended_are_rows_of_the_end():
    light = Light()
    light.run(15)
    light.asks("bus", 0, in_s=8)
    light.run(6)
    _, rows = check_out(light.plan, light.machine, set(), 0.0, 99.0)
    assert [(row.vehicle, row.until_s, row.outcome) for row in rows] == [("bus", 99.0, GRANTED)]


class Anybody(RuleBasedStateMachine):
    """Buses come, slip and go as chance has it."""

    @initialize(
        ordered=st.booleans(),
        cycles=st.integers(1, 3),
        extension_s=st.sampled_from([0.0, 5.0, 10.0, 15.0]),
        early_s=st.sampled_from([0.0, 5.0, 10.0, 15.0]),
        lockout_s=st.sampled_from([0.0, 30.0]),
    )
    def start(self, ordered, cycles, extension_s, early_s, lockout_s):
        law = Priority(extension_s=extension_s, early_green_s=early_s, cycles=cycles, lockout_s=lockout_s)
        self.light, self.count = Light(law, ordered), 0

    @rule(
        link=st.integers(0, STREETS - 1),
        in_s=st.integers(0, 60),
        queue_s=st.integers(0, 20),
        late_s=st.integers(0, 300),
    )
    def comes(self, link, in_s, queue_s, late_s):
        self.count += 1
        self.light.asks(f"bus {self.count}", link, in_s, late_s, queue_s)

    @rule(chance=st.randoms(use_true_random=False), in_s=st.integers(0, 60))
    def slips(self, chance, in_s):
        if self.light.requests:
            old = self.light.requests[chance.choice(sorted(self.light.requests))]
            self.light.asks(old.vehicle, old.link, in_s, old.late_s, old.queue_s)

    @rule(chance=st.randoms(use_true_random=False))
    def leaves(self, chance):
        if self.light.requests:
            self.light.through(chance.choice(sorted(self.light.requests)))

    @rule(seconds=st.integers(1, 40))
    def passes(self, seconds):
        self.light.run(seconds)

    @invariant()
    def holds_and_cuts_are_bounded(self):
        if not hasattr(self, "light"):
            return
        law, light = self.light.law, self.light
        assert all(held_s <= law.extension_s for _, _, held_s, _ in light.greens)
        assert all(green_s >= MIN_S for _, green_s, _, _ in light.greens)
        assert all(green_s >= GREEN_S - law.early_green_s for _, green_s, _, _ in light.greens)

    @invariant()
    def no_stage_is_skipped(self):
        if not hasattr(self, "light"):
            return
        light = self.light
        if light.ordered:
            assert all(answer == (stage + 1) % STREETS for stage, _, _, answer in light.greens)
        else:
            shown_ = [light.greens[0][0], *(answer for *_, answer in light.greens)] if light.greens else []
            for place in range(len(shown_) - STREETS):
                assert set(shown_[place : place + STREETS + 1]) == set(range(STREETS))

    @invariant()
    def grants_are_a_cycle_apart(self):
        if not hasattr(self, "light"):
            return
        light = self.light
        for (then_s, link, before), (now_s, _, after) in zip(light.grants, light.grants[1:], strict=False):
            assert after[link] - before[link] >= light.law.cycles
            assert now_s - then_s >= light.law.lockout_s

    def teardown(self):
        if hasattr(self, "light"):
            light = self.light
            assert signal_faults(light.times, light.states, light.plan) == []
            assert light.refusals == []
            for bit in range(STREETS):
                spans = red_spans(light.times, light.states, bit)
                reds = [end_s - begin_s for begin_s, end_s in spans if end_s < math.inf]
                assert max(reds, default=0) <= 120
            told = [row.vehicle for row in light.rows]
            assert len(told) == len(set(told))


TestAnybody = Anybody.TestCase
TestAnybody.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)


@pytest.mark.parametrize(
    ("given", "controller", "code", "where"),
    [
        ({"vehicle": "late-buses"}, "actuated", "CONFIG_KEY", "vehicle"),
        ({"vehicles": "late-busses"}, "actuated", "CONFIG_VALUE", "vehicles"),
        ({"vehicles": []}, "actuated", "CONFIG_VALUE", "vehicles"),
        ({"extension_s": 20}, "actuated", "CONFIG_VALUE", "extension_s"),
        ({"cycles": 1.5}, "actuated", "CONFIG_VALUE", "cycles"),
        ({"late_s": True}, "actuated", "CONFIG_VALUE", "late_s"),
        ({"kind": "weight"}, "static", "CONFIG_VALUE", "kind"),
        ({"kind": "weight"}, "actuated", "CONFIG_VALUE", "kind"),
        ("late-buses", "actuated", "CONFIG_VALUE", ""),
    ],
)
def test_what_cannot_be_asked_for_is_refused_by_its_name(given, controller, code, where):
    with pytest.raises(InputError) as told:
        priority_from(given, controller)
    assert (told.value.code, told.value.field) == (code, where)


def test_what_is_not_said_is_the_default():
    assert priority_from({}, "static") == Priority()
    asked = priority_from({"vehicles": ["late-buses", "emergency"], "kind": "weight", "weight": 4}, "self-control")
    assert asked == Priority(("late-buses", "emergency"), kind="weight", weight=4.0)
    assert priority_from({"vehicles": "emergency", "kind": "weight"}, "static").vehicles == ("emergency",)


def test_an_early_green_is_told_as_such():
    light = Light()
    light.asks("bus", 1, in_s=2)
    light.run(20)
    light.through("bus")
    light.run(10)
    assert [(row.kind, row.outcome, row.given_s) for row in light.rows] == [(EARLY_GREEN, GRANTED, 10)]
    assert light.greens[0] == (0, 10, 0, 1)


def test_priority_is_told_in_words():
    late = priority_from({"vehicles": ["late-buses", "emergency"], "late_s": 30}, "static")
    assert late.words == (
        "buses more than 30 s late and emergency vehicles (pre-emption), extension 10 s, early green 10 s, "
        "one grant in 1 cycle(s), lock-out 30 s"
    )
    assert Priority(("all-buses",), kind="weight").words == "all buses, a bus counts as 10"


def test_the_readme_has_every_key_with_its_default():
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    table = readme.partition("| key of `priority` |")[2].partition("\n\n")[0]
    rows = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \| ([^|]+) \|", table, re.MULTILINE)
    told = {
        key: value.strip('`" ')
        for keys, values in rows
        for key, value in zip(re.findall(r"`(\w+)`", keys), values.split(","), strict=True)
    }
    own = Priority()
    assert told == {"vehicles": own.vehicles[0], "kind": own.kind} | {key: f"{getattr(own, key):g}" for key in NUMBERS}
