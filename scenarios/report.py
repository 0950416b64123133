"""The report: one HTML file that a city official can read, print and forward, with nothing to fetch from elsewhere."""

from collections.abc import Sequence
from pathlib import Path

from networks.outfile import write_text
from scenarios.caveats import caveats
from scenarios.charging_views import charging_views
from scenarios.compare import PAIRS_FOR_A_CLAIM
from scenarios.conflict_views import conflict_views
from scenarios.content import ReportContent
from scenarios.drawing import Drawing
from scenarios.page import MAX_ROWS, page_environment
from scenarios.passenger_views import passenger_views
from scenarios.safety_wording import SAFETY_NOTE, safety_findings
from scenarios.signal_views import signal_views
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
from scenarios.wording import findings, question, run_accounts

FILE_NAME = "report.html"


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
        page_environment()
        .get_template("report.html.j2")
        .render(
            content=content,
            question=question(content),
            findings=findings(content),
            safety_findings=safety_findings(content),
            safety_note=SAFETY_NOTE,
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
            passengers=passenger_views(content),
            charging=charging_views(content),
            signals=signal_views(content),
            conflicts=conflict_views(content),
            bus_lines=[drawing.path.stem for drawing in drawings if drawing.path.stem.startswith(STEM)],
            run_columns=[heading for _, heading in RUN_COLUMNS],
            max_rows=MAX_ROWS,
            pairs_for_a_claim=PAIRS_FOR_A_CLAIM,
        )
    )
