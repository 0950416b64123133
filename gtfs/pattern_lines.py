"""Patterns as lines: the way that vehicles take, in metres, and where along it the calls are."""

from dataclasses import dataclass

import numpy as np

from gtfs.columns import Rows, starts
from gtfs.timetable import Timetable
from networks.kernels import places_in_order
from networks.network import FloatArray

STOP_RADIUS_M = 500.0
"""A stop farther from its pattern's line has no place on it of its own."""

PIECE_M = 50.0
"""Stops keep their order from piece to piece of a line, so that pieces have to be shorter than the way between stops:
on a straight street out and back all would find places on the way out."""

EARTH_AXIS_M = 6_378_137.0
FLATTENING = 1 / 298.257223563
"""Of the WGS 84 ellipsoid."""


@dataclass(frozen=True, slots=True, eq=False)
class PatternLines:
    """Lines of all patterns, those of pattern ``p`` in rows ``start[p]:start[p + 1]``.

    Attributes
    ----------
    start
        Shape (patterns + 1,).
    corner_m
        East and north of the pattern's own origin, shape (corners, 2).
    way_m
        Along the line up to each corner, shape (corners,).
    frame
        Of each pattern the longitude and latitude of its origin and the metres that a degree of either measures there,
        shape (patterns, 4).
    call_way_m
        Along the line up to each call, in the rows of the timetable's ``patterns.call_stop``, not falling along a
        pattern, shape (calls,).
    """

    start: Rows
    corner_m: FloatArray
    way_m: FloatArray
    frame: FloatArray
    call_way_m: FloatArray


def pattern_lines(timetable: Timetable) -> PatternLines:
    """The line of each pattern: its shape, or through its stops where it has none."""
    patterns = timetable.patterns
    lonlat = [_corners(timetable, pattern) for pattern in range(len(patterns))]
    frames = [_frame(corners) for corners in lonlat]
    lines = [_metres(corners, frame) for corners, frame in zip(lonlat, frames, strict=True)]
    ways = [_way_m(line) for line in lines]
    calls = [
        _call_way_m(timetable, pattern, frame, line, way)
        for pattern, (frame, line, way) in enumerate(zip(frames, lines, ways, strict=True))
    ]
    return PatternLines(
        start=starts(np.array([len(line) for line in lines], dtype=np.int32)),
        corner_m=np.concatenate([np.empty((0, 2)), *lines]),
        way_m=np.concatenate([np.empty(0), *ways]),
        frame=np.array(frames, dtype=np.float64).reshape(-1, 4),
        call_way_m=np.concatenate([np.empty(0), *calls]),
    )


def _corners(timetable: Timetable, pattern: int) -> FloatArray:
    shape = int(timetable.patterns.shape[pattern])
    if shape >= 0:
        return timetable.shapes.lonlat[timetable.shapes.points(shape)]
    lonlat = _stops(timetable, pattern)
    return lonlat[np.isfinite(lonlat).all(axis=1)]


def _stops(timetable: Timetable, pattern: int) -> FloatArray:
    stops = timetable.patterns.call_stop[timetable.patterns.calls(pattern)]
    return np.column_stack((timetable.stops.lon[stops], timetable.stops.lat[stops]))


def _frame(lonlat: FloatArray) -> tuple[float, float, float, float]:
    """Origin of a plane that touches the ellipsoid amid a line, and the metres of its degrees."""
    if not len(lonlat):
        return 0.0, 0.0, 1.0, 1.0
    lon, lat = (lonlat.min(axis=0) + lonlat.max(axis=0)) / 2
    squeeze = FLATTENING * (2 - FLATTENING)
    bend = 1 - squeeze * np.sin(np.radians(lat)) ** 2
    east_m = EARTH_AXIS_M / np.sqrt(bend) * np.cos(np.radians(lat))
    north_m = EARTH_AXIS_M * (1 - squeeze) / bend**1.5
    return float(lon), float(lat), float(np.radians(east_m)), float(np.radians(north_m))


def _metres(lonlat: FloatArray, frame: tuple[float, float, float, float]) -> FloatArray:
    lon, lat, east_m, north_m = frame
    return np.ascontiguousarray((lonlat - (lon, lat)) * (east_m, north_m))


def _way_m(line_m: FloatArray) -> FloatArray:
    if not len(line_m):
        return np.empty(0)
    return np.concatenate(([0.0], np.cumsum(np.hypot(*np.diff(line_m, axis=0).T))))


def _call_way_m(
    timetable: Timetable, pattern: int, frame: tuple[float, float, float, float], line_m: FloatArray, way_m: FloatArray
) -> FloatArray:
    """Places of calls in their order; one without a place of its own gets one between its neighbours'."""
    stops_m = _metres(_stops(timetable, pattern), frame)
    place_m, _ = places_in_order(stops_m, *_in_pieces(line_m, way_m), STOP_RADIUS_M, 0.0)
    known = np.flatnonzero(np.isfinite(place_m))
    if not len(known):
        return np.linspace(0.0, float(way_m[-1]) if len(way_m) else 0.0, len(place_m))
    rows = np.arange(len(place_m))
    return np.maximum.accumulate(np.interp(rows, rows[known], place_m[known]))


def _in_pieces(line_m: FloatArray, way_m: FloatArray) -> tuple[FloatArray, FloatArray]:
    """A line with more corners, none farther than a piece from the one before, and the way up to each."""
    length_m = np.diff(way_m)
    pieces = np.maximum(np.ceil(length_m / PIECE_M), 1).astype(np.int32)
    row = np.repeat(np.arange(len(pieces)), pieces)
    share = (np.arange(len(row)) - starts(pieces)[row]) / pieces[row]
    corners_m = line_m[row] + share[:, None] * np.diff(line_m, axis=0)[row]
    return np.concatenate((corners_m, line_m[-1:])), np.concatenate((way_m[row] + share * length_m[row], way_m[-1:]))
