"""What one simulation run is judged by: a row for the run, a row for each junction."""

import math
from dataclasses import dataclass

SIGNALISED_LIMITS_S = (10.0, 20.0, 35.0, 55.0, 80.0)
"""Upper bounds of control delay for levels A to E at signals (Highway Capacity Manual, 6th edition, exhibit 19-8)."""

UNSIGNALISED_LIMITS_S = (10.0, 15.0, 25.0, 35.0, 50.0)
"""The same at stop-controlled junctions (Highway Capacity Manual, 6th edition, exhibit 20-2)."""


@dataclass(frozen=True, slots=True)
class RunMeasures:
    """A run as a row of ``runs.csv``: counts of vehicles, means per vehicle in seconds, events, cost.

    ``delay_per_scheduled_s`` is the honest delay: time lost on the road by every vehicle that entered, finished or not,
    plus the wait for entry of all, those that never entered included, over all that were scheduled. ``time_loss_s``,
    ``duration_s``, ``waiting_s`` and ``stops`` are means per inserted vehicle, ``depart_delay_s`` per scheduled one.
    """

    variant: str
    seed: int
    status: str
    scheduled: int
    inserted: int
    arrived: int
    never_inserted: int
    delay_per_scheduled_s: float
    time_loss_s: float
    time_loss_p95_s: float
    time_loss_max_s: float
    depart_delay_s: float
    duration_s: float
    waiting_s: float
    stops: float
    teleports: int
    collisions: int
    emergency_braking: int
    gridlocked: bool
    signal_switches: int
    refused_wishes: int
    monitor_violations: int
    sumo_cpu_s: float
    total_cpu_s: float


@dataclass(frozen=True, slots=True)
class JunctionMeasures:
    """A junction in one run as a row of ``junctions.csv``.

    Delay and queue are those of its approaches, traced upstream to the observation distance; stops are halts begun
    there per vehicle that passed. ``junction`` is the signal's id where it has one, else the junction's.
    """

    variant: str
    seed: int
    junction: str
    name: str
    lon: float
    lat: float
    signalised: bool
    volume_veh_per_h: float
    delay_s: float
    queue_mean_veh: float
    queue_max_veh: float
    stops_per_veh: float
    level_of_service: str


def level_of_service(delay_s: float, *, signalised: bool) -> str:
    """Level of service A to F from the mean control delay per vehicle (s); ``-`` where no vehicle passed (NaN)."""
    if math.isnan(delay_s):
        return "-"
    limits = SIGNALISED_LIMITS_S if signalised else UNSIGNALISED_LIMITS_S
    return "ABCDEF"[sum(delay_s > limit for limit in limits)]
