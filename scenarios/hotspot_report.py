"""The report of a ranking: one HTML file that can be read, printed and mailed, with its pictures inside."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from networks.outfile import write_text
from scenarios.drawing import Drawing
from scenarios.hotspot_figures import draw_evidence, draw_methods
from scenarios.hotspot_views import METHOD_WORDS, MethodLists, hotspot_views, method_lists
from scenarios.hotspots import FIGURES, MAP_FILE, Screening
from scenarios.page import MAX_ROWS, page_environment

FILE_NAME = "report.html"


def write_hotspot_report(screening: Screening, out_dir: str | Path) -> Path:
    """Write the pictures and ``report.html``, beside the tables and the map that are there already; give its path.

    Raises
    ------
    RunError
        WRITE_FAILED; no file then stands under the final name.
    """
    folder = Path(out_dir)
    lists = method_lists(screening)
    drawings = list(_drawings(screening, lists, folder / FIGURES))
    text = (
        page_environment()
        .get_template("hotspots.html.j2")
        .render(
            views=hotspot_views(screening, lists),
            figures={drawing.path.stem: drawing for drawing in drawings},
            method=METHOD_WORDS[screening.options.method],
            rule=screening.evidence.rule if screening.options.method == "rule" else None,
            notices=screening.notices,
            max_rows=MAX_ROWS,
        )
    )
    path = folder / FILE_NAME
    write_text(path, text)
    return path


def _drawings(screening: Screening, lists: MethodLists, folder: Path) -> Iterator[Drawing]:
    caption = (
        "Ranked junctions by their number, each crash a dot. Dark parts of the bars are crashes that hurt or killed."
    )
    yield Drawing(folder / MAP_FILE, "The ranked junctions on the map", caption)
    if any(np.isfinite(spot.expected) for spot in screening.hotspots):
        yield draw_evidence(folder / "hotspot_evidence.png", screening)
    if len(lists.orders) > 1:
        yield draw_methods(folder / "hotspot_methods.png", screening, lists)
