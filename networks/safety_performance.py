"""Safety performance functions: how many crashes sites of a kind have, fitted to the user's own records or published.

The local function is a negative binomial regression on what is known of each site; where the traffic of enough sites
is known, those have a function of their own, N = V^b exp(a + …). Where there are too few sites to fit, the Highway
Safety Manual's functions serve those whose traffic on both streets is known. None of them is causal: they tell what
sites like this one have.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from networks.crash_rates import safety_table
from networks.faults import InputError
from networks.negative_binomial import LEAST_DISPERSION, CountModel, fit_counts
from networks.site_exposure import Exposure
from networks.site_traits import SiteTraits, trait_columns

FloatArray = npt.NDArray[np.float64]
MaskArray = npt.NDArray[np.bool_]

MIN_SITES = 30
"""Fewer sites tell no dispersion."""

MIN_WITH_TRAIT, MIN_CRASHES = 10, 5
"""A trait that fewer sites have, or lack, or that fewer crashes happened with, gets no coefficient of its own."""

VOLUME = "ln(vehicles a day)"
CONSTANT = "constant"


@dataclass(frozen=True, slots=True, eq=False)
class FittedFunction:
    """A function fitted to the records: what it is, the names of its coefficients, and the fit itself."""

    name: str
    terms: tuple[str, ...]
    model: CountModel
    sites: int
    crashes: int


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """Crashes over the period that sites like each one have, and the overdispersion k with them, shape (sites,).

    Both are NaN at sites of which too little is known. ``used`` are the functions behind them, ``said`` what a reader
    has to know of it.
    """

    predicted: FloatArray
    dispersion: FloatArray
    used: tuple[FittedFunction, ...] = ()
    said: tuple[str, ...] = field(default=())


def predict_sites(
    traits: SiteTraits, exposure: Exposure | None, observed: FloatArray, years: float, *, injury_only: bool
) -> Prediction:
    """Predict each site's crashes by the best that is known of it.

    Parameters
    ----------
    exposure
        Traffic of the sites; None where nobody gave any.
    observed
        Crashes counted at each site over the period, shape (sites,).
    years
        Length of the period; only published functions, which speak of years, need it.
    injury_only
        Whether only crashes that hurt or killed somebody were counted.

    Raises
    ------
    InputError
        SPF_SITES where there is neither enough to fit nor traffic for a published function.
    """
    if len(traits) >= MIN_SITES and observed.sum() >= MIN_SITES:
        return _local(traits, exposure, observed)
    published = None if exposure is None else _published(traits, exposure, years, injury_only=injury_only)
    if published is None:
        what = f"{len(traits)} sites with {int(observed.sum())} crashes are too few to tell what sites like them have"
        remedy = f"Use method frequency, a network of {MIN_SITES} junctions or more, or give traffic on both streets"
        raise InputError("SPF_SITES", what, remedy=remedy)
    return published


def _local(traits: SiteTraits, exposure: Exposure | None, observed: FloatArray) -> Prediction:
    everywhere = np.ones(len(traits), dtype=bool)
    columns = trait_columns(traits)
    without = _fit("by legs, signal and street", columns, everywhere, observed)
    design = _design(without.terms, columns, len(traits))
    predicted, k = without.model.mean(design), np.full(len(traits), without.model.dispersion)
    if exposure is None:
        said = ("No traffic was given: predictions rest on legs, signal and class of the main street alone.",)
        return Prediction(predicted, k, (without,), said)
    known = np.isfinite(exposure.entering_veh_per_day) & (exposure.entering_veh_per_day > 0)
    if known.sum() < MIN_SITES or observed[known].sum() < MIN_SITES:
        said = (f"Traffic is known at {int(known.sum())} sites, too few to fit by it; it was left out of predictions.",)
        return Prediction(predicted, k, (without,), said)
    columns = columns | {VOLUME: np.log(np.where(known, exposure.entering_veh_per_day, 1.0))}
    by_volume = _fit("by traffic, legs, signal and street", columns, known, observed)
    fitted = by_volume.model.mean(_design(by_volume.terms, columns, len(traits)))
    said = (f"Traffic is known at {int(known.sum())} of {len(known)} sites.",)
    return Prediction(
        np.where(known, fitted, predicted), np.where(known, by_volume.model.dispersion, k), (by_volume, without), said
    )


def _fit(name: str, columns: dict[str, FloatArray], which: MaskArray, observed: FloatArray) -> FittedFunction:
    here, counts = {name: column[which] for name, column in columns.items()}, observed[which]
    terms = (CONSTANT, *(name for name, column in here.items() if _tells(column, counts)))
    model = fit_counts(_design(terms, here, len(counts)), counts)
    return FittedFunction(name, terms, model, int(which.sum()), int(counts.sum()))


def _tells(column: FloatArray, counts: FloatArray) -> bool:
    """Whether enough sites have a trait, and enough lack it, with crashes at both; a measured trait has to vary."""
    if not np.isin(column, (0.0, 1.0)).all():
        return bool(np.ptp(column) > 0)
    has = column == 1
    sites, crashes = (has.sum(), (~has).sum()), (counts[has].sum(), counts[~has].sum())
    return bool(min(sites) >= MIN_WITH_TRAIT and min(crashes) >= MIN_CRASHES)


def _design(terms: Sequence[str], columns: dict[str, FloatArray], rows: int) -> FloatArray:
    return np.column_stack([np.ones(rows) if term == CONSTANT else columns[term] for term in terms])


def published_function(*, signalised: bool, legs: int, injury_only: bool) -> dict[str, float]:
    """Coefficients a, b, c, k of the Highway Safety Manual for urban intersections; five legs count as four."""
    control, harm = "signal" if signalised else "stop", "fatal_injury" if injury_only else "total"
    for row in safety_table("hsm_urban_intersections.toml")["function"]:
        if (row["control"], row["legs"], row["harm"]) == (control, min(legs, 4), harm):
            return {name: float(row[name]) for name in "abck"}
    raise InputError(
        "SPF_SITES",
        f"no published function for {control} control and {harm} crashes",
        remedy="Count all crashes, or give more sites to fit by",
    )


def published_crashes(coefficients: dict[str, float], major: float, minor: float) -> float:
    """Crashes a year by N = exp(a + b ln(AADT_major) + c ln(AADT_minor)), vehicles a day on both streets."""
    return float(np.exp(coefficients["a"] + coefficients["b"] * np.log(major) + coefficients["c"] * np.log(minor)))


def _published(traits: SiteTraits, exposure: Exposure, years: float, *, injury_only: bool) -> Prediction | None:
    major, minor = exposure.major_veh_per_day, exposure.minor_veh_per_day
    known = np.flatnonzero(np.isfinite(major) & np.isfinite(minor) & (major > 0) & (minor > 0))
    if not len(known) or not years:
        return None
    predicted, k = np.full(len(traits), np.nan), np.full(len(traits), np.nan)
    for site in known.tolist():
        rule = published_function(
            signalised=bool(traits.signalised[site]), legs=int(traits.legs[site]), injury_only=injury_only
        )
        predicted[site] = published_crashes(rule, float(major[site]), float(minor[site])) * years
        k[site] = max(rule["k"], LEAST_DISPERSION)
    said = (
        "There are too few sites to fit: predictions are the Highway Safety Manual's for urban intersections in the "
        "United States, multiple-vehicle crashes, and not calibrated to this place."
    )
    return Prediction(predicted, k, (), (said,))
