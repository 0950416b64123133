"""Routes that cars may take past given counters."""

from itertools import pairwise

import numpy as np
from scipy.sparse import csc_array

from networks.graph import Router, Trees, router
from networks.network import NONE, FloatArray, IntArray, RoadNetwork
from sim.synthetic import random_routes
from sim.trips import VEHICLE_CLASS

POOL_ROUTES = 6000
"""Synthetic routes drawn as candidates; those that pass no counter are dropped."""

ROUTES_PER_COUNTER = 12
"""Counters that fewer candidates pass get candidates of their own."""

ENDS_TRIED = 40
"""Origins and destinations that are joined through a counter when it needs candidates of its own."""

MAX_DETOUR = 1.5
"""A candidate led through a counter takes at most this many times the time of the fastest path."""

Counter = tuple[int, int]
"""A counted edge and the edge turned into, or NONE where every turn counts (network rows)."""


def candidate_routes(
    network: RoadNetwork, counters: list[Counter], rng: np.random.Generator
) -> tuple[list[IntArray], FloatArray]:
    """Different routes, each past some counter, and how often each was drawn: the first guess of its share.

    A counter that no car can pass has none.

    Raises
    ------
    InputError
        DEMAND_NO_ROUTE where no car can drive anywhere.
    """
    roads = router(network, VEHICLE_CLASS)
    pool = random_routes(network, roads, POOL_ROUTES, rng)
    passes = incidence(pool, counters)
    found: dict[bytes, IntArray] = {}
    drawn: dict[bytes, float] = {}
    for number in np.flatnonzero(np.diff(passes.indptr)).tolist():
        _add(pool[number], found, drawn)
    different = incidence(list(found.values()), counters)
    needy = [counters[row] for row in np.flatnonzero(different.count_nonzero(axis=1) < ROUTES_PER_COUNTER)]
    for route in _led_routes(roads, needy, pool[:ENDS_TRIED]):
        _add(route, found, drawn)
    return list(found.values()), np.array(list(drawn.values()), dtype=np.float64)


def _add(route: IntArray, found: dict[bytes, IntArray], drawn: dict[bytes, float]) -> None:
    key = route.tobytes()
    found[key] = route
    drawn[key] = drawn.get(key, 0.0) + 1.0


def incidence(routes: list[IntArray], counters: list[Counter]) -> csc_array:
    """How often each route passes each counter, shape (counters, routes)."""
    row_of = {counter: row for row, counter in enumerate(counters)}
    rows: list[int] = []
    starts = [0]
    for route in routes:
        edges = route.tolist()
        steps = [*((edge, NONE) for edge in edges), *pairwise(edges)]
        rows += [row_of[step] for step in steps if step in row_of]
        starts.append(len(rows))
    ones = np.ones(len(rows))
    matrix = csc_array((ones, np.array(rows, dtype=np.int32), starts), shape=(len(counters), len(routes)))
    matrix.sum_duplicates()
    return matrix


def _led_routes(roads: Router, counters: list[Counter], pool: list[IntArray]) -> list[IntArray]:
    """For each counter, routes from the pool's origins to its destinations that lead through it."""
    if not counters:
        return []
    origins = np.unique([route[0] for route in pool]).astype(np.int32)
    destinations = np.unique([route[-1] for route in pool]).astype(np.int32)
    towards = roads.trees(origins)
    return [route for counter in counters for route in _through(roads, counter, towards, destinations)]


def _through(roads: Router, counter: Counter, towards: Trees, destinations: IntArray) -> list[IntArray]:
    """Routes past one counter with little detour; where there are none, a trip that is just the counter's edges."""
    turn = np.array([edge for edge in counter if edge != NONE], dtype=np.int32)
    away = roads.trees(turn[-1:])
    targets = roads.node_of_edge[destinations]
    through_s = towards.cost_s[:, roads.node_of_edge[turn[:1]]] + away.cost_s[:, targets]
    begins, ends = np.nonzero(through_s <= MAX_DETOUR * towards.cost_s[:, targets])
    some = np.linspace(0, len(begins) - 1, min(len(begins), ROUTES_PER_COUNTER)).astype(np.int32)
    same = np.zeros(len(some), dtype=np.int32)
    heads = towards.paths(begins[some].astype(np.int32), turn[same])
    tails = away.paths(same, destinations[ends[some]])
    joined = [np.concatenate((head[:-1], turn, tail[1:])) for head, tail in zip(heads, tails, strict=True)]
    return [route for route in joined if len(np.unique(route)) == len(route)] or [turn]
