"""Positions put in order of time, for files that hold one vehicle after the other; on disk, a day in memory."""

from collections.abc import Iterable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from gtfs.avl_batch import Batch
from gtfs.pings import Labels, Pings
from gtfs.replay import DAY_S
from scenarios.replay_store import Store

LABELS = tuple(part.name for part in fields(Pings) if part.type is Labels)
NUMBERS = tuple(part.name for part in fields(Pings) if part.name not in LABELS)


def in_order(batches: Iterable[Batch], folder: Path) -> Iterator[Batch]:
    """The pings of a trace by time, a day (UTC) a batch; what was wrong with them comes with the first.

    Parameters
    ----------
    folder
        Takes files while this goes on.
    """
    store = Store(folder, "unordered")
    rows: dict[str, dict[str, int]] = {name: {} for name in LABELS}
    notices: list[Any] = []
    for batch in batches:
        notices += batch.notices
        pings = batch.pings
        numbers = {name: getattr(pings, name) for name in NUMBERS}
        codes = {name: _recoded(getattr(pings, name), rows[name]) for name in LABELS}
        store.add(numbers | codes, (pings.time_s // DAY_S).astype(np.int32))
    texts = {name: tuple(known) for name, known in rows.items()}
    for day in sorted(store.days):
        columns = store.of_day(day)
        order = np.argsort(columns["time_s"], kind="stable")
        parts: dict[str, Any] = {name: columns[name][order] for name in NUMBERS}
        parts |= {name: Labels(columns[name][order], texts[name]) for name in LABELS}
        whole = Pings(**parts)
        yield Batch(whole, tuple(notices), np.full(len(order), np.nan))
        notices = []
    store.remove()


def _recoded(labels: Labels, rows: dict[str, int]) -> np.ndarray:
    """Codes of texts by where they stand among all texts so far."""
    own = np.array([*(rows.setdefault(text, len(rows)) for text in labels.texts), -1], dtype=np.int32)
    recoded: np.ndarray = own[labels.codes]
    return recoded
