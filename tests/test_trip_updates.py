"""What passengers are told of vehicles under way, by hand on a straight street: 1 km in two minutes between stops."""

from pathlib import Path

import numpy as np

from gtfs.performed_trips import PerformedTrip, performed_trips
from gtfs.realtime import Alert, Effect
from gtfs.service_events import Event, Kind
from gtfs.trip_claims import Evidence
from gtfs.trip_updates import UnderWay, alerts, trip_updates
from tests.paper_traces import CALLS, calls, day_of, paper_plan

DAY = day_of("2026-03-04")
ON_T1 = performed_trips([PerformedTrip(0, 0, DAY, Evidence.TRIP_ID)])


def under_way(way_m: float, time_s: float) -> UnderWay:
    return UnderWay(np.array([0], np.int32), np.array([way_m]), np.array([time_s]))


def seconds(plan, clock_s: float) -> float:
    return plan.origin_s(DAY) + clock_s


def test_a_late_vehicle_stays_as_late_at_every_stop_ahead(tmp_path: Path) -> None:
    plan = paper_plan(tmp_path)
    # half way between the calls at 08:04 and 08:06 it is due at 08:05; it is 08:08
    (update,) = trip_updates(plan, ON_T1, ["bus"], under_way(2500.0, seconds(plan, 29_280)))
    assert (update.trip_id, update.start_date, update.route_id, update.vehicle_id) == ("t1", "20260304", "12", "bus")
    assert update.delay_s == 180
    assert [(stop.stop_id, stop.arrival.delay_s) for stop in update.stops] == [("s3", 180), ("s4", 180), ("s5", 180)]
    assert update.stops[0].arrival.time_s == seconds(plan, 28_800 + 360 + 180)


def test_an_early_vehicle_leaves_no_timepoint_before_its_time(tmp_path: Path) -> None:
    times = CALLS.strip() + ",timepoint\n"
    rows = calls("t1", *(28_800 + 120 * k for k in range(6))).splitlines()
    plan = paper_plan(tmp_path, stop_times=times + "".join(f"{row},{int(k == 4)}\n" for k, row in enumerate(rows)))
    (update,) = trip_updates(plan, ON_T1, ["bus"], under_way(2500.0, seconds(plan, 29_040)))
    delays = [(stop.stop_id, stop.arrival.delay_s, stop.departure.delay_s) for stop in update.stops]
    assert delays == [("s3", -60, -60), ("s4", -60, 0), ("s5", 0, 0)]


def test_a_vehicle_past_its_last_stop_is_expected_nowhere(tmp_path: Path) -> None:
    plan = paper_plan(tmp_path)
    assert not list(trip_updates(plan, ON_T1, ["bus"], under_way(5002.0, seconds(plan, 29_400))))


def happened(kind: Kind, time_s: float, call: int | None = None) -> Event:
    return Event(kind, time_s, 0, call, 120.0, 60.0, "m", "a rule", (time_s,))


def test_passengers_hear_of_detours_that_last_and_of_stops_left_out(tmp_path: Path) -> None:
    plan = paper_plan(tmp_path)
    told = [happened(Kind.OFF_ROUTE, 1000.0), happened(Kind.SKIPPED_STOP, 1100.0, call=3), happened(Kind.LATE, 1150.0)]
    detour, skipped = alerts(plan, ON_T1, told, now_s=1200.0, window_s=600.0)
    assert isinstance(detour, Alert)
    assert detour.effect == Effect.DETOUR
    assert (detour.informed[0].route_id, detour.informed[0].trip_id, detour.informed[0].stop_id) == ("12", "t1", "")
    assert skipped.effect == Effect.NO_SERVICE
    assert skipped.informed[0].stop_id == "s3"


def test_a_detour_that_is_over_and_what_is_long_past_are_not_told(tmp_path: Path) -> None:
    plan = paper_plan(tmp_path)
    over = [happened(Kind.OFF_ROUTE, 1000.0), happened(Kind.BACK_ON_ROUTE, 1100.0)]
    assert not list(alerts(plan, ON_T1, over, now_s=1200.0, window_s=600.0))
    assert not list(alerts(plan, ON_T1, [happened(Kind.NO_PROGRESS, 100.0)], now_s=1200.0, window_s=600.0))
