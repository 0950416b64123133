"""How methods are judged: on simulated cities whose regression to the mean is known."""

import numpy as np
import pytest

from networks.crash_columns import SeverityWeights
from networks.screening import Evidence, scores, weigh_evidence
from networks.screening_check import check_methods, check_predictors, checkable, list_shares
from networks.site_counts import SiteCounts
from networks.site_exposure import Exposure
from networks.site_traits import SiteTraits

SITES, TOP, K = 2000, 50, 1.0


def city(draw: np.random.Generator) -> tuple[SiteTraits, np.ndarray]:
    """Traits, and long-run means: signals have four times as many crashes, four legs twice, scattered with k = 1."""
    legs, signalised = draw.integers(3, 5, SITES), draw.random(SITES) < 0.2
    mean = 0.5 * 4.0**signalised * 2.0 ** (legs == 4)
    return SiteTraits(legs, signalised, np.zeros(SITES, dtype=np.int64)), mean * draw.gamma(1 / K, K, SITES)


def evidence(traits: SiteTraits, counts: np.ndarray, years: float = 1.0, exposure: Exposure | None = None) -> Evidence:
    none = np.zeros(len(counts), dtype=np.int64)
    found = SiteCounts(counts, none, none, none, none, counts.astype(float))
    return weigh_evidence(traits, found, years, weights=SeverityWeights(), exposure=exposure)


def test_a_plain_count_falls_by_what_was_luck_and_empirical_bayes_does_not():
    off_count, off_bayes, inside, again = [], [], [], []
    for seed in range(8):
        draw = np.random.default_rng(seed)
        traits, mean = city(draw)
        before, after = (evidence(traits, draw.poisson(mean)) for _ in range(2))
        rows = {row.method: row for row in check_methods(before, after, ("frequency", "empirical-bayes"), TOP)}
        count, bayes = rows["frequency"], rows["empirical-bayes"]
        # what would come at the sites with the highest counts if luck had no part in them: their long-run means
        chosen = list_shares(scores("frequency", before), TOP)
        assert count.before == pytest.approx(chosen @ before.observed)
        off_count.append(count.change_share - ((chosen @ mean) / (chosen @ before.observed) - 1))
        off_bayes.append(bayes.error_share)
        inside.append(bayes.expected_low <= bayes.after <= bayes.expected_high)
        again.append(bayes.chosen_again >= count.chosen_again - 3)
        assert count.change_share < -0.1, "it fell with nothing done"
        assert rows["all sites"].change_share == pytest.approx(0, abs=0.1)
    assert np.mean(off_count) == pytest.approx(0, abs=0.02)
    assert np.mean(off_bayes) == pytest.approx(0, abs=0.03)
    assert np.mean(inside) >= 0.8
    assert np.mean(again) >= 0.8


def test_the_fit_finds_what_the_city_was_made_with():
    traits, mean = city(np.random.default_rng(5))
    found = evidence(traits, np.random.default_rng(6).poisson(mean))
    assert found.prediction is not None
    (function,) = found.prediction.used
    by_term = dict(zip(function.terms, function.model.coefficients, strict=True))
    assert set(by_term) == {"constant", "four legs", "signal"}, "no traits that no site has"
    assert np.exp(by_term["signal"]) == pytest.approx(4, rel=0.25)
    assert np.exp(by_term["four legs"]) == pytest.approx(2, rel=0.25)
    assert function.model.dispersion_low < K < function.model.dispersion_high


def test_traffic_makes_the_prediction_sharper_where_it_is_known():
    draw = np.random.default_rng(8)
    volume = draw.lognormal(9, 0.8, SITES)
    traits = SiteTraits(np.full(SITES, 4), np.zeros(SITES, dtype=bool), np.zeros(SITES, dtype=np.int64))
    mean = volume / 8000 * draw.gamma(1 / 0.2, 0.2, SITES)
    known = np.where(np.arange(SITES) % 2 == 0, volume, np.nan)
    nothing = np.full(SITES, np.nan)
    found = evidence(traits, draw.poisson(mean), exposure=Exposure(known, nothing, nothing))
    assert found.prediction is not None
    by_volume, without = found.prediction.used
    assert by_volume.terms[-1] == "ln(vehicles a day)"
    assert by_volume.model.coefficients[-1] == pytest.approx(1.0, abs=0.15)
    assert by_volume.model.dispersion < 0.5 * without.model.dispersion
    assert set(found.prediction.dispersion.tolist()) == {by_volume.model.dispersion, without.model.dispersion}
    assert "1000 of 2000" in found.prediction.said[0]


def test_all_methods_that_have_a_footing_are_judged():
    traits, mean = city(np.random.default_rng(1))
    plain = evidence(traits, np.random.default_rng(2).poisson(mean))
    assert checkable(plain) == ("frequency", "epdo", "empirical-bayes")
    full = np.full(SITES, 9000.0)
    busy = evidence(traits, np.random.default_rng(2).poisson(mean), exposure=Exposure(full, full, full))
    assert checkable(busy) == ("frequency", "epdo", "rate", "critical-rate", "empirical-bayes")


def test_periods_of_different_length_are_brought_to_one():
    traits, mean = city(np.random.default_rng(1))
    draw = np.random.default_rng(2)
    before, after = evidence(traits, draw.poisson(mean)), evidence(traits, draw.poisson(3 * mean), years=3.0)
    *_, every = check_methods(before, after, ("frequency",), TOP)
    assert every.after == pytest.approx(after.observed.sum() / 3)
    assert every.change_share == pytest.approx(0, abs=0.1)


def test_both_together_lie_nearer_to_what_comes_than_either():
    traits, mean = city(np.random.default_rng(3))
    draw = np.random.default_rng(4)
    rows = check_predictors(*(evidence(traits, draw.poisson(mean)) for _ in range(2)))
    error = {row.predictor: row.root_mean_square_error for row in rows}
    assert error["empirical Bayes"] < min(error["count"], error["sites like it"])


def test_ties_at_the_end_of_a_list_share_its_last_places():
    assert list_shares(np.array([3.0, 1, 1, 1, 0, np.nan]), 2) == pytest.approx([1, 1 / 3, 1 / 3, 1 / 3, 0, 0])
    assert list_shares(np.array([3.0, np.nan]), 2).tolist() == [1, 0]
