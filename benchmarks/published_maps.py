"""Honest delay on the four RESCO maps: ours and the rules of others in the same SUMO, beside published figures.

Everybody drives the same traffic with the same seeds. What is claimed of two is the mean of the differences within
seeds, with its 95 % t interval; gridlocks are counted, not left out.
"""

import os
import statistics
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from benchmarks.contenders import CONTENDERS, Contender
from benchmarks.published import PUBLISHED_DELAY_S, SOURCE
from benchmarks.resco import BEGIN_S
from benchmarks.results import Measurement
from benchmarks.setup import Setup
from networks.faults import RunError
from scenarios.compare import mean_interval
from scenarios.sweep import sweep
from sim.measures import RunMeasures

SEEDS = tuple(range(1, 11))
QUICK_SEEDS = SEEDS[:3]
LABEL_WIDTH = 58


def published_maps(setup: Setup) -> Iterator[Measurement]:
    """Delay, conflicts and gridlocks of every map, contender and seed; differences; then the table."""
    folder = setup.real("resco", "published-maps")
    if folder is None:
        return
    seeds = QUICK_SEEDS if setup.quick else SEEDS
    rows: dict[str, dict[str, list[RunMeasures]]] = {}
    for name in BEGIN_S:
        rows[name] = {}
        for contender in CONTENDERS:
            setup.tell(f"{name}: {contender.label}, seeds {seeds[0]} to {seeds[-1]}")
            rows[name][contender.label] = _runs(folder, name, contender, seeds, setup.cache)
            yield from _measurements(f"{name}/{contender.label}", rows[name][contender.label])
        yield from differences(name, rows[name])
    for line in table(rows, len(seeds)):
        setup.tell(line)


def differences(name: str, rows: Mapping[str, Sequence[RunMeasures]]) -> Iterator[Measurement]:
    """Each of ours less each peer of its group: mean of the differences within seeds, and its 95 % t interval (s)."""
    for ours in (each for each in CONTENDERS if each.is_ours):
        for peer in (each for each in CONTENDERS if not each.is_ours and each.group == ours.group):
            theirs = {row.seed: row.delay_per_scheduled_s for row in rows[peer.label]}
            pairs = [row.delay_per_scheduled_s - theirs[row.seed] for row in rows[ours.label]]
            metric = f"{name}/{ours.name} less {peer.name}, {ours.group}"
            for ending, value in zip(("", "/ci95 low", "/ci95 high"), mean_interval(pairs), strict=True):
                yield Measurement(f"{metric}{ending}", value, "s")


def table(rows: Mapping[str, Mapping[str, Sequence[RunMeasures]]], seeds: int) -> Iterator[str]:
    """Lines of a table: who, then a column a map; the published first. A star for each run in gridlock."""
    maps = list(rows)
    yield f"honest delay, s per scheduled vehicle, mean of {seeds} seeds, * a run in gridlock; published: {SOURCE}"
    yield _line("", maps)
    for peer in PUBLISHED_DELAY_S[maps[0]]:
        yield _line(f"published: {peer}", [f"{PUBLISHED_DELAY_S[name][peer]:.1f}" for name in maps])
    for label in rows[maps[0]]:
        yield _line(label, [_cell(rows[name][label]) for name in maps])


def _cell(rows: Sequence[RunMeasures]) -> str:
    return f"{_mean_delay_s(rows):.1f}{'*' * sum(row.gridlocked for row in rows)}"


def _line(label: str, cells: Sequence[str]) -> str:
    return f"{label:<{LABEL_WIDTH}}" + "".join(f"{cell:>13}" for cell in cells)


def _runs(folder: Path, name: str, contender: Contender, seeds: tuple[int, ...], cache: Path) -> list[RunMeasures]:
    """Runs done anew each time: results kept from an older version would be no measurement."""
    with tempfile.TemporaryDirectory(dir=cache) as scratch:
        specs = contender.specs(folder, name, seeds, Path(scratch).resolve())
        rows = [run.measures for run in sweep(specs, Path(scratch) / "runs", workers=os.cpu_count() or 1)]
    for row in rows:
        if row.status != "finished":
            raise RunError("BENCHMARK_FAILED", f"{row.variant}, seed {row.seed}: {row.status}")
    return rows


def _measurements(place: str, rows: Sequence[RunMeasures]) -> Iterator[Measurement]:
    for row in rows:
        yield Measurement(f"{place}/delay per scheduled vehicle", row.delay_per_scheduled_s, "s", row.seed)
    yield Measurement(f"{place}/delay per scheduled vehicle", _mean_delay_s(rows), "s")
    yield Measurement(f"{place}/monitor violations", sum(row.monitor_violations for row in rows), "1")
    yield Measurement(f"{place}/runs in gridlock", sum(row.gridlocked for row in rows), "1")
    yield Measurement(f"{place}/never inserted", sum(row.never_inserted for row in rows), "1")


def _mean_delay_s(rows: Sequence[RunMeasures]) -> float:
    return statistics.fmean(row.delay_per_scheduled_s for row in rows)
