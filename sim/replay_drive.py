"""Real vehicles among simulated ones: each keeps to its curve as far as the traffic lets it.

The simulator drives them along their matched paths; each step sets the speed that brings them onto their curves. They
keep safe distances, queue, give way and are followed like all others. They pass red lights where nobody is in the way:
that the real vehicle passed there then is a fact, so its light was green, whatever the simulated one shows.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from networks.network import FloatArray, RoadNetwork
from sim.replay_tracks import Track

KEEPS_SAFE, KEEPS_ACCELERATION, KEEPS_DECELERATION, GIVES_WAY = 1, 2, 4, 8
SPEED_MODE = KEEPS_SAFE | KEEPS_ACCELERATION | KEEPS_DECELERATION | GIVES_WAY
"""What of SUMO's rules holds against the speed that is set: all but red lights."""

LOOK_AHEAD_S = 15.0
EASE_MPS2 = 2.0
"""How a vehicle slows down before a place where its curve stands, looking so far ahead along it."""

ROLLS_MPS = 5.0
"""Speed at which a vehicle goes on at the end of its track until it is taken out there: it must not come to a stand
just before that, inside a junction."""

BRAKES_HARD_MPS2 = 4.5
"""More than a bus brakes in the simulation unless it must (4 m/s2)."""

FREE = -1.0
"""What SUMO takes as a speed that is no longer set."""


@dataclass(slots=True)
class Ride:
    """What became of a track in the simulation: where the vehicle was at each step, and what went wrong.

    ``met`` are the vehicles that it collided with.
    """

    track: Track
    entered_s: float = np.nan
    done: bool = False
    time_s: list[float] = field(default_factory=list)
    way_m: list[float] = field(default_factory=list)
    speed_mps: list[float] = field(default_factory=list)
    teleports: int = 0
    met: set[str] = field(default_factory=set)

    def note(self, time_s: float, way_m: float, speed_mps: float) -> None:
        """Keep where the vehicle is at a time."""
        self.time_s.append(time_s)
        self.way_m.append(way_m)
        self.speed_mps.append(speed_mps)


class Convoy:
    """All replayed vehicles of a run. Show it every step."""

    def __init__(self, api: Any, network: RoadNetwork, tracks: Sequence[Track], step_s: float) -> None:
        """Nobody has entered yet."""
        self.rides = tuple(Ride(track) for track in tracks)
        self._api = api
        self._limits_mps = network.edge_speed_mps
        self._step_s = step_s
        self._ahead_s = np.concatenate(([step_s], np.arange(np.floor(step_s) + 1.0, LOOK_AHEAD_S + 1)))
        self._waiting = {ride.track.vehicle_id: ride for ride in self.rides}
        self._driving: dict[str, Ride] = {}

    def act(self, now_s: float) -> None:
        """Look where everybody is, which SUMO says of a step before, and set the speed of the next step."""
        self._note_events()
        for name in self._api.simulation.getDepartedIDList():
            if name in self._waiting:
                self._driving[name] = self._waiting.pop(name)
                self._driving[name].entered_s = now_s - self._step_s
                self._api.vehicle.setSpeedMode(name, SPEED_MODE)
        for name in self._api.simulation.getArrivedIDList():
            if name in self._driving:
                ride = self._driving.pop(name)
                ride.done = True
                ride.note(now_s - self._step_s, float(ride.track.way_m[-1]), 0.0)
        for name, ride in list(self._driving.items()):
            self._drive(name, ride, now_s - self._step_s)

    def _note_events(self) -> None:
        simulation = self._api.simulation
        for name in simulation.getStartingTeleportIDList():
            if name in self._driving:
                self._driving[name].teleports += 1
        for collision in simulation.getCollisions():
            for one, other in ((collision.collider, collision.victim), (collision.victim, collision.collider)):
                if one in self._driving:
                    self._driving[one].met.add(other)

    def _drive(self, name: str, ride: Ride, time_s: float) -> None:
        vehicle, track = self._api.vehicle, ride.track
        road = vehicle.getRoadID(name)
        if not road:
            # beside the lane, or taken out of a jam: it comes back by itself, if its speed is not set
            vehicle.setSpeed(name, FREE)
            ride.note(time_s, ride.way_m[-1], 0.0)
            return
        edge = track.first_edge + vehicle.getRouteIndex(name)
        way_m = _way_m(track, edge, vehicle.getLanePosition(name), inside=road.startswith(":"))
        ride.note(time_s, way_m, vehicle.getSpeed(name))
        ahead_m = _aim_m(track, time_s + self._ahead_s)
        real_mps = float(ahead_m[0] - _aim_m(track, np.array([time_s]))[0]) / self._step_s
        limit_mps = float(self._limits_mps[track.path.edges[edge]])
        wanted_mps = min(speed_to_follow(way_m, ahead_m, self._ahead_s), max(limit_mps, real_mps))
        vehicle.setSpeedFactor(name, max(1.0, wanted_mps / limit_mps))
        vehicle.setSpeed(name, wanted_mps)


def _aim_m(track: Track, time_s: FloatArray) -> FloatArray:
    """Where the vehicle should be at some times (m): behind its last place it rolls on, so as to get there surely."""
    rolled_m: FloatArray = ROLLS_MPS * np.maximum(time_s - track.time_s[-1], 0.0)
    return track.way_at(time_s) + rolled_m


def _way_m(track: Track, edge: int, lane_m: float, *, inside: bool) -> float:
    """Way along a path from a position in it; across a junction it grows as far as the straight line does."""
    path = track.path
    begin_m, length_m = float(path.begin_m[edge]), float(path.length_m[edge])
    if not inside:
        return begin_m + lane_m
    end_m = begin_m + length_m
    across_m = float(path.begin_m[edge + 1]) - end_m if edge + 1 < len(path.edges) else 0.0
    return end_m + min(lane_m, across_m)


def speed_to_follow(way_m: float, ahead_m: FloatArray, ahead_s: FloatArray) -> float:
    """The speed for the next step that brings a vehicle onto its curve and never past where that will be (m/s).

    Who drives at ``v`` for the step ``s`` and then slows down evenly by ``b`` gets ``v h - b (h - s)^2 / 2`` farther in
    a time ``h``: the greatest ``v`` with which this nowhere exceeds the curve. Before a place where the curve stands it
    is the speed from which a driver brakes evenly.

    Parameters
    ----------
    way_m
        Where it is.
    ahead_m
        Where the curve will be after ``ahead_s``, of which the first is the step, shape (times,).
    """
    room_mps = (ahead_m - way_m + EASE_MPS2 * (ahead_s - ahead_s[0]) ** 2 / 2) / ahead_s
    return max(0.0, float(room_mps.min()))
