"""Pictures of a ranking: what is known of each site, and how the choice of method changes the list."""

from itertools import pairwise
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from networks.screening import EMPIRICAL_BAYES, FREQUENCY
from scenarios.drawing import COLOURS, FAINT, INK, Drawing, canvas, label, name_rows, title_values
from scenarios.hotspot_views import METHOD_NAMES, MethodLists, period_words, site_name
from scenarios.hotspots import Screening

SHOWN = 20
"""Sites that a picture shows; more would not be read."""

_ROW_IN = 0.24
_COUNTED, _ALIKE, _EXPECTED = "#d55e00", "#6b747c", "#0072b2"
_EVERYWHERE, _LAST, _NOT_LAST = "#8fa3b3", COLOURS[0], COLOURS[1]


def draw_evidence(path: Path, screening: Screening) -> Drawing:
    """Count, prediction and expectation of each of the first sites, with the interval of the last."""
    spots = screening.hotspots[:SHOWN]
    title = "What is known of each: its count, what junctions like it have, and both together"
    with canvas(path, len(spots) * _ROW_IN + 1.5, title, _note(screening)) as figure:
        axes = figure.subplots()
        for row, spot in enumerate(spots):
            axes.plot((spot.expected_low, spot.expected_high), (row, row), color=_EXPECTED, linewidth=4, alpha=0.35)
            axes.plot((spot.predicted, spot.observed), (row, row), color=FAINT, linewidth=1, zorder=1)
        rows = range(len(spots))
        looks: dict[str, Any] = {"markersize": 7, "linestyle": ""}
        axes.plot([spot.predicted for spot in spots], rows, marker="|", color=_ALIKE, markeredgewidth=2, **looks)
        axes.plot([spot.observed for spot in spots], rows, marker="o", color=_COUNTED, markerfacecolor="white", **looks)
        axes.plot([spot.expected for spot in spots], rows, marker="o", color=_EXPECTED, **looks)
        name_rows(axes, [f"{label(site_name(spot), 52)}  {spot.rank}" for spot in spots])
        title_values(axes, f"{_counted(screening)} over the period")
        axes.set_xlim(left=0)
        figure.legend(handles=_keys(), loc="outside lower center", ncols=4, handletextpad=0.3, fontsize=8.5)
    caption = (
        "Open circles are what was counted, grey ticks what junctions like it have, blue dots what Empirical Bayes "
        "expects in as long a period to come; the band holds the long-run mean with 95 %."
    )
    return Drawing(path, title, caption)


def _keys() -> list[Line2D]:
    looks: dict[str, Any] = {"linestyle": "", "markersize": 7}
    return [
        Line2D([], [], marker="o", color=_COUNTED, markerfacecolor="white", label="counted", **looks),
        Line2D([], [], marker="|", color=_ALIKE, markeredgewidth=2, label="junctions like it", **looks),
        Line2D([], [], marker="o", color=_EXPECTED, label="expected", **looks),
        Line2D([], [], color=_EXPECTED, linewidth=4, alpha=0.35, label="95 % of the long-run mean"),
    ]


def draw_methods(path: Path, screening: Screening, lists: MethodLists) -> Drawing:
    """Ranks of the first sites by each method, joined by lines."""
    methods = [
        name for name in (FREQUENCY, "epdo", "rate", "critical-rate", "rule", EMPIRICAL_BAYES) if name in lists.orders
    ]
    shown = min(SHOWN, lists.top)
    title = f"How the method changes the list: the first {shown} by each"
    with canvas(path, shown * _ROW_IN + 1.5, title, _note(screening)) as figure:
        axes = figure.subplots()
        _draw_lines(axes, screening, lists, methods, shown)
        axes.set_xticks(range(len(methods)), [METHOD_NAMES[method] for method in methods])
        axes.xaxis.tick_top()
        axes.set(ylim=(shown + 0.8, 0.4), yticks=[], xlim=(-1.35, len(methods) - 1 + 1.35))
        axes.tick_params(axis="x", length=0)
        axes.spines[:].set_visible(False)
        words = (f"on that by {METHOD_NAMES[methods[-1]]}, not on all", f"not on that by {METHOD_NAMES[methods[-1]]}")
        colours = ((_EVERYWHERE, "on every list"), (_LAST, words[0]), (_NOT_LAST, words[1]))
        keys = [Line2D([], [], marker="o", color=colour, markersize=8, label=word) for colour, word in colours]
        figure.legend(handles=keys, loc="outside lower center", ncols=3, fontsize=8.5)
    last = METHOD_NAMES[methods[-1]]
    caption = (
        f"A line is a junction. Grey ones are on every list, blue ones on that by {last} and not on all, orange ones "
        f"not on that by {last}. Dotted lines lead off a list."
    )
    return Drawing(path, title, caption)


def _draw_lines(axes: Axes, screening: Screening, lists: MethodLists, methods: list[str], shown: int) -> None:
    for row in sorted({row for method in methods for row in lists.orders[method][:shown]}):
        ranks = [lists.rank(method, row) for method in methods]
        on_list = [rank if rank is not None and rank <= shown else None for rank in ranks]
        colour = _EVERYWHERE if None not in on_list else _NOT_LAST if on_list[-1] is None else _LAST
        for column, (rank, after) in enumerate(pairwise(on_list)):
            _draw_step(axes, column, rank, after, shown + 0.7, colour)
        for column, rank in enumerate(on_list):
            if rank is not None:
                axes.plot(column, rank, "o", color=colour, markersize=11, zorder=2)
                axes.annotate(
                    str(rank), (column, rank), ha="center", va="center_baseline", fontsize=7, color="white", zorder=3
                )
        name = " \N{MULTIPLICATION SIGN} ".join(screening.sites[row].street_names[:2]) or screening.sites[row].site_id
        ink = INK if colour == _EVERYWHERE else colour
        for rank, place, align in ((on_list[0], -0.1, "right"), (on_list[-1], len(methods) - 0.9, "left")):
            if rank is not None:
                axes.text(place, rank, label(name, 40), ha=align, va="center_baseline", fontsize=7.2, color=ink)


def _draw_step(axes: Axes, column: int, rank: int | None, after: int | None, below: float, colour: str) -> None:
    """Draw a line between two columns; to or from the bottom, and only half of it, where one list lacks the site."""
    if rank is not None and after is not None:
        axes.plot((column, column + 1), (rank, after), color=colour, linewidth=1.3, alpha=0.8, zorder=1)
    elif rank is not None:
        axes.plot((column, column + 0.4), (rank, below), color=colour, linewidth=1.0, linestyle=":", zorder=1)
    elif after is not None:
        axes.plot((column + 1, column + 0.6), (after, below), color=colour, linewidth=1.0, linestyle=":", zorder=1)


def _counted(screening: Screening) -> str:
    return "Injury crashes" if screening.options.injury_only else "Crashes"


def _note(screening: Screening) -> str:
    made_up = "SYNTHETIC accident records · " if screening.origin.is_synthetic else ""
    period = f" · {period_words(screening.evidence.years)}" if screening.evidence.years else ""
    return f"{made_up}{_counted(screening).lower()} at junctions: {label(screening.origin.description, 80)}{period}"
