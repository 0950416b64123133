"""The rehearsal: one vehicle for each leg, alone on empty streets, not waiting for its timetable.

It shows which stops cannot be served as they were placed, and how long a vehicle takes from stop to stop when nothing
but streets, signals and stops holds it up.
"""

import math
import re
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from gtfs.timetable import Timetable
from networks.intake import Attributes, parse_xml
from networks.network import NONE, RoadNetwork
from sim.bus_legs import Leg, TripLeg
from sim.bus_vehicles import BusVehicle, VehicleStop
from sim.engine import run_program
from sim.options import SumoOptions
from sim.stop_output import read_stop_visits
from sim.transit_files import StopIds, write_stops, write_vehicles

APART_S = 60.0
"""Time between entries, so that vehicles do not stand in each other's way; for the same reason those of one pattern's
kind, which lie side by side in the list, enter in an order that is mixed."""

TELEPORT_S = 300.0
"""SUMO's own: who stands longer for no reason of his own is taken out."""

PROGRESS_S = 3600.0

SEED = 1

FloatArray = npt.NDArray[np.float64]
_TELEPORT = re.compile(r"Teleporting vehicle '(\d+)'; waited too long \(([^)]*)\), lane='([^']*)', time=(\d+\.\d+)")


@dataclass(frozen=True, slots=True)
class Stuck:
    """A vehicle that stood for ever: why, on which edge (network row, NONE inside a junction), after how many calls."""

    reason: str
    edge: int
    calls_done: int


@dataclass(frozen=True, slots=True, eq=False)
class LegRun:
    """How a leg went: arrival and departure at each of its calls (s, NaN where it did not come), shape (calls,).

    ``standing_s`` is the time that it stood elsewhere than at stops, ``stuck`` where it stood for ever, None else.
    """

    arrival_s: FloatArray
    departure_s: FloatArray
    standing_s: float
    stuck: Stuck | None

    @property
    def is_whole(self) -> bool:
        """Whether every call was served and nothing went wrong."""
        return self.stuck is None and bool(np.isfinite(self.departure_s).all())


def rehearse(
    network: RoadNetwork,
    network_path: Path,
    timetable: Timetable,
    legs: Sequence[Leg],
    stop_ids: StopIds,
    stop_m: Callable[[str], float],
    dwell_s: FloatArray,
) -> list[LegRun]:
    """Drive each leg once.

    Parameters
    ----------
    stop_ids, stop_m
        Ids of the bus stops, and how long each of them is.
    dwell_s
        Time that a vehicle stands at each call of the timetable, shape (calls,).
    """
    with tempfile.TemporaryDirectory(prefix="bagdar-") as name:
        folder = Path(name)
        stops, routes = folder / "stops.add.xml", folder / "rehearsal.rou.xml"
        turns = np.random.default_rng(SEED).permutation(len(legs)).tolist()
        vehicles = [_vehicle(timetable, legs[number], number, turn, dwell_s) for turn, number in enumerate(turns)]
        write_stops(stops, network, timetable, stop_ids, stop_m)
        write_vehicles(routes, network, timetable, vehicles, stop_ids, lambda _vehicle: 1.0)
        options = SumoOptions(
            network=network_path,
            routes=(routes,),
            begin_s=0.0,
            end_s=math.inf,
            seed=SEED,
            teleport_s=TELEPORT_S,
            additional=(stops,),
            tripinfo=folder / "trips.xml",
            stop_visits=folder / "visits.xml",
            warnings=folder / "warnings.txt",
        )
        run_program(options, None, PROGRESS_S)
        return _read(network, folder, legs)


def _vehicle(timetable: Timetable, leg: Leg, number: int, turn: int, dwell_s: FloatArray) -> BusVehicle:
    """A vehicle that serves the calls of a leg as soon as it can; its id is the leg's number."""
    trip = int(np.argmax(timetable.trips.pattern == leg.pattern))
    first = int(timetable.trips.call_start[trip])
    stops = tuple(
        VehicleStop(trip, first + call.call, call.place, float(dwell_s[first + call.call]), None) for call in leg.calls
    )
    return BusVehicle(
        vehicle_id=str(number),
        vehicle_class=leg.vehicle_class,
        line="",
        depart_s=APART_S * turn,
        edges=leg.edges(0, len(leg.calls) - 1),
        stops=stops,
        legs=(TripLeg(trip, leg, 0, len(leg.calls) - 1),),
    )


def _read(network: RoadNetwork, folder: Path, legs: Sequence[Leg]) -> list[LegRun]:
    arrival_s = [np.full(len(leg.calls), np.nan) for leg in legs]
    departure_s = [np.full(len(leg.calls), np.nan) for leg in legs]
    done = [0] * len(legs)
    for visit in read_stop_visits(folder / "visits.xml"):
        leg = int(visit.vehicle)
        arrival_s[leg][done[leg]], departure_s[leg][done[leg]] = visit.started_s, visit.ended_s
        done[leg] += 1
    standing_s = _standing_s(folder / "trips.xml")
    stuck = _stuck(network, folder / "warnings.txt", departure_s)
    return [
        LegRun(arrival_s[leg], departure_s[leg], standing_s.get(leg, np.nan), stuck.get(leg))
        for leg in range(len(legs))
    ]


def _standing_s(path: Path) -> dict[int, float]:
    """Time that each vehicle stood elsewhere than at stops, by the number of its leg."""
    found: dict[int, float] = {}

    def keep(tag: str, row: Attributes) -> None:
        if tag == "tripinfo":
            found[int(row["id"])] = float(row["waitingTime"])

    parse_xml(path, keep, code="SUMO_OUTPUT")
    return found


def _stuck(network: RoadNetwork, path: Path, departure_s: Sequence[FloatArray]) -> dict[int, Stuck]:
    """Where each vehicle first stood for ever, by the number of its leg."""
    found: dict[int, Stuck] = {}
    for match in _TELEPORT.finditer(path.read_text(encoding="utf-8", errors="replace")):
        leg, time_s = int(match[1]), float(match[4])
        edge = network.edge_index.get(match[3].rpartition("_")[0], NONE)
        inside = edge == NONE or match[3].startswith(":")
        found.setdefault(leg, Stuck(match[2], NONE if inside else edge, int((departure_s[leg] <= time_s).sum())))
    return found
