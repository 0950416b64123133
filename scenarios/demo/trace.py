"""A trace of the built-in city's buses, as their operator would have it, and the truth beside it. All of it is made up.

The buses drove in a simulated run; what they sent of that, and what went wrong on the way, is made up on top.
"""

import json
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from networks.faults import RunError
from networks.network import RoadNetwork
from networks.netxml import read_network
from networks.outfile import write_text
from scenarios.demo.city import NETWORK, SCENARIO
from scenarios.demo.trace_motion import motions
from scenarios.demo.trace_pings import DRIFT_M, DRIFT_S, EVERY_S, LABEL, NOISE_M, LocationRow, location_rows
from scenarios.demo.trace_staging import stage
from scenarios.demo.trace_truth import TruthEvent, TruthVisit, truth_events, truth_of, truth_visits
from scenarios.results import read_run
from scenarios.scenario import read_scenario
from scenarios.tables import write_csv
from sim.transit_plan import TransitPlan, read_plan
from sim.transit_run import TransitRun

LOCATIONS, VISITS, EVENTS = "vehicle_locations.csv", "truth_stop_visits.csv", "truth_events.csv"
ABOUT = "trace.json"
SEED = 12489
"""Adlershof's postcode."""

WHAT = (
    "SYNTHETIC: made-up pings of made-up buses, and no statement about the real place. The buses drove in a simulated "
    "run; one was then held at a stop, one sent over other streets, one left without trip ids, some made silent."
)


@dataclass(frozen=True, slots=True)
class TraceSummary:
    """A trace in numbers; ``events`` counts those of ``truth_events.csv`` by kind, noise is for each axis.

    ``pings`` are rows, ``pings_twice`` of them repeat another one but for their id.
    """

    vehicles: int
    trips: int
    pings: int
    pings_twice: int
    stop_visits: int
    events: dict[str, int]
    every_s: float
    noise_sd_m: float
    drift_sd_m: float
    drift_time_constant_s: float
    seed: int


def write_trace(
    folder: Path, network: RoadNetwork, plan: TransitPlan, run: TransitRun, seed: int = SEED
) -> TraceSummary:
    """Write the trace of a run, its truth, and what it is; the same bytes for the same run and seed.

    Files are ``vehicle_locations.csv`` (TIDES 1.0), ``truth_stop_visits.csv``, ``truth_events.csv`` and ``trace.json``.

    Raises
    ------
    RunError
        WRITE_FAILED.
    ValueError
        Where the run has no trips fit for what is to go wrong.
    """
    moved = {motion.vehicle: motion for motion in motions(network, plan, run)}
    changed, staging = stage(network, plan, moved, run.end_s, np.random.default_rng(seed))
    rows = location_rows(network, plan, changed, staging, run.end_s, seed)
    truth = truth_of(plan, changed, staging, run.end_s)
    visits, events = list(truth_visits(truth)), truth_events(truth)
    summary = TraceSummary(
        vehicles=len({row.vehicle_id for row in rows}),
        trips=len({visit.trip_id_performed for visit in visits}),
        pings=len(rows),
        pings_twice=len(rows) - len({(row.vehicle_id, row.event_timestamp) for row in rows}),
        stop_visits=len(visits),
        events=dict(sorted(Counter(event.event for event in events).items())),
        every_s=EVERY_S,
        noise_sd_m=NOISE_M,
        drift_sd_m=DRIFT_M,
        drift_time_constant_s=DRIFT_S,
        seed=seed,
    )
    write_csv(folder / LOCATIONS, LocationRow, rows)
    write_csv(folder / VISITS, TruthVisit, visits)
    write_csv(folder / EVENTS, TruthEvent, events)
    about = {LABEL: True, "what": WHAT, "service_date": plan.service_date.isoformat(), "timezone": plan.timezone}
    write_text(folder / ABOUT, json.dumps(about | asdict(summary), indent=2) + "\n")
    return summary


def demo_trace(out_dir: Path) -> TraceSummary:
    """Write the trace of the demo beside its feed, from the record of its first variant's first run.

    Parameters
    ----------
    out_dir
        Folder of the demo's results, its city in ``city``, once all runs are done.

    Raises
    ------
    RunError
        RUNS_FAILED where that run was not finished; RESULT_DAMAGED; WRITE_FAILED.
    """
    city = out_dir / "city"
    scenario = read_scenario(city / SCENARIO)
    network, plan = read_network(city / NETWORK), read_plan(out_dir / "inputs" / "transit")
    return write_trace(city, network, plan, _record(out_dir / "runs", scenario.variants[0].name, scenario.seeds[0]))


def _record(folder: Path, variant: str, seed: int) -> TransitRun:
    """What the buses did in a run; of several, which other versions left, the latest counts."""
    for path in sorted(folder.glob("*.json"), key=lambda path: (-path.stat().st_mtime_ns, path.name)):
        run = read_run(path)
        if (run.measures.variant, run.measures.seed) == (variant, seed) and run.transit is not None:
            return run.transit
    raise RunError("RUNS_FAILED", f"there is no finished run of {variant!r} with seed {seed}", file=folder)
