"""The trace of the built-in city: what it says is true agrees with its pings, its feed and the run it was made from."""

import csv
import io
import json
import zipfile
from collections import Counter
from dataclasses import replace
from datetime import datetime
from itertools import pairwise

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from gtfs.clock import origin_epoch_s
from networks.faults import RunError
from networks.geometry import from_lonlat
from networks.netxml import read_network
from scenarios.demo import write_demo_city
from scenarios.demo.trace import demo_trace, write_trace
from scenarios.demo.trace_motion import LEAST_STAY_S, Motion, delayed, track_over
from scenarios.prepare import prepare, run_specs
from scenarios.results import run_file, run_to_json
from scenarios.scenario import read_scenario
from sim.run import simulate
from sim.transit_plan import read_plan
from tests.paper_network import write_paper_network

FILES = ("vehicle_locations.csv", "truth_stop_visits.csv", "truth_events.csv", "trace.json")


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """Results of the demo as far as the trace needs them: the city, its import, one run; and that run."""
    out = tmp_path_factory.mktemp("demo")
    scenario = read_scenario(write_demo_city(out / "city"))
    prepared = prepare(scenario, out, lambda _text: None)
    spec = run_specs(scenario, prepared, scenario.seeds[:1])[0]
    run = simulate(spec, network=prepared.network)
    (out / "runs").mkdir()
    run_file(out / "runs", spec).write_text(run_to_json(run))
    return out, prepared.network, read_plan(prepared.transit), run.transit, demo_trace(out)


@pytest.fixture(scope="module")
def network(demo):
    return demo[1]


@pytest.fixture(scope="module")
def tables(demo):
    """Rows of the trace's tables and of the feed's, by name."""
    city = demo[0] / "city"
    texts = {name.removesuffix(".csv"): (city / name).read_text(encoding="utf-8") for name in FILES[:3]}
    found = {name: list(csv.DictReader(io.StringIO(text))) for name, text in texts.items()}
    with zipfile.ZipFile(city / "buses-synthetic.zip") as archive:
        for name in ("stops", "shapes", "trips"):
            found[name] = list(csv.DictReader(io.TextIOWrapper(archive.open(f"{name}.txt"), "utf-8")))
    return found


@pytest.fixture(scope="module")
def pings(tables, network):
    """Pings as (vehicle, epoch seconds, trip, place in metres, row)."""
    rows = tables["vehicle_locations"]
    places_m = from_lonlat(network.location, [(float(row["longitude"]), float(row["latitude"])) for row in rows])
    return [
        (row["vehicle_id"], epoch_s(row["event_timestamp"]), row["trip_id_performed"], place_m, row)
        for row, place_m in zip(rows, places_m, strict=True)
    ]


@pytest.fixture(scope="module")
def shapes_m(tables, network):
    """Line of each trip."""
    points = {}
    for row in tables["shapes"]:
        points.setdefault(row["shape_id"], []).append((float(row["shape_pt_lon"]), float(row["shape_pt_lat"])))
    lines = {name: shapely.LineString(from_lonlat(network.location, each)) for name, each in points.items()}
    return {row["trip_id"]: lines[row["shape_id"]] for row in tables["trips"]}


@pytest.fixture(scope="module")
def stops_m(tables, network):
    ids = [row["stop_id"] for row in tables["stops"]]
    lonlat = [(float(row["stop_lon"]), float(row["stop_lat"])) for row in tables["stops"]]
    return dict(zip(ids, from_lonlat(network.location, lonlat), strict=True))


def epoch_s(text):
    return datetime.fromisoformat(text).timestamp()


def events(tables, kind):
    return [row for row in tables["truth_events"] if row["event"] == kind]


def span_s(event):
    return epoch_s(event["begin_time"]), epoch_s(event["end_time"])


@pytest.mark.slow
def test_everything_made_up_says_so(demo, tables):
    assert all(row["vehicle_id"].startswith("synthetic-") for name in FILES[:3] for row in tables[name[:-4]])
    assert all(row["location_ping_id"].startswith("synthetic-") for row in tables["vehicle_locations"])
    about = json.loads((demo[0] / "city" / "trace.json").read_text())
    assert about["synthetic"] is True
    assert "SYNTHETIC" in about["what"]
    assert (about["noise_sd_m"], about["drift_sd_m"], about["every_s"]) == (5.0, 3.0, 30)


@pytest.mark.slow
def test_columns_are_those_of_tides(tables):
    assert list(tables["vehicle_locations"][0]) == [
        *("location_ping_id", "event_timestamp", "vehicle_id", "service_date", "trip_id_performed"),
        *("latitude", "longitude", "heading", "speed", "odometer"),
    ]
    ids = [row["location_ping_id"] for row in tables["vehicle_locations"]]
    assert len(set(ids)) == len(ids)
    assert {row["service_date"] for row in tables["vehicle_locations"]} == {"2026-05-13"}
    assert {row["event_timestamp"][19:] for row in tables["vehicle_locations"]} == {"+02:00"}
    times_s = [epoch_s(row["event_timestamp"]) for row in tables["vehicle_locations"]]
    assert times_s == sorted(times_s)


@pytest.mark.slow
def test_same_bytes_for_the_same_seed(demo, tmp_path):
    out, network, plan, run, summary = demo
    assert write_trace(tmp_path / "again", network, plan, run) == summary
    write_trace(tmp_path / "other", network, plan, run, seed=2)
    for name in FILES:
        assert (tmp_path / "again" / name).read_bytes() == (out / "city" / name).read_bytes()
    assert (tmp_path / "other" / FILES[0]).read_bytes() != (out / "city" / FILES[0]).read_bytes()


@pytest.mark.slow
def test_buses_send_every_half_minute_now_and_then_lost_or_twice(pings, demo):
    by_vehicle = {}
    for vehicle, time_s, *_ in pings:
        by_vehicle.setdefault(vehicle, []).append(time_s)
    gaps_s = Counter(after - before for times in by_vehicle.values() for before, after in pairwise(times))
    assert set(gaps_s) <= {30 * number for number in range(20)}
    assert gaps_s[30] > 0.95 * sum(gaps_s.values())
    assert 5 <= gaps_s[60] <= 40
    assert gaps_s[0] == demo[4].pings_twice >= 2


@pytest.mark.slow
def test_pings_of_a_standing_bus_scatter_around_its_stop(pings, tables, stops_m):
    away_m = []
    for visit in tables["truth_stop_visits"]:
        if visit["actual_arrival_time"] and visit["actual_departure_time"]:
            begin_s, end_s = epoch_s(visit["actual_arrival_time"]), epoch_s(visit["actual_departure_time"])
            away_m += [
                place_m - stops_m[visit["stop_id"]]
                for vehicle, time_s, _, place_m, _ in pings
                if vehicle == visit["vehicle_id"] and begin_s <= time_s <= end_s
            ]
    assert len(away_m) > 200
    assert np.hypot(*np.transpose(away_m)).max() < 35
    # noise and drift: sqrt(25 + 9) = 5.8 m an axis; the pole stands 4 m beside the lane, and buses 0 to 14 m before it
    assert 5 < np.std(away_m, axis=0).min() < np.std(away_m, axis=0).max() < 9


@pytest.mark.slow
def test_odometers_run_forward_and_tell_the_speed(pings):
    last = {}
    for vehicle, time_s, _, _, row in pings:
        before_s, before_m = last.get(vehicle, (time_s, float(row["odometer"])))
        run_m = float(row["odometer"]) - before_m
        assert 0 <= run_m <= 17 * max(time_s - before_s, 0)
        last[vehicle] = time_s, float(row["odometer"])
        assert 0 <= float(row["speed"]) < 17


@pytest.mark.slow
def test_moving_buses_head_along_their_line(pings, shapes_m, tables):
    left_s, back_s = span_s(events(tables, "off route")[0])
    turned_deg = []
    for _, time_s, trip, place_m, row in pings:
        if trip and float(row["speed"]) > 5 and not left_s <= time_s <= back_s:
            line = shapes_m[trip]
            at_m = line.project(shapely.Point(place_m))
            (x_1, y_1), (x_2, y_2) = (line.interpolate(at_m + step_m).coords[0] for step_m in (-5, 5))
            turned_deg.append((float(row["heading"]) - np.degrees(np.arctan2(x_2 - x_1, y_2 - y_1)) + 180) % 360 - 180)
    assert len(turned_deg) > 200
    assert abs(np.median(turned_deg)) < 3  # the projection's north is some degrees off
    assert np.percentile(np.abs(turned_deg), 80) < 15


@pytest.mark.slow
def test_the_detour_leaves_the_route_and_passes_the_skipped_stops_at_a_distance(pings, tables, shapes_m, stops_m):
    (detour,) = events(tables, "off route")
    left_s, back_s = span_s(detour)
    line = shapes_m[detour["trip_id_performed"]]
    trip = [each for each in pings if each[2] == detour["trip_id_performed"]]
    off = [place_m for _, time_s, _, place_m, _ in trip if left_s < time_s < back_s]
    assert sum(line.distance(shapely.Point(place_m)) > 60 for place_m in off) >= 3
    on = [place_m for _, time_s, _, place_m, _ in trip if not left_s < time_s < back_s]
    assert max(line.distance(shapely.Point(place_m)) for place_m in on) < 30
    skipped = [row for row in tables["truth_stop_visits"] if row["schedule_relationship"] == "Skipped"]
    assert 1 <= len(skipped) <= 2
    assert len(events(tables, "skipped stop")) == len(skipped)
    for row in skipped:
        assert row["trip_id_performed"] == detour["trip_id_performed"]
        assert row["actual_arrival_time"] == row["actual_departure_time"] == ""
        assert min(np.hypot(*(place_m - stops_m[row["stop_id"]])) for _, _, _, place_m, _ in trip) > 75


@pytest.mark.slow
def test_the_detour_is_as_long_as_its_odometer_says(pings, tables):
    (detour,) = events(tables, "off route")
    left_s, back_s = span_s(detour)
    inside = [
        (time_s, float(row["odometer"]))
        for vehicle, time_s, _, _, row in pings
        if vehicle == detour["vehicle_id"] and left_s <= time_s <= back_s
    ]
    (first_s, first_m), (last_s, last_m) = inside[0], inside[-1]
    # driven at one speed
    assert float(detour["length_m"]) == pytest.approx(
        (last_m - first_m) * (back_s - left_s) / (last_s - first_s), rel=0.02
    )


@pytest.mark.slow
def test_the_pair_that_runs_bunched_is_told_by_its_departures(tables):
    (event,) = events(tables, "bunched")
    stops = range(int(event["first_stop_sequence"]), int(event["last_stop_sequence"]) + 1)
    assert len(stops) >= 2
    departure_s = {
        (row["trip_id_performed"], int(row["trip_stop_sequence"])): epoch_s(row["actual_departure_time"])
        for row in tables["truth_stop_visits"]
        if row["actual_departure_time"]
    }
    spacing_s = {
        stop: departure_s[event["trip_id_performed"], stop] - departure_s[event["trip_ahead"], stop]
        for trip, stop in departure_s
        if trip == event["trip_id_performed"] and (event["trip_ahead"], stop) in departure_s
    }
    # line 1 runs every ten minutes
    assert [stop for stop, gap_s in spacing_s.items() if gap_s < 150 and stop < max(spacing_s)] == list(stops)
    assert min(spacing_s.values()) > 0
    assert event["trip_ahead"] == events(tables, "no progress")[0]["trip_id_performed"]


@pytest.mark.slow
def test_the_held_bus_stands_at_its_stop_for_minutes(pings, tables):
    (held,) = events(tables, "no progress")
    begin_s, end_s = span_s(held)
    assert end_s - begin_s > 480
    there = [
        row for vehicle, time_s, _, _, row in pings if vehicle == held["vehicle_id"] and begin_s <= time_s <= end_s
    ]
    assert len(there) >= 14
    assert len({row["odometer"] for row in there}) == 1
    visit = next(
        row
        for row in tables["truth_stop_visits"]
        if (row["trip_id_performed"], row["trip_stop_sequence"])
        == (held["trip_id_performed"], held["first_stop_sequence"])
    )
    assert (visit["actual_arrival_time"], visit["actual_departure_time"]) == (held["begin_time"], held["end_time"])


@pytest.mark.slow
def test_silent_buses_send_nothing_but_before_and_after(pings, tables):
    silent = events(tables, "stale")
    assert len(silent) == 3
    assert len({event["vehicle_id"] for event in silent}) == 3
    for event in silent:
        begin_s, end_s = span_s(event)
        times_s = [time_s for vehicle, time_s, *_ in pings if vehicle == event["vehicle_id"]]
        assert not [time_s for time_s in times_s if begin_s <= time_s < end_s]
        assert 330 <= end_s - begin_s <= 480
        assert begin_s - max(time_s for time_s in times_s if time_s < begin_s) <= 60
        assert min(time_s for time_s in times_s if time_s >= end_s) - end_s <= 60


@pytest.mark.slow
def test_one_bus_forgets_its_trip_and_knows_those_before_and_after(pings, tables):
    (event,) = events(tables, "no trip id")
    begin_s, end_s = span_s(event)
    unnamed = [(vehicle, begin_s < time_s <= end_s) for vehicle, time_s, trip, *_ in pings if not trip]
    assert len(unnamed) > 10
    assert set(unnamed) == {(event["vehicle_id"], True)}
    trips = {trip for _, _, trip, *_ in pings}
    assert event["trip_id_performed"] not in trips
    assert len({trip for vehicle, _, trip, *_ in pings if vehicle == event["vehicle_id"] and trip}) >= 2


@pytest.mark.slow
def test_buses_with_no_part_called_when_the_run_says(demo, tables):
    _, _, plan, run, _ = demo
    touched = {row["vehicle_id"] for kind in ("off route", "no progress") for row in events(tables, kind)}
    origin_s = origin_epoch_s(plan.service_date, plan.timezone)
    told = {(row["trip_id_performed"], int(row["trip_stop_sequence"])): row for row in tables["truth_stop_visits"]}
    compared = 0
    for leg, trip in enumerate(plan.legs.trip_ids):
        for call in range(*plan.legs.call_start[leg : leg + 2]):
            row = told.get((trip, int(plan.calls.stop_sequence[call])))
            if row is None:
                assert np.isnan(run.arrival_s[call])
            elif row["vehicle_id"] not in touched:
                for column, times_s in (
                    ("actual_arrival_time", run.arrival_s),
                    ("actual_departure_time", run.departure_s),
                ):
                    if row[column]:
                        assert epoch_s(row[column]) - origin_s == times_s[call]
                        compared += 1
    assert compared > 350


@pytest.mark.slow
def test_without_a_finished_run_there_is_no_trace(demo, tmp_path):
    out = tmp_path / "demo"
    out.mkdir()
    for name in ("city", "inputs"):
        (out / name).symlink_to(demo[0] / name)
    with pytest.raises(RunError, match="as shipped"):
        demo_trace(out)


@pytest.fixture
def motion(tmp_path):
    """A bus on one street: it stands at 0 m 0 to 15 s, at 100 m 30 to 60 s, at 200 m from 75 to 90 s."""
    network = write_paper_network(tmp_path / "net.xml", {"a": ("1", "2", 300.0)}, [])
    return Motion(
        vehicle=0,
        track=track_over(network, np.array([0], dtype=np.int32)),
        seen_s=np.array([20.0, 70.0]),
        seen_m=np.array([30.0, 160.0]),
        call=np.array([0, 1, 2], dtype=np.int32),
        call_m=np.array([0.0, 100.0, 200.0]),
        arrival_s=np.array([0.0, 30.0, 75.0]),
        departure_s=np.array([15.0, 60.0, 90.0]),
    )


def test_a_motion_stands_at_stops_and_passes_where_it_was_seen(motion):
    assert motion.at_m(np.array([0, 7, 15, 20, 30, 45, 60, 70, 75, 90])).tolist() == pytest.approx(
        [0, 0, 0, 30, 100, 100, 100, 160, 200, 200]
    )
    assert motion.speed_mps(np.array([7.0, 45.0, 80.0])).tolist() == [0, 0, 0]
    fine_m = motion.at_m(np.linspace(0, 90, 901))
    assert (np.diff(fine_m) >= 0).all()
    assert motion.passed_s(30.0) == pytest.approx(20.0)


def test_a_delay_is_made_up_for_where_there_is_time(motion):
    late = delayed(motion, 15.0, 10.0)  # held for ten seconds at the first stop
    # comes to the second at 40 s, where it stood for 30 s and needs 15 s: it is on time again
    assert LEAST_STAY_S == 15
    assert late.arrival_s.tolist() == [0, 40, 75]
    assert late.departure_s.tolist() == [25, 60, 90]
    assert late.seen_s.tolist() == [30, 70]
    later = delayed(motion, 15.0, 40.0)
    assert later.arrival_s.tolist() == [0, 70, 100]
    assert later.departure_s.tolist() == [55, 85, 115]
    assert later.seen_s.tolist() == [60, 95]


@given(st.floats(0, 90), st.integers(0, 300))
def test_delays_keep_order_and_never_make_early(from_s, delay_s):
    before = Motion(
        vehicle=0,
        track=None,
        seen_s=np.array([20.0, 70.0, 95.0]),
        seen_m=np.array([30.0, 160.0, 220.0]),
        call=np.arange(3, dtype=np.int32),
        call_m=np.array([0.0, 100.0, 200.0]),
        arrival_s=np.array([0.0, 30.0, 75.0]),
        departure_s=np.array([15.0, 60.0, 90.0]),
    )
    after = delayed(before, from_s, float(delay_s))
    for name in ("seen_s", "arrival_s", "departure_s"):
        assert (getattr(after, name) >= getattr(before, name)).all()
        assert (getattr(after, name) <= getattr(before, name) + delay_s).all()
    alternating = np.column_stack((after.arrival_s, after.departure_s)).reshape(-1)
    assert (np.diff(alternating) >= 0).all()
    assert (np.diff(np.sort(after.seen_s)) >= 0).all()
    assert replace(after, seen_s=before.seen_s).seen_m is before.seen_m


def test_a_track_follows_the_lanes_edge_by_edge(tmp_path):
    network = write_paper_network(tmp_path / "net.xml", {"a": ("1", "2", 300.0), "b": ("2", "3", 400.0)}, ["a b"])
    network = read_network(tmp_path / "net.xml")
    track = track_over(network, np.array([network.edge_index["a"], network.edge_index["b"]], dtype=np.int32))
    # "a" from (0, 0) to (1000, 300), "b" from (1000, 0) to (2000, 400)
    a_m, gap_m, b_m = np.hypot(1000, 300), 300.0, np.hypot(1000, 400)
    assert track.begin_m.tolist() == pytest.approx([0, a_m + gap_m])
    assert track.end_m.tolist() == pytest.approx([a_m, a_m + gap_m + b_m])
    assert track.points_at(np.array([a_m / 2, a_m + 150])).tolist() == [
        pytest.approx([500, 150]),
        pytest.approx([1000, 150]),
    ]
