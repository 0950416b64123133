"""A timetable onto a network and into a folder: SUMO's files, tables, notices, the sums, a map."""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from gtfs.feed import read_feed
from gtfs.service_day import require_service
from networks.faults import Notice
from networks.intake import file_sha256
from networks.network import RoadNetwork
from networks.outfile import write_text
from scenarios.tables import as_record, write_csv
from scenarios.transit_map import draw_transit_map
from sim.dress_rehearsal import dress_rehearsal
from sim.times import clock_text
from sim.transit import TransitOptions, import_transit
from sim.transit_account import PatternRow, StopRow, Totals, transit_account
from sim.transit_output import write_transit

SUMMARY = "import.json"
"""Written last: where it is, all else is too."""

Say = Callable[[str], None]


def import_to_folder(
    network: RoadNetwork,
    network_path: Path,
    feed_path: Path,
    options: TransitOptions,
    folder: Path,
    say: Say = lambda _text: None,
    *,
    note: str = "",
) -> Totals:
    """Import a service day of a feed: match, place, rehearse, write; the same bytes for the same input.

    ``note`` stands on the map, such as that the timetable is made up.

    Raises
    ------
    InputError
        What makes a feed unreadable; GTFS_DATE where nothing runs that day; TRANSIT_EMPTY where nothing can be driven.
    """
    say(f"reading {feed_path.name}")
    feed = read_feed(feed_path)
    require_service(feed, options.service_date)
    transit = import_transit(feed, network, network_path, options, say)
    files = write_transit(transit, network, folder)
    say(f"dress rehearsal of {len(transit.vehicles)} vehicles")
    account = transit_account(transit, network, dress_rehearsal(network_path, files, transit))
    say("writing tables and map")
    write_csv(folder / "patterns.csv", PatternRow, account.patterns)
    write_csv(folder / "stops.csv", StopRow, account.stops)
    write_csv(folder / "notices.csv", Notice, (*feed.notices, *account.notices))
    draw_transit_map(folder / "figures" / "routes.png", transit, network, account.totals, note)
    summary = {
        "feed": feed_path.name,
        "feed_sha256": file_sha256(feed_path) if feed_path.is_file() else "",
        "network": network_path.name,
        "network_sha256": file_sha256(network_path),
        "begin": clock_text(options.begin_s),
        "modes": [mode.name for mode in options.modes],
        "dwell": asdict(options.dwell),
        "calibrated": options.calibrated,
        **as_record(account.totals),
    }
    write_text(folder / SUMMARY, json.dumps(summary, indent=2, ensure_ascii=False, allow_nan=False) + "\n")
    return account.totals
