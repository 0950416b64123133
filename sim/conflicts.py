"""Conflicts of a run: who came how near to whom, from samples as they come, one record for a pair and an encounter.

Samples come in pieces. The last minutes of the pieces before are kept, so that memory hangs on the traffic and not on
how long it is watched, and where a piece ends shows in no record.
"""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from networks.network import NONE, FloatArray, RoadNetwork
from sim.areas import signal_or_junction
from sim.conflict_areas import ConflictMap
from sim.conflict_kernels import Limits, Sizes, encounters
from sim.conflict_samples import joined
from sim.following_kernels import OpenPairs, Scene, following, neighbours_in_time
from sim.lane_points import points_on_lanes
from sim.track_kernels import IntArray, Passes, Samples, follow_tracks, passes_of
from sim.vehicle_sizes import VehicleSize

LOOK_AHEAD_S = 10.0
"""A follower's next lane is known from what it does in this time."""

HOLD_S = 120.0
HOLD_AT_MOST_S = 900.0
"""Samples of so long before a vehicle came to a way are kept while it is there, and none that are older than the
greatest: who takes longer is in a jam."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Up to which PET and TTC (s) an encounter is told."""

    pet_s: float = 5.0
    ttc_s: float = 1.5


@dataclass(frozen=True, slots=True)
class Party:
    """A vehicle or a person, by name."""

    name: str
    size: VehicleSize


@dataclass(frozen=True, slots=True)
class Conflict:
    """A pair and an encounter. Measures that it has none of are NaN.

    ``first`` was in the conflict area before ``second``; of a pair in one lane the leader is first. A link is the lane
    inside the junction by which one drove, or the lane of both. ``x_m`` and ``y_m`` are network coordinates.
    ``delta_v_mps`` is the length of the difference of both velocities.
    """

    time_s: float
    junction: str
    kind: str
    first: str
    first_type: str
    second: str
    second_type: str
    first_link: str
    second_link: str
    x_m: float
    y_m: float
    angle_deg: float
    ttc_s: float
    pet_s: float
    drac_mps2: float
    first_mps: float
    second_mps: float
    delta_v_mps: float


class ConflictWatch:
    """Takes samples piece by piece and gives the conflicts in them.

    ``entered`` counts the vehicles that have passed each site, by its name.

    Parameters
    ----------
    sites
        Names of the sites by row of their junctions; what happens elsewhere is not told.
    every_s
        Time between two samples of a vehicle.
    """

    def __init__(
        self,
        network: RoadNetwork,
        places: ConflictMap,
        sites: Mapping[int, str],
        every_s: float,
        thresholds: Thresholds | None = None,
    ) -> None:
        """Begin with nobody on the road."""
        self.entered: Counter[str] = Counter()
        self._network, self._places, self._sites = network, places, sites
        self._limits = thresholds or Thresholds()
        self._gap_s = 1.5 * every_s
        self._kept = joined([])
        self._told_s = self._followed_s = -math.inf
        self._open = OpenPairs(np.full(0, NONE, dtype=np.int64), np.zeros(0), np.zeros((0, 9)))

    def take(self, samples: Samples, who: Sequence[Party]) -> Iterator[Conflict]:
        """Take the next samples, in order of time; ``who`` are all that were seen so far, by their number."""
        if len(samples.time_s):
            yield from self._look(samples, who, float(samples.time_s[-1]), LOOK_AHEAD_S)

    def finish(self, who: Sequence[Party]) -> Iterator[Conflict]:
        """Tell what has waited for later samples."""
        yield from self._look(joined([]), who, math.inf, 0.0)
        yield from self._followings(self._open.told[self._open.leader != NONE], who)

    def _look(self, samples: Samples, who: Sequence[Party], last_s: float, ahead_s: float) -> Iterator[Conflict]:
        tables, told_s = self._places.tables, self._told_s
        whole = _by_vehicle(joined([self._kept, samples]))
        sizes = Sizes(np.array([party.size.length_m for party in who]), np.array([party.size.width_m for party in who]))
        tracks = follow_tracks(whole, tables, self._gap_s)
        passes = passes_of(whole, tracks, tables.way_m, sizes.length_m, self._gap_s, last_s)
        self._count(passes.way[(passes.done_s > told_s) & (passes.done_s <= last_s)])
        limits = Limits(self._limits.pet_s, self._limits.ttc_s, told_s, last_s)
        met = encounters(whole, tracks.along_m, passes, self._places.areas, sizes, limits)
        yield from self._meetings(met, whole, passes, who)
        self._grow(len(who))
        by_time = np.argsort(whole.time_s, kind="stable")
        scene = Scene(whole, tracks.along_m, *neighbours_in_time(whole, tracks), by_time)
        limits = Limits(self._limits.pet_s, self._limits.ttc_s, self._followed_s, last_s - ahead_s)
        yield from self._followings(following(scene, tables, sizes, self._open, limits), who)
        self._told_s, self._followed_s = last_s, last_s - ahead_s
        kept = by_time[whole.time_s[by_time] >= _needed_since_s(whole, passes, last_s)]
        self._kept = Samples._make(column[kept] for column in whole)

    def _count(self, ways: IntArray) -> None:
        for way, count in zip(*np.unique(ways, return_counts=True), strict=True):
            place = self._places.ways[way]
            if place.from_lane != NONE and place.junction in self._sites:
                self.entered[self._sites[place.junction]] += int(count)

    def _grow(self, vehicles: int) -> None:
        new = vehicles - len(self._open.leader)
        self._open = OpenPairs(
            np.concatenate((self._open.leader, np.full(new, NONE, dtype=np.int64))),
            np.concatenate((self._open.seen_s, np.zeros(new))),
            np.concatenate((self._open.told, np.zeros((new, 9)))),
        )

    def _meetings(self, met: FloatArray, whole: Samples, passes: Passes, who: Sequence[Party]) -> Iterator[Conflict]:
        """Records of those who crossed or merged."""
        areas, ways, lane_ids = self._places.areas, self._places.ways, self._network.lanes.ids
        for first, second, area, time_s, pet_s, ttc_s, drac, first_mps, second_mps in met.tolist():
            one, other = (who[whole.vehicle[passes.low[int(item)]]] for item in (first, second))
            way, foe = (ways[passes.way[int(item)]] for item in (first, second))
            if way.junction not in self._sites:
                continue
            cosine = float(np.clip(areas.cosine[int(area)], -1.0, 1.0))
            yield Conflict(
                time_s=time_s,
                junction=self._sites[way.junction],
                kind="merging" if areas.merges[int(area)] else "crossing",
                first=one.name,
                first_type=one.size.type_id,
                second=other.name,
                second_type=other.size.type_id,
                first_link=lane_ids[way.lanes[0]],
                second_link=lane_ids[foe.lanes[0]],
                x_m=float(self._places.place_m[int(area), 0]),
                y_m=float(self._places.place_m[int(area), 1]),
                angle_deg=math.degrees(math.acos(cosine)),
                ttc_s=_known(ttc_s, self._limits.ttc_s),
                pet_s=_known(pet_s, math.inf),
                drac_mps2=drac if drac > 0 else math.nan,
                first_mps=first_mps,
                second_mps=second_mps,
                delta_v_mps=math.sqrt(max(first_mps**2 + second_mps**2 - 2 * first_mps * second_mps * cosine, 0.0)),
            )

    def _followings(self, rows: FloatArray, who: Sequence[Party]) -> Iterator[Conflict]:
        """Records of those who closed in on one ahead."""
        lanes = self._network.lanes
        points = points_on_lanes(
            rows[:, 7].astype(np.int64), rows[:, 8].copy(), lanes.shape_start, lanes.shape_m, lanes.length_m
        )
        for row, (x_m, y_m, *_) in zip(rows.tolist(), points.tolist(), strict=True):
            follower, leader, time_s, ttc_s, drac, follower_mps, leader_mps, lane, _ = row
            site = self._site_of(int(lane))
            if site is None:
                continue
            one, other = who[int(leader)], who[int(follower)]
            yield Conflict(
                time_s=time_s,
                junction=site,
                kind="following",
                first=one.name,
                first_type=one.size.type_id,
                second=other.name,
                second_type=other.size.type_id,
                first_link=self._network.lanes.ids[int(lane)],
                second_link=self._network.lanes.ids[int(lane)],
                x_m=x_m,
                y_m=y_m,
                angle_deg=0.0,
                ttc_s=ttc_s,
                pet_s=math.nan,
                drac_mps2=drac,
                first_mps=leader_mps,
                second_mps=follower_mps,
                delta_v_mps=follower_mps - leader_mps,
            )

    def _site_of(self, lane: int) -> str | None:
        """Site that a lane lies in or leads to, else the one that it comes from."""
        edges, edge = self._network.edges, self._network.lanes.edge[lane]
        return self._sites.get(int(edges.to_junction[edge])) or self._sites.get(int(edges.from_junction[edge]))


def _needed_since_s(whole: Samples, passes: Passes, last_s: float) -> float:
    """Time (s) since which samples are needed: as long as the oldest pass under way has lasted, within bounds."""
    begins_s = whole.time_s[passes.low[passes.done_s > last_s]]
    oldest_s = float(begins_s.min()) - HOLD_S if len(begins_s) else last_s
    return max(min(oldest_s, last_s - HOLD_S), last_s - HOLD_AT_MOST_S)


def _by_vehicle(samples: Samples) -> Samples:
    order = np.argsort(samples.vehicle, kind="stable")
    return Samples._make(column[order] for column in samples)


def _known(value: float, most: float) -> float:
    """A measure, NaN where it is infinite or above what is told."""
    return value if math.isfinite(value) and value <= most else math.nan


def site_junctions(network: RoadNetwork, names: Sequence[str] | None) -> dict[int, str]:
    """Junction rows of sites (ids of signals or junctions), each with the site's id; of all junctions with None."""
    wanted = network.junctions.ids if names is None else names
    found: dict[int, str] = {}
    for name in dict.fromkeys(signal_or_junction(network, name) for name in wanted):
        signal = network.signal_index.get(name)
        rows = network.junctions_of_signal(signal) if signal is not None else (network.junction_index[name],)
        found |= {row: name for row in rows if row not in found}
    return found


def site_edges(network: RoadNetwork, sites: Mapping[int, str]) -> tuple[str, ...]:
    """Edges into sites, out of them and inside, by which SUMO's record is narrowed down to them."""
    rows = list(sites)
    touches = np.isin(network.edges.to_junction, rows) | np.isin(network.edges.from_junction, rows)
    return tuple(network.edges.ids[row] for row in np.flatnonzero(touches).tolist())
