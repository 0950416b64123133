"""Electronic fare payment (F1 to F3): which routes and vehicles take it, and how many payments are made by it."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path

from gtfs.feed import Feed
from networks.csv_rows import Row
from networks.faults import InputError, Notice
from scenarios.city import City, Payments
from scenarios.city_counts import Count, Found, count, names_of, read_states, read_table, share
from scenarios.indicators import Finding
from scenarios.message import Message

MOST = 10**12
"""More payments than any city has."""


def fare_payment(city: City, feed: Feed | None) -> Found:
    """F1, F2 and F3 of a city, ``feed`` being its timetable.

    Raises
    ------
    InputError
        As :func:`scenarios.city_counts.read_states`; CITY_VALUE where payments are no whole numbers, or those made
        electronically more than all.
    """
    f1, route_notices = _f1(city, feed)
    f2, vehicle_notices = _f2(city)
    f3, payment_notices = _f3(city)
    return Found((f1, f2, f3), notices=(*route_notices, *vehicle_notices, *payment_notices))


def _f1(city: City, feed: Feed | None) -> tuple[Finding, tuple[Notice, ...]]:
    """Routes of the feed where there is one, else of the table."""
    if city.fares is None or city.fares.routes is None:
        return Finding("F1", None, Message("Needs a table of routes with electronic payment ([fares] routes)")), ()
    states, notices = read_states(city.fares.routes, "route_id", "electronic")
    routes = list(states) if feed is None else sorted(set(feed.gtfs.trips["route_id"].tolist()))
    finding = share(
        "F1",
        count(states.get(route) for route in routes),
        Message("{yes} of {all} routes take electronic payment"),
        Message(
            "{yes} of {all} routes take electronic payment and of {unknown} it is not known, so that the share lies "
            "from {low} to {high}"
        ),
        source=names_of(city.fares.routes, None if feed is None else feed.path),
    )
    return finding, (*notices, *_strangers(city.fares.routes, "route_id", states, routes))


def _f2(city: City) -> tuple[Finding, tuple[Notice, ...]]:
    """Vehicles of the fleet's list where there is one, else of the table."""
    if city.fares is None or city.fares.vehicles is None:
        return Finding("F2", None, Message("Needs a table of vehicles with electronic payment ([fares] vehicles)")), ()
    states, notices = read_states(city.fares.vehicles, "vehicle_id", "electronic")
    fleet = city.fleet.file if city.fleet else None
    vehicles = list(states)
    if fleet is not None:
        vehicles = sorted({row["vehicle_id"] for _, row in read_table(fleet, ("vehicle_id",))} - {""})
    finding = share(
        "F2",
        _with_unlisted(count(states.get(vehicle) for vehicle in vehicles), city),
        Message("{yes} of {all} vehicles take electronic payment"),
        Message(
            "{yes} of {all} vehicles take electronic payment and of {unknown} it is not known, so that the share lies "
            "from {low} to {high}"
        ),
        source=names_of(city.fares.vehicles, fleet),
    )
    return finding, (*notices, *_strangers(city.fares.vehicles, "vehicle_id", states, vehicles))


def _with_unlisted(counted: Count, city: City) -> Count:
    """With the vehicles that a city says it has beyond those of the table: of them nothing is known."""
    said = city.fleet.vehicles if city.fleet and city.fleet.vehicles else 0
    more = max(0, said - counted.all)
    return replace(counted, unknown=counted.unknown + more, all=counted.all + more)


def _f3(city: City) -> tuple[Finding, tuple[Notice, ...]]:
    """Payments of all periods of which both numbers are known."""
    needed = Message("Needs payments made electronically and all payments ([fares] payments)")
    given = city.fares.payments if city.fares else None
    if given is None:
        return Finding("F3", None, needed), ()
    rows, notices = ([given], ()) if isinstance(given, Payments) else _read_payments(given)
    source = city.path.name if isinstance(given, Payments) else given.name
    electronic, everything = (sum(getattr(row, name) for row in rows) for name in ("electronic", "all_payments"))
    how = Message("{yes} of {all} payments were made electronically")
    finding = share("F3", Count(electronic, 0, everything), how, how, source=source)
    return (finding if rows else Finding("F3", None, needed, source=source)), notices


def _read_payments(path: Path) -> tuple[list[Payments], tuple[Notice, ...]]:
    """Payments by period; a period of which a number is missing is left out whole, and noted."""
    found: list[Payments] = []
    notices: list[Notice] = []
    for line, row in read_table(path, ("electronic", "all")):
        if row["electronic"] and row["all"]:
            found.append(_payments(path, line, row))
        else:
            remedy = "Give both numbers; the period is left out"
            field = "all" if row["electronic"] else "electronic"
            notices.append(Notice("PAYMENTS_UNKNOWN", "warning", str(path), line, field, "", remedy))
    return found, tuple(notices)


def _payments(path: Path, line: int, row: Row) -> Payments:
    numbers = []
    for field in ("electronic", "all"):
        text = row[field]
        if not (text.isascii() and text.isdigit() and len(text) <= len(str(MOST)) and int(text) <= MOST):
            what, remedy = f"{text[:40]!r} is no count of payments", "Give a whole number"
            raise InputError("CITY_VALUE", what, file=path, row=line, field=field, remedy=remedy)
        numbers.append(int(text))
    if numbers[0] > numbers[1]:
        what = f"{numbers[0]} electronic payments are more than all, {numbers[1]}"
        raise InputError("CITY_VALUE", what, file=path, row=line, field="electronic", remedy="Correct the row")
    return Payments(*numbers)


def _strangers(path: Path, key: str, states: Mapping[str, object], known: Collection[str]) -> tuple[Notice, ...]:
    """A notice on ids of a table that the feed or the fleet does not have."""
    lost = sorted(set(states) - set(known))
    if not lost:
        return ()
    remedy = "Use the ids of the feed or of the fleet's list; such rows are left out"
    return (Notice("CITY_STRANGER", "warning", str(path), None, key, lost[0], remedy, len(lost)),)
