"""An imported timetable on disk: the files that SUMO runs, and the plan that runs are compared with."""

from pathlib import Path

from networks.network import RoadNetwork
from sim.transit import Transit
from sim.transit_files import write_stops, write_vehicles
from sim.transit_plan import TransitFiles, transit_plan, write_plan


def write_transit(transit: Transit, network: RoadNetwork, folder: Path) -> TransitFiles:
    """Write bus stops, vehicles and the plan into a folder; the same bytes for the same import."""
    files = TransitFiles(folder)
    used = {key: name for key, name in transit.stop_ids.items() if name in transit.stop_m}
    speeds = {vehicle.vehicle_id: speed for vehicle, speed in zip(transit.vehicles, transit.speeds, strict=True)}
    write_stops(files.stops, network, transit.timetable, used, transit.stop_m.__getitem__)
    write_vehicles(
        files.vehicles, network, transit.timetable, transit.vehicles, used, lambda vehicle: speeds[vehicle.vehicle_id]
    )
    write_plan(folder, transit_plan(network, transit.timetable, transit.vehicles, transit.stop_ids))
    return files
