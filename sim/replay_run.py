"""One run with real vehicles in it: tracks among the simulated traffic of a run, from files to measures."""

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from networks.network import RoadNetwork
from signals.controller import controller_kind
from signals.plan import build_plan
from sim.areas import junction_areas
from sim.control import SignalControl
from sim.engine import Api, Engine
from sim.loop import Progress
from sim.measures import JunctionMeasures, RunMeasures, is_gridlocked, junction_measures, trip_measures
from sim.options import SumoOptions
from sim.outputs import RawOutputs, read_area_stops, read_edge_totals, read_events, read_trips, write_additional
from sim.programs import fixed_programs, program_violations
from sim.regime import Regime
from sim.replay_drive import Convoy, Ride
from sim.replay_files import write_tracks
from sim.replay_tracks import Track
from sim.run import RunSpec, planned_flows, regime_of, sensing_words


@dataclass(frozen=True, slots=True)
class ReplayRun:
    """What a run with replayed vehicles gave: a ride for each track, and the ordinary measures of all other traffic."""

    rides: tuple[Ride, ...]
    measures: RunMeasures
    junctions: tuple[JunctionMeasures, ...]


def replay(
    spec: RunSpec,
    network: RoadNetwork,
    tracks: Sequence[Track],
    *,
    scratch: Path | None = None,
    on_progress: Progress | None = None,
    progress_every_s: float = 60.0,
) -> ReplayRun:
    """Run one simulation to its end with vehicles that keep to their tracks.

    It runs in this process, as somebody acts at every step. Signals, demand and measures are those of
    :func:`sim.run.simulate`; a timetable in ``spec`` is not driven, the tracks take its place.

    Parameters
    ----------
    tracks
        Inside the time simulated (:func:`sim.replay_tracks.in_time`), with ids of their own.
    on_progress
        Called now and then with the simulated time (s).
    """
    began_s = time.process_time()
    kind = controller_kind(spec.controller, spec.controller_folder)
    plans = [build_plan(network, signal_id, spec.clearance) for signal_id in spec.controlled]
    regime = regime_of(spec, plans)
    programs = fixed_programs(network, plans, kind, planned_flows(network, spec))
    areas = junction_areas(network, spec.measured)
    with tempfile.TemporaryDirectory(prefix=".sumo-", dir=scratch) as name:
        raw = RawOutputs(Path(name).resolve())
        routes = raw.folder / "replayed.rou.xml"
        write_additional(raw, areas, programs, spec.end_s - spec.begin_s)
        write_tracks(routes, network, tracks)
        control, convoy, sumo_cpu_s = _drive(
            _options(spec, raw, routes), network, regime, tracks, on_progress, progress_every_s
        )
        trips = read_trips(raw.trips, {track.vehicle_id for track in tracks})
        events = read_events(raw.statistics)
        totals = read_edge_totals(raw.edges) if areas else {}
        stops = read_area_stops(raw.areas) if areas else {}
    measures = RunMeasures(
        variant=spec.variant,
        seed=spec.seed,
        status="finished",
        **trip_measures(trips),
        teleports=events.teleports,
        collisions=events.collisions,
        emergency_braking=events.emergency_braking,
        gridlocked=is_gridlocked(trips, spec.end_s),
        signal_switches=control.switches,
        refused_wishes=len(control.refused),
        monitor_violations=control.violations + (0 if regime.laws else program_violations(network, plans, programs)),
        sensing=sensing_words(spec),
        sumo_cpu_s=sumo_cpu_s,
        total_cpu_s=time.process_time() - began_s,
    )
    hours = (spec.end_s - spec.begin_s) / 3600
    junctions = tuple(junction_measures(spec.variant, spec.seed, area, totals, stops, hours) for area in areas)
    return ReplayRun(convoy.rides, measures, junctions)


def _drive(
    options: SumoOptions,
    network: RoadNetwork,
    regime: Regime,
    tracks: Sequence[Track],
    on_progress: Progress | None,
    progress_every_s: float,
) -> tuple[SignalControl, Convoy, float]:
    """Simulate to the end step by step; controllers act when they are due, replayed vehicles at every step."""
    with Engine(options, Api.LIBSUMO) as engine:
        control = SignalControl(engine.api, network, regime, options.begin_s, options.seed)
        convoy = Convoy(engine.api, network, tracks, options.step_s)
        now_s = engine.time_s
        report_s = now_s + progress_every_s
        while now_s < options.end_s:
            if control.due_s <= now_s:
                control.act(now_s)
            engine.run_to(now_s + options.step_s)
            now_s = engine.time_s
            convoy.act(now_s)
            if report_s <= now_s:
                report_s = now_s + progress_every_s
                if on_progress is not None:
                    on_progress(now_s)
    return control, convoy, engine.cpu_s


def _options(spec: RunSpec, raw: RawOutputs, routes: Path) -> SumoOptions:
    return SumoOptions(
        network=spec.network,
        routes=(*spec.routes, routes),
        begin_s=spec.begin_s,
        end_s=spec.end_s,
        seed=spec.seed,
        step_s=spec.step_s,
        teleport_s=spec.teleport_s,
        additional=(raw.additional,),
        tripinfo=raw.trips,
        statistics=raw.statistics,
    )
