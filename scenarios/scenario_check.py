"""Values taken out of a scenario file, each checked, every fault named at once."""

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from networks.faults import InputError

_CLOCK = re.compile(r"(\d{1,2}):([0-5]\d)(?::([0-5]\d))?")


class ScenarioError(InputError):
    """All faults of a scenario file together; its text has a line for each."""

    def __init__(self, faults: Sequence[InputError]) -> None:
        """Keep the faults; the first gives the code."""
        first = faults[0]
        super().__init__(first.code, first.what, file=first.file, row=first.row, field=first.field, remedy=first.remedy)
        self.faults = tuple(faults)

    def __str__(self) -> str:
        """A line for each fault."""
        return "\n".join(str(fault) for fault in self.faults)


class Check:
    """Collects faults while values are taken out of a document."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._faults: list[InputError] = []

    def fault(self, where: str, what: str, remedy: str = "", code: str = "CONFIG_VALUE") -> None:
        """Note a fault of a key."""
        self._faults.append(InputError(code, what, file=self._path, field=where, remedy=remedy))

    def finish(self) -> None:
        """Raise what was found, all of it together."""
        if self._faults:
            raise ScenarioError(self._faults)

    def table(self, value: Any, where: str, known: tuple[str, ...]) -> Mapping[str, Any]:
        """A table with known keys alone; an empty one where it is none."""
        if not isinstance(value, Mapping):
            self.fault(where, f"must be a table, not {value!r}")
            return {}
        for key in value:
            if key not in known:
                near = difflib.get_close_matches(str(key), known, n=1, cutoff=0.5)
                remedy = f"Did you mean {near[0]!r}?" if near else f"Known are {', '.join(known)}"
                self.fault(f"{where}.{key}".lstrip("."), "unknown key", remedy, "CONFIG_KEY")
        return value

    def text(self, table: Mapping[str, Any], where: str, default: str) -> str:
        """A text that is not blank."""
        value = table.get(where.rpartition(".")[2], default)
        if isinstance(value, str) and value.strip():
            return value
        self.fault(where, f"must be a text, not {value!r}")
        return default

    def number(
        self, table: Mapping[str, Any], where: str, default: float, *, least: float, most: float = float("inf")
    ) -> float:
        """A number within bounds."""
        value = table.get(where.rpartition(".")[2], default)
        if isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= most:
            return float(value)
        bound = f"{least:g} or more" if most == float("inf") else f"from {least:g} to {most:g}"
        self.fault(where, f"must be a number, {bound}, not {value!r}")
        return default

    def step(self, times: Mapping[str, Any]) -> float:
        """Yellow and red change on whole seconds, so a step must end on each of them."""
        step_s = self.number(times, "scenario.step_s", 1.0, least=0.01, most=1.0)
        if abs(1 / step_s - round(1 / step_s)) > 1e-9:  # noqa: PLR2004 - a rounding error
            self.fault(
                "scenario.step_s", f"a second must be a whole number of steps, not of {step_s:g} s", "Use 0.1, 0.5 or 1"
            )
        return step_s

    def choice(self, table: Mapping[str, Any], where: str, known: tuple[str, ...]) -> str:
        """One of some words; the first where nothing is given."""
        value = table.get(where.rpartition(".")[2], known[0])
        if value in known:
            return str(value)
        near = difflib.get_close_matches(str(value), known, n=1)
        self.fault(where, f"unknown value {value!r}", f"Use {near[0] if near else ' or '.join(known)!r}")
        return str(known[0])

    def clock(self, table: Mapping[str, Any], key: str, default: str) -> float:
        """A time of day (s)."""
        value = table.get(key, default)
        match = _CLOCK.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            self.fault(f"scenario.{key}", f"must be a time of day such as {default!r}, not {value!r}")
            match = _CLOCK.fullmatch(default)
        hours, minutes, seconds = (int(part or 0) for part in match.groups()) if match else (0, 0, 0)
        return float(hours * 3600 + minutes * 60 + seconds)

    def seeds(self, value: Any, where: str) -> tuple[int, ...]:
        """Whole numbers, each once."""
        if not isinstance(value, list) or not value or not all(type(seed) is int and seed >= 0 for seed in value):
            self.fault(where, f"must be a list of whole numbers, 0 or more, not {value!r}")
            return (1,)
        repeated = sorted({seed for seed in value if value.count(seed) > 1})
        if repeated:
            self.fault(where, f"seed {repeated[0]} stands twice", "A repeated seed counts one result twice")
        return tuple(value)

    def file(self, value: Any, where: str) -> Path:
        """A file that is there, by its name relative to the scenario."""
        if not isinstance(value, str) or not value:
            self.fault(where, f"must be a file name, not {value!r}")
            return self._path
        path = self._path.parent / value
        if not path.is_file():
            self.fault(where, f"there is no file {value!r}", "Paths are relative to the scenario file", "FILE_MISSING")
        return path

    def file_or_folder(self, value: Any, where: str) -> Path:
        """A file or a folder that is there, by its name relative to the scenario."""
        if isinstance(value, str) and value and (self._path.parent / value).is_dir():
            return self._path.parent / value
        return self.file(value, where)

    def files(self, value: Any, where: str) -> tuple[Path, ...]:
        """Files that are there."""
        if not isinstance(value, list) or not value:
            self.fault(where, f"must be a list of file names, not {value!r}")
            return ()
        return tuple(self.file(name, where) for name in value)

    def texts(self, value: Any, where: str) -> tuple[str, ...]:
        """A list of texts."""
        if isinstance(value, list) and all(isinstance(word, str) for word in value):
            return tuple(value)
        self.fault(where, f"must be a list of texts, not {value!r}")
        return ()

    def truth(self, value: Any, where: str) -> bool:
        """True or false."""
        if isinstance(value, bool):
            return value
        self.fault(where, f"must be true or false, not {value!r}")
        return False

    def parsed(self, parse: Callable[[], object], where: str) -> None:
        """Let a parser elsewhere judge a value, and name the fault that it finds by its place in this file."""
        try:
            parse()
        except InputError as fault:
            self.fault(where, fault.what, fault.remedy)

    def one_of(self, table: Mapping[str, Any], where: str, known: tuple[str, ...]) -> str | None:
        """The one key of several that is given; None where there are more or none."""
        given = [key for key in known if key in table]
        if len(given) == 1:
            return given[0]
        self.fault(where, f"give exactly one of {', '.join(known)}, not {len(given)}")
        return None
