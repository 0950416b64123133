"""Studies from their scenario file: what is prepared, what stands in the results."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest

from networks.faults import InputError
from scenarios.demo import write_demo_city
from scenarios.scenario import read_scenario
from scenarios.study import run_study
from tests.crossing import SCENARIO, write_scenario


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture(scope="module")
def results(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("study")
    run_study(read_scenario(write_scenario(folder)), folder / "out", workers=2)
    return folder / "out"


def test_a_row_for_each_variant_and_seed(results):
    runs = _rows(results / "runs.csv")
    assert [(row["variant"], row["seed"]) for row in runs] == [
        ("as shipped", "1"),
        ("as shipped", "2"),
        ("smart", "1"),
        ("smart", "2"),
    ]
    contract = """variant seed scheduled inserted arrived never_inserted delay_per_scheduled_s time_loss_s
        depart_delay_s duration_s waiting_s stops teleports collisions emergency_braking sumo_cpu_s total_cpu_s"""
    assert set(contract.split()) <= set(runs[0])
    assert {row["scheduled"] for row in runs} == {"80"}


def test_a_row_for_each_junction_and_run(results):
    rows = _rows(results / "junctions.csv")
    assert [(row["junction"], row["variant"], row["seed"]) for row in rows] == [
        ("c", variant, seed) for variant in ("as shipped", "smart") for seed in ("1", "2")
    ]
    assert all(row["level_of_service"] in "ABCDEF" for row in rows)


def test_differences_are_those_of_the_pairs(results):
    runs = _rows(results / "runs.csv")
    delays = [float(row["delay_per_scheduled_s"]) for row in runs]
    by_hand = ((delays[2] - delays[0]) + (delays[3] - delays[1])) / 2
    (row,) = [
        row
        for row in _rows(results / "comparison.csv")
        if (row["scope"], row["metric"]) == ("network", "delay_per_scheduled_s")
    ]
    assert float(row["difference_mean"]) == pytest.approx(by_hand, abs=2e-6)
    assert row["pairs"] == "2"


def test_the_manifest_names_what_the_results_came_from(results):
    manifest = json.loads((results / "manifest.json").read_text())
    assert manifest["seeds"] == [1, 2]
    assert set(manifest["inputs_sha256"]) == {"crossing.net.xml.gz", "cars.rou.xml"}
    assert manifest["versions"]["eclipse-sumo"].startswith("1.28")
    assert manifest["scenario"]["variants"][1]["controller"] == "max-pressure"


def test_the_report_is_one_file_that_asks_for_nothing(results):
    text = (results / "report.html").read_text()
    assert "crossing" in text
    assert 'src="http' not in text
    assert "<script" not in text


def test_counts_become_traffic_and_their_fit_is_told(tmp_path):
    text = SCENARIO.replace('routes = ["cars.rou.xml"]', 'counts = "counts.csv"')
    path = write_scenario(tmp_path, text)
    (tmp_path / "counts.csv").write_text("edge,begin,end,count\nwc,00:00:00,00:05:00,50\nsc,00:00:00,00:05:00,25\n")
    study = run_study(read_scenario(path), tmp_path / "out", workers=2)
    assert {row.scheduled for row in study.runs} == {75}
    fits = _rows(tmp_path / "out" / "counts_fit.csv")
    assert [float(row["geh"]) for row in fits] == [0, 0]


def test_synthetic_traffic_is_called_synthetic(tmp_path):
    made = "synthetic = { vehicles_per_hour = 600, seed = 1 }"
    path = write_scenario(tmp_path, SCENARIO.replace('routes = ["cars.rou.xml"]', made))
    run_study(read_scenario(path), tmp_path / "out", workers=2)
    assert "Synthetic" in (tmp_path / "out" / "report.html").read_text()


@pytest.fixture(scope="module")
def city_results(tmp_path_factory) -> Path:
    """The demo's city with its buses for ten minutes, under two of its controllers."""
    folder = tmp_path_factory.mktemp("buses")
    path = write_demo_city(folder)
    scenario = read_scenario(path)
    short = replace(scenario, end_s=scenario.begin_s + 600, seeds=(1,), variants=scenario.variants[::2])
    run_study(short, folder / "out", workers=2)
    return folder / "out"


def test_a_timetable_gives_rows_of_every_run(city_results):
    names = ("as shipped", "max-pressure")
    assert [row["variant"] for row in _rows(city_results / "transit_runs.csv")] == list(names)
    visits, trips, headways = (_rows(city_results / f"{name}.csv") for name in ("stop_visits", "trips", "headways"))
    for rows in (visits, trips, headways):
        assert {row["variant"] for row in rows} == set(names)
    served = [row for row in visits if row["actual_departure_time"]]
    assert served
    assert {row["service_date"] for row in visits} == {"2026-05-13"}
    by_hand = [row["punctuality"] == "on time" for row in visits if row["variant"] == names[0]]
    due = [row for row in visits if row["variant"] == names[0] and row["punctuality"] != "not due"]
    shipped = _rows(city_results / "transit_runs.csv")[0]
    assert int(shipped["calls_due"]) == len(due)
    assert float(shipped["on_time_share"]) == pytest.approx(sum(by_hand) / len(due), abs=1e-6)


def test_what_a_timetable_gave_is_told_and_hashed(city_results):
    text = (city_results / "report.html").read_text()
    assert "Buses and their timetable" in text
    assert "Synthetic timetable." in text
    assert len(list((city_results / "figures").glob("trip_lines_*.png"))) == 4
    manifest = json.loads((city_results / "manifest.json").read_text())
    assert {"stop_visits.csv", "trips.csv", "headways.csv", "transit_runs.csv"} <= manifest["results_sha256"].keys()
    assert "buses-synthetic.zip" in manifest["inputs_sha256"]


def test_without_a_timetable_there_are_no_tables_of_it(results):
    assert not list(results.glob("*trip*.csv"))
    assert not (results / "stop_visits.csv").exists()
    assert "timetable" not in (results / "report.html").read_text()


def test_junctions_without_a_choice_are_refused(tmp_path):
    text = SCENARIO + '\n[signals]\njunctions = ["e"]\n'
    with pytest.raises(InputError, match="NO_SIGNALS"):
        run_study(read_scenario(write_scenario(tmp_path, text)), tmp_path / "out", workers=1)


def test_an_unknown_junction_is_named(tmp_path):
    text = SCENARIO + '\n[signals]\njunctions = ["nowhere"]\n'
    with pytest.raises(InputError, match=r"SIGNAL_UNKNOWN.*'nowhere'"):
        run_study(read_scenario(write_scenario(tmp_path, text)), tmp_path / "out", workers=1)
