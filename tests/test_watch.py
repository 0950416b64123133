"""What controllers see in small simulations, each in its process: a vehicle counts at the link that it reaches next."""

from dataclasses import dataclass
from multiprocessing import get_context

import numpy as np
import pytest

from networks.netxml import read_network
from signals.intergreen import Clearance
from signals.plan import build_plan
from sim.engine import Engine
from sim.options import SumoOptions
from sim.watch import Watch
from tests.signal_streets import ARMS, PLACES, link_of, write_cross, write_streets


@dataclass(frozen=True)
class Look:
    """One look at the signal ``light``, and where SUMO itself had each vehicle: route and way to go to the line (m)."""

    vehicles: np.ndarray
    halted: np.ndarray
    nearest_m: np.ndarray
    closeness: np.ndarray
    ahead: np.ndarray
    blocked: np.ndarray
    where: dict[str, float]


def look(path, routes, second=60.0, range_m=200.0):
    """Hold the signal at red and look at it, in a process of its own: SUMO runs once in each."""
    with get_context("spawn").Pool(1) as pool:
        return pool.apply(_look, (path, routes, second, range_m))


def _look(path, routes, second, range_m):
    network = read_network(path)
    plan = build_plan(network, "light", Clearance.ITE)
    options = SumoOptions(path, (routes,), 0.0, second, seed=1)
    with Engine(options) as engine:
        engine.api.trafficlight.setRedYellowGreenState("light", "r" * len(plan.links))
        engine.run_to(second)
        watch = Watch(engine.api, network, (plan,), range_m)
        seen = watch.look(second)
        where = {name: _way_to_line_m(engine.api, name) for name in engine.api.vehicle.getIDList()}
    return Look(seen.vehicles, seen.halted, seen.nearest_m, seen.closeness, seen.ahead, seen.blocked, where)


def _way_to_line_m(api, vehicle):
    """From a vehicle's front to the centre: what is left of its edge, and the whole of those up to ``?c``."""
    route, at = api.vehicle.getRoute(vehicle), api.vehicle.getRouteIndex(vehicle)
    way_m = -api.vehicle.getLanePosition(vehicle)
    for edge in route[at:]:
        way_m += api.lane.getLength(f"{edge}_{api.edge.getLaneNumber(edge) - 1}")
        if edge.endswith("c"):
            return way_m
    return -1.0


def write_routes(folder, *vehicles):
    """``vehicles``: (edges, position, stop position or None), all due at once."""
    rows = []
    for number, (edges, position_m, stop_m) in enumerate(vehicles):
        stop = f'<stop lane="{edges.split()[0]}_0" endPos="{stop_m}" duration="999"/>' if stop_m else ""
        rows.append(
            f'<vehicle id="v{number}" depart="0" departPos="{position_m}" departSpeed="0">'
            f'<route edges="{edges}"/>{stop}</vehicle>'
        )
    path = folder / "cars.rou.xml"
    path.write_text("\n".join(["<routes>", *rows, "</routes>"]))
    return path


@pytest.fixture
def short(tmp_path):
    """A crossing whose western stop line has a lane of one metre, fed from the west and, round a corner, the north."""
    places = {**PLACES, "v": (-60, 0), "x": (-60, 100)}
    streets = {**ARMS, "wv": ("w", "v"), "wc": ("v", "c"), "xv": ("x", "v")}
    return write_streets(tmp_path, places, streets, {"c": "light"}, length_m={"wc": 1.0})


def test_vehicles_are_counted_upstream_of_a_lane_of_one_metre_by_where_they_go(short, tmp_path):
    cars = [("wv wc ce", 100, None), ("wv wc cn", 80, None), ("wv wc ce", 60, None), ("xv wc cs", 50, None)]
    seen = look(short, write_routes(tmp_path, *cars, ("ec cw", 100, None), ("wv wc ce", 10, None)))
    network = read_network(short)
    bit = {way: link_of(network, "light", *way.split()) for way in ("wc ce", "wc cn", "wc cs", "ec cw")}
    assert {way: seen.vehicles[number] for way, number in bit.items()} == {
        "wc ce": 3, "wc cn": 1, "wc cs": 1, "ec cw": 1,
    }  # fmt: skip
    assert seen.vehicles.sum() == 6
    assert (seen.halted == seen.vehicles).all()
    # the first stands a metre before the line; who turns left a car of 5 m and a gap of 2.5 m behind, in the junction
    assert seen.nearest_m[bit["wc ce"]] == pytest.approx(1.0, abs=0.1)
    assert seen.nearest_m[bit["wc cn"]] == pytest.approx(8.5, abs=0.1)
    assert seen.nearest_m[bit["ec cw"]] == pytest.approx(seen.where["v4"], abs=0.1)
    assert np.isinf(seen.nearest_m[seen.vehicles == 0]).all()


def test_who_is_out_of_range_does_not_count(short, tmp_path):
    cars = [("ec cw", position_m, position_m) for position_m in (20, 90, 160)]
    ways_m = [look(short, write_routes(tmp_path, *cars), 5.0).where[f"v{number}"] for number in range(3)]
    network = read_network(short)
    bit = link_of(network, "light", "ec", "cw")
    for range_m in (60.0, 120.0, 200.0):
        seen = look(short, write_routes(tmp_path, *cars), 5.0, range_m)
        assert seen.vehicles[bit] == sum(way_m <= range_m for way_m in ways_m)


def test_nobody_is_seen_on_empty_streets(short, tmp_path):
    seen = look(short, write_routes(tmp_path), 5.0)
    assert (seen.vehicles.sum(), seen.halted.sum(), seen.ahead.sum(), seen.blocked.any()) == (0, 0, 0, False)
    assert np.isinf(seen.nearest_m).all()


def test_a_full_street_blocks_every_link_into_it_and_no_other(tmp_path):
    path = write_streets(tmp_path, PLACES, ARMS, {"c": "light"}, length_m={"ce": 40.0})
    # 40 m hold 5.3 cars; five stand there, and in the far longer street to the north as many
    cars = [(street, 38 - 7.5 * number, 38 - 7.5 * number) for street in ("ce", "cn") for number in range(5)]
    seen = look(path, write_routes(tmp_path, *cars), 5.0)
    network = read_network(path)
    into = {arm: [link_of(network, "light", f"{a}c", f"c{arm}") for a in "wesn" if a != arm] for arm in "wesn"}
    assert np.flatnonzero(seen.blocked).tolist() == sorted(into["e"])


def test_a_pavement_is_no_room_for_vehicles(tmp_path):
    # the street holds as many cars with a pavement as without: 5.3, of which 90 % is full
    options = "--sidewalks.guess", "true", "--crossings.guess", "true"
    streets = write_streets(tmp_path, PLACES, ARMS, {"c": "light"}, *options, length_m={"ce": 40.0})
    cars = [("ce", 38 - 7.5 * number, 38 - 7.5 * number) for number in range(5)]
    routes = write_routes(tmp_path, *cars)
    routes.write_text(routes.read_text().replace("ce_0", "ce_1"))
    seen = look(streets, routes, 5.0)
    bit = link_of(read_network(streets), "light", "wc", "ce")
    assert seen.blocked[bit]


def test_vehicles_behind_the_junction_count_where_they_go_to_another_signal(tmp_path):
    places = {"w": (-200, 0), "a": (0, 0), "m": (60, 0), "b": (120, 0), "e": (320, 0), "s": (0, -200), "n": (0, 200)}
    streets = {
        "wa": ("w", "a"),
        "am": ("a", "m"),
        "mb": ("m", "b"),
        "be": ("b", "e"),
        "sa": ("s", "a"),
        "an": ("a", "n"),
    }
    streets |= {"tb": ("t", "b")}
    places |= {"t": (120, -200)}
    path = write_streets(tmp_path, places, streets, {"a": "light", "b": "other"})
    cars = [("am", 30, 30), ("am", 20, 20), ("mb", 30, 30), ("an", 30, 30), ("be", 30, 30)]
    seen = look(path, write_routes(tmp_path, *cars), 5.0)
    network = read_network(path)
    ahead = {way: seen.ahead[link_of(network, "light", *way.split())] for way in ("wa am", "sa am", "sa an")}
    assert ahead == {"wa am": 3, "sa am": 3, "sa an": 0}


def test_people_always_wait_at_their_links_but_press_for_nothing(tmp_path):
    path = write_cross(tmp_path, "--crossings.guess", "true", "--sidewalks.guess", "true")
    plan = build_plan(read_network(path), "light", Clearance.ITE)
    seen = look(path, write_routes(tmp_path), 5.0)
    assert seen.vehicles.tolist() == [float(link.is_pedestrian) for link in plan.links]
    assert not seen.closeness.any()
