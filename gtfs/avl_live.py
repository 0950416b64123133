"""Vehicle positions as they happen: a folder that fills, a URL that is polled, a recording played at any speed.

A source that fails is not given up: it is told, tried again ever more seldom, and told again when it is back.
"""

import math
from collections.abc import Iterator
from pathlib import Path

from gtfs.avl import read_pings
from gtfs.avl_batch import Batch
from gtfs.avl_columns import ColumnMap
from gtfs.avl_fetch import fetch, is_url, shown_url
from gtfs.avl_folder import follow_folder
from gtfs.avl_play import play
from gtfs.avl_source import Health, Pace, SourceState
from gtfs.realtime_positions import message_batch, parse_positions
from networks.faults import BagdarError


def follow(
    source: str,
    columns: ColumnMap | None = None,
    timezone: str | None = None,
    speed: float | None = None,
    pace: Pace | None = None,
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

    Raises
    ------
    InputError
        CONFIG_VALUE for a speed that is not positive; while a recording is played what :func:`gtfs.avl.read_pings`
        raises. A source that is followed never raises for what it sends.
    """
    pace = pace or Pace()
    if is_url(source):
        return _follow_url(source, pace)
    if speed is None and Path(source).is_dir():
        return follow_folder(Path(source), columns, timezone, pace)
    batches = read_pings([source], columns, timezone)
    return play(batches, 1.0 if speed is None else speed, pace.now_s, pace.sleep)


def _follow_url(url: str, pace: Pace) -> Iterator[Batch | SourceState]:
    name = shown_url(url)
    health = Health(name, pace, pace.now_s())
    known: float | bytes | None = None
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
            yield batch
            known = news
        pace.sleep(pace.poll_s)
