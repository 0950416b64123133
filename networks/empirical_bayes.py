"""Empirical Bayes: what a site's own count and that of sites like it say together, and how surely.

The long-run mean λ of a site is taken from a gamma distribution with the mean N_pred and the variance k N_pred² (what
sites like it have); the site's count is Poisson about λ. What is known of λ afterwards is gamma again. Source: Hauer,
Observational Before-After Studies in Road Safety (1997), chapters 11 and 12; Highway Safety Manual, part C, appendix A.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import gammaincinv

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

DRAWS = 1000
"""Draws of all sites' means from which ranges of ranks are taken."""

LOW, HIGH = 0.025, 0.975


@dataclass(frozen=True, slots=True, eq=False)
class Posterior:
    """What is known of each site's long-run count over the period: gamma by shape and rate, shape (sites,)."""

    shape: FloatArray
    rate: FloatArray

    @property
    def mean(self) -> FloatArray:
        """Expected count: w N_pred + (1 - w) N_obs."""
        return self.shape / self.rate

    @property
    def variance(self) -> FloatArray:
        """Variance of the expected count: (1 - w) N_exp."""
        return self.shape / self.rate**2

    def quantile(self, share: float) -> FloatArray:
        """Value that the long-run count stays below with a probability."""
        values: FloatArray = gammaincinv(self.shape, share) / self.rate
        return values


def shrinkage_weight(predicted: FloatArray, dispersion: FloatArray) -> FloatArray:
    """Weight of the prediction, w = 1 / (1 + k N_pred): 1 where sites of a kind are all alike, 0 where nothing is."""
    return 1 / (1 + dispersion * predicted)


def posterior(observed: FloatArray, predicted: FloatArray, dispersion: FloatArray) -> Posterior:
    """What count and prediction say together.

    Parameters
    ----------
    observed
        Crashes counted over the period, shape (sites,).
    predicted
        Crashes that sites like it have over the same period, above zero.
    dispersion
        Overdispersion k of the prediction, above zero.
    """
    return Posterior(1 / dispersion + observed, 1 / (dispersion * predicted) + 1)


def rank_ranges(known: Posterior, scale: FloatArray, seed: int, draws: int = DRAWS) -> tuple[IntArray, IntArray]:
    """Ranks that the long-run means allow, 1 being the highest: from 2.5 to 97.5 % of seeded draws, shape (sites,).

    ``scale`` turns a mean into what is ranked, such as 1 over million entering vehicles.
    """
    return ranges_of_draws(lambda draw: draw.standard_gamma(known.shape) / known.rate * scale, len(scale), seed, draws)


def ranges_of_draws(
    one: Callable[[np.random.Generator], FloatArray], sites: int, seed: int, draws: int = DRAWS
) -> tuple[IntArray, IntArray]:
    """Ranges of ranks over draws of what is ranked; ``one`` makes a draw of shape (sites,) from a generator."""
    draw = np.random.default_rng(seed)
    ranks = np.empty((draws, sites), dtype=np.int32)
    places = np.arange(1, sites + 1, dtype=np.int32)
    for number in range(draws):
        ranks[number, np.argsort(-one(draw), kind="stable")] = places
    ranks.sort(axis=0)
    low, high = int(np.floor(LOW * (draws - 1))), int(np.ceil(HIGH * (draws - 1)))
    return ranks[low].astype(np.int64), ranks[high].astype(np.int64)
