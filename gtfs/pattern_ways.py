"""Which patterns of a route go the same way, where the feed gives no direction: the order of their stops tells."""

from itertools import combinations

import numpy as np
import numpy.typing as npt

from gtfs.columns import Rows

SHARED_STOPS = 2
"""With fewer stops in common, the order of stops tells nothing."""
FIRST_FOUND = 2
"""Ways that were found are numbered from here on in each route; below are the directions of the feed, 0 and 1."""

Stops = tuple[int, ...]


def pattern_ways(route: Rows, direction: Rows, call_start: Rows, call_stop: Rows) -> Rows:
    """Way of each pattern within its route, shape (patterns,): the feed's direction, else one found from its stops.

    Patterns go the same way where most steps between the stops that both serve once go forward in both. The pairs that
    share most stops are joined first, and never two groups of which any patterns run against each other: a pattern
    that goes out and back would else join all. What shares too little with any other is a way of its own.

    Parameters
    ----------
    direction
        Negative where the feed gives none.
    call_start, call_stop
        Stops of pattern ``p`` are ``call_stop[call_start[p]:call_start[p + 1]]``.
    """
    way = direction.astype(np.int32)
    for line in np.unique(route[direction < 0]).tolist():
        rows = np.flatnonzero((route == line) & (direction < 0))
        stops = [tuple(call_stop[call_start[row] : call_start[row + 1]].tolist()) for row in rows.tolist()]
        found = _ways(list(dict.fromkeys(stops)))
        way[rows] = [FIRST_FOUND + found[one] for one in stops]
    return way


def _ways(lines: list[Stops]) -> dict[Stops, int]:
    """Number of the way of each sequence of stops, in the order of their first ones."""
    once = [_served_once(line) for line in lines]
    accord = np.zeros((len(lines), len(lines)), dtype=np.int64)
    pairs = []
    for one, other in combinations(range(len(lines)), 2):
        shared = [stop for stop in once[one] if stop in once[other]]
        if len(shared) >= SHARED_STOPS:
            accord[one, other] = accord[other, one] = _forward(shared, once[one], once[other])
            pairs.append((-len(shared), one, other))
    group = np.arange(len(lines))
    for _, one, other in sorted(pairs):
        kept, joined = sorted((group[one], group[other]))
        if accord[one, other] > 0 and not _against(accord, group == kept, group == joined):
            group[group == joined] = kept
    numbers = np.unique(group, return_inverse=True)[1]
    return dict(zip(lines, numbers.tolist(), strict=True))


def _served_once(line: Stops) -> dict[int, int]:
    """Place of each stop that a sequence has once."""
    stops, first, count = np.unique(np.array(line, dtype=np.int64), return_index=True, return_counts=True)
    places = sorted(zip(first[count == 1].tolist(), stops[count == 1].tolist(), strict=True))
    return {stop: place for place, stop in places}


def _forward(shared: list[int], one: dict[int, int], other: dict[int, int]) -> int:
    """Steps from stop to stop along each of two sequences that go forward in the other, less those that go back."""
    steps = 0
    for mine, theirs in ((one, other), (other, one)):
        in_order = sorted(shared, key=mine.__getitem__)
        steps += int(np.sign(np.diff([theirs[stop] for stop in in_order])).sum())
    return steps


def _against(accord: npt.NDArray[np.int64], one: npt.NDArray[np.bool_], other: npt.NDArray[np.bool_]) -> bool:
    return bool((accord[np.ix_(one, other)] < 0).any())
