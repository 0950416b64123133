"""Car trips whose routes together reproduce traffic counts.

How many cars take each candidate route is a generalised least squares problem (E. Cascetta, "Estimation of trip
matrices from traffic counts and survey data", Transportation Research B 18, 1984): stay near a first guess, which is
uncertain, and near the counts, which are less so, each deviation weighed by the variance that a Poisson count of that
size has. The solution is then rounded to whole cars so that the counts suffer least.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import minimize
from scipy.sparse import csc_array

from networks.faults import InputError
from networks.network import NONE, FloatArray, IntArray, RoadNetwork
from sim.candidates import candidate_routes, incidence
from sim.count_files import Count
from sim.times import HOUR_S
from sim.trips import CarTrips

GUESS_WEIGHT = 0.02
"""Weight of the first guess against the counts: a guessed flow has 50 times the variance of a counted one."""

BALANCING_ROUNDS = 5
MOST_BALANCING = 100.0
"""A counter scales the routes over it by no more than this in a round."""

MAX_ITERATIONS = 2000

LEAST_GAIN = 1e-9
"""Less is a rounding error."""


@dataclass(frozen=True, slots=True)
class CountFit:
    """One count against the cars whose routes pass there, as a row of ``counts_fit.csv``.

    ``count`` is the record's share that falls into the simulated period; ``geh`` compares hourly flows, and below 5 is
    commonly called a good fit. ``to_edge`` is empty where no turn was counted.
    """

    line: int
    edge: str
    to_edge: str
    begin_s: float
    end_s: float
    count: float
    assigned: int
    geh: float


def geh(model_veh_per_h: float, counted_veh_per_h: float) -> float:
    """GEH statistic, sqrt(2 (M - C)^2 / (M + C)), of two hourly flows; 0 where both are 0."""
    total = model_veh_per_h + counted_veh_per_h
    return abs(model_veh_per_h - counted_veh_per_h) * math.sqrt(2.0 / total) if total > 0 else 0.0


def trips_from_counts(
    network: RoadNetwork, counts: tuple[Count, ...], begin_s: float, end_s: float, seed: int
) -> tuple[CarTrips, tuple[CountFit, ...]]:
    """Car trips in [begin_s, end_s) that reproduce the counts, and how well they do, in the counts' order.

    A counted period that overlaps the simulated one in part counts in part. Cars depart evenly through the period in
    which they were counted; the time they need to reach the counter is neglected.

    Raises
    ------
    InputError
        COUNT_ROW where no vehicle was counted in the simulated period, DEMAND_NO_ROUTE where no car can drive anywhere.
    """
    used = _within(counts, begin_s, end_s)
    rng = np.random.default_rng(seed)
    counters = list(dict.fromkeys((item.edge, item.to_edge) for item in used))
    routes, guess = candidate_routes(network, counters, rng)
    departures_s: list[FloatArray] = []
    chosen: list[IntArray] = []
    fits: list[CountFit] = []
    for period in _periods(used):
        passes = incidence(routes, [(item.edge, item.to_edge) for item in period])
        counted = np.array([item.count for item in period])
        flows = route_flows(passes, counted, balanced(passes, counted, guess))
        cars = whole_cars(passes, counted, flows, rng)
        chosen.append(np.repeat(np.arange(len(routes), dtype=np.int32), cars))
        departures_s.append(rng.uniform(period[0].begin_s, period[0].end_s, len(chosen[-1])))
        fits += _fits(network, period, passes @ cars)
    trips = _in_order(routes, np.concatenate(departures_s), np.concatenate(chosen))
    return trips, tuple(sorted(fits, key=lambda fit: fit.line))


def _within(counts: tuple[Count, ...], begin_s: float, end_s: float) -> list[Count]:
    used = [_clipped(item, begin_s, end_s) for item in counts if item.begin_s < end_s and item.end_s > begin_s]
    if any(item.count > 0 for item in used):
        return used
    raise InputError(
        "COUNT_ROW",
        "no vehicle was counted between the simulation's begin and end",
        field="begin",
        remedy="Do the counts and the scenario speak of the same hours?",
    )


def _clipped(item: Count, begin_s: float, end_s: float) -> Count:
    first_s, last_s = max(item.begin_s, begin_s), min(item.end_s, end_s)
    share = (last_s - first_s) / (item.end_s - item.begin_s)
    return replace(item, begin_s=first_s, end_s=last_s, count=item.count * share)


def _periods(counts: list[Count]) -> Iterator[list[Count]]:
    """Counts by period, in order of time."""
    for begin_s in sorted({item.begin_s for item in counts}):
        yield [item for item in counts if item.begin_s == begin_s]


def route_flows(passes: csc_array, counted: FloatArray, guess: FloatArray) -> FloatArray:
    """Cars on each route (not whole ones) by generalised least squares, none negative, shape (routes,).

    Minimises sum (A x - b)^2 / max(b, 1) + w sum (x - g)^2 / g over x >= 0.

    Parameters
    ----------
    passes
        A: how often each route passes each counter, shape (counters, routes).
    counted
        b, shape (counters,).
    guess
        Proportions of g, above zero, shape (routes,); scaled so that A g sums up to what was counted. Routes that pass
        no counter get no cars.
    """
    on_route = np.diff(passes.indptr) > 0
    total = float((passes @ guess).sum())
    if total == 0.0 or counted.sum() == 0.0:
        return np.zeros(len(guess))
    root = np.sqrt(guess * on_route * counted.sum() / total)
    scale = 1.0 / np.sqrt(np.maximum(counted, 1.0))
    design, target = (passes * scale[:, None] * root).tocsr(), counted * scale

    def loss(flow: FloatArray) -> tuple[float, FloatArray]:
        miss, drift = design @ flow - target, flow - root
        value = float(miss @ miss + GUESS_WEIGHT * (drift @ drift))
        return value, 2.0 * (design.T @ miss + GUESS_WEIGHT * drift)

    bounds = np.column_stack((np.zeros(len(root)), np.full(len(root), np.inf)))
    options = {"maxiter": MAX_ITERATIONS, "maxfun": MAX_ITERATIONS, "ftol": 1e-15, "gtol": 1e-9}
    solved = minimize(loss, root, jac=True, method="L-BFGS-B", bounds=bounds, options=options)
    return np.asarray(solved.x * root, dtype=np.float64)


def balanced(passes: csc_array, counted: FloatArray, guess: FloatArray) -> FloatArray:
    """Bring a guess near the counts, one counter after the other, before it may pull on them, shape (routes,).

    A few rounds of iterative proportional fitting (H. J. Van Zuylen and L. G. Willumsen, "The most likely trip matrix
    estimated from traffic counts", Transportation Research B 14, 1980). Otherwise a route guessed at next to nothing
    would be held there.
    """
    rows = passes.tocsr()
    flows = guess.copy()
    for _ in range(BALANCING_ROUNDS):
        for counter in range(len(counted)):
            span = slice(rows.indptr[counter], rows.indptr[counter + 1])
            on_it = rows.indices[span]
            passed = float(rows.data[span] @ flows[on_it])
            if passed > 0:
                flows[on_it] *= np.clip(counted[counter] / passed, 1 / MOST_BALANCING, MOST_BALANCING)
    return flows


def whole_cars(passes: csc_array, counted: FloatArray, flows: FloatArray, rng: np.random.Generator) -> IntArray:
    """Round flows to whole cars, then add and take away single cars as long as the counts gain by it, shape (routes,).

    The measure is that of :func:`route_flows`, with the flows themselves in place of the guess.
    """
    weight = 1.0 / np.maximum(counted, 1.0)
    pull = GUESS_WEIGHT / np.maximum(flows, 1.0)
    cars = np.diff(np.floor(np.concatenate(([0.0], np.cumsum(flows))) + rng.random()))
    slope = passes.T @ (weight * (passes @ cars - counted)) + pull * (cars - flows)
    bend = passes.power(2).T @ weight + pull
    while True:
        more, fewer = bend + 2.0 * slope, np.where(cars > 0, bend - 2.0 * slope, np.inf)
        up, down = int(more.argmin()), int(fewer.argmin())
        route, step = (up, 1.0) if more[up] <= fewer[down] else (down, -1.0)
        if min(more[up], fewer[down]) >= -LEAST_GAIN:
            return cars.astype(np.int32)
        cars[route] += step
        slope += step * (passes.T @ (weight * passes[:, [route]].toarray().ravel()))
        slope[route] += step * pull[route]


def _fits(network: RoadNetwork, period: list[Count], assigned: FloatArray) -> Iterator[CountFit]:
    ids = network.edges.ids
    for item, cars in zip(period, assigned.tolist(), strict=True):
        per_hour = HOUR_S / (item.end_s - item.begin_s)
        yield CountFit(
            line=item.line,
            edge=ids[item.edge],
            to_edge="" if item.to_edge == NONE else ids[item.to_edge],
            begin_s=item.begin_s,
            end_s=item.end_s,
            count=item.count,
            assigned=int(cars),
            geh=geh(cars * per_hour, item.count * per_hour),
        )


def _in_order(routes: list[IntArray], departures_s: FloatArray, chosen: IntArray) -> CarTrips:
    order = np.argsort(departures_s, kind="stable")
    tenths_s = np.floor(departures_s[order] * 10.0) / 10.0
    return CarTrips(departures_s=tenths_s, routes=tuple(routes[number] for number in chosen[order].tolist()))
