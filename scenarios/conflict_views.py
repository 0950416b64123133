"""The safety side of a report: delay and conflicts of each variant in one table, and the same at each site."""

import math
from dataclasses import dataclass

from scenarios.compare import mean_interval
from scenarios.conflict_results import (
    ALL_SITES,
    BY_ANY,
    BY_PET,
    BY_SERIOUS,
    CROSS_OR_MERGE,
    FOLLOWING,
    ConflictComparison,
)
from scenarios.content import ReportContent, plain
from scenarios.drawing import colour_of
from scenarios.numerals import interval, number, percent, shared_decimals

KINDS = (
    (CROSS_OR_MERGE, BY_PET, "crossing or merging, PET up to 5 s"),
    (CROSS_OR_MERGE, BY_SERIOUS, "crossing or merging, PET up to 2 s (serious)"),
    ("crossing", BY_PET, "crossing, PET up to 5 s"),
    ("merging", BY_PET, "merging, PET up to 5 s"),
    (CROSS_OR_MERGE, BY_ANY, "crossing or merging, by PET or by TTC up to 1.5 s"),
    (FOLLOWING, BY_ANY, "rear-end, TTC up to 1.5 s"),
)
"""Kinds and measures with their labels, those first that hang least on step and driver model."""

SITE_KIND, SITE_MEASURE = CROSS_OR_MERGE, BY_PET


@dataclass(frozen=True, slots=True)
class SafetyRow:
    """One measure of one variant: mean with interval, and against the first one the difference and its share."""

    label: str
    mean: str
    bounds: str
    difference: str
    difference_bounds: str
    relative: str


@dataclass(frozen=True, slots=True)
class SafetyTable:
    """Delay and conflicts of one variant."""

    variant: str
    colour: str
    pairs: int
    rows: tuple[SafetyRow, ...]


@dataclass(frozen=True, slots=True)
class SafetySite:
    """Conflicts per 1,000 vehicles at a site, crossing and merging: the first variant's, others' with relative risk."""

    name: str
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SafetyViews:
    """What the section shows. ``step`` and ``looks`` are declared, since rear-end encounters hang on them."""

    tables: tuple[SafetyTable, ...]
    sites: tuple[SafetySite, ...]
    step_s: str


def conflict_views(content: ReportContent) -> SafetyViews | None:
    """Give the tables; None where nobody looked for conflicts."""
    if content.conflicts is None:
        return None
    index = {(row.junction, row.kind, row.measure, row.variant): row for row in content.conflicts.comparisons}
    has_course = any(kind == FOLLOWING for _, kind, *_ in index)
    kinds = KINDS if has_course else [row for row in KINDS if row[1] != BY_ANY]  # by PET alone both are the same
    tables = []
    for position, variant in enumerate(content.variants):
        named = [(index.get((ALL_SITES, kind, measure, variant.name)), label) for kind, measure, label in kinds]
        found = [(row, label) for row, label in named if row is not None and math.isfinite(row.mean)]
        rows = [_delay_row(content, variant.name)]
        rows += [_row(row, f"conflicts: {label}", variant.name != content.baseline) for row, label in found]
        pairs = max((row.pairs for row, _ in found), default=0)
        tables.append(SafetyTable(plain(variant.name), colour_of(position), pairs, tuple(rows)))
    return SafetyViews(tuple(tables), _sites(content, index), number(content.step_s, 1))


def _delay_row(content: ReportContent, variant: str) -> SafetyRow:
    mean, low, high = mean_interval([run.delay_per_scheduled_s for run in content.finished_of(variant)])
    found = content.difference(variant, "delay_per_scheduled_s")
    label = "delay per scheduled vehicle (s)"
    if found is None:
        return SafetyRow(label, number(mean, 1), _range(low, high, 1), "", "", "")
    bounds = interval(found.ci95_low, found.ci95_high, 1)
    share = percent(found.relative_difference)
    return SafetyRow(
        label, number(mean, 1), _range(low, high, 1), number(found.difference_mean, 1, signed=True), bounds, share
    )


def _row(found: ConflictComparison, label: str, is_compared: bool) -> SafetyRow:  # noqa: FBT001 - a plain fact
    decimals = max(
        shared_decimals(found.mean, found.mean_low, found.mean_high),
        shared_decimals(found.difference, found.ci95_low, found.ci95_high) if is_compared and found.pairs else 0,
    )
    mean, bounds = number(found.mean, decimals), _range(found.mean_low, found.mean_high, decimals)
    if not is_compared or not found.pairs:
        return SafetyRow(label, mean, bounds, "", "", "")
    difference = number(found.difference, decimals, signed=True)
    between = interval(found.ci95_low, found.ci95_high, decimals)
    return SafetyRow(label, mean, bounds, difference, between, _risk(found))


def _sites(
    content: ReportContent, index: dict[tuple[str, str, str, str], ConflictComparison]
) -> tuple[SafetySite, ...]:
    """Sites by the first variant's rate of crossing and merging conflicts, most first."""
    names = {place.junction: place.name for place in content.places}
    sites = dict.fromkeys(site for site, *_ in index if site != ALL_SITES)

    def rate(site: str) -> float:
        found = index.get((site, SITE_KIND, SITE_MEASURE, content.baseline))
        return found.mean if found and found.mean == found.mean else 0.0

    ranked = sorted((site for site in sites if rate(site) > 0), key=lambda site: (-rate(site), site))
    return tuple(
        SafetySite(
            plain(names.get(site, site)),
            tuple(_cell(index.get((site, SITE_KIND, SITE_MEASURE, each.name)), content) for each in content.variants),
        )
        for site in ranked
    )


def _cell(found: ConflictComparison | None, content: ReportContent) -> str:
    if found is None:
        return ""
    text = f"{number(found.mean, 1)} ({_range(found.mean_low, found.mean_high, 1)})"
    is_compared = found.variant != content.baseline and found.pairs
    return f"{text}; {_risk(found)}" if is_compared else text


def _risk(found: ConflictComparison) -> str:
    return f"relative risk {number(found.relative_risk, 2)} ({_range(found.risk_low, found.risk_high, 2)})"


def _range(low: float, high: float, decimals: int) -> str:
    """Bounds of a value that has no sign."""
    return f"{number(low, decimals)} to {number(high, decimals)}" if math.isfinite(low) else number(low)
