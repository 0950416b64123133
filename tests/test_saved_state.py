"""Values that survive a restart: written whole, read back as they were, nothing else made of a damaged file."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from networks.faults import InputError
from scenarios.saved_state import load_state, save_state


class Colour(StrEnum):
    """Something of few kinds."""

    RED = "red"


@dataclass(frozen=True)
class Box:
    """Something of several parts."""

    label: str
    size: float
    content: tuple[int, ...]


class Pair(NamedTuple):
    """Two of anything."""

    left: Any
    right: Any


KINDS = {"Colour": Colour, "Box": Box, "Pair": Pair}


def test_values_come_back_as_they_were(tmp_path: Path) -> None:
    value = {
        "boxes": [Box("a", 1.5, (1, 2)), Box("ü", float("inf"), ())],
        ("by", 7): {3, 1},
        "colour": Colour.RED,
        "nothing": None,
        "number": np.int32(4),
        "pair": Pair([1, None], "x"),
    }
    save_state(tmp_path / "s.npz", value)
    assert load_state(tmp_path / "s.npz", KINDS) == value


def test_arrays_keep_type_shape_and_nan(tmp_path: Path) -> None:
    columns = Pair(np.array([[1.0, np.nan]]), np.array([True, False]))
    save_state(tmp_path / "s.npz", columns)
    back = load_state(tmp_path / "s.npz", KINDS)
    np.testing.assert_array_equal(back.left, columns.left)
    assert back.left.dtype == np.float64
    assert back.right.dtype == np.bool_


def test_kinds_that_nobody_allowed_are_not_made(tmp_path: Path) -> None:
    save_state(tmp_path / "s.npz", Box("a", 1.0, ()))
    with pytest.raises(InputError, match="STATE_FILE"):
        load_state(tmp_path / "s.npz", {"Pair": Pair})


@pytest.mark.parametrize("cut", [0, 10, 100])
def test_a_damaged_file_is_refused_in_one_line(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "s.npz"
    save_state(path, [np.arange(50)])
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(InputError, match="STATE_FILE") as fault:
        load_state(path, KINDS)
    assert "\n" not in str(fault.value)


def test_objects_hidden_in_arrays_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "s.npz"
    with path.open("wb") as stream:
        np.savez(stream, values=np.array([Box("a", 1.0, ())], dtype=object))
    with pytest.raises(InputError, match="STATE_FILE"):
        load_state(path, KINDS)
