"""Sweeps and studies that are stopped, killed, repeated: nothing lost, nothing run twice, the same bytes."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from networks.faults import InputError, RunError
from networks.outfile import write_text
from scenarios.results import read_run, run_file, run_from_json, run_to_json
from scenarios.scenario import read_scenario
from scenarios.study import run_study
from scenarios.sweep import sweep
from sim.run import Run, RunSpec
from sim.transit_run import TransitRun
from tests.crossing import SCENARIO, write_cars, write_crossing, write_scenario
from tests.made_up import run_row

LONG = SCENARIO.replace('"00:05:00"', '"01:30:00"').replace("seeds = [1, 2]", "seeds = [1, 2, 3]")
TABLES = ("junctions.csv", "comparison.csv", "refusals.csv", "report.html")


@pytest.fixture(scope="module")
def spec(tmp_path_factory) -> RunSpec:
    folder = tmp_path_factory.mktemp("sweep")
    routes = write_cars(folder / "cars.rou.xml", 60, 20)
    return RunSpec("as shipped", "static", 1, write_crossing(folder), (routes,), 0, 300, ("c",), ("c",))


def _seeded(spec: RunSpec, *seeds: int) -> list[RunSpec]:
    return [replace(spec, seed=seed) for seed in seeds]


def test_runs_come_back_in_the_order_asked_for(spec, tmp_path):
    done: dict[str, float] = {}
    runs = sweep(_seeded(spec, 3, 1), tmp_path, workers=2, on_progress=done.__setitem__)
    assert [run.measures.seed for run in runs] == [3, 1]
    assert set(done.values()) == {1.0}


def test_a_finished_run_is_not_run_again(spec, tmp_path):
    (path,) = [run_file(tmp_path, one) for one in _seeded(spec, 1)]
    write_text(path, run_to_json(Run(run_row("as shipped", 1, 12.5), (), ())))
    (run,) = sweep(_seeded(spec, 1), tmp_path, workers=1)
    assert run.measures.delay_per_scheduled_s == 12.5


def test_a_run_survives_its_file():
    run = Run(replace(run_row("as shipped", 1, 1 / 3), duration_s=float("nan")), (), ())
    assert repr(run_from_json(run_to_json(run))) == repr(run)


def test_a_run_with_timetabled_vehicles_survives_its_file_with_the_same_bytes():
    columns = {
        "arrival_s": np.array([25200.1, np.nan]),
        "departure_s": np.array([1 / 3, np.nan]),
        "due": np.array([True, False]),
        "sample_leg": np.array([0], dtype=np.int32),
        "sample_time_s": np.array([25210.0]),
        "sample_way_m": np.array([12.5], dtype=np.float32),
        "sample_deviation_s": np.array([-2.25], dtype=np.float32),
    }
    run = Run(run_row("as shipped", 1, 12.5), (), (), TransitRun(end_s=28800.0, **columns))
    text = run_to_json(run)
    found = run_from_json(text).transit
    assert found.end_s == 28800.0
    for name, column in columns.items():
        assert getattr(found, name).dtype == column.dtype
        np.testing.assert_array_equal(getattr(found, name), column)
    assert run_to_json(run) == text


def test_where_the_timetable_lies_does_not_tell_runs_apart(spec, tmp_path):
    here, there = (replace(spec, transit=tmp_path / name / "transit") for name in "ab")
    for folder in (here.transit, there.transit):
        folder.mkdir(parents=True)
        for name in ("stops.add.xml", "transit.rou.xml", "transit_calls.parquet", "transit_ways.parquet"):
            (folder / name).write_bytes(b"the same")
    assert run_file(tmp_path, here) == run_file(tmp_path, there) != run_file(tmp_path, spec)


@pytest.mark.parametrize("packed", ["?", "UEsDBA==", "AAAA"])
def test_damaged_columns_are_named(spec, tmp_path, packed):
    path = run_file(tmp_path, spec)
    whole = json.loads(run_to_json(Run(run_row("as shipped", 1, 12.5), (), ())))
    write_text(path, json.dumps(whole | {"transit": packed}))
    with pytest.raises(RunError, match="RESULT_DAMAGED"):
        read_run(path)


def test_a_damaged_result_is_named(spec, tmp_path):
    (path,) = [run_file(tmp_path, one) for one in _seeded(spec, 1)]
    path.write_text("{")
    with pytest.raises(RunError, match=f"RESULT_DAMAGED: .*{path.name}.*Delete it"):
        sweep(_seeded(spec, 1), tmp_path, workers=1)


def test_a_run_over_its_time_is_tried_twice_and_listed_as_failed(spec, tmp_path):
    good, slow = _seeded(spec, 1)[0], _seeded(spec, 2)[0]
    sweep([good], tmp_path, workers=1)
    runs = sweep([good, slow], tmp_path, workers=1, limit_s=0.01)
    assert [run.measures.status for run in runs] == ["finished", "failed: over its time limit of 0.01 s"]


def test_input_at_fault_ends_the_sweep(spec, tmp_path):
    broken = replace(spec, routes=(tmp_path / "none.rou.xml",))
    with pytest.raises(InputError, match="SUMO_INPUT"):
        sweep([broken], tmp_path / "runs", workers=1)


def _start(folder: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", "from scenarios.cli import main; main()", "run", folder / "crossing.toml"]
    return subprocess.Popen([*command, "-o", folder / "out", "--workers", "1"], stderr=subprocess.PIPE)


def _wait_for(folder: Path, count: int) -> list[Path]:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found = sorted((folder / "out" / "runs").glob("[!.]*.json"))
        if len(found) >= count:
            return found
        time.sleep(0.02)
    pytest.fail("no run was finished in a minute")


def _children(pid: int) -> list[int]:
    """Processes whose parent is this one, spawn helpers included."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            found.append(int(stat.parent.name))
    return found


def _descendants(pid: int) -> list[int]:
    return [pid] + [below for child in _children(pid) for below in _descendants(child)]


def _is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_killing_the_parent_loses_nothing_and_nothing_is_run_twice(tmp_path):
    write_scenario(tmp_path, LONG)
    command = _start(tmp_path)
    finished = {path: path.stat().st_mtime_ns for path in _wait_for(tmp_path, 2)}
    workers = _descendants(command.pid)[1:]
    command.kill()
    command.wait()
    command.stderr.close()
    deadline = time.monotonic() + 10
    while any(map(_is_alive, workers)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not [pid for pid in workers if _is_alive(pid)]
    again = _start(tmp_path)
    _, said = again.communicate(timeout=120)
    assert again.returncode == 0, said
    assert {path: path.stat().st_mtime_ns for path in finished} == finished
    assert len(list((tmp_path / "out" / "runs").glob("[!.]*.json"))) == 6
    assert not list((tmp_path / "out" / "runs").glob(".sumo-*"))
    run_study(read_scenario(tmp_path / "crossing.toml"), tmp_path / "whole", workers=2)
    for name in TABLES:
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def _workers(pid: int) -> list[int]:
    """Worker processes under way; waits until there is one, as between two runs there is none for a moment."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found = [child for child in _descendants(pid)[1:] if "scenarios.worker" in _command_line(child)]
        if found:
            return found
        time.sleep(0.02)
    pytest.fail("no worker was started in a minute")


def _command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


def test_killing_a_worker_costs_only_its_run(tmp_path):
    write_scenario(tmp_path, LONG)
    command = _start(tmp_path)
    _wait_for(tmp_path, 1)
    for pid in _workers(command.pid):
        os.kill(pid, signal.SIGKILL)
    _, said = command.communicate(timeout=120)
    assert command.returncode == 0, said
    assert b"6 of 6 runs finished" in said


def test_same_scenario_twice_gives_the_same_bytes(tmp_path):
    scenario = read_scenario(write_scenario(tmp_path))
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder, workers in zip(folders, (2, 1), strict=True):
        run_study(scenario, folder, workers=workers)
    for name in (*TABLES, "manifest.json"):
        assert (folders[0] / name).read_bytes() == (folders[1] / name).read_bytes(), name
    hashes = json.loads((folders[0] / "manifest.json").read_text())["results_sha256"]
    assert "runs.csv without sumo_cpu_s and total_cpu_s" in hashes


def test_more_seeds_may_join_but_not_another_scenario(tmp_path):
    scenario = read_scenario(write_scenario(tmp_path))
    run_study(scenario, tmp_path / "out", workers=2)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out" / "runs").glob("[!.]*.json")}
    study = run_study(replace(scenario, seeds=(1, 2, 3)), tmp_path / "out", workers=2)
    assert len(study.runs) == 6
    assert {path: path.stat().st_mtime_ns for path in before} == before
    with pytest.raises(InputError, match="RESULT_MISMATCH"):
        run_study(replace(scenario, end_s=200), tmp_path / "out", workers=2)
    write_cars(tmp_path / "cars.rou.xml", 61, 20)
    with pytest.raises(InputError, match="RESULT_MISMATCH"):
        run_study(scenario, tmp_path / "out", workers=2)


def test_two_commands_do_not_share_a_folder(tmp_path):
    write_scenario(tmp_path, LONG)
    first = _start(tmp_path)
    _wait_for(tmp_path, 1)
    second = _start(tmp_path)
    _, said = second.communicate(timeout=60)
    first.kill()
    first.communicate()
    assert second.returncode == 2
    assert b"FOLDER_BUSY" in said
