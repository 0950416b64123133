"""Electric buses in SUMO: energy on a flat road by hand, batteries of the built-in city beside SUMO's own totals."""

from dataclasses import replace
from datetime import date
from math import isclose
from xml.etree import ElementTree as ET

import numpy as np
import pyarrow.parquet as pq
import pytest

from gtfs.feed import read_feed
from networks.netxml import read_network
from scenarios.demo.buses import write_demo_feed
from scenarios.results import run_from_json, run_to_json
from sim.battery_run import read_batteries, served, unbounded_wh
from sim.charging import ChargedStop, Charging, write_electric_vehicles
from sim.demand import synthetic_demand
from sim.electric_bus import electric_bus, is_electric
from sim.engine import run_program
from sim.options import SumoOptions
from sim.run import RunSpec, simulate
from sim.transit import TransitOptions, import_transit
from sim.transit_output import write_transit
from sim.transit_plan import read_plan

BUS = electric_bus("city_12m").bus
SEVEN = 25200.0
MOST_IN_A_STEP_KWH = 0.1
END_S = SEVEN + 1500

ROAD = """<net version="1.20"><location netOffset="0,0" convBoundary="0,0,5000,0" origBoundary="0,0,5000,0"
 projParameter="!"/><edge id="ab" from="a" to="b" priority="-1"><lane id="ab_0" index="0" speed="13.89" length="5000"
 shape="0,-1.6 5000,-1.6"/></edge><junction id="a" type="dead_end" x="0" y="0" incLanes="" intLanes="" shape="0,0"/>
<junction id="b" type="dead_end" x="5000" y="0" incLanes="ab_0" intLanes="" shape="5000,0"/></net>"""
FLAT = """<routes><vType id="timetabled_bus" vClass="bus" length="12" speedDev="0" sigma="0" maxSpeed="10"/>
<vehicle id="1" type="timetabled_bus" depart="0" departSpeed="10"><route edges="ab"/></vehicle></routes>"""


def test_energy_on_a_flat_road_at_constant_speed_is_as_worked_out_by_hand(tmp_path):
    """Air and tyres over the drive's efficiency, and consumers; nothing else acts at 10 m/s on a straight flat road.

    P = (0.5 x 1.2041 x 8.0 x 0.6 x 10^3 + 0.01 x 15000 x 9.80665 x 10) W / 0.9 + 5000 W
      = (2889.84 + 14709.975) W / 0.9 + 5000 W = 24555.35 W, which is 0.6821 kWh for each kilometre.
    """
    (tmp_path / "net.xml").write_text(ROAD, encoding="utf-8")
    (tmp_path / "flat.rou.xml").write_text(FLAT, encoding="utf-8")
    write_electric_vehicles(tmp_path / "flat.rou.xml", tmp_path / "e.rou.xml", Charging(1.0, ("1",), BUS, ()))
    out = tmp_path / "b.parquet"
    options = SumoOptions(tmp_path / "net.xml", (tmp_path / "e.rou.xml",), 0.0, 401.0, 1, batteries=out)
    run_program(options, None, 1000.0)
    table = pq.read_table(out)
    wh = np.array(table["vehicle_energyConsumed"].to_pylist(), dtype=float)
    power_w = 24555.35
    assert np.allclose(wh[10:300] * 3600, power_w, rtol=1e-6)
    level = np.array(table["vehicle_actualBatteryCapacity"].to_pylist(), dtype=float)
    assert isclose(level[10] - level[110], 100 * power_w / 3600, rel_tol=1e-3)


@pytest.fixture(scope="module")
def spec(adlershof, tmp_path_factory) -> RunSpec:
    """Twenty-five minutes of the built-in city: blocks, layovers, ways from trip to trip, and a few cars."""
    folder = tmp_path_factory.mktemp("charging")
    network = read_network(adlershof)
    feed = read_feed(write_demo_feed(network, folder / "feed.zip"))
    options = TransitOptions(date(2026, 5, 13), begin_s=SEVEN, end_s=END_S)
    write_transit(import_transit(feed, network, adlershof, options), network, folder / "transit")
    synthetic_demand(network, 100, SEVEN, END_S, 1, folder / "cars.rou.xml")
    routes, signals = (folder / "cars.rou.xml",), tuple(row.signal_id for row in network.signals)[:1]
    return RunSpec("static", "static", 1, adlershof, routes, SEVEN, END_S, signals, signals, transit=folder / "transit")


def _charging(plan, share=1.0, stops=(), bus=BUS):
    vehicles = tuple(name for name in plan.vehicle_ids if is_electric(name, share))
    return Charging(share, vehicles, bus, stops)


def test_energy_by_vehicle_agrees_with_sumos_own_totals(spec):
    """Our sums over steps beside what SUMO adds up by itself, in its battery output and in ``tripinfo``.

    The battery output has no row for the step in which a vehicle leaves, ``tripinfo`` counts it.
    """
    plan = read_plan(spec.transit)
    charging = _charging(plan)
    kept, last = {}, {}

    def copy(path, *args):
        rows = ET.parse(path.parent / "trips.xml").getroot()
        table = pq.read_table(path).drop_columns("vehicle_chargingStationId").drop_null()
        columns = (table[f"vehicle_totalEnergy{name}"].to_pylist() for name in ("Consumed", "Regenerated"))
        for name, used, given in zip(table["vehicle_id"].to_pylist(), *columns, strict=True):
            last[name] = (used - given) / 1000
        kept.update({row.get("id"): row.find("battery").attrib for row in rows if row.find("battery") is not None})
        return read_batteries(path, *args)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sim.run.read_batteries", copy)
        run = simulate(replace(spec, charging=charging))
    found = run.batteries
    assert len(found.vehicle) == len(kept) == len(charging.vehicles) >= 5
    for row, vehicle in enumerate(found.vehicle.tolist()):
        own = kept[plan.vehicle_ids[vehicle]]
        net_kwh = (float(own["totalEnergyConsumed"]) - float(own["totalEnergyRegenerated"])) / 1000
        assert isclose(found.vehicle_energy_kwh[row], last[plan.vehicle_ids[vehicle]], rel_tol=1e-5, abs_tol=1e-5)
        assert abs(found.vehicle_energy_kwh[row] - net_kwh) < MOST_IN_A_STEP_KWH
    # what is used on trips and between them is what is used
    trip_vehicle = plan.legs.vehicle[found.leg]
    on_trips = np.bincount(trip_vehicle, np.nan_to_num(found.energy_kwh), len(plan.vehicle_ids))[found.vehicle]
    assert (on_trips <= found.vehicle_energy_kwh + 1e-6).all()
    assert on_trips.sum() > 0.5 * found.vehicle_energy_kwh.sum()
    again = run_from_json(run_to_json(run)).batteries
    for name in again.__slots__:
        np.testing.assert_array_equal(getattr(again, name), getattr(found, name), err_msg=name)


def test_electric_buses_drive_as_others_do(spec):
    plan = read_plan(spec.transit)
    diesel, electric = simulate(spec), simulate(replace(spec, charging=_charging(plan, 0.5)))
    np.testing.assert_array_equal(diesel.transit.arrival_s, electric.transit.arrival_s)
    assert diesel.measures.delay_per_scheduled_s == electric.measures.delay_per_scheduled_s
    assert diesel.batteries is None


def test_a_block_that_cannot_be_driven_is_found_and_a_charger_saves_it(spec):
    plan = read_plan(spec.transit)
    small = replace(BUS, capacity_kwh=6.0, reserve=0.2, connect_s=1.0)
    run = simulate(replace(spec, charging=_charging(plan, 1.0, (), small))).batteries
    can = served(run, plan, small.reserve)
    assert not can.all()
    assert can.any()
    first = int(np.flatnonzero(~can)[0])
    assert run.charge_least[first] < 0.2
    everywhere = tuple(ChargedStop(name, "x", 300.0) for name in dict.fromkeys(plan.calls.bus_stops))
    saved = simulate(replace(spec, charging=_charging(plan, 1.0, everywhere, small))).batteries
    assert served(saved, plan, small.reserve).sum() > can.sum()
    assert saved.vehicle_charged_kwh.sum() > 0
    np.testing.assert_allclose(saved.vehicle_energy_kwh, run.vehicle_energy_kwh)
    # the same from either side: begin, less energy, plus charge
    begin = 0.95 * 6.0
    for row, vehicle in enumerate(saved.vehicle.tolist()):
        last = saved.sample_charge[saved.sample_vehicle == vehicle]
        assert (last <= 1 + 1e-6).all()
        assert begin + saved.vehicle_charged_kwh[row] - saved.vehicle_energy_kwh[row] >= -20


def test_a_larger_share_holds_the_blocks_of_a_smaller_one():
    blocks = [f"block {number}" for number in range(2000)]
    few, many = ({name for name in blocks if is_electric(name, share)} for share in (0.3, 0.6))
    assert few < many
    assert abs(len(few) / 2000 - 0.3) < 0.04
    assert not any(is_electric(name, 0.0) for name in blocks)
    assert all(is_electric(name, 1.0) for name in blocks)


def test_the_charge_goes_on_below_zero_where_sumo_stops_at_it():
    consumed = np.array([30.0, 30.0, 30.0, 20.0, 0.0, 0.0])
    charged = np.array([0.0, 0.0, 0.0, 0.0, 50.0, 40.0])
    level, levels = 70.0, []
    for used, given in zip(consumed, charged, strict=True):
        level = min(100.0, max(level - used, 0.0) + given)
        levels.append(level)
    found = unbounded_wh(np.array(levels), consumed, charged)
    np.testing.assert_allclose(found, [40.0, 10.0, -20.0, -40.0, 10.0, 50.0])
    assert len(unbounded_wh(np.empty(0), np.empty(0), np.empty(0))) == 0
