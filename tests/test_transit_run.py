"""Runs with timetabled vehicles: the built-in city's buses among cars, and what controllers are told of them."""

from dataclasses import replace
from datetime import date
from multiprocessing import get_context
from types import SimpleNamespace

import numpy as np
import pytest

from gtfs.feed import read_feed
from networks.netxml import read_network
from scenarios.demo.buses import write_demo_feed
from signals.intergreen import Clearance
from signals.plan import build_plan
from sim.demand import synthetic_demand
from sim.engine import Api, Engine
from sim.options import SumoOptions
from sim.run import RunSpec, simulate
from sim.transit import TransitOptions, import_transit
from sim.transit_output import write_transit
from sim.transit_plan import read_plan
from sim.watch import Watch
from tests.signal_streets import link_of, write_cross

SEVEN = 25200.0
CARS = 100


@pytest.fixture(scope="module")
def spec(adlershof, tmp_path_factory) -> RunSpec:
    """Twenty minutes of the built-in city: blocks, layovers, ways from trip to trip, and a few cars."""
    folder = tmp_path_factory.mktemp("run")
    network = read_network(adlershof)
    feed = read_feed(write_demo_feed(network, folder / "feed.zip"))
    options = TransitOptions(date(2026, 5, 13), begin_s=SEVEN, end_s=SEVEN + 1200)
    write_transit(import_transit(feed, network, adlershof, options), network, folder / "transit")
    synthetic_demand(network, CARS * 3, SEVEN, SEVEN + 1200, 1, folder / "cars.rou.xml")
    signals = tuple(signal.signal_id for signal in network.signals)
    routes = (folder / "cars.rou.xml",)
    return RunSpec(
        "static",
        "static",
        1,
        adlershof,
        routes,
        SEVEN,
        SEVEN + 1200,
        signals[:3],
        signals[:3],
        transit=folder / "transit",
    )


@pytest.fixture(scope="module")
def run(spec):
    return simulate(spec)


def same(one, other):
    for name in one.__slots__:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)


@pytest.mark.parametrize("step_s", [1.0, 0.3])
def test_the_loop_sees_what_sumo_records(spec, run, step_s):
    """To the last bit, through junctions, layovers beside the lane and ways from one trip to the next."""
    spec = replace(spec, step_s=step_s, end_s=SEVEN + (1200 if step_s == 1.0 else 120))
    recorded = run if step_s == 1.0 else simulate(spec)
    seen = simulate(spec, api=Api.LIBSUMO)
    same(seen.transit, recorded.transit)
    assert len(seen.transit.sample_leg) > (800 if step_s == 1.0 else 20)
    assert seen.measures.delay_per_scheduled_s == recorded.measures.delay_per_scheduled_s


def test_samples_are_ten_seconds_apart_and_lie_on_their_legs(spec, run):
    plan, found = read_plan(spec.transit), run.transit
    assert set(((found.sample_time_s - SEVEN) % 10).tolist()) == {0.0}
    end_m = plan.calls.way_m[plan.legs.call_start[1:] - 1]
    assert (found.sample_way_m <= end_m[found.sample_leg] + 1).all()
    same_leg = np.diff(found.sample_leg) == 0
    assert (np.diff(found.sample_time_s)[same_leg] > 0).all()
    # a bus does not go back, but for a centimetre at a stop and a turn in two parts inside a junction
    assert (np.diff(found.sample_way_m)[same_leg] > -20).all()


def test_who_stands_at_a_stop_is_as_late_as_the_clock_says(spec, run):
    """The record of positions beside the record of stops, where the scheduled time has passed."""
    calls, legs, found = (plan := read_plan(spec.transit)).calls, plan.legs, run.transit
    compared = 0
    for time_s, leg, late_s in zip(found.sample_time_s, found.sample_leg, found.sample_deviation_s, strict=True):
        rows = slice(legs.call_start[leg], legs.call_start[leg + 1] - 1)
        standing = (found.arrival_s[rows] <= time_s) & (time_s < found.departure_s[rows])
        for scheduled_s in calls.departure_s[rows][standing & (calls.departure_s[rows] <= time_s)]:
            assert late_s == time_s - scheduled_s
            compared += 1
    assert compared > 10


def test_same_seed_same_run(spec, run):
    same(run.transit, simulate(spec).transit)


def test_measures_of_cars_are_of_cars(spec, run):
    text = spec.routes[0].read_text()
    assert run.measures.scheduled == text.count("<vehicle ")
    buses = len(read_plan(spec.transit).vehicle_ids)
    assert buses > 8
    assert run.measures.inserted <= run.measures.scheduled


def test_controllers_that_act_see_the_same_timetable(spec):
    run = simulate(replace(spec, variant="smart", controller="max-pressure", end_s=SEVEN + 300))
    assert np.isfinite(run.transit.arrival_s).any()
    assert run.measures.monitor_violations == 0


def lateness(path, routes, known):
    with get_context("spawn").Pool(1) as pool:
        return pool.apply(_lateness, (path, routes, known))


def _lateness(path, routes, known):
    """What a controller is told of the latest bus, by link, where detectors know so much of vehicles."""
    network = read_network(path)
    plan = build_plan(network, "light", Clearance.ITE)
    rows = {name: row for row, name in enumerate(known)}
    detectors = SimpleNamespace(row_of=rows, deviation_s=np.array(list(known.values()), dtype=float))
    with Engine(SumoOptions(path, (routes,), 0.0, 5.0, seed=1)) as engine:
        engine.api.trafficlight.setRedYellowGreenState("light", "r" * len(plan.links))
        engine.run_to(5.0)
        watch = Watch(engine.api, network, (plan,), 150.0, detectors=detectors if known else None)
        return watch.look(5.0).bus_lateness_s


def test_a_controller_knows_how_late_the_latest_bus_is_that_wants_a_link(tmp_path):
    path = write_cross(tmp_path)
    places = {"wc ce": (150, 130, 110, 5), "ec cw": (150, 130), "sc cn": (150,), "nc cs": (150,)}
    rows = [
        f'<vehicle id="{edges[0]}{number}" depart="0" departPos="{at_m}" departSpeed="0"><route edges="{edges}"/>'
        f'<stop lane="{edges[:2]}_0" endPos="{at_m}" duration="99"/></vehicle>'
        for edges, positions in places.items()
        for number, at_m in enumerate(positions)
    ]
    routes = tmp_path / "cars.rou.xml"
    routes.write_text("\n".join(["<routes>", *rows, "</routes>"]))
    # w3 is out of range, e0 an early bus, s0 on its way between trips, n0 a car
    late = {"w1": 40.0, "w2": 90.0, "w3": 500.0, "e0": -30.0, "s0": np.nan}
    seen = lateness(path, routes, late)
    network = read_network(path)
    by_way = {way: seen[link_of(network, "light", *way.split())] for way in places}
    np.testing.assert_array_equal(list(by_way.values()), [90.0, -30.0, np.nan, np.nan])
    assert np.isnan(lateness(path, routes, {})).all()
