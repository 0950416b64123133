"""Which lines pass a place: the corners of all patterns' lines by cells of a grid."""

import numpy as np

from gtfs.guess_kernels import STRIDE, Index
from gtfs.trace_kernels import Lines
from networks.network import FloatArray, IntArray

CELL_M = 100.0
STEP_M = 50.0
"""Lines are taken into the grid by points no farther apart."""
REACH_M = CELL_M - STEP_M / 2
"""Whatever lies so near to a line finds it in its own cell."""


def line_index(lines: Lines) -> Index:
    """Take lines into the grid: each point of theirs into its own cell and those around."""
    corner, lon, lat = _points(lines)
    degree_m = lines.frame[np.diff(lines.start) > 0, 2:].min(axis=0, initial=np.inf)  # cells are no smaller anywhere
    per_degree = float(degree_m[0] / CELL_M), float(degree_m[1] / CELL_M)
    own = np.floor(lat * per_degree[1]).astype(np.int64) * STRIDE + np.floor(lon * per_degree[0]).astype(np.int64)
    around = np.array([up * STRIDE + right for up in (-1, 0, 1) for right in (-1, 0, 1)])
    cells, place = np.unique((own[:, None] + around).ravel(), return_inverse=True)
    pairs = np.unique(place * len(lines.way_m) + np.repeat(corner.astype(np.int64), len(around)))
    place, corner = np.divmod(pairs, max(len(lines.way_m), 1))
    return Index(
        per_degree=per_degree,
        cell=cells,
        start=np.searchsorted(place, np.arange(len(cells) + 1)).astype(np.int32),
        corner=corner.astype(np.int32),
        pattern=(np.searchsorted(lines.start, corner, side="right") - 1).astype(np.int32),
    )


def _points(lines: Lines) -> tuple[IntArray, FloatArray, FloatArray]:
    """Points along the lines with the corners before them, in degrees."""
    is_last = np.zeros(len(lines.way_m), dtype=np.bool_)
    is_last[lines.start[1:][np.diff(lines.start) > 0] - 1] = True
    corner = np.flatnonzero(~is_last)
    length_m = lines.way_m[corner + 1] - lines.way_m[corner]
    steps = np.maximum(np.ceil(length_m / STEP_M), 1).astype(np.int64)
    rows = np.repeat(np.arange(len(corner)), steps + 1)
    number = np.arange(len(rows)) - np.repeat(np.cumsum(steps + 1) - steps - 1, steps + 1)
    along_m = length_m[rows] * number / steps[rows]
    place_m = lines.corner_m[corner[rows]] + lines.unit[corner[rows]] * along_m[:, None]
    frame = lines.frame[np.searchsorted(lines.start, corner, side="right") - 1][rows]
    return (
        corner[rows].astype(np.int32),
        frame[:, 0] + place_m[:, 0] / frame[:, 2],
        frame[:, 1] + place_m[:, 1] / frame[:, 3],
    )
