"""Traces matched back to the streets: how much of the way driven is found, how much is made up, and how fast.

The truth is a drive in SUMO, so no map and no matcher of ours has a say in it. Errors of positions are normal with the
same deviation along x and y, and independent from one position to the next.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.drives import Drive, Kind, drives
from benchmarks.published import MATCHED_POINTS_PER_S
from benchmarks.results import Measurement
from benchmarks.setup import Setup
from networks.build import build_network
from networks.kernels import distances_from_line, join_places
from networks.matching import MatchedPart, Matcher, matcher, trace_settings
from networks.network import FloatArray, IntArray, RoadNetwork
from networks.netxml import read_network
from networks.paths import path_over
from sim.engine import sumo_home

PERIODS_S = (5, 10, 15, 30)
NOISE_M = (0.0, 5.0, 10.0, 15.0)
DRIVES = 30
SEEDS = (2, 3)
"""Seed 1 of the first city is what the settings were tuned on."""

NEAR_M = 12.0
"""The other carriageway of a street, or the lane that buses have for themselves beside it, is nearer."""

SAMPLE_M = 10.0

STREETS = {"porto-alegre": "portoalegre/osm.pbf", "northern-kentucky": "northern_kentucky/streets.osm.pbf"}


@dataclass(frozen=True, slots=True)
class Score:
    """Of some drives: the way truly driven, what the match has of it in order, near it, and what it has besides (m)."""

    true_m: float = 0.0
    right_m: float = 0.0
    near_m: float = 0.0
    added_m: float = 0.0

    def __add__(self, other: "Score") -> "Score":
        """Of both together."""
        return Score(
            self.true_m + other.true_m,
            self.right_m + other.right_m,
            self.near_m + other.near_m,
            self.added_m + other.added_m,
        )


def map_matching(setup: Setup) -> Iterator[Measurement]:
    """Right, near and wrongly added length by map, kind of route, interval and noise; and points a second."""
    for place, path in _maps(setup):
        network = read_network(path)
        streets = matcher(network, "bus")
        for kind in Kind:
            setup.tell(f"{place}: {kind} routes, seeds {SEEDS[0]} to {SEEDS[-1]}, {DRIVES} each")
            driven = [drive for seed in SEEDS for drive in drives(network, path, kind, DRIVES, seed)]
            yield from _curve(f"{place}/{kind}", network, streets, driven, setup)
    setup.tell(f"published: LeuvenMapMatching, {MATCHED_POINTS_PER_S:,} points a second")


def _maps(setup: Setup) -> Iterator[tuple[str, Path]]:
    yield "adlershof", sumo_home() / "tools" / "game" / "DRT" / "osm.net.xml"
    for place, name in STREETS.items():
        streets = setup.real(name, f"map-matching in {place}")
        if streets is not None:
            built = setup.cache / f"{streets.parent.name}.net.xml"
            if not built.exists():
                setup.tell(f"building {built.name}, once")
                build_network(streets, built)
            yield place, built


def _curve(
    place: str, network: RoadNetwork, streets: Matcher, driven: Sequence[Drive], setup: Setup
) -> Iterator[Measurement]:
    streets.match(driven[0].points_m, trace_settings(0.0))  # compiling is not matching
    for period_s in PERIODS_S:
        sampled = [drive.every(period_s) for drive in driven]
        known = known_places_score(network, streets, sampled)
        yield Measurement(f"{place}/{period_s} s, places known/right", known.right_m / known.true_m, "1")
        cells = [f"places known {_share(known)}"]
        for noise_m in NOISE_M:
            total, points_per_s = matched(network, streets, sampled, noise_m)
            label = f"{place}/{period_s} s, {noise_m:g} m"
            yield Measurement(f"{label}/right", total.right_m / total.true_m, "1")
            yield Measurement(f"{label}/right or beside", total.near_m / total.true_m, "1")
            yield Measurement(f"{label}/wrongly added", total.added_m / total.true_m, "1")
            yield Measurement(f"{label}/points per second", points_per_s, "1/s")
            cells.append(f"{noise_m:g} m {_share(total)}")
        setup.tell(f"{place}, every {period_s} s, % right (wrongly added): {'; '.join(cells)}")


def _share(total: Score) -> str:
    return f"{100 * total.right_m / total.true_m:.2f} ({100 * total.added_m / total.true_m:.2f})"


def matched(
    network: RoadNetwork, streets: Matcher, driven: Sequence[Drive], noise_m: float, seed: int = 1
) -> tuple[Score, float]:
    """Match drives whose positions are wrong by chance; how right that is, and points matched per CPU second."""
    chance, settings = np.random.default_rng(seed), trace_settings(noise_m)
    total, used_s = Score(), 0.0
    for drive in driven:
        points_m = drive.points_m + chance.normal(size=drive.points_m.shape) * noise_m
        began_s = time.process_time()
        parts = streets.match(points_m, settings)
        used_s += time.process_time() - began_s
        total += score(network, drive, parts)
    return total, sum(len(drive.points_m) for drive in driven) / used_s


def known_places_score(network: RoadNetwork, streets: Matcher, driven: Sequence[Drive]) -> Score:
    """Where every position's true place is known and the shortest way joins them: what positions can tell at most."""
    total = Score()
    for drive in driven:
        node = streets.router.node_of_edge[drive.edges[drive.position]]
        path, _ = join_places(node, drive.place_m / streets.scale[node], streets.graph, 0.0, np.inf)
        begin_m, end_m = float(drive.place_m[0]), float(drive.place_m[-1])
        none = np.empty(0, dtype=np.int32)
        total += score(
            network, drive, [MatchedPart(streets.router.edges[path], begin_m, end_m, none, none, np.empty(0))]
        )
    return total


def score(network: RoadNetwork, drive: Drive, parts: Sequence[MatchedPart]) -> Score:
    """Compare a match with the truth between the first and the last position.

    Right is the common subsequence of edges that is longest in metres, so that order and repetition count. Where on the
    first and the last edge a way begins and ends is noise, so an edge there is right or wrong by its driven part.
    """
    first, last = int(drive.position[0]), int(drive.position[-1])
    driven = drive.edges[first : last + 1]
    driven_m = _lengths(network, driven, float(drive.place_m[0]), float(drive.place_m[-1]))
    found = np.concatenate([np.empty(0, dtype=np.int32), *(part.edges for part in parts)])
    found_m = np.concatenate(
        [np.empty(0), *(_lengths(network, part.edges, part.begin_m, part.end_m) for part in parts)]
    )
    return Score(
        true_m=float(driven_m.sum()),
        right_m=common_m(driven, driven_m, found),
        near_m=float(driven_m.sum()) * _near_share(network, drive, parts),
        added_m=float(found_m.sum()) - common_m(found, found_m, driven),
    )


def _lengths(network: RoadNetwork, edges: IntArray, begin_m: float, end_m: float) -> FloatArray:
    """Length of each edge of a way, without what lies before its begin and behind its end."""
    length_m = network.edge_length_m[edges]
    length_m[-1] = end_m
    length_m[0] -= begin_m
    return length_m


def common_m(edges: IntArray, length_m: FloatArray, others: IntArray) -> float:
    """Greatest length of edges that stand in the same order among the others."""
    best = np.zeros(len(others) + 1)
    for edge, edge_m in zip(edges.tolist(), length_m.tolist(), strict=True):
        taken = best.copy()
        taken[1:] = np.maximum(best[1:], best[:-1] + edge_m * (others == edge))
        best = np.maximum.accumulate(taken)
    return float(best[-1])


def _near_share(network: RoadNetwork, drive: Drive, parts: Sequence[MatchedPart]) -> float:
    """Share of the way driven that lies near the match, whatever the edges are called."""
    if not parts:
        return 0.0
    edges = drive.edges[drive.position[0] : drive.position[-1] + 1]
    truth = path_over(network, edges)
    places_m = np.arange(drive.place_m[0], truth.begin_m[-1] + drive.place_m[-1], SAMPLE_M)
    gap: npt.NDArray[np.float64] = np.full((1, 2), np.nan)
    corner_m = np.concatenate([line for part in parts for line in (path_over(network, part.edges).corner_m, gap)])
    return float((distances_from_line(truth.points_at(places_m), corner_m) <= NEAR_M).mean())
