"""Which positions can be true: rows out of range are left out, values out of range are forgotten, all are counted."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from gtfs.avl_batch import Batch, Sightings, Tally
from gtfs.avl_values import Flags
from gtfs.pings import NO_LABEL, Pings, take_pings
from networks.faults import Notice
from networks.network import FloatArray

MAX_LATITUDE, MAX_LONGITUDE = 90.0, 180.0
ISLAND_DEG = 1.0
"""Nobody lives within a degree of 0/0, and what could not be located lies there."""
MILLISECONDS_S = 1e11
"""A time beyond it (the year 5138) was written in milliseconds, if not by mistake."""
EARLIEST_S, LATEST_S = 946_684_800.0, 4_102_444_800.0
"""1 January 2000 and 2100: satellites were not switched to civil use before, clocks are wrong that far ahead."""
AHEAD_S = 60.0
"""Clocks of vehicles may run ahead of the publisher's by as much."""
STALE_S = 300.0
"""Older when published: the last position of a vehicle that reports no more."""
MAX_SPEED_MPS = 60.0
FULL_CIRCLE_DEG = 360.0

TIME, TOLD, VEHICLE = "event_timestamp", "feed_timestamp", "vehicle_id"
LAT, LON = "latitude", "longitude"
KEPT = ("heading", "speed", "odometer", "service_date", "trip_start_time", "feed_timestamp")
"""Words without which a row is still of use."""


@dataclass(frozen=True, slots=True, eq=False)
class _Fault:
    """Rows with a fault in one field."""

    rows: Flags
    field: str
    remedy: str
    code: str = "RT_RANGE"
    severity: str = "warning"


def checked(sightings: Sightings, tally: Tally) -> Batch:
    """The rows that are within range; what is not is counted in ``tally``."""
    forgotten = list(_forgotten(sightings))
    for fault in forgotten:
        _count(fault, sightings, tally)
    told_s = _without(sightings.told_s, _unlikely(sightings.told_s))
    sightings = replace(sightings, pings=_without_time(sightings.pings, told_s, sightings, tally), told_s=told_s)
    out = np.zeros(len(told_s), dtype=np.bool_)
    for fault in _left_out(sightings):
        _count(replace(fault, rows=fault.rows & ~out), sightings, tally)
        out |= fault.rows
    pings = _forget(sightings.pings)
    if out.any():
        rows = np.flatnonzero(~out)
        pings, told_s = take_pings(pings, rows), told_s[rows]
    return Batch(pings, (), told_s)


def _count(fault: _Fault, sightings: Sightings, tally: Tally) -> None:
    count = int(np.count_nonzero(fault.rows))
    if not count:
        return

    def notice() -> Notice:
        row = int(np.argmax(fault.rows))
        file, line = sightings.place(row)
        field = sightings.fields.get(fault.field, fault.field)
        value = sightings.written(fault.field, row)
        return Notice(fault.code, fault.severity, file, line, field, value, fault.remedy)

    tally.add(notice, (fault.code, fault.field, fault.remedy), count)


def _unlikely(time_s: FloatArray) -> Flags:
    """Times outside this century; NaN is none."""
    unlikely: Flags = (time_s < EARLIEST_S) | (time_s >= LATEST_S)
    return unlikely


def _left_out(sightings: Sightings) -> Iterator[_Fault]:
    """Rows of no use, by the first fault they have."""
    pings, told_s = sightings.pings, sightings.told_s
    time_s, lat, lon = pings.time_s, pings.lat, pings.lon
    yield _Fault(pings.vehicle.codes == NO_LABEL, VEHICLE, "It has no vehicle: left out")
    yield _Fault(np.isnan(time_s), TIME, "It has no time that can be read: left out")
    yield _Fault(
        np.abs(time_s) > MILLISECONDS_S, TIME, "In milliseconds, it seems; divide by 1,000 to give seconds: left out"
    )
    yield _Fault(time_s < EARLIEST_S, TIME, "A time before the year 2000: left out")
    yield _Fault(time_s >= LATEST_S, TIME, "A time after the year 2099: left out")
    yield _Fault(np.isnan(lat), LAT, "It has no latitude that can be read: left out")
    yield _Fault(np.isnan(lon), LON, "It has no longitude that can be read: left out")
    yield _Fault(np.abs(lat) > MAX_LATITUDE, LAT, "Off the globe, or swapped with the longitude: left out")
    yield _Fault(np.abs(lon) > MAX_LONGITUDE, LON, "Off the globe: left out")
    island = (np.abs(lat) < ISLAND_DEG) & (np.abs(lon) < ISLAND_DEG)
    yield _Fault(island, LAT, "At 0/0, where nobody is: left out")
    yield _Fault(time_s > told_s + AHEAD_S, TIME, f"Over {AHEAD_S:.0f} s later than it was published: left out")
    remedy = f"Over {STALE_S:.0f} s old when published, as of a vehicle that is parked: left out"
    yield _Fault(time_s < told_s - STALE_S, TIME, remedy, "RT_STALE", "info")


def _without_time(pings: Pings, told_s: FloatArray, sightings: Sightings, tally: Tally) -> Pings:
    """Pings that say no time of their own have that of their message."""
    silent = np.isnan(pings.time_s) & ~np.isnan(told_s)
    unread = sightings.illegible.get(TIME)
    if unread is not None:
        silent &= ~unread
    if not silent.any():
        return pings
    _count(_Fault(silent, TIME, "It has no time: that of its publication is taken", severity="info"), sightings, tally)
    return replace(pings, time_s=np.where(silent, told_s, pings.time_s))


def _forgotten(sightings: Sightings) -> Iterator[_Fault]:
    """Values that are out of range in rows that may be of use without."""
    pings = sightings.pings
    for word in KEPT:
        if word in sightings.illegible:
            yield _Fault(sightings.illegible[word], word, "It cannot be read: left blank")
    yield _Fault(
        _unlikely(sightings.told_s), TOLD, "No time of this century in seconds (milliseconds?): not compared with"
    )
    yield _Fault(_no_heading(pings.heading_deg), "heading", "Not between 0 and 360 degrees: left blank")
    yield _Fault(_no_speed(pings.speed_mps), "speed", f"Not between 0 and {MAX_SPEED_MPS:.0f} m/s: left blank")
    yield _Fault(_no_odometer(pings.odometer_m), "odometer", "No distance that can be: left blank")


def _no_heading(heading_deg: FloatArray) -> Flags:
    wrong: Flags = (heading_deg < 0) | (heading_deg > FULL_CIRCLE_DEG)
    return wrong


def _no_speed(speed_mps: FloatArray) -> Flags:
    wrong: Flags = (speed_mps < 0) | (speed_mps > MAX_SPEED_MPS)
    return wrong


def _no_odometer(odometer_m: FloatArray) -> Flags:
    wrong: Flags = (odometer_m < 0) | np.isinf(odometer_m)
    return wrong


def _forget(pings: Pings) -> Pings:
    return replace(
        pings,
        heading_deg=_without(pings.heading_deg, _no_heading(pings.heading_deg)),
        speed_mps=_without(pings.speed_mps, _no_speed(pings.speed_mps)),
        odometer_m=_without(pings.odometer_m, _no_odometer(pings.odometer_m)),
    )


def _without(values: FloatArray, wrong: Flags) -> FloatArray:
    return np.where(wrong, np.nan, values) if wrong.any() else values
