"""Vehicles that approach signals, as kernels take them."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

DEFAULT_RANGE_M = 200.0
"""How far upstream a vehicle counts as wanting its next link. Real stop-line lanes are 0 to 30 m long: a controller
that reads those alone is blind (it gridlocks cologne8)."""


class Approaching(NamedTuple):
    """Vehicles one by one, as one look found them: arrays of shape (vehicles,), in no order.

    All signals of a look share them, so that a look costs one set of arrays. ``row`` counts the links of all signals;
    those from ``first`` on are this signal's own. ``distance_m`` is the way to the stop line; who is farther than
    ``range_m`` does not count. ``weight`` is for how many a vehicle counts: one, or more where it has priority.
    """

    row: npt.NDArray[np.int64]
    distance_m: FloatArray
    speed_mps: FloatArray
    weight: FloatArray
    first: int
    range_m: float


NOBODY = Approaching(np.empty(0, dtype=np.int64), np.empty(0), np.empty(0), np.empty(0), 0, DEFAULT_RANGE_M)
