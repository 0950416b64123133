"""What a study may say of safety, in sentences that are true for any outcome: relative risk of conflicts beside delay.

It never speaks of accidents avoided: conflicts of simulated drivers tell one way to run the lights from another, and no
number of accidents.
"""

import math
from dataclasses import dataclass

from scenarios.compare import HIGHER, INDISTINCT, LOWER, NO_PAIR, ONE_PAIR, Comparison
from scenarios.conflict_results import ALL_SITES, BY_PET, BY_SERIOUS, CROSS_OR_MERGE, ConflictComparison
from scenarios.content import ReportContent
from scenarios.numerals import number
from scenarios.wording import DELAY, Tone, counted, quoted

_UNCLEAR = "no difference in conflicts that these runs can show"
_HEADLINES: dict[tuple[str, str], tuple[str, Tone]] = {
    (LOWER, LOWER): ("fewer conflicts, serious ones too", "better"),
    (LOWER, INDISTINCT): ("fewer conflicts; of serious ones no difference that these runs can show", "better"),
    (LOWER, HIGHER): ("fewer conflicts, but more serious ones", "unclear"),
    (INDISTINCT, LOWER): ("fewer serious conflicts; of all no difference that these runs can show", "better"),
    (INDISTINCT, INDISTINCT): (_UNCLEAR, "unclear"),
    (INDISTINCT, HIGHER): ("more serious conflicts", "worse"),
    (HIGHER, LOWER): ("more conflicts, but fewer serious ones", "unclear"),
    (HIGHER, INDISTINCT): ("more conflicts", "worse"),
    (HIGHER, HIGHER): ("more conflicts, serious ones too", "worse"),
}
_ONE_PAIR: tuple[str, Tone] = ("one pair of runs, which cannot tell effect from chance", "unclear")
SAFETY_NOTE = "Conflicts are those of simulated drivers: they tell no number of accidents, and promise no fewer."
"""To stand below findings."""


@dataclass(frozen=True, slots=True)
class SafetyFinding:
    """What one variant did to conflicts where ways cross or merge: a headline, and the sentences that carry it."""

    variant: str
    headline: str
    text: str
    tone: Tone


def safety_findings(content: ReportContent) -> tuple[SafetyFinding, ...]:
    """Give a finding for each variant after the first; none where nobody looked for PET."""
    if content.conflicts is None:
        return ()
    index = {
        (row.variant, row.measure): row
        for row in content.conflicts.comparisons
        if (row.junction, row.kind) == (ALL_SITES, CROSS_OR_MERGE)
    }
    pairs = [(name, index.get((name, BY_PET)), index.get((name, BY_SERIOUS))) for name in content.challengers]
    return tuple(
        safety_finding(content.baseline, content.difference(name, DELAY), close, serious)
        for name, close, serious in pairs
        if close is not None and serious is not None and close.pairs
    )


def safety_finding(
    baseline: str, delay: Comparison | None, close: ConflictComparison, serious: ConflictComparison
) -> SafetyFinding:
    """Say what became of conflicts (PET up to 5 s) and of serious ones (up to 2 s), beside what became of delay."""
    verdicts = conflict_verdict(close), conflict_verdict(serious)
    headline, tone = _ONE_PAIR if close.pairs == 1 else _HEADLINES[verdicts]
    text = (
        f"Simulated vehicles came close where their ways cross or merge (PET up to 5 s) {_rate(close.baseline_mean)} "
        f"times per 1,000 vehicles under {quoted(baseline)} and {_rate(close.baseline_mean + close.difference)} times "
        f"under this variant: {_risk(close)}, {_pairs(close)}. Serious ones (PET up to 2 s): "
        f"{_rate(serious.baseline_mean)} and {_rate(serious.baseline_mean + serious.difference)}, {_risk(serious)}. "
    )
    told = delay.verdict if delay is not None else NO_PAIR
    return SafetyFinding(close.variant, headline, f"{text}{_beside_delay(told, *verdicts)}", tone)


def conflict_verdict(found: ConflictComparison) -> str:
    """Whether a rate is lower or higher for sure: by the intervals of the difference and of the relative risk, both."""
    if found.ci95_high < 0 and found.risk_high < 1:
        return LOWER
    if found.ci95_low > 0 and not found.risk_low <= 1:  # a risk over nothing has no interval
        return HIGHER
    return INDISTINCT


def _beside_delay(delay: str, close: str, serious: str) -> str:
    """What delay and conflicts say together."""
    if delay in {NO_PAIR, ONE_PAIR}:
        return "Less delay is not more safety."
    fell = {LOWER: "Delay went down", HIGHER: "Delay went up"}.get(delay, "Delay did not change for certain")
    if HIGHER in {close, serious}:
        return f"{fell}, conflicts went up: less delay is not more safety."
    if close == INDISTINCT:
        return f"{fell}; that it became safer, these runs do not show. Less delay is not more safety."
    return f"{fell}, conflicts went down; the one does not follow from the other: less delay is not more safety."


def _rate(value: float) -> str:
    return number(value, 1)


def _risk(found: ConflictComparison) -> str:
    if not math.isfinite(found.relative_risk):
        return "a relative risk that cannot be told, as there were none before"
    risk = f"relative risk {number(found.relative_risk, 2)}"
    if not math.isfinite(found.risk_low):
        return risk
    return f"{risk} (95 % interval {number(found.risk_low, 2)} to {number(found.risk_high, 2)})"


def _pairs(found: ConflictComparison) -> str:
    return counted(found.pairs, "paired run") + ", indicative" * found.indicative
