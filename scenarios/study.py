"""A scenario from its file to its results folder: prepare, run, compare, report.

Whatever can be kept is kept, so that the same command goes on where it was stopped: the network once it is built, and
every finished run.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from hashlib import sha256
from pathlib import Path
from shutil import rmtree
from typing import Any

from scenarios.account import report_content
from scenarios.charging_figures import draw_charging
from scenarios.charging_results import charging_results
from scenarios.compare import Comparison, compare
from scenarios.conflict_results import ConflictResults, conflict_results
from scenarios.figures import FOLDER, draw_figures
from scenarios.folder_lock import only_one
from scenarios.lateness_map import draw_lateness
from scenarios.manifest import claim_folder, describe, write_manifest
from scenarios.passenger_results import passenger_results
from scenarios.prepare import Prepared, Say, prepare, run_specs
from scenarios.priority_results import request_counts, write_requests
from scenarios.report import write_report
from scenarios.scenario import Scenario
from scenarios.signal_results import signal_results
from scenarios.sweep import DEFAULT_LIMIT_S, Progress, sweep
from scenarios.tables import write_csv, write_parquet
from scenarios.time_space import draw_time_space
from scenarios.timing_figures import draw_timing
from scenarios.transit_results import transit_results
from scenarios.trip_lines import draw_trip_lines
from sim.measures import JunctionMeasures, RunMeasures
from sim.run import Run

CPU_COLUMNS = ("sumo_cpu_s", "total_cpu_s")
"""Measured, so never the same twice; every other column of every table is."""


@dataclass(frozen=True, slots=True)
class Study:
    """What a study gave: where its report lies, and its rows."""

    report: Path
    runs: tuple[RunMeasures, ...]
    junctions: tuple[JunctionMeasures, ...]
    comparisons: tuple[Comparison, ...]
    conflicts: ConflictResults | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """A wish that the interlock refused, as a row of ``refusals.csv``."""

    variant: str
    seed: int
    time_s: float
    junction: str
    controller: str
    wish: int
    reason: str


def run_study(
    scenario: Scenario,
    out_dir: Path,
    *,
    workers: int,
    limit_s: float = DEFAULT_LIMIT_S,
    say: Say = lambda _text: None,
    on_progress: Progress | None = None,
) -> Study:
    """Run every variant with every seed and write tables, figures, report and manifest to ``out_dir``.

    Parameters
    ----------
    say
        Told what is being done, a line each.
    on_progress
        Called with a run's label and its done share.

    Raises
    ------
    InputError
        FOLDER_BUSY where another command works in the folder, RESULT_MISMATCH where it holds another scenario's
        results, and whatever is wrong with the inputs.
    """
    with only_one(out_dir):
        manifest = describe(scenario)
        claim_folder(out_dir, manifest)
        prepared = prepare(scenario, out_dir, say)
        specs = run_specs(scenario, prepared, scenario.seeds)
        say(f"{len(specs)} runs: {len(scenario.variants)} variants x {len(scenario.seeds)} seeds")
        runs_dir = out_dir / "runs"
        _clear_leftovers(runs_dir)
        runs = sweep(specs, runs_dir, workers=workers, limit_s=limit_s, on_progress=on_progress)
        say("comparing and drawing")
        return _conclude(scenario, prepared, runs, out_dir, manifest)


def _clear_leftovers(runs_dir: Path) -> None:
    """Remove what workers that were killed left behind: raw files and half-written results."""
    for folder in runs_dir.glob(".sumo-*"):
        rmtree(folder)
    for part in runs_dir.glob(".part-*"):
        part.unlink()


def _conclude(
    scenario: Scenario, prepared: Prepared, runs: list[Run], out_dir: Path, manifest: Mapping[str, Any]
) -> Study:
    """Tables, figures, report, and the manifest with the tables' hashes."""
    order = {variant.name: number for number, variant in enumerate(scenario.variants)}
    runs = sorted(runs, key=lambda run: (order[run.measures.variant], run.measures.seed))
    measures = tuple(run.measures for run in runs)
    junctions = tuple(row for run in runs for row in run.junctions)
    transit = None
    if scenario.transit is not None and prepared.transit is not None:
        transit = transit_results(scenario.transit, prepared.transit, runs, out_dir)
    period_s = scenario.begin_s, scenario.end_s
    signals = signal_results(prepared.network, prepared.signals, period_s, runs, out_dir)
    if any(variant.priority is not None for variant in scenario.variants):
        write_requests(runs, out_dir)
        signals = replace(signals, requests=request_counts(runs))
    passengers = passenger_results(scenario.variants, prepared, runs, out_dir)
    on_board, at_stops = (passengers.measures, passengers.stop_measures) if passengers else ((), ())
    charging = charging_results(scenario.variants, prepared, runs, out_dir)
    on_road, batteries = transit.measures if transit else (), charging.measures if charging else ()
    comparisons = compare(measures, junctions, tuple(order), on_road, on_board, at_stops, batteries)
    asked = scenario.conflicts.measures if scenario.conflicts else ()
    conflicts = conflict_results(runs, tuple(order), out_dir, asked)
    write_csv(out_dir / "runs.csv", RunMeasures, measures)
    write_parquet(out_dir / "runs.parquet", RunMeasures, measures)
    write_csv(out_dir / "junctions.csv", JunctionMeasures, junctions)
    write_csv(out_dir / "comparison.csv", Comparison, comparisons)
    write_csv(out_dir / "refusals.csv", Refused, _refused(runs))
    content = report_content(
        scenario, prepared, measures, junctions, comparisons, transit, signals, conflicts, passengers, charging
    )
    folder = out_dir / FOLDER
    drawings = (
        *draw_figures(out_dir, content),
        *draw_lateness(folder, content),
        *draw_trip_lines(folder, content),
        *draw_timing(folder, content),
        *draw_time_space(folder, content),
        *draw_charging(folder, content),
    )
    report = write_report(out_dir, content, drawings)
    write_manifest(out_dir, dict(manifest) | {"results_sha256": _table_hashes(out_dir, measures)})
    return Study(report, measures, junctions, comparisons, conflicts)


def _refused(runs: list[Run]) -> Iterator[Refused]:
    for run in runs:
        for row in run.refusals:
            who = run.measures
            yield Refused(who.variant, who.seed, row.time_s, row.junction, row.controller, row.wish, row.reason)


def _table_hashes(out_dir: Path, measures: tuple[RunMeasures, ...]) -> dict[str, str]:
    """SHA-256 of every table, and of the runs without their measured CPU times: equal for equal inputs and seeds."""
    repeatable = [field.name for field in fields(RunMeasures) if field.name not in CPU_COLUMNS]
    rows = [[getattr(row, name) for name in repeatable] for row in measures]
    tables = sorted({*out_dir.glob("*.csv"), *out_dir.glob("*.geojson")} - {out_dir / "runs.csv"})
    hashes = {path.name: sha256(path.read_bytes()).hexdigest() for path in tables}
    return {f"runs.csv without {' and '.join(CPU_COLUMNS)}": sha256(repr(rows).encode()).hexdigest(), **hashes}
