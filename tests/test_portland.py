"""Portland's recorded trips as a benchmark: what is read, what counts as true, and what is kept from the estimator."""

import zipfile
from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from benchmarks.portland import BREADCRUMBS, crossing_s, passages, pings_of, read_recorded, thinned
from benchmarks.portland_curve import errors, straight
from benchmarks.portland_feed import write_feed
from benchmarks.portland_replay import replayed
from gtfs.feed import read_feed
from gtfs.timetable import timetable
from gtfs.trace_plan import trace_plan
from gtfs.trace_settings import TraceSettings


@pytest.fixture(scope="module")
def recorded(data_dir):
    return read_recorded(data_dir / BREADCRUMBS)


@pytest.fixture(scope="module")
def found(recorded):
    return passages(recorded)


def test_crossings_by_hand():
    # drives to 100 m in 10 s, stands for 20 s, goes on to 200 m in 5 s
    time_s, way_m = np.array([0.0, 10.0, 30.0, 35.0]), np.array([0.0, 100.0, 100.0, 200.0])
    at_m = np.array([-1.0, 0.0, 50.0, 100.0, 101.0, 200.0, 201.0])
    np.testing.assert_allclose(crossing_s(time_s, way_m, at_m), [np.nan, 0, 5, 10, 30.05, 35, np.nan])


def test_what_the_file_holds(recorded):
    # 32,241 positions, 14 of them without coordinates, of 8 vehicle-days
    assert len(recorded.time_s) == 32_227
    assert len(recorded) == 108
    assert len(set(zip(recorded.dates, recorded.vehicles, strict=True))) == 8
    assert set(recorded.dates) == {date(2022, 12, day) for day in (12, 17, 19, 25)}
    for trip in range(len(recorded)):
        here = recorded.rows(trip)
        assert (np.diff(recorded.time_s[here]) > 0).all()
        assert (np.diff(recorded.way_m[here]) >= 0).all()


def test_lines_are_as_long_as_odometers_say(recorded):
    line_m = [recorded.way_m[recorded.rows(trip)][-1] for trip in range(len(recorded))]
    run_m = [np.ptp(recorded.odometer_m[recorded.rows(trip)]) for trip in range(len(recorded))]
    # the odometers count a little over one percent too little
    assert np.median(np.divide(line_m, run_m)) == pytest.approx(1.012, abs=0.003)


def test_a_passage_is_true_to_its_own_record(recorded, found):
    placed = found.is_placed
    assert len(found) == 4657
    assert 3500 < placed.sum() < 3700
    assert 1000 < (placed & found.is_served).sum() < 1150
    assert (found.others[placed] >= 3).all()
    assert (recorded.time_s[found.before] <= found.arrival_s)[placed].all()
    assert (found.arrival_s <= found.departure_s)[placed].all()
    assert (found.departure_s <= recorded.time_s[found.after])[placed].all()
    for trip in range(len(recorded)):
        assert (np.diff(found.at_m[placed & (found.trip == trip)]) > 0).all()


def test_a_passage_has_no_say_in_its_own_place(recorded, found):
    """Move one passage's own positions in the record of events: the place of the others' stop stays where it was."""
    row = int(np.flatnonzero(found.is_placed & ~found.is_served)[100])
    events = recorded.stop_event.copy()
    # the bus notices the stop one position later than it did
    events[found.after[row]] = events[found.before[row]]
    again = passages(replace(recorded, stop_event=events))
    moved = int(np.flatnonzero(again.before == found.after[row])[0])
    if np.isfinite(again.at_m[moved]):
        assert again.at_m[moved] == found.at_m[row]
    assert again.before[moved] == found.before[row] + 1


@pytest.mark.parametrize("every_s", [5, 15, 120])
def test_phases_leave_one_position_a_tick(recorded, every_s):
    phases = list(thinned(recorded, every_s))
    assert [phase_s for phase_s, _ in phases] == list(range(0, every_s, 5))
    for _, rows in phases:
        assert (np.diff(rows) > 0).all()
        told = pings_of(recorded, rows)
        assert len(told) == len(rows)
        assert {told.trip.texts[code] for code in told.trip.codes.tolist()} == set(recorded.trip_ids)
        same = told.trip.codes[1:] == told.trip.codes[:-1]
        # a tick without a position is answered by the first one after it
        assert np.median(np.diff(told.time_s)[same]) == every_s
    taken = np.unique(np.concatenate([rows for _, rows in phases]))
    assert len(taken) > 0.85 * len(recorded.time_s)


def test_seldom_seen_is_worse_estimated(recorded, found):
    off_s = [errors(recorded, found, every_s, straight(20.0))["arrivals"].mean_absolute_s for every_s in (15, 60, 120)]
    assert off_s == sorted(off_s)
    assert 4 < off_s[0] < 6
    assert 14 < off_s[-1] < 16


def test_the_feed_is_legal_and_keeps_the_times_to_itself(recorded, found, tmp_path):
    path = write_feed(recorded, found, tmp_path / "feed.zip")
    feed = read_feed(path)
    assert feed.notices == ()
    assert sum(feed.service_days().values()) == 102  # six trips have fewer than two known places
    table = timetable(feed, date(2022, 12, 12), previous_day=False)
    trips = [recorded.trip_ids.index(name) for name in table.trips.trip_ids]
    assert len(table.calls.arrival_s) == (found.is_placed & np.isin(found.trip, trips)).sum()
    assert table.calls.is_interpolated.sum() == len(table.calls.arrival_s) - 2 * len(table.trips.ids)
    with zipfile.ZipFile(path) as archive:
        lines = archive.read("stop_times.txt").decode().splitlines()
    times = {line.split(",")[1] for line in lines[1:] if line.startswith(recorded.trip_ids[trips[0]])} - {""}
    assert len(times) == 2
    assert all(text.endswith(":00") for text in times)


def test_a_replay_of_all_positions_finds_nearly_all_passages(recorded, found, tmp_path):
    plan = trace_plan(read_feed(write_feed(recorded, found, tmp_path / "feed.zip")))
    told = errors(recorded, found, 5, replayed(plan, TraceSettings()))
    assert told["arrivals"].known > 0.98 * told["arrivals"].asked
    # 30 m before the stop, at 45 km/h, is two to four seconds before it
    assert told["passed"].mean_absolute_s < 5
