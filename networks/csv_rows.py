"""Rows of a small CSV table from outside, with the lines they stand in."""

import csv
import io
from pathlib import Path

from networks.faults import InputError
from networks.intake import open_bytes

MAX_TABLE_BYTES = 64 * 1024**2

Row = dict[str, str]


def read_csv_rows(path: str | Path) -> tuple[list[str], list[tuple[int, Row]]]:
    """Columns of a table (UTF-8, plain, ``.gz`` or ``.zip``), and its rows with the line in which each ends.

    Blanks around names and cells are taken off; lines without any cell filled are passed over.

    Raises
    ------
    InputError
        FILE_MISSING, ZIP_*; CSV_ENCODING; CSV_ROW where a row has not as many cells as the header, a column stands
        twice or a quote is not closed.
    """
    with open_bytes(path, MAX_TABLE_BYTES) as stream:
        data = stream.read()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        line = data[: fault.start].count(b"\n") + 1
        raise InputError(
            "CSV_ENCODING", "it is not UTF-8 text", file=path, row=line, remedy="Save it as UTF-8"
        ) from fault
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        twice = sorted({name for name in header if header.count(name) > 1})
        if twice:
            raise InputError("CSV_ROW", f"column {twice[0]!r} stands twice", file=path, row=1, remedy="Leave one out")
        rows = []
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(header):
                what = f"the header has {len(header)} columns, this row {len(cells)}"
                raise InputError("CSV_ROW", what, file=path, row=reader.line_num, remedy="Correct the row")
            rows.append((reader.line_num, {name: cell.strip() for name, cell in zip(header, cells, strict=True)}))
    except csv.Error as fault:
        raise InputError("CSV_ROW", str(fault), file=path, row=reader.line_num, remedy="Close the quote") from fault
    return header, rows
