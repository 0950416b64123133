"""A second reader of feeds, as plain as can be: dictionaries, loops, no arrays. It tells what a service day is."""

import csv
import io
import math
import zipfile
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


READ = {"agency", "stops", "trips", "stop_times", "calendar", "calendar_dates", "frequencies"}


def naive_tables(path):
    """Records of each table that a service day needs, as dictionaries of texts."""
    tables = {}
    with zipfile.ZipFile(path) as archive:
        for member in archive.namelist():
            name = member.split("/")[-1].removesuffix(".txt")
            if "__MACOSX" not in member and name in READ:
                lines = io.StringIO(archive.read(member).decode("utf-8-sig"))
                rows = [row for row in csv.reader(lines) if row]
                head = [field.strip() for field in rows[0]] if rows else []
                tables[name] = [dict(zip(head, row, strict=False)) for row in rows[1:]]
    return tables


def naive_day(tables, day, *, previous_day=True):
    """Departures of a service day, each a dictionary; times are seconds since the day's noon minus twelve hours."""
    zone = ZoneInfo(tables["agency"][0]["agency_timezone"])
    calls = _calls_of(tables)
    found = _departures(tables, calls, day, 0)
    if previous_day:
        before = day - timedelta(days=1)
        apart = int((_origin(before, zone) - _origin(day, zone)).total_seconds())
        found += [item for item in _departures(tables, calls, before, apart) if item["calls"][-1]["arrival"] > 0]
    return sorted(found, key=lambda item: (item["calls"][0]["departure"], item["trip_id"], item["service_date"]))


def _origin(day, zone):
    return datetime(day.year, day.month, day.day, 12, tzinfo=zone).astimezone(UTC) - timedelta(hours=12)


def naive_services(tables, day):
    """Ids of the services that run on a day."""
    text = day.strftime("%Y%m%d")
    running = set()
    for row in tables.get("calendar", []):
        if row[WEEKDAYS[day.weekday()]] == "1" and row["start_date"] <= text <= row["end_date"]:
            running.add(row["service_id"])
    for row in tables.get("calendar_dates", []):
        if row["date"] == text and row["exception_type"] == "1":
            running.add(row["service_id"])
    for row in tables.get("calendar_dates", []):
        if row["date"] == text and row["exception_type"] == "2":
            running.discard(row["service_id"])
    return running


def _calls_of(tables):
    """A function that gives the calls of a trip by its id."""
    stops = {row["stop_id"]: row for row in tables["stops"]}
    written = {}
    for row in tables["stop_times"]:
        written.setdefault(row["trip_id"], []).append(row)
    return cache(lambda trip: _calls(written.get(trip, []), stops))


def _departures(tables, calls_of, day, shift):
    running = naive_services(tables, day)
    windows = {}
    for row in tables.get("frequencies", []):
        windows.setdefault(row["trip_id"], []).append(row)
    found = []
    for trip in tables["trips"]:
        if trip["service_id"] not in running:
            continue
        calls = calls_of(trip["trip_id"])
        if calls is None:
            continue
        begin = calls[0]["departure"]
        begins = _repeated(windows[trip["trip_id"]]) if trip["trip_id"] in windows else [begin]
        for start in begins:
            moved = [
                call | {name: call[name] - begin + start + shift for name in ("arrival", "departure")} for call in calls
            ]
            found.append({"trip_id": trip["trip_id"], "service_date": day, "trip": trip, "calls": moved})
    return found


def _repeated(windows):
    begins = set()
    for row in windows:
        start, end, headway = _seconds(row["start_time"]), _seconds(row["end_time"]), int(row["headway_secs"])
        if row.get("exact_times") == "1":
            time = start
            while time < end:
                begins.add(time)
                time += headway
        else:  # only whole headways, but one departure at least
            begins.add(start)
            time = start
            while time + headway <= end:
                begins.add(time)
                time += headway
    return sorted(begins)


def _seconds(text):
    if not text or not text.strip():
        return None
    hours, minutes, seconds = text.split(":")
    return 3600 * int(hours) + 60 * int(minutes) + int(seconds)


def _calls(rows, stops):
    """Calls in order with all times, or None where the trip is no trip."""
    rows = sorted(rows, key=lambda row: int(row["stop_sequence"]))
    calls = []
    for row in rows:
        arrival, departure = _seconds(row["arrival_time"]), _seconds(row.get("departure_time"))
        given = arrival is not None or departure is not None
        distance = row.get("shape_dist_traveled")
        calls.append(
            {
                "stop_id": row["stop_id"],
                "stop_sequence": int(row["stop_sequence"]),
                "arrival": departure if arrival is None else arrival,
                "departure": arrival if departure is None else departure,
                "is_interpolated": not given,
                "timepoint": given and row.get("timepoint") != "0",
                "pickup_type": int(row.get("pickup_type") or 0),
                "drop_off_type": int(row.get("drop_off_type") or 0),
                "distance": float(distance) if distance else None,
                "place": _place(stops[row["stop_id"]]),
            }
        )
    if len(calls) < 2 or calls[0]["is_interpolated"] or calls[-1]["is_interpolated"]:
        return None
    _fill(calls)
    last = 0
    for call in calls:
        if call["arrival"] < last or call["departure"] < call["arrival"]:
            return None
        last = call["departure"]
    return calls


def _place(stop):
    lat, lon = stop.get("stop_lat"), stop.get("stop_lon")
    return (float(lat), float(lon)) if lat and lon and lat.strip() and lon.strip() else None


def _fill(calls):
    timed = [number for number, call in enumerate(calls) if not call["is_interpolated"]]
    for begin, end in pairwise(timed):
        far = _how_far(calls[begin : end + 1])
        start, length = calls[begin]["departure"], calls[end]["arrival"] - calls[begin]["departure"]
        for number in range(begin + 1, end):
            time = start + round(length * far[number - begin] / far[-1])
            calls[number]["arrival"] = calls[number]["departure"] = time


def _how_far(span):
    """How far each call of a span is from its first."""
    distances = [call["distance"] for call in span]
    if None not in distances and sorted(distances) == distances and distances[-1] > distances[0]:
        return [distance - distances[0] for distance in distances]
    places = [call["place"] for call in span]
    far = [0.0]
    if None not in places:
        for one, other in pairwise(places):
            far.append(far[-1] + _angle(one, other))
    return far if far[-1] > 0 else list(range(len(span)))


def _angle(one, other):
    """Angle between two places on the globe, by their vectors."""
    a, b = _vector(*one), _vector(*other)
    across = [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
    return math.atan2(math.hypot(*across), sum(x * y for x, y in zip(a, b, strict=True)))


def _vector(lat, lon):
    lat, lon = math.radians(lat), math.radians(lon)
    return [math.cos(lat) * math.cos(lon), math.cos(lat) * math.sin(lon), math.sin(lat)]


def naive_weekday(tables):
    """The weekday with the most trips, the earliest of them."""
    trips = {}
    for row in tables["trips"]:
        trips[row["service_id"]] = trips.get(row["service_id"], 0) + 1
    texts = [row["start_date"] for row in tables.get("calendar", [])]
    texts += [row["date"] for row in tables.get("calendar_dates", [])]
    begins = [datetime.strptime(text, "%Y%m%d").replace(tzinfo=UTC).date() for text in texts]
    days = sorted({day + timedelta(step) for day in begins for step in range(3)})
    weekdays = [day for day in days if day.weekday() < 5]
    return max(weekdays, key=lambda day: sum(trips.get(service, 0) for service in naive_services(tables, day)))
