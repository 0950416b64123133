"""Movements of signals: their names, who came to them and what that cost, against trips on one crossing."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from networks.netxml import read_network
from signals.history import SignalHistory, spans
from sim.areas import junction_areas
from sim.engine import Api, run_program
from sim.measures import trip_measures
from sim.movements import foot_links, signal_movements
from sim.options import SumoOptions
from sim.outputs import RawOutputs, read_trip_rows, trips_of, write_additional
from sim.passages import Passages, read_passages
from sim.run import RunSpec, simulate
from sim.signal_measures import (
    BUS,
    CAR,
    Period,
    cycle_measures,
    longest_red_s,
    mode_measures,
    movement_measures,
    movement_service,
    percentile,
    point_queue,
)
from sim.signal_record import read_histories, window
from tests.crossing import write_cars, write_crossing
from tests.signal_streets import PLACES, write_cross, write_streets

WEST, SOUTH = 0, 1
"""Movements of the crossing: from the west and from the south, straight on."""


def _spec(folder: Path, controller: str, west: int = 60, south: int = 20, end_s: float = 600) -> RunSpec:
    routes = write_cars(folder / "cars.rou.xml", west, south)
    network = write_crossing(folder)
    return RunSpec(controller, controller, 1, network, (routes,), 0, end_s, ("c",), ("c",))


def _spec_without_exits(folder: Path, controller: str) -> RunSpec:
    """The same traffic on a crossing behind which streets end after 5 m: whatever is lost is lost before it."""
    streets = {"wc": ("w", "c"), "ce": ("c", "e"), "sc": ("s", "c"), "cn": ("c", "n")}
    network = write_streets(folder, PLACES, streets, {"c": "c"}, length_m={"ce": 5.0, "cn": 5.0})
    routes = write_cars(folder / "cars.rou.xml", 60, 20)
    return RunSpec(controller, controller, 1, network, (routes,), 0, 600, ("c",), ("c",))


def _passages(*rows: tuple[float, float, float]) -> Passages:
    """Vehicles with entry, exit and free time."""
    enter_s, leave_s, free_s = (np.array(column, dtype=np.float64) for column in zip(*rows, strict=True))
    nothing, count = np.zeros(len(rows)), np.arange(len(rows))
    return Passages(
        count * 0, count, nothing > 0, enter_s, leave_s, free_s, nothing, nothing + 200, nothing + 200, nothing
    )


def test_movements_are_named_by_street_bound_and_turn(tmp_path):
    network = read_network(write_cross(tmp_path))
    found = [move.name for move in signal_movements(network, "light")]
    assert found == [
        *("wc EB left", "wc EB through", "wc EB right"),
        *("nc SB left", "nc SB through", "nc SB right"),
        *("ec WB left", "ec WB through", "ec WB right"),
        *("sc NB left", "sc NB through", "sc NB right"),
    ]
    assert [move.number for move in signal_movements(network, "light")] == list(range(1, 13))
    assert foot_links(network, "light") == ()


def test_crossings_are_links_of_people(tmp_path):
    network = read_network(write_cross(tmp_path, "--sidewalks.guess", "true", "--crossings.guess", "true"))
    assert len(foot_links(network, "light")) == 4
    assert len(signal_movements(network, "light")) == 12


@pytest.mark.parametrize("controller", ["static", "max-pressure"])
def test_delay_of_movements_is_that_of_the_trips_on_a_network_of_one_junction(tmp_path, controller):
    run = simulate(_spec_without_exits(tmp_path, controller))
    south, west = sorted((row for row in run.signals.movements if row.volume_veh_per_h), key=lambda row: row.approach)
    assert (west.volume_veh_per_h, south.volume_veh_per_h) == (60 * 6, 20 * 6)
    lost_s = (60 * west.delay_s + 20 * south.delay_s) / 80
    assert lost_s == pytest.approx(run.measures.time_loss_s, abs=1.0)
    assert 60 * west.stopped_share + 20 * south.stopped_share == pytest.approx(80 * run.measures.stops, rel=0.25)


def test_delay_vehicle_by_vehicle_is_that_of_the_trips(tmp_path):
    """Passages read from SUMO's files against the time loss of the same vehicles."""
    spec = _spec_without_exits(tmp_path, "static")
    network, raw = read_network(spec.network), RawOutputs(tmp_path)
    write_additional(raw, junction_areas(network, ("c",)), {}, 600)
    options = SumoOptions(
        spec.network,
        spec.routes,
        0,
        600,
        1,
        additional=(raw.additional,),
        tripinfo=raw.trips,
        vehicle_routes=raw.routes,
    )
    run_program(options, None, 60)
    trips = read_trip_rows(raw.trips)
    passages = read_passages(raw.routes, network, signal_movements(network, "c"), trips, 600)
    names = sorted(trips)
    lost_s = [float(trips[names[vehicle]]["timeLoss"]) for vehicle in passages.vehicle]
    assert len(passages) == len(trips) == trip_measures(trips_of(trips))["scheduled"]
    assert np.abs(passages.delay_s(600) - lost_s).max() < 4.0
    assert abs(np.mean(passages.delay_s(600) - lost_s)) < 1.0
    assert np.corrcoef(passages.delay_s(600), lost_s)[0, 1] > 0.99
    assert passages.approach_m == pytest.approx(passages.stop_line_m)


def test_a_junction_without_a_light_has_no_movements(tmp_path):
    run = simulate(replace(_spec(tmp_path, "static"), controlled=(), measured=("n",)))
    assert run.signals.movements == run.signals.cycles == run.signals.histories == ()
    assert len(run.signals.passages) == 0


def test_every_way_to_run_sumo_records_the_same(tmp_path):
    spec = _spec(tmp_path, "static")
    alone, steered = simulate(spec, api=Api.PROGRAM).signals, simulate(spec, api=Api.LIBSUMO).signals
    assert repr(alone.movements) == repr(steered.movements)
    assert alone.histories == steered.histories


def test_states_of_controllers_are_recorded(tmp_path):
    """What the record says changed is what the control says it changed: two stages, each change two greens less one."""
    run = simulate(_spec(tmp_path, "max-pressure"))
    (history,) = run.signals.histories
    assert history.begins_s[0] == 0
    assert history.end_s == 600
    (row,) = run.signals.cycles
    assert row.stages_per_h * 600 / 3600 == pytest.approx(run.measures.signal_switches, abs=1)


def test_the_last_of_two_states_in_one_instant_counts(tmp_path):
    path = tmp_path / "states.xml"
    rows = [(0, "a", "Gr"), (0, "a", "rG"), (5, "b", "yy"), (9, "a", "yr")]
    text = "".join(f'<tlsState time="{time_s}" id="{name}" state="{state}"/>' for time_s, name, state in rows)
    path.write_text(f"<tlsStates>{text}</tlsStates>")
    assert read_histories(path, ["a"], 20.0) == {"a": SignalHistory("a", (0.0, 9.0), ("rG", "yr"), 20.0)}


@pytest.mark.parametrize(
    ("delay_s", "ratio", "level"),
    [
        *((10, 0.5, "A"), (10.1, 0.5, "B"), (20, 0.5, "B"), (20.1, 0.5, "C"), (35, 1, "C"), (35.1, 1, "D")),
        *((55, 1, "D"), (55.1, 1, "E"), (80, 1, "E"), (80.1, 1, "F"), (5, 1.01, "F"), (math.nan, 0, "-")),
    ],
)
def test_level_of_service_is_f_also_where_more_come_than_can_be_let_through(delay_s, ratio, level):
    assert movement_service(delay_s, ratio) == level


def test_the_point_queue_of_three_vehicles_on_paper():
    """Due at 10, 12 and 30; through at 20, 20 and 30: two wait from 12 to 20, nobody at 30."""
    queue = point_queue(_passages((0, 20, 10), (2, 20, 10), (20, 30, 10)), Period(0, 40))
    assert queue.tolist() == [0] * 10 + [1] * 2 + [2] * 8 + [0] * 20


def test_who_is_still_there_counts_once_it_has_lost_time():
    passages = _passages((0, 25, 10), (0, math.inf, 10), (95, math.inf, 10))
    delay_s = passages.delay_s(100)
    assert delay_s[:2].tolist() == [15, 90]
    assert math.isnan(delay_s[2])


def test_the_longest_red_counts_only_where_somebody_waited():
    history = SignalHistory("x", (0, 10, 60, 70, 100), tuple("GrGrG"), 110)
    seen = spans(history, (0,))
    assert longest_red_s(seen, _passages((0, 5, 5))) == 0
    assert longest_red_s(seen, _passages((70, 102, 10))) == 30
    assert longest_red_s(seen, _passages((20, 62, 10), (70, 102, 10))) == 50


def test_measures_of_a_movement_on_paper(tmp_path):
    """Two vehicles in 100 s, 15 and 5 s late, under 40 % green: 72 arrivals an hour over 0.4 / 1.9 s."""
    network = read_network(write_crossing(tmp_path))
    movement = signal_movements(network, "c")[WEST]
    (link,) = movement.links
    states = ["".join("G" if (bit == link) == green else "r" for bit in range(2)) for green in (True, False)]
    history = SignalHistory("c", (0, 20, 50, 70), tuple(states * 2), 100)
    came = _passages((0, 25, 10), (50, 65, 10))
    row = movement_measures(("a", 1), "crossing", network, movement, history, came, Period(0, 100))
    assert row.delay_s == 10
    assert row.level_of_service == "A"
    assert (row.arriving_veh_per_h, row.volume_veh_per_h) == (72, 72)
    assert row.green_share == pytest.approx(0.4)
    assert row.volume_to_capacity == pytest.approx(72 / (3600 * 0.4 / 1.9))
    assert row.queue_mean_veh == pytest.approx(0.2)
    # a full stop from 13.89 m/s costs 13.89 / 2 * (1 / 2.6 + 1 / 4.5) = 4.2 s
    assert row.stopped_share == 1
    cycle = cycle_measures("crossing", [movement], history, [row])
    assert cycle.lost_share == pytest.approx(0.6)
    assert cycle.stages_per_h == 36


@given(arrays(np.float64, st.integers(1, 60), elements=st.floats(0, 1e4)), st.floats(0, 100))
def test_percentiles_are_those_of_numpy(values, share):
    assert percentile(values, share) == pytest.approx(np.percentile(values, share))
    assert math.isnan(percentile(np.empty(0), share))


def test_buses_and_cars_are_told_apart():
    passages = _passages((0, 25, 10), (0, 15, 10), (0, 40, 10))
    mixed = Passages(
        *(getattr(passages, name) for name in Passages.__slots__[:2]),
        np.array([True, False, False]),
        *(getattr(passages, name) for name in Passages.__slots__[3:]),
    )
    car, bus = mode_measures(("a", 1), mixed, 100)
    assert (car.mode, car.passages, car.delay_s) == (CAR, 2, 17.5)
    assert (bus.mode, bus.passages, bus.delay_s) == (BUS, 1, 15)


def test_the_window_lies_in_the_middle():
    assert window(0, 3600) == (1350, 2250)
    assert window(100, 400) == (100, 400)
