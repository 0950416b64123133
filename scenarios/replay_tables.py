"""Files that a replay leaves for other programs: TIDES tables, headways, events, and a summary in numbers."""

import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from itertools import chain
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from gtfs.clock import local_texts
from gtfs.due_calls import due_calls
from gtfs.headway_table import headways_table
from gtfs.replay_result import ReplayResult
from gtfs.service_events import Event
from gtfs.tides import stop_visits_table, trips_performed_table
from networks.outfile import atomic_path, write_text
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
        events = stack.enter_context(_lines(folder / "events.jsonl"))
        for result in chain([first], parts):
            due = due_calls(result)
            sums.add(result, due)
            visits(stop_visits_table(result, due))
            trips(trips_performed_table(result))
            headways(headways_table(result))
            events.writelines(f"{_json(record)}\n" for record in event_records(result))
    write_text(folder / "summary.json", _json(replay_summary(sums), indent=2) + "\n")
    return sums


_STEMS = ("stop_visits", "trips_performed", "headways")


@contextmanager
def _table(folder: Path, stem: str, first: ReplayResult) -> Iterator[_Add]:
    """Take pieces of a table into a CSV (RFC 4180 with line feeds, UTF-8) and a Parquet file, whole or not at all."""
    quotes = "needed" if _has_structure(first) else "none"
    options = pacsv.WriteOptions(batch_size=BATCH_ROWS, quoting_style=quotes, quoting_header=quotes)
    with (
        atomic_path(folder / f"{stem}.csv") as text,
        atomic_path(folder / f"{stem}.parquet") as columns,
        ExitStack() as stack,
    ):
        writers: list[Any] = []

        def add(table: pa.Table) -> None:
            plain = pa.table({name: _plain(table[name]) for name in table.column_names})
            if not writers:
                writers.append(stack.enter_context(pacsv.CSVWriter(text, plain.schema, write_options=options)))
                parquet = pq.ParquetWriter(columns, table.schema, compression="zstd", store_schema=False)
                writers.append(stack.enter_context(parquet))
            writers[0].write_table(plain)
            writers[1].write_table(table)

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


def event_records(result: ReplayResult) -> Iterator[dict[str, Any]]:
    """Events as plain values that JSON can hold, in their order, times as ISO 8601 in the feed's zone."""
    events, zone = result.events, result.plan.timetable.timezone
    times = _texts([event.time_s for event in events], zone)
    pings = _texts([time_s for event in events for time_s in event.pings_s], zone)
    for event, time in zip(events, times, strict=True):
        yield _event_record(result, event, time, [next(pings) for _ in event.pings_s])


def _texts(times_s: list[float], timezone: str) -> Iterator[str]:
    return (text.decode("ascii") for text in local_texts(np.array(times_s, dtype=np.float64), timezone).tolist())


def _event_record(result: ReplayResult, event: Event, time: str, pings: list[str]) -> dict[str, Any]:
    table, one = result.plan.timetable, result.performed[event.performed]
    return {
        "kind": str(event.kind),
        "time": time,
        "vehicle_id": result.vehicles[one.vehicle],
        "trip_id_performed": result.trip_ids[event.performed],
        "route_id": table.routes.ids[int(table.trip_route[one.trip])],
        "stop_id": None if event.call is None else table.stops.ids[int(table.call_stop[event.call])],
        "value": _known(event.value),
        "threshold": _known(event.threshold),
        "unit": event.unit,
        "rule": event.rule,
        "pings": pings,
        "trip_id_ahead": None if event.other is None else result.trip_ids[event.other],
    }


def _known(value: float) -> float | None:
    """A number to the thousandth, None where there is none."""
    return round(float(value), 3) + 0.0 if math.isfinite(value) else None
