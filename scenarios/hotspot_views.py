"""What the report of a ranking says, as texts: the answer, the table, how methods differ, what predictions rest on."""

from dataclasses import dataclass

import numpy as np

from networks.label_agreement import LabelAgreement
from networks.network import NONE
from networks.safety_performance import CONSTANT, VOLUME, FittedFunction
from networks.screening import EMPIRICAL_BAYES, FREQUENCY, Hotspot, ordered, scores
from networks.screening_check import checkable
from scenarios.before_and_after import before_and_after, overstates
from scenarios.hotspots import Screening
from scenarios.numerals import number

METHOD_NAMES = {
    "frequency": "plain count",
    "rate": "rate",
    "critical-rate": "critical rate",
    "epdo": "severity weights",
    "empirical-bayes": "Empirical Bayes",
    "rule": "national rule",
}
METHOD_WORDS = {
    "frequency": "crashes counted",
    "rate": "crashes per million vehicles that entered",
    "critical-rate": "the rate over the one that chance seldom exceeds at a junction of average risk",
    "epdo": "the sum of the severity weights of its crashes",
    "empirical-bayes": "crashes expected from its own count and from what junctions like it have",
    "rule": "the most crashes in a window of time over those that the rule asks for",
}


@dataclass(frozen=True, slots=True)
class SpotRow:
    """A ranked site as texts; ``others`` are its ranks by the other methods."""

    rank: str
    name: str
    signal: str
    observed: str
    injury: str
    predicted: str
    expected: str
    excess: str
    ranks: str
    others: tuple[str, ...]
    criterion: str


@dataclass(frozen=True, slots=True)
class CoefficientRow:
    """A coefficient of a fitted function, and what it means: by how much crashes are multiplied."""

    term: str
    value: str
    error: str
    factor: str


@dataclass(frozen=True, slots=True)
class FunctionView:
    """A fitted function: what it is, its coefficients, its dispersion in words."""

    name: str
    rows: tuple[CoefficientRow, ...]
    dispersion: str


@dataclass(frozen=True, slots=True)
class OverlapRow:
    """How many sites of one method's list stand on each of the others'."""

    method: str
    shared: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HotspotViews:
    """Everything that the report shows."""

    title: str
    headlines: tuple[str, ...]
    warnings: tuple[str, ...]
    methods: tuple[str, ...]
    spots: tuple[SpotRow, ...]
    overlaps: tuple[OverlapRow, ...]
    functions: tuple[FunctionView, ...]
    said: tuple[str, ...]
    caution: str
    labels: str


@dataclass(frozen=True, slots=True)
class MethodLists:
    """Rows of the sites, in the order of each method that there is a footing for; as long as they can be ranked."""

    orders: dict[str, list[int]]
    top: int

    def tops(self, method: str) -> set[int]:
        """Sites that a method puts on its list."""
        return set(self.orders[method][: self.top])

    def rank(self, method: str, row: int) -> int | None:
        """Rank of a site by a method; None where the method does not rank it."""
        order = self.orders[method]
        return order.index(row) + 1 if row in order else None


def method_lists(screening: Screening) -> MethodLists:
    """Every method's order of the same sites."""
    evidence, sites = screening.evidence, screening.sites
    eligible = evidence.traits.signalised if screening.options.signalised_only else np.ones(len(sites), dtype=bool)
    methods = checkable(evidence)
    orders = {method: ordered(scores(method, evidence), evidence, sites, eligible) for method in methods}
    return MethodLists(orders, len(screening.hotspots))


def hotspot_views(screening: Screening, lists: MethodLists) -> HotspotViews:
    """Texts and tables of the report."""
    chosen = screening.options.method
    others = tuple(method for method in lists.orders if method != chosen)
    prediction = screening.evidence.prediction
    row_of = {site.site_id: row for row, site in enumerate(screening.sites)}
    return HotspotViews(
        title=f"Where accidents concentrate: {len(screening.hotspots)} junctions by {METHOD_NAMES[chosen]}",
        headlines=tuple(_headlines(screening, lists)),
        warnings=tuple(_warnings(screening)),
        methods=tuple(METHOD_NAMES[method] for method in others),
        spots=tuple(_spot(spot, lists, others, row_of[spot.site]) for spot in screening.hotspots),
        overlaps=tuple(_overlap(lists, method) for method in lists.orders),
        functions=tuple(map(_function, prediction.used)) if prediction else (),
        said=prediction.said if prediction else (screening.evidence.why_not,),
        labels=label_words(screening.agreement),
        caution="" if overstates(chosen) else before_and_after(chosen),
    )


def label_words(found: LabelAgreement | None) -> str:
    """How far matching agrees with the labels of the police, in sentences; nothing where there are no labels."""
    if found is None:
        return ""
    matched = found.junction_matched + found.between_matched
    labelled = found.junction_matched + found.junction_unmatched
    return (
        f"The police put {number(labelled)} of {number(found.records)} labelled records at a junction and the others "
        f"between two; matching agrees for {_percent(found.agreeing_share)}. Of the {number(matched)} matched to a "
        f"junction {_percent(found.labelled_share_of_matched)} are labelled so; of those labelled so "
        f"{_percent(found.matched_share_of_labelled)} were matched to one."
    )


def _percent(share: float) -> str:
    return f"{number(100 * share, 1)} %"


def _headlines(screening: Screening, lists: MethodLists) -> list[str]:
    first, evidence, chosen = screening.hotspots[0], screening.evidence, screening.options.method
    counted = "injury crashes" if screening.options.injury_only else "crashes"
    period = f" in {period_words(evidence.years)}" if evidence.years else ""
    worst = f"{site_name(first)} comes first of {number(len(screening.sites))} junctions by {METHOD_NAMES[chosen]}"
    said = [f"{worst}: {first.observed} {counted}{period}."]
    if first.rank_low is not None:
        wide = [spot for spot in screening.hotspots if spot.rank_high is not None and spot.rank_high > lists.top]
        said.append(
            f"Chance blurs every rank. That junction's long-run rank lies between {first.rank_low} and "
            f"{first.rank_high}; of the {len(screening.hotspots)} listed, {len(wide)} may in the long run belong below "
            "the list (95 %)."
        )
    if EMPIRICAL_BAYES in lists.orders and FREQUENCY in lists.orders:
        same = len(lists.tops(FREQUENCY) & lists.tops(EMPIRICAL_BAYES))
        said.append(
            f"Of the {lists.top} junctions by plain count, {same} are among the {lists.top} by Empirical Bayes, which "
            "does not take bad luck for danger."
        )
    return said


def _warnings(screening: Screening) -> list[str]:
    said = []
    if screening.origin.is_synthetic:
        said.append("The accident records are SYNTHETIC: made up, and no statement about a real place.")
    if overstates(screening.options.method):
        said.append(f"Regression to the mean. {before_and_after(screening.options.method)}")
    matched = int((screening.matches.site != NONE).sum())
    if matched < len(screening.crashes) / 2:
        said.append(
            f"{number(matched)} of {number(len(screening.crashes))} records lie at a junction; the others, between "
            "junctions, are not ranked."
        )
    return said


def _spot(spot: Hotspot, lists: MethodLists, others: tuple[str, ...], row: int) -> SpotRow:
    expected = f"{spot.expected:.1f} ({spot.expected_low:.1f} to {spot.expected_high:.1f})"
    has = np.isfinite(spot.expected)
    return SpotRow(
        rank=str(spot.rank),
        name=site_name(spot),
        signal="yes" if spot.signals else "",
        observed=str(spot.observed),
        injury=str(spot.injury_crashes + spot.fatal_crashes),
        predicted=f"{spot.predicted:.1f}" if has else "",
        expected=expected if has else "",
        excess=f"{spot.excess:+.1f}" if has else "",
        ranks=f"{spot.rank_low} to {spot.rank_high}" if spot.rank_low is not None else "",
        others=tuple(str(lists.rank(method, row) or "") for method in others),
        criterion=spot.criterion,
    )


def period_words(years: float) -> str:
    """Length of a period in words."""
    return "1 year" if years == 1 else f"{years:.3g} years"


def site_name(spot: Hotspot) -> str:
    """The streets that meet there, or the junction's id where they have no names."""
    return " \N{MULTIPLICATION SIGN} ".join(spot.street_names[:2]) or spot.site


def _overlap(lists: MethodLists, method: str) -> OverlapRow:
    return OverlapRow(
        METHOD_NAMES[method], tuple(str(len(lists.tops(method) & lists.tops(other))) for other in lists.orders)
    )


def _function(function: FittedFunction) -> FunctionView:
    model = function.model
    rows = tuple(
        CoefficientRow(term, f"{value:.3f}", f"{error:.3f}", _factor(term, value))
        for term, value, error in zip(function.terms, model.coefficients, model.standard_errors, strict=True)
    )
    k = f"Overdispersion k = {model.dispersion:.2f}"
    surely = f" (95 %: {model.dispersion_low:.2f} to {model.dispersion_high:.2f})"
    spread = surely if np.isfinite(model.dispersion_low) else " (the counts vary no more than chance has it)"
    basis = f", from {number(function.crashes)} crashes at {number(function.sites)} junctions."
    return FunctionView(function.name, rows, k + spread + basis)


def _factor(term: str, value: float) -> str:
    """By how much crashes are multiplied where a trait is there."""
    return "" if term in {CONSTANT, VOLUME} else f"\N{MULTIPLICATION SIGN} {np.exp(value):.2f}"
