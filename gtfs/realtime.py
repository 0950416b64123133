"""GTFS-Realtime out: TripUpdates and Alerts as bytes, the same for the same values."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from google.transit import gtfs_realtime_pb2 as pb

VERSION = "2.0"


class StopRelation(StrEnum):
    """How a stop of a trip relates to the timetable."""

    SCHEDULED = "SCHEDULED"
    SKIPPED = "SKIPPED"
    NO_DATA = "NO_DATA"


class Cause(StrEnum):
    """Why there is an alert."""

    UNKNOWN_CAUSE = "UNKNOWN_CAUSE"
    OTHER_CAUSE = "OTHER_CAUSE"
    TECHNICAL_PROBLEM = "TECHNICAL_PROBLEM"
    STRIKE = "STRIKE"
    DEMONSTRATION = "DEMONSTRATION"
    ACCIDENT = "ACCIDENT"
    HOLIDAY = "HOLIDAY"
    WEATHER = "WEATHER"
    MAINTENANCE = "MAINTENANCE"
    CONSTRUCTION = "CONSTRUCTION"
    POLICE_ACTIVITY = "POLICE_ACTIVITY"
    MEDICAL_EMERGENCY = "MEDICAL_EMERGENCY"


class Effect(StrEnum):
    """What an alert means for passengers."""

    NO_SERVICE = "NO_SERVICE"
    REDUCED_SERVICE = "REDUCED_SERVICE"
    SIGNIFICANT_DELAYS = "SIGNIFICANT_DELAYS"
    DETOUR = "DETOUR"
    ADDITIONAL_SERVICE = "ADDITIONAL_SERVICE"
    MODIFIED_SERVICE = "MODIFIED_SERVICE"
    OTHER_EFFECT = "OTHER_EFFECT"
    UNKNOWN_EFFECT = "UNKNOWN_EFFECT"
    STOP_MOVED = "STOP_MOVED"
    NO_EFFECT = "NO_EFFECT"
    ACCESSIBILITY_ISSUE = "ACCESSIBILITY_ISSUE"


@dataclass(frozen=True, slots=True)
class StopEvent:
    """An arrival or a departure: epoch seconds, and how late it is; None where it is not known."""

    time_s: int | None = None
    delay_s: int | None = None


@dataclass(frozen=True, slots=True)
class StopTimeUpdate:
    """A stop of a trip. One that is not SCHEDULED has neither arrival nor departure."""

    stop_sequence: int
    stop_id: str = ""
    arrival: StopEvent | None = None
    departure: StopEvent | None = None
    relation: StopRelation = StopRelation.SCHEDULED


@dataclass(frozen=True, slots=True)
class TripUpdate:
    """What became of a trip, or is expected to: ``start_date`` is ``YYYYMMDD``, ``timestamp_s`` when that was known."""

    trip_id: str
    start_date: str = ""
    route_id: str = ""
    vehicle_id: str = ""
    timestamp_s: int | None = None
    delay_s: int | None = None
    stops: tuple[StopTimeUpdate, ...] = ()


@dataclass(frozen=True, slots=True)
class Informed:
    """Whom an alert concerns: what is given of a route, a trip of a day and a stop, together."""

    route_id: str = ""
    trip_id: str = ""
    start_date: str = ""
    stop_id: str = ""


@dataclass(frozen=True, slots=True)
class Alert:
    """A message to passengers. ``begin_s`` and ``end_s`` are epoch seconds, None for always."""

    id: str
    header: str
    description: str = ""
    cause: Cause = Cause.UNKNOWN_CAUSE
    effect: Effect = Effect.UNKNOWN_EFFECT
    begin_s: int | None = None
    end_s: int | None = None
    informed: tuple[Informed, ...] = ()
    language: str = "en"


def trip_updates_message(updates: Iterable[TripUpdate], timestamp_s: int) -> bytes:
    """A full TripUpdates message, published at ``timestamp_s``; entities are numbered from 1 in the given order."""
    message = _message(timestamp_s)
    for number, update in enumerate(updates, 1):
        _put_update(message.entity.add(id=str(number)).trip_update, update)
    return _bytes(message)


def alerts_message(alerts: Iterable[Alert], timestamp_s: int) -> bytes:
    """A full Alerts message, published at ``timestamp_s``."""
    message = _message(timestamp_s)
    for alert in alerts:
        _put_alert(message.entity.add(id=alert.id).alert, alert)
    return _bytes(message)


def _message(timestamp_s: int) -> Any:
    message = pb.FeedMessage()
    message.header.gtfs_realtime_version = VERSION
    message.header.incrementality = pb.FeedHeader.FULL_DATASET
    message.header.timestamp = timestamp_s
    return message


def _bytes(message: Any) -> bytes:
    content: bytes = message.SerializeToString(deterministic=True)
    return content


def _put(target: Any, **values: object) -> None:
    """Set the fields that have a value."""
    for field, value in values.items():
        if value is not None and value != "":
            setattr(target, field, value)


def _put_update(target: Any, update: TripUpdate) -> None:
    _put(target.trip, trip_id=update.trip_id, start_date=update.start_date, route_id=update.route_id)
    if update.vehicle_id:
        target.vehicle.id = update.vehicle_id
    _put(target, timestamp=update.timestamp_s, delay=update.delay_s)
    for stop in update.stops:
        _put_stop(target.stop_time_update.add(), stop)


def _put_stop(target: Any, stop: StopTimeUpdate) -> None:
    _put(target, stop_sequence=stop.stop_sequence, stop_id=stop.stop_id)
    target.schedule_relationship = pb.TripUpdate.StopTimeUpdate.ScheduleRelationship.Value(stop.relation)
    for name, event in (("arrival", stop.arrival), ("departure", stop.departure)):
        if event is not None:
            _put(getattr(target, name), time=event.time_s, delay=event.delay_s)


def _put_alert(target: Any, alert: Alert) -> None:
    target.cause = pb.Alert.Cause.Value(alert.cause)
    target.effect = pb.Alert.Effect.Value(alert.effect)
    if alert.begin_s is not None or alert.end_s is not None:
        _put(target.active_period.add(), start=alert.begin_s, end=alert.end_s)
    for informed in alert.informed:
        _put_informed(target.informed_entity.add(), informed)
    for name, text in (("header_text", alert.header), ("description_text", alert.description)):
        if text:
            getattr(target, name).translation.add(text=text, language=alert.language)


def _put_informed(target: Any, informed: Informed) -> None:
    _put(target, route_id=informed.route_id, stop_id=informed.stop_id)
    if informed.trip_id:
        _put(target.trip, trip_id=informed.trip_id, start_date=informed.start_date)
