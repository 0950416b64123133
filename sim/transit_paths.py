"""Patterns of a timetable on the streets: the path that their vehicles take, and where on it they call."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
import shapely

from gtfs.timetable import Timetable
from networks.geometry import from_lonlat
from networks.kernels import distances_from_line
from networks.matching import MatchedPart, Matcher, MatchSettings, matcher
from networks.network import FloatArray, RoadNetwork
from networks.paths import Path, PathPlaces, path_over, places_on_paths
from sim.modes import mode_of

SHAPE_STEP_M = 25.0
"""Distance of the points that a shape is matched by."""

SHAPE_SETTINGS = MatchSettings(beta_m=5.0, stretch=1.4, slack_m=60.0, detour_m=200.0)
"""A shape is dense and clean: its path is hardly longer than itself. Where it is, a street is missing, and the path
breaks rather than to go a way that no bus goes. Tuned on the feeds of Northern Kentucky and Porto Alegre."""
STOPS_SETTINGS = MatchSettings(
    sigma_m=15.0, beta_m=60.0, radius_m=100.0, stretch=2.0, slack_m=400.0, detour_m=3000.0, skips=2
)
"""Where there is no shape, stops are all there is: far apart, and beside the street."""

LEAST_PART_M = 100.0
"""A shorter piece of path is none: it is a street that the shape only crosses, or one in the other direction."""

STOP_RADIUS_M = 100.0
"""A stop farther from its path is not placed."""

LEFT_M = 12.0
"""How much farther a place counts that has its stop on the left: passengers board on the right."""

NEAR_M = 30.0
SAMPLE_M = 10.0


@dataclass(frozen=True, slots=True)
class MatchQuality:
    """How well a path follows its shape.

    Attributes
    ----------
    shape_m, path_m
        Lengths.
    matched_share
        Share of the shape's length within 30 m of the path.
    on_shape_share
        Share of the path's length within 30 m of the shape; NaN without a path.
    mean_distance_m, max_distance_m
        Distance of the path from the shape; NaN without a path.
    """

    shape_m: float
    path_m: float
    matched_share: float
    on_shape_share: float
    mean_distance_m: float
    max_distance_m: float


@dataclass(frozen=True, slots=True, eq=False)
class PatternPath:
    """A pattern on the streets: unbroken paths in order, and the places of its calls on them."""

    vehicle_class: str
    paths: tuple[Path, ...]
    places: PathPlaces
    quality: MatchQuality


def pattern_paths(
    timetable: Timetable, network: RoadNetwork, on_progress: Callable[[int], None] = lambda _done: None
) -> Iterator[PatternPath]:
    """The path of each pattern, in their order. Patterns that share shape and mode are matched once.

    ``on_progress`` is called with the count of patterns done.
    """
    matcher_for = cache(lambda vehicle_class: matcher(network, vehicle_class))
    stops_m = from_lonlat(network.location, np.column_stack((timetable.stops.lon, timetable.stops.lat)))
    shapes_m = from_lonlat(network.location, timetable.shapes.lonlat)
    matched: dict[tuple[object, ...], tuple[tuple[Path, ...], MatchQuality]] = {}
    patterns = timetable.patterns
    for row in range(len(patterns)):
        calls_m = stops_m[patterns.call_stop[patterns.calls(row)]]
        shape = int(patterns.shape[row])
        line_m = calls_m if shape < 0 else shapes_m[timetable.shapes.points(shape)]
        mode = mode_of(int(timetable.routes.route_type[patterns.route[row]]))
        vehicle_class = mode.vehicle_class if mode else "bus"
        key = (vehicle_class, shape if shape >= 0 else line_m.tobytes())
        if key not in matched:
            matched[key] = _matched(network, matcher_for(vehicle_class), line_m, is_shape=shape >= 0)
        paths, quality = matched[key]
        places = places_on_paths(paths, calls_m, STOP_RADIUS_M, left_m=LEFT_M)
        yield PatternPath(vehicle_class, paths, places, quality)
        on_progress(row + 1)


def _matched(
    network: RoadNetwork, streets: Matcher, line_m: FloatArray, *, is_shape: bool
) -> tuple[tuple[Path, ...], MatchQuality]:
    line_m = line_m[np.isfinite(line_m).all(axis=1)]
    if len(line_m) < 2:  # noqa: PLR2004 - no line
        return (), MatchQuality(0.0, 0.0, 0.0, np.nan, np.nan, np.nan)
    points = _even(line_m, SHAPE_STEP_M) if is_shape else line_m
    parts = (
        streets.match(points, SHAPE_SETTINGS, _heading(points)) if is_shape else streets.match(points, STOPS_SETTINGS)
    )
    paths = tuple(path_over(network, part.edges) for part in parts if _driven_m(network, part) >= LEAST_PART_M)
    return paths, _quality(line_m, paths)


def _heading(points: FloatArray) -> FloatArray:
    """Direction of a line at its points, from the one before to the one after, as vectors of length 1."""
    ahead = np.gradient(points, axis=0)
    return np.asarray(ahead / np.maximum(np.hypot(*ahead.T), 1e-9)[:, None])


def _driven_m(network: RoadNetwork, part: MatchedPart) -> float:
    return float(network.edge_length_m[part.edges[:-1]].sum()) + part.end_m - part.begin_m


def _even(line_m: FloatArray, step_m: float) -> FloatArray:
    """Points along a line at even distances, shape (points, 2), both ends among them."""
    line = shapely.LineString(line_m)
    count = max(1, round(line.length / step_m)) + 1
    return np.asarray(shapely.get_coordinates(shapely.line_interpolate_point(line, np.linspace(0, line.length, count))))


def _quality(line_m: FloatArray, paths: tuple[Path, ...]) -> MatchQuality:
    """Compare both lines by points at even distances on each."""
    on_line = _even(line_m, SAMPLE_M)
    shape_m = float(np.hypot(*np.diff(line_m, axis=0).T).sum())
    if not paths:
        return MatchQuality(shape_m, 0.0, 0.0, np.nan, np.nan, np.nan)
    gap = np.full((1, 2), np.nan)
    path_m = np.concatenate([part for path in paths for part in (path.corner_m, gap)])
    on_path = np.concatenate([path.points_at(np.arange(0.0, path.end_m, SAMPLE_M)) for path in paths])
    off_path_m, off_line_m = distances_from_line(on_line, path_m), distances_from_line(on_path, line_m)
    return MatchQuality(
        shape_m=shape_m,
        path_m=float(sum(path.end_m for path in paths)),
        matched_share=float((off_path_m <= NEAR_M).mean()),
        on_shape_share=float((off_line_m <= NEAR_M).mean()),
        mean_distance_m=float(off_line_m.mean()),
        max_distance_m=float(off_line_m.max()),
    )
