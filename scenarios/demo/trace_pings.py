"""What the buses of a trace send: their place every half minute, as a receiver on the roof would have it.

Errors of a place are normal along x and y: :data:`NOISE_M` anew in every ping, and :data:`DRIFT_M` that change slowly,
a first-order autoregression with a time constant of :data:`DRIFT_S`, as satellites and walls do.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from gtfs.clock import local_text, origin_epoch_s
from networks.geometry import to_lonlat
from networks.network import NONE, FloatArray, IntArray, RoadNetwork
from scenarios.demo.trace_motion import BoolArray, Motion, headings_deg
from scenarios.demo.trace_staging import Staging
from sim.transit_plan import TransitPlan

EVERY_S = 30
NOISE_M, DRIFT_M, DRIFT_S = 5.0, 3.0, 300.0
"""Standard deviations for each axis, and how slowly the drift changes."""

SPEED_NOISE_MPS = 0.2
HEADING_NOISE_DEG, STANDING_NOISE_DEG, STANDING_MPS = 4.0, 60.0, 1.5
"""A receiver's heading is worth little below such a speed."""

LOST_SHARE, TWICE_SHARE = 0.02, 0.005
"""Of pings that are lost, and that come twice."""

BEFORE_KM = 20_000, 90_000
"""What odometers have counted before."""

LABEL = "synthetic"


@dataclass(frozen=True, slots=True)
class LocationRow:
    """A ping as a row of ``vehicle_locations.csv``: columns, units (m, m/s, degrees) and names are those of TIDES 1.0.

    Ids begin with :data:`LABEL`, so that no copy of a row loses the label.
    """

    location_ping_id: str
    event_timestamp: str
    vehicle_id: str
    service_date: str
    trip_id_performed: str
    latitude: float
    longitude: float
    heading: float
    speed: float
    odometer: float


@dataclass(frozen=True, slots=True, eq=False)
class _Sent:
    """What one bus sends, shape (pings,) each; ``leg`` is the one it tells, NONE where it tells none."""

    vehicle: int
    time_s: FloatArray
    leg: IntArray
    lonlat: FloatArray
    heading_deg: FloatArray
    speed_mps: FloatArray
    odometer_m: FloatArray


def bus_id(vehicle: int) -> str:
    """Id of a vehicle (row of the plan) in a trace; it tells nothing of its duty."""
    return f"{LABEL}-{101 + vehicle}"


def location_rows(
    network: RoadNetwork, plan: TransitPlan, motions: Mapping[int, Motion], staging: Staging, end_s: float, seed: int
) -> list[LocationRow]:
    """Pings of all buses in order of time; the same for the same seed, and one bus's do not depend on the others'."""
    sent = [_send(network, plan, motion, staging, end_s, seed) for motion in motions.values()]
    found = sorted(
        ((float(one.time_s[row]), one.vehicle, row, one) for one in sent for row in range(len(one.time_s))),
        key=lambda each: each[:3],
    )
    origin_s = origin_epoch_s(plan.service_date, plan.timezone)
    twice = np.random.default_rng((seed, len(plan.vehicle_ids))).random(len(found)) < TWICE_SHARE
    chosen = [each for each, again in zip(found, twice.tolist(), strict=True) for _ in range(1 + again)]
    return [
        _row(plan, one, row, number, local_text(origin_s + time_s, plan.timezone))
        for number, (time_s, _, row, one) in enumerate(chosen, start=1)
    ]


def _row(plan: TransitPlan, sent: _Sent, row: int, number: int, moment: str) -> LocationRow:
    leg = int(sent.leg[row])
    return LocationRow(
        location_ping_id=f"{LABEL}-{number}",
        event_timestamp=moment,
        vehicle_id=bus_id(sent.vehicle),
        service_date=plan.service_date.isoformat(),
        trip_id_performed=plan.legs.trip_ids[leg] if leg != NONE else "",
        latitude=float(sent.lonlat[row, 1]),
        longitude=float(sent.lonlat[row, 0]),
        heading=float(sent.heading_deg[row]),
        speed=float(sent.speed_mps[row]),
        odometer=float(sent.odometer_m[row]),
    )


def _send(network: RoadNetwork, plan: TransitPlan, motion: Motion, staging: Staging, end_s: float, seed: int) -> _Sent:
    chance = np.random.default_rng((seed, motion.vehicle))
    begin_s, until_s = motion.span_s
    time_s = np.arange(np.ceil(begin_s) + chance.integers(EVERY_S), min(until_s, end_s), EVERY_S)
    # lost are some of those that would have been sent, so that errors go on through a silence
    error_m = chance.normal(0.0, NOISE_M, (len(time_s), 2)) + _drift_m(len(time_s), chance)
    is_heard = (chance.random(len(time_s)) >= LOST_SHARE) & ~_is_silent(staging, motion.vehicle, time_s)
    time_s, error_m = time_s[is_heard], error_m[is_heard]
    at_m, speed_mps = motion.at_m(time_s), motion.speed_mps(time_s)
    spread_deg = np.where(speed_mps < STANDING_MPS, STANDING_NOISE_DEG, HEADING_NOISE_DEG)
    heading_deg = headings_deg(network, motion.track, at_m) + chance.normal(0.0, spread_deg)
    sensed_mps = speed_mps + chance.normal(0.0, SPEED_NOISE_MPS, len(time_s)) * (speed_mps > 0)
    leg = legs_at(plan, motion, time_s)
    return _Sent(
        vehicle=motion.vehicle,
        time_s=time_s,
        leg=np.where(leg == staging.unnamed, NONE, leg).astype(np.int32),
        lonlat=to_lonlat(network.location, motion.track.points_at(at_m) + error_m),
        heading_deg=np.round(heading_deg) % 360.0,
        speed_mps=np.round(np.maximum(sensed_mps, 0.0), 1).astype(np.float64),
        odometer_m=np.round(at_m + 1000.0 * chance.integers(*BEFORE_KM)).astype(np.float64),
    )


def _is_silent(staging: Staging, vehicle: int, time_s: FloatArray) -> BoolArray:
    """Whether a bus sends nothing at some times, shape (times,)."""
    silent: BoolArray = np.zeros(len(time_s), dtype=np.bool_)
    for span in staging.silent:
        if span.vehicle == vehicle:
            silent |= (time_s >= span.begin_s) & (time_s < span.end_s)
    return silent


def _drift_m(count: int, chance: np.random.Generator) -> FloatArray:
    """Errors that change slowly, shape (count, 2)."""
    keep = float(np.exp(-EVERY_S / DRIFT_S))
    steps_m = chance.normal(0.0, DRIFT_M, (count, 2))
    for row in range(1, count):
        steps_m[row] = keep * steps_m[row - 1] + np.sqrt(1.0 - keep**2) * steps_m[row]
    return steps_m


def legs_at(plan: TransitPlan, motion: Motion, times_s: FloatArray) -> IntArray:
    """Leg that a bus serves at some times, shape (times,): the next one from when it has left the last call of one."""
    legs = np.flatnonzero(plan.legs.vehicle == motion.vehicle)
    last_calls = plan.legs.call_start[legs + 1] - 1
    ends_s = np.full(len(legs), np.inf)
    made, at = np.isin(last_calls, motion.call), np.searchsorted(motion.call, last_calls)
    ends_s[made] = motion.departure_s[at[made]]
    ends_s[np.isnan(ends_s)] = np.inf
    return legs[np.minimum(np.searchsorted(ends_s, times_s), len(legs) - 1)].astype(np.int32)
