"""Ranking of sites by their crashes: counts made by hand, ties, years, and the regression that a plain count hides."""

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from networks.crash_columns import SeverityWeights
from networks.crash_sites import NEAREST, CrashMatches
from networks.crashes import Crashes
from networks.faults import InputError
from networks.geometry import from_lonlat
from networks.network import NONE, RoadNetwork
from networks.screening import Evidence, Hotspot, rank_sites, scores, weigh_evidence
from networks.site_counts import SiteCounts, count_at_sites, last_years, observed_years, of_years
from networks.site_exposure import Exposure
from networks.site_traits import SiteTraits, site_traits
from networks.sites import Site, find_sites
from tests.street_plans import read_plan

HARM = {"damage": (0, 0, 0), "injury": (0, 2, 1), "fatal": (1, 1, 2)}
"""Kind of crash to deaths, injured and class of severity."""


@pytest.fixture(scope="module")
def town(tmp_path_factory) -> RoadNetwork:
    """Three crossings c, b, a on a street, 300 m apart, the first with a light."""
    places = {"w": (-300.0, 0.0), "c": (0, 0), "b": (300, 0), "a": (600, 0), "e": (900, 0)}
    places |= {
        f"{name}{side}": (x, y) for name, x in (("c", 0), ("b", 300), ("a", 600)) for side, y in (("n", 99), ("s", -99))
    }
    streets = ["High Street: w c b a e", *(f"{name} Street: {name}s {name} {name}n" for name in "abc")]
    return read_plan(tmp_path_factory.mktemp("town"), places, streets, {"light": "c"})


@pytest.fixture(scope="module")
def sites(town) -> tuple[Site, ...]:
    return find_sites(town)


def crashes_at(sites: tuple[Site, ...], told: str) -> tuple[Crashes, CrashMatches]:
    """Crashes from a text such as ``a fatal 2012-05, - damage 2013-01``: site (or none), harm, month."""
    rows = [part.split() for part in told.split(",")]
    index = {site.site_id: number for number, site in enumerate(sites)} | {"-": NONE}
    deaths, injured, severity = np.array([HARM[harm] for _, harm, *_ in rows], dtype=np.int32).T
    count = len(rows)
    zeros, empty = np.zeros(count), ("",) * count
    crashes = Crashes(
        files=("a.csv",),
        file=np.zeros(count, dtype=np.int32),
        row=np.arange(count, dtype=np.int32) + 2,
        time=np.array([row[2] if len(row) > 2 else "NaT" for row in rows], dtype="datetime64[s]"),
        lon=zeros, lat=zeros, x_m=zeros, y_m=zeros,
        deaths=deaths, injured=injured, severely_injured=np.full(count, NONE), severity=severity,
        at_junction=np.full(count, NONE),
        type=empty, street=empty, cross_street=empty, parties=empty,
        synthetic=np.zeros(count, dtype=bool),
    )  # fmt: skip
    away_m = np.arange(count, dtype=np.float64)
    return crashes, CrashMatches(np.array([index[row[0]] for row in rows], dtype=np.int32), away_m, (NEAREST,) * count)


def ranked(
    town: RoadNetwork, sites: tuple[Site, ...], told: str, *, weights: SeverityWeights | None = None, **options: Any
) -> tuple[Hotspot, ...]:
    crashes, matches = crashes_at(sites, told)
    counts = count_at_sites(len(sites), crashes, matches, weights)
    evidence = weigh_evidence(site_traits(town, sites), counts, observed_years(crashes), weights=weights)
    return rank_sites(town, sites, evidence, matches, **{"method": "frequency", "top": 10, **options})


def ranking(town: RoadNetwork, sites: tuple[Site, ...], told: str, **options: Any) -> list[str]:
    return [spot.site for spot in ranked(town, sites, told, **options)]


def test_a_row_of_the_ranking_counts_what_was_drawn(town, sites):
    told = "b damage 2012-01, b fatal 2012-06, a injury 2012-07, b injury 2013-12, - fatal 2013-12"
    first, second = ranked(town, sites, told, top=5)
    assert (first.rank, first.site, first.junctions, first.legs) == (1, "b", ("b",), 4)
    assert (first.crashes, first.injury_crashes, first.fatal_crashes) == (3, 1, 1)
    assert (first.deaths, first.injured, first.weighted) == (1, 3, 1 + 13 + 5)
    assert first.crashes_per_year == 1.5, "three in the two years that the file covers"
    assert first.median_match_distance_m == 1, "of 0, 1 and 3 m"
    assert (first.street_names, first.signals) == (("High Street", "b Street"), ())
    assert from_lonlat(town.location, [(first.lon, first.lat)])[0] == pytest.approx((300, 0), abs=0.1)
    assert (second.rank, second.site, second.crashes, second.weighted) == (2, "a", 1, 5)


def test_more_crashes_come_first_whatever_their_harm(town, sites):
    assert ranking(town, sites, "a fatal, b damage, b damage") == ["b", "a"]


def test_among_equals_the_heavier_then_the_lower_id_comes_first(town, sites):
    assert ranking(town, sites, "b damage, c injury, a damage") == ["c", "a", "b"]
    assert ranking(town, sites, "b damage, c injury, a damage", weights=SeverityWeights(1, 1, 1)) == ["a", "b", "c"]


def test_the_top_is_cut_and_signals_can_be_asked_for(town, sites):
    told = "a damage, a damage, b damage, c damage"
    assert ranking(town, sites, told, top=2) == ["a", "b"]
    assert ranking(town, sites, told, signalised_only=True) == ["c"]
    assert ranking(town, sites, "- damage") == []


def test_years_are_the_months_from_each_files_first_record_to_its_last(sites):
    crashes, _ = crashes_at(sites, "a damage 2012-01, a damage 2012-12-31, - damage")
    assert observed_years(crashes) == 1
    two = replace(crashes, files=("a", "b"), file=np.array([0, 1, 0], dtype=np.int32))
    assert observed_years(two) == pytest.approx(2 / 12), "files of January and of December, nothing between"
    assert observed_years(replace(crashes, time=np.full(3, "NaT", dtype="datetime64[s]"))) == 0


def test_without_times_there_is_no_rate(town, sites):
    assert np.isnan(ranked(town, sites, "a damage", top=1)[0].crashes_per_year)


@given(
    drawn=st.lists(st.sampled_from(["a fatal", "a damage", "b injury", "b damage", "c damage", "- fatal"]), min_size=1)
)
@settings(deadline=None)
def test_the_ranking_is_the_sorted_count(town, sites, drawn):
    count = Counter(row.split()[0] for row in drawn if row[0] != "-")
    found = ranking(town, sites, ",".join(drawn))
    assert sorted(found) == sorted(count)
    assert [count[site] for site in found] == sorted(count.values(), reverse=True)


def few_sites(legs: list[int], observed: list[int], exposure: Exposure | None) -> Evidence:
    """Signalised sites, too few to fit, with injury crashes."""
    count = np.array(observed, dtype=np.int64)
    none = np.zeros(len(legs), dtype=np.int64)
    traits = SiteTraits(np.array(legs), np.ones(len(legs), dtype=bool), none)
    counts = SiteCounts(count, count, none, none, none, 5.0 * count)
    return weigh_evidence(traits, counts, 3.0, exposure=exposure)


def test_too_few_sites_go_by_published_functions_where_traffic_on_both_streets_is_known():
    exposure = Exposure(np.array([25_000.0, np.nan]), np.array([20_000.0, np.nan]), np.array([5_000.0, np.nan]))
    found = few_sites([4, 4], [20, 20], exposure)
    assert found.prediction is not None
    # 4.786 a year by -10.99 + 1.07 ln 20000 + 0.23 ln 5000, over three years; k 0.39, w = 1 / (1 + 0.39 x 14.358)
    assert found.prediction.predicted[0] == pytest.approx(14.358, abs=0.01)
    expected = scores("empirical-bayes", found)
    assert expected[0] == pytest.approx(0.15153 * 14.358 + 0.84847 * 20, abs=0.01)
    assert np.isnan(expected[1]), "nothing is known of its traffic"
    assert "not calibrated" in found.prediction.said[0]


def test_too_few_sites_without_traffic_have_a_count_and_no_expectation():
    found = few_sites([4, 3], [2, 9], None)
    assert (found.prediction, found.known) == (None, None)
    assert scores("frequency", found).tolist() == [2, 9]
    with pytest.raises(InputError, match="SPF_SITES"):
        scores("empirical-bayes", found)


def test_a_critical_rate_ranks_by_how_far_chance_is_exceeded():
    traffic = np.array([20_000.0, 2_000.0])
    found = few_sites([4, 4], [44, 6], Exposure(traffic, np.full(2, np.nan), np.full(2, np.nan)))
    # 21.9 and 2.19 million entered: rates 2.009 and 2.740, average 50 / 24.09 = 2.0756
    assert scores("rate", found) == pytest.approx([2.0091, 2.7397], abs=1e-4)
    limits = [2.0756 + 1.645 * (2.0756 / m) ** 0.5 + 1 / (2 * m) for m in (21.9, 2.19)]
    assert scores("critical-rate", found) == pytest.approx([2.0091 / limits[0], 2.7397 / limits[1]], abs=1e-4)


def test_the_last_years_are_counted_back_from_the_latest_record(sites):
    crashes, _ = crashes_at(sites, "a damage 2012-12-31, a damage 2013-01, a damage 2013-12-31, a damage")
    assert last_years(crashes, 1).tolist() == [False, True, True, False]
    assert last_years(crashes, 2).tolist() == [True, True, True, False]
    assert of_years(crashes, 2012, 2012).tolist() == [True, False, False, False]
    assert of_years(crashes, 2012, 2013).tolist() == [True, True, True, False]
