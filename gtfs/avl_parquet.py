"""Parquet tables of vehicle positions, some rows at a time, of the mapped columns alone."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from gtfs.avl_batch import BATCH_ROWS, Batch, Tally, with_notices
from gtfs.avl_columns import TEXTS, ColumnMap, resolve_columns
from gtfs.avl_lines import nothing_in
from gtfs.avl_table import TableReader
from gtfs.avl_values import is_text
from networks.faults import InputError
from networks.intake import require_file

PAGE_BYTES = 1 << 20
"""What is read of a column at once."""


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
            raise nothing_in(str(path))
        coded = [name for word, name in resolved.columns.items() if word in TEXTS and is_text(schema.field(name).type)]
        with _open_parquet(path, coded) as source:
            reader, first_row = TableReader(resolved, str(path), timezone, tally), 1
            wanted = sorted(set(resolved.columns.values()))
            for piece in source.iter_batches(BATCH_ROWS, columns=wanted, use_threads=False):
                piece.validate(full=True)  # damage can leave codes of texts that there are not
                yield _of_rows(piece, reader, first_row)
                first_row += len(piece)
    except (pa.ArrowException, OSError, MemoryError, UnicodeDecodeError) as fault:
        what = f"not a sound Parquet file ({' '.join(str(fault).split())})"
        raise InputError("AVL_FILE", what, file=path, remedy="Get the file anew") from fault


def _open_parquet(path: Path, coded: list[str]) -> pq.ParquetFile:
    return pq.ParquetFile(
        path, read_dictionary=coded, buffer_size=PAGE_BYTES, pre_buffer=False, page_checksum_verification=True
    )


def _of_rows(piece: pa.RecordBatch, reader: TableReader, first_row: int) -> Batch:
    arrays = {word: piece.column(name) for word, name in reader.columns.columns.items()}

    def written(word: str, row: int) -> str:
        value = arrays[word][row].as_py() if word in arrays else None
        return "" if value is None else str(value)

    return reader.batch(arrays, lambda row: first_row + row, written)
