"""Rows into files and back: any dataclass of plain fields as CSV, Parquet or a JSON object, the same bytes each time.

A dataclass is a table's schema: its fields are the columns, in their order. Text, whole numbers, floats and truth
values are known, each of them optional if it says so. In CSV and Parquet a float is rounded to :data:`DECIMALS`
places, a tenth of a metre in degrees and a microsecond in seconds; what is not known (NaN, None) is empty. A JSON
record keeps every float exactly: it is what a stopped study resumes from.
"""

import csv
import io
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, NamedTuple, TypeVar, get_type_hints

import pyarrow as pa
import pyarrow.parquet as pq

from networks.faults import InputError
from networks.intake import open_bytes
from networks.outfile import atomic_path, write_text

DECIMALS = 6
_REMEDY = "Give a table that Bagdar wrote, unchanged"

Row = TypeVar("Row")


class _Kind(NamedTuple):
    """How values of one type are stored and read."""

    words: str
    arrow: pa.DataType
    parse: Callable[[Any], Any]


def write_csv(path: str | Path, row_type: type[Any], rows: Iterable[Any]) -> None:
    """Write rows of a dataclass as CSV (RFC 4180 with line feeds, UTF-8), header first.

    Raises
    ------
    RunError
        WRITE_FAILED; no file then stands under the final name.
    """
    columns = list(_columns(row_type))
    lines = _Lines()
    writer = csv.writer(lines, lineterminator=_Lines.END)
    writer.writerow(columns)
    writer.writerows([_cell(getattr(row, column)) for column in columns] for row in rows)
    write_text(path, "".join(lines))


def write_parquet(path: str | Path, row_type: type[Any], rows: Sequence[Any]) -> None:
    """Write rows of a dataclass as Parquet, with the columns and the rounding of :func:`write_csv`.

    Raises
    ------
    RunError
        WRITE_FAILED; no file then stands under the final name.
    """
    table = {
        column: pa.array([_rounded(getattr(row, column)) for row in rows], type=_KINDS[kind].arrow)
        for column, (kind, _) in _columns(row_type).items()
    }
    with atomic_path(path) as part:
        pq.write_table(pa.table(table), part, compression="zstd", store_schema=False)


def read_csv(path: str | Path, row_type: type[Row]) -> tuple[Row, ...]:
    """Read back what :func:`write_csv` wrote; its columns may stand in any order and among others.

    Raises
    ------
    InputError
        FILE_MISSING; CSV_ENCODING where the text is not UTF-8; CSV_ROW where a row is ragged or a quote stays open;
        ROW_VALUE where a column is missing or a cell is not what its column holds.
    """
    lines = _csv_rows(path)
    _, header = next(lines, (0, []))
    rows = []
    for line, cells in lines:
        if len(cells) != len(header):
            what = f"the header has {len(header)} columns, this row {len(cells)}"
            raise InputError("CSV_ROW", what, file=path, row=line, remedy=_REMEDY)
        rows.append(from_record(row_type, dict(zip(header, cells, strict=True)), file=path, line=line))
    if not rows:
        _refuse_missing_columns(row_type, header, path)
    return tuple(rows)


def as_record(row: Any) -> dict[str, str | int | float | bool | None]:
    """Give a row as plain values that JSON can hold: floats exact, NaN as None."""
    return {column: _known(getattr(row, column)) for column in _columns(type(row))}


def from_record(
    row_type: type[Row], record: Mapping[str, Any], *, file: str | Path | None = None, line: int | None = None
) -> Row:
    """Build a row from plain values or from the text of CSV cells; None and an empty cell stand for NaN.

    Raises
    ------
    InputError
        ROW_VALUE where a column is missing or a value is not what its column holds.
    """
    _refuse_missing_columns(row_type, record, file)
    values = {}
    for column, (kind, is_optional) in _columns(row_type).items():
        given = record[column]
        try:
            values[column] = None if is_optional and given in {None, ""} else _KINDS[kind].parse(given)
        except (ValueError, TypeError) as fault:
            what = f"{str(given)[:40]!r} is not {_KINDS[kind].words}"
            raise InputError("ROW_VALUE", what, file=file, row=line, field=column, remedy=_REMEDY) from fault
    return row_type(**values)


class _Lines(list[str]):
    """Lines as the csv module writes them, ended by a line feed.

    The module quotes a carriage return in a cell only where its own line ends hold one.
    """

    END = "\r\n"

    def write(self, line: str) -> None:
        """Take one line."""
        self.append(line.removesuffix(self.END) + "\n")


def _columns(row_type: type[Any]) -> dict[str, tuple[type, bool]]:
    """Each field of a dataclass with its plain type, and whether it may be None."""
    hints = get_type_hints(row_type)
    return {field.name: _plain(hints[field.name]) for field in fields(row_type)}


def _plain(hint: Any) -> tuple[type, bool]:
    if not isinstance(hint, UnionType):
        return hint, False
    (kind,) = set(hint.__args__) - {NoneType}
    return kind, True


def _refuse_missing_columns(row_type: type[Any], found: Iterable[str], file: str | Path | None) -> None:
    missing = sorted(_columns(row_type).keys() - set(found))
    if missing:
        raise InputError("ROW_VALUE", f"columns are missing: {', '.join(missing)}", file=file, remedy=_REMEDY)


def _csv_rows(path: str | Path) -> Iterator[tuple[int, list[str]]]:
    """Rows of a CSV file, each with the line on which it ends."""
    with open_bytes(path) as stream, io.TextIOWrapper(stream, encoding="utf-8", newline="") as text:
        reader = csv.reader(text, strict=True)
        try:
            for cells in reader:
                yield reader.line_num, cells
        except UnicodeDecodeError as fault:
            raise InputError("CSV_ENCODING", "this is not UTF-8", file=path, remedy=_REMEDY) from fault
        except csv.Error as fault:
            raise InputError("CSV_ROW", str(fault), file=path, row=reader.line_num, remedy=_REMEDY) from fault


def _known(value: Any) -> Any:
    """Give None for what is not known, and a plain number for one of numpy's."""
    plain = value.item() if hasattr(value, "item") else value
    return None if isinstance(plain, float) and not math.isfinite(plain) else plain


def _rounded(value: Any) -> Any:
    known = _known(value)
    # Adding zero turns the minus zero that rounding makes of a tiny loss into zero.
    return round(known, DECIMALS) + 0.0 if isinstance(known, float) else known


def _cell(value: Any) -> str:
    match _rounded(value):
        case None:
            return ""
        case bool() as truth:
            return "true" if truth else "false"
        case float() as number:
            return f"{number:.{DECIMALS}f}".rstrip("0").rstrip(".")
        case other:
            return str(other)


def _text(given: Any) -> str:
    if not isinstance(given, str):
        raise TypeError
    return given


def _whole(given: Any) -> int:
    if isinstance(given, bool | float):
        raise TypeError
    return int(given)


def _number(given: Any) -> float:
    return math.nan if given in {None, ""} else float(given)


def _truth(given: Any) -> bool:
    truths = {True: True, False: False, "true": True, "false": False}
    try:
        return truths[given]
    except KeyError as fault:
        raise ValueError from fault


_KINDS = {
    str: _Kind("text", pa.string(), _text),
    int: _Kind("a whole number", pa.int64(), _whole),
    float: _Kind("a number", pa.float64(), _number),
    bool: _Kind("true or false", pa.bool_(), _truth),
}
