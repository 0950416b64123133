"""A city small enough to count by hand: three lines, two buses heard of, tables of a few rows."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.small_feed import packed

DAY = "2026-03-04"
"""A Wednesday."""

BEGIN = datetime(2026, 3, 4, 3, 0, tzinfo=UTC)
"""08:00 in Almaty: UTC+5 since March 2024."""

LINES = {
    "A": (43.25, "08:00:00", "08:20:00"),
    "B": (43.30, "08:00:00", "08:20:00"),
    "C": (43.35, "20:00:00", "20:20:00"),
}
"""Latitude of each line, which runs east, and when its one trip begins and ends."""

WEST, EAST = 76.90, 76.98


def write_feed(path: Path) -> Path:
    """A feed of the three lines; each has a stop at either end."""
    stops, trips, calls = [], [], []
    for line, (lat, begin, end) in LINES.items():
        stops += [f"{line}1,{line} west,{lat},{WEST}", f"{line}2,{line} east,{lat},{EAST}"]
        trips.append(f"{line},week,{line}-trip")
        calls += [f"{line}-trip,{begin},{begin},{line}1,1", f"{line}-trip,{end},{end},{line}2,2"]
    return packed(
        path,
        {
            "agency.txt": "agency_id,agency_name,agency_url,agency_timezone\nX,X,https://example.org,Asia/Almaty\n",
            "stops.txt": _table("stop_id,stop_name,stop_lat,stop_lon", stops),
            "routes.txt": _table("route_id,agency_id,route_short_name,route_type", [f"{x},X,{x},3" for x in LINES]),
            "trips.txt": _table("route_id,service_id,trip_id", trips),
            "stop_times.txt": _table("trip_id,arrival_time,departure_time,stop_id,stop_sequence", calls),
            "calendar.txt": (
                "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date\n"
                "week,1,1,1,1,1,0,0,20260302,20260306\n"
            ),
        },
    )


def write_positions(path: Path) -> Path:
    """Bus v1 drives line A on time and stands before and after; v2 stands elsewhere and serves nothing."""
    rows = []
    for second in range(-300, 1501, 30):
        share = min(max(second / 1200, 0.0), 1.0)
        time = (BEGIN + timedelta(seconds=second)).isoformat()
        rows.append(f"{time},v1,A-trip,{LINES['A'][0]},{WEST + share * (EAST - WEST):.6f}")
        rows.append(f"{time},v2,,43.28,76.91")
    numbered = [f"{number},{row}" for number, row in enumerate(rows)]
    header = "location_ping_id,event_timestamp,vehicle_id,trip_id_performed,latitude,longitude"
    path.write_text(_table(header, numbered), encoding="utf-8")
    return path


def write_tables(folder: Path) -> None:
    """The feed, the positions and every small table of the city."""
    write_feed(folder / "gtfs.zip")
    write_positions(folder / "positions.csv")
    tables = {
        "fleet.csv": ("vehicle_id", ["v1", "v2", "v3", "v4"]),
        "fare-routes.csv": ("route_id,electronic", ["A,yes", "B,no", "C,yes"]),
        "fare-vehicles.csv": ("vehicle_id,electronic", ["v1,yes", "v2,yes", "v3,yes", "v4,no"]),
        "payments.csv": ("month,electronic,all", ["2026-01,30,100", "2026-02,60,100"]),
        "stops.csv": (
            "stop_id,air_conditioned,enclosed,wifi,charging_point,information_board",
            ["A1,yes,yes,yes,yes,yes", "A2,no,yes,yes,yes,yes", "B1,,no,no,no,no", "B2,no,no,no,no,no",
             "C1,no,no,no,no,yes", "C2,no,no,no,no,no"],
        ),
        # some 400 m east of A1 along the parallel: 0.005 degrees times 111 195 m times cos(43.25 degrees) is 405 m
        "chargers.csv": ("lat,lon,power_kw,kind", [f"43.25,{WEST + 0.005},150,bus"]),
        "depots.csv": ("lat,lon", [f"43.25,{WEST + 0.006}", "43.40,77.0"]),
        "people.csv": ("lat,lon,people", [f"43.25,{WEST + 0.004},300", "43.40,77.0,700"]),
    }  # fmt: skip
    for name, (header, rows) in tables.items():
        (folder / name).write_text(_table(header, rows), encoding="utf-8")


DOCUMENT = {
    "city": {"name": "Three lines"},
    "transit": {"gtfs": "gtfs.zip", "date": DAY},
    "traces": {"files": ["positions.csv"]},
    "fleet": {"file": "fleet.csv"},
    "fares": {"routes": "fare-routes.csv", "vehicles": "fare-vehicles.csv", "payments": "payments.csv"},
    "stops": {"amenities": "stops.csv"},
    "charging": {"chargers": "chargers.csv", "depots": "depots.csv", "population": "people.csv", "within_m": 500},
}
"""All that the city has, but for streets."""


def _table(header: str, rows: list[str]) -> str:
    return "\n".join([header, *rows]) + "\n"
