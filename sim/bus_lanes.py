"""On which lane a vehicle can be on its way along a path: each turn is made from some lanes only.

A lane counts as good for the way ahead where the next turn starts from it, or from one that the vehicle can change to
before the edge ends; lanes of the next edge are judged first, so that short edges between turns are seen through.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from networks.network import CLASS_BIT, IntArray, RoadNetwork

CHANGE_M = 25.0
"""Way that one change of lane takes."""

Lanes = frozenset[int]
"""Lanes of an edge by their number from the right."""


@dataclass(frozen=True, eq=False)
class BusLanes:
    """Lanes and turns of a network that a vehicle class may use."""

    network: RoadNetwork
    vehicle_class: str

    @cached_property
    def _admits(self) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        return np.asarray(self.network.lanes.permissions & CLASS_BIT[self.vehicle_class] != 0)

    def usable(self, edge: int) -> Lanes:
        """Lanes that the class may use."""
        lanes = self.network.lanes_of(edge)
        return frozenset(lane - lanes.start for lane in lanes if self._admits[lane])

    def turns(self, edge: int, following: int) -> tuple[tuple[int, int], ...]:
        """Turns from an edge into the following one: numbers of both lanes."""
        network, connections = self.network, self.network.connections
        rows = network.connection_order[list(network.connections_from(edge))]
        first, target = network.lanes_of(edge).start, network.lanes_of(following).start
        return tuple(
            (int(connections.from_lane[row]) - first, int(connections.to_lane[row]) - target)
            for row in rows.tolist()
            if network.connection_to_edge[row] == following
            and self._admits[connections.from_lane[row]]
            and self._admits[connections.to_lane[row]]
        )

    def leading_on(self, edges: Sequence[int] | IntArray) -> list[Lanes]:
        """For each edge of a path the lanes to be on at its end; every usable lane at the last one."""
        path = [int(edge) for edge in edges]
        lanes = [self.usable(path[-1])]
        for edge, following in zip(path[-2::-1], path[:0:-1], strict=True):
            turns = self.turns(edge, following)
            reach = int(float(self.network.edge_length_m[following]) // CHANGE_M)
            good = [begin for begin, end in turns if changes(end, lanes[-1]) <= reach]
            lanes.append(frozenset(good or [begin for begin, _ in turns]))
        return lanes[::-1]

    def entered(self, edges: Sequence[int] | IntArray) -> list[Lanes]:
        """For each edge of a path the lanes on which it is entered; every usable lane at the first one."""
        path = [int(edge) for edge in edges]
        into = (frozenset(end for _, end in self.turns(edge, following)) for edge, following in pairwise(path))
        return [self.usable(path[0]), *into]

    def can_leave(self, lane: int, at_m: float, edges: IntArray) -> bool:
        """Whether a vehicle on a lane at a place of a path's first edge can get to the next edge."""
        leading = frozenset(begin for begin, _ in self.turns(int(edges[0]), int(edges[1])))
        return changes(lane, leading) * CHANGE_M <= float(self.network.edge_length_m[edges[0]]) - at_m

    def can_reach(self, lane: int, at_m: float, edges: IntArray) -> bool:
        """Whether a vehicle that comes onto a path's last edge can be on a lane by a place there."""
        entered = frozenset(end for _, end in self.turns(int(edges[-2]), int(edges[-1])))
        return changes(lane, entered) * CHANGE_M <= at_m


def changes(lane: int, lanes: Lanes) -> int:
    """Changes of lane from one to the nearest of some; none where there are none to go to."""
    return min((abs(lane - other) for other in lanes), default=0)
