"""Degrees and metres, and what lies nearest: against sumolib and against a naive search."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import sumolib
from hypothesis import given, settings
from hypothesis import strategies as st

from networks.faults import InputError
from networks.geometry import from_lonlat, to_lonlat
from networks.network import NONE, EdgeKind, Location, RoadNetwork
from networks.netxml import read_network
from networks.spatial import edge_lines, nearest_edges, nearest_junctions
from tests.street_plans import read_plan


@pytest.fixture(scope="module")
def city(adlershof) -> RoadNetwork:
    return read_network(adlershof)


def test_places_are_those_of_sumolib(city, adlershof):
    theirs = sumolib.net.readNet(str(adlershof))
    points = [(0, 0), (1234.5, 678.9), (2600, 3300)]
    expected = [theirs.convertXY2LonLat(*point) for point in points]
    assert to_lonlat(city.location, points) == pytest.approx(np.array(expected), abs=1e-9)
    assert from_lonlat(city.location, expected) == pytest.approx(np.array(points), abs=1e-3)


@given(points=st.lists(st.tuples(st.floats(0, 2600), st.floats(0, 3300)), max_size=20))
@settings(deadline=None)
def test_there_and_back_is_the_same_place(city, points):
    back = from_lonlat(city.location, to_lonlat(city.location, points))
    assert back == pytest.approx(np.array(points).reshape(-1, 2), abs=1e-4)


@pytest.mark.parametrize("projection", ["!", "", "-", "+proj=nonsense"])
def test_a_network_without_geography_says_so(projection):
    location = Location(0.0, 0.0, projection, (0.0, 0.0, 1.0, 1.0))
    with pytest.raises(InputError) as caught:
        to_lonlat(location, [(0, 0)])
    assert caught.value.code == "NET_NO_GEOGRAPHY"


def naive_nearest_junction(network: RoadNetwork, point: tuple[float, float], limit_m: float) -> tuple[int, float]:
    best = (NONE, np.inf)
    for row, kind in enumerate(network.junctions.kind):
        away_m = np.hypot(network.junctions.x_m[row] - point[0], network.junctions.y_m[row] - point[1])
        if kind != "internal" and away_m <= limit_m and away_m < best[1]:
            best = (row, away_m)
    return best


def naive_distance_m(line: np.ndarray, point: tuple[float, float]) -> float:
    """Distance from a point to a polyline, segment by segment."""
    found = np.inf
    for begin, end in pairwise(line):
        along = end - begin
        share = np.clip(np.dot(point - begin, along) / max(np.dot(along, along), 1e-12), 0, 1)
        found = min(found, float(np.hypot(*(begin + share * along - point))))
    return found


def naive_nearest_edge(network: RoadNetwork, point: tuple[float, float], limit_m: float, mask: np.ndarray) -> float:
    away_m = [naive_distance_m(network.edge_shape_m(edge), point) for edge in np.flatnonzero(mask)]
    return min((away for away in away_m if away <= limit_m), default=np.inf)


def test_nearest_junctions_are_those_of_a_naive_search(city):
    points = np.random.default_rng(1).uniform((-200, -200), (2800, 3500), size=(60, 2))
    rows, away_m = nearest_junctions(city, points, 120.0)
    expected = [naive_nearest_junction(city, point, 120.0) for point in points]
    assert rows.tolist() == [row for row, _ in expected]
    assert away_m == pytest.approx([away for _, away in expected])
    assert NONE in rows, "some points are far from everything"


@pytest.mark.parametrize("vehicle_class", [None, "passenger", "tram"])
def test_nearest_edges_are_as_near_as_in_a_naive_search(city, vehicle_class):
    points = np.random.default_rng(2).uniform((0, 0), (2600, 3300), size=(12, 2))
    mask = city.edges.kind == EdgeKind.NORMAL if vehicle_class is None else city.edges_for(vehicle_class)
    rows, away_m = nearest_edges(city, points, 150.0, vehicle_class)
    assert away_m == pytest.approx([naive_nearest_edge(city, point, 150.0, mask) for point in points])
    assert mask[rows[rows != NONE]].all()
    for row, point, away in zip(rows, points, away_m, strict=True):
        assert row == NONE or naive_distance_m(city.edge_shape_m(row), point) == pytest.approx(away)


def test_among_equally_near_ones_the_lowest_row_is_found(tmp_path):
    network = read_plan(tmp_path, {"a": (0, 0), "b": (100, 0), "c": (50, 50)}, ["High Street: a b c"])
    rows, away_m = nearest_junctions(network, [(50, 0)], 60.0)
    assert (rows.tolist(), away_m.tolist()) == ([0], [50])
    # both directions of a street lie on one line here
    assert nearest_edges(network, [(50, 10)], 60.0)[0].tolist() == [network.edge_index["a-b"]]


@pytest.mark.parametrize("point", [(np.nan, 0), (0, np.inf), (1e9, 1e9)])
def test_a_point_that_is_nowhere_has_no_neighbour(tmp_path, point):
    network = read_plan(tmp_path, {"a": (0, 0), "b": (100, 0)}, ["High Street: a b"])
    for nearest in (nearest_junctions, nearest_edges):
        rows, away_m = nearest(network, [point, (1, 1)], 50.0)
        assert rows.tolist() == [NONE, 0]
        assert away_m[0] == np.inf


def test_no_points_and_no_edges_give_empty_answers(tmp_path):
    network = read_plan(tmp_path, {"a": (0, 0), "b": (100, 0)}, ["High Street: a b"])
    rows, away_m = nearest_edges(network, np.empty((0, 2)), 50.0)
    assert len(rows) == len(away_m) == 0
    assert nearest_edges(network, [(0, 0)], 50.0, "ship")[0].tolist() == [0]
    walkers = replace(network, lanes=replace(network.lanes, permissions=network.lanes.permissions & 0))
    assert nearest_edges(walkers, [(0, 0)], 50.0, "passenger")[0].tolist() == [NONE]


def test_lines_are_those_of_the_middle_lanes(city):
    edges = np.array([5, 100, 7])
    lines = edge_lines(city, edges)
    assert [np.array(line.coords).tolist() for line in lines] == [city.edge_shape_m(edge).tolist() for edge in edges]
