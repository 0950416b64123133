"""SUMO route files, checked before SUMO sees them.

SUMO only warns about some faults and leaves those vehicles out, stops at others half-way through the simulated day, and
follows ``<include href>`` to files that nobody checked. Here each of them is an error with its file and line.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from networks.faults import InputError
from networks.intake import Attributes, parse_xml
from networks.network import FloatArray, IntArray, RoadNetwork
from sim.flows import Flow, parse_flow
from sim.times import clock_text, parse_time_s

ROOTS = frozenset({"routes", "trips", "additional"})
DEPART_WORDS = frozenset({"triggered", "containerTriggered", "split", "now", "begin"})
"""Departures that SUMO takes instead of a time; when they happen shows only in the simulation."""

_NAMESPACES = {
    "vehicle": "vehicle",
    "trip": "vehicle",
    "flow": "flow",
    "person": "person",
    "personFlow": "person",
    "container": "container",
    "containerFlow": "container",
}
_FLOWS = frozenset({"flow", "personFlow", "containerFlow"})
_EDGE_FIELDS = ("from", "to", "via", "edge")

Place = tuple[Path, int]


@dataclass(frozen=True, slots=True, eq=False)
class RouteFile:
    """What a checked route file holds.

    Attributes
    ----------
    vehicles, trips, persons
        Count of elements of each kind; a flow of persons counts as one.
    departures_s
        Departures of the vehicles and trips that have a time, in file order (which is ascending, save for public
        transport lines), shape (timed vehicles,).
    untimed
        Count of vehicles and trips whose departure is a word (``triggered``) instead.
    flows
        Flows of vehicles.
    edges
        Network rows of the edges that are named in it, ascending.
    """

    path: Path
    vehicles: int
    trips: int
    persons: int
    departures_s: FloatArray
    untimed: int
    flows: tuple[Flow, ...]
    edges: IntArray

    def scheduled(self, begin_s: float, end_s: float) -> int | None:
        """Vehicles that depart in [begin_s, end_s); None where the file alone does not tell."""
        of_flows = [flow.count(begin_s, end_s) for flow in self.flows]
        if self.untimed or None in of_flows:
            return None
        timed = np.count_nonzero((self.departures_s >= begin_s) & (self.departures_s < end_s))
        return int(timed) + sum(count for count in of_flows if count is not None)


def read_route_file(path: str | Path, network: RoadNetwork) -> RouteFile:
    """Read and check one route file. See :func:`read_route_files`."""
    return read_route_files([path], network)[0]


def read_route_files(paths: Iterable[str | Path], network: RoadNetwork) -> tuple[RouteFile, ...]:
    """Read and check the route files of one simulation, plain or ``.gz``.

    Raises
    ------
    InputError
        FILE_MISSING, ZIP_CORRUPT, XML_DTD_REFUSED; ROUTE_XML (no XML, no route file, a missing attribute, an include),
        ROUTE_TIME, ROUTE_UNSORTED, ROUTE_DUPLICATE (ids must differ across the files), ROUTE_EDGE (an edge that the
        network lacks), ROUTE_DISCONNECTED (edges in a row that no connection joins), each with its file and line.
    """
    roads = _Roads(network)
    taken: dict[tuple[str, str], Place] = {}
    return tuple(_read(Path(path), roads, taken) for path in paths)


class _Roads:
    """What a route may say of a network: its edges, and which of them follow each other."""

    def __init__(self, network: RoadNetwork) -> None:
        ids = network.edges.ids
        self.row_of = network.edge_index
        begins, ends = network.connection_from_edge.tolist(), network.connection_to_edge.tolist()
        self.joined = {(ids[begin], ids[end]) for begin, end in zip(begins, ends, strict=True)}


def _read(path: Path, roads: _Roads, taken: dict[tuple[str, str], Place]) -> RouteFile:
    checker = _Checker(path, roads, taken)
    parse_xml(path, checker.start, code="ROUTE_XML", on_end=checker.end, with_lines=True)
    return RouteFile(
        path=path,
        vehicles=checker.counts["vehicle"],
        trips=checker.counts["trip"],
        persons=checker.counts["person"] + checker.counts["personFlow"],
        departures_s=np.array(checker.departures_s, dtype=np.float64),
        untimed=checker.untimed,
        flows=tuple(checker.flows),
        edges=np.array(sorted(roads.row_of[name] for name in checker.edges), dtype=np.int32),
    )


class _Checker:
    """Follows a route file element by element and raises at the first fault."""

    def __init__(self, path: Path, roads: _Roads, taken: dict[tuple[str, str], Place]) -> None:
        self.path, self.roads, self.taken = path, roads, taken
        self.line = 0
        self.counts = dict.fromkeys(_NAMESPACES, 0)
        self.departures_s: list[float] = []
        self.untimed = 0
        self.flows: list[Flow] = []
        self.edges: set[str] = set()
        self._last_depart_s = -math.inf
        self._interval: Attributes = {}
        self._checked_routes: set[str] = set()
        self._steps: dict[str, Callable[[str, Attributes], None]] = {
            **dict.fromkeys(_NAMESPACES, self._traveller),
            **dict.fromkeys(("route", "walk"), self._route),
            **dict.fromkeys(("stop", "ride", "personTrip", "transport", "tranship"), self._places),
            "interval": self._open_interval,
            "include": self._include,
        }
        self._step: Callable[[str, Attributes], None] = self._root

    def start(self, tag: str, attributes: Attributes, line: int) -> None:
        """Take the next element."""
        self.line = line
        self._step(tag, attributes)

    def end(self, tag: str) -> None:
        """Leave an element."""
        if tag == "interval":
            self._interval = {}

    def _fault(self, code: str, what: str, remedy: str, field: str | None = None) -> InputError:
        return InputError(code, what, file=self.path, row=self.line, field=field, remedy=remedy)

    def _root(self, tag: str, _attributes: Attributes) -> None:
        if tag not in ROOTS:
            raise self._fault("ROUTE_XML", f"the root element is <{tag}>, not <routes>", "Name a route file (.rou.xml)")
        self._step = self._element

    def _element(self, tag: str, attributes: Attributes) -> None:
        step = self._steps.get(tag)
        if step is not None:
            step(tag, attributes)

    def _include(self, _tag: str, attributes: Attributes) -> None:
        what = f"it includes {attributes.get('href', '')!r}, which would reach SUMO unchecked"
        raise self._fault("ROUTE_XML", what, "List that file beside this one instead")

    def _open_interval(self, _tag: str, attributes: Attributes) -> None:
        self._interval = attributes

    def _traveller(self, tag: str, attributes: Attributes) -> None:
        self._identify(_NAMESPACES[tag], attributes)
        self.counts[tag] += 1
        depart_s = self._flow(tag, attributes) if tag in _FLOWS else self._departure(tag, attributes)
        if depart_s is not None:
            self._order(attributes, depart_s)
        self._places(tag, attributes)

    def _identify(self, namespace: str, attributes: Attributes) -> None:
        name = attributes.get("id")
        if not name:
            raise self._fault("ROUTE_XML", f"a {namespace} has no id", "Give each an id of its own", "id")
        place = self.taken.get((namespace, name))
        if place is not None:
            what = f"{namespace} {name!r} already stands in {place[0].name} line {place[1]}"
            raise self._fault("ROUTE_DUPLICATE", what, "Give each an id of its own", "id")
        self.taken[namespace, name] = (self.path, self.line)

    def _departure(self, tag: str, attributes: Attributes) -> float | None:
        """Departure of a vehicle, trip, person or container; None where it is a word."""
        text = attributes.get("depart", "")
        is_vehicle = _NAMESPACES[tag] == "vehicle"
        if text in DEPART_WORDS:
            self.untimed += is_vehicle
            return None
        try:
            depart_s = parse_time_s(text)
        except ValueError as fault:
            raise self._fault("ROUTE_TIME", str(fault), "Write seconds or HH:MM:SS", "depart") from fault
        if is_vehicle:
            self.departures_s.append(depart_s)
        return depart_s

    def _flow(self, tag: str, attributes: Attributes) -> float | None:
        """Begin of a flow; None where it is the simulation's."""
        try:
            flow = parse_flow({**self._interval, **attributes})
        except ValueError as fault:
            remedy = "Times are seconds or HH:MM:SS; rates and periods are above zero"
            raise self._fault("ROUTE_TIME", f"flow {attributes['id']!r}: {fault}", remedy) from fault
        if tag == "flow":
            self.flows.append(flow)
        return flow.begin_s

    def _order(self, attributes: Attributes, depart_s: float) -> None:
        """Departures must not go back; those of public transport lines may be followed by earlier ones."""
        if depart_s < self._last_depart_s:
            what = (
                f"{attributes['id']!r} departs at {clock_text(depart_s)}, after one at "
                f"{clock_text(self._last_depart_s)}: SUMO would leave it out"
            )
            raise self._fault("ROUTE_UNSORTED", what, "Sort the file by departure", "depart")
        if not attributes.get("line"):
            self._last_depart_s = depart_s

    def _route(self, tag: str, attributes: Attributes) -> None:
        text = attributes.get("edges", "")
        if text in self._checked_routes:
            return
        edges = text.split()
        self._know(edges, "edges")
        if tag == "route":
            self._join(edges)
        self._checked_routes.add(text)

    def _join(self, edges: list[str]) -> None:
        steps = list(pairwise(edges))
        if not self.roads.joined.issuperset(steps):
            begin, end = next(step for step in steps if step not in self.roads.joined)
            what = f"no connection leads from edge {begin!r} to edge {end!r}"
            raise self._fault("ROUTE_DISCONNECTED", what, "Route it anew on this network (duarouter)", "edges")

    def _places(self, _tag: str, attributes: Attributes) -> None:
        for field in _EDGE_FIELDS:
            if field in attributes:
                self._know(attributes[field].split(), field)
        if "lane" in attributes:
            self._know([attributes["lane"].rpartition("_")[0]], "lane")

    def _know(self, edges: list[str], field: str) -> None:
        if not self.roads.row_of.keys() >= set(edges):
            unknown = next(name for name in edges if name not in self.roads.row_of)
            what = f"edge {unknown!r} is not in the network"
            raise self._fault("ROUTE_EDGE", what, "Was the file made for another network?", field)
        self.edges.update(edges)
