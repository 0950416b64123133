"""What lies nearest: junctions and edges around points, many at once."""

import numpy as np
import numpy.typing as npt
import shapely

from networks.network import NONE, EdgeKind, FloatArray, IntArray, RoadNetwork


def nearest_junctions(
    network: RoadNetwork, points_m: npt.ArrayLike, max_distance_m: float
) -> tuple[IntArray, FloatArray]:
    """Junction nearest to each point and its distance; NONE and infinity beyond ``max_distance_m``.

    Parameters
    ----------
    points_m
        Shape (n, 2), metres. A point that is not finite has no neighbour.
    max_distance_m
        How far to look, more than 0.

    Returns
    -------
    tuple[IntArray, FloatArray]
        Junction rows and distances in metres, both of shape (n,); the lowest row among equally near ones.
    """
    places = network.junctions
    wanted = np.flatnonzero([kind != "internal" for kind in places.kind])
    shapes = shapely.points(places.x_m[wanted], places.y_m[wanted])
    return _nearest(shapes, wanted, points_m, max_distance_m)


def nearest_edges(
    network: RoadNetwork, points_m: npt.ArrayLike, max_distance_m: float, vehicle_class: str | None = None
) -> tuple[IntArray, FloatArray]:
    """Normal edge nearest to each point and its distance; NONE and infinity beyond ``max_distance_m``.

    As :func:`nearest_junctions`; with ``vehicle_class`` only edges that it may use count. An edge lies where its middle
    lane does.
    """
    usable = network.edges.kind == EdgeKind.NORMAL if vehicle_class is None else network.edges_for(vehicle_class)
    wanted = np.flatnonzero(usable)
    return _nearest(edge_lines(network, wanted), wanted, points_m, max_distance_m)


def edge_lines(network: RoadNetwork, edges: npt.NDArray[np.integer]) -> npt.NDArray[np.object_]:
    """Shapely lines of the middle lanes of some edges, in their order."""
    if not len(edges):
        return np.empty(0, dtype=object)
    lanes = (network.edges.lane_start[edges] + network.edges.lane_start[edges + 1]) // 2
    first, counts = network.lanes.shape_start[lanes], np.diff(network.lanes.shape_start)[lanes]
    owner = np.repeat(np.arange(len(edges)), counts)
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    lines: npt.NDArray[np.object_] = shapely.linestrings(network.lanes.shape_m[first[owner] + within], indices=owner)
    return lines


def _nearest(
    shapes: npt.NDArray[np.object_], rows: npt.NDArray[np.integer], points_m: npt.ArrayLike, max_distance_m: float
) -> tuple[IntArray, FloatArray]:
    points = np.asarray(points_m, dtype=np.float64).reshape(-1, 2)
    found = np.full(len(points), NONE, dtype=np.int32)
    distance = np.full(len(points), np.inf)
    finite = np.flatnonzero(np.isfinite(points).all(axis=1))
    (asked, hits), near_m = shapely.STRtree(shapes).query_nearest(
        shapely.points(points[finite]), max_distance=max_distance_m, return_distance=True
    )
    # equally near ones come in no order: the lowest row is written last and stays
    order = np.argsort(-hits, kind="stable")
    found[finite[asked[order]]] = rows[hits[order]]
    distance[finite[asked[order]]] = near_m[order]
    return found, distance
