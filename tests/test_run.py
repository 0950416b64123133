"""Runs on a crossing whose outcome is known, and on published maps whose delay is."""

import math

import numpy as np
import pytest

from networks.netxml import read_network
from signals.intergreen import Clearance
from sim.engine import Api
from sim.measures import is_gridlocked, level_of_service, trip_measures
from sim.outputs import Trips
from sim.run import RunSpec, simulate
from tests.crossing import write_cars, write_crossing


def _spec(folder, controller="static", *, west=60, south=20, seed=1, **more) -> RunSpec:
    routes = write_cars(folder / "cars.rou.xml", west, south)
    return RunSpec(
        variant=controller,
        controller=controller,
        seed=seed,
        network=write_crossing(folder),
        routes=(routes,),
        begin_s=0,
        end_s=more.pop("end_s", 600),
        controlled=("c",),
        measured=("c",),
        **more,
    )


def _trips(*rows: tuple[float, float, float, float, float]) -> Trips:
    columns = [np.array(column, dtype=np.float64) for column in zip(*rows, strict=True)]
    depart, arrival, wait, loss, duration = columns
    return Trips(depart, arrival, wait, loss, duration, waiting_s=loss / 2, stops=np.ones_like(loss))


def test_honest_delay_counts_who_never_entered():
    """Two entered and lost 10 and 30 s after waiting 2 and 0 s; one waited 118 s in vain: (42 + 118) / 3."""
    inf = math.inf
    measures = trip_measures(_trips((0, 60, 2, 10, 60), (5, inf, 0, 30, 95), (inf, inf, 118, 0, 0)))
    assert measures["delay_per_scheduled_s"] == pytest.approx(160 / 3)
    assert [measures[name] for name in ("scheduled", "inserted", "arrived", "never_inserted")] == [3, 2, 1, 1]
    assert measures["time_loss_s"] == 20
    assert measures["depart_delay_s"] == 40
    assert measures["duration_s"] == 77.5


def test_measures_of_an_empty_run_are_not_numbers():
    measures = trip_measures(_trips((math.inf, math.inf, 9, 0, 0)))
    assert measures["delay_per_scheduled_s"] == 9
    assert math.isnan(measures["time_loss_s"])


@pytest.mark.parametrize(
    ("arrivals", "stuck", "expected"), [(0, 40, True), (3, 37, True), (4, 36, False), (0, 19, False)]
)
def test_gridlock_is_hardly_anybody_arriving(arrivals, stuck, expected):
    rows = [(0.0, 3500.0, 0.0, 0.0, 0.0)] * arrivals + [(0.0, math.inf, 0.0, 0.0, 0.0)] * stuck
    assert is_gridlocked(_trips(*rows), 3600) is expected


@pytest.mark.parametrize(
    ("delay_s", "signal", "stop"), [(10, "A", "A"), (10.1, "B", "B"), (35, "C", "D"), (55, "D", "F"), (80.1, "F", "F")]
)
def test_levels_of_service_of_the_highway_capacity_manual(delay_s, signal, stop):
    assert level_of_service(delay_s, signalised=True) == signal
    assert level_of_service(delay_s, signalised=False) == stop
    assert level_of_service(math.nan, signalised=True) == "-"


def test_every_car_is_accounted_for(tmp_path):
    run = simulate(_spec(tmp_path))
    row = run.measures
    assert (row.scheduled, row.inserted, row.arrived, row.never_inserted) == (80, 80, 80, 0)
    (junction,) = run.junctions
    assert junction.volume_veh_per_h == 80 * 6
    assert row.monitor_violations == row.teleports == row.collisions == 0


def test_junction_delay_is_the_network_delay_where_there_is_one_junction(tmp_path):
    """All time lost within 200 m of the one junction, save what is lost on starting up and beyond."""
    run = simulate(_spec(tmp_path))
    (junction,) = run.junctions
    assert junction.delay_s == pytest.approx(run.measures.time_loss_s, rel=0.15)
    assert junction.stops_per_veh == pytest.approx(run.measures.stops, rel=0.1)
    assert junction.queue_mean_veh == pytest.approx(run.measures.waiting_s * 80 / 600, rel=0.1)
    assert junction.queue_max_veh >= junction.queue_mean_veh


def test_never_inserted_vehicles_show(tmp_path):
    run = simulate(_spec(tmp_path, west=600, south=600, end_s=300))
    assert run.measures.scheduled == 1200
    assert run.measures.never_inserted > 100
    assert run.measures.delay_per_scheduled_s > run.measures.time_loss_s


@pytest.mark.parametrize("api", [Api.LIBSUMO, Api.TRACI])
def test_every_way_to_run_sumo_gives_the_same(tmp_path, api):
    spec = _spec(tmp_path)
    alone, steered = simulate(spec, api=Api.PROGRAM), simulate(spec, api=api)
    assert repr(steered.junctions) == repr(alone.junctions)
    assert steered.measures.delay_per_scheduled_s == alone.measures.delay_per_scheduled_s


@pytest.mark.parametrize("step_s", [0.2, 1.0])
def test_controllers_beat_fixed_time_on_uneven_traffic(tmp_path, step_s):
    delays = {
        name: simulate(_spec(tmp_path, name, west=100, south=10, step_s=step_s)).measures.delay_per_scheduled_s
        for name in ("static", "actuated", "max-pressure")
    }
    assert delays["actuated"] < delays["static"]
    assert delays["max-pressure"] < delays["static"]


def test_same_seed_same_run(tmp_path):
    first, again = (simulate(_spec(tmp_path, "max-pressure")) for _ in range(2))
    assert repr(first.junctions) == repr(again.junctions)
    assert first.refusals == again.refusals


PUBLISHED_S = {"cologne1": 42.9, "cologne8": 49.0, "ingolstadt1": 29.3, "ingolstadt7": 85.8}
"""Honest delay under the shipped fixed times, mean of seeds 1 to 3."""
BEGIN_S = {"cologne1": 25200, "cologne8": 25200, "ingolstadt1": 57600, "ingolstadt7": 57600}


def _published(data_dir, name, controller, seed, clearance=Clearance.AS_SHIPPED):
    folder = data_dir / "resco" / name
    path = folder / f"{name}.net.xml.gz"
    network = read_network(path)
    ids = tuple(signal.signal_id for signal in network.signals)
    begin_s = BEGIN_S[name]
    routes = (folder / f"{name}.rou.xml.gz",)
    spec = RunSpec(controller, controller, seed, path, routes, begin_s, begin_s + 3600, ids, ids, {}, clearance)
    return simulate(spec, network=network).measures


@pytest.mark.slow
@pytest.mark.parametrize("name", PUBLISHED_S)
def test_fixed_time_delay_is_the_published_one(data_dir, name):
    runs = [_published(data_dir, name, "static", seed) for seed in (1, 2, 3)]
    assert np.mean([run.delay_per_scheduled_s for run in runs]) == pytest.approx(PUBLISHED_S[name], rel=0.02)
    assert all(run.monitor_violations == 0 for run in runs)


@pytest.mark.slow
@pytest.mark.parametrize("clearance", list(Clearance))
@pytest.mark.parametrize("name", PUBLISHED_S)
def test_max_pressure_beats_fixed_time_on_every_published_map(data_dir, name, clearance):
    """Reading the stop-line lanes alone it gridlocks two of them."""
    fixed = _published(data_dir, name, "static", 1, clearance)
    smart = _published(data_dir, name, "max-pressure", 1, clearance)
    assert smart.delay_per_scheduled_s < fixed.delay_per_scheduled_s
    assert smart.monitor_violations == fixed.monitor_violations == 0
    assert not smart.gridlocked


def test_a_run_of_one_second_has_measures(tmp_path):
    """SUMO leaves attributes out of intervals too short to have them."""
    (junction,) = simulate(_spec(tmp_path, end_s=1)).junctions
    assert junction.volume_veh_per_h == 0
    assert junction.queue_max_veh == 0
