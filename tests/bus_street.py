"""A straight street with three stops and buses that call at each, as an import writes them, for tests on paper."""

from datetime import date
from pathlib import Path

import numpy as np

from networks.netxml import read_network
from sim.run import RunSpec
from sim.transit_plan import PlannedCalls, PlannedLegs, PlannedWays, TransitFiles, TransitPlan, write_plan
from tests.signal_streets import write_streets

PLACES = {"a": (0, 0), "b": (500, 0), "c": (1000, 0), "d": (1500, 0)}
STREETS = {"ab": ("a", "b"), "bc": ("b", "c"), "cd": ("c", "d")}
STOPS = {"A": ("ab_0", 60.0), "B": ("bc_0", 240.0), "C": ("cd_0", 240.0)}
RIDE_S = (0.0, 70.0, 140.0)
"""From the departure at A to each stop, by the timetable."""


def plan_of(departures_s: list[float], edges: np.ndarray, length_m: np.ndarray) -> TransitPlan:
    """The plan of buses that leave A at some times."""
    count, ids = len(departures_s), tuple(f"bus{number}" for number in range(len(departures_s)))
    due_s = np.concatenate([np.array(RIDE_S) + at_s for at_s in departures_s])
    stop_ids, begin_m = tuple(STOPS) * count, np.concatenate(([0.0], np.cumsum(length_m)[:-1]))
    legs = PlannedLegs(
        vehicle=np.arange(count, dtype=np.int32),
        trip_ids=ids,
        scheduled_trip_ids=ids,
        service_dates=("2026-05-13",) * count,
        route_ids=("1",) * count,
        route_names=("1",) * count,
        direction=np.zeros(count, np.int32),
        way=np.zeros(count, np.int32),
        pattern_ids=("1",) * count,
        number=np.zeros(count, np.int32),
        call_start=np.arange(0, 3 * count + 1, 3, dtype=np.int32),
    )
    calls = PlannedCalls(
        stop_ids=stop_ids,
        stop_names=stop_ids,
        bus_stops=stop_ids,
        stop_sequence=np.tile(np.array([1, 2, 3], np.int32), count),
        way_m=np.tile([0.0, 680.0, 1180.0], count),
        arrival_s=due_s,
        departure_s=due_s,
        timepoint=np.zeros(3 * count, np.bool_),
        is_interpolated=np.zeros(3 * count, np.bool_),
        is_origin=np.tile([True, False, False], count),
        is_end=np.tile([False, False, True], count),
    )
    ways = PlannedWays(
        start=np.arange(0, 3 * count + 1, 3, dtype=np.int32),
        edges=np.tile(edges, count).astype(np.int32),
        leg=np.repeat(np.arange(count, dtype=np.int32), 3),
        way_m=np.tile(begin_m - 60.0, count),
        next_leg=np.full(3 * count, -1, np.int32),
        next_way_m=np.full(3 * count, np.nan),
        length_m=np.tile(length_m, count),
    )
    return TransitPlan(date(2026, 5, 13), "Europe/Berlin", ids, legs, calls, ways)


def write_street(folder: Path, departures_s: list[float], end_s: float) -> RunSpec:
    """Write street, stops, buses, plan and a car; give the run of them from the begin of the day."""
    network_path = write_streets(folder, PLACES, STREETS, {})
    network = read_network(network_path)
    edges = np.array([network.edges.ids.index(name) for name in STREETS])
    transit = folder / "transit"
    transit.mkdir()
    files = TransitFiles(transit)
    stops = [f'<busStop id="{k}" lane="{lane}" startPos="{at - 40}" endPos="{at}"/>' for k, (lane, at) in STOPS.items()]
    files.stops.write_text("\n".join(["<additional>", *stops, "</additional>"]))
    calls = "".join(f'<stop busStop="{name}" duration="15" tripId="{{id}}"/>' for name in ("B", "C"))
    buses = [
        f'<vehicle id="bus{n}" type="bus" depart="{at - 6:g}" departPos="stop" departSpeed="0">'
        f'<route edges="{" ".join(STREETS)}"/><stop busStop="A" duration="5" until="{at:g}" tripId="bus{n}"/>'
        f"{calls.format(id=f'bus{n}')}</vehicle>"
        for n, at in enumerate(departures_s)
    ]
    kind = '<vType id="bus" vClass="bus" length="12" speedDev="0" sigma="0"/>'
    files.vehicles.write_text("\n".join(["<routes>", kind, *buses, "</routes>"]))
    write_plan(transit, plan_of(departures_s, edges, network.edge_length_m[edges]))
    cars = folder / "cars.rou.xml"
    cars.write_text('<routes><vehicle id="car" depart="1"><route edges="ab bc cd"/></vehicle></routes>')
    return RunSpec("x", "static", 1, network_path, (cars,), 0.0, end_s, (), ("b",), transit=transit)
