"""How well a screening method tells the next period: chosen by one period's records, judged by another's.

Regression to the mean in numbers, on the user's own records. The tests of a list are those of Cheng and Washington,
New criteria for evaluating methods of identifying hot spots (Transportation Research Record 2083, 2008): a good method
picks sites that go on having many crashes, and picks them again.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from networks.screening import EPDO, RULE, Evidence, scores

ALL_SITES = "all sites"
_Z95 = 1.959964

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class MethodCheck:
    """A method's list of sites, before and after.

    Attributes
    ----------
    sites
        How many are on the list.
    before, after
        Crashes there in the period it was chosen by, and in the next, brought to the length of the first.
    change_share
        After over before, less one: what a plain before-and-after study would call an effect.
    expected, expected_low, expected_high
        What Empirical Bayes, from the first period alone, expects in the next, and where 95 % of outcomes would lie.
    error_share
        After over expected, less one.
    chosen_again
        Sites that the method puts on the list of the next period too; with ties at the end of a list, how many of them
        on average.
    """

    method: str
    sites: int
    before: float
    after: float
    change_share: float
    expected: float
    expected_low: float
    expected_high: float
    error_share: float
    chosen_again: float


@dataclass(frozen=True, slots=True)
class PredictorCheck:
    """How far a way to foretell counts lies off, over all sites: mean absolute and root mean square error."""

    predictor: str
    mean_absolute_error: float
    root_mean_square_error: float


def list_shares(score: FloatArray, top: int) -> FloatArray:
    """How far each site is on a list of ``top``: 1 above its end, 0 below, and in between where scores are equal there.

    A method that cannot tell sites apart would take any of those, so each counts for its chance to be taken.
    """
    ranked = np.sort(score[np.isfinite(score)])[::-1]
    if len(ranked) <= top:
        return np.isfinite(score).astype(np.float64)
    end = ranked[top - 1]
    above, level = score > end, score == end
    shares: FloatArray = above + level * ((top - above.sum()) / level.sum())
    return shares


def check_methods(before: Evidence, after: Evidence, methods: Sequence[str], top: int) -> tuple[MethodCheck, ...]:
    """Lists of ``top`` sites by each method, judged by the next period; all sites together come last.

    Both periods have the evidence that they alone would give. A method counts the same crashes in both.
    """
    rows = []
    for method in methods:
        chosen, again = (list_shares(scores(method, evidence), top) for evidence in (before, after))
        rows.append(_judged(method, chosen, before, after, float((chosen * again).sum())))
    every = np.ones(len(before.observed))
    return (*rows, _judged(ALL_SITES, every, before, after, float(len(every))))


def _judged(name: str, chosen: FloatArray, before: Evidence, after: Evidence, again: float) -> MethodCheck:
    longer = _longer(before, after)
    was, came = float(chosen @ before.observed), float(chosen @ after.observed) / longer
    expected = low = high = np.nan
    if before.known is not None:
        expected = float(np.nansum(chosen * before.known.mean))
        # the long-run means are not known surely, and counts scatter about them
        variance = float(np.nansum(chosen * before.known.variance)) + expected / longer
        low, high = expected - _Z95 * variance**0.5, expected + _Z95 * variance**0.5
    return MethodCheck(
        name,
        round(chosen.sum()),
        was,
        came,
        _less_one(came, was),
        expected,
        low,
        high,
        _less_one(came, expected),
        again,
    )


def _longer(before: Evidence, after: Evidence) -> float:
    """How many times as long the second period is as the first."""
    return after.years / before.years if before.years and after.years else 1.0


def _less_one(value: float, over: float) -> float:
    return value / over - 1 if over else np.nan


def check_predictors(before: Evidence, after: Evidence) -> tuple[PredictorCheck, ...]:
    """The count itself, what sites like it have, and both joined, each against the next period's counts."""
    came = after.observed / _longer(before, after)
    ways = {"count": before.observed}
    if before.known is not None and before.prediction is not None:
        ways |= {"sites like it": before.prediction.predicted, "empirical Bayes": before.known.mean}
    return tuple(
        PredictorCheck(name, float(np.nanmean(np.abs(way - came))), float(np.sqrt(np.nanmean((way - came) ** 2))))
        for name, way in ways.items()
    )


def checkable(evidence: Evidence) -> tuple[str, ...]:
    """Methods that the evidence has a footing for."""
    methods = ["frequency", EPDO]
    if np.isfinite(evidence.million).any():
        methods += ["rate", "critical-rate"]
    if evidence.hits is not None:
        methods.append(RULE)
    if evidence.known is not None:
        methods.append("empirical-bayes")
    return tuple(methods)
