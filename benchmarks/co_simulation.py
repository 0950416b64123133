"""What it costs to measure and to control: our runs beside the bare ``sumo`` program on the same files.

The loop is what counts: each run is also done over one second, and what that cost (start-up, loading) taken away.
"""

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.processes import cost, peak_memory, python_call
from benchmarks.resco import HOUR_S, run_spec
from benchmarks.results import Measurement
from benchmarks.setup import Setup, spread
from signals.intergreen import Clearance
from sim.engine import Api, sumo_home
from sim.options import SumoOptions
from sim.run import simulate

MAPS = ("ingolstadt7", "cologne8")
SEED = 1
START_UP_S = 1.0

WAYS = {
    "static": ("static", ""),
    "static, in process": ("static", Api.LIBSUMO),
    "max-pressure": ("max-pressure", ""),
}
"""What runs beside the bare program: controller, and how SUMO is run (empty: as a run does it by itself)."""


@dataclass(frozen=True, slots=True)
class _Used:
    """CPU seconds: all of it, and SUMO's share."""

    all_s: float
    sumo_s: float


def co_simulation(setup: Setup) -> Iterator[Measurement]:
    """CPU time of the loop over that of bare SUMO, whose share it is, and peak memory."""
    folder = setup.real("resco", "co-simulation")
    if folder is not None:
        for name in MAPS:
            yield from _memory(name, "bare sumo", _bare_command(folder, name, HOUR_S))
            for way in WAYS:
                yield from _compare(folder, name, way, setup)
                yield from _memory(name, way, _our_command(folder, name, way, HOUR_S))


def simulate_map(folder: str, name: str, controller: str, api: str, span_s: str) -> dict[str, float]:
    """One run in this process; SUMO's share of its CPU time."""
    spec = run_spec(Path(folder), name, controller, SEED, clearance=Clearance.AS_SHIPPED, span_s=float(span_s))
    return {"sumo_cpu_s": simulate(spec, api=Api(api) if api else None).measures.sumo_cpu_s}


def _compare(folder: Path, name: str, way: str, setup: Setup) -> Iterator[Measurement]:
    """Alternating pairs of ours and the bare program; whichever comes first changes."""
    pairs: list[tuple[_Used, _Used]] = []
    for turn in range(setup.repeats):
        setup.tell(f"{name}, {way}: pair {turn + 1} of {setup.repeats}")
        if turn % 2:
            ours, bare = _our_loop(folder, name, way), _bare_loop(folder, name)
        else:
            bare, ours = _bare_loop(folder, name), _our_loop(folder, name, way)
        pairs.append((ours, bare))
    place = f"{name}/{way}"
    yield from spread(f"{place}/cpu over bare sumo", [ours.all_s / bare.all_s for ours, bare in pairs], "1")
    shares = [ours.sumo_s / bare.all_s for ours, bare in pairs]
    yield Measurement(f"{place}/of which in sumo", statistics.median(shares), "1")
    yield Measurement(f"{place}/of which in python", statistics.median(_python_shares(pairs)), "1")
    yield Measurement(f"{place}/loop cpu", statistics.median(ours.all_s for ours, _ in pairs), "s")
    yield Measurement(f"{place}/loop cpu of bare sumo", statistics.median(bare.all_s for _, bare in pairs), "s")


def _python_shares(pairs: Sequence[tuple[_Used, _Used]]) -> list[float]:
    return [(ours.all_s - ours.sumo_s) / bare.all_s for ours, bare in pairs]


def _bare_loop(folder: Path, name: str) -> _Used:
    whole, start_up = (cost(_bare_command(folder, name, span_s)).cpu_s for span_s in (HOUR_S, START_UP_S))
    return _Used(whole - start_up, whole - start_up)


def _our_loop(folder: Path, name: str, way: str) -> _Used:
    whole, start_up = (cost(_our_command(folder, name, way, span_s)).said for span_s in (HOUR_S, START_UP_S))
    return _Used(
        whole["call_cpu_s"] - start_up["call_cpu_s"],
        whole["sumo_cpu_s"] - start_up["sumo_cpu_s"],
    )


def _our_command(folder: Path, name: str, way: str, span_s: float) -> list[str]:
    return python_call("benchmarks.co_simulation:simulate_map", folder, name, *WAYS[way], span_s)


def _bare_command(folder: Path, name: str, span_s: float) -> list[str]:
    """The same traffic and nothing asked for."""
    spec = run_spec(folder, name, "static", SEED, clearance=Clearance.AS_SHIPPED, span_s=span_s)
    options = SumoOptions(spec.network, spec.routes, spec.begin_s, spec.end_s, SEED)
    return [str(sumo_home() / "bin" / "sumo"), *options.arguments()]


def _memory(name: str, way: str, command: Sequence[str]) -> Iterator[Measurement]:
    """Peak of the process, and of SUMO beside it where it runs as a program of its own."""
    memory = peak_memory(command)
    if memory is not None:
        yield Measurement(f"{name}/{way}/peak memory", memory.own_mb + memory.children_mb, "MB")
        if memory.children_mb:
            yield Measurement(f"{name}/{way}/peak memory of sumo beside it", memory.children_mb, "MB")
