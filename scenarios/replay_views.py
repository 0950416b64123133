"""Rows and sentences of a replay's report, ready to be set."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from gtfs.clock import local_text
from gtfs.headways import BUNCHED_BELOW, GAP_ABOVE, GAP_EXCESS_S
from gtfs.on_time import OnTimeCounts
from gtfs.tides import EVIDENCE
from gtfs.trace_kernels import NO_TRIP
from gtfs.trace_plan import day_date
from networks.faults import Notice
from scenarios.caveats import Caveat
from scenarios.content import plain
from scenarios.numerals import NARROW, UNKNOWN, number
from scenarios.replay_figures import busiest, route_name
from scenarios.replay_tally import Counts, Tally, counts_of, percentiles_s
from scenarios.replay_worst import Spacing, TripLateness
from scenarios.transit_views import on_time_words
from scenarios.wording import counted, listed

KNOWN_CALLS, KNOWN_TRIPS = 100, 10
"""With fewer calls whose fate is known, or fewer trips that they are of, a route is not called the worst."""

MANY_WITHOUT_TRIP = 0.1
"""Of positions: where more belong to no trip, it is said beside the shares."""

FATES = {
    "read": "read",
    "left_out": "left out when they were read: old when published, out of range or illegible; see the faults below",
    "late": "came more than a minute after newer ones of their vehicle, so too late to count",
    "duplicate": "say again what the vehicle said just before",
    "jump": "would need a speed that no bus reaches",
    "matched": "placed on the line of their trip",
    "off_route": "off the route of their trip",
    "not_started": "on a trip that had not begun: on the way to its first stop, or waiting there",
    "finished": "on a trip that was over",
    "no_trip": "without a trip that the feed knows",
    "other_days": "on days on which no vehicle was seen on a trip",
}
"""What became of pings, in words; other names are shown as they are."""


@dataclass(frozen=True, slots=True)
class RouteRow:
    """A route: calls due, shares of them, percentiles of deviation, regularity."""

    name: str
    due: str
    on_time: str
    shares: tuple[str, ...]
    deviations: tuple[str, ...]
    cv: str
    service: str
    excess_wait: str
    bunched: str


@dataclass(frozen=True, slots=True)
class TripRow:
    """A trip far off its timetable."""

    route: str
    start: str
    trip: str
    vehicle: str
    mean: str
    span: str
    known: str
    tone: str


@dataclass(frozen=True, slots=True)
class SpacingRow:
    """Two vehicles too near to each other, or too far."""

    route: str
    time: str
    stop: str
    vehicles: str
    headway: str
    scheduled: str
    stops: str


@dataclass(frozen=True, slots=True)
class DetourRow:
    """A vehicle that left its route."""

    route: str
    trip: str
    vehicle: str
    begin: str
    end: str
    off: str
    skipped: str


@dataclass(frozen=True, slots=True)
class CountRow:
    """A count with what it counts."""

    words: str
    count: str
    share: str


@dataclass(frozen=True, slots=True)
class ReplayViews:
    """All that the report shows in words and tables."""

    headlines: tuple[str, ...]
    warnings: tuple[Caveat, ...]
    on_time: str
    days: str
    routes: tuple[RouteRow, ...]
    worst: tuple[TripRow, ...]
    bunched: tuple[SpacingRow, ...]
    gaps: tuple[SpacingRow, ...]
    detours: tuple[DetourRow, ...]
    pings: tuple[CountRow, ...]
    trips: tuple[CountRow, ...]
    quality: tuple[CountRow, ...]
    events: tuple[CountRow, ...]
    notices: tuple[Notice, ...]
    regularity_rule: str


@dataclass(frozen=True, slots=True)
class Simulated:
    """What became of the vehicles in a simulation: how far to believe it, counts, rules, and the figure's name."""

    verdict: str
    rows: tuple[CountRow, ...]
    notes: tuple[str, ...]
    figure: str


def replay_views(tally: Tally, note: str) -> ReplayViews:
    """Give all rows and sentences."""
    return ReplayViews(
        headlines=tuple(headlines(tally)),
        warnings=tuple(_warnings(tally, note)),
        on_time=on_time_words(tally.latest.rule.name),
        days=days_words(tally),
        routes=tuple(_route_row(tally, route) for route in busiest(tally.by_route())),
        worst=tuple(_trip_row(tally, row) for row in tally.worst),
        bunched=tuple(_spacing_row(tally, row) for row in tally.bunched),
        gaps=tuple(_spacing_row(tally, row) for row in tally.gaps),
        detours=tuple(_detour_rows(tally)),
        pings=tuple(_ping_rows(tally)),
        trips=tuple(_trip_counts(tally)),
        quality=tuple(_quality_rows(tally)),
        events=tuple(CountRow(kind, number(count), "") for kind, count in sorted(tally.events.items())),
        notices=tuple(tally.latest.notices),
        regularity_rule=(
            f"Bunched is a vehicle that follows at less than {number(BUNCHED_BELOW)} of the scheduled headway; a gap "
            f"is more than {number(GAP_ABOVE)} times it, or more than {number(GAP_EXCESS_S)}{NARROW}s above it"
        ),
    )


def days_words(tally: Tally) -> str:
    """The service days of a replay."""
    days = [day_date(day) for day in sorted(tally.days)]
    first, last = days[0], days[-1]
    if len(days) == 1:
        return f"{first:%A %-d %B %Y}"
    begin = f"{first:%-d}" if (first.year, first.month) == (last.year, last.month) else f"{first:%-d %B %Y}"
    return f"{begin} to {last:%-d %B %Y}"


def headlines(tally: Tally) -> Iterator[str]:
    """The answer in a few sentences that hold whatever came out."""
    counts, timepoints = tally.all_stops(), tally.timepoints()
    are = "is" if tally.missing == 1 else "are"
    missing = f"; {number(tally.missing)} more {are} missing, though the trace covers their time"
    unjudged = (
        f" Of {counted(tally.unjudged, 'other trip')} that nobody was seen on the trace cannot tell whether "
        f"{'it' if tally.unjudged == 1 else 'they'} ran."
    )
    yield (
        f"{counted(tally.performed, 'trip')} of {counted(len(tally.vehicles), 'vehicle')} "
        f"{'was' if tally.performed == 1 else 'were'} seen{missing if tally.missing else ''}."
        f"{unjudged if tally.unjudged else ''}"
    )
    yield _on_time_sentence(counts, timepoints, on_time_words(tally.latest.rule.name))
    yield from _without_trip(tally)
    yield from _worst_route(tally)
    if tally.bunched_pairs:
        visits = tally.headways.of_all().bunched
        pairs = counted(tally.bunched_pairs, "pair")
        yield f"{pairs} of vehicles ran bunched, at {counted(visits, 'stop visit')} in all."
    left = [
        words
        for words, count in (
            (counted(tally.events["off route"], "time") + " a vehicle left its route", tally.events["off route"]),
            (counted(tally.skipped, "stop") + f" {'was' if tally.skipped == 1 else 'were'} left out", tally.skipped),
        )
        if count
    ]
    if left:
        yield f"{listed(left)}.".capitalize()


def _without_trip(tally: Tally) -> Iterator[str]:
    """Shares over those whose trip is known are no shares of all: who keeps to the timetable is told more easily."""
    share = tally.found[NO_TRIP] / max(sum(tally.found.values()), 1)
    if share > MANY_WITHOUT_TRIP:
        yield (
            f"{_share(share)} of positions belong to no trip that could be told. Where vehicles name no trip, one that "
            "keeps to the timetable is told more easily, so these shares may flatter."
        )


def _on_time_sentence(counts: OnTimeCounts, timepoints: OnTimeCounts, rule: str) -> str:
    if not counts.judged:
        return "Of no call is known when it was served, so nothing can be said of punctuality."
    at_timepoints = f" (at timepoints alone {_share(timepoints.on_time_share)})" if timepoints.judged else ""
    unknown = f" {counted(counts.unknown, 'more call')} cannot be judged." if counts.unknown else ""
    return (
        f"{_share(counts.on_time_share)} of {counted(counts.judged, 'call')} whose fate is known "
        f"{'was' if counts.judged == 1 else 'were'} on time{at_timepoints}, that is {rule}: "
        f"{_share(counts.early / counts.judged)} early, {_share(counts.late / counts.judged)} late, "
        f"{_share(counts.missing / counts.judged)} missing.{unknown}"
    )


def _worst_route(tally: Tally) -> Iterator[str]:
    by_route = tally.by_route()
    found = {route: counts_of(by_route[route]) for route in busiest(by_route)}
    enough = {route for route, trips in tally.known_trips.items() if trips >= KNOWN_TRIPS}
    known = {route: counts for route, counts in found.items() if counts.judged >= KNOWN_CALLS and route in enough}
    if len(known) > 1:
        worst = min(known, key=lambda route: known[route].on_time_share)
        counts = known[worst]
        yield (
            f"Of the {number(len(known))} routes with {KNOWN_CALLS} known calls of {KNOWN_TRIPS} trips or more, "
            f"{plain(route_name(tally, worst))} was worst: {_share(counts.on_time_share)} of "
            f"{counted(counts.judged, 'known call')} on time."
        )


def _warnings(tally: Tally, note: str) -> Iterator[Caveat]:
    """What a reader has to know before using the figures."""
    if note:
        yield Caveat("Note", plain(note), is_strong=True)
    made_up = sum(vehicle.casefold().startswith("synthetic") for vehicle in tally.latest.vehicles)
    if made_up:
        yield Caveat(
            "Synthetic trace",
            f"{counted(made_up, 'vehicle')} of {number(len(tally.latest.vehicles))} "
            f"{'bears' if made_up == 1 else 'bear'} an id that says it was made up. "
            "The figures show how the tools work and say nothing about a real service.",
            is_strong=True,
        )
    if tally.added:
        yield Caveat(
            "Trips on days that are not theirs",
            f"{counted(tally.added, 'trip')} ran on a service day on which the feed has no such trip. Check that feed "
            "and trace are of the same time; these trips are marked Added.",
            is_strong=True,
        )
    if tally.shapeless:
        yield Caveat(
            "Lines without a shape",
            f"Of {counted(tally.shapeless, 'trip')} the feed does not say which way they go. Their lines are straight "
            "from stop to stop, so no vehicle on them is said to have left its route, and of positions beside them no "
            "time is known. Give a feed with shapes.txt.",
            is_strong=False,
        )
    counts = tally.all_stops()
    if counts.unknown > counts.judged:
        yield Caveat(
            "Mostly unknown",
            "Of more than half of the calls nothing is known, because no position lies near enough in time. The shares "
            "are of the rest and may not be like the whole.",
            is_strong=True,
        )


def _share(share: float) -> str:
    return f"{number(100 * share, 0)}{NARROW}%" if not math.isnan(share) else UNKNOWN


def _route_row(tally: Tally, route: int) -> RouteRow:
    counts = counts_of(tally.by_route()[route])
    due = counts.judged + counts.unknown
    regular = tally.headways.of_route(route)
    spread: Counts = tally.spread[route].sum(axis=0)
    parts = (counts.early, counts.late, counts.missing)
    return RouteRow(
        name=plain(route_name(tally, route)),
        due=number(due),
        on_time=_share(counts.on_time_share),
        shares=(
            *(_share(part / counts.judged) if counts.judged else UNKNOWN for part in parts),
            _share(counts.unknown / due),
        ),
        deviations=tuple(number(value, 0, signed=True) for value in percentiles_s(spread, (0.1, 0.5, 0.9))),
        cv=number(regular.cv, 2),
        service=regular.level_of_service,
        excess_wait=number(regular.excess_wait_s, 0, signed=True),
        bunched=_share(regular.bunched / regular.headways) if regular.headways else UNKNOWN,
    )


def _trip_row(tally: Tally, row: TripLateness) -> TripRow:
    return TripRow(
        route=plain(route_name(tally, row.route)),
        start=_moment(tally, row.start_s),
        trip=row.trip_id,
        vehicle=row.vehicle_id,
        mean=number(row.mean_s / 60, 1, signed=True),
        span=f"{number(row.least_s / 60, 1, signed=True)} to {number(row.greatest_s / 60, 1, signed=True)}",
        known=f"{number(row.known)} of {number(row.calls)}",
        tone="worse" if row.mean_s > 0 else "better",
    )


def _spacing_row(tally: Tally, row: Spacing) -> SpacingRow:
    return SpacingRow(
        route=plain(route_name(tally, row.route)),
        time=_moment(tally, row.time_s, with_seconds=True),
        stop=tally.latest.plan.timetable.stops.names[row.stop],
        vehicles=f"{row.vehicle_id} behind {row.ahead_vehicle_id}",
        headway=number(row.headway_s, 0),
        scheduled=number(row.scheduled_s, 0),
        stops=number(row.stops),
    )


def _detour_rows(tally: Tally) -> Iterator[DetourRow]:
    for detour in tally.detours:
        yield DetourRow(
            route=plain(route_name(tally, detour.route)),
            trip=detour.trip_id,
            vehicle=detour.vehicle_id,
            begin=_moment(tally, detour.begin_s, with_seconds=True),
            end=_moment(tally, detour.end_s, with_seconds=True),
            off=number(detour.off_m, 0) if detour.off_m else UNKNOWN,
            skipped=", ".join(plain(name) for name in detour.skipped) or "none",
        )


def _ping_rows(tally: Tally) -> Iterator[CountRow]:
    counts = tally.pings()
    whole = counts.get("read", 0)
    for name, count in counts.items():
        words = FATES.get(name, name.replace("_", " "))
        yield CountRow(words, number(count), _share(count / whole) if whole else "")


def _trip_counts(tally: Tally) -> Iterator[CountRow]:
    for kind, words in EVIDENCE.items():
        if count := tally.evidence[kind]:
            yield CountRow(f"found by {words}", number(count), _share(count / tally.performed))
    yield CountRow("missing: scheduled, and nobody was seen on them", number(tally.missing), "")
    if tally.unjudged:
        words = (
            "not judged: nobody was seen on them, but the trace shows half of their route's trips or fewer, or a "
            "vehicle without a trip was at a third of their stops around their time"
        )
        yield CountRow(words, number(tally.unjudged), "")


def _quality_rows(tally: Tally) -> Iterator[CountRow]:
    words = (
        "unknown: no position near enough in time",
        "interpolated: between positions before and after the stop",
        "observed: a position within the stop's zone",
    )
    whole = sum(tally.quality.values())
    for kind in (2, 1, 0):
        yield CountRow(words[kind], number(tally.quality[kind]), _share(tally.quality[kind] / whole) if whole else "")
    yield CountRow("left out by the vehicle (among the above)", number(tally.skipped), "")


def _moment(tally: Tally, time_s: float, *, with_seconds: bool = False) -> str:
    """Time in the feed's zone, with the date where there are several days."""
    text = local_text(round(time_s), tally.latest.plan.timetable.timezone)
    clock = text[11:19] if with_seconds else text[11:16]
    return f"{text[:10]} {clock}" if len(tally.days) > 1 else clock
