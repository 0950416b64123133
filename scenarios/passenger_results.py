"""Tables of passengers and of stops over all runs of a study, for its report."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from gtfs.amenities import AmenityTable, read_amenities
from scenarios.passenger_content import PassengerContent
from scenarios.prepare import Prepared, variant_paying
from scenarios.scenario import Variant
from scenarios.tables import write_csv
from sim.passenger_measures import PassengerMeasures, passenger_measures
from sim.run import Run
from sim.stop_measures import BoardRow, StopMeasures, StopRecord
from sim.transit_plan import TransitPlan, read_plan


def passenger_results(
    variants: Sequence[Variant], prepared: Prepared, runs: Sequence[Run], out_dir: Path
) -> PassengerContent | None:
    """Write ``passengers.csv``, ``stops_runs.csv`` and ``stop_boards.csv``; None where the study has neither.

    Raises
    ------
    InputError
        What is wrong with a table of stops.
    RunError
        RESULT_DAMAGED where the plan is not what was written; WRITE_FAILED.
    """
    told = [variant for variant in variants if variant.fares or variant.stops]
    if prepared.transit is None or not told:
        return None
    plan, by_name = read_plan(prepared.transit), {variant.name: variant for variant in told}
    paths = dict.fromkeys(variant.stops.amenities for variant in told if variant.stops)
    tables = {path: read_amenities(path) for path in paths}
    served = frozenset(plan.calls.stop_ids)
    finished = [run for run in runs if run.transit is not None and run.measures.variant in by_name]
    at_stops = [
        (run.measures, record)
        for run in finished
        for record in _stop_records(plan, run, by_name[run.measures.variant], tables)
    ]
    content = PassengerContent(
        measures=tuple(
            row for run in finished for row in _measures(plan, run, prepared, by_name[run.measures.variant])
        ),
        stop_measures=tuple(record.measures(who.variant, who.seed) for who, record in at_stops),
        boards=tuple(row for who, record in at_stops for row in record.rows(who.variant, who.seed)),
        fares={variant.name: variant.fares for variant in told if variant.fares},
        stops={variant.name: variant.stops for variant in told if variant.stops},
        notices=tuple(notice for table in tables.values() for notice in (*table.notices, *table.strangers(served))),
    )
    if content.fares:
        write_csv(out_dir / "passengers.csv", PassengerMeasures, content.measures)
    if content.stops:
        write_csv(out_dir / "stops_runs.csv", StopMeasures, content.stop_measures)
        write_csv(out_dir / "stop_boards.csv", BoardRow, content.boards)
    return content


def _measures(plan: TransitPlan, run: Run, prepared: Prepared, variant: Variant) -> Iterator[PassengerMeasures]:
    fares = variant_paying(prepared, variant)
    if fares is not None and run.passengers is not None and run.transit is not None:
        yield passenger_measures(plan, run.transit, run.passengers, fares, variant.name, run.measures.seed)


def _stop_records(
    plan: TransitPlan, run: Run, variant: Variant, tables: Mapping[Path, AmenityTable]
) -> Iterator[StopRecord]:
    if variant.stops is not None and run.transit is not None:
        table = tables[variant.stops.amenities]
        yield StopRecord(plan, run.transit, run.passengers, table, variant.stops.features)
