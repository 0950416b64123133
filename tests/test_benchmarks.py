"""Benchmarks: what was measured is read back as it was written, costs are those of known work, faults are one line."""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from dataclasses import fields
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import peer_networks, peers, published_maps
from benchmarks import run as runner
from benchmarks.cases import CASES
from benchmarks.contenders import CONTENDERS, GROUPS
from benchmarks.diff import diff, side_by_side
from benchmarks.processes import cost, peak_memory, python_call
from benchmarks.published import PUBLISHED_DELAY_S
from benchmarks.published_maps import differences, table
from benchmarks.readers import count_elements
from benchmarks.red_running import ITE, NO_ALL_RED, SHIPPED, UNITS
from benchmarks.red_running import differences as clearance_differences
from benchmarks.red_running import table as clearance_table
from benchmarks.resco import BEGIN_S, run_spec
from benchmarks.results import Measurement, Result, read_results, to_line
from benchmarks.setup import Setup, spread
from benchmarks.transit_import import DAY, cut_feed, transit_import
from gtfs.feed import read_feed
from gtfs.timetable import timetable
from networks.faults import InputError, RunError
from networks.netxml import read_network
from signals.check_controller import check_controller
from signals.controller import CONTROLLERS
from signals.intergreen import Clearance
from signals.plan import build_plan
from sim.measures import RunMeasures
from sim.programs import program_violations
from tests.test_rolling_horizon import TWO, queue, seen

ROOT = Path(__file__).parents[1]
VERSIONS = {"python": "3.11", "eclipse-sumo": "1.28"}


def result(metric: str, value: float, seed: int | None = None, unit: str = "s", **versions: str) -> Result:
    return Result("reading", metric, value, unit, seed, VERSIONS | versions)


def written(path: Path, *results: Result) -> Path:
    path.write_text("".join(to_line(item) + "\n" for item in results), encoding="utf-8")
    return path


words = st.text(max_size=20)
numbers = st.floats(allow_nan=False, allow_infinity=False)
any_result = st.builds(
    Result, words, words, numbers, words, st.none() | st.integers(), st.dictionaries(words, words, max_size=3)
)


@given(results=st.lists(any_result, max_size=5, unique_by=lambda item: item.key))
def test_what_was_measured_is_read_back(tmp_path_factory, results):
    path = written(tmp_path_factory.mktemp("results") / "a.jsonl", *results)
    assert read_results(path) == results


def test_a_line_holds_the_six_fields_that_others_rely_on():
    assert json.loads(to_line(result("cpu", 1.5, seed=2))) == {
        "case": "reading",
        "metric": "cpu",
        "value": 1.5,
        "unit": "s",
        "seed": 2,
        "versions": VERSIONS,
    }


def test_side_by_side_shows_ratios_gaps_and_changed_versions():
    before = [result("cpu", 2.0), result("delay", 40.0, seed=1), result("old", 3.0), result("none", 0.0, unit="1")]
    after = [result("cpu", 3.0), result("delay", 30.0, seed=1), result("none", 0.0, unit="1"), result("new", 4.0)]
    lines = list(side_by_side(before, [Result(**vars_of(item) | {"versions": {"python": "3.12"}}) for item in after]))
    assert lines == [
        "case     metric  seed   A   B  B / A  unit",
        "reading  cpu            2   3  1.500  s",
        "reading  delay      1  40  30  0.750  s",
        "reading  old            3   -      -  s",
        "reading  none           0   0      -",
        "reading  new            -   4      -  s",
        "eclipse-sumo: 1.28 in A, - in B",
        "python: 3.11 in A, 3.12 in B",
    ]


def vars_of(item: Result) -> dict[str, object]:
    return {name: getattr(item, name) for name in ("case", "metric", "value", "unit", "seed", "versions")}


def test_diff_prints_a_table_and_ends_well(tmp_path):
    path = written(tmp_path / "a.jsonl", result("cpu", 2.0))
    done = CliRunner().invoke(diff, [str(path), str(path)])
    assert (done.exit_code, done.stdout.splitlines()[1].split()) == (0, ["reading", "cpu", "2", "2", "1.000", "s"])


GOOD = to_line(result("cpu", 2.0))


@pytest.mark.parametrize(
    ("content", "row"),
    [
        (b"no json\n", 1),
        (f"{GOOD}\n[1]\n".encode(), 2),
        (f"{GOOD}\n\n{GOOD}\n".encode(), 3),
        (GOOD.replace("2.0", "NaN").encode(), 1),
        (GOOD.replace("2.0", '"fast"').encode(), 1),
        (GOOD.replace('"seed": null, ', "").encode(), 1),
        (b"\xff\xfe\n", None),
    ],
)
def test_unreadable_results_are_one_line_and_exit_code_two(tmp_path, content, row):
    path, sound = tmp_path / "bad.jsonl", written(tmp_path / "good.jsonl", result("cpu", 2.0))
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_results(path)
    assert (caught.value.code, caught.value.row) == ("RESULT_LINE", row)
    done = ended(["benchmarks.diff", sound, path])
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "RESULT_LINE" in done.stderr
    assert done.stdout == ""


def test_results_that_are_not_there_are_named(tmp_path):
    with pytest.raises(InputError, match="FILE_MISSING"):
        read_results(tmp_path / "none.jsonl")


def ended(words: list[object]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *map(str, words)], cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_median_least_and_greatest_of_repeated_values():
    assert list(spread("cpu", [3.0, 1.0, 2.0, 10.0], "s")) == [
        Measurement("cpu", 2.5, "s"),
        Measurement("cpu/min", 1.0, "s"),
        Measurement("cpu/max", 10.0, "s"),
    ]


def busy(seconds: float) -> list[str]:
    return [sys.executable, "-c", f"import time\nwhile time.process_time() < {seconds}: pass"]


def test_cpu_time_of_a_program_and_of_what_it_starts():
    nested = [sys.executable, "-c", f"import subprocess; subprocess.run({busy(0.3)!r}, check=True)"]
    asleep = [sys.executable, "-c", "import time; time.sleep(0.5)"]
    assert 0.3 <= cost(busy(0.3)).cpu_s < 0.8
    assert 0.3 <= cost(nested).cpu_s < 1.0
    assert cost(asleep).cpu_s < 0.3


def test_a_call_in_a_fresh_process_counts_neither_start_nor_import(tmp_path):
    path = tmp_path / "net.xml"
    path.write_text("<net><edge/><edge/><lane/></net>")
    assert count_elements(str(path)) == {"elements": 4}
    said = cost(python_call("benchmarks.readers:count_elements", path)).said
    assert said["elements"] == 4
    assert 0 <= said["call_cpu_s"] < 0.05


def test_a_call_answers_for_what_it_starts():
    said = cost(python_call("tests.test_benchmarks:start_busy", 0.3)).said
    assert 0.3 <= said["call_cpu_s"] < 0.8


def start_busy(seconds: str) -> None:
    subprocess.run(busy(float(seconds)), check=True)


def test_a_program_that_fails_is_told_in_its_last_words():
    with pytest.raises(RunError, match="no such file"):
        cost([sys.executable, "-c", "raise SystemExit('first\\nno such file')"])


def test_peak_memory_is_that_of_each_process_at_its_height():
    # 200 MB are held and let go again; the child holds 100 MB and must not be counted as large as its parent
    child = "held = b'x' * 100_000_000; import time; time.sleep(0.3)"
    parent = f"held = b'x' * 200_000_000; import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    after = "; del held; import time; time.sleep(0.2)"
    memory = peak_memory([sys.executable, "-c", parent + after])
    assert memory is not None
    assert 190 < memory.own_mb < 240
    assert 95 < memory.children_mb < 140


def test_absent_data_leaves_a_case_out_and_says_so(tmp_path):
    told: list[str] = []
    setup = Setup(tmp_path / "nowhere", tmp_path, 1, told.append)
    without = [case for case in CASES if case.name in ("co-simulation", "environment", "published-maps")]
    assert list(runner.measured(without, setup)) == []
    assert sum("is left out" in line and "BAGDAR_DATA" in line for line in told) == len(without)


def test_reading_adlershof_end_to_end(tmp_path):
    output = tmp_path / "results.jsonl"
    began_s = time.monotonic()
    words = ["benchmarks.run", "--case", "network-reading", "--repeats", 1, "-o", output]
    done = subprocess.run(
        [sys.executable, "-m", *map(str, words)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"BAGDAR_DATA": str(tmp_path / "nowhere")},
    )
    assert (done.returncode, done.stdout) == (0, "")
    assert "Porto Alegre is left out" in done.stderr
    results = {item.metric: item for item in read_results(output)}
    assert {item.case for item in results.values()} == {"network-reading"}
    ours, theirs = results["adlershof/ours cpu"].value, results["adlershof/sumolib cpu"].value
    assert 0 < ours < time.monotonic() - began_s
    assert results["adlershof/times faster than sumolib"].value == pytest.approx(theirs / ours, rel=1e-4)
    assert results["adlershof/ours cpu"].versions["eclipse-sumo"].startswith("1.28")


def test_published_figures_are_those_of_the_table_by_map():
    assert list(PUBLISHED_DELAY_S) == list(BEGIN_S)
    assert PUBLISHED_DELAY_S["cologne8"]["fixed"] == 49.0
    assert PUBLISHED_DELAY_S["ingolstadt7"]["prototype, safe"] == 28.4
    assert PUBLISHED_DELAY_S["cologne1"]["SUMO Webster"] == 89.3


def measured(seed: int, delay_s: float, *, gridlocked: bool = False) -> RunMeasures:
    """A row of a run of which only these are of interest."""
    plain = {field.name: 0 for field in fields(RunMeasures)}
    return RunMeasures(**plain | {"seed": seed, "delay_per_scheduled_s": delay_s, "gridlocked": gridlocked})


def test_the_table_sets_ours_below_the_published():
    rows = {
        "cologne1": {"ours: static, own": [measured(1, 43.0), measured(2, 43.08)]},
        "ingolstadt7": {"ours: static, own": [measured(1, 80.0), measured(2, 91.2, gridlocked=True)]},
    }
    lines = list(table(rows, 2))
    assert lines[1].split() == ["cologne1", "ingolstadt7"]
    assert lines[2].split() == ["published:", "fixed", "42.9", "85.8"]
    assert lines[-1].split() == ["ours:", "static,", "own", "43.0", "85.6*"]


def test_differences_are_taken_within_seeds():
    rows = {contender.label: [measured(seed, 10.0 + seed) for seed in (1, 2, 3)] for contender in CONTENDERS}
    ours = next(each for each in CONTENDERS if each.name == "self-control" and each.group == GROUPS[0])
    rows[ours.label] = [measured(1, 9.0), measured(3, 10.0), measured(2, 9.0)]
    found = {row.metric: row.value for row in differences("cologne1", rows)}
    metric = f"cologne1/self-control less RESCO greedy, {GROUPS[0]}"
    # -2, -3 and -3 s: their mean, and 4.303 standard errors of a third of a second
    assert found[metric] == pytest.approx(-8 / 3)
    assert found[f"{metric}/ci95 low"] == pytest.approx(-8 / 3 - 4.3027 / 3, abs=1e-3)
    assert found[f"{metric}/ci95 high"] == pytest.approx(-8 / 3 + 4.3027 / 3, abs=1e-3)


@pytest.mark.parametrize(("quick", "seeds"), [(True, 3), (False, 10)])
def test_the_case_runs_every_contender_on_every_map(tmp_path, monkeypatch, quick, seeds):
    (tmp_path / "resco").mkdir()
    asked = []

    def runs(_folder, name, contender, seeds, _cache):
        asked.append((name, contender.label))
        return [measured(seed, 10.0 + seed) for seed in seeds]

    monkeypatch.setattr(published_maps, "_runs", runs)
    told: list[str] = []
    found = {row.metric for row in published_maps.published_maps(Setup(tmp_path, tmp_path, 1, told.append, quick))}
    assert asked == [(name, contender.label) for name in BEGIN_S for contender in CONTENDERS]
    assert sum(line.startswith(("ours: ", "peer: ")) for line in told) == len(CONTENDERS)
    assert f"mean of {seeds} seeds" in next(line for line in told if line.startswith("honest delay"))
    for ending in ("delay per scheduled vehicle", "monitor violations", "runs in gridlock", "never inserted"):
        assert f"cologne8/ours: rolling-horizon, {GROUPS[0]}/{ending}" in found


def test_every_controller_of_ours_and_five_peers_run_in_each_group():
    for group in GROUPS:
        ours = {each.name for each in CONTENDERS if each.is_ours and each.group == group}
        assert ours - {"self-control, 3 s of yellow"} == set(CONTROLLERS)
        assert sum(not each.is_ours and each.group == group for each in CONTENDERS) == 5
    assert len({each.label for each in CONTENDERS}) == len(CONTENDERS)


@pytest.mark.parametrize("name", ["Greedy", "MaxPressure"])
def test_rules_of_peers_keep_the_contract(name):
    check_controller(getattr(peers, name), seeds=range(3))


def test_greedy_takes_the_stage_before_which_most_are_near_every_ten_seconds():
    law = peers.Greedy(TWO, peers.EveryTenSeconds())
    near, far = [(0, 40.0, 0.0), (0, 45.0, 9.0)], [(1, 60.0, 0.0)] * 9
    assert law.wish(seen([*near, *far], time_s=0.0)) == 0
    assert law.wish(seen(queue(1, 5), time_s=9.0)) == 0
    assert law.wish(seen(queue(1, 5), time_s=10.0)) == 1


@pytest.mark.parametrize("remake", [peer_networks.actuated, peer_networks.delay_based, peer_networks.short_yellow])
def test_networks_of_peers_hold_their_programs_and_no_conflict(tmp_path, data_dir, remake):
    source = data_dir / "resco" / "ingolstadt1" / "ingolstadt1.net.xml.gz"
    clearance = Clearance.AS_SHIPPED if remake is peer_networks.short_yellow else Clearance.ITE
    made = read_network(peer_networks.write_network(source, tmp_path / "made.net.xml.gz", clearance, remake))
    plans = [build_plan(made, signal.signal_id, Clearance.AS_SHIPPED) for signal in made.signals]
    assert program_violations(made, plans, {}) == 0
    (program,) = made.signals[0].programs
    assert program.kind == {"short_yellow": "static"}.get(remake.__name__, remake.__name__)
    used = [times for times, link in zip(plans[0].clearances, plans[0].links, strict=True) if link.is_used]
    if remake is peer_networks.short_yellow:
        assert {(times.yellow_s, times.all_red_s) for times in used} == {(3.0, 0.0)}
    else:
        assert [phase.max_s for phase in program.phases if phase.max_s] == [50.0] * 3
        assert min(times.yellow_s for times in used) > 3.0
        assert max(times.all_red_s for times in used) >= 1.0


def test_clearances_are_compared_within_seeds():
    """Seeds differ by 100 collisions, clearances by 4, 5 and 6 within them: t of two degrees of freedom is 4.303."""
    shipped, others = (10.0, 110.0, 210.0), {NO_ALL_RED: (0.0, 0.0, 0.0), ITE: (-4.0, -5.0, -6.0)}
    rows = {
        ("red runners", clearance): [
            dict.fromkeys(UNITS, value + less) for value, less in zip(shipped, by, strict=True)
        ]
        for clearance, by in {SHIPPED: (0.0, 0.0, 0.0), **others}.items()
    }
    found = {item.metric: item.value for item in clearance_differences("map", rows)}
    place = "map/red runners/ITE less as shipped/collisions in the junction"
    assert found[place] == -5.0
    assert found[f"{place}/ci95 high"] == pytest.approx(-5.0 + 4.303 / 3**0.5, abs=1e-3)
    assert found["map/red runners/yellow by formula, no all-red less as shipped/delay/ci95 low"] == 0.0
    assert "105.0 (-5.0: -7.5 to -2.5)" in list(clearance_table("map", rows))[-1]


def test_a_map_runs_its_hour_with_all_signals(data_dir):
    spec = run_spec(data_dir / "resco", "cologne8", "static", 3, clearance=Clearance.AS_SHIPPED, span_s=60.0)
    assert (spec.begin_s, spec.end_s, spec.seed) == (25_200.0, 25_260.0, 3)
    assert len(spec.controlled) == 8
    assert spec.measured == spec.controlled
    assert all(path.exists() for path in (spec.network, *spec.routes))


def test_a_cut_feed_holds_the_trips_of_its_patterns_and_no_others(tmp_path, data_dir):
    source = data_dir / "northern_kentucky" / "gtfs-7-routes.zip"
    trips = cut_feed(source, tmp_path / "few.zip", DAY, 3)
    whole, cut = (timetable(read_feed(feed), DAY, previous_day=False) for feed in (source, tmp_path / "few.zip"))
    by_pattern = Counter(whole.trip_pattern_ids)
    assert (len(cut.patterns), len(cut.trips)) == (3, trips)
    assert trips == sum(count for _, count in by_pattern.most_common(3))
    times = {name: whole.calls.departure_s[whole.trips.calls(row)].tolist() for row, name in enumerate(whole.trips.ids)}
    for row, name in enumerate(cut.trips.ids):
        assert cut.calls.departure_s[cut.trips.calls(row)].tolist() == times[name]


def test_an_import_without_its_data_is_left_out_aloud(tmp_path):
    told: list[str] = []
    assert list(transit_import(Setup(tmp_path / "nowhere", tmp_path, 1, told.append))) == []
    assert "transit-import is left out" in told[0]
