"""The time-space diagram: an arterial's signals over its distance and time, and vehicles on their way through them."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from scenarios.arterial import Arterial, find_arterial
from scenarios.content import ReportContent
from scenarios.drawing import INK, MUTED, Drawing, canvas, colour_of, label
from scenarios.numerals import number
from scenarios.signal_content import SignalContent
from scenarios.timing_figures import GREEN, RED, YELLOW, clipped
from signals.history import Aspect, SignalHistory
from sim.movements import Movement
from sim.passages import FloatArray, Passages
from sim.signal_record import SignalRun, window
from sim.times import clock_text

STEM = "time_space"
SPAN_S = 600.0
VEHICLE_M = 7.5
"""Room that a standing car takes, as SUMO has it: 5 m and 2.5 m before it."""

LEAST_WAIT_S = 3.0
"""Vehicles that lost less are drawn as driving evenly."""

BACK_M = 30.0
"""A vehicle that is farther back than where it was has come round again."""

BEFORE_M = 200.0
_TRACK = "#5b7fa6"
_PANEL_IN = 2.9
_COLOUR = {Aspect.PROTECTED: GREEN, Aspect.PERMITTED: GREEN, Aspect.YELLOW: YELLOW, Aspect.RED: RED}


def draw_time_space(folder: Path, content: ReportContent) -> tuple[Drawing, ...]:
    """Draw ``time_space.png`` of the arterial where at least two signals follow each other.

    Raises
    ------
    RunError
        WRITE_FAILED.
    """
    signals = content.signals
    if signals is None or content.baseline not in signals.traces:
        return ()
    arterial = find_arterial(signals.measured, signals.traces[content.baseline][1].passages)
    if arterial is None:
        return ()
    return (_draw(folder / f"{STEM}.png", content, signals, arterial),)


def _draw(path: Path, content: ReportContent, signals: SignalContent, arterial: Arterial) -> Drawing:
    names = [variant.name for variant in content.variants if variant.name in signals.traces]
    chain = [signals.measured[number] for number in arterial.movements]
    title = f"Time and space along {_street(chain)}"
    middle_s = (signals.begin_s + signals.end_s) / 2
    half_s = min(SPAN_S, signals.end_s - signals.begin_s) / 2
    span_s = math.floor(middle_s - half_s), math.floor(middle_s + half_s)
    note = f"from {clock_text(float(span_s[0]))}, one run of each variant"
    note += f" · {content.margin_note}" if content.margin_note else ""
    with canvas(path, 1.3 + _PANEL_IN * len(names), title, note) as figure:
        panels = figure.subplots(len(names), 1, squeeze=False, sharex=True)
        for position, (axes, name) in enumerate(zip(panels.flat, names, strict=True)):
            _panel(axes, signals.traces[name][1], arterial, chain, span_s)
            place = [variant.name for variant in content.variants].index(name)
            axes.set_title(label(name, 40), color=colour_of(place), fontweight="bold")
            _name_signals(axes, content, arterial, chain, signals.traces[name][1], signals)
            if position == len(names) - 1:
                axes.set_xlabel("seconds")
        keys = [
            Line2D([], [], color=_TRACK, linewidth=1.2),
            Patch(facecolor=GREEN),
            Patch(facecolor=YELLOW),
            Patch(facecolor=RED),
        ]
        words = ["a vehicle", "green for those who drive through", "yellow", "red"]
        figure.legend(keys, words, loc="outside lower center", ncols=4, fontsize=9)
    return Drawing(path, title, _caption(arterial))


def _street(chain: Sequence[Movement]) -> str:
    names = list(dict.fromkeys(label(move.approach, 40) for move in chain))
    bound = max((move.bound for move in chain), key=[move.bound for move in chain].count)
    return f"{' / '.join(names[:3])}, {bound}"


def _caption(arterial: Arterial) -> str:
    signals = len(arterial.movements)
    return (
        f"The {signals} signals in a row that most vehicles of the first variant drove through. Bars: what those who "
        "go on along it see. Lines: vehicles, the steeper the faster; flat where they stand. They are reconstructed: "
        "SUMO tells when each came onto an approach and when it was through; in between it is drawn at its free speed "
        "up to its place in the queue, 7.5 m for each vehicle before it. Vehicles that come from side streets or leave "
        "begin or end on the way. On the right, the share that would reach the stop line at green."
    )


def _panel(axes: Axes, run: SignalRun, arterial: Arterial, chain: Sequence[Movement], span_s: tuple[int, int]) -> None:
    histories = {history.signal_id: history for history in run.histories}
    begin_s, end_s = float(span_s[0]), float(span_s[1])
    lines = [line - [begin_s, 0.0] for line in tracks(run.passages, arterial, chain, _lanes(chain))]
    axes.add_collection(LineCollection(lines, colors=_TRACK, linewidths=0.9, alpha=0.8, zorder=2))
    for place_m, movement in zip(arterial.stop_line_m, chain, strict=True):
        for span in clipped(histories[movement.signal_id], movement.links, begin_s, end_s):
            axes.plot(
                (span.begin_s - begin_s, span.end_s - begin_s),
                (place_m, place_m),
                color=_COLOUR[span.aspect],
                linewidth=1.6 if span.aspect is Aspect.RED else 5.0,
                solid_capstyle="butt",
                zorder=1 if span.aspect is Aspect.RED else 3,
            )
    axes.set_xlim(0, end_s - begin_s)
    axes.set_ylim(-BEFORE_M, arterial.stop_line_m[-1] + 60)
    axes.set_ylabel("distance (m)")


def _lanes(chain: Sequence[Movement]) -> dict[int, int]:
    """Lanes that the vehicles of each stop line's street stand on: at least those of the movement itself."""
    return {move.from_edge: len(move.stop_lanes) for move in chain}


def _name_signals(
    axes: Axes,
    content: ReportContent,
    arterial: Arterial,
    chain: Sequence[Movement],
    run: SignalRun,
    signals: SignalContent,
) -> None:
    """On the right: each signal's number on the map, and how many reach it at green."""
    numbers = {place.junction: place.number for place in content.places}
    histories = {history.signal_id: history for history in run.histories}
    axes.annotate(
        "arrive\nat green",
        (1.0, 1.0),
        xycoords="axes fraction",
        xytext=(38, 3),
        textcoords="offset points",
        fontsize=7.5,
        color=MUTED,
    )
    for row, place_m, movement in zip(arterial.movements, arterial.stop_line_m, chain, strict=True):
        came = run.passages.where(run.passages.movement == row)
        share = arrivals_on_green(came, histories[movement.signal_id], movement, signals)
        words = f"no. {numbers.get(movement.signal_id, '?'):<3}"
        words += f"  {number(100 * share, 0)} %" if math.isfinite(share) else ""
        axes.annotate(
            words,
            (1.0, place_m),
            xycoords=axes.get_yaxis_transform(),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            fontsize=8.5,
            color=INK if math.isfinite(share) else MUTED,
        )


def arrivals_on_green(came: Passages, history: SignalHistory, movement: Movement, signals: SignalContent) -> float:
    """Share of the vehicles of the window that would reach the stop line at green if nothing held them; NaN if none."""
    begin_s, end_s = window(signals.begin_s, signals.end_s)
    due_s = came.enter_s + came.free_s + came.dwell_s
    due_s = due_s[(due_s >= begin_s) & (due_s < end_s)]
    if not len(due_s):
        return math.nan
    greens = [span for span in clipped(history, movement.links, begin_s, end_s) if span.aspect.is_green]
    return sum(int(((due_s >= span.begin_s) & (due_s < span.end_s)).sum()) for span in greens) / len(due_s)


def tracks(
    passages: Passages, arterial: Arterial, chain: Sequence[Movement], lanes: dict[int, int]
) -> list[FloatArray]:
    """Lines of vehicles on the arterial: time (s) and distance (m), shape (points, 2) each, vehicle by vehicle."""
    place_m = dict(zip(arterial.movements, arterial.stop_line_m, strict=True))
    from_edge = {number: move.from_edge for number, move in zip(arterial.movements, chain, strict=True)}
    lines: dict[int, list[tuple[float, float]]] = {}
    done: list[list[tuple[float, float]]] = []
    wanted = np.flatnonzero(np.isin(passages.movement, arterial.movements) & np.isfinite(passages.leave_s))
    for row in wanted.tolist():
        own = int(passages.movement[row])
        ahead = _ahead(passages, row, own) / lanes[from_edge[own]]
        vehicle, points = int(passages.vehicle[row]), list(_way(passages, row, place_m[own], ahead))
        if vehicle in lines and points[0][1] < lines[vehicle][-1][1] - BACK_M:
            done.append(lines.pop(vehicle))  # it comes along once more
        lines.setdefault(vehicle, []).extend(points)
    return [np.array(line) for line in (*done, *lines.values())]


def _ahead(passages: Passages, row: int, movement: int) -> int:
    """Vehicles of the movement that were due before this one and still there when it was."""
    same = passages.movement == movement
    due_s = passages.enter_s + passages.free_s + passages.dwell_s
    return int((same & (due_s < due_s[row]) & (passages.leave_s > due_s[row])).sum())


def _way(passages: Passages, row: int, stop_line_m: float, ahead: float) -> Iterator[tuple[float, float]]:
    """Points of one vehicle on one approach."""
    enter_s, leave_s = float(passages.enter_s[row]), float(passages.leave_s[row])
    free_s, length_m = float(passages.free_s[row]), float(passages.approach_m[row])
    begin_m, whole_m = stop_line_m - length_m, length_m + float(passages.inside_m[row])
    yield enter_s, begin_m
    lost_s = leave_s - enter_s - free_s
    if lost_s >= LEAST_WAIT_S and free_s > 0:
        stand_m = max(length_m - VEHICLE_M * ahead, 0.0)
        yield enter_s + free_s * stand_m / whole_m, begin_m + stand_m
        yield leave_s - free_s * (1 - stand_m / whole_m), begin_m + stand_m
    yield leave_s, begin_m + whole_m
