"""Every text that reports say, taken from the code and the templates: what the catalogues must translate."""

import ast
from collections.abc import Iterator
from pathlib import Path

from jinja2 import nodes

from scenarios.edition import EDITIONS, find_edition
from scenarios.page import page_environment

ROOT = Path(__file__).parents[1]


def texts() -> dict[str, list[str]]:
    """Every text with the files that say it."""
    found: dict[str, list[str]] = {}
    for text, place in [*texts_of_code(), *texts_of_templates(), *texts_of_editions()]:
        files = found.setdefault(text, [])
        files.extend({place.partition(":")[0]} - set(files))
    return found


def texts_of_code() -> Iterator[tuple[str, str]]:
    """Texts of ``Message("...")`` in the scenarios, each with its place; the text must be written out there."""
    for path in sorted((ROOT / "scenarios").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Message":
                yield from _texts(node.args[0], f"{path.relative_to(ROOT)}:{node.lineno}")


def texts_of_templates() -> Iterator[tuple[str, str]]:
    """Texts of ``say("...")`` in the templates, each with its place."""
    environment = page_environment()
    for name in environment.list_templates(extensions=["j2"]):
        source = (ROOT / "scenarios" / "templates" / name).read_text(encoding="utf-8")
        for call in environment.parse(source).find_all(nodes.Call):
            if isinstance(call.node, nodes.Name) and call.node.name == "say":
                (first, *_) = call.args
                if isinstance(first, nodes.Const):
                    yield first.value, f"{name}:{call.lineno}"


def texts_of_editions() -> Iterator[tuple[str, str]]:
    """Sources of the editions that come with the package."""
    for name in EDITIONS:
        yield find_edition(name).source, f"{name}.toml"


def _texts(text: ast.expr, place: str) -> Iterator[tuple[str, str]]:
    """A literal, both sides of a choice, or the text of another message or of a template, which stands elsewhere."""
    match text:
        case ast.Constant(value=str(words)):
            yield words, place
        case ast.IfExp(body=body, orelse=other):
            yield from _texts(body, place)
            yield from _texts(other, place)
        case ast.Attribute(attr="text") | ast.Name(id="template_text"):
            return
        case _:
            raise AssertionError(f"{place}: the text of a Message must be written out where it is made, to be found")
