"""GTFS-Realtime in and out; the oracle is the public bindings, and messages that an agency published."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from google.transit.gtfs_realtime_pb2 import FeedMessage
from hypothesis import given, settings
from hypothesis import strategies as st

from gtfs.avl import read_pings
from gtfs.avl_batch import rows_left_out
from gtfs.realtime import (
    Alert,
    Cause,
    Effect,
    Informed,
    StopEvent,
    StopRelation,
    StopTimeUpdate,
    TripUpdate,
    alerts_message,
    trip_updates_message,
)
from gtfs.realtime_positions import message_batch, parse_positions
from networks.faults import InputError
from tests.made_positions import bus, positions

NOON_S = 1778673600
UPDATE = TripUpdate(
    trip_id="T1",
    start_date="20260513",
    route_id="R1",
    vehicle_id="12",
    timestamp_s=NOON_S,
    delay_s=95,
    stops=(
        StopTimeUpdate(1, "S1", StopEvent(NOON_S, 60), StopEvent(NOON_S + 30, 90)),
        StopTimeUpdate(2, "S2", relation=StopRelation.SKIPPED),
        StopTimeUpdate(3, "S3", relation=StopRelation.NO_DATA),
        StopTimeUpdate(4, arrival=StopEvent(delay_s=0)),
    ),
)
ALERT = Alert(
    id="detour-T1",
    header="Route 1 runs by another way",
    description="Stop S2 is not served",
    cause=Cause.CONSTRUCTION,
    effect=Effect.DETOUR,
    begin_s=NOON_S,
    informed=(Informed(route_id="R1", stop_id="S2"), Informed(trip_id="T1", start_date="20260513")),
)


def fault_of(content: bytes) -> InputError:
    with pytest.raises(InputError) as caught:
        parse_positions(content, "feed.pb")
    return caught.value


def texts(labels) -> list[str]:
    return [labels.texts[code] if code >= 0 else "" for code in labels.codes]


def test_a_message_becomes_columns():
    content = positions(
        [
            bus("12", NOON_S, trip_id="T1", route_id="R1", start_date="20260513", start_time="7:05:00", bearing=90),
            bus("13", NOON_S - 20, speed=10.5, odometer=1500, latitude=43.5),
        ],
        told_s=NOON_S + 5,
    )
    batch = message_batch(parse_positions(content, "feed.pb"))
    pings = batch.pings
    assert texts(pings.vehicle) == ["12", "13"]
    assert [texts(part) for part in (pings.trip, pings.route, pings.start_date, pings.start_time)] == [
        ["T1", ""],
        ["R1", ""],
        ["20260513", ""],
        ["07:05:00", ""],
    ]
    assert pings.time_s.tolist() == [NOON_S, NOON_S - 20]
    assert pings.lat.tolist() == [43.25, 43.5]
    np.testing.assert_allclose(pings.lon, 76.95, atol=4e-6)  # degrees travel as 32-bit numbers
    np.testing.assert_array_equal(pings.heading_deg, [90, np.nan])
    np.testing.assert_array_equal(pings.speed_mps, [np.nan, 10.5])
    np.testing.assert_array_equal(pings.odometer_m, [np.nan, 1500])
    assert batch.told_s.tolist() == [NOON_S + 5] * 2
    assert batch.notices == ()


def test_rows_that_cannot_be_true_are_counted_by_entity():
    vehicles = [
        bus("12", NOON_S),
        bus("12", NOON_S, latitude=float("nan")),
        {"id": "12", "timestamp": NOON_S},
        bus("", NOON_S),
        bus("12", NOON_S * 1000),
        bus("12", NOON_S - 301),
        bus("12", NOON_S + 61),
        bus("12", NOON_S, latitude=0, longitude=0),
        bus("12", NOON_S, speed=61, bearing=-1, start_date="soon"),
        {"id": "12", "latitude": 43.25, "longitude": 76.95},
    ]
    batch = message_batch(parse_positions(positions(vehicles, NOON_S), "feed.pb"))
    assert len(batch.pings) == 3
    assert batch.pings.time_s.tolist() == [NOON_S] * 3
    assert np.isnan([batch.pings.speed_mps[1], batch.pings.heading_deg[1]]).all()
    found = sorted((notice.row, notice.code, notice.field, notice.value, notice.count) for notice in batch.notices)
    assert found == [
        (1, "RT_RANGE", "vehicle.position.latitude", "nan", 2),
        (3, "RT_RANGE", "vehicle.vehicle.id", "", 1),
        (4, "RT_RANGE", "vehicle.timestamp", "1778673600000", 1),
        (5, "RT_STALE", "vehicle.timestamp", "1778673299", 1),
        (6, "RT_RANGE", "vehicle.timestamp", "1778673661", 1),
        (7, "RT_RANGE", "vehicle.position.latitude", "0.0", 1),
        (8, "RT_RANGE", "vehicle.position.bearing", "-1.0", 1),
        (8, "RT_RANGE", "vehicle.position.speed", "61.0", 1),
        (8, "RT_RANGE", "vehicle.trip.start_date", "soon", 1),
        (9, "RT_RANGE", "vehicle.timestamp", "", 1),
    ]


def test_a_vehicle_without_an_id_goes_by_its_label():
    message = FeedMessage()
    message.ParseFromString(positions([bus("", NOON_S)]))
    message.entity[0].vehicle.vehicle.label = "Bus 7"
    batch = message_batch(parse_positions(message.SerializeToString(), "feed.pb"))
    assert texts(batch.pings.vehicle) == ["Bus 7"]


def test_a_feed_at_night_has_no_vehicles():
    assert len(message_batch(parse_positions(positions([], NOON_S), "feed.pb")).pings) == 0


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "it is empty"),
        (b"\n<!DOCTYPE html><html></html>", "this is HTML"),
        (b"<html>503</html>", "this is HTML"),
        (b"<?xml version='1.0'?><Siri/>", "this is XML"),
        (json.dumps({"error": "no key"}).encode(), "this is JSON"),
        (b"key is missing\n", "this is text"),
        (b"PK\x03\x04....", "this is a zip archive"),
        (b"\x1f\x8b\x08....", "this is compressed by gzip"),
        (b"\x00\x01\x02", "this is no whole GTFS-Realtime message"),
        (positions([bus("12", NOON_S)] * 9)[:-3], "this is no whole GTFS-Realtime message"),
        (positions([bus("12", NOON_S)]) + b"\x7a\x00", "this is no whole GTFS-Realtime message"),
        (trip_updates_message([UPDATE], NOON_S), "this is a TripUpdates message; give VehiclePositions"),
        (alerts_message([ALERT], NOON_S), "this is a Alerts message; give VehiclePositions"),
    ],
)
def test_what_is_no_message_of_positions_is_named(content, said):
    fault = fault_of(content)
    assert (fault.code, fault.file) == ("RT_PARSE", "feed.pb")
    assert fault.what.startswith(said)


def test_an_agencys_trip_updates_are_told_from_positions(data_dir):
    with pytest.raises(InputError) as caught:
        list(read_pings([data_dir / "kingston" / "trip_updates_pb.zip"]))
    assert (caught.value.code, "give VehiclePositions" in caught.value.what) == ("RT_PARSE", True)


def fleet() -> bytes:
    return positions(
        [
            bus(f"{number}", NOON_S - number, trip_id=f"T{number}", start_date="20260513", speed=10, bearing=number)
            for number in range(20)
        ],
        NOON_S,
    )


@given(data=st.data(), flips=st.integers(1, 4), cut=st.booleans())
@settings(deadline=None, max_examples=300)
def test_a_damaged_message_is_refused_or_within_range(data, flips, cut):
    content = bytearray(fleet())
    for _ in range(flips):
        content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    if cut:
        del content[data.draw(st.integers(0, len(content))) :]
    try:
        pings = message_batch(parse_positions(bytes(content), "feed.pb")).pings
    except InputError as fault:
        assert fault.code == "RT_PARSE"  # noqa: PT017 - one of two outcomes
        return
    assert (np.abs(pings.lat) <= 90).all()
    assert (np.abs(pings.lon) <= 180).all()
    assert ((pings.time_s >= 946684800) & (pings.time_s < 4102444800)).all()
    assert (pings.vehicle.codes >= 0).all()
    assert not ((pings.speed_mps < 0) | (pings.speed_mps > 60)).any()
    assert all(pings.vehicle.texts)


@given(cut=st.integers(0, len(fleet()) - 1))
@settings(deadline=None)
def test_a_message_cut_inside_an_entity_is_refused(cut):
    content = fleet()
    bounds, message = set(), FeedMessage.FromString(content)
    while True:
        bounds.add(message.ByteSize())
        if not message.entity:
            break
        del message.entity[-1]
    if cut in bounds:
        assert len(message_batch(parse_positions(content[:cut], "feed.pb")).pings) < 20
    else:
        assert fault_of(content[:cut]).code == "RT_PARSE"


def write_fleet(folder: Path, times_s: list[int]) -> list[str]:
    """Messages whose names are in no order of time."""
    names = [f"{time_s % 7}-{time_s}.pb" for time_s in times_s]
    for name, time_s in zip(names, times_s, strict=True):
        (folder / name).write_bytes(positions([bus("12", time_s), bus("13", time_s - 1)], time_s))
    return names


def test_a_folder_and_a_zip_are_read_in_the_order_of_their_headers(tmp_path):
    times_s = [NOON_S + 15 * step for step in range(10)]
    folder = tmp_path / "folder"
    folder.mkdir()
    write_fleet(folder, times_s)
    last = folder / f"{times_s[-1] % 7}-{times_s[-1]}.pb"
    header_last = last.read_bytes()
    begin = 2 + header_last[1]
    last.write_bytes(header_last[begin:] + header_last[:begin])
    (folder / ".hidden").write_text("not a message")
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for path in sorted(folder.glob("*.pb")):
            archive.write(path, f"day/{path.name}")
        archive.writestr("__MACOSX/day/._1.pb", b"fork")
    for source in (folder, tmp_path / "all.zip"):
        (batch,) = read_pings([source])
        assert batch.pings.time_s.tolist() == [time_s - late for time_s in times_s for late in (0, 1)]
        assert texts(batch.pings.vehicle) == ["12", "13"] * 10


def test_messages_that_cannot_be_read_are_told_with_the_first_and_their_count_and_the_rest_is_read(tmp_path):
    write_fleet(tmp_path, [NOON_S])
    (tmp_path / "w.pb").write_bytes(b"<html>")
    (tmp_path / "x.pb").write_bytes(b"")
    (tmp_path / "y.pb").write_bytes(positions([bus("14", NOON_S, latitude=91)] * 2, NOON_S + 60))
    (tmp_path / "z.pb").write_bytes(positions([bus("14", NOON_S, trip_id="T12345")]).replace(b"T12345", b"T\xff2345"))
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for path in sorted(tmp_path.glob("*.pb")):
            archive.write(path, path.name)
    (tmp_path / "all.zip").rename(tmp_path.parent / "all.zip")
    for source in (tmp_path, tmp_path.parent / "all.zip"):
        (batch,) = read_pings([source])
        assert texts(batch.pings.vehicle) == ["12", "13"]
        told = {notice.code: notice for notice in batch.notices}
        assert {code: (n.severity, n.file, n.row, n.count) for code, n in told.items()} == {
            "RT_PARSE": ("error", f"{source}/w.pb", None, 3),
            "RT_RANGE": ("warning", f"{source}/y.pb", 0, 2),
        }
        assert told["RT_PARSE"].value == "this is HTML, a page for people"
        assert rows_left_out(batch.notices) == 2


def test_a_folder_of_which_nothing_can_be_read_is_refused_with_the_first(tmp_path):
    (tmp_path / "x.pb").write_bytes(b"<html>")
    (tmp_path / "z.pb").write_bytes(positions([bus("14", NOON_S, trip_id="T12345")]).replace(b"T12345", b"T\xff2345"))
    with pytest.raises(InputError) as caught:
        list(read_pings([tmp_path]))
    assert (caught.value.code, caught.value.file) == ("RT_PARSE", str(tmp_path / "x.pb"))


def test_a_day_of_messages_every_five_seconds_is_read_from_one_zip(tmp_path):
    message = positions([bus("12", NOON_S)], NOON_S)
    with zipfile.ZipFile(tmp_path / "day.zip", "w") as archive:
        for number in range(17_280):
            archive.writestr(f"{number}.pb", message)
    assert sum(len(batch.pings) for batch in read_pings([tmp_path / "day.zip"])) == 17_280


def test_what_holds_no_messages_is_told(tmp_path):
    with pytest.raises(InputError) as caught:
        list(read_pings([tmp_path]))
    assert caught.value.code == "AVL_EMPTY"
    (tmp_path / "a.csv").write_text("vehicle_id\n")
    with pytest.raises(InputError) as caught:
        list(read_pings([tmp_path]))
    assert (caught.value.code, caught.value.what.startswith("a.csv is a table")) == ("RT_PARSE", True)
    with pytest.raises(InputError) as caught:
        list(read_pings(["http://127.0.0.1/feed.pb"]))
    assert caught.value.code == "FILE_MISSING"


def test_messages_without_an_ending_are_known_by_their_bytes(tmp_path):
    (tmp_path / "feed").write_bytes(fleet())
    (batch,) = read_pings([tmp_path / "feed"])
    assert len(batch.pings) == 20


def test_trip_updates_say_what_was_said():
    message = FeedMessage.FromString(trip_updates_message([UPDATE, TripUpdate("T2")], NOON_S + 5))
    assert message.header.gtfs_realtime_version == "2.0"
    assert message.header.incrementality == message.header.FULL_DATASET
    assert message.header.timestamp == NOON_S + 5
    assert [entity.id for entity in message.entity] == ["1", "2"]
    update = message.entity[0].trip_update
    assert (update.trip.trip_id, update.trip.start_date, update.trip.route_id) == ("T1", "20260513", "R1")
    assert (update.vehicle.id, update.timestamp, update.delay) == ("12", NOON_S, 95)
    first, skipped, unknown, last = update.stop_time_update
    assert (first.stop_sequence, first.stop_id, first.schedule_relationship) == (1, "S1", first.SCHEDULED)
    assert (first.arrival.time, first.arrival.delay, first.departure.time) == (NOON_S, 60, NOON_S + 30)
    assert (skipped.schedule_relationship, unknown.schedule_relationship) == (first.SKIPPED, first.NO_DATA)
    assert [skipped.HasField(name) for name in ("arrival", "departure")] == [False, False]
    assert (last.arrival.HasField("time"), last.arrival.HasField("delay"), last.arrival.delay) == (False, True, 0)
    second = message.entity[1].trip_update
    assert [second.HasField(name) for name in ("timestamp", "delay", "vehicle")] == [False] * 3


def test_alerts_say_what_was_said():
    message = FeedMessage.FromString(alerts_message([ALERT], NOON_S))
    (entity,) = message.entity
    alert = entity.alert
    assert (entity.id, alert.cause, alert.effect) == ("detour-T1", alert.CONSTRUCTION, alert.DETOUR)
    assert [(text.text, text.language) for text in alert.header_text.translation] == [
        ("Route 1 runs by another way", "en")
    ]
    assert alert.description_text.translation[0].text == "Stop S2 is not served"
    (period,) = alert.active_period
    assert (period.start, period.HasField("end")) == (NOON_S, False)
    at_stop, of_trip = alert.informed_entity
    assert (at_stop.route_id, at_stop.stop_id, at_stop.HasField("trip")) == ("R1", "S2", False)
    assert (of_trip.trip.trip_id, of_trip.trip.start_date) == ("T1", "20260513")


def test_the_same_values_give_the_same_bytes():
    assert trip_updates_message([UPDATE], NOON_S) == trip_updates_message([UPDATE], NOON_S)
    assert alerts_message([ALERT], NOON_S) == alerts_message([ALERT], NOON_S)


def test_an_agencys_message_written_by_us_says_the_same(data_dir):
    """Trip, vehicle and every stop of a published message go through our types and come out the same."""
    with zipfile.ZipFile(data_dir / "kingston" / "trip_updates_pb.zip") as archive:
        published = FeedMessage.FromString(archive.read(archive.namelist()[0]))
    updates = [as_ours(entity.trip_update) for entity in published.entity]
    ours = FeedMessage.FromString(trip_updates_message(updates, published.header.timestamp))
    assert len(updates) > 20
    for entity, theirs in zip(ours.entity, published.entity, strict=True):
        assert stops_of(entity.trip_update) == stops_of(theirs.trip_update)
        assert entity.trip_update.trip.trip_id == theirs.trip_update.trip.trip_id


def event(event_message) -> StopEvent:
    return StopEvent(
        event_message.time if event_message.HasField("time") else None,
        event_message.delay if event_message.HasField("delay") else None,
    )


def as_ours(update) -> TripUpdate:
    return TripUpdate(
        update.trip.trip_id,
        update.trip.start_date,
        update.trip.route_id,
        update.vehicle.id,
        stops=tuple(
            StopTimeUpdate(
                stop.stop_sequence,
                stop.stop_id,
                event(stop.arrival) if stop.HasField("arrival") else None,
                event(stop.departure) if stop.HasField("departure") else None,
                StopRelation(stop.ScheduleRelationship.Name(stop.schedule_relationship)),
            )
            for stop in update.stop_time_update
        ),
    )


def stops_of(update) -> list[tuple]:
    return [
        (stop.stop_sequence, stop.stop_id, event(stop.arrival), event(stop.departure), stop.schedule_relationship)
        for stop in update.stop_time_update
    ]
