"""What a network holds, in figures: the answer of ``bagdar network info``."""

from collections import Counter
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from networks.geometry import to_lonlat
from networks.network import CLASS_BIT, EdgeKind, RoadNetwork

VEHICLE_CLASS = "passenger"
_KM = 1000.0


def describe_network(network: RoadNetwork) -> dict[str, object]:
    """Figures of a network, ready for JSON.

    Lengths count each direction of a street for itself. ``car_connected_share`` is the share of the length open to cars
    that lies in the largest part where a car comes from everywhere to everywhere; ``named_share`` is by length too.
    """
    normal = network.edges.kind == EdgeKind.NORMAL
    length_m = network.edge_length_m
    named = normal & (np.array(network.edges.names, dtype=object) != "")
    on_normal = normal[network.lanes.edge]
    return {
        "edges": int(normal.sum()),
        "lanes": int(on_normal.sum()),
        "connections": len(network.connections),
        "junctions": _counted(kind for kind in network.junctions.kind if kind != "internal"),
        "signals": len(network.signals),
        "signals_by_kind": _counted(signal.programs[0].kind for signal in network.signals if signal.programs),
        "signal_links": sum(len(link) > 0 for signal in network.signals for link in signal.links),
        "edge_km": _km(length_m[normal].sum()),
        "lane_km": _km(network.lanes.length_m[on_normal].sum()),
        "edge_km_by_class": _km_by_class(network, np.flatnonzero(normal)),
        "named_share": _share(length_m[named].sum(), length_m[normal].sum()),
        "car_connected_share": _connected_share(network),
        "bounds_m": list(network.location.bounds_m),
        "bounds_lonlat": _bounds_lonlat(network),
        "projection": network.location.projection,
    }


def _counted(values: Iterable[str]) -> dict[str, int]:
    """How often each value stands there, the commonest first."""
    return dict(sorted(Counter(values).items(), key=lambda item: (-item[1], item[0])))


def _km(length_m: float) -> float:
    return round(float(length_m) / _KM, 3)


def _share(part: float, whole: float) -> float:
    return round(float(part) / float(whole), 4) if whole else 0.0


def _km_by_class(network: RoadNetwork, edges: npt.NDArray[np.intp]) -> dict[str, float]:
    """Length by street class (``highway.primary`` counts as ``primary``), the longest first."""
    names = np.array([network.edges.type_ids[edge].removeprefix("highway.") or "unknown" for edge in edges])
    classes, number = np.unique(names, return_inverse=True)
    totals = np.bincount(number, weights=network.edge_length_m[edges])
    order = np.argsort(-totals, kind="stable")
    return {str(classes[row]): _km(totals[row]) for row in order}


def _connected_share(network: RoadNetwork) -> float:
    """Share of the car network's length in its largest strongly connected part, over the connections that cars use."""
    cars = network.edges_for(VEHICLE_CLASS)
    lanes = np.bitwise_and(network.lanes.permissions, CLASS_BIT[VEHICLE_CLASS]) != 0
    usable = lanes[network.connections.from_lane] & lanes[network.connections.to_lane]
    begins, ends = network.connection_from_edge[usable], network.connection_to_edge[usable]
    size = len(network.edges)
    links = coo_array((np.ones(len(begins), dtype=np.int8), (begins, ends)), shape=(size, size))
    _, part = connected_components(links, connection="strong")
    lengths = np.bincount(part[cars], weights=network.edge_length_m[cars])
    return _share(lengths.max(initial=0.0), lengths.sum())


def _bounds_lonlat(network: RoadNetwork) -> list[float] | None:
    """West, south, east, north in degrees; None without geography."""
    if not network.location.is_geographic:
        return None
    west, south, east, north = network.location.bounds_m
    corners = to_lonlat(network.location, [(west, south), (west, north), (east, south), (east, north)])
    return [round(float(degrees), 6) for degrees in (*corners.min(axis=0), *corners.max(axis=0))]
