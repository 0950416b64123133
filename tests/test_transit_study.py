"""A study with a timetable from its scenario to its report: the same bytes twice, resumed where it stopped."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from networks.faults import InputError
from scenarios.demo import write_demo_city
from scenarios.scenario import read_scenario
from scenarios.study import run_study

TABLES = ("stop_visits.csv", "trips.csv", "headways.csv", "transit_runs.csv", "comparison.csv", "junctions.csv")

pytestmark = pytest.mark.slow


def short(path):
    """The demo's scenario, ten minutes of it, one seed, two controllers."""
    scenario = read_scenario(path)
    return replace(scenario, end_s=scenario.begin_s + 600, seeds=(1,), variants=scenario.variants[::2])


@pytest.fixture(scope="module")
def city(tmp_path_factory) -> Path:
    return write_demo_city(tmp_path_factory.mktemp("city"))


@pytest.fixture(scope="module")
def first(city, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("first")
    run_study(short(city), out, workers=2)
    return out


def test_the_same_scenario_gives_the_same_bytes(city, first, tmp_path):
    run_study(short(city), tmp_path, workers=1)
    for name in (*TABLES, "report.html", "inputs/transit/transit.rou.xml", "inputs/transit/import.json"):
        assert (tmp_path / name).read_bytes() == (first / name).read_bytes(), name
    pictures = sorted(path.name for path in (first / "figures").iterdir())
    assert {"lateness.png", "trip_lines_1.png"} <= set(pictures)
    for name in pictures:
        assert (tmp_path / "figures" / name).read_bytes() == (first / "figures" / name).read_bytes(), name


def test_a_second_time_nothing_is_imported_or_run_again(city, first):
    told: list[str] = []
    tables = {name: (first / name).read_bytes() for name in TABLES}
    run_study(short(city), first, workers=1, say=told.append)
    assert not [text for text in told if "matching" in text and "pattern" in text]
    assert {name: (first / name).read_bytes() for name in TABLES} == tables


def test_an_import_that_was_stopped_is_done_anew(city, first):
    folder = first / "inputs" / "transit"
    before = (folder / "transit.rou.xml").read_bytes()
    (folder / "import.json").unlink()
    (folder / "transit.rou.xml").write_text("<routes>")
    run_study(short(city), first, workers=1)
    assert (folder / "transit.rou.xml").read_bytes() == before


def test_another_timetable_is_another_study(city, first, tmp_path):
    feed = short(city).transit.feed
    other = tmp_path / feed.name
    other.write_bytes(feed.read_bytes() + b"\0")
    scenario = short(city)
    changed = replace(scenario, transit=replace(scenario.transit, feed=other))
    with pytest.raises(InputError, match="RESULT_MISMATCH"):
        run_study(changed, first, workers=1)


def test_a_day_without_service_is_named_with_the_nearest(city, tmp_path):
    scenario = short(city)
    sunday = replace(scenario, transit=replace(scenario.transit, service_date="2026-05-17"))
    with pytest.raises(InputError, match=r"GTFS_DATE.*2026-05-17.*before it 2026-05-15, after it 2026-05-18"):
        run_study(sunday, tmp_path, workers=1)


def test_the_report_has_its_part_on_buses(first):
    text = (first / "report.html").read_text()
    assert text.index("Buses and their timetable") < text.index("What to keep in mind")
    assert text.count("<strong>Synthetic timetable.</strong>") >= 3
    hashes = json.loads((first / "manifest.json").read_text())["results_sha256"]
    assert set(TABLES) <= hashes.keys()
