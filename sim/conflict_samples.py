"""SUMO's record of positions (``fcd-output``, as Parquet) as samples for the conflict kernels, a piece at a time."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from networks.faults import RunError
from networks.network import NONE, EdgeKind, RoadNetwork
from sim.track_kernels import Samples

PIECE_ROWS = 150_000
"""Rows that are read at once: a few megabytes, and minutes of a town's traffic."""

NUMBERS = ("timestep_time", "vehicle_pos", "vehicle_speed")
TEXTS = ("vehicle_id", "vehicle_lane", "vehicle_edge")


class SampleReader:
    """Reads a record piece by piece. ``names`` are vehicles and people by their number in the samples."""

    def __init__(self, path: Path, network: RoadNetwork, piece_rows: int = PIECE_ROWS) -> None:
        """Keep what to read."""
        self.path = path
        self.names: list[str] = []
        self.is_person: list[bool] = []
        self._network = network
        self._piece_rows = piece_rows
        self._number: dict[str, int] = {}

    def pieces(self) -> Iterator[Samples]:
        """Samples in the order of the record, by time, all of one time in one piece.

        Raises
        ------
        RunError
            SUMO_OUTPUT where the file is not what SUMO writes.
        """
        rest = joined([])
        try:
            if TEXTS[0] not in pq.read_schema(self.path).names:  # nobody was on the road at any time
                return
            with pq.ParquetFile(self.path, read_dictionary=list(TEXTS)) as file:
                for batch in file.iter_batches(batch_size=self._piece_rows, columns=[*NUMBERS, *TEXTS]):
                    piece = joined([rest, self._samples(batch)])
                    whole = int(np.searchsorted(piece.time_s, piece.time_s[-1:].sum()))
                    rest = Samples._make(column[whole:] for column in piece)
                    yield Samples._make(column[:whole] for column in piece)
        except (OSError, pa.ArrowException) as fault:
            raise RunError("SUMO_OUTPUT", f"positions cannot be read ({fault})", file=self.path) from fault
        yield rest

    def _samples(self, batch: pa.RecordBatch) -> Samples:
        """Rows of a batch; SUMO tells the lane of a vehicle, and of a person the edge alone."""
        names = batch.column(TEXTS[0])
        if names.null_count:  # times at which nobody was there
            batch = batch.filter(names.is_valid())
            names = batch.column(TEXTS[0])
        lane = _meanings(batch.column("vehicle_lane"), self._lane)
        if (walks := lane == NONE).any():
            lane = np.where(walks, _meanings(batch.column("vehicle_edge"), self._first_lane), lane)
        vehicle = self._numbers_of(names, walks)
        time_s, at_m, speed_mps = (_numbers(batch.column(name)) for name in NUMBERS)
        samples = Samples(vehicle, time_s, lane, at_m, speed_mps)
        known = lane != NONE
        return samples if known.all() else Samples._make(column[known] for column in samples)

    def _numbers_of(self, names: pa.DictionaryArray, walks: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
        found = _meanings(names, self._number_of)
        for number in np.unique(found[walks]).tolist():
            self.is_person[number] = True
        return found

    def _number_of(self, name: str) -> int:
        number = self._number.setdefault(name, len(self.names))
        if number == len(self.names):
            self.names.append(name)
            self.is_person.append(False)
        return number

    def _lane(self, name: str) -> int:
        return self._network.lane_index.get(name, NONE)

    def _first_lane(self, name: str) -> int:
        """Lane of a crossing or what leads to it; people on pavements meet nobody who drives."""
        edges, edge = self._network.edges, self._network.edge_index.get(name, NONE)
        walked = (EdgeKind.CROSSING, EdgeKind.WALKINGAREA)
        return int(edges.lane_start[edge]) if edge != NONE and edges.kind[edge] in walked else NONE


def _meanings(column: pa.DictionaryArray, meaning: Callable[[str], int]) -> npt.NDArray[np.int64]:
    """What each text of a column means, asked once for each text; NONE where there is none."""
    meanings = np.array([*(meaning(text) for text in column.dictionary.to_pylist()), NONE], dtype=np.int64)
    indices = column.indices.fill_null(len(meanings) - 1) if column.null_count else column.indices
    return meanings[np.asarray(np.from_dlpack(indices), dtype=np.int64)]


def _numbers(column: pa.Array) -> npt.NDArray[np.float64]:
    return np.asarray(np.from_dlpack(column), dtype=np.float64)


def joined(parts: list[Samples]) -> Samples:
    """Samples one after another; none at all where there are no parts."""
    if not parts:
        whole, real = np.empty(0, dtype=np.int64), np.empty(0)
        return Samples(whole, real, whole, real, real)
    return Samples._make(np.concatenate(columns) for columns in zip(*parts, strict=True))
