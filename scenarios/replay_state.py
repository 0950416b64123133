"""What a replay that follows a source knows, kept on disk: a restart goes on from it."""

from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gtfs.avl_source import ReadSoFar
from gtfs.coverage import Minutes
from gtfs.event_kernels import Watch
from gtfs.guess_kernels import Search
from gtfs.held_pings import HeldPings
from gtfs.live_kernels import Roster
from gtfs.performed_trips import PerformedTrips
from gtfs.replay import ReplayMemory
from gtfs.run_kernels import Runs
from gtfs.search_kernels import Named
from gtfs.service_events import Events, Kind
from gtfs.trace_kernels import Fixes, Passage, Progress, Tails
from gtfs.trip_claims import Claim
from networks.faults import InputError, Notice
from networks.intake import file_sha256
from networks.network import FloatArray
from scenarios.replay import ReplayOptions
from scenarios.replay_session import Session, notice_key
from scenarios.saved_state import load_state, save_state


@dataclass(frozen=True, slots=True, eq=False)
class Saved:
    """A session as it is kept.

    ``identity`` tells what it was held against and how, ``so_far`` how far its source was read, ``told_bytes`` how long
    the file of events was that were told. Of each store it has how many files belong to it, the days that have rows,
    and the rows that are in no file yet.
    """

    identity: dict[str, str]
    memory: ReplayMemory
    watch: Watch
    heard_s: FloatArray
    calls: dict[int, int]
    recent: tuple[PerformedTrips, Events]
    notices: list[Notice]
    heard: Minutes
    parts: tuple[int, ...]
    days: tuple[set[int], ...]
    waiting: tuple[dict[int, dict[str, Any]], ...]
    so_far: ReadSoFar
    told_bytes: int


_KINDS = (
    *(Saved, ReplayMemory, Watch, Events, Kind, Notice, Claim, PerformedTrips, HeldPings),
    *(Fixes, Tails, Progress, Passage, Roster, Search, Named, Runs, ReadSoFar),
)
PART_ROWS = 20_000
"""So many rows are put into a file of their own; fewer are kept with the state."""
KINDS = {kind.__name__: kind for kind in _KINDS}
"""What may stand in a state."""


def save_session(path: Path, session: Session, options: ReplayOptions, told_bytes: int) -> None:
    """Keep a session, and how long the file of events is that were told.

    Raises
    ------
    RunError
        WRITE_FAILED.
    """
    for store in session.stores:
        if store.rows >= PART_ROWS:
            store.write_out()
    saved = Saved(
        identity=_identity(options),
        memory=session.replay.memory(),
        watch=session.watch.watch,
        heard_s=session.watch.heard_s,
        calls=dict(session.calls),
        recent=session.recent,
        notices=list(session.notices.values()),
        heard=session.heard,
        parts=tuple(store.parts for store in session.stores),
        days=tuple(store.days for store in session.stores),
        waiting=tuple(store.waiting for store in session.stores),
        so_far=session.so_far,
        told_bytes=told_bytes,
    )
    save_state(path, saved)


def load_session(path: Path, session: Session, options: ReplayOptions) -> int | None:
    """Let a new session go on from what was kept; how long the file of events was, None where nothing was kept.

    Raises
    ------
    InputError
        STATE_FILE where it is damaged; RESULT_MISMATCH where it is of another feed or other options.
    """
    if not path.is_file():
        return None
    saved = load_state(path, KINDS)
    if not isinstance(saved, Saved) or saved.identity != _identity(options):
        remedy = "Give the feed and options that it began with, or another folder"
        raise InputError("RESULT_MISMATCH", "it is of another feed or other options", file=path, remedy=remedy)
    session.replay.recall(saved.memory)
    session.watch.watch, session.watch.heard_s = saved.watch, saved.heard_s
    session.calls, session.recent = Counter(saved.calls), saved.recent
    session.heard, session.so_far = saved.heard, saved.so_far
    session.notices = {notice_key(notice): notice for notice in saved.notices}
    for store, parts, days, waiting in zip(session.stores, saved.parts, saved.days, saved.waiting, strict=True):
        store.go_on(parts, days, waiting)
    return saved.told_bytes


def _identity(options: ReplayOptions) -> dict[str, str]:
    """What has to be the same for going on."""
    values: dict[str, Any] = {
        "columns": options.columns,
        "only_day": options.only_day,
        "rule": options.rule,
        "settings": asdict(options.settings),
    }
    feed = file_sha256(options.feed) if options.feed.is_file() else str(options.feed)
    return {"feed": feed} | {name: repr(value) for name, value in values.items()}
