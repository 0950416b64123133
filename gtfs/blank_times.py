"""Times that a feed leaves blank between timed calls: as far in time as in distance."""

import numpy as np
import numpy.typing as npt

from gtfs.clock import BLANK_S, Seconds

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

EARTH_RADIUS_M = 6_371_008.8


def fill_halves(arrival_s: Seconds, departure_s: Seconds) -> tuple[Seconds, Seconds]:
    """Arrivals and departures in which one that is blank equals the other, where that is legible."""
    return (
        np.where((arrival_s == BLANK_S) & (departure_s >= 0), departure_s, arrival_s),
        np.where((departure_s == BLANK_S) & (arrival_s >= 0), arrival_s, departure_s),
    )


def interpolate(
    arrival_s: Seconds, departure_s: Seconds, distance: FloatArray, lat: FloatArray, lon: FloatArray
) -> tuple[Seconds, Seconds]:
    """Arrivals and departures with the blank ones interpolated, in whole seconds.

    Each span between two timed calls is divided by ``distance`` where that is given at all its calls, does not go back
    and grows; else by the great circles from stop to stop; evenly where those are unknown or all zero.

    Parameters
    ----------
    arrival_s, departure_s
        Calls of trips one after the other, shape (n,); blank are both or none of a call, and never the first or the
        last call of a trip.
    distance
        Along the shape, in any unit, NaN where not given, shape (n,).
    lat, lon
        Where the stops are, in degrees, NaN where not known, shape (n,).
    """
    blank = arrival_s == BLANK_S
    calls = np.flatnonzero(blank)
    before, after = _timed_around(blank)
    before, after = before[calls], after[calls]
    share = _shares(calls, before, after, distance, great_circle_m(lat, lon))
    begin_s = departure_s[before]
    times = begin_s + np.rint((arrival_s[after] - begin_s) * share).astype(np.int64)
    arrival_s, departure_s = arrival_s.copy(), departure_s.copy()
    arrival_s[calls] = departure_s[calls] = times
    return arrival_s, departure_s


def great_circle_m(lat: FloatArray, lon: FloatArray) -> FloatArray:
    """Metres from each point's predecessor to it, the first from itself; haversine formula. Degrees, shape (n,)."""
    phi, theta = np.radians(lat), np.radians(lon)
    d_phi, d_theta = np.diff(phi, prepend=phi[:1]), np.diff(theta, prepend=theta[:1])
    before = np.concatenate((phi[:1], phi[:-1]))
    half = np.sin(d_phi / 2) ** 2 + np.cos(phi) * np.cos(before) * np.sin(d_theta / 2) ** 2
    metres: FloatArray = 2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.minimum(half, 1)))
    return metres


def _timed_around(blank: BoolArray) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The last call with a time up to each call, and the first one from it on."""
    places = np.arange(len(blank))
    before = np.maximum.accumulate(np.where(blank, -1, places))
    after = np.minimum.accumulate(np.where(blank, len(blank), places)[::-1])[::-1]
    return before, after


def _shares(
    calls: npt.NDArray[np.int64],
    before: npt.NDArray[np.int64],
    after: npt.NDArray[np.int64],
    distance: FloatArray,
    step_m: FloatArray,
) -> FloatArray:
    """How much of its span lies behind each call, 0 to 1."""
    along = _share(calls, before, after, np.diff(distance, prepend=np.nan))
    straight = _share(calls, before, after, step_m)
    evenly = (calls - before) / (after - before)
    return np.where(np.isfinite(along), along, np.where(np.isfinite(straight), straight, evenly))


def _share(
    calls: npt.NDArray[np.int64], before: npt.NDArray[np.int64], after: npt.NDArray[np.int64], step: FloatArray
) -> FloatArray:
    """Shares by the steps to each call from the one before it; NaN where a step is unknown or back, or all are zero."""
    sound = step >= 0
    far = np.cumsum(np.where(sound, step, 0))
    faults = np.cumsum(~sound)
    whole = far[after] - far[before]
    usable = (faults[after] == faults[before]) & (whole > 0)
    shares: FloatArray = np.full(len(calls), np.nan)
    np.divide(far[calls] - far[before], whole, out=shares, where=usable)
    return shares
