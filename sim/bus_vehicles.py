"""Vehicles that serve a timetable: one for each block as far as it can be driven, else one for each trip."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from gtfs.timetable import Timetable
from networks.graph import Router
from networks.network import IntArray
from sim.bus_lanes import BusLanes
from sim.bus_legs import TripLeg
from sim.bus_stops import StopPlace, simulation_id

LAYOVER_S = 120.0
"""Who waits longer for the next trip leaves the lane free."""

BEGIN_S = 1.0
"""SUMO begins a stop one step after the vehicle has entered, or has left another stop at the same place."""

ONWARD_S = 1.0
"""Time at a trip's last stop where the next trip begins at the same place: passengers change there but once."""

LATE_S = 30.0
"""How late a vehicle may come from its trip before, by the timetable and an empty road, and still serve the next."""

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class VehicleStop:
    """A stop that a vehicle makes.

    ``trip`` and ``call`` are rows of the timetable; it stays ``dwell_s`` and not less than until ``until_s`` where that
    is given. Before it serves the stop it waits beside the lane until ``layover_s`` where that is given.
    """

    trip: int
    call: int
    place: StopPlace
    dwell_s: float
    until_s: float | None
    layover_s: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class BusVehicle:
    """A vehicle with all its trips: where it drives (network rows), where it stops, when it enters (s).

    ``deadhead_s`` is the time on an empty road between each leg and the next, ``deadhead_edges`` how many edges further
    than the last one of a leg the next one begins.
    """

    vehicle_id: str
    vehicle_class: str
    line: str
    depart_s: float
    edges: IntArray
    stops: tuple[VehicleStop, ...]
    legs: tuple[TripLeg, ...]
    deadhead_s: tuple[float, ...] = ()
    deadhead_edges: tuple[int, ...] = ()


def bus_vehicles(
    timetable: Timetable,
    trips: Sequence[Sequence[TripLeg]],
    dwell_s: FloatArray,
    begin_s: float,
    router_for: Callable[[str], Router],
    lanes_for: Callable[[str], BusLanes],
) -> list[BusVehicle]:
    """Vehicles in order of their entry.

    Parameters
    ----------
    trips
        Legs of each trip, as :func:`sim.bus_legs.trip_legs` gives them.
    dwell_s
        Time that a vehicle stands at each call, shape (calls,).
    begin_s
        Nobody enters before.
    """
    blocks = _blocks(timetable, trips)
    ways = _deadheads(blocks, router_for, lanes_for)
    chains = [chain for block in blocks for chain in _chains(timetable, block, ways)]
    vehicles = [_vehicle(timetable, chain, ways, dwell_s, begin_s) for chain in chains]
    vehicles.sort(key=lambda vehicle: (vehicle.depart_s, vehicle.vehicle_id))
    return _named_apart(vehicles)


@dataclass(frozen=True, slots=True, eq=False)
class _Way:
    """A way without passengers: edges from the last edge of a leg to the first of the next, both included."""

    edges: IntArray
    time_s: float


_NO_WAY = _Way(np.empty(0, dtype=np.int32), 0.0)

Ways = dict[tuple[str, StopPlace, StopPlace], _Way]


def _blocks(timetable: Timetable, trips: Sequence[Sequence[TripLeg]]) -> list[list[TripLeg]]:
    """Legs of a block in order of time; legs without a block each for themselves."""
    blocks: dict[tuple[object, ...], list[TripLeg]] = {}
    dates = timetable.trips.service_dates.tolist()
    for trip, legs in enumerate(trips):
        block = timetable.trips.block_ids[trip]
        for leg in legs:
            key = (block, dates[trip], leg.leg.vehicle_class) if block else (trip, leg.leg.number)
            blocks.setdefault(key, []).append(leg)
    return [sorted(block, key=lambda leg: _departure_s(timetable, leg)) for block in blocks.values()]


def _call_row(timetable: Timetable, leg: TripLeg, place: int) -> int:
    return int(timetable.trips.call_start[leg.trip]) + leg.leg.calls[place].call


def _departure_s(timetable: Timetable, leg: TripLeg) -> int:
    return int(timetable.calls.departure_s[_call_row(timetable, leg, leg.first)])


def _arrival_s(timetable: Timetable, leg: TripLeg) -> int:
    return int(timetable.calls.arrival_s[_call_row(timetable, leg, leg.last)])


def _ends(before: TripLeg, after: TripLeg) -> tuple[StopPlace, StopPlace]:
    """Where one leg ends and where the next begins."""
    return before.leg.calls[before.last].place, after.leg.calls[after.first].place


def _deadheads(
    blocks: Sequence[Sequence[TripLeg]], router_for: Callable[[str], Router], lanes_for: Callable[[str], BusLanes]
) -> Ways:
    """Fastest ways between stops on different edges at which legs end and the next ones begin.

    Ways that leave the one stop or come to the other on a lane from which there is no changing in time are left out.
    """
    wanted: dict[str, dict[tuple[StopPlace, StopPlace], None]] = {}
    for block in blocks:
        for before, after in pairwise(block):
            here, there = _ends(before, after)
            if here.edge != there.edge:
                wanted.setdefault(before.leg.vehicle_class, {})[here, there] = None
    ways: Ways = {}
    for vehicle_class, pairs in wanted.items():
        router, lanes = router_for(vehicle_class), lanes_for(vehicle_class)
        ends = np.array([(here.edge, there.edge) for here, there in pairs], dtype=np.int32)
        for (here, there), edges in zip(pairs, router.paths(ends[:, 0], ends[:, 1]), strict=True):
            if (
                len(edges)
                and lanes.can_leave(here.lane, here.end_m, edges)
                and lanes.can_reach(there.lane, there.end_m, edges)
            ):
                time_s = float(router.travel_time_s[router.node_of_edge[edges[1:]]].sum())
                ways[vehicle_class, here, there] = _Way(edges, time_s)
    return ways


def _chains(timetable: Timetable, block: Sequence[TripLeg], ways: Ways) -> list[list[TripLeg]]:
    """Cut a block where its vehicle cannot go on from one leg to the next."""
    chains = [[block[0]]]
    for before, after in pairwise(block):
        if _goes_on(timetable, before, after, ways):
            chains[-1].append(after)
        else:
            chains.append([after])
    return chains


def _goes_on(timetable: Timetable, before: TripLeg, after: TripLeg, ways: Ways) -> bool:
    """Whether a leg ends where its trip does, the next begins where its own does, and way and time allow it."""
    calls = int(timetable.trips.call_start[before.trip + 1] - timetable.trips.call_start[before.trip])
    if before.leg.calls[before.last].call != calls - 1 or after.leg.calls[after.first].call != 0:
        return False
    here, there = _ends(before, after)
    slack_s = _departure_s(timetable, after) - _arrival_s(timetable, before)
    if here.edge == there.edge:
        return slack_s >= 0 and (here == there or (here.lane == there.lane and here.end_m < there.end_m))
    way = ways.get((before.leg.vehicle_class, here, there))
    return slack_s >= 0 and way is not None and way.time_s <= slack_s + LATE_S


def _vehicle(
    timetable: Timetable, chain: Sequence[TripLeg], ways: Ways, dwell_s: FloatArray, begin_s: float
) -> BusVehicle:
    edges = [chain[0].leg.edges(chain[0].first, chain[0].last)]
    stops = list(_stops(timetable, chain[0], dwell_s, None))
    deadheads: list[_Way] = []
    for before, after in pairwise(chain):
        here, there = _ends(before, after)
        stays = here.edge == there.edge
        way = _NO_WAY if stays else ways[before.leg.vehicle_class, here, there]
        deadheads.append(way)
        edges.append(way.edges[1:])
        edges.append(after.leg.edges(after.first, after.last)[1:])
        layover_s = _departure_s(timetable, after) - _arrival_s(timetable, before)
        onward = _stops(timetable, after, dwell_s, layover_s)
        if here == there:
            # who stands there already has let passengers off and on
            stops[-1] = replace(stops[-1], dwell_s=min(stops[-1].dwell_s, ONWARD_S))
        stops.extend(onward)
    first = stops[0]
    enters_s = max(begin_s, _departure_s(timetable, chain[0]) - first.dwell_s - BEGIN_S)
    return BusVehicle(
        vehicle_id=_name(timetable, chain),
        vehicle_class=chain[0].leg.vehicle_class,
        line=timetable.routes.short_names[int(timetable.trip_route[chain[0].trip])],
        depart_s=enters_s,
        edges=np.concatenate(edges),
        stops=tuple(stops),
        legs=tuple(chain),
        deadhead_s=tuple(way.time_s for way in deadheads),
        deadhead_edges=tuple(max(len(way.edges) - 1, 0) for way in deadheads),
    )


def _stops(timetable: Timetable, leg: TripLeg, dwell_s: FloatArray, layover_s: float | None) -> Iterator[VehicleStop]:
    """Stops of a leg. A vehicle keeps to the departure at the first one and at timepoints, but not at the last one.

    Trips by headway keep to it at the first one alone.
    """
    by_headway = bool(timetable.trips.is_frequency_based[leg.trip] and not timetable.trips.exact_times[leg.trip])
    for place in range(leg.first, leg.last + 1):
        row = _call_row(timetable, leg, place)
        is_first = place == leg.first
        waits = is_first or (place < leg.last and not by_headway and bool(timetable.calls.timepoint[row]))
        departure_s, stay_s = float(timetable.calls.departure_s[row]), float(dwell_s[row])
        rests = is_first and layover_s is not None and layover_s >= LAYOVER_S
        yield VehicleStop(
            trip=leg.trip,
            call=row,
            place=leg.leg.calls[place].place,
            dwell_s=stay_s,
            until_s=departure_s if waits else None,
            layover_s=departure_s - stay_s - BEGIN_S if rests else None,
        )


def _name(timetable: Timetable, chain: Sequence[TripLeg]) -> str:
    """A block's id for a vehicle of several trips, else its trip's."""
    first = chain[0]
    return simulation_id(timetable.trips.block_ids[first.trip] if len(chain) > 1 else timetable.trips.ids[first.trip])


def _named_apart(vehicles: list[BusVehicle]) -> list[BusVehicle]:
    """Number vehicles of one name from the second on."""
    taken: set[str] = set()
    named = []
    for vehicle in vehicles:
        name, number = vehicle.vehicle_id, 1
        while name in taken:
            number += 1
            name = f"{vehicle.vehicle_id}#{number}"
        taken.add(name)
        named.append(vehicle if name == vehicle.vehicle_id else replace(vehicle, vehicle_id=name))
    return named
