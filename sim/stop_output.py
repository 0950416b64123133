"""SUMO's stop output read back: when a vehicle stood at which bus stop, and on which trip."""

from dataclasses import dataclass
from pathlib import Path

from networks.intake import Attributes, parse_xml


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

    A wait beside the lane, which SUMO reports as a stop of its own, belongs to the stay that follows it: the vehicle
    has arrived when it begins.
    """
    visits: list[StopVisit] = []
    waiting_s: dict[str, float] = {}

    def keep(tag: str, row: Attributes) -> None:
        if tag != "stopinfo":
            return
        started_s = waiting_s.pop(row["id"], float(row["started"]))
        if "busStop" in row:
            visits.append(StopVisit(row["id"], row.get("tripId", ""), row["busStop"], started_s, float(row["ended"])))
        else:
            waiting_s[row["id"]] = started_s

    parse_xml(path, keep, code="SUMO_OUTPUT")
    return visits
