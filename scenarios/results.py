"""Finished runs on disk: one file each, that appears whole or not at all."""

import json
import math
from dataclasses import asdict, fields
from hashlib import sha256
from pathlib import Path

from networks.faults import RunError
from scenarios.tables import as_record, from_record
from sim.control import RefusedWish
from sim.measures import JunctionMeasures, RunMeasures
from sim.run import Run, RunSpec


def run_file(folder: Path, spec: RunSpec) -> Path:
    """Where a run's result is kept: one file, named by variant and seed and by all that the run depends on."""
    words = "".join(letter if letter.isalnum() else "-" for letter in spec.variant)[:40]
    return folder / f"{words}-{spec.seed}-{_digest(spec)}.json"


def _digest(spec: RunSpec) -> str:
    """Short hash of a run's options; where its files lie does not matter, their names do."""
    plain = asdict(spec) | {"network": spec.network.name, "routes": [path.name for path in spec.routes]}
    return sha256(json.dumps(plain, sort_keys=True, default=str).encode()).hexdigest()[:12]


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


def read_run(path: Path) -> Run:
    """Read a finished run.

    Raises
    ------
    RunError
        RESULT_DAMAGED where the file is not what was written.
    """
    try:
        return run_from_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, KeyError, TypeError) as fault:
        raise RunError(
            "RESULT_DAMAGED", f"a finished run cannot be read ({fault})", file=path, remedy="Delete it and run again"
        ) from fault


def failed_run(spec: RunSpec, reason: str) -> Run:
    """A run that could not be finished: no numbers, and why."""
    empty = {item.name: math.nan if item.type is float else 0 for item in fields(RunMeasures)}
    told = {"variant": spec.variant, "seed": spec.seed, "status": f"failed: {reason}", "gridlocked": False}
    return Run(from_record(RunMeasures, empty | told), (), ())
