"""Pages of HTML from templates: every foreign name escaped, pictures inside, nothing to fetch from elsewhere."""

import base64
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from scenarios.content import plain, short
from scenarios.numerals import number
from scenarios.wording import counted

MAX_ROWS = 60
"""Rows that a table of a page shows; the files beside it have them all."""


def page_environment() -> Environment:
    """Templates of this package with the filters that they use."""
    environment = Environment(
        loader=PackageLoader("scenarios"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"plain": plain, "short": short, "number": number, "counted": counted, "data_uri": _data_uri}
    return environment


def _data_uri(path: Path) -> str:
    return f"data:image/png;base64,{base64.b64encode(path.read_bytes()).decode('ascii')}"
