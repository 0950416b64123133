"""Lateness by route and time of day: cells worked by hand, a figure with the right colours, the same bytes."""

import math
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.image import imread

from networks.netxml import read_network
from scenarios.lateness_map import cells, draw_lateness
from tests.made_up import study
from tests.test_transit_report import transit, visit

BLUE, ORANGE = (0, 0x57, 0x9A), (0xC0, 0x4A, 0)


@pytest.fixture(scope="module")
def network(adlershof):
    return read_network(adlershof)


def at(time, deviation_s, punctuality, variant="as shipped"):
    """A visit scheduled at a time of day."""
    text = f"2026-05-13T{time}:00+02:00"
    return replace(visit(variant, 7, deviation_s, punctuality), schedule_departure_time=text)


def content_of(network, visits):
    return study(network, delays_s=(("as shipped", 80.0), ("smart", 60.0)), transit=transit(visits=tuple(visits)))


def test_an_hour_is_told_by_quarters():
    visits = (
        at("07:14", 60.0, "on time"),
        at("07:15", 0.0, "on time"),
        at("07:20", 120.0, "on time"),
        at("07:29", 480.0, "late"),
        at("07:29", math.nan, "missing"),
        at("07:44", math.nan, "not due"),
        at("07:50", math.nan, "missing"),
    )
    found = cells(transit(visits=visits))
    assert sorted(time for _, _, time in found) == ["2026-05-13T07:00", "2026-05-13T07:15", "2026-05-13T07:45"]
    quarter = found["as shipped", "r", "2026-05-13T07:15"]
    assert (quarter.median_min, quarter.on_time_share) == (2.0, 0.5)
    last = found["as shipped", "r", "2026-05-13T07:45"]
    assert math.isnan(last.median_min)
    assert last.on_time_share == 0


def test_a_day_is_told_by_hours_and_the_next_morning_comes_last():
    night = replace(at("00:10", 0.0, "on time"), schedule_departure_time="2026-05-14T00:10:00+02:00")
    visits = (night, *(at(f"{hour:02d}:30", 0.0, "on time") for hour in (5, 6, 7)))
    times = sorted(time for _, _, time in cells(transit(visits=visits)))
    assert times == ["2026-05-13T05:00", "2026-05-13T06:00", "2026-05-13T07:00", "2026-05-14T00:00"]


def test_late_is_orange_and_early_is_blue(network, tmp_path):
    found = {}
    for name, deviation_s in (("late", 400.0), ("early", -400.0)):
        (drawing,) = draw_lateness(tmp_path / name, content_of(network, [at("07:10", deviation_s, "late")]))
        picture = np.rint(imread(drawing.path)[..., :3] * 255)[:, :1200]
        found[name] = [np.abs(picture - colour).max(axis=2) < 12 for colour in (ORANGE, BLUE)]
        assert picture.shape[0] > 100
    assert found["late"][0].sum() > 10_000 > found["late"][1].sum()
    assert found["early"][1].sum() > 10_000 > found["early"][0].sum()


def test_the_same_visits_give_the_same_bytes_and_none_give_none(network, tmp_path):
    visits = [at(f"{hour:02d}:{minute}", 10.0 * hour, "on time") for hour in range(5, 23) for minute in ("05", "35")]
    (first,), (second,) = (draw_lateness(tmp_path / name, content_of(network, visits)) for name in "ab")
    assert first.path.read_bytes() == second.path.read_bytes()
    assert imread(first.path).shape[1] == 1440
    assert draw_lateness(tmp_path, content_of(network, [at("07:10", math.nan, "not due")])) == ()
    assert draw_lateness(tmp_path, study(network)) == ()
