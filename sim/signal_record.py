"""The measured signals of one run: what they showed, who came to them, and what that cost."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from networks.intake import Attributes, parse_xml
from networks.network import RoadNetwork
from signals.history import SignalHistory
from sim.areas import JunctionArea
from sim.movements import Movement, signal_movements
from sim.outputs import RawOutputs
from sim.passages import Passages, read_passages
from sim.signal_measures import (
    CycleMeasures,
    ModeMeasures,
    MovementMeasures,
    Period,
    cycle_measures,
    mode_measures,
    movement_measures,
)

WINDOW_S = 900.0
"""Passages are kept for so long in the middle of a run: enough to draw, and little to store."""


@dataclass(frozen=True, slots=True)
class SignalRun:
    """What a run tells of its measured signals.

    ``movements``, ``cycles`` and ``modes`` are rows of tables. ``histories`` are the states shown. ``passages`` are
    those of the window in the middle of the run, by position in :func:`measured_movements`.
    """

    movements: tuple[MovementMeasures, ...]
    cycles: tuple[CycleMeasures, ...]
    modes: tuple[ModeMeasures, ...]
    histories: tuple[SignalHistory, ...]
    passages: Passages


def measured_movements(network: RoadNetwork, signals: Sequence[str]) -> tuple[Movement, ...]:
    """Movements of some signals in their order, each signal's by number; ids of unsignalised junctions have none."""
    known = [name for name in signals if name in network.signal_index]
    return tuple(movement for name in known for movement in signal_movements(network, name))


def window(begin_s: float, end_s: float) -> tuple[float, float]:
    """The time in the middle of a run that is drawn: begin and end (s)."""
    middle_s, half_s = (begin_s + end_s) / 2, min(WINDOW_S, end_s - begin_s) / 2
    return middle_s - half_s, middle_s + half_s


def read_signal_run(
    raw: RawOutputs,
    network: RoadNetwork,
    areas: Sequence[JunctionArea],
    who: tuple[str, int],
    period: Period,
    trips: Mapping[str, Attributes],
    timetabled: Collection[str] = (),
) -> SignalRun:
    """Read what SUMO wrote of a run; ``who`` is variant and seed, ``trips`` are rows of ``tripinfo`` by vehicle."""
    names = {area.area_id: area.name for area in areas if area.signalised}
    movements = measured_movements(network, list(names))
    histories = read_histories(raw.signals, list(names), period.end_s) if names else {}
    passages = read_passages(raw.routes, network, movements, trips, period.end_s, period.step_s, timetabled)
    order = np.argsort(passages.movement, kind="stable")
    bounds = np.searchsorted(passages.movement[order], np.arange(len(movements) + 1))
    rows = [
        movement_measures(
            who,
            names[move.signal_id],
            network,
            move,
            histories[move.signal_id],
            passages.where(order[begin:end]),
            period,
        )
        for move, begin, end in zip(movements, bounds[:-1], bounds[1:], strict=True)
    ]
    return SignalRun(
        movements=tuple(rows),
        cycles=tuple(_cycles(names, movements, histories, rows)),
        modes=mode_measures(who, passages, period.end_s),
        histories=tuple(histories.values()),
        passages=_middle(passages, period),
    )


def _cycles(
    names: Mapping[str, str],
    movements: Sequence[Movement],
    histories: Mapping[str, SignalHistory],
    rows: Sequence[MovementMeasures],
) -> list[CycleMeasures]:
    found = []
    for signal_id, name in names.items():
        own = [row for row in rows if row.junction == signal_id]
        if own:
            ways = [movement for movement in movements if movement.signal_id == signal_id]
            found.append(cycle_measures(name, ways, histories[signal_id], own))
    return found


def _middle(passages: Passages, period: Period) -> Passages:
    begin_s, end_s = window(period.begin_s, period.end_s)
    return passages.where((passages.enter_s < end_s) & (passages.leave_s > begin_s))


def read_histories(path: Path, signals: Sequence[str], end_s: float) -> dict[str, SignalHistory]:
    """Read ``SaveTLSSwitchStates`` outputs, by signal.

    Where a signal shows two states in one instant, the last one counts.
    """
    shown: dict[str, dict[float, str]] = {name: {} for name in signals}

    def keep(tag: str, row: Attributes) -> None:
        if tag == "tlsState" and row["id"] in shown:
            shown[row["id"]][float(row["time"])] = row["state"]

    parse_xml(path, keep, code="SUMO_OUTPUT")
    return {name: SignalHistory(name, tuple(found), tuple(found.values()), end_s) for name, found in shown.items()}
