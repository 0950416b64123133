"""The run that an environment is made from, out of a scenario: its network, demand, signals, times and first seed."""

from dataclasses import replace
from pathlib import Path

from scenarios.prepare import prepare, run_specs
from scenarios.scenario import read_scenario
from sim.run import RunSpec


def agent_spec(scenario: str | Path, folder: str | Path, *, junctions: tuple[str, ...] = ()) -> RunSpec:
    """Prepare a scenario for agents; see :mod:`sim.environment`.

    Parameters
    ----------
    folder
        Where it is prepared: what is built or imported is kept there and used again.
    junctions
        Signals that agents have; by default all that the scenario compares. Others run their own programs.
    """
    read, place = read_scenario(Path(scenario)), Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    spec = run_specs(read, prepare(read, place, _silent), read.seeds[:1])[0]
    return replace(
        spec,
        variant="agent",
        controller="static",
        controlled=junctions or spec.controlled,
        parameters={},
        flows=None,
        controller_folder=None,
    )


def _silent(_line: str) -> None:
    """Nobody watches."""
