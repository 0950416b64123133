"""Reading a network: ours beside sumolib's, each in a fresh process, and beside a parser that only counts."""

import statistics
from collections.abc import Iterator
from pathlib import Path

from benchmarks.processes import cost, peak_memory, python_call
from benchmarks.results import Measurement
from benchmarks.setup import Setup, spread
from networks.build import build_network
from sim.engine import sumo_home

READERS = {
    "ours": "networks.netxml:read_network",
    "sumolib": "sumolib.net:readNet",
    "sumolib, whole": "benchmarks.readers:whole_with_sumolib",
    "expat": "benchmarks.readers:count_elements",
}
"""Who reads, as functions of a path. By itself sumolib leaves out what lies inside junctions, ways of pedestrians and
signal programs; whole, it reads what ours does. Bare expat is the lower limit: it checks the text and keeps nothing."""

PEERS = ("sumolib", "sumolib, whole")


def network_reading(setup: Setup) -> Iterator[Measurement]:
    """CPU time and peak memory of each reader, and how many times faster than sumolib's ours is."""
    for name, network in _networks(setup):
        yield from _compare(name, network, setup)


def _networks(setup: Setup) -> Iterator[tuple[str, Path]]:
    yield "adlershof", sumo_home() / "tools" / "game" / "DRT" / "osm.net.xml"
    streets = setup.real("portoalegre/osm.pbf", "network-reading of Porto Alegre")
    if streets is not None:
        built = setup.cache / "portoalegre.net.xml"
        if not built.exists():
            setup.tell(f"building {built.name}, once")
            build_network(streets, built)
        yield "porto-alegre", built


def _compare(name: str, network: Path, setup: Setup) -> Iterator[Measurement]:
    commands = {reader: python_call(function, network) for reader, function in READERS.items()}
    used_s: dict[str, list[float]] = {reader: [] for reader in commands}
    for turn in range(setup.repeats):
        setup.tell(f"reading {name}, {turn + 1} of {setup.repeats}")
        # who begins changes, so that a machine that warms up or slows down favours nobody
        for reader, command in list(commands.items())[:: 1 if turn % 2 else -1]:
            used_s[reader].append(cost(command).said["call_cpu_s"])
    for reader, seconds in used_s.items():
        yield Measurement(f"{name}/{reader} cpu", statistics.median(seconds), "s")
    for peer in PEERS:
        ratios = [theirs / ours for theirs, ours in zip(used_s[peer], used_s["ours"], strict=True)]
        yield from spread(f"{name}/times faster than {peer}", ratios, "1")
    for reader, command in commands.items():
        memory = peak_memory(command)
        if memory is not None:
            yield Measurement(f"{name}/{reader} peak memory", memory.own_mb, "MB")
