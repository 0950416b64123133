"""SUMO's record of positions (``fcd-output``, as Parquet) read back onto the edges of routes.

It tells the lane that a vehicle is on, not where in its route that is: each route is followed forward.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from networks.faults import RunError
from networks.network import NONE, FloatArray, IntArray, RoadNetwork
from sim.detectors import Detectors
from sim.kernels import rows_of_routes
from sim.transit_plan import TransitPlan


def read_positions(path: Path, plan: TransitPlan, network: RoadNetwork, detectors: Detectors) -> None:
    """Hand the positions of timetabled vehicles to detectors, time after time.

    Raises
    ------
    RunError
        SUMO_OUTPUT where the file is not what SUMO writes.
    """
    table = _read(path)
    if table is None:
        return
    ways = plan.ways
    time_s, at_m = _numbers(table["timestep_time"]), _numbers(table["vehicle_pos"])
    # a user's own vehicles may be recorded too
    vehicle = _meanings(table["vehicle_id"], lambda name: detectors.row_of.get(name, NONE))
    place = _meanings(table["vehicle_lane"], lambda lane: _place(network, lane))
    is_inside = _meanings(table["vehicle_lane"], _is_inside).astype(np.bool_)
    row: IntArray = np.empty(len(vehicle), dtype=np.int32)
    junctions = network.edges.to_junction[ways.edges]
    rows_of_routes(vehicle, place, is_inside, at_m, ways.start, ways.edges, junctions, row)
    found = np.flatnonzero(row != NONE)
    for rows in np.split(found, np.flatnonzero(np.diff(time_s[found])) + 1):
        if len(rows):
            who = vehicle[rows]
            detectors.take(float(time_s[rows[0]]), who, row[rows] - ways.start[who], at_m[rows], is_inside[rows])


def _read(path: Path) -> pa.Table | None:
    """The rows of vehicles; None where nobody was on the road at any time, since then there are no columns for them."""
    try:
        with pq.ParquetFile(path) as file:
            table = file.read()
    except (OSError, pa.ArrowException) as fault:
        raise RunError("SUMO_OUTPUT", f"positions cannot be read ({fault})", file=path) from fault
    return table.drop_null() if "vehicle_id" in table.column_names else None


def _numbers(column: pa.ChunkedArray) -> FloatArray:
    return np.asarray(np.from_dlpack(column.combine_chunks()), dtype=np.float64)


def _meanings(column: pa.ChunkedArray, meaning: Callable[[str], int]) -> IntArray:
    """What each text of a column means, asked once for each text."""
    texts = column.combine_chunks().dictionary_encode()
    meanings: IntArray = np.array([meaning(text) for text in texts.dictionary.to_pylist()], dtype=np.int32)
    return meanings[np.asarray(np.from_dlpack(texts.indices), dtype=np.int32)]


def _is_inside(lane: str) -> bool:
    """Whether a lane lies inside a junction, by its name."""
    return lane.startswith(":")


def _place(network: RoadNetwork, lane: str) -> int:
    """Row of the edge of a lane, or of the junction that it lies in."""
    if _is_inside(lane):
        return network.junction_index.get(lane[1:].rsplit("_", 2)[0], NONE)
    return network.edge_index.get(lane.rpartition("_")[0], NONE)
