"""Tables of timetabled vehicles over all runs of a study, and what its report tells of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gtfs.on_time import parse_on_time
from networks.faults import Notice
from scenarios.scenario import TransitSource
from scenarios.tables import read_csv, write_csv
from scenarios.transit_content import TransitContent
from sim.run import Run
from sim.transit_account import PatternRow
from sim.transit_plan import read_plan
from sim.transit_run import TransitRun
from sim.transit_tables import (
    HeadwayRow,
    StopVisit,
    TransitMeasures,
    TripRow,
    headway_rows,
    stop_visits,
    transit_measures,
    trip_rows,
)


@dataclass(frozen=True, slots=True)
class _Told:
    """What a finished run tells of its vehicles."""

    variant: str
    seed: int
    run: TransitRun


def transit_results(source: TransitSource, folder: Path, runs: Sequence[Run], out_dir: Path) -> TransitContent:
    """Write ``stop_visits.csv``, ``trips.csv``, ``headways.csv`` and ``transit_runs.csv``; give what a report tells.

    Parameters
    ----------
    folder
        Where the timetable was imported to.

    Raises
    ------
    RunError
        RESULT_DAMAGED where the plan is not what was written; WRITE_FAILED.
    """
    plan, rule = read_plan(folder), parse_on_time(source.on_time)
    told = [_Told(run.measures.variant, run.measures.seed, run.transit) for run in runs if run.transit is not None]
    content = TransitContent(
        feed=source.feed.name,
        service_date=plan.service_date.isoformat(),
        on_time=rule.name,
        is_synthetic=source.is_synthetic,
        patterns=read_csv(folder / "patterns.csv", PatternRow),
        measures=tuple(transit_measures(plan, one.run, one.variant, one.seed, rule) for one in told),
        visits=tuple(row for one in told for row in stop_visits(plan, one.run, one.variant, one.seed, rule)),
        headways=tuple(row for one in told for row in headway_rows(plan, one.run, one.variant, one.seed)),
        plan=plan,
        traces={one.variant: (one.seed, one.run) for one in reversed(told)},
        dwell_s=source.dwell_s,
        notices=read_csv(folder / "notices.csv", Notice),
    )
    trips = (row for one in told for row in trip_rows(plan, one.run, one.variant, one.seed))
    write_csv(out_dir / "trips.csv", TripRow, trips)
    write_csv(out_dir / "stop_visits.csv", StopVisit, content.visits)
    write_csv(out_dir / "headways.csv", HeadwayRow, content.headways)
    write_csv(out_dir / "transit_runs.csv", TransitMeasures, content.measures)
    return content
