"""A call that was due counts once, whoever served it."""

from types import SimpleNamespace

import numpy as np

from gtfs.due_calls import counted_once, due_calls
from gtfs.on_time import Punctuality
from scenarios.replay_tally import tally
from tests.test_tides import paper_result


def due(trip, day, owner, call, punctuality):
    trips = SimpleNamespace(trip=np.array(trip), day=np.array(day))
    columns = (np.array(owner, dtype=np.int64), np.array(call, dtype=np.int64), np.array(punctuality, dtype=np.int8))
    owner, call, punctuality = columns

    class Due(SimpleNamespace):
        def __len__(self):
            return len(call)

    return Due(trips=trips, owner=owner, call=call, punctuality=punctuality)


def test_of_two_vehicles_on_a_trip_the_one_of_which_most_is_known_stands_for_a_call():
    late, on_time = Punctuality.LATE, Punctuality.ON_TIME
    left_out, unknown = Punctuality.MISSING, Punctuality.UNKNOWN
    # trip 5 by two vehicles: both known, then left out against unknown; trip 6 by one; trip 5 of another day
    rows = due([5, 5, 6, 5], [1, 1, 1, 2], [0, 0, 1, 1, 2, 3], [10, 11, 10, 11, 12, 10],
               [on_time, unknown, late, left_out, unknown, late])  # fmt: skip
    assert counted_once(rows).tolist() == [True, False, False, True, True, True]
    assert counted_once(due([], [], [], [], [])).tolist() == []


def test_where_every_trip_has_one_vehicle_every_call_counts(tmp_path):
    result = paper_result(tmp_path)
    rows = due_calls(result)
    assert counted_once(rows).all()
    sums = tally(result)
    sums.add(result, rows)
    assert (sums.due_trips, int(sums.fate.sum())) == (len(rows.trips), len(rows))
