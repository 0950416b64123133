"""The commands of ``bagdar transit``. They belong to the command line (:mod:`scenarios.cli`), which alone prints."""

from pathlib import Path

import click

from networks.faults import InputError
from scenarios.cli_output import FILE, example, print_json, say

BAD_FEED = 2


@click.group()
def transit() -> None:
    """Check timetables and bring them onto streets."""


@transit.command("check", epilog=example("bagdar transit check gtfs.zip"))
@click.argument("path", metavar="FEED", type=FILE)
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def check(path: Path, *, as_json: bool) -> int:
    """Tell what is wrong in a GTFS feed (a zip or a folder), with line and count, and what it holds.

    Ends with exit code 2 where something is wrong that an import refuses (an error).
    """
    from scenarios import feed_check

    checked = feed_check.check(path)
    if as_json:
        print_json(feed_check.as_json(checked))
    else:
        click.echo("\n".join(feed_check.as_lines(checked)))
    return BAD_FEED if checked.counts["error"] else 0


@transit.command(
    "import",
    epilog=example("bagdar transit import gtfs.zip --network city.net.xml.gz --date 2019-05-15 -o transit"),
)
@click.argument("feed", metavar="FEED", type=FILE)
@click.option("--network", "network_path", type=FILE, required=True, help="SUMO network.")
@click.option("--date", "day", required=True, help="Service day, YYYY-MM-DD.")
@click.option("--modes", help="Modes wanted, such as bus,tram [default: all that run on streets and tracks].")
@click.option("--begin", default="00:00:00", show_default=True, help="Calls from this time on (HH:MM).")
@click.option("--end", help="Trips that begin before this time (HH:MM) [default: all].")
@click.option("--dwell-s", type=click.FloatRange(min=0), help="Time at a stop where ridership is not known (s).")
@click.option("--ridership", type=FILE, help="CSV with stop_id, boardings and maybe route_id: dwell follows from it.")
@click.option("--no-calibration", is_flag=True, help="Drivers keep to the speed limit, every dwell is as wished.")
@click.option(
    "-o", "--output", "folder", type=click.Path(file_okay=False, path_type=Path), required=True, help="Folder to write."
)
@click.option("--json", "as_json", is_flag=True, help="Print the totals as JSON.")
def import_(
    feed: Path,
    network_path: Path,
    day: str,
    modes: str | None,
    begin: str,
    end: str | None,
    dwell_s: float | None,
    ridership: Path | None,
    folder: Path,
    *,
    no_calibration: bool,
    as_json: bool,
) -> None:
    """Turn a service day of FEED into buses that SUMO drives on a network, and rehearse it on empty streets.

    Writes stops.add.xml and transit.rou.xml, which SUMO runs as they are, import.json with the totals, patterns.csv and
    stops.csv with what was placed and why not, notices.csv and a map, figures/routes.png.
    """
    from dataclasses import asdict

    from gtfs.service_day import parse_day
    from networks.netxml import read_network
    from scenarios.transit_import import SUMMARY, import_to_folder
    from sim.dwell import DEFAULT_S, DwellLaw
    from sim.modes import MODES, modes_named
    from sim.ridership import read_ridership
    from sim.transit import TransitOptions

    options = TransitOptions(
        service_date=parse_day(day),
        modes=modes_named(name.strip() for name in modes.split(",")) if modes else MODES,
        begin_s=_time_s(begin, "--begin"),
        end_s=_time_s(end, "--end") if end else float("inf"),
        dwell=DwellLaw(default_s=DEFAULT_S if dwell_s is None else dwell_s),
        ridership=read_ridership(ridership) if ridership else {},
        calibrated=not no_calibration,
    )
    if options.end_s <= options.begin_s:
        raise InputError("CONFIG_VALUE", f"the end ({end}) must lie after the begin ({begin})", field="--end")
    say(f"reading {network_path.name}")
    totals = import_to_folder(read_network(network_path), network_path, feed, options, folder, say)
    if as_json:
        print_json(asdict(totals))
    say(
        f"wrote {folder / SUMMARY}: {totals.vehicles} vehicles for {totals.trips_driven} of {totals.trips} trips, "
        f"{totals.calls_driven} of {totals.calls_reachable} reachable calls, "
        f"{totals.calls_on_time_share:.0%} of them within 60 s of the timetable on empty streets"
    )


def _time_s(text: str, option: str) -> float:
    from sim.times import parse_time_s

    try:
        return parse_time_s(text if text.count(":") != 1 else f"{text}:00")
    except ValueError as fault:
        raise InputError("CONFIG_VALUE", str(fault), field=option, remedy="Write HH:MM or HH:MM:SS") from fault
