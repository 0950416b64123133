"""The road as a graph: paths by hand, against networkx over sumolib's own reading, and at the edges of reason."""

from itertools import pairwise

import networkx as nx
import numpy as np
import pytest
import sumolib
from hypothesis import given, settings
from hypothesis import strategies as st

from networks.graph import Router, router, to_networkx
from networks.network import RoadNetwork
from networks.netxml import read_network
from tests.paper_network import write_paper_network


@pytest.fixture(scope="module")
def adlershof_network(adlershof) -> RoadNetwork:
    return read_network(adlershof)


@pytest.fixture(scope="module")
def adlershof_roads(adlershof_network) -> Router:
    return router(adlershof_network)


@pytest.fixture
def square(tmp_path) -> RoadNetwork:
    """A to D over B (20 s on long streets) or over C (12 s on short ones); turning from ac into cd is not allowed.

    Only over the detour ``cx xc`` can a car that went to C go on to D.
    """
    streets = {
        "start": ("Z", "A", 50),
        "ab": ("A", "B", 100),
        "bd": ("B", "D", 100),
        "ac": ("A", "C", 60),
        "cd": ("C", "D", 60),
        "cx": ("C", "X", 10),
        "xc": ("X", "C", 10),
        "end": ("D", "Y", 50),
        "path": ("A", "D", 5),
        "island": ("P", "Q", 40),
    }
    ways = ["start ab bd end", "start ac cx xc cd end", "start path end"]
    return write_paper_network(tmp_path / "square.net.xml", streets, ways, closed=("path",))


def _between(network: RoadNetwork, roads: Router, begin: str, end: str) -> list[str]:
    origin, destination = (np.array([network.edge_index[name]], dtype=np.int32) for name in (begin, end))
    return [network.edges.ids[row] for row in roads.paths(origin, destination)[0]]


def test_fastest_path_counts_the_detour_that_a_forbidden_turn_costs(square):
    roads = router(square)
    # over C: 6 + 1 + 1 + 6 = 14 s; over B: 10 + 10 = 20 s; the footpath (0.5 s) is not for cars
    assert _between(square, roads, "start", "end") == ["start", "ac", "cx", "xc", "cd", "end"]
    trees = roads.trees(np.array([square.edge_index["start"]], dtype=np.int32))
    assert trees.cost_s[0, roads.node_of_edge[square.edge_index["end"]]] == pytest.approx(14 + 5)


def test_own_costs_move_the_path(square):
    roads = router(square)
    cost_s = roads.travel_time_s.copy()
    cost_s[roads.node_of_edge[square.edge_index["cx"]]] = 100.0
    origin = np.array([square.edge_index["start"]], dtype=np.int32)
    destination = np.array([square.edge_index["end"]], dtype=np.int32)
    path = roads.paths(origin, destination, cost_s)[0]
    assert [square.edges.ids[row] for row in path] == ["start", "ab", "bd", "end"]


def test_path_to_itself_and_path_to_nowhere(square):
    roads = router(square)
    assert _between(square, roads, "ab", "ab") == ["ab"]
    assert _between(square, roads, "end", "start") == []
    assert _between(square, roads, "start", "island") == []


def test_edge_closed_to_the_class_is_refused(square):
    with pytest.raises(ValueError, match="closed to the vehicle class"):
        _between(square, router(square), "start", "path")


def test_pedestrians_may_take_the_path_that_cars_may_not(square):
    assert "path" in {square.edges.ids[row] for row in router(square, "pedestrian").edges}
    assert "path" not in {square.edges.ids[row] for row in router(square).edges}


def test_connected_part_leaves_the_island_out(square):
    inside = {square.edges.ids[row] for row in np.flatnonzero(router(square).connected_part())}
    assert inside == {"start", "ab", "bd", "ac", "cd", "cx", "xc", "end"}


def test_networkx_view_has_the_streets_of_the_class(square):
    graph = to_networkx(square)
    assert set(graph.nodes) == {"Z", "A", "B", "C", "D", "X", "Y", "P", "Q"}
    assert {key for _, _, key in graph.edges(keys=True)} == set(square.edges.ids) - {"path"}
    assert graph.edges["A", "C", "ac"] == {"length_m": 60.0, "speed_mps": 10.0, "travel_time_s": 6.0, "name": ""}
    assert (graph.nodes["B"]["x_m"], graph.nodes["B"]["y_m"]) == (1000.0, 0.0)


def test_networkx_view_keeps_parallel_streets(adlershof_network):
    graph = to_networkx(adlershof_network)
    assert graph.number_of_edges() == int(adlershof_network.edges_for("passenger").sum())


@pytest.fixture(scope="module")
def line_graph(adlershof) -> nx.DiGraph:
    """Edges as nodes and turns as arcs, from sumolib's reading of the same file."""
    net = sumolib.net.readNet(str(adlershof))
    graph = nx.DiGraph()
    for edge in net.getEdges(withInternal=False):
        if edge.allows("passenger"):
            graph.add_node(edge.getID())
            for after in edge.getAllowedOutgoing("passenger"):
                graph.add_edge(edge.getID(), after.getID(), cost_s=after.getLength() / after.getSpeed())
    return graph


@pytest.mark.parametrize("seed", [1, 2])
def test_costs_and_paths_are_those_of_networkx_over_sumolib(adlershof_network, adlershof_roads, line_graph, seed):
    rng = np.random.default_rng(seed)
    network, roads = adlershof_network, adlershof_roads
    for origin in rng.choice(roads.edges, 8):
        name = network.edges.ids[origin]
        expected = nx.single_source_dijkstra_path_length(line_graph, name, weight="cost_s")
        destinations = rng.choice(roads.edges, 60).astype(np.int32)
        for path, destination in zip(roads.paths(np.full(60, origin), destinations), destinations, strict=True):
            target = network.edges.ids[destination]
            names = [network.edges.ids[row] for row in path]
            assert bool(names) == (target in expected)
            if names:
                assert (names[0], names[-1]) == (name, target)
                cost_s = sum(line_graph.edges[step]["cost_s"] for step in pairwise(names))
                assert cost_s == pytest.approx(expected[target])


def test_many_origins_in_batches_give_the_same_paths(adlershof_roads, monkeypatch):
    rng = np.random.default_rng(3)
    origins, destinations = rng.choice(adlershof_roads.edges, (2, 200)).astype(np.int32)
    at_once = adlershof_roads.paths(origins, destinations)
    monkeypatch.setattr("networks.graph.BATCH_CELLS", 7 * len(adlershof_roads.edges))
    in_pieces = adlershof_roads.paths(origins, destinations)
    assert [path.tolist() for path in at_once] == [path.tolist() for path in in_pieces]


@settings(deadline=None, max_examples=40)
@given(st.sets(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=18))
def test_reachability_on_random_little_networks(tmp_path_factory, turns):
    """Streets 0..6 with any turns between them: a path is found exactly where networkx finds one."""
    streets = {f"s{number}": (f"n{number}", f"m{number}", 10.0 + number) for number in range(7)}
    file = tmp_path_factory.mktemp("little") / "x.net.xml"
    network = write_paper_network(file, streets, [f"s{begin} s{end}" for begin, end in sorted(turns)])
    roads = router(network)
    graph = nx.DiGraph(list(turns))
    graph.add_nodes_from(range(7))
    pairs = np.array([(begin, end) for begin in range(7) for end in range(7)], dtype=np.int32)
    for path, (begin, end) in zip(roads.paths(pairs[:, 0], pairs[:, 1]), pairs.tolist(), strict=True):
        assert bool(len(path)) == nx.has_path(graph, begin, end)
        assert all(step in turns for step in pairwise(path.tolist()))
