"""A table's records as text, before anything takes them for numbers or dates, and the line on which each begins.

Read with pyarrow's reader of CSV, as it alone tells which records are ragged.
"""

import csv
import io
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow.csv import ConvertOptions, ParseOptions, ReadOptions, read_csv

from networks.faults import InputError

Lines = npt.NDArray[np.int64]
Odd = tuple[int, int, str]
"""A record that has not as many fields as the header: its number among all, its fields, its text."""

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
NUL = b"\x00"
END = b"\x03"
"""Our own last record is made of it."""
BLOCK_BYTES = 1 << 30
"""The most that pyarrow may take for one record."""

REMEDY = "Quote fields that hold commas, close every quote, and give each record as many fields as the header"


@dataclass(frozen=True, slots=True, eq=False)
class Records:
    """Records in their order: ``texts`` has a text column a field, ``lines`` where each begins, the header in line 1.

    Blank lines are no records; a field left blank is an empty text.
    """

    texts: pa.Table
    lines: Lines


def read_records(stream: IO[bytes], file: Path) -> Records | None:
    """Read a table's records; None where there are none.

    Parameters
    ----------
    stream
        The table's bytes, taken to be safe to hold.
    file
        What the table is called in messages.

    Raises
    ------
    InputError
        CSV_ENCODING (no UTF-8, a NUL byte) or CSV_ROW (a ragged record, an open quote, a field that stands twice in the
        header), with the line.
    """
    text = _text(stream.read(), file)
    head, body, first_line = _split(text)
    if not body.strip():
        return None
    records = _parsed(_fields(head, file, first_line - 1), body, first_line, file)
    return records if len(records.lines) else None


def _text(content: bytes, file: Path) -> bytes:
    """The content without its byte order mark, surely UTF-8; all lines end by a line feed."""
    text = content.removeprefix(BYTE_ORDER_MARK)
    if b"\r" in text:
        text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    try:
        text.decode("utf-8")
    except UnicodeDecodeError as fault:
        raise _undecodable(text, fault.start, f"no UTF-8 text ({fault.reason})", file) from fault
    if NUL in text:
        raise _undecodable(text, text.index(NUL), "a NUL byte", file)
    return text


def _undecodable(text: bytes, place: int, what: str, file: Path) -> InputError:
    row = text.count(b"\n", 0, place) + 1
    return InputError("CSV_ENCODING", what, file=file, row=row, remedy="Save it as UTF-8")


def _split(text: bytes) -> tuple[str, bytes, int]:
    """The header, which is the first line that is not blank, what follows it, and the line where that begins."""
    lines = io.BytesIO(text)
    for line in count(2):
        head = lines.readline()
        if head.strip() or not head:
            return head.decode("utf-8"), lines.read().removeprefix(BYTE_ORDER_MARK), line  # pyarrow would drop one
    raise AssertionError  # pragma: no cover - lines end


def _fields(head: str, file: Path, row: int) -> list[str]:
    """Names of fields without the spaces around them; one without a name gets one that no field can have."""
    names = [name.strip() or f" {place}" for place, name in enumerate(next(csv.reader([head])))]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        what = f"the field {twice[0]} stands twice in the header"
        raise InputError("CSV_ROW", what, file=file, row=row, field=twice[0], remedy="Leave one of them")
    return names


def _parsed(names: list[str], body: bytes, first_line: int, file: Path) -> Records:
    try:
        texts, odd = _read(names, _closed(body, len(names)))
    except pa.ArrowInvalid as fault:
        raise InputError("CSV_ROW", " ".join(str(fault).split()), file=file, remedy=REMEDY) from fault
    closed = _is_closed(texts, odd)
    records = texts.num_rows - closed
    lines = _lines(body, records + len(odd), first_line, file)
    if not closed:
        raise InputError("CSV_ROW", "a quote is never closed", file=file, row=int(lines[-1]), remedy=REMEDY)
    _refuse_ragged([row for row in odd if row[2].strip()], len(names), lines, file)
    named = [name for name in names if not name.startswith(" ")]
    blank = [number - 1 for number, _, _ in odd]
    return Records(texts.slice(0, records).select(named), np.delete(lines, blank))


def _refuse_ragged(ragged: list[Odd], fields: int, lines: Lines, file: Path) -> None:
    if ragged:
        others = f" (and {len(ragged) - 1} more such records)" if len(ragged) > 1 else ""
        what = f"a record of {ragged[0][1]} fields under a header of {fields}{others}"
        raise InputError("CSV_ROW", what, file=file, row=int(lines[ragged[0][0] - 1]), remedy=REMEDY)


def _closed(body: bytes, fields: int) -> bytes:
    """The records and one of our own behind them: a quote that was left open swallows it."""
    end = b"" if body.endswith(b"\n") else b"\n"
    return body + end + b",".join([END] * fields) + b"\n"


def _is_closed(texts: pa.Table, odd: list[Odd]) -> bool:
    """Whether our own record came out as one."""
    end = END.decode()
    if odd and odd[-1][2].rstrip().endswith(end):
        return False
    return bool(texts.num_rows) and texts.column(0)[-1].as_py() == end


def _read(names: list[str], body: bytes) -> tuple[pa.Table, list[Odd]]:
    """Records with as many fields as the header, and the others."""
    odd: list[Odd] = []

    def leave_out(row: Any) -> str:
        odd.append((row.number, row.actual_columns, row.text))
        return "skip"

    texts = read_csv(
        pa.BufferReader(body),
        read_options=ReadOptions(use_threads=False, block_size=min(len(body), BLOCK_BYTES), column_names=names),
        parse_options=ParseOptions(newlines_in_values=True, invalid_row_handler=leave_out),
        convert_options=ConvertOptions(column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False),
    )
    return texts, odd


def _lines(body: bytes, total: int, first_line: int, file: Path) -> Lines:
    """Where each record begins, whatever its fields; only where lines are empty or quoted are they gone through."""
    ends = body.count(b"\n") + (not body.endswith(b"\n"))
    if ends == total:
        return np.arange(first_line, first_line + total, dtype=np.int64)
    begins: list[int] = []
    reader = csv.reader(io.StringIO(body.decode("utf-8"), newline=""))
    before = 0
    try:
        for record in reader:
            if record:
                begins.append(before + first_line)
            before = reader.line_num
    except csv.Error as fault:
        raise InputError("CSV_ROW", str(fault), file=file, row=before + first_line, remedy=REMEDY) from fault
    return np.array(begins, dtype=np.int64)
