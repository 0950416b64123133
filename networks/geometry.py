"""Between the globe and the network's plane."""

import numpy as np
import numpy.typing as npt
from pyproj import Proj
from pyproj.exceptions import ProjError

from networks.faults import InputError
from networks.network import FloatArray, Location


def to_lonlat(location: Location, points_m: npt.ArrayLike) -> FloatArray:
    """Longitude and latitude in degrees, shape (n, 2), of network points in metres, shape (n, 2).

    Raises
    ------
    InputError
        NET_NO_GEOGRAPHY where the network does not say where on the globe it lies.
    """
    points = np.asarray(points_m, dtype=np.float64).reshape(-1, 2)
    lon, lat = _projection(location)(
        points[:, 0] - location.offset_x_m, points[:, 1] - location.offset_y_m, inverse=True
    )
    return np.column_stack((lon, lat))


def from_lonlat(location: Location, lonlat: npt.ArrayLike) -> FloatArray:
    """Network points in metres, shape (n, 2), of longitudes and latitudes in degrees, shape (n, 2).

    What the projection cannot hold comes back as infinity.

    Raises
    ------
    InputError
        NET_NO_GEOGRAPHY where the network does not say where on the globe it lies.
    """
    degrees = np.asarray(lonlat, dtype=np.float64).reshape(-1, 2)
    x_m, y_m = _projection(location)(degrees[:, 0], degrees[:, 1])
    return np.column_stack((x_m + location.offset_x_m, y_m + location.offset_y_m))


def _projection(location: Location) -> Proj:
    if not location.is_geographic:
        raise InputError(
            "NET_NO_GEOGRAPHY",
            "the network has no projection, so longitude and latitude mean nothing in it",
            field="projParameter",
            remedy="Build it from OpenStreetMap with `bagdar network build`",
        )
    try:
        return Proj(location.projection)
    except ProjError as fault:
        raise InputError(
            "NET_NO_GEOGRAPHY",
            f"the network's projection {location.projection!r} is not known",
            field="projParameter",
            remedy="Give it as a PROJ text",
        ) from fault
