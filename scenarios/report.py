"""The report: one HTML file that a city official can read, print and forward, with nothing to fetch from elsewhere."""

import base64
from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from networks.outfile import write_text
from scenarios.caveats import caveats
from scenarios.compare import PAIRS_FOR_A_CLAIM
from scenarios.content import ReportContent, plain, short
from scenarios.drawing import Drawing
from scenarios.numerals import number
from scenarios.transit_views import transit_views
from scenarios.trip_lines import STEM
from scenarios.views import (
    RUN_COLUMNS,
    difference_tables,
    junction_rows,
    network_facts,
    run_rows,
    run_totals,
    safety_facts,
    site_rows,
    variant_rows,
)
from scenarios.wording import counted, findings, question, run_accounts

FILE_NAME = "report.html"

MAX_ROWS = 60
"""Rows that a table of the report shows; the CSV files have them all."""


def write_report(out_dir: str | Path, content: ReportContent, drawings: Sequence[Drawing]) -> Path:
    """Write ``report.html`` with the drawings inside it; give its path.

    Every name from a foreign file is escaped by the template engine. The file allows itself no script and no request.

    Raises
    ------
    RunError
        WRITE_FAILED; no file then stands under the final name.
    """
    path = Path(out_dir) / FILE_NAME
    write_text(path, render_report(content, drawings))
    return path


def render_report(content: ReportContent, drawings: Sequence[Drawing]) -> str:
    """Give the text of the report."""
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            content=content,
            question=question(content),
            findings=findings(content),
            caveats=caveats(content),
            accounts=run_accounts(content),
            figures={drawing.path.stem: drawing for drawing in drawings},
            facts=network_facts(content),
            variants=variant_rows(content),
            sites=site_rows(content),
            tables=difference_tables(content),
            junctions=junction_rows(content),
            totals=run_totals(content),
            runs=run_rows(content),
            safety=safety_facts(content),
            buses=transit_views(content),
            bus_lines=[drawing.path.stem for drawing in drawings if drawing.path.stem.startswith(STEM)],
            run_columns=[heading for _, heading in RUN_COLUMNS],
            max_rows=MAX_ROWS,
            pairs_for_a_claim=PAIRS_FOR_A_CLAIM,
        )
    )


def _environment() -> Environment:
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
