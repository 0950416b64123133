"""Tables: what is written reads well elsewhere, comes back as it was, and is the same bytes each time."""

import csv
import json
import math
from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from networks.faults import InputError
from scenarios.tables import as_record, from_record, read_csv, write_csv, write_parquet


@dataclass(frozen=True, slots=True)
class Visit:
    """A row with every kind of value that a table knows."""

    stop: str
    count: int
    delay_s: float
    is_late: bool
    trip: str | None
    gap_s: float | None


ROWS = (
    Visit('Market, "old"', 3, 1 / 3, is_late=True, trip="7b", gap_s=12.5),
    Visit("Bağdar\nSquare", -1, math.nan, is_late=False, trip=None, gap_s=None),
    Visit("", 0, -1e-9, is_late=True, trip=None, gap_s=math.inf),
    Visit("far", 10**12, 123456789.0, is_late=False, trip="x", gap_s=1e-6),
)

AS_CSV = """\
stop,count,delay_s,is_late,trip,gap_s
"Market, ""old""\",3,0.333333,true,7b,12.5
"Bağdar
Square",-1,,false,,
,0,0,true,,
far,1000000000000,123456789,false,x,0.000001
"""

visits = st.builds(
    Visit,
    stop=st.text(st.characters(exclude_categories=["Cs"])),
    count=st.integers(-(2**63), 2**63 - 1),
    delay_s=st.floats(-1e9, 1e9),
    is_late=st.booleans(),
    trip=st.none() | st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
    gap_s=st.none() | st.floats(-1e9, 1e9),
)


def rounded(row):
    return replace(row, delay_s=round(row.delay_s, 6), gap_s=None if row.gap_s is None else round(row.gap_s, 6))


def test_csv_is_what_a_reader_expects(tmp_path):
    write_csv(tmp_path / "t.csv", Visit, ROWS)
    assert (tmp_path / "t.csv").read_bytes() == AS_CSV.encode()


def test_csv_without_rows_has_its_header(tmp_path):
    write_csv(tmp_path / "t.csv", Visit, ())
    assert (tmp_path / "t.csv").read_text() == "stop,count,delay_s,is_late,trip,gap_s\n"
    assert read_csv(tmp_path / "t.csv", Visit) == ()


@given(st.lists(visits, max_size=5))
def test_csv_comes_back_and_another_reader_agrees(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("tables") / "t.csv"
    write_csv(path, Visit, rows)
    assert read_csv(path, Visit) == tuple(rounded(row) for row in rows)
    with path.open(newline="", encoding="utf-8") as stream:
        assert [row["stop"] for row in csv.DictReader(stream)] == [row.stop for row in rows]


@given(st.lists(visits, max_size=5))
def test_json_records_are_exact(rows):
    texts = [json.dumps(as_record(row), allow_nan=False) for row in rows]
    assert [from_record(Visit, json.loads(text)) for text in texts] == rows


def test_unknown_numbers_travel_as_null():
    record = as_record(ROWS[1])
    assert record["delay_s"] is None
    assert math.isnan(from_record(Visit, record).delay_s)


def test_columns_may_stand_in_any_order_and_among_others(tmp_path):
    (tmp_path / "t.csv").write_text("note,gap_s,trip,is_late,delay_s,count,stop\nx,,,true,2.5,4,A\n")
    assert read_csv(tmp_path / "t.csv", Visit) == (Visit("A", 4, 2.5, is_late=True, trip=None, gap_s=None),)


def test_parquet_has_types_nulls_and_the_rounding_of_csv(tmp_path):
    write_parquet(tmp_path / "t.parquet", Visit, ROWS)
    table = pq.read_table(tmp_path / "t.parquet")
    assert table.schema.names == ["stop", "count", "delay_s", "is_late", "trip", "gap_s"]
    assert table.schema.types == [pa.string(), pa.int64(), pa.float64(), pa.bool_(), pa.string(), pa.float64()]
    assert table["delay_s"].to_pylist() == [0.333333, None, 0.0, 123456789.0]
    assert table["stop"].to_pylist() == [row.stop for row in ROWS]
    assert table["gap_s"].null_count == 2


def test_the_same_rows_give_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        write_csv(tmp_path / f"{name}.csv", Visit, ROWS)
        write_parquet(tmp_path / f"{name}.parquet", Visit, ROWS)
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


@pytest.mark.parametrize(
    ("text", "code", "line", "told"),
    [
        ("stop,count\nA,1\n", "ROW_VALUE", None, "delay_s, gap_s, is_late, trip"),
        ("", "ROW_VALUE", None, "columns are missing"),
        ("stop,count,delay_s,is_late,trip,gap_s\nA,1,2,true,\n", "CSV_ROW", 2, "6 columns, this row 5"),
        ("stop,count,delay_s,is_late,trip,gap_s\nA,1,2,true,,\nB,1.5,2,true,,\n", "ROW_VALUE", 3, "'1.5'"),
        ("stop,count,delay_s,is_late,trip,gap_s\nA,1,two,true,,\n", "ROW_VALUE", 2, "not a number"),
        ("stop,count,delay_s,is_late,trip,gap_s\nA,1,2,maybe,,\n", "ROW_VALUE", 2, "true or false"),
        ('stop,count,delay_s,is_late,trip,gap_s\n"A,1,2,true,,\n', "CSV_ROW", 2, "end of data"),
        ("stop,count,delay_s,is_late,trip,gap_s\n\xe9,1,2,true,,\n", "CSV_ENCODING", None, "UTF-8"),
    ],
)
def test_a_broken_table_is_refused_with_its_place(tmp_path, text, code, line, told):
    path = tmp_path / "t.csv"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(InputError) as fault:
        read_csv(path, Visit)
    assert (fault.value.code, fault.value.row, fault.value.file) == (code, line, str(path))
    assert told in str(fault.value)


def test_a_missing_table_is_refused(tmp_path):
    with pytest.raises(InputError, match="FILE_MISSING"):
        read_csv(tmp_path / "none.csv", Visit)


def test_a_table_that_cannot_be_finished_leaves_no_file(tmp_path):
    for write in (write_csv, write_parquet):
        with pytest.raises(AttributeError):
            write(tmp_path / "t", Visit, [ROWS[0], object()])
    assert list(tmp_path.iterdir()) == []
