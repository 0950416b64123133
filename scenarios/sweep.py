"""Many runs, each in a worker process of its own: a worker that dies takes only its run with it.

A finished run is one file that appears whole or not at all, so a sweep that was stopped goes on where it was. A run
that fails is tried once more and then reported as failed. Workers end with their parent.
"""

import multiprocessing
import os
import pickle
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path

from networks.faults import BagdarError, InputError
from scenarios.results import failed_run, read_run, run_file
from scenarios.worker import Order
from sim.run import Run, RunSpec

TRIES = 2
DEFAULT_LIMIT_S = 4 * 3600.0
POLL_S = 0.5
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
"""Workers share the cores among themselves; idle threads of a linear algebra library would spin on them."""

Progress = Callable[[str, float], None]


@dataclass(slots=True)
class _Worker:
    """A run under way, and which try it is."""

    spec: RunSpec
    attempt: int
    process: subprocess.Popen[bytes]
    reader: Connection
    started_s: float
    fault: BagdarError | None = None
    has_ended: bool = False


def sweep(
    specs: Sequence[RunSpec],
    folder: Path,
    *,
    workers: int,
    limit_s: float = DEFAULT_LIMIT_S,
    on_progress: Progress | None = None,
) -> list[Run]:
    """Do every run that ``folder`` does not hold yet; return all of them in the order of ``specs``.

    Parameters
    ----------
    limit_s
        Wall-clock time after which a worker is ended and its run tried again.
    on_progress
        Called with a run's label and its done share, 0 to 1, where 1 means finished or given up.

    Raises
    ------
    InputError
        What a worker found wrong with its input; the other workers are stopped, finished runs are kept.
    """
    folder.mkdir(parents=True, exist_ok=True)
    pending = deque((spec, 1) for spec in specs if not run_file(folder, spec).exists())
    report = on_progress or _silent
    for spec in specs:
        if run_file(folder, spec).exists():
            report(label(spec), 1.0)
    failed: dict[tuple[str, int], str] = {}
    active: list[_Worker] = []
    try:
        while pending or active:
            while pending and len(active) < max(1, workers):
                active.append(_start(*pending.popleft(), folder))
            wait([worker.reader for worker in active], timeout=POLL_S)
            for worker in active:
                _listen(worker, limit_s, report)
            for worker in [worker for worker in active if worker.has_ended]:
                active.remove(worker)
                reason = _verdict(worker, folder, limit_s)
                if reason is not None and worker.attempt < TRIES:
                    pending.append((worker.spec, worker.attempt + 1))
                    continue
                if reason is not None:
                    failed[_key(worker.spec)] = reason
                report(label(worker.spec), 1.0)
    finally:
        for worker in active:
            _end(worker)
    return [
        failed_run(spec, failed[_key(spec)]) if _key(spec) in failed else read_run(run_file(folder, spec))
        for spec in specs
    ]


def _silent(_label: str, _share: float) -> None:
    """Progress for nobody."""


def _key(spec: RunSpec) -> tuple[str, int]:
    return spec.variant, spec.seed


def label(spec: RunSpec) -> str:
    """How a run is called in messages."""
    return f"{spec.variant}, seed {spec.seed}"


def _start(spec: RunSpec, attempt: int, folder: Path) -> _Worker:
    """Start a worker and give it its order; its standard input stays open until it has ended."""
    reader, writer = multiprocessing.Pipe(duplex=False)
    with writer:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "scenarios.worker", str(writer.fileno())],
            stdin=subprocess.PIPE,
            pass_fds=[writer.fileno()],
            env=os.environ | ONE_THREAD,
        )
    worker = _Worker(spec, attempt, process, reader, time.monotonic())
    if process.stdin is not None:
        with suppress(BrokenPipeError):  # it died before it could read, which is seen as its end
            process.stdin.write(pickle.dumps(Order(spec, folder)))
            process.stdin.flush()
    return worker


def _listen(worker: _Worker, limit_s: float, report: Progress) -> None:
    """Take what a worker has said, its done share or the fault that ended it; see whether it has ended or must."""
    try:
        while worker.reader.poll():
            said = worker.reader.recv()
            if isinstance(said, BagdarError):
                worker.fault = said
            else:
                report(label(worker.spec), said)
    except (EOFError, OSError):
        _end(worker)
    if time.monotonic() - worker.started_s > limit_s and not worker.has_ended:
        worker.process.kill()
        _end(worker)


def _end(worker: _Worker) -> None:
    """Close what connects to a worker, which ends it where it still runs, and wait for its end."""
    worker.has_ended = True
    worker.reader.close()
    if worker.process.stdin is not None:
        with suppress(BrokenPipeError):
            worker.process.stdin.close()
    worker.process.wait()


def _verdict(worker: _Worker, folder: Path, limit_s: float) -> str | None:
    """Why a worker did not finish its run; None where it did. Input at fault is raised: a second try ends alike."""
    if run_file(folder, worker.spec).exists():
        return None
    if isinstance(worker.fault, InputError):
        raise worker.fault
    if worker.fault is not None:
        return str(worker.fault)
    if time.monotonic() - worker.started_s > limit_s:
        return f"over its time limit of {limit_s:g} s"
    return f"its worker ended with exit code {worker.process.returncode}"
