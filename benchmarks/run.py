"""Run the cases: ``python -m benchmarks.run [--case NAME ...] [--repeats N] [--quick] [-o results.jsonl]``."""

import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

import click

from benchmarks.cases import CASES, Case
from benchmarks.results import Result, to_line
from benchmarks.setup import Setup, data_folder
from networks.faults import BagdarError, InputError
from networks.outfile import write_text
from scenarios.manifest import versions

NAMES = [case.name for case in CASES]
LISTED = "\n\n".join(f"{case.name}: {case.what}. Beside it: {case.peer}." for case in CASES)


@click.command(help=f"Measure and write JSON lines, one value each.\n\n{LISTED}")
@click.option("--case", "names", multiple=True, type=click.Choice(NAMES), help="Only this case; may stand repeatedly.")
@click.option("--repeats", default=5, show_default=True, type=click.IntRange(min=1), help="Pairs of timed runs.")
@click.option("--cache", type=click.Path(file_okay=False, path_type=Path), help="Keep what is built once here.")
@click.option("--quick", is_flag=True, help="Three seeds where there are ten: indicative.")
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="File; standard output by default."
)
def run(names: Sequence[str], repeats: int, cache: Path | None, output: Path | None, *, quick: bool) -> None:
    """Run the cases and write what they measured."""
    wanted = [case for case in CASES if not names or case.name in names]
    with _folder(cache) as folder:
        results = measured(wanted, Setup(data_folder(), folder, repeats, tell, quick))
        if output is None:
            for result in results:
                print(to_line(result), flush=True)
        else:
            write_text(output, "".join(f"{to_line(result)}\n" for result in results))


def measured(cases: Sequence[Case], setup: Setup) -> Iterator[Result]:
    """Results of the cases, one by one as they come."""
    programs = versions() | {"sumolib": version("sumolib")}
    for case in cases:
        setup.tell(f"{case.name}: {case.what}; beside it: {case.peer}")
        for item in case.measure(setup):
            yield Result(case.name, item.metric, round(item.value, 6), item.unit, item.seed, programs)


def tell(line: str) -> None:
    """Say a line to who watches."""
    click.echo(line, err=True)


@contextmanager
def _folder(cache: Path | None) -> Iterator[Path]:
    if cache is not None:
        cache.mkdir(parents=True, exist_ok=True)
        yield cache
        return
    with tempfile.TemporaryDirectory(prefix="bagdar-") as folder:
        yield Path(folder)


def main() -> None:
    """Faults become one line and an exit code."""
    try:
        run()
    except BagdarError as fault:
        tell(f"benchmarks: {fault}")
        sys.exit(2 if isinstance(fault, InputError) else 1)


if __name__ == "__main__":
    main()
