"""Vehicles that run too close behind the one ahead, or too far, as events: one for each stretch of a trip."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from gtfs.headways import BUNCHED_BELOW, GAP_ABOVE, GAP_EXCESS_S, Headways, bunched, gaps
from gtfs.replay import PerformedTrip
from gtfs.service_events import Event, Kind
from gtfs.stop_visits import Integers, StopVisits
from gtfs.trace_kernels import DEPARTURE, Crossings
from gtfs.trace_plan import TracePlan
from networks.network import NONE

Bools = npt.NDArray[np.bool_]


def regularity_events(visits: StopVisits, found: Headways, ahead: Integers) -> Iterator[Event]:
    """Bunching and gaps, told where they begin along a trip.

    Parameters
    ----------
    found, ahead
        From :func:`gtfs.replay_result.visit_headways`, a row a visit.
    """
    close = f"headway under {BUNCHED_BELOW:g} of the scheduled one"
    for row in _begins(bunched(found), visits):
        yield _event(Kind.BUNCHED, row, visits, found, ahead, BUNCHED_BELOW * float(found.scheduled_s[row]), close)
    far = f"headway over {GAP_ABOVE:g} of the scheduled one, or {GAP_EXCESS_S:g} s more"
    for row in _begins(gaps(found), visits):
        scheduled_s = float(found.scheduled_s[row])
        limit_s = min(GAP_ABOVE * scheduled_s, scheduled_s + GAP_EXCESS_S)
        yield _event(Kind.GAP, row, visits, found, ahead, limit_s, far)


def _begins(flags: Bools, visits: StopVisits) -> list[int]:
    """Flagged visits whose last known one before, on the same trip, is not flagged."""
    known = np.flatnonzero(np.isfinite(visits.departure_s))
    trip, flag = visits.performed[known], flags[known]
    follows = (np.diff(trip, prepend=NONE) == 0) & np.concatenate(([False], flag[:-1]))
    begins: list[int] = known[flag & ~follows].tolist()
    return begins


def _event(
    kind: Kind, row: int, visits: StopVisits, found: Headways, ahead: Integers, limit_s: float, rule: str
) -> Event:
    until_s = float(visits.departure_until_s[row])
    return Event(
        kind=kind,
        time_s=float(visits.departure_s[row]),
        performed=int(visits.performed[row]),
        call=int(visits.call[row]),
        value=float(found.actual_s[row]),
        threshold=limit_s,
        unit="s",
        rule=rule,
        pings_s=(until_s - float(visits.departure_gap_s[row]), until_s),
        other=int(visits.performed[ahead[row]]),
    )


@dataclass(slots=True)
class LiveRegularity:
    """Tells bunching as vehicles leave stops, from what is known until then.

    What :func:`regularity_events` finds when all is known may differ: a vehicle between the two may be heard of late.

    Attributes
    ----------
    last
        The departure before by day, route, direction and stop: when, the one scheduled, the trip.
    close
        Trips that run bunched now.
    """

    plan: TracePlan
    known_s: float
    last: dict[tuple[int, ...], tuple[float, float, int]] = field(default_factory=dict)
    close: set[int] = field(default_factory=set)

    def see(self, crossings: Crossings, performed: Sequence[PerformedTrip]) -> list[Event]:
        """Trips that begin to run bunched, in order of time."""
        left = np.flatnonzero((crossings.kind == DEPARTURE) & (crossings.gap_s <= self.known_s))
        order = left[np.argsort(crossings.time_s[left], kind="stable")]
        return [event for row in order.tolist() for event in self._departure(row, crossings, performed)]

    def _departure(self, row: int, crossings: Crossings, performed: Sequence[PerformedTrip]) -> Iterator[Event]:
        trip, call, now_s = int(crossings.performed[row]), int(crossings.call[row]), float(crossings.time_s[row])
        one, table = performed[trip], self.plan.timetable
        pattern = int(table.trips.pattern[one.trip])
        direction = int(table.patterns.direction[pattern])
        place = one.day, int(table.patterns.route[pattern]), direction, int(table.call_stop[call])
        planned_s = float(self.plan.calls.departure_s[call])
        before = self.last.get(place)
        self.last[place] = now_s, planned_s, trip
        if before is None or before[2] == trip or planned_s <= before[1]:
            return
        limit_s = BUNCHED_BELOW * (planned_s - before[1])
        headway_s = now_s - before[0]
        if headway_s >= limit_s:
            self.close.discard(trip)
        elif trip not in self.close:
            self.close.add(trip)
            until_s = float(crossings.until_s[row])
            pings_s = (until_s - float(crossings.gap_s[row]), until_s)
            rule = f"headway under {BUNCHED_BELOW:g} of the scheduled one, as known so far"
            yield Event(Kind.BUNCHED, now_s, trip, call, headway_s, limit_s, "s", rule, pings_s, before[2])
