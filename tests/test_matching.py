"""Map matching: streets on paper, and routes driven in SUMO whose noisy and sparse positions are matched back."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from benchmarks.drives import Kind, drives
from benchmarks.map_matching import common_m, known_places_score, matched, score
from networks.matching import MatchedPart, Matcher, MatchSettings, matcher, trace_settings
from networks.network import RoadNetwork
from networks.netxml import read_network
from tests.street_plans import read_plan

SHAPE = MatchSettings()

# a main street with a hole in it, a way round, and a street that leads nowhere else
PLACES = {
    "a": (0, 0),
    "b": (300, 0),
    "c": (600, 0),
    "d": (900, 0),
    "e": (300, 150),
    "f": (600, 150),
    "x": (0, 400),
    "y": (900, 400),
}
HOLE = ["Main: a b", "Main: c d", "Round: b e f c", "Aside: x y"]


def along(*corners, step_m=25.0):
    """Points along a line, both ends among them."""
    points = [np.array([corners[0]], dtype=float)]
    for begin, end in pairwise(np.array(corners, dtype=float)):
        count = int(np.hypot(*(end - begin)) // step_m)
        points.append(begin + np.linspace(0, 1, count + 1)[1:, None] * (end - begin))
    return np.concatenate(points)


def names(network: RoadNetwork, part: MatchedPart) -> list[str]:
    return [network.edges.ids[edge] for edge in part.edges]


@pytest.fixture
def plan(tmp_path) -> RoadNetwork:
    return read_plan(tmp_path, PLACES, ["Main: a b c d", "Aside: x y", "One way: b > e > f > c"])


def test_points_along_a_street_have_their_places_on_it(plan):
    (part,) = matcher(plan, "bus").match(along((20, 3), (880, 3), step_m=20.0), SHAPE)
    assert names(plan, part) == ["a-b", "b-c", "c-d"]
    assert (part.begin_m, part.end_m) == pytest.approx((20, 280))
    assert part.points.tolist() == list(range(44))
    assert (np.array([0, 300, 600])[part.position] + part.place_m).tolist() == pytest.approx(range(20, 881, 20))


def test_the_direction_of_the_points_decides(plan):
    (part,) = matcher(plan, "bus").match(along((880, 3), (20, 3)), SHAPE)
    assert names(plan, part) == ["d-c", "c-b", "b-a"]


def test_one_point_with_a_heading(plan):
    streets = matcher(plan, "bus")
    for heading, name in (((1.0, 0.0), "a-b"), ((-1.0, 0.0), "b-a")):
        (part,) = streets.match([(100.0, 2.0)], SHAPE, [heading])
        assert names(plan, part) == [name]


def test_nobody_drives_against_a_one_way_street(plan):
    # up the street the wrong way: what is possible nearby is taken, the street is not
    parts = matcher(plan, "bus").match(along((600, 20), (600, 150), (300, 150), (300, 20)), SHAPE)
    assert not {"c-f", "f-e", "e-b"} & {name for part in parts for name in names(plan, part)}
    (there,) = matcher(plan, "bus").match(along((300, 20), (300, 150), (600, 150), (600, 20)), SHAPE)
    assert names(plan, there) == ["b-e", "e-f", "f-c"]


def test_a_turn_that_is_not_allowed_is_not_made(plan):
    forbidden = plan.edge_index["a-b"], plan.edge_index["b-e"]
    links = plan.connections
    stays = ~((plan.connection_from_edge == forbidden[0]) & (plan.connection_to_edge == forbidden[1]))
    kept = replace(
        links,
        **{name: getattr(links, name)[stays] for name in ("from_lane", "to_lane", "via_lane", "signal", "link")},
        **{name: tuple(np.array(getattr(links, name))[stays]) for name in ("direction", "state")},
    )
    corner = along((150, 0), (300, 0), (300, 130))
    (free,) = matcher(plan, "bus").match(corner, SHAPE)
    assert names(plan, free) == ["a-b", "b-e"]
    closed = replace(plan, connections=kept)
    turns = {turn for part in matcher(closed, "bus").match(corner, SHAPE) for turn in pairwise(names(plan, part))}
    assert ("a-b", "b-e") not in turns


def test_a_hole_in_the_network_is_driven_round(tmp_path):
    network = read_plan(tmp_path, PLACES, HOLE)
    points_m = along((20, 0), (880, 0))
    (part,) = matcher(network, "bus").match(points_m, SHAPE)
    assert names(network, part) == ["a-b", "b-e", "e-f", "f-c", "c-d"]
    # points over the hole lie on no street
    assert not {row for row, (x, _) in enumerate(points_m.tolist()) if 370 < x < 530} & set(part.points.tolist())


def test_beyond_the_longest_detour_the_match_breaks(tmp_path):
    network = read_plan(tmp_path, PLACES, HOLE)
    # 600 m from b to c instead of 300 m
    settings = replace(SHAPE, stretch=1.1, slack_m=20.0, detour_m=150.0, skips=2)
    before, after = matcher(network, "bus").match(along((20, 0), (880, 0)), settings)
    assert names(network, before)[0] == "a-b"
    assert names(network, after)[-1] == "c-d"
    assert before.points[-1] < after.points[0]


def test_a_point_on_a_street_that_no_way_reaches_is_left_out(plan):
    points_m = along((20, 0), (880, 0))
    points_m[12] = 320, 399
    (part,) = matcher(plan, "bus").match(points_m, SHAPE)
    assert names(plan, part) == ["a-b", "b-c", "c-d"]
    assert set(range(len(points_m))) - set(part.points.tolist()) == {12}


@pytest.mark.parametrize("odd", [(np.nan, np.nan), (np.inf, 0.0), (5e6, 5e6)])
def test_a_point_that_is_nowhere_lies_on_no_part(plan, odd):
    points_m = along((20, 0), (880, 0))
    points_m[[0, 9]] = odd
    (part,) = matcher(plan, "bus").match(points_m, SHAPE)
    assert set(range(len(points_m))) - set(part.points.tolist()) == {0, 9}


def test_nothing_to_match_and_nothing_to_match_it_with(plan):
    streets = matcher(plan, "bus")
    assert streets.match(np.empty((0, 2)), SHAPE) == ()
    assert streets.match([(5e6, 5e6)] * 3, SHAPE) == ()
    closed = replace(plan, lanes=replace(plan.lanes, permissions=plan.lanes.permissions & 0))
    assert matcher(closed, "bus").match(along((20, 0), (880, 0)), SHAPE) == ()


def test_a_point_again_and_again_stays_where_it_is(plan):
    (part,) = matcher(plan, "bus").match([(100.0, 2.0)] * 20, SHAPE)
    assert len(part.edges) == 1
    assert part.begin_m == part.end_m


def test_places_are_measured_in_the_networks_lengths(plan):
    # the network may say that an edge is longer than it is drawn
    longer = replace(plan, lanes=replace(plan.lanes, length_m=plan.lanes.length_m * 2))
    (part,) = matcher(longer, "bus").match(along((20, 0), (880, 0)), SHAPE)
    assert (part.begin_m, part.end_m) == pytest.approx((40, 560))


@pytest.mark.parametrize(
    ("edges", "others", "expected_m"),
    [
        ([1, 2, 3], [1, 2, 3], 60),
        ([1, 2, 3], [], 0),
        ([], [1, 2, 3], 0),
        ([1, 2, 3], [3, 2, 1], 30),  # one of them, the longest
        ([1, 2, 1, 3], [1, 3], 40),
        ([2, 3, 2, 3], [2, 3], 50),  # once only
        ([1, 2, 3], [1, 9, 3], 40),
    ],
)
def test_the_length_that_two_ways_have_in_common(edges, others, expected_m):
    length_m = 10.0 * np.array(edges, dtype=float)
    assert common_m(np.array(edges, dtype=np.int32), length_m, np.array(others, dtype=np.int32)) == expected_m


@pytest.fixture(scope="module")
def town(adlershof) -> tuple[RoadNetwork, Matcher]:
    network = read_network(adlershof)
    return network, matcher(network, "bus")


@pytest.fixture(scope="module")
def driven(town, adlershof):
    """Buses on random routes. The settings of traces were tuned on seed 1."""
    return {kind: drives(town[0], adlershof, kind, 20, seed=4) for kind in Kind}


def turns_of(streets: Matcher) -> set[tuple[int, int]]:
    """Pairs of edges that a bus may drive one after the other."""
    graph = streets.router
    return set(zip(graph.edges[graph.turn_from].tolist(), graph.edges[graph.turn_to].tolist(), strict=True))


def test_drives_are_ways_that_a_bus_may_drive(town, driven):
    network, turns = town[0], turns_of(town[1])
    for drive in (drive for kind in Kind for drive in driven[kind]):
        assert set(pairwise(drive.edges.tolist())) <= turns
        assert network.edge_length_m[drive.edges].sum() >= 4000
        assert (np.diff(drive.position) >= 0).all()
        assert len(drive.points_m) > 90, "a bus needs minutes for it"


def test_a_perfect_match_is_all_right(town, driven):
    network = town[0]
    for drive in driven[Kind.THROUGH]:
        first, last = drive.position[0], drive.position[-1]
        none = np.empty(0, dtype=np.int32)
        ends_m = float(drive.place_m[0]), float(drive.place_m[-1])
        truth = MatchedPart(drive.edges[first : last + 1], *ends_m, none, none, np.empty(0))
        found = score(network, drive, [truth])
        assert (found.right_m, found.near_m) == pytest.approx((found.true_m, found.true_m))
        assert found.added_m == pytest.approx(0, abs=1e-6)
        assert score(network, drive, []).right_m == 0


@pytest.mark.parametrize("period_s", [5, 10, 15])
def test_at_5_m_noise_99_percent_of_the_way_are_right(town, driven, period_s):
    found, _ = matched(*town, [drive.every(period_s) for drive in driven[Kind.THROUGH]], noise_m=5.0)
    assert found.right_m >= 0.99 * found.true_m
    assert found.near_m >= 0.995 * found.true_m
    assert found.added_m <= 0.01 * found.true_m


def test_so_are_they_where_buses_turn_round(town, driven):
    found, _ = matched(*town, driven[Kind.WINDING], noise_m=5.0)
    assert found.right_m >= 0.99 * found.true_m


def test_every_30_s_streets_round_a_block_look_alike(town, driven):
    # even the true places, joined by the shortest way, do not tell which side of a block was driven
    sparse = [drive.every(30) for drive in driven[Kind.THROUGH]]
    limit = known_places_score(*town, sparse)
    found, _ = matched(*town, sparse, noise_m=5.0)
    assert limit.right_m < 0.98 * limit.true_m
    assert 0.90 * found.true_m <= found.right_m <= limit.right_m


def test_matches_are_ways_that_a_bus_may_drive(town, driven):
    (network, streets), turns = town, turns_of(town[1])
    chance = np.random.default_rng(1)
    for drive in driven[Kind.WINDING]:
        noisy_m = drive.points_m + chance.normal(scale=15.0, size=drive.points_m.shape)
        for part in streets.match(noisy_m, trace_settings(15.0)):
            assert set(pairwise(part.edges.tolist())) <= turns
            assert (np.diff(part.points) > 0).all()
            assert (np.diff(part.position) >= 0).all()
            assert (part.place_m <= network.edge_length_m[part.edges[part.position]] + 1e-6).all()


def test_matching_is_fast(town, driven):
    # CPU time; the peer does 1,200 points a second, and ours more on longer streets than these
    _, points_per_s = matched(*town, driven[Kind.THROUGH], noise_m=5.0)
    assert points_per_s > 3000
