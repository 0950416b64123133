"""What a report tells of signals: movements, cycles, kinds of vehicles, refused wishes, and one run of each variant."""

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from scenarios.compare import FINISHED, mean_interval
from sim.movements import Movement
from sim.run import Run
from sim.signal_measures import BUS, CAR, CycleMeasures, ModeMeasures, MovementMeasures, movement_service
from sim.signal_record import SignalRun

PERSON = "person"
OCCUPANCY = {CAR: 1.67, BUS: 9.0}
"""Persons in a vehicle, assumed, since passengers are not simulated. Cars: National Household Travel Survey 2017, all
purposes (US Federal Highway Administration). Buses: a round figure of ours; ridership of the city in question may be
far from it."""

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class MovementRow:
    """A movement under a variant as a row of ``movements.csv``: means over the runs that finished.

    The columns are those of :class:`sim.signal_measures.MovementMeasures`; ``ci95`` bounds the mean delay over seeds.
    ``queue_max_veh`` and ``longest_red_s`` are the greatest of any run.
    """

    variant: str
    runs: int
    junction: str
    junction_name: str
    movement: int
    approach: str
    bound: str
    turn: str
    lanes: int
    arriving_veh_per_h: float
    volume_veh_per_h: float
    delay_s: float
    delay_ci95_low_s: float
    delay_ci95_high_s: float
    level_of_service: str
    stopped_share: float
    queue_mean_veh: float
    queue_p95_veh: float
    queue_max_veh: float
    green_share: float
    permitted_share: float
    yellow_share: float
    volume_to_capacity: float
    cycle_mean_s: float
    cycle_p05_s: float
    cycle_p95_s: float
    longest_red_s: float


@dataclass(frozen=True, slots=True)
class CycleRow:
    """A signal under a variant as a row of ``signal_cycles.csv``: means over the runs that finished.

    The columns are those of :class:`sim.signal_measures.CycleMeasures`; ``longest_red_s`` is the longest of any run.
    """

    variant: str
    runs: int
    junction: str
    junction_name: str
    cycle_mean_s: float
    cycle_p05_s: float
    cycle_p95_s: float
    stages_per_h: float
    lost_share: float
    longest_red_s: float
    longest_red_movement: int


@dataclass(frozen=True, slots=True)
class ModeRow:
    """Cars, buses or persons at the signals under a variant as a row of ``mode_delay.csv``: means over the runs.

    ``passages`` counts vehicles times signals, for persons times ``occupancy`` as well; ``delay_s`` is that of one.
    """

    variant: str
    runs: int
    mode: str
    occupancy: float
    passages: float
    delay_s: float
    delay_ci95_low_s: float
    delay_ci95_high_s: float


@dataclass(frozen=True, slots=True)
class RefusalRow:
    """Refused wishes of a variant at a junction for one kind of reason, over all runs: ``refusal_counts.csv``."""

    variant: str
    junction: str
    reason: str
    refused: int


@dataclass(frozen=True, slots=True)
class RequestCount:
    """Requests for priority with one outcome for one reason, over all runs of a variant, and a run.

    ``what`` is what was done, or why it was not; ``given_s`` is the mean green held or taken from others.
    """

    variant: str
    outcome: str
    what: str
    requests: int
    per_run: float
    given_s: float


@dataclass(frozen=True)
class SignalContent:
    """Signals of a study. ``traces`` has one run of each variant, the first seed that finished, for the figures."""

    begin_s: float
    end_s: float
    measured: tuple[Movement, ...]
    movements: tuple[MovementRow, ...]
    cycles: tuple[CycleRow, ...]
    modes: tuple[ModeRow, ...]
    refusals: tuple[RefusalRow, ...]
    traces: Mapping[str, tuple[int, SignalRun]] = field(repr=False)
    requests: tuple[RequestCount, ...] = ()

    def movement(self, variant: str, junction: str, number: int) -> MovementRow | None:
        """A movement under a variant, None where no run of it finished."""
        wanted = variant, junction, number
        return next((row for row in self.movements if (row.variant, row.junction, row.movement) == wanted), None)

    def cycle(self, variant: str, junction: str) -> CycleRow | None:
        """A signal under a variant, None where no run of it finished."""
        return next((row for row in self.cycles if (row.variant, row.junction) == (variant, junction)), None)


def movement_rows(rows: Iterable[MovementMeasures]) -> tuple[MovementRow, ...]:
    """Means over seeds, by variant, junction and movement in the order given."""
    return tuple(
        _movement_row(found) for found in _grouped(rows, lambda row: (row.variant, row.junction, row.movement))
    )


def _movement_row(found: Sequence[MovementMeasures]) -> MovementRow:
    first, mean = found[0], _Means(found)
    delay_s, low_s, high_s = mean_interval([row.delay_s for row in found if math.isfinite(row.delay_s)])
    return MovementRow(
        variant=first.variant,
        runs=len(found),
        junction=first.junction,
        junction_name=first.junction_name,
        movement=first.movement,
        approach=first.approach,
        bound=first.bound,
        turn=first.turn,
        lanes=first.lanes,
        arriving_veh_per_h=mean("arriving_veh_per_h"),
        volume_veh_per_h=mean("volume_veh_per_h"),
        delay_s=delay_s,
        delay_ci95_low_s=low_s,
        delay_ci95_high_s=high_s,
        level_of_service=movement_service(delay_s, mean("volume_to_capacity")),
        stopped_share=mean("stopped_share"),
        queue_mean_veh=mean("queue_mean_veh"),
        queue_p95_veh=mean("queue_p95_veh"),
        queue_max_veh=max(row.queue_max_veh for row in found),
        green_share=mean("green_share"),
        permitted_share=mean("permitted_share"),
        yellow_share=mean("yellow_share"),
        volume_to_capacity=mean("volume_to_capacity"),
        cycle_mean_s=mean("cycle_mean_s"),
        cycle_p05_s=mean("cycle_p05_s"),
        cycle_p95_s=mean("cycle_p95_s"),
        longest_red_s=max(row.longest_red_s for row in found),
    )


def cycle_rows(rows: Iterable[CycleMeasures]) -> tuple[CycleRow, ...]:
    """Means over seeds, by variant and junction in the order given."""
    return tuple(_cycle_row(found) for found in _grouped(rows, lambda row: (row.variant, row.junction)))


def _cycle_row(found: Sequence[CycleMeasures]) -> CycleRow:
    first, mean = found[0], _Means(found)
    slowest = max(found, key=lambda row: row.longest_red_s)
    return CycleRow(
        variant=first.variant,
        runs=len(found),
        junction=first.junction,
        junction_name=first.junction_name,
        cycle_mean_s=mean("cycle_mean_s"),
        cycle_p05_s=mean("cycle_p05_s"),
        cycle_p95_s=mean("cycle_p95_s"),
        stages_per_h=mean("stages_per_h"),
        lost_share=mean("lost_share"),
        longest_red_s=slowest.longest_red_s,
        longest_red_movement=slowest.longest_red_movement,
    )


def mode_rows(rows: Sequence[ModeMeasures]) -> tuple[ModeRow, ...]:
    """Means over seeds of cars, buses, and the persons in both; empty where no run had a bus."""
    if not any(row.passages for row in rows if row.mode == BUS):
        return ()
    return tuple(made for found in _grouped(rows, lambda row: row.variant) for made in _mode_rows(found))


def _mode_rows(found: Sequence[ModeMeasures]) -> list[ModeRow]:
    variant = found[0].variant
    made = [
        _mode_row(variant, mode, [row for row in found if row.mode == mode], OCCUPANCY[mode]) for mode in (CAR, BUS)
    ]
    persons = [
        _persons([row for row in found if row.seed == seed]) for seed in dict.fromkeys(row.seed for row in found)
    ]
    return [*made, _mode_row(variant, PERSON, persons, 1.0)]


def _persons(found: Sequence[ModeMeasures]) -> ModeMeasures:
    """The persons in the vehicles of one run."""
    weights = [row.passages * OCCUPANCY[row.mode] if row.passages else 0.0 for row in found]
    total = sum(weights)
    lost_s = sum(weight * row.delay_s for weight, row in zip(weights, found, strict=True) if weight)
    return ModeMeasures(found[0].variant, found[0].seed, PERSON, round(total), lost_s / total if total else math.nan)


def _mode_row(variant: str, mode: str, found: Sequence[ModeMeasures], occupancy: float) -> ModeRow:
    delay_s, low_s, high_s = mean_interval([row.delay_s for row in found if math.isfinite(row.delay_s)])
    passages = sum(row.passages for row in found) / len(found)
    return ModeRow(variant, len(found), mode, occupancy, passages, delay_s, low_s, high_s)


def refusal_rows(runs: Iterable[Run]) -> tuple[RefusalRow, ...]:
    """Refused wishes counted by variant, junction and kind of reason, most first within a variant."""
    counts = Counter(
        (run.measures.variant, row.junction, reason_kind(row.reason)) for run in runs for row in run.refusals
    )
    variants = list(dict.fromkeys(run.measures.variant for run in runs))
    order = sorted(counts.items(), key=lambda item: (variants.index(item[0][0]), -item[1], item[0]))
    return tuple(RefusalRow(*key, refused) for key, refused in order)


def reason_kind(reason: str) -> str:
    """A reason without the numbers of links and stages."""
    if "would be red for more than" in reason:
        return "another link would be red too long"
    return re.sub(r" \d+(\.\d+)?", "", reason)


def first_traces(runs: Iterable[Run]) -> dict[str, tuple[int, SignalRun]]:
    """The first finished run of each variant, with its seed."""
    traces: dict[str, tuple[int, SignalRun]] = {}
    for run in runs:
        if run.measures.status == FINISHED and run.signals is not None:
            traces.setdefault(run.measures.variant, (run.measures.seed, run.signals))
    return traces


class _Means:
    """Means of columns over rows; NaN where no row has a value."""

    def __init__(self, rows: Sequence[Any]) -> None:
        self._rows = rows

    def __call__(self, column: str) -> float:
        values = [getattr(row, column) for row in self._rows]
        known = [value for value in values if not math.isnan(value)]
        return math.fsum(known) / len(known) if known else math.nan


def _grouped(rows: Iterable[Row], key: Callable[[Row], Any]) -> list[list[Row]]:
    """Rows by key, keys in the order of their first row."""
    groups: dict[Any, list[Row]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    return list(groups.values())
