"""What is wrong in a feed, told record by record and gathered by kind.

An **error** is what the tables of the standard do not allow and nobody can repair without knowing what was meant: an
import refuses it. A **warning** is legal, or concerns what can be done without, but most likely not meant. An **info**
is worth to know. Nothing is compared with the clock: an old feed is as good as a new one.
"""

from collections.abc import Iterator

from gtfs.call_order import call_order
from gtfs.check_agencies import check_timezones
from gtfs.check_days import check_days
from gtfs.check_journeys import check_call_counts, check_speeds, check_unused
from gtfs.check_keys import check_keys, check_references
from gtfs.check_places import check_places
from gtfs.check_shapes import check_shapes
from gtfs.check_times import check_frequencies, check_time_order, check_times
from gtfs.check_values import check_values
from gtfs.feed import Feed
from networks.faults import InputError, Notice

SEVERITIES = ("error", "warning", "info")


def check_feed(feed: Feed) -> tuple[Notice, ...]:
    """Everything that is wrong in a feed, errors first; one notice for each kind of fault in a field.

    ``file`` is the table's name with ``.txt``, in the feed at ``feed.path``.
    """
    notices = (*feed.notices, *_checked(feed))
    return tuple(sorted(notices, key=lambda notice: SEVERITIES.index(notice.severity)))


def _checked(feed: Feed) -> Iterator[Notice]:
    calls = call_order(feed)
    yield from check_timezones(feed)
    yield from check_values(feed)
    yield from check_places(feed)
    yield from check_keys(feed)
    yield from check_references(feed)
    yield from check_days(feed)
    yield from check_times(feed, calls)
    yield from check_time_order(feed, calls)
    yield from check_frequencies(feed)
    yield from check_shapes(feed, calls)
    yield from check_speeds(feed, calls)
    yield from check_call_counts(feed)
    yield from check_unused(feed)


def require_sound(feed: Feed) -> tuple[Notice, ...]:
    """Everything but errors that is wrong in a feed.

    Raises
    ------
    InputError
        The first error, with the number of further ones.
    """
    notices = check_feed(feed)
    errors = [notice for notice in notices if notice.severity == "error"]
    if not errors:
        return notices
    first, records = errors[0], sum(notice.count for notice in errors)
    more = f"{records - 1} more record{'s' * (records > 2)} at fault: see `bagdar transit check`"  # noqa: PLR2004 - one more
    others = f" ({more})" if records > 1 else ""
    raise InputError(
        first.code,
        f"{first.value!r}{others}",
        file=feed.path / first.file,
        row=first.row,
        field=first.field,
        remedy=first.remedy,
    )
