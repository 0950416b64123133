"""The tables of a service day: stops, routes, shapes, patterns, trips and calls as columns.

Rows are indices from 0; -1 stands for "none". Columns of tables that belong together lie as compressed rows: what
belongs to row ``i`` is ``start[i]:start[i + 1]``. Times are seconds on the clock of the timetable's service day
(:mod:`gtfs.clock`).
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from gtfs.blank_times import BoolArray, FloatArray
from gtfs.clock import Seconds
from gtfs.columns import Rows, spans, starts, take
from gtfs.performed import Dates


@dataclass(frozen=True, slots=True, eq=False)
class Stops:
    """Stops that are called at, in the feed's order; coordinates in degrees, NaN where the feed gives none."""

    ids: tuple[str, ...]
    names: tuple[str, ...]
    lat: FloatArray
    lon: FloatArray

    def __len__(self) -> int:
        """Count of stops."""
        return len(self.ids)


@dataclass(frozen=True, slots=True, eq=False)
class Routes:
    """Routes with trips, in the feed's order; names are empty where the feed gives none."""

    ids: tuple[str, ...]
    short_names: tuple[str, ...]
    long_names: tuple[str, ...]
    route_type: Rows

    def __len__(self) -> int:
        """Count of routes."""
        return len(self.ids)


@dataclass(frozen=True, slots=True, eq=False)
class Shapes:
    """Shapes that are used, in the order of their ids, with points in order of ``shape_pt_sequence``.

    ``lonlat`` are degrees, shape (points, 2); ``distance`` is ``shape_dist_traveled``, in the feed's own unit, NaN
    where not given, shape (points,).
    """

    ids: tuple[str, ...]
    point_start: Rows
    lonlat: FloatArray
    distance: FloatArray

    def __len__(self) -> int:
        """Count of shapes."""
        return len(self.ids)

    def points(self, shape: int) -> slice:
        """Where the points of a shape lie."""
        return slice(int(self.point_start[shape]), int(self.point_start[shape + 1]))


@dataclass(frozen=True, slots=True, eq=False)
class Patterns:
    """Each distinct route, direction, shape and sequence of stops, ordered by route and direction, most trips first.

    ``ids`` are ``route:direction:number``, ``direction`` is -1 where not given, ``shape`` is a row of the shapes.
    ``call_stop`` and ``call_distance`` belong together by ``call_start``; ``call_distance`` is ``shape_dist_traveled``
    at the calls of the pattern's first trip, NaN where not given.
    """

    ids: tuple[str, ...]
    route: Rows
    direction: Rows
    shape: Rows
    call_start: Rows
    call_stop: Rows
    call_distance: FloatArray

    def __len__(self) -> int:
        """Count of patterns."""
        return len(self.ids)

    def calls(self, pattern: int) -> slice:
        """Where the calls of a pattern lie in ``call_stop`` and ``call_distance``."""
        return slice(int(self.call_start[pattern]), int(self.call_start[pattern + 1]))


@dataclass(frozen=True, slots=True, eq=False)
class Trips:
    """Each departure that is performed, ordered by its first departure, then by id.

    ``ids`` are unique (``trip_id_performed`` in TIDES): the trip's own, for a repetition ``trip@HH:MM:SS`` with the
    departure on its own service day, and with ``@YYYY-MM-DD`` behind where that day is not the timetable's.
    ``trip_ids`` are the feed's. ``headway_s`` is 0 and ``exact_times`` False for trips that are not repeated by
    headway. ``call_start``, shape (trips + 1,), leads to :class:`Calls`.
    """

    ids: tuple[str, ...]
    trip_ids: tuple[str, ...]
    service_dates: Dates
    pattern: Rows
    block_ids: tuple[str, ...]
    headsigns: tuple[str, ...]
    is_frequency_based: BoolArray
    exact_times: BoolArray
    headway_s: Seconds
    call_start: Rows

    def __len__(self) -> int:
        """Count of trips."""
        return len(self.ids)

    def calls(self, trip: int) -> slice:
        """Where the calls of a trip lie."""
        return slice(int(self.call_start[trip]), int(self.call_start[trip + 1]))


@dataclass(frozen=True, slots=True, eq=False)
class Calls:
    """Calls of trips at stops, trip after trip.

    ``is_interpolated``: the feed leaves the time blank. ``timepoint``: the time is meant exactly.
    """

    stop_sequence: Rows
    arrival_s: Seconds
    departure_s: Seconds
    is_interpolated: BoolArray
    timepoint: BoolArray
    pickup_type: Rows
    drop_off_type: Rows

    def __len__(self) -> int:
        """Count of calls."""
        return len(self.arrival_s)


def take_trips(trips: Trips, rows: npt.NDArray[np.integer]) -> Trips:
    """Some trips; their calls are then taken to lie one after the other."""
    taken = take(replace(trips, call_start=trips.call_start[:-1]), rows)
    return replace(taken, call_start=starts(np.diff(trips.call_start)[rows]))


def take_patterns(patterns: Patterns, rows: npt.NDArray[np.integer]) -> Patterns:
    """Some patterns with their calls."""
    places = spans(patterns.call_start, rows)
    return Patterns(
        ids=tuple(patterns.ids[row] for row in rows.tolist()),
        route=patterns.route[rows],
        direction=patterns.direction[rows],
        shape=patterns.shape[rows],
        call_start=starts(np.diff(patterns.call_start)[rows]),
        call_stop=patterns.call_stop[places],
        call_distance=patterns.call_distance[places],
    )


def take_shapes(shapes: Shapes, rows: npt.NDArray[np.integer]) -> Shapes:
    """Some shapes with their points."""
    places = spans(shapes.point_start, rows)
    return Shapes(
        ids=tuple(shapes.ids[row] for row in rows.tolist()),
        point_start=starts(np.diff(shapes.point_start)[rows]),
        lonlat=shapes.lonlat[places],
        distance=shapes.distance[places],
    )
