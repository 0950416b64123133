"""A folder with everything that the demo's scenario needs: streets, made-up accidents and buses, the scenario file."""

import gzip
from pathlib import Path

import sumo

from networks.intake import open_bytes
from networks.netxml import read_network
from networks.outfile import atomic_path, write_text
from scenarios.demo.buses import write_demo_feed
from scenarios.demo.crashes import MadeUpCrash, made_up_crashes
from scenarios.tables import write_csv

NETWORK = "adlershof.net.xml.gz"
CRASHES = "crashes-synthetic.csv"
FEED = "buses-synthetic.zip"
SCENARIO = "demo.toml"

VEHICLES_PER_HOUR = 1000
CRASH_SEED = 12489
"""Adlershof's postcode."""

SERVICE_DATE = "2026-05-13"
"""A Wednesday, on which the made-up buses run."""

_SCENARIO = f"""\
# The built-in city. Its streets and traffic lights are those of Berlin-Adlershof (from OpenStreetMap, as shipped with
# SUMO). Its traffic, its accident records and its buses are SYNTHETIC: made up, and no statement about the real place.

[scenario]
name = "Berlin-Adlershof with synthetic traffic, accidents and buses"
begin = "07:00:00"
end = "08:00:00"
seeds = [1, 2, 3]

[network]
file = "{NETWORK}"

[demand]
synthetic = {{ vehicles_per_hour = {VEHICLES_PER_HOUR}, seed = 1 }}

[crashes]
files = ["{CRASHES}"]

[transit]
gtfs = "{FEED}"
date = "{SERVICE_DATE}"
synthetic = true

[hotspots]
method = "frequency"
top = 8

[signals]
junctions = "hotspots"
clearance = "ite"

[[variant]]
name = "as shipped"
controller = "static"

[[variant]]
name = "actuated"
controller = "actuated"

[[variant]]
name = "max-pressure"
controller = "max-pressure"
"""


def write_demo_city(folder: str | Path) -> Path:
    """Write the built-in city into a folder and return the path of its scenario file; the same bytes every time.

    Raises
    ------
    InputError
        FILE_MISSING where the SUMO that is installed does not carry the streets.
    RunError
        WRITE_FAILED.
    """
    city = Path(folder)
    _write_network(city / NETWORK)
    network = read_network(city / NETWORK)
    write_csv(city / CRASHES, MadeUpCrash, made_up_crashes(network, CRASH_SEED))
    write_demo_feed(network, city / FEED)
    write_text(city / SCENARIO, _SCENARIO)
    return city / SCENARIO


def _write_network(path: Path) -> None:
    """Copy the streets out of SUMO's own package, with its lights set to fixed times.

    They come set to SUMO's own actuation, and a baseline should be the plain thing. The times stay as they are.
    """
    with open_bytes(Path(sumo.SUMO_HOME) / "tools" / "game" / "DRT" / "osm.net.xml") as stream:
        text = stream.read().replace(b'type="actuated"', b'type="static"')
    with atomic_path(path) as part:
        part.write_bytes(gzip.compress(text, mtime=0))
