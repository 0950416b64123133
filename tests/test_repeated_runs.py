"""Vehicles that name a repeated trip without its start: one run each, chosen where it begins, kept to its end."""

import numpy as np
import pytest

from gtfs.trip_claims import Evidence
from tests.paper_traces import (
    CALLS,
    STREET,
    Sight,
    calls,
    canonical,
    day_of,
    degrees,
    moment,
    moved,
    paper_plan,
    pings_of,
    read_trace,
    ride,
    shape_text,
)

MARCH_4 = day_of("2026-03-04")
SIX = moment("2026-03-04T11:00")  # 06:00 in New York
EVERY_5_MIN = "trip_id,start_time,end_time,headway_secs,exact_times\nt1,06:00:00,09:00:00,300,1\n"


@pytest.fixture(scope="module")
def plan(tmp_path_factory):
    """The street's trip each five minutes from 06:00; it takes ten from end to end."""
    return paper_plan(tmp_path_factory.mktemp("runs"), frequencies=EVERY_5_MIN)


def runs(read):
    """Vehicle and run of the trips performed."""
    assert {evidence for *_, evidence in read.trips()} <= {Evidence.TRIP_ID.name}
    assert {day for _, _, day, _ in read.trips()} <= {MARCH_4}
    return [(vehicle, trip.removeprefix("t1@")) for vehicle, trip, _, _ in read.trips()]


def departures_s(read, performed):
    """Seconds after 06:00 at which one of the trips performed left its calls."""
    rows = slice(*read.visits.start[performed : performed + 2])
    return np.round(read.visits.departure_s[rows] - SIX, 6).tolist()


def test_a_bus_is_on_one_run_though_others_leave_meanwhile(plan):
    # leaves at 06:11, a minute after the run of 06:10; it takes 500 s, and that of 06:15 leaves meanwhile
    read = read_trace(plan, pings_of(ride(SIX + 660)))
    assert runs(read) == [("bus", "06:10:00")]
    # 10 m/s, and 30 m beyond a stop it has left it: 3 s after it, and 1 km takes 100 s
    np.testing.assert_allclose(read.visits.departure_s[:5] - SIX, [663, 763, 863, 963, 1063], atol=0.1)
    # due at 06:10, 06:12, 06:14 ... : late by 63 s, then 20 s less at each
    np.testing.assert_allclose(read.visits.deviation_s[:5], [63, 43, 23, 3, -17], atol=0.1)


def test_a_bus_that_runs_later_and_later_stays_on_its_run(plan):
    # it stands 600 s at 2 km: by then it is nearer to the timetable of the run two behind it
    read = read_trace(plan, pings_of(ride(SIX + 600, {2000: 600})))
    assert runs(read) == [("bus", "06:10:00")]
    np.testing.assert_allclose(read.visits.deviation_s[2:5], [563, 543, 523], atol=0.1)


def test_a_bus_that_is_first_seen_on_its_way_is_on_the_run_that_is_due_there(plan):
    # at 3 km the run of 06:10 is due at 06:16; nearest in time alone would be that of 06:15
    read = read_trace(plan, pings_of(ride(SIX + 960, ways_m=(3000, 5000))))
    assert runs(read) == [("bus", "06:10:00")]


def test_the_next_run_begins_back_at_the_first_stop(plan):
    # 5 km, then it stands at the end for 300 s, drives back beside the line unseen, and leaves again at 06:30
    laps = [*ride(SIX, {5000: 300}), *ride(SIX + 1800)]
    read = read_trace(plan, pings_of(laps))
    assert runs(read) == [("bus", "06:00:00"), ("bus", "06:30:00")]
    assert departures_s(read, 1)[:5] == pytest.approx([1803, 1903, 2003, 2103, 2203], abs=0.1)


def test_driving_back_along_the_line_begins_nothing(plan):
    back = [Sight(SIX + 700 + 10 * k, 5000 - 100 * k) for k in range(50)]
    read = read_trace(plan, pings_of([*ride(SIX), *back, *ride(SIX + 1500)]))
    assert runs(read) == [("bus", "06:00:00"), ("bus", "06:25:00")]


def test_what_is_named_with_a_start_goes_before(plan):
    sights = [*ride(SIX, ways_m=(0, 2000)), *ride(SIX + 210, ways_m=(2100, 5000), start_time="06:15:00")]
    assert runs(read_trace(plan, pings_of(sights))) == [("bus", "06:00:00"), ("bus", "06:15:00")]


def test_after_half_an_hour_of_silence_it_is_chosen_anew(plan):
    sights = [*ride(SIX, ways_m=(0, 2000)), *ride(SIX + 3600, ways_m=(0, 5000))]
    assert runs(read_trace(plan, pings_of(sights))) == [("bus", "06:00:00"), ("bus", "07:00:00")]


def test_a_loop_begins_again_where_it_ended(tmp_path):
    # a square of 1 km a side, four stops and the first again; a lap takes 400 s, and 480 s by timetable
    corners = [(0, 0), (1000, 0), (1000, 1000), (0, 1000), (0, 0)]
    names = ["s0", "s1", "c2", "c3", "s0"]
    places = "".join(
        f"{stop},{stop},{lon!r},{lat!r}\n"
        for stop, (lon, lat) in {"c2": degrees(1000, 1000), "c3": degrees(0, 1000)}.items()
    )
    plan = paper_plan(
        tmp_path,
        stops=STREET["stops"] + places,
        shapes=shape_text(*corners),
        stop_times=CALLS + calls("t1", *(28_800 + 120 * k for k in range(5)), stops=names),
        frequencies=EVERY_5_MIN,
    )
    ring = [(min(max(d, 0), 1000), 0) for d in range(0, 1001, 100)] + [(1000, d) for d in range(100, 1001, 100)]
    ring += [(d, 1000) for d in range(900, -1, -100)] + [(0, d) for d in range(900, -1, -100)]
    lap = [Sight(SIX + 10 * k, *place) for k, place in enumerate(ring)]
    stand = [Sight(SIX + 400 + 10 * k, 0, 0) for k in range(1, 21)]  # until 06:10
    read = read_trace(plan, pings_of([*lap, *stand, *moved(lap[1:], 600)]))
    assert runs(read) == [("bus", "06:00:00"), ("bus", "06:05:00")]
    # into the second lap it is counted from the first stop on
    assert departures_s(read, 1)[:4] == pytest.approx([603, 703, 803, 903], abs=0.1)


def test_pieces_and_late_arrivals_change_nothing(plan):
    rng = np.random.default_rng(4)
    sights = []
    for k in range(4):
        vehicle = f"v{k}"
        begin_s = SIX + 210 * k
        back = [Sight(begin_s + 700 + 10 * j, 5000 - 100 * j, vehicle=vehicle) for j in range(0, 50, 3)]
        sights += [*ride(begin_s, {1000: 40 * k}, vehicle=vehicle), *back, *ride(begin_s + 1500, vehicle=vehicle)]
    late = sorted(sights, key=lambda sight: sight.time_s + rng.uniform(0, 50))
    in_time = read_trace(plan, pings_of(sorted(sights, key=lambda sight: sight.time_s)))
    assert len(runs(in_time)) == 8
    for cuts in ([], sorted(rng.integers(0, len(late), 9).tolist()), range(1, len(late))):
        assert canonical(read_trace(plan, pings_of(late), list(cuts))) == canonical(in_time)
