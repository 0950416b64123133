"""Faster paying on Ingolstadt's corridor: dwell, running time and punctuality by the share that pays electronically.

Seven signals, the calibrated hour of cars, two synthetic bus lines (:mod:`benchmarks.priority_lines`) and synthetic
passengers, 60 an hour at each stop between a line's ends. All shares have the same cars, buses, entry times, passengers
and SUMO seeds; what is told is the mean of the differences from nobody paying electronically within seeds, with its
95 % t interval, beside what the table of service times gives by hand. The timetable is the mean ride with nobody paying
electronically on the tuning seeds; nothing was chosen by the seeds that are reported.
"""

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.priority_lines import Service, lines, service, write_service
from benchmarks.resco import BEGIN_S, HOUR_S, run_spec
from benchmarks.results import Measurement
from benchmarks.setup import Setup
from gtfs.on_time import parse_on_time
from networks.faults import RunError
from networks.network import FloatArray, RoadNetwork
from networks.netxml import read_network
from scenarios.compare import mean_interval
from scenarios.sweep import sweep
from signals.intergreen import Clearance
from sim.fares import EVERY_STOP, BoardingRate, Fares
from sim.passenger_measures import passenger_measures
from sim.run import Run, RunSpec
from sim.signal_measures import BUS
from sim.transit_plan import TransitPlan, read_plan
from sim.transit_tables import transit_measures

MAP = "ingolstadt7"
TUNING_SEEDS = (101, 102, 103)
SEEDS = tuple(range(1, 11))
EVERY_S = 300.0
"""Between two buses of a line."""

BOARDINGS_PER_H = 60.0
SHARES = (0.0, 0.5, 1.0)
STRICT = "-60,180"
UNITS = {
    "dwell": "s",
    "dwell by the table": "s",
    "dwell by hand": "s",
    "boardings": "passengers",
    "boardings a call": "passengers",
    "running time": "s",
    "on time": "share",
    "on time, strict": "share",
    "early": "share",
    "late": "share",
    "lateness": "s",
    "bus delay": "s",
    "wait": "s",
    "cars' honest delay": "s",
}


@dataclass(frozen=True, slots=True)
class Ground:
    """What all runs share."""

    folder: Path
    network: RoadNetwork
    service: Service
    scratch: Path

    def buses(self, seed: int) -> Path:
        """The buses of a seed, written where they are not there yet."""
        folder = self.scratch / f"buses-{seed}"
        if not folder.exists():
            write_service(self.service, self.network, seed, folder)
        return folder

    def spec(self, share: float, seed: int) -> RunSpec:
        """The run of a share with a seed."""
        plain = run_spec(self.folder, MAP, "static", seed, clearance=Clearance.ITE)
        return replace(plain, variant=name_of(share), transit=self.buses(seed), fares=paying(share))


def name_of(share: float) -> str:
    """As results name a share."""
    return f"{100 * share:g} % electronic"


def paying(share: float) -> Fares:
    """The passengers of the benchmark, a share of whom pays electronically."""
    return Fares((BoardingRate(EVERY_STOP, BOARDINGS_PER_H),), share)


def fares(setup: Setup) -> Iterator[Measurement]:
    """Means of every share, and differences from nobody paying electronically."""
    folder = setup.real("resco", "fares")
    if folder is None:
        return
    seeds = SEEDS[:3] if setup.quick else SEEDS
    with tempfile.TemporaryDirectory(dir=setup.cache) as scratch:
        ground = timetabled(folder, Path(scratch).resolve())
        found = {share: [measures(run, ground, share) for run in runs(ground, share, seeds)] for share in SHARES}
    for share, rows in found.items():
        setup.tell(_line(share, rows, found[SHARES[0]]))
        for name, unit in UNITS.items():
            yield Measurement(f"{name_of(share)}/{name}", float(np.mean([row[name] for row in rows])), unit)
        if share != SHARES[0]:
            yield from _differences(share, rows, found[SHARES[0]])


def timetabled(folder: Path, scratch: Path) -> Ground:
    """The map with its buses, their timetable from the rides of tuning runs."""
    network = read_network(folder / MAP / f"{MAP}.net.xml.gz")
    begin_s = BEGIN_S[MAP]
    free = service(lines(network), network, begin_s, begin_s + HOUR_S, EVERY_S)
    before = Ground(folder, network, free, scratch / "tuning")
    rides = [
        _rides_s(read_plan(before.buses(run.measures.seed)), run, len(free.lines))
        for run in runs(before, SHARES[0], TUNING_SEEDS)
    ]
    mean_s = tuple(np.mean([ride[number] for ride in rides], axis=0) for number in range(len(free.lines)))
    return Ground(folder, network, replace(free, ride_s=mean_s), scratch)


def _rides_s(plan: TransitPlan, run: Run, line_count: int) -> list[FloatArray]:
    """Mean time from the first departure to each stop, line by line."""
    if run.transit is None:
        return []
    starts = plan.legs.call_start
    left_s = np.where(plan.calls.is_end, run.transit.arrival_s, run.transit.departure_s)
    legs = [np.flatnonzero(plan.legs.direction == number).tolist() for number in range(line_count)]
    return [
        np.nanmean([left_s[starts[leg] : starts[leg + 1]] - left_s[starts[leg]] for leg in here], axis=0)
        for here in legs
    ]


def runs(ground: Ground, share: float, seeds: Sequence[int]) -> list[Run]:
    """Runs of one share with some seeds, done anew each time.

    Raises
    ------
    RunError
        BENCHMARK_FAILED where one did not finish.
    """
    specs = [ground.spec(share, seed) for seed in seeds]
    found = sweep(specs, ground.scratch / "runs", workers=os.cpu_count() or 1)
    for run in found:
        if run.signals is None or run.transit is None or run.passengers is None:
            what = f"{name_of(share)}, seed {run.measures.seed}: {run.measures.status}"
            raise RunError("BENCHMARK_FAILED", what)
    return found


def measures(run: Run, ground: Ground, share: float) -> dict[str, float]:
    """What one run gave, by the names of :data:`UNITS`; by hand: doors and boardings a call times the table's mean."""
    if run.signals is None or run.transit is None or run.passengers is None:
        return {}
    seed, told = run.measures.seed, paying(share)
    plan = read_plan(ground.buses(seed))
    who = passenger_measures(plan, run.transit, run.passengers, told, run.measures.variant, seed)
    judged, strict = (
        transit_measures(plan, run.transit, run.measures.variant, seed, parse_on_time(rule))
        for rule in ("default", STRICT)
    )
    return {
        "dwell": who.dwell_mean_s,
        "dwell by the table": who.dwell_by_table_s,
        "dwell by hand": told.dwell_s(who.boardings_per_call),
        "boardings": float(who.boardings),
        "boardings a call": who.boardings_per_call,
        "running time": who.run_time_mean_s,
        "on time": judged.on_time_share,
        "on time, strict": strict.on_time_share,
        "early": judged.early_share,
        "late": judged.late_share,
        "lateness": judged.deviation_mean_s,
        "bus delay": next(row.delay_s for row in run.signals.modes if row.mode == BUS),
        "wait": who.wait_mean_s,
        "cars' honest delay": run.measures.delay_per_scheduled_s,
    }


def _pairs(
    name: str, rows: Sequence[Mapping[str, float]], without: Sequence[Mapping[str, float]]
) -> tuple[float, float, float]:
    return mean_interval([one[name] - other[name] for one, other in zip(rows, without, strict=True)])


def _differences(
    share: float, rows: Sequence[Mapping[str, float]], without: Sequence[Mapping[str, float]]
) -> Iterator[Measurement]:
    """Mean difference within seeds and its 95 % t interval, measure by measure."""
    for name, unit in UNITS.items():
        for ending, value in zip(("", "/ci95 low", "/ci95 high"), _pairs(name, rows, without), strict=True):
            yield Measurement(f"{name_of(share)} less {name_of(SHARES[0])}/{name}{ending}", value, unit)


def _line(share: float, rows: Sequence[Mapping[str, float]], without: Sequence[Mapping[str, float]]) -> str:
    """A share in words: means, and differences with their interval."""
    cells = []
    for name in UNITS:
        middle, low, high = _pairs(name, rows, without)
        told = "" if share == SHARES[0] else f" ({middle:+.3g}: {low:+.3g} to {high:+.3g})"
        cells.append(f"{name} {np.mean([row[name] for row in rows]):.4g}{told}")
    return f"{name_of(share)}: {'; '.join(cells)}"
