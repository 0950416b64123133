"""Where timetabled vehicles are, and how late: positions from SUMO onto the legs of the plan, again and again."""

from collections.abc import Sequence

import numpy as np

from gtfs.adherence import AT_CALL_M, deviations_s, scheduled_calls
from networks.network import FloatArray, IntArray
from sim.kernels import ways_along_legs
from sim.transit_plan import PlannedWays, TransitPlan

FIRST_ROWS = 4096


class Detectors:
    """Takes positions in order of time and keeps, for each, leg, way and deviation.

    Attributes
    ----------
    row_of
        Row of each timetabled vehicle by its id.
    deviation_s
        How late each vehicle was when last seen, shape (vehicles,); NaN before, and between two legs.
    """

    def __init__(self, plan: TransitPlan) -> None:
        """Lay out the plan for the kernels."""
        ways, calls = plan.ways, plan.calls
        self.row_of = {name: row for row, name in enumerate(plan.vehicle_ids)}
        self.deviation_s: FloatArray = np.full(len(plan.vehicle_ids), np.nan)
        self._first = ways.start
        self._legs: IntArray = np.column_stack((ways.leg, ways.next_leg)).astype(np.int32)
        self._ways_m = np.column_stack((ways.way_m, ways.next_way_m, ways.length_m, _junctions_m(ways)))
        self._end_m = calls.way_m[plan.legs.call_start[1:] - 1] - AT_CALL_M
        self._calls = scheduled_calls(plan.legs.call_start, calls.way_m, calls.arrival_s, calls.departure_s)
        self._leg: IntArray = np.empty(FIRST_ROWS, dtype=np.int32)
        self._columns: FloatArray = np.empty((3, FIRST_ROWS))
        self._count = 0

    def take(
        self, now_s: float, vehicles: Sequence[int], edges: Sequence[int], at_m: Sequence[float], inside: Sequence[bool]
    ) -> None:
        """Take the positions of some vehicles at one time.

        Parameters
        ----------
        vehicles
            Rows of the vehicles.
        edges
            Which edge of its route each is on, counted from 0, or has left for the junction behind it.
        at_m, inside
            Position on the lane; whether that lane is inside the junction.
        """
        count = len(vehicles)
        rows = slice(self._count, self._count + count)
        self._make_room(rows.stop)
        row = np.array(vehicles, dtype=np.int32)
        time_s, way_m, late_s = self._columns[:, rows]
        time_s[:] = now_s
        place = self._first[row] + np.array(edges, dtype=np.int32)
        position_m, is_inside = np.array(at_m, dtype=np.float64), np.array(inside, dtype=np.bool_)
        ways_along_legs(place, position_m, is_inside, self._legs, self._ways_m, self._end_m, self._leg[rows], way_m)
        self.deviation_s[row] = deviations_s(self._calls, self._leg[rows], way_m, time_s, out=late_s)
        self._count += count

    def samples(self) -> tuple[IntArray, FloatArray, FloatArray, FloatArray]:
        """Leg, time (s), way (m) and deviation (s) of what was seen on legs, by leg and time, shape (samples,) each."""
        leg = self._leg[: self._count]
        time_s, way_m, late_s = self._columns[:, : self._count]
        order = np.lexsort((time_s, leg))
        order = order[leg[order] >= 0]
        return leg[order], time_s[order], way_m[order], late_s[order]

    def _make_room(self, rows: int) -> None:
        """Double the columns when they are full."""
        while rows > len(self._leg):
            self._leg = np.concatenate((self._leg, np.empty_like(self._leg)))
            self._columns = np.concatenate((self._columns, np.empty_like(self._columns)), axis=1)


def _junctions_m(ways: PlannedWays) -> FloatArray:
    """Way through the junction behind each edge: up to the begin of the next one, where the same leg goes on there."""
    here = np.column_stack((ways.way_m, ways.next_way_m))
    following = np.append(ways.way_m[1:], np.nan)[:, np.newaxis]
    leg = np.append(ways.leg[1:], -1)[:, np.newaxis]
    goes_on = (np.column_stack((ways.leg, ways.next_leg)) == leg) & (leg >= 0)
    gaps = np.where(goes_on, following - here - ways.length_m[:, np.newaxis], 0.0)
    longest_m: FloatArray = gaps.max(axis=1)
    return np.maximum(longest_m, 0.0)
