"""Traffic of sites: how many vehicles enter each in a day, from a file of counts."""

import csv
import io
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.spatial import KDTree

from networks.faults import InputError, Notice
from networks.geometry import from_lonlat
from networks.intake import open_bytes
from networks.network import RoadNetwork
from networks.sites import Site

FloatArray = npt.NDArray[np.float64]

NEAR_M = 30.0
"""How far a point of the file may lie from the site that it counts at."""

FOUR_LEGS = 4
VOLUMES = ("entering_veh_per_day", "major_veh_per_day", "minor_veh_per_day")


@dataclass(frozen=True, slots=True, eq=False)
class Exposure:
    """Vehicles a day at each site, NaN where unknown, shape (sites,): entering, on the major, on the minor street.

    Volumes of streets are of both directions, as traffic counts give them (AADT).
    """

    entering_veh_per_day: FloatArray
    major_veh_per_day: FloatArray
    minor_veh_per_day: FloatArray


def no_exposure(sites: int) -> Exposure:
    """Nothing known at any site."""
    return Exposure(*(np.full(sites, np.nan) for _ in VOLUMES))


def entering_by_id(network: RoadNetwork, sites: tuple[Site, ...], volumes: dict[str, float]) -> Exposure:
    """Vehicles a day that enter each site, from those of junctions by their id, of signals where there are some.

    A site of several takes the busiest, as those who cross it pass more than one.
    """
    entering = np.full(len(sites), np.nan)
    for row, site in enumerate(sites):
        ids = {network.signals[signal].signal_id for signal in site.signals}
        ids = ids or {network.junctions.ids[junction] for junction in site.junctions}
        here = [volumes[name] for name in sorted(ids) if name in volumes]
        if here:
            entering[row] = max(here)
    nothing = np.full(len(sites), np.nan)
    return Exposure(entering, nothing, nothing.copy())


def read_exposure(
    path: str | Path, network: RoadNetwork, sites: tuple[Site, ...]
) -> tuple[Exposure, tuple[Notice, ...]]:
    """Read traffic at sites from CSV (UTF-8).

    A row names its place by ``site`` (the id of a junction or signal of it) or by ``lon`` and ``lat``, at most 30 m
    off. Its volume is ``entering_veh_per_day``, or ``major_veh_per_day`` and ``minor_veh_per_day``, both directions.
    Of a street that goes on, as many enter as drive on it, half from each side; of one that ends there, half.

    Raises
    ------
    InputError
        FILE_MISSING; CSV_ENCODING; CSV_ROW; EXPOSURE_COLUMN where no place or volume is among the columns;
        EXPOSURE_VALUE where a volume is no number above zero; EXPOSURE_SITE where no row is at any site.
    """
    rows = _rows(path)
    header = list(rows[0][1]) if rows else []
    _check_columns(header, path)
    exposure = no_exposure(len(sites))
    index = _index(network, sites)
    tree = KDTree(np.array([(site.x_m, site.y_m) for site in sites])) if sites else None
    lost: list[tuple[int, str]] = []
    for line, row in rows:
        site = _site_of(row, line, path, network, index, tree)
        if site is None:
            lost.append((line, row.get("site") or f"{row.get('lon')}, {row.get('lat')}"))
        else:
            _take(exposure, site, sites[site].legs, row, line, path)
    if len(lost) == len(rows):
        raise InputError(
            "EXPOSURE_SITE", f"none of {len(rows)} rows is at a site of the network", file=path, row=2, field="site",
            remedy="Name junctions or signals of this network, or points within 30 m of a junction",
        )  # fmt: skip
    remedy = "Name a junction or signal of the network, or a point within 30 m of one; it was left out"
    notices = (
        (Notice("EXPOSURE_SITE", "warning", str(path), *lost[0][:1], "site", lost[0][1], remedy, len(lost)),)
        if lost
        else ()
    )
    return exposure, notices


def _rows(path: str | Path) -> list[tuple[int, dict[str, str]]]:
    with open_bytes(path) as stream:
        data = stream.read()
    try:
        reader = csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True)
        header = [name.strip() for name in next(reader, [])]
        found = []
        for cells in reader:
            if not any(cells):
                continue
            if len(cells) != len(header):
                what = f"the header has {len(header)} columns, this row {len(cells)}"
                raise InputError("CSV_ROW", what, file=path, row=reader.line_num, remedy="Correct the row")
            found.append((reader.line_num, dict(zip(header, (cell.strip() for cell in cells), strict=True))))
    except UnicodeDecodeError as fault:
        raise InputError("CSV_ENCODING", "this is not UTF-8", file=path, remedy="Save it as UTF-8") from fault
    except csv.Error as fault:
        raise InputError("CSV_ROW", str(fault), file=path, row=reader.line_num, remedy="Close the quote") from fault
    if not found:
        raise InputError("EXPOSURE_COLUMN", "there is no row", file=path, remedy=_COLUMNS)
    return found


_COLUMNS = f"Give the columns site, or lon and lat; and {VOLUMES[0]}, or {VOLUMES[1]} and {VOLUMES[2]}"


def _check_columns(header: list[str], path: str | Path) -> None:
    has_place = "site" in header or {"lon", "lat"} <= set(header)
    has_volume = VOLUMES[0] in header or set(VOLUMES[1:]) <= set(header)
    if not (has_place and has_volume):
        raise InputError("EXPOSURE_COLUMN", f"found {', '.join(header)}", file=path, row=1, remedy=_COLUMNS)


def _index(network: RoadNetwork, sites: tuple[Site, ...]) -> dict[str, int]:
    """Site by the ids of its junctions and signals."""
    junctions = {network.junctions.ids[junction]: row for row, site in enumerate(sites) for junction in site.junctions}
    return {
        network.signals[signal].signal_id: row for row, site in enumerate(sites) for signal in site.signals
    } | junctions


def _site_of(
    row: dict[str, str], line: int, path: str | Path, network: RoadNetwork, index: dict[str, int], tree: KDTree | None
) -> int | None:
    if row.get("site"):
        return index.get(row["site"])
    if tree is None or not (row.get("lon") and row.get("lat")):
        return None
    place = [(_number(row, "lon", line, path, least=-180.0), _number(row, "lat", line, path, least=-90.0))]
    away_m, site = tree.query(from_lonlat(network.location, place)[0])
    return int(site) if away_m <= NEAR_M else None


def _take(exposure: Exposure, site: int, legs: int, row: dict[str, str], line: int, path: str | Path) -> None:
    for name in VOLUMES:
        if row.get(name):
            getattr(exposure, name)[site] = _number(row, name, line, path, least=1.0)
    minor_share = 1.0 if legs >= FOUR_LEGS else 0.5
    streets = exposure.major_veh_per_day[site] + minor_share * exposure.minor_veh_per_day[site]
    if math.isnan(exposure.entering_veh_per_day[site]):
        exposure.entering_veh_per_day[site] = streets


def _number(row: dict[str, str], name: str, line: int, path: str | Path, *, least: float) -> float:
    try:
        value = float(row[name])
    except ValueError:
        value = math.nan
    if not least <= value < math.inf:
        what = f"{row[name]!r} is no number of at least {least:g}"
        raise InputError(
            "EXPOSURE_VALUE", what, file=path, row=line, field=name, remedy="Correct it, or leave it empty"
        )
    return value
