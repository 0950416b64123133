"""Tracks as SUMO's route file: a vehicle each, on the part of its path that it drives."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from xml.sax.saxutils import quoteattr

import numpy as np

from networks.network import RoadNetwork
from networks.outfile import write_text
from sim.bus_lanes import BusLanes
from sim.modes import MODES
from sim.replay_tracks import Rest, Track, rests
from sim.transit_files import KEEP_CLEAR_S

ROOM_M = 2.0
"""So much short of its place a vehicle may come to a stand, to rest there or to be done."""

MOVES_M, MOVES_S = 10.0, 5.0
"""Who gets so far in so short a time enters driving; all others enter standing."""


def write_tracks(path: Path, network: RoadNetwork, tracks: Iterable[Track]) -> None:
    """Write vehicles in order of their entry."""
    lanes = {mode.vehicle_class: BusLanes(network, mode.vehicle_class) for mode in MODES}
    lines = ["<routes>", *_types()]
    for track in sorted(tracks, key=lambda track: (track.time_s[0], track.vehicle_id)):
        lines.extend(_vehicle(network, lanes[track.vehicle_class], track))
    write_text(path, "\n".join([*lines, "</routes>", ""]))


def _types() -> Iterator[str]:
    for mode in MODES:
        yield (
            f'    <vType id="replayed_{mode.vehicle_class}" vClass="{mode.vehicle_class}" length="{mode.length_m:g}" '
            f'speedDev="0" jmIgnoreKeepClearTime="{KEEP_CLEAR_S:g}"/>'
        )


def _vehicle(network: RoadNetwork, lanes: BusLanes, track: Track) -> Iterator[str]:
    edges = track.path.edges[track.first_edge : track.last_edge + 1]
    names = " ".join(network.edges.ids[row] for row in edges.tolist())
    begin_s = float(track.time_s[0])
    at_m, end_m = (track.path.place(float(way_m))[1] for way_m in (track.way_m[0], track.way_m[-1]))
    moves = track.way_at(np.array([begin_s + MOVES_S]))[0] - track.way_m[0] >= MOVES_M
    yield (
        f"    <vehicle id={quoteattr(track.vehicle_id)} type={quoteattr(f'replayed_{track.vehicle_class}')} "
        f'depart="{begin_s:.2f}" departLane="best" departPos="{at_m:.2f}" departSpeed="{"desired" if moves else 0}" '
        f'arrivalPos="{max(end_m - ROOM_M, 0.0):.2f}">'
    )
    yield f"        <route edges={quoteattr(names)}/>"
    long_stays = rests(track)
    ahead = lanes.leading_on(edges) if long_stays else []
    for rest in long_stays:
        yield _rest(network, lanes, track, rest, ahead[track.path.place(rest.end_m)[0] - track.first_edge])
    yield "    </vehicle>"


def _rest(network: RoadNetwork, lanes: BusLanes, track: Track, rest: Rest, leading: frozenset[int]) -> str:
    """A stop beside the rightmost lane from which the vehicle can go on, as long as where it stood, and some more."""
    position, at_m = track.path.place(rest.end_m)
    edge = int(track.path.edges[position])
    number = min(leading & lanes.usable(edge) or lanes.usable(edge))
    lane = int(network.edges.lane_start[edge]) + number
    end_m = min(max(at_m, ROOM_M), float(network.lanes.length_m[lane]))
    begin_m = max(0.0, end_m - (rest.end_m - rest.begin_m) - ROOM_M)
    return (
        f'        <stop lane={quoteattr(network.lanes.ids[lane])} startPos="{begin_m:.2f}" endPos="{end_m:.2f}" '
        f'parking="true" duration="0" until="{rest.until_s:.0f}"/>'
    )
