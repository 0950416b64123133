"""How truly replayed vehicles kept to their curves: a row for each track, and the sums of a run."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from networks.network import FloatArray
from sim.replay_drive import BRAKES_HARD_MPS2, Ride

NEAR_M, CLOSE_M = 10.0, 30.0

LAGS_M = 100.0
"""A replay that falls so far behind its curve is named: for a time the vehicle was not where the real one had been."""

ZONE_M = 30.0
"""Times at stops are compared so far before them, where a real vehicle counts as arriving."""


@dataclass(frozen=True, slots=True)
class RideMeasures:
    """A ride: how far from its curve, how late at stops, what went wrong. NaN where nothing can be said.

    Attributes
    ----------
    entered_late_s
        How long it waited for room to enter.
    error_p50_m, error_p95_m
        Of the distance from the curve, whichever way, each step.
    max_lag_m, max_lead_m
        Farthest behind the curve and ahead of it.
    within_10m_share, within_30m_share
        Share of the steps from when it was due until it was done; those in which it waited to enter do not count as
        near.
    lags
        Whether it fell 100 m behind.
    stops_compared, stops_missed
        Stops of the track that it came to, and those that it did not come to before the end.
    stop_error_s, stop_error_max_s
        Difference of the times at which it and the real vehicle came within 30 m of its stops: mean and greatest
        amount.
    hard_braking
        Steps in which it slowed down by more than 4.5 m/s2.
    """

    entered: bool
    done: bool
    driven_m: float
    entered_late_s: float
    error_p50_m: float
    error_p95_m: float
    max_lag_m: float
    max_lead_m: float
    within_10m_share: float
    within_30m_share: float
    lags: bool
    stops_compared: int
    stops_missed: int
    stop_error_s: float
    stop_error_max_s: float
    teleports: int
    collisions: int
    hard_braking: int


@dataclass(frozen=True, slots=True)
class ReplayTotals:
    """All rides of a run together; errors are those of all steps of all rides, as in :class:`RideMeasures`."""

    rides: int
    entered: int
    done: int
    lagging: int
    driven_km: float
    error_p50_m: float
    error_p95_m: float
    max_lag_m: float
    max_lead_m: float
    within_10m_share: float
    within_30m_share: float
    stops_compared: int
    stops_missed: int
    stop_error_s: float
    stop_error_p95_s: float
    teleports: int
    collisions: int
    hard_braking: int


def errors_m(ride: Ride) -> FloatArray:
    """How far the vehicle was ahead of its curve at each step, negative behind it, shape (steps,)."""
    return np.array(ride.way_m) - ride.track.way_at(np.array(ride.time_s))


def ride_measures(ride: Ride, step_s: float) -> RideMeasures:
    """The row of a ride; ``step_s`` is how far its steps are apart."""
    off_m, late_s = errors_m(ride), stop_errors_s(ride)
    entered, came_s = len(off_m) > 0, np.abs(late_s[np.isfinite(late_s)])
    waited = _waited_steps(ride, step_s)
    lag_m = max(float(-off_m.min()), 0.0) if entered else np.nan
    return RideMeasures(
        entered=entered,
        done=ride.done,
        driven_m=ride.way_m[-1] - ride.way_m[0] if entered else 0.0,
        entered_late_s=ride.entered_s - float(ride.track.time_s[0]),
        error_p50_m=_percentile(np.abs(off_m), 50),
        error_p95_m=_percentile(np.abs(off_m), 95),
        max_lag_m=lag_m,
        max_lead_m=max(float(off_m.max()), 0.0) if entered else np.nan,
        within_10m_share=_share(off_m, waited, NEAR_M),
        within_30m_share=_share(off_m, waited, CLOSE_M),
        lags=lag_m > LAGS_M,
        stops_compared=len(came_s),
        stops_missed=len(late_s) - len(came_s),
        stop_error_s=float(came_s.mean()) if len(came_s) else np.nan,
        stop_error_max_s=float(came_s.max()) if len(came_s) else np.nan,
        teleports=ride.teleports,
        collisions=len(ride.met),
        hard_braking=_hard_braking(ride, step_s),
    )


def replay_totals(rides: Sequence[Ride], step_s: float) -> ReplayTotals:
    """The sums of a run."""
    rows = [ride_measures(ride, step_s) for ride in rides]
    off_m = np.concatenate([np.empty(0), *(errors_m(ride) for ride in rides)])
    late_s = np.concatenate([np.empty(0), *(stop_errors_s(ride) for ride in rides)])
    came_s = np.abs(late_s[np.isfinite(late_s)])
    waited = sum(_waited_steps(ride, step_s) for ride in rides)
    return ReplayTotals(
        rides=len(rows),
        entered=sum(row.entered for row in rows),
        done=sum(row.done for row in rows),
        lagging=sum(row.lags for row in rows),
        driven_km=sum(row.driven_m for row in rows) / 1000,
        error_p50_m=_percentile(np.abs(off_m), 50),
        error_p95_m=_percentile(np.abs(off_m), 95),
        max_lag_m=max(float(-off_m.min()), 0.0) if len(off_m) else np.nan,
        max_lead_m=max(float(off_m.max()), 0.0) if len(off_m) else np.nan,
        within_10m_share=_share(off_m, waited, NEAR_M),
        within_30m_share=_share(off_m, waited, CLOSE_M),
        stops_compared=len(came_s),
        stops_missed=len(late_s) - len(came_s),
        stop_error_s=float(came_s.mean()) if len(came_s) else np.nan,
        stop_error_p95_s=_percentile(came_s, 95),
        teleports=sum(row.teleports for row in rows),
        collisions=sum(row.collisions for row in rows),
        hard_braking=sum(row.hard_braking for row in rows),
    )


def stop_errors_s(ride: Ride) -> FloatArray:
    """How much later than the real vehicle it came to each stop on its way (s); NaN where it did not come."""
    track = ride.track
    zone_m = track.calls_m - ZONE_M
    zone_m = zone_m[(zone_m > track.way_m[0]) & (zone_m < track.way_m[-1])]
    if not ride.way_m:
        return np.full(len(zone_m), np.nan)
    return _reached_s(np.array(ride.time_s), np.array(ride.way_m), zone_m) - _reached_s(
        track.time_s, track.way_m, zone_m
    )


def _reached_s(time_s: FloatArray, way_m: FloatArray, wanted_m: FloatArray) -> FloatArray:
    """When a vehicle first got so far (s), straight between what is known; NaN where it did not."""
    farthest_m = np.maximum.accumulate(way_m)
    behind = np.searchsorted(farthest_m, wanted_m, side="left")
    row = np.clip(behind, 1, len(way_m) - 1)
    step_m = np.maximum(farthest_m[row] - farthest_m[row - 1], 1e-9)
    share = np.clip((wanted_m - farthest_m[row - 1]) / step_m, 0.0, 1.0)
    reached_s = time_s[row - 1] + share * (time_s[row] - time_s[row - 1])
    return np.where(behind < len(way_m), reached_s, np.nan)


def _waited_steps(ride: Ride, step_s: float) -> int:
    """Steps in which it was due and not there; one that never entered was due for the whole of its track."""
    due_s = float(ride.track.time_s[-1] - ride.track.time_s[0])
    late_s = ride.entered_s - float(ride.track.time_s[0]) if ride.time_s else due_s
    return int(late_s / step_s)


def _hard_braking(ride: Ride, step_s: float) -> int:
    driving = ride.speed_mps[:-1] if ride.done else ride.speed_mps
    return int((np.diff(driving) < -BRAKES_HARD_MPS2 * step_s).sum())


def _share(off_m: FloatArray, waited: int, near_m: float) -> float:
    steps = len(off_m) + waited
    return float((np.abs(off_m) <= near_m).sum() / steps) if steps else np.nan


def _percentile(values: FloatArray, percent: float) -> float:
    return float(np.percentile(values, percent)) if len(values) else np.nan
