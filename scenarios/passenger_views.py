"""Rows of the report's part on passengers and stops: how they paid, boarded and waited, and what boards told them."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from scenarios.compare import PASSENGER_METRICS, PASSENGERS, STOP_METRICS, STOPS
from scenarios.content import ReportContent, plain
from scenarios.drawing import colour_of
from scenarios.numerals import NARROW, UNKNOWN, number
from scenarios.passenger_content import PassengerContent
from scenarios.transit_views import paired_tables
from scenarios.views import DifferenceTable
from sim.fares import service_times
from sim.passenger_measures import PassengerMeasures
from sim.stop_measures import BoardRow, StopMeasures

FARE_COLUMNS = {
    "paid_electronically": 0,
    "boardings": 0,
    "still_waiting": 0,
    "service_mean_s": 2,
    "dwell_mean_s": 1,
    "dwell_by_table_s": 1,
    "run_time_mean_s": 0,
    "wait_mean_s": 0,
    "wait_p90_s": 0,
}
STOP_COLUMNS = {
    "board_error_5min_s": 0,
    "board_error_10min_s": 0,
    "any_stop_error_5min_s": 0,
    "any_stop_error_10min_s": 0,
    "smart_boardings_share": 0,
    "unknown_boardings_share": 0,
    "waiting_h": 1,
    "enclosed_waiting_h": 1,
    "board_waiting_h": 1,
}
"""Columns shown, with the decimals of each."""

STATES = {True: "yes", False: "no", None: "unknown"}


@dataclass(frozen=True, slots=True)
class PassengerRow:
    """A variant's passengers: means over its runs."""

    name: str
    colour: str
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ServiceRow:
    """A way of paying, what a passenger takes, and by whom it is used."""

    words: str
    default: str
    span: str
    users: str


@dataclass(frozen=True, slots=True)
class StopRow:
    """A stop: what it offers under the first variant with stops, and errors of a board there by variant."""

    name: str
    states: tuple[str, ...]
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PassengerViews:
    """All that the part on passengers and stops shows, ready to be set."""

    is_synthetic: bool
    fares: tuple[PassengerRow, ...]
    fare_differences: tuple[DifferenceTable, ...]
    services: tuple[ServiceRow, ...]
    source: str
    stops: tuple[PassengerRow, ...]
    stop_differences: tuple[DifferenceTable, ...]
    boards: tuple[StopRow, ...]
    board_variants: tuple[str, ...]
    features: str


def passenger_views(content: ReportContent) -> PassengerViews | None:
    """Give the rows of every table on passengers and stops; None where the study has neither."""
    found = content.passengers
    if found is None:
        return None
    names = [variant.name for variant in content.variants]
    with_stops = tuple(name for name in names if name in found.stops)
    return PassengerViews(
        is_synthetic=found.is_synthetic,
        fares=tuple(_rows(names, found.measures, FARE_COLUMNS)),
        fare_differences=tuple(paired_tables(content, PASSENGERS, PASSENGER_METRICS)),
        services=tuple(_service_rows(found)) if found.fares else (),
        source=service_times().source,
        stops=tuple(_rows(names, found.stop_measures, STOP_COLUMNS)),
        stop_differences=tuple(paired_tables(content, STOPS, STOP_METRICS)),
        boards=tuple(_board_rows(found, with_stops)),
        board_variants=with_stops,
        features="; ".join(dict.fromkeys(", ".join(source.features) for source in found.stops.values())),
    )


def _rows(
    names: Sequence[str],
    measures: Sequence[PassengerMeasures] | Sequence[StopMeasures],
    columns: Mapping[str, int],
) -> Iterator[PassengerRow]:
    """Means of some columns, with so many decimals, for each variant that has rows; shares as per cent."""
    for position, name in enumerate(names):
        rows = [row for row in measures if row.variant == name]
        if rows:
            cells = tuple(
                _cell(column, _mean([getattr(row, column) for row in rows]), columns[column]) for column in columns
            )
            yield PassengerRow(plain(name), colour_of(position), cells)


def _cell(column: str, value: float, decimals: int) -> str:
    if not math.isfinite(value):
        return UNKNOWN
    if column.endswith("share") or column == "paid_electronically":
        return f"{number(100 * value, decimals)}{NARROW}%"
    return number(value, decimals)


def _mean(values: Sequence[float]) -> float:
    """Mean of what is known."""
    known = [value for value in values if math.isfinite(value)]
    return math.fsum(known) / len(known) if known else math.nan


def _service_rows(found: PassengerContent) -> Iterator[ServiceRow]:
    table = service_times()
    used = {name for source in found.fares.values() for name in (source.cash, source.electronic)}
    for row in (table.doors, *(row for name, row in table.payments.items() if name in used)):
        variants = [name for name, source in found.fares.items() if row.name in {source.cash, source.electronic}]
        users = ", ".join(map(plain, variants)) if len(variants) < len(found.fares) else ""
        yield ServiceRow(row.words, number(row.default_s, 2), f"{row.low_s:g} to {row.high_s:g}", users)


def _board_rows(found: PassengerContent, names: Sequence[str]) -> Iterator[StopRow]:
    """A row for each stop, those with a board first; errors are means over the runs of a variant."""
    by_stop: dict[str, list[BoardRow]] = {}
    for row in found.boards:
        by_stop.setdefault(row.stop_id, []).append(row)
    order = sorted(by_stop, key=lambda stop_id: (by_stop[stop_id][0].information_board is not True, stop_id))
    for stop_id in order:
        rows = by_stop[stop_id]
        cells = []
        for name in names:
            here = [row for row in rows if row.variant == name]
            at_5, at_10 = _mean([row.error_5min_s for row in here]), _mean([row.error_10min_s for row in here])
            cells.append(f"{number(at_5, 0)} · {number(at_10, 0)}")
        states = tuple(STATES[value] for value in (rows[0].information_board, rows[0].enclosed, rows[0].smart))
        yield StopRow(plain(rows[0].stop_name), states, tuple(cells))
