"""Timetabled vehicles as SUMO's files: bus stops, and vehicles with their routes and stops.

SUMO runs both as they are. GTFS ids stay with them: a bus stop bears ``gtfs.stop_id``, each stop that a vehicle makes
the trip's id (``tripId``), which SUMO repeats in its stop output.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from xml.sax.saxutils import quoteattr

from gtfs.timetable import Timetable
from networks.network import RoadNetwork
from networks.outfile import atomic_path
from sim.bus_stops import StopPlace
from sim.bus_vehicles import BusVehicle, VehicleStop
from sim.modes import MODES

StopIds = Mapping[tuple[int, StopPlace], str]
"""Id of the bus stop of a stop (row of the timetable) at a place."""

RECORDED = "has.fcd.device"
"""What makes SUMO record a vehicle's positions where such a record is asked for."""

KEEP_CLEAR_S = 100.0
"""After so long a wait a driver enters a junction that he cannot clear at once: where imported streets have edges
shorter than a bus inside a junction, he would wait for ever."""


def write_stops(
    path: Path, network: RoadNetwork, timetable: Timetable, stop_ids: StopIds, stop_m: Callable[[str], float]
) -> None:
    """Write the bus stops as an additional file; ``stop_m`` gives how long each of them is, by its id."""
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', "<additional>"]
    for (stop, place), name in stop_ids.items():
        lane = network.edges.lane_start[place.edge] + place.lane
        begin_m = max(0.0, place.end_m - stop_m(name))
        lines.append(
            f"    <busStop id={quoteattr(name)} name={quoteattr(timetable.stops.names[stop])} "
            f'lane={quoteattr(network.lanes.ids[lane])} startPos="{begin_m:.2f}" endPos="{place.end_m:.2f}">'
            f'<param key="gtfs.stop_id" value={quoteattr(timetable.stops.ids[stop])}/></busStop>'
        )
    _write(path, [*lines, "</additional>", ""])


def write_vehicles(
    path: Path,
    network: RoadNetwork,
    timetable: Timetable,
    vehicles: Iterable[BusVehicle],
    stop_ids: StopIds,
    speed_factor: Callable[[BusVehicle], float],
) -> None:
    """Write vehicles, in order of their entry, as a route file; ``speed_factor`` is each driver's."""
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', "<routes>", *_types()]
    for vehicle in vehicles:
        lines.extend(_vehicle(network, timetable, vehicle, stop_ids, speed_factor(vehicle)))
    _write(path, [*lines, "</routes>", ""])


def vehicle_type(vehicle_class: str) -> str:
    """Id of the type of timetabled vehicles of a class."""
    return f"timetabled_{vehicle_class}"


def _types() -> Iterator[str]:
    """Types of vehicles: SUMO's own, each driver exactly as fast as told; their positions may be recorded."""
    for mode in MODES:
        name = vehicle_type(mode.vehicle_class)
        yield (
            f'    <vType id="{name}" vClass="{mode.vehicle_class}" length="{mode.length_m:g}" speedDev="0" '
            f'jmIgnoreKeepClearTime="{KEEP_CLEAR_S:g}">'
            f'<param key="{RECORDED}" value="true"/></vType>'
        )


def _vehicle(
    network: RoadNetwork, timetable: Timetable, vehicle: BusVehicle, stop_ids: StopIds, speed_factor: float
) -> Iterator[str]:
    lane = vehicle.stops[0].place.lane
    edges = " ".join(network.edges.ids[row] for row in vehicle.edges.tolist())
    line = f" line={quoteattr(vehicle.line)}" if vehicle.line else ""
    yield (
        f"    <vehicle id={quoteattr(vehicle.vehicle_id)} type={quoteattr(vehicle_type(vehicle.vehicle_class))} "
        f'depart="{vehicle.depart_s:.0f}" departLane="{lane}" departPos="stop" departSpeed="0" '
        f'speedFactor="{speed_factor:.3f}"{line}>'
    )
    yield f"        <route edges={quoteattr(edges)}/>"
    for stop in vehicle.stops:
        yield from _stop(network, timetable, stop, stop_ids)
    yield "    </vehicle>"


def _stop(network: RoadNetwork, timetable: Timetable, stop: VehicleStop, stop_ids: StopIds) -> Iterator[str]:
    place = stop.place
    if stop.layover_s is not None:
        lane = network.lanes.ids[network.edges.lane_start[place.edge] + place.lane]
        begin_m = max(0.0, place.end_m - 1.0)
        yield (
            f'        <stop lane={quoteattr(lane)} startPos="{begin_m:.2f}" endPos="{place.end_m:.2f}" '
            f'parking="true" duration="0" until="{stop.layover_s:.0f}"/>'
        )
    name = stop_ids[int(timetable.call_stop[stop.call]), place]
    until = f' until="{stop.until_s:.0f}"' if stop.until_s is not None else ""
    trip = quoteattr(timetable.trips.ids[stop.trip])
    yield f'        <stop busStop={quoteattr(name)} duration="{stop.dwell_s:.0f}"{until} tripId={trip}/>'


def _write(path: Path, lines: list[str]) -> None:
    with atomic_path(path) as part:
        part.write_text("\n".join(lines), encoding="utf-8", newline="\n")
