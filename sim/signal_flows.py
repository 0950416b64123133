"""Traffic through the signals of a network in the busiest hour of its route files."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from networks.faults import InputError
from networks.network import NONE, EdgeKind, RoadNetwork
from signals.flows import MovementFlow, SignalFlows, Stream
from signals.movement import inner_lanes
from sim.journeys import Journey, driven_ways, read_journeys
from sim.times import DAY_S, HOUR_S

SEARCH_STEP_S = 300.0
LEAST_SPAN_S = 900.0
"""Traffic engineering takes no rate over less than a quarter of an hour (Highway Capacity Manual, 6th ed., ch. 4)."""

QUEUE_M = 30.0
"""Stop-line lanes shorter than this (four cars) do not keep those who turn out of the way of the others."""

Turn = tuple[int, int]
"""Edge left and edge entered (network rows)."""


def signal_flows(
    network: RoadNetwork, routes: Sequence[Path], begin_s: float | None = None, end_s: float | None = None
) -> SignalFlows:
    """Vehicles per hour of every movement under a signal, by departure in the demand's busiest hour.

    Demand shorter than an hour gives its rate over its own length, of a quarter of an hour at least where no begin and
    end are given. Trips take the fastest path on free streets, as SUMO's do at their departure.

    Parameters
    ----------
    routes
        Route files that were checked (:func:`sim.route_files.read_route_files`).
    begin_s, end_s
        What is simulated, where that is known; only departures in it count.

    Raises
    ------
    InputError
        ROUTE_EMPTY where nobody departs in that time.
    """
    journeys = read_journeys(routes, begin_s or 0.0, DAY_S if end_s is None else end_s)
    span = _busiest(journeys, begin_s, end_s)
    counted = [(journey, journey.departing(*span)) for journey in journeys]
    ways = dict(driven_ways(network, [(journey, number) for journey, number in counted if number > 0]))
    return _Passages(network).flows(ways, *span)


def _busiest(journeys: Sequence[Journey], begin_s: float | None, end_s: float | None) -> tuple[float, float]:
    """The hour in which most depart: begin and end (s)."""
    firsts = [journey.begin_s for journey in journeys if journey.vehicles > 0]
    lasts = [max(journey.end_s, journey.begin_s + 1.0) for journey in journeys if journey.vehicles > 0]
    if not firsts:
        raise InputError("ROUTE_EMPTY", "no vehicle, trip or flow in the route files", remedy="Add some")
    first_s = min(firsts) if begin_s is None else begin_s
    last_s = max(*lasts, first_s + LEAST_SPAN_S) if end_s is None else end_s
    hour_s = min(HOUR_S, last_s - first_s)
    starts_s = np.arange(first_s, last_s - hour_s + SEARCH_STEP_S / 2, SEARCH_STEP_S)
    departing = [sum(journey.departing(start_s, start_s + hour_s) for journey in journeys) for start_s in starts_s]
    best_s = float(starts_s[int(np.argmax(departing))])
    if not max(departing) > 0:
        raise InputError("ROUTE_EMPTY", "nobody departs in the time simulated", remedy="Check begin and end")
    return best_s, best_s + hour_s


@dataclass(frozen=True, slots=True)
class _Turn:
    """What a turn means to a vehicle: the movement under a signal, if any, and the time inside the junction (s)."""

    movement: tuple[int, tuple[int, ...]] | None
    inside_s: float


class _Passages:
    """Which signals ways pass, and in which time."""

    def __init__(self, network: RoadNetwork) -> None:
        self._network = network
        self._edge_s = network.edge_length_m / network.edge_speed_mps
        self._turns = _turns(network)

    def flows(self, ways: dict[tuple[int, ...], float], begin_s: float, end_s: float) -> SignalFlows:
        per_hour = HOUR_S / (end_s - begin_s)
        movements: dict[tuple[int, tuple[int, ...]], float] = defaultdict(float)
        joint: dict[tuple[tuple[int, tuple[int, ...]], tuple[int, tuple[int, ...]]], list[float]] = defaultdict(
            lambda: [0.0, 0.0]
        )
        for way, vehicles in ways.items():
            passed = self._passed(way)
            for movement, _ in passed:
                movements[movement] += vehicles * per_hour
            for (before, from_s), (after, to_s) in pairwise(passed):
                joint[before, after][0] += vehicles * per_hour
                joint[before, after][1] += vehicles * per_hour * (to_s - from_s)
        order = {movement: number for number, movement in enumerate(sorted(movements))}
        signals = self._network.signals
        return SignalFlows(
            movements=tuple(
                MovementFlow(signals[signal].signal_id, links, movements[signal, links]) for signal, links in order
            ),
            streams=tuple(
                Stream(order[before], order[after], flow, weighed_s / flow)
                for (before, after), (flow, weighed_s) in sorted(joint.items())
            ),
            begin_s=begin_s,
            end_s=end_s,
            unplaced=ways.get((), 0.0),
            queue_lanes=_queue_lanes(self._network, ways),
        )

    def _passed(self, way: tuple[int, ...]) -> list[tuple[tuple[int, tuple[int, ...]], float]]:
        """Movements of a way in turn, each with the time at its stop line on free streets (s)."""
        passed = []
        time_s = 0.0
        for edge, after in pairwise(way):
            time_s += float(self._edge_s[edge])
            turn = self._turns.get((edge, after))
            if turn is not None and turn.movement is not None:
                passed.append((turn.movement, time_s))
            time_s += turn.inside_s if turn else 0.0
        return passed


def _turns(network: RoadNetwork) -> dict[Turn, _Turn]:
    """What each turn between normal edges means; the first signal of a turn counts."""
    links: dict[Turn, dict[int, set[int]]] = defaultdict(lambda: defaultdict(set))
    inside_s: dict[Turn, float] = {}
    lanes, table = network.lanes, network.connections
    for row in range(len(table)):
        turn = int(network.connection_from_edge[row]), int(network.connection_to_edge[row])
        if (network.edges.kind[list(turn)] != EdgeKind.NORMAL).any():
            continue
        within = inner_lanes(network, row)
        inside_s[turn] = float(sum(lanes.length_m[lane] / lanes.speed_mps[lane] for lane in within))
        if table.signal[row] != NONE:
            links[turn][int(table.signal[row])].add(int(table.link[row]))
    return {turn: _Turn(_movement(links.get(turn)), inside_s[turn]) for turn in inside_s}


def _movement(found: dict[int, set[int]] | None) -> tuple[int, tuple[int, ...]] | None:
    if not found:
        return None
    signal = min(found)
    return signal, tuple(sorted(found[signal]))


def _queue_lanes(network: RoadNetwork, ways: Iterable[tuple[int, ...]]) -> dict[int, int]:
    """Lanes at stop lines that are too short for a queue, and the lane on which it stands.

    That is the lane upstream from which alone they are entered. Lanes between which vehicles must change are one.
    """
    into: dict[int, list[int]] = defaultdict(list)
    table = network.connections
    for row, (lane, after) in enumerate(zip(table.from_lane.tolist(), table.to_lane.tolist(), strict=True)):
        if network.edges.kind[network.lanes.edge[lane]] == EdgeKind.NORMAL:
            into[after].append(row)
    stops = sorted(set(table.from_lane[table.signal != NONE].tolist()))
    found = {lane: _queue_lane(network, into, lane) for lane in stops}
    for joined in _changed_between(network, ways):
        queues = {found[lane] for lane in joined & found.keys()}
        found |= {lane: min(queues) for lane, queue in found.items() if queue in queues}
    return {lane: queue for lane, queue in found.items() if queue != lane}


def _changed_between(network: RoadNetwork, ways: Iterable[tuple[int, ...]]) -> list[set[int]]:
    """Lanes of short edges between which vehicles must change: entered on some, left from others."""
    entered: dict[Turn, set[int]] = defaultdict(set)
    left: dict[Turn, set[int]] = defaultdict(set)
    table = network.connections
    turns = zip(network.connection_from_edge.tolist(), network.connection_to_edge.tolist(), strict=True)
    for turn, lane, after in zip(turns, table.from_lane.tolist(), table.to_lane.tolist(), strict=True):
        left[turn].add(lane)
        entered[turn].add(after)
    short = network.edge_length_m < QUEUE_M
    steps = {step for way in ways for step in zip(way, way[1:], way[2:], strict=False) if short[step[1]]}
    pairs = [(entered[edges[:2]], left[edges[1:]]) for edges in sorted(steps)]
    return [before | after for before, after in pairs if not before & after]


def _queue_lane(network: RoadNetwork, into: dict[int, list[int]], lane: int) -> int:
    """The lane upstream from which alone a lane is entered, as far as a queue reaches and no signal is passed."""
    length_m = float(network.lanes.length_m[lane])
    while length_m < QUEUE_M and len(into[lane]) == 1 and network.connections.signal[into[lane][0]] == NONE:
        lane = int(network.connections.from_lane[into[lane][0]])
        length_m += float(network.lanes.length_m[lane])
    return lane
