"""SUMO's output files read back, and the additional files that ask for them."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import quoteattr

import numpy as np
import numpy.typing as npt

from networks.intake import Attributes, parse_xml
from networks.network import Program
from networks.outfile import write_text

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Trips:
    """One entry a vehicle that was due in the simulated time, shape (vehicles,) each.

    ``inserted`` and ``arrived`` tell how far it came. ``depart_delay_s`` is the wait for entry, up to the end for those
    that never entered.
    """

    inserted: npt.NDArray[np.bool_]
    arrived: npt.NDArray[np.bool_]
    depart_delay_s: FloatArray
    time_loss_s: FloatArray
    duration_s: FloatArray
    waiting_s: FloatArray
    stops: FloatArray

    def __len__(self) -> int:
        """Count of vehicles that were due."""
        return len(self.inserted)


@dataclass(frozen=True, slots=True)
class Events:
    """What went wrong in a run, as SUMO counts it."""

    teleports: int
    collisions: int
    emergency_braking: int


@dataclass(frozen=True, slots=True)
class EdgeTotals:
    """An edge over the whole time: vehicles that left it, time they lost and stood on it (s)."""

    left: int
    time_loss_s: float
    waiting_s: float


def read_trips(path: Path) -> Trips:
    """Read a ``tripinfo`` output, unfinished and never inserted vehicles included."""
    rows: list[Attributes] = []

    def keep(tag: str, attributes: Attributes) -> None:
        if tag == "tripinfo":
            rows.append(attributes)

    parse_xml(path, keep, code="SUMO_OUTPUT")

    def column(name: str) -> FloatArray:
        return np.array([float(row[name]) for row in rows], dtype=np.float64)

    return Trips(
        inserted=column("depart") >= 0,
        arrived=column("arrival") >= 0,
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
    """Read an ``edgeData`` output of one interval, by edge id."""
    totals: dict[str, EdgeTotals] = {}

    def keep(tag: str, row: Attributes) -> None:
        if tag == "edge":
            totals[row["id"]] = EdgeTotals(
                int(row.get("left", 0)), float(row.get("timeLoss", 0.0)), float(row.get("waitingTime", 0.0))
            )

    parse_xml(path, keep, code="SUMO_OUTPUT")
    return totals


def write_additional(
    path: Path, edges: Iterable[str], edge_output: Path, programs: Iterable[tuple[str, Program]]
) -> None:
    """Write the additional file of a run: the edges to measure, and programs to load in place of the shipped ones."""
    lines = ["<additional>"]
    chosen = " ".join(edges)
    if chosen:
        place = f"file={quoteattr(str(edge_output))} edges={quoteattr(chosen)}"
        lines.append(f'    <edgeData id="junctions" {place} withInternal="true"/>')
    lines.extend(_program_xml(signal_id, program) for signal_id, program in programs)
    write_text(path, "\n".join([*lines, "</additional>", ""]))


def _program_xml(signal_id: str, program: Program) -> str:
    head = (
        f"    <tlLogic id={quoteattr(signal_id)} type={quoteattr(program.kind)} "
        f'programID={quoteattr(program.program_id)} offset="{program.offset_s:g}">'
    )
    phases = []
    for phase in program.phases:
        bounds = f' minDur="{phase.min_s:g}" maxDur="{phase.max_s:g}"' if phase.min_s and phase.max_s else ""
        phases.append(f'        <phase duration="{phase.duration_s:g}" state="{phase.state}"{bounds}/>')
    return "\n".join([head, *phases, "    </tlLogic>"])
