"""Vehicle positions held against a timetable, from files to a folder of results."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

from gtfs.avl import read_pings
from gtfs.avl_batch import Batch
from gtfs.avl_columns import ColumnMap
from gtfs.avl_place import ELSEWHERE, region_of, with_place
from gtfs.coverage import MINUTE_S
from gtfs.feed import read_feed
from gtfs.on_time import ON_TIME_RULES, OnTimeRule
from gtfs.replay import DAY_S
from gtfs.replay_result import ReplayResult
from gtfs.service_day import require_service
from gtfs.trace_plan import TracePlan, day_date, trace_plan
from gtfs.trace_settings import TraceSettings
from networks.faults import InputError
from scenarios.realtime_files import write_realtime
from scenarios.replay_order import in_order
from scenarios.replay_report import write_replay
from scenarios.replay_session import Session, results, runs_of_days
from scenarios.replay_tally import Tally

Say = Callable[[str], None]
OnPings = Callable[[int], None]
MOST_ELSEWHERE = 0.9
"""A trace of which a larger share lies elsewhere is not that feed's."""

OnResult = Callable[[ReplayResult], None]


@dataclass(frozen=True, slots=True)
class ReplayOptions:
    """How a trace is read.

    Attributes
    ----------
    feed
        GTFS feed, a zip or a folder.
    columns
        What the columns of tables mean; None: they are TIDES ``vehicle_locations``.
    only_day
        The service day that everything belongs to; None lets each ping tell.
    rule
        When a visit is on time.
    note
        What readers of the report must know, such as that the trace is synthetic.
    """

    feed: Path
    columns: ColumnMap | None = None
    only_day: date | None = None
    rule: OnTimeRule = ON_TIME_RULES["default"]
    settings: TraceSettings = field(default_factory=TraceSettings)
    note: str = ""


def plan_of(options: ReplayOptions) -> TracePlan:
    """What the trace is held against.

    Raises
    ------
    InputError
        As :func:`gtfs.feed.read_feed`; GTFS_DATE where no trip runs on the day that was asked for.
    """
    feed = read_feed(options.feed)
    if options.only_day is not None:
        require_service(feed, options.only_day)
    return trace_plan(feed, options.only_day)


def replay_files(
    options: ReplayOptions,
    paths: Iterable[Path],
    folder: Path,
    say: Say = lambda _text: None,
    on_pings: OnPings = lambda _count: None,
    on_result: OnResult = lambda _result: None,
) -> Tally:
    """Read whole files and write what they say into a folder.

    Parameters
    ----------
    on_pings
        Is told how many pings were read, as they are.
    on_result
        Is shown what each run of service days came to.

    Raises
    ------
    InputError
        As :func:`plan_of` and :func:`gtfs.avl.read_pings`; AVL_TRIP where no vehicle was on any trip of the feed.
    """
    plan, files = plan_of(options), tuple(paths)
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".parts-", dir=folder) as parts:
        session = read_session(options, plan, files, Path(parts), say, on_pings)
        return write_results(session, folder, options.note, say, on_result)


def read_session(
    options: ReplayOptions,
    plan: TracePlan,
    files: Sequence[Path],
    parts: Path,
    say: Say = lambda _text: None,
    on_pings: OnPings = lambda _count: None,
) -> Session:
    """Hold whole files against a plan; what becomes final lies in the folder ``parts``, as long as that is there.

    Raises
    ------
    InputError
        As :func:`gtfs.avl.read_pings`.
    """
    batches = read_pings(files, options.columns, plan.timetable.timezone)
    session = _taken(batches, Session(plan, options.rule, parts, options.settings), on_pings)
    if session.replay.dropped["late"]:
        say("positions are not in order of time: putting them in order")
        session.remove_parts()
        batches = in_order(read_pings(files, options.columns, plan.timetable.timezone), parts)
        session = _taken(batches, Session(plan, options.rule, parts, options.settings), on_pings)
    return session


def _taken(batches: Iterable[Batch], session: Session, on_pings: OnPings) -> Session:
    """A session with all that batches tell."""
    region = region_of(session.plan.timetable.stops.lat, session.plan.timetable.stops.lon)
    for batch in batches:
        session.take(with_place(batch, region))
        on_pings(len(batch.pings))
    session.close()
    return session


def write_results(
    session: Session, folder: Path, note: str, say: Say, on_result: OnResult = lambda _result: None
) -> Tally:
    """Write everything that a trace says.

    Raises
    ------
    InputError
        AVL_TRIP where no vehicle was on any trip of the feed, AVL_PLACE where nearly all drove elsewhere.
    """
    require_place(session)
    if not session.replay.trips.count:
        raise _no_trip(session)
    say(f"{session.replay.trips.count} trips performed; writing tables and report")
    written = write_replay(_shown(results(session, runs_of_days(session)), on_result), folder, note)
    write_realtime(session, folder)
    return written


def require_place(session: Session) -> None:
    """Refuse a trace that lies elsewhere than the feed: all its trips would come out missing."""
    notices = [notice for notice in session.notices.values() if notice.code == ELSEWHERE]
    elsewhere = sum(notice.count for notice in notices)
    if elsewhere and elsewhere > MOST_ELSEWHERE * session.replay.pings:
        what = f"{elsewhere} of {session.replay.pings} {notices[0].value}"
        raise InputError(ELSEWHERE, what, remedy=notices[0].remedy)


def _no_trip(session: Session) -> InputError:
    """Nothing can be told; the day asked for, or what was left out, may be why."""
    day, days = session.plan.only_day, sorted({minute * MINUTE_S // DAY_S for minute in session.heard.ravel().tolist()})
    if day is not None and days and not days[0] - 1 <= day <= days[-1]:
        heard = " to ".join(dict.fromkeys(day_date(one).isoformat() for one in (days[0], days[-1])))
        what = f"the positions are of {heard}, and {day_date(day)} was asked for"
        return InputError("AVL_TRIP", what, field="--date", remedy="Give a day of the trace, or leave --date out")
    span = session.plan.span
    if days and span and not any(session.plan.services_running(one).any() for one in range(days[0] - 1, days[-1] + 1)):
        heard = " to ".join(dict.fromkeys(day_date(one).isoformat() for one in (days[0], days[-1])))
        what = f"the positions are of {heard}, and the feed's trips run from {span[0]} to {span[1]}"
        return InputError("AVL_TRIP", what, remedy="Give the feed of those days, or correct the times")
    left_out = [notice for notice in session.notices.values() if notice.severity != "info"]
    why = f"; left out: {', '.join(f'{one.count} by {one.code} {one.field}' for one in left_out)}" if left_out else ""
    remedy = "Give the feed of the same agency and weeks, and a column map that names the trip"
    if left_out and not session.replay.pings:
        remedy = left_out[0].remedy
    return InputError("AVL_TRIP", f"none of {session.replay.pings} pings is of a trip of the feed{why}", remedy=remedy)


def _shown(parts: Iterator[ReplayResult], on_result: OnResult) -> Iterator[ReplayResult]:
    for part in parts:
        on_result(part)
        yield part
