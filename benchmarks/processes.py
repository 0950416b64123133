"""What programs cost: CPU time and peak memory of child processes, children of theirs included.

One program at a time, started from here and waited for. Peak memory is read from ``/proc`` while it runs: what
``getrusage`` says of a child is never less than what its parent held when it started it.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.cpu import children_cpu_s
from networks.faults import RunError
from sim.engine import sumo_home

SAMPLE_S = 0.01
MB = 1024
"""Kilobytes, in which Linux counts, in a megabyte."""

ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
"""Threads of a linear-algebra library that wait for work count as CPU time."""


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU time of a program and its children (s), and the JSON that it printed."""

    cpu_s: float
    said: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Memory:
    """Greatest resident memory of a program, and of the children it started together (MB)."""

    own_mb: float
    children_mb: float


def python_call(function: str, *arguments: object) -> list[str]:
    """Command that calls ``module:name`` in a fresh Python; see :mod:`benchmarks.child`."""
    return [sys.executable, "-m", "benchmarks.child", function, *map(str, arguments)]


def cost(command: Sequence[str]) -> Cost:
    """Run a program to its end; count its CPU time.

    Raises
    ------
    RunError
        BENCHMARK_FAILED with the last line that it wrote to standard error.
    """
    began_s = children_cpu_s()
    done = subprocess.run(command, env=_environment(), cwd=_root(), capture_output=True, text=True, check=False)
    used_s = children_cpu_s() - began_s
    if done.returncode:
        words = done.stderr.strip().splitlines() or ["it said nothing"]
        raise RunError("BENCHMARK_FAILED", f"{Path(command[0]).name} ended with {done.returncode} ({words[-1]})")
    return Cost(used_s, _last_json(done.stdout))


def peak_memory(command: Sequence[str]) -> Memory | None:
    """Run a program to its end, looking at its memory all the time; None where the system does not tell (no ``/proc``).

    The last look at a process holds its peak, since the system keeps count of that itself.
    """
    if not Path("/proc/self/status").exists():
        return None
    peaks: dict[int, float] = {}
    nowhere = subprocess.DEVNULL
    with subprocess.Popen(command, env=_environment(), cwd=_root(), stdout=nowhere, stderr=nowhere) as process:
        while process.poll() is None:
            peaks |= {pid: peak for pid in _family(process.pid) if (peak := _peak_mb(pid))}
            time.sleep(SAMPLE_S)
    own_mb = peaks.pop(process.pid, 0.0)
    return Memory(own_mb, sum(peaks.values()))


def _environment() -> dict[str, str]:
    return os.environ | ONE_THREAD | {"SUMO_HOME": str(sumo_home())}


def _root() -> Path:
    """Where ``benchmarks`` can be imported from: it is no part of what gets installed."""
    return Path(__file__).parents[1]


def _last_json(printed: str) -> dict[str, Any]:
    lines = [line for line in printed.splitlines() if line.startswith("{")]
    return dict(json.loads(lines[-1])) if lines else {}


def _family(pid: int) -> Iterator[int]:
    """A process and all that descend from it."""
    yield pid
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    except OSError:
        return
    for child in children:
        yield from _family(int(child))


def _peak_mb(pid: int) -> float | None:
    """Peak resident memory so far; None for a process that has just ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    return next((float(line.split()[1]) / MB for line in lines if line.startswith("VmHWM:")), None)
