"""From a file of positions to written stop visits, by the functions that ``bagdar replay`` uses; called in a child."""

import time
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow.parquet as pq

from gtfs.avl import read_pings
from gtfs.avl_columns import ColumnMap, read_column_map
from gtfs.due_calls import due_calls
from gtfs.feed import read_feed
from gtfs.on_time import ON_TIME_RULES
from gtfs.tides import stop_visits_table
from gtfs.trace_plan import TracePlan, trace_plan
from networks.outfile import atomic_path
from scenarios.replay_session import Session, results, runs_of_days
from scenarios.replay_tables import write_tables


def replayed(feed: str, map_path: str, warm_up: str, trace: str, tables: str) -> dict[str, float]:
    """Replay a trace against a feed: CPU time (s) of reading and matching, and of writing; counts of what there was.

    Parameters
    ----------
    warm_up
        A short trace that is replayed first, so that kernels are there and the feed is indexed.
    tables
        "visits": stop visits as Parquet alone; "all": every table that users get.
    """
    plan, columns = trace_plan(read_feed(feed)), read_column_map(map_path)
    _replayed(plan, columns, warm_up, tables)
    return _replayed(plan, columns, trace, tables)


def _replayed(plan: TracePlan, columns: ColumnMap, trace: str, tables: str) -> dict[str, float]:
    with TemporaryDirectory(prefix="bagdar-") as folder:
        began_s = time.process_time()
        session = Session(plan, ON_TIME_RULES["default"], Path(folder))
        for batch in read_pings([trace], columns, plan.timetable.timezone):
            session.take(batch)
        session.close()
        taken_s = time.process_time()
        visits = _write_visits(session, Path(folder)) if tables == "visits" else _write_all(session, Path(folder))
        written_s = time.process_time()
    return {
        "take_s": taken_s - began_s,
        "write_s": written_s - taken_s,
        "pings": session.replay.pings,
        "performed": session.replay.trips.count,
        "visits": visits,
    }


def _write_visits(session: Session, folder: Path) -> int:
    writer, rows = None, 0
    with atomic_path(folder / "stop_visits.parquet") as path:
        for result in results(session, runs_of_days(session)):
            table = stop_visits_table(result, due_calls(result))
            writer = writer or pq.ParquetWriter(path, table.schema, compression="zstd", store_schema=False)
            writer.write_table(table)
            rows += len(table)
        if writer is not None:
            writer.close()
    return rows


def _write_all(session: Session, folder: Path) -> int:
    write_tables(results(session, runs_of_days(session)), folder)
    return int(pq.read_metadata(folder / "stop_visits.parquet").num_rows)
