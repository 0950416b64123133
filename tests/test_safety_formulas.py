"""Formulas of network screening against cases worked by hand from the Highway Safety Manual's definitions."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import gamma

from networks.crash_columns import SeverityWeights
from networks.crash_rates import (
    confidence_constants,
    crash_rate,
    critical_rate,
    group_average,
    million_entering,
    severity_scales,
)
from networks.empirical_bayes import posterior, rank_ranges, shrinkage_weight
from networks.faults import InputError
from networks.safety_performance import published_crashes, published_function


def test_a_rate_is_crashes_per_million_entering_vehicles():
    """30 crashes in three years at 20,000 vehicles a day: 21.9 million entered, 1.37 crashes a million."""
    million = million_entering(np.array([20_000.0]), 3)
    assert million == pytest.approx([21.9])
    assert crash_rate(np.array([30.0]), million) == pytest.approx([1.36986], abs=1e-5)


def test_the_critical_rate_is_the_average_and_what_chance_adds():
    """Ra 1.0, m 21.9: 1 + 1.645 √(1 / 21.9) + 1 / 43.8 = 1 + 0.35152 + 0.02283."""
    k = confidence_constants()
    assert k == {"90": 1.282, "95": 1.645, "99.5": 2.576}
    found = critical_rate(np.array([1.0]), np.array([21.9]), k["95"])
    assert found == pytest.approx([1.37435], abs=1e-5)


def test_the_average_of_a_group_is_weighted_by_traffic_and_leaves_out_who_has_none():
    crashes, million = np.array([10.0, 2.0, 8.0, 99.0]), np.array([5.0, 1.0, 4.0, np.nan])
    average = group_average(crashes, million, np.array([0, 0, 1, 1]))
    assert average.tolist() == [2.0, 2.0, 2.0, 2.0]
    assert group_average(crashes, million, np.array([0, 1, 0, 0])).tolist() == [2.0, 2.0, 2.0, 2.0]


def test_nobody_known_to_have_entered_is_no_rate():
    assert np.isnan(crash_rate(np.array([3.0, 3.0]), np.array([0.0, np.nan]))).all()


def test_weights_are_data():
    assert severity_scales() == {
        "brazil": SeverityWeights(1, 5, 13),
        "plain": SeverityWeights(1, 3, 8),
        "german-rural": SeverityWeights(1, 2, 5),
    }


@pytest.mark.parametrize(
    ("signalised", "legs", "injury_only", "major", "minor", "crashes"),
    [
        # -10.99 + 1.07 ln 20000 + 0.23 ln 5000 = -10.99 + 10.59673 + 1.95895 = 1.56569
        (True, 4, False, 20_000, 5_000, math.exp(1.56569)),
        # -12.13 + 1.11 ln 15000 + 0.26 ln 3000 = -12.13 + 10.67354 + 2.08166 = 0.62520
        (True, 3, False, 15_000, 3_000, math.exp(0.62520)),
        # -13.14 + 1.18 ln 20000 + 0.22 ln 5000 = -13.14 + 11.68612 + 1.87378 = 0.41990
        (True, 4, True, 20_000, 5_000, math.exp(0.41990)),
        # -13.36 + 1.11 ln 10000 + 0.41 ln 1000 = -13.36 + 10.22348 + 2.83218 = -0.30434
        (False, 3, False, 10_000, 1_000, math.exp(-0.30434)),
        # -8.90 + 0.82 ln 10000 + 0.25 ln 1000 = -8.90 + 7.55248 + 1.72694 = 0.37942; five legs count as four
        (False, 5, False, 10_000, 1_000, math.exp(0.37942)),
    ],
)
def test_published_functions_give_what_they_give_on_paper(signalised, legs, injury_only, major, minor, crashes):
    rule = published_function(signalised=signalised, legs=legs, injury_only=injury_only)
    assert published_crashes(rule, major, minor) == pytest.approx(crashes, rel=2e-5)


def test_what_was_not_published_is_refused():
    with pytest.raises(InputError, match="SPF_SITES"):
        published_function(signalised=False, legs=4, injury_only=True)


def test_empirical_bayes_weighs_prediction_and_count():
    """With k 0.39, three predicted, seven counted: w = 1 / 2.17 = 0.46083; 0.46083 x 3 + 0.53917 x 7 = 5.15668."""
    observed, predicted, k = np.array([7.0]), np.array([3.0]), np.array([0.39])
    weight = shrinkage_weight(predicted, k)
    assert weight == pytest.approx([0.46083], abs=1e-5)
    known = posterior(observed, predicted, k)
    assert known.mean == pytest.approx([5.15668], abs=1e-5)
    assert known.variance == pytest.approx([0.53917 * 5.15668], abs=1e-4)


@given(
    observed=st.integers(0, 200),
    predicted=st.floats(0.01, 100),
    k=st.floats(1e-3, 50),
)
def test_the_posterior_is_the_textbook_formula_and_lies_between(observed, predicted, k):
    known = posterior(np.array([float(observed)]), np.array([predicted]), np.array([k]))
    weight = 1 / (1 + k * predicted)
    expected = weight * predicted + (1 - weight) * observed
    assert known.mean[0] == pytest.approx(expected, rel=1e-9)
    assert known.variance[0] == pytest.approx((1 - weight) * expected, rel=1e-9)
    assert min(predicted, observed) - 1e-9 <= known.mean[0] <= max(predicted, observed) + 1e-9
    low, high = known.quantile(0.025)[0], known.quantile(0.975)[0]
    assert (low, high) == pytest.approx(
        gamma.ppf([0.025, 0.975], known.shape[0], scale=1 / known.rate[0]), rel=1e-6, abs=1e-12
    )


def test_sites_all_alike_go_by_the_prediction_and_sites_of_no_kind_by_their_count():
    observed, predicted = np.array([9.0]), np.array([2.0])
    assert posterior(observed, predicted, np.array([1e-9])).mean == pytest.approx([2.0], abs=1e-6)
    assert posterior(observed, predicted, np.array([1e9])).mean == pytest.approx([9.0], abs=1e-6)


def test_ranks_are_sure_where_sites_differ_and_open_where_they_do_not():
    far = posterior(np.array([400.0, 100.0, 1.0]), np.array([5.0, 5.0, 5.0]), np.array([1.0, 1.0, 1.0]))
    low, high = rank_ranges(far, np.ones(3), seed=1)
    assert (low.tolist(), high.tolist()) == ([1, 2, 3], [1, 2, 3])
    same = posterior(np.array([4.0, 4.0]), np.array([5.0, 5.0]), np.array([1.0, 1.0]))
    low, high = rank_ranges(same, np.ones(2), seed=1)
    assert (low.tolist(), high.tolist()) == ([1, 1], [2, 2])
    low, high = rank_ranges(far, np.array([1.0, 1.0, 1e6]), seed=1)
    assert low.tolist() == [2, 3, 1], "per vehicle the third is the worst"


def test_ranges_of_ranks_hang_on_the_seed_alone():
    draw = np.random.default_rng(3)
    known = posterior(draw.poisson(5, 60).astype(float), np.full(60, 5.0), np.full(60, 0.5))
    one, two = rank_ranges(known, np.ones(60), seed=1), rank_ranges(known, np.ones(60), seed=1)
    assert [part.tolist() for part in one] == [part.tolist() for part in two]


def test_ranges_of_ranks_hold_the_true_rank_as_often_as_they_say():
    """Long-run means drawn from the prior: 95 % of true ranks lie in the range, a little more as ranks are whole."""
    draw = np.random.default_rng(11)
    inside = []
    for _ in range(20):
        true = draw.gamma(1 / 0.8, 0.8 * 4.0, size=100)
        known = posterior(draw.poisson(true).astype(float), np.full(100, 4.0), np.full(100, 0.8))
        low, high = rank_ranges(known, np.ones(100), seed=1, draws=300)
        rank = np.empty(100)
        rank[np.argsort(-true)] = np.arange(1, 101)
        inside.append(np.mean((low <= rank) & (rank <= high)))
    assert 0.93 < np.mean(inside) < 0.99
