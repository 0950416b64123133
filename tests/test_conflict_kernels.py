"""Conflict kernels on cases worked out by hand, and against plain twins over random drives."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.conflict_kernels import Limits, collision_course, encounters
from sim.following_kernels import Scene, following, neighbours_in_time
from sim.track_kernels import follow_tracks, passes_of
from tests import conflict_oracles as oracles
from tests.conflict_scene import areas, nobody, rows, sizes, track, way_tables

EVER = Limits(pet_s=5.0, ttc_s=1.5, since_s=-math.inf, last_s=math.inf)
ALL = EVER._replace(pet_s=60.0)


def met(samples, limits=EVER, *, merges=False, count=2, length_m=5.0, width_m=2.0):
    who = sizes(count, length_m, width_m)
    tracks = follow_tracks(samples, way_tables(), 1.5)
    passes = passes_of(samples, tracks, way_tables().way_m, who.length_m, 1.5, math.inf)
    return encounters(samples, tracks.along_m, passes, areas(merges=merges), who, limits)


def behind(samples, limits=EVER, count=2):
    tracks = follow_tracks(samples, way_tables(), 1.5)
    order = np.argsort(samples.time_s, kind="stable")
    pairs = nobody(count)
    scene = Scene(samples, tracks.along_m, *neighbours_in_time(samples, tracks), order)
    told = following(scene, way_tables(), sizes(count), pairs, limits)
    return np.concatenate((told, pairs.told[pairs.leader >= 0]))


def steady(vehicle, start_m, speed, lanes, seconds=30, step_s=1.0):
    times = np.arange(0, seconds + step_s / 2, step_s)
    return track(vehicle, times, start_m + speed * times, lanes, np.full(len(times), speed))


EAST, NORTH = (0, 1, 2), (3, 4, 5)


@pytest.mark.parametrize("step_s", [0.1, 0.5, 1.0])
def test_two_that_cross_at_constant_speeds(step_s):
    # width 2 m: the area is from 8 to 12 m inside, 108 to 112 m from the begin. One at 10 m/s enters at 10.8 s and has
    # left with its tail (5 m) at 11.7 s; the other at 9 m/s enters at 12 s.
    one, other = steady(0, 0.0, 10.0, EAST, step_s=step_s), steady(1, 0.0, 9.0, NORTH, step_s=step_s)
    ((first, second, area, time_s, pet_s, ttc_s, drac, *speeds),) = met(rows(one, other))
    assert (first, second, area) == (0, 1, 0)
    assert time_s == pytest.approx(12.0)
    assert pet_s == pytest.approx(12.0 - 11.7)
    assert math.isinf(ttc_s)
    assert drac == 0
    assert speeds == [10.0, 9.0]


def test_two_that_would_collide_have_a_time_to_collision():
    # 10 m/s and 9.5 m/s: the second enters at 108 / 9.5 = 11.368 s, before the first is out at 11.7 s
    one, other = steady(0, 0.0, 10.0, EAST, step_s=0.5), steady(1, 0.0, 9.5, NORTH, step_s=0.5)
    ((*_, pet_s, ttc_s, drac, _, _),) = met(rows(one, other))
    assert pet_s == pytest.approx(108 / 9.5 - 11.7)
    # looked at each tenth of a second: last at 10.8 s before the first is in, then until 11.3 s
    assert ttc_s == pytest.approx(108 / 9.5 - 11.3)
    # 0.65 m before it must stand, since it would be there in less than half of the 0.4 s that the first one needs
    assert drac == pytest.approx(9.5**2 / (2 * 0.65))


def test_where_ways_merge_the_first_one_need_only_have_passed_the_begin():
    one, other = steady(0, 0.0, 10.0, EAST), steady(1, 0.0, 9.0, NORTH)
    ((*_, pet_s, _, _, _, _),) = met(rows(one, other), merges=True)
    assert pet_s == pytest.approx(12.0 - (108 + 5) / 10)


def test_narrow_ones_have_a_smaller_area_and_long_ones_leave_later():
    one, other = steady(0, 0.0, 10.0, EAST), steady(1, 0.0, 9.0, NORTH)
    ((*_, narrow_s, _, _, _, _),) = met(rows(one, other), width_m=1.5)
    assert narrow_s == pytest.approx(108.5 / 9 - 11.65)
    ((*_, long_s, _, _, _, _),) = met(rows(one, other), length_m=6.0)
    assert long_s == pytest.approx(12.0 - 11.8)


def test_one_that_passes_long_after_is_no_encounter():
    one, other = steady(0, 0.0, 10.0, EAST, seconds=40), steady(1, 0.0, 6.0, NORTH, seconds=40)
    assert len(met(rows(one, other))) == 0
    ((*_, pet_s, _, _, _, _),) = met(rows(one, other), ALL)
    assert pet_s == pytest.approx(108 / 6 - 11.7)


def test_one_that_waits_with_its_nose_at_the_edge_enters_when_it_starts():
    # it stands half a metre inside from 11 s to 16 s; the other one passes meanwhile
    times = np.arange(0.0, 31.0)
    waits = np.where(times < 11, 108.5 - 9 * (11 - times), np.where(times <= 16, 108.5, 108.5 + 5 * (times - 16)))
    speeds = np.where((times >= 11) & (times <= 16), 0.0, 7.0)
    one, other = track(0, times, np.maximum(waits, 0), EAST, speeds), steady(1, -10.0 + 10, 9.0, NORTH)
    ((first, _, _, time_s, pet_s, *_),) = met(rows(one, other))
    assert first == 1
    assert time_s == 16.0
    assert pet_s == pytest.approx(16 - 117 / 9)


def test_a_way_may_be_passed_between_two_samples():
    # at 25 m/s the 20 m inside lie between 99 m and 124 m
    times = np.arange(0.0, 9.0)
    fast = track(0, times, 24 + 25 * times, EAST, np.full(9, 25.0))
    slow = track(1, times + 1, 100 + 7 * times, NORTH, np.full(9, 7.0))
    # its front is at 108 m at 3.36 s; the tail of the slow one leaves 112 m at 1 + 17 / 7 s
    ((first, *_, pet_s, _, _, _, _),) = met(rows(fast, slow), ALL)
    assert first == 1
    assert pet_s == pytest.approx((108 - 24) / 25 - (1 + 17 / 7))


def test_who_closes_in_has_a_gap_over_the_closing_speed():
    # at 0 s: 20 m from front to tail, 15 against 5 m/s; told within 1.5 s, so at 1 s: 10 m, TTC 1 s
    leader = steady(0, 25.0, 5.0, EAST, seconds=1)
    follower = steady(1, 0.0, 15.0, EAST, seconds=1)
    ((who, whom, time_s, ttc_s, drac, *_),) = behind(rows(leader, follower))
    assert (who, whom, time_s) == (1, 0, 1.0)
    assert ttc_s == pytest.approx(1.0)
    assert drac == pytest.approx(10**2 / (2 * 10))


def test_a_leader_in_the_next_lane_counts_by_the_way_that_the_follower_takes():
    times = np.arange(0.0, 4.0)
    leader = track(0, times, np.full(4, 108.0), EAST, np.zeros(4))
    follower = track(1, times, 70 + 11.0 * times, EAST, np.full(4, 11.0))
    ((_, _, time_s, ttc_s, *_),) = behind(rows(leader, follower))
    assert time_s == 2.0
    assert ttc_s == pytest.approx((108 - 5 - 92) / 11)


def test_a_tail_that_reaches_back_into_a_lane_counts_there():
    times = np.arange(0.0, 2.0)
    leader = track(0, times - 0, np.array([99.0, 102.0]), EAST, np.full(2, 3.0))
    follower = track(1, times, np.array([75.0, 85.0]), EAST, np.full(2, 10.0))
    found = behind(rows(leader, follower), EVER._replace(ttc_s=3.0))
    assert found[-1, 3] == pytest.approx((102 - 5 - 85) / 7)


def test_nobody_meets_nobody():
    empty = rows(track(0, [], [], EAST, []))
    assert met(empty).shape == (0, 9)
    assert behind(empty).shape == (0, 9)


def test_one_alone_meets_nobody():
    alone = rows(steady(0, 0.0, 10.0, EAST))
    assert len(met(alone)) == len(behind(alone)) == 0


def test_a_speed_that_is_no_number_is_no_collision_course():
    assert collision_course(5.0, 10.0, math.nan, 5.0, 10.0, 8.0) == (math.inf, 0.0)


way_m = st.floats(-20, 80)
speed = st.one_of(st.just(0.0), st.floats(0.2, 20))


@settings(deadline=None)
@given(way_m, st.floats(1, 20), speed, way_m, st.floats(1, 20), speed)
def test_time_to_collision_is_what_the_plain_twin_finds(a_m, a_long_m, a_mps, b_m, b_long_m, b_mps):
    one, other = (a_m, a_m + a_long_m, a_mps), (b_m, b_m + b_long_m, b_mps)
    ttc_s, drac = collision_course(*one, *other)
    assert ttc_s == pytest.approx(oracles.course(one, other), abs=1e-9)
    assert (drac > 0) <= math.isfinite(ttc_s)


drives = st.lists(st.floats(1.0, 14.0), min_size=40, max_size=40)


def driven(vehicle, speeds, lanes, begin_s=0):
    """A vehicle that moves through each second at one speed, as SUMO has it."""
    places = np.concatenate(([0.0], np.cumsum(speeds)))
    times = begin_s + np.arange(len(places), dtype=float)
    kept = places < 219
    return track(vehicle, times[kept], places[kept], lanes, np.concatenate(([speeds[0]], speeds))[kept])


@settings(deadline=None, max_examples=60)
@given(drives, drives, st.integers(0, 8))
def test_post_encroachment_is_what_the_plain_twin_finds(one, other, begin_s):
    samples = rows(driven(0, one, EAST), driven(1, other, NORTH, begin_s))
    tracks = oracles.places(samples)
    expected = oracles.pet(tracks[0], tracks[1], 108.0, 112.0, 5.0)
    found = met(samples, ALL._replace(ttc_s=-1.0))
    if expected is None or expected > 60:
        assert len(found) == 0
    else:
        assert found[:, 4].tolist() == [pytest.approx(expected, abs=1e-6)]


@settings(deadline=None, max_examples=60)
@given(st.lists(drives, min_size=2, max_size=5))
def test_following_is_what_the_plain_twin_finds(speeds):
    samples = rows(*(driven(who, row, EAST, 3 * who) for who, row in enumerate(speeds)))
    expected = oracles.least_following(samples, 5.0, 1.5)
    found = behind(samples, EVER._replace(pet_s=1e9), len(speeds))
    least = {}
    for who, whom, _, ttc_s, *_ in found.tolist():
        least[who, whom] = min(least.get((who, whom), math.inf), ttc_s)
    assert least.keys() == expected.keys()
    for pair, ttc_s in expected.items():
        assert least[pair] == pytest.approx(ttc_s)
