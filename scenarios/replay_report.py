"""What a replay leaves behind: tables, figures, and a report in one file that can be read, printed and mailed."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from gtfs.replay_result import ReplayResult
from networks.outfile import write_text
from scenarios.drawing import Drawing
from scenarios.page import MAX_ROWS, page_environment
from scenarios.replay_figures import draw_hours, draw_routes
from scenarios.replay_lines import HEAT_STEM, LINES_STEM, busiest_lines, draw_heat, draw_line
from scenarios.replay_maps import draw_detours
from scenarios.replay_tables import write_tables
from scenarios.replay_tally import Tally
from scenarios.replay_views import Simulated, days_words, replay_views

FIGURES = "figures"
FILE_NAME = "report.html"
_SYNTHETIC = "synthetic trace"


def write_replay(results: Iterable[ReplayResult], folder: Path, note: str = "") -> Tally:
    """Write tables, figures and ``report.html`` of a replay into a folder; give its sums.

    Parameters
    ----------
    results
        The replay in one part or in several, in order of service days, all against the same plan; at least one. Parts
        are taken one after the other, and figures of single trips show the one with most visits.
    note
        What a reader has to know first, such as that the trace was made up.

    Raises
    ------
    RunError
        WRITE_FAILED; no file then stands under the final name.
    """
    tally = write_tables(results, folder)
    tally.drawings.extend(_drawings(tally, folder / FIGURES))
    write_text(folder / FILE_NAME, render_replay(tally, tally.drawings, note))
    return tally


def add_simulated(tally: Tally, folder: Path, note: str, simulated: Simulated, drawing: Drawing) -> None:
    """Write the report anew, with what became of the vehicles in a simulation.

    Raises
    ------
    RunError
        WRITE_FAILED.
    """
    write_text(folder / FILE_NAME, render_replay(tally, [*tally.drawings, drawing], note, simulated))


def render_replay(tally: Tally, drawings: Sequence[Drawing], note: str, simulated: Simulated | None = None) -> str:
    """Give the text of the report."""
    stems = [drawing.path.stem for drawing in drawings]
    return (
        page_environment()
        .get_template("replay.html.j2")
        .render(
            title=f"Punctuality of {days_words(tally)}",
            zone=tally.latest.plan.timetable.timezone,
            views=replay_views(tally, note),
            figures={drawing.path.stem: drawing for drawing in drawings},
            lines=[stem for stem in stems if stem.startswith((LINES_STEM, HEAT_STEM))],
            simulated=simulated,
            max_rows=MAX_ROWS,
        )
    )


def _drawings(tally: Tally, folder: Path) -> Iterator[Drawing]:
    note = _margin_note(tally)
    if not tally.fate.sum():
        return
    yield draw_routes(folder / "replay_routes.png", tally, note)
    yield draw_hours(folder / "replay_hours.png", tally, note)
    for place, line in enumerate(busiest_lines(tally.main), start=1):
        yield draw_line(
            folder / f"{LINES_STEM}_{place}.png", tally.main, line, _SYNTHETIC if _is_synthetic(tally) else ""
        )
        yield draw_heat(folder / f"{HEAT_STEM}_{place}.png", tally.main, line, note)
    if tally.detours:
        yield draw_detours(folder / "replay_detours.png", tally, note)


def _margin_note(tally: Tally) -> str:
    """Days, and what was made up, for the margin of a figure that may be cut out of the report."""
    return " · ".join(part for part in (_SYNTHETIC if _is_synthetic(tally) else "", days_words(tally)) if part)


def _is_synthetic(tally: Tally) -> bool:
    return any(vehicle.casefold().startswith("synthetic") for vehicle in tally.latest.vehicles)
