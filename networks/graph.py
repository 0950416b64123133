"""The road as a graph: a networkx view of junctions and streets, and a router that knows which turns exist."""

from collections.abc import Iterator
from dataclasses import dataclass

import networkx as nx
import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, dijkstra

from networks.network import CLASS_BIT, NONE, FloatArray, IntArray, RoadNetwork

BATCH_CELLS = 4_000_000
"""Cells of one batch's cost matrix (origins x edges): bounds the memory of many origins to some 50 MB."""

BoolArray = npt.NDArray[np.bool_]


def to_networkx(network: RoadNetwork, vehicle_class: str = "passenger") -> nx.MultiDiGraph:
    """Junctions and the edges between them that a vehicle class may use, as a networkx graph.

    Nodes are junction ids with ``x_m``, ``y_m``; edges are keyed by edge id with ``length_m``, ``speed_mps``,
    ``travel_time_s`` and ``name``. Turns that a junction does not allow are not in it: :class:`Router` knows them.
    """
    graph = nx.MultiDiGraph()
    junctions, edges = network.junctions, network.edges
    rows = np.flatnonzero(network.edges_for(vehicle_class)).tolist()
    ends = {end for row in rows for end in (int(edges.from_junction[row]), int(edges.to_junction[row]))}
    for row in sorted(ends):
        graph.add_node(junctions.ids[row], x_m=float(junctions.x_m[row]), y_m=float(junctions.y_m[row]))
    for row in rows:
        length_m, speed_mps = float(network.edge_length_m[row]), float(network.edge_speed_mps[row])
        graph.add_edge(
            junctions.ids[edges.from_junction[row]],
            junctions.ids[edges.to_junction[row]],
            key=edges.ids[row],
            length_m=length_m,
            speed_mps=speed_mps,
            travel_time_s=length_m / speed_mps,
            name=edges.names[row],
        )
    return graph


@dataclass(frozen=True, eq=False)
class Router:
    """Fastest paths from edge to edge over the turns that a vehicle class may make. Build one with :func:`router`.

    A node of its graph is an edge of the network, an arc a turn; entering an edge costs its free travel time, and the
    edge that a path starts on costs nothing.

    Attributes
    ----------
    edges
        Network row of each node, ascending, shape (nodes,).
    node_of_edge
        Node of each network row, NONE where the class may not drive, shape (edges,).
    travel_time_s
        Free travel time of each node's edge, shape (nodes,).
    turn_start, turn_to
        Compressed rows: the turns of node ``n`` lead to ``turn_to[turn_start[n]:turn_start[n + 1]]``.
    """

    edges: IntArray
    node_of_edge: IntArray
    travel_time_s: FloatArray
    turn_start: IntArray
    turn_to: IntArray

    @property
    def turn_from(self) -> IntArray:
        """Node that each turn leaves, shape (turns,)."""
        return np.repeat(np.arange(len(self.edges), dtype=np.int32), np.diff(self.turn_start))

    def trees(self, origins: IntArray, cost_s: FloatArray | None = None) -> "Trees":
        """Cheapest paths from each of some edges to everywhere.

        Parameters
        ----------
        origins
            Network rows of edges that the class may use, shape (origins,).
        cost_s
            Cost of entering each node's edge, shape (nodes,), above zero; the free travel time by default.
        """
        size = len(self.edges)
        cost_s = self.travel_time_s if cost_s is None else cost_s
        graph = csr_array((cost_s[self.turn_to], self.turn_to, self.turn_start), shape=(size, size))
        sources = self.node_of_edge[origins]
        _refuse_closed(sources)
        found_s, before = dijkstra(graph, indices=sources, return_predecessors=True)
        return Trees(router=self, sources=sources, cost_s=found_s, before=before)

    def paths(self, origins: IntArray, destinations: IntArray, cost_s: FloatArray | None = None) -> list[IntArray]:
        """Cheapest path for each pair of an origin and a destination edge, shapes (pairs,).

        Origins that repeat are searched once. Paths are as those of :meth:`Trees.paths`.
        """
        found: list[IntArray] = [_NO_PATH] * len(origins)
        searched, inverse = np.unique(origins, return_inverse=True)
        row_of_pair = inverse.astype(np.int32)
        for batch in self.batches(len(searched)):
            pairs = np.flatnonzero((row_of_pair >= batch.start) & (row_of_pair < batch.stop))
            trees = self.trees(searched[batch], cost_s)
            paths = trees.paths(row_of_pair[pairs] - batch.start, destinations[pairs])
            for pair, path in zip(pairs.tolist(), paths, strict=True):
                found[pair] = path
        return found

    def batches(self, origins: int) -> Iterator[slice]:
        """Cut a count of origins into pieces whose trees fit into memory together."""
        size = max(1, BATCH_CELLS // len(self.edges))
        for start in range(0, origins, size):
            yield slice(start, min(start + size, origins))

    def connected_part(self) -> BoolArray:
        """Mask of the largest set of edges that hang together, directions aside, shape (network edges,)."""
        size = len(self.edges)
        graph = csr_array((np.ones(len(self.turn_to)), self.turn_to, self.turn_start), shape=(size, size))
        _, part = connected_components(graph, directed=False)
        mask = np.zeros(len(self.node_of_edge), dtype=np.bool_)
        mask[self.edges[part == np.bincount(part).argmax()]] = True
        return mask


@dataclass(frozen=True, eq=False)
class Trees:
    """Cheapest paths from some edges to everywhere, a row an origin. Made by :meth:`Router.trees`.

    Attributes
    ----------
    sources
        Node of each origin, shape (origins,).
    cost_s
        Cost of reaching each node, infinite where no path leads, shape (origins, nodes).
    before
        Node from which each node is reached, negative at the source and where no path leads, shape (origins, nodes).
    """

    router: Router
    sources: IntArray
    cost_s: FloatArray
    before: IntArray

    def paths(self, rows: IntArray, destinations: IntArray) -> list[IntArray]:
        """Path from the origin of each of some rows of these trees to an edge, shapes (pairs,).

        Returns
        -------
        list[IntArray]
            Network rows from the origin to the destination, both included; empty where no path leads.
        """
        targets = self.router.node_of_edge[destinations]
        _refuse_closed(targets)
        sources, here = self.sources[rows], targets
        steps, walking = [targets], here != sources
        while walking.any():
            here = np.where(walking, self.before[rows, np.maximum(here, 0)], here)
            steps.append(here)
            walking = (here != sources) & (here >= 0)
        walks = np.column_stack(steps)
        return [self._forwards(walk, source) for walk, source in zip(walks, sources, strict=True)]

    def _forwards(self, walk: IntArray, source: int) -> IntArray:
        """A walk back, padded by repeating its end, as a path; empty where it fell off before the source."""
        if walk[-1] != source:
            return _NO_PATH
        return self.router.edges[walk[: int(np.argmax(walk == source)) + 1][::-1]]


_NO_PATH: IntArray = np.empty(0, dtype=np.int32)


def _refuse_closed(nodes: IntArray) -> None:
    if (nodes == NONE).any():
        raise ValueError("an origin or destination edge is closed to the vehicle class")


def router(network: RoadNetwork, vehicle_class: str = "passenger") -> Router:
    """Build the router of a vehicle class: an arc wherever a connection's lanes all admit the class."""
    usable = network.edges_for(vehicle_class)
    edges = np.flatnonzero(usable).astype(np.int32)
    node_of_edge = np.full(len(usable), NONE, dtype=np.int32)
    node_of_edge[edges] = np.arange(len(edges), dtype=np.int32)
    turns = node_of_edge[_turns(network, vehicle_class)]
    counts = np.bincount(turns[:, 0], minlength=len(edges))
    return Router(
        edges=edges,
        node_of_edge=node_of_edge,
        travel_time_s=(network.edge_length_m / network.edge_speed_mps)[edges],
        turn_start=np.concatenate(([0], np.cumsum(counts))).astype(np.int32),
        turn_to=np.ascontiguousarray(turns[:, 1]),
    )


def _turns(network: RoadNetwork, vehicle_class: str) -> IntArray:
    """Pairs of edges (from, to) that the class can pass between, sorted, each once, shape (turns, 2)."""
    usable, connections = network.edges_for(vehicle_class), network.connections
    admits = np.append(network.lanes.permissions & CLASS_BIT[vehicle_class] != 0, [True])  # row NONE is the last
    begins, ends = network.connection_from_edge, network.connection_to_edge
    passable = usable[begins] & usable[ends]
    for lane in (connections.from_lane, connections.to_lane, connections.via_lane):
        passable &= admits[lane]
    return np.unique(np.column_stack((begins[passable], ends[passable])), axis=0)
