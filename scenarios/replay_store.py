"""What a replay has found so far, on disk where it grows large: memory stays the same however long the trace is."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from networks.outfile import atomic_path

PART_ROWS = 500_000
"""Rows are written out when there are so many."""


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
    _waiting: list[pa.Table] = field(default_factory=list)
    rows: int = 0
    _spans: dict[int, dict[int, range]] = field(default_factory=dict)

    def add(self, columns: Sequence[tuple[str, np.ndarray]], day: np.ndarray) -> None:
        """Add rows, each with the number of its day."""
        if not len(day):
            return
        self._waiting.append(pa.table({name: pa.array(values) for name, values in (*columns, ("day", day))}))
        self.days.update(np.unique(day).tolist())
        self.rows += len(day)
        if self.rows >= PART_ROWS:
            self.write_out()

    @property
    def waiting(self) -> dict[str, np.ndarray]:
        """Rows that are not written yet, as columns with their days; nothing where there are none."""
        if not self._waiting:
            return {}
        rows = pa.concat_tables(self._waiting)
        return {name: rows[name].to_numpy() for name in rows.column_names}

    def go_on(self, parts: int, days: set[int], waiting: dict[str, np.ndarray]) -> None:
        """Go on with the first parts and rows that waited; remove what was written after them."""
        for number, path in enumerate(self._files(), start=1):
            if number > parts:
                path.unlink()
        self.parts, self.days = parts, days
        if waiting:
            self.add([(name, values) for name, values in waiting.items() if name != "day"], waiting["day"])

    def write_out(self) -> None:
        """Write what waits as a part, sorted by day."""
        if not self._waiting:
            return
        self.parts += 1
        rows = pa.concat_tables(self._waiting)
        if len(self._waiting_days()) > 1:
            rows = rows.sort_by("day")
        # soon read again, and on this machine: packing costs more than it gives
        with atomic_path(self._part(self.parts)) as path, pa.ipc.new_file(path, rows.schema) as writer:
            writer.write_table(rows)
        self._waiting, self.rows = [], 0

    def of_day(self, day: int) -> dict[str, np.ndarray]:
        """All rows of a day as columns, in no order that may be relied on."""
        parts = [self._rows_of(number, day) for number in range(1, self.parts + 1) if day in self._spans_of(number)]
        waiting = [rows.filter(pc.equal(rows["day"], day)) for rows in self._waiting]
        whole = pa.concat_tables([*parts, *waiting])
        return {name: whole[name].to_numpy() for name in whole.column_names if name != "day"}

    def _waiting_days(self) -> set[int]:
        return {int(day) for rows in self._waiting for day in np.unique(rows["day"].to_numpy()).tolist()}

    def remove(self) -> None:
        """Remove the parts, and forget what waits."""
        for path in self._files():
            path.unlink()
        self.parts, self.days, self._waiting, self.rows = 0, set(), [], 0
        self._spans.clear()

    def _rows_of(self, number: int, day: int) -> pa.Table:
        """Rows of a day in a part: they lie together."""
        rows = self._spans_of(number)[day]
        with pa.memory_map(str(self._part(number))) as source:
            return pa.ipc.open_file(source).read_all().slice(rows.start, len(rows))

    def _spans_of(self, number: int) -> dict[int, range]:
        """Where the rows of each day lie in a part."""
        if number not in self._spans:
            with pa.memory_map(str(self._part(number))) as source:
                day = pa.ipc.open_file(source).read_all()["day"].to_numpy()
            days, begins = np.unique(day, return_index=True)
            ends = [*begins[1:].tolist(), len(day)]
            spans = zip(days.tolist(), begins.tolist(), ends, strict=True)
            self._spans[number] = {one: range(begin, end) for one, begin, end in spans}
        return self._spans[number]

    def _files(self) -> Iterator[Path]:
        return iter(sorted(self.folder.glob(f"{self.name}-*.arrow")))

    def _part(self, number: int) -> Path:
        return self.folder / f"{self.name}-{number:04d}.arrow"
