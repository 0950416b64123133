"""Regression of counts that vary more than chance: the negative binomial (NB2), by maximum likelihood.

The count at a site has the mean μ = exp(x β) and the variance μ + k μ². Its likelihood, gradient and Hessian in
(β, ln k) are written out here; source: Hilbe, Negative Binomial Regression (2nd edition, 2011), chapter 8.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import digamma, gammaln, polygamma

FloatArray = npt.NDArray[np.float64]

LEAST_DISPERSION, MOST_DISPERSION = 1e-4, 1e3
"""Bounds of k. At the lower one the counts vary no more than chance has it (Poisson)."""

FLAT = 3.0
"""So near to the lower bound, in times of it, ln k has no interval."""

_Z95 = 1.959964
_NEWTON_STEPS = 25
_SMALL_STEP = 1e-10
_MAX_LOG_MEAN = 30.0


@dataclass(frozen=True, slots=True, eq=False)
class CountModel:
    """A fitted regression. ``covariance`` is that of (β, ln k), from the observed information.

    ``dispersion_low`` and ``dispersion_high`` bound k with 95 % confidence (Wald on ln k); both are NaN where the
    counts show no overdispersion.
    """

    coefficients: FloatArray
    dispersion: float
    covariance: FloatArray
    log_likelihood: float
    dispersion_low: float
    dispersion_high: float

    @property
    def standard_errors(self) -> FloatArray:
        """Standard errors of the coefficients."""
        errors: FloatArray = np.sqrt(np.diag(self.covariance)[:-1])
        return errors

    def mean(self, design: FloatArray) -> FloatArray:
        """Expected counts exp(x β), shape (rows,)."""
        means: FloatArray = np.exp(np.clip(design @ self.coefficients, -_MAX_LOG_MEAN, _MAX_LOG_MEAN))
        return means


def fit_counts(design: FloatArray, counts: FloatArray) -> CountModel:
    """Fit β and k by maximum likelihood; deterministic.

    Parameters
    ----------
    design
        Shape (sites, coefficients), of full column rank, its first column all ones.
    counts
        Shape (sites,), not all zero.
    """
    columns = design.shape[1]
    start = np.concatenate(([np.log(counts.mean())], np.zeros(columns)))
    bounds = [(-_MAX_LOG_MEAN, _MAX_LOG_MEAN)] * columns + [(np.log(LEAST_DISPERSION), np.log(MOST_DISPERSION))]
    options = {"maxiter": 5000, "ftol": 1e-13, "gtol": 1e-8}
    found = minimize(_loss, start, args=(design, counts), jac=True, method="L-BFGS-B", bounds=bounds, options=options)
    point = _polished(found.x, design, counts)
    information = -hessian(point, design, counts)
    covariance: FloatArray = np.full_like(information, np.nan)
    low = high = float("nan")
    if np.exp(point[-1]) > FLAT * LEAST_DISPERSION:
        covariance[:] = np.linalg.inv(information)
        reach = _Z95 * covariance[-1, -1] ** 0.5
        low, high = (float(np.exp(point[-1] + sign * reach)) for sign in (-1, 1))
    else:
        # near the bound the likelihood is flat in ln k: only β is estimated
        covariance[:-1, :-1] = np.linalg.inv(information[:-1, :-1])
    return CountModel(
        point[:-1], float(np.exp(point[-1])), covariance, log_likelihood(point, design, counts), low, high
    )


def log_likelihood(point: FloatArray, design: FloatArray, counts: FloatArray) -> float:
    """Log-likelihood at (β, ln k), with r = 1 / k.

    The sum of ln Γ(y + r) - ln Γ(r) - ln y! + r ln(r / (r + μ)) + y ln(μ / (r + μ)).
    """
    mean, r = _mean_and_shape(point, design)
    terms = gammaln(counts + r) - gammaln(r) - gammaln(counts + 1)
    terms += -r * np.log1p(mean / r) + counts * (np.log(mean) - np.log(r + mean))
    return float(terms.sum())


def gradient(point: FloatArray, design: FloatArray, counts: FloatArray) -> FloatArray:
    """First derivatives of the log-likelihood by (β, ln k)."""
    mean, r = _mean_and_shape(point, design)
    by_beta = design.T @ ((counts - mean) / (1 + mean / r))
    return np.append(by_beta, -r * _by_shape(counts, mean, r).sum())


def hessian(point: FloatArray, design: FloatArray, counts: FloatArray) -> FloatArray:
    """Second derivatives of the log-likelihood by (β, ln k), shape (coefficients + 1, coefficients + 1)."""
    mean, r = _mean_and_shape(point, design)
    k = 1 / r
    weight = mean * (1 + k * counts) / (1 + k * mean) ** 2
    by_both = -design.T @ ((counts - mean) * k * mean / (1 + k * mean) ** 2)
    slope = polygamma(1, counts + r) - polygamma(1, r) + 1 / r - 1 / (r + mean) - (mean - counts) / (r + mean) ** 2
    by_log_k = float((r**2 * slope + r * _by_shape(counts, mean, r)).sum())
    second = np.empty((len(point), len(point)))
    second[:-1, :-1] = -(design.T * weight) @ design
    second[:-1, -1] = second[-1, :-1] = by_both
    second[-1, -1] = by_log_k
    return second


def _by_shape(counts: FloatArray, mean: FloatArray, r: float) -> FloatArray:
    """Derivative of each term by r."""
    slopes: FloatArray = digamma(counts + r) - digamma(r) - np.log1p(mean / r) + 1 - (r + counts) / (r + mean)
    return slopes


def _mean_and_shape(point: FloatArray, design: FloatArray) -> tuple[FloatArray, float]:
    return np.exp(np.clip(design @ point[:-1], -_MAX_LOG_MEAN, _MAX_LOG_MEAN)), float(np.exp(-point[-1]))


def _loss(point: FloatArray, design: FloatArray, counts: FloatArray) -> tuple[float, FloatArray]:
    return -log_likelihood(point, design, counts), -gradient(point, design, counts)


def _polished(point: FloatArray, design: FloatArray, counts: FloatArray) -> FloatArray:
    """Newton's steps from a point near the optimum, as long as they help."""
    for _ in range(_NEWTON_STEPS):
        try:
            step = np.linalg.solve(hessian(point, design, counts), gradient(point, design, counts))
        except np.linalg.LinAlgError:
            return point
        moved = point - step
        inside = np.log(LEAST_DISPERSION) < moved[-1] < np.log(MOST_DISPERSION)
        if not inside or log_likelihood(moved, design, counts) < log_likelihood(point, design, counts):
            return point
        point = moved
        if np.abs(step).max() < _SMALL_STEP:
            return point
    return point
