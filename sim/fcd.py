"""SUMO's record of positions read back onto the edges of routes."""

from collections.abc import Sequence
from pathlib import Path

from networks.intake import Attributes, parse_xml
from networks.network import RoadNetwork
from sim.detectors import Detectors
from sim.transit_plan import TransitPlan


class _Routes:
    """How far along its route each vehicle has come; it goes forward only."""

    def __init__(self, plan: TransitPlan, network: RoadNetwork) -> None:
        ways, edges = plan.ways, network.edges
        bounds = list(zip(ways.start[:-1].tolist(), ways.start[1:].tolist(), strict=True))
        rows = [ways.edges[first:end].tolist() for first, end in bounds]
        self._edges = [[edges.ids[row] for row in route] for route in rows]
        self._junctions = [[network.junctions.ids[edges.to_junction[row]] for row in route] for route in rows]
        self._at = [0] * len(rows)

    def advance(self, vehicle: int, lane: str) -> int | None:
        """The edge of its route that a vehicle is on, or has left where the lane is inside a junction."""
        if lane.startswith(":"):
            names, name = self._junctions[vehicle], lane[1:].rsplit("_", 2)[0]
        else:
            names, name = self._edges[vehicle], lane.rpartition("_")[0]
        found = _find(names, name, self._at[vehicle])
        if found is not None:
            self._at[vehicle] = found
        return found


def _find(names: Sequence[str], name: str, begin: int) -> int | None:
    return next((at for at in range(begin, len(names)) if names[at] == name), None)


def read_positions(path: Path, plan: TransitPlan, network: RoadNetwork, detectors: Detectors) -> None:
    """Hand the positions of timetabled vehicles to detectors, time after time."""
    routes = _Routes(plan, network)
    now_s = 0.0
    seen: list[tuple[int, int, float, bool]] = []

    def flush() -> None:
        if seen:
            detectors.take(now_s, *zip(*seen, strict=True))
            seen.clear()

    def keep(tag: str, row: Attributes) -> None:
        nonlocal now_s
        if tag == "timestep":
            flush()
            now_s = float(row["time"])
        elif tag == "vehicle" and (vehicle := detectors.row_of.get(row["id"])) is not None:
            edge = routes.advance(vehicle, row["lane"])
            if edge is not None:
                seen.append((vehicle, edge, float(row["pos"]), row["lane"].startswith(":")))

    parse_xml(path, keep, code="SUMO_OUTPUT")
    flush()
