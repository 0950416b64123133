"""The four calibrated maps of Cologne and Ingolstadt (RESCO) as runs."""

from pathlib import Path

from networks.netxml import read_network
from signals.intergreen import Clearance
from sim.run import RunSpec

BEGIN_S = {"cologne1": 25_200.0, "cologne8": 25_200.0, "ingolstadt1": 57_600.0, "ingolstadt7": 57_600.0}
"""The hour of each map's demand begins at 7:00 in Cologne, at 16:00 in Ingolstadt."""

HOUR_S = 3600.0


def run_spec(
    folder: Path, name: str, controller: str, seed: int, *, clearance: Clearance, span_s: float = HOUR_S
) -> RunSpec:
    """A run on a map of ``folder``, all its signals controlled and measured; ``span_s`` from the begin of its hour."""
    network = folder / name / f"{name}.net.xml.gz"
    signals = tuple(signal.signal_id for signal in read_network(network).signals)
    return RunSpec(
        variant=f"{name} {controller} {clearance}",
        controller=controller,
        seed=seed,
        network=network,
        routes=(folder / name / f"{name}.rou.xml.gz",),
        begin_s=BEGIN_S[name],
        end_s=BEGIN_S[name] + span_s,
        controlled=signals,
        measured=signals,
        clearance=clearance,
    )
