"""Car traffic by volume and road class alone, where nobody has counted. It is synthetic, and must be shown as such.

Trips begin and end where roads leave the map, by the class of the road, and along the streets inside, by their length.
Their ends are paired by travel time (a gravity model), their routes are cheapest paths under travel times that differ
from driver to driver, and they depart at random around a mild peak in the middle of the period.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from networks.faults import InputError
from networks.graph import BoolArray, Router, Trees, router
from networks.network import FloatArray, IntArray, RoadNetwork
from sim.road_classes import road_class_figures
from sim.times import HOUR_S
from sim.trips import VEHICLE_CLASS, CarTrips

TRIP_SCALE_S = 300.0
"""The chance of a destination falls by e with each such time on an empty road: the mean trip of a large city is twice
that, of a small map what the map allows."""

SHORTEST_TRIP_M = 500.0
"""Nearer than this (straight) one walks; on a small map the limit is a fifth of its diagonal."""

SHORTEST_FIRST_EDGE_M = 20.0
"""Shorter streets take no departures: a car needs room to enter."""

COST_SETS = 6
COST_SPREAD = 0.25
"""Drivers see one of six sets of travel times, each edge's off by this relative spread (lognormal)."""

MAX_SEARCHES = 2000
"""Path searches at most for a draw; beyond, several trips share an origin and the travel times they see."""

PEAK = 0.25
"""Departures per second in the middle of the period exceed those at its ends by this share."""


def synthetic_trips(
    network: RoadNetwork, vehicles_per_hour: float, begin_s: float, end_s: float, seed: int
) -> CarTrips:
    """Car trips that depart in [begin_s, end_s): ``vehicles_per_hour`` times the hours, rounded.

    Raises
    ------
    InputError
        CONFIG_VALUE where that is less than one car, DEMAND_NO_ROUTE where no car can get anywhere.
    """
    count = round(vehicles_per_hour * (end_s - begin_s) / HOUR_S)
    if count < 1:
        raise InputError(
            "CONFIG_VALUE",
            f"{vehicles_per_hour:g} vehicles an hour in {end_s - begin_s:g} s make no vehicle",
            field="vehicles_per_hour",
            remedy="Ask for more, or for a longer period",
        )
    rng = np.random.default_rng(seed)
    routes = random_routes(network, router(network, VEHICLE_CLASS), count, rng)
    return CarTrips(departures_s=random_departures_s(count, begin_s, end_s, rng), routes=tuple(routes))


def random_departures_s(count: int, begin_s: float, end_s: float, rng: np.random.Generator) -> FloatArray:
    """Departures (s, full tenths) in [begin_s, end_s), ascending, independent around a mild peak, shape (count,)."""
    share = np.linspace(0.0, 1.0, 1001)
    arrived = share + PEAK * (1.0 - np.cos(np.pi * share)) / np.pi
    drawn = np.interp(rng.random(count) * arrived[-1], arrived, share)
    tenths = np.floor((begin_s + drawn * (end_s - begin_s)) * 10.0) / 10.0
    return np.sort(np.maximum(tenths, begin_s))


def random_routes(network: RoadNetwork, roads: Router, count: int, rng: np.random.Generator) -> list[IntArray]:
    """Routes of ``count`` believable car trips, in random order, as network rows of edges.

    Raises
    ------
    InputError
        DEMAND_NO_ROUTE where no car can get from any street to another.
    """
    city = _City.of(network, roads)
    costs_s = _cost_sets_s(network, roads, rng)
    routes: list[IntArray] = []
    while len(routes) < count:
        drawn = list(_draw_routes(city, costs_s, count - len(routes), rng))
        if not drawn:
            raise InputError(
                "DEMAND_NO_ROUTE",
                "no car can drive from any street of this network to another",
                remedy="Was the network built for cars?",
            )
        routes += drawn
    return [routes[number] for number in rng.permutation(count)]


@dataclass(frozen=True, slots=True, eq=False)
class _City:
    """Where trips begin and end: edges (network rows), how many trips an hour, and where (m), for each side."""

    roads: Router
    origins: IntArray
    origin_weight: FloatArray
    origin_m: FloatArray
    destinations: IntArray
    destination_weight: FloatArray
    destination_m: FloatArray
    shortest_m: float

    @staticmethod
    def of(network: RoadNetwork, roads: Router) -> "_City":
        junctions, edges = network.junctions, network.edges
        points_m = np.column_stack((junctions.x_m, junctions.y_m))
        entering, leaving = _border(network, roads)
        origins, origin_weight = _ends(network, roads, entering, SHORTEST_FIRST_EDGE_M)
        destinations, destination_weight = _ends(network, roads, leaving, 0.0)
        used_m = points_m[edges.to_junction[roads.edges]]
        return _City(
            roads=roads,
            origins=origins,
            origin_weight=origin_weight,
            origin_m=points_m[edges.from_junction[origins]],
            destinations=destinations,
            destination_weight=destination_weight,
            destination_m=points_m[edges.to_junction[destinations]],
            shortest_m=min(SHORTEST_TRIP_M, 0.2 * float(np.hypot(*np.ptp(used_m, axis=0)))),
        )


def _border(network: RoadNetwork, roads: Router) -> tuple[BoolArray, BoolArray]:
    """Masks (nodes,) of the edges that nothing leads into and of those that lead nowhere, turning back aside."""
    begins = network.edges.from_junction[roads.edges]
    ends = network.edges.to_junction[roads.edges]
    tails, heads = roads.turn_from, roads.turn_to
    onward = begins[tails] != ends[heads]
    entering = np.bincount(heads[onward], minlength=len(begins)) == 0
    leaving = np.bincount(tails[onward], minlength=len(begins)) == 0
    return entering, leaving


def _ends(network: RoadNetwork, roads: Router, at_border: BoolArray, shortest_m: float) -> tuple[IntArray, FloatArray]:
    """Edges where trips begin (or end) and how many an hour, by road class; only in the largest connected part."""
    through, local, _ = (figures[roads.edges] for figures in road_class_figures(network))
    lanes = np.diff(network.edges.lane_start)[roads.edges]
    length_m = network.edge_length_m[roads.edges]
    weight = local * length_m / 1000.0 * (length_m >= shortest_m)
    weight = np.where(at_border & (through > 0), through * lanes, weight)
    chosen = np.flatnonzero((weight > 0) & roads.connected_part()[roads.edges])
    return roads.edges[chosen], weight[chosen]


def _cost_sets_s(network: RoadNetwork, roads: Router, rng: np.random.Generator) -> FloatArray:
    """What drivers take the edges to cost, shape (sets, nodes)."""
    cost_s = roads.travel_time_s * road_class_figures(network)[2][roads.edges]
    return cost_s * np.exp(rng.normal(0.0, COST_SPREAD, (COST_SETS, len(cost_s))))


def _draw_routes(city: _City, costs_s: FloatArray, count: int, rng: np.random.Generator) -> Iterator[IntArray]:
    """At most ``count`` routes; fewer where an origin turns out to lead nowhere."""
    if not len(city.origins) or not len(city.destinations):
        return
    searches = min(count, MAX_SEARCHES)
    chosen = _even_draw(city.origin_weight, searches, rng)
    trips = np.full(searches, count // searches)
    trips[: count % searches] += 1
    for number, cost_s in enumerate(costs_s):
        mine = np.arange(number, searches, len(costs_s))
        for batch in city.roads.batches(len(mine)):
            rows = mine[batch]
            trees = city.roads.trees(city.origins[chosen[rows]], cost_s)
            origin, destination = _pair(city, trees, chosen[rows], trips[rows], rng)
            yield from trees.paths(origin, city.destinations[destination])


def _even_draw(weight: FloatArray, count: int, rng: np.random.Generator) -> IntArray:
    """Draw rows by weight with as little scatter as possible (systematic sampling), in random order, shape (count,)."""
    total = np.cumsum(weight)
    points = (np.arange(count) + rng.random()) / count * total[-1]
    rows = np.minimum(np.searchsorted(total, points, side="right"), len(weight) - 1)
    return rng.permutation(rows).astype(np.int32)


def _pair(
    city: _City, trees: Trees, chosen: IntArray, trips: IntArray, rng: np.random.Generator
) -> tuple[IntArray, IntArray]:
    """Draw ``trips`` destinations for each tree by the gravity model: (row of the tree, row of the destination)."""
    cost_s = trees.cost_s[:, city.roads.node_of_edge[city.destinations]]
    apart_m = np.hypot(*(city.origin_m[chosen][:, None, :] - city.destination_m[None, :, :]).transpose(2, 0, 1))
    is_trip = (cost_s > 0) & (apart_m >= city.shortest_m)
    weight = city.destination_weight * np.exp(-cost_s / TRIP_SCALE_S) * is_trip
    total = np.cumsum(weight, axis=1)
    leads_somewhere = np.flatnonzero(total[:, -1] > 0)
    origin = np.repeat(leads_somewhere, trips[leads_somewhere]).astype(np.int32)
    points = rng.random(len(origin)) * total[origin, -1]
    destination = [
        int(np.searchsorted(total[row], point, side="right")) for row, point in zip(origin, points, strict=True)
    ]
    return origin, np.array(destination, dtype=np.int32)
