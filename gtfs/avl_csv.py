"""CSV tables of vehicle positions, a block of lines at a time, near the speed of pyarrow's parser."""

from collections.abc import Iterable, Iterator, Mapping, Sized
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa
from pyarrow.csv import ConvertOptions, ParseOptions, ReadOptions, read_csv

from gtfs import avl_lines
from gtfs.avl_batch import Batch, Tally, with_notices
from gtfs.avl_columns import EPOCH, NUMBERS, TIMES, ColumnMap, resolve_columns
from gtfs.avl_lines import Block, Header
from gtfs.avl_table import Arrays, TableReader
from gtfs.avl_values import MISSING, is_number, whole
from networks.faults import Notice
from networks.intake import open_bytes

CODED = pa.dictionary(pa.int32(), pa.string())
BAD_QUOTE = "a quote is not closed, or stands inside a field"
MAX_SHOWN = 200
"""Letters of a bad line that a notice shows."""

Ragged = tuple[int, int, str]
"""A record that has not as many fields as the header: its number in the block from 1, its fields, its text."""


def read_csv_pings(stream: IO[bytes], file: str, columns: ColumnMap | None, timezone: str | None) -> Iterator[Batch]:
    """Read a CSV table: TIDES ``vehicle_locations``, or by a column map.

    Parameters
    ----------
    file
        What the table is called in messages.
    timezone
        Zone of times that are written without one, where the map tells none.

    Raises
    ------
    InputError
        AVL_COLUMN, AVL_EMPTY, AVL_TIMEZONE, CSV_ENCODING, CSV_ROW; those of the stream.
    """
    header, blocks = avl_lines.read_blocks(stream, file)
    resolved = resolve_columns(columns, header.names, file)
    tally = Tally()
    return with_notices(_of_blocks(blocks, header, TableReader(resolved, file, timezone, tally)), tally)


def open_csv_pings(path: Path, columns: ColumnMap | None, timezone: str | None) -> Iterator[Batch]:
    """Read a ``.csv``, also as ``.gz`` or alone in a ``.zip``; see :func:`read_csv_pings`."""
    with open_bytes(path) as stream:
        yield from read_csv_pings(stream, str(path), columns, timezone)


def _of_blocks(blocks: Iterable[Block], header: Header, reader: TableReader) -> Iterator[Batch]:
    records = 0
    for block in blocks:
        records += len(block.lines) + len(block.unquoted)
        if len(block.unquoted):
            line = int(block.unquoted[0])
            _count_ragged(reader, line, BAD_QUOTE, block.sample, block.unquoted)
        if len(block.lines):
            yield _of_block(block, header, reader)
    if not records:
        raise avl_lines.nothing_in(reader.file)


def _count_ragged(reader: TableReader, line: int, field: str, text: str, lines: Sized) -> None:
    notice = Notice("CSV_ROW", "warning", reader.file, line, field, text[:MAX_SHOWN], avl_lines.REMEDY)
    reader.tally.add(lambda: notice, ("CSV_ROW", field, ""), len(lines))


def _of_block(block: Block, header: Header, reader: TableReader) -> Batch:
    places = {word: header.names.index(name) for word, name in reader.columns.columns.items()}
    kinds = _kinds(reader.columns, avl_lines.cells(block, 0, header.delimiter), places)
    try:
        arrays, ragged = _parsed(block, header, places, kinds)
    except pa.ArrowInvalid:  # something in it is no number: found out field by field
        arrays, ragged = _parsed(block, header, places, dict.fromkeys(places, pa.string()))
    records = len(arrays["latitude"]) + len(ragged)
    if records != len(block.lines):
        block = avl_lines.without_blank(block)
    numbers_of_lines = np.arange(records)
    numbers_of_lines = np.delete(numbers_of_lines, [number - 1 for number, _, _ in ragged])
    ragged = [record for record in ragged if record[2].strip()]
    if ragged:
        number, fields, text = ragged[0]
        what = f"{fields} fields under a header of {len(header.names)}"
        _count_ragged(reader, int(block.lines[number - 1]), what, text, ragged)

    def written(word: str, row: int) -> str:
        record = avl_lines.cells(block, int(numbers_of_lines[row]), header.delimiter)
        return record[places[word]] if word in places else ""

    return reader.batch(arrays, lambda row: int(block.lines[numbers_of_lines[row]]), written)


def _kinds(columns: ColumnMap, first: list[str], places: Mapping[str, int]) -> dict[str, pa.DataType]:
    """What each column most likely holds; times without a told format are as the first record has them."""
    kinds = {}
    for word, place in places.items():
        kinds[word] = pa.float64() if word in NUMBERS else CODED
        if word in TIMES:
            told = columns.time_format or (EPOCH if len(first) > place and is_number(first[place]) else None)
            kinds[word] = pa.float64() if told == EPOCH else pa.string()
    return kinds


def _parsed(
    block: Block, header: Header, places: Mapping[str, int], kinds: Mapping[str, pa.DataType]
) -> tuple[Arrays, list[Ragged]]:
    """Arrays by the words of TIDES, and the records that are left out of them."""
    ragged: list[Ragged] = []

    def leave_out(row: Any) -> str:
        ragged.append((row.number, row.actual_columns, row.text))
        return "skip"

    names = [str(place) for place in range(len(header.names))]
    table = read_csv(
        pa.BufferReader(block.body),
        read_options=ReadOptions(use_threads=False, block_size=len(block.body), column_names=names),
        parse_options=ParseOptions(
            delimiter=header.delimiter, quote_char='"' if b'"' in block.body else False, invalid_row_handler=leave_out
        ),
        convert_options=ConvertOptions(
            column_types={str(place): kinds[word] for word, place in places.items()},
            include_columns=sorted({str(place) for place in places.values()}),
            null_values=MISSING,
            strings_can_be_null=False,
            check_utf8=False,
        ),
    )
    return {word: whole(table.column(str(place))) for word, place in places.items()}, ragged
