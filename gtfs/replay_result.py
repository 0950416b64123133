"""What a trace says about the service, once it is over: all that tables and the report are made from."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gtfs.columns import spans
from gtfs.coverage import Coverage
from gtfs.headways import Headways
from gtfs.on_time import OnTimeRule
from gtfs.performed_trips import PerformedTrips
from gtfs.replay import Matched
from gtfs.service_events import Events
from gtfs.stop_visits import Integers, StopVisits
from gtfs.trace_plan import TracePlan
from networks.faults import Notice
from networks.network import NONE, FloatArray


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
    performed: PerformedTrips
    trip_ids: Sequence[str]
    visits: StopVisits
    headways: Headways
    ahead: Integers
    missing: Sequence[tuple[int, int]]
    pings: Callable[[], Matched]
    events: Events
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
        route: Integers = self.plan.timetable.trip_route[self.performed.trip][self.visits.performed]
        return route


def performed_ids(performed: PerformedTrips, vehicles: Sequence[str], plan: TracePlan) -> list[str]:
    """An id for each performed trip that is its own on its day: the trip's, with the vehicle where two drove it."""
    ids = plan.timetable.trips.ids
    key = performed.day.astype(np.int64) * len(ids) + performed.trip
    _, place, count = np.unique(key, return_inverse=True, return_counts=True)
    rows = zip(performed.trip.tolist(), performed.vehicle.tolist(), (count[place] > 1).tolist(), strict=True)
    return [ids[trip] + (f"@{vehicles[vehicle]}" if is_shared else "") for trip, vehicle, is_shared in rows]


def visit_places(plan: TracePlan, trip: Integers, day: Integers, call: Integers) -> Integers:
    """A number for the day, route, direction and stop of visits, NONE at the ends of trips, where nobody waits."""
    table, first = plan.timetable, int(day.min(initial=0)) - 1
    pattern, stop = table.trips.pattern[trip], table.call_stop[call]
    ways = int(table.pattern_way.max(initial=0)) + 1
    line = table.patterns.route.astype(np.int64) * ways + table.pattern_way
    place = ((day.astype(np.int64) - first) * len(table.routes) * ways + line[pattern]) * len(table.stops)
    found: Integers = np.where(call == plan.calls.start[trip + 1] - 1, NONE, place + stop)
    return found


def visit_headways(
    plan: TracePlan,
    performed: PerformedTrips,
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
    count, lost = len(visits), len(call) - len(visits)
    maybe = int(np.diff(plan.calls.start)[[trip for trip, _ in unjudged]].sum()) if unjudged else 0
    actual_s = np.concatenate((visits.departure_s, np.full(lost, np.nan)))
    place = visit_places(plan, trip, day, call)
    behind, due_before = _before(place, scheduled_s, ()), _before(place, scheduled_s, (actual_s,))
    ahead = _before(place[:count], visits.departure_s, (scheduled_s[:count],))
    found = Headways(_since(visits.departure_s, ahead), _since(scheduled_s, due_before)[:count])
    is_unseen = np.concatenate((~visits.is_skipped, np.arange(lost) >= lost - maybe)) & np.isnan(actual_s)
    unclear = ((behind >= 0) & is_unseen[behind])[:count]
    unclear |= ~covered.whole(visits.departure_s - found.actual_s, visits.departure_s)
    return Headways(np.where(unclear, np.nan, found.actual_s), found.scheduled_s), ahead


def _with_missing(
    plan: TracePlan, performed: PerformedTrips, visits: StopVisits, missing: Sequence[tuple[int, int]]
) -> tuple[Integers, Integers, Integers, FloatArray]:
    """Trip, day, call and scheduled departure of visits, then those of the calls of trips that are missing."""
    lost, lost_day = np.array(missing, dtype=np.int32).reshape(-1, 2).T
    trip, day = np.concatenate((performed.trip, lost)), np.concatenate((performed.day, lost_day))
    counts = np.diff(plan.calls.start)[lost]
    call = spans(plan.calls.start, lost)
    origin_s = np.repeat(plan.origins_s(lost_day), counts)
    owner = np.concatenate((visits.performed, np.repeat(np.arange(len(performed), len(trip)), counts)))
    scheduled_s = np.concatenate((visits.scheduled_departure_s, origin_s + plan.calls.departure_s[call]))
    return trip[owner], day[owner], np.concatenate((visits.call, call)), scheduled_s


def _before(place: Integers, time_s: FloatArray, ties_s: tuple[FloatArray, ...]) -> Integers:
    """The row that comes before each at the same place, NONE for the first and where there is no time.

    Of several at one moment other times decide, then the row.
    """
    order = np.flatnonzero(np.isfinite(time_s) & (place >= 0))
    order = order[np.lexsort((*(tie_s[order] for tie_s in ties_s), time_s[order], place[order]))]
    before: Integers = np.full(len(place), NONE, dtype=np.int64)
    same = place[order[1:]] == place[order[:-1]]
    before[order[1:][same]] = order[:-1][same]
    return before


def _since(time_s: FloatArray, before: Integers) -> FloatArray:
    """Time since the row before, NaN where there is none."""
    return np.where(before >= 0, time_s - time_s[before], np.nan)
