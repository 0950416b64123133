"""Positions as they come: events told as they happen, what is known kept on disk, gone on from after a restart."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from time import monotonic

from gtfs.avl_batch import Batch
from gtfs.avl_live import follow
from gtfs.avl_place import Region, region_of, with_place
from gtfs.avl_source import SourceState
from gtfs.regularity_events import LiveRegularity
from gtfs.replay import Step
from gtfs.replay_result import performed_ids
from gtfs.service_events import Events, event_order
from scenarios.event_lines import event_line
from scenarios.event_records import event_records
from scenarios.notice_lines import notice_line
from scenarios.realtime_files import write_realtime
from scenarios.replay import ReplayOptions, plan_of, write_results
from scenarios.replay_session import Session, notice_key
from scenarios.replay_state import load_session, save_session
from scenarios.replay_tally import Tally

STATE = "state.npz"
PARTS = ".parts"
LIVE_EVENTS = "events.jsonl"
SAVE_EVERY_S = 5.0

Say = Callable[[str], None]


@dataclass(slots=True)
class Follower:
    """Follows a source into a folder.

    Attributes
    ----------
    session
        What is known so far; gone on from where a state of the same feed and options lies in the folder.
    tell
        Takes a line for each event.
    say
        Takes what else is to be said.
    """

    options: ReplayOptions
    folder: Path
    tell: Say
    say: Say
    session: Session = field(init=False)
    _region: Region | None = field(init=False)
    _live: LiveRegularity = field(init=False)
    _saved_s: float = field(default=float("-inf"), init=False)

    def __post_init__(self) -> None:
        """Begin, or go on."""
        plan, parts = plan_of(self.options), self.folder / PARTS
        parts.mkdir(parents=True, exist_ok=True)
        self._region = region_of(plan.timetable.stops.lat, plan.timetable.stops.lon)
        self._live = LiveRegularity(plan, self.options.settings.known_s)
        self.session = Session(plan, self.options.rule, parts, self.options.settings)
        told_bytes = load_session(self.folder / STATE, self.session, self.options)
        if told_bytes is not None:
            self.say(f"going on from {self.folder / STATE}: {self.session.replay.pings} pings so far")
        else:
            self.session.remove_parts()
        with (self.folder / LIVE_EVENTS).open("ab") as told:
            told.truncate(min(told_bytes or 0, told.tell()))  # what was told after the state was kept is told again

    def run(self, source: str, speed: float | None) -> Tally:
        """Follow a source to its end, if it has one, or until it is interrupted; then write tables and report.

        Raises
        ------
        InputError
            As :func:`gtfs.avl_live.follow`; AVL_TRIP where nothing was of a trip of the feed.
        """
        zone = self.session.plan.timetable.timezone
        try:
            for news in follow(source, self.options.columns, zone, speed, so_far=self.session.so_far):
                self._take(news)
        except KeyboardInterrupt:
            self.say("stopped; writing what is known")
        return self.close()

    def close(self) -> Tally:
        """End: tell the last events, write tables and report, and remove what served for going on."""
        self._tell(*self.session.close())
        written = write_results(self.session, self.folder, self.options.note, self.say)
        (self.folder / STATE).unlink(missing_ok=True)
        self.session.remove_parts()
        (self.folder / PARTS).rmdir()
        return written

    def _take(self, news: Batch | SourceState) -> None:
        if isinstance(news, SourceState):
            self.say(f"{news.source}: {news.what}")
            return
        news = with_place(news, self._region)
        for notice in news.notices:
            if notice.severity == "error" and notice_key(notice) not in self.session.notices:
                self.say(notice_line(notice))
        self._tell(*self.session.take(news))
        if len(news.pings) and monotonic() - self._saved_s >= SAVE_EVERY_S:
            write_realtime(self.session, self.folder)
            save_session(self.folder / STATE, self.session, self.options, (self.folder / LIVE_EVENTS).stat().st_size)
            self._saved_s = monotonic()

    def _tell(self, step: Step, told: Events) -> None:
        """Tell events, and bunching as it is known so far; that is found anew when all is known."""
        replay, plan = self.session.replay, self.session.plan
        events = sorted([*told, *self._live.see(step, replay.trips)], key=event_order)
        if not events:
            return
        live = replay.trips.live()
        trips, row = replay.trips.at(live), dict(zip(replay.trips.roster.number[live].tolist(), count(), strict=False))
        shown = [replace(one, performed=row[one.performed], other=row.get(one.other)) for one in events]
        for event in shown:
            self.tell(event_line(plan, replay.vehicles, trips[event.performed], event))
        records = event_records(shown, plan, trips, replay.vehicles, performed_ids(trips, replay.vehicles, plan))
        with (self.folder / LIVE_EVENTS).open("a", encoding="utf-8", newline="\n") as stream:
            stream.writelines(json.dumps(one, ensure_ascii=False, allow_nan=False) + "\n" for one in records)
