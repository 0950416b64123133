"""Who drives: route files as they are, trips that reproduce counts, or synthetic trips."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from networks.faults import InputError
from networks.network import RoadNetwork
from sim.count_files import read_counts
from sim.counts import CountFit, trips_from_counts
from sim.route_files import RouteFile, read_route_files
from sim.synthetic import synthetic_trips
from sim.times import clock_text
from sim.trips import CarTrips, write_trips

GOOD_GEH = 5.0
"""Below this a count is commonly called well met."""


class DemandKind(StrEnum):
    """Where demand comes from."""

    ROUTES = "routes"
    COUNTS = "counts"
    SYNTHETIC = "synthetic"


@dataclass(frozen=True, slots=True)
class Demand:
    """The traffic of a scenario, ready for SUMO: checked route files, and what to tell a reader of where it is from.

    ``count_fits`` says for demand from counts how well each of them is met.
    """

    kind: DemandKind
    files: tuple[RouteFile, ...]
    description: str
    count_fits: tuple[CountFit, ...] = ()

    @property
    def route_files(self) -> tuple[Path, ...]:
        """Paths of the route files, in the order in which SUMO is to read them."""
        return tuple(file.path for file in self.files)

    @property
    def is_synthetic(self) -> bool:
        """Whether nobody observed this traffic."""
        return self.kind is DemandKind.SYNTHETIC

    def scheduled(self, begin_s: float, end_s: float) -> int | None:
        """Vehicles that depart in [begin_s, end_s); None where the files alone do not tell (random flows)."""
        counts = [file.scheduled(begin_s, end_s) for file in self.files]
        return None if None in counts else sum(count for count in counts if count is not None)


def demand_from_routes(paths: Sequence[str | Path], network: RoadNetwork) -> Demand:
    """Demand from SUMO route files, checked against the network.

    Raises
    ------
    InputError
        As :func:`sim.route_files.read_route_files`; ROUTE_EMPTY where there is no vehicle in them.
    """
    files = read_route_files(paths, network)
    if not any(file.vehicles or file.trips or file.flows for file in files):
        names = ", ".join(file.path.name for file in files) or "none given"
        raise InputError("ROUTE_EMPTY", f"no vehicle, trip or flow in the route files ({names})", remedy="Add some")
    names = ", ".join(file.path.name for file in files)
    return Demand(DemandKind.ROUTES, files, f"Traffic as in the route files given: {names}.")


def demand_from_counts(
    path: str | Path, network: RoadNetwork, begin_s: float, end_s: float, seed: int, out_path: str | Path
) -> Demand:
    """Demand whose routes reproduce traffic counts; the route file is written to ``out_path``.

    Raises
    ------
    InputError
        As :func:`sim.count_files.read_counts` and :func:`sim.counts.trips_from_counts`.
    """
    trips, fits = trips_from_counts(network, read_counts(path, network), begin_s, end_s, seed)
    met = sum(fit.geh < GOOD_GEH for fit in fits)
    description = (
        f"{len(trips)} cars whose routes reproduce {len(fits)} traffic counts from {Path(path).name}; "
        f"{met} of the counts are met well (GEH below {GOOD_GEH:g}). Their routes are estimated."
    )
    file = _written(trips, network, out_path, "count", f"Made from traffic counts with seed {seed}. {description}")
    return Demand(DemandKind.COUNTS, (file,), description, fits)


def synthetic_demand(
    network: RoadNetwork, vehicles_per_hour: float, begin_s: float, end_s: float, seed: int, out_path: str | Path
) -> Demand:
    """Demand by volume and road class alone; the route file is written to ``out_path`` and says that it is synthetic.

    Raises
    ------
    InputError
        As :func:`sim.synthetic.synthetic_trips`.
    """
    trips = synthetic_trips(network, vehicles_per_hour, begin_s, end_s, seed)
    description = (
        f"Synthetic traffic, not observed: {vehicles_per_hour:g} cars an hour from {clock_text(begin_s)} to "
        f"{clock_text(end_s)}, placed by road class and distance (seed {seed})."
    )
    file = _written(trips, network, out_path, "synthetic", f"SYNTHETIC. {description}")
    return Demand(DemandKind.SYNTHETIC, (file,), description)


def _written(trips: CarTrips, network: RoadNetwork, path: str | Path, name: str, note: str) -> RouteFile:
    """Write trips and read them back through the same checks as any other route file."""
    return read_route_files([write_trips(trips, network, path, name, note)], network)[0]
