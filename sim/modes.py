"""Kinds of routes in a timetable and the vehicles that serve them in SUMO."""

from collections.abc import Iterable
from dataclasses import dataclass

from networks.faults import InputError


@dataclass(frozen=True, slots=True)
class Mode:
    """A mode of transport: its vehicle class in SUMO, the length of a vehicle, and its ``route_type`` values.

    ``types`` are ranges, ends included: the basic ones and the extended ones of Google's Transit reference.
    """

    name: str
    vehicle_class: str
    length_m: float
    types: tuple[tuple[int, int], ...]


MODES = (
    Mode("bus", "bus", 12.0, ((3, 3), (11, 11), (700, 799), (800, 899))),
    Mode("coach", "coach", 14.0, ((200, 299),)),
    Mode("tram", "tram", 30.0, ((0, 0), (5, 5), (900, 999))),
    Mode("subway", "subway", 100.0, ((1, 1), (400, 499))),
    Mode("rail", "rail", 150.0, ((2, 2), (12, 12), (100, 199), (300, 399))),
)
"""Modes that run on a network's edges; ferries, funiculars and aerial lifts do not."""


def mode_of(route_type: int) -> Mode | None:
    """The mode that serves a kind of route, None where none does."""
    for mode in MODES:
        if any(first <= route_type <= last for first, last in mode.types):
            return mode
    return None


def modes_named(names: Iterable[str]) -> tuple[Mode, ...]:
    """Modes by name.

    Raises
    ------
    InputError
        CONFIG_VALUE where a name is none of a mode.
    """
    known = {mode.name: mode for mode in MODES}
    for name in names:
        if name not in known:
            raise InputError("CONFIG_VALUE", f"{name!r} is no mode", field="modes", remedy=f"Use {', '.join(known)}")
    return tuple(mode for mode in MODES if mode.name in set(names))
