"""Times of positions; the oracle is Python's own zones, one time after the other."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gtfs.avl_times import from_wall, service_dates, service_times, start_times, times
from gtfs.avl_values import labels
from gtfs.pings import Labels
from networks.faults import InputError

ZONES = ["America/Toronto", "America/Los_Angeles", "Asia/Almaty", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"]
MOMENTS = st.datetimes(datetime(1971, 1, 1), datetime(2099, 1, 1))  # noqa: DTZ001 - wall times
CHANGES = st.sampled_from(
    [datetime(2026, 3, 8), datetime(2026, 11, 1), datetime(2024, 3, 1), datetime(2026, 4, 5), datetime(2026, 10, 4)]  # noqa: DTZ001
)
NEAR_CHANGES = st.builds(lambda day, minutes: day + timedelta(minutes=minutes), CHANGES, st.integers(-1500, 3000))


def as_labels(texts: list[str]) -> Labels:
    return labels(pa.array(texts))


def column(*texts: str | None) -> pa.Array:
    return pa.array(texts, type=pa.string())


@given(walls=st.lists(MOMENTS | NEAR_CHANGES, min_size=1, max_size=20), zone=st.sampled_from(ZONES))
@settings(deadline=None)
def test_wall_times_are_as_the_zone_has_them(walls, zone):
    wall_s = np.array([wall.replace(tzinfo=UTC).timestamp() for wall in walls])
    expected = [wall.replace(tzinfo=ZoneInfo(zone)).timestamp() for wall in walls]
    np.testing.assert_allclose(from_wall(wall_s, zone), expected, atol=1e-5)


def test_the_doubled_hour_of_autumn_is_taken_for_the_first():
    half_past_one = datetime(2026, 11, 1, 1, 30, tzinfo=UTC).timestamp()
    found = from_wall(np.array([half_past_one]), "America/Toronto")
    assert datetime.fromtimestamp(found[0], UTC) == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)


NOON_S = datetime(2026, 5, 13, 12, tzinfo=UTC).timestamp()


N = np.nan


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["2026-05-13T12:00:00Z", "2026-05-13T14:00:00+02:00"], [NOON_S, NOON_S]),
        (["2026-05-13 17:00:00", "2026-05-13T17:00"], [NOON_S, NOON_S]),
        (["1778673600", "1.7786736e9"], [NOON_S, NOON_S]),
        (["2026-05-13T12:00:00Z", "2026-05-13 17:00:00", "1778673600", None], [NOON_S, NOON_S, NOON_S, N]),
        (["2026-05-13T12:00:00Z", "soon", "2026-05-13", ""], [NOON_S, N, N, N]),
    ],
)
def test_epoch_seconds_and_iso_times_are_told_apart_by_themselves(texts, expected):
    np.testing.assert_array_equal(times(column(*texts), None, "Asia/Almaty"), expected)


def test_fractions_and_nanoseconds_are_kept_to_the_microsecond():
    found = times(column("2026-05-13T12:00:00.25Z", "2026-05-13T12:00:00.123456789Z"), "iso", None)
    np.testing.assert_allclose(found - NOON_S, [0.25, 0.123456], atol=2e-6)


def test_a_format_reads_what_it_describes_and_no_day_that_there_is_not():
    written = "%d/%m/%Y %H:%M:%S"
    found = times(column("13/05/2026 17:00:00", "31/02/2026 17:00:00", "5/13/2026", ""), written, "Asia/Almaty")
    np.testing.assert_array_equal(found, [NOON_S, np.nan, np.nan, np.nan])


def test_a_format_with_an_offset_needs_no_zone():
    assert times(column("13.05.2026 14:00 +0200"), "%d.%m.%Y %H:%M %z", None) == [NOON_S]


@pytest.mark.parametrize(
    "kind", [pa.timestamp("s", "UTC"), pa.timestamp("ns", "America/Toronto"), pa.int64(), pa.float64(), pa.uint32()]
)
def test_parquet_times_are_read_by_their_type(kind):
    whole = pa.array([int(NOON_S), None], type=pa.int64())
    stamps = whole.cast(pa.timestamp("s", "UTC")) if pa.types.is_timestamp(kind) else whole
    np.testing.assert_array_equal(times(stamps.cast(kind), None, None), [NOON_S, np.nan])


def test_stamps_without_a_zone_are_wall_time():
    walls = pa.array([datetime(2026, 5, 13, 17)], type=pa.timestamp("us"))  # noqa: DTZ001
    assert times(walls, None, "Asia/Almaty") == [NOON_S]


@pytest.mark.parametrize(("texts", "written"), [(["2026-05-13 17:00:00"], "iso"), (["13.05.26 17"], "%d.%m.%y %H")])
def test_wall_times_without_a_zone_are_refused(texts, written):
    with pytest.raises(InputError) as caught:
        times(column(*texts), written, None)
    assert caught.value.code == "AVL_TIMEZONE"


def test_seconds_of_a_service_day_count_from_noon_minus_twelve_hours():
    days, wrong = service_dates(as_labels(["07MAR2026", "08MAR2026", "31FEB2026", ""]), "%d%b%Y")
    assert days.texts == ("20260307", "20260308")
    assert wrong.tolist() == [False, False, True, False]
    found = service_times(days, np.array([90_000.0, 43_200.0, 1.0, 1.0]), "America/Los_Angeles")
    assert datetime.fromtimestamp(found[0], UTC) == datetime(2026, 3, 8, 9, tzinfo=UTC)
    assert datetime.fromtimestamp(found[1], UTC) == datetime(2026, 3, 8, 19, tzinfo=UTC)
    assert np.isnan(found[2:]).all()


def test_service_days_and_starts_are_written_as_realtime_writes_them():
    days, _ = service_dates(as_labels(["2026-05-13", "20260513", "2026-05-13 00:00:00"]), None)
    assert (days.texts, days.codes.tolist()) == (("20260513",), [0, 0, 0])
    starts, wrong = start_times(as_labels(["7:05:00", "25:10:00", "07:05:00", "7h", "07:61:00"]))
    assert (starts.texts, starts.codes.tolist()) == (("07:05:00", "25:10:00"), [0, 1, 0, -1, -1])
    assert wrong.tolist() == [False, False, False, True, True]
