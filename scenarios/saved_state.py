"""Values that survive a restart: what a replay remembers, in one file that is written whole or not at all.

A zip of arrays (NumPy's own format, nothing in it is code) and one text that tells how they belong together.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from networks.faults import InputError
from networks.outfile import atomic_path

TEXT = "values"


def save_state(path: Path, value: Any) -> None:
    """Write a value made of dataclasses, named tuples, lists, sets, mappings, enumerations, numbers, texts and arrays.

    Raises
    ------
    RunError
        WRITE_FAILED.
    """
    arrays: list[Any] = []
    text = json.dumps(_plain(value, arrays))
    named: dict[str, Any] = {f"a{number}": array for number, array in enumerate(arrays)} | {TEXT: np.array(text)}
    with atomic_path(path) as part, part.open("wb") as stream:
        np.savez(stream, **named)


def load_state(path: Path, kinds: Mapping[str, type]) -> Any:
    """Read what :func:`save_state` wrote.

    Parameters
    ----------
    kinds
        Types that may stand in it, by their names; nothing else is made.

    Raises
    ------
    InputError
        STATE_FILE where it is damaged, or not of this version.
    """
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
            arrays = [archive[f"a{number}"] for number in range(len(archive.files) - 1)]
            return _whole(json.loads(str(archive[TEXT])), arrays, kinds)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, EOFError, BadZipFile) as fault:
        remedy = "Remove it, or give another folder: the replay then begins anew"
        raise InputError("STATE_FILE", f"it cannot be gone on from ({fault})", file=path, remedy=remedy) from fault


def _plain(value: Any, arrays: list[Any]) -> Any:
    """A value as JSON knows it; arrays are put aside and numbered."""
    found = value
    if isinstance(value, np.ndarray):
        arrays.append(value)
        found = {"array": len(arrays) - 1}
    elif isinstance(value, Enum):
        found = {"enum": type(value).__name__, "value": value.value}
    elif isinstance(value, np.generic):
        found = value.item()
    elif isinstance(value, tuple) and hasattr(value, "_fields"):
        found = {"named": type(value).__name__, "parts": [_plain(part, arrays) for part in value]}
    elif is_dataclass(value):
        parts = {part.name: _plain(getattr(value, part.name), arrays) for part in fields(value)}
        found = {"data": type(value).__name__, "parts": parts}
    elif isinstance(value, Mapping):
        found = {"map": [_plain(pair, arrays) for pair in value.items()]}
    elif isinstance(value, set):
        found = {"set": [_plain(item, arrays) for item in sorted(value)]}
    elif isinstance(value, tuple | list):
        found = {"tuple" if isinstance(value, tuple) else "list": [_plain(item, arrays) for item in value]}
    return found


def _whole(plain: Any, arrays: list[Any], kinds: Mapping[str, type]) -> Any:
    """The value again that :func:`_plain` was given."""
    if not isinstance(plain, dict):
        return plain
    kind, content = next(iter(plain.items()))
    if kind == "array":
        return arrays[content]
    if kind == "enum":
        return kinds[content](plain["value"])
    if kind == "named":
        return kinds[content](*(_whole(part, arrays, kinds) for part in plain["parts"]))
    if kind == "data":
        return kinds[content](**{name: _whole(part, arrays, kinds) for name, part in plain["parts"].items()})
    gather: Callable[..., Any] = {"set": set, "tuple": tuple, "list": list, "map": dict}[kind]
    return gather(_whole(item, arrays, kinds) for item in content)
