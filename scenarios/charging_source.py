"""Section ``[charging]`` of a scenario, and what a variant changes of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from networks.faults import InputError
from scenarios.scenario_check import Check
from sim.electric_bus import BUSES, BusTable, electric_bus, read_electric_bus

KEYS = ("electric_share", "chargers", "bus")


@dataclass(frozen=True, slots=True)
class ChargingSource:
    """Share of blocks that electric buses drive, the table of chargers (None for none), the bus by name or file."""

    electric_share: float
    chargers: Path | None = None
    bus: str | Path = BUSES[0]

    @property
    def table(self) -> BusTable:
        """Parameters of the bus."""
        return read_electric_bus(self.bus) if isinstance(self.bus, Path) else electric_bus(self.bus)

    @property
    def files(self) -> tuple[Path, ...]:
        """Files that it names."""
        return tuple(path for path in (self.chargers, self.bus) if isinstance(path, Path))

    @property
    def words(self) -> str:
        """What is electric, in words."""
        where = f"chargers of {self.chargers.name}" if self.chargers else "no chargers on the way"
        return f"{100 * self.electric_share:g} % of blocks electric ({self.table.words}), {where}"


def charging_source(
    check: Check, table: Mapping[str, Any], where: str, base: ChargingSource | None
) -> ChargingSource | None:
    """Read ``[charging]``, or what a variant changes of it; ``base`` where nothing is told."""
    if "charging" not in table:
        return base
    row = check.table(table["charging"], where, KEYS)
    if base is None and "electric_share" not in row:
        check.fault(f"{where}.electric_share", "how many blocks are electric must be told", "Give a share from 0 to 1")
    usual = base or ChargingSource(0.0)
    return ChargingSource(
        check.number(row, f"{where}.electric_share", usual.electric_share, least=0.0, most=1.0),
        check.file(row["chargers"], f"{where}.chargers") if "chargers" in row else usual.chargers,
        _bus(check, row, where) if "bus" in row else usual.bus,
    )


def _bus(check: Check, row: Mapping[str, Any], where: str) -> str | Path:
    """A bus whose table comes along, by name, or a file of one."""
    name = check.text(row, f"{where}.bus", BUSES[0])
    if name in BUSES:
        return name
    if not name.endswith(".toml"):
        check.fault(f"{where}.bus", f"unknown value {name!r}", f"Use {' or '.join(map(repr, BUSES))}, or a .toml file")
        return BUSES[0]
    path = check.file(name, f"{where}.bus")
    if path.is_file():
        try:
            read_electric_bus(path)
        except InputError as fault:
            check.fault(f"{where}.bus", f"{path.name} [{fault.field}]: {fault.what}", fault.remedy, fault.code)
            return BUSES[0]
    return path


def check_charging(check: Check, top: Mapping[str, Any], *, has_timetable: bool) -> None:
    """Electric buses drive by a timetable."""
    rows = top.get("variant", [])
    tables = [top, *(row for row in rows if isinstance(row, Mapping))] if isinstance(rows, list) else [top]
    if not has_timetable and any("charging" in table for table in tables):
        check.fault("charging", "there are no blocks without a timetable", "Add a [transit] section")
