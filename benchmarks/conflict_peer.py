"""Our conflicts beside those that SUMO's own SSM device finds in the same run: who finds which pairs, by kind and PET.

A pair is two vehicles; met twice, it counts once, with its least PET. The device writes a conflict from each of both
sides, tells kinds by number and gives a PET where ways cross or merge.
"""

import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

from benchmarks.conflict_counts import PET_S, SERIOUS_PET_S
from benchmarks.processes import cost
from benchmarks.resco import HOUR_S, run_spec
from benchmarks.results import Measurement
from networks.netxml import read_network
from signals.intergreen import Clearance
from sim.conflict_run import ConflictOptions, read_conflicts
from sim.conflicts import Conflict
from sim.engine import run_program, sumo_home
from sim.options import SumoOptions
from sim.outputs import read_trip_rows

Pair = frozenset[str]
Seen = tuple[str, float]
"""Kind of a pair's encounter and its PET (s)."""

MERGING = frozenset({"5", "6", "7", "8", "19"})
"""The device's numbers of what merges (``MSDevice_SSM::EncounterType``)."""

BANDS = ((0.0, "negative"), (SERIOUS_PET_S, "0 to 2 s"), (PET_S, "2 to 5 s"))


def peer(folder: Path, name: str, seed: int) -> Iterator[Measurement]:
    """Pairs with a PET of at most 5 s that both find, that we find alone, and that the device finds alone."""
    ours, theirs = both(folder, name, seed)
    shared = ours.keys() & theirs.keys()
    place = f"{name}/pairs with a PET up to 5 s"
    yield Measurement(f"{place}/found by both", float(len(shared)), "1", seed)
    for who, found in (("by us alone", ours), ("by SUMO's SSM device alone", theirs)):
        alone = {pair: found[pair] for pair in found.keys() - shared}
        yield Measurement(f"{place}/found {who}", float(len(alone)), "1", seed)
        for (kind, band), count in sorted(by_band(alone).items()):
            yield Measurement(f"{place}/found {who}/{kind}, {band}", float(count), "1", seed)


def by_band(found: Mapping[Pair, Seen]) -> Counter[tuple[str, str]]:
    """How many pairs there are of each kind and band of PET."""
    return Counter((kind, next(name for most_s, name in BANDS if pet_s <= most_s)) for kind, pet_s in found.values())


def both(folder: Path, name: str, seed: int, step_s: float = 1.0) -> tuple[dict[Pair, Seen], dict[Pair, Seen]]:
    """Pairs that we find and that the device finds, in one run each of the same traffic."""
    spec = run_spec(folder, name, "static", seed, clearance=Clearance.AS_SHIPPED)
    with tempfile.TemporaryDirectory(prefix="bagdar-") as scratch:
        record, trips, ssm = (Path(scratch) / file for file in ("record.parquet", "trips.xml", "ssm.xml"))
        options = SumoOptions(spec.network, spec.routes, spec.begin_s, spec.end_s, seed, step_s, tripinfo=trips)
        run_program(replace(options, movements=record, movements_every_s=step_s), None, HOUR_S)
        cost([str(sumo_home() / "bin" / "sumo"), *options.arguments(), *ssm_arguments(ssm)])
        found = read_conflicts(
            record, read_network(spec.network), ConflictOptions(), step_s, spec.routes, read_trip_rows(trips)
        ).conflicts
        return our_pairs(found), device_pairs(ssm)


def ssm_arguments(out: Path) -> list[str]:
    """SUMO's own device on all vehicles, with the same measures and thresholds as ours."""
    words = ["--device.ssm.probability", "1", "--device.ssm.measures", "TTC DRAC PET"]
    return [*words, "--device.ssm.thresholds", "1.5 3.4 5", "--device.ssm.file", str(out)]


def our_pairs(found: Sequence[Conflict]) -> dict[Pair, Seen]:
    """Least PET of each pair that crossed or merged."""
    rows = [(frozenset({row.first, row.second}), row.kind, row.pet_s) for row in found if row.pet_s <= PET_S]
    return _least(rows)


def device_pairs(path: Path) -> dict[Pair, Seen]:
    """Least PET of each pair in the device's file."""
    rows = []
    for _, element in ET.iterparse(path):  # noqa: S314 - SUMO has just written it
        if element.tag != "conflict":
            continue
        pet = element.find("PET")
        if pet is not None and pet.get("value", "NA") != "NA" and float(pet.get("value", "")) <= PET_S:
            pair = frozenset({element.get("ego", ""), element.get("foe", "")})
            rows.append((pair, _kind(element), float(pet.get("value", ""))))
        element.clear()
    return _least(rows)


def _kind(conflict: ET.Element) -> str:
    spans = conflict.find("typeSpan")
    types = set() if spans is None else set(spans.get("values", "").split())
    return "merging" if types & MERGING else "crossing"


def _least(rows: Sequence[tuple[Pair, str, float]]) -> dict[Pair, Seen]:
    found: dict[Pair, Seen] = {}
    for pair, kind, pet_s in rows:
        if pair not in found or pet_s < found[pair][1]:
            found[pair] = kind, pet_s
    return found
