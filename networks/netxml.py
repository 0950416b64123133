"""SUMO's network file (``.net.xml``, ``.net.xml.gz``) into a RoadNetwork.

Expat checks the text and hands over one dictionary an element. That is taken apart at once, while it is in the
processor's cache, into one list a column; columns become arrays afterwards. So the time stays near the bare parser's.
"""

import gc
from array import array
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from networks.faults import InputError
from networks.intake import Attributes, parse_xml
from networks.network import (
    ALL_CLASSES,
    CLASS_BIT,
    NONE,
    Connections,
    EdgeKind,
    Edges,
    FloatArray,
    IntArray,
    Junctions,
    Lanes,
    Location,
    Phase,
    Program,
    RoadNetwork,
    Signal,
)

DEFAULT_LANE_WIDTH_M = 3.2
_KINDS = {
    "normal": EdgeKind.NORMAL,
    "internal": EdgeKind.INTERNAL,
    "crossing": EdgeKind.CROSSING,
    "walkingarea": EdgeKind.WALKINGAREA,
    "connector": EdgeKind.CONNECTOR,
}

Keeper = Callable[[Attributes], None]


def read_network(path: str | Path) -> RoadNetwork:
    """Read a SUMO network.

    Raises
    ------
    InputError
        FILE_MISSING, ZIP_CORRUPT, XML_DTD_REFUSED; NET_XML where the text is no network (with the line), TLS_STATE
        where a signal's states do not cover its links.
    """
    collected = _Collected()
    with _no_cyclic_collection():
        try:
            parse_xml(path, collected.start, code="NET_XML")
            return _assemble(collected, path)
        except InputError:
            raise
        except (KeyError, ValueError, IndexError, OverflowError) as fault:
            raise _broken(path, f"an element lacks or garbles an attribute ({fault})") from fault


@contextmanager
def _no_cyclic_collection() -> Iterator[None]:
    """Keep the collector from walking a million fresh texts and tuples that hold no cycles."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


class _Edges:
    """Columns of edges; ``lanes_before`` tells where the lanes of each begin."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.kind = array("i")
        self.begins: list[str] = []
        self.ends: list[str] = []
        self.priority = array("i")
        self.types: list[str] = []
        self.names: list[str] = []
        self.lanes_before = array("i")


class _Lanes:
    """Columns of lanes."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.length_m = array("d")
        self.speed_mps = array("d")
        self.width_m = array("d")
        self.permissions = array("Q")
        self.shapes: list[str] = []


class _Connections:
    """Columns of connections; ends and signals by name, as what they name may stand further down."""

    def __init__(self) -> None:
        self.begins: list[str] = []
        self.ends: list[str] = []
        self.from_lane = array("i")
        self.to_lane = array("i")
        self.via: list[str] = []
        self.signals: list[str] = []
        self.link = array("i")
        self.directions: list[str] = []
        self.states: list[str] = []


def _connection_keeper(columns: _Connections) -> Keeper:
    """A handler of connections; it knows its lists by name, as it is called a hundred thousand times."""
    begin, end = columns.begins.append, columns.ends.append
    from_lane, to_lane, link = columns.from_lane.append, columns.to_lane.append, columns.link.append
    via, signal = columns.via.append, columns.signals.append
    direction, state = columns.directions.append, columns.states.append

    def keep(row: Attributes) -> None:
        get = row.get
        begin(row["from"])
        end(row["to"])
        from_lane(int(row["fromLane"]))
        to_lane(int(row["toLane"]))
        via(get("via", ""))
        signal(get("tl", ""))
        link(int(get("linkIndex", NONE)))
        direction(get("dir", "s"))
        state(get("state", "M"))

    return keep


def _lane_keeper(columns: _Lanes) -> Keeper:
    """A handler of lanes; each of the few distinct permissions is decoded once."""
    lane_id, length, speed = columns.ids.append, columns.length_m.append, columns.speed_mps.append
    width, shape, permission = columns.width_m.append, columns.shapes.append, columns.permissions.append
    masks: dict[tuple[str | None, str | None], int] = {}

    def keep(row: Attributes) -> None:
        get = row.get
        lane_id(row["id"])
        length(float(row["length"]))
        speed(float(row["speed"]))
        width(float(get("width", DEFAULT_LANE_WIDTH_M)))
        shape(row["shape"])
        access = get("allow"), get("disallow")
        if access not in masks:
            masks[access] = int(_mask(*access))
        permission(masks[access])

    return keep


def _edge_keeper(columns: _Edges, lane_ids: list[str]) -> Keeper:
    """A handler of edges; it notes how many lanes stood before."""
    edge_id, begin, end = columns.ids.append, columns.begins.append, columns.ends.append
    kind, priority, lanes_before = columns.kind.append, columns.priority.append, columns.lanes_before.append
    road_type, name = columns.types.append, columns.names.append

    def keep(row: Attributes) -> None:
        get = row.get
        edge_id(row["id"])
        kind(_KINDS[get("function", "normal")])
        begin(get("from", ""))
        end(get("to", ""))
        priority(int(get("priority", NONE)))
        road_type(get("type", ""))
        name(get("name", ""))
        lanes_before(len(lane_ids))

    return keep


class _Collected:
    """What a network file holds, in its order, as columns; junctions and programs, which are few, as they stand."""

    def __init__(self) -> None:
        self.root = ""
        self.location: Attributes = {}
        self.edges = _Edges()
        self.lanes = _Lanes()
        self.connections = _Connections()
        self.junctions: list[Attributes] = []
        self.requests: list[tuple[str, str]] = []
        self.requests_before_junction: list[int] = []
        self.programs: list[Attributes] = []
        self.phases: list[list[Attributes]] = []
        self._keep = {
            "connection": _connection_keeper(self.connections),
            "lane": _lane_keeper(self.lanes),
            "edge": _edge_keeper(self.edges, self.lanes.ids),
            "request": self._request,
            "junction": self._junction,
            "phase": self._phase,
            "tlLogic": self._program,
            "location": self._location,
        }

    def start(self, tag: str, attributes: Attributes) -> None:
        """Expat's handler: the root first, then what matters."""
        keep = self._keep.get(tag)
        if keep is not None:
            keep(attributes)
        elif not self.root:
            self.root = tag
        elif tag == "include":
            raise ValueError("it asks for another file by <include>, which is not followed")

    def _request(self, row: Attributes) -> None:
        self.requests.append((row["response"], row["foes"]))

    def _junction(self, row: Attributes) -> None:
        self.requests_before_junction.append(len(self.requests))
        self.junctions.append(row)

    def _program(self, row: Attributes) -> None:
        self.programs.append(row)
        self.phases.append([])

    def _phase(self, row: Attributes) -> None:
        self.phases[-1].append(row)

    def _location(self, row: Attributes) -> None:
        self.location = row


def _assemble(collected: _Collected, path: str | Path) -> RoadNetwork:
    if collected.root != "net":
        raise _broken(path, f"the root element is <{collected.root}>, not <net>")
    if not collected.edges.ids or not collected.lanes.ids:
        raise _broken(path, "there is no edge in it")
    junction_index = {row["id"]: number for number, row in enumerate(collected.junctions)}
    edges = _edges(collected, junction_index)
    edge_index = dict(zip(edges.ids, range(len(edges)), strict=True))
    lanes = _lanes(collected.lanes, edges)
    lane_index = dict(zip(lanes.ids, range(len(lanes.ids)), strict=True))
    signal_index = {name: number for number, name in enumerate(dict.fromkeys(row["id"] for row in collected.programs))}
    connections = _connections(collected.connections, edges, edge_index, lane_index, signal_index)
    return RoadNetwork(
        location=_location(collected.location),
        edges=edges,
        lanes=lanes,
        junctions=_junctions(collected, lane_index),
        connections=connections,
        signals=_signals(collected, signal_index, connections, path),
        edge_index=edge_index,
        junction_index=junction_index,
        signal_index=signal_index,
    )


def _broken(path: str | Path, what: str) -> InputError:
    return InputError("NET_XML", what, file=path, remedy="Build the network anew with `bagdar network build`")


def _location(row: Attributes) -> Location:
    offset = [float(text) for text in row.get("netOffset", "0,0").split(",")]
    west, south, east, north = (float(text) for text in row.get("convBoundary", "0,0,0,0").split(","))
    return Location(offset[0], offset[1], row.get("projParameter", "!"), (west, south, east, north))


def _edges(collected: _Collected, junction_index: dict[str, int]) -> Edges:
    rows = collected.edges
    kind = np.array(rows.kind, dtype=np.int32)
    begins = [junction_index.get(name, NONE) for name in rows.begins]
    ends = [junction_index.get(name, NONE) for name in rows.ends]
    for number in np.flatnonzero(kind != EdgeKind.NORMAL).tolist():
        begins[number] = ends[number] = junction_index.get(rows.ids[number][1:].rpartition("_")[0], NONE)
    lane_start = np.array([*rows.lanes_before, len(collected.lanes.ids)], dtype=np.int32)
    if (empty := np.flatnonzero(np.diff(lane_start) == 0)).size:
        raise ValueError(f"edge {rows.ids[int(empty[0])]!r} has no lane")
    return Edges(
        ids=tuple(rows.ids),
        kind=kind,
        from_junction=np.array(begins, dtype=np.int32),
        to_junction=np.array(ends, dtype=np.int32),
        priority=np.array(rows.priority, dtype=np.int32),
        lane_start=lane_start,
        type_ids=tuple(rows.types),
        names=tuple(rows.names),
    )


def _starts(counts: npt.NDArray[np.intp]) -> IntArray:
    """Compressed-row starts from counts: n counts to n + 1 positions."""
    starts = np.zeros(len(counts) + 1, dtype=np.int32)
    np.cumsum(counts, out=starts[1:])
    return starts


def _lanes(rows: _Lanes, edges: Edges) -> Lanes:
    points = np.array([shape.count(" ") + 1 for shape in rows.shapes])
    return Lanes(
        ids=tuple(rows.ids),
        edge=np.repeat(np.arange(len(edges), dtype=np.int32), np.diff(edges.lane_start)),
        length_m=np.array(rows.length_m),
        speed_mps=np.array(rows.speed_mps),
        width_m=np.array(rows.width_m),
        permissions=np.array(rows.permissions, dtype=np.uint64),
        shape_start=_starts(points),
        shape_m=_points(rows.shapes, int(points.sum())),
    )


def _points(shapes: list[str], count: int) -> FloatArray:
    """All shape points as (count, 2) from ``x,y x,y`` texts; a third coordinate (height) is dropped."""
    numbers = np.fromstring(" ".join(shapes).replace(",", " "), dtype=np.float64, sep=" ")
    if len(numbers) == 2 * count:
        return numbers.reshape(count, 2)
    points = [point.split(",")[:2] for shape in shapes for point in shape.split()]
    return np.array(points, dtype=np.float64)


def _mask(allow: str | None, disallow: str | None) -> np.uint64:
    if allow is not None:
        return _union(allow)
    return ALL_CLASSES & ~_union(disallow) if disallow is not None else ALL_CLASSES


def _union(text: str) -> np.uint64:
    if "all" in text.split():
        return ALL_CLASSES
    mask = np.uint64(0)
    for name in text.split():
        mask |= CLASS_BIT.get(name, np.uint64(0))
    return mask


def _junctions(collected: _Collected, lane_index: dict[str, int]) -> Junctions:
    rows = collected.junctions
    requests = collected.requests
    first = [*collected.requests_before_junction, len(requests)]
    return Junctions(
        ids=tuple(row["id"] for row in rows),
        kind=tuple(row.get("type", "unknown") for row in rows),
        x_m=np.array([float(row["x"]) for row in rows]),
        y_m=np.array([float(row["y"]) for row in rows]),
        internal_lanes=tuple(tuple(map(lane_index.__getitem__, row.get("intLanes", "").split())) for row in rows),
        requests=tuple(tuple(requests[begin:end]) for begin, end in pairwise(first)),
    )


def _connections(
    rows: _Connections,
    edges: Edges,
    edge_index: dict[str, int],
    lane_index: dict[str, int],
    signal_index: dict[str, int],
) -> Connections:
    from_edge = np.array([edge_index[name] for name in rows.begins], dtype=np.int32)
    to_edge = np.array([edge_index[name] for name in rows.ends], dtype=np.int32)
    signal = np.array([signal_index.get(name, NONE) for name in rows.signals], dtype=np.int32)
    return Connections(
        from_lane=_lane_rows(edges, from_edge, np.array(rows.from_lane, dtype=np.int32)),
        to_lane=_lane_rows(edges, to_edge, np.array(rows.to_lane, dtype=np.int32)),
        via_lane=np.array([lane_index.get(name, NONE) for name in rows.via], dtype=np.int32),
        signal=signal,
        link=np.where(signal == NONE, NONE, np.array(rows.link)).astype(np.int32),
        direction=tuple(rows.directions),
        state=tuple(rows.states),
    )


def _lane_rows(edges: Edges, edge: IntArray, number: IntArray) -> IntArray:
    """Rows of lanes that are numbered from the right of each edge."""
    lane: IntArray = edges.lane_start[edge] + number
    if (wrong := np.flatnonzero((number < 0) | (lane >= edges.lane_start[edge + 1]))).size:
        row = int(wrong[0])
        raise ValueError(f"a connection names lane {number[row]} of edge {edges.ids[edge[row]]!r}, which it has not")
    return lane


def _signals(
    collected: _Collected, signal_index: dict[str, int], connections: Connections, path: str | Path
) -> tuple[Signal, ...]:
    programs: list[list[Program]] = [[] for _ in signal_index]
    for row, phases in zip(collected.programs, collected.phases, strict=True):
        programs[signal_index[row["id"]]].append(_program(row, phases))
    links: list[dict[int, list[int]]] = [{} for _ in signal_index]
    controlled = np.flatnonzero(connections.signal != NONE)
    places = zip(connections.signal[controlled].tolist(), connections.link[controlled].tolist(), strict=True)
    for connection, (signal, bit) in zip(controlled.tolist(), places, strict=True):
        links[signal].setdefault(bit, []).append(connection)
    signals = []
    for name, number in signal_index.items():
        width = _state_width(name, programs[number], max(links[number], default=NONE) + 1, path)
        bits: list[tuple[int, ...]] = [()] * width
        for bit, rows in links[number].items():
            bits[bit] = tuple(rows)
        signals.append(Signal(name, tuple(programs[number]), tuple(bits)))
    return tuple(signals)


def _state_width(name: str, programs: list[Program], link_count: int, path: str | Path) -> int:
    """Width of a signal's states, which must be one and the same and reach every link."""
    widths = {len(phase.state) for program in programs for phase in program.phases}
    if widths and (len(widths) > 1 or min(widths) < link_count):
        raise InputError(
            "TLS_STATE",
            f"signal {name!r} has {link_count} links and states of {sorted(widths)} letters",
            file=path,
            field="state",
            remedy="Every state needs one letter a link",
        )
    return max(widths, default=link_count)


def _program(row: Attributes, phases: list[Attributes]) -> Program:
    return Program(
        program_id=row.get("programID", "0"),
        kind=row.get("type", "static"),
        offset_s=_seconds(row.get("offset", "0")),
        phases=tuple(
            Phase(
                duration_s=float(phase["duration"]),
                state=phase["state"],
                min_s=float(phase["minDur"]) if "minDur" in phase else None,
                max_s=float(phase["maxDur"]) if "maxDur" in phase else None,
                next_phases=tuple(int(text) for text in phase.get("next", "").split()),
                name=phase.get("name", ""),
            )
            for phase in phases
        ),
    )


def _seconds(text: str) -> float:
    """An offset in seconds; ``begin`` (start with the simulation) counts as none."""
    return 0.0 if text == "begin" else float(text)
