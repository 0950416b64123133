"""Charging of electric vehicles (E1): whether there is any, and who has a charger within reach."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.spatial import KDTree

from gtfs.chargers import ChargerTable, read_chargers
from gtfs.feed import Feed
from networks.csv_rows import Row
from networks.faults import InputError
from networks.network import FloatArray
from scenarios.city import Charging, City
from scenarios.city_counts import Count, Found, names_of, read_table, share
from scenarios.indicators import Finding
from scenarios.message import Message

Place = tuple[float, float]
"""Lat and lon, degrees."""

EARTH_M = 6_371_008.8
"""Mean radius of the earth (IUGG)."""

STOPS = Message("Stops within reach of a charger")
DEPOTS = Message("Depots within reach of a charger")
PEOPLE = Message("People within reach of a charger")


def ev_charging(city: City, feed: Feed | None) -> Found:
    """E1 of a city, and reach: the shares of stops, depots and people with a charger within a distance.

    Raises
    ------
    InputError
        As :func:`gtfs.chargers.read_chargers` and :func:`scenarios.city_counts.read_table`; CITY_VALUE where a place or
        a number of people is none.
    """
    charging = city.charging
    if charging is None:
        return Found((Finding("E1", None, Message("Needs a table of chargers ([charging] chargers)")),))
    table = read_chargers(charging.chargers)
    stops = None if feed is None else _stops(feed)
    how = Message("The city's table has {chargers} chargers", {"chargers": len(table.chargers)})
    counted = Finding("E1", float(len(table.chargers) > 0), how, source=charging.chargers.name)
    exists = replace(counted, reading=Message("There is a charger"))
    reach = _reach(charging, _charger_places(table, stops or {}), feed, stops or {})
    return Found((counted,), (exists, *reach), table.notices)


def _charger_places(table: ChargerTable, stops: Mapping[str, Place]) -> FloatArray:
    """Where chargers stand, those at a stop where it is; those at a stop that nobody knows are left out."""
    places = [
        (charger.lat, charger.lon) if charger.has_place else stops.get(charger.stop_id) for charger in table.chargers
    ]
    return _degrees(place for place in places if place is not None)


def _reach(
    charging: Charging, chargers: FloatArray, feed: Feed | None, stops: Mapping[str, Place]
) -> tuple[Finding, ...]:
    found = []
    if feed is not None:
        inside = is_near(_degrees(stops.values()), chargers, charging.within_m)
        counted = Count(int(inside.sum()), 0, len(inside))
        found.append(_within(counted, STOPS, charging, feed.path))
    if charging.depots is not None:
        inside = is_near(_places(charging.depots), chargers, charging.within_m)
        counted = Count(int(inside.sum()), 0, len(inside))
        found.append(_within(counted, DEPOTS, charging, charging.depots))
    if charging.population is not None:
        people = np.array([
            round(_number(charging.population, line, row, "people", 1e10))
            for line, row in read_table(charging.population, ("lat", "lon", "people"))
        ], dtype=np.int64)  # fmt: skip
        inside = is_near(_places(charging.population), chargers, charging.within_m)
        counted = Count(int(people[inside].sum()), 0, int(people.sum()))
        found.append(_within(counted, PEOPLE, charging, charging.population))
    return tuple(found)


def _within(counted: Count, reading: Message, charging: Charging, places: Path) -> Finding:
    how = Message("{yes} of {all} have a charger within {metres} m as the crow flies", {"metres": charging.within_m})
    return share("E1", counted, how, how, source=names_of(charging.chargers, places), reading=reading)


def is_near(places: FloatArray, chargers: FloatArray, within_m: float) -> npt.NDArray[np.bool_]:
    """Whether each place has a charger within a distance along the earth's surface; both as lat and lon, degrees.

    Places of shape (places, 2), chargers (chargers, 2). On a sphere: off by half a per cent at most.
    """
    if not len(places) or not len(chargers):
        return np.zeros(len(places), dtype=np.bool_)
    chord_m, _ = KDTree(_on_sphere(chargers)).query(_on_sphere(places))
    arc_m = 2 * EARTH_M * np.arcsin(np.minimum(1.0, chord_m / (2 * EARTH_M)))
    near: npt.NDArray[np.bool_] = arc_m <= within_m
    return near


def _on_sphere(degrees: FloatArray) -> FloatArray:
    """Points in space (m), shape (n, 3)."""
    lat, lon = np.radians(degrees).T
    return EARTH_M * np.column_stack((np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)))


def _stops(feed: Feed) -> dict[str, Place]:
    """Lat and lon of the stops that are called at; those without a place are left out."""
    gtfs = feed.gtfs
    called = gtfs.stops[gtfs.stops["stop_id"].isin(gtfs.stop_times["stop_id"])]
    rows = zip(called["stop_id"].tolist(), called["stop_lat"].tolist(), called["stop_lon"].tolist(), strict=True)
    return {stop: (lat, lon) for stop, lat, lon in rows if math.isfinite(lat) and math.isfinite(lon)}


def _places(path: Path) -> FloatArray:
    """Lat and lon of the rows of a table, shape (rows, 2)."""
    rows = read_table(path, ("lat", "lon"))
    return _degrees(
        (_number(path, line, row, "lat", 90.0), _number(path, line, row, "lon", 180.0)) for line, row in rows
    )


def _degrees(places: Iterable[Place]) -> FloatArray:
    return np.array(list(places), dtype=np.float64).reshape(-1, 2)


def _number(path: Path, line: int, row: Row, field: str, most: float) -> float:
    """A number from -``most`` to ``most`` for a place, from 0 for all else."""
    least = -most if field in {"lat", "lon"} else 0.0
    try:
        value = float(row[field])
    except ValueError:
        value = math.nan
    if least <= value <= most:
        return value
    what, remedy = f"{row[field][:40]!r} is no {field}", f"Give a number from {least:g} to {most:g}"
    raise InputError("CITY_VALUE", what, file=path, row=line, field=field, remedy=remedy)
