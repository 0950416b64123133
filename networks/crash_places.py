"""Places of crash records: written coordinates into the network's plane, with what is wrong with them."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError

from networks.crash_columns import ColumnMap
from networks.crash_files import CrashTable
from networks.faults import InputError, Notice
from networks.geometry import from_lonlat
from networks.network import FloatArray, RoadNetwork

MaskArray = npt.NDArray[np.bool_]

MAX_LON_DEG, MAX_LAT_DEG = 180.0, 90.0

MARGIN_M = 100.0
"""A record this far outside the network's box may still belong to its outermost junctions."""

MIN_SHARE_INSIDE = 0.01
"""Below this share the records are those of another place, or their coordinates mean something else."""

_WGS84 = "EPSG:4326"
_REMEDY = "Check which column is which, and `crs`, in the column map"


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """Where the records of a file lie: degrees, and metres in the network's plane; not finite where unknown."""

    lon: FloatArray
    lat: FloatArray
    x_m: FloatArray
    y_m: FloatArray


def locate(table: CrashTable, columns: ColumnMap, network: RoadNetwork) -> tuple[Places, MaskArray, tuple[Notice, ...]]:
    """Places of all records, which of them are kept, and notices about the others.

    Kept are those that lie in the network, and those without coordinates that name two streets: their names may tell.

    Raises
    ------
    InputError
        CRASH_COORDINATE where the coordinate system is not known, or next to no record lies in the network, or more
        would if longitude and latitude were swapped; NET_NO_GEOGRAPHY.
    """
    across, along = columns.x or columns.lon or "", columns.y or columns.lat or ""
    written = np.column_stack([_numbers(table.columns[name], columns.decimal) for name in (across, along)])
    transformer = _transformer(columns, table.file)
    places = _places(written, transformer, network)
    readable, inside = _is_on_globe(places), _is_inside(places, network)
    swapped = _is_inside(_places(written[:, ::-1], transformer, network), network)
    _check_shares(table, readable, inside, swapped)
    named = ~readable & _names_two_streets(table, columns)
    by_name = "Give its coordinates; it is counted only where its two streets meet at one junction alone"
    notices = (
        *_notice(table, named, (across, along), by_name),
        *_notice(table, ~readable & ~named, (across, along), "Give its coordinates; it was left out"),
        *_notice(table, readable & ~inside, (across, along), "It lies outside the network and was left out"),
    )
    return places, inside | named, notices


def _names_two_streets(table: CrashTable, columns: ColumnMap) -> MaskArray:
    if columns.street is None or columns.cross_street is None:
        return np.zeros(len(table.rows), dtype=bool)
    names = zip(table.columns[columns.street], table.columns[columns.cross_street], strict=True)
    return np.array([bool(street and cross) for street, cross in names], dtype=bool)


def _numbers(texts: list[str], decimal: str | None) -> FloatArray:
    """Numbers of a column, NaN where there is none. Without a point in it, a comma is taken for one."""
    if decimal != ",":
        try:
            return np.array(texts, dtype=np.float64)
        except ValueError:
            pass
    return np.array([_number(text, decimal) for text in texts], dtype=np.float64)


def _number(text: str, decimal: str | None) -> float:
    if decimal == "," or (decimal is None and "." not in text):
        text = text.replace(".", "").replace(",", ".")
    try:
        return float(text)
    except ValueError:
        return np.nan


def _transformer(columns: ColumnMap, file: str) -> Transformer:
    if columns.crs is None and columns.x is not None:
        remedy = 'Give `crs` in the column map, such as crs = "EPSG:31982"'
        raise InputError(
            "CRASH_COORDINATE", "x and y need their coordinate system", file=file, field="crs", remedy=remedy
        )
    try:
        return Transformer.from_crs(CRS.from_user_input(columns.crs or _WGS84), _WGS84, always_xy=True)
    except CRSError as fault:
        what = f"the coordinate system {columns.crs!r} is not known"
        remedy = 'Give its EPSG code, such as crs = "EPSG:31982"'
        raise InputError("CRASH_COORDINATE", what, file=file, field="crs", remedy=remedy) from fault


def _places(written: FloatArray, transformer: Transformer, network: RoadNetwork) -> Places:
    lon, lat = transformer.transform(written[:, 0], written[:, 1])
    is_known = (np.abs(lon) <= MAX_LON_DEG) & (np.abs(lat) <= MAX_LAT_DEG)
    # empty cells often end up as 0, 0, off Africa
    is_known &= (lon != 0) | (lat != 0)
    points = np.full((len(lon), 2), np.nan)
    points[is_known] = from_lonlat(network.location, np.column_stack((lon, lat))[is_known])
    return Places(np.where(is_known, lon, np.nan), np.where(is_known, lat, np.nan), points[:, 0], points[:, 1])


def _is_on_globe(places: Places) -> MaskArray:
    return np.isfinite(places.x_m) & np.isfinite(places.y_m)


def _is_inside(places: Places, network: RoadNetwork) -> MaskArray:
    west, south, east, north = network.location.bounds_m
    return (
        (places.x_m >= west - MARGIN_M)
        & (places.x_m <= east + MARGIN_M)
        & (places.y_m >= south - MARGIN_M)
        & (places.y_m <= north + MARGIN_M)
    )


def _check_shares(table: CrashTable, readable: MaskArray, inside: MaskArray, swapped: MaskArray) -> None:
    total, count, count_swapped = len(table.rows), int(inside.sum()), int(swapped.sum())
    if count_swapped > count:
        what = f"{total - count} of {total} records lie outside the network; swapped, {count_swapped} would lie in it"
        remedy = "Swap the two columns of the place in the column map"
    elif not readable.any():
        what, remedy = f"none of {total} records has coordinates that can be read", _REMEDY
    elif count < MIN_SHARE_INSIDE * total:
        what = f"{total - count} of {total} records lie outside the network"
        remedy = f"{_REMEDY}, and that the network is of this place"
    else:
        return
    raise InputError("CRASH_COORDINATE", what, file=table.file, row=table.rows[0], remedy=remedy)


def _notice(table: CrashTable, which: MaskArray, names: tuple[str, str], remedy: str) -> tuple[Notice, ...]:
    if not which.any():
        return ()
    first = int(np.flatnonzero(which)[0])
    value = ", ".join(table.columns[name][first] for name in names)
    row, count = table.rows[first], int(which.sum())
    return (Notice("CRASH_COORDINATE", "warning", table.file, row, ", ".join(names), value, remedy, count),)
