"""GTFS-Realtime VehiclePositions: what one message says, as columns, and what a body is that is no such message."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from google.protobuf.message import DecodeError
from google.protobuf.unknown_fields import UnknownFieldSet
from google.transit.gtfs_realtime_pb2 import FeedHeader, FeedMessage

from gtfs.avl_batch import Batch, Sightings, Tally
from gtfs.avl_ranges import checked
from gtfs.avl_times import service_dates, start_times
from gtfs.avl_values import Flags, label_texts
from gtfs.pings import Labels, Pings, no_labels
from networks.faults import InputError, Notice
from networks.network import FloatArray

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
BATCH_ENTITIES = 1 << 16
"""Entities of messages that are held at once."""
Content = Callable[[], bytes]
"""Reads the bytes of a message."""
REMEDY = "Give the URL or the file of the feed's VehiclePositions, in protobuf"


@dataclass(frozen=True, slots=True, eq=False)
class Message:
    """A VehiclePositions message and what it is called in messages; ``told_s`` is its header's time, NaN if none."""

    file: str
    told_s: float
    content: Any


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
    return Message(file, float(message.header.timestamp) or np.nan, message)


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
    rows = [
        (number, row, entity.vehicle)
        for number, message in enumerate(messages)
        for row, entity in enumerate(message.content.entity)
        if entity.HasField("vehicle")
    ]
    vehicles = [vehicle for _, _, vehicle in rows]
    told_s = np.array([messages[number].told_s for number, _, _ in rows], dtype=np.float64)
    try:
        pings, illegible = _pings(vehicles)
    except UnicodeError as fault:
        for message in messages if len(messages) > 1 else ():
            sightings([message])
        what = "damaged: a text in it is no UTF-8"
        raise InputError("RT_PARSE", what, file=messages[0].file, remedy=REMEDY) from fault

    def place(row: int) -> tuple[str, int]:
        number, entity, _ = rows[row]
        return messages[number].file, entity

    def written(word: str, row: int) -> str:
        number, _, _ = rows[row]
        return _written(messages[number].content, vehicles[row], FIELDS[word])

    return Sightings(pings, told_s, place, written, FIELDS, illegible)


def message_batch(message: Message) -> Batch:
    """What one message says, checked, with its notices; raises as :func:`sightings` does."""
    tally = Tally()
    return replace(checked(sightings([message]), tally), notices=tally.notices())


def _pings(vehicles: list[Any]) -> tuple[Pings, dict[str, Flags]]:
    """Columns of the vehicles of entities, and what cannot be read."""
    positions = [vehicle.position for vehicle in vehicles]
    trips = [vehicle.trip for vehicle in vehicles]
    placed = np.array([vehicle.HasField("position") for vehicle in vehicles], dtype=np.bool_)
    days, no_day = service_dates(_labels([trip.start_date for trip in trips]), "%Y%m%d")
    starts, no_start = start_times(_labels([trip.start_time for trip in trips]))
    times_s = np.array([vehicle.timestamp for vehicle in vehicles], dtype=np.float64)
    pings = Pings(
        time_s=np.where(times_s == 0, np.nan, times_s),
        vehicle=_labels([_vehicle_id(vehicle.vehicle) for vehicle in vehicles]),
        trip=_labels([trip.trip_id for trip in trips]),
        route=_labels([trip.route_id for trip in trips]),
        block=no_labels(len(vehicles)),
        start_date=days,
        start_time=starts,
        lat=np.where(placed, _column([position.latitude for position in positions]), np.nan),
        lon=np.where(placed, _column([position.longitude for position in positions]), np.nan),
        heading_deg=_column([place.bearing if place.HasField("bearing") else np.nan for place in positions]),
        speed_mps=_column([place.speed if place.HasField("speed") else np.nan for place in positions]),
        odometer_m=_column([place.odometer if place.HasField("odometer") else np.nan for place in positions]),
    )
    return pings, {"service_date": no_day, "trip_start_time": no_start}


def _vehicle_id(vehicle: Any) -> str:
    """The vehicle's id, or what its passengers call it where the feed gives none."""
    name: str = (vehicle.id or vehicle.label).strip()
    return name


def _labels(texts: list[str]) -> Labels:
    """Labels of texts; the bindings give bytes for one that is no UTF-8."""
    labels = label_texts(texts)
    if not all(isinstance(text, str) for text in labels.texts):
        raise UnicodeError
    return labels


def _column(values: list[float]) -> FloatArray:
    return np.array(values, dtype=np.float64)


def _written(message: Any, vehicle: Any, field: str) -> str:
    """A field as text, empty where it is not set."""
    kind, *names = field.split(".")
    value = message.header if kind == "header" else vehicle
    for name in names:
        if not value.HasField(name):
            return ""
        value = getattr(value, name)
    return str(value)


@dataclass(slots=True, eq=False)
class _Messages:
    """Reads messages one after the other; what cannot be read is counted, as long as another can."""

    tally: Tally
    fault: InputError | None = None
    is_any_sound: bool = False

    def parsed(self, file: str, content: Content) -> list[Message]:
        """The message, or nothing."""
        try:
            return [parse_positions(content(), file)]
        except InputError as fault:
            self._count(fault)
            return []

    def batch(self, held: list[Message]) -> Batch:
        """What messages say, checked; one with a text that cannot be read is left out."""
        try:
            found = sightings(held)
        except InputError:
            held = [message for message in held if self._is_legible(message)]
            found = sightings(held)
        self.is_any_sound |= bool(held)
        return checked(found, self.tally)

    def _is_legible(self, message: Message) -> bool:
        try:
            sightings([message])
        except InputError as fault:
            self._count(fault)
            return False
        return True

    def _count(self, fault: InputError) -> None:
        self.fault = self.fault or fault
        notice = Notice(fault.code, "error", fault.file or "", None, "", fault.what, f"Not read. {fault.remedy}")
        self.tally.add(lambda: notice, (fault.code, "", fault.remedy), 1)


def read_messages(contents: Iterable[tuple[str, Content]], tally: Tally) -> Iterator[Batch]:
    """Checked pings of messages, given by what they are called and what reads their bytes, in their order.

    One that cannot be read is counted in ``tally``.

    Raises
    ------
    InputError
        What is wrong with the first where none can be read: RT_PARSE, see :func:`parse_positions`; those of reading.
    """
    messages, held, entities = _Messages(tally), list[Message](), 0
    for file, content in contents:
        parsed = messages.parsed(file, content)
        held += parsed
        entities += sum(len(message.content.entity) for message in parsed)
        if entities >= BATCH_ENTITIES:
            yield messages.batch(held)
            held, entities = [], 0
    if held:
        yield messages.batch(held)
    if messages.fault is not None and not messages.is_any_sound:
        raise messages.fault
