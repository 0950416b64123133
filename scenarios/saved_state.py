"""Values that survive a restart: what a replay remembers, in one file that is written whole or not at all.

A zip of arrays (NumPy's own format, nothing in it is code) and one text that tells how they belong together.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any

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
    arrays: list[np.ndarray] = []
    text = json.dumps(_plain(value, arrays))
    named = {f"a{number}": array for number, array in enumerate(arrays)}
    with atomic_path(path) as part, part.open("wb") as stream:
        np.savez(stream, **named, **{TEXT: np.array(text)})


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
        with np.load(path, allow_pickle=False) as archive:
            arrays = [archive[f"a{number}"] for number in range(len(archive.files) - 1)]
            return _whole(json.loads(str(archive[TEXT])), arrays, kinds)
    except (OSError, ValueError, KeyError, TypeError, IndexError, EOFError) as fault:
        remedy = "Remove it, or give another folder: the replay then begins anew"
        raise InputError("STATE_FILE", f"it cannot be gone on from ({fault})", file=path, remedy=remedy) from fault


def _plain(value: Any, arrays: list[np.ndarray]) -> Any:
    if isinstance(value, np.ndarray):
        arrays.append(value)
        return {"array": len(arrays) - 1}
    if isinstance(value, Enum):
        return {"enum": type(value).__name__, "value": value.value}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return {"named": type(value).__name__, "parts": [_plain(part, arrays) for part in value]}
    if is_dataclass(value) and not isinstance(value, type):
        parts = {part.name: _plain(getattr(value, part.name), arrays) for part in fields(value)}
        return {"data": type(value).__name__, "parts": parts}
    if isinstance(value, Mapping):
        return {"map": [[_plain(key, arrays), _plain(item, arrays)] for key, item in value.items()]}
    if isinstance(value, set | frozenset):
        return {"set": [_plain(item, arrays) for item in sorted(value)]}
    if isinstance(value, tuple | list):
        return {"tuple" if isinstance(value, tuple) else "list": [_plain(item, arrays) for item in value]}
    return value


def _whole(plain: Any, arrays: list[np.ndarray], kinds: Mapping[str, type]) -> Any:
    if not isinstance(plain, dict):
        return plain
    if "array" in plain:
        return arrays[plain["array"]]
    if "enum" in plain:
        return kinds[plain["enum"]](plain["value"])
    if "named" in plain:
        return kinds[plain["named"]](*(_whole(part, arrays, kinds) for part in plain["parts"]))
    if "data" in plain:
        return kinds[plain["data"]](**{name: _whole(part, arrays, kinds) for name, part in plain["parts"].items()})
    if "map" in plain:
        return {_whole(key, arrays, kinds): _whole(item, arrays, kinds) for key, item in plain["map"]}
    gather: Callable[..., Any] = {"set": set, "tuple": tuple, "list": list}[next(iter(plain))]
    return gather(_whole(item, arrays, kinds) for item in next(iter(plain.values())))


