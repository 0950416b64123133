"""Records of a file that are off by one way while others are right: put back if many show it, else left alone."""

import numpy as np
import pytest

from networks.crash_displaced import displaced_notices, find_displaced, put_back
from networks.crash_sites import CROSS_STREET, MID_BLOCK, CrashMatches
from networks.crashes import Crashes
from networks.network import NONE
from networks.sites import Site

GRID = [(number % 4, number // 4) for number in range(16)]
STREETS, AVENUES = ("Ash", "Birch", "Cedar", "Dogwood"), ("Miller", "Nolan", "Olsen", "Porter")
SITES = tuple(
    Site(f"c{number}", (number,), (), 4, (f"{STREETS[x]} Street", f"{AVENUES[y]} Avenue"), 1000.0 * x, 1000.0 * y)
    for number, (x, y) in enumerate(GRID)
)
AWAY = (-300.0, 650.0)


def records(right, off, *, way=AWAY, spread_m=3.0, crossings=16, is_named=True):
    """Records at the crossings in turn: right ones, then those that are off."""
    draw, count = np.random.default_rng(5), right + off
    at = [GRID[number % crossings] for number in range(count)]
    moved = np.where(np.arange(count)[:, None] >= right, way, 0.0)
    places = 1000.0 * np.array(at) + moved + draw.normal(0, spread_m, (count, 2))
    whole, zeros, empty = np.zeros(count, dtype=np.int32), np.zeros(count), ("",) * count
    crashes = Crashes(
        files=("a.csv",), file=whole, row=np.arange(count, dtype=np.int32) + 2,
        time=np.full(count, "NaT", dtype="datetime64[s]"), lon=zeros, lat=zeros, x_m=places[:, 0], y_m=places[:, 1],
        deaths=whole, injured=whole, severely_injured=whole, severity=whole, at_junction=whole + NONE,
        type=empty, parties=empty, synthetic=whole.astype(bool),
        street=tuple(f"{STREETS[x]} St" for x, _ in at),
        cross_street=tuple(f"{AVENUES[y].upper()} AV" if is_named else "" for _, y in at),
    )  # fmt: skip
    number = np.array([GRID.index(place) for place in at], dtype=np.int32)
    is_right = np.arange(count) < right
    method = tuple(CROSS_STREET if fine else MID_BLOCK for fine in is_right)
    return crashes, CrashMatches(np.where(is_right, number, NONE), np.where(is_right, spread_m, np.nan), method)


def test_those_that_are_off_alike_are_put_back_and_no_other():
    crashes, matches = records(200, 80)
    (group,) = find_displaced(SITES, crashes, matches)
    assert group.rows.tolist() == list(range(200, 280))
    assert (group.east_m, group.north_m) == pytest.approx(AWAY, abs=1)
    back = put_back(crashes, (group,))
    assert np.array_equal(back.x_m[:200], crashes.x_m[:200])
    middle = 1000.0 * np.array([GRID[number % 16] for number in range(280)])
    assert np.hypot(back.x_m - middle[:, 0], back.y_m - middle[:, 1]).max() < 15
    (notice,) = displaced_notices(crashes, (group,))
    assert (notice.code, notice.value, notice.row, notice.count) == ("CRASH_DISPLACED", "716 m north-west", 202, 80)


@pytest.mark.parametrize(
    "told",
    [
        {"off": 40},  # too few
        {"off": 200, "spread_m": 300.0},  # off, and not alike
        {"off": 200, "crossings": 8},  # at few crossings: that of each was put wrong, perhaps
        {"off": 200, "is_named": False},
        {"off": 200, "way": (9000.0, 0.0)},
        {"off": 0},
    ],
)
def test_without_enough_to_tell_nothing_is_moved(told):
    assert find_displaced(SITES, *records(100, **told)) == ()


def test_what_is_off_by_other_ways_stays():
    crashes, matches = records(0, 120)
    others = np.arange(120) % 4 == 0
    crashes.x_m[others] += np.linspace(-2000, 2000, 120)[others]
    (group,) = find_displaced(SITES, crashes, matches)
    assert set(group.rows.tolist()) <= set(np.flatnonzero(~others).tolist()) | {60}
    assert group.named >= 100
    crashes.x_m[:] += np.linspace(-2000, 2000, 120)
    assert find_displaced(SITES, crashes, matches) == ()
