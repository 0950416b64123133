"""Conflicts of all runs as tables: each one, their rates at each site, and what changed between variants."""

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields, make_dataclass
from pathlib import Path
from typing import Any

from scenarios.compare import PAIRS_FOR_A_CLAIM, mean_interval
from scenarios.relative_risk import relative_risk
from scenarios.tables import write_csv, write_parquet
from sim.conflict_run import MEASURES
from sim.conflicts import Conflict, Thresholds
from sim.run import Run

ALL_SITES = "all sites"
SERIOUS_PET_S = 2.0
CROSS_OR_MERGE = "crossing or merging"
FOLLOWING = "following"
MEASURED = (CROSS_OR_MERGE, "crossing", "merging", FOLLOWING)
"""Kinds of encounters; that of two in one lane hangs on step and driver model, and comes last."""

BY_ANY, BY_PET, BY_SERIOUS = "rate_per_1000", "pet_per_1000", "serious_per_1000"
"""Columns that are compared; of those in one lane, which have no PET, the first alone."""


@dataclass(frozen=True, slots=True)
class ConflictRate:
    """A row of ``conflict_rates.csv``: conflicts of a kind at a site in one run, per 1,000 vehicles that drove through.

    Of ``conflicts``, told by PET or by TTC, ``by_pet`` have a PET up to 5 s and ``serious`` one up to 2 s; both are
    blank where PET was not asked for. Sites that nobody drove through have no rate.
    """

    variant: str
    seed: int
    junction: str
    kind: str
    vehicles: int
    conflicts: int
    by_pet: int | None
    serious: int | None
    rate_per_1000: float
    pet_per_1000: float
    serious_per_1000: float


@dataclass(frozen=True, slots=True)
class ConflictComparison:
    """A row of ``conflict_comparison.csv``: rates of a kind at a site under a variant against the first one.

    ``mean`` with its 95 % interval is that of the variant over its seeds; ``baseline_mean``, ``difference`` and
    ``relative_risk``, with their intervals, are over pairs of equal seeds. The risk is the variant's mean over the
    first one's: of encounters, not of accidents.
    """

    junction: str
    kind: str
    measure: str
    variant: str
    runs: int
    mean: float
    mean_low: float
    mean_high: float
    pairs: int
    baseline_mean: float
    difference: float
    ci95_low: float
    ci95_high: float
    relative_risk: float
    risk_low: float
    risk_high: float
    indicative: bool


ConflictRow: Any = make_dataclass(
    "ConflictRow",
    [("variant", str), ("seed", int), *((item.name, item.type) for item in fields(Conflict))],
    frozen=True,
)
"""A row of ``conflicts.parquet``: a conflict, and the run that it happened in."""


@dataclass(frozen=True, slots=True)
class ConflictResults:
    """What a study knows of conflicts."""

    rates: tuple[ConflictRate, ...]
    comparisons: tuple[ConflictComparison, ...]


def conflict_results(
    runs: Sequence[Run], variants: Sequence[str], out_dir: Path, measures: Collection[str] = MEASURES
) -> ConflictResults | None:
    """Write the tables of conflicts, looked for by ``measures``; None where no run looked for any."""
    looked = [run for run in runs if run.conflicts is not None]
    if not looked:
        return None
    rates = tuple(rate for run in looked for rate in _rates(run, measures))
    comparisons = tuple(_comparisons(rates, variants))
    rows = [
        ConflictRow(run.measures.variant, run.measures.seed, *(getattr(row, item.name) for item in fields(Conflict)))
        for run in looked
        if run.conflicts
        for row in run.conflicts.conflicts
    ]
    write_parquet(out_dir / "conflicts.parquet", ConflictRow, rows)
    write_csv(out_dir / "conflict_rates.csv", ConflictRate, rates)
    write_csv(out_dir / "conflict_comparison.csv", ConflictComparison, comparisons)
    return ConflictResults(rates, comparisons)


def _rates(run: Run, measures: Collection[str]) -> list[ConflictRate]:
    """Rates of all sites together, then of each; of kinds that ``measures`` can tell."""
    if run.conflicts is None:
        return []
    entered = {row.junction: row.vehicles for row in run.conflicts.entered}
    counts = {BY_ANY: _counts(run.conflicts.conflicts, math.inf)}
    if "pet" in measures:
        counts[BY_PET] = _counts(run.conflicts.conflicts, Thresholds().pet_s)
        counts[BY_SERIOUS] = _counts(run.conflicts.conflicts, SERIOUS_PET_S)
    who = run.measures
    return [
        _rate(who.variant, who.seed, site, kind, vehicles, {name: found[site, kind] for name, found in counts.items()})
        for site, vehicles in ({ALL_SITES: sum(entered.values())} | entered).items()
        for kind in MEASURED
        if kind != FOLLOWING or not {"ttc", "drac"}.isdisjoint(measures)
    ]


def _counts(conflicts: Sequence[Conflict], most_pet_s: float) -> Counter[tuple[str, str]]:
    """Conflicts by site and kind with a PET up to a limit; without one, those that have none as well."""
    found: Counter[tuple[str, str]] = Counter()
    for row in conflicts:
        if row.pet_s <= most_pet_s or math.isinf(most_pet_s):
            kinds = (row.kind,) if row.kind == FOLLOWING else (row.kind, CROSS_OR_MERGE)
            found.update((site, kind) for site in (ALL_SITES, row.junction) for kind in kinds)
    return found


def _rate(variant: str, seed: int, site: str, kind: str, vehicles: int, counts: Mapping[str, int]) -> ConflictRate:
    rates = {name: _per_1000(counts.get(name), vehicles) for name in (BY_ANY, BY_PET, BY_SERIOUS)}
    told, by_pet, serious = counts[BY_ANY], counts.get(BY_PET), counts.get(BY_SERIOUS)
    return ConflictRate(variant, seed, site, kind, vehicles, told, by_pet, serious, **rates)


def _per_1000(count: int | None, vehicles: int) -> float:
    return math.nan if count is None or not vehicles else 1000 * count / vehicles


def _comparisons(rates: Sequence[ConflictRate], variants: Sequence[str]) -> list[ConflictComparison]:
    values: dict[tuple[str, str, str, str], dict[int, float]] = {}
    for row in rates:
        for measure in (BY_ANY, BY_PET, BY_SERIOUS):
            if math.isfinite(value := getattr(row, measure)):
                values.setdefault((row.junction, row.kind, measure, row.variant), {})[row.seed] = value
    places = dict.fromkeys((row.junction, row.kind) for row in rates)
    return [
        _comparison(key, variant, values.get((*key, variant), {}), values.get((*key, variants[0]), {}))
        for place in places
        for key in [(*place, measure) for measure in (BY_PET, BY_SERIOUS, BY_ANY)]
        if place[1] != FOLLOWING or key[2] == BY_ANY
        for variant in variants
    ]


def _comparison(
    key: tuple[str, str, str], variant: str, after: dict[int, float], before: dict[int, float]
) -> ConflictComparison:
    mean, low, high = mean_interval([after[seed] for seed in sorted(after)])
    pairs = sorted(after.keys() & before.keys())
    difference, least, most = mean_interval([after[seed] - before[seed] for seed in pairs])
    base, _, _ = mean_interval([before[seed] for seed in pairs])
    risk, risk_low, risk_high = relative_risk([before[seed] for seed in pairs], [after[seed] for seed in pairs])
    return ConflictComparison(
        *key,
        variant,
        runs=len(after),
        mean=mean,
        mean_low=low,
        mean_high=high,
        pairs=len(pairs),
        baseline_mean=base,
        difference=difference,
        ci95_low=least,
        ci95_high=most,
        relative_risk=risk,
        risk_low=risk_low,
        risk_high=risk_high,
        indicative=len(pairs) < PAIRS_FOR_A_CLAIM,
    )
