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
    """Stays at bus stops in order of their ends; stays elsewhere (layovers off the lane) are left out."""
    visits: list[StopVisit] = []

    def keep(tag: str, row: Attributes) -> None:
        if tag == "stopinfo" and "busStop" in row:
            visits.append(
                StopVisit(row["id"], row.get("tripId", ""), row["busStop"], float(row["started"]), float(row["ended"]))
            )

    parse_xml(path, keep, code="SUMO_OUTPUT")
    return visits
