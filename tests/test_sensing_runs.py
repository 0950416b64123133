"""Sensing in scenarios and in runs on a small crossing: keys, what is passed on, what is named, what still holds."""

from dataclasses import replace

import pytest

from benchmarks.sensing import SENSINGS, table
from networks.netxml import read_network
from scenarios.account import report_content
from scenarios.compare import compare
from scenarios.prepare import Prepared, run_specs
from scenarios.results import failed_run
from scenarios.scenario import read_scenario
from scenarios.scenario_check import ScenarioError
from scenarios.scenario_template import new_scenario_text
from scenarios.views import difference_tables, variant_rows
from signals.intergreen import Clearance
from signals.plan import build_plan
from signals.sensing import Camera, Connected, Loops
from sim.control import SignalControl
from sim.demand import demand_from_routes
from sim.regime import Regime
from sim.run import RunSpec, sensing_words, simulate
from sim.watch import Watch
from tests.crossing import SCENARIO, write_cars, write_crossing, write_scenario
from tests.made_up import run_row
from tests.signal_streets import link_of, write_cross
from tests.test_control import Lights, Script

WITH_SENSING = (
    SCENARIO.replace("[[variant]]", '[signals]\nsensing = { kind = "loops" }\n[[variant]]', 1)
    + '[[variant]]\nname = "seen"\ncontroller = "actuated"\nsensing = { kind = "camera", range_m = 120 }\n'
)


def spec(folder, controller="max-pressure", *, west=60, south=20, **changes):
    network, routes = write_crossing(folder), write_cars(folder / "cars.rou.xml", west, south)
    return RunSpec(controller, controller, 1, network, (routes,), 0.0, 600.0, ("c",), ("c",), **changes)


def test_a_variant_sees_what_it_says_or_else_what_the_scenario_says(tmp_path):
    shipped, smart, seen = read_scenario(write_scenario(tmp_path, WITH_SENSING)).variants
    assert (shipped.sensing, smart.sensing, seen.sensing) == (Loops(), Loops(), Camera(range_m=120.0))


def test_without_a_word_all_vehicles_are_connected(tmp_path):
    assert {variant.sensing for variant in read_scenario(write_scenario(tmp_path)).variants} == {Connected(1.0)}


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('"loops"', '"loop"', "signals.sensing.kind: unknown kind 'loop'. Did you mean 'loops'?"),
        ("range_m = 120", "range = 120", "variant[3].sensing.range: camera has no 'range'. Did you mean 'range_m'?"),
        ("range_m = 120", "range_m = 900", "variant[3].sensing.range_m: must be a number from 10 to 200, not 900"),
        ('{ kind = "loops" }', '"loops"', "signals.sensing: must be a table, not 'loops'"),
    ],
)
def test_a_fault_of_sensing_is_named_by_its_place(tmp_path, old, new, fault):
    with pytest.raises(ScenarioError) as told:
        read_scenario(write_scenario(tmp_path, WITH_SENSING.replace(old, new)))
    assert len(told.value.faults) == 1
    place, what = fault.split(": ", 1)
    assert place in str(told.value)
    assert what in str(told.value)


def test_every_sensing_of_the_template_is_accepted(tmp_path):
    lines = [line for line in new_scenario_text("x").splitlines() if line.startswith("# sensing = ")]
    assert len(lines) == 3
    for line in lines:
        chosen = SCENARIO.replace("[[variant]]", f"[signals]\n{line.removeprefix('# ')}\n[[variant]]", 1)
        assert read_scenario(write_scenario(tmp_path, chosen))


def test_runs_tables_and_report_name_the_sensing_of_each_variant(tmp_path):
    scenario = read_scenario(write_scenario(tmp_path, WITH_SENSING))
    network = read_network(scenario.network.path)
    demand = demand_from_routes(scenario.demand.routes, network)
    prepared = Prepared(scenario.network.path, network, demand, None, ("c",))
    specs = run_specs(scenario, prepared, (1, 2))
    words = {each.variant: sensing_words(each) for each in specs}
    assert words == {"as shipped": "nothing", "smart": Loops().words, "seen": Camera(120.0).words}
    runs = tuple(replace(run_row(each.variant, each.seed, 50.0), sensing=sensing_words(each)) for each in specs)
    rows = compare(runs, (), tuple(words))
    assert {(row.variant, row.baseline_sensing, row.variant_sensing) for row in rows} == {
        (name, "nothing", words[name]) for name in ("smart", "seen")
    }
    content = report_content(scenario, prepared, runs, (), rows)
    assert [row.sensing for row in variant_rows(content)] == list(words.values())
    assert [table.sensing for table in difference_tables(content)] == [
        f"the first sees {words[name]}, the other nothing" for name in ("smart", "seen")
    ]
    assert content.sensor == f"{Loops().words} (smart); {Camera(120.0).words} (seen)"
    assert content.margin_note.endswith("what lights see differs by variant")
    assert failed_run(specs[1], "why").measures.sensing == Loops().words


def test_what_one_kind_of_sensing_sees_stands_in_the_margin_of_figures(tmp_path):
    scenario = read_scenario(write_scenario(tmp_path))
    network = read_network(scenario.network.path)
    prepared = Prepared(scenario.network.path, network, demand_from_routes(scenario.demand.routes, network), None, ())
    assert report_content(scenario, prepared, (), (), ()).margin_note == "lights see: connected vehicles, 100 %"


@pytest.mark.parametrize(
    ("sensing", "controller"),
    [(Connected(0.3), "self-control"), (Camera(), "actuated"), (Loops(), "self-control")],
)
def test_everybody_gets_through_whatever_the_sensors_and_twice_in_the_same_way(tmp_path, sensing, controller):
    first, again = (simulate(spec(tmp_path, controller, sensing=sensing)) for _ in range(2))
    assert (first.measures.arrived, first.measures.monitor_violations) == (80, 0)
    assert first.measures.sensing == sensing.words
    assert repr(first.junctions) == repr(again.junctions)
    assert first.refusals == again.refusals


def test_all_connected_changes_nothing(tmp_path):
    plain, said = simulate(spec(tmp_path)), simulate(spec(tmp_path, sensing=Connected(1.0)))
    assert repr(plain.junctions) == repr(said.junctions)
    assert plain.measures.sensing == "connected vehicles, 100 %"


@pytest.mark.parametrize(
    ("sensing", "controller"),
    [
        (Connected(0.0), "self-control"),
        (Connected(0.0), "actuated"),
        (Camera(miss=1.0), "max-pressure"),
        (Loops(miss=1.0), "self-control"),
    ],
)
def test_who_is_never_seen_is_served_within_maximum_red(tmp_path, controller, sensing):
    run = simulate(spec(tmp_path, controller, west=3, south=3, sensing=sensing))
    assert run.measures.arrived == 6
    # 120 s of red, then what there is of starting up and of those ahead
    assert 60 < run.measures.time_loss_max_s < 135


def test_without_the_recall_they_would_wait_for_ever(tmp_path, monkeypatch):
    monkeypatch.setattr(Connected, "is_sure", property(lambda _: True))
    assert simulate(spec(tmp_path, west=3, south=3, sensing=Connected(0.0))).measures.arrived == 3


def test_loops_count_every_second_also_while_no_signal_may_switch(tmp_path):
    network = read_network(write_crossing(tmp_path))
    plan = build_plan(network, "c", Clearance.ITE)
    looks = {}
    for sensing in (Connected(), Loops()):
        lights, seen = Lights(), []
        lights.api.vehicle.getIDList = lambda seen=seen: seen.append(1) or ()
        control = SignalControl(lights.api, network, Regime([(plan, Script(0))], "scripted", sensing=sensing), 0.0)
        for now_s in range(7):
            if control.due_s <= now_s:
                control.act(float(now_s))
        looks[sensing.kind] = len(seen)
    # minimum green lasts 7 s or longer
    assert looks == {"connected": 0, "loops": 7}


def test_a_camera_gives_each_turn_of_a_lane_its_share_of_who_waits_there(tmp_path):
    network = read_network(write_cross(tmp_path))
    plan = build_plan(network, "light", Clearance.ITE)
    ahead, right, left = (link_of(network, "light", "wc", f"c{arm}") for arm in "esn")
    where = {"a": (ahead, 2.0, 0.0), "b": (ahead, 100.0, 5.0), "far": (left, 170.0, 13.0)}
    api = Lights().api
    api.vehicle.getIDList = lambda: tuple(where)
    api.vehicle.getNextTLS = lambda name: [("light", *where[name][:2], "r")]
    api.vehicle.getLaneID, api.vehicle.getLanePosition = (lambda _: "wc_0"), (lambda name: 200.0 - where[name][1])
    api.vehicle.getSpeed = lambda name: where[name][2]
    seen = Watch(api, network, (plan,), sensing=Camera(150.0, 0.0, 0.0)).look(0.0)
    turns = [ahead, right, left]
    assert seen.halted[turns].tolist() == pytest.approx([1 / 3] * 3)
    assert seen.closeness[turns].tolist() == pytest.approx([(198 + 100) / 200 / 3] * 3)
    # whole vehicles are drawn
    assert sorted(seen.vehicles[turns].tolist()) in ([0, 0, 2], [0, 1, 1])
    assert seen.nearest_m.min() == 2.0
    assert seen.who.distance_m.tolist() == [2.0, 100.0]
    told = Watch(api, network, (plan,)).look(0.0)
    assert told.vehicles[turns].tolist() == [2, 0, 1]


def test_the_benchmark_takes_differences_within_seeds_and_counts_who_never_entered():
    rows = {each: [run_row("x", seed, 20.0 + seed, never_inserted=0) for seed in (1, 2, 3)] for each in SENSINGS}
    rows[Loops()] = [
        replace(run_row("x", seed, 25.0 + seed), gridlocked=seed == 2, never_inserted=seed) for seed in (3, 1, 2)
    ]
    lines = list(table({("actuated", "cologne1"): rows}))
    assert lines[2].split() == ["actuated", "cologne1"]
    assert lines[3].endswith("22.0 (+0.0)")
    assert lines[-1].strip().startswith(Loops().words)
    assert lines[-1].endswith("27.0 (+5.0)* n=6")
