"""What a benchmark measured, as JSON lines: one value a line, with the versions it was measured with."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from networks.faults import InputError

FIELDS = ("case", "metric", "value", "unit", "seed", "versions")


@dataclass(frozen=True, slots=True)
class Measurement:
    """A value that a case measured; ``seed`` is None where it has none, or stands for several."""

    metric: str
    value: float
    unit: str
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """A measured value with where it belongs; ``versions`` are those of the programs that ran, by name."""

    case: str
    metric: str
    value: float
    unit: str
    seed: int | None
    versions: Mapping[str, str]

    @property
    def key(self) -> tuple[str, str, int | None]:
        """What makes two results comparable."""
        return self.case, self.metric, self.seed


def to_line(result: Result) -> str:
    """A result as one line of JSON, without its end."""
    return json.dumps(asdict(result), ensure_ascii=False, allow_nan=False)


def read_results(path: str | Path) -> list[Result]:
    """Read JSON lines.

    Raises
    ------
    InputError
        FILE_MISSING; RESULT_LINE with the line that holds no result, or one that stands there already.
    """
    found = Path(path)
    if not found.is_file():
        raise InputError("FILE_MISSING", "there is no such file", file=path, remedy="See `python -m benchmarks.run -o`")
    results: dict[tuple[str, str, int | None], Result] = {}
    try:
        lines = found.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as fault:
        raise InputError("RESULT_LINE", f"it cannot be read ({fault})", file=path) from fault
    for row, line in enumerate(lines, start=1):
        if line.strip():
            result = _from_line(line, found, row)
            if result.key in results:
                raise InputError("RESULT_LINE", f"{result.metric} of {result.case} stands twice", file=path, row=row)
            results[result.key] = result
    return list(results.values())


def _from_line(line: str, path: Path, row: int) -> Result:
    try:
        plain = json.loads(line)
    except ValueError as fault:
        raise InputError("RESULT_LINE", f"this is no JSON ({fault})", file=path, row=row) from fault
    if not isinstance(plain, dict) or set(plain) != set(FIELDS) or not _is_sound(plain):
        remedy = "Give files that `python -m benchmarks.run -o` wrote"
        raise InputError("RESULT_LINE", "this is no result of a benchmark", file=path, row=row, remedy=remedy)
    return Result(**plain)


def _is_sound(plain: Mapping[str, Any]) -> bool:
    value, seed, versions = plain["value"], plain["seed"], plain["versions"]
    return (
        all(isinstance(plain[name], str) for name in ("case", "metric", "unit"))
        and isinstance(value, int | float)
        and math.isfinite(value)
        and (seed is None or isinstance(seed, int))
        and isinstance(versions, dict)
        and all(isinstance(version, str) for version in versions.values())
    )
