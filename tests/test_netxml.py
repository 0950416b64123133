"""The network reader: the same network as sumolib reads, hand-made ones as drawn, faulty ones refused."""

import gzip
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
import sumolib
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from networks.faults import InputError
from networks.network import ALL_CLASSES, CLASS_BIT, NONE, VEHICLE_CLASSES, EdgeKind, RoadNetwork
from networks.netxml import read_network

# A crossing c with a light, four arms, one of them one-way in; a footpath beside; driven on the right.
CROSSING = """<?xml version="1.0" encoding="UTF-8"?>
<net version="1.20" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
    <location netOffset="-500.25,1000.00" convBoundary="0.00,0.00,200.00,200.00" origBoundary="0,0,1,1"
              projParameter="+proj=utm +zone=33 +ellps=WGS84 +datum=WGS84 +units=m +no_defs"/>
    <edge id=":c_0" function="internal">
        <lane id=":c_0_0" index="0" speed="9.00" length="12.50" shape="95,101 105,101"/>
    </edge>
    <edge id="west" from="w" to="c" priority="3" name="Long Street" type="highway.primary">
        <lane id="west_0" index="0" allow="pedestrian" speed="13.89" length="95.00" width="2.00" shape="0,98 95,98"/>
        <lane id="west_1" index="1" disallow="pedestrian tram" speed="13.89" length="95.00"
              shape="0,101 50,101.5 95,101"/>
    </edge>
    <edge id="east" from="c" to="e" priority="3" name="Long Street">
        <lane id="east_0" index="0" speed="16.67" length="95.00" shape="105,101,3.5 200,101,4.5"/>
    </edge>
    <edge id="south" from="s" to="c" priority="1">
        <lane id="south_0" index="0" allow="bus taxi" speed="8.33" length="95.00" shape="99,0 99,95"/>
    </edge>
    <tlLogic id="c" type="actuated" programID="day" offset="7">
        <phase duration="30" minDur="5" maxDur="40" state="Gr" name="main"/>
        <phase duration="4" state="yr"/>
        <phase duration="20" state="rG" next="0 1"/>
    </tlLogic>
    <tlLogic id="c" type="static" programID="night" offset="begin">
        <phase duration="90" state="oo"/>
    </tlLogic>
    <junction id="w" type="dead_end" x="0.00" y="100.00" incLanes="" intLanes="" shape="0,100 0,102"/>
    <junction id="e" type="dead_end" x="200.00" y="100.00" incLanes="east_0" intLanes="" shape="200,100 200,102"/>
    <junction id="s" type="dead_end" x="100.00" y="0.00" incLanes="" intLanes="" shape="98,0 100,0"/>
    <junction id="c" type="traffic_light" x="100.00" y="100.00" incLanes="west_1 south_0" intLanes=":c_0_0"
              shape="95,95">
        <request index="0" response="00" foes="10" cont="0"/>
        <request index="1" response="01" foes="01" cont="0"/>
    </junction>
    <connection from="west" to="east" fromLane="1" toLane="0" via=":c_0_0" tl="c" linkIndex="0" dir="s" state="o"/>
    <connection from="south" to="east" fromLane="0" toLane="0" tl="c" linkIndex="1" dir="r" state="o"/>
    <connection from=":c_0" to="east" fromLane="0" toLane="0" dir="s" state="M"/>
</net>
"""


def read_text(folder: Path, text: str) -> RoadNetwork:
    path = folder / "made.net.xml"
    path.write_text(text, encoding="utf-8")
    return read_network(path)


def refused(folder: Path, text: str) -> InputError:
    with pytest.raises(InputError) as caught:
        read_text(folder, text)
    assert caught.value.file is not None
    return caught.value


def test_a_hand_made_network_is_read_as_drawn(tmp_path):
    network = read_text(tmp_path, CROSSING)
    edges, lanes = network.edges, network.lanes
    assert edges.ids == (":c_0", "west", "east", "south")
    assert edges.kind.tolist() == [EdgeKind.INTERNAL] + [EdgeKind.NORMAL] * 3
    assert [network.junctions.ids[row] for row in edges.from_junction] == ["c", "w", "c", "s"]
    assert [network.junctions.ids[row] for row in edges.to_junction] == ["c", "c", "e", "c"]
    assert edges.priority.tolist() == [NONE, 3, 3, 1]
    assert edges.names == ("", "Long Street", "Long Street", "")
    assert edges.type_ids == ("", "highway.primary", "", "")
    assert edges.lane_start.tolist() == [0, 1, 3, 4, 5]
    assert lanes.edge.tolist() == [0, 1, 1, 2, 3]
    assert lanes.length_m.tolist() == [12.5, 95, 95, 95, 95]
    assert lanes.speed_mps.tolist() == [9, 13.89, 13.89, 16.67, 8.33]
    assert lanes.width_m.tolist() == [3.2, 2, 3.2, 3.2, 3.2]
    assert network.lane_shape_m(2).tolist() == [[0, 101], [50, 101.5], [95, 101]]
    assert network.lane_shape_m(3).tolist() == [[105, 101], [200, 101]], "a height is dropped"


def test_permissions_follow_allow_and_disallow(tmp_path):
    masks = read_text(tmp_path, CROSSING).lanes.permissions
    admitted = [{name for name in VEHICLE_CLASSES if mask & CLASS_BIT[name]} for mask in masks]
    assert admitted[0] == set(VEHICLE_CLASSES)
    assert admitted[1] == {"pedestrian"}
    assert admitted[2] == set(VEHICLE_CLASSES) - {"pedestrian", "tram"}
    assert admitted[4] == {"bus", "taxi"}


def test_connections_lights_and_programs_are_tied_together(tmp_path):
    network = read_text(tmp_path, CROSSING)
    connections = network.connections
    assert [network.lanes.ids[row] for row in connections.from_lane] == ["west_1", "south_0", ":c_0_0"]
    assert [network.lanes.ids[row] for row in connections.to_lane] == ["east_0"] * 3
    assert connections.via_lane.tolist() == [0, NONE, NONE]
    assert connections.signal.tolist() == [0, 0, NONE]
    assert connections.link.tolist() == [0, 1, NONE]
    assert connections.direction == ("s", "r", "s")
    (signal,) = network.signals
    assert (signal.signal_id, signal.links) == ("c", ((0,), (1,)))
    day, night = signal.programs
    assert (day.program_id, day.kind, day.offset_s, night.offset_s) == ("day", "actuated", 7, 0)
    assert [(phase.duration_s, phase.state) for phase in day.phases] == [(30, "Gr"), (4, "yr"), (20, "rG")]
    assert (day.phases[0].min_s, day.phases[0].max_s, day.phases[0].name) == (5, 40, "main")
    assert (day.phases[1].min_s, day.phases[2].next_phases) == (None, (0, 1))
    assert network.junctions.requests[network.junction_index["c"]] == (("00", "10"), ("01", "01"))
    assert network.junctions.internal_lanes[network.junction_index["c"]] == (0,)


def test_the_network_knows_what_meets_where(tmp_path):
    network = read_text(tmp_path, CROSSING)
    middle = network.junction_index["c"]
    assert [network.edges.ids[edge] for edge in network.incoming_edges(middle)] == ["west", "south"]
    assert [network.edges.ids[edge] for edge in network.outgoing_edges(middle)] == ["east"]
    assert network.incoming_edges(network.junction_index["w"]).tolist() == []
    assert network.street_names(middle) == ("Long Street",)
    assert network.signal_of_junction == {middle: 0}
    assert network.junctions_of_signal(0) == (middle,)
    assert network.edges_for("bus").tolist() == [False, True, True, True]
    assert network.edges_for("passenger").tolist() == [False, True, True, False]
    assert network.edge_speed_mps.tolist() == [9, 13.89, 16.67, 8.33]
    assert [network.connection_order[row] for row in network.connections_from(1)] == [0]


def test_the_location_places_it_on_the_globe(tmp_path):
    location = read_text(tmp_path, CROSSING).location
    assert (location.offset_x_m, location.offset_y_m) == (-500.25, 1000)
    assert location.bounds_m == (0, 0, 200, 200)
    assert location.is_geographic
    assert not read_text(tmp_path, re.sub("<location[^>]*>", "", CROSSING)).location.is_geographic


def test_a_packed_network_is_the_same(tmp_path):
    plain = read_text(tmp_path, CROSSING)
    path = tmp_path / "packed.net.xml.gz"
    path.write_bytes(gzip.compress(CROSSING.encode()))
    packed = read_network(path)
    assert packed.edges.ids == plain.edges.ids
    assert packed.lanes.shape_m.tolist() == plain.lanes.shape_m.tolist()
    assert packed.signals == plain.signals


RESCO = ("cologne1", "cologne8", "ingolstadt1", "ingolstadt7")


@pytest.mark.parametrize("name", ["adlershof", *RESCO])
def test_real_networks_are_read_as_sumolib_reads_them(name, adlershof, request):
    path = adlershof if name == "adlershof" else request.getfixturevalue("data_dir") / f"resco/{name}/{name}.net.xml.gz"
    ours, theirs = read_network(path), sumolib.net.readNet(str(path), withInternal=True, withPrograms=True)
    assert set(ours.edges.ids) == {edge.getID() for edge in theirs.getEdges(withInternal=True)}
    for row, edge_id in enumerate(ours.edges.ids):
        _same_edge(ours, row, theirs.getEdge(edge_id))
    _same_connections(ours, theirs)
    _same_junctions(ours, theirs)
    _same_signals(ours, theirs)
    _same_matrices(ours, path)
    west, south, east, north = ours.location.bounds_m
    assert [(west, south), (east, north)] == [tuple(corner) for corner in theirs.getBBoxXY()] or name != "adlershof"


def _same_edge(ours: RoadNetwork, row: int, edge: sumolib.net.edge.Edge) -> None:
    assert ours.edges.names[row] == edge.getName()
    assert (ours.edges.kind[row] == EdgeKind.NORMAL) == (edge.getFunction() == "")
    if edge.getFunction() == "":
        assert ours.junctions.ids[ours.edges.from_junction[row]] == edge.getFromNode().getID()
        assert ours.junctions.ids[ours.edges.to_junction[row]] == edge.getToNode().getID()
        assert ours.edges.priority[row] == edge.getPriority()
    assert len(ours.lanes_of(row)) == edge.getLaneNumber()
    for lane_row, lane in zip(ours.lanes_of(row), edge.getLanes(), strict=True):
        assert ours.lanes.ids[lane_row] == lane.getID()
        assert ours.lanes.length_m[lane_row] == lane.getLength()
        assert ours.lanes.speed_mps[lane_row] == lane.getSpeed()
        assert ours.lanes.width_m[lane_row] == lane.getWidth()
        assert ours.lane_shape_m(lane_row).tolist() == [list(point[:2]) for point in lane.getShape()]
        admitted = {vehicle for vehicle in VEHICLE_CLASSES if ours.lanes.permissions[lane_row] & CLASS_BIT[vehicle]}
        assert admitted == {vehicle for vehicle in VEHICLE_CLASSES if lane.allows(vehicle)}


def _same_connections(ours: RoadNetwork, theirs: sumolib.net.Net) -> None:
    rows = ours.connections
    lane = ours.lanes.ids
    signal = [ours.signals[number].signal_id if number != NONE else "" for number in rows.signal]
    via = [lane[number] if number != NONE else "" for number in rows.via_lane]
    found = sorted(
        (lane[rows.from_lane[i]], lane[rows.to_lane[i]], via[i], signal[i], int(rows.link[i]), rows.direction[i])
        for i in range(len(rows))
    )
    # rail signals and rail crossings run without a program: no light of ours
    lights = {light.getID() for light in theirs.getTrafficLights() if light.getPrograms()}
    expected = sorted(
        (
            link.getFromLane().getID(),
            link.getToLane().getID(),
            link.getViaLaneID(),
            link.getTLSID() if link.getTLSID() in lights else "",
            link.getTLLinkIndex() if link.getTLSID() in lights else NONE,
            link.getDirection(),
        )
        for edge in theirs.getEdges(withInternal=True)
        for out in edge.getLanes()
        for link in out.getOutgoing()
    )
    assert found == expected


def _same_junctions(ours: RoadNetwork, theirs: sumolib.net.Net) -> None:
    for node in theirs.getNodes():
        row = ours.junction_index[node.getID()]
        assert ours.junctions.kind[row] == node.getType()
        assert (ours.junctions.x_m[row], ours.junctions.y_m[row]) == node.getCoord()


def _same_signals(ours: RoadNetwork, theirs: sumolib.net.Net) -> None:
    lights = [light for light in theirs.getTrafficLights() if light.getPrograms()]
    assert set(ours.signal_index) == {light.getID() for light in lights}
    for light in lights:
        signal = ours.signals[ours.signal_index[light.getID()]]
        programs = light.getPrograms()
        assert {program.program_id for program in signal.programs} == set(programs)
        for program in signal.programs:
            phases = programs[program.program_id].getPhases()
            assert [(phase.duration_s, phase.state) for phase in program.phases] == [
                (phase.duration, phase.state) for phase in phases
            ]


def _same_matrices(ours: RoadNetwork, path: Path) -> None:
    """Right of way and widths of states, against the elements themselves."""
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as stream:
        root = ET.parse(stream).getroot()
    for junction in root.iter("junction"):
        expected = tuple((request.get("response"), request.get("foes")) for request in junction.iter("request"))
        assert ours.junctions.requests[ours.junction_index[junction.get("id")]] == expected
    for logic in root.iter("tlLogic"):
        assert len(ours.signals[ours.signal_index[logic.get("id")]].links) == len(logic[0].get("state"))


@pytest.mark.parametrize("text", ["", "   \n", "<net>", CROSSING[:700], CROSSING[:-3], "nonsense", "\0\1\2"])
def test_a_truncated_or_empty_network_is_refused_with_its_line(tmp_path, text):
    fault = refused(tmp_path, text)
    assert fault.code == "NET_XML"
    assert fault.row is not None


def test_the_line_is_the_one_where_the_text_stops(tmp_path):
    lines = CROSSING.splitlines()
    assert refused(tmp_path, "\n".join(lines[:20])).row == 20


ORPHAN_PHASE = '<net><phase duration="1" state="G"/></net>'


@pytest.mark.parametrize(
    "text", ["<routes/>", "<net/>", '<net><edge id="a" from="b" to="c"/></net>', "<edge/>", ORPHAN_PHASE]
)
def test_xml_that_is_no_network_is_refused(tmp_path, text):
    assert refused(tmp_path, text).code == "NET_XML"


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ('length="12.50"', 'length="long"'),
        ('length="12.50"', ""),
        ('shape="0,98 95,98"', 'shape="0,98 95"'),
        ('from="south" to="east"', 'from="nowhere" to="east"'),
        ('netOffset="-500.25,1000.00"', 'netOffset="here"'),
        ('function="internal"', 'function="magic"'),
        ('duration="30"', 'duration="half a minute"'),
        ('x="200.00"', 'x="far"'),
    ],
)
def test_a_garbled_attribute_is_refused(tmp_path, right, wrong):
    assert CROSSING.count(right) >= 1
    assert refused(tmp_path, CROSSING.replace(right, wrong)).code == "NET_XML"


@pytest.mark.parametrize("lane", ["-1", "2"])
def test_a_connection_must_leave_a_lane_of_its_edge(tmp_path, lane):
    wrong = CROSSING.replace('from="west" to="east" fromLane="1"', f'from="west" to="east" fromLane="{lane}"')
    assert refused(tmp_path, wrong).code == "NET_XML"


def test_an_edge_without_lanes_is_refused_by_name(tmp_path):
    bare = re.sub(r'(<edge id="south"[^>]*>)\s*<lane [^>]*>', r"\1", CROSSING)
    fault = refused(tmp_path, bare)
    assert fault.code == "NET_XML"
    assert "south" in fault.what


@pytest.mark.parametrize(("right", "wrong"), [('state="yr"', 'state="yrr"'), ('linkIndex="1"', 'linkIndex="2"')])
def test_states_must_cover_the_links(tmp_path, right, wrong):
    fault = refused(tmp_path, CROSSING.replace(right, wrong))
    assert (fault.code, fault.field) == ("TLS_STATE", "state")
    assert "'c'" in fault.what


def test_a_document_type_declaration_is_refused(tmp_path):
    bomb = '<!DOCTYPE net [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>\n'
    fault = refused(tmp_path, CROSSING.replace("<net ", bomb + "<net "))
    assert (fault.code, fault.row) == ("XML_DTD_REFUSED", 2)


@given(cut=st.integers(0, len(CROSSING.encode()) - 1))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=200)
def test_no_cut_network_passes_as_whole(tmp_path, cut):
    path = tmp_path / "cut.net.xml"
    whole = CROSSING.strip().encode()
    path.write_bytes(whole[: min(cut, len(whole) - 1)])
    with pytest.raises(InputError, match="NET_XML"):
        read_network(path)


def test_a_lane_without_a_shape_is_refused(tmp_path):
    text = CROSSING.replace(re.search(r'lane id="east_0"[^>]*(shape="[^"]+")', CROSSING)[1], 'shape=""')
    with pytest.raises(InputError, match="NET_XML"):
        read_text(tmp_path, text)


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """The crossing with one attribute removed or replaced by something else."""
    found = list(re.finditer(r' (?!fromLane|toLane)(\w+)="([^"]*)"', CROSSING.partition("<location")[2]))
    begin = CROSSING.index("<location") + len("<location")
    chosen = draw(st.sampled_from(found))
    value = draw(st.sampled_from(["", "x", "-1", "7", "1e400", "nan", "0,0", "c", "west", "99999999999999999999"]))
    new = draw(st.sampled_from(["", f' {chosen[1]}="{value}"']))
    return CROSSING[: begin + chosen.start()] + new + CROSSING[begin + chosen.end() :]


@given(text=damaged())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=400)
def test_a_damaged_network_is_read_whole_or_refused(tmp_path, text):
    code, network = "", None
    try:
        network = read_text(tmp_path, text)
    except InputError as fault:
        code = fault.code
    if network is None:
        assert code in {"NET_XML", "TLS_STATE"}
        return
    assert ((network.connections.to_lane >= 0) & (network.connections.to_lane < len(network.lanes))).all()
    assert len(network.lanes.shape_m) == network.lanes.shape_start[-1]
    assert np.bitwise_and(network.lanes.permissions, ~ALL_CLASSES).sum() == 0
    assert all(len(phase.state) == len(network.signals[0].links) for phase in network.signals[0].programs[0].phases)
