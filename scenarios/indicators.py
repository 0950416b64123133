"""The nine transport indicators of Kazakhstan's smart-city standard, and what was found for them in a city."""

from dataclasses import dataclass
from enum import StrEnum

from scenarios.message import Message


class Project(StrEnum):
    """The five transport projects of the standard."""

    DISPATCHING = "dispatching"
    FARE_PAYMENT = "fare-payment"
    TRAFFIC_MANAGEMENT = "traffic-management"
    SMART_STOPS = "smart-stops"
    EV_CHARGING = "ev-charging"


class Kind(StrEnum):
    """Whether something is there, or which share of all has it."""

    PRESENCE = "presence"
    SHARE = "share"


@dataclass(frozen=True, slots=True)
class Indicator:
    """One line of the standard: its number, its project, what it counts."""

    indicator_id: str
    project: Project
    kind: Kind
    title: Message


INDICATORS = (
    Indicator("D1", Project.DISPATCHING, Kind.PRESENCE, Message("Deviations from timetable and route are detected")),
    Indicator("D2", Project.DISPATCHING, Kind.SHARE, Message("Routes connected to the dispatch system")),
    Indicator("D3", Project.DISPATCHING, Kind.SHARE, Message("Vehicles connected to the dispatch system")),
    Indicator("F1", Project.FARE_PAYMENT, Kind.SHARE, Message("Routes with electronic fare payment")),
    Indicator("F2", Project.FARE_PAYMENT, Kind.SHARE, Message("Vehicles with electronic fare payment")),
    Indicator("F3", Project.FARE_PAYMENT, Kind.SHARE, Message("Payments made electronically")),
    Indicator("T1", Project.TRAFFIC_MANAGEMENT, Kind.SHARE, Message("Smart lights where accidents concentrate")),
    Indicator("S1", Project.SMART_STOPS, Kind.SHARE, Message("Stops that are smart")),
    Indicator("E1", Project.EV_CHARGING, Kind.PRESENCE, Message("Charging for electric vehicles exists")),
)


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found for an indicator under one way of reading it.

    Attributes
    ----------
    reading
        Which way of reading, None where there is but one.
    numerator, denominator
        What was counted; None where unknown, and for a presence.
    value
        A share from 0 to 1, or 1 and 0 for there and not there; None where unknown, which is never 0.
    low, high
        What the value may be at least and at most, where part of the data is unknown; None where nothing bounds it.
    source
        Which of the city's files say so; None where nothing was given.
    how
        How the value came about, or what is missing to know it.
    """

    indicator_id: str
    value: float | None
    how: Message
    numerator: int | None = None
    denominator: int | None = None
    reading: Message | None = None
    source: str | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Scorecard:
    """A city's findings: the nine indicators in the standard's order, each by the reading that counts, and the others.

    ``readings`` has all findings of indicators that may be read in several ways, those that count among them.
    """

    city: str
    is_synthetic: bool
    findings: tuple[Finding, ...]
    readings: tuple[Finding, ...] = ()
