"""A small feed as text in which nothing is wrong, though it has much that looks so; and how to pack one."""

import zipfile
from pathlib import Path

SOUND = {
    "agency.txt": (
        "agency_id,agency_name,agency_url,agency_timezone\n"
        "A,Buses,https://example.org,Asia/Almaty\n"
        "B,Wires,https://example.org,Asia/Almaty\n"
    ),
    "stops.txt": (
        "stop_id,stop_name,stop_lat,stop_lon,location_type,parent_station,wheelchair_boarding\n"
        'plaza,"Plaza, the old",43.2500,76.9400,1,,\n'
        "m1,Plaza,43.2500,76.9400,,plaza,1\n"
        "m2,Opera,43.2590,76.9400,0,,\n"
        "m3,Bazaar,43.2680,76.9400,,,\n"
        "door,Door,43.2501,76.9401,2,plaza,\n"
        "hall,Hall,,,3,plaza,\n"
    ),
    "routes.txt": "route_id,agency_id,route_short_name,route_type,route_color\n12,A,12,3,\n7,B,7,800,FF0000\n",
    "trips.txt": (
        "route_id,service_id,trip_id,direction_id,block_id,shape_id\n"
        "12,week,t1,0,b1,way\n"
        "12,week,t2,1,b1,\n"
        "7,feast,t3,,,way\n"
    ),
    "stop_times.txt": (
        "trip_id,arrival_time,departure_time,stop_id,stop_sequence,shape_dist_traveled,timepoint\n"
        "t1,08:00:00,08:00:00,m1,1,0,1\n"
        "t1,,,m2,5,,0\n"
        "t1, 8:05:00,8:06:00,m3,6,2000,1\n"
        "t2,23:55:00,23:55:00,m1,1,,\n"
        "t2,24:00:00,24:00:00,m2,2,,\n"
        "t2,24:00:00,24:10:00,m2,3,,\n"
        "t2,25:10:00,25:10:00,m1,4,,\n"
        "t3,00:00:00,00:00:00,m1,0,,\n"
        "t3,00:05:00,,m3,1,,\n"
    ),
    "calendar.txt": (
        "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date\n"
        "week,1,1,1,1,1,0,0,20260302,20260310\n"
    ),
    "calendar_dates.txt": "service_id,date,exception_type\nweek,20260303,2\nfeast,20260308,1\n",
    "shapes.txt": (
        "shape_id,shape_pt_lat,shape_pt_lon,shape_pt_sequence,shape_dist_traveled\n"
        "way,43.2500,76.9400,10,0\n"
        "way,43.2680,76.9400,30,2000\n"
        "way,43.2590,76.9400,20,1000\n"
    ),
    "frequencies.txt": (
        "trip_id,start_time,end_time,headway_secs,exact_times\nt3,06:00:00,09:00:00,600,0\nt3,09:00:00,26:00:00,40000,1\n"
    ),
    "transfers.txt": "from_stop_id,to_stop_id,transfer_type,min_transfer_time\nm1,m2,2,40000\n",
}


def packed(path: Path, members: dict[str, str | bytes], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    """Write members into a zip archive."""
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def changed(**tables: str | bytes | None) -> dict[str, str | bytes]:
    """The sound feed with tables replaced or added, or left out where None."""
    whole = SOUND | {f"{name}.txt": content for name, content in tables.items()}
    return {name: content for name, content in whole.items() if content is not None}


def edited(table: str, old: str, new: str) -> dict[str, str | bytes]:
    """The sound feed with a text in one of its tables, which has to be there once, replaced by another."""
    text = SOUND[f"{table}.txt"]
    assert text.count(old) == 1, (table, old)
    return changed(**{table: text.replace(old, new)})
