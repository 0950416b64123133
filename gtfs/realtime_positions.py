"""GTFS-Realtime VehiclePositions: what one message says, as columns, and what a body is that is no such message."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
from google.protobuf.message import DecodeError
from google.protobuf.unknown_fields import UnknownFieldSet
from google.transit.gtfs_realtime_pb2 import FeedHeader, FeedMessage

from gtfs import realtime_kernels as kernels
from gtfs.avl_batch import Batch, Sightings, Tally
from gtfs.avl_ranges import checked
from gtfs.avl_times import service_dates, start_times
from gtfs.avl_values import Flags, labels
from gtfs.pings import Labels, Pings, no_labels
from networks.faults import InputError
from networks.network import FloatArray

Bytes = kernels.Bytes

FIELDS = {
    "event_timestamp": "vehicle.timestamp",
    "feed_timestamp": "header.timestamp",
    "vehicle_id": "vehicle.vehicle.id",
    "trip_id_performed": "vehicle.trip.trip_id",
    "route_id": "vehicle.trip.route_id",
    "service_date": "vehicle.trip.start_date",
    "trip_start_time": "vehicle.trip.start_time",
    "latitude": "vehicle.position.latitude",
    "longitude": "vehicle.position.longitude",
    "heading": "vehicle.position.bearing",
    "speed": "vehicle.position.speed",
    "odometer": "vehicle.position.odometer",
}
"""Fields of a message's entities by the words of TIDES."""

EXTENSIONS = (range(1000, 2000), range(9000, 10_000))
"""Numbers of fields that publishers may add."""
MARKS = {
    b"<!doctype html": "HTML, a page for people",
    b"<html": "HTML, a page for people",
    b"<head": "HTML, a page for people",
    b"<body": "HTML, a page for people",
    b"<": "XML",
    b"{": "JSON",
    b"[": "JSON",
    b"pk\x03\x04": "a zip archive",
    b"\x1f\x8b": "compressed by gzip",
}
"""How bodies begin, in small letters, that are given for a message by mistake."""
SHOWN_BYTES = 1024
HEADER_TAG, HEADER_BEGIN, HEADER_BYTES = 0x0A, 2, 129
"""A message begins with the tag of its header and the length of that, a byte while it is below 128."""
SPACE, WHITESPACE = 32, b"\t\n\r"
BATCH_ENTITIES = 250_000
"""Entities of messages that are held at once."""
REMEDY = "Give the URL or the file of the feed's VehiclePositions, in protobuf"


@dataclass(frozen=True, slots=True, eq=False)
class Message:
    """A sound VehiclePositions message.

    ``file`` is what it is called in messages, ``told_s`` the time of its header, NaN if there is none.
    """

    file: str
    told_s: float
    entities: int
    content: bytes


def parse_positions(content: bytes, file: str) -> Message:
    """A VehiclePositions message from its bytes.

    Raises
    ------
    InputError
        RT_PARSE with what it looks like instead: nothing, HTML, JSON, another kind of message, a damaged one.
    """
    message = FeedMessage()
    try:
        message.ParseFromString(content)
        sound = message.IsInitialized()
    except DecodeError:
        sound = False
    if not sound or _has_unknown(message):
        raise InputError("RT_PARSE", _looks_like(content), file=file, remedy=REMEDY)
    _require_positions(message, file)
    return Message(file, float(message.header.timestamp) or np.nan, len(message.entity), content)


def header_time_s(start: bytes) -> float | None:
    """The time of a message's header from its first :data:`HEADER_BYTES`, NaN if it has none.

    None where that is not to be seen: the message begins with something else, or is none.
    """
    if len(start) <= HEADER_BEGIN or start[0] != HEADER_TAG or start[1] > HEADER_BYTES - HEADER_BEGIN:
        return None
    try:
        header = FeedHeader.FromString(start[HEADER_BEGIN : HEADER_BEGIN + start[1]])
    except DecodeError:
        return None
    return float(header.timestamp) or np.nan


def _has_unknown(message: Any) -> bool:
    """Whether there are fields at the top that are neither of the format nor of a publisher: marks of damage."""
    numbers = (item.field_number for item in UnknownFieldSet(message))
    return any(not any(number in extension for extension in EXTENSIONS) for number in numbers)


def _looks_like(content: bytes) -> str:
    """What bytes are that are no sound message; no bytes at all would parse as one."""
    if not content:
        return "it is empty"
    start = content[:SHOWN_BYTES].lstrip().lower()
    for mark, kind in MARKS.items():
        if start.startswith(mark):
            return f"this is {kind}"
    if start.isascii() and all(byte >= SPACE or byte in WHITESPACE for byte in start):
        return "this is text"
    return "this is no whole GTFS-Realtime message: cut short, damaged, or something else"


def _require_positions(message: Any, file: str) -> None:
    entities = message.entity
    if not entities or any(entity.HasField("vehicle") or entity.is_deleted for entity in entities):
        return
    for field, kind in (("trip_update", "TripUpdates"), ("alert", "Alerts")):
        if any(entity.HasField(field) for entity in entities):
            what = f"this is a {kind} message; give VehiclePositions"
            raise InputError("RT_PARSE", what, file=file, remedy=REMEDY)
    what = f"none of its {len(entities)} entities is the position of a vehicle"
    raise InputError("RT_PARSE", what, file=file, remedy=REMEDY)


def sightings(messages: Sequence[Message]) -> Sightings:
    """What some messages say, one after the other.

    Raises
    ------
    InputError
        RT_PARSE where an id is no UTF-8.
    """
    content = np.frombuffer(b"".join(message.content for message in messages), dtype=np.uint8)
    starts = np.cumsum([0, *(len(message.content) for message in messages)])
    entities = sum(message.entities for message in messages)
    numbers = np.full((entities, 6), np.nan)
    texts = np.zeros((entities, 6, 2), dtype=np.int64)
    owners = np.zeros((entities, 2), dtype=np.int64)
    count = kernels.vehicles(content, starts, numbers, texts, owners)
    try:
        pings, illegible = _pings(content, numbers[:count], texts[:count])
    except pa.ArrowInvalid as fault:
        for message in messages if len(messages) > 1 else ():
            sightings([message])
        what = "damaged: a text in it is no UTF-8"
        raise InputError("RT_PARSE", what, file=messages[0].file, remedy=REMEDY) from fault

    def place(row: int) -> tuple[str, int]:
        return messages[owners[row, 0]].file, int(owners[row, 1])

    def written(word: str, row: int) -> str:
        return _written(messages[owners[row, 0]].content, int(owners[row, 1]), FIELDS[word])

    told_s = np.array([message.told_s for message in messages])[owners[:count, 0]]
    return Sightings(pings, told_s, place, written, FIELDS, illegible)


def message_batch(message: Message) -> Batch:
    """What one message says, checked, with its notices; raises as :func:`sightings` does."""
    tally = Tally()
    return replace(checked(sightings([message]), tally), notices=tally.notices())


def _pings(content: Bytes, numbers: FloatArray, texts: kernels.Integers) -> tuple[Pings, dict[str, Flags]]:
    """Columns of vehicles, and what cannot be read."""
    named = (texts[:, kernels.VEHICLE, 1] > texts[:, kernels.VEHICLE, 0])[:, None]
    called = np.where(named, texts[:, kernels.VEHICLE], texts[:, kernels.LABEL])
    days, no_day = service_dates(_labels(content, texts[:, kernels.DATE]), "%Y%m%d")
    starts, no_start = start_times(_labels(content, texts[:, kernels.START]))
    time_s = numbers[:, kernels.TIME]
    pings = Pings(
        time_s=np.where(time_s == 0, np.nan, time_s),
        vehicle=_labels(content, called),
        trip=_labels(content, texts[:, kernels.TRIP]),
        route=_labels(content, texts[:, kernels.ROUTE]),
        block=no_labels(len(numbers)),
        start_date=days,
        start_time=starts,
        lat=numbers[:, kernels.LAT].copy(),
        lon=numbers[:, kernels.LON].copy(),
        heading_deg=numbers[:, kernels.HEADING],
        speed_mps=numbers[:, kernels.SPEED],
        odometer_m=numbers[:, kernels.ODOMETER],
    )
    return pings, {"service_date": no_day, "trip_start_time": no_start}


def _labels(content: Bytes, spans: kernels.Integers) -> Labels:
    """Labels of the texts in spans of bytes, shape (rows, 2)."""
    lengths = spans[:, 1] - spans[:, 0]
    offsets = np.concatenate(([0], np.cumsum(lengths)))
    places = np.arange(offsets[-1]) + np.repeat(spans[:, 0] - offsets[:-1], lengths)
    buffers = (pa.py_buffer(offsets.astype(np.int32)), pa.py_buffer(content[places]))
    column = pa.StringArray.from_buffers(len(spans), *buffers)
    column.validate(full=True)
    return labels(column, str.strip)


def _written(content: bytes, entity: int, field: str) -> str:
    """A field of a message as text, empty where it is not set."""
    message = FeedMessage.FromString(content)
    kind, *names = field.split(".")
    value = message.header if kind == "header" else message.entity[entity].vehicle
    for name in names:
        if not value.HasField(name):
            return ""
        value = getattr(value, name)
    return str(value)


def read_messages(contents: Iterable[tuple[str, bytes]], tally: Tally) -> Iterator[Batch]:
    """Checked pings of messages, given by what they are called and their bytes, in their order.

    Raises
    ------
    InputError
        RT_PARSE, see :func:`parse_positions`.
    """
    held: list[Message] = []
    entities = 0
    for file, content in contents:
        held.append(parse_positions(content, file))
        entities += held[-1].entities
        if entities >= BATCH_ENTITIES:
            yield checked(sightings(held), tally)
            held, entities = [], 0
    if held:
        yield checked(sightings(held), tally)
