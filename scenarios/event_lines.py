"""Events in words, a line each, for those who watch."""

from collections.abc import Sequence

from gtfs.clock import local_text
from gtfs.performed_trips import PerformedTrip
from gtfs.service_events import Event
from gtfs.trace_plan import TracePlan

KIND_WIDTH = 13


def event_line(plan: TracePlan, vehicles: Sequence[str], one: PerformedTrip, event: Event) -> str:
    """When, what, who, where, how much, and the limit, of an event of a performed trip."""
    table = plan.timetable
    clock = local_text(event.time_s, table.timezone)[11:19]
    route = int(table.trip_route[one.trip])
    name = table.routes.short_names[route] or table.routes.ids[route]
    words = [clock, event.kind.ljust(KIND_WIDTH), f"route {name}", f"trip {table.trips.trip_ids[one.trip]}"]
    words.append(f"vehicle {vehicles[one.vehicle]}")
    if event.call is not None:
        stop = int(table.call_stop[event.call])
        words.append(f"at {table.stops.names[stop] or table.stops.ids[stop]}")
    return f"{'  '.join(words)}: {event.value:.0f} {event.unit} (limit {event.threshold:.0f} {event.unit})"
