"""Scenario files: what is read, and how every fault is named."""

from pathlib import Path

import pytest

from networks.faults import InputError
from scenarios.scenario import ScenarioError, new_scenario_text, read_scenario
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
    path = folder / "x.toml"
    path.write_text(text)
    return read_scenario(path)


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
