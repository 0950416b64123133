"""Signal timing diagrams: what every movement of a junction saw, second by second, under each variant."""

import math
from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from networks.network import RoadNetwork
from scenarios.content import Place, ReportContent
from scenarios.drawing import FAINT, INK, MUTED, Drawing, canvas, colour_of, label
from scenarios.numerals import number
from scenarios.signal_content import MovementRow, SignalContent
from signals.history import Aspect, SignalHistory, Span, spans
from sim.movements import Movement, foot_links
from sim.times import clock_text

STEM = "signal_timing"
MAX_FIGURES = 12
"""Junctions that are drawn, the first by number."""

MAX_ROWS = 20
MAX_COLUMNS = 3
CYCLES = 3.3
LEAST_S, MOST_S = 150.0, 360.0

GREEN, PERMITTED, YELLOW, RED, WALK = "#1b8a4b", "#9ad3ae", "#f0b400", "#b3261e", "#3f7fb5"
_ROW_IN, _FRAME_IN = 0.27, 1.75
_HEIGHT = {Aspect.PROTECTED: 0.72, Aspect.PERMITTED: 0.36, Aspect.YELLOW: 0.72}
_COLOUR = {Aspect.PROTECTED: GREEN, Aspect.PERMITTED: PERMITTED, Aspect.YELLOW: YELLOW}


def draw_timing(folder: Path, content: ReportContent) -> tuple[Drawing, ...]:
    """Draw a diagram of each of the first junctions as ``signal_timing_1.png`` and so on, by the places' numbers.

    Raises
    ------
    RunError
        WRITE_FAILED.
    """
    signals = content.signals
    if signals is None or not signals.traces:
        return ()
    drawn = []
    for place in content.places[:MAX_FIGURES]:
        movements = _driven(signals, place.junction)
        if movements:
            drawn.append(_draw(folder / f"{STEM}_{place.number}.png", content, signals, place, movements))
    return tuple(drawn)


def _driven(signals: SignalContent, junction: str) -> list[Movement]:
    """Movements that somebody drove, the busiest ones where they are too many, by number."""
    volume = {
        row.movement: max(other.arriving_veh_per_h for other in signals.movements if _same(other, row))
        for row in signals.movements
        if row.junction == junction
    }
    own = [move for move in signals.measured if move.signal_id == junction and volume.get(move.number, 0.0) > 0]
    busiest = sorted(own, key=lambda move: (-volume[move.number], move.number))[:MAX_ROWS]
    return sorted(busiest, key=lambda move: move.number)


def _same(a: MovementRow, b: MovementRow) -> bool:
    return (a.junction, a.movement) == (b.junction, b.movement)


def diagram_span_s(signals: SignalContent, junction: str) -> tuple[float, float]:
    """What is drawn of a run: some three cycles of the slowest variant around its middle, begin and end (s)."""
    cycles_s = [row.cycle_mean_s for row in signals.cycles if row.junction == junction and row.cycle_mean_s > 0]
    wanted_s = CYCLES * max(cycles_s, default=LEAST_S / CYCLES)
    span_s = min(max(wanted_s, LEAST_S), MOST_S, signals.end_s - signals.begin_s)
    begin_s = math.floor((signals.begin_s + signals.end_s - span_s) / 2)
    return begin_s, begin_s + span_s


def _draw(
    path: Path, content: ReportContent, signals: SignalContent, place: Place, movements: Sequence[Movement]
) -> Drawing:
    names = [variant.name for variant in content.variants if variant.name in signals.traces]
    walks = _walks(content.network, signals, place.junction)
    rows = len(movements) + len(walks)
    columns = min(len(names), MAX_COLUMNS)
    lines = math.ceil(len(names) / columns)
    span_s = diagram_span_s(signals, place.junction)
    title = f"Signal timing at {place.number} {label(place.name, 60)}"
    seeds = sorted({signals.traces[name][0] for name in names})
    note = " · ".join(
        part
        for part in (
            f"from {clock_text(span_s[0])}, {number(span_s[1] - span_s[0], 0)} s of the run with seed "
            + ", ".join(str(seed) for seed in seeds),
            content.margin_note,
        )
        if part
    )
    with canvas(path, _FRAME_IN + lines * (0.5 + _ROW_IN * rows), title, note) as figure:
        panels = figure.subplots(lines, columns, squeeze=False, sharey=True)
        for spare in panels.flat[len(names) :]:
            spare.set_visible(False)
        for position, (axes, name) in enumerate(zip(panels.flat, names, strict=False)):
            _panel(axes, signals, name, movements, walks, span_s)
            axes.set_title(label(name, 30), color=colour_of(_position(content, name)), fontweight="bold", pad=14)
            if position % columns == 0:
                words = [*map(_row_name, movements), *map(_walk_name, walks)]
                axes.set_yticks(range(rows), words, fontsize=8.5)
        _legend(figure, has_walks=bool(walks))
    return Drawing(path, title, _caption(movements))


def _position(content: ReportContent, name: str) -> int:
    return [variant.name for variant in content.variants].index(name)


def _row_name(movement: Movement) -> str:
    return f"{label(movement.approach, 22)}  {movement.bound} {label(movement.turn, 26)}"


def _panel(
    axes: Axes,
    signals: SignalContent,
    variant: str,
    movements: Sequence[Movement],
    walks: Sequence[tuple[int, ...]],
    span_s: tuple[float, float],
) -> None:
    """One variant: a line a movement, then those of people."""
    _, run = signals.traces[variant]
    history = next(found for found in run.histories if found.signal_id == movements[0].signal_id)
    begin_s, end_s = span_s
    for row, movement in enumerate(movements):
        draw_spans(axes, clipped(history, movement.links, begin_s, end_s), row, begin_s)
        _measures(axes, signals.movement(variant, movement.signal_id, movement.number), row)
        if row and movement.from_edge != movements[row - 1].from_edge:
            axes.axhline(row - 0.5, color=FAINT, linewidth=0.8, zorder=0)
    for row, links in enumerate(walks, start=len(movements)):
        draw_spans(axes, clipped(history, links, begin_s, end_s), row, begin_s, WALK)
    if walks:
        axes.axhline(len(movements) - 0.5, color=FAINT, linewidth=0.8, zorder=0)
    axes.set_xlim(0, end_s - begin_s)
    axes.set_ylim(len(movements) + len(walks) - 0.5, -0.5)
    axes.set_xlabel("seconds", fontsize=9)
    axes.tick_params(axis="y", length=0)
    axes.tick_params(axis="x", labelsize=8.5)
    axes.grid(axis="x")
    axes.spines["left"].set_visible(False)
    axes.annotate(
        "delay (s)",
        (1.0, 1.0),
        xycoords="axes fraction",
        xytext=(4, 3),
        textcoords="offset points",
        fontsize=7.5,
        color=MUTED,
    )


def _measures(axes: Axes, found: MovementRow | None, row: int) -> None:
    """Delay and level of service at the end of the line."""
    if found is None or math.isnan(found.delay_s):
        return
    words = f"{number(found.delay_s, 0)} {found.level_of_service}"
    bold = "bold" if found.level_of_service in "EF" else "normal"
    axes.annotate(
        words,
        (1.0, row),
        xycoords=("axes fraction", "data"),
        xytext=(4, 0),
        textcoords="offset points",
        va="center",
        fontsize=8,
        color=INK,
        fontweight=bold,
    )


def clipped(history: SignalHistory, links: tuple[int, ...], begin_s: float, end_s: float) -> list[Span]:
    """What those who see some links saw between two times."""
    return [
        Span(span.aspect, max(span.begin_s, begin_s), min(span.end_s, end_s))
        for span in spans(history, links)
        if span.begin_s < end_s and span.end_s > begin_s
    ]


def draw_spans(axes: Axes, seen: Sequence[Span], row: float, begin_s: float, colour: str = "") -> None:
    """Bars of green and yellow on a thin line of red."""
    for kind in dict.fromkeys(span.aspect for span in seen):
        bars = [(span.begin_s - begin_s, span.end_s - span.begin_s) for span in seen if span.aspect is kind]
        if kind is Aspect.RED:
            axes.hlines([row] * len(bars), *zip(*[(a, a + b) for a, b in bars], strict=True), color=RED, linewidth=1.3)
        else:
            height = _HEIGHT[Aspect.PERMITTED if colour else kind]
            axes.broken_barh(bars, (row - height / 2, height), color=colour or _COLOUR[kind], linewidth=0, zorder=2)


def _walks(network: RoadNetwork, signals: SignalContent, junction: str) -> list[tuple[int, ...]]:
    """Links that people see, those together that always showed the same under every variant."""
    shown = [
        state
        for _, run in signals.traces.values()
        for history in run.histories
        if history.signal_id == junction
        for state in history.states
    ]
    groups: dict[str, list[int]] = {}
    for link in foot_links(network, junction):
        groups.setdefault("".join(state[link] for state in shown), []).append(link)
    return [tuple(links) for links in groups.values()]


def _walk_name(links: tuple[int, ...]) -> str:
    return f"on foot, {len(links)} crossings" if len(links) > 1 else "on foot"


def _legend(figure: Figure, *, has_walks: bool) -> None:
    keys = [
        Patch(facecolor=GREEN),
        Patch(facecolor=PERMITTED),
        Patch(facecolor=YELLOW),
        Line2D([], [], color=RED, linewidth=1.3),
    ]
    words = ["protected green", "permitted green (must yield)", "yellow", "red"]
    if has_walks:
        keys, words = [*keys, Patch(facecolor=WALK)], [*words, "people walk"]
    figure.legend(keys, words, loc="outside lower center", ncols=5, fontsize=9)


def _caption(movements: Sequence[Movement]) -> str:
    bounds = {"EB": "east", "NB": "north", "WB": "west", "SB": "south"}
    used = dict.fromkeys(move.bound for move in movements)
    words = ", ".join(f"{bound} bound for the {bounds[bound]}" for bound in used)
    return (
        f"A row a movement: street, bound ({words}), turn. Where every row is a thin red line, all is red. At the end "
        "of each row the mean control delay over all runs and its level of service. Movements that nobody drove are "
        "left out."
    )
