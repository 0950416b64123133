"""Column maps: what they say, and what is said about those that are wrong."""

from pathlib import Path

import pytest

from gtfs.avl_columns import parse_column_map, read_column_map, resolve_columns
from networks.faults import InputError

COLUMNS = Path(__file__).parents[1] / "docs" / "columns"
SHORT = '[columns]\nvehicle_id = "BUS"\nevent_timestamp = "TIME"\nlatitude = "LAT"\nlongitude = "LON"\n'


def parsed(text: str):
    return parse_column_map(text.encode(), "map.toml")


def fault_of(text: str) -> InputError:
    with pytest.raises(InputError) as caught:
        parsed(text)
    return caught.value


def test_a_short_map_says_where_the_four_needed_things_are():
    columns = parsed(SHORT)
    assert dict(columns.columns) == {
        "vehicle_id": "BUS",
        "event_timestamp": "TIME",
        "latitude": "LAT",
        "longitude": "LON",
    }
    assert (columns.speed_mps, columns.odometer_m) == (1.0, 1.0)
    assert (columns.time_format, columns.date_format, columns.timezone) == (None, None, None)


def test_units_are_factors_to_metres_and_seconds():
    columns = parsed(SHORT + '[units]\nspeed = "km/h"\nodometer = "mi"\n')
    assert columns.speed_mps * 36 == pytest.approx(10)
    assert columns.odometer_m == 1609.344


@pytest.mark.parametrize("name", ["kingston", "washington", "portland"])
def test_the_examples_are_sound(name):
    assert "vehicle_id" in read_column_map(COLUMNS / f"{name}.toml").columns


@pytest.mark.parametrize(
    ("text", "field", "said"),
    [
        (SHORT + 'latitud = "LAT"\n', "columns.latitud", "Did you mean 'latitude'?"),
        ("[column]\n", "column", "Did you mean 'columns'?"),
        (SHORT + '[units]\nspeeds = "mph"\n', "units.speeds", "Did you mean 'speed'?"),
        (SHORT + '[time]\nzone = "UTC"\n', "time.zone", "Did you mean 'timezone'?"),
    ],
)
def test_an_unknown_key_names_the_nearest_known_one(text, field, said):
    fault = fault_of(text)
    assert (fault.code, fault.field) == ("CONFIG_KEY", field)
    assert said in fault.remedy


@pytest.mark.parametrize(
    ("text", "field", "said"),
    [
        ("[columns", None, "not readable as TOML"),
        ("", "columns.vehicle_id", "no column for vehicle_id and latitude and longitude and event_timestamp"),
        (SHORT.replace('"LAT"', "3"), "columns.latitude", "3 is not a text in quotes"),
        ("columns = 1", "columns", "1 is not a table"),
        (SHORT + 'service_seconds = "S"\n', "columns.service_seconds", "two columns for the time"),
        (SHORT + '[units]\nspeed = "knots"\n', "units.speed", "'knots' is not one of m/s, km/h, mph"),
        (SHORT + '[time]\nevent_timestamp = "unix"\n', "time.event_timestamp", "'unix' is not 'epoch' or 'iso' or a"),
        (SHORT + '[time]\ntimezone = "Almaty"\n', "time.timezone", "'Almaty' is no time zone"),
        (
            SHORT.replace("event_timestamp", "service_seconds") + 'service_date = "D"\n',
            "time.timezone",
            "seconds of the service day without a time zone",
        ),
    ],
)
def test_a_map_that_cannot_be_used_says_why(text, field, said):
    fault = fault_of(text)
    assert (fault.code, fault.field) == ("CONFIG_VALUE", field)
    assert said in fault.what


def test_a_column_that_the_file_lacks_is_named_with_those_it_has():
    with pytest.raises(InputError) as caught:
        resolve_columns(parsed(SHORT), ["BUS", "TIME", "LATT", "LON"], "trace.csv")
    fault = caught.value
    assert (fault.code, fault.file, fault.field) == ("AVL_COLUMN", "trace.csv", "latitude")
    assert fault.what == "no column 'LAT' among BUS, TIME, LATT, LON"
    assert fault.remedy == "Did you mean 'LATT'?"


def test_a_column_that_stands_twice_is_refused_only_where_it_is_used():
    names = ["BUS", "TIME", "LAT", "LON", "NOTE", "NOTE"]
    assert resolve_columns(parsed(SHORT), names, "trace.csv").columns["vehicle_id"] == "BUS"
    with pytest.raises(InputError) as caught:
        resolve_columns(parsed(SHORT), [*names, "LAT"], "trace.csv")
    assert (caught.value.code, caught.value.what) == ("AVL_COLUMN", "the column 'LAT' stands twice")


def test_without_a_map_only_tides_is_understood_and_a_map_is_shown():
    tides = ["location_ping_id", "event_timestamp", "vehicle_id", "latitude", "longitude", "speed"]
    assert set(resolve_columns(None, tides, "vehicle_locations.csv").columns) == set(tides) - {"location_ping_id"}
    with pytest.raises(InputError) as caught:
        resolve_columns(None, ["bus", "when"], "trace.csv")
    assert caught.value.code == "AVL_COLUMN"
    shown = caught.value.remedy.partition("such as:\n")[2]
    assert "vehicle_id" in parsed(shown).columns
