"""Where ways through junctions cross and merge: once for a network, from its lanes as they are drawn.

Two vehicles touch where their centre lines come nearer than half the sum of their widths. So each pair of ways has an
area for each such *reach*; what lies between two tabled reaches is interpolated. Only foes of the request matrix count:
SUMO's vehicles look out for these alone, and opposite left turns are drawn over each other.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from networks.network import NONE, EdgeKind, FloatArray, RoadNetwork
from signals.movement import inner_lanes
from sim.conflict_kernels import Areas
from sim.track_kernels import WayTables

REACHES_M = (0.5, 1.0, 1.5, 1.8, 2.2, 2.6)
"""Half sums of widths: two people, a bicycle and a car, two cars, two lorries."""

SAMPLE_M = 0.5
"""So far apart lie the points of a way whose distance is measured; between them it is interpolated."""


@dataclass(frozen=True, slots=True, eq=False)
class Way:
    """A way through a junction, or over a crossing: ``lanes`` inside it, and its line, shape (points, 2), in metres.

    ``from_lane`` and ``to_lane`` are NONE for a crossing. ``request`` is its row in the junction's request matrix.
    """

    junction: int
    lanes: tuple[int, ...]
    from_lane: int
    to_lane: int
    request: int
    line_m: FloatArray
    length_m: float


@dataclass(frozen=True, slots=True, eq=False)
class ConflictMap:
    """A network for the kernels. ``ways`` by number; ``place_m`` is the middle of each area, shape (areas, 2)."""

    ways: tuple[Way, ...]
    tables: WayTables
    areas: Areas
    place_m: FloatArray


def conflict_map(network: RoadNetwork, junctions: Collection[int] | None = None) -> ConflictMap:
    """All ways of a network, and the conflict areas at some junctions (rows), or at all."""
    ways = tuple(_ways(network))
    at: dict[int, list[int]] = {}
    for number, way in enumerate(ways):
        at.setdefault(way.junction, []).append(number)
    found = [
        area
        for junction, numbers in at.items()
        if junctions is None or junction in junctions
        for one, other in combinations(numbers, 2)
        if _are_foes(network, ways[one], ways[other])
        for area in _areas(ways, one, other)
    ]
    return ConflictMap(ways, _way_tables(network, ways), _area_tables(found, len(ways)), _places(found))


@dataclass(frozen=True, slots=True, eq=False)
class _Area:
    one: int
    other: int
    merges: bool
    span_m: FloatArray
    cosine: float
    place_m: FloatArray


def _ways(network: RoadNetwork) -> Iterator[Way]:
    """Ways of vehicles in the order of connections, then crossings, each in both directions."""
    table, kind = network.connections, network.edges.kind
    requests = _request_rows(network)
    normal = (kind[network.connection_from_edge] == EdgeKind.NORMAL) & (table.via_lane != NONE)
    for row in np.flatnonzero(normal & (kind[network.connection_to_edge] == EdgeKind.NORMAL)).tolist():
        lanes = tuple(inner_lanes(network, row))
        junction, request = requests.get(lanes[-1], (NONE, NONE))
        if junction != NONE:
            ends = int(table.from_lane[row]), int(table.to_lane[row])
            yield _way(network, junction, lanes, ends, request, _line(network, lanes))
    for lane in np.flatnonzero(kind[network.lanes.edge] == EdgeKind.CROSSING).tolist():
        junction, request = requests.get(lane, (NONE, NONE))
        if junction != NONE:
            line = _line(network, (lane,))
            yield _way(network, junction, (lane,), (NONE, NONE), request, line)
            yield _way(network, junction, (lane,), (NONE, NONE), request, line[::-1])


def _way(
    network: RoadNetwork, junction: int, lanes: tuple[int, ...], ends: tuple[int, int], request: int, line: FloatArray
) -> Way:
    return Way(junction, lanes, *ends, request, line, float(sum(network.lanes.length_m[lane] for lane in lanes)))


def _request_rows(network: RoadNetwork) -> dict[int, tuple[int, int]]:
    """Junction and request row of each lane inside that ends a way, or is a crossing."""
    return {
        lane: (junction, row)
        for junction, lanes in enumerate(network.junctions.internal_lanes)
        for row, lane in enumerate(lanes)
        if row < len(network.junctions.requests[junction])
    }


def _line(network: RoadNetwork, lanes: Sequence[int]) -> FloatArray:
    """Centre line of lanes in turn, no point twice in a row."""
    points = np.concatenate([network.lane_shape_m(lane) for lane in lanes])
    moved = np.any(np.diff(points, axis=0) != 0, axis=1)
    return points[np.concatenate(([True], moved))]


def _are_foes(network: RoadNetwork, one: Way, other: Way) -> bool:
    """Whether one must know of the other: not from one lane, nor side by side from one street into another."""
    if one.request == other.request or (one.from_lane == other.from_lane != NONE):
        return False
    requests = network.junctions.requests[one.junction]
    if not (_bit(requests[one.request][1], other.request) or _bit(requests[other.request][1], one.request)):
        return False
    if NONE in (one.from_lane, other.from_lane) or one.to_lane == other.to_lane:
        return True
    edge = network.lanes.edge
    return bool(edge[one.from_lane] != edge[other.from_lane] or edge[one.to_lane] != edge[other.to_lane])


def _bit(text: str, place: int) -> bool:
    return place < len(text) and text[-1 - place] == "1"


def _areas(ways: Sequence[Way], one: int, other: int) -> Iterator[_Area]:
    """The area of two ways from either side; none where they do not come near each other."""
    first, second = ways[one], ways[other]
    near, far = _distances(first, second), _distances(second, first)
    spans = [(*_contact(near, reach, first), *_contact(far, reach, second)) for reach in REACHES_M]
    span_m = np.array(spans, dtype=np.float64)
    if np.isnan(span_m[-1, 0]) or np.isnan(span_m[-1, 2]):
        return
    span_m[np.isnan(span_m).any(axis=1)] = np.nan
    merges = first.to_lane == second.to_lane != NONE
    known = span_m[~np.isnan(span_m[:, 0])][0]
    cosine = float(_heading(first, known[0]) @ _heading(second, known[2]))
    at_m = known[0] if merges else (known[0] + known[1]) / 2
    yield _Area(one, other, merges, span_m, cosine, _point(first, at_m))


def _stations(way: Way) -> FloatArray:
    """Way up to each corner of a line (m), as the network counts it, shape (points,)."""
    steps = np.hypot(*np.diff(way.line_m, axis=0).T)
    drawn = np.concatenate(([0.0], np.cumsum(steps)))
    return drawn * (way.length_m / drawn[-1]) if drawn[-1] > 0 else drawn


def _distances(way: Way, foe: Way) -> tuple[FloatArray, FloatArray]:
    """Points along a way (m), and how far each lies from another's line (m)."""
    stations = _stations(way)
    count = max(2, int(np.ceil(way.length_m / SAMPLE_M)) + 1)
    at_m = np.union1d(np.linspace(0.0, stations[-1], count), stations)
    points = np.column_stack([np.interp(at_m, stations, way.line_m[:, axis]) for axis in range(2)])
    begins, steps = foe.line_m[:-1], np.diff(foe.line_m, axis=0)
    offsets = points[:, None, :] - begins[None]
    squares = np.maximum((steps**2).sum(axis=1), 1e-12)
    share = np.clip((offsets * steps[None]).sum(axis=2) / squares, 0.0, 1.0)
    apart = np.hypot(*np.moveaxis(offsets - share[..., None] * steps[None], 2, 0))
    return at_m, apart.min(axis=1)


def _contact(measured: tuple[FloatArray, FloatArray], reach_m: float, way: Way) -> tuple[float, float]:
    """First and last place on a way that another's line comes so near to; not a number without any."""
    at_m, apart_m = measured
    inside = np.flatnonzero(apart_m < reach_m)
    if not len(inside):
        return np.nan, np.nan
    first, last = int(inside[0]), int(inside[-1])
    begin_m = _between(at_m, apart_m, first, first - 1, reach_m) if first > 0 else 0.0
    end_m = _between(at_m, apart_m, last, last + 1, reach_m) if last + 1 < len(at_m) else way.length_m
    return begin_m, end_m


def _between(at_m: FloatArray, apart_m: FloatArray, inside: int, outside: int, reach_m: float) -> float:
    share = (reach_m - apart_m[inside]) / (apart_m[outside] - apart_m[inside])
    return float(at_m[inside] + share * (at_m[outside] - at_m[inside]))


def _heading(way: Way, at_m: float) -> FloatArray:
    """Direction of a way at a place, of length one."""
    stations = _stations(way)
    piece = int(np.clip(np.searchsorted(stations, at_m, side="right") - 1, 0, len(stations) - 2))
    step = way.line_m[piece + 1] - way.line_m[piece]
    return np.asarray(step / np.hypot(*step))


def _point(way: Way, at_m: float) -> FloatArray:
    stations = _stations(way)
    return np.array([np.interp(at_m, stations, way.line_m[:, axis]) for axis in range(2)])


def _way_tables(network: RoadNetwork, ways: Sequence[Way]) -> WayTables:
    lanes = network.lanes
    lane_way, lane_at_m = np.full(len(lanes), NONE, dtype=np.int64), np.zeros(len(lanes))
    for number, way in reversed(list(enumerate(ways))):
        at_m = 0.0
        for lane in way.lanes:
            lane_way[lane], lane_at_m[lane] = number, at_m
            at_m += float(lanes.length_m[lane])
    ends = np.array([(way.from_lane, way.to_lane) for way in ways], dtype=np.int64).reshape(-1, 2)
    edges = np.where(ends == NONE, NONE, lanes.edge[ends]).astype(np.int64)
    order = np.flatnonzero(edges[:, 0] != NONE)
    order = order[np.argsort(edges[order, 0], kind="stable")]
    counts = np.bincount(edges[order, 0], minlength=len(network.edges))
    walked = (EdgeKind.CROSSING, EdgeKind.WALKINGAREA)
    return WayTables(
        lane_edge=lanes.edge.astype(np.int64),
        lane_m=lanes.length_m,
        lane_way=lane_way,
        lane_at_m=lane_at_m,
        lane_walk=np.isin(network.edges.kind[lanes.edge], walked),
        edge_m=network.edge_length_m,
        way_from=edges[:, 0].copy(),
        way_to=edges[:, 1].copy(),
        way_lanes=ends,
        way_m=np.array([way.length_m for way in ways], dtype=np.float64),
        edge_start=np.concatenate(([0], np.cumsum(counts))).astype(np.int64),
        edge_way=order.astype(np.int64),
    )


def _area_tables(found: Sequence[_Area], ways: int) -> Areas:
    pairs = np.array([(area.one, area.other) for area in found], dtype=np.int64).reshape(-1, 2)
    starts = np.concatenate(([0], np.cumsum(np.bincount(pairs[:, 0], minlength=ways)))).astype(np.int64)
    return Areas(
        way=pairs,
        span_m=np.array([area.span_m for area in found], dtype=np.float64).reshape(-1, len(REACHES_M), 4),
        reach_m=np.array(REACHES_M),
        merges=np.array([area.merges for area in found], dtype=np.bool_),
        cosine=np.array([area.cosine for area in found], dtype=np.float64),
        way_start=starts,
        way_area=np.argsort(pairs[:, 0], kind="stable").astype(np.int64),
    )


def _places(found: Sequence[_Area]) -> FloatArray:
    return np.array([area.place_m for area in found], dtype=np.float64).reshape(-1, 2)
