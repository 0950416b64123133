"""Crash files of any usual kind, read into columns of text: CSV, Parquet, GeoJSON."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from networks.crash_columns import GEOMETRY_LAT, GEOMETRY_LON, ColumnMap
from networks.faults import InputError, Notice
from networks.intake import open_bytes

MAX_CRASH_FILE_BYTES = 2 * 1024**3
DELIMITERS = ",;\t|"


@dataclass(frozen=True, slots=True, eq=False)
class CrashTable:
    """A file as columns of stripped text, each as long as ``rows``: line of the file, or number of the record.

    ``faults`` tells of records that could not be read at all.
    """

    file: str
    rows: tuple[int, ...]
    columns: dict[str, list[str]]
    faults: tuple[Notice, ...] = ()


def read_crash_table(path: str | Path, columns: ColumnMap) -> CrashTable:
    """Read ``.csv``, ``.parquet`` or ``.geojson`` (CSV and GeoJSON also as ``.gz`` or ``.zip``).

    Of ``columns`` only encoding and delimiter matter here; what is not given is found out.

    Raises
    ------
    InputError
        FILE_MISSING, ZIP_*; CSV_ENCODING (NUL bytes, letters that the encoding does not have), CSV_ROW (a quote that
        never closes, one single column), CRASH_FILE (neither Parquet nor GeoJSON), CRASH_EMPTY (no record).
    """
    with open_bytes(path, MAX_CRASH_FILE_BYTES) as stream:
        data = stream.read()
    kind = Path(path).name.lower().removesuffix(".gz").removesuffix(".zip")
    if kind.endswith(".parquet"):
        table = _from_parquet(data, path)
    elif kind.endswith((".geojson", ".json")):
        table = _from_geojson(data, path)
    else:
        table = _from_csv(data, path, columns)
    if not table.rows:
        raise InputError("CRASH_EMPTY", "there is no crash record in it", file=path, remedy="Give a file with records")
    return table


def _from_csv(data: bytes, path: str | Path, columns: ColumnMap) -> CrashTable:
    text = _decoded(data, path, columns.encoding)
    delimiter = columns.delimiter or _likely_delimiter(text)
    records = _records(text, delimiter, path)
    _, names = next(records, (1, []))
    if len(names) == 1:
        what = f"there is one column only when cells are parted by {delimiter!r}"
        raise InputError("CSV_ROW", what, file=path, row=1, remedy='Give `delimiter = "..."` in the column map')
    rows: list[int] = []
    cells: list[list[str]] = []
    ragged: list[tuple[int, int]] = []
    for row, record in records:
        # empty cells too many are a habit of some exports
        if len(record) >= len(names) and not any(record[len(names) :]):
            rows.append(row)
            cells.append(record)
        else:
            ragged.append((row, len(record)))
    by_column = zip(*(record[: len(names)] for record in cells), strict=True)
    found = {name.strip(): [cell.strip() for cell in column] for name, column in zip(names, by_column, strict=False)}
    return CrashTable(str(path), tuple(rows), found, _ragged(ragged, len(names), path))


def _decoded(data: bytes, path: str | Path, encoding: str | None) -> str:
    """Text of a file: as told, else UTF-8, else Latin-1, which police systems still write."""
    nul = data.find(b"\0")
    if nul >= 0:
        row = data.count(b"\n", 0, nul) + 1
        remedy = "Save it as UTF-8 text"
        raise InputError("CSV_ENCODING", "a NUL byte: this is no text, or UTF-16", file=path, row=row, remedy=remedy)
    try:
        return data.decode(encoding or "utf-8-sig")
    except UnicodeDecodeError as fault:
        if encoding is None:
            return data.decode("latin-1")
        row = data.count(b"\n", 0, fault.start) + 1
        what = f"a byte that {encoding} does not have"
        remedy = "Correct `encoding` in the column map"
        raise InputError("CSV_ENCODING", what, file=path, row=row, field="encoding", remedy=remedy) from fault


def _likely_delimiter(text: str) -> str:
    header = text.lstrip().partition("\n")[0]
    return max(DELIMITERS, key=header.count)


def _records(text: str, delimiter: str, path: str | Path) -> Iterator[tuple[int, list[str]]]:
    """Records that hold something, each with the line on which it begins."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    begin = 1
    try:
        for record in reader:
            if any(record):
                yield begin, record
            begin = reader.line_num + 1
    except csv.Error as fault:
        what = f"the record that begins here cannot be read ({fault})"
        remedy = "Close the quote that stands open"
        raise InputError("CSV_ROW", what, file=path, row=begin, remedy=remedy) from fault


def _ragged(ragged: list[tuple[int, int]], width: int, path: str | Path) -> tuple[Notice, ...]:
    if not ragged:
        return ()
    (row, cells), count = ragged[0], len(ragged)
    remedy = f"The header has {width} columns: give the record as many cells; it was left out"
    return (Notice("CSV_ROW", "warning", str(path), row, "", f"{cells} cells", remedy, count),)


def _from_parquet(data: bytes, path: str | Path) -> CrashTable:
    try:
        table = pq.read_table(pa.BufferReader(data))
        found = {
            name: [text.strip() for text in pc.fill_null(pc.cast(column, pa.string()), "").to_pylist()]
            for name, column in zip(table.column_names, table.columns, strict=True)
            if not pa.types.is_nested(column.type) and not pa.types.is_binary(column.type)
        }
    except (pa.ArrowException, OSError, ValueError) as fault:
        raise _not_a("Parquet file", fault, path) from fault
    return CrashTable(str(path), tuple(range(1, table.num_rows + 1)), found)


def _from_geojson(data: bytes, path: str | Path) -> CrashTable:
    try:
        features = json.loads(data)["features"]
        records = [_feature(item) for item in features]
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as fault:
        raise _not_a("GeoJSON collection of features", fault, path) from fault
    names = dict.fromkeys(name for record in records for name in record)
    found = {name: [record.get(name, "") for record in records] for name in names}
    return CrashTable(str(path), tuple(range(1, len(records) + 1)), found)


def _feature(item: dict[str, Any]) -> dict[str, str]:
    """Texts of a feature's properties and of its point; a feature that is no point has no place."""
    record = {name: "" if value is None else str(value).strip() for name, value in (item["properties"] or {}).items()}
    geometry = item["geometry"] or {}
    place = geometry["coordinates"] if geometry.get("type") == "Point" else ("", "")
    return {**record, GEOMETRY_LON: str(place[0]), GEOMETRY_LAT: str(place[1])}


def _not_a(kind: str, fault: Exception, path: str | Path) -> InputError:
    what = f"not a readable {kind} ({type(fault).__name__}: {fault})"
    return InputError("CRASH_FILE", what, file=path, remedy="Give CSV, Parquet or GeoJSON, named by its ending")
