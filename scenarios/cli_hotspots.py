"""The commands of ``bagdar hotspots``. They belong to the command line (:mod:`scenarios.cli`), which alone prints."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from networks.faults import InputError
from scenarios.cli_output import FILE, FirstWord, example, print_json, say

FOLDER = click.Path(file_okay=False, path_type=Path)
METHODS = ("frequency", "rate", "critical-rate", "epdo", "empirical-bayes", "rule")
"""As :data:`networks.screening.METHODS`, written out so that help needs no heavy import."""

SEVERITY = ("all", "injury")


def _shared(command: Callable[..., Any]) -> Callable[..., Any]:
    """Options that say what is read, for both commands."""
    options = (
        click.option("--network", "network_path", type=FILE, required=True, help="SUMO network."),
        click.option(
            "--crashes", type=FILE, required=True, multiple=True, help="Crash records; more files may follow it."
        ),
        click.argument("more", nargs=-1, type=FILE),
        click.option("--columns", type=FILE, help="TOML map of columns, where they are not recognised by themselves."),
        click.option("--rule", help="National rule: cis, hesse, wales or a TOML file."),
        click.option("--exposure", type=FILE, help="Traffic of sites: a CSV file, or the folder of a `bagdar run`."),
        click.option(
            "--severity",
            type=click.Choice(SEVERITY),
            default=SEVERITY[0],
            show_default=True,
            help="Which crashes count: all, or those that hurt or killed somebody.",
        ),
        click.option(
            "--top", type=click.IntRange(min=1), default=50, show_default=True, help="How many sites to rank."
        ),
        click.option(
            "-o", "--output", "out_dir", type=FOLDER, required=True, help="Folder for tables, map and report."
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.command(
    cls=FirstWord,
    epilog=example(
        "bagdar hotspots --network city.net.xml.gz --crashes 2012.csv 2013.csv --method empirical-bayes -o hotspots"
        "\n\n`bagdar hotspots validate --help` tells how to measure the methods on your own records."
    ),
)
@_shared
@click.option(
    "--method", type=click.Choice(METHODS), help="What sites are ranked by [default: frequency, or rule with --rule]."
)
@click.option("--years", type=click.IntRange(min=1), help="Count the last so many years [default: all in the files].")
@click.option("--json", "as_json", is_flag=True, help="Print the ranking as JSON.")
def hotspots(
    network_path: Path,
    crashes: tuple[Path, ...],
    more: tuple[Path, ...],
    columns: Path | None,
    rule: str | None,
    exposure: Path | None,
    severity: str,
    top: int,
    out_dir: Path,
    method: str | None,
    years: int | None,
    *,
    as_json: bool,
) -> None:
    """Rank the junctions of a network by the accidents recorded there.

    Writes hotspots.csv with the range of ranks of each junction, hotspots.geojson, a map and report.html, which shows
    how the choice of method changes the list. `bagdar hotspots validate` measures the methods on your own records.
    """
    from networks.netxml import read_network
    from scenarios.hotspot_report import write_hotspot_report
    from scenarios.hotspot_views import label_words
    from scenarios.hotspots import ScreeningOptions, hotspots_json, screen_hotspots, write_hotspots

    say(f"reading {network_path.name}")
    net = read_network(network_path)
    say(f"matching {len(crashes) + len(more)} files of accident records")
    options = ScreeningOptions(
        method=method or ("rule" if rule else METHODS[0]),
        top=top,
        rule=rule,
        exposure=exposure,
        years=years,
        injury_only=severity == SEVERITY[1],
    )
    screening = screen_hotspots(net, (*crashes, *more), columns, options)
    write_hotspots(screening, out_dir)
    report = write_hotspot_report(screening, out_dir)
    if as_json:
        print_json(hotspots_json(screening))
    else:
        say(f"wrote {out_dir / 'hotspots.csv'}, hotspots.geojson and figures/hotspots.png")
        if screening.agreement is not None:
            say(label_words(screening.agreement))
        say(f"the report is {report}")


@click.command(
    epilog=example(
        "bagdar hotspots validate --network city.net.xml.gz --crashes 2012.csv.gz 2013.csv.gz --from 2012 --to 2013 "
        "--severity injury -o check"
    ),
)
@_shared
@click.option(
    "--from", "before", required=True, callback=lambda _c, _p, text: _span(text), help="Year or years to choose by."
)
@click.option(
    "--to", "after", required=True, callback=lambda _c, _p, text: _span(text), help="Year or years to judge by."
)
@click.option("--json", "as_json", is_flag=True, help="Print the tables as JSON.")
def validate(
    network_path: Path,
    crashes: tuple[Path, ...],
    more: tuple[Path, ...],
    columns: Path | None,
    rule: str | None,
    exposure: Path | None,
    severity: str,
    top: int,
    out_dir: Path,
    before: tuple[int, int],
    after: tuple[int, int],
    *,
    as_json: bool,
) -> None:
    """Measure on your own records how well each method tells the next period.

    Each method picks its junctions by the records of --from (2012, or 2010-2012); those of --to say what came. Writes
    validation.csv, predictors.csv and a picture.
    """
    from networks.netxml import read_network
    from scenarios.hotspot_validation import Periods, validate_methods, validation_lines, write_validation
    from scenarios.tables import as_record

    say(f"reading {network_path.name}")
    net = read_network(network_path)
    say(f"matching {len(crashes) + len(more)} files of accident records")
    found = validate_methods(
        net,
        (*crashes, *more),
        columns,
        Periods(before, after),
        top=top,
        rule=rule,
        exposure=exposure,
        injury_only=severity == SEVERITY[1],
    )
    write_validation(found, out_dir)
    if as_json:
        print_json({name: [as_record(row) for row in rows] for name, rows in found.tables().items()})
    else:
        click.echo("\n".join(validation_lines(found)))
    say(f"wrote {out_dir / 'validation.csv'}, predictors.csv and figures/validation.png")


hotspots.others = {"validate": validate}


def _span(text: str) -> tuple[int, int]:
    """``2012`` or ``2010-2012`` as first and last year."""
    first, _, last = text.partition("-")
    if not (first.isdecimal() and (last or first).isdecimal() and int(first) <= int(last or first)):
        raise InputError(
            "CONFIG_VALUE", f"{text!r} is no year and no span of years", field="--from, --to",
            remedy="Write 2012 or 2010-2012",
        )  # fmt: skip
    return int(first), int(last or first)
