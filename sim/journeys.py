"""The ways that vehicles of route files take, without a simulation: routes as given, trips by their fastest path."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np

from networks.faults import InputError
from networks.graph import router
from networks.intake import Attributes, parse_xml
from networks.network import NONE, VEHICLE_CLASSES, IntArray, RoadNetwork
from sim.flows import parse_flow
from sim.times import parse_time_s
from sim.trips import VEHICLE_CLASS

Edges = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Journey:
    """Vehicles on one way: ``vehicles`` of them leave evenly in [begin_s, end_s); one leaves where both are equal.

    ``places`` are the edges of a route, or for a trip the edges between which the fastest path is taken
    (``is_route`` tells). They are empty where the file names none.
    """

    begin_s: float
    end_s: float
    vehicles: float
    vehicle_class: str
    places: Edges
    is_route: bool

    def departing(self, begin_s: float, end_s: float) -> float:
        """Vehicles that leave in [begin_s, end_s)."""
        if self.end_s <= self.begin_s:
            return self.vehicles if begin_s <= self.begin_s < end_s else 0.0
        shared_s = min(end_s, self.end_s) - max(begin_s, self.begin_s)
        return self.vehicles * max(shared_s, 0.0) / (self.end_s - self.begin_s)


def read_journeys(paths: Iterable[Path], begin_s: float, end_s: float) -> tuple[Journey, ...]:
    """Journeys of route files that were checked before (:func:`sim.route_files.read_route_files`).

    Vehicles that leave when others say so (``triggered``) are left out. A flow without begin or end has those given.
    """
    reader = _Reader(begin_s, end_s)
    for path in paths:
        parse_xml(path, reader.start, code="ROUTE_XML", on_end=reader.end)
    return tuple(reader.journeys)


@dataclass(slots=True)
class _Reader:
    """Follows route files element by element; names of types and routes hold across them."""

    begin_s: float
    end_s: float
    journeys: list[Journey] = field(default_factory=list)
    classes: dict[str, str] = field(default_factory=dict)
    routes: dict[str, list[tuple[float, Edges]]] = field(default_factory=lambda: defaultdict(list))
    vehicle: Attributes | None = None
    vehicle_tag: str = ""
    inner: list[tuple[float, Edges]] = field(default_factory=list)
    distribution: str = ""
    interval: Attributes = field(default_factory=dict)

    def start(self, tag: str, attributes: Attributes) -> None:
        if tag == "vType":
            self.classes[attributes["id"]] = attributes.get("vClass", VEHICLE_CLASS)
        elif tag == "routeDistribution":
            self.distribution = attributes.get("id", "")
        elif tag == "interval":
            self.interval = attributes
        elif tag == "route":
            self._route(attributes)
        elif tag in {"vehicle", "trip", "flow"}:
            self.vehicle, self.vehicle_tag, self.inner = attributes, tag, []

    def end(self, tag: str) -> None:
        if tag == "routeDistribution":
            self.distribution = ""
        elif tag == "interval":
            self.interval = {}
        elif tag == self.vehicle_tag and self.vehicle is not None:
            self._add({**self.interval, **self.vehicle})
            self.vehicle = None

    def _route(self, attributes: Attributes) -> None:
        share = float(attributes.get("probability", 1.0)) if self.distribution or self.vehicle is not None else 1.0
        route = share, tuple(attributes.get("edges", "").split())
        if self.vehicle is not None:
            self.inner.append(route)
            return
        for name in {attributes.get("id", ""), self.distribution} - {""}:
            self.routes[name].append(route)

    def _add(self, row: Attributes) -> None:
        times = self._flow(row) if self.vehicle_tag == "flow" else self._departure(row)
        if times is None:
            return
        begin_s, end_s, vehicles = times
        vehicle_class = self.classes.get(row.get("type", ""), VEHICLE_CLASS)
        routes = self.inner or self.routes.get(row.get("route", ""), [])
        total = sum(share for share, _ in routes)
        for share, edges in routes if total > 0 else ():
            self.journeys.append(Journey(begin_s, end_s, vehicles * share / total, vehicle_class, edges, is_route=True))
        if not routes:
            self.journeys.append(Journey(begin_s, end_s, vehicles, vehicle_class, _ends(row), is_route=False))

    def _departure(self, row: Attributes) -> tuple[float, float, float] | None:
        try:
            depart_s = parse_time_s(row.get("depart", ""))
        except ValueError:
            return (self.begin_s, self.begin_s, 1.0) if row.get("depart") == "begin" else None
        return depart_s, depart_s, 1.0

    def _flow(self, row: Attributes) -> tuple[float, float, float] | None:
        flow = parse_flow(row)
        begin_s = self.begin_s if flow.begin_s is None else flow.begin_s
        end_s = self.end_s if flow.end_s is None else flow.end_s
        if flow.period_s is not None and flow.number is not None:
            end_s = begin_s + flow.number * flow.period_s
        vehicles = flow.count(begin_s, end_s)
        return begin_s, end_s, _drawn(row) * (end_s - begin_s) if vehicles is None else float(vehicles)


def _drawn(row: Attributes) -> float:
    """Vehicles a second of a flow that departs at random: a chance each second, or ``exp(rate)`` between two."""
    text = row.get("probability") or row.get("period", "").removeprefix("exp(").removesuffix(")")
    try:
        return float(text)
    except ValueError as fault:
        what = f"flow {row['id']!r} has no rate, period, number or probability that is a number"
        raise InputError("ROUTE_TIME", what, remedy="Give it one, such as vehsPerHour") from fault


def _ends(row: Attributes) -> Edges:
    """Where a trip begins, what it passes, where it ends; nothing where it is not told by edges."""
    if "from" not in row or "to" not in row:
        return ()
    return row["from"], *row.get("via", "").split(), row["to"]


def driven_ways(
    network: RoadNetwork, journeys: Iterable[tuple[Journey, float]]
) -> Iterator[tuple[tuple[int, ...], float]]:
    """Each different way as network rows of its edges, and how many vehicles take it.

    A way is empty for vehicles whose way is not known: no edges are named, or no street leads there.

    Parameters
    ----------
    journeys
        Each with its count of vehicles.
    """
    ways: dict[tuple[int, ...], float] = defaultdict(float)
    trips: dict[str, dict[Edges, float]] = defaultdict(lambda: defaultdict(float))
    for journey, vehicles in journeys:
        if journey.is_route or not journey.places:
            ways[tuple(network.edge_index[edge] for edge in journey.places)] += vehicles
        else:
            trips[journey.vehicle_class][journey.places] += vehicles
    for vehicle_class, wanted in trips.items():
        for way, vehicles in zip(_fastest(network, vehicle_class, list(wanted)), wanted.values(), strict=True):
            ways[way] += vehicles
    yield from ways.items()


def _fastest(network: RoadNetwork, vehicle_class: str, trips: list[Edges]) -> list[tuple[int, ...]]:
    """The fastest path on free streets through the places of each trip; empty where there is none."""
    roads = router(network, vehicle_class if vehicle_class in VEHICLE_CLASSES else VEHICLE_CLASS)
    rows = [[network.edge_index[edge] for edge in trip] for trip in trips]
    pairs = {pair for trip in rows for pair in pairwise(trip)}
    open_pairs = sorted(pair for pair in pairs if (roads.node_of_edge[list(pair)] != NONE).all())
    ends: IntArray = np.array(open_pairs, dtype=np.int32).reshape(-1, 2)
    paths = roads.paths(ends[:, 0], ends[:, 1]) if open_pairs else []
    found = dict(zip(open_pairs, (tuple(path.tolist()) for path in paths), strict=True))
    return [_joined([found.get(pair, ()) for pair in pairwise(trip)]) for trip in rows]


def _joined(parts: list[tuple[int, ...]]) -> tuple[int, ...]:
    if not all(parts):
        return ()
    return (*parts[0], *(edge for part in parts[1:] for edge in part[1:]))
