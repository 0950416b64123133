"""What clearance intervals are for: junction collisions and conflicts of drivers who run red, by yellow and all-red.

Two single crossings, each with its shipped program, with yellow by formula and no all-red, and with both by formula,
all in fixed order and the same cycle. All drivers run red up to two seconds, so that there is something to count in an
hour; and, beside that, with drivers as they are, who never do, to tell what has nothing to do with red running.
Every clearance has the same traffic with the same seeds; what is claimed of two is the mean of the differences within
seeds, with its 95 % t interval.
"""

import gzip
import re
import statistics
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.resco import run_spec
from benchmarks.results import Measurement
from benchmarks.setup import Setup
from networks.network import RoadNetwork
from networks.netxml import read_network
from scenarios.compare import mean_interval
from signals.intergreen import Clearance
from signals.plan import SignalPlan, build_plan
from signals.static import conformed_program
from sim.conflict_run import ConflictOptions
from sim.drivers import Drivers, RedRunning, write_driver_routes
from sim.outputs import program_xml
from sim.run import Run, RunSpec, simulate

MAPS = ("cologne1", "ingolstadt1")
SEEDS = tuple(range(1, 11))
QUICK_SEEDS = 3
SERIOUS_PET_S = 2.0
RED_RUNNERS = RedRunning(share=1.0, after_red_s=2.0, after_yellow_s=3.0)
AS_THEY_ARE, RUNNERS = "drivers as they are", "red runners"
SHIPPED, NO_ALL_RED, ITE = "as shipped", "yellow by formula, no all-red", "ITE"
PAIRS = ((NO_ALL_RED, SHIPPED), (ITE, SHIPPED), (ITE, NO_ALL_RED))
"""Who is compared with whom."""

UNITS = {"collisions in the junction": "1/h", "crossing conflicts, PET up to 2 s": "1/h", "delay": "s"}
"""What is measured in each run of an hour."""

Counted = Mapping[str, float]
Rows = Mapping[tuple[str, str], Sequence[Counted]]
"""Runs by drivers and clearance, seed by seed."""


def red_running(setup: Setup) -> Iterator[Measurement]:
    """Collisions inside the junction, crossing conflicts and delay, by clearance and by drivers; then a table a map."""
    folder = setup.real("resco", "red-running")
    if folder is None:
        return
    seeds = SEEDS[: QUICK_SEEDS if setup.quick else None]
    for name in MAPS:
        rows: dict[tuple[str, str], list[Counted]] = {}
        with tempfile.TemporaryDirectory(prefix="bagdar-") as scratch:
            for (drivers, clearance), spec in _specs(folder, name, Path(scratch)):
                setup.tell(f"{name}: {drivers}, {clearance}")
                rows[drivers, clearance] = [counted(simulate(replace(spec, seed=seed))) for seed in seeds]
        yield from _means(name, rows)
        yield from differences(name, rows)
        for line in table(name, rows):
            setup.tell(line)


def _specs(folder: Path, name: str, place: Path) -> Iterator[tuple[tuple[str, str], RunSpec]]:
    """A run for each kind of drivers and each clearance, with a network of its own."""
    shipped = folder / name / f"{name}.rou.xml.gz"
    routes = {AS_THEY_ARE: shipped, RUNNERS: place / "red.rou.xml.gz"}
    write_driver_routes(shipped, routes[RUNNERS], Drivers(red_running=RED_RUNNERS))
    networks = dict(_networks(folder / name / f"{name}.net.xml.gz", place))
    plain = run_spec(folder, name, "static", SEEDS[0], clearance=Clearance.AS_SHIPPED)
    plain = replace(plain, conflicts=ConflictOptions(measures=("pet",)))
    for drivers, path in routes.items():
        for clearance, network in networks.items():
            yield (drivers, clearance), replace(plain, network=network, routes=(path,))


def counted(run: Run) -> Counted:
    """What one run gave."""
    found = run.conflicts.conflicts if run.conflicts else ()
    serious = sum(row.kind == "crossing" and row.pet_s <= SERIOUS_PET_S for row in found)
    values = (float(run.measures.collisions), float(serious), run.measures.delay_per_scheduled_s)
    return dict(zip(UNITS, values, strict=True))


def _means(name: str, rows: Rows) -> Iterator[Measurement]:
    for (drivers, clearance), runs in rows.items():
        for metric, unit in UNITS.items():
            mean = statistics.fmean(row[metric] for row in runs)
            yield Measurement(f"{name}/{drivers}/{clearance}/{metric}", mean, unit)


def differences(name: str, rows: Rows) -> Iterator[Measurement]:
    """Mean difference within seeds between clearances, and its 95 % t interval, measure by measure."""
    for drivers in dict.fromkeys(drivers for drivers, _ in rows):
        for one, other in PAIRS:
            for metric, unit in UNITS.items():
                place = f"{name}/{drivers}/{one} less {other}/{metric}"
                interval = difference(rows[drivers, one], rows[drivers, other], metric)
                for ending, value in zip(("", "/ci95 low", "/ci95 high"), interval, strict=True):
                    yield Measurement(f"{place}{ending}", value, unit)


def difference(one: Sequence[Counted], other: Sequence[Counted], metric: str) -> tuple[float, float, float]:
    """Mean of the differences within seeds, and the ends of its 95 % t interval."""
    return mean_interval([a[metric] - b[metric] for a, b in zip(one, other, strict=True)])


def table(name: str, rows: Rows) -> Iterator[str]:
    """Lines of a table, clearance by measures: mean of the runs and, in brackets, the difference to the shipped one."""
    seeds = len(next(iter(rows.values())))
    yield f"{name}: mean of {seeds} seeds; in brackets the mean difference within seeds to {SHIPPED}, 95 % t interval"
    yield _line("", [f"{metric}, {unit}" for metric, unit in UNITS.items()])
    for (drivers, clearance), runs in rows.items():
        yield _line(f"{drivers}, {clearance}", [_cell(runs, rows[drivers, SHIPPED], metric) for metric in UNITS])


def _cell(runs: Sequence[Counted], shipped: Sequence[Counted], metric: str) -> str:
    mean = f"{statistics.fmean(row[metric] for row in runs):.1f}"
    if runs is shipped:
        return mean
    middle, low, high = difference(runs, shipped, metric)
    return f"{mean} ({middle:+.1f}: {low:+.1f} to {high:+.1f})"


def _line(label: str, cells: Sequence[str]) -> str:
    return f"{label:<52}" + "".join(f"{cell:>40}" for cell in cells)


def _networks(shipped: Path, place: Path) -> Iterator[tuple[str, Path]]:
    """The network by clearance, with another program in it."""
    yield SHIPPED, shipped
    network = read_network(shipped)
    plan = build_plan(network, network.signals[0].signal_id, Clearance.ITE)
    bare = replace(plan, clearances=tuple(replace(each, all_red_s=0.0) for each in plan.clearances))
    for words, wanted in ((NO_ALL_RED, bare), (ITE, plan)):
        path = place / f"{len(words)}.net.xml.gz"
        _write_with(network, wanted, shipped, path)
        yield words, path


def _write_with(network: RoadNetwork, plan: SignalPlan, source: Path, target: Path) -> None:
    program = conformed_program(plan, network.signals[0].programs[-1])
    with gzip.open(source, "rt", encoding="utf-8") as stream:
        text = stream.read()
    text = re.sub(r"(?s)<tlLogic.*</tlLogic>", lambda _found: program_xml(plan.signal_id, program), text)
    target.write_bytes(gzip.compress(text.encode(), mtime=0))
