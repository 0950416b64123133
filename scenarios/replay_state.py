"""What a replay that follows a source knows, kept on disk: a restart goes on from it."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gtfs.avl_source import ReadSoFar
from gtfs.event_kernels import Watch
from gtfs.guess_kernels import Search
from gtfs.held_pings import HeldPings
from gtfs.replay import PerformedTrip, ReplayMemory
from gtfs.service_events import Event, Kind
from gtfs.trace_kernels import Fixes, Passage, Progress, Tails
from gtfs.trip_claims import Claim, Evidence
from networks.faults import InputError, Notice
from networks.intake import file_sha256
from networks.network import FloatArray
from scenarios.replay import ReplayOptions
from scenarios.replay_session import Session, notice_key
from scenarios.saved_state import load_state, save_state


@dataclass(frozen=True, slots=True, eq=False)
class Saved:
    """A session as it is kept.

    ``identity`` tells what it was held against and how, ``so_far`` how far its source was read. Of pings and of
    crossings it has how many files of them belong to it, the days that have rows, and the rows that are in no file yet.
    """

    identity: dict[str, str]
    memory: ReplayMemory
    watch: Watch
    heard_s: FloatArray
    events: list[Event]
    notices: list[Notice]
    heard: set[int]
    parts: tuple[int, int]
    days: tuple[set[int], set[int]]
    waiting: tuple[dict[str, Any], dict[str, Any]]
    so_far: ReadSoFar


_KINDS = (
    *(Saved, ReplayMemory, Watch, Event, Kind, Notice, Claim, Evidence, PerformedTrip, HeldPings),
    *(Fixes, Tails, Progress, Passage, Search, ReadSoFar),
)
PART_ROWS = 20_000
"""So many rows are put into a file of their own; fewer are kept with the state."""
KINDS = {kind.__name__: kind for kind in _KINDS}
"""What may stand in a state."""


def save_session(path: Path, session: Session, options: ReplayOptions) -> None:
    """Keep a session.

    Raises
    ------
    RunError
        WRITE_FAILED.
    """
    stores = session.pings, session.crossings
    for store in stores:
        if store.rows >= PART_ROWS:
            store.write_out()
    saved = Saved(
        identity=_identity(options),
        memory=session.replay.memory(),
        watch=session.watch.watch,
        heard_s=session.watch.heard_s,
        events=session.events,
        notices=list(session.notices.values()),
        heard=session.heard,
        parts=(stores[0].parts, stores[1].parts),
        days=(stores[0].days, stores[1].days),
        waiting=(stores[0].waiting, stores[1].waiting),
        so_far=session.so_far,
    )
    save_state(path, saved)


def load_session(path: Path, session: Session, options: ReplayOptions) -> bool:
    """Let a new session go on from what was kept; whether there was something.

    Raises
    ------
    InputError
        STATE_FILE where it is damaged; RESULT_MISMATCH where it is of another feed or other options.
    """
    if not path.is_file():
        return False
    saved = load_state(path, KINDS)
    if not isinstance(saved, Saved) or saved.identity != _identity(options):
        remedy = "Give the feed and options that it began with, or another folder"
        raise InputError("RESULT_MISMATCH", "it is of another feed or other options", file=path, remedy=remedy)
    session.replay.recall(saved.memory)
    session.watch.watch, session.watch.heard_s = saved.watch, saved.heard_s
    session.events, session.heard, session.so_far = saved.events, saved.heard, saved.so_far
    session.notices = {notice_key(notice): notice for notice in saved.notices}
    for row, store in enumerate((session.pings, session.crossings)):
        store.go_on(saved.parts[row], saved.days[row], saved.waiting[row])
    return True


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
