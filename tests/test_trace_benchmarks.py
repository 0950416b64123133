"""Benchmarks of replays: copies of a trace, errors of arrivals, and peers, each on cases that can be worked out."""

from datetime import date
from types import MappingProxyType

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

from benchmarks.kingston import (
    Estimate,
    Published,
    cross_validated,
    first_passed,
    folds_of,
    known_errors,
    nearest_m,
    read_published,
    seen_around,
)
from benchmarks.kingston import replay as replay_trace
from benchmarks.trace_copies import AGENCIES, Agency, copies, moved, read_trace, write_copies
from benchmarks.trace_peers import PEERS, Answer, Course, difference, turn
from benchmarks.trace_samples import agency_samples, kernel_cost, repeated
from gtfs.avl import read_pings
from gtfs.avl_columns import ColumnMap
from gtfs.clock import origin_epoch_s
from gtfs.feed import read_feed
from gtfs.trace_kernels import Samples
from gtfs.trace_plan import day_number, trace_plan
from gtfs.trace_settings import TraceSettings

DAY_S = 86_400
MAP = ColumnMap(
    MappingProxyType(
        {
            "event_timestamp": "t",
            "vehicle_id": "bus",
            "service_date": "day",
            "latitude": "lat",
            "longitude": "lon",
        }
    )
)
TRACE = pa.table(
    {
        "t": [DAY_S + 10, DAY_S + 40, 2 * DAY_S + 5],
        "bus": ["7", "8", "7"],
        "day": ["19700102", None, "19700103"],
        "lat": [1.0, 2.0, 3.0],
        "lon": [4.0, 5.0, 6.0],
    }
)


def test_a_moved_trace_is_later_and_of_other_vehicles():
    found = moved(TRACE, MAP, 30, "-1")
    assert found.to_pydict() == {
        "t": [31 * DAY_S + 10, 31 * DAY_S + 40, 32 * DAY_S + 5],
        "bus": ["7-1", "8-1", "7-1"],
        "day": ["19700201", None, "19700202"],
        "lat": [1.0, 2.0, 3.0],
        "lon": [4.0, 5.0, 6.0],
    }


def test_copies_come_day_by_day_in_order_of_time():
    days = [day.to_pydict() for day in copies(TRACE, MAP, range(0, 4, 2), 2)]
    assert [day["t"] for day in days] == [
        [DAY_S + 10, DAY_S + 10, DAY_S + 40, DAY_S + 40],
        [2 * DAY_S + 5] * 2,
        [3 * DAY_S + 10, 3 * DAY_S + 10, 3 * DAY_S + 40, 3 * DAY_S + 40],
        [4 * DAY_S + 5] * 2,
    ]
    assert days[2]["bus"] == ["7-0", "7-1", "8-0", "8-1"]
    assert days[2]["day"] == ["19700104", "19700104", None, None]


@pytest.mark.parametrize("agency", AGENCIES, ids=lambda agency: agency.name)
def test_copies_of_an_agency_stay_between_changes_of_the_clock(data_dir, tmp_path, agency: Agency):
    plan = trace_plan(read_feed(data_dir / agency.feed))
    timezone = plan.timetable.timezone
    own = [batch.pings for batch in read_pings([data_dir / agency.trace], agency.columns, timezone)]
    first, last = (float(pick(pick(part.time_s) for part in own)) for pick in (min, max))
    length = int(last // DAY_S - first // DAY_S) + 1
    assert agency.shifts.step >= length
    for shift in (agency.shifts[0], agency.shifts[-1]):
        for moment_s in (first, last):
            days = [date.fromordinal(day + date(1970, 1, 1).toordinal()) for day in _days(moment_s, shift)]
            origins_s = [origin_epoch_s(day, timezone) for day in days]
            assert origins_s[1] - origins_s[0] == shift * DAY_S
    path = tmp_path / "copies.parquet"
    write_copies(agency, data_dir, path, 40_000)
    table = pq.read_table(path)
    assert len(table) == 40_000
    column = agency.columns.columns["vehicle_id"]
    vehicles = set(read_trace(data_dir / agency.trace, agency.columns)[column].to_pylist())
    found = {tuple(text.rsplit("-", 1)) for text in table[column].to_pylist()}
    assert {name for name, _ in found} <= vehicles
    assert {number for _, number in found} == {str(number) for number in range(agency.fleet)}


def _days(moment_s, shift):
    return int(moment_s // DAY_S), int(moment_s // DAY_S) + shift


def published(arrival_s, scheduled_s):
    rows = np.arange(len(arrival_s), dtype=np.int32)
    return Published(0, rows // 2, rows, np.array(arrival_s), np.array(scheduled_s))


def test_errors_by_hand():
    # truly on time, on time, late (301 s), early (-61 s), not estimated, not asked for
    truth = published([1000.0, 1000.0, 1301.0, 939.0, 1000.0, 1000.0], [1000.0] * 6)
    told = Estimate(np.array([1010.0, 980.0, 1299.0, 935.0, np.nan, 5000.0]), np.full(6, 30.0))
    found = known_errors(truth, told, np.array([True] * 5 + [False]))
    assert found.count == 4
    assert found.mean_absolute_s == pytest.approx((10 + 20 + 2 + 4) / 4)
    assert found.mean_s == pytest.approx((10 - 20 - 2 - 4) / 4)
    assert found.median_s == pytest.approx(7.0)
    assert found.ninetieth_s == pytest.approx(17.0)
    assert found.agreement == 0.75


def test_settings_are_chosen_without_the_arrivals_that_judge_them():
    # trip 0 wants settings A, trip 1 wants B: each is judged by what the other chose
    truth = published([0.0, 0.0, 0.0, 0.0], [0.0] * 4)
    tried = {
        (1.0, 1.0): Estimate(np.array([1.0, 1.0, 9.0, 9.0]), np.zeros(4)),
        (2.0, 2.0): Estimate(np.array([8.0, 8.0, 2.0, 2.0]), np.zeros(4)),
    }
    everything = np.ones(4, dtype=np.bool_)
    chosen, found = cross_validated(tried, truth, everything, np.array([0, 0, 1, 1], dtype=np.int32))
    assert chosen == [(2.0, 2.0), (1.0, 1.0)]
    assert found.arrival_s.tolist() == [8.0, 8.0, 9.0, 9.0]


def test_a_trip_is_in_one_fold():
    trip = np.repeat(np.arange(40, dtype=np.int32), 3)
    fold = folds_of(trip, 5, 1)
    assert np.bincount(fold).tolist() == [24] * 5
    assert (fold.reshape(-1, 3) == fold[::3, np.newaxis]).all()


def test_first_passed_by_hand():
    # there at 100 m after 5 s of 10, back behind it, and there again
    time_s, way_m = np.array([0.0, 10.0, 40.0, 50.0]), np.array([50.0, 150.0, 90.0, 190.0])
    assert first_passed(time_s, way_m, 100.0) == (5.0, 10.0)
    assert first_passed(time_s, way_m, 170.0) == (48.0, 10.0)
    assert np.isnan(first_passed(time_s, way_m, 200.0)).all()


def test_published_arrivals_are_of_calls_of_the_feed(data_dir):
    plan = trace_plan(read_feed(data_dir / "kingston/gtfs.zip"))
    truth = read_published(data_dir / "kingston/agency_arrivals.csv.gz", plan)
    assert len(truth) == 609
    assert truth.day == day_number(date(2026, 1, 15))
    # buses are seldom half an hour off
    assert (np.abs(truth.arrival_s - truth.scheduled_s) < 1800).mean() > 0.99
    assert (plan.calls.start[truth.trip] <= truth.call).all()
    assert (truth.call < plan.calls.start[truth.trip + 1]).all()
    agency = AGENCIES[0]
    batches = read_pings([data_dir / agency.trace], agency.columns, plan.timetable.timezone)
    read = replay_trace(plan, [batch.pings for batch in batches], TraceSettings())
    owner, silence_s = seen_around(read, truth)
    assert ((owner >= 0) == np.isfinite(silence_s)).all()
    assert 560 < (owner >= 0).sum() < 609
    for place in np.flatnonzero(owner >= 0).tolist()[::20]:
        own_s = read.matched.time_s[read.matched.performed == owner[place]]
        before_s = own_s[own_s < truth.arrival_s[place]].max()
        assert own_s[own_s >= truth.arrival_s[place]].min() - before_s == silence_s[place]
        assert read.performed[owner[place]].trip == truth.trip[place]


def test_the_nearest_place_is_global(data_dir):
    plan = trace_plan(read_feed(data_dir / "washington/gtfs.zip"))
    pattern = plan.timetable.trips.pattern[0]
    frame, corners = plan.lines.frame[pattern], plan.lines.start[pattern]
    lonlat = plan.lines.corner_m[corners + 3] / frame[2:] + frame[:2]
    assert nearest_m(plan, 0, lonlat[:1], lonlat[1:])[0] == pytest.approx(plan.lines.way_m[corners + 3], abs=0.01)


def test_repeated_samples_are_other_vehicles(data_dir):
    plan, samples = agency_samples(AGENCIES[1], data_dir)
    count, trips = len(samples.trip), int(samples.performed.max()) + 1
    assert len(np.unique(samples.trip)) == 132
    assert (np.diff(samples.performed) != 0).sum() + 1 >= trips
    many = repeated(samples, 2 * count + 1)
    assert len(many.trip) == 3 * count
    assert (many.performed[count : 2 * count] == samples.performed + trips).all()
    assert (many.lon.reshape(3, -1) == samples.lon).all()
    # every copy is matched as the trace itself
    once, thrice = (kernel_cost(plan, each, TraceSettings())[1] for each in (samples, many))
    np.testing.assert_array_equal(thrice.reshape(3, -1), np.tile(once, (3, 1)))
    assert np.isfinite(once).mean() > 0.9


PLANE = "+proj=tmerc +lat_0=0 +lon_0=0 +ellps=WGS84 +units=m"
DEGREE_M = 111_319.49
"""Of longitude on the equator."""


def out_and_back(first: int = 0) -> Course:
    """Out for 1 km and back on the same street within 600 s, where the plan says 500 s; a ping every 100 s."""
    way_m = np.arange(0.0, 2001.0, 1000 / 3)
    east_m = np.minimum(way_m, 2000 - way_m)
    time_s = way_m * 0.3
    return Course(
        rows=slice(first, first + len(way_m)),
        lonlat=np.column_stack((east_m / DEGREE_M, np.zeros(len(way_m)))),
        time_s=time_s,
        clock_s=time_s,
        line=shapely.LineString([(0, 0), (1000, 0), (0, 0)]),
        stops=shapely.points([(0.0, 0.0), (1000.0, 0.0)]),
        call_m=np.array([0.0, 2000.0]),
        call_s=np.array([0.0, 500.0]),
    )


@pytest.mark.parametrize("name", PEERS)
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
def test_peers_find_the_nearest_place_and_so_turn_back(name):
    answer = PEERS[name]([out_and_back(), out_and_back(7)], PLANE)
    east_m = [0.0, 1000 / 3, 2000 / 3, 1000.0, 2000 / 3, 1000 / 3, 0.0]
    np.testing.assert_allclose(answer.way_m, np.tile(east_m, 2), atol=0.1)
    late_s = np.arange(0.0, 601.0, 100.0) - np.array(east_m) / 4
    np.testing.assert_allclose(answer.deviation_s, np.tile(late_s, 2), atol=0.05)


def test_differences_by_hand():
    courses = [out_and_back(), out_and_back(7)]
    own_m = np.tile(np.arange(0.0, 2001.0, 1000 / 3), 2)
    own_m[3] = np.nan  # not found by the replay: left out
    answer = Answer(np.tile([0.0, 1000 / 3, 2000 / 3, 1000.0, 2000 / 3, 1000 / 3, 0.0], 2), np.zeros(14))
    found = difference(courses, answer, own_m, np.tile(np.arange(7) * 10.0, 2))
    assert found.pings == 13
    assert found.own_steps_back == 0
    # in the first course from 667 m to 333 m and on to 0, in the second from 1000 m as well
    assert found.steps_back == 2 + 3
    assert (found.courses, found.courses_back) == (2, 2)
    assert found.away == 6
    assert found.away_late_s == 50.0


def test_a_turn_begins_anew_when_it_is_through():
    def peer(some, _):
        busy = sum(range(200_000))
        return Answer(np.full(sum(len(each.time_s) for each in some), float(busy > 0)), np.zeros(7 * len(some)))

    found = turn(peer, [out_and_back()], PLANE, 0.05)
    assert found.used_s >= 0.05
    assert found.pings % 7 == 0
    assert len(found.answer.way_m) == 7


def test_samples_have_every_column_of_the_kernels():
    some = Samples(*(np.arange(3, dtype=np.int32) for _ in range(2)), *(np.arange(3.0) for _ in range(6)))
    assert repeated(some, 5).time_s.tolist() == [0.0, 1.0, 2.0] * 2
