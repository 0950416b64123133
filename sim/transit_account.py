"""What became of a timetable on a network: pattern by pattern, stop by stop, and in sum."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gtfs.timetable import Timetable
from networks.faults import Notice
from networks.geometry import from_lonlat
from networks.network import FloatArray, IntArray, RoadNetwork
from networks.spatial import nearest_edges
from sim.bus_legs import LEAST_CALLS, Leg
from sim.bus_stops import PathCall
from sim.dress_rehearsal import DressRehearsal
from sim.modes import mode_of
from sim.run_times import FASTEST, LEAST_DWELL_S, ON_TIME_S, judged_times, run_times
from sim.transit import Transit
from sim.transit_paths import STOP_RADIUS_M

KEPT_SHARE = 0.85
"""A pattern's timetable can be kept where so many of its calls are on time on empty streets."""

VERY_LATE_S = 300.0
ROAD_SEARCH_M = 5000.0

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class PatternRow:
    """A pattern as a row of ``patterns.csv``.

    Attributes
    ----------
    matched_share, on_shape_share
        Share of the shape's length within 30 m of the path, and of the path's length within 30 m of the shape.
    gap_m, detour_m
        Length of the shape that has no path within 30 m (there is no road, or none for the mode), and length of the
        path that is farther from the shape.
    pieces
        Unbroken pieces of path; vehicles drive each for itself.
    calls, calls_placed, calls_driven
        Calls of a trip, those that have a place on the path, and those that vehicles serve.
    scheduled_s, free_s, standing_s
        Median of the timetable's time over all pieces, time on empty streets at the speed limit with dwell as wished,
        and how much of that a vehicle stood at signals.
    speed_factor
        Median share of the speed limit that drivers keep to, to be on time.
    kept_share
        Share of the calls that were within 60 s of the timetable in the dress rehearsal.
    reason
        Why fewer than 85 % are: ``signals``, ``stops`` (no time is left to open doors), ``speeds`` (faster than the
        streets allow), ``time to spare`` (early even at half the speed limit), ``vehicle late`` (from its trip before).
    """

    pattern_id: str
    route_id: str
    route: str
    direction_id: int | None
    mode: str
    trips: int
    shape_id: str
    shape_m: float
    path_m: float
    matched_share: float
    on_shape_share: float
    mean_distance_m: float
    max_distance_m: float
    gap_m: float
    detour_m: float
    pieces: int
    calls: int
    calls_placed: int
    calls_driven: int
    scheduled_s: float
    free_s: float
    standing_s: float
    speed_factor: float
    kept_share: float
    reason: str


@dataclass(frozen=True, slots=True)
class StopRow:
    """A pattern's call as a row of ``stops.csv``: where it was placed, or why not.

    ``distance_m`` is that of the stop from the path, ``road_distance_m`` that from the nearest road of its mode (empty
    beyond 5 km); ``position_m`` is where on the lane vehicles come to a stand.
    """

    pattern_id: str
    number: int
    stop_id: str
    stop_name: str
    lat: float
    lon: float
    placed: bool
    reason: str
    distance_m: float
    road_distance_m: float
    bus_stop: str
    edge: str
    lane: int | None
    position_m: float


@dataclass(frozen=True, slots=True)
class Totals:
    """An import in sum, as ``import.json`` has it.

    ``stops_near_road`` are those inside the network and within 100 m of a road of their mode. A call is reachable where
    its pattern's path comes within 100 m of it, and of another of its stops on the same piece. Shares on time, early
    and late (60 s) are those of the calls in the dress rehearsal, with ``stops_missed`` and ``vehicles_stuck`` in it.
    """

    service_date: str
    trips: int
    trips_driven: int
    trips_clipped: int
    patterns: int
    patterns_driven: int
    patterns_kept: int
    vehicles: int
    blocks: int
    stops: int
    stops_in_network: int
    stops_near_road: int
    stops_placed: int
    stops_placed_share: float
    calls: int
    calls_reachable: int
    calls_driven: int
    calls_driven_share: float
    path_km: float
    on_shape_share: float
    rehearsals: int
    stops_moved_to_turning_lane: int
    stops_left_out: int
    calls_on_time_share: float
    calls_early_share: float
    calls_late_share: float
    calls_over_300_s_late_share: float
    stops_missed: int
    vehicles_stuck: int


@dataclass(frozen=True, slots=True, eq=False)
class TransitAccount:
    """Rows and sums of an import, and what is to be said of single stops and trips."""

    patterns: tuple[PatternRow, ...]
    stops: tuple[StopRow, ...]
    totals: Totals
    notices: tuple[Notice, ...]


def transit_account(transit: Transit, network: RoadNetwork, rehearsal: DressRehearsal) -> TransitAccount:
    """Give account of an import and of its dress rehearsal."""
    facts = _Facts(transit, network, rehearsal)
    patterns = tuple(_pattern_row(facts, row) for row in range(len(transit.patterns)))
    stops = tuple(row for pattern in range(len(transit.patterns)) for row in _stop_rows(facts, pattern))
    return TransitAccount(patterns, stops, _totals(facts, patterns), tuple(_notices(facts)))


class _Facts:
    """What rows are made of, worked out once."""

    def __init__(self, transit: Transit, network: RoadNetwork, rehearsal: DressRehearsal) -> None:
        day = transit.timetable
        self.transit, self.network, self.day, self.rehearsal = transit, network, day, rehearsal
        self.trips = np.bincount(day.trips.pattern, minlength=len(transit.patterns))
        self.driven = [{call.call: (leg, call) for leg in legs for call in leg.calls} for legs in transit.legs]
        self.stops_m = from_lonlat(network.location, np.column_stack((day.stops.lon, day.stops.lat)))
        self.road_m = _road_distances_m(network, transit, self.stops_m)
        self.inside = _inside(network, self.stops_m)
        stops = [
            (stop, speed)
            for vehicle, speed in zip(transit.vehicles, transit.speeds, strict=True)
            for stop in vehicle.stops
        ]
        self.call_pattern = day.trips.pattern[[stop.trip for stop, _ in stops]]
        self.speed = np.array([speed for _, speed in stops])
        self.off_s = _deviations_s(transit, rehearsal)

    def near_road(self, pattern: int, stop: int) -> bool:
        """Whether a stop lies in the network and near a road of the pattern's mode."""
        road_m = self.road_m[self.transit.patterns[pattern].vehicle_class]
        return bool(self.inside[stop] and road_m[stop] <= STOP_RADIUS_M)


def _road_distances_m(network: RoadNetwork, transit: Transit, stops_m: FloatArray) -> dict[str, FloatArray]:
    classes = dict.fromkeys(pattern.vehicle_class for pattern in transit.patterns)
    return {name: nearest_edges(network, stops_m, ROAD_SEARCH_M, name)[1] for name in classes}


def _inside(network: RoadNetwork, points_m: FloatArray) -> BoolArray:
    west, south, east, north = network.location.bounds_m
    x_m, y_m = points_m.T
    inside: BoolArray = (x_m >= west) & (x_m <= east) & (y_m >= south) & (y_m <= north)
    return inside


def _deviations_s(transit: Transit, rehearsal: DressRehearsal) -> FloatArray:
    """How late each stop was in the rehearsal (s), NaN where the vehicle did not come."""
    judged = [judged_times(transit.timetable, vehicle) for vehicle in transit.vehicles]
    due_s, column = (np.concatenate(parts) for parts in zip(*judged, strict=True))
    return np.asarray(rehearsal.times_s[np.arange(len(column)), column] - due_s)


def _pattern_row(facts: _Facts, row: int) -> PatternRow:
    day, transit = facts.day, facts.transit
    pattern, route = transit.patterns[row], int(day.patterns.route[row])
    mode, shape = mode_of(int(day.routes.route_type[route])), int(day.patterns.shape[row])
    direction = int(day.patterns.direction[row])
    quality, here = pattern.quality, facts.call_pattern == row
    scheduled_s, free_s, standing_s = _times(facts, row)
    kept = float((np.abs(facts.off_s[here]) <= ON_TIME_S).mean()) if here.any() else np.nan
    return PatternRow(
        pattern_id=day.patterns.ids[row],
        route_id=day.routes.ids[route],
        route=day.routes.short_names[route] or day.routes.long_names[route],
        direction_id=direction if direction >= 0 else None,
        mode=mode.name if mode else "",
        trips=int(facts.trips[row]),
        shape_id=day.shapes.ids[shape] if shape >= 0 else "",
        shape_m=quality.shape_m,
        path_m=quality.path_m,
        matched_share=quality.matched_share,
        on_shape_share=quality.on_shape_share,
        mean_distance_m=quality.mean_distance_m,
        max_distance_m=quality.max_distance_m,
        gap_m=quality.shape_m * (1 - quality.matched_share),
        detour_m=quality.path_m * (1 - quality.on_shape_share) if pattern.paths else np.nan,
        pieces=len(transit.legs[row]),
        calls=len(pattern.places.path),
        calls_placed=int((pattern.places.path >= 0).sum()),
        calls_driven=len(facts.driven[row]),
        scheduled_s=scheduled_s,
        free_s=free_s,
        standing_s=standing_s,
        speed_factor=float(np.median(facts.speed[here])) if here.any() else np.nan,
        kept_share=kept,
        reason="" if not here.any() or kept >= KEPT_SHARE else _reason(facts, row),
    )


def _times(facts: _Facts, row: int) -> tuple[float, float, float]:
    """Scheduled, free and standing time of a pattern over all its legs (s); NaN where it has none."""
    legs = facts.transit.legs[row]
    if not legs:
        return np.nan, np.nan, np.nan
    runs = [facts.transit.runs[row, leg.number] for leg in legs]
    scheduled_s = sum(float(np.median(_scheduled_s(facts.day, leg))) for leg in legs)
    free_s = sum(float(run.arrival_s[-1] - run.departure_s[0]) for run in runs)
    return scheduled_s, free_s, float(np.nansum([run.standing_s for run in runs]))


def _scheduled_s(day: Timetable, leg: Leg) -> IntArray:
    """Timetable's time over a leg, by trip of its pattern."""
    first = day.trips.call_start[np.flatnonzero(day.trips.pattern == leg.pattern)]
    times = day.calls.arrival_s[first + leg.calls[-1].call] - day.calls.departure_s[first + leg.calls[0].call]
    return np.asarray(times)


def _reason(facts: _Facts, row: int) -> str:
    """Why a pattern's timetable cannot be kept: what would have to be shorter, the least avoidable thing first."""
    off_s = facts.off_s[facts.call_pattern == row]
    if (off_s < -ON_TIME_S).sum() > (off_s > ON_TIME_S).sum():
        return "time to spare"
    if _begins_late(facts, row):
        return "vehicle late"
    legs = facts.transit.legs[row]
    times = [run_times(facts.transit.runs[row, leg.number]) for leg in legs]
    moving_s = sum(float(time.moving_s.sum()) for time in times) / FASTEST
    stops_s = LEAST_DWELL_S * sum(len(leg.calls) - 2 for leg in legs)
    scheduled_s, _, _ = _times(facts, row)
    if scheduled_s < moving_s:
        return "speeds"
    return "stops" if scheduled_s < moving_s + stops_s else "signals"


def _begins_late(facts: _Facts, row: int) -> bool:
    """Whether most of a pattern's legs are late from their first call on: the trip before took too long."""
    first = np.concatenate(
        [np.arange(leg.last - leg.first + 1) == 0 for vehicle in facts.transit.vehicles for leg in vehicle.legs]
    )
    off_s = facts.off_s[first & (facts.call_pattern == row)]
    return bool((off_s > ON_TIME_S).mean() > 0.5) if len(off_s) else False  # noqa: PLR2004 - most


def _stop_rows(facts: _Facts, row: int) -> Iterator[StopRow]:
    day, pattern = facts.day, facts.transit.patterns[row]
    calls = day.patterns.calls(row)
    for call, stop in enumerate(day.patterns.call_stop[calls].tolist()):
        leg_call = facts.driven[row].get(call)
        road_m = float(facts.road_m[pattern.vehicle_class][stop])
        found = _place(facts, stop, leg_call[1]) if leg_call else ("", "", None, np.nan)
        yield StopRow(
            pattern_id=day.patterns.ids[row],
            number=call + 1,
            stop_id=day.stops.ids[stop],
            stop_name=day.stops.names[stop],
            lat=float(day.stops.lat[stop]),
            lon=float(day.stops.lon[stop]),
            placed=leg_call is not None,
            reason="" if leg_call else _why_not(facts, row, call, stop),
            distance_m=float(pattern.places.distance_m[call]),
            road_distance_m=road_m if np.isfinite(road_m) else np.nan,
            bus_stop=found[0],
            edge=found[1],
            lane=found[2],
            position_m=found[3],
        )


def _place(facts: _Facts, stop: int, call: PathCall) -> tuple[str, str, int | None, float]:
    place = call.place
    return facts.transit.stop_ids[stop, place], facts.network.edges.ids[place.edge], place.lane, place.end_m


def _why_not(facts: _Facts, row: int, call: int, stop: int) -> str:
    transit = facts.transit
    if not np.isfinite(facts.stops_m[stop]).all():
        return "no coordinates"
    if not facts.inside[stop]:
        return "outside the network"
    if not facts.near_road(row, stop):
        return "no road of its mode within 100 m"
    if transit.patterns[row].places.path[call] < 0:
        return "the path passes farther than 100 m, or not in the order of the stops"
    if (row, call) in transit.repairs.left_out:
        return "cannot be served in the rehearsal"
    alone = (transit.patterns[row].places.path == transit.patterns[row].places.path[call]).sum() < 2  # noqa: PLR2004 - itself
    return (
        "alone on its piece of the path" if alone else "no room behind the stop before, or its piece cannot be driven"
    )


def _totals(facts: _Facts, patterns: Sequence[PatternRow]) -> Totals:
    day, transit = facts.day, facts.transit
    driven = [leg for vehicle in transit.vehicles for leg in vehicle.legs]
    whole = sum(leg.last - leg.first + 1 == _calls_of(day, leg.trip) for leg in driven)
    trips = {leg.trip for leg in driven}
    due = _due(transit)
    reachable, placed = _reachable(facts), _placed(facts)
    near = {int(stop) for row, stop in _pairs(facts) if facts.near_road(row, stop)}
    calls_driven = sum(len(vehicle.stops) for vehicle in transit.vehicles)
    path_m = np.array([row.path_m for row in patterns])
    on_shape_m = np.array([row.path_m * row.on_shape_share for row in patterns])
    return Totals(
        service_date=day.service_date.isoformat(),
        trips=len(np.unique(day.call_trip[due])),
        trips_driven=len(trips),
        trips_clipped=len(trips) - whole,
        patterns=len(patterns),
        patterns_driven=sum(row.calls_driven > 0 for row in patterns),
        patterns_kept=sum(row.kept_share >= KEPT_SHARE for row in patterns),
        vehicles=len(transit.vehicles),
        blocks=len({day.trips.block_ids[trip] for trip in trips} - {""}),
        stops=len(day.stops),
        stops_in_network=int(facts.inside.sum()),
        stops_near_road=len(near),
        stops_placed=len(placed),
        stops_placed_share=len(placed & near) / len(near) if near else np.nan,
        calls=int(due.sum()),
        calls_reachable=int((due & reachable).sum()),
        calls_driven=calls_driven,
        calls_driven_share=calls_driven / int((due & reachable).sum()) if (due & reachable).any() else np.nan,
        path_km=float(path_m.sum()) / 1000,
        on_shape_share=float(np.nansum(on_shape_m) / path_m.sum()) if path_m.sum() else np.nan,
        rehearsals=transit.rounds,
        stops_moved_to_turning_lane=len(transit.repairs.leading_lane - transit.repairs.left_out),
        stops_left_out=len(transit.repairs.left_out),
        calls_on_time_share=_share(np.abs(facts.off_s) <= ON_TIME_S),
        calls_early_share=_share(facts.off_s < -ON_TIME_S),
        calls_late_share=_share(facts.off_s > ON_TIME_S),
        calls_over_300_s_late_share=_share(facts.off_s > VERY_LATE_S),
        stops_missed=facts.rehearsal.missed,
        vehicles_stuck=len(facts.rehearsal.stuck),
    )


def _share(found: BoolArray) -> float:
    return float(found.mean()) if len(found) else np.nan


def _calls_of(day: Timetable, trip: int) -> int:
    return int(day.trips.call_start[trip + 1] - day.trips.call_start[trip])


def _due(transit: Transit) -> BoolArray:
    """Calls that lie in the time asked for: of trips that begin before its end, those from its begin on."""
    day, options = transit.timetable, transit.options
    due: BoolArray = (day.first_departure_s < options.end_s)[day.call_trip] & (day.calls.departure_s >= options.begin_s)
    return due


def _pairs(facts: _Facts) -> Iterator[tuple[int, int]]:
    """Every pattern with each of its stops, call by call."""
    patterns = facts.day.patterns
    for row in range(len(patterns)):
        for stop in patterns.call_stop[patterns.calls(row)].tolist():
            yield row, stop


def _reachable(facts: _Facts) -> BoolArray:
    """Calls whose stop has a place on its pattern's path, in company, shape (calls,)."""
    day = facts.day
    placed = np.concatenate([_in_company(pattern.places.path) for pattern in facts.transit.patterns])
    number = np.arange(len(day.calls)) - day.trips.call_start[day.call_trip]
    return np.asarray(placed[day.patterns.call_start[day.trips.pattern[day.call_trip]] + number])


def _in_company(path: IntArray) -> BoolArray:
    """Calls that have a place on a piece of path on which another call has one, shape (calls,)."""
    counts = np.bincount(path[path >= 0], minlength=1)
    company: BoolArray = (path >= 0) & (counts[np.maximum(path, 0)] >= LEAST_CALLS)
    return company


def _placed(facts: _Facts) -> set[int]:
    """Stops that some vehicle serves."""
    return {int(facts.day.call_stop[stop.call]) for vehicle in facts.transit.vehicles for stop in vehicle.stops}


def _notices(facts: _Facts) -> Iterator[Notice]:
    """Stops without a road, with the distance to the nearest one, and what the timetable left out."""
    yield from facts.day.notices
    for stuck in facts.rehearsal.stuck:
        yield Notice(
            code="TRANSIT_STUCK",
            severity="warning",
            file="transit.rou.xml",
            row=None,
            field="vehicle",
            value=stuck.vehicle,
            remedy=f"It stood on lane {stuck.lane} at {stuck.time_s:.0f} s ({stuck.reason}): look at the streets there",
        )
    far = {stop: row for row, stop in _pairs(facts) if facts.inside[stop] and not facts.near_road(row, stop)}
    for stop, row in sorted(far.items()):
        mode = facts.transit.patterns[row].vehicle_class
        road_m = float(facts.road_m[mode][stop])
        distance = f"{road_m:.0f} m" if np.isfinite(road_m) else f"more than {ROAD_SEARCH_M:.0f} m"
        yield Notice(
            code="STOP_UNMAPPED",
            severity="warning",
            file="stops.txt",
            row=None,
            field="stop_id",
            value=facts.day.stops.ids[stop],
            remedy=f"The nearest road for a {mode} is {distance} off: its calls are left out. Correct stop or streets",
        )
