"""A folder into which files of positions keep coming."""

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from gtfs.avl import read_pings
from gtfs.avl_batch import Batch, empty_batch
from gtfs.avl_columns import ColumnMap
from gtfs.avl_messages import is_message, is_table, message_bytes
from gtfs.avl_source import Health, Pace, ReadSoFar, SourceState
from gtfs.realtime_positions import Message, message_batch, parse_positions
from networks.faults import BagdarError, Notice

SETTLED_S = 2.0
"""A file that was not written to for so long is whole."""
NANOSECONDS = 1e9

Stamp = tuple[int, int]
"""When a file was last written to, in nanoseconds, and its bytes."""


def follow_folder(
    folder: Path, columns: ColumnMap | None, timezone: str | None, pace: Pace, so_far: ReadSoFar
) -> Iterator[Batch | SourceState]:
    """Positions of the files that are there and of those that come, without end.

    A file is read once it is whole: not written to for two seconds, or the same at two looks. One that is written anew
    is read anew. A message comes as one batch, earlier published ones first among those found at once. What cannot be
    read is tried again at the next look and then told in a notice. What is marked in ``so_far`` is not read again.
    """
    health = Health(str(folder), pace, pace.now_s())
    files = _Files(folder, columns, timezone, so_far, str(folder.resolve()))
    while True:
        try:
            whole = files.whole(pace.now_s())
        except OSError as fault:
            state = health.failed(fault.strerror or str(fault))
            yield state
            pace.sleep(state.retry_s)
            continue
        news = False
        for batch in files.read(whole):
            if not news:
                yield from health.heard()
            yield batch
            news = True
        if not news:
            yield from health.quiet()
        pace.sleep(pace.poll_s)


@dataclass(slots=True)
class _Files:
    """The files of a folder: which have been read, and what was seen of the others at the last look."""

    folder: Path
    columns: ColumnMap | None
    timezone: str | None
    so_far: ReadSoFar
    place: str
    seen: dict[str, Stamp] = field(default_factory=dict)
    failed: dict[str, Stamp] = field(default_factory=dict)

    def whole(self, now_s: float) -> list[str]:
        """Names of files that are new, or written anew, and are whole."""
        stamps = _stamps(self.folder)
        done, known = self.so_far.files, {self._key(name) for name in stamps}
        for gone in [key for key in done if key.startswith(f"{self.place}/") and key not in known]:
            del done[gone]
        new = {name: stamp for name, stamp in stamps.items() if stamp != done.get(self._key(name))}
        settled_ns = (now_s - SETTLED_S) * NANOSECONDS
        whole = [name for name, stamp in new.items() if stamp[0] <= settled_ns or stamp == self.seen.get(name)]
        self.seen = new
        return sorted(whole)

    def read(self, names: list[str]) -> Iterator[Batch]:
        """What the files say: messages in the order of their headers' times, then tables by name."""
        told = []
        for name in names:
            if not is_table(name):
                try:
                    told_s = self._message(name).told_s
                except BagdarError as fault:
                    yield from self._broken(name, fault)
                else:
                    told.append((-math.inf if math.isnan(told_s) else told_s, name))
        for told_s, name in sorted(told):
            before_s = self.so_far.told_s.get(self._key(name))
            self.so_far.told_s[self._key(name)] = told_s
            self._mark(name)
            if not (math.isfinite(told_s) and before_s == told_s):
                yield from self._of_message(name)
        for name in filter(is_table, names):
            yield from self._of_table(name)

    def _message(self, name: str) -> Message:
        path = self.folder / name
        return parse_positions(message_bytes(path), str(path))

    def _of_message(self, name: str) -> Iterator[Batch]:
        try:
            yield message_batch(self._message(name))
        except BagdarError as fault:
            yield self._told(name, fault)

    def _of_table(self, name: str) -> Iterator[Batch]:
        last: list[Batch] = []
        try:
            for batch in read_pings([self.folder / name], self.columns, self.timezone):
                yield from last
                last = [batch]
        except BagdarError as fault:
            yield from last
            yield from self._broken(name, fault)
        else:
            self._mark(name)
            yield from last

    def _key(self, name: str) -> str:
        return f"{self.place}/{name}"

    def _mark(self, name: str) -> None:
        """A file was read whole, as it was seen."""
        self.so_far.files[self._key(name)] = self.seen[name]

    def _broken(self, name: str, fault: BagdarError) -> Iterator[Batch]:
        """A file that cannot be read: the next look tries again, then it is told."""
        stamp = self.seen[name]
        if self.failed.get(name) == stamp:
            self._mark(name)
            del self.failed[name]
            yield self._told(name, fault)
        else:
            self.failed[name] = stamp

    def _told(self, name: str, fault: BagdarError) -> Batch:
        path = str(self.folder / name)
        remedy = fault.remedy or "Left out"
        return empty_batch((Notice(fault.code, "error", path, fault.row, fault.field or "", fault.what, remedy),))


def _stamps(folder: Path) -> dict[str, Stamp]:
    stamps = {}
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_file() and is_message(entry.name):
                status = entry.stat()
                stamps[entry.name] = (status.st_mtime_ns, status.st_size)
    return stamps
