"""From crash files to tables, GeoJSON and map, on a real street network with made-up records."""

import csv
import json
import math
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

from networks.faults import InputError
from networks.geometry import to_lonlat
from networks.network import RoadNetwork
from networks.netxml import read_network
from networks.screening import METHODS
from networks.sites import find_sites
from scenarios.cli_hotspots import METHODS as COMMAND_METHODS
from scenarios.hotspot_report import write_hotspot_report
from scenarios.hotspots import Screening, ScreeningOptions, hotspots_json, screen_hotspots, write_hotspots
from scenarios.scenario import scenario_from
from tests.command import Done, bagdar

FILES = ["crashes_matched.csv", "figures/hotspots.png", "hotspots.csv", "hotspots.geojson", "notices.csv"]


@pytest.fixture(scope="module")
def city(adlershof) -> RoadNetwork:
    return read_network(adlershof)


@pytest.fixture(scope="module")
def crash_file(city, tmp_path_factory) -> Path:
    """Synthetic records: 12, 11, 10 ... at twelve sites, a few metres off, 40 anywhere, one without a place."""
    draw = np.random.default_rng(7)
    sites = sorted(find_sites(city), key=lambda site: -len(site.signals))[:12]
    points = [draw.normal((site.x_m, site.y_m), 3) for rank, site in enumerate(sites) for _ in range(12 - rank)]
    points += [draw.uniform((0, 0), (2600, 3300)) for _ in range(40)]
    path = tmp_path_factory.mktemp("records") / "synthetic.csv"
    rows = [
        f"{lat:.7f},{lon:.7f},2023-{1 + number % 12:02d}-15,{number % 3},{number % 29 == 0:d},yes"
        for number, (lon, lat) in enumerate(to_lonlat(city.location, points).tolist())
    ]
    path.write_text("\n".join(["lat,lon,date,injured,deaths,synthetic", *rows, ",,2023-01-01,0,0,yes"]))
    return path


@pytest.fixture(scope="module")
def screening(city, crash_file) -> Screening:
    return screen_hotspots(city, [crash_file], options=ScreeningOptions(top=8))


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_the_sites_with_most_records_are_found(screening):
    counts = [spot.crashes for spot in screening.hotspots]
    assert len(counts) == 8
    assert counts == sorted(counts, reverse=True)
    assert counts[0] >= 12
    assert all(spot.crashes_per_year == spot.crashes for spot in screening.hotspots), "one year of records"
    assert screening.hotspots[0].median_match_distance_m < 15


def test_the_records_are_known_to_be_synthetic(screening, city, tmp_path):
    assert screening.origin.is_synthetic
    assert screening.origin.description == "synthetic.csv"
    assert screening.origin.records == sum(method != "mid-block" for method in screening.matches.method)
    lon, lat = to_lonlat(city.location, [(screening.hotspots[0].x_m, screening.hotspots[0].y_m)])[0]
    real = tmp_path / "real.csv"
    real.write_text(f"lat,lon\n{lat},{lon}\n")
    found = screen_hotspots(city, [real], options=ScreeningOptions(top=1))
    assert not found.origin.is_synthetic
    assert math.isnan(found.hotspots[0].crashes_per_year)
    assert hotspots_json(found)["hotspots"][0]["crashes_per_year"] is None


def test_only_signals_can_be_ranked(city, crash_file):
    spots = screen_hotspots(city, [crash_file], options=ScreeningOptions(top=8, signalised_only=True)).hotspots
    assert len(spots) == 8
    assert all(spot.signals for spot in spots)
    assert [spot.rank for spot in spots] == list(range(1, 9))


def test_tables_and_geojson_tell_the_same_ranking(screening, tmp_path):
    write_hotspots(screening, tmp_path)
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.*")) == FILES
    rows = rows_of(tmp_path / "hotspots.csv")
    assert [row["site"] for row in rows] == [spot.site for spot in screening.hotspots]
    assert [int(row["crashes"]) for row in rows] == [spot.crashes for spot in screening.hotspots]
    collection = json.loads((tmp_path / "hotspots.geojson").read_text(encoding="utf-8"))
    assert collection["type"] == "FeatureCollection"
    for feature, spot in zip(collection["features"], screening.hotspots, strict=True):
        assert feature["geometry"] == {"type": "Point", "coordinates": [spot.lon, spot.lat]}
        assert feature["properties"]["street_names"] == " | ".join(spot.street_names)
        assert feature["properties"]["rank"] == spot.rank
    (notice,) = rows_of(tmp_path / "notices.csv")
    assert (notice["code"], notice["count"]) == ("CRASH_COORDINATE", "1")


def test_each_record_stands_in_the_table_of_matches(screening, tmp_path):
    write_hotspots(screening, tmp_path)
    rows = rows_of(tmp_path / "crashes_matched.csv")
    assert len(rows) == len(screening.crashes) == 12 * 13 // 2 + 40
    first = screening.hotspots[0]
    at_first = [row for row in rows if row["site"] == first.site]
    assert len(at_first) == first.crashes
    assert sum(row["severity"] == "injury" for row in at_first) == first.injury_crashes
    assert sum(int(row["injured"]) for row in at_first) == first.injured
    assert all(float(row["distance_m"]) <= 30 for row in at_first)
    assert {row["synthetic"] for row in rows} == {"true"}
    assert {row["distance_m"] for row in rows if row["method"] == "mid-block"} == {""}
    assert [int(row["row"]) for row in rows] == list(range(2, len(rows) + 2))


def test_the_map_is_a_picture_with_circles_on_streets(screening, tmp_path):
    write_hotspots(screening, tmp_path)
    pixels = imread(tmp_path / "figures" / "hotspots.png")[..., :3]
    height, width, _ = pixels.shape
    assert width == 1440
    assert 0.3 < height / width < 2
    red = (np.abs(pixels - np.array([0.64, 0.17, 0.07])) < 0.15).all(axis=2)
    assert 0.002 < red.mean() < 0.2, "circles and bars"
    assert (pixels.min(axis=2) < 0.9).mean() > 0.02, "streets and words"


def test_the_same_input_gives_the_same_bytes(city, crash_file, tmp_path):
    for name in ("one", "two"):
        write_hotspots(screen_hotspots(city, [crash_file], options=ScreeningOptions(top=8)), tmp_path / name)
    for name in FILES:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_the_answer_goes_into_json(screening):
    answer = hotspots_json(screening)
    assert json.loads(json.dumps(answer, allow_nan=False))["is_synthetic"] is True
    assert answer["matched"] == sum(count for method, count in answer["matched_by"].items() if method != "mid-block")
    assert answer["records"] == len(screening.crashes)


@pytest.mark.parametrize("method", ["frequency", "epdo", "empirical-bayes"])
def test_a_plain_before_and_after_is_warned_of_by_method(city, crash_file, tmp_path, method):
    found = screen_hotspots(city, [crash_file], options=ScreeningOptions(method=method, top=8))
    caveat = hotspots_json(found)["caveat"]
    assert ("would overstate" in caveat) == (method != "empirical-bayes")
    assert "chance" in caveat
    write_hotspots(found, tmp_path)
    assert caveat in write_hotspot_report(found, tmp_path).read_text()


def test_labels_of_the_police_are_held_against_the_matches(city, crash_file, tmp_path):
    head, *rows = crash_file.read_text().splitlines()
    labels = ["at"] * 78 + ["between"] * 40 + [""]
    path, columns = tmp_path / "labelled.csv", tmp_path / "map.toml"
    path.write_text("\n".join([f"{head},where", *(f"{row},{label}" for row, label in zip(rows, labels, strict=True))]))
    columns.write_text('place = { column = "where", junction = ["at"], between = ["between"] }')
    found = screen_hotspots(city, [path], columns, ScreeningOptions(top=8))
    write_hotspots(found, tmp_path)
    matched = rows_of(tmp_path / "crashes_matched.csv")
    told = {label: [row["site"] for row in matched if row["labelled"] == label] for label in ("junction", "between")}
    counts = hotspots_json(found)["labels"]
    assert counts["junction_matched"] == sum(map(bool, told["junction"])) == 78
    assert counts["between_unmatched"] == told["between"].count("") > 20
    agreeing = counts["junction_matched"] + counts["between_unmatched"]
    assert counts["agreeing_share"] == pytest.approx(agreeing / len(told["junction"] + told["between"]))
    page = write_hotspot_report(found, tmp_path).read_text()
    assert f"are labelled so; of those labelled so {'100.0'} %" in page
    assert hotspots_json(screen_hotspots(city, [crash_file]))["labels"] is None


def test_records_far_from_every_junction_are_refused(city, tmp_path):
    sites = np.array([(site.x_m, site.y_m) for site in find_sites(city)])
    draw = np.random.default_rng(3).uniform((100, 100), (2500, 3200), size=(200, 2))
    lonely = [point for point in draw if np.hypot(*(sites - point).T).min() > 150][:5]
    path = tmp_path / "lonely.csv"
    path.write_text("lat,lon\n" + "\n".join(f"{lat},{lon}" for lon, lat in to_lonlat(city.location, lonely).tolist()))
    with pytest.raises(InputError) as caught:
        screen_hotspots(city, [path], options=ScreeningOptions(top=3))
    assert caught.value.code == "NO_HOTSPOTS"
    assert f"none of {len(lonely)} records" in caught.value.what


def test_a_map_of_columns_weighs_as_it_says(city, crash_file, tmp_path):
    columns = tmp_path / "map.toml"
    columns.write_text("[weights]\ndamage = 0\ninjury = 0\nfatal = 100\n")
    for spot in screen_hotspots(city, [crash_file], columns, ScreeningOptions(top=5)).hotspots:
        assert spot.weighted == 100 * spot.fatal_crashes


def rank(adlershof: Path, crash_file: Path, out: Path, *words: object) -> Done:
    return bagdar("hotspots", "--network", adlershof, "--crashes", crash_file, "-o", out, "--top", 10, *words)


@pytest.fixture(scope="module")
def volumes(city, tmp_path_factory) -> Path:
    """Made-up traffic at every site but each third."""
    draw = np.random.default_rng(4)
    path = tmp_path_factory.mktemp("volumes") / "volumes.csv"
    rows = [f"{site.site_id},{draw.integers(2_000, 30_000)}" for row, site in enumerate(find_sites(city)) if row % 3]
    path.write_text("\n".join(["site,entering_veh_per_day", *rows, ""]))
    return path


@pytest.mark.parametrize("method", ["critical-rate", "epdo", "empirical-bayes"])
def test_every_method_ranks_and_tells_what_the_ranks_may_be(adlershof, crash_file, volumes, tmp_path, method):
    done = rank(adlershof, crash_file, tmp_path, "--method", method, "--exposure", volumes)
    assert done.returncode == 0, done.stderr
    rows = rows_of(tmp_path / "hotspots.csv")
    assert [float(row["score"]) for row in rows] == sorted((float(row["score"]) for row in rows), reverse=True)
    assert [int(row["rank"]) for row in rows] == list(range(1, len(rows) + 1))
    for row in rows:
        assert 1 <= int(row["rank_low"]) <= int(row["rank_high"])
        assert float(row["expected_low"]) < float(row["expected"]) < float(row["expected_high"])
        assert float(row["excess"]) == pytest.approx(float(row["expected"]) - float(row["predicted"]), abs=0.002)
        between = sorted((float(row["predicted"]), float(row["observed"])))
        assert between[0] - 0.001 <= float(row["expected"]) <= between[1] + 0.001
        if row["entering_veh_per_day"]:
            million = float(row["entering_veh_per_day"]) * 365 / 1e6
            assert float(row["rate_per_million"]) == pytest.approx(int(row["observed"]) / million, abs=0.001)
    assert (tmp_path / "report.html").stat().st_size > 50_000
    assert "SYNTHETIC" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_a_rule_ranks_what_meets_it_and_says_by_what(adlershof, crash_file, tmp_path):
    done = rank(adlershof, crash_file, tmp_path, "--rule", "wales")
    assert done.returncode == 0, done.stderr
    rows = rows_of(tmp_path / "hotspots.csv")
    assert rows
    for row in rows:
        assert float(row["score"]) >= 1
        assert row["criterion"].endswith("injury crashes in 36 months (4 asked for)")
    strict = tmp_path / "strict.toml"
    strict.write_text("[[criterion]]\ncount = 1000\nmonths = 12\n")
    refused = rank(adlershof, crash_file, tmp_path / "none", "--rule", strict)
    assert refused.returncode == 2
    assert "NO_HOTSPOTS" in refused.stderr
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--method", "rate"), "EXPOSURE_MISSING"),
        (("--method", "rule"), "RULE_MISSING"),
        (("--rule", "atlantis"), "CONFIG_VALUE"),
        (("--exposure", "nowhere.csv"), "FILE_MISSING"),
        (("--method", "luck"), "COMMAND"),
    ],
)
def test_what_a_method_needs_is_asked_for(adlershof, crash_file, tmp_path, words, code):
    done = rank(adlershof, crash_file, tmp_path / "out", *words)
    assert (done.returncode, len(done.stderr.splitlines()[-1:])) == (2, 1)
    assert code in done.stderr
    assert not (tmp_path / "out").exists()


def test_only_crashes_that_hurt_are_counted_if_asked_and_only_the_last_years(adlershof, crash_file, tmp_path):
    assert rank(adlershof, crash_file, tmp_path, "--severity", "injury", "--years", 1).returncode == 0
    for row in rows_of(tmp_path / "hotspots.csv"):
        assert int(row["observed"]) == int(row["injury_crashes"]) + int(row["fatal_crashes"])


def test_the_traffic_of_a_run_serves_and_is_told(adlershof, city, crash_file, tmp_path):
    sites = [site for site in find_sites(city) if site.signals]
    head = "variant,seed,junction,name,lon,lat,signalised,volume_veh_per_h,delay_s,queue_mean_veh,queue_max_veh"
    rows = [
        f"as shipped,{seed},{city.signals[site.signals[0]].signal_id},x,0,0,true,{volume},9,1,2,0.5,A"
        for site in sites
        for seed, volume in ((1, 900), (2, 1100))
    ]
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "junctions.csv").write_text("\n".join([f"{head},stops_per_veh,level_of_service", *rows, ""]))
    done = rank(adlershof, crash_file, tmp_path / "out", "--method", "rate", "--exposure", tmp_path / "run")
    assert done.returncode == 0, done.stderr
    ranked = rows_of(tmp_path / "out" / "hotspots.csv")
    assert {row["entering_veh_per_day"] for row in ranked} == {"10000"}
    assert "EXPOSURE_SIMULATED" in {row["code"] for row in rows_of(tmp_path / "out" / "notices.csv")}


def test_methods_are_judged_on_the_users_own_records(adlershof, crash_file, tmp_path):
    later = tmp_path / "later.csv"
    later.write_text(crash_file.read_text().replace("2023-", "2024-"))
    words = ("--network", adlershof, "--crashes", crash_file, later, "--from", 2023, "--to", 2024, "--top", 10)
    done = bagdar("hotspots", "validate", *words, "-o", tmp_path / "check")
    assert done.returncode == 0, done.stderr
    rows = {row["method"]: row for row in rows_of(tmp_path / "check" / "validation.csv")}
    assert set(rows) == {"frequency", "epdo", "empirical-bayes", "all sites"}
    assert float(rows["frequency"]["change_share"]) == 0, "the same records a year later"
    assert float(rows["frequency"]["chosen_again"]) <= 10
    assert [row["predictor"] for row in rows_of(tmp_path / "check" / "predictors.csv")] == [
        "count",
        "sites like it",
        "empirical Bayes",
    ]
    assert "Empirical Bayes" in done.stdout
    assert imread(tmp_path / "check" / "figures" / "validation.png").shape[1] == 1440
    answer = json.loads(bagdar("hotspots", "validate", *words, "--json", "-o", tmp_path / "again").stdout)
    assert set(answer) == {"methods", "predictors"}
    for name in ("validation.csv", "predictors.csv", "figures/validation.png"):
        assert (tmp_path / "check" / name).read_bytes() == (tmp_path / "again" / name).read_bytes()


@pytest.mark.parametrize(
    ("begin", "end", "code"), [("2023", "2023", "overlap"), ("2023", "1999", "NO_HOTSPOTS"), ("x", "2024", "no year")]
)
def test_periods_that_cannot_judge_are_refused(adlershof, crash_file, tmp_path, begin, end, code):
    words = ("--network", adlershof, "--crashes", crash_file, "--from", begin, "--to", end, "-o", tmp_path / "out")
    done = bagdar("hotspots", "validate", *words)
    assert done.returncode == 2
    assert code in done.stderr
    assert not (tmp_path / "out").exists()


def test_the_report_has_the_same_bytes_each_time_and_escapes_foreign_names(city, crash_file, tmp_path):
    bad = tmp_path / "<script>alert(1)</script>.csv".replace("/", "")
    bad.write_text(crash_file.read_text())
    found = screen_hotspots(city, [bad], options=ScreeningOptions("empirical-bayes", top=5))
    texts = []
    for name in ("one", "two"):
        write_hotspots(found, tmp_path / name)
        texts.append(write_hotspot_report(found, tmp_path / name).read_bytes())
    assert texts[0] == texts[1]
    assert b"<script>" not in texts[0]


SCENARIO = {
    "network": {"file": "a.net.xml"},
    "demand": {"synthetic": {}},
    "crashes": {"files": ["a.csv"]},
    "variant": [{"controller": "static"}],
}


@pytest.mark.parametrize("method", METHODS)
def test_a_scenario_takes_every_method_with_what_it_needs(tmp_path, method):
    for name in ("a.net.xml", "a.csv", "volumes.csv"):
        (tmp_path / name).touch()
    section = {"method": method, "rule": "cis", "exposure": "volumes.csv"}
    scenario = scenario_from(SCENARIO | {"hotspots": section}, tmp_path / "s.toml")
    assert (scenario.hotspot_method, scenario.hotspot_rule) == (method, "cis")
    assert scenario.hotspot_exposure == tmp_path / "volumes.csv"
    assert tmp_path / "volumes.csv" in scenario.input_files()


@pytest.mark.parametrize(
    ("section", "field"),
    [
        ({"method": "rate"}, "hotspots.exposure"),
        ({"method": "rule"}, "hotspots.rule"),
        ({"method": "rule", "rule": "mine.toml"}, "hotspots.rule"),
        ({"method": "luck"}, "hotspots.method"),
    ],
)
def test_a_scenario_without_what_a_method_needs_is_refused(tmp_path, section, field):
    for name in ("a.net.xml", "a.csv"):
        (tmp_path / name).touch()
    with pytest.raises(InputError) as caught:
        scenario_from(SCENARIO | {"hotspots": section}, tmp_path / "s.toml")
    assert caught.value.field == field


def test_help_knows_the_methods_that_there_are():
    assert COMMAND_METHODS == METHODS
