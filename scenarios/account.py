"""What a study tells its report: the scenario, what was prepared, and the rows, as one value."""

from typing import Literal

from scenarios.charging_content import ChargingContent
from scenarios.compare import Comparison
from scenarios.conflict_results import ConflictResults
from scenarios.content import ComparedVariant, Origin, ReportContent
from scenarios.manifest import versions
from scenarios.passenger_content import PassengerContent
from scenarios.prepare import Prepared
from scenarios.scenario import Scenario, Variant, variant_sensing
from scenarios.signal_content import SignalContent
from scenarios.transit_content import TransitContent
from signals.intergreen import Clearance
from sim.measures import JunctionMeasures, RunMeasures
from sim.times import clock_text


def report_content(
    scenario: Scenario,
    prepared: Prepared,
    measures: tuple[RunMeasures, ...],
    junctions: tuple[JunctionMeasures, ...],
    comparisons: tuple[Comparison, ...],
    transit: TransitContent | None = None,
    signals: SignalContent | None = None,
    conflicts: ConflictResults | None = None,
    passengers: PassengerContent | None = None,
    charging: ChargingContent | None = None,
) -> ReportContent:
    """Bring together what a reader of the report is to be told."""
    demand, screening = prepared.demand, prepared.screening
    scheduled = max((row.scheduled for row in measures), default=0)
    return ReportContent(
        scenario=scenario.name,
        begin=clock_text(scenario.begin_s),
        end=clock_text(scenario.end_s),
        seeds=scenario.seeds,
        step_s=scenario.step_s,
        teleport_s=scenario.teleport_s,
        clearance="ite" if scenario.clearance is Clearance.ITE else "as-shipped",
        chosen_by=_chosen_by(scenario),
        demand=Origin(demand.description, demand.is_synthetic, scheduled),
        crashes=screening.origin if screening else None,
        network_name=scenario.network.path.name.partition(".")[0],
        network=prepared.network,
        variants=tuple(
            ComparedVariant(row.name, row.controller, _parameters(row), variant_sensing(scenario, row))
            for row in scenario.variants
        ),
        runs=measures,
        junctions=junctions,
        comparisons=comparisons,
        hotspots=screening.hotspots if screening else (),
        notices=(
            *(screening.notices if screening else ()),
            *(transit.notices if transit else ()),
            *prepared.notices,
            *(passengers.notices if passengers else ()),
            *(charging.notices if charging else ()),
        ),
        versions=versions(),
        command=f"bagdar run {scenario.path.name} -o DIR",
        transit=transit,
        signals=signals,
        conflicts=conflicts,
        passengers=passengers,
        charging=charging,
        hotspot_method=scenario.hotspot_method,
        drivers_run_red=scenario.drivers is not None and scenario.drivers.red_running is not None,
    )


def _parameters(variant: Variant) -> dict[str, object]:
    """What was set of a variant, priority in words among it."""
    told = {} if variant.priority is None else {"priority": variant.priority.words}
    if variant.fares is not None:
        told["fares"] = variant.fares.words
    if variant.charging is not None:
        told["charging"] = variant.charging.words
    return {**variant.parameters, **told}


def _chosen_by(scenario: Scenario) -> Literal["all", "hotspots", "list"]:
    if isinstance(scenario.junctions, tuple):
        return "list"
    return "hotspots" if scenario.junctions == "hotspots" else "all"
