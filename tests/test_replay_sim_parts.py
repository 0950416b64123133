"""Tracks, curves onto streets, and the speed that follows a curve, worked out by hand; no simulation."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gtfs.clock import origin_epoch_s
from gtfs.curves import Curves
from gtfs.feed import read_feed
from gtfs.service_day import parse_day
from gtfs.timetable import timetable
from networks.paths import path_over
from sim.replay_drive import EASE_MPS2, Ride, speed_to_follow
from sim.replay_measures import replay_totals, ride_measures
from sim.replay_paths import curve_tracks
from sim.replay_tracks import Rest, Track, in_time, rests
from tests.small_feed import packed
from tests.street_plans import lonlat, read_plan

AHEAD_S = np.arange(1.0, 16.0)
DAY = "2026-05-13"


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    """A street of two kilometres to the east in two pieces, both ways, and one that nobody takes."""
    places = {"a": (0, 0), "b": (1000, 0), "c": (2000, 0), "d": (1000, 500)}
    return read_plan(tmp_path_factory.mktemp("plan"), places, ["High Street: a b c", "Low Street: b d"])


def track(network, points, calls_m=()):
    """A track along the street, from ``(time, way)``."""
    time_s, way_m = np.array(points, dtype=float).T
    path = path_over(network, np.array([network.edge_index["a-b"], network.edge_index["b-c"]], dtype=np.int32))
    return Track("bus", "bus", path, time_s, way_m, np.array(calls_m, dtype=float))


def test_a_track_is_cut_to_the_time_simulated(network):
    part = in_time(track(network, [(0, 0), (100, 1000), (200, 1500)]), 50, 150)
    assert part.time_s.tolist() == [50, 100, 150]
    assert part.way_m.tolist() == [500, 1000, 1250]


def test_long_stays_at_the_ends_are_left_out(network):
    """It comes twenty seconds before it leaves its first place, and is done at its last."""
    part = in_time(track(network, [(0, 100), (600, 100), (700, 1100), (1500, 1100)]), 0, 2000)
    assert part.time_s[0] == pytest.approx(580, abs=1)
    assert part.time_s[-1] == 700
    assert part.length_m == 1000


@pytest.mark.parametrize("span_s", [(300, 400), (-50, 0), (195, 400)])
def test_where_hardly_anything_is_left_there_is_no_track(network, span_s):
    assert in_time(track(network, [(0, 0), (200, 1500)]), *span_s) is None


def test_who_stands_long_on_the_way_rests_and_who_waits_at_a_light_does_not(network):
    points = [(0, 0), (100, 500), (190, 500), (200, 600), (330, 602), (400, 1500), (900, 1502)]
    assert rests(track(network, points)) == [Rest(600.0, 602.0, 330.0)]


def follow(curve_m, speed_mps=0.0, gain_mps2=1.2, loss_mps2=4.0):
    """Drive as a vehicle that speeds up and brakes no harder than it can; its ways."""
    curve_m = np.append(curve_m, np.repeat(curve_m[-1], len(AHEAD_S)))
    way_m, ways = float(curve_m[0]), []
    for second in range(len(curve_m) - len(AHEAD_S)):
        ways.append(way_m)
        wanted = speed_to_follow(way_m, curve_m[second + 1 : second + 1 + len(AHEAD_S)], AHEAD_S)
        speed_mps = min(max(wanted, speed_mps - loss_mps2), speed_mps + gain_mps2)
        way_m += speed_mps
    return np.array(ways)


def test_on_an_even_curve_it_keeps_on_it():
    curve_m = 10.0 * np.arange(60)
    assert follow(curve_m, speed_mps=10.0)[:40] == pytest.approx(curve_m[:40])


def test_it_stops_where_the_curve_stops_and_goes_on_with_it():
    curve_m = np.interp(np.arange(200), [0, 40, 100, 140], [0, 400, 400, 800])
    ways = follow(curve_m, speed_mps=10.0)
    assert ways[60:100] == pytest.approx(400.0, abs=0.01)
    # it slows down by 2 m/s2 before the place, and gets to it a few seconds later than the curve, which stops at once
    assert ways[40] == pytest.approx(400 - 10**2 / (2 * EASE_MPS2) / 2, abs=12)
    assert ways[-1] == pytest.approx(800.0, abs=0.01)


def test_from_a_distance_it_brakes_evenly_to_a_stand():
    """The law of the stopping way: speed and reaction of a step, then even braking."""
    for room_m in (5.0, 20.0, 80.0):
        speed = speed_to_follow(0.0, np.full(15, room_m), AHEAD_S)
        by_the_book = np.sqrt(2 * EASE_MPS2 * (room_m + EASE_MPS2 / 2)) - EASE_MPS2
        assert speed == pytest.approx(by_the_book, abs=0.2)


def test_who_is_ahead_waits():
    assert speed_to_follow(100.0, np.linspace(60, 95, 15), AHEAD_S) == 0.0


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0, 25), min_size=3, max_size=20), st.integers(2, 30))
def test_whatever_the_curve_it_never_overtakes_it_and_gets_to_its_end(speeds, every_s):
    """Curves of straight pieces whose speeds jump, as between pings."""
    known_m = np.concatenate(([0.0], np.cumsum(np.array(speeds) * every_s)))
    curve_m = np.interp(np.arange(every_s * len(speeds) + 400), every_s * np.arange(len(known_m)), known_m)
    ways = follow(curve_m)
    assert (ways <= curve_m + 0.01).all()
    assert ways[-1] == pytest.approx(curve_m[-1], abs=0.1)


def ride(track, points, *, done=True):
    time_s, way_m = np.array(points, dtype=float).T
    return Ride(track, entered_s=float(time_s[0]), done=done, time_s=time_s.tolist(), way_m=way_m.tolist(),
                speed_mps=np.gradient(way_m).tolist())  # fmt: skip


def test_a_ride_is_measured_against_its_curve(network):
    """It drives 20 m behind from the second second on, enters two seconds late, and comes 2 s late to its stop."""
    real = track(network, [(0, 0), (100, 1000)], calls_m=[530, 5, 5000])
    simulated = ride(real, [(second, 10 * second - 20) for second in range(2, 102)])
    row = ride_measures(simulated, 1.0)
    assert (row.error_p50_m, row.max_lag_m, row.max_lead_m, row.lags) == (20, 20, 0, False)
    assert row.entered_late_s == 2
    assert (row.within_10m_share, row.within_30m_share) == pytest.approx((2 / 102, 100 / 102), abs=0.011)
    assert (row.stops_compared, row.stops_missed, row.stop_error_s) == (1, 0, 2)
    totals = replay_totals([simulated, simulated], 1.0)
    assert (totals.rides, totals.lagging, totals.stops_compared, totals.stop_error_s) == (2, 0, 2, 2)


def test_a_ride_that_never_was_has_no_errors_and_no_near_time(network):
    row = ride_measures(Ride(track(network, [(0, 0), (100, 1000)], calls_m=[500])), 1.0)
    assert (row.entered, row.done, row.driven_m, row.stops_missed, row.within_30m_share) == (False, False, 0, 1, 0)
    assert np.isnan([row.error_p50_m, row.max_lag_m, row.entered_late_s, row.stop_error_s]).all()


@pytest.fixture(scope="module")
def day(network, tmp_path_factory):
    """A bus that comes from 600 m west of the streets, along High Street, three metres beside its middle."""
    west, middle, east = (lonlat(network, x_m, -3) for x_m in (-600, 400, 1900))
    shape = "\n".join(f"s,{lat:.9f},{lon:.9f},{row}" for row, (lon, lat) in enumerate((west, middle, east)))
    stops = "\n".join(f"S{row},S{row},{lat:.9f},{lon:.9f}" for row, (lon, lat) in enumerate((west, middle, east)))
    files = {
        "agency.txt": "agency_name,agency_url,agency_timezone\nBuses,https://example.org,Europe/Berlin\n",
        "stops.txt": f"stop_id,stop_name,stop_lat,stop_lon\n{stops}\n",
        "routes.txt": "route_id,route_short_name,route_type\nR,1,3\nF,2,4\n",
        "calendar_dates.txt": f"service_id,date,exception_type\nD,{DAY.replace('-', '')},1\n",
        "trips.txt": "route_id,service_id,trip_id,shape_id\nR,D,t1,s\nR,D,t2,s\n",
        "shapes.txt": f"shape_id,shape_pt_lat,shape_pt_lon,shape_pt_sequence\n{shape}\n",
        "stop_times.txt": "trip_id,stop_id,arrival_time,departure_time,stop_sequence\n"
        + "".join(f"{trip},S{row},07:0{row}:00,07:0{row}:00,{row}\n" for trip in ("t1", "t2") for row in range(3)),
    }
    return timetable(read_feed(packed(tmp_path_factory.mktemp("feed") / "feed.zip", files)), parse_day(DAY))


def curves(*points, trips=None):
    """A curve for each list of ``(time of day, distance)``."""
    time_s = np.array([time for curve in points for time, _ in curve], dtype=float)
    start = np.cumsum([0, *(len(curve) for curve in points)]).astype(np.int32)
    distance_m = np.array([place for curve in points for _, place in curve], dtype=float)
    trip = np.array(trips or [0] * len(points), dtype=np.int32)
    origin_s = origin_epoch_s(parse_day(DAY), "Europe/Berlin")
    return Curves(trip, tuple(f"v{row}" for row in range(len(points))), start, time_s + origin_s, distance_m)


def tracks(network, day, made):
    return curve_tracks(network, day, made, day.origin_epoch_s)


def test_a_curve_along_the_shape_becomes_a_track_along_the_street(network, day):
    """The shape begins 600 m before the street does, and has the street's own scale from there."""
    (found,) = tracks(network, day, curves([(100, 700), (200, 1700), (300, 1700), (350, 2200)]))
    assert found.reason == ""
    assert found.inside_share == pytest.approx(1.0)
    (driven,) = found.tracks
    assert driven.vehicle_id == "replay:t1"
    assert [network.edges.ids[row] for row in driven.path.edges] == ["a-b", "b-c"]
    assert driven.way_at(np.array([100.0, 150, 200, 250, 300, 350])) == pytest.approx(
        [100, 600, 1100, 1100, 1100, 1600], abs=1.5
    )
    assert driven.calls_m == pytest.approx([400, 1900], abs=1.0)


def test_a_curve_is_clipped_to_the_network(network, day):
    """It comes onto the street at 160 s, at constant speed, and its points need not be there."""
    (found,) = tracks(network, day, curves([(100, 0), (350, 2500)]))
    (driven,) = found.tracks
    assert driven.time_s[0] == pytest.approx(160, abs=3.5)
    assert driven.way_at(np.array([200.0])) == pytest.approx([400], abs=1.5)
    assert found.inside_share == pytest.approx(1900 / 2500, abs=0.03)


def test_what_cannot_be_driven_says_why(network, day):
    found = tracks(network, day, curves([(100, 800), (200, 820)], [(100, 0), (200, 500)], [(100, 700), (200, 1700)]))
    assert [each.reason for each in found] == [
        "the vehicle hardly moved", "it was never on a street of this network", "",
    ]  # fmt: skip
    assert [len(each.tracks) for each in found] == [0, 0, 1]


def test_a_pattern_without_a_path_says_so(network, day):
    away = replace(day, shapes=replace(day.shapes, lonlat=day.shapes.lonlat + 1.0))
    (found,) = tracks(network, away, curves([(100, 700), (200, 1700)]))
    assert found.reason == "the pattern has no path on this network"


def test_two_vehicles_on_one_trip_and_two_trips_have_ids_of_their_own(network, day):
    way = [(100, 700), (200, 1700)]
    found = tracks(network, day, curves(way, way, way, trips=[1, 0, 1]))
    assert [each.tracks[0].vehicle_id for each in found] == ["replay:t2", "replay:t1", "replay:t2#2"]
    assert [each.trip for each in found] == [1, 0, 1]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.floats(1, 60), st.floats(0, 400)), min_size=2, max_size=12))
def test_tracks_keep_the_order_of_time_and_never_go_back(network, day, steps):
    time_s, place_m = np.cumsum(np.array(steps), axis=0).T
    made = curves(list(zip(time_s, np.minimum(place_m, 2500.0), strict=True)))
    for driven in tracks(network, day, made)[0].tracks:
        assert (np.diff(driven.time_s) > 0).all()
        assert (np.diff(driven.way_m) >= 0).all()
        assert driven.time_s[0] >= time_s[0] - 1e-6
        assert driven.time_s[-1] <= time_s[-1] + 1e-6
        assert driven.way_m[-1] <= driven.path.end_m
