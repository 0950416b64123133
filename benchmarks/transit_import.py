"""Bringing a timetable onto streets: a whole city's day by ours, and a few patterns of it by ours and by SUMO's tool.

Everybody reads the network and the feed from their files, in a fresh process. SUMO's ``gtfs2pt.py`` places stops, finds
ways and writes vehicles; ours does that, drives every pattern and then the whole day, and counts how punctual it is.
CPU time per pattern is that of all this divided by the count of patterns, so it has in it what each needs once: most of
ours on a few patterns, little of the peer's.
"""

import csv
import io
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Collection, Iterator
from dataclasses import asdict
from datetime import date
from pathlib import Path

import numpy as np

from benchmarks.processes import cost, peak_memory, python_call
from benchmarks.results import Measurement
from benchmarks.setup import Setup
from gtfs.feed import read_feed
from gtfs.timetable import timetable
from networks.build import build_network
from networks.netxml import read_network
from scenarios.transit_import import import_to_folder
from sim.engine import sumo_home
from sim.modes import modes_named
from sim.transit import TransitOptions

DAY = date(2019, 11, 6)
BUS = modes_named(["bus"])
PATTERNS = 3
FIGURES = {
    "trips_driven": "trips driven",
    "calls_driven_share": "calls driven share",
    "stops_placed_share": "stops placed share",
    "on_shape_share": "on-shape share",
    "calls_on_time_share": "calls within 60 s",
    "calls_over_300_s_late_share": "calls over 300 s late",
    "vehicles_stuck": "vehicles stuck",
}
"""Sums of an import that are reported, with their names here."""


def transit_import(setup: Setup) -> Iterator[Measurement]:
    """CPU time, memory and figures of the whole feed; CPU time per pattern of both on a feed cut to a few patterns."""
    found = setup.real("northern_kentucky", "transit-import")
    if found is None:
        return
    network = setup.cache / "northern_kentucky.net.xml"
    if not network.exists():
        setup.tell(f"building {network.name}, once")
        build_network(found / "streets.osm.pbf", network)
    with tempfile.TemporaryDirectory(prefix="bagdar-") as folder:
        yield from _side_by_side(network, found / "gtfs-7-routes.zip", Path(folder), setup)
        yield from _whole(network, found / "gtfs.zip", Path(folder), setup)


def _whole(network: Path, feed: Path, folder: Path, setup: Setup) -> Iterator[Measurement]:
    command = python_call("benchmarks.transit_import:ours", network, feed, folder / "whole")
    setup.tell("importing the whole feed")
    said = cost(command).said
    yield Measurement("northern kentucky/cpu", said["call_cpu_s"], "s")
    for name, label in FIGURES.items():
        yield Measurement(f"northern kentucky/{label}", said[name], "1")
    setup.tell("importing it again, looking at memory")
    memory = peak_memory(command)
    if memory is not None:
        yield Measurement("northern kentucky/peak memory", memory.own_mb, "MB")


def _side_by_side(network: Path, feed: Path, folder: Path, setup: Setup) -> Iterator[Measurement]:
    few = folder / "few.zip"
    trips = cut_feed(feed, few, DAY, PATTERNS)
    yield Measurement("few patterns/trips", trips, "1")
    used_s: dict[str, float] = {}
    for who, trips_key in (("ours", "trips_driven"), ("peer", "vehicles")):
        setup.tell(f"importing {PATTERNS} patterns: {who}")
        said = cost(python_call(f"benchmarks.transit_import:{who}", network, few, folder / who)).said
        used_s[who] = said["call_cpu_s"]
        yield Measurement(f"few patterns/{who} cpu per pattern", used_s[who] / PATTERNS, "s")
        yield Measurement(f"few patterns/{who} trips written", said[trips_key], "1")
    ratio = used_s["peer"] / used_s["ours"]
    setup.tell(f"CPU per pattern: ours {used_s['ours'] / PATTERNS:.1f} s, peer {used_s['peer'] / PATTERNS:.1f} s")
    setup.tell(f"ours is {ratio:.2f} times as fast per pattern")
    yield Measurement("few patterns/times faster than peer", ratio, "1")


def ours(network: str, feed: str, folder: str) -> dict[str, float]:
    """Import a feed as users do; the sums that are reported."""
    path = Path(network)
    totals = import_to_folder(read_network(path), path, Path(feed), TransitOptions(DAY, BUS), Path(folder))
    return {name: value for name, value in asdict(totals).items() if name in FIGURES}


def peer(network: str, feed: str, folder: str) -> dict[str, int]:
    """Import a feed with SUMO's tool, which writes much beside what it was asked for; how many vehicles it wrote."""
    Path(folder).mkdir()
    tool = sumo_home() / "tools" / "import" / "gtfs" / "gtfs2pt.py"
    asked = ["--network", network, "--gtfs", feed, "--date", f"{DAY:%Y%m%d}", "--modes", "bus"]
    written = ["--route-output", "vehicles.rou.xml", "--additional-output", "stops.add.xml"]
    command = [sys.executable, str(tool), *asked, *written]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"gtfs2pt.py: {(done.stderr.strip().splitlines() or ['it said nothing'])[-1]}")
    return {"vehicles": (Path(folder) / "vehicles.rou.xml").read_text(encoding="utf-8").count("<vehicle ")}


def cut_feed(feed: Path, out: Path, day: date, patterns: int) -> int:
    """Write a feed of one day's trips of the patterns with most trips, and of what they refer to; count its trips.

    Trips that began the day before are left out, so that both sides see the same ones.
    """
    whole = timetable(read_feed(feed), day, previous_day=False)
    counts = np.bincount(whole.trips.pattern, minlength=len(whole.patterns))
    wanted = np.argsort(-counts, kind="stable")[:patterns]
    some = whole.select(np.isin(whole.trips.pattern, wanted))
    kept: dict[str, tuple[str, Collection[str]]] = {
        "trips.txt": ("trip_id", set(some.trips.trip_ids)),
        "stop_times.txt": ("trip_id", set(some.trips.trip_ids)),
        "stops.txt": ("stop_id", set(some.stops.ids)),
        "routes.txt": ("route_id", set(some.routes.ids)),
        "shapes.txt": ("shape_id", set(some.shapes.ids)),
    }
    with zipfile.ZipFile(feed) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for name in (*kept, "agency.txt", "calendar.txt", "calendar_dates.txt"):
            text = source.read(name).decode("utf-8-sig")
            target.writestr(name, _rows_of(text, *kept[name]) if name in kept else text)
    return len(some.trips)


def _rows_of(text: str, column: str, wanted: Collection[str]) -> str:
    """Rows of a table whose key is wanted."""
    rows = csv.DictReader(io.StringIO(text))
    out = io.StringIO()
    writer = csv.DictWriter(out, rows.fieldnames or [])
    writer.writeheader()
    writer.writerows(row for row in rows if row[column] in wanted)
    return out.getvalue()
