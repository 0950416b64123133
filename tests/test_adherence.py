"""How late visits are, whether that is on time, and how it spreads: rules and numbers worked out by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gtfs.adherence import deviations_s, next_calls, scheduled_calls
from gtfs.deviation_spread import deviation_spread, service_hours
from gtfs.on_time import (
    ON_TIME_RULES,
    OnTimeCounts,
    Position,
    Punctuality,
    judged_deviation_s,
    on_time_counts,
    parse_on_time,
    positions,
    punctuality,
)
from networks.faults import InputError

NAN, INF = float("nan"), float("inf")
EARLY, ON_TIME, LATE = Punctuality.EARLY, Punctuality.ON_TIME, Punctuality.LATE
MISSING, UNKNOWN = Punctuality.MISSING, Punctuality.UNKNOWN


# two trips over 400 m: 0 to 60 s, waiting 20 s half way in the second
CALLS = scheduled_calls(
    [0, 2, 5], distance_m=[0, 400, 0, 200, 400], arrival_s=[0, 60, 90, 130, 180], departure_s=[0, 60, 100, 150, 180]
)


def test_columns_that_fit_are_taken_as_they_are():
    assert CALLS.trips == 2
    assert CALLS.arrival_s.tolist() == [0, 60, 90, 130, 180]
    assert CALLS.departure_s.tolist() == [0, 60, 100, 150, 180]


@pytest.mark.parametrize(
    ("start", "distance_m", "arrival_s", "what"),
    [
        ([0, 2], [0, 1], [0], "one length"),
        ([0, 2], [[0, 1]], [[0, 1]], "one length"),
        ([1, 2], [0, 1], [0, 1], "rows of trips"),
        ([0, 3], [0, 1], [0, 1], "rows of trips"),
        ([0, 2, 1, 2], [0, 1], [0, 1], "rows of trips"),
        ([], [], [], "rows of trips"),
        ([0, 2], [0, NAN], [0, 1], "needs a distance"),
        ([0, 2], [0, 1], [0, NAN], "needs a distance"),
        ([0, 2], [1, 0], [0, 1], "must not fall"),
    ],
)
def test_columns_that_do_not_fit_are_refused(start, distance_m, arrival_s, what):
    with pytest.raises(ValueError, match=what):
        scheduled_calls(start, distance_m, arrival_s, arrival_s)


def test_buses_of_two_trips_at_one_moment():
    trip, distance_m, time_s = np.array([0, 1, 1, -1]), np.array([200.0, 100.0, 200.0, 5.0]), np.full(4, 140.0)
    # 140 - 30; 140 - (100 + 30 * 0.5); within its stop
    np.testing.assert_allclose(deviations_s(CALLS, trip, distance_m, time_s), [110, 25, 0, NAN])
    assert next_calls(CALLS, trip, distance_m).tolist() == [1, 3, 3, -1]


def test_a_loop_brings_its_own_column():
    trip, at_m, out, row = (
        np.zeros(3, dtype=np.int32),
        np.array([0.0, 200.0, 400.0]),
        np.empty(3),
        np.empty(3, np.int32),
    )
    assert deviations_s(CALLS, trip, at_m, np.full(3, 60.0), out=out) is out
    assert out.tolist() == [60, 30, 0]
    assert next_calls(CALLS, trip, at_m, out=row) is row
    assert row.tolist() == [0, 1, 1]
    with pytest.raises(ValueError, match="one length"):
        deviations_s(CALLS, trip, at_m, np.full(3, 60.0), out=np.empty(2))
    with pytest.raises(ValueError, match="one length"):
        next_calls(CALLS, trip, at_m[:2])


def test_a_noisy_position_needs_a_wider_tolerance_to_wait_at_its_stop():
    trip, at_m, now_s = np.array([1]), np.array([192.0]), np.array([145.0])
    assert deviations_s(CALLS, trip, at_m, now_s, tolerance_m=10.0).tolist() == [0]
    np.testing.assert_allclose(deviations_s(CALLS, trip, at_m, now_s), [145 - (100 + 30 * 192 / 200)])


def judge(rule, position, deviations):
    column = np.array(deviations, dtype=float)
    return punctuality(rule, np.full(len(column), position), column, np.zeros(len(column), dtype=bool)).tolist()


@pytest.mark.parametrize(
    ("rule", "position", "bounds"),
    [
        ("default", Position.ORIGIN, (-60, 300)),
        ("default", Position.MIDDLE, (-60, 300)),
        ("default", Position.END, (-60, 300)),
        ("tcqsm", Position.MIDDLE, (-60, 300)),
        ("mbta", Position.ORIGIN, (0, 180)),
        ("mbta", Position.MIDDLE, (-60, 360)),
        ("mbta", Position.END, (-INF, 300)),
        ("-30,90.5", Position.END, (-30, 90.5)),
    ],
)
def test_bounds_of_rules_are_on_time_themselves(rule, position, bounds):
    earliest_s, latest_s = bounds
    rule = parse_on_time(rule)
    assert judge(rule, position, [latest_s, latest_s + 0.1]) == [ON_TIME, LATE]
    if earliest_s > -INF:
        assert judge(rule, position, [earliest_s, earliest_s - 0.1]) == [ON_TIME, EARLY]
    else:
        assert judge(rule, position, [-1e6]) == [ON_TIME]


@pytest.mark.parametrize(
    "text", ["", "MBTA", "late", "-60", "-60,300,9", "300,-60", "a,b", "nan,300", "-inf,300", "0,inf"]
)
def test_a_rule_that_is_none_is_refused_in_one_sentence(text):
    with pytest.raises(InputError) as caught:
        parse_on_time(text)
    assert caught.value.code == "CONFIG_VALUE"
    assert "default, mbta, tcqsm" in str(caught.value)


def test_rules_know_their_names():
    assert {name: rule.name for name, rule in ON_TIME_RULES.items()} == {name: name for name in ON_TIME_RULES}
    assert parse_on_time("mbta").name == "mbta"
    assert parse_on_time(" -60, 300").name == "-60,300"


@pytest.mark.parametrize("text", ["60,300", "-300,-60", "1,1"])
def test_a_rule_by_which_the_timetable_itself_is_not_on_time_is_refused(text):
    with pytest.raises(InputError, match=r"CONFIG_VALUE: .*to the second would not be on time. Early is negative"):
        parse_on_time(text)


@given(st.floats(-1e5, 0), st.floats(0, 1e5))
def test_any_two_numbers_around_the_timetable_are_a_rule(low, high):
    rule = parse_on_time(f"{low!r},{high!r}")
    assert rule.origin == rule.middle == rule.end == (low, high)


def test_positions_follow_the_sequence_of_each_trip_not_the_order_of_rows():
    trip, sequence = np.array([[5, 30], [5, 10], [2, 1], [5, 20], [2, 4], [9, 7]]).T
    names = [Position(value).name for value in positions(trip, sequence)]
    assert names == ["END", "ORIGIN", "ORIGIN", "MIDDLE", "END", "END"]
    nothing = np.array([], dtype=int)
    assert positions(nothing, nothing).tolist() == []


def test_departures_are_judged_and_at_the_end_the_arrival():
    position = np.array([Position.ORIGIN, Position.MIDDLE, Position.MIDDLE, Position.END, Position.END])
    found = judged_deviation_s(
        position,
        scheduled_arrival_s=np.array([90.0, 200, 300, 400, 400]),
        scheduled_departure_s=np.array([100.0, 220, 300, 460, 460]),
        actual_arrival_s=np.array([10.0, 190, 310, 405, NAN]),
        actual_departure_s=np.array([130.0, 215, NAN, 700, 700]),
    )
    # a time that nobody saw is not taken from the other one
    np.testing.assert_array_equal(found, [30, -5, NAN, 5, NAN])


def test_missing_trips_stay_in_the_denominator_and_unknown_visits_do_not():
    deviation_s = np.array([0.0, -61, 301, NAN, NAN, 0])
    is_missing = np.array([False, False, False, True, False, False])
    found = punctuality(parse_on_time("default"), np.full(6, Position.MIDDLE), deviation_s, is_missing)
    assert found.tolist() == [ON_TIME, EARLY, LATE, MISSING, UNKNOWN, ON_TIME]
    counts = on_time_counts(found)
    assert counts == OnTimeCounts(early=1, on_time=2, late=1, missing=1, unknown=1)
    assert counts.on_time_share == 2 / 5


def test_nothing_due_has_no_share():
    assert np.isnan(on_time_counts(np.array([], dtype=np.int8)).on_time_share)
    assert np.isnan(on_time_counts(np.array([UNKNOWN])).on_time_share)


def test_spread_by_route_and_hour():
    # route 1 from 8 to 9: 0, 10, .. 100 s; route 0 after midnight: a late one, a missing one, one nobody saw
    route = np.array([1] * 11 + [0] * 3)
    hour = service_hours(np.array([8 * 3600.0] * 10 + [9 * 3600 - 1.0] + [24.5 * 3600] * 3))
    deviation_s = np.array([*range(0, 101, 10), 400, NAN, NAN], dtype=float)
    is_missing = np.arange(14) == 12
    found = punctuality(parse_on_time("-60,95"), np.full(14, Position.MIDDLE), deviation_s, is_missing)
    night, morning = deviation_spread(route, hour, deviation_s, found)
    assert (morning.route, morning.hour, morning.count, morning.mean_s) == (1, 8, 11, 50)
    assert (morning.p10_s, morning.p50_s, morning.p90_s) == (10, 50, 90)
    assert morning.on_time_share == 10 / 11
    assert (night.route, night.hour, night.count, night.mean_s, night.p10_s, night.p90_s) == (0, 24, 1, 400, 400, 400)
    assert night.on_time == OnTimeCounts(early=0, on_time=0, late=1, missing=1, unknown=1)
    assert night.on_time_share == 0


def test_percentiles_lie_between_the_nearest_two():
    nothing_known = deviation_spread(np.array([3]), np.array([7]), np.array([NAN]), np.array([MISSING]))[0]
    assert (nothing_known.count, nothing_known.on_time_share) == (0, 0)
    assert np.isnan([nothing_known.mean_s, nothing_known.p10_s, nothing_known.p50_s, nothing_known.p90_s]).all()
    two = deviation_spread(np.zeros(2, int), np.zeros(2, int), np.array([0.0, 60.0]), np.array([ON_TIME] * 2))[0]
    assert (two.p10_s, two.p50_s, two.p90_s) == (6, 30, 54)


def test_no_visits_have_no_spread_and_no_time_has_no_hour():
    nothing = np.array([], dtype=int)
    assert deviation_spread(nothing, nothing, np.array([]), nothing) == ()
    assert service_hours(np.array([NAN, 3600.0, 90000.0])).tolist() == [-1, 1, 25]
