"""The commands of ``bagdar transit``. They belong to the command line (:mod:`scenarios.cli`), which alone prints."""

from pathlib import Path

import click

from scenarios.cli_output import FILE, example, print_json

BAD_FEED = 2


@click.group()
def transit() -> None:
    """Check timetables."""


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
