"""What the runs of a scenario need, made once: network, demand, the junctions to compare."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from gtfs.service_day import parse_day
from networks.build import build_network
from networks.faults import InputError, Notice
from networks.network import RoadNetwork
from networks.netxml import read_network
from scenarios.charging_plan import ChargingPlan, charging_plan
from scenarios.hotspots import Screening, ScreeningOptions, screen_hotspots, write_hotspots
from scenarios.scenario import ConflictSource, Scenario, TransitSource, Variant
from scenarios.tables import write_csv
from scenarios.transit_import import SUMMARY, import_to_folder
from signals.controller import controller_kind
from signals.flows import SignalFlows
from signals.outside_controller import is_outside, outside_controller
from signals.plan import build_plan
from signals.priority import Priority
from sim.areas import signal_or_junction
from sim.conflict_run import ConflictOptions
from sim.counts import CountFit
from sim.demand import Demand, demand_from_counts, demand_from_routes, synthetic_demand
from sim.drivers import Drivers, write_driver_routes
from sim.dwell import DwellLaw
from sim.fares import EVERY_STOP, BoardingRate, Fares, read_boardings
from sim.modes import MODES, modes_named
from sim.run import RunSpec
from sim.signal_flows import signal_flows
from sim.transit import TransitOptions
from sim.transit_plan import read_plan

COUNTS_SEED = 1
"""Seed of the routes that are estimated from counts."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Prepared:
    """What the runs need.

    Attributes
    ----------
    signals
        Ids of those to be compared.
    transit
        Folder with the timetabled vehicles, None where there are none.
    flows
        Traffic through the signals, None where no variant makes plans for it.
    conflicts
        Where conflicts are looked for, None for nowhere.
    boardings
        Passengers who come to stops, and what was wrong with their file.
    charging
        Blocks, chargers and electric vehicles, None where no variant has any.
    """

    network_path: Path
    network: RoadNetwork
    demand: Demand
    screening: Screening | None
    signals: tuple[str, ...]
    transit: Path | None = None
    flows: SignalFlows | None = None
    conflicts: ConflictOptions | None = None
    boardings: tuple[BoardingRate, ...] = ()
    notices: tuple[Notice, ...] = ()
    charging: ChargingPlan | None = None


def prepare(scenario: Scenario, out_dir: Path, say: Say) -> Prepared:
    """Build or read the network, make the demand, rank the accident sites, choose the signals.

    What is made is written to ``out_dir``: ``inputs/`` and, with accident records, the ranking and its map.
    """
    inputs = out_dir / "inputs"
    network_path = scenario.network.path
    if scenario.network.is_osm:
        network_path = inputs / "network.net.xml.gz"
        if not network_path.exists():
            say(f"building the network from {scenario.network.path.name}")
            build_network(scenario.network.path, network_path)
    say(f"reading {network_path.name}")
    network = read_network(network_path)
    say("preparing demand")
    demand = _demand(scenario, network, inputs)
    if demand.count_fits:
        write_csv(out_dir / "counts_fit.csv", CountFit, demand.count_fits)
    if scenario.drivers is not None:
        demand = _with_drivers(demand, scenario.drivers, inputs)
    screening = None
    if scenario.crashes is not None:
        say("matching accidents to junctions")
        screening = screen_hotspots(
            network,
            scenario.crashes.files,
            scenario.crashes.columns,
            ScreeningOptions(
                method=scenario.hotspot_method,
                top=scenario.top,
                rule=scenario.hotspot_rule,
                exposure=scenario.hotspot_exposure,
                signalised_only=scenario.junctions == "hotspots",
            ),
        )
        write_hotspots(screening, out_dir)
    signals = _signals(scenario, network, screening)
    transit = _transit(scenario.transit, scenario, network, network_path, inputs, say) if scenario.transit else None
    flows = _flows(scenario, network, demand)
    conflicts = _conflicts(scenario.conflicts, network, screening, out_dir) if scenario.conflicts else None
    rates, notices = _boardings(scenario, transit)
    charging = charging_plan(scenario, transit, network)
    return Prepared(
        network_path, network, demand, screening, signals, transit, flows, conflicts, rates, notices, charging
    )


def _boardings(scenario: Scenario, transit: Path | None) -> tuple[tuple[BoardingRate, ...], tuple[Notice, ...]]:
    """Passengers, the same for all variants, and a notice on stops at which nobody calls."""
    source = next((variant.fares for variant in scenario.variants if variant.fares), None)
    if source is None or transit is None:
        return (), ()
    if source.boardings is None:
        return (BoardingRate(EVERY_STOP, source.boardings_per_h),), ()
    table = read_boardings(source.boardings)
    return table.rates, table.strangers(frozenset(read_plan(transit).calls.stop_ids))


def _with_drivers(demand: Demand, drivers: Drivers, inputs: Path) -> Demand:
    """The same demand with other drivers: copies of its route files that differ in their types."""
    copies = []
    for number, file in enumerate(demand.files, start=1):
        copies.append(replace(file, path=inputs / f"drivers-{number}-{file.path.name}"))
        write_driver_routes(file.path, copies[-1].path, drivers)
    return replace(demand, files=tuple(copies))


def _conflicts(
    source: ConflictSource, network: RoadNetwork, screening: Screening | None, out_dir: Path
) -> ConflictOptions:
    folder = out_dir / "trajectories" if source.keeps_trajectories else None
    if source.sites == "hotspots" and screening is not None:
        wanted = [name for site in screening.hotspots for name in site.signals or site.junctions]
    elif isinstance(source.sites, tuple):
        wanted = [signal_or_junction(network, name) for name in source.sites]
    else:
        return ConflictOptions(None, source.measures, folder)
    return ConflictOptions(tuple(dict.fromkeys(wanted)), source.measures, folder)


def _transit(
    source: TransitSource, scenario: Scenario, network: RoadNetwork, network_path: Path, inputs: Path, say: Say
) -> Path:
    """Bring the timetable onto the network, once: what a stopped import left is written anew."""
    folder = inputs / "transit"
    if not (folder / SUMMARY).exists():
        options = TransitOptions(
            service_date=parse_day(source.service_date),
            modes=modes_named(source.modes) if source.modes else MODES,
            begin_s=scenario.begin_s,
            end_s=scenario.end_s,
            dwell=DwellLaw(default_s=source.dwell_s),
        )
        note = "synthetic timetable" if source.is_synthetic else ""
        import_to_folder(network, network_path, source.feed, options, folder, say, note=note)
    return folder


def _demand(scenario: Scenario, network: RoadNetwork, inputs: Path) -> Demand:
    source, begin_s, end_s = scenario.demand, scenario.begin_s, scenario.end_s
    if source.routes:
        return demand_from_routes(source.routes, network)
    path = inputs / "demand.rou.xml.gz"
    if source.counts is not None:
        return demand_from_counts(source.counts, network, begin_s, end_s, COUNTS_SEED, path)
    if source.synthetic is None:
        raise InputError("CONFIG_VALUE", "the scenario names no demand", file=scenario.path, field="demand")
    return synthetic_demand(network, source.synthetic.vehicles_per_hour, begin_s, end_s, source.synthetic.seed, path)


def _flows(scenario: Scenario, network: RoadNetwork, demand: Demand) -> SignalFlows | None:
    """The traffic that plans are made for, once for all runs."""
    if not any(_makes_plans(variant) for variant in scenario.variants):
        return None
    return signal_flows(network, demand.route_files, scenario.begin_s, scenario.end_s)


def _makes_plans(variant: Variant) -> bool:
    return not is_outside(variant.controller) and controller_kind(variant.controller).programs is not None


def _controller_folder(variant: Variant, scenario: Scenario) -> Path | None:
    """Where a worker finds the class of somebody else's that runs a variant: its own path may be another than ours."""
    if not is_outside(variant.controller):
        return None
    return outside_controller(variant.controller, scenario.path.parent).root


def _signals(scenario: Scenario, network: RoadNetwork, screening: Screening | None) -> tuple[str, ...]:
    """The signals to be compared, those with a choice to make, each once."""
    if scenario.junctions == "hotspots" and screening is not None:
        wanted = [signal for site in screening.hotspots for signal in site.signals]
    elif isinstance(scenario.junctions, tuple):
        wanted = [signal_or_junction(network, name) for name in scenario.junctions]
    else:
        wanted = [signal.signal_id for signal in network.signals]
    signals = tuple(
        name
        for name in dict.fromkeys(wanted)
        if name in network.signal_index and build_plan(network, name, scenario.clearance).is_controllable
    )
    if not signals:
        raise InputError(
            "NO_SIGNALS",
            "none of the chosen junctions has a traffic light with two or more stages",
            file=scenario.path,
            field="signals.junctions",
            remedy="`bagdar network info NET --json` lists the signals",
        )
    return signals


def _priority(variant: Variant, scenario: Scenario) -> Priority | None:
    """Who has priority; the dwell that is predicted is the timetable's."""
    if variant.priority is None or scenario.transit is None:
        return variant.priority
    return replace(variant.priority, dwell_s=scenario.transit.dwell_s)


def variant_paying(prepared: Prepared, variant: Variant) -> Fares | None:
    """Passengers and how they pay under a variant; None where nobody is told to board."""
    source = variant.fares
    if source is None:
        return None
    return Fares(prepared.boardings, source.electronic_share, source.cash, source.electronic)


def run_specs(scenario: Scenario, prepared: Prepared, seeds: tuple[int, ...]) -> list[RunSpec]:
    """Every variant with every seed; all variants of a seed come together, so that pairs are complete early."""
    return [
        RunSpec(
            variant=variant.name,
            controller=variant.controller,
            seed=seed,
            network=prepared.network_path,
            routes=prepared.demand.route_files,
            begin_s=scenario.begin_s,
            end_s=scenario.end_s,
            controlled=prepared.signals,
            measured=prepared.signals,
            parameters=variant.parameters,
            clearance=scenario.clearance,
            step_s=scenario.step_s,
            teleport_s=scenario.teleport_s,
            transit=prepared.transit,
            flows=prepared.flows if _makes_plans(variant) else None,
            controller_folder=_controller_folder(variant, scenario),
            sensing=variant.sensing,
            priority=_priority(variant, scenario),
            conflicts=prepared.conflicts,
            fares=variant_paying(prepared, variant),
            charging=prepared.charging.told.get(variant.name) if prepared.charging else None,
        )
        for seed in seeds
        for variant in scenario.variants
    ]
