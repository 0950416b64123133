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


class FirstWord(click.Command):
    """A command whose first word may be another command: ``bagdar hotspots validate``."""

    others: dict[str, click.Command]

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Parse for this command, or for the one that the first word names."""
        if args and args[0] in self.others:
            return self.others[args[0]].make_context(f"{info_name} {args[0]}", args[1:], parent=parent, **extra)
        return super().make_context(info_name, args, parent=parent, **extra)
