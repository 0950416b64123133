"""A timetable into the simulation: from a feed and a network to vehicles that SUMO can drive, and a report on them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from gtfs.feed import Feed
from gtfs.timetable import Timetable, timetable
from networks.faults import InputError
from networks.graph import router
from networks.network import RoadNetwork
from sim.bus_lanes import BusLanes
from sim.bus_legs import Leg, legs_of, trip_legs, vehicle_length_m
from sim.bus_stops import GAP_M, Repairs, StopPlace, stop_ids
from sim.bus_vehicles import BEGIN_S, LAYOVER_S, BusVehicle, VehicleStop, bus_vehicles
from sim.dwell import DwellLaw
from sim.modes import MODES, Mode
from sim.rehearsal import LegRun, rehearse
from sim.ridership import Ridership, boardings_at
from sim.run_times import best_speed, fitted_dwells_s, foretold, run_times
from sim.transit_paths import PatternPath, pattern_paths

ROUNDS = 4
"""Rehearsals at most; after the last one what still cannot be served is left out."""

BERTHS = 5
"""Vehicles that stand at a stop behind one another, at most."""

NEAR_STUCK_M = 150.0
"""A call so far behind or ahead of where a vehicle got stuck is taken to be the reason."""

DEFAULT_DWELL = DwellLaw()

FloatArray = npt.NDArray[np.float64]
Say = Callable[[str], None]
LegKey = tuple[int, int]


@dataclass(frozen=True, slots=True)
class TransitOptions:
    """What is wanted of a feed: a service day, modes, a span of time (s of the day), and how long stops take.

    Where ``ridership`` is known for a stop its dwell follows from it. Without ``calibrated`` every driver keeps to the
    speed limit and every dwell is as wished.
    """

    service_date: date
    modes: tuple[Mode, ...] = MODES
    begin_s: float = 0.0
    end_s: float = float("inf")
    dwell: DwellLaw = DEFAULT_DWELL
    ridership: Ridership = field(default_factory=dict)
    calibrated: bool = True


@dataclass(frozen=True, eq=False)
class Transit:
    """A timetable in the simulation.

    Attributes
    ----------
    patterns
        Path and places of each pattern.
    legs
        Legs of each pattern, as they are driven.
    runs
        How the rehearsal of each leg went, by pattern and number.
    speeds
        Share of the speed limit that the driver of each vehicle keeps to.
    stop_ids
        Id of the bus stop of a stop (row of the timetable) at a place.
    stop_m
        How long each bus stop is, by its id.
    rounds
        How many rehearsals it took.
    """

    options: TransitOptions
    timetable: Timetable
    patterns: tuple[PatternPath, ...]
    legs: tuple[tuple[Leg, ...], ...]
    runs: Mapping[LegKey, LegRun]
    repairs: Repairs
    rounds: int
    vehicles: tuple[BusVehicle, ...]
    speeds: tuple[float, ...]
    stop_ids: Mapping[tuple[int, StopPlace], str]
    stop_m: Mapping[str, float]

    def bus_stop(self, stop: VehicleStop) -> str:
        """Id of the bus stop at which a vehicle makes a stop."""
        return self.stop_ids[int(self.timetable.call_stop[stop.call]), stop.place]


def import_transit(
    feed: Feed, network: RoadNetwork, network_path: Path, options: TransitOptions, say: Say = lambda _text: None
) -> Transit:
    """Bring a service day of a feed onto a network.

    Parameters
    ----------
    network_path
        The network's file, for the rehearsal.
    say
        Called with the name of each stage as it begins.

    Raises
    ------
    InputError
        TRANSIT_EMPTY where nothing of the day can be driven on the network.
    """
    say("reading the service day")
    wanted = [kind for mode in options.modes for first, last in mode.types for kind in range(first, last + 1)]
    day = timetable(feed, options.service_date, route_types=wanted)
    say(f"matching {len(day.patterns)} patterns to streets")
    patterns = tuple(pattern_paths(day, network))
    dwell_s = _dwells_s(day, options)
    legs, ids, runs, repairs, rounds = _drivable(network, network_path, day, patterns, dwell_s, say)
    say("making up vehicles")
    times = {key: run_times(run) for key, run in runs.items()}
    trips = trip_legs(day, legs, options.begin_s, options.end_s)
    if options.calibrated:
        for trip in trips:
            for leg in trip:
                rows = leg.call_rows(day)
                dwell_s[rows] = fitted_dwells_s(day, leg, times[leg.leg.pattern, leg.leg.number], dwell_s[rows])
    vehicles = bus_vehicles(
        day,
        trips,
        dwell_s,
        options.begin_s,
        cache(lambda vehicle_class: router(network, vehicle_class)),
        cache(lambda vehicle_class: BusLanes(network, vehicle_class)),
    )
    if not vehicles:
        raise _nothing(feed, options)
    speeds = [best_speed(day, vehicle, times) if options.calibrated else 1.0 for vehicle in vehicles]
    stays_s = [foretold(vehicle, times, speed) for vehicle, speed in zip(vehicles, speeds, strict=True)]
    return Transit(
        options=options,
        timetable=day,
        patterns=patterns,
        legs=tuple(legs),
        runs=runs,
        repairs=repairs,
        rounds=rounds,
        vehicles=tuple(_rested(vehicle, stay_s) for vehicle, stay_s in zip(vehicles, stays_s, strict=True)),
        speeds=tuple(speeds),
        stop_ids=ids,
        stop_m=_stop_lengths_m(day, vehicles, stays_s, ids),
    )


def _dwells_s(day: Timetable, options: TransitOptions) -> FloatArray:
    """Wished time at each call of the timetable, shape (calls,)."""
    by_place = {
        (route, stop): options.dwell.dwell_s(
            boardings_at(options.ridership, day.routes.ids[route], day.stops.ids[stop])
        )
        for route, stop in set(zip(day.trip_route[day.call_trip].tolist(), day.call_stop.tolist(), strict=True))
    }
    places = zip(day.trip_route[day.call_trip].tolist(), day.call_stop.tolist(), strict=True)
    return np.array([round(by_place[place]) for place in places], dtype=np.float64)


def _rested(vehicle: BusVehicle, stay_s: FloatArray) -> BusVehicle:
    """A vehicle that waits beside the lane where it has to wait long for its timetable."""
    stops = tuple(
        replace(stop, layover_s=stop.until_s - stop.dwell_s - BEGIN_S)
        if stop.until_s is not None and number and end_s - begin_s - stop.dwell_s >= LAYOVER_S
        else stop
        for number, (stop, (begin_s, end_s)) in enumerate(zip(vehicle.stops, stay_s.tolist(), strict=True))
    )
    return replace(vehicle, stops=stops)


def _nothing(feed: Feed, options: TransitOptions) -> InputError:
    return InputError(
        "TRANSIT_EMPTY",
        f"no trip of {options.service_date} calls at two stops on this network in the time asked for",
        file=feed.path,
        remedy="Check that feed and network are of one place, and the modes, date and times asked for",
    )


def _drivable(
    network: RoadNetwork,
    network_path: Path,
    day: Timetable,
    patterns: Sequence[PatternPath],
    dwell_s: FloatArray,
    say: Say,
) -> tuple[list[tuple[Leg, ...]], dict[tuple[int, StopPlace], str], dict[LegKey, LegRun], Repairs, int]:
    """Place stops and rehearse every leg, again and again, until each can be driven or is left out."""
    lanes: dict[str, BusLanes] = {}
    repairs, faulty = Repairs(), list[tuple[Leg, LegRun]]()
    runs: dict[LegKey, LegRun] = {}
    driven: dict[LegKey, Leg] = {}
    rounds = 0
    while rounds < ROUNDS and (faulty or not rounds):
        rounds += 1
        repairs = _repaired(repairs, faulty)
        legs = [leg for pattern in legs_of(network, lanes, patterns, repairs) for leg in pattern]
        ids = _stop_ids(day, legs)
        new = [leg for leg in legs if (leg.pattern, leg.number) not in driven or driven[_key(leg)].calls != leg.calls]
        say(f"rehearsing {len(new)} runs on empty streets" + (f", round {rounds}" if rounds > 1 else ""))
        found = rehearse(network, network_path, day, new, ids, lambda _name: vehicle_length_m("bus") + GAP_M, dwell_s)
        driven = {_key(leg): leg for leg in legs}
        runs |= {_key(leg): run for leg, run in zip(new, found, strict=True)}
        faulty = [(leg, runs[_key(leg)]) for leg in legs if not runs[_key(leg)].is_whole]
    whole = [leg for leg in driven.values() if runs[_key(leg)].is_whole]
    by_pattern = [tuple(leg for leg in whole if leg.pattern == row) for row in range(len(patterns))]
    return by_pattern, _stop_ids(day, whole), {_key(leg): runs[_key(leg)] for leg in whole}, repairs, rounds


def _key(leg: Leg) -> LegKey:
    return leg.pattern, leg.number


def _repaired(repairs: Repairs, faulty: Iterable[tuple[Leg, LegRun]]) -> Repairs:
    """Blame the call that is nearest to where a vehicle got stuck: it changes lane first, and is left out next time."""
    leading, left_out = set(repairs.leading_lane), set(repairs.left_out)
    for leg, run in faulty:
        blamed = _blamed(leg, run)
        if blamed is None:
            continue
        key = (leg.pattern, blamed)
        (left_out if key in leading else leading).add(key)
    return Repairs(frozenset(leading), frozenset(left_out))


def _blamed(leg: Leg, run: LegRun) -> int | None:
    """The call that lies nearest to where a vehicle stood for ever, the last one served and the next one considered."""
    if run.stuck is None:
        missed = np.flatnonzero(~np.isfinite(run.departure_s))
        return leg.calls[int(missed[0])].call if len(missed) else None
    done = run.stuck.calls_done
    after = leg.calls[max(done - 1, 0)].position
    there = np.flatnonzero(leg.path.edges[after:] == run.stuck.edge)
    if not len(there):
        return leg.calls[max(done - 1, 0)].call
    position = after + int(there[0])
    begin_m = float(leg.path.begin_m[position])
    end_m = begin_m + float(leg.path.length_m[position])
    near = [call for call in leg.calls[max(done - 1, 0) : done + 1] if begin_m - NEAR_STUCK_M <= call.way_m]
    return min(near, key=lambda call: abs(call.way_m - end_m)).call if near else None


def _stop_ids(day: Timetable, legs: Iterable[Leg]) -> dict[tuple[int, StopPlace], str]:
    """Ids of the bus stops of some legs, by stop and place."""
    first = day.patterns.call_start
    used = {
        (int(day.patterns.call_stop[first[leg.pattern] + call.call]), call.place) for leg in legs for call in leg.calls
    }
    keys = sorted(used, key=lambda key: (key[0], key[1].edge, key[1].lane, key[1].end_m))
    return dict(zip(keys, stop_ids([day.stops.ids[stop] for stop, _ in keys]), strict=True))


def _stop_lengths_m(
    day: Timetable,
    vehicles: Sequence[BusVehicle],
    stays_s: Sequence[FloatArray],
    ids: Mapping[tuple[int, StopPlace], str],
) -> dict[str, float]:
    """How long each stop is that is used: for as many vehicles as should stand there at once, within bounds."""
    stays: dict[str, list[tuple[float, float]]] = {}
    berth_m: dict[str, float] = {}
    for vehicle, stay_s in zip(vehicles, stays_s, strict=True):
        for stop, (begin_s, end_s) in zip(vehicle.stops, stay_s.tolist(), strict=True):
            name = ids[int(day.call_stop[stop.call]), stop.place]
            comes_s = max(begin_s, end_s - LAYOVER_S) - stop.dwell_s
            stays.setdefault(name, []).append((comes_s, end_s + stop.dwell_s))
            berth_m[name] = vehicle_length_m(vehicle.vehicle_class) + GAP_M
    return {name: berth_m[name] * min(_at_once(stays[name]), BERTHS) for name in ids.values() if name in stays}


def _at_once(stays: Sequence[tuple[float, float]]) -> int:
    """Most stays that overlap."""
    events = sorted([(begin, 1) for begin, _ in stays] + [(end, -1) for _, end in stays])
    return int(np.cumsum([step for _, step in events]).max())
