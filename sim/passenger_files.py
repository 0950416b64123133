"""Passengers and the vehicles that they board, as SUMO's files for one run.

SUMO keeps a vehicle at a stop while somebody boards who takes it, each for ``boardingDuration`` of the vehicle's type
times ``boardingFactor`` of the person's, one after another, and who comes meanwhile boards too. It knows no doors: a
stop of its own comes before, at the same place, at which nobody may board. It has people alight one after another as
slowly as they board; here they ride on to a stop that is never served and leave with the vehicle, as they alight by
other doors in less time than others board. That, and a vehicle that is never full, is assumed.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from xml.sax.saxutils import quoteattr

import numpy as np

from networks.intake import Attributes, parse_xml
from networks.outfile import write_text
from sim.fares import Fares
from sim.passengers import BoolArray, Passengers, boarding_calls
from sim.stop_output import DOORS
from sim.transit_plan import TransitPlan

PAYS_CASH, PAYS_ELECTRONICALLY = "pays_cash", "pays_electronically"
NOWHERE = "_nowhere"
"""The stop that is never served."""
NOBODY = "_nobody"
ROOM = 100_000
"""Passengers that a vehicle takes."""


def write_passengers(path: Path, passengers: Passengers, plan: TransitPlan, fares: Fares) -> None:
    """Write a route file of persons in order of their coming."""
    kinds = ((PAYS_CASH, fares.cash_s), (PAYS_ELECTRONICALLY, fares.electronic_s))
    lines = ["<routes>", *(_type(name, time_s) for name, time_s in kinds)]
    lines.extend(_persons(passengers, plan, passengers.pays_electronically(fares.electronic_share)))
    write_text(path, "\n".join([*lines, "</routes>", ""]))


def _type(name: str, service_s: float) -> str:
    return (
        f'<vType id="{name}" vClass="pedestrian" speedDev="0" boardingFactor="{service_s:g}">'
        '<param key="has.fcd.device" value="false"/></vType>'
    )


def _persons(passengers: Passengers, plan: TransitPlan, is_electronic: BoolArray) -> Iterator[str]:
    rides = [f'<ride busStop="{NOWHERE}" lines={quoteattr(" ".join(ids))}/></person>' for ids in passengers.vehicles]
    rows = zip(
        passengers.time_s.tolist(), passengers.call.tolist(), passengers.choice.tolist(), is_electronic, strict=True
    )
    for number, (time_s, call, choice, by_card) in enumerate(rows):
        kind, stop = PAYS_ELECTRONICALLY if by_card else PAYS_CASH, quoteattr(plan.calls.bus_stops[call])
        waits = f'<stop busStop={stop} duration="0"/>'
        yield f'<person id="{number}" type="{kind}" depart="{time_s:.1f}">{waits}{rides[choice]}'


def write_nowhere(path: Path, stops: Path) -> None:
    """Write the stop that is never served as an additional file, on the lane of the first of ``stops``."""
    lanes: list[str] = []

    def keep(tag: str, row: Attributes) -> None:
        if tag == "busStop" and not lanes:
            lanes.append(row["lane"])

    parse_xml(stops, keep, code="ROUTE_XML")
    places = [f'<busStop id="{NOWHERE}" lane={quoteattr(lane)} startPos="0" endPos="0.2"/>' for lane in lanes]
    write_text(path, "\n".join(["<additional>", *places, "</additional>", ""]))


def write_boarded_vehicles(source: Path, target: Path, plan: TransitPlan, fares: Fares, step_s: float) -> None:
    """Copy the route file of timetabled vehicles so that they stand for as long as doors and passengers take.

    SUMO begins a stop a step after the one before, which is part of the doors' time. Where nobody boards by the rules
    of :func:`sim.passengers.boarding_calls`, a stop is as it was.
    """
    copy = _Copy(plan, max(fares.doors_s - step_s, step_s))
    parse_xml(source, copy.start, code="ROUTE_XML", on_end=copy.end)
    write_text(target, "".join(copy.words))


class _Copy:
    """Writes down what it is told of, with stops changed."""

    def __init__(self, plan: TransitPlan, doors_s: float) -> None:
        self.words: list[str] = []
        self._doors_s = doors_s
        self._open_to = boarding_calls(plan)
        first_legs = np.searchsorted(plan.legs.vehicle, np.arange(len(plan.vehicle_ids)))
        self._first_call = dict(zip(plan.vehicle_ids, plan.legs.call_start[first_legs].tolist(), strict=True))
        self._call = 0

    def start(self, tag: str, attributes: Attributes) -> None:
        row: dict[str, str] = dict(attributes)
        if tag == "vType":
            row |= {"boardingDuration": "1", "personCapacity": str(ROOM)}
        elif tag == "vehicle":
            self._call = self._first_call[row["id"]]
        elif tag == "stop":
            row = self._stop(row)
        self.words.append(_open(tag, row))

    def end(self, tag: str) -> None:
        self.words.append(f"</{tag}>\n")

    def _stop(self, row: dict[str, str]) -> dict[str, str]:
        """A stop as it is to be; the doors' stop before it is written at once."""
        if "busStop" not in row:
            return row | {"permitted": NOBODY}
        is_open = self._open_to[self._call]
        self._call += 1
        if not is_open:
            return row | {"permitted": NOBODY}
        doors = {"busStop": row["busStop"], "duration": f"{self._doors_s:g}", "permitted": NOBODY, "tripId": DOORS}
        self.words.append(f"{_open('stop', doors)}</stop>\n")
        return row | {"duration": "0"}


def _open(tag: str, row: Mapping[str, str]) -> str:
    return f"<{tag}" + "".join(f" {key}={quoteattr(value)}" for key, value in row.items()) + ">"
