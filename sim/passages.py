"""When vehicles came to each movement of the measured signals, and when they were through.

SUMO writes for each vehicle when it left each edge of its route (``vehroute-output`` with exit times). That costs next
to nothing while it simulates, tells turns apart on lanes that they share, and holds for every junction at once.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from networks.intake import Attributes, parse_xml
from networks.network import EdgeKind, RoadNetwork
from signals.movement import inner_lanes
from sim.movements import Movement, movement_approaches

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

SLOWER = 1.05
"""A type of vehicle whose free time is longer than the limits allow by more than this factor cannot drive so fast."""

SAMPLE = 50
"""So many vehicles of a type tell whether it can."""


@dataclass(frozen=True, slots=True, eq=False)
class Passages:
    """One entry each time a vehicle came onto the approach of a movement, shape (passages,) each, in order of entry.

    Attributes
    ----------
    movement
        Position among the movements asked for.
    vehicle
        Number of the vehicle; the same one at its next signal.
    timetabled
        Whether it drives by a timetable.
    enter_s, leave_s
        When it came onto the approach, and onto the street behind the junction; infinite where it did not by the end.
    free_s
        What that way takes it without traffic and lights.
    dwell_s
        Time that it stood at stops of its own there.
    stop_line_m, approach_m, inside_m
        Way from its start to the stop line, the part of it on the approach, and the way through the junction.
    """

    movement: IntArray
    vehicle: IntArray
    timetabled: BoolArray
    enter_s: FloatArray
    leave_s: FloatArray
    free_s: FloatArray
    dwell_s: FloatArray
    stop_line_m: FloatArray
    approach_m: FloatArray
    inside_m: FloatArray

    def __len__(self) -> int:
        """Count of passages."""
        return len(self.movement)

    def where(self, wanted: BoolArray | IntArray) -> "Passages":
        """Some of the passages."""
        return Passages(*(getattr(self, name)[wanted] for name in Passages.__slots__))

    def delay_s(self, end_s: float) -> FloatArray:
        """Time lost, up to ``end_s`` by those who are still there; NaN for these where nothing can be told yet.

        Times are of whole steps, so a vehicle that loses nothing may have a little less.
        """
        lost_s = np.minimum(self.leave_s, end_s) - self.enter_s - self.dwell_s - self.free_s
        return np.where(np.isfinite(self.leave_s) | (lost_s > 0), lost_s, np.nan)


@dataclass(slots=True)
class _Record:
    """What SUMO wrote, vehicle by vehicle; texts are split all at once."""

    end_s: float
    step_s: float
    on_foot: bool = False
    vehicles: list[Attributes] = field(default_factory=list)
    edges: list[str] = field(default_factory=list)
    exits: list[str] = field(default_factory=list)
    stays: list[tuple[int, float, float]] = field(default_factory=list)

    def take(self, tag: str, row: Attributes) -> None:
        if tag == "route" and "exitTimes" in row:
            self.edges.append(row["edges"])
            self.exits.append(row["exitTimes"])
        elif tag in {"vehicle", "person", "container"}:
            self.on_foot = tag != "vehicle"
            self.vehicles += [] if self.on_foot else [row]
        elif tag == "stop" and "started" in row and not self.on_foot:
            ended_s = float(row.get("ended", -1.0))
            self.stays.append((len(self.vehicles) - 1, float(row["started"]), ended_s if ended_s >= 0 else self.end_s))


def read_passages(
    path: Path,
    network: RoadNetwork,
    movements: Sequence[Movement],
    trips: Mapping[str, Attributes],
    end_s: float,
    step_s: float = 1.0,
    timetabled: Collection[str] = (),
) -> Passages:
    """Read a ``vehroute-output`` with exit times, last routes and speed factors.

    Parameters
    ----------
    trips
        Rows of ``tripinfo`` by vehicle: where it started on its edge, and what its way takes it without traffic.
    end_s, step_s
        End of the simulation, length of its steps.
    timetabled
        Ids of vehicles that drive by a timetable.
    """
    record = _Record(end_s, step_s)
    parse_xml(path, record.take, code="SUMO_OUTPUT")
    ways = _Ways(network, record, trips)
    position, movement = ways.turns(movements)
    start = ways.approach_starts(position, movement, movements)
    return _passages(ways, record, position, movement, start, timetabled)


class _Ways:
    """The routes of all vehicles, edge after edge in one array: shape (steps,) each."""

    def __init__(self, network: RoadNetwork, record: _Record, trips: Mapping[str, Attributes]) -> None:
        self.network = network
        index = network.edge_index
        lengths = np.array([edges.count(" ") + 1 for edges in record.edges], dtype=np.int64)
        self.vehicle = np.repeat(np.arange(len(lengths)), lengths)
        self.edge = np.fromiter(map(index.__getitem__, " ".join(record.edges).split()), dtype=np.int64)
        self._exits = " ".join(record.exits).split()
        self.first = np.zeros(len(self.edge), dtype=np.bool_)
        self.first[np.cumsum(lengths) - lengths] = True
        # a way is left within the step that begins at the time told, and departed on at the very time
        self.depart_s = np.array([float(row["depart"]) for row in record.vehicles]) - record.step_s / 2
        self.arrived = np.array(["arrival" in row for row in record.vehicles], dtype=np.bool_)
        own = [trips.get(row["id"], {}) for row in record.vehicles]
        factor = np.array([float(row.get("speedFactor", 1.0)) for row in record.vehicles])
        start_m = np.array([float(row.get("departPos", 0.0)) for row in own])
        self._measure(factor, start_m)
        self._slow_down(record, own)

    def exit_s(self, steps: IntArray) -> FloatArray:
        """When vehicles left the edges of some steps; infinite where they did not."""
        times_s = np.array([float(self._exits[step]) for step in steps.tolist()])
        return np.where(times_s < 0, np.inf, times_s)

    def _measure(self, factor: FloatArray, start_m: FloatArray) -> None:
        """Length of each step, the junction behind included, its free time, and both summed up to its end."""
        edges, network = self.edge, self.network
        follower = np.append(edges[1:], -1)
        follower[np.append(self.first[1:], True)] = -1
        self.turn = np.where(follower >= 0, edges * len(network.edges) + follower, -1)
        inside_m, inside_s = _inside(network, self.turn)
        own_m = network.edge_length_m[edges]
        own_m = np.where(self.first, np.maximum(own_m - start_m[self.vehicle], 0.0), own_m)
        self.step_m, self.inside_m = own_m + inside_m, inside_m
        self.step_free_s = (own_m / network.edge_speed_mps[edges] + inside_s) / factor[self.vehicle]

    def _slow_down(self, record: _Record, own: Sequence[Attributes]) -> None:
        """Scale the free times of types that cannot drive at the limit, by what SUMO says their ways take them."""
        modelled_s = np.bincount(self.vehicle, self.step_free_s, len(own))
        kinds = [row.get("type", "") for row in record.vehicles]
        ratios: dict[str, list[float]] = {}
        for kind, row, arrived, expected_s in zip(kinds, own, self.arrived, modelled_s, strict=True):
            if arrived and row and expected_s > 0 and len(ratios.setdefault(kind, [])) < SAMPLE:
                free_s = float(row["duration"]) - float(row["timeLoss"]) - float(row["stopTime"])
                ratios[kind].append(free_s / expected_s)
        scale = {kind: float(np.median(found)) for kind, found in ratios.items()}
        factor = np.array([scale.get(kind, 1.0) for kind in kinds])
        self.step_free_s *= np.where(factor > SLOWER, factor, 1.0)[self.vehicle]

    def turns(self, movements: Sequence[Movement]) -> tuple[IntArray, IntArray]:
        """Steps that lead into a movement, and which."""
        keys = np.array([move.from_edge * len(self.network.edges) + move.to_edge for move in movements], dtype=np.int64)
        order = np.argsort(keys, kind="stable")
        found = _find(keys[order], self.turn)
        steps = np.flatnonzero(found >= 0)
        return steps, order[found[steps]]

    def approach_starts(self, position: IntArray, movement: IntArray, movements: Sequence[Movement]) -> IntArray:
        """First step of each passage that lies on the approach; another stop line of the same signal ends it."""
        names = list(dict.fromkeys(move.signal_id for move in movements))
        signal = np.array([names.index(move.signal_id) for move in movements], dtype=np.int64)[movement]
        keys = []
        for number, name in enumerate(names):
            edges, stops = movement_approaches(self.network, name)
            keys += [number * len(self.network.edges) + edge for edge in edges - stops]
        known = np.sort(np.array(keys, dtype=np.int64))
        start = position.copy()
        moving = np.ones(len(start), dtype=np.bool_)
        while moving.any():
            before = np.maximum(start - 1, 0)
            inside = _find(known, signal * len(self.network.edges) + self.edge[before]) >= 0
            moving &= inside & ~self.first[start]
            start = np.where(moving, before, start)
        return start


def _passages(
    ways: _Ways,
    record: _Record,
    position: IntArray,
    movement: IntArray,
    start: IntArray,
    timetabled: Collection[str],
) -> Passages:
    way_m, free_s = np.cumsum(ways.step_m), np.cumsum(ways.step_free_s)
    vehicle = ways.vehicle[position]
    origin = np.flatnonzero(ways.first)[vehicle] if len(position) else position
    enter_s = np.where(ways.first[start], ways.depart_s[vehicle], ways.exit_s(start - 1))
    leave_s = ways.exit_s(position)
    stop_line_m = way_m[position] - ways.inside_m[position]
    by_timetable = np.array([row["id"] in timetabled for row in record.vehicles], dtype=np.bool_)
    rank = np.argsort(np.argsort(np.array([row["id"] for row in record.vehicles])))
    passages = Passages(
        movement=movement,
        vehicle=rank[vehicle] if len(vehicle) else vehicle,
        timetabled=by_timetable[vehicle] if len(vehicle) else np.zeros(0, dtype=np.bool_),
        enter_s=enter_s,
        leave_s=leave_s,
        free_s=free_s[position] - free_s[start] + ways.step_free_s[start],
        dwell_s=_dwell_s(record, vehicle, enter_s, leave_s),
        stop_line_m=stop_line_m - (way_m[origin] - ways.step_m[origin]),
        approach_m=stop_line_m - way_m[start] + ways.step_m[start],
        inside_m=ways.inside_m[position],
    )
    # who arrived and has no time there was taken out of a jam and put back behind it
    known = np.isfinite(enter_s) & (np.isfinite(leave_s) | ~ways.arrived[vehicle])
    order = np.lexsort((passages.vehicle, passages.movement, passages.enter_s))
    return passages.where(order[known[order]])


def _dwell_s(record: _Record, vehicle: IntArray, enter_s: FloatArray, leave_s: FloatArray) -> FloatArray:
    """Time that each passage's vehicle stood at stops while it was there."""
    found = np.zeros(len(vehicle))
    for number, begin_s, end_s in record.stays:
        rows = np.flatnonzero(vehicle == number)
        found[rows] += np.maximum(np.minimum(leave_s[rows], end_s) - np.maximum(enter_s[rows], begin_s), 0.0)
    return found


def _find(known: IntArray, wanted: IntArray) -> IntArray:
    """Position of each value in a sorted array; -1 where it is not there."""
    if not len(known):
        return np.full(len(wanted), -1, dtype=np.int64)
    place = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
    return np.where(known[place] == wanted, place, -1)


def _inside(network: RoadNetwork, turns: IntArray) -> tuple[FloatArray, FloatArray]:
    """Way through the junction behind each step (m) and its free time at the limit (s); zero where there is none."""
    wanted, which = np.unique(turns, return_inverse=True)
    length_m, time_s = np.zeros(len(wanted)), np.zeros(len(wanted))
    for number, turn in enumerate(wanted.tolist()):
        lanes = _inner(network, *divmod(turn, len(network.edges))) if turn >= 0 else []
        length_m[number] = sum(network.lanes.length_m[lane] for lane in lanes)
        time_s[number] = sum(network.lanes.length_m[lane] / network.lanes.speed_mps[lane] for lane in lanes)
    return length_m[which], time_s[which]


def _inner(network: RoadNetwork, before: int, after: int) -> list[int]:
    """Lanes inside the junction between two edges, by the first connection that there is."""
    rows = network.connection_order[list(network.connections_from(before))]
    for row in rows[network.connection_to_edge[rows] == after].tolist():
        if network.edges.kind[after] == EdgeKind.NORMAL:
            return inner_lanes(network, row)
    return []
