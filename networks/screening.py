"""Network screening: which sites stand out by their crash records, by several methods.

A plain count picks the sites that were unlucky in those years together with the dangerous ones, and the unlucky become
ordinary again with nothing done: regression to the mean. Empirical Bayes weighs the count by what sites like it have.
Every ranking carries the range of ranks that a site's long-run mean allows. :mod:`networks.screening_check` measures on
the user's own records how well each method tells the next period.

Source of the methods: AASHTO, Highway Safety Manual (1st edition, 2010), part B, chapter 4.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from networks.blackspot_rules import BlackspotRule, RuleHits
from networks.crash_columns import SeverityWeights
from networks.crash_rates import confidence_constants, crash_rate, critical_rate, group_average, million_entering
from networks.crash_sites import CrashMatches
from networks.empirical_bayes import HIGH, LOW, Posterior, posterior, ranges_of_draws, rank_ranges
from networks.faults import InputError
from networks.geometry import to_lonlat
from networks.negative_binomial import fit_counts
from networks.network import RoadNetwork
from networks.safety_performance import MIN_SITES, Prediction, predict_sites
from networks.site_counts import SiteCounts
from networks.site_exposure import Exposure
from networks.site_traits import SiteTraits
from networks.sites import Site

FREQUENCY, RATE, CRITICAL_RATE, EPDO, EMPIRICAL_BAYES, RULE = METHODS = (
    "frequency", "rate", "critical-rate", "epdo", "empirical-bayes", "rule",
)  # fmt: skip
NEEDS_EXPOSURE = frozenset({RATE, CRITICAL_RATE})
CONFIDENCE = "95"
"""Of the critical rate, %."""

SEED = 1
"""Of the draws behind ranges of ranks."""

FloatArray = npt.NDArray[np.float64]
MaskArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Hotspot:
    """A site in the ranking. Ids are those of the network; ``weighted`` sums the severity weights of its crashes.

    Attributes
    ----------
    crashes_per_year, median_match_distance_m
        NaN where no record tells its time, or its place.
    score
        What the method ranks by; its unit is the method's.
    observed, predicted, expected, excess
        Crashes over the period: those that the ranking counts, what sites like it have, what Empirical Bayes makes of
        both, and expected less predicted.
    expected_low, expected_high, rank_low, rank_high
        Hold 95 % of what the long-run mean may be, and of the rank that it would give.
    criterion
        What a national rule found, in words.
    """

    rank: int
    site: str
    junctions: tuple[str, ...]
    signals: tuple[str, ...]
    street_names: tuple[str, ...]
    lon: float
    lat: float
    x_m: float
    y_m: float
    legs: int
    crashes: int
    injury_crashes: int
    fatal_crashes: int
    deaths: int
    injured: int
    weighted: float
    crashes_per_year: float
    median_match_distance_m: float
    score: float = np.nan
    observed: int = 0
    predicted: float = np.nan
    expected: float = np.nan
    expected_low: float = np.nan
    expected_high: float = np.nan
    excess: float = np.nan
    rank_low: int | None = None
    rank_high: int | None = None
    entering_veh_per_day: float = np.nan
    rate_per_million: float = np.nan
    critical_rate_per_million: float = np.nan
    criterion: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What is known of all sites, in the order of the sites.

    ``prediction`` and ``known`` (the posterior) are None where there is too little to predict from, ``why_not`` says
    why. ``hits`` is None without a rule.
    """

    traits: SiteTraits
    counts: SiteCounts
    observed: FloatArray
    years: float
    weights: SeverityWeights
    exposure: Exposure | None
    prediction: Prediction | None
    known: Posterior | None
    why_not: str
    rule: BlackspotRule | None = None
    hits: RuleHits | None = None

    @property
    def million(self) -> FloatArray:
        """Million vehicles that entered each site in the period, NaN where unknown."""
        if self.exposure is None or not self.years:
            return np.full(len(self.observed), np.nan)
        return million_entering(self.exposure.entering_veh_per_day, self.years)

    @property
    def critical(self) -> FloatArray:
        """Critical rate of each site at 95 %, against sites that are alike in signal and in three legs or more."""
        average = group_average(self.observed, self.million, self.traits.group)
        return critical_rate(average, self.million, confidence_constants()[CONFIDENCE])


def weigh_evidence(
    traits: SiteTraits,
    counts: SiteCounts,
    years: float,
    *,
    weights: SeverityWeights | None = None,
    exposure: Exposure | None = None,
    injury_only: bool = False,
    rule: tuple[BlackspotRule, RuleHits] | None = None,
) -> Evidence:
    """Predict every site's crashes and join prediction and count, as far as there is enough to go by."""
    observed = counts.counted(injury_only=injury_only)
    prediction, known, why_not = None, None, ""
    try:
        prediction = predict_sites(traits, exposure, observed, years, injury_only=injury_only)
        known = posterior(observed, prediction.predicted, prediction.dispersion)
    except InputError as fault:
        why_not = f"{fault.what}. {fault.remedy}"
    found, hits = rule or (None, None)
    scale = weights or SeverityWeights()
    return Evidence(traits, counts, observed, years, scale, exposure, prediction, known, why_not, found, hits)


def scores(method: str, evidence: Evidence) -> FloatArray:
    """What a method ranks by, the worst highest; NaN at sites that it cannot or does not rank, shape (sites,).

    Frequency: the count. Rate: crashes per million entering vehicles. Critical rate: the rate over the critical one.
    EPDO: the sum of severity weights. Empirical Bayes: the expected count. Rule: the most crashes in a window over
    those that the rule asks for, where it is met.

    Raises
    ------
    InputError
        EXPOSURE_MISSING, RULE_MISSING, SPF_SITES where what the method needs is not there.
    """
    refuse_unfounded(method, evidence)
    match method:
        case "rate":
            return _where(crash_rate(evidence.observed, evidence.million), evidence.observed > 0)
        case "critical-rate":
            rate = crash_rate(evidence.observed, evidence.million)
            return _where(rate / evidence.critical, evidence.observed > 0)
        case "epdo":
            return _where(evidence.counts.weighted, evidence.counts.crashes > 0)
        case "empirical-bayes" if evidence.known is not None:
            return evidence.known.mean
        case "rule" if evidence.hits is not None:
            return _where(evidence.hits.ratio, evidence.hits.ratio >= 1)
    return _where(evidence.observed, evidence.observed > 0)


def refuse_unfounded(method: str, evidence: Evidence) -> None:
    """Refuse a method that lacks what it rests on."""
    if method in NEEDS_EXPOSURE and not np.isfinite(evidence.million).any():
        what = f"method {method} needs the traffic of sites, and records with times"
        remedy = "Give --exposure VOLUMES.csv or the folder of a run"
        raise InputError("EXPOSURE_MISSING", what, field="exposure", remedy=remedy)
    if method == RULE and evidence.hits is None:
        raise InputError("RULE_MISSING", "method rule needs a rule", field="rule", remedy="Give --rule cis, or a file")
    if method == EMPIRICAL_BAYES and evidence.known is None:
        raise InputError("SPF_SITES", evidence.why_not.partition(". ")[0], remedy=evidence.why_not.partition(". ")[2])


def _where(values: FloatArray, wanted: MaskArray) -> FloatArray:
    return np.where(wanted, values, np.nan)


def ordered(score: FloatArray, evidence: Evidence, sites: tuple[Site, ...], eligible: MaskArray) -> list[int]:
    """Rows of the sites by score; among equals the higher sum of weights comes first, then the lower site id."""
    rows = np.flatnonzero(np.isfinite(score) & eligible).tolist()
    return sorted(rows, key=lambda row: (-score[row], -evidence.counts.weighted[row], sites[row].site_id))


def rank_sites(
    network: RoadNetwork,
    sites: tuple[Site, ...],
    evidence: Evidence,
    matches: CrashMatches,
    *,
    method: str,
    top: int,
    signalised_only: bool = False,
) -> tuple[Hotspot, ...]:
    """The ``top`` sites by a method, of all or of those with a signal; fewer where not so many can be ranked.

    Raises
    ------
    InputError
        As :func:`scores`.
    """
    score = scores(method, evidence)
    eligible = evidence.traits.signalised if signalised_only else np.ones(len(sites), dtype=bool)
    order = ordered(score, evidence, sites, eligible)[:top]
    ranks = _ranks(method, evidence, eligible)
    lonlat = to_lonlat(network.location, [(sites[row].x_m, sites[row].y_m) for row in order])
    facts = _fact_columns(evidence)
    return tuple(
        Hotspot(
            rank=rank,
            lon=round(float(lon), 6),
            lat=round(float(lat), 6),
            score=round(float(score[row]), 4),
            **_identity(network, sites[row]),
            **_counted(evidence, row),
            **_rounded(facts, row),
            criterion=_criterion(evidence, row),
            **ranks.get(row, {}),
            median_match_distance_m=_median_m(matches, row),
        )
        for rank, (row, (lon, lat)) in enumerate(zip(order, lonlat.tolist(), strict=True), start=1)
    )


def _identity(network: RoadNetwork, site: Site) -> dict[str, Any]:
    return {
        "site": site.site_id,
        "junctions": tuple(network.junctions.ids[junction] for junction in site.junctions),
        "signals": tuple(network.signals[signal].signal_id for signal in site.signals),
        "street_names": site.street_names,
        "x_m": site.x_m,
        "y_m": site.y_m,
        "legs": site.legs,
    }


def _counted(evidence: Evidence, row: int) -> dict[str, Any]:
    counts = evidence.counts
    return {
        "crashes": int(counts.crashes[row]),
        "injury_crashes": int(counts.injury[row]),
        "fatal_crashes": int(counts.fatal[row]),
        "deaths": int(counts.deaths[row]),
        "injured": int(counts.injured[row]),
        "weighted": float(counts.weighted[row]),
        "observed": int(evidence.observed[row]),
        "crashes_per_year": round(float(counts.crashes[row]) / evidence.years, 2) if evidence.years else np.nan,
    }


def _median_m(matches: CrashMatches, row: int) -> float:
    """Median distance of the records of a site from it, of those that have a place."""
    away_m = matches.distance_m[matches.site == row]
    away_m = away_m[np.isfinite(away_m)]
    return round(float(np.median(away_m)), 1) if len(away_m) else np.nan


def _fact_columns(evidence: Evidence) -> dict[str, FloatArray]:
    """Columns of the evidence that a row of the ranking shows, shape (sites,); NaN where nothing is known."""
    nothing = np.full(len(evidence.observed), np.nan)
    known, prediction = evidence.known, evidence.prediction
    predicted = nothing if prediction is None else prediction.predicted
    return {
        "predicted": predicted,
        "expected": nothing if known is None else known.mean,
        "expected_low": nothing if known is None else known.quantile(LOW),
        "expected_high": nothing if known is None else known.quantile(HIGH),
        "excess": nothing if known is None else known.mean - predicted,
        "entering_veh_per_day": nothing if evidence.exposure is None else evidence.exposure.entering_veh_per_day,
        "rate_per_million": crash_rate(evidence.observed, evidence.million),
        "critical_rate_per_million": evidence.critical,
    }


def _rounded(columns: dict[str, FloatArray], row: int) -> dict[str, Any]:
    return {name: round(float(column[row]), 3) for name, column in columns.items()}


def _criterion(evidence: Evidence, row: int) -> str:
    """What the rule found at a site, in words; empty without a rule or where it is not met."""
    if evidence.rule is None or evidence.hits is None or evidence.hits.ratio[row] < 1:
        return ""
    met = evidence.rule.criteria[evidence.hits.criterion[row]]
    found = round(evidence.hits.ratio[row] * met.count)
    harm = {"any": "crashes", "injury": "injury crashes", "severe": "severe crashes", "fatal": "fatal crashes"}[
        met.harm
    ]
    return f"{found} {harm}{' of one type' * met.same_type} in {met.months:g} months ({met.count} asked for)"


def _ranks(method: str, evidence: Evidence, eligible: MaskArray) -> dict[int, dict[str, Any]]:
    """Ranges of ranks of the eligible sites, by row; none where there is no posterior, or the method has none."""
    if evidence.known is None or method == RULE:
        return {}
    rows = np.flatnonzero(eligible & np.isfinite(evidence.known.mean))
    scale = np.ones(len(evidence.observed))
    if method in NEEDS_EXPOSURE:
        scale = 1 / evidence.million
        scale = scale / evidence.critical if method == CRITICAL_RATE else scale
        rows = rows[np.isfinite(scale[rows])]
    if method == EPDO:
        low, high = _ranks_by_severity(evidence, rows)
    else:
        known = Posterior(evidence.known.shape[rows], evidence.known.rate[rows])
        low, high = rank_ranges(known, scale[rows], SEED)
    return {
        int(row): {"rank_low": int(best), "rank_high": int(worst)}
        for row, best, worst in zip(rows, low, high, strict=True)
    }


def _ranks_by_severity(evidence: Evidence, rows: npt.NDArray[np.intp]) -> tuple[npt.NDArray[np.int64], ...]:
    """Ranges of ranks by weighted sums: each class of severity has a posterior of its own.

    Sites are taken as alike in a class but for their counts, as rare classes tell no more.
    """
    classes = [
        (evidence.weights.damage, evidence.counts.damage),
        (evidence.weights.injury, evidence.counts.injury),
        (evidence.weights.fatal, evidence.counts.fatal),
    ]
    parts = [(weight, _alike(counts[rows].astype(np.float64))) for weight, counts in classes if counts[rows].sum() > 0]

    def one(draw: np.random.Generator) -> FloatArray:
        total = np.zeros(len(rows))
        for weight, known in parts:
            total += weight * draw.standard_gamma(known.shape) / known.rate
        return total

    return ranges_of_draws(one, len(rows), SEED)


def _alike(counts: FloatArray) -> Posterior:
    if len(counts) < MIN_SITES:
        return Posterior(counts + 0.5, np.ones(len(counts)))
    model = fit_counts(np.ones((len(counts), 1)), counts)
    return posterior(counts, np.full(len(counts), counts.mean()), np.full(len(counts), model.dispersion))
