"""A timetable for a city that has none: three made-up bus lines along its real streets, as a GTFS feed that says so."""

import csv
import io
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import numpy as np

from networks.geometry import to_lonlat
from networks.network import FloatArray, RoadNetwork
from networks.outfile import atomic_path
from scenarios.demo.bus_lines import BusLine, bus_lines
from scenarios.demo.bus_stops import Site, Way, bus_way, stop_sites

HEADWAYS_MIN = (10, 12, 15)
"""Minutes between departures, by line."""

FIRST_MIN, LAST_MIN = 6 * 60 + 30, 8 * 60 + 30
"""Minutes after midnight of the first and the latest departure."""

STOP_S = 28.0
"""What a stop costs: 20 s with open doors, 8 s of braking and speeding up."""

TIMEPOINT_EVERY = 3
"""Every so many stops buses wait for their timetable; at the first and the last they do too."""

LAYOVER_MIN = 3
YEAR = 2026
AGENCY = "Synthetic transit (made up)"
SERVICE = "weekdays"
EPOCH = (2026, 1, 1, 0, 0, 0)
"""Date of every member of the archive, so that it has the same bytes each time."""

Record = dict[str, object]


@dataclass(frozen=True, slots=True, eq=False)
class _Direction:
    """One direction of a line: where it runs, where it stops, and minutes after departure where those are fixed."""

    line: int
    direction: int
    way: Way
    stops: list[tuple[float, Site]]
    stop_ids: list[str]
    headsign: str
    minutes: dict[int, int]

    @property
    def shape_id(self) -> str:
        return f"line-{self.line}-{'back' if self.direction else 'out'}"

    @property
    def ride_min(self) -> int:
        return self.minutes[len(self.stops) - 1]

    def trip_id(self, departure_min: int) -> str:
        return f"{self.shape_id}-{departure_min // 60:02d}{departure_min % 60:02d}"


def write_demo_feed(network: RoadNetwork, path: Path) -> Path:
    """Write the feed of a network's made-up lines as a zip archive and return its path; the same bytes every time.

    Raises
    ------
    InputError
        NET_NO_GEOGRAPHY.
    RunError
        WRITE_FAILED.
    ValueError
        Where the network has no room for the lines or their stops.
    """
    stops: dict[Site, Record] = {}
    directions = [
        _direction(network, line, direction, way, stops)
        for line, streets in enumerate(bus_lines(network, len(HEADWAYS_MIN)), start=1)
        for direction, way in enumerate(_ways(network, streets))
    ]
    trips, stop_times = _service(directions)
    tables: dict[str, Iterable[Record]] = {
        "agency": _agency(),
        "feed_info": _feed_info(),
        "stops": stops.values(),
        "routes": _routes(directions),
        "trips": trips,
        "stop_times": stop_times,
        "calendar": _calendar(),
        "shapes": _shapes(network, directions),
    }
    with atomic_path(path) as part, ZipFile(part, "w") as archive:
        for name, records in tables.items():
            member = ZipInfo(f"{name}.txt", EPOCH)
            member.create_system, member.compress_type = 3, ZIP_DEFLATED
            archive.writestr(member, _csv(records))
    return path


def _ways(network: RoadNetwork, line: BusLine) -> tuple[Way, Way]:
    return bus_way(network, line.out), bus_way(network, line.back)


def _csv(records: Iterable[Record]) -> str:
    rows = list(records)
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _direction(network: RoadNetwork, line: int, direction: int, way: Way, stops: dict[Site, Record]) -> _Direction:
    """Lay out one direction of a line; its new stops are added to those of the feed."""
    found = stop_sites(network, way, set(stops))
    for at_m, site in found:
        if site not in stops:
            stops[site] = _stop(network, len(stops) + 1, network.edges.names[site[0]], way.beside_m(at_m))
    records = [stops[site] for _, site in found]
    return _Direction(
        line=line,
        direction=direction,
        way=way,
        stops=found,
        stop_ids=[str(record["stop_id"]) for record in records],
        headsign=str(records[-1]["stop_name"]),
        minutes=_minutes(way.running_s(np.array([at_m for at_m, _ in found]))),
    )


def _stop(network: RoadNetwork, number: int, street: str, place_m: FloatArray) -> Record:
    (lon, lat), *_ = to_lonlat(network.location, place_m).tolist()
    name = f"Synthetic stop {number}" + (f" ({street})" if street else "")
    return {"stop_id": f"S{number:02d}", "stop_name": name, "stop_lat": f"{lat:.6f}", "stop_lon": f"{lon:.6f}"}


def _minutes(running_s: FloatArray) -> dict[int, int]:
    """Whole minutes after departure at each timepoint: what the ride from the one before takes, rounded up."""
    last = len(running_s) - 1
    timepoints = sorted({*range(0, last, TIMEPOINT_EVERY), last})
    minutes = {0: 0}
    for before, here in pairwise(timepoints):
        ride_s = float(running_s[here] - running_s[before]) + STOP_S * (here - before)
        minutes[here] = minutes[before] + math.ceil(ride_s / 60)
    return minutes


def _service(directions: list[_Direction]) -> tuple[list[Record], list[Record]]:
    """Trips and their calls: by line and departure, out before back."""
    trips: list[Record] = []
    stop_times: list[Record] = []
    for out, back in zip(directions[::2], directions[1::2], strict=True):
        for which, departure_min, block in _blocks(out, back, HEADWAYS_MIN[out.line - 1]):
            trips.append(_trip(which, departure_min, block))
            stop_times += _calls(which, departure_min)
    return trips, stop_times


def _blocks(out: _Direction, back: _Direction, headway_min: int) -> Iterator[tuple[_Direction, int, int]]:
    """Departures of a line with the number of the vehicle: the one that waits longest at that end, else a new one."""
    waiting: dict[int, list[tuple[int, int]]] = {0: [], 1: []}
    vehicles = 0
    for departure_min in range(FIRST_MIN, LAST_MIN + 1, headway_min):
        for which in (out, back):
            ready = [each for each in waiting[which.direction] if each[0] + LAYOVER_MIN <= departure_min]
            if ready:
                waiting[which.direction].remove(min(ready))
                block = min(ready)[1]
            else:
                vehicles += 1
                block = vehicles
            waiting[1 - which.direction].append((departure_min + which.ride_min, block))
            yield which, departure_min, block


def _trip(which: _Direction, departure_min: int, block: int) -> Record:
    return {
        "route_id": f"line-{which.line}",
        "service_id": SERVICE,
        "trip_id": which.trip_id(departure_min),
        "trip_headsign": which.headsign,
        "direction_id": which.direction,
        "block_id": f"line-{which.line}-bus-{block}",
        "shape_id": which.shape_id,
    }


def _calls(which: _Direction, departure_min: int) -> Iterator[Record]:
    """Calls of a trip; times stand at timepoints, between them a reader interpolates."""
    for number, ((at_m, _), stop_id) in enumerate(zip(which.stops, which.stop_ids, strict=True)):
        clock = _clock(departure_min + which.minutes[number]) if number in which.minutes else ""
        yield {
            "trip_id": which.trip_id(departure_min),
            "arrival_time": clock,
            "departure_time": clock,
            "stop_id": stop_id,
            "stop_sequence": number + 1,
            "timepoint": int(number in which.minutes),
            "shape_dist_traveled": f"{at_m / 1000:.4f}",
        }


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}:00"


def _shapes(network: RoadNetwork, directions: list[_Direction]) -> Iterator[Record]:
    for which in directions:
        places = zip(to_lonlat(network.location, which.way.points_m).tolist(), which.way.along_m.tolist(), strict=True)
        for number, ((lon, lat), along_m) in enumerate(places, start=1):
            yield {
                "shape_id": which.shape_id,
                "shape_pt_lat": f"{lat:.6f}",
                "shape_pt_lon": f"{lon:.6f}",
                "shape_pt_sequence": number,
                "shape_dist_traveled": f"{along_m / 1000:.4f}",
            }


def _routes(directions: list[_Direction]) -> Iterator[Record]:
    for out, back in zip(directions[::2], directions[1::2], strict=True):
        yield {
            "route_id": f"line-{out.line}",
            "agency_id": "synthetic",
            "route_short_name": out.line,
            "route_long_name": f"Synthetic line {out.line} (made up): {back.headsign} to {out.headsign}",
            "route_type": 3,
        }


def _agency() -> Iterator[Record]:
    yield {
        "agency_id": "synthetic",
        "agency_name": AGENCY,
        "agency_url": "https://example.org",
        "agency_timezone": "Europe/Berlin",
        "agency_lang": "en",
    }


def _feed_info() -> Iterator[Record]:
    yield {
        "feed_publisher_name": AGENCY,
        "feed_publisher_url": "https://example.org",
        "feed_lang": "en",
        "feed_start_date": f"{date(YEAR, 1, 1):%Y%m%d}",
        "feed_end_date": f"{date(YEAR, 12, 31):%Y%m%d}",
        "feed_version": f"synthetic-{YEAR}",
    }


def _calendar() -> Iterator[Record]:
    days = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    yield {
        "service_id": SERVICE,
        **{day: int(day not in {"saturday", "sunday"}) for day in days},
        "start_date": f"{date(YEAR, 1, 1):%Y%m%d}",
        "end_date": f"{date(YEAR, 12, 31):%Y%m%d}",
    }
