"""The command ``bagdar replay``. It belongs to the command line (:mod:`scenarios.cli`), which alone prints."""

from collections.abc import Iterable
from pathlib import Path
from signal import SIGTERM, default_int_handler, signal
from typing import Any

import click

from networks.faults import InputError
from scenarios.cli_output import FILE, example, say

EXAMPLES = "bagdar replay --gtfs gtfs.zip --avl positions.csv.gz --columns columns.toml -o replay"


@click.command(epilog=example(EXAMPLES))
@click.option("--gtfs", "feed", type=FILE, required=True, help="GTFS feed, a zip or a folder.")
@click.option(
    "--avl",
    "sources",
    required=True,
    multiple=True,
    help="Vehicle positions: CSV, Parquet, GTFS-Realtime messages, a folder or zip of them; with --follow also a URL.",
)
@click.argument("more", nargs=-1)
@click.option("--columns", type=FILE, help="TOML map of a table's columns, where it is not TIDES vehicle_locations.")
@click.option("--date", "day", help="Service day of everything, YYYY-MM-DD [default: each trip's own].")
@click.option(
    "--on-time",
    "rule",
    default="default",
    show_default=True,
    help="mbta, tcqsm, or seconds early to late: -60,300.",
)
@click.option("--zone-m", type=click.FloatRange(min=1), help="A stop's zone reaches so far before and behind it (m).")
@click.option("--dwell-s", type=click.FloatRange(min=0), help="Stand assumed at a stop between two pings (s).")
@click.option("--note", default="", help="What readers of the report must know; it stands on top.")
@click.option("--follow", is_flag=True, help="Read positions as they come, and tell events as they happen.")
@click.option("--speed", type=click.FloatRange(min=0, min_open=True), help="Play a recording so many times as fast.")
@click.option("--into", type=FILE, help="Scenario in whose simulation the matched vehicles drive.")
@click.option(
    "-o", "--output", "folder", type=click.Path(file_okay=False, path_type=Path), required=True, help="Folder to write."
)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def replay(
    feed: Path,
    sources: tuple[str, ...],
    more: tuple[str, ...],
    columns: Path | None,
    day: str | None,
    rule: str,
    zone_m: float | None,
    dwell_s: float | None,
    note: str,
    speed: float | None,
    into: Path | None,
    folder: Path,
    *,
    follow: bool,
    as_json: bool,
) -> None:
    """Hold recorded or live vehicle positions against a timetable: who was late where, bunched, off the route.

    Writes report.html, stop_visits and trips_performed (TIDES, CSV and Parquet), deviations.parquet with every ping,
    headways.csv, events.jsonl, summary.json, and GTFS-Realtime trip_updates.pb and alerts.pb.
    """
    from dataclasses import replace as with_values
    from math import isfinite

    from gtfs.avl_columns import read_column_map
    from gtfs.on_time import parse_on_time
    from gtfs.service_day import parse_day
    from gtfs.trace_settings import TraceSettings
    from scenarios.folder_lock import only_one
    from scenarios.replay import ReplayOptions

    settings = TraceSettings()
    for option, value in (("--zone-m", zone_m), ("--dwell-s", dwell_s)):
        if value is not None and not isfinite(value):
            raise InputError("CONFIG_VALUE", f"{value} is no number", field=option, remedy="Give metres or seconds")
    if zone_m is not None:
        settings = with_values(settings, zone_m=zone_m)
    if dwell_s is not None:
        settings = with_values(settings, dwell_s=dwell_s)
    options = ReplayOptions(
        feed=feed,
        columns=read_column_map(columns) if columns else None,
        only_day=parse_day(day) if day else None,
        rule=parse_on_time(rule),
        settings=settings,
        note=note,
    )
    paths = (*sources, *more)
    if not follow:
        _require_files(paths, speed)
    elif into is not None:
        raise InputError("CONFIG_VALUE", "--into takes whole files", field="--into", remedy="Leave out --follow")
    _require_apart(folder, (str(feed), *paths))
    with only_one(folder):
        if follow:
            _follow(options, paths, folder, speed)
        else:
            _read(options, tuple(map(Path, paths)), folder, into)
    if as_json:
        click.echo((folder / "summary.json").read_text(encoding="utf-8"), nl=False)


def _require_files(sources: tuple[str, ...], speed: float | None) -> None:
    """Refuse what only a stream can be."""
    from gtfs.avl_fetch import is_url, shown_url

    for source in filter(is_url, sources):
        what = f"{shown_url(source)} is read again and again, as positions come"
        raise InputError("CONFIG_VALUE", what, field="--avl", remedy="Add --follow")
    if speed is not None:
        raise InputError("CONFIG_VALUE", "--speed is for --follow", field="--speed", remedy="Add --follow")


def _require_apart(folder: Path, read: Iterable[str]) -> None:
    """Refuse results among what is read: they would be taken for messages or for tables of the feed."""
    from gtfs.avl_fetch import is_url

    for name in read:
        if not is_url(name) and Path(name).is_dir() and Path(name).resolve() == folder.resolve():
            what = "results would lie among the files that are read"
            raise InputError("CONFIG_VALUE", what, file=folder, field="-o", remedy="Choose another folder")


def _read(options: Any, paths: tuple[Path, ...], folder: Path, into: Path | None) -> None:
    from tqdm import tqdm

    from scenarios.notice_lines import notice_line
    from scenarios.replay import replay_files

    say(f"reading {options.feed.name}")
    shown: list[Any] = []
    with tqdm(unit=" pings", unit_scale=True, disable=None, leave=False) as bar:
        tally = replay_files(options, paths, folder, say, bar.update, shown.append if into else lambda _result: None)
    for notice in tally.latest.notices:
        if notice.severity == "error":
            say(notice_line(notice))
    _tell(tally, folder)
    if into is not None:
        _drive(shown, tally, into, folder, options)


def _follow(options: Any, sources: tuple[str, ...], folder: Path, speed: float | None) -> None:
    from scenarios.replay_follow import Follower

    if len(sources) > 1:
        raise InputError("CONFIG_VALUE", f"{len(sources)} sources", field="--avl", remedy="Follow one source at a time")
    before = signal(SIGTERM, default_int_handler)  # a service manager's stop ends it in order, as Ctrl-C does
    try:
        _tell(Follower(options, folder, click.echo, say).run(sources[0], speed), folder)
    finally:
        signal(SIGTERM, before)


def _drive(shown: list[Any], tally: Any, into: Path, folder: Path, options: Any) -> None:
    from tqdm import tqdm

    from gtfs.replay_curves import busiest_day, curves_of_day
    from gtfs.trace_plan import day_date, day_number
    from scenarios.replay_into import replay_into, simulated, verdict
    from scenarios.replay_report import add_simulated
    from scenarios.scenario import read_scenario

    result = shown[0]
    day = busiest_day(result) if options.only_day is None else day_number(options.only_day)
    curves = curves_of_day(result, day, options.settings.bridge_s)
    say(f"{len(curves)} curves of {day_date(day)} into {into.name}")
    with tqdm(total=1.0, disable=None, leave=False, bar_format="{l_bar}{bar}| [{elapsed}<{remaining}]") as bar:
        found = replay_into(
            read_scenario(into),
            result.plan.timetable,
            curves,
            folder,
            service_date=day_date(day),
            say=say,
            on_progress=lambda _label, share: bar.update(share - bar.n),
        )
    add_simulated(tally, folder, options.note, simulated(found), found.drawing)
    say(verdict(found.totals))


def _tell(tally: Any, folder: Path) -> None:
    from scenarios.replay_views import headlines

    for sentence in headlines(tally):
        say(sentence)
    say(f"wrote {folder / 'report.html'} and the tables beside it")
