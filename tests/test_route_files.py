"""Route files: what SUMO would pass over in silence is named, with its line; what is right is counted right."""

import contextlib
import gzip
import math
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
import sumo
from hypothesis import given
from hypothesis import strategies as st

from networks.faults import InputError
from networks.netxml import read_network
from sim.flows import Flow
from sim.route_files import read_route_file, read_route_files
from sim.times import clock_text, parse_time_s
from tests.paper_network import write_paper_network

STREETS = {"a": ("A", "B", 100), "b": ("B", "C", 100), "c": ("C", "D", 100), "z": ("Y", "Z", 100)}


@pytest.fixture
def network(tmp_path):
    return write_paper_network(tmp_path / "x.net.xml", STREETS, ["a b c"])


def _write(folder: Path, body: str, name: str = "x.rou.xml") -> Path:
    path = folder / name
    path.write_text(f"<routes>\n{body}\n</routes>\n")
    return path


GOOD = """<vType id="car" vClass="passenger"/>
<route id="r" edges="a b c"/>
<vehicle id="v0" type="car" route="r" depart="0"/>
<vehicle id="v1" depart="10.5"><route edges="a b"/></vehicle>
<trip id="t0" depart="00:00:20" from="a" to="c" via="b"/>
<flow id="f" begin="30" end="90" number="6" from="a" to="c"/>
<person id="v0" depart="40"><walk edges="a b"/></person>
<vehicle id="v2" depart="0:00:01:00">
<routeDistribution><route edges="b c" probability="1"/></routeDistribution></vehicle>"""


def test_good_file_is_summed_up(network, tmp_path):
    found = read_route_file(_write(tmp_path, GOOD), network)
    assert (found.vehicles, found.trips, found.persons, len(found.flows)) == (3, 1, 1, 1)
    assert found.departures_s.tolist() == [0, 10.5, 20, 60]
    assert [network.edges.ids[row] for row in found.edges] == ["a", "b", "c"]
    assert found.scheduled(0, 100) == 4 + 6
    # [10.5, 60): v1 and t0; the flow's cars at 30, 40, 50
    assert found.scheduled(10.5, 60) == 2 + 3


@pytest.mark.parametrize(
    ("body", "code", "line"),
    [
        ('<trip id="x" depart="1" from="a" to="c"/>\n<trip id="x" depart="2" from="a" to="c"/>', "ROUTE_DUPLICATE", 3),
        ('<trip id="x" depart="1" from="a" to="c"/><trip id="x" depart="2" from="a" to="c"/>', "ROUTE_DUPLICATE", 2),
        ('<person id="x" depart="1"/>\n<personFlow id="x" begin="2" number="1"/>', "ROUTE_DUPLICATE", 3),
        ('<trip depart="1" from="a" to="c"/>', "ROUTE_XML", 2),
        ('<trip id="x" depart="1" from="a" to="nowhere"/>', "ROUTE_EDGE", 2),
        ('<vehicle id="x" depart="1">\n<route edges="a b nowhere"/></vehicle>', "ROUTE_EDGE", 3),
        ('<flow id="x" begin="1" number="2" from="nowhere" to="c"/>', "ROUTE_EDGE", 2),
        ('<vehicle id="x" depart="1"><route edges="a"/>\n<stop lane="q_0" duration="5"/></vehicle>', "ROUTE_EDGE", 3),
        ('<route id="r" edges="a b"/>\n<route id="s" edges="a c"/>', "ROUTE_DISCONNECTED", 3),
        ('<vehicle id="x" depart="1"><route edges="b a"/></vehicle>', "ROUTE_DISCONNECTED", 2),
        ('<trip id="x" depart="9" from="a" to="c"/>\n<trip id="y" depart="8" from="a" to="c"/>', "ROUTE_UNSORTED", 3),
        ('<trip id="x" depart="9" from="a" to="c"/>\n<person id="y" depart="8"/>', "ROUTE_UNSORTED", 3),
        (
            '<flow id="x" begin="9" number="1" from="a" to="c"/>\n<trip id="y" depart="8" from="a" to="c"/>',
            "ROUTE_UNSORTED",
            3,
        ),
        ('<trip id="x" depart="25:61:61" from="a" to="c"/>', "ROUTE_TIME", 2),
        ('<trip id="x" depart="-1" from="a" to="c"/>', "ROUTE_TIME", 2),
        ('<trip id="x" depart="soon" from="a" to="c"/>', "ROUTE_TIME", 2),
        ('<trip id="x" from="a" to="c"/>', "ROUTE_TIME", 2),
        ('<flow id="x" begin="1:0" number="2" from="a" to="c"/>', "ROUTE_TIME", 2),
        ('<flow id="x" begin="0" end="9" vehsPerHour="0" from="a" to="c"/>', "ROUTE_TIME", 2),
        ('<flow id="x" begin="0" end="9" number="-2" from="a" to="c"/>', "ROUTE_TIME", 2),
        ('<include href="/etc/hostname"/>', "ROUTE_XML", 2),
        ('<trip id="x" depart="1" from="a" to="c">', "ROUTE_XML", 3),
    ],
)
def test_fault_is_named_with_its_line(network, tmp_path, body, code, line):
    with pytest.raises(InputError) as caught:
        read_route_file(_write(tmp_path, body), network)
    assert (caught.value.code, caught.value.row) == (code, line)
    assert caught.value.remedy
    assert "x.rou.xml" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "ROUTE_XML"),
        ("<net><edge/></net>", "ROUTE_XML"),
        ('<!DOCTYPE x [<!ENTITY a "b">]><routes/>', "XML_DTD_REFUSED"),
    ],
)
def test_what_is_no_route_file_is_refused(network, tmp_path, text, code):
    path = tmp_path / "x.rou.xml"
    path.write_text(text)
    with pytest.raises(InputError, match=code):
        read_route_file(path, network)


def test_truncated_gzip_is_refused(network, tmp_path):
    path = tmp_path / "x.rou.xml.gz"
    path.write_bytes(gzip.compress(b"<routes>" + GOOD.encode() * 50 + b"</routes>")[:-20])
    with pytest.raises(InputError, match="ZIP_CORRUPT"):
        read_route_file(path, network)


def test_ids_must_differ_across_files(network, tmp_path):
    one = _write(tmp_path, '<trip id="x" depart="1" from="a" to="c"/>', "one.rou.xml")
    two = _write(tmp_path, '\n<trip id="x" depart="0" from="a" to="c"/>', "two.rou.xml")
    with pytest.raises(InputError, match=r"ROUTE_DUPLICATE: .*two.rou.xml line 3 .*one.rou.xml line 2"):
        read_route_files([one, two], network)


def test_same_name_for_a_person_and_a_flow_is_none_of_our_business(network, tmp_path):
    body = '<trip id="x" depart="1" from="a" to="c"/><person id="x" depart="1"/>'
    assert read_route_file(_write(tmp_path, body), network).persons == 1


def test_public_transport_lines_may_be_followed_by_earlier_vehicles(network, tmp_path):
    body = '<trip id="bus" line="7" depart="9" from="a" to="c"/><trip id="x" depart="1" from="a" to="c"/>'
    assert read_route_file(_write(tmp_path, body), network).departures_s.tolist() == [9, 1]


def test_departures_in_words_leave_the_count_open(network, tmp_path):
    body = '<trip id="x" depart="triggered" from="a" to="c"/><trip id="y" depart="3" from="a" to="c"/>'
    found = read_route_file(_write(tmp_path, body), network)
    assert (found.untimed, found.scheduled(0, 10)) == (1, None)


def test_random_flows_leave_the_count_open(network, tmp_path):
    for chance in ('probability="0.2"', 'period="exp(0.3)"'):
        body = f'<flow id="x" begin="0" end="60" {chance} from="a" to="c"/>'
        assert read_route_file(_write(tmp_path, body), network).scheduled(0, 60) is None


def test_interval_gives_its_times_to_the_flows_inside_alone(network, tmp_path):
    body = (
        '<interval begin="10" end="40"><flow id="x" period="10" from="a" to="c"/></interval>'
        '<flow id="y" begin="50" period="10" from="a" to="c"/>'
    )
    found = read_route_file(_write(tmp_path, body), network)
    assert found.flows == (Flow(10, 40, 10, None), Flow(50, None, 10, None))


FLOWS = [
    'begin="0" end="10" number="4"',
    'begin="0" end="10" period="3"',
    'begin="0" end="10" vehsPerHour="1200"',
    'begin="0" number="3" period="4"',
    'begin="5" period="30"',
    'number="7"',
    'begin="8" end="28" period="00:00:02"',
    'begin="90" end="200" perHour="720"',
    'begin="12" end="12.5" number="0"',
]


@pytest.mark.parametrize(("begin_s", "end_s"), [(0, 100), (13, 61)])
def test_flows_are_counted_as_sumo_counts_them(data_dir, tmp_path, begin_s, end_s):
    net = data_dir / "resco" / "cologne1" / "cologne1.net.xml.gz"
    network = read_network(net)
    files = [
        _write(tmp_path, f'<flow id="f{number}" {text} from="28198821#3" to="32038051#0"/>', f"{number}.rou.xml")
        for number, text in enumerate(FLOWS)
    ]
    out = tmp_path / "trips.xml"
    command = [
        Path(sumo.SUMO_HOME) / "bin" / "sumo", "-n", net, "-r", ",".join(map(str, files)), "-b", str(begin_s),
        "-e", str(end_s), "--xml-validation", "never", "--no-step-log", "--tripinfo-output", out,
        "--tripinfo-output.write-unfinished", "--tripinfo-output.write-undeparted",
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True)
    seen = [trip.get("id", "").split(".")[0] for trip in ET.parse(out).iter("tripinfo")]
    ours = {
        f"f{number}": file.scheduled(begin_s, end_s) for number, file in enumerate(read_route_files(files, network))
    }
    assert ours == {name: seen.count(name) for name in ours}


@given(
    begin_s=st.integers(0, 50),
    length_s=st.integers(0, 60),
    period_ds=st.integers(1, 400),
    window=st.tuples(st.integers(0, 100), st.integers(0, 100)).map(sorted),
)
def test_flow_count_is_that_of_its_listed_departures(begin_s, length_s, period_ds, window):
    """Whole tenths of a second, so that the list is exact."""
    departures_ds = range(10 * begin_s, 10 * (begin_s + length_s), period_ds)
    flow = Flow(begin_s, begin_s + length_s, period_ds / 10, None)
    assert flow.count(*window) == sum(10 * window[0] <= moment < 10 * window[1] for moment in departures_ds)


@pytest.mark.parametrize(
    ("name", "vehicles", "begin_s"),
    [("cologne1", 2015, 25200), ("cologne8", 2046, 25200), ("ingolstadt1", 1716, 57600), ("ingolstadt7", 3031, 57600)],
)
def test_calibrated_maps_pass_whole(data_dir, name, vehicles, begin_s):
    folder = data_dir / "resco" / name
    found = read_route_file(folder / f"{name}.rou.xml.gz", read_network(folder / f"{name}.net.xml.gz"))
    assert found.trips == found.scheduled(begin_s, begin_s + 3600) == vehicles


def test_routes_from_duarouter_pass_and_one_broken_route_does_not(data_dir, tmp_path):
    folder = data_dir / "resco" / "cologne8"
    network = read_network(folder / "cologne8.net.xml.gz")
    out = tmp_path / "routed.rou.xml"
    command = [
        Path(sumo.SUMO_HOME) / "bin" / "duarouter", "-n", folder / "cologne8.net.xml.gz",
        "-r", folder / "cologne8.rou.xml.gz", "-o", out, "--xml-validation", "never", "--no-step-log",
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True)
    found = read_route_file(out, network)
    assert found.vehicles == 2046
    assert np.all(np.diff(found.departures_s) >= 0)

    lines = out.read_text().splitlines()
    victim = next(number for number, text in enumerate(lines) if "<route edges" in text and text.count(" ") > 14)
    edges = lines[victim].split('"')[1].split()
    lines[victim] = f'<route edges="{" ".join(edges[:2] + edges[3:])}"/>'
    out.write_text("\n".join(lines))
    with pytest.raises(InputError) as caught:
        read_route_file(out, network)
    assert (caught.value.code, caught.value.row) == ("ROUTE_DISCONNECTED", victim + 1)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0", 0), ("25200.5", 25200.5), ("1e2", 100), ("07:00:00", 25200), ("25:10:00", 90600), ("1:02:03:04.5", 93784.5)],
)
def test_times_in_all_of_sumos_forms(text, seconds):
    assert parse_time_s(text) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        " 5",
        "-1",
        "nan",
        "inf",
        "1e999",
        "1_0",
        "٣",
        "7:00",
        "25:61:61",
        "1:60:00",
        "0:0:60",
        "1:25:00:00",
        "0:-1:70",
    ],
)
def test_what_no_clock_shows_is_no_time(text):
    with pytest.raises(ValueError, match=r"no time|not on any clock"):
        parse_time_s(text)


@given(st.text(max_size=12))
def test_any_text_is_a_time_or_refused(text):
    with contextlib.suppress(ValueError):
        assert 0 <= parse_time_s(text) < math.inf


@given(st.integers(0, 200_000))
def test_clock_text_reads_back(time_s):
    assert parse_time_s(clock_text(time_s)) == time_s
