"""Streets from OpenStreetMap: what is kept, what is refused, and that the same input gives the same bytes."""

import gzip
import shutil
from pathlib import Path

import numpy as np
import osmium
import pytest

from networks.build import build_network
from networks.faults import InputError
from networks.geometry import from_lonlat
from networks.network import NONE, RoadNetwork
from networks.netxml import read_network
from networks.sites import find_sites
from networks.spatial import nearest_junctions

# a block of town near the equator, where 0.001 degrees are 111 m: a crossing with a light at (0, 0)
NODES = {
    1: (-0.002, 0.0), 2: (0.0, 0.0), 3: (0.002, 0.0), 4: (0.0, 0.002), 5: (0.0, -0.002), 6: (0.001, 0.0),
    7: (0.001, 0.001), 8: (0.010, 0.0), 9: (0.0, 0.001),
}  # fmt: skip
LIGHT = 2
MILL_LANE = 'Mill Lane & "Söhne" <1>'
WAYS = {
    10: ([1, 2], {"highway": "primary", "name": "High Street", "maxspeed": "60", "lanes": "2"}),
    15: ([2, 6, 3, 8], {"highway": "primary", "name": "High Street", "maxspeed": "60", "lanes": "2"}),
    11: ([4, 9, 2], {"highway": "residential", "name": MILL_LANE}),
    17: ([2, 5], {"highway": "residential", "name": MILL_LANE}),
    12: ([6, 7], {"highway": "footway"}),
    13: ([9, 7], {"highway": "service", "service": "driveway"}),
    14: ([5, 3], {"highway": "service"}),
    16: ([4, 7, 3], {"building": "yes"}),
}
RESTRICTION = """ <relation id="20"><member type="way" ref="10" role="from"/><member type="node" ref="2" role="via"/>
  <member type="way" ref="11" role="to"/><tag k="type" v="restriction"/>
  <tag k="restriction" v="no_left_turn"/></relation>
"""


def escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")


def osm_text(nodes: dict[int, tuple[float, float]] | None = None, *, restriction: bool = False) -> str:
    lines = ["<?xml version='1.0' encoding='UTF-8'?>", '<osm version="0.6">']
    for number, (lon, lat) in (NODES if nodes is None else nodes).items():
        tag = '<tag k="highway" v="traffic_signals"/>' if number == LIGHT else ""
        lines.append(f' <node id="{number}" version="1" lon="{lon}" lat="{lat}">{tag}</node>')
    for number, (refs, tags) in WAYS.items():
        inside = "".join(f'<nd ref="{ref}"/>' for ref in refs)
        inside += "".join(f'<tag k="{key}" v="{escaped(value)}"/>' for key, value in tags.items())
        lines.append(f' <way id="{number}" version="1">{inside}</way>')
    return "\n".join([*lines, RESTRICTION * restriction + "</osm>"])


def built(folder: Path, text: str, **options: object) -> RoadNetwork:
    source, target = folder / "town.osm", folder / "town.net.xml"
    source.write_text(text, encoding="utf-8")
    build_network(source, target, **options)
    return read_network(target)


def refused(source: Path, **options: object) -> InputError:
    target = source.parent / "never.net.xml"
    with pytest.raises(InputError) as caught:
        build_network(source, target, **options)
    assert not target.exists()
    assert list(source.parent.glob(".part-*")) == []
    return caught.value


def test_streets_become_edges_with_names_limits_and_a_light(tmp_path):
    network = built(tmp_path, osm_text())
    names = set(network.edges.names)
    assert names == {"", "High Street", MILL_LANE}
    main = [row for row, name in enumerate(network.edges.names) if name == "High Street"]
    fast = set(np.round(network.edge_speed_mps[main] * 3.6))
    assert fast == {60}
    assert [signal.signal_id for signal in network.signals] == ["2"]
    (site,) = find_sites(network)
    assert (site.legs, site.street_names) == (4, ("High Street", MILL_LANE))
    rows, away_m = nearest_junctions(network, from_lonlat(network.location, [(0.0, 0.0)]), 5.0)
    assert network.junctions.ids[rows[0]] == "2"
    assert away_m[0] < 0.5


def test_paths_driveways_and_buildings_are_left_out_and_service_roads_are_for_buses(tmp_path):
    network = built(tmp_path, osm_text())
    assert not any("footway" in kind for kind in network.edges.type_ids)
    service = [row for row, kind in enumerate(network.edges.type_ids) if kind == "highway.service"]
    assert len(service) == 2, "way 14 there and back, the driveway not"
    assert network.edges_for("bus")[service].all()
    assert not network.edges_for("passenger")[service].any()


def test_the_built_light_clears_the_junction_between_greens(tmp_path):
    (signal,) = built(tmp_path, osm_text()).signals
    states = [phase.state for phase in signal.programs[0].phases]
    assert any(set(state) == {"r"} for state in states)
    assert sum("y" in state for state in states) >= 2


def test_a_turn_restriction_closes_the_turn(tmp_path):
    def turns(network: RoadNetwork) -> set[tuple[str, str]]:
        rows = zip(network.connection_from_edge, network.connection_to_edge, strict=True)
        return {(network.edges.ids[begin], network.edges.ids[end]) for begin, end in rows}

    free, closed = turns(built(tmp_path, osm_text())), turns(built(tmp_path, osm_text(restriction=True)))
    gone = {(begin, end) for begin, end in free - closed if not begin.startswith(":")}
    assert gone
    assert all("10" in begin and "11" in end for begin, end in gone)


def test_a_box_keeps_the_streets_that_touch_it_in_full(tmp_path):
    network = built(tmp_path, osm_text(), bbox=(0.0015, -0.0005, 0.0025, 0.0005))
    assert set(network.edges.names) == {"", "High Street"}, "node 3 is on ways 14 and 15"
    west, _, east, _ = network.location.bounds_m
    assert east - west == pytest.approx(1113, rel=0.01), "way 15 goes on to node 8, far outside: 0.010 degrees"


def test_every_kind_of_osm_file_gives_the_same_bytes(tmp_path):
    plain = tmp_path / "town.osm"
    plain.write_text(osm_text(), encoding="utf-8")
    packed, binary, target = tmp_path / "town.osm.gz", tmp_path / "town.osm.pbf", tmp_path / "out.net.xml"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    with osmium.SimpleWriter(str(binary)) as writer:
        for item in osmium.FileProcessor(str(plain)):
            writer.add(item)
    results = set()
    for source in (plain, packed, binary, plain):
        build_network(source, target)
        results.add(target.read_bytes())
    assert len(results) == 1
    assert str(tmp_path).encode() not in results.pop(), "no path of this machine in it"


def test_a_packed_network_holds_the_same_text_and_no_time(tmp_path):
    source, plain, packed = tmp_path / "town.osm", tmp_path / "a.net.xml", tmp_path / "b.net.xml.gz"
    source.write_text(osm_text(), encoding="utf-8")
    stages: list[str] = []
    report = build_network(source, plain, on_progress=stages.append)
    build_network(source, packed)
    assert gzip.decompress(packed.read_bytes()) == plain.read_bytes()
    assert packed.read_bytes()[4:8] == bytes(4), "the time in the head of a gzip file"
    assert b"OpenStreetMap contributors" in plain.read_bytes()[:300]
    assert len(stages) == 3
    network = read_network(plain)
    assert (report.signals, report.junctions) == (1, sum(kind != "internal" for kind in network.junctions.kind))
    assert report.length_km == pytest.approx(network.edge_length_m[network.edges.kind == 0].sum() / 1000, abs=0.001)


def test_ways_before_their_nodes_and_missing_nodes_are_no_hindrance(tmp_path):
    lines = osm_text({number: place for number, place in NODES.items() if number != 8}).splitlines()
    ways = [line for line in lines if "<way" in line]
    shuffled = [*lines[:2], *ways, *(line for line in lines[2:] if "<way" not in line)]
    network = built(tmp_path, "\n".join(shuffled))
    assert "High Street" in network.edges.names


def test_identifiers_below_zero_are_taken(tmp_path):
    text = osm_text().replace('ref="', 'ref="-').replace(' id="', ' id="-')
    assert len(built(tmp_path, text).signals) == 1


@pytest.mark.parametrize("bbox", [(0, 0, 0, 1), (1, 0, 0, 1), (-200, 0, 0, 1), (0, 0, 1, 91), (float("nan"), 0, 1, 1)])
def test_a_box_that_is_none_is_refused(tmp_path, bbox):
    source = tmp_path / "town.osm"
    source.write_text(osm_text())
    fault = refused(source, bbox=bbox)
    assert (fault.code, fault.field) == ("CONFIG_VALUE", "bbox")


def test_a_box_elsewhere_has_no_street(tmp_path):
    source = tmp_path / "town.osm"
    source.write_text(osm_text())
    fault = refused(source, bbox=(10, 10, 11, 11))
    assert fault.code == "NET_BUILD"
    assert "in the box 10,10,11,11" in fault.what


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.osm", b"", "NET_BUILD"),
        ("a.osm", b"<osm><node id=", "NET_BUILD"),
        ("a.osm", b'<osm version="0.6"></osm>', "NET_BUILD"),
        ("a.osm", b'<osm version="0.6"><node id="x" lon="0" lat="0"/></osm>', "NET_BUILD"),
        ("a.osm", b"<net/>", "NET_BUILD"),
        ("a.osm", b'<!DOCTYPE osm [<!ENTITY a "a">]><osm version="0.6"/>', "XML_DTD_REFUSED"),
        ("a.osm.gz", b"no gzip", "ZIP_CORRUPT"),
        ("a.osm.pbf", b"no protobuf", "NET_BUILD"),
        ("a.osm.pbf", b"", "NET_BUILD"),
        ("a.txt", b"<osm/>", "NET_BUILD"),
    ],
)
def test_a_file_that_is_no_map_is_refused(tmp_path, name, content, code):
    source = tmp_path / name
    source.write_bytes(content)
    fault = refused(source)
    assert (fault.code, fault.file) == (code, str(source))
    assert "\n" not in str(fault)


def test_what_netconvert_refuses_is_told_in_its_own_words(tmp_path):
    source = tmp_path / "no-nodes.osm"
    source.write_text(osm_text(nodes={}))
    fault = refused(source)
    assert fault.code == "NET_BUILD"
    assert "No nodes loaded" in fault.what


def test_a_street_that_meets_no_other_is_no_network(tmp_path):
    source = tmp_path / "lonely.osm"
    source.write_text(osm_text())
    fault = refused(source, bbox=(-0.0005, 0.0015, 0.0005, 0.0025))
    assert fault.code == "NET_BUILD"
    assert str(source) in str(fault)


def test_a_missing_file_is_refused(tmp_path):
    assert refused(tmp_path / "absent.osm.pbf").code == "FILE_MISSING"


def test_a_truncated_extract_is_refused(tmp_path, data_dir):
    source = tmp_path / "cut.osm.pbf"
    whole = (data_dir / "portland" / "osm.pbf").read_bytes()
    source.write_bytes(whole[: len(whole) // 2])
    assert refused(source).code == "NET_BUILD"


@pytest.mark.slow
def test_a_real_town_becomes_one_connected_network(tmp_path, data_dir):
    target = tmp_path / "portland.net.xml.gz"
    source = tmp_path / "copy.osm.pbf"
    shutil.copyfile(data_dir / "portland" / "osm.pbf", source)
    report = build_network(source, target, bbox=(-122.69, 45.505, -122.65, 45.53))
    network = read_network(target)
    assert report.edges > 1500
    assert report.signals > 150, "downtown has a light at almost every corner"
    assert (network.connections.signal != NONE).sum() > 1000
    assert "Southwest Broadway" in network.edges.names
    restricted = {site.legs for site in find_sites(network)}
    assert {3, 4} <= restricted
