"""Ways of patterns without a direction, from the order of their stops."""

import numpy as np
import pytest

from gtfs.pattern_ways import pattern_ways


def ways(*lines, direction=-1):
    start = np.concatenate(([0], np.cumsum([len(line) for line in lines])))
    count = len(lines)
    given = np.full(count, direction)
    return pattern_ways(np.zeros(count, int), given, start, np.array([ord(s) for s in "".join(lines)])).tolist()


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (("abcd", "dcba"), [2, 3]),  # there and back over the same stops
        (("axyd", "duva"), [2, 3]),  # only the two ends are shared
        (("abcd", "dcba", "bcde", "dca"), [2, 3, 2, 3]),  # a longer and a shorter variant
        (("abcd", "dxyz"), [2, 3]),  # one stop in common tells nothing
        (("abcdefa", "cdefabc"), [2, 2]),  # one circle begun at two places
        (("abctzyx", "abct", "tzyx"), [2, 2, 2]),  # out by one street and back by another
        (("abcxyz", "abc", "cbaq", "xyz", "cbx"), [2, 2, 3, 2, 3]),
    ],
)
def test_the_order_of_stops_tells_ways_apart(lines, expected):
    assert ways(*lines) == expected


def test_a_direction_that_is_given_stays():
    assert ways("abcd", "dcba", direction=1) == [1, 1]
