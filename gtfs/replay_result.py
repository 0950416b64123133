"""What a trace says about the service, once it is over: all that tables and the report are made from."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gtfs.columns import spans
from gtfs.coverage import Coverage
from gtfs.headways import Headways, headways_of, place_rows
from gtfs.on_time import OnTimeRule
from gtfs.replay import Matched, PerformedTrip
from gtfs.service_events import Event
from gtfs.stop_visits import Integers, StopVisits
from gtfs.trace_plan import TracePlan
from networks.faults import Notice
from networks.network import NONE, FloatArray, IntArray


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
    headways, ahead
        A row a visit; the visit of the vehicle that left the stop before, NONE where none is known.
    missing
        Scheduled trips that nobody was seen on though the trace covers their time: row of the trip and day.
    pings
        Gives all pings that are final; they may lie on disk until they are wanted.
    events
        In order of time.
    counts
        Pings by what became of them.
    notices
        Faults in the data.
    unjudged
        Scheduled trips that nobody was seen on, of which the trace cannot tell whether they ran.
    """

    plan: TracePlan
    rule: OnTimeRule
    vehicles: Sequence[str]
    performed: Sequence[PerformedTrip]
    trip_ids: Sequence[str]
    visits: StopVisits
    headways: Headways
    ahead: Integers
    missing: Sequence[tuple[int, int]]
    pings: Callable[[], Matched]
    events: Sequence[Event]
    counts: Mapping[str, int]
    notices: Sequence[Notice]
    unjudged: Sequence[tuple[int, int]] = ()

    @property
    def matched(self) -> Matched:
        """All pings that are final."""
        return self.pings()

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


def visit_places(plan: TracePlan, trip: Integers, day: Integers, call: Integers) -> Integers:
    """A number for the day, route, direction and stop of visits, NONE at the ends of trips, where nobody waits."""
    table = plan.timetable
    pattern, stop = table.trips.pattern[trip], table.call_stop[call]
    place = place_rows(day, table.patterns.route[pattern], table.patterns.direction[pattern], stop)
    found: Integers = np.where(call == plan.calls.start[trip + 1] - 1, NONE, place)
    return found


def visit_headways(
    plan: TracePlan,
    performed: Sequence[PerformedTrip],
    visits: StopVisits,
    missing: Sequence[tuple[int, int]],
    covered: Coverage,
    unjudged: Sequence[tuple[int, int]] = (),
) -> tuple[Headways, Integers]:
    """Headways of visits at the same stop of a route and direction on a service day, and the visit ahead of each.

    Trips that are missing had a departure scheduled and none that was real. Behind a visit of which nobody knows when
    it was, or whether it was, the actual headway is not known either, nor over a time that the trace does not cover.

    Returns
    -------
    Headways, and the row of the visit ahead, NONE where there is none, shape (visits,).
    """
    trip, day, call, scheduled_s = _with_missing(plan, performed, visits, (*missing, *unjudged))
    maybe = int(np.diff(plan.calls.start)[[trip for trip, _ in unjudged]].sum()) if unjudged else 0
    actual_s = np.concatenate((visits.departure_s, np.full(len(call) - len(visits), np.nan)))
    place = visit_places(plan, trip, day, call)
    found = headways_of(place, scheduled_s, actual_s)
    is_lost = np.arange(len(visits), len(call)) < len(call) - maybe
    is_unseen = np.concatenate((~visits.is_skipped, ~is_lost)) & np.isnan(actual_s)
    behind = _before(place, scheduled_s, scheduled_s)
    unclear = (behind >= 0) & is_unseen[behind]
    count = len(visits)
    unclear |= ~covered.whole(actual_s - found.actual_s, actual_s)
    headways = Headways(np.where(unclear, np.nan, found.actual_s)[:count], found.scheduled_s[:count])
    return headways, _before(place[:count], visits.departure_s, scheduled_s[:count])


def _with_missing(
    plan: TracePlan, performed: Sequence[PerformedTrip], visits: StopVisits, missing: Sequence[tuple[int, int]]
) -> tuple[Integers, Integers, Integers, FloatArray]:
    """Trip, day, call and scheduled departure of visits, then those of the calls of trips that are missing."""
    trip = np.array([one.trip for one in performed] + [trip for trip, _ in missing], dtype=np.int32)
    day = np.array([one.day for one in performed] + [day for _, day in missing], dtype=np.int32)
    lost, lost_day = trip[len(performed) :], day[len(performed) :]
    counts = np.diff(plan.calls.start)[lost]
    call = spans(plan.calls.start, lost)
    origin_s = np.repeat(np.array([plan.origin_s(day) for day in lost_day.tolist()], dtype=np.float64), counts)
    owner = np.concatenate((visits.performed, np.repeat(np.arange(len(performed), len(trip)), counts)))
    scheduled_s = np.concatenate((visits.scheduled_departure_s, origin_s + plan.calls.departure_s[call]))
    return trip[owner], day[owner], np.concatenate((visits.call, call)), scheduled_s


def _before(place: Integers, time_s: FloatArray, tie_s: FloatArray) -> Integers:
    """The row that comes before each at the same place, NONE for the first and where there is no time."""
    order = np.lexsort((tie_s, time_s, place))
    order = order[np.isfinite(time_s[order]) & (place[order] >= 0)]
    before: Integers = np.full(len(place), NONE, dtype=np.int64)
    same = place[order[1:]] == place[order[:-1]]
    before[order[1:][same]] = order[:-1][same]
    return before
