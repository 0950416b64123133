"""Tables of positions: values as written, faults counted in their lines; the oracle is the csv module."""

import csv
import gzip
import io
import random
import zipfile
from pathlib import Path
from unittest import mock

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gtfs import avl_lines, avl_parquet
from gtfs.avl import read_pings
from gtfs.avl_batch import Batch, rows_left_out
from gtfs.avl_columns import parse_column_map, read_column_map
from gtfs.avl_csv import BAD_QUOTE, read_csv_pings
from networks.faults import InputError

COLUMNS = Path(__file__).parents[1] / "docs" / "columns"
MAP = parse_column_map(
    b"""
[columns]
event_timestamp = "t"
feed_timestamp = "told"
vehicle_id = "bus"
trip_id_performed = "trip"
latitude = "lat"
longitude = "lon"
heading = "dir"
speed = "v"
odometer = "odo"
[units]
speed = "km/h"
odometer = "km"
""",
    "map.toml",
)
HEAD = "bus,t,told,trip,lat,lon,dir,v,odo,note\n"
GOOD = "12,1778673600,1778673610,T1,43.25,76.95,90,36,1.5,\n"
NOON_S = 1778673600


def read(text: str | bytes, columns=MAP, timezone=None) -> list[Batch]:
    content = text.encode() if isinstance(text, str) else text
    return list(read_csv_pings(io.BytesIO(content), "trace.csv", columns, timezone))


def fault_of(text: str | bytes, columns=MAP) -> InputError:
    with pytest.raises(InputError) as caught:
        read(text, columns)
    return caught.value


def said(batches: list[Batch]) -> list[tuple[str, str, int | None, str, str, int]]:
    return [
        (notice.code, notice.severity, notice.row, notice.field, notice.value, notice.count)
        for batch in batches
        for notice in batch.notices
    ]


def texts(labels) -> list[str]:
    return [labels.texts[code] if code >= 0 else "" for code in labels.codes]


def rows(batches: list[Batch]) -> list[tuple]:
    """Vehicle, trip, time and place of all pings."""
    return [
        row
        for batch in batches
        for row in zip(
            texts(batch.pings.vehicle),
            texts(batch.pings.trip),
            batch.pings.time_s.tolist(),
            batch.pings.lat.tolist(),
            batch.pings.lon.tolist(),
            strict=True,
        )
    ]


def test_values_come_in_metres_and_seconds():
    (batch,) = read(HEAD + GOOD)
    pings = batch.pings
    assert rows([batch]) == [("12", "T1", NOON_S, 43.25, 76.95)]
    assert (pings.heading_deg[0], pings.speed_mps[0], pings.odometer_m[0]) == (90, pytest.approx(10), 1500)
    assert (batch.told_s[0], batch.notices) == (NOON_S + 10, ())
    assert texts(pings.route) == texts(pings.block) == texts(pings.start_date) == texts(pings.start_time) == [""]


def test_what_may_be_missing_may_be_blank():
    (batch,) = read(HEAD + "12,1778673600,,,43.25,76.95,,,,\n")
    assert rows([batch]) == [("12", "", NOON_S, 43.25, 76.95)]
    assert np.isnan([batch.told_s[0], batch.pings.heading_deg[0], batch.pings.speed_mps[0]]).all()
    assert not batch.notices


def test_tides_needs_no_map():
    text = (
        "location_ping_id,service_date,event_timestamp,trip_id_performed,vehicle_id,latitude,longitude,heading,speed,odometer\n"
        "1,2026-05-13,2026-05-13T12:00:00Z,T1,12,43.25,76.95,90,10,1500\n"
        "2,2026-05-13,2026-05-13T17:00:30.5+05:00,,12,43.26,76.95,,,\n"
    )
    (batch,) = read(text, columns=None)
    assert rows([batch]) == [("12", "T1", NOON_S, 43.25, 76.95), ("12", "", NOON_S + 30.5, 43.26, 76.95)]
    assert texts(batch.pings.start_date) == ["20260513", "20260513"]
    assert (batch.pings.speed_mps[0], batch.pings.odometer_m[0]) == (10, 1500)


def test_wall_times_take_the_zone_that_the_caller_knows():
    text = "event_timestamp,vehicle_id,latitude,longitude\n2026-05-13 17:00:00,12,43.25,76.95\n"
    assert rows(read(text, None, "Asia/Almaty")) == [("12", "", NOON_S, 43.25, 76.95)]
    fault = fault_of(text, None)
    assert (fault.code, fault.file, fault.field) == ("AVL_TIMEZONE", "trace.csv", "event_timestamp")


def test_ids_that_a_program_took_for_numbers_are_whole_again():
    found = read(HEAD + "12.0,1778673600,,7.50,43.25,76.95,,,,\n 12 ,1778673600,,7.0,43.25,76.95,,,,\n")
    assert [row[:2] for row in rows(found)] == [("12", "7.50"), ("12", "7")]
    assert found[0].pings.vehicle.texts == ("12",)


@pytest.mark.parametrize(
    ("line", "code", "field", "value", "severity"),
    [
        (",1778673600,,T1,43.25,76.95,,,,", "RT_RANGE", "bus", "", "warning"),
        ("12,,,T1,43.25,76.95,,,,", "RT_RANGE", "t", "", "warning"),
        ("12,noon,,T1,43.25,76.95,,,,", "RT_RANGE", "t", "noon", "warning"),
        ("12,noon,1778673610,T1,43.25,76.95,,,,", "RT_RANGE", "t", "noon", "warning"),
        ("12,1778673600000,,T1,43.25,76.95,,,,", "RT_RANGE", "t", "1778673600000", "warning"),
        ("12,946684799,,T1,43.25,76.95,,,,", "RT_RANGE", "t", "946684799", "warning"),
        ("12,4102444800,,T1,43.25,76.95,,,,", "RT_RANGE", "t", "4102444800", "warning"),
        ("12,inf,,T1,43.25,76.95,,,,", "RT_RANGE", "t", "inf", "warning"),
        ("12,1778673671,1778673610,T1,43.25,76.95,,,,", "RT_RANGE", "t", "1778673671", "warning"),
        ("12,1778673309,1778673610,T1,43.25,76.95,,,,", "RT_STALE", "t", "1778673309", "info"),
        ("12,1778673600,,T1,,76.95,,,,", "RT_RANGE", "lat", "", "warning"),
        ("12,1778673600,,T1,abc,76.95,,,,", "RT_RANGE", "lat", "abc", "warning"),
        ("12,1778673600,,T1,4325,76.95,,,,", "RT_RANGE", "lat", "4325", "warning"),
        ("12,1778673600,,T1,-90.1,76.95,,,,", "RT_RANGE", "lat", "-90.1", "warning"),
        ("12,1778673600,,T1,nan,76.95,,,,", "RT_RANGE", "lat", "nan", "warning"),
        ("12,1778673600,,T1,43.25,,,,,", "RT_RANGE", "lon", "", "warning"),
        ("12,1778673600,,T1,43.25,180.5,,,,", "RT_RANGE", "lon", "180.5", "warning"),
        ("12,1778673600,,T1,43.25,-inf,,,,", "RT_RANGE", "lon", "-inf", "warning"),
        ("12,1778673600,,T1,0.0,0.0,,,,", "RT_RANGE", "lat", "0.0", "warning"),
        ("12,1778673600,,T1,43.25,76.95", "CSV_ROW", "6 fields under a header of 10", None, "warning"),
        ("12,1778673600,,T1,43.25,76.95,,,,,", "CSV_ROW", "11 fields under a header of 10", None, "warning"),
        ('12,1778673600,,"T1,43.25,76.95,,,,', "CSV_ROW", BAD_QUOTE, None, "warning"),
        ('12,1778673600,,T"1,43.25,76.95,,,"",', "CSV_ROW", BAD_QUOTE, None, "warning"),
        ('12,1778673600,,T"1,43.25,76.95,,,",', "CSV_ROW", BAD_QUOTE, None, "warning"),
    ],
)
def test_a_row_that_cannot_be_true_is_left_out_and_told_with_its_line(line, code, field, value, severity):
    found = read(HEAD + GOOD + "\n" + line + "\n" + GOOD + line + "\n")
    assert rows(found) == [("12", "T1", NOON_S, 43.25, 76.95)] * 2
    assert said(found) == [(code, severity, 4, field, line if value is None else value, 2)]
    assert rows_left_out(notice for batch in found for notice in batch.notices) == 2


@pytest.mark.parametrize(
    ("line", "field", "value"),
    [
        ("12,1778673600,,T1,43.25,76.95,361,,,", "dir", "361"),
        ("12,1778673600,,T1,43.25,76.95,-1,,,", "dir", "-1"),
        ("12,1778673600,,T1,43.25,76.95,N,,,", "dir", "N"),
        ("12,1778673600,,T1,43.25,76.95,,-0.1,,", "v", "-0.1"),
        ("12,1778673600,,T1,43.25,76.95,,217,,", "v", "217"),
        ("12,1778673600,,T1,43.25,76.95,,,-5,", "odo", "-5"),
        ("12,1778673600,,T1,43.25,76.95,,,inf,", "odo", "inf"),
        ("12,1778673600,1778673600000,T1,43.25,76.95,,,,", "told", "1778673600000"),
    ],
)
def test_a_value_that_cannot_be_true_is_left_blank_and_the_row_kept(line, field, value):
    found = read(HEAD + GOOD + line + "\n")
    assert rows(found) == [("12", "T1", NOON_S, 43.25, 76.95)] * 2
    pings = found[0].pings
    assert np.isnan([pings.heading_deg[1], pings.speed_mps[1], pings.odometer_m[1], found[0].told_s[1]]).all()
    assert said(found) == [("RT_RANGE", "warning", 3, field, value, 1)]
    assert rows_left_out(found[0].notices) == 0


def test_what_to_do_about_milliseconds_and_swapped_places_is_told():
    found = read(HEAD + "12,1778673600000,,T1,43.25,76.95,,,,\n12,1778673600,,T1,153.0,-27.5,,,,\n")
    assert [notice.remedy for notice in found[0].notices] == [
        "In milliseconds, it seems; divide by 1,000 to give seconds: left out",
        "Off the globe, or swapped with the longitude: left out",
    ]


def test_a_row_without_a_time_has_that_of_its_publication_and_it_is_told():
    found = read(HEAD + "12,,1778673610,T1,43.25,76.95,,,,\n")
    assert rows(found) == [("12", "T1", NOON_S + 10, 43.25, 76.95)]
    assert said(found) == [("RT_RANGE", "info", 2, "t", "", 1)]


@pytest.mark.parametrize("line", ['12,1778673600,,"T1,43.25,76.95,,,,', "12,1778673600"])
def test_a_file_without_a_sound_row_gives_no_pings_and_says_why(line):
    (batch,) = read(HEAD + line + "\n" + line + "\n")
    assert len(batch.pings) == 0
    ((code, _, row, _, _, count),) = said([batch])
    assert (code, row, count) == ("CSV_ROW", 2, 2)


def test_bounds_belong_to_the_range():
    found = read(HEAD + "12,1778673670,1778673610,T1,90,180,360,216,0,\n12,1778673310,1778673610,T1,-90,-180,0,0,0,\n")
    assert len(rows(found)) == 2
    assert said(found) == []


@pytest.mark.parametrize(
    ("content", "code", "row"),
    [
        (HEAD.encode() + b"12,1778673600,,T\xe9,43.25,76.95,,,,\n", "CSV_ENCODING", 2),
        (HEAD.encode() + GOOD.encode() + b"12,17786\x0073600,,T,43.25,76.95,,,,\n", "CSV_ENCODING", 3),
        ((HEAD + GOOD).encode("utf-16"), "CSV_ENCODING", 1),
        (b"", "AVL_EMPTY", None),
        (b"\n\n", "AVL_EMPTY", None),
        (HEAD.encode(), "AVL_EMPTY", None),
        (HEAD.encode() + b"\n \n\n", "AVL_EMPTY", None),
        (b"bus,t,told,trip,lat,lon,dir,v,odo,lat\n", "AVL_COLUMN", 1),
        (HEAD.encode() + b"x" * (avl_lines.MAX_LINE_BYTES + 1), "CSV_ROW", None),
        (b"<html><body>Not found</body></html>\n", "AVL_COLUMN", 1),
    ],
)
def test_what_is_no_table_of_positions_is_refused(content, code, row):
    fault = fault_of(content)
    assert (fault.code, fault.row, fault.file) == (code, row, "trace.csv")


def test_lines_are_counted_with_blank_ones_and_any_line_ends():
    text = HEAD + GOOD + "\n" + GOOD + " \n" + "12,,,,,,,,,\n"
    for end in ("\n", "\r\n", "\r"):
        for mark in ("", "\ufeff"):
            found = read(mark + "\n" + text.replace("\n", end))
            assert len(rows(found)) == 2
            assert said(found) == [("RT_RANGE", "warning", 7, "t", "", 1)]


def test_other_delimiters_are_found_out():
    for delimiter in ";\t|":
        assert rows(read((HEAD + GOOD).replace(",", delimiter))) == [("12", "T1", NOON_S, 43.25, 76.95)]


CELL = st.text(st.sampled_from('ab1 ,"é;'), max_size=5)


@given(
    cells=st.lists(st.tuples(CELL, CELL), min_size=1, max_size=12),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    block_bytes=st.integers(40, 400),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
)
@settings(deadline=None, max_examples=150)
def test_texts_are_as_the_csv_module_writes_them_at_any_chunking(cells, quoting, block_bytes, end):
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator=end, quoting=quoting)
    for trip, note in cells:
        writer.writerow(["12", NOON_S, "", trip, 43.25, 76.95, "", "", "", note])
    with mock.patch.object(avl_lines, "BLOCK_BYTES", block_bytes):
        found = read(HEAD.replace("\n", end) + stream.getvalue())
    assert [row[1] for row in rows(found)] == [trip.strip() for trip, _ in cells]
    for batch in found:
        assert sorted(batch.pings.trip.texts) == sorted(set(batch.pings.trip.texts) - {""})
    assert said(found) == []


def trace(count: int) -> str:
    draw = random.Random(7)
    lines = [
        f"{draw.randrange(9)},{NOON_S + 30 * step},{NOON_S + 30 * step + draw.randrange(400)},T{draw.randrange(5)},"
        f"{draw.choice(['43.25', '', '91', 'x', '43.251'])},{draw.uniform(76, 77):.5f},{draw.randrange(400)},,,"
        for step in range(count)
    ]
    return HEAD + "\n".join(lines) + "\n"


def test_a_file_gives_the_same_pings_and_notices_at_any_chunking():
    text = trace(300)
    whole = read(text)
    for block_bytes in (64, 1000, 4096):
        with mock.patch.object(avl_lines, "BLOCK_BYTES", block_bytes):
            parts = read(text)
        assert len(parts) > 3
        assert rows(parts) == rows(whole)
        assert sorted(said(parts)) == sorted(said(whole))
        assert not any(batch.notices for batch in parts[:-1])


def left_out(batches: list[Batch]) -> int:
    return sum(
        notice.count for batch in batches for notice in batch.notices if notice.remedy.lower().find("left out") >= 0
    )


@given(data=st.data(), flips=st.integers(1, 4), quoted=st.booleans(), cut=st.booleans())
@settings(deadline=None, max_examples=200)
def test_damage_is_refused_or_counted_and_stays_in_its_line(data, flips, quoted, cut):
    text = trace(40).replace(",T", ',"T').replace(",43.", '",43.') if quoted else trace(40)
    content = bytearray(text.encode())
    before = rows(read(bytes(content)))
    for _ in range(flips):
        place = data.draw(st.integers(len(HEAD), len(content) - 1))
        content[place] ^= 1 << data.draw(st.integers(0, 7))
    if cut:
        del content[data.draw(st.integers(len(HEAD) + 1, len(content))) :]
    try:
        found = read(bytes(content))
    except InputError as fault:
        assert fault.code in {"CSV_ENCODING", "AVL_EMPTY"}  # noqa: PT017 - one of two outcomes
        return
    lines = [line for line in content.decode().replace("\r", "\n").split("\n")[1:] if line.strip()]
    assert len(rows(found)) + left_out(found) == len(lines)
    for batch in found:
        pings = batch.pings
        assert (np.abs(pings.lat) <= 90).all()
        assert (np.abs(pings.lon) <= 180).all()
        assert ((pings.time_s >= 946684800) & (pings.time_s < 4102444800)).all()
        assert (pings.vehicle.codes >= 0).all()
        assert not ((pings.heading_deg < 0) | (pings.heading_deg > 360)).any()
    if not cut:
        assert len(set(before) - set(rows(found))) <= 2 * flips


def as_parquet(text: str, path: Path) -> Path:
    """The table with numbers as numbers."""
    records = list(csv.DictReader(io.StringIO(text)))
    columns = {name: [record[name] or None for record in records] for name in records[0]}
    made = {name: pa.array(values, pa.string()) for name, values in columns.items()}
    for name in ("t", "told"):
        made[name] = made[name].cast(pa.int64())
    made["bus"] = made["bus"].cast(pa.int64()).cast(pa.float64())
    made["lat"] = pa.array([None if value in (None, "x") else float(value) for value in columns["lat"]])
    made["lon"] = made["lon"].cast(pa.float64())
    made["dir"] = made["dir"].cast(pa.decimal128(5, 1))
    pq.write_table(pa.table(made), path, row_group_size=70)
    return path


def test_parquet_says_what_csv_says(tmp_path):
    text = trace(300)
    with mock.patch.object(avl_parquet, "BATCH_ROWS", 50):
        found = list(read_pings([as_parquet(text, tmp_path / "trace.parquet")], MAP))
    whole = read(text)
    assert rows(found) == rows(whole)
    assert len(found) >= 6
    counts = {(code, field): count for code, _, _, field, _, count in said(found)}
    assert counts[("RT_STALE", "t")] == {(row[0], row[3]): row[5] for row in said(whole)}[("RT_STALE", "t")]
    first = {field: row for code, _, row, field, _, _ in said(found) if code == "RT_STALE"}["t"]
    assert first == {field: row - 1 for code, _, row, field, _, _ in said(whole) if code == "RT_STALE"}["t"]


@pytest.mark.parametrize(
    "kind", [pa.int32(), pa.float32(), pa.string(), pa.large_string(), pa.dictionary(pa.int8(), pa.string())]
)
def test_parquet_ids_of_any_type_are_clean_texts(tmp_path, kind):
    ids = (
        pa.array(["4582", None, "31"]).cast(kind)
        if not pa.types.is_dictionary(kind)
        else pa.array(["4582", None, "31"]).dictionary_encode()
    )
    table = {"vehicle_id": ["a", "b", "c"], "trip_id_performed": ids, "latitude": [43.0] * 3, "longitude": [76.0] * 3}
    pq.write_table(
        pa.table({**table, "event_timestamp": pa.array([NOON_S] * 3, pa.timestamp("s", "UTC"))}), tmp_path / "t.parquet"
    )
    (batch,) = read_pings([tmp_path / "t.parquet"])
    assert texts(batch.pings.trip) == ["4582", "", "31"]


def test_parquet_that_is_none_is_refused(tmp_path):
    path = tmp_path / "trace.parquet"
    sound = as_parquet(trace(300), path).read_bytes()
    for content in (b"", b"PAR1", sound[:2000], sound[:-1], b"bus,t\n1,2\n"):
        path.write_bytes(content)
        with pytest.raises(InputError) as caught:
            list(read_pings([path], MAP))
        assert (caught.value.code, caught.value.file) == ("AVL_FILE", str(path))
    pq.write_table(pa.table({"bus": pa.array([], pa.string()), "lat": pa.array([], pa.float64())}), path)
    with pytest.raises(InputError) as caught:
        list(read_pings([path], MAP))
    assert caught.value.code == "AVL_COLUMN"


def test_parquet_columns_of_lists_are_refused(tmp_path):
    table = {"event_timestamp": [NOON_S], "vehicle_id": ["a"], "latitude": [[43.0]], "longitude": [76.0]}
    pq.write_table(pa.table(table), tmp_path / "t.parquet")
    with pytest.raises(InputError) as caught:
        list(read_pings([tmp_path / "t.parquet"]))
    assert (caught.value.code, caught.value.field) == ("AVL_COLUMN", "latitude")


@given(data=st.data(), flips=st.integers(1, 3))
@settings(deadline=None, max_examples=60)
def test_damaged_parquet_is_refused_or_within_range(tmp_path_factory, data, flips):
    path = tmp_path_factory.getbasetemp() / "damaged.parquet"
    content = bytearray(as_parquet(trace(60), path).read_bytes())
    for _ in range(flips):
        content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(content)
    try:
        found = list(read_pings([path], MAP))
    except InputError as fault:
        assert fault.code in {"AVL_FILE", "AVL_COLUMN", "AVL_EMPTY"}  # noqa: PT017
        return
    assert all((np.abs(batch.pings.lat) <= 90).all() for batch in found)


def test_parquet_without_rows_is_empty(tmp_path):
    none = {name: pa.array([], pa.float64()) for name in ("event_timestamp", "vehicle_id", "latitude", "longitude")}
    pq.write_table(pa.table(none), tmp_path / "t.parquet")
    with pytest.raises(InputError) as caught:
        list(read_pings([tmp_path / "t.parquet"]))
    assert caught.value.code == "AVL_EMPTY"


def test_seconds_of_a_service_day_that_are_missing_are_told_by_their_column():
    columns = read_column_map(COLUMNS / "portland.toml")
    head = "EVENT_NO_TRIP,OPD_DATE,VEHICLE_ID,METERS,ACT_TIME,GPS_LONGITUDE,GPS_LATITUDE\n"
    line = "1,08MAR2026:00:00:00,12,5,{},-122.6,45.5\n"
    found = read(head + line.format(90000) + line.format("soon"), columns)
    noon_s = 1772996400  # 19:00 UTC: clocks went forward that morning
    assert rows(found) == [("12", "1", noon_s - 43200 + 90000, 45.5, -122.6)]
    assert said(found) == [("RT_RANGE", "warning", 3, "ACT_TIME", "soon", 1)]


def test_files_come_in_the_given_order_packed_or_not(tmp_path):
    text = HEAD + GOOD
    (tmp_path / "b.csv").write_text(text.replace("12,", "b,"))
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(text.replace("12,", "a,").encode()))
    with zipfile.ZipFile(tmp_path / "c.zip", "w") as archive:
        archive.writestr("in/c.csv", text.replace("12,", "c,"))
    (tmp_path / "d").write_text(text.replace("12,", "d,"))
    found = list(read_pings([tmp_path / name for name in ("b.csv", "a.csv.gz", "c.zip", "d")], MAP))
    assert [row[0] for row in rows(found)] == ["b", "a", "c", "d"]


def test_a_damaged_gzip_is_told(tmp_path):
    packed = gzip.compress(trace(300).encode())
    (tmp_path / "t.csv.gz").write_bytes(packed[: len(packed) // 2])
    with pytest.raises(InputError) as caught:
        list(read_pings([tmp_path / "t.csv.gz"], MAP))
    assert caught.value.code == "ZIP_CORRUPT"


def naive(path: Path, name: str) -> list[dict[str, str]]:
    with gzip.open(path, "rt", newline="") as stream:
        return [record for record in csv.DictReader(stream) if record[name]]


def test_kingston_is_read_whole(data_dir):
    path = data_dir / "kingston" / "vehicle_positions.csv.gz"
    found = list(read_pings([path], read_column_map(COLUMNS / "kingston.toml")))
    assert {(code, field, row): count for code, _, row, field, _, count in said(found)} == {
        ("RT_RANGE", "lat", 14): 785,
        ("RT_RANGE", "lat", 11554): 79,
        ("RT_STALE", "vehicle_timestamp", 5): 9908,
    }
    assert sum(len(batch.pings) for batch in found) == 24510 - 785 - 79 - 9908
    sound = [
        (
            record["vehicle_id"],
            record["trip_id"],
            float(record["vehicle_timestamp"]),
            float(record["lat"]),
            float(record["lon"]),
        )
        for record in naive(path, "lat")
        if abs(float(record["lat"])) > 1 and int(record["feed_timestamp"]) - int(record["vehicle_timestamp"]) <= 300
    ]
    assert rows(found) == sound
    assert set(found[0].pings.start_date.texts) == {"20260114", "20260115"}


def test_washington_is_read_whole(data_dir):
    path = data_dir / "washington" / "vehicle_positions.csv.gz"
    found = list(read_pings([path], read_column_map(COLUMNS / "washington.toml")))
    (batch,) = found
    assert said(found) == []
    assert (len(batch.pings), len(batch.pings.vehicle.texts), len(batch.pings.trip.texts)) == (20777, 31, 132)
    assert texts(batch.pings.start_time)[0] == "10:30:00"
    speeds = [float(record["vehicle.position.speed"] or "nan") for record in naive(path, "vehicle.position.latitude")]
    np.testing.assert_array_equal(batch.pings.speed_mps, speeds)


def test_portland_counts_seconds_of_the_service_day(data_dir):
    path = data_dir / "portland" / "breadcrumbs_202212.csv.gz"
    found = list(read_pings([path], read_column_map(COLUMNS / "portland.toml")))
    assert said(found) == [("RT_RANGE", "warning", 3904, "GPS_LATITUDE", "", 14)]
    (batch,) = found
    assert len(batch.pings) == 32241 - 14
    assert set(batch.pings.start_date.texts) == {"20221212", "20221217", "20221219", "20221225"}
    assert batch.pings.time_s[0] == 1670832000 + 33160  # noon of 12 December in Portland is 20:00 UTC
    assert rows(found)[0][0] == "2901"
