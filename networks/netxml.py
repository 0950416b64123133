"""SUMO's network file (``.net.xml``, ``.net.xml.gz``) into a RoadNetwork.

Expat checks the text and hands over one dictionary an element. That is taken apart at once, while it is in the
processor's cache, into one list a column; columns become arrays afterwards. So the time stays near the bare parser's.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from networks.faults import InputError
from networks.intake import Attributes, parse_xml
from networks.netcolumns import ConnectionColumns, LaneColumns, NetworkColumns
from networks.network import (
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


def read_network(path: str | Path) -> RoadNetwork:
    """Read a SUMO network.

    Raises
    ------
    InputError
        FILE_MISSING, ZIP_CORRUPT, XML_DTD_REFUSED; NET_XML where the text is no network (with the line), TLS_STATE
        where a signal's states do not cover its links.
    """
    collected = NetworkColumns()
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


def _assemble(collected: NetworkColumns, path: str | Path) -> RoadNetwork:
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


def _edges(collected: NetworkColumns, junction_index: dict[str, int]) -> Edges:
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


def _lanes(rows: LaneColumns, edges: Edges) -> Lanes:
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
    if len(points) != count:
        raise ValueError("a lane has no shape")
    return np.array(points, dtype=np.float64)


def _junctions(collected: NetworkColumns, lane_index: dict[str, int]) -> Junctions:
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
    rows: ConnectionColumns,
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
    collected: NetworkColumns, signal_index: dict[str, int], connections: Connections, path: str | Path
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
