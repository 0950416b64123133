"""What a feed holds, in a few figures."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from gtfs.calendars import Days, service_days, sum_by_day
from gtfs.call_order import Rows, first_rows, times_s
from gtfs.clock import BLANK_S
from gtfs.feed import Feed
from gtfs.frequencies import repetitions
from networks.faults import InputError

MODES = {
    0: "tram",
    1: "metro",
    2: "rail",
    3: "bus",
    4: "ferry",
    5: "cable tram",
    6: "aerial lift",
    7: "funicular",
    11: "trolleybus",
    12: "monorail",
}
EXTENDED_MODES = {
    1: "rail",
    2: "coach",
    4: "metro",
    7: "bus",
    8: "trolleybus",
    9: "tram",
    10: "ferry",
    11: "air",
    12: "ferry",
    13: "aerial lift",
    14: "funicular",
    15: "taxi",
    17: "other",
}
"""By the hundreds of an extended route type."""
MONORAIL = 405


@dataclass(frozen=True, slots=True)
class Summary:
    """What a feed holds.

    The busiest day is the one with the most departures: a trip repeated by headway departs as often as it runs, and
    counts once among the trips. ``frequency_departures`` are those of the busiest day; None where the headways make
    more than anybody runs. Days are None where no trip has one.
    """

    agencies: int
    routes: int
    routes_by_mode: dict[str, int]
    trips: int
    stops: int
    calls: int
    first_service_day: date | None
    last_service_day: date | None
    days_with_service: int
    busiest_day: date | None
    trips_on_busiest_day: int
    frequency_departures: int | None
    blank_times_share: float
    trips_with_shape_share: float
    blocks: int


def summarise(feed: Feed) -> Summary:
    """Count what a feed holds; faults in it are left to the checks."""
    trips = feed.read["trips"]
    service, days = trips.frame["service_id"], service_days(feed.gtfs)
    runs, known = _runs(feed)
    departures = sum_by_day(days, _sums(np.where(runs > 0, runs, 1), service))
    busiest = max(departures, key=lambda day: departures[day], default=None)
    return Summary(
        agencies=len(feed.read["agency"].frame),
        routes=len(feed.read["routes"].frame),
        routes_by_mode=_routes_by_mode(feed),
        trips=len(trips.frame),
        stops=len(feed.read["stops"].frame),
        calls=len(feed.read["stop_times"].frame),
        first_service_day=min(departures, default=None),
        last_service_day=max(departures, default=None),
        days_with_service=len(departures),
        busiest_day=busiest,
        trips_on_busiest_day=_on_day(busiest, days, service.value_counts()),
        frequency_departures=_on_day(busiest, days, _sums(runs, service)) if known else None,
        blank_times_share=_blank_times_share(feed),
        trips_with_shape_share=float(np.mean(~trips.blank("shape_id"))),
        blocks=0 if trips.blank("block_id").all() else int(trips.frame["block_id"].nunique()),
    )


def _runs(feed: Feed) -> tuple[Rows, bool]:
    """How often each trip is repeated by headway on a day, 0 where it is not; and whether that can be told."""
    trips = feed.read["trips"].frame["trip_id"]
    table = feed.gtfs.frequencies
    if table is None:
        return np.zeros(len(trips), dtype=np.int64), True
    try:
        repeated, _ = repetitions(table, first_rows(table["trip_id"], trips).astype(np.int32), feed.path)
    except InputError:
        return np.zeros(len(trips), dtype=np.int64), False
    return np.bincount(repeated.trip, minlength=len(trips)), True


def _on_day(day: date | None, days: Mapping[str, Days], amounts: Mapping[str, int]) -> int:
    return 0 if day is None else sum_by_day(days, amounts).get(day, 0)


def _sums(amounts: Rows, service: pd.Series) -> dict[str, int]:
    """Sum of what the trips of each service amount to."""
    sums: dict[str, int] = pd.Series(amounts).groupby(service).sum().to_dict()
    return sums


def _routes_by_mode(feed: Feed) -> dict[str, int]:
    kinds = feed.read["routes"].numbers("route_type")
    return dict(Counter("unknown" if np.isnan(kind) else _mode(int(kind)) for kind in kinds).most_common())


def _mode(route_type: int) -> str:
    if route_type == MONORAIL:
        return MODES[12]
    return MODES.get(route_type) or EXTENDED_MODES.get(route_type // 100, "unknown")


def _blank_times_share(feed: Feed) -> float:
    """Share of calls without any time."""
    arrival, departure = (times_s(feed.read["stop_times"], field) for field in ("arrival_time", "departure_time"))
    return float(np.mean((arrival == BLANK_S) & (departure == BLANK_S)))
