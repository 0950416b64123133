"""How fast traces are read against timetables, and in how much memory: kernels, whole replays, and others' libraries.

The shapes, stops and trips are real, and so is what vehicles sent; of that copies are made, see
:mod:`benchmarks.trace_copies`. All counts CPU time of one core. A replay begins where ``bagdar replay`` has read the
feed and ends with written tables.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from benchmarks.processes import cost, peak_memory, python_call
from benchmarks.results import Measurement
from benchmarks.setup import Setup, spread
from benchmarks.trace_copies import AGENCIES, Agency, write_copies
from benchmarks.trace_peers import PEERS, Turn, courses, difference, plane_of, turn
from benchmarks.trace_samples import KernelCost, agency_samples, kernel_cost, repeated
from gtfs.adherence import deviations_s
from gtfs.trace_settings import TraceSettings

MILLION = 1_000_000
PINGS = 5 * MILLION
LENGTHS = (MILLION, 5 * MILLION, 10 * MILLION)
"""Of traces of the same vehicles a day, so that the longer has more days."""

PEER_S = 20.0
"""CPU time that each peer is given in all."""

WAYS = {
    "Parquet to stop visits": ("parquet", PINGS, "visits"),
    "Parquet to all tables": ("parquet", PINGS, "all"),
    "CSV to stop visits": ("csv", MILLION, "visits"),
}


def trace_replay(setup: Setup) -> Iterator[Measurement]:
    """Pings a second by agency: of kernels beside peers, and of replays; and the memory of replays by length."""
    for agency in AGENCIES:
        if all(setup.real(name, "trace-replay") for name in (agency.feed, agency.trace)):
            yield from _beside_peers(agency, setup)
            yield from _whole(agency, setup)
            yield from _memory(agency, setup)


def _beside_peers(agency: Agency, setup: Setup) -> Iterator[Measurement]:
    """Kernels on many copies and peers on the trace itself, by turns."""
    settings = TraceSettings()
    plan, samples = agency_samples(agency, setup.data)
    plane, many = plane_of(samples), repeated(samples, PINGS)
    given = courses(plan, samples, plane)
    _, way_m = kernel_cost(plan, samples, settings)  # compiling is not matching
    late_s = deviations_s(plan.calls, samples.trip, way_m, samples.clock_s, settings.zone_m)
    costs: list[KernelCost] = []
    turns: dict[str, list[Turn]] = {name: [] for name in PEERS}
    for number in range(setup.repeats):
        setup.tell(f"{agency.name}: kernels and peers, turn {number + 1} of {setup.repeats}")
        costs.append(kernel_cost(plan, many, settings)[0])
        for name, peer in PEERS.items():
            turns[name].append(turn(peer, given, plane, PEER_S / setup.repeats))
    place = f"{agency.name}/kernels"
    yield Measurement(f"{place}/pings", len(many.trip), "1")
    yield Measurement(f"{place}/found on their lines", float(np.isfinite(way_m).mean()), "1")
    rates = {
        "match": [one.pings / one.match_s for one in costs],
        "match, calls": [one.pings / (one.match_s + one.cross_s) for one in costs],
        "match, calls, deviation": [one.pings / (one.match_s + one.cross_s + one.deviation_s) for one in costs],
    }
    for name, values in rates.items():
        yield from _rates(f"{place}/{name}", values, setup)
    for name, taken in turns.items():
        theirs = [one.pings / one.used_s for one in taken]
        slower = float(np.median(rates["match, calls, deviation"]) / np.median(theirs))
        found = difference(given, max((one.answer for one in taken), key=lambda one: len(one.way_m)), way_m, late_s)
        setup.tell(f"{agency.name}: {name} is {slower:.0f} times slower; {found}")
        yield from _rates(f"{agency.name}/peers/{name}", theirs, setup)
        yield Measurement(f"{agency.name}/peers/{name}/times slower", slower, "1")
        for part, value in asdict(found).items():
            unit = "s" if part.endswith("_s") else "1"
            yield Measurement(f"{agency.name}/peers/{name}/{part.removesuffix('_s').replace('_', ' ')}", value, unit)


def _rates(metric: str, rates: Sequence[float], setup: Setup) -> Iterator[Measurement]:
    setup.tell(f"{metric}: {np.median(rates):,.0f} a second ({min(rates):,.0f} to {max(rates):,.0f})")
    yield from spread(f"{metric}/per second", rates, "1/s")


def _whole(agency: Agency, setup: Setup) -> Iterator[Measurement]:
    """Rows of a file a second, from the file to written tables, by turns."""
    rates: dict[str, list[tuple[float, ...]]] = {name: [] for name in WAYS}
    for number in range(setup.repeats):
        setup.tell(f"{agency.name}: replays, turn {number + 1} of {setup.repeats}")
        for name, (kind, rows, tables) in WAYS.items():
            said = cost(_command(agency, _file(agency, kind, rows, setup), tables, setup)).said
            used_s = said["take_s"], said["write_s"]
            rates[name].append((rows / sum(used_s), rows / used_s[0], rows / used_s[1]))
            if not number and name == "Parquet to stop visits":
                for count in ("pings", "performed", "visits"):
                    yield Measurement(f"{agency.name}/{count} of {rows} rows", said[count], "1")
    for name, found in rates.items():
        for part, values in zip(("", ", reading and matching", ", tables"), zip(*found, strict=True), strict=True):
            yield from _rates(f"{agency.name}/{name}{part}", values, setup)


def _memory(agency: Agency, setup: Setup) -> Iterator[Measurement]:
    for rows in LENGTHS:
        path = _file(agency, "parquet", rows, setup)
        for name, tables in (("stop visits", "visits"), ("all tables", "all")):
            found = peak_memory(_command(agency, path, tables, setup))
            if found is not None:
                setup.tell(f"{agency.name}: {rows / MILLION:g} M rows to {name}, peak memory {found.own_mb:.0f} MB")
                yield Measurement(f"{agency.name}/{rows // MILLION} M rows to {name}/peak memory", found.own_mb, "MB")


def _file(agency: Agency, kind: str, rows: int, setup: Setup) -> Path:
    """The first so many rows of an agency's copies, written once."""
    path = setup.cache / f"{agency.name}-{rows // MILLION}m.{kind}"
    write_copies(agency, setup.data, path, rows)
    return path


def _command(agency: Agency, path: Path, tables: str, setup: Setup) -> list[str]:
    feed, trace = setup.data / agency.feed, setup.data / agency.trace
    return python_call("benchmarks.trace_pipeline:replayed", feed, agency.map_path, trace, path, tables)
