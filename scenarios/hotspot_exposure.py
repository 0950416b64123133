"""Traffic of sites for a ranking: a file of volumes, or what passed the junctions in a folder of `bagdar run`."""

from collections import defaultdict
from pathlib import Path
from statistics import fmean

import numpy as np

from networks.faults import InputError, Notice
from networks.network import RoadNetwork
from networks.site_exposure import Exposure, entering_by_id, read_exposure
from networks.sites import Site
from scenarios.tables import read_csv
from sim.measures import JunctionMeasures

JUNCTIONS_FILE = "junctions.csv"

HOURS_PER_DAY = 10.0
"""A day has about ten times the traffic of a busy hour (planners take 8 to 12 % of it to be in that hour).

It scales all sites alike: rates change, their order does not.
"""


def find_exposure(path: Path, network: RoadNetwork, sites: tuple[Site, ...]) -> tuple[Exposure, tuple[Notice, ...]]:
    """Vehicles a day at each site, from CSV or from a run folder.

    Of a run folder the first variant counts, its seeds averaged, an hour simulated standing for a tenth of a day.

    Raises
    ------
    InputError
        As :func:`networks.site_exposure.read_exposure` and :func:`scenarios.tables.read_csv`; EXPOSURE_SITE where the
        run is of another network.
    """
    if not path.is_dir():
        return read_exposure(path, network, sites)
    rows = read_csv(path / JUNCTIONS_FILE, JunctionMeasures)
    first = rows[0].variant if rows else ""
    hourly: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        if row.variant == first:
            hourly[row.junction].append(row.volume_veh_per_h)
    exposure = entering_by_id(network, sites, {name: HOURS_PER_DAY * fmean(seeds) for name, seeds in hourly.items()})
    count = int(np.count_nonzero(~np.isnan(exposure.entering_veh_per_day)))
    if not count:
        what = f"none of its {len(hourly)} junctions is at a site of the network"
        remedy = "Give the folder of a run on this network"
        raise InputError("EXPOSURE_SITE", what, file=path / JUNCTIONS_FILE, remedy=remedy)
    remedy = (
        f"Traffic is that of the simulated variant {first!r} at {count} of {len(sites)} sites, an hour taken for a "
        "tenth of a day: give counts where rates matter"
    )
    return exposure, (Notice("EXPOSURE_SIMULATED", "info", str(path / JUNCTIONS_FILE), None, "", first, remedy, count),)
