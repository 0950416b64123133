"""A replay from its first pings to its result: rows on disk, missing trips, regularity, runs of days; on paper."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gtfs.avl_batch import Batch
from gtfs.on_time import ON_TIME_RULES
from gtfs.service_events import Kind
from gtfs.trace_plan import day_date
from scenarios import replay_store
from scenarios.replay_session import Session, results, runs_of_days
from tests.paper_traces import CALLS, calls, moment, paper_plan, pings_of, ride

TRIPS = "route_id,service_id,trip_id,shape_id,block_id\n" + "".join(
    f"{route},daily,{trip},way,\n" for route, trip in ((12, "t1"), (12, "t2"), (12, "t3"), (7, "u1"))
)
TIMES = CALLS + "".join(
    calls(trip, *(begin_s + 120 * k for k in range(6)))
    for trip, begin_s in (("t1", 28_800), ("t2", 29_400), ("t3", 30_000), ("u1", 28_800))
)
AT_8 = moment("2026-03-04T13:00")
OTHER = list(ride(AT_8 + 520, vehicle="other", trip="u1"))
"""A bus of another route, so that the trace has no hole between those of route 12."""


def session_of(folder: Path, *rides, **tables) -> Session:
    plan = paper_plan(folder, **({"trips": TRIPS, "stop_times": TIMES} | tables))
    session = Session(plan, ON_TIME_RULES["default"], folder)
    sights = sorted((sight for sights in rides for sight in sights), key=lambda sight: sight.time_s)
    pings = pings_of(sights)
    session.take(Batch(pings, (), np.full(len(pings), np.nan)))
    session.close()
    return session


def only(session: Session):
    (result,) = results(session, runs_of_days(session))
    return result


def test_a_trip_that_nobody_was_seen_on_is_missing_where_the_trace_covers_its_time_and_shows_its_route(tmp_path):
    result = only(session_of(tmp_path, ride(AT_8), OTHER, ride(AT_8 + 1200, trip="t3")))
    trips = result.plan.timetable.trips.trip_ids
    assert [(trips[trip], day_date(day).isoformat()) for trip, day in result.missing] == [("t2", "2026-03-04")]


def absent(result) -> tuple[list[str], list[str]]:
    """Trips that are missing, and those that cannot be judged."""
    trips = result.plan.timetable.trips.trip_ids
    return [trips[trip] for trip, _ in result.missing], [trips[trip] for trip, _ in result.unjudged]


@pytest.mark.parametrize(("stops", "is_judged"), [(1, True), (2, False), (6, False)])
def test_a_trip_that_a_vehicle_without_a_trip_may_have_driven_is_not_judged(tmp_path, stops, is_judged):
    # seen at so many of its six stops around their time, and too seldom for its trip to be guessed
    unnamed = [s for s in ride(AT_8 + 600, vehicle="unnamed", trip="") if s.x_m in range(0, 1000 * stops, 1000)]
    rides = ride(AT_8), OTHER, unnamed, ride(AT_8 + 1200, trip="t3")
    result = only(session_of(tmp_path, *rides))
    assert absent(result) == ((["t2"], []) if is_judged else ([], ["t2"]))
    # behind a trip that may have been driven nobody knows the headway
    third = int(result.visits.start[result.trip_ids.index("t3")])
    actual_s = result.headways.actual_s[third : third + 5]
    np.testing.assert_allclose(actual_s, [1200.0 if is_judged else np.nan] * 5)
    assert any(event.kind == Kind.GAP for event in result.events) == is_judged


def test_a_vehicle_without_a_trip_at_another_time_excuses_nobody(tmp_path):
    late = [s for s in ride(AT_8 + 3000, vehicle="unnamed", trip="") if s.x_m % 1000 == 0]
    result = only(session_of(tmp_path, ride(AT_8), OTHER, late, ride(AT_8 + 1200, trip="t3")))
    assert absent(result) == (["t2"], [])


def test_of_a_fleet_of_which_one_vehicle_is_in_the_trace_nothing_is_called_missing(tmp_path):
    # one of the route's three trips is seen while another route's vehicle covers the time of all
    other = list(ride(AT_8 + 520, {5000: 1800}, vehicle="other", trip="u1"))
    result = only(session_of(tmp_path, ride(AT_8), other))
    assert absent(result) == ([], ["t2", "t3"])


@pytest.mark.parametrize(("shape", "told"), [("way", ["off route", "back on route"]), ("", [])])
def test_beside_a_line_that_is_straight_from_stop_to_stop_nobody_has_left_the_route(tmp_path, shape, told):
    round_about = [replace(sight, y_m=200.0) if 1200 <= sight.x_m <= 1800 else sight for sight in ride(AT_8)]
    result = only(session_of(tmp_path, round_about, trips=TRIPS.replace(",way,", f",{shape},")))
    assert [str(e.kind) for e in result.events if e.kind in {Kind.OFF_ROUTE, Kind.BACK_ON_ROUTE}] == told


def test_a_hole_in_the_whole_trace_says_nothing_about_trips_in_it(tmp_path):
    session = session_of(tmp_path, ride(AT_8), ride(AT_8 + 3600, trip="t3"))
    assert not only(session).missing


def test_a_bus_that_catches_up_is_bunched_once_and_names_the_one_ahead(tmp_path):
    # t1 is 500 s late, and t2 starts 60 s behind it where 600 s are scheduled
    result = only(session_of(tmp_path, ride(AT_8 + 500), ride(AT_8 + 560, vehicle="second", trip="t2")))
    (event,) = [event for event in result.events if event.kind == Kind.BUNCHED]
    assert (event.value, event.threshold) == pytest.approx((60.0, 150.0))
    assert result.trip_ids[event.performed] == "t2"
    assert result.trip_ids[event.other] == "t1"
    assert event.time_s == pytest.approx(AT_8 + 560 + 3)  # 30 m beyond the first stop at 10 m/s
    assert event.pings_s == (AT_8 + 560, AT_8 + 570)


def test_behind_a_missing_trip_there_is_a_gap(tmp_path):
    result = only(session_of(tmp_path, ride(AT_8), OTHER, ride(AT_8 + 1200, trip="t3")))
    (event,) = [event for event in result.events if event.kind == Kind.GAP]
    assert (event.value, event.threshold) == pytest.approx((1200.0, 780.0))


def test_a_headway_behind_a_departure_that_nobody_saw_is_not_known(tmp_path):
    silent = [sight for sight in ride(AT_8 + 600, vehicle="second", trip="t2") if not 900 < sight.x_m < 2400]
    result = only(session_of(tmp_path, ride(AT_8), silent, ride(AT_8 + 1200, vehicle="third", trip="t3")))
    third = result.trip_ids.index("t3")
    begin = int(result.visits.start[third])
    headways = result.headways.actual_s[begin : begin + 5]
    # at the stops at 1 and 2 km nobody knows when the second bus left
    np.testing.assert_allclose(headways, [600, np.nan, np.nan, 600, 600])


def test_parts_on_disk_give_what_memory_gives(tmp_path, monkeypatch):
    rides = [list(ride(AT_8)), list(ride(AT_8 + 600, vehicle="second", trip="t2"))]
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    whole = only(session_of(tmp_path / "a", *rides))
    monkeypatch.setattr(replay_store, "PART_ROWS", 1)
    session = session_of(tmp_path / "b", *rides)
    assert session.pings.parts > 0
    parts = only(session)
    np.testing.assert_array_equal(whole.visits.arrival_s, parts.visits.arrival_s)
    np.testing.assert_array_equal(whole.matched.way_m, parts.matched.way_m)
    assert list(whole.events) == list(parts.events)


def test_service_days_are_taken_together_as_memory_allows(tmp_path):
    day_s = 86_400
    session = session_of(tmp_path, ride(AT_8), ride(AT_8 + day_s), ride(AT_8 + 2 * day_s))
    first = min(day for days in runs_of_days(session) for day in days)
    assert runs_of_days(session, most_visits=12) == [{first, first + 1}, {first + 2}]
    found = list(results(session, runs_of_days(session, most_visits=12)))
    assert [len(part.visits) for part in found] == [12, 6]
    assert sum(len(part.matched) for part in found) == 3 * 51
