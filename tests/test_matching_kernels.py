"""The matching kernels against their plain twins, networkx and shapely, over random, empty, NaN and constant input."""

from itertools import pairwise

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from networks.kernels import (
    NONE,
    SKIPPED,
    Grid,
    MatchLaw,
    TurnGraph,
    distances_from_line,
    join_places,
    match_points,
    nearby_edges,
    places_in_order,
    segment_cells,
)
from tests import oracles

NAN, INF = float("nan"), float("inf")
metres = st.one_of(st.integers(0, 300).map(float), st.floats(0, 300))
corners = st.tuples(metres, metres)
odd_points = st.one_of(corners, st.sampled_from([(NAN, 1.0), (1.0, INF), (-900.0, 40.0), (NAN, NAN)]))
polylines = st.lists(corners, min_size=2, max_size=4)


def segments_of(lines):
    """Segments of some lines and the line of each, as the kernels want them."""
    rows, owner = [], []
    for line, points in enumerate(lines):
        along_m = 0.0
        for begin, end in pairwise(points):
            rows.append((*begin, *end, along_m))
            owner.append(line)
            along_m += float(np.hypot(*np.subtract(end, begin)))
    return np.array(rows, dtype=float).reshape(-1, 5), np.array(owner, dtype=np.int32)


def grid_of(segment_m, cell_m):
    ends = segment_m[:, :4].reshape(-1, 2)
    corner_m = ends.min(axis=0)
    columns, rows = ((ends.max(axis=0) - corner_m) // cell_m).astype(int) + 1
    start, members = segment_cells(segment_m, corner_m, cell_m, int(columns), int(rows))
    return Grid(corner_m, cell_m, np.array([columns, rows], dtype=np.int32), start, members)


@settings(deadline=None)
@given(st.lists(polylines, min_size=1, max_size=8), st.sampled_from([20.0, 60.0, 500.0]))
def test_each_cell_has_the_segments_whose_boxes_touch_it(lines, cell_m):
    segment_m, _ = segments_of(lines)
    grid = grid_of(segment_m, cell_m)
    columns, rows = grid.shape.tolist()
    for cell in range(columns * rows):
        low = grid.corner_m + cell_m * np.array([cell % columns, cell // columns])
        ends = segment_m[:, :4].reshape(-1, 2, 2)
        inside = (ends.max(axis=1) >= low).all(axis=1) & (ends.min(axis=1) < low + cell_m).all(axis=1)
        assert grid.members[grid.start[cell] : grid.start[cell + 1]].tolist() == np.flatnonzero(inside).tolist()


@settings(deadline=None)
@given(
    st.lists(polylines, min_size=1, max_size=12),
    st.lists(odd_points, max_size=5),
    st.sampled_from([5.0, 40.0, 1000.0]),
    st.sampled_from([1, 3, 20]),
)
def test_nearby_edges_are_the_nearest_of_all(lines, points, radius_m, most):
    segment_m, owner = segments_of(lines)
    points_m = np.array(points, dtype=float).reshape(-1, 2)
    segment, place_m, off_m = nearby_edges(points_m, segment_m, owner, grid_of(segment_m, 60.0), radius_m, most)
    twin = oracles.nearby_edges(points_m, segment_m, owner, radius_m)
    assert segment.shape == place_m.shape == off_m.shape == (len(points), most)
    for point, expected in enumerate(twin):
        found = segment[point] != NONE
        assert np.isinf(off_m[point, ~found]).all()
        assert sorted(off_m[point, found]) == pytest.approx([off for off, _, _ in expected[:most]], abs=1e-9)
        places = {edge: (off, place) for off, place, edge in expected}
        edges = owner[segment[point, found]].tolist()
        assert len(set(edges)) == len(edges), "an edge is there once"
        for edge, off, place in zip(edges, off_m[point, found], place_m[point, found], strict=True):
            assert (off, place) == pytest.approx(places[edge], abs=1e-9)


def test_no_points_have_no_edges():
    segment_m, owner = segments_of([[(0, 0), (100, 0)]])
    found = nearby_edges(np.empty((0, 2)), segment_m, owner, grid_of(segment_m, 60.0), 50.0, 4)
    assert [part.shape for part in found] == [(0, 4)] * 3


# graphs of a few nodes whose lengths and turns are whole numbers, so that sums are exact
@st.composite
def turn_graphs(draw):
    nodes = draw(st.integers(2, 6))
    turns = draw(st.lists(st.tuples(st.integers(0, nodes - 1), st.integers(0, nodes - 1)), unique=True, max_size=14))
    turns.sort()
    counts = np.bincount(np.array([begin for begin, _ in turns], dtype=np.int64), minlength=nodes)
    return TurnGraph(
        length_m=np.array(draw(st.lists(st.integers(0, 60), min_size=nodes, max_size=nodes)), dtype=float),
        turn_start=np.concatenate(([0], np.cumsum(counts))).astype(np.int32),
        turn_to=np.array([end for _, end in turns], dtype=np.int32),
        turn_m=np.array(draw(st.lists(st.integers(0, 9), min_size=len(turns), max_size=len(turns))), dtype=float),
    )


@st.composite
def lattices(draw):
    """A graph, candidates of some points on it (cost infinite: none), and the way along the line."""
    graph = draw(turn_graphs())
    points, width = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    node = np.array(
        draw(st.lists(st.integers(0, len(graph.length_m) - 1), min_size=points * width, max_size=points * width))
    )
    share = np.array(
        draw(st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0]), min_size=points * width, max_size=points * width))
    )
    cost = draw(st.lists(st.sampled_from([0.0, 0.5, 1.0, 3.0, INF]), min_size=points * width, max_size=points * width))
    step_m = draw(st.lists(st.integers(0, 90), min_size=points, max_size=points))
    shape = (points, width)
    return (
        graph,
        node.reshape(shape).astype(np.int32),
        (share * graph.length_m[node]).reshape(shape),
        np.array(cost).reshape(shape),
        np.cumsum(step_m).astype(float),
    )


WIDE = MatchLaw(beta_m=8.0, stretch=1.5, slack_m=60.0, detour_m=0.0, slip_m=10.0, skips=0)
NARROW = WIDE._replace(stretch=1.0, slack_m=20.0, slip_m=0.0)


@settings(deadline=None, max_examples=200)
@given(lattices(), st.sampled_from([WIDE, NARROW]))
def test_of_all_sequences_of_places_the_cheapest_is_found(lattice, law):
    assert_cheapest(*lattice, law)


@pytest.mark.parametrize("seed", range(60))
def test_the_cheapest_is_found_where_all_streets_meet(seed):
    chance = np.random.default_rng(seed)
    nodes, shape = 6, (4, 3)
    turns = [(begin, end) for begin in range(nodes) for end in range(nodes) if chance.random() < 0.6]
    counts = np.bincount([begin for begin, _ in turns], minlength=nodes)
    graph = TurnGraph(
        length_m=chance.uniform(1, 60, nodes),
        turn_start=np.concatenate(([0], np.cumsum(counts))).astype(np.int32),
        turn_to=np.array([end for _, end in turns], dtype=np.int32),
        turn_m=chance.uniform(0, 9, len(turns)),
    )
    node = chance.integers(nodes, size=shape).astype(np.int32)
    place_m = graph.length_m[node] * chance.random(shape)
    line_m = np.cumsum(chance.uniform(0, chance.choice([20, 90]), shape[0]))
    law = WIDE._replace(beta_m=chance.choice([2.0, 8.0, 30.0]), slack_m=200.0)
    assert_cheapest(graph, node, place_m, chance.uniform(0, 12, shape), line_m, law)


def assert_cheapest(graph, node, place_m, cost, line_m, law):
    # a detour is as long as any other way here
    chosen, behind = match_points(node, place_m, cost, line_m, graph, law._replace(detour_m=law.slack_m))
    ways = oracles.turn_ways(graph)
    rows = [point for point in range(len(node)) if np.isfinite(cost[point]).any()]
    assert [point for point in range(len(node)) if behind[point] != SKIPPED] == rows
    for part in parts_of(rows, behind):
        candidates = [list(zip(node[k].tolist(), place_m[k].tolist(), cost[k].tolist(), strict=True)) for k in part]
        least, _ = oracles.best_places(candidates, line_m[part], ways, graph, law)
        mine = [[places[chosen[k]]] for k, places in zip(part, candidates, strict=True)]
        assert oracles.best_places(mine, line_m[part], ways, graph, law)[0] == pytest.approx(least)
        assert np.isfinite(least)


def parts_of(rows, behind):
    """Points of each unbroken part; each stands on the one before it."""
    parts = []
    for row in rows:
        if behind[row] == NONE:
            parts.append([])
        else:
            assert behind[row] == parts[-1][-1]
        parts[-1].append(row)
    return parts


@settings(deadline=None, max_examples=200)
@given(lattices())
def test_a_match_breaks_only_where_no_sequence_leads_on(lattice):
    graph, node, place_m, cost, line_m = lattice
    _, behind = match_points(node, place_m, cost, line_m, graph, WIDE._replace(detour_m=WIDE.slack_m))
    ways = oracles.turn_ways(graph)
    rows = [point for point in range(len(node)) if np.isfinite(cost[point]).any()]
    for part, following in pairwise(parts_of(rows, behind)):
        tried = [*part, following[0]]
        candidates = [list(zip(node[k].tolist(), place_m[k].tolist(), cost[k].tolist(), strict=True)) for k in tried]
        assert oracles.best_places(candidates, line_m[tried], ways, graph, WIDE)[0] == INF


def test_no_points_no_candidates_and_no_finite_cost_match_nothing():
    graph = TurnGraph(np.array([10.0]), np.zeros(2, np.int32), np.empty(0, np.int32), np.empty(0))
    for shape, cost in (((0, 3), 1.0), ((2, 0), 1.0), ((2, 3), INF), ((2, 3), NAN)):
        node, place_m = np.zeros(shape, np.int32), np.zeros(shape)
        chosen, behind = match_points(node, place_m, np.full(shape, cost), np.zeros(shape[0]), graph, WIDE)
        assert chosen.tolist() == [NONE] * shape[0]
        assert behind.tolist() == [SKIPPED] * shape[0]


def test_points_all_alike_stay_where_they_are():
    graph = TurnGraph(np.array([50.0, 50.0]), np.array([0, 1, 2], np.int32), np.array([1, 0], np.int32), np.zeros(2))
    node, place_m = np.tile(np.array([[0, 1]], np.int32), (5, 1)), np.full((5, 2), 20.0)
    chosen, behind = match_points(node, place_m, np.tile([1.0, 2.0], (5, 1)), np.zeros(5), graph, WIDE)
    assert chosen.tolist() == [0] * 5
    assert behind.tolist() == [NONE, 0, 1, 2, 3]


# a line of four nodes of 100 m, nothing else
LINE = TurnGraph(np.full(4, 100.0), np.array([0, 1, 2, 3, 3], np.int32), np.array([1, 2, 3], np.int32), np.zeros(3))
AT_50_M = np.full((4, 1), 50.0)
COST = np.zeros((4, 1))
STRICT = WIDE._replace(slack_m=10.0, skips=2)


def test_a_point_that_no_way_reaches_is_left_out():
    # the second point lies on the first node again, far behind it: that is not noise
    node = np.array([[1], [0], [2], [3]], np.int32)
    chosen, behind = match_points(node, AT_50_M, COST, np.array([0.0, 50.0, 100.0, 200.0]), LINE, STRICT)
    assert behind.tolist() == [NONE, SKIPPED, 0, 2]
    assert chosen.tolist() == [0, NONE, 0, 0]


def test_the_point_before_the_fault_may_be_the_wrong_one():
    # from the last node no way leads on, from the points before it one does
    node = np.array([[0], [3], [1], [2]], np.int32)
    _, behind = match_points(
        node, AT_50_M, COST, np.array([0.0, 250.0, 300.0, 400.0]), LINE, STRICT._replace(stretch=3.0)
    )
    assert behind.tolist() == [NONE, SKIPPED, 0, 2]


def test_no_more_points_are_left_out_than_allowed():
    node = np.array([[2], [0], [0], [3]], np.int32)
    line_m = np.array([0.0, 10.0, 20.0, 100.0])
    assert match_points(node, AT_50_M, COST, line_m, LINE, STRICT)[1].tolist() == [NONE, SKIPPED, SKIPPED, 0]
    # with one left out at most the match breaks and begins anew
    assert match_points(node, AT_50_M, COST, line_m, LINE, STRICT._replace(skips=1))[1].tolist()[1] == NONE


def test_a_detour_is_taken_where_nothing_else_leads_on():
    # the straight way is 100 m, the streets take 300 m
    node, line_m = np.array([[0], [3]], np.int32), np.array([0.0, 100.0])
    law = STRICT._replace(skips=0, stretch=1.0)
    place_m, cost = AT_50_M[:2], COST[:2]
    assert match_points(node, place_m, cost, line_m, LINE, law._replace(detour_m=200.0))[1].tolist() == [NONE, 0]
    assert match_points(node, place_m, cost, line_m, LINE, law._replace(detour_m=199.0))[1].tolist() == [NONE, NONE]


@settings(deadline=None, max_examples=300)
@given(turn_graphs(), st.data())
def test_places_are_joined_by_the_shortest_way(graph, data):
    nodes = len(graph.length_m)
    node = np.array(data.draw(st.lists(st.integers(0, nodes - 1), min_size=1, max_size=5)), dtype=np.int32)
    share = np.array(data.draw(st.lists(st.floats(0, 1), min_size=len(node), max_size=len(node))))
    path, position = join_places(node, share * graph.length_m[node], graph, 10.0, INF)
    turn_m = {(begin, int(end)): length_m for begin, end, length_m in turns_with_way(graph)}
    assert all(turn in turn_m for turn in pairwise(path.tolist()))
    ways, place_m = oracles.turn_ways(graph), share * graph.length_m[node]
    for k in range(1, len(node)):
        if position[k - 1] == NONE:
            assert position[k] == NONE, "behind a gap nothing is reached"
            continue
        stays = node[k] == node[k - 1] and place_m[k] >= place_m[k - 1] - 10.0
        if position[k] == NONE:
            assert not stays
            assert ways[node[k - 1]][node[k]] == INF
            continue
        steps = path[position[k - 1] : position[k] + 1].tolist()
        way_m = sum(turn_m[turn] for turn in pairwise(steps)) + sum(graph.length_m[steps[1:-1]])
        assert (steps[0], steps[-1]) == (node[k - 1], node[k])
        assert way_m == (0.0 if stays else ways[node[k - 1]][node[k]])


def turns_with_way(graph):
    for begin in range(len(graph.length_m)):
        for turn in range(graph.turn_start[begin], graph.turn_start[begin + 1]):
            yield begin, graph.turn_to[turn], graph.turn_m[turn]


def test_a_long_way_and_a_limited_one():
    # 200 nodes in a row, more than the first room for a path
    nodes = 200
    start, to = np.append(np.arange(nodes), nodes - 1).astype(np.int32), np.arange(1, nodes).astype(np.int32)
    graph = TurnGraph(np.full(nodes, 10.0), start, to, np.zeros(nodes - 1))
    ends = np.array([0, nodes - 1], np.int32)
    path, position = join_places(ends, np.zeros(2), graph, 0.0, INF)
    assert path.tolist() == list(range(nodes))
    assert position.tolist() == [0, nodes - 1]
    # from the end of the first to the begin of the last
    assert join_places(ends, np.zeros(2), graph, 0.0, 1980.0)[1].tolist() == [0, nodes - 1]
    assert join_places(ends, np.zeros(2), graph, 0.0, 1979.0)[1].tolist() == [0, NONE]


parts_of_lines = st.lists(st.lists(corners, min_size=1, max_size=5), max_size=4)


def joined(parts):
    gap = [(NAN, NAN)]
    return np.array([point for part in parts for point in [*part, *gap]], dtype=float).reshape(-1, 2)


@settings(deadline=None)
@given(st.lists(odd_points, max_size=6), parts_of_lines)
def test_distances_from_a_line_are_those_of_shapely(points, parts):
    points_m = np.array(points, dtype=float).reshape(-1, 2)
    lines = [shapely.LineString(part) for part in parts if len(part) > 1]
    expected = [
        min((line.distance(shapely.Point(point)) for line in lines), default=INF) if np.isfinite(point).all() else INF
        for point in points_m
    ]
    assert distances_from_line(points_m, joined(parts)) == pytest.approx(expected, abs=1e-9)


@settings(deadline=None)
@given(
    st.lists(odd_points, max_size=3),
    st.lists(st.lists(corners, min_size=1, max_size=3), max_size=2),
    st.sampled_from([30.0, 200.0]),
    st.sampled_from([0.0, 12.0]),
)
def test_places_in_order_are_the_best_of_all_choices(points, parts, radius_m, left_m):
    assert_best_in_order(np.array(points, dtype=float).reshape(-1, 2), joined(parts), radius_m, left_m)


@pytest.mark.parametrize("seed", range(40))
def test_places_in_order_are_the_best_where_all_is_near(seed):
    chance = np.random.default_rng(seed)
    parts = [chance.uniform(0, 100, (3, 2)).tolist(), chance.uniform(0, 100, (2, 2)).tolist()]
    assert_best_in_order(chance.uniform(0, 100, (4, 2)), joined(parts), 60.0, 12.0)


def assert_best_in_order(points_m, corner_m, radius_m, left_m):
    way_m = np.arange(len(corner_m)) * 100.0
    mine = np.column_stack(places_in_order(points_m, corner_m, way_m, radius_m, left_m))
    twins = oracles.places_in_order(points_m, corner_m, way_m, radius_m, left_m)
    assert any(np.allclose(mine, np.reshape(twin, (-1, 2)), atol=1e-9, rtol=0, equal_nan=True) for twin in twins)


def test_places_on_a_line_worked_out_by_hand():
    # out 100 m and back 10 m beside it: the second point is nearer to the way out, which is behind the first by then
    corner_m = np.array([(0.0, 0.0), (100.0, 0.0), (100.0, 10.0), (0.0, 10.0)])
    way_m = np.array([0.0, 100.0, 110.0, 210.0])
    points_m = np.array([(80.0, 7.0), (20.0, 4.0), (70.0, 40.0)])
    place_m, distance_m = places_in_order(points_m, corner_m, way_m, 25.0, 0.0)
    assert place_m.tolist() == pytest.approx([130.0, 190.0, NAN], nan_ok=True)
    assert distance_m.tolist() == pytest.approx([3.0, 6.0, NAN], nan_ok=True)
