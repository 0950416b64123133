"""What controllers lose by what they cannot see: the same runs with other sensors, on the four RESCO maps.

Clearances are by formula. Of each controller, every kind of sensing is held against all vehicles connected, with the
same seeds: same traffic, and the same vehicles missed by the same sensors.
"""

import os
import statistics
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.resco import BEGIN_S, run_spec
from benchmarks.results import Measurement
from benchmarks.setup import Setup
from networks.faults import RunError
from scenarios.compare import mean_interval
from scenarios.sweep import sweep
from signals.intergreen import Clearance
from signals.sensing import Camera, Connected, Loops, Sensing
from sim.measures import RunMeasures

SEEDS = (1, 2, 3)
CONTROLLERS = ("self-control", "actuated", "max-pressure")
SENSINGS: tuple[Sensing, ...] = (
    Connected(),
    Connected(0.5),
    Connected(0.3),
    Connected(0.1),
    Camera(80.0),
    Camera(150.0),
    Loops(),
)
"""The first is what the others are compared with."""

Rows = Mapping[Sensing, Sequence[RunMeasures]]


def sensing(setup: Setup) -> Iterator[Measurement]:
    """Delay, differences, gridlocks, who never entered, of every map, controller and kind of sensing; then a table."""
    folder = setup.real("resco", "sensing")
    if folder is None:
        return
    found: dict[tuple[str, str], Rows] = {}
    for name in BEGIN_S:
        for controller in CONTROLLERS:
            setup.tell(f"{name}: {controller} with {len(SENSINGS)} kinds of sensing")
            found[controller, name] = _runs(folder, name, controller, setup.cache)
            yield from _measurements(f"{name}/{controller}", found[controller, name])
    for line in table(found):
        setup.tell(line)


def table(found: Mapping[tuple[str, str], Rows]) -> Iterator[str]:
    """Lines of a table, a column a map: mean delay, its difference, a star for each gridlock, and who never entered."""
    yield "honest delay, s per scheduled vehicle, mean of seeds 1 to 3, clearances by formula; in brackets the mean"
    yield f"difference within seeds to {SENSINGS[0].words}; * a run in gridlock; n = never inserted in all three"
    maps = list(dict.fromkeys(name for _, name in found))
    for controller in dict.fromkeys(controller for controller, _ in found):
        yield _line(controller, maps)
        for each in SENSINGS:
            yield _line(f"  {each.words}", [_cell(found[controller, name], each) for name in maps])


def _line(label: str, cells: Sequence[str]) -> str:
    return f"{label:<74}" + "".join(f"{cell:>24}" for cell in cells)


def _cell(rows: Rows, each: Sensing) -> str:
    difference_s, _, _ = _difference(rows, each)
    missing = sum(row.never_inserted for row in rows[each])
    stars = "*" * sum(row.gridlocked for row in rows[each])
    return f"{_mean_s(rows[each]):.1f} ({difference_s:+.1f}){stars}{f' n={missing}' if missing else ''}"


def _runs(folder: Path, name: str, controller: str, cache: Path) -> Rows:
    """Runs done anew each time: results kept from an older version would be no measurement."""
    base = [run_spec(folder, name, controller, seed, clearance=Clearance.ITE) for seed in SEEDS]
    specs = [replace(spec, variant=f"{controller}, {each.words}", sensing=each) for each in SENSINGS for spec in base]
    with tempfile.TemporaryDirectory(dir=cache) as scratch:
        rows = [run.measures for run in sweep(specs, Path(scratch), workers=os.cpu_count() or 1)]
    for row in rows:
        if row.status != "finished":
            raise RunError("BENCHMARK_FAILED", f"{row.variant}, seed {row.seed}: {row.status}")
    seeds = len(SEEDS)
    return {each: rows[number * seeds : (number + 1) * seeds] for number, each in enumerate(SENSINGS)}


def _measurements(place: str, rows: Rows) -> Iterator[Measurement]:
    for each, runs in rows.items():
        label = f"{place}, {each.words}"
        for row in runs:
            yield Measurement(f"{label}/delay per scheduled vehicle", row.delay_per_scheduled_s, "s", row.seed)
        yield Measurement(f"{label}/delay per scheduled vehicle", _mean_s(runs), "s")
        for ending, value in zip(("", "/ci95 low", "/ci95 high"), _difference(rows, each), strict=True):
            yield Measurement(f"{label} less {SENSINGS[0].words}{ending}", value, "s")
        yield Measurement(f"{label}/runs in gridlock", sum(row.gridlocked for row in runs), "1")
        yield Measurement(f"{label}/never inserted", sum(row.never_inserted for row in runs), "1")
        yield Measurement(f"{label}/monitor violations", sum(row.monitor_violations for row in runs), "1")


def _difference(rows: Rows, each: Sensing) -> tuple[float, float, float]:
    """Mean of the differences within seeds to the first kind of sensing, and its 95 % t interval (s)."""
    first = {row.seed: row.delay_per_scheduled_s for row in rows[SENSINGS[0]]}
    return mean_interval([row.delay_per_scheduled_s - first[row.seed] for row in rows[each]])


def _mean_s(rows: Sequence[RunMeasures]) -> float:
    return statistics.fmean(row.delay_per_scheduled_s for row in rows)
