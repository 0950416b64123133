"""Rows of the report's tables: values rounded and worded for people, ready to be set."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scenarios.compare import FINISHED, JUNCTION_METRICS, NETWORK_METRICS, Comparison, Metric
from scenarios.content import Place, ReportContent, plain
from scenarios.drawing import colour_of
from scenarios.numerals import interval, number, percent, shared_decimals
from scenarios.wording import Tone, tone_of, verdict_words
from sim.measures import RunMeasures, level_of_service

_JUNCTION_DELAY = JUNCTION_METRICS[0]


@dataclass(frozen=True, slots=True)
class VariantRow:
    """A variant: its name, its colour in the figures, its controller, what that was given and what it sees."""

    name: str
    colour: str
    controller: str
    parameters: str
    sensing: str


@dataclass(frozen=True, slots=True)
class DifferenceRow:
    """One measure of one variant against the first: means, difference with interval, and the verdict."""

    label: str
    unit: str
    before: str
    after: str
    difference: str
    bounds: str
    share: str
    verdict: str
    tone: Tone


@dataclass(frozen=True, slots=True)
class DifferenceTable:
    """All measures of one variant against the first."""

    variant: str
    pairs: int
    pairs_missing: int
    rows: tuple[DifferenceRow, ...]
    sensing: str = ""


@dataclass(frozen=True, slots=True)
class JunctionCell:
    """A junction under one variant: delay, level of service, and the change with its interval where there is one."""

    delay: str
    service: str
    change: str
    tone: Tone


@dataclass(frozen=True, slots=True)
class JunctionRow:
    """A junction compared, with a cell for each variant."""

    place: Place
    signalised: bool
    volume: str
    cells: tuple[JunctionCell, ...]


@dataclass(frozen=True, slots=True)
class SiteRow:
    """A ranked site; ``compared_as`` are the numbers of its junctions on the map, empty where none was compared."""

    rank: str
    name: str
    crashes: str
    injury_crashes: str
    position: str
    compared_as: str


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run, or the sum of a variant's runs, as texts."""

    name: str
    seed: str
    status: str
    cells: tuple[str, ...]


RUN_COLUMNS = (
    ("delay_per_scheduled_s", "delay (s)"),
    ("scheduled", "scheduled"),
    ("arrived", "arrived"),
    ("never_inserted", "never entered"),
    ("teleports", "removed"),
    ("collisions", "collisions"),
    ("emergency_braking", "emergency brakings"),
    ("refused_wishes", "refused wishes"),
    ("monitor_violations", "conflicting greens"),
)
"""Columns of the report's table of runs: field of RunMeasures, heading."""


def network_facts(content: ReportContent) -> dict[str, int]:
    """How large the network is: street sections for cars, their length (km), traffic lights."""
    network = content.network
    streets = network.edges_for("passenger")
    length_km = float(network.edge_length_m[streets].sum()) / 1000
    return {"streets": int(np.count_nonzero(streets)), "length_km": round(length_km), "signals": len(network.signals)}


def variant_rows(content: ReportContent) -> tuple[VariantRow, ...]:
    """Give the variants in the study's order."""
    return tuple(
        VariantRow(
            plain(variant.name),
            colour_of(position),
            plain(variant.controller),
            ", ".join(f"{plain(key)} = {plain(str(value))}" for key, value in sorted(variant.parameters.items())),
            plain(variant.sensing),
        )
        for position, variant in enumerate(content.variants)
    )


def difference_tables(content: ReportContent) -> tuple[DifferenceTable, ...]:
    """Give a table for each variant that shares a finished seed with the first."""
    tables = []
    for name in content.challengers:
        found = [(metric, content.difference(name, metric.column)) for metric in NETWORK_METRICS]
        known = [(metric, row) for metric, row in found if row is not None and row.pairs]
        if known:
            rows = tuple(_difference_row(metric, row) for metric, row in known)
            sensing = sensing_of_pair(content, name)
            tables.append(DifferenceTable(plain(name), known[0][1].pairs, known[0][1].pairs_missing, rows, sensing))
    return tuple(tables)


def sensing_of_pair(content: ReportContent, variant: str) -> str:
    """What a variant and the first one see, for the caption of a table that compares them."""
    words = {each.name: each.sensing for each in content.variants}
    return f"the first sees {plain(words[variant])}, the other {plain(words[content.baseline])}"


def _difference_row(metric: Metric, found: Comparison) -> DifferenceRow:
    decimals = shared_decimals(found.difference_mean, found.ci95_low, found.ci95_high)
    return DifferenceRow(
        label=metric.label,
        unit=metric.unit,
        before=number(found.baseline_mean, decimals),
        after=number(found.variant_mean, decimals),
        difference=number(found.difference_mean, decimals, signed=True),
        bounds=interval(found.ci95_low, found.ci95_high, decimals),
        share=percent(found.relative_difference),
        verdict=verdict_words(found, metric),
        tone=tone_of(found, metric),
    )


def junction_rows(content: ReportContent) -> tuple[JunctionRow, ...]:
    """Give the junctions compared, by number."""
    signalised = {row.junction: row.signalised for row in content.finished_junctions}
    return tuple(
        JunctionRow(
            place,
            signalised[place.junction],
            number(content.junction_mean(content.baseline, place.junction, "volume_veh_per_h"), 0),
            tuple(
                _junction_cell(content, place, variant.name, signalised=signalised[place.junction])
                for variant in content.variants
            ),
        )
        for place in content.places
    )


def _junction_cell(content: ReportContent, place: Place, variant: str, *, signalised: bool) -> JunctionCell:
    delay_s = content.junction_mean(variant, place.junction, "delay_s")
    delay, service = number(delay_s), level_of_service(delay_s, signalised=signalised)
    found = content.difference(variant, _JUNCTION_DELAY.column, place.junction)
    if found is None or not found.pairs:
        return JunctionCell(delay, service, "", "unclear")
    decimals = shared_decimals(found.difference_mean, found.ci95_low, found.ci95_high)
    change = number(found.difference_mean, decimals, signed=True)
    if found.pairs > 1:
        change += f" ({interval(found.ci95_low, found.ci95_high, decimals)})"
    return JunctionCell(delay, service, change, tone_of(found, _JUNCTION_DELAY))


def site_rows(content: ReportContent) -> tuple[SiteRow, ...]:
    """Give the ranked junctions, by rank."""
    return tuple(
        SiteRow(
            number(site.rank),
            plain(" / ".join(site.street_names[:3])) or site.site,
            number(site.crashes),
            number(site.injury_crashes),
            f"{site.lat:.5f}, {site.lon:.5f}" if math.isfinite(site.lat + site.lon) else "",
            ", ".join(str(place.number) for place in content.places if place.site is site),
        )
        for site in content.hotspots
    )


def run_totals(content: ReportContent) -> tuple[RunRow, ...]:
    """Give for each variant how its runs went and the means of those that finished."""
    return tuple(
        RunRow(
            plain(variant.name), "", _status_of_all(content, variant.name), _cells(content.finished_of(variant.name))
        )
        for variant in content.variants
    )


def run_rows(content: ReportContent) -> tuple[RunRow, ...]:
    """Give every run, by variant and seed."""
    return tuple(
        RunRow(plain(variant.name), str(run.seed), _status(run), _cells([run] if run.status == FINISHED else []))
        for variant in content.variants
        for run in content.runs_of(variant.name)
    )


def safety_facts(content: ReportContent) -> dict[str, int]:
    """Sums over the finished runs: how many they are, what the monitor found, what the interlock refused."""
    finished = [run for run in content.runs if run.status == FINISHED]
    return {
        "finished": len(finished),
        "violations": sum(run.monitor_violations for run in finished),
        "refused": sum(run.refused_wishes for run in finished),
    }


def _status(run: RunMeasures) -> str:
    return "gridlocked" if run.status == FINISHED and run.gridlocked else plain(run.status)


def _status_of_all(content: ReportContent, variant: str) -> str:
    runs, finished = content.runs_of(variant), content.finished_of(variant)
    failed, stuck = len(runs) - len(finished), sum(run.gridlocked for run in finished)
    parts = [f"{len(finished)} of {len(runs)} finished"]
    parts += [f"{failed} failed"] if failed else []
    parts += [f"{stuck} gridlocked"] if stuck else []
    return ", ".join(parts)


def _cells(runs: Sequence[RunMeasures]) -> tuple[str, ...]:
    """Means of the columns over runs, en dashes over none."""
    columns = [[getattr(run, column) for run in runs] for column, _ in RUN_COLUMNS]
    return tuple(number(math.fsum(values) / len(values) if values else math.nan) for values in columns)
