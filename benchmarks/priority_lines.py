"""Synthetic bus lines on a map that has none: real streets, made-up buses, stops and timetable, as an import has them.

A line takes the fastest way between two edges at the border of the map that passes most signals, and another one comes
back. Buses enter late by a time drawn from none to four minutes, since they come from elsewhere; at each stop they
stand for a time drawn from a gamma distribution with a mean of 15 s and a coefficient of variation of 0.6 (Transit
Capacity and Quality of Service Manual, 3rd edition, chapter 6, for stops in general). Both are drawn by seed and are
the same for every variant.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path

import numpy as np

from networks.graph import router
from networks.network import CLASS_BIT, NONE, FloatArray, IntArray, RoadNetwork
from networks.outfile import write_text
from signals.movement import inner_lanes
from sim.modes import MODES
from sim.transit_files import KEEP_CLEAR_S, RECORDED, vehicle_type
from sim.transit_plan import PlannedCalls, PlannedLegs, PlannedWays, TransitFiles, TransitPlan, write_plan

BUS = MODES[0]
DWELL_S, DWELL_VARIATION, LEAST_DWELL_S = 15.0, 0.6, 4.0
LATEST_ENTRY_S = 240.0
STOP_M = 26.0
"""Length of a bus stop, for two buses."""
APART_M = 250.0
NEAR_SIDE_M = 25.0
"""Before the stop line, where the stop is on the near side."""
FAR_SIDE_M = 30.0
"""Behind the junction, where it is on the far side."""


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """A line's way: edges, where along it each begins (m), its stops as edge (position in the way) and place (m)."""

    edges: IntArray
    begin_m: FloatArray
    stops: tuple[tuple[int, float], ...]

    @property
    def stop_way_m(self) -> FloatArray:
        """Way up to each stop."""
        return np.array([self.begin_m[edge] + at_m for edge, at_m in self.stops])


def lines(network: RoadNetwork) -> tuple[Line, Line]:
    """Two lines, there and back, past most signals."""
    roads = router(network, BUS.vehicle_class)
    fed = set(roads.turn_to.tolist())
    begins = np.array(
        [n for n in range(len(roads.edges)) if n not in fed and roads.turn_start[n] < roads.turn_start[n + 1]]
    )
    ends = np.array([n for n in range(len(roads.edges)) if n in fed and roads.turn_start[n] == roads.turn_start[n + 1]])
    pairs = [(int(a), int(b)) for a in begins for b in ends]
    paths = roads.paths(roads.edges[[a for a, _ in pairs]], roads.edges[[b for _, b in pairs]])
    found = [path for path in paths if len(path)]
    out = max(found, key=lambda path: (_signals_on(network, path), _length_m(network, path)))
    middle = _middles_m(network)

    def back_worth(path: IntArray) -> tuple[int, float]:
        apart_m = np.hypot(*(middle[path[0]] - middle[out[-1]])) + np.hypot(*(middle[path[-1]] - middle[out[0]]))
        return _signals_on(network, path) - int(apart_m // 200), -apart_m

    return _line(network, out), _line(network, max(found, key=back_worth))


def _length_m(network: RoadNetwork, path: IntArray) -> float:
    return float(network.edge_length_m[path].sum())


def _middles_m(network: RoadNetwork) -> FloatArray:
    return np.array([network.lane_shape_m(lane).mean(axis=0) for lane in network.edges.lane_start[:-1].tolist()])


def _connection(network: RoadNetwork, before: int, after: int) -> int:
    """A connection between two edges that buses may take, the rightmost."""
    rows = network.connection_order[network.connections_from(before)]
    leading = [row for row in rows.tolist() if network.connection_to_edge[row] == after]
    open_to = [r for r in leading if network.lanes.permissions[network.connections.from_lane[r]] & CLASS_BIT["bus"]]
    lane_of = network.connections.from_lane
    return int(min(open_to, key=lambda row: int(lane_of[row])))


def _signals_on(network: RoadNetwork, path: IntArray) -> int:
    rows = [_connection(network, *pair) for pair in pairwise(path.tolist())]
    return len({int(network.connections.signal[row]) for row in rows} - {NONE})


def _line(network: RoadNetwork, edges: IntArray) -> Line:
    rows = [_connection(network, *pair) for pair in pairwise(edges.tolist())]
    inside_m = [sum(float(network.lanes.length_m[lane]) for lane in inner_lanes(network, row)) for row in rows]
    begin_m = np.concatenate(([0.0], np.cumsum(network.edge_length_m[edges[:-1]] + inside_m)))
    return Line(edges, begin_m, tuple(_stops(network, edges, begin_m)))


def _stops(network: RoadNetwork, edges: IntArray, begin_m: FloatArray) -> Iterator[tuple[int, float]]:
    """The first stop on the first edge, the last on the last, between them near and far side in turn."""
    lengths_m = network.edge_length_m[edges]
    yield 0, min(STOP_M + 5.0, float(lengths_m[0]) - 1.0)
    last_m, near = float(begin_m[0]), True
    for place in range(1, len(edges) - 1):
        length_m = float(lengths_m[place])
        at_m = length_m - NEAR_SIDE_M if near else FAR_SIDE_M + STOP_M
        fits = length_m >= FAR_SIDE_M + STOP_M + NEAR_SIDE_M
        if fits and begin_m[place] + at_m - last_m >= APART_M and begin_m[-1] - begin_m[place] - at_m >= APART_M / 2:
            yield place, at_m
            last_m, near = float(begin_m[place] + at_m), not near
    yield len(edges) - 1, float(lengths_m[-1]) - 2.0


@dataclass(frozen=True, slots=True, eq=False)
class Service:
    """Lines with departures (s), and the time that the timetable gives from the first stop to each (s), by line."""

    lines: tuple[Line, ...]
    departures_s: tuple[tuple[float, ...], ...]
    ride_s: tuple[FloatArray, ...]


def service(found: Sequence[Line], network: RoadNetwork, begin_s: float, end_s: float, every_s: float) -> Service:
    """Departures through the hour, the lines' half a headway apart; rides as without lights and cars, with stops."""
    departures = tuple(
        tuple(np.arange(begin_s + 60.0 + number * every_s / len(found), end_s, every_s).tolist())
        for number in range(len(found))
    )
    return Service(tuple(found), departures, tuple(_free_ride_s(network, line) for line in found))


def _free_ride_s(network: RoadNetwork, line: Line) -> FloatArray:
    ends_m = np.append(line.begin_m[1:], line.begin_m[-1] + network.edge_length_m[line.edges[-1]])
    ends_s = np.cumsum((ends_m - line.begin_m) / network.edge_speed_mps[line.edges])
    running_s = np.interp(line.stop_way_m, np.append(0.0, ends_m), np.append(0.0, ends_s))
    return np.asarray(running_s - running_s[0] + DWELL_S * np.arange(len(line.stops)))


def write_service(made: Service, network: RoadNetwork, seed: int, folder: Path) -> Path:
    """Write stops, vehicles and plan as :mod:`sim.transit_output` does; lateness and dwells are drawn by the seed."""
    folder.mkdir(parents=True, exist_ok=True)
    files, chance = TransitFiles(folder), np.random.default_rng(seed)
    write_text(files.stops, "\n".join(["<additional>", *_stop_rows(made, network), "</additional>", ""]))
    trips = sorted((at_s, number) for number, times_s in enumerate(made.departures_s) for at_s in times_s)
    kind = (
        f'<vType id="{vehicle_type(BUS.vehicle_class)}" vClass="bus" length="{BUS.length_m:g}" speedDev="0" '
        f'jmIgnoreKeepClearTime="{KEEP_CLEAR_S:g}"><param key="{RECORDED}" value="true"/></vType>'
    )
    vehicles = [_vehicle(made, network, number, at_s, chance) for at_s, number in trips]
    late = sorted(vehicles)
    write_text(files.vehicles, "\n".join(["<routes>", kind, *(text for _, text in late), "</routes>", ""]))
    write_plan(folder, _plan(made, network, trips))
    return folder


def _lane(network: RoadNetwork, line: Line, place: int) -> str:
    """The lane from which the line goes on, else the rightmost that admits buses."""
    edge = int(line.edges[place])
    if place + 1 < len(line.edges):
        lane = int(network.connections.from_lane[_connection(network, edge, int(line.edges[place + 1]))])
    else:
        lane = next(each for each in network.lanes_of(edge) if network.lanes.permissions[each] & CLASS_BIT["bus"])
    return network.lanes.ids[lane]


def _stop_rows(made: Service, network: RoadNetwork) -> Iterator[str]:
    for number, line in enumerate(made.lines):
        for order, (place, at_m) in enumerate(line.stops):
            lane = _lane(network, line, place)
            begin_m = max(at_m - STOP_M, 0.0)
            yield f'<busStop id="L{number}S{order}" lane="{lane}" startPos="{begin_m:.2f}" endPos="{at_m:.2f}"/>'


def _vehicle_id(number: int, at_s: float) -> str:
    return f"synthetic-line-{number + 1}-{at_s:.0f}"


def _vehicle(
    made: Service, network: RoadNetwork, number: int, at_s: float, chance: np.random.Generator
) -> tuple[float, str]:
    """When a bus enters (s), and its row. It leaves its first stop that late."""
    line, late_s = made.lines[number], float(chance.uniform(0.0, LATEST_ENTRY_S))
    shape = 1 / DWELL_VARIATION**2
    dwells_s = np.maximum(chance.gamma(shape, DWELL_S / shape, len(line.stops)), LEAST_DWELL_S)
    edges = " ".join(network.edges.ids[edge] for edge in line.edges.tolist())
    name = _vehicle_id(number, at_s)
    stops = [
        f'<stop busStop="L{number}S{order}" duration="{dwells_s[order]:.0f}" tripId="{name}"/>'
        for order in range(1, len(line.stops))
    ]
    first = f'<stop busStop="L{number}S0" duration="1" until="{at_s + late_s:.0f}" tripId="{name}"/>'
    depart_s = at_s + late_s - 1.0
    return depart_s, (
        f'<vehicle id="{name}" type="{vehicle_type(BUS.vehicle_class)}" depart="{depart_s:.0f}" departPos="stop" '
        f'departSpeed="0"><route edges="{edges}"/>{first}{"".join(stops)}</vehicle>'
    )


def _plan(made: Service, network: RoadNetwork, trips: Sequence[tuple[float, int]]) -> TransitPlan:
    names = tuple(_vehicle_id(number, at_s) for at_s, number in trips)
    counts = [len(made.lines[number].stops) for _, number in trips]
    call_start = np.concatenate(([0], np.cumsum(counts))).astype(np.int32)
    order = [(number, stop) for _, number in trips for stop in range(len(made.lines[number].stops))]
    due_s = np.concatenate([at_s + made.ride_s[number] for at_s, number in trips])
    whole = len(order)
    ids = tuple(f"L{number}S{stop}" for number, stop in order)
    is_end = np.array([stop == len(made.lines[number].stops) - 1 for number, stop in order])
    calls = PlannedCalls(
        stop_ids=ids,
        stop_names=ids,
        bus_stops=ids,
        stop_sequence=np.array([stop + 1 for _, stop in order], dtype=np.int32),
        way_m=np.concatenate([made.lines[n].stop_way_m - made.lines[n].stop_way_m[0] for _, n in trips]),
        arrival_s=due_s,
        departure_s=due_s,
        timepoint=np.ones(whole, dtype=np.bool_),
        is_interpolated=np.zeros(whole, dtype=np.bool_),
        is_origin=np.array([stop == 0 for _, stop in order]),
        is_end=is_end,
    )
    return TransitPlan(
        date(2026, 5, 13), "Europe/Berlin", names, _legs(trips, names, call_start), calls, _ways(made, network, trips)
    )


def _legs(trips: Sequence[tuple[float, int]], names: tuple[str, ...], call_start: IntArray) -> PlannedLegs:
    routes = tuple(f"synthetic-line-{number + 1}" for _, number in trips)
    return PlannedLegs(
        vehicle=np.arange(len(trips), dtype=np.int32),
        trip_ids=names,
        scheduled_trip_ids=names,
        service_dates=("2026-05-13",) * len(trips),
        route_ids=routes,
        route_names=routes,
        direction=np.array([number for _, number in trips], dtype=np.int32),
        way=np.array([number for _, number in trips], dtype=np.int32),
        pattern_ids=routes,
        number=np.zeros(len(trips), dtype=np.int32),
        call_start=call_start,
    )


def _ways(made: Service, network: RoadNetwork, trips: Sequence[tuple[float, int]]) -> PlannedWays:
    used = [made.lines[number] for _, number in trips]
    counts = [len(line.edges) for line in used]
    edges = np.concatenate([line.edges for line in used])
    return PlannedWays(
        start=np.concatenate(([0], np.cumsum(counts))).astype(np.int32),
        edges=edges,
        leg=np.repeat(np.arange(len(used)), counts).astype(np.int32),
        way_m=np.concatenate([line.begin_m - line.stop_way_m[0] for line in used]),
        next_leg=np.full(len(edges), NONE, dtype=np.int32),
        next_way_m=np.full(len(edges), np.nan),
        length_m=network.edge_length_m[edges],
    )
