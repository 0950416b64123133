"""Tables of the signals over all runs of a study, and what its report tells of them."""

from collections.abc import Sequence
from pathlib import Path

from networks.network import RoadNetwork
from scenarios.compare import FINISHED
from scenarios.signal_content import (
    CycleRow,
    ModeRow,
    MovementRow,
    RefusalRow,
    SignalContent,
    cycle_rows,
    first_traces,
    mode_rows,
    movement_rows,
    refusal_rows,
)
from scenarios.tables import write_csv, write_parquet
from sim.run import Run
from sim.signal_measures import MovementMeasures
from sim.signal_record import measured_movements


def signal_results(
    network: RoadNetwork, signals: Sequence[str], period_s: tuple[float, float], runs: Sequence[Run], out_dir: Path
) -> SignalContent:
    """Write ``movements``, ``signal_cycles``, ``mode_delay`` and ``refusal_counts``; give what a report tells.

    Parameters
    ----------
    signals
        Ids of the signals that were measured, in their order.
    period_s
        Begin and end of the simulation.

    Raises
    ------
    RunError
        WRITE_FAILED.
    """
    told = [run.signals for run in runs if run.measures.status == FINISHED and run.signals is not None]
    measured = [row for one in told for row in one.movements]
    content = SignalContent(
        begin_s=period_s[0],
        end_s=period_s[1],
        measured=measured_movements(network, signals),
        movements=movement_rows(measured),
        cycles=cycle_rows(row for one in told for row in one.cycles),
        modes=mode_rows([row for one in told for row in one.modes]),
        refusals=refusal_rows(runs),
        traces=first_traces(runs),
    )
    write_csv(out_dir / "movements.csv", MovementRow, content.movements)
    write_parquet(out_dir / "movements.parquet", MovementRow, content.movements)
    write_parquet(out_dir / "movement_runs.parquet", MovementMeasures, measured)
    write_csv(out_dir / "signal_cycles.csv", CycleRow, content.cycles)
    write_parquet(out_dir / "signal_cycles.parquet", CycleRow, content.cycles)
    write_csv(out_dir / "refusal_counts.csv", RefusalRow, content.refusals)
    if content.modes:
        write_csv(out_dir / "mode_delay.csv", ModeRow, content.modes)
    return content
