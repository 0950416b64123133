"""Accident records for a city that has none: made up from a seed, believable in number, place and time.

How many happen at a crossing follows the Highway Safety Manual's first edition (chapter 12, urban and suburban
arterials, multiple-vehicle collisions): a negative binomial count around N = exp(a + b ln major + c ln minor) a year,
its volumes guessed from the classes of the streets. Between crossings they follow the distance driven.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from networks.geometry import to_lonlat
from networks.network import FloatArray, RoadNetwork
from networks.sites import Site, find_sites
from sim.road_classes import road_class_figures

FIRST_MINUTE = np.datetime64("2022-01-01T00:00")
YEARS = 3
DAYS_PER_YEAR = 365
PEAK_HOURS_PER_DAY = 10.0
"""A day carries ten times the traffic of its busiest hour."""

LEAST_PER_LANE_VEH_PER_H = 25.0
"""Busiest hour of a lane on which nobody drives through."""

SITE_SCATTER_M = 9.0
"""Spread of the recorded places around the middle of a crossing."""

ALONG_STREETS_PER_MILLION_VEH_KM = 0.6
"""Crashes away from crossings; a usual size in cities."""

SEVERITIES = ("damage", "injury", "fatal")
SEVERITY_SHARES = (0.70, 0.292, 0.008)
AT_CROSSINGS = {
    "rear-end": 0.34,
    "angle": 0.28,
    "turning": 0.18,
    "sideswipe": 0.08,
    "bicycle": 0.07,
    "pedestrian": 0.05,
}
ALONG_STREETS = {"rear-end": 0.36, "sideswipe": 0.24, "parked vehicle": 0.2, "single vehicle": 0.14, "pedestrian": 0.06}

HOUR_WEIGHTS = (1, 1, 1, 1, 1, 2, 4, 8, 8, 6, 5, 6, 6, 6, 7, 8, 10, 11, 9, 6, 4, 3, 2, 2)
"""Crashes by the hour of the day, from midnight."""


@dataclass(frozen=True, slots=True)
class SafetyFunction:
    """Crashes a year N = exp(a + b ln major + c ln minor), volumes in vehicles a day; k is the overdispersion."""

    a: float
    b: float
    c: float
    k: float


SAFETY_FUNCTIONS = {
    (True, 3): SafetyFunction(-12.13, 1.11, 0.26, 0.33),
    (True, 4): SafetyFunction(-10.99, 1.07, 0.23, 0.39),
    (False, 3): SafetyFunction(-13.36, 1.11, 0.41, 0.80),
    (False, 4): SafetyFunction(-8.90, 0.82, 0.25, 0.40),
}
"""By whether there is a signal, and legs (more than four count as four)."""


@dataclass(frozen=True, slots=True)
class MadeUpCrash:
    """A record of ``crashes-synthetic.csv``; ``synthetic`` is in every row, so that no copy of it loses the label."""

    lon: float
    lat: float
    time: str
    severity: str
    type: str
    street: str
    cross_street: str
    synthetic: str = "yes"


def made_up_crashes(network: RoadNetwork, seed: int) -> tuple[MadeUpCrash, ...]:
    """Three years of made-up crashes, in order of time."""
    rng = np.random.default_rng(seed)
    daily = guessed_daily_veh(network)
    crashes = [crash for site in find_sites(network) for crash in _at_site(network, daily, site, rng)]
    crashes += _along_streets(network, daily, rng)
    return tuple(sorted(crashes, key=lambda crash: (crash.time, crash.lon, crash.lat)))


def guessed_daily_veh(network: RoadNetwork) -> FloatArray:
    """Vehicles a day on each edge, guessed from its class and lanes, shape (edges,)."""
    through_veh_per_h, _, _ = road_class_figures(network)
    per_lane = PEAK_HOURS_PER_DAY * np.maximum(through_veh_per_h, LEAST_PER_LANE_VEH_PER_H)
    return np.where(network.edges_for("passenger"), per_lane * np.diff(network.edges.lane_start), 0.0)


def expected_per_year(network: RoadNetwork, daily_veh: FloatArray, site: Site) -> float:
    """Mean crashes a year at a crossing: the busiest street that enters it is major, the others together minor."""
    by_street: dict[str, float] = {}
    for junction in site.junctions:
        for edge in network.incoming_edges(junction).tolist():
            if int(network.edges.from_junction[edge]) not in site.junctions:
                name = network.edges.names[edge] or network.edges.ids[edge]
                by_street[name] = by_street.get(name, 0.0) + float(daily_veh[edge])
    major, *minor = sorted(by_street.values(), reverse=True)
    curve = _safety_function(site)
    return float(np.exp(curve.a + curve.b * np.log(max(major, 1.0)) + curve.c * np.log(max(sum(minor), 1.0))))


def _safety_function(site: Site) -> SafetyFunction:
    return SAFETY_FUNCTIONS[bool(site.signals), min(site.legs, 4)]


def _at_site(
    network: RoadNetwork, daily_veh: FloatArray, site: Site, rng: np.random.Generator
) -> Iterator[MadeUpCrash]:
    mean = YEARS * expected_per_year(network, daily_veh, site)
    count = negative_binomial(mean, _safety_function(site).k, rng)
    points_m = rng.normal((site.x_m, site.y_m), SITE_SCATTER_M, (count, 2))
    street, cross_street, *_ = (*site.street_names, "", "")
    yield from _records(network, points_m, AT_CROSSINGS, [(street, cross_street)] * count, rng)


def negative_binomial(mean: float, k: float, rng: np.random.Generator) -> int:
    """Draw a count of variance mean + k mean^2: Poisson around a mean that is gamma distributed from site to site."""
    return int(rng.poisson(rng.gamma(1.0 / k, k * mean)))


def _along_streets(network: RoadNetwork, daily_veh: FloatArray, rng: np.random.Generator) -> Iterator[MadeUpCrash]:
    """Poisson by distance driven, anywhere along the middle of an edge."""
    veh_km = daily_veh * network.edge_length_m / 1000.0 * DAYS_PER_YEAR * YEARS
    counts = rng.poisson(ALONG_STREETS_PER_MILLION_VEH_KM * veh_km / 1e6)
    edges = np.repeat(np.arange(len(counts)), counts)
    points_m = np.array([_point_along(network.edge_shape_m(edge), rng.random()) for edge in edges.tolist()])
    names = [(network.edges.names[edge], "") for edge in edges.tolist()]
    yield from _records(network, points_m, ALONG_STREETS, names, rng)


def _point_along(shape_m: FloatArray, share: float) -> tuple[float, float]:
    along_m = np.concatenate(([0.0], np.cumsum(np.hypot(*np.diff(shape_m, axis=0).T))))
    where_m = share * along_m[-1]
    return float(np.interp(where_m, along_m, shape_m[:, 0])), float(np.interp(where_m, along_m, shape_m[:, 1]))


def _records(
    network: RoadNetwork,
    points_m: FloatArray,
    types: dict[str, float],
    names: list[tuple[str, str]],
    rng: np.random.Generator,
) -> Iterator[MadeUpCrash]:
    for (lon, lat), (street, cross_street) in zip(to_lonlat(network.location, points_m).tolist(), names, strict=True):
        yield MadeUpCrash(
            lon=round(lon, 6),
            lat=round(lat, 6),
            time=_moment(rng),
            severity=str(rng.choice(SEVERITIES, p=SEVERITY_SHARES)),
            type=str(rng.choice(list(types), p=list(types.values()))),
            street=street,
            cross_street=cross_street,
        )


def _moment(rng: np.random.Generator) -> str:
    hours = np.array(HOUR_WEIGHTS) / sum(HOUR_WEIGHTS)
    minute = rng.integers(YEARS * DAYS_PER_YEAR) * 1440 + rng.choice(len(hours), p=hours) * 60 + rng.integers(60)
    return str(FIRST_MINUTE + np.timedelta64(int(minute), "m"))
