"""Messages of positions for tests, written with the public bindings alone."""

from collections.abc import Iterable, Mapping
from typing import Any

from google.transit.gtfs_realtime_pb2 import FeedMessage

PARTS = {
    "id": ("vehicle", str),
    "trip_id": ("trip", str),
    "route_id": ("trip", str),
    "start_date": ("trip", str),
    "start_time": ("trip", str),
    "latitude": ("position", float),
    "longitude": ("position", float),
    "bearing": ("position", float),
    "speed": ("position", float),
    "odometer": ("position", float),
}


def positions(vehicles: Iterable[Mapping[str, Any]], told_s: int = 0) -> bytes:
    """A VehiclePositions message; a vehicle is given by the names of its fields, absent where it is left out."""
    message = FeedMessage()
    message.header.gtfs_realtime_version = "2.0"
    if told_s:
        message.header.timestamp = told_s
    for number, values in enumerate(vehicles):
        vehicle = message.entity.add(id=str(number)).vehicle
        for name, value in values.items():
            if name == "timestamp":
                vehicle.timestamp = value
            else:
                part, kind = PARTS[name]
                setattr(getattr(vehicle, part), name, kind(value))
    return message.SerializeToString()


def bus(name: str, time_s: int, **values: Any) -> dict[str, Any]:
    """A vehicle at Almaty's opera unless another place is given."""
    return {"id": name, "timestamp": time_s, "latitude": 43.25, "longitude": 76.95, **values}
