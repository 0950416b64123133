"""SUMO's flows: when their vehicles depart, as far as the file alone tells."""

import math
from dataclasses import dataclass

from networks.intake import Attributes
from sim.times import HOUR_S, parse_time_s

_RATE_FIELDS = ("vehsPerHour", "perHour", "personsPerHour", "containersPerHour")


@dataclass(frozen=True, slots=True)
class Flow:
    """Vehicles at even distances in time: one at ``begin_s`` and one each ``period_s`` after, until before ``end_s``.

    With ``number`` alone they are spread over the time from begin to end. A begin or end of None is the simulation's.
    Neither period nor number: departures are random.
    """

    begin_s: float | None
    end_s: float | None
    period_s: float | None
    number: int | None

    def count(self, begin_s: float, end_s: float) -> int | None:
        """Departures in [begin_s, end_s), which is what is simulated; None where they are random."""
        if self.number == 0:
            return 0
        first_s = begin_s if self.begin_s is None else self.begin_s
        stop_s = end_s if self.end_s is None else self.end_s
        if self.period_s is not None:
            period_s = self.period_s
            stop_s = stop_s if self.number is None else first_s + self.number * period_s
        elif self.number is not None:
            period_s = (stop_s - first_s) / self.number
        else:
            return None
        if stop_s <= first_s:
            return 0
        return _before(min(stop_s, end_s), first_s, period_s) - _before(min(stop_s, begin_s), first_s, period_s)


def _before(time_s: float, first_s: float, period_s: float) -> int:
    """Departures before a time; rounding keeps 3 x 0.1 s from being more than 0.3 s."""
    return max(0, math.ceil(round((time_s - first_s) / period_s, 9)))


def parse_flow(attributes: Attributes) -> Flow:
    """Flow from the attributes of its element, with those of the ``interval`` around it for what it lacks.

    Raises
    ------
    ValueError
        Where a time, rate or number is none.
    """
    number = attributes.get("number")
    return Flow(
        begin_s=_optional_time_s(attributes, "begin"),
        end_s=_optional_time_s(attributes, "end"),
        period_s=_period_s(attributes),
        number=None if number is None else _whole(number),
    )


def _optional_time_s(attributes: Attributes, field: str) -> float | None:
    text = attributes.get(field)
    return None if text is None else parse_time_s(text)


def _whole(text: str) -> int:
    number = int(text)
    if number < 0:
        raise ValueError(f"a number of {number} vehicles")
    return number


def _period_s(attributes: Attributes) -> float | None:
    """Time between two departures; None where a number or chance is given in its place."""
    text = attributes.get("period")
    if text is not None:
        return None if text.startswith("exp(") else _above_zero(parse_time_s(text), text)
    for field in _RATE_FIELDS:
        if field in attributes:
            return HOUR_S / _above_zero(float(attributes[field]), attributes[field])
    return None


def _above_zero(value: float, text: str) -> float:
    if not 0 < value < math.inf:
        raise ValueError(f"a rate or period of {text}")
    return value
