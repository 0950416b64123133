"""Passengers and stops of a study: from runs to tables, comparisons and the report's part, stray stops told."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from networks.netxml import read_network
from scenarios.caveats import caveats
from scenarios.compare import LOWER, PASSENGERS, STOPS, compare
from scenarios.fare_sources import FareSource, StopSource
from scenarios.passenger_results import passenger_results
from scenarios.passenger_views import passenger_views
from scenarios.prepare import variant_paying
from scenarios.report import render_report
from scenarios.scenario import Variant
from scenarios.tables import read_csv
from sim.fares import EVERY_STOP, BoardingRate
from sim.passenger_measures import PassengerMeasures
from sim.run import simulate
from sim.stop_measures import BoardRow, StopMeasures
from tests.bus_street import write_street
from tests.made_up import study

AMENITIES = """\
stop_id,air_conditioned,enclosed,wifi,charging_point,information_board
A,no,no,no,no,no
B,yes,yes,,yes,yes
X,yes,yes,yes,yes,yes
"""
SEEDS = (1, 2, 3)


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """Nobody and everybody pays electronically: variants, what was prepared, runs, and what a report tells."""
    folder = tmp_path_factory.mktemp("results")
    spec = write_street(folder, [300.0, 600.0, 900.0, 1200.0], 1500.0)
    (folder / "stops.csv").write_text(AMENITIES)
    stops = StopSource(folder / "stops.csv", ("enclosed", "information_board"))
    variants = tuple(
        Variant(name, "static", fares=FareSource(share, boardings_per_h=90.0), stops=stops)
        for name, share in (("cash", 0.0), ("cards", 1.0))
    )
    prepared = SimpleNamespace(transit=spec.transit, boardings=(BoardingRate(EVERY_STOP, 90.0),), notices=())
    runs = [
        simulate(replace(spec, variant=variant.name, seed=seed, fares=variant_paying(prepared, variant)))
        for variant in variants
        for seed in SEEDS
    ]
    return runs, passenger_results(variants, prepared, runs, folder), folder


def test_tables_have_a_row_for_each_run_and_stop(told):
    runs, content, folder = told
    assert len(read_csv(folder / "passengers.csv", PassengerMeasures)) == len(runs)
    assert len(read_csv(folder / "stops_runs.csv", StopMeasures)) == len(runs)
    boards = read_csv(folder / "stop_boards.csv", BoardRow)
    assert len(boards) == len(runs) * 3
    assert {(row.stop_id, row.smart) for row in boards} == {("A", False), ("B", True), ("C", None)}
    assert [row.smart_boardings_share for row in content.stop_measures] == [1.0] * len(runs)


def test_a_stop_that_nobody_serves_is_told(told):
    _, content, _ = told
    assert [(notice.code, notice.value, notice.row) for notice in content.notices] == [("AMENITY_STOP", "X", 4)]


def test_cards_are_compared_with_cash_over_pairs(told):
    runs, content, _ = told
    measures = [run.measures for run in runs]
    rows = compare(measures, [], ("cash", "cards"), (), content.measures, content.stop_measures)
    found = {(row.scope, row.metric): row for row in rows}
    dwell = found[PASSENGERS, "dwell_by_table_s"]
    assert (dwell.pairs, dwell.verdict) == (3, LOWER)
    boarded = found[PASSENGERS, "boardings_per_call"].baseline_mean
    assert dwell.difference_mean == pytest.approx(-(4.5 - 2.75) * boarded, rel=0.05)
    assert found[STOPS, "waiting_h"].pairs == 3


def test_the_report_tells_of_both_and_says_what_was_made_up(told, adlershof):
    runs, content, _ = told
    compared = compare(
        [run.measures for run in runs], [], ("cash", "cards"), (), content.measures, content.stop_measures
    )
    made = study(read_network(adlershof), delays_s=(("cash", 60.0), ("cards", 60.0)), seeds=SEEDS)
    made = replace(made, passengers=content, comparisons=(*made.comparisons, *compared))
    views = passenger_views(made)
    assert [row.words for row in views.services] == [
        "doors open and close",
        "exact change into the farebox",
        "smart card held to a reader",
    ]
    assert [table.variant for table in views.fare_differences] == ["cards"]
    assert views.boards[0].states == ("yes", "yes", "yes")
    text = render_report(made, ())
    assert "<strong>Synthetic passengers.</strong>" in text
    assert "TCRP Report 165" in text
    assert "synthetic passengers" in made.synthetic_note
    assert "Synthetic passengers" in [caveat.title for caveat in caveats(made) if caveat.is_strong]


def test_a_study_without_either_has_no_such_part(told, adlershof):
    runs, _, folder = told
    prepared = SimpleNamespace(transit=folder / "transit", boardings=(), notices=())
    assert passenger_results((Variant("cash", "static"),), prepared, runs, folder) is None
    made = study(read_network(adlershof))
    assert passenger_views(made) is None
    assert "Passengers and stops" not in render_report(made, ())
