"""Rows of the report's part on buses: how they kept their timetable, how evenly they came, what no bus can keep."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from gtfs.deviation_spread import PERCENTILES
from gtfs.headways import HeadwayAdherence, Headways, headway_adherence
from gtfs.on_time import ON_TIME_RULES
from networks.network import FloatArray
from scenarios.compare import TRANSIT, TRANSIT_METRICS, Comparison, Metric
from scenarios.content import ReportContent, plain
from scenarios.drawing import colour_of
from scenarios.numerals import NARROW, UNKNOWN, interval, number, shared_decimals
from scenarios.transit_content import TransitContent
from scenarios.views import DifferenceRow, DifferenceTable, sensing_of_pair
from scenarios.wording import tone_of, verdict_words
from sim.transit_tables import HeadwayRow, StopVisit

EARLY, ON_TIME, LATE, MISSING = JUDGED = ("early", "on time", "late", "missing")

_REASONS = {
    "signals": "red lights take more time than it has to spare",
    "stops": "it leaves no time to open doors",
    "speeds": "it is faster than the streets allow",
    "time to spare": "it is so slow that buses run early even at half the speed limit",
    "vehicle late": "the vehicle comes late from its trip before",
}


@dataclass(frozen=True, slots=True)
class PunctualityRow:
    """A variant's stop visits over all its runs: how many were due, shares of them, percentiles of deviation."""

    name: str
    colour: str
    due: str
    shares: tuple[str, ...]
    missing: str
    deviations: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HourCell:
    """Deviation under one variant: its median, the span of the middle 80 %, and the share of visits on time."""

    median: str
    span: str
    on_time: str


@dataclass(frozen=True, slots=True)
class HourRow:
    """A route in an hour, with a cell for each variant."""

    route: str
    hour: str
    cells: tuple[HourCell, ...]


@dataclass(frozen=True, slots=True)
class HeadwayCell:
    """How evenly a route's vehicles came under one variant."""

    cv: str
    service: str
    excess_wait: str
    bunched: str


@dataclass(frozen=True, slots=True)
class RegularityRow:
    """A route with a cell for each variant."""

    route: str
    cells: tuple[HeadwayCell, ...]


@dataclass(frozen=True, slots=True)
class UnkeptRow:
    """A pattern whose timetable cannot be kept on empty streets, and why."""

    pattern: str
    route: str
    trips: str
    kept: str
    reason: str


@dataclass(frozen=True, slots=True)
class TransitViews:
    """All that the part on buses shows, ready to be set."""

    punctuality: tuple[PunctualityRow, ...]
    differences: tuple[DifferenceTable, ...]
    hours: tuple[HourRow, ...]
    regularity: tuple[RegularityRow, ...]
    unkept: tuple[UnkeptRow, ...]
    patterns: int
    on_time: str


def transit_views(content: ReportContent) -> TransitViews | None:
    """Give the rows of every table on buses; None where the study has none."""
    transit = content.transit
    if transit is None:
        return None
    names = [variant.name for variant in content.variants]
    return TransitViews(
        punctuality=tuple(_punctuality_row(transit, name, position) for position, name in enumerate(names)),
        differences=tuple(paired_tables(content, TRANSIT, TRANSIT_METRICS)),
        hours=tuple(_hour_rows(transit, names)),
        regularity=tuple(_regularity_rows(transit, names)),
        unkept=tuple(_unkept_rows(transit)),
        patterns=len(transit.patterns),
        on_time=on_time_words(transit.on_time),
    )


def on_time_words(name: str) -> str:
    """What a rule calls on time, for a reader who does not know its name."""
    if name == "mbta":
        return (
            "at its first stop up to 180 s late and never early, on the way from 60 s early to 360 s late, at its end "
            "up to 300 s late (Massachusetts Bay Transportation Authority)"
        )
    rule = ON_TIME_RULES.get(name)
    earliest_s, latest_s = rule.middle if rule else tuple(float(part) for part in name.split(","))
    return f"{_bound(earliest_s)} to {_bound(latest_s)}"


def _bound(deviation_s: float) -> str:
    return f"{number(abs(deviation_s), 0)}{NARROW}s {'early' if deviation_s < 0 else 'late'}"


def _share(count: int, of: int) -> str:
    return f"{number(100 * count / of, 0)}{NARROW}%" if of else UNKNOWN


def _percentiles(visits: Sequence[StopVisit]) -> tuple[str, ...]:
    """Percentiles of deviation (s) of the visits that took place."""
    known_s = [visit.deviation_s for visit in visits if np.isfinite(visit.deviation_s)]
    found = np.percentile(known_s, PERCENTILES).tolist() if known_s else [np.nan] * len(PERCENTILES)
    return tuple(number(value, 0, signed=True) for value in found)


def _judged(visits: Sequence[StopVisit]) -> list[StopVisit]:
    """Visits that count: those due before the end of the simulation, or early for a later time."""
    return [visit for visit in visits if visit.punctuality in JUDGED]


def _punctuality_row(transit: TransitContent, variant: str, position: int) -> PunctualityRow:
    visits = _judged(transit.visits_of(variant))
    counts = [sum(visit.punctuality == kind for visit in visits) for kind in JUDGED]
    shares = {kind: _share(count, len(visits)) for kind, count in zip(JUDGED, counts, strict=True)}
    return PunctualityRow(
        name=plain(variant),
        colour=colour_of(position),
        due=number(len(visits)),
        shares=(shares[ON_TIME], shares[EARLY], shares[LATE], shares[MISSING]),
        missing=number(counts[-1]),
        deviations=_percentiles(visits),
    )


def paired_tables(content: ReportContent, scope: str, metrics: Sequence[Metric]) -> Iterator[DifferenceTable]:
    """Give a table for each variant that shares a finished seed with the first."""
    for name in content.challengers:
        found = [(metric, content.difference(name, metric.column, scope)) for metric in metrics]
        known = [(metric, row) for metric, row in found if row is not None and row.pairs]
        if known:
            rows = tuple(_difference_row(metric, row) for metric, row in known)
            pairs, missing = known[0][1].pairs, known[0][1].pairs_missing
            yield DifferenceTable(plain(name), pairs, missing, rows, sensing_of_pair(content, name))


def _difference_row(metric: Metric, found: Comparison) -> DifferenceRow:
    """A measure of one variant against the first; shares become per cent, their differences percentage points.

    A relative change is not given: deviation and excess wait may be next to zero, and per cent of per cent mislead.
    """
    factor, unit = (100.0, "%") if metric.unit == "share" else (1.0, metric.unit)
    difference, low, high = factor * found.difference_mean, factor * found.ci95_low, factor * found.ci95_high
    decimals = shared_decimals(difference, low, high)
    return DifferenceRow(
        label=metric.label,
        unit=unit,
        before=number(factor * found.baseline_mean, decimals),
        after=number(factor * found.variant_mean, decimals),
        difference=number(difference, decimals, signed=True),
        bounds=interval(low, high, decimals),
        share="",
        verdict=verdict_words(found, metric),
        tone=tone_of(found, metric),
    )


def _hour_rows(transit: TransitContent, variants: Sequence[str]) -> Iterator[HourRow]:
    """Rows by route and hour of the scheduled time, in that order."""
    grouped = {name: _by_hour(transit.visits_of(name)) for name in variants}
    keys = sorted({key for groups in grouped.values() for key in groups}, key=lambda key: (transit.rank(key[0]), key))
    for route, hour in keys:
        cells = tuple(_hour_cell(grouped[name].get((route, hour), [])) for name in variants)
        yield HourRow(plain(transit.route_name(route)), f"{hour:02d}:00", cells)


def _by_hour(visits: Sequence[StopVisit]) -> dict[tuple[str, int], list[StopVisit]]:
    def key(visit: StopVisit) -> tuple[str, int]:
        return visit.route_id, _hour(visit)

    return {name: list(rows) for name, rows in groupby(sorted(_judged(visits), key=key), key)}


def _hour(visit: StopVisit) -> int:
    """Hour on the clock of the scheduled departure, ``2026-05-13T07:10:00+02:00``."""
    return int(visit.schedule_departure_time.partition("T")[2][:2])


def _hour_cell(visits: Sequence[StopVisit]) -> HourCell:
    low, middle, high = _percentiles(visits)
    on_time = sum(visit.punctuality == ON_TIME for visit in visits)
    span = UNKNOWN if low == UNKNOWN else f"{low} to {high}"
    return HourCell(middle, span, _share(on_time, len(visits)))


def _regularity_rows(transit: TransitContent, variants: Sequence[str]) -> Iterator[RegularityRow]:
    found = {name: _adherence(transit, transit.headways_of(name)) for name in variants}
    for row, route in enumerate(transit.routes):
        yield RegularityRow(
            plain(transit.route_name(route)), tuple(_headway_cell(found[name].get(row)) for name in variants)
        )


def _adherence(transit: TransitContent, rows: Sequence[HeadwayRow]) -> dict[int, HeadwayAdherence]:
    """Regularity of each route, by its position among the routes."""
    headways = Headways(_values(row.headway_s for row in rows), _values(row.scheduled_headway_s for row in rows))
    group = np.array([transit.rank(row.route_id) for row in rows], dtype=np.int64)
    return {adherence.group: adherence for adherence in headway_adherence(headways, group)}


def _values(values: Iterator[float]) -> FloatArray:
    return np.array(list(values), dtype=np.float64)


def _headway_cell(found: HeadwayAdherence | None) -> HeadwayCell:
    if found is None:
        return HeadwayCell(UNKNOWN, "", UNKNOWN, UNKNOWN)
    return HeadwayCell(
        cv=number(found.cv, 2),
        service=found.level_of_service,
        excess_wait=number(found.excess_wait_s, 0, signed=True),
        bunched=_share(found.bunched, found.headways),
    )


def _unkept_rows(transit: TransitContent) -> Iterator[UnkeptRow]:
    """Patterns with a reason, the busiest first."""
    for row in sorted(transit.patterns, key=lambda row: (-row.trips, row.pattern_id)):
        if row.reason:
            yield UnkeptRow(
                plain(row.pattern_id),
                plain(row.route),
                number(row.trips),
                f"{number(100 * row.kept_share, 0)}{NARROW}%" if np.isfinite(row.kept_share) else UNKNOWN,
                _REASONS.get(row.reason, plain(row.reason)),
            )
