"""Records of a feed that name each other: keys that stand twice, references to what is not there."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from gtfs.feed import CALENDARS, Feed
from gtfs.findings import Fault, found
from gtfs.tables import Flags
from networks.faults import Notice

KEYS = {
    "agency": ("agency_id",),
    "stops": ("stop_id",),
    "routes": ("route_id",),
    "trips": ("trip_id",),
    "stop_times": ("trip_id", "stop_sequence"),
    "calendar": ("service_id",),
    "calendar_dates": ("service_id", "date"),
    "shapes": ("shape_id", "shape_pt_sequence"),
    "frequencies": ("trip_id", "start_time"),
}
"""What tells the records of a table apart."""

REFERENCES = (
    ("trips", "route_id", ("routes",), "route_id"),
    ("trips", "service_id", CALENDARS, "service_id"),
    ("trips", "shape_id", ("shapes",), "shape_id"),
    ("stop_times", "trip_id", ("trips",), "trip_id"),
    ("stop_times", "stop_id", ("stops",), "stop_id"),
    ("stops", "parent_station", ("stops",), "stop_id"),
    ("frequencies", "trip_id", ("trips",), "trip_id"),
    ("routes", "agency_id", ("agency",), "agency_id"),
)
"""Table and field, the tables one of which has the record meant, and its field there."""

OPTIONAL = ("shape_id", "parent_station")
ON_DEMAND = ("location_id", "location_group_id")
"""Service on demand calls at an area in place of a stop."""


def check_keys(feed: Feed) -> Iterator[Notice]:
    """GTFS_DUPLICATE at the second record of a key; a key that is blank in part is left to other checks."""
    for table, fields in KEYS.items():
        if table in feed.read and all(field in feed.read[table].frame for field in fields):
            keys = feed.read[table].frame[list(fields)]
            again = (keys.duplicated() & keys.notna().all(axis="columns")).to_numpy(dtype=np.bool_)
            fault = Fault("GTFS_DUPLICATE", table, fields[-1], "Leave one record with this key")
            yield from found(feed, fault, again, fields)


def check_references(feed: Feed) -> Iterator[Notice]:
    """GTFS_REFERENCE; a route has to name its agency only where there are several."""
    for table, field, targets, key in REFERENCES:
        if table not in feed.read or (targets == ("agency",) and len(feed.read["agency"].frame) == 1):
            continue
        fault = Fault("GTFS_REFERENCE", table, field, f"Name a {key} of {_files(targets)}")
        yield from found(feed, fault, _dangling(feed, table, field, _known(feed, targets, key)))


def _files(tables: tuple[str, ...]) -> str:
    return " or ".join(f"{table}.txt" for table in tables)


def _known(feed: Feed, tables: tuple[str, ...], key: str) -> pd.Series:
    columns = [feed.read[table].frame[key] for table in tables if table in feed.read and key in feed.read[table].frame]
    return pd.concat(columns).dropna() if columns else pd.Series(dtype="string")


def _dangling(feed: Feed, table: str, field: str, known: pd.Series) -> Flags:
    blank = feed.read[table].blank(field)
    unknown: Flags = blank.copy()
    if not blank.all():
        unknown |= ~feed.read[table].frame[field].isin(known.unique()).to_numpy(dtype=np.bool_)
    if field in OPTIONAL:
        return unknown & ~blank
    if table == "stop_times" and field == "stop_id":
        unknown &= ~blank | np.all([feed.read[table].blank(area) for area in ON_DEMAND], axis=0)
    return unknown
