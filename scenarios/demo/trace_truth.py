"""What is true of a trace: every call as it was made, and everything that a dispatcher should find, as tables."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gtfs.clock import local_text, origin_epoch_s
from gtfs.headways import bunched, gaps, headways_of, place_rows
from networks.network import NONE, FloatArray, IntArray
from scenarios.demo.trace_motion import Motion
from scenarios.demo.trace_pings import bus_id
from scenarios.demo.trace_staging import Span, Staging
from sim.transit_plan import TransitPlan

OFF_ROUTE, SKIPPED_STOP, NO_PROGRESS = "off route", "skipped stop", "no progress"
BUNCHED, GAP, STALE, NO_TRIP = "bunched", "gap", "stale", "no trip id"

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class TruthVisit:
    """A call as a row of ``truth_stop_visits.csv``, with the names that TIDES gives to columns of ``stop_visits``.

    Times are ISO 8601 in the feed's zone. Empty is what did not happen, or not while the trace lasts: the arrival at
    the call at which a bus enters it, too. ``schedule_relationship`` is Scheduled or Skipped.
    """

    service_date: str
    trip_id_performed: str
    trip_stop_sequence: int
    vehicle_id: str
    stop_id: str
    schedule_arrival_time: str
    schedule_departure_time: str
    actual_arrival_time: str
    actual_departure_time: str
    schedule_relationship: str


@dataclass(frozen=True, slots=True)
class TruthEvent:
    """Something that happened, as a row of ``truth_events.csv``.

    ``event`` is ``off route`` (one row, from the junction where the bus left its route to the one where it came back;
    ``length_m`` is the way in between), ``skipped stop`` (a row each, while it was off), ``no progress`` (a bus held at
    a stop), ``bunched`` and ``gap`` (from the first to the last departure in a row at which a bus was, with the trip
    ahead), ``stale`` (sent nothing), ``no trip id``. Stops are numbers in the trip, first and last.
    """

    event: str
    vehicle_id: str
    trip_id_performed: str
    trip_ahead: str
    begin_time: str
    end_time: str
    first_stop_sequence: int | None
    last_stop_sequence: int | None
    length_m: float


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """Calls of the plan as they were made, shape (calls,) each; NaN for what did not happen before the end."""

    plan: TransitPlan
    staging: Staging
    arrival_s: FloatArray
    departure_s: FloatArray
    skipped: BoolArray

    @property
    def leg(self) -> IntArray:
        """Leg of each call, shape (calls,)."""
        return np.repeat(np.arange(len(self.plan.legs), dtype=np.int32), np.diff(self.plan.legs.call_start))

    def moment(self, time_s: float) -> str:
        """A time of the service day to the second as ISO 8601, empty for NaN."""
        if np.isnan(time_s):
            return ""
        return local_text(
            origin_epoch_s(self.plan.service_date, self.plan.timezone) + round(time_s), self.plan.timezone
        )


def truth_of(plan: TransitPlan, motions: Mapping[int, Motion], staging: Staging, end_s: float) -> Truth:
    """Bring the calls of all motions together."""
    times_s = np.full((2, len(plan.calls)), np.nan)
    for motion in motions.values():
        times_s[:, motion.call] = motion.arrival_s, motion.departure_s
        times_s[0, motion.call[:1]] = np.nan
    times_s[times_s >= end_s] = np.nan
    skipped = np.isin(np.arange(len(plan.calls)), staging.detour_truth.skipped)
    return Truth(plan, staging, times_s[0], times_s[1], skipped)


def truth_visits(truth: Truth) -> Iterator[TruthVisit]:
    """Every call that was made while the trace lasts, or skipped."""
    calls, legs = truth.plan.calls, truth.plan.legs
    for row, leg in enumerate(truth.leg.tolist()):
        arrival_s, departure_s = float(truth.arrival_s[row]), float(truth.departure_s[row])
        if truth.skipped[row] or np.isfinite(arrival_s) or np.isfinite(departure_s):
            yield TruthVisit(
                service_date=legs.service_dates[leg],
                trip_id_performed=legs.trip_ids[leg],
                trip_stop_sequence=int(calls.stop_sequence[row]),
                vehicle_id=bus_id(int(legs.vehicle[leg])),
                stop_id=calls.stop_ids[row],
                schedule_arrival_time=truth.moment(float(calls.arrival_s[row])),
                schedule_departure_time=truth.moment(float(calls.departure_s[row])),
                actual_arrival_time=truth.moment(arrival_s),
                actual_departure_time=truth.moment(departure_s),
                schedule_relationship="Skipped" if truth.skipped[row] else "Scheduled",
            )


def truth_events(truth: Truth) -> list[TruthEvent]:
    """What happened, by its begin."""
    return sorted(
        (*_staged(truth), *_spacing(truth)), key=lambda event: (event.begin_time, event.vehicle_id, event.event)
    )


def _staged(truth: Truth) -> Iterator[TruthEvent]:
    """What was done to buses."""
    staging, stops = truth.staging, truth.plan.calls.stop_sequence
    yield _event(truth, OFF_ROUTE, staging.detour, length_m=staging.detour_truth.length_m)
    for row in staging.detour_truth.skipped:
        yield _event(truth, SKIPPED_STOP, staging.detour, int(stops[row]))
    yield _event(truth, NO_PROGRESS, staging.held, int(stops[staging.held_call]))
    for span in staging.silent:
        yield _event(truth, STALE, span)
    yield _event(truth, NO_TRIP, _span(truth, staging.unnamed))


def _span(truth: Truth, leg: int) -> Span:
    """From the last departure of the leg before, which must be the same vehicle's, to the last of a leg."""
    first, behind = truth.plan.legs.call_start[leg : leg + 2].tolist()
    begin_s, end_s = truth.departure_s[[first - 1, behind - 1]].tolist()
    return Span(int(truth.plan.legs.vehicle[leg]), leg, begin_s, end_s)


def _event(
    truth: Truth,
    event: str,
    span: Span,
    first_stop: int | None = None,
    last_stop: int | None = None,
    *,
    ahead: str = "",
    length_m: float = np.nan,
) -> TruthEvent:
    return TruthEvent(
        event=event,
        vehicle_id=bus_id(span.vehicle),
        trip_id_performed=truth.plan.legs.trip_ids[span.leg],
        trip_ahead=ahead,
        begin_time=truth.moment(span.begin_s),
        end_time=truth.moment(span.end_s),
        first_stop_sequence=first_stop,
        last_stop_sequence=first_stop if last_stop is None else last_stop,
        length_m=round(length_m, 1),
    )


def _spacing(truth: Truth) -> Iterator[TruthEvent]:
    """Buses too close to the one ahead, or too far from it, by the true departures and the rules for headways."""
    place = _places(truth)
    found = headways_of(place, truth.plan.calls.departure_s, truth.departure_s)
    ahead = _legs_ahead(truth, place)
    for event, rule in ((BUNCHED, bunched), (GAP, gaps)):
        yield from _runs(truth, event, rule(found), ahead)


def _places(truth: Truth) -> IntArray:
    """Route, direction and stop of each call as one number, NONE where trips end."""
    legs, calls = truth.plan.legs, truth.plan.calls
    route, stop = (np.unique(texts, return_inverse=True)[1] for texts in (legs.route_ids, calls.stop_ids))
    places = place_rows(route[truth.leg], legs.way[truth.leg], stop)
    return np.where(calls.is_end, NONE, places).astype(np.int32)


def _legs_ahead(truth: Truth, place: IntArray) -> IntArray:
    """Leg that left the same place before, NONE where none had, shape (calls,)."""
    ahead = np.full(len(place), NONE, dtype=np.int32)
    rows = np.flatnonzero((place != NONE) & np.isfinite(truth.departure_s))
    rows = rows[np.lexsort((truth.departure_s[rows], place[rows]))]
    follows = place[rows[1:]] == place[rows[:-1]]
    ahead[rows[1:][follows]] = truth.leg[rows[:-1][follows]]
    return ahead


def _runs(truth: Truth, event: str, is_so: BoolArray, ahead: IntArray) -> Iterator[TruthEvent]:
    """One event for calls in a row of one leg behind the same other one."""
    rows = np.flatnonzero(is_so)
    legs = truth.plan.legs
    breaks = (np.diff(rows) > 1) | (np.diff(truth.leg[rows]) != 0) | (np.diff(ahead[rows]) != 0)
    for part in np.split(rows, np.flatnonzero(breaks) + 1):
        if len(part):
            leg, (first, last) = int(truth.leg[part[0]]), part[[0, -1]].tolist()
            stops = truth.plan.calls.stop_sequence[[first, last]].tolist()
            span = Span(int(legs.vehicle[leg]), leg, float(truth.departure_s[first]), float(truth.departure_s[last]))
            yield _event(truth, event, span, *stops, ahead=legs.trip_ids[int(ahead[first])])
