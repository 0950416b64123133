"""Two ways through one junction, drawn by hand: lanes 0 to 2 lead straight east, lanes 3 to 5 come in from the south.

Each street is 100 m before the junction and 100 m behind it, each way inside 20 m, so that its middle lies 110 m from
where the street begins. Lane 6 lies beside lane 0.
"""

import numpy as np

from sim.conflict_kernels import Areas, Sizes
from sim.following_kernels import OpenPairs
from sim.track_kernels import Samples, WayTables

CAR = (5.0, 2.0)


def way_tables():
    return WayTables(
        lane_edge=np.array([0, 1, 2, 3, 4, 5, 0]),
        lane_m=np.array([100.0, 20.0, 100.0, 100.0, 20.0, 100.0, 100.0]),
        lane_way=np.array([-1, 0, -1, -1, 1, -1, -1]),
        lane_at_m=np.zeros(7),
        lane_walk=np.zeros(7, dtype=bool),
        edge_m=np.array([100.0, 20.0, 100.0, 100.0, 20.0, 100.0]),
        way_from=np.array([0, 3]),
        way_to=np.array([2, 5]),
        way_lanes=np.array([[0, 2], [3, 5]]),
        way_m=np.array([20.0, 20.0]),
        edge_start=np.array([0, 1, 1, 1, 2, 2, 2]),
        edge_way=np.array([0, 1]),
    )


def areas(*, merges):
    """At right angles and 10 m into either way: two of reach r meet from r before to r behind the middle."""
    reaches = np.array([1.0, 2.0, 3.0])
    span = np.array([[[10 - r, 10 + r, 10 - r, 10 + r] for r in reaches]])
    return Areas(np.array([[0, 1]]), span, reaches, np.array([merges]), np.zeros(1), np.array([0, 1, 1]), np.array([0]))


def sizes(count, length_m=5.0, width_m=2.0):
    return Sizes(np.full(count, length_m), np.full(count, width_m))


def track(vehicle, times_s, places_m, lanes=(0, 1, 2), speeds=None):
    """Rows of one vehicle that is so far from the begin of its street at these times."""
    places = np.asarray(places_m, dtype=float)
    part = (places >= 100).astype(int) + (places >= 120)
    speeds = np.gradient(places, times_s) if speeds is None else np.asarray(speeds, dtype=float)
    return Samples(
        np.full(len(places), vehicle),
        np.asarray(times_s, dtype=float),
        np.array(lanes)[part],
        places - np.array([0.0, 100.0, 120.0])[part],
        speeds,
    )


def rows(*tracks):
    return Samples._make(np.concatenate(columns) for columns in zip(*tracks, strict=True))


def nobody(count):
    return OpenPairs(np.full(count, -1), np.zeros(count), np.zeros((count, 9)))
