"""What a trace is held against: every trip of a feed with its line, its times, and the days on which it runs."""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from gtfs.adherence import ScheduledCalls, scheduled_calls
from gtfs.calendars import Days, service_days
from gtfs.clock import origin_epoch_s
from gtfs.columns import spans
from gtfs.feed import Feed
from gtfs.pattern_lines import PatternLines, pattern_lines
from gtfs.timetable import Timetable, every_trip
from gtfs.trace_kernels import DAY_S, Calendar, Lines, Plan
from networks.network import FloatArray, IntArray

BoolArray = npt.NDArray[np.bool_]
EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, eq=False)
class TracePlan:
    """Every trip of a feed. Days are counted from 1970-01-01; build one with :func:`trace_plan`.

    Attributes
    ----------
    timetable
        All trips, whichever days they run on, each with its times on the clock of its service day.
    lines
        What its patterns look like on the ground.
    services, trip_service
        Days of each service, and the service of each trip.
    only_day
        The one service day that everything belongs to, where the user said so.
    """

    timetable: Timetable
    lines: PatternLines
    services: tuple[Days, ...]
    trip_service: IntArray
    only_day: int | None = None

    @cached_property
    def calls(self) -> ScheduledCalls:
        """Calls of all trips by distance, as the deviation kernel takes them."""
        table = self.timetable
        return scheduled_calls(table.trips.call_start, self._call_way_m, table.calls.arrival_s, table.calls.departure_s)

    @cached_property
    def kernel_lines(self) -> Lines:
        """Lines as kernels take them."""
        lines = self.lines
        step_m = np.diff(lines.corner_m, axis=0, append=lines.corner_m[-1:])
        length_m = np.hypot(*step_m.T)
        unit = np.divide(step_m, length_m[:, None], out=np.zeros_like(step_m), where=length_m[:, None] > 0)
        return Lines(lines.start, lines.corner_m, unit, lines.way_m, lines.frame)

    @cached_property
    def kernel_plan(self) -> Plan:
        """Trips and calls as kernels take them."""
        table, stop = self.timetable, self.timetable.call_stop
        return Plan(
            pattern=table.trips.pattern,
            call_start=self.calls.start,
            call_way_m=self.calls.distance_m,
            call_time_s=self.calls.time_s,
            call_lonlat=np.column_stack((table.stops.lon[stop], table.stops.lat[stop])),
        )

    @property
    def _call_way_m(self) -> FloatArray:
        table = self.timetable
        return self.lines.call_way_m[spans(table.patterns.call_start, table.trips.pattern)]

    @cached_property
    def trip_span_s(self) -> FloatArray:
        """First departure and last arrival of each trip, on the clock of its day, shape (trips, 2)."""
        table = self.timetable
        return np.column_stack((table.first_departure_s, table.last_arrival_s)).astype(np.float64)

    def origin_s(self, day: int) -> int:
        """Epoch seconds of the moment from which a service day counts."""
        if day not in self._origins_s:
            self._origins_s[day] = origin_epoch_s(day_date(day), self.timetable.timezone)
        return self._origins_s[day]

    def calendar(self, time_s: FloatArray) -> Calendar:
        """The service days that moments may be of, and one more on either side."""
        days = range(int(time_s.min() // DAY_S) - 2, int(time_s.max() // DAY_S) + 3)
        for day in days:
            if day not in self._running:
                self._running[day] = self.services_running(day)
        return Calendar(
            first_day=days[0],
            origin_s=np.array([self.origin_s(day) for day in days], dtype=np.float64),
            runs=np.ascontiguousarray(np.array([self._running[day] for day in days]).T),
            trip_service=self.trip_service,
            trip_span_s=self.trip_span_s,
        )

    def origins_s(self, day: npt.NDArray[np.integer]) -> FloatArray:
        """Epoch seconds from which each of some days counts, shape (days,); those before 1970 are none, and NaN."""
        place, distinct = pd.factorize(day)
        origin_s = np.array([self.origin_s(one) if one >= 0 else np.nan for one in distinct.tolist()], dtype=np.float64)
        found: FloatArray = origin_s[place]
        return found

    @cached_property
    def _running(self) -> dict[int, BoolArray]:
        """Which services run on the days that were asked for."""
        return {}

    @cached_property
    def _origins_s(self) -> dict[int, int]:
        """Origins of the days that were asked for."""
        return {}

    @cached_property
    def span(self) -> tuple[date, date] | None:
        """The first and the last day on which anything runs, None where nothing ever does."""
        known = [days for days in self.services if len(days)]
        if not known:
            return None
        return min(days[0] for days in known).astype(date), max(days[-1] for days in known).astype(date)

    def services_running(self, day: int) -> BoolArray:
        """Whether each service runs on a day, shape (services,)."""
        wanted = np.datetime64(day_date(day))
        return np.array([wanted in days for days in self.services], dtype=np.bool_)


def trace_plan(feed: Feed, only_day: date | None = None) -> TracePlan:
    """Make ready what a trace is held against.

    Parameters
    ----------
    only_day
        The service day of the whole trace; None lets each ping tell, by its trip's start date or by its time.

    Raises
    ------
    InputError
        As :func:`gtfs.timetable.every_trip`.
    """
    table, trips = every_trip(feed), feed.gtfs.trips
    services = service_days(feed.gtfs)
    number = {service: row for row, service in enumerate(sorted(services))}
    of_trip = dict(zip(trips["trip_id"].tolist(), trips["service_id"].tolist(), strict=True))
    nothing = len(number)
    return TracePlan(
        timetable=table,
        lines=pattern_lines(table),
        services=(*(services[service] for service in sorted(services)), np.array([], dtype="datetime64[D]")),
        trip_service=np.array(
            [number.get(of_trip[trip_id], nothing) for trip_id in table.trips.trip_ids], dtype=np.int32
        ),
        only_day=None if only_day is None else day_number(only_day),
    )


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return (day - EPOCH).days


def day_date(day: int) -> date:
    """The date of a day's number."""
    return EPOCH + timedelta(day)
