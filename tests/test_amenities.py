"""Features of stops from a table: three states, and what is wrong with a row is told."""

import pytest

from gtfs.amenities import read_amenities
from networks.faults import InputError

TABLE = """\
stop_id,air_conditioned,enclosed,wifi,charging_point,information_board
A,yes,yes,yes,yes,yes
B,no,yes,,,yes
C,yes,yes,,yes,yes
"""


def table(tmp_path, text):
    path = tmp_path / "stops.csv"
    path.write_text(text)
    return read_amenities(path)


def test_unknown_is_neither_yes_nor_no(tmp_path):
    found = table(tmp_path, TABLE)
    assert [stop.has_all() for stop in found.stops.values()] == [True, False, None]
    assert found.of("C").wifi is None
    assert found.of("C").has_all(("enclosed", "information_board")) is True
    assert found.of("B").has_all(("wifi", "charging_point")) is None
    assert found.of("not in the table").has_all() is None
    assert found.notices == ()


def test_a_column_left_out_is_unknown(tmp_path):
    found = table(tmp_path, "stop_id,enclosed\nA,yes\n")
    assert found.of("A").enclosed is True
    assert found.of("A").has_all() is None


def test_faulty_rows_are_told_with_their_line(tmp_path):
    found = table(tmp_path, "stop_id,enclosed,wifi\nA,YES,perhaps\n,yes,yes\nA,no,no\nB,no,no\n")
    assert [(n.code, n.row, n.field, n.value) for n in found.notices] == [
        ("AMENITY_VALUE", 2, "wifi", "perhaps"),
        ("AMENITY_NO_STOP", 3, "stop_id", ""),
        ("AMENITY_TWICE", 4, "stop_id", "A"),
    ]
    assert found.of("A").enclosed is True
    (stranger,) = found.strangers({"A"})
    assert (stranger.code, stranger.row, stranger.value, stranger.count) == ("AMENITY_STOP", 5, "B", 1)
    assert found.strangers({"A", "B"}) == ()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "AMENITY_COLUMNS"),
        ("stop,enclosed\nA,yes\n", "AMENITY_COLUMNS"),
        ("stop_id,roof\nA,yes\n", "AMENITY_COLUMNS"),
        ("stop_id,enclosed\nA\n", "CSV_ROW"),
        ("stop_id,enclosed,enclosed\nA,yes,no\n", "CSV_ROW"),
        ('stop_id,enclosed\n"A,yes\n', "CSV_ROW"),
    ],
)
def test_tables_that_cannot_be_used_are_refused(tmp_path, text, code):
    with pytest.raises(InputError) as fault:
        table(tmp_path, text)
    assert fault.value.code == code


def test_bytes_that_are_no_text_are_refused_with_their_line(tmp_path):
    path = tmp_path / "stops.csv"
    path.write_bytes(b"stop_id,enclosed\nA,yes\n\xff,no\n")
    with pytest.raises(InputError, match=r"CSV_ENCODING.*line 3"):
        read_amenities(path)
