"""Conflicts of all runs as tables: each one, their rates at each site, and what changed between variants."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields, make_dataclass
from pathlib import Path
from typing import Any

from scenarios.compare import PAIRS_FOR_A_CLAIM, mean_interval
from scenarios.tables import write_csv, write_parquet
from sim.conflicts import Conflict
from sim.run import Run

ALL_SITES = "all sites"
SERIOUS_PET_S = 2.0
MEASURED = ("crossing", "merging", "following")
"""Kinds of encounters; that of two in one lane hangs on step and driver model, and comes last."""


@dataclass(frozen=True, slots=True)
class ConflictRate:
    """A row of ``conflict_rates.csv``: conflicts of a kind at a site in one run, per 1,000 vehicles that drove through.

    ``serious`` are those with a PET up to 2 s. Sites that nobody drove through have no rate.
    """

    variant: str
    seed: int
    junction: str
    kind: str
    vehicles: int
    conflicts: int
    serious: int
    rate_per_1000: float
    serious_per_1000: float


@dataclass(frozen=True, slots=True)
class ConflictComparison:
    """A row of ``conflict_comparison.csv``: rates of a kind at a site under a variant against the first one.

    ``mean`` with its 95 % interval is that of the variant over its seeds, ``difference`` is over pairs of equal seeds.
    ``relative_risk`` is the variant's mean over the first one's: of encounters, not of accidents.
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
    difference: float
    ci95_low: float
    ci95_high: float
    relative_risk: float
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


def conflict_results(runs: Sequence[Run], variants: Sequence[str], out_dir: Path) -> ConflictResults | None:
    """Write the tables of conflicts; None where no run looked for any."""
    looked = [run for run in runs if run.conflicts is not None]
    if not looked:
        return None
    rates = tuple(rate for run in looked for rate in _rates(run))
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


def _rates(run: Run) -> list[ConflictRate]:
    """Rates of all sites together, then of each."""
    if run.conflicts is None:
        return []
    entered = {row.junction: row.vehicles for row in run.conflicts.entered}
    told: Counter[tuple[str, str]] = Counter()
    serious: Counter[tuple[str, str]] = Counter()
    for row in run.conflicts.conflicts:
        for site in (ALL_SITES, row.junction):
            told[site, row.kind] += 1
            serious[site, row.kind] += row.pet_s <= SERIOUS_PET_S
    counts = {ALL_SITES: sum(entered.values())} | entered
    who = run.measures
    return [
        ConflictRate(
            who.variant,
            who.seed,
            site,
            kind,
            vehicles,
            told[site, kind],
            serious[site, kind],
            _per_1000(told[site, kind], vehicles),
            _per_1000(serious[site, kind], vehicles),
        )
        for site, vehicles in counts.items()
        for kind in MEASURED
    ]


def _per_1000(count: int, vehicles: int) -> float:
    return 1000 * count / vehicles if vehicles else math.nan


def _comparisons(rates: Sequence[ConflictRate], variants: Sequence[str]) -> list[ConflictComparison]:
    values: dict[tuple[str, str, str, str], dict[int, float]] = {}
    for row in rates:
        for measure in ("rate_per_1000", "serious_per_1000"):
            if math.isfinite(value := getattr(row, measure)):
                values.setdefault((row.junction, row.kind, measure, row.variant), {})[row.seed] = value
    places = dict.fromkeys((row.junction, row.kind) for row in rates)
    wanted = [(*place, measure) for place in places for measure in ("rate_per_1000", "serious_per_1000")]
    return [
        _comparison(key, variant, values.get((*key, variant), {}), values.get((*key, variants[0]), {}))
        for key in wanted
        if not (key[1] == "following" and key[2] == "serious_per_1000")
        for variant in variants
    ]


def _comparison(
    key: tuple[str, str, str], variant: str, after: dict[int, float], before: dict[int, float]
) -> ConflictComparison:
    mean, low, high = mean_interval([after[seed] for seed in sorted(after)])
    pairs = sorted(after.keys() & before.keys())
    difference, least, most = mean_interval([after[seed] - before[seed] for seed in pairs])
    base = math.fsum(before[seed] for seed in pairs)
    risk = math.fsum(after[seed] for seed in pairs) / base if base else math.nan
    few = len(pairs) < PAIRS_FOR_A_CLAIM
    return ConflictComparison(
        *key, variant, len(after), mean, low, high, len(pairs), difference, least, most, risk, few
    )
