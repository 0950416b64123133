"""The command line: the only place that prints and ends the program.

Heavy imports stand inside the commands, so that help answers at once.
"""

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from networks.faults import BagdarError, InputError, RunError
from scenarios.cli_hotspots import hotspots
from scenarios.cli_output import FILE, example, print_json, say
from scenarios.cli_replay import replay
from scenarios.cli_scorecard import scorecard
from scenarios.cli_signals import signals
from scenarios.cli_transit import transit

BAD_INPUT, FAILURE, INTERRUPTED = 2, 1, 130
FOLDER = click.Path(file_okay=False, path_type=Path)
CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


def main() -> None:
    """Entry point of ``bagdar``: faults become one line each and an exit code, never a traceback."""
    try:
        status = bagdar.main(standalone_mode=False)
    except click.exceptions.Abort:
        _fail("stopped; finished runs are kept, the same command goes on", INTERRUPTED)
    except click.ClickException as fault:
        _fail(f"COMMAND: {fault.format_message()}", BAD_INPUT)
    except InputError as fault:
        _fail(str(fault), BAD_INPUT)
    except BagdarError as fault:
        _fail(str(fault), FAILURE)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, MemoryError) as fault:
        _fail(f"SYSTEM: {fault}", FAILURE)
    else:
        sys.exit(status if isinstance(status, int) else 0)


def _fail(text: str, code: int) -> None:
    for line in text.splitlines():
        click.echo(f"bagdar: {line}", err=True)
    sys.exit(code)


FIRST_STEPS = """\b
First steps:
  bagdar demo -o demo            the whole journey on a built-in city
  bagdar new city.toml           a scenario of your own to start from
  bagdar run city.toml -o out    run it; out/report.html tells what came out
"""


@click.group(context_settings=CONTEXT, epilog=FIRST_STEPS)
@click.version_option(package_name="bagdar", prog_name="bagdar")
def bagdar() -> None:
    """Compare traffic lights where a city's accidents concentrate, in simulation on SUMO."""


bagdar.add_command(transit)
bagdar.add_command(replay)
bagdar.add_command(signals)
bagdar.add_command(hotspots)
bagdar.add_command(scorecard)


@bagdar.command(epilog=example("bagdar demo -o demo && open demo/report.html"))
@click.option("-o", "--output", "out_dir", type=FOLDER, required=True, help="Folder for the results.")
@click.option("--workers", type=click.IntRange(min=1), help="Runs at the same time [default: one a core].")
def demo(out_dir: Path, workers: int | None) -> None:
    """Run the main journeys on a built-in city: lights compared, and its buses' positions held against the timetable.

    Traffic, accidents, buses and positions are synthetic.
    """
    from scenarios.demo import write_demo_city
    from scenarios.demo.replay import demo_replay
    from scenarios.scenario import read_scenario

    say("built-in city: Berlin-Adlershof; its traffic, accidents, buses and their positions are synthetic")
    _run(read_scenario(write_demo_city(out_dir / "city")), out_dir, workers, None)
    say("replaying what the city's buses told of themselves")
    demo_replay(out_dir, say)
    say(f"the replay's report is {out_dir / 'replay' / 'report.html'}")


@bagdar.command(epilog=example("bagdar run city.toml -o out --seeds 1-10 --workers 4"))
@click.argument("scenario", type=FILE)
@click.option(
    "-o", "--output", "out_dir", type=FOLDER, required=True, help="Folder for the results; resumed if it exists."
)
@click.option("--workers", type=click.IntRange(min=1), help="Runs at the same time [default: one a core].")
@click.option(
    "--seeds", callback=lambda _c, _p, text: _seeds(text), help="Seeds in place of the scenario's, e.g. 1-10 or 1,4,7."
)
@click.option(
    "--limit-s", type=click.FloatRange(min=1), help="End a run that takes longer than this (s) and try it once more."
)
@click.option("--json", "as_json", is_flag=True, help="Print the comparison as JSON on standard output.")
def run(
    scenario: Path,
    out_dir: Path,
    workers: int | None,
    seeds: tuple[int, ...] | None,
    limit_s: float | None,
    *,
    as_json: bool,
) -> None:
    """Run every variant of SCENARIO with every seed, compare them, and write a report.

    The same command goes on where it was stopped. Results: report.html, runs.csv, junctions.csv, comparison.csv,
    hotspots.csv, figures and manifest.json.
    """
    from dataclasses import replace

    from scenarios.scenario import read_scenario

    asked = read_scenario(scenario)
    study = _run(asked if seeds is None else replace(asked, seeds=seeds), out_dir, workers, limit_s)
    if as_json:
        print_json([_record(row) for row in study.comparisons])
    if all(row.status != "finished" for row in study.runs):
        raise RunError("RUNS_FAILED", f"no run could be finished ({study.runs[0].status})", file=out_dir / "runs.csv")


@bagdar.command(epilog=example("bagdar new city.toml"))
@click.argument("scenario", type=FILE)
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
def new(scenario: Path, *, force: bool) -> None:
    """Write a commented scenario to start from."""
    from networks.outfile import write_text
    from scenarios.scenario_template import new_scenario_text

    if scenario.exists() and not force:
        raise InputError("FILE_EXISTS", "not overwritten", file=scenario, remedy="Use --force or another name")
    write_text(scenario, new_scenario_text(scenario.stem))
    say(f"wrote {scenario}: edit it, then `bagdar run {scenario} -o DIR`")


@bagdar.command(epilog=example("bagdar gui city.toml --variant 'max pressure'"))
@click.argument("scenario", type=FILE)
@click.option("--variant", required=True, help="Name of the variant to watch.")
@click.option("--seed", type=click.IntRange(min=0), help="Seed [default: the scenario's first].")
def gui(scenario: Path, variant: str, seed: int | None) -> None:
    """Watch one variant of SCENARIO in sumo-gui.

    sumo-gui is steered over a local port that SUMO opens without a password on every network interface, as long as the
    window is open: do not use it on a network you do not trust.
    """
    from scenarios.scenario import read_scenario
    from scenarios.watching import watch_variant

    say("note: while the window is open SUMO listens on a port of this machine without a password")
    watch_variant(read_scenario(scenario), variant, seed, say=say)


@bagdar.group()
def network() -> None:
    """Build and inspect street networks."""


@network.command(
    "build", epilog=example("bagdar network build city.osm.pbf -o city.net.xml.gz --bbox 76.8,43.2,77.0,43.3")
)
@click.argument("source", type=FILE)
@click.option(
    "-o", "--output", "out_path", type=FILE, required=True, help="Network to write (.net.xml or .net.xml.gz)."
)
@click.option("--bbox", callback=lambda _c, _p, text: _box(text), help="Cut to west,south,east,north (degrees).")
@click.option("--json", "as_json", is_flag=True, help="Print what was built as JSON.")
def build(source: Path, out_path: Path, bbox: tuple[float, float, float, float] | None, *, as_json: bool) -> None:
    """Build a SUMO network from OpenStreetMap data (.osm, .osm.gz or .osm.pbf)."""
    from networks.build import build_network

    report = build_network(source, out_path, bbox=bbox, on_progress=say)
    if as_json:
        print_json(_record(report))
    else:
        say(
            f"wrote {out_path}: {report.edges} edges, {report.junctions} junctions, {report.signals} signals, "
            f"{report.length_km:.0f} km"
        )


@network.command("info", epilog=example("bagdar network info city.net.xml.gz"))
@click.argument("path", metavar="NET", type=FILE)
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def info(path: Path, *, as_json: bool) -> None:
    """Describe a network: edges, junctions, signals, road classes, extent."""
    from networks.describe import describe_network
    from networks.netxml import read_network

    net = read_network(path)
    facts = describe_network(net)
    if as_json:
        print_json(facts | {"signal_ids": list(net.signal_index)})
    else:
        click.echo("\n".join(_lines(facts)))


def _run(scenario: Any, out_dir: Path, workers: int | None, limit_s: float | None) -> Any:
    from scenarios.study import run_study
    from scenarios.sweep import DEFAULT_LIMIT_S

    runs = len(scenario.variants) * len(scenario.seeds)
    with _progress(runs) as (say, report):
        study = run_study(
            scenario,
            out_dir,
            workers=workers or os.cpu_count() or 1,
            limit_s=limit_s or DEFAULT_LIMIT_S,
            say=say,
            on_progress=report,
        )
    failed = sum(row.status != "finished" for row in study.runs)
    say(f"{runs - failed} of {runs} runs finished; the report is {study.report}")
    return study


@contextmanager
def _progress(runs: int) -> Iterator[tuple[Callable[[str], None], Callable[[str, float], None]]]:
    """A bar over all runs on standard error, with the part done of each; where it is no terminal, a line a run."""
    from tqdm import tqdm

    done: dict[str, float] = {}
    shape = "{l_bar}{bar}| {n:.1f}/{total:.0f} runs [{elapsed}<{remaining}]"
    bar = tqdm(total=float(runs), bar_format=shape, disable=None, leave=False)

    def report(label: str, share: float) -> None:
        bar.update(share - done.get(label, 0.0))
        bar.set_description(label, refresh=False)
        if bar.disable and share >= 1 > done.get(label, 0.0):
            say(f"  {label}: done")
        done[label] = share

    with bar:
        yield (lambda text: bar.write(text, file=sys.stderr)), report


def _seeds(text: str | None) -> tuple[int, ...] | None:
    """``1-10``, ``1,4,7`` or both as seeds."""
    if text is None:
        return None
    try:
        seeds = tuple(seed for part in text.split(",") for seed in _span(part))
    except ValueError as fault:
        raise InputError(
            "CONFIG_VALUE", f"{text!r} is no list of seeds", field="--seeds", remedy="Write 1-10 or 1,4,7"
        ) from fault
    if len(set(seeds)) < len(seeds):
        raise InputError("CONFIG_VALUE", f"a seed stands twice in {text!r}", field="--seeds")
    return seeds


def _span(part: str) -> Iterable[int]:
    first, dash, last = part.strip().partition("-")
    begin, end = int(first), int(last) if dash else int(first)
    if end < begin:
        raise ValueError(part)
    return range(begin, end + 1)


def _box(text: str | None) -> tuple[float, float, float, float] | None:
    if text is None:
        return None
    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError as fault:
        raise InputError(
            "CONFIG_VALUE", f"{text!r} is no box", field="--bbox", remedy="Write west,south,east,north"
        ) from fault
    return west, south, east, north


def _record(row: Any) -> dict[str, Any]:
    from scenarios.tables import as_record

    return as_record(row)


def _lines(facts: dict[str, Any], indent: str = "") -> Iterator[str]:
    """Facts as aligned lines, nested ones indented."""
    width = max((len(str(key)) for key in facts), default=0)
    for key, value in facts.items():
        if isinstance(value, dict):
            yield f"{indent}{key}"
            yield from _lines(value, indent + "  ")
        else:
            shown = ", ".join(map(str, value)) if isinstance(value, list | tuple) else value
            yield f"{indent}{str(key).ljust(width)}  {shown}"
