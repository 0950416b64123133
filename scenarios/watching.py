"""Watching one variant in sumo-gui, steered as in a run."""

import tempfile
from pathlib import Path

from networks.faults import InputError, RunError
from scenarios.prepare import Say, prepare, run_specs
from scenarios.scenario import Scenario
from sim.engine import Api
from sim.run import simulate


def watch_variant(scenario: Scenario, variant: str, seed: int | None, say: Say) -> None:
    """Open sumo-gui on a variant and run it to its end, or until the window is closed.

    Raises
    ------
    InputError
        CONFIG_VALUE where the scenario has no such variant.
    """
    chosen = scenario.seeds[0] if seed is None else seed
    if variant not in {row.name for row in scenario.variants}:
        names = ", ".join(repr(row.name) for row in scenario.variants)
        raise InputError("CONFIG_VALUE", f"no variant {variant!r}", file=scenario.path, remedy=f"There are {names}")
    with tempfile.TemporaryDirectory(prefix="bagdar-gui-") as folder:
        prepared = prepare(scenario, Path(folder), say)
        spec = next(spec for spec in run_specs(scenario, prepared, (chosen,)) if spec.variant == variant)
        try:
            run = simulate(spec, network=prepared.network, api=Api.GUI)
        except RunError as fault:
            if fault.code != "SUMO_FAILED":
                raise
            say(f"the window was closed ({fault.what})")
        else:
            say(f"delay per scheduled vehicle: {run.measures.delay_per_scheduled_s:.1f} s")
