"""What goes wrong in the trace of the built-in city, and to whom: chosen by rule, done to the buses' motions.

A run of an hour is too orderly to show a dispatcher anything. So one bus is held at a stop until the next one of its
line has caught up, another one takes a detour, one forgets its trip, and some fall silent. All of it is made up, as
everything of these buses is; that it is so is part of the truth that comes with the trace.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from networks.network import FloatArray, IntArray, RoadNetwork
from scenarios.demo.trace_detour import DetourTruth, find_detour, take_detour
from scenarios.demo.trace_motion import Motion, delayed
from sim.transit_plan import TransitPlan

CAUGHT_UP_SHARE = 0.15
"""Of the scheduled headway that is left between a held bus and the next one."""

SILENT_BUSES = 3
SILENT_MIN_S, SILENT_MAX_S = 330, 480


@dataclass(frozen=True, slots=True)
class Span:
    """A vehicle (row of the plan) on a leg, from when to when."""

    vehicle: int
    leg: int
    begin_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Staging:
    """What was done.

    Attributes
    ----------
    held
        The bus that stood at a stop, and ``held_call``, which (row of the plan).
    detour
        The bus off its route, and ``detour_truth``.
    unnamed
        The leg on which a bus does not tell its trip.
    silent
        Buses that send nothing for minutes.
    """

    held: Span
    held_call: int
    detour: Span
    detour_truth: DetourTruth
    unnamed: int
    silent: tuple[Span, ...]


@dataclass(slots=True)
class _Cast:
    """Who can be given a part: legs driven from end to end, and vehicles that have none yet."""

    plan: TransitPlan
    motions: dict[int, Motion]
    end_s: float
    taken: set[int] = field(default_factory=set)

    def legs(self) -> Iterator[int]:
        """Free legs, not the first of their vehicle, by departure."""
        legs, calls = self.plan.legs, self.plan.calls
        departure_s = calls.departure_s[legs.call_start[:-1]]
        for leg in np.argsort(departure_s, kind="stable").tolist():
            follows = leg > 0 and legs.vehicle[leg - 1] == legs.vehicle[leg]
            if follows and int(legs.vehicle[leg]) not in self.taken and self.is_whole(leg):
                yield leg

    def is_whole(self, leg: int) -> bool:
        """Whether a leg is a whole trip that was driven to its end."""
        calls, motion = self.plan.calls, self.motions.get(int(self.plan.legs.vehicle[leg]))
        first, last = self.rows(leg)[[0, -1]].tolist()
        if motion is None or not (calls.is_origin[first] and calls.is_end[last]):
            return False
        return bool(np.isin((first, last), motion.call).all()) and self.times_s(leg)[1][-1] < self.end_s

    def rows(self, leg: int) -> IntArray:
        """Calls of a leg."""
        return np.arange(*self.plan.legs.call_start[leg : leg + 2], dtype=np.int32)

    def times_s(self, leg: int) -> tuple[FloatArray, FloatArray]:
        """Arrivals and departures of a leg that is whole."""
        motion = self.motions[int(self.plan.legs.vehicle[leg])]
        of_leg = np.isin(motion.call, self.rows(leg))
        return motion.arrival_s[of_leg], motion.departure_s[of_leg]

    def span(self, leg: int, begin_s: float, end_s: float) -> Span:
        return Span(int(self.plan.legs.vehicle[leg]), leg, begin_s, end_s)

    def change(self, motion: Motion) -> None:
        """Put a changed motion in the place of the vehicle's, which has its part with it."""
        self.motions[motion.vehicle] = motion
        self.taken.add(motion.vehicle)


def stage(
    network: RoadNetwork, plan: TransitPlan, motions: dict[int, Motion], end_s: float, chance: np.random.Generator
) -> tuple[dict[int, Motion], Staging]:
    """Give out the parts; the motions of vehicles, by their rows, as they are then.

    Raises
    ------
    ValueError
        Where the run has no trip that is fit for a part.
    """
    cast = _Cast(plan, dict(motions), end_s)
    held, held_call = _hold(cast)
    detour, truth = _detour(cast, network, held.leg)
    unnamed = _unnamed(cast)
    silent = tuple(_silent(cast, chance))
    return cast.motions, Staging(held, held_call, detour, truth, unnamed, silent)


def _hold(cast: _Cast) -> tuple[Span, int]:
    """Hold a bus in the middle of a trip of the line with the shortest headway, until the next one is close behind."""
    legs, calls = cast.plan.legs, cast.plan.calls
    pairs = {leg: behind for leg in cast.legs() if (behind := _next_of_line(cast, leg)) is not None}
    if not pairs:
        raise ValueError("no bus of the run has another one of its line behind it")
    departure_s = calls.departure_s[legs.call_start[:-1]]
    leg = min(pairs, key=lambda each: float(departure_s[pairs[each]] - departure_s[each]))
    behind = pairs[leg]
    headway_s = float(departure_s[behind] - departure_s[leg])
    middle = len(cast.rows(leg)) // 2
    arrival_s, left_s = (float(times_s[middle]) for times_s in cast.times_s(leg))
    hold_s = round(float(cast.times_s(behind)[1][middle]) - left_s - CAUGHT_UP_SHARE * headway_s)
    cast.change(delayed(cast.motions[int(legs.vehicle[leg])], left_s, hold_s))
    cast.taken.add(int(legs.vehicle[behind]))
    return cast.span(leg, arrival_s, left_s + hold_s), int(cast.rows(leg)[middle])


def _next_of_line(cast: _Cast, leg: int) -> int | None:
    """The whole leg that is scheduled next on the same pattern, with another vehicle."""
    legs = cast.plan.legs
    departure_s = cast.plan.calls.departure_s[legs.call_start[:-1]]
    later = [
        other
        for other in range(len(legs))
        if legs.pattern_ids[other] == legs.pattern_ids[leg] and departure_s[other] > departure_s[leg]
    ]
    behind = min(later, key=lambda other: float(departure_s[other]), default=None)
    is_fit = behind is not None and legs.vehicle[behind] != legs.vehicle[leg] and cast.is_whole(behind)
    return behind if is_fit else None


def _detour(cast: _Cast, network: RoadNetwork, held: int) -> tuple[Span, DetourTruth]:
    """Send the first bus around that has other streets to go by, on another line than the bus that is held."""
    routes = cast.plan.legs.route_ids
    for leg in (leg for leg in cast.legs() if routes[leg] != routes[held]):
        motion = cast.motions[int(cast.plan.legs.vehicle[leg])]
        found = find_detour(network, cast.plan, motion, leg)
        if found is not None:
            changed, truth = take_detour(network, motion, found)
            cast.change(changed)
            return cast.span(leg, truth.left_s, truth.back_s), truth
    raise ValueError("no bus of the run has a way around")


def _unnamed(cast: _Cast) -> int:
    """The first free leg with another one of its vehicle before and after it."""
    vehicle = cast.plan.legs.vehicle
    for leg in cast.legs():
        if leg + 1 < len(vehicle) and vehicle[leg + 1] == vehicle[leg]:
            cast.taken.add(int(vehicle[leg]))
            return leg
    raise ValueError("no bus of the run is free to forget its trip")


def _silent(cast: _Cast, chance: np.random.Generator) -> Iterator[Span]:
    """Some buses fall silent for minutes on their way, by chance when and for how long."""
    for _ in range(SILENT_BUSES):
        leg = next(cast.legs(), None)
        if leg is None:
            return
        cast.taken.add(int(cast.plan.legs.vehicle[leg]))
        arrival_s, departure_s = cast.times_s(leg)
        lasts_s = int(chance.integers(SILENT_MIN_S, SILENT_MAX_S))
        latest_s = max(int(departure_s[0]) + 1, int(arrival_s[-1]) - lasts_s)
        begin_s = int(chance.integers(int(departure_s[0]), latest_s))
        yield cast.span(leg, float(begin_s), float(begin_s + lasts_s))
