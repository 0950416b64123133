"""How the buses of a run moved: for each the line it drove and its way over time, exact where it stood at stops.

The run's record tells where a bus was every ten seconds, and to the second when it stood at a stop. Between those it
moves along a monotone cubic, so that it starts and brakes like a bus and never rolls back. This curve is the truth of a
trace made from it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.interpolate import PchipInterpolator

from networks.geometry import to_lonlat
from networks.network import FloatArray, IntArray, RoadNetwork
from scenarios.demo.bus_lines import bus_lane
from sim.dwell import DEFAULT_S
from sim.transit_plan import TransitPlan
from sim.transit_run import TransitRun

BoolArray = npt.NDArray[np.bool_]

LEAST_STAY_S = DEFAULT_S
"""So long a bus that is late still stands at a stop where it stood longer."""


@dataclass(frozen=True, eq=False)
class Track:
    """The line that a bus drives: the rightmost lanes that admit it, junctions crossed straight.

    Attributes
    ----------
    edges
        Network rows in driving order, shape (edges,).
    points_m, along_m
        Corners, shape (corners, 2), and how far along each is, shape (corners,).
    begin_m, end_m
        Where each edge begins and ends along the line, shape (edges,).
    """

    edges: IntArray
    points_m: FloatArray
    along_m: FloatArray
    begin_m: FloatArray
    end_m: FloatArray

    def points_at(self, at_m: FloatArray) -> FloatArray:
        """Points at some distances along the line, shape (distances, 2)."""
        return np.column_stack([np.interp(at_m, self.along_m, axis_m) for axis_m in self.points_m.T])


def track_over(network: RoadNetwork, edges: IntArray) -> Track:
    """Lay the track over edges that lead into one another."""
    shapes = [network.lane_shape_m(bus_lane(network, edge)) for edge in edges.tolist()]
    points_m = np.concatenate(shapes)
    along_m = np.concatenate(([0.0], np.cumsum(np.hypot(*np.diff(points_m, axis=0).T))))
    behind = np.cumsum([len(shape) for shape in shapes])
    begin = np.concatenate(([0], behind[:-1]))
    return Track(edges, points_m, along_m, along_m[begin], along_m[behind - 1])


@dataclass(frozen=True, eq=False)
class Motion:
    """One bus of a run.

    Attributes
    ----------
    vehicle
        Its row in the plan.
    track
        Where it drove.
    seen_s, seen_m
        When it was seen on the move, and how far along the track, shape (seen,).
    call
        Calls in order, rows of the plan, shape (calls,); those that were not made are left out.
    call_m
        Where along the track it stood at each, shape (calls,).
    arrival_s, departure_s
        When it came and left, shape (calls,); NaN where it had not done so before the end.
    """

    vehicle: int
    track: Track
    seen_s: FloatArray
    seen_m: FloatArray
    call: IntArray
    call_m: FloatArray
    arrival_s: FloatArray
    departure_s: FloatArray

    @cached_property
    def knots(self) -> FloatArray:
        """Times and distances along the track between which it moves smoothly, shape (2, knots), both rising."""
        times_s = np.concatenate((self.arrival_s, self.departure_s, self.seen_s))
        at_m = np.concatenate((self.call_m, self.call_m, self.seen_m))
        known = np.isfinite(times_s)
        times_s, first = np.unique(times_s[known], return_index=True)
        return np.vstack((times_s, np.maximum.accumulate(at_m[known][first])))

    @property
    def span_s(self) -> tuple[float, float]:
        """When it was seen first and last."""
        times_s = self.knots[0]
        return float(times_s[0]), float(times_s[-1])

    @cached_property
    def _curve(self) -> PchipInterpolator:
        return PchipInterpolator(*self.knots)

    def at_m(self, times_s: FloatArray) -> FloatArray:
        """How far along the track it is at some times within the span, shape (times,)."""
        found: FloatArray = self._curve(times_s)
        return found

    def speed_mps(self, times_s: FloatArray) -> FloatArray:
        """How fast it is, shape (times,)."""
        speed_mps: FloatArray = np.maximum(self._curve(times_s, 1), 0.0)
        return speed_mps

    def passed_s(self, at_m: float) -> float:
        """When it passed a place along the track at which it did not stand."""
        times_s, knots_m = self.knots
        return float(np.interp(at_m, knots_m, times_s))


def motions(network: RoadNetwork, plan: TransitPlan, run: TransitRun) -> Iterator[Motion]:
    """The motion of every vehicle that was seen, in the plan's order."""
    vehicle_of_sample = plan.legs.vehicle[run.sample_leg]
    leg_of_call = np.repeat(np.arange(len(plan.legs), dtype=np.int32), np.diff(plan.legs.call_start))
    vehicle_of_call = plan.legs.vehicle[leg_of_call]
    for vehicle in range(len(plan.vehicle_ids)):
        samples = np.flatnonzero(vehicle_of_sample == vehicle)
        call = np.flatnonzero((vehicle_of_call == vehicle) & np.isfinite(run.arrival_s))
        if len(samples) < 2:  # noqa: PLR2004 - one position does not move
            continue
        rows = np.arange(*plan.ways.start[vehicle : vehicle + 2], dtype=np.int32)
        track = track_over(network, plan.ways.edges[rows])
        at_m = along_track(plan, rows, track, run.sample_leg[samples], run.sample_way_m[samples])
        arrival_s, departure_s, seen_s = run.arrival_s[call], run.departure_s[call], run.sample_time_s[samples]
        moving = ~_stands(arrival_s, departure_s, seen_s)
        yield Motion(
            vehicle=vehicle,
            track=track,
            seen_s=seen_s[moving],
            seen_m=at_m[moving],
            call=call.astype(np.int32),
            call_m=along_track(plan, rows, track, leg_of_call[call], plan.calls.way_m[call]),
            arrival_s=arrival_s,
            departure_s=departure_s,
        )


def along_track(plan: TransitPlan, rows: IntArray, track: Track, leg: IntArray, way_m: FloatArray) -> FloatArray:
    """Ways along legs as distances along the vehicle's track, shape (ways,).

    Parameters
    ----------
    rows
        Rows of the plan's ways that are the vehicle's, shape (edges,).
    """
    ways = plan.ways
    found = np.empty(len(leg))
    for number in np.unique(leg).tolist():
        mine, is_leg = leg == number, ways.leg[rows] == number
        starts_m = np.where(is_leg, ways.way_m[rows], ways.next_way_m[rows])
        on = np.flatnonzero(is_leg | (ways.next_leg[rows] == number))
        ends_m = starts_m[on] + ways.length_m[rows][on]
        from_m = np.column_stack((starts_m[on], ends_m)).reshape(-1)
        to_m = np.column_stack((track.begin_m[on], track.end_m[on])).reshape(-1)
        found[mine] = np.interp(way_m[mine], from_m, to_m)
    return found


def _stands(arrival_s: FloatArray, departure_s: FloatArray, times_s: FloatArray) -> BoolArray:
    """Whether the bus was at a call at each time, from its arrival to its departure."""
    here_s = times_s[:, np.newaxis]
    found: BoolArray = ((here_s >= arrival_s) & (here_s <= departure_s)).sum(axis=1) > 0
    return found


def delayed(motion: Motion, from_s: float, delay_s: float) -> Motion:
    """The same motion with everything from a time on later, until stays that were longer than need be make up for it.

    A late bus stands :data:`LEAST_STAY_S` where it stood longer, and leaves no earlier than it did.
    """
    old_s, new_s, late_s = [from_s], [from_s + delay_s], delay_s
    for arrival_s, departure_s in zip(motion.arrival_s.tolist(), motion.departure_s.tolist(), strict=True):
        if arrival_s >= from_s:
            old_s.append(arrival_s)
            new_s.append(arrival_s + late_s)
            if np.isfinite(departure_s):
                least_s = min(departure_s - arrival_s, LEAST_STAY_S)
                late_s = max(0.0, arrival_s + late_s + least_s - departure_s)
                old_s.append(departure_s)
                new_s.append(departure_s + late_s)

    def later(times_s: FloatArray) -> FloatArray:
        moved_s = np.interp(times_s, old_s, new_s)
        moved_s = np.where(times_s > old_s[-1], times_s + late_s, moved_s)
        return np.where(times_s >= from_s, moved_s, times_s)

    return replace(
        motion,
        seen_s=later(motion.seen_s),
        arrival_s=later(motion.arrival_s),
        departure_s=later(motion.departure_s),
    )


def headings_deg(network: RoadNetwork, track: Track, at_m: FloatArray) -> FloatArray:
    """Direction of the track at some distances, degrees clockwise from north, shape (distances,)."""
    behind, ahead = (to_lonlat(network.location, track.points_at(at_m + step_m)) for step_m in (-1.0, 1.0))
    east, north = (ahead - behind).T
    heading_deg: FloatArray = np.degrees(np.arctan2(east * np.cos(np.radians(ahead[:, 1])), north)) % 360.0
    return heading_deg
