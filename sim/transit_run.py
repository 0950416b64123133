"""What timetabled vehicles did in one run: when they called where, and where they were every ten seconds."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from networks.network import FloatArray, IntArray

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class TransitRun:
    """Calls and positions of a run. Calls are rows of the plan, legs too; times are on the clock of the service day.

    Attributes
    ----------
    end_s
        When the simulation ended.
    arrival_s, departure_s
        When the vehicle came and left, shape (calls,); NaN where it did not before the end.
    due
        Calls scheduled before the end by their departure, the last one of a trip by its arrival, shape (calls,).
    sample_leg, sample_time_s, sample_way_m
        Positions: on which leg, when, and how far along it, shape (samples,); by leg and time.
    sample_deviation_s
        How late the vehicle was there, shape (samples,).
    """

    end_s: float
    arrival_s: FloatArray
    departure_s: FloatArray
    due: BoolArray
    sample_leg: IntArray
    sample_time_s: FloatArray
    sample_way_m: FloatArray
    sample_deviation_s: FloatArray
