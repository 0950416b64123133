"""The regression against simulated counts with known parameters, another parametrisation, and finite differences."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import approx_fprime, minimize
from scipy.stats import nbinom

from networks.negative_binomial import LEAST_DISPERSION, fit_counts, gradient, hessian, log_likelihood

BETA, K = np.array([0.5, 0.8, -0.4]), 0.6


def simulated(seed: int, sites: int, k: float = K) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    design = np.column_stack((np.ones(sites), draw.integers(0, 2, sites), draw.normal(size=sites)))
    return design, draw.poisson(np.exp(design @ BETA) * draw.gamma(1 / k, k, sites)).astype(float)


def test_the_truth_of_simulated_counts_lies_within_the_intervals_as_often_as_they_say():
    fits = [fit_counts(*simulated(seed, 300)) for seed in range(40)]
    reach = np.array([1.96 * fit.standard_errors for fit in fits])
    off = np.abs(np.array([fit.coefficients for fit in fits]) - BETA)
    assert 0.88 <= (off <= reach).mean() <= 1
    assert 0.85 <= np.mean([fit.dispersion_low <= K <= fit.dispersion_high for fit in fits]) <= 1
    assert np.mean([fit.coefficients for fit in fits], axis=0) == pytest.approx(BETA, abs=0.05)


def test_the_optimum_is_that_of_another_parametrisation_found_without_derivatives():
    design, counts = simulated(5, 300)
    fit = fit_counts(design, counts)

    def loss(point: np.ndarray) -> float:
        size = np.exp(point[-1])
        mean = np.exp(design @ point[:-1])
        return -nbinom.logpmf(counts, size, size / (size + mean)).sum()

    options = {"xatol": 1e-8, "fatol": 1e-10, "maxiter": 20_000, "maxfev": 20_000}
    other = minimize(loss, np.zeros(4), method="Nelder-Mead", options=options)
    assert fit.log_likelihood == pytest.approx(-other.fun, abs=1e-6)
    assert fit.coefficients == pytest.approx(other.x[:-1], abs=1e-4)
    assert fit.dispersion == pytest.approx(np.exp(-other.x[-1]), rel=1e-4)


def test_no_point_of_a_grid_around_the_optimum_is_likelier():
    design, counts = simulated(6, 200)
    fit = fit_counts(design, counts)
    best = np.append(fit.coefficients, np.log(fit.dispersion))
    for column in range(4):
        for step in (-0.5, -0.1, -0.001, 0.001, 0.1, 0.5):
            point = best.copy()
            point[column] += step
            assert log_likelihood(point, design, counts) < fit.log_likelihood


@given(
    seed=st.integers(0, 100),
    point=st.tuples(st.floats(-1, 2), st.floats(-1, 1), st.floats(-1, 1), st.floats(-3, 2)).map(np.array),
)
@settings(deadline=None, max_examples=30)
def test_derivatives_are_those_of_the_likelihood(seed, point):
    design, counts = simulated(seed, 40)
    numeric = approx_fprime(point, lambda at: log_likelihood(at, design, counts), 1e-6)
    assert gradient(point, design, counts) == pytest.approx(numeric, rel=1e-3, abs=1e-2)
    slopes = approx_fprime(point, lambda at: gradient(at, design, counts), 1e-6)
    assert hessian(point, design, counts) == pytest.approx(slopes, rel=1e-3, abs=1e-2)


def test_counts_that_vary_less_than_chance_have_no_overdispersion():
    counts = np.tile([3.0, 4.0], 100)
    fit = fit_counts(np.ones((200, 1)), counts)
    assert fit.dispersion == pytest.approx(LEAST_DISPERSION, rel=2)
    assert np.isnan(fit.dispersion_low)
    assert np.exp(fit.coefficients[0]) == pytest.approx(3.5)
    assert fit.standard_errors[0] == pytest.approx((3.5 * 200) ** -0.5, rel=0.01), "that of a Poisson mean"


def test_the_constant_alone_is_the_mean_and_the_fit_repeats_itself():
    _, counts = simulated(9, 400)
    one, two = (fit_counts(np.ones((400, 1)), counts) for _ in range(2))
    assert np.exp(one.coefficients[0]) == pytest.approx(counts.mean())
    assert one.coefficients.tolist() == two.coefficients.tolist()
    assert one.dispersion == two.dispersion
