"""What a replay has found so far, on disk where it grows large: memory stays the same however long the trace is."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from networks.outfile import atomic_path

PART_ROWS = 250_000
"""Rows are written out when there are so many."""
MOST_PIECES = 50
"""So many pieces of a day wait before they are put together."""
DAY = "day"
"""The column that has the days."""


@dataclass(slots=True, eq=False)
class Store:
    """Rows of one kind by day, in parts. A part is an Arrow file; what is not written yet waits in memory.

    Attributes
    ----------
    folder, name
        Parts are ``folder/name-0001.arrow`` and on.
    parts
        How many there are.
    days
        Days that have rows.
    rows
        How many rows wait to be written.
    """

    folder: Path
    name: str
    parts: int = 0
    days: set[int] = field(default_factory=set)
    _waiting: dict[int, list[pa.Table]] = field(default_factory=dict)
    rows: int = 0
    _spans: dict[int, dict[int, range]] = field(default_factory=dict)

    def add(self, columns: Mapping[str, Any], day: npt.NDArray[np.integer]) -> None:
        """Add rows, each with the number of its day."""
        if not len(day):
            return
        days = pd.unique(day).tolist()
        for one in days:
            rows = slice(None) if len(days) == 1 else np.flatnonzero(day == one)
            table = pa.table({name: pa.array(values[rows]) for name, values in columns.items()})
            waiting = self._waiting.setdefault(one, [])
            waiting.append(table)
            if len(waiting) >= MOST_PIECES:  # each takes some room, however few rows it has
                self._waiting[one] = [pa.concat_tables(waiting).combine_chunks()]
        self.days.update(days)
        self.rows += len(day)
        if self.rows >= PART_ROWS:
            self.write_out()

    @property
    def waiting(self) -> dict[int, dict[str, np.ndarray]]:
        """Rows that are not written yet, as columns by day."""
        return {day: _columns(pa.concat_tables(tables)) for day, tables in self._waiting.items()}

    def go_on(self, parts: int, days: set[int], waiting: Mapping[int, Mapping[str, Any]]) -> None:
        """Go on with the first parts and rows that waited; remove what was written after them."""
        for number, path in enumerate(self._files(), start=1):
            if number > parts:
                path.unlink()
        self.parts, self.days = parts, days
        for day, columns in waiting.items():
            count = len(next(iter(columns.values())))
            self.add(columns, np.full(count, day))

    def write_out(self) -> None:
        """Write what waits as a part, by day."""
        if not self._waiting:
            return
        self.parts += 1
        tables = [
            rows.append_column(DAY, pa.array(np.full(len(rows), day, np.int32)))
            for day, waiting in sorted(self._waiting.items())
            for rows in waiting
        ]
        # soon read again, and on this machine: packing costs more than it gives
        with atomic_path(self._part(self.parts)) as path, pa.ipc.new_file(path, tables[0].schema) as writer:
            for rows in tables:
                writer.write_table(rows)
        self._waiting, self.rows = {}, 0

    def of_day(self, day: int, names: Sequence[str] = ()) -> dict[str, np.ndarray]:
        """All rows of a day as columns, or some of their columns, in no order that may be relied on."""
        parts = [self._rows_of(number, day) for number in range(1, self.parts + 1) if day in self._spans_of(number)]
        tables = [*parts, *self._waiting.get(day, [])]
        return _columns(pa.concat_tables([rows.select(names) for rows in tables] if names else tables))

    def remove(self) -> None:
        """Remove the parts, and forget what waits."""
        for path in self._files():
            path.unlink()
        self.parts, self.days, self._waiting, self.rows = 0, set(), {}, 0
        self._spans.clear()

    def _rows_of(self, number: int, day: int) -> pa.Table:
        """Rows of a day in a part: they lie together."""
        rows = self._spans_of(number)[day]
        with pa.memory_map(str(self._part(number))) as source:
            return pa.ipc.open_file(source).read_all().slice(rows.start, len(rows)).drop_columns(DAY)

    def _spans_of(self, number: int) -> dict[int, range]:
        """Where the rows of each day lie in a part."""
        if number not in self._spans:
            with pa.memory_map(str(self._part(number))) as source:
                day = pa.ipc.open_file(source).read_all()[DAY].to_numpy()
            begins = np.flatnonzero(np.diff(day, prepend=day[0] - 1))
            spans = zip(day[begins].tolist(), begins.tolist(), [*begins[1:].tolist(), len(day)], strict=True)
            self._spans[number] = {one: range(begin, end) for one, begin, end in spans}
        return self._spans[number]

    def _files(self) -> Iterator[Path]:
        return iter(sorted(self.folder.glob(f"{self.name}-*.arrow")))

    def _part(self, number: int) -> Path:
        return self.folder / f"{self.name}-{number:04d}.arrow"


def _columns(rows: pa.Table) -> dict[str, np.ndarray]:
    return {name: rows[name].to_numpy() for name in rows.column_names}
