"""Coordinates of a feed: missing, off the globe, at the island of mistakes in the Gulf of Guinea."""

from collections.abc import Iterator

import numpy as np

from gtfs.feed import Feed
from gtfs.findings import Fault, found
from gtfs.tables import Flags, Floats, Table
from networks.faults import Notice

PLACED_TABLES = (("stops", "stop_lat", "stop_lon"), ("shapes", "shape_pt_lat", "shape_pt_lon"))
MAX_LATITUDE, MAX_LONGITUDE = 90.0, 180.0
ISLAND_DEG = 1.0
"""Nobody lives within a degree of 0/0, and what could not be located lies there."""
NEED_NO_PLACE = (3, 4)
"""Types of locations that lie where their parent does: nodes of a pathway, boarding areas."""


def check_places(feed: Feed) -> Iterator[Notice]:
    """GTFS_COORDINATE; what is no number at all was noticed when the feed was read."""
    for table, *fields in PLACED_TABLES:
        if table in feed.read:
            for field, most in zip(fields, (MAX_LATITUDE, MAX_LONGITUDE), strict=True):
                yield from _of_field(feed, table, field, most)
            lat, lon = (feed.read[table].numbers(field) for field in fields)
            fault = Fault("GTFS_COORDINATE", table, fields[0], "Locate it: nothing is at 0, 0")
            yield from found(feed, fault, _on_island(lat, lon), tuple(fields))


def _of_field(feed: Feed, table: str, field: str, most: float) -> Iterator[Notice]:
    missing = feed.read[table].blank(field) & _needs_place(feed.read[table])
    yield from found(feed, Fault("GTFS_COORDINATE", table, field, "Fill it in"), missing)
    fault = Fault("GTFS_COORDINATE", table, field, f"Give degrees between -{most:.0f} and {most:.0f}")
    yield from found(feed, fault, np.abs(feed.read[table].numbers(field)) > most)


def _needs_place(table: Table) -> Flags:
    return ~np.isin(table.numbers("location_type"), NEED_NO_PLACE)


def _on_island(lat: Floats, lon: Floats) -> Flags:
    island: Flags = (np.abs(lat) < ISLAND_DEG) & (np.abs(lon) < ISLAND_DEG)
    return island


def sound_places(table: Table, lat_field: str, lon_field: str) -> tuple[Floats, Floats]:
    """Latitude and longitude in degrees of each record, NaN where one of them is at fault."""
    lat, lon = table.numbers(lat_field), table.numbers(lon_field)
    sound = (np.abs(lat) <= MAX_LATITUDE) & (np.abs(lon) <= MAX_LONGITUDE) & ~_on_island(lat, lon)
    return np.where(sound, lat, np.nan), np.where(sound, lon, np.nan)
