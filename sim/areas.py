"""What belongs to a junction when it is measured: its stop lines, its approaches, its inside."""

from dataclasses import dataclass

from networks.faults import InputError
from networks.geometry import to_lonlat
from networks.network import NONE, EdgeKind, RoadNetwork
from signals.observation import DEFAULT_RANGE_M, approach_edges, stop_edges


@dataclass(frozen=True, slots=True)
class JunctionArea:
    """A junction to be measured. ``area_id`` is its signal's id where it has one, else its own.

    Edges are SUMO ids: ``stop_edges`` end at the stop lines, ``approach_edges`` are those and what leads to them within
    the observation range, ``inner_edges`` lie inside the junction.
    """

    area_id: str
    name: str
    lon: float
    lat: float
    signalised: bool
    stop_edges: tuple[str, ...]
    approach_edges: tuple[str, ...]
    inner_edges: tuple[str, ...]


def junction_areas(
    network: RoadNetwork, ids: tuple[str, ...], range_m: float = DEFAULT_RANGE_M
) -> tuple[JunctionArea, ...]:
    """The areas of signals or junctions, each once, in the order given.

    Raises
    ------
    InputError
        SIGNAL_UNKNOWN for an id that is neither a signal nor a junction.
    """
    resolved = dict.fromkeys(signal_or_junction(network, name) for name in ids)
    return tuple(_area(network, name, range_m) for name in resolved)


def signal_or_junction(network: RoadNetwork, name: str) -> str:
    """The signal that an id means: itself, or the one that controls that junction; else the junction's own id."""
    if name in network.signal_index:
        return name
    junction = network.junction_index.get(name)
    if junction is None:
        raise InputError(
            "SIGNAL_UNKNOWN", f"no signal or junction {name!r} in the network", remedy="See `bagdar network info`"
        )
    signal = network.signal_of_junction.get(junction, NONE)
    return name if signal == NONE else network.signals[signal].signal_id


def _area(network: RoadNetwork, name: str, range_m: float) -> JunctionArea:
    signal = network.signal_index.get(name)
    junctions = (network.junction_index[name],) if signal is None else network.junctions_of_signal(signal)
    stops = (
        stop_edges(network, signal)
        if signal is not None
        else frozenset(int(edge) for edge in network.incoming_edges(junctions[0]))
    )
    streets = sorted({street for junction in junctions for street in network.street_names(junction)})
    lon, lat = _place(network, junctions)
    return JunctionArea(
        area_id=name,
        name=" / ".join(streets[:3]) or name,
        lon=lon,
        lat=lat,
        signalised=signal is not None,
        stop_edges=_ids(network, stops),
        approach_edges=_ids(network, approach_edges(network, stops, range_m)),
        inner_edges=_ids(network, _inner(network, junctions)),
    )


def _ids(network: RoadNetwork, edges: frozenset[int]) -> tuple[str, ...]:
    return tuple(network.edges.ids[edge] for edge in sorted(edges))


def _inner(network: RoadNetwork, junctions: tuple[int, ...]) -> frozenset[int]:
    lanes = (lane for junction in junctions for lane in network.junctions.internal_lanes[junction])
    edges = {int(network.lanes.edge[lane]) for lane in lanes}
    return frozenset(edge for edge in edges if network.edges.kind[edge] == EdgeKind.INTERNAL)


def _place(network: RoadNetwork, junctions: tuple[int, ...]) -> tuple[float, float]:
    """Longitude and latitude of the middle of the junctions; NaN where the network has no geography."""
    if not network.location.is_geographic or not junctions:
        return float("nan"), float("nan")
    rows = list(junctions)
    x_m, y_m = float(network.junctions.x_m[rows].mean()), float(network.junctions.y_m[rows].mean())
    lon, lat = to_lonlat(network.location, [[x_m, y_m]])[0]
    return float(lon), float(lat)
