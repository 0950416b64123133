"""What the signals of one run are judged by, movement by movement: delay, queue, green, cycle."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from networks.network import RoadNetwork
from signals.history import (
    Aspect,
    SignalHistory,
    Span,
    cycles_s,
    lost_share,
    reds_s,
    shares,
    spans,
    stage_begins,
)
from signals.saturation import PERMITTED_HEADWAY_S, PROTECTED_HEADWAY_S
from sim.measures import SECONDS_PER_HOUR, level_of_service
from sim.movements import Movement
from sim.passages import FloatArray, Passages

ACCELERATION_MPS2, DECELERATION_MPS2 = 2.6, 4.5
"""SUMO's defaults for cars: what a full stop costs at least, v / 2 (1 / a + 1 / b)."""

CAR, BUS = "car", "bus"


@dataclass(frozen=True, slots=True)
class MovementMeasures:
    """A movement in one run, or its mean over runs.

    ``delay_s`` is the mean control delay of those who came onto the approach: from there to the street behind the
    junction, less what that takes without traffic and lights and less stays at stops; those still there at the end
    count with what they have lost by then. ``stopped_share`` is the part of them that lost at least what a full stop
    costs. The queue is that of vehicles that would have passed the stop line if nothing had held them (a point queue):
    mean, what it stays below for 95 % of the time, greatest. ``arriving_veh_per_h`` came onto the approach,
    ``volume_veh_per_h`` were let through. ``volume_to_capacity`` is arrivals over what its lanes let through at
    saturation flow in the green that was shown, as if no other movement used them. Shares are of all time;
    ``green_share`` is protected and permitted green. Cycles run from one begin of green to the next. ``longest_red_s``
    is the longest time without green at whose end somebody waited.
    """

    variant: str
    seed: int
    junction: str
    junction_name: str
    movement: int
    approach: str
    bound: str
    turn: str
    lanes: int
    arriving_veh_per_h: float
    volume_veh_per_h: float
    delay_s: float
    level_of_service: str
    stopped_share: float
    queue_mean_veh: float
    queue_p95_veh: float
    queue_max_veh: float
    green_share: float
    permitted_share: float
    yellow_share: float
    volume_to_capacity: float
    cycle_mean_s: float
    cycle_p05_s: float
    cycle_p95_s: float
    longest_red_s: float


@dataclass(frozen=True, slots=True)
class CycleMeasures:
    """A signal in one run, or its mean over runs.

    Cycles are those of its busiest movement. ``stages_per_h`` counts times at which a movement of vehicles turned
    green, ``lost_share`` is the part of the time in which one of them showed yellow or none was green, also where
    people walk meanwhile.
    ``longest_red_s`` is the longest of all its movements, ``longest_red_movement`` whose that was.
    """

    variant: str
    seed: int
    junction: str
    junction_name: str
    cycles: int
    cycle_mean_s: float
    cycle_p05_s: float
    cycle_p95_s: float
    stages_per_h: float
    lost_share: float
    longest_red_s: float
    longest_red_movement: int


@dataclass(frozen=True, slots=True)
class ModeMeasures:
    """Vehicles of a kind at the measured signals of one run: ``car`` is all that drives by no timetable.

    ``passages`` counts vehicles times signals, ``delay_s`` is the mean control delay of one.
    """

    variant: str
    seed: int
    mode: str
    passages: int
    delay_s: float


@dataclass(frozen=True, slots=True)
class Period:
    """The time simulated and the length of its steps (s)."""

    begin_s: float
    end_s: float
    step_s: float = 1.0

    @property
    def hours(self) -> float:
        """Its length in hours."""
        return (self.end_s - self.begin_s) / SECONDS_PER_HOUR


def movement_measures(
    who: tuple[str, int],
    junction_name: str,
    network: RoadNetwork,
    movement: Movement,
    history: SignalHistory,
    came: Passages,
    period: Period,
) -> MovementMeasures:
    """The row of a movement from who came to it and what it was shown; ``who`` is variant and seed."""
    seen = spans(history, movement.links)
    delay_s = came.delay_s(period.end_s)
    known_s = delay_s[np.isfinite(delay_s)]
    mean_s = max(float(known_s.mean()), 0.0) if len(known_s) else math.nan
    queue = point_queue(came, period)
    shown, cycle = shares(seen), np.array(cycles_s(seen))
    arriving = len(came) / period.hours
    capacity = _capacity(movement, shown)
    ratio = arriving / capacity if capacity else math.inf if arriving else 0.0
    return MovementMeasures(
        variant=who[0],
        seed=who[1],
        junction=movement.signal_id,
        junction_name=junction_name,
        movement=movement.number,
        approach=movement.approach,
        bound=movement.bound,
        turn=movement.turn,
        lanes=len(movement.stop_lanes),
        arriving_veh_per_h=arriving,
        volume_veh_per_h=int(np.isfinite(came.leave_s).sum()) / period.hours,
        delay_s=mean_s,
        level_of_service=movement_service(mean_s, ratio),
        stopped_share=float((known_s >= _stop_s(network, movement)).mean()) if len(known_s) else math.nan,
        queue_mean_veh=float(queue.mean()),
        queue_p95_veh=percentile(queue, 95),
        queue_max_veh=float(queue.max()),
        green_share=shown[Aspect.PROTECTED] + shown[Aspect.PERMITTED],
        permitted_share=shown[Aspect.PERMITTED],
        yellow_share=shown[Aspect.YELLOW],
        volume_to_capacity=ratio,
        cycle_mean_s=float(cycle.mean()) if len(cycle) else math.nan,
        cycle_p05_s=percentile(cycle, 5),
        cycle_p95_s=percentile(cycle, 95),
        longest_red_s=longest_red_s(seen, came),
    )


def percentile(values: FloatArray, share: float) -> float:
    """A percentile with linear interpolation, as numpy has it, at a tenth of its cost; NaN of nothing."""
    if not len(values):
        return math.nan
    ordered = np.sort(values)
    below, part = divmod(share * (len(values) - 1), 100)
    after = min(int(below) + 1, len(values) - 1)
    return float(ordered[int(below)] + (ordered[after] - ordered[int(below)]) * part / 100)


def movement_service(delay_s: float, volume_to_capacity: float) -> str:
    """Level of service of a movement at a signal: by its delay, and F wherever more come than can be let through.

    Highway Capacity Manual, 6th edition, exhibit 19-8.
    """
    over = volume_to_capacity > 1 and not math.isnan(delay_s)
    return "F" if over else level_of_service(delay_s, signalised=True)


def _capacity(movement: Movement, shown: Mapping[Aspect, float]) -> float:
    """Vehicles an hour that its lanes let through in the green shown."""
    rate = shown[Aspect.PROTECTED] / PROTECTED_HEADWAY_S + shown[Aspect.PERMITTED] / PERMITTED_HEADWAY_S
    return SECONDS_PER_HOUR * len(movement.stop_lanes) * rate


def _stop_s(network: RoadNetwork, movement: Movement) -> float:
    """What a full stop from the speed limit costs at least (s)."""
    speed_mps = float(network.edge_speed_mps[movement.from_edge])
    return speed_mps / 2 * (1 / ACCELERATION_MPS2 + 1 / DECELERATION_MPS2)


def point_queue(came: Passages, period: Period) -> FloatArray:
    """Vehicles held back, second by second, shape (seconds,): due at the stop line by then and not yet through."""
    seconds = max(math.ceil(period.end_s - period.begin_s), 1)
    due_s = came.enter_s + came.free_s + came.dwell_s
    held = (due_s < came.leave_s) & (due_s < period.end_s)
    change = np.zeros(seconds + 1)
    for times_s, step in ((due_s[held], 1.0), (came.leave_s[held], -1.0)):
        place = np.clip(np.ceil(np.minimum(times_s, period.end_s) - period.begin_s), 0, seconds).astype(np.int64)
        np.add.at(change, place, step)
    return np.cumsum(change)[:-1]


def longest_red_s(seen: Sequence[Span], came: Passages) -> float:
    """Longest time without green at whose end somebody had been held back (s); zero where nobody ever was."""
    due_s = came.enter_s + came.free_s + came.dwell_s
    reds = np.array(reds_s(seen)).reshape(-1, 2)
    ends_s = reds[:, 1, None]
    waited = ((due_s < ends_s) & (came.leave_s > ends_s)).any(axis=1)
    return float((reds[:, 1] - reds[:, 0])[waited].max(initial=0.0))


def cycle_measures(
    junction_name: str, movements: Sequence[Movement], history: SignalHistory, rows: Sequence[MovementMeasures]
) -> CycleMeasures:
    """The row of a signal from those of its movements."""
    links = sorted({link for movement in movements for link in movement.links})
    busiest = max(rows, key=lambda row: (row.arriving_veh_per_h, -row.movement))
    slowest = max(rows, key=lambda row: (row.longest_red_s, -row.movement))
    chosen = next(movement for movement in movements if movement.number == busiest.movement)
    hours = (history.end_s - history.begins_s[0]) / SECONDS_PER_HOUR
    return CycleMeasures(
        variant=busiest.variant,
        seed=busiest.seed,
        junction=history.signal_id,
        junction_name=junction_name,
        cycles=len(cycles_s(spans(history, chosen.links))),
        cycle_mean_s=busiest.cycle_mean_s,
        cycle_p05_s=busiest.cycle_p05_s,
        cycle_p95_s=busiest.cycle_p95_s,
        stages_per_h=stage_begins(history, links) / hours,
        lost_share=lost_share(history, links),
        longest_red_s=slowest.longest_red_s,
        longest_red_movement=slowest.movement,
    )


def mode_measures(who: tuple[str, int], came: Passages, end_s: float) -> tuple[ModeMeasures, ...]:
    """Rows of cars and of timetabled vehicles."""
    delay_s = came.delay_s(end_s)
    found = []
    for mode, wanted in ((CAR, ~came.timetabled), (BUS, came.timetabled)):
        known_s = delay_s[wanted & np.isfinite(delay_s)]
        mean_s = max(float(known_s.mean()), 0.0) if len(known_s) else math.nan
        found.append(ModeMeasures(*who, mode, int(wanted.sum()), mean_s))
    return tuple(found)
