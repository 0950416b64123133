"""What it costs to look for conflicts, beside bare SUMO and beside SUMO's own SSM device, and how steady counts are.

The loop is what counts, as in :mod:`benchmarks.co_simulation`: each run is also done over one second, and what that
cost (start-up, loading, conflict areas) taken away. The cheapest of some runs is compared: what disturbs one only adds
to it. Bare SUMO and ours write the same ``tripinfo``. How counts hang on how often one looks is a case of its own
(:mod:`benchmarks.conflict_looks`), and so is what SUMO's device finds (:mod:`benchmarks.conflict_peer`).
"""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from benchmarks.conflict_counts import counts
from benchmarks.conflict_looks import looks
from benchmarks.conflict_peer import peer, ssm_arguments
from benchmarks.processes import cost, peak_memory, python_call
from benchmarks.resco import HOUR_S, run_spec
from benchmarks.results import Measurement
from benchmarks.setup import Setup
from networks.netxml import read_network
from signals.intergreen import Clearance
from sim.conflict_run import ConflictOptions, look_s, read_conflicts, write_edges
from sim.engine import run_program, sumo_home
from sim.options import SumoOptions
from sim.outputs import read_trip_rows

MAPS = ("cologne8", "ingolstadt7")
STEPS_S = (1.0, 0.1)
SITES = 2
"""Signals that count as chosen, of eight and of seven."""

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
        yield from looks(folder, name, SEED)
    yield from peer(folder, MAPS[0], SEED)


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
    return counts(found)


def run_map(folder: str, name: str, step_s: str, span_s: str) -> None:
    """The same run by the same program, asked for no conflicts."""
    with tempfile.TemporaryDirectory(prefix="bagdar-") as place:
        trips = Path(place) / "trips.xml"
        run_program(replace(_options(folder, name, step_s, span_s), tripinfo=trips), None, HOUR_S)
        read_trip_rows(trips)


def _options(folder: str | Path, name: str, step_s: float | str, span_s: float | str) -> SumoOptions:
    spec = run_spec(Path(folder), name, "static", SEED, clearance=Clearance.AS_SHIPPED, span_s=float(span_s))
    return SumoOptions(spec.network, spec.routes, spec.begin_s, spec.end_s, SEED, float(step_s))


def _bare(folder: Path, name: str, step_s: float, span_s: float, trips: Path) -> list[str]:
    options = replace(_options(folder, name, step_s, span_s), tripinfo=trips)
    return [str(sumo_home() / "bin" / "sumo"), *options.arguments()]


def _ours(folder: Path, name: str, step_s: float, span_s: float, sites: str) -> list[str]:
    return python_call("benchmarks.conflicts:watch_map", folder, name, step_s, span_s, sites)


def _costs(folder: Path, name: str, step_s: float, setup: Setup) -> Iterator[Measurement]:
    place = f"{name}/step {step_s:g} s"
    with tempfile.TemporaryDirectory(prefix="bagdar-") as scratch:
        out, trips = Path(scratch) / "ssm.xml", Path(scratch) / "trips.xml"
        ssm = ssm_arguments(out)
        ways: dict[str, Callable[[float], float]] = {
            "bare sumo": lambda span_s: cost(_bare(folder, name, step_s, span_s, trips)).cpu_s,
            "SUMO's SSM device": lambda span_s: cost([*_bare(folder, name, step_s, span_s, trips), *ssm]).cpu_s,
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
    """Peak memory by step, of SUMO and of Python together, above the same run by the same program without conflicts."""
    for step_s in STEPS_S:
        place = f"{name}/step {step_s:g} s"
        bare = peak_memory(python_call("benchmarks.conflicts:run_map", folder, name, step_s, HOUR_S))
        for sites in (ALL, CHOSEN):
            ours = peak_memory(_ours(folder, name, step_s, HOUR_S, sites))
            if bare is not None and ours is not None:
                yield Measurement(f"{place}/{sites}/peak memory of sumo", ours.children_mb - bare.children_mb, "MB")
                yield Measurement(f"{place}/{sites}/peak memory of python", ours.own_mb - bare.own_mb, "MB")
                yield Measurement(f"{place}/{sites}/peak memory of python, all", ours.own_mb, "MB")
