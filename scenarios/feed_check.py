"""What is wrong in a feed and what it holds, for people and for programs."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from gtfs.checks import SEVERITIES, check_feed
from gtfs.feed import Feed, read_feed
from gtfs.summary import Summary, summarise
from networks.faults import Notice
from scenarios.text_table import aligned, counted, shown

HEAD = ("severity", "code", "where", "field", "value", "count", "what to do")


@dataclass(frozen=True, slots=True, eq=False)
class FeedCheck:
    """A feed, what it holds, and what is wrong in it, errors first."""

    feed: Feed
    summary: Summary
    notices: tuple[Notice, ...]

    @property
    def counts(self) -> dict[str, int]:
        """Records at fault by severity."""
        counts = Counter(dict.fromkeys(SEVERITIES, 0))
        for notice in self.notices:
            counts[notice.severity] += notice.count
        return dict(counts)


def check(path: Path) -> FeedCheck:
    """Read a feed and check it.

    Raises
    ------
    InputError
        What makes a feed unreadable: see :func:`gtfs.feed.read_feed`.
    """
    feed = read_feed(path)
    return FeedCheck(feed, summarise(feed), check_feed(feed))


def as_json(checked: FeedCheck) -> dict[str, Any]:
    """Everything as plain values; days as ``YYYY-MM-DD``."""
    summary = {
        name: str(value) if isinstance(value, date) else value for name, value in asdict(checked.summary).items()
    }
    return {
        "feed": str(checked.feed.path),
        "tables": checked.feed.tables(),
        "summary": summary,
        "notices": [asdict(notice) for notice in checked.notices],
        "counts": checked.counts,
    }


def as_lines(checked: FeedCheck) -> Iterator[str]:
    """A table of what is wrong, the totals, and what the feed holds."""
    if checked.notices:
        yield from aligned([HEAD, *(_cells(notice) for notice in checked.notices)])
        yield ""
    yield ", ".join(counted(count, severity) for severity, count in checked.counts.items())
    yield from _held(checked.summary)


def _cells(notice: Notice) -> tuple[str, ...]:
    where = Path(notice.file).name + ("" if notice.row is None else f":{notice.row}")
    value = shown(notice.value)
    return notice.severity, notice.code, where, notice.field, value, f"{notice.count:,}", notice.remedy


def _held(summary: Summary) -> Iterator[str]:
    modes = ", ".join(f"{count} {mode}" for mode, count in summary.routes_by_mode.items())
    yield f"{_agencies(summary.agencies)}, {summary.routes} routes ({modes}), {counted(summary.stops, 'stop')}"
    yield (
        f"{counted(summary.trips, 'trip')} with {counted(summary.calls, 'call')}, "
        f"{summary.blank_times_share:.1%} of them without a time; "
        f"{summary.trips_with_shape_share:.1%} of the trips have a shape; {counted(summary.blocks, 'block')}"
    )
    yield _days(summary)


def _agencies(count: int) -> str:
    return "1 agency" if count == 1 else f"{count} agencies"


def _days(summary: Summary) -> str:
    if summary.busiest_day is None:
        return "no trip has a day on which it runs"
    repeated = "" if not summary.frequency_departures else f", {summary.frequency_departures:,} departures by headway"
    return (
        f"{counted(summary.days_with_service, 'day')} with service from {summary.first_service_day} to "
        f"{summary.last_service_day}; the busiest is {summary.busiest_day}: "
        f"{counted(summary.trips_on_busiest_day, 'trip')}{repeated}"
    )
