"""Controllers of others: found, refused with a reason, held in check whatever they do, and checked without SUMO."""

import csv
import importlib
import itertools
import json
import re
import sys
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from networks.faults import InputError
from networks.netxml import read_network
from signals.check_controller import check_controller
from signals.controller import CONTROLLERS, controller_kind, controller_parameters
from signals.intergreen import Clearance
from signals.interlock import begin
from signals.observation import Look
from signals.outside_controller import observation_to_show
from signals.plan import build_plan
from signals.priority import Priority, Request
from sim.priority_desk import PriorityDesk
from sim.regime import laws_of
from tests.command import bagdar
from tests.crossing import SCENARIO, write_scenario
from tests.signal_streets import write_cross
from tests.test_controllers import THREE, seen

DOCUMENT = (Path(__file__).parents[1] / "docs" / "controllers.md").read_text(encoding="utf-8")
CODE, TEST, ORDERED = re.findall(r"^```python\n(.*?)^```", DOCUMENT, flags=re.MULTILINE | re.DOTALL)
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


STAYS = LAW.format("return seen.stage")


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
        (f"{STAYS}    free_stages = 'yes'", "made_o:Law", "CONTROLLER_CLASS", "free_stages is 'yes', neither True nor"),
        (f"{STAYS}    following = [0, 1]", "made_p:Law", "CONTROLLER_CLASS", "not a method following(self, seen)"),
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


def test_a_class_that_wants_free_stages_gets_them(tmp_path, write):
    last = LAW.format("return len(self.plan.stages) - 1")
    write("made_q", last + "    free_stages = True\nclass Shipped(Law):\n    free_stages = False\n")
    plan = build_plan(read_network(write_cross(tmp_path)), "light", Clearance.ITE)
    shown = {}
    for name in ("Law", "Shipped"):
        ((given, law),) = laws_of(controller_kind(f"made_q:{name}", tmp_path), [plan], None)
        assert law.wish(seen(vehicles=[0.0] * len(plan.links))) == len(given.stages) - 1
        shown[name] = given.stages
    ((expected, _),) = laws_of(CONTROLLERS["self-control"], [plan], CONTROLLERS["self-control"].parameters())
    assert shown == {"Law": expected.stages, "Shipped": plan.stages}
    assert len(expected.stages) > len(plan.stages)


ORDER = "    def following(self, seen):\n        return {}\n"


@pytest.mark.parametrize(("order", "answer"), [("", 2), (ORDER.format("(seen.stage + 1) % 3"), 1)])
def test_rules_of_priority_keep_the_order_that_a_class_tells(tmp_path, write, order, answer):
    """A bus asks for the last of three stages: it is next, or after the one that the class has before it."""
    name = f"made_r{answer}"
    write(name, STAYS + order)
    law = controller_kind(f"{name}:Law", tmp_path).make(THREE, None)
    bus = Request("bus", 2, arrival_s=100.0, queue_s=0.0, late_s=90.0)
    requests = SimpleNamespace(by_signal={THREE.signal_id: [bus]})
    desk = PriorityDesk(requests, Priority(early_green_s=15.0), [(THREE, law)], {THREE.signal_id: slice(0, 3)})
    look = seen(vehicles=(3, 3, 3))
    parts = {field: getattr(look, field) for field in Look._fields if field != "who"}
    signal = replace(begin(THREE, 0, 80.0), red_since_s=(np.inf, 80.0, 60.0))
    answers = desk.answers({THREE.signal_id: 0}, {THREE.signal_id: signal}, Look(who=look.approaching, **parts))
    assert answers == {THREE.signal_id: answer}


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("3", "following returned 3, there are only stages 0 to 2"),
        ("-10**400", "there are only stages 0 to 2"),
        ("float('nan')", "following returned nan, not the number of a stage"),
        ("1 / 0", "at 100 s: ZeroDivisionError"),
    ],
)
def test_an_order_with_no_such_stage_is_told_in_one_line(tmp_path, write, answer, words):
    name = f"made_s{abs(hash(answer))}"
    write(name, STAYS + ORDER.format(answer))
    law = controller_kind(f"{name}:Law", tmp_path).make(THREE, None)
    with pytest.raises(InputError, match=re.escape(words)):
        law.following(seen())


BAD = """
class Stubborn(Law):
    free_stages = True
    def wish(self, seen):
        return 0
class Hasty(Law):
    def wish(self, seen):
        return int(seen.time_s) % 2
class Liar(Law):
    def wish(self, seen):
        seen.vehicles.flags.writeable = self.plan.foes.flags.writeable = True
        seen.vehicles[:], self.plan.foes[:] = 0, False
        return 0
"""


def test_who_never_changes_or_always_wants_to_or_hides_demand_is_held_in_check(tmp_path, write):
    write("made_t", STAYS + BAD)
    names = ("Stubborn", "Hasty", "Liar")
    variants = "".join(f'[[variant]]\nname = "{name}"\ncontroller = "made_t:{name}"\n' for name in names)
    write_scenario(tmp_path, SCENARIO.partition("[[variant]]")[0].replace("[1, 2]", "[1]") + variants)
    done = bagdar("run", tmp_path / "crossing.toml", "-o", tmp_path / "out", "--workers", "2")
    assert done.returncode == 0, done.stderr
    with (tmp_path / "out" / "runs.csv").open() as stream:
        assert [(row["status"], row["monitor_violations"]) for row in csv.DictReader(stream)] == [("finished", "0")] * 3
    with (tmp_path / "out" / "signal_cycles.csv").open() as stream:
        rows = {row["variant"]: row for row in csv.DictReader(stream)}
    # 120 s of red at most and then a change: within 5 s, as nobody walks there; a second to see that it is due
    assert all(float(rows[name]["longest_red_s"]) <= 126 for name in names)
    assert all(float(rows[name]["longest_red_s"]) > 100 for name in ("Stubborn", "Liar"))
    # 7 s of minimum green and 4.8 s of change: at most one stage each 11.8 s
    assert 3600 / 16 < float(rows["Hasty"]["stages_per_h"]) <= 3600 / 11.8


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


def made_of(wish, **others):
    """A class with that ``wish`` and other attributes; ``self.plan`` is the plan."""
    return type("Law", (), {"__init__": lambda self, plan, _: setattr(self, "plan", plan), "wish": wish, **others})


CHANCE, ASKED = np.random.default_rng(1), itertools.count()


def test_the_order_of_the_document_is_a_controller():
    space: dict[str, object] = {}
    exec(ORDERED, space)  # noqa: S102 - the document's own class
    check_controller(space["InTurn"])


def ordered(following):
    """A class that stays, with that order."""
    return made_of(lambda _, seen: seen.stage, following=following)


def test_a_controller_that_does_nothing_wrong_passes():
    check_controller(made_of(lambda _, seen: seen.stage))
    check_controller(ordered(lambda law, seen: (seen.stage + 1) % len(law.plan.stages)))


def test_free_stages_are_checked_where_a_class_wants_them():
    most = {}
    for wanted in (False, True):
        counts = []
        check_controller(
            made_of(
                lambda law, seen, counts=counts: counts.append(len(law.plan.stages)) or seen.stage, free_stages=wanted
            )
        )
        most[wanted] = max(counts)
    assert most[True] > most[False]


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        (lambda _, seen: seen.stage + 1, "wish returned 1; there are only stages 0 to 0"),
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


@pytest.mark.parametrize(
    ("following", "words"),
    [
        (lambda _, seen: seen.stage + 1, "following returned 1; there are only stages 0 to 0"),
        (lambda _, seen: seen.vehicles.sort() or 0, "following wrote to vehicles"),
        (lambda law, _: next(ASKED) // 5 % len(law.plan.stages), "is there chance in it, or something shared"),
    ],
)
def test_what_breaks_the_contract_in_an_order_is_named(following, words):
    with pytest.raises(AssertionError, match=re.escape(words)):
        check_controller(ordered(following))


def test_an_exception_inside_shows_as_it_is():
    with pytest.raises(ZeroDivisionError):
        check_controller(made_of(lambda _, seen: int(1 / float(seen.vehicles.sum()) > 2)))
