"""Times of feeds, and the moment from which a service day counts them."""

from datetime import UTC, date, datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gtfs.clock import (
    BLANK_S,
    ILLEGIBLE_S,
    local_text,
    local_texts,
    origin_epoch_s,
    origins_apart_s,
    parse_times,
    time_text,
)
from networks.faults import InputError

NEW_YORK = "America/New_York"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("00:00:00", 0),
        ("8:05:09", 29109),
        ("08:05:09", 29109),
        (" 08:05:09 ", 29109),
        ("25:10:00", 90600),
        ("100:00:00", 360000),
        (None, BLANK_S),
        ("", BLANK_S),
        ("  ", BLANK_S),
        ("abc", ILLEGIBLE_S),
        ("-00:10:00", ILLEGIBLE_S),
        ("25:61:61", ILLEGIBLE_S),
        ("25:60:00", ILLEGIBLE_S),
        ("08:05", ILLEGIBLE_S),
        ("08:05:09.5", ILLEGIBLE_S),
        ("\u0660\u0668:05:09", ILLEGIBLE_S),
        ("1000000000000000000000:00:00", ILLEGIBLE_S),
    ],
)
def test_a_text_as_seconds(text, seconds):
    assert parse_times(pd.Series(["01:00:00", text, "01:00:00"], dtype="string")).tolist() == [3600, seconds, 3600]


def test_no_texts_are_no_seconds():
    assert parse_times(pd.Series([], dtype="string")).tolist() == []


def test_seconds_as_text():
    assert [time_text(seconds) for seconds in (0, 29109, 90600, 360000, -600)] == [
        "00:00:00",
        "08:05:09",
        "25:10:00",
        "100:00:00",
        "-00:10:00",
    ]


@given(st.lists(st.integers(0, 999 * 3600), max_size=20))
def test_every_time_survives_being_written(seconds):
    assert parse_times(pd.Series([time_text(second) for second in seconds], dtype="string")).tolist() == seconds


@pytest.mark.parametrize(
    ("zone", "day", "origin"),
    [
        ("Asia/Almaty", date(2026, 1, 28), datetime(2026, 1, 27, 19, tzinfo=UTC)),  # midnight, five hours before London
        (NEW_YORK, date(2026, 3, 7), datetime(2026, 3, 7, 5, tzinfo=UTC)),
        (NEW_YORK, date(2026, 3, 8), datetime(2026, 3, 8, 4, tzinfo=UTC)),  # an hour before midnight
        (NEW_YORK, date(2026, 3, 9), datetime(2026, 3, 9, 4, tzinfo=UTC)),
        (NEW_YORK, date(2026, 11, 1), datetime(2026, 11, 1, 5, tzinfo=UTC)),  # an hour after midnight
    ],
)
def test_a_day_counts_from_twelve_hours_before_noon(zone, day, origin):
    assert origin_epoch_s(day, zone) == origin.timestamp()


@pytest.mark.parametrize(
    ("zone", "earlier", "later", "apart_s"),
    [
        (NEW_YORK, date(2026, 3, 6), date(2026, 3, 7), 86400),
        (NEW_YORK, date(2026, 3, 7), date(2026, 3, 8), 82800),
        (NEW_YORK, date(2026, 3, 8), date(2026, 3, 9), 86400),
        (NEW_YORK, date(2026, 10, 31), date(2026, 11, 1), 90000),
        ("Asia/Almaty", date(2024, 2, 29), date(2024, 3, 1), 90000),  # the city moved to another zone
        ("Asia/Almaty", date(2024, 3, 1), date(2024, 3, 2), 86400),
        ("Australia/Lord_Howe", date(2026, 4, 4), date(2026, 4, 5), 88200),  # half an hour
        (NEW_YORK, date(2026, 3, 8), date(2026, 3, 8), 0),
        (NEW_YORK, date(2026, 3, 8), date(2026, 3, 7), -82800),
    ],
)
def test_days_are_shorter_and_longer_when_clocks_change(zone, earlier, later, apart_s):
    assert origins_apart_s(earlier, later, zone) == apart_s


@pytest.mark.parametrize(
    "zone", ["", "Almaty", "America", "Nowhere/City", "../../etc/passwd", "/etc/passwd", "a\0b", "x" * 5000]
)
def test_a_zone_that_is_none_is_refused(zone):
    with pytest.raises(InputError) as caught:
        origin_epoch_s(date(2026, 1, 28), zone)
    assert (caught.value.code, caught.value.field) == ("GTFS_TIMEZONE", "agency_timezone")


@pytest.mark.parametrize(
    ("day", "seconds", "text"),
    [
        (date(2026, 5, 13), 25200, "2026-05-13T07:00:00-04:00"),
        (date(2026, 5, 13), 86400 + 600, "2026-05-14T00:10:00-04:00"),
        (date(2026, 5, 13), -60.5, "2026-05-12T23:58:59.500000-04:00"),
        # clocks go forward at 2:00: seven hours since noon minus twelve hours are seven o'clock all the same
        (date(2026, 3, 8), 25200, "2026-03-08T07:00:00-04:00"),
        (date(2026, 3, 8), 3600, "2026-03-08T00:00:00-05:00"),
    ],
)
def test_a_moment_as_text(day, seconds, text):
    assert local_text(origin_epoch_s(day, NEW_YORK) + seconds, NEW_YORK) == text


def test_moments_as_columns_round_to_the_second_and_know_summer():
    begin_s = datetime(2026, 3, 8, 6, 59, 59, tzinfo=UTC).timestamp()
    moments = np.array([begin_s, begin_s + 0.4, begin_s + 0.5, np.nan, begin_s + 1, 0.0])
    assert local_texts(moments, NEW_YORK).tolist() == [
        b"2026-03-08T01:59:59-05:00",
        b"2026-03-08T01:59:59-05:00",
        b"2026-03-08T03:00:00-04:00",
        b"",
        b"2026-03-08T03:00:00-04:00",
        b"1969-12-31T19:00:00-05:00",
    ]


def test_no_moments_are_no_texts():
    assert local_texts(np.empty(0), "Asia/Almaty").tolist() == []
    assert local_texts(np.array([np.nan]), "Asia/Almaty").tolist() == [b""]


def test_moments_in_no_zone_are_refused():
    with pytest.raises(InputError, match="GTFS_TIMEZONE"):
        local_texts(np.zeros(1), "Mars/Olympus")


@given(
    st.lists(st.integers(-(2**30), 2**32), max_size=20),
    st.sampled_from([NEW_YORK, "Asia/Kathmandu", "America/St_Johns", "Australia/Lord_Howe", "UTC"]),
)
def test_moments_as_columns_are_moments_one_by_one(moments, zone):
    texts = local_texts(np.array(moments, dtype=np.float64), zone)
    assert [text.decode() for text in texts.tolist()] == [local_text(moment, zone) for moment in moments]
