"""Sensors as models: from who is truly on the approaches to who is believed to be there.

They know no simulation: a look comes in as ids and arrays, who is believed goes out as arrays, and what a sensor
remembers it keeps. Chance is a hash of the run's seed and the vehicle's id: every variant of a seed misses the
same ones. Who reports its position to the signals, as buses do, is believed to be there.

Links that share a lane are a *lane group* (Highway Capacity Manual). Cameras and loops know lanes, not where somebody
will turn: a vehicle is taken to want one of the links of its group, by the shares of those who have left so far.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from signals.movement import Link
from signals.sensing import Camera, Connected, Loops, Sensing

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

SPACE_M = 7.5
"""From front to front in a queue: a car and its gap."""
CAR_M = 5.0
CAR_HIGH_M = 1.5
HIDDEN_SHARE = 0.8
"""A camera does not tell a car from the one ahead where so much of its front is hidden."""
STANDING_MPS = 0.1
FIRST_M = 1.0
"""Where the first of a queue stands before the stop line."""
STOP_LOOP_M = 6.0
"""How far the loop at a stop line reaches back from it (presence loops are 6 ft by 20 ft and longer)."""
GAP_S = 4.0
"""A stop line with nobody on it for so long has no queue: counts that say otherwise are wrong, and begin anew."""
EARLY_S = 2.0
"""Who is reckoned to come so soon may be there already."""
SPEEDING_MPS2 = 2.6
SLACK_M = 5.0
"""What a vehicle may have come farther between two looks than its speed and acceleration tell."""


class Traffic(NamedTuple):
    """Vehicles on the approaches, truly: ids, and arrays of shape (vehicles,).

    ``row`` is the link that each wants, ``distance_m`` the way to its stop line. ``known`` are those that report their
    position to the signals themselves.
    """

    ids: Sequence[str]
    row: IntArray
    distance_m: FloatArray
    speed_mps: FloatArray
    known: BoolArray


class Believed(NamedTuple):
    """Vehicles as a sensor has them, arrays of shape (believed,).

    ``source`` is the place among the true ones, -1 for those that were inferred or counted. Where ``guessed``, the lane
    group alone is known, and the link was drawn.
    """

    row: IntArray
    distance_m: FloatArray
    speed_mps: FloatArray
    source: IntArray
    guessed: BoolArray


class Sensor(Protocol):
    """One kind of sensor at all approaches.

    Attributes
    ----------
    must_look
        Whether it needs to look every second, also when no signal may switch: it counts who passes.
    guesses
        Whether it may know of vehicles without knowing their turn.
    """

    must_look: bool
    guesses: bool

    @property
    def turn_share(self) -> FloatArray:
        """The share of its lane group that each link is taken to have, shape (links,)."""

    def believe(self, now_s: float, true: Traffic) -> Believed:
        """Who is believed to be there. Looks come in the order of time."""


@dataclass(frozen=True, slots=True, eq=False)
class LaneGroups:
    """Links that share lanes, together.

    Attributes
    ----------
    group
        Lane group of each link, shape (links,).
    links
        The links of each group.
    lanes
        How many lanes each group has.
    reach_m, free_mps
        How far upstream the approach of each group begins, and the speed that may be driven there, shape (groups,).
    """

    group: IntArray
    links: tuple[tuple[int, ...], ...]
    lanes: tuple[int, ...]
    reach_m: FloatArray
    free_mps: FloatArray


def lane_groups(links: Sequence[Link], reach_m: Sequence[float]) -> LaneGroups:
    """Put links together that share a lane, directly or by others.

    Parameters
    ----------
    reach_m
        How far upstream the approach of each link begins, shape (links,).
    """
    parts: list[tuple[set[int], list[int]]] = []
    for number, link in enumerate(links):
        lanes, members = set(link.from_lanes), [number]
        for part in [part for part in parts if part[0] & lanes]:
            parts.remove(part)
            lanes |= part[0]
            members += part[1]
        parts.append((lanes, members))
    parts.sort(key=lambda part: min(part[1]))
    group = np.empty(len(links), dtype=np.int64)
    for number, (_, members) in enumerate(parts):
        group[members] = number
    return LaneGroups(
        group=group,
        links=tuple(tuple(sorted(members)) for _, members in parts),
        lanes=tuple(max(len(lanes), 1) for lanes, _ in parts),
        reach_m=np.array([max(reach_m[each] for each in members) for _, members in parts], dtype=np.float64),
        free_mps=np.array([max(links[each].approach_mps for each in members) for _, members in parts]),
    )


def sensor_of(sensing: Sensing, groups: LaneGroups, seed: int) -> Sensor:
    """Make the sensor that a run's sensing asks for."""
    if isinstance(sensing, Connected):
        return ConnectedSensor(sensing, groups, seed)
    if isinstance(sensing, Camera):
        return CameraSensor(sensing, groups, seed)
    return LoopSensor(sensing, groups, seed)


@lru_cache(maxsize=1 << 17)
def chances(seed: int, place: int, name: str) -> tuple[float, float, float]:
    """Three numbers from 0 to below 1 that belong to a vehicle at a place, the same whenever they are asked for."""
    digest = blake2b(f"{seed}/{place}/{name}".encode(), digest_size=24).digest()
    first, second, third = (int.from_bytes(digest[at : at + 8]) >> 11 for at in range(0, 24, 8))
    return first * 2.0**-53, second * 2.0**-53, third * 2.0**-53


EVERYWHERE = -1
"""The place of chance that goes with a vehicle, not with a sensor."""


class _Turns:
    """Which link of their lane group vehicles are taken to want: drawn by the shares of those who have left.

    Each link begins with one. It is drawn anew at every look: what is believed wrongly of somebody who waits is not
    believed for long, and over some seconds each link has its share. ``share`` is that of each link, shape (links,).
    """

    def __init__(self, groups: LaneGroups, seed: int) -> None:
        self._groups = groups
        self._seed = seed
        self._left = np.ones(len(groups.group))
        self.share = self._left / np.bincount(groups.group)[groups.group]

    def count(self, passed: Iterable[tuple[str, int]]) -> None:
        """Learn from who has left by which link."""
        for _, row in passed:
            self._left[row] += 1
            links = list(self._groups.links[self._groups.group[row]])
            self.share[links] = self._left[links] / self._left[links].sum()

    def drawn(self, now_s: float, groups: Sequence[int]) -> list[int]:
        """A link for each vehicle of these lane groups."""
        chance = np.random.default_rng((self._seed, round(now_s * 1000))).random(len(groups)).tolist()
        return [self._link(group, each) for group, each in zip(groups, chance, strict=True)]

    def _link(self, group: int, chance: float) -> int:
        links = self._groups.links[group]
        if len(links) == 1:
            return links[0]
        upto = np.cumsum(self.share[list(links)])
        return links[int(np.searchsorted(upto, chance * upto[-1], side="right"))]


class _Passages:
    """Who has passed the stop line since the look before."""

    def __init__(self) -> None:
        self._before: dict[str, tuple[int, float, float]] = {}
        self._looked_s = math.inf

    def reach_m(self, now_s: float, speed_mps: float) -> float:
        """How far a vehicle may have come since the look before (m)."""
        elapsed_s = max(now_s - self._looked_s, 0.0)
        return (speed_mps + SPEEDING_MPS2 * elapsed_s) * elapsed_s + SLACK_M

    def since(self, now_s: float, true: Traffic) -> list[tuple[str, int]]:
        """Ids of those who have passed, each with its link, in their order; the look becomes the one before."""
        now = {
            name: (row, distance_m, speed_mps)
            for name, row, distance_m, speed_mps in zip(
                true.ids, true.row.tolist(), true.distance_m.tolist(), true.speed_mps.tolist(), strict=True
            )
        }
        passed = [
            (distance_m, name, row)
            for name, (row, distance_m, speed_mps) in self._before.items()
            if distance_m <= self.reach_m(now_s, speed_mps) and (name not in now or now[name][1] > distance_m + SLACK_M)
        ]
        self._before, self._looked_s = now, now_s
        return [(name, row) for _, name, row in sorted(passed)]

    def distance_before_m(self, name: str, distance_m: float, reach_m: float) -> float:
        """Way to the same stop line at the look before (m); infinity for who was not seen, or before another one."""
        before_m = self._before[name][1] if name in self._before else math.inf
        return before_m if -SLACK_M <= before_m - distance_m <= reach_m else math.inf


class ConnectedSensor:
    """Connected vehicles tell all; of the others is inferred what a queue up to a standing one must hold.

    Comert and Cetin, *Queue length prediction from probe vehicle location and the impacts of sample size*, European
    Journal of Operational Research 197 (2009): the last connected vehicle of a queue tells how long it is at least.
    Only one lane is taken to be full where a group has several.
    """

    must_look = False

    def __init__(self, sensing: Connected, groups: LaneGroups, seed: int) -> None:
        """Nobody has been seen yet."""
        self._sensing, self._groups, self._seed = sensing, groups, seed
        self._turns, self._passages = _Turns(groups, seed), _Passages()
        self.guesses = sensing.penetration < 1

    @property
    def turn_share(self) -> FloatArray:
        """Learnt from those who have left."""
        return self._turns.share

    def believe(self, now_s: float, true: Traffic) -> Believed:
        """Connected vehicles as they are, then those that are inferred."""
        if not self.guesses:
            everybody = np.arange(len(true.ids))
            return Believed(true.row, true.distance_m, true.speed_mps, everybody, np.zeros(len(true.ids), np.bool_))
        share = self._sensing.penetration
        tells = np.array([chances(self._seed, EVERYWHERE, name)[0] < share for name in true.ids], dtype=np.bool_)
        source = np.flatnonzero(tells | true.known)
        ids = [true.ids[each] for each in source.tolist()]
        seen = Traffic(ids, true.row[source], true.distance_m[source], true.speed_mps[source], true.known[source])
        self._turns.count(self._passages.since(now_s, seen))
        queued, distances_m = self._inferred(seen)
        rows = np.array(self._turns.drawn(now_s, queued), dtype=np.int64)
        return Believed(
            np.concatenate([seen.row, rows]),
            np.concatenate([seen.distance_m, distances_m]),
            np.concatenate([seen.speed_mps, np.zeros(len(rows))]),
            np.concatenate([source, np.full(len(rows), -1)]),
            np.arange(len(source) + len(rows)) >= len(source),
        )

    def _inferred(self, seen: Traffic) -> tuple[list[int], FloatArray]:
        """Lane groups and places of those who must stand before the last standing vehicle of a group."""
        found: list[tuple[int, float]] = []
        group = self._groups.group[seen.row]
        for each in np.unique(group[seen.speed_mps < STANDING_MPS]).tolist():
            ways_m = seen.distance_m[group == each]
            last_m = float(ways_m[seen.speed_mps[group == each] < STANDING_MPS].max())
            places_m = np.arange(FIRST_M, last_m - SPACE_M / 2, SPACE_M)
            found += [(each, way_m) for way_m in places_m.tolist() if np.abs(ways_m - way_m).min() > SPACE_M / 2]
        return [each for each, _ in found], np.array([way_m for _, way_m in found], dtype=np.float64)


class CameraSensor:
    """Cameras see who is near enough, is not overlooked, and is not hidden in a queue."""

    must_look = False
    guesses = True

    def __init__(self, sensing: Camera, groups: LaneGroups, seed: int) -> None:
        """Nobody has been seen yet."""
        self._sensing, self._groups, self._seed = sensing, groups, seed
        self._turns, self._passages = _Turns(groups, seed), _Passages()

    @property
    def turn_share(self) -> FloatArray:
        """Learnt from those who have left."""
        return self._turns.share

    def believe(self, now_s: float, true: Traffic) -> Believed:
        """Who is seen, and behind some of them one who is not there."""
        self._turns.count(self._passages.since(now_s, true))
        hidden = self.hidden(true)
        found: list[tuple[int, float, float, int]] = []
        group = self._groups.group[true.row].tolist()
        links = self._turns.drawn(now_s, group)
        for each, name in enumerate(true.ids):
            distance_m, speed_mps = float(true.distance_m[each]), float(true.speed_mps[each])
            if true.known[each]:
                found.append((int(true.row[each]), distance_m, speed_mps, each))
                continue
            missed, doubled, _ = chances(self._seed, group[each], name)
            if distance_m > self._sensing.range_m or hidden[each] or missed < self._sensing.miss:
                continue
            found.append((links[each], distance_m, speed_mps, each))
            if doubled < self._sensing.double and distance_m + SPACE_M <= self._sensing.range_m:
                found.append((links[each], distance_m + SPACE_M, speed_mps, -1))
        return _as_arrays(found, true.known)

    def hidden(self, true: Traffic) -> BoolArray:
        """Who is hidden by the car ahead on a lane of its own, shape (vehicles,).

        The line of sight over the rear of the car ahead, ``D`` from the camera, is ``g (h - v) / D`` below its roof
        when it has gone the gap ``g`` on, with the camera ``h`` and cars ``v`` high.
        """
        hidden = np.zeros(len(true.ids), dtype=np.bool_)
        group = self._groups.group[true.row]
        order = np.lexsort((true.distance_m, group))
        before, behind = order[:-1], order[1:]
        rear_m = true.distance_m[before] + CAR_M
        gap_m = true.distance_m[behind] - rear_m
        one_lane = np.array(self._groups.lanes)[group[behind]] == 1
        seen_m = gap_m * (self._sensing.mast_m - CAR_HIGH_M) / rear_m
        # who is beside another one, on an edge upstream, is behind nobody
        covered = (seen_m < (1 - HIDDEN_SHARE) * CAR_HIGH_M) & (gap_m >= 0)
        hidden[behind] = (group[before] == group[behind]) & one_lane & covered
        return hidden


@dataclass(slots=True)
class _Counted:
    """A vehicle that an advance loop has counted, or that only the loop at the stop line has felt."""

    name: str
    since_s: float


@dataclass(slots=True)
class _Counts:
    """What the loops of a lane group have told: who is between them, and since when nobody is at the stop line."""

    queue: list[_Counted]
    free_since_s: float


class LoopSensor:
    """Loops count into a queue and out of it; in between, vehicles are reckoned at the speed that may be driven.

    Counts drift with every vehicle that is missed, felt twice, or changes lane between the loops. Two things put them
    right, as in practice: who is felt at the stop line is there; where nobody is for :data:`GAP_S` there is no queue.
    """

    must_look = True
    guesses = True

    def __init__(self, sensing: Loops, groups: LaneGroups, seed: int) -> None:
        """All lanes are empty."""
        self._sensing, self._groups, self._seed = sensing, groups, seed
        self._turns, self._passages = _Turns(groups, seed), _Passages()
        advance_m = np.minimum(sensing.advance_m, groups.reach_m - SLACK_M)
        self.advance_m = np.where(advance_m > STOP_LOOP_M, advance_m, 0.0)
        """Where the advance loop of each group lies; 0 where there is no room for one, shape (groups,)."""
        self._counts = [_Counts([], -math.inf) for _ in groups.links]
        self._known: set[str] = set()
        self._stuck = [chances(seed, each, "loop")[0] < sensing.stuck for each in range(len(groups.links))]

    def most(self, group: int) -> int:
        """How many vehicles there is room for between the loops of a group."""
        return self._groups.lanes[group] * (int(self.advance_m[group] // SPACE_M) + 1)

    @property
    def turn_share(self) -> FloatArray:
        """Learnt from those who have left."""
        return self._turns.share

    def believe(self, now_s: float, true: Traffic) -> Believed:
        """Who was counted in and not yet out, where it is reckoned."""
        group = self._groups.group[true.row].tolist()
        entered = self._entered(now_s, true, group)
        passed = self._passages.since(now_s, true)
        known = {true.ids[each]: each for each in np.flatnonzero(true.known).tolist()}
        self._known |= known.keys()
        self._count_out(now_s, passed)
        for each in entered:
            self._count_in(now_s, true.ids[each], group[each], is_known=bool(true.known[each]))
        self._put_right(now_s, true, group)
        return self._reckoned(now_s, true, known)

    def _entered(self, now_s: float, true: Traffic, group: list[int]) -> list[int]:
        """Who has passed the advance loop since the look before, the nearest first."""
        found = []
        for each, name in enumerate(true.ids):
            distance_m, loop_m = float(true.distance_m[each]), float(self.advance_m[group[each]])
            if distance_m > loop_m:
                continue
            reach_m = self._passages.reach_m(now_s, float(true.speed_mps[each]))
            before_m = self._passages.distance_before_m(name, distance_m, reach_m)
            if before_m > loop_m and loop_m - distance_m <= reach_m:
                found.append((distance_m, name, each))
        return [each for _, _, each in sorted(found)]

    def _count_in(self, now_s: float, name: str, group: int, *, is_known: bool) -> None:
        missed, doubled, _ = chances(self._seed, group, name)
        if missed < self._sensing.miss and not is_known:
            return
        queue = self._counts[group].queue
        for _ in range(2 if doubled < self._sensing.double else 1):
            if len(queue) < self.most(group):
                queue.append(_Counted(name, now_s))

    def _count_out(self, now_s: float, passed: list[tuple[str, int]]) -> None:
        """Take the first of the queue out for each who is felt to pass the stop line; who is known tells itself."""
        self._turns.count(passed)
        for name, row in passed:
            group = int(self._groups.group[row])
            counts = self._counts[group]
            if name in self._known:
                counts.queue = [one for one in counts.queue if one.name != name]
            elif chances(self._seed, group, name)[2] >= self._sensing.miss:
                counts.free_since_s = now_s
                del counts.queue[:1]

    def _put_right(self, now_s: float, true: Traffic, group: list[int]) -> None:
        """Hold the counts against who is felt at the stop line."""
        at_line: dict[int, str] = {each: "loop" for each, stuck in enumerate(self._stuck) if stuck}
        for each, name in enumerate(true.ids):
            felt = chances(self._seed, group[each], name)[2] >= self._sensing.miss
            if felt and true.distance_m[each] <= STOP_LOOP_M:
                at_line[group[each]] = name
        for number, counts in enumerate(self._counts):
            way_s = float(self.advance_m[number] / max(self._groups.free_mps[number], 1.0))
            if number in at_line:
                counts.free_since_s = now_s
                self._put_first(number, at_line[number], now_s - way_s)
            elif now_s - counts.free_since_s >= GAP_S:
                counts.queue = [one for one in counts.queue if one.since_s + way_s + GAP_S > now_s]

    def _put_first(self, group: int, name: str, since_s: float) -> None:
        """Who is felt at the stop line is the first of the queue, if that one may be there by now, else uncounted."""
        queue = self._counts[group].queue
        if queue and queue[0].since_s <= since_s + EARLY_S:
            queue[0].since_s = min(queue[0].since_s, since_s)
            return
        queue.insert(0, _Counted(name, since_s))
        del queue[self.most(group) :]

    def _reckoned(self, now_s: float, true: Traffic, known: dict[str, int]) -> Believed:
        """The queues as vehicles; those whose position is known stand where they are, and once only."""
        found = [
            (int(true.row[each]), float(true.distance_m[each]), float(true.speed_mps[each]), each)
            for each in known.values()
        ]
        waiting = [number for number, counts in enumerate(self._counts) for _ in counts.queue]
        links = iter(self._turns.drawn(now_s, waiting))
        for number, counts in enumerate(self._counts):
            free_mps, lanes = float(self._groups.free_mps[number]), self._groups.lanes[number]
            for rank, one in enumerate(counts.queue):
                place_m = FIRST_M + SPACE_M * (rank // lanes)
                way_m = float(self.advance_m[number]) - free_mps * (now_s - one.since_s)
                link = next(links)
                if one.name not in known:
                    stands = way_m <= place_m
                    found.append((link, max(way_m, place_m), 0.0 if stands else free_mps, -1))
        return _as_arrays(found, true.known)


def _as_arrays(found: list[tuple[int, float, float, int]], known: BoolArray) -> Believed:
    """Vehicles as arrays; of those who are known the link is known too."""
    return Believed(
        np.array([row for row, _, _, _ in found], dtype=np.int64),
        np.array([distance_m for _, distance_m, _, _ in found], dtype=np.float64),
        np.array([speed_mps for _, _, speed_mps, _ in found], dtype=np.float64),
        np.array([source for _, _, _, source in found], dtype=np.int64),
        np.array([source < 0 or not known[source] for _, _, _, source in found], dtype=np.bool_),
    )
