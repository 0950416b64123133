"""The figures of a report: what changed, where, how surely, and where the delay comes from."""

import math
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from scenarios.compare import mean_interval
from scenarios.content import Place, ReportContent
from scenarios.drawing import (
    INK,
    LINK,
    MUTED,
    Drawing,
    canvas,
    colour_of,
    label,
    marker_of,
    name_rows,
    title_values,
    variant_legend,
)
from scenarios.maps import draw_map
from scenarios.numerals import number, seconds
from sim.measures import SIGNALISED_LIMITS_S, RunMeasures

FOLDER = "figures"
MAX_PLACES = 25
"""Junctions in one chart; the first by number are shown, which are the worst."""

_ROW_IN = 0.34
_DELAY_CAPTION = (
    "Each small mark is one run, thin lines join runs with the same seed, the tall stroke is the mean; a cross is a "
    "run that ended in gridlock."
)
_DIFFERENCE_CAPTION = (
    " Right: the mean difference to the first variant within pairs of runs, with its 95 % interval. Where the bar "
    "keeps clear of the zero line the difference is more than chance explains."
)
_NARROWEST_BAND = 0.025
_HATCH = "////"
_FIGURE_SPACE = "\N{FIGURE SPACE}"


def draw_figures(out_dir: str | Path, content: ReportContent) -> tuple[Drawing, ...]:
    """Draw every figure that the content allows into ``figures/*.png`` of a folder.

    Charts of delay need a finished run, those of junctions a junction; the map is always there.

    Raises
    ------
    RunError
        WRITE_FAILED; no file then stands under the final name.
    """
    folder = Path(out_dir) / FOLDER
    drawings = [draw_map(folder / "map.png", content)]
    if any(content.finished_of(variant.name) for variant in content.variants):
        drawings.append(_draw_delay(folder / "delay.png", content))
        drawings.append(_draw_sources(folder / "delay_sources.png", content))
    if content.places:
        drawings.append(_draw_junction_delay(folder / "junction_delay.png", content))
        drawings.append(_draw_junction_queues(folder / "junction_queues.png", content))
    return tuple(drawings)


def _draw_delay(path: Path, content: ReportContent) -> Drawing:
    names = [variant.name for variant in content.variants]
    title = "Delay per scheduled vehicle, run by run"
    with canvas(path, 1.9 + 0.62 * len(names), title, _note(content)) as figure:
        if content.challengers:
            left, right = figure.subplots(1, 2, sharey=True, width_ratios=(3, 2))
            _difference_panel(right, content)
        else:
            left = figure.subplots()
        _pair_lines(left, content, names)
        for row, name in enumerate(names):
            _seed_dots(left, row, content.finished_of(name))
        name_rows(left, [label(name, 24) for name in names])
        left.set_xlim(left=0)
        title_values(left, "delay per scheduled vehicle (s)")
    return Drawing(path, title, _DELAY_CAPTION + (_DIFFERENCE_CAPTION if content.challengers else ""))


def _difference_panel(axes: Axes, content: ReportContent) -> None:
    """Draw the paired differences to the first variant with their intervals."""
    for row in range(1, len(content.variants)):
        _difference_bar(axes, row, content)
    axes.axvline(0, color=MUTED, linewidth=1.2, zorder=1)
    axes.spines["left"].set_visible(False)
    axes.tick_params(left=False)
    title_values(axes, f"difference to “{label(content.baseline, 20)}” (s)")


def _pair_lines(axes: Axes, content: ReportContent, names: Sequence[str]) -> None:
    """Join what the same seed gave in neighbouring variants."""
    delays = [{run.seed: run.delay_per_scheduled_s for run in content.finished_of(name)} for name in names]
    for row, (upper, lower) in enumerate(pairwise(delays)):
        for seed in sorted(upper.keys() & lower.keys()):
            axes.plot((upper[seed], lower[seed]), (row, row + 1), color=LINK, linewidth=1.2, zorder=1)


def _seed_dots(axes: Axes, row: int, runs: Sequence[RunMeasures]) -> None:
    for run in runs:
        shape, size = ("x", 8) if run.gridlocked else (marker_of(row), 5)
        axes.plot(run.delay_per_scheduled_s, row, marker=shape, markersize=size, alpha=0.6, color=colour_of(row))
    mean, _, _ = mean_interval([run.delay_per_scheduled_s for run in runs])
    axes.plot(mean, row, marker="|", markersize=20, markeredgewidth=3, color=colour_of(row))
    words = seconds(mean) if runs else "no finished run"
    _write_above(axes, words, mean if runs else 0.0, row, lift_pt=13, centred=bool(runs))


def _difference_bar(axes: Axes, row: int, content: ReportContent) -> None:
    name = content.variants[row].name
    found = content.difference(name, "delay_per_scheduled_s")
    if found is None or not found.pairs:
        return
    if math.isfinite(found.ci95_low):
        axes.plot((found.ci95_low, found.ci95_high), (row, row), color=colour_of(row), linewidth=3, alpha=0.55)
    axes.plot(found.difference_mean, row, marker=marker_of(row), markersize=8, color=colour_of(row))
    words = f"{number(found.difference_mean, signed=True)} s"
    _write_above(axes, words, found.difference_mean, row, lift_pt=10)


def _write_above(axes: Axes, words: str, x: float, row: int, *, lift_pt: float, centred: bool = True) -> None:
    """Write beside a mark, on white so that no line crosses the words."""
    place = "center" if centred else "left"
    patch = {"facecolor": "white", "edgecolor": "none", "pad": 1.0}
    axes.annotate(words, (x, row), xytext=(0, lift_pt), textcoords="offset points", ha=place, fontsize=9, bbox=patch)


def _draw_sources(path: Path, content: ReportContent) -> Drawing:
    title = "Where the delay comes from"
    names = [variant.name for variant in content.variants]
    with canvas(path, 1.7 + 0.45 * len(names), title, _note(content)) as figure:
        axes = figure.subplots()
        for row, name in enumerate(names):
            _stacked_bar(axes, row, content.finished_of(name))
        name_rows(axes, [label(name, 24) for name in names])
        axes.margins(x=0.12)
        axes.set_xlim(left=0)
        title_values(axes, "delay per scheduled vehicle (s), mean of the finished runs")
        keys = [Patch(facecolor=colour_of(0)), Patch(facecolor="white", edgecolor=colour_of(0), hatch=_HATCH)]
        figure.legend(keys, ["time lost on the road", "wait for entry"], loc="outside lower center", ncols=2)
    caption = (
        "Dark: time lost on the road against an empty road with green lights. Light, hatched: time spent waiting to "
        "enter a road that was full, by vehicles that never got in too."
    )
    return Drawing(path, title, caption)


def _stacked_bar(axes: Axes, row: int, runs: Sequence[RunMeasures]) -> None:
    if not runs:
        axes.annotate("no finished run", (0, row), xytext=(4, -4), textcoords="offset points", fontsize=9, color=MUTED)
        return
    total = math.fsum(run.delay_per_scheduled_s for run in runs) / len(runs)
    entry = math.fsum(run.depart_delay_s for run in runs) / len(runs)
    axes.barh(row, total - entry, height=0.55, color=colour_of(row))
    axes.barh(row, entry, left=total - entry, height=0.55, color="white", edgecolor=colour_of(row), hatch=_HATCH)
    axes.annotate(seconds(total), (total, row), xytext=(5, -4), textcoords="offset points", fontsize=9)


def _draw_junction_delay(path: Path, content: ReportContent) -> Drawing:
    places = content.places[:MAX_PLACES]
    title = "Delay at each junction compared"
    with canvas(path, 1.6 + _ROW_IN * len(places), title, _note(content, places)) as figure:
        axes = figure.subplots()
        _dumbbells(axes, content, places, "delay_s")
        _service_bands(axes)
        name_rows(axes, _row_names(places, 40))
        title_values(axes, "mean delay per vehicle that passed (s)")
        variant_legend(figure, [variant.name for variant in content.variants])
    caption = (
        "One row a junction, numbered as on the map; one mark a variant, the mean of its runs. The bands A to F are "
        "levels of service of the Highway Capacity Manual for signals: A flows freely, F is overloaded."
    )
    return Drawing(path, title, caption)


def _draw_junction_queues(path: Path, content: ReportContent) -> Drawing:
    places = content.places[:MAX_PLACES]
    title = "Queues and stops at each junction compared"
    with canvas(path, 1.6 + _ROW_IN * len(places), title, _note(content, places)) as figure:
        left, right = figure.subplots(1, 2, sharey=True)
        for axes, column, words in (
            (left, "queue_mean_veh", "mean queue (vehicles)"),
            (right, "stops_per_veh", "stops per vehicle"),
        ):
            _dumbbells(axes, content, places, column)
            name_rows(axes, _row_names(places, 26))
            title_values(axes, words)
        right.tick_params(labelleft=False)
        variant_legend(figure, [variant.name for variant in content.variants])
    caption = (
        "Left: vehicles standing in the approaches, on average over the period. Right: how often a vehicle "
        "had to halt there. One mark a variant, the mean of its runs."
    )
    return Drawing(path, title, caption)


def _dumbbells(axes: Axes, content: ReportContent, places: Sequence[Place], column: str) -> None:
    """Mark each variant's mean in the row of each junction and join the marks."""
    means = np.array(
        [
            [content.junction_mean(variant.name, place.junction, column) for place in places]
            for variant in content.variants
        ]
    )
    rows = np.arange(len(places))
    for row, values in enumerate(means.T):
        known = values[np.isfinite(values)]
        if known.size:
            axes.plot((known.min(), known.max()), (row, row), color=LINK, linewidth=3, solid_capstyle="round", zorder=1)
    for position, values in enumerate(means):
        # The baseline's mark is larger, so that it still shows behind one that lies on it.
        size, layer = (48, 3) if position else (95, 2)
        shape, colour = marker_of(position), colour_of(position)
        axes.scatter(values, rows, s=size, marker=shape, color=colour, linewidths=0, zorder=layer)
    largest = np.nanmax(means, initial=0.0) if np.isfinite(means).any() else 1.0
    axes.set_xlim(-0.02 * largest, 1.06 * largest or 1.0)


def _row_names(places: Sequence[Place], limit: int) -> list[str]:
    """Names with their numbers, which figure spaces make equally wide."""
    width = len(str(places[-1].number))
    return [f"{label(place.name, limit)}  {str(place.number).rjust(width, _FIGURE_SPACE)}" for place in places]


def _service_bands(axes: Axes) -> None:
    """Shade the levels of service that the axis reaches, each with its letter on top."""
    _, right = axes.get_xlim()
    bounds = (0.0, *SIGNALISED_LIMITS_S, math.inf)
    for position, letter in enumerate("ABCDEF"):
        low, high = bounds[position], min(bounds[position + 1], right)
        if low >= high:
            break
        shade = 0.985 - 0.022 * position
        axes.axvspan(low, high, color=(shade, shade, shade), zorder=0, linewidth=0)
        if high - low > _NARROWEST_BAND * right:
            axes.text((low + high) / 2, -0.62, letter, ha="center", va="bottom", fontsize=9, color=INK)


def _note(content: ReportContent, places: Sequence[Place] = ()) -> str:
    """Margin note of a chart: what was made up, what failed, what is left out."""
    failed = sum(
        len(content.runs_of(variant.name)) - len(content.finished_of(variant.name)) for variant in content.variants
    )
    parts = [
        content.margin_note,
        f"{failed} failed runs are not drawn" if failed > 1 else "1 failed run is not drawn" if failed else "",
        f"{len(places)} of {len(content.places)} junctions" if places and len(places) < len(content.places) else "",
    ]
    return " · ".join(part for part in parts if part)
