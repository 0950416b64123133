"""Traffic counts from a CSV file: how many vehicles entered a street, or turned from one into another, and when."""

import csv
import io
import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from networks.faults import InputError
from networks.geometry import from_lonlat
from networks.intake import open_bytes
from networks.network import NONE, RoadNetwork
from networks.spatial import nearest_edges
from sim.times import clock_text, parse_time_s
from sim.trips import VEHICLE_CLASS

MAX_FILE_BYTES = 256 * 1024**2
POINT_REACH_M = 30.0
"""A counter given by its position stands at most this far from the middle of its carriageway."""

_NEEDED = ("begin", "end", "count")
_OPTIONAL = ("edge", "lon", "lat", "to_edge")
_REMEDY = "Columns: edge (or lon,lat), begin, end, count and, for turns, to_edge; times as HH:MM:SS or seconds"

Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class Count:
    """Vehicles counted in [begin_s, end_s) on an edge, or turning from it into ``to_edge`` (network rows).

    ``to_edge`` is NONE where the whole edge was counted; ``line`` is the record's line in the file.
    """

    line: int
    edge: int
    to_edge: int
    begin_s: float
    end_s: float
    count: float


def read_counts(path: str | Path, network: RoadNetwork) -> tuple[Count, ...]:
    """Read a count file, plain, ``.gz`` or ``.zip``, in UTF-8.

    A position (lon, lat) means the nearest carriageway: it tells directions apart where they are drawn apart.

    Raises
    ------
    InputError
        FILE_MISSING, ZIP_*; CSV_ENCODING; COUNT_ROW (a missing column or field, a time or number that is none, periods
        that overlap in part, a count that stands twice), COUNT_EDGE (not in the network, closed to cars, no street near
        the position, a turn that cars cannot make), each with its line.
    """
    reader = _Reader(Path(path), network)
    rows = list(reader.rows())
    near = reader.nearest_edges(rows)
    counts = [reader.count(line, row, near) for line, row in rows]
    if not counts:
        raise reader.broken(1, "there is no count in it")
    reader.refuse_repeats(counts)
    reader.refuse_overlaps(counts)
    return tuple(counts)


class _Reader:
    """A count file being read against a network."""

    def __init__(self, path: Path, network: RoadNetwork) -> None:
        self.path, self.network = path, network
        self.open_to_cars = network.edges_for(VEHICLE_CLASS)
        steps = zip(network.connection_from_edge.tolist(), network.connection_to_edge.tolist(), strict=True)
        self.turns = set(steps)

    def broken(self, line: int, what: str, field: str | None = None) -> InputError:
        return InputError("COUNT_ROW", what, file=self.path, row=line, field=field, remedy=_REMEDY)

    def nowhere(self, line: int, what: str, field: str) -> InputError:
        remedy = "Use this network's edge ids, or lon and lat on the carriageway"
        return InputError("COUNT_EDGE", what, file=self.path, row=line, field=field, remedy=remedy)

    def rows(self) -> Iterator[tuple[int, Row]]:
        """Records with their lines; blank lines are passed over."""
        reader = csv.reader(io.StringIO(self._text(), newline=""), strict=True)
        try:
            header = [name.strip() for name in next(reader, [])]
            self._check_header(header)
            for fields in reader:
                if fields and len(fields) != len(header):
                    raise self.broken(reader.line_num, f"{len(fields)} fields, the header has {len(header)}")
                if fields:
                    yield reader.line_num, {name: text.strip() for name, text in zip(header, fields, strict=True)}
        except csv.Error as fault:
            raise self.broken(reader.line_num, f"no CSV ({fault})") from fault

    def _text(self) -> str:
        with open_bytes(self.path, MAX_FILE_BYTES) as stream:
            data = stream.read()
        try:
            return data.decode("utf-8-sig")
        except UnicodeDecodeError as fault:
            line = data[: fault.start].count(b"\n") + 1
            remedy = "Save it as UTF-8"
            raise InputError("CSV_ENCODING", "it is not UTF-8 text", file=self.path, row=line, remedy=remedy) from fault

    def _check_header(self, header: list[str]) -> None:
        missing = [name for name in _NEEDED if name not in header]
        if "edge" not in header and not {"lon", "lat"} <= set(header):
            missing.append("edge")
        if missing:
            raise self.broken(1, f"no column {', '.join(missing)}")
        unknown = [name for name in header if name not in _NEEDED + _OPTIONAL]
        if unknown or len(set(header)) < len(header):
            raise self.broken(1, f"unknown or doubled columns among {', '.join(header)}")

    def count(self, line: int, row: Row, near: dict[int, int]) -> Count:
        begin_s, end_s = self._time_s(line, row, "begin"), self._time_s(line, row, "end")
        if end_s <= begin_s:
            raise self.broken(line, f"the period ends at {clock_text(end_s)}, not after its begin", "end")
        number = self._number(line, row, "count")
        if number < 0:
            raise self.broken(line, f"{number:g} vehicles", "count")
        edge = self._edge(line, row, "edge") if row.get("edge") else near[line]
        return Count(line, edge, self._turn(line, row, edge), begin_s, end_s, number)

    def _time_s(self, line: int, row: Row, field: str) -> float:
        try:
            return parse_time_s(row[field])
        except ValueError as fault:
            raise self.broken(line, str(fault), field) from fault

    def _number(self, line: int, row: Row, field: str) -> float:
        text = row.get(field, "")
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise self.broken(line, f"{text!r} is no number", field)
        return number

    def _edge(self, line: int, row: Row, field: str) -> int:
        edge = self.network.edge_index.get(row[field], NONE)
        if edge == NONE or not self.open_to_cars[edge]:
            why = "is not in the network" if edge == NONE else "is closed to cars"
            raise self.nowhere(line, f"edge {row[field]!r} {why}", field)
        return edge

    def nearest_edges(self, rows: list[tuple[int, Row]]) -> dict[int, int]:
        """Edge by line, for the records that name a position in place of an edge."""
        points = {
            line: (self._number(line, row, "lon"), self._number(line, row, "lat"))
            for line, row in rows
            if not row.get("edge")
        }
        if not points:
            return {}
        points_m = from_lonlat(self.network.location, list(points.values()))
        found, _ = nearest_edges(self.network, points_m, POINT_REACH_M, VEHICLE_CLASS)
        near = dict(zip(points, found.tolist(), strict=True))
        for line, edge in near.items():
            if edge == NONE:
                what = f"no street for cars within {POINT_REACH_M:g} m of {points[line][0]:g}, {points[line][1]:g}"
                raise self.nowhere(line, what, "lon")
        return near

    def _turn(self, line: int, row: Row, edge: int) -> int:
        if not row.get("to_edge"):
            return NONE
        to_edge = self._edge(line, row, "to_edge")
        if (edge, to_edge) not in self.turns:
            ids = self.network.edges.ids
            raise self.nowhere(line, f"no turn leads from edge {ids[edge]!r} into {ids[to_edge]!r}", "to_edge")
        return to_edge

    def refuse_repeats(self, counts: list[Count]) -> None:
        """The same count twice is a mistake in the file: neither their sum nor their mean is meant."""
        first: dict[tuple[int, int, float, float], int] = {}
        for item in counts:
            line = first.setdefault((item.edge, item.to_edge, item.begin_s, item.end_s), item.line)
            if line != item.line:
                raise self.broken(item.line, f"line {line} counts the same street in the same period")

    def refuse_overlaps(self, counts: list[Count]) -> None:
        """Periods are solved one by one, so they are equal or apart."""
        periods = sorted({(item.begin_s, item.end_s): item for item in reversed(counts)}.items())
        for ((_, end_s), before), ((begin_s, _), after) in pairwise(periods):
            if begin_s < end_s:
                line, other = max(before.line, after.line), min(before.line, after.line)
                raise self.broken(line, f"its period overlaps in part with that of line {other}", "begin")
