"""Passengers of one run in figures: who boarded, how long it took, how long they waited."""

from dataclasses import dataclass

import numpy as np

from networks.network import FloatArray
from sim.fares import Fares
from sim.passenger_run import PassengerRun
from sim.passengers import boarding_calls
from sim.transit_plan import TransitPlan
from sim.transit_run import TransitRun


@dataclass(frozen=True, slots=True)
class PassengerMeasures:
    """Passengers in one run as a row of ``passengers.csv``.

    Attributes
    ----------
    electronic_share
        The share asked for; ``paid_electronically`` is that of those who boarded.
    passengers, boardings, still_waiting
        Who came to a stop, who boarded, who waited still at the end.
    service_mean_s
        What a boarding passenger took in the mean, by the table.
    calls, boardings_per_call
        Calls served, and left again, at which passengers may board while the vehicle is kept.
    dwell_mean_s
        Time at those calls, waits for the timetable included.
    dwell_by_table_s
        Doors, and each passenger who boarded there, by the table.
    run_time_mean_s
        From a trip's first departure to its last arrival, of trips that were finished.
    wait_mean_s, wait_p90_s
        From coming to the stop until the vehicle stands there; until the end for who still waits.
    """

    variant: str
    seed: int
    electronic_share: float
    paid_electronically: float
    passengers: int
    boardings: int
    still_waiting: int
    service_mean_s: float
    calls: int
    boardings_per_call: float
    dwell_mean_s: float
    dwell_by_table_s: float
    run_time_mean_s: float
    wait_mean_s: float
    wait_p90_s: float


def passenger_measures(
    plan: TransitPlan, transit: TransitRun, passengers: PassengerRun, fares: Fares, variant: str, seed: int
) -> PassengerMeasures:
    """The run's row; not a number where nothing can be said."""
    boarded = passengers.boarded
    service_s = np.where(passengers.is_electronic, fares.electronic_s, fares.cash_s)
    served = boarding_calls(plan) & np.isfinite(transit.departure_s)
    per_call, service_by_call_s = (
        np.bincount(passengers.boarded_call[boarded], weights, len(plan.calls))[served].astype(np.float64)
        for weights in (None, service_s[boarded])
    )
    dwell_s = (transit.departure_s - transit.arrival_s)[served]
    waits_s = passengers.waits_s(transit)
    return PassengerMeasures(
        variant=variant,
        seed=seed,
        electronic_share=fares.electronic_share,
        paid_electronically=_mean(passengers.is_electronic[boarded].astype(np.float64)),
        passengers=len(passengers),
        boardings=int(boarded.sum()),
        still_waiting=int((~boarded).sum()),
        service_mean_s=_mean(service_s[boarded]),
        calls=int(served.sum()),
        boardings_per_call=_mean(per_call),
        dwell_mean_s=_mean(dwell_s),
        dwell_by_table_s=_mean(fares.doors_s + service_by_call_s),
        run_time_mean_s=_mean(run_times_s(plan, transit)),
        wait_mean_s=_mean(waits_s),
        wait_p90_s=float(np.percentile(waits_s, 90)) if len(waits_s) else np.nan,
    )


def run_times_s(plan: TransitPlan, transit: TransitRun) -> FloatArray:
    """Time from the first departure of each leg to its last arrival, of those that were finished, shape (legs,)."""
    first, last = plan.legs.call_start[:-1], plan.legs.call_start[1:] - 1
    times_s = transit.arrival_s[last] - transit.departure_s[first]
    return np.asarray(times_s[np.isfinite(times_s)])


def _mean(values: FloatArray) -> float:
    return float(values.mean()) if len(values) else np.nan
