"""GTFS-Realtime out of a replay: what passengers may expect of the vehicles that are under way now, and alerts."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from gtfs.adherence import deviations_s, next_calls
from gtfs.performed_trips import PerformedTrip, PerformedTrips
from gtfs.realtime import Alert, Effect, Informed, StopEvent, StopTimeUpdate, TripUpdate
from gtfs.service_events import Event, Kind
from gtfs.trace_plan import TracePlan, day_date
from networks.network import FloatArray, IntArray

EFFECTS = {
    Kind.OFF_ROUTE: (Effect.DETOUR, "on a detour"),
    Kind.SKIPPED_STOP: (Effect.NO_SERVICE, "does not serve this stop"),
    Kind.NO_PROGRESS: (Effect.SIGNIFICANT_DELAYS, "is held up"),
}
"""What passengers hear of; the rest is for dispatchers."""


@dataclass(frozen=True, slots=True, eq=False)
class UnderWay:
    """Vehicles on their way: row of the performed trip, place along its line, and when there, shape (vehicles,)."""

    performed: IntArray
    way_m: FloatArray
    time_s: FloatArray


def trip_updates(
    plan: TracePlan, performed: PerformedTrips, vehicles: Sequence[str], now: UnderWay
) -> Iterator[TripUpdate]:
    """What is expected of trips under way: each keeps its lateness, but none leaves a timepoint before its time."""
    chosen = [performed[row] for row in now.performed.tolist()]
    trip, origin_s = performed.trip[now.performed], plan.origins_s(performed.day[now.performed])
    lateness_s = deviations_s(plan.calls, trip, now.way_m, now.time_s - origin_s)
    ahead = next_calls(plan.calls, trip, now.way_m)
    parts = zip(chosen, lateness_s.tolist(), ahead.tolist(), now.time_s.tolist(), strict=True)
    for one, late_s, call, time_s in sorted(parts, key=lambda part: (part[0].day, part[0].trip, part[0].vehicle)):
        if call >= 0 and np.isfinite(late_s):
            yield TripUpdate(
                trip_id=plan.timetable.trips.trip_ids[one.trip],
                start_date=day_text(one.day),
                route_id=_route_id(plan, one),
                vehicle_id=vehicles[one.vehicle],
                timestamp_s=int(time_s),
                delay_s=round(late_s),
                stops=tuple(_stops(plan, one, call, late_s)),
            )


def _stops(plan: TracePlan, one: PerformedTrip, first: int, late_s: float) -> Iterator[StopTimeUpdate]:
    table, origin_s = plan.timetable, plan.origin_s(one.day)
    for call in range(first, int(plan.calls.start[one.trip + 1])):
        arrival_late_s = late_s
        if table.calls.timepoint[call]:
            late_s = max(late_s, 0.0)
        yield StopTimeUpdate(
            stop_sequence=int(table.calls.stop_sequence[call]),
            stop_id=table.stops.ids[table.call_stop[call]],
            arrival=_expected(origin_s + float(plan.calls.arrival_s[call]), arrival_late_s),
            departure=_expected(origin_s + float(plan.calls.departure_s[call]), late_s),
        )


def _expected(scheduled_s: float, late_s: float) -> StopEvent:
    return StopEvent(time_s=round(scheduled_s + late_s), delay_s=round(late_s))


def alerts(
    plan: TracePlan, performed: PerformedTrips, events: Iterable[Event], now_s: float, window_s: float
) -> Iterator[Alert]:
    """Alerts of what happened within a window before now and is not over: detours, stops left out, standstills."""
    recent = [event for event in events if now_s - window_s <= event.time_s <= now_s]
    over = {event.performed for event in recent if event.kind == Kind.BACK_ON_ROUTE}
    for event in sorted(recent, key=lambda event: (event.time_s, event.kind, event.performed, event.call or 0)):
        if event.kind in EFFECTS and not (event.kind == Kind.OFF_ROUTE and event.performed in over):
            yield _alert(plan, performed[event.performed], event, now_s)


def _alert(plan: TracePlan, one: PerformedTrip, event: Event, now_s: float) -> Alert:
    table, (effect, words) = plan.timetable, EFFECTS[event.kind]
    trip_id = table.trips.trip_ids[one.trip]
    stop_id = "" if event.call is None else table.stops.ids[table.call_stop[event.call]]
    name = table.routes.short_names[table.trip_route[one.trip]] or _route_id(plan, one)
    told = f"{event.value:.0f} {event.unit}; {event.rule}"
    return Alert(
        id=f"{event.kind}:{day_text(one.day)}:{trip_id}:{stop_id or int(event.time_s)}",
        header=f"Route {name}, trip {trip_id} {words}",
        description=told,
        effect=effect,
        begin_s=int(event.time_s),
        end_s=int(max(now_s, event.time_s)) + 1,
        informed=(Informed(_route_id(plan, one), trip_id, day_text(one.day), stop_id),),
    )


def _route_id(plan: TracePlan, one: PerformedTrip) -> str:
    return plan.timetable.routes.ids[int(plan.timetable.trip_route[one.trip])]


def day_text(day: int) -> str:
    """A service day as GTFS writes it."""
    return day_date(day).strftime("%Y%m%d")
