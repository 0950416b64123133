"""What a check found, told as one notice a kind of fault, so that a thousand records with it stay readable."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gtfs.feed import Feed
from networks.faults import Notice


@dataclass(frozen=True, slots=True)
class Fault:
    """A kind of fault: what can be said of it whatever record it stands in."""

    code: str
    table: str
    field: str
    remedy: str
    severity: str = "error"


def found(
    feed: Feed, fault: Fault, where: npt.NDArray[np.bool_], fields: tuple[str, ...] | None = None
) -> Iterator[Notice]:
    """One notice for all records with a fault, at the first of them; none where there are none.

    Parameters
    ----------
    where
        Which records of the table have it, shape (records,).
    fields
        Whose values to show, where it is not that of the fault's field alone.
    """
    rows = np.flatnonzero(where)
    if len(rows):
        table, row = feed.read[fault.table], int(rows[0])
        value = ", ".join(table.text(field, row) for field in fields or (fault.field,))
        yield found_at(feed, fault, row, len(rows), value)


def found_at(feed: Feed, fault: Fault, row: int, count: int, value: str) -> Notice:
    """A notice at a given record, which stands for ``count`` faults."""
    return Notice(
        code=fault.code,
        severity=fault.severity,
        file=f"{fault.table}.txt",
        row=feed.line(fault.table, row),
        field=fault.field,
        value=value,
        remedy=fault.remedy,
        count=count,
    )
