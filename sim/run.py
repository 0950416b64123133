"""One run: a variant with a seed, from files to measures."""

import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from networks.network import Program, RoadNetwork
from networks.netxml import read_network
from signals.controller import Controller, controller_kind, controller_parameters
from signals.intergreen import Clearance
from signals.plan import SignalPlan, build_plan, protected_foes
from signals.static import conformed_program
from sim.areas import JunctionArea, junction_areas
from sim.control import RefusedWish, SignalControl
from sim.detectors import SAMPLE_S, QueueDetector, Queues
from sim.engine import Api, Engine
from sim.measures import JunctionMeasures, RunMeasures, level_of_service
from sim.options import SumoOptions
from sim.outputs import EdgeTotals, Trips, read_edge_totals, read_events, read_trips, write_additional

STUCK_S = 300.0
"""A vehicle that has stood this long without a break is stuck."""
GRIDLOCK_SHARE = 0.5
"""A run is gridlocked when more than this share of the vehicles on the road at its end is stuck."""
GRIDLOCK_VEHICLES = 10

Progress = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class RunSpec:
    """All that one run depends on. Times in seconds; ``junctions`` are ids of signals or junctions.

    ``controlled`` signals get the controller and its clearance; ``measured`` junctions get a row each.
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


@dataclass(frozen=True, slots=True)
class Run:
    """What one run gave."""

    measures: RunMeasures
    junctions: tuple[JunctionMeasures, ...]
    refusals: tuple[RefusedWish, ...]


def simulate(
    spec: RunSpec,
    *,
    network: RoadNetwork | None = None,
    scratch: Path | None = None,
    api: Api = Api.LIBSUMO,
    on_progress: Progress | None = None,
    progress_every_s: float = 60.0,
) -> Run:
    """Run one simulation to its end and measure it.

    Parameters
    ----------
    network
        The network of ``spec.network`` where it has been read already.
    scratch
        Folder for SUMO's raw files while it runs; the system's temporary one by default.
    on_progress
        Called now and then with the simulated time (s).
    """
    began_s = time.process_time()
    network = read_network(spec.network) if network is None else network
    kind = controller_kind(spec.controller)
    parameters = controller_parameters(spec.controller, spec.parameters)
    plans = [build_plan(network, signal_id, spec.clearance) for signal_id in spec.controlled]
    areas = junction_areas(network, spec.measured)
    with tempfile.TemporaryDirectory(prefix=".sumo-", dir=scratch) as folder:
        files = _Files.in_folder(Path(folder))
        programs = _programs(network, plans, spec) if kind.make is None else []
        measured_edges = dict.fromkeys(edge for area in areas for edge in (*area.approach_edges, *area.inner_edges))
        write_additional(files.additional, measured_edges, files.edges, programs)
        with Engine(_options(spec, files), api) as engine:
            queues = QueueDetector(areas, spec.begin_s, spec.end_s, max(SAMPLE_S, spec.step_s))
            make = kind.make
            control = None
            if make is not None:
                laws: list[tuple[SignalPlan, Controller]] = [
                    (plan, make(plan, parameters)) for plan in plans if plan.is_controllable
                ]
                control = SignalControl(engine.api, network, laws, spec.controller, spec.begin_s)
            _drive(engine, spec.end_s, queues, control, on_progress, progress_every_s)
            gridlocked = _is_gridlocked(engine.api)
        trips, events, totals = read_trips(files.trips), read_events(files.statistics), read_edge_totals(files.edges)
        sumo_cpu_s = engine.cpu_s
    violations = control.violations if control else sum(_violations(plan, network, programs) for plan in plans)
    measures = RunMeasures(
        variant=spec.variant,
        seed=spec.seed,
        status="finished",
        **trip_measures(trips),
        teleports=events.teleports,
        collisions=events.collisions,
        emergency_braking=events.emergency_braking,
        gridlocked=gridlocked,
        signal_switches=control.switches if control else 0,
        refused_wishes=len(control.refused) if control else 0,
        monitor_violations=violations,
        sumo_cpu_s=sumo_cpu_s,
        total_cpu_s=time.process_time() - began_s,
    )
    return Run(
        measures, _junction_measures(spec, areas, queues.result(), totals), tuple(control.refused) if control else ()
    )


@dataclass(frozen=True, slots=True)
class _Files:
    """Where SUMO writes during a run."""

    additional: Path
    trips: Path
    statistics: Path
    edges: Path

    @classmethod
    def in_folder(cls, folder: Path) -> "_Files":
        return cls(folder / "run.add.xml", folder / "trips.xml", folder / "statistics.xml", folder / "edges.xml")


def _options(spec: RunSpec, files: _Files) -> SumoOptions:
    return SumoOptions(
        network=spec.network,
        routes=spec.routes,
        begin_s=spec.begin_s,
        end_s=spec.end_s,
        seed=spec.seed,
        step_s=spec.step_s,
        teleport_s=spec.teleport_s,
        additional=(files.additional,),
        tripinfo=files.trips,
        statistics=files.statistics,
    )


def _programs(network: RoadNetwork, plans: list[SignalPlan], spec: RunSpec) -> list[tuple[str, Program]]:
    """Programs that replace shipped ones: conformed to safe intergreen, or only corrected where foes were protected."""
    shipped = {plan.signal_id: network.signals[network.signal_index[plan.signal_id]].programs for plan in plans}
    return [
        (plan.signal_id, conformed_program(plan, shipped[plan.signal_id][-1]))
        for plan in plans
        if shipped[plan.signal_id] and (spec.clearance is Clearance.ITE or plan.corrected_states)
    ]


def _violations(plan: SignalPlan, network: RoadNetwork, programs: list[tuple[str, Program]]) -> int:
    """Conflict monitor over every state of the program that ran."""
    replaced = dict(programs).get(plan.signal_id)
    shipped = network.signals[network.signal_index[plan.signal_id]].programs
    program = replaced or (shipped[-1] if shipped else None)
    return sum(len(protected_foes(phase.state, plan.foes)) for phase in program.phases) if program else 0


def _drive(
    engine: Engine,
    end_s: float,
    queues: QueueDetector,
    control: SignalControl | None,
    on_progress: Progress | None,
    progress_every_s: float,
) -> None:
    """The loop: SUMO runs alone until somebody is due, then those who are due act."""
    now_s = engine.time_s
    report_s = now_s + progress_every_s if on_progress else np.inf
    while now_s < end_s:
        if control is not None and control.due_s <= now_s:
            control.act(now_s)
        due_s = min(end_s, queues.due_s, report_s, control.due_s if control else np.inf)
        engine.run_to(due_s)
        now_s = engine.time_s
        if queues.due_s <= now_s:
            queues.sample(engine.api, now_s)
        if on_progress is not None and report_s <= now_s:
            on_progress(now_s)
            report_s = now_s + progress_every_s


def _is_gridlocked(api: Any) -> bool:
    vehicles = api.vehicle.getIDList()
    stuck = sum(1 for vehicle in vehicles if api.vehicle.getWaitingTime(vehicle) >= STUCK_S)
    return len(vehicles) >= GRIDLOCK_VEHICLES and stuck > GRIDLOCK_SHARE * len(vehicles)


def trip_measures(trips: Trips) -> dict[str, Any]:
    """Counts and means of a run's trips, by the names of RunMeasures; NaN where nobody was due or inserted."""
    inside = trips.inserted
    losses_s = trips.time_loss_s[inside]
    scheduled = len(trips)

    def mean(values: np.ndarray[Any, np.dtype[np.float64]]) -> float:
        return float(values.mean()) if len(values) else float("nan")

    delay_s = float(losses_s.sum() + trips.depart_delay_s.sum())
    return {
        "scheduled": scheduled,
        "inserted": int(inside.sum()),
        "arrived": int((inside & trips.arrived).sum()),
        "never_inserted": scheduled - int(inside.sum()),
        "delay_per_scheduled_s": delay_s / scheduled if scheduled else float("nan"),
        "time_loss_s": mean(losses_s),
        "time_loss_p95_s": float(np.percentile(losses_s, 95)) if len(losses_s) else float("nan"),
        "time_loss_max_s": float(losses_s.max()) if len(losses_s) else float("nan"),
        "depart_delay_s": mean(trips.depart_delay_s),
        "duration_s": mean(trips.duration_s[inside]),
        "waiting_s": mean(trips.waiting_s[inside]),
        "stops": mean(trips.stops[inside]),
    }


def _junction_measures(
    spec: RunSpec, areas: tuple[JunctionArea, ...], queues: Queues, totals: dict[str, EdgeTotals]
) -> tuple[JunctionMeasures, ...]:
    hours = (spec.end_s - spec.begin_s) / 3600
    nothing = EdgeTotals(0, 0.0, 0.0)
    rows = []
    for number, area in enumerate(areas):
        volume = sum(totals.get(edge, nothing).left for edge in area.stop_edges)
        lost_s = sum(totals.get(edge, nothing).time_loss_s for edge in (*area.approach_edges, *area.inner_edges))
        delay_s = lost_s / volume if volume else float("nan")
        rows.append(
            JunctionMeasures(
                variant=spec.variant,
                seed=spec.seed,
                junction=area.area_id,
                name=area.name,
                lon=area.lon,
                lat=area.lat,
                signalised=area.signalised,
                volume_veh_per_h=volume / hours,
                delay_s=delay_s,
                queue_mean_veh=float(queues.mean_veh[number]),
                queue_max_veh=float(queues.max_veh[number]),
                stops_per_veh=float(queues.halts[number]) / volume if volume else float("nan"),
                level_of_service=level_of_service(delay_s, signalised=area.signalised),
            )
        )
    return tuple(rows)
