"""Between timetable and street: how a vehicle's run is foretold, and how its driver keeps to the timetable.

A rehearsal gives each leg's time from stop to stop at the speed limit. What a driver can do about a timetable is to
drive slower or a little faster, and to be quicker at stops; both are chosen for each vehicle so that as many of its
calls as possible are on time on empty streets.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from gtfs.timetable import Timetable
from sim.bus_legs import TripLeg
from sim.bus_vehicles import BusVehicle
from sim.kernels import departures_at_speed
from sim.rehearsal import LegRun

SLOWEST, FASTEST = 0.5, 1.1
"""Share of the speed limit that drivers keep to: loitering below, a tenth above as drivers do who are late."""

STEP = 0.02
ON_TIME_S = 60.0
LEAST_DWELL_S = 5.0
"""Doors open, somebody gets on, doors close: no stop is shorter, however late the vehicle."""

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class RunTimes:
    """Time from each call of a leg to the next at the speed limit (s): moving and standing, shape (calls - 1,) each."""

    moving_s: FloatArray
    standing_s: FloatArray

    def of(self, leg: TripLeg) -> FloatArray:
        """Moving and standing time to each call of a trip's leg but the first, shape (calls - 1, 2)."""
        part = slice(leg.first, leg.last)
        return np.column_stack((self.moving_s[part], self.standing_s[part]))


def run_times(run: LegRun) -> RunTimes:
    """Run times that a rehearsal showed; what a vehicle stood at signals is spread over the way by time."""
    whole_s = np.maximum(run.arrival_s[1:] - run.departure_s[:-1], 1.0)
    share = min(float(np.nan_to_num(run.standing_s)) / max(float(whole_s.sum()), 1.0), 0.9)
    return RunTimes(moving_s=whole_s * (1 - share), standing_s=whole_s * share)


def fitted_dwells_s(timetable: Timetable, leg: TripLeg, times: RunTimes, dwell_s: FloatArray) -> FloatArray:
    """Time at each call of a trip's leg, shape (calls,): shortened where a stretch between timepoints asks for it.

    Parameters
    ----------
    dwell_s
        Wished time at each of these calls; the first one's stays, as the vehicle comes early enough for it.
    """
    fitted = dwell_s.copy()
    rows = leg.call_rows(timetable)
    last = len(rows) - 1
    departures_s, run_s = timetable.calls.departure_s[rows], times.of(leg).sum(axis=1)
    ends = np.unique(np.concatenate((np.flatnonzero(timetable.calls.timepoint[rows]), [0, last])))
    for begin, end in pairwise(ends.tolist()):
        stops = slice(begin + 1, end + (end < last))
        given_s = float(departures_s[end] - departures_s[begin]) - run_s[begin:end].sum()
        wished_s = float(fitted[stops].sum())
        if wished_s > given_s:
            least_s = np.minimum(fitted[stops], LEAST_DWELL_S)
            fitted[stops] = np.maximum(np.floor(fitted[stops] * max(given_s, 0.0) / wished_s), least_s)
    return fitted


def foretold(vehicle: BusVehicle, times: Mapping[tuple[int, int], RunTimes], speed: float) -> FloatArray:
    """Arrival and departure at each of a vehicle's stops on empty streets (s), shape (stops, 2).

    Parameters
    ----------
    times
        Run times of each leg, by pattern and number.
    speed
        Share of the speed limit that its driver keeps to.
    """
    return departures_at_speed(speed, *_plan(vehicle, times))


def best_speed(timetable: Timetable, vehicle: BusVehicle, times: Mapping[tuple[int, int], RunTimes]) -> float:
    """Share of the speed limit at which most of a vehicle's calls are on time on empty streets.

    Of speeds with as many calls on time the one with the least sum of deviations is taken, then the one nearest to 1.
    """
    plan = _plan(vehicle, times)
    judged_s, column = judged_times(timetable, vehicle)
    stops = np.arange(len(column))
    speeds = np.arange(SLOWEST, FASTEST + STEP / 2, STEP)
    off_s = np.abs([departures_at_speed(speed, *plan)[stops, column] - judged_s for speed in speeds])
    order = np.lexsort((np.abs(speeds - 1.0), off_s.sum(axis=1), -(off_s <= ON_TIME_S).sum(axis=1)))
    return float(speeds[order[0]])


def _plan(
    vehicle: BusVehicle, times: Mapping[tuple[int, int], RunTimes]
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """What :func:`sim.kernels.departures_at_speed` wants: moving, standing, dwell, until, one of each a stop."""
    under_way = [np.zeros((0, 2))]
    for number, leg in enumerate(vehicle.legs):
        to_first_s = [vehicle.deadhead_s[number - 1], 0.0] if number else [0.0, vehicle.depart_s]
        under_way += [np.array([to_first_s]), times[leg.leg.pattern, leg.leg.number].of(leg)]
    moving_s, standing_s = np.ascontiguousarray(np.concatenate(under_way).T)
    dwell_s = np.array([stop.dwell_s for stop in vehicle.stops])
    until_s = np.array([np.nan if stop.until_s is None else stop.until_s for stop in vehicle.stops])
    return moving_s, standing_s, dwell_s, until_s


def judged_times(timetable: Timetable, vehicle: BusVehicle) -> tuple[FloatArray, IntArray]:
    """What each stop is judged by: the scheduled time, and whether that is of the arrival (0) or the departure (1).

    It is the arrival at a trip's last call, the departure elsewhere.
    """
    calls = np.array([stop.call for stop in vehicle.stops])
    is_last = np.isin(calls + 1, timetable.trips.call_start)
    judged_s = np.where(is_last, timetable.calls.arrival_s[calls], timetable.calls.departure_s[calls])
    return judged_s.astype(np.float64), np.where(is_last, 0, 1).astype(np.int32)
