"""Files that a replay leaves for other programs: TIDES tables, headways, events, and a summary in numbers."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from itertools import chain
from pathlib import Path
from typing import Any, TextIO

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from gtfs.deviation_table import deviations_table
from gtfs.due_calls import due_calls
from gtfs.headway_table import headways_table
from gtfs.replay_result import ReplayResult
from gtfs.tides import stop_visits_table, trips_performed_table
from networks.outfile import atomic_path, write_text
from scenarios.event_records import event_records
from scenarios.replay_summary import replay_summary
from scenarios.replay_tally import Tally, tally

BATCH_ROWS = 65_536

_STRUCTURE = re.compile(r'[",\r\n]')
_Add = Callable[[pa.Table], None]


def write_tables(results: Iterable[ReplayResult], folder: Path) -> Tally:
    """Write the parts of a replay into one set of tables, each part once it comes; give their sums.

    Parameters
    ----------
    results
        At least one, in order of service days, all against the same plan.

    Raises
    ------
    RunError
        WRITE_FAILED; no file then stands under the final name.
    """
    parts = iter(results)
    first = next(parts)
    sums = tally(first)
    with ExitStack() as stack:
        visits, trips, headways = (stack.enter_context(_table(folder, stem, first)) for stem in _STEMS)
        deviations = stack.enter_context(_parquet(folder / "deviations.parquet"))
        events = stack.enter_context(_lines(folder / "events.jsonl"))
        for result in chain([first], parts):
            due = due_calls(result)
            sums.add(result, due)
            visits(stop_visits_table(result, due))
            trips(trips_performed_table(result))
            headways(headways_table(result))
            deviations(deviations_table(result))
            events.writelines(f"{_json(record)}\n" for record in _event_records(result))
    write_text(folder / "summary.json", _json(replay_summary(sums), indent=2) + "\n")
    return sums


_STEMS = ("stop_visits", "trips_performed", "headways")


@contextmanager
def _table(folder: Path, stem: str, first: ReplayResult) -> Iterator[_Add]:
    """Take pieces of a table into a CSV and a Parquet file."""
    quotes = "needed" if _has_structure(first) else "none"
    with _csv(folder / f"{stem}.csv", quotes) as text, _parquet(folder / f"{stem}.parquet") as columns:

        def add(table: pa.Table) -> None:
            text(table)
            columns(table)

        yield add


@contextmanager
def _csv(path: Path, quotes: str) -> Iterator[_Add]:
    """Take pieces of a table into a CSV file (RFC 4180 with line feeds, UTF-8), whole or not at all."""
    options = pacsv.WriteOptions(batch_size=BATCH_ROWS, quoting_style=quotes, quoting_header=quotes)
    with atomic_path(path) as part, ExitStack() as stack:
        writers: list[Any] = []

        def add(table: pa.Table) -> None:
            plain = pa.table({name: _plain(table[name]) for name in table.column_names})
            if not writers:
                writers.append(stack.enter_context(pacsv.CSVWriter(part, plain.schema, write_options=options)))
            writers[0].write_table(plain)

        yield add


@contextmanager
def _parquet(path: Path) -> Iterator[_Add]:
    """Take pieces of a table into a Parquet file, whole or not at all."""
    with atomic_path(path) as part, ExitStack() as stack:
        writers: list[Any] = []

        def add(table: pa.Table) -> None:
            if not writers:
                parquet = pq.ParquetWriter(part, table.schema, compression="zstd", store_schema=False)
                writers.append(stack.enter_context(parquet))
            writers[0].write_table(table)

        yield add


def _has_structure(result: ReplayResult) -> bool:
    """Whether some id needs quotes in CSV."""
    table = result.plan.timetable
    ids = (result.vehicles, table.trips.ids, table.trips.block_ids, table.stops.ids, table.patterns.ids)
    return any(_STRUCTURE.search(text) for text in chain(*ids))


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column


@contextmanager
def _lines(path: Path) -> Iterator[TextIO]:
    with atomic_path(path) as part, part.open("w", encoding="utf-8", newline="\n") as stream:
        yield stream


def _json(record: Mapping[str, Any], indent: int | None = None) -> str:
    return json.dumps(record, ensure_ascii=False, allow_nan=False, indent=indent)


def _event_records(result: ReplayResult) -> Iterator[dict[str, Any]]:
    return event_records(result.events, result.plan, result.performed, result.vehicles, result.trip_ids)
