"""How late buses are by route and time of day, a table in colours for each variant."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize

from scenarios.content import ReportContent
from scenarios.drawing import INK, Drawing, canvas, label
from scenarios.numerals import NARROW, number
from scenarios.transit_content import TransitContent
from sim.transit_tables import StopVisit

STEM = "lateness"
MAX_ROUTES = 25
"""Routes in one figure, those with most trips."""

MAX_VARIANTS = 4
MAX_COLUMNS_WRITTEN = 16
"""Columns, over all panels, up to which a cell has room for its numbers."""

MAX_TIMES = 18
"""Times written below all panels together."""

SHORT_HOURS = 2
"""In studies of so many hours a column is a quarter of an hour, in longer ones an hour."""

SCALE_MIN = (2.0, 6.0)
"""Least and greatest deviation (minutes) at which the colours end."""

_COLOURS = LinearSegmentedColormap.from_list("lateness", ("#00579a", "#8fbbe0", "#f4f5f6", "#f3b074", "#c04a00"))
_DARK = 0.65
"""Share of the scale from which on white letters are read better."""

_ROW_IN = 0.46
_HOUR, _MINUTE, _CLOCK = slice(0, 13), slice(14, 16), slice(11, 16)
"""Parts of a time such as ``2026-05-13T07:15:00+02:00``."""

_CAPTION = (
    "One row a route, one column a time of the timetable. Colour and number: the median deviation in minutes, blue "
    "early, orange late; below it the share on time of the visits that were due, missing ones among them."
)


@dataclass(frozen=True, slots=True)
class Cell:
    """Visits of a route in a span of time: median deviation (minutes, NaN where none came) and share on time."""

    median_min: float
    on_time_share: float


def draw_lateness(folder: Path, content: ReportContent) -> tuple[Drawing, ...]:
    """Draw ``lateness.png``; nothing where no visit was due.

    Raises
    ------
    RunError
        WRITE_FAILED; no file then stands under the final name.
    """
    transit = content.transit
    if transit is None or not (found := cells(transit)):
        return ()
    names = [variant.name for variant in content.variants][:MAX_VARIANTS]
    routes, times = transit.routes[:MAX_ROUTES], sorted({time for _, _, time in found})
    scale = Normalize(-_scale_min(found.values()), _scale_min(found.values()))
    title = "Deviation from the timetable by route and time"
    path = folder / f"{STEM}.png"
    with canvas(path, 1.9 + _ROW_IN * len(routes), title, _note(content, transit, len(routes))) as figure:
        panels = figure.subplots(1, len(names), sharey=True, squeeze=False)[0]
        for axes, name in zip(panels, names, strict=True):
            grid = [[found.get((name, route, time)) for time in times] for route in routes]
            _panel(axes, grid, scale, is_written=len(times) * len(names) <= MAX_COLUMNS_WRITTEN)
            axes.set_title(label(name, 26))
            shown = range(0, len(times), math.ceil(len(times) * len(names) / MAX_TIMES))
            axes.set_xticks(shown, [times[row][_CLOCK] for row in shown], fontsize=9)
        panels[0].set_yticks(range(len(routes)), [label(transit.route_name(route), 24) for route in routes])
        bar = figure.colorbar(ScalarMappable(scale, _COLOURS), ax=panels, fraction=0.03, pad=0.02, extend="both")
        bar.set_label("median deviation (min)", labelpad=6)
        bar.outline.set_visible(False)
    return (Drawing(path, title, _CAPTION),)


def cells(transit: TransitContent) -> dict[tuple[str, str, str], Cell]:
    """Cells by variant, route and time (``2026-05-13T07:15``); those without a visit that was due are left out."""
    due = [visit for visit in transit.visits if visit.punctuality != "not due"]
    minutes = 15 if len({visit.schedule_departure_time[_HOUR] for visit in due}) <= SHORT_HOURS else 60
    groups: dict[tuple[str, str, str], list[StopVisit]] = {}
    for visit in due:
        groups.setdefault((visit.variant, visit.route_id, _time(visit, minutes)), []).append(visit)
    return {key: _cell(visits) for key, visits in groups.items()}


def _time(visit: StopVisit, minutes: int) -> str:
    """Begin of the span of time in which a visit was scheduled."""
    time = visit.schedule_departure_time
    return f"{time[_HOUR]}:{int(time[_MINUTE]) // minutes * minutes:02d}"


def _cell(visits: Sequence[StopVisit]) -> Cell:
    known_s = [visit.deviation_s for visit in visits if math.isfinite(visit.deviation_s)]
    on_time = sum(visit.punctuality == "on time" for visit in visits)
    return Cell(float(np.median(known_s)) / 60 if known_s else math.nan, on_time / len(visits))


def _scale_min(found: Iterable[Cell]) -> float:
    """Whole minutes that hold the medians."""
    largest = max((abs(cell.median_min) for cell in found if math.isfinite(cell.median_min)), default=0.0)
    return min(max(math.ceil(largest), SCALE_MIN[0]), SCALE_MIN[1])


def _panel(axes: Axes, grid: Sequence[Sequence[Cell | None]], scale: Normalize, *, is_written: bool) -> None:
    medians = np.array([[cell.median_min if cell else math.nan for cell in row] for row in grid])
    axes.imshow(medians, cmap=_COLOURS, norm=scale, aspect="auto")
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    axes.set_xticks(np.arange(medians.shape[1] + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(medians.shape[0] + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=2)
    axes.tick_params(which="minor", length=0)
    if is_written:
        for row, line in enumerate(grid):
            for column, cell in enumerate(line):
                if cell is not None:
                    is_dark = abs(float(scale(cell.median_min)) - 0.5) >= _DARK / 2
                    _write(axes, column, row, cell, "white" if is_dark else INK)


def _write(axes: Axes, column: int, row: int, cell: Cell, colour: str) -> None:
    median = number(cell.median_min, 1, signed=True) if math.isfinite(cell.median_min) else "none came"
    axes.text(column, row - 0.04, median, ha="center", va="bottom", fontsize=10, fontweight="bold", color=colour)
    share = f"{number(100 * cell.on_time_share, 0)}{NARROW}%"
    axes.text(column, row + 0.06, share, ha="center", va="top", fontsize=8, color=colour)


def _note(content: ReportContent, transit: TransitContent, routes: int) -> str:
    left_out = len(content.variants) - MAX_VARIANTS
    parts = [
        content.margin_note,
        f"{routes} of {len(transit.routes)} routes" if routes < len(transit.routes) else "",
        f"the first {MAX_VARIANTS} variants" if left_out > 0 else "",
    ]
    return " · ".join(part for part in parts if part)
