"""Relative risk: one rate over another, with its interval over paired runs."""

import math
from collections.abc import Sequence

import numpy as np
from scipy import stats

from scenarios.compare import CONFIDENCE


def relative_risk(before: Sequence[float], after: Sequence[float]) -> tuple[float, float, float]:
    """Ratio of the means of pairs with its 95 % interval (low, high), no bound below zero.

    The estimator is the ratio of sums R, its variance that of the residuals after - R before over the squared mean of
    ``before`` (the ratio estimator, Cochran, Sampling Techniques, chapter 6), the point of Student's distribution that
    of n less one degrees of freedom. Without anything before it is NaN; of one pair the interval is.
    """
    total = math.fsum(before)
    if not total:
        return math.nan, math.nan, math.nan
    risk, pairs = math.fsum(after) / total, len(before)
    if pairs == 1:
        return risk, math.nan, math.nan
    residuals = np.asarray(after) - risk * np.asarray(before)
    spread = math.sqrt(float(residuals @ residuals) / (pairs - 1) / pairs)
    margin = float(stats.t.ppf((1 + CONFIDENCE) / 2, pairs - 1)) * spread / (total / pairs)
    return risk, max(0.0, risk - margin), risk + margin
