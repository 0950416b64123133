"""A signalised crossing of two one-way streets, built by netconvert, small enough to know what must happen on it."""

import gzip
import subprocess
from pathlib import Path

from sim.engine import sumo_home

NODES = """<nodes>
  <node id="w" x="-300" y="0"/><node id="e" x="300" y="0"/><node id="s" x="0" y="-300"/><node id="n" x="0" y="300"/>
  <node id="c" x="0" y="0" type="traffic_light"/>
</nodes>"""
EDGES = """<edges>
  <edge id="wc" from="w" to="c" numLanes="1" speed="13.89"/><edge id="ce" from="c" to="e" numLanes="1" speed="13.89"/>
  <edge id="sc" from="s" to="c" numLanes="1" speed="13.89"/><edge id="cn" from="c" to="n" numLanes="1" speed="13.89"/>
</edges>"""
WAYS = """<connections>
  <connection from="wc" to="ce"/><connection from="sc" to="cn"/>
</connections>"""


def write_crossing(folder: Path) -> Path:
    """Build the network ``crossing.net.xml.gz``; its signal is ``c`` with two stages."""
    for name, text in {"nod": NODES, "edg": EDGES, "con": WAYS}.items():
        (folder / f"crossing.{name}.xml").write_text(text)
    path = folder / "crossing.net.xml.gz"
    plain = [f"--{kind}={folder / f'crossing.{name}.xml'}" for kind, name in _KINDS.items()]
    command = [sumo_home() / "bin" / "netconvert", *plain, f"--output-file={path}", "--no-turnarounds", "true"]
    subprocess.run(command, check=True, capture_output=True, env={"SUMO_HOME": str(sumo_home())})
    return path


_KINDS = {"node-files": "nod", "edge-files": "edg", "connection-files": "con"}


def write_cars(path: Path, west: int, south: int, span_s: int = 300) -> Path:
    """Cars from west to east and from south to north, evenly spread over the time."""
    departures = [(span_s * number / west, "wc ce", f"w{number}") for number in range(west)]
    departures += [(span_s * number / south, "sc cn", f"s{number}") for number in range(south)]
    rows = [
        f'<vehicle id="{name}" depart="{depart_s:.2f}"><route edges="{edges}"/></vehicle>'
        for depart_s, edges, name in sorted(departures)
    ]
    text = "\n".join(["<routes>", *rows, "</routes>"])
    path.write_bytes(gzip.compress(text.encode(), mtime=0)) if path.suffix == ".gz" else path.write_text(text)
    return path


SCENARIO = """
[scenario]
name = "crossing"
begin = "00:00:00"
end = "00:05:00"
seeds = [1, 2]
[network]
file = "crossing.net.xml.gz"
[demand]
routes = ["cars.rou.xml"]
[[variant]]
name = "as shipped"
controller = "static"
[[variant]]
name = "smart"
controller = "max-pressure"
"""


def write_scenario(folder: Path, text: str = SCENARIO) -> Path:
    """The crossing with 60 cars from the west and 20 from the south in five minutes."""
    write_crossing(folder)
    write_cars(folder / "cars.rou.xml", 60, 20)
    path = folder / "crossing.toml"
    path.write_text(text)
    return path
