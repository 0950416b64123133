"""Files that a replay leaves for other programs: TIDES tables, headways, events, and a summary in numbers."""

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from gtfs.clock import local_texts
from gtfs.due_calls import DueCalls
from gtfs.headway_table import headways_table
from gtfs.replay_result import ReplayResult
from gtfs.service_events import Event
from gtfs.tides import stop_visits_table, trips_performed_table
from networks.outfile import atomic_path, write_text
from scenarios.replay_summary import replay_summary

BATCH_ROWS = 65_536


def write_tables(result: ReplayResult, due: DueCalls, folder: Path) -> list[Path]:
    """Write every table into a folder; give their paths.

    Raises
    ------
    RunError
        WRITE_FAILED; no file then stands under the final name.
    """
    written = []
    for stem, table in (
        ("stop_visits", stop_visits_table(result, due)),
        ("trips_performed", trips_performed_table(result)),
    ):
        written += [write_arrow_csv(folder / f"{stem}.csv", table), _write_parquet(folder / f"{stem}.parquet", table)]
    written.append(write_arrow_csv(folder / "headways.csv", headways_table(result)))
    written.append(_write_lines(folder / "events.jsonl", event_records(result)))
    written.append(_write_json(folder / "summary.json", replay_summary(result, due)))
    return written


def write_arrow_csv(path: Path, table: pa.Table) -> Path:
    """Write a table as CSV (RFC 4180 with line feeds, UTF-8), header first; quotes only if some text needs them.

    Raises
    ------
    RunError
        WRITE_FAILED; no file then stands under the final name.
    """
    plain = pa.table({name: _plain(table[name]) for name in table.column_names})
    with atomic_path(path) as part:
        try:
            pacsv.write_csv(plain, part, _csv_options("none"))
        except pa.ArrowInvalid:
            pacsv.write_csv(plain, part, _csv_options("needed"))
    return path


def _csv_options(quotes: str) -> pacsv.WriteOptions:
    return pacsv.WriteOptions(batch_size=BATCH_ROWS, quoting_style=quotes, quoting_header=quotes)


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column


def _write_parquet(path: Path, table: pa.Table) -> Path:
    with atomic_path(path) as part:
        pq.write_table(table, part, compression="zstd", store_schema=False)
    return path


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


def _write_lines(path: Path, records: Iterator[dict[str, Any]]) -> Path:
    write_text(path, "".join(f"{json.dumps(row, ensure_ascii=False, allow_nan=False)}\n" for row in records))
    return path


def _write_json(path: Path, summary: Mapping[str, Any]) -> Path:
    write_text(path, json.dumps(summary, ensure_ascii=False, allow_nan=False, indent=2) + "\n")
    return path
