"""Agencies of a feed: the time zone in which all its times are meant."""

from collections.abc import Iterator
from datetime import date

import numpy as np

from gtfs.clock import origin_epoch_s
from gtfs.feed import Feed
from gtfs.findings import Fault, found
from networks.faults import InputError, Notice

ANY_DAY = date(2000, 1, 1)


def check_timezones(feed: Feed) -> Iterator[Notice]:
    """GTFS_TIMEZONE: a zone that nobody knows, or a second one."""
    zones = feed.read["agency"].frame["agency_timezone"].fillna("").to_numpy(dtype=np.object_)
    known = np.array([_is_known(zone) for zone in zones])
    fault = Fault("GTFS_TIMEZONE", "agency", "agency_timezone", "Write it as in the IANA database, such as Asia/Almaty")
    yield from found(feed, fault, ~known)
    fault = Fault("GTFS_TIMEZONE", "agency", "agency_timezone", "Give all agencies one time zone")
    if known.any():
        yield from found(feed, fault, known & (zones != zones[known][0]))


def _is_known(zone: str) -> bool:
    try:
        origin_epoch_s(ANY_DAY, zone)
    except InputError:
        return False
    return True
