"""Where on the plane vehicles are that are somewhere on lanes."""

import numpy as np
import numpy.typing as npt
from numba import njit


@njit(cache=True, nogil=True)
def points_on_lanes(
    lane: npt.NDArray[np.integer],
    at_m: npt.NDArray[np.float64],
    shape_start: npt.NDArray[np.integer],
    shape_m: npt.NDArray[np.float64],
    length_m: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]:
    """Give point and direction of positions on lanes.

    Parameters
    ----------
    lane, at_m
        Rows of lanes and positions from their begin, shape (positions,).
    shape_start, shape_m, length_m
        Lines of all lanes, points of lane ``i`` from ``shape_start[i]`` to ``shape_start[i + 1]``, and lengths: a line
        is stretched to its lane's length.

    Returns
    -------
    Shape (positions, 4): x, y, and the direction as a step of length one.
    """
    found = np.zeros((len(lane), 4))
    for row in range(len(lane)):
        begin, end = shape_start[lane[row]], shape_start[lane[row] + 1]
        drawn = 0.0
        for point in range(begin, end - 1):
            drawn += np.hypot(shape_m[point + 1, 0] - shape_m[point, 0], shape_m[point + 1, 1] - shape_m[point, 1])
        left = at_m[row] * drawn / max(length_m[lane[row]], 1e-9)
        for point in range(begin, end - 1):
            east, north = shape_m[point + 1, 0] - shape_m[point, 0], shape_m[point + 1, 1] - shape_m[point, 1]
            step = np.hypot(east, north)
            if step > 0:
                found[row, 2], found[row, 3] = east / step, north / step
                found[row, 0] = shape_m[point, 0] + min(left, step) * found[row, 2]
                found[row, 1] = shape_m[point, 1] + min(left, step) * found[row, 3]
            if left <= step:
                break
            left -= step
    return found
