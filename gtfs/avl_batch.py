"""What readers of positions hand on: pieces of a trace with what was wrong with them."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from gtfs.avl_values import Flags
from gtfs.pings import Pings, no_labels
from networks.faults import Notice
from networks.network import FloatArray

BATCH_ROWS = 250_000
"""About as many pings as a batch has, whatever the length of the trace."""
LEFT_OUT = "left out"


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Pings as they arrived, each within range.

    Attributes
    ----------
    told_s
        When each was published, epoch seconds, NaN where nothing says so; shape (pings,).
    notices
        What was left out or changed. A file's notices come with its last batch and count for the whole file.
    """

    pings: Pings
    notices: tuple[Notice, ...]
    told_s: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Sightings:
    """Rows as they were read and not checked yet: what is missing is NaN or :data:`gtfs.pings.NO_LABEL`.

    Attributes
    ----------
    told_s
        When each was published, epoch seconds, NaN where nothing says so.
    place
        The file and line of a row.
    written
        The text of a word of TIDES in a row, as the file has it.
    fields
        What the file calls a word of TIDES; itself where it is not there.
    illegible
        Rows whose value of a word cannot be read. Those of a place, a time or a vehicle are missing as well.
    """

    pings: Pings
    told_s: FloatArray
    place: Callable[[int], tuple[str, int]]
    written: Callable[[str, int], str]
    fields: Mapping[str, str] = field(default_factory=dict)
    illegible: Mapping[str, Flags] = field(default_factory=dict)


def rows_left_out(notices: Iterable[Notice]) -> int:
    """How many rows readers left out: their notices say so at the end of what is done about it."""
    return sum(notice.count for notice in notices if notice.remedy.endswith(LEFT_OUT))


class Tally:
    """Faults of a file, one notice for each code and field with the first of them."""

    def __init__(self) -> None:
        """Begin with none."""
        self._notices: dict[tuple[str, str, str], Notice] = {}

    def add(self, notice: Callable[[], Notice], key: tuple[str, str, str], count: int) -> None:
        """Count faults of a key: code, field and remedy. What ``notice`` makes is kept the first time."""
        if count:
            known = self._notices.get(key)
            self._notices[key] = replace(notice(), count=count) if known is None else _counted(known, count)

    def notices(self) -> tuple[Notice, ...]:
        """One notice a key, in the order in which they were first met."""
        return tuple(self._notices.values())


def _counted(notice: Notice, more: int) -> Notice:
    return replace(notice, count=notice.count + more)


def with_notices(batches: Iterable[Batch], tally: Tally) -> Iterator[Batch]:
    """The batches of a file, the last with the file's notices."""
    held = None
    for batch in batches:
        if held is not None:
            yield held
        held = batch
    if held is None and tally.notices():
        held = empty_batch()
    if held is not None:
        yield replace(held, notices=held.notices + tally.notices())


def empty_batch(notices: tuple[Notice, ...] = ()) -> Batch:
    """A batch without pings."""
    return Batch(no_pings(), notices, np.empty(0))


def no_pings() -> Pings:
    """A trace of nothing."""
    none, nobody = np.empty(0), no_labels(0)
    return Pings(none, nobody, nobody, nobody, nobody, nobody, nobody, none, none, none, none, none)
