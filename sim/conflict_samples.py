"""SUMO's record of positions (``fcd-output``, as Parquet) as samples for the conflict kernels, a piece at a time."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from networks.faults import RunError
from networks.network import NONE, RoadNetwork
from sim.conflict_kernels import Samples

PIECE_ROWS = 400_000
"""Rows that are read at once: some ten megabytes, and minutes of a town's traffic."""

KINDS = ("vehicle", "person")


class SampleReader:
    """Reads a record piece by piece. ``names`` are vehicles and people by their number in the samples."""

    def __init__(self, path: Path, network: RoadNetwork, piece_rows: int = PIECE_ROWS) -> None:
        """Keep what to read."""
        self.path = path
        self.names: list[str] = []
        self.is_person: list[bool] = []
        self._network = network
        self._piece_rows = piece_rows
        self._number: dict[tuple[str, str], int] = {}

    def pieces(self) -> Iterator[Samples]:
        """Samples in the order of the record, by time, all of one time in one piece.

        Raises
        ------
        RunError
            SUMO_OUTPUT where the file is not what SUMO writes.
        """
        try:
            with pq.ParquetFile(self.path, read_dictionary=_texts(self.path)) as file:
                kinds = [kind for kind in KINDS if f"{kind}_id" in file.schema_arrow.names]
                wanted = ["timestep_time", *(name for kind in kinds for name in _columns(file, kind))]
                rest = joined([])
                for batch in file.iter_batches(batch_size=self._piece_rows, columns=wanted):
                    piece = joined([rest, _joined([self._samples(batch, kind) for kind in kinds])])
                    whole = int(np.searchsorted(piece.time_s, piece.time_s[-1:].sum()))
                    rest = Samples._make(column[whole:] for column in piece)
                    yield Samples._make(column[:whole] for column in piece)
                yield rest
        except (OSError, pa.ArrowException) as fault:
            raise RunError("SUMO_OUTPUT", f"positions cannot be read ({fault})", file=self.path) from fault

    def _samples(self, batch: pa.RecordBatch, kind: str) -> Samples:
        names = batch.column(f"{kind}_id")
        if names.null_count:
            batch = batch.filter(names.is_valid())
            names = batch.column(f"{kind}_id")
        place = f"{kind}_lane" if f"{kind}_lane" in batch.schema.names else f"{kind}_edge"
        vehicle = _meanings(names, lambda name: self._number_of(kind, name))
        lane = _meanings(batch.column(place), self._lane if place.endswith("lane") else self._first_lane)
        numbers = [_numbers(batch.column(name)) for name in ("timestep_time", f"{kind}_pos", f"{kind}_speed")]
        samples = Samples(vehicle, numbers[0], lane, numbers[1], numbers[2])
        known = lane != NONE
        return samples if known.all() else Samples._make(column[known] for column in samples)

    def _number_of(self, kind: str, name: str) -> int:
        number = self._number.setdefault((kind, name), len(self.names))
        if number == len(self.names):
            self.names.append(name)
            self.is_person.append(kind == "person")
        return number

    def _lane(self, name: str) -> int:
        return self._network.lane_index.get(name, NONE)

    def _first_lane(self, name: str) -> int:
        edge = self._network.edge_index.get(name, NONE)
        return NONE if edge == NONE else int(self._network.edges.lane_start[edge])


def _texts(path: Path) -> list[str]:
    """Columns of texts, which are read as numbers of entries in a dictionary."""
    with pq.ParquetFile(path) as file:
        return [name for kind in KINDS for name in _columns(file, kind) if name.endswith(("_id", "_lane", "_edge"))]


def _columns(file: pq.ParquetFile, kind: str) -> list[str]:
    place = f"{kind}_lane" if f"{kind}_lane" in file.schema_arrow.names else f"{kind}_edge"
    names = [f"{kind}_id", place, f"{kind}_pos", f"{kind}_speed"]
    return [name for name in names if name in file.schema_arrow.names]


def _meanings(column: pa.DictionaryArray, meaning: Callable[[str], int]) -> npt.NDArray[np.int64]:
    """What each text of a column means, asked once for each text."""
    meanings = np.array([meaning(text) for text in column.dictionary.to_pylist()], dtype=np.int64)
    return meanings[np.asarray(np.from_dlpack(column.indices), dtype=np.int64)]


def _numbers(column: pa.Array) -> npt.NDArray[np.float64]:
    return np.asarray(np.from_dlpack(column), dtype=np.float64)


def _joined(parts: list[Samples]) -> Samples:
    """Samples of several kinds in order of time."""
    if len(parts) == 1:
        return parts[0]
    whole = joined(parts)
    order = np.argsort(whole.time_s, kind="stable")
    return Samples._make(column[order] for column in whole)


def joined(parts: list[Samples]) -> Samples:
    """Samples one after another; none at all where there are no parts."""
    if not parts:
        whole, real = np.empty(0, dtype=np.int64), np.empty(0)
        return Samples(whole, real, whole, real, real)
    return Samples._make(np.concatenate(columns) for columns in zip(*parts, strict=True))
