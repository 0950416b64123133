"""What boards would have shown, and stops in figures, on a plan and a run that can be worked out on paper."""

import numpy as np
import pytest

from gtfs.amenities import read_amenities
from sim.arrival_board import board_errors_s
from sim.passenger_run import PassengerRun
from sim.stop_measures import StopRecord
from sim.transit_run import TransitRun
from tests.bus_street import plan_of

PLAN = plan_of([1000.0], np.array([0, 1, 2]), np.array([500.0, 500.0, 500.0]))
"""A bus due at A at 1000, at B at 1070, at C at 1140."""

CAME_S, LEFT_S = [990.0, 1500.0, 1900.0], [1010.0, 1520.0, np.nan]


def run(samples: list[tuple[float, float]]) -> TransitRun:
    """The bus as it came, with samples of time and deviation."""
    time_s, deviation_s = (np.array(column) for column in zip(*samples, strict=True))
    arrival_s, leg = np.array(CAME_S), np.zeros(len(samples), np.int32)
    return TransitRun(
        2000.0, arrival_s, np.array(LEFT_S), np.ones(3, np.bool_), leg, time_s, np.zeros(len(samples)), deviation_s
    )


SAMPLES = [(1000.0, 0.0), (1190.0, 120.0), (1210.0, 140.0), (1590.0, 430.0), (1610.0, 700.0)]


def test_the_board_shows_the_timetable_moved_by_the_last_deviation():
    """B came at 1500: read at 1200 the bus was 120 s late, so 1070 + 120 would lie in the past and 1200 is shown.

    C came at 1900: read at 1600 the bus was 430 s late, so 1140 + 430 = 1570 lies in the past, too.
    """
    error_s = board_errors_s(PLAN, run(SAMPLES), 300.0)
    np.testing.assert_array_equal(error_s, [np.nan, 1200.0 - 1500.0, 1600.0 - 1900.0])


def test_a_foretold_arrival_that_lies_ahead_is_shown_as_it_is():
    late = [(1000.0, 0.0), (1595.0, 700.0)]
    error_s = board_errors_s(PLAN, run(late), 300.0)
    assert error_s[2] == 1140.0 + 700.0 - 1900.0


def test_before_a_trip_begins_the_timetable_is_shown():
    """Another bus was measured before; the one that is awaited began at 1000, and B was read at 900."""
    both = plan_of([800.0, 1000.0], np.array([0, 1, 2]), np.array([500.0, 500.0, 500.0]))
    came_s = np.array([790.0, 870.0, 940.0, *CAME_S])
    times_s = np.array([800.0, *(time_s for time_s, _ in SAMPLES)])
    legs, nothing = np.array([0, 1, 1, 1, 1, 1], np.int32), np.zeros(6)
    two = TransitRun(2000.0, came_s, came_s + 10, np.ones(6, np.bool_), legs, times_s, nothing, nothing + 60)
    assert board_errors_s(both, two, 600.0)[4] == 1070.0 - 1500.0
    # at 600 nothing had been measured: there was no board
    assert np.isnan(board_errors_s(both, two, 900.0)[4])


def table(tmp_path):
    path = tmp_path / "stops.csv"
    path.write_text("stop_id,enclosed,information_board,wifi\nB,yes,yes,\nC,no,yes,yes\n")
    return read_amenities(path)


def test_stops_in_figures(tmp_path):
    passengers = PassengerRun(
        time_s=np.array([1000.0, 1400.0, 1990.0]),
        stop_call=np.array([1, 1, 1], np.int32),
        boarded_call=np.array([1, 1, -1], np.int32),
        is_electronic=np.array([True, False, True]),
    )
    features = ("enclosed", "information_board")
    record = StopRecord(PLAN, run(SAMPLES), passengers, table(tmp_path), features)
    row = record.measures("x", 1)
    assert row.board_error_5min_s == row.any_stop_error_5min_s == 300.0
    # 500 s and 100 s until the bus came, 10 s until the end
    assert row.waiting_h == pytest.approx(610 / 3600)
    assert row.enclosed_waiting_h == row.board_waiting_h == row.waiting_h
    assert (row.smart_boardings_share, row.unknown_boardings_share) == (1.0, 0.0)
    by_stop = {one.stop_id: one for one in record.rows("x", 1)}
    assert {name: one.smart for name, one in by_stop.items()} == {"A": None, "B": True, "C": False}
    assert {name: one.boardings for name, one in by_stop.items()} == {"A": 0, "B": 2, "C": 0}
    assert (by_stop["A"].calls_5min, by_stop["B"].calls_5min) == (0, 1)


def test_what_is_unknown_stays_so(tmp_path):
    record = StopRecord(PLAN, run(SAMPLES), None, table(tmp_path), ("wifi",))
    row = record.measures("x", 1)
    assert np.isnan([row.waiting_h, row.board_waiting_h, row.smart_boardings_share]).all()
    assert [one.boardings for one in record.rows("x", 1)] == [None] * 3
