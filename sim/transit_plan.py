"""What a run has to know of its timetabled vehicles: their calls and their ways, as arrays and as two Parquet files.

The import makes it once; every run of every variant reads it and compares what happened with it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from networks.faults import RunError
from networks.network import NONE, FloatArray, IntArray, RoadNetwork
from networks.outfile import atomic_path

if TYPE_CHECKING:  # every run reads a plan; what makes one takes a second to import
    from gtfs.timetable import Timetable
    from sim.bus_legs import TripLeg
    from sim.bus_stops import StopPlace
    from sim.bus_vehicles import BusVehicle

BoolArray = npt.NDArray[np.bool_]
Texts = tuple[str, ...]

CALLS_FILE = "transit_calls.parquet"
WAYS_FILE = "transit_ways.parquet"


@dataclass(frozen=True, slots=True)
class TransitFiles:
    """The files of an imported timetable in its folder that SUMO reads."""

    folder: Path

    @property
    def stops(self) -> Path:
        """Bus stops, an additional file."""
        return self.folder / "stops.add.xml"

    @property
    def vehicles(self) -> Path:
        """Vehicles with their routes and stops, a route file."""
        return self.folder / "transit.rou.xml"


@dataclass(frozen=True, slots=True, eq=False)
class PlannedLegs:
    """Trips, or parts of trips, that vehicles serve, one after another; rows of one vehicle follow each other in time.

    ``trip_ids`` are those performed, ``scheduled_trip_ids`` the feed's; ``number`` tells the parts of one trip apart.
    ``way`` is the direction, found from the order of stops where the feed gives none.
    """

    vehicle: IntArray
    trip_ids: Texts
    scheduled_trip_ids: Texts
    service_dates: Texts
    route_ids: Texts
    route_names: Texts
    direction: IntArray
    way: IntArray
    pattern_ids: Texts
    number: IntArray
    call_start: IntArray

    def __len__(self) -> int:
        """Count of legs."""
        return len(self.trip_ids)


@dataclass(frozen=True, slots=True, eq=False)
class PlannedCalls:
    """Calls of legs, leg after leg, in order; those of leg ``i`` are ``call_start[i]:call_start[i + 1]``.

    Attributes
    ----------
    way_m
        Way from the leg's begin up to where the vehicle stops, non-decreasing along a leg.
    arrival_s, departure_s
        Scheduled times, seconds of the simulated day.
    is_interpolated
        Whether the timetable leaves the time blank.
    is_origin, is_end
        Whether the call is its trip's first or last in the timetable, simulated or not.
    """

    stop_ids: Texts
    stop_names: Texts
    bus_stops: Texts
    stop_sequence: IntArray
    way_m: FloatArray
    arrival_s: FloatArray
    departure_s: FloatArray
    timepoint: BoolArray
    is_interpolated: BoolArray
    is_origin: BoolArray
    is_end: BoolArray

    def __len__(self) -> int:
        """Count of calls."""
        return len(self.stop_ids)


@dataclass(frozen=True, slots=True, eq=False)
class PlannedWays:
    """Edges of the vehicles' routes, in order; those of vehicle ``i`` are ``start[i]:start[i + 1]``.

    Attributes
    ----------
    edges
        Network rows.
    leg
        Leg that is driven there, NONE on the way from one leg to the next.
    way_m
        Way from the leg's begin up to the begin of the edge, NaN without a leg; negative where the leg begins on it.
    next_leg, next_way_m
        The same of the leg after, where that begins on the edge on which ``leg`` ends; NONE and NaN elsewhere.
    length_m
        Length of the edge.
    """

    start: IntArray
    edges: IntArray
    leg: IntArray
    way_m: FloatArray
    next_leg: IntArray
    next_way_m: FloatArray
    length_m: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class TransitPlan:
    """Vehicles by their id in the simulation, with legs, calls and ways."""

    service_date: date
    timezone: str
    vehicle_ids: Texts
    legs: PlannedLegs
    calls: PlannedCalls
    ways: PlannedWays


def transit_plan(
    network: RoadNetwork,
    timetable: "Timetable",
    vehicles: "Sequence[BusVehicle]",
    stop_ids: "Mapping[tuple[int, StopPlace], str]",
) -> TransitPlan:
    """The plan of some vehicles; ``stop_ids`` is the bus stop of a stop (row of the timetable) at a place."""
    legs = [(row, leg) for row, vehicle in enumerate(vehicles) for leg in vehicle.legs]
    return TransitPlan(
        service_date=timetable.service_date,
        timezone=timetable.timezone,
        vehicle_ids=tuple(vehicle.vehicle_id for vehicle in vehicles),
        legs=_legs(timetable, legs),
        calls=_calls(timetable, [leg for _, leg in legs], stop_ids),
        ways=_ways(network, vehicles),
    )


def _legs(timetable: "Timetable", legs: "Sequence[tuple[int, TripLeg]]") -> PlannedLegs:
    trips, routes = timetable.trips, timetable.routes
    rows = [leg.trip for _, leg in legs]
    route = [int(row) for row in timetable.trip_route[rows]] if rows else []
    pattern = [int(row) for row in trips.pattern[rows]] if rows else []
    counts = [leg.last - leg.first + 1 for _, leg in legs]
    return PlannedLegs(
        vehicle=np.array([vehicle for vehicle, _ in legs], dtype=np.int32),
        trip_ids=tuple(trips.ids[row] for row in rows),
        scheduled_trip_ids=tuple(trips.trip_ids[row] for row in rows),
        service_dates=tuple(str(trips.service_dates[row]) for row in rows),
        route_ids=tuple(routes.ids[row] for row in route),
        route_names=tuple(routes.short_names[row] or routes.long_names[row] or routes.ids[row] for row in route),
        direction=timetable.patterns.direction[pattern].astype(np.int32),
        way=timetable.pattern_way[pattern],
        pattern_ids=tuple(timetable.patterns.ids[row] for row in pattern),
        number=np.array([leg.leg.number for _, leg in legs], dtype=np.int32),
        call_start=np.concatenate(([0], np.cumsum(counts))).astype(np.int32),
    )


def _calls(
    timetable: "Timetable", legs: "Sequence[TripLeg]", stop_ids: "Mapping[tuple[int, StopPlace], str]"
) -> PlannedCalls:
    calls, stops = timetable.calls, timetable.stops
    rows = np.concatenate([leg.call_rows(timetable) for leg in legs] or [np.empty(0, np.int32)])
    places = [call for leg in legs for call in leg.leg.calls[leg.first : leg.last + 1]]
    stop = timetable.call_stop[rows].tolist()
    begin_m = np.repeat([leg.leg.calls[leg.first].way_m for leg in legs], [leg.last - leg.first + 1 for leg in legs])
    return PlannedCalls(
        stop_ids=tuple(stops.ids[row] for row in stop),
        stop_names=tuple(stops.names[row] for row in stop),
        bus_stops=tuple(stop_ids[row, call.place] for row, call in zip(stop, places, strict=True)),
        stop_sequence=calls.stop_sequence[rows],
        way_m=np.array([call.way_m for call in places]) - begin_m,
        arrival_s=calls.arrival_s[rows].astype(np.float64),
        departure_s=calls.departure_s[rows].astype(np.float64),
        timepoint=calls.timepoint[rows],
        is_interpolated=calls.is_interpolated[rows],
        is_origin=np.isin(rows, timetable.trips.call_start[:-1]),
        is_end=np.isin(rows + 1, timetable.trips.call_start[1:]),
    )


def _ways(network: RoadNetwork, vehicles: "Sequence[BusVehicle]") -> PlannedWays:
    counts = [len(vehicle.edges) for vehicle in vehicles]
    start = np.concatenate(([0], np.cumsum(counts))).astype(np.int32)
    edges = np.concatenate([vehicle.edges for vehicle in vehicles] or [np.empty(0, np.int32)])
    leg, following = np.full(len(edges), NONE, np.int32), np.full(len(edges), NONE, np.int32)
    way_m, following_m = np.full(len(edges), np.nan), np.full(len(edges), np.nan)
    row = 0
    for first, vehicle in zip(start.tolist(), vehicles, strict=False):
        for at, part in _spans(vehicle):
            here = slice(first + at, first + at + len(part))
            fresh = leg[here] == NONE
            leg[here], way_m[here] = np.where(fresh, row, leg[here]), np.where(fresh, part, way_m[here])
            following[here], following_m[here] = np.where(fresh, NONE, row), np.where(fresh, np.nan, part)
            row += 1
    return PlannedWays(start, edges, leg, way_m, following, following_m, network.edge_length_m[edges])


def _spans(vehicle: "BusVehicle") -> Iterator[tuple[int, FloatArray]]:
    """Where in a vehicle's route each of its legs begins, and the way up to each of its edges."""
    at = 0
    for number, leg in enumerate(vehicle.legs):
        first, last = leg.leg.calls[leg.first], leg.leg.calls[leg.last]
        begin_m = leg.leg.path.begin_m[first.position : last.position + 1] - first.way_m
        yield at, begin_m
        if number < len(vehicle.legs) - 1:
            at += len(begin_m) - 1 + vehicle.deadhead_edges[number]


def write_plan(folder: Path, plan: TransitPlan) -> None:
    """Write a plan as two Parquet files; the same bytes for the same plan."""
    legs, calls = _columns(plan.legs), _columns(plan.calls)
    leg_of_call = np.repeat(np.arange(len(plan.legs)), np.diff(plan.legs.call_start))
    vehicle = np.repeat(np.arange(len(plan.vehicle_ids)), np.diff(plan.ways.start))
    table = {
        "timetable_date": [plan.service_date.isoformat()] * len(leg_of_call),
        "timezone": [plan.timezone] * len(leg_of_call),
        "leg": leg_of_call,
        "vehicle_id": [plan.vehicle_ids[row] for row in plan.legs.vehicle[leg_of_call]],
        **{name: _taken(column, leg_of_call) for name, column in legs.items() if name != "call_start"},
        **calls,
    }
    _write(folder / CALLS_FILE, table)
    _write(folder / WAYS_FILE, {"vehicle": vehicle, **_columns(plan.ways, "start")})


def read_plan(folder: Path) -> TransitPlan:
    """Read back what :func:`write_plan` wrote.

    Raises
    ------
    RunError
        RESULT_DAMAGED where a file is not what was written.
    """
    try:
        calls, ways = (_read(folder / name) for name in (CALLS_FILE, WAYS_FILE))
        leg_first = np.flatnonzero(np.diff(_column(calls["leg"]), prepend=-1))
        first_of_vehicle = np.flatnonzero(np.diff(_column(calls["vehicle"]), prepend=-1))
        ids = _column(calls["vehicle_id"])
        starts = {"call_start": np.append(leg_first, len(calls)).astype(np.int32)}
        counts = np.bincount(_column(ways["vehicle"]), minlength=len(first_of_vehicle))
        return TransitPlan(
            service_date=date.fromisoformat(calls["timetable_date"][0].as_py()),
            timezone=calls["timezone"][0].as_py(),
            vehicle_ids=tuple(ids[first_of_vehicle].tolist()),
            legs=_filled(PlannedLegs, calls, starts, leg_first),
            calls=_filled(PlannedCalls, calls, {}),
            ways=_filled(PlannedWays, ways, {"start": np.concatenate(([0], np.cumsum(counts))).astype(np.int32)}),
        )
    except (OSError, KeyError, IndexError, ValueError, pa.ArrowException) as fault:
        raise RunError("RESULT_DAMAGED", f"the transit plan cannot be read ({fault})", file=folder) from fault


def _columns(table: Any, *without: str) -> dict[str, Any]:
    return {item.name: getattr(table, item.name) for item in fields(table) if item.name not in without}


def _taken(column: Any, rows: npt.NDArray[np.integer]) -> Any:
    return [column[row] for row in rows] if isinstance(column, tuple) else column[rows]


def _filled(
    kind: type[Any],
    table: pa.Table,
    given: Mapping[str, Any],
    rows: npt.NDArray[np.integer] | slice = slice(None),
) -> Any:
    """A struct of arrays from some rows of a table's columns: texts as a tuple, numbers as an array."""
    columns = {item.name: _column(table[item.name])[rows] for item in fields(kind) if item.name not in given}
    texts = {name: tuple(column.tolist()) for name, column in columns.items() if column.dtype == object}
    return kind(**columns | texts, **given)


def _read(path: Path) -> pa.Table:
    with pq.ParquetFile(path) as file:
        return file.read()


def _column(column: pa.ChunkedArray) -> npt.NDArray[Any]:
    """A column as an array, by ways on which pyarrow does not import pandas: every run reads a plan."""
    whole = column.combine_chunks()
    if whole.type == pa.string():
        few = whole.dictionary_encode()
        texts = np.array(few.dictionary.to_pylist(), dtype=object)
        return texts[np.asarray(np.from_dlpack(few.indices))]
    if whole.type == pa.bool_():
        return np.from_dlpack(whole.cast(pa.uint8())).astype(np.bool_)
    return np.from_dlpack(whole)


def _write(path: Path, columns: Mapping[str, Any]) -> None:
    table = pa.table({name: pa.array(column) for name, column in columns.items()})
    with atomic_path(path) as part:
        pq.write_table(table, part, compression="zstd", store_schema=False)
