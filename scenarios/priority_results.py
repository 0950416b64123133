"""What became of requests for priority, over all runs of a study."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean

from scenarios.signal_content import RequestCount
from scenarios.tables import write_csv
from signals.priority import GRANTED, PriorityRow
from sim.run import Run

OUTCOMES = ("granted", "refused", "not needed", "weighted")


@dataclass(frozen=True, slots=True)
class Requested:
    """A request for priority as a row of ``priority.csv``; columns as in :class:`signals.priority.PriorityRow`."""

    variant: str
    seed: int
    time_s: float
    until_s: float
    junction: str
    vehicle: str
    late_s: float
    kind: str
    outcome: str
    reason: str
    given_s: float


def write_requests(runs: Iterable[Run], out_dir: Path) -> None:
    """Write ``priority.csv``, a row a request.

    Raises
    ------
    RunError
        WRITE_FAILED.
    """
    rows = (Requested(run.measures.variant, run.measures.seed, **asdict(row)) for run in runs for row in run.requests)
    write_csv(out_dir / "priority.csv", Requested, rows)


def request_counts(runs: Sequence[Run]) -> tuple[RequestCount, ...]:
    """Requests of all runs counted by variant, outcome, and what was done or why it was not."""
    groups: dict[tuple[str, str, str], list[PriorityRow]] = {}
    finished: dict[str, int] = {}
    for run in runs:
        finished[run.measures.variant] = finished.get(run.measures.variant, 0) + 1
        for row in run.requests:
            what = row.kind if row.outcome == GRANTED else row.reason
            groups.setdefault((run.measures.variant, row.outcome, what), []).append(row)
    variants = list(finished)
    order = sorted(groups, key=lambda key: (variants.index(key[0]), OUTCOMES.index(key[1]), -len(groups[key]), key[2]))
    return tuple(_count(key, groups[key], finished[key[0]]) for key in order)


def _count(key: tuple[str, str, str], rows: Sequence[PriorityRow], runs: int) -> RequestCount:
    variant, outcome, what = key
    given_s = fmean(row.given_s for row in rows) if outcome == GRANTED else float("nan")
    return RequestCount(variant, outcome, what, len(rows), len(rows) / runs, given_s)
