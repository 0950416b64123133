"""Feeds: real ones with what is odd about them, and hostile or broken ones refused in one sentence (rows 1-12)."""

import csv
import io
import zipfile
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gtfs.feed import read_feed
from networks.faults import InputError
from tests.small_feed import packed

TABLES = {
    "agency.txt": "agency_name,agency_url,agency_timezone\nA,https://example.org,Asia/Almaty\n",
    "stops.txt": "stop_id,stop_name,stop_lat,stop_lon\n007,Market,43.25,76.94\n008,Station,43.34,76.95\n",
    "routes.txt": "route_id,route_short_name,route_type\n12,12,3\n",
    "trips.txt": "route_id,service_id,trip_id\n12,week,t1\n12,week,t2\n12,sunday,t3\n",
    "stop_times.txt": (
        "trip_id,arrival_time,departure_time,stop_id,stop_sequence\n"
        "t1,08:00:00,08:00:00,007,1\nt1,08:20:00,08:20:00,008,2\n"
        "t2,25:10:00,25:10:00,007,1\nt2,,,008,2\n"
        "t3,08:00:00,08:00:00,007,1\nt3,08:20:00,08:20:00,008,2\n"
    ),
    "calendar.txt": (
        "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date\n"
        "week,1,1,1,1,1,0,0,20260301,20260310\nsunday,0,0,0,0,0,0,1,20260301,20260310\n"
    ),
}
CALENDAR_HEAD = TABLES["calendar.txt"].splitlines()[0] + "\n"
EXCEPTIONS = "service_id,date,exception_type\nweek,20260303,2\nsunday,20260303,1\nweek,20260308,1\n"

FEEDS = ("amarillo", "augusta", "cuenca", "fortaleza", "riga", "saintjohn", "trensurb")


def changed(**tables: str | bytes | None) -> dict[str, str | bytes]:
    """The small feed with tables replaced, or left out where None."""
    whole = TABLES | {f"{name}.txt": content for name, content in tables.items()}
    return {name: content for name, content in whole.items() if content is not None}


def refusal(path: Path | str, **options: int) -> InputError:
    with pytest.raises(InputError) as caught:
        read_feed(path, **options)
    assert "\n" not in str(caught.value)
    return caught.value


def records(text: bytes) -> int:
    return sum(1 for row in csv.reader(io.StringIO(text.decode("utf-8-sig"))) if row) - 1


@pytest.mark.parametrize("name", FEEDS)
def test_every_record_of_a_real_feed_is_there(data_dir, name):
    path = data_dir / "feeds" / f"{name}.zip"
    counts = read_feed(path).tables()
    with zipfile.ZipFile(path) as archive:
        members = {Path(member).stem: member for member in archive.namelist() if "__MACOSX" not in member}
        assert counts == {table: records(archive.read(members[table])) for table in counts}
        unread = {table for table in members if table.islower()} - counts.keys() - {"gtfs"}
    assert unread <= {"fare_attributes", "fare_rules"}


@pytest.mark.parametrize("name", FEEDS)
def test_trips_by_day_are_those_that_gtfs_kit_finds_day_by_day(data_dir, name):
    feed = read_feed(data_dir / "feeds" / f"{name}.zip")
    days = feed.service_days()
    assert list(days) == sorted(days)
    week = [min(days) + timedelta(step) for step in range(-1, (max(days) - min(days)).days + 2, 5)]
    for day in week:
        active = feed.gtfs.get_active_services(day.strftime("%Y%m%d"))
        assert days.get(day, 0) == feed.gtfs.trips["service_id"].isin(active).sum()


def test_notices_tell_of_the_one_sub_folder_and_of_nothing_else(data_dir):
    notices = {name: read_feed(data_dir / "feeds" / f"{name}.zip").notices for name in FEEDS}
    assert [(name, item.code, item.value) for name, items in notices.items() for item in items] == [
        ("riga", "ZIP_SUBFOLDER", "gtfs")
    ]


def test_a_zip_and_its_folder_read_alike(tmp_path):
    with zipfile.ZipFile(packed(tmp_path / "feed.zip", TABLES)) as archive:
        archive.extractall(tmp_path / "feed")
    zipped, folder = read_feed(tmp_path / "feed.zip"), read_feed(tmp_path / "feed")
    assert zipped.tables() == folder.tables()
    assert zipped.tables() == {"agency": 1, "stops": 2, "routes": 1, "trips": 3, "stop_times": 6, "calendar": 2}
    assert zipped.gtfs == folder.gtfs
    assert zipped.path == tmp_path / "feed.zip"
    assert folder.notices == ()


def test_what_is_not_asked_for_stays_as_written(tmp_path):
    feed = read_feed(packed(tmp_path / "feed.zip", TABLES))
    assert feed.gtfs.stops["stop_id"].tolist() == ["007", "008"]
    assert feed.gtfs.stop_times["arrival_time"].fillna("blank").tolist()[2:4] == ["25:10:00", "blank"]
    assert feed.gtfs.calendar_dates is None


def test_a_byte_order_mark_and_spaces_in_the_header_do_no_harm(tmp_path):
    stops = "\ufeffstop_id , stop_name, stop_lat,stop_lon\r\n007,Market,43.25,76.94\r\n"
    feed = read_feed(packed(tmp_path / "feed.zip", changed(stops=stops)))
    assert feed.gtfs.stops.to_dict("records") == [
        {"stop_id": "007", "stop_name": "Market", "stop_lat": 43.25, "stop_lon": 76.94}
    ]


def test_days_of_service_by_hand(tmp_path):
    # 1 March 2026 is a Sunday; on Tuesday 3 March the Sunday timetable runs, on Sunday 8 March both do
    feed = read_feed(packed(tmp_path / "feed.zip", changed(calendar_dates=EXCEPTIONS)))
    march = {1: 1, 2: 2, 3: 1, 4: 2, 5: 2, 6: 2, 8: 3, 9: 2, 10: 2}
    assert feed.service_days() == {date(2026, 3, day): trips for day, trips in march.items()}


def test_either_calendar_will_do(tmp_path):
    only_dates = read_feed(packed(tmp_path / "a.zip", changed(calendar=None, calendar_dates=EXCEPTIONS)))
    assert only_dates.service_days() == {date(2026, 3, 3): 1, date(2026, 3, 8): 2}
    empty_week = read_feed(packed(tmp_path / "b.zip", changed(calendar=CALENDAR_HEAD, calendar_dates=EXCEPTIONS)))
    assert empty_week.service_days() == only_dates.service_days()


def test_a_calendar_to_the_end_of_time_is_no_burden(tmp_path):
    weekly = CALENDAR_HEAD + "week,1,1,1,1,1,1,1,20260101,20991231\n"
    days = read_feed(packed(tmp_path / "feed.zip", changed(calendar=weekly))).service_days()
    assert len(days) == (date(2100, 1, 1) - date(2026, 1, 1)).days
    assert max(days) == date(2099, 12, 31)


week_rows = st.lists(
    st.tuples(st.lists(st.booleans(), min_size=7, max_size=7), st.integers(0, 40), st.integers(0, 40)), max_size=3
)
exception_rows = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 40)), max_size=12, unique=True)


@given(weeks=week_rows, exceptions=exception_rows, kinds=st.lists(st.sampled_from([1, 2]), min_size=12, max_size=12))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_days_of_service_are_what_the_rules_say_day_by_day(tmp_path, weeks, exceptions, kinds):
    first = date(2026, 2, 20)
    calendar = CALENDAR_HEAD + "".join(
        f"s{number},{','.join(str(int(flag)) for flag in flags)},"
        f"{first + timedelta(begin):%Y%m%d},{first + timedelta(end):%Y%m%d}\n"
        for number, (flags, begin, end) in enumerate(weeks)
    )
    lines = [
        f"s{number},{first + timedelta(day):%Y%m%d},{kind}\n"
        for (number, day), kind in zip(exceptions, kinds, strict=False)
    ]
    trips = "route_id,service_id,trip_id\n" + "".join(f"12,s{number},t{number}\n" for number in range(3))
    anchor = "other,20260101,1\n"  # keeps the calendars from being empty; no trip runs by it
    dates = "service_id,date,exception_type\n" + "".join([*lines, anchor])
    feed = read_feed(packed(tmp_path / "feed.zip", changed(calendar=calendar, calendar_dates=dates, trips=trips)))
    expected = {}
    for step in range(41):
        day = first + timedelta(step)
        running = {
            number for number, (flags, begin, end) in enumerate(weeks) if begin <= step <= end and flags[day.weekday()]
        }
        for (number, when), kind in zip(exceptions, kinds, strict=False):
            if when == step:
                running = running | {number} if kind == 1 else running - {number}
        if running:
            expected[day] = len(running)
    assert feed.service_days() == expected


@pytest.mark.parametrize("field", ["start_date", "end_date"])
def test_a_date_that_is_none_is_named(tmp_path, field):
    row = {"start_date": "20260301", "end_date": "20260310"} | {field: "20261399"}
    weekly = CALENDAR_HEAD + f"week,1,1,1,1,1,0,0,20260301,20260310\nsunday,0,0,0,0,0,0,1,{','.join(row.values())}\n"
    feed = read_feed(packed(tmp_path / "feed.zip", changed(calendar=weekly)))
    with pytest.raises(InputError, match="20261399") as caught:
        feed.service_days()
    assert (caught.value.code, caught.value.row, caught.value.field) == ("GTFS_DATE", 3, field)
    assert caught.value.file.endswith("calendar.txt")


@pytest.mark.parametrize("name", ["no.zip", "no-folder", "https://example.org/gtfs.zip"])
def test_nothing_there_is_missing_and_never_fetched(name):
    assert refusal(name).code == "FILE_MISSING"


def test_text_and_truncated_zips_are_corrupt(tmp_path):
    path = tmp_path / "feed.zip"
    path.write_text("stop_id,stop_name\n")
    assert refusal(path).code == "ZIP_CORRUPT"
    whole = packed(path, TABLES).read_bytes()
    for length in (0, 10, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        assert refusal(path).code == "ZIP_CORRUPT"


def test_a_wrong_checksum_names_the_member(tmp_path):
    path = packed(tmp_path / "feed.zip", TABLES, zipfile.ZIP_STORED)
    path.write_bytes(path.read_bytes().replace(b"Market", b"Markup"))
    fault = refusal(path)
    assert fault.code == "ZIP_CORRUPT"
    assert "stops.txt" in fault.what


@pytest.mark.parametrize("member", ["../stops.txt", "/etc/stops.txt", "gtfs/../../stops.txt", "..\\stops.txt"])
def test_a_member_that_reaches_outside_is_unsafe(tmp_path, member):
    assert refusal(packed(tmp_path / "feed.zip", {**TABLES, member: "stop_id\n"})).code == "ZIP_UNSAFE"
    assert [path.name for path in tmp_path.iterdir()] == ["feed.zip"]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_member_that_stands_twice_is_unsafe(tmp_path):
    path = packed(tmp_path / "feed.zip", TABLES)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("stops.txt", "stop_id\n009\n")
    assert refusal(path).code == "ZIP_UNSAFE"


def test_one_table_under_two_spellings_is_unsafe(tmp_path):
    members = {f"gtfs/{name}": text for name, text in TABLES.items()}
    assert refusal(packed(tmp_path / "feed.zip", {**members, "gtfs\\stops.txt": "stop_id\n"})).code == "ZIP_UNSAFE"


def test_an_encrypted_member_is_unsafe(tmp_path):
    path = packed(tmp_path / "feed.zip", TABLES)
    data = bytearray(path.read_bytes())
    flags = data.index(b"PK\x01\x02") + 8  # of the first entry in the central directory
    data[flags] |= 1
    path.write_bytes(data)
    assert refusal(path).code == "ZIP_UNSAFE"


def test_a_bomb_is_counted_not_believed(tmp_path):
    path = packed(tmp_path / "feed.zip", changed(shapes=b" " * 10_000_000))
    assert path.stat().st_size < 20_000
    assert refusal(path, limit_bytes=1_000_000).code == "ZIP_TOO_LARGE"


def test_one_sub_folder_is_noticed_and_several_are_refused(tmp_path):
    inside = {f"a/b/{name}": text for name, text in TABLES.items()}
    extra = {"a/readme.txt": "x", "docs/licence.pdf": "x", "__MACOSX/stops.txt": "x", ".DS_Store": "x"}
    feed = read_feed(packed(tmp_path / "one.zip", {**inside, **extra, "._stops.txt": "x"}))
    assert [(item.code, item.value) for item in feed.notices] == [("ZIP_SUBFOLDER", "a/b")]
    assert feed.tables()["stops"] == 2
    fault = refusal(packed(tmp_path / "two.zip", {**inside, "c/stops.txt": TABLES["stops.txt"]}))
    assert fault.code == "ZIP_SUBFOLDER"
    assert "a/b, c" in fault.what


@pytest.mark.parametrize("table", ["agency", "stops", "routes", "trips", "stop_times", "calendar"])
def test_a_required_table_is_missing_or_empty(tmp_path, table):
    fault = refusal(packed(tmp_path / "a.zip", changed(**{table: None})))
    assert fault.code == "GTFS_TABLE_MISSING"
    assert f"{table}.txt" in fault.what
    head = TABLES[f"{table}.txt"].splitlines()[0]
    for nothing in ("", "\n", head, head + "\r\n"):
        fault = refusal(packed(tmp_path / "a.zip", changed(**{table: nothing})))
        assert fault.code == "GTFS_TABLE_EMPTY"
        assert f"{table}.txt" in fault.what


def test_a_zip_without_tables_names_all_that_are_missing(tmp_path):
    fault = refusal(packed(tmp_path / "a.zip", {"readme.txt": "x"}))
    assert fault.code == "GTFS_TABLE_MISSING"
    assert "stop_times.txt, calendar.txt or calendar_dates.txt" in fault.what


def test_a_field_that_all_rests_on_is_missing(tmp_path):
    fault = refusal(packed(tmp_path / "a.zip", changed(trips="route_id,trip_id\n12,t1\n")))
    assert fault.code == "GTFS_FIELD_MISSING"
    assert fault.what.endswith("service_id")
    assert fault.file.endswith("trips.txt")


@pytest.mark.parametrize(
    ("stops", "code", "row"),
    [
        ("stop_id,stop_name\n1,A\n2,B,C\n", "CSV_ROW", 3),
        ("stop_id,stop_name\n1,A,\n2,B,\n", "CSV_ROW", 2),
        ("stop_id,stop_name\n\n1\n2,B\n3\n", "CSV_ROW", 3),
        ('stop_id,stop_name\n1,"A\n2,B\n', "CSV_ROW", 2),
        ('stop_id,stop_name\n0,"Old\n\nmarket"\n \n1,"A\n2,B\n', "CSV_ROW", 6),
        ('stop_id,stop_name\n0,"Old\n\nmarket"\n \n1,A\n2\n', "CSV_ROW", 7),
        ("stop_id,stop_name,stop_id\n1,A,1\n", "CSV_ROW", 1),
        ('stop_id,stop_name\n1,A\n\n"\n"\n', "CSV_ROW", 4),
        ("stop_id\rstop_name\n1,A\n", "CSV_ROW", 3),
        ("stop_id,stop_name\n1,A\n2,Café\n".encode("latin-1"), "CSV_ENCODING", 3),
        ('stop_id,stop_name\n1,"A\nB"\n2,Café\n'.encode("latin-1"), "CSV_ENCODING", 4),
        ("stop_id,stop_name\n1,A\n2,B\0\n", "CSV_ENCODING", 3),
        ("stop_id,stop_name\n1,A\n".encode("utf-16"), "CSV_ENCODING", 1),
    ],
)
def test_a_table_that_cannot_be_read_says_where(tmp_path, stops, code, row):
    fault = refusal(packed(tmp_path / "feed.zip", changed(stops=stops)))
    assert (fault.code, fault.row) == (code, row)
    assert fault.file.endswith("stops.txt")


@given(content=st.binary(max_size=200))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_for_a_table_are_read_or_refused(tmp_path, content):
    path = packed(tmp_path / "feed.zip", changed(routes=b"route_id,route_type\n" + content))
    try:
        outcome = "read" if read_feed(path).tables()["routes"] else "nothing"
    except InputError as fault:
        outcome = fault.code
    assert outcome.startswith(("read", "CSV_", "GTFS_"))
