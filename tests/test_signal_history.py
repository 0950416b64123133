"""Green shares, cycles and reds of a record that is seen on paper."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signals.history import (
    Aspect,
    SignalHistory,
    aspect,
    cycles_s,
    green_begins_s,
    lost_share,
    reds_s,
    shares,
    spans,
    stage_begins,
)

PAPER = SignalHistory("x", (0, 20, 24, 26, 56, 60, 62, 92, 96, 98), tuple("Gr yr rr rg ry rr Gr yr rr rG".split()), 118)
"""Link 0: green 0-20 and 62-92, yellow after each. Link 1: permitted 26-56, yellow to 60, protected from 98."""


def test_shares_of_a_record_on_paper():
    found = shares(spans(PAPER, (0,)))
    assert found[Aspect.PROTECTED] == pytest.approx(50 / 118)
    assert found[Aspect.YELLOW] == pytest.approx(8 / 118)
    assert found[Aspect.RED] == pytest.approx(60 / 118)
    permitted = shares(spans(PAPER, (1,)))
    assert permitted[Aspect.PERMITTED] == pytest.approx(30 / 118)
    assert permitted[Aspect.PROTECTED] == pytest.approx(20 / 118)


def test_cycles_run_from_begin_of_green_to_begin_of_green():
    """Link 0 was green from the start: that green has no begin."""
    assert green_begins_s(spans(PAPER, (0,))) == (62,)
    assert cycles_s(spans(PAPER, (0,))) == ()
    assert green_begins_s(spans(PAPER, (1,))) == (26, 98)
    assert cycles_s(spans(PAPER, (1,))) == (72,)


def test_permitted_green_that_becomes_protected_is_one_green():
    history = SignalHistory("x", (0, 10, 20, 30, 40), ("r", "g", "G", "r", "g"), 50)
    assert green_begins_s(spans(history, (0,))) == (10, 40)


def test_reds_begin_with_yellow():
    assert reds_s(spans(PAPER, (0,))) == ((20, 62), (92, 118))
    assert reds_s(spans(PAPER, (1,))) == ((0, 26), (56, 98))


def test_stages_and_lost_time():
    """Greens begin at 26, 62 and 98; lost are 20-26, 56-62 and 92-98."""
    assert stage_begins(PAPER, (0, 1)) == 3
    assert lost_share(PAPER, (0, 1)) == pytest.approx(18 / 118)


def test_a_movement_sees_the_best_of_its_links():
    assert aspect("rgy", (0, 1)) is Aspect.PERMITTED
    assert aspect("ryG", (0, 1, 2)) is Aspect.PROTECTED
    assert aspect("ry", (0, 1)) is Aspect.YELLOW
    assert aspect("ru", (0, 1)) is Aspect.RED


def test_nothing_is_known_of_no_time():
    empty = SignalHistory("x", (0.0,), ("G",), 0.0)
    assert all(math.isnan(value) for value in shares(spans(empty, (0,))).values())
    assert math.isnan(lost_share(empty, (0,)))


@given(st.lists(st.tuples(st.integers(1, 50), st.text("rygGu", min_size=2, max_size=2)), min_size=1, max_size=30))
def test_spans_are_what_a_second_by_second_look_sees(steps):
    begins_s, states, now_s = [], [], 0
    for length_s, state in steps:
        begins_s.append(now_s)
        states.append(state)
        now_s += length_s
    history = SignalHistory("x", tuple(begins_s), tuple(states), now_s)
    seen = spans(history, (0, 1))
    seconds = [aspect(state, (0, 1)) for length_s, state in steps for _ in range(length_s)]
    assert [span.aspect for span in seen for _ in range(int(span.end_s - span.begin_s))] == seconds
    assert all(a.aspect is not b.aspect for a, b in pairwise(seen))
    assert sum(shares(seen).values()) == pytest.approx(1)
    assert sum(end_s - begin_s for begin_s, end_s in reds_s(seen)) == sum(not one.is_green for one in seconds)
