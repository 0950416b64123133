"""What belongs to a junction when it is measured: its stop lines, its approaches, its inside, and where one enters."""

from collections.abc import Iterable
from dataclasses import dataclass

from networks.faults import InputError
from networks.geometry import to_lonlat
from networks.network import NONE, EdgeKind, RoadNetwork
from signals.approaching import DEFAULT_RANGE_M
from signals.observation import approach_edges, stop_edges

DEPARTURE_M = 20.0
"""Vehicles depart with their tail at the start of an edge: beyond this the longest has its front."""


@dataclass(frozen=True, slots=True)
class JunctionArea:
    """A junction to be measured. ``area_id`` is its signal's id where it has one, else its own.

    Edges and lanes are SUMO ids: ``stop_edges`` end at the stop lines, ``approach_edges`` are those and what leads to
    them within the observation range, ``inner_edges`` lie inside the junction. ``entries`` are cross sections (lane,
    position in m) over which one comes into the approaches, ``exits`` lanes onto which one leaves the area.
    """

    area_id: str
    name: str
    lon: float
    lat: float
    signalised: bool
    stop_edges: tuple[str, ...]
    approach_edges: tuple[str, ...]
    inner_edges: tuple[str, ...]
    entries: tuple[tuple[str, float], ...]
    exits: tuple[str, ...]


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
            "SIGNAL_UNKNOWN",
            f"no signal or junction {name!r} in the network",
            remedy="`bagdar network info NET --json` lists the signals",
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
    approaches = approach_edges(network, stops, range_m)
    streets = sorted({street for junction in junctions for street in network.street_names(junction)})
    lon, lat = _place(network, junctions)
    return JunctionArea(
        area_id=name,
        name=" / ".join(streets[:3]) or name,
        lon=lon,
        lat=lat,
        signalised=signal is not None,
        stop_edges=_ids(network, stops),
        approach_edges=_ids(network, approaches),
        inner_edges=_ids(network, _inner(network, junctions)),
        entries=_entries(network, approaches, range_m),
        exits=_exits(network, approaches),
    )


def _ids(network: RoadNetwork, edges: Iterable[int]) -> tuple[str, ...]:
    return tuple(network.edges.ids[edge] for edge in sorted(edges))


def _inner(network: RoadNetwork, junctions: tuple[int, ...]) -> frozenset[int]:
    lanes = (lane for junction in junctions for lane in network.junctions.internal_lanes[junction])
    edges = {int(network.lanes.edge[lane]) for lane in lanes}
    return frozenset(edge for edge in edges if network.edges.kind[edge] == EdgeKind.INTERNAL)


def _entries(network: RoadNetwork, approaches: dict[int, float], range_m: float) -> tuple[tuple[str, float], ...]:
    """A cross section on every lane of the approaches: at the range, else far enough in to see who departs there.

    A vehicle that has come in already is not counted again by a later one.
    """
    entries: list[tuple[str, float]] = []
    for edge in sorted(approaches):
        length_m = float(network.edge_length_m[edge])
        beyond_m = approaches[edge] + length_m - range_m
        at_m = beyond_m if beyond_m > 0 else min(DEPARTURE_M, length_m / 2)
        entries.extend((network.lanes.ids[lane], at_m) for lane in network.lanes_of(edge))
    return tuple(entries)


def _exits(network: RoadNetwork, approaches: dict[int, float]) -> tuple[str, ...]:
    """Lanes of the edges that follow an approach edge and are none themselves: behind the junction, or off the way."""
    after = {follower for edge in approaches for follower in _followers(network, edge)} - approaches.keys()
    return tuple(network.lanes.ids[lane] for edge in sorted(after) for lane in network.lanes_of(edge))


def _followers(network: RoadNetwork, edge: int) -> set[int]:
    rows = network.connection_order[list(network.connections_from(edge))]
    return {int(follower) for follower in network.connection_to_edge[rows]}


def _place(network: RoadNetwork, junctions: tuple[int, ...]) -> tuple[float, float]:
    """Longitude and latitude of the middle of the junctions; NaN where the network has no geography."""
    if not network.location.is_geographic or not junctions:
        return float("nan"), float("nan")
    rows = list(junctions)
    x_m, y_m = float(network.junctions.x_m[rows].mean()), float(network.junctions.y_m[rows].mean())
    lon, lat = to_lonlat(network.location, [[x_m, y_m]])[0]
    return float(lon), float(lat)
