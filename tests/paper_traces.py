"""Feeds and traces made on paper: straight streets near the equator, round metres, seconds that can be added up.

East and north of 0 degrees a degree measures 6,378,137 m * pi / 180 and 110,574.276 m (WGS 84); a bus drives 10 m/s and
reports every 10 s, so that it is seen every 100 m and in every stop's zone.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd

from gtfs.avl import read_pings
from gtfs.avl_columns import read_column_map
from gtfs.clock import time_text
from gtfs.event_watch import EventWatch
from gtfs.feed import read_feed
from gtfs.performed_trips import PerformedTrips, joined_trips
from gtfs.pings import Labels, Pings, take_pings
from gtfs.replay import Matched, Replay
from gtfs.service_events import Event, event_order
from gtfs.stop_visits import StopVisits, stop_visits
from gtfs.trace_kernels import Crossings
from gtfs.trace_plan import TracePlan, trace_plan
from gtfs.trace_settings import TraceSettings
from tests.small_feed import packed

EAST_M = math.radians(6_378_137.0)
NORTH_M = math.radians(6_378_137.0) * (1 - (2 - 1 / 298.257223563) / 298.257223563)
NAN = math.nan
LENGTH_M = 5000
STOPS_M = (0, 1000, 2000, 3000, 4000, 5000)
TRACES = {
    "kingston": "vehicle_positions.csv.gz",
    "washington": "vehicle_positions.csv.gz",
    "portland": "breadcrumbs_202212.csv.gz",
}
CALLS = "trip_id,arrival_time,departure_time,stop_id,stop_sequence\n"


def degrees(x_m: float, y_m: float) -> tuple[float, float]:
    """Longitude and latitude of a place so many metres east and north of 0 degrees."""
    return x_m / EAST_M, y_m / NORTH_M


def moment(text: str) -> float:
    """Epoch seconds of a moment in UTC, such as ``2026-03-04T13:00``."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def day_of(text: str) -> int:
    """Days since 1970-01-01."""
    return (date.fromisoformat(text) - date(1970, 1, 1)).days


def calls(trip: str, *times_s: float, stops: Sequence[str] | None = None) -> str:
    """Records of a trip that calls at s0, s1, s2 ... at seconds of the service day."""
    names = [f"s{k}" for k in range(len(times_s))] if stops is None else stops
    return "".join(
        f"{trip},{time_text(int(time_s))},{time_text(int(time_s))},{stop},{number}\n"
        for number, (stop, time_s) in enumerate(zip(names, times_s, strict=True))
    )


def stops_text(places: Mapping[str, tuple[float, float]]) -> str:
    """Table of stops from metres."""
    rows = ((stop, *degrees(*place)) for stop, place in places.items())
    return "stop_id,stop_name,stop_lon,stop_lat\n" + "".join(f"{s},{s},{lon!r},{lat!r}\n" for s, lon, lat in rows)


def shape_text(*corners: tuple[float, float], shape: str = "way") -> str:
    """Table of one shape from metres."""
    rows = (degrees(*corner) for corner in corners)
    return "shape_id,shape_pt_lon,shape_pt_lat,shape_pt_sequence\n" + "".join(
        f"{shape},{lon!r},{lat!r},{number}\n" for number, (lon, lat) in enumerate(rows)
    )


STREET = {
    "agency": "agency_name,agency_url,agency_timezone\nA,https://example.org,America/New_York\n",
    "routes": "route_id,route_short_name,route_type\n12,12,3\n7,7,3\n",
    "calendar": (
        "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date\n"
        "daily,1,1,1,1,1,1,1,20260101,20261231\n"
    ),
    "stops": stops_text({f"s{k}": (way_m, 0) for k, way_m in enumerate(STOPS_M)}),
    "shapes": shape_text((0, 0), (LENGTH_M, 0)),
    "trips": "route_id,service_id,trip_id,shape_id,block_id\n12,daily,t1,way,b1\n",
    "stop_times": CALLS + calls("t1", *(28_800 + 120 * k for k in range(6))),
}
"""One trip of route 12 along a street of 5 km; at 08:00 from the first stop, two minutes to each next, 1 km apart."""


def paper_plan(folder: Path, **tables: str) -> TracePlan:
    """The street's timetable, with tables replaced or added; without one where None."""
    whole = {f"{name}.txt": text for name, text in (STREET | tables).items() if text is not None}
    return trace_plan(read_feed(packed(folder / "feed.zip", whole)))


@dataclass(frozen=True, slots=True)
class Sight:
    """A ping as it is written on paper."""

    time_s: float
    x_m: float
    y_m: float = 0.0
    vehicle: str = "bus"
    trip: str = "t1"
    route: str = ""
    block: str = ""
    start_date: str = ""
    start_time: str = ""
    heading_deg: float = NAN
    speed_mps: float = NAN


def ride(
    begin_s: float, stands_s: Mapping[int, int] | None = None, ways_m: tuple[int, int] = (0, LENGTH_M), **said: str
):
    """A bus along the street, 100 m every 10 s from a moment on; it stands at places for multiples of 10 s."""
    stands, now_s = stands_s or {}, begin_s
    for x_m in range(ways_m[0], ways_m[1] + 1, 100):
        for wait_s in range(0, stands.get(x_m, 0) + 1, 10):
            yield Sight(now_s + wait_s, x_m, **said)
        now_s += stands.get(x_m, 0) + 10


def along(begin_s: float, *corners: tuple[float, float], pace_mps: float = 10.0, every_s: float = 10.0, **said: str):
    """A bus that drives from corner to corner without a stand, seen every so many seconds, heading where it goes."""
    ways_m = np.concatenate(([0.0], np.cumsum([math.dist(a, b) for a, b in pairwise(corners)])))
    for way_m in np.arange(0.0, ways_m[-1] + 1e-6, pace_mps * every_s).tolist():
        leg = min(int(np.searchsorted(ways_m, way_m, side="right")) - 1, len(corners) - 2)
        (x_1, y_1), (x_2, y_2) = corners[leg : leg + 2]
        share = (way_m - ways_m[leg]) / (ways_m[leg + 1] - ways_m[leg])
        heading_deg = math.degrees(math.atan2(x_2 - x_1, y_2 - y_1)) % 360
        place = (x_1 + share * (x_2 - x_1), y_1 + share * (y_2 - y_1))
        yield Sight(begin_s + way_m / pace_mps, *place, heading_deg=heading_deg, speed_mps=pace_mps, **said)


def silent(sights: Iterable[Sight], begin_s: float, end_s: float) -> list[Sight]:
    """Without what was said between two moments."""
    return [sight for sight in sights if not begin_s < sight.time_s < end_s]


def moved(sights: Iterable[Sight], later_s: float, **said: str) -> list[Sight]:
    """The same some time later, by another vehicle."""
    return [replace(sight, time_s=sight.time_s + later_s, **said) for sight in sights]


def pings_of(sights: Iterable[Sight]) -> Pings:
    """Pings in their order of arrival."""
    rows = list(sights)
    lon, lat = (np.array(column, dtype=float) for column in zip(*(degrees(s.x_m, s.y_m) for s in rows), strict=True))
    return Pings(
        time_s=np.array([s.time_s for s in rows]),
        **{
            name: labels(pd.Series([getattr(s, name) for s in rows]))
            for name in ("vehicle", "trip", "route", "block", "start_date", "start_time")
        },
        lat=lat,
        lon=lon,
        heading_deg=np.array([s.heading_deg for s in rows]),
        speed_mps=np.array([s.speed_mps for s in rows]),
        odometer_m=np.full(len(rows), NAN),
    )


def labels(texts: pd.Series) -> Labels:
    """A column of texts, empty ones as said by nobody."""
    codes, distinct = pd.factorize(texts.mask(texts == ""))
    return Labels(codes.astype(np.int32), tuple(distinct))


@dataclass(frozen=True, slots=True)
class Read:
    """A trace as it was read."""

    plan: TracePlan
    replay: Replay
    performed: PerformedTrips
    matched: Matched
    crossings: Crossings
    visits: StopVisits
    events: list[Event]

    def told(self, *kinds: str) -> list[tuple[str, float, int | None, float]]:
        """Kind, time, place of the call among those of the trip, and value of events, of some kinds if given."""
        found = []
        for event in self.events:
            first = self.plan.calls.start[self.performed[event.performed].trip]
            call = None if event.call is None else int(event.call - first)
            if not kinds or event.kind in kinds:
                found.append((str(event.kind), event.time_s, call, event.value))
        return found

    def trips(self) -> list[tuple[str, str, int, str]]:
        """Vehicle, trip, service day and evidence of the trips performed."""
        replay, ids = self.replay, self.plan.timetable.trips.ids
        return [(replay.vehicles[p.vehicle], ids[p.trip], p.day, p.evidence.name) for p in self.performed]


def read_trace(plan: TracePlan, pings: Pings, cuts: Sequence[int] = (), settings: TraceSettings | None = None) -> Read:
    """Feed pings in pieces, cut at rows."""
    settings = settings or TraceSettings()
    replay, watch = Replay(plan, settings), EventWatch(plan, settings)
    bounds = [0, *cuts, len(pings)]
    steps, events, trips = [], [], []
    feeds = (partial(replay.feed, take_pings(pings, np.arange(a, b))) for a, b in pairwise(bounds))
    for take in (*feeds, replay.close):
        steps.append(take())
        trips.append(replay.trips.at(steps[-1].begun))
        events += watch.see(steps[-1], replay.trips)
    events += watch.close(replay.trips, float(pings.time_s.max(initial=-math.inf)))
    performed = joined_trips(trips)
    crossings = Crossings(*map(np.concatenate, zip(*(step.crossings for step in steps), strict=True)))
    matched = Matched(*(np.concatenate([getattr(step.matched, name) for step in steps]) for name in Matched.__slots__))
    visits = stop_visits(plan, performed, crossings, settings.known_s)
    return Read(plan, replay, performed, matched, crossings, visits, sorted(events, key=event_order))


def canonical(read: Read) -> tuple[list[tuple[object, ...]], ...]:
    """Pings, crossings, visits and events in an order that hangs on nothing but themselves, numbers as their bytes."""
    replay, ids = read.replay, read.plan.timetable.trips.ids
    names = [(replay.vehicles[p.vehicle], ids[p.trip], p.day, p.evidence.name) for p in read.performed]
    names.append(("", "", -1, ""))  # of row -1

    def rows(table, columns: Sequence[str], key: Sequence[object]) -> list[tuple[object, ...]]:
        values = [getattr(table, name) for name in columns]
        strings = [np.ascontiguousarray(v).view(f"V{v.dtype.itemsize}").tolist() for v in values]
        return sorted(zip(key, *strings, strict=True))

    owner = [names[row] for row in read.matched.performed.tolist()]
    vehicle = [(replay.vehicles[row], *name) for row, name in zip(read.matched.vehicle.tolist(), owner, strict=True)]
    pings = rows(read.matched, [n for n in Matched.__slots__ if n not in {"vehicle", "performed"}], vehicle)
    crossed = rows(read.crossings, Crossings._fields[1:], [names[row] for row in read.crossings.performed.tolist()])
    columns = [name for name in StopVisits.__slots__ if name not in {"performed", "start"}]
    visits = rows(read.visits, columns, [names[row] for row in read.visits.performed.tolist()])
    events = sorted(
        (e.kind, e.time_s.hex(), names[e.performed], -1 if e.call is None else e.call, float(e.value).hex(), e.pings_s)
        for e in read.events
    )
    return pings, crossed, visits, events


def recorded_pings(data_dir: Path, city: str) -> Pings:
    """The trace of an agency as its readers give it, at once."""
    columns = read_column_map(Path(__file__).parents[1] / "docs" / "columns" / f"{city}.toml")
    batches = list(read_pings([data_dir / city / TRACES[city]], columns))
    assert len(batches) == 1
    return batches[0].pings
