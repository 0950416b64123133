"""Detector kernels: arrays in, arrays out, compiled by numba."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

AT_END_M = 1.0
"""So near to the last call of a leg a vehicle has reached it, and so far beyond it has left it."""

STANDING_MPS = 0.1
"""Below this speed a vehicle counts as standing, as in SUMO."""


@njit(cache=True, nogil=True)
def demand_by_link(
    link: npt.NDArray[np.int64],
    distance_m: npt.NDArray[np.float64],
    speed_mps: npt.NDArray[np.float64],
    range_m: float,
    links: int,
) -> npt.NDArray[np.float64]:
    """Sort vehicles to the links that they want.

    Parameters
    ----------
    link
        Row of the link that each vehicle reaches next, shape (vehicles,); negative where it is none of ours.
    distance_m, speed_mps
        Way to the stop line and speed, shape (vehicles,).
    range_m
        Farther vehicles do not count.
    links
        Count of link rows.

    Returns
    -------
    Shape (4, links): vehicles, standing vehicles (below 0.1 m/s), distance of the nearest (m; infinity without any),
    vehicles by closeness, from 1 at the stop line to 0 at the end of the range (Li & Jabari 2019, position weight).
    """
    result = np.zeros((4, links))
    result[2] = np.inf
    for vehicle in range(len(link)):
        row = link[vehicle]
        # written so that a distance that is not a number does not count
        if row < 0 or not distance_m[vehicle] <= range_m:
            continue
        result[0, row] += 1
        if speed_mps[vehicle] < STANDING_MPS:
            result[1, row] += 1
        result[2, row] = min(result[2, row], distance_m[vehicle])
        result[3, row] += 1 - distance_m[vehicle] / range_m
    return result


class WayLayout(NamedTuple):
    """The ways behind links: which ways a link leads into, and on which edges of a way vehicles are counted.

    Ragged tables are a start, shape (rows + 1,), and values: ways of each link, counted edges of each way. ``lanes``
    has shape (ways,).
    """

    way_start: npt.NDArray[np.int64]
    way: npt.NDArray[np.int64]
    counted_start: npt.NDArray[np.int64]
    counted: npt.NDArray[np.int64]
    lanes: npt.NDArray[np.float64]


@njit(cache=True, nogil=True)
def vehicles_behind(vehicles: npt.NDArray[np.float64], layout: WayLayout) -> npt.NDArray[np.float64]:
    """Count vehicles a lane behind each link, the mean of the ways that it leads into, shape (links,).

    Parameters
    ----------
    vehicles
        Vehicles on the edges where they are counted, shape (counted edges,).
    layout
        Which edges lie behind which links.
    """
    links = len(layout.way_start) - 1
    result = np.zeros(links)
    for link in range(links):
        begin, end = layout.way_start[link], layout.way_start[link + 1]
        for way in layout.way[begin:end]:
            count = 0.0
            for edge in layout.counted[layout.counted_start[way] : layout.counted_start[way + 1]]:
                count += vehicles[edge]
            result[link] += count / layout.lanes[way] / (end - begin)
    return result


@njit(cache=True, nogil=True)
def without_room(full: npt.NDArray[np.bool_], layout: WayLayout) -> npt.NDArray[np.bool_]:
    """Tell which links lead into ways that are all full, shape (links,); ``full`` has shape (ways,)."""
    links = len(layout.way_start) - 1
    result = np.zeros(links, dtype=np.bool_)
    for link in range(links):
        begin, end = layout.way_start[link], layout.way_start[link + 1]
        result[link] = end > begin
        for way in layout.way[begin:end]:
            result[link] &= full[way]
    return result


@njit(cache=True, nogil=True)
def departures_at_speed(
    speed: float,
    moving_s: npt.NDArray[np.float64],
    standing_s: npt.NDArray[np.float64],
    dwell_s: npt.NDArray[np.float64],
    until_s: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]:
    """Arrivals and departures of a vehicle that is held up by nothing but what it was told.

    Parameters
    ----------
    speed
        Its speed as a share of the one that ``moving_s`` holds for.
    moving_s, standing_s
        Time under way to each stop from the one before, moving and standing, shape (stops,); the first counts from 0.
    dwell_s, until_s
        Least time at each stop, and the moment before which it does not leave (NaN where it may), shape (stops,).

    Returns
    -------
    Shape (stops, 2): arrival and departure.
    """
    times_s = np.empty((len(moving_s), 2))
    now_s = 0.0
    for stop in range(len(moving_s)):
        now_s += moving_s[stop] / speed + standing_s[stop]
        times_s[stop, 0] = now_s
        now_s += dwell_s[stop]
        if until_s[stop] > now_s:  # noqa: PLR1730 - written so that NaN does not count
            now_s = until_s[stop]
        times_s[stop, 1] = now_s
    return times_s


@njit(cache=True, nogil=True)
def ways_along_legs(
    edge: npt.NDArray[np.integer],
    at_m: npt.NDArray[np.float64],
    is_inside: npt.NDArray[np.bool_],
    legs: npt.NDArray[np.integer],
    ways_m: npt.NDArray[np.float64],
    end_m: npt.NDArray[np.float64],
    out_leg: npt.NDArray[np.integer],
    out_m: npt.NDArray[np.float64],
) -> None:
    """Tell on which leg vehicles are, and how far along it.

    Once at its last call a vehicle is on the leg that begins there; beyond it, on none.

    Parameters
    ----------
    edge
        Row of the edge of its route that each vehicle is on, or has left for the junction behind it, shape (vehicles,).
    at_m
        Position from the begin of the edge, or of the lane inside the junction, shape (vehicles,).
    is_inside
        Whether it is inside the junction, shape (vehicles,).
    legs
        Leg that is driven on an edge, and the one that begins on it; negative where there is none, shape (edges, 2).
    ways_m
        Way of the one and the other leg up to the edge's begin, the edge's length, and the way through the junction
        behind it, shape (edges, 4).
    end_m
        Way up to the last call of each leg, shape (legs,).
    out_leg, out_m
        Take the answer, shape (vehicles,): -1 and not a number between two legs.
    """
    for vehicle in range(len(edge)):
        row = edge[vehicle]
        past_m = at_m[vehicle]
        if is_inside[vehicle]:
            past_m = ways_m[row, 2] + min(past_m, ways_m[row, 3])
        leg, way_m = legs[row, 0], ways_m[row, 0] + past_m
        if leg >= 0 and legs[row, 1] >= 0 and way_m >= end_m[leg] - AT_END_M:
            leg, way_m = legs[row, 1], ways_m[row, 1] + past_m
        elif leg >= 0 and way_m > end_m[leg] + AT_END_M:
            leg = -1
        out_leg[vehicle] = leg
        out_m[vehicle] = way_m if leg >= 0 else np.nan


@njit(cache=True, nogil=True)
def passed_calls(
    vehicle: npt.NDArray[np.integer],
    leg: npt.NDArray[np.integer],
    next_call: npt.NDArray[np.integer],
    call_start: npt.NDArray[np.integer],
    last_leg: npt.NDArray[np.integer],
    last_next: npt.NDArray[np.integer],
    out_sample: npt.NDArray[np.integer],
    out_call: npt.NDArray[np.integer],
) -> int:
    """List the calls that vehicles have left behind since they were last seen.

    Parameters
    ----------
    vehicle
        Whose each sample is, shape (samples,).
    leg, next_call
        Leg that it is on, and call that it is at or comes to next, negative without, shape (samples,). Legs of one
        vehicle have rising numbers; on none of them it has done with the one before.
    call_start
        First call of each leg, and the end of the last one's, shape (legs + 1,).
    last_leg, last_next
        The last leg that each vehicle was on, negative before the first, and the call that it came to next there, shape
        (vehicles,). Brought up to date.
    out_sample, out_call
        Take the answer. There must be room for all calls, since none is left behind twice.

    Returns
    -------
    How many there are.
    """
    count = 0
    for sample in range(len(vehicle)):
        who, now = vehicle[sample], leg[sample]
        before = last_leg[who]
        if 0 <= now < before:
            continue
        if before >= 0:
            ahead = next_call[sample] if now == before and next_call[sample] >= 0 else call_start[before + 1]
            for call in range(last_next[who], ahead):
                out_sample[count], out_call[count] = sample, call
                count += 1
            last_next[who] = max(last_next[who], ahead)
        if now > before:
            ahead = next_call[sample] if next_call[sample] >= 0 else call_start[now + 1]
            for call in range(call_start[now], ahead):
                out_sample[count], out_call[count] = sample, call
                count += 1
            last_leg[who], last_next[who] = now, ahead
    return count


@njit(cache=True, nogil=True)
def rows_of_routes(
    vehicle: npt.NDArray[np.integer],
    place: npt.NDArray[np.integer],
    is_inside: npt.NDArray[np.bool_],
    lane_m: npt.NDArray[np.float64],
    route_start: npt.NDArray[np.integer],
    route_edge: npt.NDArray[np.integer],
    route_junction: npt.NDArray[np.integer],
    out: npt.NDArray[np.integer],
) -> None:
    """Find where in their routes vehicles are, looking forward from where they were.

    Parameters
    ----------
    vehicle
        Whose each sample is, shape (samples,), those of one vehicle in order of time; negative for none of ours.
    place
        Edge that it is on, or junction that it is in, shape (samples,); negative where that is not known.
    is_inside
        Which of both, shape (samples,).
    lane_m
        Position on the lane, shape (samples,). Who is farther back on the same edge has come round again.
    route_start
        First edge of each vehicle's route in the next two, shape (vehicles + 1,).
    route_edge, route_junction
        Edges of all routes, and the junction at the end of each, shape (edges,).
    out
        Takes the answer, shape (samples,): row of an edge of the routes, where inside the one that was left; -1 where
        the place does not lie ahead.
    """
    at = route_start[:-1].copy()
    last_m = np.full(len(at), -np.inf)
    for sample in range(len(vehicle)):
        who, here = vehicle[sample], place[sample]
        out[sample] = -1
        if here < 0 or who < 0:
            continue
        first = at[who]
        route = route_junction if is_inside[sample] else route_edge
        if not is_inside[sample] and route_edge[first] == here and lane_m[sample] < last_m[who]:
            first += 1
        for row in range(first, route_start[who + 1]):
            if route[row] == here:
                out[sample] = at[who] = row
                last_m[who] = np.inf if is_inside[sample] else lane_m[sample]
                break
