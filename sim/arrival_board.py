"""What a board at a stop would have shown before a vehicle came, and how far off that was.

The board shows the timetable's arrival, moved by the deviation at which the vehicle was last measured on that trip; a
vehicle that has not begun its trip is shown by the timetable. It shows no arrival that is over.
"""

import numpy as np

from networks.network import FloatArray
from sim.transit_plan import TransitPlan
from sim.transit_run import TransitRun

HORIZONS_S = (300.0, 600.0)
"""How long before the arrival the board is read."""


def board_errors_s(plan: TransitPlan, run: TransitRun, before_s: float) -> FloatArray:
    """Arrival shown so long before the arrival that came, minus that one (s); late is positive; shape (calls,).

    NaN where a trip begins, since nobody waits there for its arrival, and where no vehicle came. A call is left out,
    too, where the moment lies before the first one that was measured in the run: there was no board then.
    """
    leg = np.repeat(np.arange(len(plan.legs)), np.diff(plan.legs.call_start))
    read_s = run.arrival_s - before_s
    last = _last_samples(run, leg, read_s)
    known = last >= 0
    deviation_s = np.where(known, run.sample_deviation_s[np.maximum(last, 0)] if len(run.sample_leg) else 0.0, 0.0)
    shown_s = np.maximum(plan.calls.arrival_s + deviation_s, read_s)
    error_s = shown_s - run.arrival_s
    began_s = run.sample_time_s.min() if len(run.sample_time_s) else np.inf
    begins = np.isin(np.arange(len(plan.calls)), plan.legs.call_start[:-1])
    return np.asarray(np.where(begins | ~(read_s >= began_s), np.nan, error_s))


def _last_samples(run: TransitRun, leg: np.ndarray, read_s: FloatArray) -> np.ndarray:
    """Row of the last sample of each leg at or before a time, -1 where there is none; samples are by leg and time."""
    found = np.full(len(leg), -1, dtype=np.int64)
    starts = np.searchsorted(run.sample_leg, np.arange(leg.max(initial=-1) + 2))
    for call in np.flatnonzero(np.isfinite(read_s)).tolist():
        first, end = starts[leg[call]], starts[leg[call] + 1]
        row = first + np.searchsorted(run.sample_time_s[first:end], read_s[call], side="right") - 1
        found[call] = row if row >= first else -1
    return found
