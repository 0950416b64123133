"""The built-in city: labelled as made up, the same every time, believable, and fit to drive in."""

import csv
import hashlib
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
import sumo
from scipy.stats import nbinom

from gtfs.feed import read_feed
from gtfs.service_day import parse_day, require_service
from networks.crashes import read_crashes
from networks.network import RoadNetwork
from networks.netxml import read_network
from networks.sites import Site, find_sites
from scenarios.demo import write_demo_city
from scenarios.demo.crashes import SAFETY_FUNCTIONS, expected_per_year, made_up_crashes, negative_binomial
from scenarios.scenario import read_scenario
from sim.demand import synthetic_demand
from tests.paper_network import write_paper_network


@pytest.fixture(scope="module")
def scenario_file(tmp_path_factory) -> Path:
    return write_demo_city(tmp_path_factory.mktemp("demo") / "city")


@pytest.fixture(scope="module")
def network(scenario_file) -> RoadNetwork:
    return read_network(read_scenario(scenario_file).network.path)


@pytest.fixture(scope="module")
def crashes(scenario_file, network):
    found, notices = read_crashes(read_scenario(scenario_file).crashes.files, network)
    assert notices == ()
    return found


def test_scenario_is_whole_and_stands_alone(scenario_file):
    scenario = read_scenario(scenario_file)
    assert all(path.parent == scenario_file.parent for path in scenario.input_files())
    assert [variant.controller for variant in scenario.variants] == ["static", "actuated", "max-pressure"]
    assert scenario.variants[0].name == "as shipped"
    assert scenario.seeds == (1, 2, 3)
    assert scenario.end_s - scenario.begin_s <= 3600
    assert scenario.demand.synthetic is not None


def test_everything_made_up_says_so(scenario_file, crashes):
    assert "SYNTHETIC" in scenario_file.read_text()
    assert [path.name for path in read_scenario(scenario_file).crashes.files] == ["crashes-synthetic.csv"]
    assert crashes.synthetic.all()
    transit = read_scenario(scenario_file).transit
    assert transit.is_synthetic
    assert "synthetic" in transit.feed.name


def test_the_buses_run_on_the_day_that_is_driven(scenario_file):
    transit = read_scenario(scenario_file).transit
    feed = read_feed(transit.feed)
    assert not feed.notices
    assert require_service(feed, parse_day(transit.service_date)) > 40


def test_same_bytes_every_time(scenario_file, tmp_path):
    again = write_demo_city(tmp_path / "elsewhere")
    for path in sorted(scenario_file.parent.iterdir()):
        twin = again.parent / path.name
        assert hashlib.sha256(twin.read_bytes()).hexdigest() == hashlib.sha256(path.read_bytes()).hexdigest(), path.name


def test_streets_are_those_of_the_wheel_and_lights_keep_fixed_times(network, adlershof):
    original = read_network(adlershof)
    assert network.edges.ids == original.edges.ids
    assert network.lanes.length_m.tolist() == original.lanes.length_m.tolist()
    for ours, theirs in zip(network.signals, original.signals, strict=True):
        assert {program.kind for program in ours.programs} == {"static"}
        assert [program.phases for program in ours.programs] == [program.phases for program in theirs.programs]


def test_records_read_like_a_police_file(scenario_file):
    with (scenario_file.parent / "crashes-synthetic.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    columns = ["lon", "lat", "time", "severity", "type", "street", "cross_street", "synthetic"]
    assert list(rows[0]) == columns
    assert [row["time"] for row in rows] == sorted(row["time"] for row in rows)
    assert {row["severity"] for row in rows} == {"damage", "injury", "fatal"}
    assert 250 <= len(rows) <= 500
    assert 0.2 < np.mean([row["severity"] != "damage" for row in rows]) < 0.4


def _sites_of(network: RoadNetwork, crashes) -> tuple[tuple[Site, ...], np.ndarray]:
    """Sites, and how many records lie within 30 m of each."""
    sites = find_sites(network)
    middles = np.array([(site.x_m, site.y_m) for site in sites])
    places = np.column_stack((crashes.x_m, crashes.y_m))
    apart_m = np.hypot(*(middles[:, None, :] - places[None, :, :]).transpose(2, 0, 1))
    return sites, (apart_m <= 30).sum(axis=1)


def test_records_gather_at_busy_signals_and_some_lie_between_crossings(network, crashes):
    sites, counts = _sites_of(network, crashes)
    signalised = np.array([bool(site.signals) for site in sites])
    assert counts[signalised].mean() > 3 * counts[~signalised].mean()
    assert sites[int(counts.argmax())].signals
    assert "Adlergestell" in sites[int(counts.argmax())].street_names
    assert 0.05 < 1 - counts.sum() / len(crashes) < 0.5


def test_enough_signalised_sites_for_a_ranking(network, crashes):
    sites, counts = _sites_of(network, crashes)
    assert sum(bool(site.signals) for site, count in zip(sites, counts, strict=True) if count) >= 8


def test_expected_crashes_by_the_manuals_formula(tmp_path):
    """Unsignalised crossing of four one-lane primary legs, 4500 vehicles a day on each, two streets: 9000 and 9000.

    N = exp(-8.90 + 0.82 ln 9000 + 0.25 ln 9000) = 2.32 a year.
    """
    legs = {f"in{leg}": (leg, "M", 100.0) for leg in "NESW"} | {f"out{leg}": ("M", leg, 100.0) for leg in "NESW"}
    network = write_paper_network(tmp_path / "cross.net.xml", legs, ["inN outS", "inS outN", "inE outW", "inW outE"])
    named = {"inN": "Main", "inS": "Main", "inE": "Side", "inW": "Side"}
    names = tuple(named.get(name, "") for name in network.edges.ids)
    object.__setattr__(network.edges, "names", names)
    site = Site("M", (network.junction_index["M"],), (), 4, ("Main", "Side"), 0.0, 0.0)
    daily_veh = np.full(len(network.edges), 4500.0)
    assert expected_per_year(network, daily_veh, site) == pytest.approx(2.32, abs=0.01)


def test_counts_are_negative_binomial():
    """Mean 12, k 0.39, against scipy's distribution of the same mean and variance."""
    mean, k = 12.0, SAFETY_FUNCTIONS[True, 4].k
    rng = np.random.default_rng(7)
    drawn = np.bincount([negative_binomial(mean, k, rng) for _ in range(20_000)], minlength=100)
    expected = 20_000 * nbinom(1 / k, 1 / (1 + k * mean)).pmf(np.arange(len(drawn)))
    common = expected > 20
    assert drawn[common] == pytest.approx(expected[common], abs=5 * np.sqrt(expected.max()))
    assert drawn[~common].sum() == pytest.approx(expected[~common].sum(), rel=0.2)


def test_another_seed_makes_other_records(network):
    one, other = made_up_crashes(network, 1), made_up_crashes(network, 2)
    assert len(set(one) & set(other)) == 0


def test_static_lights_carry_the_demos_traffic(scenario_file, network, tmp_path):
    """SUMO alone, with the lights as they are in the folder: nobody is kept out, few are on the way at the end."""
    scenario = read_scenario(scenario_file)
    made = scenario.demand.synthetic
    demand = synthetic_demand(
        network, made.vehicles_per_hour, scenario.begin_s, scenario.end_s, made.seed, tmp_path / "cars.rou.xml.gz"
    )
    out = tmp_path / "trips.xml"
    command = [
        Path(sumo.SUMO_HOME) / "bin" / "sumo", "-n", scenario.network.path, "-r", *demand.route_files,
        "-b", scenario.begin_s, "-e", scenario.end_s, "--time-to-teleport", -1, "--xml-validation", "never",
        "--no-step-log", "--tripinfo-output", out, "--tripinfo-output.write-unfinished",
        "--tripinfo-output.write-undeparted",
    ]  # fmt: skip
    subprocess.run([str(part) for part in command], check=True, capture_output=True)
    trips = list(ET.parse(out).iter("tripinfo"))
    assert len(trips) == demand.scheduled(scenario.begin_s, scenario.end_s)
    assert sum(float(trip.get("depart")) < 0 for trip in trips) == 0
    assert sum(float(trip.get("arrival")) < 0 for trip in trips) < 0.1 * len(trips)
    assert 60 < np.mean([float(trip.get("timeLoss")) for trip in trips]) < 180
