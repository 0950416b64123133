"""One service day as arrays, held to small feeds worked out by hand and to a naive reader on real and made-up ones."""

import zipfile
from dataclasses import fields
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import gtfs.performed
from gtfs.clock import time_text
from gtfs.feed import read_feed
from gtfs.timetable import timetable
from networks.faults import InputError
from tests.naive_gtfs import naive_day, naive_tables, naive_weekday

THURSDAY, FRIDAY = date(2026, 3, 5), date(2026, 3, 6)

TABLES = {
    "agency": "agency_name,agency_url,agency_timezone\nA,https://example.org,America/New_York\n",
    "stops": (
        "stop_id,stop_name,stop_lat,stop_lon\n"
        "unused,Depot,40.0,-74.0\na,Market,40.00,-74.0\nb,Bridge,40.01,-74.0\nc,Mill,40.02,-74.0\nd,Station,40.04,-74.0\n"
    ),
    "routes": "route_id,route_short_name,route_long_name,route_type\nX,,,0\n12,12,Market - Station,3\n7,7,,900\n",
    "trips": "route_id,service_id,trip_id\n12,week,t1\n",
    "stop_times": (
        "trip_id,arrival_time,departure_time,stop_id,stop_sequence\n"
        "t1,08:00:00,08:00:00,a,1\nt1,08:20:00,08:20:00,d,9\n"
    ),
    "calendar": (
        "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date\n"
        "week,1,1,1,1,1,0,0,20260201,20261231\nfriday,0,0,0,0,1,0,0,20260201,20261231\n"
        "daily,1,1,1,1,1,1,1,20240101,20261231\n"
    ),
}
CALLS = "trip_id,arrival_time,departure_time,stop_id,stop_sequence\n"
WINDOWS = "trip_id,start_time,end_time,headway_secs,exact_times\n"


def written(folder, **tables):
    """A feed as zip, with tables of the small one replaced or added."""
    path = folder / "feed.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in (TABLES | tables).items():
            archive.writestr(f"{name}.txt", text)
    return path


def day_of(folder, day=FRIDAY, *, options=None, **tables):
    return timetable(read_feed(written(folder, **tables)), day, **(options or {}))


def times(day, trip=0):
    """Arrivals and departures of a trip as text, one where they agree."""
    calls = day.trips.calls(trip)
    pairs = zip(day.calls.arrival_s[calls].tolist(), day.calls.departure_s[calls].tolist(), strict=True)
    return [time_text(one) if one == other else f"{time_text(one)} {time_text(other)}" for one, other in pairs]


def line(*calls, trip="t1"):
    """Records of a trip that calls at a, b, c ... at times of the form ``08:00``, ``-`` for blank."""
    return CALLS + "".join(
        f"{trip},{text},{text},{stop},{number}\n"
        for number, (stop, text) in enumerate(
            zip("abcd", ("" if call == "-" else f"{call}:00" for call in calls), strict=False)
        )
    )


def test_one_trip_whole(tmp_path):
    trips = "route_id,service_id,trip_id,direction_id,block_id,trip_headsign,shape_id\n12,week,t1,1,b9,Station,s\n"
    calls = (
        "trip_id,arrival_time,departure_time,stop_id,stop_sequence,pickup_type,drop_off_type,shape_dist_traveled\n"
        "t1,8:20:00,8:20:00,d,9,1,0,3.5\nt1,8:00:00,8:00:30,a,1,,1,\n"
    )
    shapes = (
        "shape_id,shape_pt_lat,shape_pt_lon,shape_pt_sequence,shape_dist_traveled\n"
        "s,40.04,-74.0,20,3.5\ns,40.0,-74.0,3,0\nother,1,1,1,\nother,2,2,2,\n"
    )
    day = day_of(tmp_path, trips=trips, stop_times=calls, shapes=shapes)
    assert (day.service_date, day.timezone, day.origin_epoch_s) == (FRIDAY, "America/New_York", 1772773200)
    assert (day.stops.ids, day.stops.names) == (("a", "d"), ("Market", "Station"))
    assert (day.stops.lat.tolist(), day.stops.lon.tolist()) == ([40.0, 40.04], [-74.0, -74.0])
    assert (day.routes.ids, day.routes.short_names) == (("12",), ("12",))
    assert (day.routes.long_names, day.routes.route_type.tolist()) == (("Market - Station",), [3])
    assert (day.patterns.ids, day.patterns.route.tolist(), day.patterns.direction.tolist()) == (("12:1:1",), [0], [1])
    assert (day.patterns.call_start.tolist(), day.patterns.call_stop.tolist()) == ([0, 2], [0, 1])
    np.testing.assert_array_equal(day.patterns.call_distance, [np.nan, 3.5])
    assert (day.shapes.ids, day.patterns.shape.tolist(), day.shapes.points(0)) == (("s",), [0], slice(0, 2))
    assert (day.shapes.lonlat.tolist(), day.shapes.distance.tolist()) == ([[-74, 40], [-74, 40.04]], [0, 3.5])
    assert (day.trips.ids, day.trips.trip_ids, day.trips.service_dates.tolist()) == (("t1",), ("t1",), [FRIDAY])
    assert (day.trips.block_ids, day.trips.headsigns, day.trips.pattern.tolist()) == (("b9",), ("Station",), [0])
    assert (day.trips.is_frequency_based.tolist(), day.trips.exact_times.tolist()) == ([False], [False])
    assert day.trips.headway_s.tolist() == [0]
    assert day.calls.stop_sequence.tolist() == [1, 9]
    assert times(day) == ["08:00:00 08:00:30", "08:20:00"]
    assert (day.calls.pickup_type.tolist(), day.calls.drop_off_type.tolist()) == ([0, 1], [1, 0])
    assert (day.calls.timepoint.tolist(), day.calls.is_interpolated.tolist()) == ([True, True], [False, False])
    assert (day.first_departure_s.tolist(), day.last_arrival_s.tolist()) == ([28830], [30000])
    assert (day.call_stop.tolist(), day.call_trip.tolist(), day.trip_route.tolist()) == ([0, 1], [0, 0], [0])
    assert day.trip_pattern_ids == ("12:1:1",)
    assert day.notices == ()


def test_a_day_without_service_is_empty(tmp_path):
    day = day_of(tmp_path, date(2026, 3, 8), trips="route_id,service_id,trip_id\n12,friday,t1\n")
    counts = [len(part) for part in (day.stops, day.routes, day.shapes, day.patterns, day.trips, day.calls)]
    assert counts == [0] * 6
    assert (day.between(0, 86400).trips.ids, day.notices) == ((), ())


# blank times


def test_one_blank_of_two_equals_the_other(tmp_path):
    calls = CALLS + "t1,,08:00:00,a,1\nt1,08:05:00,,b,2\nt1,08:20:00,08:20:00,d,3\n"
    day = day_of(tmp_path, stop_times=calls)
    assert times(day) == ["08:00:00", "08:05:00", "08:20:00"]
    assert not day.calls.is_interpolated.any()


def test_blank_times_follow_the_distance_between_stops(tmp_path):
    # the stops lie 1, 1 and 2 hundredths of a degree apart on a meridian
    day = day_of(tmp_path, stop_times=line("08:00", "-", "-", "08:20"))
    assert times(day) == ["08:00:00", "08:05:00", "08:10:00", "08:20:00"]
    assert day.calls.is_interpolated.tolist() == [False, True, True, False]
    assert day.calls.timepoint.tolist() == [True, False, False, True]


def test_a_span_begins_with_the_departure_and_ends_with_the_arrival(tmp_path):
    calls = CALLS + "t1,07:50:00,08:00:00,a,1\nt1,,,b,2\nt1,,,c,3\nt1,08:20:00,08:30:00,d,4\n"
    assert times(day_of(tmp_path, stop_times=calls))[1:3] == ["08:05:00", "08:10:00"]


@pytest.mark.parametrize(
    ("distances", "between"),
    [
        (("0", "9", "9", "10"), ["08:18:00", "08:18:00"]),  # the shape's distances, in whatever unit
        (("100", "109", "109.5", "110"), ["08:18:00", "08:19:00"]),
        (("0", "9", "", "10"), ["08:05:00", "08:10:00"]),  # not all are given
        (("0", "9", "8", "10"), ["08:05:00", "08:10:00"]),  # they go back
        (("5", "5", "5", "5"), ["08:05:00", "08:10:00"]),  # they do not grow
    ],
)
def test_blank_times_follow_the_shape_where_its_distances_will_do(tmp_path, distances, between):
    rows = line("08:00", "-", "-", "08:20").splitlines()
    calls = "\n".join([f"{rows[0]},shape_dist_traveled", *map(",".join, zip(rows[1:], distances, strict=True))])
    assert times(day_of(tmp_path, stop_times=calls))[1:3] == between


def test_blank_times_are_even_where_nothing_tells_distances(tmp_path):
    nowhere = "stop_id,stop_name,stop_lat,stop_lon,location_type\na,,40,-74,0\nb,,,,3\nc,,40,-74,1\nd,,40.1,-74,\n"
    day = day_of(tmp_path, stop_times=line("08:00", "-", "-", "08:01"), stops=nowhere)
    assert times(day) == ["08:00:00", "08:00:20", "08:00:40", "08:01:00"]
    assert np.isnan(day.stops.lat).tolist() == [False, True, False, False]
    same = "stop_id,stop_lat,stop_lon\na,40,-74\nb,40,-74\nc,40,-74\nd,40,-74\n"
    assert times(day_of(tmp_path, stop_times=line("08:00", "-", "-", "08:01"), stops=same))[1:3] == [
        "08:00:20",
        "08:00:40",
    ]
    assert times(day_of(tmp_path, stop_times=line("08:00", "-", "-", "08:01"), stops="stop_id\na\nb\nc\nd\n"))[1] == (
        "08:00:20"
    )


def test_each_span_goes_by_itself(tmp_path):
    stops = TABLES["stops"] + "e,Hill,40.07,-74.0\n"
    calls = CALLS + "t1,08:00:00,,a,1\nt1,,,b,2\nt1,08:10:00,,c,3\nt1,,,d,4\nt1,08:20:00,,e,5\n"
    assert times(day_of(tmp_path, stops=stops, stop_times=calls)) == [
        "08:00:00",
        "08:05:00",
        "08:10:00",
        "08:14:00",
        "08:20:00",
    ]


def test_a_timepoint_is_what_the_field_says_else_what_has_a_time(tmp_path):
    calls = (
        "trip_id,arrival_time,departure_time,stop_id,stop_sequence,timepoint\n"
        "t1,08:00:00,08:00:00,a,1,1\nt1,08:05:00,08:05:00,b,2,0\nt1,,,c,3,1\nt1,08:20:00,08:20:00,d,4,\n"
    )
    assert day_of(tmp_path, stop_times=calls).calls.timepoint.tolist() == [True, False, False, True]


# days


def test_the_night_of_the_day_before_comes_from_its_own_calendar(tmp_path):
    # 7 March 2026 is a Saturday: no service of its own, but Friday's buses still run
    trips = "route_id,service_id,trip_id\n12,week,evening\n12,friday,night\n12,week,over\n"
    calls = CALLS + (
        "evening,22:00:00,,a,1\nevening,24:00:00,,d,2\n"
        "night,25:10:00,,a,1\nnight,25:40:00,,d,2\n"
        "over,23:50:00,,a,1\nover,24:00:01,,d,2\n"
    )
    saturday = date(2026, 3, 7)
    day = day_of(tmp_path, saturday, trips=trips, stop_times=calls)
    assert day.trips.ids == ("over@2026-03-06", "night@2026-03-06")
    assert day.trips.trip_ids == ("over", "night")
    assert day.trips.service_dates.tolist() == [FRIDAY, FRIDAY]
    assert [times(day, trip) for trip in range(2)] == [["-00:10:00", "00:00:01"], ["01:10:00", "01:40:00"]]
    feed = read_feed(tmp_path / "feed.zip")
    assert timetable(feed, saturday, previous_day=False).trips.ids == ()
    assert timetable(feed, FRIDAY).trips.ids == ("over@2026-03-05", "evening", "over", "night")
    assert timetable(feed, date(2026, 3, 9)).trips.ids == ("evening", "over")  # nothing of Sunday's


@pytest.mark.parametrize(
    ("zone", "day", "expected"),
    [
        ("America/New_York", date(2026, 3, 7), ["01:00:00", "01:30:00"]),
        ("America/New_York", date(2026, 3, 8), ["02:00:00", "02:30:00"]),  # spring: the day before has 23 hours
        ("America/New_York", date(2026, 11, 1), ["00:00:00", "00:30:00"]),  # autumn: it has 25
        ("Asia/Almaty", date(2024, 3, 1), ["00:00:00", "00:30:00"]),  # the city moved to another zone
    ],
)
def test_the_night_before_a_day_of_another_length(tmp_path, zone, day, expected):
    tables = {
        "agency": TABLES["agency"].replace("America/New_York", zone),
        "trips": "route_id,service_id,trip_id\n12,daily,t1\n",
        "stop_times": CALLS + "t1,25:00:00,,a,1\nt1,25:30:00,,d,2\n",
    }
    found = day_of(tmp_path, day, **tables)
    assert found.trips.ids == (f"t1@{day - timedelta(days=1)}", "t1")
    assert [times(found, trip) for trip in range(2)] == [expected, ["25:00:00", "25:30:00"]]


def test_exceptions_add_and_remove_services(tmp_path):
    dates = "service_id,date,exception_type\nweek,20260305,2\nfriday,20260305,1\n"
    trips = "route_id,service_id,trip_id\n12,week,t1\n12,friday,t2\n"
    calls = line("08:00", "08:10") + line("09:00", "09:10", trip="t2").removeprefix(CALLS)
    tables = {"trips": trips, "stop_times": calls, "calendar_dates": dates}
    assert day_of(tmp_path, THURSDAY, **tables).trips.ids == ("t2",)
    assert day_of(tmp_path, FRIDAY, **tables).trips.ids == ("t1", "t2")


# frequencies


def test_a_repeated_trip_departs_by_headway_and_not_as_written(tmp_path):
    day = day_of(
        tmp_path, stop_times=line("01:00", "-", "01:10"), frequencies=WINDOWS + "t1,06:00:00,07:00:00,1800,1\n"
    )
    assert day.trips.ids == ("t1@06:00:00", "t1@06:30:00")
    assert day.trips.trip_ids == ("t1", "t1")
    assert [times(day, trip) for trip in range(2)] == [
        ["06:00:00", "06:05:00", "06:10:00"],
        ["06:30:00", "06:35:00", "06:40:00"],
    ]
    assert (day.trips.headway_s.tolist(), day.trips.exact_times.tolist()) == ([1800, 1800], [True, True])
    assert day.trips.is_frequency_based.tolist() == [True, True]
    assert len(day.patterns) == 1


def starts(folder, windows):
    day = day_of(folder, frequencies=WINDOWS + windows)
    return [trip_id.removeprefix("t1@") for trip_id in day.trips.ids], day.trips.exact_times.tolist()


def test_exact_departures_run_up_to_the_end_which_is_not_one(tmp_path):
    assert starts(tmp_path, "t1,06:00:00,06:20:00,600,1\n") == (["06:00:00", "06:10:00"], [True, True])
    assert starts(tmp_path, "t1,06:00:00,06:20:01,600,1\n")[0] == ["06:00:00", "06:10:00", "06:20:00"]
    assert starts(tmp_path, "t1,06:00:00,06:05:00,600,1\n")[0] == ["06:00:00"]


@pytest.mark.parametrize("inexact", ["0", ""])
def test_a_headway_without_times_departs_once_for_each_whole_headway(tmp_path, inexact):
    assert starts(tmp_path, f"t1,06:00:00,06:20:00,600,{inexact}\n") == (["06:00:00", "06:10:00"], [False, False])
    assert starts(tmp_path, f"t1,06:00:00,06:29:59,600,{inexact}\n")[0] == ["06:00:00", "06:10:00"]
    assert starts(tmp_path, f"t1,06:00:00,06:05:00,600,{inexact}\n")[0] == ["06:00:00"]  # one at least


def test_windows_that_meet_or_overlap_have_no_departure_twice(tmp_path):
    assert starts(tmp_path, "t1,06:20:00,07:00:00,1200,0\nt1,06:00:00,06:20:00,600,1\n") == (
        ["06:00:00", "06:10:00", "06:20:00", "06:40:00"],
        [True, True, False, False],
    )
    assert starts(tmp_path, "t1,06:00:00,07:00:00,1800,1\nt1,06:00:00,07:00:00,1200,0\n")[0] == [
        "06:00:00",
        "06:20:00",
        "06:30:00",
        "06:40:00",
    ]


def test_repetitions_after_midnight_belong_to_the_day_before(tmp_path):
    day = day_of(tmp_path, date(2026, 3, 7), frequencies=WINDOWS + "t1,23:30:00,24:30:00,1200,1\n")
    assert day.trips.ids == ("t1@23:50:00@2026-03-06", "t1@24:10:00@2026-03-06")
    assert times(day, 1) == ["00:10:00", "00:30:00"]


def test_ids_stay_apart_whatever_a_feed_calls_its_trips(tmp_path):
    trips = "route_id,service_id,trip_id\n12,week,t1@06:00:00\n12,week,t1\n"
    calls = line("06:00", "06:10", trip="t1@06:00:00") + line("00:00", "00:10").removeprefix(CALLS)
    day = day_of(tmp_path, trips=trips, stop_times=calls, frequencies=WINDOWS + "t1,06:00:00,06:10:00,600,1\n")
    assert len(set(day.trips.ids)) == 2
    assert sorted(day.trips.trip_ids) == ["t1", "t1@06:00:00"]


def test_a_window_that_is_none_is_told(tmp_path):
    windows = WINDOWS + "t1,06:00:00,06:10:00,600,1\nt1,07:00:00,07:00:00,600,1\nt1,08:00:00,09:00:00,0,1\n"
    day = day_of(tmp_path, frequencies=windows)
    assert day.trips.ids == ("t1@06:00:00",)
    assert [(item.code, item.file, item.row, item.count) for item in day.notices] == [
        ("GTFS_FREQUENCY", "frequencies.txt", 3, 2)
    ]


def test_headways_that_nobody_means_are_refused(tmp_path, monkeypatch):
    windows = "".join(f"t1,{hour * 24}:00:00,{hour * 24 + 24}:00:00,1,0\n" for hour in range(30))
    with pytest.raises(InputError, match="2,592,000") as caught:
        day_of(tmp_path, frequencies=WINDOWS + windows)
    assert caught.value.code == "GTFS_FREQUENCY"
    monkeypatch.setattr(gtfs.performed, "MOST_CALLS", 3)
    with pytest.raises(InputError, match="4 calls") as caught:
        day_of(tmp_path, frequencies=WINDOWS + "t1,06:00:00,06:20:00,600,0\n")
    assert caught.value.code == "GTFS_FREQUENCY"


# patterns


def test_patterns_are_told_apart_and_numbered_by_trips(tmp_path):
    trips = "route_id,service_id,trip_id,direction_id\n" + "".join(
        f"{route},week,{name},{direction}\n"
        for route, name, direction in [
            ("7", "p", "0"),
            ("7", "q", "0"),
            ("7", "r", "0"),
            ("7", "s", "1"),
            ("12", "t", ""),
            ("7", "u", "0"),
        ]
    )
    calls = CALLS + "".join(
        f"{trip},{8 + number:02d}:{place:02d}:00,,{stop},{place}\n"
        for number, (trip, stops) in enumerate(
            {"p": "ab", "q": "abd", "r": "abd", "s": "ab", "t": "ab", "u": "ad"}.items()
        )
        for place, stop in enumerate(stops)
    )
    day = day_of(tmp_path, trips=trips, stop_times=calls)
    assert day.patterns.ids == ("12:-:1", "7:0:1", "7:0:2", "7:0:3", "7:1:1")
    assert dict(zip(day.trips.ids, day.trip_pattern_ids, strict=True)) == {
        "p": "7:0:2",
        "q": "7:0:1",
        "r": "7:0:1",
        "s": "7:1:1",
        "t": "12:-:1",
        "u": "7:0:3",
    }
    assert [[day.stops.ids[stop] for stop in day.patterns.call_stop[day.patterns.calls(row)]] for row in range(5)] == [
        ["a", "b"],
        ["a", "b", "d"],
        ["a", "b"],
        ["a", "d"],
        ["a", "b"],
    ]


def test_kinds_of_routes_can_be_chosen(tmp_path):
    trips = "route_id,service_id,trip_id\n12,week,t1\n7,week,t2\n"
    calls = line("08:00", "08:10") + line("09:00", "09:10", trip="t2").removeprefix(CALLS)
    day = day_of(tmp_path, trips=trips, stop_times=calls, options={"route_types": {900}})
    assert (day.trips.ids, day.routes.ids) == (("t2",), ("7",))


def test_a_part_of_a_day_keeps_only_what_its_trips_use(tmp_path):
    trips = "route_id,service_id,trip_id,shape_id\n12,week,t1,s\n7,week,t2,r\n12,week,t3,\n"
    shapes = (
        "shape_id,shape_pt_lat,shape_pt_lon,shape_pt_sequence\nr,40,-74,1\nr,40.02,-74,2\ns,40,-74,1\ns,40.01,-74,2\n"
    )
    calls = CALLS + (
        "t1,08:00:00,,a,1\nt1,08:10:00,,b,2\nt2,08:30:00,,a,1\nt2,08:40:00,,c,2\nt3,09:00:00,,c,1\nt3,09:20:00,,d,2\n"
    )
    day = day_of(tmp_path, trips=trips, shapes=shapes, stop_times=calls)
    eight, nine = 8 * 3600, 9 * 3600
    assert day.between(eight + 599, eight + 600).trips.ids == ("t1",)
    assert day.between(eight + 600, nine).trips.ids == ("t2",)
    assert day.between(eight + 600, nine + 1).trips.ids == ("t2", "t3")
    part = day.select(np.array([False, True, True]))
    assert (part.stops.ids, part.routes.ids, part.shapes.ids) == (("a", "c", "d"), ("12", "7"), ("r",))
    assert (part.patterns.ids, part.patterns.shape.tolist()) == (("12:-:2", "7:-:1"), [-1, 0])
    assert (part.trip_pattern_ids, part.trip_route.tolist()) == (("7:-:1", "12:-:2"), [1, 0])
    assert part.shapes.lonlat.tolist() == [[-74, 40], [-74, 40.02]]
    assert [part.stops.ids[stop] for stop in part.call_stop] == ["a", "c", "c", "d"]
    assert (part.trips.call_start.tolist(), times(part, 1)) == ([0, 2, 4], ["09:00:00", "09:20:00"])
    again = part.between(nine, nine + 1)
    assert (again.trips.ids, again.shapes.ids, len(again.stops)) == (("t3",), (), 2)


# what is left out


@pytest.mark.parametrize(
    ("tables", "code", "file", "row", "value"),
    [
        ({"trips": "bad,12,week\ngood,12,week\n"}, "GTFS_TRIP_CALLS", "trips.txt", 2, "bad"),
        ({"trips": "bad,99,week\ngood,12,week\n"}, "GTFS_REFERENCE", "trips.txt", 2, "99"),
        ({"trips": "good,12,week\ngood,12,week\n"}, "GTFS_DUPLICATE", "trips.txt", 3, "good"),
        ({"calls": "bad,08:00:00,a,1\n"}, "GTFS_TRIP_CALLS", "trips.txt", 3, "bad"),
        ({"calls": "bad,08:00:00,a,1\nbad,08:10:00,zz,2\n"}, "GTFS_REFERENCE", "stop_times.txt", 5, "zz"),
        ({"calls": "bad,08:00:00,a,1\nbad,08:10:00,b,\n"}, "GTFS_VALUE", "stop_times.txt", 5, ""),
        ({"calls": "bad,08:00:00,a,1\nbad,08:10:00,b,1\n"}, "GTFS_DUPLICATE", "stop_times.txt", 5, "1"),
        ({"calls": "bad,08:00:00,a,1\nbad,abc,b,2\nbad,08:20:00,c,3\n"}, "GTFS_TIME", "stop_times.txt", 5, "abc"),
        ({"calls": "bad,25:61:61,a,1\nbad,08:20:00,c,3\n"}, "GTFS_TIME", "stop_times.txt", 4, "25:61:61"),
        ({"calls": "bad,,a,1\nbad,08:10:00,b,2\n"}, "GTFS_TIME", "stop_times.txt", 4, ""),
        ({"calls": "bad,08:00:00,a,1\nbad,,b,2\n"}, "GTFS_TIME", "stop_times.txt", 5, ""),
        ({"calls": "bad,08:00:00,a,1\nbad,07:10:00,b,2\n"}, "GTFS_TIME_ORDER", "stop_times.txt", 5, "07:10:00"),
    ],
)
def test_a_trip_that_cannot_run_is_left_out_and_told(tmp_path, tables, code, file, row, value):
    trips = "trip_id,route_id,service_id\n" + tables.get("trips", "good,12,week\nbad,12,week\n")
    calls = "trip_id,arrival_time,stop_id,stop_sequence\ngood,08:00:00,a,1\ngood,08:10:00,d,2\n"
    day = day_of(tmp_path, trips=trips, stop_times=calls + tables.get("calls", ""))
    assert (day.trips.ids, day.stops.ids) == (("good",), ("a", "d"))
    assert [(item.code, item.severity, item.file, item.row, item.value, item.count) for item in day.notices] == [
        (code, "warning", file, row, value, 1)
    ]


def test_a_shape_that_is_none_leaves_the_trip(tmp_path):
    trips = "route_id,service_id,trip_id,shape_id\n12,week,t1,gone\n"
    point = "shape_id,shape_pt_lat,shape_pt_lon,shape_pt_sequence\ngone,40,-74,1\n"
    for tables in ({}, {"shapes": point}, {"shapes": point + "gone,,-74,2\n"}):
        day = day_of(tmp_path, trips=trips, **tables)
        assert (day.trips.ids, day.patterns.shape.tolist(), len(day.shapes)) == (("t1",), [-1], 0)
        assert [(item.code, item.field, item.value) for item in day.notices] == [("GTFS_REFERENCE", "shape_id", "gone")]


def test_an_illegible_departure_is_told_as_one(tmp_path):
    calls = CALLS + "t1,08:00:00,08:00:00,a,1\nt1,,soon,b,2\nt1,08:20:00,08:20:00,c,3\n"
    day = day_of(tmp_path, stop_times=calls)
    assert len(day.trips) == 0
    assert [(item.code, item.row, item.field, item.value) for item in day.notices] == [
        ("GTFS_TIME", 3, "departure_time", "soon")
    ]


def test_an_unknown_zone_is_refused(tmp_path):
    with pytest.raises(InputError, match="Mars") as caught:
        day_of(tmp_path, agency="agency_name,agency_url,agency_timezone\nA,https://example.org,Mars/Base\n")
    assert caught.value.code == "GTFS_TIMEZONE"


# against the naive reader


def assert_same_day(day, departures):
    """Everything that the naive reader tells is told, call by call."""
    trips = day.trips
    found = [
        (first, trip, when)
        for first, trip, when in zip(
            day.first_departure_s.tolist(), trips.trip_ids, trips.service_dates.tolist(), strict=True
        )
    ]
    wanted = [(item["calls"][0]["departure"], item["trip_id"], item["service_date"]) for item in departures]
    assert sorted(found) == sorted(wanted)
    assert len(set(trips.ids)) == len(trips)
    assert (np.diff(day.first_departure_s) >= 0).all()
    rows = {key: row for row, key in enumerate(found)}
    order = [call for key in wanted for call in range(*trips.calls(rows[key]).indices(len(day.calls)))]
    calls = [call for item in departures for call in item["calls"]]
    assert len(calls) == len(order) == len(day.calls)
    assert [day.stops.ids[stop] for stop in day.call_stop[order]] == [call["stop_id"] for call in calls]
    for name in ("stop_sequence", "is_interpolated", "timepoint", "pickup_type", "drop_off_type"):
        np.testing.assert_array_equal(getattr(day.calls, name)[order], [call[name] for call in calls])
    blank = np.array([call["is_interpolated"] for call in calls], dtype=bool)
    for name, ours in (("arrival", day.calls.arrival_s[order]), ("departure", day.calls.departure_s[order])):
        theirs = np.array([call[name] for call in calls], dtype=np.int64)
        np.testing.assert_array_equal(ours[~blank], theirs[~blank])
        assert np.abs(ours - theirs).max(initial=0) <= 1  # a half second may be rounded either way


def assert_same_arrays(one, other):
    for part in ("stops", "routes", "shapes", "patterns", "trips", "calls"):
        for field in fields(getattr(one, part)):
            columns = [getattr(getattr(day, part), field.name) for day in (one, other)]
            assert getattr(columns[0], "dtype", None) == getattr(columns[1], "dtype", None)
            np.testing.assert_array_equal(*columns)


REAL = (
    *(f"feeds/{name}" for name in ("amarillo", "augusta", "cuenca", "fortaleza", "riga", "saintjohn", "trensurb")),
    *(f"{name}/gtfs" for name in ("kingston", "northern_kentucky", "portoalegre", "washington")),
)


@pytest.mark.parametrize("name", REAL)
def test_a_weekday_of_a_real_feed_is_what_the_naive_reader_reads(data_dir, name):
    path = data_dir / f"{name}.zip"
    tables = naive_tables(path)
    weekday = naive_weekday(tables)
    assert_same_day(timetable(read_feed(path), weekday), naive_day(tables, weekday))


@pytest.mark.parametrize("name", ["feeds/saintjohn", "feeds/cuenca", "northern_kentucky/gtfs"])
def test_the_same_feed_gives_the_same_arrays(data_dir, name):
    feeds = [read_feed(data_dir / f"{name}.zip") for _ in range(2)]
    day = max(feeds[0].service_days())
    assert_same_arrays(*(timetable(feed, day) for feed in feeds))


def test_cuenca_departs_5190_times_on_a_weekday(data_dir):
    # exact departures up to each window's end would be 5244; but these are headways, and 5190 of them are whole
    day = timetable(read_feed(data_dir / "feeds" / "cuenca.zip"), date(2023, 3, 15))
    assert len(day.trips) == 5190
    assert day.trips.is_frequency_based.all()
    assert not day.trips.exact_times.any()


@st.composite
def feeds(draw):
    """Tables of a legal feed of three services with trips at any hour, around a day of 23 hours."""
    stops = "stop_id,stop_lat,stop_lon\n" + "".join(
        f"{name},{draw(st.sampled_from(['', '40.0', '40.01', '41.3']))},{draw(st.sampled_from(['-74.0', '-74.02']))}\n"
        for name in "abcd"
    )
    trips, calls, windows = [], [], []
    for number in range(draw(st.integers(1, 4))):
        trips.append(f"12,{draw(st.sampled_from(['week', 'friday', 'daily']))},t{number}\n")
        calls += draw(calls_of(f"t{number}"))
        if draw(st.booleans()):
            windows += draw(windows_of(f"t{number}"))
    exceptions = draw(
        st.lists(
            st.tuples(st.sampled_from(["week", "friday", "daily"]), st.sampled_from(["20260307", "20260308"])),
            unique=True,
        )
    )
    dates = [f"{service},{day},{draw(st.integers(1, 2))}\n" for service, day in exceptions]
    head = "trip_id,arrival_time,departure_time,stop_id,stop_sequence,timepoint,pickup_type,shape_dist_traveled\n"
    return {
        "stops": stops,
        "trips": "route_id,service_id,trip_id\n" + "".join(trips),
        "stop_times": head + "".join(draw(st.permutations(calls))),
        "frequencies": WINDOWS + "".join(windows),
        "calendar_dates": "service_id,date,exception_type\n" + "".join(dates),
    }


@st.composite
def calls_of(draw, trip):
    count = draw(st.integers(1, 6))
    seconds, rows, distance = draw(st.integers(0, 26 * 3600)), [], 0.0
    for number in range(count):
        seconds += draw(st.integers(0, 1200))
        arrival, wait = seconds, draw(st.sampled_from([0, 0, 30]))
        seconds += wait
        kind = "both" if number in {0, count - 1} else draw(st.sampled_from(["both", "none", "none", "one", "other"]))
        distance += draw(st.sampled_from([0.0, 0.25, 3.0]))
        rows.append(
            f"{trip},{time_text(arrival) if kind in {'both', 'one'} else ''},"
            f"{time_text(seconds) if kind in {'both', 'other'} else ''},"
            f"{draw(st.sampled_from('abcd'))},{number * 3},{draw(st.sampled_from(['', '0', '1']))},"
            f"{draw(st.sampled_from(['', '1']))},{draw(st.sampled_from(['', str(distance), str(distance)]))}\n"
        )
    return rows


@st.composite
def windows_of(draw, trip):
    end, rows = draw(st.integers(0, 24 * 3600)), []
    for _ in range(draw(st.integers(1, 3))):
        start, end = end, end + draw(st.integers(1, 7200))
        headway, exact = draw(st.integers(300, 4000)), draw(st.sampled_from(["", "0", "1"]))
        rows.append(f"{trip},{time_text(start)},{time_text(end)},{headway},{exact}\n")
    return rows


@given(tables=feeds(), day=st.sampled_from([date(2026, 3, 6), date(2026, 3, 7), date(2026, 3, 8), date(2026, 3, 9)]))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_legal_day_expands_as_the_naive_reader_expands_it(tmp_path, tables, day):
    path = written(tmp_path, **tables)
    assert_same_day(timetable(read_feed(path), day), naive_day(naive_tables(path), day))
