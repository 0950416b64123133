"""What [charging] means for a timetable: blocks of the day, chargers at stops, electric vehicles by variant."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gtfs.blocks import Block, block_name, blocks
from gtfs.chargers import BUS, UNTOLD, Charger, read_chargers
from gtfs.feed import read_feed
from gtfs.service_day import parse_day
from gtfs.timetable import Timetable, timetable
from networks.faults import Notice
from networks.geometry import from_lonlat
from networks.network import RoadNetwork
from scenarios.charging_source import ChargingSource
from scenarios.scenario import Scenario, TransitSource
from sim.charging import ELECTRIC_CLASSES, ChargedStop, Charging
from sim.electric_bus import is_electric
from sim.modes import MODES, modes_named
from sim.transit_plan import TransitPlan, read_plan

NEAR_M = 50.0
"""A charger within this distance of a stop serves it: assumed."""

EARTH_M = 6_371_008.8


@dataclass(frozen=True, slots=True, eq=False)
class ChargingPlan:
    """Blocks of the whole service day, and what runs are told, by variant.

    ``block_of`` is the block of each vehicle of the simulation that may be electric; ``power_kw`` what chargers give at
    a stop of the feed, by variant and stop.
    """

    blocks: tuple[Block, ...]
    block_of: Mapping[str, str]
    told: Mapping[str, Charging]
    power_kw: Mapping[str, Mapping[str, float]]
    has_blocks: bool
    notices: tuple[Notice, ...]


def charging_plan(scenario: Scenario, transit: Path | None, network: RoadNetwork) -> ChargingPlan | None:
    """Read blocks and chargers of a scenario; None where it has no electric buses.

    Raises
    ------
    InputError
        What makes a table of chargers, or the feed, unreadable.
    """
    sources = {variant.name: variant.charging for variant in scenario.variants if variant.charging}
    if not sources or scenario.transit is None or transit is None:
        return None
    day, plan = _electric_day(scenario.transit), read_plan(transit)
    block_of = _blocks_of(plan, day)
    notices: list[Notice] = []
    powers = {
        path: _powers(path, day, plan, network, notices)
        for path in dict.fromkeys(s.chargers for s in sources.values())
        if path
    }
    power_kw = {name: powers[source.chargers] if source.chargers else {} for name, source in sources.items()}
    return ChargingPlan(
        blocks=tuple(block for block in blocks(day) if block.service_date == str(day.service_date)),
        block_of=block_of,
        told={name: _told(source, plan, block_of, power_kw[name]) for name, source in sources.items()},
        power_kw={name: {stop: kw for stop, (kw, _) in found.items()} for name, found in power_kw.items()},
        has_blocks=any(day.trips.block_ids),
        notices=tuple(notices),
    )


def _electric_day(source: TransitSource) -> Timetable:
    """The service day of vehicles that may be electric."""
    modes = modes_named(source.modes) if source.modes else MODES
    types = [
        kind
        for mode in modes
        if mode.vehicle_class in ELECTRIC_CLASSES
        for first, last in mode.types
        for kind in range(first, last + 1)
    ]
    return timetable(read_feed(source.feed), parse_day(source.service_date), route_types=types)


def _blocks_of(plan: TransitPlan, day: Timetable) -> dict[str, str]:
    """Block of each vehicle that may be electric, by its first trip in the timetable."""
    rows = {name: row for row, name in enumerate(day.trips.ids)}
    found: dict[str, str] = {}
    for leg, vehicle in enumerate(plan.legs.vehicle.tolist()):
        row = rows.get(plan.legs.trip_ids[leg])
        if row is not None:
            found.setdefault(plan.vehicle_ids[vehicle], block_name(day, row))
    return found


Powers = dict[str, tuple[float, str]]
"""Power (kW) and id of the strongest charger at a stop of the feed, by the stop's id."""


def _told(source: ChargingSource, plan: TransitPlan, block_of: Mapping[str, str], powers: Powers) -> Charging:
    electric = (name for name, block in block_of.items() if is_electric(block, source.electric_share))
    places = dict.fromkeys(zip(plan.calls.bus_stops, plan.calls.stop_ids, strict=True))
    stops = tuple(
        ChargedStop(bus_stop, powers[stop][1], powers[stop][0]) for bus_stop, stop in sorted(places) if stop in powers
    )
    return Charging(source.electric_share, tuple(electric), source.table.bus, stops)


def _powers(path: Path, day: Timetable, plan: TransitPlan, network: RoadNetwork, notices: list[Notice]) -> Powers:
    """Where buses can be charged on their way, by a table; what of it cannot be used is noted."""
    table = read_chargers(path)
    notices.extend(table.notices)
    simulated = frozenset(plan.calls.stop_ids)
    powers: Powers = {}
    for charger in table.chargers:
        if charger.kind not in {BUS, UNTOLD}:
            continue
        stops = _stops_of(charger, day)
        fault = _fault(charger, stops, simulated, network)
        if fault is not None:
            notices.append(
                Notice(fault[0], "warning", table.file, charger.line, fault[1], charger.charger_id, fault[2])
            )
        for stop in stops if np.isfinite(charger.power_kw) else ():
            powers[stop] = max(powers.get(stop, (0.0, "")), (charger.power_kw, charger.charger_id))
    return powers


def _stops_of(charger: Charger, day: Timetable) -> list[str]:
    """Stops of the feed that a charger serves: the one that it names, else those near it."""
    if charger.stop_id:
        return [charger.stop_id] if charger.stop_id in day.stops.ids else []
    north = np.radians(day.stops.lat - charger.lat)
    east = np.radians(day.stops.lon - charger.lon) * np.cos(np.radians(charger.lat))
    near = np.flatnonzero(EARTH_M * np.hypot(north, east) <= NEAR_M)
    return [day.stops.ids[row] for row in near.tolist()]


def _fault(
    charger: Charger, stops: Sequence[str], simulated: frozenset[str], network: RoadNetwork
) -> tuple[str, str, str] | None:
    """Why no bus is charged at a charger in the simulation: code, field, remedy; None where some may be."""
    if not np.isfinite(charger.power_kw):
        return "CHARGER_NO_POWER", "power_kw", "Give its power; until then nobody is charged there"
    if not simulated.isdisjoint(stops):
        return None
    if charger.stop_id and not stops:
        return "CHARGER_STOP", "stop_id", "Use the stop_id of a stop at which buses call that day; nobody charges there"
    if stops or not _is_inside(charger, network):
        return "CHARGER_OUTSIDE", "lat", "It lies outside the network; no simulated bus is charged there"
    return "CHARGER_FAR", "lat", f"No bus calls within {NEAR_M:g} m; move it, or name its stop_id"


def _is_inside(charger: Charger, network: RoadNetwork) -> bool:
    if not charger.has_place or not network.location.is_geographic:
        return False
    x_m, y_m = from_lonlat(network.location, [[charger.lon, charger.lat]])[0]
    west, south, east, north = network.location.bounds_m
    return bool(west <= x_m <= east and south <= y_m <= north)
