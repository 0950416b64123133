"""SUMO's output files read back, and the additional files that ask for them."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import quoteattr

import numpy as np
import numpy.typing as npt

from networks.intake import Attributes, parse_xml
from networks.network import Program
from networks.outfile import write_text
from sim.areas import JunctionArea

QUEUE_PERIOD_S = 300.0
"""Queues are means over five minutes; finer ones cost more to write and to read than all the rest."""

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class RawOutputs:
    """The files of one run in its folder: what SUMO is asked for, and what it writes."""

    folder: Path

    @property
    def additional(self) -> Path:
        """What SUMO is asked for at junctions."""
        return self.folder / "run.add.xml"

    @property
    def trips(self) -> Path:
        """Every vehicle's trip."""
        return self.folder / "trips.xml"

    @property
    def statistics(self) -> Path:
        """Counts of events."""
        return self.folder / "statistics.xml"

    @property
    def edges(self) -> Path:
        """Measured edges, five minutes at a time."""
        return self.folder / "edges.xml"

    @property
    def areas(self) -> Path:
        """Measured junction areas."""
        return self.folder / "areas.xml"

    @property
    def routes(self) -> Path:
        """Every vehicle's route, with the time at which it left each edge."""
        return self.folder / "routes.xml"

    @property
    def signals(self) -> Path:
        """States that measured signals showed."""
        return self.folder / "signals.xml"

    @property
    def stop_visits(self) -> Path:
        """Stays of timetabled vehicles at their stops."""
        return self.folder / "stops.xml"

    @property
    def passengers(self) -> Path:
        """Passengers who board timetabled vehicles."""
        return self.folder / "passengers.rou.xml"

    @property
    def boarded_vehicles(self) -> Path:
        """Timetabled vehicles that stand for as long as passengers take to board."""
        return self.folder / "boarded.rou.xml"

    @property
    def nowhere(self) -> Path:
        """The stop to which passengers ride on."""
        return self.folder / "nowhere.add.xml"

    @property
    def electric_vehicles(self) -> Path:
        """Timetabled vehicles some of which are electric."""
        return self.folder / "electric.rou.xml"

    @property
    def charging_stations(self) -> Path:
        """Charging stations at bus stops."""
        return self.folder / "chargers.add.xml"

    @property
    def batteries(self) -> Path:
        """Electric vehicles' batteries; by its name SUMO knows that it is to be written as columns."""
        return self.folder / "batteries.parquet"

    @property
    def positions(self) -> Path:
        """Positions of timetabled vehicles; by its name SUMO knows that it is to be written as columns."""
        return self.folder / "positions.parquet"

    @property
    def movements(self) -> Path:
        """Positions and speeds of all vehicles, for their conflicts."""
        return self.folder / "movements.parquet"

    @property
    def selection(self) -> Path:
        """Edges that movements are recorded on."""
        return self.folder / "edges.txt"


@dataclass(frozen=True, slots=True, eq=False)
class Trips:
    """One entry a vehicle that was due in the simulated time, shape (vehicles,) each.

    ``depart_s`` and ``arrival_s`` are infinite for what did not happen. ``depart_delay_s`` is the wait for entry, up to
    the end for those that never entered.
    """

    depart_s: FloatArray
    arrival_s: FloatArray
    depart_delay_s: FloatArray
    time_loss_s: FloatArray
    duration_s: FloatArray
    waiting_s: FloatArray
    stops: FloatArray

    def __len__(self) -> int:
        """Count of vehicles that were due."""
        return len(self.depart_s)

    @property
    def inserted(self) -> npt.NDArray[np.bool_]:
        """Vehicles that entered, shape (vehicles,)."""
        return np.isfinite(self.depart_s)

    @property
    def arrived(self) -> npt.NDArray[np.bool_]:
        """Vehicles that reached their destination, shape (vehicles,)."""
        return np.isfinite(self.arrival_s)


@dataclass(frozen=True, slots=True)
class Events:
    """What went wrong in a run, as SUMO counts it."""

    teleports: int
    collisions: int
    emergency_braking: int


@dataclass(frozen=True, slots=True)
class EdgeTotals:
    """An edge over the whole time: vehicles that left it, time they lost and stood on it (s), and how many stood.

    ``standing_veh`` is the mean of each five minutes in turn.
    """

    left: int
    time_loss_s: float
    waiting_s: float
    standing_veh: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class AreaStops:
    """Vehicles that came into a junction's approaches over an entry, and how often they came to a stand there."""

    vehicles: int
    halts: float


def read_trips(path: Path, without: Collection[str] = ()) -> Trips:
    """Read a ``tripinfo`` output, unfinished and never inserted vehicles included, some vehicles left out."""
    return trips_of(read_trip_rows(path), without)


def read_trip_rows(path: Path) -> dict[str, Attributes]:
    """Rows of a ``tripinfo`` output by vehicle."""
    rows: dict[str, Attributes] = {}

    def keep(tag: str, attributes: Attributes) -> None:
        if tag == "tripinfo":
            rows[attributes["id"]] = attributes

    parse_xml(path, keep, code="SUMO_OUTPUT")
    return rows


def trips_of(found: Mapping[str, Attributes], without: Collection[str] = ()) -> Trips:
    """Trips as columns, some vehicles left out."""
    rows = [row for name, row in found.items() if name not in without]

    def column(name: str) -> FloatArray:
        return np.array([float(row[name]) for row in rows], dtype=np.float64)

    def instant(name: str) -> FloatArray:
        times = column(name)
        return np.where(times < 0, np.inf, times)

    return Trips(
        depart_s=instant("depart"),
        arrival_s=instant("arrival"),
        depart_delay_s=np.maximum(column("departDelay"), 0.0),
        time_loss_s=column("timeLoss"),
        duration_s=column("duration"),
        waiting_s=column("waitingTime"),
        stops=column("waitingCount"),
    )


def read_events(path: Path) -> Events:
    """Read a ``statistic-output``."""
    found: dict[str, Attributes] = {}

    def keep(tag: str, attributes: Attributes) -> None:
        found.setdefault(tag, attributes)

    parse_xml(path, keep, code="SUMO_OUTPUT")
    safety = found.get("safety", {})
    return Events(
        teleports=int(found.get("teleports", {}).get("total", 0)),
        collisions=int(safety.get("collisions", 0)),
        emergency_braking=int(safety.get("emergencyBraking", 0)),
    )


def read_edge_totals(path: Path) -> dict[str, EdgeTotals]:
    """Read an ``edgeData`` output of equal intervals, the last one perhaps shorter, by edge id."""
    spans_s: list[float] = []
    rows: dict[str, dict[int, Attributes]] = {}

    def keep(tag: str, row: Attributes) -> None:
        if tag == "interval":
            spans_s.append(float(row["end"]) - float(row["begin"]))
        elif tag == "edge":
            rows.setdefault(row["id"], {})[len(spans_s) - 1] = row

    parse_xml(path, keep, code="SUMO_OUTPUT")
    return {edge: _edge_totals(found, spans_s) for edge, found in rows.items()}


def _edge_totals(rows: dict[int, Attributes], spans_s: list[float]) -> EdgeTotals:
    """Sum an edge over its intervals; where nobody was there SUMO leaves out the row, or what it has no value for."""
    nothing: Attributes = {}
    waiting_s = [float(rows.get(number, nothing).get("waitingTime", 0.0)) for number in range(len(spans_s))]
    return EdgeTotals(
        left=sum(int(row.get("left", 0)) for row in rows.values()),
        time_loss_s=math.fsum(float(row.get("timeLoss", 0.0)) for row in rows.values()),
        waiting_s=math.fsum(waiting_s),
        standing_veh=tuple(
            wait_s / span_s if span_s else 0.0 for wait_s, span_s in zip(waiting_s, spans_s, strict=True)
        ),
    )


def read_area_stops(path: Path) -> dict[str, AreaStops]:
    """Read an ``entryExitDetector`` output of one interval, by detector id: who left, and who is inside at the end."""
    stops: dict[str, AreaStops] = {}

    def keep(tag: str, row: Attributes) -> None:
        # SUMO closes with an interval of no length that repeats who is inside
        if tag == "interval" and float(row["end"]) > float(row["begin"]):
            passed, inside = int(row["vehicleSum"]), int(row["vehicleSumWithin"])
            halts = passed * float(row["meanHaltsPerVehicle"]) + inside * float(row["meanHaltsPerVehicleWithin"])
            stops[row["id"]] = AreaStops(passed + inside, halts)

    parse_xml(path, keep, code="SUMO_OUTPUT")
    return stops


def write_additional(
    raw: RawOutputs, areas: Sequence[JunctionArea], programs: Mapping[str, Program], span_s: float
) -> None:
    """Write the additional file of a run: what to measure, and programs to load in place of the shipped ones."""
    lines = ["<additional>"]
    edges = dict.fromkeys(edge for area in areas for edge in (*area.approach_edges, *area.inner_edges))
    if edges:
        place = f"file={quoteattr(str(raw.edges))} edges={quoteattr(' '.join(edges))}"
        wanted = 'withInternal="true" excludeEmpty="true" writeAttributes="left timeLoss waitingTime"'
        lines.append(f'    <edgeData id="junctions" {place} period="{QUEUE_PERIOD_S:g}" {wanted}/>')
    lines.extend(_area_xml(area, raw.areas, span_s) for area in areas)
    lines.extend(_record_xml(area.area_id, raw.signals) for area in areas if area.signalised)
    lines.extend(program_xml(signal_id, program) for signal_id, program in programs.items())
    write_text(raw.additional, "\n".join([*lines, "</additional>", ""]))


def _area_xml(area: JunctionArea, output: Path, span_s: float) -> str:
    """A detector over a junction's approaches. Who starts inside is let out uncounted (``openEntry``)."""
    head = f'    <entryExitDetector id={quoteattr(area.area_id)} file={quoteattr(str(output))} period="{span_s:g}"'
    entries = [
        f'        <detEntry lane={quoteattr(lane)} pos="{at_m:.2f}" friendlyPos="true"/>' for lane, at_m in area.entries
    ]
    exits = [f'        <detExit lane={quoteattr(lane)} pos="0" friendlyPos="true"/>' for lane in area.exits]
    return "\n".join([f'{head} openEntry="true">', *entries, *exits, "    </entryExitDetector>"])


def _record_xml(signal_id: str, output: Path) -> str:
    """A record of the states that a signal shows, each as it begins."""
    place = f"source={quoteattr(signal_id)} dest={quoteattr(str(output))}"
    return f'    <timedEvent type="SaveTLSSwitchStates" {place}/>'


def program_xml(signal_id: str, program: Program) -> str:
    """A program as an element of an additional file."""
    head = (
        f"    <tlLogic id={quoteattr(signal_id)} type={quoteattr(program.kind)} "
        f'programID={quoteattr(program.program_id)} offset="{program.offset_s:g}">'
    )
    phases = []
    for phase in program.phases:
        bounds = f' minDur="{phase.min_s:g}" maxDur="{phase.max_s:g}"' if phase.min_s and phase.max_s else ""
        phases.append(f'        <phase duration="{phase.duration_s:g}" state="{phase.state}"{bounds}/>')
    return "\n".join([head, *phases, "    </tlLogic>"])
