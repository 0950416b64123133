"""Fields of a feed, each looked at by itself: blank where it is needed, or a number that means nothing."""

from collections.abc import Iterator

import numpy as np

from gtfs.calendars import WEEKDAYS
from gtfs.feed import Feed
from gtfs.findings import Fault, found
from gtfs.tables import INT32_MAX, NEEDED, Flags, Floats
from networks.faults import Notice

FILLED = {
    "stops": ("stop_id",),
    "routes": ("route_id", "route_type"),
    "trips": ("trip_id",),
    "stop_times": ("stop_sequence",),
    "calendar": ("service_id", *WEEKDAYS),
    "calendar_dates": ("service_id", "exception_type"),
    "shapes": ("shape_id", "shape_pt_sequence"),
    "frequencies": ("headway_secs",),
}
"""Fields that may not be blank and that no other check looks at."""

Span = tuple[int, int]
YES_NO: tuple[Span, ...] = ((0, 1),)
ON_REQUEST: tuple[Span, ...] = ((0, 3),)

LEGAL: dict[tuple[str, str], tuple[Span, ...]] = {
    ("stops", "location_type"): ((0, 4),),
    ("routes", "route_type"): ((0, 7), (11, 12), (100, 1702)),
    ("trips", "direction_id"): YES_NO,
    ("stop_times", "stop_sequence"): ((0, INT32_MAX),),
    ("stop_times", "pickup_type"): ON_REQUEST,
    ("stop_times", "drop_off_type"): ON_REQUEST,
    ("stop_times", "timepoint"): YES_NO,
    **{("calendar", day): YES_NO for day in WEEKDAYS},
    ("calendar_dates", "exception_type"): ((1, 2),),
    ("shapes", "shape_pt_sequence"): ((0, INT32_MAX),),
    ("frequencies", "headway_secs"): ((1, INT32_MAX),),
    ("frequencies", "exact_times"): YES_NO,
}
"""Numbers that mean something, by table and field: from each span's first to its last. 100 to 1702 are the extended
types of routes.
"""


def check_values(feed: Feed) -> Iterator[Notice]:
    """GTFS_VALUE; what is no number at all was noticed when the feed was read."""
    for table, fields in FILLED.items():
        for field in fields if table in feed.read else ():
            fault = Fault("GTFS_VALUE", table, field, "Fill it in")
            yield from found(feed, fault, feed.read[table].blank(field))
    for (table, field), spans in LEGAL.items():
        if table in feed.read:
            severity = "error" if field in NEEDED else "warning"
            fault = Fault("GTFS_VALUE", table, field, f"Write {_words(spans)}", severity)
            yield from found(feed, fault, _outside(feed.read[table].numbers(field), spans))


def _outside(numbers: Floats, spans: tuple[Span, ...]) -> Flags:
    inside: Flags = np.any([(numbers >= low) & (numbers <= high) for low, high in spans], axis=0)
    return ~inside & ~np.isnan(numbers)


def _words(spans: tuple[Span, ...]) -> str:
    return ", ".join(f"{low} or more" if high == INT32_MAX else f"{low} to {high}" for low, high in spans)
