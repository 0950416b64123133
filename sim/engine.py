"""The only place that talks to SUMO: in process through libsumo, or through TraCI to a program beside it.

libsumo holds one simulation per process, and a second start silently replaces the first; here it is refused. What SUMO
writes to the C level's standard error is caught, since some of its faults say no more than "Process Error" otherwise.
"""

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from networks.faults import InputError, RunError
from sim.options import SumoOptions

IGNORED_MARKS = ("ignoring '", "is not valid, ignoring")
"""Warnings that mean lost demand: SUMO goes on, the result is wrong."""


class Api(StrEnum):
    """How SUMO is run."""

    LIBSUMO = "libsumo"
    TRACI = "traci"
    GUI = "sumo-gui"


def sumo_home() -> Path:
    """Folder of the installed SUMO: its programs, data and tools."""
    import sumo  # noqa: PLC0415 - the wheel sets an environment variable when imported

    return Path(sumo.SUMO_HOME)


def sumo_version() -> str:
    """Version of the SUMO that runs, from its installed package."""
    from importlib.metadata import version  # noqa: PLC0415 - slow to import, seldom needed

    return version("eclipse-sumo")


class Engine:
    """One SUMO simulation, from start to written outputs. Use it as a context manager.

    ``api`` is SUMO's Python interface (``edge``, ``lane``, ``vehicle``, ``trafficlight``, ``simulation``, ...).

    Raises
    ------
    RunError
        ENGINE_BUSY where this process runs a simulation already; SUMO_FAILED with SUMO's own words.
    InputError
        SUMO_INPUT with SUMO's own words, where what it was given cannot be loaded.
    """

    def __init__(self, options: SumoOptions, api: Api = Api.LIBSUMO) -> None:
        """Keep what is to be run; nothing is started yet."""
        self.options = options
        self.kind = api
        self.api: Any = None
        self.cpu_s = 0.0
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the simulation

    def __enter__(self) -> Self:
        """Load network and demand."""
        module = _module(self.kind)
        if module.isLoaded():
            raise RunError(
                "ENGINE_BUSY",
                "this process runs a simulation already",
                remedy="Run one per process, as `bagdar run` does",
            )
        os.environ.setdefault("SUMO_HOME", str(sumo_home()))
        program = "sumo-gui" if self.kind is Api.GUI else "sumo"
        binary = program if self.kind is Api.LIBSUMO else str(sumo_home() / "bin" / program)
        try:
            with self._heard():
                module.start([binary, *self.options.arguments()])
        except Exception as fault:
            raise InputError("SUMO_INPUT", self._reason(fault), remedy="Correct the file that SUMO names") from fault
        self.api = module
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close, so that SUMO writes its outputs; refuse a run that silently lost demand."""
        try:
            with self._heard():
                self.api.close()
        except Exception as fault:
            if kind is None:
                raise RunError("SUMO_FAILED", self._reason(fault)) from fault
        finally:
            words = self._words()
            self._log.close()
        lost = [line for line in words.splitlines() if any(mark in line for mark in IGNORED_MARKS)]
        if kind is None and lost:
            raise InputError("ROUTE_IGNORED", f"SUMO left demand out: {lost[0]}", remedy="Correct the route file")

    @property
    def time_s(self) -> float:
        """Simulated time (s)."""
        return float(self.api.simulation.getTime())

    def run_to(self, time_s: float) -> None:
        """Simulate up to a time (s)."""
        try:
            with self._heard():
                self.api.simulation.step(time_s)
        except Exception as fault:
            raise RunError("SUMO_FAILED", self._reason(fault)) from fault

    @contextmanager
    def _heard(self) -> Iterator[None]:
        """Count CPU time and catch what the C level writes to standard error."""
        kept = os.dup(2)
        began_s = time.process_time()
        os.dup2(self._log.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            self.cpu_s += time.process_time() - began_s

    def _words(self) -> str:
        self._log.seek(0)
        return self._log.read().decode("utf-8", "replace")

    def _reason(self, fault: Exception) -> str:
        """SUMO's own error lines where it wrote any, else the exception's text, as one line."""
        errors = [line.removeprefix("Error: ") for line in self._words().splitlines() if line.startswith("Error: ")]
        text = " ".join(errors) or str(fault)
        return " ".join(text.split()).rstrip(".")


def _module(kind: Api) -> Any:
    if kind is Api.LIBSUMO:
        import libsumo  # noqa: PLC0415 - 60 MB, and only one of the two is wanted

        return libsumo
    import traci  # noqa: PLC0415

    return traci
