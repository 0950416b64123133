"""Events as plain values that JSON can hold."""

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from gtfs.clock import local_texts
from gtfs.performed_trips import PerformedTrips
from gtfs.service_events import Event
from gtfs.trace_plan import TracePlan


def event_records(
    told: Iterable[Event],
    plan: TracePlan,
    performed: PerformedTrips,
    vehicles: Sequence[str],
    trip_ids: Sequence[str],
) -> Iterator[dict[str, Any]]:
    """Events as plain values that JSON can hold, in their order, times as ISO 8601 in the feed's zone.

    Parameters
    ----------
    performed, trip_ids
        The trips whose rows the events name, and their ids.
    """
    zone, table, events = plan.timetable.timezone, plan.timetable, list(told)
    times = _texts([event.time_s for event in events], zone)
    pings = _texts([time_s for event in events for time_s in event.pings_s], zone)
    for event, time in zip(events, times, strict=True):
        one = performed[event.performed]
        yield {
            "kind": str(event.kind),
            "time": time,
            "vehicle_id": vehicles[one.vehicle],
            "trip_id_performed": trip_ids[event.performed],
            "route_id": table.routes.ids[int(table.trip_route[one.trip])],
            "stop_id": None if event.call is None else table.stops.ids[int(table.call_stop[event.call])],
            "value": _known(event.value),
            "threshold": _known(event.threshold),
            "unit": event.unit,
            "rule": event.rule,
            "pings": [next(pings) for _ in event.pings_s],
            "trip_id_ahead": None if event.other is None else trip_ids[event.other],
        }


def _texts(times_s: list[float], timezone: str) -> Iterator[str]:
    return (text.decode("ascii") for text in local_texts(np.array(times_s, dtype=np.float64), timezone).tolist())


def _known(value: float) -> float | None:
    """A number to the thousandth, None where there is none."""
    return round(float(value), 3) + 0.0 if math.isfinite(value) else None
