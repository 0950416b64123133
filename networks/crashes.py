"""Crash records: what happened where and when, from files of any usual kind."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from networks.crash_columns import ColumnMap, resolve_columns
from networks.crash_files import CrashTable, read_crash_table
from networks.crash_places import locate
from networks.crash_times import read_times
from networks.faults import InputError, Notice
from networks.network import NONE, FloatArray, IntArray, RoadNetwork

MAX_COUNT_DIGITS = 4
"""More people than these digits hold were in no crash: such a cell holds something else."""

_YES = frozenset({"1", "true", "yes"})

TimeArray = npt.NDArray[np.datetime64]


class Severity(IntEnum):
    """The worst harm in a crash."""

    DAMAGE = 0
    INJURY = 1
    FATAL = 2


@dataclass(frozen=True, slots=True, eq=False)
class Crashes:
    """Crash records, one row each, in the order of the files.

    ``file`` is a position in ``files`` and ``row`` the line there (the record's number where a file has no lines).
    ``time`` is local wall time, NaT where unknown. Where a file gives only a class of severity, ``deaths`` and
    ``injured`` are the least that it allows. ``severely_injured`` are those of the injured that it tells of, NONE where
    no column does. ``at_junction`` is 1 where the police put it at a junction, 0 between two, NONE where nothing tells.
    ``lon``, ``lat``, ``x_m`` and ``y_m`` are NaN where a record has but the names of two streets.
    ``synthetic`` marks what was made up.
    """

    files: tuple[str, ...]
    file: IntArray
    row: IntArray
    time: TimeArray
    lon: FloatArray
    lat: FloatArray
    x_m: FloatArray
    y_m: FloatArray
    deaths: IntArray
    injured: IntArray
    severely_injured: IntArray
    severity: IntArray
    at_junction: IntArray
    type: tuple[str, ...]
    street: tuple[str, ...]
    cross_street: tuple[str, ...]
    parties: tuple[str, ...]
    synthetic: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        """Count of records."""
        return len(self.row)

    def only(self, wanted: npt.NDArray[np.bool_]) -> "Crashes":
        """The records that a mask of shape (records,) picks, in their order."""
        rows = np.flatnonzero(wanted)
        arrays: dict[str, Any] = {name: getattr(self, name)[rows] for name in _ARRAYS}
        texts: dict[str, Any] = {name: tuple(getattr(self, name)[row] for row in rows.tolist()) for name in _TEXTS}
        return Crashes(files=self.files, **arrays, **texts)


def read_crashes(
    paths: Sequence[str | Path], network: RoadNetwork, columns: ColumnMap | None = None
) -> tuple[Crashes, tuple[Notice, ...]]:
    """Read crash files and place their records in a network's plane.

    Parameters
    ----------
    paths
        CSV (plain, ``.gz``, ``.zip``), Parquet or GeoJSON files.
    columns
        What their columns mean; what it leaves open is recognised file by file.

    Returns
    -------
    tuple[Crashes, tuple[Notice, ...]]
        The records that lie within the network, and what was wrong with others or with single values.

    Raises
    ------
    InputError
        CRASH_EMPTY without files; the rest as :func:`networks.crash_files.read_crash_table`,
        :func:`networks.crash_columns.resolve_columns` and :func:`networks.crash_places.locate`.
    """
    if not paths:
        raise InputError("CRASH_EMPTY", "no crash file was given", remedy="Name at least one file of records")
    parts = [_read_one(path, number, network, columns or ColumnMap()) for number, path in enumerate(paths)]
    crashes, repeated = _without_repeats(_joined([str(path) for path in paths], [part for part, _ in parts]))
    return crashes, (*(notice for _, notices in parts for notice in notices), *repeated)


def _read_one(
    path: str | Path, number: int, network: RoadNetwork, given: ColumnMap
) -> tuple[Crashes, tuple[Notice, ...]]:
    table = read_crash_table(path, given)
    columns = resolve_columns(given, table.columns, path)
    places, kept, place_notices = locate(table, columns, network)
    time, time_notices = read_times(table, columns)
    deaths, injured, severity, harm_notices = _harm(table, columns)
    severely, severe_notices = _severely_injured(table, columns)
    rows = np.flatnonzero(kept)
    crashes = Crashes(
        files=(str(path),),
        file=np.full(len(rows), number, dtype=np.int32),
        row=np.array(table.rows, dtype=np.int32)[rows],
        time=time[rows],
        lon=places.lon[rows],
        lat=places.lat[rows],
        x_m=places.x_m[rows],
        y_m=places.y_m[rows],
        deaths=deaths[rows],
        injured=injured[rows],
        severely_injured=severely[rows],
        severity=severity[rows],
        at_junction=_at_junction(table, columns)[rows],
        type=_texts(table, columns.type, rows),
        street=_texts(table, columns.street, rows),
        cross_street=_texts(table, columns.cross_street, rows),
        parties=_parties(table, columns.parties, rows),
        synthetic=np.array([text.casefold() in _YES for text in _texts(table, columns.synthetic, rows)], dtype=bool),
    )
    return crashes, (*table.faults, *place_notices, *time_notices, *harm_notices, *severe_notices)


def _texts(table: CrashTable, column: str | None, rows: npt.NDArray[np.intp]) -> tuple[str, ...]:
    if column is None:
        return ("",) * len(rows)
    texts = table.columns[column]
    return tuple(texts[row] for row in rows.tolist())


def _parties(table: CrashTable, columns: tuple[str, ...], rows: npt.NDArray[np.intp]) -> tuple[str, ...]:
    """Who was in each crash, as ``AUTO 2, MOTO 1``; a column of words instead of counts stands as it is."""
    named = [(name, table.columns[name]) for name in columns]
    return tuple(
        ", ".join(
            f"{name} {cells[row]}" if cells[row].isdecimal() else cells[row]
            for name, cells in named
            if cells[row] not in {"", "0"}
        )
        for row in rows.tolist()
    )


def _harm(table: CrashTable, columns: ColumnMap) -> tuple[IntArray, IntArray, IntArray, tuple[Notice, ...]]:
    """Deaths, injured and the class of severity of each record; a count that cannot be read is taken as none."""
    deaths, death_notices = _counts(table, columns.deaths)
    injured, injury_notices = _counts(table, columns.injured)
    if columns.severity is not None:
        words = [text.casefold() for text in table.columns[columns.severity.column]]
        deaths = np.maximum(deaths, [word in columns.severity.fatal for word in words]).astype(np.int32)
        injured = np.maximum(injured, [word in columns.severity.injury for word in words]).astype(np.int32)
    severity = np.where(deaths > 0, Severity.FATAL, np.where(injured > 0, Severity.INJURY, Severity.DAMAGE))
    return deaths, injured, severity.astype(np.int32), (*death_notices, *injury_notices)


def _severely_injured(table: CrashTable, columns: ColumnMap) -> tuple[IntArray, tuple[Notice, ...]]:
    """People badly hurt in each crash, NONE where no column tells."""
    if columns.severely_injured is None:
        return np.full(len(table.rows), NONE, dtype=np.int32), ()
    return _counts(table, columns.severely_injured)


def _at_junction(table: CrashTable, columns: ColumnMap) -> IntArray:
    """1 where a record's label says junction, 0 where it says between two, else NONE."""
    labels = np.full(len(table.rows), NONE, dtype=np.int32)
    if columns.place is not None:
        words = [text.casefold() for text in table.columns[columns.place.column]]
        labels[[word in columns.place.between for word in words]] = 0
        labels[[word in columns.place.junction for word in words]] = 1
    return labels


def _counts(table: CrashTable, column: str | None) -> tuple[IntArray, tuple[Notice, ...]]:
    counts = np.zeros(len(table.rows), dtype=np.int32)
    if column is None:
        return counts, ()
    faults = []
    for number, text in enumerate(table.columns[column]):
        whole = text.removesuffix(".0")
        if whole.isascii() and whole.isdecimal() and len(whole) <= MAX_COUNT_DIGITS:
            counts[number] = int(whole)
        elif text:
            faults.append(number)
    if not faults:
        return counts, ()
    first = faults[0]
    remedy = "Give a whole number of people; it was taken as none"
    notice = Notice(
        "CRASH_SEVERITY",
        "warning",
        table.file,
        table.rows[first],
        column,
        table.columns[column][first],
        remedy,
        len(faults),
    )
    return counts, (notice,)


def _without_repeats(crashes: Crashes) -> tuple[Crashes, tuple[Notice, ...]]:
    """Records, each once: files overlap, and exports repeat rows.

    One that tells the time of day and agrees in all that is kept of a record with one before is that one again.
    """
    cells = [getattr(crashes, name).tolist() for name in _ARRAYS if name not in {"file", "row", "time"}]
    cells += [getattr(crashes, name) for name in _TEXTS]
    days = crashes.time.astype("datetime64[D]")
    seen: set[tuple[Any, ...]] = set()
    first = np.ones(len(crashes), dtype=bool)
    # what tells only its day may happen twice on it
    for row in np.flatnonzero(~np.isnat(crashes.time) & (crashes.time != days)).tolist():
        key = (crashes.time[row], *(column[row] for column in cells))
        first[row] = key not in seen
        seen.add(key)
    if first.all():
        return crashes, ()
    row = int(np.flatnonzero(~first)[0])
    remedy = "It agrees with a record before it in everything and was counted once"
    file, line, time = crashes.files[crashes.file[row]], int(crashes.row[row]), str(crashes.time[row])
    notice = Notice("CRASH_DUPLICATE", "warning", file, line, "", time, remedy, int((~first).sum()))
    return crashes.only(first), (notice,)


def _joined(files: list[str], parts: list[Crashes]) -> Crashes:
    """All files' records as one; each part knows its file's number already."""

    def array(name: str) -> npt.NDArray[Any]:
        return np.concatenate([getattr(part, name) for part in parts])

    def texts(name: str) -> tuple[str, ...]:
        return tuple(text for part in parts for text in getattr(part, name))

    columns: dict[str, Any] = {name: array(name) for name in _ARRAYS} | {name: texts(name) for name in _TEXTS}
    return Crashes(files=tuple(files), **columns)


_ARRAYS = (
    *("file", "row", "time", "lon", "lat", "x_m", "y_m", "deaths", "injured", "severely_injured", "severity"),
    "at_junction",
    "synthetic",
)
_TEXTS = ("type", "street", "cross_street", "parties")
