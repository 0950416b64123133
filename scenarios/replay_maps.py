"""Small maps of detours: the vehicle's way over its route, and the stops that it left out."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from gtfs.clock import local_text
from scenarios.drawing import INK, MUTED, Drawing, canvas, label
from scenarios.numerals import number
from scenarios.replay_detours import Detour
from scenarios.replay_figures import LATE, route_name
from scenarios.replay_tally import Tally

COLUMNS = 3

_ROUTE = "#b4bec6"
_ON = "#0072b2"
_ROW_IN = 3.5
_MARGIN = 0.25
_SMALLEST_M = 500.0
_CAPTION = (
    "Grey: the route and its stops. Blue: positions of the vehicle on the route, orange: off it, joined in their "
    "order. A cross is a stop that it left out. North is up."
)


def draw_detours(path: Path, tally: Tally, note: str) -> Drawing:
    """Draw the detours of a tally, each around the place where the vehicle was off its route.

    Raises
    ------
    RunError
        WRITE_FAILED; no file then stands under the final name.
    """
    found = tally.detours
    rows = -(-len(found) // COLUMNS)
    title = "Detours and stops left out"
    with canvas(path, 0.9 + _ROW_IN * rows, title, note) as figure:
        panels = figure.subplots(rows, COLUMNS, squeeze=False).reshape(-1)
        for axes, detour in zip(panels, found, strict=False):
            _panel(axes, detour)
            axes.set_title(_title(tally, detour), fontsize=9, linespacing=1.35)
        for axes in panels[len(found) :]:
            axes.set_axis_off()
        _legend(figure)
    return Drawing(path, title, _CAPTION)


def _title(tally: Tally, detour: Detour) -> str:
    zone = tally.latest.plan.timetable.timezone
    begin, end = (local_text(round(time_s), zone) for time_s in (detour.begin_s, detour.end_s))
    route = label(route_name(tally, detour.route), 12)
    what = f"up to {number(detour.off_m, 0)} m off" if detour.off_m else ""
    skipped = f"{len(detour.skipped)} stops left out" if len(detour.skipped) > 1 else "1 stop left out"
    parts = [part for part in (what, skipped if detour.skipped else "") if part]
    return (
        f"Line {route}, vehicle {label(detour.vehicle_id, 18)}\n{begin[:10]}, {begin[11:16]} to {end[11:16]}\n"
        f"{', '.join(parts)}"
    )


def _panel(axes: Axes, detour: Detour) -> None:
    west, south, side = _box(detour)
    axes.plot(*detour.line_m.T / 1000, color=_ROUTE, linewidth=4, solid_capstyle="round", zorder=1)
    axes.plot(*detour.stops_m.T / 1000, "o", color="white", markeredgecolor=MUTED, markersize=5, zorder=2)
    axes.plot(*detour.pings_m.T / 1000, color=MUTED, linewidth=0.8, zorder=3)
    for is_kind, colour in ((~detour.is_off, _ON), (detour.is_off, LATE)):
        axes.plot(*detour.pings_m[is_kind].T / 1000, "o", color=colour, markersize=3.6, zorder=4)
    axes.plot(*detour.stops_m[detour.is_skipped].T / 1000, "X", color=INK, markersize=9, zorder=5)
    axes.set_xlim(west / 1000, (west + side) / 1000)
    axes.set_ylim(south / 1000, (south + side) / 1000)
    axes.set_aspect("equal")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(True)
    axes.spines[:].set_color("#dde2e6")
    _scale(axes, west, south, side)


def _box(detour: Detour) -> tuple[float, float, float]:
    """West and south (m) of a square around what was off the route, and its side."""
    parts = [detour.pings_m[detour.longest], detour.stops_m[detour.is_skipped]]
    around = np.concatenate(parts) if sum(map(len, parts)) else detour.line_m
    low, high = around.min(axis=0), around.max(axis=0)
    side = max(float((high - low).max()) * (1 + 2 * _MARGIN), _SMALLEST_M)
    west, south = ((low + high) / 2 - side / 2).tolist()
    return west, south, side


def _scale(axes: Axes, west: float, south: float, side: float) -> None:
    """A bar of a round length, bottom left."""
    rounds = [step * 10.0**power for power in range(1, 5) for step in (1, 2, 5)]
    length = max(one for one in rounds if one <= side / 3)
    words = f"{number(length, 0)} m" if length < 1000 else f"{number(length / 1000, 0)} km"  # noqa: PLR2004 - a kilometre
    x, y = (west + 0.05 * side) / 1000, (south + 0.05 * side) / 1000
    axes.plot((x, x + length / 1000), (y, y), color=INK, linewidth=2, solid_capstyle="butt", zorder=6)
    box = {"facecolor": "white", "edgecolor": "none", "pad": 1.0, "alpha": 0.8}
    axes.text(x, y + 0.02 * side / 1000, words, fontsize=8, ha="left", va="bottom", bbox=box, zorder=6)


def _legend(figure: Figure) -> None:
    keys = [
        Line2D([], [], color=_ROUTE, linewidth=4, label="route"),
        _mark("o", _ON, "vehicle on its route"),
        _mark("o", LATE, "vehicle off its route"),
        _mark("X", INK, "stop left out"),
    ]
    figure.legend(handles=keys, loc="outside lower center", ncols=4)


def _mark(shape: str, colour: str, words: str) -> Line2D:
    return Line2D([], [], linestyle="", marker=shape, markersize=7, color=colour, label=words)
