"""How much car traffic a class of road attracts, where nobody has counted.

Every figure is a first value for an ordinary city at a busy hour, not a measurement.
"""

from dataclasses import dataclass

import numpy as np

from networks.network import FloatArray, RoadNetwork


@dataclass(frozen=True, slots=True)
class RoadClass:
    """Traffic of a class of road at a busy hour, and how drivers value it.

    ``through_veh_per_h`` enter (or leave) the map by each lane where the road crosses its border;
    ``local_veh_per_km_h`` begin (or end) their trip on each kilometre and direction inside; a second of driving counts
    as ``cost_factor`` seconds.
    """

    through_veh_per_h: float
    local_veh_per_km_h: float
    cost_factor: float


ROAD_CLASSES = {
    "motorway": RoadClass(1000, 0, 1.0),
    "trunk": RoadClass(800, 0, 1.0),
    "primary": RoadClass(450, 20, 1.0),
    "secondary": RoadClass(300, 30, 1.05),
    "tertiary": RoadClass(150, 40, 1.1),
    "unclassified": RoadClass(50, 40, 1.25),
    "residential": RoadClass(0, 40, 1.5),
    "living_street": RoadClass(0, 20, 2.0),
    "service": RoadClass(0, 10, 3.0),
    "track": RoadClass(0, 0, 4.0),
}
"""By the value of OpenStreetMap's ``highway`` key, links with their road; others count as tracks."""

_SLOWEST_KM_PER_H = ((95, "motorway"), (75, "trunk"), (55, "primary"), (45, "tertiary"), (0, "residential"))
"""Slowest limit of a class, for edges without an OpenStreetMap type."""


def road_class(type_id: str, speed_mps: float) -> RoadClass:
    """Class of an edge by its type (``highway.primary_link``, ``highway.tertiary|railway.tram``), else by its speed."""
    for part in type_id.split("|"):
        key, _, value = part.partition(".")
        if key == "highway":
            return ROAD_CLASSES.get(value.removesuffix("_link"), ROAD_CLASSES["track"])
    speed_km_per_h = 3.6 * speed_mps
    return ROAD_CLASSES[next(name for slowest, name in _SLOWEST_KM_PER_H if speed_km_per_h >= slowest)]


def road_class_figures(network: RoadNetwork) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The three figures of :class:`RoadClass` for each edge, shapes (edges,), in the order of its fields."""
    types, speeds_mps = network.edges.type_ids, network.edge_speed_mps.tolist()
    known = {pair: road_class(*pair) for pair in set(zip(types, speeds_mps, strict=True))}
    classes = [known[pair] for pair in zip(types, speeds_mps, strict=True)]
    rows = [(kind.through_veh_per_h, kind.local_veh_per_km_h, kind.cost_factor) for kind in classes]
    through, local, factor = np.array(rows, dtype=np.float64).T
    return through, local, factor
