"""Demand as SUMO gets it: taken by SUMO's own programs, repeatable to the byte, and shaped as a city's traffic is."""

import gzip
import subprocess
from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import sumo

from networks.faults import InputError
from networks.graph import router
from networks.network import RoadNetwork
from networks.netxml import read_network
from sim.demand import DemandKind, demand_from_routes, synthetic_demand
from sim.road_classes import ROAD_CLASSES, road_class
from sim.synthetic import random_departures_s, synthetic_trips
from tests.paper_network import write_paper_network

BIN = Path(sumo.SUMO_HOME) / "bin"
QUIET = ["--xml-validation", "never", "--no-step-log"]


@pytest.fixture(scope="module")
def city(adlershof) -> RoadNetwork:
    return read_network(adlershof)


@pytest.fixture(scope="module")
def trips(city):
    return synthetic_trips(city, 6000, 25200, 28800, seed=1)


def _run(*command: object) -> str:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    return said


def _text(path: Path) -> str:
    return gzip.decompress(path.read_bytes()).decode()


def test_synthetic_traffic_is_labelled_counted_and_described(city, tmp_path):
    demand = synthetic_demand(city, 1000, 25200, 27000, 7, tmp_path / "made.rou.xml.gz")
    assert (demand.kind, demand.is_synthetic) == (DemandKind.SYNTHETIC, True)
    assert demand.route_files == (tmp_path / "made.rou.xml.gz",)
    assert demand.scheduled(25200, 27000) == 500
    assert demand.scheduled(25200, 26100) + demand.scheduled(26100, 27000) == 500
    assert "ynthetic" in demand.description
    assert "SYNTHETIC" in _text(demand.route_files[0]).splitlines()[1]


def test_same_seed_same_bytes_and_another_seed_other_traffic(city, tmp_path):
    for name, seed in (("one", 1), ("again", 1), ("other", 2)):
        synthetic_demand(city, 500, 0, 3600, seed, tmp_path / f"{name}.rou.xml.gz")
    one, again, other = ((tmp_path / f"{name}.rou.xml.gz").read_bytes() for name in ("one", "again", "other"))
    assert one == again
    assert one != other


def test_duarouter_and_sumo_take_every_synthetic_car(city, adlershof, tmp_path):
    made = synthetic_demand(city, 1200, 0, 1800, 3, tmp_path / "made.rou.xml.gz").route_files[0]
    said = _run(BIN / "duarouter", "-n", adlershof, "-r", made, "-o", tmp_path / "checked.rou.xml", *QUIET)
    assert "Warning" not in said
    assert "Error" not in said
    assert (tmp_path / "checked.rou.xml").read_text().count("<vehicle ") == 600
    out = tmp_path / "trips.xml"
    said = _run(
        BIN / "sumo", "-n", adlershof, "-r", made, "-e", 2400, "--tripinfo-output", out,
        "--tripinfo-output.write-unfinished", *QUIET,
    )  # fmt: skip
    assert "Error" not in said
    assert out.read_text().count("<tripinfo ") == 600


@pytest.mark.parametrize("name", ["cologne1", "cologne8", "ingolstadt1", "ingolstadt7"])
def test_synthetic_traffic_on_any_map(data_dir, tmp_path, name):
    """Cut-outs of one junction have no way round: no edge can be reached from those that it reaches."""
    net = data_dir / "resco" / name / f"{name}.net.xml.gz"
    made = synthetic_demand(read_network(net), 300, 0, 3600, 1, tmp_path / "made.rou.xml.gz").route_files[0]
    _run(BIN / "duarouter", "-n", net, "-r", made, "-o", tmp_path / "checked.rou.xml", *QUIET)
    assert (tmp_path / "checked.rou.xml").read_text().count("<vehicle ") == 300


def test_routes_follow_turns_and_pass_no_street_twice(city, trips):
    turns = set(zip(city.connection_from_edge.tolist(), city.connection_to_edge.tolist(), strict=True))
    for route in trips.routes:
        assert all(step in turns for step in pairwise(route.tolist()))
        assert len(np.unique(route)) == len(route)


def test_through_roads_carry_what_their_class_says(city, trips):
    """Cars that enter on one border lane of a primary road against one of an unclassified road: 450 to 50 an hour."""
    roads = router(city)
    entered = set(roads.edges.tolist()) - {roads.edges[node] for node in roads.turn_to.tolist()}
    starts = Counter(route[0] for route in trips.routes)
    per_lane: dict[str, list[float]] = {"highway.primary": [], "highway.unclassified": []}
    for row in entered:
        if city.edges.type_ids[row] in per_lane and roads.connected_part()[row]:
            per_lane[city.edges.type_ids[row]].append(starts[row] / len(city.lanes_of(row)))
    means = {kind: np.mean(found) for kind, found in per_lane.items()}
    assert all(per_lane.values())
    assert means["highway.primary"] / means["highway.unclassified"] == pytest.approx(9, rel=0.2)


def test_nobody_drives_where_he_could_walk(city, trips):
    places = np.column_stack((city.junctions.x_m, city.junctions.y_m))
    begins = places[city.edges.from_junction[[route[0] for route in trips.routes]]]
    ends = places[city.edges.to_junction[[route[-1] for route in trips.routes]]]
    assert np.hypot(*(begins - ends).T).min() >= 500


def test_drivers_between_the_same_ends_take_several_routes(trips):
    routes: dict[tuple[int, int], set[bytes]] = {}
    for route in trips.routes:
        routes.setdefault((route[0], route[-1]), set()).add(route.tobytes())
    assert max(len(found) for found in routes.values()) >= 3


def test_longer_trips_are_rarer_on_equal_streets(tmp_path):
    """A long road with a like exit every 60 s: each further exit is taken less, by e^(-60/300)."""
    streets = {"in": ("n00", "n01", 600.0)}
    for number in range(1, 13):
        streets[f"m{number}"] = (f"n{number:02d}", f"n{number + 1:02d}", 600.0)
        streets[f"x{number}"] = (f"n{number:02d}", f"e{number:02d}", 600.0)
    ways = ["in m1", "in x1"] + [f"m{number} {way}{number + 1}" for number in range(1, 12) for way in "mx"]
    network = write_paper_network(tmp_path / "road.net.xml", streets, ways)
    ends = Counter(network.edges.ids[route[-1]] for route in synthetic_trips(network, 40000, 0, 3600, 1).routes)
    exits = np.array([ends[f"x{number}"] for number in range(2, 11)], dtype=float)
    from_the_border = exits[1:] / exits[:-1]
    assert from_the_border.mean() == pytest.approx(np.exp(-0.2), abs=0.1)


def test_departures_peak_mildly_in_the_middle():
    rng = np.random.default_rng(1)
    departures_s = random_departures_s(200_000, 25200, 28800, rng)
    assert departures_s.min() >= 25200
    assert departures_s.max() < 28800
    thirds, _ = np.histogram(departures_s, bins=3, range=(25200, 28800))
    assert thirds[1] / thirds[0] == pytest.approx(thirds[1] / thirds[2], rel=0.02)
    assert 1.05 < thirds[1] / thirds[0] < 1.25


def test_departures_come_as_a_poisson_stream_does():
    """Counts per minute scatter as much as they are large: variance over mean near 1, far from an even stream's 0."""
    rng = np.random.default_rng(5)
    departures_s = random_departures_s(36_000, 0, 36_000, rng)
    per_minute, _ = np.histogram(departures_s, bins=600, range=(0, 36_000))
    smooth = np.convolve(per_minute, np.ones(60) / 60, mode="same")[60:-60]
    assert np.mean((per_minute[60:-60] - smooth) ** 2) / smooth.mean() == pytest.approx(1, abs=0.2)


@pytest.mark.parametrize(
    ("type_id", "speed_mps", "name"),
    [
        ("highway.primary", 13.9, "primary"),
        ("highway.secondary_link", 13.9, "secondary"),
        ("highway.tertiary|railway.tram", 13.9, "tertiary"),
        ("railway.tram|highway.residential", 13.9, "residential"),
        ("highway.footway", 1.4, "track"),
        ("", 13.89, "tertiary"),
        ("", 8.33, "residential"),
        ("mine", 27.78, "motorway"),
    ],
)
def test_road_class_by_type_else_by_speed(type_id, speed_mps, name):
    assert road_class(type_id, speed_mps) == ROAD_CLASSES[name]


@pytest.mark.parametrize(("volume", "end_s"), [(0, 3600), (-5, 3600), (100, 3)])
def test_no_car_at_all_is_refused(city, tmp_path, volume, end_s):
    with pytest.raises(InputError, match=r"CONFIG_VALUE.*vehicles_per_hour"):
        synthetic_demand(city, volume, 0, end_s, 1, tmp_path / "made.rou.xml.gz")
    assert list(tmp_path.iterdir()) == []


def test_network_without_ways_is_refused(tmp_path):
    network = write_paper_network(tmp_path / "x.net.xml", {"a": ("A", "B", 5)}, [])
    with pytest.raises(InputError, match="DEMAND_NO_ROUTE"):
        synthetic_trips(network, 100, 0, 3600, 1)


def test_given_route_files_become_demand(data_dir):
    folder = data_dir / "resco" / "ingolstadt7"
    network = read_network(folder / "ingolstadt7.net.xml.gz")
    demand = demand_from_routes([folder / "ingolstadt7.rou.xml.gz"], network)
    assert (demand.kind, demand.is_synthetic) == (DemandKind.ROUTES, False)
    assert demand.scheduled(57600, 61200) == 3031
    assert "ingolstadt7.rou.xml.gz" in demand.description


def test_route_files_without_vehicles_are_no_demand(city, tmp_path):
    path = tmp_path / "types.rou.xml"
    path.write_text('<routes><vType id="car"/></routes>')
    with pytest.raises(InputError, match=r"ROUTE_EMPTY.*types\.rou\.xml"):
        demand_from_routes([path], city)


def test_failing_disk_leaves_no_route_file(city, tmp_path, monkeypatch):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("networks.outfile._sync", full)
    with pytest.raises(RuntimeError, match="WRITE_FAILED"):
        synthetic_demand(city, 100, 0, 3600, 1, tmp_path / "made.rou.xml.gz")
    assert list(tmp_path.iterdir()) == []


def test_odd_names_stay_well_formed(tmp_path):
    """Street ids and notes may hold letters that mean something to XML."""
    streets = {"a&b<c": ("A", "B", 600.0), "next": ("B", "C", 600.0)}
    escaped = {name.replace("&", "&amp;").replace("<", "&lt;"): ends for name, ends in streets.items()}
    network = write_paper_network(tmp_path / "x.net.xml", escaped, ["a&amp;b&lt;c next"])
    demand = synthetic_demand(network, 10, 0, 3600, 1, tmp_path / "made--it.rou.xml")
    assert [network.edges.ids[row] for row in demand.files[0].edges] == list(streets)
