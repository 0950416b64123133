"""Which vehicles come to the signals that are watched, and to which link of them next.

SUMO tells for each vehicle, but looks far ahead for it: that costs eight times what a position does. So it is asked
when a vehicle has come to another lane; on the same one it only gets nearer. Who is far off is not asked before it can
be near.
"""

import math
from collections.abc import Container, Mapping, Sequence
from typing import Any, NamedTuple

FASTER_THAN_LIMIT = 1.5
"""Nobody drives faster than this times the highest limit of the network: who is far from a signal is not asked again
before that brings it near."""
LOOK_AGAIN_S = 30.0
"""Who comes to no signal of ours, or stays on its lane, is asked again after this: routes may change."""
FORGET_ABOVE = 1000
"""So many more vehicles than twice those that run may be remembered, before those that have gone are forgotten."""


class Near(NamedTuple):
    """Vehicles within range of a signal, one after another: ids, rows of the links, ways to the stop line, speeds."""

    ids: list[str]
    rows: list[int]
    distances_m: list[float]
    speeds_mps: list[float]


class _Ahead(NamedTuple):
    """What lies ahead of a vehicle on a lane: the row of the link, and the way to its stop line from the lane's begin.

    It holds until a time.
    """

    lane: str
    row: int
    line_m: float
    until_s: float


class NextLinks:
    """Asks SUMO which link each vehicle comes to next, look by look."""

    def __init__(
        self,
        api: Any,
        first: Mapping[str, int],
        range_m: float,
        limit_mps: float,
        stopping: Container[str] = frozenset(),
    ) -> None:
        """Start with nobody.

        Parameters
        ----------
        first
            Row of the first link of each signal.
        limit_mps
            The highest limit of the network.
        stopping
            Vehicles that have stops to make: what they come to may change on a lane, so they are always asked.
        """
        self._vehicle = api.vehicle
        self._first = first
        self._range_m = range_m
        self._fastest_mps = FASTER_THAN_LIMIT * limit_mps
        self._stopping = stopping
        self._rests_until_s: dict[str, float] = {}
        self._ahead: dict[str, _Ahead] = {}

    def look(self, now_s: float) -> Near:
        """Who comes to one of the signals next and is within range."""
        lane_of, place_of, speed_of = self._vehicle.getLaneID, self._vehicle.getLanePosition, self._vehicle.getSpeed
        rests_until_s, ahead, range_m = self._rests_until_s, self._ahead, self._range_m
        near = Near([], [], [], [])
        ids, rows, distances_m, speeds_mps = near
        running = self._vehicle.getIDList()
        for name in [name for name in running if rests_until_s.get(name, now_s) <= now_s]:
            lane, known = lane_of(name), ahead.get(name)
            if known is not None and known.lane == lane and now_s < known.until_s:
                row, distance_m = known.row, known.line_m - place_of(name)
            else:
                row, distance_m = self._ask(name, lane, now_s)
            if distance_m <= range_m:
                ids.append(name)
                rows.append(row)
                distances_m.append(distance_m)
                speeds_mps.append(speed_of(name))
        self._forget(running)
        return near

    def _ask(self, name: str, lane: str, now_s: float) -> tuple[int, float]:
        """The link that a vehicle comes to next and the way there (m), infinity where it is not near one."""
        signals = self._vehicle.getNextTLS(name)
        if not signals or signals[0][0] not in self._first or signals[0][2] > self._range_m:
            self._rests_until_s[name] = now_s + self._rest_s(signals)
            return -1, math.inf
        signal_id, link, distance_m, _ = signals[0]
        row = self._first[signal_id] + link
        if name not in self._stopping:
            line_m = distance_m + self._vehicle.getLanePosition(name)
            self._ahead[name] = _Ahead(lane, row, line_m, now_s + LOOK_AGAIN_S)
        return row, distance_m

    def _rest_s(self, ahead: Sequence[tuple[str, int, float, str]]) -> float:
        """How long a vehicle cannot come within range of a signal of ours (s), by the signals on its way."""
        for signal_id, _, distance_m, _ in ahead:
            if signal_id in self._first:
                return min(max((distance_m - self._range_m) / self._fastest_mps, 0.0), LOOK_AGAIN_S)
        return LOOK_AGAIN_S

    def _forget(self, running: Sequence[str]) -> None:
        """Drop who has gone, now and then."""
        if len(self._rests_until_s) + len(self._ahead) > 2 * len(running) + FORGET_ABOVE:
            here = frozenset(running)
            self._rests_until_s = {name: rest for name, rest in self._rests_until_s.items() if name in here}
            self._ahead = {name: known for name, known in self._ahead.items() if name in here}
