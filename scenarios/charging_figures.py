"""A picture of batteries: state of charge over each electric bus's block, one run of each variant."""

from pathlib import Path

import numpy as np

from scenarios.charging_content import ChargingContent
from scenarios.content import ReportContent
from scenarios.drawing import BASELINE_COLOUR, COLOURS, Drawing, canvas, label
from scenarios.line_axes import clock_axis
from sim.battery_run import BatteryRun, served

STEM = "charge"
TITLE = "State of charge of electric buses"
MOST_LINES = 40
"""Buses drawn of a variant; more would not be read."""

_ROW_IN = 2.4
_CAPTION = (
    "Each line is an electric bus over its trips in one run: its state of charge falls as it drives and rises at a "
    "charger. Red: buses with a trip that falls below the reserve (dotted). Below zero the bus drives on in the "
    "simulation; what is missing is shown."
)


def draw_charging(folder: Path, content: ReportContent) -> tuple[Drawing, ...]:
    """Draw ``charge.png`` with a row for each variant that has electric buses.

    Raises
    ------
    RunError
        WRITE_FAILED.
    """
    charging = content.charging
    shown = [row.name for row in content.variants if charging and len(_run(charging, row.name).sample_time_s)]
    if charging is None or not shown:
        return ()
    path = folder / f"{STEM}.png"
    with canvas(path, _ROW_IN * len(shown) + 1.0, TITLE, content.margin_note) as figure:
        rows = figure.subplots(len(shown), 1, sharex=True, sharey=True, squeeze=False)[:, 0]
        times_s = np.concatenate([_run(charging, name).sample_time_s for name in shown])
        for axes, name in zip(rows, shown, strict=True):
            run, reserve = _run(charging, name), charging.sources[name].table.bus.reserve
            failing = _failing(charging, run, reserve)
            for vehicle in run.vehicle[:MOST_LINES].tolist():
                own = run.sample_vehicle == vehicle
                colour = COLOURS[1] if vehicle in failing else BASELINE_COLOUR
                axes.plot(run.sample_time_s[own], 100 * run.sample_charge[own], color=colour, linewidth=1.4)
            axes.axhline(100 * reserve, color=COLOURS[1], linestyle=":", linewidth=1.2)
            axes.set_title(label(name))
            axes.set_ylabel("charge (%)")
            axes.grid(axis="y")
        clock_axis(rows[-1], float(times_s.min()), float(times_s.max()))
    return (Drawing(path, TITLE, _CAPTION),)


_NO_RUN = BatteryRun(*[np.empty(0, dtype=np.int32)] * 16)  # type: ignore[arg-type]


def _run(charging: ChargingContent, name: str) -> BatteryRun:
    return charging.curves.get(name, _NO_RUN)


def _failing(charging: ChargingContent, run: BatteryRun, reserve: float) -> set[int]:
    """Rows of vehicles with a trip that cannot be served."""
    legs = run.leg[~served(run, charging.plan, reserve)]
    return set(charging.plan.legs.vehicle[legs].tolist())
