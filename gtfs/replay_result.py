"""What a trace says about the service, once it is over: all that tables and the report are made from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gtfs.headways import Headways, headways_of, place_rows
from gtfs.on_time import OnTimeRule
from gtfs.replay import Matched, PerformedTrip
from gtfs.service_events import Event
from gtfs.stop_visits import Integers, StopVisits
from gtfs.trace_plan import TracePlan, day_date
from networks.faults import Notice
from networks.network import NONE, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class ReplayResult:
    """A trace against its timetable.

    Attributes
    ----------
    plan, rule
        What it was held against.
    vehicles
        Ids of vehicles.
    performed, trip_ids
        Trips that were performed, in order of service day, trip and vehicle, and an id for each that no other has on
        its day.
    visits
        Their calls.
    headways
        A row a visit.
    missing
        Scheduled trips that nobody was seen on though the trace covers their time: row of the trip and day.
    matched
        All pings that are final.
    events
        In order of time.
    counts
        Pings by what became of them.
    notices
        Faults in the data.
    """

    plan: TracePlan
    rule: OnTimeRule
    vehicles: Sequence[str]
    performed: Sequence[PerformedTrip]
    trip_ids: Sequence[str]
    visits: StopVisits
    headways: Headways
    missing: Sequence[tuple[int, int]]
    matched: Matched
    events: Sequence[Event]
    counts: Mapping[str, int]
    notices: Sequence[Notice]

    @property
    def visit_route(self) -> Integers:
        """Route of each visit, shape (visits,)."""
        trip = np.array([one.trip for one in self.performed], dtype=np.int32)
        route: Integers = self.plan.timetable.trip_route[trip][self.visits.performed]
        return route


def in_order(
    performed: Sequence[PerformedTrip], vehicles: Sequence[str], plan: TracePlan
) -> tuple[list[PerformedTrip], IntArray]:
    """Performed trips in order of service day, trip and vehicle, and the new row of each."""
    ids = plan.timetable.trips.ids
    keys = [(one.day, ids[one.trip], vehicles[one.vehicle]) for one in performed]
    order = sorted(range(len(keys)), key=keys.__getitem__)
    row = np.empty(len(keys), dtype=np.int32)
    row[order] = np.arange(len(keys))
    return [performed[place] for place in order], row


def performed_ids(performed: Sequence[PerformedTrip], vehicles: Sequence[str], plan: TracePlan) -> list[str]:
    """An id for each performed trip that is its own on its day: the trip's, with the vehicle where two drove it."""
    ids = plan.timetable.trips.ids
    often: dict[tuple[int, int], int] = {}
    for one in performed:
        often[one.day, one.trip] = often.get((one.day, one.trip), 0) + 1
    return [ids[one.trip] + (f"@{vehicles[one.vehicle]}" if often[one.day, one.trip] > 1 else "") for one in performed]


def visit_headways(plan: TracePlan, performed: Sequence[PerformedTrip], visits: StopVisits) -> Headways:
    """Headways of visits at the same stop of a route and direction on a service day; none at the ends of trips."""
    table = plan.timetable
    trip = np.array([one.trip for one in performed], dtype=np.int32)[visits.performed]
    day = np.array([one.day for one in performed], dtype=np.int32)[visits.performed]
    pattern = table.trips.pattern[trip]
    place = place_rows(
        day, table.patterns.route[pattern], table.patterns.direction[pattern], table.call_stop[visits.call]
    )
    place = np.where(visits.call == plan.calls.start[trip + 1] - 1, NONE, place)
    return headways_of(place, visits.scheduled_departure_s, visits.departure_s)


def day_text(day: int) -> str:
    """A service day as GTFS writes it."""
    return day_date(day).strftime("%Y%m%d")
