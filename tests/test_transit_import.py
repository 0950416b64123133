"""A timetable on streets: where buses drive and stop, what SUMO makes of the files, and what is told of the rest."""

import csv
import json
import subprocess
import xml.etree.ElementTree as ET
from datetime import date
from pathlib import Path

import pytest

from gtfs.feed import read_feed
from networks.build import build_network
from networks.netxml import read_network
from scenarios.cli import bagdar
from scenarios.demo.buses import write_demo_feed
from scenarios.transit_import import import_to_folder
from sim.engine import sumo_home
from sim.transit import TransitOptions
from sim.transit_plan import read_plan

DAY = date(2026, 5, 13)
FILES = {
    "stops.add.xml", "transit.rou.xml", "import.json", "patterns.csv", "stops.csv", "notices.csv",
    "transit_calls.parquet", "transit_ways.parquet", "routes.png",
}  # fmt: skip


@pytest.fixture(scope="module")
def feed(adlershof, tmp_path_factory) -> Path:
    return write_demo_feed(read_network(adlershof), tmp_path_factory.mktemp("feed") / "gtfs.zip")


def imported(adlershof: Path, feed: Path, folder: Path, **options) -> Path:
    import_to_folder(read_network(adlershof), adlershof, feed, TransitOptions(DAY, **options), folder)
    return folder


@pytest.fixture(scope="module")
def folder(adlershof, feed, tmp_path_factory) -> Path:
    return imported(adlershof, feed, tmp_path_factory.mktemp("transit"))


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def test_every_call_of_the_feed_is_driven_and_nobody_gets_stuck(folder, feed):
    totals = json.loads((folder / "import.json").read_text())
    gtfs = read_feed(feed).gtfs
    assert totals["calls"] == totals["calls_reachable"] == totals["calls_driven"] == len(gtfs.stop_times)
    assert totals["trips"] == totals["trips_driven"] == len(gtfs.trips)
    assert totals["stops_placed"] == len(gtfs.stops)
    assert (totals["vehicles_stuck"], totals["stops_missed"], totals["trips_clipped"]) == (0, 0, 0)
    assert totals["on_shape_share"] > 0.99


def test_importing_twice_gives_the_same_bytes(adlershof, feed, folder, tmp_path):
    again = imported(adlershof, feed, tmp_path)
    found = {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert {path.name for path in found} == FILES
    assert found == {path.relative_to(again): path.read_bytes() for path in again.rglob("*") if path.is_file()}


def test_sumo_runs_the_files_as_they_are_and_every_id_leads_back_to_the_feed(adlershof, folder, feed, tmp_path):
    out = tmp_path / "stops.xml"
    command = [sumo_home() / "bin" / "sumo", "-n", adlershof, "-a", folder / "stops.add.xml"]
    command += ["-r", folder / "transit.rou.xml", "--stop-output", out, "--no-step-log", "--xml-validation", "never"]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=True)
    assert "Teleporting" not in done.stderr
    assert "skips stop" not in done.stderr
    stop_of = {
        stop.get("id"): stop.find("param").get("value") for stop in ET.parse(folder / "stops.add.xml").iter("busStop")
    }
    served = {
        (row.get("tripId"), stop_of[row.get("busStop")]) for row in ET.parse(out).iter("stopinfo") if row.get("busStop")
    }
    gtfs = read_feed(feed).gtfs
    assert served == set(zip(gtfs.stop_times["trip_id"], gtfs.stop_times["stop_id"], strict=True))


def test_a_block_is_served_by_one_vehicle_where_its_trips_join(folder, feed):
    plan = read_plan(folder)
    trips = read_feed(feed).gtfs.trips
    block_of = dict(zip(trips["trip_id"], trips["block_id"], strict=True))
    blocks = [{block_of[plan.legs.trip_ids[leg]] for leg in range(len(plan.legs)) if plan.legs.vehicle[leg] == vehicle}
              for vehicle in range(len(plan.vehicle_ids))]  # fmt: skip
    assert all(len(found) == 1 for found in blocks)
    assert len(plan.vehicle_ids) < len(trips) / 2


def test_buses_leave_first_stops_and_timepoints_not_before_the_timetable_and_wait_nowhere_else(folder):
    plan = read_plan(folder)
    waits = [
        ("until" in stop.attrib, float(stop.get("until", "nan")))
        for vehicle in ET.parse(folder / "transit.rou.xml").iter("vehicle")
        for stop in vehicle.iter("stop")
        if stop.get("busStop")
    ]
    first, last = set(plan.legs.call_start[:-1].tolist()), set((plan.legs.call_start[1:] - 1).tolist())
    for call, (has_until, until_s) in enumerate(waits):
        wanted = call in first or (bool(plan.calls.timepoint[call]) and call not in last)
        assert has_until == wanted
        assert not wanted or until_s == plan.calls.departure_s[call]


def test_a_span_of_time_takes_the_calls_after_its_begin(adlershof, feed, tmp_path):
    plan = read_plan(imported(adlershof, feed, tmp_path, begin_s=7 * 3600.0, end_s=7.25 * 3600.0))
    assert plan.calls.departure_s.min() >= 7 * 3600
    first = plan.calls.departure_s[plan.legs.call_start[:-1]]
    assert first.max() < 7.25 * 3600
    assert not plan.calls.is_origin[plan.legs.call_start[:-1]].all()  # some were under way and enter later


def test_ridership_makes_the_dwell(adlershof, feed, tmp_path, folder):
    stop = rows(folder / "stops.csv")[3]["stop_id"]
    busy = imported(adlershof, feed, tmp_path, ridership={("", stop): 10.0}, calibrated=False)
    names = {row["bus_stop"] for row in rows(busy / "stops.csv") if row["stop_id"] == stop}
    durations = {
        row.get("duration") for row in ET.parse(busy / "transit.rou.xml").iter("stop") if row.get("busStop") in names
    }
    assert durations <= {"32", "1"}  # doors 4 s, ten passengers 2.75 s each; 1 s where a trip goes on at once
    assert "32" in durations


def test_the_command_says_what_it_wrote_and_refuses_days_without_service(adlershof, feed, tmp_path):
    words = ["transit", "import", str(feed), "--network", str(adlershof), "-o", str(tmp_path / "out")]
    with pytest.raises(Exception, match="GTFS_DATE") as caught:
        bagdar.main([*words, "--date", "2026-05-17"], standalone_mode=False)
    assert "2026-05-15" in str(caught.value)  # the nearest day with service: the Friday before
    with pytest.raises(Exception, match="CONFIG_VALUE"):
        bagdar.main([*words, "--date", "2026-05-13", "--modes", "bus,zeppelin"], standalone_mode=False)
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_seven_real_routes_on_real_streets(data_dir, tmp_path):
    """Figures of the peer on the same day and routes: 395 of 482 trips with every call, 82.6 % on shape, 130 stuck."""
    network = tmp_path / "net.net.xml.gz"
    build_network(data_dir / "northern_kentucky" / "streets.osm.pbf", network)
    totals = import_to_folder(
        read_network(network), network, data_dir / "northern_kentucky" / "gtfs-7-routes.zip",
        TransitOptions(date(2019, 11, 6)), tmp_path / "out",
    )  # fmt: skip
    assert totals.stops_placed_share >= 0.98
    assert totals.calls_driven >= 0.999 * totals.calls_reachable
    assert totals.on_shape_share >= 0.97
    assert (totals.vehicles_stuck, totals.stops_missed) == (0, 0)
    reasons = {row["reason"] for row in rows(tmp_path / "out" / "patterns.csv") if float(row["kept_share"] or 1) < 0.85}
    assert "" not in reasons
