"""Scenario files: what is read, and how every fault is named."""

from pathlib import Path

import pytest

from networks.faults import InputError
from scenarios.scenario import TransitSource, read_scenario
from scenarios.scenario_check import ScenarioError
from scenarios.scenario_template import new_scenario_text
from signals.intergreen import Clearance

GOOD = """
[scenario]
name = "x"
begin = "07:00:00"
end = "08:30"
seeds = [3, 1]
step_s = 0.5
[network]
file = "a.net.xml.gz"
[demand]
synthetic = { vehicles_per_hour = 500, seed = 7 }
[signals]
junctions = ["j1", "j2", "j1"]
clearance = "as-shipped"
[[variant]]
name = "as shipped"
controller = "static"
[[variant]]
name = "smart"
controller = "max-pressure"
parameters = { decision_s = 5 }
"""


def _read(folder: Path, text: str):
    (folder / "a.net.xml.gz").touch()
    (folder / "feed.zip").touch()
    path = folder / "x.toml"
    path.write_text(text)
    return read_scenario(path)


TRANSIT = (
    GOOD
    + """
[transit]
gtfs = "feed.zip"
date = "2026-05-13"
modes = ["bus", "tram"]
on_time = "-30,120"
dwell_s = 12
synthetic = true
"""
)


def _faults(folder: Path, text: str) -> list[tuple[str, str]]:
    with pytest.raises(ScenarioError) as caught:
        _read(folder, text)
    return [(fault.code, fault.field) for fault in caught.value.faults]


def test_values_come_out_as_given(tmp_path):
    scenario = _read(tmp_path, GOOD)
    assert (scenario.begin_s, scenario.end_s, scenario.step_s, scenario.teleport_s) == (25200, 30600, 0.5, -1)
    assert scenario.seeds == (3, 1)
    assert scenario.network.path == tmp_path / "a.net.xml.gz"
    assert scenario.demand.synthetic.vehicles_per_hour == 500
    assert scenario.junctions == ("j1", "j2")
    assert scenario.clearance is Clearance.AS_SHIPPED
    assert [(v.name, v.controller, dict(v.parameters)) for v in scenario.variants] == [
        ("as shipped", "static", {}),
        ("smart", "max-pressure", {"decision_s": 5}),
    ]


def test_unknown_key_names_the_nearest_known_one(tmp_path):
    with pytest.raises(ScenarioError, match=r"CONFIG_KEY: .*x\.toml \[scenario\.sedes\].*Did you mean 'seeds'"):
        _read(tmp_path, GOOD.replace("seeds =", "sedes ="))


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('end = "08:30"', 'end = "07:00:00"', ("CONFIG_VALUE", "scenario.end")),
        ('end = "08:30"', 'end = "25:61:61"', ("CONFIG_VALUE", "scenario.end")),
        ("seeds = [3, 1]", "seeds = [1, 1]", ("CONFIG_VALUE", "scenario.seeds")),
        ("seeds = [3, 1]", "seeds = [-1]", ("CONFIG_VALUE", "scenario.seeds")),
        ("seeds = [3, 1]", "seeds = [true]", ("CONFIG_VALUE", "scenario.seeds")),
        ("step_s = 0.5", "step_s = 0", ("CONFIG_VALUE", "scenario.step_s")),
        ("step_s = 0.5", "step_s = 0.3", ("CONFIG_VALUE", "scenario.step_s")),
        ("step_s = 0.5", "step_s = 2", ("CONFIG_VALUE", "scenario.step_s")),
        ("step_s = 0.5", "step_s = nan", ("CONFIG_VALUE", "scenario.step_s")),
        ("= 500", "= -5", ("CONFIG_VALUE", "demand.synthetic.vehicles_per_hour")),
        ('"a.net.xml.gz"', '"b.net.xml.gz"', ("FILE_MISSING", "network.file")),
        ('file = "a.net.xml.gz"', "", ("CONFIG_VALUE", "network")),
        ('"as-shipped"', '"as shipped"', ("CONFIG_VALUE", "signals.clearance")),
        ('["j1", "j2", "j1"]', '"some"', ("CONFIG_VALUE", "signals.junctions")),
        ('["j1", "j2", "j1"]', '"hotspots"', ("CONFIG_VALUE", "signals.junctions")),
        ('"max-pressure"', '"max-presure"', ("CONFIG_VALUE", "variant[2].controller")),
        ("decision_s", "decison_s", ("CONFIG_KEY", "variant[2].parameters")),
        ("decision_s = 5", "decision_s = -5", ("CONFIG_VALUE", "variant[2].parameters")),
        ('name = "smart"', 'name = "as shipped"', ("CONFIG_VALUE", "variant.name")),
    ],
)
def test_one_fault_is_named_once(tmp_path, old, new, fault):
    assert old in GOOD
    assert _faults(tmp_path, GOOD.replace(old, new)) == [fault]


def test_a_timetable_is_wished_for(tmp_path):
    scenario = _read(tmp_path, TRANSIT)
    feed = tmp_path / "feed.zip"
    assert scenario.transit == TransitSource(feed, "2026-05-13", ("bus", "tram"), "-30,120", 12.0, is_synthetic=True)
    assert scenario.input_files() == (tmp_path / "a.net.xml.gz", feed)


def test_a_timetable_needs_a_feed_and_a_day_alone(tmp_path):
    scenario = _read(tmp_path, GOOD + '[transit]\ngtfs = "feed.zip"\ndate = "2026-05-13"\n')
    assert scenario.transit == TransitSource(tmp_path / "feed.zip", "2026-05-13", (), "default", 15.0)
    assert _read(tmp_path, GOOD).transit is None


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('"feed.zip"', '"none.zip"', ("FILE_MISSING", "transit.gtfs")),
        ('gtfs = "feed.zip"', "", ("CONFIG_VALUE", "transit.gtfs")),
        ("date = ", "day = ", ("CONFIG_VALUE", "transit.date")),
        ("2026-05-13", "2026-02-30", ("CONFIG_VALUE", "transit.date")),
        ('"tram"', '"trem"', ("CONFIG_VALUE", "transit.modes")),
        ('["bus", "tram"]', '"bus"', ("CONFIG_VALUE", "transit.modes")),
        ("-30,120", "120,-30", ("CONFIG_VALUE", "transit.on_time")),
        ("-30,120", "mtba", ("CONFIG_VALUE", "transit.on_time")),
        ("dwell_s = 12", "dwell_s = -1", ("CONFIG_VALUE", "transit.dwell_s")),
        ("synthetic = true", 'synthetic = "yes"', ("CONFIG_VALUE", "transit.synthetic")),
        ("dwell_s", "dwel_s", ("CONFIG_KEY", "transit.dwel_s")),
    ],
)
def test_a_fault_of_the_timetable_is_named(tmp_path, old, new, fault):
    assert old in TRANSIT
    assert fault in _faults(tmp_path, TRANSIT.replace(old, new))


def test_all_faults_are_named_together(tmp_path):
    text = GOOD.replace("[3, 1]", "[]").replace("step_s = 0.5", 'step_s = "fast"').replace("[demand]", "[demnad]")
    assert {code for code, _ in _faults(tmp_path, text)} == {"CONFIG_VALUE", "CONFIG_KEY"}
    assert len(_faults(tmp_path, text)) == 4


def test_no_toml_is_told_with_its_line(tmp_path):
    with pytest.raises(InputError) as caught:
        _read(tmp_path, "[scenario]\nname = \n")
    assert (caught.value.code, caught.value.row) == ("CONFIG_TOML", 2)


def test_missing_file(tmp_path):
    with pytest.raises(InputError, match="FILE_MISSING"):
        read_scenario(tmp_path / "none.toml")


def test_the_template_is_a_scenario(tmp_path):
    path = tmp_path / "new.toml"
    path.write_text(new_scenario_text('odd "name"\\'))
    (tmp_path / "city.osm.pbf").touch()
    scenario = read_scenario(path)
    assert scenario.network.is_osm
    assert [variant.controller for variant in scenario.variants] == ["static", "actuated", "max-pressure"]
