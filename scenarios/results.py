"""Finished runs on disk: one file each, that appears whole or not at all."""

import io
import json
import math
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import asdict, fields
from hashlib import sha256
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from networks.faults import RunError
from networks.intake import file_sha256
from scenarios.tables import as_record, from_record
from signals.history import SignalHistory
from signals.outside_controller import is_outside, outside_controller
from signals.priority import PriorityRow
from sim.battery_run import BatteryRun
from sim.conflict_run import ConflictRun, Entered
from sim.conflicts import Conflict
from sim.control import RefusedWish
from sim.measures import JunctionMeasures, RunMeasures
from sim.passages import Passages
from sim.passenger_run import PassengerRun
from sim.run import Run, RunSpec, sensing_words
from sim.signal_measures import CycleMeasures, ModeMeasures, MovementMeasures
from sim.signal_record import SignalRun
from sim.transit_plan import CALLS_FILE, WAYS_FILE, TransitFiles
from sim.transit_run import TransitRun


def run_file(folder: Path, spec: RunSpec) -> Path:
    """Where a run's result is kept: one file, named by variant and seed and by all that the run depends on."""
    words = "".join(letter if letter.isalnum() else "-" for letter in spec.variant)[:40]
    return folder / f"{words}-{spec.seed}-{_digest(spec)}.json"


def _digest(spec: RunSpec) -> str:
    """Short hash of a run's options; where its files lie does not matter, their names do.

    A folder of timetabled vehicles has the same names whatever is in it: there the content counts.
    """
    plain = asdict(spec) | {
        "network": spec.network.name,
        "routes": [path.name for path in spec.routes],
        "transit": _content(spec.transit) if spec.transit else None,
        "controller_folder": _controller_content(spec),
        "conflicts": _conflict_words(spec),
    }
    return sha256(json.dumps(plain, sort_keys=True, default=str).encode()).hexdigest()[:12]


def _conflict_words(spec: RunSpec) -> list[Any] | None:
    options = spec.conflicts
    return None if options is None else [options.sites, options.measures, options.trajectories is not None]


def _controller_content(spec: RunSpec) -> str | None:
    """Hash of the file with somebody else's controller; None where it is one of ours."""
    if not is_outside(spec.controller):
        return None
    return file_sha256(outside_controller(spec.controller, spec.controller_folder).file)


def _content(folder: Path) -> str:
    """Hash of the files that a run reads of its timetabled vehicles."""
    files = TransitFiles(folder)
    whole = sha256()
    for path in (files.stops, files.vehicles, folder / CALLS_FILE, folder / WAYS_FILE):
        whole.update(sha256(path.read_bytes()).digest())
    return whole.hexdigest()


def run_to_json(run: Run) -> str:
    """A run as JSON text; what is not a number is null."""
    plain = {
        "measures": as_record(run.measures),
        "junctions": [as_record(row) for row in run.junctions],
        "refusals": [as_record(row) for row in run.refusals],
        "transit": _packed(_columns(run.transit)) if run.transit else None,
        "signals": _signals_record(run.signals) if run.signals else None,
        "conflicts": _conflicts_record(run.conflicts) if run.conflicts else None,
        "requests": [as_record(row) for row in run.requests],
        "passengers": _packed(_columns(run.passengers)) if run.passengers else None,
        "batteries": _packed(_columns(run.batteries)) if run.batteries else None,
    }
    return json.dumps(plain, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def run_from_json(text: str) -> Run:
    """The run that :func:`run_to_json` wrote."""
    plain = json.loads(text)
    return Run(
        measures=from_record(RunMeasures, plain["measures"]),
        junctions=tuple(from_record(JunctionMeasures, row) for row in plain["junctions"]),
        refusals=tuple(from_record(RefusedWish, row) for row in plain["refusals"]),
        transit=_transit_run(_unpacked(plain["transit"])) if plain["transit"] else None,
        signals=_signal_run(plain["signals"]) if plain["signals"] else None,
        conflicts=_conflict_run(plain["conflicts"]) if plain["conflicts"] else None,
        requests=tuple(from_record(PriorityRow, row) for row in plain["requests"]),
        passengers=PassengerRun(**_unpacked(plain["passengers"])) if plain["passengers"] else None,
        batteries=BatteryRun(**_unpacked(plain["batteries"])) if plain["batteries"] else None,
    )


def _conflicts_record(run: ConflictRun) -> dict[str, Any]:
    return {
        "conflicts": [as_record(row) for row in run.conflicts],
        "entered": [as_record(row) for row in run.entered],
    }


def _conflict_run(plain: Mapping[str, Any]) -> ConflictRun:
    return ConflictRun(
        tuple(from_record(Conflict, row) for row in plain["conflicts"]),
        tuple(from_record(Entered, row) for row in plain["entered"]),
    )


def _signals_record(run: SignalRun) -> dict[str, Any]:
    """A run's signals: rows as records, states and passages as packed columns."""
    return {
        "movements": [as_record(row) for row in run.movements],
        "cycles": [as_record(row) for row in run.cycles],
        "modes": [as_record(row) for row in run.modes],
        "histories": [_packed(_columns(history)) for history in run.histories],
        "passages": _packed(_columns(run.passages)),
    }


def _signal_run(plain: Mapping[str, Any]) -> SignalRun:
    return SignalRun(
        movements=tuple(from_record(MovementMeasures, row) for row in plain["movements"]),
        cycles=tuple(from_record(CycleMeasures, row) for row in plain["cycles"]),
        modes=tuple(from_record(ModeMeasures, row) for row in plain["modes"]),
        histories=tuple(_history(_unpacked(text)) for text in plain["histories"]),
        passages=Passages(**_unpacked(plain["passages"])),
    )


def _history(columns: dict[str, Any]) -> SignalHistory:
    return SignalHistory(
        signal_id=str(columns["signal_id"]),
        begins_s=tuple(columns["begins_s"].tolist()),
        states=tuple(columns["states"].tolist()),
        end_s=float(columns["end_s"]),
    )


def _transit_run(columns: dict[str, Any]) -> TransitRun:
    return TransitRun(**columns | {"end_s": float(columns["end_s"])})


def _columns(value: Any) -> dict[str, Any]:
    return {item.name: np.asarray(getattr(value, item.name)) for item in fields(value)}


def _packed(columns: Mapping[str, Any]) -> str:
    """Columns as text: as numbers in JSON they would be ten times as long."""
    archive = io.BytesIO()
    np.savez_compressed(archive, **columns)
    return b64encode(archive.getvalue()).decode("ascii")


def _unpacked(text: str) -> dict[str, Any]:
    with np.load(io.BytesIO(b64decode(text, validate=True)), allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}


def read_run(path: Path) -> Run:
    """Read a finished run.

    Raises
    ------
    RunError
        RESULT_DAMAGED where the file is not what was written.
    """
    try:
        return run_from_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, KeyError, TypeError, BadZipFile) as fault:
        raise RunError(
            "RESULT_DAMAGED", f"a finished run cannot be read ({fault})", file=path, remedy="Delete it and run again"
        ) from fault


def failed_run(spec: RunSpec, reason: str) -> Run:
    """A run that could not be finished: no numbers, and why."""
    empty = {item.name: math.nan if item.type is float else 0 for item in fields(RunMeasures)}
    told = {"variant": spec.variant, "seed": spec.seed, "status": f"failed: {reason}", "gridlocked": False}
    told["sensing"] = sensing_words(spec)
    return Run(from_record(RunMeasures, empty | told), (), ())
