"""What an electric bus is, by a table of parameters with their sources, and which blocks are driven by one.

Whether a block is, is decided by a number from 0 to 1 that it has for good, a hash of its id: it lies below the share.
So a larger share holds the blocks of a smaller one, in every variant and seed.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

from networks.faults import InputError
from networks.intake import require_file

FOLDER = Path(__file__).parent / "charging_data"
BUSES = ("city_12m", "sumo_example")
"""Buses whose tables come along; the first where nothing is told."""

BOUNDS: Mapping[str, tuple[float, float]] = {
    "mass_kg": (500.0, 60_000.0),
    "front_surface_m2": (0.0, 20.0),
    "air_drag": (0.0, 2.0),
    "rotating_mass_kg": (0.0, 10_000.0),
    "radial_drag": (0.0, 10.0),
    "roll_drag": (0.0, 1.0),
    "constant_power_w": (0.0, 100_000.0),
    "propulsion_efficiency": (0.01, 1.0),
    "recuperation_efficiency": (0.0, 1.0),
    "capacity_kwh": (0.1, 2_000.0),
    "initial_charge": (0.0, 1.0),
    "reserve": (0.0, 1.0),
    "charge_rate_kw": (0.1, 10_000.0),
    "charging_efficiency": (0.01, 1.0),
    "connect_s": (0.0, 3_600.0),
}
"""Least and most of each parameter."""


@dataclass(frozen=True, slots=True)
class ElectricBus:
    """Parameters of a bus for SUMO's battery device, as in its documentation ("Electric"), in the units of the names.

    ``initial_charge`` and ``reserve`` are shares of the capacity: what it begins with, and what no trip is to fall
    below. ``charge_rate_kw`` is the most that the battery takes, ``charging_efficiency`` the share of a charger's power
    that gets into it, ``connect_s`` the time from standstill until current flows.
    """

    mass_kg: float
    front_surface_m2: float
    air_drag: float
    rotating_mass_kg: float
    radial_drag: float
    roll_drag: float
    constant_power_w: float
    propulsion_efficiency: float
    recuperation_efficiency: float
    capacity_kwh: float
    initial_charge: float
    reserve: float
    charge_rate_kw: float
    charging_efficiency: float
    connect_s: float


@dataclass(frozen=True, slots=True)
class BusTable:
    """A bus in words, its parameters, and where each of them is from."""

    words: str
    bus: ElectricBus
    sources: Mapping[str, str]


def read_electric_bus(path: Path) -> BusTable:
    """Read a table of parameters (TOML): ``words``, and for each parameter ``value`` and ``source``.

    Raises
    ------
    InputError
        FILE_MISSING; BUS_TABLE where it is no such table, where a parameter is missing, has no source or is out of
        bounds.
    """
    try:
        plain = tomllib.loads(require_file(path).read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise InputError("BUS_TABLE", f"not valid TOML ({fault})", file=path) from fault
    names = [item.name for item in fields(ElectricBus)]
    strangers = sorted(set(plain) - {"words", *names})
    if strangers:
        raise InputError("BUS_TABLE", "unknown parameter", file=path, field=strangers[0], remedy=_known(names))
    rows = {name: _parameter(plain.get(name), name, path) for name in names}
    values = {name: value for name, (value, _) in rows.items()}
    return BusTable(str(plain.get("words", path.stem)), ElectricBus(**values), {k: row[1] for k, row in rows.items()})


@cache
def electric_bus(name: str) -> BusTable:
    """A bus whose table comes along."""
    return read_electric_bus(FOLDER / f"{name}.toml")


def _known(names: list[str]) -> str:
    return f"Known are {', '.join(names)}"


def _parameter(row: Any, name: str, path: Path) -> tuple[float, str]:
    least, most = BOUNDS[name]
    remedy = f"Give [{name}] with a value from {least:g} to {most:g} and a source"
    if not isinstance(row, Mapping) or not isinstance(row.get("source"), str) or not row["source"].strip():
        what = "the parameter is missing, or has no source"
        raise InputError("BUS_TABLE", what, file=path, field=name, remedy=remedy)
    value = row.get("value")
    if not isinstance(value, int | float) or isinstance(value, bool) or not least <= value <= most:
        raise InputError("BUS_TABLE", f"{value!r} is out of bounds", file=path, field=name, remedy=remedy)
    return float(value), row["source"]


def block_draw(block: str) -> float:
    """The number of a block, from 0 to below 1, the same on every machine."""
    return int.from_bytes(blake2b(block.encode(), digest_size=8).digest(), "big") / 2**64


def is_electric(block: str, share: float) -> bool:
    """Whether a block is driven by an electric bus where a share of them are."""
    return block_draw(block) < share
