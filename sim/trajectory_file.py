"""Trajectories as SSAM reads them (``.trj``, version 1.04 of the Surrogate Safety Assessment Model's format).

Accelerations are differences of speeds between two samples of the same vehicle. Records are little-endian and packed:
format, dimensions, then for each time its records of vehicles.
"""

import struct
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np

from networks.network import FloatArray, RoadNetwork
from sim.conflicts import Party
from sim.lane_points import points_on_lanes
from sim.track_kernels import Samples

VERSION = 1.04
FORMAT, DIMENSIONS, TIMESTEP, VEHICLE = range(4)
METRIC = 1

VEHICLE_RECORD = np.dtype(
    [
        ("kind", "u1"),
        ("vehicle", "<i4"),
        ("link", "<i4"),
        ("lane", "u1"),
        *(
            (name, "<f4")
            for name in ("front_x", "front_y", "rear_x", "rear_y", "length", "width", "speed", "acceleration")
        ),
    ]
)


class TrajectoryFile:
    """Writes samples as they come. ``link`` is the row of an edge in the network, ``lane`` counts from 1."""

    def __init__(self, stream: BinaryIO, network: RoadNetwork) -> None:
        """Write the head."""
        self._stream, self._network = stream, network
        self._last_s, self._last_mps = np.empty(0), np.empty(0)
        west, south, east, north = network.location.bounds_m
        edges = np.floor([west, south]).astype(int), np.ceil([east, north]).astype(int)
        stream.write(struct.pack("<Bcf", FORMAT, b"L", VERSION))
        stream.write(struct.pack("<Bbf4i", DIMENSIONS, METRIC, 1.0, *edges[0].tolist(), *edges[1].tolist()))

    def take(self, samples: Samples, who: Sequence[Party]) -> None:
        """Write the next samples, in order of time."""
        if not len(samples.time_s):
            return
        records = self._records(samples, who)
        begins = np.flatnonzero(np.diff(samples.time_s, prepend=np.nan) != 0)
        for begin, end in zip(begins, [*begins[1:], len(records)], strict=True):
            self._stream.write(struct.pack("<Bf", TIMESTEP, samples.time_s[begin]))
            self._stream.write(records[begin:end].tobytes())

    def _records(self, samples: Samples, who: Sequence[Party]) -> np.ndarray[tuple[int], np.dtype[np.void]]:
        network, lane, vehicle = self._network, samples.lane, samples.vehicle
        points = points_on_lanes(
            lane, samples.at_m, network.lanes.shape_start, network.lanes.shape_m, network.lanes.length_m
        )
        length_m = np.array([party.size.length_m for party in who])[vehicle]
        records = np.zeros(len(lane), dtype=VEHICLE_RECORD)
        records["kind"], records["vehicle"], records["link"] = VEHICLE, vehicle, network.lanes.edge[lane]
        records["lane"] = np.minimum(lane - network.edges.lane_start[network.lanes.edge[lane]] + 1, 255)
        records["front_x"], records["front_y"] = points[:, 0], points[:, 1]
        records["rear_x"] = points[:, 0] - length_m * points[:, 2]
        records["rear_y"] = points[:, 1] - length_m * points[:, 3]
        records["length"], records["width"] = length_m, np.array([party.size.width_m for party in who])[vehicle]
        records["speed"], records["acceleration"] = samples.speed_mps, self._accelerations(samples, len(who))
        return records

    def _accelerations(self, samples: Samples, vehicles: int) -> FloatArray:
        """Change of speed since the sample before over the time between; zero for a vehicle's first one."""
        new = np.full(vehicles - len(self._last_s), np.nan)
        self._last_s, self._last_mps = np.append(self._last_s, new), np.append(self._last_mps, new)
        order = np.argsort(samples.vehicle, kind="stable")
        vehicle, time_s, speed_mps = samples.vehicle[order], samples.time_s[order], samples.speed_mps[order]
        first = np.diff(vehicle, prepend=-1) != 0
        before_s = np.where(first, self._last_s[vehicle], np.roll(time_s, 1))
        before_mps = np.where(first, self._last_mps[vehicle], np.roll(speed_mps, 1))
        last = np.diff(vehicle, append=-1) != 0
        self._last_s[vehicle[last]], self._last_mps[vehicle[last]] = time_s[last], speed_mps[last]
        found = np.empty(len(order))
        found[order] = np.nan_to_num((speed_mps - before_mps) / (time_s - before_s))
        return found


def trajectory_path(folder: Path, variant: str, seed: int) -> Path:
    """Where the trajectories of a run are kept."""
    words = "".join(letter if letter.isalnum() else "-" for letter in variant)[:40]
    return folder / f"{words}-{seed}.trj"
