"""What it costs to look for conflicts, beside bare SUMO and beside SUMO's own SSM device, and how steady counts are.

The loop is what counts, as in :mod:`benchmarks.co_simulation`: each run is also done over one second, and what that
cost (start-up, loading, conflict areas) taken away. The cheapest of some runs is compared: what disturbs one only adds
to it.
"""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.processes import cost, peak_memory, python_call
from benchmarks.resco import HOUR_S, run_spec
from benchmarks.results import Measurement
from benchmarks.setup import Setup
from networks.netxml import read_network
from signals.intergreen import Clearance
from sim.conflict_run import ConflictOptions, look_s, read_conflicts, write_edges
from sim.conflicts import Conflict
from sim.engine import run_program, sumo_home
from sim.options import SumoOptions
from sim.outputs import read_trip_rows

MAPS = ("cologne8", "ingolstadt7")
STEPS_S = (1.0, 0.1)
SITES = 2
"""Signals that count as chosen, of eight and of seven."""

PET_S, SERIOUS_PET_S = 5.0, 2.0
SEED = 1
START_UP_S = 1.0
ALL, CHOSEN = "all vehicles", "chosen sites"


def conflicts(setup: Setup) -> Iterator[Measurement]:
    """CPU time over bare SUMO's, peak memory, and counts by step."""
    folder = setup.real("resco", "conflicts")
    if folder is None:
        return
    for name in MAPS:
        for step_s in STEPS_S:
            yield from _costs(folder, name, step_s, setup)
        yield from _memory(folder, name)


def watch_map(folder: str, name: str, step_s: str, span_s: str, sites: str) -> dict[str, float]:
    """One run of the program, asked for conflicts and for the types of vehicles alone; counts by kind."""
    spec = run_spec(Path(folder), name, "static", SEED, clearance=Clearance.AS_SHIPPED, span_s=float(span_s))
    every_s = look_s(float(step_s))
    chosen = ConflictOptions(spec.controlled[:SITES] if sites == CHOSEN else None)
    network = read_network(spec.network)
    with tempfile.TemporaryDirectory(prefix="bagdar-") as place:
        record, edges = Path(place) / "movements.parquet", Path(place) / "edges.txt"
        options = replace(_options(folder, name, step_s, span_s), movements=record, movements_every_s=every_s)
        options = replace(options, tripinfo=Path(place) / "trips.xml")
        if chosen.sites is not None:
            write_edges(edges, network, chosen.sites)
            options = replace(options, movements_on=edges)
        run_program(options, None, HOUR_S)
        trips = read_trip_rows(Path(place) / "trips.xml")
        found = read_conflicts(record, network, chosen, every_s, spec.routes, trips).conflicts
    return _counts(found)


def _counts(found: Sequence[Conflict]) -> dict[str, float]:
    by_pet = [row for row in found if row.pet_s <= PET_S]
    return {
        "crossing by PET": float(sum(row.kind == "crossing" for row in by_pet)),
        "merging by PET": float(sum(row.kind == "merging" for row in by_pet)),
        "crossing or merging, PET up to 2 s": float(sum(row.pet_s <= SERIOUS_PET_S for row in by_pet)),
        "rear-end by TTC": float(sum(row.kind == "following" for row in found)),
    }


def _options(folder: str | Path, name: str, step_s: float | str, span_s: float | str) -> SumoOptions:
    spec = run_spec(Path(folder), name, "static", SEED, clearance=Clearance.AS_SHIPPED, span_s=float(span_s))
    return SumoOptions(spec.network, spec.routes, spec.begin_s, spec.end_s, SEED, float(step_s))


def _bare(folder: Path, name: str, step_s: float, span_s: float) -> list[str]:
    return [str(sumo_home() / "bin" / "sumo"), *_options(folder, name, step_s, span_s).arguments()]


def _ssm(folder: Path, name: str, step_s: float, span_s: float, out: Path) -> list[str]:
    """SUMO's own device on all vehicles, with the same measures and thresholds."""
    words = ["--device.ssm.probability", "1", "--device.ssm.measures", "TTC DRAC PET"]
    words += ["--device.ssm.thresholds", "1.5 3.4 5", "--device.ssm.file", str(out)]
    return [*_bare(folder, name, step_s, span_s), *words]


def _ours(folder: Path, name: str, step_s: float, span_s: float, sites: str) -> list[str]:
    return python_call("benchmarks.conflicts:watch_map", folder, name, step_s, span_s, sites)


def _costs(folder: Path, name: str, step_s: float, setup: Setup) -> Iterator[Measurement]:
    place = f"{name}/step {step_s:g} s"
    with tempfile.TemporaryDirectory(prefix="bagdar-") as scratch:
        out = Path(scratch) / "ssm.xml"
        ways: dict[str, Callable[[float], float]] = {
            "bare sumo": lambda span_s: cost(_bare(folder, name, step_s, span_s)).cpu_s,
            "SUMO's SSM device": lambda span_s: cost(_ssm(folder, name, step_s, span_s, out)).cpu_s,
            ALL: lambda span_s: cost(_ours(folder, name, step_s, span_s, ALL)).said["call_cpu_s"],
            CHOSEN: lambda span_s: cost(_ours(folder, name, step_s, span_s, CHOSEN)).said["call_cpu_s"],
        }
        used: dict[str, list[float]] = {way: [] for way in ways}
        for turn in range(setup.repeats):
            setup.tell(f"{place}: turn {turn + 1} of {setup.repeats}")
            for way, measure in ways.items():
                used[way].append(measure(HOUR_S) - measure(START_UP_S))
    least = {way: min(values) for way, values in used.items()}
    yield Measurement(f"{place}/bare sumo/loop cpu", least["bare sumo"], "s")
    for way in list(ways)[1:]:
        yield Measurement(f"{place}/{way}/cpu over bare sumo", least[way] / least["bare sumo"], "1")
    for kind, count in cost(_ours(folder, name, step_s, HOUR_S, ALL)).said.items():
        if kind != "call_cpu_s":
            yield Measurement(f"{place}/{kind}", count, "1", SEED)


def _memory(folder: Path, name: str) -> Iterator[Measurement]:
    """Peak memory at the short step, ours and SUMO's beside it, above the bare program's."""
    bare, ours = (
        peak_memory(command)
        for command in (_bare(folder, name, STEPS_S[-1], HOUR_S), _ours(folder, name, STEPS_S[-1], HOUR_S, ALL))
    )
    if bare is not None and ours is not None:
        yield Measurement(f"{name}/{ALL}/peak memory of sumo above bare", ours.children_mb - bare.own_mb, "MB")
        yield Measurement(f"{name}/{ALL}/peak memory of python", ours.own_mb, "MB")
