"""``bagdar signals`` as a user meets it, and its plans as SUMO meets them."""

import csv
import json

import pytest

from signals.controller import CONTROLLERS
from signals.sensing import KINDS
from sim.engine import run_program
from sim.options import SumoOptions
from sim.outputs import read_trips
from tests.command import Done, bagdar
from tests.crossing import write_cars, write_crossing, write_scenario


def signals(*words: object) -> Done:
    return bagdar("signals", *words)


@pytest.mark.parametrize("command", ["list", "check", "plan"])
def test_each_explains_itself_with_an_example(command):
    done = signals(command, "--help")
    assert done.returncode == 0
    assert f"bagdar signals {command}" in done.stdout


def test_list_tells_every_controller_from_its_own_class():
    done = signals("list", "--json")
    facts = {row["name"]: row for row in json.loads(done.stdout)}
    assert list(facts) == list(CONTROLLERS)
    gap = {"name": "gap_s", "default": 3.0}
    (told,) = facts["actuated"]["parameters"]
    assert told == gap | {
        "meaning": "the passage time: a vehicle that would reach the stop line within it extends the green"
    }
    assert facts["actuated"]["senses"] == ["vehicles", "nearest_m", "blocked"]
    assert facts["max-pressure"]["senses"] == ["closeness", "ahead", "blocked"]
    assert (facts["actuated"]["sensors"], facts["webster"]["sensors"]) == (["connected", "camera", "loops"], [])
    assert (facts["static"]["senses"], facts["webster"]["demand"]) == ([], True)
    for name, words in {"webster": "F. V. Webster", "max-pressure": "P. Varaiya", "actuated": "Manual"}.items():
        assert words in facts[name]["source"]


def test_every_parameter_has_a_meaning_and_every_controller_a_source():
    for row in json.loads(signals("list", "--json").stdout):
        assert row["source"], row["name"]
        assert all(len(parameter["meaning"]) > 10 for parameter in row["parameters"]), row["name"]
        assert len({parameter["meaning"] for parameter in row["parameters"]}) == len(row["parameters"])


def test_list_for_people():
    lines = signals("list").stdout.splitlines()
    assert lines[:2] == ["static: the shipped program, as its designer left it", "  senses: nothing"]
    assert any(line.startswith("  gap_s = 3: the passage time") for line in lines)
    assert any(line.endswith("loops; blocked from detectors behind the junction)") for line in lines)
    kinds = [line.partition(":")[0] for line in lines if line.startswith("sensing = ")]
    assert kinds == [f'sensing = {{ kind = "{name}" }}' for name in KINDS]
    assert "  penetration = 1: the share of vehicles that do" in lines


def test_findings_are_told_and_are_no_fault_of_the_command(tmp_path):
    done = signals("check", write_crossing(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0].split() == "severity code signal where found count what it must be".split()
    assert any(line.startswith("warning   SIGNAL_ALL_RED") and "at least" in line for line in lines)
    assert "1 signal with 1 program, 1 of them with findings" in lines


def test_findings_for_programs(tmp_path):
    told = json.loads(signals("check", write_crossing(tmp_path), "--json").stdout)
    assert told["counts"]["SIGNAL_ALL_RED"] == sum(row["code"] == "SIGNAL_ALL_RED" for row in told["notices"]) == 2
    assert {"signal_id", "link", "phase", "shown_s", "needed_s", "remedy"} <= told["notices"][0].keys()


@pytest.mark.parametrize("text", [None, "no xml", "<routes/>"])
def test_a_network_that_cannot_be_read_ends_with_2(tmp_path, text):
    path = tmp_path / "city.net.xml"
    if text is not None:
        path.write_text(text)
    done = signals("check", path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "city.net.xml" in done.stderr


def test_a_plan_is_a_file_that_sumo_runs_and_a_timing_sheet(tmp_path):
    net, cars = write_crossing(tmp_path), write_cars(tmp_path / "cars.rou.xml", 300, 60, 1200)
    out = tmp_path / "made" / "plan.add.xml"
    done = signals("plan", net, "--demand", cars, "-o", out)
    assert done.returncode == 0
    assert "plans of 1 signals; plan.timing.csv and plan.timing.txt" in done.stderr
    with (out.parent / "plan.timing.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [row["state"] for row in rows] == ["Gr", "rG"] or [row["state"] for row in rows] == ["rG", "Gr"]
    times = {name: float(rows[0][name]) for name in ("cycle_s", "lost_s")}
    assert sum(float(row["green_s"]) for row in rows) + times["lost_s"] == times["cycle_s"]
    busy, other = sorted(rows, key=lambda row: -float(row["vehicles_per_hour"]))
    # 900 and 180 an hour, a lane each
    assert float(busy["vehicles_per_hour"]) / float(other["vehicles_per_hour"]) == pytest.approx(5.0, rel=0.02)
    assert float(busy["green_s"]) > 2 * float(other["green_s"])
    assert rows[0]["cycle_s"] in (out.parent / "plan.timing.txt").read_text()
    trips = tmp_path / "trips.xml"
    run_program(SumoOptions(net, (cars,), 0, 1800, 1, additional=(out,), tripinfo=trips), None, 600.0)
    assert len(read_trips(trips)) == 360


def test_a_plan_is_the_same_bytes_each_time(tmp_path):
    net, cars = write_crossing(tmp_path), write_cars(tmp_path / "cars.rou.xml", 300, 60, 1200)
    for name in ("a", "b"):
        signals("plan", net, "--demand", cars, "-o", tmp_path / name / "p.add.xml")
    for name in ("p.add.xml", "p.timing.csv", "p.timing.txt"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_a_demand_that_cannot_be_read_ends_with_2(tmp_path):
    done = signals(
        "plan", write_crossing(tmp_path), "--demand", tmp_path / "none.rou.xml", "-o", tmp_path / "p.add.xml"
    )
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("bagdar: FILE_MISSING: ")


def test_a_scenario_runs_webster_beside_the_shipped_program(tmp_path):
    scenario = write_scenario(tmp_path)
    scenario.write_text(
        scenario.read_text().replace("max-pressure", "webster").replace("seeds = [1, 2]", "seeds = [1]")
    )
    done = bagdar("run", scenario, "-o", tmp_path / "out", "--workers", "1")
    assert done.returncode == 0, done.stderr
    with (tmp_path / "out" / "runs.csv").open() as stream:
        rows = {row["variant"]: row for row in csv.DictReader(stream)}
    assert {row["status"] for row in rows.values()} == {"finished"}
    assert rows["smart"]["delay_per_scheduled_s"] != rows["as shipped"]["delay_per_scheduled_s"]
