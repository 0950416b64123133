"""SUMO's network file (``.net.xml``, ``.net.xml.gz``) into a RoadNetwork.

Expat checks the text and hands over one dictionary an element; nothing is computed there. Afterwards each column is
built in one pass, shapes as one long list of numbers. That keeps the time near that of the bare parser.
"""

import gc
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
    MaskArray,
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
        parse_xml(path, collected.start, code="NET_XML")
        try:
            return _assemble(collected, path)
        except (KeyError, ValueError, IndexError, OverflowError) as fault:
            if isinstance(fault, InputError):
                raise
            raise _broken(path, f"an element lacks or garbles an attribute ({fault})") from fault


@contextmanager
def _no_cyclic_collection() -> Iterator[None]:
    """Keep the collector from walking millions of fresh dictionaries that hold no cycles (a third of the time)."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


class _Collected:
    """Elements of a network file by kind, in file order; each parent knows how many children stood before it."""

    def __init__(self) -> None:
        self.root = ""
        self.location: Attributes = {}
        self.edges: list[Attributes] = []
        self.lanes: list[Attributes] = []
        self.lanes_before_edge: list[int] = []
        self.junctions: list[Attributes] = []
        self.requests: list[Attributes] = []
        self.requests_before_junction: list[int] = []
        self.connections: list[Attributes] = []
        self.programs: list[Attributes] = []
        self.phases: list[list[Attributes]] = []
        self._keep: dict[str, Callable[[Attributes], None]] = {
            "connection": self.connections.append,
            "lane": self.lanes.append,
            "edge": self._edge,
            "request": self.requests.append,
            "junction": self._junction,
            "phase": self._phase,
            "tlLogic": self._program,
            "location": self._location,
        }

    def start(self, tag: str, attributes: Attributes) -> None:
        """Expat's handler: keep what matters, compute nothing."""
        keep = self._keep.get(tag)
        if keep is not None:
            keep(attributes)
        elif not self.root:
            self.root = tag
        elif tag == "include":
            raise ValueError("it asks for another file by <include>, which is not followed")

    def _edge(self, attributes: Attributes) -> None:
        self.lanes_before_edge.append(len(self.lanes))
        self.edges.append(attributes)

    def _junction(self, attributes: Attributes) -> None:
        self.requests_before_junction.append(len(self.requests))
        self.junctions.append(attributes)

    def _program(self, attributes: Attributes) -> None:
        self.programs.append(attributes)
        self.phases.append([])

    def _phase(self, attributes: Attributes) -> None:
        self.phases[-1].append(attributes)

    def _location(self, attributes: Attributes) -> None:
        self.location = attributes


def _assemble(collected: _Collected, path: str | Path) -> RoadNetwork:
    if collected.root != "net":
        raise _broken(path, f"the root element is <{collected.root}>, not <net>")
    if not collected.edges or not collected.lanes:
        raise _broken(path, "there is no edge in it")
    junction_index = {row["id"]: number for number, row in enumerate(collected.junctions)}
    edge_index = {row["id"]: number for number, row in enumerate(collected.edges)}
    edges = _edges(collected, junction_index)
    lanes = _lanes(collected, edges)
    lane_index = dict(zip(lanes.ids, range(len(lanes.ids)), strict=True))
    signal_index = {name: number for number, name in enumerate(dict.fromkeys(row["id"] for row in collected.programs))}
    connections = _connections(collected, edges, edge_index, lane_index, signal_index)
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
    kind = np.array([_KINDS[row.get("function", "normal")] for row in rows], dtype=np.int32)
    begins = [junction_index.get(row.get("from", ""), NONE) for row in rows]
    ends = [junction_index.get(row.get("to", ""), NONE) for row in rows]
    for number in np.flatnonzero(kind != EdgeKind.NORMAL).tolist():
        inside = junction_index.get(rows[number]["id"][1:].rpartition("_")[0], NONE)
        begins[number] = ends[number] = inside
    lane_start = np.array([*collected.lanes_before_edge, len(collected.lanes)], dtype=np.int32)
    if (empty := np.flatnonzero(np.diff(lane_start) == 0)).size:
        raise ValueError(f"edge {rows[int(empty[0])]['id']!r} has no lane")
    return Edges(
        ids=tuple(row["id"] for row in rows),
        kind=kind,
        from_junction=np.array(begins, dtype=np.int32),
        to_junction=np.array(ends, dtype=np.int32),
        priority=np.array([int(row.get("priority", NONE)) for row in rows], dtype=np.int32),
        lane_start=lane_start,
        type_ids=tuple(row.get("type", "") for row in rows),
        names=tuple(row.get("name", "") for row in rows),
    )


def _starts(counts: npt.NDArray[np.intp]) -> IntArray:
    """Compressed-row starts from counts: n counts to n + 1 positions."""
    starts = np.zeros(len(counts) + 1, dtype=np.int32)
    np.cumsum(counts, out=starts[1:])
    return starts


def _lanes(collected: _Collected, edges: Edges) -> Lanes:
    rows = collected.lanes
    shapes = [row["shape"] for row in rows]
    points = np.array([shape.count(" ") + 1 for shape in shapes])
    return Lanes(
        ids=tuple(row["id"] for row in rows),
        edge=np.repeat(np.arange(len(edges), dtype=np.int32), np.diff(edges.lane_start)),
        length_m=np.array([float(row["length"]) for row in rows]),
        speed_mps=np.array([float(row["speed"]) for row in rows]),
        width_m=np.array([float(row.get("width", DEFAULT_LANE_WIDTH_M)) for row in rows]),
        permissions=_permissions(rows),
        shape_start=_starts(points),
        shape_m=_points(shapes, int(points.sum())),
    )


def _points(shapes: list[str], count: int) -> FloatArray:
    """All shape points as (count, 2) from ``x,y x,y`` texts; a third coordinate (height) is dropped."""
    numbers = np.fromstring(" ".join(shapes).replace(",", " "), dtype=np.float64, sep=" ")
    if len(numbers) == 2 * count:
        return numbers.reshape(count, 2)
    points = [point.split(",")[:2] for shape in shapes for point in shape.split()]
    return np.array(points, dtype=np.float64)


def _permissions(rows: list[Attributes]) -> MaskArray:
    """Masks of admitted vehicle classes; the few distinct texts are decoded once each."""
    known: dict[tuple[str | None, str | None], np.uint64] = {}
    masks = np.empty(len(rows), dtype=np.uint64)
    for number, row in enumerate(rows):
        key = row.get("allow"), row.get("disallow")
        mask = known.get(key)
        if mask is None:
            mask = known[key] = _mask(*key)
        masks[number] = mask
    return masks


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
    requests = [(row["response"], row["foes"]) for row in collected.requests]
    first = [*collected.requests_before_junction, len(requests)]
    return Junctions(
        ids=tuple(row["id"] for row in rows),
        kind=tuple(row.get("type", "unknown") for row in rows),
        x_m=np.array([float(row["x"]) for row in rows]),
        y_m=np.array([float(row["y"]) for row in rows]),
        internal_lanes=tuple(
            tuple(lane_index[name] for name in row.get("intLanes", "").split() if name in lane_index) for row in rows
        ),
        requests=tuple(tuple(requests[begin:end]) for begin, end in pairwise(first)),
    )


def _connections(
    collected: _Collected,
    edges: Edges,
    edge_index: dict[str, int],
    lane_index: dict[str, int],
    signal_index: dict[str, int],
) -> Connections:
    rows = collected.connections
    starts = edges.lane_start
    from_edge = np.array([edge_index[row["from"]] for row in rows], dtype=np.int32)
    to_edge = np.array([edge_index[row["to"]] for row in rows], dtype=np.int32)
    signal = np.array(
        [signal_index[row["tl"]] if row.get("tl") in signal_index else NONE for row in rows], dtype=np.int32
    )
    link = np.array([int(row.get("linkIndex", NONE)) for row in rows], dtype=np.int32)
    return Connections(
        from_lane=_lane_rows(starts, from_edge, rows, "fromLane"),
        to_lane=_lane_rows(starts, to_edge, rows, "toLane"),
        via_lane=np.array([lane_index.get(row.get("via", ""), NONE) for row in rows], dtype=np.int32),
        signal=signal,
        link=np.where(signal == NONE, NONE, link).astype(np.int32),
        direction=tuple(row.get("dir", "s") for row in rows),
        state=tuple(row.get("state", "M") for row in rows),
    )


def _lane_rows(starts: IntArray, edge: IntArray, rows: list[Attributes], key: str) -> IntArray:
    """Rows of the lanes that an attribute numbers from the right of each edge."""
    lane = starts[edge] + np.array([int(row[key]) for row in rows], dtype=np.int32)
    if (wrong := np.flatnonzero((lane < starts[edge]) | (lane >= starts[edge + 1]))).size:
        raise ValueError(f"connection {rows[int(wrong[0])]} names a lane that its edge does not have")
    return lane


def _signals(
    collected: _Collected, signal_index: dict[str, int], connections: Connections, path: str | Path
) -> tuple[Signal, ...]:
    programs: list[list[Program]] = [[] for _ in signal_index]
    for row, phases in zip(collected.programs, collected.phases, strict=True):
        programs[signal_index[row["id"]]].append(_program(row, phases))
    links: list[dict[int, list[int]]] = [{} for _ in signal_index]
    for number in np.flatnonzero(connections.signal != NONE).tolist():
        links[connections.signal[number]].setdefault(int(connections.link[number]), []).append(number)
    signals = []
    for name, number in signal_index.items():
        width = _state_width(name, programs[number], max(links[number], default=NONE) + 1, path)
        bits = tuple(tuple(links[number].get(bit, ())) for bit in range(width))
        signals.append(Signal(name, tuple(programs[number]), bits))
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
