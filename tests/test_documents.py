"""What the documents say is there: commands and options, files, modules, dependencies, columns, codes."""

import csv
import importlib.util
import re
import shlex
import tomllib
from dataclasses import fields
from pathlib import Path

import click
import pytest

from gtfs.avl_columns import read_column_map as read_position_columns
from networks.crash_columns import read_column_map
from networks.netxml import read_network
from scenarios.cli import bagdar
from scenarios.scenario import read_scenario
from signals.controller import CONTROLLERS
from signals.sensing import KINDS, Camera, Connected, parameters_of
from sim.count_files import read_counts

ROOT = Path(__file__).parents[1]
DOCUMENTS = ("README.md", "ARCHITECTURE.md", "GLOSSARY.md", "CHANGELOG.md")
PACKAGES = ("networks", "gtfs", "signals", "sim", "scenarios", "benchmarks")
MAX_PICTURE_BYTES = 300_000


def _text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def _blocks(name: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", _text(name), flags=re.MULTILINE | re.DOTALL)


def _outside_blocks(name: str) -> str:
    return re.sub(r"^```.*?^```", "", _text(name), flags=re.MULTILINE | re.DOTALL)


def _command(words: list[str]) -> tuple[click.Command, list[str]]:
    """The command that words call, and what is left of them; fails where there is no such command."""
    command: click.Command = bagdar
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        name, *words = words
        found = command.get_command(click.Context(command), name)
        assert found is not None, f"no command {name!r}"
        command = found
    return command, words


def _refuse_unknown_options(command: click.Command, words: list[str]) -> None:
    context = click.Context(command)
    known = {name for item in command.get_params(context) for name in (*item.opts, *item.secondary_opts)}
    for word in words:
        if word.startswith("-"):
            assert word.partition("=")[0] in known, f"{command.name} has no {word}"


def _shell_lines(program: str) -> list[str]:
    lines = [line for name in DOCUMENTS for block in _blocks(name, "sh") for line in block.splitlines()]
    return [line for line in lines if line.startswith(program)]


def test_every_command_line_of_the_documents_would_be_accepted():
    lines = _shell_lines("bagdar ")
    called = set()
    for line in lines:
        command, words = _command(shlex.split(line)[1:])
        # checks options, their values and what is required, and runs nothing
        command.make_context(str(command.name), words)
        called.add(command.name)
    signals = {"list", "plan"}
    assert called == {"demo", "build", "info", "hotspots", "new", "run", "gui", "check", "import", "replay"} | signals


@pytest.mark.parametrize("document", DOCUMENTS)
def test_commands_named_in_passing_exist(document):
    named = re.findall(r"`bagdar ([a-z][^`]*)`", _outside_blocks(document))
    for text in named:
        command, words = _command(shlex.split(text))
        _refuse_unknown_options(command, words)


def test_options_named_in_passing_belong_to_some_command():
    groups = [bagdar, *(bagdar.commands[name] for name in ("network", "transit", "signals"))]
    commands = [command for group in groups for command in group.commands.values()]
    known = {name for command in commands for item in command.params for name in item.opts} | {
        "--help",
        "--case",
        "--quick",
    }
    named = {word for text in re.findall(r"`(--[^`]+)`", _text("README.md")) for word in text.split()[:1]}
    assert named
    assert named <= known


def test_make_targets_exist():
    targets = set(re.findall(r"^([a-z-]+):", _text("Makefile"), flags=re.MULTILINE))
    named = set(re.findall(r"(?:^    |`)make ([a-z-]+)", _text("README.md"), flags=re.MULTILINE))
    assert {"demo", "test"} <= named <= targets


def test_python_lines_name_modules_and_scripts_that_exist():
    lines = _shell_lines("python ")
    assert lines
    for line in lines:
        words = shlex.split(line)
        if words[1] == "-m":
            assert importlib.util.find_spec(words[2]) is not None, line
        else:
            assert (ROOT / words[1]).is_file(), line


def _touch_files(folder: Path, text: str) -> None:
    """Stand-ins for the files that a TOML text names."""
    for name in re.findall(r'"([\w.-]+\.(?:xml\.gz|csv|toml|pbf|zip))"', text):
        (folder / name).touch()


def test_toml_of_the_readme_is_accepted(tmp_path):
    scenarios, maps, columns, sensings = [], [], [], []
    for number, block in enumerate(_blocks("README.md", "toml")):
        _touch_files(tmp_path, block)
        path = tmp_path / f"{number}.toml"
        path.write_text(block, encoding="utf-8")
        if "[scenario]" in block:
            scenarios.append(read_scenario(path))
            whole = block
        elif block.startswith("[[variant]]"):
            path.write_text(f"{whole}\n{block}", encoding="utf-8")
            _touch_files(tmp_path, whole)
            sensings += [variant.sensing for variant in read_scenario(path).variants[-block.count("[[") :]]
        elif "[columns]" in block:
            columns.append(read_position_columns(path))
        elif "[transit]" in block:
            path.write_text(f"{whole}\n{block}", encoding="utf-8")
            _touch_files(tmp_path, whole)
            assert read_scenario(path).transit is not None
        elif "[fares]" in block:
            timetable = '[transit]\ngtfs = "gtfs.zip"\ndate = "2019-05-15"\n'
            path.write_text(f"{whole}\n{timetable}{block}", encoding="utf-8")
            _touch_files(tmp_path, whole + timetable)
            assert {variant.fares.electronic_share for variant in read_scenario(path).variants} == {0.6}
        elif "[conflicts]" in block:
            path.write_text(f"{whole}\n{block}", encoding="utf-8")
            _touch_files(tmp_path, whole)
            assert read_scenario(path).conflicts.sites == "hotspots"
            assert read_scenario(path).drivers.red_running.share == 0.05
        else:
            maps.append(read_column_map(path))
    assert [(scenario.junctions, scenario.top) for scenario in scenarios] == [("hotspots", 10)]
    assert {variant.controller for variant in scenarios[0].variants} == set(CONTROLLERS)
    assert sensings == [Connected(), Connected(0.3), Camera(80.0)]
    assert len(maps) == len(columns) == 1


def test_sensors_and_their_parameters_are_documented_with_their_defaults():
    rows = dict(re.findall(r'^\| `"(\w+)"` \| [^|]+ \| ([^|]+) \|$', _text("README.md"), re.MULTILINE))
    assert list(rows) == list(KINDS)
    for name, kind in KINDS.items():
        told = {key: float(value) for key, value in re.findall(r"`(\w+)` \(([\d.]+)\)", rows[name])}
        assert told == {key: getattr(kind(), key) for key in parameters_of(kind)}


def test_every_kind_of_demand_of_the_readme_is_accepted(tmp_path):
    (block,) = [block for block in _blocks("README.md", "toml") if "[scenario]" in block]
    settings = re.findall(r"^- `(\w+ = [^`]+)`", _text("README.md"), flags=re.MULTILINE)
    assert [setting.split()[0] for setting in settings] == ["routes", "counts", "synthetic"]
    for setting in settings:
        text, count = re.subn(r"^synthetic = .*$", setting, block, flags=re.MULTILINE)
        assert count == 1
        _touch_files(tmp_path, text)
        path = tmp_path / "scenario.toml"
        path.write_text(text, encoding="utf-8")
        assert getattr(read_scenario(path).demand, setting.split()[0])


def test_files_of_results_are_called_so_in_the_code():
    table = _text("README.md").split("### 5. Read the results")[1].split("\n## ")[0]
    named = set(re.findall(r"`(\w+\.(?:csv|parquet|geojson|json|html))`", table))
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "scenarios").glob("*.py"))
    assert len(named) > 8
    assert {name for name in named if f'"{name}"' not in code} == set()


def test_counts_of_the_readme_have_the_columns_that_are_read(tmp_path, adlershof):
    (block,) = _blocks("README.md", "csv")
    header, first, *_ = list(csv.reader(block.splitlines()))
    network = read_network(adlershof)
    edge = int(network.edges_for("passenger").argmax())
    row = dict(zip(header, first, strict=True))
    row = {key: value for key, value in row.items() if key not in {"lon", "lat"}} | {"edge": network.edges.ids[edge]}
    path = tmp_path / "counts.csv"
    path.write_text(f"{','.join(row)}\n{','.join(row.values())}\n", encoding="utf-8")
    (count,) = read_counts(path, network)
    assert (count.edge, count.begin_s, count.end_s, count.count) == (edge, 7 * 3600.0, 8 * 3600.0, float(first[4]))


def test_controllers_and_their_parameters_are_documented_with_their_defaults():
    rows = {
        row[0]: row[2]
        for row in re.findall(r"^\| `([\w-]+)` \| ([^|]+) \| ([^|]+) \|$", _text("README.md"), re.MULTILINE)
    }
    assert set(CONTROLLERS) <= set(rows)
    for name, kind in CONTROLLERS.items():
        told = {key: float(value) for key, value in re.findall(r"`(\w+)` \(([\d.]+)\)", rows[name])}
        assert told == {field.name: field.default for field in fields(kind.parameters)}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_modules_named_exist(document):
    names = re.findall(rf"`((?:{'|'.join(PACKAGES)})(?:\.\w+)+)`", _text(document))
    for name in names:
        assert importlib.util.find_spec(name) is not None, name


def test_every_room_of_the_packages_has_a_place_in_the_architecture():
    text = _text("ARCHITECTURE.md")
    assert all(f"| `{package}` |" in text for package in PACKAGES)


def test_every_dependency_has_its_reason_and_no_other_is_named():
    project = tomllib.loads(_text("pyproject.toml"))["project"]
    wanted = [
        *project["dependencies"],
        *(name for extra in project["optional-dependencies"].values() for name in extra),
    ]
    names = {re.split(r"[=<>!~ \[;]", name)[0] for name in wanted} - {project["name"]}
    section = _text("ARCHITECTURE.md").split("## Dependencies")[1].split("\n## ")[0]
    assert set(re.findall(r"^\| `([\w-]+)` \| \S", section, flags=re.MULTILINE)) == names


@pytest.mark.parametrize("document", DOCUMENTS)
def test_relative_links_lead_somewhere(document):
    text = _text(document)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        place, _, heading = target.partition("#")
        if "://" in target:
            continue
        assert not place or (ROOT / place).exists(), target
        headings = re.findall(r"^#+ (.+)$", _text(place or document), flags=re.MULTILINE) if heading else []
        assert not heading or heading in {re.sub(r"\W+", "-", words.lower()) for words in headings}, target


def test_pictures_are_small_and_their_captions_say_synthetic():
    text = _text("README.md")
    pictures = re.findall(r"!\[([^\]]+)\]\(([^)]+)\)", text)
    assert pictures
    for words, target in pictures:
        assert "synthetic" in words
        picture = (ROOT / target).read_bytes()
        assert picture.startswith(b"\x89PNG")
        assert len(picture) < MAX_PICTURE_BYTES


def test_the_changelog_begins_with_this_version():
    version = tomllib.loads(_text("pyproject.toml"))["project"]["version"]
    assert re.findall(r"^## (\S+)", _text("CHANGELOG.md"), flags=re.MULTILINE)[0] == version
