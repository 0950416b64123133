"""The event kernels against their plain twins, over random, empty, constant and broken input, whole and in pieces."""

from itertools import chain, pairwise
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gtfs import event_kernels as kernels
from gtfs.event_kernels import Rules, Sightings
from gtfs.on_time import Punctuality
from gtfs.trace_kernels import FINISHED, MATCHED, NO_TRIP, NOT_STARTED, OFF_ROUTE
from gtfs.trace_settings import TraceSettings
from gtfs.trace_state import blank_watch
from tests import trace_oracles as twins

RULES = Rules(**{name: float(getattr(TraceSettings(), name)) for name in Rules._fields})
NAN = float("nan")
METRE = 1 / 111_195.0
seeds = st.integers(0, 2**32 - 1)
quick = settings(deadline=None, max_examples=100)


class Seen(NamedTuple):
    """A row of :class:`gtfs.event_kernels.Sightings`."""

    performed: int
    time_s: float
    lon: float
    lat: float
    off_m: float
    found: int
    at_end: bool
    before_s: float = NAN


def test_a_row_is_a_row():
    assert Seen._fields == Sightings._fields


def watched(rows, cuts=None):
    """Findings (ping, kind, since, value) of pieces."""
    watch = blank_watch(8)
    whole = [(0, len(rows))] if cuts is None else cuts
    return list(chain(*(_piece(rows[a:b], a, watch) for a, b in whole)))


def _piece(rows, first, watch):
    columns = list(zip(*rows, strict=True)) or [()] * len(Seen._fields)
    kinds = (np.int32, float, float, float, float, np.int8, np.bool_, float)
    sightings = Sightings(*(np.array(c, dtype=kind) for c, kind in zip(columns, kinds, strict=True)))
    found = kernels.watch_pings(sightings, RULES, watch)
    return [(first + ping, *rest) for ping, *rest in zip(*(column.tolist() for column in found), strict=True)]


def random_rows(rng, count):
    """Pings of four trips by turns: they stand, creep, drive, leave the line and fall silent."""
    rows, lat, now_s = [], [45.0] * 4, 0.0
    for _ in range(count):
        row = int(rng.integers(-1, 4))
        now_s += float(rng.choice([10, 60, 200, 600]))
        lat[row] += float(rng.choice([0, 5, 24, 26, 61, 300], p=[0.4, 0.2, 0.1, 0.1, 0.1, 0.1])) * METRE
        found = int(rng.choice([MATCHED, OFF_ROUTE, NOT_STARTED, FINISHED, NO_TRIP], p=[0.5, 0.3, 0.05, 0.1, 0.05]))
        off_m = float(rng.uniform(0, 60) if found == MATCHED else rng.uniform(60, 300))
        rows.append(Seen(row, now_s, 7.0, lat[row], off_m, found, bool(rng.random() < 0.3)))
    return heard_before(rows, lambda: rng.random() < 0.9)


def heard_before(rows, on_this_trip):
    """The time of the ping before on the same trip, or else half a minute ago on another."""
    last_s, found = {}, []
    for row in rows:
        found.append(row._replace(before_s=last_s.get(row.performed, NAN) if on_this_trip() else row.time_s - 30))
        last_s[row.performed] = row.time_s
    return found


def same(found, expected):
    assert [one[:2] for one in found] == [one[:2] for one in expected]
    np.testing.assert_allclose([one[2:] for one in found], [one[2:] for one in expected], rtol=0, atol=1e-6)


@quick
@given(seeds, st.integers(0, 150))
def test_watch_pings_is_its_twin(seed, count):
    rng = np.random.default_rng(seed)
    rows = random_rows(rng, count)
    cuts = list(pairwise([0, *sorted(rng.integers(0, count + 1, rng.integers(0, 6)).tolist()), count]))
    same(watched(rows, cuts), twins.watch_pings(rows, RULES))


@quick
@given(seeds)
def test_pings_one_by_one_give_the_same_bits(seed):
    rows = random_rows(np.random.default_rng(seed), 60)
    assert watched(rows, [(k, k + 1) for k in range(60)]) == watched(rows)


def drive(*pings):
    """Pings of one trip: time, metres to the north, metres from the line, what matching found, whether at an end."""
    rows = [Seen(0, time_s, 7.0, 45 + m * METRE, off_m, found, end) for time_s, m, off_m, found, end in pings]
    return heard_before(rows, lambda: True)


LEFT, BACK = kernels.LEFT_ROUTE, kernels.BACK_ON_ROUTE
ON, OFF, OVER = MATCHED, OFF_ROUTE, FINISHED


@pytest.mark.parametrize(
    ("pings", "expected"),
    [
        # one ping off the line is noise
        ([(0, 0, 5, ON), (30, 300, 90, OFF), (60, 600, 5, ON), (90, 900, 90, OFF), (120, 999, 9, ON)], []),
        # the second in a row is not, since the vehicle moves; it is back with the second within 40 m
        (
            [(0, 0, 5, ON), (30, 300, 90, OFF), (60, 600, 120, OFF), (90, 900, 41, ON), (120, 1200, 40, ON),
             (150, 1500, 39, ON), (180, 1800, 5, ON)],
            [(2, LEFT, 30, 120), (5, BACK, 30, 120)],
        ),
        # parked beside the line it has not left its route until it moves; the farthest counts for the way back
        (
            [(0, 0, 90, OFF), (30, 24.9, 90, OFF), (60, 26, 70, OFF), (90, 400, 300, OFF), (120, 500, 1, ON),
             (150, 600, 1, OVER)],
            [(2, LEFT, 0, 90), (5, BACK, 0, 300)],
        ),
        # one near ping does not bring it back
        (
            [(0, 0, 90, OFF), (30, 99, 90, OFF), (60, 200, 5, ON), (90, 300, 90, OFF), (120, 400, 5, ON),
             (150, 500, 5, ON), (180, 600, 90, OFF), (210, 700, 90, OFF)],
            [(1, LEFT, 0, 90), (5, BACK, 0, 90), (7, LEFT, 180, 90)],
        ),
    ],
)  # fmt: skip
def test_routes_by_hand(pings, expected):
    same(watched(drive(*((*ping, False) for ping in pings))), expected)


def test_no_progress_by_hand():
    creeping = drive(*((60 * k, 7 * k, 5, ON, False) for k in range(20)))
    # 480 s and 56 m after the start; the start is left behind at 63 m, 540 s; again 480 s later
    same(watched(creeping), [(8, kernels.STUCK, 0, 56), (17, kernels.STUCK, 540, 56)])
    at_terminal = drive(*((60 * k, 0, 5, ON, True) for k in range(20)))
    assert watched(at_terminal) == []  # it may stand there, and the layover is told when it leaves
    off_line = drive(*((60 * k, 0, 99, OFF, False) for k in range(20)))
    same(watched(off_line), [(8, kernels.STUCK, 0, 0)])  # a breakdown beside the route is one as well


def test_layovers_by_hand():
    # stands at its terminal from 0 s to 120 s within 25 m; then for 119 s; and for long where there is no terminal
    pings = [(0, 0, True), (60, 24.9, True), (120, 10, True), (150, 100, True), (269, 100, True), (300, 200, False)]
    found = watched(drive(*((time_s, m, 5, ON, end) for time_s, m, end in [*pings, (700, 200, False), (730, 900, 0)])))
    same(
        found,
        [(3, kernels.LAID_OVER, 0, 120), (6, kernels.SILENT, 300, 400)],
    )


def test_silences_by_hand():
    pings = drive((0, 0, 5, ON, False), (300, 900, 5, ON, False), (601, 1800, 5, ON, True), (2000, 2700, 5, OVER, True))
    same(
        watched(pings), [(2, kernels.SILENT, 300, 301)]
    )  # 300 s are not more than 300 s; at the end it may fall silent


def test_nothing_constant_and_no_numbers():
    assert watched([]) == []
    assert watched([Seen(-1, 0.0, 7.0, 45.0, 5.0, MATCHED, at_end=False)] * 5) == []
    same_place = [Seen(0, 0.0, 7.0, 45.0, 5.0, MATCHED, at_end=False)] * 5
    assert watched(same_place) == []
    broken = [Seen(0, 30.0 * k, NAN, NAN, NAN, kind, at_end=False) for k, kind in enumerate([ON, OFF, OFF, ON] * 5)]
    assert [one[:3] for one in watched(broken)] == [
        (16, kernels.STUCK, 0)
    ]  # places that are no numbers are no progress


def test_one_ping_can_show_several_things():
    # silent since 200 s, and gone from where it stood; then back on its route
    pings = [(0, 0, 99, OFF, False), (30, 90, 99, OFF, False), (60, 200, 5, ON, True), (200, 200, 99, OFF, False)]
    found = watched(drive(*pings, (900, 900, 5, ON, False), (930, 999, 5, ON, False)))
    expected = [(1, LEFT, 0, 99), (4, kernels.SILENT, 200, 700), (4, kernels.LAID_OVER, 60, 140), (5, BACK, 0, 99)]
    same(found, expected)


@quick
@given(seeds, st.integers(0, 60))
def test_verdict_changes_is_its_twin(seed, count):
    rng = np.random.default_rng(seed)
    performed, verdict = rng.integers(0, 3, count), rng.integers(-1, 4, count)
    watch, cut = blank_watch(8), int(rng.integers(0, count + 1))
    found = [
        kernels.verdict_changes(performed[part], verdict[part], watch, np.empty(len(verdict[part]), np.bool_)).tolist()
        for part in (slice(cut), slice(cut, None))
    ]
    assert found[0] + found[1] == twins.verdict_changes(performed, verdict, Punctuality.ON_TIME)
