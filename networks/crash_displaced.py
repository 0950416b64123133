"""Some records of a file far off by one and the same way, the others right: found by the crossings that they name.

A fault of whoever gave the places, such as a wrong digit in some. Two street names are held against the place, and only
where many records at many crossings are off alike, those are moved that show it themselves.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.spatial import KDTree

from networks.crash_shift import ALIKE_M, ALIKE_SHARE, MIN_RECORDS, direction
from networks.crash_sites import CROSS_STREET, NEAR_M, CrashMatches, meeting_sites
from networks.crashes import Crashes
from networks.faults import Notice
from networks.network import FloatArray
from networks.sites import Site

MIN_CROSSINGS = 10
"""One crossing that was put to a wrong place once tells of no other."""

FAR_M = 5000.0
"""Streets may meet twice in a large city; what is farther off says nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class Displaced:
    """Records of a file that all lie off by about the same way from the crossing that they name.

    ``rows`` are theirs among the crashes, ``named`` counts all of the file that lie beside a crossing that they name.
    """

    file: int
    rows: npt.NDArray[np.intp]
    east_m: float
    north_m: float
    named: int


def find_displaced(sites: tuple[Site, ...], crashes: Crashes, matches: CrashMatches) -> tuple[Displaced, ...]:
    """Displaced records of all files that have enough of them to tell."""
    beside = np.array([method != CROSS_STREET for method in matches.method], dtype=bool)
    wanted = np.flatnonzero(beside & np.isfinite(crashes.x_m))
    row, site = _meetings(sites, crashes, wanted)
    middle = np.array([(each.x_m, each.y_m) for each in sites]).reshape(-1, 2)
    off_m = np.column_stack((crashes.x_m, crashes.y_m))[row] - middle[site]
    near = np.hypot(*off_m.T) <= FAR_M
    row, site, off_m = row[near], site[near], off_m[near]
    groups: list[Displaced] = []
    for file in range(len(crashes.files)):
        own = crashes.file[row] == file
        groups += _displaced(file, row[own], site[own], off_m[own])
    return tuple(groups)


def _meetings(
    sites: tuple[Site, ...], crashes: Crashes, wanted: npt.NDArray[np.intp]
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Pairs of record and site at which both of its streets meet."""
    meeting = meeting_sites(sites)
    pairs = [
        (row, site)
        for row in wanted.tolist()
        for site in sorted(meeting(crashes.street[row], crashes.cross_street[row]))
    ]
    both = np.array(pairs, dtype=np.intp).reshape(-1, 2)
    return both[:, 0], both[:, 1]


def _displaced(
    file: int, row: npt.NDArray[np.intp], site: npt.NDArray[np.intp], off_m: FloatArray
) -> Iterator[Displaced]:
    """The largest group of a file that is off alike, if it is large, of many crossings, and most of what is off."""
    if len(row) < MIN_RECORDS:
        return
    tree = KDTree(off_m)
    crowd = int(np.argmax(tree.query_ball_point(off_m, ALIKE_M, return_length=True)))
    way_m = np.median(off_m[tree.query_ball_point(off_m[crowd], ALIKE_M)], axis=0)
    alike = np.hypot(*(off_m - way_m).T) <= NEAR_M
    rows, named = np.unique(row[alike]), len(np.unique(row))
    if len(rows) >= max(MIN_RECORDS, ALIKE_SHARE * named) and len(np.unique(site[alike])) >= MIN_CROSSINGS:
        yield Displaced(file, rows, float(way_m[0]), float(way_m[1]), named)


def put_back(crashes: Crashes, displaced: tuple[Displaced, ...]) -> Crashes:
    """The records with those that were displaced put back; degrees stay as they were written."""
    x_m, y_m = crashes.x_m.copy(), crashes.y_m.copy()
    for group in displaced:
        x_m[group.rows] -= group.east_m
        y_m[group.rows] -= group.north_m
    return replace(crashes, x_m=x_m, y_m=y_m)


def displaced_notices(crashes: Crashes, displaced: tuple[Displaced, ...]) -> tuple[Notice, ...]:
    """A notice for each file that has such records."""
    return tuple(_notice(crashes, group) for group in displaced)


def _notice(crashes: Crashes, group: Displaced) -> Notice:
    away_m = float(np.hypot(group.east_m, group.north_m))
    remedy = (
        "These records lie so far from the crossing that each of them names, all by the same way: they were put back; "
        "those without a cross street may be off as well and were left. Ask who gave the places"
    )
    file, row = crashes.files[group.file], int(crashes.row[group.rows[0]])
    value = f"{away_m:.0f} m {direction(group.east_m, group.north_m)}"
    return Notice("CRASH_DISPLACED", "warning", file, row, "", value, remedy, len(group.rows))
