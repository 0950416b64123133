"""The command line as a user meets it: help with examples, a line for each fault, exit codes, nothing partial."""

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.command import bagdar
from tests.crossing import SCENARIO, write_cars, write_scenario

LATE_FIRST = """<vehicle id="a" depart="9"><route edges="wc ce"/></vehicle>
<vehicle id="b" depart="8"><route edges="wc ce"/></vehicle>"""
COMMANDS = ("demo", "run", "new", "gui", "hotspots", "network build", "network info")


def _refused(code: str, *words: object, cwd: Path | None = None) -> str:
    """Run a command that must be refused: exit code 2 and the code named; give what it said."""
    done = bagdar(*words, cwd=cwd)
    assert done.returncode == 2, done.stderr
    assert f"bagdar: {code}: " in done.stderr
    return done.stderr


@pytest.fixture(scope="module")
def city(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("city")
    write_scenario(folder)
    return folder


def test_the_program_itself_ends_with_its_code_and_without_a_traceback(tmp_path):
    command = [sys.executable, "-c", "from scenarios.cli import main; main()", "run", "none.toml", "-o", "out"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=120, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("bagdar: FILE_MISSING: none.toml: ")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_with_an_example(command):
    done = bagdar(*command.split(), "--help")
    assert done.returncode == 0
    assert f"Example:\n    bagdar {command} " in done.stdout


def test_a_scenario_runs_from_the_command_line_and_resumes(city):
    done = bagdar("run", "crossing.toml", "-o", "out", "--seeds", "1-2", "--json", cwd=city)
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)
    assert {row["variant"] for row in rows} == {"smart"}
    for name in ("manifest.json", "runs.csv", "runs.parquet", "junctions.csv", "comparison.csv", "report.html"):
        assert (city / "out" / name).stat().st_size > 0
    header = (city / "out" / "runs.csv").read_text().partition("\n")[0].split(",")
    assert header[:4] == ["variant", "seed", "status", "scheduled"]
    again = bagdar("run", "crossing.toml", "-o", "out", cwd=city)
    assert again.returncode == 0
    assert "4 of 4 runs finished" in again.stderr


def test_network_info(city):
    done = bagdar("network", "info", city / "crossing.net.xml.gz", "--json")
    assert json.loads(done.stdout)["signals"] == 1
    assert "signals" in bagdar("network", "info", city / "crossing.net.xml.gz").stdout


def test_new_writes_a_scenario_and_does_not_overwrite(tmp_path):
    path = tmp_path / "mine.toml"
    assert bagdar("new", path).returncode == 0
    assert "[[variant]]" in path.read_text()
    _refused("FILE_EXISTS", "new", path)
    assert bagdar("new", path, "--force").returncode == 0


def test_unknown_options_and_missing_ones_are_one_line():
    for words in (("run",), ("nonsense",), ("network", "info", "--nope")):
        done = bagdar(*words)
        assert done.returncode == 2
        assert done.stderr.startswith("bagdar: COMMAND: ")
        assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("seeds", ["1-", "a", "3-1", "1,1", ""])
def test_bad_seeds(city, seeds):
    _refused("CONFIG_VALUE", "run", city / "crossing.toml", "-o", city / "seeds", "--seeds", seeds)
    assert not (city / "seeds").exists()


def test_a_missing_file_is_never_taken_for_a_url():
    _refused("FILE_MISSING", "network", "info", "https://example.org/city.net.xml")
    _refused("FILE_MISSING", "run", "none.toml", "-o", "none")


def test_hostile_and_broken_networks(tmp_path):
    cases = {
        "NET_XML": b"<net><edge",
        "XML_DTD_REFUSED": b'<!DOCTYPE net [<!ENTITY a "b">]><net/>',
    }
    for code, content in cases.items():
        path = tmp_path / f"{code}.net.xml"
        path.write_bytes(content)
        assert "line 1" in _refused(code, "network", "info", path)
    cut = tmp_path / "cut.net.xml.gz"
    cut.write_bytes(gzip.compress(b"<net/>" * 1000)[:-12])
    _refused("ZIP_CORRUPT", "network", "info", cut)


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ('<vehicle id="a" depart="9"><route edges="wc ce"/></vehicle>' * 2, "ROUTE_DUPLICATE"),
        ('<vehicle id="a" depart="9"><route edges="wc nowhere"/></vehicle>', "ROUTE_EDGE"),
        ('<vehicle id="a" depart="9"><route edges="wc cn"/></vehicle>', "ROUTE_DISCONNECTED"),
        (LATE_FIRST, "ROUTE_UNSORTED"),
    ],
)
def test_bad_routes_are_refused_before_anything_runs(tmp_path, rows, code):
    write_scenario(tmp_path)
    (tmp_path / "cars.rou.xml").write_text(f"<routes>{rows}</routes>")
    _refused(code, "run", "crossing.toml", "-o", "out", cwd=tmp_path)
    assert not list((tmp_path / "out").glob("*.csv"))


def test_every_fault_of_a_scenario_has_its_line(tmp_path):
    write_scenario(tmp_path, SCENARIO.replace("seeds = [1, 2]", "sedes = [1]").replace('"00:05:00"', '"00:00:00"'))
    said = _refused("CONFIG_KEY", "run", "crossing.toml", "-o", "out", cwd=tmp_path)
    assert "Did you mean 'seeds'?" in said
    assert "bagdar: CONFIG_VALUE: " in said
    assert not (tmp_path / "out").exists()


def test_results_of_another_scenario_are_not_mixed(tmp_path):
    write_scenario(tmp_path)
    assert bagdar("run", "crossing.toml", "-o", "out", "--seeds", "1", cwd=tmp_path).returncode == 0
    write_cars(tmp_path / "cars.rou.xml", 5, 5)
    _refused("RESULT_MISMATCH", "run", "crossing.toml", "-o", "out", cwd=tmp_path)


def test_swapped_coordinates_are_told(tmp_path, adlershof):
    path = tmp_path / "crashes.csv"
    path.write_text("lat,lon\n" + "13.54,52.43\n" * 30)
    said = _refused("CRASH_COORDINATE", "hotspots", "--network", adlershof, "--crashes", path, "-o", tmp_path / "out")
    assert "30" in said
    assert not (tmp_path / "out").exists()


def test_an_unknown_variant_to_watch_is_named(city):
    said = _refused("CONFIG_VALUE", "gui", city / "crossing.toml", "--variant", "smrt")
    assert "'as shipped', 'smart'" in said


def test_watching_without_a_screen_is_refused_at_once(city, monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    done = bagdar("gui", city / "crossing.toml", "--variant", "smart")
    assert done.returncode == 1
    assert "bagdar: NO_SCREEN: " in done.stderr
