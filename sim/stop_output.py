"""SUMO's stop output read back: when a vehicle stood at which bus stop, and on which trip."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from networks.intake import Attributes, parse_xml

DOORS = ":doors"
"""Trip of a stop at which doors open before passengers board at the next one; no trip has an id like it."""


@dataclass(frozen=True, slots=True)
class StopVisit:
    """A vehicle's stay at a bus stop, from its standstill to its start (s)."""

    vehicle: str
    trip: str
    bus_stop: str
    started_s: float
    ended_s: float


def read_stop_visits(path: Path) -> list[StopVisit]:
    """Stays at bus stops in order of their ends.

    A wait beside the lane and the time that doors take, which SUMO reports as stops of their own, belong to the stay
    that follows: the vehicle has arrived when they begin.
    """
    visits: list[StopVisit] = []
    waiting_s: dict[str, float] = {}

    def keep(tag: str, row: Attributes) -> None:
        if tag != "stopinfo":
            return
        started_s = waiting_s.pop(row["id"], float(row["started"]))
        if "busStop" in row and (row.get("tripId") != DOORS or float(row["ended"]) < started_s):
            visits.append(StopVisit(row["id"], row.get("tripId", ""), row["busStop"], started_s, float(row["ended"])))
        else:
            waiting_s[row["id"]] = started_s

    parse_xml(path, keep, code="SUMO_OUTPUT")
    return visits


def stop_times_s(
    visits: Iterable[StopVisit],
    vehicle_ids: Sequence[str],
    start: Sequence[int] | npt.NDArray[np.integer],
    bus_stops: Sequence[str],
) -> npt.NDArray[np.float64]:
    """Arrival and departure at each stop that vehicles were to make (s), NaN where they did not come, shape (stops, 2).

    Parameters
    ----------
    start
        Where the stops of each vehicle begin in ``bus_stops``, shape (vehicles + 1,).
    bus_stops
        Ids of the bus stops of all vehicles, vehicle after vehicle, in order. A vehicle that was taken out of a jam
        misses some: each visit belongs to the next stop of its name.
    """
    row_of = {name: row for row, name in enumerate(vehicle_ids)}
    following = [int(first) for first in start]
    times_s = np.full((len(bus_stops), 2), np.nan)
    for visit in visits:
        vehicle = row_of.get(visit.vehicle)
        if vehicle is None:
            continue
        for stop in range(following[vehicle], int(start[vehicle + 1])):
            if bus_stops[stop] == visit.bus_stop:
                times_s[stop] = visit.started_s, visit.ended_s
                following[vehicle] = stop + 1
                break
    return times_s
