"""Rows of timetabled vehicles, for a line of three trips whose numbers are seen on paper."""

import math
from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from gtfs.on_time import ON_TIME_RULES
from sim.transit_plan import PlannedCalls, PlannedLegs, PlannedWays, TransitPlan
from sim.transit_run import TransitRun
from sim.transit_tables import headway_rows, judged_calls, stop_visits, transit_measures, trip_rows

SEVEN = 25200.0
NAN = math.nan


def plan_of(*trips, parts=None):
    """Trips as (departure from A, by-pass time to B, time to C): each calls at A, B (time left blank) and C."""
    count = len(trips)
    begin = np.array(trips, dtype=np.float64)
    times = np.column_stack((begin, begin + 300, begin + 600)).ravel()
    return TransitPlan(
        service_date=date(2026, 5, 13),
        timezone="Europe/Berlin",
        vehicle_ids=tuple(f"bus-{number}" for number in range(count)),
        legs=PlannedLegs(
            vehicle=np.arange(count, dtype=np.int32),
            trip_ids=tuple(f"t{number}" for number in range(count)) if parts is None else ("t",) * count,
            scheduled_trip_ids=tuple(f"t{number}" for number in range(count)),
            service_dates=("2026-05-13",) * count,
            route_ids=("12",) * count,
            route_names=("12",) * count,
            direction=np.zeros(count, dtype=np.int32),
            way=np.zeros(count, dtype=np.int32),
            pattern_ids=("12-0",) * count,
            number=np.array(parts if parts is not None else [0] * count, dtype=np.int32),
            call_start=np.arange(0, 3 * count + 1, 3, dtype=np.int32),
        ),
        calls=PlannedCalls(
            stop_ids=("A", "B", "C") * count,
            stop_names=("A", "B", "C") * count,
            bus_stops=("A", "B", "C") * count,
            stop_sequence=np.array([5, 10, 20] * count, dtype=np.int32),
            way_m=np.array([0.0, 1500.0, 4000.0] * count),
            arrival_s=times,
            departure_s=times,
            timepoint=np.array([True, False, True] * count),
            is_interpolated=np.array([False, True, False] * count),
            is_origin=np.array([True, False, False] * count),
            is_end=np.array([False, False, True] * count),
        ),
        ways=PlannedWays(*[np.empty(0)] * 7),
    )


def run_of(plan, arrivals, departures, end_s=SEVEN + 3600):
    calls = plan.calls
    judged_s = np.where(calls.is_end, calls.arrival_s, calls.departure_s)
    none = np.empty(0)
    return TransitRun(
        end_s, np.ravel(arrivals) + SEVEN, np.ravel(departures) + SEVEN, judged_s < end_s, none.astype(int), *[none] * 3
    )


@pytest.fixture
def plan():
    return plan_of(SEVEN, SEVEN + 600, SEVEN + 1200)


@pytest.fixture
def run(plan):
    """The first on time; the second 240 s late at A and C, 400 s at B; the third never comes."""
    return run_of(
        plan,
        [[-20, 310, 630], [830, 1280, 1440], [NAN] * 3],
        [[0, 325, 645], [840, 1300, 1455], [NAN] * 3],
    )


def test_a_visit_has_the_times_of_its_zone_and_the_deviation_that_judges_it(plan, run):
    first, middle, end, late = stop_visits(plan, run, "base", 7)[:4]
    assert (first.variant, first.seed, first.service_date) == ("base", 7, "2026-05-13")
    assert (first.trip_id_performed, first.trip_stop_sequence, first.scheduled_stop_sequence) == ("t0", 1, 5)
    assert (first.pattern_id, first.route_id, first.direction_id, first.vehicle_id) == ("12-0", "12", 0, "bus-0")
    assert (first.stop_id, first.timepoint, first.distance) == ("A", True, 0.0)
    assert first.schedule_departure_time == "2026-05-13T07:00:00+02:00"
    assert first.actual_arrival_time == "2026-05-13T06:59:40+02:00"
    assert first.actual_departure_time == "2026-05-13T07:00:00+02:00"
    assert (first.dwell, first.arrival_deviation_s, first.departure_deviation_s) == (20, -20, 0)
    # judged by the departure, at the end by the arrival
    assert [row.deviation_s for row in (first, middle, end, late)] == [0, 25, 30, 240]
    assert [row.quality for row in (first, middle, end)] == ["observed", "interpolated", "observed"]


def test_punctuality_in_words(plan, run):
    words = [row.punctuality for row in stop_visits(plan, run, "base", 7)]
    assert words == ["on time"] * 4 + ["late", "on time"] + ["missing"] * 3
    strict = stop_visits(plan, run, "base", 7, ON_TIME_RULES["mbta"])
    # from the origin at most 180 s late, in the middle at most 360
    assert [row.punctuality for row in strict][3:6] == ["late", "late", "on time"]


def test_a_call_that_never_came_keeps_its_schedule_and_nothing_else(plan, run):
    row = stop_visits(plan, run, "base", 7)[6]
    assert row.schedule_departure_time == "2026-05-13T07:20:00+02:00"
    assert (row.actual_arrival_time, row.actual_departure_time, row.quality) == ("", "", "missing")
    assert row.schedule_relationship == "Missing"
    assert all(math.isnan(value) for value in (row.dwell, row.deviation_s, row.arrival_deviation_s))


@pytest.mark.parametrize(("end_s", "due"), [(2000, 8), (2100, 8), (2101, 9), (1000, 4), (100, 0)])
def test_a_call_is_judged_once_its_time_to_be_on_time_is_over(plan, run, end_s, due):
    """300 s after 0, 300, 600, 600, 900, 1200, 1200, 1500 and 1800 s."""
    judged = judged_calls(plan, replace(run, end_s=SEVEN + end_s))
    assert judged.is_due.sum() == due


def test_who_stands_at_a_stop_when_the_simulation_ends_is_late_there(plan):
    run = run_of(plan, [[0, 310, NAN]] + [[NAN] * 3] * 2, [[0, NAN, NAN]] + [[NAN] * 3] * 2, SEVEN + 700)
    words = [row.punctuality for row in stop_visits(plan, run, "base", 1)]
    assert words == ["on time", "late"] + ["not due"] * 7


def test_parts_of_a_trip_are_numbered_on():
    plan = plan_of(SEVEN, SEVEN + 600, parts=[1, 0])
    run = run_of(plan, [[NAN] * 3] * 2, [[NAN] * 3] * 2)
    assert [row.trip_stop_sequence for row in stop_visits(plan, run, "base", 1)] == [4, 5, 6, 1, 2, 3]
    assert [row.part for row in trip_rows(plan, run, "base", 1)] == [1, 0]


def test_trips(plan, run):
    first, second, third = trip_rows(plan, run, "base", 7)
    assert [row.status for row in (first, second, third)] == ["finished", "finished", "never started"]
    assert [(row.calls, row.calls_served) for row in (first, second, third)] == [(3, 3), (3, 3), (3, 0)]
    assert (second.start_deviation_s, second.end_deviation_s, second.max_deviation_s) == (240, 240, 400)
    assert second.mean_deviation_s == pytest.approx((240 + 400 + 240) / 3)
    assert (second.scheduled_run_time_s, second.run_time_s) == (600, 600)
    assert (second.schedule_trip_start, second.actual_trip_start) == (
        "2026-05-13T07:10:00+02:00",
        "2026-05-13T07:14:00+02:00",
    )
    assert third.actual_trip_end == ""


def test_a_trip_under_way_and_one_that_is_not_due(plan):
    run = run_of(plan, [[0, NAN, NAN]] + [[NAN] * 3] * 2, [[0, NAN, NAN]] + [[NAN] * 3] * 2, SEVEN + 300)
    assert [row.status for row in trip_rows(plan, run, "base", 7)] == ["under way", "not due", "not due"]


def test_headways_at_stops_where_people_wait(plan, run):
    rows = headway_rows(plan, run, "base", 7)
    # 14 minutes after the first at A instead of 10, 16:15 at B; nobody waits at C
    assert [(row.stop_id, row.trip_id_performed, row.headway_s) for row in rows if row.headway_s > 0] == [
        ("A", "t1", 840),
        ("B", "t1", 975),
    ]
    assert [row.scheduled_headway_s for row in rows if row.headway_s > 0] == [600, 600]
    assert [row.gap for row in rows] == [False, True, False, True]
    assert [row.departure_time for row in rows][:2] == ["2026-05-13T07:00:00+02:00", "2026-05-13T07:14:00+02:00"]
    assert not any(row.bunched for row in rows)


def test_bunched_vehicles(plan):
    run = run_of(plan, [[0, 300, 600], [100, 400, 700], [NAN] * 3], [[0, 300, 600], [100, 400, 700], [NAN] * 3])
    assert [row.bunched for row in headway_rows(plan, run, "base", 7)] == [False, True, False, True]
    assert transit_measures(plan, run, "base", 7).bunched_share == 1.0


def test_measures_of_a_run(plan, run):
    row = transit_measures(plan, run, "base", 7)
    assert (row.calls_due, row.calls_served) == (9, 6)
    assert (row.on_time_share, row.late_share, row.missing_share, row.early_share) == (5 / 9, 1 / 9, 3 / 9, 0)
    assert row.deviation_mean_s == pytest.approx((0 + 25 + 30 + 240 + 400 + 240) / 6)
    assert row.deviation_p50_s == pytest.approx((30 + 240) / 2)
    # 840 and 975 s where 600 were scheduled: 240 and 375 s off, 67.5 s around their mean
    assert row.headways == 2
    assert row.headway_cv == pytest.approx(67.5 / 600)
    assert row.headway_level_of_service == "A"
    # those who come at random wait half of 840 and 975, weighted by themselves, instead of half of 600
    assert row.excess_wait_s == pytest.approx((840**2 + 975**2) / (2 * (840 + 975)) - 300)
    assert (row.bunched_share, row.gap_share) == (0.0, 1.0)


def test_nothing_due_has_no_shares(plan, run):
    row = transit_measures(plan, replace(run, end_s=SEVEN, due=np.zeros(9, dtype=bool)), "base", 7)
    assert (row.calls_due, row.headways, row.headway_level_of_service) == (0, 0, "")
    assert all(math.isnan(value) for value in (row.on_time_share, row.deviation_mean_s, row.headway_cv, row.gap_share))
