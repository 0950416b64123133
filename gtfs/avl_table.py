"""Tables of vehicle positions, CSV and Parquet, through a map of their columns: fast, a batch at a time."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sized
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow.csv import ConvertOptions, ParseOptions, ReadOptions, read_csv

from gtfs import avl_lines
from gtfs.avl_batch import BATCH_ROWS, Batch, Sightings, Tally, with_notices
from gtfs.avl_columns import EPOCH, NUMBERS, TEXTS, TIMES, ColumnMap, resolve_columns
from gtfs.avl_lines import Block, Header
from gtfs.avl_ranges import checked
from gtfs.avl_times import service_dates, service_times, start_times, times
from gtfs.avl_values import MISSING, Flags, is_number, is_text, labels, numbers, says_something, whole
from gtfs.pings import Labels, Pings, no_labels
from networks.faults import InputError, Notice
from networks.intake import open_bytes, require_file
from networks.network import FloatArray

CODED = pa.dictionary(pa.int32(), pa.string())
PAGE_BYTES = 1 << 20
"""What is read of a Parquet column at once."""
MAX_SHOWN = 200
"""Letters of a bad line that a notice shows."""

Arrays = Mapping[str, pa.Array]
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
    return with_notices(_of_blocks(blocks, header, _Reader(resolved, file, timezone, tally)), tally)


def open_csv_pings(path: Path, columns: ColumnMap | None, timezone: str | None) -> Iterator[Batch]:
    """Read a ``.csv``, also as ``.gz`` or alone in a ``.zip``; see :func:`read_csv_pings`."""
    with open_bytes(path) as stream:
        yield from read_csv_pings(stream, str(path), columns, timezone)


@dataclass(frozen=True, slots=True, eq=False)
class _Reader:
    """What all batches of a file share."""

    columns: ColumnMap
    file: str
    timezone: str | None
    tally: Tally

    def batch(self, arrays: Arrays, place: Callable[[int], int], written: Callable[[str, int], str]) -> Batch:
        """The checked pings of a piece of the file, from its arrays by the words of TIDES."""
        illegible: dict[str, Flags] = {}
        pings, told_s = self._pings(arrays, illegible)
        sightings = Sightings(
            pings,
            told_s,
            place=lambda row: (self.file, place(row)),
            written=written,
            fields=self.columns.columns,
            illegible=illegible,
        )
        return checked(sightings, self.tally)

    def _pings(self, arrays: Arrays, illegible: dict[str, Flags]) -> tuple[Pings, FloatArray]:
        count = len(arrays["latitude"])
        texts = {word: self._labels(arrays, word, count) for word in TEXTS}
        values = {word: self._numbers(arrays, word, count, illegible) for word in NUMBERS}
        texts["service_date"], illegible["service_date"] = service_dates(
            texts["service_date"], self.columns.date_format
        )
        texts["trip_start_time"], illegible["trip_start_time"] = start_times(texts["trip_start_time"])
        pings = Pings(
            time_s=self._times(arrays, texts["service_date"], values["service_seconds"], illegible),
            vehicle=texts["vehicle_id"],
            trip=texts["trip_id_performed"],
            route=texts["route_id"],
            block=texts["block_id"],
            start_date=texts["service_date"],
            start_time=texts["trip_start_time"],
            lat=values["latitude"],
            lon=values["longitude"],
            heading_deg=values["heading"],
            speed_mps=values["speed"] * self.columns.speed_mps,
            odometer_m=values["odometer"] * self.columns.odometer_m,
        )
        return pings, self._moments(arrays, "feed_timestamp", count, illegible)

    def _labels(self, arrays: Arrays, word: str, count: int) -> Labels:
        return labels(arrays[word]) if word in arrays else no_labels(count)

    def _numbers(self, arrays: Arrays, word: str, count: int, illegible: dict[str, Flags]) -> FloatArray:
        if word not in arrays:
            return np.full(count, np.nan)
        values, wrong = numbers(arrays[word])
        if wrong is not None and wrong.any():
            illegible[word] = wrong
        return values

    def _times(self, arrays: Arrays, days: Labels, seconds: FloatArray, illegible: dict[str, Flags]) -> FloatArray:
        if "service_seconds" in arrays and self.columns.timezone is not None:
            return service_times(days, seconds, self.columns.timezone)
        return self._moments(arrays, "event_timestamp", len(seconds), illegible)

    def _moments(self, arrays: Arrays, word: str, count: int, illegible: dict[str, Flags]) -> FloatArray:
        if word not in arrays:
            return np.full(count, np.nan)
        column = arrays[word]
        try:
            moments = times(column, self.columns.time_format, self.columns.timezone or self.timezone)
        except InputError as fault:
            field = self.columns.columns[word]
            raise InputError(fault.code, fault.what, file=self.file, field=field, remedy=fault.remedy) from fault
        lost = np.isnan(moments)
        if lost.any() and is_text(column.type):
            illegible[word] = lost & says_something(column)
        return moments


def _of_blocks(blocks: Iterable[Block], header: Header, reader: _Reader) -> Iterator[Batch]:
    records = 0
    for block in blocks:
        records += len(block.lines) + len(block.unquoted)
        if len(block.unquoted):
            line = int(block.unquoted[0])
            _count_ragged(reader, line, "a quote is not closed, or opens inside a field", block.sample, block.unquoted)
        if len(block.lines):
            yield _of_block(block, header, reader)
    if not records:
        raise avl_lines.nothing_in(reader.file)


def _count_ragged(reader: _Reader, line: int, field: str, text: str, lines: Sized) -> None:
    notice = Notice("CSV_ROW", "warning", reader.file, line, field, text[:MAX_SHOWN], avl_lines.REMEDY)
    reader.tally.add(lambda: notice, ("CSV_ROW", field, ""), len(lines))


def _of_block(block: Block, header: Header, reader: _Reader) -> Batch:
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


def read_parquet_pings(path: Path, columns: ColumnMap | None, timezone: str | None) -> Iterator[Batch]:
    """Read a Parquet file: with the columns of TIDES, or by a column map.

    Rows are counted from 1 in notices.

    Raises
    ------
    InputError
        FILE_MISSING, AVL_FILE (no sound Parquet), AVL_COLUMN, AVL_EMPTY, AVL_TIMEZONE.
    """
    require_file(path)
    tally = Tally()
    return with_notices(_of_parquet(path, columns, timezone, tally), tally)


def _of_parquet(path: Path, columns: ColumnMap | None, timezone: str | None, tally: Tally) -> Iterator[Batch]:
    try:
        with _open_parquet(path, []) as source:
            schema, rows = source.schema_arrow, source.metadata.num_rows
        resolved = resolve_columns(columns, schema.names, str(path))
        if not rows:
            raise avl_lines.nothing_in(str(path))
        coded = [name for word, name in resolved.columns.items() if word in TEXTS and is_text(schema.field(name).type)]
        with _open_parquet(path, coded) as source:
            reader, first_row = _Reader(resolved, str(path), timezone, tally), 1
            wanted = sorted(set(resolved.columns.values()))
            for piece in source.iter_batches(BATCH_ROWS, columns=wanted, use_threads=False):
                yield _of_rows(piece, reader, first_row)
                first_row += len(piece)
    except (pa.ArrowException, OSError, MemoryError) as fault:
        what = f"not a sound Parquet file ({' '.join(str(fault).split())})"
        raise InputError("AVL_FILE", what, file=path, remedy="Get the file anew") from fault


def _open_parquet(path: Path, coded: list[str]) -> pq.ParquetFile:
    return pq.ParquetFile(
        path, read_dictionary=coded, buffer_size=PAGE_BYTES, pre_buffer=False, page_checksum_verification=True
    )


def _of_rows(piece: pa.RecordBatch, reader: _Reader, first_row: int) -> Batch:
    arrays = {word: piece.column(name) for word, name in reader.columns.columns.items()}

    def written(word: str, row: int) -> str:
        value = arrays[word][row].as_py() if word in arrays else None
        return "" if value is None else str(value)

    return reader.batch(arrays, lambda row: first_row + row, written)
