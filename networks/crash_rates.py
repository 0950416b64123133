"""Crashes against traffic: rates, critical rates and severity weights, the formulas of network screening.

Source: AASHTO, Highway Safety Manual (1st edition, 2010), part B, chapter 4.
"""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import numpy.typing as npt

from networks.crash_columns import SeverityWeights

FloatArray = npt.NDArray[np.float64]

DAYS_PER_YEAR = 365
MILLION = 1e6
SAFETY_DATA = "safety_data"


def million_entering(entering_veh_per_day: FloatArray, years: float) -> FloatArray:
    """Vehicles (million) that entered a site in the period, 365 V N / 10⁶."""
    return entering_veh_per_day * (DAYS_PER_YEAR * years / MILLION)


def crash_rate(crashes: FloatArray, million: FloatArray) -> FloatArray:
    """Crashes per million entering vehicles, R = C 10⁶ / (365 V N); NaN where nobody is known to have entered."""
    known = np.isfinite(million) & (million > 0)
    rate: FloatArray = np.divide(crashes, million, out=np.full(len(million), np.nan), where=known)
    return rate


def critical_rate(average: FloatArray, million: FloatArray, k: float) -> FloatArray:
    """Rate that chance alone seldom exceeds at a site of average risk: Rc = Ra + K √(Ra / m) + 1 / (2 m).

    Parameters
    ----------
    average
        Average rate Ra of sites of the same kind, crashes per million entering vehicles.
    million
        Million entering vehicles m.
    k
        Quantile of the normal distribution, one-sided, from :func:`confidence_constants`.
    """
    known = np.isfinite(million) & (million > 0)
    m = np.where(known, million, np.nan)
    limit: FloatArray = average + k * np.sqrt(average / m) + 1 / (2 * m)
    return limit


def group_average(crashes: FloatArray, million: FloatArray, group: npt.NDArray[np.intp]) -> FloatArray:
    """Average rate of each site's group, weighted by traffic: all its crashes over all who entered; shape (sites,)."""
    known = np.isfinite(million) & (million > 0)
    total = np.bincount(group[known], weights=crashes[known], minlength=int(group.max(initial=0)) + 1)
    entered = np.bincount(group[known], weights=million[known], minlength=len(total))
    average: FloatArray = np.divide(total, entered, out=np.full(len(total), np.nan), where=entered > 0)[group]
    return average


def confidence_constants() -> dict[str, float]:
    """Constants K of the critical rate by confidence, as the manual tabulates them."""
    return {name: float(value) for name, value in safety_table("screening.toml")["critical_rate"].items()}


def severity_scales() -> dict[str, SeverityWeights]:
    """Sets of weights by which a crash counts as so many with damage only (EPDO), by name."""
    return {
        name: SeverityWeights(scale["damage"], scale["injury"], scale["fatal"])
        for name, scale in safety_table("screening.toml")["weights"].items()
    }


@cache
def safety_table(name: str) -> dict[str, Any]:
    """A table of published coefficients that comes with the package."""
    text = files(__package__).joinpath(SAFETY_DATA, name).read_text(encoding="utf-8")
    return tomllib.loads(text)
