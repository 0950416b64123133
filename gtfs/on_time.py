"""Whether visits are on time, by a rule that may differ between the begin, the middle and the end of a trip."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from networks.faults import InputError
from networks.network import FloatArray

Integers = npt.NDArray[np.integer]
BoolArray = npt.NDArray[np.bool_]


class Position(IntEnum):
    """Where along its trip a visit is."""

    ORIGIN = 0
    MIDDLE = 1
    END = 2


class Punctuality(IntEnum):
    """What a visit was. MISSING: its trip never ran. UNKNOWN: it ran, and nobody saw when it was here."""

    MISSING = 0
    EARLY = 1
    ON_TIME = 2
    LATE = 3
    UNKNOWN = 4


@dataclass(frozen=True, slots=True)
class OnTimeRule:
    """Deviations (s) that are on time, from the least to the greatest, both included, by :class:`Position`."""

    name: str
    origin: tuple[float, float]
    middle: tuple[float, float]
    end: tuple[float, float]

    @property
    def bounds_s(self) -> FloatArray:
        """Least and greatest deviation, a row a position, shape (3, 2)."""
        return np.array([self.origin, self.middle, self.end], dtype=np.float64)


def _everywhere(name: str, earliest_s: float, latest_s: float) -> OnTimeRule:
    return OnTimeRule(name, *[(earliest_s, latest_s)] * 3)


ON_TIME_RULES: Mapping[str, OnTimeRule] = {
    rule.name: rule
    for rule in (
        _everywhere("default", -60.0, 300.0),
        OnTimeRule("mbta", origin=(0.0, 180.0), middle=(-60.0, 360.0), end=(-math.inf, 300.0)),
        _everywhere("tcqsm", -60.0, 300.0),
    )
}
"""By name. ``mbta``: Service Delivery Policy of the Massachusetts Bay Transportation Authority; ``tcqsm``: Transit
Capacity and Quality of Service Manual, 3rd edition, one minute early to five late."""


def parse_on_time(text: str) -> OnTimeRule:
    """Read a rule from an option: a name of :data:`ON_TIME_RULES`, or least and greatest deviation as in ``-60,300``.

    Raises
    ------
    InputError
        CONFIG_VALUE.
    """
    if text in ON_TIME_RULES:
        return ON_TIME_RULES[text]
    try:
        earliest_s, latest_s = (float(part) for part in text.split(","))
    except ValueError:
        raise _no_rule(text) from None
    if not -math.inf < earliest_s <= latest_s < math.inf:
        raise _no_rule(text)
    if not earliest_s <= 0 <= latest_s:
        what = f"by {text!r} a vehicle that keeps its timetable to the second would not be on time"
        raise InputError("CONFIG_VALUE", what, field="--on-time", remedy="Early is negative: one minute is -60")
    return _everywhere(f"{earliest_s:g},{latest_s:g}", earliest_s, latest_s)


def _no_rule(text: str) -> InputError:
    remedy = f"Write {', '.join(ON_TIME_RULES)}, or seconds early and late such as -60,300"
    return InputError("CONFIG_VALUE", f"{text!r} is no rule for on time", field="--on-time", remedy=remedy)


def positions(trip: Integers, sequence: Integers) -> Integers:
    """Position of each call: the lowest sequence of a trip is its origin, the highest its end, shape (calls,).

    A trip of one call has its end alone.
    """
    found: Integers = np.full(len(trip), Position.MIDDLE, dtype=np.int8)
    order = np.lexsort((sequence, trip))
    is_first, is_last = np.ones((2, len(trip)), dtype=np.bool_)
    is_first[1:] = is_last[:-1] = np.diff(trip[order]) != 0
    found[order[is_first]] = Position.ORIGIN
    found[order[is_last]] = Position.END
    return found


def judged_deviation_s(
    position: Integers,
    scheduled_arrival_s: FloatArray,
    scheduled_departure_s: FloatArray,
    actual_arrival_s: FloatArray,
    actual_departure_s: FloatArray,
) -> FloatArray:
    """Actual minus scheduled (s) of the time that judges a visit: arrival at the end, else departure, shape (visits,).

    NaN where that time is missing; the other one never stands in for it. Visits that are no timepoints are judged the
    same way, against a schedule that is interpolated: their ``timepoint`` stays beside them, to mark or to leave them
    out.
    """
    is_end = position == Position.END
    arrival_s, departure_s = actual_arrival_s - scheduled_arrival_s, actual_departure_s - scheduled_departure_s
    return np.where(is_end, arrival_s, departure_s)


def punctuality(rule: OnTimeRule, position: Integers, deviation_s: FloatArray, is_missing: BoolArray) -> Integers:
    """Judge visits by a rule, as values of :class:`Punctuality`, shape (visits,).

    Parameters
    ----------
    position
        Values of :class:`Position`, shape (visits,).
    deviation_s
        From :func:`judged_deviation_s`, shape (visits,).
    is_missing
        Visits of trips that never ran, or that a vehicle skipped, shape (visits,).
    """
    earliest_s, latest_s = rule.bounds_s[position].T
    found: Integers = np.full(len(deviation_s), Punctuality.UNKNOWN, dtype=np.int8)
    found[(earliest_s <= deviation_s) & (deviation_s <= latest_s)] = Punctuality.ON_TIME
    found[deviation_s < earliest_s] = Punctuality.EARLY
    found[deviation_s > latest_s] = Punctuality.LATE
    found[is_missing] = Punctuality.MISSING
    return found


@dataclass(frozen=True, slots=True)
class OnTimeCounts:
    """How many visits were what."""

    early: int
    on_time: int
    late: int
    missing: int
    unknown: int

    @property
    def judged(self) -> int:
        """The denominator of shares: all that were due and whose fate is known, missing ones among them."""
        return self.early + self.on_time + self.late + self.missing

    @property
    def on_time_share(self) -> float:
        """Share of what was due that was on time; NaN where nothing was."""
        return self.on_time / self.judged if self.judged else math.nan


def on_time_counts(found: Integers) -> OnTimeCounts:
    """Count the values of :class:`Punctuality`."""
    counts = np.bincount(found, minlength=len(Punctuality)).tolist()
    return OnTimeCounts(
        early=counts[Punctuality.EARLY],
        on_time=counts[Punctuality.ON_TIME],
        late=counts[Punctuality.LATE],
        missing=counts[Punctuality.MISSING],
        unknown=counts[Punctuality.UNKNOWN],
    )
