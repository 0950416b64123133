"""What a project does, read from the results folder of a study."""

import json
from dataclasses import replace

import pytest

from networks.faults import InputError
from scenarios.compare import Comparison
from scenarios.indicators import Project
from scenarios.language import language
from scenarios.scorecard_effects import read_effects
from scenarios.tables import write_csv

DELAY = Comparison(
    scope="network",
    name="",
    metric="delay_per_scheduled_s",
    unit="s",
    baseline="static",
    variant="smart",
    pairs=10,
    pairs_missing=0,
    baseline_gridlocked=0,
    variant_gridlocked=0,
    baseline_mean=60.0,
    variant_mean=40.0,
    difference_mean=-20.0,
    ci95_low=-25.0,
    ci95_high=-15.0,
    relative_difference=-0.333,
    verdict="lower",
    indicative=False,
)
ON_TIME = replace(
    DELAY,
    scope="transit",
    metric="on_time_share",
    unit="share",
    difference_mean=-0.1,
    ci95_low=-0.15,
    ci95_high=-0.05,
)
UNSURE = replace(DELAY, variant="other", difference_mean=1.0, ci95_low=-2.0, verdict="not distinguishable")


@pytest.fixture
def folder(tmp_path):
    rows = (DELAY, ON_TIME, UNSURE, replace(DELAY, metric="teleports"), replace(DELAY, variant="none", pairs=0))
    write_csv(tmp_path / "comparison.csv", Comparison, rows)
    manifest = {"scenario": {"name": "lights", "demand": {"synthetic": {"vehicles_per_hour": 1000}}}}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return tmp_path


def test_effects_are_those_of_the_project_and_say_which_way_is_better(folder):
    effects = read_effects({Project.TRAFFIC_MANAGEMENT: folder})[Project.TRAFFIC_MANAGEMENT]
    assert [(one.variant, one.measure.text, one.is_better) for one in effects] == [
        ("smart", "delay per vehicle", True),
        ("smart", "calls on time", False),  # fewer calls are on time
        ("other", "delay per vehicle", None),
    ]
    assert all(one.is_synthetic for one in effects)


def test_effects_are_written_in_their_unit(folder):
    delay, on_time, _ = read_effects({Project.TRAFFIC_MANAGEMENT: folder})[Project.TRAFFIC_MANAGEMENT]
    english, russian = language("en"), language("ru")
    assert english.say(delay.change) == "−20 s"  # noqa: RUF001
    assert english.say(delay.interval) == "95% interval −25 to −15"  # noqa: RUF001
    assert english.say(on_time.change) == "−10 pp"  # noqa: RUF001
    assert russian.say(on_time.change) == "−10 п. п."  # noqa: RUF001


def test_a_folder_that_is_no_study_is_refused(tmp_path):
    with pytest.raises(InputError) as fault:
        read_effects({Project.SMART_STOPS: tmp_path})
    assert fault.value.code == "FILE_MISSING"


def test_a_damaged_manifest_is_refused(folder):
    (folder / "manifest.json").write_text("[]", encoding="utf-8")
    with pytest.raises(InputError) as fault:
        read_effects({Project.TRAFFIC_MANAGEMENT: folder})
    assert fault.value.code == "RESULT_DAMAGED"
