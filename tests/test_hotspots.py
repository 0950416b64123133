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
from networks.sites import find_sites
from scenarios.hotspots import Screening, ScreeningOptions, hotspots_json, screen_hotspots, write_hotspots

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
