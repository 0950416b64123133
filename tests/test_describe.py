"""Figures of a network: of one drawn by hand, worked out on paper; of a real one, against plain counting."""

import json

import pytest

from networks.describe import describe_network
from networks.netxml import read_network
from tests.street_plans import read_plan


def test_a_drawn_network_is_described_as_drawn(tmp_path):
    # a ring of 3 x 100 m both ways, and 100 m that lead out of it one way: no car comes back from there
    places = {"a": (0, 0), "b": (100, 0), "c": (50, 86.6), "out": (200, 0)}
    network = read_plan(tmp_path, places, ["Ring: a b c a", ": b > out"], {"light": "b"})
    facts = describe_network(network)
    assert (facts["edges"], facts["lanes"], facts["edge_km"], facts["lane_km"]) == (7, 7, 0.7, 0.7)
    assert facts["junctions"] == {"priority": 4}
    assert (facts["signals"], facts["signals_by_kind"], facts["signal_links"]) == (1, {"static": 1}, 4)
    assert facts["edge_km_by_class"] == {"unknown": 0.7}
    assert facts["named_share"] == pytest.approx(6 / 7, abs=1e-4)
    # nobody turns back in the plan: one way round the ring, or the other, are apart
    assert facts["car_connected_share"] == pytest.approx(3 / 7, abs=1e-4)
    west, south, east, north = facts["bounds_lonlat"]
    assert (east - west) / (north - south) == pytest.approx(200 / 86.6 / 0.61, rel=0.06), "cos of 52 degrees north"


def test_a_network_without_geography_has_no_degrees(tmp_path):
    path = tmp_path / "plan.net.xml"
    path.write_text(
        '<net><edge id="e" from="a" to="b" type="highway.primary">'
        '<lane id="e_0" index="0" speed="10" length="1500" shape="0,0 1500,0"/></edge>'
        '<junction id="a" type="dead_end" x="0" y="0"/><junction id="b" type="dead_end" x="1500" y="0"/></net>'
    )
    facts = describe_network(read_network(path))
    assert facts["bounds_lonlat"] is None
    assert facts["edge_km_by_class"] == {"primary": 1.5}
    assert facts["signals_by_kind"] == {}


def test_a_real_network_is_counted_rightly_and_goes_into_json(adlershof):
    facts = describe_network(read_network(adlershof))
    assert json.loads(json.dumps(facts)) == facts
    text = adlershof.read_text(encoding="utf-8")
    assert facts["signals"] == text.count("<tlLogic ")
    assert facts["edges"] == text.count("<edge ") - text.count('function="')
    assert sum(facts["junctions"].values()) == text.count("<junction ") - text.count('type="internal"')
    assert facts["edge_km"] == pytest.approx(sum(facts["edge_km_by_class"].values()), abs=0.01)
    assert 0.5 < facts["car_connected_share"] <= 1
    west, south, east, north = facts["bounds_lonlat"]
    assert west < 13.53 < east, "Berlin-Adlershof"
    assert south < 52.44 < north
