"""Vehicle positions as they happen: a folder that fills, a URL that is polled, a recording played at any speed.

A source that fails is not given up: it is told, tried again ever more seldom, and told again when it is back.
"""

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from gtfs.avl import read_pings
from gtfs.avl_batch import Batch
from gtfs.avl_columns import ColumnMap
from gtfs.avl_fetch import fetch, is_url, shown_url
from gtfs.avl_folder import follow_folder
from gtfs.avl_play import play
from gtfs.avl_source import Health, Pace, ReadSoFar, SourceState
from gtfs.pings import take_pings
from gtfs.realtime_positions import message_batch, parse_positions
from networks.faults import BagdarError


def follow(
    source: str,
    columns: ColumnMap | None = None,
    timezone: str | None = None,
    speed: float | None = None,
    pace: Pace | None = None,
    so_far: ReadSoFar | None = None,
) -> Iterator[Batch | SourceState]:
    """Positions as they come, without end unless a recording is played.

    Parameters
    ----------
    source
        An ``http`` or ``https`` URL of GTFS-Realtime VehiclePositions, or a path. Files that appear in a folder are
        read once they are whole, and anew where they are written anew.
    columns, timezone
        What tables mean; see :func:`gtfs.avl.read_pings`.
    speed
        Seconds of the recording a second: ``source`` is read from its begin to its end and played. None: a folder is
        followed, a file is played in real time.

    so_far
        What was read before and is not to be read again; it is kept up to date. A recording must be the same.

    Raises
    ------
    InputError
        CONFIG_VALUE for a speed that is not positive; while a recording is played what :func:`gtfs.avl.read_pings`
        raises. A source that is followed never raises for what it sends.
    """
    pace, so_far = pace or Pace(), so_far or ReadSoFar()
    if is_url(source):
        return _follow_url(source, pace, so_far)
    if speed is None and Path(source).is_dir():
        return follow_folder(Path(source), columns, timezone, pace, so_far)
    name = str(Path(source).resolve())
    batches = _from(read_pings([source], columns, timezone), so_far.pings.get(name, 0))
    return _counted(play(batches, 1.0 if speed is None else speed, pace.now_s, pace.sleep), name, so_far)


def _from(batches: Iterator[Batch], begin: int) -> Iterator[Batch]:
    """The pings of a recording from one on; what was told with those before is not told again."""
    for batch in batches:
        skipped = min(begin, len(batch.pings))
        begin -= skipped
        if not skipped:
            yield batch
        elif skipped < len(batch.pings):
            rows = np.arange(skipped, len(batch.pings))
            yield replace(batch, pings=take_pings(batch.pings, rows), told_s=batch.told_s[rows])


def _counted(batches: Iterator[Batch], name: str, so_far: ReadSoFar) -> Iterator[Batch]:
    for batch in batches:
        so_far.pings[name] = so_far.pings.get(name, 0) + len(batch.pings)
        yield batch


def _follow_url(url: str, pace: Pace, so_far: ReadSoFar) -> Iterator[Batch | SourceState]:
    name = shown_url(url)
    health = Health(name, pace, pace.now_s())
    known: float | bytes | None = so_far.told_s.get(name)
    while True:
        try:
            content = fetch(url, pace.timeout_s)
            message = parse_positions(content, name)
            batch = message_batch(message)
        except BagdarError as fault:
            state = health.failed(fault.what)
            yield state
            pace.sleep(state.retry_s)
            continue
        news = content if math.isnan(message.told_s) else message.told_s
        if news == known:
            yield from health.quiet()
        else:
            yield from health.heard()
            known = news
            if isinstance(news, float):
                so_far.told_s[name] = news
            yield batch
        pace.sleep(pace.poll_s)
