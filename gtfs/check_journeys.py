"""What a feed's trips amount to: too few calls, steps that no vehicle can make, stops and trips that nobody uses."""

from collections.abc import Iterator

import numpy as np

from gtfs.call_order import CallOrder, Rows, first_rows
from gtfs.check_places import sound_places
from gtfs.feed import Feed
from gtfs.findings import Fault, found, found_at
from gtfs.tables import Floats
from networks.faults import Notice

EARTH_RADIUS_M = 6_371_009.0
KMH = 3.6

MAX_KMH, MAX_RAIL_KMH = 150.0, 500.0
"""No bus, tram or metro is faster between two stops, no train on rails."""
RAIL, FIRST_RAIL, LAST_RAIL = 2, 100, 199
MINUTE_S = 60


def check_call_counts(feed: Feed) -> Iterator[Notice]:
    """GTFS_TRIP_CALLS: trips with fewer than two calls."""
    trips, calls = feed.read["trips"].frame["trip_id"], feed.read["stop_times"].frame["trip_id"]
    counts = trips.map(calls.value_counts()).fillna(0).to_numpy(dtype=np.int64)
    remedy = "Give it two calls in stop_times.txt, or leave it out"
    fault = Fault("GTFS_TRIP_CALLS", "trips", "trip_id", remedy, "warning")
    yield from found(feed, fault, (counts < 2) & ~feed.read["trips"].blank("trip_id"))  # noqa: PLR2004 - a journey has two ends


def check_unused(feed: Feed) -> Iterator[Notice]:
    """GTFS_UNUSED: stops at which no trip calls; of stations, entrances and the like nobody expects it."""
    stops = feed.read["stops"]
    used = stops.frame["stop_id"].isin(feed.read["stop_times"].frame["stop_id"].unique()).to_numpy(dtype=np.bool_)
    boards = ~(stops.numbers("location_type") > 0)
    fault = Fault("GTFS_UNUSED", "stops", "stop_id", "No trip calls there: nothing has to be done", "info")
    yield from found(feed, fault, ~used & boards & ~stops.blank("stop_id"))


def check_speeds(feed: Feed, calls: CallOrder) -> Iterator[Notice]:
    """GTFS_SPEED: steps between two times of a trip that would be too fast even in a straight line; the worst is shown.

    Times of whole minutes are taken as rounded: a step between two of them may have taken a minute longer, another one
    a second.
    """
    timed = np.flatnonzero((calls.arrival_s >= 0) | (calls.departure_s >= 0))
    leaves = np.where(calls.departure_s < 0, calls.arrival_s, calls.departure_s)[timed][:-1]
    reaches = np.where(calls.arrival_s < 0, calls.departure_s, calls.arrival_s)[timed][1:]
    rounded = (leaves % MINUTE_S == 0) & (reaches % MINUTE_S == 0)
    longest_s = reaches - leaves + np.where(rounded, MINUTE_S, 1)
    usable = (np.diff(calls.trip[timed]) == 0) & (reaches >= leaves)
    distance_m = _steps_m(feed, calls.row[timed])
    kmh = np.where(usable, distance_m / np.maximum(longest_s, 1), 0) * KMH
    fast = np.flatnonzero(kmh > _limits_kmh(feed, calls.trip[timed][1:]))
    if len(fast):
        worst = fast[np.argmax(kmh[fast])]
        value = f"{kmh[worst]:.0f} km/h over {distance_m[worst] / 1000:.1f} km"
        remedy = "Correct the times, or where the stops are"
        fault = Fault("GTFS_SPEED", "stop_times", "arrival_time", remedy, "warning")
        yield found_at(feed, fault, int(calls.row[timed][worst + 1]), len(fast), value)


def _steps_m(feed: Feed, rows: Rows) -> Floats:
    """Straight distance from each call to the next, NaN where a stop has no place."""
    stop = first_rows(feed.read["stop_times"].frame["stop_id"], feed.read["stops"].frame["stop_id"])[rows]
    lat, lon = (
        np.radians(np.append(degrees, np.nan)[stop])
        for degrees in sound_places(feed.read["stops"], "stop_lat", "stop_lon")
    )
    return haversine_m(lat[:-1], lon[:-1], lat[1:], lon[1:])


def haversine_m(lat: Floats, lon: Floats, to_lat: Floats, to_lon: Floats) -> Floats:
    """Great-circle distance between places in radians, by the haversine formula on a sphere."""
    half = np.sin((to_lat - lat) / 2) ** 2 + np.cos(lat) * np.cos(to_lat) * np.sin((to_lon - lon) / 2) ** 2
    distance: Floats = 2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.minimum(half, 1)))
    return distance


def _limits_kmh(feed: Feed, trips: Rows) -> Floats:
    routes = feed.read["routes"]
    route = first_rows(feed.read["trips"].frame["route_id"], routes.frame["route_id"])
    kind = np.append(routes.numbers("route_type"), np.nan)[route][trips]
    rail = (kind == RAIL) | ((kind >= FIRST_RAIL) & (kind <= LAST_RAIL))
    return np.where(rail, MAX_RAIL_KMH, MAX_KMH)
