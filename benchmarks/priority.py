"""Priority for late buses on Ingolstadt's corridor: delay of buses, cars and persons, and who is on time.

Seven signals, the calibrated hour of cars, and two synthetic bus lines (:mod:`benchmarks.priority_lines`), since the
map has none. Every variant has the same cars, buses, entry times, dwells and SUMO seeds; what is told is the mean of
the differences from no priority within seeds, with its 95 % t interval. The timetable is the mean ride under fixed time
without priority on the tuning seeds; nothing was chosen by the seeds that are reported.
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
from scenarios.signal_content import OCCUPANCY
from scenarios.sweep import sweep
from signals.intergreen import Clearance
from signals.priority import ALL_BUSES, GRANTED, LATE_BUSES, RULES, WEIGHT, Priority
from sim.run import Run, RunSpec
from sim.signal_measures import BUS, CAR
from sim.transit_plan import read_plan
from sim.transit_tables import transit_measures

MAP = "ingolstadt7"
TUNING_SEEDS = (101, 102, 103)
SEEDS = tuple(range(1, 11))
EVERY_S = 300.0
"""Between two buses of a line."""

STRICT = "-60,180"
LATE_S = (0.0, 60.0, 180.0)
CONTROLLERS = (("static", RULES), ("actuated", RULES), ("max-pressure", WEIGHT), ("self-control", WEIGHT))
MEASURES = (
    "bus delay",
    "car delay",
    "person delay",
    "all cars' honest delay",
    "on time",
    "on time, strict",
    "lateness",
)


@dataclass(frozen=True, slots=True)
class Ask:
    """A controller with priority for some buses, or none."""

    controller: str
    kind: str
    buses: str

    @property
    def name(self) -> str:
        """As results name it."""
        return f"{self.controller}, {self.kind}: {self.buses}"

    @property
    def priority(self) -> Priority | None:
        """The priority itself."""
        if self.buses == "none":
            return None
        if self.buses == "always":
            return Priority(vehicles=(ALL_BUSES,), kind=self.kind)
        return Priority(vehicles=(LATE_BUSES,), kind=self.kind, late_s=float(self.buses.removeprefix("late ")))


def asks() -> list[Ask]:
    """Every controller without priority, then by lateness, then always."""
    buses = ("none", *(f"late {late_s:g}" for late_s in LATE_S), "always")
    return [Ask(controller, kind, which) for controller, kind in CONTROLLERS for which in buses]


@dataclass(frozen=True, slots=True)
class Ground:
    """What all runs share."""

    folder: Path
    network: RoadNetwork
    service: Service
    scratch: Path

    def spec(self, ask: Ask, seed: int) -> RunSpec:
        """The run of one variant with one seed; buses of the seed are written where they are not there yet."""
        transit = self.scratch / f"buses-{seed}"
        if not transit.exists():
            write_service(self.service, self.network, seed, transit)
        plain = run_spec(self.folder, MAP, ask.controller, seed, clearance=Clearance.ITE)
        return replace(plain, variant=ask.name, transit=transit, priority=ask.priority)


def priority(setup: Setup) -> Iterator[Measurement]:
    """Means of every variant, and differences from no priority under the same controller."""
    folder = setup.real("resco", "priority")
    if folder is None:
        return
    seeds = SEEDS[:3] if setup.quick else SEEDS
    with tempfile.TemporaryDirectory(dir=setup.cache) as scratch:
        ground = timetabled(folder, Path(scratch).resolve())
        found: dict[Ask, list[dict[str, float]]] = {}
        for ask in asks():
            found[ask] = [measures(run, ground) for run in runs(ground, ask, seeds)]
            setup.tell(_line(ask, found[ask], found[replace(ask, buses="none")]))
            for name in found[ask][0]:
                values = [row[name] for row in found[ask]]
                yield Measurement(f"{ask.name}/{name}", float(np.mean(values)), _unit(name))
            yield from differences(ask, found[ask], found[replace(ask, buses="none")])


def differences(
    ask: Ask, rows: Sequence[Mapping[str, float]], without: Sequence[Mapping[str, float]]
) -> Iterator[Measurement]:
    """Mean difference within seeds and its 95 % t interval, measure by measure."""
    if ask.buses == "none":
        return
    for name in MEASURES:
        pairs = [one[name] - other[name] for one, other in zip(rows, without, strict=True)]
        for ending, value in zip(("", "/ci95 low", "/ci95 high"), mean_interval(pairs), strict=True):
            yield Measurement(f"{ask.name} less none/{name}{ending}", value, _unit(name))


def timetabled(folder: Path, scratch: Path) -> Ground:
    """The map with its buses, their timetable from the rides of tuning runs."""
    network = read_network(folder / MAP / f"{MAP}.net.xml.gz")
    begin_s = BEGIN_S[MAP]
    free = service(lines(network), network, begin_s, begin_s + HOUR_S, EVERY_S)
    before = Ground(folder, network, free, scratch / "tuning")
    rides = [_rides_s(run, before) for run in runs(before, Ask("static", RULES, "none"), TUNING_SEEDS)]
    mean_s = tuple(np.mean([ride[number] for ride in rides], axis=0) for number in range(len(free.lines)))
    return Ground(folder, network, replace(free, ride_s=mean_s), scratch)


def _rides_s(run: Run, ground: Ground) -> list[FloatArray]:
    """Mean time from the first departure to each stop, line by line."""
    if run.transit is None:
        return []
    plan = read_plan(ground.scratch / f"buses-{run.measures.seed}")
    starts = plan.legs.call_start
    left_s = np.where(plan.calls.is_end, run.transit.arrival_s, run.transit.departure_s)
    found = []
    for number in range(len(ground.service.lines)):
        legs = np.flatnonzero(plan.legs.direction == number).tolist()
        rides_s = [left_s[starts[leg] : starts[leg + 1]] - left_s[starts[leg]] for leg in legs]
        found.append(np.nanmean(rides_s, axis=0))
    return found


def runs(ground: Ground, ask: Ask, seeds: Sequence[int]) -> list[Run]:
    """Runs of one variant with some seeds, done anew each time.

    Raises
    ------
    RunError
        BENCHMARK_FAILED where one did not finish.
    """
    specs = [ground.spec(ask, seed) for seed in seeds]
    found = sweep(specs, ground.scratch / "runs", workers=os.cpu_count() or 1)
    for run in found:
        if run.signals is None or run.transit is None:
            what = f"{ask.name}, seed {run.measures.seed}: {run.measures.status}"
            raise RunError("BENCHMARK_FAILED", what)
    return found


def measures(run: Run, ground: Ground) -> dict[str, float]:
    """What one run gave: delay at a signal (s) of a bus, a car, a person; shares; lateness; requests."""
    if run.signals is None or run.transit is None:
        return {}
    seed = run.measures.seed
    by_mode = {row.mode: row for row in run.signals.modes}
    persons = {mode: OCCUPANCY[mode] * by_mode[mode].passages for mode in (CAR, BUS)}
    person_s = sum(persons[mode] * by_mode[mode].delay_s for mode in persons) / sum(persons.values())
    plan = read_plan(ground.scratch / f"buses-{seed}")
    judged = transit_measures(plan, run.transit, run.measures.variant, seed, parse_on_time("default"))
    strict = transit_measures(plan, run.transit, run.measures.variant, seed, parse_on_time(STRICT))
    return {
        "bus delay": by_mode[BUS].delay_s,
        "car delay": by_mode[CAR].delay_s,
        "person delay": person_s,
        "all cars' honest delay": run.measures.delay_per_scheduled_s,
        "on time": judged.on_time_share,
        "on time, strict": strict.on_time_share,
        "lateness": judged.deviation_mean_s,
        "early": strict.early_share,
        "requests": float(len(run.requests)),
        "granted": float(sum(row.outcome == GRANTED for row in run.requests)),
        "conflicts": float(run.measures.monitor_violations),
    }


def _unit(name: str) -> str:
    if name in {"requests", "granted", "conflicts"}:
        return "a run"
    return "share" if name.startswith("on time") or name == "early" else "s"


def _line(ask: Ask, rows: Sequence[Mapping[str, float]], without: Sequence[Mapping[str, float]]) -> str:
    """A variant in words: means, and differences with their interval."""
    cells = []
    for name in MEASURES:
        mean = np.mean([row[name] for row in rows])
        middle, low, high = mean_interval([a[name] - b[name] for a, b in zip(rows, without, strict=True)])
        cells.append(
            f"{name} {mean:.3g}" + ("" if ask.buses == "none" else f" ({middle:+.3g}: {low:+.3g} to {high:+.3g})")
        )
    granted = np.mean([row["granted"] for row in rows])
    return (
        f"{ask.name}: {'; '.join(cells)}; {granted:.0f} granted; {sum(row['conflicts'] for row in rows):.0f} conflicts"
    )
