"""Events that a dispatcher wants to hear of, each with its evidence: the pings, the rule and its threshold."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What happened."""

    LATE = "late"
    EARLY = "early"
    BACK_ON_TIME = "back on time"
    BUNCHED = "bunched"
    GAP = "gap"
    OFF_ROUTE = "off route"
    BACK_ON_ROUTE = "back on route"
    SKIPPED_STOP = "skipped stop"
    NO_PROGRESS = "no progress"
    LAYOVER = "layover"
    STALE = "stale"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a vehicle on a trip.

    Attributes
    ----------
    kind, time_s
        What, and when, in epoch seconds.
    performed
        Row of the performed trip.
    call
        Row among the calls of the plan's timetable where it happened, None where at no call.
    value, threshold, unit
        What was measured, and the limit that it passed.
    rule
        The rule in words.
    pings_s
        Times of the vehicle's pings that show it, in epoch seconds.
    other
        Row of the performed trip ahead, for bunching and gaps.
    """

    kind: Kind
    time_s: float
    performed: int
    call: int | None
    value: float
    threshold: float
    unit: str
    rule: str
    pings_s: tuple[float, ...]
    other: int | None = None
