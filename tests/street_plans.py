"""Streets drawn in a few lines, for tests of sites and crash records whose answers are seen on paper."""

import math
from itertools import pairwise, product
from pathlib import Path

import numpy as np

from networks.geometry import to_lonlat
from networks.network import RoadNetwork
from networks.netxml import read_network

PROJECTION = "+proj=utm +zone=33 +ellps=WGS84 +datum=WGS84 +units=m +no_defs"
OFFSET_M = (-400_000.0, -5_800_000.0)
"""Places a plan near Berlin."""

Places = dict[str, tuple[float, float]]


def read_plan(
    folder: Path, places: Places, streets: list[str], lights: dict[str, str] | None = None, main: tuple[str, ...] = ()
) -> RoadNetwork:
    """Read a network of straight one-lane streets.

    ``places``: junction to (x, y) in metres. ``streets``: ``"High Street: a b c"`` runs both ways through its
    junctions, ``"High Street: a > b > c"`` one way; a name may be empty or stand on several lines. ``lights``: signal
    to the junctions that it controls. ``main``: names of the streets with a higher priority.
    """
    edges = [edge for street in streets for edge in _edges(street)]
    lines = ['<net version="1.20">', _location(places)]
    for name, begin, end in edges:
        (x_1, y_1), (x_2, y_2) = places[begin], places[end]
        lines.append(
            f'<edge id="{begin}-{end}" from="{begin}" to="{end}" name="{name}" priority="{9 if name in main else 1}">'
            f'<lane id="{begin}-{end}_0" index="0" speed="13.89" length="{math.hypot(x_2 - x_1, y_2 - y_1):.2f}"'
            f' shape="{x_1},{y_1} {x_2},{y_2}"/></edge>'
        )
    light_of = {junction: signal for signal, members in (lights or {}).items() for junction in members.split()}
    links, turns = _turns(edges, light_of)
    lines += [f'<tlLogic id="{name}"><phase duration="30" state="{"G" * count}"/></tlLogic>' for name, count in links]
    lines += [f'<junction id="{name}" type="priority" x="{x}" y="{y}"/>' for name, (x, y) in places.items()]
    path = folder / "plan.net.xml"
    path.write_text("\n".join([*lines, *turns, "</net>"]), encoding="utf-8")
    return read_network(path)


def _location(places: Places) -> str:
    (west, south), (east, north) = np.min(list(places.values()), axis=0), np.max(list(places.values()), axis=0)
    return (
        f'<location netOffset="{OFFSET_M[0]},{OFFSET_M[1]}" convBoundary="{west},{south},{east},{north}"'
        f' projParameter="{PROJECTION}"/>'
    )


def _edges(street: str) -> list[tuple[str, str, str]]:
    name, _, course = street.rpartition(":")
    one_way = ">" in course
    stops = course.replace(">", " ").split()
    there = [(name.strip(), begin, end) for begin, end in pairwise(stops)]
    return there if one_way else there + [(name, end, begin) for name, begin, end in there]


def _turns(edges: list[tuple[str, str, str]], light_of: dict[str, str]) -> tuple[list[tuple[str, int]], list[str]]:
    """How many links each light has, and a connection for every turn but those back."""
    count = dict.fromkeys(light_of.values(), 0)
    turns = []
    for (_, begin, middle), (_, other, end) in product(edges, edges):
        if middle == other and begin != end:
            light = light_of.get(middle)
            link = f' tl="{light}" linkIndex="{count[light]}"' if light else ""
            count[light] = count.get(light, 0) + 1
            turns.append(f'<connection from="{begin}-{middle}" to="{middle}-{end}" fromLane="0" toLane="0"{link}/>')
    return [(light, number) for light, number in count.items() if light], turns


def lonlat(network: RoadNetwork, x_m: float, y_m: float) -> tuple[float, float]:
    """Longitude and latitude of a point of a plan, as a crash record would have them."""
    lon, lat = to_lonlat(network.location, [(x_m, y_m)])[0]
    return float(lon), float(lat)
