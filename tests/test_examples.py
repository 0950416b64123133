"""The example scripts do what they say: run as files, in a folder of their own, edited as an engineer edits them."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from scenarios.compare import NETWORK_METRICS
from scenarios.demo import write_demo_city
from scenarios.scenario import read_scenario

EXAMPLES = Path(__file__).parents[1] / "scenarios" / "examples"
MAX_LINES = 60


def _run(script: Path, *words: object, cwd: Path) -> str:
    """Run a script that must succeed; give what it printed."""
    command = [sys.executable, str(script), *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=cwd, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _edited(name: str, folder: Path, **values: str) -> Path:
    """A copy of an example with constants set to other values."""
    text = (EXAMPLES / name).read_text(encoding="utf-8")
    for constant, value in values.items():
        text, count = re.subn(rf"^{constant} = .*$", f"{constant} = {value}", text, flags=re.MULTILINE)
        assert count == 1, f"{name} has no {constant}"
    script = folder / name
    script.write_text(text, encoding="utf-8")
    return script


@pytest.fixture(scope="module")
def city(tmp_path_factory):
    return read_scenario(write_demo_city(tmp_path_factory.mktemp("city")))


def test_every_example_is_short_and_tried_here():
    names = {path.name for path in EXAMPLES.glob("*.py")}
    tests = Path(__file__).read_text(encoding="utf-8")
    assert names == {"compare_lights.py", "green_times.py", "worst_junctions.py"}
    assert all(tests.count(f'"{name}"') > 1 for name in names)
    for name in names:
        text = (EXAMPLES / name).read_text(encoding="utf-8")
        assert len(text.splitlines()) < MAX_LINES
        assert 'if __name__ == "__main__":' in text


def test_compare_lights_prints_every_measure_of_every_variant_and_writes_the_report(tmp_path, city):
    quick = {"END": '"07:02"', "SEEDS": "[4]", "VEHICLES_PER_HOUR": "300"}
    script = _edited("compare_lights.py", tmp_path, **quick)
    printed = _run(script, "out", city.network.path, cwd=tmp_path)
    for variant in ("actuated, short gap", "max pressure"):
        told = {line.removeprefix(variant).split()[0] for line in printed.splitlines() if line.startswith(variant)}
        assert told == {metric.column for metric in NETWORK_METRICS}
    assert (tmp_path / "out" / "results" / "report.html").is_file()
    header, *rows = (tmp_path / "out" / "results" / "runs.csv").read_text(encoding="utf-8").splitlines()
    assert header.startswith("variant,seed,status,scheduled,")
    # 300 vehicles an hour for two minutes
    assert [row.rpartition(",4,finished,")[2].split(",")[0] for row in rows] == ["10", "10", "10"]


def test_worst_junctions_ranks_the_built_in_city_as_given_files_would(tmp_path, city):
    printed = _run(EXAMPLES / "worst_junctions.py", cwd=tmp_path)
    named = _run(EXAMPLES / "worst_junctions.py", city.network.path, *city.crashes.files, cwd=tmp_path)
    assert printed == named
    assert "SYNTHETIC records" in printed
    rows = [line.split() for line in printed.splitlines() if re.match(r" +\d+ ", line)]
    assert [int(row[0]) for row in rows] == list(range(1, len(rows) + 1))
    counts = [int(row[1]) for row in rows]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > 1


def test_green_times_prints_a_matrix_that_formulas_do_not_shorten(tmp_path, city):
    printed = _run(EXAMPLES / "green_times.py", city.network.path, cwd=tmp_path)
    by_formula, shipped = (_matrix(part) for part in printed.split("clearance ")[1:])
    assert len(by_formula) >= 3
    for number, (row, shipped_row) in enumerate(zip(by_formula, shipped, strict=True)):
        assert row[number] == shipped_row[number] == 0.0
        # the hold before a yellow is rounded up to whole seconds, under either kind by its own fraction
        assert all(ours > theirs - 1.0 for ours, theirs in zip(row, shipped_row, strict=True))
        assert all(time_s >= 3.0 for column, time_s in enumerate(row) if column != number)


def _matrix(part: str) -> list[list[float]]:
    _, _, below = part.partition("from row to column\n")
    return [[float(cell) for cell in line.split()[1:]] for line in below.splitlines()[1:] if line.strip()]
