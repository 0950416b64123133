"""The compiled kernels against their plain twins, over random, empty, constant and broken input."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.kernels import demand_by_link
from tests import oracles

vehicles = st.lists(
    st.tuples(
        st.integers(-2, 5),
        st.one_of(st.floats(0, 400), st.just(float("nan")), st.just(float("inf"))),
        st.one_of(st.floats(0, 40), st.just(float("nan"))),
    ),
    max_size=40,
)


def both(rows, range_m, links):
    columns = list(zip(*rows, strict=True)) or [(), (), ()]
    arrays = np.array(columns[0], dtype=np.int64), np.array(columns[1], dtype=float), np.array(columns[2], dtype=float)
    return demand_by_link(*arrays, range_m, links), oracles.demand_by_link(*arrays, range_m, links)


@settings(deadline=None)
@given(vehicles, st.floats(1, 300))
def test_demand_is_what_the_plain_twin_counts(rows, range_m):
    kernel, twin = both(rows, range_m, 6)
    np.testing.assert_allclose(kernel, twin, atol=1e-9)


def test_no_vehicles_want_nothing():
    kernel, twin = both([], 200.0, 3)
    assert kernel.tolist() == twin.tolist() == [[0] * 3, [0] * 3, [np.inf] * 3, [0] * 3]


def test_no_links_have_no_demand():
    assert both([(-1, 10.0, 5.0)], 200.0, 0)[0].shape == (4, 0)


def test_five_vehicles_counted_by_hand():
    # at the line and standing, half way and moving, at the end of the range; out of range; nowhere known
    rows = [(1, 0.0, 0.0), (1, 100.0, 9.0), (1, 200.0, 0.05), (1, 200.5, 0.0), (1, float("nan"), 0.0)]
    kernel, _ = both(rows, 200.0, 2)
    assert kernel[:, 1].tolist() == [3, 2, 0, pytest.approx(1.5)]


def test_vehicles_all_alike_add_up():
    kernel, twin = both([(0, 50.0, 3.0)] * 7, 100.0, 1)
    assert kernel[:, 0].tolist() == twin[:, 0].tolist() == [7, 0, 50, 3.5]
