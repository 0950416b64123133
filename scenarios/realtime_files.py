"""GTFS-Realtime files for passengers: what a replay expects of the vehicles that are under way, and alerts."""

from pathlib import Path

from gtfs.realtime import alerts_message, trip_updates_message
from gtfs.trip_updates import alerts, trip_updates
from networks.outfile import atomic_path
from scenarios.replay_session import RECENT_S, Session


def write_realtime(session: Session, folder: Path) -> None:
    """Write ``trip_updates.pb`` and ``alerts.pb``, as things stood when the newest ping came.

    Raises
    ------
    RunError
        WRITE_FAILED.
    """
    replay, now_s = session.replay, session.replay.newest_s
    updates = trip_updates(session.plan, replay.trips.every(), replay.vehicles, session.under_way())
    told = alerts(session.plan, *session.recent, now_s, RECENT_S)
    _write(folder / "trip_updates.pb", trip_updates_message(updates, int(now_s)))
    _write(folder / "alerts.pb", alerts_message(told, int(now_s)))


def _write(path: Path, content: bytes) -> None:
    with atomic_path(path) as part:
        part.write_bytes(content)
