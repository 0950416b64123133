"""Body of a worker process: one run, one file. Started by :mod:`scenarios.sweep` as ``python -m scenarios.worker``.

A program of its own rather than a copy of the parent: a user's script is not run a second time to start one. The order
comes in on standard input, which stays open as long as the parent lives; what there is to say goes back over a pipe.
"""

import os
import pickle
import sys
import threading
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from networks.faults import BagdarError, RunError
from networks.outfile import write_text
from scenarios.results import run_file, run_to_json
from sim.run import RunSpec, simulate

REPORTS = 50
"""How often a run tells its progress."""


@dataclass(frozen=True, slots=True)
class Order:
    """What a worker is to do, and where the result goes."""

    spec: RunSpec
    folder: Path


def main() -> None:
    """Do the run that standard input orders; send shares done, and the fault that ended it."""
    order: Order = pickle.load(sys.stdin.buffer)  # noqa: S301 - from the parent's own pipe
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with Connection(int(sys.argv[1]), readable=False) as writer:
        try:
            _work(order, writer)
        except BagdarError as fault:
            writer.send(fault)
        except Exception as fault:  # noqa: BLE001 - whatever it was, the parent is told and goes on
            writer.send(RunError("WORKER_FAILED", f"{type(fault).__name__}: {fault}"))


def _work(order: Order, writer: Connection) -> None:
    spec = order.spec
    span_s = spec.end_s - spec.begin_s
    run = simulate(
        spec,
        scratch=order.folder,
        on_progress=lambda now_s: writer.send((now_s - spec.begin_s) / span_s),
        progress_every_s=span_s / REPORTS,
    )
    write_text(run_file(order.folder, spec), run_to_json(run))


def _end_with_parent() -> None:
    """End at once when the parent is gone: nobody waits any more, and the next sweep may start this run anew."""
    os.read(sys.stdin.fileno(), 1)  # past the buffer, whose lock would be missed at the end of the program
    os._exit(1)


if __name__ == "__main__":
    main()
