"""SUMO's command line from values, with the settings that make a run honest and repeatable."""

import math
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class SumoOptions:
    """One simulation as SUMO is to run it.

    A negative ``teleport_s`` leaves stuck vehicles in place; an infinite ``end_s`` runs until the last vehicle is gone.
    ``positions`` takes those of vehicles whose type asks for them, and of no others; ``movements`` positions and speeds
    of all, on the edges that ``movements_on`` selects where given. SUMO writes one of both. ``check_junctions`` has it
    look for collisions inside junctions too. ``batteries`` takes the batteries of vehicles that have one, step by step.
    """

    network: Path
    routes: tuple[Path, ...]
    begin_s: float
    end_s: float
    seed: int
    step_s: float = 1.0
    teleport_s: float = -1.0
    additional: tuple[Path, ...] = ()
    tripinfo: Path | None = None
    vehicle_routes: Path | None = None
    statistics: Path | None = None
    stop_visits: Path | None = None
    unfinished_stops: bool = False
    positions: Path | None = None
    positions_every_s: float = 10.0
    movements: Path | None = None
    movements_every_s: float = 1.0
    movements_on: Path | None = None
    check_junctions: bool = False
    warnings: Path | None = None
    batteries: Path | None = None

    def arguments(self, log_every_steps: int | None = None) -> list[str]:
        """SUMO's arguments, program name left out; with a line on standard output now and then where asked for."""
        words = [
            *("--net-file", str(self.network)),
            *("--route-files", ",".join(str(path) for path in self.routes)),
            *("--begin", f"{self.begin_s:g}"),
            *("--end", f"{self.end_s:g}" if math.isfinite(self.end_s) else "-1"),
            *("--step-length", f"{self.step_s:g}"),
            *("--seed", str(self.seed)),
            *("--time-to-teleport", f"{self.teleport_s:g}"),
            *("--collision.action", "warn"),
            *("--xml-validation", "never"),
            *("--duration-log.disable", "true"),
        ]
        if log_every_steps is None:
            words += ["--no-step-log", "true"]
        else:
            words += ["--step-log.period", str(log_every_steps)]
        if self.additional:
            words += ["--additional-files", ",".join(str(path) for path in self.additional)]
        if self.tripinfo is not None:
            words += ["--tripinfo-output", str(self.tripinfo)]
            words += ["--tripinfo-output.write-unfinished", "true", "--tripinfo-output.write-undeparted", "true"]
        if self.vehicle_routes is not None:
            words += ["--vehroute-output", str(self.vehicle_routes), "--vehroute-output.exit-times", "true"]
            words += ["--vehroute-output.last-route", "true", "--vehroute-output.write-unfinished", "true"]
            words += ["--vehroute-output.speedfactor", "true"]
        if self.statistics is not None:
            words += ["--statistic-output", str(self.statistics)]
        if self.stop_visits is not None:
            words += ["--stop-output", str(self.stop_visits)]
            words += ["--stop-output.write-unfinished", "true"] if self.unfinished_stops else []
        words += self._records()
        if self.check_junctions:
            words += ["--collision.check-junctions", "true"]
        if self.warnings is not None:
            words += ["--error-log", str(self.warnings)]
        return words

    def _records(self) -> list[str]:
        """Where vehicles are written down."""
        words: list[str] = []
        if self.positions is not None:
            words += ["--fcd-output", str(self.positions), "--fcd-output.attributes", "lane,pos"]
            words += ["--device.fcd.probability", "0", "--device.fcd.period", f"{self.positions_every_s:g}"]
        if self.movements is not None:
            words += ["--fcd-output", str(self.movements), "--fcd-output.attributes", "lane,edge,pos,speed"]
            words += ["--device.fcd.period", f"{self.movements_every_s:g}"]
            words += ["--person-device.fcd.period", f"{self.movements_every_s:g}"]
        if self.movements_on is not None:
            words += ["--fcd-output.filter-edges.input-file", str(self.movements_on)]
        if self.batteries is not None:
            words += ["--battery-output", str(self.batteries)]
        return words
