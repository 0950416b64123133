"""Ids as a column: each once, in an order that hangs on nothing but themselves."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gtfs.arrow_columns import labels


def test_an_id_is_kept_once_where_it_occurs_and_what_says_nothing_is_null():
    column = labels(["c", "a", "", "c", "never"], np.array([0, 1, 2, 3, -1, 0]))
    assert column.to_pylist() == ["c", "a", None, "c", None, "c"]
    assert column.dictionary.to_pylist() == ["a", "c"]
    assert labels([], np.array([-1])).to_pylist() == [None]


@given(st.lists(st.sampled_from(["", "x", "bus 9", "é", "10"]), max_size=20), st.randoms())
def test_whoever_came_first_the_same_rows_are_the_same_column(rows, chance):
    columns = []
    for _ in range(2):
        texts = sorted(set(rows) | {"unseen"})
        chance.shuffle(texts)
        columns.append(labels(texts, np.array([texts.index(row) for row in rows], dtype=np.int32)))
    assert columns[0].to_pylist() == [row or None for row in rows]
    assert columns[0].dictionary.equals(columns[1].dictionary)
    assert columns[0].indices.equals(columns[1].indices)
