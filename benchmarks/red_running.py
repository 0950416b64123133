"""What clearance intervals are for: junction collisions and conflicts of drivers who run red, by yellow and all-red.

Cologne's single crossing with its shipped program (5 s of yellow, no all-red), with yellow by formula and no all-red,
and with both by formula, all in fixed order and the same cycle. All drivers run red up to two seconds, so that there is
something to count in an hour; and, beside that, with drivers as they are, who never do.
"""

import gzip
import re
import statistics
import tempfile
from collections.abc import Iterator
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

MAP = "cologne1"
SEEDS = tuple(range(1, 11))
QUICK_SEEDS = 3
SERIOUS_PET_S = 2.0
RED_RUNNERS = RedRunning(share=1.0, after_red_s=2.0, after_yellow_s=3.0)
SHIPPED, NO_ALL_RED, ITE = "as shipped", "yellow by formula, no all-red", "ITE"


def red_running(setup: Setup) -> Iterator[Measurement]:
    """Collisions inside the junction, crossing conflicts and delay, by clearance and by drivers."""
    folder = setup.real("resco", "red-running")
    if folder is None:
        return
    with tempfile.TemporaryDirectory(prefix="bagdar-") as name:
        place = Path(name)
        routes = {"drivers as they are": folder / MAP / f"{MAP}.rou.xml.gz", "red runners": place / "red.rou.xml.gz"}
        write_driver_routes(routes["drivers as they are"], routes["red runners"], Drivers(red_running=RED_RUNNERS))
        networks = dict(_networks(folder / MAP / f"{MAP}.net.xml.gz", place))
        for drivers, path in routes.items():
            for clearance, network in networks.items():
                setup.tell(f"{drivers}, {clearance}")
                spec = run_spec(folder, MAP, "static", 1, clearance=Clearance.AS_SHIPPED)
                spec = replace(spec, network=network, routes=(path,), conflicts=ConflictOptions(measures=("pet",)))
                yield from _measured(f"{drivers}/{clearance}", spec, SEEDS[: QUICK_SEEDS if setup.quick else None])


def _measured(place: str, spec: RunSpec, seeds: tuple[int, ...]) -> Iterator[Measurement]:
    runs = [simulate(replace(spec, seed=seed)) for seed in seeds]
    collisions = [float(run.measures.collisions) for run in runs]
    for words, value in zip(("", "/95 % from", "/95 % to"), mean_interval(collisions), strict=True):
        yield Measurement(f"{place}/collisions in the junction{words}", value, "1/h")
    yield Measurement(f"{place}/crossing conflicts, PET up to 2 s", statistics.fmean(map(_serious, runs)), "1/h")
    yield Measurement(f"{place}/delay", statistics.fmean(run.measures.delay_per_scheduled_s for run in runs), "s")


def _serious(run: Run) -> int:
    rows = run.conflicts.conflicts if run.conflicts else ()
    return sum(row.kind == "crossing" and row.pet_s <= SERIOUS_PET_S for row in rows)


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
