"""Results as sentences that are true for any outcome: better, worse, unclear, failed, or nothing to compare with."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from scenarios.compare import (
    HIGHER,
    INDISTINCT,
    LOWER,
    NO_PAIR,
    ONE_PAIR,
    PAIRS_FOR_A_CLAIM,
    Comparison,
    Metric,
)
from scenarios.content import ReportContent, short
from scenarios.numerals import NARROW, interval, number, percent, seconds, shared_decimals

Tone = Literal["better", "worse", "unclear"]

DELAY = "delay_per_scheduled_s"
_HEADLINES = {
    LOWER: "less delay",
    HIGHER: "more delay",
    INDISTINCT: "no difference in delay that these runs can show",
    ONE_PAIR: "one pair of runs, which cannot tell effect from chance",
    NO_PAIR: "no result",
}
_TONES: dict[str, Tone] = {LOWER: "better", HIGHER: "worse"}


@dataclass(frozen=True, slots=True)
class Finding:
    """What one variant did to delay: a headline, and the sentences that carry it."""

    variant: str
    headline: str
    text: str
    tone: Tone


def counted(count: int, one: str, many: str = "") -> str:
    """Give a count with its noun: 1 run, 3 runs."""
    return f"{number(count)} {one if count == 1 else many or one + 's'}"


def quoted(name: str) -> str:
    """Give a variant's name as it stands in a sentence."""
    return f"“{short(name, 40)}”"


def listed(words: Iterable[str]) -> str:
    """Join words as a sentence does: a, b and c."""
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def question(content: ReportContent) -> str:
    """Give in one sentence what was compared, where and when."""
    when = f"in simulated traffic from {content.begin} to {content.end}"
    where, baseline = _where(content), quoted(content.baseline)
    count = len(content.challengers)
    if not count:
        return f"{where}, one way to run the traffic lights, {baseline}, was tried {when}."
    lights = "to run the traffic lights"
    others = f"one other way {lights} was" if count == 1 else f"{count} other ways {lights} were"
    return f"{where}, {others} compared with {baseline} {when}."


def findings(content: ReportContent) -> tuple[Finding, ...]:
    """Give a finding for each variant after the first, or one about the only variant."""
    if not content.challengers:
        return (_only_finding(content),)
    return tuple(_finding(content, name) for name in content.challengers)


def run_accounts(content: ReportContent) -> tuple[str, ...]:
    """Sentences about runs that failed or gridlocked, variant by variant; none where all went through."""
    names = [variant.name for variant in content.variants]
    sentences = (tell(content, name) for name in names for tell in (_failures, _gridlocks))
    return tuple(sentence for sentence in sentences if sentence)


def tone_of(found: Comparison, metric: Metric) -> Tone:
    """Whether a difference is an improvement, a loss, or neither for certain."""
    if found.verdict not in _TONES or metric.better is None:
        return "unclear"
    return "better" if found.verdict == metric.better else "worse"


def verdict_words(found: Comparison, metric: Metric) -> str:
    """Verdict of a comparison, and what it means where one way is better."""
    if found.ci95_low == found.ci95_high == 0:
        return "the same"
    tone = tone_of(found, metric)
    return found.verdict if tone == "unclear" else f"{found.verdict}: {tone}"


def _where(content: ReportContent) -> str:
    place = short(content.network_name)
    if not content.places:
        return f"In {place}"
    junctions = counted(len(content.places), "junction")
    chosen = {"hotspots": " chosen by their accident records", "all": " with traffic lights", "list": ""}
    return f"At {junctions}{chosen[content.chosen_by]} in {place}"


def _only_finding(content: ReportContent) -> Finding:
    runs = content.finished_of(content.baseline)
    if not runs:
        return Finding(content.baseline, _HEADLINES[NO_PAIR], "None of its runs finished.", "unclear")
    mean_s = math.fsum(run.delay_per_scheduled_s for run in runs) / len(runs)
    text = f"The mean delay of a vehicle was {seconds(mean_s)} ({counted(len(runs), 'run')})."
    return Finding(content.baseline, "nothing to compare it with", text, "unclear")


def _finding(content: ReportContent, variant: str) -> Finding:
    found = content.difference(variant, DELAY)
    if found is None or found.verdict == NO_PAIR:
        text = f"No seed has a finished run of both {quoted(content.baseline)} and this variant: nothing can be said."
        return Finding(variant, _HEADLINES[NO_PAIR], text, "unclear")
    text = f"{_delay_sentence(found)} {_junction_sentence(content, variant)}".strip()
    return Finding(variant, _HEADLINES[found.verdict], text, _TONES.get(found.verdict, "unclear"))


def _delay_sentence(found: Comparison) -> str:
    """Mean delay before and after, and how sure the difference is."""
    decimals = shared_decimals(found.difference_mean, found.ci95_low, found.ci95_high)
    before, after = (seconds(mean_s, decimals) for mean_s in (found.baseline_mean, found.variant_mean))
    share = f" ({percent(found.relative_difference)})" if math.isfinite(found.relative_difference) else ""
    change = f"The mean delay of a vehicle, over the whole network, went from {before} to {after}{share}"
    if found.verdict == ONE_PAIR:
        return f"{change} in one pair of runs; an interval needs two, a claim {PAIRS_FOR_A_CLAIM}."
    bounds = interval(found.ci95_low, found.ci95_high, decimals)
    pairs = f"{found.pairs} paired runs{', indicative' if found.indicative else ''}"
    chance = " The interval includes zero, so this may be chance." if found.verdict == INDISTINCT else ""
    return f"{change}; the 95 % interval of the difference is {bounds}{NARROW}s ({pairs}).{chance}"


def _junction_sentence(content: ReportContent, variant: str) -> str:
    rows = [content.difference(variant, "delay_s", place.junction) for place in content.places]
    verdicts = [row.verdict for row in rows if row is not None]
    less, more = verdicts.count(LOWER), verdicts.count(HIGHER)
    if not less + more + verdicts.count(INDISTINCT):
        return ""
    counts = {"lower": less, "higher": more, "not distinguishable": len(content.places) - less - more}
    found = [(words, count) for words, count in counts.items() if count]
    if len(found) == 1:
        return f"Delay per vehicle that passed was {found[0][0]} at {_every(len(content.places), 'junction')} compared."
    parts = listed(f"{words} at {number(count)}" for words, count in found)
    return f"Of the {counted(len(content.places), 'junction')} compared, delay per vehicle that passed was {parts}."


def _every(count: int, noun: str) -> str:
    return f"the {noun}" if count == 1 else f"all {counted(count, noun)}"


def _failures(content: ReportContent, name: str) -> str:
    runs = content.runs_of(name)
    failed = len(runs) - len(content.finished_of(name))
    if not failed:
        return ""
    return f"{failed} of {counted(len(runs), 'run')} of {quoted(name)} failed: no measures, and no pair with that seed."


def _gridlocks(content: ReportContent, name: str) -> str:
    runs = content.finished_of(name)
    stuck = sum(run.gridlocked for run in runs)
    if not stuck:
        return ""
    return (
        f"{stuck} of {counted(len(runs), 'finished run')} of {quoted(name)} ended in gridlock: nearly all vehicles "
        "stood still at the end. They are in the means, which say little about a network at a stop."
    )
