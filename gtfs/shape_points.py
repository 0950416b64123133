"""The shapes that trips follow, out of a feed's points."""

from pathlib import Path

import numpy as np
import pandas as pd

from gtfs.columns import Rows, starts
from gtfs.day_tables import Shapes
from gtfs.left_out import Fault, left_out
from gtfs.trip_calls import numbers, reals, rows_of, texts
from networks.faults import Notice

LOST = Fault("GTFS_REFERENCE", "shape_id", "The trip goes without a shape: give it two points in shapes.txt")


def shapes_of(
    points: pd.DataFrame | None, trips: pd.DataFrame, rows: Rows, path: Path
) -> tuple[Shapes, Rows, tuple[Notice, ...]]:
    """Shapes of some trips, the row of each trip's shape, -1 where it has none, and those that cannot be found.

    Parameters
    ----------
    points
        The feed's ``shapes``, None where it has none.
    trips, rows
        The feed's trips, and which of them are wanted.
    path
        Of the feed, for messages.
    """
    named = np.array(texts(trips, "shape_id"), dtype=object)[rows]
    shapes = _shapes(points, tuple(sorted(set(named.tolist()) - {""})))
    row_of = {shape_id: row for row, shape_id in enumerate(shapes.ids)}
    shape = np.array([row_of.get(shape_id, -1) for shape_id in named.tolist()], dtype=np.int32)
    lost = rows[(shape < 0) & (named != "")]
    notices = (left_out(trips, lost, LOST, path / "trips.txt", len(lost)),) if len(lost) else ()
    return shapes, shape, notices


def _shapes(points: pd.DataFrame | None, ids: tuple[str, ...]) -> Shapes:
    """Those of the shapes that have two points with coordinates, a line's least."""
    if points is None or not ids:
        return Shapes((), starts(np.zeros(0, dtype=np.int32)), np.empty((0, 2)), np.empty(0))
    shape = rows_of(points["shape_id"], pd.Series(ids, dtype="string"))
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
