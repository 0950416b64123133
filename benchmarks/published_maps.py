"""Honest delay on the four RESCO maps, beside figures that others got there."""

import os
import statistics
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from benchmarks.published import PUBLISHED_DELAY_S, SOURCE
from benchmarks.resco import BEGIN_S, run_spec
from benchmarks.results import Measurement
from benchmarks.setup import Setup
from networks.faults import RunError
from scenarios.sweep import sweep
from signals.intergreen import Clearance
from sim.measures import RunMeasures

SEEDS = (1, 2, 3)
VARIANTS = (
    ("static", Clearance.AS_SHIPPED),
    ("actuated", Clearance.AS_SHIPPED),
    ("actuated", Clearance.ITE),
    ("max-pressure", Clearance.AS_SHIPPED),
    ("max-pressure", Clearance.ITE),
)


def published_maps(setup: Setup) -> Iterator[Measurement]:
    """Delay, conflicts and gridlocks of every map, variant and seed; then the table beside the published one."""
    folder = setup.real("resco", "published-maps")
    if folder is None:
        return
    delay_s: dict[str, dict[str, float]] = {}
    for name in BEGIN_S:
        delay_s[name] = {}
        for controller, clearance in VARIANTS:
            label = f"{controller}, {clearance}"
            setup.tell(f"{name}: {label}, seeds {SEEDS[0]} to {SEEDS[-1]}")
            rows = _runs(folder, name, controller, clearance, setup.cache)
            delay_s[name][label] = _mean_delay_s(rows)
            yield from _measurements(f"{name}/{label}", rows)
    for line in table(delay_s):
        setup.tell(line)


def table(delay_s: Mapping[str, Mapping[str, float]]) -> Iterator[str]:
    """Lines of a table: who, then a column a map; the published first, ours below. Gridlock shows as a great delay."""
    maps = list(delay_s)
    yield f"honest delay, s per scheduled vehicle, mean of seeds 1 to 3; published: {SOURCE}"
    yield _line("", maps)
    for peer in PUBLISHED_DELAY_S[maps[0]]:
        yield _line(f"published: {peer}", [f"{PUBLISHED_DELAY_S[name][peer]:.1f}" for name in maps])
    for ours in delay_s[maps[0]]:
        yield _line(f"ours: {ours}", [f"{delay_s[name][ours]:.1f}" for name in maps])


def _line(label: str, cells: Sequence[str]) -> str:
    return f"{label:<50}" + "".join(f"{cell:>13}" for cell in cells)


def _runs(folder: Path, name: str, controller: str, clearance: Clearance, cache: Path) -> list[RunMeasures]:
    """Runs done anew each time: results kept from an older version would be no measurement."""
    specs = [run_spec(folder, name, controller, seed, clearance=clearance) for seed in SEEDS]
    with tempfile.TemporaryDirectory(dir=cache) as runs:
        rows = [run.measures for run in sweep(specs, Path(runs), workers=os.cpu_count() or 1)]
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


def _mean_delay_s(rows: Sequence[RunMeasures]) -> float:
    return statistics.fmean(row.delay_per_scheduled_s for row in rows)
