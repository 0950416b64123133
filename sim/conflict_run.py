"""The conflicts of one run: what SUMO is asked to record, and what is read from that."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from networks.intake import Attributes
from networks.network import RoadNetwork
from networks.outfile import atomic_path, write_text
from sim.conflict_areas import conflict_map
from sim.conflict_samples import SampleReader
from sim.conflicts import Conflict, ConflictWatch, Party, Thresholds, site_edges, site_junctions
from sim.trajectory_file import TrajectoryFile
from sim.vehicle_sizes import DEFAULT_TYPE, VehicleSize, read_sizes

LOOK_S = 0.5
"""Vehicles are looked at so often, or at each step where that is longer. Between two looks they are taken to move on a
straight line of time and way; what that misses of a PET is less than a tenth of a second."""

MEASURES = ("pet", "ttc", "drac")
PERSON_TYPE = "DEFAULT_PEDTYPE"


@dataclass(frozen=True, slots=True)
class ConflictOptions:
    """Where conflicts are looked for: ids of signals or junctions, None for all; and what makes an encounter one.

    Of ``measures`` "pet" tells those up to 5 s, "ttc" and "drac" those up to 1.5 s; one that is not named stays blank.
    ``trajectories`` is where SSAM's file is written, None for nowhere.
    """

    sites: tuple[str, ...] | None = None
    measures: tuple[str, ...] = MEASURES
    trajectories: Path | None = None

    @property
    def thresholds(self) -> Thresholds:
        """Up to which an encounter is told."""
        known = Thresholds()
        has_course = "ttc" in self.measures or "drac" in self.measures
        return Thresholds(
            known.pet_s if "pet" in self.measures else -math.inf, known.ttc_s if has_course else -math.inf
        )

    def narrowed(self, conflict: Conflict) -> Conflict:
        """Leave out measures that are not wanted."""
        if set(self.measures) == set(MEASURES):
            return conflict
        return replace(
            conflict,
            pet_s=conflict.pet_s if "pet" in self.measures else math.nan,
            ttc_s=conflict.ttc_s if "ttc" in self.measures else math.nan,
            drac_mps2=conflict.drac_mps2 if "drac" in self.measures else math.nan,
        )


@dataclass(frozen=True, slots=True)
class Entered:
    """Vehicles that drove through a site."""

    junction: str
    vehicles: int


@dataclass(frozen=True, slots=True)
class ConflictRun:
    """Conflicts of a run by time, and how many vehicles drove through each site."""

    conflicts: tuple[Conflict, ...]
    entered: tuple[Entered, ...]


def look_s(step_s: float) -> float:
    """Time between two looks: a whole number of steps."""
    return max(1, round(LOOK_S / step_s)) * step_s


def write_edges(path: Path, network: RoadNetwork, sites: Sequence[str]) -> None:
    """Write the selection of edges that SUMO's record is narrowed down to."""
    edges = site_edges(network, site_junctions(network, sites))
    write_text(path, "".join(f"edge:{edge}\n" for edge in edges))


def read_conflicts(
    path: Path,
    network: RoadNetwork,
    options: ConflictOptions,
    every_s: float,
    types: Sequence[Path],
    trips: Mapping[str, Attributes],
) -> ConflictRun:
    """Find the conflicts in SUMO's record.

    Parameters
    ----------
    types
        Files with the types of vehicles.
    trips
        Rows of ``tripinfo`` by vehicle.
    """
    sites = site_junctions(network, options.sites)
    watch = ConflictWatch(network, conflict_map(network, frozenset(sites)), sites, every_s, options.thresholds)
    reader, size_of = SampleReader(path, network), _size_of(read_sizes(types), trips)
    who: list[Party] = []
    found: list[Conflict] = []
    with _trajectories(options.trajectories, network) as trajectories:
        for samples in reader.pieces():
            news = range(len(who), len(reader.names))
            who += [Party(reader.names[row], size_of(reader.names[row], reader.is_person[row])) for row in news]
            found += watch.take(samples, who)
            if trajectories is not None:
                trajectories.take(samples, who)
    found += watch.finish(who)
    counts = dict.fromkeys(sites.values(), 0) | watch.entered
    return ConflictRun(
        tuple(sorted(map(options.narrowed, found), key=lambda row: (row.time_s, row.first, row.second))),
        tuple(Entered(site, count) for site, count in sorted(counts.items())),
    )


@contextmanager
def _trajectories(path: Path | None, network: RoadNetwork) -> Iterator[TrajectoryFile | None]:
    if path is None:
        yield None
        return
    with atomic_path(path) as part, part.open("wb") as stream:
        yield TrajectoryFile(stream, network)


def _size_of(sizes: Mapping[str, VehicleSize], trips: Mapping[str, Attributes]) -> Callable[[str, bool], VehicleSize]:
    def size(name: str, is_person: bool) -> VehicleSize:  # noqa: FBT001 - a column of the record
        if is_person:
            return sizes[PERSON_TYPE]
        return sizes.get(trips.get(name, {}).get("vType", DEFAULT_TYPE), sizes[DEFAULT_TYPE])

    return size
