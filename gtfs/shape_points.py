"""The shapes that trips follow, out of a feed's points."""

import numpy as np
import pandas as pd

from gtfs.call_order import first_rows
from gtfs.columns import Rows, starts
from gtfs.day_tables import Shapes
from gtfs.feed import Feed
from gtfs.findings import Fault, found
from gtfs.trip_calls import numbers, reals, texts
from networks.faults import Notice

LOST = Fault(
    "GTFS_REFERENCE", "trips", "shape_id", "The trip goes without a shape: give it two points in shapes.txt", "warning"
)


def shapes_of(feed: Feed, trips: Rows) -> tuple[Shapes, Rows, tuple[Notice, ...]]:
    """Shapes of some trips, the row of each trip's shape, -1 where it has none, and those that cannot be found.

    Parameters
    ----------
    trips
        Rows of the feed's trips, shape (n,).
    """
    named = np.array(texts(feed.gtfs.trips, "shape_id"), dtype=object)[trips]
    shapes = _shapes(feed.gtfs.shapes, tuple(sorted(set(named.tolist()) - {""})))
    row_of = {shape_id: row for row, shape_id in enumerate(shapes.ids)}
    shape = np.array([row_of.get(shape_id, -1) for shape_id in named.tolist()], dtype=np.int32)
    lost = np.zeros(len(feed.gtfs.trips), dtype=np.bool_)
    lost[trips] = (shape < 0) & (named != "")
    return shapes, shape, tuple(found(feed, LOST, lost))


def _shapes(points: pd.DataFrame | None, ids: tuple[str, ...]) -> Shapes:
    """Those of the shapes that have two points with coordinates, a line's least."""
    if points is None or not ids:
        return Shapes((), starts(np.zeros(0, dtype=np.int32)), np.empty((0, 2)), np.empty(0))
    shape = first_rows(points["shape_id"], pd.Series(ids, dtype="string"))
    lonlat = np.column_stack([reals(points, field) for field in ("shape_pt_lon", "shape_pt_lat")])
    shape[~np.isfinite(lonlat).all(axis=1)] = -1
    counts = np.bincount(shape[shape >= 0], minlength=len(ids))
    lines = np.flatnonzero(counts >= 2)  # noqa: PLR2004 - a line has two ends
    order = np.lexsort((numbers(points, "shape_pt_sequence", 0), shape))
    order = order[np.isin(shape[order], lines)]
    return Shapes(
        ids=tuple(ids[row] for row in lines.tolist()),
        point_start=starts(counts[lines]),
        lonlat=lonlat[order],
        distance=reals(points, "shape_dist_traveled")[order],
    )
