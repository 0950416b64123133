"""Passengers who come to stops, drawn by seed: when, where, which vehicles they take, and how they pay.

They come at random, as many an hour as the rates say, while vehicles run. At a place where a trip begins they get in
while the vehicle waits for its departure, and where it ends nobody gets in: both are left out.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
import numpy.typing as npt

from networks.network import FloatArray, IntArray
from sim.fares import EVERY_STOP, BoardingRate
from sim.transit_plan import TransitPlan

HOUR_S = 3600.0

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Passengers:
    """Passengers in order of their coming, shape (passengers,) each.

    Attributes
    ----------
    time_s
        When each comes to the stop.
    call
        A call of the plan at the bus stop where each waits.
    choice
        Which of ``vehicles`` each takes, the first that comes.
    draw
        A number from 0 to 1 that decides how each pays.
    vehicles
        Ids of vehicles, by choice.
    """

    time_s: FloatArray
    call: IntArray
    choice: IntArray
    draw: FloatArray
    vehicles: tuple[tuple[str, ...], ...]

    def __len__(self) -> int:
        """Count of passengers."""
        return len(self.time_s)

    def pays_electronically(self, share: float) -> BoolArray:
        """Who does where a share of all do, shape (passengers,)."""
        return self.draw < share


def boarding_calls(plan: TransitPlan) -> BoolArray:
    """Calls at which passengers board by one door while the vehicle is kept: those between a leg's ends."""
    inside = np.ones(len(plan.calls), dtype=np.bool_)
    inside[plan.legs.call_start[:-1]] = False
    inside[plan.legs.call_start[1:] - 1] = False
    return inside


def draw_passengers(
    plan: TransitPlan, rates: Sequence[BoardingRate], seed: int, begin_s: float, end_s: float
) -> Passengers:
    """Draw the passengers of a run; the same for every way of paying and of running the lights.

    They come evenly from one headway before the first departure in the timetable to the last one, within the
    simulated time. A stop that has several places has its passengers by the number of calls at each.
    """
    groups = list(_groups(plan, rates))
    parts = [_drawn(plan, group, seed, begin_s, end_s) for group in groups]
    time_s = np.concatenate([times for times, _ in parts]) if parts else np.empty(0)
    draw = np.concatenate([draws for _, draws in parts]) if parts else np.empty(0)
    counts = [len(times) for times, _ in parts]
    choice = np.repeat(np.arange(len(groups), dtype=np.int32), counts)
    call = np.repeat(np.array([group.calls[0] for group in groups], dtype=np.int32), counts)
    order = np.argsort(time_s, kind="stable")
    vehicles = tuple(_vehicles(plan, group.calls) for group in groups)
    return Passengers(time_s[order], call[order], choice[order], draw[order], vehicles)


@dataclass(frozen=True, slots=True, eq=False)
class _Group:
    """Those who come to one bus stop for the same vehicles: how many an hour, and the calls that suit them."""

    name: str
    per_h: float
    calls: IntArray


def _groups(plan: TransitPlan, rates: Sequence[BoardingRate]) -> Iterator[_Group]:
    open_to = np.flatnonzero(boarding_calls(plan))
    stop_ids, bus_stops = np.array(plan.calls.stop_ids, dtype=np.str_), np.array(plan.calls.bus_stops, dtype=np.str_)
    leg_of_call = np.repeat(np.arange(len(plan.legs)), np.diff(plan.legs.call_start))
    route_ids = np.array(plan.legs.route_ids, dtype=np.str_)[leg_of_call]
    for rate in rates:
        suits = (route_ids[open_to] == rate.route_id) | (not rate.route_id)
        here = np.unique(stop_ids[open_to]) if rate.stop_id == EVERY_STOP else [rate.stop_id]
        for stop_id in here:
            rows = open_to[suits & (stop_ids[open_to] == stop_id)]
            for bus_stop in np.unique(bus_stops[rows]):
                calls = rows[bus_stops[rows] == bus_stop]
                name = f"{bus_stop} {rate.route_id}"
                yield _Group(name, rate.per_h * len(calls) / len(rows), calls.astype(np.int32))


def _drawn(plan: TransitPlan, group: _Group, seed: int, begin_s: float, end_s: float) -> tuple[FloatArray, FloatArray]:
    """When the passengers of a group come (s), in order, and the draw of each."""
    due_s = np.sort(plan.calls.departure_s[group.calls])
    headway_s = (due_s[-1] - due_s[0]) / (len(due_s) - 1) if len(due_s) > 1 else HOUR_S
    first_s, last_s = max(begin_s, float(due_s[0] - headway_s)), min(end_s, float(due_s[-1]))
    chance = np.random.default_rng(int.from_bytes(sha256(f"{seed} {group.name}".encode()).digest()[:8], "big"))
    count = chance.poisson(group.per_h * max(last_s - first_s, 0.0) / HOUR_S)
    times_s = np.sort(chance.uniform(first_s, max(last_s, first_s), count))
    return np.round(times_s, 1), chance.random(count)


def _vehicles(plan: TransitPlan, calls: IntArray) -> tuple[str, ...]:
    legs = np.searchsorted(plan.legs.call_start, calls, side="right") - 1
    return tuple(dict.fromkeys(plan.vehicle_ids[row] for row in plan.legs.vehicle[legs].tolist()))
