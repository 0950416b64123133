"""Controllers of others: found, refused with a reason, held in check whatever they do, and checked without SUMO."""

import csv
import importlib
import itertools
import json
import re
import sys
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from networks.faults import InputError
from signals.check_controller import check_controller
from signals.controller import CONTROLLERS, controller_kind, controller_parameters
from signals.outside_controller import observation_to_show
from tests.command import bagdar
from tests.crossing import SCENARIO, write_scenario
from tests.test_controllers import THREE, seen

DOCUMENT = (Path(__file__).parents[1] / "docs" / "controllers.md").read_text(encoding="utf-8")
CODE, TEST = re.findall(r"^```python\n(.*?)^```", DOCUMENT, flags=re.MULTILINE | re.DOTALL)
(VARIANT,) = re.findall(r"^```toml\n(.*?)^```", DOCUMENT, flags=re.MULTILINE | re.DOTALL)


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write a module of that name; it is forgotten afterwards."""
    path, loaded = list(sys.path), set(sys.modules)

    def written(name, text):
        file = tmp_path / f"{name}.py"
        file.write_text(text, encoding="utf-8")
        importlib.invalidate_caches()
        return file

    yield written
    monkeypatch.undo()
    sys.path[:] = path
    for name in set(sys.modules) - loaded:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


LAW = """
class Law:
    def __init__(self, plan, parameters):
        self.plan, self.parameters = plan, parameters
    def wish(self, seen):
        {}
"""


def test_the_example_of_the_document_runs_as_the_document_says(tmp_path, write, monkeypatch):
    file = write("gaps", CODE)
    write_scenario(tmp_path, SCENARIO.replace('[[variant]]\nname = "smart"\ncontroller = "max-pressure"\n', VARIANT))
    done = bagdar("run", tmp_path / "crossing.toml", "-o", tmp_path / "out", "--seeds", "1", "--workers", "2")
    assert done.returncode == 0, done.stderr
    with (tmp_path / "out" / "runs.csv").open() as stream:
        rows = [row for row in csv.DictReader(stream) if row["variant"] == "most wanted"]
    assert [(row["status"], row["monitor_violations"]) for row in rows] == [("finished", "0")]
    assert all(int(row["signal_switches"]) > 5 for row in rows)
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["inputs_sha256"]["gaps.py"] == sha256(file.read_bytes()).hexdigest()
    monkeypatch.syspath_prepend(tmp_path)
    space: dict[str, object] = {}
    exec(TEST, space)  # noqa: S102 - the document's own test
    space["test_it_is_a_controller"]()
    file.write_text(CODE + "\n# changed\n", encoding="utf-8")
    done = bagdar("run", tmp_path / "crossing.toml", "-o", tmp_path / "out")
    assert (done.returncode, "RESULT_MISMATCH" in done.stderr) == (2, True)


@pytest.mark.parametrize(
    ("text", "name", "code", "words"),
    [
        ("", "absent:Law", "CONTROLLER_MODULE", "there is no module 'absent'"),
        ("", "made_a.sub:Law", "CONTROLLER_MODULE", "there is no module 'made_a.sub'"),
        (LAW, "made_b:", "CONTROLLER_MODULE", "is no controller"),
        ("import absent_thing", "made_c:Law", "CONTROLLER_IMPORT", "made_c.py line 1: ModuleNotFoundError"),
        ("x = 1\nx = 1 / 0", "made_d:Law", "CONTROLLER_IMPORT", "made_d.py line 2: ZeroDivisionError"),
        ("def f(:", "made_e:Law", "CONTROLLER_IMPORT", "SyntaxError"),
        ("raise SystemExit(0)", "made_f:Law", "CONTROLLER_IMPORT", "SystemExit"),
        (LAW, "made_g:Lw", "CONTROLLER_CLASS", "Did you mean 'Law'?"),
        ("class Law: pass", "made_h:Law", "CONTROLLER_CLASS", "no method wish"),
        (f"{LAW}    Parameters = 3", "made_i:Law", "CONTROLLER_CLASS", "no dataclass"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_in_one_line(tmp_path, write, text, name, code, words):
    write(name.partition(":")[0].partition(".")[0] if "absent" not in name else "other", text)
    with pytest.raises(InputError) as caught:
        controller_kind(name, tmp_path)
    assert caught.value.code == code
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_name_that_is_taken_is_refused(tmp_path, write):
    write("json", LAW)
    with pytest.raises(InputError, match="another module is called 'json' already"):
        controller_kind("json:Law", tmp_path)


def test_what_lies_on_pythons_path_is_found_too(tmp_path, write, monkeypatch):
    write("made_j", LAW.format("return 0"))
    monkeypatch.syspath_prepend(tmp_path)
    assert controller_kind("made_j:Law").make(THREE, None).wish(seen()) == 0


def test_parameters_are_of_the_class_own_kind(tmp_path, write):
    text = "from dataclasses import dataclass\n@dataclass\nclass Given:\n    weights: str\n    zero: float = 0.0\n"
    write("made_k", text + LAW.format("return 0").replace("class Law:", "class Law:\n    Parameters = Given"))
    made = controller_parameters("made_k:Law", {"weights": "w.npz"}, tmp_path)
    assert (made.weights, made.zero) == ("w.npz", 0.0)
    with pytest.raises(InputError, match="does not take these parameters"):
        controller_parameters("made_k:Law", {}, tmp_path)
    with pytest.raises(InputError, match="Did you mean 'zero'"):
        controller_parameters("made_k:Law", {"zer": 1, "weights": ""}, tmp_path)


def test_a_scenario_tells_its_variants_fault_beside_others(tmp_path):
    write_scenario(tmp_path, SCENARIO.replace('"max-pressure"', '"absent:Law"').replace("[1, 2]", "[1, 1]"))
    done = bagdar("run", tmp_path / "crossing.toml", "-o", tmp_path / "out")
    assert done.returncode == 2
    assert "seed 1 stands twice" in done.stderr
    assert "[variant[2].controller]: there is no module 'absent'" in done.stderr


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        ("return [][1]", "CONTROLLER_FAILED", "made.py line 6: made:Law at junction 'c', at 7 s: IndexError"),
        ("return None", "CONTROLLER_ANSWER", "made:Law at junction 'c', at 7 s: wish returned None"),
    ],
)
def test_a_fault_inside_ends_the_command_with_one_line(tmp_path, write, body, code, words):
    write("made", LAW.format(body))
    write_scenario(tmp_path, SCENARIO.replace("max-pressure", "made:Law"))
    done = bagdar("run", tmp_path / "crossing.toml", "-o", tmp_path / "out", "--workers", "1")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("bagdar: ")]
    assert line.startswith(f"bagdar: {code}: ")
    assert words in line


def test_wild_wishes_and_stages_that_do_not_exist_are_held_in_check(tmp_path, write):
    body = "return [0, 1, -3, 7, 1, 10**30, 0][int(seen.time_s) * 5 % 7]"
    write("made_l", LAW.format(body))
    write_scenario(tmp_path, SCENARIO.replace("max-pressure", "made_l:Law"))
    done = bagdar("run", tmp_path / "crossing.toml", "-o", tmp_path / "out", "--workers", "2")
    assert done.returncode == 0, done.stderr
    with (tmp_path / "out" / "runs.csv").open() as stream:
        rows = [row for row in csv.DictReader(stream) if row["variant"] == "smart"]
    assert [row["monitor_violations"] for row in rows] == ["0", "0"]
    assert all(int(row["refused_wishes"]) > 5 for row in rows)


@pytest.mark.parametrize("body", ["return 1.0", "return '1'", "return True", "return seen", "return float('nan')"])
def test_an_answer_of_another_kind_is_refused(tmp_path, write, body):
    name = f"made_m{abs(hash(body))}"
    write(name, LAW.format(body))
    law = controller_kind(f"{name}:Law", tmp_path).make(THREE, None)
    with pytest.raises(InputError, match="not the number of a stage"):
        law.wish(seen())


@pytest.mark.parametrize("body", ["seen.vehicles[:] = 0", "seen.approaching.row[:] = 0", "self.plan.foes[:] = False"])
def test_nothing_that_the_interlock_goes_by_can_be_written_to(tmp_path, write, body):
    name = f"made_n{abs(hash(body))}"
    write(name, LAW.format(body))
    what = observation_to_show(seen(vehicles=(1, 2, 3)))
    law = controller_kind(f"{name}:Law", tmp_path).make(THREE, None)
    with pytest.raises(InputError, match="at 100 s: "):
        law.wish(what)
    assert what.vehicles.tolist() == [1, 2, 3]
    assert THREE.foes.any()


@pytest.mark.parametrize("name", [name for name, kind in CONTROLLERS.items() if kind.make is not None])
def test_our_own_controllers_keep_the_contract(name):
    class Ours(CONTROLLERS[name].make):
        Parameters = CONTROLLERS[name].parameters

    check_controller(Ours, seeds=range(3))


def made_of(wish):
    """A class with that ``wish``; ``self.plan`` is the plan."""
    return type("Law", (), {"__init__": lambda self, plan, _: setattr(self, "plan", plan), "wish": wish})


CHANCE, ASKED = np.random.default_rng(1), itertools.count()


def test_a_controller_that_does_nothing_wrong_passes():
    check_controller(made_of(lambda _, seen: seen.stage))


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        (lambda _, seen: seen.stage + 1, "there is no stage 1, only 0 to 0"),
        (lambda _, seen: seen.stage / 1, "wish returned 0.0, not the number of a stage"),
        (lambda law, _: int(CHANCE.integers(len(law.plan.stages))), "is there chance in it, or something shared"),
        (lambda law, _: next(ASKED) // 3 % len(law.plan.stages), "is there chance in it, or something shared"),
        (lambda _, seen: seen.approaching.speed_mps.sort() or seen.stage, "wish wrote to approaching.speed_mps"),
        (None, "no method wish"),
    ],
)
def test_what_breaks_the_contract_is_named(wish, words):
    with pytest.raises(AssertionError, match=re.escape(words)):
        check_controller(made_of(wish))


def test_an_exception_inside_shows_as_it_is():
    with pytest.raises(ZeroDivisionError):
        check_controller(made_of(lambda _, seen: int(1 / float(seen.vehicles.sum()) > 2)))
