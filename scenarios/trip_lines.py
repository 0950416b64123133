"""Stringlines: every trip of a line through time and distance, as planned and as each variant ran it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from networks.network import FloatArray
from scenarios.content import ReportContent
from scenarios.drawing import Drawing, canvas, colour_of, label
from scenarios.line_axes import clock_axis, name_stops
from scenarios.transit_content import TransitContent
from sim.transit_plan import TransitPlan
from sim.transit_run import TransitRun

STEM = "trip_lines"
MAX_FIGURES = 4
STANDING_M = 5.0
"""So near to its first or last stop a vehicle is taken to be there."""

_HEIGHT_IN = 5.6
_PLANNED = "#8b949c"
_CAPTION = (
    "Each line is a trip: the steeper, the faster; flat where the vehicle stands. Thin grey: the timetable. "
    "Coloured: the same trips as simulated, one run of each variant. Lines that close up are buses that bunch."
)


@dataclass(frozen=True, slots=True, eq=False)
class _Line:
    """Legs of the busiest pattern of a route in a direction.

    ``offset_m`` is where each leg begins along the longest one, whose stops are at ``stop_m``.
    """

    route: str
    legs: tuple[int, ...]
    offset_m: FloatArray
    stop_m: FloatArray
    stop_names: tuple[str, ...]


def draw_trip_lines(folder: Path, content: ReportContent) -> tuple[Drawing, ...]:
    """Draw a stringline for each route and direction, those with most trips, as ``trip_lines_1.png`` and so on.

    Raises
    ------
    RunError
        WRITE_FAILED.
    """
    transit = content.transit
    if transit is None or not transit.traces:
        return ()
    return tuple(
        _draw(folder / f"{STEM}_{number}.png", content, transit, line)
        for number, line in enumerate(_lines(transit.plan)[:MAX_FIGURES], start=1)
    )


def _lines(plan: TransitPlan) -> list[_Line]:
    """Busiest pattern of each route and direction, those with most legs first."""
    legs = plan.legs
    groups: dict[tuple[str, int, str, int], list[int]] = {}
    for row in range(len(legs)):
        key = legs.route_ids[row], int(legs.way[row]), legs.pattern_ids[row], int(legs.number[row])
        groups.setdefault(key, []).append(row)
    busiest: dict[tuple[str, int], list[int]] = {}
    for (route, direction, _, _), rows in sorted(groups.items(), key=lambda item: (-len(item[1]), item[0])):
        busiest.setdefault((route, direction), rows)
    return [_line(plan, rows) for rows in busiest.values()]


def _line(plan: TransitPlan, rows: list[int]) -> _Line:
    """Lay legs along the longest of them: some begin on the way, where the simulation begins."""
    start, sequence, way_m = plan.legs.call_start, plan.calls.stop_sequence, plan.calls.way_m
    longest = max(rows, key=lambda row: int(start[row + 1] - start[row]))
    calls = slice(int(start[longest]), int(start[longest + 1]))
    along_m = dict(zip(sequence[calls].tolist(), way_m[calls].tolist(), strict=True))
    firsts = [int(start[row]) for row in rows]
    return _Line(
        route=plan.legs.route_names[longest],
        legs=tuple(rows),
        offset_m=np.array([along_m.get(int(sequence[call]), np.nan) - way_m[call] for call in firsts]),
        stop_m=way_m[calls],
        stop_names=plan.calls.stop_names[calls],
    )


def _draw(path: Path, content: ReportContent, transit: TransitContent, line: _Line) -> Drawing:
    title = f"Line {label(line.route, 20)} to {label(line.stop_names[-1], 40)}"
    with canvas(path, _HEIGHT_IN, title, _note(content, transit, line)) as figure:
        axes = figure.subplots()
        name_stops(axes, line.stop_m, line.stop_names)
        _draw_timetable(axes, transit.plan, line)
        keys = [Line2D([], [], color=_PLANNED, linewidth=1.2, label="timetable")]
        for position, variant in enumerate(content.variants):
            if variant.name in transit.traces:
                _draw_run(axes, transit.plan, transit.traces[variant.name][1], line, colour_of(position))
                keys.append(Line2D([], [], color=colour_of(position), linewidth=2.4, label=label(variant.name)))
        _clock_axis(axes, transit, line)
        figure.legend(handles=keys, loc="outside lower center", ncols=4)
    return Drawing(path, title, _CAPTION)


def _draw_timetable(axes: Axes, plan: TransitPlan, line: _Line) -> None:
    for leg, offset_m in zip(line.legs, line.offset_m.tolist(), strict=True):
        times_s, ways_m = _planned(plan, leg)
        axes.plot(times_s, (ways_m + offset_m) / 1000, color=_PLANNED, linewidth=1.2, zorder=4)


def _planned(plan: TransitPlan, leg: int) -> tuple[FloatArray, FloatArray]:
    """Timetable of a leg: two points a call, arrival and departure."""
    calls = slice(int(plan.legs.call_start[leg]), int(plan.legs.call_start[leg + 1]))
    times_s = np.column_stack((plan.calls.arrival_s[calls], plan.calls.departure_s[calls])).reshape(-1)
    return times_s, np.repeat(plan.calls.way_m[calls], 2)


def _draw_run(axes: Axes, plan: TransitPlan, run: TransitRun, line: _Line, colour: str) -> None:
    for leg, offset_m in zip(line.legs, line.offset_m.tolist(), strict=True):
        times_s, ways_m = _driven(plan, run, leg)
        axes.plot(times_s, (ways_m + offset_m) / 1000, color=colour, linewidth=2.0, alpha=0.85, zorder=3)


def _driven(plan: TransitPlan, run: TransitRun, leg: int) -> tuple[FloatArray, FloatArray]:
    """Positions on a leg from its first departure to its last arrival; the layovers before and after are left out."""
    rows = np.flatnonzero(run.sample_leg == leg)
    times_s, ways_m = run.sample_time_s[rows].astype(np.float64), run.sample_way_m[rows].astype(np.float64)
    end_m = float(plan.calls.way_m[int(plan.legs.call_start[leg + 1]) - 1])
    standing = int(np.count_nonzero(ways_m < STANDING_M))
    arrived = int(np.searchsorted(ways_m, end_m - STANDING_M))
    kept = slice(max(standing - 1, 0), arrived + 1)
    return times_s[kept], np.clip(ways_m[kept], 0.0, end_m)


def _clock_axis(axes: Axes, transit: TransitContent, line: _Line) -> None:
    """Time of day below, over what was simulated of the line."""
    runs = [run for _, run in transit.traces.values()]
    times_s = np.concatenate([_driven(transit.plan, run, leg)[0] for run in runs for leg in line.legs])
    if not len(times_s):
        times_s = np.concatenate([_planned(transit.plan, leg)[0] for leg in line.legs])
    first_s, last_s = float(times_s.min()) // 60 * 60, max(float(times_s.max()), min(run.end_s for run in runs))
    clock_axis(axes, first_s, last_s)


def _note(content: ReportContent, transit: TransitContent, line: _Line) -> str:
    seeds = sorted({seed for seed, _ in transit.traces.values()})
    parts = [
        content.margin_note,
        f"{len(line.legs)} trips",
        f"seed {', '.join(str(seed) for seed in seeds)}",
        transit.service_date,
    ]
    return " · ".join(part for part in parts if part)
