"""The real city: streets of Porto Alegre and what its police recorded, against what is known of them."""

from pathlib import Path

import numpy as np
import pytest

from networks.build import build_network
from networks.crash_sites import CROSS_STREET, CrashMatches, match_crashes
from networks.crashes import Crashes, Severity, read_crashes
from networks.network import NONE, IntArray, RoadNetwork
from networks.netxml import read_network
from networks.screening import observed_years, rank_by_frequency
from networks.sites import Site, find_sites
from networks.spatial import nearest_edges

pytestmark = pytest.mark.slow

YEARS = (2012, 2013, 2014)


@pytest.fixture(scope="module")
def city(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> RoadNetwork:
    path = tmp_path_factory.mktemp("porto-alegre") / "city.net.xml.gz"
    report = build_network(data_dir / "portoalegre" / "osm.pbf", path)
    assert report.signals > 500
    assert report.length_km == pytest.approx(2083, rel=0.02)
    return read_network(path)


@pytest.fixture(scope="module")
def sites(city: RoadNetwork) -> tuple[Site, ...]:
    return find_sites(city)


@pytest.fixture(scope="module")
def matched(data_dir: Path, city: RoadNetwork, sites: tuple[Site, ...]) -> tuple[Crashes, CrashMatches]:
    files = [data_dir / "portoalegre" / f"crashes-{year}.csv.gz" for year in YEARS]
    crashes, _ = read_crashes(files, city)
    return crashes, match_crashes(city, sites, crashes)


def test_the_files_are_understood_without_a_map(matched):
    crashes, _ = matched
    # 58,204 records, of which the streets' box holds about four in five
    assert len(crashes) == pytest.approx(47_700, abs=300)
    assert observed_years(crashes) == 3
    assert np.isnat(crashes.time).sum() <= 1, "one time is written 2013-07-17T8:45:00"
    assert {"ABALROAMENTO", "COLISAO", "ATROPELAMENTO"} < set(crashes.type)
    assert 0.25 < (crashes.severity == Severity.INJURY).mean() < 0.40
    assert (crashes.severity == Severity.FATAL).sum() == pytest.approx(230, abs=60)


def test_where_the_police_named_a_cross_street_the_record_lies_at_a_junction(city, matched):
    crashes, matches = matched
    near_street = nearest_edges(city, np.column_stack((crashes.x_m, crashes.y_m)), 60.0, "passenger")[0] != NONE
    named = near_street & np.array([bool(name) for name in crashes.cross_street])
    found = matches.site[named] != NONE
    assert found.mean() > 0.85
    away_m = matches.distance_m[named][found]
    assert np.median(away_m) < 10
    assert (away_m <= 30).mean() > 0.95
    both = np.array([method == CROSS_STREET for method in matches.method])[named]
    assert both.mean() > 0.75, "for most both names are on the map as well"


def test_the_ranking_finds_the_crossings_known_for_their_crashes(city, sites, matched):
    worst = rank_by_frequency(city, sites, *matched, top=50)
    assert len(worst) == 50
    first = [set(spot.street_names[:2]) for spot in worst[:3]]
    assert {"Avenida Ipiranga", "Rua Silva Só"} in first
    assert {"Avenida Ipiranga", "Rua Doutor Salvador França"} in first, "on both banks of the canal: one site"
    assert sum(bool(spot.signals) for spot in worst) > 35
    assert all(spot.legs >= 3 for spot in worst)
    assert len({spot.site for spot in worst}) == 50


@pytest.mark.parametrize("year", YEARS[:2])
def test_the_worst_sites_get_better_by_themselves(matched, sites, year):
    """Injury crashes at the 50 sites with most of them fell by a quarter to a third, with nothing done there."""
    before, after = (_injuries(*matched, len(sites), YEARS.index(number)) for number in (year, year + 1))
    worst = np.argsort(-before, kind="stable")[:50]
    assert before[worst].sum() > 300
    assert 0.55 < after[worst].sum() / before[worst].sum() < 0.78
    assert after.sum() / before.sum() == pytest.approx(1, abs=0.12), "in the whole city they stayed as they were"


def _injuries(crashes: Crashes, matches: CrashMatches, count: int, file: int) -> IntArray:
    wanted = (crashes.file == file) & (matches.site != NONE) & (crashes.severity >= Severity.INJURY)
    return np.bincount(matches.site[wanted], minlength=count)


def test_the_labels_of_the_police_agree(data_dir, city, sites):
    """A record that they put at an intersection is matched far more often than one that they put between two."""
    crashes, notices = read_crashes([data_dir / "portoalegre" / "crashes-labelled-2009-2013.csv.gz"], city)
    matches = match_crashes(city, sites, crashes)
    # LOCAL says Cruzamento exactly where a cross street is named
    at_crossing = np.array([bool(name) for name in crashes.cross_street])
    near_street = nearest_edges(city, np.column_stack((crashes.x_m, crashes.y_m)), 60.0, "passenger")[0] != NONE
    is_matched = matches.site != NONE
    assert is_matched[at_crossing & near_street].mean() > 0.9
    assert is_matched[~at_crossing & near_street].mean() < 0.35
    assert {notice.code for notice in notices} == {"CRASH_COORDINATE", "CRASH_TIME"}
    unreadable = [notice for notice in notices if notice.remedy.startswith("Give its coordinates")]
    assert [notice.count for notice in unreadable] == [93]
