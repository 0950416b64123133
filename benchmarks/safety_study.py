"""Delay and conflicts side by side: fixed order, actuated and our best controller on two maps, ten paired seeds.

What runs is what a user's scenario runs, and what is said of the outcome is what its report says.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from benchmarks.resco import BEGIN_S, HOUR_S
from benchmarks.results import Measurement
from benchmarks.setup import Setup
from networks.faults import RunError
from scenarios.compare import FINISHED, Comparison, mean_interval
from scenarios.conflict_results import ALL_SITES, BY_PET, BY_SERIOUS, CROSS_OR_MERGE, ConflictComparison
from scenarios.numerals import MINUS, NARROW
from scenarios.safety_wording import SAFETY_NOTE, safety_finding
from scenarios.scenario import Scenario, scenario_from
from scenarios.study import Study, run_study
from scenarios.text_table import aligned
from scenarios.wording import DELAY

MAPS = ("cologne8", "ingolstadt7")
VARIANTS = ("static", "actuated", "self-control")
"""The first is what the others are compared with."""

SEEDS = 10
QUICK_SEEDS = 3
CONFLICTS = {BY_PET: "conflicts, PET up to 5 s", BY_SERIOUS: "conflicts, PET up to 2 s"}
HEAD = ("", "mean", "less static (95 %)", "relative risk (95 %)")


def safety_study(setup: Setup) -> Iterator[Measurement]:
    """Means, differences within seeds and relative risks of each map and variant; tables, and what may be said."""
    folder = setup.real("resco", "safety-study")
    if folder is None:
        return
    seeds = QUICK_SEEDS if setup.quick else SEEDS
    for name in MAPS:
        setup.tell(f"{name}: {', '.join(VARIANTS)}, clearances by formula, seeds 1 to {seeds}")
        study = _study(map_scenario(folder, name, seeds), setup.cache / "safety-study" / name)
        yield from _measurements(name, study)
        for line in (*aligned([(f"{name}, {seeds} seeds", *HEAD[1:]), *_rows(study)]), *_said(study)):
            setup.tell(line)
        setup.tell(f"the report is {study.report}")


def map_scenario(folder: Path, name: str, seeds: int) -> Scenario:
    """The scenario of a map, as a user would write it."""
    begin_s = BEGIN_S[name]
    place = folder / name
    document = {
        "scenario": {
            "name": f"{name}: delay and conflicts",
            "begin": _clock(begin_s),
            "end": _clock(begin_s + HOUR_S),
            "seeds": list(range(1, seeds + 1)),
        },
        "network": {"file": f"{name}.net.xml.gz"},
        "demand": {"routes": [f"{name}.rou.xml.gz"]},
        "signals": {"junctions": "all", "clearance": "ite"},
        "conflicts": {"sites": "all", "measures": ["pet"]},
        "variant": [{"name": variant, "controller": variant} for variant in VARIANTS],
    }
    return scenario_from(document, place / f"{name}.toml")


def _clock(time_s: float) -> str:
    return f"{int(time_s) // 3600:02d}:{int(time_s) // 60 % 60:02d}:00"


def _study(scenario: Scenario, out_dir: Path) -> Study:
    """Run anew: results kept from an older version would be no measurement."""
    shutil.rmtree(out_dir, ignore_errors=True)
    study = run_study(scenario, out_dir, workers=os.cpu_count() or 1)
    for row in study.runs:
        if row.status != FINISHED:
            raise RunError("BENCHMARK_FAILED", f"{row.variant}, seed {row.seed}: {row.status}")
    return study


def _delay(study: Study, variant: str) -> Comparison | None:
    return next((row for row in study.comparisons if (row.variant, row.metric) == (variant, DELAY)), None)


def _conflicts(study: Study, variant: str) -> dict[str, ConflictComparison]:
    """Crossing and merging conflicts of all sites together, by how near."""
    rows = study.conflicts.comparisons if study.conflicts else ()
    wanted = (ALL_SITES, CROSS_OR_MERGE, variant)
    return {row.measure: row for row in rows if (row.junction, row.kind, row.variant) == wanted}


def _delays_s(study: Study, variant: str) -> list[float]:
    return [row.delay_per_scheduled_s for row in study.runs if row.variant == variant]


def _measurements(name: str, study: Study) -> Iterator[Measurement]:
    for run in study.runs:
        yield Measurement(f"{name}/{run.variant}/delay", run.delay_per_scheduled_s, "s", run.seed)
    for variant in VARIANTS:
        yield from _bounded(f"{name}/{variant}/delay", mean_interval(_delays_s(study, variant)), "s")
        delay = _delay(study, variant)
        if delay is not None:
            change = (delay.difference_mean, delay.ci95_low, delay.ci95_high)
            yield from _bounded(f"{name}/{variant} less {VARIANTS[0]}/delay", change, "s")
        for measure, row in _conflicts(study, variant).items():
            if measure in CONFLICTS:
                yield from _of_conflicts(name, row, CONFLICTS[measure])
    yield Measurement(f"{name}/monitor violations", sum(run.monitor_violations for run in study.runs), "1")
    yield Measurement(f"{name}/runs in gridlock", sum(run.gridlocked for run in study.runs), "1")


def _of_conflicts(name: str, row: ConflictComparison, words: str) -> Iterator[Measurement]:
    per = "1/1000 veh"
    yield from _bounded(f"{name}/{row.variant}/{words}", (row.mean, row.mean_low, row.mean_high), per)
    if row.variant != VARIANTS[0]:
        change = (row.difference, row.ci95_low, row.ci95_high)
        yield from _bounded(f"{name}/{row.variant} less {VARIANTS[0]}/{words}", change, per)
        risk = (row.relative_risk, row.risk_low, row.risk_high)
        yield from _bounded(f"{name}/{row.variant} over {VARIANTS[0]}/{words}", risk, "1")


def _bounded(metric: str, values: tuple[float, float, float], unit: str) -> Iterator[Measurement]:
    for ending, value in zip(("", "/ci95 low", "/ci95 high"), values, strict=True):
        yield Measurement(f"{metric}{ending}", value, unit)


def _rows(study: Study) -> Iterator[tuple[str, ...]]:
    """Rows of the table: delay, then conflicts, of each variant."""
    for variant in VARIANTS:
        mean_s, low_s, high_s = mean_interval(_delays_s(study, variant))
        delay = _delay(study, variant)
        change = "" if delay is None else _spread(delay.difference_mean, delay.ci95_low, delay.ci95_high, "+.1f")
        share = "" if delay is None else f"(delay {delay.relative_difference:+.0%})"
        yield f"{variant}: delay, s per scheduled vehicle", _spread(mean_s, low_s, high_s, ".1f"), change, share
        for measure, words in CONFLICTS.items():
            row = _conflicts(study, variant)[measure]
            mean = _spread(row.mean, row.mean_low, row.mean_high, ".1f")
            change = _spread(row.difference, row.ci95_low, row.ci95_high, "+.1f") if delay else ""
            risk = _spread(row.relative_risk, row.risk_low, row.risk_high, ".2f") if delay else ""
            yield f"{variant}: {words}, per 1,000 vehicles", mean, change, risk


def _spread(value: float, low: float, high: float, form: str) -> str:
    return f"{value:{form}} ({low:{form}} to {high:{form}})"


def _said(study: Study) -> Iterator[str]:
    """What a city official may read, by the code of the report, in letters that every terminal has."""
    for variant in VARIANTS[1:]:
        found = _conflicts(study, variant)
        said = safety_finding(VARIANTS[0], _delay(study, variant), found[BY_PET], found[BY_SERIOUS])
        yield f"{said.variant}: {said.headline}. {said.text}".replace(NARROW, " ").replace(MINUS, "-")
    yield SAFETY_NOTE
