"""Priority in runs: fixed programs followed, who asks and when it comes, weights, buses that get through sooner."""

import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from networks.faults import InputError
from networks.network import Phase, Program
from networks.netxml import read_network
from scenarios.priority_results import request_counts
from scenarios.results import run_from_json, run_to_json
from signals.fixed_time import FixedTime
from signals.intergreen import Clearance
from signals.priority import ALL_BUSES, EMERGENCY, GRANTED, PREEMPTION, WEIGHT, Priority
from sim.requests import Requests, drive_s
from sim.run import RunSpec, simulate
from sim.stop_output import DOORS
from tests.crossing import write_crossing
from tests.test_priority import three_streets

CYCLE = (
    ("Grr", 20.0),
    ("yrr", 3.0),
    ("rrr", 1.0),
    ("rGr", 20.0),
    ("ryr", 3.0),
    ("rrr", 1.0),
    ("rrG", 20.0),
    ("rry", 3.0),
)


def program(kind="static", offset_s=0.0):
    phases = tuple(Phase(seconds, state) for state, seconds in (*CYCLE, ("rrr", 1.0)))
    return Program("fixed", kind, offset_s, phases)


def seen(time_s, stage):
    return SimpleNamespace(time_s=time_s, stage=stage)


def test_a_fixed_program_ends_its_greens_by_the_clock():
    law = FixedTime(three_streets(), program())
    assert [law.wish(seen(time_s, 0)) for time_s in (10, 19, 20)] == [0, 0, 1]
    assert [law.wish(seen(time_s, 1)) for time_s in (30, 43, 44)] == [1, 1, 2]


def test_a_green_that_began_late_or_early_ends_when_the_clock_says():
    late = FixedTime(three_streets(), program())
    assert late.wish(seen(20, 0)) == 1
    assert [late.wish(seen(time_s, 1)) for time_s in (40, 43, 44)] == [1, 1, 2]
    early = FixedTime(three_streets(), program())
    assert early.wish(seen(10, 0)) == 0
    assert [early.wish(seen(time_s, 1)) for time_s in (20, 43, 44)] == [1, 1, 2]


def test_who_was_held_for_cycles_does_not_run_through_them_again():
    law = FixedTime(three_streets(), program())
    assert law.wish(seen(200, 0)) == 0 or law.wish(seen(200, 0)) == 1
    assert law.wish(seen(450, 1)) in {1, 2}
    ends = [time_s for time_s in range(450, 600) if law.wish(seen(time_s, 2)) == 0]
    assert 450 <= ends[0] <= 450 + 72


def test_an_offset_moves_the_clock():
    law = FixedTime(three_streets(), program(offset_s=30.0))
    assert [law.wish(seen(time_s, 0)) for time_s in (40, 49, 50)] == [0, 0, 1]


def test_a_program_that_sumo_lengthens_is_not_followed():
    with pytest.raises(InputError, match="lengthened by SUMO"):
        FixedTime(three_streets(), program("actuated"))


def test_a_way_takes_the_time_of_speeding_up_and_of_driving():
    assert drive_s(100.0, 10.0, 10.0) == 10
    assert drive_s(1.3, 0.0, 10.0) == pytest.approx(1.0)
    # 2.6 m/s² to 13 m/s takes 5 s and 32.5 m
    assert drive_s(32.5 + 26.0, 0.0, 13.0) == pytest.approx(7.0)
    assert drive_s(-3.0, 0.0, 13.0) == 0


def stop(arrival=-1.0, until=-1.0, end_m=50.0, name="stop", trip="trip"):
    return SimpleNamespace(lane="wc_0", endPos=end_m, arrival=arrival, until=until, stoppingPlaceID=name, tripId=trip)


def asked(stops, way_m=100.0, kind="rules", stop_m=40.0):
    """What a bus at 10 m/s, 90 s late and 100 m before the stop line, asks for at 1000 s, and how much it counts."""
    vehicle = SimpleNamespace(
        getVehicleClass=lambda _: "bus",
        getAllowedSpeed=lambda _: 10.0,
        getSpeed=lambda _: 10.0,
        getStops=lambda _, most: stops[:most],
        getDrivingDistance=lambda *_: stop_m,
    )
    detectors = SimpleNamespace(row_of={"bus": 0}, deviation_s=np.array([90.0]))
    plan = three_streets()
    law = Priority(kind=kind, weight=7.0, dwell_s=15.0)
    requests = Requests(SimpleNamespace(vehicle=vehicle), law, [plan], {"light": slice(0, 3)}, detectors)
    weight = requests.take(1000.0, ["car", "bus", "car 2"], [1, 1, 1], [20.0, way_m, 150.0])
    return requests.by_signal["light"][0], weight


def test_a_bus_tells_when_it_comes_and_who_is_before_it():
    request, _ = asked([])
    assert (request.vehicle, request.link, request.late_s, request.preempts) == ("bus", 1, 90, False)
    assert request.arrival_s == 1010
    assert request.queue_s == pytest.approx(1.9)


def test_a_stop_before_the_stop_line_delays_the_arrival_by_its_dwell():
    """4 s to the stop, 15 s there, 60 m from standing at up to 10 m/s: 3.85 s for 19.2 m, 4.08 s for the rest."""
    request, _ = asked([stop()])
    assert request.arrival_s == pytest.approx(1000 + 4 + 15 + 3.846 + 4.077, abs=0.01)
    # where doors are a stop of their own, they are part of that dwell
    assert asked([stop(trip=DOORS), stop()])[0].arrival_s == pytest.approx(request.arrival_s)


def test_a_stop_behind_the_stop_line_changes_nothing():
    assert asked([stop()], stop_m=140.0)[0].arrival_s == 1010
    assert asked([stop()], stop_m=-1e9)[0].arrival_s == 1010


def test_at_the_stop_what_is_left_of_the_dwell_counts_and_no_departure_is_early():
    from_standing_s = drive_s(100.0, 0.0, 10.0)
    assert asked([stop(arrival=990.0)])[0].arrival_s == pytest.approx(1005 + from_standing_s)
    assert asked([stop(arrival=900.0)])[0].arrival_s == pytest.approx(1002 + from_standing_s)
    assert asked([stop(arrival=990.0, until=1030.0)])[0].arrival_s == pytest.approx(1030 + from_standing_s)


def test_a_weight_counts_once_the_bus_is_about_to_leave_its_stop():
    assert asked([], kind=WEIGHT)[1].tolist() == [1, 7, 1]
    assert asked([stop()], kind=WEIGHT)[1].tolist() == [1, 1, 1]
    assert asked([stop(arrival=988.0)], kind=WEIGHT)[1].tolist() == [1, 7, 1]
    assert asked([])[1].tolist() == [1, 1, 1]


BUSES = """<routes>
  <vType id="bus" vClass="bus"/><vType id="engine" vClass="emergency"/>
  {rows}
</routes>"""


@pytest.fixture(scope="module")
def crossing(tmp_path_factory):
    """A crossing on which a car comes every 4 s from the west, and a bus or an engine every 47 s from the south."""
    folder = tmp_path_factory.mktemp("crossing")
    cars = [(4.0 * n, f'<vehicle id="car{n}" depart="{4 * n}"><route edges="wc ce"/></vehicle>') for n in range(145)]
    few = [
        (47.0 * n, f'<vehicle id="{{0}}{n}" type="{{0}}" depart="{47 * n}"><route edges="sc cn"/></vehicle>')
        for n in range(12)
    ]
    for kind in ("bus", "engine"):
        rows = [row for _, row in sorted([*cars, *((at_s, row.format(kind)) for at_s, row in few)])]
        (folder / f"{kind}.rou.xml").write_text(BUSES.format(rows="\n".join(rows)))
    network = write_crossing(folder)
    read_network(network)
    return folder, network


def spec(crossing, controller, priority, kind="bus"):
    folder, network = crossing
    return RunSpec(
        variant=controller,
        controller=controller,
        seed=1,
        network=network,
        routes=(folder / f"{kind}.rou.xml",),
        begin_s=0,
        end_s=600,
        controlled=("c",),
        measured=("c",),
        clearance=Clearance.ITE,
        priority=priority,
    )


def south_delay_s(run):
    return next(row.delay_s for row in run.signals.movements if row.bound == "NB")


NOBODY = Priority(vehicles=(EMERGENCY,))
BUSES_FIRST = Priority(vehicles=(ALL_BUSES,), lockout_s=0.0)


def runs_apart(specs):
    """Runs in processes of their own: libsumo runs once in each."""
    import multiprocessing  # noqa: PLC0415
    from concurrent.futures import ProcessPoolExecutor  # noqa: PLC0415

    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn"), max_tasks_per_child=1) as pool:
        return list(pool.map(simulate, specs))


@pytest.mark.slow
def test_priority_in_runs(crossing):
    """A program followed shows what SUMO shows; buses come through sooner by rules and by weight; engines pre-empt."""
    alone, followed, ruled, plain, weighed, engines = runs_apart(
        [
            spec(crossing, "static", None),
            spec(crossing, "static", NOBODY),
            spec(crossing, "static", BUSES_FIRST),
            spec(crossing, "self-control", None),
            spec(crossing, "self-control", replace(BUSES_FIRST, kind=WEIGHT, weight=20.0)),
            spec(crossing, "static", NOBODY, "engine"),
        ]
    )
    after = [(h.begins_s, h.states) for h in (alone.signals.histories[0], followed.signals.histories[0])]
    assert [pair for pair in zip(*after[0], strict=True) if pair[0] > 100] == [
        pair for pair in zip(*after[1], strict=True) if pair[0] > 100
    ]
    assert south_delay_s(ruled) < 0.8 * south_delay_s(followed)
    assert south_delay_s(weighed) < 0.9 * south_delay_s(plain)
    assert south_delay_s(engines) < 0.6 * south_delay_s(followed)
    assert followed.requests == ()
    assert any(row.outcome == GRANTED for row in ruled.requests)
    assert all(row.given_s <= 20 for row in ruled.requests)
    assert {row.outcome for row in weighed.requests} == {"weighted"}
    assert {row.kind for row in engines.requests if row.outcome == GRANTED} == {PREEMPTION}
    for run in (followed, ruled, weighed, engines):
        assert run.measures.monitor_violations == 0
        assert max(row.longest_red_s for row in run.signals.movements) <= 120
    assert repr(run_from_json(run_to_json(ruled)).requests) == repr(ruled.requests)
    counts = request_counts([ruled, weighed])
    assert sum(row.requests for row in counts) == len(ruled.requests) + len(weighed.requests)
    assert counts[0].outcome == GRANTED
    assert math.isnan(counts[-1].given_s)
