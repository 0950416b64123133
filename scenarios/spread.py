"""Circles on a map moved apart until none hides another."""

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

_ROUNDS = 400
_NO_DISTANCE = 1e-12
_GOLDEN_ANGLE = np.pi * (3 - np.sqrt(5))


def spread_circles(centres: FloatArray, radii: FloatArray, bounds: FloatArray | None = None) -> FloatArray:
    """Move circles apart, each as little as a simple relaxation finds, until they no longer overlap.

    In each round, overlapping pairs push each other away along the line through their centres, half of the overlap
    each, and bounds push back. Circles on one spot are first set apart by a thousandth of their radius, each in a
    direction of its own. Where there is no room for all, some overlap in the end.

    Parameters
    ----------
    centres
        Where the circles should lie, shape (circles, 2).
    radii
        Their radii in the same unit, shape (circles,).
    bounds
        Lower and upper corner of the box that holds them, shape (2, 2); the plane without them.

    Returns
    -------
    FloatArray
        Where they lie in the end, shape (circles, 2); as given where nothing pushed them.
    """
    angles = _GOLDEN_ANGLE * np.arange(len(centres))
    nudge = np.column_stack((np.cos(angles), np.sin(angles))) * radii[:, np.newaxis] / 1000
    moved = centres + nudge
    for _ in range(_ROUNDS):
        push = _pushes(moved, radii)
        if not push.any():
            break
        moved = moved + push
        if bounds is not None:
            moved = np.clip(moved, bounds[0] + radii[:, np.newaxis], bounds[1] - radii[:, np.newaxis])
    is_moved = (moved != centres + nudge).any(axis=1)
    return np.where(is_moved[:, np.newaxis], moved, centres)


def _pushes(centres: FloatArray, radii: FloatArray) -> FloatArray:
    """How far each circle is pushed by all that overlap it, shape (circles, 2)."""
    away = centres[:, np.newaxis, :] - centres[np.newaxis, :, :]
    distance = np.hypot(away[..., 0], away[..., 1])
    overlap = radii[:, np.newaxis] + radii[np.newaxis, :] - distance
    np.fill_diagonal(overlap, 0.0)
    overlap = np.where(overlap > 1e-9 * radii.max(initial=1.0), overlap, 0.0)
    pushes: FloatArray = (away * (overlap / 2 / np.maximum(distance, _NO_DISTANCE))[..., np.newaxis]).sum(axis=1)
    return pushes
