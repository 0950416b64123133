"""Priority as somebody asks for it in a scenario: keys known, values checked."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from networks.faults import InputError
from signals.controller import CONTROLLERS
from signals.priority import ALL_BUSES, EMERGENCY, LATE_BUSES, RULES, WEIGHT, Priority

VEHICLES = (LATE_BUSES, ALL_BUSES, EMERGENCY)
KINDS = (RULES, WEIGHT)


@dataclass(frozen=True, slots=True)
class _Bounds:
    """Least and greatest value of a number."""

    least: float
    most: float = float("inf")

    def __str__(self) -> str:
        return f"{self.least:g} or more" if self.most == float("inf") else f"from {self.least:g} to {self.most:g}"


NUMBERS = {
    "late_s": _Bounds(0),
    "weight": _Bounds(1),
    "extension_s": _Bounds(0, 15),
    "early_green_s": _Bounds(0, 15),
    "cycles": _Bounds(1, 10),
    "lockout_s": _Bounds(0),
}
"""What may be set. Extensions and early greens beyond 15 s are no priority any more but pre-emption."""


def priority_from(given: object, controller: str) -> Priority:
    """Read the table ``priority`` of a variant under a controller.

    Raises
    ------
    InputError
        CONFIG_KEY for an unknown name, CONFIG_VALUE for a value that is not what its name holds, or a weight under a
        controller that weighs nothing; ``field`` is the name.
    """
    if not isinstance(given, Mapping):
        raise _fault("", f"must be a table, not {given!r}", 'Such as { vehicles = "late-buses", late_s = 60 }')
    known = ("vehicles", "kind", *NUMBERS)
    for key in given:
        if key not in known:
            near = difflib.get_close_matches(str(key), known, n=1)
            remedy = f"Did you mean {near[0]!r}?" if near else f"Known are {', '.join(known)}"
            raise InputError("CONFIG_KEY", f"priority has no {key!r}", field=str(key), remedy=remedy)
    numbers = {key: _number(given[key], key) for key in NUMBERS if key in given}
    made: dict[str, Any] = {"vehicles": _vehicles(given.get("vehicles", LATE_BUSES)), **numbers}
    found = Priority(kind=_word(given.get("kind", RULES), "kind", KINDS), **made)
    _refuse_weight(found, controller)
    return found


def _vehicles(value: object) -> tuple[str, ...]:
    words = value if isinstance(value, list) and value else [value]
    return tuple(dict.fromkeys(_word(word, "vehicles", VEHICLES) for word in words))


def _word(value: object, field: str, known: tuple[str, ...]) -> str:
    if isinstance(value, str) and value in known:
        return value
    near = difflib.get_close_matches(str(value), known, n=1)
    raise _fault(field, f"unknown value {value!r}", f"Use {near[0] if near else ' or '.join(known)!r}")


def _number(value: object, field: str) -> float:
    bounds, whole = NUMBERS[field], "whole " if field == "cycles" else ""
    is_number = isinstance(value, int if whole else int | float) and not isinstance(value, bool)
    if is_number and isinstance(value, int | float) and bounds.least <= value <= bounds.most:
        return value if whole else float(value)
    raise _fault(field, f"must be a {whole}number, {bounds}, not {value!r}")


def _fault(field: str, what: str, remedy: str = "") -> InputError:
    return InputError("CONFIG_VALUE", what, field=field, remedy=remedy)


def _refuse_weight(priority: Priority, controller: str) -> None:
    """A weight changes nothing where vehicles are not weighed."""
    buses = LATE_BUSES in priority.vehicles or ALL_BUSES in priority.vehicles
    kind = CONTROLLERS.get(controller)
    if priority.kind == WEIGHT and buses and kind is not None and not kind.weighs:
        what = f"{controller} weighs no vehicles, so a weight changes nothing"
        raise _fault("kind", what, 'Use kind = "rules", which works with every controller')
