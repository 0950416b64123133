"""Two results side by side: ``python -m benchmarks.diff A.jsonl B.jsonl``."""

import sys
from collections.abc import Iterator, Mapping, Sequence

import click

from benchmarks.results import Result, read_results
from networks.faults import InputError

HEAD = ("case", "metric", "seed", "A", "B", "B / A", "unit")
TEXT_COLUMNS = (HEAD.index("case"), HEAD.index("metric"), HEAD.index("unit"))

Key = tuple[str, str, int | None]


@click.command()
@click.argument("before")
@click.argument("after")
def diff(before: str, after: str) -> None:
    """Print the results of BEFORE and AFTER side by side, with ratios. What one of them lacks shows as a dash."""
    for line in side_by_side(read_results(before), read_results(after)):
        print(line)


def side_by_side(before: Sequence[Result], after: Sequence[Result]) -> Iterator[str]:
    """Lines of a table: case, metric, seed, both values, and how many times the first the second is."""
    left, right = ({result.key: result for result in results} for results in (before, after))
    keys = list(dict.fromkeys([*left, *right]))
    cells = [HEAD, *(_row(key, left.get(key), right.get(key)) for key in keys)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        yield "  ".join(
            cell.ljust(width) if column in TEXT_COLUMNS else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
    yield from _version_lines(left, right)


def _row(key: Key, before: Result | None, after: Result | None) -> tuple[str, ...]:
    case, metric, seed = key
    ratio = "-"
    if before is not None and after is not None and before.value:
        ratio = f"{after.value / before.value:.3f}"
    known = before or after
    unit = known.unit if known is not None and known.unit != "1" else ""
    return case, metric, "" if seed is None else str(seed), _value(before), _value(after), ratio, unit


def _value(result: Result | None) -> str:
    return "-" if result is None else f"{result.value:.4g}"


def _version_lines(left: Mapping[Key, Result], right: Mapping[Key, Result]) -> Iterator[str]:
    """Programs whose versions differ between the two."""
    before, after = _versions(left), _versions(right)
    for name in sorted(before.keys() | after.keys()):
        if before.get(name) != after.get(name):
            yield f"{name}: {before.get(name, '-')} in A, {after.get(name, '-')} in B"


def _versions(results: Mapping[Key, Result]) -> dict[str, str]:
    return {name: version for result in results.values() for name, version in result.versions.items()}


def main() -> None:
    """Unreadable input becomes one line and exit code 2."""
    try:
        diff()
    except InputError as fault:
        click.echo(f"benchmarks: {fault}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
