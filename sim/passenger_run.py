"""What became of the passengers of a run: who boarded at which call."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from networks.intake import Attributes, parse_xml
from networks.network import NONE, FloatArray, IntArray
from sim.passengers import Passengers, boarding_calls
from sim.transit_plan import TransitPlan
from sim.transit_run import TransitRun

BoolArray = npt.NDArray[np.bool_]
STILL_THERE = -1.0
"""SUMO's departure of who has got in and not yet left."""


@dataclass(frozen=True, slots=True, eq=False)
class PassengerRun:
    """Passengers of a run in order of their coming, shape (passengers,) each.

    Attributes
    ----------
    time_s
        When each came to the stop.
    stop_call
        A call of the plan at the stop where each waited.
    boarded_call
        The call at which each boarded, NONE for who still waits at the end.
    is_electronic
        Whether each pays electronically.
    """

    time_s: FloatArray
    stop_call: IntArray
    boarded_call: IntArray
    is_electronic: BoolArray

    def __len__(self) -> int:
        """Count of passengers."""
        return len(self.time_s)

    @property
    def boarded(self) -> BoolArray:
        """Who boarded, shape (passengers,)."""
        return np.asarray(self.boarded_call != NONE)

    def waits_s(self, transit: TransitRun) -> FloatArray:
        """Time from coming to the stop until the vehicle stands there, or until the end; shape (passengers,)."""
        until_s = np.where(self.boarded, transit.arrival_s[self.boarded_call], transit.end_s)
        return np.asarray(np.maximum(until_s - self.time_s, 0.0))


def read_passengers(
    trips: Path, passengers: Passengers, plan: TransitPlan, transit: TransitRun, electronic_share: float
) -> PassengerRun:
    """Who boarded where, from SUMO's record of trips (``tripinfo``).

    Parameters
    ----------
    passengers
        Those of the run; in SUMO their number is their id.
    transit
        What the vehicles did in the run.
    """
    calls = _Calls(plan, transit)
    boarded = np.full(len(passengers), NONE, dtype=np.int32)
    who = [NONE]

    def keep(tag: str, row: Attributes) -> None:
        if tag == "personinfo":
            who[0] = int(row["id"]) if row["id"].isascii() and row["id"].isdigit() else NONE
        elif tag == "ride" and NONE < who[0] < len(boarded) and row["vehicle"] != "NULL":
            bus_stop = plan.calls.bus_stops[passengers.call[who[0]]]
            boarded[who[0]] = calls.boarded(row["vehicle"], bus_stop, float(row["depart"]))

    parse_xml(trips, keep, code="SUMO_OUTPUT")
    is_electronic = passengers.pays_electronically(electronic_share)
    return PassengerRun(passengers.time_s, passengers.call, boarded, is_electronic)


class _Calls:
    """Calls by vehicle and bus stop, in order of the vehicle's way."""

    def __init__(self, plan: TransitPlan, transit: TransitRun) -> None:
        self._arrival_s = transit.arrival_s
        self._departure_s = np.where(np.isnan(transit.departure_s), np.inf, transit.departure_s)
        self._rows: dict[tuple[str, str], list[int]] = {}
        vehicle = np.repeat(plan.legs.vehicle, np.diff(plan.legs.call_start))
        for row in np.flatnonzero(boarding_calls(plan)).tolist():
            key = plan.vehicle_ids[vehicle[row]], plan.calls.bus_stops[row]
            self._rows.setdefault(key, []).append(row)

    def boarded(self, vehicle: str, bus_stop: str, departure_s: float) -> int:
        """The call that a vehicle left at a time (s), or has not yet left."""
        time_s = np.inf if departure_s == STILL_THERE else departure_s
        for row in self._rows.get((vehicle, bus_stop), []):
            if self._arrival_s[row] <= time_s <= self._departure_s[row]:
                return row
        return NONE
