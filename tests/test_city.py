"""A city's file and its tables: every fault named, none of them a traceback; and editions, which are files too."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from networks.faults import InputError
from scenarios.city import METHODS, SECTIONS, city_from, read_city
from scenarios.edition import EDITIONS, IDS, edition_from, find_edition
from scenarios.scenario_check import ScenarioError
from tests.command import bagdar
from tests.made_city import DOCUMENT, write_tables

HERE = Path("city.toml")


def _faults(document: dict[str, Any], path: Path = HERE) -> dict[str, str]:
    with pytest.raises(ScenarioError) as caught:
        city_from(document, path)
    return {str(fault.field): fault.code for fault in caught.value.faults}


def test_everything_is_optional():
    city = city_from({}, Path("almaty.toml"))
    assert city.name == "almaty"
    assert not city.is_synthetic
    parts = (city.transit, city.traces, city.fleet, city.fares, city.network, city.crashes, city.stops, city.charging)
    assert parts == (None,) * 8


def test_all_faults_are_told_at_once():
    assert _faults({
        "city": {"name": " ", "synthetic": "no"},
        "bus": {},
        "transit": {"gtfs": "missing.zip", "date": "2026-13-01", "day": 1},
        "traces": {"files": "positions.csv"},
        "fleet": {"file": "fleet.csv", "vehicles": 3},
        "fares": {"payments": {"electronic": 5, "all": 3}, "routes": 7},
        "hotspots": {"method": "luck", "top": 0, "years": 1.5, "rule": "mars"},
        "lights": {"smart": [1], "count": "lamps"},
        "stops": {"amenities": "stops.csv", "smart_needs": ["sofa"]},
        "charging": {"within_m": float("nan")},
    }) == {
        "city.name": "CONFIG_VALUE", "city.synthetic": "CONFIG_VALUE", "bus": "CONFIG_KEY",
        "transit.gtfs": "FILE_MISSING", "transit.date": "CONFIG_VALUE", "transit.day": "CONFIG_KEY",
        "traces.files": "CONFIG_VALUE", "fleet": "CONFIG_VALUE", "fares.payments": "CONFIG_VALUE",
        "fares.routes": "CONFIG_VALUE", "hotspots.method": "CONFIG_VALUE", "hotspots.top": "CONFIG_VALUE",
        "hotspots.years": "CONFIG_VALUE", "hotspots.rule": "FILE_MISSING", "lights.smart": "CONFIG_VALUE",
        "lights.count": "CONFIG_VALUE", "stops.amenities": "FILE_MISSING", "stops.smart_needs": "CONFIG_VALUE",
        "charging.chargers": "CONFIG_VALUE", "charging.within_m": "CONFIG_VALUE",
    }  # fmt: skip


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
KEYS = sorted(
    {key for table in DOCUMENT.values() for key in table} | {"rule", "method", "top", "smart", "count", "date"}
)


@settings(max_examples=150, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(SECTIONS) | st.text(max_size=8),
        st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=4) | VALUES,
        max_size=6,
    )
)
def test_no_document_does_worse_than_name_its_faults(document):
    try:
        city = city_from(document, HERE)
    except InputError:
        return
    assert city.high.method in METHODS
    assert city.name.strip()


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from(["edition", "band", "indicator"]), st.lists(VALUES, max_size=3) | VALUES))
def test_no_edition_does_worse_than_name_its_faults(document):
    with pytest.raises(InputError):
        edition_from(document, HERE)


@pytest.mark.parametrize("text", [b"name = ", b"\xff\xfe\x00", b"a = " + b"[" * 20_000, b'[city]\nname = "\x00"'])
def test_what_is_no_toml_is_told_in_one_line(tmp_path, text):
    (tmp_path / "city.toml").write_bytes(text)
    done = bagdar("scorecard", "city.toml", "-o", "out", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("bagdar: CONFIG_TOML: ")
    assert len(done.stderr.splitlines()) == 1


HOSTILE = {
    "fleet.csv": (b"bus\nv1\n", "CITY_COLUMNS"),
    "fare-routes.csv": (b"route_id,electronic\nA\n", "CSV_ROW"),
    "fare-vehicles.csv": (b"vehicle_id,electronic\n\xff,yes\n", "CSV_ENCODING"),
    "payments.csv": (b"electronic,all\n5,3\n", "CITY_VALUE"),
    "stops.csv": (b"stop_id,sofa\nA1,yes\n", "AMENITY_COLUMNS"),
    "chargers.csv": (b"power_kw\n50\n", "CHARGER_COLUMNS"),
    "depots.csv": (b"lat,lon\n95,70\n", "CITY_VALUE"),
    "people.csv": (b"lat,lon,people\n43,76,many\n", "CITY_VALUE"),
    "gtfs.zip": (b"PK\x03\x04 no archive", "ZIP_CORRUPT"),
    "positions.csv": (b"location_ping_id,\xff\n", "CSV_ENCODING"),
}

TOML = """\
[transit]
gtfs = "gtfs.zip"
date = 2026-03-04
[traces]
files = ["positions.csv"]
[fleet]
file = "fleet.csv"
[fares]
routes = "fare-routes.csv"
vehicles = "fare-vehicles.csv"
payments = "payments.csv"
[stops]
amenities = "stops.csv"
[charging]
chargers = "chargers.csv"
depots = "depots.csv"
population = "people.csv"
"""


@pytest.fixture
def written(tmp_path: Path) -> Path:
    write_tables(tmp_path)
    (tmp_path / "city.toml").write_text(TOML, encoding="utf-8")
    return tmp_path


def test_the_file_on_paper_is_read(written):
    city = read_city(written / "city.toml")
    assert city.transit is not None
    assert str(city.transit.day) == "2026-03-04"
    assert bagdar("scorecard", "city.toml", "-o", "out", cwd=written).returncode == 0


@pytest.mark.parametrize("name", HOSTILE)
def test_a_wrong_table_ends_the_command_with_one_line(written, name):
    content, code = HOSTILE[name]
    (written / name).write_bytes(content)
    done = bagdar("scorecard", "city.toml", "-o", "out", cwd=written)
    assert done.returncode == 2
    faults = [line for line in done.stderr.splitlines() if line.startswith("bagdar: ")]
    assert len(faults) == 1
    assert faults[0].startswith(f"bagdar: {code}: ")
    assert name in faults[0]
    assert not (written / "out" / "scorecard.csv").exists()


def test_words_that_are_neither_yes_nor_no_are_unknown_and_noted(written):
    (written / "fare-routes.csv").write_text("route_id,electronic\nA,maybe\nA,yes\nZ,yes\nB,no\nC,no\n", "utf-8")
    done = bagdar("scorecard", "city.toml", "-o", "out", cwd=written)
    assert done.returncode == 0
    for code in ("CITY_WORD", "CITY_ID", "CITY_STRANGER"):
        assert code in done.stderr


def test_the_editions_that_come_along_are_sound():
    for name in EDITIONS:
        edition = find_edition(name)
        assert [rule.indicator_id for rule in edition.rules] == list(IDS)
        assert edition.source
        assert edition.version
    assert find_edition("academic").gives_points
    assert not find_edition("template").gives_points


@pytest.mark.parametrize(
    ("percent", "points"),
    [(0, 1), (20, 1), (20.5, 2), (21, 2), (40, 2), (41, 3), (60, 3), (61, 4), (80, 4), (81, 5), (100, 5)],
)
def test_the_academic_bands_are_fifths_of_all(percent, points):
    assert find_edition("academic").rules[0].points(percent / 100) == 2 * points


EDITION = {
    "edition": {"name": "mine", "version": "3", "date": "2026-01-01", "source": "order 1"},
    "indicator": [{"id": "T1", "maximum": 8, "weight": 0.5}, {"id": "D1", "maximum": 4}],
}


def test_without_bands_a_share_earns_its_part():
    edition = edition_from(EDITION, HERE)
    assert [rule.indicator_id for rule in edition.rules] == ["D1", "T1"]  # the standard's order
    assert edition.rules[1].points(0.25) == 1.0


def test_an_indicator_may_have_bands_of_its_own():
    bands = [{"up_to": 0.5, "points": 0}, {"up_to": 1, "points": 4}]
    rows = [{"id": "D1", "maximum": 4, "band": bands}, {"id": "D2", "maximum": 4}]
    d1, d2 = edition_from(EDITION | {"indicator": rows}, HERE).rules
    assert (d1.points(0.5), d1.points(0.51), d2.points(0.5)) == (0, 4, 2)


def test_faults_of_an_edition_are_told_at_once():
    document = {
        "edition": {"date": "soon"},
        "band": [{"up_to": 0.5, "points": 9}, {"up_to": 0.4, "points": 1}],
        "indicator": [{"id": "D1", "maximum": 5}, {"id": "D1"}, {"id": "X9"}, {}],
    }
    with pytest.raises(ScenarioError) as caught:
        edition_from(document, HERE)
    assert [fault.field for fault in caught.value.faults] == [
        "band", "indicator[1].maximum", "indicator[3].id", "indicator[4].id", "indicator.id",
        "edition.version", "edition.date", "edition.source",
    ]  # fmt: skip


def test_an_edition_of_ones_own_is_checked_like_any(tmp_path):
    (tmp_path / "city.toml").write_text("", encoding="utf-8")
    (tmp_path / "mine.toml").write_text('[edition]\nname = "x"\n', encoding="utf-8")
    for words, code in ((("mine.toml",), "CONFIG_VALUE"), (("none.toml",), "FILE_MISSING"), (("x",), "CONFIG_VALUE")):
        done = bagdar("scorecard", "city.toml", "-o", "out", "--edition", *words, cwd=tmp_path)
        assert done.returncode == 2
        assert all(line.startswith(f"bagdar: {code}: ") for line in done.stderr.splitlines())
