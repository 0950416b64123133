"""How the command line speaks: results on standard output, all else on standard error."""

import json
from pathlib import Path
from typing import Any

import click

FILE = click.Path(path_type=Path)


def say(text: str) -> None:
    """Tell what happens, on standard error."""
    click.echo(text, err=True)


def print_json(value: Any) -> None:
    """A result for programs, on standard output."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False))


def example(command: str) -> str:
    """The example under a command's help; the leading mark keeps its lines as they are."""
    return f"\b\nExample:\n  {command}"
