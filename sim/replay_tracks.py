"""Tracks: a path over the network and when a real vehicle was how far along it. What a replay drives.

A track knows nothing of timetables: a vehicle whose trace was matched to streets has one as well as a bus whose curve
runs along its GTFS pattern.
"""

from dataclasses import dataclass, replace

import numpy as np

from networks.network import FloatArray
from networks.paths import Path

STANDING_M = 5.0
"""So near to its begin or end a vehicle is taken to stand there."""

ENTERS_S = 20.0
"""So long it stands in the simulation before it leaves its first place; the rest of a stay at a terminal, which need
not be on the street, is left out, and when it has reached its last place it is done."""

LEAST_M = 100.0
"""A shorter way is not driven."""

REST_S = 120.0
"""Who stands longer in one place, and goes on, leaves the lane free meanwhile."""


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """One real vehicle on one unbroken path.

    Attributes
    ----------
    vehicle_id
        Its id in the simulation, different from all others there.
    vehicle_class
        SUMO's vehicle class.
    time_s, way_m
        When (s, on the simulation's clock, ascending) it was how far along the path (m, not falling), shape (points,)
        each; straight between.
    calls_m
        Way up to each stop at which its time is compared, shape (calls,).
    """

    vehicle_id: str
    vehicle_class: str
    path: Path
    time_s: FloatArray
    way_m: FloatArray
    calls_m: FloatArray

    @property
    def length_m(self) -> float:
        """Way that is driven."""
        return float(self.way_m[-1] - self.way_m[0])

    @property
    def first_edge(self) -> int:
        """Position in the path of the edge on which it begins."""
        return self.path.place(float(self.way_m[0]))[0]

    @property
    def last_edge(self) -> int:
        """Position in the path of the edge on which it ends."""
        return self.path.place(float(self.way_m[-1]))[0]

    def way_at(self, time_s: FloatArray) -> FloatArray:
        """Where it was at some times (m); before and after it stands at the ends."""
        return np.interp(time_s, self.time_s, self.way_m)


def in_time(track: Track, begin_s: float, end_s: float) -> Track | None:
    """The part of a track that lies in the time simulated, without long stays at its ends; None where there is none."""
    begin_s, end_s = max(begin_s, float(track.time_s[0])), min(end_s, float(track.time_s[-1]))
    if end_s <= begin_s:
        return None
    begin_s, end_s = _moving(_between(track, begin_s, end_s))
    part = _between(track, begin_s, end_s)
    return part if part.length_m >= LEAST_M else None


def _between(track: Track, begin_s: float, end_s: float) -> Track:
    inside = (track.time_s > begin_s) & (track.time_s < end_s)
    time_s = np.concatenate(([begin_s], track.time_s[inside], [end_s]))
    return replace(track, time_s=time_s, way_m=track.way_at(time_s))


def _moving(track: Track) -> tuple[float, float]:
    """When it enters and when it is done: shortly before it leaves its first place, and at its last."""
    time_s, way_m = track.time_s, track.way_m
    left_s = float(time_s[np.flatnonzero(way_m <= way_m[0] + STANDING_M)[-1]])
    reached_s = float(time_s[np.flatnonzero(way_m >= way_m[-1] - STANDING_M)[0]])
    return max(float(time_s[0]), left_s - ENTERS_S), reached_s


@dataclass(frozen=True, slots=True)
class Rest:
    """A long stay on the way: between which places of the path the vehicle stood (m), and until when (s)."""

    begin_m: float
    end_m: float
    until_s: float


def rests(track: Track) -> list[Rest]:
    """Long stays on the way, in order."""
    time_s, way_m = track.time_s, track.way_m
    found: list[Rest] = []
    row = 0
    while row < len(way_m):
        behind = int(np.searchsorted(way_m, way_m[row] + STANDING_M, side="right"))
        stays = time_s[behind - 1] - time_s[row] >= REST_S
        if stays and behind < len(way_m):
            found.append(Rest(float(way_m[row]), float(way_m[behind - 1]), float(time_s[behind - 1])))
        row = behind if stays else row + 1
    return found
