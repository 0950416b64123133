"""The real city: streets of Porto Alegre and what its police recorded, against what is known of them."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from scipy.spatial import KDTree

from networks.blackspot_rules import find_rule
from networks.build import build_network
from networks.crash_columns import SeverityWeights, read_column_map
from networks.crash_displaced import find_displaced, put_back
from networks.crash_shift import find_shifts, move_back, shift_notices
from networks.crash_sites import CROSS_STREET, CrashMatches, match_crashes
from networks.crashes import Crashes, Severity, read_crashes
from networks.network import NONE, RoadNetwork
from networks.netxml import read_network
from networks.screening import rank_sites
from networks.site_counts import observed_years
from networks.site_traits import site_traits
from networks.sites import Site, find_sites
from networks.spatial import nearest_edges
from scenarios.hotspot_validation import Periods, validation_lines, validation_of
from scenarios.hotspots import CrashScene, evidence_of

pytestmark = pytest.mark.slow

YEARS = (2012, 2013, 2014)
COLUMNS = Path(__file__).parents[1] / "docs" / "crashes"


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
    displaced = find_displaced(sites, crashes, match_crashes(city, sites, crashes))
    assert [len(group.rows) for group in displaced] == pytest.approx([424, 441, 311], abs=15)
    assert all(np.hypot(group.east_m + -6, group.north_m + 790) < 2 for group in displaced), "all 790 m south"
    assert all(len(group.rows) > 0.85 * group.named for group in displaced), "and nearly all that are off at all"
    crashes = put_back(crashes, displaced)
    return crashes, match_crashes(city, sites, crashes)


@pytest.fixture(scope="module")
def scene(city: RoadNetwork, sites: tuple[Site, ...], matched: tuple[Crashes, CrashMatches]) -> CrashScene:
    return CrashScene(city, sites, site_traits(city, sites), *matched, SeverityWeights(), None, find_rule("cis"), ())


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
    assert (matches.distance_m[named] <= 30).mean() > 0.92, "0.874 with those that are 790 m off"
    assert (matches.distance_m[named & ~_at_the_edge(city, crashes)] <= 30).mean() > 0.95
    away_m = matches.distance_m[named][found]
    assert np.median(away_m) < 10
    assert (away_m <= 30).mean() > 0.95
    both = np.array([method == CROSS_STREET for method in matches.method])[named]
    assert both.mean() > 0.75, "for most both names are on the map as well"


def _at_the_edge(city: RoadNetwork, crashes: Crashes) -> npt.NDArray[np.bool_]:
    """Records within 30 m of where a street leads nowhere: the extract was cut there, and has no crossing."""
    streets = np.flatnonzero(city.edges_for("passenger"))
    ends = np.column_stack((city.edges.from_junction[streets], city.edges.to_junction[streets]))
    neighbours: dict[int, set[int]] = {}
    for begin, end in ends.tolist():
        neighbours.setdefault(begin, set()).add(end)
        neighbours.setdefault(end, set()).add(begin)
    dead = [junction for junction, others in neighbours.items() if len(others) == 1]
    tree = KDTree(np.column_stack((city.junctions.x_m[dead], city.junctions.y_m[dead])))
    away_m, _ = tree.query(np.column_stack((crashes.x_m, crashes.y_m)))
    return away_m <= 30


def test_the_ranking_finds_the_crossings_known_for_their_crashes(city, sites, scene):
    worst = rank_sites(city, sites, evidence_of(scene, injury_only=False), scene.matches, method="frequency", top=50)
    assert len(worst) == 50
    first = [set(spot.street_names[:2]) for spot in worst[:3]]
    assert {"Avenida Ipiranga", "Rua Silva Só"} in first
    assert {"Avenida Ipiranga", "Rua Doutor Salvador França"} in first, "on both banks of the canal: one site"
    assert sum(bool(spot.signals) for spot in worst) > 35
    assert all(spot.legs >= 3 for spot in worst)
    assert len({spot.site for spot in worst}) == 50


@pytest.mark.parametrize("year", YEARS[:2])
def test_what_falls_by_itself_at_the_worst_junctions_is_told_by_empirical_bayes_and_not_by_a_count(scene, year):
    """Injury crashes at the 50 junctions with most of them fell by more than a quarter, with nothing done there.

    Empirical Bayes, by its own fit to the first year, told what came at the 50 that it picked within a tenth.
    """
    found = validation_of(scene, Periods((year, year), (year + 1, year + 1)), top=50, injury_only=True)
    rows = {row.method: row for row in found.methods}
    assert rows["frequency"].before == pytest.approx({2012: 390, 2013: 401}[year], abs=8)
    assert rows["frequency"].change_share <= -0.25
    assert abs(rows["empirical-bayes"].error_share) <= 0.10
    for row in (rows["frequency"], rows["empirical-bayes"]):
        assert row.expected_low <= row.after <= row.expected_high
    assert rows["all sites"].change_share == pytest.approx(0, abs=0.12), "in the whole city they stayed as they were"
    assert rows["empirical-bayes"].chosen_again > rows["frequency"].chosen_again
    error = {row.predictor: row.root_mean_square_error for row in found.predictors}
    assert error["empirical Bayes"] < 0.9 * min(error["count"], error["sites like it"])
    assert any(line.split()[:3] == ["Empirical", "Bayes", "50"] for line in validation_lines(found))


def test_the_fit_knows_what_makes_a_junction_busy(scene):
    evidence = evidence_of(scene, injury_only=True)
    assert evidence.prediction is not None
    (function,) = evidence.prediction.used
    factor = dict(zip(function.terms, np.exp(function.model.coefficients).tolist(), strict=True))
    assert 1 < factor["tertiary street"] < factor["secondary street"]
    assert factor["signal"] > 1.5
    assert factor["four legs"] > 1.2
    assert 0.5 < function.model.dispersion_low < function.model.dispersion < function.model.dispersion_high < 1.2


def test_the_labels_of_the_police_agree(data_dir, city, sites):
    """A record that they put at an intersection is matched far more often than one that they put between two."""
    crashes, notices = read_crashes([data_dir / "portoalegre" / "crashes-labelled-2009-2013.csv.gz"], city)
    matches = match_crashes(city, sites, crashes)
    # LOCAL says Cruzamento exactly where a cross street is named
    at_crossing = np.array([bool(name) for name in crashes.cross_street])
    placed = np.isfinite(crashes.x_m)
    near_street = np.zeros(len(crashes), dtype=bool)
    points = np.column_stack((crashes.x_m, crashes.y_m))[placed]
    near_street[placed] = nearest_edges(city, points, 60.0, "passenger")[0] != NONE
    is_matched = matches.site != NONE
    assert is_matched[at_crossing & near_street].mean() > 0.9
    assert is_matched[~at_crossing & near_street].mean() < 0.35
    assert {notice.code for notice in notices} == {"CRASH_COORDINATE", "CRASH_TIME", "CRASH_DUPLICATE"}
    unreadable = [notice for notice in notices if notice.remedy.startswith("Give its coordinates")]
    assert sum(notice.count for notice in unreadable) == 93
    shifts = find_shifts(sites, crashes, matches)
    told = [(notice.severity, notice.value) for notice in shift_notices(crashes, shifts)]
    assert told == [("warning", f"96 m north in {year}") for year in (2010, 2011, 2012)], "but for 2009"
    moved = match_crashes(city, sites, move_back(crashes, shifts))
    assert (moved.distance_m[at_crossing & near_street] <= 30).mean() > 0.85, "before, three in ten"
    assert (matches.distance_m[at_crossing & near_street] <= 30).mean() < 0.35


@pytest.mark.parametrize(
    ("file", "columns"),
    [("crashes-2014", "porto-alegre"), ("crashes-labelled-2009-2013", "porto-alegre-labelled")],
)
def test_the_maps_of_columns_say_what_is_recognised_without_them(data_dir, city, file, columns):
    path = data_dir / "portoalegre" / f"{file}.csv.gz"
    plain, _ = read_crashes([path], city)
    mapped, _ = read_crashes([path], city, read_column_map(COLUMNS / f"{columns}.toml"))
    for name in ("row", "time", "severity", "injured", "severely_injured"):
        assert np.array_equal(getattr(plain, name), getattr(mapped, name), equal_nan=name == "time")
    assert (plain.street, plain.cross_street, plain.type) == (mapped.street, mapped.cross_street, mapped.type)
