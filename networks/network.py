"""The road: a frozen street network as arrays and ids, in SUMO's words and SI units."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cached_property

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int32]
FloatArray = npt.NDArray[np.float64]
MaskArray = npt.NDArray[np.uint64]

NONE = -1
"""Index that stands for "no such thing" in every integer column."""

VEHICLE_CLASSES = (
    "private emergency authority army vip pedestrian passenger hov taxi bus coach delivery truck trailer motorcycle "
    "moped bicycle evehicle tram rail_urban rail rail_electric rail_fast ship container cable_car subway aircraft "
    "wheelchair scooter drone custom1 custom2"
).split()
"""SUMO's vehicle classes; the position of a class is its bit in a permission mask."""

CLASS_BIT = {name: np.uint64(1 << position) for position, name in enumerate(VEHICLE_CLASSES)}
ALL_CLASSES = np.uint64((1 << len(VEHICLE_CLASSES)) - 1)


class EdgeKind(IntEnum):
    """What an edge is for (``function`` in SUMO)."""

    NORMAL = 0
    INTERNAL = 1
    CROSSING = 2
    WALKINGAREA = 3
    CONNECTOR = 4


@dataclass(frozen=True, slots=True)
class Location:
    """Where the network lies: ``x = projected_x + offset_x`` in metres, and the projection as a PROJ text.

    ``projection`` is ``"!"`` where the network has no geography.
    """

    offset_x_m: float
    offset_y_m: float
    projection: str
    bounds_m: tuple[float, float, float, float]

    @property
    def is_geographic(self) -> bool:
        """Whether coordinates can be turned into longitude and latitude."""
        return self.projection not in {"", "!", "-"}


@dataclass(frozen=True, slots=True, eq=False)
class Edges:
    """One row an edge, internal ones included. Lanes of edge ``e`` are ``lane_start[e]:lane_start[e + 1]``."""

    ids: tuple[str, ...]
    kind: IntArray
    from_junction: IntArray
    to_junction: IntArray
    priority: IntArray
    lane_start: IntArray
    type_ids: tuple[str, ...]
    names: tuple[str, ...]

    def __len__(self) -> int:
        """Count of edges."""
        return len(self.ids)


@dataclass(frozen=True, slots=True, eq=False)
class Lanes:
    """One row a lane. Points of lane ``i`` are ``shape_m[shape_start[i]:shape_start[i + 1]]`` (x, y)."""

    ids: tuple[str, ...]
    edge: IntArray
    length_m: FloatArray
    speed_mps: FloatArray
    width_m: FloatArray
    permissions: MaskArray
    shape_start: IntArray
    shape_m: FloatArray

    def __len__(self) -> int:
        """Count of lanes."""
        return len(self.ids)


@dataclass(frozen=True, slots=True, eq=False)
class Junctions:
    """One row a junction. ``requests[j]`` holds, a row a link of the junction, its response and foes texts.

    Those are SUMO's right-of-way matrices; bit ``k`` stands at position ``-1 - k``. ``internal_lanes[j][i]`` is the
    last internal lane of link ``i``.
    """

    ids: tuple[str, ...]
    kind: tuple[str, ...]
    x_m: FloatArray
    y_m: FloatArray
    internal_lanes: tuple[tuple[int, ...], ...]
    requests: tuple[tuple[tuple[str, str], ...], ...]

    def __len__(self) -> int:
        """Count of junctions."""
        return len(self.ids)


@dataclass(frozen=True, slots=True, eq=False)
class Connections:
    """One row a connection: lane to lane, through ``via_lane`` inside the junction (NONE without internal lanes).

    ``signal`` and ``link`` tell which light shows which bit of its state to it (NONE where it has none).
    """

    from_lane: IntArray
    to_lane: IntArray
    via_lane: IntArray
    signal: IntArray
    link: IntArray
    direction: tuple[str, ...]
    state: tuple[str, ...]

    def __len__(self) -> int:
        """Count of connections."""
        return len(self.from_lane)


@dataclass(frozen=True, slots=True)
class Phase:
    """A phase as shipped: how long (s), what each link sees, the bounds of an actuated one, where it goes next."""

    duration_s: float
    state: str
    min_s: float | None = None
    max_s: float | None = None
    next_phases: tuple[int, ...] = ()
    name: str = ""


@dataclass(frozen=True, slots=True)
class Program:
    """A shipped signal program (SUMO's ``tlLogic``)."""

    program_id: str
    kind: str
    offset_s: float
    phases: tuple[Phase, ...]


@dataclass(frozen=True, slots=True)
class Signal:
    """A traffic light as shipped: its programs, and for each bit of its state the connections that see it."""

    signal_id: str
    programs: tuple[Program, ...]
    links: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, eq=False)
class RoadNetwork:
    """A street network as SUMO drives it. Build one with :func:`networks.netxml.read_network`."""

    location: Location
    edges: Edges
    lanes: Lanes
    junctions: Junctions
    connections: Connections
    signals: tuple[Signal, ...]
    edge_index: dict[str, int] = field(repr=False)
    junction_index: dict[str, int] = field(repr=False)
    signal_index: dict[str, int] = field(repr=False)

    @cached_property
    def lane_index(self) -> dict[str, int]:
        """Lane id to row."""
        return {lane_id: row for row, lane_id in enumerate(self.lanes.ids)}

    @cached_property
    def edge_length_m(self) -> FloatArray:
        """Length of each edge, shape (edges,): that of its first lane."""
        return self.lanes.length_m[self.edges.lane_start[:-1]]

    @cached_property
    def edge_speed_mps(self) -> FloatArray:
        """Fastest lane of each edge, shape (edges,)."""
        return np.maximum.reduceat(self.lanes.speed_mps, self.edges.lane_start[:-1])

    @cached_property
    def edge_permissions(self) -> MaskArray:
        """Vehicle classes that some lane of the edge admits, shape (edges,)."""
        return np.bitwise_or.reduceat(self.lanes.permissions, self.edges.lane_start[:-1])

    def edges_for(self, vehicle_class: str) -> npt.NDArray[np.bool_]:
        """Mask of the normal edges that a vehicle class may use, shape (edges,)."""
        allowed = np.bitwise_and(self.edge_permissions, CLASS_BIT[vehicle_class]) != 0
        wanted: npt.NDArray[np.bool_] = np.logical_and(allowed, self.edges.kind == EdgeKind.NORMAL)
        return wanted

    def lanes_of(self, edge: int) -> range:
        """Rows of the lanes of an edge, rightmost first."""
        return range(int(self.edges.lane_start[edge]), int(self.edges.lane_start[edge + 1]))

    def lane_shape_m(self, lane: int) -> FloatArray:
        """Centre line of a lane, shape (points, 2)."""
        return self.lanes.shape_m[self.lanes.shape_start[lane] : self.lanes.shape_start[lane + 1]]

    def edge_shape_m(self, edge: int) -> FloatArray:
        """Centre line of an edge's middle lane, shape (points, 2)."""
        lanes = self.lanes_of(edge)
        return self.lane_shape_m(lanes[len(lanes) // 2])

    def incoming_edges(self, junction: int) -> IntArray:
        """Normal edges that end at a junction."""
        return self._edges_at_end.get(junction, _NO_EDGES)

    def outgoing_edges(self, junction: int) -> IntArray:
        """Normal edges that begin at a junction."""
        return self._edges_at_start.get(junction, _NO_EDGES)

    def connections_from(self, edge: int) -> range:
        """Rows of the connections that leave the lanes of an edge, in :attr:`connection_order`."""
        return range(int(self._connection_start[edge]), int(self._connection_start[edge + 1]))

    @cached_property
    def connection_order(self) -> IntArray:
        """Connections sorted by the edge they leave; :meth:`connections_from` gives positions in it."""
        return np.argsort(self.connection_from_edge, kind="stable").astype(np.int32)

    @cached_property
    def connection_from_edge(self) -> IntArray:
        """Edge that each connection leaves, shape (connections,)."""
        return self.lanes.edge[self.connections.from_lane]

    @cached_property
    def connection_to_edge(self) -> IntArray:
        """Edge that each connection enters, shape (connections,)."""
        return self.lanes.edge[self.connections.to_lane]

    @cached_property
    def signal_of_junction(self) -> dict[int, int]:
        """Signal that controls a junction's links, by junction row (the lowest row where several do)."""
        controlled = np.flatnonzero(self.connections.signal != NONE)
        junctions = self.edges.to_junction[self.connection_from_edge[controlled]]
        pairs = sorted(zip(junctions.tolist(), self.connections.signal[controlled].tolist(), strict=True), reverse=True)
        return {junction: signal for junction, signal in pairs if junction != NONE}

    def junctions_of_signal(self, signal: int) -> tuple[int, ...]:
        """Junctions whose links a signal controls, ascending."""
        rows = [connection for link in self.signals[signal].links for connection in link]
        junctions = self.edges.to_junction[self.connection_from_edge[rows]] if rows else _NO_EDGES
        return tuple(sorted({int(junction) for junction in junctions if junction != NONE}))

    def street_names(self, junction: int) -> tuple[str, ...]:
        """Names of the streets that meet at a junction, sorted, each once."""
        rows = [*self.incoming_edges(junction).tolist(), *self.outgoing_edges(junction).tolist()]
        return tuple(sorted({self.edges.names[row] for row in rows} - {""}))

    @cached_property
    def _connection_start(self) -> IntArray:
        counts = np.bincount(self.connection_from_edge, minlength=len(self.edges))
        return np.concatenate(([0], np.cumsum(counts))).astype(np.int32)

    @cached_property
    def _edges_at_end(self) -> dict[int, IntArray]:
        return dict(_group(self.edges.to_junction, self.edges.kind == EdgeKind.NORMAL))

    @cached_property
    def _edges_at_start(self) -> dict[int, IntArray]:
        return dict(_group(self.edges.from_junction, self.edges.kind == EdgeKind.NORMAL))


_NO_EDGES: IntArray = np.empty(0, dtype=np.int32)


def _group(keys: IntArray, wanted: npt.NDArray[np.bool_]) -> Iterator[tuple[int, IntArray]]:
    """Rows by key, ascending, of the rows that are wanted and have a key."""
    rows = np.flatnonzero(wanted & (keys != NONE)).astype(np.int32)
    rows = rows[np.argsort(keys[rows], kind="stable")]
    values, first = np.unique(keys[rows], return_index=True)
    yield from zip(values.tolist(), np.split(rows, first[1:]), strict=True) if len(values) else ()
