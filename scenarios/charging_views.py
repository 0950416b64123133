"""Rows of the report's part on electric buses: energy, state of charge, blocks that a battery is not enough for."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

from scenarios.charging_content import ChargingContent, DayBlock
from scenarios.compare import CHARGING, CHARGING_METRICS
from scenarios.content import ReportContent, plain
from scenarios.drawing import colour_of
from scenarios.numerals import NARROW, UNKNOWN, number
from scenarios.transit_views import paired_tables
from scenarios.views import DifferenceTable
from sim.electric_bus import ElectricBus


@dataclass(frozen=True, slots=True)
class ChargingRow:
    """A variant's electric buses: means over its runs, and blocks of the whole day by energy alone."""

    name: str
    colour: str
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FailingRow:
    """A block that a battery is not enough for: how often in the runs, and over the whole day."""

    variant: str
    block: str
    trips: str
    failing: str
    runs: str
    least: str


@dataclass(frozen=True, slots=True)
class ParameterRow:
    """A parameter of a bus and where it is from."""

    bus: str
    name: str
    value: str
    source: str


@dataclass(frozen=True, slots=True)
class ChargingViews:
    """All that the part on electric buses shows, ready to be set."""

    rows: tuple[ChargingRow, ...]
    differences: tuple[DifferenceTable, ...]
    failing: tuple[FailingRow, ...]
    day_failing: tuple[FailingRow, ...]
    parameters: tuple[ParameterRow, ...]
    has_blocks: bool


def charging_views(content: ReportContent) -> ChargingViews | None:
    """Give the rows of every table on electric buses; None where the study has none."""
    found = content.charging
    if found is None:
        return None
    names = [variant.name for variant in content.variants]
    return ChargingViews(
        rows=tuple(_rows(found, names)),
        differences=tuple(paired_tables(content, CHARGING, CHARGING_METRICS)),
        failing=tuple(_failing(found, names)),
        day_failing=tuple(_day_failing(found.day)),
        parameters=tuple(_parameters(found)),
        has_blocks=found.has_blocks,
    )


def _rows(found: ChargingContent, names: Sequence[str]) -> Iterator[ChargingRow]:
    for position, name in enumerate(names):
        rows = [row for row in found.measures if row.variant == name]
        if not rows:
            continue
        day = [row for row in found.day if row.variant == name]
        failed = sum(not row.can_be_driven for row in day)

        def mean(column: str, rows: Sequence[object] = rows) -> float:
            known = [value for row in rows if math.isfinite(value := float(getattr(row, column)))]
            return math.fsum(known) / len(known) if known else math.nan

        yield ChargingRow(
            plain(name),
            colour_of(position),
            (
                f"{rows[0].electric_vehicles} of {rows[0].vehicles}",
                number(found.charged_stops.get(name, 0)),
                number(mean("energy_kwh"), 1),
                number(mean("kwh_per_km"), 2),
                number(mean("charged_kwh"), 1),
                _share(mean("charge_least")),
                number(mean("trips_unserved"), 1),
                number(mean("blocks_failed"), 1),
                f"{failed} of {len(day)}" if day else UNKNOWN,
            ),
        )


def _share(value: float) -> str:
    return f"{number(100 * value, 0)}{NARROW}%" if math.isfinite(value) else UNKNOWN


def _failing(found: ChargingContent, names: Sequence[str]) -> Iterator[FailingRow]:
    """Simulated blocks that failed in some run, by variant and block."""
    for name in names:
        own = [row for row in found.blocks if row.variant == name]
        runs = len({row.seed for row in own})
        for vehicle in dict.fromkeys(row.vehicle_id for row in own if row.failing_trip):
            rows = [row for row in own if row.vehicle_id == vehicle]
            failed = [row for row in rows if row.failing_trip]
            yield FailingRow(
                plain(name),
                plain(vehicle),
                number(max(row.trips for row in rows)),
                plain(failed[0].failing_trip),
                f"{len(failed)} of {runs}",
                _share(min(row.charge_least for row in failed)),
            )


def _day_failing(day: Sequence[DayBlock]) -> Iterator[FailingRow]:
    for row in day:
        if not row.can_be_driven:
            yield FailingRow(
                plain(row.variant),
                plain(row.block_id),
                number(row.trips),
                plain(row.failing_trip),
                number(row.way_km, 0),
                _share(row.charge_least),
            )


def _parameters(found: ChargingContent) -> Iterator[ParameterRow]:
    """Each bus that is driven, parameter by parameter."""
    for source in {str(source.bus): source for source in found.sources.values()}.values():
        table = source.table
        for item in fields(ElectricBus):
            value = f"{getattr(table.bus, item.name):g}"
            yield ParameterRow(plain(table.words), item.name, value, plain(table.sources[item.name]))
