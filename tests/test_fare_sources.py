"""Fares and stops in scenario files: at the top, by variant, and every fault with its key."""

import pytest

from gtfs.amenities import FEATURES
from scenarios.fare_sources import FareSource, StopSource
from scenarios.scenario import read_scenario
from scenarios.scenario_check import ScenarioError
from tests.test_scenario import GOOD, TRANSIT

FARES = "[fares]\nelectronic_share = 0.6\nboardings_per_h = 20\n"
STOPS = '[stops]\namenities = "stops.csv"\n'
BOTH = f"{TRANSIT}{FARES}{STOPS}"
WITHOUT = 'controller = "static"\n'


def read(folder, text):
    for name in ("a.net.xml.gz", "feed.zip", "stops.csv", "more.csv", "boardings.csv"):
        (folder / name).touch()
    path = folder / "x.toml"
    path.write_text(text)
    return read_scenario(path)


def faults(folder, text):
    with pytest.raises(ScenarioError) as caught:
        read(folder, text)
    return [(fault.code, fault.field) for fault in caught.value.faults]


def test_at_the_top_they_hold_for_all_variants(tmp_path):
    found = read(tmp_path, BOTH)
    fares, stops = FareSource(0.6, boardings_per_h=20.0), StopSource(tmp_path / "stops.csv", FEATURES)
    assert [(variant.fares, variant.stops) for variant in found.variants] == [(fares, stops)] * 2
    assert fares.is_synthetic
    assert tmp_path / "stops.csv" in found.input_files()


def test_a_variant_changes_how_they_pay_and_what_stops_offer_but_not_who_they_are(tmp_path):
    change = (
        'fares = { electronic_share = 1.0, electronic = "prepaid", cash = "ticket" }\n'
        'stops = { amenities = "more.csv", features = ["enclosed"] }\n'
    )
    text = BOTH.replace(WITHOUT, WITHOUT + change, 1).replace("boardings_per_h = 20", 'boardings = "boardings.csv"')
    first, second = read(tmp_path, text).variants
    assert first.fares == FareSource(1.0, "prepaid", "ticket", tmp_path / "boardings.csv")
    assert first.stops == StopSource(tmp_path / "more.csv", ("enclosed",))
    assert second.fares == FareSource(0.6, boardings=tmp_path / "boardings.csv")
    assert not second.fares.is_synthetic
    assert {tmp_path / name for name in ("stops.csv", "more.csv", "boardings.csv")} <= set(
        read(tmp_path, text).input_files()
    )


def test_a_variant_alone_may_have_stops(tmp_path):
    text = TRANSIT.replace(WITHOUT, f'{WITHOUT}stops = {{ amenities = "stops.csv" }}\n', 1)
    assert [variant.stops is not None for variant in read(tmp_path, text).variants] == [True, False]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (BOTH.replace("0.6", "1.1"), ("CONFIG_VALUE", "fares.electronic_share")),
        (BOTH.replace("0.6", "-0.1"), ("CONFIG_VALUE", "fares.electronic_share")),
        (BOTH.replace("0.6", '"most"'), ("CONFIG_VALUE", "fares.electronic_share")),
        (BOTH.replace("electronic_share = 0.6\n", ""), ("CONFIG_VALUE", "fares.electronic_share")),
        (BOTH.replace("boardings_per_h = 20\n", ""), ("CONFIG_VALUE", "fares")),
        (BOTH.replace("boardings_per_h = 20", "boardings_per_h = -1"), ("CONFIG_VALUE", "fares.boardings_per_h")),
        (BOTH.replace("boardings_per_h = 20", 'boardings = "none.csv"'), ("FILE_MISSING", "fares.boardings")),
        (BOTH.replace("20\n", '20\ncash = "shells"\n'), ("CONFIG_VALUE", "fares.cash")),
        (BOTH.replace("20\n", "20\nelektronic = 1\n"), ("CONFIG_KEY", "fares.elektronic")),
        (BOTH.replace("stops.csv", "none.csv"), ("FILE_MISSING", "stops.amenities")),
        (BOTH + 'features = ["roof"]\n', ("CONFIG_VALUE", "stops.features")),
        (BOTH + "features = []\n", ("CONFIG_VALUE", "stops.features")),
        (GOOD + FARES, ("CONFIG_VALUE", "fares")),
        (GOOD + STOPS, ("CONFIG_VALUE", "stops")),
        (
            TRANSIT.replace(WITHOUT, f"{WITHOUT}fares = {{ electronic_share = 1.0 }}\n", 1),
            ("CONFIG_VALUE", "variant[1].fares"),
        ),
        (
            BOTH.replace(WITHOUT, f"{WITHOUT}fares = {{ electronic_share = 2 }}\n", 1),
            ("CONFIG_VALUE", "variant[1].fares.electronic_share"),
        ),
        (
            BOTH.replace(WITHOUT, f"{WITHOUT}fares = {{ boardings_per_h = 2 }}\n", 1),
            ("CONFIG_KEY", "variant[1].fares.boardings_per_h"),
        ),
    ],
)
def test_faults_are_named(tmp_path, text, found):
    assert faults(tmp_path, text) == [found]
