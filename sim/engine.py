"""The only place that talks to SUMO: in process through libsumo, through TraCI, or as a program left to itself.

A run in which nobody has to act goes to the program: libsumo costs a tenth more for the same simulation. libsumo holds
one simulation per process, and a second start silently replaces the first; here it is refused. What SUMO writes to the
C level's standard error is caught, since some of its faults say no more than "Process Error".
"""

import ctypes
import io
import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext, redirect_stderr, redirect_stdout
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from networks.faults import InputError, RunError
from sim.options import SumoOptions

IGNORED_MARKS = ("ignoring '", "is not valid, ignoring")
"""Warnings that mean lost demand: SUMO goes on, the result is wrong."""


class Api(StrEnum):
    """How SUMO is run: as a program left to itself, in this process, beside it, or beside it with a window."""

    PROGRAM = "sumo"
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
        ENGINE_BUSY where this process runs a simulation already; NO_SCREEN; SUMO_FAILED with SUMO's own words.
    InputError
        SUMO_INPUT with SUMO's own words, where what it was given cannot be loaded.
    """

    def __init__(self, options: SumoOptions, api: Api = Api.LIBSUMO, *, shares_stderr: bool = False) -> None:
        """Keep what is to be run; nothing is started yet.

        Parameters
        ----------
        shares_stderr
            Where the caller goes on with work of its own between steps: SUMO is then heard only while it works, so that
            what others write to standard error meanwhile gets there. That costs some CPU time at each step.
        """
        self.options = options
        self.kind = api
        self.api: Any = None
        self.cpu_s = 0.0
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the simulation
        self._open = ExitStack()
        self._shares_stderr = shares_stderr

    def __enter__(self) -> Self:
        """Load network and demand."""
        with ExitStack() as begun:
            begun.enter_context(self._log)
            if not self._shares_stderr:
                begun.enter_context(self._heard())
            self._start()
            self._open = begun.pop_all()
        return self

    def _start(self) -> None:
        module = _module(self.kind)
        if module.isLoaded():
            raise RunError(
                "ENGINE_BUSY",
                "this process runs a simulation already",
                remedy="Run one per process, as `bagdar run` does",
            )
        if self.kind is Api.GUI:
            _require_screen()
        os.environ.setdefault("SUMO_HOME", str(sumo_home()))
        program = "sumo-gui" if self.kind is Api.GUI else "sumo"
        binary = program if self.kind is Api.LIBSUMO else str(sumo_home() / "bin" / program)
        try:
            with self._at_work(), redirect_stdout(io.StringIO()):  # the TraCI client prints its tries to connect
                module.start([binary, *self.options.arguments(), *_window(self.kind)])
        except Exception as fault:
            raise InputError("SUMO_INPUT", self._reason(fault), remedy="Correct the file that SUMO names") from fault
        self.api = module

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close, so that SUMO writes its outputs; refuse a run that silently lost demand."""
        with self._open:
            try:
                with self._at_work():
                    self.api.close()
            except Exception as fault:
                if kind is None:
                    raise RunError("SUMO_FAILED", self._reason(fault)) from fault
            words = self._words()
        if kind is None:
            _refuse_lost_demand(words)

    @property
    def time_s(self) -> float:
        """Simulated time (s)."""
        return float(self.api.simulation.getTime())

    def run_to(self, time_s: float) -> None:
        """Simulate up to a time (s)."""
        try:
            if self._shares_stderr:
                with self._at_work():
                    self.api.simulation.step(time_s)
            else:
                # as there, by hand: this is done each second, and a context costs more than the call
                began_s = time.process_time()
                self.api.simulation.step(time_s)
                self.cpu_s += time.process_time() - began_s
        except Exception as fault:
            raise RunError("SUMO_FAILED", self._reason(fault)) from fault

    @contextmanager
    def _at_work(self) -> Iterator[None]:
        """Count CPU time as SUMO's; hear it where that is not done all the time."""
        began_s = time.process_time()
        try:
            with self._caught() if self._shares_stderr else nullcontext():
                yield
        finally:
            self.cpu_s += time.process_time() - began_s

    @contextmanager
    def _heard(self) -> Iterator[None]:
        """Catch what the C level writes to standard error; what Python writes there still goes where it went.

        Once for a whole simulation: to change over at every step costs as much as a small step itself.
        """
        with self._caught() as kept, open(kept, "w", buffering=1, closefd=False) as own, redirect_stderr(own):
            yield

    @contextmanager
    def _caught(self) -> Iterator[int]:
        """Catch everything; the given descriptor leads to where it went."""
        kept = os.dup(2)
        os.dup2(self._log.fileno(), 2)
        try:
            yield kept
        finally:
            os.dup2(kept, 2)
            os.close(kept)

    def _words(self) -> str:
        self._log.seek(0)
        return self._log.read().decode("utf-8", "replace")

    def _reason(self, fault: Exception) -> str:
        """SUMO's own error lines where it wrote any, else the exception's text, as one line."""
        return _errors(self._words()) or " ".join(str(fault).split()).rstrip(".")


def run_program(options: SumoOptions, on_progress: Callable[[float], None] | None, every_s: float) -> float:
    """Run SUMO as a program to the end of the simulated time; give its CPU time (s).

    The program ends with this process, however that ends.

    Raises
    ------
    InputError
        SUMO_INPUT or ROUTE_IGNORED with SUMO's own words.
    RunError
        SUMO_FAILED where it was ended from outside.
    """
    words = options.arguments(log_every_steps=max(1, round(every_s / options.step_s)))
    began_s = _children_cpu_s()
    with tempfile.TemporaryFile() as heard:
        with subprocess.Popen(
            [sumo_home() / "bin" / "sumo", *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=heard,
            env=os.environ | {"SUMO_HOME": str(sumo_home())},
            preexec_fn=_end_with_parent,  # noqa: PLW1509 - the hook calls one C function and takes no lock
        ) as program:
            _follow(program.stdout, on_progress)
        heard.seek(0)
        said = heard.read().decode("utf-8", "replace")
    if program.returncode < 0:
        raise RunError("SUMO_FAILED", f"SUMO was ended by signal {-program.returncode}")
    if program.returncode:
        raise InputError(
            "SUMO_INPUT", _errors(said) or "SUMO gave no reason", remedy="Correct the file that SUMO names"
        )
    _refuse_lost_demand(said)
    return _children_cpu_s() - began_s


def _follow(stream: IO[bytes] | None, on_progress: Callable[[float], None] | None) -> None:
    """Read what the program prints until it ends; its steps are the progress."""
    while stream is not None and (chunk := stream.read1(4096)):  # type: ignore[attr-defined]  # a pipe is buffered
        steps = re.findall(rb"Step #(\d+(?:\.\d+)?)", chunk)
        if steps and on_progress is not None:
            on_progress(float(steps[-1]))


def _end_with_parent() -> None:
    """In the child, before SUMO: have the kernel end it when its parent dies (Linux; elsewhere it runs to its end)."""
    if sys.platform == "linux":
        set_parent_death_signal = 1
        ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL)


def _children_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _errors(said: str) -> str:
    """SUMO's own error lines as one line."""
    errors = [line.removeprefix("Error: ") for line in said.splitlines() if line.startswith("Error: ")]
    return " ".join(" ".join(errors).split()).rstrip(".")


def _refuse_lost_demand(said: str) -> None:
    lost = [line for line in said.splitlines() if any(mark in line for mark in IGNORED_MARKS)]
    if lost:
        raise InputError("ROUTE_IGNORED", f"SUMO left demand out: {lost[0]}", remedy="Correct the route file")


def _require_screen() -> None:
    """Without a screen sumo-gui ends at once, and the client would try to reach it for a minute."""
    if sys.platform == "linux" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise RunError("NO_SCREEN", "there is no screen to open a window on", remedy="Run it where DISPLAY is set")


def _window(kind: Api) -> list[str]:
    """Start at once, slowly enough to be watched, and close at the end."""
    return ["--start", "true", "--quit-on-end", "true", "--delay", "100"] if kind is Api.GUI else []


def _module(kind: Api) -> Any:
    if kind is Api.LIBSUMO:
        import libsumo  # noqa: PLC0415 - 60 MB, and only one of the two is wanted

        return libsumo
    import traci  # noqa: PLC0415 - as above

    return traci
