"""One bus on a straight street, all the way from a feed as text to its samples, held to the formula on paper."""

import shutil
import subprocess
import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from gtfs.feed import read_feed
from networks.netxml import read_network
from scenarios.results import run_file, run_from_json, run_to_json
from sim.engine import Api, sumo_home
from sim.run import Run, RunSpec, simulate
from sim.transit import TransitOptions, import_transit
from sim.transit_output import write_transit
from sim.transit_plan import TransitPlan, read_plan
from tests.small_feed import packed

NODES = 6
SEVEN = 25200.0
SCHEDULED_S = np.array([0.0, 60.0, 120.0, 240.0]) + SEVEN
"""At the four stops; a bus takes 40 s from one to the next and stands there for 15 s, so that it waits at the third."""

FEED = {
    "agency.txt": "agency_id,agency_name,agency_url,agency_timezone\nA,Buses,https://example.org,Asia/Almaty\n",
    "routes.txt": "route_id,agency_id,route_short_name,route_type\n12,A,12,3\n",
    "trips.txt": "route_id,service_id,trip_id,direction_id\n12,week,t1,0\n",
    "calendar.txt": (
        "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date\n"
        "week,1,1,1,1,1,1,1,20260302,20260310\n"
    ),
    "stops.txt": "stop_id,stop_name,stop_lat,stop_lon\n"
    + "".join(f"s{k},Stop {k},43.24995,{76.9425 + 0.005 * k + 0.001 * (k == 3):.4f}\n" for k in range(4)),
    "stop_times.txt": (
        "trip_id,arrival_time,departure_time,stop_id,stop_sequence,timepoint\n"
        "t1,07:00:00,07:00:00,s0,1,1\n"
        "t1,07:01:00,07:01:00,s1,2,0\n"
        "t1,07:02:00,07:02:00,s2,3,1\n"
        "t1,07:04:00,07:04:00,s3,4,1\n"
    ),
}


def street(folder: Path) -> Path:
    """Five edges of some 400 m from west to east along a parallel, a junction between each two."""
    nodes = "".join(f'<node id="n{k}" x="{76.94 + 0.005 * k:.4f}" y="43.25"/>' for k in range(NODES))
    edges = "".join(f'<edge id="e{k}" from="n{k}" to="n{k + 1}" numLanes="1" speed="13.89"/>' for k in range(NODES - 1))
    (folder / "street.nod.xml").write_text(f"<nodes>{nodes}</nodes>")
    (folder / "street.edg.xml").write_text(f"<edges>{edges}</edges>")
    path = folder / "street.net.xml"
    command = [sumo_home() / "bin" / "netconvert", "-n", folder / "street.nod.xml", "-e", folder / "street.edg.xml"]
    command += ["-o", path, "--proj.utm", "true", "--no-turnarounds", "true"]
    subprocess.run(command, check=True, capture_output=True, env={"SUMO_HOME": str(sumo_home())})
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("exact")
    path = street(folder)
    network = read_network(path)
    options = TransitOptions(date(2026, 3, 4), calibrated=False)
    transit = import_transit(read_feed(packed(folder / "gtfs.zip", FEED)), network, path, options)
    write_transit(transit, network, folder)
    (folder / "none.rou.xml").write_text("<routes/>")
    return folder


def spec(folder: Path, end_s: float = SEVEN + 900) -> RunSpec:
    return RunSpec(
        variant="static",
        controller="static",
        seed=1,
        network=folder / "street.net.xml",
        routes=(folder / "none.rou.xml",),
        begin_s=SEVEN - 60,
        end_s=end_s,
        controlled=(),
        measured=("n1",),
        transit=folder,
    )


@pytest.fixture(scope="module")
def plan(folder) -> TransitPlan:
    return read_plan(folder)


@pytest.fixture(scope="module")
def run(folder) -> Run:
    return simulate(spec(folder))


def test_the_plan_has_the_feeds_calls(plan):
    assert plan.calls.stop_ids == ("s0", "s1", "s2", "s3")
    assert plan.calls.departure_s.tolist() == SCHEDULED_S.tolist()


def test_a_bus_leaves_timepoints_at_the_scheduled_second(run):
    arrival_s, departure_s = run.transit.arrival_s, run.transit.departure_s
    assert departure_s[0] == SCHEDULED_S[0]
    assert departure_s[2] == SCHEDULED_S[2]
    assert arrival_s[2] < SCHEDULED_S[2]  # it had to wait
    assert departure_s[1] < SCHEDULED_S[1]  # nobody waits where no time is promised
    assert arrival_s[3] < SCHEDULED_S[3]
    assert run.transit.due.all()


def test_between_stops_deviation_is_the_formula_on_paper(folder, plan, run, tmp_path):
    """Now less the time at which a bus that drives evenly from departure to arrival would be at the same place."""
    seen = dict(positions_m(folder, tmp_path / "fcd.xml"))
    stops_m = stop_ways_m(folder)
    compared = 0
    for time_s, found_s in zip(run.transit.sample_time_s, run.transit.sample_deviation_s, strict=True):
        if time_s not in seen:  # inside a junction
            continue
        way_m = seen[time_s] - seen[SEVEN - 5]  # it stands at its first stop then
        if np.abs(stops_m - way_m).min() <= 1.5 or not 0 < way_m < stops_m[-1]:
            continue
        behind = int(np.flatnonzero(stops_m < way_m)[-1])
        share = (way_m - stops_m[behind]) / (stops_m[behind + 1] - stops_m[behind])
        due_s = SCHEDULED_S[behind] + (SCHEDULED_S[behind + 1] - SCHEDULED_S[behind]) * share
        assert found_s == pytest.approx(time_s - due_s, abs=1e-4)  # SUMO records in single precision
        compared += 1
    assert compared > 8
    np.testing.assert_allclose(plan.calls.way_m, stops_m, atol=1e-9)


def positions_m(folder: Path, out: Path):
    """Where SUMO itself has the bus, by its edge and position: lengths of edges added up, the junctions are points."""
    command = [sumo_home() / "bin" / "sumo", "-n", folder / "street.net.xml", "-r", folder / "transit.rou.xml"]
    command += ["-a", folder / "stops.add.xml", "--begin", SEVEN - 60, "--seed", 1]
    command += ["--fcd-output", out, "--precision", 9]
    subprocess.run([str(word) for word in command], check=True, capture_output=True)
    begins_m = edge_begins_m(folder)
    for step in ET.parse(out).iter("timestep"):
        for vehicle in step.iter("vehicle"):
            edge = vehicle.get("lane").rpartition("_")[0]
            if edge in begins_m:
                yield float(step.get("time")), begins_m[edge] + float(vehicle.get("pos"))


def edge_begins_m(folder: Path) -> dict[str, float]:
    lanes = ET.parse(folder / "street.net.xml").iter("lane")
    length_m = {lane.get("id"): float(lane.get("length")) for lane in lanes}
    begins_m, at_m = {}, 0.0
    for k in range(NODES - 1):
        begins_m[f"e{k}"] = at_m
        at_m += length_m[f"e{k}_0"]
    return begins_m


def stop_ways_m(folder: Path) -> np.ndarray:
    begins_m = edge_begins_m(folder)
    stops = ET.parse(folder / "stops.add.xml").iter("busStop")
    ends = {stop.get("id"): begins_m[stop.get("lane")[:-2]] + float(stop.get("endPos")) for stop in stops}
    ways_m = np.array([ends[f"s{k}"] for k in range(4)])
    return ways_m - ways_m[0]


def test_both_feeds_of_positions_give_the_same_samples(folder, run):
    other = simulate(spec(folder), api=Api.LIBSUMO).transit
    for name in run.transit.__slots__:
        np.testing.assert_array_equal(getattr(other, name), getattr(run.transit, name), err_msg=name)


def test_a_bus_is_no_car_and_what_lies_beyond_the_end_is_not_due(folder):
    short = simulate(spec(folder, end_s=SEVEN + 100))
    assert short.measures.scheduled == 0
    assert short.transit.due.tolist() == [True, True, False, False]
    assert np.isfinite(short.transit.departure_s).tolist() == [True, True, False, False]
    assert short.transit.sample_time_s.max() < SEVEN + 100


def test_a_bus_that_waits_at_the_end_of_the_run_has_arrived(folder):
    short = simulate(spec(folder, end_s=SEVEN + 110)).transit
    assert np.isfinite(short.arrival_s).tolist() == [True, True, True, False]
    assert np.isfinite(short.departure_s).tolist() == [True, True, False, False]


def test_a_run_survives_its_file_to_the_last_bit(run):
    again = run_from_json(run_to_json(run)).transit
    for name in run.transit.__slots__:
        before, after = np.asarray(getattr(run.transit, name)), np.asarray(getattr(again, name))
        assert (before.dtype, before.tobytes()) == (after.dtype, after.tobytes())


def test_a_run_is_another_one_when_its_timetable_changes_but_not_when_that_is_moved(folder, tmp_path):
    one = spec(folder)
    moved = replace(one, transit=Path(shutil.copytree(folder, tmp_path / "elsewhere")))
    assert run_file(tmp_path, moved) == run_file(tmp_path, one)
    vehicles = tmp_path / "elsewhere" / "transit.rou.xml"
    vehicles.write_text(vehicles.read_text().replace('duration="15"', 'duration="16"'))
    assert run_file(tmp_path, moved) != run_file(tmp_path, one)
