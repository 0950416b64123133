"""Whether positions lie where the feed's stops do: else columns are swapped, or feed and trace are of two places."""

from dataclasses import dataclass, replace

import numpy as np

from gtfs.avl_batch import Batch
from gtfs.avl_ranges import ISLAND_DEG
from gtfs.avl_values import Flags
from networks.faults import Notice
from networks.network import FloatArray

MARGIN_DEG = 0.25
"""Vehicles may be as far from the outermost stops: 28 km to the north."""
MOST = 0.5
"""Fewer of the positions that came together are strays, which are left out or counted one by one."""

ELSEWHERE = "AVL_PLACE"
SWAPPED = "Latitude and longitude are swapped: exchange their columns"
OTHER = "Give the feed of the place where the vehicles drive"


@dataclass(frozen=True, slots=True)
class Region:
    """Where the stops of a feed lie, in degrees."""

    south: float
    north: float
    west: float
    east: float

    def holds(self, lat: FloatArray, lon: FloatArray) -> Flags:
        """Which places lie in it or near it."""
        wide_deg = MARGIN_DEG / max(np.cos(np.radians((self.south + self.north) / 2)), 0.1)
        near: Flags = (self.south - MARGIN_DEG <= lat) & (lat <= self.north + MARGIN_DEG)
        near &= (self.west - wide_deg <= lon) & (lon <= self.east + wide_deg)
        return near

    def __str__(self) -> str:
        """Its corners."""
        return f"{self.south:.2f}, {self.west:.2f} to {self.north:.2f}, {self.east:.2f}"


def region_of(lat: FloatArray, lon: FloatArray) -> Region | None:
    """Where stops lie; None where no stop has a place. Those at 0/0 are mistakes."""
    known = np.isfinite(lat) & np.isfinite(lon) & ((np.abs(lat) >= ISLAND_DEG) | (np.abs(lon) >= ISLAND_DEG))
    if not known.any():
        return None
    lat, lon = lat[known], lon[known]
    return Region(float(lat.min()), float(lat.max()), float(lon.min()), float(lon.max()))


def with_place(batch: Batch, region: Region | None) -> Batch:
    """A batch with a notice where most of its positions lie elsewhere than the feed's stops."""
    lat, lon = batch.pings.lat, batch.pings.lon
    if region is None or not len(lat):
        return batch
    elsewhere = ~region.holds(lat, lon)
    count = int(elsewhere.sum())
    if count <= MOST * len(lat):
        return batch
    is_swapped = region.holds(lon[elsewhere], lat[elsewhere]).mean() > MOST
    where = f"{np.median(lat[elsewhere]):.2f}, {np.median(lon[elsewhere]):.2f}"
    what = f"positions lie around {where}; the stops of the feed from {region}"
    remedy = SWAPPED if is_swapped else OTHER
    notice = Notice(ELSEWHERE, "error", "", None, "latitude, longitude", what, remedy, count)
    return replace(batch, notices=(*batch.notices, notice))
