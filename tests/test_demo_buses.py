"""The made-up bus lines of the built-in city: a legal feed that says what it is, on streets that buses can drive."""

import csv
import io
import math
import zipfile
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from gtfs.feed import read_feed
from networks.geometry import from_lonlat
from networks.graph import router
from networks.network import CLASS_BIT
from networks.netxml import read_network
from networks.spatial import nearest_edges
from scenarios.demo.bus_lines import bus_lines
from scenarios.demo.bus_stops import bus_way
from scenarios.demo.buses import write_demo_feed
from tests.paper_network import write_paper_network


@pytest.fixture(scope="module")
def network(adlershof):
    return read_network(adlershof)


@pytest.fixture(scope="module")
def feed(network, tmp_path_factory) -> Path:
    return write_demo_feed(network, tmp_path_factory.mktemp("buses") / "buses.zip")


@pytest.fixture(scope="module")
def tables(feed):
    with zipfile.ZipFile(feed) as archive:
        return {
            name.removesuffix(".txt"): list(csv.DictReader(io.TextIOWrapper(archive.open(name), "utf-8")))
            for name in archive.namelist()
        }


@pytest.fixture(scope="module")
def calls(tables):
    """Calls by trip, in order."""
    found = {}
    for row in tables["stop_times"]:
        found.setdefault(row["trip_id"], []).append(row)
    return found


@pytest.fixture(scope="module")
def lines(network):
    return bus_lines(network, 3)


def minutes(text):
    hours, minute, seconds = text.split(":")
    assert seconds == "00"
    return 60 * int(hours) + int(minute)


def test_it_reads_without_a_notice(feed):
    found = read_feed(feed)
    assert found.notices == ()
    # Mondays to Fridays of 2026; departures 6:30 to 8:30 every 10, 12 and 15 minutes, there and back
    days = found.service_days()
    assert len(days) == 261
    assert {day.isoweekday() for day in days} == {1, 2, 3, 4, 5}
    assert {day.year for day in days} == {2026}
    assert set(days.values()) == {2 * (13 + 11 + 9)}


def test_everything_made_up_says_so(tables):
    assert tables["agency"][0]["agency_name"] == "Synthetic transit (made up)"
    assert tables["agency"][0]["agency_timezone"] == "Europe/Berlin"
    assert "Synthetic" in tables["feed_info"][0]["feed_publisher_name"]
    assert "synthetic" in tables["feed_info"][0]["feed_version"]
    assert all(row["route_long_name"].startswith("Synthetic line") for row in tables["routes"])
    assert all(row["stop_name"].startswith("Synthetic stop ") for row in tables["stops"])
    assert all(row["trip_headsign"].startswith("Synthetic stop ") for row in tables["trips"])


def test_same_bytes_every_time(network, feed, tmp_path):
    assert write_demo_feed(network, tmp_path / "again.zip").read_bytes() == feed.read_bytes()


def test_every_reference_leads_somewhere(tables):
    ids = {name: {row[key] for row in tables[name]} for name, key in (("stops", "stop_id"), ("routes", "route_id"))}
    assert {row["route_id"] for row in tables["trips"]} == ids["routes"]
    assert {row["stop_id"] for row in tables["stop_times"]} == ids["stops"]
    assert {row["shape_id"] for row in tables["trips"]} == {row["shape_id"] for row in tables["shapes"]}
    assert {row["trip_id"] for row in tables["trips"]} == {row["trip_id"] for row in tables["stop_times"]}
    assert len({row["trip_id"] for row in tables["trips"]}) == len(tables["trips"])


def test_departures_keep_their_headways(tables, calls):
    for route, headway_min in (("line-1", 10), ("line-2", 12), ("line-3", 15)):
        for direction in "01":
            trips = [row for row in tables["trips"] if (row["route_id"], row["direction_id"]) == (route, direction)]
            starts = [minutes(calls[row["trip_id"]][0]["departure_time"]) for row in trips]
            assert starts == list(range(390, 511, headway_min))


def test_times_stand_at_timepoints_alone_and_rise(calls):
    for rows in calls.values():
        last = len(rows) - 1
        timed = [number for number, row in enumerate(rows) if row["timepoint"] == "1"]
        assert timed == sorted({*range(0, last, 3), last})
        assert [number for number, row in enumerate(rows) if row["departure_time"]] == timed
        times = [minutes(rows[number]["arrival_time"]) for number in timed]
        assert all(before < after for before, after in pairwise(times))
        # a bus does 12 to 30 km/h, stops and lights included
        km = float(rows[-1]["shape_dist_traveled"]) - float(rows[0]["shape_dist_traveled"])
        assert 12 < 60 * km / (times[-1] - times[0]) < 30


def test_stops_are_some_four_hundred_metres_apart(calls):
    for rows in calls.values():
        metres = [1000 * float(row["shape_dist_traveled"]) for row in rows]
        gaps = [after - before for before, after in pairwise(metres)]
        assert min(gaps) >= 350
        assert max(gaps) <= 450
        assert metres[0] <= 150


def test_a_vehicle_serves_one_trip_after_the_other_with_a_layover(tables, calls):
    blocks = {}
    for row in tables["trips"]:
        blocks.setdefault(row["block_id"], []).append(row)
    assert max(len(trips) for trips in blocks.values()) >= 4
    for trips in blocks.values():
        ordered = sorted(trips, key=lambda row: minutes(calls[row["trip_id"]][0]["departure_time"]))
        assert len({row["route_id"] for row in ordered}) == 1
        for before, after in pairwise(ordered):
            assert before["direction_id"] != after["direction_id"]
            arrival_min = minutes(calls[before["trip_id"]][-1]["arrival_time"])
            assert minutes(calls[after["trip_id"]][0]["departure_time"]) - arrival_min >= 3


def test_lines_are_ways_that_buses_can_drive(network, lines):
    roads = router(network, "bus")
    turns = set(zip(roads.edges[roads.turn_from].tolist(), roads.edges[roads.turn_to].tolist(), strict=True))
    assert len(lines) == 3
    for line in lines:
        for way in (line.out.tolist(), line.back.tolist()):
            assert set(pairwise(way)) <= turns
            assert network.edge_length_m[way].sum() >= 2500
            junctions = network.edges.to_junction[way].tolist()
            assert len(set(junctions)) == len(junctions)
        # both begin across the street from where the other one ends, and a bus can get there
        for begin, end in ((line.back[0], line.out[-1]), (line.out[0], line.back[-1])):
            assert network.edges.names[begin] == network.edges.names[end]
            assert len(roads.paths(np.array([end]), np.array([begin]))[0]) > 0


def test_no_line_comes_back_to_where_it_was(tables, network):
    for shape in shapes_m(tables, network).values():
        along_m = np.concatenate(([0.0], np.cumsum(np.hypot(*np.diff(shape, axis=0).T))))
        at_m = np.arange(0.0, along_m[-1], 5.0)
        points = np.column_stack([np.interp(at_m, along_m, axis) for axis in shape.T])
        away_m = np.hypot(*(points[:, None] - points).transpose(2, 0, 1))
        assert away_m[np.abs(at_m[:, None] - at_m) > 300].min() > 40


def shapes_m(tables, network):
    found = {}
    for row in tables["shapes"]:
        found.setdefault(row["shape_id"], []).append((float(row["shape_pt_lon"]), float(row["shape_pt_lat"])))
    return {name: from_lonlat(network.location, points) for name, points in found.items()}


def test_shapes_lie_on_streets_for_buses_and_tell_their_length(tables, network):
    for name, shape in shapes_m(tables, network).items():
        _, away_m = nearest_edges(network, shape, 30.0, "bus")
        assert away_m.max() < 12  # lanes at the side of a wide street
        told_km = [float(row["shape_dist_traveled"]) for row in tables["shapes"] if row["shape_id"] == name]
        assert told_km == sorted(told_km)
        assert told_km[-1] == pytest.approx(np.hypot(*np.diff(shape, axis=0).T).sum() / 1000, rel=0.002)


def test_stops_stand_at_the_right_of_the_way(tables, calls, network):
    shapes = shapes_m(tables, network)
    shape_of_trip = {row["trip_id"]: row["shape_id"] for row in tables["trips"]}
    place = {row["stop_id"]: (float(row["stop_lon"]), float(row["stop_lat"])) for row in tables["stops"]}
    for shape_id in shapes:
        rows = next(rows for trip, rows in calls.items() if shape_of_trip[trip] == shape_id)
        for row, pole in zip(rows, from_lonlat(network.location, [place[row["stop_id"]] for row in rows]), strict=True):
            aside_m, along_m = beside(shapes[shape_id], pole)
            assert 3 <= aside_m <= 5, row
            assert along_m == pytest.approx(1000 * float(row["shape_dist_traveled"]), abs=6)


def beside(shape, pole):
    """Distance to the right of a line (negative to the left), and along it, of the foot nearest to a point."""
    best, passed_m = (math.inf, 0.0, 0.0), 0.0
    for begin, end in pairwise(shape):
        step = end - begin
        length_m = math.hypot(*step)
        share = min(1.0, max(0.0, float((pole - begin) @ step) / length_m**2)) if length_m else 0.0
        away = pole - (begin + share * step)
        right_m = float(away[0] * step[1] - away[1] * step[0]) / (length_m or 1.0)
        best = min(best, (math.hypot(*away), right_m, passed_m + share * length_m))
        passed_m += length_m
    return best[1], best[2]


def test_lines_that_meet_share_stops(tables, calls):
    route_of_trip = {row["trip_id"]: row["route_id"] for row in tables["trips"]}
    routes = {}
    for trip, rows in calls.items():
        for row in rows:
            routes.setdefault(row["stop_id"], set()).add(route_of_trip[trip])
    assert any(len(each) > 1 for each in routes.values())


def test_a_way_keeps_to_the_rightmost_lane_for_buses(network, lines):
    way = bus_way(network, lines[0].out)
    lanes = []
    for edge in lines[0].out.tolist():
        admitting = [lane for lane in network.lanes_of(edge) if network.lanes.permissions[lane] & CLASS_BIT["bus"]]
        lanes.append(admitting[0])
    ends = np.array([network.lane_shape_m(lane)[-1] for lane in lanes])
    np.testing.assert_allclose(way.points_m[way.edge_start[1:] - 1], ends)


def test_running_time_by_hand(tmp_path):
    # 700 m and 350 m at 10 m/s of which buses keep 7: 100 s and 50 s; no light
    network = write_paper_network(tmp_path / "net.xml", {"a": ("1", "2", 700.0), "b": ("2", "3", 350.0)}, ["a b"])
    way = bus_way(network, np.array([network.edge_index["a"], network.edge_index["b"]]))
    assert way.seconds.tolist() == pytest.approx([0, 100, 100, 150])
    assert way.running_s(np.array([0.0, way.end_m[0] / 2, way.end_m[1]])).tolist() == pytest.approx([0, 50, 150])


def test_a_network_without_room_is_refused_in_one_sentence(tmp_path):
    network = write_paper_network(tmp_path / "net.xml", {"a": ("1", "2", 90.0), "b": ("2", "3", 90.0)}, ["a b"])
    with pytest.raises(ValueError, match="room for 0 bus lines, not 3"):
        write_demo_feed(network, tmp_path / "buses.zip")
