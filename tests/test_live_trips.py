"""Rows for trips that may go on: each trip keeps its row, those of finished ones are used again, none twice at once."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gtfs.live_kernels import Served
from gtfs.live_trips import LiveTrips
from tests import search_oracles as twins

END_S = np.array([100.0, 200.0, 300.0])
"""Until when each of three trips can be meant, on the clock of its day."""


def served(rows):
    """Pings (vehicle, trip, day, time) by vehicle and time; a day counts from 1000 s times its number."""
    vehicle, trip, day, time_s = np.array(rows, dtype=float).reshape(-1, 4).T
    whole = [column.astype(np.int32) for column in (vehicle, trip, day)]
    evidence = np.ones(len(rows), dtype=np.int8)
    return Served(*whole, evidence, time_s, np.where(trip < 0, np.nan, 1000.0 * day))


def numbers_and_overs(pieces):
    """Number of each ping's trip (-1 for none), and numbers of trips in the order in which they were over."""
    trips, numbers, overs = LiveTrips(END_S), [], []
    for piece in pieces:
        found = trips.find(served(piece), 3)
        row = found.row
        numbers += np.where(row < 0, -1, trips.roster.number[row]).tolist()
        overs += sorted(trips.roster.number[found.over].tolist())
        live = trips.live()
        assert len(set(trips.roster.number[live].tolist())) == len(live)
        assert trips.rows_of(trips.roster.number[live]).tolist() == live.tolist()
    return numbers, overs, trips


@settings(deadline=None, max_examples=100)
@given(st.integers(0, 2**32 - 1), st.integers(0, 60))
def test_it_is_its_twin_and_rows_are_used_again(seed, count):
    rng = np.random.default_rng(seed)
    pings = [
        (int(rng.integers(0, 3)), int(rng.integers(-1, 3)), int(rng.integers(0, 3)), 60.0 * k) for k in range(count)
    ]
    by_vehicle = sorted(pings, key=lambda ping: ping[0])
    for order, pieces in ((pings, [[ping] for ping in pings]), (by_vehicle, [by_vehicle[:20], by_vehicle[20:]])):
        found, expected = numbers_and_overs(pieces), twins.performed(order, END_S)
        assert found[0] == expected[0]
        assert sorted(found[1]) == sorted(expected[1])


def test_memory_hangs_on_the_fleet_and_not_on_how_long_it_is_watched():
    days = [[(v, trip, day, 1000.0 * day + 99 * trip) for v in range(3) for trip in range(3)] for day in range(500)]
    numbers, overs, trips = numbers_and_overs(days)
    assert trips.count == len(set(numbers)) == 4500
    assert len(overs) > 4450
    assert trips.rows <= 64


def test_a_trip_that_a_vehicle_is_still_on_is_not_over():
    found, overs, _ = numbers_and_overs(
        [[(0, 0, 0, 10.0)], [(0, 0, 0, 5000.0)], [(0, -1, -1, 6000.0)], [(0, 1, 6, 6100.0)]]
    )
    assert (found, overs) == ([0, 0, -1, 1], [0])


def test_nothing_comes_of_nothing():
    assert numbers_and_overs([[]])[:2] == ([], [])


def test_a_trip_whose_day_tells_no_moment_is_never_over_nor_is_any_where_no_time_is_told():
    nan = float("nan")
    for rows in ([(0, 0, nan, 10.0), (0, 1, 5, 9000.0)], [(0, 0, 0, 10.0), (0, 1, 5, nan)]):
        told = served([(vehicle, trip, 0, time_s) for vehicle, trip, _, time_s in rows])
        days = np.array([1000.0 * day for _, _, day, _ in rows])
        trips = LiveTrips(END_S)
        found = trips.find(told._replace(origin_s=days), 1)
        assert (found.row.tolist(), found.begun.tolist(), found.over.tolist()) == ([0, 1], [0, 1], [])


def test_the_same_all_along_is_one_trip():
    found, overs, trips = numbers_and_overs([[(2, 1, 3, 5.0)] * 50])
    assert (found, overs, trips.count) == ([0] * 50, [], 1)
