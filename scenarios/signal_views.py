"""Rows of the report's tables on signals: rounded and worded for people, ready to be set."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from scenarios.content import ReportContent, plain
from scenarios.drawing import colour_of
from scenarios.numerals import NARROW, UNKNOWN, number
from scenarios.signal_content import OCCUPANCY, PERSON, CycleRow, ModeRow, MovementRow, SignalContent
from sim.signal_measures import BUS, CAR

MAX_JUNCTIONS = 5
"""Junctions whose movements the report shows; the tables beside it have all."""

MODE_NAMES = {CAR: "cars and all without a timetable", BUS: "buses", PERSON: "persons in both (assumed)"}


@dataclass(frozen=True, slots=True)
class MovementCell:
    """A movement under one variant: delay with level of service, interval, and below them queue and green."""

    delay: str
    service: str
    bounds: str
    queue: str
    green: str
    ratio: str


@dataclass(frozen=True, slots=True)
class MovementLine:
    """A movement with a cell for each variant."""

    name: str
    lanes: int
    volume: str
    cells: tuple[MovementCell, ...]


@dataclass(frozen=True, slots=True)
class MovementTable:
    """The movements of a junction, by its number on the map; ``figure`` is the stem of its timing diagram."""

    number: int
    name: str
    figure: str
    lines: tuple[MovementLine, ...]


@dataclass(frozen=True, slots=True)
class CycleCell:
    """A signal under one variant: cycle, its span, and below stages, lost time and longest red."""

    cycle: str
    span: str
    stages: str
    lost: str
    red: str


@dataclass(frozen=True, slots=True)
class CycleLine:
    """A signal with a cell for each variant."""

    number: int
    name: str
    cells: tuple[CycleCell, ...]


@dataclass(frozen=True, slots=True)
class ModeLine:
    """Cars, buses or persons with delay and its interval for each variant."""

    name: str
    occupancy: str
    cells: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class RefusalLine:
    """A kind of reason under a variant: how often, and at which junction most."""

    variant: str
    colour: str
    reason: str
    refused: str
    most_at: str


@dataclass(frozen=True, slots=True)
class RequestLine:
    """Requests for priority of a variant with one outcome for one reason."""

    variant: str
    colour: str
    outcome: str
    what: str
    requests: str
    per_run: str
    given: str


@dataclass(frozen=True, slots=True)
class SignalViews:
    """All that the part on signals shows, ready to be set."""

    tables: tuple[MovementTable, ...]
    cycles: tuple[CycleLine, ...]
    modes: tuple[ModeLine, ...]
    refusals: tuple[RefusalLine, ...]
    requests: tuple[RequestLine, ...]
    junctions: int
    car_persons: str
    bus_persons: str


def signal_views(content: ReportContent) -> SignalViews | None:
    """Give the rows of every table on signals; None where no run told of any."""
    signals = content.signals
    if signals is None or not signals.movements:
        return None
    tables = tuple(_tables(content, signals))
    return SignalViews(
        tables=tables[:MAX_JUNCTIONS],
        cycles=tuple(_cycles(content, signals)),
        modes=tuple(_modes(content, signals)),
        refusals=tuple(_refusals(content, signals)),
        requests=tuple(_requests(content, signals)),
        junctions=len(tables),
        car_persons=number(OCCUPANCY[CAR]),
        bus_persons=number(OCCUPANCY[BUS]),
    )


def _tables(content: ReportContent, signals: SignalContent) -> Iterator[MovementTable]:
    """Junctions by the baseline's delay, worst first."""
    delays_s = {place: content.junction_mean(content.baseline, place.junction, "delay_s") for place in content.places}
    worst = sorted(content.places, key=lambda place: (-_known(delays_s[place]), place.number))
    for place in worst:
        own = [move for move in signals.measured if move.signal_id == place.junction]
        lines = []
        for move in own:
            found = [signals.movement(variant.name, place.junction, move.number) for variant in content.variants]
            driven = [row for row in found if row is not None and row.arriving_veh_per_h > 0]
            if driven:
                name = plain(f"{move.approach} {move.bound} {move.turn}")
                volume = number(driven[0].arriving_veh_per_h, 0)
                lines.append(MovementLine(name, len(move.stop_lanes), volume, tuple(map(_movement_cell, found))))
        if lines:
            yield MovementTable(place.number, place.name, f"signal_timing_{place.number}", tuple(lines))


def _known(value: float) -> float:
    return value if math.isfinite(value) else -math.inf


def _movement_cell(row: MovementRow | None) -> MovementCell:
    if row is None:
        return MovementCell(UNKNOWN, "-", "", UNKNOWN, UNKNOWN, UNKNOWN)
    known = math.isfinite(row.delay_ci95_low_s)
    bounds = f"{number(max(row.delay_ci95_low_s, 0.0), 0)} to {number(row.delay_ci95_high_s, 0)}" if known else ""
    return MovementCell(
        delay=number(row.delay_s, 0),
        service=row.level_of_service,
        bounds=bounds,
        queue=number(row.queue_p95_veh, 0),
        green=_share(row.green_share),
        ratio=number(row.volume_to_capacity, 2),
    )


def _share(value: float) -> str:
    return f"{number(100 * value, 0)}{NARROW}%" if math.isfinite(value) else UNKNOWN


def _cycles(content: ReportContent, signals: SignalContent) -> Iterator[CycleLine]:
    for place in content.places:
        found = [signals.cycle(variant.name, place.junction) for variant in content.variants]
        if any(row is not None for row in found):
            yield CycleLine(place.number, place.name, tuple(map(_cycle_cell, found)))


def _cycle_cell(row: CycleRow | None) -> CycleCell:
    if row is None:
        return CycleCell(UNKNOWN, "", UNKNOWN, UNKNOWN, UNKNOWN)
    return CycleCell(
        cycle=number(row.cycle_mean_s, 0),
        span=f"{number(row.cycle_p05_s, 0)} to {number(row.cycle_p95_s, 0)}" if row.cycle_mean_s > 0 else "",
        stages=number(row.stages_per_h, 0),
        lost=_share(row.lost_share),
        red=number(row.longest_red_s, 0),
    )


def _modes(content: ReportContent, signals: SignalContent) -> Iterator[ModeLine]:
    for mode, name in MODE_NAMES.items():
        found = {row.variant: row for row in signals.modes if row.mode == mode}
        if found:
            occupancy = number(OCCUPANCY[mode]) if mode in OCCUPANCY else ""
            yield ModeLine(name, occupancy, tuple(_mode_cell(found.get(variant.name)) for variant in content.variants))


def _mode_cell(row: ModeRow | None) -> tuple[str, str]:
    if row is None:
        return UNKNOWN, ""
    known = math.isfinite(row.delay_ci95_low_s)
    bounds = f"{number(max(row.delay_ci95_low_s, 0.0), 1)} to {number(row.delay_ci95_high_s, 1)}" if known else ""
    return number(row.delay_s, 1), bounds


def _requests(content: ReportContent, signals: SignalContent) -> Iterator[RequestLine]:
    names = [variant.name for variant in content.variants]
    for row in signals.requests:
        yield RequestLine(
            variant=plain(row.variant),
            colour=colour_of(names.index(row.variant)),
            outcome=row.outcome,
            what=row.what or UNKNOWN,
            requests=number(row.requests),
            per_run=number(row.per_run, 1),
            given=UNKNOWN if math.isnan(row.given_s) else number(row.given_s, 1),
        )


def _refusals(content: ReportContent, signals: SignalContent) -> Iterator[RefusalLine]:
    places = {place.junction: f"{place.number} {place.name}" for place in content.places}
    for position, variant in enumerate(content.variants):
        own = [row for row in signals.refusals if row.variant == variant.name]
        for reason in dict.fromkeys(row.reason for row in own):
            found = [row for row in own if row.reason == reason]
            most = max(found, key=lambda row: (row.refused, row.junction))
            yield RefusalLine(
                variant=plain(variant.name),
                colour=colour_of(position),
                reason=plain(reason),
                refused=number(sum(row.refused for row in found)),
                most_at=f"{plain(places.get(most.junction, most.junction))} ({number(most.refused)})",
            )
