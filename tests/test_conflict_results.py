"""Tables of conflicts: by how near and by kind, counted by hand."""

import math
from types import SimpleNamespace

import pytest

from scenarios.conflict_results import ALL_SITES, BY_PET, BY_SERIOUS, CROSS_OR_MERGE, conflict_results
from sim.conflict_run import ConflictRun, Entered
from sim.conflicts import Conflict
from tests.made_up import run_row

NAN = math.nan


def met(kind, pet_s=NAN, ttc_s=NAN, junction="c"):
    return Conflict(
        *(10.0, junction, kind, "one", "car", "two", "car", "a_0", "b_0", 0.0, 0.0, 90.0, ttc_s, pet_s),
        *(NAN, 5.0, 5.0, 7.0),
    )


MET = (
    met("crossing", 5.0),
    met("crossing", 1.9, 1.0),
    met("crossing", ttc_s=1.2),
    met("merging", -0.5, junction="d"),
    met("following", ttc_s=1.0),
)


def run(variant, seed, conflicts=MET):
    entered = (Entered("c", 400), Entered("d", 100), Entered("nobody", 0))
    return SimpleNamespace(measures=run_row(variant, seed, 30.0), conflicts=ConflictRun(conflicts, entered))


def rates(found):
    return {(row.junction, row.kind): row for row in found.rates}


def test_conflicts_are_counted_by_how_near_they_were(tmp_path):
    by_place = rates(conflict_results([run("a", 1)], ("a",), tmp_path))
    both = by_place[ALL_SITES, CROSS_OR_MERGE]
    assert (both.vehicles, both.conflicts, both.by_pet, both.serious) == (500, 4, 3, 2)
    assert (both.rate_per_1000, both.pet_per_1000, both.serious_per_1000) == (8.0, 6.0, 4.0)
    assert (by_place["c", "crossing"].by_pet, by_place["d", "merging"].serious) == (2, 1)
    assert by_place[ALL_SITES, "following"].conflicts == 1
    assert math.isnan(by_place["nobody", "crossing"].pet_per_1000)


@pytest.mark.parametrize(("measures", "kinds"), [(("pet",), 3), (("ttc",), 4), (("pet", "drac"), 4)])
def test_what_was_not_asked_for_is_not_told_as_none(tmp_path, measures, kinds):
    found = conflict_results([run("a", 1)], ("a",), tmp_path, measures)
    assert len({row.kind for row in found.rates}) == kinds
    both = rates(found)[ALL_SITES, CROSS_OR_MERGE]
    assert (both.by_pet is None) == ("pet" not in measures)
    assert math.isnan(both.pet_per_1000) == ("pet" not in measures)
    (row,) = (
        row for row in found.comparisons if (row.junction, row.kind, row.measure) == (ALL_SITES, CROSS_OR_MERGE, BY_PET)
    )
    assert row.runs == ("pet" in measures)


def test_risks_are_over_pairs_of_equal_seeds(tmp_path):
    runs = [run("a", 1), run("a", 2), run("b", 1, MET[:1]), run("b", 3)]
    found = conflict_results(runs, ("a", "b"), tmp_path)
    index = {(row.junction, row.kind, row.measure, row.variant): row for row in found.comparisons}
    close = index[ALL_SITES, CROSS_OR_MERGE, BY_PET, "b"]
    assert (close.runs, close.pairs, close.baseline_mean, close.difference) == (2, 1, 6.0, -4.0)
    assert close.relative_risk == pytest.approx(1 / 3)
    assert math.isnan(close.risk_low)
    assert index[ALL_SITES, CROSS_OR_MERGE, BY_SERIOUS, "b"].relative_risk == 0.0
    assert (ALL_SITES, "following", BY_PET, "b") not in index
