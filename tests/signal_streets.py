"""Small signalised networks that netconvert builds, for tests whose answers are seen on paper."""

import subprocess
from pathlib import Path

from sim.engine import sumo_home

SPEED_MPS = 13.89
PLACES = {"w": (-200, 0), "e": (200, 0), "s": (0, -200), "n": (0, 200), "c": (0, 0)}
ARMS = {f"{begin}{end}": (begin, end) for arm in "wesn" for begin, end in ((arm, "c"), ("c", arm))}
"""``wc`` leads from the west to the centre, ``ce`` from the centre to the east."""


def write_streets(
    folder: Path,
    places: dict[str, tuple[float, float]],
    streets: dict[str, tuple[str, str]],
    lights: dict[str, str],
    *options: str,
    length_m: dict[str, float] | None = None,
) -> Path:
    """Build one-lane streets. ``lights``: junction to signal; ``length_m``: streets that are to have another length."""
    nodes = [
        f'<node id="{name}" x="{x}" y="{y}"'
        + (f' type="traffic_light" tl="{lights[name]}"/>' if name in lights else "/>")
        for name, (x, y) in places.items()
    ]
    edges = [
        f'<edge id="{name}" from="{begin}" to="{end}" numLanes="1" speed="{SPEED_MPS}"'
        + (f' length="{length_m[name]}"/>' if name in (length_m or {}) else "/>")
        for name, (begin, end) in streets.items()
    ]
    (folder / "s.nod.xml").write_text("\n".join(["<nodes>", *nodes, "</nodes>"]))
    (folder / "s.edg.xml").write_text("\n".join(["<edges>", *edges, "</edges>"]))
    path = folder / "streets.net.xml"
    command = [sumo_home() / "bin" / "netconvert", "--node-files", folder / "s.nod.xml"]
    command += ["--edge-files", folder / "s.edg.xml", "--output-file", path, "--no-turnarounds", "true", *options]
    subprocess.run(command, check=True, capture_output=True, env={"SUMO_HOME": str(sumo_home())})
    return path


def write_cross(folder: Path, *options: str) -> Path:
    """A crossing of two streets of one lane each way, 200 m an arm; left turns are permitted only."""
    return write_streets(folder, PLACES, ARMS, {"c": "light"}, "--tls.layout", "opposites", *options)


def link_of(network, signal_id: str, begin: str, end: str) -> int:
    """The bit that controls the way from one street to another."""
    signal = network.signals[network.signal_index[signal_id]]
    names = network.edges.ids
    for bit, connections in enumerate(signal.links):
        for row in connections:
            way = network.connection_from_edge[row], network.connection_to_edge[row]
            if (names[way[0]], names[way[1]]) == (begin, end):
                return bit
    raise LookupError(f"no way from {begin} to {end}")
