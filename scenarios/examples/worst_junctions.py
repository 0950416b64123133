"""Where do accidents concentrate? Rank the junctions of a network by the records matched to them.

    python scenarios/examples/worst_junctions.py [NETWORK.net.xml.gz CRASHES.csv ...]

Edit the values below. Without arguments the built-in city is taken, whose records are synthetic.
"""

import sys
import tempfile
from pathlib import Path

from networks.netxml import read_network
from scenarios.demo import write_demo_city
from scenarios.hotspots import ScreeningOptions, screen_hotspots
from scenarios.scenario import read_scenario

METHOD = "empirical-bayes"
TOP = 10
SIGNALISED_ONLY = True


def main() -> None:
    """Rank and print."""
    match [Path(text) for text in sys.argv[1:]]:
        case [network, first, *more]:
            rank(network, [first, *more])
        case []:
            with tempfile.TemporaryDirectory() as folder:
                city = read_scenario(write_demo_city(folder))
                rank(city.network.path, list(city.crashes.files) if city.crashes else [])
        case _:
            sys.exit("give a network and at least one file of records, or nothing")


def rank(network_path: Path, crash_paths: list[Path]) -> None:
    """Print the worst junctions, how their records were matched, and what was wrong with others."""
    options = ScreeningOptions(method=METHOD, top=TOP, signalised_only=SIGNALISED_ONLY)
    screening = screen_hotspots(read_network(network_path), crash_paths, options=options)
    records = "SYNTHETIC records" if screening.origin.is_synthetic else "records"
    print(f"{screening.origin.records} of {len(screening.crashes)} {records} lie at a junction")
    print("rank crashes hurt killed  lon        lat        junction")
    for spot in screening.hotspots:
        place = f"{spot.lon:10.6f} {spot.lat:10.6f}"
        streets = " x ".join(spot.street_names[:2]) or spot.site
        print(f"{spot.rank:4} {spot.crashes:7} {spot.injured:4} {spot.deaths:6}  {place} {streets}")
    for notice in screening.notices:
        print(f"{notice.code}: {notice.count} records as in line {notice.row} of {notice.file}. {notice.remedy}")


if __name__ == "__main__":
    main()
