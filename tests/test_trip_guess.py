"""Vehicles that name no trip: on paper a case for each rule, then in cities whose trips were taken away."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gtfs.feed import read_feed
from gtfs.pings import NO_LABEL, Labels, take_pings
from gtfs.trace_kernels import MATCHED, NO_TRIP, OFF_ROUTE
from gtfs.trace_plan import trace_plan
from gtfs.trip_claims import Evidence
from tests.paper_traces import (
    CALLS,
    LENGTH_M,
    STREET,
    Sight,
    along,
    calls,
    canonical,
    day_of,
    moment,
    moved,
    paper_plan,
    pings_of,
    read_trace,
    recorded_pings,
    ride,
    shape_text,
    stops_text,
)

EIGHT = moment("2026-03-04T13:00")
"""08:00 in New York."""
MARCH_4 = day_of("2026-03-04")
MINUTE = 60

PLACES = {f"s{k}": (1000 * k, 0) for k in range(6)} | {f"n{k}": (2500, 1000 * k) for k in (1, 2)}
SHAPES = (
    shape_text((0, 0), (LENGTH_M, 0))
    + shape_text((0, 0), (2500, 0), (2500, 2500), shape="north").split("\n", 1)[1]
    + shape_text((LENGTH_M, 0), (0, 0), shape="back").split("\n", 1)[1]
)
NORTH, BACK = ["s0", "s1", "s2", "n1", "n2"], ["s5", "s4", "s3", "s2", "s1", "s0"]


def trip(begin_s, stops=None):
    """Times of a trip that leaves at a second of the day and takes 100 s to each next stop."""
    return [begin_s + 100 * k for k in range(6 if stops is None else len(stops))]


def feed(folder, **trips):
    """A feed of trips: route, shape, block, minutes after 08:00."""
    stops_of = {"way": None, "north": NORTH, "back": BACK}
    rows = "".join(f"{route},daily,{name},{shape},{block}\n" for name, (route, shape, block, _) in trips.items())
    times = "".join(
        calls(name, *trip(28_800 + MINUTE * minutes, stops_of[shape]), stops=stops_of[shape])
        for name, (_, shape, _, minutes) in trips.items()
    )
    head = STREET["trips"].split("\n", 1)[0] + "\n"
    return paper_plan(folder, stops=stops_text(PLACES), shapes=SHAPES, trips=head + rows, stop_times=CALLS + times)


def read(plan, *sights, cuts=()):
    return read_trace(plan, pings_of(sorted(sights, key=lambda sight: sight.time_s)), cuts)


def nameless(begin_s, until_m=LENGTH_M, **said):
    """A bus along the street that names no trip, 100 m every 10 s."""
    return [one for one in ride(begin_s, trip="", **said) if one.x_m <= until_m]


def served(read):
    """Ids of the trips that pings were given, in their order, empty for none."""
    ids = read.plan.timetable.trips.ids
    return [ids[row] if row >= 0 else "" for row in read.matched.trip.tolist()]


@pytest.fixture(scope="module")
def hourly(tmp_path_factory):
    """A trip an hour out, and another back."""
    folder = tmp_path_factory.mktemp("hourly")
    return feed(
        folder,
        t1=("12", "way", "b1", 0),
        t2=("12", "way", "b2", 60),
        r1=("12", "back", "b1", 30),
        r2=("12", "back", "b2", 90),
    )


# clear evidence


def test_a_bus_alone_on_its_line_near_its_time_is_given_the_trip_from_its_first_ping_on(hourly):
    found = read(hourly, *nameless(EIGHT + 60))
    named = read(hourly, *ride(EIGHT + 60, trip="t1"))
    assert found.trips() == [("bus", "t1", MARCH_4, "GEOMETRY")]
    assert found.matched.way_m.tolist() == named.matched.way_m.tolist()
    for name in ("arrival_s", "departure_s", "deviation_s"):
        assert getattr(found.visits, name).tobytes() == getattr(named.visits, name).tobytes()
    assert found.told("late", "early") == named.told("late", "early")


def test_what_goes_before_the_trip_is_not_of_it(hourly):
    access = along(EIGHT - 190, (0, -2000), (0, -100), trip="")
    found = read(hourly, *access, *nameless(EIGHT + 10))
    assert served(found) == [""] * 19 + ["t1"] * 51 or served(found) == [""] * 20 + ["t1"] * 51


def test_too_few_pings_or_too_short_a_way_tell_nothing(hourly):
    assert served(read(hourly, *nameless(EIGHT, 600))) == [""] * 7
    slow = along(EIGHT, (0, 0), (700, 0), pace_mps=3.0, trip="")
    assert set(served(read(hourly, *slow))) == {""}


@pytest.mark.parametrize("minutes", [-6, 12])
def test_a_bus_far_from_every_time_is_left_alone(hourly, minutes):
    found = read(hourly, *nameless(EIGHT + MINUTE * minutes))
    assert set(served(found)) == {""}
    assert set(found.matched.found.tolist()) == {NO_TRIP}


def test_a_bus_the_other_way_is_not_on_the_line(hourly):
    back = along(EIGHT, (LENGTH_M, 0), (0, 0), trip="")
    assert set(served(read(hourly, *back))) == {""}


def test_a_bus_in_the_next_street_is_not_on_the_line(hourly):
    assert set(served(read(hourly, *along(EIGHT, (0, 90), (LENGTH_M, 90), trip="")))) == {""}


def test_a_parked_bus_serves_nothing_and_each_of_its_pings_comes_out(hourly):
    parked = [Sight(EIGHT + 20 * k, 1000, 3 * (k % 5), trip="") for k in range(400)]
    found = read(hourly, *parked)
    assert served(found) == [""] * 400
    assert len(found.performed) == 0


def test_on_a_day_without_service_nothing_is_given(hourly):
    assert set(served(read(hourly, *nameless(moment("2027-03-04T13:00"))))) == {""}


def test_the_only_day_is_the_day(hourly):
    plan = replace(hourly, only_day=MARCH_4)
    assert set(served(read(plan, *nameless(EIGHT)))) == {"t1"}
    assert set(served(read(plan, *nameless(EIGHT + 86_400)))) == {""}


# rivals


def test_between_two_departures_there_is_no_telling(tmp_path):
    plan = feed(tmp_path, t1=("12", "way", "", 0), t2=("12", "way", "", 8))
    assert set(served(read(plan, *nameless(EIGHT + 4 * MINUTE)))) == {""}
    assert set(served(read(plan, *nameless(EIGHT + 7 * MINUTE)))) == {""}, "seven minutes late, or one early?"


def test_twenty_minutes_apart_departures_are_told_apart(tmp_path):
    plan = feed(tmp_path, t1=("12", "way", "", 0), t2=("12", "way", "", 20))
    for late_s, name in ((0, "t1"), (180, "t1"), (1200, "t2"), (1380, "t2")):
        assert set(served(read(plan, *nameless(EIGHT + late_s)))) == {name}


def test_two_lines_on_one_street_are_told_apart_where_they_branch(tmp_path):
    plan = feed(tmp_path, t1=("12", "way", "", 0), n1=("7", "north", "", 0))
    assert set(served(read(plan, *nameless(EIGHT, 2400)))) == {""}
    assert set(served(read(plan, *nameless(EIGHT)))) == {"t1"}
    north = along(EIGHT, (0, 0), (2500, 0), (2500, 2000), trip="")
    assert set(served(read(plan, *north))) == {"n1"}


def test_a_line_that_is_due_at_another_time_is_no_rival_on_the_same_street(tmp_path):
    plan = feed(tmp_path, t1=("12", "way", "", 0), n1=("7", "north", "", 25))
    assert set(served(read(plan, *nameless(EIGHT, 2400)))) == {"t1"}


def test_the_route_that_is_named_settles_it(tmp_path):
    plan = feed(tmp_path, t1=("12", "way", "", 0), f1=("7", "way", "", 0))
    assert set(served(read(plan, *nameless(EIGHT)))) == {""}
    assert set(served(read(plan, *nameless(EIGHT, route="7")))) == {"f1"}
    assert set(served(read(plan, *nameless(EIGHT, route="no such route")))) == {""}


def test_a_trip_that_another_vehicle_names_is_taken(hourly):
    named = list(ride(EIGHT, vehicle="named", trip="t1"))
    found = read(hourly, *named, *nameless(EIGHT + 60))
    assert [name for name, *_ in found.trips()] == ["named"]
    late = read(hourly, *moved(named, 1200), *nameless(EIGHT + 60))
    assert sorted(name for name, *_ in late.trips()) == ["bus", "named"], "nobody had named it then"


# blocks


def test_the_next_trip_of_the_block_is_known_where_times_tell_nothing(tmp_path):
    plan = feed(
        tmp_path,
        t1=("12", "way", "b1", 0),
        r1=("12", "back", "b1", 15),
        r2=("12", "back", "b2", 23),
        t2=("12", "way", "b2", 8),
    )
    back = list(along(EIGHT + 19 * MINUTE, (LENGTH_M, 0), (0, 0), trip=""))
    assert set(served(read(plan, *back))) == {""}, "between two departures"
    found = read(plan, *ride(EIGHT, trip="t1"), *back)
    assert found.trips() == [("bus", "t1", MARCH_4, "TRIP_ID"), ("bus", "r1", MARCH_4, "BLOCK")]
    assert served(found) == ["t1"] * 51 + ["r1"] * 51


def test_a_trip_that_is_named_no_more_goes_on(tmp_path):
    plan = feed(tmp_path, t1=("12", "way", "b1", 0), t2=("12", "way", "b2", 8))
    sights = [replace(one, trip="t1" if one.x_m < 1000 else "") for one in ride(EIGHT + 4 * MINUTE)]
    found = read(plan, *sights)
    assert set(served(found)) == {"t1"}
    assert found.trips() == [("bus", "t1", MARCH_4, "TRIP_ID")]


# the end of a guess


def test_at_its_end_a_trip_is_over_and_the_next_is_found_from_where_the_bus_stood(hourly):
    layover = [Sight(EIGHT + 510 + 30 * k, LENGTH_M, trip="") for k in range(40)]
    back = along(EIGHT + 510 + 1200, (LENGTH_M, 0), (0, 0), trip="")
    found = read(hourly, *nameless(EIGHT), *layover, *back)
    assert [name for _, name, _, _ in found.trips()] == ["t1", "r1"]
    assert [evidence for *_, evidence in found.trips()] == ["GEOMETRY", "BLOCK"]
    assert served(found) == ["t1"] * 51 + [""] * 40 + ["r1"] * 51
    left_s = found.visits.departure_s[found.visits.start[1]]
    assert left_s == pytest.approx(EIGHT + 1710 + 3), "30 m beyond its first stop"


def test_a_bus_that_leaves_the_line_for_good_has_no_trip_then(hourly):
    off = along(EIGHT + 310, (3000, 100), (3000, 6000), trip="")
    found = read(hourly, *nameless(EIGHT, 3000), *off)
    kinds = found.matched.found.tolist()
    assert served(found)[:61] == ["t1"] * 61
    assert set(served(found)[61:]) == {""}
    assert kinds[31:61] == [OFF_ROUTE] * 30, "five minutes"


def test_a_short_detour_ends_no_guess(hourly):
    sights = along(EIGHT, (0, 0), (2000, 0), (2000, 300), (3000, 300), (3000, 0), (LENGTH_M, 0), trip="")
    found = read(hourly, *sights)
    assert set(served(found)) == {"t1"}
    assert {MATCHED, OFF_ROUTE} == set(found.matched.found.tolist())


def test_pings_that_wait_are_let_go_where_a_trip_is_named(hourly):
    sights = [replace(one, trip="" if one.x_m < 600 else "t1") for one in ride(EIGHT)]
    assert served(read(hourly, *sights)) == [""] * 6 + ["t1"] * 45


def test_a_trip_that_is_not_named_for_a_while_goes_on(hourly):
    sights = [replace(one, trip="" if 1000 <= one.x_m < 1400 else "t1") for one in ride(EIGHT)]
    assert served(read(hourly, *sights)) == ["t1"] * 51


def test_another_route_ends_a_guess(tmp_path):
    plan = feed(tmp_path, t1=("12", "way", "", 0), n1=("7", "north", "", 60))
    sights = [replace(one, route="" if one.x_m < 3000 else "7") for one in nameless(EIGHT)]
    assert served(read(plan, *sights)) == ["t1"] * 30 + [""] * 21


# all pings, in any pieces


@pytest.fixture(scope="module")
def busy(tmp_path_factory):
    """Four trips an hour out, back and north, and vehicles that do what vehicles do without a trip."""
    trips = {
        f"{shape}{minutes}": (route, shape, f"b{minutes % 30}", minutes + late)
        for minutes in (0, 15, 30, 45)
        for route, shape, late in (("12", "way", 0), ("12", "back", 10), ("7", "north", 5))
    }
    plan = feed(tmp_path_factory.mktemp("busy"), **trips)
    rng = np.random.default_rng(8)
    sights = []
    for number in range(6):
        begin_s = EIGHT + float(rng.integers(0, 2400))
        out = along(begin_s, (0, 0), (LENGTH_M, 0), vehicle=f"out{number}", trip="")
        back = along(begin_s + 700, (LENGTH_M, 0), (0, 0), vehicle=f"out{number}", trip="")
        north = along(begin_s, (0, 0), (2500, 0), (2500, 2500), vehicle=f"north{number}", trip="", route="7")
        sights += [*out, *back, *north]
        sights += moved(ride(EIGHT, {2000: 120}), begin_s - EIGHT, vehicle=f"half{number}", trip="")
        sights += [replace(one, vehicle=f"named{number}", trip="way15" if number % 2 else "") for one in ride(begin_s)]
        sights += [Sight(EIGHT + 30 * k, 500 * number, 4 * (k % 3), f"parked{number}", "") for k in range(90)]
    sights = [one if rng.random() > 0.1 or "half" not in one.vehicle else replace(one, trip="way0") for one in sights]
    noisy = [replace(one, x_m=one.x_m + rng.normal(0, 8), y_m=one.y_m + rng.normal(0, 8)) for one in sights]
    pings = pings_of(sorted(noisy, key=lambda one: (one.time_s, one.vehicle)))
    return plan, pings, read_trace(plan, pings)


def test_busy_streets_have_all_kinds_of_evidence_and_every_ping_comes_out_once(busy):
    _, pings, whole = busy
    assert {one.evidence for one in whole.performed} == {Evidence.TRIP_ID, Evidence.BLOCK, Evidence.GEOMETRY}
    assert len(whole.matched) + sum(whole.replay.dropped.values()) == len(pings)
    assert 0.1 < np.mean(whole.matched.found == NO_TRIP) < 0.9


@given(seed=st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=25)
def test_pieces_and_late_arrivals_change_nothing(busy, seed):
    plan, pings, whole = busy
    rng = np.random.default_rng(seed)
    cuts = sorted(rng.integers(0, len(pings) + 1, int(rng.choice([1, 5, 60]))).tolist())
    late = np.argsort(pings.time_s + rng.uniform(0, 60, len(pings)))
    for order in (np.arange(len(pings)), late):
        assert canonical(read_trace(plan, take_pings(pings, order), cuts)) == canonical(whole)


def test_a_vehicles_pings_come_out_in_order_of_time(busy):
    plan, pings, _ = busy
    found = read_trace(plan, pings, list(range(0, len(pings), 50)))
    for vehicle in np.unique(found.matched.vehicle):
        assert (np.diff(found.matched.time_s[found.matched.vehicle == vehicle]) > 0).all()


# cities


def stripped(pings, who, *, route):
    """Pings of some vehicles (a flag for each of its texts) without the trip, or the route as well, that they name."""
    is_stripped = who[pings.vehicle.codes]

    def without(labels):
        return Labels(np.where(is_stripped, NO_LABEL, labels.codes).astype(np.int32), labels.texts)

    kept = pings.route if route else without(pings.route)
    named = {name: without(getattr(pings, name)) for name in ("trip", "start_date", "start_time")}
    return replace(pings, route=kept, **named)


def by_ping(read, vehicles):
    """What pings of some vehicles serve, by vehicle and time: trip and day or None, and whether on its line."""
    what = [(one.trip, one.day) for one in read.performed] + [None]  # the last for row -1
    columns = (read.matched.vehicle, read.matched.time_s, read.matched.performed, read.matched.found)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    named = ((read.replay.vehicles[vehicle], time_s, what[row], kind == MATCHED) for vehicle, time_s, row, kind in rows)
    return {(vehicle, time_s): tuple(rest) for vehicle, time_s, *rest in named if vehicle in vehicles}


def compare(plan, pings, who, *, route):
    """Precision by pings and by trips, and the share found of the pings that were on their trips."""
    vehicles = {vehicle for vehicle, flag in zip(pings.vehicle.texts, who, strict=True) if flag}
    truth = by_ping(read_trace(plan, pings), vehicles)
    guess = by_ping(read_trace(plan, stripped(pings, who, route=route)), vehicles)
    assert truth.keys() == guess.keys()
    trips = {}
    for key, (what, _) in guess.items():
        if what and truth[key][0]:
            trips.setdefault((key[0], what), []).append(what == truth[key][0])
    judged = np.concatenate([*trips.values()])
    found = [guess[key][0] == what for key, (what, is_on_line) in truth.items() if is_on_line]
    return judged.mean(), np.mean([np.mean(part) > 0.5 for part in trips.values()]), np.mean(found)


def test_washington_without_trips(data_dir):
    """No setting was chosen by this city; they were by Kingston."""
    plan, pings = trace_plan(read_feed(data_dir / "washington" / "gtfs.zip")), recorded_pings(data_dir, "washington")
    who = np.random.default_rng(1).random(len(pings.vehicle.texts)) < 0.3
    precision, by_trip, recall = compare(plan, pings, who, route=False)
    assert precision > 0.95
    assert by_trip > 0.95
    assert recall > 0.7


@pytest.mark.parametrize(("route", "least"), [(True, 0.98), (False, 0.96)])
def test_kingston_without_trips(data_dir, route, least):
    plan, pings = trace_plan(read_feed(data_dir / "kingston" / "gtfs.zip")), recorded_pings(data_dir, "kingston")
    precision, by_trip, recall = compare(plan, pings, np.ones(len(pings.vehicle.texts), np.bool_), route=route)
    assert precision > least
    assert by_trip > 0.98
    assert recall > 0.6
