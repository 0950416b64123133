"""Axes of figures of trips along a line: stops with their names, the time of day."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from networks.network import FloatArray
from scenarios.drawing import FAINT, INK, label
from sim.times import clock_text

MAX_STOP_NAMES = 9
"""Names along a figure; more would not be read."""

_TICKS_S = (300, 600, 900, 1800, 3600, 7200, 14400)
_MOST_TICKS = 13


def name_stops(axes: Axes, stop_m: FloatArray, names: Sequence[str]) -> None:
    """A faint line at each stop, and the names of some, the first and the last among them, on the right."""
    axes.hlines(stop_m / 1000, 0, 1, transform=axes.get_yaxis_transform(), color=FAINT, linewidth=0.8, zorder=1)
    for row in _named(stop_m):
        axes.annotate(
            label(names[row], 34),
            (1.0, stop_m[row] / 1000),
            xycoords=axes.get_yaxis_transform(),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
            color=INK,
        )
    axes.set_ylabel("distance along the line (km)")
    axes.set_ylim(-0.02 * stop_m[-1] / 1000, 1.02 * stop_m[-1] / 1000)


def _named(stop_m: FloatArray) -> list[int]:
    """Stops to name: from the last back to the first, none so near to the one before that the names would touch."""
    apart_m = stop_m[-1] / MAX_STOP_NAMES
    named = [len(stop_m) - 1]
    for row in range(len(stop_m) - 2, -1, -1):
        if stop_m[named[-1]] - stop_m[row] >= apart_m and (row == 0 or stop_m[row] >= apart_m):
            named.append(row)
    return named


def clock_axis(axes: Axes, first_s: float, last_s: float) -> None:
    """Time of day below, from the one time to the other."""
    every_s = next((step for step in _TICKS_S if (last_s - first_s) / step < _MOST_TICKS), _TICKS_S[-1])
    ticks = np.arange(np.ceil(first_s / every_s) * every_s, last_s + 1, every_s)
    axes.set_xticks(ticks, [clock_text(float(tick))[:5] for tick in ticks])
    margin_s = 0.01 * (last_s - first_s) + 1
    axes.set_xlim(first_s - margin_s, last_s + margin_s)
    axes.set_xlabel("time of day")
