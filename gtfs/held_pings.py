"""Pings that wait: for earlier ones of their vehicle, or for what tells their trip."""

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from networks.network import FloatArray, IntArray


@dataclass(slots=True, eq=False)
class HeldPings:
    """Columns of pings, shape (pings,) each.

    ``vehicle`` and ``claim`` are rows of the replay's lists, ``named`` is the service day that is named, or NONE;
    ``trip`` and ``day`` are what both mean, or NONE.
    """

    vehicle: IntArray
    claim: IntArray
    named: IntArray
    trip: npt.NDArray[np.integer]
    day: npt.NDArray[np.integer]
    time_s: FloatArray
    lat: FloatArray
    lon: FloatArray
    heading_deg: FloatArray
    speed_mps: FloatArray


_COLUMNS = tuple(part.name for part in fields(HeldPings))


def nothing_held() -> HeldPings:
    """No pings."""
    whole, real = np.empty(0, np.int32), np.empty(0)
    return HeldPings(whole, whole, whole, whole, whole, real, real, real, real, real)


def join(one: HeldPings, other: HeldPings) -> HeldPings:
    """Pings of both, those of the one first."""
    return HeldPings(*(np.concatenate((getattr(one, name), getattr(other, name))) for name in _COLUMNS))


def take(held: HeldPings, rows: npt.NDArray[np.generic]) -> HeldPings:
    """Some pings, by row or by a flag for each."""
    rows = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows  # once, and not for each column
    return HeldPings(*(getattr(held, name)[rows] for name in _COLUMNS))
