"""Long traces out of short ones: an agency's pings on other days and as other vehicles, in the order of their arrival.

Days are moved by whole days and only between two changes of the clocks, so that a copy lies on its day as the trace
lies on its own. A copy in the same hours is of another vehicle.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from gtfs.avl_columns import TEXTS, TIMES, ColumnMap, read_column_map
from networks.outfile import atomic_path

DAY_S = 86_400
MAPS = Path(__file__).parents[1] / "docs" / "columns"


@dataclass(frozen=True, slots=True)
class Agency:
    """A feed and a trace in the folder of real data.

    Attributes
    ----------
    shifts
        By how many days its copies are moved; the step is as long as the trace, so that no two meet.
    fleet
        As how many vehicles each is copied to a day.
    """

    name: str
    shifts: range
    fleet: int

    @property
    def feed(self) -> str:
        """Its timetable."""
        return f"{self.name}/gtfs.zip"

    @property
    def trace(self) -> str:
        """Its vehicle positions."""
        return f"{self.name}/vehicle_positions.csv.gz"

    @property
    def columns(self) -> ColumnMap:
        """What the columns of the trace mean; its copies keep their names."""
        return read_column_map(self.map_path)

    @property
    def map_path(self) -> Path:
        """The file that says so."""
        return MAPS / f"{self.name}.toml"


AGENCIES = (
    # 13 to 15 January 2026, clocks change on 2 November and 8 March
    Agency("kingston", range(-69, 49, 3), 11),
    # 16 February 2026
    Agency("washington", range(-104, 20), 4),
)


def read_trace(path: Path, columns: ColumnMap) -> pa.Table:
    """The mapped columns of a trace in CSV, ids and dates as texts."""
    texts = {columns.columns[word]: pa.string() for word in TEXTS if word in columns.columns}
    wanted = sorted(set(columns.columns.values()))
    options = pacsv.ConvertOptions(column_types=texts, include_columns=wanted, strings_can_be_null=True)
    return pacsv.read_csv(path, convert_options=options)


def copies(trace: pa.Table, columns: ColumnMap, shifts: Sequence[int], fleet: int) -> Iterator[pa.Table]:
    """Copies of a trace, a table for each day (UTC) in their order, pings there in order of arrival."""
    name = columns.columns.get("feed_timestamp", columns.columns["event_timestamp"])
    day = trace[name].to_numpy() // DAY_S
    own = {int(each): trace.filter(pa.array(day == each)) for each in np.unique(day)}
    for wanted in sorted({each + shift for each in own for shift in shifts}):
        parts = [
            moved(own[wanted - shift], columns, shift, f"-{number}")
            for shift in shifts
            if wanted - shift in own
            for number in range(fleet)
        ]
        whole = pa.concat_tables(parts)
        yield whole.take(np.argsort(whole[name].to_numpy(), kind="stable"))


def moved(trace: pa.Table, columns: ColumnMap, days: int, suffix: str) -> pa.Table:
    """A trace so many days later, its vehicles with a suffix."""
    change: dict[str, Callable[[pa.ChunkedArray], pa.Array]] = {
        columns.columns[word]: partial(pc.add, days * DAY_S) for word in TIMES if word in columns.columns
    }
    change[columns.columns["vehicle_id"]] = lambda ids: pc.binary_join_element_wise(ids, suffix, "")
    if "service_date" in columns.columns:
        change[columns.columns["service_date"]] = lambda dates: _later(dates, days)
    return pa.table({name: change[name](trace[name]) if name in change else trace[name] for name in trace.column_names})


def _later(dates: pa.ChunkedArray, days: int) -> pa.Array:
    """Dates as GTFS writes them, so many days later."""
    coded = dates.combine_chunks().dictionary_encode()
    texts = [
        f"{datetime.strptime(text, '%Y%m%d').replace(tzinfo=UTC) + timedelta(days):%Y%m%d}"
        for text in coded.dictionary.to_pylist()
    ]
    return pc.take(pa.array(texts, pa.string()), coded.indices)


def write_copies(agency: Agency, data: Path, path: Path, pings: int) -> None:
    """Write the first so many pings of an agency's copies as Parquet, or as CSV by the name's ending; once."""
    if path.exists():
        return
    columns, left = agency.columns, pings
    trace = read_trace(data / agency.trace, columns)
    with atomic_path(path) as part, _writer(part, path.suffix, trace.schema) as writer:
        for day in copies(trace, columns, agency.shifts, agency.fleet):
            writer.write_table(day.slice(0, left))
            left -= min(left, len(day))
            if not left:
                return
    raise ValueError(f"{agency.name} has {pings - left} pings in all its copies")


def _writer(path: Path, suffix: str, schema: pa.Schema) -> pq.ParquetWriter | pacsv.CSVWriter:
    return pacsv.CSVWriter(path, schema) if suffix == ".csv" else pq.ParquetWriter(path, schema, compression="zstd")
