"""Where timetabled vehicles are, how late, how far behind the one ahead: positions onto the plan, again and again.

Positions come from the loop, or from the record that SUMO wrote where it ran by itself (:mod:`sim.fcd`); the same
simulation gives the same samples either way.
"""

import numpy as np
import numpy.typing as npt

from gtfs.adherence import deviations_s, next_calls, scheduled_calls
from gtfs.headways import BUNCHED_BELOW, headways_of, place_rows
from gtfs.kernels import headways
from networks.network import NONE, FloatArray, IntArray
from sim.kernels import passed_calls, ways_along_legs
from sim.transit_plan import PlannedWays, TransitPlan

BoolArray = npt.NDArray[np.bool_]

FIRST_ROWS = 4096


class Detectors:
    """Takes positions in order of time and keeps, for each, leg, way and deviation.

    Attributes
    ----------
    row_of
        Row of each timetabled vehicle by its id.
    deviation_s
        How late each vehicle was when last seen, shape (vehicles,); NaN before, and between two legs.
    next_call
        Call that it was at or coming to, shape (vehicles,); NONE likewise.
    headway_s
        Time from when the vehicle ahead on its route, in its direction, had left the last call that it has left itself,
        shape (vehicles,); NaN where none had. As coarse as the samples are far apart: stop visits have it exactly.
    is_bunched
        Whether that is less than a quarter of what the timetable has, shape (vehicles,).
    """

    def __init__(self, plan: TransitPlan) -> None:
        """Lay out the plan for the kernels."""
        ways, calls = plan.ways, plan.calls
        self.row_of = {name: row for row, name in enumerate(plan.vehicle_ids)}
        self.deviation_s, self.headway_s = np.full((2, len(plan.vehicle_ids)), np.nan)
        self.next_call, self._last_leg, self._last_next = np.full((3, len(plan.vehicle_ids)), NONE, dtype=np.int32)
        self.is_bunched: BoolArray = np.zeros(len(plan.vehicle_ids), dtype=np.bool_)
        self._first = ways.start
        self._legs: IntArray = np.column_stack((ways.leg, ways.next_leg)).astype(np.int32)
        self._ways_m = np.column_stack((ways.way_m, ways.next_way_m, ways.length_m, _junctions_m(ways)))
        self._end_m = calls.way_m[plan.legs.call_start[1:] - 1]
        self._calls = scheduled_calls(plan.legs.call_start, calls.way_m, calls.arrival_s, calls.departure_s)
        self._place = _places(plan)
        self._planned_headway_s = headways_of(self._place, calls.departure_s, calls.departure_s).scheduled_s
        self._last_departure_s = np.full(int(self._place.max(initial=NONE)) + 1, np.nan)
        self._passed = np.empty((2, len(calls)), dtype=np.int32)
        self._leg: IntArray = np.empty(FIRST_ROWS, dtype=np.int32)
        self._columns: FloatArray = np.empty((3, FIRST_ROWS))
        self._count = 0

    def take(
        self,
        now_s: float,
        vehicles: npt.ArrayLike,
        edges: npt.ArrayLike,
        at_m: npt.ArrayLike,
        inside: npt.ArrayLike,
    ) -> None:
        """Take the positions of some vehicles at one time.

        Parameters
        ----------
        vehicles
            Rows of the vehicles, each once, in any order.
        edges
            Which edge of its route each is on, counted from 0, or has left for the junction behind it.
        at_m, inside
            Position on the lane; whether that lane is inside the junction.
        """
        told = np.asarray(vehicles, dtype=np.int32)
        order = np.argsort(told)
        row, count = told[order], len(told)
        rows = slice(self._count, self._count + count)
        self._make_room(rows.stop)
        time_s, way_m, late_s = self._columns[:, rows]
        time_s[:] = now_s
        edge = self._first[row] + np.asarray(edges, dtype=np.int32)[order]
        position_m, is_inside = np.asarray(at_m, dtype=np.float64)[order], np.asarray(inside, dtype=np.bool_)[order]
        leg = self._leg[rows]
        ways_along_legs(edge, position_m, is_inside, self._legs, self._ways_m, self._end_m, leg, way_m)
        self.deviation_s[row] = deviations_s(self._calls, leg, way_m, time_s, out=late_s)
        self.next_call[row] = next_calls(self._calls, leg, way_m)
        self._take_headways(now_s, row, leg)
        self._count += count

    def _take_headways(self, now_s: float, row: IntArray, leg: IntArray) -> None:
        """Headways at the calls that vehicles have left since they were last seen, by their rows in order."""
        ahead = self.next_call[row]
        count = passed_calls(row, leg, ahead, self._calls.start, self._last_leg, self._last_next, *self._passed)
        if count:
            sample, call = self._passed[:, :count]
            times_s, found_s = np.full((2, count), now_s)
            headways(self._place[call], times_s, self._last_departure_s, found_s)
            counts = self._place[call] != NONE
            who = row[sample[counts]]
            self.headway_s[who] = found_s[counts]
            self.is_bunched[who] = found_s[counts] < BUNCHED_BELOW * self._planned_headway_s[call[counts]]

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


def _places(plan: TransitPlan) -> IntArray:
    """Route, direction and stop of each call as one number; NONE at the ends of trips, where nobody waits."""
    leg = np.repeat(np.arange(len(plan.legs)), np.diff(plan.legs.call_start))
    route, stop = (np.unique(texts, return_inverse=True)[1] for texts in (plan.legs.route_ids, plan.calls.stop_ids))
    places = place_rows(route[leg], plan.legs.way[leg], stop)
    return np.where(plan.calls.is_end, NONE, places).astype(np.int32)


def _junctions_m(ways: PlannedWays) -> FloatArray:
    """Way through the junction behind each edge: up to the begin of the next one, where the same leg goes on there."""
    here = np.column_stack((ways.way_m, ways.next_way_m))
    following = np.append(ways.way_m[1:], np.nan)[:, np.newaxis]
    leg = np.append(ways.leg[1:], -1)[:, np.newaxis]
    goes_on = (np.column_stack((ways.leg, ways.next_leg)) == leg) & (leg >= 0)
    gaps = np.where(goes_on, following - here - ways.length_m[:, np.newaxis], 0.0)
    longest_m: FloatArray = gaps.max(axis=1)
    return np.maximum(longest_m, 0.0)
