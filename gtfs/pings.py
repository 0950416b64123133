"""A trace as columns: where vehicles were seen, when, and what they said they were doing."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gtfs.columns import Rows
from networks.network import FloatArray

NO_LABEL = -1


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """A column of texts that repeat: a row of ``texts`` for each ping, :data:`NO_LABEL` where it says nothing.

    ``texts`` are distinct and none is empty; ``codes`` has shape (pings,).
    """

    codes: Rows
    texts: tuple[str, ...]

    def __len__(self) -> int:
        """Count of pings."""
        return len(self.codes)


def no_labels(count: int) -> Labels:
    """A column that says nothing."""
    return Labels(np.full(count, NO_LABEL, dtype=np.int32), ())


@dataclass(frozen=True, slots=True, eq=False)
class Pings:
    """A piece of a trace, one row a ping in order of arrival, shape (pings,) each.

    Every ping has a vehicle, a time and a place within range: readers leave others out and tell so. All else may be
    missing: NaN or :data:`NO_LABEL`.

    Attributes
    ----------
    time_s
        When the vehicle was there, in epoch seconds.
    vehicle
        Ids of vehicles.
    trip, route, block
        What the vehicle says it serves, in the words of its system, which may not be the feed's.
    start_date, start_time
        Service day (``YYYYMMDD``) and scheduled start (``HH:MM:SS``) of the trip, as GTFS-Realtime writes them.
    lat, lon
        Degrees, WGS 84.
    heading_deg
        Clockwise from north.
    speed_mps, odometer_m
        Speed and distance run as the vehicle measures them.
    """

    time_s: FloatArray
    vehicle: Labels
    trip: Labels
    route: Labels
    block: Labels
    start_date: Labels
    start_time: Labels
    lat: FloatArray
    lon: FloatArray
    heading_deg: FloatArray
    speed_mps: FloatArray
    odometer_m: FloatArray

    def __len__(self) -> int:
        """Count of pings."""
        return len(self.time_s)


def take_labels(labels: Labels, rows: npt.NDArray[np.integer]) -> Labels:
    """Some rows of a column of texts; the texts stay as they are."""
    return Labels(labels.codes[rows], labels.texts)


def take_pings(pings: Pings, rows: npt.NDArray[np.integer]) -> Pings:
    """Some pings, in the order of the rows."""
    return Pings(
        time_s=pings.time_s[rows],
        vehicle=take_labels(pings.vehicle, rows),
        trip=take_labels(pings.trip, rows),
        route=take_labels(pings.route, rows),
        block=take_labels(pings.block, rows),
        start_date=take_labels(pings.start_date, rows),
        start_time=take_labels(pings.start_time, rows),
        lat=pings.lat[rows],
        lon=pings.lon[rows],
        heading_deg=pings.heading_deg[rows],
        speed_mps=pings.speed_mps[rows],
        odometer_m=pings.odometer_m[rows],
    )
