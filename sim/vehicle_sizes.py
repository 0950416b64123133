"""How long and wide vehicles are: from the types of route files, else what SUMO takes for their class."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from networks.intake import Attributes, parse_xml

DEFAULT_TYPE = "DEFAULT_VEHTYPE"


@dataclass(frozen=True, slots=True)
class VehicleSize:
    """A vehicle's type, and its length and width (m)."""

    type_id: str
    length_m: float
    width_m: float


_CAR = (5.0, 1.8)
CLASS_SIZE_M = {
    "pedestrian": (0.215, 0.478),
    "wheelchair": (1.2, 0.72),
    "scooter": (1.2, 0.5),
    "bicycle": (1.6, 0.65),
    "moped": (2.1, 0.78),
    "motorcycle": (2.2, 0.9),
    "delivery": (6.5, 2.16),
    "emergency": (6.5, 2.16),
    "truck": (7.1, 2.4),
    "trailer": (16.5, 2.55),
    "bus": (12.0, 2.5),
    "coach": (14.0, 2.6),
    "tram": (22.0, 2.4),
    "rail_urban": (109.5, 3.0),
    "subway": (109.5, 3.0),
    "rail": (135.0, 2.84),
    "rail_electric": (200.0, 2.95),
    "rail_fast": (200.0, 2.95),
}
"""Length and width (m) that SUMO gives to vehicles of a class; to all others those of a car."""


def read_sizes(paths: Iterable[Path]) -> dict[str, VehicleSize]:
    """Sizes by type, from route and additional files."""
    sizes: dict[str, VehicleSize] = {
        DEFAULT_TYPE: VehicleSize(DEFAULT_TYPE, *_CAR),
        "DEFAULT_BIKETYPE": VehicleSize("DEFAULT_BIKETYPE", *CLASS_SIZE_M["bicycle"]),
        "DEFAULT_PEDTYPE": VehicleSize("DEFAULT_PEDTYPE", *CLASS_SIZE_M["pedestrian"]),
    }

    def keep(tag: str, row: Attributes) -> None:
        if tag == "vType":
            length_m, width_m = CLASS_SIZE_M.get(row.get("vClass", "passenger"), _CAR)
            size = float(row.get("length", length_m)), float(row.get("width", width_m))
            sizes[row["id"]] = VehicleSize(row["id"], *size)

    for path in paths:
        parse_xml(path, keep, code="ROUTE_XML")
    return sizes
