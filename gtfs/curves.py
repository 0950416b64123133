"""What is known of real vehicles on their trips: how far along the pattern each was, and when."""

from dataclasses import dataclass

from gtfs.columns import Rows
from networks.network import FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Curves:
    """Distance over time, one curve a vehicle and trip; a gap in its pings that nobody should bridge ends a curve.

    Attributes
    ----------
    trip
        Row of the timetable's trips that each curve belongs to, shape (curves,); several may share one.
    vehicle_ids
        The vehicle's id in the trace, shape (curves,).
    start
        Points of curve ``i`` are ``start[i]:start[i + 1]``, shape (curves + 1,).
    time_s
        When, in epoch seconds as in :class:`gtfs.pings.Pings`, ascending along a curve, shape (points,). Not on a
        timetable's clock: one timetable may serve a trace of several days.
    distance_m
        Metres along the line of the trip's pattern as :func:`gtfs.pattern_lines.pattern_lines` has it, the shape or,
        without one, the line through the stops; not falling along a curve, shape (points,).
    """

    trip: Rows
    vehicle_ids: tuple[str, ...]
    start: Rows
    time_s: FloatArray
    distance_m: FloatArray

    def __len__(self) -> int:
        """Count of curves."""
        return len(self.trip)

    def points(self, curve: int) -> slice:
        """Where the points of a curve lie."""
        return slice(int(self.start[curve]), int(self.start[curve + 1]))
