"""Ways over a network, measured along themselves.

The way along a path counts edges by their length in the network and junctions by the straight line across them, so that
a vehicle's edge and position give its way without a look at the geometry.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely

from networks.kernels import places_in_order
from networks.network import FloatArray, IntArray, RoadNetwork
from networks.spatial import edge_lines


@dataclass(frozen=True, slots=True, eq=False)
class Path:
    """An unbroken way over edges.

    Attributes
    ----------
    edges
        Network rows in order, shape (edges,).
    begin_m, length_m
        Way up to the begin of each edge, and each edge's length, shape (edges,).
    corner_m, corner_way_m
        Corners of its line, shape (corners, 2), and the way up to each, shape (corners,).
    """

    edges: IntArray
    begin_m: FloatArray
    length_m: FloatArray
    corner_m: FloatArray
    corner_way_m: FloatArray

    @property
    def end_m(self) -> float:
        """Its whole length."""
        return float(self.begin_m[-1] + self.length_m[-1])

    def place(self, way_m: float) -> tuple[int, float]:
        """Position in ``edges`` and place from that edge's begin; within a junction, the nearer edge's end."""
        position = int(np.searchsorted(self.begin_m, way_m, side="right")) - 1
        if position < 0:
            return 0, 0.0
        beyond_m = way_m - self.begin_m[position] - self.length_m[position]
        if beyond_m > 0 and position + 1 < len(self.edges) and self.begin_m[position + 1] - way_m < beyond_m:
            return position + 1, 0.0
        return position, float(min(way_m - self.begin_m[position], self.length_m[position]))

    def points_at(self, way_m: FloatArray) -> FloatArray:
        """Points of the line at some ways along it, shape (ways, 2)."""
        return np.column_stack([np.interp(way_m, self.corner_way_m, axis) for axis in self.corner_m.T])


def path_over(network: RoadNetwork, edges: IntArray) -> Path:
    """The path over some edges, one or more, each of which leads into the next."""
    lines = edge_lines(network, edges)
    corner_m, owner = shapely.get_coordinates(lines, return_index=True)
    length_m = network.edge_length_m[edges]
    stretch = length_m / np.maximum(shapely.length(lines), 1e-6)
    step_m = np.hypot(*np.diff(corner_m, axis=0).T)
    step_m *= np.where(owner[1:] == owner[:-1], stretch[owner[1:]], 1.0)
    corner_way_m = np.concatenate(([0.0], np.cumsum(step_m)))
    return Path(
        edges=edges,
        begin_m=corner_way_m[np.searchsorted(owner, np.arange(len(edges)))],
        length_m=length_m,
        corner_m=corner_m,
        corner_way_m=corner_way_m,
    )


@dataclass(frozen=True, slots=True, eq=False)
class PathPlaces:
    """Where points lie along some paths: the path's row (NONE without), the way along it and the distance (NaN)."""

    path: IntArray
    way_m: FloatArray
    distance_m: FloatArray


def places_on_paths(paths: Sequence[Path], points_m: FloatArray, radius_m: float, *, left_m: float = 0.0) -> PathPlaces:
    """Places of points, shape (points, 2), on paths that follow one another, in the order of the points.

    Parameters
    ----------
    radius_m
        A point farther from all paths, or nearer only where the order does not allow it, has no place.
    left_m
        How much farther a place counts that has its point on the left.
    """
    gap = np.full((1, 2), np.nan)
    corner_m = np.concatenate([part for path in paths for part in (path.corner_m, gap)] or [gap])
    offset_m = np.concatenate(([0.0], np.cumsum([path.end_m + 1.0 for path in paths])))
    ways = [part for row, path in enumerate(paths) for part in (path.corner_way_m + offset_m[row], [np.nan])]
    way_m, distance_m = places_in_order(
        np.ascontiguousarray(points_m), corner_m, np.concatenate(ways or [[np.nan]]), radius_m, left_m
    )
    row = np.searchsorted(offset_m, way_m, side="right") - 1
    placed = np.isfinite(way_m)
    return PathPlaces(
        path=np.where(placed, row, -1).astype(np.int32),
        way_m=np.where(placed, way_m - offset_m[np.where(placed, row, 0)], np.nan),
        distance_m=distance_m,
    )
