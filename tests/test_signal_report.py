"""Signals in the report: means over seeds, the arterial, diagrams, tables; every word from outside escaped."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from networks.netxml import read_network
from scenarios.arterial import find_arterial
from scenarios.report import render_report
from scenarios.results import run_from_json, run_to_json
from scenarios.signal_content import (
    BUS,
    CAR,
    OCCUPANCY,
    PERSON,
    MovementRow,
    mode_rows,
    movement_rows,
    reason_kind,
    refusal_rows,
)
from scenarios.signal_results import signal_results
from scenarios.signal_views import signal_views
from scenarios.tables import read_csv
from scenarios.time_space import arrivals_on_green, draw_time_space, tracks
from scenarios.timing_figures import diagram_span_s, draw_timing
from signals.history import SignalHistory
from sim.control import RefusedWish
from sim.movements import Movement, signal_movements
from sim.passages import Passages
from sim.run import Run, RunSpec, simulate
from sim.signal_measures import ModeMeasures, MovementMeasures
from tests.made_up import run_row, study
from tests.signal_streets import write_streets

PLACES = {"w": (-300, 0), "a": (0, 0), "b": (250, 0), "e": (550, 0), "s": (0, -200), "t": (250, -200)}
STREETS = {
    "wa": ("w", "a"),
    "ab": ("a", "b"),
    "be": ("b", "e"),
    "sa": ("s", "a"),
    "tb": ("t", "b"),
    "as": ("a", "s"),
    "bt": ("b", "t"),
}
"""Two lights, 250 m apart, on a street from west to east."""


def _runs(folder: Path) -> tuple[Path, list[Run]]:
    """A fixed and a controlled run over ten minutes: 90 cars along the street, 30 across at each light."""
    network = write_streets(folder, PLACES, STREETS, {"a": "a", "b": "b"})
    trips = [(number * 6.0, f"along{number}", "wa ab be") for number in range(90)]
    trips += [(number * 18.0 + 3, f"first{number}", "sa ab bt") for number in range(30)]
    trips += [(number * 18.0 + 9, f"second{number}", "tb be") for number in range(30)]
    rows = [
        f'<vehicle id="{name}" depart="{depart_s}"><route edges="{edges}"/></vehicle>'
        for depart_s, name, edges in sorted(trips)
    ]
    routes = folder / "cars.rou.xml"
    routes.write_text("\n".join(["<routes>", *rows, "</routes>"]))
    found = []
    for variant, controller, seed in (("fixed", "static", 1), ("fixed", "static", 2), ("smart", "max-pressure", 1)):
        spec = RunSpec(variant, controller, seed, network, (routes,), 0, 600, ("a", "b"), ("a", "b"))
        found.append(simulate(spec))
    return network, found


@pytest.fixture(scope="module")
def streets(tmp_path_factory):
    folder = tmp_path_factory.mktemp("streets")
    path, runs = _runs(folder)
    network = read_network(path)
    signals = signal_results(network, ("a", "b"), (0.0, 600.0), runs, folder)
    measures = tuple(run.measures for run in runs)
    junctions = tuple(row for run in runs for row in run.junctions)
    base = study(network, delays_s=(("fixed", 1.0), ("smart", 1.0)), hotspots=(), crashes=None)
    content = replace(base, runs=measures, junctions=junctions, signals=signals)
    return folder, network, runs, content


def _movement_measures(seed: int, delay_s: float, **changes) -> MovementMeasures:
    row = MovementMeasures(
        *("a", seed, "j", "junction", 1, "street", "EB", "left", 1, 100.0, 90.0, delay_s, "B", 0.5),
        *(1.0, 3.0, 5.0, 0.4, 0.1, 0.05, 0.5, 60.0, 50.0, 70.0, 30.0),
    )
    return replace(row, **changes)


def test_means_over_seeds_have_the_interval_of_their_delay():
    """Delays 10, 20, 30: mean 20, margin 4.303 * 10 / sqrt(3)."""
    rows = [_movement_measures(seed, 10.0 * seed, queue_max_veh=float(seed)) for seed in (1, 2, 3)]
    (row,) = movement_rows(rows)
    assert (row.runs, row.delay_s, row.level_of_service, row.queue_max_veh) == (3, 20, "B", 3)
    assert row.delay_ci95_high_s - row.delay_s == pytest.approx(24.84, abs=0.01)


def test_a_movement_that_nobody_drove_in_one_run_has_the_mean_of_the_others():
    (row,) = movement_rows([_movement_measures(1, math.nan), _movement_measures(2, 40.0)])
    assert (row.delay_s, row.level_of_service) == (40, "D")
    assert math.isnan(row.delay_ci95_low_s)


def test_persons_are_vehicles_times_occupancy():
    rows = [ModeMeasures("a", 1, CAR, 100, 30.0), ModeMeasures("a", 1, BUS, 10, 12.0)]
    found = {row.mode: row for row in mode_rows(rows)}
    cars, buses = 100 * OCCUPANCY[CAR], 10 * OCCUPANCY[BUS]
    assert found[PERSON].delay_s == pytest.approx((30 * cars + 12 * buses) / (cars + buses))
    assert found[PERSON].passages == pytest.approx(cars + buses)


def test_without_buses_nothing_is_said_of_modes():
    assert mode_rows([ModeMeasures("a", 1, CAR, 100, 30.0), ModeMeasures("a", 1, BUS, 0, math.nan)]) == ()


def test_refusals_are_counted_by_kind_of_reason():
    late = "link {} would be red for more than 120 s: stage {} first"
    wishes = [RefusedWish(5.0, "j", "x", 1, late.format(3, 0)), RefusedWish(9.0, "j", "x", 2, late.format(8, 2))]
    wishes += [RefusedWish(9.0, "k", "x", 9, "there is no stage 9")]
    rows = refusal_rows([Run(run_row("a", 1, 30.0), (), tuple(wishes))])
    assert [(row.junction, row.reason, row.refused) for row in rows] == [
        ("j", "another link would be red too long", 2),
        ("k", "there is no stage", 1),
    ]
    assert reason_kind("minimum green or intergreen is running") == "minimum green or intergreen is running"


def _movement(signal_id: str, number: int, turn: str = "through") -> Movement:
    return Movement(signal_id, number, number, number + 1, (0,), (0,), "street", "EB", turn, "other")


def _passages(rows: list[tuple[int, int, float, float]]) -> Passages:
    """Movement, vehicle, entry, place of the stop line; through after 20 s, 10 s of which are free."""
    movement, vehicle, enter_s, place_m = (np.array(column) for column in zip(*rows, strict=True))
    nothing = np.zeros(len(rows))
    return Passages(
        movement,
        vehicle,
        nothing > 0,
        enter_s.astype(float),
        enter_s + 20.0,
        nothing + 10,
        nothing,
        place_m.astype(float),
        nothing + 100,
        nothing + 10,
    )


def test_the_arterial_is_the_chain_that_most_drive_through():
    """Ten go through a, b, c, six of them on to d; twenty turn left from e into a, which no arterial does."""
    movements = [_movement(name, 1) for name in "abcd"] + [_movement("e", 1, "left")]
    rows = [(step, vehicle, 100.0 * step, 300.0 * step) for vehicle in range(10) for step in range(3 + (vehicle < 6))]
    rows += [(4, vehicle, 0, 0.0) for vehicle in range(20, 40)] + [(0, vehicle, 90, 250) for vehicle in range(20, 40)]
    arterial = find_arterial(movements, _passages(rows))
    assert arterial.movements == (0, 1, 2, 3)
    assert arterial.stop_line_m == (0, 300, 600, 900)
    assert arterial.streams == (10, 10, 6)


def test_without_two_signals_in_a_row_there_is_no_arterial():
    assert find_arterial([_movement("a", 1)], _passages([(0, 1, 5.0, 100.0)])) is None


def test_vehicles_wait_at_their_place_in_the_queue():
    """Two come at 0 and 2 s and are held from 10 and 12 s on: the second one a car's length behind the first."""
    movements = [_movement("a", 1), _movement("b", 1)]
    rows = [(0, 1, 0.0, 100.0), (0, 2, 2.0, 100.0), (1, 1, 20.0, 400.0), (1, 2, 22.0, 400.0)]
    passages = _passages(rows)
    arterial = find_arterial(movements, passages)
    first, second = tracks(passages, arterial, movements, {1: 1})
    assert first[1].tolist() == pytest.approx([10 * 100 / 110, 0])
    assert second[1][1] == second[2][1] == -7.5
    assert (np.diff(second[:, 0]) >= 0).all()
    assert (np.diff(second[:, 1]) >= 0).all()


def test_arrivals_at_green(streets):
    *_, content = streets
    history = SignalHistory("a", (0, 300), ("G", "r"), 600)
    came = _passages([(0, 1, 100.0, 0.0), (0, 2, 285.0, 0.0), (0, 3, 295.0, 0.0), (0, 4, 400.0, 0.0)])
    assert arrivals_on_green(came, history, _movement("a", 1), content.signals) == 0.5


def test_a_run_with_its_signals_is_read_back_as_it_was(streets):
    _, _, runs, _ = streets
    for run in runs:
        again = run_from_json(run_to_json(run))
        assert again.signals.histories == run.signals.histories
        assert repr(again.signals.movements) == repr(run.signals.movements)
        assert repr(again.signals.cycles) == repr(run.signals.cycles)
        for name in Passages.__slots__:
            assert getattr(again.signals.passages, name).tolist() == getattr(run.signals.passages, name).tolist()


def test_the_arterial_of_the_streets_leads_along_them(streets):
    _, network, runs, content = streets
    arterial = find_arterial(content.signals.measured, runs[0].signals.passages)
    chain = [content.signals.measured[number] for number in arterial.movements]
    assert [(move.signal_id, move.turn) for move in chain] == [("a", "through"), ("b", "through")]
    edge_m = float(network.edge_length_m[network.edge_index["ab"]])
    assert edge_m < arterial.stop_line_m[1] < edge_m + 30


def test_tables_hold_every_movement_of_every_variant(streets):
    folder, network, _, content = streets
    rows = read_csv(folder / "movements.csv", MovementRow)
    expected = [(name, move.signal_id, move.number) for name in ("fixed", "smart") for move in content.signals.measured]
    assert [(row.variant, row.junction, row.movement) for row in rows] == expected
    assert len(signal_movements(network, "a")) == 3
    assert {row.runs for row in rows} == {1, 2}
    assert (folder / "movements.parquet").exists()
    assert not (folder / "mode_delay.csv").exists()


def test_diagrams_are_the_same_bytes_each_time(streets, tmp_path):
    *_, content = streets
    for number in (1, 2):
        drawn = [*draw_timing(tmp_path / str(number), content), *draw_time_space(tmp_path / str(number), content)]
        assert [drawing.path.name for drawing in drawn] == [
            "signal_timing_1.png",
            "signal_timing_2.png",
            "time_space.png",
        ]
    for name in ("signal_timing_1.png", "signal_timing_2.png", "time_space.png"):
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes()


def test_a_diagram_shows_about_three_cycles_in_the_middle(streets):
    *_, content = streets
    begin_s, end_s = diagram_span_s(content.signals, "a")
    assert 150 <= end_s - begin_s <= 360
    assert begin_s + end_s == pytest.approx(600, abs=2)


def test_the_report_tells_of_every_driven_movement(streets):
    *_, content = streets
    views = signal_views(content)
    assert len(views.tables) == 2
    page = render_report(content, ())
    for table in views.tables:
        for line in table.lines:
            assert line.name in page
    assert "Signals, movement by movement" in page
    assert "Persons are assumed" not in page


def test_names_from_outside_are_escaped(streets):
    *_, content = streets
    measured = tuple(replace(move, approach="<script>x</script>") for move in content.signals.measured)
    page = render_report(replace(content, signals=replace(content.signals, measured=measured)), ())
    assert "&lt;script&gt;x" in page
    assert "<script>" not in page


def test_a_study_without_a_finished_run_has_no_part_on_signals(streets):
    *_, content = streets
    empty = replace(content.signals, movements=(), cycles=(), traces={})
    assert signal_views(replace(content, signals=empty)) is None
    assert draw_timing(Path("nowhere"), replace(content, signals=empty)) == ()
    assert draw_time_space(Path("nowhere"), replace(content, signals=empty)) == ()
