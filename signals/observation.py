"""What a controller sees: for each link of its signal, who wants it and whether there is room behind it."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from networks.network import NONE, EdgeKind, RoadNetwork
from signals.approaching import NOBODY, Approaching
from signals.movement import signal_links

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


class Look(NamedTuple):
    """One look at all signals, from which each gets its :class:`Observation`.

    ``who`` are the vehicles; arrays of shape (links,) hold the links of all signals: ``vehicles``, ``halted``,
    ``nearest_m``, ``closeness``, ``ahead``, ``blocked``, ``bus_lateness_s`` as there.
    """

    time_s: float
    who: Approaching
    vehicles: FloatArray
    halted: FloatArray
    nearest_m: FloatArray
    closeness: FloatArray
    ahead: FloatArray
    blocked: BoolArray
    bus_lateness_s: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Observation:
    """One look at one signal. Arrays have shape (links,).

    ``vehicles`` want the link and are within range of its stop line; people who walk, whom nobody counts, are one.
    ``halted`` of them stand, ``nearest_m`` is the distance of the first (infinity without any). ``closeness`` counts
    each vehicle as 1 at the stop line, less farther off, and 0 at the end of the range. ``ahead`` is how many vehicles
    a lane holds behind the junction on the way to the next signal, NaN for a controller that does not look there
    (:class:`signals.controller.ControllerKind`); ``blocked`` is whether there is no room behind it.
    ``bus_lateness_s`` is how late the latest of the timetabled vehicles among them is, NaN without one.
    Where sensors know lanes and not turns, ``vehicles`` are whole ones drawn for the link at this look, ``halted`` and
    ``closeness`` what is to be expected. ``stage`` has been green for ``green_s``.
    ``approaching`` are the same vehicles one by one.
    """

    time_s: float
    stage: int
    green_s: float
    vehicles: FloatArray
    halted: FloatArray
    nearest_m: FloatArray
    closeness: FloatArray
    ahead: FloatArray
    blocked: BoolArray
    bus_lateness_s: FloatArray
    approaching: Approaching = NOBODY

    @property
    def demand(self) -> BoolArray:
        """Links that somebody wants, shape (links,)."""
        return self.vehicles > 0


def observe(look: Look, links: slice, stage: int, green_s: float) -> Observation:
    """What one signal sees of a look: its own rows of links."""
    return Observation(
        time_s=look.time_s,
        stage=stage,
        green_s=green_s,
        vehicles=look.vehicles[links],
        halted=look.halted[links],
        nearest_m=look.nearest_m[links],
        closeness=look.closeness[links],
        ahead=look.ahead[links],
        blocked=look.blocked[links],
        bus_lateness_s=look.bus_lateness_s[links],
        approaching=look.who._replace(first=links.start),
    )


def approach_edges(network: RoadNetwork, edges: frozenset[int], range_m: float) -> dict[int, float]:
    """The given edges and those upstream within the range, each with the way from its end to a stop line (m).

    The trace ends at another signal.
    """
    ends_m = dict.fromkeys(edges, 0.0)
    waiting = sorted(edges)
    while waiting:
        edge = waiting.pop()
        begins_m = ends_m[edge] + float(network.edge_length_m[edge])
        if begins_m >= range_m:
            continue
        for before in _sources(network, edge):
            if begins_m < ends_m.get(before, np.inf):
                ends_m[before] = begins_m
                waiting.append(before)
    return ends_m


def departure_edges(network: RoadNetwork, edge: int, range_m: float) -> tuple[int, ...]:
    """An edge behind a junction and what continues it: until a choice of ways, a signal, or ``range_m``."""
    chain, length_m = [edge], float(network.edge_length_m[edge])
    while length_m < range_m:
        onward = _onward(network, chain[-1])
        if onward is None or onward in chain:
            break
        chain.append(onward)
        length_m += float(network.edge_length_m[onward])
    return tuple(chain)


def stop_edges(network: RoadNetwork, signal: int) -> frozenset[int]:
    """Edges that end at the stop lines of a signal, walking areas left out."""
    lanes = {lane for link in signal_links(network, signal) for lane in link.from_lanes}
    edges = {int(network.lanes.edge[lane]) for lane in lanes}
    return frozenset(edge for edge in edges if network.edges.kind[edge] == EdgeKind.NORMAL)


def _onward(network: RoadNetwork, edge: int) -> int | None:
    """The only edge that vehicles go on to; None at a choice, a signal or an end. Pavements lead to walking areas."""
    rows = network.connection_order[list(network.connections_from(edge))]
    rows = rows[network.edges.kind[network.connection_to_edge[rows]] == EdgeKind.NORMAL]
    targets = {int(target) for target in network.connection_to_edge[rows]}
    signalled = bool((network.connections.signal[rows] >= 0).any())
    return targets.pop() if len(targets) == 1 and not signalled else None


def _sources(network: RoadNetwork, edge: int) -> list[int]:
    """Normal edges that lead into an edge without passing a signal: what waits before one is that signal's."""
    incoming = network.incoming_edges(int(network.edges.from_junction[edge]))
    return [int(before) for before in incoming if edge in _free_followers(network, int(before))]


def _free_followers(network: RoadNetwork, edge: int) -> set[int]:
    """Edges that follow an edge by a connection that no signal controls."""
    rows = network.connection_order[list(network.connections_from(edge))]
    free = rows[network.connections.signal[rows] == NONE]
    return {int(follower) for follower in network.connection_to_edge[free]}
