"""SUMO's record of positions followed along routes, and handed to detectors."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from networks.faults import RunError
from sim.fcd import read_positions
from sim.kernels import rows_of_routes
from tests import oracles


def found(route, junctions, *samples):
    """Places of one vehicle on a route: (edge or junction, whether inside, position)."""
    columns = list(zip(*samples, strict=True))
    out = np.empty(len(samples), dtype=np.int32)
    rows_of_routes(
        np.zeros(len(samples), dtype=np.int32),
        np.array(columns[0], dtype=np.int32),
        np.array(columns[1], dtype=np.bool_),
        np.array(columns[2], dtype=np.float64),
        np.array([0, len(route)], dtype=np.int32),
        np.array(route, dtype=np.int32),
        np.array(junctions, dtype=np.int32),
        out,
    )
    return out.tolist()


ROUND = [7, 8, 9, 7, 8], [1, 2, 0, 1, 2]
"""Edges 7, 8, 9 and again 7, 8, behind them the junctions 1, 2, 0, 1, 2."""


@pytest.mark.parametrize(
    ("samples", "rows"),
    [
        ([(7, False, 1), (7, False, 50), (1, True, 2), (8, False, 3)], [0, 0, 0, 1]),
        ([(8, False, 1), (7, False, 1), (7, False, 2), (8, False, 1)], [1, 3, 3, 4]),
        # two junctions on, past edges that are shorter than ten seconds; and one that the route does not come to
        ([(7, False, 1), (0, True, 1), (5, True, 1), (1, True, 1)], [0, 2, -1, 3]),
        # back at the begin of an edge: it has come round
        ([(7, False, 90), (7, False, 10)], [0, 3]),
        ([(8, False, 90), (2, True, 1), (8, False, 10)], [1, 1, 4]),
        # a place that nobody knows, and one that lies behind
        ([(-1, False, 1), (9, False, 1), (8, False, 2), (9, False, 1), (7, False, 3)], [-1, 2, 4, -1, -1]),
    ],
)
def test_routes_are_followed_forward(samples, rows):
    assert found(*ROUND, *samples) == rows


routes = st.lists(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=6), max_size=3)
samples = st.lists(
    st.tuples(st.integers(-1, 2), st.integers(-1, 4), st.booleans(), st.one_of(st.floats(0, 99), st.just(np.nan))),
    max_size=25,
)


@settings(deadline=None)
@given(routes, samples)
def test_the_kernel_is_what_the_plain_twin_finds(routes, samples):
    samples = [row for row in samples if row[0] < len(routes)]
    vehicle, place, inside, lane_m = zip(*samples, strict=True) if samples else ((),) * 4
    edges = [pair for route in routes for pair in route]
    out = np.empty(len(samples), dtype=np.int32)
    rows_of_routes(
        np.array(vehicle, dtype=np.int32),
        np.array(place, dtype=np.int32),
        np.array(inside, dtype=np.bool_),
        np.array(lane_m, dtype=np.float64),
        np.cumsum([0, *map(len, routes)]).astype(np.int32),
        np.array([edge for edge, _ in edges], dtype=np.int32),
        np.array([junction for _, junction in edges], dtype=np.int32),
        out,
    )
    assert out.tolist() == oracles.rows_of_routes(routes, samples)


def test_a_record_without_vehicles_is_nothing_and_a_damaged_one_is_named(tmp_path):
    path = tmp_path / "positions.parquet"
    pq.write_table(pa.table({"timestep_time": [0.0, 10.0]}), path)
    read_positions(path, None, None, None)
    path.write_bytes(b"PAR1")
    with pytest.raises(RunError, match="SUMO_OUTPUT"):
        read_positions(path, None, None, None)
