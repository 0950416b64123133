"""What may be said of safety: relative risk with its interval, never accidents avoided, for any outcome."""

import math
from itertools import product

import numpy as np
import pytest

from scenarios.compare import HIGHER, INDISTINCT, LOWER, mean_interval
from scenarios.conflict_results import ALL_SITES, BY_PET, BY_SERIOUS, CROSS_OR_MERGE, ConflictComparison
from scenarios.relative_risk import relative_risk
from scenarios.safety_wording import conflict_verdict, safety_finding
from tests.made_up import typed


def compared(before, after, measure=BY_PET):
    difference = mean_interval([one - other for one, other in zip(after, before, strict=True)])
    mean, base = mean_interval(after), mean_interval(before)
    few = len(before) < 10
    return ConflictComparison(
        *(ALL_SITES, CROSS_OR_MERGE, measure, "smart", len(after), *mean, len(before), base[0], *difference),
        *(*relative_risk(before, after), few),
    )


CASES = {LOWER: (80, 60), HIGHER: (60, 80), INDISTINCT: (70, 70)}


def outcome(kind, seeds=10):
    before, after = CASES[kind]
    noise = np.linspace(-3, 3, seeds)
    return [before + step for step in noise], [after - step for step in noise]


def test_relative_risk_by_hand():
    # sums 30 and 24, R = 0.8; residuals 8 - 8, 7 - 8, 9 - 8: s = 1, standard error 1 / sqrt(3) / 10, t(2) = 4.3027
    risk, low, high = relative_risk([10, 10, 10], [8, 7, 9])
    assert risk == pytest.approx(0.8)
    margin = 4.302653 / math.sqrt(3) / 10
    assert (low, high) == pytest.approx((0.8 - margin, 0.8 + margin), abs=1e-6)


def test_relative_risk_holds_the_truth_as_often_as_it_says():
    random = np.random.default_rng(7)
    held = 0
    for _ in range(2000):
        level = random.gamma(200, 1 / 200, 10)  # a seed's traffic moves both of its runs
        before, after = random.poisson(400 * level), random.poisson(340 * level)
        _, low, high = relative_risk(before.tolist(), after.tolist())
        held += low <= 0.85 <= high
    assert 0.93 <= held / 2000 <= 0.97


def test_relative_risk_without_a_footing():
    assert all(map(math.isnan, relative_risk([0, 0], [1, 2])))
    assert relative_risk([2], [1])[0] == 0.5
    assert math.isnan(relative_risk([2], [1])[1])
    assert all(map(math.isnan, relative_risk([], [])))
    assert relative_risk([5, 1, 4], [0, 0, 1])[1] == 0.0


@pytest.mark.parametrize("kind", CASES)
def test_a_verdict_needs_both_intervals(kind):
    assert conflict_verdict(compared(*outcome(kind))) == kind


@pytest.mark.parametrize(("close", "serious"), [*product(CASES, CASES)])
def test_every_outcome_has_a_true_sentence(close, serious):
    found = safety_finding("fixed", None, compared(*outcome(close)), compared(*outcome(serious), BY_SERIOUS))
    assert ("fewer conflicts" in found.headline) == (close == LOWER)
    assert ("more" in found.headline) == (HIGHER in {close, serious})
    assert (found.tone == "better") == (LOWER in {close, serious} and HIGHER not in {close, serious})
    assert (found.tone == "worse") == (HIGHER in {close, serious} and LOWER not in {close, serious})
    assert "relative risk" in found.text
    assert "ess delay is not more safety" in found.text
    assert "indicative" not in found.text
    assert not any(word in found.text.casefold() for word in ("avoided", "prevented", "saved", "crash"))


def test_the_sentence_of_a_study_worked_by_hand():
    close = compared([10, 10, 10], [8, 7, 9])
    found = safety_finding("as shipped", None, close, compared([2, 2, 2], [0, 0, 0], BY_SERIOUS))
    assert found.headline == "fewer serious conflicts; of all no difference that these runs can show"
    assert typed(found.text) == (
        "Simulated vehicles came close where their ways cross or merge (PET up to 5 s) 10.0 times per 1,000 vehicles "
        "under “as shipped” and 8.0 times under this variant: relative risk 0.80 (95 % interval 0.55 to 1.05), 3 "
        "paired runs, indicative. Serious ones (PET up to 2 s): 2.0 and 0.0, relative risk 0.00 (95 % interval 0.00 to "
        "0.00). Less delay is not more safety."
    )


def test_one_pair_and_nothing_before_claim_nothing():
    close, none = compared([10], [2]), compared([0], [0], BY_SERIOUS)
    found = safety_finding("fixed", None, close, none)
    assert "cannot tell effect from chance" in found.headline
    assert found.tone == "unclear"
    assert "cannot be told" in found.text
