"""The picture of a replay: real vehicles of one line through time and distance, and the same ones as simulated."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from scenarios.drawing import COLOURS, FAINT, Drawing, canvas, label
from sim.replay_drive import Ride
from sim.times import clock_text

_HEIGHT_IN = 5.6
_REAL, _SIMULATED = "#22282e", COLOURS[0]
_TICKS_S = (300, 600, 900, 1800, 3600, 7200, 14400)
_MOST_TICKS = 13
_CAPTION = (
    "Each line is a vehicle: the steeper, the faster; flat where it stands. Thick: as it drove in the simulation. Thin "
    "and dark: as the real one drove. Where the two part, simulated traffic held the vehicle up."
)


def draw_replay(path: Path, rides: Sequence[Ride], route: str, note: str) -> Drawing:
    """Draw rides on one path, the real curves thin over the simulated ones.

    Raises
    ------
    RunError
        WRITE_FAILED.
    """
    title = f"Line {label(route, 20)}: real vehicles and their replay"
    with canvas(path, _HEIGHT_IN, title, note) as figure:
        axes = figure.subplots()
        stops_km = np.unique(np.concatenate([ride.track.calls_m for ride in rides])) / 1000
        axes.hlines(stops_km, 0, 1, transform=axes.get_yaxis_transform(), color=FAINT, linewidth=0.8, zorder=1)
        for ride in rides:
            axes.plot(ride.time_s, np.array(ride.way_m) / 1000, color=_SIMULATED, linewidth=3.0, alpha=0.6, zorder=2)
            axes.plot(ride.track.time_s, ride.track.way_m / 1000, color=_REAL, linewidth=0.9, zorder=3)
        axes.set_ylabel("distance along the line (km)")
        _clock_axis(axes, rides)
        keys = [
            Line2D([], [], color=_REAL, linewidth=0.9, label="real"),
            Line2D([], [], color=_SIMULATED, linewidth=3.0, alpha=0.6, label="simulated"),
        ]
        figure.legend(handles=keys, loc="outside lower center", ncols=2)
    return Drawing(path, title, _CAPTION)


def _clock_axis(axes: Axes, rides: Sequence[Ride]) -> None:
    """Time of day below, over all rides."""
    times_s = np.concatenate([np.append(ride.track.time_s, ride.time_s) for ride in rides])
    first_s, last_s = float(times_s.min()), float(times_s.max())
    every_s = next((step for step in _TICKS_S if (last_s - first_s) / step < _MOST_TICKS), _TICKS_S[-1])
    ticks = np.arange(np.ceil(first_s / every_s) * every_s, last_s + 1, every_s)
    axes.set_xticks(ticks, [clock_text(float(tick))[:5] for tick in ticks])
    axes.set_xlabel("time of day")
