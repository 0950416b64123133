"""Shapes of a feed: too short to be one, distances that shrink, stops that lie far from where their trips go."""

from collections.abc import Iterator

import numpy as np
import shapely

from gtfs.call_order import CallOrder, Rows, first_rows
from gtfs.check_places import sound_places
from gtfs.feed import Feed
from gtfs.findings import Fault, found, found_at
from gtfs.tables import Flags, Floats
from networks.faults import Notice

METRES_PER_DEGREE = 111_195.0
FAR_M = 200.0
"""A stop farther from the way of its trips is on another way, or the way is cut short. The yards of bus stations are
smaller: of 33,837 pairs of a shape and a stop in eleven feeds nine are more than 150 m apart, and four more than this.
"""


def check_shapes(feed: Feed, calls: CallOrder) -> Iterator[Notice]:
    """GTFS_SHAPE, GTFS_SHAPE_DISTANCE and GTFS_STOP_FAR: warnings, as the trips run, if not where they are meant to."""
    trip_distance = feed.read["stop_times"].numbers("shape_dist_traveled")[calls.row]
    yield from _shrinking(feed, "stop_times", calls.row, calls.trip, trip_distance)
    if "shapes" not in feed.read:
        return
    shapes = feed.read["shapes"]
    fault = Fault("GTFS_SHAPE", "shapes", "shape_id", "Give the shape two points, or leave it out", "warning")
    counts = shapes.frame.groupby("shape_id")["shape_id"].transform("size").fillna(0).to_numpy()
    yield from found(feed, fault, (counts < 2) & ~shapes.blank("shape_id"))  # noqa: PLR2004 - a line has two ends
    shape = first_rows(shapes.frame["shape_id"], shapes.frame["shape_id"])
    row = np.flatnonzero((shape >= 0) & ~np.isnan(shapes.numbers("shape_pt_sequence")))
    row = row[np.lexsort((shapes.numbers("shape_pt_sequence")[row], shape[row]))]
    yield from _shrinking(feed, "shapes", row, shape[row], shapes.numbers("shape_dist_traveled")[row])
    yield from _far_stops(feed, calls, row, shape[row])


def _shrinking(feed: Feed, table: str, row: Rows, owner: Rows, distance: Floats) -> Iterator[Notice]:
    """Distances below the one before, blank ones passed over; at the first record in the file."""
    given = np.flatnonzero(~np.isnan(distance))
    smaller = (np.diff(distance[given]) < 0) & (np.diff(owner[given]) == 0)
    places = given[1:][smaller]
    where = np.zeros(len(feed.read[table].frame), dtype=np.bool_)
    where[row[places]] = True
    fault = Fault("GTFS_SHAPE_DISTANCE", table, "shape_dist_traveled", "Let distances grow along the way", "warning")
    yield from found(feed, fault, where)


def _far_stops(feed: Feed, calls: CallOrder, points: Rows, owner: Rows) -> Iterator[Notice]:
    """Stops far from a shape whose trips call there, each pair once; at a call at the farthest."""
    far_m = stop_distances_m(feed, calls, points, owner)
    where = np.flatnonzero(far_m[1] > FAR_M)
    if len(where):
        worst = where[np.argmax(far_m[1][where])]
        row = int(far_m[0][worst])
        stop = feed.read["stop_times"].text("stop_id", row)
        fault = Fault(
            "GTFS_STOP_FAR", "stop_times", "stop_id", "Correct the trip's shape, or where the stop is", "warning"
        )
        value = f"{stop}, {far_m[1][worst]:.0f} m from the shape"
        yield found_at(feed, fault, row, len(where), value)


def stop_distances_m(feed: Feed, calls: CallOrder, points: Rows, owner: Rows) -> tuple[Rows, Floats]:
    """Each pair of a shape and a stop at which its trips call: the first such call, and how far apart they are.

    Distances below :data:`FAR_M` are not worked out but given as 0; NaN where the stop or the shape has no place.
    """
    trips, shapes, stops = feed.read["trips"], feed.read["shapes"], feed.read["stops"]
    if "shape_id" not in trips.frame:
        return np.array([], dtype=np.int64), np.array([])
    shape = first_rows(trips.frame["shape_id"], shapes.frame["shape_id"])[calls.trip]
    stop = first_rows(feed.read["stop_times"].frame["stop_id"], stops.frame["stop_id"])[calls.row]
    pairs = shape * len(stops.frame) + stop
    pairs[(shape < 0) | (stop < 0)] = -1
    distinct, first = np.unique(pairs, return_index=True)
    first = first[distinct >= 0]
    distance_m = np.full(len(first), np.nan)
    point_lat, point_lon = (degrees[points] for degrees in sound_places(shapes, "shape_pt_lat", "shape_pt_lon"))
    stop_lat, stop_lon = (degrees[stop[first]] for degrees in sound_places(stops, "stop_lat", "stop_lon"))
    pair_start = np.searchsorted(shape[first], np.unique(shape[first]))
    for pair in np.split(np.arange(len(first)), pair_start[1:]) if len(first) else ():
        begin, end = np.searchsorted(owner, (shape[first][pair[0]], shape[first][pair[0]] + 1))
        line = np.column_stack((point_lon[begin:end], point_lat[begin:end]))
        distance_m[pair] = _distances_m(line, np.column_stack((stop_lon[pair], stop_lat[pair])))
    return calls.row[first], distance_m


def _distances_m(line: Floats, places: Floats) -> Floats:
    """Distance of each place, degrees of shape (n, 2), from a line; on a plane that fits around it."""
    line = line[~np.isnan(line).any(axis=1)]
    known = ~np.isnan(places).any(axis=1)
    distance_m = np.full(len(places), np.nan)
    if len(line) < 2 or not known.any():  # noqa: PLR2004 - a line has two ends
        return distance_m
    origin = line[0]
    scale = np.array([np.cos(np.radians(origin[1])), 1.0]) * METRES_PER_DEGREE
    way = shapely.LineString((line - origin) * scale)
    shapely.prepare(way)
    points = shapely.points((places[known] - origin) * scale)
    near: Flags = shapely.dwithin(way, points, FAR_M)
    distance_m[known] = np.where(near, 0.0, shapely.distance(way, np.where(near, None, points)))
    return distance_m
