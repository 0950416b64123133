"""Many runs, each in a worker process of its own: a worker that dies takes only its run with it.

A finished run is one file that appears whole or not at all, so a sweep that was stopped goes on where it was. A run
that fails is tried once more and then reported as failed. Workers end with their parent.
"""

import json
import math
import multiprocessing
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from hashlib import sha256
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path

from networks.faults import BagdarError, InputError, RunError
from networks.outfile import write_text
from scenarios.tables import as_record, from_record
from sim.control import RefusedWish
from sim.measures import JunctionMeasures, RunMeasures
from sim.run import Run, RunSpec, simulate

TRIES = 2
DEFAULT_LIMIT_S = 4 * 3600.0
POLL_S = 0.5

Progress = Callable[[str, float], None]


@dataclass(slots=True)
class _Worker:
    """A run under way."""

    spec: RunSpec
    process: BaseProcess
    reader: Connection
    started_s: float
    fault: BagdarError | None = None


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
    failed: dict[Path, RunMeasures] = {}
    active: dict[int, tuple[_Worker, int]] = {}
    try:
        while pending or active:
            while pending and len(active) < max(1, workers):
                spec, attempt = pending.popleft()
                worker = _start(spec, folder)
                active[worker.process.sentinel] = (worker, attempt)
            for worker, attempt in _ended(active, limit_s, report):
                reason = _verdict(worker, folder, limit_s)
                if reason is None:
                    report(label(worker.spec), 1.0)
                elif attempt < TRIES:
                    pending.append((worker.spec, attempt + 1))
                else:
                    failed[run_file(folder, worker.spec)] = failed_measures(worker.spec, reason)
                    report(label(worker.spec), 1.0)
    finally:
        for worker, _ in active.values():
            worker.process.kill()
            worker.process.join()
    return [_result(run_file(folder, spec), failed) for spec in specs]


def _silent(_label: str, _share: float) -> None:
    """Progress for nobody."""


def label(spec: RunSpec) -> str:
    """How a run is called in messages."""
    return f"{spec.variant}, seed {spec.seed}"


def run_file(folder: Path, spec: RunSpec) -> Path:
    """Where a run's result is kept: one file, named by variant and seed and by all that the run depends on."""
    words = "".join(letter if letter.isalnum() else "-" for letter in spec.variant)[:40]
    return folder / f"{words}-{spec.seed}-{_digest(spec)}.json"


def _digest(spec: RunSpec) -> str:
    """Short hash of a run's options; where its files lie does not matter, their names do."""
    plain = asdict(spec) | {"network": spec.network.name, "routes": [path.name for path in spec.routes]}
    return sha256(json.dumps(plain, sort_keys=True, default=str).encode()).hexdigest()[:12]


def failed_measures(spec: RunSpec, reason: str) -> RunMeasures:
    """The row of a run that could not be finished: no numbers, and why."""
    empty = {item.name: math.nan if item.type is float else 0 for item in fields(RunMeasures)}
    told = {"variant": spec.variant, "seed": spec.seed, "status": f"failed: {reason}", "gridlocked": False}
    return from_record(RunMeasures, empty | told)


def _start(spec: RunSpec, folder: Path) -> _Worker:
    context = multiprocessing.get_context("spawn")
    reader, writer = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(spec, folder, writer), name=label(spec))
    process.start()
    writer.close()
    return _Worker(spec, process, reader, time.monotonic())


def _ended(active: dict[int, tuple[_Worker, int]], limit_s: float, report: Progress) -> list[tuple[_Worker, int]]:
    """Wait a moment, pass progress on, and take out the workers that have ended or are over their time."""
    wait([*active, *(worker.reader for worker, _ in active.values())], timeout=POLL_S)
    done = []
    for sentinel, (worker, attempt) in list(active.items()):
        _drain(worker, report)
        over_time = time.monotonic() - worker.started_s > limit_s
        if over_time:
            worker.process.kill()
        if over_time or not worker.process.is_alive():
            worker.process.join()
            _drain(worker, report)
            worker.reader.close()
            done.append((worker, attempt))
            del active[sentinel]
    return done


def _drain(worker: _Worker, report: Progress) -> None:
    """Read what a worker has said: its done share, or the fault that ended it."""
    try:
        while worker.reader.poll():
            said = worker.reader.recv()
            if isinstance(said, BagdarError):
                worker.fault = said
            else:
                report(label(worker.spec), said)
    except (EOFError, OSError):
        return


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
    return f"its worker ended with exit code {worker.process.exitcode}"


def _work(spec: RunSpec, folder: Path, writer: Connection) -> None:
    """Body of a worker: one run, one file."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    span_s = spec.end_s - spec.begin_s
    try:
        run = simulate(
            spec,
            scratch=folder,
            on_progress=lambda now_s: writer.send((now_s - spec.begin_s) / span_s),
            progress_every_s=span_s / 50,
        )
        write_text(run_file(folder, spec), run_to_json(run))
    except BagdarError as fault:
        writer.send(fault)
    except MemoryError:
        writer.send(RunError("WORKER_MEMORY", "the machine has no memory left", remedy="Use fewer --workers"))


def _end_with_parent() -> None:
    """A worker whose parent is gone ends at once: nobody waits for it, and the next sweep may start its run anew."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def run_to_json(run: Run) -> str:
    """A run as JSON text; what is not a number is null."""
    plain = {
        "measures": as_record(run.measures),
        "junctions": [as_record(row) for row in run.junctions],
        "refusals": [as_record(row) for row in run.refusals],
    }
    return json.dumps(plain, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def run_from_json(text: str) -> Run:
    """The run that :func:`run_to_json` wrote."""
    plain = json.loads(text)
    return Run(
        measures=from_record(RunMeasures, plain["measures"]),
        junctions=tuple(from_record(JunctionMeasures, row) for row in plain["junctions"]),
        refusals=tuple(from_record(RefusedWish, row) for row in plain["refusals"]),
    )


def _result(path: Path, failed: dict[Path, RunMeasures]) -> Run:
    if path in failed:
        return Run(failed[path], (), ())
    try:
        return run_from_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, KeyError, TypeError) as fault:
        raise RunError(
            "RESULT_DAMAGED", f"a finished run cannot be read ({fault})", file=path, remedy="Delete it and run again"
        ) from fault
