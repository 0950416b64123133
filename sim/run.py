"""One run: a variant with a seed, from files to measures."""

import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from networks.intake import Attributes
from networks.network import RoadNetwork
from networks.netxml import read_network
from signals.controller import controller_kind, controller_parameters
from signals.flows import SignalFlows
from signals.intergreen import Clearance
from signals.plan import SignalPlan, build_plan
from signals.priority import Priority, PriorityRow
from signals.sensing import ALL_CONNECTED, NO_SENSING, Sensing
from sim.areas import JunctionArea, junction_areas
from sim.battery_run import BatteryRun, read_batteries
from sim.charging import Charging, write_electric_vehicles, write_stations
from sim.conflict_run import ConflictOptions, ConflictRun, look_s, read_conflicts, write_edges
from sim.control import RefusedWish, SignalControl
from sim.demand import demand_from_routes
from sim.engine import Api, run_program
from sim.fares import Fares
from sim.loop import Progress, drive
from sim.measures import JunctionMeasures, RunMeasures, is_gridlocked, junction_measures, trip_measures
from sim.options import SumoOptions
from sim.outputs import (
    RawOutputs,
    read_area_stops,
    read_edge_totals,
    read_events,
    read_trip_rows,
    trips_of,
    write_additional,
)
from sim.passenger_files import write_boarded_vehicles, write_nowhere, write_passengers
from sim.passenger_run import PassengerRun, read_passengers
from sim.passengers import draw_passengers
from sim.programs import fixed_programs, program_violations, running_programs
from sim.regime import Regime, laws_of, programmed
from sim.signal_flows import signal_flows
from sim.signal_measures import Period
from sim.signal_record import SignalRun, read_signal_run
from sim.trajectory_file import trajectory_path
from sim.transit_plan import TransitFiles
from sim.transit_record import TransitRecord
from sim.transit_run import TransitRun


@dataclass(frozen=True, slots=True)
class RunSpec:
    """All that one run depends on. Times in seconds; ``junctions`` are ids of signals or junctions.

    ``controlled`` signals get the controller and its clearance; ``measured`` junctions get a row each.
    ``transit`` is the folder of an imported timetable. ``flows`` is the traffic that plans are made for, where the
    controller makes plans; None has it taken from ``routes``. ``controller_folder`` is where the module of a controller
    that is named ``module:Class`` lies. ``sensing`` is what controllers see. ``priority`` is
    who has it at the controlled signals and how; programs that SUMO runs by itself are then followed by us.
    ``conflicts`` tells where conflicts are looked for, and the folder for trajectories; with them, collisions inside
    junctions count too. ``fares`` has passengers board the timetabled vehicles. ``charging`` tells which of these are
    electric.
    """

    variant: str
    controller: str
    seed: int
    network: Path
    routes: tuple[Path, ...]
    begin_s: float
    end_s: float
    controlled: tuple[str, ...]
    measured: tuple[str, ...]
    parameters: Mapping[str, Any] = field(default_factory=dict)
    clearance: Clearance = Clearance.ITE
    step_s: float = 1.0
    teleport_s: float = -1.0
    transit: Path | None = None
    flows: SignalFlows | None = None
    controller_folder: Path | None = None
    sensing: Sensing = ALL_CONNECTED
    priority: Priority | None = None
    conflicts: ConflictOptions | None = None
    fares: Fares | None = None
    charging: Charging | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """What one run gave."""

    measures: RunMeasures
    junctions: tuple[JunctionMeasures, ...]
    refusals: tuple[RefusedWish, ...]
    transit: TransitRun | None = None
    signals: SignalRun | None = None
    requests: tuple[PriorityRow, ...] = ()
    conflicts: ConflictRun | None = None
    passengers: PassengerRun | None = None
    batteries: BatteryRun | None = None


def simulate(
    spec: RunSpec,
    *,
    network: RoadNetwork | None = None,
    scratch: Path | None = None,
    api: Api | None = None,
    on_progress: Progress | None = None,
    progress_every_s: float = 60.0,
) -> Run:
    """Run one simulation to its end and measure it.

    Timetabled vehicles have measures of their own; those of trips are of all others, so that they compare with a run
    without a timetable, and so is gridlock, since who lays over does not arrive. Junctions count every vehicle: SUMO
    takes a stay at a bus stop for neither delay nor queue, but for one of the stops.

    Parameters
    ----------
    network
        The network of ``spec.network`` where it has been read already.
    scratch
        Folder for SUMO's raw files while it runs; the system's temporary one by default.
    api
        How SUMO is run; by default in process where controllers act, and as a program left to itself where none does.
    on_progress
        Called now and then with the simulated time (s).
    """
    began_s = time.process_time()
    network = read_network(spec.network) if network is None else network
    kind = controller_kind(spec.controller, spec.controller_folder)
    plans = [build_plan(network, signal_id, spec.clearance) for signal_id in spec.controlled]
    areas = junction_areas(network, spec.measured)
    programs = fixed_programs(network, plans, kind, planned_flows(network, spec))
    regime = regime_of(spec, plans)
    if spec.priority is not None and kind.make is None:
        regime = replace(regime, laws=programmed(plans, running_programs(network, plans, programs)))
    transit = TransitRecord(spec.transit, network) if spec.transit else None
    with tempfile.TemporaryDirectory(prefix=".sumo-", dir=scratch) as folder:
        raw = RawOutputs(Path(folder).resolve())
        write_additional(raw, areas, programs, spec.end_s - spec.begin_s)
        write_timetabled(raw, spec, transit)
        control = None
        if spec.conflicts is not None and spec.conflicts.sites is not None:
            write_edges(raw.selection, network, spec.conflicts.sites)
        # SUMO writes one record of positions: with conflicts, detectors look at timetabled vehicles by themselves
        if api is Api.PROGRAM or (api is None and not regime.laws and not (transit and spec.conflicts)):
            sumo_cpu_s = child_cpu_s = run_program(
                sumo_options(spec, raw, recorded=True), on_progress, progress_every_s
            )
        else:
            child_cpu_s = 0.0
            control, sumo_cpu_s = drive(
                sumo_options(spec, raw, recorded=False),
                api or Api.LIBSUMO,
                network,
                regime,
                on_progress,
                progress_every_s,
                transit.detectors if transit else None,
            )
        done = Done(control, sumo_cpu_s, time.process_time() - began_s + child_cpu_s)
        violations = 0 if control else program_violations(network, plans, programs)
        return measured(spec, network, raw, areas, done, transit, violations)


@dataclass(frozen=True, slots=True)
class Done:
    """What a simulation that has ended leaves besides its files: what controllers did, None without any, and CPU time.

    ``total_cpu_s`` is all of it up to here.
    """

    control: SignalControl | None
    sumo_cpu_s: float
    total_cpu_s: float


def measured(
    spec: RunSpec,
    network: RoadNetwork,
    raw: RawOutputs,
    areas: Sequence[JunctionArea],
    done: Done,
    transit: TransitRecord | None = None,
    violations: int = 0,
) -> Run:
    """Measure a simulation that has ended, from the files that SUMO left.

    Parameters
    ----------
    violations
        Conflicts of programs that SUMO ran by itself; those of controllers are counted in ``done``.
    """
    began_s = time.process_time()
    control = done.control
    timetabled = transit.vehicles if transit else frozenset[str]()
    rows = read_trip_rows(raw.trips)
    trips, who = trips_of(rows, timetabled), (spec.variant, spec.seed)
    signals = read_signal_run(raw, network, areas, who, Period(spec.begin_s, spec.end_s, spec.step_s), rows, timetabled)
    events, buses = read_events(raw.statistics), transit.read(raw, spec.end_s) if transit else None
    totals, stops = read_edge_totals(raw.edges), read_area_stops(raw.areas)
    conflicts = conflicts_of(spec, network, raw, rows)
    measures = RunMeasures(
        variant=spec.variant,
        seed=spec.seed,
        status="finished",
        **trip_measures(trips),
        teleports=events.teleports,
        collisions=events.collisions,
        emergency_braking=events.emergency_braking,
        gridlocked=is_gridlocked(trips, spec.end_s),
        signal_switches=control.switches if control else 0,
        refused_wishes=len(control.refused) if control else 0,
        monitor_violations=control.violations if control else violations,
        sensing=sensing_words(spec),
        sumo_cpu_s=done.sumo_cpu_s,
        total_cpu_s=done.total_cpu_s + time.process_time() - began_s,
    )
    hours = (spec.end_s - spec.begin_s) / 3600
    junctions = tuple(junction_measures(spec.variant, spec.seed, area, totals, stops, hours) for area in areas)
    passengers = None
    if spec.fares is not None and transit is not None and buses is not None:
        drawn = draw_passengers(transit.plan, spec.fares.rates, spec.seed, spec.begin_s, spec.end_s)
        passengers = read_passengers(raw.trips, drawn, transit.plan, buses, spec.fares.electronic_share)
    refused, requests = (tuple(control.refused), control.requests(spec.end_s)) if control else ((), ())
    batteries = None
    if spec.charging is not None and transit is not None and buses is not None:
        batteries = read_batteries(raw.batteries, transit.plan, buses, spec.charging, spec.step_s)
    return Run(measures, junctions, refused, buses, signals, requests, conflicts, passengers, batteries)


def write_timetabled(raw: RawOutputs, spec: RunSpec, transit: TransitRecord | None) -> None:
    """Write what a run changes of its timetabled vehicles: how long they stand for passengers, which are electric."""
    if transit is None:
        return
    if spec.fares is not None:
        _write_boarding(raw, spec, transit, spec.fares)
    if spec.charging is not None:
        source = TransitFiles(transit.folder).vehicles if spec.fares is None else raw.boarded_vehicles
        write_electric_vehicles(source, raw.electric_vehicles, spec.charging)
        write_stations(raw.charging_stations, TransitFiles(transit.folder).stops, spec.charging)


def _write_boarding(raw: RawOutputs, spec: RunSpec, transit: TransitRecord, fares: Fares) -> None:
    """Write passengers, and vehicles that stand for as long as they take."""
    files = TransitFiles(transit.folder)
    drawn = draw_passengers(transit.plan, fares.rates, spec.seed, spec.begin_s, spec.end_s)
    write_passengers(raw.passengers, drawn, transit.plan, fares)
    write_nowhere(raw.nowhere, files.stops)
    write_boarded_vehicles(files.vehicles, raw.boarded_vehicles, transit.plan, fares, spec.step_s)


def conflicts_of(
    spec: RunSpec, network: RoadNetwork, raw: RawOutputs, trips: Mapping[str, Attributes]
) -> ConflictRun | None:
    """Conflicts of a run that looks for them; ``trips`` are rows of ``tripinfo`` by vehicle."""
    if spec.conflicts is None:
        return None
    types = (*spec.routes, _timetabled_vehicles(spec, raw, spec.transit)) if spec.transit else spec.routes
    options = spec.conflicts
    if options.trajectories is not None:
        options = replace(options, trajectories=trajectory_path(options.trajectories, spec.variant, spec.seed))
    return read_conflicts(raw.movements, network, options, look_s(spec.step_s), types, trips)


def sumo_options(spec: RunSpec, raw: RawOutputs, *, recorded: bool) -> SumoOptions:
    """How SUMO is to do a run; where ``recorded`` it writes positions of timetabled vehicles by itself."""
    files = TransitFiles(spec.transit) if spec.transit else None
    routes = (*spec.routes, _timetabled_vehicles(spec, raw, spec.transit)) if spec.transit else spec.routes
    additional = (raw.additional, files.stops) if files else (raw.additional,)
    if files and spec.fares is not None:
        routes, additional = (*routes, raw.passengers), (*additional, raw.nowhere)
    if files and spec.charging is not None:
        additional = (*additional, raw.charging_stations)
    return SumoOptions(
        network=spec.network,
        routes=routes,
        begin_s=spec.begin_s,
        end_s=spec.end_s,
        seed=spec.seed,
        step_s=spec.step_s,
        teleport_s=spec.teleport_s,
        additional=additional,
        tripinfo=raw.trips,
        vehicle_routes=raw.routes,
        statistics=raw.statistics,
        stop_visits=raw.stop_visits if files else None,
        unfinished_stops=True,
        positions=raw.positions if files and recorded and not spec.conflicts else None,
        movements=raw.movements if spec.conflicts else None,
        movements_every_s=look_s(spec.step_s),
        movements_on=raw.selection if spec.conflicts and spec.conflicts.sites is not None else None,
        check_junctions=spec.conflicts is not None,
        batteries=raw.batteries if files and spec.charging is not None else None,
    )


def _timetabled_vehicles(spec: RunSpec, raw: RawOutputs, transit: Path) -> Path:
    """The route file of timetabled vehicles that a run has SUMO read."""
    if spec.charging is not None:
        return raw.electric_vehicles
    return TransitFiles(transit).vehicles if spec.fares is None else raw.boarded_vehicles


def regime_of(spec: RunSpec, plans: Sequence[SignalPlan]) -> Regime:
    """What holds at the controlled signals of a run; no laws where SUMO runs programs by itself."""
    kind = controller_kind(spec.controller, spec.controller_folder)
    parameters = controller_parameters(spec.controller, spec.parameters, spec.controller_folder)
    laws = laws_of(kind, plans, parameters)
    return Regime(laws, spec.controller, kind.team_of, kind.looks_behind, spec.sensing, spec.priority)


def sensing_words(spec: RunSpec) -> str:
    """What the controllers of a run see, in words."""
    is_fixed = controller_kind(spec.controller, spec.controller_folder).make is None
    return NO_SENSING if is_fixed else spec.sensing.words


def planned_flows(network: RoadNetwork, spec: RunSpec) -> SignalFlows | None:
    """The traffic that a run's plans are made for; None where its controller makes none."""
    if controller_kind(spec.controller, spec.controller_folder).programs is None or spec.flows is not None:
        return spec.flows
    demand = demand_from_routes(spec.routes, network)
    return signal_flows(network, demand.route_files, spec.begin_s, spec.end_s)
