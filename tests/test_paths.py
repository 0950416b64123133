"""Ways over a network, on three streets whose lengths are worked out on paper."""

from pathlib import Path as File

import numpy as np
import pytest

from networks.network import RoadNetwork
from networks.netxml import read_network
from networks.paths import Path, path_over, places_on_paths

NAN = float("nan")

# east, across a junction of 20 m, north on a street said to be twice as long as drawn, across 10 m, and back west
STREETS = {"east": ("0,0 100,0", 100), "north": ("120,0 120,80", 160), "west": ("120,90 60,90 20,90", 100)}
ALONG = {"low": ("0,0 100,0", 100), "high": ("0,10 100,10", 100)}


def drawn(folder: File, streets: dict[str, tuple[str, int]]) -> RoadNetwork:
    """Read a network of one-lane streets from their shapes and lengths."""
    ends = range(len(streets) + 1)
    lines = ['<net version="1.20">', '<location netOffset="0,0" convBoundary="0,0,1,1" projParameter="!"/>']
    for number, (name, (shape, length_m)) in enumerate(streets.items()):
        lines.append(
            f'<edge id="{name}" from="{number}" to="{number + 1}" priority="1">'
            f'<lane id="{name}_0" index="0" speed="10" length="{length_m}" shape="{shape}"/></edge>'
        )
    lines += [f'<junction id="{end}" type="priority" x="0" y="0"/>' for end in ends]
    path = folder / "drawn.net.xml"
    path.write_text("\n".join([*lines, "</net>"]))
    return read_network(path)


def way(network: RoadNetwork, *names: str) -> Path:
    return path_over(network, np.array([network.edge_index[name] for name in names], dtype=np.int32))


@pytest.fixture
def streets(tmp_path) -> RoadNetwork:
    return drawn(tmp_path, STREETS)


def test_a_way_counts_edges_as_the_network_does_and_junctions_as_drawn(streets):
    path = way(streets, "east", "north", "west")
    assert path.begin_m.tolist() == [0, 120, 290]
    assert path.length_m.tolist() == [100, 160, 100]
    assert path.end_m == 390


@pytest.mark.parametrize(
    ("way_m", "place"),
    [
        (-5, (0, 0)),
        (0, (0, 0)),
        (50, (0, 50)),
        (100, (0, 100)),
        (105, (0, 100)),  # within the junction, its first half
        (115, (1, 0)),
        (120, (1, 0)),
        (200, (1, 80)),
        (280, (1, 160)),
        (284, (1, 160)),
        (287, (2, 0)),
        (340, (2, 50)),
        (390, (2, 100)),
        (500, (2, 100)),
    ],
)
def test_an_edge_and_a_place_on_it_for_every_way(streets, way_m, place):
    assert way(streets, "east", "north", "west").place(way_m) == pytest.approx(place)


def test_points_of_the_line(streets):
    path = way(streets, "east", "north", "west")
    points_m = path.points_at(np.array([0.0, 50.0, 110.0, 200.0, 285.0, 340.0, 390.0]))
    assert points_m.tolist() == [[0, 0], [50, 0], [110, 0], [120, 40], [120, 85], [70, 90], [20, 90]]
    assert path.points_at(np.empty(0)).shape == (0, 2)


def test_a_way_over_one_edge(streets):
    path = way(streets, "north")
    assert (path.begin_m.tolist(), path.end_m, path.place(80.0)) == ([0], 160, (0, 80))


def test_points_have_their_places_on_the_path_that_is_nearest(streets):
    paths = [way(streets, "east", "north"), way(streets, "west")]
    points_m = np.array([(50, -8), (128, 40), (NAN, 0), (500, 500), (70, 97)], dtype=float)
    places = places_on_paths(paths, points_m, 30.0)
    assert places.path.tolist() == [0, 0, -1, -1, 1]
    assert places.way_m.tolist() == pytest.approx([50, 200, NAN, NAN, 50], nan_ok=True)
    assert places.distance_m.tolist() == pytest.approx([8, 8, NAN, NAN, 7], nan_ok=True)


def test_places_come_in_the_order_of_the_points(streets):
    paths = [way(streets, "east", "north"), way(streets, "west")]
    # the second point lies behind the first one's place; it is farther off, so it is the one without
    places = places_on_paths(paths, np.array([(70.0, 97.0), (50.0, -8.0)]), 30.0)
    assert places.path.tolist() == [1, -1]


def test_a_line_that_comes_by_twice_has_a_place_for_each_call(streets):
    path = way(streets, "east", "north")
    places = places_on_paths([path, path], np.array([(128.0, 40.0), (50.0, -8.0)]), 30.0)
    assert (places.path.tolist(), places.way_m.tolist()) == ([0, 1], [200, 50])


def test_a_place_with_its_point_on_the_right_is_preferred(tmp_path):
    network = drawn(tmp_path, ALONG)
    paths = [way(network, "low"), way(network, "high")]
    stop_m = np.array([(50.0, 4.0)])  # 4 m to the left of the one, 6 m to the right of the other
    assert places_on_paths(paths, stop_m, 30.0).path.tolist() == [0]
    right = places_on_paths(paths, stop_m, 30.0, left_m=12.0)
    assert (right.path.tolist(), right.distance_m.tolist()) == ([1], [6])


def test_without_paths_or_points_there_are_no_places(streets):
    nothing = places_on_paths([], np.array([(1.0, 1.0), (2.0, 2.0)]), 30.0)
    assert nothing.path.tolist() == [-1, -1]
    assert np.isnan(nothing.way_m).all()
    assert len(places_on_paths([way(streets, "east")], np.empty((0, 2)), 30.0).path) == 0
