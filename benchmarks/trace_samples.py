"""An agency's pings as the trace kernels take them, repeated as other vehicles; and what the kernels cost."""

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.trace_copies import Agency
from gtfs.adherence import deviations_s
from gtfs.avl import read_pings
from gtfs.crossing_kernels import cross_calls
from gtfs.feed import read_feed
from gtfs.match_kernels import match_pings
from gtfs.pings import Pings
from gtfs.replay import Matched, Replay
from gtfs.trace_kernels import Samples
from gtfs.trace_plan import TracePlan, trace_plan
from gtfs.trace_settings import TraceSettings
from gtfs.trace_state import blank_passage, blank_progress
from networks.network import FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class KernelCost:
    """CPU time (s) of the three kernels on some pings."""

    pings: int
    match_s: float
    cross_s: float
    deviation_s: float


def agency_samples(agency: Agency, data: Path) -> tuple[TracePlan, Samples]:
    """The plan of an agency, and the pings of its trace that are of a trip, by vehicle and time."""
    plan = trace_plan(read_feed(data / agency.feed))
    batches = read_pings([data / agency.trace], agency.columns, plan.timetable.timezone)
    pings, replay = [batch.pings for batch in batches], Replay(plan)
    matched = [*(replay.feed(part).matched for part in pings), replay.close().matched]
    return plan, samples_of(matched, pings, replay.vehicles)


def samples_of(matched: list[Matched], pings: list[Pings], vehicles: list[str]) -> Samples:
    """The pings of trips as kernels take them: what they were found to be, with the headings that they came with."""
    columns = {
        name: np.concatenate([getattr(part, name) for part in matched])
        for name in ("vehicle", "performed", "trip", "time_s", "clock_s", "lon", "lat", "speed_mps")
    }
    order = np.lexsort((columns["time_s"], columns["vehicle"]))
    order = order[columns["performed"][order] >= 0]
    some = {name: np.ascontiguousarray(column[order]) for name, column in columns.items()}
    heading_deg = _headings(some["vehicle"], some["time_s"], pings, vehicles)
    del some["vehicle"]
    return Samples(**some, heading_deg=heading_deg)


def _headings(vehicle: IntArray, time_s: FloatArray, pings: list[Pings], vehicles: list[str]) -> FloatArray:
    """Headings of pings by vehicle and time; of several at one time the first that came."""
    row = {text: number for number, text in enumerate(vehicles)}
    came = [np.array([row[text] for text in part.vehicle.texts])[part.vehicle.codes] for part in pings]
    keys = _keys(np.concatenate(came), np.concatenate([part.time_s for part in pings]))
    distinct, first = np.unique(keys, return_index=True)
    place = np.searchsorted(distinct, _keys(vehicle, time_s))
    found: FloatArray = np.concatenate([part.heading_deg for part in pings])[first[place]]
    return found


def _keys(vehicle: IntArray, time_s: FloatArray) -> FloatArray:
    return vehicle * 1e10 + time_s


def repeated(samples: Samples, pings: int) -> Samples:
    """Copies of pings as other vehicles on the same trips, at least so many."""
    times = -(-pings // len(samples.trip))
    trips = int(samples.performed.max()) + 1
    copy = np.repeat(np.arange(times, dtype=np.int32), len(samples.trip))
    columns = {name: np.tile(getattr(samples, name), times) for name in Samples._fields}
    return Samples(**columns)._replace(performed=columns["performed"] + copy * np.int32(trips))


def kernel_cost(plan: TracePlan, samples: Samples, settings: TraceSettings) -> tuple[KernelCost, FloatArray]:
    """What it costs to find pings on their lines, when they came to calls, and how late they were; the places (m)."""
    pings, trips = len(samples.trip), int(samples.performed.max()) + 1
    way_m, off_m, late_s = np.zeros((3, pings))
    found, limits = np.zeros(pings, np.int8), settings.limits
    progress, passage = blank_progress(trips), blank_passage(trips)
    lines, calls = plan.kernel_lines, plan.kernel_plan
    began_s = time.process_time()
    match_pings(samples, lines, calls, limits, progress, way_m, off_m, found)
    matched_s = time.process_time()
    cross_calls(samples, way_m, found, lines, calls, limits, passage, progress)
    crossed_s = time.process_time()
    deviations_s(plan.calls, samples.trip, way_m, samples.clock_s, settings.zone_m, late_s)
    done_s = time.process_time()
    return KernelCost(pings, matched_s - began_s, crossed_s - matched_s, done_s - crossed_s), way_m
