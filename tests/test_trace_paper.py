"""Traces made on paper, whose truth is known to the second, read against timetables of the same street."""

from dataclasses import replace

import numpy as np
import pytest

from gtfs.clock import local_text
from gtfs.coverage import coverage
from gtfs.headways import bunched
from gtfs.replay_result import performed_ids, visit_headways
from gtfs.stop_visits import Quality
from gtfs.trace_kernels import DEPARTURE, FINISHED, MATCHED, NO_TRIP, OFF_ROUTE, SKIPPED
from tests.paper_traces import (
    CALLS,
    NAN,
    STREET,
    Sight,
    along,
    calls,
    day_of,
    moment,
    paper_plan,
    pings_of,
    read_trace,
    ride,
    shape_text,
    silent,
    stops_text,
)

EIGHT = moment("2026-03-04T13:00")
ALWAYS = coverage(np.array([[int(EIGHT // 60) - 60, int(EIGHT // 60) + 240]]))
"""08:00 in New York, five hours behind Greenwich in winter."""

MARCH_4 = day_of("2026-03-04")


@pytest.fixture(scope="module")
def plan(tmp_path_factory):
    return paper_plan(tmp_path_factory.mktemp("street"))


def seconds(column, begin_s=EIGHT):
    return (column - begin_s).tolist()


def exact(found, expected):
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)


# lateness


def test_lateness_at_stops_and_between_them(plan):
    # leaves 20 s late, drives 100 s from stop to stop and stands at s1 for 40 s, at s3 for 120 s
    read = read_trace(plan, pings_of([Sight(EIGHT, 0), Sight(EIGHT + 10, 0), *ride(EIGHT + 20, {1000: 40, 3000: 120})]))
    at_stop_s = [20, 120, 260, 360, 580, 680]  # it is there; the zones begin 30 m, 3 s before, and end 3 s after
    left_stop_s = [20, 160, 260, 480, 580]
    exact(seconds(read.visits.arrival_s), [NAN, *(time_s - 3 for time_s in at_stop_s[1:])])
    exact(seconds(read.visits.departure_s), [*(time_s + 3 for time_s in left_stop_s), NAN])
    exact(seconds(read.visits.scheduled_departure_s), [0, 120, 240, 360, 480, 600])
    exact(read.visits.deviation_s, [23, 43, 23, 123, 103, 77])  # departures, and the arrival at the end
    assert read.visits.quality.tolist() == [Quality.OBSERVED] * 6
    assert not read.visits.is_skipped.any()
    exact(read.visits.arrival_gap_s, [NAN, 10, 10, 10, 10, 10])
    assert read.trips() == [("bus", "t1", MARCH_4, "TRIP_ID")]
    assert read.events == []
    by_time = dict(zip(seconds(read.matched.time_s), read.matched.deviation_s.tolist(), strict=True))
    # it waits at its start; then at 500 m, due at 60 s; at s1, due at 120 s; at 1500 m, due at 180 s
    exact([by_time[s] for s in (0, 10, 20, 70, 120, 130, 160, 210)], [0, 10, 20, 10, 0, 10, 40, 30])
    exact(read.matched.way_m[:4], [0, 0, 0, 100])
    assert set(read.matched.found.tolist()) == {MATCHED}


def test_a_trip_that_turns_early_late_and_on_time_again(tmp_path):
    # five minutes from stop to stop, though the ride takes 100 s; it stands at s2 for 800 s
    slow = paper_plan(tmp_path, stop_times=CALLS + calls("t1", *(28_800 + 300 * k for k in range(6))))
    read = read_trace(slow, pings_of(ride(EIGHT, {2000: 800})))
    exact(read.visits.deviation_s, [3, 103 - 300, 1003 - 600, 1103 - 900, 1203 - 1200, 1297 - 1500])
    told = [
        ("early", EIGHT + 103, 1, -197),
        ("no progress", EIGHT + 200 + 480, None, 0),
        ("late", EIGHT + 1003, 2, 403),
        ("back on time", EIGHT + 1103, 3, 203),
        ("early", EIGHT + 1297, 5, -203),
    ]
    assert [one[::2] for one in read.told()] == [one[::2] for one in told]
    exact([one[1::2] for one in read.told()], [one[1::2] for one in told])
    evidence = [(e.threshold, tuple(t - EIGHT for t in e.pings_s)) for e in read.events]
    assert evidence == [
        (-60, (100, 110)),
        (60, (200, 680)),
        (300, (1000, 1010)),
        (300, (1100, 1110)),
        (-60, (1290, 1300)),
    ]


def test_a_bus_that_waits_at_its_start_is_not_late_and_its_layover_is_told(plan):
    waiting = [Sight(EIGHT - 600 + 30 * k, 0) for k in range(20)]
    read = read_trace(plan, pings_of([*waiting, *ride(EIGHT)]))
    exact(read.matched.deviation_s[:21], 0)
    exact(read.visits.deviation_s[0], 3)
    assert read.told("layover", "late", "no progress") == [("layover", EIGHT - 600, None, 600)]


# detours


def detour(begin_s=EIGHT, **said):
    """From 1500 m round by a street 200 m to the north, back at 2500 m: the stop at 2000 m is left out."""
    corners = [(0, 0), (1500, 0), (1500, 200), (2500, 200), (2500, 0), (5000, 0)]
    return along(begin_s, *corners, **said)


def test_a_detour_leaves_a_stop_out(plan):
    read = read_trace(plan, pings_of(detour()))
    # 200 m aside and 200 m back, 40 s; off the line from 160 s (100 m aside) to 280 s
    found = dict(zip(seconds(read.matched.time_s), read.matched.found.tolist(), strict=True))
    assert [s for s, kind in found.items() if kind == OFF_ROUTE] == list(range(160, 290, 10))
    assert read.visits.is_skipped.tolist() == [False, False, True, False, False, False]
    exact(seconds(read.visits.departure_s), [3, 103, NAN, 343, 443, NAN])
    exact(seconds(read.visits.arrival_s), [NAN, 97, NAN, 337, 437, 537])
    told = [
        ("off route", EIGHT + 160, None, 200),  # the worst so far when the second ping says so
        ("skipped stop", EIGHT + 290, 2, 200),
        ("back on route", EIGHT + 300, None, 200),
    ]
    happened = read.told("off route", "skipped stop", "back on route")
    assert [one[::2] for one in happened] == [one[::2] for one in told]
    exact([one[1::2] for one in happened], [one[1::2] for one in told])
    assert [e.pings_s for e in read.events if e.kind != "early"] == [
        (EIGHT + 160, EIGHT + 170),
        (EIGHT + 150, EIGHT + 290),
        (EIGHT + 160, EIGHT + 300),
    ]


def test_a_detour_that_passes_within_75_m_of_a_stop_does_not_leave_it_out(plan):
    corners = [(0, 0), (1400, 0), (1400, 70), (2600, 70), (2600, 0), (5000, 0)]
    read = read_trace(plan, pings_of(along(EIGHT, *corners)))
    assert [one[0] for one in read.told() if one[0] != "early"] == ["off route", "back on route"]
    assert not read.visits.is_skipped.any()
    assert np.isnan(read.visits.departure_s[2])  # 130 s lie between the pings on the line: nobody knows when
    assert read.visits.quality[2] == Quality.UNKNOWN


def test_a_detour_that_nobody_saw_for_more_than_two_minutes_proves_nothing(plan):
    read = read_trace(plan, pings_of(silent(detour(), EIGHT + 160, EIGHT + 281)))
    assert not read.visits.is_skipped.any()
    assert read.visits.quality[2] == Quality.UNKNOWN


# headways


def test_bunched_buses(tmp_path):
    trips = STREET["trips"] + "12,daily,t2,way,b2\n12,daily,t3,way,b3\n"
    times = CALLS + "".join(calls(f"t{n + 1}", *(28_800 + 600 * n + 120 * k for k in range(6))) for n in range(3))
    three = paper_plan(tmp_path, trips=trips, stop_times=times)
    # the second stands 480 s at s1 while the third comes on time; from there 1200 - 1080 = 120 s lie between them
    rides = [
        *ride(EIGHT, vehicle="a"),
        *ride(EIGHT + 600, {1000: 480}, vehicle="b", trip="t2"),
        *ride(EIGHT + 1200, vehicle="c", trip="t3"),
    ]
    read = read_trace(three, pings_of(sorted(rides, key=lambda sight: sight.time_s)))
    found, *_ = as_tuple(visit_headways(three, read.performed, read.visits, (), ALWAYS))
    exact(found.scheduled_s.reshape(3, 6)[1:, :5], 600)
    exact(
        found.actual_s.reshape(3, 6),
        [[NAN] * 6, [600, 1080, 1080, 1080, 1080, NAN], [600, 120, 120, 120, 120, NAN]],
    )
    assert bunched(found).reshape(3, 6)[2].tolist() == [False, True, True, True, True, False]
    assert bunched(found).sum() == 4


def as_tuple(value):
    return value if isinstance(value, tuple) else (value,)


# service days


NIGHT = CALLS + calls("t1", *(23 * 3600 + 50 * 60 + 600 * k for k in range(6)))  # 23:50 to 24:40


def test_after_midnight_the_service_day_is_yesterday(tmp_path):
    night = paper_plan(tmp_path, stop_times=NIGHT)
    begin_s = moment("2026-03-05T04:50")  # 23:50 of 4 March in New York
    read = read_trace(night, pings_of(ride(begin_s, dict.fromkeys((1000, 2000, 3000, 4000), 500))))
    assert read.trips() == [("bus", "t1", MARCH_4, "TRIP_ID")]
    # 100 s and 500 s: to the timetable's ten minutes, from stop to stop
    exact(seconds(read.visits.scheduled_arrival_s, begin_s), [600 * k for k in range(6)])
    exact(seconds(read.visits.arrival_s, begin_s), [NAN, 97, 697, 1297, 1897, 2497])
    exact(read.visits.deviation_s, [3, 3, 3, 3, 3, 2497 - 3000])
    assert local_text(read.visits.departure_s[1], "America/New_York").startswith("2026-03-05T00:00:03-05:00")


def test_pings_that_come_after_midnight_alone_belong_to_yesterday_too(tmp_path):
    night = paper_plan(tmp_path, stop_times=NIGHT)
    read = read_trace(night, pings_of(ride(moment("2026-03-05T05:10"), ways_m=(2000, 5000))))
    assert read.trips() == [("bus", "t1", MARCH_4, "TRIP_ID")]
    exact(read.visits.deviation_s[2:5], [3, 103 - 600, 203 - 1200])


@pytest.mark.parametrize(
    ("day", "clock_s", "utc", "local"),
    [
        # Noon of 8 March 2026 is 16:00 UTC (EDT, UTC-4); twelve hours before is 04:00 UTC, which clocks on the wall
        # still call 23:00 of the 7th. 01:30 of the service day is 05:30 UTC, 00:30 on the wall; from 02:00 EST = 07:00
        # UTC on, walls agree again: 06:00 is 10:00 UTC.
        ("2026-03-08", 5400, "2026-03-08T05:30", "2026-03-08T00:30:00-05:00"),
        ("2026-03-08", 6 * 3600, "2026-03-08T10:00", "2026-03-08T06:00:00-04:00"),
        # the day before: noon is 17:00 UTC, so 24:30 is 05:00 + 24:30 = 05:30 UTC as well
        ("2026-03-07", 24.5 * 3600, "2026-03-08T05:30", "2026-03-08T00:30:00-05:00"),
        # Noon of 1 November 2026 is 17:00 UTC (EST, UTC-5); twelve hours before is 05:00 UTC, 01:00 EDT on the wall.
        # 00:30 is 05:30 UTC, the first half past one; 01:30 is 06:30 UTC, the second.
        ("2026-11-01", 1800, "2026-11-01T05:30", "2026-11-01T01:30:00-04:00"),
        ("2026-11-01", 5400, "2026-11-01T06:30", "2026-11-01T01:30:00-05:00"),
        ("2026-11-01", 6 * 3600, "2026-11-01T11:00", "2026-11-01T06:00:00-05:00"),
        # the day before: noon is 16:00 UTC, so 25:30 is 04:00 + 25:30 = 05:30 UTC
        ("2026-10-31", 25.5 * 3600, "2026-11-01T05:30", "2026-11-01T01:30:00-04:00"),
    ],
)
@pytest.mark.parametrize("start_date", [True, False])
def test_days_on_which_clocks_change(tmp_path, day, clock_s, utc, local, start_date):
    plan = paper_plan(tmp_path, stop_times=CALLS + calls("t1", *(clock_s + 120 * k for k in range(6))))
    begin_s = moment(utc)
    said = {"start_date": day.replace("-", "")} if start_date else {}
    read = read_trace(plan, pings_of(ride(begin_s, {1000: 50}, **said)))
    assert read.trips() == [("bus", "t1", day_of(day), "TRIP_ID")]
    assert local_text(read.visits.scheduled_departure_s[0], "America/New_York") == local
    exact(seconds(read.visits.scheduled_departure_s, begin_s), [120 * k for k in range(6)])
    exact(seconds(read.visits.departure_s, begin_s), [3, 153, 253, 353, 453, NAN])
    exact(read.visits.deviation_s, [3, 33, 13, -7, -27, 547 - 600])


@pytest.mark.parametrize(("origin_s", "day"), [(23.5 * 3600, "2026-03-07"), (0, "2026-03-08")])
def test_a_trip_over_the_hour_that_is_lost(tmp_path, origin_s, day):
    """From 04:30 UTC (23:30 of 7 March) to 07:10 UTC (03:10 EDT): two hours and forty minutes, whatever walls say."""
    first_s = origin_s or 1800
    plan = paper_plan(tmp_path, stop_times=CALLS + calls("t1", *(first_s + 1920 * k for k in range(6))))
    begin_s = moment("2026-03-08T04:30")
    said = {"start_date": day.replace("-", "")}
    read = read_trace(plan, pings_of(ride(begin_s, dict.fromkeys((1000, 2000, 3000, 4000), 1820), **said)))
    exact(read.visits.deviation_s, [3, 3, 3, 3, 3, -1823])
    assert local_text(read.visits.scheduled_arrival_s[-1], "America/New_York") == "2026-03-08T03:10:00-04:00"


def test_a_day_that_the_user_names_is_the_day_of_all(tmp_path):
    # the trip does not run on Mondays by its calendar; the user knows better, and yesterday's pings have no trip then
    monday = moment("2026-03-02T13:00")
    table = STREET["calendar"].replace("daily,1,", "daily,0,")
    sights = [*ride(monday - 86_400), *ride(monday, start_date="20260301")]
    plan = replace(paper_plan(tmp_path, calendar=table), only_day=day_of("2026-03-02"))
    read = read_trace(plan, pings_of(sights))
    assert read.trips() == [("bus", "t1", day_of("2026-03-02"), "TRIP_ID")]
    exact(seconds(read.visits.departure_s, monday), [3, 103, 203, 303, 403, NAN])
    exact(read.matched.time_s[read.matched.found != NO_TRIP], [s.time_s for s in sights[51:]])


def test_a_start_date_that_is_days_away_names_no_trip_however_the_trace_is_cut(plan):
    sights = [*ride(EIGHT - 6 * 86_400), *ride(EIGHT, vehicle="late", start_date="20260226")]
    for cuts in ((), (51,)):
        assert read_trace(plan, pings_of(sights), cuts).trips() == [("bus", "t1", MARCH_4 - 6, "TRIP_ID")]


# what vehicles say


def test_ids_that_drift_routes_with_start_times_and_blocks(plan):
    said = {
        "exact": {"trip": "t1"},
        "prefix": {"trip": "t1:566:900"},
        "start": {"trip": "unknown", "route": "12", "start_time": "08:00:00"},
        "block": {"trip": "", "block": "b1"},
    }
    sights = [sight for vehicle, words in said.items() for sight in ride(EIGHT, vehicle=vehicle, **words)]
    read = read_trace(plan, pings_of(sights))
    kinds = ("TRIP_ID", "ID_PREFIX", "ROUTE_AND_START", "BLOCK")
    assert read.trips() == [(vehicle, "t1", MARCH_4, kind) for vehicle, kind in zip(said, kinds, strict=True)]
    exact(read.visits.departure_s.reshape(4, 6) - EIGHT, [[3, 103, 203, 303, 403, NAN]] * 4)
    ids = performed_ids(read.performed, read.replay.vehicles, plan)
    assert ids == ["t1@exact", "t1@prefix", "t1@start", "t1@block"]


def test_a_block_serves_its_trips_one_after_the_other(tmp_path):
    # there and back: the block alone says which trip, by the time
    trips = STREET["trips"].replace("t1,way", "t1,way") + "12,daily,t2,back,b1\n"
    shapes = STREET["shapes"] + shape_text((5000, 0), (0, 0), shape="back").partition("\n")[2]
    names = [f"s{k}" for k in range(5, -1, -1)]
    times = STREET["stop_times"] + calls("t2", *(30_000 + 120 * k for k in range(6)), stops=names)
    plan = paper_plan(tmp_path, trips=trips, shapes=shapes, stop_times=times)
    back = [Sight(s.time_s + 1200, 5000 - s.x_m, trip="", block="b1") for s in ride(EIGHT)]
    read = read_trace(plan, pings_of([*ride(EIGHT, trip="", block="b1"), *back]))
    assert read.trips() == [("bus", "t1", MARCH_4, "BLOCK"), ("bus", "t2", MARCH_4, "BLOCK")]
    exact(read.visits.deviation_s[:5], [3, -17, -37, -57, -77])
    exact(read.visits.deviation_s[6:11], [3, -17, -37, -57, -77])


def test_repeated_trips_are_told_apart_by_their_start(tmp_path):
    table = "trip_id,start_time,end_time,headway_secs,exact_times\nt1,06:00:00,09:00:00,600,1\n"
    plan = paper_plan(tmp_path, frequencies=table)
    begin_s = moment("2026-03-04T11:20")  # 06:20
    named = ride(begin_s + 700, vehicle="named", start_time="06:20:00", start_date="20260304")
    read = read_trace(plan, pings_of([*ride(begin_s, vehicle="by time"), *named]))
    assert read.trips() == [
        ("by time", "t1@06:20:00", MARCH_4, "TRIP_ID"),
        ("named", "t1@06:20:00", MARCH_4, "TRIP_ID"),
    ]
    exact(read.visits.deviation_s, [3, -17, -37, -57, -77, -103, 703, 683, 663, 643, 623, 597])


def test_two_vehicles_on_one_trip_are_two_trips_performed(plan):
    sights = [*ride(EIGHT, vehicle="a"), *ride(EIGHT + 30, vehicle="b")]
    read = read_trace(plan, pings_of(sorted(sights, key=lambda sight: sight.time_s)))
    assert performed_ids(read.performed, read.replay.vehicles, plan) == ["t1@a", "t1@b"]
    exact(read.visits.deviation_s, [3, -17, -37, -57, -77, -103, 33, 13, -7, -27, -47, -73])


def test_a_vehicle_that_changes_its_mind_twice(tmp_path):
    trips = STREET["trips"] + "12,daily,t2,way,b2\n"
    plan = paper_plan(
        tmp_path, trips=trips, stop_times=STREET["stop_times"] + calls("t2", *(29_400 + 120 * k for k in range(6)))
    )
    sights = [Sight(s.time_s, s.x_m, trip="t2" if 2000 < s.x_m < 3000 else "t1") for s in ride(EIGHT)]
    read = read_trace(plan, pings_of(sights))
    assert [trip for _, trip, _, _ in read.trips()] == ["t1", "t2"]
    assert len(read.visits) == 12
    exact(seconds(read.visits.departure_s[:6]), [3, 103, 203, 303, 403, NAN])
    assert np.isnan(read.visits.departure_s[6:]).all()  # nobody was at a stop as t2
    ways_m = read.matched.way_m[read.matched.performed == 0]
    assert (np.diff(ways_m) >= 0).all()


# streets on which a nearest place jumps


def test_a_loop_ends_where_it_begins(tmp_path):
    corners = [(0, 0), (1000, 0), (1000, 1000), (0, 1000), (0, 0)]
    names = ["a", "b", "c", "d", "a"]
    plan = paper_plan(
        tmp_path,
        stops=stops_text(dict(zip("abcd", corners, strict=False))),
        shapes=shape_text(*corners),
        stop_times=CALLS + calls("t1", *(28_800 + 120 * k for k in range(5)), stops=names),
    )
    waits = [Sight(EIGHT - 120 + 30 * k, 0) for k in range(4)]
    read = read_trace(plan, pings_of([*waits, *along(EIGHT, *corners), Sight(EIGHT + 430, 0), Sight(EIGHT + 460, 0)]))
    np.testing.assert_allclose(read.matched.way_m, [*[0] * 4, *range(0, 4001, 100), 4000, 4000], atol=1e-3)
    np.testing.assert_allclose(seconds(read.visits.arrival_s), [NAN, 97, 197, 297, 397], atol=1e-4)
    np.testing.assert_allclose(seconds(read.visits.departure_s), [3, 103, 203, 303, NAN], atol=1e-4)


def test_a_street_out_and_back(tmp_path):
    # to the end of the street and back; stops on the way back stand on the other side
    out, back = [(500, 10), (1000, 10), (1500, 10), (2000, 0)], [(1500, -10), (1000, -10), (500, -10)]
    places = dict(zip("abcdefg", [*out, *back], strict=True))
    ways_m = [500, 1000, 1500, 2000, 2500, 3000, 3500]
    plan = paper_plan(
        tmp_path,
        stops=stops_text(places),
        shapes=shape_text((0, 0), (2000, 0), (0, 0)),
        stop_times=CALLS + calls("t1", *(28_800 + way_m / 10 for way_m in ways_m), stops=list(places)),
    )
    exact(plan.calls.distance_m, ways_m)
    for every_s in (30, 10):
        sights = along(EIGHT, (0, 0), (2000, 0), (0, 0), every_s=every_s)
        read = read_trace(plan, pings_of(sights))
        on_way = np.isfinite(read.matched.way_m)
        assert (np.diff(read.matched.way_m[on_way]) >= 0).all()
        found_m = dict(zip(seconds(read.matched.time_s[on_way]), read.matched.way_m[on_way].tolist(), strict=True))
        past_turn = [time_s for time_s in found_m if abs(time_s - 200) > every_s and time_s >= 50]
        exact([found_m[s] for s in past_turn], [10 * s for s in past_turn])
        departed = read.crossings.call[read.crossings.kind == DEPARTURE]
        assert departed.tolist() == list(range(7))
        assert (np.diff(read.visits.departure_s) > 0).all()
    # every 10 s: 500 m lie between stops, 50 s on the dot, out of the zone 3 s later
    exact(np.delete(read.visits.deviation_s, [3, 6]), 3)


def test_a_pattern_without_a_shape_runs_from_stop_to_stop(tmp_path):
    plan = paper_plan(tmp_path, trips="route_id,service_id,trip_id\n12,daily,t1\n", shapes=None)
    read = read_trace(plan, pings_of(ride(EIGHT, {2000: 30})))
    exact(read.matched.way_m, [s.x_m for s in ride(EIGHT, {2000: 30})])
    exact(seconds(read.visits.departure_s), [3, 103, 233, 333, 433, NAN])


# what is wrong with pings


def test_repeated_pings_and_one_outlier_change_nothing(plan):
    whole = list(ride(EIGHT))
    twice = [sight for s in whole for sight in (s, s)]
    outlier = [Sight(EIGHT + 205, 2000, 3000)] * 2
    broken = sorted([*twice, *outlier], key=lambda sight: sight.time_s)
    read, clean = (read_trace(plan, pings_of(sights)) for sights in (broken, whole))
    assert read.replay.dropped == {"duplicate": 52, "jump": 1}
    exact(read.visits.departure_s, clean.visits.departure_s)
    assert read.events == clean.events


def test_a_vehicle_that_really_is_elsewhere_is_believed_the_second_time(plan):
    # a stand-still receiver: at 1000 m until 130 s, though the bus is at 3000 m by then
    sights = [Sight(s.time_s, 1000 if 100 < s.time_s - EIGHT < 140 else s.x_m) for s in ride(EIGHT - 150)]
    frozen = [Sight(EIGHT + 10 * k, 0) for k in range(14)]
    read = read_trace(plan, pings_of([*frozen, *(s for s in sights if s.time_s >= EIGHT + 140)]))
    assert read.replay.dropped == {"jump": 1}
    exact(read.matched.way_m[-1], 5000)
    assert read.matched.time_s[14] == EIGHT + 150


def test_pings_more_than_a_minute_late_are_left_out_and_counted(plan):
    whole = list(ride(EIGHT))
    order = [*whole[:10], *whole[11:17], whole[10], *whole[17:20], *whole[21:28], whole[20], *whole[28:]]
    read = read_trace(plan, pings_of(order))
    # the 11th comes when the 17th, a minute newer, was there; the 21st when the 28th was, 70 s newer
    assert read.replay.dropped == {"late": 1}
    assert sorted(seconds(read.matched.time_s)) == [10 * k for k in range(51) if k != 20]
    exact(seconds(read.visits.departure_s[:2]), [3, 103])


@pytest.mark.parametrize(("gap_s", "known"), [(120, True), (130, False)])
def test_two_minutes_of_silence_are_known_and_more_are_not(plan, gap_s, known):
    # silent from 800 m on; s1 lies between; 15 s of the gap are taken for standing there
    heard = silent(ride(EIGHT, {1000: gap_s - 100}), EIGHT + 80, EIGHT + 80 + gap_s)
    read = read_trace(plan, pings_of(heard))
    way_m = 10 * (gap_s - (gap_s - 100))  # what it ran meanwhile
    run_s = gap_s - 15
    exact(read.visits.arrival_gap_s[1], gap_s)
    expected = [80 + 170 / way_m * run_s, 80 + 230 / way_m * run_s + 15]
    found = [read.visits.arrival_s[1] - EIGHT, read.visits.departure_s[1] - EIGHT]
    exact(found, expected if known else [NAN, NAN])
    assert read.visits.quality[1] == (Quality.INTERPOLATED if known else Quality.UNKNOWN)
    exact(seconds(read.visits.departure_s[2:5]), [gap_s + 103, gap_s + 203, gap_s + 303])
    assert read.told("stale", "skipped stop") == []


def test_a_second_more_than_two_minutes_is_unknown(plan):
    heard = [Sight(EIGHT, 0), Sight(EIGHT + 50, 500), Sight(EIGHT + 171, 1500), Sight(EIGHT + 291, 2500)]
    read = read_trace(plan, pings_of(heard))
    assert np.isfinite(read.visits.departure_s).tolist() == [True, False, True, False, False, False]
    exact(read.visits.departure_gap_s, [50, 121, 120, NAN, NAN, NAN])


def test_half_an_hour_of_silence_is_not_bridged_and_is_told(plan):
    early, late = list(ride(EIGHT, ways_m=(0, 900))), list(ride(EIGHT + 1950, ways_m=(2100, 5000)))
    read = read_trace(plan, pings_of([*early, *late]))  # 31 min from 90 s to 1950 s
    exact(read.visits.arrival_gap_s, [NAN, NAN, NAN, 10, 10, 10])
    assert read.visits.quality.tolist() == [2, 0, 0, 2, 2, 2]
    assert read.told("stale") == [("stale", EIGHT + 90 + 300, None, 1860)]
    assert read.told("late")[0][1:3] == (EIGHT + 2043, 3)


def test_a_vehicle_that_is_never_heard_of_again_is_told_at_the_end(plan):
    other = [Sight(EIGHT + 2000, 0, vehicle="other", trip="")]
    read = read_trace(plan, pings_of([*ride(EIGHT, ways_m=(0, 1500)), *other]))
    assert read.told("stale") == [("stale", EIGHT + 150 + 300, None, 1850)]


def two_trips(folder):
    """The second half an hour later, by the same street."""
    trips = STREET["trips"] + "12,daily,t2,way,b2\n"
    times = STREET["stop_times"] + calls("t2", *(30_600 + 120 * k for k in range(6)))
    return paper_plan(folder, trips=trips, stop_times=times)


def test_a_vehicle_that_is_heard_of_on_another_trip_is_not_silent(tmp_path):
    # it says t2 from 1600 m to 2000 m, where it stands for 500 s
    sights = [Sight(s.time_s, s.x_m, trip="t2" if 1500 < s.x_m <= 2000 else "t1") for s in ride(EIGHT, {2000: 500})]
    assert read_trace(two_trips(tmp_path), pings_of(sights)).told("stale") == []
    unknown = [Sight(s.time_s, s.x_m, trip="t1" if s.x_m <= 1500 else "x") for s in ride(EIGHT, {1700: 900}, (0, 1800))]
    assert read_trace(two_trips(tmp_path), pings_of(unknown)).told("stale") == []


def test_a_layover_that_ends_with_the_next_trip_is_told(tmp_path):
    standing = [Sight(EIGHT + 510 + 10 * k, 5000, trip="t1" if k < 70 else "t2") for k in range(75)]
    read = read_trace(two_trips(tmp_path), pings_of([*ride(EIGHT), *standing]))
    assert read.told("layover") == [("layover", EIGHT + 500, None, 700)]


def test_a_feed_without_a_usable_trip_gives_nothing(tmp_path):
    nothing = paper_plan(tmp_path, stop_times=CALLS + calls("t1", 28_800))  # one call is no trip
    read = read_trace(nothing, pings_of(ride(EIGHT)))
    assert (read.trips(), len(read.visits), read.events) == ([], 0, [])
    assert set(read.matched.found.tolist()) == {NO_TRIP}


def test_a_vehicle_beyond_its_last_stop_has_finished(plan):
    beyond = [Sight(EIGHT + 500 + 30 * k, 5000 + 300 * k) for k in range(1, 4)]
    read = read_trace(plan, pings_of([*ride(EIGHT), *beyond]))
    assert read.matched.found[-3:].tolist() == [FINISHED] * 3
    assert not (read.crossings.kind == SKIPPED).any()
    exact(read.visits.arrival_s[-1] - EIGHT, 497)
    assert read.told("off route", "stale") == []
