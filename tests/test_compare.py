"""The paired comparison: textbook numbers, an independent oracle, and the cases that honest counting needs."""

import math
import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from scenarios.compare import JUNCTION_METRICS, NETWORK_METRICS, TRANSIT, TRANSIT_METRICS, compare, mean_interval
from sim.measures import JunctionMeasures
from sim.transit_tables import TransitMeasures
from tests.made_up import failed_run, run_row

# Student, "The probable error of a mean" (1908): extra hours of sleep of ten patients under two drugs.
SLEEP_FIRST_DRUG = (0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0)
SLEEP_SECOND_DRUG = (1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4)

values = st.lists(st.tuples(st.floats(0, 1e4), st.floats(0, 1e4)), min_size=2, max_size=12)


def runs_of(variant, delays_s, **changes):
    return [run_row(variant, seed, delay_s, **changes) for seed, delay_s in enumerate(delays_s, start=1)]


def delay_row(runs, variant="smart"):
    rows = compare(runs, (), ("static", variant))
    return next(row for row in rows if row.metric == "delay_per_scheduled_s")


def junction_row(variant, seed, junction="J1", delay_s=30.0):
    return JunctionMeasures(
        variant=variant,
        seed=seed,
        junction=junction,
        name="A / B",
        lon=13.5,
        lat=52.4,
        signalised=True,
        volume_veh_per_h=600.0,
        delay_s=delay_s,
        queue_mean_veh=4.0,
        queue_max_veh=9.0,
        stops_per_veh=0.8,
        level_of_service="C",
    )


def test_students_sleep_data():
    row = delay_row(runs_of("static", SLEEP_FIRST_DRUG) + runs_of("smart", SLEEP_SECOND_DRUG))
    assert row.pairs == 10
    assert row.difference_mean == pytest.approx(1.58)
    assert row.ci95_low == pytest.approx(0.7001142, abs=1e-7)
    assert row.ci95_high == pytest.approx(2.4598858, abs=1e-7)
    assert (row.baseline_mean, row.variant_mean) == (pytest.approx(0.75), pytest.approx(2.33))
    assert row.relative_difference == pytest.approx(1.58 / 0.75)
    assert (row.verdict, row.indicative) == ("higher", False)


def test_interval_of_one_sample_by_hand():
    # 2, 4, 6: mean 4, standard deviation 2, t(2; 0.975) = 4.3027, margin 4.3027 * 2 / sqrt(3) = 4.968.
    assert mean_interval([2, 4, 6]) == (4.0, pytest.approx(-0.968, abs=5e-4), pytest.approx(8.968, abs=5e-4))


@given(values)
def test_interval_agrees_with_the_paired_t_test_of_scipy(pairs):
    before, after = zip(*pairs, strict=True)
    row = delay_row(runs_of("static", before) + runs_of("smart", after))
    differences = [y - x for x, y in pairs]
    if max(differences) == min(differences):
        assert (row.ci95_low, row.ci95_high) == (pytest.approx(differences[0]), pytest.approx(differences[0]))
        return
    expected = stats.ttest_rel(after, before).confidence_interval(0.95)
    assert (row.ci95_low, row.ci95_high) == (
        pytest.approx(expected.low, rel=1e-6, abs=1e-6),
        pytest.approx(expected.high, rel=1e-6, abs=1e-6),
    )


@given(values, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(pairs, draw):
    runs = [
        run
        for x, (before, after) in enumerate(pairs)
        for run in (run_row("static", x, before), run_row("smart", x, after))
    ]
    junctions = [junction_row(run.variant, run.seed, delay_s=run.delay_per_scheduled_s) for run in runs]
    mixed_runs, mixed_junctions = draw.sample(runs, len(runs)), draw.sample(junctions, len(junctions))
    expected = compare(runs, junctions, ("static", "smart"))
    assert repr(compare(mixed_runs, mixed_junctions, ("static", "smart"))) == repr(expected)


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=8))
def test_a_variant_against_its_twin_shows_no_difference(delays_s):
    row = delay_row(runs_of("static", delays_s) + runs_of("smart", delays_s))
    assert row.difference_mean == 0
    assert row.verdict == ("not distinguishable" if len(delays_s) > 1 else "one pair: no interval")


def test_each_metric_is_compared_at_its_place():
    runs = [run_row(name, seed, 50.0) for name in ("static", "smart", "other") for seed in (1, 2)]
    junctions = [junction_row(run.variant, run.seed, place) for run in runs for place in ("J2", "J1")]
    rows = compare(runs, junctions, ("static", "smart", "other"))
    assert [row.variant for row in rows] == ["smart"] * (len(rows) // 2) + ["other"] * (len(rows) // 2)
    first = [(row.scope, row.metric) for row in rows if row.variant == "smart"]
    assert first == [("network", metric.column) for metric in NETWORK_METRICS] + [
        (place, metric.column) for place in ("J1", "J2") for metric in JUNCTION_METRICS
    ]
    assert {row.baseline for row in rows} == {"static"}
    assert {row.name for row in rows if row.scope == "J1"} == {"A / B"}


def test_failed_runs_make_no_pair_and_are_counted():
    runs = [*runs_of("static", (80, 82, 81)), run_row("smart", 1, 50), failed_run("smart", 2), run_row("smart", 3, 53)]
    row = delay_row(runs)
    assert (row.pairs, row.pairs_missing) == (2, 1)
    assert (row.baseline_mean, row.variant_mean) == (80.5, 51.5)
    arrived = next(row for row in compare(runs, (), ("static", "smart")) if row.metric == "arrived")
    assert (arrived.pairs, arrived.difference_mean) == (2, 0), "the zeros of a failed run are no arrivals"


def test_a_seed_on_one_side_only_is_left_out_and_counted():
    row = delay_row([*runs_of("static", (80, 82)), run_row("smart", 2, 60), run_row("smart", 3, 10)])
    assert (row.pairs, row.pairs_missing, row.difference_mean) == (1, 2, -22)


def test_gridlocked_runs_stay_in_and_are_counted():
    runs = [*runs_of("static", (80, 82)), run_row("smart", 1, 600, gridlocked=True), run_row("smart", 2, 60)]
    row = delay_row(runs)
    assert (row.pairs, row.baseline_gridlocked, row.variant_gridlocked) == (2, 0, 1)
    assert row.variant_mean == 330


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [
        ((80, 82, 81), (50, 55, 53), "lower"),
        ((50, 55, 53), (80, 82, 81), "higher"),
        ((50, 55, 53), (51, 54, 53), "not distinguishable"),
        ((50,), (10,), "one pair: no interval"),
        ((), (), "no pair"),
        ((5, 6), (4, 5), "lower"),
    ],
)
def test_verdicts(before, after, verdict):
    rows = compare(runs_of("static", before) + runs_of("smart", after), (), ("static", "smart"))
    row = rows[0]
    assert row.verdict == verdict
    assert row.indicative
    assert math.isnan(row.ci95_low) == (len(before) < 2)
    assert math.isnan(row.difference_mean) == (not before)


def test_a_baseline_of_zero_has_no_relative_difference():
    runs = runs_of("static", (40, 40)) + [replace(run, teleports=3) for run in runs_of("smart", (40, 40))]
    row = next(row for row in compare(runs, (), ("static", "smart")) if row.metric == "teleports")
    assert (row.baseline_mean, row.difference_mean, row.verdict) == (0, 3, "higher")
    assert math.isnan(row.relative_difference)


def test_a_junction_that_nobody_passed_makes_no_pair():
    runs = [run_row(name, seed, 50.0) for name in ("static", "smart") for seed in (1, 2, 3)]
    junctions = [junction_row(run.variant, run.seed, delay_s=math.nan if run.seed == 2 else 30.0) for run in runs]
    rows = {row.metric: row for row in compare(runs, junctions, ("static", "smart")) if row.scope == "J1"}
    assert (rows["delay_s"].pairs, rows["delay_s"].pairs_missing) == (2, 1)
    assert rows["volume_veh_per_h"].pairs == 3


def test_a_single_variant_has_nothing_to_compare():
    assert compare(runs_of("static", (80, 82)), (), ("static",)) == ()


def test_the_interval_holds_the_truth_nineteen_times_in_twenty():
    draw = random.Random(8)
    hits = 0
    for _ in range(2000):
        _, low, high = mean_interval([draw.gauss(3, 2) for _ in range(4)])
        hits += low <= 3 <= high
    assert hits / 2000 == pytest.approx(0.95, abs=0.015)


def vehicles_row(variant, seed, on_time_share, wait_s=40.0):
    return TransitMeasures(
        variant=variant,
        seed=seed,
        calls_due=200,
        calls_served=190,
        on_time_share=on_time_share,
        early_share=0.05,
        late_share=0.9 - on_time_share,
        missing_share=0.05,
        deviation_mean_s=80.0,
        deviation_p10_s=-20.0,
        deviation_p50_s=60.0,
        deviation_p90_s=240.0,
        headways=120,
        headway_cv=0.3,
        headway_level_of_service="B",
        excess_wait_s=wait_s,
        bunched_share=0.02,
        gap_share=0.04,
    )


def test_timetabled_vehicles_are_compared_seed_by_seed():
    # Differences 0.10, 0.14, 0.12: mean 0.12, standard deviation 0.02, t(2; 0.975) = 4.303, margin 0.0497.
    runs = runs_of("static", (80, 81, 82)) + runs_of("smart", (70, 71, 72))
    shares = {"static": (0.70, 0.72, 0.71), "smart": (0.80, 0.86, 0.83)}
    vehicles = [vehicles_row(name, seed, share) for name in shares for seed, share in enumerate(shares[name], start=1)]
    rows = {row.metric: row for row in compare(runs, (), ("static", "smart"), vehicles) if row.scope == TRANSIT}
    assert list(rows) == [metric.column for metric in TRANSIT_METRICS]
    found = rows["on_time_share"]
    assert (found.pairs, found.verdict, found.unit) == (3, "higher", "share")
    assert found.difference_mean == pytest.approx(0.12)
    assert (found.ci95_low, found.ci95_high) == (pytest.approx(0.0703, abs=1e-4), pytest.approx(0.1697, abs=1e-4))


def test_vehicles_of_failed_runs_and_unknown_waits_make_no_pair():
    runs = [*runs_of("static", (80, 81)), *runs_of("smart", (70,)), failed_run("smart", 2)]
    vehicles = [vehicles_row("static", 1, 0.7), vehicles_row("static", 2, 0.7), vehicles_row("smart", 1, 0.8, math.nan)]
    vehicles.append(vehicles_row("smart", 2, 0.8))
    rows = {row.metric: row for row in compare(runs, (), ("static", "smart"), vehicles) if row.scope == TRANSIT}
    assert (rows["on_time_share"].pairs, rows["on_time_share"].pairs_missing) == (1, 1)
    assert (rows["excess_wait_s"].pairs, rows["excess_wait_s"].pairs_missing) == (0, 2)


def test_without_timetabled_vehicles_nothing_is_said_of_them():
    rows = compare(runs_of("static", (80,)) + runs_of("smart", (70,)), (), ("static", "smart"))
    assert {row.scope for row in rows} == {"network"}
