"""Kernel that takes vehicles out of GTFS-Realtime messages, compiled by numba: bytes in, columns out.

The bindings read a message at once but hand over its values one by one, at some microseconds a vehicle. Numbers of
fields are those of the published format; how they lie in the bytes is that of protocol buffers.
"""

import numpy as np
import numpy.typing as npt
from numba import njit

Bytes = npt.NDArray[np.uint8]
Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Integer = int | np.int64

TIME, LAT, LON, HEADING, SPEED, ODOMETER = range(6)
"""Columns of numbers."""
VEHICLE, LABEL, TRIP, ROUTE, DATE, START = range(6)
"""Columns of texts."""

VARINT, FIXED_64, LENGTH, GROUP, GROUP_END, FIXED_32 = range(6)
"""How a value lies in the bytes: the lowest three bits of its tag."""
WIRE_BITS = 3
MORE, VALUE_BITS, MAX_SHIFT = 0x80, 7, 63
BROKEN = -1

# tags: eight times the number of the field, and how its value lies in the bytes
MESSAGE_ENTITY = 2 << WIRE_BITS | LENGTH
ENTITY_VEHICLE = 4 << WIRE_BITS | LENGTH
VEHICLE_TRIP, VEHICLE_POSITION, VEHICLE_DESCRIPTOR = (field << WIRE_BITS | LENGTH for field in (1, 2, 8))
VEHICLE_TIME = 5 << WIRE_BITS | VARINT
TRIP_ID, TRIP_START, TRIP_DATE, TRIP_ROUTE = (field << WIRE_BITS | LENGTH for field in (1, 2, 3, 5))
DESCRIPTOR_ID, DESCRIPTOR_LABEL = (field << WIRE_BITS | LENGTH for field in (1, 2))
POSITION_LAT, POSITION_LON, POSITION_HEADING, POSITION_SPEED = (field << WIRE_BITS | FIXED_32 for field in (1, 2, 3, 5))
POSITION_ODOMETER = 4 << WIRE_BITS | FIXED_64


@njit(cache=True, nogil=True)
def vehicles(content: Bytes, starts: Integers, numbers: Floats, texts: Integers, owners: Integers) -> int:
    """Take the vehicles out of messages.

    Parameters
    ----------
    content
        Sound messages, one after the other, shape (bytes,).
    starts
        Where each begins, and where the last one ends, shape (messages + 1,).
    numbers
        Takes time (epoch seconds), latitude, longitude, heading (degrees), speed (m/s) and odometer (m) of each
        vehicle; filled with NaN, shape (entities, 6).
    texts
        Takes where in ``content`` its id, label, trip, route, service day and start begin and end; filled with zeros,
        shape (entities, 6, 2).
    owners
        Takes the message and the entity in it, shape (entities, 2).

    Returns
    -------
    Count of vehicles; rows behind it are left as they were.

    Notes
    -----
    As the format wants it, of values that stand twice the last one counts, and what is not known is skipped.
    """
    row = 0
    for message in range(len(starts) - 1):
        place, end, entity = starts[message], starts[message + 1], 0
        while place < end:
            tag, _, begin, place = _field(content, place, end)
            if tag == MESSAGE_ENTITY:
                if row < len(owners) and _entity(content, begin, place, numbers[row], texts[row]):
                    owners[row, 0], owners[row, 1] = message, entity
                    row += 1
                entity += 1
    return row


@njit(cache=True, nogil=True)
def _entity(content: Bytes, place: Integer, end: Integer, numbers: Floats, texts: Integers) -> bool:
    """Fill a row from an entity; whether it has a vehicle."""
    found = False
    while place < end:
        tag, _, begin, place = _field(content, place, end)
        if tag == ENTITY_VEHICLE:
            _vehicle(content, begin, place, numbers, texts)
            found = True
    return found


@njit(cache=True, nogil=True)
def _vehicle(content: Bytes, place: Integer, end: Integer, numbers: Floats, texts: Integers) -> None:
    while place < end:
        tag, value, begin, place = _field(content, place, end)
        if tag == VEHICLE_TIME:
            numbers[TIME] = value
        elif tag == VEHICLE_POSITION:
            _position(content, begin, place, numbers)
        elif tag == VEHICLE_TRIP:
            _trip(content, begin, place, texts)
        elif tag == VEHICLE_DESCRIPTOR:
            _descriptor(content, begin, place, texts)


@njit(cache=True, nogil=True)
def _position(content: Bytes, place: Integer, end: Integer, numbers: Floats) -> None:
    while place < end:
        tag, _, begin, place = _field(content, place, end)
        if tag == POSITION_LAT:
            numbers[LAT] = content[begin:place].view(np.float32)[0]
        elif tag == POSITION_LON:
            numbers[LON] = content[begin:place].view(np.float32)[0]
        elif tag == POSITION_HEADING:
            numbers[HEADING] = content[begin:place].view(np.float32)[0]
        elif tag == POSITION_SPEED:
            numbers[SPEED] = content[begin:place].view(np.float32)[0]
        elif tag == POSITION_ODOMETER:
            numbers[ODOMETER] = content[begin:place].view(np.float64)[0]


@njit(cache=True, nogil=True)
def _trip(content: Bytes, place: Integer, end: Integer, texts: Integers) -> None:
    while place < end:
        tag, _, begin, place = _field(content, place, end)
        if tag == TRIP_ID:
            texts[TRIP, 0], texts[TRIP, 1] = begin, place
        elif tag == TRIP_ROUTE:
            texts[ROUTE, 0], texts[ROUTE, 1] = begin, place
        elif tag == TRIP_DATE:
            texts[DATE, 0], texts[DATE, 1] = begin, place
        elif tag == TRIP_START:
            texts[START, 0], texts[START, 1] = begin, place


@njit(cache=True, nogil=True)
def _descriptor(content: Bytes, place: Integer, end: Integer, texts: Integers) -> None:
    while place < end:
        tag, _, begin, place = _field(content, place, end)
        if tag == DESCRIPTOR_ID:
            texts[VEHICLE, 0], texts[VEHICLE, 1] = begin, place
        elif tag == DESCRIPTOR_LABEL:
            texts[LABEL, 0], texts[LABEL, 1] = begin, place


@njit(cache=True, nogil=True)
def _field(content: Bytes, place: Integer, end: Integer) -> tuple[Integer, np.uint64, Integer, Integer]:
    """The field at a place: its tag, its value if that is a number of varying length, where it begins and ends.

    One that reaches beyond ``end`` is :data:`BROKEN` and ends there.
    """
    tag, place = _varint(content, place, end)
    kind = np.int64(tag & np.uint64(MORE - 1)) & ((1 << WIRE_BITS) - 1)
    value, begin, behind = np.uint64(0), place, end + 1
    if kind == GROUP:
        behind = _behind_group(content, place, end)
    elif kind != GROUP_END:
        value, begin, behind = _value(content, kind, place, end)
    if behind > end:
        return BROKEN, value, begin, end
    return np.int64(tag), value, begin, behind


@njit(cache=True, nogil=True)
def _value(content: Bytes, kind: Integer, place: Integer, end: Integer) -> tuple[np.uint64, Integer, Integer]:
    """A value that is no group: the number, where its bytes begin and end; beyond ``end`` where it is broken."""
    if kind == VARINT:
        value, behind = _varint(content, place, end)
        return value, place, behind
    if kind == FIXED_32:
        return np.uint64(0), place, place + 4
    if kind == FIXED_64:
        return np.uint64(0), place, place + 8
    if kind == LENGTH:
        length, begin = _varint(content, place, end)
        if begin <= end and length <= np.uint64(end - begin):
            return np.uint64(0), begin, begin + np.int64(length)
    return np.uint64(0), place, end + 1


@njit(cache=True, nogil=True)
def _behind_group(content: Bytes, place: Integer, end: Integer) -> Integer:
    """Where a group ends that began before ``place``, with those inside it."""
    depth = 1
    while depth > 0 and place < end:
        tag, place = _varint(content, place, end)
        kind = np.int64(tag & np.uint64(MORE - 1)) & ((1 << WIRE_BITS) - 1)
        if kind == GROUP:
            depth += 1
        elif kind == GROUP_END:
            depth -= 1
        else:
            _, _, place = _value(content, kind, place, end)
    return place if depth == 0 else end + 1


@njit(cache=True, nogil=True)
def _varint(content: Bytes, place: Integer, end: Integer) -> tuple[np.uint64, Integer]:
    """A number of seven bits a byte, the lowest first, and where it ends; beyond ``end`` where it is broken."""
    value = np.uint64(0)
    for shift in range(0, MAX_SHIFT + 1, VALUE_BITS):
        if place >= end:
            break
        byte = np.uint64(content[place])
        place += 1
        value |= (byte & np.uint64(MORE - 1)) << np.uint64(shift)
        if byte < np.uint64(MORE):
            return value, place
    return value, end + 1
