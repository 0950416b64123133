"""Vehicles that run too close behind the one ahead, or too far, as events: one for each stretch of a trip."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from gtfs.headways import BUNCHED_BELOW, GAP_ABOVE, GAP_EXCESS_S, Headways, bunched, gaps
from gtfs.live_trips import LiveTrips
from gtfs.replay import Step
from gtfs.service_events import Event, Events, Kind, events_of, joined_events
from gtfs.stop_visits import Integers, StopVisits
from gtfs.trace_kernels import DEPARTURE
from gtfs.trace_plan import TracePlan
from networks.network import NONE, FloatArray

Bools = npt.NDArray[np.bool_]


CLOSE = f"headway under {BUNCHED_BELOW:g} of the scheduled one"
FAR = f"headway over {GAP_ABOVE:g} of the scheduled one, or {GAP_EXCESS_S:g} s more"


def regularity_events(visits: StopVisits, found: Headways, ahead: Integers) -> Events:
    """Bunching and gaps, told where they begin along a trip.

    Parameters
    ----------
    found, ahead
        From :func:`gtfs.replay_result.visit_headways`, a row a visit.
    """
    scheduled_s = found.scheduled_s
    far_s = np.minimum(GAP_ABOVE * scheduled_s, scheduled_s + GAP_EXCESS_S)

    def told(kind: Kind, rule: str, flags: Bools, limit_s: FloatArray) -> Events:
        rows = _begins(flags, visits)
        return events_of(
            kind,
            rule,
            time_s=visits.departure_s[rows],
            performed=visits.performed[rows],
            call=visits.call[rows],
            value=found.actual_s[rows],
            threshold=limit_s[rows],
            since_s=visits.departure_until_s[rows] - visits.departure_gap_s[rows],
            until_s=visits.departure_until_s[rows],
            other=visits.performed[ahead[rows]],
        )

    return joined_events(
        [
            told(Kind.BUNCHED, CLOSE, bunched(found), BUNCHED_BELOW * scheduled_s),
            told(Kind.GAP, FAR, gaps(found), far_s),
        ]
    )


def _begins(flags: Bools, visits: StopVisits) -> Integers:
    """Flagged visits whose last known one before, on the same trip, is not flagged."""
    known = np.flatnonzero(np.isfinite(visits.departure_s))
    trip, flag = visits.performed[known], flags[known]
    follows = (np.diff(trip, prepend=NONE) == 0) & np.concatenate(([False], flag[:-1]))
    begins: Integers = known[flag & ~follows]
    return begins


@dataclass(slots=True)
class LiveRegularity:
    """Tells bunching as vehicles leave stops, from what is known until then.

    What :func:`regularity_events` finds when all is known may differ: a vehicle between the two may be heard of late.

    Attributes
    ----------
    last
        The departure before by route, direction and stop: its day, when, the one scheduled, the trip's number.
    close
        Numbers of trips that run bunched now.
    """

    plan: TracePlan
    known_s: float
    last: dict[tuple[int, ...], tuple[int, float, float, int]] = field(default_factory=dict)
    close: set[int] = field(default_factory=set)

    def see(self, step: Step, trips: LiveTrips) -> Iterator[Event]:
        """Trips that begin to run bunched, in order of time."""
        crossings = step.crossings
        left = np.flatnonzero((crossings.kind == DEPARTURE) & (crossings.gap_s <= self.known_s))
        order = left[np.argsort(crossings.time_s[left], kind="stable")]
        for row in order.tolist():
            yield from self._departure(row, step, trips)
        self.close.difference_update(trips.roster.number[step.over].tolist())

    def _departure(self, row: int, step: Step, trips: LiveTrips) -> Iterator[Event]:
        crossings, roster, table = step.crossings, trips.roster, self.plan.timetable
        number, call, now_s = int(crossings.performed[row]), int(crossings.call[row]), float(crossings.time_s[row])
        live = step.crossing_row[row]
        pattern, day = int(table.trips.pattern[roster.trip[live]]), int(roster.day[live])
        place = int(table.patterns.route[pattern]), int(table.pattern_way[pattern]), int(table.call_stop[call])
        planned_s = float(self.plan.calls.departure_s[call])
        before = self.last.get(place)
        self.last[place] = day, now_s, planned_s, number
        if before is None or before[0] != day or before[3] == number or planned_s <= before[2]:
            return
        limit_s = BUNCHED_BELOW * (planned_s - before[2])
        headway_s = now_s - before[1]
        if headway_s >= limit_s:
            self.close.discard(number)
        elif number not in self.close:
            self.close.add(number)
            until_s = float(crossings.until_s[row])
            pings_s = (until_s - float(crossings.gap_s[row]), until_s)
            rule = f"{CLOSE}, as known so far"
            yield Event(Kind.BUNCHED, now_s, number, call, headway_s, limit_s, "s", rule, pings_s, before[3])
