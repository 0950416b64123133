"""Links, foes and ways before and behind a signal, on streets drawn for the purpose and on real ones."""

from pathlib import Path

import numpy as np
import pytest
import sumolib

from networks.faults import InputError
from networks.network import EdgeKind
from networks.netxml import read_network
from signals.intergreen import Clearance
from signals.movement import conflicts_known, foe_matrix, response_matrix, signal_links
from signals.observation import approach_edges, departure_edges, stop_edges
from signals.plan import build_plan
from tests.signal_streets import ARMS, PLACES, SPEED_MPS, link_of, write_cross, write_streets

RESCO = ("cologne1", "cologne8", "ingolstadt1", "ingolstadt7")
WITH_PEOPLE = ("--crossings.guess", "true", "--sidewalks.guess", "true")


def test_foes_of_a_crossing_are_those_seen_on_paper(tmp_path):
    network = read_network(write_cross(tmp_path))
    foes, responses = foe_matrix(network, 0), response_matrix(network, 0)
    bit = {(a, b): link_of(network, "light", f"{a}c", f"c{b}") for a in "wesn" for b in "wesn" if a != b}
    # straight on from the west: crosses both streets' straight ways, and the left turn that comes towards it
    assert foes[bit["w", "e"], bit["s", "n"]]
    assert foes[bit["w", "e"], bit["n", "s"]]
    assert foes[bit["w", "e"], bit["e", "s"]]
    # merges with who turns into the same street; passes who comes towards it or turns right beside it
    assert foes[bit["w", "e"], bit["s", "e"]]
    assert foes[bit["w", "e"], bit["n", "e"]]
    assert not foes[bit["w", "e"], bit["e", "w"]]
    assert not foes[bit["w", "e"], bit["w", "s"]]
    assert not foes[bit["w", "e"], bit["n", "w"]]
    assert (foes == foes.T).all()
    # a permitted left turn lets who comes towards it go first
    assert responses[bit["e", "s"], bit["w", "e"]]
    assert not responses[bit["w", "e"], bit["e", "s"]]


def test_left_turns_over_both_inner_lanes_have_their_whole_way(tmp_path):
    path = write_cross(tmp_path)
    network = read_network(path)
    left = signal_links(network, 0)[link_of(network, "light", "wc", "cn")]
    lanes = [lane.getLength() for lane in _lanes_inside(path, ":c_11_0", ":c_15_0")]
    assert left.crossing_m == pytest.approx(sum(lanes))
    assert len(lanes) == 2
    assert left.approach_mps == SPEED_MPS


def _lanes_inside(path, *names):
    streets = sumolib.net.readNet(str(path), withInternal=True)
    return [streets.getLane(name) for name in names]


def test_people_have_links_of_their_own_and_vehicles_that_turn_are_their_foes(tmp_path):
    network = read_network(write_cross(tmp_path, *WITH_PEOPLE))
    links = signal_links(network, 0)
    people = [bit for bit, link in enumerate(links) if link.is_pedestrian]
    assert [round(links[bit].walk_m, 2) for bit in people] == [6.4] * 4
    assert all(links[bit].crossing_m == 0 and not links[bit].has_vehicles for bit in people)
    foes, responses = foe_matrix(network, 0), response_matrix(network, 0)
    # out of an arm three ways, into it three ways
    assert [int(foes[bit].sum()) for bit in people] == [6] * 4
    way = {name: link_of(network, "light", *name.split()) for name in ("wc cs", "ec cs")}
    (south,) = (bit for bit in people if foes[bit, way["wc cs"]] and foes[bit, way["ec cs"]])
    assert responses[way["wc cs"], south]
    assert responses[way["ec cs"], south]
    assert not responses[south, way["wc cs"]]


@pytest.mark.parametrize("name", [*RESCO, "adlershof"])
def test_foes_are_those_of_another_reader(name, request):
    if name == "adlershof":
        path = request.getfixturevalue("adlershof")
    else:
        path = request.getfixturevalue("data_dir") / "resco" / name / f"{name}.net.xml.gz"
    network = read_network(path)
    streets = sumolib.net.readNet(str(path), withInternal=True, withPrograms=True)
    met = 0
    for signal, entry in enumerate(network.signals):
        ours = foe_matrix(network, signal)
        ways = [(way[0].getID(), way[1].getID(), way[2]) for way in streets.getTLS(entry.signal_id).getConnections()]
        theirs = np.zeros_like(ours)
        for a_from, a_to, a in ways:
            for b_from, b_to, b in ways:
                theirs[a, b] |= a != b and _are_foes(streets, (a_from, a_to), (b_from, b_to))
        theirs |= theirs.T
        driven = sorted({bit for _, _, bit in ways})
        assert (ours[np.ix_(driven, driven)] == theirs[np.ix_(driven, driven)]).all()
        met += int(theirs.sum())
    assert met > 0


def _are_foes(streets, a, b):
    edges = [tuple(streets.getLane(lane).getEdge() for lane in way) for way in (a, b)]
    if edges[0] == edges[1]:
        return False
    node = edges[0][0].getToNode()
    if edges[1][0].getToNode() is not node:
        return False
    rows = [_request_row(streets, node, way) for way in (a, b)]
    return node.areFoes(*rows)


def _request_row(streets, node, way):
    links = [link for link in streets.getLane(way[0]).getOutgoing() if link.getToLane().getID() == way[1]]
    return node.getLinkIndex(links[0])


def test_a_bit_may_let_vehicles_and_people_go(adlershof):
    network = read_network(adlershof.parents[1] / "fkk_in" / "ingolstadt.net.xml.gz")
    plan = build_plan(network, "gneJ21", Clearance.ITE)
    shared = plan.links[11]
    assert shared.has_vehicles
    assert shared.has_people
    assert not shared.is_pedestrian
    assert plan.clearances[11].yellow_s >= 3
    assert plan.clearances[11].total_s >= shared.walk_m / 1.07


def test_bits_that_no_connection_sees_are_empty(adlershof):
    network = read_network(adlershof.parents[1] / "fkk_in" / "ingolstadt.net.xml.gz")
    signal = network.signal_index["335525545"]
    links = signal_links(network, signal)
    assert [bit for bit, link in enumerate(links) if not link.is_used] == [6, 10, 11]
    assert not foe_matrix(network, signal)[[6, 10, 11]].any()


def test_a_signal_of_two_junctions_knows_the_foes_at_each(tmp_path):
    places = {"w": (-200, 0), "a": (0, 0), "b": (60, 0), "e": (260, 0), "s": (0, -200), "t": (60, -200)}
    streets = {"wa": ("w", "a"), "ab": ("a", "b"), "be": ("b", "e"), "sa": ("s", "a"), "tb": ("t", "b")}
    network = read_network(write_streets(tmp_path, places, streets, {"a": "joint", "b": "joint"}))
    foes = foe_matrix(network, 0)
    bit = {way: link_of(network, "joint", *way.split()) for way in ("wa ab", "sa ab", "ab be", "tb be")}
    assert foes[bit["wa ab"], bit["sa ab"]]
    assert foes[bit["ab be"], bit["tb be"]]
    assert not foes[bit["wa ab"], bit["tb be"]]
    assert {network.edges.ids[edge] for edge in stop_edges(network, 0)} == {"wa", "sa", "ab", "tb"}


def test_without_lanes_inside_junctions_no_plan_is_made(tmp_path):
    network = read_network(write_cross(tmp_path, "--no-internal-links", "true"))
    assert not conflicts_known(network, 0)
    with pytest.raises(InputError, match="does not tell which links of signal 'light' are in conflict"):
        build_plan(network, "light", Clearance.ITE)


def test_an_approach_goes_upstream_over_a_street_of_one_metre(tmp_path):
    places = {**PLACES, "v": (-60, 0), "x": (-60, 100)}
    streets = {**ARMS, "wv": ("w", "v"), "wc": ("v", "c"), "xv": ("x", "v")}
    network = read_network(write_streets(tmp_path, places, streets, {"c": "light"}, length_m={"wc": 1.0, "wv": 140.0}))
    stops = stop_edges(network, 0)
    reached = {network.edges.ids[edge]: way_m for edge, way_m in approach_edges(network, stops, 150.0).items()}
    assert reached == {"wc": 0, "ec": 0, "sc": 0, "nc": 0, "wv": 1.0, "xv": 1.0}
    reached = {network.edges.ids[edge] for edge in approach_edges(network, stops, 1.0)}
    assert reached == {"wc", "ec", "sc", "nc"}


def test_a_departure_goes_on_until_a_choice_a_signal_or_an_end(tmp_path):
    places = {"w": (-99, 0), "c": (0, 0), "p": (30, 0), "q": (60, 0), "r": (90, 0), "t": (90, 50), "s": (0, -99)}
    streets = {
        "wc": ("w", "c"),
        "sc": ("s", "c"),
        "cp": ("c", "p"),
        "pq": ("p", "q"),
        "qr": ("q", "r"),
        "qt": ("q", "t"),
    }
    network = read_network(write_streets(tmp_path, places, streets, {"c": "light"}))
    index = network.edge_index
    assert departure_edges(network, index["cp"], 200.0) == (index["cp"], index["pq"])
    assert departure_edges(network, index["cp"], 5.0) == (index["cp"],)
    assert departure_edges(network, index["wc"], 200.0) == (index["wc"],)
    assert departure_edges(network, index["qr"], 200.0) == (index["qr"],)


def test_stop_lines_are_on_streets_not_on_walking_areas(tmp_path):
    network = read_network(write_cross(tmp_path, *WITH_PEOPLE))
    kinds = {network.edges.kind[edge] for edge in stop_edges(network, 0)}
    assert kinds == {EdgeKind.NORMAL}


def test_every_link_of_real_signals_has_a_way_through(adlershof: Path):
    network = read_network(adlershof)
    links = [link for signal in range(len(network.signals)) for link in signal_links(network, signal)]
    assert all(link.crossing_m > 0 for link in links if link.has_vehicles)
    assert all(link.has_vehicles or link.has_people for link in links if link.is_used)
