"""Conflicts from network to tables: areas as drawn, runs at sites and everywhere, drivers who run red, SSAM's file."""

import gzip
import io
import struct
from collections import Counter
from dataclasses import replace
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from networks.faults import InputError
from networks.netxml import read_network
from scenarios.conflict_results import ALL_SITES, conflict_results
from scenarios.results import run_from_json, run_to_json
from scenarios.scenario import read_scenario
from signals.intergreen import Clearance
from sim.conflict_areas import REACHES_M, conflict_map
from sim.conflict_run import ConflictOptions, look_s, read_conflicts
from sim.conflict_samples import SampleReader, joined
from sim.conflicts import ConflictWatch, Party, site_junctions
from sim.drivers import Drivers, RedRunning, write_driver_routes
from sim.engine import run_program, sumo_home
from sim.lane_points import points_on_lanes
from sim.options import SumoOptions
from sim.run import RunSpec, simulate
from sim.track_kernels import Samples
from sim.trajectory_file import VEHICLE_RECORD, TrajectoryFile
from sim.vehicle_sizes import VehicleSize, read_sizes
from tests.conflict_oracles import point_on_lane
from tests.crossing import write_cars, write_crossing, write_scenario

CAR = VehicleSize("DEFAULT_VEHTYPE", 5.0, 1.8)


@pytest.fixture(scope="module")
def crossing(tmp_path_factory):
    folder = tmp_path_factory.mktemp("crossing")
    path = write_crossing(folder)
    write_cars(folder / "cars.rou.xml", 60, 40)
    return path


def run_spec(crossing, **changes):
    spec = RunSpec(
        variant="as shipped",
        controller="static",
        seed=1,
        network=crossing,
        routes=(crossing.parent / "cars.rou.xml",),
        begin_s=0.0,
        end_s=300.0,
        controlled=("c",),
        measured=("c",),
        conflicts=ConflictOptions(),
    )
    return replace(spec, **changes)


def test_an_area_reaches_half_the_widths_to_either_side_of_the_other_line(crossing):
    network = read_network(crossing)
    found = conflict_map(network)
    assert len(found.ways) == 2
    assert found.areas.merges.tolist() == [False]
    assert found.areas.cosine[0] == pytest.approx(0.0, abs=1e-3)
    lines = [network.lane_shape_m(way.lanes[0]) for way in found.ways]
    east, north = sorted(lines, key=lambda line: abs(line[-1][1] - line[0][1]))
    middle = np.array([north[0][0], east[0][1]])
    assert found.place_m[0] == pytest.approx(middle, abs=0.01)
    for reach_m, span in zip(REACHES_M, found.areas.span_m[0], strict=True):
        centres = [abs(middle - line[0]).max() for line in lines]
        expected = [edge for centre in centres for edge in (centre - reach_m, centre + reach_m)]
        assert span == pytest.approx(expected, abs=0.02)


def test_lanes_from_one_street_and_side_by_side_are_no_foes(data_dir):
    network = read_network(data_dir / "resco" / "cologne1" / "cologne1.net.xml.gz")
    found = conflict_map(network)
    edge = network.lanes.edge
    for one, other in found.areas.way.tolist():
        way, foe = found.ways[one], found.ways[other]
        assert way.from_lane != foe.from_lane
        assert edge[way.from_lane] != edge[foe.from_lane] or way.to_lane == foe.to_lane


def test_a_run_counts_who_drove_through_and_keeps_its_conflicts(crossing):
    run = simulate(run_spec(crossing))
    (entered,) = (row for row in run.conflicts.entered if row.junction == "c")
    hours = 300 / 3600
    assert entered.vehicles == pytest.approx(run.junctions[0].volume_veh_per_h * hours, abs=2)
    assert run_from_json(run_to_json(run)).conflicts.entered == run.conflicts.entered
    assert len(run_from_json(run_to_json(run)).conflicts.conflicts) == len(run.conflicts.conflicts)
    assert {row.junction for row in run.conflicts.conflicts} <= {"c", "e", "n"}


@pytest.mark.parametrize("piece_rows", [200, 1000])
def test_where_a_piece_ends_shows_in_no_record(crossing, tmp_path, piece_rows):
    record = tmp_path / "movements.parquet"
    options = SumoOptions(crossing, (crossing.parent / "cars.rou.xml",), 0.0, 300.0, 1, movements=record)
    run_program(options, None, 300.0)
    network = read_network(crossing)

    def found(rows):
        watch = ConflictWatch(network, conflict_map(network), site_junctions(network, None), 1.0)
        reader = SampleReader(record, network, rows)
        told = []
        for samples in reader.pieces():
            told += watch.take(samples, [Party(name, CAR) for name in reader.names])
        told += watch.finish([Party(name, CAR) for name in reader.names])
        return watch.entered, sorted((row.kind, row.first, row.second, round(row.time_s, 6)) for row in told)

    assert found(piece_rows) == found(10**6)
    assert found(10**6)[1]


def test_chosen_sites_have_the_conflicts_that_they_have_among_all(data_dir):
    place = data_dir / "resco" / "cologne8"
    network = read_network(place / "cologne8.net.xml.gz")
    signals = tuple(signal.signal_id for signal in network.signals)
    spec = RunSpec(
        *("x", "static", 1, place / "cologne8.net.xml.gz", (place / "cologne8.rou.xml.gz",)),
        *(25_200.0, 26_400.0, signals, signals),
        clearance=Clearance.AS_SHIPPED,
    )

    def found(sites, step_s=1.0):
        run = simulate(replace(spec, step_s=step_s, conflicts=ConflictOptions(sites)), network=network)
        rows = [row for row in run.conflicts.conflicts if row.kind != "following" and row.pet_s <= 5]
        return Counter((row.junction, row.first, row.second, round(row.pet_s, 4)) for row in rows)

    everywhere = found(None)
    assert found(signals[:2]) == Counter({key: count for key, count in everywhere.items() if key[0] in signals[:2]})
    assert found(None, 0.1).total() == pytest.approx(everywhere.total(), rel=0.1)


def test_people_on_crossings_meet_cars(tmp_path):
    home = sumo_home() / "tools" / "game" / "fokr_bs_demo"
    record = tmp_path / "movements.parquet"
    options = SumoOptions(
        home / "fokr_bs.net.xml.gz",
        (home / "15_16_veh.trips.xml.gz", home / "15_16_ped.trips.xml"),
        *(54_000.0, 54_600.0, 1),
        additional=(home / "vtypes_default.add.xml", home / "signalPlan.add.xml"),
        movements=record,
    )
    run_program(options, None, 600.0)
    network = read_network(home / "fokr_bs.net.xml.gz")
    found = read_conflicts(record, network, ConflictOptions(), 1.0, [home / "vtypes_default.add.xml"], {})
    met = [row for row in found.conflicts if "DEFAULT_PEDTYPE" in {row.first_type, row.second_type}]
    assert met
    assert {row.kind for row in met} == {"crossing"}
    for row in met:
        walked = row.first_link if row.first_type == "DEFAULT_PEDTYPE" else row.second_link
        assert "_c" in walked
        # people walk, cars may drive
        assert (row.first_mps if row.first_type == "DEFAULT_PEDTYPE" else row.second_mps) < 3


def test_looks_are_whole_steps():
    assert [look_s(step_s) for step_s in (1.0, 0.5, 0.1, 0.2)] == [1.0, 0.5, 0.5, pytest.approx(0.4)]


def test_accelerations_are_changes_of_speed_from_one_sample_to_the_next(crossing):
    network = read_network(crossing)
    lane = network.lane_index["wc_0"]
    speeds = [5.0, 7.0, 6.0, 6.0]

    def piece(times, found):
        count = len(times)
        return Samples(
            np.zeros(count, dtype=np.int64), np.array(times), np.full(count, lane), np.array(times) * 5, np.array(found)
        )

    stream = io.BytesIO()
    file = TrajectoryFile(stream, network)
    file.take(piece([1.0, 1.5], speeds[:2]), [Party("w0", CAR)])
    file.take(piece([2.0, 2.5], speeds[2:]), [Party("w0", CAR)])
    data = stream.getvalue()
    assert struct.unpack_from("<Bcf", data) == (0, b"L", pytest.approx(1.04))
    assert struct.unpack_from("<Bbf", data, 6) == (1, 1, 1.0)
    body = data[6 + 22 :]
    size = 5 + VEHICLE_RECORD.itemsize
    assert len(body) == 4 * size
    rows = [np.frombuffer(body[at * size + 5 : (at + 1) * size], VEHICLE_RECORD)[0] for at in range(4)]
    assert [struct.unpack_from("<Bf", body, at * size)[1] for at in range(4)] == [1.0, 1.5, 2.0, 2.5]
    assert [row["speed"] for row in rows] == speeds
    # no speed is known before the first; then +2 m/s and -1 m/s in half a second each, and none
    assert [row["acceleration"] for row in rows] == [0.0, 4.0, -2.0, 0.0]
    begin = network.lane_shape_m(lane)[0]
    assert [row["front_x"] for row in rows] == pytest.approx([begin[0] + 5 * t for t in (1.0, 1.5, 2.0, 2.5)], rel=1e-3)
    assert rows[0]["front_x"] - rows[0]["rear_x"] == pytest.approx(5.0, abs=1e-3)


ROUTES = """<routes>
  <vType id="car" length="4.3"><param key="a" value="b"/></vType>
  <vType id="walker" vClass="pedestrian"/>
  <vehicle id="one" type="car" depart="0"><route edges="wc ce"/></vehicle>
  <vehicle id="two" depart="1"><route edges="wc ce"/></vehicle>
</routes>"""


def test_a_share_of_drivers_runs_red_and_routes_stay(tmp_path):
    (tmp_path / "a.rou.xml").write_text(ROUTES)
    drivers = Drivers(sigma=0.3, red_running=RedRunning(share=0.25, after_red_s=2.0))
    write_driver_routes(tmp_path / "a.rou.xml", tmp_path / "b.rou.xml.gz", drivers)
    root = ET.fromstring(gzip.decompress((tmp_path / "b.rou.xml.gz").read_bytes()))
    shares = {row.get("id"): float(row.get("probability")) for row in root.iter("vType") if row.get("probability")}
    assert shares == {"car.steady": 0.75, "car.hasty": 0.25, "driver.steady": 0.75, "driver.hasty": 0.25}
    hasty = next(row for row in root.iter("vType") if row.get("id") == "car.hasty")
    assert (hasty.get("jmDriveAfterRedTime"), hasty.get("sigma"), hasty.get("length")) == ("2", "0.3", "4.3")
    assert hasty.find("param").get("key") == "a"
    assert [row.get("type") for row in root.iter("vehicle")] == ["car", "driver"]
    assert [row.find("route").get("edges") for row in root.iter("vehicle")] == ["wc ce", "wc ce"]
    assert read_sizes([tmp_path / "b.rou.xml.gz"])["car.hasty"] == VehicleSize("car.hasty", 4.3, 1.8)


def test_drivers_who_run_red_collide_where_others_do_not(crossing):
    routes = crossing.parent / "red.rou.xml"
    write_driver_routes(crossing.parent / "cars.rou.xml", routes, Drivers(red_running=RedRunning(1.0, 4.0, 5.0)))
    calm, hasty = simulate(run_spec(crossing)), simulate(run_spec(crossing, routes=(routes,)))
    serious = [sum(row.pet_s <= 2 for row in run.conflicts.conflicts) for run in (calm, hasty)]
    assert calm.measures.collisions == 0
    assert serious[0] < serious[1]


def test_rates_are_per_thousand_vehicles_and_compared_within_seeds(crossing, tmp_path):
    base = simulate(run_spec(crossing))
    runs = []
    for variant, seed, times in (("a", 1, 1), ("a", 2, 1), ("b", 1, 2), ("b", 2, 3)):
        rows = tuple(row for row in base.conflicts.conflicts if row.kind == "following")[:1] * times
        kept = replace(base.conflicts, conflicts=tuple(replace(row, junction="c") for row in rows))
        runs.append(replace(base, measures=replace(base.measures, variant=variant, seed=seed), conflicts=kept))
    found = conflict_results(runs, ("a", "b"), tmp_path)
    entered = {row.junction: row.vehicles for row in base.conflicts.entered}
    rates = {(row.variant, row.seed): row for row in found.rates if (row.junction, row.kind) == ("c", "following")}
    assert rates["b", 2].rate_per_1000 == pytest.approx(3000 / entered["c"])
    (row,) = (
        row
        for row in found.comparisons
        if (row.junction, row.kind, row.variant, row.measure) == ("c", "following", "b", "rate_per_1000")
    )
    assert row.relative_risk == pytest.approx(2.5)
    assert row.difference == pytest.approx(1500 / entered["c"])
    assert row.indicative
    assert any(row.junction == ALL_SITES for row in found.comparisons)
    assert (tmp_path / "conflicts.parquet").exists()


def test_a_scenario_asks_for_conflicts_and_drivers(tmp_path):
    path = write_scenario(tmp_path)
    path.write_text(path.read_text() + '[conflicts]\nsites = ["c"]\nmeasures = ["pet"]\n[drivers]\nsigma = 0.2\n')
    scenario = read_scenario(path)
    assert (scenario.conflicts.sites, scenario.conflicts.measures) == (("c",), ("pet",))
    assert scenario.drivers == Drivers(sigma=0.2)
    path.write_text(path.read_text().replace('["c"]', '"hotspots"').replace('["pet"]', '["luck"]'))
    with pytest.raises(InputError) as fault:
        read_scenario(path)
    assert "conflicts.sites" in str(fault.value)
    assert "conflicts.measures" in str(fault.value)


def test_nothing_recorded_is_nobody():
    assert len(joined([]).vehicle) == 0


def test_points_on_lanes_are_those_of_the_plain_twin(data_dir):
    network = read_network(data_dir / "resco" / "cologne1" / "cologne1.net.xml.gz")
    lanes = network.lanes
    chance = np.random.default_rng(1)
    lane = chance.integers(0, len(lanes), 300)
    at_m = chance.random(300) * lanes.length_m[lane]
    found = points_on_lanes(lane, at_m, lanes.shape_start, lanes.shape_m, lanes.length_m)
    twins = [point_on_lane(network, int(row), float(at)) for row, at in zip(lane, at_m, strict=True)]
    np.testing.assert_allclose(found[:, :2], twins, atol=1e-6)
    np.testing.assert_allclose(np.hypot(found[:, 2], found[:, 3]), 1.0)
    nobody = points_on_lanes(lane[:0], at_m[:0], lanes.shape_start, lanes.shape_m, lanes.length_m)
    assert nobody.shape == (0, 4)
    assert np.isnan(
        points_on_lanes(lane[:1], np.array([np.nan]), lanes.shape_start, lanes.shape_m, lanes.length_m)[0, 0]
    )


def test_a_run_keeps_its_trajectories_where_asked(crossing, tmp_path):
    simulate(run_spec(crossing, conflicts=ConflictOptions(trajectories=tmp_path)))
    (path,) = tmp_path.iterdir()
    assert path.name == "as-shipped-1.trj"
    data = path.read_bytes()[28:]
    place, times, vehicles = 0, 0, 0
    while place < len(data):
        kind = data[place]
        place += 5 if kind == 2 else VEHICLE_RECORD.itemsize
        times, vehicles = times + (kind == 2), vehicles + (kind == 3)
    assert place == len(data)
    assert 250 < times <= 301
    assert vehicles > times
