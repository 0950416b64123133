"""The dress rehearsal: all vehicles with their timetable on streets empty of others, as the files have them."""

import math
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from sim.engine import run_program
from sim.options import SumoOptions
from sim.rehearsal import SEED, TELEPORT_S
from sim.stop_output import read_stop_visits, stop_times_s
from sim.transit import Transit
from sim.transit_plan import TransitFiles

PROGRESS_S = 3600.0

FloatArray = npt.NDArray[np.float64]
_TELEPORT = re.compile(r"Teleporting vehicle '([^']*)'; waited too long \(([^)]*)\), lane='([^']*)', time=(\d+)")


@dataclass(frozen=True, slots=True)
class StuckVehicle:
    """A vehicle that stood for five minutes where it had no stop, and was taken out: which, where, why, when (s)."""

    vehicle: str
    lane: str
    reason: str
    time_s: float


@dataclass(frozen=True, slots=True, eq=False)
class DressRehearsal:
    """Arrival and departure at each stop of each vehicle in turn (s), NaN where it did not come, shape (stops, 2)."""

    times_s: FloatArray
    stuck: tuple[StuckVehicle, ...]

    @property
    def missed(self) -> int:
        """Stops that no vehicle came to."""
        return int(np.isnan(self.times_s[:, 0]).sum())


def dress_rehearsal(network_path: Path, files: TransitFiles, transit: Transit) -> DressRehearsal:
    """Run the vehicles of an import alone, from the first one's entry until the last one is gone."""
    vehicles = transit.vehicles
    with tempfile.TemporaryDirectory(prefix="bagdar-") as name:
        folder = Path(name)
        options = SumoOptions(
            network=network_path,
            routes=(files.vehicles,),
            begin_s=min(vehicle.depart_s for vehicle in vehicles),
            end_s=math.inf,
            seed=SEED,
            teleport_s=TELEPORT_S,
            additional=(files.stops,),
            stop_visits=folder / "visits.xml",
            warnings=folder / "warnings.txt",
        )
        run_program(options, None, PROGRESS_S)
        times_s = stop_times_s(
            read_stop_visits(folder / "visits.xml"),
            [vehicle.vehicle_id for vehicle in vehicles],
            np.cumsum([0, *(len(vehicle.stops) for vehicle in vehicles)]),
            [transit.bus_stop(stop) for vehicle in vehicles for stop in vehicle.stops],
        )
        return DressRehearsal(times_s, tuple(_stuck(folder / "warnings.txt")))


def _stuck(path: Path) -> Iterator[StuckVehicle]:
    for match in _TELEPORT.finditer(path.read_text(encoding="utf-8", errors="replace")):
        yield StuckVehicle(match[1], match[3], match[2], float(match[4]))
