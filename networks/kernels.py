"""Matching kernels: arrays in, arrays out, compiled by numba.

A *node* of the graph is an edge of the network that a vehicle class may use, an *arc* a turn from one into another.
"""

from heapq import heappop, heappush
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int32]

NONE = -1
SKIPPED = -2
"""A point without a place on the path, in the back pointers of :func:`match_points`."""


class TurnGraph(NamedTuple):
    """Compressed rows: turns of node ``n`` are ``turn_start[n]:turn_start[n + 1]``.

    ``length_m`` of each node, shape (nodes,); ``turn_to`` node and ``turn_m`` way across the junction of each turn.
    """

    length_m: FloatArray
    turn_start: IntArray
    turn_to: IntArray
    turn_m: FloatArray


class MatchLaw(NamedTuple):
    """Parameters of :func:`match_points`, all in metres but for ``stretch`` and ``skips``.

    ``beta_m`` is the scale of the transition's exponential. A way from point to point may be ``stretch`` times the
    straight one and ``slack_m`` longer; a detour around a hole ``detour_m`` longer. ``slip_m`` is how far noise may set
    a point back on its edge. Up to ``skips`` points may be left out where no way leads on.
    """

    beta_m: float
    stretch: float
    slack_m: float
    detour_m: float
    slip_m: float
    skips: int


class _Search(NamedTuple):
    """Workspace of a bounded search: way to each node's begin and the node before it; ``touched`` lists who has one.

    ``touched[0]`` is how many do.
    """

    way_m: FloatArray
    before: IntArray
    touched: IntArray


class _Lattice(NamedTuple):
    """What is to be matched: candidates by point, and the way along the line up to each point."""

    node: IntArray
    place_m: FloatArray
    cost: FloatArray
    line_m: FloatArray


class _Marks(NamedTuple):
    """What the search for the best sequence knows: cost and candidate before by candidate, point before by point."""

    score: FloatArray
    before: IntArray
    behind: IntArray


@njit(cache=True, nogil=True)
def segment_cells(
    segment_m: FloatArray, corner_m: FloatArray, cell_m: float, columns: int, rows: int
) -> tuple[IntArray, IntArray]:
    """Sort segments into the square cells that their boxes touch.

    Parameters
    ----------
    segment_m
        Both ends of each, shape (segments, 4 or more): x, y, x, y in metres.
    corner_m
        Lower left corner of the grid, shape (2,).
    columns, rows
        Cells in x and in y; all segments lie inside.

    Returns
    -------
    Compressed rows: the segments of cell ``y * columns + x``.
    """
    start = np.zeros(columns * rows + 1, np.int32)
    for row in range(len(segment_m)):
        left, low, right, high = _cell_box(segment_m[row], corner_m, cell_m)
        for y in range(low, high + 1):
            for x in range(left, right + 1):
                start[y * columns + x + 1] += 1
    start = np.cumsum(start).astype(np.int32)
    free = start.copy()
    members = np.empty(start[-1], np.int32)
    for row in range(len(segment_m)):
        left, low, right, high = _cell_box(segment_m[row], corner_m, cell_m)
        for y in range(low, high + 1):
            for x in range(left, right + 1):
                members[free[y * columns + x]] = row
                free[y * columns + x] += 1
    return start, members


@njit(cache=True, nogil=True)
def _cell_box(segment_m: FloatArray, corner_m: FloatArray, cell_m: float) -> tuple[int, int, int, int]:
    """Cells that a segment's box touches: first column, first row, last column, last row."""
    left, right = min(segment_m[0], segment_m[2]), max(segment_m[0], segment_m[2])
    low, high = min(segment_m[1], segment_m[3]), max(segment_m[1], segment_m[3])
    return (
        int((left - corner_m[0]) // cell_m),
        int((low - corner_m[1]) // cell_m),
        int((right - corner_m[0]) // cell_m),
        int((high - corner_m[1]) // cell_m),
    )


class Grid(NamedTuple):
    """Segments by cell as :func:`segment_cells` sorts them. ``shape`` holds columns and rows."""

    corner_m: FloatArray
    cell_m: float
    shape: IntArray
    start: IntArray
    members: IntArray


@njit(cache=True, nogil=True)
def nearby_edges(
    points_m: FloatArray, segment_m: FloatArray, segment_edge: IntArray, grid: Grid, radius_m: float, most: int
) -> tuple[IntArray, FloatArray, FloatArray]:
    """Nearest edges of each point, a place on each.

    Parameters
    ----------
    points_m
        Shape (points, 2).
    segment_m
        Segments of all edges, shape (segments, 5): x, y, x, y, and how far from the edge's begin it begins.
    segment_edge
        Edge of each segment, shape (segments,).
    most
        How many edges a point gets at most.

    Returns
    -------
    Segment (NONE beyond the last one), place from its edge's begin and distance (infinity beyond), shape
    (points, most); no two segments of a point belong to one edge.
    """
    segment = np.full((len(points_m), most), NONE, np.int32)
    place_m = np.zeros((len(points_m), most))
    distance_m = np.full((len(points_m), most), np.inf)
    columns, rows = grid.shape[0], grid.shape[1]
    for point in range(len(points_m)):
        x, y = points_m[point, 0], points_m[point, 1]
        if not (np.isfinite(x) and np.isfinite(y)):
            continue
        left = max(0, int((x - radius_m - grid.corner_m[0]) // grid.cell_m))
        right = min(columns - 1, int((x + radius_m - grid.corner_m[0]) // grid.cell_m))
        low = max(0, int((y - radius_m - grid.corner_m[1]) // grid.cell_m))
        high = min(rows - 1, int((y + radius_m - grid.corner_m[1]) // grid.cell_m))
        for row in range(low, high + 1):
            for column in range(left, right + 1):
                cell = row * columns + column
                for member in grid.members[grid.start[cell] : grid.start[cell + 1]]:
                    at_m, off_m = _project(x, y, segment_m[member])
                    if off_m <= radius_m:
                        slot = _slot(segment[point], distance_m[point], segment_edge, member)
                        if off_m < distance_m[point, slot]:
                            segment[point, slot], place_m[point, slot] = member, at_m
                            distance_m[point, slot] = off_m
    return segment, place_m, distance_m


@njit(cache=True, nogil=True)
def _project(x: float, y: float, segment_m: FloatArray) -> tuple[float, float]:
    """Place of a point on a segment's edge, from the edge's begin, and its distance from the segment."""
    dx, dy = segment_m[2] - segment_m[0], segment_m[3] - segment_m[1]
    length2 = dx * dx + dy * dy
    share = 0.0
    if length2 > 0:
        share = min(1.0, max(0.0, ((x - segment_m[0]) * dx + (y - segment_m[1]) * dy) / length2))
    off_m = np.hypot(x - segment_m[0] - share * dx, y - segment_m[1] - share * dy)
    return segment_m[4] + share * np.sqrt(length2), off_m


@njit(cache=True, nogil=True)
def _slot(segment: IntArray, distance_m: FloatArray, segment_edge: IntArray, member: int) -> int:
    """Where a segment may stand in a point's list: in the place of one of the same edge, else in that of the worst."""
    worst = 0
    for slot in range(len(segment)):
        if segment[slot] != NONE and segment_edge[segment[slot]] == segment_edge[member]:
            return slot
        if distance_m[slot] > distance_m[worst]:
            worst = slot
    return worst


@njit(cache=True, nogil=True)
def match_points(
    node: IntArray, place_m: FloatArray, cost: FloatArray, line_m: FloatArray, graph: TurnGraph, law: MatchLaw
) -> tuple[IntArray, IntArray]:
    """Most likely places of a line of points on a graph (Viterbi; Newson & Krumm 2009).

    The cost of a step is ``|way - straight| / beta``, of a place what the emission gives. Where no way leads from
    the points behind to the next one, as few points as possible are left out around the fault; where that does not help
    a detour is tried; where there is none either the match breaks and begins anew.

    Parameters
    ----------
    node, place_m, cost
        Candidates of each point: node (NONE where there is none), place from its begin, emission cost, shape
        (points, candidates).
    line_m
        Way along the line up to each point, shape (points,).

    Returns
    -------
    Candidate chosen for each point (NONE where it was left out), and the point before it on the path (NONE where the
    match begins, SKIPPED where it was left out), shapes (points,).
    """
    points, width = node.shape
    lattice = _Lattice(node, place_m, cost, line_m)
    marks = _Marks(
        np.full((points, width), np.inf), np.full((points, width), NONE, np.int32), np.full(points, SKIPPED, np.int32)
    )
    search = _new_search(len(graph.length_m))
    ends = np.zeros(points, np.bool_)
    nobody = points
    last = nobody
    for point in range(points):
        if (last != nobody and point <= last) or not np.isfinite(cost[point]).any():
            continue
        reached = _step_on(lattice, marks, graph, law, search, last, point) if last != nobody else NONE
        if reached == NONE:
            if last != nobody:
                ends[last] = True
            for candidate in range(width):  # an assignment of arrays takes numba two seconds more to compile
                marks.score[point, candidate] = cost[point, candidate]
            marks.behind[point] = NONE
            reached = point
        last = reached
    if last != nobody:
        ends[last] = True
    return _trace_back(marks, ends)


@njit(cache=True, nogil=True)
def _step_on(
    lattice: _Lattice, marks: _Marks, graph: TurnGraph, law: MatchLaw, search: _Search, last: int, point: int
) -> int:
    """Go on from the last point reached; give the point reached now, NONE where no way leads on."""
    for left_out in range(law.skips + 1):
        source = last
        for back in range(left_out + 1):
            target = point + left_out - back
            if target < len(lattice.line_m):
                straight_m = lattice.line_m[target] - lattice.line_m[source]
                limit_m = law.stretch * straight_m + law.slack_m
                if _connect(lattice, marks, graph, law, search, source, target, limit_m):
                    return target
            if marks.behind[source] < 0:
                break
            source = marks.behind[source]
    limit_m = lattice.line_m[point] - lattice.line_m[last] + law.detour_m
    return point if _connect(lattice, marks, graph, law, search, last, point, limit_m) else NONE


@njit(cache=True, nogil=True)
def _connect(
    lattice: _Lattice,
    marks: _Marks,
    graph: TurnGraph,
    law: MatchLaw,
    search: _Search,
    source: int,
    target: int,
    limit_m: float,
) -> bool:
    """Score the candidates of a point from those of an earlier one; whether any can be reached."""
    straight_m = lattice.line_m[target] - lattice.line_m[source]
    marks.score[target] = np.inf
    marks.before[target] = NONE
    best, found = np.argmin(marks.score[source]), False
    for turn in range(len(lattice.node[source])):
        # the best goes first: it spares the others most of their search
        here = best if turn == 0 else turn - (turn <= best)
        if not np.isfinite(marks.score[source, here]):
            continue
        begin, from_m = lattice.node[source, here], lattice.place_m[source, here]
        left_m = graph.length_m[begin] - from_m
        useful_m = straight_m + law.beta_m * _room(lattice.cost[target], marks.score[target], marks.score[source, here])
        _search_from(graph, begin, min(limit_m, useful_m) - left_m, NONE, search)
        for there in range(len(lattice.node[target])):
            if not np.isfinite(lattice.cost[target, there]):
                continue
            end, to_m = lattice.node[target, there], lattice.place_m[target, there]
            way_m = left_m + search.way_m[end] + to_m
            if begin == end and to_m >= from_m - law.slip_m:
                way_m = max(to_m - from_m, 0.0)
            if not way_m <= limit_m:
                continue
            step = abs(way_m - straight_m) / law.beta_m
            total = marks.score[source, here] + step + lattice.cost[target, there]
            if total < marks.score[target, there]:
                marks.score[target, there] = total
                marks.before[target, there] = here
                found = True
        _clear(search)
    if found:
        marks.behind[target] = source
    return found


@njit(cache=True, nogil=True)
def _room(cost: FloatArray, score: FloatArray, behind: float) -> float:
    """How much a step may cost at most to better the score of any candidate."""
    most = 0.0
    for there in range(len(cost)):
        if np.isfinite(cost[there]):
            most = max(most, score[there] - cost[there] - behind)
    return most


@njit(cache=True, nogil=True)
def _trace_back(marks: _Marks, ends: npt.NDArray[np.bool_]) -> tuple[IntArray, IntArray]:
    points = len(ends)
    chosen = np.full(points, NONE, np.int32)
    path = np.full(points, SKIPPED, np.int32)
    for end in range(points):
        if not ends[end]:
            continue
        point, candidate = end, np.argmin(marks.score[end])
        while point >= 0:
            chosen[point] = candidate
            path[point] = marks.behind[point]
            candidate = marks.before[point, candidate]
            point = marks.behind[point]
    return chosen, path


@njit(cache=True, nogil=True)
def join_places(
    node: IntArray, place_m: FloatArray, graph: TurnGraph, slip_m: float, limit_m: float
) -> tuple[IntArray, IntArray]:
    """Shortest path through places in their order.

    Parameters
    ----------
    node, place_m
        The places, shape (places,), one or more. A place at most ``slip_m`` behind another on its node is no reason to
        go round.
    limit_m
        How long the way from one to the next may be.

    Returns
    -------
    Nodes of the path in order, and for each place the position of its node among them (NONE from the first one on that
    cannot be reached).
    """
    path = np.empty(64, np.int32)
    position = np.full(len(node), NONE, np.int32)
    search = _new_search(len(graph.length_m))
    path[0], position[0], size = node[0], 0, 1
    for place in range(1, len(node)):
        begin, end = node[place - 1], node[place]
        position[place] = position[place - 1]
        if begin == end and place_m[place] - place_m[place - 1] >= -slip_m:
            continue
        _search_from(graph, begin, limit_m, end, search)
        if not np.isfinite(search.way_m[end]):
            position[place] = NONE
            break
        position[place] += _steps_to(end, begin, search)
        while position[place] >= len(path):
            path = np.concatenate((path, np.empty_like(path)))
        here, size = end, position[place] + 1
        for row in range(position[place], position[place - 1], -1):
            path[row] = here
            here = search.before[here]
        _clear(search)
    return path[:size].copy(), position


@njit(cache=True, nogil=True)
def _steps_to(node: int, begin: int, search: _Search) -> int:
    """Steps from the node that a search began at to another, or round to itself."""
    steps, node = 1, search.before[node]
    while node != begin:
        steps, node = steps + 1, search.before[node]
    return steps


@njit(cache=True, nogil=True)
def _new_search(nodes: int) -> _Search:
    return _Search(np.full(nodes, np.inf), np.full(nodes, NONE, np.int32), np.zeros(nodes + 1, np.int32))


@njit(cache=True, nogil=True)
def _search_from(graph: TurnGraph, begin: int, limit_m: float, goal: int, search: _Search) -> None:
    """Shortest ways from a node's end to the begins of others, up to a limit or to the goal where one is (Dijkstra)."""
    heap = [(0.0, begin)]
    heap.pop()
    _reach(graph, begin, 0.0, limit_m, search, heap)
    while heap:
        way_m, node = heappop(heap)
        if node == goal:
            return
        if way_m == search.way_m[node]:
            _reach(graph, node, way_m + graph.length_m[node], limit_m, search, heap)


@njit(cache=True, nogil=True)
def _reach(
    graph: TurnGraph, node: int, end_m: float, limit_m: float, search: _Search, heap: list[tuple[float, int]]
) -> None:
    """Note where the turns at a node's end lead."""
    for turn in range(graph.turn_start[node], graph.turn_start[node + 1]):
        there = graph.turn_to[turn]
        way_m = end_m + graph.turn_m[turn]
        if way_m <= limit_m and way_m < search.way_m[there]:
            if not np.isfinite(search.way_m[there]):
                search.touched[0] += 1
                search.touched[search.touched[0]] = there
            search.way_m[there] = way_m
            search.before[there] = node
            heappush(heap, (way_m, there))


@njit(cache=True, nogil=True)
def _clear(search: _Search) -> None:
    for row in range(1, search.touched[0] + 1):
        search.way_m[search.touched[row]] = np.inf
        search.before[search.touched[row]] = NONE
    search.touched[0] = 0


@njit(cache=True, nogil=True)
def distances_from_line(points_m: FloatArray, corner_m: FloatArray) -> FloatArray:
    """Distance of each point from a line, shape (points,).

    Parameters
    ----------
    points_m, corner_m
        Shape (points, 2) and (corners, 2); NaN corners divide the line into parts with nothing between them.
    """
    distance_m = np.full(len(points_m), np.inf)
    for point in range(len(points_m)):
        for row in range(len(corner_m) - 1):
            # a segment's box is farther off than what was found
            low_x = min(corner_m[row, 0], corner_m[row + 1, 0]) - points_m[point, 0]
            high_x = points_m[point, 0] - max(corner_m[row, 0], corner_m[row + 1, 0])
            low_y = min(corner_m[row, 1], corner_m[row + 1, 1]) - points_m[point, 1]
            high_y = points_m[point, 1] - max(corner_m[row, 1], corner_m[row + 1, 1])
            if max(low_x, high_x, low_y, high_y) < distance_m[point]:
                _, off_m, _ = _place_between(points_m[point], corner_m[row], corner_m[row + 1])
                distance_m[point] = min(distance_m[point], off_m) if off_m >= 0 else distance_m[point]
    return distance_m


@njit(cache=True, nogil=True)
def places_in_order(
    points_m: FloatArray, corner_m: FloatArray, way_m: FloatArray, radius_m: float, left_m: float
) -> tuple[FloatArray, FloatArray]:
    """Places of points on a line that come in the points' order and are nearest all together.

    The sum of squared distances is made least; a place that has its point on the left counts ``left_m`` more, squared,
    and a point may stay without a place at the price of one at ``radius_m``. Order is kept from segment to segment: on
    one straight piece each point has the place that is nearest to it.

    Parameters
    ----------
    points_m
        Shape (points, 2).
    corner_m, way_m
        Corners of the line, shape (corners, 2), and the way along it up to each, shape (corners,). NaN corners divide
        it into parts with nothing between them.

    Returns
    -------
    Way up to each place and its distance from the point (NaN where it stays without), shape (points,).
    """
    points, segments = len(points_m), max(len(corner_m) - 1, 0)
    chosen = np.full((points, segments), NONE, np.int32)
    best = np.zeros(segments)
    for point in range(points):
        least, before = np.inf, NONE
        for row in range(segments):
            if best[row] < least:
                least, before = best[row], row
            _, off_m, left = _place_between(points_m[point], corner_m[row], corner_m[row + 1])
            placed = least + off_m * off_m + (left_m * left_m if left else 0.0)
            best[row] += radius_m * radius_m
            if off_m <= radius_m and placed < best[row]:
                best[row], chosen[point, row] = placed, before
    place_m, distance_m = np.full(points, np.nan), np.full(points, np.nan)
    row = int(np.argmin(best)) if segments else 0
    for point in range(points - 1, -1, -1):
        if segments and chosen[point, row] != NONE:
            share, distance_m[point], _ = _place_between(points_m[point], corner_m[row], corner_m[row + 1])
            place_m[point] = way_m[row] + share * (way_m[row + 1] - way_m[row])
            row = int(chosen[point, row])
    return place_m, distance_m


@njit(cache=True, nogil=True)
def _place_between(point_m: FloatArray, begin_m: FloatArray, end_m: FloatArray) -> tuple[float, float, bool]:
    """Nearest place on a segment as a share of its length, its distance, and whether the point lies on its left."""
    dx, dy = end_m[0] - begin_m[0], end_m[1] - begin_m[1]
    px, py = point_m[0] - begin_m[0], point_m[1] - begin_m[1]
    length2 = dx * dx + dy * dy
    share = min(1.0, max(0.0, (px * dx + py * dy) / length2)) if length2 > 0 else 0.0
    return share, np.hypot(px - share * dx, py - share * dy), dx * py - dy * px > 0
