"""Lines of a replay through time and distance: stringlines of timetable and vehicles, and deviation along a route."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from gtfs.columns import spans
from gtfs.replay_result import ReplayResult
from gtfs.stop_visits import BoolArray, Integers
from gtfs.trace_kernels import MATCHED
from gtfs.trace_plan import day_date
from gtfs.trace_settings import TraceSettings
from networks.network import FloatArray, IntArray
from scenarios.drawing import INK, MUTED, Drawing, canvas, label
from scenarios.line_axes import clock_axis, name_stops
from scenarios.replay_figures import DEVIATIONS, SCALE_MIN
from sim.times import clock_text

LINES_STEM, HEAT_STEM = "replay_line", "replay_heat"
MAX_LINES = 4
"""Patterns that are drawn, the busiest of each route and direction."""

_SETTINGS = TraceSettings()
SILENT_S = 600.0
"""So long without a position of any vehicle, the trace itself is silent."""

_PLANNED = "#9aa3aa"
_STEPS_S = (300, 600, 900, 1800, 3600, 7200)
_MOST_COLUMNS, _MOST_NAMES = 36, 30
_LINES_CAPTION = (
    "Each line is a trip: the steeper, the faster; flat where the vehicle stands. Thin grey: the timetable, dashed "
    "where nobody drove the trip. Thick: where the vehicle was, blue early, orange late. Dotted: too long between two "
    "positions to say. Lines that close up are vehicles that bunch."
)
_HEAT_CAPTION = (
    "One row a stop, in the order of the route; one column a time of the timetable. Colour: the median deviation over "
    "all vehicles and days, blue early, orange late. Hatched: calls were due and nothing is known of them. White: no "
    "call was due."
)
_SCALE = Normalize(-SCALE_MIN, SCALE_MIN)


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """A pattern, and the performed trips on it."""

    pattern: int
    performed: IntArray
    route: str
    stop_m: FloatArray
    stop_names: tuple[str, ...]

    @property
    def name(self) -> str:
        """Route and where it ends."""
        return f"Line {label(self.route, 20)} to {label(self.stop_names[-1], 40)}"


def busiest_lines(result: ReplayResult) -> list[Line]:
    """The pattern with most performed trips of each route and direction, the busiest first."""
    table = result.plan.timetable
    pattern = table.trips.pattern[[one.trip for one in result.performed]]
    often = np.bincount(pattern, minlength=len(table.patterns))
    chosen: dict[tuple[int, int], int] = {}
    for row in np.argsort(-often, kind="stable").tolist():
        if often[row]:
            chosen.setdefault((int(table.patterns.route[row]), int(table.pattern_way[row])), row)
    return [_line(result, row, np.flatnonzero(pattern == row)) for row in list(chosen.values())[:MAX_LINES]]


def _line(result: ReplayResult, pattern: int, performed: npt.NDArray[np.intp]) -> Line:
    table, plan = result.plan.timetable, result.plan
    route = int(table.patterns.route[pattern])
    calls = table.patterns.calls(pattern)
    return Line(
        pattern=pattern,
        performed=performed.astype(np.int32),
        route=table.routes.short_names[route] or table.routes.long_names[route] or table.routes.ids[route],
        stop_m=plan.lines.call_way_m[calls],
        stop_names=tuple(table.stops.names[stop] for stop in table.patterns.call_stop[calls].tolist()),
    )


def draw_heat(path: Path, result: ReplayResult, line: Line, note: str) -> Drawing:
    """Draw the deviation along a pattern by time of day.

    Raises
    ------
    RunError
        WRITE_FAILED; no file then stands under the final name.
    """
    visits, stops = result.visits, len(line.stop_m)
    rows = spans(visits.start, line.performed)
    stop = np.tile(np.arange(stops), len(line.performed))
    clock_s = result.plan.calls.departure_s[visits.call[rows]]
    step_s = next((step for step in _STEPS_S if np.ptp(clock_s) / step < _MOST_COLUMNS), _STEPS_S[-1])
    medians, is_due, first = _cells(stop, (clock_s // step_s).astype(np.int64), visits.deviation_s[rows] / 60)
    days = len({result.performed[row].day for row in line.performed.tolist()})
    together = f", {days} days together" if days > 1 else ""
    title = f"Median deviation along {line.name[0].lower()}{line.name[1:]}{together}"
    with canvas(path, min(2.2 + 0.17 * stops, 10.0), title, note) as figure:
        axes = figure.subplots()
        unknown = np.where(is_due & np.isnan(medians), 0.0, np.nan)
        axes.pcolor(unknown, cmap=ListedColormap(["white"]), hatch="////", edgecolor="#c3cad0", linewidth=0)
        axes.pcolormesh(medians, cmap=DEVIATIONS, norm=_SCALE, edgecolor="white", linewidth=0.6)
        _name_rows(axes, line)
        _name_columns(axes, first, medians.shape[1], step_s)
        _scale_bar(figure, axes)
        keys = [Patch(facecolor="white", edgecolor="#a4aeb6", hatch="////", linewidth=0.6)]
        figure.legend(keys, ["due, nothing known"], loc="outside lower center")
    return Drawing(path, title, _HEAT_CAPTION)


def _cells(stop: Integers, column: Integers, late_min: FloatArray) -> tuple[FloatArray, BoolArray, int]:
    """Median by stop and column, whether a call was due there, and the first column.

    Columns before the first known call and after the last one are left out.
    """
    stops = int(stop.max()) + 1
    known = column[np.isfinite(late_min)]
    first, last = (int(known.min()), int(known.max())) if len(known) else (int(column.min()), int(column.max()))
    inside = (first <= column) & (column <= last)
    cells = pd.DataFrame({"stop": stop[inside], "column": column[inside] - first, "min": late_min[inside]})
    found = cells.groupby(["stop", "column"])["min"].median()
    medians = np.full((stops, last - first + 1), np.nan)
    is_due = np.zeros(medians.shape, dtype=np.bool_)
    at = found.index.get_level_values(0), found.index.get_level_values(1)
    medians[at], is_due[at] = found.to_numpy(), True
    return medians, is_due, first


def _name_rows(axes: Axes, line: Line) -> None:
    stops = len(line.stop_m)
    every = -(-stops // _MOST_NAMES)
    named = range(stops - 1, -1, -every)
    axes.set_yticks([row + 0.5 for row in named], [label(line.stop_names[row], 34) for row in named], fontsize=8)
    axes.set_ylim(stops, 0)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def _name_columns(axes: Axes, first: int, width: int, step_s: int) -> None:
    every = -(-width // 12)
    ticks = range(0, width + 1, every)
    axes.set_xticks(ticks, [clock_text(float((first + tick) * step_s))[:5] for tick in ticks])
    axes.set_xlim(0, width)
    axes.set_xlabel("scheduled time")


def draw_line(path: Path, result: ReplayResult, line: Line, note: str) -> Drawing:
    """Draw the stringlines of a pattern on the day on which most trips of it were performed.

    Raises
    ------
    RunError
        WRITE_FAILED; no file then stands under the final name.
    """
    days = np.array([result.performed[row].day for row in line.performed.tolist()])
    day = int(np.bincount(days - days.min()).argmax() + days.min())
    shown = line.performed[days == day]
    segments, late_min, hidden = _driven(result, shown)
    about = " · ".join(part for part in (note, f"{len(shown)} trips on {day_date(day):%A %-d %B %Y}") if part)
    title = f"Timetable and vehicles of {line.name[0].lower()}{line.name[1:]}"
    with canvas(path, 5.8, title, about) as figure:
        axes = figure.subplots()
        name_stops(axes, line.stop_m, line.stop_names)
        span_s = _span(segments, hidden)
        _draw_plan(axes, result, line, day, span_s)
        axes.add_collection(
            LineCollection(list(hidden), colors=MUTED, linewidths=1.1, linestyles=(0, (1, 2)), zorder=3)
        )
        lines = LineCollection(
            list(segments), cmap=DEVIATIONS, norm=_SCALE, linewidths=2.6, zorder=4, capstyle="round", joinstyle="round"
        )
        lines.set_array(late_min)
        axes.add_collection(lines)
        clock_axis(axes, *span_s)
        _shade_silence(axes, result, day, span_s)
        _scale_bar(figure, axes)
        _line_legend(figure)
    return Drawing(path, title, _LINES_CAPTION)


def _driven(result: ReplayResult, performed: IntArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Ways between pings by time of day and kilometres, the deviation (min) on each, and those too long to tell."""
    matched = result.matched
    rows = np.flatnonzero(np.isin(matched.performed, performed) & (matched.found == MATCHED))
    rows = rows[np.lexsort((matched.time_s[rows], matched.performed[rows]))]
    points = np.column_stack((matched.clock_s[rows], matched.way_m[rows] / 1000))
    pairs = np.stack((points[:-1], points[1:]), axis=1)
    same = matched.performed[rows][:-1] == matched.performed[rows][1:]
    gap_s = np.diff(matched.time_s[rows])
    is_seen, is_bridged = gap_s <= _SETTINGS.known_s, gap_s <= _SETTINGS.bridge_s
    late_min = (matched.deviation_s[rows][:-1] + matched.deviation_s[rows][1:]) / 120
    return pairs[same & is_seen], late_min[same & is_seen], pairs[same & is_bridged & ~is_seen]


def _span(*pieces: FloatArray) -> tuple[float, float]:
    times_s = np.concatenate([piece[:, :, 0].reshape(-1) for piece in pieces])
    return (float(times_s.min()) // 60 * 60, float(times_s.max())) if len(times_s) else (0.0, 86_400.0)


def _draw_plan(axes: Axes, result: ReplayResult, line: Line, day: int, span_s: tuple[float, float]) -> None:
    """The timetable of the pattern's trips that run on a day and are under way in a span of time."""
    plan, table = result.plan, result.plan.timetable
    runs = plan.services_running(day)[plan.trip_service] & (table.trips.pattern == line.pattern)
    runs[[result.performed[row].trip for row in line.performed.tolist() if result.performed[row].day == day]] = True
    begin_s, end_s = plan.trip_span_s.T
    lost = {trip for trip, lost_day in result.missing if lost_day == day}
    for trip in np.flatnonzero(runs & (end_s > span_s[0]) & (begin_s < span_s[1])).tolist():
        calls = slice(int(plan.calls.start[trip]), int(plan.calls.start[trip + 1]))
        look = {"color": INK, "linestyle": (0, (4, 3))} if trip in lost else {"color": _PLANNED}
        axes.plot(
            plan.calls.time_s[calls].reshape(-1),
            np.repeat(plan.calls.distance_m[calls], 2) / 1000,
            linewidth=1.0,
            zorder=2,
            **look,
        )


def _shade_silence(axes: Axes, result: ReplayResult, day: int, span_s: tuple[float, float]) -> None:
    """Grey where no vehicle at all was heard of."""
    clock_s = np.unique(result.matched.time_s) - result.plan.origin_s(day)
    clock_s = clock_s[(clock_s >= span_s[0]) & (clock_s <= span_s[1])]
    for row in np.flatnonzero(np.diff(clock_s) > SILENT_S).tolist():
        axes.axvspan(clock_s[row], clock_s[row + 1], facecolor="#eef1f3", zorder=0)
        middle = (clock_s[row] + clock_s[row + 1]) / 2
        words = axes.get_xaxis_transform()
        axes.text(middle, 1.01, "no positions", transform=words, ha="center", va="bottom", fontsize=8, color=MUTED)


def _scale_bar(figure: Figure, axes: Axes) -> None:
    colours = ScalarMappable(_SCALE, DEVIATIONS)
    bar = figure.colorbar(colours, ax=axes, location="bottom", fraction=0.05, pad=0.02, aspect=50, extend="both")
    bar.set_ticks(
        np.linspace(-SCALE_MIN, SCALE_MIN, 5).tolist(), labels=["10 early", "5", "on the minute", "5", "10 late"]
    )
    bar.set_label("deviation (min)", labelpad=2, fontsize=9)
    bar.ax.tick_params(labelsize=8)
    bar.outline.set_visible(False)


def _line_legend(figure: Figure) -> None:
    keys = [
        Line2D([], [], color=_PLANNED, linewidth=1.2, label="timetable"),
        Line2D([], [], color=INK, linewidth=1.0, linestyle=(0, (4, 3)), label="timetable, nobody came"),
        Line2D([], [], color=DEVIATIONS(0.72), linewidth=2.6, label="vehicle"),
        Line2D([], [], color=MUTED, linewidth=1.2, linestyle=(0, (1, 2)), label="vehicle not heard of"),
    ]
    figure.legend(handles=keys, loc="outside lower center", ncols=4)
