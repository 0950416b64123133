"""Who runs on the published maps: our controllers and the rules of others, each under whose clearances."""

from dataclasses import dataclass, field, replace
from pathlib import Path

from benchmarks import peer_networks
from benchmarks.resco import run_spec
from signals.controller import CONTROLLERS
from signals.intergreen import Clearance
from sim.run import RunSpec

SAME = "same clearances (ite)"
OWN = "own clearances"
GROUPS = (SAME, OWN)
"""Who is compared with whom: all under yellow and all-red by formula, or each under the times that it was published
with: ours under those that the maps' programs show, RESCO's rules under 3 s of yellow, SUMO's lights as shipped.
Self-control stands there a second time under RESCO's."""

OURS = tuple(CONTROLLERS)
ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Contender:
    """Who, in which group, by which controller; ``remake`` makes the programs of its own network."""

    name: str
    group: str
    controller: str
    is_ours: bool = False
    remake: peer_networks.Remake | None = None
    parameters: dict[str, float] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """How it is called in tables."""
        return f"{'ours' if self.is_ours else 'peer'}: {self.name}, {self.group}"

    @property
    def clearance(self) -> Clearance:
        """Whose times its signals keep."""
        return Clearance.ITE if self.group == SAME else Clearance.AS_SHIPPED

    def specs(self, folder: Path, name: str, seeds: tuple[int, ...], scratch: Path) -> list[RunSpec]:
        """Its runs on a map of ``folder``; a network of its own is written to ``scratch``."""
        specs = [run_spec(folder, name, self.controller, seed, clearance=self.clearance) for seed in seeds]
        outside = ROOT if ":" in self.controller else None
        specs = [replace(spec, parameters=self.parameters, controller_folder=outside) for spec in specs]
        if self.remake is None:
            return specs
        own = peer_networks.write_network(
            specs[0].network, scratch / specs[0].network.name, self.clearance, self.remake
        )
        # its programs are what the network shows now
        return [replace(spec, network=own, clearance=Clearance.AS_SHIPPED) for spec in specs]


def _ours() -> list[Contender]:
    short = Contender(
        "self-control, 3 s of yellow", OWN, "self-control", is_ours=True, remake=peer_networks.short_yellow
    )
    return [*(Contender(name, group, name, is_ours=True) for group in GROUPS for name in OURS), short]


def _peers(group: str) -> list[Contender]:
    short = peer_networks.short_yellow if group == OWN else None
    far = {"range_m": 200.0}
    return [
        Contender("SUMO actuated", group, "static", remake=peer_networks.actuated),
        Contender("SUMO delay_based", group, "static", remake=peer_networks.delay_based),
        Contender("RESCO greedy", group, "benchmarks.peers:Greedy", remake=short),
        Contender("RESCO greedy, 200 m", group, "benchmarks.peers:Greedy", remake=short, parameters=far),
        Contender("RESCO max pressure", group, "benchmarks.peers:MaxPressure", remake=short, parameters=far),
    ]


CONTENDERS = (*_ours(), *_peers(SAME), *_peers(OWN))
