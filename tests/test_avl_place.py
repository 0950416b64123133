"""Positions of another place than the feed's stops, by hand."""

import numpy as np
import pytest

from gtfs.avl_batch import Batch
from gtfs.avl_place import OTHER, SWAPPED, Region, region_of, with_place
from tests.paper_traces import pings_of, ride

KINGSTON = Region(44.1, 44.4, -76.7, -76.3)


def placed(lat, lon):
    pings = pings_of(ride(0.0, ways_m=(0, 100 * (len(lat) - 1))))
    pings.lat[:], pings.lon[:] = lat, lon
    return with_place(Batch(pings, (), np.full(len(lat), np.nan)), KINGSTON).notices


def test_a_region_is_that_of_stops_with_a_place():
    lat, lon = np.array([44.1, np.nan, 0.0, 44.4]), np.array([-76.7, -76.5, 0.0, -76.3])
    assert region_of(lat, lon) == KINGSTON
    assert region_of(lat[1:3], lon[1:3]) is None


@pytest.mark.parametrize(
    ("lat", "lon", "remedy", "count", "where"),
    [
        ([-76.5] * 3, [44.2] * 3, SWAPPED, 3, "-76.50, 44.20"),
        ([45.5, 45.6, 44.2], [-122.6, -122.6, -76.5], OTHER, 2, "45.55, -122.60"),
    ],
)
def test_where_most_lies_elsewhere_it_is_told_where_and_what_to_do(lat, lon, remedy, count, where):
    (notice,) = placed(lat, lon)
    assert (notice.code, notice.severity, notice.remedy, notice.count) == ("AVL_PLACE", "error", remedy, count)
    assert notice.value == f"positions lie around {where}; the stops of the feed from 44.10, -76.70 to 44.40, -76.30"


@pytest.mark.parametrize("lat", [[44.6, 44.2], [43.9, 44.2], [52.5, 44.2]])
def test_a_vehicle_out_of_town_and_a_stray_are_nothing(lat):
    assert placed(lat, [-76.5, -76.5]) == ()
