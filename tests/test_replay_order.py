"""Files that hold one vehicle after the other are put in order of time, and nothing is lost."""

import numpy as np

from gtfs.avl_batch import Batch
from gtfs.pings import Pings, take_pings
from scenarios.replay_order import LABELS, NUMBERS, in_order
from tests.paper_traces import moment, moved, pings_of, ride

AT_8 = moment("2026-03-04T23:55") - 60


def said(pings: Pings) -> list[tuple]:
    """What each ping says, as plain values."""
    texts = [
        [None if code < 0 else column.texts[code] for code in column.codes.tolist()]
        for column in (getattr(pings, name) for name in LABELS)
    ]
    numbers = [getattr(pings, name).tolist() for name in NUMBERS if name in {"time_s", "lon"}]
    return sorted(zip(*numbers, *texts, strict=True))


def test_pings_come_by_time_day_by_day_with_all_they_say(tmp_path):
    first = list(ride(AT_8))
    rows = [*moved(first, 45, vehicle="b", trip="t2", block="x"), *first]
    pings = pings_of(rows)
    half = len(rows) // 2 + 7
    pieces = [take_pings(pings, np.arange(half)), take_pings(pings, np.arange(half, len(rows)))]
    batches = list(in_order((Batch(piece, (), np.full(len(piece), np.nan)) for piece in pieces), tmp_path))
    assert len(batches) == 2  # the trace passes midnight (UTC)
    times_s = np.concatenate([batch.pings.time_s for batch in batches])
    assert (np.diff(times_s) >= 0).all()
    found = sorted(row for batch in batches for row in said(batch.pings))
    assert found == said(pings)
    assert not list(tmp_path.iterdir())
