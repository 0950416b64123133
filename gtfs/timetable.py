"""The timetable of one service day as arrays: every departure that is performed, with its calls."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from gtfs.blank_times import BoolArray
from gtfs.calendars import Days, service_days
from gtfs.call_order import first_rows
from gtfs.clock import Seconds, origin_epoch_s, origins_apart_s
from gtfs.columns import Rows, owners, spans, starts, take
from gtfs.day_tables import Calls, Patterns, Routes, Shapes, Stops, Trips, take_patterns, take_shapes, take_trips
from gtfs.feed import Feed
from gtfs.findings import Fault, found
from gtfs.pattern_ways import pattern_ways
from gtfs.patterns import group
from gtfs.performed import Departures, departures, performed_ids
from gtfs.shape_points import shapes_of
from gtfs.trip_calls import TripCalls, numbers, reals, texts, trip_calls
from networks.faults import InputError, Notice

NO_TYPE = -1
NO_DIRECTION = -1

UNKNOWN_ROUTE = Fault(
    "GTFS_REFERENCE", "trips", "route_id", "The trip is left out: add its route to routes.txt", "warning"
)
ID_AGAIN = Fault("GTFS_DUPLICATE", "trips", "trip_id", "The trip is left out: give each trip its own id", "warning")


@dataclass(frozen=True, eq=False)
class Timetable:
    """Trips under way on a service day. Every stop, route, pattern and shape in it is used by one of them.

    ``origin_epoch_s`` is the moment 0 of its clock; ``notices`` tell which trips were left out, and why.
    """

    service_date: date
    timezone: str
    origin_epoch_s: int
    stops: Stops
    routes: Routes
    shapes: Shapes
    patterns: Patterns
    trips: Trips
    calls: Calls
    notices: tuple[Notice, ...]

    @cached_property
    def first_departure_s(self) -> Seconds:
        """When each trip leaves its first stop, shape (trips,)."""
        return self.calls.departure_s[self.trips.call_start[:-1]]

    @cached_property
    def last_arrival_s(self) -> Seconds:
        """When each trip reaches its last stop, shape (trips,)."""
        return self.calls.arrival_s[self.trips.call_start[1:] - 1]

    @cached_property
    def call_trip(self) -> Rows:
        """The trip of each call, shape (calls,)."""
        return owners(self.trips.call_start)

    @cached_property
    def call_stop(self) -> Rows:
        """The stop of each call, shape (calls,)."""
        return self.patterns.call_stop[spans(self.patterns.call_start, self.trips.pattern)]

    @cached_property
    def trip_route(self) -> Rows:
        """The route of each trip, shape (trips,)."""
        return self.patterns.route[self.trips.pattern]

    @cached_property
    def pattern_way(self) -> Rows:
        """Which patterns of a route go the same way, shape (patterns,): see :func:`gtfs.pattern_ways.pattern_ways`."""
        patterns = self.patterns
        return pattern_ways(patterns.route, patterns.direction, patterns.call_start, patterns.call_stop)

    @cached_property
    def trip_pattern_ids(self) -> tuple[str, ...]:
        """The pattern's id of each trip."""
        return tuple(self.patterns.ids[row] for row in self.trips.pattern.tolist())

    def select(self, wanted: BoolArray) -> "Timetable":
        """The timetable of some trips, given by a flag for each; what stays keeps its id and order."""
        return _used(self, np.flatnonzero(wanted))

    def between(self, begin_s: int, end_s: int) -> "Timetable":
        """The timetable of the trips that are under way at some moment from ``begin_s`` to before ``end_s``, whole."""
        return self.select((self.last_arrival_s > begin_s) & (self.first_departure_s < end_s))


def timetable(
    feed: Feed, service_date: date, *, route_types: Collection[int] | None = None, previous_day: bool = True
) -> Timetable:
    """Every departure of a service day, and what still runs of the one before.

    Parameters
    ----------
    route_types
        Kinds of routes wanted (``route_type``); all where None.
    previous_day
        Whether trips of the day before that arrive after this day's moment 0 belong to it.

    Raises
    ------
    InputError
        GTFS_TIMEZONE where the agency's zone is not known; GTFS_FREQUENCY where headways make too many departures.
    """
    zone = _timezone(feed)
    services = service_days(feed.gtfs)
    wanted, unwanted = _wanted(feed, route_types)
    days = {
        day: (-origins_apart_s(day, service_date, zone), wanted & _runs(feed, services, day))
        for day in (service_date, *([service_date - timedelta(1)] if previous_day else []))
    }
    return _timetable(feed, service_date, days, unwanted)


def every_trip(feed: Feed) -> Timetable:
    """Every trip of a feed, whichever days it runs on, as if all ran on the first day that has service.

    Traces of several days are held against it: a trip's times on the clock of its service day are the same each day.

    Raises
    ------
    InputError
        GTFS_TIMEZONE where the agency's zone is not known; GTFS_FREQUENCY where headways make too many departures;
        GTFS_DATE where a calendar cannot be read, or no day has service.
    """
    days = feed.service_days()
    if not days:
        raise InputError("GTFS_DATE", "no day has service", file=feed.path, remedy="Give a feed with service days")
    first = next(iter(days))
    wanted, unwanted = _wanted(feed, None)
    return _timetable(feed, first, {first: (0, wanted)}, unwanted)


def _timetable(
    feed: Feed, service_date: date, days: Mapping[date, tuple[int, BoolArray]], unwanted: tuple[Notice, ...]
) -> Timetable:
    """Departures of the given days, each with the seconds to its clock's begin and a flag for each trip that runs."""
    gtfs, zone = feed.gtfs, _timezone(feed)
    calls, faulty = trip_calls(feed, np.any([runs for _, runs in days.values()], axis=0))
    performed, unusable = departures(feed, calls, days)
    performed = take(performed, _by_departure(performed, calls, gtfs.trips))
    shapes, shape, lost = shapes_of(feed, calls.trip[calls.is_first])
    patterns, pattern = _patterns(feed, calls, performed, shape)
    whole = Timetable(
        service_date=service_date,
        timezone=zone,
        origin_epoch_s=origin_epoch_s(service_date, zone),
        stops=_stops(gtfs.stops),
        routes=_routes(gtfs.routes),
        shapes=shapes,
        patterns=patterns,
        trips=_trips(calls, performed, gtfs.trips, pattern, service_date),
        calls=_calls(calls, performed),
        notices=(*unwanted, *faulty, *unusable, *lost),
    )
    return _used(whole, np.arange(len(performed.trip)))


def _timezone(feed: Feed) -> str:
    """The zone of the feed's agencies, which the standard wants to be one for all."""
    return texts(feed.gtfs.agency, "agency_timezone")[0].strip()


def _wanted(feed: Feed, route_types: Collection[int] | None) -> tuple[BoolArray, tuple[Notice, ...]]:
    """A flag for each trip of the feed: whether its route is wanted."""
    trips, routes = feed.gtfs.trips, feed.gtfs.routes
    route = first_rows(trips["route_id"], routes["route_id"])
    again = trips["trip_id"].duplicated().to_numpy(dtype=np.bool_)
    notices = (*found(feed, UNKNOWN_ROUTE, route < 0), *found(feed, ID_AGAIN, again))
    kinds = numbers(routes, "route_type", NO_TYPE)
    wanted = np.ones(len(routes), dtype=np.bool_) if route_types is None else np.isin(kinds, list(route_types))
    return (route >= 0) & wanted[route] & ~again, notices


def _runs(feed: Feed, services: Mapping[str, Days], day: date) -> BoolArray:
    """A flag for each trip of the feed: whether its service is active."""
    active = [service for service, days in services.items() if np.datetime64(day) in days]
    runs: BoolArray = feed.gtfs.trips["service_id"].isin(active).to_numpy(dtype=np.bool_)
    return runs


def _by_departure(performed: Departures, calls: TripCalls, trips: pd.DataFrame) -> npt.NDArray[np.int64]:
    """Order by departure on the timetable's clock, then by id."""
    ids = texts(trips.iloc[calls.trip[calls.is_first]], "trip_id")
    place = np.empty(len(ids), dtype=np.int64)
    place[sorted(range(len(ids)), key=ids.__getitem__)] = np.arange(len(ids))
    first_s = calls.departure_s[calls.is_first][performed.trip] + performed.shift_s
    return np.lexsort((-performed.service_date.astype(np.int64), place[performed.trip], first_s))


def _patterns(feed: Feed, calls: TripCalls, performed: Departures, shape: Rows) -> tuple[Patterns, Rows]:
    """Patterns of the trips that depart, and the pattern of each departure."""
    gtfs = feed.gtfs
    often = np.bincount(performed.trip, minlength=len(shape))
    rows = np.flatnonzero(often)
    trips = gtfs.trips.iloc[calls.trip[calls.is_first][rows]]
    route = first_rows(trips["route_id"], gtfs.routes["route_id"]).astype(np.int32)
    direction = numbers(trips, "direction_id", NO_DIRECTION)
    start = calls.call_start
    stops = [calls.stop[start[row] : start[row + 1]].tobytes() for row in rows.tolist()]
    keys = zip(route.tolist(), direction.tolist(), shape[rows].tolist(), stops, strict=True)
    first, number, grouped = group(keys, often[rows])
    pattern = np.full(len(often), -1, dtype=np.int32)
    pattern[rows] = grouped
    places = spans(start, rows[first])
    parts = zip(route[first].tolist(), direction[first].tolist(), number.tolist(), strict=True)
    route_ids = texts(gtfs.routes, "route_id")
    patterns = Patterns(
        ids=tuple(f"{route_ids[line]}:{'-' if way < 0 else way}:{count}" for line, way, count in parts),
        route=route[first],
        direction=direction[first],
        shape=shape[rows][first],
        call_start=starts(np.diff(start)[rows[first]]),
        call_stop=calls.stop[places],
        call_distance=calls.distance[places],
    )
    return patterns, pattern[performed.trip]


def _trips(calls: TripCalls, performed: Departures, trips: pd.DataFrame, pattern: Rows, service_date: date) -> Trips:
    trips = trips.iloc[calls.trip[calls.is_first][performed.trip]]
    trip_ids = texts(trips, "trip_id")
    return Trips(
        ids=performed_ids(performed, trip_ids, service_date),
        trip_ids=trip_ids,
        service_dates=performed.service_date,
        pattern=pattern,
        block_ids=texts(trips, "block_id"),
        headsigns=texts(trips, "trip_headsign"),
        is_frequency_based=performed.headway_s > 0,
        exact_times=performed.exact_times,
        headway_s=performed.headway_s,
        call_start=starts(np.diff(calls.call_start)[performed.trip]),
    )


def _calls(calls: TripCalls, performed: Departures) -> Calls:
    places = spans(calls.call_start, performed.trip)
    shift_s = np.repeat(performed.shift_s, np.diff(calls.call_start)[performed.trip])
    return Calls(
        stop_sequence=calls.stop_sequence[places],
        arrival_s=calls.arrival_s[places] + shift_s,
        departure_s=calls.departure_s[places] + shift_s,
        is_interpolated=calls.is_interpolated[places],
        timepoint=calls.timepoint[places],
        pickup_type=calls.pickup_type[places],
        drop_off_type=calls.drop_off_type[places],
    )


def _stops(stops: pd.DataFrame) -> Stops:
    return Stops(texts(stops, "stop_id"), texts(stops, "stop_name"), reals(stops, "stop_lat"), reals(stops, "stop_lon"))


def _routes(routes: pd.DataFrame) -> Routes:
    return Routes(
        ids=texts(routes, "route_id"),
        short_names=texts(routes, "route_short_name"),
        long_names=texts(routes, "route_long_name"),
        route_type=numbers(routes, "route_type", NO_TYPE),
    )


def _used(timetable: Timetable, trips: npt.NDArray[np.integer]) -> Timetable:
    """Some trips of a timetable, and of the other tables what these use."""
    pattern_rows, pattern = np.unique(timetable.trips.pattern[trips], return_inverse=True)
    patterns = take_patterns(timetable.patterns, pattern_rows)
    route_rows, route = np.unique(patterns.route, return_inverse=True)
    stop_rows, stop = np.unique(patterns.call_stop, return_inverse=True)
    shape_rows = np.unique(patterns.shape[patterns.shape >= 0])
    shape = np.where(patterns.shape < 0, -1, np.searchsorted(shape_rows, patterns.shape))
    return replace(
        timetable,
        stops=take(timetable.stops, stop_rows),
        routes=take(timetable.routes, route_rows),
        shapes=take_shapes(timetable.shapes, shape_rows),
        patterns=replace(patterns, route=_rows(route), shape=_rows(shape), call_stop=_rows(stop)),
        trips=replace(take_trips(timetable.trips, trips), pattern=_rows(pattern)),
        calls=take(timetable.calls, spans(timetable.trips.call_start, trips)),
    )


def _rows(column: npt.NDArray[np.integer]) -> Rows:
    return column.astype(np.int32)
