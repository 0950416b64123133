"""OpenStreetMap streets into a SUMO network, by SUMO's own netconvert.

It reads only a file that :mod:`networks.osm` wrote. What it built is rewritten without time stamp and paths: same
input, same bytes.
"""

import gzip
import os
import re
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import IO

from networks.faults import InputError, RunError
from networks.intake import CHUNK_BYTES, require_file
from networks.network import EdgeKind
from networks.netxml import read_network
from networks.osm import BoundingBox, write_streets
from networks.outfile import atomic_path

OPTIONS = (
    # only XML that was written here reaches netconvert, and a validator would fetch schemas
    *("--xml-validation", "never"),
    # names and OSM ids stay on the lanes: crash records are matched by street name, bus routes by way
    *("--output.street-names", "--output.original-names"),
    # nodes that only bend a street are no junctions
    *("--geometry.remove", "--remove-edges.isolated"),
    # OSM draws a crossing of dual carriageways as several nodes with a signal on each approach: one junction, one light
    *("--junctions.join", "--tls.guess-signals", "--tls.join"),
    # lights of pedestrian crossings between junctions have nobody to serve while no pedestrians walk
    "--tls.discard-simple",
    # a moment of red for all: a crossing 25 m wide is cleared in 1.8 s at 50 km/h
    *("--tls.allred.time", "2"),
    # turning round under a light is not allowed in most cities, and takes green from those who go on
    "--no-turnarounds.tls",
    *("--roundabouts.guess", "--ramps.guess", "--osm.turn-lanes"),
    # corners drawn round
    *("--junctions.corner-detail", "5"),
)
TYPE_MAPS = ("osmNetconvert.typ.xml", "osmNetconvertUrbanDe.typ.xml")
"""SUMO's street types and, over them, urban speeds (50 km/h on main streets that carry no limit of their own)."""

BUS_TYPES = """<types>
    <type id="highway.service" allow="delivery pedestrian bicycle bus"/>
</types>
"""
"""Last over both: buses reach terminals and hospitals over service roads; SUMO leaves those to deliveries."""

LONGEST_CYCLE_S = 150.0
SHORTENED_CYCLE_S = 120.0
LEAST_GREEN_S = 6.0
"""netconvert gives up its cycle of 90 s where the stages of a joined light do not fit into it and shows each for 31 s:
cycles of six minutes, which no city runs. Beyond the longest one, greens are cut evenly."""

GLOBE = (-180.0, -90.0, 180.0, 90.0)


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What was built: counts without what lies inside junctions, length of all edges, netconvert's warnings."""

    file: str
    edges: int
    junctions: int
    signals: int
    length_km: float
    warnings: int


def build_network(
    osm_path: str | Path,
    out_path: str | Path,
    *,
    bbox: BoundingBox | None = None,
    on_progress: Callable[[str], None] | None = None,
) -> BuildReport:
    """Build a SUMO network from ``.osm``, ``.osm.gz`` or ``.osm.pbf``; ``.gz`` at the end of ``out_path`` packs it.

    Parameters
    ----------
    osm_path, out_path
        Streets in; network out, which appears under its name only once it is whole.
    bbox
        West, south, east, north in degrees: streets that touch it are kept, in full.
    on_progress
        Called with the name of each stage as it begins.

    Raises
    ------
    InputError
        FILE_MISSING, ZIP_*, XML_DTD_REFUSED; CONFIG_VALUE for a box that is none; NET_BUILD where the file cannot be
        read, has no streets (in the box) or netconvert refuses it, in its own words.
    """
    source = require_file(osm_path)
    if bbox is not None:
        _check_box(bbox)
    tell = on_progress or (lambda _stage: None)
    with tempfile.TemporaryDirectory(prefix="bagdar-") as folder:
        streets, built = Path(folder) / "streets.osm", Path(folder) / "built.net.xml"
        tell("reading streets")
        write_streets(source, streets, bbox)
        tell("building junctions and signals")
        warnings = _netconvert(streets, built, source)
        tell("writing the network")
        report = _report(built, Path(out_path), source, warnings)
        _rewrite(built, Path(out_path))
    return report


def _check_box(bbox: BoundingBox) -> None:
    west, south, east, north = bbox
    if not (GLOBE[0] <= west < east <= GLOBE[2] and GLOBE[1] <= south < north <= GLOBE[3]):
        raise InputError(
            "CONFIG_VALUE",
            f"{','.join(f'{value:g}' for value in bbox)} is no box on the globe",
            field="bbox",
            remedy="Give west,south,east,north in degrees, west < east and south < north",
        )


def _netconvert(streets: Path, built: Path, source: Path) -> int:
    """Run netconvert; give the count of its warnings."""
    home = _sumo_home()
    bus_types = built.with_name("bus.typ.xml")
    bus_types.write_text(BUS_TYPES, encoding="utf-8")
    types = ",".join(map(str, [*(home / "data" / "typemap" / name for name in TYPE_MAPS), bus_types]))
    command = [home / "bin" / "netconvert", *OPTIONS, "-t", types, "--osm-files", streets, "-o", built]
    # its own home and projection data, for the child alone
    places = {"SUMO_HOME": str(home), "PROJ_DATA": str(home / "data" / "proj"), "PROJ_LIB": str(home / "data" / "proj")}
    done = subprocess.run(
        [str(part) for part in command], env={**os.environ, **places}, capture_output=True, text=True, check=False
    )
    lines = done.stderr.splitlines()
    if done.returncode != 0 or not built.is_file():
        raise _refused(source, f"netconvert could not build it ({_reason(lines)})")
    return sum(line.startswith("Warning") for line in lines)


def _sumo_home() -> Path:
    """Folder of the installed SUMO, found without importing it: that would change the environment."""
    found = find_spec("sumo")
    if found is None or not found.submodule_search_locations:
        raise RunError("SUMO_MISSING", "SUMO is not installed", remedy="Install the package eclipse-sumo")
    return Path(found.submodule_search_locations[0])


def _reason(lines: list[str]) -> str:
    errors = [line.removeprefix("Error:").strip() for line in lines if line.startswith("Error")]
    return "; ".join(errors) or (lines[-1] if lines else "it gave no reason")


def _report(built: Path, out_path: Path, source: Path, warnings: int) -> BuildReport:
    try:
        network = read_network(built)
    except InputError as fault:
        raise _refused(source, f"netconvert left no usable network ({fault.what})") from fault
    normal = network.edges.kind == EdgeKind.NORMAL
    return BuildReport(
        file=str(out_path),
        edges=int(normal.sum()),
        junctions=sum(kind != "internal" for kind in network.junctions.kind),
        signals=len(network.signals),
        length_km=round(float(network.edge_length_m[normal].sum()) / 1000, 3),
        warnings=warnings,
    )


def _rewrite(built: Path, out_path: Path) -> None:
    """Copy the network under its name; its head (time of building, paths) gives way to where the streets come from."""
    source = f"OpenStreetMap contributors (ODbL); built with netconvert {version('eclipse-sumo')}"
    with built.open("rb") as network, atomic_path(out_path) as part, part.open("wb") as out:
        line = b""
        while not line.lstrip().startswith(b"<net "):
            line = network.readline()
        begin = f'<?xml version="1.0" encoding="UTF-8"?>\n<!-- streets: {source} -->\n'.encode() + line
        if out_path.suffix != ".gz":
            _copy(begin, network, out)
            return
        with gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=out, mtime=0) as packed:
            _copy(begin, network, packed)


def _copy(begin: bytes, network: IO[bytes], out: IO[bytes] | gzip.GzipFile) -> None:
    """Copy all lines; netconvert escapes a street name twice (``&amp;amp;``), which is once too often."""
    out.write(begin)
    program: list[bytes] = []
    while lines := network.readlines(CHUNK_BYTES):
        text = b"".join(lines)
        if program or b"<tlLogic" in text:
            text = b"".join(_with_fitting_cycles(lines, program))
        out.write(re.sub(rb"&amp;(?=(amp|lt|gt|quot|apos);)", b"&", text))


def _with_fitting_cycles(lines: list[bytes], program: list[bytes]) -> Iterator[bytes]:
    """Lines, those of a signal program held back in ``program`` until it is whole."""
    for line in lines:
        if not program and not line.lstrip().startswith(b"<tlLogic"):
            yield line
            continue
        program.append(line)
        if line.lstrip().startswith(b"</tlLogic"):
            yield from _fitting(program)
            program.clear()


def _fitting(program: list[bytes]) -> list[bytes]:
    """A program with its greens cut evenly where its cycle is too long."""
    duration = re.compile(rb'duration="([\d.]+)"')
    found = [duration.search(line) for line in program]
    cycle_s = sum(float(match[1]) for match in found if match)
    greens = [row for row, line in enumerate(program) if found[row] and re.search(rb'state="[^"]*[Gg]', line)]
    green_s = sum(float(match[1]) for row in greens if (match := found[row]))
    if cycle_s <= LONGEST_CYCLE_S or not greens:
        return program
    share = (SHORTENED_CYCLE_S - cycle_s + green_s) / len(greens)
    shortened = b'duration="%d"' % round(max(share, LEAST_GREEN_S))
    return [duration.sub(shortened, line) if row in greens else line for row, line in enumerate(program)]


def _refused(source: Path, what: str) -> InputError:
    return InputError("NET_BUILD", what, file=source, remedy="Give another extract of OpenStreetMap")
