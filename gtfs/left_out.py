"""What a timetable leaves out, told as notices."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from networks.faults import Notice


@dataclass(frozen=True, slots=True)
class Fault:
    """A kind of fault: its code, the field where it shows, and what can be done."""

    code: str
    field: str
    remedy: str


def left_out(table: pd.DataFrame, rows: npt.NDArray[np.integer], fault: Fault, file: Path, count: int) -> Notice:
    """One notice for all that a kind of fault keeps out, at the first of the table's ``rows`` that have it."""
    row = int(rows.min())
    value = table[fault.field].iloc[row]
    text = "" if pd.isna(value) else str(value)
    return Notice(fault.code, "warning", str(file), row + 2, fault.field, text, fault.remedy, count)
