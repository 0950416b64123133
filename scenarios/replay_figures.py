"""Figures of a replay: how service was by route and by hour; what early, late, missing and unknown look like."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from gtfs.on_time import Punctuality
from scenarios.drawing import INK, MUTED, Drawing, canvas, label, name_rows
from scenarios.numerals import NARROW, UNKNOWN, number
from scenarios.replay_tally import HOURS, Counts, Tally, counts_of

MAX_ROUTES = 30
"""Routes in one figure, those with most calls."""

ROOMY_HOURS = 16
"""Bars of hours over which words of the usual size have room."""

EARLY, ON_TIME, LATE = "#0072b2", "#c3ced6", "#d55e00"
DEVIATIONS = LinearSegmentedColormap.from_list(
    "deviation", ("#00407a", EARLY, "#8fbbe0", "#e3e6e8", "#f3b074", LATE, "#8a2f00")
)
"""Blue early, orange late: hues that the colour-blind tell apart, darker the farther off."""

SCALE_MIN = 10.0
"""Minutes at which the colours end on either side."""

_STATES = (Punctuality.EARLY, Punctuality.ON_TIME, Punctuality.LATE, Punctuality.MISSING, Punctuality.UNKNOWN)
_LOOKS: Mapping[Punctuality, Mapping[str, Any]] = {
    Punctuality.EARLY: {"facecolor": EARLY},
    Punctuality.ON_TIME: {"facecolor": ON_TIME},
    Punctuality.LATE: {"facecolor": LATE},
    Punctuality.MISSING: {"facecolor": INK},
    Punctuality.UNKNOWN: {"facecolor": "white", "edgecolor": "#a4aeb6", "hatch": "////", "linewidth": 0.6},
}
_WORDS = {
    Punctuality.EARLY: "early",
    Punctuality.ON_TIME: "on time",
    Punctuality.LATE: "late",
    Punctuality.MISSING: "missing",
    Punctuality.UNKNOWN: "unknown",
}
_ROW_IN = 0.3
_CAPTION = (
    "Each bar is all calls that were due. Missing: nobody drove the trip, or the vehicle left the stop out. Unknown, "
    "hatched: a vehicle was on the trip and no position tells when it was here, often because the trace begins or ends "
    "on the way. The share on time is of the calls whose fate is known, missing ones among them."
)


def draw_routes(path: Path, tally: Tally, note: str) -> Drawing:
    """Draw on-time performance by route.

    Raises
    ------
    RunError
        WRITE_FAILED; no file then stands under the final name.
    """
    counts = tally.by_route()
    rows = busiest(counts)
    names = [route_name(tally, row) for row in rows[:MAX_ROUTES]]
    title = "On-time performance by route"
    left_out = f"the {MAX_ROUTES} with most calls of {len(rows)} routes" if len(rows) > MAX_ROUTES else ""
    about = " · ".join(part for part in (note, left_out) if part)
    with canvas(path, 1.75 + _ROW_IN * len(names), title, about) as figure:
        axes = figure.subplots()
        _stack(axes, counts[rows[:MAX_ROUTES]], is_upright=False)
        name_rows(axes, [label(name, 24) for name in names])
        axes.set_xlabel("share of the calls due (%)")
        axes.set_xlim(0, 100)
        _write_shares(axes, counts[rows[:MAX_ROUTES]])
        _legend(figure)
    return Drawing(path, title, _CAPTION)


def draw_hours(path: Path, tally: Tally, note: str) -> Drawing:
    """Draw on-time performance by hour of the service day.

    Raises
    ------
    RunError
        WRITE_FAILED; no file then stands under the final name.
    """
    counts = tally.by_hour()
    hours = np.flatnonzero(counts.sum(axis=1))
    first, last = int(hours[0]), int(hours[-1])
    shown = counts[first : last + 1]
    title = "On-time performance by hour"
    size = 8 if len(shown) <= ROOMY_HOURS else 6
    with canvas(path, 3.9, title, note) as figure:
        axes = figure.subplots()
        _stack(axes, shown, is_upright=True)
        for place, row in enumerate(shown):
            words = f"{_share(row)}\n{number(int(row.sum()))}" if row.sum() else ""
            above: dict[str, Any] = {"xytext": (0, 3), "textcoords": "offset points", "ha": "center", "va": "bottom"}
            axes.annotate(words, (place, 100), fontsize=size, **above)
        beside: dict[str, Any] = {"xytext": (-6, 3), "textcoords": "offset points", "ha": "right", "va": "bottom"}
        axes.annotate("on time\ncalls due", (-0.6, 100), fontsize=size, color=MUTED, **beside)
        axes.set_xticks(range(len(shown)), [hour_text(hour) for hour in range(first, last + 1)], linespacing=1.4)
        axes.set_xlim(-0.6, max(len(shown), 6) - 0.4)
        axes.set_ylim(0, 100)
        axes.set_xlabel("scheduled, hour of the service day (+1: after midnight)")
        axes.set_ylabel("share of the calls due (%)")
        axes.tick_params(axis="x", length=0)
        _legend(figure)
    caption = "Above each bar: the share on time of the calls whose fate is known, and how many calls were due. "
    return Drawing(path, title, caption + _CAPTION)


def busiest(counts: Counts) -> list[int]:
    """Rows that have calls, those with most first."""
    totals = counts.sum(axis=1)
    order = np.argsort(-totals, kind="stable")
    return [int(row) for row in order if totals[row]]


def route_name(tally: Tally, route: int) -> str:
    """Name that passengers know a route by."""
    routes = tally.latest.plan.timetable.routes
    return routes.short_names[route] or routes.long_names[route] or routes.ids[route]


def hour_text(hour: int) -> str:
    """An hour of a service day; those after midnight say so."""
    return f"{hour % 24:02d}" + ("\n+1" if hour >= HOURS // 2 else "")


def _stack(axes: Axes, counts: Counts, *, is_upright: bool) -> None:
    """Bars of 100 %, one a row, in the order early, on time, late, missing, unknown."""
    totals = np.maximum(counts.sum(axis=1), 1)
    begin = np.zeros(len(counts))
    for state in _STATES:
        share = 100 * counts[:, state] / totals
        places = np.arange(len(counts))
        if is_upright:
            axes.bar(places, share, width=0.8, bottom=begin, **_LOOKS[state])
        else:
            axes.barh(places, share, height=0.74, left=begin, **_LOOKS[state])
        begin = begin + share


def _write_shares(axes: Axes, counts: Counts) -> None:
    """Share on time and count of calls, right of each bar."""
    across = axes.get_yaxis_transform()
    for text, x in (("on time", 1.09), ("calls due", 1.2)):
        axes.annotate(text, (x, -0.75), xycoords=across, ha="right", va="bottom", fontsize=8.5, color=MUTED)
    for row, states in enumerate(counts):
        for text, x in ((_share(states), 1.09), (number(int(states.sum())), 1.2)):
            axes.annotate(text, (x, row), xycoords=across, ha="right", va="center", fontsize=9)


def _share(states: Counts) -> str:
    found = counts_of(states)
    return f"{number(100 * found.on_time_share, 0)}{NARROW}%" if found.judged else UNKNOWN


def _legend(figure: Figure) -> None:
    keys = [Patch(**_LOOKS[state]) for state in _STATES]
    figure.legend(keys, [_WORDS[state] for state in _STATES], loc="outside lower center", ncols=len(_STATES))
