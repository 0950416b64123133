"""Scorecards: counted by hand, nothing unknown taken for nothing, an empty city, and cities beside each other."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from networks.geometry import to_lonlat
from networks.network import RoadNetwork
from networks.netxml import read_network
from networks.sites import find_sites
from scenarios.city import City, city_from
from scenarios.edition import find_edition, score
from scenarios.indicators import INDICATORS, Finding
from scenarios.language import language
from scenarios.scorecard import Assessment, assess, write_scorecard
from scenarios.scorecard_ranking import RankedCity, rank_cities
from tests.command import bagdar
from tests.made_city import DOCUMENT, write_tables

IDS = [indicator.indicator_id for indicator in INDICATORS]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("city")
    write_tables(path)
    return path


def _city(folder: Path, **changed: Any) -> City:
    """The city on paper with sections replaced, or left out where None."""
    document = {name: table for name, table in (DOCUMENT | changed).items() if table is not None}
    return city_from(document, folder / "city.toml")


@pytest.fixture(scope="module")
def whole(folder: Path) -> Assessment:
    return assess(_city(folder))


def _of(found: Assessment, indicator: str, reading: str | None = None) -> Finding:
    if reading is None:
        return next(finding for finding in found.card.findings if finding.indicator_id == indicator)
    named = [one for one in found.card.readings if one.indicator_id == indicator]
    return next(one for one in named if one.reading is not None and one.reading.text == reading)


def _counted(finding: Finding) -> tuple[int | None, int | None, float | None]:
    return finding.numerator, finding.denominator, finding.value


def test_the_nine_indicators_stand_in_the_order_of_the_standard(whole):
    assert [finding.indicator_id for finding in whole.card.findings] == IDS


def test_dispatching_is_counted_from_positions(whole):
    """One of three lines is heard, one should have been, and nobody listened when the third one ran."""
    assert _of(whole, "D1").value == 1
    d2 = _of(whole, "D2")
    assert _counted(d2) == (None, 3, None)
    assert (d2.low, d2.high) == (pytest.approx(1 / 3), pytest.approx(2 / 3))
    assert (d2.how.values["yes"], d2.how.values["unknown"]) == (1, 1)
    assert _counted(_of(whole, "D3")) == (2, 4, 0.5)
    bound = _of(whole, "D3", "Against the vehicles that the timetable needs at once")
    assert _counted(bound) == (2, 2, None)  # A and B are under way at once


def test_fares_are_counted_from_tables(whole):
    assert _counted(_of(whole, "F1")) == (2, 3, pytest.approx(2 / 3))
    assert _counted(_of(whole, "F2")) == (3, 4, 0.75)
    assert _counted(_of(whole, "F3")) == (90, 200, 0.45)


def test_stops_need_all_that_is_asked_for(whole, folder):
    assert _counted(_of(whole, "S1")) == (1, 6, pytest.approx(1 / 6))  # B1 is not enclosed, whatever else it has
    assert _counted(_of(whole, "S1", "with an information board")) == (3, 6, 0.5)
    cooled = _of(whole, "S1", "air-conditioned")
    assert (_counted(cooled), cooled.low, cooled.high) == (
        (None, 6, None), pytest.approx(1 / 6), pytest.approx(2 / 6)
    )  # fmt: skip
    board = assess(_city(folder, stops={"amenities": "stops.csv", "smart_needs": ["wifi", "information_board"]}))
    assert _counted(_of(board, "S1")) == (2, 6, pytest.approx(2 / 6))


def test_chargers_are_reached_as_the_crow_flies(whole, folder):
    assert _of(whole, "E1").value == 1
    assert _counted(_of(whole, "E1", "Stops within reach of a charger")) == (1, 6, pytest.approx(1 / 6))
    assert _counted(_of(whole, "E1", "Depots within reach of a charger")) == (1, 2, 0.5)
    assert _counted(_of(whole, "E1", "People within reach of a charger")) == (300, 1000, 0.3)
    near = assess(_city(folder, transit=None, traces=None, charging=DOCUMENT["charging"] | {"within_m": 75}))
    assert _counted(_of(near, "E1", "Depots within reach of a charger")) == (0, 2, 0.0)  # 81 m
    assert _counted(_of(near, "E1", "People within reach of a charger")) == (0, 1000, 0.0)


def test_a_charger_may_stand_at_a_stop(tmp_path):
    write_tables(tmp_path)
    (tmp_path / "chargers.csv").write_text("stop_id,power_kw\nA2,50\nnowhere,50\n", encoding="utf-8")
    found = assess(_city(tmp_path))
    assert _counted(_of(found, "E1", "Stops within reach of a charger"))[:2] == (1, 6)


def test_an_empty_table_of_chargers_says_that_there_are_none(tmp_path):
    (tmp_path / "none.csv").write_text("lat,lon\n", encoding="utf-8")
    found = assess(city_from({"charging": {"chargers": "none.csv"}}, tmp_path / "city.toml"))
    assert _of(found, "E1").value == 0


def test_an_empty_city_knows_nothing_and_does_not_fail(tmp_path):
    (tmp_path / "city.toml").write_text("", encoding="utf-8")
    done = bagdar("scorecard", "city.toml", "-o", "out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    with (tmp_path / "out" / "scorecard.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["indicator"] for row in rows] == IDS
    assert {row["value"] for row in rows} == {row["points"] for row in rows} == {"unknown"}
    assert {(row["numerator"], row["low"], row["high"]) for row in rows} == {("", "", "")}
    assert all("Needs" in row["how"] for row in rows)
    told = json.loads((tmp_path / "out" / "scorecard.json").read_text(encoding="utf-8"))
    assert {row["value"] for row in told["indicators"]} == {None}


SECTIONS = {
    "transit": ("D1", "D2"),
    "traces": ("D1", "D2", "D3"),
    "fleet": ("D3",),
    "fares": ("F1", "F2", "F3"),
    "stops": ("S1",),
    "charging": ("E1",),
}


@pytest.mark.parametrize("section", SECTIONS)
def test_what_is_left_out_is_unknown_and_never_nothing(folder, section):
    found = assess(_city(folder, **{section: None}))
    for indicator in SECTIONS[section]:
        finding = _of(found, indicator)
        assert finding.value is None
        assert finding.numerator != 0
        assert finding.low is None
    points = score(found.card, find_edition("academic"))
    assert set(SECTIONS[section]) - {"D2"} <= set(points.unknown)


BLANKS = {
    "fare-routes.csv": ("F1", "A,yes", "A,", (1 / 3, 2 / 3)),
    "fare-vehicles.csv": ("F2", "v4,no", "v4,", (3 / 4, 1)),
    "stops.csv": ("S1", "A2,no,", "A2,,", (1 / 6, 2 / 6)),
}


@pytest.mark.parametrize("table", BLANKS)
def test_an_empty_cell_leaves_a_range(tmp_path, table):
    write_tables(tmp_path)
    indicator, old, new, bounds = BLANKS[table]
    text = (tmp_path / table).read_text(encoding="utf-8")
    assert text.count(old) == 1
    (tmp_path / table).write_text(text.replace(old, new), encoding="utf-8")
    finding = _of(assess(_city(tmp_path)), indicator)
    assert finding.value is finding.numerator is None
    assert (finding.low, finding.high) == pytest.approx(bounds)


def test_a_month_without_one_of_its_numbers_is_left_out_whole(tmp_path):
    write_tables(tmp_path)
    (tmp_path / "payments.csv").write_text("month,electronic,all\n1,30,100\n2,,100\n3,50,\n", encoding="utf-8")
    found = assess(_city(tmp_path))
    assert _counted(_of(found, "F3")) == (30, 100, 0.3)
    assert [notice.row for notice in found.notices if notice.code == "PAYMENTS_UNKNOWN"] == [3, 4]


def test_a_fleet_smaller_than_what_was_heard_of_is_told(folder):
    found = _of(assess(_city(folder, fleet={"vehicles": 1})), "D3")
    assert found.value is None
    assert "one of the two is wrong" in found.how.text
    assert _counted(_of(assess(_city(folder, fleet={"vehicles": 8})), "D3")) == (2, 8, 0.25)


def test_positions_of_another_day_do_not_count(folder):
    found = assess(_city(folder, transit={"gtfs": "gtfs.zip", "date": "2026-03-05"}))
    assert _of(found, "D1").value is None
    assert _of(found, "D2").value is None
    assert _of(found, "D3").value == 0  # nobody of the list was heard of that day


@pytest.fixture(scope="module")
def streets(adlershof: Path) -> RoadNetwork:
    return read_network(adlershof)


@pytest.fixture
def lit(tmp_path: Path, streets: RoadNetwork, adlershof: Path) -> Callable[..., Assessment]:
    """A city with accidents at three sections: six hurt at one with a light, five at one without, one at another."""
    sites = [site for site in find_sites(streets) if len(site.signals) == 1][:2]
    sites.insert(1, next(site for site in find_sites(streets) if not site.signals))
    rows = []
    for site, count in zip(sites, (6, 5, 1), strict=True):
        (lon, lat), *_ = to_lonlat(streets.location, [(site.x_m, site.y_m)]).tolist()
        rows += [f"{lat:.7f},{lon:.7f},2024-{month:02d}-10,1" for month in range(1, count + 1)]
    (tmp_path / "crashes.csv").write_text("\n".join(["lat,lon,date,injured", *rows]), encoding="utf-8")
    static = tmp_path / "static.net.xml"
    static.write_bytes(adlershof.read_bytes().replace(b'type="actuated"', b'type="static"'))

    def card(lights: dict[str, Any] | None, network: Path = static, **hotspots: Any) -> Assessment:
        document = {"network": {"file": str(network)}, "crashes": {"files": ["crashes.csv"]}, "hotspots": hotspots}
        return assess(city_from(document | ({"lights": lights} if lights else {}), tmp_path / "city.toml"))

    card.lights = [streets.signals[site.signals[0]].signal_id for site in (sites[0], sites[2])]  # type: ignore[attr-defined]
    return card


def test_lights_are_counted_in_both_readings_under_each_rule(lit):
    """Five hurt in a year make a place of accidents by the rule: two sections, one of them without a light."""
    found = lit({"smart": lit.lights[:1]}, top=3)
    assert _counted(_of(found, "T1")) == (1, 2, 0.5)
    assert [_counted(one) for one in found.card.readings] == [
        (1, 2, 0.5),
        (1, 1, 1.0),
        (None, None, None),  # twelve records are too few for Empirical Bayes
        (None, None, None),
        (1, 3, pytest.approx(1 / 3)),
        (1, 2, 0.5),
    ]
    told = language("en").say(_of(found, "T1").how)
    assert told == (
        "1 of 2 sections have a smart light; 1 have no light at all. The ways of reading give 33.3% to 100%"
    )


def test_a_city_chooses_what_counts(lit):
    found = lit({"smart": lit.lights[1:], "count": "lights"}, method="frequency", top=3)
    assert _counted(_of(found, "T1")) == (1, 2, 0.5)
    assert _counted(_of(lit({"smart": []}), "T1")) == (0, 2, 0.0)  # a city that says that it has none


def test_a_program_of_fixed_times_says_nothing_of_the_light(lit, adlershof):
    unknown = _of(lit(None), "T1")
    assert (_counted(unknown), unknown.low, unknown.high) == ((None, 2, None), 0.0, 0.5)
    assert _counted(_of(lit(None, adlershof), "T1")) == (1, 2, 0.5)  # SUMO runs these by detectors


def test_a_table_of_controllers_may_have_gaps(lit, tmp_path):
    first, other = lit.lights
    (tmp_path / "lights.csv").write_text(f"signal_id,controller\n{other},actuated\n{first},\n", encoding="utf-8")
    found = lit({"smart": "lights.csv", "count": "lights"}, method="frequency", top=3)
    finding = _of(found, "T1")
    assert (_counted(finding), finding.low, finding.high) == ((None, 2, None), 0.5, 1.0)
    (tmp_path / "lights.csv").write_text(f"signal_id,smart\n{other},no\n{first},yes\n", encoding="utf-8")
    assert _counted(_of(lit({"smart": "lights.csv"}), "T1")) == (1, 2, 0.5)


def test_points_are_those_of_the_edition(whole):
    """Bands of a fifth, twice: D3 0.5, F1 0.67, F2 0.75, F3 0.45, S1 0.17, D1 and E1 there; D2 0.33 to 0.67."""
    points = score(whole.card, find_edition("academic"))
    earned = {row.indicator_id: row.points for row in points.rows}
    assert earned == {
        "D1": 10, "D2": None, "D3": 6, "F1": 8, "F2": 8, "F3": 6, "T1": None, "S1": 2, "E1": 10
    }  # fmt: skip
    assert (points.known, points.known_maximum, points.maximum) == (50, 70, 90)
    assert (points.low, points.high) == (50 + 4 + 2, 50 + 8 + 10)
    assert points.unknown == ("D2", "T1")


def test_without_maxima_there_are_shares_and_no_points(whole, tmp_path):
    points = score(whole.card, find_edition("template"))
    assert points.rows == ()
    write_scorecard(whole, points, tmp_path)
    with (tmp_path / "scorecard.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert {row["points"] for row in rows} == {""}
    assert next(row for row in rows if row["indicator"] == "F2")["value"] == "0.7500"


def test_the_same_city_gives_the_same_bytes(folder, tmp_path):
    for name in ("first", "second"):
        found = assess(_city(folder))
        write_scorecard(found, score(found.card, find_edition("academic")), tmp_path / name)
    for file in ("scorecard.csv", "scorecard.json"):
        assert (tmp_path / "first" / file).read_bytes() == (tmp_path / "second" / file).read_bytes()


def _ranked(folder: Path, *cities: dict[str, Any]) -> list[RankedCity]:
    found = [
        assess(_city(folder, city={"name": str(number)}, **changed)) for number, changed in enumerate(cities, start=1)
    ]
    return list(rank_cities(found, find_edition("academic")))


def test_what_is_unknown_leaves_a_range_of_ranks(folder):
    """The second city may have all or none of what it does not tell; the third has a fifth of the payments."""
    poor = {"fares": DOCUMENT["fares"] | {"payments": {"electronic": 1, "all": 100}}}
    silent = {"fares": None}
    ranked = _ranked(folder, {}, silent, poor)
    assert {city.found.card.city: (city.best, city.worst) for city in ranked} == {
        "1": (1, 3), "2": (1, 3), "3": (1, 3)
    }  # fmt: skip
    sure = _ranked(folder, {"traces": None, "fleet": None, "transit": None}, {"traces": None})
    assert len(sure) == 2


def test_a_city_that_is_surely_better_comes_first(tmp_path):
    edition = tmp_path / "edition.toml"
    edition.write_text(
        '[edition]\nname = "one"\nversion = "1"\ndate = 2026-01-01\nsource = "test"\n'
        '[[indicator]]\nid = "F3"\nmaximum = 10\n',
        encoding="utf-8",
    )
    texts = {
        "good": "[fares]\npayments = { electronic = 90, all = 100 }\n",
        "bad": "[fares]\npayments = { electronic = 20, all = 100 }\n",
        "even": "[fares]\npayments = { electronic = 2, all = 10 }\n",
        "silent": "",
    }
    for name, text in texts.items():
        (tmp_path / f"{name}.toml").write_text(text, encoding="utf-8")
    words = ["scorecard", "compare", *(f"{name}.toml" for name in texts), "-o", "out", "--edition", "edition.toml"]
    done = bagdar(*words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    with (tmp_path / "out" / "ranking.csv").open(encoding="utf-8", newline="") as stream:
        rows = {row["city"]: row for row in csv.DictReader(stream)}
    ranks = {name: (row["rank_best"], row["rank_worst"]) for name, row in rows.items()}
    assert ranks == {"good": ("1", "2"), "silent": ("1", "4"), "bad": ("2", "3"), "even": ("2", "3")}
    assert (rows["good"]["points_known"], rows["silent"]["points_known"]) == ("9", "0")
    assert rows["silent"]["unknown"] == " ".join(IDS)


def test_two_cities_of_one_name_are_refused(tmp_path):
    for name in ("a", "b"):
        (tmp_path / f"{name}.toml").write_text('[city]\nname = "same"\n', encoding="utf-8")
    done = bagdar("scorecard", "compare", "a.toml", "b.toml", "-o", "out", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("bagdar: CONFIG_VALUE: [city.name]: two cities are named 'same'")


def test_crashes_that_say_they_are_made_up_make_the_card_synthetic(lit, tmp_path):
    text = (tmp_path / "crashes.csv").read_text(encoding="utf-8").splitlines()
    marked = [text[0] + ",synthetic", *(line + ",yes" for line in text[1:])]
    assert not lit(None).card.is_synthetic
    (tmp_path / "crashes.csv").write_text("\n".join(marked), encoding="utf-8")
    assert lit(None).card.is_synthetic


@pytest.mark.parametrize(("city", "routes"), [("kingston", 29), ("washington", 3)])
def test_dispatching_of_real_cities_is_computed(data_dir, city, routes):
    """Of Kingston's routes 25 were heard of in three days, and two should have been that were not."""
    document = {
        "transit": {"gtfs": str(data_dir / city / "gtfs.zip")},
        "traces": {
            "files": [str(data_dir / city / "vehicle_positions.csv.gz")],
            "columns": str(Path(__file__).parents[1] / "docs" / "columns" / f"{city}.toml"),
        },
    }
    found = assess(city_from(document, Path("city.toml")))
    assert _of(found, "D1").value == 1
    d2, d3 = _of(found, "D2"), _of(found, "D3")
    assert d2.denominator == routes
    assert (d2.value, d2.low, d2.high) == (
        (None, 25 / 29, 27 / 29) if city == "kingston" else (1.0, None, None)
    )  # fmt: skip
    assert (d3.value, d3.numerator) == (None, 147 if city == "kingston" else 31)
