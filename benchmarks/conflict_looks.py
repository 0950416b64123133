"""Whether a count of conflicts hangs on how often vehicles are looked at: one run, looked at less and less often.

The same drives at each look: what differs is the measure alone. What differs between runs at two lengths of step is
that and what SUMO's drivers do otherwise at another step.
"""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.conflict_counts import counts
from benchmarks.resco import HOUR_S, run_spec
from benchmarks.results import Measurement
from networks.netxml import read_network
from signals.intergreen import Clearance
from sim.conflict_run import ConflictOptions, read_conflicts
from sim.conflicts import Conflict
from sim.engine import run_program
from sim.options import SumoOptions
from sim.outputs import read_trip_rows

STEP_S = 0.1
LOOKS_S = (0.1, 0.5, 1.0)


def looks(folder: Path, name: str, seed: int, looks_s: Sequence[float] = LOOKS_S) -> Iterator[Measurement]:
    """Counts of one run at steps of 0.1 s by the time between two looks."""
    for every_s, found in looked_at(folder, name, seed, looks_s):
        for kind, count in counts(found).items():
            yield Measurement(f"{name}/one run at 0.1 s/look each {every_s:g} s/{kind}", count, "1", seed)


def looked_at(
    folder: Path, name: str, seed: int, looks_s: Sequence[float] = LOOKS_S
) -> Iterator[tuple[float, tuple[Conflict, ...]]]:
    """Conflicts of one run by the time between two looks."""
    spec = run_spec(folder, name, "static", seed, clearance=Clearance.AS_SHIPPED)
    network = read_network(spec.network)
    with tempfile.TemporaryDirectory(prefix="bagdar-") as scratch:
        whole, part, trips = (Path(scratch) / file for file in ("whole.parquet", "part.parquet", "trips.xml"))
        options = SumoOptions(spec.network, spec.routes, spec.begin_s, spec.end_s, seed, STEP_S, tripinfo=trips)
        run_program(replace(options, movements=whole, movements_every_s=STEP_S), None, HOUR_S)
        rows = read_trip_rows(trips)
        for every_s in looks_s:
            _thin(whole, part, round(every_s / STEP_S))
            yield every_s, read_conflicts(part, network, ConflictOptions(), every_s, spec.routes, rows).conflicts


def _thin(whole: Path, part: Path, every: int) -> None:
    """Keep the record of each ``every``-th step."""
    with pq.ParquetFile(whole) as file, pq.ParquetWriter(part, file.schema_arrow) as out:
        for batch in file.iter_batches():
            step = pc.cast(pc.round(pc.divide(batch.column("timestep_time"), STEP_S)), "int64")
            out.write_batch(batch.filter(pc.equal(pc.subtract(step, pc.multiply(pc.divide(step, every), every)), 0)))
