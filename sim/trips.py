"""Car trips of our own making: departures with full routes, and the route file that holds them."""

import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import BinaryIO
from xml.sax.saxutils import escape

from networks.network import FloatArray, IntArray, RoadNetwork
from networks.outfile import atomic_path

VEHICLE_CLASS = "passenger"
VEHICLE_TYPE = f'<vType id="car" vClass="{VEHICLE_CLASS}" speedDev="0.1"/>'
"""SUMO's own passenger car; speedDev makes each driver keep to a speed of his own around the limit."""

GZIP_LEVEL = 6


@dataclass(frozen=True, slots=True, eq=False)
class CarTrips:
    """Cars in order of departure: when each departs (s), shape (cars,), and the network rows of its route's edges."""

    departures_s: FloatArray
    routes: tuple[IntArray, ...]

    def __len__(self) -> int:
        """Count of cars."""
        return len(self.routes)


def write_trips(trips: CarTrips, network: RoadNetwork, path: str | Path, name: str, note: str) -> Path:
    """Write trips as a SUMO route file: whole or not at all, the same bytes for the same trips.

    Parameters
    ----------
    path
        Where to; compressed where it ends in ``.gz``.
    name
        Begin of every vehicle's id.
    note
        What the reader of the file must know of its origin; stands in a comment at its top.
    """
    lines = chain(_head(note), _vehicles(trips, network, name), ("</routes>\n",))
    with atomic_path(path) as part, part.open("wb") as stream:
        if part.suffix == ".gz":
            with gzip.GzipFile("", "wb", GZIP_LEVEL, stream, mtime=0) as packed:
                _write(packed, lines)
        else:
            _write(stream, lines)
    return Path(path)


def _write(stream: BinaryIO | gzip.GzipFile, lines: Iterator[str]) -> None:
    stream.write("".join(lines).encode())


def _head(note: str) -> Iterator[str]:
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    yield f"<!-- {note.replace('--', '- -')} -->\n"
    yield f"<routes>\n    {VEHICLE_TYPE}\n"


def _vehicles(trips: CarTrips, network: RoadNetwork, name: str) -> Iterator[str]:
    ids = [escape(name, {'"': "&quot;"}) for name in network.edges.ids]
    for number, (depart_s, route) in enumerate(zip(trips.departures_s.tolist(), trips.routes, strict=True)):
        edges = " ".join([ids[row] for row in route.tolist()])
        yield (
            f'    <vehicle id="{name}.{number}" type="car" depart="{depart_s:.1f}" departLane="best" departSpeed="max">'
            f'<route edges="{edges}"/></vehicle>\n'
        )
