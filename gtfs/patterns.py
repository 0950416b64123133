"""Trips with the same route, direction, shape and stops are one pattern."""

from collections import Counter
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from gtfs.columns import Rows


def group(keys: Iterable[tuple[int, int, int, bytes]], departures: npt.NDArray[np.integer]) -> tuple[Rows, Rows, Rows]:
    """Patterns of trips, ordered by route and direction, then by departures, most first, then by appearance.

    Parameters
    ----------
    keys
        Route, direction, shape and stops of each trip.
    departures
        How often each trip departs, shape (trips,).

    Returns
    -------
    first, number, pattern
        The first trip of each pattern, and its number among those of its route and direction, from 1, shape
        (patterns,); the pattern of each trip, shape (trips,).
    """
    found: dict[tuple[int, int, int, bytes], int] = {}
    rows = np.array([found.setdefault(key, len(found)) for key in keys], dtype=np.int32)
    often = np.bincount(rows, weights=departures, minlength=len(found)).astype(np.int64)
    route, direction = (np.array([key[part] for key in found], dtype=np.int32) for part in (0, 1))
    order = np.lexsort((-often, direction, route))
    place = np.empty(len(found), dtype=np.int32)
    place[order] = np.arange(len(found))
    _, first = np.unique(rows, return_index=True)
    seen: Counter[tuple[int, int]] = Counter()
    numbers = []
    for key in zip(route[order].tolist(), direction[order].tolist(), strict=True):
        seen[key] += 1
        numbers.append(seen[key])
    return first[order].astype(np.int32), np.array(numbers, dtype=np.int32), place[rows]
