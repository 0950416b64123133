"""Curves along GTFS patterns onto the streets: from metres along the shape to metres along the network's path.

The existing matcher lays each pattern's shape on the streets; points of the shape are then held against the path in
their order, and between them both ways grow evenly. Where the path breaks, and where it leaves the network, so does
the curve: it is driven in pieces.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gtfs.curves import Curves
from gtfs.pattern_lines import PatternLines, pattern_lines
from gtfs.timetable import Timetable
from networks.geometry import from_lonlat
from networks.network import FloatArray, RoadNetwork
from networks.paths import Path, places_on_paths
from sim.bus_stops import simulation_id
from sim.replay_tracks import LEAST_M, Track
from sim.transit_paths import PatternPath, pattern_paths

STEP_M = 25.0
"""Distance of the points of a shape that are held against the path."""

RADIUS_M = 60.0
"""A point farther from the path lies where the network has no street for it."""


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """An unbroken path of a pattern, and which way along it belongs to which distance along the shape.

    ``shape_m`` ascends and ``way_m`` does not fall, shape (points,) each; both grow evenly between.
    """

    path: Path
    shape_m: FloatArray
    way_m: FloatArray
    calls_m: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class CurveTracks:
    """What of a curve can be driven: a track for each piece of path that it runs along, and their share of its length.

    ``curve`` is its row; ``reason`` says why there is no track.
    """

    curve: int
    trip: int
    tracks: tuple[Track, ...]
    inside_share: float
    reason: str = ""


def curve_tracks(network: RoadNetwork, timetable: Timetable, curves: Curves, origin_s: float) -> list[CurveTracks]:
    """Tracks of all curves, in their order; each pattern is matched once.

    Parameters
    ----------
    timetable
        The one whose trips the curves name.
    origin_s
        Epoch seconds of the moment 0 of the simulation's clock.
    """
    driven = np.zeros(len(timetable.trips), dtype=np.bool_)
    driven[curves.trip] = True
    day, row_of = timetable.select(driven), np.cumsum(driven) - 1
    lines = pattern_lines(day)
    found = list(pattern_paths(day, network))
    pieces = [tuple(_pieces(network, day, lines, row, path)) for row, path in enumerate(found)]
    names = _names(timetable, curves)
    result = []
    for curve in range(len(curves)):
        pattern = int(day.trips.pattern[row_of[curves.trip[curve]]])
        points = curves.points(curve)
        time_s, distance_m = curves.time_s[points] - origin_s, curves.distance_m[points]
        result.append(_tracks(curves, curve, names[curve], found[pattern], pieces[pattern], time_s, distance_m))
    return result


def _pieces(
    network: RoadNetwork, day: Timetable, lines: PatternLines, pattern: int, found: PatternPath
) -> Iterator[Piece]:
    """Hold points of a pattern's line against its paths."""
    corners = slice(int(lines.start[pattern]), int(lines.start[pattern + 1]))
    along_m = lines.way_m[corners]
    if not found.paths or len(along_m) < 2:  # noqa: PLR2004 - no line
        return
    corner_m = from_lonlat(network.location, _lonlat(day, pattern))
    shape_m = np.linspace(0.0, along_m[-1], max(1, round(along_m[-1] / STEP_M)) + 1)
    points_m = np.column_stack([np.interp(shape_m, along_m, axis) for axis in corner_m.T])
    places = places_on_paths(found.paths, points_m, RADIUS_M)
    for row, path in enumerate(found.paths):
        on_path = places.path == row
        way_m = np.maximum.accumulate(places.way_m[on_path])
        if len(way_m) > 1 and way_m[-1] - way_m[0] >= LEAST_M:
            kept = _without_repeats(way_m)
            calls_m = found.places.way_m[found.places.path == row]
            yield Piece(path, shape_m[on_path][kept], way_m[kept], calls_m)


def _without_repeats(way_m: FloatArray) -> slice:
    """Points but those at the ends that share the path's own end: they lie beyond it."""
    first = int(np.searchsorted(way_m, way_m[0], side="right")) - 1
    last = int(np.searchsorted(way_m, way_m[-1], side="left"))
    return slice(first, last + 1)


def _lonlat(day: Timetable, pattern: int) -> FloatArray:
    """Corners of a pattern's line, degrees: those that :func:`gtfs.pattern_lines.pattern_lines` measures along."""
    shape = int(day.patterns.shape[pattern])
    if shape >= 0:
        return day.shapes.lonlat[day.shapes.points(shape)]
    stops = day.patterns.call_stop[day.patterns.calls(pattern)]
    lonlat = np.column_stack((day.stops.lon[stops], day.stops.lat[stops]))
    return lonlat[np.isfinite(lonlat).all(axis=1)]


def _tracks(
    curves: Curves,
    curve: int,
    name: str,
    found: PatternPath,
    pieces: tuple[Piece, ...],
    time_s: FloatArray,
    distance_m: FloatArray,
) -> CurveTracks:
    trip, whole_m = int(curves.trip[curve]), float(distance_m[-1] - distance_m[0]) if len(distance_m) else 0.0
    if whole_m < LEAST_M:
        return CurveTracks(curve, trip, (), 0.0, "the vehicle hardly moved")
    if not pieces:
        return CurveTracks(curve, trip, (), 0.0, "the pattern has no path on this network")
    parts = [(piece, *part) for piece in pieces if (part := _on_piece(piece, time_s, distance_m)) is not None]
    tracks = tuple(
        Track(f"{name}~{number}" if number > 1 else name, found.vehicle_class, piece.path, when_s, way_m, piece.calls_m)
        for number, (piece, when_s, way_m) in enumerate(parts, start=1)
    )
    covered_m = sum(
        min(distance_m[-1], piece.shape_m[-1]) - max(distance_m[0], piece.shape_m[0]) for piece, _, _ in parts
    )
    reason = "" if tracks else "it was never on a street of this network"
    return CurveTracks(curve, trip, tracks, min(float(covered_m / whole_m), 1.0), reason)


def _on_piece(piece: Piece, time_s: FloatArray, distance_m: FloatArray) -> tuple[FloatArray, FloatArray] | None:
    """The part of a curve along a piece, over the ways; None where it is too short to be driven.

    A point is set where the curve passes a point of the correspondence, so that nothing is lost between pings.
    """
    begin_m, end_m = max(piece.shape_m[0], distance_m[0]), min(piece.shape_m[-1], distance_m[-1])
    if end_m - begin_m < LEAST_M:
        return None
    passed_m = piece.shape_m[(piece.shape_m > distance_m[0]) & (piece.shape_m < distance_m[-1])]
    inside = (distance_m >= begin_m) & (distance_m <= end_m)
    when_s = np.concatenate((time_s[inside], _first_times(time_s, distance_m, passed_m)))
    place_m = np.concatenate((distance_m[inside], passed_m))
    order = np.lexsort((place_m, when_s))
    when_s, place_m = when_s[order], np.maximum.accumulate(place_m[order])
    kept = np.append(np.diff(when_s) > 0, True)
    way_m = np.interp(place_m[kept], piece.shape_m, piece.way_m)
    return (when_s[kept], way_m) if way_m[-1] - way_m[0] >= LEAST_M else None


def _first_times(time_s: FloatArray, distance_m: FloatArray, wanted_m: FloatArray) -> FloatArray:
    """When a curve first reaches some distances, all of them beyond its first point and before its last (s)."""
    behind = np.searchsorted(distance_m, wanted_m, side="left")
    step_m = distance_m[behind] - distance_m[behind - 1]
    share = (wanted_m - distance_m[behind - 1]) / step_m
    return time_s[behind - 1] + share * (time_s[behind] - time_s[behind - 1])


def _names(timetable: Timetable, curves: Curves) -> list[str]:
    """An id in the simulation for each curve: its trip's, with its number where a trip has several."""
    taken: dict[str, int] = {}
    names = []
    for trip in curves.trip.tolist():
        base = f"replay:{simulation_id(timetable.trips.ids[trip])}"
        taken[base] = taken.get(base, 0) + 1
        names.append(base if taken[base] == 1 else f"{base}#{taken[base]}")
    return names
