"""Offsets between fixed-time signals, by hill climbing over a model of platoons.

The model: vehicles come to each movement evenly, queue, and leave at saturation flow once it is green; on their way to
the next signal the platoon spreads (D. I. Robertson, *TRANSYT: a traffic network study tool*, Road Research Laboratory
report LR 253, 1969: F = 1 / (1 + 0.35 x 0.8 T), the first arrive after 0.8 T). What is minimised is the time spent
queueing at all signals of a group, plus Webster's term for chance arrivals x^2 / (2 (1 - x)) vehicles a movement, which
decides between cycles. Each offset in turn is set to its best whole second, the others kept, until none gets better:
the best one near by, not always the best of all.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from signals.flows import SignalFlows, Stream
from signals.static import whole_s
from signals.webster import Timing, with_cycle

FloatArray = npt.NDArray[np.float64]

JOINED_S = 60.0
"""Signals farther apart than this are left to themselves: their platoons have spread (about 800 m at 50 km/h)."""

JOINED_PER_HOUR = 100.0
"""Fewer vehicles than these do not bind two signals to one cycle."""

ROUNDS = 20
DISPERSION, FIRST_SHARE = 0.35, 0.8
FULL = 0.98
"""Degree of saturation above which chance arrivals count as at this one: the formula has no end."""


def coordinated(timings: Sequence[Timing], flows: SignalFlows) -> tuple[Timing, ...]:
    """Signals with a common cycle and offsets where that costs less time than each with a cycle of its own."""
    made = {timing.signal_id: timing for timing in timings}
    for members in _groups(made, flows):
        apart = [made[name] for name in members]
        best, best_s = apart, sum(_apart_s(timing, flows) for timing in apart)
        for cycle_s in sorted({timing.cycle_s for timing in apart}):
            group = [with_cycle(timing, cycle_s) for timing in apart]
            if any(timing.cycle_s != cycle_s for timing in group):
                continue
            climbed, cost_s = _climbed(group, flows)
            if cost_s < best_s:
                best, best_s = climbed, cost_s
        made |= {timing.signal_id: timing for timing in best}
    return tuple(made[timing.signal_id] for timing in timings)


def _groups(made: dict[str, Timing], flows: SignalFlows) -> list[list[str]]:
    """Signals that platoons join, two or more together, each in the order given."""
    group_of = {name: {name} for name in made}
    for stream in flows.streams:
        a, b = (flows.movements[number].signal_id for number in (stream.before, stream.after))
        near = stream.travel_s <= JOINED_S and stream.vehicles_per_hour >= JOINED_PER_HOUR
        if near and a in made and b in made and group_of[a] is not group_of[b]:
            joined = group_of[a] | group_of[b]
            group_of |= dict.fromkeys(joined, joined)
    order = list(made)
    groups = {min(order.index(name) for name in group): group for group in group_of.values() if len(group) > 1}
    return [sorted(groups[first], key=order.index) for first in sorted(groups)]


@dataclass(frozen=True, slots=True, eq=False)
class _Movement:
    """A movement through one cycle, second by second from the begin of its signal's first stage.

    ``arriving`` are the vehicles (1/s) that no signal of the group sends, ``service`` those that may leave, shape
    (cycle,); ``feeds`` tells which signals send the others, with their arrivals on the clock of the sender.
    """

    signal: int
    arriving: float
    service: FloatArray
    feeds: tuple[tuple[int, FloatArray], ...]


def _service(timing: Timing, links: tuple[int, ...]) -> FloatArray:
    """Vehicles that may leave in each second of the cycle (1/s): each link has its share of the lane it stands on."""
    rates = (_lane_share(timing, links)[:, None] / timing.case.headways_s[:, list(links)].T).sum(axis=0)
    service: list[float] = []
    for stage, (green_s, way) in enumerate(zip(timing.greens_s, timing.case.ways, strict=True)):
        service += [float(rates[stage])] * round(green_s)
        service += [0.0] * round(whole_s(way.total_s))
    return np.array(service)


def _lane_share(timing: Timing, links: tuple[int, ...]) -> FloatArray:
    """Part of their lanes' time that the vehicles of some links take of what all links on them take, shape (links,)."""
    headways_s = np.where(np.isfinite(timing.case.headways_s), timing.case.headways_s, 0.0)
    taken_s = (timing.shares.served * headways_s).sum(axis=0)
    on_lanes = [{use.lane for use in timing.case.uses if use.link == link} for link in range(len(taken_s))]
    shares = []
    for link in links:
        total_s = sum(taken_s[other] for other, lanes in enumerate(on_lanes) if lanes & on_lanes[link])
        shares.append(taken_s[link] / total_s if total_s > 0 else 0.0)
    return np.array(shares)


def queued_s(arriving: FloatArray, service: FloatArray) -> FloatArray:
    """Time spent queueing in a cycle (vehicle seconds), shape (cases,), once the queue of a cycle before is there.

    Parameters
    ----------
    arriving, service
        Vehicles that come and that may leave in each second, shape (cases, cycle).
    """
    queue = np.zeros(len(arriving))
    total = np.zeros(len(arriving))
    for lap in range(2):
        for second in range(arriving.shape[1]):
            queue = np.maximum(queue + arriving[:, second] - service[:, second], 0.0)
            total += queue * lap
    return total


def departures(arriving: FloatArray, service: FloatArray) -> FloatArray:
    """Vehicles that leave in each second of a cycle, shape (cycle,), with the queue that the cycle before left."""
    queue, left = 0.0, np.zeros(len(arriving))
    for _ in range(2):
        for second, (come, may) in enumerate(zip(arriving, service, strict=True)):
            left[second] = min(queue + come, may)
            queue += come - left[second]
    return left


def spread(leaving: FloatArray, travel_s: float) -> FloatArray:
    """The platoon as it arrives, on the clock of its departure, shape (cycle,): Robertson's dispersion."""
    share = 1.0 / (1.0 + DISPERSION * FIRST_SHARE * travel_s)
    begin = np.roll(leaving, round(FIRST_SHARE * travel_s))
    arriving, before = np.zeros(len(begin)), float(begin.mean())
    for _ in range(3):
        for second, come in enumerate(begin):
            before += share * (come - before)
            arriving[second] = before
    return arriving


def _movements(group: Sequence[Timing], flows: SignalFlows) -> list[_Movement]:
    """Movements of a group's signals, with what they send to each other."""
    place = {timing.signal_id: number for number, timing in enumerate(group)}
    rows = {number: place[flow.signal_id] for number, flow in enumerate(flows.movements) if flow.signal_id in place}
    service = {row: _service(group[signal], flows.movements[row].links) for row, signal in rows.items()}
    rate = {row: flows.movements[row].vehicles_per_hour / 3600 for row in rows if service[row].any()}
    coming: dict[int, list[Stream]] = defaultdict(list)
    for stream in flows.streams:
        if stream.before in rate and stream.after in rate and rows[stream.before] != rows[stream.after]:
            coming[stream.after].append(stream)
    leaving = {row: departures(np.full(len(service[row]), rate[row]), service[row]) for row in rate}
    made = []
    for row, wanted in rate.items():
        feeds = []
        for stream in coming[row]:
            part = stream.vehicles_per_hour / 3600 / rate[stream.before]
            feeds.append((rows[stream.before], part * spread(leaving[stream.before], stream.travel_s)))
        sent = sum(float(profile.mean()) for _, profile in feeds)
        made.append(_Movement(rows[row], max(wanted - sent, 0.0), service[row], tuple(feeds)))
    return made


def _arriving(movement: _Movement, offsets_s: FloatArray) -> FloatArray:
    """Vehicles that come in each second of a cycle for some choices of offsets, shape (choices, cycle).

    Parameters
    ----------
    offsets_s
        Shape (choices, signals).
    """
    cycle = len(movement.service)
    seconds = np.arange(cycle)
    arriving = np.full((len(offsets_s), cycle), movement.arriving)
    for sender, profile in movement.feeds:
        later_s = (offsets_s[:, sender] - offsets_s[:, movement.signal]).astype(np.int64)
        arriving += profile[(seconds[None, :] - later_s[:, None]) % cycle]
    return arriving


def _cost_s(movements: Sequence[_Movement], offsets_s: FloatArray) -> FloatArray:
    """Queueing in a cycle by choice of offsets (vehicle seconds), shape (choices,)."""
    if not movements:
        return np.zeros(len(offsets_s))
    arriving = np.concatenate([_arriving(movement, offsets_s) for movement in movements])
    service = np.concatenate([np.tile(movement.service, (len(offsets_s), 1)) for movement in movements])
    each: FloatArray = queued_s(arriving, service).reshape(len(movements), len(offsets_s))
    total: FloatArray = each.sum(axis=0)
    return total


def _climbed(group: Sequence[Timing], flows: SignalFlows) -> tuple[list[Timing], float]:
    """The group with offsets found by climbing, and what it costs in each second (vehicles queueing)."""
    movements = _movements(group, flows)
    cycle_s = group[0].cycle_s
    offsets_s = np.zeros(len(group))
    for _ in range(ROUNDS):
        before_s = offsets_s.copy()
        for signal in range(1, len(group)):
            touched = [move for move in movements if move.feeds and signal in _signals(move)]
            choices_s = np.tile(offsets_s, (round(cycle_s), 1))
            choices_s[:, signal] = (offsets_s[signal] + np.arange(round(cycle_s))) % cycle_s
            offsets_s[signal] = choices_s[int(np.argmin(np.round(_cost_s(touched, choices_s), 6))), signal]
        if (offsets_s == before_s).all():
            break
    queueing = float(_cost_s(movements, offsets_s[None, :])[0]) / cycle_s
    chance = sum(_chance(move) for move in movements)
    pairs = zip(group, offsets_s.tolist(), strict=True)
    return [replace(timing, offset_s=offset_s) for timing, offset_s in pairs], queueing + chance


def _signals(movement: _Movement) -> Iterator[int]:
    yield movement.signal
    yield from (sender for sender, _ in movement.feeds)


def _chance(movement: _Movement) -> float:
    """Vehicles that queue because arrivals are random: Webster's x^2 / (2 (1 - x))."""
    arriving = movement.arriving + sum(float(profile.mean()) for _, profile in movement.feeds)
    degree = min(arriving / float(movement.service.mean()), FULL)
    return degree**2 / (2 * (1 - degree))


def _apart_s(timing: Timing, flows: SignalFlows) -> float:
    """What a signal on its own costs in each second (vehicles queueing)."""
    movements = _movements([timing], flows)
    queueing = float(_cost_s(movements, np.zeros((1, 1)))[0]) / timing.cycle_s
    return queueing + sum(_chance(move) for move in movements)
