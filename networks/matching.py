"""Lines of points onto the streets: hidden-Markov map matching with the turns that a vehicle class may make.

Paul Newson and John Krumm, Hidden Markov map matching through noise and sparseness (ACM SIGSPATIAL 2009): a point's
error is normal, the difference between the way from point to point and the straight one exponential; the most likely
sequence of places wins. Shapes of a timetable and traces of vehicles go through the same function.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely

from networks.graph import BoolArray, Router, router
from networks.kernels import (
    NONE,
    SKIPPED,
    Grid,
    MatchLaw,
    TurnGraph,
    join_places,
    match_points,
    nearby_edges,
    segment_cells,
)
from networks.network import FloatArray, IntArray, RoadNetwork
from networks.spatial import edge_lines

CELL_M = 60.0
"""Side of a cell of the grid in which nearby edges are looked for."""

TAIL = 1.5
"""From so many standard deviations on a point's distance counts less than the normal law has it."""

HEADING_COST = 4.0
"""Cost of a street at right angles to the line's own direction, twice as much of one against it: as much as a point
nearly three standard deviations off."""

CORNER_M = 10.0
"""A turn at right angles counts as so much more way: of two paths near a line the one with fewer corners was driven."""

TRACE_BETA_M = 20.0
TRACE_LANES_M = 4.0
"""How far a vehicle's own lane lies from the middle of its street, as a standard deviation."""


@dataclass(frozen=True, slots=True)
class MatchSettings:
    """How lines are matched.

    Attributes
    ----------
    sigma_m
        Standard deviation of a point's distance from its street.
    beta_m
        Scale of the exponential of the difference between way and straight line.
    radius_m
        Streets farther from a point are not considered.
    candidates
        How many streets a point may have.
    stretch, slack_m
        A way from point to point may be ``stretch`` times the straight one and ``slack_m`` longer.
    detour_m
        Where no such way is there: how much longer one may be before the match breaks.
    skips
        How many points in a row may be left out where no way leads on.
    turn_round_m
        A turn into the opposite direction counts as so much more way: vehicles make it, but seldom.
    """

    sigma_m: float = 8.0
    beta_m: float = 10.0
    radius_m: float = 60.0
    candidates: int = 10
    stretch: float = 1.6
    slack_m: float = 120.0
    detour_m: float = 600.0
    skips: int = 10
    turn_round_m: float = 200.0

    @property
    def slip_m(self) -> float:
        """How far noise may set a point back on its street."""
        return 2 * self.sigma_m


def trace_settings(noise_m: float) -> MatchSettings:
    """Settings for positions that a vehicle reported every 5 to 30 s, whose errors along x and y have this deviation.

    Tuned on random routes through one town (Adlershof, one seed, errors of 5 and 15 m), for right length and against
    wrong length at all intervals; the figures change little from half to twice each value. A shape is drawn along its
    streets, so that a detour speaks against a path; a vehicle drives what ways there are, and turns round sometimes.
    """
    sigma_m = float(np.hypot(noise_m, TRACE_LANES_M))
    return MatchSettings(
        sigma_m=sigma_m,
        beta_m=TRACE_BETA_M,
        radius_m=20.0 + 4.0 * sigma_m,
        candidates=16,
        slack_m=300.0,
        turn_round_m=2.5 * TRACE_BETA_M,
    )


@dataclass(frozen=True, slots=True, eq=False)
class MatchedPart:
    """An unbroken piece of a match.

    Attributes
    ----------
    edges
        Network rows that the path takes, in order, shape (edges,).
    begin_m, end_m
        Where it begins on the first edge and ends on the last, from their begins.
    points
        Rows of the points that lie on it, ascending, shape (points,).
    position, place_m
        Where each of them lies: position in ``edges``, and place from that edge's begin, shape (points,).
    """

    edges: IntArray
    begin_m: float
    end_m: float
    points: IntArray
    position: IntArray
    place_m: FloatArray


@dataclass(frozen=True, eq=False)
class Matcher:
    """Matches lines to the streets that a vehicle class may use. Build one with :func:`matcher`.

    Attributes
    ----------
    router
        The streets and turns; a node of it is a node of the graph.
    graph
        Lengths as the middle lanes are drawn, and the turns' ways, without what turning round counts more.
    turns_round
        Which turns lead into the opposite direction, shape (turns,).
    scale
        Length in the network over length as drawn, shape (nodes,).
    segment_m, segment_edge, grid
        The middle lanes by segment, which points are held against, with their nodes and by cells.
    """

    router: Router
    graph: TurnGraph
    turns_round: BoolArray
    scale: FloatArray
    segment_m: FloatArray
    segment_edge: IntArray
    grid: Grid

    def match(
        self, points_m: npt.ArrayLike, settings: MatchSettings, heading: npt.ArrayLike | None = None
    ) -> tuple[MatchedPart, ...]:
        """Match a line of points; the parts come in order, several where no way joins them.

        Points far from all streets, or that no way reaches, lie on no part; so do those that are not finite.

        Parameters
        ----------
        points_m
            Shape (points, 2).
        heading
            Direction at each point as a vector of length 1, shape (points, 2), where it is known.
        """
        points = np.ascontiguousarray(points_m, dtype=np.float64).reshape(-1, 2)
        if not len(self.segment_m):
            return ()
        segment, place_m, off_m = nearby_edges(
            points, self.segment_m, self.segment_edge, self.grid, settings.radius_m, settings.candidates
        )
        law = MatchLaw(
            settings.beta_m, settings.stretch, settings.slack_m, settings.detour_m, settings.slip_m, settings.skips
        )
        node = np.where(segment == NONE, NONE, self.segment_edge[segment])
        graph = self.graph._replace(turn_m=self.graph.turn_m + settings.turn_round_m * self.turns_round)
        cost = _emission(off_m / settings.sigma_m)
        if heading is not None:
            cost += HEADING_COST * (1 - self._along(segment, np.asarray(heading, dtype=np.float64)))
        chosen, behind = match_points(node, place_m, cost, _way_along(points), graph, law)
        used = np.flatnonzero(behind != SKIPPED).astype(np.int32)
        begins = np.flatnonzero(behind[used] == NONE)
        return tuple(
            self._part(rows, node[rows, chosen[rows]], place_m[rows, chosen[rows]], graph, settings.slip_m)
            for rows in np.split(used, begins[1:])
            if len(rows)
        )

    def _along(self, segment: IntArray, heading: FloatArray) -> FloatArray:
        """Cosine of the angle between candidates' streets and the line's own direction; 1 where that is not known."""
        ahead = self.segment_m[segment, 2:4] - self.segment_m[segment, :2]
        length_m = np.maximum(np.hypot(ahead[..., 0], ahead[..., 1]), 1e-9)
        cosine = (ahead * heading[:, None, :]).sum(axis=2) / length_m
        return np.where(np.isfinite(cosine), cosine, 1.0)

    def _part(
        self, rows: IntArray, node: IntArray, place_m: FloatArray, graph: TurnGraph, slip_m: float
    ) -> MatchedPart:
        path, position = join_places(node, place_m, graph, slip_m, np.inf)
        on_network_m = place_m * self.scale[node]
        return MatchedPart(
            edges=self.router.edges[path],
            begin_m=float(on_network_m[0]),
            end_m=float(on_network_m[-1]),
            points=rows,
            position=position,
            place_m=on_network_m,
        )


def _emission(deviations: FloatArray) -> FloatArray:
    """Cost of places by their distance in standard deviations: the normal law's, and linear beyond the tail's begin.

    Points inside a wide junction lie far from all edges, as those end at its rim: a normal law would have the path
    loop through side streets to come near them (Huber's loss).
    """
    return np.where(deviations <= TAIL, 0.5 * deviations**2, TAIL * (deviations - 0.5 * TAIL))


def matcher(network: RoadNetwork, vehicle_class: str) -> Matcher:
    """Prepare matching for a vehicle class: its turns as compressed rows, its streets in a grid."""
    turns = router(network, vehicle_class)
    lines = edge_lines(network, turns.edges)
    corners, owner = shapely.get_coordinates(lines, return_index=True)
    segment_m, segment_edge = _segments(corners, owner.astype(np.int32))
    drawn_m = shapely.length(lines)
    return Matcher(
        router=turns,
        graph=TurnGraph(drawn_m, turns.turn_start, turns.turn_to, _turn_m(turns, corners, owner)),
        turns_round=_turns_round(network, turns),
        scale=network.edge_length_m[turns.edges] / np.maximum(drawn_m, 1e-6),
        segment_m=segment_m,
        segment_edge=segment_edge,
        grid=_grid(segment_m),
    )


def _segments(corners: FloatArray, owner: IntArray) -> tuple[FloatArray, IntArray]:
    """Segments with how far from their edge's begin they begin, shape (segments, 5), and their edges."""
    inside = owner[1:] == owner[:-1]
    length_m = np.where(inside, np.hypot(*np.diff(corners, axis=0).T), 0.0)
    along_m = np.concatenate(([0.0], np.cumsum(length_m)))
    first_m = along_m[np.searchsorted(owner, owner[:-1])]
    ends = np.column_stack((corners[:-1], corners[1:], along_m[:-1] - first_m))
    return np.ascontiguousarray(ends[inside]), owner[:-1][inside]


def _grid(segment_m: FloatArray) -> Grid:
    if not len(segment_m):
        return Grid(np.zeros(2), CELL_M, np.ones(2, np.int32), np.zeros(2, np.int32), np.empty(0, np.int32))
    ends = segment_m[:, :4].reshape(-1, 2)
    corner_m = ends.min(axis=0)
    columns, rows = ((ends.max(axis=0) - corner_m) // CELL_M).astype(int) + 1
    start, members = segment_cells(segment_m, corner_m, CELL_M, int(columns), int(rows))
    return Grid(corner_m, CELL_M, np.array([columns, rows], dtype=np.int32), start, members)


def _turn_m(turns: Router, corners: FloatArray, owner: IntArray) -> FloatArray:
    """Way across the junction of each turn, straight from an edge's end to the next one's begin, and its corner."""
    nodes = np.arange(len(turns.edges))
    first, last = corners[np.searchsorted(owner, nodes)], corners[np.searchsorted(owner, nodes, side="right") - 1]
    begin, end = turns.turn_from, turns.turn_to
    into, out = _ends(corners, owner, nodes)
    cosine = (into[begin] * out[end]).sum(axis=1)
    return np.asarray(np.hypot(*(first[end] - last[begin]).T) + CORNER_M * (1 - cosine))


def _turns_round(network: RoadNetwork, turns: Router) -> BoolArray:
    """Whether a turn leads back to the junction that its edge comes from, shape (turns,)."""
    begin, end = turns.edges[turns.turn_from], turns.edges[turns.turn_to]
    return np.asarray(network.edges.from_junction[begin] == network.edges.to_junction[end])


def _ends(corners: FloatArray, owner: IntArray, nodes: npt.NDArray[np.intp]) -> tuple[FloatArray, FloatArray]:
    """Direction at each edge's end and at its begin, as vectors of length 1, shape (nodes, 2)."""
    first, behind = np.searchsorted(owner, nodes), np.searchsorted(owner, nodes, side="right")
    ends = corners[behind - 1] - corners[behind - 2], corners[first + 1] - corners[first]
    into, out = (vector / np.maximum(np.hypot(*vector.T), 1e-9)[:, None] for vector in ends)
    return into, out


def _way_along(points: FloatArray) -> FloatArray:
    """Way along a line up to each point; over points that are not finite it goes straight on."""
    way_m = np.zeros(len(points))
    finite = np.flatnonzero(np.isfinite(points).all(axis=1))
    way_m[finite[1:]] = np.cumsum(np.hypot(*np.diff(points[finite], axis=0).T))
    return np.maximum.accumulate(way_m)
