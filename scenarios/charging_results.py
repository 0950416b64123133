"""Tables of electric buses: runs, trips and blocks as simulated, and the blocks of the whole day by energy alone."""

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from gtfs.blocks import Use, block_charge
from scenarios.charging_content import ChargingContent, DayBlock
from scenarios.charging_plan import ChargingPlan
from scenarios.charging_source import ChargingSource
from scenarios.prepare import Prepared
from scenarios.scenario import Variant
from scenarios.tables import write_csv, write_parquet
from sim.battery_run import BatteryRun
from sim.charging_measures import (
    ChargingBlock,
    ChargingMeasures,
    ChargingTrip,
    charging_blocks,
    charging_measures,
    charging_trips,
)
from sim.electric_bus import is_electric
from sim.run import Run
from sim.transit_plan import read_plan


def charging_results(
    variants: Sequence[Variant], prepared: Prepared, runs: Sequence[Run], out_dir: Path
) -> ChargingContent | None:
    """Write the tables of electric buses; None where the scenario has none.

    Raises
    ------
    RunError
        RESULT_DAMAGED where the plan is not what was written; WRITE_FAILED.
    """
    found = prepared.charging
    if found is None or prepared.transit is None:
        return None
    plan = read_plan(prepared.transit)
    measures, trips, rows = list[ChargingMeasures](), list[ChargingTrip](), list[ChargingBlock]()
    curves = dict[str, BatteryRun]()
    for run in runs:
        who, batteries = run.measures, run.batteries
        if batteries is None:
            continue
        told = found.told[who.variant]
        own = list(charging_trips(plan, batteries, told, found.block_of, who.variant, who.seed))
        driven = list(charging_blocks(batteries, plan, own))
        measures.append(charging_measures(told, own, driven, len(found.block_of), who.variant, who.seed))
        trips += own
        rows += driven
        curves.setdefault(who.variant, batteries)
    sources = {variant.name: variant.charging for variant in variants if variant.charging}
    day = tuple(_day(found, sources, measures))
    write_csv(out_dir / "charging.csv", ChargingMeasures, measures)
    write_csv(out_dir / "charging_trips.csv", ChargingTrip, trips)
    write_parquet(out_dir / "charging_trips.parquet", ChargingTrip, trips)
    write_csv(out_dir / "charging_blocks.csv", ChargingBlock, rows)
    write_csv(out_dir / "charging_day.csv", DayBlock, day)
    return ChargingContent(
        measures=tuple(measures),
        trips=tuple(trips),
        blocks=tuple(rows),
        day=day,
        sources=sources,
        plan=plan,
        curves=curves,
        charged_stops={name: len(told.stops) for name, told in found.told.items()},
        has_blocks=found.has_blocks,
        notices=found.notices,
    )


def _day(
    found: ChargingPlan, sources: Mapping[str, ChargingSource], measures: Sequence[ChargingMeasures]
) -> Iterator[DayBlock]:
    """Electric blocks of the day under each variant; none where no run of its bus tells energy by kilometre."""
    for name, source in sources.items():
        own = [row.kwh_per_km for row in measures if row.variant == name]
        alike = [row.kwh_per_km for row in measures if sources[row.variant].bus == source.bus]
        kwh_per_km = _mean(own) if math.isfinite(_mean(own)) else _mean(alike)
        if not math.isfinite(kwh_per_km):
            continue
        bus = source.table.bus
        given = {
            stop: min(kw, bus.charge_rate_kw / bus.charging_efficiency) for stop, kw in found.power_kw[name].items()
        }
        power_kw = {stop: bus.charging_efficiency * kw for stop, kw in given.items()}
        use = Use(kwh_per_km, bus.capacity_kwh, bus.initial_charge, bus.reserve, power_kw, bus.connect_s)
        for block in found.blocks:
            if not is_electric(block.block_id, source.electric_share):
                continue
            charge = block_charge(block, use)
            yield DayBlock(
                variant=name,
                block_id=block.block_id,
                trips=len(block.trips),
                way_km=block.way_m / 1000,
                kwh_per_km=kwh_per_km,
                energy_kwh=charge.energy_kwh,
                charged_kwh=charge.charged_kwh,
                charge_least=charge.charge_least,
                trips_served=charge.served,
                failing_trip=charge.failing,
                can_be_driven=not charge.failing,
            )


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if math.isfinite(value)]
    return math.fsum(known) / len(known) if known else math.nan
