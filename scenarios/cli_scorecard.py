"""The commands of ``bagdar scorecard``. They belong to the command line (:mod:`scenarios.cli`), which alone prints."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from networks.faults import InputError
from scenarios.cli_output import FILE, FirstWord, example, print_json, say

FOLDER = click.Path(file_okay=False, path_type=Path)
LANGUAGES = ("en", "ru", "kk")
EXAMPLE = "bagdar scorecard city.toml -o scorecard --language kk"


def _shared(command: Callable[..., Any]) -> Callable[..., Any]:
    """Options of both commands."""
    options = (
        click.option("-o", "--output", "out_dir", type=FOLDER, required=True, help="Folder for tables and report."),
        click.option(
            "--edition",
            default="academic",
            show_default=True,
            help="What a share earns: academic, template (no points), or a TOML file.",
        ),
        click.option(
            "--language",
            type=click.Choice(LANGUAGES),
            default=LANGUAGES[0],
            show_default=True,
            help="Language of the report.",
        ),
        click.option("--json", "as_json", is_flag=True, help="Print the result as JSON."),
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.command(
    cls=FirstWord,
    epilog=example(EXAMPLE + "\n\n`bagdar scorecard compare --help` tells how cities are ranked."),
)
@click.argument("city", type=FILE)
@_shared
def scorecard(city: Path, out_dir: Path, edition: str, language: str, *, as_json: bool) -> None:
    """Tell how far a city is with the nine transport indicators of Kazakhstan's smart-city standard.

    CITY is a TOML file that names what the city has; everything in it is optional, and what is not there is unknown.
    Writes report.html, scorecard.csv and scorecard.json. `bagdar scorecard compare` ranks several cities.
    """
    from scenarios.edition import find_edition, score
    from scenarios.language import language as tongue
    from scenarios.scorecard import scorecard_json, summary_lines, write_scorecard
    from scenarios.scorecard_page import write_scorecard_page

    chosen = find_edition(edition)
    found = _assess(city)
    points = score(found.card, chosen)
    write_scorecard(found, points, out_dir)
    write_scorecard_page(found, points, tongue(language), out_dir)
    if as_json:
        print_json(scorecard_json(found, points))
    else:
        click.echo("\n".join(summary_lines(found.card, points, tongue(language))))
    say(f"wrote {out_dir / 'report.html'}, scorecard.csv and scorecard.json")


@click.command(epilog=example("bagdar scorecard compare almaty.toml astana.toml -o ranking"))
@click.argument("cities", metavar="CITY...", nargs=-1, required=True, type=FILE)
@_shared
def compare(cities: tuple[Path, ...], out_dir: Path, edition: str, language: str, *, as_json: bool) -> None:
    """Rank cities by their points, with what each lacks.

    What is unknown is not taken for nothing: it leaves a city a range of ranks. Writes report.html, ranking.csv,
    lacks.csv and ranking.json.
    """
    from scenarios.edition import find_edition
    from scenarios.language import language as tongue
    from scenarios.scorecard_page import write_comparison_page
    from scenarios.scorecard_ranking import rank_cities, ranking_json, ranking_lines, write_ranking

    if len(cities) < 2:  # noqa: PLR2004 - one is not compared with anything
        raise InputError("CONFIG_VALUE", "there is one city", field="CITY", remedy="Give two or more")
    chosen = find_edition(edition)
    ranked = rank_cities([_assess(city) for city in cities], chosen)
    write_ranking(ranked, out_dir)
    write_comparison_page(ranked, tongue(language), out_dir)
    if as_json:
        print_json(ranking_json(ranked))
    else:
        click.echo("\n".join(ranking_lines(ranked, tongue(language))))
    say(f"wrote {out_dir / 'report.html'}, ranking.csv, lacks.csv and ranking.json")


scorecard.others = {"compare": compare}


def _assess(path: Path) -> Any:
    """A city's findings; faults in its data that change them are told."""
    from scenarios.city import read_city
    from scenarios.notice_lines import notice_line
    from scenarios.scorecard import assess

    city = read_city(path)
    say(f"scorecard of {city.name}")
    found = assess(city, lambda text: say(f"  {text}"))
    for notice in found.notices:
        if notice.severity != "info":
            say(f"  {notice_line(notice)}")
    return found
