"""The cases, as data: fixed inputs, the same functions that users call, and somebody to stand beside."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from benchmarks.co_simulation import co_simulation
from benchmarks.conflicts import conflicts
from benchmarks.environment import environment
from benchmarks.fares import fares
from benchmarks.kingston import kingston
from benchmarks.map_matching import map_matching
from benchmarks.network_reading import network_reading
from benchmarks.portland_replay import portland
from benchmarks.priority import priority
from benchmarks.published_maps import published_maps
from benchmarks.red_running import red_running
from benchmarks.results import Measurement
from benchmarks.safety_study import safety_study
from benchmarks.sensing import sensing
from benchmarks.setup import Setup
from benchmarks.trace_replay import trace_replay
from benchmarks.transit_detectors import transit_detectors
from benchmarks.transit_import import transit_import


@dataclass(frozen=True, slots=True)
class Case:
    """What is measured, beside whom, and how."""

    name: str
    what: str
    peer: str
    measure: Callable[[Setup], Iterator[Measurement]]


CASES = (
    Case(
        "network-reading",
        "CPU time and peak memory of reading Adlershof and Porto Alegre",
        "sumolib.net.readNet; expat that only counts",
        network_reading,
    ),
    Case(
        "co-simulation",
        "CPU time of the loop with all signals measured, and peak memory",
        "the bare sumo program on the same files",
        co_simulation,
    ),
    Case(
        "environment",
        "steps per CPU second and CPU time of an environment for agents that act by chance on cologne8",
        "bare libsumo; sumo-rl over libsumo and TraCI, where it is installed",
        environment,
    ),
    Case(
        "published-maps",
        "honest delay of all controllers, conflicts, gridlocks on four calibrated maps, ten paired seeds",
        "RESCO's greedy and max pressure, SUMO's actuated and delay_based lights, in the same SUMO; published figures",
        published_maps,
    ),
    Case(
        "sensing",
        "honest delay of three controllers under seven kinds of sensing on four calibrated maps, paired seeds",
        "the same controllers with all vehicles connected",
        sensing,
    ),
    Case(
        "map-matching",
        "edge length right and wrongly added by noise and interval, points per second, on three maps",
        "the route driven in SUMO; LeuvenMapMatching's published speed",
        map_matching,
    ),
    Case(
        "priority",
        "delay of buses, cars and persons and who is on time, by how late a bus must be; a corridor, made-up buses",
        "the same controller without priority, same seeds",
        priority,
    ),
    Case(
        "fares",
        "dwell, running time and punctuality of buses by the share that pays electronically; a corridor, all made up",
        "nobody paying electronically, same seeds and passengers; the table of service times by hand",
        fares,
    ),
    Case(
        "transit-detectors",
        "CPU time that detectors on buses add to a run, SUMO by itself and in process, on two maps",
        "the same run with the same buses and nobody who looks at them",
        transit_detectors,
    ),
    Case(
        "transit-import",
        "CPU time, peak memory and outcome of bringing Northern Kentucky's timetable onto its streets",
        "SUMO's gtfs2pt.py on three patterns of the same feed",
        transit_import,
    ),
    Case(
        "kingston",
        "arrivals of a replay on Kingston's trace: error, on-time class, by gap, and tuned on other trips",
        "the agency's own arrivals; first ping near the stop, global projection, no zone",
        kingston,
    ),
    Case(
        "portland",
        "arrivals of a replay on Portland's trips seen every 5 to 120 s",
        "the on-board system's passages; straight lines between positions",
        portland,
    ),
    Case(
        "trace-replay",
        "pings per second of kernels and of replays from file to tables on two agencies, and peak memory by length",
        "shapely, geopandas and movingpandas on the same trips",
        trace_replay,
    ),
    Case(
        "conflicts",
        "CPU time of looking for conflicts, everywhere and at two signals, at steps of 1 and 0.1 s; counts by step",
        "bare SUMO and SUMO's SSM device on the same files",
        conflicts,
    ),
    Case(
        "red-running",
        "junction collisions, conflicts and delay by clearance where drivers run red, two crossings, ten paired seeds",
        "the shipped program; no all-red; drivers who never run red",
        red_running,
    ),
    Case(
        "safety-study",
        "delay and conflicts of fixed order, actuated and self-control on two calibrated maps, ten paired seeds",
        "the maps' own programs in fixed order, under the same clearances",
        safety_study,
    ),
)
