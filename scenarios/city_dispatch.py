"""Dispatching (D1 to D3): what a city's vehicle positions tell, held against its timetable.

A route or a vehicle is connected to the dispatch system when its positions arrive.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt

from gtfs.avl import read_pings
from gtfs.avl_columns import ColumnMap, read_column_map
from gtfs.coverage import Coverage, coverage
from gtfs.feed import Feed
from gtfs.trace_kernels import OFF_ROUTE
from gtfs.trace_plan import TracePlan, day_number, trace_plan
from networks.faults import Notice
from scenarios.city import City, Traces
from scenarios.city_counts import Count, Found, count, names_of, read_table, share
from scenarios.indicators import Finding
from scenarios.message import Message, Percent, Value
from scenarios.replay import ReplayOptions, read_session, require_place
from scenarios.replay_session import Session, results, runs_of_days

Say = Callable[[str], None]

NO_POSITIONS = Message("Needs a timetable ([transit] gtfs) and the vehicles' positions ([traces] files)")


@dataclass(frozen=True, slots=True)
class Heard:
    """What positions of some service days say.

    Attributes
    ----------
    days
        Service days, counted from 1970-01-01.
    vehicles
        Ids of all that were heard of.
    routes
        Rows of the routes that a trip was seen of.
    trips
        How many trips were seen.
    positions, timed, off_route
        Positions on these trips: all, those with a deviation from the timetable, and those off the way of their trip.
    covered
        When the trace covers the service.
    """

    days: tuple[int, ...]
    vehicles: frozenset[str]
    routes: frozenset[int]
    trips: int
    positions: int
    timed: int
    off_route: int
    covered: Coverage


def dispatching(city: City, feed: Feed | None, say: Say = lambda _text: None) -> Found:
    """D1, D2 and D3 of a city, ``feed`` being its timetable.

    Raises
    ------
    InputError
        As :func:`gtfs.trace_plan.trace_plan`, :func:`gtfs.avl.read_pings` and :func:`scenarios.city_counts.read_table`;
        AVL_PLACE where nearly all positions lie elsewhere than the feed.
    """
    if city.transit is None or feed is None:
        vehicles = None if city.traces is None else _vehicles_alone(city.traces)
        return _without_timetable(city, vehicles)
    plan = trace_plan(feed)
    if city.traces is None:
        return _without_positions(city, plan)
    say(f"holding {names_of(*city.traces.files)} against {feed.path.name}")
    options = ReplayOptions(feed=feed.path, columns=_columns(city.traces))
    with TemporaryDirectory(prefix="bagdar-") as parts:
        session = read_session(options, plan, city.traces.files, Path(parts), say)
        require_place(session)
        heard = heard_of(session, city.transit.day)
    notices = tuple(session.notices.values())
    return _found(city, plan, heard, notices)


def heard_of(session: Session, day: date | None) -> Heard:
    """What a trace says of a service day, or of all its days."""
    plan, wanted = session.plan, None if day is None else day_number(day)
    routes: set[int] = set()
    days: set[int] = set() if wanted is None else {wanted}
    trips = positions = timed = off_route = 0
    for result in results(session, runs_of_days(session)):
        own = np.flatnonzero((result.performed.day == wanted) | (wanted is None))
        days.update(result.performed.day[own].tolist())
        routes.update(plan.timetable.trip_route[result.performed.trip[own]].tolist())
        trips += len(own)
        on_trip = np.isin(result.matched.performed, own)
        positions += int(on_trip.sum())
        timed += int(np.isfinite(result.matched.deviation_s[on_trip]).sum())
        off_route += int((result.matched.found[on_trip] == OFF_ROUTE).sum())
    return Heard(
        days=tuple(sorted(days)),
        vehicles=_vehicles(session, wanted),
        routes=frozenset(routes),
        trips=trips,
        positions=positions,
        timed=timed,
        off_route=off_route,
        covered=coverage(session.heard),
    )


def _vehicles(session: Session, day: int | None) -> frozenset[str]:
    """Ids of vehicles that were heard of on a day from its midnight to the next, on a trip or not; of all days."""
    begin_s, end_s = (-np.inf, np.inf) if day is None else (session.plan.origin_s(day), session.plan.origin_s(day + 1))
    rows: set[int] = set()
    for one in sorted(session.pings.days):
        part = session.pings.of_day(one, ("vehicle", "time_s"))
        rows.update(part["vehicle"][(part["time_s"] >= begin_s) & (part["time_s"] < end_s)].tolist())
    return frozenset(session.replay.vehicles[row] for row in rows)


def _columns(traces: Traces | None) -> ColumnMap | None:
    return None if traces is None or traces.columns is None else read_column_map(traces.columns)


def _vehicles_alone(traces: Traces) -> frozenset[str]:
    """Ids of vehicles in a trace for which there is no timetable."""
    found: set[str] = set()
    for batch in read_pings(traces.files, _columns(traces)):
        labels = batch.pings.vehicle
        found.update(labels.texts[code] for code in np.unique(labels.codes).tolist())
    return frozenset(found)


def _without_timetable(city: City, vehicles: frozenset[str] | None) -> Found:
    d3, notices = _d3(city, vehicles, None)
    return Found((Finding("D1", None, NO_POSITIONS), Finding("D2", None, NO_POSITIONS), d3), notices=notices)


def _without_positions(city: City, plan: TracePlan) -> Found:
    """No positions: how many routes there are is known, how many of them are connected is not."""
    source = names_of(city.transit.feed if city.transit else None)
    days = () if city.transit is None or city.transit.day is None else (day_number(city.transit.day),)
    routes = len(_routes_in_service(plan, days))
    d2 = Finding("D2", None, Message("Needs the vehicles' positions ([traces] files)"), None, routes, source=source)
    d3, notices = _d3(city, None, _needed(plan, days))
    return Found((Finding("D1", None, NO_POSITIONS), d2, d3), _by_timetable(city, None, plan, days, d3), notices)


def _found(city: City, plan: TracePlan, heard: Heard, notices: tuple[Notice, ...]) -> Found:
    source = names_of(city.transit.feed if city.transit else None, *(city.traces.files if city.traces else ()))
    d3, more = _d3(city, heard.vehicles, _needed(plan, heard.days))
    listed = city.fleet.file if city.fleet else None
    d3 = replace(d3, source=names_of(*(city.traces.files if city.traces else ()), listed))
    findings = (_d1(heard, source), _d2(plan, heard, source), d3)
    return Found(findings, _by_timetable(city, heard.vehicles, plan, heard.days, d3), (*notices, *more))


def _d1(heard: Heard, source: str | None) -> Finding:
    if not heard.timed:
        return Finding("D1", None, Message("No position could be held against a trip of the timetable"), source=source)
    values: dict[str, Value] = {
        "positions": heard.positions,
        "trips": heard.trips,
        "timed": Percent(heard.timed / heard.positions),
        "off": Percent(heard.off_route / heard.positions),
    }
    how = Message(
        "Computed from {positions} positions on {trips} trips: {timed} have a deviation from the timetable, {off} were "
        "off the route",
        values,
    )
    return Finding("D1", 1.0, how, source=source)


def _d2(plan: TracePlan, heard: Heard, source: str | None) -> Finding:
    if not heard.trips:
        return Finding("D2", None, Message("No position could be held against a trip of the timetable"), source=source)
    due = _routes_due(plan, heard)
    states = [
        True if route in heard.routes else False if route in due else None
        for route in sorted(_routes_in_service(plan, heard.days))
    ]
    known = Message("{yes} of {all} routes in service: a vehicle's positions arrived on a trip of theirs")
    partly = Message(
        "Positions arrived on trips of {yes} of {all} routes in service; {unknown} had no whole trip while positions "
        "were recorded, so that the share lies from {low} to {high}"
    )
    return share("D2", count(states), known, partly, source=source)


def _routes_in_service(plan: TracePlan, days: tuple[int, ...]) -> set[int]:
    """Routes with a trip on any of some days, of all that have one where there are no days."""
    route = plan.timetable.trip_route
    return set(route.tolist()) if not days else set(route[_runs(plan, days)].tolist())


def _runs(plan: TracePlan, days: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    runs: npt.NDArray[np.bool_] = np.any([plan.services_running(day)[plan.trip_service] for day in days], axis=0)
    return runs


def _routes_due(plan: TracePlan, heard: Heard) -> set[int]:
    """Routes of which a whole trip was due while the trace covers the service: they would have been heard of."""
    found: set[int] = set()
    for day in heard.days:
        span_s = plan.origin_s(day) + plan.trip_span_s
        due = _runs(plan, (day,)) & heard.covered.whole(span_s[:, 0], span_s[:, 1])
        found.update(plan.timetable.trip_route[due].tolist())
    return found


def _d3(city: City, vehicles: frozenset[str] | None, needed: int | None) -> tuple[Finding, tuple[Notice, ...]]:
    """Vehicles heard of, of the city's list or of as many as it says that it has."""
    fleet = city.fleet
    listed, notices = (None, ()) if fleet is None or fleet.file is None else _listed(fleet.file, vehicles)
    everyone = len(listed) if listed is not None else fleet.vehicles if fleet is not None else None
    if vehicles is None:
        return Finding("D3", None, Message("Needs the vehicles' positions ([traces] files)"), None, everyone), notices
    if listed is not None:
        return _of_list(listed, vehicles), notices
    if everyone is None:
        high = _at_most(vehicles, needed)
        how = Message("{vehicles} vehicles were heard of; needs the whole fleet ([fleet])", {"vehicles": len(vehicles)})
        return Finding("D3", None, how, len(vehicles), high=high), ()
    return _of_number(everyone, vehicles), ()


def _listed(path: Path, vehicles: frozenset[str] | None) -> tuple[frozenset[str], tuple[Notice, ...]]:
    """Vehicles of a list, and a notice on those that were heard of and are not on it."""
    listed = frozenset(row["vehicle_id"] for _, row in read_table(path, ("vehicle_id",)) if row["vehicle_id"])
    strangers = sorted((vehicles or frozenset()) - listed)
    if not strangers:
        return listed, ()
    remedy = "They do not count: add them to the list, or write ids there as the positions have them"
    first = strangers[0]
    return listed, (Notice("FLEET_VEHICLE", "warning", str(path), None, "vehicle_id", first, remedy, len(strangers)),)


def _of_list(listed: frozenset[str], vehicles: frozenset[str]) -> Finding:
    how = Message("{yes} of the {all} vehicles on the city's list were heard of")
    return share("D3", Count(len(listed & vehicles), 0, len(listed)), how, how, source=None)


def _of_number(everyone: int, vehicles: frozenset[str]) -> Finding:
    if len(vehicles) > everyone:
        how = Message(
            "{yes} vehicles were heard of and the city says that it has {all}: one of the two is wrong",
            {"yes": len(vehicles), "all": everyone},
        )
        return Finding("D3", None, how, len(vehicles), everyone)
    how = Message("{yes} vehicles were heard of; the city says that it has {all}")
    return share("D3", Count(len(vehicles), 0, everyone), how, how, source=None)


def _by_timetable(
    city: City, vehicles: frozenset[str] | None, plan: TracePlan, days: tuple[int, ...], counted: Finding
) -> tuple[Finding, ...]:
    """D3 beside the least fleet that the timetable asks for, which is no share: the fleet may be larger."""
    needed = _needed(plan, days)
    if not needed:
        return ()
    how = Message(
        "The timetable has {needed} vehicles under way at once at its peak: a lower bound of the fleet, not the fleet",
        {"needed": needed},
    )
    heard = None if vehicles is None else len(vehicles)
    high = None if vehicles is None else _at_most(vehicles, needed)
    source = names_of(city.transit.feed if city.transit else None)
    reading = Message("Against the vehicles that the timetable needs at once")
    bound = Finding("D3", None, how, heard, needed, reading, source, high=high)
    return replace(counted, reading=Message("Of the fleet")), bound


def _at_most(vehicles: frozenset[str], needed: int | None) -> float | None:
    """The greatest share that can be connected where a timetable needs so many; None where that bounds nothing."""
    return len(vehicles) / needed if needed and len(vehicles) < needed else None


def _needed(plan: TracePlan, days: tuple[int, ...]) -> int | None:
    """Vehicles under way at once at the peak of the busiest of some days; None where there are no days."""
    return max((_peak(plan, day) for day in days), default=None)


def _peak(plan: TracePlan, day: int) -> int:
    """Blocks under way at once, at most; a trip without a block is one of its own. A block is a vehicle's day."""
    trips = np.flatnonzero(_runs(plan, (day,)))
    spans: dict[str, tuple[float, float]] = {}
    for trip, (begin_s, end_s) in zip(trips.tolist(), plan.trip_span_s[trips].tolist(), strict=True):
        block = plan.timetable.trips.block_ids[trip]
        name = f"block {block}" if block else f"trip {plan.timetable.trips.ids[trip]}"
        first_s, last_s = spans.get(name, (begin_s, end_s))
        spans[name] = min(first_s, begin_s), max(last_s, end_s)
    changes = sorted([(end_s, -1) for _, end_s in spans.values()] + [(begin_s, 1) for begin_s, _ in spans.values()])
    return int(np.cumsum([change for _, change in changes]).max(initial=0))
