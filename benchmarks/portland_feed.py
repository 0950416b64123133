"""Portland's recorded trips as a timetable: a feed that has every trip's line and stops and next to no times.

A line is the trip's own trace; stops stand where other trips tell. Only the first and the last call have times, the
minutes in which the trace begins and ends, so that nobody can read off a passage from the timetable.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from zipfile import ZipFile

import numpy as np

from benchmarks.portland import ZONE, Passages, Recorded
from gtfs.clock import origin_epoch_s, time_text
from networks.outfile import atomic_path

LEAST_CALLS = 2
Record = Mapping[str, object]


def write_feed(recorded: Recorded, found: Passages, path: Path) -> Path:
    """Write the feed as a zip archive; ``stop_id`` is the row of the passage, ``trip_id`` the recorded trip's.

    Trips with fewer than two passages at known places are left out.
    """
    calls = {trip: rows for trip in range(len(recorded)) if len(rows := _calls(found, trip)) >= LEAST_CALLS}
    tables: dict[str, Iterable[Record]] = {
        "agency": [
            {"agency_id": "1", "agency_name": "Recorded", "agency_url": "https://example.org", "agency_timezone": ZONE}
        ],
        "routes": [{"route_id": "1", "agency_id": "1", "route_short_name": "1", "route_type": 3}],
        "calendar_dates": (
            {"service_id": f"{day:%Y%m%d}", "date": f"{day:%Y%m%d}", "exception_type": 1}
            for day in sorted(set(recorded.dates))
        ),
        "trips": (
            {
                "route_id": "1",
                "service_id": f"{recorded.dates[trip]:%Y%m%d}",
                "trip_id": recorded.trip_ids[trip],
                "shape_id": recorded.trip_ids[trip],
            }
            for trip in calls
        ),
        "stops": (record for trip, rows in calls.items() for record in _stops(recorded, found, trip, rows)),
        "stop_times": (record for trip, rows in calls.items() for record in _times(recorded, found, trip, rows)),
        "shapes": (record for trip in calls for record in _shape(recorded, trip)),
    }
    with atomic_path(path) as part, ZipFile(part, "w") as archive:
        for name, records in tables.items():
            archive.writestr(f"{name}.txt", _csv(records))
    return path


def _calls(found: Passages, trip: int) -> list[int]:
    rows: list[int] = np.flatnonzero((found.trip == trip) & found.is_placed).tolist()
    return rows


def _stops(recorded: Recorded, found: Passages, trip: int, rows: list[int]) -> Iterator[Record]:
    line = recorded.line(trip)
    lon, lat = (np.interp(found.at_m[rows], recorded.way_m[line], degrees) for degrees in recorded.lonlat[line].T)
    for row, here_lon, here_lat in zip(rows, lon.tolist(), lat.tolist(), strict=True):
        yield {"stop_id": row, "stop_name": row, "stop_lat": f"{here_lat:.7f}", "stop_lon": f"{here_lon:.7f}"}


def _times(recorded: Recorded, found: Passages, trip: int, rows: list[int]) -> Iterator[Record]:
    origin_s = origin_epoch_s(recorded.dates[trip], ZONE)
    begin_s, end_s = (recorded.time_s[recorded.rows(trip)][[0, -1]] - origin_s).tolist()
    times = {0: time_text(int(begin_s) // 60 * 60), len(rows) - 1: time_text(-(-int(end_s) // 60) * 60)}
    for number, row in enumerate(rows):
        yield {
            "trip_id": recorded.trip_ids[trip],
            "arrival_time": times.get(number, ""),
            "departure_time": times.get(number, ""),
            "stop_id": row,
            "stop_sequence": number + 1,
            "timepoint": int(number in times),
            "shape_dist_traveled": f"{found.at_m[row]:.2f}",
        }


def _shape(recorded: Recorded, trip: int) -> Iterator[Record]:
    for number, row in enumerate(recorded.line(trip).tolist()):
        lon, lat = recorded.lonlat[row].tolist()
        yield {
            "shape_id": recorded.trip_ids[trip],
            "shape_pt_lat": f"{lat:.7f}",
            "shape_pt_lon": f"{lon:.7f}",
            "shape_pt_sequence": number,
            "shape_dist_traveled": f"{recorded.way_m[row]:.2f}",
        }


def _csv(records: Iterable[Record]) -> str:
    rows = list(records)
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
