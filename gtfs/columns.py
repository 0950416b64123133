"""Tables as columns: a frozen dataclass whose fields are arrays or tuples of one length; spans of compressed rows."""

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Rows = npt.NDArray[np.int32]
Table = TypeVar("Table", bound="DataclassInstance")


def take(table: Table, rows: npt.NDArray[np.integer]) -> Table:
    """The given rows of a table, in their order."""
    return replace(table, **{field.name: _picked(getattr(table, field.name), rows) for field in fields(table)})


def _picked(column: Any, rows: npt.NDArray[np.integer]) -> Any:
    return tuple(column[row] for row in rows.tolist()) if isinstance(column, tuple) else column[rows]


def starts(lengths: npt.NDArray[np.integer]) -> Rows:
    """Where each span begins, shape (n + 1,), from the lengths of spans that lie one after the other, shape (n,)."""
    return np.concatenate(([0], np.cumsum(lengths))).astype(np.int32)


def spans(start: Rows, rows: npt.NDArray[np.integer]) -> Rows:
    """Places inside the spans of the given rows, span by span.

    Parameters
    ----------
    start
        Where the span of each row begins, and where the last one ends, shape (n + 1,).
    rows
        Rows wanted, shape (m,); a row may be wanted more than once.
    """
    lengths = (start[1:] - start[:-1])[rows]
    begins = np.cumsum(lengths) - lengths
    places: Rows = (np.arange(lengths.sum()) + np.repeat(start[:-1][rows] - begins, lengths)).astype(np.int32)
    return places


def owners(start: Rows) -> Rows:
    """The row that each place belongs to, from where the spans begin, shape (n + 1,)."""
    return np.repeat(np.arange(len(start) - 1, dtype=np.int32), np.diff(start))
