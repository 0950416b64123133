"""Events that a dispatcher wants to hear of, each with its evidence: the pings, the rule and its threshold."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from networks.network import NONE, FloatArray

Integers = npt.NDArray[np.integer]


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


KINDS = tuple(Kind)
"""Kinds by their numbers."""
NUMBER = {kind: number for number, kind in enumerate(KINDS)}
UNITS = dict.fromkeys(KINDS, "s") | dict.fromkeys(
    (Kind.OFF_ROUTE, Kind.BACK_ON_ROUTE, Kind.SKIPPED_STOP, Kind.NO_PROGRESS), "m"
)
_ALPHABETICAL = np.argsort(np.argsort(np.array(KINDS)))


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a vehicle on a trip: a row of :class:`Events`.

    ``call`` and ``other`` are None where there is none; ``pings_s`` are the times of the vehicle's pings that show it,
    ``rule`` is the rule in words.
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


@dataclass(frozen=True, slots=True, eq=False)
class Events:
    """Events as columns, shape (events,) each; going over them gives :class:`Event` by :class:`Event`.

    Attributes
    ----------
    kind, time_s
        Number of the kind (:data:`KINDS`), and when, in epoch seconds.
    performed
        The performed trip.
    call
        Row among the calls of the plan's timetable where it happened, NONE where at no call.
    value, threshold
        What was measured, and the limit that it passed, in the unit of the kind.
    since_s, until_s
        Times of the vehicle's pings that show it, in epoch seconds, NaN where there is none.
    other
        The performed trip ahead, for bunching and gaps, else NONE.
    rules
        The rule of each kind in words.
    """

    kind: npt.NDArray[np.int8]
    time_s: FloatArray
    performed: Integers
    call: Integers
    value: FloatArray
    threshold: FloatArray
    since_s: FloatArray
    until_s: FloatArray
    other: Integers
    rules: Mapping[Kind, str] = field(default_factory=dict)

    def __len__(self) -> int:
        """Count of events."""
        return len(self.kind)

    def __iter__(self) -> Iterator[Event]:
        """One after the other."""
        for row in zip(*(getattr(self, name).tolist() for name in COLUMNS), strict=True):
            number, time_s, performed, call, value, threshold, since_s, until_s, other = row
            kind = KINDS[number]
            yield Event(
                kind=kind,
                time_s=time_s,
                performed=performed,
                call=None if call < 0 else call,
                value=value,
                threshold=threshold,
                unit=UNITS[kind],
                rule=self.rules[kind],
                pings_s=tuple(moment_s for moment_s in (since_s, until_s) if not math.isnan(moment_s)),
                other=None if other < 0 else other,
            )

    def take(self, rows: npt.NDArray[np.generic]) -> "Events":
        """Some of them, by row or by a flag for each."""
        return Events(**{name: getattr(self, name)[rows] for name in COLUMNS}, rules=self.rules)

    def in_order(self) -> "Events":
        """By time, then so that nothing hangs on the order in which they were found."""
        return self.take(np.lexsort((self.call, self.performed, _ALPHABETICAL[self.kind], self.time_s)))


def event_order(event: Event) -> tuple[float, str, int, int]:
    """The order of :meth:`Events.in_order`."""
    return event.time_s, event.kind, event.performed, NONE if event.call is None else event.call


COLUMNS = tuple(part.name for part in fields(Events) if part.name != "rules")


def events_of(kind: Kind, rule: str, **columns: Any) -> Events:
    """Events of one kind. Columns that are one number for all may be given as such, and left out where there is none.

    Parameters
    ----------
    columns
        Those of :class:`Events`; ``time_s`` says how many there are.
    """
    count = len(columns["time_s"])
    whole = {"performed", "call", "other"}
    found = {name: columns.get(name, NONE if name in whole else np.nan) for name in COLUMNS} | {"kind": NUMBER[kind]}
    kinds = {name: np.int32 if name in whole else np.float64 for name in COLUMNS} | {"kind": np.int8}
    return Events(
        **{name: np.broadcast_to(np.asarray(found[name], dtype=kinds[name]), count) for name in COLUMNS},
        rules={kind: rule},
    )


def joined_events(parts: Sequence[Events]) -> Events:
    """Events of several, one after the other."""
    every = [no_events(), *parts]
    rules: dict[Kind, str] = {}
    for part in every:
        rules |= part.rules
    return Events(**{name: np.concatenate([getattr(part, name) for part in every]) for name in COLUMNS}, rules=rules)


def no_events() -> Events:
    """Nothing happened."""
    whole, real = np.empty(0, np.int32), np.empty(0)
    return Events(np.empty(0, np.int8), real, whole, whole, real, real, real, real, whole)
