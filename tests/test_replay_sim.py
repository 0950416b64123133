"""Replayed vehicles in SUMO: they keep to their curves, give way to what is in their way, and others to them."""

import json
from dataclasses import replace
from datetime import date
from multiprocessing import get_context

import numpy as np
import pytest

from gtfs.curves import Curves
from gtfs.feed import read_feed
from gtfs.pattern_lines import pattern_lines
from networks.faults import InputError
from networks.geometry import from_lonlat
from networks.netxml import read_network
from networks.paths import path_over
from scenarios.demo.buses import write_demo_feed
from scenarios.demo.city import write_demo_city
from scenarios.replay_into import IntoRow, replay_into, simulated
from scenarios.scenario import read_scenario
from scenarios.tables import read_csv
from sim.demand import synthetic_demand
from sim.replay_drive import EASE_MPS2
from sim.replay_measures import replay_totals, ride_measures
from sim.replay_paths import curve_tracks
from sim.replay_run import replay
from sim.replay_tracks import Track, in_time
from sim.run import RunSpec, simulate
from sim.transit import TransitOptions, import_transit
from sim.transit_output import write_transit
from tests.signal_streets import write_cross, write_streets

SEVEN, SPAN_S = 25200.0, 1200.0
STREET = {"ab": ("a", "b"), "bc": ("b", "c"), "db": ("d", "b")}
PLACES = {"a": (0, 0), "b": (1000, 0), "c": (2000, 0), "d": (1000, 1000)}


STEADY = [(0, 20), (20, 20), (170, 1820)]
"""It enters, stands, and drives at 12 m/s."""
STAYS = [(0, 20), (20, 20), (80, 620), (140, 620), (260, 1820)]
RESTS = [(0, 20), (20, 20), (80, 620), (260, 620), (360, 1820)]
BEHIND = ['<vehicle id="car" depart="22" departSpeed="0"><route edges="ab bc"/></vehicle>']
STANDS = [
    (
        '<vehicle id="car" depart="0" departPos="500" departSpeed="0"><route edges="ab bc"/>'
        '<stop lane="ab_0" endPos="600" duration="80"/></vehicle>'
    )
]
CASES = {
    "empty": (STEADY, []),
    "stays": (STAYS, BEHIND),
    "rests": (RESTS, BEHIND),
    "held up": ([*STEADY[:2], (70, 620), (300, 1880)], STANDS),
    "fast": ([(0, 20), (20, 20), (120, 1720)], []),
    "ends in a junction": ([*STEADY[:2], (120, 1000)], []),
}
CROSSES = [
    f'<vehicle id="car{number}" depart="{number * 2}" departSpeed="max"><route edges="sc cn"/></vehicle>'
    for number in range(30)
]
"""Nose to tail from the south, for a minute and more."""


@pytest.fixture(scope="module")
def pool():
    """A process in which all simulations of these tests run, one after another."""
    with get_context("spawn").Pool(1) as pool:
        yield pool


@pytest.fixture(scope="module")
def street(pool, tmp_path_factory):
    """What became of each case on a street, and of one at a light, all simulated."""
    folder = tmp_path_factory.mktemp("street")
    path = write_streets(folder, PLACES, STREET, {})
    cross = write_red_cross(tmp_path_factory.mktemp("cross"))
    steady = [(0, 20), (20, 20), (50, 380)]
    cases = {name: (folder, path, "ab bc", *case) for name, case in CASES.items()}
    cases["red"] = (folder, cross, "wc ce", steady, [])
    cases["red, and others cross"] = (folder, cross, "wc ce", steady, CROSSES)
    return pool.apply(_ride_all, (cases,))


def write_red_cross(folder):
    """A crossing whose light stays red for west and east."""
    path = write_cross(folder)
    network, text = read_network(path), path.read_text()
    links = network.signals[0].links
    names = [{network.edges.ids[network.connection_from_edge[row]] for row in rows} for rows in links]
    state = "".join("r" if name & {"wc", "ec"} else "G" for name in names)
    begin, end = text.index("<phase"), text.index("</tlLogic>")
    path.write_text(text[:begin] + f'<phase duration="999" state="{state}"/>' + text[end:])
    return path


def _ride_all(cases):
    return {name: _ride(*case) for name, case in cases.items()}


def _ride(folder, network_path, edges, points, cars):
    network = read_network(network_path)
    routes = folder / "cars.rou.xml"
    routes.write_text("\n".join(["<routes>", *cars, "</routes>"]))
    path = path_over(network, np.array([network.edge_index[edge] for edge in edges.split()], dtype=np.int32))
    time_s, way_m = np.array(points, dtype=float).T
    bus = Track("bus", "bus", path, time_s, way_m, np.array([700.0]))
    run = replay(RunSpec("plain", "static", 1, network_path, (routes,), 0.0, 500.0, (), ()), network, [bus])
    return run.rides[0], run.measures


def at(ride, time_s):
    return float(np.interp(time_s, ride.time_s, ride.way_m))


def lag_m(ride, time_s):
    return float(ride.track.way_at(np.array([time_s]))[0]) - at(ride, time_s)


def test_on_an_empty_street_it_is_where_the_real_one_was(street):
    ride, _ = street["empty"]
    row = ride_measures(ride, 1.0)
    # 10 s at 1.2 m/s2 to get to 12 m/s, where the curve is at once: 60 m, made good at the limit of 13.89 m/s
    assert 50 < row.max_lag_m < 75
    assert abs(lag_m(ride, 100)) < 1
    assert abs(row.stop_error_s) < 2
    assert row.done
    assert (row.collisions, row.teleports, row.hard_braking, row.entered_late_s) == (0, 0, 0, 0)


def test_no_ride_brakes_hard_or_collides_and_all_get_to_their_ends(street):
    """At least not without a fault of the simulation: whatever is in their way, and where their curves end."""
    for name, (ride, measures) in street.items():
        row = ride_measures(ride, 1.0)
        assert row.done, name
        assert (row.collisions, row.hard_braking, measures.collisions, measures.emergency_braking) == (0, 0, 0, 0), name
        assert row.max_lead_m < EASE_MPS2, name


def test_it_stands_where_the_real_one_stood_and_cars_wait_behind_it(street):
    ride, measures = street["stays"]
    assert at(ride, 110) == pytest.approx(620, abs=0.5)
    assert at(ride, 139) == pytest.approx(620, abs=0.5)
    assert 40 < measures.waiting_s < 70


def test_a_long_rest_is_made_beside_the_lane(street):
    """Three minutes in one place: the car behind passes, and it goes on in time."""
    ride, measures = street["rests"]
    assert at(ride, 200) == pytest.approx(620, abs=3)
    assert measures.waiting_s < 5
    assert measures.arrived == 1
    assert lag_m(ride, 340) < 60


def test_a_standing_car_holds_it_up_and_it_catches_up(street):
    """It does not ram it; that it lagged is said."""
    ride, _ = street["held up"]
    row = ride_measures(ride, 1.0)
    assert 570 < at(ride, 80) < 600 - 5
    assert row.max_lag_m > 100
    assert row.lags
    assert lag_m(ride, 299) < 1


def test_it_may_be_faster_than_the_limit_where_the_real_one_was(street):
    ride, _ = street["fast"]
    assert max(ride.speed_mps) == pytest.approx(17.0, abs=0.01)


def test_it_passes_a_red_light_as_the_real_one_did_but_gives_way(street):
    free, _ = street["red"]
    assert lag_m(free, 49) < 60
    held, others = street["red, and others cross"]
    assert at(held, 55) < 200 < at(free, 55)
    assert others.time_loss_max_s < 15


def windowed_places_m(line_m, along_m, points_m, near_m, window_m=150.0):
    """Nearest places on a line in a window around where each point should be: what a matcher of pings does."""
    grid_m = np.arange(0.0, along_m[-1], 1.0)
    on_line = np.column_stack([np.interp(grid_m, along_m, axis) for axis in line_m.T])
    places = []
    for point, expected_m in zip(points_m, near_m, strict=True):
        rows = np.flatnonzero(np.abs(grid_m - expected_m) <= window_m)
        places.append(grid_m[rows[np.argmin(np.hypot(*(on_line[rows] - point).T))]])
    return np.maximum.accumulate(places)


def curves_of(transit, run, network):
    """Curves along the GTFS shapes from the positions of a run's buses every ten seconds (synthetic)."""
    day, lines = transit.timetable, pattern_lines(transit.timetable)
    legs = [leg for vehicle in transit.vehicles for leg in vehicle.legs]
    trips, times, places = [], [], []
    for row, leg in enumerate(legs):
        samples = np.flatnonzero(run.sample_leg == row)
        if len(samples) > 5:
            way_m = np.maximum.accumulate(run.sample_way_m[samples]) + leg.leg.calls[leg.first].way_m
            corners = slice(lines.start[leg.leg.pattern], lines.start[leg.leg.pattern + 1])
            shape = day.shapes.points(int(day.patterns.shape[leg.leg.pattern]))
            line_m = from_lonlat(network.location, day.shapes.lonlat[shape])
            points_m = leg.leg.path.points_at(way_m)
            trips.append(leg.trip)
            times.append(run.sample_time_s[samples] + day.origin_epoch_s)
            places.append(windowed_places_m(line_m, lines.way_m[corners], points_m, way_m))
    start = np.cumsum([0, *(len(part) for part in times)]).astype(np.int32)
    names = tuple(f"v{row}" for row in range(len(trips)))
    return Curves(np.array(trips, dtype=np.int32), names, start, np.concatenate(times), np.concatenate(places))


@pytest.fixture(scope="module")
def recorded(pool, adlershof, tmp_path_factory):
    """Twenty minutes of the built-in city's buses among cars, as curves along their shapes; and other cars."""
    folder = tmp_path_factory.mktemp("recorded")
    network = read_network(adlershof)
    feed = read_feed(write_demo_feed(network, folder / "feed.zip"))
    options = TransitOptions(date(2026, 5, 13), begin_s=SEVEN, end_s=SEVEN + SPAN_S)
    transit = import_transit(feed, network, adlershof, options)
    write_transit(transit, network, folder / "transit")
    for seed in (1, 2):
        synthetic_demand(network, 600, SEVEN, SEVEN + SPAN_S, seed, folder / f"cars{seed}.rou.xml")
    signals = tuple(signal.signal_id for signal in network.signals)[:3]
    routes = (folder / "cars1.rou.xml",)
    spec = RunSpec("static", "static", 1, adlershof, routes, SEVEN, SEVEN + SPAN_S, signals, signals)
    run = pool.apply(_simulated, (spec, folder))
    return folder, spec, transit, curves_of(transit, run.transit, network)


def _simulated(spec, folder):
    return simulate(replace(spec, transit=folder / "transit"))


def _replayed(spec, day, curves):
    network = read_network(spec.network)
    found = curve_tracks(network, day, curves, day.origin_epoch_s)
    tracks = [
        part
        for each in found
        for track in each.tracks
        if (part := in_time(track, spec.begin_s, spec.end_s)) is not None
    ]
    run = replay(spec, network, tracks)
    return found, run.rides, run.measures


@pytest.mark.parametrize("routes", ["none", "cars1", "cars2"])
def test_buses_of_a_simulation_are_replayed_to_where_they_were(pool, recorded, routes):
    """On empty streets, among the cars that they had around them, and among others."""
    folder, spec, transit, curves = recorded
    cars = () if routes == "none" else (folder / f"{routes}.rou.xml",)
    found, rides, measures = pool.apply(_replayed, (replace(spec, routes=cars), transit.timetable, curves))
    assert all(each.inside_share > 0.98 for each in found)
    totals = replay_totals(rides, spec.step_s)
    assert totals.entered == totals.rides > 8
    assert totals.error_p50_m < 1
    assert totals.within_10m_share > 0.9
    assert totals.within_30m_share > 0.97
    assert totals.stop_error_s < 2
    assert (totals.collisions, totals.teleports, measures.collisions) == (0, 0, 0)
    assert measures.scheduled == (200 if cars else 0)


def test_a_run_repeats(pool, recorded):
    _, spec, transit, curves = recorded
    spec = replace(spec, end_s=SEVEN + 300)
    one, other = (pool.apply(_replayed, (spec, transit.timetable, curves))[1] for _ in range(2))
    assert [ride.way_m for ride in one] == [ride.way_m for ride in other]


def test_a_scenario_is_run_with_real_vehicles_in_it(pool, recorded, tmp_path):
    """Tables, sums, picture; the scenario's own buses are left out."""
    _, _, transit, curves = recorded
    text = write_demo_city(tmp_path / "city").read_text()
    quick = tmp_path / "city" / "quick.toml"
    quick.write_text(text.replace('end = "08:00:00"', 'end = "07:10:00"'))
    told, shares, shown = pool.apply(_into, (quick, transit.timetable, curves, tmp_path / "out"))
    assert told == ["max-pressure, seed 3"]
    assert shares[-1] == pytest.approx(1.0)
    rows = read_csv(tmp_path / "out" / "into.csv", IntoRow)
    assert {row.status for row in rows} == {"clipped", "driven", "not driven"}
    assert {row.reason for row in rows if row.status == "not driven"} == {"outside the time simulated"}
    # the report counts what the table holds
    assert [int(row.count) for row in shown.rows[:3]] == [
        sum(row.status == status for row in rows) for status in ("driven", "clipped", "not driven")
    ]
    summary = json.loads((tmp_path / "out" / "into.json").read_text())
    assert shown.verdict == summary["notes"][-1]
    assert summary["replay"]["rides"] == sum(row.part > 0 for row in rows)
    assert (summary["variant"], summary["seed"], summary["service_date"]) == ("max-pressure", 3, "2026-05-13")
    assert any("own timetabled vehicles are left out" in note for note in summary["notes"])
    assert summary["other_traffic"]["scheduled"] > 100
    assert summary["other_traffic"]["monitor_violations"] == 0
    assert (tmp_path / "out" / "figures" / "into.png").stat().st_size > 10_000
    assert (tmp_path / "out" / "into_junctions.csv").exists()


def _into(path, day, curves, out_dir):
    labels, shares = {}, []

    def progress(label, share):
        labels[label] = None
        shares.append(share)

    scenario = read_scenario(path)
    found = replay_into(scenario, day, curves, out_dir, variant="max-pressure", seed=3, on_progress=progress)
    return list(labels), shares, simulated(found)


def test_what_cannot_be_replayed_is_refused(recorded, tmp_path):
    _, _, transit, curves = recorded
    scenario = read_scenario(write_demo_city(tmp_path / "city"))
    day = transit.timetable
    with pytest.raises(InputError, match="no variant 'odd'"):
        replay_into(scenario, day, curves, tmp_path / "out", variant="odd")
    with pytest.raises(InputError, match=r"REPLAY_EMPTY.*outside the time simulated"):
        replay_into(scenario, day, curves, tmp_path / "out", service_date=date(2026, 5, 12))
