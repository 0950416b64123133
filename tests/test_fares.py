"""Passengers who board buses: dwell worked out by hand, pairs over shares, what is wrong with a file or a scenario."""

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from networks.faults import InputError
from scenarios.results import run_from_json, run_to_json
from sim.engine import Api
from sim.fares import EVERY_STOP, BoardingRate, Fares, read_boardings, service_times
from sim.passenger_measures import passenger_measures
from sim.passengers import boarding_calls, draw_passengers
from sim.run import simulate
from sim.transit_plan import read_plan
from tests.bus_street import write_street

SHARES = (0.0, 0.5, 1.0)
DOORS_S, CASH_S, CARD_S = 4.0, 4.5, 2.75
"""Transit Capacity and Quality of Service Manual, 3rd edition, chapter 6: exact change, smart card."""

DEPARTURES_S = [300.0, 600.0, 900.0, 1200.0]


def told(share: float, per_h: float = 90.0) -> Fares:
    return Fares((BoardingRate("B", per_h),), share)


@pytest.fixture(scope="module")
def spec(tmp_path_factory):
    return write_street(tmp_path_factory.mktemp("street"), DEPARTURES_S, 1500.0)


@pytest.fixture(scope="module")
def runs(spec):
    return {share: simulate(replace(spec, fares=told(share))) for share in SHARES}


def same(one, other):
    for name in one.__slots__:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)


def test_the_table_has_the_figures_of_its_source():
    table = service_times()
    assert "TCRP Report 165" in table.source
    assert (table.doors.default_s, table.payments["exact-change"].default_s) == (DOORS_S, CASH_S)
    assert table.payments["smart-card"].default_s == CARD_S
    assert all(row.low_s <= row.default_s <= row.high_s for row in (table.doors, *table.payments.values()))


@pytest.mark.parametrize(("share", "dwell_s"), [(0.0, 22.0), (0.5, 18.5), (1.0, 15.0)])
def test_expected_dwell_by_hand(share, dwell_s):
    """Four board: 4 + 4 x 4.5, 4 + 4 x 3.625, 4 + 4 x 2.75."""
    assert told(share).dwell_s(4) == dwell_s


@pytest.mark.parametrize("share", SHARES)
def test_a_bus_stands_for_doors_and_each_of_those_who_board(spec, runs, share):
    """To the second, in which SUMO counts: the time of all who boarded is rounded up once."""
    run, plan = runs[share], read_plan(spec.transit)
    transit, passengers = run.transit, run.passengers
    rows = np.flatnonzero(boarding_calls(plan))
    assert [plan.calls.stop_ids[row] for row in rows] == ["B"] * len(DEPARTURES_S)
    for row in rows.tolist():
        by_card = passengers.is_electronic[passengers.boarded_call == row]
        service_s = CARD_S * by_card.sum() + CASH_S * (~by_card).sum()
        assert len(by_card) > 2
        assert transit.departure_s[row] - transit.arrival_s[row] == DOORS_S + math.ceil(service_s)


def test_nobody_is_taken_twice_or_by_a_bus_that_has_left(runs):
    for run in runs.values():
        passengers, transit = run.passengers, run.transit
        assert passengers.boarded.all()
        assert (transit.departure_s[passengers.boarded_call] >= passengers.time_s).all()
        waits_s = passengers.waits_s(transit)
        assert (waits_s >= 0).all()
        assert waits_s.max() <= 300 + 31


def test_a_larger_share_moves_passengers_and_changes_none_of_them(spec, runs):
    plan = read_plan(spec.transit)
    drawn = draw_passengers(plan, told(0.0).rates, 1, 0.0, 1500.0)
    payers = [drawn.pays_electronically(share) for share in (0.0, 0.3, 0.6, 1.0)]
    assert not payers[0].any()
    assert payers[-1].all()
    assert all((less <= more).all() for less, more in pairwise(payers))
    for run in runs.values():
        np.testing.assert_array_equal(run.passengers.time_s, drawn.time_s)
    assert len(draw_passengers(plan, told(0.0).rates, 2, 0.0, 1500.0)) != len(drawn)


def test_same_seed_same_run_in_both_programs(spec, runs):
    again = simulate(replace(spec, fares=told(0.5)))
    inside = simulate(replace(spec, fares=told(0.5)), api=Api.LIBSUMO)
    for other in (again, inside, run_from_json(run_to_json(again))):
        same(other.passengers, runs[0.5].passengers)
        np.testing.assert_array_equal(other.transit.departure_s, runs[0.5].transit.departure_s)


def test_measures_go_by_the_table(spec, runs):
    plan = read_plan(spec.transit)
    rows = [passenger_measures(plan, runs[p].transit, runs[p].passengers, told(p), "x", 1) for p in SHARES]
    assert [row.boardings for row in rows] == [21] * 3
    assert [row.service_mean_s for row in rows][::2] == [CASH_S, CARD_S]
    for row, share in zip(rows, SHARES, strict=True):
        mean_s = row.paid_electronically * CARD_S + (1 - row.paid_electronically) * CASH_S
        assert row.dwell_by_table_s == pytest.approx(DOORS_S + row.boardings_per_call * mean_s)
        assert row.dwell_by_table_s <= row.dwell_mean_s < row.dwell_by_table_s + 1
        assert row.electronic_share == share
    dwells_s = [row.dwell_mean_s for row in rows]
    run_times_s = [row.run_time_mean_s for row in rows]
    assert dwells_s == sorted(dwells_s, reverse=True)
    # what is saved at the stop is saved on the way, as nothing else is in it
    assert run_times_s[0] - run_times_s[2] == pytest.approx(dwells_s[0] - dwells_s[2], abs=1.0)


def test_without_passengers_doors_are_all(spec):
    run = simulate(replace(spec, fares=told(1.0, per_h=0.0)))
    rows = np.flatnonzero(boarding_calls(read_plan(spec.transit)))
    assert set((run.transit.departure_s - run.transit.arrival_s)[rows].tolist()) == {DOORS_S + 1}
    assert len(run.passengers) == 0


def test_a_rate_is_met_in_the_mean(spec):
    """90 an hour for 1200 s at one stop: 30 a run, give or take four standard errors of a Poisson mean."""
    plan = read_plan(spec.transit)
    counts = [len(draw_passengers(plan, told(0.0).rates, seed, 0.0, 1500.0)) for seed in range(200)]
    span_s = 1270.0 - 70.0
    assert np.mean(counts) == pytest.approx(90 * span_s / 3600, abs=4 * math.sqrt(30 / 200))


def test_everywhere_is_each_stop_between_the_ends_and_another_route_is_nobody(spec):
    plan = read_plan(spec.transit)
    everywhere = draw_passengers(plan, (BoardingRate(EVERY_STOP, 90.0),), 1, 0.0, 1500.0)
    assert {plan.calls.stop_ids[call] for call in everywhere.call.tolist()} == {"B"}
    assert everywhere.vehicles == (("bus0", "bus1", "bus2", "bus3"),)
    assert len(draw_passengers(plan, (BoardingRate("B", 90.0, "2"), BoardingRate("Z", 90.0)), 1, 0.0, 1500.0)) == 0


def test_boardings_of_a_file(tmp_path):
    path = tmp_path / "boardings.csv"
    path.write_text("stop_id,route_id,boardings_per_h\nB,,30\nB,7,12.5\nZ,,1\n")
    table = read_boardings(path)
    assert table.rates == (BoardingRate("B", 30.0), BoardingRate("B", 12.5, "7"), BoardingRate("Z", 1.0))
    (notice,) = table.strangers(frozenset({"A", "B"}))
    assert (notice.code, notice.row, notice.value, notice.count) == ("BOARDINGS_STOP", 4, "Z", 1)
    assert table.strangers(frozenset({"B", "Z"})) == ()


@pytest.mark.parametrize(
    ("text", "code", "row"),
    [
        ("stop_id,boardings\nB,3\n", "BOARDINGS_COLUMNS", 1),
        ("stop_id,boardings_per_h\nB,many\n", "BOARDINGS_VALUE", 2),
        ("stop_id,boardings_per_h\nB,-1\n", "BOARDINGS_VALUE", 2),
        ("stop_id,boardings_per_h\nB,nan\n", "BOARDINGS_VALUE", 2),
        ("stop_id,boardings_per_h\nB,1\n,2\n", "BOARDINGS_VALUE", 3),
        ("stop_id,boardings_per_h\nB,1\nB,2\n", "BOARDINGS_VALUE", 3),
        ("stop_id,boardings_per_h\nB\n", "CSV_ROW", 2),
    ],
)
def test_boardings_that_cannot_be_used_are_refused(tmp_path, text, code, row):
    path = tmp_path / "boardings.csv"
    path.write_text(text)
    with pytest.raises(InputError) as fault:
        read_boardings(path)
    assert (fault.value.code, fault.value.row) == (code, row)
