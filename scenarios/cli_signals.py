"""The commands of ``bagdar signals``. They belong to the command line (:mod:`scenarios.cli`), which alone prints."""

from pathlib import Path

import click

from scenarios.cli_output import FILE, example, print_json, say


@click.group()
def signals() -> None:
    """List controllers, check a network's signal programs, make fixed-time plans."""


@signals.command("list", epilog=example("bagdar signals list"))
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def list_(*, as_json: bool) -> None:
    """Tell which controllers there are: parameters with defaults, what they sense, the paper or manual behind them."""
    from dataclasses import asdict

    from scenarios import signal_list

    listed = signal_list.controllers()
    if as_json:
        print_json([asdict(facts) for facts in listed])
    else:
        click.echo("\n".join(signal_list.as_lines(listed)))


@signals.command("check", epilog=example("bagdar signals check city.net.xml.gz"))
@click.argument("path", metavar="NET", type=FILE)
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def check(path: Path, *, as_json: bool) -> None:
    """Tell what the signal programs of a network violate, and what they must show.

    Yellow and all-red by speed, minimum green, walk and clearance of pedestrians, conflicting greens. Findings are no
    fault of the command: its exit code is 0 with them, and 2 where NET cannot be read.
    """
    from scenarios import signal_check

    checked = signal_check.check(path)
    if as_json:
        print_json(signal_check.as_json(checked))
    else:
        click.echo("\n".join(signal_check.as_lines(checked)))


@signals.command("plan", epilog=example("bagdar signals plan city.net.xml.gz --demand cars.rou.xml -o plan.add.xml"))
@click.argument("path", metavar="NET", type=FILE)
@click.option("--demand", "routes", type=FILE, required=True, multiple=True, help="SUMO route file; may be repeated.")
@click.option("-o", "--output", "out_path", type=FILE, required=True, help="Additional file to write (.add.xml).")
@click.option("--json", "as_json", is_flag=True, help="Print the timing sheet as JSON.")
def plan(path: Path, routes: tuple[Path, ...], out_path: Path, *, as_json: bool) -> None:
    """Make fixed-time plans by Webster, with offsets, for the busiest hour of the demand.

    Writes programs that SUMO runs as they are (sumo -n NET -r ROUTES -a plan.add.xml), and beside them the timing
    sheet: plan.timing.csv and plan.timing.txt. Yellow, all-red and pedestrian clearance are by formula.
    """
    from dataclasses import asdict

    from scenarios.signal_plan import PlanFiles, make_plan, timing_rows

    say(f"reading {path.name}")
    flows, timings = make_plan(path, routes, out_path)
    files = PlanFiles(out_path)
    if as_json:
        print_json([asdict(row) for timing in timings for row in timing_rows(timing)])
    if flows.unplaced:
        say(f"{flows.unplaced:.0f} vehicles left out: the route files do not tell their way")
    say(f"wrote {out_path}: plans of {len(timings)} signals; {files.table.name} and {files.sheet.name} have the times")
