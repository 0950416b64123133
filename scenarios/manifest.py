"""What a results folder was made from: versions, options, hashes of every input. It has no time stamps.

Its identity tells one scenario's folder from another's. Seeds do not belong to it: more of them may be run into the
same folder.
"""

import json
import platform
from collections.abc import Mapping
from dataclasses import asdict
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

from networks.faults import InputError
from networks.intake import file_sha256
from networks.outfile import write_text
from scenarios.scenario import Scenario

FILE_NAME = "manifest.json"
PROGRAMS = ("bagdar", "eclipse-sumo", "libsumo", "numpy", "numba", "scipy")


def versions() -> dict[str, str]:
    """Versions of the programs that decide the result."""
    return {"python": platform.python_version(), **{name: version(name) for name in PROGRAMS}}


def describe(scenario: Scenario) -> dict[str, Any]:
    """A manifest before the runs: options, inputs with their SHA-256, versions, identity."""
    options = asdict(scenario)
    seeds = options.pop("seeds")
    folder = scenario.path.parent
    plain = json.loads(json.dumps(options | {"path": scenario.path.name}, default=lambda path: _name(path, folder)))
    inputs = {_name(path, folder): file_sha256(path) for path in scenario.input_files()}
    identity = sha256(json.dumps([plain, inputs, versions()], sort_keys=True).encode()).hexdigest()
    return {
        "identity": identity,
        "scenario": plain,
        "seeds": list(seeds),
        "inputs_sha256": inputs,
        "versions": versions(),
    }


def _name(path: Path, folder: Path) -> str:
    """A file as the scenario names it: relative to the scenario's folder where it lies below."""
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.as_posix()


def claim_folder(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Make a results folder this scenario's, or refuse one that holds another's.

    Raises
    ------
    InputError
        RESULT_MISMATCH where the folder's manifest has another identity, or cannot be read.
    """
    path = folder / FILE_NAME
    if path.exists():
        try:
            found = json.loads(path.read_text(encoding="utf-8"))["identity"]
        except (OSError, ValueError, KeyError, TypeError) as fault:
            raise InputError("RESULT_MISMATCH", f"its manifest cannot be read ({fault})", file=path) from fault
        if found != manifest["identity"]:
            raise InputError(
                "RESULT_MISMATCH",
                f"the folder holds results of another scenario or of changed inputs or versions ({found[:12]}, "
                f"not {manifest['identity'][:12]})",
                file=folder,
                remedy="Choose another folder, or delete this one",
            )
    write_manifest(folder, manifest)


def write_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Write ``manifest.json``."""
    write_text(folder / FILE_NAME, json.dumps(manifest, indent=2, ensure_ascii=False) + "\n")
