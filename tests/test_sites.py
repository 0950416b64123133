"""Junction sites: what a police officer calls one crossing is one site, with the legs that one would count."""

from itertools import combinations

import numpy as np
import pytest

from networks.network import RoadNetwork
from networks.netxml import read_network
from networks.sites import EXTENT, MERGE_DISTANCE_M, SAME_STREETS_M, Site, find_sites
from tests.street_plans import Places, read_plan

FAR = 200


def cross(x: float, y: float, *, half_width: float, half_height: float) -> Places:
    """Four corners of a crossing of dual carriageways, and the ends of its eight carriageways."""
    west, east, south, north = x - half_width, x + half_width, y - half_height, y + half_height
    return {
        "sw": (west, south), "se": (east, south), "nw": (west, north), "ne": (east, north),
        "w1": (x - FAR, south), "w2": (x - FAR, north), "e1": (x + FAR, south), "e2": (x + FAR, north),
        "s1": (west, y - FAR), "s2": (east, y - FAR), "n1": (west, y + FAR), "n2": (east, y + FAR),
    }  # fmt: skip


# driven on the right: eastwards on the southern carriageway, northwards on the eastern one
DUAL = ["Avenue: w1 > sw > se > e1", "Avenue: e2 > ne > nw > w2", "Ring: s2 > se > ne > n2", "Ring: n1 > nw > sw > s1"]


def described(network: RoadNetwork, sites: tuple[Site, ...]) -> list[tuple[set[str], int]]:
    return [({network.junctions.ids[row] for row in site.junctions}, site.legs) for site in sites]


def test_a_plain_crossing_has_four_legs(tmp_path):
    places = {"c": (0.0, 0.0), "w": (-FAR, 0), "e": (FAR, 0), "n": (0, FAR), "s": (0, -FAR)}
    network = read_plan(tmp_path, places, ["High Street: w c e", "Mill Lane: s c n"], {"light": "c"}, ("Mill Lane",))
    (site,) = find_sites(network)
    assert (site.site_id, site.legs, site.signals) == ("c", 4, (0,))
    assert site.street_names == ("Mill Lane", "High Street"), "the more important street first"
    assert (site.x_m, site.y_m) == (0, 0)


def test_a_side_street_makes_three_legs_and_a_bend_makes_no_site(tmp_path):
    places = {"w": (-FAR, 0), "c": (0, 0), "bend": (100, 0), "e": (100, 100), "s": (0, -FAR)}
    network = read_plan(tmp_path, places, ["High Street: w c bend e", "Mill Lane: c s"])
    assert described(network, find_sites(network)) == [({"c"}, 3)]


@pytest.mark.parametrize("half_m", [6.0, 15.0, 19.0])
def test_a_crossing_of_dual_carriageways_is_one_site_with_four_legs(tmp_path, half_m):
    network = read_plan(tmp_path, cross(0, 0, half_width=half_m, half_height=half_m), DUAL, {"light": "sw se nw ne"})
    (site,) = find_sites(network)
    assert {network.junctions.ids[row] for row in site.junctions} == {"sw", "se", "nw", "ne"}
    assert (site.legs, site.signals, site.x_m, site.y_m) == (4, (0,), 0, 0)


def test_an_avenue_along_a_canal_is_one_site_where_both_streets_have_names(tmp_path):
    places = cross(0, 0, half_width=6, half_height=30)
    lights = {"south": "sw se", "north": "nw ne"}
    named = read_plan(tmp_path, places, DUAL, lights)
    (site,) = find_sites(named)
    assert (site.legs, site.signals) == (4, (0, 1))
    unnamed = read_plan(tmp_path, places, [street.replace("Ring", "") for street in DUAL], lights)
    assert described(unnamed, find_sites(unnamed)) == [({"sw", "se"}, 4), ({"nw", "ne"}, 4)]


def test_a_dual_carriageway_with_a_side_street_has_three_legs(tmp_path):
    places = {
        "w1": (-FAR, 0),
        "a": (0, 0),
        "e1": (FAR, 0),
        "w2": (-FAR, 20),
        "b": (0, 20),
        "e2": (FAR, 20),
        "n": (0, FAR),
    }
    streets = ["Avenue: w1 > a > e1", "Avenue: e2 > b > w2", "Mill Lane: a b n"]
    network = read_plan(tmp_path, places, streets)
    assert described(network, find_sites(network)) == [({"a", "b"}, 3)]


def test_a_gap_to_turn_round_in_is_no_crossing(tmp_path):
    places = {"w1": (-FAR, 0), "a": (0, 0), "e1": (FAR, 0), "w2": (-FAR, 20), "b": (0, 20), "e2": (FAR, 20)}
    network = read_plan(tmp_path, places, ["Avenue: w1 > a > e1", "Avenue: e2 > b > w2", "Avenue: a b"])
    assert find_sites(network) == ()


def test_close_side_streets_do_not_grow_into_one_long_site(tmp_path):
    stops = [f"j{number}" for number in range(12)]
    places: Places = {stop: (30.0 * number, 0) for number, stop in enumerate(stops)}
    places |= {f"side{number}": (30.0 * number, FAR) for number in range(12)} | {"w": (-FAR, 0), "e": (530, 0)}
    sides = [f"Side {number}: j{number} side{number}" for number in range(12)]
    network = read_plan(tmp_path, places, [f"High Street: w {' '.join(stops)} e", *sides])
    sites = find_sites(network)
    assert sorted(row for site in sites for row in site.junctions) == list(range(12))
    assert max(len(site.junctions) for site in sites) == 2, "two at 30 m; a third would make 60 m"


def test_unnamed_carriageways_in_one_direction_are_one_leg_and_in_two_directions_two(tmp_path):
    places = {"c": (0, 0), "w": (-FAR, 0), "e": (FAR, 0), "out": (FAR, 60), "in": (FAR, 100), "n": (0, FAR)}
    network = read_plan(tmp_path, places, [": w c e", ": n c", ": c > out"])
    assert [site.legs for site in find_sites(network)] == [3], "17 degrees from the street east"
    other = read_plan(tmp_path, places, [": w c", ": n c", "Left: c > out", "Right: c > e"])
    assert [site.legs for site in find_sites(other)] == [4], "different names are different legs"


def test_the_site_is_named_after_its_light_else_its_widest_junction_else_its_lowest_id(tmp_path):
    places = {"w": (-FAR, 0), "b": (0, 0), "a": (30, 0), "e": (FAR, 0), "s": (0, -FAR), "n": (30, FAR)}
    streets = ["High Street: w b a e", "South: b s", "North: a n"]
    assert [site.site_id for site in find_sites(read_plan(tmp_path, places, streets))] == ["a"]
    wider = read_plan(tmp_path, places | {"t": (-100, -FAR)}, [*streets, "Third: b t"])
    assert [site.site_id for site in find_sites(wider)] == ["b"]
    lit = read_plan(tmp_path, places | {"t": (-100, -FAR)}, [*streets, "Third: b t"], {"light": "a"})
    assert [site.site_id for site in find_sites(lit)] == ["a"]


def test_a_network_without_crossings_has_no_sites(tmp_path):
    assert find_sites(read_plan(tmp_path, {"a": (0, 0), "b": (100, 0)}, ["High Street: a b"])) == ()


def test_sites_of_a_real_city_share_no_junction_and_stay_small(adlershof):
    network = read_network(adlershof)
    sites = find_sites(network)
    members = [row for site in sites for row in site.junctions]
    assert len(members) == len(set(members))
    assert len({site.site_id for site in sites}) == len(sites) > 50
    for site in sites:
        rows = list(site.junctions)
        x_m, y_m = network.junctions.x_m[rows], network.junctions.y_m[rows]
        assert np.hypot(np.ptp(x_m), np.ptp(y_m)) <= EXTENT * SAME_STREETS_M * EXTENT
        assert site.legs >= 3
        assert site.site_id in {network.junctions.ids[row] for row in rows}
    lit = {signal for site in sites for signal in site.signals}
    assert len(lit) == 9, "of the 15 lights five serve walkers between crossings, one a tram"


def test_two_sites_are_farther_apart_than_junctions_of_one_unless_it_would_grow_too_long(adlershof):
    network = read_network(adlershof)
    sites = find_sites(network)
    corner = [np.column_stack((network.junctions.x_m, network.junctions.y_m))[list(site.junctions)] for site in sites]
    for one, other in combinations(corner, 2):
        both = np.vstack((one, other))
        length_m = np.hypot(*(both[:, None] - both[None]).T).max()
        assert (
            length_m > EXTENT * MERGE_DISTANCE_M or np.hypot(*(one[:, None] - other[None]).T).min() > MERGE_DISTANCE_M
        )
