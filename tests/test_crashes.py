"""Crash files of every usual kind read alike; faulty ones refused or told of; records given to the right junction."""

import csv
import gzip
import io
import json
import math
import zipfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyproj import Transformer

from networks.crash_columns import ColumnMap, PlaceRule, SeverityRule, SeverityWeights, read_column_map
from networks.crash_shift import find_shifts, move_back, shift_notices
from networks.crash_sites import (
    CROSS_STREET,
    MID_BLOCK,
    NAMED_M,
    NAMES,
    NEAR_M,
    NEAREST,
    UNPLACED,
    CrashMatches,
    match_crashes,
)
from networks.crashes import Crashes, Severity, read_crashes
from networks.faults import InputError, Notice
from networks.label_agreement import LabelAgreement, label_agreement
from networks.network import NONE, RoadNetwork
from networks.sites import find_sites
from networks.street_names import is_same_street
from tests.street_plans import lonlat, read_plan

COLUMNS = ["LATITUDE", "LONGITUDE", "LOG1", "LOG2", "TIPO_ACID", "DATA_HORA", "FERIDOS", "MORTES"]


@pytest.fixture(scope="module")
def town(tmp_path_factory) -> RoadNetwork:
    """Two crossings on a long street, 300 m apart; the second with a street whose name has accents and a title."""
    places = {
        "w": (-300.0, 0.0), "a": (0, 0), "b": (300, 0), "e": (600, 0),
        "an": (0, 300), "as": (0, -300), "bn": (300, 300), "bs": (300, -300),
    }  # fmt: skip
    streets = ["Avenida Ipiranga: w a b e", "Rua Santana: as a an", "Rua Doutor Nilo Peçanha: bs b bn"]
    return read_plan(tmp_path_factory.mktemp("town"), places, streets)


def record(town: RoadNetwork, x: float, y: float, **values: object) -> dict[str, str]:
    lon, lat = lonlat(town, x, y)
    row = dict.fromkeys(COLUMNS, "") | {
        "LATITUDE": f"{lat:.9f}",
        "LONGITUDE": f"{lon:.9f}",
        "FERIDOS": "0",
        "MORTES": "0",
    }
    return row | {name: str(value) for name, value in values.items()}


@pytest.fixture(scope="module")
def records(town) -> list[dict[str, str]]:
    return [
        record(town, 3, 4, LOG1="AV IPIRANGA", LOG2="R SANTANA", DATA_HORA="2012-01-31T04:00:00", FERIDOS=2),
        record(town, 150, 0, LOG1="AV IPIRANGA", TIPO_ACID="COLISÃO", DATA_HORA="2012-03-01T23:59:00"),
        record(town, 300, 10, LOG1="AV IPIRANGA", DATA_HORA="2013-12-05T12:30:00", FERIDOS=1, MORTES=1),
    ]


def write_csv(path: Path, rows: list[dict[str, str]], *, delimiter: str = ",", encoding: str = "utf-8") -> Path:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), delimiter=delimiter, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    path.write_bytes(text.getvalue().encode(encoding))
    return path


def table(crashes: Crashes) -> list[tuple[object, ...]]:
    """Records as rows that can be compared, apart from the file and line."""
    return list(
        zip(
            crashes.lon.round(8).tolist(),
            crashes.lat.round(8).tolist(),
            crashes.time.astype(str).tolist(),
            crashes.deaths.tolist(),
            crashes.injured.tolist(),
            crashes.severity.tolist(),
            crashes.type,
            crashes.street,
            crashes.cross_street,
            strict=True,
        )
    )


def read_one(path: Path, town: RoadNetwork, columns: ColumnMap | None = None) -> tuple[Crashes, tuple[Notice, ...]]:
    return read_crashes([path], town, columns)


def refused(path: Path, town: RoadNetwork, columns: ColumnMap | None = None) -> InputError:
    with pytest.raises(InputError) as caught:
        read_one(path, town, columns)
    return caught.value


def test_what_a_record_says_is_kept(tmp_path, town, records):
    crashes, notices = read_one(write_csv(tmp_path / "a.csv", records), town)
    assert notices == ()
    assert crashes.row.tolist() == [2, 3, 4]
    assert crashes.time.astype(str).tolist() == ["2012-01-31T04:00:00", "2012-03-01T23:59:00", "2013-12-05T12:30:00"]
    assert crashes.severity.tolist() == [Severity.INJURY, Severity.DAMAGE, Severity.FATAL]
    assert (crashes.deaths.tolist(), crashes.injured.tolist()) == ([0, 0, 1], [2, 0, 1])
    assert np.column_stack((crashes.x_m, crashes.y_m)) == pytest.approx(
        np.array([(3, 4), (150, 0), (300, 10)]), abs=0.01
    )
    assert (crashes.type[1], crashes.street[0], crashes.cross_street[0]) == ("COLISÃO", "AV IPIRANGA", "R SANTANA")


def test_every_kind_of_file_gives_the_same_records(tmp_path, town, records):
    plain = write_csv(tmp_path / "a.csv", records)
    expected = table(read_one(plain, town)[0])
    packed, archive = tmp_path / "a.csv.gz", tmp_path / "a.csv.zip"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    with zipfile.ZipFile(archive, "w") as out:
        out.writestr("inside.csv", plain.read_bytes())
    decimal = [row | {name: row[name].replace(".", ",") for name in ("LATITUDE", "LONGITUDE")} for row in records]
    parquet = tmp_path / "a.parquet"
    floats = {name: pa.array([float(row[name]) for row in records]) for name in ("LATITUDE", "LONGITUDE")}
    counts = {name: pa.array([int(row[name]) for row in records]) for name in ("FERIDOS", "MORTES")}
    times = {"DATA_HORA": pa.array([np.datetime64(row["DATA_HORA"], "us") for row in records])}
    texts = {name: pa.array([row[name] or None for row in records]) for name in ("LOG1", "LOG2", "TIPO_ACID")}
    pq.write_table(pa.table({**floats, **counts, **times, **texts}), parquet)
    variants = {
        "gz": packed,
        "zip": archive,
        "latin-1": write_csv(tmp_path / "latin.csv", records, encoding="latin-1"),
        "bom": write_csv(tmp_path / "bom.csv", records, encoding="utf-8-sig"),
        "tabs": write_csv(tmp_path / "tabs.txt", records, delimiter="\t"),
        "decimal commas": write_csv(tmp_path / "commas.csv", decimal, delimiter=";"),
        "parquet": parquet,
        "geojson": geojson(tmp_path / "a.geojson", records),
    }
    for name, path in variants.items():
        crashes, notices = read_one(path, town)
        assert (name, table(crashes), notices) == (name, expected, ())


def geojson(path: Path, records: list[dict[str, str]]) -> Path:
    """Records as points, with wrong coordinates among their properties: the geometry holds."""
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [float(row["LONGITUDE"]), float(row["LATITUDE"]), 12.0]},
            "properties": row | {"LATITUDE": None, "LONGITUDE": 7, "FERIDOS": int(row["FERIDOS"])},
        }
        for row in records
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return path


def test_empty_columns_at_the_end_and_empty_lines_do_no_harm(tmp_path, town, records):
    path = write_csv(tmp_path / "a.csv", records)
    lines = [line + "," for line in path.read_text().splitlines()]
    path.write_text("\n".join([*lines[:2], "", *lines[2:], "", ""]))
    crashes, notices = read_one(path, town)
    assert (crashes.row.tolist(), notices) == ([2, 4, 5], ())


def test_several_files_are_read_as_one(tmp_path, town, records):
    one = write_csv(tmp_path / "a.csv", records[:2])
    two = write_csv(tmp_path / "b.csv", records[2:], delimiter=";")
    crashes, _ = read_crashes([one, two], town)
    assert crashes.files == (str(one), str(two))
    assert (crashes.file.tolist(), crashes.row.tolist()) == ([0, 0, 1], [2, 3, 2])
    assert table(crashes) == table(read_one(write_csv(tmp_path / "c.csv", records), town)[0])


def test_the_english_names_of_other_cities_are_known(tmp_path, town):
    lon, lat = lonlat(town, 0, 0)
    path = tmp_path / "a.csv"
    path.write_text(
        "CRASH DATE,LATITUDE,LONGITUDE,ON STREET NAME,CROSS STREET NAME,NUMBER OF PERSONS INJURED,"
        f"NUMBER OF PERSONS KILLED\n09/11/2021,{lat},{lon},WHITESTONE EXPRESSWAY,20 AVENUE,2,0\n"
        f"12/14/2021,{lat},{lon},,,0,1\n"
    )
    crashes, notices = read_one(path, town)
    assert notices == ()
    assert crashes.time.astype(str).tolist() == ["2021-09-11T00:00:00", "2021-12-14T00:00:00"]
    assert crashes.severity.tolist() == [Severity.INJURY, Severity.FATAL]
    assert crashes.cross_street == ("20 AVENUE", "")


def test_a_class_of_severity_is_enough(tmp_path, town):
    lon, lat = lonlat(town, 0, 0)
    path = tmp_path / "a.csv"
    path.write_text(
        "lat,lon,Crash Severity\n" + "".join(f"{lat},{lon},{word}\n" for word in ("Fatal", "INJURY", "PDO", "", "K"))
    )
    crashes, _ = read_one(path, town)
    assert crashes.severity.tolist() == [2, 1, 0, 0, 2]
    assert (crashes.deaths.tolist(), crashes.injured.tolist()) == ([1, 0, 0, 0, 1], [0, 1, 0, 0, 0])


MAP = """
x = "east"
y = "north"
crs = "EPSG:25833"
time = "when"
time_format = "%d-%m-%y %H.%M"
street = "road"
cross_street = "at"
type = "kind"
parties = ["cars", "who"]
synthetic = "made up"
encoding = "cp1251"
delimiter = "|"
decimal = ","

[severity]
column = "class"
fatal = ["1"]
injury = ["2", "3"]

[weights]
damage = 1
injury = 3
fatal = 8
"""


def test_a_column_map_tells_everything(tmp_path, town):
    lon, lat = lonlat(town, 300, 10)
    east, north = Transformer.from_crs("EPSG:4326", "EPSG:25833", always_xy=True).transform(lon, lat)
    text = (
        "east|north|when|road|at|kind|cars|who|made up|class\n"
        f"{east:,.3f}|{north:,.3f}|31-12-23 07.05|улица Ленина||наезд|2|пешеход|yes|3\n"
    )
    path, columns_path = tmp_path / "a.csv", tmp_path / "map.toml"
    path.write_text(text.translate(str.maketrans(",.", ".,")).replace("07,05", "07.05"), encoding="cp1251")
    columns_path.write_text(MAP)
    columns = read_column_map(columns_path)
    assert columns.weights == SeverityWeights(1, 3, 8)
    assert columns.severity == SeverityRule("class", frozenset({"1"}), frozenset({"2", "3"}))
    crashes, notices = read_one(path, town, columns)
    assert notices == ()
    assert (crashes.x_m[0], crashes.y_m[0]) == pytest.approx((300, 10), abs=0.01)
    assert str(crashes.time[0]) == "2023-12-31T07:05:00"
    assert (crashes.street, crashes.type, crashes.parties) == (("улица Ленина",), ("наезд",), ("cars 2, пешеход",))
    assert (crashes.severity.tolist(), crashes.synthetic.tolist()) == ([Severity.INJURY], [True])


@pytest.mark.parametrize(
    ("text", "code", "field", "words"),
    [
        ('latitude = "a"', "CONFIG_KEY", "latitude", "'lat'"),
        ('cros_street = "a"', "CONFIG_KEY", "cros_street", "'cross_street'"),
        ('[severity]\ncolumn = "a"\nfatl = ["1"]', "CONFIG_KEY", "severity.fatl", "'fatal'"),
        ("[weights]\ninjuri = 1", "CONFIG_KEY", "weights.injuri", "'injury'"),
        ("[weights]\ninjury = -1", "CONFIG_VALUE", "weights.injury", "at least 0"),
        ("lat = 3", "CONFIG_VALUE", "lat", "text"),
        ('lat = "a"', "CONFIG_VALUE", "lat", "lon"),
        ('parties = "AUTO"', "CONFIG_VALUE", "parties", "list"),
        ('severity = "a"', "CONFIG_VALUE", "severity", "table"),
        ('encoding = "klingon"', "CONFIG_VALUE", "encoding", "utf-8"),
        ('delimiter = ";;"', "CONFIG_VALUE", "delimiter", "one letter"),
        ('decimal = "x"', "CONFIG_VALUE", "decimal", "comma"),
        ("lat = ", "CONFIG_VALUE", None, "TOML"),
    ],
)
def test_a_faulty_map_is_refused_with_the_nearest_right_thing(tmp_path, text, code, field, words):
    path = tmp_path / "map.toml"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        read_column_map(path)
    assert (caught.value.code, caught.value.field) == (code, field)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        (ColumnMap(lat="LATITUD", lon="LONGITUDE"), "LATITUDE"),
        (ColumnMap(parties=("AUTOS",)), "AUTOS"),
        (ColumnMap(severity=SeverityRule("UPS", frozenset(), frozenset())), "UPS"),
    ],
)
def test_a_column_that_is_not_there_is_refused(tmp_path, town, records, columns, words):
    fault = refused(write_csv(tmp_path / "a.csv", records), town, columns)
    assert fault.code == "CRASH_COLUMN"
    assert words in str(fault)


def test_a_file_without_a_place_is_refused_with_its_columns(tmp_path, town):
    path = tmp_path / "a.csv"
    path.write_text("when,what\n1,2\n")
    fault = refused(path, town)
    assert fault.code == "CRASH_COLUMN"
    assert "when, what" in fault.what


@pytest.mark.parametrize(
    ("damage", "code", "row"),
    [
        (lambda text: text.replace("R SANTANA", "R SAN\0TANA"), "CSV_ENCODING", 2),
        (lambda text: text.replace("R SANTANA", '"R SANTANA'), "CSV_ROW", 2),
        (lambda text: text.replace("COLISÃO", '"COL"ISÃO'), "CSV_ROW", 3),
        (lambda text: text.replace(",", " "), "CSV_ROW", 1),
        (lambda text: text.splitlines()[0], "CRASH_EMPTY", None),
        (lambda _text: "", "CRASH_EMPTY", None),
    ],
    ids=["NUL", "open quote", "stray quote", "no delimiter", "header only", "nothing"],
)
def test_text_that_is_no_table_is_refused(tmp_path, town, records, damage, code, row):
    path = write_csv(tmp_path / "a.csv", records)
    path.write_text(damage(path.read_text()))
    fault = refused(path, town)
    assert (fault.code, fault.row) == (code, row)


def test_letters_that_the_told_encoding_lacks_are_refused_with_their_line(tmp_path, town, records):
    path = write_csv(tmp_path / "a.csv", records, encoding="latin-1")
    fault = refused(path, town, ColumnMap(encoding="utf-8"))
    assert (fault.code, fault.row, fault.field) == ("CSV_ENCODING", 3, "encoding")


@pytest.mark.parametrize(
    ("name", "content"), [("a.parquet", b"PAR1"), ("a.geojson", b"[1, 2"), ("a.json", b'{"a": 1}')]
)
def test_a_file_that_is_not_what_its_name_says_is_refused(tmp_path, town, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    assert refused(path, town).code == "CRASH_FILE"


json_values = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["coordinates", "type", "a"]), inner),
    max_leaves=6,
)


@given(geometry=json_values, properties=json_values)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_whatever_json_stands_in_a_feature_the_file_is_read_or_refused(tmp_path, town, records, geometry, properties):
    path = geojson(tmp_path / "a.geojson", records)
    collection = json.loads(path.read_text())
    collection["features"].append({"type": "Feature", "geometry": geometry, "properties": properties})
    path.write_text(json.dumps(collection))
    try:
        count = len(read_one(path, town)[0])
    except InputError as fault:
        count = 3 if fault.code == "CRASH_FILE" else 0
    assert count == 3, "the three good ones, if any"


def test_no_file_at_all_is_refused(town):
    with pytest.raises(InputError, match="CRASH_EMPTY"):
        read_crashes([], town)


def test_a_column_of_parquet_that_is_no_text_is_refused_or_left_out(tmp_path, town, records):
    columns = {name: pa.array([row[name] for row in records]) for name in COLUMNS}
    odd = {"nested": pa.array([[1], [2], [3]]), "bytes": pa.array([b"\xff"] * 3)}
    pq.write_table(pa.table(columns | odd), tmp_path / "a.parquet")
    assert len(read_one(tmp_path / "a.parquet", town)[0]) == 3


def test_deep_nesting_in_json_is_refused(tmp_path, town):
    path = tmp_path / "a.geojson"
    path.write_text('{"features": ' + "[" * 100_000 + "]" * 100_000 + "}")
    assert refused(path, town).code == "CRASH_FILE"


def test_ragged_rows_are_left_out_and_counted(tmp_path, town, records):
    path = write_csv(tmp_path / "a.csv", records)
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], lines[1], lines[2] + ",too,many", lines[3], lines[1].rpartition(",")[0]]))
    crashes, (notice,) = read_one(path, town)
    assert crashes.row.tolist() == [2, 4]
    assert (notice.code, notice.row, notice.count) == ("CSV_ROW", 3, 2)


@pytest.mark.parametrize("latitude", ["", "abc", "4800", "nan", "-91", "1,2.3"])
def test_a_record_without_a_usable_place_is_left_out_and_counted(tmp_path, town, records, latitude):
    rows = [records[0], *[records[1] | {"LATITUDE": latitude}] * 2, records[2]]
    crashes, (notice,) = read_one(write_csv(tmp_path / "a.csv", rows), town)
    assert crashes.row.tolist() == [2, 5]
    assert (notice.code, notice.row, notice.count) == ("CRASH_COORDINATE", 3, 2)


def test_null_island_is_no_place_and_the_next_town_is_outside(tmp_path, town, records):
    nowhere = records[1] | {"LATITUDE": "0", "LONGITUDE": "0.0"}
    outside = [record(town, x, 0) for x in (-500, 5000, 800)]
    crashes, notices = read_one(write_csv(tmp_path / "a.csv", [records[0], nowhere, *outside]), town)
    assert crashes.row.tolist() == [2]
    assert [(notice.row, notice.count) for notice in notices] == [(3, 1), (4, 3)]
    assert {notice.code for notice in notices} == {"CRASH_COORDINATE"}


def test_swapped_columns_are_refused_with_what_a_swap_would_give(tmp_path, town, records):
    fault = refused(write_csv(tmp_path / "a.csv", records), town, ColumnMap(lat="LONGITUDE", lon="LATITUDE"))
    assert fault.code == "CRASH_COORDINATE"
    assert "3 of 3 records lie outside the network; swapped, 3 would lie in it" in fault.what


def test_records_of_another_city_are_refused_with_their_count(tmp_path, town, records):
    rows = [row | {"LATITUDE": "40.7", "LONGITUDE": "-74.0"} for row in records]
    fault = refused(write_csv(tmp_path / "a.csv", rows), town)
    assert fault.code == "CRASH_COORDINATE"
    assert "3 of 3 records lie outside" in fault.what


def test_no_readable_place_at_all_is_refused(tmp_path, town, records):
    fault = refused(write_csv(tmp_path / "a.csv", [row | {"LATITUDE": "?"} for row in records]), town)
    assert fault.code == "CRASH_COORDINATE"
    assert "none of 3" in fault.what


@pytest.mark.parametrize(
    "columns",
    [ColumnMap(crs="EPSG:999999"), ColumnMap(crs="somewhere"), ColumnMap(x="LONGITUDE", y="LATITUDE")],
    ids=["unknown code", "no code", "metres without a system"],
)
def test_an_unknown_coordinate_system_is_refused(tmp_path, town, records, columns):
    fault = refused(write_csv(tmp_path / "a.csv", records), town, columns)
    assert (fault.code, fault.field) == ("CRASH_COORDINATE", "crs")


def test_times_and_counts_that_cannot_be_read_are_told_and_the_record_stays(tmp_path, town, records):
    rows = [records[0], records[1] | {"DATA_HORA": "yesterday", "FERIDOS": "some"}, records[2] | {"MORTES": "-1"}]
    crashes, notices = read_one(write_csv(tmp_path / "a.csv", rows), town)
    assert len(crashes) == 3
    assert np.isnat(crashes.time).tolist() == [False, True, False]
    assert crashes.severity.tolist() == [1, 0, 1]
    assert [(notice.code, notice.row, notice.value) for notice in notices] == [
        ("CRASH_TIME", 3, "yesterday"),
        ("CRASH_SEVERITY", 4, "-1"),
        ("CRASH_SEVERITY", 3, "some"),
    ]


@pytest.mark.parametrize(
    "written", ["31/12/2013 23:59", "31.12.2013 23:59:00", "12/31/2013 11:59:00 PM", "20131231 23:59"]
)
def test_times_are_read_however_they_are_written(tmp_path, town, records, written):
    crashes, notices = read_one(write_csv(tmp_path / "a.csv", [records[0] | {"DATA_HORA": written}]), town)
    assert (str(crashes.time[0])[:16], notices) == ("2013-12-31T23:59", ())


def test_a_day_above_twelve_tells_the_order_of_day_and_month(tmp_path, town, records):
    rows = [records[0] | {"DATA_HORA": text} for text in ("02/03/2013", "02/13/2013")]
    crashes, _ = read_one(write_csv(tmp_path / "a.csv", rows), town)
    assert crashes.time.astype("datetime64[D]").astype(str).tolist() == ["2013-02-03", "2013-02-13"]


def test_a_time_format_that_is_none_is_refused(tmp_path, town, records):
    fault = refused(write_csv(tmp_path / "a.csv", records), town, ColumnMap(time_format="%Q"))
    assert (fault.code, fault.field) == ("CONFIG_VALUE", "time_format")


cells = st.text(st.characters(codec="utf-8", exclude_characters="\0\r\n"), max_size=12)


@given(texts=st.lists(st.tuples(cells, cells, cells, cells), min_size=1, max_size=6))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
def test_whatever_stands_in_the_cells_is_kept_or_told(tmp_path, town, records, texts):
    rows = [
        records[0] | {"LOG1": street, "TIPO_ACID": kind, "DATA_HORA": time, "FERIDOS": count}
        for street, kind, time, count in texts
    ]
    crashes, notices = read_one(write_csv(tmp_path / "a.csv", rows), town)
    assert crashes.street == tuple(row["LOG1"].strip() for row in rows)
    assert crashes.type == tuple(row["TIPO_ACID"].strip() for row in rows)
    told = sum(notice.count for notice in notices if notice.code == "CRASH_TIME")
    assert told == sum(bool(row["DATA_HORA"].strip()) for row in rows) - (~np.isnat(crashes.time)).sum()


def match(town: RoadNetwork, folder: Path, rows: list[dict[str, str]]) -> list[tuple[str, float | None, str]]:
    crashes, _ = read_one(write_csv(folder / "m.csv", rows), town)
    sites = find_sites(town)
    found = match_crashes(town, sites, crashes)
    return [
        ("" if site == NONE else sites[site].site_id, None if np.isnan(away) else round(float(away), 1), method)
        for site, away, method in zip(found.site, found.distance_m, found.method, strict=True)
    ]


def test_records_go_to_the_nearest_site_within_the_limit(tmp_path, town):
    rows = [record(town, x, 0, LOG1="AV IPIRANGA") for x in (0, NEAR_M - 0.1, NEAR_M + 0.1, 150, 280)]
    assert match(town, tmp_path, rows) == [
        ("a", 0, NEAREST),
        ("a", NEAR_M - 0.1, NEAREST),
        ("", None, MID_BLOCK),
        ("", None, MID_BLOCK),
        ("b", 20, NEAREST),
    ]


def test_two_street_names_that_meet_at_a_site_carry_farther(tmp_path, town):
    names = {"LOG1": "AV IPIRANGA", "LOG2": "R DR NILO PECANHA"}
    rows = [record(town, x, 0, **names) for x in (300 - NAMED_M + 0.1, 300 - NAMED_M - 0.1, 290)]
    rows.append(record(town, 260, 0, LOG1="R SANTANA", LOG2="AV IPIRANGA"))
    assert match(town, tmp_path, rows) == [
        ("b", NAMED_M - 0.1, CROSS_STREET),
        ("", None, MID_BLOCK),
        ("b", 10, CROSS_STREET),
        ("", None, MID_BLOCK),
    ]


def test_a_record_without_a_place_goes_where_its_two_streets_meet_and_nowhere_else(tmp_path, town):
    nowhere = {"LATITUDE": "", "LONGITUDE": ""}
    rows = [
        record(town, 0, 0) | nowhere | {"LOG1": "AV IPIRANGA", "LOG2": "R SANTANA"},
        record(town, 0, 0) | nowhere | {"LOG1": "R SANTANA", "LOG2": "R NILO PECANHA"},
        record(town, 290, 0),
    ]
    assert match(town, tmp_path, rows) == [("a", None, NAMES), ("", None, UNPLACED), ("b", 10, NEAREST)]
    crashes, (notice,) = read_one(tmp_path / "m.csv", town)
    assert np.isnan(crashes.lon).tolist() == [True, True, False]
    assert (notice.code, notice.row, notice.count) == ("CRASH_COORDINATE", 2, 2)
    assert "meet at one junction" in notice.remedy


def test_streets_that_meet_twice_place_nothing(tmp_path):
    places = {
        "a": (0, 0),
        "b": (300, 0),
        "an": (0, 99),
        "bn": (300, 99),
        "as": (0, -99),
        "bs": (300, -99),
        "w": (-99, 0),
    }
    plan = read_plan(tmp_path, places, ["High Street: w a b", "Ring: as a an", "Ring: bs b bn"])
    lost = record(plan, 0, 0) | {"LATITUDE": "", "LONGITUDE": "", "LOG1": "High St", "LOG2": "Ring"}
    assert match(plan, tmp_path, [lost, record(plan, 0, 0)])[0] == ("", None, UNPLACED)


def test_what_agrees_in_everything_is_counted_once(tmp_path, town, records):
    one = write_csv(tmp_path / "a.csv", records)
    two = write_csv(tmp_path / "b.csv", [records[0], records[1] | {"FERIDOS": "3"}])
    crashes, (notice,) = read_crashes([one, two], town)
    assert list(zip(crashes.file.tolist(), crashes.row.tolist(), strict=True)) == [(0, 2), (0, 3), (0, 4), (1, 3)]
    assert (notice.code, notice.file, notice.row, notice.count) == ("CRASH_DUPLICATE", str(two), 2, 1)


def test_what_tells_only_its_day_may_happen_twice(tmp_path, town, records):
    twice = [records[0] | {"DATA_HORA": "2012-01-31"}] * 2
    crashes, notices = read_one(write_csv(tmp_path / "a.csv", twice), town)
    assert (len(crashes), notices) == (2, ())


def test_the_badly_hurt_are_counted_where_a_column_tells(tmp_path, town, records):
    rows = [records[0] | {"FERIDOS_GR": "1"}, records[1] | {"FERIDOS_GR": "0"}]
    assert read_one(write_csv(tmp_path / "a.csv", rows), town)[0].severely_injured.tolist() == [1, 0]
    assert read_one(write_csv(tmp_path / "b.csv", records), town)[0].severely_injured.tolist() == [NONE] * 3


@pytest.mark.parametrize(("east", "north", "told"), [(0, 40, "40 m north"), (-6, -6, "8 m south-west"), (1, 1, None)])
def test_a_file_that_is_off_as_a_whole_is_told(tmp_path, town, east, north, told):
    names = {"LOG1": "AV IPIRANGA", "LOG2": "R SANTANA"}
    rows = [record(town, east, north, DATA_HORA=f"2012-01-01T00:{row:02d}", **names) for row in range(50)]
    crashes, _ = read_one(write_csv(tmp_path / "a.csv", rows), town)
    sites = find_sites(town)
    shifts = find_shifts(sites, crashes, match_crashes(town, sites, crashes))
    found = shift_notices(crashes, shifts)
    assert [notice.value for notice in found] == ([f"{told} in 2012"] if told else [])
    few = crashes.only(np.arange(50) < 49)
    assert find_shifts(sites, few, match_crashes(town, sites, few)) == (), "too few to tell"
    moved = move_back(crashes, shifts)
    left_m = np.hypot(moved.x_m, moved.y_m)
    assert left_m == pytest.approx(0 if np.hypot(east, north) > 30 else np.hypot(east, north), abs=0.1)
    assert moved.lon.tolist() == crashes.lon.tolist()


def test_where_no_streets_cross_every_record_is_between_crossings(tmp_path):
    plan = read_plan(tmp_path, {"a": (0, 0), "b": (300, 0)}, ["High Street: a b"])
    assert match(plan, tmp_path, [record(plan, 10, 0, LOG1="High Street")]) == [("", None, MID_BLOCK)]


def test_street_names_settle_a_tie(tmp_path):
    # two T-junctions too far apart to be one site, a record between them
    places = {"w": (-300, 0), "a": (0, 0), "b": (50, 0), "e": (300, 0), "n": (0, 300), "s": (50, -300)}
    streets = ["High Street: w a b e", "Mill Lane: a n", "Church Road: b s"]
    plan = read_plan(tmp_path, places, streets)
    rows = [
        record(plan, 24, 0, LOG1="High St", LOG2="CHURCH RD"),
        record(plan, 24, 0, LOG1="High St"),
        record(plan, 26, 0, LOG1="Mill Lane"),
        record(plan, 26, 0),
    ]
    assert match(plan, tmp_path, rows) == [
        ("b", 26, CROSS_STREET), ("a", 24, NEAREST), ("a", 26, NEAREST), ("b", 24, NEAREST),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("police", "on_the_map"),
    [
        ("AV DR NILO PECANHA", "Avenida Nilo Peçanha"),
        ("R PROF CRISTIANO FISCHER", "Rua Professor Cristiano Fischer"),
        ("TRAV GERMANO GARCIA", "Travessa Germano Garcia"),
        ("NW 5th Ave", "Northwest 5th Avenue"),
        ("HAUPTSTR.", "Hauptstraße"),
        ("ул. Абая", "улица Абая"),
        ("АБАЙ ДАҢҒЫЛЫ", "Абай даңғылы"),
        ("пр-т Назарбаева", "проспект Назарбаева"),
        ("Street", "The Street"),
    ],
)
def test_one_street_written_two_ways(police, on_the_map):
    assert is_same_street(police, on_the_map)
    assert is_same_street(on_the_map, police)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("R SANTANA", "Avenida Ipiranga"),
        ("Rua 1", "Rua 2"),
        ("North 5th Street", "South 5th Street"),
        ("", "Rua A"),
        ("", ""),
    ],
)
def test_two_streets_are_two(one, other):
    assert not is_same_street(one, other)


def test_the_police_tell_whether_it_was_at_a_junction(tmp_path, town):
    rows = [
        record(town, 3, 4, LOCAL=label, FERIDOS=number)
        for number, label in enumerate(("Cruzamento", "LOGRADOURO", "?", ""))
    ]
    rule = PlaceRule("LOCAL", frozenset({"cruzamento"}), frozenset({"logradouro"}))
    path = write_csv(tmp_path / "a.csv", rows)
    assert read_one(path, town, ColumnMap(place=rule))[0].at_junction.tolist() == [1, 0, NONE, NONE]
    assert set(read_one(path, town)[0].at_junction.tolist()) == {NONE}
    assert refused(path, town, ColumnMap(place=replace(rule, column="LOCALE"))).field == "place"


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ('place = "LOCAL"', "place"),
        ('place = { column = "LOCAL", at = ["x"] }', "place.at"),
        ('place = { column = "LOCAL", junction = ["X"], between = ["x"] }', "place"),
        ('place = { junction = ["X"] }', "place"),
    ],
)
def test_a_label_that_says_both_or_nothing_is_refused(tmp_path, text, field):
    path = tmp_path / "map.toml"
    path.write_text(text)
    with pytest.raises(InputError) as fault:
        read_column_map(path)
    assert fault.value.field == field


def test_agreement_with_labels_counts_what_both_say():
    crashes = SimpleNamespace(at_junction=np.array([1, 1, 1, 0, 0, NONE, NONE]))
    matches = CrashMatches(np.array([4, 5, NONE, 6, NONE, 7, NONE]), np.zeros(7), ("nearest",) * 7)
    found = label_agreement(crashes, matches)
    assert found == LabelAgreement(2, 1, 1, 1)
    assert found.agreeing_share == pytest.approx(3 / 5)
    assert found.labelled_share_of_matched == pytest.approx(2 / 3)
    assert found.matched_share_of_labelled == pytest.approx(2 / 3)
    assert label_agreement(SimpleNamespace(at_junction=np.full(7, NONE)), matches) is None
    assert math.isnan(LabelAgreement(0, 0, 0, 3).matched_share_of_labelled)
