"""Records of tables: every text as written, every line as an editor counts it; the oracle is the csv module."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gtfs.records import read_records
from networks.faults import InputError

CELL = st.text(st.sampled_from("ab1 ,\"'\n;é"), max_size=6)
ROWS = st.integers(2, 4).flatmap(lambda fields: st.lists(st.lists(CELL, min_size=fields, max_size=fields), min_size=1))


def read(text: str | bytes):
    return read_records(io.BytesIO(text.encode() if isinstance(text, str) else text), Path("stops.txt"))


def one_by_one(rows: list[list[str]], end: str, quoting: int) -> list[str]:
    """Each record as the csv module writes it."""
    texts = []
    for row in rows:
        stream = io.StringIO(newline="")
        csv.writer(stream, lineterminator=end, quoting=quoting).writerow(row)
        texts.append(stream.getvalue())
    return texts


@given(
    rows=ROWS,
    end=st.sampled_from(["\n", "\r\n"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    gap=st.sampled_from(["", "\n", " \n\n"]),
    cut=st.booleans(),
)
@settings(deadline=None)
def test_every_text_and_line_is_as_written(rows, end, quoting, gap, cut):
    written = one_by_one(rows, end, quoting)
    head = "\ufeff" + ",".join(f"field_{place}" for place in range(len(rows[0]))) + end
    text = head + "".join(record + gap for record in written)
    found = read(text.removesuffix(end) if cut else text)
    assert list(zip(*(column.to_pylist() for column in found.texts.columns), strict=True)) == [*map(tuple, rows)]
    before = [head + "".join(record + gap for record in written[:place]) for place in range(len(rows))]
    assert found.lines.tolist() == [part.count("\n") + 1 for part in before]


@given(rows=ROWS, place=st.floats(0, 0.99), more=st.booleans())
@settings(deadline=None)
def test_a_ragged_record_is_refused_in_its_line(rows, place, more):
    row = int(place * len(rows))
    head = ",".join(f"field_{number}" for number in range(len(rows[0]))) + "\n"
    rows[row] = [*rows[row], "more"] if more else ["x", *rows[row][2:]]
    written = one_by_one(rows, "\n", csv.QUOTE_ALL)
    with pytest.raises(InputError) as caught:
        read(head + "".join(written))
    assert (caught.value.code, caught.value.row) == ("CSV_ROW", (head + "".join(written[:row])).count("\n") + 1)


def test_lines_that_end_by_carriage_returns_alone_are_lines():
    found = read("\ra,b\r1,2\r\r3,4\r")
    assert found.texts.to_pydict() == {"a": ["1", "3"], "b": ["2", "4"]}
    assert found.lines.tolist() == [3, 5]


def test_quotes_inside_a_text_are_part_of_it():
    found = read('a,b\n1,12" pipe\n\n2,"12"" pipe"\n')
    assert found.texts["b"].to_pylist() == ['12" pipe', '12" pipe']
    assert found.lines.tolist() == [2, 4]


def test_fields_without_a_name_are_left_out():
    assert read("a, b ,,\n1,2,,\n").texts.column_names == ["a", "b"]


@pytest.mark.parametrize("text", ["", "\n\n", "a,b", "a,b\r\n\r\n", "\ufeff", "a,b\n\ufeff"])
def test_where_there_are_no_records_there_is_nothing(text):
    assert read(text) is None
