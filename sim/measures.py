"""What one simulation run is judged by: a row for the run, a row for each junction, and how they are worked out."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sim.areas import JunctionArea
from sim.outputs import AreaStops, EdgeTotals, FloatArray, Trips

SECONDS_PER_HOUR = 3600.0

GRIDLOCK_SPAN_S = 600.0
GRIDLOCK_SHARE = 0.1
GRIDLOCK_VEHICLES = 20
"""A run is gridlocked when, in its last ten minutes, fewer than a tenth as many vehicles arrived as were on the road
when they began. Below so many vehicles nothing can be said."""

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
    ``sensing`` is what the controllers see, in words.
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
    sensing: str = ""


@dataclass(frozen=True, slots=True)
class JunctionMeasures:
    """A junction in one run as a row of ``junctions.csv``.

    Delay is the time lost on its approaches, traced upstream to the observation distance, and inside, per vehicle that
    passed a stop line. The queue counts standing vehicles on the approaches: mean over the run, and greatest mean of
    five minutes. Stops are halts per vehicle that came into the approaches. ``junction`` is the signal's id where it
    has one.
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


def trip_measures(trips: Trips) -> dict[str, Any]:
    """Counts and means of a run's trips, by the names of RunMeasures; NaN where nobody was due or inserted."""
    inside = trips.inserted
    losses_s = trips.time_loss_s[inside]
    scheduled = len(trips)
    delay_s = float(losses_s.sum() + trips.depart_delay_s.sum())
    return {
        "scheduled": scheduled,
        "inserted": int(inside.sum()),
        "arrived": int((inside & trips.arrived).sum()),
        "never_inserted": scheduled - int(inside.sum()),
        "delay_per_scheduled_s": delay_s / scheduled if scheduled else math.nan,
        "time_loss_s": _mean(losses_s),
        "time_loss_p95_s": float(np.percentile(losses_s, 95)) if len(losses_s) else math.nan,
        "time_loss_max_s": float(losses_s.max()) if len(losses_s) else math.nan,
        "depart_delay_s": _mean(trips.depart_delay_s),
        "duration_s": _mean(trips.duration_s[inside]),
        "waiting_s": _mean(trips.waiting_s[inside]),
        "stops": _mean(trips.stops[inside]),
    }


def _mean(values: FloatArray) -> float:
    return float(values.mean()) if len(values) else math.nan


def is_gridlocked(trips: Trips, end_s: float) -> bool:
    """Whether traffic had come to a stand at the end (s): hardly anybody arrives any more though the road is full."""
    since_s = end_s - GRIDLOCK_SPAN_S
    on_road = int(((trips.depart_s <= since_s) & (trips.arrival_s > since_s)).sum())
    arrived = int(((trips.arrival_s > since_s) & trips.arrived).sum())
    return on_road >= GRIDLOCK_VEHICLES and arrived < GRIDLOCK_SHARE * on_road


def junction_measures(
    variant: str,
    seed: int,
    area: JunctionArea,
    totals: Mapping[str, EdgeTotals],
    stops: Mapping[str, AreaStops],
    hours: float,
) -> JunctionMeasures:
    """The row of a junction in a run of so many hours, from what SUMO counted on its edges."""
    approaches = [totals[edge] for edge in area.approach_edges if edge in totals]
    inside = [totals[edge] for edge in area.inner_edges if edge in totals]
    volume = sum(totals[edge].left for edge in area.stop_edges if edge in totals)
    lost_s = math.fsum(edge.time_loss_s for edge in (*approaches, *inside))
    queue_veh = np.array([edge.standing_veh for edge in approaches]).sum(axis=0) if approaches else np.zeros(1)
    delay_s = lost_s / volume if volume else math.nan
    halted = stops.get(area.area_id, AreaStops(0, 0.0))
    return JunctionMeasures(
        variant=variant,
        seed=seed,
        junction=area.area_id,
        name=area.name,
        lon=area.lon,
        lat=area.lat,
        signalised=area.signalised,
        volume_veh_per_h=volume / hours,
        delay_s=delay_s,
        queue_mean_veh=math.fsum(edge.waiting_s for edge in approaches) / (hours * SECONDS_PER_HOUR),
        queue_max_veh=float(queue_veh.max()),
        stops_per_veh=halted.halts / halted.vehicles if halted.vehicles else math.nan,
        level_of_service=level_of_service(delay_s, signalised=area.signalised),
    )
