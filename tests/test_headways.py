"""Headways and what follows from them, against numbers worked out by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gtfs.headways import (
    Headways,
    bunched,
    coefficient_of_variation,
    gaps,
    headway_adherence,
    headways_of,
    level_of_service,
    mean_wait_s,
    place_rows,
)

NAN = float("nan")


def visits(*rows):
    """Headways in minutes of visits at one stop, from rows of scheduled and actual departure in minutes."""
    scheduled_s, actual_s = 60.0 * np.array(rows, dtype=float).reshape(-1, 2).T
    return headways_of(np.zeros(len(rows), dtype=int), scheduled_s, actual_s)


def minutes(column):
    return [None if np.isnan(value) else value / 60 for value in column.tolist()]


def adherence(found):
    return headway_adherence(found, np.zeros(len(found.actual_s), dtype=int))[0]


def test_five_ten_fifteen_against_ten_ten_ten():
    found = visits((0, 0), (10, 5), (20, 15), (30, 30))
    assert minutes(found.actual_s) == [None, 5, 10, 15]
    assert minutes(found.scheduled_s) == [None, 10, 10, 10]
    row = adherence(found)
    # deviations -5, 0, 5: sd = sqrt(50 / 3) = 4.082 min
    assert row.cv == pytest.approx(0.4082, abs=1e-4)
    assert row.level_of_service == "D"
    # (25 + 100 + 225) / (2 * 30) = 5.833 min, scheduled 300 / 60 = 5 min
    assert row.mean_wait_s == pytest.approx(350)
    assert row.excess_wait_s == pytest.approx(50)
    assert (row.visits, row.headways, row.mean_actual_s, row.mean_scheduled_s) == (4, 3, 600, 600)
    assert (row.bunched, row.gaps) == (0, 1)  # 15 min is more than 10 + 3


@pytest.mark.parametrize(
    ("cv", "level"),
    [
        *((0, "A"), (0.21, "A"), (0.22, "B"), (0.30, "B"), (0.31, "C"), (0.39, "C"), (0.40, "D"), (0.52, "D")),
        *((0.53, "E"), (0.74, "E"), (0.75, "F"), (3, "F"), (NAN, "")),
    ],
)
def test_levels_of_service_of_the_manual(cv, level):
    assert level_of_service(cv) == level


def test_vehicles_in_pairs_double_the_wait():
    # every second headway is nothing: passengers wait half of 20 min, not of 10
    pairs = np.array([0, 1200] * 8, dtype=float)
    assert mean_wait_s(pairs) == 600
    assert mean_wait_s(np.full(16, 600.0)) == 300
    # mean(h) / 2 * (1 + cv^2) with the sd of the population
    assert coefficient_of_variation(pairs, np.full(16, 600.0)) == 1
    assert mean_wait_s(pairs) == pairs.mean() / 2 * (1 + 1**2)


def test_a_trip_that_never_came_lengthens_the_headway_of_the_next():
    found = visits((0, 0), (10, NAN), (20, 20), (30, 30))
    assert minutes(found.actual_s) == [None, None, 20, 10]
    assert minutes(found.scheduled_s) == [None, 10, 10, 10]
    assert gaps(found).tolist() == [False, False, True, False]
    # (400 + 100) / 60 - 300 / 60 = 8.333 - 5 min
    assert adherence(found).excess_wait_s == pytest.approx(200)
    assert adherence(found).headways == 2


def test_one_that_overtook_is_measured_from_the_one_really_ahead():
    # the second trip leaves before the first; each keeps its own scheduled headway
    found = visits((0, 0), (10, 24), (18, 22), (30, 30))
    assert minutes(found.actual_s) == [None, 2, 22, 6]
    assert minutes(found.scheduled_s) == [None, 10, 8, 12]
    assert bunched(found).tolist() == [False, True, False, False]


def test_two_vehicles_scheduled_at_one_moment_cannot_be_bunched():
    found = visits((0, 0), (10, 10), (10, 10), (20, 20))
    assert minutes(found.scheduled_s) == [None, 10, 0, 10]
    assert minutes(found.actual_s) == [None, 10, 0, 10]
    assert not bunched(found).any()
    assert not gaps(found).any()
    assert (adherence(found).headways, adherence(found).cv, adherence(found).excess_wait_s) == (2, 0, 0)


def test_a_trip_that_was_not_scheduled_has_no_headway_to_keep():
    found = visits((0, 0), (NAN, 4), (10, 10))
    assert minutes(found.actual_s) == [None, 4, 6]
    assert minutes(found.scheduled_s) == [None, None, 10]
    assert adherence(found).headways == 1


def test_a_single_vehicle_says_nothing():
    row = adherence(visits((0, 0)))
    assert (row.visits, row.headways, row.level_of_service, row.bunched, row.gaps) == (1, 0, "", 0, 0)
    assert np.isnan([row.cv, row.mean_wait_s, row.excess_wait_s, row.mean_actual_s, row.mean_scheduled_s]).all()


def test_one_headway_does_not_vary():
    row = adherence(visits((0, 0), (10, 12)))
    assert (row.headways, row.level_of_service) == (1, "")
    assert np.isnan(row.cv)
    assert row.excess_wait_s == 60


def test_nothing_at_all():
    nothing = np.array([])
    found = headways_of(np.array([], dtype=int), nothing, nothing)
    assert found.actual_s.shape == found.scheduled_s.shape == (0,)
    assert headway_adherence(found, np.array([], dtype=int)) == ()


@pytest.mark.parametrize(
    ("actual_s", "scheduled_s", "is_bunched", "is_gap"),
    [
        (149, 600, True, False),
        (150, 600, False, False),
        (780, 600, False, False),
        (781, 600, False, True),  # more than three minutes above
        (180, 120, False, False),
        (181, 120, False, True),  # more than half as much again
        (NAN, 600, False, False),
        (600, NAN, False, False),
        (0, 0, False, False),
        (600, 0, False, False),
    ],
)
def test_bounds_of_bunching_and_gaps(actual_s, scheduled_s, is_bunched, is_gap):
    found = Headways(np.array([actual_s], dtype=float), np.array([scheduled_s], dtype=float))
    assert (bunched(found).tolist(), gaps(found).tolist()) == ([is_bunched], [is_gap])


def test_dashboards_with_other_ratios():
    found = Headways(np.array([449.0, 450.0]), np.array([600.0, 600.0]))
    assert bunched(found, ratio=0.75).tolist() == [True, False]
    assert gaps(found, ratio=0.5, excess_s=1e9).tolist() == [True, True]


def test_routes_directions_and_stops_are_apart():
    route, direction, stop = np.array([[7, 0, 3], [7, 1, 3], [7, 0, 3], [8, 0, 3], [7, 0, 4]]).T
    place = place_rows(route, direction, stop)
    assert place.tolist() == [0, 2, 0, 3, 1]
    departure_s = np.array([0.0, 60, 120, 180, 240])
    assert minutes(headways_of(place, departure_s, departure_s).actual_s) == [None, None, 2, None, None]


def test_groups_are_summed_up_apart_and_negative_ones_left_out():
    found = visits((0, 0), (10, 5), (20, 15), (30, 30))
    rows = headway_adherence(found, np.array([-1, 4, 4, 2]))
    assert [(row.group, row.visits, row.mean_actual_s) for row in rows] == [(2, 1, 900), (4, 2, 450)]


days = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 5000), st.one_of(st.integers(0, 5000), st.just(NAN))), max_size=25
)


def columns(rows):
    place, scheduled_s, actual_s = list(zip(*rows, strict=True)) or [(), (), ()]
    return np.array(place, dtype=int), np.array(scheduled_s, dtype=float), np.array(actual_s, dtype=float)


def plain_headways(place, departure_s, k):
    """Since the latest departure among those before, at the same place; rows apart in time only."""
    before = [t for p, t in zip(place, departure_s, strict=True) if p == place[k] and t < departure_s[k]]
    return departure_s[k] - max(before) if before else None


@settings(deadline=None)
@given(days)
def test_headways_are_the_times_since_the_latest_departure_before(rows):
    place, scheduled_s, actual_s = columns(rows)
    found = headways_of(place, scheduled_s, actual_s)
    for departure_s, headway_s in ((scheduled_s, found.scheduled_s), (actual_s, found.actual_s)):
        for k in range(len(rows)):
            alone = ((place == place[k]) & (departure_s == departure_s[k])).sum() == 1
            expected = plain_headways(place, departure_s, k)
            if alone:
                assert headway_s[k] == expected or (np.isnan(headway_s[k]) and expected is None)


@settings(deadline=None)
@given(days, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(rows, random):
    shuffled = random.sample(rows, len(rows))
    results = [
        sorted(zip(*columns(order), *minutes_of(headways_of(*columns(order))), strict=True), key=repr)
        for order in (rows, shuffled)
    ]
    assert repr(results[0]) == repr(results[1])


def minutes_of(found):
    return found.actual_s, found.scheduled_s


@settings(deadline=None)
@given(days, st.integers(-100_000, 100_000))
def test_moving_every_time_by_as_much_changes_nothing(rows, shift_s):
    place, scheduled_s, actual_s = columns(rows)
    moved = headways_of(place, scheduled_s + shift_s, actual_s + shift_s)
    assert repr(headway_adherence(moved, place)) == repr(
        headway_adherence(headways_of(place, scheduled_s, actual_s), place)
    )


@settings(deadline=None)
@given(days)
def test_a_day_that_kept_its_timetable_has_no_excess_wait_and_level_a(rows):
    place, scheduled_s, _ = columns(rows)
    for row in headway_adherence(headways_of(place, scheduled_s, scheduled_s), place):
        assert row.excess_wait_s == 0 or np.isnan(row.excess_wait_s)
        assert row.level_of_service in {"A", ""}
        assert (row.bunched, row.gaps) == (0, 0)
